"""The colours and the matplotlib style of all charts.

Colours are those of ``INKS``, so that a picture can follow the page's light or dark theme.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

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
_DEFAULTS = {key: mpl.rcParamsDefault[key] for key in mpl.rcParamsDefault if key not in _THE_SESSIONS}

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
    "svg.hashsalt": "cs_helpers",  # the same chart is the same text in every run
    "text.parse_math": False,
}

_CHECKED = dict(mpl.RcParams(STYLE))


@contextmanager
def styled() -> Iterator[None]:
    """A context in which matplotlib has ``STYLE``; only what differs from it is set, which is ten times as fast."""
    with mpl.rc_context({key: value for key, value in _CHECKED.items() if mpl.rcParams[key] != value}):
        yield
