"""Axes that make only what our charts show: no minor ticks, and every major tick from the parameters alone.

Matplotlib makes two minor ticks for every axes, seen or not, and copies each new tick part by part from the first.
"""

from __future__ import annotations

from typing import Any, ClassVar

from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis


class _Lean:
    """What both axes of ``LeanAxes`` leave out."""

    minorTicks: ClassVar[list[Any]] = []  # noqa: N815 - matplotlib's name; none is ever asked for

    def _copy_tick_props(self, src: Any, dest: Any) -> None:
        """Nothing: no chart changes a single tick before the others are made."""


class _LeanX(_Lean, XAxis):
    pass


class _LeanY(_Lean, YAxis):
    pass


class LeanAxes(Axes):
    """Axes with ticks that cost less; else as any other."""

    def _init_axis(self) -> None:
        self.xaxis, self.yaxis = _LeanX(self, clear=False), _LeanY(self, clear=False)
        for axis, sides in ((self.xaxis, ("bottom", "top")), (self.yaxis, ("left", "right"))):
            for side in sides:
                self.spines[side].register_axis(axis)
