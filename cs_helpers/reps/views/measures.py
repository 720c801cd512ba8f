"""One measure after the other: how far reps differ, everybody's interval, places on request, and the mix of cases."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, folded, stacked, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    is_given,
    listed,
    percent,
    plain,
    points,
)
from cs_helpers.reps.charts import Funnel, Ranks, funnel_plot, rank_bars, rank_intervals, slope
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import (
    Benchmark,
    CaseMixEffects,
    MeasureBenchmark,
    MeasureIntervals,
    MeasurePlaces,
    MoveRow,
    UnitRow,
    rows_of,
)
from cs_helpers.reps.views.words import (
    axis_words,
    bare,
    case_word,
    factor_words,
    mover_why,
    naming,
    noise_words,
    number_of,
    people,
    side_words,
    size_span,
    size_words,
    unit_words,
    verdict_words,
    who,
)

MAX_EFFECTS = 30
_PLACES_ASKED_FOR = (
    "Places were asked for. Each is shown as the range that holds it with 90\u202f% probability: with figures like "
    "these a place by itself is mostly chance, and would be another one next period."
)
MAX_NAMED = 12  # in a text alternative
MAX_MOVERS = 10  # in the table of those who move most


@view_for(MeasureBenchmark)
class MeasureBenchmarkView(View[MeasureBenchmark]):
    """Whether reps differ at all in a measure, and the funnel of their figures."""

    def headline(self, result: MeasureBenchmark) -> Headline:
        """Size of the true differences with interval, and reliability."""
        return _spread(result.benchmark, f"{result.role}-funnel-{result.benchmark.key}")

    def chart(self, result: MeasureBenchmark, narrow: bool) -> Chart:
        """The figures over the number of cases, with the limits of chance."""
        return funnel_plot(funnel_of(result), narrow, number_of(result.benchmark.key))

    def alt_text(self, result: MeasureBenchmark) -> str:
        """How many lie inside the limits, and who does not: on which side, outside which limits."""
        return funnel_words(funnel_of(result), number_of(result.benchmark.key) or percent)

    def note(self, result: MeasureBenchmark) -> str:
        """What the limits hold, and what was taken out."""
        bench = result.benchmark
        parts = ["Inside the limits lies who differs by no more than chance explains."]
        if "low_usual" in bench.limits and bench.overdispersion > 0:
            parts.append("Dotted: limits that also allow for the usual differences between people.")
        if bench.mix is not None and bench.mix.factors:
            parts.append(f"Taken out: {', '.join(factor_words(each) for each in bench.mix.factors)}.")
        if bench.mix is not None and bench.mix.dropped:
            left = "; ".join(f"{factor_words(name)}: {called(why)}" for name, why in bench.mix.dropped.items())
            parts.append(f"Not taken out: {left}.")
        return " ".join(parts)

    def table(self, result: MeasureBenchmark) -> pd.DataFrame:
        return units_frame(result.benchmark, result.smallest_group)

    def page_table(self, result: MeasureBenchmark) -> Block | None:
        return None  # it stands below the intervals

    def parts(self, result: MeasureBenchmark) -> Sequence[Result]:
        """Everybody's interval; places, where they were asked for and one side is better; the other measures."""
        bench, role = result.benchmark, result.role
        own: list[Result] = [MeasureIntervals(role, bench, result.league_table, result.smallest_group)]
        if result.league_table and measure(bench.key).better != "neither":
            own.append(MeasurePlaces(role, bench))
        return (*own, *result.others)


