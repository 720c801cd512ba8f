"""Charts of churn: how long accounts stay, why they leave, what is associated with leaving, and how good risks are.

Each function draws one kind of result, ``narrow`` for a phone, and computes no number that a reader might quote.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cs_helpers.churn.aalen_johansen import Incidence
from cs_helpers.churn.contract_anniversaries import Anniversaries
from cs_helpers.churn.group_curves import GroupCurves, RevenueSurvival
from cs_helpers.churn.kaplan_meier import Survival
from cs_helpers.churn.shifted_beta_geometric import Projection
from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import (
    ACCENT,
    GAIN,
    INK,
    LINE,
    LOSS,
    QUIET,
    TOTAL,
    new_figure,
    quiet_grid,
    short_count,
    styled,
)
from cs_helpers.report.charts.labels import (
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


def survival_curve(curve: Survival | RevenueSurvival, narrow: bool = False) -> Chart:
    """A Kaplan-Meier step with its pointwise interval, and the number at risk under the axis."""
    x, step = _steps(curve.curve, curve.last_seen)
    with styled():
        figure, ax = new_figure(3.3 if narrow else 3.7, narrow)
        ax.fill_between(x, step["low"], step["high"], step="post", color=ACCENT, alpha=0.16, linewidth=0)
        ax.step(x, step["survival"], where="post", color=ACCENT, linewidth=2.2)
        # Full years from the first on, thinned so that labels keep apart: sentences speak of twelve months.
        years = [age for age in range(12, int(curve.last_seen) + 1, 12) if age >= curve.starts_at]
        for age in years[:: 1 + (len(years) - 1) // (3 if narrow else 6)]:
            value = curve.at(age)
            ax.plot([age], [value], "o", color=ACCENT, markersize=5)
            label: Any = {"textcoords": "offset points", "color": INK, "size": 10.5, "weight": "bold"}
            ax.annotate(share(value, 0), (age, value), (4, 6), **label)
        _still_paying_axis(ax, curve.starts_at, curve.last_seen, narrow)
        ax.set_xlim(min(0.0, curve.starts_at), curve.last_seen)
        ticks = [age for age in ax.get_xticks() if age < curve.last_seen + 1e-9]
        ax.set_xticks(ticks, [f"{age:.0f}\n{short_count(curve.at_risk(age), narrow)}" for age in ticks])
        ax.set_xlabel(("\n" if narrow else " · ").join(["months since the start", "below: number at risk"]))
    return figure


# Each curve has its own colour and dash, so that either alone identifies it.
_STROKES: Any = [
    (ACCENT, "solid"),
    (LOSS, (0, (6, 2))),
    (GAIN, (0, (1.2, 1.2))),
    (INK, (0, (7, 2, 1.5, 2))),
    (QUIET, (0, (3, 1.5))),
    (TOTAL, (0, (5, 1.5, 1, 1.5, 1, 1.5))),
]


def survival_curves(groups: GroupCurves, narrow: bool = False) -> Chart:
    """Up to six Kaplan-Meier steps, named at their right ends; with their intervals where there are at most three.

    How many groups are not drawn is written under the axis.
    """
    drawn = dict(list(groups.curves.items())[: len(_STROKES)])
    left_out = len(groups.curves) - len(drawn)
    with styled():
        figure, ax = new_figure(3.5 if narrow else 3.9, narrow)
        if not drawn:
            say_nothing(ax, "no group is large enough for a curve")
            return figure
        end = max(curve.last_seen for curve in drawn.values())
        ends = []
        for (name, curve), (ink, dash) in zip(drawn.items(), _STROKES, strict=False):
            x, step = _steps(curve.curve, curve.last_seen)
            if len(drawn) <= 3:
                ax.fill_between(x, step["low"], step["high"], step="post", color=ink, alpha=0.13, linewidth=0)
            ax.step(x, step["survival"], where="post", color=ink, linewidth=2, linestyle=dash)
            last = float(step["survival"][-1])
            ax.plot([curve.last_seen, end], [last, last], color=ink, linewidth=0.7, alpha=0.55)
            if curve.last_seen < end:
                ax.plot([curve.last_seen], [last], "|", color=ink, markersize=8)
            number = f"n = {curve.spells:,}"
            label = f"{shorten(name, narrow)}\n{number}" if narrow else f"{shorten(name)}  {number}"
            ends.append((last, label, QUIET if ink == TOTAL else ink, "normal"))
        _still_paying_axis(ax, min(0.0, *(curve.starts_at for curve in drawn.values())), end, narrow)
        under = f"{left_out} group{'s' if left_out > 1 else ''} not drawn" if left_out else ""
        ax.set_xlabel(("\n" if narrow else " · ").join(filter(None, ["months since the start", under])))
        end_labels(ax, ends)
    return figure


def _steps(table: pd.DataFrame, last_seen: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Ages and columns of a step table, drawn on to ``last_seen``."""
    x = np.append(table.index.to_numpy(float), last_seen)
    drawn_on = {column: finite(table[column]) for column in ("survival", "low", "high")}
    return x, {column: np.append(values, values[-1:]) for column, values in drawn_on.items()}


