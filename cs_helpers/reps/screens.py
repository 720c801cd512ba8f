"""Gaming screens: six questions about how figures came about, each with its evidence, never a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import holm
from cs_helpers.core.stats.clusters import upper_tail
from cs_helpers.reps import casemix, peers
from cs_helpers.reps.employment import may_be_of_role
from cs_helpers.reps.peers import compare_with_peers, work_columns
from cs_helpers.reps.results import Screen, within

SCREENS = ("first_contact", "pile_up", "very_short", "month_end", "asked_few", "easy_work")
EVIDENCE = ["unit", "label", "value", "peers", "n", "p", "value_2", "peers_2", "second", "target"]
NEEDED = ("rep_id", "account_id", "resolved_month")

ROUND_TARGETS = (5.0, 10.0, 15.0, 20.0, 30.0)
VERY_SHORT_MINUTES = 10 / 60
LAST_WORKING_DAYS = 2
SATISFIED = 4
MIN_POINTS_ONE_CONTACT, MIN_POINTS_BACK, MIN_TIMES_BACK, MIN_POINTS_CSAT = 0.05, 0.03, 1.25, 0.05
MIN_TIMES_PILE, MIN_CASES_PILE = 1.5, 10
TIMES_SHORT = 2.0
MIN_TIMES_SHORT, MIN_SHARE_SHORT, MIN_CASES_SHORT = 3.0, 0.01, 5
MIN_TIMES_MONTH_END, MIN_POINTS_MONTH_END = 1.5, 0.05
MAX_TIMES_ANSWERED = 0.8
MAX_TIMES_EASY = 0.9


def gaming_screens(
    tickets: pd.DataFrame,
    people: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    target_minutes: float | None = None,
    level: float = 0.05,
) -> tuple[Screen, ...]:
    """Six questions about the tickets resolved in [start, end): which figures should be discussed.

        first_contact  share resolved in one contact is high, and more of those come back, or fewer are satisfied
        pile_up        handle times in [target - w, target) above the times around them, and above peers
        very_short     contacts of under 10 seconds of handling
        month_end      resolved from the last two working days of the month on
        asked_few      share of tickets with a CSAT answer is low, and the CSAT is high
        easy_work      minutes that peers need for such categories and priorities, low for the same queue

    One-sided against peers with the same mix of cases, with chance, dependence within accounts (month_end: within a
    rep's month) and the natural spread of reps allowed for: see ``compare_with_peers``. Where a question rests on two
    figures, both must be unusual. ``p`` is adjusted over the reps, by Holm (pile_up: over the targets as well) or,
    where there are two figures, as AdaFilter does, so that in a team in which nobody does anything unusual a screen
    raises any question at all with a probability of at most ``level``; and a difference must be large enough to matter.

    ``tickets``: the roll-up ``ticket_cases``; ``segment``, ``product`` and ``language`` belong to the mix where they
    are there. ``people``: the table of reps, possibly empty; those who are not support reps are left out, and months in
    which a rep came or left do not count for month_end. ``target_minutes``: the goal for handle times, else 5, 10, 15,
    20 and 30 are tried. Missing values are no cases. ``refused`` of a screen says why it could not be made.

    ``raised`` has value, peers, n, p and, where there are two figures, value_2 and peers_2. first_contact: what was
    looked at besides is in ``second`` ("back" or "csat"); pile_up: share of all handle times, the second figures are
    the rep's own share and what the times around it would lead to, ``target`` in minutes; very_short, month_end:
    shares; asked_few: response rate and satisfied share; easy_work: minutes per ticket.
    Raises ParameterError for a window, target or level that is none, ContractError where columns are missing.

    Example:
        >>> tickets = tables.rollup("ticket_cases", start="2025-07-01", as_of="2026-07-01")
        >>> [len(screen.raised) for screen in gaming_screens(tickets, tables.reps, "2025-07-01", "2026-07-01")]
        [0, 0, 0, 0, 0, 0]
    """
    start, end = periods.window(start, end)
    if not 0 < level < 1:
        raise ParameterError(f"level {level} must lie between 0 and 1, for example 0.05.")
    if target_minutes is not None and not target_minutes > 0:
        raise ParameterError(f"target_minutes {target_minutes} must be above 0, for example 10.")
    absent = [name for name in NEEDED if name not in tickets]
    if absent:
        raise ContractError(f"ticket_cases: no column {', '.join(absent)}. Give the roll-up `ticket_cases` as it is.")
    inside = within(tickets["resolved_month"], start, end) & tickets["rep_id"].notna()
    table, mix = work_columns(tickets[inside & may_be_of_role(tickets["rep_id"], people, "support")])
    table = table.astype(dict.fromkeys(("rep_id", "account_id", *mix), "category"))
    labels = dict(people.reindex(columns=["rep_id", "name"]).dropna().astype("str").to_numpy().tolist())
    targets = ROUND_TARGETS if target_minutes is None else (float(target_minutes),)
    looks: dict[str, Callable[[], pd.DataFrame]] = {
        "first_contact": lambda: _first_contact(table, mix),
        "pile_up": lambda: _pile_up(table, mix, targets),
        "very_short": lambda: _very_short(table, mix),
        "month_end": lambda: _month_end(table, people, mix),
        "asked_few": lambda: _asked_few(table, mix),
        "easy_work": lambda: _easy_work(table),
    }
    return tuple(_screen(key, looks[key], labels, level) for key in SCREENS)


def _screen(key: str, look: Callable[[], pd.DataFrame], labels: Mapping[str, str], level: float) -> Screen:
    try:
        found = look()
    except ContractError as refusal:
        return Screen(key, pd.DataFrame(columns=EVIDENCE), 0, str(refusal))
    found = found.assign(p=_both(found) if "p_2" in found else holm(found["p"]))
    raised = found[(found["p"] <= level) & found["matters"]].sort_values(["p", "unit"])
    raised = raised.drop_duplicates("unit").assign(label=lambda rows: [labels.get(unit, unit) for unit in rows["unit"]])
    return Screen(key, raised.reindex(columns=EVIDENCE).reset_index(drop=True), found["unit"].nunique())


def _both(found: pd.DataFrame) -> np.ndarray:
    """Adjusted p of two figures that must both be unusual.

        adjusted = max(p1, p2) x number of reps whose smaller p is at most that

    A rep neither of whose figures is unusual does not count among those compared, so that far less power is lost than
    by Holm on the larger p. The two are taken as independent, which natural differences keep only roughly: the
    simulations check it on teams without gaming. Source: AdaFilter Bonferroni, Wang, Gui, Su, Sabatti & Owen 2022.
    """
    first, second = found["p"].to_numpy(float), found["p_2"].to_numpy(float)
    larger, smaller = np.maximum(first, second), np.sort(np.minimum(first, second))
    result: np.ndarray = np.minimum(larger * np.searchsorted(smaller, larger, side="right"), 1.0)
    return result


def _need(table: pd.DataFrame, column: str, what: str) -> None:
    """Raises ContractError where nothing is known of a column."""
    if column not in table or not table[column].notna().any():
        raise ContractError(f"{what}: no ticket has `{column}`. Map the column of tickets that holds it")


def _share(found: pd.Series, known: pd.Series) -> pd.Series:
    """0 and 1 as numbers, missing where not known."""
    return found.astype("float64").where(known.astype(bool))


def _first_contact(table: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    """Recorded as one contact more often, and of those more come back or fewer are satisfied."""
    _need(table, "contacts", "recorded contacts are unknown")
    one = table["contacts"].le(1).fillna(False).astype(bool)
    table = table.assign(one=_share(one, table["contacts"].notna()))
    recorded = compare_with_peers(table, "one", "share", mix)
    given, reason = {}, ""
    for name, look in (("back", _back), ("csat", _satisfied)):
        try:
            given[name] = look(table, mix).reindex(recorded.index)
        except ContractError as refusal:
            reason = str(refusal)
    if not given:
        raise ContractError(f"neither tickets that came back nor CSAT answers can be compared ({reason})")
    # Two ways in which it may show: each has half of the level. Of each rep the one that matters and is less likely.
    both = pd.concat([rows.reindex(recorded.index).assign(second=name) for name, rows in given.items()])
    p, matters = both["p"].fillna(1.0) * len(given), both["matters"].fillna(False).astype(bool)
    both = both.assign(p=p, matters=matters).iloc[np.argsort(p.where(matters, p + 2), kind="stable")]
    chosen = both[~both.index.duplicated()].reindex(recorded.index)
    large = (recorded["value"] - recorded["peers"] >= MIN_POINTS_ONE_CONTACT) & chosen["matters"]
    return _evidence(
        recorded, recorded["high"], large,
        p_2=chosen["p"].clip(upper=1.0), value_2=chosen["value"], peers_2=chosen["peers"], second=chosen["second"],
    )  # fmt: skip


def _back(table: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    """Of tickets recorded as one contact: reopened, or followed by another one of the account and category."""
    flags = [table[name] for name in ("reopened", "followed") if name in table and table[name].notna().any()]
    if not flags:
        raise ContractError("no ticket has `reopened` or an `account_id` by which another one could follow")
    known = pd.concat([flag.notna() for flag in flags], axis=1).any(axis=1)
    found = pd.concat([flag.fillna(False).astype(bool) for flag in flags], axis=1).any(axis=1)
    rows = compare_with_peers(table.assign(back=_share(found, known & (table["one"] == 1))), "back", "share", mix)
    large = (rows["value"] - rows["peers"] >= MIN_POINTS_BACK) & (rows["value"] >= MIN_TIMES_BACK * rows["peers"])
    return rows.assign(p=rows["high"], matters=large)


def _satisfied(table: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    """The share of 4 and 5 among the CSAT answers is low."""
    rows = _csat(table, mix)
    return rows.assign(p=rows["low"], matters=rows["peers"] - rows["value"] >= MIN_POINTS_CSAT)


def _csat(table: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    _need(table, "csat", "satisfaction is unknown")
    known = table["csat"].notna()
    good = table["csat"].ge(SATISFIED).fillna(False).astype(bool)
    return compare_with_peers(table.assign(satisfied=_share(good, known)), "satisfied", "share", mix)


def _pile_up(table: pd.DataFrame, mix: Sequence[str], targets: Sequence[float]) -> pd.DataFrame:
    """Handle times just below a target: more than around it, and more so than with peers."""
    _need(table, "handle_minutes", "handle times are unknown")
    found, reason = [], ""
    for target in targets:
        try:
            found.append(_pile_at(table, mix, target))
        except ContractError as refusal:
            reason = f"around {target:g} minutes: {refusal}"
    if not found:
        raise ContractError(reason)
    return pd.concat(found, ignore_index=True)


def _pile_at(table: pd.DataFrame, mix: Sequence[str], target: float) -> pd.DataFrame:
    """Handle times just below one target. Peers round to whole minutes too, so that is in their figure.

    Within [target - 3 w, target + 2 w) a fifth lies in [target - w, target) where the density is a straight line there.
    """
    minutes = table["handle_minutes"].astype("float64")
    width = max(1.0, round(target / 10))
    below = minutes.between(target - width, target, inclusive="left")
    around = minutes.between(target - 3 * width, target + 2 * width, inclusive="left")
    near = compare_with_peers(table.assign(below=_share(below, around)), "below", "share", mix)
    # The region's share against a straight line, with the same error as against peers.
    line = peers.scaled(np.full(len(near), 0.2), "share")
    ahead = (peers.scaled(near["value"].to_numpy(), "share") - line) / near["se"].to_numpy()
    count, expected = near["value"] * near["n"], near["peers"] * near["n"]
    around_it = (near["n"] - count) / 4
    large = (count >= MIN_TIMES_PILE * np.maximum(expected, around_it)) & (
        count - np.maximum(expected, around_it) >= MIN_CASES_PILE
    )
    whole = near
    if large.any():  # of all handle times, for the reader
        known = minutes.notna() & table["rep_id"].isin(near.index)
        every = table.assign(below=_share(below, known))
        whole = compare_with_peers(every, "below", "share", mix).loc[near.index]
    p = np.maximum(near["high"], upper_tail(ahead))
    second = {"value_2": count / whole["n"], "peers_2": around_it / whole["n"]}
    return _evidence(whole, p, large, target=np.full(len(near), target), **second)


def _very_short(table: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    """Contacts of under 10 seconds of handling."""
    _need(table, "handle_minutes", "handle times are unknown")
    minutes = table["handle_minutes"].astype("float64")
    table = table.assign(short=_share(minutes < VERY_SHORT_MINUTES, minutes.notna()))
    rows = compare_with_peers(table, "short", "share", mix)
    large = (rows["value"] * rows["n"] >= MIN_CASES_SHORT) & (
        rows["value"] >= np.maximum(MIN_TIMES_SHORT * rows["peers"], MIN_SHARE_SHORT)
    )
    # Habits differ by factors where something is rare, so the question is who is above twice the usual.
    return _evidence(rows, peers.beyond(rows, "share", TIMES_SHORT), large)


def _month_end(table: pd.DataFrame, people: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    """Resolved from the last two working days of the month on; what falls into a rep's month depends on each other."""
    _need(table, "resolved_day", "days of resolution are unknown")
    day = table["resolved_day"].to_numpy("datetime64[D]")
    following = (day.astype("datetime64[M]") + 1).astype("datetime64[D]")
    late = day >= np.busday_offset(following, -LAST_WORKING_DAYS, roll="forward")
    month = table["resolved_month"].dt.strftime("%Y-%m")
    table = table.assign(
        late=_share(pd.Series(late, index=table.index), table["resolved_day"].notna()),
        month=month.astype("category"),
        rep_month=(table["rep_id"].astype("str") + month).astype("category"),
    )
    whole = table[~table["rep_month"].isin(_partly_there(people))]
    rows = compare_with_peers(whole, "late", "share", [*mix, "month"], cluster="rep_month")
    large = rows["value"] >= np.maximum(MIN_TIMES_MONTH_END * rows["peers"], rows["peers"] + MIN_POINTS_MONTH_END)
    return _evidence(rows, rows["high"], large)


def _partly_there(people: pd.DataFrame) -> set[str]:
    """Rep and month, written together, of those who came or left in it."""
    found: set[str] = set()
    for column in ("hired_on", "left_on"):
        if len(people) and column in people:
            known = people[people[column].notna()]
            found |= set(known["rep_id"].astype("str") + pd.to_datetime(known[column]).dt.strftime("%Y-%m"))
    return found


def _asked_few(table: pd.DataFrame, mix: Sequence[str]) -> pd.DataFrame:
    """Few tickets with an answer, and those content: were the others asked?"""
    _need(table, "csat", "satisfaction is unknown")
    responded = compare_with_peers(
        table.assign(responded=table["csat"].notna().astype("float64")), "responded", "share", mix
    )
    content = _csat(table, mix)
    both = responded.index.intersection(content.index)
    responded, content = responded.loc[both], content.loc[both]
    large = (responded["value"] <= MAX_TIMES_ANSWERED * responded["peers"]) & (
        content["value"] - content["peers"] >= MIN_POINTS_CSAT
    )
    second = {"p_2": content["high"], "value_2": content["value"], "peers_2": content["peers"]}
    return _evidence(responded, responded["low"], large, **second)


def _easy_work(table: pd.DataFrame) -> pd.DataFrame:
    """Minutes that peers need for the categories and priorities of the tickets, beside the rest of the same queue."""
    _need(table, "handle_minutes", "handle times are unknown")
    kinds = [name for name in ("category", "priority") if name in table and table[name].nunique() > 1]
    if not kinds:
        raise ContractError("every ticket has the same `category` and `priority`, or none: none is easier than another")
    queue = [name for name in ("segment", "worth", "channel", "opened_weekday", "opened_hour") if name in table]
    what = table[kinds[0]].astype("str").where(table[kinds[0]].notna(), "")
    for name in kinds[1:]:
        what = what + "\x1f" + table[name].astype("str").where(table[name].notna(), "")
    table = table.assign(what=what.astype("category"))
    worked = table[table["handle_minutes"].gt(0).fillna(False).astype(bool)]
    easy = _usual_minutes(worked, queue)
    table = table.assign(usual=table["what"].map(easy).astype("float64"))
    rows = compare_with_peers(table, "usual", "count", queue)
    return _evidence(rows, rows["low"], rows["value"] <= MAX_TIMES_EASY * rows["peers"])


def _usual_minutes(worked: pd.DataFrame, queue: Sequence[str]) -> pd.Series:
    """Minutes by kind of ticket, fitted within reps and queues: how fast a rep works does not count."""
    coded = casemix.coded(worked, "handle_minutes", "time", ["what", *queue], worked["rep_id"], "account_id")
    if "what" not in coded.factors:
        raise ContractError("too few tickets with `handle_minutes` to tell easy work from hard")
    place = coded.factors.index("what")
    longer = np.exp(casemix.fit(coded, "time").beta[place][coded.codes[place]])
    minutes = worked["handle_minutes"].astype("float64").mean() / longer.mean()
    return pd.Series(longer * minutes, index=worked.index).groupby(worked["what"], observed=True).first()


def _evidence(
    rows: pd.DataFrame, p: pd.Series | np.ndarray, matters: pd.Series, **second: pd.Series | np.ndarray
) -> pd.DataFrame:
    """One row per rep: the figures, p, the second figure where there is one, and whether the difference is large."""
    columns = {name: rows[name] for name in ("value", "peers", "n")} | {"p": p} | second | {"matters": matters}
    return pd.DataFrame({"unit": rows.index, **{name: np.asarray(each) for name, each in columns.items()}})
