"""Sentences of the report on reps: which differences are real, which are not, and what to do next.

A verdict is about a figure, never about a person: what stands here is worth a question or worth learning from, and
nothing else follows from it. Adapters to charts and tables of the same comparisons stand in ``board``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cs_helpers.core import metrics as definitions
from cs_helpers.core.results import Suppressed
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    count,
    inside,
    is_given,
    listed,
    percent,
    refusal_takeaway,
    sentence,
)

WHO = {"support": ("support rep", "support reps"), "csm": ("CSM", "CSMs"), "manager": ("manager", "managers")}
"""What the compared are called: one and many."""

FIRST = {
    "support": ("csat", "resolution_hours", "tickets_per_working_day"),
    "csm": ("book_renewal_rate", "nps", "book_grr"),
}
"""The measure that a sentence about a whole team speaks of, the first that is there."""


def who(board: Any, number: float = 2, role: str = "") -> str:
    """``support rep``, ``CSMs``, ``managers``: those whom a board compares; ``reps`` for a benchmark without a role."""
    level = getattr(board, "level", "rep")
    one, many = WHO.get(level if level == "manager" else role or getattr(board, "role", ""), ("rep", "reps"))
    return one if number == 1 else many


def judged(board: Any) -> list[Any]:
    """The benchmarks of a board in which at least two have a figure."""
    return [each for each in board.benchmarks if each.key not in board.refused]


def naming(key: str) -> str:
    """A metric's name inside a sentence: ``CSAT``, ``tickets per working day``."""
    return inside(definitions.short_name(key))


def chosen(board: Any, key: str) -> Any:
    """The benchmark of one measure of a board, or a Suppressed with the reason why there is none."""
    if isinstance(board, Suppressed):
        return board
    found = board.of(key)
    if found is not None:
        return found
    return Suppressed(board.refused.get(key, f"{naming(key)} was not measured in these data"))


def leading_measure(board: Any, role: str, steer: Sequence[str] = ()) -> str:
    """The measure that sentences about the whole team speak of; "" where none could be compared.

    The first that is there of: the first one that steers the team, what speaks best for its role, all else.
    """
    there = [each.key for each in judged(board)]
    wanted = [*steer[:1], *FIRST.get(role, ()), *steer, *there]
    return next((key for key in wanted if key in there), "")


def in_short(reason: str) -> str:
    """The first sentence of a reason."""
    return reason.split(". ")[0].split("\n")[0]


def opening_words(board: Any, role: str) -> str:
    """``No support rep``'s plural for a sentence that says why nobody is compared."""
    return f"{capital(WHO[role][1])} cannot be compared."


def say_real(board: Any, role: str, steer: Sequence[str] = (), anchor: str = "") -> Headline:
    """Which differences are real: who, on what, by how much; or that nobody can be told apart.

    Names stand for one measure (``leading_measure``), other measures for how many were told apart on them.
    ``steer``: the measures that steer the team.
    """
    anchor = anchor or f"{role}-real"
    if refusal := refusal_takeaway(opening_words(board, role), board, anchor):
        return refusal
    if not judged(board):
        return Headline(f"{capital(who(board))} cannot be compared on any measure.", _why_refused(board), anchor)
    compared = count(board.units, who(board, 1), who(board))
    if not len(board.apart):
        return Headline(
            f"No {who(board, 1)} can be told apart from the others on {_any_measure(board)}.",
            f"{compared} compared, cases alike. No proof that they are equal: chance alone makes such tables.",
            anchor,
        )
    main = board.of(leading_measure(board, role, steer))
    others = [each for each in _by_weight(board, steer) if each.key != main.key and len(each.told_apart)]
    rows = main.told_apart.sort_values("q", kind="stable").assign(key=main.key, centre=main.centre)
    if len(rows):
        names = listed([called(label) for label in rows["label"]])
        verb = "differs" if len(rows) == 1 else "differ"
        found = (
            f"On {naming(main.key)} {len(rows)} of {count(len(main.shown), who(board, 1), who(board))} {verb} by more "
            f"than chance and case mix explain: {names}."
        )
        parts = [f"{_figures_words(rows)}."]
    else:
        found = f"On {naming(main.key)} no {who(board, 1)} can be told apart from the others."
        parts = []
    if others:
        parts.append(f"Told apart elsewhere: {listed([_apart_share(each) for each in others], most=3)}.")
    if beyond := _exceptional(main):
        parts.append(f"Beyond even the usual differences between {who(board)}: {listed(beyond)}.")
    return Headline(found, " ".join(parts), anchor)


