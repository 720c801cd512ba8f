"""A whole team: which differences are clear, which are not, what to do next, every measure, the managers.

A verdict is about a figure, never about a person: what stands here is worth a question or worth learning from, and
nothing else follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.estimates import Change, Comparison, Estimate, Target
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, folded, stacked, table
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.views import Tiles, View, view_for
from cs_helpers.report.words import (
    SPAN,
    Headline,
    called,
    capital,
    count,
    is_given,
    listed,
    percent,
    plain,
    sentence,
)
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import (
    Benchmark,
    Board,
    History,
    ManagerBenchmark,
    RepsSummary,
    TeamBenchmark,
    TeamFindings,
    UnitRow,
    rows_of,
)
from cs_helpers.reps.views.steps import next_of_teams, steps_of
from cs_helpers.reps.views.words import (
    WHO,
    bare,
    compared_measures,
    in_short,
    leading_benchmark,
    naming,
    needed_words,
    noise_words,
    people,
    verdict_words,
    who,
)

MAX_TILES = 4
MAX_NAMED = 4  # of those who are clearly different, in one sentence
APART_KEYS = {"support": "support_reps_apart", "csm": "csms_apart"}
_SHORT_SIDES = {"better": "better", "worse": "less good", "higher": "higher", "lower": "lower"}
_SIDES = {
    "better": "better than its cases explain",
    "worse": "less good than its cases explain",
    "higher": "higher than its cases explain, and neither side is better",
    "lower": "lower than its cases explain, and neither side is better",
}
PURPOSE = (
    "Learning and fair conditions. No decision about a person may rest on it: its findings are questions to the "
    "people who did the work. Figures about named people are personal data: whoever runs this needs a legal basis, "
    "tells the people concerned, and asks the works council where there is one."
)


@view_for(RepsSummary)
class RepsSummaryView(View[RepsSummary]):
    """Tiles, takeaways and the purpose of a report on reps."""

    def headline(self, result: RepsSummary) -> Headline:
        """Which differences are clear, for the first team."""
        return first_sentences(result.teams[0])[0]

    def takeaways(self, result: RepsSummary) -> Sequence[Headline]:
        """For each team which differences are clear and which are not; then what to do next."""
        said = [one for team in result.teams for one in first_sentences(team)]
        return (*said, next_of_teams(result.teams))

    def findings(self, result: RepsSummary) -> Sequence[Headline]:
        return self.takeaways(result)[1:]

    def tiles(self, result: RepsSummary) -> Tiles:
        """How many of each team are clearly different, and the organisation against its own past and its targets.

        Four tiles at most, a row of the page: one per team, for the measure its sentences are about, then the measures
        of the teams in turn; what is missing has no tile where others are.
        """
        items, basis = [], {}
        there = [team for team in result.teams if not isinstance(team.board, Suppressed)]
        for team in there or result.teams:
            item, words = _apart_tile(team)
            items.append(item)
            basis[item.now.key] = words
        queues = [list(result.histories.get(team.role, {}).items()) for team in result.teams]
        turns = [pair for turn in zip_longest(*queues) for pair in turn if pair is not None]
        given = [pair for pair in turns if not isinstance(pair[1], Suppressed)]
        for key, history in given or turns:
            if isinstance(history, Suppressed):
                items.append(_without_value(key, history.reason))
            else:
                items.append(history_comparison(history))
                low, high = history.now.low, history.now.high
                span = f"{figure_span(key, low, high)}, " if is_given(low, high) else ""
                basis[key] = f"{span}n = {history.now.n:,}"
        note = (
            "Told apart: by more than chance, case mix and the number of comparisons explain. Ranges: "
            f"{SPAN}s of the whole organisation, held against its own past."
        )
        return Tiles(tuple(items[:MAX_TILES]), result.currency, basis, note)

    def notice(self, result: RepsSummary) -> Block:
        """What the report is for, and what speaks against what the teams are steered by."""
        html = f'<p class="cs-note cs-purpose"><strong>What this is for.</strong> {plain(PURPOSE)}</p>'
        purpose = Block(html, f"What this is for. {PURPOSE}")
        if not result.warnings:
            return purpose
        warnings = [capital(sentence(each)) for each in result.warnings]
        items = "".join(f"<li>{plain(each)}</li>" for each in warnings)
        html = f'<aside class="cs-refusal cs-caveats"><strong>Steered by too much.</strong><ul>{items}</ul></aside>'
        return stacked(purpose, Block(html, "Steered by too much:\n" + "\n".join(f"- {each}" for each in warnings)))

    def table(self, result: RepsSummary) -> pd.DataFrame:
        boards = [team.board for team in result.teams if not isinstance(team.board, Suppressed)]
        frames = [board_frame(board).assign(role=board.role) for board in boards]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def page_table(self, result: RepsSummary) -> Block | None:
        return None  # the sections of the teams have it


@view_for(TeamBenchmark)
class TeamBenchmarkView(View[TeamBenchmark]):
    """Every measure of one team: what is clear, what is not, next steps, who cannot be compared."""

    def headline(self, result: TeamBenchmark) -> Headline:
        """Which differences are clear."""
        return clear_differences(result.board, result.findings.steered_by)

    def findings(self, result: TeamBenchmark) -> Sequence[Headline]:
        """What is not clear, next steps, response rates, what the team is steered by, and who is not compared."""
        role, board = result.role, result.board
        said = list(first_sentences(result.findings)[1:])
        if role == "csm":
            said.append(_own_churn(board))
        said += steps_of(result.findings)
        if result.response_rates is not None:
            said.append(_response(result.response_rates))
        if result.resolved_rates is not None:
            said.append(_resolved(result.resolved_rates))
        said += [_steered(result), _not_compared(board)]
        said += [
            Headline("Not measured.", capital(sentence(why)), f"{role}-missing-{place}")
            for place, why in enumerate(result.missing)
        ]
        return said

    def table(self, result: TeamBenchmark) -> pd.DataFrame:
        return board_frame(result.board)

    def page_table(self, result: TeamBenchmark) -> Block | None:
        """One row per measure, also for those that could not be compared, with the reason."""
        return board_table(result.board)


@view_for(ManagerBenchmark)
class ManagerBenchmarkView(View[ManagerBenchmark]):
    """Managers compared by the reps recorded under them, where a single rep's figures are too few."""

    def headline(self, result: ManagerBenchmark) -> Headline:
        """Whether the teams of managers differ."""
        board, anchor = result.board, f"{result.role}-managers"
        if not compared_measures(board):
            return Headline(f"Managers of {WHO[result.role][1]} are not compared.", _why_refused(board), anchor)
        if not len(board.differences):
            return Headline(
                f"The teams of {count(board.units, 'manager')} cannot be told apart on {_any_measure(board)}.",
                "Each by the reps recorded under him or her; differences between reps of one manager count as chance.",
                anchor,
            )
        rows = [(each, row) for each in board.benchmarks for row in rows_of(each.clearly_different, UnitRow)]
        order = {(row.key, row.unit): place for place, row in enumerate(board.differences.itertuples())}
        rows.sort(key=lambda pair: order[(pair[0].key, pair[1].unit)])
        parts = [_difference_words(each, row) for each, row in rows[:3]]
        people_ = int(board.differences["unit"].nunique())
        return Headline(
            f"The teams of {people_} of {count(board.units, 'manager')} differ by more than chance and case mix "
            "explain.",
            f"{'; '.join(parts)}.",
            anchor,
        )

    def table(self, result: ManagerBenchmark) -> pd.DataFrame:
        columns = ["label", "n", "reps", "adjusted", "low", "high", "verdict"]
        frames = [each.units.reindex(columns=columns).assign(measure=each.key) for each in result.board.benchmarks]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def page_table(self, result: ManagerBenchmark) -> Block | None:
        """Every manager on every measure, by name: cases alike, interval, verdict."""
        rows = [
            (called(row.label), capital(naming(each.key)), int(row.n), figure(each.key, row.adjusted),
             figure_span(each.key, row.low, row.high), verdict_words(row))
            for each in result.board.benchmarks for row in rows_of(each.units, UnitRow)
        ]  # fmt: skip
        if not rows:
            return None
        columns = ["Manager", "Measure", "Cases", "Cases alike", SPAN, "Verdict"]
        shown = pd.DataFrame(rows, columns=columns).sort_values(["Manager", "Measure"], kind="stable")
        made = table(shown, "Managers, with the cases of all their reps")
        return folded(made, "Every manager on every measure")


