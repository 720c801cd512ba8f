"""Accuracy of scores and probabilities of leaving; no result depends on the order of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record
from cs_helpers.core.stats.logistic import logistic, probability_of

_MIN_BIN_EVENTS = 5
_ALMOST = 1e-12  # a probability of 0 or 1 is taken as this far from it


@dataclass(frozen=True, repr=False)
class Top(Record):
    """The ``k`` highest scores: ``hits`` of them left (a fraction where the cut goes through equal scores).

    ``precision`` = hits / k, in [low, high] (Wilson); ``base_rate``: share of all that left; ``lift`` = precision /
    base rate, its limits those of the precision over the base rate as observed; ``found``: share of all who left that
    are among the k; ``weight`` and ``weight_found``: weight (MRR) of the hits, and its share of the weight of all who
    left (None where that weighs nothing).
    """

    k: int
    hits: float
    precision: float
    low: float
    high: float
    base_rate: float
    lift: float
    lift_low: float
    lift_high: float
    found: float
    weight: float
    weight_found: float | None


@dataclass(frozen=True, repr=False)
class Calibration(Record):
    """Whether accounts leave as often as their probabilities predict, on the scale of log odds.

    ``intercept``: how much too low they are on the whole (0: as many left as expected; log 2 = 0.69: the odds are
    twice those predicted), slope held at 1. ``slope``: 1 if differences between probabilities are right, below 1 if
    they are exaggerated; None (with its limits) where all probabilities are the same. ``expected``, ``observed``:
    number leaving.
    """

    intercept: float
    intercept_low: float
    intercept_high: float
    slope: float | None
    slope_low: float | None
    slope_high: float | None
    expected: float
    observed: int


def auc(score: ArrayLike, outcome: ArrayLike) -> float:
    """Chance that one who left has a higher score than one who stayed; equal scores count half (Mann & Whitney 1947).

    ``score``: one finite number per row; ``outcome``: True or 1 for those that left. Raises ContractError if a score
    is missing or only one outcome occurs.
    """
    s, y = _both(score, outcome)
    return _area(ranks(s), y == 1)


def auc_interval(score: ArrayLike, outcome: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Interval of ``auc``: DeLong's variance, symmetric on the log-odds scale so that it stays within [0, 1].

    Where the variance is 0 (everybody on the right side, or all scores equal among those who left and those who
    stayed), the limits are Wilson's for a share out of the smaller of the two groups.
    Source: DeLong, DeLong & Clarke-Pearson 1988; Sun & Xu 2014 for ranks; Pepe 2003, section 5.2 for the scale.
    """
    s, y = _both(score, outcome)
    gone, among_all = y == 1, ranks(s)
    area, n_gone, n_stayed = _area(among_all, gone), int(gone.sum()), int((~gone).sum())
    # For each who left (stayed) the share of the others that score lower (higher); ties count half.
    left = np.sort((among_all[gone] - ranks(s[gone])) / n_stayed)
    stayed = np.sort(1 - (among_all[~gone] - ranks(s[~gone])) / n_gone)
    fewest = min(len(left), len(stayed))
    variance = sum(float(part.var(ddof=1)) / len(part) if len(part) > 1 else 0.0 for part in (left, stayed))
    if fewest < 2 or variance < 1e-15 or not 0 < area < 1:
        return stats.wilson_interval(min(area, 1.0) * fewest, fewest, level)
    half = stats.normal_quantile(level) * math.sqrt(variance) / (area * (1 - area))
    low, high = probability_of(math.log(area / (1 - area)) + half * np.array([-1.0, 1.0]))
    return (float(low), float(high))


def top_k(score: ArrayLike, outcome: ArrayLike, k: int, weight: ArrayLike | None = None, level: float = 0.95) -> Top:
    """The ``k`` highest scores (all, if there are fewer), whatever the order of the rows.

    Everybody above the score of the k-th counts whole; those with exactly that score share the places left equally,
    which is what drawing among them at random gives on average. ``weight``: 1 each by default. Raises ContractError for
    k < 1, a missing score, weights that are missing or negative, and where nobody left.
    """
    s, y = _checked(score, outcome)
    w = np.ones(len(s)) if weight is None else np.asarray(weight, float)
    if k < 1 or w.shape != s.shape or not (np.isfinite(w) & (w >= 0)).all():
        raise ContractError(f"k is {k}, weights {w.shape} for {len(s)} rows: give k >= 1 and one weight >= 0 per row")
    if not y.any():
        raise ContractError("nobody left: the share found needs at least one who did")
    k = min(int(k), len(s))
    cut = np.partition(s, len(s) - k)[len(s) - k]
    above, level_with = s > cut, s == cut
    share = (k - int(above.sum())) / int(level_with.sum())
    hits = min(int(y[above].sum()) + share * int(y[level_with].sum()), float(k))
    left = int(y.sum())
    precision, base = hits / k, left / len(y)
    low, high = stats.wilson_interval(hits, k, level)
    weight_hit = math.fsum((w * y)[above]) + share * math.fsum((w * y)[level_with])
    weight_left = math.fsum(w * y)
    lifts = precision / base, low / base, high / base
    found = weight_hit / weight_left if weight_left > 0 else None
    return Top(k, hits, precision, low, high, base, *lifts, hits / left, weight_hit, found)