@view_for(MeasureIntervals)
class MeasureIntervalsView(View[MeasureIntervals]):
    """One measure, rep by rep."""

    def headline(self, result: MeasureIntervals) -> Headline:
        """How many are clearly different on one measure, and who."""
        bench, role = result.benchmark, result.role
        anchor, shown, name = f"{role}-intervals-{bench.key}", bench.shown, naming(bench.key)
        counted = people(len(shown), bench.level, role)
        if not len(shown):
            return Headline(f"No {who(bench.level, role, 1)} has enough cases for {name}.", "", anchor)
        rows = rows_of(bench.clearly_different, UnitRow)
        if not rows:
            return Headline(
                f"On {name} none of {counted} can be told apart from the others.",
                "Where an interval lies apart it may be chance: among so many comparisons some always do.",
                anchor,
            )
        names = [f"{called(row.label)} ({side_words(row.verdict)})" for row in rows]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        return Headline(
            f"On {name} {len(rows)} of {counted} can be told apart.", f"{', '.join(names[:4])}{more}.", anchor
        )

    def chart(self, result: MeasureIntervals, narrow: bool) -> Chart:
        """A row each: the adjusted figure with its interval and the best guess."""
        bench = result.benchmark
        return rank_intervals(ranks_of(bench), narrow, number_of(bench.key), ordered=result.league_table)

    def alt_text(self, result: MeasureIntervals) -> str:
        """Who is clearly different with figure and interval, and between which figures all others lie."""
        bench = result.benchmark
        return ranks_words(ranks_of(bench), number_of(bench.key) or percent)

    def note(self, result: MeasureIntervals) -> str:
        """In which order the rows stand, and why."""
        if result.league_table:
            ordered = "By best guess, since a league table was asked for"
            return f"{ordered}; where intervals overlap the order is mostly chance."
        return "Told apart first, all others by name: any order of theirs by size would be mostly chance."

    def table(self, result: MeasureIntervals) -> pd.DataFrame:
        return units_frame(result.benchmark, result.smallest_group)

    def page_table(self, result: MeasureIntervals) -> Block | None:
        """One row per rep: cases, the plain figure, with cases alike, its interval and the verdict."""
        shown = units_table(result.benchmark, result.league_table, result.smallest_group, result.role)
        if not result.league_table:
            return shown
        lead, text = "No league table.", _PLACES_ASKED_FOR
        return stacked(Block(f'<p class="cs-note"><strong>{lead}</strong> {plain(text)}</p>', f"{lead} {text}"), shown)


@view_for(MeasurePlaces)
class MeasurePlacesView(View[MeasurePlaces]):
    """The range of places that each rep may hold."""

    def headline(self, result: MeasurePlaces) -> Headline:
        """How wide the ranges of places are, which is why there is no league table."""
        bench, anchor = result.benchmark, f"{result.role}-places-{result.benchmark.key}"
        shown = bench.shown[bench.shown["rank_low"].notna() & bench.shown["rank_high"].notna()]
        if not len(shown):
            return Headline("Nobody can be given a place.", "", anchor)
        width = float((shown["rank_high"] - shown["rank_low"] + 1).median())
        return Headline(
            f"The place of a {who(bench.level, result.role, 1)} on {naming(bench.key)} is known to within {width:.0f} "
            f"of {len(shown)} places in the median.",
            "A place by itself is mostly chance.",
            anchor,
        )

    def chart(self, result: MeasurePlaces, narrow: bool) -> Chart:
        """A bar from the best to the worst place of each."""
        return rank_bars(ranks_of(result.benchmark), narrow)

    def alt_text(self, result: MeasurePlaces) -> str:
        """The range of places of those drawn first."""
        ranks = ranks_of(result.benchmark)
        rows = rows_of(result.benchmark.shown.iloc[ordered_by_best_guess(result.benchmark)], UnitRow)
        rows = [row for row in rows if is_given(row.rank_low)]
        named = [
            f"{called(row.label)} between {row.rank_low:.0f} and {row.rank_high:.0f} of {ranks.of}, "
            f"better quarter {percent(row.p_top, 0)}"
            for row in rows[:MAX_NAMED]
        ]
        more = f"; and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else ""
        return f"Ranges of places. {'; '.join(named)}{more}."

    def table(self, result: MeasurePlaces) -> pd.DataFrame:
        rows = ranks_of(result.benchmark).rows
        return rows[["label", "rank_low", "rank_high", "p_top"]]

    def page_table(self, result: MeasurePlaces) -> Block | None:
        return None  # the places stand in the one of the intervals


