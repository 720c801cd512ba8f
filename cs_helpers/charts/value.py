"""Charts of what customer success is worth: break-even, two futures, a scenario's spread, one point of retention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cs_helpers.report.charts.ink import ACCENT, GAIN, INK, LOSS, QUIET, TOTAL, new_figure, quiet_grid, styled
from cs_helpers.report.charts.labels import (
    CLEARED,
    count,
    end_labels,
    finite,
    padded,
    say_nothing,
    settle,
    share,
    share_axis,
    shorten,
    write_key,
)
from cs_helpers.report.charts.measure import text_width

# Horizons have an ink and a dash of their own: either tells them apart without the other.
_STROKES: Any = [(ACCENT, "solid"), (GAIN, (0, (6, 2))), (INK, (0, (1.2, 1.2))), (QUIET, (0, (7, 2, 1.5, 2)))]


def break_even_curve(
    result: Any,
    narrow: bool = False,
    money: Callable[[float], str] = count,
    number: Callable[[float], str] = "{:.1f}".format,
) -> Figure:
    """Net value against the points of retention that customer success keeps, one line per horizon.

    ``result.curve``: horizon (months), points (of the exposed MRR), net (money). ``result.table``: horizon, points
    (where the line crosses zero; missing where it never does). Left of the crossing it costs more than it keeps.
    """
    curve, crossings = result.curve, result.table
    lines = [
        (float(horizon), finite(rows["points"]), finite(rows["net"]))
        for horizon, rows in curve.groupby("horizon", sort=True)
    ][: len(_STROKES)]
    drawn = [(h, x, y) for h, x, y in lines if (np.isfinite(x) & np.isfinite(y)).sum() > 1]
    with styled():
        figure, ax = new_figure(3.6 if narrow else 4.0, narrow)
        if not drawn:
            say_nothing(ax, "no cost to earn back")
            return figure
        at = {float(row.horizon): float(row.points) for row in crossings.itertuples() if np.isfinite(row.points)}
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
            pays = f"pays from {number(at[horizon])}" if horizon in at else "does not pay"
            ends.append((min(last, ax.get_ylim()[1]), f"{horizon:.0f} months\n{pays}", ink, "normal"))
        _money_axis(ax.yaxis, money, 4 if narrow else 6)
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4 if narrow else 8, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        quiet_grid(ax)
        ax.set_ylabel("net value")
        what = ["points of retention of the", "exposed MRR that are kept"] if narrow else [f"{_WHAT} that are kept"]
        write_key(figure, [*what, "● pays for itself"], narrow)
        end_labels(ax, ends)
    return figure


_WHAT = "points of retention of the exposed MRR"


def _money_axis(axis: Any, write: Callable[[float], str], most: int) -> None:
    """Round amounts, each written once."""
    low, high = sorted(axis.get_view_interval())
    ticks = mpl.ticker.MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high)
    named = {write(float(tick)): float(tick) for tick in ticks if low <= tick <= high}
    axis.set_ticks(list(named.values()), list(named))


def futures(result: Any, narrow: bool = False, gap: str = "") -> Figure:
    """The share still paying as it was and without customer success, with their bands, and what was seen as dots.

    ``result.curves``: t (months), natural, natural_low, natural_high, vanished, vanished_low, vanished_high,
    kaplan_meier (may be missing). ``gap`` says in words how far apart the two are at the end.
    """
    curves = result.curves
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
    bins: Any,
    narrow: bool = False,
    number: Callable[[float], str] = "{:.1f}".format,
    middle: float | None = None,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
) -> Figure:
    """How often each outcome came up among the draws of a scenario: bars left of zero lose money, right of it gain.

    ``bins``: left, right (ends of the bar), share (fraction of the draws). ``middle``, ``low`` and
    ``high``: the median and the ends of the range that are named; ``unit`` says under the axis what is counted.
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
        named = [
            (value, words)
            for value, words in ((low, "low"), (high, "high"))
            if value is not None and np.isfinite(value)
        ]
        ax.set_xlim(*padded([*left, *right, 0.0], 0.02))
        ax.set_ylim(0, 1.3 * top)
        ax.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        if middle is not None and np.isfinite(middle):
            ax.vlines([middle], 0, 1.12 * top, color=INK, linewidth=1.6)
            _inside(ax, float(middle), 1.14 * top, f"median {number(middle)}", weight="bold")
        for value, _ in named:
            ax.vlines([value], 0, 0.25 * top, color=INK, linewidth=1.2)
        _money_axis(ax.xaxis, number, 4 if narrow else 7)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        key = [shorten(unit, most=44 if narrow else 60)] if unit else []
        if len(named) == 2:
            key.append(f"short lines: 95\u202f% of draws lie between {number(named[0][0])} and {number(named[1][0])}")
            if narrow:
                key[-1:] = [
                    "short lines: 95\u202f% of draws lie",
                    f"between {number(named[0][0])} and {number(named[1][0])}",
                ]
        key.append("dashed: break-even")
        write_key(figure, key, narrow)
    return figure


def _inside(ax: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """A text centred over a place as far as the axes allow; at their edge it hangs inwards."""
    settle(ax)
    low, high = ax.get_xlim()
    half = text_width(text) * 0.6 * (high - low) / (ax.get_window_extent().width / ax.figure.dpi * 72)
    ax.text(min(max(x, low + half), high - half), y, text, ha="center", va="bottom", color=INK, bbox=CLEARED, **style)


def worth_of_a_point(rows: Any, narrow: bool = False, money: Callable[[float], str] = count) -> Figure:
    """What one, two, three ... points of yearly retention more are worth by horizon: a dot each, its amount beside it.

    ``rows``: points, horizon (months), value (money). The lines are straight only nearly: what is kept is kept again.
    """
    lines = [
        (float(horizon), finite(part["points"]), finite(part["value"]))
        for horizon, part in rows.groupby("horizon", sort=True)
    ][: len(_STROKES)]
    drawn = [(h, x, y) for h, x, y in lines if (np.isfinite(x) & np.isfinite(y)).any()]
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
        ax.set_xticks(
            sorted(set(every[np.isfinite(every)])), [f"+{x:g}" for x in sorted(set(every[np.isfinite(every)]))]
        )
        _money_axis(ax.yaxis, money, 4)
        quiet_grid(ax)
        ax.set_ylabel("gross margin")
        figure.supxlabel("points of yearly retention", size=10, color=QUIET)
        end_labels(ax, ends)
    return figure
