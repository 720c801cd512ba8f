"""What all charts share: colours, size and the figure they are drawn on.

Each chart draws on a ``Chart`` of its own; pyplot's global state is never touched.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.style import (
    ACCENT,
    DARK_CELL,
    GAIN,
    INK,
    INKS,
    LIGHT_CELL,
    LINE,
    LOSS,
    PAPER,
    QUIET,
    STYLE,
    TOTAL,
    styled,
)

__all__ = [
    "ACCENT",
    "DARK_CELL",
    "GAIN",
    "INK",
    "INKS",
    "LIGHT_CELL",
    "LINE",
    "LOSS",
    "NARROW",
    "PAPER",
    "QUIET",
    "STYLE",
    "TOTAL",
    "WIDE",
    "cell_ink",
    "new_figure",
    "quiet_grid",
    "short_count",
    "styled",
]

WIDE, NARROW = 8.4, 4.0  # inches; 72 points to the inch, drawn at about one point per CSS pixel


def new_figure(height: float, narrow: bool) -> tuple[Chart, Axes]:
    """A figure of the page's or a phone's width, ``height`` inches high, and its one axes."""
    chart = Chart(figsize=(NARROW if narrow else WIDE, height))
    return chart, chart.add_subplot()


def cell_ink(colour: Any) -> str:
    """The ink that stands out more from a cell of this colour, by WCAG's relative luminance."""
    channels = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour))
    light = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))
    return LIGHT_CELL if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else DARK_CELL


def quiet_grid(ax: Axes) -> None:
    """Horizontal lines only, behind everything."""
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)


def short_count(n: int, short: bool) -> str:
    """``12,345``, or ``12k`` where there is little room."""
    return f"{n / 1000:.0f}k" if short and n >= 10_000 else f"{n:,}"