def _figures_words(rows: Any, most: int = 4) -> str:
    """Those told apart on one measure: figure, interval and side of each, and what all have."""
    said = [
        f"{called(row.label)} {figure(row.key, row.adjusted)} ({figure_span(row.key, row.low, row.high)}), "
        f"{_SHORT_SIDES[row.verdict]}"
        for row in rows.head(most).itertuples()
    ]
    more = [f"{len(rows) - most} more"] if len(rows) > most else []
    first = next(rows.itertuples())
    return "; ".join([*said, *more, f"all {figure(first.key, first.centre)}"])


_SHORT_SIDES = {"better": "better", "worse": "less good", "higher": "higher", "lower": "lower"}


def _by_weight(board: Any, steer: Sequence[str]) -> list[Any]:
    """The judged measures: those that steer the team, those with a better side, all others."""
    return sorted(
        judged(board),
        key=lambda each: (each.key not in steer, definitions.metric(each.key).direction.startswith("neither")),
    )


def _apart_share(bench: Any) -> str:
    """``5 of 14 on time to resolve``."""
    neither = " (no side is better)" if definitions.metric(bench.key).direction.startswith("neither") else ""
    return f"{len(bench.told_apart)} of {len(bench.shown)} on {naming(bench.key)}{neither}"


def _exceptional(bench: Any) -> list[str]:
    """Those told apart who stand out even among people who differ from each other anyway."""
    rows = bench.told_apart
    if "exceptional" not in rows:
        return []
    return [called(label) for label in rows.loc[rows["exceptional"].astype(bool), "label"]]


def _any_measure(board: Any) -> str:
    """``any of 7 measures``, or the only one by name."""
    compared = judged(board)
    return f"any of {count(len(compared), 'measure')}" if len(compared) > 1 else naming(compared[0].key)


def say_first(boards: Mapping[str, Any], steered: Mapping[str, Sequence[str]] | None = None) -> list[Headline]:
    """For each team which differences are real and which are not; the reason alone where it cannot be compared."""
    said = []
    for role, board in boards.items():
        steer = (steered or {}).get(role, ())
        if isinstance(board, Suppressed):
            board = Suppressed(in_short(board.reason))
        said.append(say_real(board, role, steer))
        if not isinstance(board, Suppressed) and judged(board):
            said.append(say_not_real(board, role, steer))
    return said


_SIDES = {
    "better": "better than its cases explain",
    "worse": "less good than its cases explain",
    "higher": "higher than its cases explain, and neither side is better",
    "lower": "lower than its cases explain, and neither side is better",
}


def apart_words(row: Any) -> str:
    """One difference that was told apart: name, measure, figure with interval, what all have, and the side."""
    return (
        f"{called(row.label)}: {naming(row.key)} {figure(row.key, row.adjusted)} "
        f"({figure_span(row.key, row.low, row.high)}) against {figure(row.key, row.centre)} of all, "
        f"{_SIDES[row.verdict]}"
    )


def _why_refused(board: Any) -> str:
    reasons = list(dict.fromkeys(board.refused.values()))
    return " ".join(capital(sentence(why)) for why in reasons[:2])


