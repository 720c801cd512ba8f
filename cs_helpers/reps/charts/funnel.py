"""Charts that compare people and teams: who differs by more than chance, and what the mix of cases explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import ACCENT, INK, LOSS, QUIET, TOTAL, new_figure, quiet_grid, short_count, styled
from cs_helpers.report.charts.labels import end_labels, finite, padded, say_nothing, settle, share, share_axis, shorten
from cs_helpers.report.charts.measure import text_width

MAX_NAMED = 12  # and 8 on a phone


@dataclass(frozen=True, eq=False)
class Funnel:
    """The data of a funnel plot.

    ``points``: label, n, rate, outside ("" inside the 95 % limits, "95" outside them, "99.8" outside the wider ones).
    ``limits``: n, low_95, high_95, low_998, high_998, and perhaps low_usual and high_usual: 95 % limits that allow for
    the usual differences as well. ``centre`` is the line they narrow to, ``unit`` what the rate is, ``cases`` what is
    counted, ``who`` the points in the plural.
    """

    points: pd.DataFrame
    limits: pd.DataFrame
    centre: float
    unit: str
    cases: str
    who: str = ""


def funnel_plot(funnel: Funnel, narrow: bool = False, number: Callable[[float], str] | None = None) -> Chart:
    """Rates over the number of cases, with the limits of chance.

    Rates are fractions, or numbers that ``number(value)`` writes (hours, scores); a point without n or rate is not
    drawn. Limits that allow for the usual differences are dotted. Points outside are named as far as their names keep
    apart, those outside the wider limits first, then those with the most cases; how many have no name is written under
    the axis.
    """
    points, limits = funnel.points, funnel.limits
    n, rate = finite(points["n"]), finite(points["rate"])
    seen = np.isfinite(n) & np.isfinite(rate)
    with styled():
        figure, ax = new_figure(4.0 if narrow else 4.6, narrow)
        if not seen.any():
            say_nothing(ax, "nothing to compare")
            return figure
        x = finite(limits["n"])
        bands = {name: finite(limits[name]) for name in _LIMITS}
        ax.fill_between(x, bands["low_998"], bands["high_998"], color=ACCENT, alpha=0.09, linewidth=0)
        ax.fill_between(x, bands["low_95"], bands["high_95"], color=ACCENT, alpha=0.13, linewidth=0)
        ax.axhline(funnel.centre, color=INK, linewidth=1.1, linestyle=(0, (4, 3)))
        usual = [finite(limits[name]) for name in ("low_usual", "high_usual") if name in limits]
        for line in usual:
            ax.plot(x, line, color=QUIET, linewidth=1.1, linestyle=(0, (1, 2)))
        outside = points["outside"].astype(str).to_numpy()
        for kind, ink, face, size in (("", TOTAL, TOTAL, 5), ("95", LOSS, "none", 7), ("99.8", LOSS, LOSS, 7)):
            at = seen & (outside == kind)
            ax.plot(n[at], rate[at], "o", color=ink, markerfacecolor=face, markersize=size, zorder=3)
        most = float(np.nanmax(n[seen]))
        ax.set_xlim(0, max(most * 1.03, min(float(np.nanmax(np.append(x, 0.0))), most * 1.06)) or 1.0)
        near = x >= 0.12 * most  # where almost nothing is counted the limits hold everything
        edges = np.concatenate([band[near] for band in bands.values()])
        low, high = padded(np.concatenate([rate[seen], edges, [funnel.centre]]), 0.05)
        ax.set_ylim(*((max(low, -0.03), min(high, 1.03)) if number is None else (low, high)))
        _figure_axis(ax, number)
        quiet_grid(ax)
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4 if narrow else 7, steps=[1, 2, 5, 10], integer=True))
        ax.xaxis.set_major_formatter(lambda value, _: short_count(int(value), narrow))
        ax.set_ylabel(shorten(funnel.unit, most=40))
        last = {name: band[np.isfinite(band)][-1] for name, band in bands.items() if np.isfinite(band).any()}
        ends = [(funnel.centre, f"all {_one(number)(funnel.centre)}", INK, "normal")]
        word = "" if narrow else " limit"
        ends += [(last[name], f"{level}{word}", QUIET, "normal") for name, level in _LIMITS.items() if name in last]
        floor, ceiling = ax.get_ylim()
        key = "orange: ● outside 99.8\u202f% · ○ outside 95\u202f%"
        ax.set_xlabel(shorten(funnel.cases, most=34 if narrow else 60))
        if usual:
            key += f"{chr(10) if narrow else ' · '}dotted: 95\u202f%, usual differences allowed for"
        under = figure.supxlabel(f"{key}\n ", size=10, color=QUIET)  # its room is known before names are placed
        end_labels(ax, [(float(np.clip(y, floor, ceiling)), text, ink, bold) for y, text, ink, bold in ends])
        settle(ax)  # names are placed by the width that the labels at the end leave
        unnamed = _name_points(ax, n, rate, outside, list(points["label"]), narrow)
        under.set_text(key if not unnamed else f"{key}\n{unnamed} more outside without a name")
    return figure


def _one(number: Callable[[float], str] | None) -> Callable[[float], str]:
    """How a value is written: by ``number`` where it is given, else as a share with a decimal."""
    return number or (lambda value: share(value, 1))


def _figure_axis(ax: Axes, number: Callable[[float], str] | None) -> None:
    """A few round values up the side, in the caller's own words where these are no shares."""
    if number is None:
        share_axis(ax.yaxis, 5)
        return
    ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(lambda value, _: shorten(number(round(value, 9)), most=14))