@view_for(CaseMixEffects)
class CaseMixEffectsView(View[CaseMixEffects]):
    """What the mix of cases explains of one measure."""

    def headline(self, result: CaseMixEffects) -> Headline:
        """Whose figure the mix of cases moved most, from where to where, and what about the mix did it."""
        bench = result.benchmark
        anchor, name, key = f"{result.role}-mix-{bench.key}", naming(bench.key), bench.key
        rows = _largest_moves(bench.moves[bench.moves["mover"].astype(bool)])
        if not len(rows):
            factors = bench.mix.factors if bench.mix is not None else ()
            removed = f"Taken out: {listed([factor_words(each) for each in factors], most=8)}."
            none = "Nothing about the cases is recorded that could be taken out."
            return Headline(f"The mix of cases moves nobody's {name} far.", removed if factors else none, anchor)
        first, *rest = rows_of(rows, MoveRow)
        found = (
            f"With cases alike {called(first.label)} moves most: {name} from {figure(key, first.raw)} to "
            f"{figure(key, first.adjusted)}."
        )
        parts = [f"{capital(why)}." if (why := mover_why(first)) else ""]
        others = [
            f"{called(row.label)} from {figure(key, row.raw)} to {figure(key, row.adjusted)}"
            + (f" ({why})" if (why := mover_why(row, short=True)) else "")
            for row in rest[:2]
        ]
        if others:
            parts.append(f"Then {'; '.join(others)}.")
        return Headline(found, " ".join(filter(None, parts)), anchor)

    def chart(self, result: CaseMixEffects, narrow: bool) -> Chart | None:
        """Both figures of each rep, joined; none where all lines would be flat."""
        bench = result.benchmark
        if not bench.moves["mover"].astype(bool).any():
            return None
        return slope(moves_of(bench), narrow, number_of(bench.key))

    def alt_text(self, result: CaseMixEffects) -> str:
        """How many there are, and by how much those moved who moved most."""
        bench = result.benchmark
        return moves_words(moves_of(bench), number_of(bench.key) or percent)

    def note(self, result: CaseMixEffects) -> str:
        """The unit of the values, where they do not name it."""
        unit = unit_words(result.benchmark.key)
        return f"Values in {unit}." if unit else ""

    def table(self, result: CaseMixEffects) -> pd.DataFrame:
        return result.benchmark.moves

    def page_table(self, result: CaseMixEffects) -> Block | None:
        return None  # who moves, and what cases do, open on a click

    def more(self, result: CaseMixEffects) -> Sequence[Block]:
        """Who moves, and what each level of the mix does."""
        bench = result.benchmark
        if bench.mix is None or not bench.mix.factors:
            return ()
        tables = stacked(movers_table(bench, result.role), effects_table(bench))
        return (folded(tables, f"{capital(naming(bench.key))}: who moves, and what cases do"),)

    def parts(self, result: CaseMixEffects) -> Sequence[Result]:
        return result.others


# --- sentences


def _spread(bench: Benchmark, anchor: str) -> Headline:
    """Whether people differ at all in a measure."""
    name = naming(bench.key)
    size = size_words(bench.key, bench.scale, bench.spread)
    span = size_span(bench.key, bench.scale, bench.spread_low, bench.spread_high)
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


# --- what charts draw, and the same in words


def funnel_of(result: MeasureBenchmark) -> Funnel:
    """People with a figure over their cases, counted as independent ones."""
    bench = result.benchmark
    shown = bench.shown
    dots = shown[["label", "n_effective", "adjusted", "outside"]].set_axis(["label", "n", "rate", "outside"], axis=1)
    unusual = [] if bench.overdispersion > 0 else ["low_usual", "high_usual"]  # they would lie on the others
    return Funnel(
        points=dots,
        limits=bench.limits.drop(columns=unusual, errors="ignore"),
        centre=bench.centre,
        unit=axis_words(bench.key),
        cases="cases, counted as independent ones" if case_word(bench.key) == "case" else "months, as if independent",
        who=who(bench.level, result.role),
    )


