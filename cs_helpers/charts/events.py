"""What happened when, on charts over calendar time: upright lines with names that keep apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.report.charts.ink import INK, QUIET, TOTAL
from cs_helpers.report.charts.labels import CLEARED, shorten
from cs_helpers.report.charts.measure import text_width

_MOST_EVENTS = 6
_ABOVE: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "annotation_clip": False}


def events_inside(events: Any, months: np.ndarray, most: int = 26) -> list[tuple[float, str]]:
    """Places and names (of ``most`` letters) of the events within the months of an axis, in order."""
    if events is None or not len(months):
        return []
    days = pd.to_datetime(pd.Series(list(events["month"]), dtype=object), errors="coerce")
    at = [day.year * 12 + day.month - 1 + (day.day - 1) / day.days_in_month for day in days]
    named = [(x, shorten(text, most=most) or "event") for x, text in zip(at, events["label"], strict=True)]
    return sorted((x, text) for x, text in named if months.min() <= x <= months.max())


def _tiers(spans: list[tuple[float, float, float]]) -> list[int]:
    """How high above the axis each name stands, so that no name meets another or the line that leads to another.

    Each span is where a name begins and ends and where its line stands. From the bottom up, a tier takes names that
    cross no line of a name still to come; where there is none, the first one.
    """
    tiers, tier = [-1] * len(spans), 0
    while -1 in tiers:
        waiting = [i for i, there in enumerate(tiers) if there == -1]
        end = -np.inf
        for i in waiting:
            begins, ends, _ = spans[i]
            others = (spans[j][2] for j in waiting if j != i and tiers[j] == -1)
            if begins > end and not any(begins < x < ends for x in others):
                tiers[i], end = tier, ends
        if all(tiers[i] == -1 for i in waiting):
            tiers[waiting[0]] = tier
        tier += 1
    return tiers


def mark_events(grid: Any, events: list[tuple[float, str]], width: float, beyond: float) -> None:
    """Upright lines where something happened; their names stand above the first panel, the last six of them.

    The panel is ``width`` points wide, about, and names may reach ``beyond`` it.
    """
    axes = [ax for ax in grid.flat if ax.axison]
    if not events or not axes:
        return
    for ax in axes:
        for x, _ in events:
            ax.axvline(x, color=TOTAL, linewidth=0.9, zorder=1)
    first, named = axes[0], events[-_MOST_EVENTS:]
    left, right = first.get_xlim()
    per_point = (right - left) / width
    spans = []
    for x, text in named:
        long = (text_width(text) + 6) * per_point
        # To the right of its line; to the left where it would end beyond the labels at the right edge.
        spans.append(
            (x - long, x, x) if x + long > right + beyond * per_point and x - long >= left else (x, x + long, x)
        )
    tiers = _tiers(spans)
    for (x, _), tier in zip(named, tiers, strict=True):
        line: Any = {"arrowstyle": "-", "color": TOTAL, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
        first.annotate("", (x, 1), (0, 15 + 13 * tier), arrowprops=line, **_ABOVE)
    for (x, text), (begins, _, _), tier in zip(named, spans, tiers, strict=True):
        side, shift = ("right", -3) if begins < x else ("left", 3)
        style: Any = {"color": QUIET, "bbox": CLEARED, "va": "center"}
        name = first.annotate(text, (x, 1), (shift, 10 + 13 * tier), ha=side, **style, **_ABOVE)
        name.set_in_layout(False)  # the room above is the title's, that at the right is there for other labels
    high = 13 * (max(tiers) + 1)
    for ax in next(row for row in grid if first in row):
        ax.set_title(ax.get_title(loc="left"), size=10.5, color=INK, weight="bold", pad=10 + high)
    figure = first.get_figure(root=True)
    figure.set_figheight(figure.get_figheight() + high / 72)