def say_not_real(board: Any, role: str, steer: Sequence[str] = (), anchor: str = "") -> Headline:
    """Which differences are not: how far the raw table runs, and how many of it chance and case mix explain."""
    anchor = anchor or f"{role}-not-real"
    if refusal := refusal_takeaway(opening_words(board, role), board, anchor):
        return refusal
    key = leading_measure(board, role, steer)
    bench = board.of(key) if key else None
    if bench is None or not len(bench.shown):
        return Headline(f"No {who(board, 1)} has enough cases for a figure.", _why_refused(board), anchor)
    shown, name = bench.shown, naming(key)
    people = count(len(shown), who(board, 1), who(board))
    alike = int((shown["verdict"] == "not distinguishable").sum())
    low, high = float(shown["plain"].min()), float(shown["plain"].max())
    table = f"A plain table of {name} runs from {figure_span(key, low, high)}"
    if figure(key, low) == figure(key, high):
        table = f"A plain table of {name} shows {figure(key, low)} for everybody"
    if alike == len(shown):
        found = f"{table}, and yet none of {people} in it can be told apart."
    elif alike:
        found = f"{table}; {alike} of {people} in it cannot be told apart."
    else:
        found = f"{table}, and each of {people} in it can be told apart."
    parts = [f"{capital(noise_words(bench))}{_spread_words(bench) if alike else ''}."]
    return Headline(found, " ".join(parts), anchor)


def _spread_words(bench: Any) -> str:
    """Why somebody is not told apart where most of what differs is no chance."""
    if not is_given(bench.reliability) or bench.reliability < 0.5:
        return ""
    return "; there are differences, but who of these lies on which side is open"


def noise_words(bench: Any) -> str:
    """How much of what differs between them is chance."""
    if not is_given(bench.reliability):
        return "how much of it is chance cannot be told"
    if bench.reliability < 0.005:
        return "with cases alike, nothing of what differs between them is more than chance"
    return f"with cases alike, {percent(1 - bench.reliability, 0)} of what differs between them is chance"


def needed_cases(bench: Any, reliability: float = 0.5) -> float:
    """Cases a rep (of average independence) at which this share of what differs between reps would be no chance.

        n x (1 - R) / R x r / (1 - r)

    with R the reliability at the median number of cases n and r the wanted one (Spearman 1910, Brown 1910). NaN where
    no true difference was found, since no number of cases would do.
    """
    shown = bench.shown
    if not len(shown) or not is_given(bench.reliability) or bench.reliability < 0.01:
        return math.nan
    if bench.reliability >= 1:
        return 0.0
    odds = (1 - bench.reliability) / bench.reliability * reliability / (1 - reliability)
    return float(shown["n"].median()) * odds


_PER_TIME = ("tickets per day", "tickets per hour", "per day")  # counted by month of a rep


def case_word(key: str) -> str:
    """What one case of a measure is: a month of a rep where something is counted per time worked."""
    return "month" if definitions.metric(key).unit in _PER_TIME else "case"


def needed_words(bench: Any) -> str:
    """``about 420 cases a rep, the median has 120``; that it is enough; or that none would do."""
    need, shown, word = needed_cases(bench), bench.shown, case_word(bench.key)
    if not len(shown):
        return "–"
    median = float(shown["n"].median())
    if not is_given(need):
        return "no difference found that more cases could show"
    if need <= median:
        return f"enough: {count(median, word)} in the median"
    return f"{count(rounded(need), word)} each, {count(median, word)} now"


def rounded(value: float) -> float:
    """Two digits in all, upward."""
    if value <= 10:
        return math.ceil(value)
    size = 10 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / size) * size


def say_spread(bench: Any, anchor: str = "") -> Headline:
    """Whether the compared differ at all in a measure: size of the true differences with interval, and reliability."""
    anchor = anchor or f"spread-{getattr(bench, 'key', '')}"
    if refusal := refusal_takeaway("Whether they differ cannot be told.", bench, anchor):
        return refusal
    key, name = bench.key, naming(bench.key)
    size = size_words(key, bench.scale, bench.spread)
    span = _span(key, bench.scale, bench.spread_low, bench.spread_high)
    if not is_given(bench.spread):
        return Headline(f"Whether they differ in {name} cannot be told.", "Too few have enough cases.", anchor)
    if bench.spread_low > 0:
        found = f"They do differ in {name}: typically by {size} from the centre (standard deviation)."
    else:
        found = f"Whether they differ in {name} at all is open."
        span = f"{span}, best guess {size}"
    parts = [f"{SPAN} of the true differences: {span}." if is_given(bench.spread_low, bench.spread_high) else ""]
    if is_given(bench.reliability):
        parts.append(f"Reliability {bench.reliability:.2f}: {noise_words(bench)}.")
    if is_given(bench.design_effect) and bench.design_effect > 1.05:
        parts.append(f"Cases of one account are alike: variance is {bench.design_effect:.1f} times that of independent "
                     "ones.")  # fmt: skip
    if is_given(bench.false_alarms) and len(bench.shown) > 1:
        parts.append(
            f"Chance alone would put about {bench.false_alarms:.1f} of {len(bench.shown)} outside the "
            f"95{NARROW_SPACE}% limits."
        )
    return Headline(found, " ".join(filter(None, parts)), anchor)


