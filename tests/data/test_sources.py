"""Sources: what each kind gives, that both CSV readers agree, and that no credential is ever shown."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_server import Server, running_postgres

from cs_helpers.core.errors import SourceError
from cs_helpers.data.engines.duckdb import DuckDB
from cs_helpers.data.sources import ReadOptions, delimited, display_name, open_source
from cs_helpers.data.sources.database import _closed
from cs_helpers.data.sources.staged import BLANKS

SECRET = "geheim-7!"
CSV = "account_id,name\n001,Alpha\n002,Beta\n"


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDB]:
    made = DuckDB(threads=2)
    yield made
    made.close()


def write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def refused(path: object) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(path)  # type: ignore[arg-type]
    return str(caught.value)


# --- folders --------------------------------------------------------------------------------------------------


def test_a_folder_lists_what_can_be_read_and_finds_tables_by_name(tmp_path: Path) -> None:
    for name in (
        "accounts.csv",
        "Usage.PARQUET",
        "tickets.csv.gz",
        "costs.xlsx",
        "notes.txt",
        ".hidden.csv",
        "~$c.xlsx",
    ):
        (tmp_path / name).write_bytes(b"a\n1\n")
    (tmp_path / "folder.csv").mkdir()
    source = open_source(tmp_path)
    assert (source.kind, source.name, source.folder) == ("folder", tmp_path.name, tmp_path)
    assert source.names() == ["Usage.PARQUET", "accounts.csv", "costs.xlsx", "tickets.csv.gz"]
    assert [source.find(name) for name in ("accounts", "usage", "tickets", "costs", "reps")] == [
        "accounts.csv", "Usage.PARQUET", "tickets.csv.gz", "costs.xlsx", None,
    ]  # fmt: skip


def test_two_files_for_one_table_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("accounts.csv", "accounts.parquet"):
        (tmp_path / name).write_bytes(b"a\n1\n")
    with pytest.raises(SourceError, match=r"accounts.csv and accounts.parquet could both be meant"):
        open_source(tmp_path).find("accounts")
    assert open_source(tmp_path).find("accounts.csv") == "accounts.csv"


def test_the_fingerprint_follows_what_was_read_and_not_the_place(tmp_path: Path, engine: DuckDB) -> None:
    found = []
    for place, name in (("a", "Alpha"), ("b", "Alpha"), ("c", "Alfa")):
        source = open_source(write(tmp_path / place, a_csv=CSV.replace("Alpha", name), b_csv=CSV))
        source.stage(engine, "a.csv", "t")
        found.append(source.fingerprint())
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == 12 and int(found[0], 16) >= 0


def test_line_numbers_are_those_of_the_file(tmp_path: Path, engine: DuckDB) -> None:
    text = 'a,b\n1,"two\nlines"\n\n2,x\n,\n3,x\n'
    staged = open_source(write(tmp_path, a_csv=text)).stage(engine, "a.csv", "t")
    assert engine.rows('SELECT " line", a FROM t ORDER BY " line"') == [(2, "1"), (3, "2"), (4, "3")]
    assert staged.lines([2, 3, 4]) == [2, 5, 7]
    assert staged.lines([]) == []
    titled = open_source(write(tmp_path, a_csv="sep=;\na;b\n1;2\n")).stage(engine, "a.csv", "t")
    assert titled.lines([2]) == [3]


def test_a_header_called_line_does_not_hide_the_record_numbers(tmp_path: Path, engine: DuckDB) -> None:
    staged = open_source(write(tmp_path, a_csv="Line,line_\nx,y\n")).stage(engine, "a.csv", "t")
    assert staged.headers == ("Line", "line_")
    assert engine.rows('SELECT " line", "Line", line_ FROM t') == [(2, "x", "y")]


def test_a_table_may_be_staged_under_a_name_that_is_taken(tmp_path: Path, engine: DuckDB) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "p.parquet")
    source = open_source(write(tmp_path, a_csv=CSV))
    for name in ("p.parquet", "a.csv", "p.parquet", "a.csv"):
        assert source.stage(engine, name, "t").rows == engine.rows("SELECT count(*) FROM t")[0][0]
    engine.drop("t")


def test_a_workbook_in_a_folder_needs_its_sheet_named_when_it_has_several(tmp_path: Path, engine: DuckDB) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append(["x"])
    book.save(tmp_path / "one.xlsx")
    book.create_sheet("More")
    book.save(tmp_path / "two.xlsx")
    source = open_source(tmp_path)
    assert source.stage(engine, "one.xlsx", "t").rows == 1
    assert source.stage(engine, "two.xlsx", "t", ReadOptions(sheet="Sheet")).headers == ("a",)
    with pytest.raises(SourceError, match="2 sheets: Sheet, More"):
        source.stage(engine, "two.xlsx", "t")


def test_places_that_are_no_source_say_what_to_give_instead(tmp_path: Path) -> None:
    (tmp_path / "export_june").mkdir()
    assert "Did you mean 'export_june'?" in refused(tmp_path / "exprt_june")
    assert "there is no CSV file" in refused(tmp_path / "export_june")
    (tmp_path / "accounts.csv").write_text(CSV)
    assert f"this is a file.\n  Give the folder it lies in: {tmp_path.name}" in refused(tmp_path / "accounts.csv")
    (tmp_path / "export_june" / "old.xls").write_bytes(b"x")
    assert "save it as .xlsx" in refused(tmp_path / "export_june")


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "b.csv"])
def test_only_files_of_the_folder_are_read(tmp_path: Path, engine: DuckDB, name: str) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    source = open_source(write(tmp_path / "inner", c_csv=CSV))
    with pytest.raises(SourceError, match="there is no such file in inner"):
        source.stage(engine, name, "t")


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, engine: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(write(tmp_path, a_csv=CSV))
    sizes = iter([(1, 1), (2, 2)])
    monkeypatch.setattr("cs_helpers.data.sources.folder.seen", lambda path: next(sizes))
    with pytest.raises(SourceError, match=r"a.csv: the file changed while it was read"):
        source.stage(engine, "a.csv", "t")


def test_names_are_never_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert display_name(tmp_path / "export") == "export"
    monkeypatch.chdir(tmp_path)
    assert display_name(tmp_path / "a" / "b") == "a/b"


def test_what_is_stripped_is_what_python_strips() -> None:
    assert set(BLANKS) == {chr(code) for code in range(0x10000) if chr(code).isspace()}


# --- both CSV readers -----------------------------------------------------------------------------------------

FIELDS = ["", "a", "NA", "007", " x", "x ", "a b", "é\u00a0", "\tq", "a,b", 'say "hi"', "two\nlines", "r\r\nn", "🦉",
          "\n", "  ", '"', "\x1f", "a;b", "'"]  # fmt: skip
PIECES = ['"', '""', ",", ";", "\n", "\r\n", "\r", "a", "1", " ", "\t", "é", "\u00a0", "🦉", '"a,b"', '"a\nb"',
          '"a""b"', ",,", "\n\n", "\\", "\x0b", "\x1c"]  # fmt: skip
HEADS = [
    "a,b\n",
    "a,b,c\n",
    '"a",b\r\n',
    "a\n",
    "a,b,\n",
    "\ufeffa,b\n",
    'a,"b\nc"\n',
    "a;b\n",
    "\n a,b\n",
    "sep=,\na,b\n",
]


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table as a program writes it, and perhaps as somebody then damages it."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(st.sampled_from(FIELDS), min_size=width, max_size=width), min_size=1, max_size=6))
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(out, delimiter=draw(st.sampled_from(",;\t|")), quoting=quoting, lineterminator=ends)
    writer.writerows([[f"h{place}" for place in range(width)], *rows])
    text = out.getvalue()
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 1)) :]
    return draw(st.sampled_from(["", "\ufeff"])) + (text.rstrip("\r\n") if draw(st.booleans()) else text)


soups = st.builds(
    lambda head, body: head + "".join(body), st.sampled_from(HEADS), st.lists(st.sampled_from(PIECES), max_size=24)
)


def both(engine: DuckDB, data: bytes, how: ReadOptions = ReadOptions()) -> tuple[Any, Any]:  # noqa: B008
    """What the quick reader and the judge make of a file: rows, None for passed on, or the message."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "x.csv"
        path.write_bytes(data)
        text, _, _ = delimited._prepared("x.csv", path, how, Path(place))
        quick: Any = None
        if text.simple_head and delimited._quick(engine, text, "quick") is not None:
            quick = engine.columns("quick"), engine.rows("SELECT * FROM quick ORDER BY 1")
        try:
            delimited._strictly(engine, text, "judge")
        except SourceError as error:
            return quick, str(error)
        return quick, (engine.columns("judge"), engine.rows("SELECT * FROM judge ORDER BY 1"))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(text=st.one_of(tables(), soups), separator=st.sampled_from([None, None, ",", ";"]))
