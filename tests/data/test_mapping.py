"""A mapping file is read strictly: every problem at once, the nearest known key suggested, nothing guessed."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_helpers.core.errors import ContractError, MappingError
from cs_helpers.data.contract.checks import known_only_after_outcome
from cs_helpers.data.contract.formats import strptime_format
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping import ExportMapping, Offset, TableMapping, find_mapping, read_mapping, ready_mappings
from cs_helpers.data.tables import load

ROOT = Path(__file__).resolve().parents[2]


def mapping(folder: Path, text: str) -> Path:
    path = folder / "x.yml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(MappingError) as caught:
        read_mapping(mapping(folder, text))
    return str(caught.value)


def test_the_example_mapping_says_what_it_says() -> None:
    read = read_mapping(ROOT / "data" / "mappings" / "ravenstack.yml")
    assert (read.company, read.currency) == ("RavenStack", "USD")
    assert (read.observed_from, read.data_through) == (dt.date(2023, 1, 1), dt.date(2024, 12, 31))
    assert read.table("subscriptions").columns["mrr"] == "mrr_amount"
    assert read.table("accounts").columns["acquisition_channel"] == "referral_source"
    assert [record.name for record in read.churn_records] == ["account flags", "churn events"]


def test_a_mapping_without_tables_has_the_contracts_own_names(tmp_path: Path) -> None:
    read = read_mapping(mapping(tmp_path, 'version: 1\ndate_format: M/D/YYYY\nseparator: "tab"\n'))
    entry = read.table("subscriptions")
    assert (entry.file, entry.columns) == (None, {})
    assert (entry.date_format, entry.separator) == ("M/D/YYYY", "\t")


def test_a_table_may_override_what_the_file_says(tmp_path: Path) -> None:
    read = read_mapping(mapping(tmp_path, "version: 1\ntables: {accounts: {date_format: DD.MM.YYYY}}\n"))
    assert read.table("accounts").date_format == "DD.MM.YYYY"
    assert read.table("subscriptions").date_format == "YYYY-MM-DD"


def test_a_mapping_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ExportMapping().company = "Other"  # type: ignore[misc]


def test_unknown_keys_name_the_nearest_known_one(tmp_path: Path) -> None:
    text = refused(tmp_path, "version: 1\ntables: {accounts: {colunms: {name: n}}}\n")
    assert text == "x.yml: unknown key 'colunms' in tables.accounts. Did you mean 'columns'?"


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    text = refused(
        tmp_path,
        """\
version: 2
compny: Example
currency: 7
timezone: Europe/Berln
date_format: YYYY-XX-DD
separator: "::"
encoding: utf-9
observed_from: 2024-12-31
data_through: 2024-01-01
set_aside: [end_before_strat]
overlap: summ
tables:
  acounts: {file: a.csv}
  accounts: {attributes: [segment]}
  subscriptions: {columns: {mmr: amount}, constants: {mmr: 1}}
churn_records:
  - {name: flags, fil: a.csv}
