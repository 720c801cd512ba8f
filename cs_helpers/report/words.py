"""Numbers to words: shares, money, intervals, and the sentences that carry them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Estimate

MIME = "application/vnd.cs-helpers.{}+json"

NARROW_SPACE = "\u202f"

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF\u202f", "JPY": "¥"}


def plain(value: object) -> str:
    """Text from data, made inert: no control, direction-override or zero-width character, HTML escaped."""
    return escape(visible(value), quote=True)


LONGEST_NAME = 80


def called(value: object) -> str:
    """A name from data as a sentence says it: inert, on one line, with an ellipsis after 80 characters; not escaped."""
    name = " ".join(visible(value).split())
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"


def percent(value: float | None, digits: int = 1) -> str:
    """``88.4 %`` with a narrow no-break space; a dash where there is no value."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value * 100:,.{digits}f}{NARROW_SPACE}%".replace("-", "−")


def money(value: float | None, currency: str, short: bool = False) -> str:
    """``€312,400``; in short ``€312k`` or ``€3.1m``. A dash where there is no value."""
    if value is None or not math.isfinite(value):
        return "–"
    symbol = _SYMBOLS.get(currency, f"{visible(currency)}{NARROW_SPACE}" if currency else "")
    size = abs(value)
    if short and size >= 999_500:
        text = f"{size / 1e6:,.{2 if size < 9.995e6 else 1}f}m"
    elif short and size >= 1000:
        text = f"{size / 1000:,.{1 if size < 9950 else 0}f}k"
    else:
        text = f"{size:,.0f}"
    return f"{'−' if value < 0 and text.strip('0.,km') else ''}{symbol}{text}"


def short_money(currency: str) -> Callable[[float], str]:
    """``money`` in short for one currency, as charts write amounts."""
    return lambda value: money(value, currency, short=True)


def points(value: float) -> str:
    """A difference of two shares in percentage points, signed: ``−2.8 points``."""
    return f"{value * 100:+.1f}{NARROW_SPACE}points".replace("-", "−")


def is_given(*values: float | None) -> bool:
    """Whether every one is a finite number."""
    return all(value is not None and math.isfinite(value) for value in values)


def of_hundred(value: float | None, signed: bool = False) -> str:
    """A number of points of a hundred: ``4.2 points``, ``1.0 point``; a dash where there is no value."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:{'+' if signed else ''}.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0").replace("-", "−")
    return f"{text}{NARROW_SPACE}{'point' if text.strip('+−') == '1.0' else 'points'}"


def points_span(low: float, high: float) -> str:
    """``0.4 to 6.0 points`` for two numbers of points."""
    return f"{of_hundred(low).split(NARROW_SPACE)[0]} to {of_hundred(high)}"


def quantity(estimate: Estimate, currency: str) -> str:
    """A value in its metric's unit: percent, points, money in short, or a plain number."""
    unit = definitions.metric(estimate.key).unit
    if unit == "points":
        return of_hundred(estimate.value)
    if unit == "fraction":
        return percent(estimate.value)
    if unit.startswith("money"):
        return money(estimate.value, currency, short=True)
    return "–" if estimate.value is None else f"{estimate.value:,.2f}"


def span_words(low: float | None, high: float | None, digits: int = 1) -> str:
    """``88.4 to 91.2 %``; why not, where an end is infinite; nothing without an interval."""
    if low is None or high is None:
        return ""
    if not math.isfinite(high):
        return "cannot be given: too few accounts carry it"
    upper = percent(high, digits)
    return f"{percent(low, digits).rstrip('%').rstrip(NARROW_SPACE)} to {upper}"


def signed(value: float) -> str:
    """A difference of shares in points, signed, without the word."""
    return points(value).removesuffix("points").rstrip(NARROW_SPACE)


def growth(now: float, before: float | None) -> str:
    """``up 21.7 %`` or ``down 3.0 %`` against before; nothing where before is nothing."""
    if not before:
        return ""
    size = abs(now / before - 1)
    by = percent(size) if size >= 0.0005 or size == 0 else f"less than {percent(0.001)}"
    return f"{'up' if now >= before else 'down'} {by}"


def sentence(text: str) -> str:
    """Text with a full stop, unless it ends a sentence already."""
    return text if text.endswith((".", "?", "!")) else text + "."


def inside(name: str) -> str:
    """A name inside a sentence: small, unless its first word is an abbreviation (``CSAT``, ``tickets per day``)."""
    first = name.partition(" ")[0]
    return name if first[1:].lower() != first[1:] else name[:1].lower() + name[1:]


def capital(text: str) -> str:
    """Text with a capital first letter."""
    return text[:1].upper() + text[1:]


SPAN = f"95{NARROW_SPACE}% interval"


@dataclass(frozen=True)
class Headline:
    """A computed statement: the conclusion, its evidence, the section it belongs to, and how large the change is."""

    conclusion: str
    evidence: str
    anchor: str
    size: float = 0.0

    @property
    def text(self) -> str:
        """Both parts as running text."""
        return f"{self.conclusion} {self.evidence}".strip()

    def at(self, anchor: str) -> Headline:
        """The same statement at another place of the page."""
        return replace(self, anchor=anchor)

    def __str__(self) -> str:
        return self.text


def count(number: float, one: str, many: str = "") -> str:
    """``1 account``, ``1,204 accounts``."""
    return f"{number:,.0f} {one if number == 1 else many or one + 's'}"


def rate_words(value: float) -> str:
    """A share in percent that never reads as none: ``4.1 %``, ``under 0.1 %``, ``none``."""
    if value == 0:
        return "none"
    return percent(value) if value >= 0.0005 else f"under {percent(0.001)}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """``a, b and c``, or ``a, b and 3 more``; nothing for nobody."""
    shown = [str(name) for name in names[:most]]
    if len(names) > most:
        shown = [*shown[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def money_span(low: float, high: float, currency: str) -> str:
    """``€1.2m to €1.4m``."""
    return f"{money(low, currency, short=True)} to {money(high, currency, short=True)}"


def months_words(value: float) -> str:
    """``14.2 months``, ``1 month``; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.1f}".removesuffix(".0")
    return f"{text} month{'' if text == '1' else 's'}"
