"""A mapping is drafted from headers and values: right but for a few edits, and never guessed where it is ambiguous."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs_helpers.core.errors import MappingError
from cs_helpers.data.contract.formats import strptime_format
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping import read_mapping
from cs_helpers.data.mapping.draft import Draft, draft, draft_of
from cs_helpers.data.mapping.draft.dates import study
from cs_helpers.data.mapping.draft.layout import Line, as_text
from cs_helpers.data.mapping.draft.ready import known_exports
from cs_helpers.data.mapping.draft.samples import ColumnSample, FileSample, FolderSample, day_of, look
from cs_helpers.data.sources import Source, open_source
from cs_helpers.data.tables import load

ROOT = Path(__file__).resolve().parents[2]
READY = ROOT / "data" / "mappings"
DATASETS = ROOT.parent / "shared" / "datasets"
# --- counting hand edits -----------------------------------------------------------------------------------------

Leaves = dict[tuple[str, ...], Any]
DEFAULTS = {
    "currency": None, "timezone": "UTC", "date_format": "YYYY-MM-DD", "decimal": ".", "end_date_is": "first_unpaid_day",
    "observed_from": None, "data_through": None, "partial": "false", "overlap": "sum", "set_aside": (),
}  # fmt: skip


def leaves(value: Any, path: tuple[str, ...] = ()) -> Leaves:
    """Nested mappings as path -> leaf, each leaf as the loader compares it."""
    if isinstance(value, dict):
        return {place: leaf for key, inner in value.items() for place, leaf in leaves(inner, (*path, str(key))).items()}
    if isinstance(value, list | tuple):
        return {path: tuple(sorted(str(item).lower() for item in value))}
    if isinstance(value, bool):
        return {path: str(value).lower()}
    return {path: str(value) if value is not None else None}


def loaded(mapping: dict[str, Any], headers: dict[str, list[str]]) -> Leaves:
    """What of a mapping decides what is loaded, as path -> leaf, with the defaults written out.

    Left out is what is only printed (company, names of churn records) and what changes nothing: a column named like its
    header, a duration in the column's own unit, a time after a day format (the loader reads times after any), a table
    that is taken out.
    """
    found: Leaves = {(key,): leaf for key, leaf in DEFAULTS.items()}
    for key in (*DEFAULTS, "tolerance"):
        if key in mapping:
            found |= leaves(mapping[key], (key,))
    wide = day_format(mapping.get("date_format", "YYYY-MM-DD"))
    found["date_format",] = wide
    for name, entry in (mapping.get("tables") or {}).items():
        if entry:
            found |= table_leaves(name, entry, headers.get(entry.get("file", f"{name}.csv"), []), wide)
    for record in mapping.get("churn_records") or []:
        place = ("churn_records", f"{record['file']} {record.get('flag', record.get('date'))}")
        whole = {"account_id": "account_id", **record}
        if "flag" in whole:
            whole.setdefault("true_values", ["true", "yes", "y", "1"])
            usual = {word.lower() for word in whole["true_values"]} <= {"true", "yes", "y", "1"}
            whole["true_values"] = "usual" if usual else whole["true_values"]  # words that no row has change nothing
        found |= leaves({key: leaf for key, leaf in whole.items() if key != "name"}, place)
    return found


def table_leaves(name: str, entry: dict[str, Any], headers: list[str], wide: str) -> Leaves:
    table, at = TABLES[name], ("tables", name)
    found: Leaves = {(*at, "file"): entry.get("file", f"{name}.csv")}
    columns, joined = dict(entry.get("columns") or {}), entry.get("joined") or {}
    for column in table.names:
        header = columns.get(column, column if column in headers else None)
        if header is not None and column not in joined:
            found[*at, "columns", column] = header
    for key in ("joined", "constants", "only_where", "drop_where", "keep_where", "offsets", "scale", "values", "key"):
        found |= leaves(entry.get(key) or {}, (*at, key)) if entry.get(key) else {}
    found |= {
        (*at, "durations", column): unit
        for column, unit in (entry.get("durations") or {}).items()
        if not column.endswith(unit)
    }
    for each in entry.get("also") or ():
        found |= leaves({**each, "headers": list(each.get("headers") or ())}, (*at, "also", each["file"]))
    for column in table.columns:
        if column.kind in ("date", "time") and (column.name in columns or column.name in joined):
            written = (entry.get("date_formats") or {}).get(column.name) or entry.get("date_format")
            if written and day_format(written) != wide:
                found[*at, "date_formats", column.name] = day_format(written)
    if table.keeps_attributes and headers:
        taken = {leaf for path, leaf in found.items() if path[2:3] == ("columns",)}
        kept = entry.get("attributes")
        kept = [header for header in headers if header not in taken] if kept is None else list(kept)
        found |= {(*at, "attributes", header): header for header in kept}
        found |= {(*at, "outcome_only", header): header for header in entry.get("outcome_only") or () if header in kept}
    return found


def day_format(written: str) -> str:
    return re.sub(r"[ T]HH:mm(:ss)?$", "", written)


def edits(made: dict[str, Any], questions: tuple[str, ...], wanted: dict[str, Any], folder: FolderSample) -> list[str]:
    """What a person has to do to make the draft load what a ready mapping loads: one line each.

    An open question is one edit, whatever number of lines (all marked "?") wait for its answer. Every other leaf that
    differs, lacks or is too many is one.
    """
    headers = {file.name: list(file.headers) for file in folder.files}
    have, want = loaded(made, headers), loaded(wanted, headers)
    different = [path for path in sorted({*have, *want}) if have.get(path) != want.get(path)]
    asked = [path for path in different if have.get(path) == "?"]
    assert bool(asked) == bool(questions)
    return [f"answer: {question}" for question in questions] + [
        f"{'.'.join(path)}: {have.get(path)!r} -> {want.get(path)!r}" for path in different if path not in asked
    ]


# --- literal tables ----------------------------------------------------------------------------------------------


def table(text: str) -> pd.DataFrame:
    """Columns of text from lines with `|` between the fields."""
    lines = [[field.strip() for field in line.split("|")] for line in text.strip().splitlines()]
    return pd.DataFrame(lines[1:], columns=lines[0])


def sample_of(name: str, frame: pd.DataFrame) -> FileSample:
    """A file of texts in memory; of a long one, some rows are examined and all days."""
    fields = []
    for place, header in enumerate(frame):
        texts = [str(text) for text in frame.iloc[:, place] if text]
        each = ColumnSample(str(header), "text", len(texts), len(set(texts)), tuple(texts[:: len(texts) // 5_000 + 1]))
        days = tuple(sorted({day_of(text) for text in texts})) if each.is_date else ()
        fields.append(replace(each, days=days))
    return FileSample(name, len(frame), tuple(fields))


def drafted(unreadable: dict[str, str] | None = None, **files: pd.DataFrame) -> Draft:
    samples = tuple(sample_of(f"{name}.csv", frame) for name, frame in files.items())
    return draft_of(FolderSample("export", samples, unreadable or {}))


def content(made: Draft) -> Any:
    return yaml.safe_load(made.text)


def read_back(made: Draft, folder: Path) -> Any:
    made.write(folder / "drafted.yml")
    return read_mapping(folder / "drafted.yml")


CUSTOMERS = table("""
    Customer ID | Company Name | Sector | Signed up
    007         | Ash          | Retail | 2024-01-15
    008         | Birch        | Steel  | 2024-02-03
    009         | Cedar        | Retail | 2024-03-04