# --- sentences about a team


def first_sentences(team: TeamFindings) -> tuple[Headline, ...]:
    """Which differences are clear and which are not; the reason alone where the team cannot be compared."""
    role, board = team.role, team.board
    if isinstance(board, Suppressed):
        why = capital(sentence(in_short(board.reason)))
        return (Headline(f"{capital(WHO[role][1])} cannot be compared.", why, f"{role}-real"),)
    clear = clear_differences(board, team.steered_by)
    return (clear, _unclear(board, team.steered_by)) if compared_measures(board) else (clear,)


def clear_differences(board: Board, steer: Sequence[str] = ()) -> Headline:
    """Which differences are clear: who, on what, by how much; or that nobody is clearly different.

    Names stand for one measure (``leading_benchmark``), other measures for how many are clearly different on them.
    """
    anchor, one, many = f"{board.role}-real", who(board.level, board.role, 1), who(board.level, board.role)
    main = leading_benchmark(board, steer)
    if main is None:
        return Headline(f"{capital(many)} cannot be compared on any measure.", _why_refused(board), anchor)
    if not len(board.differences):
        return Headline(
            f"No {one} can be told apart from the others on {_any_measure(board)}.",
            f"{count(board.units, one, many)} compared, cases alike. No proof that they are equal: chance alone makes "
            "such tables.",
            anchor,
        )
    others = [each for each in compared_measures(board) if each.key != main.key and len(each.clearly_different)]
    others.sort(key=lambda each: (each.key not in steer, measure(each.key).better == "neither"))
    rows = rows_of(main.clearly_different.sort_values("q", kind="stable"), UnitRow)
    if rows:
        names = listed([called(row.label) for row in rows])
        verb = "differs" if len(rows) == 1 else "differ"
        found = (
            f"On {naming(main.key)} {len(rows)} of {count(len(main.shown), one, many)} {verb} by more "
            f"than chance and case mix explain: {names}."
        )
        parts = [f"{_figures_words(main, rows)}."]
    else:
        found = f"On {naming(main.key)} no {one} can be told apart from the others."
        parts = []
    if others:
        parts.append(f"Told apart elsewhere: {listed([_apart_share(each) for each in others], most=3)}.")
    if beyond := [called(row.label) for row in rows_of(main.clearly_different, UnitRow) if row.exceptional]:
        parts.append(f"Beyond even the usual differences between {many}: {listed(beyond)}.")
    return Headline(found, " ".join(parts), anchor)


