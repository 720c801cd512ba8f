"""Charts that compare people on one measure: clear differences first, and no order where it would be chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import ACCENT, GAIN, INK, LINE, LOSS, QUIET, TOTAL, new_figure, styled
from cs_helpers.report.charts.labels import (
    CLEARED,
    beside,
    count,
    finite,
    padded,
    row_labels,
    say_nothing,
    share,
    shorten,
    write_key,
)

MAX_ROWS = 30
MAX_CLEAR = 24  # of them clearly different, so that some of the others stay in view
_ROW = 21.0  # points

_MARKS = {"better": ("^", GAIN), "worse": ("v", LOSS), "higher": ("D", ACCENT), "lower": ("D", ACCENT)}


@dataclass(frozen=True, eq=False)
class Ranks:
    """The data of charts that compare people.

    ``rows``: label, adjusted, low, high, shrunk, verdict ("better", "worse", "higher", "lower", or "" where the
    difference is not clear), rank_low, rank_high (1 is best) and p_top (probability of the better quarter). ``centre``:
    the figure of all; ``unit``: what is measured; ``of``: how many were ranked.
    """

    rows: pd.DataFrame
    centre: float
    unit: str
    of: int


def rank_intervals(
    ranks: Ranks, narrow: bool = False, number: Callable[[float], str] | None = None, ordered: bool = False
) -> Chart:
    """One row each: the adjusted figure as a ring with its 95 % interval, the shrunk one as a filled mark, the centre.

    Values are shares, or what ``number(value)`` writes. Those who are clearly different stand on top, marked by shape
    and colour, the farthest from the centre first; all others follow by name, since any order of theirs would be read
    as a ranking that the data do not hold. ``ordered`` keeps the order of the rows given, for a league table. Of more
    than thirty, those who are clearly different are drawn and the others that lie farthest out on either side; the key
    counts the rest. A row without a figure is not drawn.
    """
    rows = ranks.rows[np.isfinite(finite(ranks.rows["adjusted"]))].reset_index(drop=True)
    rows, folded, hidden = _folded(rows, ranks.centre, ordered)
    write = number or (lambda value: share(value, 1))
    with styled():
        figure, ax = new_figure(1.25 + _ROW / 72 * max(2, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "nothing to compare")
            return figure
        value, low, high, shrunk = (finite(rows[column]) for column in ("adjusted", "low", "high", "shrunk"))
        told, place = rows["verdict"].astype(str).to_numpy(), np.arange(len(rows)) + 0.0
        inks = [_MARKS.get(kind, ("o", TOTAL))[1] for kind in told]
        names = [shorten(label, narrow) for label in rows["label"]]
        ax.set_xlim(*padded(np.concatenate([value, low, high, shrunk, [ranks.centre]]), 0.04))
        row_labels(ax, names, [""] * len(rows))
        _line_at(ax, ranks.centre, f"all {write(ranks.centre)}")
        ax.hlines(place, low, high, color=inks, alpha=0.55, linewidth=2)
        ax.plot(value, place, "o", color=QUIET, markerfacecolor="none", markersize=7, zorder=3)
        for kind, (mark, ink) in (*_MARKS.items(), ("", ("o", TOTAL))):
            at = (told == kind) if kind else ~np.isin(told, list(_MARKS))
            ax.plot(shrunk[at], place[at], mark, color=ink, markersize=6.5 if kind else 4.5, zorder=4)
        for y, (each, kind) in enumerate(zip(value, told, strict=True)):
            beside(ax, y, shorten(write(each), most=14), weight="bold" if kind in _MARKS else "normal")
        _few_numbers(ax, number or share, narrow)
        key = ["○ adjusted, with its 95\u202f% interval", "filled: shrunk towards all, the best guess"]
        if (told == "better").any() or (told == "worse").any():
            key.append("told apart: ▲ better side, ▼ other side")
        if np.isin(told, ["higher", "lower"]).any():
            key.append("told apart: ◆ higher or lower, neither is better")
        if hidden:
            key.append(f"{count(hidden)} more told apart, not drawn")
        if folded:
            key.append(f"and {count(folded)} more, none told apart")
        write_key(figure, key, narrow)
        ax.set_xlabel(shorten(ranks.unit, most=38 if narrow else 60))
    return figure


def _folded(rows: pd.DataFrame, centre: float, ordered: bool) -> tuple[pd.DataFrame, int, int]:
    """The rows to draw in their order, and how many without and with a clear difference are not drawn."""
    told = np.isin(rows["verdict"].astype(str).to_numpy(), list(_MARKS))
    away = finite(rows["adjusted"]) - centre
    apart = np.flatnonzero(told)[np.argsort(-np.abs(away[told]), kind="stable")]
    alike = np.flatnonzero(~told)
    if len(rows) > MAX_ROWS:
        apart = apart[:MAX_CLEAR]
        left = MAX_ROWS - len(apart)
        outward = alike[np.argsort(away[alike], kind="stable")]
        half = left // 2
        alike = np.unique(np.concatenate([outward[:half], outward[max(half, len(outward) - (left - half)) :]]))
    names = rows["label"].astype(str).str.casefold().to_numpy()
    alike = alike[np.argsort(names[alike], kind="stable")]
    order = np.concatenate([apart, alike]).astype(int)
    if ordered:
        order = np.sort(order)
    return rows.iloc[order], int((~told).sum()) - len(alike), int(told.sum()) - len(apart)


def rank_bars(ranks: Ranks, narrow: bool = False) -> Chart:
    """For a league table: the places that each may hold with 90 % probability, and P(better quarter).

    Rows are drawn in the order given. A wide bar is an uncertain place. Of more than thirty the first and last
    fifteen are drawn, and the key counts those between. A row without ranks is not drawn.
    """
    rows = ranks.rows[np.isfinite(finite(ranks.rows["rank_low"])) & np.isfinite(finite(ranks.rows["rank_high"]))]
    between = max(0, len(rows) - MAX_ROWS)
    if between:
        half = MAX_ROWS // 2
        rows = rows.iloc[[*range(half), *range(len(rows) - half, len(rows))]]
    with styled():
        figure, ax = new_figure(1.25 + _ROW / 72 * max(2, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "nothing to rank")
            return figure
        low, high, chance = (finite(rows[column]) for column in ("rank_low", "rank_high", "p_top"))
        place = np.arange(len(rows)) + 0.0
        row_labels(ax, [shorten(label, narrow) for label in rows["label"]], [""] * len(rows))
        ax.set_xlim(0.4, max(ranks.of, float(high.max())) + 0.6)
        ax.barh(place, high - low + 0.8, left=low - 0.4, height=0.5, color=ACCENT, alpha=0.55, linewidth=0)
        if between:
            ax.axhline(MAX_ROWS / 2 - 0.5, color=LINE, linewidth=1.1, linestyle=(0, (4, 3)))
        for y, each in enumerate(chance):
            beside(ax, y, share(each, 0), color=INK)
        at: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right", "color": QUIET}
        ax.annotate("chance of the better quarter", (1, 1), (40, 4), **at)
        ticks = mpl.ticker.MaxNLocator(4 if narrow else 8, integer=True, steps=[1, 2, 5, 10])
        inner = [tick for tick in ticks.tick_values(1, ranks.of) if 1 < tick <= ranks.of]
        ax.set_xticks([1, *inner], [count(tick) for tick in (1, *inner)])
        ax.set_xlabel(f"place of {count(ranks.of)}, 1 is the better end")
        key = ["bar: the places that hold with 90\u202f% probability"]
        if between:
            key.append(f"{count(between)} between them not drawn")
        write_key(figure, key, narrow)
    return figure


def _line_at(ax: Axes, x: float, text: str) -> None:
    """A dashed line through all rows with its words on top."""
    if not np.isfinite(x):
        return
    ax.axvline(x, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
    at: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
    ax.annotate(text, (x, 1), (0, 4), color=INK, bbox=CLEARED, **at)


def _few_numbers(ax: Axes, number: Callable[[float], str], narrow: bool) -> None:
    """Round values along the bottom, each written once."""
    low, high = ax.get_xlim()
    ticks = mpl.ticker.MaxNLocator(3 if narrow else 6, steps=[1, 2, 5, 10]).tick_values(low, high)
    named = {number(float(tick)): float(tick) for tick in ticks if low <= tick <= high}
    ax.set_xticks(list(named.values()), list(named))