""")
CONTRACTS = table("""
    Contract No. | customerID | Contract Start | Contract End | Monthly Fee | Contract Term
    1            | 007        | 15-01-2024     |              | 100.00      | One year
    2            | 008        | 03-02-2024     | 03-04-2024   | 250.50      | Month-to-month
    3            | 009        | 04-03-2024     |              | 80.00       | Month-to-month
""")


def test_headers_are_recognised_however_they_are_written(tmp_path: Path) -> None:
    made = drafted(customers=CUSTOMERS, contracts=CONTRACTS)
    assert made.questions == ()
    read = read_back(made, tmp_path)
    assert read.tables["accounts"].columns == {
        "account_id": "Customer ID",
        "name": "Company Name",
        "industry": "Sector",
        "signup_date": "Signed up",
    }
    assert read.tables["subscriptions"].columns["mrr"] == "Monthly Fee"
    assert read.tables["subscriptions"].values == {"term_months": {"Month-to-month": "1", "One year": "12"}}


def test_each_column_gets_the_format_that_all_its_own_days_fit(tmp_path: Path) -> None:
    read = read_back(drafted(customers=CUSTOMERS, contracts=CONTRACTS), tmp_path)
    entry = read.table("accounts"), read.table("subscriptions")
    assert entry[0].date_formats.get("signup_date", entry[0].date_format) == "YYYY-MM-DD"
    assert entry[1].date_formats.get("start_date", entry[1].date_format) == "DD-MM-YYYY"
    assert entry[1].date_formats.get("end_date", entry[1].date_format) == "DD-MM-YYYY"


def test_certainty_is_stated_for_every_header() -> None:
    made = drafted(customers=CUSTOMERS, contracts=CONTRACTS)
    said = {(row.file, row.header): row.certainty for row in made.certainty}
    assert set(said) == {("customers.csv", header) for header in CUSTOMERS} | {
        ("contracts.csv", header) for header in CONTRACTS
    }
    assert said["customers.csv", "Customer ID"] == "sure"
    assert {row.certainty for row in made.certainty} <= {"sure", "likely", "unsure"}


def test_a_header_whose_values_are_of_another_kind_is_not_used() -> None:
    wrong = CONTRACTS.assign(**{"Monthly Fee": ["gold", "silver", "gold"]})
    made = drafted(contracts=wrong)
    assert "mrr" not in content(made)["tables"]["subscriptions"]["columns"]
    assert any("No header of contracts.csv looks like mrr" in question for question in made.questions)


def test_a_column_that_no_header_looks_like_stands_commented_out_with_a_question(tmp_path: Path) -> None:
    made = drafted(contracts=CONTRACTS.drop(columns="Contract End"))
    assert made.questions[0].startswith("No header of contracts.csv looks like end_date")
    line = next(line for line in made.text.splitlines() if "end_date:" in line and "<header>" in line)
    assert line.strip().startswith("# end_date:")
    assert "end_date" not in read_back(made, tmp_path).tables["subscriptions"].columns


def test_an_empty_column_is_only_likely() -> None:
    made = drafted(contracts=CONTRACTS.assign(**{"Contract End": ["", "", ""]}))
    assert {row.certainty for row in made.certainty if row.column == "end_date"} == {"likely"}


# --- dates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "formats"),
    [
        (["03-04-2024", "05-06-2024"], ("DD-MM-YYYY", "MM-DD-YYYY")),
        (["03-04-2024", "13-06-2024"], ("DD-MM-YYYY",)),
        (["03/04/2024", "6/13/2024"], ("MM/DD/YYYY",)),
        (["03.04.2024", "05.06.2024"], ("DD.MM.YYYY", "MM.DD.YYYY")),
        (["2024-04-03", "2024-06-05"], ("YYYY-MM-DD",)),
        (["01-02-03", "04-05-06"], ("YY-MM-DD", "DD-MM-YY", "MM-DD-YY")),
        (["3 May 2024", "14 Jun 2024"], ("DD MMM YYYY",)),
        (["3 May 2024", "14 June 2024"], ("DD MMMM YYYY",)),
        (["May 3, 2024", "Jun 14, 2024"], ("MMM DD, YYYY",)),
        (["20240131"], ("YYYYMMDD",)),
        (["2024-01-31", "31/01/2024"], ()),
        ([], ()),
    ],
)
def test_all_formats_that_fit_all_days_are_found(days: list[str], formats: tuple[str, ...]) -> None:
    assert set(study(days).formats) == set(formats)
    for name in formats:
        strptime_format(name)


@given(st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), min_size=1, max_size=40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_order_is_settled_only_by_a_day_after_the_12th(days: list[dt.date], day_first: bool) -> None:
    shape = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    found = study(sorted({day.strftime(shape) for day in days}))
    assert ("DD/MM/YYYY" if day_first else "MM/DD/YYYY") in found.formats
    assert (len(found.formats) == 1) == any(day.day > 12 for day in days)


def test_one_thirteenth_in_a_hundred_thousand_rows_settles_the_order() -> None:
    started = [f"{day % 12 + 1:02}-{day % 11 + 1:02}-2024" for day in range(100_000)]
    started[70_001] = "13-04-2024"
    rows = range(100_000)
    frame = pd.DataFrame(
        {"ticket_id": [f"T{row}" for row in rows], "opened_at": started, "priority": ["low", "high"] * 50_000}
    )
    made = drafted(tickets=frame)
    assert content(made)["date_format"] == "DD-MM-YYYY"
    assert "for example 13-04-2024" in made.text


def test_an_undecided_order_is_asked_and_the_draft_does_not_load(tmp_path: Path) -> None:
    ambiguous = CONTRACTS.assign(**{"Contract Start": ["03-04-2024", "05-06-2024", "07-08-2024"]})
    made = drafted(contracts=ambiguous)
    assert content(made)["date_format"] == "?"
    assert len(made.questions) == 1
    assert "03-04-2024 fit DD-MM-YYYY and MM-DD-YYYY" in made.questions[0]
    assert "at `date_format`. A day after the 12th would settle it: 31-01-2024 is DD-MM-YYYY" in made.questions[0]
    line = next(line for line in made.text.splitlines() if line.startswith("date_format:"))
    assert "03-04-2024 fits DD-MM-YYYY and MM-DD-YYYY" in line
    with pytest.raises(MappingError, match="date_format"):
        read_back(made, tmp_path)


def test_dates_of_the_same_file_may_settle_it_and_then_it_is_likely_and_says_why() -> None:
    made = drafted(contracts=CONTRACTS)  # 15-01-2024 settles Contract Start, Contract End holds 03-04-2024 only
    assert content(made)["date_format"] == "DD-MM-YYYY"
    assert made.questions == ()


def test_files_that_settle_it_differently_settle_nothing() -> None:
    american = CUSTOMERS.assign(**{"Signed up": ["01-15-2024", "02-03-2024", "03-04-2024"]})
    open_ended = CONTRACTS.assign(**{"Contract Start": ["03-04-2024", "05-06-2024", "07-08-2024"]})
    european = table("""
        ticket id | created at
        1         | 13-02-2024
        2         | 25-02-2024
    """)
    made = drafted(customers=american, contracts=open_ended, tickets=european)
    assert len(made.questions) == 1
    assert content(made)["tables"]["subscriptions"]["date_format"] == "?"


def test_two_ways_of_writing_days_in_one_column_are_a_question() -> None:
    mixed = CONTRACTS.assign(**{"Contract Start": ["2024-01-31", "31/01/2024", "07.08.2024"]})
    made = drafted(contracts=mixed)
    assert "No one format reads all days of 'Contract Start'" in made.questions[0]


def test_a_workbook_that_turned_some_days_of_a_column_and_not_others_is_a_question(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [list(CONTRACTS), *CONTRACTS.values.tolist()]:
        book.active.append(row)
    book.active["C2"] = dt.datetime(2024, 1, 15)
    book.save(tmp_path / "contracts.xlsx")
    made = draft(open_source(tmp_path))
    assert "No one format reads all days of 'Contract Start'" in made.questions[0]
    assert "day and month may be swapped in some" in made.text
    with pytest.raises(MappingError, match="date format"):
        read_back(made, tmp_path)


def test_a_day_and_a_time_of_day_are_joined() -> None:
    calls = table("""
        Call Id | Date       | Time     | Agent
        1       | 2024-01-31 | 09:12:58 | Diane
        2       | 2024-01-31 | 10:12:58 | Becky
    """)
    assert content(drafted(calls=calls))["tables"]["tickets"]["joined"] == {"opened_at": ["Date", "Time"]}


def test_seconds_since_1970_and_days_since_1899_are_recognised() -> None:
    made = drafted(
        conversations=table("""
        conversation_id | created_at | closed_at
        1               | 1704067200 | 45292
        2               | 1704153600 | 45294.5
    """)
    )
    assert content(made)["tables"]["tickets"]["date_formats"] == {"opened_at": "unix", "resolved_at": "excel"}


# --- lengths, amounts, flags, people -----------------------------------------------------------------------------


def test_lengths_of_time_take_their_unit_from_the_header_or_the_clock() -> None:
    made = drafted(
        tickets=table("""
        case number | opened     | first_response_time_minutes | resolution time (hours) | Talk Time | Escalated
        1           | 2024-01-31 | 30                          | 5                       | 00:02:23  | Ja
        2           | 2024-02-28 | 90                          | 50                      | 00:12:23  | Nein
    """)
    )
    entry = content(made)["tables"]["tickets"]
    assert entry["offsets"]["first_response_at"] == {
        "base": "opened_at",
        "add": "first_response_time_minutes",
        "unit": "minutes",
    }
    assert entry["offsets"]["resolved_at"] == {"base": "opened_at", "add": "resolution time (hours)", "unit": "hours"}
    assert entry["durations"] == {"handle_minutes": "HH:mm:ss"}
    assert entry["values"] == {"escalated": {"Ja": "true", "Nein": "false"}}


def test_a_length_without_a_unit_is_a_question_and_the_draft_does_not_load(tmp_path: Path) -> None:
    made = drafted(
        tickets=table("""
        case number | opened     | first response time
        1           | 2024-01-31 | 30
        2           | 2024-02-28 | 90
    """)
    )
    assert "Which unit 'first response time' counts in" in made.questions[0]
    with pytest.raises(MappingError, match="unit"):
        read_back(made, tmp_path)


def test_a_yearly_price_is_a_twelfth_a_month_and_a_price_per_period_is_divided() -> None:
    base = CONTRACTS.drop(columns="Monthly Fee")
    yearly = content(drafted(contracts=base.assign(ARR=["1200", "3006", "960"])))["tables"]["subscriptions"]
    assert (yearly["columns"]["mrr"], yearly["scale"]["mrr"]["factor"]) == ("ARR", pytest.approx(1 / 12))
    both = base.assign(Amount=["1200", "250", "80"], **{"Billing Interval": ["year", "month", "month"]})
    per = content(drafted(contracts=both))["tables"]["subscriptions"]
    assert per["scale"] == {"mrr": {"per": {"Billing Interval": {"month": 1, "year": 12}}}}


def test_an_amount_for_an_unknown_period_is_a_question_and_the_draft_does_not_load(tmp_path: Path) -> None:
    made = drafted(contracts=CONTRACTS.drop(columns="Monthly Fee").assign(Amount=["1200", "250", "80"]))
    assert "Which period 'Amount' is for" in made.questions[0]
    with pytest.raises(MappingError, match="factor"):
        read_back(made, tmp_path)


def test_german_headers_decimal_commas_and_signs_of_currencies_are_understood(tmp_path: Path) -> None:
    contracts = table("""
        Vertragsnummer | Kundennr. | Vertragsbeginn | Vertragsende | Monatsbetrag
        1              | 007       | 15.01.2024     |              | 1.100,00 €
        2              | 008       | 03.02.2024     | 03.04.2024   | 250,50 €
    """)
    read = read_back(drafted(Verträge=contracts), tmp_path)
    assert read.tables["subscriptions"].columns == {
        "subscription_id": "Vertragsnummer",
        "account_id": "Kundennr.",
        "start_date": "Vertragsbeginn",
        "end_date": "Vertragsende",
        "mrr": "Monatsbetrag",
    }
    assert (read.decimal, read.currency, read.date_format) == (",", "EUR", "DD.MM.YYYY")
    assert read.tables["accounts"].file == "Verträge.csv"  # each customer has one row there


def test_a_decimal_comma_in_one_file_and_points_in_another_are_kept_apart(tmp_path: Path) -> None:
    german = CONTRACTS.assign(**{"Monthly Fee": ["1.100,00", "250,50", "80,00"]})
    touches = table("""
        account_id | occurred_at | kind | hours
        007        | 2024-02-01  | QBR  | 1.25
        008        | 2024-02-02  | QBR  | 0.50
    """)
    read = read_back(drafted(customers=CUSTOMERS, contracts=german, touches=touches), tmp_path)
    assert (read.decimal, read.tables["subscriptions"].decimal, read.tables["touches"].decimal) == (None, ",", None)


def test_french_headers_are_understood(tmp_path: Path) -> None:
    clients = table("""
        Numéro client | Raison sociale | Secteur | Pays | Date de création
        C1            | Frêne          | Banque  | FR   | 31/01/2024
        C2            | Hêtre          | Acier   | BE   | 03/04/2024
    """)
    read = read_back(drafted(clients=clients), tmp_path)
    assert set(read.tables["accounts"].columns) == {"account_id", "name", "industry", "country", "signup_date"}


def test_persons_and_what_says_who_left_are_no_attributes() -> None:
    more = CUSTOMERS.assign(
        Email=["a@x.example", "b@x.example", "c@x.example"],
        Phone=["1", "2", "3"],
        Tier2=["x", "y", "z"],
        Churned=["Yes", "No", "No"],
        **{"Churn Reason": ["price", "", ""], "CLTV": ["5", "6", "7"]},
    )
    made = drafted(customers=more)
    entry = content(made)["tables"]["accounts"]
    assert entry["attributes"] == ["Tier2", "Churn Reason", "CLTV"]
    assert entry["outcome_only"] == ["Churn Reason", "CLTV"]
    assert "Left out as personal data: Email, Phone." in made.text
    assert content(made)["churn_records"] == [
        {
            "name": "account flags",
            "file": "customers.csv",
            "account_id": "Customer ID",
            "flag": "Churned",
            "true_values": ["Yes"],
        }
    ]


# --- odd folders -------------------------------------------------------------------------------------------------


def test_an_empty_folder_gives_a_draft_that_says_what_is_needed(tmp_path: Path) -> None:
    made = drafted()
    assert "No table was recognised here. The contract needs accounts" in made.text
    assert read_back(made, tmp_path).tables == {}


def test_a_folder_of_something_else_gives_one_too() -> None:
    made = drafted(planets=table("planet | moons\nMars | 2\nVenus | 0\n"))
    assert "No table was recognised here" in made.text
    assert "Files that feed no table: planets.csv." in made.text


def test_an_unreadable_file_is_named_and_the_others_are_drafted() -> None:
    made = drafted(unreadable={"bad.csv": "bad.csv: not UTF-8.\n  Save it as UTF-8."}, customers=CUSTOMERS)
    assert "- bad.csv: not UTF-8. Save it as UTF-8." in made.text
    assert "accounts" in content(made)["tables"]


def test_of_two_files_for_a_table_the_better_one_is_chosen_and_the_other_named() -> None:
    made = drafted(customers=CUSTOMERS, old_customers=CUSTOMERS[["Customer ID", "Company Name"]])
    assert content(made)["tables"]["accounts"]["file"] == "customers.csv"
    assert "Would do as well, with less to go by: old_customers.csv." in made.text


def test_three_hundred_columns_and_headers_that_stand_twice_are_no_trouble() -> None:
    wide = CUSTOMERS.assign(**{f"Custom {number}": ["x", "y", "z"] for number in range(300)})
    wide = pd.concat([wide, CUSTOMERS[["Sector"]]], axis=1)
    entry = content(drafted(customers=wide))["tables"]["accounts"]
    assert len(entry["attributes"]) == 300
    assert entry["columns"]["industry"] == "Sector"


def test_the_same_folder_gives_the_same_text_whatever_the_order_of_its_files() -> None:
    one, two = drafted(customers=CUSTOMERS, contracts=CONTRACTS), drafted(contracts=CONTRACTS, customers=CUSTOMERS)
    assert one.text == two.text


HOSTILE = [
    "a: b", "x # y", 'say "hi"', "it's", "- dash", "? ask", "*star", "&and", "{a}", "[b]", "two\nlines", "é😀", "null",
    "yes", "1.5", "2024-01-31", "~", " padded ", "%d", "@at", "`tick`", "|", ">", "!tag", "\u2028", "\ufeff", "\x07",
]  # fmt: skip


def test_hostile_headers_are_quoted(tmp_path: Path) -> None:
    more = CUSTOMERS.assign(**{header: ["a", "b", "c"] for header in HOSTILE})
    assert content(drafted(customers=more))["tables"]["accounts"]["attributes"] == HOSTILE


anything = st.text(max_size=40).filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text))


scalars = anything | st.integers() | st.booleans() | st.dates()


@given(scalars | st.lists(scalars, max_size=3), anything, anything, st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_line_reads_back_as_it_was(value: Any, key: str, remark: str, commented_out: bool) -> None:
    lines = [
        Line("first", [Line(key, value, (remark,), remark, commented_out), Line("last", 1)]),
        Line("second", [[Line(key, value, comment=remark)]]),
    ]
    kept = {} if commented_out else {key: value}
    assert yaml.safe_load(as_text(lines, (remark,))) == {"first": {**kept, "last": 1}, "second": [{key: value}]}


def test_a_churn_flag_without_a_date_of_leaving_refers_to_the_last_day_loaded(tmp_path: Path) -> None:
    made = drafted(
        subscriptions=table("""
        Customer ID | Vertragsbeginn | Monatsbetrag | Churn
        C-1         | 2024-01-31     | 10.50        | Yes
        C-2         | 2024-02-05     | 12.00        | No
        C-3         | 2024-03-05     | 14.00        | No
    """)
    )
    entry = content(made)["tables"]["subscriptions"]
    assert entry["only_where"]["end_date"] == {"Churn": ["Yes"]}
    assert entry["constants"]["end_date"] == content(made)["data_through"] == dt.date(2024, 3, 5)
    assert str(read_back(made, tmp_path).data_through) == "2024-03-05"


POOLS = [
    ["2024-01-31", "2024-02-05", ""], ["03-04-2024", "05-06-2024"], ["13/04/2024 10:15", "02/03/2024 09:00"],
    ["1/31/2024, 9:05 AM", "2/3/2024, 4:10 PM"], ["1704067200", "1704153600"], ["00:02:23", "00:10:00"],
    ["Yes", "No"], ["1", "0", "2"], ["10.50", "1,200.00"], ["1.200,50 €", "3,5 €"], ["month", "year"],
    ["A-1", "A-2", "A-3"],
    ["Churned", "Stayed"], ["", ""], ["a@b.example", "c@d.example"], ["QBR", "Check-in"],
    ["x: y", "# z", "😀"],
]  # fmt: skip
KNOWN_HEADERS = [
    "Customer ID", "Account Name", "id", "ticket_id", "Created At", "Closed At", "Date", "Time", "Start Date",
    "End Date", "Amount", "MRR", "ARR", "Interval", "tenure", "Churn", "Churn Reason", "Status", "Priority",
    "First response time", "Agent", "Resolved", "Wait time in seconds", "Contract", "Currency", "Country", "Email",
    "Feature", "kind", "score", "Kundennummer", "Vertragsbeginn", "Monatsbetrag", *HOSTILE,
]  # fmt: skip


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 12))
    headers = draw(st.lists(st.sampled_from(KNOWN_HEADERS), min_size=1, max_size=14, unique=True))
    columns = {}
    for header in headers:
        pool = draw(st.sampled_from(POOLS))
        unique = draw(st.booleans())
        columns[header] = [f"K{row}" if unique and pool[0] == "A-1" else pool[row % len(pool)] for row in range(rows)]
    return pd.DataFrame(columns)


@given(files=st.dictionaries(st.sampled_from(["accounts", "subs", "tickets", "churn", "data"]), frames(), max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_folder_holds_a_draft_is_made_and_reads_unless_a_question_is_open(
    tmp_path: Path, files: dict[str, pd.DataFrame]
) -> None:
    made = drafted(**files)
    assert (
        draft_of(FolderSample("export", tuple(sample_of(f"{name}.csv", frame) for name, frame in files.items())))
        == made
    )
    if not made.questions:
        read_back(made, tmp_path)


# --- real exports ------------------------------------------------------------------------------------------------


class Part:
    """A source of which only some files are there."""

    def __init__(self, source: Source, only: tuple[str, ...]):
        self.source, self.only = source, only

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def names(self) -> list[str]:
        return [name for name in self.source.names() if name in self.only]


@cache
def seen(folder: Path, only: tuple[str, ...] = ()) -> FolderSample:
    source = open_source(folder)
    return look(Part(source, only) if only else source)


def said(mapping: Path) -> dict[str, Any]:
    """A mapping with all that it uses, as nested values."""
    return read_mapping(mapping).model_dump(mode="json", exclude_defaults=True)


TELCO = "Telco-Customer-Churn.csv"
REASONS, STATUS = "Telco_customer_churn_v11_churn_reason.csv", "Telco_customer_churn_status_v11_1_3.csv"
EXPORTS = {
    "ravenstack_iso": ("ravenstack/iso_dates", (), "ravenstack", {}),
    "ravenstack_as_found": ("ravenstack/as_found_ddmmyyyy", (), "ravenstack", {"date_format": "DD-MM-YYYY"}),
    "ibm_telco": ("ibm_telco_churn", (TELCO,), "ibm_telco", {}),
    "ibm_telco_v11": ("ibm_telco_churn", (REASONS,), "ibm_telco_v11", {}),
    "ibm_telco_status": ("ibm_telco_churn", (REASONS, STATUS), "ibm_telco_status", {}),
    "pwc_call_centre": ("pwc_call_centre", ("Call-Center-Dataset.csv",), "pwc_call_centre", {}),
    "pwc_call_centre_xlsx": ("pwc_call_centre", ("Call-Center-Dataset.xlsx",), "pwc_call_centre_xlsx", {}),
}
needs_datasets = pytest.mark.skipif(not DATASETS.is_dir(), reason="the public data sets are not here")


@needs_datasets
@pytest.mark.parametrize("export", EXPORTS)
def test_a_draft_from_headers_and_values_alone_needs_three_hand_edits_at_most(export: str) -> None:
    place, only, ready, differs = EXPORTS[export]
    made = draft_of(seen(DATASETS / place, only))
    needed = edits(
        content(made), made.questions, {**said(READY / f"{ready}.yml"), **differs}, seen(DATASETS / place, only)
    )
    assert len(needed) <= 3, "\n".join(needed)


@needs_datasets
@pytest.mark.parametrize("export", EXPORTS)
def test_an_export_with_a_ready_mapping_uses_it_and_says_what_differs(export: str, tmp_path: Path) -> None:
    place, only, ready, differs = EXPORTS[export]
    folder = seen(DATASETS / place, only)
    made = draft_of(folder, ready=known_exports())
    made.write(tmp_path / "drafted.yml")
    assert content(made)["use"] == ready
    assert edits(said(tmp_path / "drafted.yml"), (), {**said(READY / f"{ready}.yml"), **differs}, folder) == []


PRODUCTS = sorted(path.parent.name for path in (ROOT / "tests" / "exports").glob("*/mapping.yml"))


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_export_of_a_known_product_is_recognised(product: str, tmp_path: Path) -> None:
    folder = ROOT / "tests" / "exports" / product
    made = draft(open_source(folder))
    made.write(tmp_path / "drafted.yml")
    assert (content(made)["use"], made.questions) == (product, ())
    assert {row.certainty for row in made.certainty} == {"sure"}
    needed = edits(said(tmp_path / "drafted.yml"), (), said(folder / "mapping.yml"), seen(folder))
    assert len(needed) <= 3, "\n".join(needed)


def gathered(folder: Path, *products: str) -> Source:
    for product in products:
        for path in (ROOT / "tests" / "exports" / product).glob("*.csv"):
            shutil.copy(path, folder / f"{product} {path.name}")
    return open_source(folder)


@pytest.mark.skipif(len(PRODUCTS) < 6, reason="the exports of products are not here")
def test_exports_of_several_products_in_one_folder_use_several_ready_mappings(tmp_path: Path) -> None:
    made = draft(gathered(tmp_path, "stripe", "zendesk"))
    assert sorted(content(made)["use"]) == ["stripe", "zendesk"]
    read = read_back(made, tmp_path)
    assert {name: entry.file for name, entry in read.tables.items()} == {
        "accounts": "stripe customers.csv",
        "subscriptions": "stripe subscriptions.csv",
        "tickets": "zendesk tickets.csv",
    }
    assert not read.partial


@pytest.mark.skipif(len(PRODUCTS) < 6, reason="the exports of products are not here")
def test_a_table_that_two_products_have_is_taken_from_one_of_them(tmp_path: Path) -> None:
    made = draft(gathered(tmp_path, "salesforce", "stripe"))
    read = read_back(made, tmp_path)
    assert content(made)["tables"]["accounts"]["use"] in ("salesforce", "stripe")
    assert read.tables["subscriptions"].file == "stripe subscriptions.csv"
    assert read.tables["tickets"].file == "salesforce Case.csv"


@pytest.mark.skipif(len(PRODUCTS) < 6, reason="the exports of products are not here")
def test_an_optional_header_that_a_known_export_lacks_is_taken_out_and_a_needed_one_asked(tmp_path: Path) -> None:
    source = gathered(tmp_path, "zendesk")
    path = tmp_path / "zendesk tickets.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.drop(columns=["First reply time in minutes", "Satisfaction Score"]).to_csv(path, index=False)
    made = draft(source)
    read = read_back(made, tmp_path)
    assert (content(made)["use"], made.questions) == ("zendesk", ())
    assert "first_response_at" not in read.tables["tickets"].offsets
    assert read.tables["tickets"].columns["csat"] is None


def test_a_source_is_looked_at_file_by_file(tmp_path: Path) -> None:
    CUSTOMERS.to_csv(tmp_path / "customers.csv", index=False)
    CONTRACTS.to_csv(tmp_path / "contracts.csv", index=False)
    (tmp_path / "broken.csv").write_text("")
    made = draft(open_source(tmp_path))
    assert set(content(made)["tables"]) == {"accounts", "subscriptions"}
    assert "- broken.csv:" in made.text


def test_every_distinct_day_of_a_big_file_is_looked_at(tmp_path: Path) -> None:
    opened = [f"{day % 12 + 1:02}-{day % 11 + 1:02}-2024 10:15" for day in range(20_000)]
    opened[17_001] = "13-04-2024 10:15"
    rows = range(20_000)
    frame = pd.DataFrame({"ticket_id": [f"T{row}" for row in rows], "opened_at": opened, "priority": ["low"] * 20_000})
    frame.to_csv(tmp_path / "tickets.csv", index=False)
    assert content(draft(open_source(tmp_path)))["date_format"] == "DD-MM-YYYY"


# --- what is loaded through a draft ------------------------------------------------------------------------------


def answered(made: Draft, **answers: Any) -> dict[str, Any]:
    """The draft after a person has answered its questions: every "?" of a key gets that key's answer."""

    def fill(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {inner: fill(inner, each) for inner, each in value.items()}
        return answers[key] if value == "?" else value

    return {**fill("", content(made)), **{key: answers[key] for key in answers if key in ("currency",)}}


ANSWERS = {
    "observed_from": dt.date(2014, 10, 1),
    "data_through": dt.date(2020, 9, 30),
    "base": dt.date(2020, 10, 1),
    "end_date": dt.date(2020, 9, 30),
    "answered_at": dt.date(2020, 9, 30),
    "currency": "USD",
}


@needs_datasets
@pytest.mark.parametrize("export", [name for name in EXPORTS if name not in ("ravenstack_iso", "pwc_call_centre_xlsx")])
def test_an_answered_draft_loads_what_the_ready_mapping_loads(export: str, tmp_path: Path) -> None:
    place, only, ready, differs = EXPORTS[export]
    folder = tmp_path / "export"
    folder.mkdir()
    for path in (DATASETS / place).iterdir():
        if not only or path.name in only:
            shutil.copy(path, folder)
    made = draft_of(seen(DATASETS / place, only))
    mine, theirs = tmp_path / "mine.yml", tmp_path / "theirs.yml"
    mine.write_text(yaml.safe_dump(answered(made, **(ANSWERS if "telco" in export else {}))))
    theirs.write_text(yaml.safe_dump({"version": 1, "use": ready, **differs}))
    one, two = load(folder, mine), load(folder, theirs)
    for name in TABLES:
        left, right = one.frame(name), two.frame(name)
        columns = sorted(right.columns)
        assert columns == sorted(left.columns)
        pd.testing.assert_frame_equal(left[columns], right[columns])


@needs_datasets
def test_a_workbook_as_the_source_loads_like_the_text_file_of_the_same_calls(tmp_path: Path) -> None:
    book = DATASETS / "pwc_call_centre" / "Call-Center-Dataset.xlsx"
    made = draft_of(seen(book))
    made.write(tmp_path / "drafted.yml")
    shutil.copy(DATASETS / "pwc_call_centre" / "Call-Center-Dataset.csv", tmp_path)
    text = load(tmp_path, READY / "pwc_call_centre.yml").tickets
    pd.testing.assert_frame_equal(load(book, tmp_path / "drafted.yml").tickets, text, check_like=True)
    known = content(draft_of(seen(book), ready=known_exports()))
    assert (known["use"], known["tables"]) == ("pwc_call_centre", {"tickets": {"file": "Call center data"}})


@needs_datasets
def test_of_a_workbook_and_a_text_file_with_the_same_rows_one_is_drafted_and_the_other_named() -> None:
    made = draft_of(seen(DATASETS / "pwc_call_centre"))
    assert content(made)["tables"]["tickets"]["file"] in ("Call-Center-Dataset.csv", "Call-Center-Dataset.xlsx")
    assert "Would do as well, with less to go by: Call-Center-Dataset" in made.text


@needs_datasets
@pytest.mark.parametrize("name", ["pysurvival_saas_churn", "retention_curves"])
def test_data_without_keys_or_dates_give_a_draft_that_says_what_is_needed(name: str, tmp_path: Path) -> None:
    made = draft(open_source(DATASETS / name))
    assert "No table was recognised here. The contract needs accounts" in made.text
    assert read_back(made, tmp_path).tables == {}


def test_the_sample_company_needs_no_hand_edit(tmp_path: Path) -> None:
    folder = seen(ROOT / "data" / "sample")
    made = draft_of(folder, ready=known_exports())
    assert {row.certainty for row in made.certainty if row.table} == {"sure"}
    made.write(tmp_path / "drafted.yml")
    own = said(ROOT / "data" / "sample" / "mapping.yml")
    own["tables"] = {file.stem: {"file": file.name} for file in folder.files}
    own["tables"]["accounts"]["outcome_only"] = ["churn_reason"]  # the loader knows it by its name
    assert edits(said(tmp_path / "drafted.yml"), (), own, folder) == []