def _figures_words(bench: Benchmark, rows: Sequence[UnitRow]) -> str:
    """Those who are clearly different on one measure: figure, interval and side of each, and what all have."""
    key = bench.key
    said = [
        f"{called(row.label)} {figure(key, row.adjusted)} ({figure_span(key, row.low, row.high)}), "
        f"{_SHORT_SIDES[row.verdict]}"
        for row in rows[:MAX_NAMED]
    ]
    more = [f"{len(rows) - MAX_NAMED} more"] if len(rows) > MAX_NAMED else []
    return "; ".join([*said, *more, f"all {figure(key, bench.centre)}"])


def _apart_share(bench: Benchmark) -> str:
    """``5 of 14 on time to resolve``."""
    neither = " (no side is better)" if measure(bench.key).better == "neither" else ""
    return f"{len(bench.clearly_different)} of {len(bench.shown)} on {naming(bench.key)}{neither}"


def _any_measure(board: Board) -> str:
    """``any of 7 measures``, or the only one by name."""
    compared = compared_measures(board)
    return f"any of {count(len(compared), 'measure')}" if len(compared) > 1 else naming(compared[0].key)


def _difference_words(bench: Benchmark, row: UnitRow) -> str:
    """One clear difference: name, measure, figure with interval, what all have, and the side."""
    key = bench.key
    return (
        f"{called(row.label)}: {naming(key)} {figure(key, row.adjusted)} ({figure_span(key, row.low, row.high)}) "
        f"against {figure(key, bench.centre)} of all, {_SIDES[row.verdict]}"
    )


def _why_refused(board: Board) -> str:
    reasons = list(dict.fromkeys(board.refused.values()))
    return " ".join(capital(sentence(why)) for why in reasons[:2])


