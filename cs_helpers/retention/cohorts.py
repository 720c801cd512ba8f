"""Start cohorts by age."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers.core import stats
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Record


@dataclass(frozen=True, eq=False, repr=False)
class CohortTriangle(Record):
    """Share of each start cohort kept at each age.

    ``table``: one row per cohort (its first month), one column per age in months, fractions, NaN where
    the cohort's youngest account has not reached that age. ``accounts`` and ``starting_mrr`` are the
    denominators. ``left_out`` accounts started before the data did and are not in the table.
    """

    table: pd.DataFrame
    accounts: pd.Series
    starting_mrr: pd.Series
    left_out: int
    value: str
    by: str

    @property
    def refusal(self) -> str:
        """Why there is nothing to show; empty where there is."""
        if not self.table.empty:
            return ""
        earlier = f"; the {self.left_out:,} that started earlier are survivors only" if self.left_out else ""
        return f"no start cohort lies wholly inside the data{earlier}"

    def pooled(self, age_months: int) -> Estimate:
        """All cohorts seen at that age as one: accounts kept / started, or MRR then / first MRR (without interval)."""
        seen = self.table[age_months].dropna() if age_months in self.table else pd.Series(dtype=float)
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


def cohort_triangle(cohorts: pd.DataFrame, value: str = "logo") -> CohortTriangle:
    """Share of each start cohort that still pays k months after its own start.

        logo:    accounts paying at age k / all accounts of the cohort
        revenue: their MRR at age k / their MRR on their first paid day

    ``cohorts`` is the roll-up of that name: age counts from each account's own first paid day, and a cell that the
    whole cohort had not reached is absent, so empty here, never 0. Accounts that started before the data did are
    survivors only; they are counted in ``left_out``. Raises ValueError for another ``value``.
    """
    if value not in ("logo", "revenue"):
        raise ValueError(f"value={value!r}: value is logo or revenue")
    by = "month" if len(cohorts) and cohorts["cohort_months"].iloc[0] == 1 else "quarter"
    early = cohorts["cohort"].isna()
    left_out = int(cohorts.loc[early, "accounts"].sum())
    cells = cohorts[~early].astype({"age_months": "int64", "alive": "int64", "mrr": "int64"})
    if cells.empty:
        none = pd.Series(dtype=float)
        return CohortTriangle(pd.DataFrame(), none, none, left_out, value, by)
    kept, base = ("alive", "accounts") if value == "logo" else ("mrr", "starting")
    table = cells.assign(share=cells[kept] / cells[base]).pivot(index="cohort", columns="age_months", values="share")
    bases = cells.groupby("cohort")[["accounts", "starting"]].first()
    return CohortTriangle(table, bases["accounts"], bases["starting"] / 100, left_out, value, by)