def size_words(key: str, scale: str, value: float) -> str:
    """A size without sign, in the words of ``difference``."""
    return difference(key, scale, value).lstrip("+")


def _span(key: str, scale: str, low: float, high: float) -> str:
    return difference_span(key, scale, low, high).replace("+", "") if is_given(low, high) else "cannot be given"


def say_movers(bench: Any, anchor: str = "") -> Headline:
    """Whose figure the mix of cases moved most, from where to where, and what about the mix did it."""
    anchor = anchor or f"movers-{getattr(bench, 'key', '')}"
    if refusal := refusal_takeaway("What the mix of cases explains cannot be told.", bench, anchor):
        return refusal
    rows = bench.moves[bench.moves["mover"].astype(bool)] if len(bench.moves) else bench.moves
    name = naming(bench.key)
    if not len(rows):
        return Headline(
            f"The mix of cases moves nobody's {name} far.",
            _factors_words(bench),
            anchor,
        )
    top = rows.assign(by=(rows["adjusted"] - rows["raw"]).abs()).sort_values("by", ascending=False, kind="stable")
    first = next(top.itertuples())
    found = (
        f"With cases alike {called(first.label)} moves most: {name} from {figure(bench.key, first.raw)} to "
        f"{figure(bench.key, first.adjusted)}."
    )
    parts = [f"{capital(why)}." if (why := mover_why(first)) else ""]
    others = [
        f"{called(row.label)} from {figure(bench.key, row.raw)} to {figure(bench.key, row.adjusted)}"
        + (f" ({why})" if (why := mover_why(row, short=True)) else "")
        for row in top.iloc[1:3].itertuples()
    ]
    if others:
        parts.append(f"Then {'; '.join(others)}.")
    return Headline(found, " ".join(filter(None, parts)), anchor)


def mover_why(row: Any, short: bool = False) -> str:
    """What about the cases moved a figure most: ``75 % of the cases are Enterprise (segment), 31 % of all are``."""
    if not isinstance(row.why, str) or not row.why:
        return ""
    factor = factor_words(row.why)
    level = getattr(row, "why_level", "")
    if not level or not is_given(getattr(row, "why_share", None)):
        return f"mostly {factor} of the cases"
    if short:
        return f"{called(level)} {percent(row.why_share, 0)}, of all {percent(row.why_share_all, 0)}"
    return (
        f"{percent(row.why_share, 0)} of the cases are {called(level)} ({factor.removeprefix('the ')}), "
        f"{percent(row.why_share_all, 0)} of all are"
    )


def factor_words(name: object) -> str:
    """A column of the case mix in words: ``the segment``, ``the MRR``."""
    return _FACTORS.get(str(name), f"the {called(str(name).replace('_', ' '))}")


_FACTORS = {"weekend": "the day of the week"}


def _factors_words(bench: Any) -> str:
    if bench.mix is None or not bench.mix.factors:
        return "Nothing about the cases is recorded that could be taken out."
    return f"Taken out: {listed([factor_words(each) for each in bench.mix.factors], most=8)}."


