"""Charts of how long accounts stay, who stays longer, why they leave and at which anniversary."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
from cs_helpers.report.charts.labels import end_labels, finite, padded, say_nothing, share, share_axis, shorten


def survival_curve(curve: Any, narrow: bool = False) -> Figure:
    """A Kaplan-Meier step with its pointwise interval, and the number at risk under the axis.

    ``curve`` as from ``churn.kaplan_meier``.
    """
    table = curve.table
    x = np.append(table.index.to_numpy(float), curve.last_seen)
    step = {c: np.append(table[c].to_numpy(), table[c].iloc[-1]) for c in ("survival", "low", "high")}
    most, span = (5 if narrow else 9), curve.last_seen - curve.starts_at
    every = next((gap for gap in (1, 3, 6, 12, 24, 60) if span / gap <= most), 120)
    ticks = np.arange(np.ceil(curve.starts_at / every) * every, curve.last_seen + 1e-9, every)
    with styled():
        figure, ax = new_figure(3.3 if narrow else 3.7, narrow)
        ax.fill_between(x, step["low"], step["high"], step="post", color=ACCENT, alpha=0.16, linewidth=0)
        ax.step(x, step["survival"], where="post", color=ACCENT, linewidth=2.2)
        # Full years from the first on, thinned so that labels keep apart: twelve months is what sentences speak of.
        years = [age for age in range(12, int(curve.last_seen) + 1, 12) if age >= curve.starts_at]
        for age in years[:: 1 + (len(years) - 1) // (3 if narrow else 6)]:
            value = curve.survival(age)
            ax.plot([age], [value], "o", color=ACCENT, markersize=5)
            label: Any = {"textcoords": "offset points", "color": INK, "size": 10.5, "weight": "bold"}
            ax.annotate(share(value, 0), (age, value), (4, 6), **label)
        ax.set_ylim(0, 1.02)
        ax.set_xlim(min(0.0, curve.starts_at), curve.last_seen)
        ax.yaxis.set_major_formatter(lambda value, _: share(value, 0))
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
        quiet_grid(ax)
        ax.set_ylabel("still paying")
        ax.set_xticks(ticks, [f"{age:.0f}\n{short_count(curve.at_risk(age), narrow)}" for age in ticks])
        ax.set_xlabel(("\n" if narrow else " · ").join(["months since the start", "below: number at risk"]))
    return figure


# Each curve has an ink and a dash of its own: either tells them apart without the other.
_STROKES: Any = [
    (ACCENT, "solid"),
    (LOSS, (0, (6, 2))),
    (GAIN, (0, (1.2, 1.2))),
    (INK, (0, (7, 2, 1.5, 2))),
    (QUIET, (0, (3, 1.5))),
    (TOTAL, (0, (5, 1.5, 1, 1.5, 1, 1.5))),
]


def survival_curves(groups: Any, narrow: bool = False) -> Figure:
    """Up to six Kaplan-Meier steps, named at their right ends; with their intervals where there are at most three.

    ``groups.curves``: name to curve, each as from ``churn.kaplan_meier``. A curve that is refused is not drawn; how
    many are not is written under the axis.
    """
    curves = {name: curve for name, curve in groups.curves.items() if hasattr(curve, "table")}
    drawn = dict(list(curves.items())[: len(_STROKES)])
    left_out = len(groups.curves) - len(drawn)
    with styled():
        figure, ax = new_figure(3.5 if narrow else 3.9, narrow)
        if not drawn:
            say_nothing(ax, "no group is large enough for a curve")
            return figure
        end = max(curve.last_seen for curve in drawn.values())
        ends = []
        for (name, curve), (ink, dash) in zip(drawn.items(), _STROKES, strict=False):
            x, step = _steps(curve.table, curve.last_seen)
            if len(drawn) <= 3:
                ax.fill_between(x, step["low"], step["high"], step="post", color=ink, alpha=0.13, linewidth=0)
            ax.step(x, step["survival"], where="post", color=ink, linewidth=2, linestyle=dash)
            last = float(step["survival"][-1])
            ax.plot([curve.last_seen, end], [last, last], color=ink, linewidth=0.7, alpha=0.55)
            if curve.last_seen < end:
                ax.plot([curve.last_seen], [last], "|", color=ink, markersize=8)
            count = f"n = {curve.spells:,}" if hasattr(curve, "spells") else ""
            label = "\n".join(filter(None, [shorten(name, narrow), count])) if narrow else f"{shorten(name)}  {count}"
            ends.append((last, label.strip(), QUIET if ink == TOTAL else ink, "normal"))
        _stay_axis(ax, min(0.0, *(curve.starts_at for curve in drawn.values())), end, narrow)
        under = f"{left_out} group{'s' if left_out > 1 else ''} not drawn" if left_out else ""
        ax.set_xlabel(("\n" if narrow else " · ").join(filter(None, ["months since the start", under])))
        end_labels(ax, ends)
    return figure


def _steps(table: Any, last_seen: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Ages and columns of a step table, drawn on to ``last_seen``."""
    x = np.append(table.index.to_numpy(float), last_seen)
    return x, {column: np.append(values, values[-1:]) for column in table for values in [finite(table[column])]}


