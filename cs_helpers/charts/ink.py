"""What all charts share: inks, style, size, and the way onto the page as inline SVG.

Colours are those of ``INKS``, so that ``as_svg`` can hand them to the page's light or dark theme. Each chart draws on a
``Figure`` of its own; pyplot's global state is never touched.
"""

from __future__ import annotations

import base64
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


def cell_ink(colour: Any) -> str:
    """The ink that stands out more from a cell of this colour, by WCAG's relative luminance."""
    channels = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour))
    light = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))
    return LIGHT_CELL if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else DARK_CELL


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


_HEAVY = 150_000


def as_picture(figure: Figure, name: str) -> str:
    """The figure as inline SVG, or as a crisp raster picture where that is smaller than a heavy SVG (over 150 kB).

    A raster cannot follow the page's theme, so the page stands it on a light card; its wrapper carries the words.
    """
    svg = as_svg(figure, name)
    if len(svg) < _HEAVY:
        return svg
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="webp", dpi=170, transparent=True, pil_kwargs={"lossless": True})
    encoded = base64.b64encode(buffer.getvalue()).decode()
    if len(encoded) >= len(svg):
        return svg
    return f'<img class="cs-raster" alt="" src="data:image/webp;base64,{encoded}">'


def quiet_grid(ax: Axes) -> None:
    """Horizontal lines only, behind everything."""
    ax.grid(axis="y", color=LINE, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)


def short_count(n: int, short: bool) -> str:
    """``12,345``, or ``12k`` where there is little room."""
    return f"{n / 1000:.0f}k" if short and n >= 10_000 else f"{n:,}"