def _unclear(board: Board, steer: Sequence[str]) -> Headline:
    """Which differences are not clear: how far the plain table runs, and how much of it chance and case mix explain."""
    anchor = f"{board.role}-not-real"
    bench = leading_benchmark(board, steer)
    if bench is None or not len(bench.shown):
        return Headline(f"No {who(board.level, board.role, 1)} has enough cases for a figure.", "", anchor)
    shown, name, key = bench.shown, naming(bench.key), bench.key
    counted = people(len(shown), board.level, board.role)
    alike = int((shown["verdict"] == "not distinguishable").sum())
    low, high = float(shown["plain"].min()), float(shown["plain"].max())
    runs = f"A plain table of {name} runs from {figure_span(key, low, high)}"
    if figure(key, low) == figure(key, high):
        runs = f"A plain table of {name} shows {figure(key, low)} for everybody"
    if alike == len(shown):
        found = f"{runs}, and yet none of {counted} in it can be told apart."
    elif alike:
        found = f"{runs}; {alike} of {counted} in it cannot be told apart."
    else:
        found = f"{runs}, and each of {counted} in it can be told apart."
    real = alike and is_given(bench.reliability) and bench.reliability >= 0.5
    sides = "; there are differences, but who of these lies on which side is open" if real else ""
    return Headline(found, f"{capital(noise_words(bench))}{sides}.", anchor)


def _own_churn(board: Board) -> Headline:
    """That a CSM's own renewals can hardly ever be judged in a year, with these figures, where it holds."""
    anchor = "csm-own-churn"
    bench = board.of("book_renewal_rate")
    if bench is None:
        why = board.refused.get("book_renewal_rate", f"{naming('book_renewal_rate')} was not measured in these data")
        return Headline("Renewals by CSM are not compared.", capital(sentence(why)), anchor)
    if len(bench.clearly_different):
        names = [called(label) for label in bench.clearly_different["label"]]
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


def _response(rates: Mapping[str, Estimate] | Suppressed) -> Headline:
    """How many tickets were rated at all, since customers who answer are not all customers."""
    anchor = "support-answered"
    if isinstance(rates, Suppressed):
        return Headline("How many customers answered cannot be told.", capital(sentence(rates.reason)), anchor)
    given = [each for each in rates.values() if each.value is not None]
    if not given:
        return Headline("Nobody was asked how content they were.", "", anchor)
    parts = [
        f"{definitions.short_name(each.key).removesuffix(' response rate')} {percent(each.value)} "
        f"({figure_span(each.key, each.low, each.high)})"
        for each in given
    ]
    return Headline(
        f"Of {given[0].denominator or 0:,.0f} tickets resolved, so many were rated: {' and '.join(parts)}.",
        "What the others thought is not known; who is angry or delighted answers more often.",
        anchor,
    )


def _resolved(rates: tuple[Estimate, Estimate] | Suppressed) -> Headline:
    """How many of the contacts that were answered were resolved, with the rate on all contacts beside it."""
    anchor = "support-resolved"
    if isinstance(rates, Suppressed):
        return Headline("How many contacts were resolved cannot be told.", capital(sentence(rates.reason)), anchor)
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


def _steered(result: TeamBenchmark) -> Headline:
    """What steers a team, and whether that is more than one satisfaction and one productivity measure."""
    role, keys, warnings = result.role, result.steering.keys, result.steering.warnings
    anchor = f"{role}-steering"
    if not warnings:
        pairs = [f"{naming(watched)} for {naming(key)}" for key, watched in result.steering.pairs]
        price = f": {listed(pairs)}" if pairs else ""
        return Headline(
            f"{capital(WHO[role][1])} are steered by {listed([naming(key) for key in keys]) or 'no measure'}.",
            f"The other measures are there to be watched, so that the price of chasing these is seen{price}.",
            anchor,
        )
    return Headline(capital(sentence(warnings[0])), " ".join(capital(sentence(each)) for each in warnings[1:]), anchor)


def _not_compared(board: Board) -> Headline:
    """Who has no case, who has too few, and what of the cases belongs to nobody."""
    role = board.role
    few = {unit for each in board.benchmarks for unit in each.units.loc[each.units["verdict"] == "too few", "unit"]}
    few -= {unit for each in board.benchmarks for unit in each.shown["unit"]}
    parts = []
    if board.untouched:
        names = [called(name) for name in board.untouched]
        parts.append(f"Without any case in this window, perhaps not yet or no longer there: {listed(names)}.")
    if few:
        parts.append(f"{count(len(few), 'person', 'people')} with too few cases on every measure.")
    notes = list(dict.fromkeys([*board.notes, *(note for each in board.benchmarks for note in each.notes)]))
    parts += [capital(sentence(note)) for note in notes[:4]]
    if not board.untouched and not few:
        found = f"Each of the {WHO[role][1]} has cases enough on at least one measure."
    else:
        found = f"{count(len(board.untouched) + len(few), *WHO[role])} cannot be compared at all."
    return Headline(found, " ".join(parts), f"{role}-untouched")


