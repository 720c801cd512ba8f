"""Events on charts over calendar time: vertical lines, with names placed so that they do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.report.charts.ink import INK, QUIET, TOTAL
from cs_helpers.report.charts.labels import CLEARED, shorten
from cs_helpers.report.charts.measure import text_width

_MAX_NAMED = 6
_ABOVE: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "annotation_clip": False}


def events_inside(
    events: Sequence[tuple[pd.Timestamp, str]], months: np.ndarray, max_letters: int = 26
) -> list[tuple[float, str]]:
    """Places and shortened names of the events (day, name) within the months of an axis, in order."""
    if not len(months):
        return []
    at = [day.year * 12 + day.month - 1 + (day.day - 1) / day.days_in_month for day, _ in events]
    named = [(x, shorten(text, most=max_letters) or "event") for x, (_, text) in zip(at, events, strict=True)]
    return sorted((x, text) for x, text in named if months.min() <= x <= months.max())


def _tiers(spans: list[tuple[float, float, float]]) -> list[int]:
    """The height above the axis of each name, so that no name meets another or the line that leads to another.

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
    """Vertical lines at the events, in every panel; the names of the last six stand above the first panel.

    The panel is ``width`` points wide, about, and names may reach ``beyond`` it.
    """
    axes = [ax for ax in grid.flat if ax.axison]
    if not events or not axes:
        return
    for ax in axes:
        for x, _ in events:
            ax.axvline(x, color=TOTAL, linewidth=0.9, zorder=1)
    first, named = axes[0], events[-_MAX_NAMED:]
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
