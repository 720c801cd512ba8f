"""Retention under other definitions: why the figures of another team or vendor differ."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.results import Result
from cs_helpers.retention.mrr import GAINS, LOSSES, MOVEMENTS, Month, months_inside
from cs_helpers.retention.renewal_rates import renewal_rate
from cs_helpers.retention.windows import cohort_of, logo_retention, monthly_mrr, revenue_retention


@dataclass(frozen=True, eq=False, repr=False)
class Reconciliation(Result):
    """The same accounts and months under other definitions of the same metrics.

    ``rows``: one per metric and definition, with metric (its key), definition, used (whether this project uses it),
    value, numerator, denominator (money in ``currency``, or accounts) and why it differs. ``window`` in words.
    """

    rows: pd.DataFrame
    window: str
    currency: str = ""


def reconcile(
    panel: pd.DataFrame, start: Month, end: Month, renewals: pd.DataFrame | None = None, currency: str = ""
) -> Reconciliation:
    """Movements, GRR, NRR, logo churn and renewal rates of [start, end), each under its rival definitions.

    ``panel`` is the roll-up ``account_month``. Every ratio comes with numerator and denominator, so that another team's
    figure can be found among them. Rows on renewals appear only where ``renewals`` (account_id, due_date, target_mrr,
    renewed_mrr) are given. Raises ContractError as ``revenue_retention`` does.

    Example:
        >>> rows = cs.retention.reconcile(tables.account_months(), *cs.retention.window(tables)).rows
        >>> rows[rows["metric"] == "grr"]["value"].round(3).tolist()
        [0.863, 0.845, 0.842]
    """
    start, end = periods.window(start, end)
    inside = months_inside(panel, start, end)
    revenue, logos = revenue_retention(panel, start, end), logo_retention(panel, start, end)
    of_cohort = inside[inside["account_id"].isin(cohort_of(monthly_mrr(inside), start, end).index)]
    every, own = inside[MOVEMENTS].sum() / 100, of_cohort[MOVEMENTS].sum() / 100
    base, x = revenue.starting_mrr, logos.starting_accounts
    left = int((of_cohort.groupby("account_id")["churn"].sum() > 0).sum())
    gains, losses = every[GAINS].sum(), every[LOSSES].sum()
    rows = [
        ("grr", "point to point, opening cohort", True, revenue.retained_mrr, base, ""),
        ("grr", "movements, opening cohort", False, base - own[LOSSES].sum(), base,
         "counts every loss, also of accounts that recovered or came back"),
        ("grr", "movements, all accounts", False, base - losses, base,
         "also counts losses of accounts won after the start, over the opening MRR"),
        ("nrr", "point to point, opening cohort", True, revenue.ending_mrr, base, ""),
        ("nrr", "movements without reactivation", False, base + own["expansion"] - own[LOSSES].sum(), base,
         "an account that came back stays lost"),
        ("nrr", "net renewal rate on the due base", False, *_net_renewal(renewals, start, end),
         "only what was due counts, expansion at renewal included, and growth between renewals left out"),
        ("mrr_movements", "new, as booked", True, every["new"], base, ""),
        ("mrr_movements", "new, returns after 90 days included", False, every["new"] + _late_returns(panel, start, end),
         base, "an account that comes back after more than about 90 days is called new"),
        ("mrr_movements", "new, stays under one month ignored", False, every["new"] - _come_and_gone(inside), base,
         "an account that arrives and leaves within one calendar month never shows"),
        ("logo_churn", "not paying at the end", True, x - logos.kept_accounts, x, ""),
        ("logo_churn", "by event", False, left, x, "an account that left and came back still counts as churned"),
        ("logo_churn", "start minus end", False, x - logos.closing_accounts, x, "new accounts hide those that left"),
        ("quick_ratio", "with reactivation", True, gains, losses, ""),
        ("quick_ratio", "without reactivation", False, gains - every["reactivation"], losses,
         "a return is not counted as growth"),
    ]  # fmt: skip
    if renewals is not None and len(renewals):
        rate = renewal_rate(renewals, start, end)
        why = "only what was due in the window counts, so whoever was not due is left out"
        rows += [
            ("renewal_rate_revenue", "renewed / due", True, rate.renewed_mrr, rate.due_mrr, why),
            ("renewal_rate_logo", "renewed / due", True, rate.renewed, rate.due, why),
        ]
    table = pd.DataFrame(rows, columns=["metric", "definition", "used", "numerator", "denominator", "why"])
    table["value"] = table["numerator"] / table["denominator"].where(table["denominator"] != 0)
    table = table[table["denominator"].notna()].reset_index(drop=True)
    table = table[["metric", "definition", "used", "value", "numerator", "denominator", "why"]]
    return Reconciliation(table, periods.window_words(start, end), currency)


def _net_renewal(renewals: pd.DataFrame | None, start: pd.Timestamp, end: pd.Timestamp) -> tuple[float, float]:
    if renewals is None or renewals.empty:
        return (float("nan"), float("nan"))
    inside = (renewals["due_date"] >= start) & (renewals["due_date"] < end) & renewals["renewed_mrr"].notna()
    due = renewals[inside]
    return (float(due["renewed_mrr"].sum()), float(due["target_mrr"].sum()))


def _late_returns(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Reactivations more than three months after the account last left; before the panel counts as long ago."""
    back = panel.loc[(panel["reactivation"] > 0) & (panel["month"] >= start) & (panel["month"] < end)]
    back = back[["account_id", "month", "reactivation"]].sort_values("month", kind="stable")
    left = panel.loc[panel["churn"] > 0, ["account_id", "month"]].assign(left=lambda d: d["month"])
    found = pd.merge_asof(back, left.sort_values("month", kind="stable"), on="month", by="account_id")
    away = periods.month_index(found["month"]) - periods.month_index(found["left"].fillna(pd.Timestamp(0)))
    return float(found.loc[away > 3, "reactivation"].sum() / 100)


def _come_and_gone(inside: pd.DataFrame) -> float:
    """MRR of accounts that came for the first time and were gone within one calendar month."""
    gone = (inside["new"] > 0) & (inside["closing"] == 0)
    return float(inside.loc[gone, "new"].sum() / 100)