def _more(rows: pd.DataFrame) -> list[str]:
    return [f"and {len(rows) - MAX_NAMED:,} more"] if len(rows) > MAX_NAMED else []


def funnel_words(funnel: Funnel, number: Callable[[float], str] = percent) -> str:
    """A funnel for a reader who cannot see it: how many lie inside, and who outside, the wider limits first."""
    given = funnel.points[funnel.points[["n", "rate"]].notna().all(axis=1)]
    if given.empty:
        return "Nobody to compare."
    outside = given[given["outside"].astype(str) != ""].sort_values(["outside", "n"], ascending=[False, False])
    counted = f"{len(given):,} {called(funnel.who)}".rstrip()
    parts = [
        f"{capital(called(funnel.unit))} over {called(funnel.cases)}. Of {counted}, {len(given) - len(outside):,} lie "
        f"inside the 95\u202f% limits around {number(funnel.centre)}."
    ]
    listed_ = outside.head(MAX_NAMED)[["label", "rate", "n", "outside"]].itertuples(index=False, name=None)
    named = [
        f"{called(label)} {number(rate)} of {n:,.0f}, {'above' if rate > funnel.centre else 'below'} "
        f"the {limit}\u202f% limits"
        for label, rate, n, limit in listed_
    ]
    parts.append(f"Outside: {'; '.join([*named, *_more(outside)])}." if named else "Nobody lies outside.")
    if len(given) < len(funnel.points):
        parts.append(f"{len(funnel.points) - len(given):,} without a rate.")
    return " ".join(parts)


def ordered_by_best_guess(bench: Benchmark, rows: pd.DataFrame | None = None) -> np.ndarray:
    """Positions of rows by their shrunk figure, the better end first (the higher where neither is better)."""
    shrunk = (bench.shown if rows is None else rows)["shrunk"].astype(float)
    sign = 1.0 if measure(bench.key).better == "lower" else -1.0
    return np.argsort((sign * shrunk).fillna(math.inf).to_numpy(), kind="stable")


def ranks_of(bench: Benchmark) -> Ranks:
    """People with a figure in the order of the best guesses."""
    shown = bench.shown
    verdict = shown["verdict"].where(shown["verdict"] != "not distinguishable", "")
    columns = ["label", "n", "adjusted", "low", "high", "shrunk", "rank_low", "rank_high", "p_top"]
    rows = shown[columns].assign(verdict=verdict)
    return Ranks(
        rows=rows.iloc[ordered_by_best_guess(bench)].reset_index(drop=True),
        centre=bench.centre,
        unit=axis_words(bench.key),
        of=len(shown),
    )


def ranks_words(ranks: Ranks, number: Callable[[float], str] = percent) -> str:
    """Intervals for a reader who cannot see them: who is clearly different, and where all others lie."""
    rows = ranks.rows[ranks.rows["adjusted"].notna()]
    if rows.empty:
        return "Nobody to compare."
    clear = rows["verdict"].astype(str) != ""
    apart = rows[clear].assign(away=(rows.loc[clear, "adjusted"] - ranks.centre).abs())
    apart = apart.sort_values("away", ascending=False, kind="stable")
    first = apart.head(MAX_NAMED)[["label", "adjusted", "low", "high"]].itertuples(index=False, name=None)
    named = [f"{called(label)} {number(value)} ({number(low)} to {number(high)})" for label, value, low, high in first]
    parts = [f"{capital(called(ranks.unit))}, with 95\u202f% intervals; all {number(ranks.centre)}."]
    parts.append(f"Told apart: {'; '.join([*named, *_more(apart)])}." if named else "Nobody is told apart.")
    others = rows.loc[~clear, "adjusted"]
    if len(others):
        which = f"The other {len(others):,}, not told apart," if named else f"All {len(others):,}"
        parts.append(f"{which} lie between {number(others.min())} and {number(others.max())}.")
    return " ".join(parts)


