"""The words of ``vocabulary.yml``, and how headers are compared with them: spellings, units and time zones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

K = TypeVar("K")
Phrases = tuple[str, ...]


def _flat(value: Any) -> Phrases:
    """A list of phrases; a list inside it, such as the names that tables share, is joined."""
    return tuple(phrase for item in value for phrase in ([item] if isinstance(item, str) else _flat(item)))


_Phrases = Annotated[Phrases, BeforeValidator(_flat)]


class Vocabulary(BaseModel):
    """The words of ``vocabulary.yml``; its comments explain each part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared: dict[str, _Phrases]
    columns: dict[str, dict[str, _Phrases]]
    tables: dict[str, _Phrases]
    headers: dict[str, _Phrases]
    term_months: dict[int, _Phrases]
    true_words: _Phrases
    false_words: _Phrases
    values: dict[str, dict[str, _Phrases]]
    time_units: dict[str, _Phrases]
    currency_codes: _Phrases
    currency_signs: dict[str, str]
    countries: dict[str, _Phrases]


_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar is text: "no" and "1" are words here
_YAML = Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")
VOCABULARY = Vocabulary.model_validate(yaml.load(_YAML, Loader=_LOADER))  # noqa: S506 - it makes nothing but text
HEADERS = VOCABULARY.headers
_BRACKETS = re.compile(r"[(\[].*?[)\]]")


@cache
def words(header: str) -> tuple[str, ...]:
    """The words of a header in lower case, without accents: ``AvgTalkDuration`` is avg, talk, duration."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", header.replace("ß", "ss")) if not unicodedata.combining(c))
    for pattern, spaced in ((r"__c\b", " "), ("([a-z0-9])([A-Z])", r"\1 \2"), ("([A-Z]+)([A-Z][a-z])", r"\1 \2")):
        plain = re.sub(pattern, spaced, plain)
    return tuple(re.findall(r"[a-z0-9]+", plain.lower()))


def squash(header: str) -> str:
    """A header without case, accents, spaces and punctuation."""
    return "".join(words(header))


@cache
def ranks(phrases: Phrases) -> dict[str, int]:
    """The place of every phrase in a list, by its squashed form; the first counts."""
    found: dict[str, int] = {}
    for place, phrase in enumerate(phrases):
        found.setdefault(squash(phrase), place)
    return found


@cache
def names_of(table: str, column: str) -> dict[str, int]:
    """All names of a column of the contract with their rank, its own name first."""
    return ranks((column, *VOCABULARY.columns[table].get(column, ())))


def by_word(phrases_of: Mapping[K, Phrases]) -> dict[str, K]:
    """The key to which each phrase belongs, by the squashed phrase."""
    return {squash(phrase): key for key, phrases in phrases_of.items() for phrase in phrases}


TERM_MONTHS = by_word(VOCABULARY.term_months)
CURRENCY_OF_COUNTRY = by_word(VOCABULARY.countries)
CONTRACT_VALUES = {column: by_word(phrases_of) for column, phrases_of in VOCABULARY.values.items()}
_UNITS = by_word(VOCABULARY.time_units)
_ENDINGS = {*_UNITS, *VOCABULARY.currency_codes, "in", "flag", "utc", "gmt", "pct", "c"}
_KEYS = (("id",), ("key",), ("number",), ("no",))


@cache
def spellings(header: str, table: str = "") -> tuple[tuple[str, float, str], ...]:
    """The readings of a header as (squashed text, trust from 0 to 1, what was left out), the whole header first.

    A reading may leave out a prefix (``Account: Name``, ``subscriptions.plan``, ``ticket_priority`` in a table of
    tickets), a unit or a currency at the end, a remark in brackets, or ``is`` and ``flag``. A part of a longer header
    has the least trust.
    """
    found: dict[str, tuple[float, str]] = {}

    def add(parts: tuple[str, ...], trust: float, without: str) -> None:
        text = "".join(parts)
        if text and text not in found:
            found[text] = (trust, without)

    objects = {table, table.rstrip("s"), *VOCABULARY.tables.get(table, ())}
    whole = words(header)
    without_brackets = _BRACKETS.sub(" ", header)
    bare = words(without_brackets)
    parts_of = re.split(r"[.:>/]\s*", without_brackets.strip())
    last = words(parts_of[-1])
    if len(parts_of) > 1 and last == ("id",):  # the key of what the prefix names
        last = tuple(word.rstrip("s") for word in words(parts_of[-2])[-1:]) + last
    add(whole, 1.0, "")
    add(bare, 0.97, "the brackets")
    add(last, 0.95, "the prefix")
    for parts in (whole, bare, last):
        short = parts
        while len(short) > 1 and short[-1] in _ENDINGS:
            short = short[:-1]
        add(short, 0.95, "the end")
        if len(short) > 1 and short[0] in ("is", "has", "was"):
            add(short[1:], 0.9, "the first word")
        if len(short) > 1 and short[0] in objects and short[1:] not in _KEYS:
            add(short[1:], 0.85, f"'{short[0]}' at the front")
    if len(whole) <= 8:
        for size in range(len(whole) - 1, 1, -1):
            for begin in range(len(whole) - size + 1):
                add(whole[begin : begin + size], 0.7, "a part of it")
    return tuple((text, trust, without) for text, (trust, without) in found.items())


def unit_of(header: str) -> str:
    """The unit of time a header names, "" where it names none: ``first_response_time_minutes`` -> minutes."""
    return next((_UNITS[word] for word in reversed(words(header)) if word in _UNITS), "")


def zone_of(header: str) -> str:
    """The time zone that a header names in brackets: ``Started at (Europe/Berlin)``, ``Created (UTC)``; "" for none."""
    named = re.findall(r"[(\[]([A-Za-z_]+(?:/[A-Za-z_+-]+)*)[)\]]", header)
    return next((zone for zone in named if zone == "UTC" or ("/" in zone and zone in available_timezones())), "")


def same_but_for_brackets(one: str, other: str) -> bool:
    """Whether two headers are the same without their remarks in brackets."""
    return squash(_BRACKETS.sub(" ", one)) == squash(_BRACKETS.sub(" ", other))


def matches(header: str, phrases: Phrases, trust: float = 0.8) -> bool:
    """Whether a header is one of the phrases, in a reading with at least this trust."""
    return bool(first_match([header], phrases, trust))


def first_match(headers: Iterable[str], phrases: Phrases, trust: float = 0.8) -> str:
    """The header that matches the earliest phrase of the list, or "" where no header matches."""
    ranked = ranks(phrases)
    places = []
    for header in headers:
        for text, trusted, _ in spellings(header):
            if text in ranked and trusted >= trust:
                places.append((ranked[text] + (1 - trusted), header))
    return min(places, default=(0, ""))[1]
