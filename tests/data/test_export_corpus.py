"""A corpus of broken and odd exports: each gives its own clear message or loads with the right figures.

None gives a traceback, a silent swap or a wrong figure.
"""
# ruff: noqa: E501 - one case a line reads as the table it is

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cs_helpers.core.errors import CsHelpersError
from cs_helpers.data.tables import load

ACCOUNTS = "account_id,name,segment\n001,Alpha,SMB\n002,Beta,Enterprise\n"
SUBSCRIPTIONS = "account_id,start_date,end_date,mrr\n001,2024-01-01,,100\n002,2024-02-01,2024-05-01,50\n"
SETTINGS = "version: 1\ncurrency: EUR\nobserved_from: 2024-01-01\ndata_through: 2024-06-30\n"


@dataclass(frozen=True)
class Case:
    """One export: what is written over the good one, and what must be said or loaded."""

    name: str
    files: dict[str, str | bytes]
    settings: str = ""
    refused: tuple[str, ...] = ()  # parts of the message
    names: tuple[str, ...] = ("Alpha", "Beta")
    mrr: tuple[float, ...] = (100.0, 50.0)
    says: tuple[str, ...] = ()  # parts of what is said about the data
    starts: tuple[str, ...] = ("2024-01-01", "2024-02-01")


def accounts(name: str, text: str | bytes, *refused: str, **more: object) -> Case:
    return Case(name, {"accounts.csv": text}, refused=refused, **more)  # type: ignore[arg-type]


def rows(name: str, text: str, *refused: str, settings: str = "", **more: object) -> Case:
    """The subscriptions' rows under the usual header."""
    header = SUBSCRIPTIONS.splitlines()[0]
    return Case(name, {"subscriptions.csv": f"{header}\n{text}\n"}, settings, refused, **more)  # type: ignore[arg-type]


def swapped(name: str, old: str, new: str, *refused: str, settings: str = "", **more: object) -> Case:
    """The subscriptions with one text in place of another."""
    assert old in SUBSCRIPTIONS
    return Case(name, {"subscriptions.csv": SUBSCRIPTIONS.replace(old, new)}, settings, refused, **more)  # type: ignore[arg-type]


TICKETS = "ticket_id,account_id,opened_at\n"
GOOD_END = "002,2024-02-01,2024-05-01,50"

