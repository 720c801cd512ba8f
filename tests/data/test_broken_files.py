"""A corpus of broken and odd exports: each is refused with a message of its own, or loads exactly what it says.

``refused`` holds files and the parts of the message they must get; ``read`` holds files and the values they must
give. Nothing but a SourceError may come out, and no message may show a path or a stack.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cs_helpers.core.errors import SourceError
from cs_helpers.data.engines.duckdb import DuckDB
from cs_helpers.data.sources import ReadOptions as Options
from cs_helpers.data.sources import Staged, open_source

GOOD = b"account_id,name,segment\nA-1,Alpha,SMB\nA-2,Beta,Enterprise\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.fixture(scope="module")
def engine() -> Any:
    made = DuckDB(threads=1)
    yield made
    made.close()


def stage(engine: DuckDB, folder: Path, name: str, how: Options) -> Staged:
    """The file in a folder, or the first sheet or table of what the file is."""
    source = open_source(folder if (folder / name).suffix in (".csv", ".gz", ".tsv", ".parquet") else folder / name)
    try:
        wanted = name if source.kind == "folder" else (how.sheet or source.names()[0])
        return source.stage(engine, wanted, "t", how)
    finally:
        source.close()


def values(engine: DuckDB, staged: Staged) -> list[tuple[Any, ...]]:
    return engine.rows('SELECT * EXCLUDE (" line") FROM t ORDER BY " line"')


# --- how the files are made -----------------------------------------------------------------------------------


def sheet(*rows: list[Any], change: Callable[[Any], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet(**columns: Any) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out)
    return out.getvalue().to_pybytes()


def twice_named() -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["name", "name"]), out)
    return out.getvalue().to_pybytes()


def damaged_pages() -> bytes:
    data = bytearray(parquet(account_id=[f"A-{n * 7919 % 100_003}" for n in range(20_000)]))
    data[40_000:40_400] = bytes(range(200)) * 2
    return bytes(data)


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return out.getvalue()


def without_stored_values(book: Any) -> None:
    book.active["B2"] = "=1+1"


def hidden(book: Any) -> None:
    book.active.sheet_state = "hidden"
    book.create_sheet("Shown").append(["a"])


def with_hidden(book: Any) -> None:
    book.create_sheet("Old").sheet_state = "hidden"


def merged_title(book: Any) -> None:
    book.active.merge_cells("A1:C1")


def database(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "x.duckdb"
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path.read_bytes()


def sqlite() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table accounts (account_id)")
    return connection.serialize()


BOOK = sheet(["account_id", "name", "seats"], ["001", "Alpha", 3], ["002", "Beta", 4])
PARQUET = parquet(account_id=["001", "002"], seats=[3, 4])

# --- refused: what the file is called, its bytes, how it is read, parts of the message --------------------------

refused: dict[str, tuple[str, bytes, Options, list[str]]] = {
    "a file of 0 bytes": ("accounts.csv", b"", Options(), ["accounts.csv: the file is empty", "Export it again"]),
    "a file of nothing but line ends": ("accounts.csv", b"\n\r\n\n", Options(), ["the file is empty"]),
    "a header without rows": (
        "accounts.csv", b"account_id,name\n", Options(), ["a header and no rows", "Export it again"],
    ),
    "a header and rows of nothing but separators": (
        "accounts.csv", b"account_id,name\n,\n , \n", Options(), ["a header and no rows"],
    ),
    "a file cut off within its last row": (
        "accounts.csv", GOOD + b"A-3,Gam", Options(), ["row 4: 2 fields where the header has 3", "cut off"],
    ),
    "a file cut off within quotes": (
        "accounts.csv", GOOD + b'A-3,"Gamma\nand', Options(), ["row 5: cannot be read as CSV", "begins in row 4"],
    ),
    "a file cut off within a character": (
        "accounts.csv", GOOD + "A-3,Müller,SMB\nA-4,ü".encode()[:-1], Options(), ["middle of a character", "whole"],
    ),
    "a NUL byte": ("accounts.csv", GOOD + b"A-3,\0,SMB\n", Options(), ["row 4", "NUL byte"]),
    "NUL bytes as a failed disk leaves them": ("accounts.csv", GOOD + b"\0" * 4096, Options(), ["row 4", "NUL byte"]),
    "a row with too many fields": (
        "accounts.csv", GOOD + b"A-3,Gamma, Inc.,SMB\n", Options(),
        ["row 4: 4 fields where the header has 3", "double quotes"],
    ),
    "a row with one empty field too many": (
        "accounts.csv", GOOD + b"A-3,Gamma, Inc.,\n", Options(), ["row 4: 4 fields where the header has 3"],
    ),
    "a row with too few fields": (
        "accounts.csv", b"a,b,c\n1,2\n1,2,3\n", Options(), ["row 2: 2 fields where the header has 3"],
    ),
    "a quote amid a quoted field": (
        "accounts.csv", GOOD + b'A-3,"Gamma "Inc" Ltd",SMB\n', Options(), ["row 4: cannot be read as CSV", "twice"],
    ),
    "a quote that never ends": (
        "accounts.csv", GOOD + b'A-3,"Gamma,SMB\nA-4,Delta,SMB\n', Options(), ["cannot be read as CSV", "row 4"],
    ),
    "a column named twice": (
        "accounts.csv", b"a,name,name\n1,2,3\n", Options(), ["row 1", "'name' more than once", "Rename"],
    ),
    "two names that differ only in capital letters": (
        "accounts.csv", b"a,Name,name\n1,2,3\n", Options(), ["'Name' and 'name'", "capital letters"],
    ),
    "values under a column without a name": (
        "accounts.csv", b"a,,c\n1,2,3\n", Options(), ["row 1: column 2 has values and no name"],
    ),
    "a header of nothing but numbers of columns": (
        "accounts.csv", b",,\n1,2,3\n1,2,3\n", Options(header_row=1), ["header_row: 2"],
    ),
    "a title above the header": (
        "accounts.csv", b"Accounts June 2024\n\na,b,c\n1,2,3\n", Options(), ["'Accounts June 2024'", "`header_row: 3`"],
    ),
    "a title padded with separators": (
        "accounts.csv", b"Accounts,,\n,,\na,b,c\n1,2,3\n", Options(), ["'Accounts'", "like a title", "`header_row: 3`"],
    ),
    "a declared separator that is another": (
        "accounts.csv", GOOD.replace(b",", b";"), Options(separator=","), ["row 1", "semicolon", '`separator: ";"`'],
    ),
    "declared UTF-8 that is Latin-1": (
        "accounts.csv", GOOD + "A-3,Müller,SMB\n".encode("latin-1"), Options(encoding="utf-8"),
        ["row 4: byte 0xFC", "not utf-8", "`encoding: latin-1`", "Müller"],
    ),
    "declared Latin-1 that is UTF-8": (
        "accounts.csv", GOOD + "A-3,Müller,SMB\n".encode(), Options(encoding="latin-1"),
        ["written in UTF-8", "'Müller' would read as 'MÃ¼ller'"],
    ),
    "UTF-8 and Latin-1 in one file": (
        "accounts.csv", GOOD + "A-3,Müller,SMB\n".encode() + "A-4,Jäger,SMB\n".encode("latin-1"), Options(),
        ["row 5: byte 0xE4", "is not utf-8"],
    ),
    "declared UTF-8 that is UTF-16": (
        "accounts.csv", GOOD.decode().encode("utf-16"), Options(encoding="utf-8"),
        ["written in UTF-16", "`encoding: utf-16`"],
    ),
    "declared UTF-16 that is not": (
        "accounts.csv", GOOD, Options(encoding="utf-16"), ["cannot be read as utf-16", "one byte, not two"],
    ),
    "UTF-16 that breaks off": (
        "accounts.csv", GOOD.decode().encode("utf-16")[:-1], Options(), ["the file ends in the middle of a character"],
    ),
    "bytes that cp1252 does not have": (
        "accounts.csv", GOOD + b"A-3,\x81\x8d,SMB\n", Options(), ["row 4: byte 0x81", "is not utf-8"],
    ),
    "an Excel workbook called .csv": ("accounts.csv", BOOK, Options(), ["an Excel workbook", ".xlsx"]),
    "an old workbook called .csv": ("accounts.csv", OLE + b"\0" * 600, Options(), ["old (.xls)", "save it as .xlsx"]),
    "a Parquet file called .csv": ("accounts.csv", PARQUET, Options(), ["a Parquet file", ".parquet"]),
    "a web page called .csv": (
        "accounts.csv", b"\n<!DOCTYPE html><html><body>Sign in</body></html>", Options(), ["a web page", "signed in"],
    ),
    "JSON called .csv": ("accounts.csv", b'[{"account_id": "A-1"}]', Options(), ["this is JSON", "Export it as CSV"]),
    "JSON with a mark at its start": ("accounts.csv", b'\xef\xbb\xbf{"a": 1}', Options(), ["this is JSON"]),
    "a PDF called .csv": ("accounts.csv", b"%PDF-1.7\n%\xe2\xe3", Options(), ["a PDF"]),
    "a compressed file called .csv": ("accounts.csv", gzip.compress(GOOD), Options(), ["compressed", ".csv.gz"]),
    "a compressed file that breaks off": (
        "accounts.csv.gz", gzip.compress(GOOD * 50)[:-12], Options(), ["cannot be unpacked: its end is missing"],
    ),
    "a compressed file that is none": ("accounts.csv.gz", GOOD, Options(), ["cannot be unpacked", "not compressed"]),
    "an SQLite database called .csv": ("accounts.csv", sqlite(), Options(), ["an SQLite database"]),
    "a Parquet file of 0 bytes": ("accounts.parquet", b"", Options(), ["parquet: the file is empty (0 bytes)"]),
    "a Parquet file without its end": ("accounts.parquet", PARQUET[:-30], Options(), ["the end of the Parquet file"]),
    "a Parquet file whose middle is lost": (
        "accounts.parquet", PARQUET[: len(PARQUET) // 2] + PARQUET[-8:], Options(), ["cannot be read as Parquet"],
    ),
    "a Parquet file with damaged pages": ("accounts.parquet", damaged_pages(), Options(), ["damaged", "whole"]),
    "text called .parquet": ("accounts.parquet", GOOD, Options(), ["not a Parquet file", ".csv"]),
    "a workbook called .parquet": ("accounts.parquet", BOOK, Options(), ["an Excel workbook"]),
    "a Parquet file without rows": (
        "accounts.parquet", parquet(a=pa.array([], pa.string())), Options(), ["columns and no rows"],
    ),
    "a Parquet column named twice": ("accounts.parquet", twice_named(), Options(), ["'name' more than once"]),
    "a Parquet column of pictures": (
        "accounts.parquet", parquet(a=["x"], logo=pa.array([b"\x89PNG\xff"], pa.binary())), Options(),
        ["the column 'logo' holds bytes that are no text"],
    ),
    "a workbook of 0 bytes": ("accounts.xlsx", b"", Options(), ["accounts.xlsx: the file is empty"]),
    "a workbook with a password": (
        "accounts.xlsx", OLE + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 90, Options(),
        ["protected with a password", "save it without one"],
    ),
    "a workbook in the old format": (
        "accounts.xls", OLE + b"\0" * 500 + "Workbook".encode("utf-16-le"), Options(), ["old .xls format", ".xlsx"],
    ),
    "a web page called .xls": (
        "accounts.xls", b"<html><table><tr><td>a</td></tr></table></html>", Options(), ["a web page"],
    ),
    "text called .xlsx": ("accounts.xlsx", GOOD, Options(), ["not an Excel workbook", ".csv"]),
    "a workbook without its end": ("accounts.xlsx", BOOK[:-200], Options(), ["damaged or its end is missing"]),
    "a workbook with a damaged part": (
        "accounts.xlsx", BOOK[:2000] + b"\xff" * 300 + BOOK[2300:], Options(), ["the workbook is damaged"],
    ),
    "a zip archive called .xlsx": ("accounts.xlsx", zipped("accounts.csv"), Options(), ["a zip archive", "Unpack it"]),
    "a binary workbook": (
        "accounts.xlsx", zipped("[Content_Types].xml", "xl/workbook.bin"), Options(), ["binary workbook (.xlsb)"],
    ),
    "an OpenDocument sheet": ("accounts.ods", zipped("mimetype", "content.xml"), Options(), ["OpenDocument"]),
    "a workbook of empty parts": ("accounts.xlsx", zipped("[Content_Types].xml"), Options(), ["workbook is damaged"]),
    "an empty sheet": ("accounts.xlsx", sheet(), Options(), ["sheet 'Sheet': the sheet is empty"]),
    "a sheet with a header and no rows": ("accounts.xlsx", sheet(["a", "b"]), Options(), ["a header and no rows"]),
    "a merged title above the header": (
        "accounts.xlsx", sheet(["Accounts, June"], [], ["a", "b", "c"], [1, 2, 3], change=merged_title), Options(),
        ["row 1: 'Accounts, June'", "like a title", "`header_row: 3`"],
    ),
    "cells that hold errors": (
        "accounts.xlsx", sheet(["a", "b"], [1, "#REF!"], [2, "#N/A"]), Options(),
        ["cells B2 (#REF!), B3 (#N/A): hold errors", "Correct them in Excel"],
    ),
    "a formula whose value is not stored": (
        "accounts.xlsx", sheet(["a", "b"], [1, 2], change=without_stored_values), Options(),
        ["cell B2: is a formula whose value is not stored", "save it"],
    ),
    "a sheet's column named twice": (
        "accounts.xlsx", sheet(["a", "a"], [1, 2]), Options(), ["sheet 'Sheet', row 1", "'a' more than once"],
    ),
    "values beside the header": ("accounts.xlsx", sheet(["a", "b"], [1, 2, 3]), Options(), ["column 3 has values"]),
    "a sheet that is not there": (
        "accounts.xlsx", BOOK, Options(sheet="Shet"), ["no such sheet", "Did you mean 'Sheet'?"],
    ),
    "a DuckDB file of 0 bytes": ("x.duckdb", b"", Options(), ["x.duckdb: the file is empty"]),
    "text called .duckdb": ("x.duckdb", GOOD, Options(), ["not a DuckDB database"]),
    "an SQLite database called .db": ("x.db", sqlite(), Options(), ["an SQLite database"]),
    "a DuckDB file without its end": (
        "x.duckdb", database("create table t as select * from range(100000)")[:9000], Options(), ["damaged", "whole"],
    ),
    "a table without rows": ("x.duckdb", database("create table t (a int)"), Options(), ["t: the table has no rows"]),
    "a view that reads another file": (
        "x.duckdb",
        database("create table t as select 1 as a", "create view a as select * from glob('/*')"),
        Options(),
        ["a: this view reads other files", "Make it a table"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "how", "parts"), refused.values(), ids=refused.keys())
def test_a_broken_file_gets_a_message_of_its_own(
    engine: DuckDB, tmp_path: Path, name: str, data: bytes, how: Options, parts: list[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as caught:
        values(engine, stage(engine, tmp_path, name, how))
    text = str(caught.value)
    assert [part for part in parts if part not in text] == [], text
    assert str(tmp_path) not in text and "Traceback" not in text
    where, _, fix = text.partition("\n  ")
    assert where.strip() and fix.strip() and "\n" not in fix.strip(), text


# --- read: name, bytes, how, the values of all columns, words among what was detected ---------------------------

A, B = ("001", "Alpha"), ("002", "Beta")
PLAIN = "account_id,name\n001,Alpha\n002,Beta\n"

read: dict[str, tuple[str, bytes, Options, list[tuple[Any, ...]], list[str]]] = {
    "leading zeros": ("a.csv", PLAIN.encode(), Options(), [A, B], []),
    "no line end at the end": ("a.csv", PLAIN.rstrip().encode(), Options(), [A, B], []),
    "a byte order mark": ("a.csv", PLAIN.encode("utf-8-sig"), Options(), [A, B], []),
    "a mark and a declared encoding that is wrong": (
        "a.csv", "a\nü\n".encode("utf-8-sig"), Options(encoding="latin-1"), [("ü",)], [],
    ),
    "Windows line ends": ("a.csv", PLAIN.replace("\n", "\r\n").encode(), Options(), [A, B], []),
    "old Macintosh line ends": ("a.csv", PLAIN.replace("\n", "\r").encode(), Options(), [A, B], []),
    "mixed line ends": ("a.csv", b"account_id,name\r\n001,Alpha\n002,Beta\r", Options(), [A, B], []),
    "blank lines and rows of separators": (
        "a.csv", b"\n\naccount_id,name\n\n001,Alpha\n,\n002,Beta\n\n", Options(), [A, B], [],
    ),
    "quoted line ends, separators and quotes": (
        "a.csv", b'a,b\n"x\r\ny","p, ""q"""\n', Options(), [("x\r\ny", 'p, "q"')], [],
    ),
    "quotes amid fields without quotes": ("a.csv", b'a,b\n6" pipe,5\'\n', Options(), [('6" pipe', "5'")], []),
    "blanks between a separator and a quote": ("a.csv", b'a,b\n1, "x"\n', Options(), [("1", '"x"')], []),
    "blanks around values, also those that do not break": (
        "a.csv", "a,b\n \u00a0x \t,\u3000y z\u2009\n".encode(), Options(), [("x", "y z")], [],
    ),
    "words that others take for missing": (
        "a.csv", b"a,b,c,d\nNA,null,NaN,None\nN/A,-,#N/A,\n", Options(),
        [("NA", "null", "NaN", "None"), ("N/A", "-", "#N/A", None)], [],
    ),
    "quoted nothing": ("a.csv", b'a,b\n"","x"\n', Options(), [(None, "x")], []),
    "names of hackers": (
        "a.csv", b"a,b\n=1+1,Robert'); DROP TABLE t;--\n<script>,{{7*7}}\n", Options(),
        [("=1+1", "Robert'); DROP TABLE t;--"), ("<script>", "{{7*7}}")], [],
    ),
    "emoji, right-to-left and joined signs": (
        "a.csv", "a,b\n🦉🏳️‍🌈,שלום\nمرحبا,e\u0301\n".encode(), Options(), [("🦉🏳️‍🌈", "שלום"), ("مرحبا", "e\u0301")], [],
    ),
    "headers with quotes, keywords and dots": (
        "a.csv", b'"se""lect",table.x,ORDER\n1,2,3\n', Options(), [("1", "2", "3")], [],
    ),
    "an empty column without a name": ("a.csv", b"account_id,,name,\n001,,Alpha,\n", Options(), [A], []),
    "one column": ("a.csv", b"a\n1\n\n2\n", Options(), [("1",), ("2",)], []),
    "numbers as they are written": (
        "a.csv", b"a,b\n1e5,1.10\n0x1F,12345678901234567890\n", Options(),
        [("1e5", "1.10"), ("0x1F", "12345678901234567890")], [],
    ),
    "a field of three million letters": (
        "a.csv", b"a,b\n1," + b"x" * 3_000_000 + b"\n", Options(), [("1", "x" * 3_000_000)], [],
    ),
    "semicolons": ("a.csv", b"a;b\n1,5;2\n", Options(), [("1,5", "2")], ["separated by semicolons, as found"]),
    "semicolons where every row has one decimal comma": (
        "a.csv", b"id;sum, EUR;x\n1;2,50;y\n2;3,75;z\n", Options(), [("1", "2,50", "y"), ("2", "3,75", "z")],
        ["semicolons"],
    ),
    "tabs": ("a.tsv", b"a\tb\n1\t2, 3\n", Options(), [("1", "2, 3")], ["separated by tabs"]),
    "vertical bars": ("a.csv", b"a|b\n1|2\n", Options(), [("1", "2")], ["separated by vertical bars"]),
    "commas and a list within": ("a.csv", b"a,b\n1,x;y;z\n2,x;y;z\n", Options(), [("1", "x;y;z"), ("2", "x;y;z")], []),
    "Excel's line for the separator": (
        "a.csv", b"sep=;\r\na;b\r\n1;2\r\n", Options(), [("1", "2")], ["semicolons, as its first line says"],
    ),
    "a title passed over": ("a.csv", b"Accounts\n\na,b\n1,2\n", Options(header_row=3), [("1", "2")], []),
    "a title with a quote passed over": ("a.csv", b'The 6" list\na,b\n1,2\n', Options(header_row=2), [("1", "2")], []),
    "Windows text that is not declared": (
        "a.csv", "a,b\n1,Müller – 5 €\n".encode("cp1252"), Options(), [("1", "Müller – 5 €")],
        ["not UTF-8, read as cp1252", "'Müller'", "`encoding`"],
    ),
    "declared Latin-1": (
        "a.csv", "a,b\n1,Jäger\n".encode("latin-1"), Options(encoding="latin-1"), [("1", "Jäger")], [],
    ),
    "declared Shift JIS": (
        "a.csv", "a,b\n1,日本語\n".encode("shift_jis"), Options(encoding="shift_jis"), [("1", "日本語")], [],
    ),
    "UTF-16 as Excel's Unicode text writes it": (
        "a.csv", "a\tb\r\n1\t日本\r\n".encode("utf-16"), Options(), [("1", "日本")], ["read as UTF-16", "tabs"],
    ),
    "UTF-16 without a mark": (
        "a.csv", "a,b\n1,x\n2,Müller\n".encode("utf-16-le"), Options(), [("1", "x"), ("2", "Müller")], ["UTF-16-LE"],
    ),
    "a compressed file": ("a.csv.gz", gzip.compress(PLAIN.encode()), Options(), [A, B], []),
    "a name full of signs": ("a [1]*?' ü.csv", PLAIN.encode(), Options(), [A, B], []),
    "Parquet values with their types": (
        "a.parquet",
        parquet(
            account_id=["007", " x "],
            n=pa.array([1, None], pa.int32()),
            f=pa.array([0.5, float("nan")]),
            ok=[True, False],
            day=[dt.date(2024, 1, 31), None],
            at=pa.array([dt.datetime(2024, 1, 31, 10, 0, 0, 5), None], pa.timestamp("ns")),
            zoned=pa.array([dt.datetime(2024, 1, 31, 8, tzinfo=dt.UTC), None], pa.timestamp("us", "Europe/Berlin")),
            tags=[["a"], []],
            kind=pa.array(["x", None]).dictionary_encode(),
            raw=pa.array([b"text", None], pa.binary()),
            __index_level_0__=[5, 6],
        ),
        Options(),
        [
            ("007", 1, 0.5, True, dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 10, 0, 0, 5),
             dt.datetime(2024, 1, 31, 8), '["a"]', "x", "text"),
            ("x", None, None, False, None, None, None, "[]", None, None),
        ],
        [],
    ),
    "keys of a workbook": (
        "a.xlsx", sheet(["id", "n"], ["00123", 123.0], ["7", 5]), Options(), [("00123", 123), ("7", 5)], [],
    ),
    "a workbook with blank rows and blank cells": (
        "a.xlsx", sheet([], ["a", None, "b", None], [], ["x ", None, " ", None], [None, None, 5]), Options(),
        [("x", None), (None, 5)], [],
    ),
    "numbers and text in one column": (
        "a.xlsx", sheet(["a"], [7], ["007"], [0.1], [True]), Options(), [("7",), ("007",), ("0.1",), ("true",)], [],
    ),
    "text that looks like a formula or an error": (
        "a.xlsx", sheet(["a"], ["+49 30"], ["N/A"], ["#1"]), Options(), [("+49 30",), ("N/A",), ("#1",)], [],
    ),
    "a hidden sheet beside a shown one": (
        "a.xlsx", sheet(["a"], ["x"], change=with_hidden), Options(), [("x",)], ["'Old' is hidden and was not read"],
    ),
    "a hidden sheet that is named": (
        "a.xlsx", sheet(["a"], ["x"], change=hidden), Options(sheet="Sheet"), [("x",)], [],
    ),
    "a title of a workbook passed over": (
        "a.xlsx", sheet(["Accounts"], [], ["a", "b"], [1, 2]), Options(header_row=3), [(1, 2)], [],
    ),
    "a DuckDB file": (
        "x.duckdb",
        database("create table t as select '007' as id, 1.50::decimal(9,2) as mrr, ' x ' as name, 'a'::enum('a') as e"),
        Options(),
        [("007", Decimal("1.50"), "x", "a")],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "how", "rows", "words"), read.values(), ids=read.keys())
def test_an_odd_file_loads_exactly_what_it_says(
    engine: DuckDB,
    tmp_path: Path,
    name: str,
    data: bytes,
    how: Options,
    rows: list[tuple[Any, ...]],
    words: list[str],
) -> None:
    (tmp_path / name).write_bytes(data)
    staged = stage(engine, tmp_path, name, how)
    assert values(engine, staged) == rows
    assert staged.rows == len(rows)
    said = "\n".join(staged.detected)
    assert [word for word in words if word not in said] == [], said
    assert words or not said, said
    assert str(tmp_path) not in said
