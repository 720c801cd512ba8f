"""Charts of retention: where revenue came from and went, which cohorts and groups stay, and how it moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cs_helpers.charts.events import events_inside, mark_events
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
    cell_ink,
    new_figure,
    quiet_grid,
    styled,
)
from cs_helpers.report.charts.labels import (
    beside,
    count,
    end_labels,
    finite,
    month_axis,
    padded,
    row_labels,
    say_nothing,
    settle,
    share,
    share_axis,
    shorten,
)


def waterfall(total: pd.Series, money: Callable[[float], str], narrow: bool = False) -> Figure:
    """MRR movements from starting to ending, as floating bars with their amounts.

    ``total`` as from ``retention.total_movements``; ``money(amount)`` writes an amount in short.
    """
    sign = {"starting": "", "ending": "", "contraction": "−", "churn": "−"}
    floors, sizes, level = [], [], 0.0
    for name, amount in zip(total.index, total, strict=True):
        whole = name in ("starting", "ending")
        size = float(amount) * (-1 if sign.get(name) == "−" else 1)
        floors.append(0.0 if whole else level)
        sizes.append(size)
        level = size if whole else level + size
    colours = [{"": TOTAL, "−": LOSS}.get(sign.get(name, "+"), GAIN) for name in total.index]
    labels = [sign.get(name, "+") + money(amount) for name, amount in zip(total.index, total, strict=True)]
    tops, ends = np.maximum(floors, np.add(floors, sizes)), np.add(floors, sizes)[:-1]
    place, names = np.arange(len(total)), [name.capitalize() for name in total.index]
    with styled():
        figure, ax = new_figure(3.4 if narrow else 3.7, narrow)
        if narrow:
            ax.barh(place, sizes, left=floors, color=colours, height=0.62)
            ax.vlines(ends, place[:-1] + 0.31, place[1:] - 0.31, color=QUIET, linewidth=0.8)
            ax.set_yticks(place, names, size=10)
            ax.invert_yaxis()
            ax.set_xlim(0, tops.max() * 1.3)
            ax.set_xticks([])
            ax.spines["bottom"].set_visible(False)
            ax.tick_params(axis="y", colors=INK)
        else:
            ax.bar(place, sizes, bottom=floors, color=colours, width=0.62)
            ax.hlines(ends, place[:-1] + 0.31, place[1:] - 0.31, color=QUIET, linewidth=0.8)
            ax.set_xticks(place, names, size=10.5)
            ax.set_ylim(0, tops.max() * 1.1)
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            ax.tick_params(axis="x", colors=INK)
        for i, label in enumerate(labels):
            at, shift = ((tops[i], i), (4, 0)) if narrow else ((i, tops[i]), (0, 4))
            ax.annotate(
                label,
                at,
                shift,
                textcoords="offset points",
                ha="left" if narrow else "center",
                va="center" if narrow else "bottom",
                color=INK if colours[i] == TOTAL else colours[i],
                size=10 if narrow else 10.5,
            )
    return figure


def cohort_heatmap(triangle: Any, narrow: bool = False) -> Figure:
    """Share of each start cohort kept by age; cells that nobody could see yet stay empty.

    ``triangle`` as from ``retention.cohort_triangle``. A phone gets every second age.
    """
    import seaborn as sns

    table = triangle.table
    if narrow:
        table = table[[age for age in table.columns if age % 6 == 0]]
    quarters = triangle.by == "quarter"
    rows = [
        f"{c.year} Q{c.quarter}  n={n}" if quarters else f"{c:%b %Y}  n={n}"
        for c, n in zip(table.index, triangle.accounts, strict=True)
    ]
    percent = (table * 100).to_numpy()
    floor = np.floor(np.nanmin(percent) / 10) * 10 if np.isfinite(percent).any() else 0
    ceiling = max(100.0, float(np.nanmax(percent)))
    shades = mpl.colors.LinearSegmentedColormap.from_list("kept", ["#f3e3cf", "#a9c7dd", "#2d6ca2", "#123a63"])
    place = mpl.colors.Normalize(min(floor, 90), ceiling)
    with styled():
        figure, ax = new_figure(0.9 + (0.36 if narrow else 0.38) * len(table), narrow)
        sns.heatmap(
            pd.DataFrame(percent, rows, table.columns),
            ax=ax,
            cmap=shades,
            norm=place,
            xticklabels=False,
            yticklabels=False,
            linewidths=1.5,
            linecolor="none",
            cbar=False,
        )
        # Cells and ticks are written here: seaborn draws the picture once more to see whether labels overlap.
        for row, column in np.argwhere(np.isfinite(percent)):
            value = percent[row, column]
            ink = cell_ink(shades(place(value)))
            text = ax.text(column + 0.5, row + 0.5, f"{value:.0f}", ha="center", va="center", size=10, color=ink)
            text.set_in_layout(False)  # it stands inside
        every = 1 + table.shape[1] // _MOST_AGES[narrow]
        ax.set_xticks(np.arange(0, table.shape[1], every) + 0.5, table.columns[::every])
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
        for mesh in ax.collections:
            mesh.set_edgecolor("none")
        ax.set_xlabel("months since the account's own start")
        ax.set_ylabel("")
        ax.xaxis.set_label_position("top")
        ax.xaxis.tick_top()
        ax.tick_params(axis="y", labelrotation=0, colors=INK)
        ax.tick_params(axis="x", labelrotation=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
    return figure


_MOST_AGES = {False: 46, True: 22}  # that fit beside each other on a desk and on a phone


def trend(lines: Iterable[Any], narrow: bool = False, events: Any = None) -> Figure:
    """Shares month by month with their intervals and targets, one panel per line.

    Each of ``lines`` has label, months (Timestamps), values, low, high (fractions, NaN = none) and target (fraction
    or None). Every panel spans the same number of points, so that equal slopes are equal changes. ``events`` (month or
    day, label), such as a price change, are marked in every panel and named above the first; one outside the months
    shown is left out.
    """
    series = [_Series(line) for line in lines]
    columns = 1 if narrow else max(1, min(len(series), 3))
    rows = max(1, -(-len(series) // columns))
    span = 1.22 * max([0.02, *(line.top - line.bottom for line in series)])
    months = np.concatenate([np.zeros(0), *(line.x for line in series)])
    with styled():
        figure = Chart(figsize=(NARROW if narrow else WIDE, 0.35 + (1.75 if narrow else 2.6) * rows))
        grid = figure.subplots(rows, columns, squeeze=False)
        for place, ax in enumerate(grid.flat):
            if place >= len(series):
                say_nothing(ax, "" if series else "nothing to show")
                continue
            line = series[place]
            ax.set_title(shorten(line.label, narrow, 26), size=10.5, color=INK, weight="bold", pad=8)
            if not line.seen.any():
                say_nothing(ax, "no value yet")
                continue
            _draw_series(ax, line, span)
            month_axis(ax, months, 4 if narrow or columns < 3 else 3)
            if place + columns < len(series):
                ax.tick_params(axis="x", labelbottom=False)
        mark_events(
            grid,
            events_inside(events, months, 20 if narrow or columns == 3 else 26),
            *((190, 45) if narrow else ((125, 90), (210, 90), (510, 50))[3 - columns]),
        )
        settle(grid.flat[0])
        for line, ax in zip(series, grid.flat, strict=False):
            if line.seen.any():
                last = line.last
                ends = [(line.values[last], share(line.values[last], 1), ACCENT, "bold")]
                if line.target is not None:
                    ends.append((line.target, f"target\n{share(line.target)}", QUIET, "normal"))
                end_labels(ax, ends, settled=True)
    return figure


class _Series:
    """One line of ``trend`` as arrays; limits that are not finite are none."""

    def __init__(self, line: Any) -> None:
        self.label = line.label
        self.x = np.array([month.year * 12 + month.month - 1 for month in line.months], float)
        self.values, self.low, self.high = (
            np.where(np.isfinite(part), part, np.nan)
            for part in (np.asarray(part, float) for part in (line.values, line.low, line.high))
        )
        self.target = None if line.target is None or not np.isfinite(line.target) else float(line.target)
        self.seen = np.isfinite(self.values)
        self.last = int(np.flatnonzero(self.seen)[-1]) if self.seen.any() else 0
        shown = np.concatenate([self.values, self.low, self.high, [] if self.target is None else [self.target]])
        shown = shown[np.isfinite(shown)]
        self.bottom, self.top = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 0.0)


def _draw_series(ax: Axes, line: _Series, span: float) -> None:
    ax.fill_between(line.x, line.low, line.high, color=ACCENT, alpha=0.16, linewidth=0)
    ax.plot(line.x, line.values, color=ACCENT, linewidth=2.2, solid_capstyle="round")
    beside = np.concatenate([[False], line.seen[:-1]]) | np.concatenate([line.seen[1:], [False]])
    alone = line.seen & ~beside  # a month between gaps has no line and no band to show it
    ax.vlines(line.x[alone], line.low[alone], line.high[alone], color=ACCENT, alpha=0.45, linewidth=2.2)
    marked = np.union1d(np.flatnonzero(alone), [line.last])
    ax.plot(line.x[marked], line.values[marked], "o", color=ACCENT, markersize=5.5)
    if line.target is not None:
        ax.axhline(line.target, color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)))
    middle = (line.bottom + line.top) / 2
    ax.set_ylim(middle - span / 2, middle + span / 2)
    share_axis(ax.yaxis, 5)
    quiet_grid(ax)


def group_bars(groups: Any, narrow: bool = False) -> Figure:
    """GRR of each group with its interval, what it was before, and that of all accounts as a line.

    ``groups`` as from ``retention.by_group``.
    """
    rows, overall = groups.table, groups.overall
    now, low, high, before = (finite(rows[column]) for column in ("grr", "grr_low", "grr_high", "grr_before"))
    place = np.arange(len(rows))
    with styled():
        figure, ax = new_figure(1.15 + 0.46 * max(1, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "nothing to show")
            return figure
        ax.hlines(place, low, high, color=ACCENT, alpha=0.45, linewidth=3)
        ax.plot(before, place, "o", color=QUIET, markerfacecolor="none", markersize=7, markeredgewidth=1.4)
        ax.plot(now, place, "o", color=ACCENT, markersize=8)
        if overall is not None and np.isfinite(overall):
            ax.axvline(overall, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
            at: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
            ax.annotate(f"all accounts {share(overall, 1)}", (overall, 1), (0, 4), ha="center", color=INK, **at)
        shown = np.concatenate([now, low, high, before, [np.nan if overall is None else overall]])
        ax.set_xlim(*padded(shown))
        share_axis(ax.xaxis, 3 if narrow else 6)
        row_labels(ax, [shorten(g, narrow) for g in rows.index], [f"n = {count(n)}" for n in rows["accounts"]])
        for y, value in enumerate(now):
            beside(ax, y, share(value, 1), weight="bold")
        key = "● now, with its interval" + (" · ○ before" if np.isfinite(before).any() else "")
        figure.supxlabel(key, size=10, color=QUIET)
    return figure
