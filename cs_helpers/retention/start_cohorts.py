"""Start cohorts: the share of the accounts won in one quarter or month that still pays at each age."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers.core import stats
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Result, Suppressed


@dataclass(frozen=True, eq=False, repr=False)
class CohortTriangle(Result):
    """Share of each start cohort kept at each age.

    ``shares``: one row per cohort (its first month), one column per age in months, fractions, NaN where the cohort's
    youngest account has not reached that age. ``accounts`` and ``starting_mrr`` (in currency) are the denominators.
    ``left_out`` accounts started before the data did and are not in the triangle. ``value`` is logo or revenue; ``by``
    is quarter or month. ``by_revenue`` is the triangle of the same cohorts by MRR, shown in the same section.
    """

    shares: pd.DataFrame
    accounts: pd.Series
    starting_mrr: pd.Series
    left_out: int
    value: str
    by: str
    by_revenue: CohortTriangle | None = None

    def pooled(self, age_months: int) -> Estimate:
        """All cohorts seen at that age as one: accounts kept / started, or MRR then / first MRR (without interval)."""
        seen = self.shares[age_months].dropna() if age_months in self.shares else pd.Series(dtype=float)
        n = int(self.accounts.reindex(seen.index).sum())
        if n == 0:
            reason = f"no cohort has reached {age_months} months inside the data"
            return Estimate("cohort_retention", None, None, None, 0, reason=reason)
        if self.value == "revenue":
            base = self.starting_mrr.reindex(seen.index)
            kept_mrr, first = float((seen * base).sum()), float(base.sum())
            return Estimate("cohort_retention", kept_mrr / first, kept_mrr, first, n)
        kept = round(float((seen * self.accounts.reindex(seen.index)).sum()))
        return Estimate("cohort_retention", kept / n, kept, n, n, *stats.wilson_interval(kept, n))


def cohort_triangle(cohorts: pd.DataFrame, value: str = "logo") -> CohortTriangle | Suppressed:
    """Share of each start cohort that still pays k months after its own start.

        logo:    accounts paying at age k / all accounts of the cohort
        revenue: their MRR at age k / their MRR on their first paid day

    ``cohorts`` is the roll-up of that name: age counts from each account's own first paid day, and a cell that the
    whole cohort had not reached is absent, so empty here, never 0. Accounts that started before the data did are
    survivors only; they are counted in ``left_out``. Suppressed where no cohort started inside the data. Raises
    ValueError for another ``value``. Source: see definitions "cohort_retention".

    Example:
        >>> observed = {"observed_from": tables.observed_from, "as_of": tables.as_of}
        >>> triangle = cs.retention.cohort_triangle(tables.rollup("cohorts", **observed))
        >>> round(triangle.pooled(12).value, 2)
        0.81
    """
    if value not in ("logo", "revenue"):
        raise ValueError(f"value={value!r}: value is logo or revenue")
    by = "month" if len(cohorts) and cohorts["cohort_months"].iloc[0] == 1 else "quarter"
    early = cohorts["cohort"].isna()
    left_out = int(cohorts.loc[early, "accounts"].sum())
    cells = cohorts[~early].astype({"age_months": "int64", "alive": "int64", "mrr": "int64"})
    if cells.empty:
        earlier = f"; the {left_out:,} that started earlier are survivors only" if left_out else ""
        return Suppressed(f"no start cohort lies wholly inside the data{earlier}")
    kept, base = ("alive", "accounts") if value == "logo" else ("mrr", "starting")
    shares = cells.assign(share=cells[kept] / cells[base]).pivot(index="cohort", columns="age_months", values="share")
    bases = cells.groupby("cohort")[["accounts", "starting"]].first()
    return CohortTriangle(shares, bases["accounts"], bases["starting"] / 100, left_out, value, by)
