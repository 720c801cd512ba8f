"""Contract anniversaries: how many leave when their term is up, and how many in between."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.churn.kaplan_meier import _has_length, _no_length, require_entry
from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record, Result, Suppressed

_SHORTEST_TERM = 2  # months; a contract from month to month has no anniversary that differs from any other day
_SAME = 1e-9  # ages closer than this are equal
_BY_MONTH = 0.9  # of the departures on whole months of age: the book ends contracts by the month


@dataclass(frozen=True, repr=False)
class LossRate(Record):
    """``lost`` of ``up_for_renewal``, with Wilson's interval of ``rate``."""

    lost: int
    up_for_renewal: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class Anniversaries(Result):
    """Departures at contract anniversaries and between them.

    ``by_anniversary``: index ``anniversary`` (text: "1", "2", ..., the last one perhaps "4+" for all from the
    fourth on); columns up_for_renewal, lost, rate, low, high. Anniversaries that fewer than ``least`` reached, even
    pooled, have no row; ``overall`` counts them too. ``between_rate``: departures away from anniversaries per
    account-month observed away from them (``between_months``, with ``between_lost`` departures) with
    ``between_low`` and ``between_high``; NaN where no such month was seen. ``open``: renewals of which it is too
    early to tell. ``without_term``: spells with a term under two months or none; they count nowhere else.
    ``terms``: spells by term in months.
    """

    by_anniversary: pd.DataFrame
    overall: LossRate
    between_rate: float
    between_low: float
    between_high: float
    between_lost: int
    between_months: float
    open: int
    without_term: int
    terms: dict[float, int]
    grace_months: float
    level: float


@dataclass(frozen=True, eq=False)
class _Contracts:
    """Spells with a term; ages in months. ``known`` is the age at the end of the data, whether or not it had left."""

    stop: np.ndarray
    ended: np.ndarray
    entry: np.ndarray
    known: np.ndarray
    term: np.ndarray


def anniversary_losses(
    spells: pd.DataFrame,
    terms: pd.DataFrame,
    as_of: pd.Timestamp,
    grace_months: float = 1.0,
    least: int = 10,
    level: float = 0.95,
) -> Anniversaries | Suppressed:
    """Share of contracts lost at their first, second, ... anniversary, and the monthly rate of leaving in between.

        rate_k = lost_k / up for renewal_k        between = departures elsewhere / account-months elsewhere

    ``spells`` is the roll-up of that name (account_id, start_date, duration_months, churned, entry_months); ``terms``
    the subscriptions (account_id, start_date, term_months in months or missing). The term of a spell is that of the
    account's last subscription to start by the day the spell starts, else of the next one; of several on one day
    the longest. A change of term at a renewal is not followed.
    Up for renewal k, at age k * term: spells under observation before that age, paid up to it, and old enough on the
    eve of ``as_of`` for their ``grace_months`` to have run out; lost are those that ended within the grace. Younger
    ones are ``open``, also where they have already left: those that stay could not be counted beside them. A spell
    can come up several times. Between: all other departures; where nine in ten of them fall on a whole month of age,
    contracts end by the month, and at risk are the whole months of age other than those of the grace.
    Intervals: Wilson, the between one on account-months. Refused where no spell has a term, and where fewer than
    ``least`` renewals are decided. Raises ContractError for spells without length, start or entry, and ValueError
    for a grace that is not above 0 or reaches the next anniversary. Source: this project's choice.
    """
    require_entry(spells)
    _check(spells)
    term = _terms_of(spells, terms, as_of)
    with_term = term >= _SHORTEST_TERM
    contracts = _contracts(spells, term, as_of, with_term)
    without = int((~with_term).sum())
    if not with_term.any():
        return Suppressed(
            f"None of the {len(spells)} paid spells has a contract term of {_SHORTEST_TERM} months or more, so there "
            "are no anniversaries. Load subscriptions with their term_months."
        )
    if not 0 < grace_months < contracts.term.min():
        raise ValueError(
            f"grace_months {grace_months} must lie between 0 and the shortest term, {contracts.term.min():g} months"
        )
    counted, still_open = _renewals(contracts, grace_months)
    up, lost = int(counted["up_for_renewal"].sum()), int(counted["lost"].sum())
    if up < max(least, 1):
        return Suppressed(
            f"{up} contract renewal{'' if up == 1 else 's'} decided among {int(with_term.sum())} paid spells with a "
            f"term ({still_open} too recent to tell); a rate needs at least {max(least, 1)}. Load a longer history."
        )
    between_lost, months = _between(contracts, grace_months)
    rate, (low, high) = math.nan, (math.nan, math.nan)
    if months > 0:
        rate = between_lost / months
        low, high = stats.wilson_interval(between_lost, max(months, between_lost), level)
    values, sizes = np.unique(contracts.term, return_counts=True)
    return Anniversaries(
        by_anniversary=_table(counted, least, level),
        overall=LossRate(lost, up, lost / up, *stats.wilson_interval(lost, up, level)),
        between_rate=rate,
        between_low=low,
        between_high=high,
        between_lost=between_lost,
        between_months=months,
        open=still_open,
        without_term=without,
        terms={_plain(value): int(size) for value, size in zip(values, sizes, strict=True)},
        grace_months=grace_months,
        level=level,
    )