CORPUS = [
    # --- files ---
    accounts("an empty file", "", "accounts.csv: the file is empty"),
    accounts("only a header", "account_id,name\n", "accounts.csv: the file has a header and no rows"),
    accounts("only blank lines", "\n\n\n", "accounts.csv"),
    accounts("a file cut off inside a quoted field", ACCOUNTS + '003,"Gam', "accounts.csv, row 4"),
    accounts("a file cut off inside a row", ACCOUNTS + "003,Gam", "accounts.csv, row 4: 2 fields where the header has 3"),
    accounts("NUL bytes", ACCOUNTS + "003,\0,SMB\n", "accounts.csv, row 4", "NUL"),
    accounts("line ends of Windows", ACCOUNTS.replace("\n", "\r\n")),
    accounts("line ends of the old Macintosh", ACCOUNTS.replace("\n", "\r")),
    accounts("mixed line ends", ACCOUNTS.replace("Alpha,SMB\n", "Alpha,SMB\r\n")),
    accounts("no line end at the end", ACCOUNTS.rstrip()),
    accounts("a byte order mark", b"\xef\xbb\xbf" + ACCOUNTS.encode()),
    accounts("UTF-16 with a mark", ACCOUNTS.encode("utf-16")),
    accounts("Windows' own letters", ACCOUNTS.replace("Beta", "Bœuf").encode("cp1252"), names=("Alpha", "Bœuf"), says=("cp1252", "Bœuf")),
    accounts("semicolons", ACCOUNTS.replace(",", ";"), says=("semicolon",)),
    accounts("tabs", ACCOUNTS.replace(",", "\t"), says=("tab",)),
    accounts("vertical bars", ACCOUNTS.replace(",", "|"), says=("vertical bar",)),
    accounts("Excel's own line about the separator", "sep=;\n" + ACCOUNTS.replace(",", ";"), says=("semicolon",)),
    accounts("quoted line breaks", ACCOUNTS.replace("Beta", '"Be\nta"'), names=("Alpha", "Be\nta")),
    accounts("quoted separators and doubled quotes", ACCOUNTS.replace("Beta", '"B, ""the"" eta"'), names=("Alpha", 'B, "the" eta')),
    accounts("a stray quote", ACCOUNTS.replace("Beta", '"Be"ta'), "accounts.csv, row 3"),
    accounts("blank lines between rows", ACCOUNTS.replace("\n002", "\n\n\n002")),
    accounts("a column named twice", ACCOUNTS.replace("segment", "name"), "accounts.csv, row 1", "'name' more than once"),
    accounts("two headers that differ by case", ACCOUNTS.replace("segment", "Name"), "accounts.csv, row 1", "differ only in capital letters"),
    accounts("a column without a name", ACCOUNTS.replace("segment", ""), "accounts.csv", "has values and no name"),
    accounts("the header twice, as where exports were joined", ACCOUNTS + ACCOUNTS, "stands in 2 rows"),
    accounts("a workbook called CSV", b"PK\x03\x04" + bytes(50), "accounts.csv: this is an Excel workbook"),
    accounts("an old workbook called CSV", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "accounts.csv", "Excel workbook"),
    accounts("a log-in page called CSV", "<!DOCTYPE html><html><body>Sign in</body></html>", "accounts.csv: this is a web page"),
    accounts("JSON called CSV", '{"accounts": []}', "accounts.csv: this is JSON"),
    accounts("Parquet called CSV", b"PAR1" + bytes(40), "accounts.csv: this is a Parquet file"),
    # --- keys and text ---
    accounts("leading zeros", ACCOUNTS),
    accounts("space around keys", ACCOUNTS.replace("002,Beta", " 002 , Beta ")),
    accounts("no-break space around keys", ACCOUNTS.replace("002", "\u00a0002\u00a0")),
    accounts("emoji and right-to-left names", ACCOUNTS.replace("Alpha", "🚀 شركة").replace("Beta", "עברית"), names=("🚀 شركة", "עברית")),
    accounts("a direction override in a name", ACCOUNTS.replace("Beta", "Be\u202eta"), names=("Alpha", "Be\u202eta")),
    accounts("a formula as a name", ACCOUNTS.replace("Beta", "=HYPERLINK(A1)"), names=("Alpha", "=HYPERLINK(A1)")),
    accounts("a script as a name", ACCOUNTS.replace("Beta", "<script>x</script>"), names=("Alpha", "<script>x</script>")),
    accounts("the text NA", ACCOUNTS.replace("Beta", "NA"), names=("Alpha", "NA")),
    accounts("a name of ten thousand letters", ACCOUNTS.replace("Beta", "B" * 10_000), names=("Alpha", "B" * 10_000)),
    accounts("a key twice with different contents", ACCOUNTS + "002,Other,SMB\n", "rows 3 and 4: account_id 002 stands in 2 rows"),
    accounts("an account without a key", ACCOUNTS + ",Nobody,SMB\n", "row 4: account_id is missing"),
    accounts("a key that lost its zeros", ACCOUNTS.replace("002", "2"), "account_id 002 is no account of accounts"),
    accounts("another name for the key", ACCOUNTS.replace("account_id", "id"), "no column 'account_id'", "It has: id, name, segment"),
    # --- dates ---
    swapped("a day that does not exist", "2024-02-01", "2024-02-30", "row 3: start_date 2024-02-30 is not a date"),
    swapped("a month that does not exist", "2024-02-01", "2024-13-01", "row 3: start_date 2024-13-01 is not a date"),
    rows("days before months", "001,13-01-2024,,100\n002,01-02-2024,,50", "fits DD-MM-YYYY"),
    rows("days or months first, nobody can tell", "001,01-01-2024,,100\n002,01-02-2024,,50", "DD-MM-YYYY and MM-DD-YYYY alike", "never guessed"),
    rows("two orders in one column", "001,31-01-2024,,100\n002,01-31-2024,,50", "row 3", settings="date_format: DD-MM-YYYY\n"),
    rows("spreadsheet day numbers", "001,45292,,100\n002,45323,,50", "as spreadsheets count them", "date_formats: {start_date: excel}"),
    rows(
        "spreadsheet day numbers, declared", "001,45292,,100\n002,45323,,50",
        settings="tables: {subscriptions: {date_formats: {start_date: excel}}}\n",
    ),
    swapped("the year 1900", "2024-02-01", "1900-01-01", "row 3: start_date 1900-01-01 is before 1970 or after 2100"),
    swapped("the year 2999", "2024-05-01", "2999-12-31", "row 3: end_date 2999-12-31 is before 1970 or after 2100", "An end that is not known is left empty"),
    swapped("a date of two digits", "2024-02-01", "24-02-01", "row 3"),
    swapped("the word now", "2024-02-01", "now", "row 3: start_date now is not a date"),
    swapped("the word infinity", "2024-05-01", "infinity", "row 3: end_date infinity is not a date"),
    swapped("a time behind the day", "2024-02-01", "2024-02-01 00:00:00"),
    swapped("a time with a zone behind the day", "2024-02-01", "2024-02-01T10:00:00+02:00"),
    swapped("an end before its start", "2024-05-01", "2024-01-15", "end_date 2024-01-15 is before start_date 2024-02-01"),
    Case("an hour that does not exist", {"tickets.csv": f"{TICKETS}1,001,2024-03-31 02:30:00\n"}, "timezone: Europe/Berlin\n", ("does not exist in Europe/Berlin",)),
    Case("times with and without a zone", {"tickets.csv": f"{TICKETS}1,001,2024-03-30 02:30:00\n2,001,2024-03-30T02:30:00-05:00\n"}, "timezone: Europe/Berlin\n"),
    # --- numbers ---
    swapped("a missing price", ",50", ",", "row 3: mrr is missing"),
    swapped("a negative price", ",50", ",-50", "row 3: mrr -50 is below 0"),
    swapped("a price in words", ",50", ",fifty", "row 3: mrr fifty is not a finite number"),
    swapped("not a number", ",50", ",NaN", "row 3: mrr NaN is not a finite number"),
    swapped("an infinite price", ",50", ",inf", "row 3: mrr inf is not a finite number"),
    swapped("a price beyond all measure", ",50", ",20240101000000", "row 3: mrr 20240101000000 is above"),
    rows("separators of thousands", '001,2024-01-01,,"1,234,567.80"\n' + GOOD_END, mrr=(1234567.8, 50.0)),
    rows("a sign of a currency", '001,2024-01-01,,"€1,234.50"\n' + GOOD_END, mrr=(1234.5, 50.0), says=("carry the sign €",)),
    rows("signs of two currencies", "001,2024-01-01,,€100\n002,2024-02-01,,$50", "signs of several currencies"),
    rows("a sign against the mapping", "001,2024-01-01,,£100\n" + GOOD_END, "carry the sign £", "says EUR"),
    rows("decimal commas", '001,2024-01-01,,"100,5"\n' + GOOD_END, mrr=(100.5, 50.0), says=("decimal comma",)),
    rows("a thousand or a decimal comma", '001,2024-01-01,,"1,234"\n' + GOOD_END, "1,234 is a thousand with a separator or"),
    rows("points and commas as decimal signs", '001,2024-01-01,,"100,5"\n002,2024-02-01,,50.25', "side by side"),
    rows("an exponent", "001,2024-01-01,,1e2\n" + GOOD_END),
    swapped("a formula as a price", ",50", ",=25*2", "row 3: mrr =25*2 is not a finite number"),
    # --- tables ---
    Case("an account nobody knows", {"subscriptions.csv": SUBSCRIPTIONS + "009,2024-03-01,,5\n"}, refused=("row 4: account_id 009 is no account",)),
    Case(
        "two currencies",
        {"subscriptions.csv": "account_id,start_date,end_date,mrr,currency\n001,2024-01-01,,100,EUR\n002,2024-02-01,,50,USD\n"},
        refused=("currency holds", "EUR (1 row), USD (1 row)"),
    ),
    Case("a month that was never loaded", {"subscriptions.csv": SUBSCRIPTIONS.replace(",,", ",2024-03-01,").replace("2024-05-01", "2024-03-01")}, refused=("no subscription runs in March 2024", "never loaded")),
    Case("a table that gives no account", {"usage.csv": "occurred_at,quantity\n2024-02-01,1\n"}, refused=("usage.csv: no column 'account_id'",)),
    Case("a survey of no kind", {"surveys.csv": "kind,sent_at,score\nhappiness,2024-02-01,5\n"}, refused=("kind happiness is none of nps, csat",)),
    Case("a score beyond its scale", {"tickets.csv": "ticket_id,opened_at,csat\n1,2024-02-01,9\n"}, refused=("csat 9 is above 5",)),
    Case("a flag that is neither true nor false", {"tickets.csv": "ticket_id,opened_at,escalated\n1,2024-02-01,maybe\n"}, refused=("escalated maybe is neither true nor false",)),
    Case("half a ticket", {"tickets.csv": "ticket_id,opened_at,wait_seconds\n1,2024-02-01,1\n1.5\n"}, refused=("tickets.csv, row 3",)),
    Case("a Parquet file of no bytes", {"usage.parquet": b""}, refused=("usage.parquet: the file is empty (0 bytes)",)),
    Case("a Parquet file cut off", {"usage.parquet": b"PAR1" + bytes(200)}, refused=("usage.parquet: the end of the Parquet file is missing",)),
    Case("text called Parquet", {"usage.parquet": b"account_id,occurred_at\n"}, refused=("usage.parquet: this is not a Parquet file",)),
]  # fmt: skip


