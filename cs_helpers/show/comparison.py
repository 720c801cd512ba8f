"""Comparisons of reps as a reader goes through them: measure by measure, a sentence, its chart, and who moved why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cs_helpers import charts
from cs_helpers.core import metrics as definitions
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, chart, findings, folded, refused, stacked
from cs_helpers.report.words import Headline, called, capital, count, percent
from cs_helpers.show.benchmark import alt_funnel, alt_ranks, alt_slope
from cs_helpers.show.board import (
    chart_options,
    funnel_rows,
    league_notice,
    mix_table,
    movers_table,
    rank_rows,
    slope_rows,
    unit_words,
    units_table,
)
from cs_helpers.show.history import alt_history, history_table, say_history, say_season
from cs_helpers.show.newcomers import alt_ramp, note_ramp, ramp_table, say_ramp
from cs_helpers.show.profile import profile_table
from cs_helpers.show.reps import chosen, factor_words, naming, say_movers, say_spread, side_words, who

FEWEST_MONTHS_DRAWN = 6  # fewer with a figure are no course


def compared(board: Any, keys: Sequence[str], league: bool = False, smallest: int = 1) -> Block:
    """For each measure: whether they differ at all, the funnel, everybody's interval, and the table by name.

    ``league``: with the ranges of places too, for who asks for a league table.
    """
    if isinstance(board, Suppressed):
        return refused(board.reason)
    return stacked(*(_one_measure(board, key, league, smallest) for key in keys))


def _one_measure(board: Any, key: str, league: bool, smallest: int) -> Block:
    bench, role = chosen(board, key), board.role
    if isinstance(bench, Suppressed):
        return refused(f"{capital(naming(key))}: {bench.reason}")
    if len(bench.shown) < 2:
        return refused(f"{capital(naming(key))}: {board.refused.get(key, 'fewer than two have cases enough')}")
    options, rows, ranks = chart_options(bench), funnel_rows(bench, role), rank_rows(bench, role)
    number = options.get("number", percent)
    parts = [
        chart(
            charts.funnel_plot, rows, say_spread(bench, f"{role}-funnel-{key}"),
            alt=alt_funnel(rows, number), note=note_funnel(bench), **options,
        ),
        chart(
            charts.rank_intervals, ranks, say_apart(bench, f"{role}-intervals-{key}", role),
            alt=alt_ranks(ranks, number), note=note_ranks(league), ordered=league, **options,
        ),
    ]  # fmt: skip
    if league and definitions.metric(key).direction != "neither":
        parts.append(
            chart(
                charts.rank_bars, ranks, say_places(bench, f"{role}-places-{key}", role),
                alt=alt_places(ranks),
            )
        )  # fmt: skip
    return stacked(*parts, *([league_notice()] if league else []), units_table(bench, league, smallest, role))


def mixes(board: Any, keys: Sequence[str]) -> Block:
    """For each measure what the mix of cases moves, as slopes, with the largest movers and what moved them."""
    if isinstance(board, Suppressed):
        return refused(board.reason)
    parts: list[Block] = []
    for key in keys:
        bench = chosen(board, key)
        if isinstance(bench, Suppressed) or not len(bench.shown):
            continue
        said = say_movers(bench, f"{board.role}-mix-{key}")
        if bench.moves["mover"].astype(bool).any():
            rows, options = slope_rows(bench), chart_options(bench)
            words = alt_slope(rows, options.get("number", percent))
            parts.append(chart(charts.slope, rows, said, alt=words, note=_in_unit(key), **options))
        else:  # lines that all run flat say less than a sentence
            parts.append(findings(said))
        if bench.mix is not None and bench.mix.factors:
            tables = stacked(movers_table(bench, role=board.role), mix_table(bench))
            parts.append(folded(tables, f"{capital(naming(key))}: who moves, and what cases do"))
    return stacked(*parts)


def _in_unit(key: str) -> str:
    unit = unit_words(key)
    return f"Values in {unit}." if unit else ""


def say_apart(bench: Any, anchor: str = "", role: str = "") -> Headline:
    """How many are told apart on one measure, and who."""
    shown, apart, name = bench.shown, bench.told_apart, naming(bench.key)
    people = count(len(shown), who(bench, 1, role), who(bench, role=role))
    if not len(shown):
        return Headline(f"No {who(bench, 1, role)} has enough cases for {name}.", "", anchor)
    if not len(apart):
        return Headline(
            f"On {name} none of {people} can be told apart from the others.",
            "Where an interval lies apart it may be chance: among so many comparisons some always do.",
            anchor,
        )
    names = [f"{called(row.label)} ({side_words(row.verdict)})" for row in apart.itertuples()]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return Headline(f"On {name} {len(apart)} of {people} can be told apart.", f"{', '.join(names[:4])}{more}.", anchor)


def say_places(bench: Any, anchor: str = "", role: str = "") -> Headline:
    """How wide the ranges of places are, which is why there is no league table."""
    shown = bench.shown[bench.shown["rank_low"].notna() & bench.shown["rank_high"].notna()]
    if not len(shown):
        return Headline("Nobody can be given a place.", "", anchor)
    width = float((shown["rank_high"] - shown["rank_low"] + 1).median())
    return Headline(
        f"The place of a {who(bench, 1, role)} on {naming(bench.key)} is known to within {width:.0f} of {len(shown)} "
        "places in the median.",
        "A place by itself is mostly chance.",
        anchor,
    )


def note_funnel(bench: Any) -> str:
    """What the limits hold, and what the figures are."""
    parts = ["Inside the limits lies who differs by no more than chance explains."]
    if "low_usual" in bench.limits and bench.overdispersion > 0:
        parts.append("Dotted: limits that also allow for the usual differences between people.")
    if bench.mix is not None and bench.mix.factors:
        parts.append(f"Taken out: {', '.join(factor_words(each) for each in bench.mix.factors)}.")
    if bench.mix is not None and bench.mix.dropped:
        left = "; ".join(f"{factor_words(name)}: {called(why)}" for name, why in bench.mix.dropped.items())
        parts.append(f"Not taken out: {left}.")
    return " ".join(parts)


def note_ranks(league: bool) -> str:
    """In which order the rows stand, and why."""
    if league:
        return "By best guess, since a league table was asked for; where intervals overlap the order is mostly chance."
    return "Told apart first, all others by name: any order of theirs by size would be mostly chance."


def alt_places(ranks: Any) -> str:
    """The range of places of those drawn first and last, in words."""
    rows = ranks.rows[ranks.rows["rank_low"].notna()]
    named = [
        f"{called(row.label)} between {row.rank_low:.0f} and {row.rank_high:.0f} of {ranks.of}, "
        f"better quarter {percent(row.p_top, 0)}"
        for row in rows.head(12).itertuples()
    ]
    more = f"; and {len(rows) - 12} more" if len(rows) > 12 else ""
    return f"Ranges of places. {'; '.join(named)}{more}."


def listing(*said: Headline) -> Block:
    """Findings one below the other, each with a place of its own also where several name the same."""
    seen: dict[str, int] = {}
    lines = []
    for each in said:
        seen[each.anchor] = seen.get(each.anchor, 0) + 1
        again = seen[each.anchor]
        lines.append(each if again == 1 else replace(each, anchor=f"{each.anchor}-{again}"))
    return findings(*lines)


def profile_tables(profiles: Sequence[Any]) -> Block:
    """One table per profile of a consistent outlier; nothing where there is none."""
    given = [each for each in profiles if not isinstance(each, Suppressed)]
    return stacked(*(folded(profile_table(each), f"{called(each.label)}: every aspect looked at") for each in given))


def courses(histories: Mapping[str, Any], window: int = 12) -> Block:
    """Each measure of the whole organisation by month, against its own past, its target and its seasons."""
    parts: list[Block] = []
    for key, each in histories.items():
        if isinstance(each, Suppressed):
            parts.append(refused(f"{capital(naming(key))}: {each.reason}"))
            continue
        said = say_history(each, window, f"history-{key}")
        if each.months["adjusted"].notna().sum() < FEWEST_MONTHS_DRAWN:
            parts.append(findings(said))
            continue
        parts.append(chart(charts.history_line, each, said, alt=alt_history(each), **chart_options(each)))
        parts.append(findings(say_season(each, f"season-{key}")))
        parts.append(folded(history_table(each), f"{capital(naming(key))}: month by month"))
    return stacked(*parts)


def rises(ramps: Mapping[str, Any]) -> Block:
    """For each measure how newcomers come up by weeks since hire, beside those who have been there longer."""
    parts: list[Block] = []
    for key, each in ramps.items():
        if isinstance(each, Suppressed):
            parts.append(refused(f"{capital(naming(key))}: {each.reason}"))
            continue
        said, note = say_ramp(each, f"ramp-{key}"), note_ramp(each)
        if not each.curve["level"].notna().any():
            parts.append(findings(said))
            continue
        parts.append(chart(charts.ramp_curve, each, said, alt=alt_ramp(each), note=note, **chart_options(each)))
        parts.append(folded(ramp_table(each), f"{capital(naming(key))}: step by step"))
    return stacked(*parts)