""",
    )
    for part in [
        "version 2 is not 1",
        "unknown key 'compny'. Did you mean 'company'?",
        "currency: 7 should be text. Put it in quotes.",
        "timezone: 'Europe/Berln' is no time zone. Did you mean 'Europe/Berlin'?",
        "date_format: 'XX' is no part of a date format. Write it like YYYY-MM-DD",
        "separator: '::' is not one character",
        "encoding: 'utf-9' is no encoding Python knows. Did you mean 'utf-8'?",
        "data_through 2024-01-01 is before observed_from 2024-12-31",
        "set_aside, entry 1: 'end_before_strat' is no check.",
        "Did you mean 'end_before_start'?",
        "overlap 'summ' is not sum or error. Did you mean 'sum'?",
        "unknown table 'acounts' in tables. Did you mean 'accounts'?",
        "'segment' in tables.accounts.attributes is a column of the contract",
        "unknown column 'mmr' in tables.subscriptions.columns. Did you mean 'mrr'?",
        "unknown column 'mmr' in tables.subscriptions.constants. Did you mean 'mrr'?",
        "unknown key 'fil' in churn_records, entry 1. Did you mean 'file'?",
        "churn_records, entry 1.file is missing",
    ]:
        assert part in text, f"{part!r} not in:\n{text}"
    assert all(line.startswith("x.yml: ") for line in text.splitlines())


# --- one problem each: what is written, and what the message has to say --------------------------------------

TICKETS = "tables: {tickets: "
ACCOUNTS = "tables: {accounts: "
SUBSCRIPTIONS = "tables: {subscriptions: "


@pytest.mark.parametrize(
    ("written", "said"),
    [
        # unknown keys, tables and columns, wherever they stand
        ("accounts: {file: a.csv}", "unknown key 'accounts': it is a table. Put it under tables:"),
        (TICKETS + "{opened_at: x}}", "unknown key 'opened_at' in tables.tickets: it is a column. Put it under"),
        (TICKETS + "{offsets: {resolved_at: {base: opened_at, ad: h}}}}",
         "unknown key 'ad' in tables.tickets.offsets.resolved_at. Did you mean 'add'?"),
        (SUBSCRIPTIONS + "{scale: {mrr: {tims: [n]}}}}",
         "unknown key 'tims' in tables.subscriptions.scale.mrr. Did you mean 'times'?"),
        (ACCOUNTS + "{also: [{file: b.csv, on: id, heders: [x]}]}}",
         "unknown key 'heders' in tables.accounts.also, entry 1. Did you mean 'headers'?"),
        (TICKETS + "{joined: {opend_at: [d, t]}}}",
         "unknown column 'opend_at' in tables.tickets.joined. Did you mean 'opened_at'?"),
        (TICKETS + "{durations: {handle_minuts: seconds}}}",
         "unknown column 'handle_minuts' in tables.tickets.durations. Did you mean 'handle_minutes'?"),
        (ACCOUNTS + "{constants: {owner: Kim}}}", "unknown column 'owner' in tables.accounts.constants."),
        (SUBSCRIPTIONS + "{columns: {Amount: mrr}}}",
         "The contract's name stands on the left, the header on the right: `mrr: Amount`."),
        (ACCOUNTS + "{columns: {owner: Owner}}}", "A column of your own goes under attributes."),
        # the same thing said twice
        (TICKETS + "{columns: {opened_at: a}, joined: {opened_at: [d, t]}}}",
         "'opened_at' has a header in tables.tickets.columns and joined headers in tables.tickets.joined. Keep one"),
        (TICKETS + "{constants: {resolved_at: 2024-01-01}, offsets: {resolved_at: {base: opened_at}}}}",
         "'resolved_at' has a value in tables.tickets.constants and another day in tables.tickets.offsets."),
        (TICKETS + "{joined: {opened_at: [d]}}}", "'opened_at' names one header. Put it under tables.tickets.columns."),
        ("set_aside: [orphan]\ntolerance: {orphan: 0.1}", "'orphan' stands in set_aside, which has no limit, and in"),
        (TICKETS + "{keep_where: {s: [open, done]}, drop_where: {s: Done}}}",
         "keep_where keeps and drop_where drops 'Done' of 's'. Keep one of them."),
        (SUBSCRIPTIONS + "{durations: {term_months: years}, scale: {term_months: {factor: 12}}}}",
         "'term_months' stands in tables.subscriptions.durations and in tables.subscriptions.scale."),
        # said of a column that is not read, or cannot be read so
        (TICKETS + "{columns: {category: null}, only_where: {category: {s: x}}}}",
         "tables.tickets.only_where speaks of 'category', which `columns: {category: null}` leaves out."),
        (TICKETS + "{offsets: {resolved_at: {base: opened_at}}, values: {resolved_at: {never: ''}}}}",
         "'resolved_at' is counted by offsets; it has no text to read."),
        (SUBSCRIPTIONS + "{constants: {end_date: 2024-01-31}, date_formats: {end_date: DD-MM-YYYY}}}",
         "'end_date' is a constant, and constants are written YYYY-MM-DD."),
        # kinds
        (TICKETS + "{offsets: {wait_seconds: {base: opened_at}}}}",
         "tables.tickets.offsets.wait_seconds: wait_seconds is no day or time (number)."),
        (TICKETS + "{offsets: {resolved_at: {base: priority}}}}", "the base 'priority' is no day or time."),
        (TICKETS + "{offsets: {resolved_at: {base: opend_at}}}}",
         "the base 'opend_at' is neither a day like 2024-12-31 nor a column. Did you mean 'opened_at'?"),
        (TICKETS + "{offsets: {resolved_at: {base: first_response_at}, first_response_at: {base: resolved_at}}}}",
         "counting from 'resolved_at' leads back to 'first_response_at'."),
        (TICKETS + "{offsets: {resolved_at: {base: opened_at, add: a, subtract: b}}}}", "both add and subtract."),
        (TICKETS + "{offsets: {resolved_at: {base: opened_at, unit: fortnights}}}}",
         "tables.tickets.offsets.resolved_at.unit 'fortnights' is not seconds, minutes,"),
        (TICKETS + "{durations: {csat: minutes}}}",
         "'csat' is no length of time. Those of tickets are: wait_seconds, handle_minutes."),
        (SUBSCRIPTIONS + "{durations: {term_months: days}}}",
         "'term_months' counts months, which days cannot be turned into without guessing how long a month is."),
        (SUBSCRIPTIONS + "{scale: {plan: {factor: 2}}}}", "tables.subscriptions.scale: 'plan' is no number (text)."),
        (SUBSCRIPTIONS + "{scale: {mrr: {factor: 0}}}}",
         "tables.subscriptions.scale.mrr.factor: 0 should be more than 0."),
        (SUBSCRIPTIONS + "{scale: {mrr: {per: {interval: {}}}}}}", "'interval' names no value."),
        (SUBSCRIPTIONS + "{date_formats: {mrr: YYYY-MM-DD}}}",
         "tables.subscriptions.date_formats: 'mrr' is no day or time (money)."),
        # values that the column cannot hold
        ("tables: {surveys: {constants: {kind: exti}}}",
         "tables.surveys.constants: kind 'exti' is not nps, csat, ces, agent or exit. Did you mean 'exit'?"),
        (TICKETS + "{values: {escalated: {ja: jawohl}}}}", "'jawohl' is neither true nor false. Write true or false."),
        (SUBSCRIPTIONS + "{values: {term_months: {Yearly: twelve}}}}", "'twelve' is no number."),
        (SUBSCRIPTIONS + "{constants: {end_date: 31.01.2024}}}", "'31.01.2024' is not a day written like 2024-12-31."),
        # tables
        (TICKETS + "{attributes: [x]}}", "attributes in tables.tickets: only accounts and reps keep attributes."),
        (TICKETS + "{outcome_only: [x]}}", "outcome_only in tables.tickets: only accounts and reps keep attributes."),
        (ACCOUNTS + "{attributes: [City], outcome_only: [Citty]}}",
         "'Citty' is none of the attributes kept. Did you mean 'City'?"),
        (TICKETS + "{key: [id]}}", "key in tables.tickets: tickets have a key of their own (ticket_id)."),
        (TICKETS + "{drop_where: {s: []}}}", "tables.tickets.drop_where: 's' names no value."),
        ("use: 5", "use: 5: there is no ready mapping of that name."),
        ("tables: [accounts]", "tables: ['accounts'] should be a list of `key: value`."),
        (ACCOUNTS + "{use: [a]}}", "tables.accounts.use: ['a'] should be text."),
        ("tolerance: {orphn: 0.1}", "tolerance.orphn: 'orphn' is no check. Did you mean 'orphan'?"),
        ("tolerance: {orphan: 3}", "tolerance.orphan: 3 should be at most 1."),
        ("tolerance: {orphan: few}", "tolerance.orphan: 'few' should be a number."),
        ("churn_records: [{name: a, file: x}, {name: a, file: y}]", "2 entries are called 'a'."),
        ("churn_records: [{name: a, file: x, true_values: [J]}]", "true_values without a flag."),
        (ACCOUNTS + "}", "tables.accounts: nothing should be a list of `key: value`."),
        (ACCOUNTS + "{file: a.csv, also: [{file: a.csv, on: id}]}}", "'a.csv' is the table's own file."),
        (ACCOUNTS + "{also: [{file: b.csv, on: {}}]}}", "tables.accounts.also, entry 1.on: {} should be at least one"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_said_in_words(tmp_path: Path, written: str, said: str) -> None:
    text = refused(tmp_path, f"version: 1\n{written}\n")
    assert said in text
    assert text.count("x.yml: ") == 1 and text.startswith("x.yml: "), f"one problem only:\n{text}"


# --- values as the export writes them -------------------------------------------------------------------------


def test_words_and_numbers_reach_the_loader_as_they_are_written(tmp_path: Path) -> None:
    read = read_mapping(
        mapping(
            tmp_path,
            "version: 1\n"
            "tables: {tickets: {drop_where: {a: [Yes, no, On, 010, 1_000, 12:30, 1.50, 7, 2024-1-5, TRUE]}, "
            "values: {answered: {Yes: true, 0: false}}, only_where: {csat: {2024: [1]}}}}\n",
        )
    )
    entry = read.tables["tickets"]
    assert entry.drop_where["a"] == ("Yes", "no", "On", "010", "1_000", "12:30", "1.50", "7", "2024-1-5", "true")
    assert entry.values["answered"] == {"Yes": "true", "0": "false"}
    assert entry.only_where["csat"] == {"2024": ("1",)}


def test_offsets_come_after_the_columns_that_they_are_counted_from(tmp_path: Path) -> None:
    text = (
        "tables: {tickets: {offsets: {resolved_at: {base: first_response_at, add: talk, unit: seconds}, "
        "first_response_at: {base: opened_at, add: wait, unit: seconds}}}}"
    )
    offsets = read_mapping(mapping(tmp_path, f"version: 1\n{text}\n")).tables["tickets"].offsets
    assert list(offsets) == ["first_response_at", "resolved_at"]
    assert offsets["resolved_at"] == Offset(base="first_response_at", add="talk", unit="seconds")


def test_a_second_file_names_its_key_and_its_headers(tmp_path: Path) -> None:
    text = "tables: {accounts: {also: [{file: b.csv, on: {ID: Id}, headers: [x]}, {file: c.csv, on: ID}]}}"
    first, second = read_mapping(mapping(tmp_path, f"version: 1\n{text}\n")).tables["accounts"].also
    assert (first.on, first.headers) == ({"ID": "Id"}, {"x": "x"})
    assert (second.on, second.headers) == ({"ID": "ID"}, None)


# --- mappings that build on others ----------------------------------------------------------------------------

BASE = """\
version: 1
currency: EUR
date_format: DD-MM-YYYY
data_through: 2024-06-30
partial: true
tolerance: {orphan: 0.01}
tables:
  accounts: {file: firms.csv, columns: {account_id: id, name: firm}, attributes: [a, b]}
  subscriptions:
    constants: {end_date: 2024-06-30, plan: P}
    only_where: {end_date: {left: ["yes"]}}
    values: {plan: {P: pro}}
  tickets: {file: cases.csv}
