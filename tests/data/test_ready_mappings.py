"""The mappings that come ready: each reads, names only what its export has, and gives the figures counted by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping import ExportMapping, TableMapping, read_mapping, ready_mappings
from cs_helpers.data.tables import Tables, load

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = ROOT / "tests" / "exports"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"
MADE_UP = ("stripe", "chargebee", "salesforce", "hubspot", "zendesk", "intercom")
REAL = {
    "ravenstack": "ravenstack/iso_dates",
    "ibm_telco": "ibm_telco_churn",
    "ibm_telco_v11": "ibm_telco_churn",
    "ibm_telco_status": "ibm_telco_churn",
    "pwc_call_centre": "pwc_call_centre",
    "pwc_call_centre_xlsx": "pwc_call_centre",
}


def real(name: str) -> Path:
    """The folder of a public data set. These are not part of the repository."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the public data set {name} is not here; it is kept beside the repository, not in it")
    return folder


def export(name: str) -> tuple[Path, str | Path]:
    """The folder to read a ready mapping on, and the mapping to read it with."""
    return (real(REAL[name]), name) if name in REAL else (EXPORTS / name, EXPORTS / name / "mapping.yml")


def headers(file: Path, sheet: str | None) -> list[str]:
    if file.suffix == ".xlsx":
        book = openpyxl.load_workbook(file, read_only=True)
        return [str(cell) for cell in next(book[sheet or book.sheetnames[0]].iter_rows(values_only=True))]
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines))


def named(entry: TableMapping) -> Iterator[str]:
    """Every header of the table's own file that the entry speaks of."""
    taken = {name for also in entry.also for name in also.headers or ()}
    said = [header for header in entry.columns.values() if header is not None]
    said += [header for many in entry.joined.values() for header in many]
    said += [*(entry.attributes or {}).values(), *entry.key, *entry.drop_where, *entry.keep_where]
    said += [header for where in entry.only_where.values() for header in where]
    said += [header for offset in entry.offsets.values() for header in (offset.add, offset.subtract) if header]
    said += [header for scale in entry.scale.values() for header in (*scale.times, *scale.per, *scale.by)]
    said += [header for also in entry.also for header in also.on]
    yield from (header for header in said if header not in taken)


# --- what is written ------------------------------------------------------------------------------------------


def test_every_ready_mapping_is_tried_on_an_export() -> None:
    assert set(ready_mappings()) == {*MADE_UP, *REAL}


@pytest.mark.parametrize("name", [*MADE_UP, *REAL])
def test_every_column_and_every_header_exists(name: str) -> None:
    folder, written = export(name)
    mapping = read_mapping(written)
    for table, entry in mapping.tables.items():
        for keys in (entry.columns, entry.joined, entry.constants, entry.offsets, entry.values, entry.scale):
            assert set(keys) <= set(TABLES[table].names)
        assert entry.file is not None
        has = headers(folder / entry.file, entry.sheet)
        assert [header for header in named(entry) if header not in has] == [], f"{name}: {table}"
        for also in entry.also:
            second = headers(folder / also.file, also.sheet)
            wanted = [*also.on.values(), *(also.headers or {}).values()]
            assert [header for header in wanted if header not in second] == []
    for record in mapping.churn_records:
        has = headers(folder / record.file, None)
        assert [
            header for header in (record.account_id, record.flag, record.date) if header and header not in has
        ] == []