def test_the_quick_csv_reader_agrees_with_the_judge_or_passes_the_file_on(
    engine: DuckDB, text: str, separator: str | None
) -> None:
    try:
        quick, judge = both(engine, text.encode(), ReadOptions(separator=separator))
    except SourceError:
        return  # refused before either was asked
    assert quick is None or quick == judge


def test_the_users_own_limit_for_csv_fields_stays_as_it_was(engine: DuckDB) -> None:
    before = csv.field_size_limit()
    for data in (b"a,b\n1,2\n", b'a,b\n"1,2\n'):  # one that is read, one that is refused
        both(engine, data)
        assert csv.field_size_limit() == before


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    rows=st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=2,
                 max_size=2),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_any_text_written_by_pythons_csv_module_comes_back_stripped(engine: DuckDB, rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    kept = [tuple(field.strip() or None for field in row) for row in rows]
    kept = [row for row in kept if any(row)]
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "x.csv").write_bytes(out.getvalue().encode())
        source = open_source(place)
        if not kept:
            with pytest.raises(SourceError, match="no rows"):
                source.stage(engine, "x.csv", "t")
            return
        source.stage(engine, "x.csv", "t")
        assert engine.rows('SELECT a, b FROM t ORDER BY " line"') == kept


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_plain_exports_take_the_quick_way_also_with_line_breaks_where_threads_meet(
    engine: DuckDB, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 3000)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=ends)
    some = ["x", "a,b", 'q"q', "l\n2", 'x\n"1,2\r\n3,4,5\n"', "é"]
    writer.writerows([["a", "b", "c"], *([n, some[n * 7 % 6] if n % 3 == 0 else "p", n * n] for n in range(4000))])
    quick, strict = both(engine, out.getvalue().encode())
    assert quick == strict
    assert len(strict[1]) == 4000


