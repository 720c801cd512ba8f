"""Repeat purchases: the share of buying accounts that buy more than once inside a stated window."""

from __future__ import annotations

import pandas as pd

from cs_helpers.core import stats
from cs_helpers.core.estimates import Estimate
from cs_helpers.retention.mrr import GAINS


def purchases(panel: pd.DataFrame, renewals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every purchase of every account, one row each: account_id, date.

    A purchase is a month in which the account started, came back or bought more (columns new, reactivation and
    expansion of ``panel``, the roll-up ``account_month``), or a renewal with a renewed amount above 0 (``renewals``,
    the contract's table). A price period that continues is no purchase.

    Example:
        >>> bought = cs.retention.purchases(tables.account_months(), tables.renewals)
        >>> list(bought.columns)
        ['account_id', 'date']
    """
    bought = panel.loc[panel[GAINS].sum(axis=1) > 0, ["account_id", "month"]].rename(columns={"month": "date"})
    if renewals is None or renewals.empty:
        return bought.reset_index(drop=True)
    agreed = renewals.loc[renewals["renewed_mrr"] > 0, ["account_id", "due_date"]].rename(columns={"due_date": "date"})
    return pd.concat([bought, agreed], ignore_index=True)


def repeat_purchase_rate(bought: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Estimate:
    """Customers with at least two purchases in [start, end) / customers with at least one, with Wilson's interval.

    ``bought``: account_id, date; one row per purchase. Accounts that bought nothing in the window do not count.
    No value where no account bought anything. Source: see definitions "repeat_purchase_rate".

    Example:
        >>> bought = cs.retention.purchases(tables.account_months(), tables.renewals)
        >>> rate = cs.retention.repeat_purchase_rate(bought, *cs.retention.window(tables))
        >>> rate.numerator, rate.n
        (135, 419)
    """
    inside = bought[(bought["date"] >= start) & (bought["date"] < end)]
    times = inside["account_id"].value_counts()
    n, again = len(times), int((times >= 2).sum())
    if n == 0:
        return Estimate("repeat_purchase_rate", None, None, None, 0, reason="nobody bought anything in this window")
    return Estimate("repeat_purchase_rate", again / n, again, n, n, *stats.wilson_interval(again, n))
