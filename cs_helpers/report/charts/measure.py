"""One ruler for text: layout and drawing measure with it, and it remembers every text and every font.

Sizes are those of the SVG: 72 dots to the inch, and matplotlib's own font, which fonts of pages are no wider than.
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


@lru_cache(maxsize=8192)
def _size_of(text: str, font: FontProperties, math: Any) -> tuple[float, float, float]:
    """Width, height and descent; a letter that the font lacks, Japanese say, is as wide as an "m"."""
    there = _letters(font.get_family()[0])
    measured = text if text.isascii() else "".join(letter if ord(letter) in there else "m" for letter in text)
    return text_to_path.get_text_width_height_descent(measured, font, math)


@lru_cache(maxsize=8)
def _letters(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=[family]))).get_charmap()) | {0x0A}


@lru_cache(maxsize=64)
def _rise_of(family: tuple[str, ...], weight: Any, style: Any, size: float) -> tuple[Any, Any, Any]:
    """Ascent, descent and gap between lines of a font in points, as it says itself; None where it does not."""
    font = get_font(findfont(FontProperties(family=list(family), weight=weight, style=style, size=size)))
    told, head = font.get_sfnt_table("OS/2"), font.get_sfnt_table("head")
    if told is None or head is None:
        return None, None, None
    scale = size / head["unitsPerEm"]
    return told["sTypoAscender"] * scale, -told["sTypoDescender"] * scale, told["sTypoLineGap"] * scale


def text_width(text: str) -> float:
    """How wide a text of our usual size is, in points; the fonts of pages are no wider."""
    return max(_size_of(line, _FONT, False)[0] for line in text.split("\n"))


_FONT = FontProperties(family=["DejaVu Sans"], size=10)


class Renderer(RendererSVG):
    """Matplotlib's own, with sizes of text and fonts remembered: layout asks for each of them several times."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        return _size_of(s, prop, ismath)

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[Any, Any, Any]:
        # What matplotlib asks first, if it is there, before it looks a font up again for every text.
        return _rise_of(tuple(prop.get_family()), prop.get_weight(), prop.get_style(), prop.get_size_in_points())


@lru_cache(maxsize=1)
def _ruler() -> Renderer:
    return Renderer(1, 1, io.StringIO())


@contextmanager
def as_drawn(figure: Figure) -> Iterator[Renderer]:
    """Inside, sizes are those of the SVG: 72 dots to the inch, and its widths of text."""
    dots = figure.dpi
    if dots != 72:
        figure.set_dpi(72)
    try:
        yield _ruler()
    finally:
        if dots != 72:
            figure.set_dpi(dots)
