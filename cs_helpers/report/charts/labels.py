"""Words on charts: shares, counts and names in short, labels beside rows and at the ends of lines, kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cs_helpers.core.errors import visible
from cs_helpers.report.charts.ink import INK, PAPER, QUIET, TOTAL, WIDE
from cs_helpers.report.charts.measure import text_width


def shorten(text: object, narrow: bool = False, most: int = 24) -> str:
    """Text from data on one line, inert, and cut with an ellipsis after 24 characters (16 on a phone).

    A character as wide as two, Japanese say, counts as two.
    """
    words, limit = " ".join(visible(text).split()), 16 if narrow and most <= 24 else most
    if words.isascii():
        return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"
    ends = np.cumsum([1 + (east_asian_width(letter) in "WF") for letter in words[: limit + 1]])
    return words if ends[-1] <= limit else f"{words[: int((ends < limit).sum())].rstrip()}…"


def share(value: float, digits: int | None = None) -> str:
    """``92\u202f%``; without ``digits`` one decimal where there is one to show. A dash where there is no value.

    A small share never reads as none: below one half percent it has a decimal, below 0.05 it is ``<0.1\u202f%``.
    """
    if not np.isfinite(value):
        return "–"
    size = round(abs(value) * 100, 9)
    text = f"{size:,.{1 if digits is None or 0 < size < 0.5 else digits}f}"
    if size and not text.strip("0."):
        text = "<0.1"
    sign = "−" if value < 0 and size else ""
    return f"{sign}{text.removesuffix('.0') if digits is None else text}\u202f%"


def count(value: float) -> str:
    """A whole number with separators; a dash where there is no value."""
    return f"{value:,.0f}".replace("-", "−") if np.isfinite(value) else "–"


def finite(values: Any) -> np.ndarray:
    """Floats, with NaN for everything that cannot be drawn."""
    numbers = pd.to_numeric(pd.Series(list(values), dtype=object), errors="coerce").to_numpy(float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def padded(values: Any, room: float = 0.06, least: float = 0.02) -> tuple[float, float]:
    """Limits that hold all finite values with room around them, and are never of no width."""
    seen = finite(np.asarray(values, float).ravel())
    seen = seen[np.isfinite(seen)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    more = max(room * (high - low), (least - (high - low)) / 2)
    return low - more, high + more


def share_axis(axis: Any, most: int) -> None:
    """A few round percentages, with decimals only where the ticks need them."""
    low, high = sorted(axis.get_view_interval())
    digits = 0 if high - low >= 0.03 else 1
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(lambda value, _: share(round(value, 9), digits))


def say_nothing(ax: Axes, why: str) -> None:
    """Words in place of an axis that would be empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, ha="center", va="center", color=QUIET, transform=ax.transAxes)


def row_labels(ax: Axes, names: Sequence[str], notes: Sequence[str]) -> None:
    """Names left of horizontal rows, the first on top, each with a quiet note under it ("" = none)."""
    at: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right", "va": "center"}
    for y, (name, note) in enumerate(zip(names, notes, strict=True)):
        ax.annotate(name, (0, y), (-9, 6.5 if note else 0), color=INK, **at)
        if note:
            ax.annotate(note, (0, y), (-9, -7), color=QUIET, **at)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


# Behind words that stand on lines: the page's own colour.
CLEARED: Any = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}