"""


def base(folder: Path, name: str = "base", text: str = BASE) -> None:
    (folder / f"{name}.yml").write_text(text)


def test_a_mapping_says_only_what_differs_from_the_one_it_uses(tmp_path: Path) -> None:
    base(tmp_path)
    read = read_mapping(
        mapping(
            tmp_path,
            """\
version: 1
use: base.yml
currency: USD
tables:
  accounts: {columns: {name: Name, region: Area}, attributes: [c]}
  subscriptions: {columns: {end_date: Ended}, only_where: null, values: {plan: {B: basic}}, constants: {plan: null}}
  tickets: null
""",
        )
    )
    assert (read.use, read.currency, read.date_format, read.partial) == (("base.yml",), "USD", "DD-MM-YYYY", True)
    assert list(read.tables) == ["accounts", "subscriptions"] and read.tolerance == {"orphan": 0.01}
    accounts, subscriptions = read.tables["accounts"], read.tables["subscriptions"]
    assert accounts.file == "firms.csv" and accounts.attributes == {"c": "c"}
    assert accounts.columns == {"account_id": "id", "name": "Name", "region": "Area"}
    assert (subscriptions.columns, subscriptions.constants) == ({"end_date": "Ended"}, {})
    assert (subscriptions.only_where, subscriptions.values) == ({}, {"plan": {"P": "pro", "B": "basic"}})


def test_tables_of_several_mappings_come_together_each_with_its_own_dates(tmp_path: Path) -> None:
    base(tmp_path, "crm", "version: 1\npartial: true\ndate_format: M/D/YYYY\ntables: {accounts: {file: a.csv}}\n")
    base(tmp_path, "bills", "version: 1\ntimezone: Asia/Tokyo\ntables: {subscriptions: {file: s.csv}}\n")
    read = read_mapping(mapping(tmp_path, "version: 1\nuse: [crm.yml, bills.yml]\n"))
    assert (read.table("accounts").date_format, read.table("accounts").timezone) == ("M/D/YYYY", "UTC")
    assert (read.table("subscriptions").date_format, read.table("subscriptions").timezone) == (
        "YYYY-MM-DD",
        "Asia/Tokyo",
    )
    assert not read.partial  # accounts from one, subscriptions from the other: together they are whole
    read = read_mapping(mapping(tmp_path, "version: 1\nuse: [crm.yml, bills.yml]\ndate_format: YYYYMMDD\n"))
    assert {read.table(name).date_format for name in read.tables} == {"YYYYMMDD"}


def test_a_table_that_two_mappings_have_is_settled_in_words(tmp_path: Path) -> None:
    for name in ("crm", "bills"):
        base(tmp_path, name, f"version: 1\ntables: {{accounts: {{file: {name}.csv}}}}\n")
    use = "version: 1\nuse: [crm.yml, bills.yml]\n"
    assert refused(tmp_path, use) == (
        "x.yml: accounts stands in crm.yml and in bills.yml. Say which one feeds it: "
        "`tables: {accounts: {use: crm.yml}}`."
    )
    read = read_mapping(mapping(tmp_path, use + "tables: {accounts: {use: bills.yml, columns: {name: N}}}\n"))
    assert (read.tables["accounts"].file, read.tables["accounts"].columns) == ("bills.csv", {"name": "N"})
    read = read_mapping(mapping(tmp_path, use + "tables: {accounts: {file: own.csv}}\n"))
    assert read.tables["accounts"].file == "own.csv"
    read = read_mapping(mapping(tmp_path, "version: 1\ntables: {accounts: {use: crm.yml}}\n"))
    assert read.tables["accounts"].file == "crm.csv"


def test_settings_that_two_mappings_say_differently_are_not_guessed(tmp_path: Path) -> None:
    for name, currency in (("crm", "EUR"), ("bills", "USD")):
        base(tmp_path, name, f"version: 1\ncurrency: {currency}\n")
    use = "version: 1\nuse: [crm.yml, bills.yml]\n"
    assert "differ in currency: crm.yml EUR, bills.yml USD. Say here which it is" in refused(tmp_path, use)
    assert read_mapping(mapping(tmp_path, use + "currency: CHF\n")).currency == "CHF"


def test_mappings_that_use_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    base(tmp_path, "a", "version: 1\nuse: b.yml\n")
    base(tmp_path, "b", "version: 1\nuse: a.yml\n")
    assert "a.yml leads back to itself: a -> b -> a. Take one of them out." in refused(
        tmp_path, "version: 1\nuse: a.yml\n"
    )


def test_problems_of_a_used_mapping_carry_its_name(tmp_path: Path) -> None:
    base(tmp_path, "a", "version: 1\ncurency: EUR\noverlap: summ\n")
    text = refused(tmp_path, "version: 1\nuse: [a.yml, strpe, b.yml]\n")
    assert "a.yml: unknown key 'curency'. Did you mean 'currency'?" in text
    assert "a.yml: overlap 'summ' is not sum or error." in text
    assert "x.yml: use: strpe: there is no ready mapping of that name. Did you mean 'stripe'?" in text
    assert "b.yml: there is no such mapping file." in text


def test_what_a_used_mapping_says_counts_for_contradictions(tmp_path: Path) -> None:
    base(tmp_path)
    text = refused(tmp_path, "version: 1\nuse: base.yml\nobserved_from: 2025-01-01\n")
    assert text == (
        "x.yml: data_through 2024-06-30 is before observed_from 2025-01-01. Both are days that were loaded."
    )


# --- ready ones, by name ---------------------------------------------------------------------------------------


def test_a_ready_mapping_is_named_or_given_as_a_file() -> None:
    assert read_mapping("stripe") == read_mapping(ready_mappings()["stripe"])
    assert find_mapping(None, "stripe").tables["subscriptions"].file == "subscriptions.csv"
    assert find_mapping(None, None) == ExportMapping()
    assert find_mapping(None, "") == ExportMapping()


def test_a_ready_mapping_is_found_from_the_folder_of_the_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "notebooks")
    assert read_mapping("zendesk").partial
    assert read_mapping("data/mappings/zendesk.yml").partial


def test_a_projects_own_mappings_are_known_by_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data" / "mappings").mkdir(parents=True)
    (tmp_path / "data" / "mappings" / "ours.yml").write_text("version: 1\nuse: stripe\ncompany: Ours\n")
    monkeypatch.chdir(tmp_path)
    assert read_mapping("ours").company == "Ours"


def test_an_unknown_name_lists_the_ready_mappings() -> None:
    with pytest.raises(MappingError) as caught:
        read_mapping("salesfroce")
    message = str(caught.value)
    assert message.startswith("salesfroce: there is no ready mapping of that name. Did you mean 'salesforce'?")
    assert "Ready are: chargebee, hubspot, ibm_telco," in message and "Or give the path of a YAML file." in message


# --- the file itself ------------------------------------------------------------------------------------------


def test_broken_yaml_names_file_and_line(tmp_path: Path) -> None:
    text = refused(tmp_path, "version: 1\ncompany: Example\ntables: {accounts: {file: a.csv\n")
    assert text.startswith("x.yml, line 4: this is not YAML")


def test_a_key_that_stands_twice_is_not_silently_overwritten(tmp_path: Path) -> None:
    text = refused(tmp_path, "version: 1\ncurrency: EUR\ncurrency: USD\n")
    assert "x.yml, line 3" in text and "the key 'currency' stands twice" in text


@pytest.mark.parametrize("text", ["", "just words\n", "- a\n- b\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "version: 1" in refused(tmp_path, text)


def test_a_missing_mapping_file_names_the_nearest_one(tmp_path: Path) -> None:
    mapping(tmp_path, "version: 1\n").rename(tmp_path / "ravenstack.yml")
    with pytest.raises(MappingError, match=r"Did you mean 'ravenstack.yml'\?"):
        read_mapping(tmp_path / "ravenstak.yml")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("YYYY-MM-DD", "%Y-%m-%d"),
        ("DD-MM-YYYY", "%d-%m-%Y"),
        ("M/D/YYYY", "%m/%d/%Y"),
        ("D MMM YY", "%d %b %y"),
        ("YYYYMMDD", "%Y%m%d"),
        ("YYYY-MM-DDTHH:mm:ss", "%Y-%m-%dT%H:%M:%S"),
        ("%d.%m.%Y", "%d.%m.%Y"),
    ],
)
def test_date_formats_are_written_in_either_way(written: str, read: str) -> None:
    assert strptime_format(written) == read


@pytest.mark.parametrize("written", ["DD-MM", "yyyy-mm-dd", "YYYY", "%Q-%Y-%m", "day-month-year"])
def test_a_format_that_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="date format"):
        strptime_format(written)


# --- what a mapping does --------------------------------------------------------------------------------------

EXPORT_MAPPING = """\
version: 1
currency: EUR
date_format: DD-MM-YYYY
observed_from: 2024-01-01
data_through: 2024-06-30
tables:
  accounts:
    file: firms.csv
    columns: {account_id: id, segment: size, region: null}
    attributes: {owner: Owner}
    constants: {country: DE}
  subscriptions:
    file: contracts.csv
    columns: {account_id: firm, start_date: from, end_date: to, mrr: amount, plan: product}
    constants: {term_months: 12}
    values: {plan: {P: pro}}
    drop_where: {trial: TRUE}
