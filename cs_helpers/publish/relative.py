"""Dates said by their place in time, such as ``last_complete_month``: a schedule outlives any other.

Each gives the first day that is not counted, as ``as_of`` does: the last complete month ends before the 1st of this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from cs_helpers.core.errors import did_you_mean

_MEANT: Mapping[str, Callable[[date], date]] = {
    "last_complete_month": lambda day: day.replace(day=1),
    "last_complete_quarter": lambda day: day.replace(month=day.month - (day.month - 1) % 3, day=1),
    "last_complete_year": lambda day: day.replace(month=1, day=1),
    "last_complete_week": lambda day: day - timedelta(days=day.weekday()),
    "today": lambda day: day,
    "yesterday": lambda day: day - timedelta(days=1),
}
_LIKE_ONE = re.compile(r"[a-z]+(_[a-z]+)+|to-?day|yester-?day", re.IGNORECASE)


def resolve(word: str, now: datetime) -> str | None:
    """The date (YYYY-MM-DD) that a word means; None where it is no relative date.

    The day of ``now`` in its own time zone decides, so give it in the zone that is meant. Weeks begin on Monday.
    """
    meant = _MEANT.get(word)
    return meant(now.date()).isoformat() if meant else None


def words() -> tuple[str, ...]:
    """All words that ``resolve`` knows."""
    return tuple(_MEANT)


def check(text: str) -> None:
    """Raises ValueError for a text that ``as_of`` does not take: it takes YYYY-MM-DD, a relative date, or nothing."""
    if text in ("", *_MEANT):
        return
    try:
        date.fromisoformat(text)
    except ValueError:
        near = did_you_mean(text, words()) if _LIKE_ONE.fullmatch(text) else ""
        raise ValueError(f"'{text}' is no date.{near} Write YYYY-MM-DD or one of: {', '.join(_MEANT)}.") from None