def above_rows(
    ax: Axes, heights: Sequence[float], names: Sequence[str], notes: Sequence[str], beneath: bool = False
) -> np.ndarray:
    """For a phone, names above their rows instead of beside them, notes at the right end or ``beneath`` the names.

    The axis then counts in points from the top; where each row of these heights begins is returned.
    """
    tops = np.concatenate([[0.0], np.cumsum(heights)])
    at: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    for top, name, note in zip(tops, names, notes, strict=False):
        ax.annotate(name, (0, top), (0, -9), color=INK, ha="left", bbox=CLEARED, **at)
        if note and beneath:
            ax.annotate(note, (0, top), (0, -22), color=QUIET, ha="left", bbox=CLEARED, **at)
        elif note:
            ax.annotate(note, (1, top), (0, -9), color=QUIET, ha="right", bbox=CLEARED, **at)
    ax.set_ylim(tops[-1], 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return tops[:-1]


def beside(ax: Axes, y: float, text: str, up: float = 0, **style: Any) -> None:
    """A value at the right end of a horizontal row, ``up`` points above its middle."""
    at: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    ax.annotate(text, (1, y), (8, up), **{"color": INK, **at, **style})


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Centres as near as possible to the wanted ones, for labels of these sizes that must not overlap.

    Least squares under the order of ``wanted`` (pooling adjacent violators), then moved inside ``low`` to ``high`` as
    far as there is room.
    """
    order = np.argsort(np.asarray(wanted, float), kind="stable")
    size = np.asarray(sizes, float)[order]
    offset = np.concatenate([[0.0], np.cumsum((size[1:] + size[:-1]) / 2)]) if len(size) else np.zeros(0)
    blocks: list[tuple[float, int]] = []
    for target in np.asarray(wanted, float)[order] - offset:
        mean, members = float(target), 1
        while blocks and blocks[-1][0] > mean:
            before, n = blocks.pop()
            mean, members = (before * n + mean * members) / (n + members), n + members
        blocks.append((mean, members))
    flat = np.repeat([mean for mean, _ in blocks], [n for _, n in blocks]) if blocks else np.zeros(0)
    if len(size):
        floor, ceiling = low + size[0] / 2, high - size[-1] / 2 - offset[-1]
        flat = np.clip(flat, floor, max(floor, ceiling))
    centres = np.empty(len(size))
    centres[order] = flat + offset
    return [float(centre) for centre in centres]


def write_key(figure: Figure, parts: Sequence[str], narrow: bool) -> None:
    """How to read a chart, under it: parts beside each other as far as they fit; on a phone one below the other."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines and not narrow else ""
        if longer and text_width(longer) < WIDE * 72 - 24:
            lines[-1] = longer
        else:
            lines.append(part)
    if lines:
        figure.supxlabel("\n".join(lines), size=10, color=QUIET)


def settle(ax: Axes) -> None:
    """Give every axes of a figure its final height, which labels measured in points rest on."""
    figure = ax.get_figure(root=True)
    engine = figure.get_layout_engine() if figure else None
    if figure and engine:
        engine.execute(figure)


def end_labels(ax: Axes, ends: Sequence[tuple[float, str, str, str]], settled: bool = False) -> None:
    """Labels at the right edge of an axes, moved apart; a thin line leads to where a moved one belongs.

    Each of ``ends`` is a height in data units, a text, its ink and its weight. ``settled``: the layout is known.
    """
    if not settled:
        settle(ax)
    box, (bottom, top) = ax.get_window_extent(), ax.get_ylim()
    height = box.height / ax.figure.dpi * 72
    wanted = [(y - bottom) / (top - bottom) * height for y, *_ in ends]
    sizes = [13.5 + 12 * text.count("\n") for _, text, *_ in ends]
    # From four points before its text on; without patchA no box around the text has to be cut out of the line.
    lead: Any = {"arrowstyle": "-", "color": TOTAL, "linewidth": 0.8, "patchA": None, "shrinkA": 4, "shrinkB": 1}
    for (y, text, ink, weight), at, put in zip(ends, wanted, spread(wanted, sizes, 0, height), strict=True):
        moved = abs(put - at) > 2.5
        ax.annotate(
            text,
            (1, y),
            (16 if moved else 7, put - at),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color=ink,
            weight=weight,
            linespacing=1.1,
            annotation_clip=False,
            arrowprops={**lead, "relpos": (0, 0.5)} if moved else None,
        )


def month_axis(ax: Axes, months: np.ndarray, most: int) -> None:
    """Ticks back from the last month, with the year under the first one and wherever it changes."""
    first, last = months.min(), months.max()
    every = next((gap for gap in (1, 2, 3, 6, 12, 24, 36, 60) if (last - first) / gap <= most), 120)
    ticks = np.arange(last, first - 0.5, -every)[::-1]
    days = [pd.Timestamp(year=int(tick // 12), month=int(tick % 12) + 1, day=1) for tick in ticks]
    years = [None, *(day.year for day in days)]
    ax.set_xticks(
        ticks, [f"{d:%b}\n{d.year}" if d.year != before else f"{d:%b}" for d, before in zip(days, years, strict=False)]
    )
    room = 0.03 * (last - first) if last > first else 1.0
    ax.set_xlim(first - room, last + room)