@pytest.mark.parametrize("name", [*MADE_UP, *REAL])
def test_every_ready_mapping_is_in_the_readme_and_says_where_it_comes_from(name: str) -> None:
    text = (ROOT / "data" / "mappings" / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` |" in text
    assert ready_mappings()[name].read_text(encoding="utf-8").startswith("# ")


def test_the_commented_example_shows_every_key() -> None:
    text = ready_mappings()["ravenstack"].read_text(encoding="utf-8")
    keys = [*ExportMapping.model_fields, *TableMapping.model_fields]
    assert [key for key in keys if f"{key}:" not in text and key not in ("sheet", "header_row")] == []


def test_whatever_exists_only_because_of_the_outcome_is_marked() -> None:
    entry = read_mapping("ibm_telco_status").tables["accounts"]
    assert set(entry.outcome_only) == {
        "Total Charges", "Churn Label", "Churn Value", "Churn Score", "CLTV", "Churn Reason",
        "Satisfaction Score", "Customer Status", "Churn Category",
    }  # fmt: skip
    assert set(entry.outcome_only) <= set(entry.attributes or ())
    assert set(read_mapping("ibm_telco").tables["accounts"].outcome_only) == {"Churn", "TotalCharges"}


# --- what is loaded -------------------------------------------------------------------------------------------


@cache
def loaded(name: str) -> Tables:
    folder, written = export(name)
    return load(folder, mapping=written)


def row(frame: pd.DataFrame, key: str, value: str) -> pd.Series:
    return frame.set_index(key).loc[value]


def day(moment: object) -> str:
    return f"{pd.Timestamp(moment):%Y-%m-%d}"  # type: ignore[arg-type]


def minute(moment: object) -> str:
    return f"{pd.Timestamp(moment):%Y-%m-%d %H:%M}"  # type: ignore[arg-type]


def set_aside(tables: Tables) -> dict[tuple[str, str], int]:
    return tables.set_aside.groupby(["table", "check"]).size().to_dict()


def test_stripe() -> None:
    tables = loaded("stripe")
    rows = tables.subscriptions
    assert (len(tables.accounts), len(rows)) == (3, 4)
    assert rows.set_index("subscription_id")["mrr"].to_dict() == {
        "sub_1": 5 * 20.00,
        "sub_2": 2 * 600.00 / 12,
        "sub_3": 3 * 90.00 / 3,
        "sub_5": 30.00,
    }
    ended = row(rows, "subscription_id", "sub_3")
    assert [day(ended[name]) for name in ("start_date", "notice_date", "end_date")] == [
        "2023-02-01", "2023-05-10", "2023-08-01",
    ]  # fmt: skip
    assert rows.set_index("subscription_id")["is_trial"].astype(bool).to_dict() == {
        "sub_1": False, "sub_2": False, "sub_3": False, "sub_5": True,
    }  # fmt: skip
    assert set_aside(tables) == {("subscriptions", "drop_where"): 1}
    assert day(row(tables.accounts, "account_id", "cus_B2")["signup_date"]) == "2023-01-31"  # the day as written


def test_chargebee() -> None:
    tables = loaded("chargebee")
    rows = tables.subscriptions.set_index("subscription_id")
    assert rows["mrr"].to_dict() == {"S100": 100.00, "S101": 2400.00 / 12, "S102": 150.00 / 3, "S103": 50.00}
    assert pd.isna(rows.loc["S101", "end_date"]), "not renewed, but still running"
    assert day(rows.loc["S102", "end_date"]) == "2023-06-01"
    assert rows["is_trial"].astype(bool).to_dict() == {"S100": False, "S101": False, "S102": False, "S103": True}
    assert list(tables.accounts["name"]) == ["Moreau Mills", "Brandt Freight", "Okoye Print"]


def test_salesforce() -> None:
    tables = loaded("salesforce")
    assert list(tables.accounts["name"]) == ["Calder Bridge Co", "Nordhav Shipping"]
    renewals = tables.renewals
    assert renewals["account_id"].tolist() == ["001AA1", "001AA2", "001AA1"]
    assert renewals["target_mrr"].tolist() == [36000 / 12, 12000 / 12, 42000 / 12]
    assert renewals["renewed_mrr"].fillna(-1).tolist() == [3000, 0, -1], "0 is lost, empty is open"
    assert renewals["outcome"].fillna("open").tolist() == ["renewed", "lost", "open"]
    assert set_aside(tables) == {
        ("accounts", "drop_where"): 1,  # the deleted double
        ("renewals", "keep_where"): 1,  # new business
        ("renewals", "drop_where"): 1,  # without an account
        ("touches", "drop_where"): 1,
    }
    case = row(tables.tickets, "ticket_id", "500C1")
    assert (minute(case["opened_at"]), minute(case["resolved_at"])) == ("2024-02-05 09:30", "2024-02-05 15:00")
    assert tables.touches[["kind", "hours", "rep_id"]].to_numpy().tolist() == [["check_in", 1.5, "005R1"]]
    assert row(tables.reps, "rep_id", "005R1")["manager_id"] == "005R3"


def test_hubspot() -> None:
    tables = loaded("hubspot")
    assert tables.renewals["target_mrr"].tolist() == [6000 / 12, 24000 / 12]
    assert tables.renewals["renewed_mrr"].tolist() == [500, 0]
    ticket = row(tables.tickets, "ticket_id", "7101")
    assert minute(ticket["opened_at"]) == "2024-02-20 08:00", "09:00 in Madrid, in winter"
    assert minute(ticket["first_response_at"]) == "2024-02-20 08:40"
    assert minute(row(tables.tickets, "ticket_id", "7102")["opened_at"]) == "2024-06-03 16:05", "18:05 in summer"
    assert tables.touches["account_id"].tolist() == ["8101"], "neither the no-show nor the interview"


def test_zendesk() -> None:
    tickets = loaded("zendesk").tickets.set_index("ticket_id")
    assert tickets["csat"].fillna(0).to_dict() == {"4501": 5, "4502": 1, "4503": 0}, "offered is no answer"
    assert minute(tickets.loc["4501", "opened_at"]) == "2024-07-01 08:30", "09:30 in London, in summer"
    assert minute(tickets.loc["4501", "first_response_at"]) == "2024-07-01 09:15", "45 minutes later"
    assert pd.isna(tickets.loc["4503", "first_response_at"])
    assert tickets["reopened"].astype(bool).to_dict() == {"4501": False, "4502": True, "4503": False}
    assert tickets.loc["4502", "account_id"] == "Elm Cycles"


def test_intercom() -> None:
    tickets = loaded("intercom").tickets.set_index("ticket_id")
    assert minute(tickets.loc["215001", "opened_at"]) == "2024-03-30 11:00", "noon in Berlin, in winter"
    assert minute(tickets.loc["215002", "opened_at"]) == "2024-03-31 10:00", "noon in Berlin, the day summer time began"
    assert minute(tickets.loc["215002", "first_response_at"]) == "2024-03-31 12:00", "7,200 seconds later"
    assert minute(tickets.loc["215001", "resolved_at"]) == "2024-03-30 12:00"
    assert pd.isna(tickets.loc["215003", "resolved_at"]), "open again"
    assert tickets.loc["215001", "csat"] == 5


# --- the public data sets ---------------------------------------------------------------------------------------


def test_ibm_telco_becomes_subscriptions_that_end_on_the_declared_day() -> None:
    tables = loaded("ibm_telco")
    rows = tables.subscriptions.set_index("account_id")
    assert len(rows) == len(tables.accounts) == 7_043 - 11, "tenure 0 is not known yet"
    assert rows["end_date"].notna().sum() == 1_869
    assert rows.loc[rows["end_date"].isna(), "mrr"].sum() == pytest.approx(316_530.15, abs=0.005)
    assert (day(rows.loc["3668-QPYBK", "start_date"]), day(rows.loc["3668-QPYBK", "end_date"])) == (
        "2020-08-01", "2020-09-30",
    )  # fmt: skip
    assert day(rows.loc["5575-GNVDE", "start_date"]) == "2017-12-01", "34 months before 1 October 2020"
    assert (rows.loc["5575-GNVDE", "mrr"], rows.loc["5575-GNVDE", "term_months"]) == (56.95, 12)
    assert {"Churn", "TotalCharges"} <= set(tables.outcome_columns("accounts"))


@pytest.mark.parametrize("name", ["ibm_telco_v11", "ibm_telco_status"])
def test_both_newer_releases_give_the_same_subscriptions(name: str) -> None:
    tables, old = loaded(name), loaded("ibm_telco")
    columns = ["account_id", "start_date", "end_date", "mrr", "plan"]
    same = [each.subscriptions.sort_values("account_id")[columns].reset_index(drop=True) for each in (tables, old)]
    pd.testing.assert_frame_equal(*same)
    exits = tables.surveys
    assert len(exits) == 1_869 and set(exits["kind"]) == {"exit"} and exits["reason"].nunique() == 20
    if name == "ibm_telco_status":
        leak = tables.accounts.groupby("Satisfaction Score").size()
        assert leak.sum() == 7_032 and "Satisfaction Score" in tables.outcome_columns("accounts")


@pytest.mark.parametrize("place", ["csv", "xlsx", "workbook"])
def test_calls_become_tickets_from_the_csv_and_from_the_workbook(place: str) -> None:
    folder = real("pwc_call_centre")
    source = folder / "Call-Center-Dataset.xlsx" if place == "workbook" else folder
    tickets = load(source, mapping="pwc_call_centre_xlsx" if place == "xlsx" else "pwc_call_centre").tickets
    assert len(tickets) == 5_000
    assert int(tickets["answered"].sum()) == 4_054
    assert int(tickets["resolved_at"].notna().sum()) == 3_646
    assert tickets["csat"].sum() == 13_798 and tickets["rep_id"].nunique() == 8
    first = row(tickets, "ticket_id", "ID0001")
    assert f"{first['opened_at']:%Y-%m-%d %H:%M:%S}" == "2021-01-01 09:12:58"
    assert f"{first['first_response_at']:%H:%M:%S}" == "09:14:47", "109 seconds later"
    assert f"{first['resolved_at']:%H:%M:%S}" == "09:17:10", "after 2 min 23 s of talk"
    assert first["handle_minutes"] == pytest.approx(2 + 23 / 60)


def test_ravenstack_in_all_its_five_files() -> None:
    tables = loaded("ravenstack")
    assert (len(tables.accounts), len(tables.subscriptions)) == (500, 5_000 - 13)
    assert len(tables.tickets) == 2_000 and int(tables.tickets["csat"].notna().sum()) == 1_175
    first = row(tables.tickets, "ticket_id", "T-0024de")
    assert minute(first["first_response_at"]) == "2023-07-27 01:14", "74 minutes after midnight"
    assert minute(first["resolved_at"]) == "2023-07-28 03:00"
    assert len(tables.surveys) == 600 and set(tables.surveys["stage"]) == {"exit"}
    aside = set_aside(tables)
    assert aside["subscriptions", "zero_day"] == 13
    assert aside["usage", "usage_before_start"] == 19_142
    repeated = next(finding for finding in tables.quality if finding.check == "repeated_key")
    assert (repeated.table, repeated.rows) == ("usage", 42)
    used = tables.usage
    assert (used["account_id"].notna().all(), used["minutes"].max() < 1_000) == (True, True)


def test_the_copy_with_other_dates_is_the_same_but_for_one_line(tmp_path: Path) -> None:
    iso = loaded("ravenstack")
    (tmp_path / "other.yml").write_text("version: 1\nuse: ravenstack\ndate_format: DD-MM-YYYY\n")
    other = load(real("ravenstack/as_found_ddmmyyyy"), mapping=tmp_path / "other.yml")
    for name in ("accounts", "subscriptions", "tickets", "surveys"):
        pd.testing.assert_frame_equal(getattr(iso, name), getattr(other, name))


# --- several products of one company ------------------------------------------------------------------------------


def test_a_crm_a_billing_system_and_a_help_desk_make_one_company(tmp_path: Path) -> None:
    for file in ("stripe/subscriptions.csv", "zendesk/tickets.csv"):
        (tmp_path / Path(file).name).write_bytes((EXPORTS / file).read_bytes())
    (tmp_path / "Account.csv").write_text(
        "Id,IsDeleted,Name,Type,BillingState,BillingCountry,Industry,NumberOfEmployees,AccountSource,OwnerId,Billing__c\n"
        "001,false,Frost & Daughters,SMB,Kent,United Kingdom,Retail,20,Web,005,cus_A1\n"
        "002,false,Elm Cycles,SMB,Kent,United Kingdom,Retail,9,Web,005,cus_B2\n"
        "003,false,Tallow & Sons,SMB,Kent,United Kingdom,Retail,31,Web,005,cus_C3\n"
    )
    (tmp_path / "mapping.yml").write_text(
        """\
version: 1
use: [salesforce, stripe, zendesk]
currency: EUR
observed_from: 2023-01-01
data_through: 2024-07-31
set_aside: [orphan]        # the help desk knows companies by name only
tables:
  accounts: {use: salesforce, columns: {account_id: Billing__c}}
  tickets: {use: zendesk, timezone: Europe/London}
  renewals: null           # not exported
  touches: null
  reps: null
"""
    )
    mapping = read_mapping(tmp_path / "mapping.yml")
    assert list(mapping.tables) == ["accounts", "tickets", "subscriptions"] and not mapping.partial
    assert mapping.table("subscriptions").timezone == "UTC"
    tables = load(tmp_path)
    assert list(tables.accounts["name"]) == ["Frost & Daughters", "Elm Cycles", "Tallow & Sons"]
    assert list(tables.accounts["segment"]) == ["SMB"] * 3
    assert tables.subscriptions["mrr"].sum() == 100 + 100 + 90 + 30
    assert set_aside(tables)["tickets", "orphan"] == 2