def _largest_moves(moves: pd.DataFrame) -> pd.DataFrame:
    """The rows with both figures, the largest difference between them first."""
    by = (moves["adjusted"] - moves["raw"]).abs().dropna()
    return moves.loc[by.sort_values(ascending=False, kind="stable").index]


def moves_of(bench: Benchmark) -> pd.DataFrame:
    """Figures unadjusted and adjusted, and how far each moved in words."""
    rows = bench.moves[["label", "raw", "adjusted"]].assign(mover=bench.moves["mover"].astype(bool))
    words = [_moved(bench, row.raw, row.adjusted) for row in rows_of(bench.moves, MoveRow)]
    # In few letters: without the unit, points of a month as "+0.6 a month".
    return rows.assign(moved=[re.sub(" points?", "", by) if by.endswith(" a month") else bare(by) for by in words])


def _moved(bench: Benchmark, raw: float, adjusted: float) -> str:
    """How far a figure moved, on the scale on which the measure is compared."""
    if not is_given(raw, adjusted):
        return "–"
    if bench.scale == "ratio":
        return difference(bench.key, "ratio", math.log(adjusted / raw)) if raw > 0 and adjusted > 0 else "–"
    return difference(bench.key, bench.scale, adjusted - raw)


def moves_words(rows: pd.DataFrame, number: Callable[[float], str] = percent) -> str:
    """A slope chart for a reader who cannot see it: the largest moves first, and how far all others moved at most.

    ``rows`` as for ``charts.slope``.
    """
    given = rows[rows[["raw", "adjusted"]].notna().all(axis=1)]
    if given.empty:
        return "Nobody to compare."
    moved = given.assign(move=given["adjusted"] - given["raw"])
    moved["by"] = given["moved"].map(called) if "moved" in given else moved["move"].map(points)
    movers = moved[moved["mover"].astype(bool)].sort_values("move", key=lambda x: -x.abs(), kind="stable")
    first = movers.head(MAX_NAMED)[["label", "raw", "adjusted", "by"]].itertuples(index=False, name=None)
    named = [f"{called(label)} from {number(raw)} to {number(adjusted)} ({by})" for label, raw, adjusted, by in first]
    parts = [f"Rates as counted and with cases alike, of {len(given):,}."]
    parts.append(f"The largest moves: {'; '.join([*named, *_more(movers)])}." if named else "Nobody moved far.")
    rest = moved[~moved["mover"].astype(bool)]
    if named and len(rest):
        farthest = str(rest["by"].iloc[rest["move"].abs().to_numpy(float).argmax()])
        parts.append(f"All others moved by {farthest.lstrip('+−')} at most.")
    return " ".join(parts)


# --- tables


def _listed_units(bench: Benchmark, smallest: int) -> pd.DataFrame:
    """The units that may be listed: before readers who must not learn of small groups, those with few cases are not."""
    rows = bench.units
    if smallest <= 1:
        return rows
    return rows[~((rows["verdict"] == "too few") | (rows["clusters"] < smallest))]


def units_frame(bench: Benchmark, smallest: int = 1) -> pd.DataFrame:
    """One row per person, numbers unformatted."""
    columns = ["label", "n", "n_effective", "plain", "adjusted", "low", "high", "shrunk", "q", "verdict"]
    return _listed_units(bench, smallest)[columns].reset_index(drop=True)