_LIMITS = {"high_998": "99.8\u202f%", "high_95": "95\u202f%", "low_95": "95\u202f%", "low_998": "99.8\u202f%"}


def _name_points(
    ax: Axes, n: np.ndarray, rate: np.ndarray, outside: np.ndarray, labels: Sequence[object], narrow: bool
) -> int:
    """Names near the points outside, where they meet neither each other nor such a point; how many found no place.

    Of the places around a point the one that covers the fewest quiet points is taken, and the nearer one of equals.
    """
    box = ax.get_window_extent()
    size = np.array([box.width, box.height]) / ax.figure.dpi * 72
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    spots = np.column_stack([(n - left) / (right - left) * size[0], (rate - bottom) / (top - bottom) * size[1]])
    seen = np.isfinite(spots).all(axis=1)
    order = [i for i in np.lexsort((-n, outside != "99.8")) if seen[i] and outside[i]]
    loud, quiet = spots[order], spots[seen & (outside == "")]
    taken: list[np.ndarray] = []
    for i in order:
        if len(taken) == (8 if narrow else MAX_NAMED):
            break
        text = shorten(labels[i], narrow, 20)
        wide = text_width(text)
        best: tuple[float, np.ndarray, np.ndarray] | None = None
        for far, (across, up) in product((9.0, 16.0, 26.0, 38.0), _AROUND):
            shift = np.array([across * (far + wide / 2), up * (far + 4.0)])
            area = spots[i] + shift + np.array([[-1], [1]]) * [wide / 2 + 1, 7]
            inside = (area[0] >= 0).all() and (area[1] <= size).all()
            others = loud[(loud != spots[i]).any(axis=1)]
            if not inside or _within(area, others, 6).any() or any(_meet(area, other) for other in taken):
                continue
            cost = float(_within(area, quiet, 3).sum()) + far / 30
            if best is None or cost < best[0]:
                best = (cost, shift, area)
        if best is None:
            continue
        taken.append(best[2])
        lead: Any = {"arrowstyle": "-", "color": TOTAL, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
        far_off = np.abs(best[1] - np.sign(best[1]) * (wide / 2, 0)).max() > 14
        ax.annotate(
            text,
            (n[i], rate[i]),
            tuple(best[1]),
            textcoords="offset points",
            ha="center",
            va="center",
            color=INK,
            arrowprops=lead if far_off else None,
        )
    return len(order) - len(taken)


_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7))


def _within(area: np.ndarray, spots: np.ndarray, margin: float) -> np.ndarray:
    result: np.ndarray = ((spots >= area[0] - margin) & (spots <= area[1] + margin)).all(axis=1)
    return result


def _meet(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())


def slope(rows: pd.DataFrame, narrow: bool = False, number: Callable[[float], str] | None = None) -> Chart:
    """What each rate was unadjusted and what it is with the mix of cases taken out, joined by a line.

    ``rows``: label, raw, adjusted (fractions, or numbers that ``number(value)`` writes), mover (whether the line stands
    out), and, if given, moved (how far, in words; else in points). Names stand at the right end, of up to twelve that
    moved most; all other lines are quiet. A row without one of the two rates is not drawn.
    """
    raw, adjusted = finite(rows["raw"]), finite(rows["adjusted"])
    seen = np.isfinite(raw) & np.isfinite(adjusted)
    with styled():
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
        _figure_axis(ax, number)
        quiet_grid(ax)
        by = (
            [shorten(words, most=16) for words in rows["moved"]]
            if "moved" in rows
            else [
                f"{'+' if move >= 0 else '−'}{share(abs(move), 1).removesuffix('%').rstrip()}"
                for move in adjusted - raw
            ]
        )
        moved = np.flatnonzero(seen & mover)
        named = moved[np.argsort(-np.abs(adjusted - raw)[moved], kind="stable")][:MAX_NAMED]
        ends = [
            (adjusted[place], f"{shorten(rows['label'].iloc[place], narrow, 20)} {by[place]}", INK, "normal")
            for place in named
        ]
        end_labels(ax, ends)
        what = "how much" if "moved" in rows else "how many points"
        key = [f"beside the names: by {what} it moved"] if len(named) else []
        if len(moved) > len(named):
            key.append(f"{len(moved) - len(named)} more moved far")
        figure.supxlabel("\n".join(key), size=10, color=QUIET)
    return figure