def say_managers(board: Any, role: str, anchor: str = "") -> Headline:
    """Whether the teams of managers differ, where a single rep's figures are too few."""
    anchor = anchor or f"{role}-managers"
    if refusal := refusal_takeaway(f"Managers of {WHO[role][1]} are not compared.", board, anchor):
        return refusal
    if not judged(board):
        return Headline(f"Managers of {WHO[role][1]} are not compared.", _why_refused(board), anchor)
    if not len(board.apart):
        return Headline(
            f"The teams of {count(board.units, 'manager')} cannot be told apart on {_any_measure(board)}.",
            "Each by the reps recorded under him or her; differences between reps of one manager count as chance.",
            anchor,
        )
    parts = [apart_words(row) for row in board.apart.head(3).itertuples()]
    people = int(board.apart["unit"].nunique())
    return Headline(
        f"The teams of {people} of {count(board.units, 'manager')} differ by more than chance and case mix explain.",
        f"{'; '.join(parts)}.",
        anchor,
    )


def say_persistence(persistences: Sequence[Any], role: str, anchor: str = "") -> Headline:
    """Who lay outside on the same side twice in a row; or why nobody can be called consistent."""
    anchor = anchor or f"{role}-persistence"
    given = [each for each in persistences if not isinstance(each, Suppressed)]
    if not given:
        reason = persistences[0].reason if persistences else "there is no earlier period to compare with"
        return Headline("Nobody can be called a consistent outlier.", capital(sentence(reason)), anchor)
    rows = [(each, row) for each in given for row in each.consistent.itertuples()]
    if rows:
        names = list(dict.fromkeys(called(row.label) for _, row in rows))
        said = [
            f"{called(row.label)} on {naming(each.key)} ({side_words(row.side)}; z {row.z_before:.1f}, then "
            f"{row.z_now:.1f})".replace("-", "−")
            for each, row in rows[:4]
        ]
        return Headline(
            f"{capital(listed(names))} lay outside on the same side in two periods in a row.",
            f"{capital('; '.join(said))}. Worth asking what they do differently.",
            anchor,
        )
    spoken = [each for each in given if not each.refused]
    if not spoken:
        return Headline("Nobody can be called a consistent outlier.", capital(sentence(given[0].refused)), anchor)
    return Headline(
        "Nobody lay outside on the same side in two periods in a row.",
        f"Looked at: {listed([naming(each.key) for each in spoken], most=8)}.",
        anchor,
    )


def side_words(side: str) -> str:
    """A side of the centre: ``the better side``; ``higher`` where no side is better."""
    return {"better": "the better side", "worse": "the other side"}.get(side, side)


def say_steering(warnings: Sequence[str], role: str, keys: Sequence[str], anchor: str = "") -> Headline:
    """What steers a team, and whether that is more than one satisfaction and one productivity measure."""
    anchor = anchor or f"{role}-steering"
    if not warnings:
        pairs = [f"{naming(definitions.metric(key).counter_metric)} for {naming(key)}" for key in keys]
        price = f": {listed(pairs)}" if pairs else ""
        return Headline(
            f"{capital(WHO[role][1])} are steered by {listed([naming(key) for key in keys]) or 'no measure'}.",
            f"The other measures are there to be watched, so that the price of chasing these is seen{price}.",
            anchor,
        )
    return Headline(capital(sentence(warnings[0])), " ".join(capital(sentence(each)) for each in warnings[1:]), anchor)


def say_untouched(board: Any, role: str, anchor: str = "") -> Headline:
    """Who has no case, who has too few, and what of the cases belongs to nobody."""
    anchor = anchor or f"{role}-untouched"
    if refusal := refusal_takeaway(f"Who of the {WHO[role][1]} has no case cannot be told.", board, anchor):
        return refusal
    few = {str(row.unit) for each in board.benchmarks for row in each.units.itertuples() if row.verdict == "too few"}
    seen = {str(row.unit) for each in board.benchmarks for row in each.shown.itertuples()}
    parts = []
    if board.untouched:
        names = [called(name) for name in board.untouched]
        parts.append(f"Without any case in this window, perhaps not yet or no longer there: {listed(names)}.")
    if few - seen:
        parts.append(f"{count(len(few - seen), 'person', 'people')} with too few cases on every measure.")
    notes = list(dict.fromkeys([*board.notes, *(note for each in board.benchmarks for note in each.notes)]))
    parts += [capital(sentence(note)) for note in notes[:4]]
    if not board.untouched and not few - seen:
        found = f"Each of the {WHO[role][1]} has cases enough on at least one measure."
    else:
        found = (
            f"{count(len(board.untouched) + len(few - seen), WHO[role][0], WHO[role][1])} cannot be compared at all."
        )
    return Headline(found, " ".join(parts), anchor)


