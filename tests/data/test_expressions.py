"""One column of an export becomes one typed column: every way of writing it, and nothing guessed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cs_helpers.data.contract.columns import Column, Kind
from cs_helpers.data.engines.duckdb import DuckDB, literal
from cs_helpers.data.mapping import Offset, Scale, TableMapping
from cs_helpers.data.tables.expressions import Reader, SourceExpression


@pytest.fixture(scope="module")
def engine() -> DuckDB:
    return DuckDB()


def typed(engine: DuckDB, text: str, kind: Kind, decimal: str = ".", name: str = "it", **mapping: Any) -> Any:
    """What a text becomes as a column of that kind."""
    reader = Reader(TableMapping(**mapping), {"h": "text"}, decimal)
    source = reader.source(name, "h")
    assert source is not None
    sql = reader.typed(Column(name, kind, ""), source)
    return engine.rows(f"SELECT {sql} FROM (SELECT {literal(text)} AS h)")[0][0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("-3.5", -3.5),
        ("+.5", 0.5),
        ("1e3", 1000.0),
        ("1,234.50", 1234.5),
        ("1,234,567", 1234567.0),
        ("1'234.5", 1234.5),
        ("1 234.5", 1234.5),
        ("€ 1,234.50", 1234.5),
        ("$99", 99.0),
        ("12,5", None),
        ("1_000", None),
        ("inf", None),
        ("NaN", None),
        ("0x1F", None),
        ("12 apples", None),
        ("1.2.3", None),
        ("１２", None),
        ("=1+1", None),
        ("--5", None),
    ],
)
def test_a_number_with_a_point_is_read_or_refused(engine: DuckDB, text: str, value: float | None) -> None:
    assert typed(engine, text, "number") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.234,50", 1234.5), ("12,5", 12.5), ("12", 12.0), ("1.234", 1234.0), ("1,234.5", None), ("12.5", None)],
)
def test_a_number_with_a_comma_is_read_or_refused(engine: DuckDB, text: str, value: float | None) -> None:
    assert typed(engine, text, "number", decimal=",") == value


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("19.995", 2000),
        ("0.1", 10),
        ("100", 10000),
        ("-5", -500),
        ("1e12", 10**14),
        ("9" * 25, 9 * 10**17),
        ("x", None),
    ],
)
def test_money_becomes_whole_cents_exactly(engine: DuckDB, text: str, cents: int | None) -> None:
    assert typed(engine, text, "money") == cents


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("7.0", 7), ("7.5", None), ("1e300", None), ("-2", -2)])
def test_a_whole_number_is_whole_or_refused(engine: DuckDB, text: str, value: int | None) -> None:
    assert typed(engine, text, "integer") == value


@pytest.mark.parametrize(
    ("text", "value"), [("TRUE", True), ("Yes", True), ("1", True), ("f", False), ("NO", False), ("maybe", None)]
)
def test_flags_are_the_usual_words(engine: DuckDB, text: str, value: bool | None) -> None:
    assert typed(engine, text, "flag") is value


@pytest.mark.parametrize(
    ("text", "declared", "value"),
    [
        ("2024-02-29", "YYYY-MM-DD", dt.date(2024, 2, 29)),
        ("2023-02-29", "YYYY-MM-DD", None),
        ("2024-02-29 13:00:00", "YYYY-MM-DD", dt.date(2024, 2, 29)),
        ("29-02-2024", "YYYY-MM-DD", None),
        ("epoch", "YYYY-MM-DD", None),
        ("infinity", "YYYY-MM-DD", None),
        ("now", "YYYY-MM-DD", None),
        ("20240131", "YYYYMMDD", dt.date(2024, 1, 31)),
        ("03-04-2024", "DD-MM-YYYY", dt.date(2024, 4, 3)),
        ("03-04-2024", "MM-DD-YYYY", dt.date(2024, 3, 4)),
        ("3/4/2024", "M/D/YYYY", dt.date(2024, 3, 4)),
        ("13/04/2024", "M/D/YYYY", None),
        ("03.04.24", "DD.MM.YY", dt.date(2024, 4, 3)),
        ("3 Apr 2024", "DD MMM YYYY", dt.date(2024, 4, 3)),
        ("03.04.2024 08:15", "DD.MM.YYYY", dt.date(2024, 4, 3)),
        ("45292", "excel", dt.date(2024, 1, 1)),
        ("45292.75", "excel", dt.date(2024, 1, 1)),
        ("1704067200", "unix", dt.date(2024, 1, 1)),
    ],
)
def test_a_day_is_read_as_declared_and_in_no_other_way(
    engine: DuckDB, text: str, declared: str, value: dt.date | None
) -> None:
    assert typed(engine, text, "date", date_format=declared) == value


@pytest.mark.parametrize(
    ("text", "declared", "zone", "value"),
    [
        ("2024-01-05T10:00:00Z", "YYYY-MM-DD", "UTC", dt.datetime(2024, 1, 5, 10)),
        ("2024-01-05T10:00:00+02:00", "YYYY-MM-DD", "UTC", dt.datetime(2024, 1, 5, 8)),
        ("2024-01-05 10:00", "YYYY-MM-DD", "UTC", dt.datetime(2024, 1, 5, 10)),
        ("2024-01-05", "YYYY-MM-DD", "UTC", dt.datetime(2024, 1, 5)),
        ("2024-01-05 10:00:00", "YYYY-MM-DD", "Europe/Berlin", dt.datetime(2024, 1, 5, 9)),
        ("2024-07-05 10:00:00", "YYYY-MM-DD", "Europe/Berlin", dt.datetime(2024, 7, 5, 8)),
        ("2024-07-05T10:00:00Z", "YYYY-MM-DD", "Europe/Berlin", dt.datetime(2024, 7, 5, 10)),
        ("05/07/2024 10:30 PM", "DD/MM/YYYY", "UTC", dt.datetime(2024, 7, 5, 22, 30)),
        ("05.07.2024 10:30", "DD.MM.YYYY", "America/New_York", dt.datetime(2024, 7, 5, 14, 30)),
        ("2024-07-05T10:00:00-0500", "YYYY-MM-DDTHH:mm:ssZ", "UTC", dt.datetime(2024, 7, 5, 15)),
        ("1704067200", "unix", "Europe/Berlin", dt.datetime(2024, 1, 1)),
        ("10:00", "YYYY-MM-DD", "UTC", None),
    ],
)
def test_a_time_becomes_utc(engine: DuckDB, text: str, declared: str, zone: str, value: dt.datetime | None) -> None:
    assert typed(engine, text, "time", date_format=declared, timezone=zone) == value


def test_a_day_with_a_zone_is_the_day_in_the_sources_zone(engine: DuckDB) -> None:
    late = "2024-01-31T23:30:00Z"
    assert typed(engine, late, "date", timezone="Europe/Berlin") == dt.date(2024, 2, 1)
    assert typed(engine, late, "date", timezone="UTC") == dt.date(2024, 1, 31)
    assert typed(engine, "2024-01-31T23:30:00-05:00", "date", timezone="UTC") == dt.date(2024, 2, 1)


@pytest.mark.parametrize(
    ("text", "impossible"),
    [
        ("2024-03-31 02:30:00", True),
        ("2024-03-31 01:59:59", False),
        ("2024-03-31 03:00:00", False),
        ("2024-10-27 02:30:00", False),
    ],
)
def test_the_hour_that_clocks_skip_is_found(engine: DuckDB, text: str, impossible: bool) -> None:
    reader = Reader(TableMapping(timezone="Europe/Berlin"), {"h": "text"})
    sql = reader.impossible(Column("at", "time", ""), SourceExpression("h", "text"))
    assert engine.rows(f"SELECT {sql} FROM (SELECT {literal(text)} AS h)")[0][0] is impossible


@pytest.mark.parametrize(
    ("text", "unit", "name", "value"),
    [
        ("00:02:23", "HH:mm:ss", "handle_minutes", 143 / 60),
        ("02:23", "mm:ss", "wait_seconds", 143.0),
        ("90", "seconds", "handle_minutes", 1.5),
        ("2.5", "hours", "handle_minutes", 150.0),
        ("2", "days", "hours", 48.0),
        ("2", "years", "term_months", 24.0),
        ("12", "months", "term_months", 12.0),
        ("two", "hours", "handle_minutes", None),
        ("00:99:00", "HH:mm:ss", "handle_minutes", None),
    ],
)
def test_a_duration_is_turned_into_the_columns_own_unit(
    engine: DuckDB, text: str, unit: str, name: str, value: float | None
) -> None:
    found = typed(engine, text, "number", name=name, durations={name: unit})
    assert found == (None if value is None else pytest.approx(value))


def test_values_are_translated_whatever_their_case(engine: DuckDB) -> None:
    assert typed(engine, "J", "flag", values={"it": {"j": "true", "n": "false"}}) is True
    assert typed(engine, "weiß nicht", "flag", values={"it": {"Weiß nicht": ""}}) is None


def test_a_value_counts_only_where_another_header_says_so(engine: DuckDB) -> None:
    reader = Reader(TableMapping(only_where={"it": {"flag": ("yes",)}}), {"h": "text", "flag": "text"})
    source = reader.source("it", "h")
    assert source is not None
    rows = engine.rows(f"SELECT {source.sql} FROM (VALUES ('a', ' YES'), ('b', 'no'), ('c', NULL)) t(h, flag)")
    assert rows == [("a",), (None,), (None,)]


def test_a_price_per_seat_and_year_becomes_mrr(engine: DuckDB) -> None:
    scale = Scale(times=("seats",), per={"cycle": {"month": 1, "Year": 12}}, factor=0.01)
    reader = Reader(TableMapping(scale={"mrr": scale}), {"h": "text", "seats": "integer", "cycle": "text"})
    sql = reader.typed(Column("mrr", "money", ""), SourceExpression("h", "text"))
    rows = engine.rows(
        f"SELECT {sql} FROM (VALUES ('120000', 3, 'year'), ('1000', 2, 'MONTH'), ('5', 1, 'decade')) t(h, seats, cycle)"
    )
    assert rows == [(30000,), (2000,), (None,)]  # 1,200.00 x 3 / 12 = 300.00; 10.00 x 2 = 20.00; no such cycle


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (Offset(base="opened_at", add="n", unit="minutes"), dt.datetime(2024, 1, 31, 10, 30)),
        (Offset(base="opened_at", subtract="n", unit="days"), dt.datetime(2024, 1, 1, 10)),
        (Offset(base="2024-03-31", subtract="one", unit="months"), dt.datetime(2024, 2, 29)),
        (Offset(base="2024-01-01", add="one", unit="years"), dt.datetime(2025, 1, 1)),
        (Offset(base="opened_at", add="clock", unit="seconds"), dt.datetime(2024, 1, 31, 10, 2, 23)),
        (Offset(base="opened_at"), dt.datetime(2024, 1, 31, 10)),
    ],
)
def test_an_offset_moves_a_time_by_what_a_header_counts(engine: DuckDB, offset: Offset, value: dt.datetime) -> None:
    reader = Reader(TableMapping(offsets={"at": offset}), {"n": "text", "one": "integer", "clock": "text"})
    sql = reader.offset(Column("at", "time", ""), offset, {"opened_at": "TIMESTAMP '2024-01-31 10:00:00'"})
    assert engine.rows(f"SELECT {sql} FROM (VALUES ('30', 1, '00:02:23')) t(n, one, clock)") == [(value,)]


@pytest.mark.parametrize(
    ("sql", "kind", "text"),
    [
        ("DATE '2024-01-05'", "date", "2024-01-05"),
        ("TIMESTAMP '2024-01-05 10:00:00'", "time", "2024-01-05 10:00:00"),
        ("CAST(123 AS DOUBLE)", "number", "123"),
        ("CAST(1.5 AS DOUBLE)", "number", "1.5"),
        ("CAST(7 AS BIGINT)", "integer", "7"),
        ("TRUE", "flag", "true"),
    ],
)
def test_typed_cells_are_text_as_a_person_would_write_them(engine: DuckDB, sql: str, kind: str, text: str) -> None:
    assert engine.rows(f"SELECT {SourceExpression(sql, kind).text}") == [(text,)]
