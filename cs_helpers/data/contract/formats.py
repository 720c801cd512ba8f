"""Formats of days and times, in letters (``DD-MM-YYYY``) and as strptime's (``%d-%m-%Y``), and the words of flags."""

from __future__ import annotations

import re
from functools import cache

DATE_TOKENS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d",
    "HH": "%H", "H": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "A": "%p", "T": "T", "Z": "%z",
}  # fmt: skip
_TOKEN = "|".join(sorted(DATE_TOKENS, key=len, reverse=True))
COUNTED = {"excel": "days since 1899-12-30, as spreadsheets count them", "unix": "seconds since 1970-01-01"}
COMMON_DATE_FORMATS = (
    "YYYY-MM-DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "YYYYMMDD",
    "DD-MM-YY", "MM-DD-YY", "DD/MM/YY", "MM/DD/YY", "DD.MM.YY", "DD MMM YYYY", "DD-MMM-YYYY", "DD-MMM-YY",
    "MMM DD, YYYY", "YYYY-MM-DD HH:mm:ss", "YYYY-MM-DDTHH:mm:ss", "YYYY-MM-DD HH:mm", "DD-MM-YYYY HH:mm",
    "DD/MM/YYYY HH:mm", "MM/DD/YYYY HH:mm", "DD.MM.YYYY HH:mm", "DD-MM-YYYY HH:mm:ss", "DD/MM/YYYY HH:mm:ss",
    "MM/DD/YYYY HH:mm:ss", "DD.MM.YYYY HH:mm:ss", "MM/DD/YYYY hh:mm A", "YYYY-MM",
)  # fmt: skip
TRUE_WORDS = ("true", "yes", "y", "t", "1")
FALSE_WORDS = ("false", "no", "n", "f", "0")


@cache
def strptime_format(declared: str) -> str:
    """``DD-MM-YYYY`` as ``%d-%m-%Y``; a format that already has ``%`` in it, or counts days, is kept.

    Raises ValueError.
    """
    if declared in COUNTED:
        return declared
    written, unknown = declared, []
    if "%" in declared:
        unknown = [f"%{letter}" for letter in re.findall(r"%(.)", declared) if letter not in "YymdBbHMSfpIz%"]
    else:
        for word in re.findall(r"[A-Za-z]+", declared):
            if not re.fullmatch(f"({_TOKEN})+", word):
                unknown.append(word)
        written = re.sub(_TOKEN, lambda token: DATE_TOKENS[token[0]], declared)
    if unknown:
        raise ValueError(f"{', '.join(map(repr, unknown))} is no part of a date format")
    parts = set(re.findall(r"%.", written))
    if not parts & {"%Y", "%y"} or not parts & {"%m", "%b", "%B"}:
        raise ValueError("a date format needs a year and a month")
    return written