def _plain(months: float) -> float:
    return int(months) if months == int(months) else float(months)


def _terms_of(spells: pd.DataFrame, terms: pd.DataFrame, as_of: pd.Timestamp) -> np.ndarray:
    """Term of each spell in months, NaN where none is known. Subscriptions from ``as_of`` on are still to come."""
    missing = [column for column in ("account_id", "start_date", "term_months") if column not in terms.columns]
    if missing:
        raise ContractError(f"the terms have no column {', '.join(missing)}. Pass the subscriptions with term_months.")
    begun = terms[(terms["start_date"] < as_of) & terms["account_id"].notna()]
    code, _ = pd.factorize(pd.concat([spells["account_id"], begun["account_id"]], ignore_index=True))
    day = pd.concat([spells["start_date"], begun["start_date"]], ignore_index=True)
    since = ((day - day.min()) / pd.Timedelta(days=1)).to_numpy(float)
    place = code * (since.max(initial=0) + 1) + since  # account by account, then by day
    wanted, offered = place[: len(spells)], place[len(spells) :]
    months = begun["term_months"].to_numpy(float, na_value=np.nan)
    order = np.lexsort((np.nan_to_num(months, nan=-np.inf), offered))
    last_of_day = np.append(np.diff(offered[order]) > 0, True)[: len(order)]
    order = order[last_of_day]
    offered, months, owner = offered[order], months[order], code[len(spells) :][order]
    if not len(order):
        return np.full(len(spells), np.nan)
    running = np.searchsorted(offered, wanted, side="right") - 1
    following = np.minimum(running + 1, len(order) - 1)
    own = code[: len(spells)]
    mine = (running >= 0) & (owner[np.maximum(running, 0)] == own)
    next_one = np.where(owner[following] == own, months[following], np.nan)
    return np.where(mine, months[np.maximum(running, 0)], next_one)


def _check(spells: pd.DataFrame) -> None:
    stop, entry = (spells[column].to_numpy().astype(float) for column in ("duration_months", "entry_months"))
    fit = _has_length(stop, entry)
    if not fit.all():
        raise _no_length(np.flatnonzero(~fit), len(stop))
    named = spells[["account_id", "start_date"]].notna().all(axis=1)
    if not named.all():
        raise ContractError(
            f"{int((~named).sum())} of {len(spells)} spells have no account_id or no start_date. Complete them; the "
            f"first is number {int(np.argmin(named.to_numpy())) + 1}."
        )