# --- tiles and tables


def _apart_tile(team: TeamFindings) -> tuple[Comparison, str]:
    key, board = APART_KEYS[team.role], team.board
    if isinstance(board, Suppressed):
        return _without_value(key, in_short(board.reason)), ""
    bench = leading_benchmark(board, team.steered_by)
    if bench is None:
        return _without_value(key, f"no {who(board.level, board.role, 1)} has enough cases for a figure"), ""
    apart, shown = len(bench.clearly_different), len(bench.shown)
    more = len(compared_measures(board)) - 1
    others = f"; {count(more, 'other measure')} below" if more else ""
    names = f": {listed([called(label) for label in bench.clearly_different['label']], most=3)}" if apart else ""
    return _alone(Estimate(key, float(apart), None, float(shown), shown)), f"on {naming(bench.key)}{names}{others}"


def _alone(estimate: Estimate) -> Comparison:
    """A figure that is compared with nothing."""
    return Comparison(estimate, estimate, Change("no comparison"), "", "")


def _without_value(key: str, reason: str) -> Comparison:
    return _alone(Estimate(key, None, None, None, 0, reason=reason))


def history_comparison(history: History) -> Comparison:
    """A history as a tile: now against the window before, the last thirteen months, and the target."""
    change = Change("no comparison")
    if history.now.value is not None and history.before.value is not None:
        change = Change(history.verdict, history.now.value - history.before.value)
    trend = tuple(float(value) for value in history.months["adjusted"].tail(13))
    target = None
    if history.target is not None and history.target_verdict:
        target = Target(float(history.target), history.target_verdict, "", "")
    now = replace(history.now, numerator=None, denominator=None)  # its basis says the number of cases instead
    return Comparison(now, history.before, change, "now", "the window before", trend, target)


def board_frame(board: Board) -> pd.DataFrame:
    """One row per compared measure, numbers unformatted."""
    rows = [
        {
            "measure": each.key,
            "centre": each.centre,
            "low": each.low,
            "high": each.high,
            "spread": each.spread,
            "spread_low": each.spread_low,
            "spread_high": each.spread_high,
            "reliability": each.reliability,
            "with_figure": len(each.shown),
            "clearly_different": len(each.clearly_different),
            "cases": each.cases,
        }
        for each in board.benchmarks
    ]
    return pd.DataFrame(rows)


def board_table(board: Board) -> Block | None:
    """One row per measure: the whole, how much they truly differ, who is clearly different, what would be needed."""
    rows = {each.key: _measure_row(each) for each in board.benchmarks}
    for key, why in board.refused.items():
        row = rows.setdefault(key, {"Measure": capital(naming(key))})
        row["For a reliability of one half"] = capital(sentence(why))
    if not rows:
        return None
    return table(
        pd.DataFrame(list(rows.values())).fillna("–"),
        f"{capital(who(board.level, board.role))} on every measure; a difference counts at a false discovery rate of "
        f"{percent(board.fdr, 0)} over all of them",
    )


def _measure_row(bench: Benchmark) -> dict[str, str]:
    shown = bench.shown
    size = difference(bench.key, bench.scale, bench.spread).lstrip("+")
    span = difference_span(bench.key, bench.scale, bench.spread_low, bench.spread_high).replace("+", "")
    few = len(bench.units) - len(shown)
    whole = figure_span(bench.key, bench.low, bench.high)
    return {
        "Measure": capital(naming(bench.key)),
        f"All of them ({SPAN})": figure(bench.key, bench.centre) + (f" ({bare(whole)})" if whole != "–" else ""),
        "True differences (sd)": f"{size} ({bare(span)})" if is_given(bench.spread) else "–",
        "Reliability": f"{bench.reliability:.2f}" if is_given(bench.reliability) else "–",
        "Told apart": f"{len(bench.clearly_different)} of {len(shown)}" + (f", {few} too few" if few else ""),
        "For a reliability of one half": needed_words(bench),
    }
