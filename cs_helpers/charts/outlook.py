"""Charts of what comes up for renewal, what of it is expected to stay, and how good earlier forecasts were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cs_helpers.report.charts.ink import ACCENT, INK, LOSS, QUIET, new_figure, styled
from cs_helpers.report.charts.labels import (
    beside,
    count,
    end_labels,
    finite,
    padded,
    row_labels,
    say_nothing,
    share,
    share_axis,
    shorten,
)

_COLUMNS = ("due", "expected", "low", "high", "worst", "best")


def outlook(result: Any, narrow: bool = False, money: Callable[[float], str] = count) -> Figure:
    """Per quarter an outlined bar for what is due, a filled one for what is expected to stay, with its interval.

    ``result.table``: index quarters (text); due, expected, low, high, worst, best. Worst and best case are short ticks.
    Upright for a desk, lying for a phone. ``money(amount)`` writes an amount in short.
    """
    table = result.table
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


def forecast_score(result: Any, narrow: bool = False, money: Callable[[float], str] | None = None) -> Figure:
    """Per quarter the interval that was forecast with its middle, and what came: filled inside, hollow outside.

    ``result.table``: quarter (a column, or the index), due, expected, low, high, actual. With ``money(amount)`` these
    are amounts; without, fractions of what was due.
    """
    table = result.table
    quarters = table.get("quarter", table.index)
    expected, low, high, actual = (finite(table[column]) for column in ("expected", "low", "high", "actual"))
    inside = (actual >= low) & (actual <= high)
    with styled():
        figure, ax = new_figure(1.1 + 0.46 * max(1, len(table)), narrow)
        if not len(table):
            say_nothing(ax, "no forecast has come due yet")
            return figure
        write = money or (lambda value: share(value, 1))
        place = np.arange(len(table))
        ax.hlines(place, low, high, color=ACCENT, alpha=0.35, linewidth=9)
        ax.vlines(expected, place - 0.26, place + 0.26, color=ACCENT, linewidth=2.2)
        ax.plot(actual[inside], place[inside], "o", color=INK, markersize=7)
        hollow: Any = {"markerfacecolor": "none", "markeredgewidth": 1.8, "markersize": 7}
        ax.plot(actual[~inside], place[~inside], "o", color=LOSS, **hollow)
        ax.set_xlim(*padded(np.concatenate([expected, low, high, actual]), 0.06, 0.02 if money is None else 1.0))
        due = [f"{_amount(value, money)} due" if money else "" for value in finite(table["due"])]
        row_labels(ax, [shorten(quarter, narrow) for quarter in quarters], due)
        for y, value in enumerate(actual):
            side = "" if inside[y] or not np.isfinite(value) else " above" if value > high[y] else " below"
            beside(ax, y, f"{_amount(value, write)}{side}", weight="bold" if side else "normal")
        if money:
            low_end, high_end = ax.get_xlim()
            ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low_end, high_end)
            named = {money(float(tick)): tick for tick in ticks[::-1] if low_end <= tick <= high_end}
            ends = list(named.items())[:: max(1, len(named) - 1) if narrow else 1]  # a phone has room for two amounts
            ax.set_xticks([tick for _, tick in ends], [amount for amount, _ in ends])
        else:
            share_axis(ax.xaxis, 3 if narrow else 6)
        ax.grid(axis="x")
        came = "what came: ● inside, ○ outside the interval"
        drawn = "band: forecast interval, tick: its middle"
        figure.supxlabel(("\n" if narrow else " · ").join([came, drawn]), size=10, color=QUIET)
    return figure
