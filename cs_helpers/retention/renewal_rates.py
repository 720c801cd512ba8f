"""Renewal rates of what was due: renewed, lost, and still open."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.estimates import Comparison, Estimate
from cs_helpers.core.results import Record, Result
from cs_helpers.retention.windows import target


@dataclass(frozen=True, repr=False)
class RenewalRate(Record):
    """Renewed share of what was due in [start, end) and decided; open renewals are counted apart."""

    start: pd.Timestamp
    end: pd.Timestamp
    due: int
    renewed: int
    due_mrr: float
    renewed_mrr: float
    open: int
    open_mrr: float
    revenue_rate: float
    logo_rate: float
    revenue_interval: tuple[float, float]
    logo_interval: tuple[float, float]

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The rates by revenue and by logo as estimates; without value where nothing is decided."""
        revenue, logo, n = "renewal_rate_revenue", "renewal_rate_logo", self.due
        if not n or not self.due_mrr:
            why = f"no renewal due from {periods.window_words(self.start, self.end)} is decided"
            return tuple(Estimate(key, None, None, None, n, reason=why) for key in (revenue, logo))
        return (
            Estimate(revenue, self.revenue_rate, self.renewed_mrr, self.due_mrr, n, *self.revenue_interval),
            Estimate(logo, self.logo_rate, self.renewed, n, n, *self.logo_interval),
        )


def renewal_rate(renewals: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> RenewalRate:
    """Renewed / due, over renewals due in [start, end) that are decided.

        revenue = sum(min(renewed_mrr, target_mrr)) / sum(target_mrr);  logo = renewed at any price / due

    ``renewals``: account_id, due_date, target_mrr, renewed_mrr. A missing renewed_mrr is an open renewal:
    counted apart, neither lost nor won; 0 is lost. NaN rates where nothing is decided.
    Source: see definitions "renewal_rate_revenue" and "renewal_rate_logo".

    Example:
        >>> start, end = cs.retention.window(tables)
        >>> round(cs.retention.renewal_rate(cs.retention.company_renewals(tables), start, end).logo_rate, 3)
        0.832
    """
    due = renewals[(renewals["due_date"] >= start) & (renewals["due_date"] < end)]
    is_open = due["renewed_mrr"].isna()
    decided, still_open = due[~is_open], due[is_open]
    aim = decided["target_mrr"]
    kept = decided["renewed_mrr"].clip(upper=aim)
    renewed = int((decided["renewed_mrr"] > 0).sum())
    n, total = len(decided), float(aim.sum())
    return RenewalRate(
        start,
        end,
        due=n,
        renewed=renewed,
        due_mrr=total,
        renewed_mrr=float(kept.sum()),
        open=len(still_open),
        open_mrr=float(still_open["target_mrr"].sum()),
        revenue_rate=float(kept.sum() / total) if total else float("nan"),
        logo_rate=renewed / n if n else float("nan"),
        revenue_interval=stats.kept_share_interval(kept, aim),
        logo_interval=stats.wilson_interval(renewed, n),
    )


@dataclass(frozen=True, repr=False)
class RenewalRates(Result):
    """Renewal rates by revenue and by logo, each against the window before and its target. Money in ``currency``.

    ``derived``: the source records no renewal, and due dates follow from contract terms.
    """

    now: RenewalRate
    before: RenewalRate
    comparisons: tuple[Comparison, ...]
    derived: bool
    currency: str = ""


def renewals_compared(
    due: pd.DataFrame, as_of: pd.Timestamp, months: int = 12, goals: pd.DataFrame | None = None, currency: str = ""
) -> RenewalRates:
    """Renewal rates of the ``months`` before ``as_of`` against the ``months`` before those, with their targets.

    ``due`` as from ``renewals_of``, or the contract's table.
    """
    mid, start = periods.add_months(as_of, -months), periods.add_months(as_of, -2 * months)
    now, before = renewal_rate(due, mid, as_of), renewal_rate(due, start, mid)
    words = periods.window_words(mid, as_of), periods.window_words(start, mid)
    comparisons = tuple(
        Comparison(each, earlier, stats.compare(each, earlier), *words, target=target(each, goals, as_of))
        for each, earlier in zip(now.estimates, before.estimates, strict=True)
    )
    derived = "recorded" in due and len(due) > 0 and not due["recorded"].any()
    return RenewalRates(now, before, comparisons, derived, currency)
