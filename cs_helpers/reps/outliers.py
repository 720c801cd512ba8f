"""Reps who stand out in two periods in a row, and what they do differently from peers of the same role."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Suppressed, or_suppressed
from cs_helpers.core.stats import benjamini_hochberg, normal_quantile
from cs_helpers.reps.employment import may_be_of_role
from cs_helpers.reps.measures import measure
from cs_helpers.reps.peers import compare_with_peers, difference_interval, work_columns
from cs_helpers.reps.results import Benchmark, Cases, Persistence, Profile, within

MIN_RELIABILITY = 0.5
MIN_PAIRS = 5
ASPECTS = ["group", "aspect", "level", "unit", "value", "peers", "low", "high", "ratio", "n", "p", "q", "clear"]
MIX = ("segment", "category", "channel", "priority")
MIN_SHARE, MAX_LEVELS = 0.05, 6
MIN_TIMES, MIN_POINTS, AMPLE_POINTS = 1.15, 0.02, 0.05
COVERED_MONTHS = 3
_MINUTES_A_DAY = 1440
_KINDS = {"share": "share", "hours": "time", "minutes": "time", "number": "count"}


def repeated_outliers(
    before: Benchmark, now: Benchmark, before_words: str = "before", now_words: str = "now"
) -> Persistence:
    """Units beyond the 95 % limits on the same side in both of two disjoint periods, and further than is usual.

    Further means further from the centre than the spread of true differences, in both: where all differ truly, as in
    handling times, being different is not unusual. The two benchmarks are of the same measure and level, over periods
    that share no month. ``reliability`` is the smaller of the two: below .5 more than half of what differs is noise,
    and nothing is called consistent. The correlation of the two effects has Fisher's interval. Where nobody differs,
    one of 800 units is beyond the limits twice on the same side. Raises ParameterError where the two do not belong
    together. Source: Fisher 1921 for the interval.

    Example:
        >>> csat = cs.reps.team_cases(tables, "support").of("csat")
        >>> windows = (("2024-07-01", "2025-07-01"), ("2025-07-01", "2026-07-01"))
        >>> before, now = (cs.reps.compare_reps(csat.between(*each), tables.reps).of("csat") for each in windows)
        >>> repeated_outliers(before, now).consistent["label"].tolist()
        ['Zoë Okafor', 'Saga Quist', 'Viktor Grünwald']
    """
    if (before.key, before.level) != (now.key, now.level):
        raise ParameterError(
            f"{before.key} of {before.level}s and {now.key} of {now.level}s cannot be held against each other"
        )
    columns = ["unit", "label", "effect", "z", "outside"]
    both = before.shown[columns].merge(now.shown[columns], on="unit", suffixes=("_before", "_now"))
    twice = (both["outside_before"] != "") & (both["outside_now"] != "")
    same = np.sign(both["effect_before"]) == np.sign(both["effect_now"])
    far = (both["effect_before"].abs() > before.spread) & (both["effect_now"].abs() > now.spread)
    up, down = measure(now.key).sides
    side = np.where(twice & same & far, np.where(both["effect_now"] > 0, up, down), "")
    pairs = pd.DataFrame(
        {
            "unit": both["unit"],
            "label": both["label_now"],
            "effect_before": both["effect_before"],
            "z_before": both["z_before"],
            "effect_now": both["effect_now"],
            "z_now": both["z_now"],
            "side": side,
        }
    )
    reliability = min(before.reliability, now.reliability)
    r, low, high = _correlation(both["effect_before"].to_numpy(), both["effect_now"].to_numpy())
    return Persistence(
        now.key, before_words, now_words, reliability, r, low, high, pairs, _refusal(len(pairs), reliability)
    )


def _refusal(pairs: int, reliability: float) -> str:
    if pairs < MIN_PAIRS:
        return f"{pairs} have a figure in both periods, and {MIN_PAIRS} are needed"
    if not reliability >= MIN_RELIABILITY:  # nan is no reliability
        return (
            f"the reliability is {max(reliability, 0):.2f}, below {MIN_RELIABILITY}: more than half of the "
            "differences is noise, and noise does not persist"
        )
    return ""


def _correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Pearson's correlation with Fisher's 95 % interval; nan with fewer than four pairs or without variation."""
    if len(a) < 4 or not (np.ptp(a) and np.ptp(b)):
        return math.nan, math.nan, math.nan
    r = float(np.corrcoef(a, b)[0, 1])
    middle, half = math.atanh(min(max(r, -0.999999), 0.999999)), normal_quantile(0.95) / math.sqrt(max(len(a) - 3, 1))
    return r, math.tanh(middle - half), math.tanh(middle + half)