def _still_paying_axis(ax: Axes, start: float, end: float, narrow: bool) -> None:
    """Months below, 0 to 100 % at the left."""
    most = 5 if narrow else 9
    every = next((gap for gap in (1, 3, 6, 12, 24, 60) if (end - start) / gap <= most), 120)
    ax.set_xlim(start, max(end, start + 1))
    ax.set_xticks(np.arange(np.ceil(start / every) * every, max(end, start + 1) + 1e-9, every))
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
    ax.yaxis.set_major_formatter(lambda value, _: share(value, 0))
    quiet_grid(ax)
    ax.set_ylabel("still paying")


def incidence(result: Incidence, narrow: bool = False) -> Chart:
    """How large a share has left for which reason by age: stacked steps, the largest at the bottom.

    Five reasons are named; the rest is drawn as their sum, "other reasons".
    """
    table = result.share.fillna(0.0)
    final = table.iloc[-1] if len(table) else table.sum()
    order = sorted(range(table.shape[1]), key=lambda column: -float(final.iloc[column]))
    x = np.append(table.index.to_numpy(float), result.last_seen)
    names = [shorten(name, most=20 if narrow else 24) for name in table.columns]
    layers = [(names[i], table.iloc[:, i].to_numpy(float)) for i in order[:5]]
    if len(order) > 5:
        layers.append(("other reasons", table.iloc[:, order[5:]].sum(axis=1).to_numpy(float)))
    with styled():
        figure, ax = new_figure(3.6 if narrow else 3.9, narrow)
        if not layers or not len(table):
            say_nothing(ax, "nobody left")
            return figure
        floor, ends = np.zeros(len(x)), []
        for place, (name, values) in enumerate(layers):
            pooled = len(order) > 5 and place == 5
            top = floor + np.append(values, values[-1])
            ink, alpha = (TOTAL, 0.4) if pooled else (LOSS, (0.85, 0.6, 0.42, 0.28, 0.16)[place])
            ax.fill_between(x, floor, top, step="post", color=ink, alpha=alpha, linewidth=0)
            ax.step(x, top, where="post", color=TOTAL if pooled else LOSS, linewidth=1)
            label = f"{name} {share(values[-1], 0)}"
            label = "\n".join(wrap(label, 13)) if narrow else label
            ends.append(((floor[-1] + top[-1]) / 2, label, INK, "normal"))
            floor = top
        start = min(0.0, float(result.starts_at))
        _still_paying_axis(ax, start, float(result.last_seen), narrow)
        ax.set_ylabel("left so far")
        ax.set_xlabel("months since the start")
        if floor[-1] < 0.85:
            across = (start + float(result.last_seen)) / 2
            ax.text(across, (1 + float(np.interp(across, x, floor))) / 2, "still paying", ha="center", color=QUIET)
        end_labels(ax, ends)
    return figure


