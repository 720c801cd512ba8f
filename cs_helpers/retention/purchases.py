"""Who buys again: repeat purchases inside a stated window."""

from __future__ import annotations

import pandas as pd

from cs_helpers.core import stats
from cs_helpers.core.estimates import Estimate
from cs_helpers.retention.movements import GAINS


def purchases(panel: pd.DataFrame, renewals: pd.DataFrame | None = None) -> pd.DataFrame:
    """What counts as a purchase of an account: account_id, date.

    A month in which it started, came back or bought more (``account_month``: new, reactivation, expansion), and a
    renewal it agreed to (the contract's ``renewals`` with a renewed amount above 0). A price period that merely goes on
    is none.
    """
    bought = panel.loc[panel[GAINS].sum(axis=1) > 0, ["account_id", "month"]].rename(columns={"month": "date"})
    if renewals is None or renewals.empty:
        return bought.reset_index(drop=True)
    agreed = renewals.loc[renewals["renewed_mrr"] > 0, ["account_id", "due_date"]].rename(columns={"due_date": "date"})
    return pd.concat([bought, agreed], ignore_index=True)


def repeat_purchase_rate(bought: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Estimate:
    """Customers with at least two purchases in [start, end) / customers with at least one, with Wilson's interval.

    ``bought``: account_id, date; one row per purchase. Whoever bought nothing in the window does not count.
    No value where nobody bought. Source: see definitions "repeat_purchase_rate".
    """
    inside = bought[(bought["date"] >= start) & (bought["date"] < end)]
    times = inside["account_id"].value_counts()
    n, again = len(times), int((times >= 2).sum())
    if n == 0:
        return Estimate("repeat_purchase_rate", None, None, None, 0, reason="nobody bought anything in this window")
    return Estimate("repeat_purchase_rate", again / n, again, n, n, *stats.wilson_interval(again, n))
