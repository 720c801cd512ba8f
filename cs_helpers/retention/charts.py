"""Charts of retention results: movements, cohorts, trends, groups, renewals to come and past forecasts.

Each function draws one kind of result, for a desk or, ``narrow``, for a phone. They draw and never compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.events import events_inside, mark_events
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
from cs_helpers.report.words import short_money
from cs_helpers.retention.comparison import Trend, TrendLine
from cs_helpers.retention.groups import GroupRetention
from cs_helpers.retention.mrr import Movements
from cs_helpers.retention.outlook import ForecastScore, RenewalOutlook
from cs_helpers.retention.start_cohorts import CohortTriangle


def waterfall(result: Movements, narrow: bool = False) -> Chart:
    """MRR movements from starting to ending, as floating bars with their amounts."""
    total, money = result.total, short_money(result.currency)
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


def cohort_heatmap(triangle: CohortTriangle, narrow: bool = False) -> Chart:
    """Share of each start cohort kept by age; an age that the cohort has not reached stays empty.

    A phone gets every second age.
    """
    import seaborn as sns

    table = triangle.shares
    if narrow:
        table = table[[age for age in table.columns if int(age) % 6 == 0]]
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
            text.set_in_layout(False)  # it is inside its cell
        every = 1 + table.shape[1] // _MAX_AGES[narrow]
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


_MAX_AGES = {False: 46, True: 22}  # that fit beside each other on a desk and on a phone


def trend(result: Trend, narrow: bool = False) -> Chart:
    """Shares month by month with their intervals and targets, one panel per line.

    Every panel spans the same number of points, so that equal slopes are equal changes. Events, such as a price change,
    are marked in every panel and named above the first; an event outside the months shown is left out.
    """
    series = [_Series(line) for line in result.lines]
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
            events_inside(result.events, months, 20 if narrow or columns == 3 else 26),
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

    def __init__(self, line: TrendLine) -> None:
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


def group_bars(groups: GroupRetention, narrow: bool = False) -> Chart:
    """GRR of each group with its interval, its value in the window before, and the GRR of all accounts as a line."""
    rows, overall = groups.rows, groups.overall
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
        if np.isfinite(overall):
            ax.axvline(overall, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
            at: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
            ax.annotate(f"all accounts {share(overall, 1)}", (overall, 1), (0, 4), ha="center", color=INK, **at)
        shown = np.concatenate([now, low, high, before, [overall]])
        ax.set_xlim(*padded(shown))
        share_axis(ax.xaxis, 3 if narrow else 6)
        row_labels(ax, [shorten(g, narrow) for g in rows.index], [f"n = {count(n)}" for n in rows["accounts"]])
        for y, value in enumerate(now):
            beside(ax, y, share(value, 1), weight="bold")
        key = "● now, with its interval" + (" · ○ before" if np.isfinite(before).any() else "")
        figure.supxlabel(key, size=10, color=QUIET)
    return figure


_COLUMNS = ("due", "expected", "low", "high", "worst", "best")


def outlook(result: RenewalOutlook, narrow: bool = False) -> Chart:
    """Per quarter an outlined bar for MRR due and a filled bar for MRR expected to stay, with its interval.

    Worst and best case are short ticks. Bars are vertical for a desk and horizontal for a phone.
    """
    table, money = result.quarters, short_money(result.currency)
    parts = {column: finite(table[column]) for column in _COLUMNS}
    most = 18 if len(table) <= 4 else 12  # room for a quarter that ends in another year than it began
    names = [shorten(name, narrow, most) for name in table.index]
    with styled():
        figure, ax = new_figure(0.75 + 0.62 * max(1, len(table)) if narrow else 3.9, narrow)
        if not len(table):
            say_nothing(ax, "nothing comes up for renewal")
            return figure
        top = float(np.nanmax(np.concatenate([np.zeros(1), *parts.values()]))) or 1.0
        _draw_quarters(ax, parts, narrow)
        expected = [_amount(value, money) for value in parts["expected"]]
        due = [f"of {_amount(value, money)}" for value in parts["due"]]
        if narrow:
            row_labels(ax, names, [""] * len(names))
            ax.grid(False)
            ax.set_xlim(min(0.0, *_floor(parts)), 1.02 * top)
            ax.set_xticks([])
            ax.spines["bottom"].set_visible(False)
            for y in range(len(names)):
                beside(ax, y, expected[y], up=7, weight="bold")
                beside(ax, y, due[y], up=-7, color=QUIET)
            key = "outline: due · filled: expected, line: its interval\nticks: worst and best case"
        else:
            _name_quarters(ax, names, expected, due, np.fmax.reduce([np.zeros(len(names)), *parts.values()]))
            ax.set_xlim(-0.5, len(names) - 1 + max(0.38 * min(1.0, len(names) / 3), 45 * len(names) / 480))
            ax.set_ylim(min(0.0, *_floor(parts)), top * 1.22)
            words = {"due": "due", "best": "best case", "expected": "expected", "worst": "worst case"}
            last = [(float(parts[column][-1]), word) for column, word in words.items()]
            inks = {"expected": ACCENT, "best case": LOSS, "worst case": LOSS}
            end_labels(ax, [(y, word, inks.get(word, QUIET), "normal") for y, word in last if np.isfinite(y)])
            key = "upright line: interval of what is expected"
        figure.supxlabel(key, size=10, color=QUIET)
    return figure


def _name_quarters(ax: Axes, names: list[str], expected: list[str], due: list[str], tops: np.ndarray) -> None:
    """Quarters below upright bars and their amounts above, every so many where there is little room."""
    every = max(1, -(-len(names) * 74 // 480))  # an amount takes up to 74 points
    ax.set_xticks(np.arange(len(names))[::every], names[::every], size=10.5)
    ax.tick_params(axis="x", colors=INK)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    at: Any = {"textcoords": "offset points", "ha": "center"}
    for x in range(0, len(names), every):
        ax.annotate(expected[x], (x, tops[x]), (0, 18), color=INK, weight="bold", **at)
        ax.annotate(due[x], (x, tops[x]), (0, 5), color=QUIET, **at)


def _amount(value: float, money: Callable[[float], str]) -> str:
    return money(float(value)) if np.isfinite(value) else "–"


def _floor(parts: dict[str, np.ndarray]) -> list[float]:
    return [float(np.nanmin(np.append(values, 0.0))) for values in parts.values()]


def _draw_quarters(ax: Axes, parts: dict[str, np.ndarray], lying: bool) -> None:
    place = np.arange(len(parts["due"]))
    bar, line = (ax.barh, ax.hlines) if lying else (ax.bar, ax.vlines)
    across = ax.vlines if lying else ax.hlines
    outline, filled = np.nan_to_num(parts["due"]), np.nan_to_num(parts["expected"])
    wide = 1.0 if lying else min(1.0, len(place) / 3)  # one or two quarters are no walls
    bar(place, outline, 0.66 * wide, facecolor="none", edgecolor=QUIET, linewidth=1.2)
    bar(place, filled, 0.46 * wide, color=ACCENT, alpha=0.38, linewidth=0)
    across(parts["expected"], place - 0.23 * wide, place + 0.23 * wide, color=ACCENT, linewidth=2.4)
    line(place, parts["low"], parts["high"], color=INK, linewidth=1.6)
    for case in ("worst", "best"):
        across(parts[case], place - 0.13 * wide, place + 0.13 * wide, color=LOSS, linewidth=2)


def forecast_score(result: ForecastScore, narrow: bool = False) -> Chart:
    """Per quarter the forecast interval with its middle, and the outcome as a dot: filled inside, hollow outside."""
    table, money = result.quarters, short_money(result.currency)
    expected, low, high, actual = (finite(table[column]) for column in ("expected", "low", "high", "actual"))
    inside = (actual >= low) & (actual <= high)
    with styled():
        figure, ax = new_figure(1.1 + 0.46 * max(1, len(table)), narrow)
        if not len(table):
            say_nothing(ax, "no forecast has come due yet")
            return figure
        place = np.arange(len(table))
        ax.hlines(place, low, high, color=ACCENT, alpha=0.35, linewidth=9)
        ax.vlines(expected, place - 0.26, place + 0.26, color=ACCENT, linewidth=2.2)
        ax.plot(actual[inside], place[inside], "o", color=INK, markersize=7)
        hollow: Any = {"markerfacecolor": "none", "markeredgewidth": 1.8, "markersize": 7}
        ax.plot(actual[~inside], place[~inside], "o", color=LOSS, **hollow)
        ax.set_xlim(*padded(np.concatenate([expected, low, high, actual]), 0.06, 1.0))
        due = [f"{_amount(value, money)} due" for value in finite(table["due"])]
        row_labels(ax, [shorten(quarter, narrow) for quarter in table.index], due)
        for y, value in enumerate(actual):
            side = "" if inside[y] or not np.isfinite(value) else " above" if value > high[y] else " below"
            beside(ax, y, f"{_amount(value, money)}{side}", weight="bold" if side else "normal")
        low_end, high_end = ax.get_xlim()
        ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low_end, high_end)
        named = {money(float(tick)): tick for tick in ticks[::-1] if low_end <= tick <= high_end}
        ends = list(named.items())[:: max(1, len(named) - 1) if narrow else 1]  # a phone has room for two amounts
        ax.set_xticks([tick for _, tick in ends], [amount for amount, _ in ends])
        ax.grid(axis="x")
        came = "what came: ● inside, ○ outside the interval"
        drawn = "band: forecast interval, tick: its middle"
        figure.supxlabel(("\n" if narrow else " · ").join([came, drawn]), size=10, color=QUIET)
    return figure