def brier(probability: ArrayLike, outcome: ArrayLike) -> float:
    """Mean of (probability - outcome)², 0 at best (Brier 1950). Raises ContractError as ``calibration``, but one
    outcome alone is allowed."""
    p, y = _probabilities(*_checked(probability, outcome))
    return math.fsum((p - y) ** 2) / len(p)


def brier_skill(probability: ArrayLike, outcome: ArrayLike) -> float:
    """1 - Brier / Brier of giving everybody the observed share: 1 at best, 0 no better than that share, negative worse.

    Raises ContractError where only one outcome occurs: the share alone would be perfect.
    """
    p, y = _both(probability, outcome)
    share = float(y.mean())
    return 1 - brier(p, y) / (share * (1 - share))


def calibration(probability: ArrayLike, outcome: ArrayLike, level: float = 0.95) -> Calibration:
    """Intercept (slope held at 1) and slope of a logistic regression of the outcome on the predicted log odds.

    Probabilities of exactly 0 or 1 are taken as 1e-12 away. Raises ContractError if a probability is missing or
    outside [0, 1], or only one outcome occurs. Source: Cox 1958; Van Calster et al. 2019.
    """
    p, y = _probabilities(*_both(probability, outcome))
    order = np.lexsort((y, p))  # sums then add up alike, however the rows came
    p, y = p[order], y[order]
    clipped = np.clip(p, _ALMOST, 1 - _ALMOST)
    log_odds = np.log(clipped / (1 - clipped))
    z = stats.normal_quantile(level)
    ones = np.ones((len(p), 1))
    whole = logistic(ones, y, offset=log_odds)
    intercept, error = float(whole.coefficients[0]), float(whole.standard_errors[0])
    slopes: tuple[float | None, float | None, float | None] = (None, None, None)
    if np.ptp(log_odds) > 1e-9:
        line = logistic(np.column_stack([ones, log_odds - log_odds.mean()]), y)
        slope, half = float(line.coefficients[1]), z * float(line.standard_errors[1])
        slopes = (slope, slope - half, slope + half)
    low, high = intercept - z * error, intercept + z * error
    return Calibration(intercept, low, high, *slopes, math.fsum(p), int(y.sum()))


def reliability(probability: ArrayLike, outcome: ArrayLike, bins: int = 10, level: float = 0.95) -> pd.DataFrame:
    """Expected against observed shares, in groups of about equal size by probability, lowest first.

    Columns n, expected (mean probability), observed (share that left), low, high (Wilson). Equal probabilities are
    never torn apart. Fewer groups than ``bins`` where those would hold fewer than 5 of those who left on average, or
    where probabilities repeat. Raises ContractError as ``brier``.
    """
    p, y = _probabilities(*_checked(probability, outcome))
    groups = max(1, min(bins, int(y.sum()) // _MIN_BIN_EVENTS))
    group = np.minimum(((ranks(p) - 0.5) / len(p) * groups).astype(int), groups - 1)
    # Sorted, so that sums add up in the same order however the rows came.
    rows = pd.DataFrame({"group": group, "p": p, "y": y}).sort_values(["group", "p", "y"])
    table = rows.groupby("group").agg(n=("y", "size"), expected=("p", "mean"), observed=("y", "mean"))
    limits = [stats.wilson_interval(round(o * n), n, level) for n, o in zip(table["n"], table["observed"], strict=True)]
    table["low"], table["high"] = np.array(limits).T
    return table.reset_index(drop=True)


def _checked(score: ArrayLike, outcome: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    s, y = np.asarray(score, float), np.asarray(outcome, float)
    if s.ndim != 1 or s.shape != y.shape or not len(s):
        raise ContractError(f"{s.shape} scores and {y.shape} outcomes: give one of each per row, at least one row")
    if not np.isfinite(s).all() or not np.isin(y, (0.0, 1.0)).all():
        raise ContractError("scores must be finite and outcomes True or False: drop rows where either is missing")
    return s, y


def _both(score: ArrayLike, outcome: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    s, y = _checked(score, outcome)
    if y.min() == y.max():
        raise ContractError(f"all {len(y)} rows have the same outcome: some that left and some that stayed are needed")
    return s, y


def _probabilities(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if (p < 0).any() or (p > 1).any():
        raise ContractError("a probability lies outside 0 to 1: give probabilities, not scores")
    return p, y


def _area(among_all: np.ndarray, gone: np.ndarray) -> float:
    """Mann & Whitney's share of pairs, from the ranks of all rows."""
    n_gone = int(gone.sum())
    return (float(among_all[gone].sum()) - n_gone * (n_gone + 1) / 2) / (n_gone * (len(gone) - n_gone))


def ranks(values: np.ndarray) -> np.ndarray:
    """Places from 1 in ascending order; equal values share the mean of theirs. No value may be missing."""
    return pd.Series(values).rank().to_numpy()
