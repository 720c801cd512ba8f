"""Words that the report page and the index page share: dates, statuses, figures and changes, written for a reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

STATUS_WORDS = {"ok": "checked, no warnings", "warnings": "with warnings", "failed": "failed"}


def day_words(iso: str) -> str:
    """``1 July 2026``. Raises ValueError for a text that is not a date.

    >>> day_words("2026-07-01")
    '1 July 2026'
    """
    date = datetime.fromisoformat(iso)
    return f"{date.day} {date:%B %Y}"


def moment_words(iso: str) -> str:
    """``24 November 2026, 05:00 UTC``, for a time in UTC."""
    moment = datetime.fromisoformat(iso)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def short_name(name: str) -> str:
    """The abbreviation at the end of a name; a name without one is returned as it is.

    >>> short_name("Net revenue retention (NRR)"), short_name("Logo churn")
    ('NRR', 'Logo churn')
    """
    found = re.search(r"\(([A-Z]\w*)\)$", name)
    return found.group(1) if found else name


def figure(tile: Mapping[str, Any]) -> str:
    """A headline figure in the words of the notebook; without words the bare number, without a number a dash.

    >>> figure({"key": "nrr", "value": 1.032, "text": "103.2 %"}), figure({"value": 12345}), figure({"value": None})
    ('103.2 %', '12,345', '–')
    """
    value = tile.get("value")
    return str(tile.get("text") or ("–" if value is None else f"{value:,}"))


def row_words(row: Mapping[str, Any]) -> str:
    """The difference in words, with the unit, and whether the earlier value lies inside today's interval."""
    change = row["difference"]
    if change is None:
        return "not given in both"
    if row["then"] == row["now"]:
        moved = "the same"
    elif row["unit"] == "fraction":
        moved = f"{change * 100:+.1f}\u202fpoints".replace("-", "−")
    else:
        moved = "up" if change > 0 else "down"
    inside = {True: ", inside today's interval", False: ", outside today's interval", None: ""}[row["inside"]]
    return moved + (inside if moved != "the same" else "")