@dataclass(frozen=True, eq=False)
class _Comparison:
    """One aspect compared between all reps: its group, name, level, unit and the table of ``compare_with_peers``."""

    group: str
    aspect: str
    level: str
    unit: str
    reps: pd.DataFrame


def outlier_profiles(
    outliers: Sequence[Persistence | Suppressed],
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    touches: pd.DataFrame | None = None,
    portfolio: Cases | None = None,
) -> tuple[Profile | Suppressed, ...]:
    """What each consistent outlier of one role does differently from peers: beside the figure, not its cause.

        mix       shares of the tickets by segment, category, channel and priority
        timing    share opened before noon, from 17 h on and at weekends (UTC); first response, solution; answered
                  the same day
        handling  minutes of work, contacts per ticket, share escalated and reopened
        touches   per account and month, in all and by kind; hours per touch; share by channel; share of the accounts
                  touched within three months

    ``outliers``: measures as from ``repeated_outliers``; a rep who is consistent on several is profiled on the first,
    and that measure itself is no aspect. Peers: the reps of the same role with at least 30 cases. Timing, handling and
    touches are compared with what peers have with the same cases (see ``compare_with_peers``), shares of the mix with
    theirs as they are. Times are medians, and the peers' figure is the median less the ratio of geometric means.

    ``tickets``: the roll-up ``ticket_cases``; those opened in [start, end) count. ``touches``: the table of touches,
    ``portfolio``: the account-months of CSMs as cases (rep_id, cluster = account_id, month, mix), such as
    ``touch_hours_cases`` makes; both or neither. ``people``: the table of reps, possibly empty.

    ``aspects``: group, aspect, level (of a mix: data), unit ("share", "hours", "minutes", "number"), value, peers;
    ``low`` and ``high``: 95 % interval, clustered by account, of value - peers for shares and of value / peers
    otherwise; ratio = value / peers, n, p, q (Benjamini-Hochberg over the aspects) and clear: q at most .05, the
    natural spread of reps allowed for, and at least 15 % away (shares: and 2 points, or just 5 points).
    A measure whose outliers have too few cases gives Suppressed. Raises ParameterError for a window that is none.

    Example:
        >>> outliers = cs.reps.persistence(tables, "support").measures
        >>> tickets = tables.rollup("ticket_cases", start="2025-07-01", as_of="2026-07-01")
        >>> [each.label for each in outlier_profiles(outliers[:1], tickets, tables.reps, "2025-07-01", "2026-07-01")]
        ['Zoë Okafor', 'Saga Quist', 'Viktor Grünwald']
    """
    profiled: set[str] = set()
    found: list[Profile | Suppressed] = []
    comparisons: list[_Comparison] | None = None
    for each in outliers:
        if isinstance(each, Suppressed) or not len(each.consistent):
            continue
        consistent = each.consistent
        if comparisons is None:
            unit = str(consistent["unit"].iloc[0])
            comparisons = _comparisons(tickets, people, start, end, unit, touches, portfolio)
        rows = consistent[~consistent["unit"].isin(profiled)]
        profiled |= set(consistent["unit"])
        made = or_suppressed(_profiles, comparisons, replace(each, pairs=rows))
        found += [made] if isinstance(made, Suppressed) else made
    return tuple(found)


def _profiles(comparisons: Sequence[_Comparison], outliers: Persistence) -> list[Profile]:
    """One profile per outlier of a measure."""
    return [
        _profile(comparisons, str(row.unit), str(row.label), outliers.key, str(row.side))
        for row in outliers.pairs.itertuples()
    ]