def test_the_corpus_is_as_large_as_promised_and_no_case_stands_twice() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_every_odd_export_has_a_clear_message_or_the_right_figures(case: Case, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"accounts.csv": ACCOUNTS, "subscriptions.csv": SUBSCRIPTIONS, **case.files}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "mapping.yml").write_text(SETTINGS + case.settings)
    if case.refused:
        with pytest.raises(CsHelpersError) as caught:
            load(tmp_path)
        message = str(caught.value)
        assert not [part for part in case.refused if part not in message], message
        assert "\n  " in message, "says how to fix it"
        assert str(tmp_path) not in message
        return
    tables = load(tmp_path)
    assert tuple(tables.accounts["account_id"]) == ("001", "002")
    assert tuple(tables.accounts["name"]) == case.names
    assert tuple(tables.subscriptions["mrr"]) == case.mrr
    assert tuple(tables.subscriptions["start_date"].astype(str)) == case.starts
    said = " ".join(finding.message for finding in tables.quality)
    assert not [part for part in case.says if part not in said], said


# --- workbooks, databases -------------------------------------------------------------------------------------------


def book(path: Path, change: Callable[[openpyxl.Workbook], None] | None = None) -> Path:
    made = openpyxl.Workbook()
    accounts, subscriptions = made.active, made.create_sheet("Subscriptions")
    assert accounts is not None
    accounts.title = "Accounts"
    for row in (["account_id", "name", "segment"], ["001", "Alpha", "SMB"], ["002", "Beta", "Enterprise"]):
        accounts.append(row)
    for line in (
        ["account_id", "start_date", "end_date", "mrr"],
        ["001", dt.date(2024, 1, 1), None, 100],
        ["002", dt.date(2024, 2, 1), dt.date(2024, 5, 1), 50.5],
    ):
        subscriptions.append(line)
    if change:
        change(made)
    made.save(path)
    (path.parent / "mapping.yml").write_text(SETTINGS)
    return path