def test_numbers_of_rows_follow_the_file_when_many_threads_read_it(tmp_path: Path, engine: DuckDB) -> None:
    rows = "".join(f"{n},{n * n}\n" for n in range(300_000))
    staged = open_source(write(tmp_path, a_csv=f"a,b\n{rows}")).stage(engine, "a.csv", "t")
    assert staged.rows == 300_000
    assert engine.rows('SELECT count(*) FROM t WHERE " line" <> CAST(a AS BIGINT) + 2 OR " line" IS NULL') == [(0,)]


# --- workbooks ------------------------------------------------------------------------------------------------


def workbook(path: Path, rows: list[list[Any]], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Accounts"
    for row in rows:
        book.active.append(row)
    for cell, form in (formats or {}).items():
        book.active[cell].number_format = form
    book.save(path)
    return path


def test_cells_of_a_workbook_keep_their_kind(tmp_path: Path, engine: DuckDB) -> None:
    days = dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 9, 30)
    rows = [
        ["key", "day", "moment", "n", "x", "ok", "clock", "duration", "none", 2024],
        [7, days[0], days[1], 3, 0.1, True, dt.time(0, 2, 23), dt.timedelta(hours=30, minutes=5), None, "a"],
        [12, days[0], days[0], 4.0, 2, False, None, None, None, "b"],
    ]
    path = workbook(tmp_path / "book.xlsx", rows, {"A2": "00000", "A3": "00000", "H2": "[h]:mm:ss"})
    source = open_source(path)
    assert (source.kind, source.name, source.folder) == ("workbook", "book.xlsx", tmp_path)
    assert (source.names(), source.find("accounts"), source.find("reps")) == (["Accounts"], "Accounts", None)
    staged = source.stage(engine, "Accounts", "t")
    assert staged.types == {
        "key": "text", "day": "date", "moment": "time", "n": "integer", "x": "number", "ok": "flag", "clock": "text",
        "duration": "text", "none": "text", "2024": "text",
    }  # fmt: skip
    assert engine.rows('SELECT * FROM t ORDER BY " line"') == [
        (2, "00007", days[0], days[1], 3, 0.1, True, "00:02:23", "30:05:00", None, "a"),
        (3, "00012", days[0], dt.datetime(2024, 1, 31), 4, 2.0, False, None, None, None, "b"),
    ]
    assert (staged.mixed_dates, staged.detected) == ((), ())
    source.close()


