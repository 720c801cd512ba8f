"""What all charts share: inks, style, size, and the way onto the page as inline SVG.

Colours are those of ``INKS``, so that ``as_svg`` can hand them to the page's light or dark theme. Each chart draws on a
``Figure`` of its own; pyplot's global state is never touched.
"""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Each ink is a CSS variable of the page; the hexadecimal value is what shows where no page sets it.
# Blue and orange keep apart under every common colour blindness (Okabe & Ito 2008), and signs and labels
# say the same as the colours.
INKS = {
    "#1d2733": "--ink",
    "#5b6775": "--quiet",
    "#d9dee5": "--line",
    "#2557a7": "--accent",
    "#1f7a8c": "--gain",
    "#c2570c": "--loss",
    "#8793a3": "--total",
}
INK, QUIET, LINE, ACCENT, GAIN, LOSS, TOTAL = INKS

LIGHT_CELL, DARK_CELL = "#fdfdfd", "#101820"  # text on heat map cells: the cells keep their colours in both themes

STYLE: Any = {
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
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "text.parse_math": False,
}

WIDE, NARROW = 8.4, 4.0  # inches; 72 points to the inch, drawn at about one point per CSS pixel


def new_figure(height: float, narrow: bool) -> tuple[Figure, Axes]:
    """A figure of the page's or a phone's width, ``height`` inches high, and its one axes."""
    figure = Figure(figsize=(NARROW if narrow else WIDE, height), layout="constrained")
    return figure, figure.add_subplot()


def as_svg(figure: Figure, name: str) -> str:
    """The figure as one inline ``<svg>`` element, with theme variables for inks and ids unique to ``name``.

    Text stays text: it takes the page's font, can be selected, and grows with the reader's zoom.
    """
    buffer = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.S)
    svg = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    for ink, variable in INKS.items():
        svg = svg.replace(ink, f"var({variable}, {ink})")
    view = re.search(r'viewBox="([^"]*)"', svg)
    size = view[1] if view else ""
    svg = f'<svg viewBox="{size}" aria-hidden="true" focusable="false">{svg[svg.index(">") + 1 :]}'
    return re.sub(r">\s+<", "><", svg).strip()


def quiet_grid(ax: Axes) -> None:
    """Horizontal lines only, behind everything."""
    ax.grid(axis="y", color=LINE, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)


def short_count(n: int, short: bool) -> str:
    """``12,345``, or ``12k`` where there is little room."""
    return f"{n / 1000:.0f}k" if short and n >= 10_000 else f"{n:,}"