def refused(source: object, mapping: object = None) -> str:
    with pytest.raises(CsHelpersError) as caught:
        load(str(source), None if mapping is None else str(mapping))
    return str(caught.value)


def test_a_workbook_with_a_sheet_per_table_loads_with_its_dates_and_zeros(tmp_path: Path) -> None:
    tables = load(book(tmp_path / "book.xlsx"))
    assert list(tables.accounts["account_id"]) == ["001", "002"]
    assert list(tables.subscriptions["mrr"]) == [100.0, 50.5]
    assert list(tables.subscriptions["start_date"].astype(str)) == ["2024-01-01", "2024-02-01"]


def test_a_formula_without_a_stored_value_is_named_with_its_cell(tmp_path: Path) -> None:
    def formula(made: openpyxl.Workbook) -> None:
        made["Subscriptions"]["D3"] = "=25*2"

    assert "D3" in refused(book(tmp_path / "book.xlsx", formula))


def test_an_error_cell_is_named_with_its_cell(tmp_path: Path) -> None:
    def error(made: openpyxl.Workbook) -> None:
        made["Subscriptions"]["D3"] = "#REF!"
        made["Subscriptions"]["D3"].data_type = "e"

    message = refused(book(tmp_path / "book.xlsx", error))
    assert "D3" in message
    assert "#REF!" in message