def say_own_churn(board: Any, anchor: str = "csm-own-churn") -> Headline:
    """That a CSM's own renewals can hardly ever be told apart in a year, with this book's figures, where it holds."""
    bench = chosen(board, "book_renewal_rate")
    if refusal := refusal_takeaway("Renewals by CSM are not compared.", bench, anchor):
        return refusal
    if len(bench.told_apart):
        names = [called(label) for label in bench.told_apart["label"]]
        return Headline(
            f"The renewals of {listed(names)} can be told apart.", f"{capital(noise_words(bench))}.", anchor
        )
    median = float(bench.units["n"].median()) if len(bench.units) else 0.0
    return Headline(
        "A CSM's own churn can almost never be told apart in a year, and here it cannot.",
        f"A CSM has {count(median, 'renewal')} in the median here: twelve CSMs who are all alike, with 40 accounts "
        "each and nine in ten renewed, would still lie about 15 points apart from first to last.",
        anchor,
    )


def say_resolved(rates: Any, anchor: str = "support-resolved") -> Headline:
    """How many of the contacts that were answered were resolved, with the rate on all contacts beside it.

    ``rates``: both as ``reps.resolved_rates`` gives them, or a Suppressed.
    """
    if refusal := refusal_takeaway("How many contacts were resolved cannot be told.", rates, anchor):
        return refusal
    answered, every = rates
    whole = f"{figure(every.key, every.value)} of all {every.n:,} contacts were resolved"
    if answered.value is None:
        return Headline(f"{whole}.", capital(sentence(answered.reason)), anchor)
    return Headline(
        f"{figure(answered.key, answered.value)} of the contacts answered were resolved.",
        f"{SPAN} {figure_span(answered.key, answered.low, answered.high)}, {answered.n:,} answered. {whole} "
        f"({figure_span(every.key, every.low, every.high)}): who is never answered is not resolved either.",
        anchor,
    )


def say_answered(rates: Any, anchor: str = "support-answered") -> Headline:
    """How many tickets were rated at all, since who answers is not everybody.

    ``rates``: by name as ``reps.answer_rates`` gives them, or a Suppressed.
    """
    if refusal := refusal_takeaway("How many customers answered cannot be told.", rates, anchor):
        return refusal
    given = [each for each in rates.values() if each.value is not None]
    if not given:
        return Headline("Nobody was asked how content they were.", "", anchor)
    parts = [
        f"{definitions.short_name(each.key).removesuffix(' response rate')} {percent(each.value)} "
        f"({figure_span(each.key, each.low, each.high)})"
        for each in given
    ]
    return Headline(
        f"Of {given[0].denominator:,.0f} tickets resolved, so many were rated: {' and '.join(parts)}.",
        "What the others thought is not known; who is angry or delighted answers more often.",
        anchor,
    )


def say_missing(team: Any, role: str, anchor: str = "") -> tuple[Headline, ...]:
    """What of a team's cases the data do not hold, one reason each; nothing where all is there."""
    anchor = anchor or f"{role}-missing"
    if isinstance(team, Suppressed):
        return ()
    return tuple(
        Headline("Not measured.", capital(sentence(why)), f"{anchor}-{place}") for place, why in enumerate(team.missing)
    )


REP_METRICS = (
    "csat", "ces", "tickets_per_working_day", "tickets_per_hour", "fcr", "repeat_contact_rate", "reopen_rate",
    "escalation_rate", "resolved_rate", "service_level", "asa_seconds", "abandonment_rate", "first_response_hours",
    "resolution_hours", "aht_minutes", "agent_satisfaction", "nps", "touches_per_working_day",
    "touch_hours_per_account", "book_renewal_rate", "book_grr", "book_nrr", "usage_change", "onboarding_days",
    "book_coverage", "support_reps_apart", "csms_apart", "time_to_proficiency", "internal_moves_rate",
)  # fmt: skip
"""The definitions the report on reps rests on."""
