"""A mapping file is read strictly: every problem at once, the nearest known key suggested, nothing guessed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from cs_helpers.contract import TABLES, known_only_after_outcome, strptime_format
from cs_helpers.errors import ContractError, MappingError
from cs_helpers.mapping import Mapping, read_mapping
from cs_helpers.tables import load

ROOT = Path(__file__).resolve().parents[1]


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
    assert (entry.file, entry.columns) == ("subscriptions.csv", {})
    assert (entry.date_format, entry.separator) == ("M/D/YYYY", "\t")


def test_a_table_may_override_what_the_file_says(tmp_path: Path) -> None:
    read = read_mapping(mapping(tmp_path, "version: 1\ntables: {accounts: {date_format: DD.MM.YYYY}}\n"))
    assert read.table("accounts").date_format == "DD.MM.YYYY"
    assert read.table("subscriptions").date_format == "YYYY-MM-DD"


def test_a_mapping_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Mapping().company = "Other"  # type: ignore[misc]


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
        "set_aside, entry 1 'end_before_strat' is not",
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
    assert "contracts.csv: the mapping says `mrr: null`, which leaves the column out, and mrr is required." in message
    assert "firm, from, to, amount, product, trial" in message and "Did you mean" not in message


def test_the_convention_of_end_dates_is_one_of_two_and_belongs_to_subscriptions(tmp_path: Path) -> None:
    assert read_mapping(mapping(tmp_path, "version: 1\n")).table("subscriptions").end_date_is == "first_unpaid_day"
    text = refused(
        tmp_path, "version: 1\nend_date_is: last_payed_day\ntables: {accounts: {end_date_is: last_paid_day}}\n"
    )
    assert "end_date_is 'last_payed_day' is not first_unpaid_day or last_paid_day" in text
    assert "Did you mean 'last_paid_day'?" in text
    assert "end_date_is in tables.accounts: only subscriptions have an end_date. Leave the key out." in text
