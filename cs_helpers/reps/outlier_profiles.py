"""What a consistent outlier does differently from peers of the same role: mix, timing, handling, touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import benjamini_hochberg
from cs_helpers.reps.peers import PeerComparison, compare_with_peers, difference_interval, work_columns
from cs_helpers.reps.results import Cases, Persistence, Profile

ASPECTS = ["group", "aspect", "level", "unit", "value", "peers", "low", "high", "ratio", "n", "p", "q", "clear"]
MIX = ("segment", "category", "channel", "priority")
MIN_SHARE, MAX_LEVELS = 0.05, 6
MIN_TIMES, MIN_POINTS, AMPLE_POINTS = 1.15, 0.02, 0.05
COVERED_MONTHS = 3
_MINUTES_A_DAY = 1440


@dataclass(frozen=True, eq=False)
class _Look:
    """One aspect of all reps: where it belongs, what it is, and its unit."""

    group: str
    aspect: str
    level: str
    unit: str
    reps: PeerComparison


def outlier_profile(
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    unit: str,
    label: str,
    key: str,
    side: str,
    touches: pd.DataFrame | None = None,
    book: Cases | None = None,
) -> Profile:
    """What one consistent outlier of the measure ``key`` does differently from peers: beside the figure, not its cause.

        mix       shares of the tickets by segment, category, channel and priority
        timing    share opened before noon, from 17 h on and at weekends (UTC); first response, solution; answered
                  the same day
        handling  minutes of work, contacts per ticket, share escalated and reopened
        touches   per account and month, in all and by kind; hours per touch; share by channel; share of the accounts
                  touched within three months

    Peers: the reps of the same role with at least 30 cases. Timing, handling and touches are held against what peers
    have with the same cases (see ``compare_with_peers``), shares of the mix against theirs as they are. Times are
    medians, and the peers' figure is the median less the ratio of geometric means. What is ``key`` itself is no aspect.

    ``tickets``: the roll-up ``ticket_cases``; those opened in [start, end) count. ``touches``: the table of touches,
    ``book``: the account-months of CSMs as cases (rep_id, cluster = account_id, month, mix), such as
    ``touch_hours_cases`` makes; both or neither. ``people``: the table of reps, possibly empty.

    ``aspects``: group, aspect, level (of a mix: data), unit ("share", "hours", "minutes", "number"), value, peers;
    ``low`` and ``high``: 95 % interval, clustered by account, of value - peers for shares and of value / peers
    otherwise; ratio = value / peers, n, p, q (Benjamini-Hochberg over the aspects) and clear: q at most .05, the
    natural spread of reps allowed for, and at least 15 % away (shares: and 2 points, or just 5 points).
    Raises ParameterError for a window that is none, ContractError where nothing can be compared.
    """
    looks = _looks(tickets, people, start, end, unit, touches, book)
    return _profile(looks, unit, label, key, side)


def outlier_profiles(
    persistence: Persistence,
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    touches: pd.DataFrame | None = None,
    book: Cases | None = None,
) -> tuple[Profile, ...]:
    """One profile per consistent outlier; none where there are none. Raises as ``outlier_profile`` does."""
    rows = persistence.consistent
    if not len(rows):
        return ()
    looks = _looks(tickets, people, start, end, str(rows["unit"].iloc[0]), touches, book)
    return tuple(
        _profile(looks, str(row.unit), str(row.label), persistence.key, str(row.side)) for row in rows.itertuples()
    )


def _profile(looks: Sequence[_Look], unit: str, label: str, key: str, side: str) -> Profile:
    rows = [_aspect(look, unit) for look in looks if look.aspect != key and unit in look.reps.table.index]
    if not rows:
        raise ContractError(
            f"{label}: too few cases to be held against peers; 30 are needed, and five peers with as many"
        )
    aspects = pd.DataFrame(rows)
    aspects["q"] = benjamini_hochberg(aspects["p"])
    away = np.maximum(aspects["ratio"], 1 / aspects["ratio"].where(aspects["ratio"] > 0, 1e-9))
    points = (aspects["value"] - aspects["peers"]).abs()
    shares = aspects["unit"] == "share"
    large = (away >= MIN_TIMES) & (~shares | (points >= MIN_POINTS)) | shares & (points >= AMPLE_POINTS)
    aspects["clear"] = (aspects["q"] <= 0.05) & large
    return Profile(unit, label, key, side, aspects[ASPECTS])


def _aspect(look: _Look, unit: str) -> dict[str, object]:
    row: pd.Series = look.reps.table.loc[[unit]].iloc[0]
    low, high = difference_interval(row, look.reps.kind)
    value, peers = float(row["value"]), float(row["peers"])
    ratio = value / peers if peers > 0 else float("nan")
    if "median" in row:  # the usual figure of times; how far they are apart is told by the geometric means
        value = float(row["median"])
        peers = value / ratio
    two_sided = min(2 * min(float(row["high"]), float(row["low"])), 1.0)
    return {
        "group": look.group, "aspect": look.aspect, "level": look.level, "unit": look.unit, "value": value,
        "peers": peers, "low": low, "high": high, "ratio": ratio, "n": int(row["n"]), "p": two_sided,
    }  # fmt: skip


def _looks(
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    unit: str,
    touches: pd.DataFrame | None,
    book: Cases | None,
) -> list[_Look]:
    start, end = periods.window(start, end)
    if (touches is None) != (book is None):
        raise ParameterError("touches and book belong together: give both, or neither.")
    looks: list[_Look] = []
    if len(tickets):
        inside = tickets[(tickets["opened_month"] >= start) & (tickets["opened_month"] < end)]
        looks += _of_tickets(_same_role(inside[inside["rep_id"].notna()], people, unit))
    if touches is not None and book is not None:
        looks += _of_touches(touches, book.between(start, end), people, unit, end)
    return looks


def _same_role(rows: pd.DataFrame, people: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The rows of reps of the same role; of everybody where the role is not known."""
    if not len(people) or "role" not in people:
        return rows
    roles = people.set_index("rep_id")["role"]
    role = roles.get(unit)
    if not isinstance(role, str):
        return rows
    return rows[~rows["rep_id"].isin(roles.index[roles.notna() & (roles != role)])]