def _contracts(spells: pd.DataFrame, term: np.ndarray, as_of: pd.Timestamp, which: np.ndarray) -> _Contracts:
    stop, entry = (spells[column].to_numpy().astype(float) for column in ("duration_months", "entry_months"))
    ended = spells["churned"].to_numpy().astype(bool)
    eve = pd.Series(as_of - pd.Timedelta(days=1), index=spells.index)
    known = periods.months_between(spells["start_date"], eve).to_numpy(float)
    # Whoever runs was seen for as long as it lasted, and nobody who left for longer than the data reach.
    known = np.where(ended, np.maximum(known, stop), stop)
    return _Contracts(stop[which], ended[which], entry[which], known[which], term[which])


def _renewals(contracts: _Contracts, grace: float) -> tuple[pd.DataFrame, int]:
    """Decided renewals by anniversary (index 1, 2, ...: up_for_renewal, lost), and how many are open."""
    c, rows, still_open = contracts, [], 0
    most = int(np.floor((c.stop / c.term).max() + _SAME))
    for number in range(1, most + 1):
        age = number * c.term
        reached = (c.entry < age) & (c.stop >= age - _SAME)
        decided = reached & (c.known >= age + grace - _SAME)
        lost = decided & c.ended & (c.stop < age + grace - _SAME)
        still_open += int((reached & ~decided).sum())
        rows.append((number, int(decided.sum()), int(lost.sum())))
    table = pd.DataFrame(rows, columns=["anniversary", "up_for_renewal", "lost"])
    return table.set_index("anniversary").astype(int), still_open


def _between(contracts: _Contracts, grace: float) -> tuple[int, float]:
    """Departures away from anniversaries, and the account-months observed away from them.

    In continuous time the grace [k term, k term + grace) is cut out. Where contracts end by the month, a departure
    at age m belongs to the month that leads to it, (m - 1, m]: that month is cut out for every whole m of the grace.
    """
    c = contracts
    since = c.stop - np.floor((c.stop + _SAME) / c.term) * c.term
    at_anniversary = (c.stop >= c.term - _SAME) & (since < grace - _SAME)
    elsewhere = c.ended & ~at_anniversary
    whole = np.abs(c.stop - np.round(c.stop)) < _SAME
    by_month = bool(elsewhere.any()) and whole[elsewhere].mean() >= _BY_MONTH

    def away(age: np.ndarray) -> np.ndarray:
        """Months from the start to ``age`` that are away from anniversaries."""
        width, shift = (np.ceil(grace - _SAME), 1) if by_month else (grace, 0)
        months = np.floor(age + _SAME) if by_month else age
        passed = np.floor((months + shift) / c.term + _SAME)
        inside = np.clip(months + shift - passed * c.term, 0, width)
        return np.asarray(months - np.where(passed > 0, (passed - 1) * width + inside, 0))

    return int(elsewhere.sum()), float(np.maximum(away(c.stop) - away(c.entry), 0).sum())


def _table(counted: pd.DataFrame, least: int, level: float) -> pd.DataFrame:
    """A row for each anniversary that ``least`` reached; the thin ones at the end are pooled."""
    enough = counted["up_for_renewal"] >= least
    last = int(counted.index[enough].max()) if enough.any() else 0
    rest = counted[counted.index > last]
    rows = {str(number): counted.loc[number] for number in counted.index[enough]}
    if len(rest) and rest["up_for_renewal"].sum() >= max(least, 1):
        rows[f"{last + 1}+"] = rest.sum()
    table = pd.DataFrame(rows).T.rename_axis("anniversary").astype(int)
    table["rate"] = table["lost"] / table["up_for_renewal"]
    limits = [
        stats.wilson_interval(lost, up, level) for lost, up in zip(table["lost"], table["up_for_renewal"], strict=True)
    ]
    table["low"], table["high"] = np.array(limits).T
    return table
