"""Charts of assumptions and of evidence: what an outcome hangs on, and how strong each piece of evidence is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cs_helpers.report.charts.ink import ACCENT, GAIN, INK, LOSS, NARROW, QUIET, TOTAL, WIDE, new_figure, styled
from cs_helpers.report.charts.labels import (
    CLEARED,
    above_rows,
    beside,
    count,
    finite,
    padded,
    row_labels,
    say_nothing,
    shorten,
    write_key,
)
from cs_helpers.report.charts.measure import text_width

MOST_INPUTS = 12


def tornado(
    rows: Any,
    narrow: bool = False,
    money: Callable[[float], str] = count,
    base: float | None = None,
    line: float = 0.0,
) -> Figure:
    """How far each input, moved alone from its low to its high, moves the outcome; rows in the order given.

    ``rows``: label, low and high (the outcome at the input's low and high), low_input and high_input (in words),
    origin ("measured", "benchmark" or "guess"). ``base`` (or ``rows.attrs["base"]``) is the outcome with every input at
    its mode, ``line`` where it breaks even; a bar that crosses ``line`` decides between gain and loss. Twelve rows are
    drawn, and how many more there are is said. Raises nothing: a row without an outcome has no bar.
    """
    base = finite([rows.attrs.get("base") if base is None else base])[0]
    left_out, rows = len(rows) - MOST_INPUTS, rows[:MOST_INPUTS]
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
        ax.set_xlim(*_with_room(ends, leftward, [text_width(text) + 7 for text in inputs], [base, line], width))
        for text, end, left, y in zip(inputs, ends, leftward, [*place, *place], strict=True):
            if np.isfinite(end):
                at: Any = {"textcoords": "offset points", "va": "center", "ha": "right" if left else "left"}
                ax.annotate(text, (end, y), (-5 if left else 5, 0), color=QUIET, bbox=CLEARED, **at)
        ax.axvline(line, color=LOSS, linewidth=1.3, linestyle=(0, (4, 3)))
        on_top: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
        ax.annotate("break-even", (line, 1), (0, 4), color=LOSS, **on_top)
        key = ["grey: input at its low, blue: at its high"]
        if np.isfinite(base):
            ax.axvline(base, color=INK, linewidth=1)
            key.append(f"line: all inputs at their mode, {money(base)}")
        if left_out > 0:
            key.append(f"{left_out} more input{'s' if left_out > 1 else ''} not drawn")
        _few_ticks(ax, money, narrow)
        write_key(figure, key, narrow)
    return figure


def _few_ticks(ax: Axes, write: Callable[[float], str], narrow: bool) -> None:
    """Round values along the bottom, each written once."""
    low, high = ax.get_xlim()
    ticks = mpl.ticker.MaxNLocator(3 if narrow else 6, steps=[1, 2, 5, 10]).tick_values(low, high)
    named = {write(float(tick)): float(tick) for tick in ticks if low <= tick <= high}
    ax.set_xticks(list(named.values()), list(named))


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


def ladder(
    rows: Any,
    narrow: bool = False,
    number: Callable[[float], str] = count,
    zero: float = 0.0,
    unit: str = "",
) -> Figure:
    """Rungs of evidence, the strongest on top: a point with its interval, or in words why there is none.

    ``rows``: label, note, value, low, high (missing where refused), status ("shown", "refused", "refuted" or "tied"),
    why. A refuted rung is hollow, dashed and quiet: it is there to be seen through; a tied one, an association that is
    no effect, is hollow and quiet. ``zero`` is the line of no effect, ``number(value)`` writes a value, ``unit`` says
    under the axis what is measured. A rung without a value is refused.
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
        ax.set_xlim(*padded(np.concatenate([value[given], low[given], high[given], [zero]]), 0.1))
        if narrow:
            place = above_rows(ax, heights, names, notes, beneath=True) + 38
            ax.vlines(np.full(given.sum(), zero), place[given] - 9, place[given] + 9, color=INK, linewidth=1)
        else:
            row_labels(ax, names, notes)
            place = np.arange(len(rows)) + 0.0
            ax.axvline(zero, color=INK, linewidth=1)
        quiet = (status == "refuted") | (status == "tied")
        for y, refuted in enumerate(status == "refuted"):
            if not given[y]:
                at, ha, va = ((0.0, place[y] - 7), "left", "top") if narrow else ((0.5, place[y]), "center", "center")
                style: Any = {"style": "italic", "bbox": CLEARED, "transform": ax.get_yaxis_transform()}
                ax.text(*at, whys[y], ha=ha, va=va, color=QUIET, **style)
                continue
            ink = TOTAL if quiet[y] else GAIN if low[y] > zero else LOSS if high[y] < zero else ACCENT
            dash: Any = {"linestyle": (0, (2, 2))} if refuted else {}
            ax.hlines(place[y], low[y], high[y], color=ink, alpha=0.6, linewidth=3, **dash)
            ax.plot([value[y]], [place[y]], "o", color=ink, markerfacecolor="none" if quiet[y] else ink, markersize=8)
            bold: Any = {"weight": "normal" if quiet[y] else "bold", "color": QUIET if quiet[y] else INK}
            beside(ax, place[y], shorten(number(value[y]), most=12), **bold)
        _few_ticks(ax, number, narrow)
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
