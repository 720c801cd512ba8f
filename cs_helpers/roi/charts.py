"""Charts of what customer success is worth: break-even, scenarios, the measured effect and the evidence for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import (
    ACCENT,
    GAIN,
    INK,
    LOSS,
    NARROW,
    QUIET,
    TOTAL,
    WIDE,
    new_figure,
    quiet_grid,
    styled,
)
from cs_helpers.report.charts.labels import (
    CLEARED,
    above_rows,
    beside,
    count,
    end_labels,
    finite,
    padded,
    row_labels,
    say_nothing,
    settle,
    share,
    share_axis,
    shorten,
    write_key,
)
from cs_helpers.report.charts.measure import text_width

if TYPE_CHECKING:
    from cs_helpers.roi.breakeven import BreakEven

# Each horizon has its own ink and its own dash: either is enough to recognise it.
_STROKES: list[tuple[str, str | tuple[float, Sequence[float]]]] = [
    (ACCENT, "solid"),
    (GAIN, (0, (6, 2))),
    (INK, (0, (1.2, 1.2))),
    (QUIET, (0, (7, 2, 1.5, 2))),
]


def _by_horizon(rows: pd.DataFrame, y: str, min_places: int) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """Horizon, points and ``y`` of each line that has at least so many places; as many lines as there are strokes."""
    lines = [
        (float(str(horizon)), finite(part["points"]), finite(part[y]))
        for horizon, part in rows.groupby("horizon", sort=True)
    ][: len(_STROKES)]
    return [line for line in lines if (np.isfinite(line[1]) & np.isfinite(line[2])).sum() >= min_places]


def break_even_curve(even: BreakEven, narrow: bool = False, money: Callable[[float], str] = count) -> Chart:
    """Net value against the points of retention that customer success keeps, one line per horizon.

    Left of the point at which a line crosses zero, customer success costs more than it keeps; a horizon without a
    crossing never pays. ``money`` writes an amount.
    """
    crossings, drawn = even.table, _by_horizon(even.curve, "net", 2)
    with styled():
        figure, ax = new_figure(3.6 if narrow else 4.0, narrow)
        if not drawn:
            say_nothing(ax, "no cost to earn back")
            return figure
        crosses = zip(finite(crossings["horizon"]), finite(crossings["points"]), strict=True)
        at = {float(horizon): float(points) for horizon, points in crosses if np.isfinite(points)}
        reach = [float(np.nanmax(x)) for _, x, _ in drawn]
        far = min(reach) if min(reach) > 1.15 * max(at.values(), default=np.inf) else max(reach)
        right = min(far, 2.2 * max(at.values())) if at and max(at.values()) > 0 else far
        ax.set_xlim(*padded([0.0, right], 0.02))
        inside = [y[np.isfinite(x) & (x <= right)] for _, x, y in drawn]
        ax.set_ylim(*padded([*np.concatenate(inside), 0.0], 0.08, 1.0))
        ax.axhline(0, color=INK, linewidth=1)
        ends = []
        for (horizon, x, y), (ink, dash) in zip(drawn, _STROKES, strict=False):
            ax.plot(x, y, color=ink, linewidth=2, linestyle=dash)
            seen = np.isfinite(x) & np.isfinite(y)
            last = float(np.interp(right, x[seen], y[seen]))
            ax.plot([at.get(horizon, np.nan)], [0], "o", color=ink, markersize=7, clip_on=False)
            pays = f"pays from {at[horizon]:.1f}" if horizon in at else "does not pay"
            ends.append((min(last, ax.get_ylim()[1]), f"{horizon:.0f} months\n{pays}", ink, "normal"))
        _round_ticks(ax.yaxis, money, 4 if narrow else 6)
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4 if narrow else 8, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        quiet_grid(ax)
        ax.set_ylabel("net value")
        what = ["points of retention of the", "exposed MRR that are kept"]
        write_key(figure, [*(what if narrow else [" ".join(what)]), "● pays for itself"], narrow)
        end_labels(ax, ends)
    return figure


def _round_ticks(axis: Axis, write: Callable[[float], str], count: int) -> None:
    """About ``count`` round values, each written once."""
    low, high = sorted(axis.get_view_interval())
    ticks = mpl.ticker.MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)
    named = {write(float(tick)): float(tick) for tick in ticks if low <= tick <= high}
    axis.set_ticks(list(named.values()), list(named))


def futures(curves: pd.DataFrame, narrow: bool = False, gap: str = "") -> Chart:
    """The share still paying as it was and without customer success, with bands, and the observed share as dots.

    ``curves``: t (months), natural, natural_low, natural_high, vanished, vanished_low, vanished_high,
    kaplan_meier (may be missing). ``gap``: the distance at the end, in words.
    """
    x = finite(curves["t"])
    with styled():
        figure, ax = new_figure(3.5 if narrow else 3.9, narrow)
        if not len(curves) or not np.isfinite(finite(curves["natural"])).any():
            say_nothing(ax, "nothing to compare")
            return figure
        ends, lowest = [], 1.0
        for name, label, ink, dash in (
            ("natural", "as it was", ACCENT, "solid"),
            ("vanished", "without", LOSS, (0, (6, 2))),
        ):
            line, low, high = (finite(curves[c]) for c in (name, f"{name}_low", f"{name}_high"))
            ax.fill_between(x, low, high, color=ink, alpha=0.15, linewidth=0)
            ax.plot(x, line, color=ink, linewidth=2.2, linestyle=dash)
            lowest = min(lowest, float(np.nanmin(np.append(np.append(line, low), 1.0))))
            last = line[np.isfinite(line)][-1:]
            ends += [
                (float(value), f"{label}{chr(10) if narrow else ' '}{share(value, 0)}", ink, "bold") for value in last
            ]
        seen = finite(curves["kaplan_meier"]) if "kaplan_meier" in curves else np.full(len(x), np.nan)
        shown = np.isfinite(seen) & (np.arange(len(x)) % max(1, len(x) // 12) == 0)
        ax.plot(x[shown], seen[shown], "o", color=INK, markersize=3.5, clip_on=False)
        lowest = min(lowest, float(np.nanmin(np.append(seen, 1.0))))
        bottom = max(0.0, np.floor((lowest - 0.02) * 10) / 10)
        ax.set_ylim(bottom, 1.0 + 0.02 * (1 - bottom))
        ax.set_xlim(float(np.nanmin(x)), max(float(np.nanmax(x)), float(np.nanmin(x)) + 1))
        every = next((step for step in (1, 3, 6, 12) if np.nanmax(x) / step <= (5 if narrow else 9)), 24)
        ax.set_xticks(np.arange(0, np.nanmax(x) + 1e-9, every))
        share_axis(ax.yaxis, 4)
        quiet_grid(ax)
        ax.set_ylabel("still paying")
        key = [f"months since first seen{'' if bottom == 0 else ' · the axis does not begin at 0'}"]
        key = key[0].split(" · ") if narrow else key
        if shown.any():
            key.append("● seen (Kaplan-Meier)")
        if gap:
            key.append(shorten(gap, most=44 if narrow else 60))
        write_key(figure, key, narrow)
        end_labels(ax, ends)
    return figure


def roi_distribution(
    bins: pd.DataFrame,
    narrow: bool = False,
    number: Callable[[float], str] = "{:.1f}".format,
    middle: float | None = None,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
) -> Chart:
    """How often each outcome came up among the draws of a scenario: bars left of zero lose money, right of it gain.

    ``bins``: left, right (ends of the bar), share (fraction of the draws). ``middle``, ``low`` and ``high``: the median
    and the ends of the range; ``unit`` names under the axis what is counted.
    """
    left, right, height = (finite(bins[column]) for column in ("left", "right", "share"))
    with styled():
        figure, ax = new_figure(3.1 if narrow else 3.3, narrow)
        given = np.isfinite(left) & np.isfinite(right) & np.isfinite(height)
        if not given.any() or not np.nansum(height):
            say_nothing(ax, "no draw has an outcome")
            return figure
        left, right, height = left[given], right[given], height[given]
        inks = [LOSS if end <= 0 else GAIN if start >= 0 else TOTAL for start, end in zip(left, right, strict=True)]
        top = float(height.max())
        wide = right - left
        ax.bar(left + 0.04 * wide, height, 0.92 * wide, align="edge", color=inks, alpha=0.75, linewidth=0)
        ends = [value for value in (low, high) if value is not None and np.isfinite(value)]
        ax.set_xlim(*padded([*left, *right, 0.0], 0.02))
        ax.set_ylim(0, 1.3 * top)
        ax.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        if middle is not None and np.isfinite(middle):
            ax.vlines([middle], 0, 1.12 * top, color=INK, linewidth=1.6)
            _inside(ax, float(middle), 1.14 * top, f"median {number(middle)}")
        ax.vlines(ends, 0, 0.25 * top, color=INK, linewidth=1.2)
        _round_ticks(ax.xaxis, number, 4 if narrow else 7)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        key = [shorten(unit, most=44 if narrow else 60)] if unit else []
        if len(ends) == 2:
            range_ = ["short lines: 95\u202f% of draws lie", f"between {number(ends[0])} and {number(ends[1])}"]
            key += range_ if narrow else [" ".join(range_)]
        key.append("dashed: break-even")
        write_key(figure, key, narrow)
    return figure


def _inside(ax: Axes, x: float, y: float, text: str) -> None:
    """A text centred over a place as far as the axes allow; at their edge it is moved inwards."""
    settle(ax)
    low, high = ax.get_xlim()
    half = text_width(text) * 0.6 * (high - low) / (ax.get_window_extent().width / ax.figure.dpi * 72)
    x = min(max(x, low + half), high - half)
    ax.text(x, y, text, ha="center", va="bottom", color=INK, weight="bold", bbox=CLEARED)


def worth_of_a_point(rows: pd.DataFrame, narrow: bool = False, money: Callable[[float], str] = count) -> Chart:
    """What one, two, three ... additional points of yearly retention are worth by horizon, a dot each.

    ``rows``: points, horizon (months), value (money).
    """
    drawn = _by_horizon(rows, "value", 1)
    with styled():
        figure, ax = new_figure(3.4 if narrow else 3.7, narrow)
        if not drawn:
            say_nothing(ax, "nothing comes up for renewal")
            return figure
        ends = []
        for (horizon, x, y), (ink, dash) in zip(drawn, _STROKES, strict=False):
            ax.plot(np.append(0.0, x), np.append(0.0, y), color=ink, linewidth=1.8, linestyle=dash)
            ax.plot(x, y, "o", color=ink, markersize=5, clip_on=False)
            last = float(y[np.isfinite(y)][-1])
            ends.append((last, f"{horizon:.0f} months{chr(10) if narrow else ': '}{money(last)}", ink, "normal"))
        every = np.concatenate([line[1] for line in drawn])
        ax.set_xlim(0, float(np.nanmax(every)) or 1.0)
        ax.set_ylim(*padded([0.0, *np.concatenate([line[2] for line in drawn])], 0.05, 1.0))
        ticks = sorted(set(every[np.isfinite(every)]))
        ax.set_xticks(ticks, [f"+{x:g}" for x in ticks])
        _round_ticks(ax.yaxis, money, 4)
        quiet_grid(ax)
        ax.set_ylabel("gross margin")
        figure.supxlabel("points of yearly retention", size=10, color=QUIET)
        end_labels(ax, ends)
    return figure


MAX_INPUTS = 12


def tornado(
    rows: pd.DataFrame, narrow: bool = False, money: Callable[[float], str] = count, base: float = math.nan
) -> Chart:
    """How far each input, moved alone from its low to its high, moves the outcome; rows in the order given.

    ``rows``: label, low and high (the outcome at the input's low and high), low_input and high_input (in words),
    origin ("measured", "benchmark" or "guess"). ``base`` is the outcome with every input at its mode (NaN: not drawn);
    a bar that crosses zero decides between gain and loss. Twelve rows are drawn, and the number of others is written. A
    row without an outcome has no bar.
    """
    left_out, rows = len(rows) - MAX_INPUTS, rows[:MAX_INPUTS]
    low, high = finite(rows["low"]), finite(rows["high"])
    row = 44 if narrow else 36  # points
    with styled():
        figure, ax = new_figure(1.3 + row / 72 * max(1, len(rows)), narrow)
        if not (np.isfinite(low) & np.isfinite(high)).any():
            say_nothing(ax, "no input moves the outcome")
            return figure
        names = [shorten(label, most=30 if narrow else 26) for label in rows["label"]]
        origins = [shorten(origin, most=12) for origin in rows["origin"]]
        middle = np.full(len(rows), base) if np.isfinite(base) else (low + high) / 2
        if narrow:
            place, thick = above_rows(ax, [row] * len(rows), names, origins) + 30, 18.0
            width = NARROW * 72 - 16
        else:
            row_labels(ax, names, origins)
            place, thick = np.arange(len(rows)) + 0.0, 0.5
            width = WIDE * 72 - 40 - max(text_width(text) for text in [*names, *origins])
        for ends, ink in ((low, TOTAL), (high, ACCENT)):
            ax.barh(place, ends - middle, left=middle, height=thick, color=ink, alpha=0.9, linewidth=0)
        inputs = [shorten(text, narrow, 16) for column in ("low_input", "high_input") for text in rows[column]]
        ends, other = np.concatenate([low, high]), np.concatenate([high, low])
        leftward = (ends < other) | ((ends == other) & (np.arange(len(ends)) < len(rows)))
        ax.set_xlim(*_with_room(ends, leftward, [text_width(text) + 7 for text in inputs], [base, 0.0], width))
        style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "color": QUIET, "bbox": CLEARED}
        for text, end, left, y in zip(inputs, ends, leftward, [*place, *place], strict=True):
            if np.isfinite(end):
                style["ha"] = "right" if left else "left"
                ax.annotate(text, (end, y), (-5 if left else 5, 0), **style)
        ax.axvline(0, color=LOSS, linewidth=1.3, linestyle=(0, (4, 3)))
        style = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center", "color": LOSS}
        ax.annotate("break-even", (0, 1), (0, 4), **style)
        key = ["grey: input at its low, blue: at its high"]
        if np.isfinite(base):
            ax.axvline(base, color=INK, linewidth=1)
            key.append(f"line: all inputs at their mode, {money(base)}")
        if left_out > 0:
            key.append(f"{left_out} more input{'s' if left_out > 1 else ''} not drawn")
        _round_ticks(ax.xaxis, money, 3 if narrow else 6)
        write_key(figure, key, narrow)
    return figure


def _with_room(
    ends: np.ndarray, leftward: np.ndarray, widths: Sequence[float], others: Sequence[float], width: float
) -> tuple[float, float]:
    """Limits of an axis of ``width`` points that hold the bars, and beyond their ends words of these widths."""
    first = low, high = padded([*ends, *others], 0.03)
    for _ in range(12):
        per_point = (high - low) / width
        reach = np.where(leftward, ends - np.asarray(widths) * per_point, ends + np.asarray(widths) * per_point)
        reach = reach[np.isfinite(reach)]
        low, high = min(first[0], float(reach.min())), max(first[1], float(reach.max()))
    return low, high


def evidence_intervals(
    rows: pd.DataFrame, narrow: bool = False, number: Callable[[float], str] = count, unit: str = ""
) -> Chart:
    """Pieces of evidence, the strongest on top: a point with its interval, or in words why there is none.

    ``rows``: label, note, value, low, high (missing where refused), status ("shown", "refused", "refuted" or "tied",
    an association that is no effect), why. Refuted evidence is hollow, grey and dashed, tied evidence hollow and grey.
    ``number(value)`` writes a value, ``unit`` names under the axis what is measured. Evidence without a value is
    refused.
    """
    value, low, high = (finite(rows[column]) for column in ("value", "low", "high"))
    status = rows["status"].astype(str).to_numpy()
    given = (status != "refused") & np.isfinite(value)
    names, notes = ([shorten(text, most=44 if narrow else 32) for text in rows[column]] for column in ("label", "note"))
    letters = 46 if narrow else int((WIDE * 72 - 70 - max(map(text_width, [*names, *notes, ""]))) / 6)
    whys = ["" if there else _why(why, letters) for there, why in zip(given, rows["why"], strict=True)]
    lines = [why.count("\n") + 1 for why in whys]
    heights = [42.0 + 13 * line for line in lines] if narrow else [12.0 + 13 * max([2, *lines])] * len(rows)
    with styled():
        figure, ax = new_figure(0.95 + max(36.0, sum(heights)) / 72, narrow)
        if not len(rows):
            say_nothing(ax, "there is no evidence to show")
            return figure
        ax.set_xlim(*padded(np.concatenate([value[given], low[given], high[given], [0.0]]), 0.1))
        if narrow:
            place = above_rows(ax, heights, names, notes, beneath=True) + 38
            ax.vlines(np.zeros(given.sum()), place[given] - 9, place[given] + 9, color=INK, linewidth=1)
        else:
            row_labels(ax, names, notes)
            place = np.arange(len(rows)) + 0.0
            ax.axvline(0, color=INK, linewidth=1)
        quiet = (status == "refuted") | (status == "tied")
        for y, refuted in enumerate(status == "refuted"):
            if not given[y]:
                at, ha, va = ((0.0, place[y] - 7), "left", "top") if narrow else ((0.5, place[y]), "center", "center")
                words = ax.text(*at, whys[y], ha=ha, va=va, color=QUIET, style="italic", bbox=CLEARED)
                words.set_transform(ax.get_yaxis_transform())
                continue
            ink = TOTAL if quiet[y] else GAIN if low[y] > 0 else LOSS if high[y] < 0 else ACCENT
            dash = (0, (2, 2)) if refuted else "solid"
            ax.hlines(place[y], low[y], high[y], color=ink, alpha=0.6, linewidth=3, linestyle=dash)
            ax.plot([value[y]], [place[y]], "o", color=ink, markerfacecolor="none" if quiet[y] else ink, markersize=8)
            figures = shorten(number(value[y]), most=12)
            beside(ax, place[y], figures, weight="normal" if quiet[y] else "bold", color=QUIET if quiet[y] else INK)
        _round_ticks(ax.xaxis, number, 3 if narrow else 6)
        key = [shorten(unit, most=44 if narrow else 70)] if unit else []
        if (given & (status == "refuted")).any():
            key.append("○ refuted: shown because it is usually quoted")
        if (given & (status == "tied")).any():
            key.append("○ on a full line: an association, no effect")
        write_key(figure, key, narrow)
    return figure


def _why(why: object, letters: int) -> str:
    """A reason on up to three lines, shorter ones where letters may be as wide as two."""
    words = shorten(why, most=400) or "not given"
    return "\n".join(wrap(words, letters if words.isascii() else letters // 2, max_lines=3, placeholder="…"))
