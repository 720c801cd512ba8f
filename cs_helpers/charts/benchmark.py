"""Charts that compare people and teams: who differs by more than chance, and what the mix of cases explains."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cs_helpers.charts.ink import ACCENT, INK, LOSS, QUIET, STYLE, TOTAL, new_figure, quiet_grid, short_count
from cs_helpers.charts.labels import end_labels, finite, padded, say_nothing, share, share_axis, shorten, spread

MOST_NAMED = 8


def funnel_plot(result: Any, narrow: bool = False) -> Figure:
    """Rates over the number of cases, between the limits that chance alone would keep them in.

    ``result.points``: label, n, rate, outside ("" inside the 95 % limits, "95" outside them, "99.8" outside the wider
    ones). ``result.limits``: n, low_95, high_95, low_998, high_998. ``result.centre`` is the line they narrow
    to, ``result.unit`` what the rate is, ``result.cases`` what is counted. Rates are fractions. At most eight points
    are named, those outside the wider limits first, then those with the most cases.
    """
    points, limits = result.points, result.limits
    n, rate = finite(points["n"]), finite(points["rate"])
    seen = np.isfinite(n) & np.isfinite(rate)
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(4.0 if narrow else 4.6, narrow)
        if not seen.any():
            say_nothing(ax, "nothing to compare")
            return figure
        x = finite(limits["n"])
        bands = {name: finite(limits[name]) for name in ("low_95", "high_95", "low_998", "high_998")}
        ax.fill_between(x, bands["low_998"], bands["high_998"], color=ACCENT, alpha=0.09, linewidth=0)
        ax.fill_between(x, bands["low_95"], bands["high_95"], color=ACCENT, alpha=0.13, linewidth=0)
        ax.axhline(result.centre, color=INK, linewidth=1.1, linestyle=(0, (4, 3)))
        outside = points["outside"].astype(str).to_numpy()
        for kind, ink, face, size in (("", TOTAL, TOTAL, 5), ("95", LOSS, "none", 7), ("99.8", LOSS, LOSS, 7)):
            at = seen & (outside == kind)
            ax.plot(n[at], rate[at], "o", color=ink, markerfacecolor=face, markersize=size, zorder=3)
        most = float(np.nanmax(n[seen]))
        ax.set_xlim(0, most * 1.06)
        near = x >= 0.12 * most  # where almost nothing is counted the limits hold everything
        edges = np.concatenate([band[near] for band in bands.values()])
        low, high = padded(np.concatenate([rate[seen], edges, [result.centre]]), 0.05)
        ax.set_ylim(max(low, -0.03), min(high, 1.03))
        share_axis(ax.yaxis, 5)
        quiet_grid(ax)
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4 if narrow else 7, integer=True))
        ax.xaxis.set_major_formatter(lambda value, _: short_count(int(value), narrow))
        ax.set_xlabel(shorten(result.cases, most=34 if narrow else 60))
        ax.set_ylabel(shorten(result.unit, most=40))
        last = {name: band[np.isfinite(band)][-1] for name, band in bands.items() if np.isfinite(band).any()}
        ends = [(result.centre, f"all {share(result.centre, 1)}", INK, "normal")]
        ends += [(last[name], words, QUIET, "normal") for name, words in _LIMITS.items() if name in last]
        floor, ceiling = ax.get_ylim()
        end_labels(ax, [(float(np.clip(y, floor, ceiling)), text, ink, bold) for y, text, ink, bold in ends])
        _name_points(ax, points, seen, narrow)
        figure.supxlabel("orange: ● outside 99.8\u202f% · ○ outside 95\u202f%", size=10, color=QUIET)
    return figure


_LIMITS = {"high_998": "99.8\u202f%", "high_95": "95\u202f%", "low_95": "95\u202f%", "low_998": "99.8\u202f%"}


def _name_points(ax: Axes, points: Any, seen: np.ndarray, narrow: bool) -> None:
    """Names beside the points outside, moved apart, on the side where there is room."""
    named = points[seen & (points["outside"].astype(str) != "").to_numpy()]
    order = np.lexsort((-finite(named["n"]), named["outside"].astype(str) != "99.8"))
    named = named.iloc[order[:MOST_NAMED]]
    if named.empty:
        return
    box, (bottom, top), (left, right) = ax.get_window_extent(), ax.get_ylim(), ax.get_xlim()
    height = box.height / ax.figure.dpi * 72
    n, rate = finite(named["n"]), finite(named["rate"])
    wanted = (rate - bottom) / (top - bottom) * height
    for side in (True, False):
        chosen = (n > (left + right) / 2) == side
        places = np.flatnonzero(chosen)
        for place, put in zip(places, spread(wanted[chosen], [13.0] * len(places), 0, height), strict=True):
            moved = abs(put - wanted[place]) > 3
            ax.annotate(
                shorten(named["label"].iloc[place], narrow, 20),
                (n[place], rate[place]),
                (-9 if side else 9, put - wanted[place]),
                textcoords="offset points",
                ha="right" if side else "left",
                va="center",
                color=INK,
                arrowprops={"arrowstyle": "-", "color": TOTAL, "linewidth": 0.8, "shrinkB": 3} if moved else None,
            )


def slope(result: Any, narrow: bool = False) -> Figure:
    """What each one's rate was as counted and what it is with the mix of cases taken out, joined by a line.

    ``result`` (or ``result.rows``): label, raw, adjusted (fractions), mover (whether the line is named). Names stand at
    the right end; lines that are not named are quiet.
    """
    rows = getattr(result, "rows", result)
    raw, adjusted = finite(rows["raw"]), finite(rows["adjusted"])
    seen = np.isfinite(raw) & np.isfinite(adjusted)
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(4.4, narrow)
        if not seen.any():
            say_nothing(ax, "nothing to compare")
            return figure
        mover = rows["mover"].to_numpy(bool)
        for place in np.flatnonzero(seen):
            ink, width = (ACCENT, 2.2) if mover[place] else (TOTAL, 0.9)
            ax.plot([0, 1], [raw[place], adjusted[place]], "o-", color=ink, linewidth=width, markersize=width * 2)
        ax.set_xlim(-0.2 if narrow else -0.1, 1.02)
        ax.set_ylim(*padded(np.concatenate([raw[seen], adjusted[seen]])))
        ax.set_xticks([0, 1], ["as counted", "cases alike"])
        share_axis(ax.yaxis, 5)
        quiet_grid(ax)
        named = np.flatnonzero(seen & mover)[:12]
        sign = "−+"
        ends = [
            (
                adjusted[place],
                f"{shorten(rows['label'].iloc[place], narrow, 20)} {sign[int(adjusted[place] >= raw[place])]}"
                f"{share(abs(adjusted[place] - raw[place]), 1).removesuffix('%').rstrip()}",
                INK,
                "normal",
            )
            for place in named
        ]
        end_labels(ax, ends)
        figure.supxlabel("beside the names: points moved", size=10, color=QUIET)
    return figure