def _add(
    looks: list[_Look],
    cases: pd.DataFrame,
    values: pd.Series,
    name: tuple[str, str, str, str],
    kind: str,
    mix: Sequence[str] = (),
    cluster: str = "account_id",
    to_unit: float = 1.0,
) -> None:
    """One look more, unless nobody can be compared in it."""
    if not values.fillna(0.0).any():
        return  # it never happens
    given = cases.assign(_value=values)
    try:
        reps = compare_with_peers(given, "_value", kind, mix, cluster)
    except ContractError:
        return
    if kind == "time":
        medians = given[given["_value"].notna()].groupby(given["rep_id"].astype("str"))["_value"].median()
        table = reps.table.assign(median=medians.reindex(reps.table.index) * to_unit)
        table[["value", "peers"]] *= to_unit
        reps = PeerComparison(table, kind)
    looks.append(_Look(*name, reps))


def _of_tickets(tickets: pd.DataFrame) -> list[_Look]:
    looks: list[_Look] = []
    for column in MIX:
        if column in tickets and tickets[column].notna().any():
            known = tickets[column].notna()
            shares = tickets[column].astype("str").value_counts(normalize=True)
            for level in [each for each in shares.index if MIN_SHARE <= shares[each] < 1][:MAX_LEVELS]:
                found = (tickets[column].astype("str") == level).astype("float64").where(known)
                _add(looks, tickets, found, ("mix", column, str(level), "share"), "share")
    table, mix = work_columns(tickets)
    _timing(looks, table, mix)
    _handling(looks, table, mix)
    return looks


def _number(table: pd.DataFrame, column: str) -> pd.Series:
    """A column as numbers; all missing where it is not there."""
    if column not in table:
        return pd.Series(np.nan, index=table.index)
    return table[column].astype("float64")


