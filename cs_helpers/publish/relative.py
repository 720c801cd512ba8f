"""Relative dates such as ``last_complete_month``, which stay right in a schedule that runs for years.

Each means the first day that is not counted, like ``as_of``: the last complete month ends before the 1st of this month.
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
WORDS = tuple(_MEANT)
"""All relative dates that ``resolve`` understands."""
_LIKE_ONE = re.compile(r"[a-z]+(_[a-z]+)+|to-?day|yester-?day", re.IGNORECASE)


def resolve(word: str, now: datetime) -> str | None:
    """The date (YYYY-MM-DD) of a relative date; None if the text is not one.

    The day of ``now`` in its own time zone counts. Weeks begin on Monday.

    >>> resolve("last_complete_month", datetime(2026, 7, 15)), resolve("2026-07-01", datetime(2026, 7, 15))
    ('2026-07-01', None)
    """
    meant = _MEANT.get(word)
    return meant(now.date()).isoformat() if meant else None


def check(text: str) -> None:
    """Raises ValueError unless the text is YYYY-MM-DD, a relative date or empty, as ``as_of`` accepts."""
    if text in ("", *WORDS):
        return
    try:
        date.fromisoformat(text)
    except ValueError:
        near = did_you_mean(text, WORDS) if _LIKE_ONE.fullmatch(text) else ""
        raise ValueError(f"'{text}' is not a date.{near} Write YYYY-MM-DD or one of: {', '.join(WORDS)}.") from None