def _profile(comparisons: Sequence[_Comparison], unit: str, label: str, key: str, side: str) -> Profile:
    rows = [_aspect(each, unit) for each in comparisons if each.aspect != key and unit in each.reps.index]
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


def _aspect(compared: _Comparison, unit: str) -> dict[str, object]:
    row: pd.Series = compared.reps.loc[[unit]].iloc[0]
    low, high = difference_interval(row, _KINDS[compared.unit])
    value, peers = float(row["value"]), float(row["peers"])
    ratio = value / peers if peers > 0 else float("nan")
    if "median" in row:  # the usual figure of times; how far they are apart is measured by the geometric means
        value = float(row["median"])
        peers = value / ratio
    two_sided = min(2 * min(float(row["high"]), float(row["low"])), 1.0)
    return {
        "group": compared.group, "aspect": compared.aspect, "level": compared.level, "unit": compared.unit,
        "value": value, "peers": peers, "low": low, "high": high, "ratio": ratio, "n": int(row["n"]), "p": two_sided,
    }  # fmt: skip


def _comparisons(
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    unit: str,
    touches: pd.DataFrame | None = None,
    portfolio: Cases | None = None,
) -> list[_Comparison]:
    """Every aspect compared between the reps of one role, that of ``unit``."""
    start, end = periods.window(start, end)
    if (touches is None) != (portfolio is None):
        raise ParameterError("touches and portfolio belong together: give both, or neither.")
    found: list[_Comparison] = []
    if len(tickets):
        inside = tickets[within(tickets["opened_month"], start, end)]
        found += _of_tickets(_same_role(inside[inside["rep_id"].notna()], people, unit))
    if touches is not None and portfolio is not None:
        months = portfolio.between(start, end).table
        months = _same_role(months[months["rep_id"].notna()], people, unit)
        found += _of_touches(touches, months, portfolio.mix, end)
    return found


