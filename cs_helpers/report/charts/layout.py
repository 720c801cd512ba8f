"""Room for words: axes are set inside their picture so that every text fits, and each text is measured once.

Matplotlib's constrained layout measures everything twice and solves a system of inequalities; for one axes, or a grid
of equal ones, margins follow from the texts alone. Half the time of a drawing went there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine
from matplotlib.text import Annotation, Text

from cs_helpers.report.charts.measure import in_points

PAD = 3.0  # points between the outermost text and the edge of the picture, or the next panel
LEAST = 10.0  # points of an axes where texts leave it no room


class TextLayout(LayoutEngine):
    """Axes as large as their texts allow, columns and rows of a grid equally wide and high.

    A text keeps its distance from the place in the axes it belongs to; where that is inside and the axes grow, the text
    moves along. Lines and areas need no room: they are clipped to their axes.
    """

    @property
    def adjust_compatible(self) -> bool:
        """Margins follow from texts: ``subplots_adjust`` has no effect."""
        return False

    @property
    def colorbar_gridspec(self) -> bool:
        """A colour bar gets axes of its own beside the grid."""
        return False

    def execute(self, fig: Figure) -> None:
        """Set the position of every axes of ``fig`` that stands in a grid."""
        axes = [ax for ax in fig.axes if ax.get_subplotspec() and ax.get_visible()]
        if not axes:
            return
        with in_points(fig) as renderer:
            wide, high = fig.get_size_inches() * 72
            below = 0.0
            for text in fig.texts:  # how to read the chart, under it
                text.set_y(PAD / high)
                below = max(below, text.get_window_extent(renderer).height + 2 * PAD)
            spots: list[Any] = [ax.get_subplotspec() for ax in axes]
            rows, columns = (max(spot.get_gridspec().get_geometry()[k] for spot in spots) for k in (0, 1))
            column = np.array([spot.colspan.start for spot in spots])
            row = np.array([spot.rowspan.start for spot in spots])
            room = [_Room(ax, renderer) for ax in axes]
            left, width = _solved([r.across for r in room], column, columns, wide, axes[0].bbox.width)
            low, height = _solved([r.upward for r in room], rows - 1 - row, rows, high - below, axes[0].bbox.height)
            for ax, c, r in zip(axes, column, rows - 1 - row, strict=True):
                place = (left[c] / wide, (below + low[r]) / high, width / wide, height / high)
                ax.set_position(place, which="both")
                ax.set_in_layout(True)


class _Room:
    """What the texts of one axes need, each as (where it belongs in the axes, how far it reaches before and after)."""

    def __init__(self, ax: Axes, renderer: Any):
        self.across: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)]
        self.upward: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)]
        self._ax, self._box, self._renderer = ax, ax.bbox.frozen(), renderer
        titles = [child for child in ax.get_children() if isinstance(child, Text)]
        for text in _shown(titles):
            if any(text is other for other in ax.texts):
                self._take(text, *_fraction(ax, text))
            else:  # a title: across it may be as long as it is
                self._take(text, None, 1.0)
        if ax.axison:
            self._take_axis(ax.xaxis)
            self._take_axis(ax.yaxis)

    def _take(self, text: Text, across: float | None, upward: float | None) -> None:
        """One text: its place in the axes, None where a direction asks for no room."""
        box, own = text.get_window_extent(self._renderer), self._box
        if across is not None:
            at = own.x0 + across * own.width
            self.across.append((across, box.x0 - at, box.x1 - at))
        if upward is not None:
            at = own.y0 + upward * own.height
            self.upward.append((upward, box.y0 - at, box.y1 - at))

    def _take_axis(self, axis: Any) -> None:
        if not axis.get_visible():
            return
        flat = axis.axis_name == "x"
        start = (self._box.y0, self._box.y1) if flat else (self._box.x0, self._box.x1)
        first, last = start
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * max(1.0, abs(low), abs(high))
        for label in _shown(axis.get_ticklabels()):
            if not low - slack <= label.get_position()[0 if flat else 1] <= high + slack:
                continue
            box, own = label.get_window_extent(self._renderer), self._box
            middle = (box.x0 + box.x1) / 2 if flat else (box.y0 + box.y1) / 2
            length = own.width if flat else own.height
            at = (middle - (own.x0 if flat else own.y0)) / length
            half = (box.width if flat else box.height) / 2
            (self.across if flat else self.upward).append((at, -half, half))
            first, last = (min(first, box.y0), max(last, box.y1)) if flat else (min(first, box.x0), max(last, box.x1))
        across = self.upward if flat else self.across
        if axis.label.get_text() and axis.label.get_visible():
            box = axis.label.get_window_extent(self._renderer)
            more = axis.labelpad + (box.height if flat else box.width)
            if axis.get_label_position() in ("bottom", "left"):
                first -= more
            else:
                last += more
        across += [(0.0, first - start[0], 0.0), (1.0, 0.0, last - start[1])]


def _shown(texts: Any) -> Iterator[Text]:
    return (text for text in texts if text.get_visible() and text.get_in_layout() and text.get_text())


def _fraction(ax: Axes, text: Text) -> tuple[float, float]:
    """Where in its axes a text belongs: 0 is the left or lower edge, 1 the right or upper one."""
    if not isinstance(text, Annotation):
        place = text.get_transform().transform(text.get_position())
        x, y = ax.transAxes.inverted().transform(place)
        return float(x), float(y)
    coordinates = text.xycoords if isinstance(text.xycoords, tuple) else (text.xycoords, text.xycoords)
    inside = ax.transLimits.transform(text.xy)
    x, y = (xy if how == "axes fraction" else at for xy, how, at in zip(text.xy, coordinates, inside, strict=True))
    return float(x), float(y)


def _solved(
    room: list[list[tuple[float, float, float]]], line: np.ndarray, lines: int, whole: float, size: float
) -> tuple[np.ndarray, float]:
    """Where each column (or row, from below) of axes begins, and how wide (high) each of them is.

    ``room`` is that of each axes, ``line`` its column. Margins depend a little on the size, and the size on the
    margins: a few rounds are enough, because texts inside move only with the difference.
    """
    needs = [np.array(each) for each in room]
    before, after = np.zeros(lines), np.zeros(lines)
    for _ in range(6):
        before[:], after[:] = PAD, PAD
        for need, place in zip(needs, line, strict=True):
            at = need[:, 0] * size
            before[place] = max(before[place], PAD - (at + need[:, 1]).min())
            after[place] = max(after[place], PAD + (at + need[:, 2]).max() - size)
        size = max((whole - before.sum() - after.sum()) / lines, LEAST)
    starts = np.cumsum(before + np.append(0.0, (size + after)[:-1]))
    return starts, size
