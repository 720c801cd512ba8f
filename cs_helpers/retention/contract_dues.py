"""Renewals that contract terms imply, for a source that does not record all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cs_helpers.core import periods

DUE_COLUMNS = {
    "account_id": "str", "due_date": "datetime64[us]", "target_mrr": "float64", "renewed_mrr": "float64",
    "decided_date": "datetime64[us]",
}  # fmt: skip
SAME_RENEWAL_DAYS = 45
"""A contract anniversary this near to a recorded due date is the same renewal, moved."""
MIN_TERM_MONTHS = 2
"""A contract with a shorter term simply continues; it does not come up for renewal."""


def due_renewals(
    subscriptions: pd.DataFrame,
    paid: pd.DataFrame,
    observed_from: pd.Timestamp,
    as_of: pd.Timestamp,
    horizon_months: int = 12,
) -> pd.DataFrame:
    """Contract anniversaries as renewals, for a source without a table of them.

    ``subscriptions`` (account_id, start_date, term_months) say how long contracts run; ``paid`` is the roll-up
    ``paid_periods``. A contract begins with unbroken paid time and is due every term_months after that, from
    ``observed_from`` to ``horizon_months`` beyond ``as_of`` while the account pays. target_mrr is what it paid on the
    eve of the due date (today, for dates to come), renewed_mrr what it paid on that day; missing at or after ``as_of``.
    Terms below two months are no renewals, and an account whose term is not recorded has none. Columns as
    ``DUE_COLUMNS``, money in currency, decided on the due date.

    Example:
        >>> paid = tables.rollup("paid_periods")
        >>> dues = cs.retention.due_renewals(tables.subscriptions, paid, tables.observed_from, tables.as_of)
        >>> list(dues.columns)
        ['account_id', 'due_date', 'target_mrr', 'renewed_mrr', 'decided_date']
    """
    none = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in DUE_COLUMNS.items()})
    if "term_months" not in subscriptions or subscriptions["term_months"].isna().all() or paid.empty:
        return none
    until = periods.add_months(as_of, horizon_months)
    due = _anniversaries(_contracts(subscriptions, paid), until)
    due = due[(due["due_date"] >= observed_from) & (due["due_date"] < until)].reset_index(drop=True)
    if due.empty:
        return none
    eve = due["due_date"].where(due["due_date"] < as_of, as_of) - pd.Timedelta(days=1)
    due["target_mrr"] = _paid_on(paid, due["account_id"], eve)
    due["renewed_mrr"] = _paid_on(paid, due["account_id"], due["due_date"]).where(due["due_date"] < as_of)
    due["decided_date"] = due["due_date"].where(due["due_date"] < as_of)
    return due.sort_values(["due_date", "account_id"], ignore_index=True)


def _contracts(subscriptions: pd.DataFrame, paid: pd.DataFrame) -> pd.DataFrame:
    """Unbroken paid time per account, with the term of the subscription it began with."""
    ordered = paid.sort_values(["account_id", "start_date"], kind="stable")
    begins = ordered["end_date"].groupby(ordered["account_id"]).shift().ne(ordered["start_date"])
    first, last = ordered[begins], ordered[begins.shift(-1, fill_value=True)]
    contracts = first[["account_id", "start_date"]].assign(end_date=last["end_date"].to_numpy())
    terms = subscriptions.dropna(subset=["term_months"]).sort_values(["start_date", "term_months"], kind="stable")
    terms = terms[["account_id", "start_date", "term_months"]].rename(columns={"term_months": "term"})
    contracts = pd.merge_asof(
        contracts.sort_values("start_date", kind="stable"), terms, on="start_date", by="account_id"
    )
    return contracts[contracts["term"] >= MIN_TERM_MONTHS]


def _anniversaries(contracts: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Every anniversary of each contract up to its end or ``until``: account_id, due_date."""
    last = contracts["end_date"].fillna(until)
    last = last.where(last < until, until)
    months = periods.months_between(contracts["start_date"], last)
    each = contracts.loc[contracts.index.repeat((months / contracts["term"]).clip(lower=0).astype("int64"))]
    number = each.groupby(level=0).cumcount() + 1
    index = periods.month_index(each["start_date"]) + (number * each["term"]).astype("int64")
    month = (index.to_numpy("int64") - 1970 * 12).astype("datetime64[M]")
    first, following = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    day = np.minimum(each["start_date"].dt.day.to_numpy("int64"), (following - first).astype("int64"))
    due = (first + (day - 1)).astype("datetime64[us]")
    return pd.DataFrame({"account_id": each["account_id"].to_numpy(), "due_date": due})


def _paid_on(paid: pd.DataFrame, accounts: pd.Series, days: pd.Series) -> pd.Series:
    """What each account paid on a day, in currency; 0 where nothing."""
    asked = pd.DataFrame({"account_id": accounts, "day": days.astype("datetime64[us]")})
    asked = asked.sort_values("day", kind="stable")
    prices = paid[["account_id", "end_date", "mrr_cents"]].assign(day=paid["start_date"].astype("datetime64[us]"))
    found = pd.merge_asof(asked, prices.sort_values("day", kind="stable"), on="day", by="account_id")
    found = found.set_axis(asked.index)
    running = found["end_date"].isna() | (found["end_date"] > found["day"])
    return (found["mrr_cents"].where(running).fillna(0) / 100).astype(float).reindex(accounts.index)


def renewals_of(recorded: pd.DataFrame, derived: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """All renewals of a source: recorded ones and the contract anniversaries to come, or anniversaries alone.

    ``recorded`` is the contract's table, ``derived`` as from ``due_renewals``. Past anniversaries count only without
    any record. An anniversary within 45 days of a recorded due date of the same account is that renewal and not counted
    again. Columns ``DUE_COLUMNS``, and ``recorded``, whether the source records the renewal.

    Example:
        >>> paid = tables.rollup("paid_periods")
        >>> dues = cs.retention.due_renewals(tables.subscriptions, paid, tables.observed_from, tables.as_of)
        >>> both = cs.retention.renewals_of(tables.renewals, dues, tables.as_of)
        >>> int(both["recorded"].sum()) == len(tables.renewals)
        True
    """
    if recorded.empty:
        return derived.assign(recorded=False)
    known = recorded.reindex(columns=list(DUE_COLUMNS)).assign(recorded=True)
    known["decided_date"] = pd.to_datetime(known["decided_date"])  # a source may not record it
    coming = derived[derived["due_date"] >= as_of]
    pairs = coming.reset_index().merge(known[["account_id", "due_date"]], on="account_id", suffixes=("", "_known"))
    near = (pairs["due_date"] - pairs["due_date_known"]).abs() <= pd.Timedelta(days=SAME_RENEWAL_DAYS)
    new = coming[~coming.index.isin(pairs.loc[near, "index"])].assign(recorded=False)
    return pd.concat([known, new], ignore_index=True) if len(new) else known