"""


def export(folder: Path) -> Path:
    (folder / "firms.csv").write_text("id,size,region,Owner,phone\n01,SMB,x,Kim,1\n02,Mid,y,Lee,2\n")
    (folder / "contracts.csv").write_text(
        "firm,from,to,amount,product,trial\n01,03-01-2024,,10,P,FALSE\n02,04-02-2024,05-03-2024,20,B,false\n"
        "02,01-01-2024,04-02-2024,0,B,TRUE\n"
    )
    (folder / "mapping.yml").write_text(EXPORT_MAPPING)
    return folder


def test_an_export_is_read_under_the_contracts_names(tmp_path: Path) -> None:
    tables = load(export(tmp_path))
    assert tables.accounts.to_dict("list") == {
        "account_id": ["01", "02"], "segment": ["SMB", "Mid"], "country": ["DE", "DE"], "owner": ["Kim", "Lee"],
    }  # fmt: skip
    rows = tables.subscriptions
    assert [f"{day:%Y-%m-%d}" for day in rows["start_date"]] == ["2024-01-03", "2024-02-04"]
    assert list(rows["plan"]) == ["pro", "B"] and list(rows["term_months"]) == [12.0, 12.0]
    assert tables.set_aside[["check", "row", "account_id"]].to_numpy().tolist() == [["drop_where", 4, "02"]]


def test_a_header_the_export_does_not_have_is_named_with_what_it_has(tmp_path: Path) -> None:
    folder = export(tmp_path)
    text = EXPORT_MAPPING.replace("mrr: amount", "mrr: amuont").replace("owner: Owner", "owner: Ower")
    (folder / "mapping.yml").write_text(text.replace("plan: product", "plan: prodct").replace("{trial:", "{tryal:"))
    with pytest.raises(ContractError) as caught:
        load(folder)
    message = str(caught.value)
    for part in [
        "contracts.csv: no column 'amuont' for mrr", "Did you mean 'amount'?",
        "firms.csv: no column 'Ower' for owner", "Did you mean 'Owner'?",
        "contracts.csv: no column 'prodct' for plan", "no column 'tryal', which drop_where names",
    ]:  # fmt: skip
        assert part in message, f"{part!r} not in:\n{message}"


def test_columns_that_only_the_outcome_fills_are_marked() -> None:
    assert known_only_after_outcome("subscriptions", TABLES["subscriptions"].names) == ("end_date", "notice_date")
    assert known_only_after_outcome("accounts", ["account_id", "industry", "churn_flag"]) == ("churn_flag",)


@pytest.mark.parametrize("name", ["rot13", "base64", "hex", "zlib"])
def test_a_codec_that_makes_no_text_is_no_encoding(tmp_path: Path, name: str) -> None:
    text = refused(tmp_path, f"version: 1\nencoding: {name}\n")
    assert text.startswith(f"x.yml: encoding: '{name}' is no text encoding")


def test_a_constant_loses_the_space_around_it_like_any_other_text(tmp_path: Path) -> None:
    folder = export(tmp_path)
    (folder / "mapping.yml").write_text(EXPORT_MAPPING.replace("{country: DE}", '{country: " DE "}'))
    assert list(load(folder).accounts["country"]) == ["DE", "DE"]


def test_a_mapping_file_that_is_not_utf_8_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_bytes("version: 1\ncompany: Müller\n".encode("latin-1"))
    with pytest.raises(MappingError) as caught:
        read_mapping(tmp_path / "x.yml")
    assert str(caught.value) == "x.yml: the file is not UTF-8.\n  Save it as UTF-8."


def test_a_required_column_set_to_null_is_named_with_what_null_means(tmp_path: Path) -> None:
    folder = export(tmp_path)
    (folder / "mapping.yml").write_text(EXPORT_MAPPING.replace("mrr: amount", "mrr: null"))
    with pytest.raises(ContractError) as caught:
        load(folder)
    message = str(caught.value)
    assert "contracts.csv: the mapping says `mrr: null`, which leaves out a column that is required." in message
    assert "firm, from, to, amount, product, trial" in message and "Did you mean" not in message


def test_the_convention_of_end_dates_is_one_of_two_and_belongs_to_subscriptions(tmp_path: Path) -> None:
    assert read_mapping(mapping(tmp_path, "version: 1\n")).table("subscriptions").end_date_is == "first_unpaid_day"
    text = refused(
        tmp_path, "version: 1\nend_date_is: last_payed_day\ntables: {accounts: {end_date_is: last_paid_day}}\n"
    )
    assert "end_date_is 'last_payed_day' is not first_unpaid_day or last_paid_day" in text
    assert "Did you mean 'last_paid_day'?" in text
    assert "end_date_is in tables.accounts: only subscriptions have an end_date. Leave the key out." in text


# --- whatever is written, the answer is a mapping or a MappingError --------------------------------------------

WORDS = st.sampled_from(
    [
        "",
        "x",
        "mrr",
        "opened_at",
        "end_date",
        "orphan",
        "base.yml",
        "stripe",
        "2024-01-31",
        "YYYY-MM-DD",
        "seconds",
        0,
        1,
    ]
)
NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(WORDS, inner, max_size=2)),
    max_leaves=4,
)
ENTRY = st.dictionaries(st.sampled_from([*TableMapping.model_fields, "colunms"]), NESTED, max_size=4)
ENTRIES = st.dictionaries(st.sampled_from([*TABLES, "acounts"]), st.one_of(ENTRY, NESTED), max_size=2)
CONTENT = st.fixed_dictionaries(
    {}, optional={key: ENTRIES if key == "tables" else NESTED for key in [*ExportMapping.model_fields, "tabels"]}
)


@settings(max_examples=60, deadline=None)
@given(content=CONTENT)
def test_no_content_of_a_mapping_file_is_answered_with_a_traceback(content: dict[str, object]) -> None:
    with TemporaryDirectory() as name:
        base(Path(name))
        path = Path(name) / "x.yml"
        path.write_text(yaml.safe_dump(content))
        with suppress(MappingError):
            assert isinstance(read_mapping(path), ExportMapping)