def test_dates_that_excel_recognised_beside_dates_it_did_not_are_reported(tmp_path: Path, engine: DuckDB) -> None:
    day = dt.date(2024, 2, 1)  # written 01/02/2024, which may have been 2 January
    rows = [["d", "open", "t"], [day, day, "x"], ["13/02/2024", "n/a", "y"], [None, None, None]]
    staged = open_source(workbook(tmp_path / "b.xlsx", rows)).stage(engine, "Accounts", "t")
    assert staged.types["d"] == "text"
    assert staged.mixed_dates == ("d",)
    assert engine.rows('SELECT d FROM t ORDER BY " line"') == [("2024-02-01",), ("13/02/2024",)]


def test_rows_of_a_workbook_are_those_of_the_sheet(tmp_path: Path, engine: DuckDB) -> None:
    open_source(workbook(tmp_path / "b.xlsx", [[], ["a"], [], ["x"], ["y"]])).stage(engine, "Accounts", "t")
    assert engine.rows('SELECT " line", a FROM t ORDER BY " line"') == [(4, "x"), (5, "y")]


def test_keys_too_long_for_excel_are_pointed_out(tmp_path: Path, engine: DuckDB) -> None:
    staged = open_source(workbook(tmp_path / "b.xlsx", [["a"], [1234567890123456000]])).stage(engine, "Accounts", "t")
    assert "sixteen digits or more (A2)" in staged.detected[0]


