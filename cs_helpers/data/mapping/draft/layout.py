"""Writes readable YAML: comments above and behind lines, quotes where they are needed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")


@dataclass(frozen=True)
class Line:
    """``key: value`` with comments ``above`` it and a ``comment`` behind it; or as a comment (``commented_out``).

    A value is a scalar, a list or mapping of scalars, a list of lines, or a list of lists of lines. ``anchor`` names
    the value, ``alias`` refers to the value of that name.
    """

    key: str
    value: Any
    above: tuple[str, ...] = ()
    comment: str = ""
    commented_out: bool = False
    anchor: str = ""
    alias: str = ""


def as_text(lines: Sequence[Line], head: Sequence[str] = ()) -> str:
    """The whole file."""
    return "\n".join([*comment_lines(head), *_block(lines, "")]) + "\n"


def scalar(value: Any) -> str:
    """One value in YAML, quoted where it would read as something else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return str(value)
    if value.isprintable():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf"))).strip()


def comment_lines(texts: Sequence[str], indent: str = "") -> list[str]:
    """Sentences as comment lines; nothing in them can end the comment."""
    found: list[str] = []
    for text in texts:
        line = ""
        for word in safe(text).split(" "):
            if line and len(indent) + len(line) + len(word) + 3 > WIDTH:
                found.append(f"{indent}# {line}")
                line = "  " if text.startswith("- ") else ""
            line = f"{line}{' ' if line.strip() else ''}{word}"
        found.append(f"{indent}# {line}".rstrip())
    return found


def safe(text: str) -> str:
    """Text without line breaks and characters that YAML or a terminal would act on."""
    return "".join(c if c.isprintable() else " " for c in text)


def _block(lines: Sequence[Line], indent: str) -> list[str]:
    found: list[str] = []
    for line in lines:
        found += comment_lines(line.above, indent)
        written = _entry(line, indent)
        if line.commented_out:
            written = [f"{indent}# {safe(text[len(indent) :])}" for text in written]
        if line.comment and written:
            pad = " " * max(2, 34 - len(written[0])) if len(written[0]) < 34 else "  "
            written[0] += f"{pad}# {safe(line.comment)}"
        found += written
        if not indent and isinstance(line.value, list) and line is not lines[-1]:
            found.append("")
    return found


def _entry(line: Line, indent: str) -> list[str]:
    key = scalar(line.key)
    start = [f"{indent}? {key}", f"{indent}:"] if len(key) > 120 else [f"{indent}{key}:"]  # "?" marks a long key
    if isinstance(line.value, list | tuple) and line.value and isinstance(line.value[0], Line | list | tuple):
        return [*start, *_inside(line.value, indent)]
    inline = f"{start[-1]} {_inline(line)}"
    if len(inline) > WIDTH and isinstance(line.value, list | tuple) and not line.anchor:
        return [*start, *(f"{indent}  - {scalar(item)}" for item in line.value)]
    return [*start[:-1], inline]


def _inside(value: Sequence[Any], indent: str) -> list[str]:
    if all(isinstance(item, Line) for item in value):
        return _block(value, indent + "  ")
    found: list[str] = []
    for item in value:
        inner = _block(item, indent + "    ")
        first = next((place for place, text in enumerate(inner) if not text.lstrip().startswith("#")), 0)
        inner[first] = f"{indent}  - {inner[first].lstrip()}"
        found += inner
    return found


def _inline(line: Line) -> str:
    if line.alias:
        return f"*{line.alias}"
    name = f"&{line.anchor} " if line.anchor else ""
    if isinstance(line.value, list | tuple):
        return f"{name}[{', '.join(map(scalar, line.value))}]"
    if isinstance(line.value, dict):
        return f"{name}{{{', '.join(f'{scalar(key)}: {scalar(value)}' for key, value in line.value.items())}}}"
    return name + scalar(line.value)
