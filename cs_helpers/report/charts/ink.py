"""What all charts share: inks, style and size.

Colours are those of ``INKS``, so that a picture can hand them to the page's light or dark theme. Each chart draws on a
``Figure`` of its own; pyplot's global state is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cs_helpers.report.charts.layout import Snug
from cs_helpers.report.charts.lean import LeanAxes

# Each ink is a CSS variable of the page; the hexadecimal value, that of its light theme, is what shows where no page
# sets it. The last one is the page itself, for what stands behind words on lines.
# Blue and orange keep apart under every common colour blindness (Okabe & Ito 2008), and signs and labels
# say the same as the colours.
INKS = {
    "#1d2733": "--ink",
    "#566270": "--quiet",
    "#d9dee5": "--line",
    "#2557a7": "--accent",
    "#1f7a8c": "--gain",
    "#b94f08": "--loss",
    "#8793a3": "--total",
    "#fefefe": "--paper",
}
INK, QUIET, LINE, ACCENT, GAIN, LOSS, TOTAL, PAPER = INKS

# Text on heat map cells, which keep their colours in both themes: on every colour one of the two has a contrast of 4.5.
LIGHT_CELL, DARK_CELL = "#ffffff", "#010101"

# A style of one's own for the session, set through rcParams, is left out of our charts, which have to fit their page.
_THE_SESSIONS = ("backend", "backend_fallback", "interactive", "toolbar", "timezone")
_DEFAULTS = {key: value for key, value in dict.items(mpl.rcParamsDefault) if key not in _THE_SESSIONS}

STYLE: Any = _DEFAULTS | {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "text.parse_math": False,
}

_CHECKED = dict(dict.items(mpl.RcParams(STYLE)))


@contextmanager
def styled() -> Iterator[None]:
    """A context in which matplotlib has ``STYLE``; its values are checked once, not each time."""
    with mpl.rc_context():
        dict.update(mpl.rcParams, _CHECKED)
        yield


WIDE, NARROW = 8.4, 4.0  # inches; 72 points to the inch, drawn at about one point per CSS pixel


def new_figure(height: float, narrow: bool) -> tuple[Figure, Axes]:
    """A figure of the page's or a phone's width, ``height`` inches high, and its one axes."""
    figure = Figure(figsize=(NARROW if narrow else WIDE, height), layout=Snug())
    return figure, figure.add_subplot(axes_class=LeanAxes)


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