def test_a_formula_counts_with_the_value_excel_stored(tmp_path: Path, engine: DuckDB) -> None:
    path = workbook(tmp_path / "b.xlsx", [["a", "b"], [1, "=A2*2"]])
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = (
        parts[name]
        .replace(b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>2</v>")
        .replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>")
    )
    with zipfile.ZipFile(path, "w") as packed:
        for part, data in parts.items():
            packed.writestr(part, data)
    staged = open_source(path).stage(engine, "Accounts", "t")
    assert engine.rows("SELECT a, b FROM t") == [(1, 2)]
    assert staged.types["b"] == "integer"


# --- DuckDB files ---------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            CREATE TABLE Accounts AS SELECT '007' AS id, 1.5 AS x, 3::UTINYINT AS n, 'nan'::FLOAT AS f, TRUE AS ok,
                DATE '2024-01-31' AS day, TIMESTAMPTZ '2024-01-31 10:00+02' AS at, TIME '10:00' AS clock,
                {'a': 1} AS s, 18446744073709551615::UBIGINT AS big, uuid() AS u;
            CREATE VIEW recent AS SELECT id FROM Accounts;
            CREATE SCHEMA "odd ""schema";
            CREATE TABLE "odd ""schema"."; drop table x" AS SELECT 1 AS "a b";
        """)
    return path


def test_tables_and_views_of_a_duckdb_file(file: Path, engine: DuckDB) -> None:
    source = open_source(file)
    assert (source.kind, source.name, source.folder) == ("duckdb", "warehouse.duckdb", file.parent)
    assert source.names() == ["Accounts", "recent", 'odd "schema.; drop table x']
    assert source.find("accounts") == "Accounts"
    staged = source.stage(engine, "Accounts", "t")
    assert list(staged.types.values()) == [
        "text", "number", "integer", "number", "flag", "date", "time with zone", "text", "text", "integer", "text",
    ]  # fmt: skip
    row = engine.rows("SELECT * FROM t")[0]
    assert row[:8] == (2, "007", Decimal("1.5"), 3, None, True, dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 8))
    assert row[8:11] == ("10:00:00", '{"a":1}', Decimal(18446744073709551615))
    assert source.stage(engine, "recent", "v").rows == 1
    assert source.stage(engine, 'odd "schema.; drop table x', "o").headers == ("a b",)
    source.close()


def test_a_duckdb_files_fingerprint_is_of_its_rows_in_any_order(tmp_path: Path, engine: DuckDB) -> None:
    found = []
    for number, order in enumerate(["a", "a DESC", "a LIMIT 999"]):
        path = tmp_path / f"{number}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE t AS SELECT * FROM range(1000) r(a) ORDER BY {order}")
        source = open_source(path)
        source.stage(engine, "t", "t")
        found.append(source.fingerprint())
        source.close()
    assert found[0] == found[1] != found[2]


def test_a_table_that_is_not_there_is_named_with_the_nearest_one(file: Path, engine: DuckDB) -> None:
    source = open_source(file)
    with pytest.raises(
        SourceError, match=r"acounts: there is no such table in warehouse.duckdb. Did you mean 'Accounts'"
    ):
        source.stage(engine, "acounts", "t")
    source.close()


def test_a_duckdb_file_that_is_open_elsewhere_is_named(file: Path) -> None:
    code = "import duckdb,sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        assert "another program has the database open" in refused(file)
    finally:
        other.kill()
        other.communicate()
    with duckdb.connect(str(file)):
        assert "another program has the database open" in refused(file)
    open_source(file).close()


def test_a_duckdb_file_of_another_version_is_named() -> None:
    said = "Trying to read a database file with version number 99, but we can only read versions between 64 and 67."
    assert "written by another version of DuckDB" in str(_closed("x.duckdb", said))


# --- PostgreSQL -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    psycopg = pytest.importorskip("psycopg")
    with running_postgres() as running:
        with psycopg.connect(**running.parameters, autocommit=True) as connection:
            for statement in POSTGRES_TABLES:
                connection.execute(statement)
        yield running


POSTGRES_TABLES = [
    """CREATE TABLE "Accounts" (account_id text, name varchar(20), mrr numeric(12,2), free numeric, seats int, day date,
        at timestamp, zoned timestamptz, ok boolean, uid uuid, tags text[], doc jsonb, f float8, whole numeric,
        clock time, took interval, "Li""ne, x" char(5), line smallint)""",
    """INSERT INTO "Accounts" VALUES
        ('007', E'Al"pha,\\nInc\\u00e9 🦉', 100.50, 0.125, 3, '2024-01-31', '2024-01-31 10:00:00.5',
         '2024-01-31 10:00+02', true, '00000000-0000-0000-0000-000000000001', '{a,b}', '{"a": 1}', 'NaN', 12,
         '10:00', '2 min 23 sec', 'ab', 5),
        ('NA', '', NULL, 'NaN', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 1e300, NULL, NULL, NULL, NULL, NULL),
        (' x ', ' ', -1, -12345.5, -1, '0044-03-15 BC', NULL, 'infinity', NULL, NULL, '{}', '[]', 0.1, -7, NULL,
         '31:00:00', '', -5)""",
    "CREATE TABLE hidden (a int)",
    "INSERT INTO hidden VALUES (1)",
    "CREATE TABLE empty (a int)",
    'CREATE TABLE "od""d; DROP TABLE hidden; --" ("a b" int)',
    'INSERT INTO "od""d; DROP TABLE hidden; --" VALUES (1)',
    "CREATE VIEW slow AS SELECT pg_sleep(20)::text AS a",
    "CREATE VIEW broken AS SELECT 1 / (a - 1) AS a FROM hidden",
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.accounts AS SELECT generate_series(1, 1000) AS n",
    "CREATE TABLE parts (n int) PARTITION BY RANGE (n)",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
    "INSERT INTO parts VALUES (1), (2)",
    f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'",
    'GRANT SELECT ON "Accounts", parts TO reader',
    "CREATE TABLE mine (a int)",
    "INSERT INTO mine VALUES (1), (2)",
    "ALTER TABLE mine ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY only_one ON mine USING (a = 1)",
    "GRANT SELECT ON mine TO reader",
]


def address(server: Server, user: str = "", database: str = "", more: str = "") -> str:
    return (
        f"postgresql://{user or server.user}@/{database or server.dbname}?host={server.host}&port={server.port}{more}"
    )


def test_postgres_types_zones_and_nulls(server: Server, engine: DuckDB) -> None:
    source = open_source(address(server))
    assert (source.kind, source.name, source.folder) == ("postgres", "postgresql:///postgres", None)
    staged = source.stage(engine, "Accounts", "t")
    assert staged.types == {
        "account_id": "text", "name": "text", "mrr": "number", "free": "number", "seats": "integer", "day": "date",
        "at": "time", "zoned": "time with zone", "ok": "flag", "uid": "text", "tags": "text", "doc": "text",
        "f": "number", "whole": "integer", "clock": "text", "took": "text", 'Li"ne, x': "text", "line": "integer",
    }  # fmt: skip
    first, second, third = engine.rows(
        "SELECT * REPLACE (zoned::VARCHAR AS zoned, day::VARCHAR AS day) FROM t ORDER BY 1"
    )
    assert first == (
        2, "007", 'Al"pha,\nIncé 🦉', Decimal("100.50"), Decimal("0.125"), 3, "2024-01-31",
        dt.datetime(2024, 1, 31, 10, 0, 0, 500_000), "2024-01-31 08:00:00", True,
        "00000000-0000-0000-0000-000000000001", "{a,b}", '{"a": 1}', None, 12, "10:00:00", "00:02:23", "ab", 5,
    )  # fmt: skip
    assert second == (3, "NA", None, *[None] * 6, False, *[None] * 3, 1e300, *[None] * 5)
    assert third[:9] == (4, "x", None, Decimal(-1), Decimal("-12345.500"), -1, "0044-03-15 (BC)", None, "infinity")
    assert third[9:] == (None, None, "{}", "[]", 0.1, -7, None, "31:00:00", None, -5)
    source.close()


def test_postgres_tables_by_their_names(server: Server, engine: DuckDB) -> None:
    source = open_source(address(server))
    odd = 'od"d; DROP TABLE hidden; --'
    assert set(source.names()) == {
        "Accounts", "broken", "empty", "hidden", "mine", odd, "parts", "slow", "sales.accounts",
    }  # fmt: skip
    assert source.find("accounts") == "Accounts"
    assert source.stage(engine, odd, "t").headers == ("a b",)
    assert source.stage(engine, "hidden", "t").rows == 1
    assert source.stage(engine, "sales.accounts", "t").rows == 1000
    assert source.stage(engine, "parts", "t").rows == 2
    source.close()
    within = open_source(address(server, more="&schema=sales"))
    assert within.find("accounts") == "accounts"
    assert within.stage(engine, "accounts", "t").rows == 1000
    within.close()
    assert "there is no schema 'saels'. Did you mean 'sales'?" in refused(address(server, more="&schema=saels"))


def test_postgres_shows_all_tables_at_one_instant_and_writes_nothing(server: Server, engine: DuckDB) -> None:
    import psycopg

    source = open_source(address(server))
    before = source.stage(engine, "sales.accounts", "t"), source.fingerprint()
    with psycopg.connect(**server.parameters, autocommit=True) as other:
        other.execute("INSERT INTO sales.accounts VALUES (0)")
        try:
            assert source.stage(engine, "sales.accounts", "t").rows == before[0].rows
            later = open_source(address(server))
            assert later.stage(engine, "sales.accounts", "t").rows == before[0].rows + 1
            assert later.fingerprint() != before[1] == source.fingerprint()
            later.close()
        finally:
            other.execute("DELETE FROM sales.accounts WHERE n = 0")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        source._server._connection.execute("DELETE FROM sales.accounts")  # type: ignore[attr-defined]
    source.close()


def test_what_postgres_refuses_is_told_and_the_next_table_still_read(
    server: Server, engine: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_HELPERS_DATABASE_TIMEOUT", "1")
    source = open_source(address(server, user="reader"))
    for name, part in {
        "hidden": "hidden in postgresql:///postgres: this user may not read it.\n  Ask for SELECT on it",
        "sales.accounts": "this user may not read it",
        "nothing": "nothing: there is no such table",
    }.items():
        with pytest.raises(SourceError) as caught:
            source.stage(engine, name, "t")
        assert part in str(caught.value)
    assert source.stage(engine, "Accounts", "t").rows == 3
    mine = source.stage(engine, "mine", "t")
    assert (mine.rows, "row-level security" in mine.detected[0]) == (1, True)
    source.close()
    owner = open_source(address(server))
    for name, part in {
        "slow": "took too long and was stopped.\n  Read a smaller view, or set CS_HELPERS_DATABASE_TIMEOUT",
        "broken": "the server refused",
        "empty": "the table has no rows",
    }.items():
        with pytest.raises(SourceError) as caught:
            owner.stage(engine, name, "t")
        assert part in str(caught.value)
    owner.close()


def test_a_database_that_cannot_be_reached_is_told_in_words(server: Server) -> None:
    assert "there is no such database" in refused(address(server, database="nodb"))
    assert "no such user" in refused(address(server, user="nobody_here"))
    assert "nothing answers there" in refused("postgresql://localhost:1/sales")
    assert "nothing answers there" in refused("postgresql:///sales?host=/nowhere")
    assert "there is no such service" in refused("postgresql:///?service=nowhere")


@pytest.fixture
def with_password(server: Server) -> Iterator[Server]:
    """The same server, now asking ``reader`` for a password."""
    import psycopg

    with psycopg.connect(**server.parameters, autocommit=True) as connection:
        path = Path(connection.execute("SHOW hba_file").fetchone()[0])  # type: ignore[index]
        before = path.read_text()
        path.write_text(f"local all reader scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        yield server
        path.write_text(before)
        connection.execute("SELECT pg_reload_conf()")


def test_the_password_comes_from_the_environment_or_the_engines_own_files(
    with_password: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = address(with_password, user="reader")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    for _ in range(50):  # until the server has read its settings again
        try:
            open_source(url).close()
        except SourceError:
            break
    assert "it asks for a password and none was given.\n  Set PGPASSWORD" in refused(url)
    monkeypatch.setenv("PGPASSWORD", "wrong-" + SECRET)
    text = refused(url)
    assert "the password is wrong" in text and SECRET not in text
    monkeypatch.setenv("PGPASSWORD", SECRET)
    source = open_source(url)
    assert SECRET not in source.name + repr(source) + repr(vars(source))
    source.close()
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pass").write_text(f"*:*:*:reader:{SECRET}\n")
    os.chmod(tmp_path / "pass", 0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    open_source(url).close()


ADDRESSES = {
    f"postgresql://reader:{SECRET}@host/db": "there is a password in the address",
    f"postgresql://reader:{SECRET}/x#y@host/db": "there is a password in the address",
    f"postgres://reader:a@b:{SECRET}@host:5/db?schema=x": "there is a password in the address",
    f"postgresql://host/db?password={SECRET}": "there is a password in the address",
    f"postgresql://host/db?passfile={SECRET}": "there is a password in the address",
    f"postgresql://host/db?options={SECRET}": "the option 'options' is not known",
    f"postgresql://host/db?sslmode={SECRET}": "this sslmode is not known",
    f"postgresql://host/db#{SECRET}": "the address cannot be read",
    f"postgresql://host:{SECRET}/db": "the address cannot be read",
    f"postgresql://host/a/{SECRET}": "the address cannot be read",
    f"postgresql://host/dbname=x%20password={SECRET}": "the address cannot be read",
    f"postgresql:reader:{SECRET}@host/db": "looks like an address with a password",
    f"host=h user=u password={SECRET} dbname=d": "looks like an address with a password",
    f"mysql://u:{SECRET}@host/db": "mysql://...: this kind of source is not supported",
    f"snowflake://u:{SECRET}@account/db": "Export the tables as Parquet or CSV",
    f"bigquery://project?token={SECRET}": "not supported",
    f"s3://key:{SECRET}@bucket/x": "postgresql://host/database",
    f"https://host/x.csv?sig={SECRET}": "https://...: this kind of source is not supported",
    f"jdbc:postgresql://host/db?password={SECRET}": "not supported",
    f"postgre://u:{SECRET}@host/db": "Did you mean 'postgres'?",
    f"duckdb:///tmp/{SECRET}": "Give the path itself",
    "postgresql://host": "no database is named",
    "postgresql://[::1/db": "the address cannot be read",
}


@pytest.mark.parametrize(("url", "part"), ADDRESSES.items())
@pytest.mark.parametrize("kind", [str, Path])
def test_no_address_shows_a_credential(url: str, part: str, kind: type) -> None:
    text = refused(kind(url))
    assert SECRET not in text and "Traceback" not in text
    assert part in text or kind is Path
