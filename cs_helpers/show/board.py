"""Comparisons of reps as tiles, as tables, and as what the charts draw; every figure in its measure's own unit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Change, Comparison, Estimate, Target
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, folded, refused, table, tiles
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    called,
    capital,
    count,
    is_given,
    listed,
    percent,
    plain,
    sentence,
)
from cs_helpers.show.reps import (
    case_word,
    factor_words,
    in_short,
    judged,
    leading_measure,
    mover_why,
    naming,
    needed_words,
    side_words,
    who,
)

_MOST_EFFECTS = 30
MOST_TILES = 4

APART_KEYS = {"support": "support_reps_apart", "csm": "csms_apart"}


def purpose() -> Block:
    """What the report is for and what it must not be used for; shown near the top of every such report."""
    text = (
        "Learning and fair conditions. No decision about a person may rest on it: its findings are questions to the "
        "people who did the work. Figures about named people are personal data: whoever runs this needs a legal basis, "
        "tells the people concerned, and asks the works council where there is one."
    )
    html = f'<p class="cs-note cs-purpose"><strong>What this is for.</strong> {plain(text)}</p>'
    return Block(html, f"What this is for. {text}")


def league_notice() -> Block:
    """Why places are shown as ranges, above the table of places that somebody asked for."""
    text = (
        "Places were asked for. Each is shown as the range that holds it with 90\u202f% probability: with figures like "
        "these a place by itself is mostly chance, and would be another one next period."
    )
    return Block(f'<p class="cs-note"><strong>No league table.</strong> {plain(text)}</p>', f"No league table. {text}")


def rep_tiles(
    boards: Mapping[str, Any],
    histories: Mapping[str, Mapping[str, Any]],
    currency: str,
    steered: Mapping[str, Sequence[str]] | None = None,
) -> Block:
    """How many of each team were told apart, and where the organisation stands against its own past and its targets.

    ``boards``: role -> board or Suppressed; ``histories``: role -> metric key -> History or Suppressed; ``steered``:
    role -> the measures that steer the team. Four tiles at most, a row of the page: one per board, for the measure its
    sentences speak of, then the measures of the boards' roles in turn; what is refused has no tile where others are.
    """
    items, basis = [], {}
    there = [role for role, board in boards.items() if not isinstance(board, Suppressed)]
    for role in there or boards:
        item, words = _apart_tile(boards[role], role, (steered or {}).get(role, ()))
        items.append(item)
        basis[item.now.key] = words
    queues = [list(histories.get(role, {}).items()) for role in boards]
    turns = [pair for turn in zip_longest(*queues) for pair in turn if pair is not None]
    given = [pair for pair in turns if not isinstance(pair[1], Suppressed)]
    for key, history in given or turns:
        if isinstance(history, Suppressed):
            items.append(_alone(Estimate(key, None, None, None, 0, reason=history.reason)))
        else:
            items.append(history_comparison(history))
            basis[key] = _history_basis(history.now)
    note = (
        "Told apart: by more than chance, case mix and the number of comparisons explain. Ranges: "
        f"{SPAN}s of the whole organisation, held against its own past."
    )
    return tiles(items[:MOST_TILES], currency, basis, note)


def _history_basis(now: Estimate) -> str:
    span = f"{figure_span(now.key, now.low, now.high)}, " if is_given(now.low, now.high) else ""
    return f"{span}n = {now.n:,}"


def _apart_tile(board: Any, role: str, steer: Sequence[str]) -> tuple[Comparison, str]:
    key = APART_KEYS[role]
    if isinstance(board, Suppressed):
        return _alone(Estimate(key, None, None, None, 0, reason=in_short(board.reason))), ""
    main = leading_measure(board, role, steer)
    if not main:
        reason = f"no {who(board, 1)} has enough cases for a figure"
        return _alone(Estimate(key, None, None, None, 0, reason=reason)), ""
    bench = board.of(main)
    apart, shown = len(bench.told_apart), len(bench.shown)
    more = len(judged(board)) - 1
    others = f"; {count(more, 'other measure')} below" if more else ""
    names = f": {listed([called(label) for label in bench.told_apart['label']], most=3)}" if apart else ""
    return _alone(Estimate(key, float(apart), None, float(shown), shown)), f"on {naming(main)}{names}{others}"


def _alone(estimate: Estimate) -> Comparison:
    """A figure that is compared with nothing."""
    return Comparison(estimate, estimate, Change("no comparison"), "", "")


def history_comparison(history: Any) -> Comparison:
    """A history as a tile: now against the window before, the last thirteen months, and the target."""
    change = Change("no comparison")
    if is_given(history.now.value, history.before.value):
        change = Change(history.verdict, history.now.value - history.before.value)
    trend = tuple(float(value) for value in history.months["adjusted"].tail(13))
    target = None
    if history.target is not None and history.target_verdict:
        target = Target(float(history.target), history.target_verdict, "", "")
    now = replace(history.now, numerator=None, denominator=None)  # its basis says the number of cases instead
    return Comparison(now, history.before, change, "now", "the window before", trend, target)


def steering(*warnings: str) -> Block:
    """Warnings about what teams are steered by; nothing where there is none."""
    if not warnings:
        return Block("", "")
    items = "".join(f"<li>{plain(capital(sentence(each)))}</li>" for each in warnings)
    html = f'<aside class="cs-refusal cs-caveats"><strong>Steered by too much.</strong><ul>{items}</ul></aside>'
    return Block(html, "Steered by too much:\n" + "\n".join(f"- {each}" for each in warnings))


def number_of(key: str) -> Callable[[float], str]:
    """How a chart writes values of a metric: without its unit in words, which stands on the axis."""
    return lambda value: bare(figure(key, value))


def bare(words: str) -> str:
    """A figure or its interval without a unit in words: ``3.4`` of ``3.4 hours``; ``81.2 %`` and points stay."""
    return _UNIT_WORDS.sub("", words)


_UNIT_WORDS = re.compile(r"(?<=\d) [a-z][a-z ]*$")


def unit_words(key: str) -> str:
    """The unit of a metric where values write it in words: ``hours``; nothing for percent and points."""
    unit = _UNIT_WORDS.search(figure(key, 2.0))
    return unit.group().strip() if unit else ""


def axis_words(key: str) -> str:
    """What an axis shows: the measure with cases alike, and its unit in words where values do not say it."""
    name, unit = naming(key), unit_words(key)
    return f"{name}, cases alike{f' ({unit})' if unit and ' per ' not in name else ''}"


def chart_options(bench: Any) -> dict[str, Any]:
    """What a chart of a benchmark has to be told: nothing for shares, else how to write a number."""
    if isinstance(bench, Suppressed):
        return {}
    key = bench.key
    share = definitions.metric(key).unit == "fraction" and figure(key, 0.5) == percent(0.5)
    return {} if share else {"number": number_of(key)}


def funnel_rows(bench: Any, role: str = "") -> Any:
    """A benchmark as ``charts.funnel_plot`` draws it: those with a figure, over cases counted as independent ones."""
    if isinstance(bench, Suppressed):
        return bench
    shown = bench.shown
    points = pd.DataFrame(
        {
            "label": shown["label"].astype(str).to_numpy(),
            "n": shown["n_effective"].to_numpy(float),
            "rate": shown["adjusted"].to_numpy(float),
            "outside": shown["outside"].astype(str).to_numpy(),
        }
    )
    unusual = [] if bench.overdispersion > 0 else ["low_usual", "high_usual"]  # they would lie on the others
    return SimpleNamespace(
        points=points,
        limits=bench.limits.drop(columns=unusual, errors="ignore"),
        centre=bench.centre,
        unit=axis_words(bench.key),
        cases="cases, counted as independent ones" if case_word(bench.key) == "case" else "months, as if independent",
        who=who(bench, role=role),
    )


def slope_rows(bench: Any) -> Any:
    """A benchmark as ``charts.slope`` draws it: as counted and with cases alike, and how far each moved in words."""
    if isinstance(bench, Suppressed):
        return bench
    moves = bench.moves
    rows = moves[["label", "raw", "adjusted"]].assign(mover=moves["mover"].astype(bool))
    return rows.assign(moved=[_on_chart(_moved(bench, row.raw, row.adjusted)) for row in moves.itertuples()])


def _on_chart(words: str) -> str:
    """A move in few letters: ``+1.2 hours`` without its unit, points of a month as ``+0.6 a month``."""
    return words.replace(" points", "").replace(" point", "") if words.endswith(" a month") else bare(words)


def _moved(bench: Any, raw: float, adjusted: float) -> str:
    """How far a figure moved, on the scale on which the measure is compared."""
    if not is_given(raw, adjusted):
        return "–"
    if bench.scale == "ratio":
        return difference(bench.key, "ratio", math.log(adjusted / raw)) if raw > 0 and adjusted > 0 else "–"
    return difference(bench.key, bench.scale, adjusted - raw)


def rank_rows(bench: Any, role: str = "") -> Any:
    """A benchmark as ``charts.rank_intervals`` and ``charts.rank_bars`` draw it, in the order of the best guesses."""
    if isinstance(bench, Suppressed):
        return bench
    shown = bench.shown
    told = shown["verdict"].where(shown["verdict"] != "not distinguishable", "")
    rows = shown[["label", "n", "adjusted", "low", "high", "shrunk", "rank_low", "rank_high", "p_top"]].assign(
        told=told
    )
    return SimpleNamespace(
        rows=rows.iloc[_best_first(bench.key, rows)].reset_index(drop=True),
        centre=bench.centre,
        unit=axis_words(bench.key),
        of=len(shown),
        who=who(bench, role=role),
    )


def _best_first(key: str, rows: Any) -> Any:
    """Positions of rows by their shrunk figure, the better end first (the higher where neither is)."""
    sign = 1.0 if definitions.metric(key).direction.startswith("lower") else -1.0
    return np.argsort((sign * rows["shrunk"].astype(float)).fillna(math.inf).to_numpy(), kind="stable")


def board_table(board: Any) -> Block:
    """One row per measure: the whole, how much they truly differ, who is told apart, what would be needed."""
    if isinstance(board, Suppressed):
        return refused(board.reason)
    rows = {each.key: _measure_row(each) for each in board.benchmarks}
    for key, why in board.refused.items():
        rows.setdefault(key, {"Measure": capital(naming(key))})["For a reliability of one half"] = capital(
            sentence(why)
        )
    if not rows:
        return Block("", "")
    return table(
        pd.DataFrame(list(rows.values())).fillna("–"), f"{capital(who(board))} on every measure; a difference counts "
        f"at a false discovery rate of {percent(board.fdr, 0)} over all of them",
    )  # fmt: skip


def _measure_row(bench: Any) -> dict[str, str]:
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
        "Told apart": f"{len(bench.told_apart)} of {len(shown)}" + (f", {few} too few" if few else ""),
        "For a reliability of one half": needed_words(bench),
    }


def units_table(bench: Any, league: bool = False, smallest: int = 1, role: str = "") -> Block:
    """Those compared on one measure, by name: cases, the plain figure, with cases alike, its interval and the verdict.

    ``league``: by the shrunk figure instead, with the range of places and P(better quarter). ``smallest`` above one is
    for readers who must not learn of small groups: whoever has too few cases, or cases of fewer accounts than that, is
    counted and not listed.
    """
    if isinstance(bench, Suppressed):
        return refused(bench.reason)
    rows, key = bench.units, bench.key
    hidden = (rows["verdict"] == "too few") | (rows["clusters"] < smallest) if smallest > 1 else rows["n"] < 0
    out, rows = int(hidden.sum()), rows[~hidden]
    if league:
        rows = rows.iloc[_best_first(key, rows)]
    else:
        rows = rows.iloc[np.argsort(rows["label"].astype(str).str.casefold().to_numpy(), kind="stable")]
    one = capital(who(bench, 1, role))
    shown = pd.DataFrame(
        {
            one: [called(label) for label in rows["label"]],
            f"{capital(case_word(bench.key))}s": rows["n"].astype(int).to_numpy(),
            "As independent ones": [f"{value:,.0f}" if is_given(value) else "–" for value in rows["n_effective"]],
            "As dashboards print it": [bare(figure(key, value)) for value in rows["plain"]],
            "Cases alike": [bare(figure(key, value)) for value in rows["adjusted"]],
            SPAN: [bare(figure_span(key, row.low, row.high)) for row in rows.itertuples()],
            "Verdict": [_verdict(row) for row in rows.itertuples()],
        }
    )
    if league:
        shown.insert(6, "Best guess", [bare(figure(key, value)) for value in rows["shrunk"]])
        shown.insert(7, f"Places (90{NARROW_SPACE}%)", [_places(row) for row in rows.itertuples()])
        shown.insert(8, "Better quarter", [percent(value, 0) for value in rows["p_top"]])
    order = "by best guess" if league else "by name"
    unit = f" ({unit_words(key)})" if unit_words(key) else ""
    caption = f"{capital(naming(key))}{unit} by {who(bench, 1, role)}, {order}"
    if out:
        caption += f"; {count(out, who(bench, 1, role), who(bench, role=role))} with too few cases not listed"
    return table(shown, caption)


def _verdict(row: Any) -> str:
    if row.verdict == "too few":
        return f"too few: {called(row.reason)}" if row.reason else "too few"
    told = row.verdict != "not distinguishable" and bool(getattr(row, "exceptional", False))
    return f"{row.verdict}, beyond the usual differences" if told else str(row.verdict)


def _places(row: Any) -> str:
    if not is_given(row.rank_low, row.rank_high):
        return "–"
    return f"{row.rank_low:.0f} to {row.rank_high:.0f}"


def mix_table(bench: Any) -> Block:
    """What each level of the case mix does to a measure, between cases of the same rep; the largest thirty."""
    if isinstance(bench, Suppressed) or bench.mix is None:
        return Block("", "")
    rows = bench.mix.effects
    if not len(rows):
        return Block("", "")
    more = max(0, len(rows) - _MOST_EFFECTS)
    largest = rows.iloc[np.argsort(-rows["effect"].abs().to_numpy(), kind="stable")[:_MOST_EFFECTS]].sort_index()
    ends = [(row.low, row.high) for row in largest.itertuples()]
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


def movers_table(bench: Any, most: int = 10, role: str = "") -> Block:
    """Those whom the case mix moved most: as counted, with cases alike, and what about the cases did it."""
    if isinstance(bench, Suppressed) or not len(bench.moves):
        return Block("", "")
    rows = bench.moves.assign(by=(bench.moves["adjusted"] - bench.moves["raw"]).abs())
    rows = rows[rows["by"].notna()].sort_values("by", ascending=False, kind="stable").head(most)
    by = [_moved(bench, row.raw, row.adjusted) for row in rows.itertuples()]
    shown = pd.DataFrame(
        {
            capital(who(bench, 1, role)): [called(label) for label in rows["label"]],
            "As counted": [bare(figure(bench.key, value)) for value in rows["raw"]],
            "Cases alike": [bare(figure(bench.key, value)) for value in rows["adjusted"]],
            "Moved": by,
            "What about its cases": [
                capital(mover_why(row)) or "–" if any(digit in moved for digit in "123456789") else "–"
                for row, moved in zip(rows.itertuples(), by, strict=True)
            ],
        }
    )  # fmt: skip
    return table(shown, f"What the case mix explains of {naming(bench.key)}: those who move most")


def managers_table(board: Any) -> Block:
    """Every manager on every measure, by name: cases alike, interval, verdict."""
    if isinstance(board, Suppressed):
        return Block("", "")  # the sentence above says why
    rows = [
        (called(row.label), capital(naming(each.key)), int(row.n), figure(each.key, row.adjusted),
         figure_span(each.key, row.low, row.high), _verdict(row))
        for each in board.benchmarks for row in each.units.itertuples()
    ]  # fmt: skip
    if not rows:
        return Block("", "")
    columns = ["Manager", "Measure", "Cases", "Cases alike", SPAN, "Verdict"]
    shown = pd.DataFrame(rows, columns=columns).sort_values(["Manager", "Measure"], kind="stable")
    made = table(shown, "Managers, with the cases of all their reps")
    return folded(made, "Every manager on every measure")


def persistence_table(persistences: Sequence[Any]) -> Block:
    """By measure: reliability, how the two periods go together, who is consistent, or why nobody is called so."""
    given = [each for each in persistences if not isinstance(each, Suppressed)]
    if not given:
        return Block("", "")
    shown = pd.DataFrame(
        {
            "Measure": [capital(naming(each.key)) for each in given],
            "In both": [len(each.pairs) for each in given],
            "Reliability": [f"{each.reliability:.2f}" if is_given(each.reliability) else "–" for each in given],
            "Correlation": [
                f"{each.correlation:.2f} ({each.low:.2f} to {each.high:.2f})".replace("-", "−")
                if is_given(each.correlation, each.low, each.high) else "–" for each in given
            ],
            "Outside twice on the same side": [_twice(each) for each in given],
        }
    )  # fmt: skip
    return folded(table(shown, f"{given[0].before}, held against {given[0].now}"), "Every measure in both periods")


def _twice(each: Any) -> str:
    if each.refused:
        return f"Not said: {each.refused.split(':')[0]}"
    named = [f"{called(row.label)} ({side_words(row.side)})" for row in each.consistent.itertuples()]
    return ", ".join(named) or "Nobody"
