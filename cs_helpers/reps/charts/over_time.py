"""Charts of newcomers by weeks since hire, and of an organisation by month."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import ACCENT, GAIN, INK, QUIET, TOTAL, new_figure, quiet_grid, short_count, styled
from cs_helpers.report.charts.labels import (
    CLEARED,
    end_labels,
    finite,
    month_axis,
    padded,
    say_nothing,
    share,
    share_axis,
    shorten,
    write_key,
)
from cs_helpers.reps.results import History, Ramp

_DASHED: Any = (0, (4, 3))


def ramp_curve(ramp: Ramp, narrow: bool = False, number: Callable[[float], str] | None = None) -> Chart:
    """A measure by weeks since hire with its interval, between the band of the longer-serving.

    Trainings are signs under the axis, above the number of newcomers. ``number(value)`` writes a value in its unit;
    without it values are shares.
    """
    curve, marks = ramp.curve, ramp.marks
    half = float(ramp.step_weeks) / 2
    x = curve["week"].to_numpy(float)
    level, smooth, low, high = (finite(curve[name]) for name in ("level", "smooth", "low", "high"))
    with styled():
        figure, ax = new_figure(4.0 if narrow else 4.3, narrow)
        if not np.isfinite(level).any():
            say_nothing(ax, "too few newcomers to draw")
            return figure
        band, tenured = finite(ramp.band), float(finite([ramp.tenured])[0])
        ax.set_xlim(x[0] - half, x[-1] + half)
        bottom, top = _room(np.concatenate([level, low, high, band, [tenured]]), number)
        told = ramp.proficient is not None and bool(np.isfinite(ramp.proficient))
        ax.set_ylim(bottom, top + (0.14 * (top - bottom) if told else 0))
        if np.isfinite(band).all():
            ax.axhspan(*band, color=GAIN, alpha=0.14, linewidth=0)
        if np.isfinite(tenured):
            ax.axhline(tenured, color=GAIN, linewidth=1.4, linestyle=_DASHED)
        ax.fill_between(x, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        alone = np.isfinite(level) & (len(x) == 1)
        ax.vlines(x[alone], low[alone], high[alone], color=ACCENT, alpha=0.45, linewidth=3)
        if ramp.proficient is not None:  # what the time is told from; without one it would only suggest a rise
            ax.plot(x, smooth, color=ACCENT, linewidth=1.1, linestyle=(0, (1.2, 1.2)))
        ax.plot(x, level, "o-", color=ACCENT, linewidth=2.2, markersize=5.5)
        ax.set_ylabel(_figure_axis(ax, number, narrow))
        quiet_grid(ax)
        kinds = _marks_below(ax, marks)
        _weeks_below(ax, curve, narrow, 3 + 11 * len(kinds))
        ax.set_xlabel("weeks since hire,\nnewcomers seen in them" if narrow else _UNDER)
        if told:
            _proficiency(ax, ramp)
        shown = f" ({_one(number, narrow)(tenured)})" if np.isfinite(tenured) else ""
        dotted = "dotted: smoothed" if ramp.proficient is not None else ""
        key = [f"shaded: longer-serving{shown}", dotted, " · ".join(kinds)]
        write_key(figure, _folded([part for part in key if part], narrow), narrow)
    return figure


_UNDER = "weeks since hire, and how many newcomers were seen in them"
_SIGNS = {"training": ("|", "| training"), "ride-along": ("^", "▲ ride-along")}


def _marks_below(ax: Axes, marks: pd.DataFrame) -> list[str]:
    """Signs under the axis, a row per kind; how they are to be read is returned."""
    first, last = ax.get_xlim()
    drawn: list[str] = []
    for kind, (sign, words) in _SIGNS.items():
        at = finite(marks["week"][marks["kind"] == kind]) if len(marks) else np.zeros(0)
        at = at[np.isfinite(at) & (at >= first) & (at <= last)]
        if len(at):
            down = ScaledTranslation(0, -(11 * len(drawn) + 7) / 72, ax.figure.dpi_scale_trans)
            place = ax.get_xaxis_transform() + down
            ax.plot(at, np.zeros(len(at)), sign, color=QUIET, markersize=6, transform=place, clip_on=False)
            drawn.append(words)
    return drawn


def _weeks_below(ax: Axes, curve: pd.DataFrame, narrow: bool, pad: float) -> None:
    every = max(1, -(-len(curve) // (7 if narrow else 14)))
    shown = curve.iloc[::every]
    labels = [f"{week:.0f}\n{short_count(int(n), True)}" for week, n in zip(shown["week"], shown["reps"], strict=True)]
    ax.set_xticks(shown["week"].to_numpy(float), labels)
    ax.tick_params(axis="x", pad=pad)


def _proficiency(ax: Axes, ramp: Ramp) -> None:
    """The time to proficiency with its interval along the upper edge, and in words beside it."""
    (first, last), at = ax.get_xlim(), float(finite([ramp.proficient])[0])
    low, high = (float(end) for end in finite([ramp.low, ramp.high]))
    begin, end = np.clip(at if np.isnan(low) else low, first, last), min(last if np.isnan(high) else high, last)
    place: Any = {"color": INK, "transform": ax.get_xaxis_transform(), "clip_on": False}
    ax.plot([begin, end], [0.95, 0.95], linewidth=1.6, **place)
    if np.isnan(high) or high > last:
        ax.plot([end], [0.95], ">", markersize=6, **place)
    ax.plot([min(at, last)], [0.95], "D", markersize=7, **place)
    left = end > (first + last) / 2
    ax.annotate(
        f"week {at:.0f}",
        (begin if left else end, 0.95),
        (-9 if left else 9, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color=INK,
        weight="bold",
        bbox=CLEARED,
    )


def history_line(history: History, narrow: bool = False, number: Callable[[float], str] | None = None) -> Chart:
    """A measure by month with the mix taken out, its interval, the limits of usual months, and those a year before.

    ``number(value)`` writes a value in its unit; without it values are shares.
    """
    months = history.months
    x = np.array([month.year * 12 + month.month - 1 for month in pd.to_datetime(months["month"])], float)
    names = ("adjusted", "low", "high", "year_before", "target", "limit_low", "limit_high")
    value, low, high, earlier, target, floor, ceiling = (finite(months[name]) for name in names)
    seen = np.isfinite(value)
    with styled():
        figure, ax = new_figure(3.6 if narrow else 4.0, narrow)
        if not seen.any():
            say_nothing(ax, "no month has enough cases")
            return figure
        ax.set_ylim(*_room(np.concatenate([value, low, high, earlier, target, floor, ceiling]), number))
        limits: Any = {"color": TOTAL, "linewidth": 0.9, "drawstyle": "steps-mid"}
        ax.plot(x, floor, **limits)
        ax.plot(x, ceiling, **limits)
        ax.fill_between(x, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        shown = x > x[-1] - 12  # older ones are in the picture already, as themselves
        ax.plot(x[shown], earlier[shown], color=QUIET, linewidth=1)
        ax.plot(x, value, color=ACCENT, linewidth=2.2, solid_capstyle="round")
        beside = np.concatenate([[False], seen[:-1]]) | np.concatenate([seen[1:], [False]])
        alone = seen & ~beside
        ax.vlines(x[alone], low[alone], high[alone], color=ACCENT, alpha=0.45, linewidth=2.2)
        last = int(np.flatnonzero(seen)[-1])
        dots = np.union1d(np.flatnonzero(alone), [last])
        ax.plot(x[dots], value[dots], "o", color=ACCENT, markersize=5.5)
        outside = months["outside"].to_numpy(object)
        for name, fill in (("95", "none"), ("99.8", INK)):
            far = (outside == name) & seen
            ring: Any = {"color": INK, "markerfacecolor": fill, "markeredgewidth": 1.4}
            ax.plot(x[far], value[far], "o", markersize=8, **ring)
        ends = [(value[last], _one(number, narrow)(value[last]), ACCENT, "bold")]
        if np.isfinite(earlier[shown]).any():
            at = int(np.flatnonzero(np.isfinite(earlier) & shown)[-1])
            ends.append((earlier[at], "a year\nbefore" if narrow else "a year before", QUIET, "normal"))
        aim = target[np.isfinite(target)]
        if len(aim):
            ax.axhline(aim[-1], color=QUIET, linewidth=1.2, linestyle=_DASHED)
            ends.append((aim[-1], f"target\n{_one(number, narrow)(aim[-1])}", QUIET, "normal"))
        ax.set_ylabel(_figure_axis(ax, number, narrow))
        quiet_grid(ax)
        month_axis(ax, x, 4 if narrow else 8)
        key = ["stepped: 95\u202f% of usual months"] if np.isfinite(floor).any() else []
        key += ["○ outside"] if (outside == "95").any() else []
        key += ["● outside 99.8\u202f%"] if (outside == "99.8").any() else []
        write_key(figure, _folded(key, narrow), narrow)
        end_labels(ax, ends)
    return figure


def _one(number: Callable[[float], str] | None, narrow: bool) -> Callable[[float], str]:
    """How a value is written: by ``number`` where it is given, else as a share; on a phone without its unit."""
    if number is None:
        return lambda value: share(value, 1)
    return lambda value: shorten(number(value).partition(" ")[0] if narrow else number(value), narrow)


def _room(values: np.ndarray, number: Callable[[float], str] | None) -> tuple[float, float]:
    """Limits of the axis: round what is drawn; shares stay near 0 and 100 %."""
    if number is None:
        low, high = padded(values, 0.08, 0.04)
        return max(low, -0.03), min(high, 1.03)
    seen = values[np.isfinite(values)]
    return padded(values, 0.08, 0.04 * float(np.abs(seen).max(initial=1.0)))


def _figure_axis(ax: Axes, number: Callable[[float], str] | None, narrow: bool) -> str:
    """A few round values up the side; the unit, once, for the label beside them."""
    if number is None:
        share_axis(ax.yaxis, 4 if narrow else 5)
        return ""
    ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4 if narrow else 5, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(lambda value, _: shorten(number(round(value, 9)).partition(" ")[0], most=14))
    low, high = ax.get_ylim()
    return shorten(number((low + high) / 2).partition(" ")[2], most=30)


def _folded(parts: list[str], narrow: bool) -> list[str]:
    """Each part of a key on lines that a phone has room for."""
    return [line for part in parts for line in (wrap(part, 44) if narrow else [part])]
