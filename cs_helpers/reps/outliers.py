"""Reps who stand out in two periods in a row: only then is there something to learn from."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.stats import normal_quantile
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import Benchmark, Persistence

MIN_RELIABILITY = 0.5
MIN_PAIRS = 5


def repeated_outliers(
    before: Benchmark, now: Benchmark, before_words: str = "before", now_words: str = "now"
) -> Persistence:
    """Units beyond the 95 % limits on the same side in both of two disjoint periods, and further than is usual.

    Further means further from the centre than the spread of true differences, in both: where all differ truly, as in
    handling times, being different is no news. The two benchmarks are of the same measure and level, over periods that
    share no month. ``reliability`` is the smaller of the two: below .5 more than half of what differs is noise, and
    nothing is called consistent. The correlation of the two effects has Fisher's interval. Where nobody differs, one
    of 800 units is beyond the limits twice on the same side. Raises ParameterError where the two do not belong
    together. Source: Fisher 1921 for the interval.
    """
    if (before.key, before.level) != (now.key, now.level):
        raise ParameterError(
            f"{before.key} of {before.level}s and {now.key} of {now.level}s cannot be held against each other"
        )
    columns = ["unit", "label", "effect", "z", "outside"]
    both = before.shown[columns].merge(now.shown[columns], on="unit", suffixes=("_before", "_now"))
    twice = (both["outside_before"] != "") & (both["outside_now"] != "")
    same = np.sign(both["effect_before"]) == np.sign(both["effect_now"])
    far = (both["effect_before"].abs() > before.spread) & (both["effect_now"].abs() > now.spread)
    better = measure(now.key).better
    up, down = {"higher": ("better", "worse"), "lower": ("worse", "better")}.get(better, ("higher", "lower"))
    side = np.where(twice & same & far, np.where(both["effect_now"] > 0, up, down), "")
    pairs = pd.DataFrame(
        {
            "unit": both["unit"],
            "label": both["label_now"],
            "effect_before": both["effect_before"],
            "z_before": both["z_before"],
            "effect_now": both["effect_now"],
            "z_now": both["z_now"],
            "side": side,
        }
    )
    reliability = min(before.reliability, now.reliability)
    r, low, high = _correlation(both["effect_before"].to_numpy(), both["effect_now"].to_numpy())
    return Persistence(
        now.key, before_words, now_words, reliability, r, low, high, pairs, _refusal(len(pairs), reliability)
    )


def _refusal(pairs: int, reliability: float) -> str:
    if pairs < MIN_PAIRS:
        return f"{pairs} have a figure in both periods, and {MIN_PAIRS} are needed"
    if not reliability >= MIN_RELIABILITY:  # nan is no reliability
        return (
            f"the reliability is {max(reliability, 0):.2f}, below {MIN_RELIABILITY}: more than half of the "
            "differences is noise, and noise does not persist"
        )
    return ""


def _correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Pearson's correlation with Fisher's 95 % interval; nan with fewer than four pairs or without variation."""
    if len(a) < 4 or not (np.ptp(a) and np.ptp(b)):
        return math.nan, math.nan, math.nan
    r = float(np.corrcoef(a, b)[0, 1])
    middle, half = math.atanh(min(max(r, -0.999999), 0.999999)), normal_quantile(0.95) / math.sqrt(max(len(a) - 3, 1))
    return r, math.tanh(middle - half), math.tanh(middle + half)
