"""A measure's figure in its own unit: percent, hours, cases per working day; and how far two of them are apart."""

from __future__ import annotations

import math

from cs_helpers.core import metrics as definitions
from cs_helpers.report.words import NARROW_SPACE, is_given, of_hundred, percent

_MONTHLY = ("book_grr", "book_nrr")  # kept from month to month, and printed as what a year of such months keeps
_SCORES = ("nps",)  # a difference of shares that everybody writes as a plain number of a hundred
_TIMES = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
_TO = " to "


def figure(key: str, value: float | None) -> str:
    """A value of a metric in its unit: ``81.2 %``, ``3.4 hours``, ``1.27 per working day``; a dash where there is none.

    GRR and NRR of a book are monthly and written per year (value to the twelfth power); NPS has a sign and no unit.
    Raises ParameterError for a key without a definition.
    """
    unit = definitions.metric(key).unit
    if value is None or not math.isfinite(value):
        return "–"
    number, word = _parts(key, unit, _yearly(key, value), _digits(key, unit, value))
    if unit in _TIMES:  # 2 hours, 2.5 hours, 1 hour
        number = number.removesuffix(".0")
        word = word.removesuffix("s") if number == "1" else word
    return _joined(number, word)


def figure_span(key: str, low: float | None, high: float | None) -> str:
    """Both ends of an interval, or before and after, in a metric's unit once: ``78.1 to 82.3 %``, ``2 to 14 hours``.

    ``at least 78.1 %`` and ``at most 82.3 %`` where one end is infinite or not given; a dash where both are.
    """
    if not is_given(low) and not is_given(high):
        return "–"
    if not is_given(low) or not is_given(high):
        return f"at most {figure(key, high)}" if is_given(high) else f"at least {figure(key, low)}"
    unit = definitions.metric(key).unit
    ends = [float(end) for end in (low, high) if end is not None]
    digits = _digits(key, unit, max(ends, key=abs))
    (first, _), (second, word) = (_parts(key, unit, _yearly(key, end), digits) for end in ends)
    if unit in _TIMES and first.endswith(".0") and second.endswith(".0"):
        first, second = first.removesuffix(".0"), second.removesuffix(".0")
    return f"{first}{_TO}{_joined(second, word)}"


def difference(key: str, scale: str, effect: float | None) -> str:
    """How far a value lies from another, with its sign; a dash where there is none.

    ``scale`` "ratio": ``effect`` is a log ratio, written ``+12 %``. "additive": points for shares (``−2.8 points``, a
    month for GRR and NRR of a book), the metric's unit for all else (``+0.4 hours``).
    """
    if effect is None or not math.isfinite(effect):
        return "–"
    number, word = _apart(key, scale, effect, _apart_digits(key, scale, effect))
    return _joined(number, word)


def difference_span(key: str, scale: str, low: float, high: float) -> str:
    """Both ends of an interval of ``difference``: ``+1.0 to +4.2 points``, ``−3 to +12 %``."""
    if not is_given(low, high):
        return "–"
    digits = _apart_digits(key, scale, max(low, high, key=abs))
    (first, _), (second, word) = (_apart(key, scale, end, digits) for end in (low, high))
    return f"{first}{_TO}{_joined(second, word)}"


def _yearly(key: str, value: float) -> float:
    return max(value, 0.0) ** 12 if key in _MONTHLY else value


def _digits(key: str, unit: str, value: float) -> int:
    """Decimals of a number: shares one, scores none, all else about three digits in all, of a time about two."""
    if key in _SCORES:
        return 0
    size = abs(value)
    if unit in ("fraction", "points"):
        return 1
    if unit in _TIMES:
        return 0 if size >= 100 else 1 if size >= 0.95 or size == 0 else 2
    return 0 if size >= 1000 else 1 if size >= 100 else 2


def _parts(key: str, unit: str, value: float, digits: int) -> tuple[str, str]:
    """The number and the unit of a value."""
    if key in _SCORES:
        return _number(value * (100 if unit == "fraction" else 1), digits, signed=True), ""
    if unit == "fraction":
        return percent(value, digits).removesuffix(f"{NARROW_SPACE}%"), "%"
    if unit == "points":
        size, _, word = of_hundred(value).partition(NARROW_SPACE)
        return size, word
    return _number(value, digits), "" if unit == "ratio" else unit


def _apart_digits(key: str, scale: str, effect: float) -> int:
    if scale == "ratio":
        return 0 if abs(math.expm1(min(effect, 700.0))) >= 0.0995 else 1
    return _digits(key, definitions.metric(key).unit, effect)


def _apart(key: str, scale: str, effect: float, digits: int) -> tuple[str, str]:
    unit = definitions.metric(key).unit
    if scale == "ratio":
        return _number(math.expm1(min(effect, 700.0)) * 100, digits, signed=True), "%"
    times = 100 if unit == "fraction" else 1
    text = _number(effect * times, digits, signed=True)
    if unit in ("fraction", "points"):
        word = "point" if text.strip("+−") in ("1", "1.0") else "points"
        return text, f"{word} a month" if key in _MONTHLY else word
    if unit in _TIMES:
        text = text.removesuffix(".0")
        return text, unit.removesuffix("s") if text.strip("+−") == "1" else unit
    return text, "" if unit == "ratio" else unit


def _number(value: float, digits: int, signed: bool = False) -> str:
    text = f"{value:{'+' if signed else ''},.{digits}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")  # what rounds to nothing has no sign
    return text.replace("-", "−")


def _joined(number: str, word: str) -> str:
    if not word:
        return number
    return f"{number}{NARROW_SPACE if word in ('%', 'point', 'points') else ' '}{word}"
