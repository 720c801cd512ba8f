"""Finds names of persons and accounts in text, whatever their case, escapes, tags and the signs between their words.

Used for loading for a shared audience and for publishing. Words are looked up in an index: the time depends on the
length of the text, hardly on the number of names.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from urllib.parse import unquote

MIN_DIGITS = 6
"""A name of fewer digits, and nothing else, looks like any number of a report."""
MIN_LETTERS = 2
DISTINCT = 8
"""A shorter name must occur with its own signs between its words: "A-12" is not found in "a 12"."""

# A decimal or grouped number is one word, so that no key is found inside a measure; "_" parts words.
_WORD = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+\.\d+|[^\W_]+")
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_JSON_ESCAPE = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)|\\([nrtbf\"/\\])")
_AFTER_BACKSLASH = re.compile(r"\\([nrtbf][^\\<>]{0,200})")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
# Scripts that put no space between words: there a name is looked for inside what looks like one word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_MAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}(?![\w-])")
_BEFORE_AT, _AFTER_AT = 64, 320


def plain_text(text: str) -> str:
    """Text in a normal form: unescaped (HTML, JSON, URLs), letters unified, lower case, no invisible characters."""
    for _ in range(3):  # what was escaped twice, as a page inside a page
        before = text
        if "&" in text:
            text = html.unescape(text)
        if "\\" in text:
            text = _JSON_ESCAPE.sub(_unescaped, text)
        if "%" in text:
            text = _PERCENT.sub(lambda m: unquote(m[0]), text)
        if text == before:
            break
    if text.isascii():
        text = text.lower()
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = text.replace("\u0131", "i").replace("i\u0307", "i")  # the Turkish i, whose capital others read as i
    for sign in set(text):
        if unicodedata.category(sign) in ("Cf", "Cc", "Cs") and sign not in "\n\t\r":
            text = text.replace(sign, "")
    return text


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return bytes.fromhex(match[1].replace("\\u", "")).decode("utf-16-be", "replace")
    return match[2] if match[2] in '"/\\' else " "


def words(text: str) -> list[str]:
    """The words of a plain text (see ``plain_text``), in order."""
    return _WORD.findall(text)


def readings(text: str) -> Iterator[str]:
    """The plain text, and for text with tags also without them, with and without a space in their place."""
    yield plain_text(text)
    if after := _AFTER_BACKSLASH.findall(text):  # in "dir\\nancy" the sign is no escape
        yield plain_text("\n".join(after))
    if "<" in text and len(parts := _TAG.split(text)) > 1:
        yield plain_text(" ".join(parts))
        yield plain_text("".join(parts))


def holds_mail_address(text: str) -> bool:
    """Whether a plain text holds an e-mail address."""
    at = text.find("@")
    while at >= 0:  # searched around each @ sign: a pattern over the whole text would try every word as a beginning
        first = max(at - _BEFORE_AT, 0)
        if any(m.start() < at - first < m.end() for m in _MAIL.finditer(text[first : at + _AFTER_AT])):
            return True
        at = text.find("@", at + 1)
    return False


MAIL = "e-mail address"


class Identities:
    """Names that must not appear in a text, by kind. ``ordinary`` words are not names by themselves.

    ``unscanned`` are names too common to search for: no letter or digit, a single letter, a few digits, or one ordinary
    word.
    """

    def __init__(self, names: Mapping[str, Iterable[str]], ordinary: Set[str] = frozenset()):
        self._index: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
        self._lengths: dict[str, set[int]] = {}  # first word -> how many words the names have that begin with it
        self._unspaced: dict[str, list[tuple[str, str, str]]] = {}
        unscanned = []
        for kind, several in names.items():
            for name in dict.fromkeys(several):
                plain = plain_text(name).strip()
                parts = tuple(words(plain))
                if _too_common(parts, ordinary):
                    unscanned.append(name)
                else:
                    self._add(kind, name, plain, parts)
        self.unscanned = tuple(unscanned)

    def _add(self, kind: str, name: str, plain: str, parts: tuple[str, ...]) -> None:
        joined = "".join(parts)
        literal = plain if len(joined) < DISTINCT and len(parts) > 1 else ""
        spellings = {parts}
        if len(parts) > 1 and len(joined) >= DISTINCT and not joined.isdigit():
            spellings.add((joined,))  # as in an address of the web
        for spelling in spellings:
            self._index.setdefault(spelling, []).append((literal, kind, name))
            self._lengths.setdefault(spelling[0], set()).add(len(spelling))
        if len(joined) >= MIN_LETTERS and _UNSPACED.search(joined):
            self._unspaced.setdefault(joined[:2], []).append((joined, kind, name))

    def __bool__(self) -> bool:
        return bool(self._index)

    def named_in(self, text: str) -> list[str]:
        """The kinds of things that a text names, without repetition; "e-mail address" is one of them."""
        found: dict[str, None] = {}
        for reading in readings(text):
            found |= dict.fromkeys(kind for kind, _ in self._hits(reading))
            if "@" in reading and holds_mail_address(reading):
                found[MAIL] = None
        return list(found)

    def names_in(self, text: str) -> set[str]:
        """The names that occur in a text, in their original spelling."""
        return {name for reading in readings(text) for _, name in self._hits(reading)}

    def _hits(self, text: str) -> Iterator[tuple[str, str]]:
        found_words = words(text)
        if not self._lengths.keys().isdisjoint(found_words):
            for place, word in enumerate(found_words):
                for length in self._lengths.get(word, ()):
                    for literal, kind, name in self._index.get(tuple(found_words[place : place + length]), ()):
                        if not literal or _occurs(literal, text):
                            yield kind, name
        if self._unspaced and _UNSPACED.search(text):
            joined = "".join(found_words)
            for place in range(len(joined) - 1):
                for wanted, kind, name in self._unspaced.get(joined[place : place + 2], ()):
                    if joined.startswith(wanted, place):
                        yield kind, name


def _too_common(parts: tuple[str, ...], ordinary: Set[str]) -> bool:
    joined = "".join(parts)
    if len(joined) < MIN_LETTERS or (len(parts) == 1 and joined in ordinary):
        return True
    figures = re.sub(r"[.,]", "", joined)
    return figures.isdigit() and len(figures) < MIN_DIGITS


def _occurs(literal: str, text: str) -> bool:
    return bool(re.search(rf"(?<![^\W_]){re.escape(literal)}(?![^\W_])", text))


def all_texts(value: object) -> Iterator[str]:
    """Every text inside lists and dictionaries, keys included; the lines of a list also as one text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key)
            yield from all_texts(each)
    elif isinstance(value, list | tuple):
        if len(value) > 1 and all(isinstance(each, str) for each in value):
            yield "".join(value)
        for each in value:
            yield from all_texts(each)