def _timing(looks: list[_Look], table: pd.DataFrame, mix: Sequence[str]) -> None:
    hour, weekday = _number(table, "opened_hour"), _number(table, "opened_weekday")
    for name, found, known in (
        ("opened_before_noon", hour < 12, hour.notna()),
        ("opened_late", hour >= 17, hour.notna()),
        ("opened_at_weekends", weekday >= 5, weekday.notna()),
    ):
        _add(looks, table, found.astype("float64").where(known), ("timing", name, "", "share"), "share")
    first, solved = _number(table, "first_response_minutes"), _number(table, "resolution_minutes")
    for name, minutes in (("first_response_hours", first), ("resolution_hours", solved)):
        # Minutes count to a second; an answer in the second of the opening is one after half of it.
        known = minutes.clip(lower=1 / 120).where(minutes.notna())
        _add(looks, table, known, ("timing", name, "", "hours"), "time", mix, to_unit=1 / 60)
    same_day = (60 * (hour + 0.5) + first < _MINUTES_A_DAY).astype("float64").where(first.notna() & hour.notna())
    _add(looks, table, same_day, ("timing", "answered_same_day", "", "share"), "share", mix)


def _handling(looks: list[_Look], table: pd.DataFrame, mix: Sequence[str]) -> None:
    handle = _number(table, "handle_minutes")
    _add(looks, table, handle.where(handle > 0), ("handling", "aht_minutes", "", "minutes"), "time", mix)
    contacts = _number(table, "contacts")
    _add(looks, table, contacts, ("handling", "contacts", "", "number"), "count", mix)
    done = table["resolved_month"].notna() if "resolved_month" in table else contacts.notna()
    for column, name in (("escalated", "escalation_rate"), ("reopened", "reopen_rate")):
        found = _number(table, column).where(done)
        _add(looks, table, found, ("handling", name, "", "share"), "share", mix)


def _of_touches(touches: pd.DataFrame, book: Cases, people: pd.DataFrame, unit: str, end: pd.Timestamp) -> list[_Look]:
    """The touch pattern in the rep's own book: what somebody else did there is not the rep's."""
    looks: list[_Look] = []
    months = _same_role(book.table[book.table["rep_id"].notna()], people, unit)
    keys = ["rep_id", "account_id", "month"]
    months = months.assign(rep_id=months["rep_id"].astype("str"), account_id=months["cluster"].astype("str"))
    months = months.drop_duplicates(keys).reset_index(drop=True)
    own = touches[touches["rep_id"].notna() & touches["account_id"].notna()]
    own = own.assign(month=periods.month_start(own["occurred_at"]), rep_id=own["rep_id"].astype("str"))
    own = own.merge(months[[*keys, *book.mix]], on=keys, how="inner")
    if not len(own):
        return looks

    def counted(rows: pd.DataFrame) -> pd.Series:
        number = rows.groupby(keys).size().rename("number").reset_index()
        return months[keys].merge(number, on=keys, how="left")["number"].fillna(0.0).astype("float64")

    name = ("touches", "touches_per_account_month", "", "number")
    _add(looks, months, counted(own), name, "count", book.mix)
    for kind in own["kind"].value_counts().index[:MAX_LEVELS]:
        name = ("touches", "touches_of_kind", str(kind), "number")
        _add(looks, months, counted(own[own["kind"] == kind]), name, "count", book.mix)
    shares = own["channel"].value_counts(normalize=True) if "channel" in own else pd.Series(dtype=float)
    for channel in [each for each in shares.index if MIN_SHARE <= shares[each] < 1][:MAX_LEVELS]:
        found = (own["channel"] == channel).astype("float64").where(own["channel"].notna())
        _add(looks, own, found, ("touches", "touches_by_channel", str(channel), "share"), "share", book.mix)
    hours = _number(own, "hours")
    _add(looks, own, hours.where(hours > 0), ("touches", "hours_per_touch", "", "hours"), "time", book.mix)
    _add_coverage(looks, months, counted(own), book.mix, end)
    return looks


def _add_coverage(
    looks: list[_Look], months: pd.DataFrame, number: pd.Series, mix: Sequence[str], end: pd.Timestamp
) -> None:
    """Share of accounts touched within three months, for the accounts that the rep had in all three of them."""
    back = periods.month_index(pd.Series([end])).iloc[0] - 1 - periods.month_index(months["month"])
    rows = months.assign(number=number, quarter=back // COVERED_MONTHS)
    groups = rows.groupby(["rep_id", "account_id", "quarter"], sort=False)
    whole = groups.agg(seen=("number", "size"), number=("number", "sum"), **{each: (each, "first") for each in mix})
    whole = whole[whole["seen"] == COVERED_MONTHS].reset_index()
    touched = (whole["number"] > 0).astype("float64")
    _add(looks, whole, touched, ("touches", "accounts_touched", "", "share"), "share", mix)