def units_table(bench: Benchmark, league: bool = False, smallest: int = 1, role: str = "") -> Block:
    """People by name: cases, the plain figure, with cases alike, its interval and the verdict.

    ``league``: by the shrunk figure instead, with the range of places and P(better quarter). With ``smallest`` above
    one, people with too few cases, or cases of fewer accounts than that, are counted and not listed.
    """
    key, frame = bench.key, _listed_units(bench, smallest)
    out = len(bench.units) - len(frame)
    by_name = np.argsort(frame["label"].astype(str).str.casefold().to_numpy(), kind="stable")
    rows = rows_of(frame.iloc[ordered_by_best_guess(bench, frame) if league else by_name], UnitRow)
    one = capital(who(bench.level, role, 1))
    shown = pd.DataFrame(
        {
            one: [called(row.label) for row in rows],
            f"{capital(case_word(key))}s": [int(row.n) for row in rows],
            "As independent ones": [f"{row.n_effective:,.0f}" if is_given(row.n_effective) else "–" for row in rows],
            "As dashboards print it": [bare(figure(key, row.plain)) for row in rows],
            "Cases alike": [bare(figure(key, row.adjusted)) for row in rows],
            SPAN: [bare(figure_span(key, row.low, row.high)) for row in rows],
            "Verdict": [verdict_words(row) for row in rows],
        }
    )
    if league:
        shown.insert(6, "Best guess", [bare(figure(key, row.shrunk)) for row in rows])
        shown.insert(7, f"Places (90{NARROW_SPACE}%)", [_places(row) for row in rows])
        shown.insert(8, "Better quarter", [percent(row.p_top, 0) for row in rows])
    order = "by best guess" if league else "by name"
    unit = f" ({unit_words(key)})" if unit_words(key) else ""
    caption = f"{capital(naming(key))}{unit} by {who(bench.level, role, 1)}, {order}"
    if out:
        caption += f"; {people(out, bench.level, role)} with too few cases not listed"
    return table(shown, caption)


def _places(row: UnitRow) -> str:
    return f"{row.rank_low:.0f} to {row.rank_high:.0f}" if is_given(row.rank_low, row.rank_high) else "–"


def effects_table(bench: Benchmark) -> Block:
    """What each level of the case mix does to a measure, between cases of the same rep; the largest thirty."""
    if bench.mix is None or not len(bench.mix.effects):
        return Block("", "")
    rows = bench.mix.effects
    more = max(0, len(rows) - MAX_EFFECTS)
    largest = rows.iloc[np.argsort(-rows["effect"].abs().to_numpy(), kind="stable")[:MAX_EFFECTS]].sort_index()
    ends = zip(largest["low"], largest["high"], strict=True)
    shown = pd.DataFrame(
        {
            "Of the case": [capital(factor_words(each).removeprefix("the ")) for each in largest["factor"]],
            "Level": [visible(level) or "not recorded" for level in largest["level"].astype(str)],
            "Cases": largest["cases"].astype(int).to_numpy(),
            "Against the average case": [difference(bench.key, bench.scale, value) for value in largest["effect"]],
            SPAN: [difference_span(bench.key, bench.scale, low, high) for low, high in ends],
        }
    )
    caption = f"What cases do to {naming(bench.key)}, whoever handles them"
    return table(shown, caption + (f"; {more} smaller ones not listed" if more else ""))


def movers_table(bench: Benchmark, role: str = "") -> Block:
    """Those whom the case mix moved most: unadjusted, adjusted, and what about the cases did it."""
    if not len(bench.moves):
        return Block("", "")
    rows = rows_of(_largest_moves(bench.moves).head(MAX_MOVERS), MoveRow)
    by = [_moved(bench, row.raw, row.adjusted) for row in rows]
    shown = pd.DataFrame(
        {
            capital(who(bench.level, role, 1)): [called(row.label) for row in rows],
            "As counted": [bare(figure(bench.key, row.raw)) for row in rows],
            "Cases alike": [bare(figure(bench.key, row.adjusted)) for row in rows],
            "Moved": by,
            "What about its cases": [
                capital(mover_why(row)) or "–" if any(digit in moved for digit in "123456789") else "–"
                for row, moved in zip(rows, by, strict=True)
            ],
        }
    )
    return table(shown, f"What the case mix explains of {naming(bench.key)}: those who move most")