def _stay_axis(ax: Axes, start: float, end: float, narrow: bool) -> None:
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


def incidence(result: Any, narrow: bool = False) -> Figure:
    """How large a share has left for which reason by age: stacked steps, the largest at the bottom.

    ``result.table``: index months, one column of cumulative shares per reason. Five reasons are named; the rest is
    drawn as their sum, "other reasons".
    """
    table = result.table.fillna(0.0)
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
        _stay_axis(ax, start, float(result.last_seen), narrow)
        ax.set_ylabel("left so far")
        ax.set_xlabel("months since the start")
        if floor[-1] < 0.85:
            across = (start + float(result.last_seen)) / 2
            ax.text(across, (1 + float(np.interp(across, x, floor))) / 2, "still paying", ha="center", color=QUIET)
        end_labels(ax, ends)
    return figure


def anniversaries(result: Any, narrow: bool = False) -> Figure:
    """The share that leaves at each anniversary with its interval, and how many leave in a month between them.

    ``result.table``: index the anniversaries; up_for_renewal, lost, rate, low, high. ``result.between_rate`` is the
    share lost per month between anniversaries (None or NaN: not given).
    """
    table, between = result.table, result.between_rate
    place = np.arange(len(table))
    rate, low, high = (finite(table[column]) for column in ("rate", "low", "high"))
    between = float(between) if between is not None and np.isfinite(between) else None
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


def projection(result: Any, narrow: bool = False, observed: Any = None) -> Figure:
    """What was seen as a step, what is expected after it as a dashed line with its interval.

    ``result.curve``: index months; survival, low, high. ``result.observed_to``: the age up to which there are data.
    ``observed`` is the curve as seen, as from ``churn.kaplan_meier``, or None. Values stand at 12, 24, 36 and 60
    months, those that were seen from ``observed``.
    """
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
            ages, step = _steps(observed.table, observed.last_seen)
            ax.fill_between(ages, step["low"], step["high"], step="post", color=ACCENT, alpha=0.16, linewidth=0)
            ax.step(ages, step["survival"], where="post", color=ACCENT, linewidth=2.2)
        later = np.union1d(x, [min(max(seen_to, x.min()), end)])
        later = later[later >= seen_to] if observed is not None else later
        band = [np.interp(later, x, line[column]) for column in ("low", "high")]
        ax.fill_between(later, *band, color=LOSS, alpha=0.16, linewidth=0)
        ax.plot(x, line["survival"], color=LOSS, linewidth=1.8, linestyle=(0, (4, 2)))
        _stay_axis(ax, start, end, narrow)
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


def _mark_years(ax: Axes, curve: Any, observed: Any, seen_to: float, narrow: bool) -> None:
    """Dots with their values at 12, 24, 36 and 60 months, as far as labels keep apart."""
    left, right = ax.get_xlim()
    apart = 40 * (right - left) / (230 if narrow else 540)  # a label takes 40 points
    taken: list[int] = []
    for age in (12, 60, 24, 36):
        seen = observed is not None and age <= seen_to and np.isfinite(observed.survival(age))
        value = observed.survival(age) if seen else float(curve["survival"].get(age, np.nan))
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
