"""Every kind of bad table ends in one error that names the file, the row, the value and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from cs_helpers.core.errors import ContractError, CsHelpersError, ParameterError, SourceError
from cs_helpers.data.tables import load

ACCOUNTS = "account_id,name,segment\nA-1,Alpha,SMB\nA-2,Beta,Enterprise\n"
SUBSCRIPTIONS = "account_id,start_date,end_date,mrr\nA-1,2024-01-01,,100\nA-2,2024-02-01,2024-05-01,50\n"
SETTINGS = "version: 1\ncurrency: EUR\nobserved_from: 2024-01-01\ndata_through: 2024-06-30\n"


def write(
    folder: Path,
    accounts: str | bytes | None = ACCOUNTS,
    subscriptions: str | bytes | None = SUBSCRIPTIONS,
    settings: str = SETTINGS,
) -> Path:
    (folder / "mapping.yml").write_text(settings)
    for name, text in {"accounts.csv": accounts, "subscriptions.csv": subscriptions}.items():
        if text is not None:
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def refused(folder: Path, kind: type[CsHelpersError], **options: object) -> str:
    with pytest.raises(kind) as caught:
        load(folder, **options)  # type: ignore[arg-type]
    return str(caught.value)


def mentions(text: str, *parts: str) -> None:
    missing = [part for part in parts if part not in text]
    assert not missing, f"{missing} not in:\n{text}"


def test_the_good_case_of_this_file_loads(tmp_path: Path) -> None:
    tables = load(write(tmp_path))
    assert (len(tables.accounts), len(tables.subscriptions), tables.quality) == (2, 2, ())


# --- files ----------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "export_june").mkdir()
    mentions(refused(tmp_path / "exprt_june", SourceError), "exprt_june", "Did you mean 'export_june'?")


def test_an_empty_folder_says_which_files_belong_there(tmp_path: Path) -> None:
    mentions(refused(tmp_path, SourceError), tmp_path.name, "no CSV file", "accounts.csv and subscriptions.csv")


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "subscription.csv").write_text(SUBSCRIPTIONS)
    text = refused(write(tmp_path, subscriptions=None), SourceError)
    mentions(text, "subscriptions.csv: there is no such file", "Did you mean 'subscription.csv'?", "accounts.csv")


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    mentions(refused(write(tmp_path, accounts=""), SourceError), "accounts.csv: the file is empty", "Export it again")


def test_a_header_without_rows_is_named(tmp_path: Path) -> None:
    text = refused(write(tmp_path, subscriptions="account_id,start_date,end_date,mrr\n"), SourceError)
    mentions(text, "subscriptions.csv: the file has a header and no rows", "Export it again")


@pytest.mark.parametrize(
    ("mark", "written", "word"), [(";", ";", "semicolon"), ("\t", "tab", "tab"), ("|", "|", "vertical bar")]
)
def test_another_separator_is_found_out_and_said(tmp_path: Path, mark: str, written: str, word: str) -> None:
    tables = load(write(tmp_path, accounts=ACCOUNTS.replace(",", mark)))
    assert list(tables.accounts["name"]) == ["Alpha", "Beta"]
    (said,) = [finding for finding in tables.quality if finding.check == "detected"]
    assert said.severity == "note"
    mentions(said.message, "accounts.csv", word)
    (tmp_path / "subscriptions.csv").write_text(SUBSCRIPTIONS.replace(",", mark))
    declared = load(write(tmp_path, None, None, f'{SETTINGS}separator: "{written}"\n'))
    assert (list(declared.accounts["name"]), declared.quality) == (["Alpha", "Beta"], ())


def test_latin_1_text_is_read_and_said_with_a_word_to_check(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace("Beta", "Müller").encode("latin-1")
    tables = load(write(tmp_path, accounts=accounts))
    assert list(tables.accounts["name"]) == ["Alpha", "Müller"]
    (said,) = [finding for finding in tables.quality if finding.check == "detected"]
    mentions(said.message, "accounts.csv", "cp1252", "Müller")
    tables = load(write(tmp_path, accounts, settings=f"{SETTINGS}encoding: latin-1\n"))
    assert (list(tables.accounts["name"]), tables.quality) == (["Alpha", "Müller"], ())


def test_rows_of_another_length_are_located(tmp_path: Path) -> None:
    text = refused(write(tmp_path, accounts=f"{ACCOUNTS}A-3,Gamma, Inc.,SMB\nA-4\n"), SourceError)
    mentions(text, "accounts.csv, rows 4 and 5: 4, 1 fields where the header has 3", "double quotes")


def test_a_column_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text = refused(write(tmp_path, accounts="account_id,name,name\nA-1,x,y\nA-2,x,y\n"), SourceError)
    mentions(text, "accounts.csv, row 1", "'name' more than once", "Rename")


def test_nul_bytes_are_located(tmp_path: Path) -> None:
    mentions(refused(write(tmp_path, accounts=ACCOUNTS + "A-3,\0,SMB\n"), SourceError), "accounts.csv, row 4", "NUL")


def test_a_quote_that_never_ends_does_not_swallow_the_rest_of_the_file(tmp_path: Path) -> None:
    text = refused(write(tmp_path, accounts=f'{ACCOUNTS}A-3,Gamma,"SMB\nA-4,Delta,SMB\n'), SourceError)
    mentions(text, "accounts.csv, row 5: cannot be read as CSV", "double quote")


def test_problems_of_files_and_of_rows_are_reported_together(tmp_path: Path) -> None:
    text = refused(write(tmp_path, "", SUBSCRIPTIONS.replace("2024-02-01", "2024-02-30")), SourceError)
    mentions(text, "accounts.csv: the file is empty", "subscriptions.csv, row 3: start_date 2024-02-30")


# --- rows -----------------------------------------------------------------------------------------------------


def test_a_month_31_names_row_value_and_declared_format(tmp_path: Path) -> None:
    text = refused(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,31-31-2024,,10\n"), ContractError)
    mentions(text, "subscriptions.csv, row 4: start_date 31-31-2024 is not a date written as YYYY-MM-DD", "date_format")


def test_another_date_format_is_named_when_it_is_the_only_one_that_fits(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,mrr\nA-1,31-01-2024,,100\nA-2,01-02-2024,,50\n"
    mentions(refused(write(tmp_path, subscriptions=rows), ContractError), "rows 2 and 3", "`date_format: DD-MM-YYYY`")


def test_two_date_formats_that_fit_are_never_decided_for_the_user(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,mrr\nA-1,01-02-2024,,100\nA-2,03-04-2024,,50\n"
    text = refused(write(tmp_path, subscriptions=rows), ContractError)
    mentions(text, "DD-MM-YYYY and MM-DD-YYYY alike", "never guessed")


@pytest.mark.parametrize("word", ["now", "today"])
def test_the_words_now_and_today_are_no_dates(tmp_path: Path, word: str) -> None:
    text = refused(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,{word},,10\n"), ContractError)
    mentions(text, f"row 4: start_date {word} is not a date")


def test_an_end_before_its_start_names_both_dates_and_the_two_ways_out(tmp_path: Path) -> None:
    text = refused(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,2024-03-01,2024-01-31,10\n"), ContractError)
    assert text == (
        "subscriptions.csv, row 4: end_date 2024-01-31 is before start_date 2024-03-01.\n"
        "  Correct the rows, or set `set_aside: [end_before_start]` in mapping.yml to leave them out and list them."
    )


def test_two_rows_with_one_account_id_name_both_rows(tmp_path: Path) -> None:
    text = refused(write(tmp_path, accounts=f"{ACCOUNTS}A-1,Other,SMB\n"), ContractError)
    mentions(text, "accounts.csv, rows 2 and 4: account_id A-1 stands in 2 rows", "Keep one row per key")


def test_two_rows_with_one_subscription_id_name_both_rows(tmp_path: Path) -> None:
    rows = "subscription_id,account_id,start_date,end_date,mrr\nS1,A-1,2024-01-01,,1\nS1,A-2,2024-01-01,,2\n"
    text = refused(write(tmp_path, subscriptions=rows), ContractError)
    mentions(text, "subscriptions.csv, rows 2 and 3: subscription_id S1 stands in 2 rows")


def test_a_missing_column_names_the_nearest_header(tmp_path: Path) -> None:
    text = refused(write(tmp_path, subscriptions=SUBSCRIPTIONS.replace("start_date", "startdate")), ContractError)
    mentions(text, "subscriptions.csv: no column 'start_date'", "Did you mean 'startdate'?", "columns")


@pytest.mark.parametrize("value", ["abc", "inf", "nan", '"1,20.0"', "NaN", "5EUR"])
def test_money_that_is_no_finite_number_is_named(tmp_path: Path, value: str) -> None:
    text = refused(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,2024-03-01,,{value}\n"), ContractError)
    mentions(text, f"subscriptions.csv, row 4: mrr {value.strip(chr(34))} is not a finite number", "decimal")


def test_a_thousands_point_in_a_decimal_comma_export_is_not_read_as_a_decimal_point(tmp_path: Path) -> None:
    rows = 'account_id,start_date,end_date,mrr\nA-1,2024-01-01,,"99,50"\nA-2,2024-01-01,,1.234\n'
    tables = load(write(tmp_path, subscriptions=rows, settings=f'{SETTINGS}decimal: ","\n'))
    assert list(tables.subscriptions["mrr"]) == [99.5, 1234.0]


def test_negative_and_missing_mrr_are_errors_and_missing_is_not_zero(tmp_path: Path) -> None:
    rows = f"{SUBSCRIPTIONS}A-1,2024-03-01,,-5\nA-2,2024-03-01,,\n"
    text = refused(write(tmp_path, subscriptions=rows), ContractError)
    mentions(text, "row 4: mrr -5 is below 0", "row 5: mrr is missing")


def test_a_missing_key_is_located(tmp_path: Path) -> None:
    text = refused(write(tmp_path, accounts=f"{ACCOUNTS},Nobody,SMB\n"), ContractError)
    mentions(text, "accounts.csv, row 4: account_id is missing")


def test_an_account_nobody_has_is_named(tmp_path: Path) -> None:
    text = refused(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-9,2024-03-01,,5\n"), ContractError)
    mentions(text, "subscriptions.csv, row 4: account_id A-9 is no account", "`set_aside: [orphan]`")


def test_two_currencies_are_refused(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,mrr,currency\nA-1,2024-01-01,,1,EUR\nA-2,2024-01-01,,2,USD\n"
    text = refused(write(tmp_path, subscriptions=rows), ContractError)
    mentions(text, "subscriptions.csv, row 3", "EUR (1 row), USD (1 row)", "one currency")


def test_a_currency_other_than_the_declared_one_is_refused(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,mrr,currency\nA-1,2024-01-01,,1,USD\nA-2,2024-01-01,,2,USD\n"
    mentions(refused(write(tmp_path, subscriptions=rows), ContractError), "rows 2 and 3", "USD", "the mapping says EUR")


@pytest.mark.parametrize("day", ["1900-01-01", "9999-12-31"])
def test_dates_outside_1970_to_2100_are_refused(tmp_path: Path, day: str) -> None:
    text = refused(write(tmp_path, accounts=f"account_id,signup_date\nA-1,{day}\nA-2,\n"), ContractError)
    mentions(text, f"accounts.csv, row 2: signup_date {day} is before 1970 or after 2100")


def test_overlaps_are_refused_on_request(tmp_path: Path) -> None:
    rows = f"{SUBSCRIPTIONS}A-1,2024-03-01,,10\nA-2,2024-05-01,,10\n"  # A-2 goes on the day it ended: no overlap
    text = refused(write(tmp_path, ACCOUNTS, rows, f"{SETTINGS}overlap: error\n"), ContractError)
    mentions(text, "subscriptions.csv, row 4: account A-1 starts again on 2024-03-01", "`overlap: sum`")


def test_a_month_that_was_never_loaded_is_an_error_not_total_churn(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,mrr\nA-1,2024-01-01,2024-03-01,100\nA-2,2024-05-01,,50\n"
    text = refused(write(tmp_path, subscriptions=rows), ContractError)
    mentions(text, "no subscription runs in March 2024, April 2024,", "never loaded", "data_through")


def test_all_problems_of_all_tables_are_reported_at_once(tmp_path: Path) -> None:
    accounts = f"{ACCOUNTS}A-1,Again,SMB\n,Nobody,SMB\n"
    rows = f"{SUBSCRIPTIONS}A-1,2024-13-01,,5\nA-2,2024-03-01,2024-02-01,x\nA-7,2024-03-01,,-1\n"
    with pytest.raises(ContractError) as caught:
        load(write(tmp_path, accounts, rows))
    mentions(
        str(caught.value),
        "accounts.csv, rows 2 and 4: account_id A-1 stands in 2 rows",
        "accounts.csv, row 5: account_id is missing",
        "row 4: start_date 2024-13-01",
        "row 5: mrr x is not",
        "row 5: end_date 2024-02-01 is before start_date 2024-03-01",
        "row 6: mrr -1 is below 0",
        "row 6: account_id A-7 is no account",
    )
    assert len(caught.value.problems) == 7  # and the unreadable start_date and mrr are not also called missing


def test_five_rows_and_values_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    rows = SUBSCRIPTIONS + "".join(f"A-1,2024-03-01,,-{n}\n" for n in range(1, 8))
    text = refused(write(tmp_path, subscriptions=rows), ContractError)
    mentions(text, "rows 4, 5, 6, 7, 8 and 2 more: mrr -1 is below 0", "mrr -5 is below 0; and 2 more values")
    assert "mrr -6" not in text


def test_line_numbers_count_lines_of_the_file_across_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    accounts = 'account_id,name\nA-1,"two\nlines"\n\nA-2,Beta\nA-2,Beta again\n'
    mentions(refused(write(tmp_path, accounts=accounts), ContractError), "accounts.csv, rows 5 and 6: account_id A-2")


# --- parameters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_of", ["2024-08-01", "2024-01-01", "2019-01-01"])
def test_an_as_of_outside_the_data_is_refused_with_the_covered_range(tmp_path: Path, as_of: str) -> None:
    text = refused(write(tmp_path), ParameterError, as_of=as_of)
    mentions(text, as_of, "1 January 2024 to 30 June 2024", "at the latest 2024-07-01")


@pytest.mark.parametrize("as_of", ["today", "01/02/2024", "soon", 7])
def test_an_as_of_that_is_no_iso_date_is_refused(tmp_path: Path, as_of: object) -> None:
    mentions(refused(write(tmp_path), ParameterError, as_of=as_of), "is not a date", "2024-12-01")


def test_an_unknown_where_column_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    text = refused(write(tmp_path), ParameterError, where={"segmnt": "SMB"})
    mentions(text, "'segmnt'", "Did you mean 'segment'?", "account_id, name, segment")


def test_a_where_without_a_match_lists_the_values_there_are(tmp_path: Path) -> None:
    text = refused(write(tmp_path), ParameterError, where={"segment": "smb"})
    mentions(text, "no account has segment 'smb'", "Enterprise, SMB")


def test_a_mapping_that_leaves_out_every_row_is_refused(tmp_path: Path) -> None:
    settings = f"{SETTINGS}tables: {{subscriptions: {{drop_where: {{mrr: [100, 50]}}}}}}\n"
    mentions(
        refused(write(tmp_path, settings=settings), ContractError), "subscriptions.csv: every row of it is left out"
    )


def test_subscriptions_of_an_account_that_was_left_out_do_not_vanish_silently(tmp_path: Path) -> None:
    settings = f"{SETTINGS}tables: {{accounts: {{drop_where: {{segment: SMB}}}}}}\n"
    rows = f"{SUBSCRIPTIONS}A-2,2024-05-01,,50\n".replace("2024-02-01", "2024-01-01")
    tables = load(write(tmp_path, subscriptions=rows, settings=settings))
    assert list(tables.accounts["account_id"]) == ["A-2"]
    assert tables.set_aside.to_numpy().tolist() == [
        ["accounts", "drop_where", 2, "A-1", "segment SMB is left out by drop_where"],
        ["subscriptions", "drop_where", 2, "A-1", "account A-1 is left out by the mapping"],
    ]


def test_keys_that_differ_only_by_surrounding_space_are_one_key_twice(tmp_path: Path) -> None:
    text = refused(write(tmp_path, accounts=f"{ACCOUNTS}A-1 ,Other,SMB\n"), ContractError)
    mentions(text, "accounts.csv, rows 2 and 4: account_id A-1 stands in 2 rows")


def test_a_where_on_the_outcome_is_refused(tmp_path: Path) -> None:
    accounts = "account_id,segment,churn_flag\nA-1,SMB,no\nA-2,SMB,yes\n"
    text = refused(write(tmp_path, accounts=accounts), ParameterError, where={"churn_flag": "no"})
    mentions(text, "where: 'churn_flag'", "known only after the outcome", "decides the result", "account_id, segment.")


def test_a_where_on_an_outcome_under_another_name_is_refused(tmp_path: Path) -> None:
    accounts = "account_id,segment,churn_flag\nA-1,SMB,no\nA-2,SMB,yes\n"
    settings = f"{SETTINGS}tables: {{accounts: {{attributes: {{state: churn_flag}}}}}}\n"
    text = refused(write(tmp_path, accounts, settings=settings), ParameterError, where="state=no")
    mentions(text, "where: 'state'", "decides the result")


@pytest.mark.parametrize(
    ("written", "shown"), [("1e17", "1e17"), ("1000000000001", "1000000000001"), ("1e308", "1e308")]
)
def test_an_mrr_beyond_a_million_millions_is_refused(tmp_path: Path, written: str, shown: str) -> None:
    text = refused(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,2024-03-01,,{written}\n"), ContractError)
    mentions(text, f"subscriptions.csv, row 4: mrr {shown} is above 1,000,000,000,000", "Correct the value")


def test_an_mrr_of_a_million_millions_is_still_read(tmp_path: Path) -> None:
    tables = load(write(tmp_path, subscriptions=f"{SUBSCRIPTIONS}A-1,2024-03-01,,1e12\n"))
    assert tables.subscriptions["mrr"].max() == 1e12


def test_an_end_before_its_start_is_shown_as_the_file_writes_it(tmp_path: Path) -> None:
    rows = f"{SUBSCRIPTIONS}A-1,2024-03-01,2024-01-31,10\nA-1,2024-03-01,9999-12-31,10\n"
    text = refused(write(tmp_path, ACCOUNTS, rows, f"{SETTINGS}end_date_is: last_paid_day\n"), ContractError)
    mentions(text, "row 4: end_date 2024-01-31 is before start_date 2024-03-01", "row 5: end_date 9999-12-31 is before")


def test_a_codec_that_cannot_read_the_file_is_a_problem_of_the_file(tmp_path: Path) -> None:
    accounts = ACCOUNTS.replace("Beta", "Müller")
    text = refused(write(tmp_path, accounts, settings=f"{SETTINGS}encoding: undefined\n"), SourceError)
    mentions(text, "accounts.csv: cannot be read as undefined", "`encoding: utf-8`")
