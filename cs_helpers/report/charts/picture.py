"""The way onto the page: a figure as inline SVG, slimmed, or as a raster picture where that is clearly smaller.

Matplotlib writes every coordinate with six decimals, every element with an id, and every text with its font. Without
what no reader can see a picture is less than half as heavy.
"""

from __future__ import annotations

import base64
import io
import itertools
import re
from typing import Any
from xml.etree import ElementTree
from zlib import crc32

from matplotlib.figure import Figure

from cs_helpers.report.charts.measure import SvgRenderer, in_points
from cs_helpers.report.charts.style import INKS, styled

HEAVY = 100_000  # bytes of SVG from which on a raster picture is tried
_CLEARLY = 0.7
_CALLS = itertools.count(1)


def as_svg(figure: Figure, name: str = "") -> str:
    """The figure as one inline ``<svg>`` element, with theme variables for colours and ids that begin with ``name``.

    Without a name the ids are unique to this drawing and this call, so that no two pictures of a page share one. Text
    stays text: it takes the page's font, can be selected, and grows with the reader's zoom.
    """
    buffer = io.StringIO()
    with styled(), in_points(figure):
        width, height = figure.get_size_inches() * 72
        renderer = SvgRenderer(width, height, buffer)  # type: ignore[no-untyped-call]
        figure.draw(renderer)
        renderer.finalize()  # type: ignore[no-untyped-call]
    svg = buffer.getvalue()
    # The checksum keeps a chart apart from those that an earlier kernel left in the same notebook.
    return _slim(svg[svg.index("<svg") :], name or f"chart-{crc32(svg.encode()):x}-{next(_CALLS)}")


def as_picture(figure: Figure, name: str) -> str:
    """The figure as inline SVG, or as a PNG of 256 colours at double size where that is clearly smaller.

    A raster is tried where the SVG has over 100 kB. It cannot follow the page's theme, so the page stands it on a light
    card; the element around it carries the words for those who do not see it.
    """
    svg = as_svg(figure, name)
    if len(svg.encode()) < HEAVY:
        return svg
    encoded = base64.b64encode(_as_png(figure)).decode()
    if len(encoded) > _CLEARLY * len(svg.encode()):
        return svg
    return f'<img class="cs-raster" alt="" src="data:image/png;base64,{encoded}">'


def _as_png(figure: Figure) -> bytes:
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    with styled():
        figure.savefig(drawn, format="png", dpi=144, facecolor="#ffffff")
    Image.open(drawn).convert("RGB").quantize(256).save(packed, "PNG", optimize=True)
    return packed.getvalue()


_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML has no way to write these
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
# What holds for the whole picture unless an element says otherwise; "stroke-linejoin" is matplotlib's own default.
_ROOT = "font:10px 'DejaVu Sans',sans-serif;stroke-linejoin:round"
_UNSAID = (r"font-size:10px;", r"font-family:[^;]*;", r"stroke-linejoin:round;", r"stroke-dashoffset:0;")


def _slim(svg: str, name: str) -> str:
    """What is seen of an SVG by matplotlib, in as few bytes as is easy, with ids that begin with ``name``."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href=", "href=")
    root = ElementTree.fromstring(_UNWRITABLE.sub("", svg))  # noqa: S314 - drawn here, and there is no DTD
    view = root.get("viewBox", "")
    _unwrap(root)
    _rename(root, name)
    for element in root.iter():
        _shorten(element)
    root.attrib.clear()
    root.attrib |= {"viewBox": view, "style": _ROOT, "aria-hidden": "true", "focusable": "false"}
    text = ElementTree.tostring(root, encoding="unicode")
    for ink, variable in INKS.items():
        text = text.replace(ink, f"var({variable}, {ink})")
    return text.replace(" />", "/>")


def _unwrap(parent: Any) -> None:
    """Take away what shows nothing: default styles, groups that only have an id, empty shapes."""
    kept = []
    for child in list(parent):
        _unwrap(child)
        if child.tag == "style":
            continue
        if child.tag == "path" and _is_unseen(child.get("style", "")):
            continue
        if child.tag in ("g", "defs") and not len(child):
            continue
        if child.tag == "g" and not set(child.attrib) - {"id"}:
            kept.extend(child)
            continue
        if child.tag != "text":
            child.text = None
        child.tail = None
        kept.append(child)
    if parent.tag != "text":
        parent.text = None
    parent[:] = kept


def _is_unseen(style: str) -> bool:
    told = dict(part.strip().split(": ", 1) for part in style.split(";") if ": " in part)
    return told.get("fill") == "none" and told.get("stroke", "none") == "none"


def _rename(root: Any, name: str) -> None:
    """Ids only where something refers to them, short ones that begin with ``name``."""
    used = {match for element in root.iter() for match in _REFERENCE.findall(element.get("clip-path", ""))}
    used |= {element.get("href", "").removeprefix("#") for element in root.iter("use")}
    new: dict[str, str] = {}
    numbers = itertools.count(1)
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in used:
            element.set("id", new.setdefault(old, f"{name}-{next(numbers)}"))
    for element in root.iter():
        if "clip-path" in element.attrib:
            element.set("clip-path", _REFERENCE.sub(lambda match: f"url(#{new[match[1]]})", element.get("clip-path")))
        if "href" in element.attrib:
            element.set("href", f"#{new[element.get('href').removeprefix('#')]}")


def _shorten(element: Any) -> None:
    """Attributes of one element in few letters: two decimals, and no style that the whole picture has."""
    attributes = element.attrib
    if re.match(r"rotate\(-?0 ", attributes.get("transform", "")):
        del attributes["transform"]
    for key, value in attributes.items():
        if key == "d":
            attributes[key] = _short_path(value)
        elif key == "style":
            style = re.sub(r"([:;]) ", r"\1", value) + ";"
            for part in _UNSAID:
                style = re.sub(part, "", style)
            attributes[key] = re.sub(r"\d+\.\d{3,}", lambda match: _number(match[0]), style).rstrip(";")
        elif key not in ("id", "href", "clip-path"):
            attributes[key] = re.sub(r"-?\d+\.\d{3,}", lambda match: _number(match[0]), value)
    if not attributes.get("style", "."):
        del attributes["style"]


def _number(text: str) -> str:
    short = f"{float(text):.2f}".rstrip("0").rstrip(".")
    return "0" if short in ("-0", "") else short


def _short_path(data: str) -> str:
    """A path with two decimals, level and upright lines as such, and no line back to where it closes anyway."""
    steps = [
        (command, [_number(text) for text in numbers.split()])
        for command, numbers in re.findall(r"([MLCQz])([^MLCQz]*)", data)
    ]
    parts: list[str] = []
    start = at = ["", ""]
    for place, (command, numbers) in enumerate(steps):
        end = numbers[-2:] or start
        if command == "M":
            start = end
        elif command == "L" and end == start and steps[place + 1 : place + 2] == [("z", [])] and len(parts) > 1:
            continue
        elif command == "L" and end[1] == at[1]:
            command, numbers = "H", end[:1]
        elif command == "L" and end[0] == at[0]:
            command, numbers = "V", end[1:]
        parts.append(command + " ".join(numbers))
        at = end
    return "".join(parts)
