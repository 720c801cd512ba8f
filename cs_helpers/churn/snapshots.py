"""The table a risk model learns from: accounts at past month starts, what was known of each, and who then left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.churn.account_base import (
    MIN_MONTHS_AHEAD,
    AccountBase,
    account_base_of,
    first_day,
    month_number,
    spell_ends,
)
from cs_helpers.churn.snapshot_features import (
    Contracts,
    Source,
    assigned,
    attributes_of,
    contracts_of,
    joined,
    paying_source,
    signalled,
    used,
)
from cs_helpers.core import periods
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record

__all__ = ["HORIZON_MONTHS", "Snapshots", "risk_snapshots", "spell_ends"]

HORIZON_MONTHS = 3
"""Length of the outcome window, and how far snapshots lie apart."""


@dataclass(frozen=True, eq=False, repr=False)
class Snapshots(Record):
    """Accounts as they were known at month starts; see ``risk_snapshots``.

    ``table``: one row per labelled snapshot and account: account_id, snapshot, churned, mrr (currency per month),
    due_date (the next contract anniversary; NaT for monthly terms and where no term is recorded), then ``features``.
    ``now`` and ``before``: the same without churned, at ``as_of`` and a month earlier. ``notice``: account_id,
    notice_date, mrr of those that pay on the eve of ``as_of`` and have given notice. ``excluded``: who is not in
    ``table`` though paying, over all its snapshots: gave_notice before it, or else left_during_lead.
    """

    table: pd.DataFrame
    features: tuple[str, ...]
    now: pd.DataFrame
    before: pd.DataFrame
    notice: pd.DataFrame
    lead_months: int
    horizon_months: int
    as_of: pd.Timestamp
    excluded: dict[str, int]


def risk_snapshots(
    panel: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    as_of: Any,
    subscriptions: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    outcome_columns: Sequence[str] = (),
    usage: pd.DataFrame | Sequence[pd.DataFrame] | None = None,
    signals: pd.DataFrame | None = None,
    assignments: pd.DataFrame | None = None,
    lead_months: int = 1,
    horizon_months: int = HORIZON_MONTHS,
    most_snapshots: int = 12,
    most_rows: int = 60_000,
) -> Snapshots:
    """What was known of every paying account at past month starts s, and whether it left in the outcome window.

        churned = its paid spell ends in [s + lead, s + lead + horizon); an end is the first day no longer paid

    ``panel`` is the roll-up account_month, ``spells`` spells, ``usage`` usage_features(dense=True) of every month up
    to ``as_of``, ``signals`` account_signals; ``subscriptions``, ``accounts`` and ``assignments`` are tables of the
    contract. Snapshots are ``as_of`` - lead - horizon and every horizon before it, so that outcome windows never
    overlap; at most ``most_snapshots``, none in the panel's first three months. ``as_of`` counts as the first of its
    month and is not seen any more.

    Who counts: accounts paying on the eve of s that still pay on the eve of s + lead and have not given notice before
    s. Notice is given when every paid subscription running on the eve has a notice_date before s. ``now`` and
    ``before`` ask for no later paying. A return after a gap is a new spell.

    The latest labelled snapshot holds everybody. The earlier ones, in a base where they would have more than
    ``most_rows`` rows together, hold a sample of the accounts, the same in each.

    Features rest on what happened before s. Those of a table that is not given, empty, or lacks the column are absent.

    - log_mrr; tenure_months: age of the spell; reactivated: not the first spell seen; mrr_change_6m: log ratio of MRR
      against six months earlier, or the panel's first month; 0 where the spell is younger; contracted_6m: whether MRR
      fell without ending in that time.
    - Of the largest subscription running on the eve: term_months, discount_rate; months_to_due: until the next multiple
      of the term since the spell began, that day s itself included; due_in_window: whether one lies in the outcome
      window. Both are 0 for monthly terms. NaN where nothing is recorded.
    - usage_28: log(1 + events), usage_trend: log((events_28 + 1) / (events_90 x 28 / 90 + 1)), active_days_28,
      users_28. NaN where the account has no row for the month or usage was not recorded then.
    - tickets_90: log(1 + tickets opened in the three months), escalated_90, touches_90: numbers; qbr_180: whether there
      was a business review in six months. NaN where the whole base has none of its kind (of tickets, for escalated_90)
      in that time: not recorded then. csat_90: mean answer of three months, nps_last: of six; NaN without an answer,
      which csat_missing and nps_missing mark.
    - covered: whether an assignment, of any role, runs on the eve; vacant: whether one did earlier but none then.
    - ``account: <name>``: attributes of the account, text with 2 to 20 distinct values as text, and numbers. They are
      today's values, whatever the snapshot; ``outcome_columns``, account_id, name and dates are left out.

    Raises ContractError if a table lacks a needed column, the panel has fewer than lead + horizon + 6 months before
    ``as_of`` or ends before it, or panel and spells disagree; ParameterError for numbers of months that make no sense.
    """
    for name, value, least in (
        ("lead_months", lead_months, 0), ("horizon_months", horizon_months, 1), ("most_snapshots", most_snapshots, 1)
    ):  # fmt: skip
        if value < least:
            raise ParameterError(f"{name} = {value}: give a whole number from {least} on.")
    day = periods.month(as_of)
    end = month_number(day)
    base = account_base_of(panel, spells, end, lead_months + horizon_months)
    contracts = contracts_of(subscriptions, base)
    sources = [
        source
        for source in (
            paying_source(base),
            contracts.source(base, lead_months, horizon_months) if contracts else None,
            used(joined(usage), base),
            signalled(signals, base),
            assigned(assignments, base),
        )
        if source is not None
    ]
    attributes = attributes_of(accounts, base, outcome_columns)
    latest = end - lead_months - horizon_months
    earliest = max(base.first + MIN_MONTHS_AHEAD, latest - (most_snapshots - 1) * horizon_months)
    found, excluded = [], {"left_during_lead": 0, "gave_notice": 0}
    months = list(reversed(range(latest, earliest - 1, -horizon_months)))
    sampled = _sample(base, months[:-1], most_rows)
    for month in months:
        paying = base.mrr(month) > 0
        ends = base.ends(month)
        noticed = paying & (contracts.noticed(month)[0] if contracts else False)
        gone = paying & ~noticed & (ends < first_day(month + lead_months))
        excluded["gave_notice"] += int(noticed.sum())
        excluded["left_during_lead"] += int(gone.sum())
        label = ends < first_day(month + lead_months + horizon_months)
        chosen = paying & ~noticed & ~gone & (sampled | (month == latest))
        found.append(_rows(base, sources, attributes, month, chosen, label))
    present = []
    for month in (end, end - 1):
        paying = base.mrr(month) > 0
        noticed = contracts.noticed(month)[0] if contracts else np.zeros(len(paying), bool)
        present.append(_rows(base, sources, attributes, month, paying & ~noticed))
    table = pd.concat(found, ignore_index=True)
    return Snapshots(
        table=table,
        features=tuple(table.columns[5:]),
        now=present[0],
        before=present[1],
        notice=_notice(base, contracts, end),
        lead_months=lead_months,
        horizon_months=horizon_months,
        as_of=day,
        excluded=excluded,
    )


def _sample(base: AccountBase, months: Sequence[int], most: int) -> np.ndarray:
    """Which accounts count in ``months``: all, or so many that about ``most`` rows remain."""
    rows = sum(int((base.mrr(month) > 0).sum()) for month in months)
    if rows <= most:
        return np.ones(len(base.ids), dtype=bool)
    ids = np.asarray(base.ids.astype(str).astype(object), dtype=object)
    place = pd.util.hash_array(ids, hash_key="enough rows here").astype(float) / 2.0**64
    return np.asarray(place < most / rows)


def _rows(
    base: AccountBase,
    sources: Sequence[Source],
    attributes: dict[str, pd.Series],
    month: int,
    chosen: np.ndarray,
    churned: np.ndarray | None = None,
) -> pd.DataFrame:
    """One row per chosen account, with its features at the month's start."""
    which = np.flatnonzero(chosen)
    columns: dict[str, Any] = {
        "account_id": base.ids[which],
        "snapshot": np.full(len(which), first_day(month).astype("datetime64[us]")),
    }
    if churned is not None:
        columns["churned"] = churned[which]
    columns["mrr"] = base.mrr(month)[which] / 100
    columns["due_date"] = np.full(len(which), np.datetime64("NaT", "us"))
    for source in sources:
        columns |= {name: values[which] for name, values in source(month).items()}
    columns["due_date"] = columns["due_date"].astype("datetime64[us]")
    columns |= {name: values.take(which).array for name, values in attributes.items()}
    return pd.DataFrame(columns)


def _notice(base: AccountBase, contracts: Contracts | None, month: int) -> pd.DataFrame:
    given, last = contracts.noticed(month) if contracts else (np.zeros(len(base.ids), bool), np.zeros(0, "M8[D]"))
    which = np.flatnonzero(given & (base.mrr(month) > 0))
    days = last[which].astype("datetime64[us]")
    return pd.DataFrame({"account_id": base.ids[which], "notice_date": days, "mrr": base.mrr(month)[which] / 100})