def test_dates_as_text_beside_dates_as_dates_are_refused(tmp_path: Path) -> None:
    def text(made: openpyxl.Workbook) -> None:
        made["Subscriptions"]["B3"] = "13/02/2024"

    message = refused(book(tmp_path / "book.xlsx", text))
    assert "start_date holds date cells and text side by side" in message


def test_a_workbook_with_a_password_says_so(tmp_path: Path) -> None:
    # How Excel protects a workbook: an old container around a stream of this name.
    container = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)
    (tmp_path / "book.xlsx").write_bytes(container)
    message = refused(tmp_path / "book.xlsx")
    assert "password" in message
    assert "\n  " in message


def test_a_workbook_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = book(tmp_path / "book.xlsx").read_bytes()
    (tmp_path / "book.xlsx").write_bytes(whole[: len(whole) // 2])
    assert "book.xlsx" in refused(tmp_path / "book.xlsx")


def test_a_compressed_export_loads(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv.gz").write_bytes(gzip.compress(ACCOUNTS.encode()))
    (tmp_path / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    (tmp_path / "mapping.yml").write_text(SETTINGS)
    assert list(load(tmp_path).accounts["name"]) == ["Alpha", "Beta"]


def test_a_database_that_refuses_is_named_without_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "tell-nobody")
    message = refused("postgresql://reader@127.0.0.1:9/crm")
    assert "tell-nobody" not in message
    assert "\n  " in message
    message = refused("postgresql://reader:hunter2@127.0.0.1:9/crm")
    assert "hunter2" not in message
    assert "PGPASSWORD" in message


def test_an_address_of_another_kind_says_what_can_be_read(tmp_path: Path) -> None:
    assert "postgresql://" in refused("mysql://host/crm")
    assert "postgresql://" in refused("https://example.com/export.csv")


def test_a_duckdb_file_loads_and_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    import duckdb

    made = duckdb.connect(str(tmp_path / "crm.duckdb"))
    made.execute(
        "CREATE TABLE accounts AS SELECT * FROM (VALUES ('001', 'Alpha'), ('002', 'Beta')) t(account_id, name)"
    )
    made.execute(
        "CREATE TABLE subscriptions AS SELECT * FROM (VALUES ('001', DATE '2024-01-01', NULL, 100.10::DECIMAL(10, 2)), "
        "('002', DATE '2024-02-01', DATE '2024-05-01', 50)) t(account_id, start_date, end_date, mrr)"
    )
    made.close()
    (tmp_path / "mapping.yml").write_text(SETTINGS)
    tables = load(tmp_path / "crm.duckdb", tmp_path / "mapping.yml")
    assert list(tables.subscriptions["mrr"]) == [100.1, 50.0]
    (tmp_path / "not.duckdb").write_bytes(b"nothing of the kind" * 300)
    assert "not.duckdb" in refused(tmp_path / "not.duckdb")


def test_parquet_keeps_its_types_and_a_zone_becomes_utc(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "mapping.yml").write_text(SETTINGS)
    pd.DataFrame(
        {
            "account_id": ["001", "002"],
            "start_date": [dt.date(2024, 1, 1), dt.date(2024, 2, 1)],
            "end_date": [None, dt.date(2024, 5, 1)],
            "mrr": [100.0, 50.0],
        }
    ).to_parquet(tmp_path / "subscriptions.parquet")
    moment = pd.Timestamp("2024-03-01 00:30", tz="Europe/Berlin")
    pd.DataFrame({"account_id": ["001"], "occurred_at": [moment]}).to_parquet(tmp_path / "usage.parquet")
    assert list(load(tmp_path).usage["occurred_at"].astype(str)) == ["2024-02-29 23:30:00"]