def anniversaries(result: Anniversaries, narrow: bool = False) -> Chart:
    """The share that leaves at each anniversary with its interval, and how many leave in a month between them."""
    table = result.by_anniversary
    place = np.arange(len(table))
    rate, low, high = (finite(table[column]) for column in ("rate", "low", "high"))
    between = float(result.between_rate) if np.isfinite(result.between_rate) else None
    with styled():
        figure, ax = new_figure(3.5 if narrow else 3.7, narrow)
        if not len(table):
            say_nothing(ax, "no anniversary was seen")
            return figure
        ax.set_ylim(0, padded([0.0, *rate, *high, between or 0.0], 0.1)[1])
        if between is not None:
            ax.axhline(between, color=LOSS, linewidth=1.1)
        ax.vlines(place, low, high, color=ACCENT, alpha=0.45, linewidth=3)
        ax.plot(place, rate, "o", color=ACCENT, markersize=8)
        width = 235 if narrow else 460  # points, about
        every = -(-len(table) * 46 // width)  # a dot with its value takes 46
        letters = max(5, int(width / len(table) * every / 7.5))
        shown = place[::every]
        names = [shorten(table.index[i], most=letters) for i in shown]
        ax.set_xticks(
            shown,
            [
                f"{name}\n{short_count(int(n), narrow)}"
                for name, n in zip(names, table["up_for_renewal"].iloc[shown], strict=True)
            ],
        )
        ax.set_xlim(-0.45 * every, len(table) - 1 + max(0.65, 0.45 * every))
        for i in shown:
            height = rate[i] if np.isfinite(rate[i]) else 0.0
            text = share(rate[i], 1 if rate[i] < 0.1 else 0)
            # Beside its dot; above it at the axis, and where the dots between the named ones are in the way.
            above = height == 0 or every > 1
            at: Any = {"textcoords": "offset points", "va": "bottom" if above else "center"}
            at["ha"] = "center" if every > 1 else "left"
            ax.annotate(text, (i, height), (0 if every > 1 else 7, 6 if above else 0), color=INK, weight="bold", **at)
        share_axis(ax.yaxis, 4)
        quiet_grid(ax)
        ax.tick_params(axis="x", colors=INK)
        ax.set_ylabel("share that leaves")
        under = "anniversary · below: up for renewal"
        if between is not None and narrow:
            under += f"\n— between them {share(between, 1)} a month"
        figure.supxlabel(under, size=10, color=QUIET)
        if between is not None and not narrow:
            end_labels(ax, [(between, f"between them\n{share(between, 1)} a month", LOSS, "normal")])
    return figure


def projection(result: Projection, narrow: bool = False) -> Chart:
    """What was seen as a step, what is expected after it as a dashed line with its interval.

    Values are written at 12, 24, 36 and 60 months; those that were seen are of the observed curve.
    """
    observed = result.observed
    curve, seen_to = result.curve, float(np.nan_to_num(result.observed_to, posinf=0.0))
    with styled():
        figure, ax = new_figure(3.6 if narrow else 3.9, narrow)
        if not len(curve):
            say_nothing(ax, "nothing to project")
            return figure
        x = curve.index.to_numpy(float)
        line = {column: finite(curve[column]) for column in ("survival", "low", "high")}
        start, end = min(0.0, float(x.min())), float(x.max())
        if observed is not None:
            end = max(end, float(observed.last_seen))
            ages, step = _steps(observed.curve, observed.last_seen)
            ax.fill_between(ages, step["low"], step["high"], step="post", color=ACCENT, alpha=0.16, linewidth=0)
            ax.step(ages, step["survival"], where="post", color=ACCENT, linewidth=2.2)
        later = np.union1d(x, [min(max(seen_to, x.min()), end)])
        later = later[later >= seen_to] if observed is not None else later
        band = [np.interp(later, x, line[column]) for column in ("low", "high")]
        ax.fill_between(later, *band, color=LOSS, alpha=0.16, linewidth=0)
        ax.plot(x, line["survival"], color=LOSS, linewidth=1.8, linestyle=(0, (4, 2)))
        _still_paying_axis(ax, start, end, narrow)
        ax.set_xlabel("months since the start")
        _mark_projection(ax, seen_to, narrow)
        _mark_years(ax, curve, observed, seen_to, narrow)
    return figure


def _mark_projection(ax: Axes, seen_to: float, narrow: bool) -> None:
    """Shade what was not seen, and name both sides above the axes where there is room."""
    left, right = ax.get_xlim()
    if right - seen_to < 0.02 * (right - left):
        return
    ax.axvspan(max(seen_to, left), right, color=LINE, alpha=0.45, linewidth=0, zorder=0)
    at: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": QUIET, "size": 10}
    width = 230 if narrow else 540
    fits = (right - seen_to) / (right - left) * width > 60
    edge, shift, side = (max(seen_to, left), 6, "left") if fits else (right, 0, "right")
    ax.annotate("projection", (edge, 1), (shift, 4), ha=side, **at)
    if (seen_to - left) / (right - left) * width > (60 if fits else 120):
        shift = -6 if fits else -max(4, int(66 - (right - seen_to) / (right - left) * width))
        ax.annotate("seen so far", (seen_to, 1), (shift, 4), ha="right", **at)


def _mark_years(ax: Axes, curve: pd.DataFrame, observed: Survival | None, seen_to: float, narrow: bool) -> None:
    """Dots with their values at 12, 24, 36 and 60 months, as far as labels keep apart."""
    left, right = ax.get_xlim()
    apart = 40 * (right - left) / (230 if narrow else 540)  # a label takes 40 points
    taken: list[int] = []
    for age in (12, 60, 24, 36):
        seen_value = observed.at(age) if observed is not None and age <= seen_to else np.nan
        seen = bool(np.isfinite(seen_value))
        value = seen_value if seen else float(curve["survival"].get(age, np.nan))
        if not np.isfinite(value) or any(abs(age - other) < apart for other in taken):
            continue
        taken.append(age)
        ax.plot([age], [value], "o", color=ACCENT if seen else LOSS, markersize=5, clip_on=False)
        if right - age < 0.02 * (right - left):
            end_labels(ax, [(value, share(value, 0), INK, "bold")])
            continue
        # Both curves fall to the right: above right is free of the higher, below left of the lower.
        near_end = right - age < 0.8 * apart
        others = [value, float(np.interp(age, curve.index.to_numpy(float), finite(curve["survival"])))]
        below = near_end or max(others) > 0.94  # the words above the axes need their room
        height, shift = (min(others), (-4 if near_end else 4, -14)) if below else (max(others), (4, 6))
        label: Any = {"textcoords": "offset points", "color": INK, "size": 10.5, "weight": "bold"}
        ax.annotate(share(value, 0), (age, height), shift, ha="right" if near_end else "left", **label)


def reason_bars(table: pd.DataFrame, narrow: bool = False, money: Callable[[float], str] = count) -> Chart:
    """Per reason a filled bar for what was recorded and a hollow one for what the accounts stated.

    ``table`` in the order to draw: reason, recorded, stated (amounts or counts, NaN = none), controllable (True, False,
    None = unknown). ``money(amount)`` writes an amount in short.
    """
    rows = table.reset_index(drop=True)
    amounts = {column: finite(rows[column]) for column in ("recorded", "stated")}
    place = np.arange(len(rows))
    not_ours = [isinstance(value, (bool, np.bool_)) and not value for value in rows["controllable"]]
    inks = [TOTAL if out else ACCENT for out in not_ours]
    with styled():
        figure, ax = new_figure(0.5 + 0.56 * max(1, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "no reason was recorded")
            return figure
        thick = 0.34
        ax.barh(place - 0.19, np.nan_to_num(amounts["recorded"]), height=thick, color=inks)
        hollow: Any = {"facecolor": "none", "edgecolor": inks, "linewidth": 1.3}
        ax.barh(place + 0.19, np.nan_to_num(amounts["stated"]), height=thick - 0.04, **hollow)
        row_labels(
            ax,
            [shorten(reason, narrow) for reason in rows["reason"]],
            ["not in our hands" if out else "" for out in not_ours],
        )
        top = max(0.0, *(float(np.nanmax(np.append(v, 0.0))) for v in amounts.values()))
        ax.set_xlim(0, 1.01 * top or 1.0)
        for shift, (column, values) in zip((-0.19, 0.19), amounts.items(), strict=True):
            for y, value in enumerate(values):
                text = money(value) if np.isfinite(value) else "–"
                ax.annotate(
                    f"{text} {column}" if y == 0 else text,
                    (value if np.isfinite(value) else 0.0, y + shift),
                    (5, -0.5),
                    textcoords="offset points",
                    va="center",
                    color=INK if column == "recorded" else QUIET,
                    annotation_clip=False,
                )
        ax.grid(False)
        ax.axvline(0, color=LINE, linewidth=1.2)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
    return figure


def reliability(table: pd.DataFrame, narrow: bool = False) -> Chart:
    """Predicted against actual share that left, per group of equal risk, with intervals and the diagonal.

    ``table``: n, expected, observed, low, high (fractions). A dot's area grows with its accounts.
    """
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


def drivers(table: pd.DataFrame, narrow: bool = False) -> Chart:
    """What raises and what lowers the odds of leaving, with intervals; the first ten rows.

    ``table``: label, log_odds, low, high. The axis is written in multiples of the odds.
    A hollow dot: the interval holds ×1. An interval beyond the axis ends in an arrow.
    """
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
