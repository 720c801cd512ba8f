"""From files to frozen tables: what is kept, what is cut, what is said."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.data.tables import Finding, Tables, load

DATASETS = Path(__file__).resolve().parents[3] / "shared" / "datasets"
RAVENSTACK_MAPPING = Path(__file__).resolve().parents[2] / "data" / "mappings" / "ravenstack.yml"
needs_ravenstack = pytest.mark.skipif(
    not (DATASETS / "ravenstack").is_dir(), reason="the RavenStack export is not on this machine"
)

SETTINGS = """\
version: 1
company: Example
currency: EUR
observed_from: 2024-01-01
data_through: 2024-06-30
"""
ACCOUNTS = "account_id,name,segment,tier\nA-2,Beta,Enterprise,gold\nA-1,Alpha,SMB,\n"
SUBSCRIPTIONS = """\
account_id,start_date,end_date,mrr,plan
A-2,2024-02-01,2024-05-01,50,pro
A-1,2024-04-01,,120.005,pro
A-1,2024-01-01,2024-04-01,100,basic
"""


def write(
    folder: Path, accounts: str = ACCOUNTS, subscriptions: str = SUBSCRIPTIONS, settings: str | None = SETTINGS
) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "accounts.csv").write_text(accounts, encoding="utf-8")
    (folder / "subscriptions.csv").write_text(subscriptions, encoding="utf-8")
    if settings is not None:
        (folder / "mapping.yml").write_text(settings)
    return folder


def found(tables: Tables, check: str) -> Finding:
    return next(finding for finding in tables.quality if finding.check == check)


def checks(tables: Tables) -> list[str]:
    return [finding.check for finding in tables.quality]


def assert_same(left: Tables, right: Tables) -> None:
    assert_frame_equal(left.accounts, right.accounts)
    assert_frame_equal(left.subscriptions, right.subscriptions)
    assert_frame_equal(left.set_aside, right.set_aside)
    assert left.quality == right.quality
    for name in ("company", "currency", "as_of", "observed_from", "data_through", "where"):
        assert getattr(left, name) == getattr(right, name), name


# --- shape ----------------------------------------------------------------------------------------------------


def test_accounts_and_subscriptions_are_typed_and_sorted(tmp_path: Path) -> None:
    tables = load(write(tmp_path))
    assert_frame_equal(
        tables.accounts,
        pd.DataFrame(
            {
                "account_id": ["A-1", "A-2"],
                "name": ["Alpha", "Beta"],
                "segment": ["SMB", "Enterprise"],
                "tier": pd.Series([None, "gold"], dtype="str"),
            }
        ),
    )
    assert_frame_equal(
        tables.subscriptions,
        pd.DataFrame(
            {
                "account_id": ["A-1", "A-1", "A-2"],
                "start_date": pd.to_datetime(["2024-01-01", "2024-04-01", "2024-02-01"]).astype("datetime64[us]"),
                "end_date": pd.to_datetime(["2024-04-01", "NaT", "2024-05-01"]).astype("datetime64[us]"),
                "mrr": [100.0, 120.01, 50.0],  # 120.005 in the file, rounded as written and not as stored in binary
                "plan": ["basic", "pro", "pro"],
            }
        ),
    )
    assert tables.quality == ()
    assert (tables.company, tables.currency) == ("Example", "EUR")
    assert tables.as_of == pd.Timestamp("2024-07-01")
    assert tables.data_through == pd.Timestamp("2024-06-30")


def test_the_repr_reads_as_a_summary(tmp_path: Path) -> None:
    text = repr(load(write(tmp_path), where={"segment": "SMB"}))
    assert text.startswith("Tables of Example as of 1 July 2024, only segment = SMB\n")
    assert "1 January 2024 to 30 June 2024" in text and "MRR in EUR" in text


def test_the_order_of_rows_in_the_files_changes_nothing(tmp_path: Path) -> None:
    head, *rows = SUBSCRIPTIONS.splitlines()
    again = write(tmp_path / "b", subscriptions="\n".join([head, *rows[::-1]]) + "\n")
    assert_same(load(write(tmp_path / "a")), load(again))


def test_leading_zeros_the_text_na_and_a_byte_order_mark_survive(tmp_path: Path) -> None:
    accounts = "\ufeffaccount_id,name,country\n007,NA,NA\n7,None,null\n"
    tables = load(write(tmp_path, accounts, "account_id,start_date,end_date,mrr\n007,2024-01-01,,1\n7,2024-01-01,,2\n"))
    assert tables.accounts.to_dict("list") == {
        "account_id": ["007", "7"], "name": ["NA", "None"], "country": ["NA", "null"],
    }  # fmt: skip
    assert list(tables.subscriptions["account_id"]) == ["007", "7"]


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '=HYPERLINK(""http://x"")',
        "Robert'); DROP TABLE accounts;--",
        "a, b\nc",
        "日本 🦉",
        "{{7*7}}",
    ],
)
def test_hostile_names_are_text_like_any_other(tmp_path: Path, name: str) -> None:
    tables = load(write(tmp_path, f'account_id,name\nA-1,"{name}"\nA-2,Beta\n'))
    assert tables.accounts["name"][0] == name.replace('""', '"')


def test_money_is_rounded_to_cents_and_a_decimal_comma_is_read(tmp_path: Path) -> None:
    rows = "account_id;start_date;end_date;mrr\nA-1;2024-01-01;;1234,567\nA-2;2024-01-01;;0,1\n"
    settings = f'{SETTINGS}separator: ";"\ndecimal: ","\n'
    tables = load(write(tmp_path, ACCOUNTS.replace(",", ";"), rows, settings))
    assert list(tables.subscriptions["mrr"]) == [1234.57, 0.1]


def test_the_fingerprint_follows_the_bytes_and_not_the_place(tmp_path: Path) -> None:
    first, moved = load(write(tmp_path / "a")), load(write(tmp_path / "b"))
    changed = load(write(tmp_path / "c", subscriptions=SUBSCRIPTIONS.replace("120.005", "120.006")))
    assert first.fingerprint == moved.fingerprint != changed.fingerprint
    assert len(first.fingerprint) == 12 and int(first.fingerprint, 16) >= 0


def test_the_source_is_never_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "export")
    assert load(folder).source == "export"
    monkeypatch.chdir(tmp_path)
    assert load("export").source == "export"


# --- the cut --------------------------------------------------------------------------------------------------


def test_rows_that_only_the_future_knows_change_nothing(tmp_path: Path) -> None:
    later = SUBSCRIPTIONS.replace("A-1,2024-04-01,,", "A-1,2024-04-01,2024-06-15,")
    later += "A-2,2024-06-01,,70,pro\nA-3,2024-07-01,,10,pro\nA-2,2024-06-10,2024-06-10,1,pro\n"
    now = load(write(tmp_path / "now"), as_of="2024-06-01")
    then = load(write(tmp_path / "then", f"{ACCOUNTS}A-3,Gamma,SMB,\n", later), as_of="2024-06-01")
    assert_same(now, then)
    assert now.subscriptions["end_date"].isna().sum() == 1


def test_an_end_before_as_of_is_known_and_one_on_it_belongs_to_the_next_month(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,mrr\nA-1,2024-01-01,2024-05-31,1\nA-2,2024-01-01,2024-06-01,1\n"
    ends = load(write(tmp_path, subscriptions=rows), as_of="2024-06-01").subscriptions["end_date"]
    assert list(ends.isna()) == [False, True]


@pytest.mark.parametrize("given", ["2024-05-17", dt.date(2024, 5, 17), pd.Timestamp("2024-05-17 13:00"), "2024-05-01"])
def test_as_of_stands_on_the_first_of_its_month(tmp_path: Path, given: object) -> None:
    assert load(write(tmp_path), as_of=given).as_of == pd.Timestamp("2024-05-01")  # type: ignore[arg-type]


@pytest.mark.parametrize(("last", "as_of"), [("2024-06-30", "2024-07-01"), ("2024-06-29", "2024-06-01")])
def test_the_default_as_of_follows_the_last_complete_month(tmp_path: Path, last: str, as_of: str) -> None:
    tables = load(write(tmp_path, settings=SETTINGS.replace("2024-06-30", last)))
    assert tables.as_of == pd.Timestamp(as_of)


def test_undeclared_settings_are_inferred_and_said(tmp_path: Path) -> None:
    tables = load(write(tmp_path, settings=None))
    assert tables.data_through == pd.Timestamp("2024-04-01")  # the latest start
    assert tables.as_of == pd.Timestamp("2024-04-01")
    assert tables.observed_from == pd.Timestamp("2024-01-01")  # the first end is exactly three months later
    assert checks(tables) == ["data_through_inferred", "observed_from_inferred", "currency_undeclared"]
    assert "`data_through`" in found(tables, "data_through_inferred").message
    assert (tables.company, tables.currency) == (tmp_path.name, "")


def test_starts_long_before_the_first_recorded_end_move_observed_from(tmp_path: Path) -> None:
    rows = f"{SUBSCRIPTIONS}A-2,2020-03-15,,10,pro\n"
    tables = load(write(tmp_path, subscriptions=rows, settings=SETTINGS.replace("observed_from: 2024-01-01\n", "")))
    assert tables.observed_from == pd.Timestamp("2024-04-01")  # first end: 2024-04-01
    note = found(tables, "observed_from_inferred")
    assert note.rows == 3  # starts on 2020-03-15, 2024-01-01, 2024-02-01
    assert "seem to be missing" in note.message and "`observed_from`" in note.message


# --- where ----------------------------------------------------------------------------------------------------


def test_where_keeps_the_accounts_and_their_subscriptions(tmp_path: Path) -> None:
    tables = load(write(tmp_path), where={"segment": "Enterprise", "tier": "gold"})
    assert list(tables.accounts["account_id"]) == ["A-2"]
    assert list(tables.subscriptions["mrr"]) == [50.0]
    assert tables.where == {"segment": "Enterprise", "tier": "gold"}


# --- set aside ------------------------------------------------------------------------------------------------


def test_zero_day_subscriptions_are_set_aside_counted_and_listed(tmp_path: Path) -> None:
    tables = load(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,2024-03-05,2024-03-05,9,pro\n"))
    assert len(tables.subscriptions) == 3
    assert tables.set_aside.to_dict("records") == [
        {
            "table": "subscriptions",
            "check": "zero_day",
            "row": 5,
            "account_id": "A-1",
            "reason": "starts and ends on 2024-03-05: no day was paid for",
        }
    ]
    assert [(each.check, each.severity, each.rows) for each in tables.quality] == [("zero_day", "set aside", 1)]


def test_named_errors_are_set_aside_on_request_and_the_rest_stands(tmp_path: Path) -> None:
    bad = "A-1,2024-03-01,2024-01-31,9,pro\nA-9,2024-03-01,,9,pro\nA-1,2024-04-01,,120.005,pro\n"
    settings = f"{SETTINGS}set_aside: [end_before_start, orphan, repeated_row]\n"
    tables = load(write(tmp_path, subscriptions=SUBSCRIPTIONS + bad, settings=settings))
    listed = tables.set_aside[["check", "row", "account_id"]].sort_values("row")
    assert listed.to_numpy().tolist() == [
        ["end_before_start", 5, "A-1"], ["orphan", 6, "A-9"], ["repeated_row", 7, "A-1"],
    ]  # fmt: skip
    assert_frame_equal(tables.subscriptions, load(write(tmp_path / "clean")).subscriptions)


def test_repeated_rows_without_a_key_are_kept_and_said(tmp_path: Path) -> None:
    tables = load(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,2024-04-01,,120.005,pro\n"))
    assert len(tables.subscriptions) == 4
    assert "1 row of subscriptions.csv repeat" in found(tables, "repeated_row").message


# --- warnings -------------------------------------------------------------------------------------------------


def test_concurrent_subscriptions_are_counted_and_back_to_back_ones_are_not(tmp_path: Path) -> None:
    assert "concurrent_subscriptions" not in checks(load(write(tmp_path / "a")))  # ends and starts on 04-01
    more = f"{SUBSCRIPTIONS}A-2,2024-03-01,,1,x\nA-2,2024-04-01,2024-04-03,1,y\n"
    note = found(load(write(tmp_path / "b", subscriptions=more)), "concurrent_subscriptions")
    assert "1 of 2 accounts hold several subscriptions at once (up to 3)" in note.message


def ends_per_month(*counts: int) -> str:
    rows = ["account_id,start_date,end_date,mrr", "A-1,2024-01-01,,1"]
    for month, count in enumerate(counts, start=1):
        rows += [f"A-2,2024-01-01,2024-{month:02d}-15,1"] * count
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("counts", "warned"),
    [
        ((8, 4, 6, 6, 6, 20), True),  # 20 > 3 x 30 / 5 = 18
        ((8, 4, 8, 8, 7, 20), False),  # 20 < 3 x 35 / 5 = 21
        ((1, 1, 1, 1, 1, 19), False),  # 19 rows are too few to say
    ],
)
def test_churn_piling_up_in_the_last_month_is_said(tmp_path: Path, counts: tuple[int, ...], warned: bool) -> None:
    tables = load(write(tmp_path, subscriptions=ends_per_month(*counts)))
    assert ("churn_piles_up" in checks(tables)) is warned


RECORDS = "churn_records:\n  - {name: account flags, file: accounts.csv, flag: gone, true_values: [TRUE]}\n"


def test_a_churn_record_that_disagrees_with_the_paid_periods_is_spelled_out(tmp_path: Path) -> None:
    accounts = "account_id,gone\nA-1,TRUE\nA-2,FALSE\n"  # by paid periods it is A-2 that stopped
    tables = load(write(tmp_path, accounts, settings=SETTINGS + RECORDS))
    assert found(tables, "churn_records_disagree").message == (
        "2 records of who left disagree: account flags mark 1 of 2 accounts, ended subscriptions are 2 of 3 "
        "(2 accounts). By paid periods 1 of 2 accounts had stopped paying on 1 July 2024. The figures here rest on "
        "paid periods."
    )


def test_a_churn_record_that_agrees_is_not_mentioned(tmp_path: Path) -> None:
    assert checks(load(write(tmp_path, "account_id,gone\nA-1,FALSE\nA-2,TRUE\n", settings=SETTINGS + RECORDS))) == []


# --- a real export --------------------------------------------------------------------------------------------


@needs_ravenstack
def test_ravenstack_is_the_same_company_in_both_date_formats(tmp_path: Path) -> None:
    changed = RAVENSTACK_MAPPING.read_text().replace("date_format: YYYY-MM-DD", "date_format: DD-MM-YYYY")
    assert changed != RAVENSTACK_MAPPING.read_text()
    (tmp_path / "ravenstack.yml").write_text(changed)
    iso = load(DATASETS / "ravenstack" / "iso_dates", RAVENSTACK_MAPPING)
    as_found = load(DATASETS / "ravenstack" / "as_found_ddmmyyyy", tmp_path / "ravenstack.yml")
    assert_same(iso, as_found)
    assert (len(iso.accounts), len(iso.subscriptions)) == (500, 5_000 - 13)
    assert iso.set_aside["check"].value_counts().to_dict() == {
        "usage_before_start": 19_142,
        "usage_after_end": 292,  # 290 after the end, 2 on the end day itself, which is not paid any more
        "zero_day": 13,
    }


@needs_ravenstack
def test_ravenstack_says_that_its_three_records_of_churn_disagree() -> None:
    tables = load(DATASETS / "ravenstack" / "iso_dates", RAVENSTACK_MAPPING)
    assert found(tables, "churn_records_disagree").message == (
        "3 records of who left disagree: account flags mark 110 of 500 accounts, churn events name 352 accounts "
        "(600 events), ended subscriptions are 486 of 5,000 (312 accounts). By paid periods 0 of 500 accounts had "
        "stopped paying on 1 January 2025. The figures here rest on paid periods."
    )
    piled = found(tables, "churn_piles_up").message  # 193 and 73 of 486, less the zero-day ones
    assert "311 of 473 ended subscriptions" in piled
    assert "(182 in December 2024, 71 in November 2024 and 58 in October 2024)" in piled
    assert "churn_flag" not in tables.accounts  # known only afterwards


def test_where_reads_text_as_notebooks_write_it_and_empty_text_is_no_condition(tmp_path: Path) -> None:
    write(tmp_path)
    assert_same(load(tmp_path, where="segment=SMB"), load(tmp_path, where={"segment": "SMB"}))
    assert_same(load(tmp_path, mapping="", as_of="", where=""), load(tmp_path))


@pytest.mark.parametrize("where", ["segment", "segment=", "=SMB", "segment=SMB, region"])
def test_where_that_is_no_condition_is_refused_with_an_example(tmp_path: Path, where: str) -> None:
    with pytest.raises(ParameterError, match="Write it as segment=SMB"):
        load(write(tmp_path), where=where)


def test_a_notebook_run_in_its_own_folder_finds_what_the_project_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "export")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert load("export", mapping="export/mapping.yml").source == "export"
    monkeypatch.chdir(tmp_path)
    assert load("export").source == "export"


# --- the convention of end dates ------------------------------------------------------------------------------

LAST_PAID_DAY = SETTINGS + "end_date_is: last_paid_day\n"


def test_ends_that_are_the_last_paid_day_are_moved_to_the_first_unpaid_day(tmp_path: Path) -> None:
    inclusive = SUBSCRIPTIONS.replace("2024-02-01,2024-05-01", "2024-02-01,2024-04-30").replace(
        "2024-01-01,2024-04-01", "2024-01-01,2024-03-31"
    )
    said = load(write(tmp_path / "a", subscriptions=inclusive, settings=LAST_PAID_DAY))
    assert_same(said, load(write(tmp_path / "b")))


def test_the_convention_of_end_dates_can_be_set_for_the_table_alone(tmp_path: Path) -> None:
    settings = f"{SETTINGS}tables: {{subscriptions: {{end_date_is: last_paid_day}}}}\n"
    ends = load(write(tmp_path, settings=settings)).subscriptions["end_date"]
    assert [f"{end:%Y-%m-%d}" for end in ends.dropna()] == ["2024-04-02", "2024-05-02"]


def test_one_day_is_paid_where_the_last_paid_day_is_the_first_and_none_where_it_is_the_day_before(
    tmp_path: Path,
) -> None:
    rows = f"{SUBSCRIPTIONS}A-1,2024-03-05,2024-03-05,9,pro\nA-1,2024-03-07,2024-03-06,9,pro\n"
    tables = load(write(tmp_path, subscriptions=rows, settings=LAST_PAID_DAY))
    paid = tables.subscriptions[tables.subscriptions["mrr"] == 9]
    assert list(paid["end_date"]) == [pd.Timestamp("2024-03-06")]
    assert tables.set_aside[["check", "row", "reason"]].to_numpy().tolist() == [
        ["zero_day", 6, "starts on 2024-03-07, its last paid day is 2024-03-06: no day was paid for"]
    ]


def renewals(one_day_later: int, same_day: int, a_month_later: int) -> str:
    """Accounts that end on 29 February and go on: on 1 March, on the day itself, or on 31 March."""
    starts = ["2024-03-01"] * one_day_later + ["2024-02-29"] * same_day + ["2024-03-31"] * a_month_later
    rows = ["account_id,start_date,end_date,mrr", "B-0,2024-01-01,2024-02-29,1", "B-0,2024-01-01,,1"]
    for number, start in enumerate(starts, start=1):
        rows += [f"B-{number},2024-01-01,2024-02-29,1", f"B-{number},{start},,1"]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("one_day_later", "same_day", "a_month_later", "warned"),
    [
        (5, 10, 10, True),  # 5 of 25 = 20 %; B-0 ends and never starts again, so it is no part of the 25
        (5, 10, 11, False),  # 5 of 26 < 20 %
        (4, 0, 0, False),  # fewer than 5
    ],
)
def test_ends_one_day_before_the_next_start_are_said_to_look_inclusive(
    tmp_path: Path, one_day_later: int, same_day: int, a_month_later: int, warned: bool
) -> None:
    rows = renewals(one_day_later, same_day, a_month_later)
    accounts = "account_id\n" + "".join(f"B-{n}\n" for n in range(one_day_later + same_day + a_month_later + 1))
    tables = load(write(tmp_path / "a", accounts, rows))
    assert ("ends_look_inclusive" in checks(tables)) is warned
    if warned:
        note = found(tables, "ends_look_inclusive")
        assert (note.severity, note.rows) == ("warning", 5)
        assert "5 of 25 ends" in note.message and "churn and return" in note.message
        assert "`end_date_is: last_paid_day`" in note.message
    assert "ends_look_inclusive" not in checks(load(write(tmp_path / "b", accounts, rows, LAST_PAID_DAY)))


def test_where_the_last_paid_day_is_declared_a_day_between_two_periods_is_no_reason_to_declare_it(
    tmp_path: Path,
) -> None:
    rows = renewals(5, 0, 0).replace("2024-02-29", "2024-02-28")  # paid to 28 February, again from 1 March
    tables = load(write(tmp_path, "account_id\n" + "".join(f"B-{n}\n" for n in range(6)), rows, LAST_PAID_DAY))
    assert f"{tables.subscriptions['end_date'].min():%Y-%m-%d}" == "2024-02-29"
    assert "ends_look_inclusive" not in checks(tables)


def test_a_start_on_the_end_day_itself_means_the_end_is_not_inclusive(tmp_path: Path) -> None:
    rows = renewals(5, 0, 0) + "".join(f"B-{n},2024-02-29,2024-05-01,1\n" for n in range(1, 6))
    tables = load(write(tmp_path, "account_id\n" + "".join(f"B-{n}\n" for n in range(6)), rows))
    assert "ends_look_inclusive" not in checks(tables)


# --- text -----------------------------------------------------------------------------------------------------


def test_space_around_text_makes_no_other_segment_account_or_translation(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace("A-2,Beta,Enterprise", " A-2 , Beta,SMB ")
    rows = SUBSCRIPTIONS.replace("A-1,2024-04-01,,120.005,pro", "A-1 ,2024-04-01,,120.005,pro ")
    settings = f"{SETTINGS}tables: {{subscriptions: {{values: {{plan: {{pro: Professional}}}}}}}}\n"
    tables = load(write(tmp_path, accounts, rows, settings))
    assert tables.accounts.drop(columns="tier").to_dict("list") == {
        "account_id": ["A-1", "A-2"], "name": ["Alpha", "Beta"], "segment": ["SMB", "SMB"],
    }  # fmt: skip
    assert list(tables.subscriptions["account_id"]) == ["A-1", "A-1", "A-2"]
    assert list(tables.subscriptions["plan"]) == ["basic", "Professional", "Professional"]


def test_account_ids_that_differ_only_by_letter_case_are_said(tmp_path: Path) -> None:
    tables = load(write(tmp_path, f"{ACCOUNTS}a-1,Other,SMB,\n"))
    note = found(tables, "account_ids_differ_by_case")
    assert (note.table, note.severity, note.rows) == ("accounts", "warning", 2)
    assert "2 account ids differ from another one only by letter case (A-1, a-1)" in note.message
    assert list(tables.accounts["account_id"]) == ["A-1", "A-2", "a-1"]


# --- as_of ----------------------------------------------------------------------------------------------------


def test_an_as_of_inside_a_month_is_moved_and_said(tmp_path: Path) -> None:
    note = found(load(write(tmp_path), as_of="2024-05-17"), "as_of_moved")
    assert note.severity == "note"
    assert "17 May 2024" in note.message and "1 May 2024" in note.message


def test_an_as_of_that_was_not_moved_or_not_given_is_not_mentioned(tmp_path: Path) -> None:
    write(tmp_path, settings=SETTINGS.replace("2024-06-30", "2024-06-29"))
    assert checks(load(tmp_path, as_of="2024-05-01")) == []
    assert checks(load(tmp_path)) == []  # the default stands on 1 June by itself


def test_flags_without_a_date_count_only_accounts_known_at_as_of(tmp_path: Path) -> None:
    accounts = "account_id,gone\nA-1,TRUE\nA-2,FALSE\nA-3,TRUE\n"
    write(tmp_path, accounts, f"{SUBSCRIPTIONS}A-3,2024-06-01,,10,pro\n", SETTINGS + RECORDS)
    early = found(load(tmp_path, as_of="2024-04-01"), "churn_records_disagree").message
    assert "account flags, as exported, mark 1 of 2 accounts" in early  # A-3 came in June
    assert "account flags mark 2 of 3 accounts" in found(load(tmp_path), "churn_records_disagree").message


# --- all fourteen tables ----------------------------------------------------------------------------------------


def test_what_is_done_to_a_frame_reaches_no_other_reader(tmp_path: Path) -> None:
    tables = load(write(tmp_path))
    mine = tables.accounts
    mine.loc[:, "name"] = "changed"
    mine["more"] = 1
    assert list(tables.accounts["name"]) == ["Alpha", "Beta"]
    assert "more" not in tables.accounts
    with pytest.raises(AttributeError):
        tables.company = "another"  # type: ignore[misc]


def test_an_absent_table_is_empty_and_named_when_it_is_needed(tmp_path: Path) -> None:
    tables = load(write(tmp_path))
    assert (len(tables.usage), tables.has("usage"), tables.has("accounts", "subscriptions")) == (0, False, True)
    with pytest.raises(ContractError, match="there is no table usage: one row per event") as caught:
        tables.need("accounts", "usage")
    assert "It would give: usage, health" in str(caught.value)


def test_times_are_read_in_the_declared_zone_and_kept_in_utc(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "mapping.yml").write_text((tmp_path / "mapping.yml").read_text() + "timezone: Europe/Berlin\n")
    (tmp_path / "tickets.csv").write_text(
        "ticket_id,account_id,opened_at\n1,A-1,2024-01-31 23:30:00\n"
        "2,A-1,2024-02-01 00:30:00\n3,A-1,2024-01-31T23:30:00Z\n"
    )
    opened = load(tmp_path).tickets.set_index("ticket_id")["opened_at"]
    assert opened.astype(str).to_dict() == {
        "1": "2024-01-31 22:30:00", "2": "2024-01-31 23:30:00", "3": "2024-01-31 23:30:00",
    }  # fmt: skip


def test_a_local_time_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "mapping.yml").write_text((tmp_path / "mapping.yml").read_text() + "timezone: Europe/Berlin\n")
    (tmp_path / "tickets.csv").write_text("ticket_id,opened_at\n1,2024-03-31 02:30:00\n")
    with pytest.raises(ContractError, match="row 2: opened_at '2024-03-31 02:30:00' does not exist in Europe/Berlin"):
        load(tmp_path)


def test_usage_is_held_against_its_subscription_and_else_against_its_account(tmp_path: Path) -> None:
    write(tmp_path)
    days = ["2023-12-31", "2024-01-01", "2024-06-30"]
    (tmp_path / "usage.csv").write_text("account_id,occurred_at\n" + "".join(f"A-1,{day}\n" for day in days))
    tables = load(tmp_path)
    assert tables.set_aside[["check", "row", "reason"]].to_numpy().tolist() == [
        ["usage_before_start", 2, "used on 2023-12-31, before the account started on 2024-01-01"]
    ]
    assert len(tables.usage) == 2


def test_two_signs_of_currencies_are_two_currencies(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "subscriptions.csv").write_text(
        'account_id,start_date,end_date,mrr\nA-1,2024-01-01,,"€ 1,234.50"\nA-2,2024-02-01,,$5\n'
    )
    with pytest.raises(ContractError, match=r"signs of several currencies: \$ \(\$5\), €"):
        load(tmp_path)


def test_a_sign_that_contradicts_the_declared_currency_is_refused_and_one_that_agrees_is_said(tmp_path: Path) -> None:
    write(tmp_path)
    text = 'account_id,start_date,end_date,mrr\nA-1,2024-01-01,,"£ 1,234.50"\nA-2,2024-02-01,,£5\n'
    (tmp_path / "subscriptions.csv").write_text(text)
    with pytest.raises(ContractError, match=r"carry the sign £ .* and the mapping says EUR"):
        load(tmp_path)
    (tmp_path / "subscriptions.csv").write_text(text.replace("£", "€"))
    tables = load(tmp_path)
    assert list(tables.subscriptions["mrr"]) == [1234.5, 5.0]
    assert "amounts carry the sign €" in found(tables, "detected").message


def test_a_thousand_with_a_separator_that_might_be_a_decimal_comma_is_a_question(tmp_path: Path) -> None:
    write(tmp_path)
    rows = 'account_id,start_date,end_date,mrr\nA-1,2024-01-01,,"1,234"\nA-2,2024-02-01,,500\n'
    (tmp_path / "subscriptions.csv").write_text(rows)
    with pytest.raises(ContractError, match="1,234 is a thousand with a separator or a number with a decimal comma"):
        load(tmp_path)
    (tmp_path / "subscriptions.csv").write_text(rows.replace("500", '"12,5"'))
    tables = load(tmp_path)
    assert list(tables.subscriptions["mrr"]) == [1.23, 12.5]  # 12,5 settles it: the comma is decimal
    assert "numbers have a decimal comma" in found(tables, "detected").message


def test_dates_as_a_spreadsheet_counts_them_are_recognised_and_the_setting_is_given(tmp_path: Path) -> None:
    write(tmp_path)
    rows = "account_id,start_date,end_date,mrr\nA-1,45292,,100\nA-2,45323,,50\n"
    (tmp_path / "subscriptions.csv").write_text(rows)
    with pytest.raises(ContractError, match=r"as spreadsheets count them.*date_formats: \{start_date: excel\}"):
        load(tmp_path)
    settings = (tmp_path / "mapping.yml").read_text()
    (tmp_path / "mapping.yml").write_text(settings + "tables: {subscriptions: {date_formats: {start_date: excel}}}\n")
    assert list(load(tmp_path).subscriptions["start_date"].astype(str)) == ["2024-01-01", "2024-02-01"]


def test_a_header_called_line_is_kept_under_another_name(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "accounts.csv").write_text("account_id,Line\nA-1,x\nA-2,y\n")
    assert list(load(tmp_path).accounts["Line (column)"]) == ["x", "y"]


SNAPSHOT = (
    "version: 1\ncurrency: EUR\nobserved_from: 2024-01-01\ndata_through: 2024-06-30\n"
    "tables: {subscriptions: {columns: {mrr: price}, "
    "offsets: {start_date: {base: 2024-07-01, subtract: tenure, unit: months}}, constants: {end_date: 2024-06-30}, "
    "only_where: {end_date: {left: ['yes']}}}}\n"
)


def test_a_snapshot_of_tenures_becomes_subscriptions(tmp_path: Path) -> None:
    rows = "account_id,tenure,price,left\nA-1,6,100,no\nA-2,3,50,yes\n"
    subscriptions = load(write(tmp_path, subscriptions=rows, settings=SNAPSHOT)).subscriptions
    assert list(subscriptions["start_date"].astype(str)) == ["2024-01-01", "2024-04-01"]
    assert list(subscriptions["end_date"].dt.strftime("%Y-%m-%d").fillna("-")) == ["-", "2024-06-30"]


@pytest.mark.parametrize("tenure", ["", "1e300", "long"])
def test_a_tenure_that_gives_no_day_is_an_error_and_no_subscription_from_nowhere(tmp_path: Path, tenure: str) -> None:
    rows = f"account_id,tenure,price,left\nA-1,6,100,no\nA-2,{tenure},50,yes\n"
    with pytest.raises(ContractError, match=r"subscriptions.csv, row 3: start_date is missing"):
        load(write(tmp_path, subscriptions=rows, settings=SNAPSHOT))


def test_a_tenure_before_all_records_is_named_with_the_day_it_gives(tmp_path: Path) -> None:
    rows = "account_id,tenure,price,left\nA-1,6,100,no\nA-2,900,50,yes\n"
    with pytest.raises(ContractError, match="row 3: start_date 1949-07-01 is before 1970 or after 2100"):
        load(write(tmp_path, subscriptions=rows, settings=SNAPSHOT))


def test_a_header_of_a_columns_own_name_is_found_in_capitals_too(tmp_path: Path) -> None:
    write(tmp_path, ACCOUNTS.replace("name,segment", "Name,SEGMENT"))
    (tmp_path / "subscriptions.csv").write_text(SUBSCRIPTIONS.replace("account_id,start_date", "Account_ID,START_DATE"))
    tables = load(tmp_path)
    assert list(tables.accounts["name"]) == ["Alpha", "Beta"]
    assert list(tables.accounts["segment"]) == ["SMB", "Enterprise"]
    assert len(tables.subscriptions) == 3
    assert list(load(tmp_path, where={"segment": "SMB"}).accounts["account_id"]) == ["A-1"]


def test_an_attribute_that_has_a_columns_name_is_kept_under_another(tmp_path: Path) -> None:
    write(tmp_path, "account_id,Name,legal\nA-1,Alpha,Alpha Ltd\nA-2,Beta,Beta Inc\n")
    settings = (tmp_path / "mapping.yml").read_text()
    (tmp_path / "mapping.yml").write_text(settings + "tables: {accounts: {columns: {name: legal}}}\n")
    accounts = load(tmp_path).accounts
    assert list(accounts["name"]) == ["Alpha Ltd", "Beta Inc"]
    assert list(accounts["Name (column)"]) == ["Alpha", "Beta"]


def test_a_churn_record_without_accounts_to_compare_it_with_says_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "flags.csv").write_text("account_id,left\nA-1,yes\n")
    (tmp_path / "accounts.csv").unlink()
    settings = (tmp_path / "mapping.yml").read_text()
    (tmp_path / "mapping.yml").write_text(
        settings + "partial: true\nchurn_records: [{name: flags, file: flags.csv, flag: left}]\n"
    )
    assert "churn_records_disagree" not in checks(load(tmp_path))
