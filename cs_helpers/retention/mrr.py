"""MRR movements and what follows from them: revenue won, grown, regained, reduced and lost, to the cent."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Result

Month = pd.Timestamp | str
"""A month as its first day, or as text such as 2026-07-01; windows [start, end) begin and end on one."""

GAINS = ["new", "expansion", "reactivation"]
LOSSES = ["contraction", "churn"]
MOVEMENTS = [*GAINS, *LOSSES]


@dataclass(frozen=True, eq=False, repr=False)
class Movements(Result):
    """Where the change in MRR of one window came from.

    ``by_month`` as from ``mrr_movements``, money per month in ``currency``; ``window`` in words; ``years`` as from
    ``year_by_year``; ``quick_ratio`` and ``repeat_purchases`` cover the same window.
    """

    by_month: pd.DataFrame
    window: str
    years: pd.DataFrame
    quick_ratio: Estimate
    repeat_purchases: Estimate
    currency: str

    @property
    def total(self) -> pd.Series:
        """Starting MRR, each movement summed over the window, and ending MRR."""
        return total_movements(self.by_month)


def unloaded(absent: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp) -> str:
    """The message about months without any row in a panel that reaches from ``first`` to ``last``."""
    covers = f"{first:%Y-%m} to {last:%Y-%m}" if first == first else "no month"
    more = f" and {len(absent) - 5} more months" if len(absent) > 5 else ""
    return (
        f"subscriptions: no account paid anything in {', '.join(f'{m:%Y-%m}' for m in absent[:5])}{more}; "
        f"the table covers {covers}. A month that was never loaded is not a month in which everybody left: "
        "choose a window inside that range, or load the missing months."
    )


def months_inside(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Rows of [start, end); raises ContractError if any of its months has no row at all."""
    inside = panel[(panel["month"] >= start) & (panel["month"] < end)]
    absent = periods.month_starts(start, end).difference(pd.DatetimeIndex(inside["month"].unique()))
    if len(absent):
        raise ContractError(unloaded(absent, panel["month"].min(), panel["month"].max()))
    return inside


def mrr_movements(panel: pd.DataFrame, start: Month, end: Month) -> pd.DataFrame:
    """MRR movements by month of [start, end).

        starting + new + expansion + reactivation - contraction - churn = ending, to the cent

    ``panel`` is the roll-up ``account_month``, or ``movements``, its sums. Every account counts. Index: month; columns
    starting, the five movements, ending; money per month, all movements positive. Raises ContractError for a month
    without any row: a month that was never loaded is not a month without movements.
    Source: see definitions "mrr_movements".

    Example:
        >>> panel = tables.account_months()
        >>> months = cs.retention.mrr_movements(panel, "2026-01-01", "2026-07-01")
        >>> round(months["churn"].sum())
        113863
    """
    inside = months_inside(panel, *periods.window(start, end))
    names = {"opening": "starting", "closing": "ending"}
    return inside.groupby("month")[["opening", *MOVEMENTS, "closing"]].sum().rename(columns=names) / 100


def total_movements(movements: pd.DataFrame) -> pd.Series:
    """The rows of ``mrr_movements`` as one: first starting MRR, summed movements, last ending MRR."""
    first, last = movements["starting"].iloc[0], movements["ending"].iloc[-1]
    return pd.Series({"starting": first, **movements[MOVEMENTS].sum().round(2), "ending": last})


def quick_ratio(movements: pd.DataFrame) -> Estimate:
    """(new + expansion + reactivation) / (contraction + churn) over all rows; no value without any loss.

    Example:
        >>> months = cs.retention.mrr_movements(tables.account_months(), "2026-01-01", "2026-07-01")
        >>> round(cs.retention.quick_ratio(months).value, 2)
        2.5
    """
    total = total_movements(movements)
    gains, losses = float(total[GAINS].sum()), float(total[LOSSES].sum())
    if losses == 0:
        return Estimate("quick_ratio", None, gains, 0.0, 0, reason="nothing was lost in this window")
    return Estimate("quick_ratio", gains / losses, gains, losses, 0)


def purchases(panel: pd.DataFrame, renewals: pd.DataFrame) -> pd.DataFrame:
    """Every purchase of every account, one row each: account_id, date.

    A purchase is a month in which the account started, came back or bought more (``panel``, the roll-up
    ``account_month``), or a renewal with a renewed amount above 0 (``renewals``, the contract's table). A price period
    that continues is no purchase.
    """
    bought = panel.loc[panel[GAINS].sum(axis=1) > 0, ["account_id", "month"]].rename(columns={"month": "date"})
    agreed = renewals.loc[renewals["renewed_mrr"] > 0, ["account_id", "due_date"]].rename(columns={"due_date": "date"})
    return pd.concat([bought, agreed], ignore_index=True) if len(agreed) else bought


def repeat_purchase_rate(bought: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Estimate:
    """Customers with at least two purchases in [start, end) / customers with at least one, with Wilson's interval.

    ``bought``: account_id, date; one row per purchase. Accounts that bought nothing in the window do not count.
    No value where no account bought anything. Source: see definitions "repeat_purchase_rate".

    Example:
        >>> orders = tables.renewals.rename(columns={"due_date": "date"})
        >>> rate = cs.retention.repeat_purchase_rate(orders, *cs.retention.window(tables, months=24))
        >>> rate.numerator, rate.n
        (231, 327)
    """
    inside = bought[(bought["date"] >= start) & (bought["date"] < end)]
    times = inside["account_id"].value_counts()
    n, again = len(times), int((times >= 2).sum())
    if n == 0:
        return Estimate("repeat_purchase_rate", None, None, None, 0, reason="nobody bought anything in this window")
    return Estimate("repeat_purchase_rate", again / n, again, n, n, *stats.wilson_interval(again, n))
