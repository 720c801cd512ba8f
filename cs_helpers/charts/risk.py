"""Charts of a risk model: whether its predictions came true, and what drives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cs_helpers.report.charts.ink import ACCENT, GAIN, INK, LOSS, QUIET, new_figure, styled
from cs_helpers.report.charts.labels import finite, padded, row_labels, say_nothing, share, share_axis, shorten


def reliability(result: Any, narrow: bool = False) -> Figure:
    """Predicted against actual share that left, per group of equal risk, with intervals and the diagonal.

    ``result.reliability``: n, expected, observed, low, high (fractions). A dot's area grows with its accounts.
    """
    table = getattr(result, "reliability", result)
    n, expected, observed, low, high = (finite(table[c]) for c in ("n", "expected", "observed", "low", "high"))
    with styled():
        figure, ax = new_figure(3.9 if narrow else 4.4, narrow)
        if not np.isfinite(expected).any():
            say_nothing(ax, "no prediction has come due yet")
            return figure
        top = min(1.04, padded([0.0, *expected, *observed, *high], 0.08, 0.05)[1])
        ax.plot([0, top], [0, top], color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)))
        ax.vlines(expected, low, high, color=ACCENT, alpha=0.45, linewidth=3)
        area = 30 + 110 * np.nan_to_num(n) / max(float(np.nanmax(np.append(n, 1.0))), 1.0)
        ax.scatter(expected, observed, s=area, color=ACCENT, linewidths=0, zorder=3)
        ax.set_xlim(0, top)
        ax.set_ylim(0, top)
        ax.set_box_aspect(1 if narrow else 0.72)
        for axis in (ax.xaxis, ax.yaxis):
            share_axis(axis, 4 if narrow else 5)
        ax.xaxis.set_major_formatter(lambda value, _: share(value, 0 if top > 0.06 else 1) if value else "")
        ax.grid()
        ax.set_xlabel(("\n" if narrow else " · ").join(["predicted share that leaves", "a larger dot: more accounts"]))
        ax.set_ylabel("what happened")
        at: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "color": QUIET}
        ax.annotate("more left than predicted", (0, 1), (7, -7), va="top", **at)
        ax.annotate("fewer left than predicted", (1, 0), (-7, 7), ha="right", **at)
    return figure


def drivers(result: Any, narrow: bool = False) -> Figure:
    """What raises and what lowers the odds of leaving, with intervals; the first ten rows.

    ``result.drivers`` (or the table itself): label, log_odds, low, high. The axis is written in multiples of the odds.
    A hollow dot: the interval holds ×1. An interval beyond the axis ends in an arrow.
    """
    table = getattr(result, "drivers", result)
    rows = table[:10]
    odds, low, high = (finite(rows[column]) for column in ("log_odds", "low", "high"))
    with styled():
        figure, ax = new_figure(1.2 + 0.34 * max(1, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "no driver was found")
            return figure
        reach = _odds_axis(ax, odds, low, high, 4 if narrow else 6)
        ax.axvline(0, color=INK, linewidth=1)
        for y, (dot, start, end) in enumerate(zip(odds, low, high, strict=True)):
            ink = LOSS if dot > 0 else GAIN
            ax.hlines(y, max(start, -reach), min(end, reach), color=ink, alpha=0.5, linewidth=3)
            for beyond, sign, where in ((min(start, dot) < -reach, "<", -reach), (max(end, dot) > reach, ">", reach)):
                if beyond:
                    ax.plot([where], [y], sign, color=ink, markersize=6, clip_on=False)
            clear = start > 0 or end < 0
            ring: Any = {"markersize": 8, "markeredgewidth": 1.6, "markerfacecolor": ink if clear else "none"}
            ax.plot([dot], [y], "o", color=ink, **ring)
        row_labels(ax, [shorten(label, narrow) for label in rows["label"]], [""] * len(rows))
        at: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "weight": "bold"}
        ax.annotate("← stays", (0, 1), (0, 5), ha="left", color=GAIN, **at)
        ax.annotate("leaves →", (1, 1), (0, 5), ha="right", color=LOSS, **at)
        hollow = "○ the interval holds ×1: could be chance"
        figure.supxlabel(
            ("\n" if narrow else " · ").join(["multiple of the odds of leaving", hollow]), size=10, color=QUIET
        )
    return figure


def _odds_axis(ax: Axes, odds: np.ndarray, low: np.ndarray, high: np.ndarray, most: int) -> float:
    """Symmetric limits around ×1 with ticks at powers of 2 or 10; how far the axis reaches, in log odds."""
    dots = np.abs(odds[np.isfinite(odds)])
    ends = np.abs(np.concatenate([low, high]))
    ends = ends[np.isfinite(ends)]
    farthest_dot = float(dots.max()) if len(dots) else 0.0
    farthest = max(farthest_dot, float(ends.max()) if len(ends) else 0.0)
    # Neither a hopeless interval nor an estimate that ran away may squeeze the others to a point.
    reach = float(min(max(np.log(1.3), min(1.06 * farthest, 2.2 * farthest_dot + np.log(2))), np.log(2e4)))
    bases = [1.25, 1.5] if reach < np.log(2) else [2.0, 10.0, 100.0]
    base = next((b for b in bases if 2 * int(reach / np.log(b)) <= most), bases[-1])
    steps = int(reach / np.log(base))
    powers = np.arange(-steps, steps + 1)
    ax.set_xlim(-reach, reach)
    multiples = [float(base**power) for power in powers]
    ax.set_xticks(powers * np.log(base), [f"×{x:,.0f}" if x >= 10 else f"×{x:.3g}" for x in multiples])
    return reach
