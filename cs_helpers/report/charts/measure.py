"""How large texts are when a chart is drawn as SVG: the sizes that layout, labels and drawing share.

Sizes are in points, 72 to the inch, and those of matplotlib's own font: the fonts of a page are no wider.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

_FONT = FontProperties(family=["DejaVu Sans"], size=10)


@lru_cache(maxsize=8192)
def _text_size(text: str, font: FontProperties, math: Any) -> tuple[float, float, float]:
    """Width, height and descent of one line; a character that the font lacks counts as wide as an "m"."""
    characters = _characters(font.get_family()[0])
    measured = text if text.isascii() else "".join(one if ord(one) in characters else "m" for one in text)
    return text_to_path.get_text_width_height_descent(measured, font, math)


@lru_cache(maxsize=8)
def _characters(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=[family]))).get_charmap()) | {0x0A}


def text_width(text: str) -> float:
    """Width in points of a text of 10 points, that of its widest line."""
    return max(_text_size(line, _FONT, False)[0] for line in text.split("\n"))


class SvgRenderer(RendererSVG):
    """Matplotlib's SVG renderer with text sizes that are remembered and need no font with every character."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """As in matplotlib; layout and drawing ask several times for the same text."""
        return _text_size(s, prop, ismath)


@lru_cache(maxsize=1)
def _measuring() -> SvgRenderer:
    return SvgRenderer(1, 1, io.StringIO())  # type: ignore[no-untyped-call]


@contextmanager
def in_points(figure: Figure) -> Iterator[SvgRenderer]:
    """A context in which sizes in the figure are those of its SVG, in points, with a renderer to measure texts."""
    dpi = figure.dpi
    if dpi != 72:
        figure.set_dpi(72)
    try:
        yield _measuring()
    finally:
        if dpi != 72:
            figure.set_dpi(dpi)
