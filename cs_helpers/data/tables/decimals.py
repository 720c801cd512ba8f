"""Decimal sign and currency signs of amounts, found from all number columns of a table; never guessed."""

from __future__ import annotations

from collections.abc import Sequence

from cs_helpers.core.errors import Problem
from cs_helpers.data.engines.duckdb import DuckDB, quote

# What leaves no doubt: digits behind the sign that are no group of three, both signs in one number, or two groups.
_DOUBTLESS = (
    r"[-+]?[0-9]*{sign}([0-9]{{1,2}}|[0-9]{{4,}})",
    r"[-+]?[0-9]{{1,3}}({other}[0-9]{{3}})+{sign}[0-9]*",
    r"[-+]?0{sign}[0-9]+",
    r"[-+]?[0-9]{{1,3}}({other}[0-9]{{3}}){{2,}}",
    r"[-+]?[0-9]{{4,}}{sign}[0-9]*",
)
_POINT = "|".join(shape.format(sign=r"\.", other=",") for shape in _DOUBTLESS)
_COMMA = "|".join(shape.format(sign=",", other=r"\.") for shape in _DOUBTLESS)
_EITHER = r"[-+]?[0-9]{1,3}[,.][0-9]{3}"


def decimal_sign(engine: DuckDB, raw: str, columns: Sequence[str], where: str) -> tuple[str, str, Problem | None]:
    """The decimal sign of the number columns (quoted names) of a staged table, with a note and perhaps a problem.

    A decimal comma needs at least one value that can only be read that way, and no value that contradicts it. Values
    such as ``1,234`` that can be read both ways are a problem, and so are both signs in one table.
    """
    with_comma = " OR ".join(f"contains({column}, ',')" for column in columns)
    if not engine.value(f"SELECT 1 FROM {quote(raw)} WHERE {with_comma} LIMIT 1"):
        return ".", "", None
    values = " UNION ALL ".join(f"SELECT {column} AS value FROM {quote(raw)}" for column in columns)
    bare = "trim(regexp_replace(value, '[€$£¥]', '', 'g'))"
    point, comma, either, example, other = engine.rows(
        f"SELECT count(*) FILTER (regexp_full_match(v, '{_POINT}')), "
        f"count(*) FILTER (regexp_full_match(v, '{_COMMA}')), "
        f"count(*) FILTER (regexp_full_match(v, '{_EITHER}') AND contains(v, ',')), "
        f"min(v) FILTER (regexp_full_match(v, '{_COMMA}') OR regexp_full_match(v, '{_EITHER}')), "
        f"min(v) FILTER (regexp_full_match(v, '{_POINT}')) FROM (SELECT {bare} AS v FROM ({values}))"
    )[0]
    if comma and not point:
        note = f"{where}: numbers have a decimal comma, as in {example}; declared nowhere, found from the values."
        return ",", note, None
    if comma:
        what = f"numbers are written with a decimal comma ({example}) and with a decimal point ({other}) side by side."
        return ".", "", Problem(where, what, "Export the columns in one way, or set `decimal` in the mapping.")
    if either and not point:
        what = f"{example} is a thousand with a separator or a number with a decimal comma; no value of the file tells."
        return ".", "", Problem(where, what, 'Set `decimal: "."` or `decimal: ","` in the mapping.')
    return ".", "", None


_CODES = {"€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY")}  # $ is used by too many currencies


def currency_signs(
    engine: DuckDB, raw: str, columns: Sequence[str], where: str, declared: str
) -> tuple[str, Problem | None]:
    """A note on the currency signs inside amounts (quoted columns), and a problem if they contradict each other."""
    found: dict[str, str] = {}
    for column in columns:
        for sign, example in engine.rows(
            f"SELECT regexp_extract({column}, '[€$£¥]') AS s, min({column}) FROM {quote(raw)} "
            f"WHERE regexp_matches({column}, '[€$£¥]') GROUP BY s ORDER BY s"
        ):
            found.setdefault(sign, example)
    if not found:
        return "", None
    fix = "Convert the amounts to one currency, or load one currency at a time with `keep_where`."
    if len(found) > 1:
        named = ", ".join(f"{sign} ({example})" for sign, example in found.items())
        return "", Problem(where, f"amounts carry the signs of several currencies: {named}.", fix)
    ((sign, example),) = found.items()
    codes = _CODES.get(sign, ())
    if codes and declared and declared.upper() not in codes:
        what = f"amounts carry the sign {sign} ({example}), and the mapping says {declared.upper()}."
        return "", Problem(where, what, "Correct `currency` in the mapping, or the amounts.")
    return f"{where}: amounts carry the sign {sign}, as in {example}; it is read over.", None
