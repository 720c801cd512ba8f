"""How a result reads in a notebook: a line per field, numbers rounded, tables by their size."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

_WIDEST = 110
_MOST_LINES = 11


class Result:
    """Base of frozen result classes: ``repr`` has at most twelve lines, the fields in the order of their declaration.

    The values themselves are untouched; a table is named with its rows and columns, to be looked at by itself.
    """

    def __repr__(self) -> str:
        shown = [(field.name, getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]
        lines = [f"  {name}: {_words(value)}" for name, value in shown if value is not None and name[0] != "_"]
        if len(lines) > _MOST_LINES:
            lines = [*lines[: _MOST_LINES - 1], f"  and {len(lines) - _MOST_LINES + 1} more fields"]
        return "\n".join([type(self).__name__, *(_cut(line) for line in lines)])


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d}" if (value.hour, value.minute) == (0, 0) else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(end, float) for end in value):
        return f"{_words(value[0])} to {_words(value[1])}"
    if hasattr(value, "columns") and hasattr(value, "shape"):
        named = ", ".join(map(str, value.columns[:8])) + (", ..." if len(value.columns) > 8 else "")
        return f"table of {value.shape[0]:,} rows: {named}"
    if hasattr(value, "shape"):
        return f"{value.size:,} values"
    if isinstance(value, Mapping):
        return f"{len(value):,}: {', '.join(map(str, value))}"
    if isinstance(value, tuple | list):
        return "none" if not value else f"{len(value):,}: {', '.join(_name(item) for item in value[:6])}"
    return " ".join(repr(value).split()) if isinstance(value, Result) else str(value)


def _name(item: Any) -> str:
    item = getattr(item, "now", item)  # a comparison goes by what it compares
    return str(getattr(item, "key", None) or getattr(item, "name", None) or _words(item))


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..."