def _same_role(rows: pd.DataFrame, people: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The rows of reps of the same role; all rows where the role is not known."""
    role = people.set_index("rep_id")["role"].get(unit) if len(people) and "role" in people else None
    return rows[may_be_of_role(rows["rep_id"], people, role.lower())] if isinstance(role, str) else rows


def _compared(
    cases: pd.DataFrame, values: pd.Series, group: str, aspect: str, unit: str, mix: Sequence[str] = (), level: str = ""
) -> Iterator[_Comparison]:
    """One aspect of all reps; nothing where it never happens or the reps cannot be compared."""
    if not values.fillna(0.0).any():
        return
    given = cases.assign(_value=values)
    try:
        reps = compare_with_peers(given, "_value", _KINDS[unit], mix)
    except ContractError:
        return
    if _KINDS[unit] == "time":
        timed = given[given["_value"].notna()]
        reps = reps.assign(median=timed.groupby(timed["rep_id"].astype("str"))["_value"].median().reindex(reps.index))
    yield _Comparison(group, aspect, level, unit, reps)


def _frequent(values: pd.Series) -> list[str]:
    """The most frequent levels of a column, each with at least 5 % of the rows; none where all rows are equal."""
    shares = values.value_counts(normalize=True)
    return [str(level) for level in shares.index if MIN_SHARE <= shares[level] < 1][:MAX_LEVELS]


def _number(table: pd.DataFrame, column: str) -> pd.Series:
    """A column as numbers; all missing where it is not there."""
    return table[column].astype("float64") if column in table else pd.Series(np.nan, index=table.index)


def _of_tickets(tickets: pd.DataFrame) -> Iterator[_Comparison]:
    for column in MIX:
        if column in tickets and (known := tickets[column].notna()).any():
            text = tickets[column].astype("str")
            for level in _frequent(text):
                found = (text == level).astype("float64").where(known)
                yield from _compared(tickets, found, "mix", column, "share", level=level)
    table, mix = work_columns(tickets)
    hour, weekday = _number(table, "opened_hour"), _number(table, "opened_weekday")
    for aspect, is_so, known in (
        ("opened_before_noon", hour < 12, hour.notna()),
        ("opened_late", hour >= 17, hour.notna()),
        ("opened_at_weekends", weekday >= 5, weekday.notna()),
    ):
        yield from _compared(table, is_so.astype("float64").where(known), "timing", aspect, "share")
    first, solved = _number(table, "first_response_minutes"), _number(table, "resolution_minutes")
    for aspect, minutes in (("first_response_hours", first), ("resolution_hours", solved)):
        # Minutes count to a second; an answer in the second of the opening is one after half of it.
        yield from _compared(table, minutes.clip(lower=1 / 120) / 60, "timing", aspect, "hours", mix)
    same_day = (60 * (hour + 0.5) + first < _MINUTES_A_DAY).astype("float64").where(first.notna() & hour.notna())
    yield from _compared(table, same_day, "timing", "answered_same_day", "share", mix)
    handle, contacts = _number(table, "handle_minutes"), _number(table, "contacts")
    yield from _compared(table, handle.where(handle > 0), "handling", "aht_minutes", "minutes", mix)
    yield from _compared(table, contacts, "handling", "contacts", "number", mix)
    done = table["resolved_month"].notna() if "resolved_month" in table else contacts.notna()
    for column, aspect in (("escalated", "escalation_rate"), ("reopened", "reopen_rate")):
        yield from _compared(table, _number(table, column).where(done), "handling", aspect, "share", mix)


def _of_touches(
    touches: pd.DataFrame, months: pd.DataFrame, mix: Sequence[str], end: pd.Timestamp
) -> Iterator[_Comparison]:
    """The touch pattern in the rep's own portfolio: touches by others do not count."""
    keys = ["rep_id", "account_id", "month"]
    months = months.assign(rep_id=months["rep_id"].astype("str"), account_id=months["cluster"].astype("str"))
    months = months.drop_duplicates(keys).reset_index(drop=True)
    own = touches[touches["rep_id"].notna() & touches["account_id"].notna()]
    own = own.assign(month=periods.month_start(own["occurred_at"]), rep_id=own["rep_id"].astype("str"))
    own = own.merge(months[[*keys, *mix]], on=keys, how="inner")
    if not len(own):
        return

    def counted(rows: pd.DataFrame) -> pd.Series:
        number = rows.groupby(keys).size().rename("number").reset_index()
        return months[keys].merge(number, on=keys, how="left")["number"].fillna(0.0).astype("float64")

    yield from _compared(months, counted(own), "touches", "touches_per_account_month", "number", mix)
    for kind in own["kind"].value_counts().index[:MAX_LEVELS]:
        number = counted(own[own["kind"] == kind])
        yield from _compared(months, number, "touches", "touches_of_kind", "number", mix, str(kind))
    for channel in _frequent(own["channel"]) if "channel" in own else ():
        found = (own["channel"] == channel).astype("float64").where(own["channel"].notna())
        yield from _compared(own, found, "touches", "touches_by_channel", "share", mix, channel)
    hours = _number(own, "hours")
    yield from _compared(own, hours.where(hours > 0), "touches", "hours_per_touch", "hours", mix)
    whole = _whole_quarters(months.assign(number=counted(own)), mix, end)
    touched = (whole["number"] > 0).astype("float64")
    yield from _compared(whole, touched, "touches", "accounts_touched", "share", mix)


def _whole_quarters(months: pd.DataFrame, mix: Sequence[str], end: pd.Timestamp) -> pd.DataFrame:
    """Touches by account and quarter counted back from ``end``, where the rep had the account in all three months."""
    back = periods.month_index(pd.Series([end])).iloc[0] - 1 - periods.month_index(months["month"])
    groups = months.assign(quarter=back // COVERED_MONTHS).groupby(["rep_id", "account_id", "quarter"], sort=False)
    whole = groups.agg(seen=("number", "size"), number=("number", "sum"), **{each: (each, "first") for each in mix})
    return whole[whole["seen"] == COVERED_MONTHS].reset_index()
