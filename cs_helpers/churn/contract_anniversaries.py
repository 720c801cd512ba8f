"""Contract anniversaries: the share that leaves at renewal, and the rate of leaving between renewals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.churn.kaplan_meier import require_entry, require_length
from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record, Result, Suppressed

_MIN_TERM = 2  # months; a contract from month to month has no anniversary that differs from any other day
_SAME = 1e-9  # ages closer than this are equal
_BY_MONTH = 0.9  # of the departures on whole months of age: contracts end by the month


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
    fourth on); columns up_for_renewal, lost, rate, low, high. Anniversaries that fewer than ``min_renewals`` reached,
    even pooled, have no row; ``overall`` counts them too. ``between_rate``: departures away from anniversaries per
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


def anniversary_losses(
    spells: pd.DataFrame,
    terms: pd.DataFrame,
    as_of: pd.Timestamp,
    grace_months: float = 1.0,
    min_renewals: int = 10,
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
    Intervals: Wilson, the between one on account-months. Suppressed where no spell has a term, and where fewer than
    ``min_renewals`` renewals are decided. Raises ContractError for spells without length, start or entry, and
    ValueError for a grace that is not above 0 or reaches the next anniversary. Source: this project's choice.

    Example:
        >>> spells = tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)
        >>> found = cs.churn.anniversary_losses(spells, tables.subscriptions, tables.as_of)
        >>> found.overall.lost, found.overall.up_for_renewal
        (88, 738)
    """
    require_entry(spells)
    stop, entry = (spells[column].to_numpy().astype(float) for column in ("duration_months", "entry_months"))
    require_length(stop, entry)
    named = spells[["account_id", "start_date"]].notna().all(axis=1).to_numpy()
    if not named.all():
        raise ContractError(
            f"{int((~named).sum())} of {len(spells)} spells have no account_id or no start_date. Complete them; the "
            f"first is number {int(np.argmin(named)) + 1}."
        )
    ended, term = spells["churned"].to_numpy().astype(bool), _terms_of(spells, terms, as_of)
    eve = pd.Series(as_of - pd.Timedelta(days=1), index=spells.index)
    age = periods.months_between(spells["start_date"], eve).to_numpy(float)
    # The age at the end of the data: running spells were seen as long as they lasted, ended ones up to the eve.
    known = np.where(ended, np.maximum(age, stop), stop)
    columns = {"stop": stop, "ended": ended, "entry": entry, "known": known, "term": term}
    contracts = pd.DataFrame(columns)[term >= _MIN_TERM]
    if contracts.empty:
        return Suppressed(
            f"None of the {len(spells)} paid spells has a contract term of {_MIN_TERM} months or more, so there "
            "are no anniversaries. Load subscriptions with their term_months."
        )
    if not 0 < grace_months < contracts["term"].min():
        raise ValueError(
            f"grace_months {grace_months} must lie between 0 and the shortest term, {contracts['term'].min():g} months"
        )
    counted, still_open = _renewals(contracts, grace_months)
    up, lost = int(counted["up_for_renewal"].sum()), int(counted["lost"].sum())
    if up < max(min_renewals, 1):
        return Suppressed(
            f"{up} contract renewal{'' if up == 1 else 's'} decided among {len(contracts)} paid spells with a term "
            f"({still_open} too recent to tell); a rate needs at least {max(min_renewals, 1)}. Load a longer history."
        )
    values, sizes = np.unique(contracts["term"], return_counts=True)
    between_lost, months = _between(contracts, grace_months)
    rate, (low, high) = math.nan, (math.nan, math.nan)
    if months > 0:
        rate = between_lost / months
        low, high = stats.wilson_interval(between_lost, max(months, between_lost), level)
    return Anniversaries(
        by_anniversary=_table(counted, min_renewals, level),
        overall=LossRate(lost, up, lost / up, *stats.wilson_interval(lost, up, level)),
        between_rate=rate,
        between_low=low,
        between_high=high,
        between_lost=between_lost,
        between_months=months,
        open=still_open,
        without_term=len(spells) - len(contracts),
        terms={int(term) if term == int(term) else term: int(n) for term, n in zip(values, sizes, strict=True)},
        grace_months=grace_months,
        level=level,
    )


