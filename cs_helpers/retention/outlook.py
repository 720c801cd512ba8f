"""Expected renewals of the next four quarters, and how accurate such forecasts were in the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.results import Record, Result, Suppressed

MIN_DECIDED = 20
"""Decided renewals that a rate needs before it is used to look ahead."""
MIN_IN_QUARTER = 10
"""Decided renewals that a past quarter needs before it counts as evidence."""
QUARTERS_BACK = 8
_TAIL = 0.025


@dataclass(frozen=True, repr=False)
class Scenario(Record):
    """One renewal rate for the quarters to come, and the past period in which it was observed."""

    name: str
    rate: float
    seen_in: str


@dataclass(frozen=True, eq=False, repr=False)
class ForecastScore(Result):
    """The forecast that the same method would have made as each past quarter began, against what happened.

    ``quarters``: index ``quarter``; renewals, due (decided ones), expected, low, high, actual (MRR in ``currency``),
    error (actual - expected, as a share of due), inside. Only what was decided before the quarter began entered each
    forecast.
    """

    quarters: pd.DataFrame
    currency: str = ""

    @property
    def inside(self) -> int:
        """The number of quarters whose outcome lay inside the forecast range."""
        return int(self.quarters["inside"].sum())


@dataclass(frozen=True, eq=False, repr=False)
class RenewalOutlook(Result):
    """Renewals due in the next four quarters, and the MRR expected from them.

    ``quarters``: index ``quarter`` in words; due (MRR in ``currency``), renewals, decided (MRR of those already
    decided), expected, low, high (95 % prediction interval of the MRR renewed), worst and best (MRR renewed at the
    scenarios' rates; NaN without scenarios), from_terms (due MRR that no renewal record names yet). ``rate`` is the
    revenue renewal rate behind ``expected``, ``spread`` how many times more than chance past quarters differed.
    ``scenarios``: as in the last twelve months, as in the worst and in the best quarter of the last eight. ``total``
    sums the quarters; its interval allows for the rate being wrong in all quarters alike. ``score`` is the accuracy of
    earlier forecasts.
    """

    quarters: pd.DataFrame
    total: pd.Series
    rate: float
    rate_low: float
    rate_high: float
    decided: int
    spread: float
    scenarios: tuple[Scenario, ...]
    currency: str = ""
    score: ForecastScore | Suppressed | None = None


def _quarters(as_of: pd.Timestamp, numbers: Sequence[int]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    return [(periods.add_months(as_of, 3 * n), periods.add_months(as_of, 3 * n + 3)) for n in numbers]


def _due_in(due: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    return due[(due["due_date"] >= start) & (due["due_date"] < end)]


def _decided_before(due: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Renewals whose outcome was known on ``day``; one without a decision date was decided when it was due."""
    known = due["decided_date"].fillna(due["due_date"]) < day
    return due[known & due["renewed_mrr"].notna() & (due["target_mrr"] > 0)]


def _amounts(decided: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """MRR due of each decided renewal, and the part of it that was renewed."""
    targets = decided["target_mrr"].to_numpy(float)
    return targets, np.minimum(decided["renewed_mrr"].to_numpy(float), targets)


def _past_quarters(known: pd.DataFrame, as_of: pd.Timestamp) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """The last eight quarters with enough decided renewals: name, MRR due, MRR renewed."""
    found = [
        (periods.quarter_words(start, end), *_amounts(_due_in(known, start, end)))
        for start, end in _quarters(as_of, range(-QUARTERS_BACK, 0))
    ]
    return [each for each in found if len(each[1]) >= MIN_IN_QUARTER]


@dataclass(frozen=True)
class _Rate:
    """``value``, the variance of its estimate, that of one renewal's kept share (``each``), and the spread on both."""

    value: float
    steadied: float
    variance: float
    each: float
    spread: float
    n: int

    def sum_of(self, targets: np.ndarray) -> tuple[float, float, float]:
        """Expected renewed MRR of these targets, with its 95 % prediction interval.

        The variance of the share renewed is that of the single renewals plus that of the rate, times the spread. Few
        renewals may all be renewed, or all lost: where that is likelier than 2.5 %, the range reaches there.
        """
        total = float(targets.sum())
        if total == 0:
            return (0.0, 0.0, 0.0)
        variance = self.spread * (self.each * float((targets**2).sum()) / total**2 + self.variance)
        low, high = stats.share_range(self.steadied, variance)
        size = stats.effective_n(targets)
        low = 0.0 if (1 - self.steadied) ** size > _TAIL else low
        high = 1.0 if self.steadied**size > _TAIL else high
        return (self.value * total, min(low, self.value) * total, max(high, self.value) * total)


def _rate(history: pd.DataFrame, spread: float = 1.0) -> _Rate:
    """Revenue renewal rate of decided renewals, its variance, and that of a single renewal's kept share."""
    targets, kept = _amounts(history)
    value = float(kept.sum() / targets.sum())
    # With everything renewed, or nothing, the plain variance is 0, which is not certainty: two average renewals more,
    # one of them lost, steady it.
    steadied = float((kept.sum() + targets.mean()) / (targets.sum() + 2 * targets.mean()))
    each = float((targets * (kept / targets - value) ** 2).sum() / targets.sum())
    each = each if 0 < value < 1 and each > 0 else steadied * (1 - steadied)
    return _Rate(value, steadied, each / stats.effective_n(targets), each, spread, len(history))


def _spread(known: pd.DataFrame, as_of: pd.Timestamp, rate: _Rate) -> float:
    """How many times more than chance the quarters before ``as_of`` differ: mean squared standardised residual.

    At least 1: quarters that happened to agree are no reason for a narrower range.
    """
    found = [
        (float(kept.sum()) - rate.value * targets.sum()) ** 2 / (rate.each * float((targets**2).sum()))
        for _, targets, kept in _past_quarters(known, as_of)
    ]
    return max(1.0, sum(found) / (len(found) - 1)) if len(found) > 2 else 1.0


def _known_rate(due: pd.DataFrame, day: pd.Timestamp) -> _Rate | Suppressed:
    """The rate of the twelve months before ``day``, or of all that was decided before where those are too few."""
    known = _decided_before(due, day)
    last_year = _due_in(known, periods.add_months(day, -12), day)
    history = last_year if len(last_year) >= MIN_DECIDED else known
    if len(history) < MIN_DECIDED:
        return Suppressed(
            f"{len(history)} renewals were decided before {periods.day_words(day)}; a look ahead needs at least "
            f"{MIN_DECIDED}. Load the table renewals, or term_months with the subscriptions and a longer history"
        )
    rate = _rate(history)
    return _rate(history, _spread(known, day, rate))


def outlook_of_renewals(
    due: pd.DataFrame, as_of: pd.Timestamp, quarters: int = 4, currency: str = ""
) -> RenewalOutlook | Suppressed:
    """Renewals due in the next ``quarters`` quarters from ``as_of``, and the MRR to be expected from them.

        expected = decided ones as decided + rate x MRR of the open ones

    ``due``: account_id, due_date, target_mrr, renewed_mrr (missing: open), decided_date, recorded (optional), as from
    ``renewals_of``. rate = renewed / due, capped at the target, of what was due and decided in the twelve months
    before ``as_of``. The 95 % prediction interval holds the chance of the single renewals (large ones weigh more), the
    uncertainty of the rate, and the spread between past quarters where it exceeded chance. Quarters count from
    ``as_of``, not from January. Suppressed with fewer than 20 decided renewals, or with nothing due.
    """
    rate = _known_rate(due, as_of)
    if isinstance(rate, Suppressed):
        return rate
    coming = _due_in(due, as_of, periods.add_months(as_of, 3 * quarters))
    coming = coming[coming["target_mrr"] > 0]
    if coming.empty:
        return Suppressed(
            f"no renewal is due in the {3 * quarters} months after {periods.day_words(as_of)} as far as the data tell. "
            "Load the open renewals, or term_months with the subscriptions"
        )
    scenarios = _scenarios(due, as_of, rate)
    rows = {
        periods.quarter_words(start, end): _quarter(_due_in(coming, start, end), as_of, rate, scenarios)
        for start, end in _quarters(as_of, range(quarters))
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("quarter")
    total = pd.Series(_quarter(coming, as_of, rate, scenarios))
    size = max(rate.steadied * (1 - rate.steadied) / (rate.variance * rate.spread), 1.0)
    limits = stats.wilson_interval(rate.value * size, size)
    return RenewalOutlook(table, total, rate.value, *limits, rate.n, rate.spread, scenarios, currency)


def _quarter(due: pd.DataFrame, as_of: pd.Timestamp, rate: _Rate, scenarios: tuple[Scenario, ...]) -> dict[str, float]:
    known = _decided_before(due, as_of)
    is_open = ~due.index.isin(known.index)
    settled = float(_amounts(known)[1].sum())
    targets = due["target_mrr"].to_numpy(float)[is_open]
    expected, low, high = rate.sum_of(targets)
    at = {s.name: settled + s.rate * float(targets.sum()) for s in scenarios}
    recorded = due["recorded"].astype(bool) if "recorded" in due else pd.Series(True, due.index)
    return {
        "due": float(due["target_mrr"].sum()),
        "renewals": len(due),
        "decided": float(known["target_mrr"].sum()),
        "expected": settled + expected,
        "low": settled + low,
        "high": settled + high,
        "worst": at.get("worst", float("nan")),
        "best": at.get("best", float("nan")),
        "from_terms": float(due.loc[~recorded, "target_mrr"].sum()),
    }


def _scenarios(due: pd.DataFrame, as_of: pd.Timestamp, rate: _Rate) -> tuple[Scenario, ...]:
    """As in the last year, as in the worst and as in the best of the last eight quarters; none with fewer than four."""
    past = _past_quarters(_decided_before(due, as_of), as_of)
    seen = [(float(kept.sum() / targets.sum()), name) for name, targets, kept in past]
    if len(seen) < 4:
        return ()
    worst, best = min(seen), max(seen)
    year = periods.window_words(periods.add_months(as_of, -12), as_of)
    return (Scenario("base", rate.value, year), Scenario("worst", *worst), Scenario("best", *best))


def score_forecasts(
    due: pd.DataFrame, as_of: pd.Timestamp, quarters: int = 4, currency: str = ""
) -> ForecastScore | Suppressed:
    """The forecast that would have been made as each of the last ``quarters`` quarters began, against what happened.

    The amounts due are today's knowledge of what was due then; a renewal still open counts in neither.
    Suppressed where no quarter had enough history before it and 10 decided renewals in it.
    """
    rows = {}
    for start, end in _quarters(as_of, range(-quarters, 0)):
        rate = _known_rate(due, start)
        quarter = _decided_before(_due_in(due, start, end), as_of)
        if isinstance(rate, Suppressed) or len(quarter) < MIN_IN_QUARTER:
            continue
        targets, kept = _amounts(quarter)
        expected, low, high = rate.sum_of(targets)
        actual = float(kept.sum())
        rows[periods.quarter_words(start, end)] = {
            "renewals": len(quarter),
            "due": float(targets.sum()),
            "expected": expected,
            "low": low,
            "high": high,
            "actual": actual,
            "error": (actual - expected) / float(targets.sum()),
            "inside": bool(low <= actual <= high),
        }
    if not rows:
        return Suppressed(
            "no past quarter had enough decided renewals, in it and before it, to score a forecast. "
            f"A quarter needs {MIN_IN_QUARTER} and {MIN_DECIDED} before it; load a longer history"
        )
    return ForecastScore(pd.DataFrame.from_dict(rows, orient="index").rename_axis("quarter"), currency)