def _terms_of(spells: pd.DataFrame, terms: pd.DataFrame, as_of: pd.Timestamp) -> np.ndarray:
    """Term of each spell in months, NaN where none is known. Subscriptions from ``as_of`` on are still to come."""
    missing = [column for column in ("account_id", "start_date", "term_months") if column not in terms.columns]
    if missing:
        raise ContractError(f"the terms have no column {', '.join(missing)}. Pass the subscriptions with term_months.")
    keys = ["account_id", "start_date"]
    begun = terms.loc[(terms["start_date"] < as_of) & terms["account_id"].notna(), [*keys, "term_months"]]
    begun = begun.groupby(keys, as_index=False)["term_months"].max().assign(known=True).sort_values("start_date")
    asked = spells[keys].reset_index(drop=True).reset_index().sort_values("start_date", kind="stable")
    begun, asked = (each.astype({"account_id": "object", "start_date": "datetime64[us]"}) for each in (begun, asked))
    running = pd.merge_asof(asked, begun, on="start_date", by="account_id")
    following = pd.merge_asof(asked, begun, on="start_date", by="account_id", direction="forward")
    term = running["term_months"].where(running["known"].notna(), following["term_months"])
    return term.astype(float).set_axis(asked["index"]).sort_index().to_numpy()


def _renewals(contracts: pd.DataFrame, grace: float) -> tuple[pd.DataFrame, int]:
    """Decided renewals by anniversary (index 1, 2, ...: up_for_renewal, lost), and how many are open."""
    c, rows, still_open = contracts, [], 0
    for number in range(1, int(np.floor((c.stop / c.term).max() + _SAME)) + 1):
        age = number * c.term
        reached = (c.entry < age) & (c.stop >= age - _SAME)
        decided = reached & (c.known >= age + grace - _SAME)
        lost = decided & c.ended & (c.stop < age + grace - _SAME)
        still_open += int((reached & ~decided).sum())
        rows.append((number, int(decided.sum()), int(lost.sum())))
    table = pd.DataFrame(rows, columns=["anniversary", "up_for_renewal", "lost"])
    return table.set_index("anniversary").astype(int), still_open


def _between(contracts: pd.DataFrame, grace: float) -> tuple[int, float]:
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

    def away(age: pd.Series) -> pd.Series:
        """Months from the start to ``age`` that are away from anniversaries."""
        width, shift = (np.ceil(grace - _SAME), 1) if by_month else (grace, 0)
        months = np.floor(age + _SAME) if by_month else age
        passed = np.floor((months + shift) / c.term + _SAME)
        inside = np.clip(months + shift - passed * c.term, 0, width)
        result: pd.Series = months - np.where(passed > 0, (passed - 1) * width + inside, 0)
        return result

    return int(elsewhere.sum()), float(np.maximum(away(c.stop) - away(c.entry), 0).sum())


def _table(counted: pd.DataFrame, min_renewals: int, level: float) -> pd.DataFrame:
    """A row for each anniversary with ``min_renewals``; the thin ones at the end are pooled."""
    enough = counted["up_for_renewal"] >= min_renewals
    last = int(counted.index[enough].max()) if enough.any() else 0
    rest = counted[counted.index > last]
    rows = {str(number): counted.loc[number] for number in counted.index[enough]}
    if len(rest) and rest["up_for_renewal"].sum() >= max(min_renewals, 1):
        rows[f"{last + 1}+"] = rest.sum()
    table = pd.DataFrame(rows).T.rename_axis("anniversary").astype(int)
    table["rate"] = table["lost"] / table["up_for_renewal"]
    counts = zip(table["lost"], table["up_for_renewal"], strict=True)
    limits = [stats.wilson_interval(lost, up, level) for lost, up in counts]
    table["low"], table["high"] = np.array(limits).T
    return table
