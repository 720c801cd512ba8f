"""``cs-helpers check`` and ``map``, the dictionary, the data check report: all is said in one pass, nothing drifts."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Suppressed, front_door
from cs_helpers.data.contract import dictionary
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.data_check import checked_tables, churn_records, coverage, links, set_aside, tables_read
from cs_helpers.data.tables import Tables, inspect, load, report

ROOT = Path(__file__).resolve().parents[2]
RAVENSTACK = ROOT.parent / "shared" / "datasets" / "ravenstack"
needs_ravenstack = pytest.mark.skipif(not RAVENSTACK.is_dir(), reason="the RavenStack export is not beside the project")

ACCOUNTS = "account_id,name,segment,churn_flag\nA-1,=HYPERLINK(x),SMB,no\nA-2,Beta,Enterprise,yes\nA-3,Gamma,SMB,no\n"
SUBSCRIPTIONS = (
    "account_id,start_date,end_date,mrr\n"
    "A-1,2024-01-01,,100\nA-2,2024-02-01,2024-05-01,50\n=cmd,2024-02-01,,10\nA-3,2024-03-01,2024-03-01,70\n"
)
TICKETS = (
    "ticket_id,account_id,opened_at,resolved_at\n"
    "1,A-1,2024-02-01 10:00:00,2024-02-01 12:00:00\n2,A-1,2024-02-01 10:00:00,2024-02-01 09:00:00\n"
)
SETTINGS = "version: 1\ncompany: Ours\ncurrency: EUR\nobserved_from: 2024-01-01\ndata_through: 2024-06-30\n"


def export(folder: Path, settings: str = "tolerance: {orphan: 0.25}\n") -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"accounts": ACCOUNTS, "subscriptions": SUBSCRIPTIONS, "tickets": TICKETS}.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "mapping.yml").write_text(SETTINGS + settings)
    return folder


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cs_helpers", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


# --- the dictionary ---------------------------------------------------------------------------------------------


def test_the_dictionary_in_data_is_what_the_contract_says() -> None:
    written = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert written == dictionary.markdown(), "run `make dictionary` and commit data/README.md"


def test_the_dictionary_names_every_column_of_all_fourteen_tables() -> None:
    text = dictionary.markdown()
    assert len(TABLES) == 14
    for table in TABLES.values():
        section = text.split(f"## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            (line,) = [line for line in section.splitlines() if line.startswith(f"| `{column.name}` |")]
            assert column.meaning in line, (table.name, column.name)


def test_the_contract_says_what_is_known_only_after_the_outcome() -> None:
    marked = {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns if c.after_outcome}
    assert {"subscriptions.end_date", "renewals.outcome", "surveys.reason"} <= marked
    assert "accounts.segment" not in marked


# --- check ------------------------------------------------------------------------------------------------------


def test_check_counts_what_is_set_aside_by_severity(tmp_path: Path) -> None:
    seen = inspect(export(tmp_path / "x"))
    found = {(each.severity, each.table, each.check): each.rows for each in report.quality(seen)}
    assert found == {
        ("set aside", "subscriptions", "orphan"): 1,  # 1 of 4 rows is within the tolerance of a quarter
        ("set aside", "subscriptions", "zero_day"): 1,
        ("set aside", "tickets", "resolved_at_before_opened_at"): 1,
        ("warning", "tickets", "stale_table"): 0,
    }
    assert report.status(seen) == "warnings"


def test_one_orphan_more_than_the_tolerance_is_an_error(tmp_path: Path) -> None:
    seen = inspect(export(tmp_path / "x", "tolerance: {orphan: 0.24}\n"))
    (error,) = [each for each in report.quality(seen) if each.severity == "error"]
    assert (error.table, error.check, error.rows) == ("subscriptions", "orphan", 1)
    assert error.message == "subscriptions.csv, row 4: account_id =cmd is no account of accounts."


def test_the_rows_set_aside_are_a_csv_in_which_no_cell_starts_a_formula(tmp_path: Path) -> None:
    done = command("check", "x", cwd=export(tmp_path / "x").parent)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "reports" / "check" / "x" / "set_aside.csv"
    assert str(file.relative_to(tmp_path)) in done.stdout
    rows = list(csv.reader(file.open(newline="")))
    assert rows[0] == ["table", "check", "row", "account_id", "reason"]
    assert rows[1][:4] == ["subscriptions", "orphan", "4", "'=cmd"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_check_without_anything_set_aside_leaves_no_old_file(tmp_path: Path) -> None:
    command("check", "x", cwd=export(tmp_path / "x").parent)
    file = tmp_path / "reports" / "check" / "x" / "set_aside.csv"
    assert file.exists()
    (tmp_path / "x" / "subscriptions.csv").write_text("\n".join(SUBSCRIPTIONS.splitlines()[:3]) + "\n")
    (tmp_path / "x" / "tickets.csv").unlink()
    assert command("check", "x", cwd=tmp_path).returncode == 0
    assert not file.exists()


def test_check_json_is_the_contract_with_what_was_found(tmp_path: Path) -> None:
    done = command("check", "x", "--json", cwd=export(tmp_path / "x").parent)
    found = json.loads(done.stdout)
    assert (found["status"], found["company"], found["kind"], found["currency"]) == (
        "warnings",
        "Ours",
        "folder",
        "EUR",
    )
    assert (found["as_of"], found["observed_from"], found["data_through"]) == ("2024-07-01", "2024-01-01", "2024-06-30")
    assert [table["name"] for table in found["tables"]] == list(TABLES)
    by_name = {table["name"]: table for table in found["tables"]}
    assert by_name["usage"]["present"] is False
    assert by_name["usage"]["fills"]
    subscriptions = by_name["subscriptions"]
    assert (subscriptions["rows_read"], subscriptions["rows_used"]) == (4, 2)
    (end,) = [column for column in subscriptions["columns"] if column["name"] == "end_date"]
    assert end["known_only_after_outcome"] is True
    assert end["missing"] == "still running"
    assert by_name["accounts"]["attributes"] == [{"name": "churn_flag", "known_only_after_outcome": True}]
    assert found["set_aside"] == {"file": "reports/check/x/set_aside.csv", "rows": 3}
    assert done.stderr == ""


def test_check_ends_with_2_and_names_every_problem_in_one_pass(tmp_path: Path) -> None:
    folder = export(tmp_path / "x", "")
    (folder / "tickets.csv").write_text("ticket_id,opened_at,csat\n1,2024-13-01,9\n1,2024-02-01,3\n,2024-02-01,4\n")
    (folder / "usage.csv").write_text("account_id,user_id\nA-1,u\n")
    done = command("check", "x", cwd=tmp_path)
    assert done.returncode == 2
    said = " ".join(done.stdout.split())
    for part in (
        "subscriptions.csv, row 4: account_id =cmd is no account",
        "tickets.csv, row 2: opened_at 2024-13-01 is not a date",
        "tickets.csv, row 2: csat 9 is above 5",
        "tickets.csv, row 4: ticket_id is missing",
        "tickets.csv, rows 2 and 3: ticket_id 1 stands in 2 rows",
        "usage.csv: no column 'occurred_at'",
        "6 errors",
    ):
        assert part in said, part
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "reports").exists() or not list((tmp_path / "reports").rglob("report.html"))


def test_check_never_changes_its_input(tmp_path: Path) -> None:
    folder = export(tmp_path / "x")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    command("check", "x", cwd=tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_check_without_colours_prints_none(tmp_path: Path) -> None:
    done = command("check", "x", cwd=export(tmp_path / "x").parent)
    assert "\x1b" not in done.stdout + done.stderr


@needs_ravenstack
@pytest.mark.parametrize("folder", ["iso_dates", "as_found_ddmmyyyy"])
def test_check_names_each_inconsistency_of_ravenstack(folder: str, tmp_path: Path) -> None:
    mapping = (ROOT / "data" / "mappings" / "ravenstack.yml").read_text()
    if folder != "iso_dates":
        mapping = mapping.replace("YYYY-MM-DD", "DD-MM-YYYY")
    (tmp_path / "mapping.yml").write_text(mapping)
    seen = inspect(RAVENSTACK / folder, tmp_path / "mapping.yml")
    assert not seen.failed, report.quality(seen)
    found = {(each.table, each.check): each for each in report.quality(seen)}
    rows = {key: each.rows for key, each in found.items()}
    # Figures as counted in the data set's own description.
    assert rows["usage", "repeated_key"] == 42
    assert "21 values" in found["usage", "repeated_key"].message
    assert rows["usage", "usage_before_start"] == 19_142
    assert rows["usage", "usage_after_end"] == 292
    assert rows["tickets", "ticket_before_signup"] == 1_077
    assert rows["tickets", "first_response_after_resolution"] == 36
    assert "never below 3" in found["tickets", "satisfaction_never_low"].message
    assert "empty in 825" in found["tickets", "satisfaction_never_low"].message
    assert rows["subscriptions", "zero_day"] == 13
    assert "182 in December 2024, 71 in November 2024" in found["subscriptions", "churn_piles_up"].message
    assert "500 of 500 accounts" in found["subscriptions", "concurrent_subscriptions"].message
    assert "110 of 500" in found["subscriptions", "churn_records_disagree"].message
    assert not [key for key in found if key[1] == "orphan"]  # it has none


def warnings(folder: Path) -> dict[str, str]:
    return {each.check: each.message for each in report.quality(inspect(folder)) if each.severity == "warning"}


def test_renewals_due_on_no_anniversary_are_said_to_have_been_moved(tmp_path: Path) -> None:
    folder = export(tmp_path / "x", "set_aside: [orphan]\n")
    rows = "account_id,start_date,end_date,mrr,term_months\nA-1,2023-01-01,,100,12\nA-2,2023-02-01,2024-05-01,50,12\n"
    (folder / "subscriptions.csv").write_text(rows)
    due = "account_id,due_date,target_mrr\nA-1,2024-01-01,100\nA-2,2024-05-01,50\n"  # an anniversary, an end
    (folder / "renewals.csv").write_text(due)
    assert "due_dates_moved" not in warnings(folder)
    (folder / "renewals.csv").write_text(due + "A-1,2024-03-15,100\n")
    assert warnings(folder)["due_dates_moved"].startswith("1 of 3 renewals are due on a day on which no subscription")


def test_rep_ids_that_no_rep_has_are_counted(tmp_path: Path) -> None:
    folder = export(tmp_path / "x")
    (folder / "reps.csv").write_text("rep_id\nR-1\n")
    (folder / "touches.csv").write_text(
        "account_id,occurred_at,kind,rep_id\nA-1,2024-06-01,qbr,R-1\nA-1,2024-06-02,qbr,R-9\nA-1,2024-06-03,qbr,R-9\n"
    )
    assert warnings(folder)["unknown_rep"].startswith("2 rows of touches.csv name 1 rep that reps does not have (R-9)")


@pytest.mark.parametrize(("each", "said"), [(10, True), (9, False)])
def test_a_month_without_rows_is_said_only_where_the_months_around_it_have_many(
    tmp_path: Path, each: int, said: bool
) -> None:
    folder = export(tmp_path / "x")
    days = [f"2024-0{month}-1{n % 10}" for month in (1, 2, 4, 5, 6) for n in range(each)]  # none in March
    rows = "".join(f"{n},A-1,{day} 10:00:00\n" for n, day in enumerate(days))
    (folder / "tickets.csv").write_text(f"ticket_id,account_id,opened_at\n{rows}")
    assert ("month_without_rows" in warnings(folder)) is said
    assert not said or "no row in 2024-03," in warnings(folder)["month_without_rows"]


def test_a_table_without_its_optional_date_is_checked_all_the_same(tmp_path: Path) -> None:
    folder = export(tmp_path / "x")
    (folder / "people_records.csv").write_text("kind,process,documented\nprocess,QBR,yes\nprocess,Renewal,no\n")
    seen = inspect(folder)
    assert not seen.failed
    assert next(fact for fact in seen.facts if fact.name == "people_records").last is None


@pytest.mark.parametrize(("lowest", "said"), [(3, True), (2, False)])
def test_satisfaction_that_is_never_low_is_said(tmp_path: Path, lowest: int, said: bool) -> None:
    folder = export(tmp_path / "x")
    rows = "".join(f"{n},2024-06-01 10:00:00,{lowest if n == 7 else 5}\n" for n in range(30))
    (folder / "tickets.csv").write_text(f"ticket_id,opened_at,csat\n{rows}")
    assert ("satisfaction_never_low" in warnings(folder)) is said


# --- the data check's front doors ---------------------------------------------------------------------------------


def test_coverage_counts_rows_by_month_and_subscriptions_while_they_run(tmp_path: Path) -> None:
    found = coverage(inspect(export(tmp_path / "x")))
    assert not isinstance(found, Suppressed)
    months = found.months
    assert [f"{day:%Y-%m}" for day in months.columns] == [f"2024-0{m}" for m in range(1, 7)]
    assert months.loc["subscriptions"].tolist() == [1, 2, 2, 2, 1, 1]  # A-2 is paid from February to the end of April
    assert months.loc["tickets"].tolist() == [0, 1, 0, 0, 0, 0]
    assert found.gaps["tickets"] == 5 and "subscriptions" not in found.gaps


def test_links_say_how_far_tables_hold_the_same_accounts(tmp_path: Path) -> None:
    found = links(inspect(export(tmp_path / "x")))
    assert not isinstance(found, Suppressed)
    rows = {(row.table, row.column): (row.keys, row.matched, row.covered) for row in found.links.itertuples()}
    assert rows == {("subscriptions", "account_id"): (2, 2, 2 / 3), ("tickets", "account_id"): (1, 1, 1 / 3)}


def test_tables_read_counts_used_and_set_aside_rows_and_names_what_is_absent(tmp_path: Path) -> None:
    found = tables_read(inspect(export(tmp_path / "x")))
    assert not isinstance(found, Suppressed)
    rows = {row.table: (row.read, row.used, row.set_aside) for row in found.present.itertuples()}
    assert rows == {"accounts": (3, 3, 0), "subscriptions": (4, 2, 2), "tickets": (2, 1, 1)}
    assert len(found.absent) == 11 and found.absent["fills"].str.len().min() > 0


def test_a_source_with_errors_suppresses_coverage_with_the_reason(tmp_path: Path) -> None:
    seen = inspect(export(tmp_path / "x", ""))
    assert seen.failed
    for answer in (coverage(seen), links(seen), churn_records(seen), checked_tables(seen)):
        assert isinstance(answer, Suppressed)
        assert "What is wrong" in answer.reason


def test_the_data_check_of_loaded_tables_is_that_of_their_source(tmp_path: Path) -> None:
    folder = export(tmp_path / "x")
    tables, seen = load(folder), inspect(folder)
    assert coverage(tables).months.equals(coverage(seen).months)
    assert set_aside(tables).rows.equals(set_aside(seen).rows)
    assert checked_tables(seen).accounts.equals(tables.accounts)


def test_the_data_check_is_not_made_for_a_shared_audience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_HELPERS_PSEUDONYM_KEY", "a key that is long enough")
    shared = load(ROOT / "data" / "sample", audience="shared")
    found = coverage(shared)
    assert isinstance(found, Suppressed)
    assert "not made for a shared audience" in found.reason


def test_a_front_door_without_a_source_is_one_line_with_the_call_that_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"cs\.data\.coverage takes the tables of a company and was given a str"):
        coverage(str(export(tmp_path / "x")))
    with pytest.raises(ParameterError, match=r"was given nothing"):
        coverage()


def test_tables_that_could_not_be_loaded_suppress_every_further_result(tmp_path: Path) -> None:
    @front_door("Nothing can be said.", "here")
    def accounts(tables: Tables) -> int:
        return len(tables.accounts)

    suppressed = accounts(checked_tables(inspect(export(tmp_path / "x", ""))))
    assert isinstance(suppressed, Suppressed)
    assert (suppressed.conclusion, suppressed.anchor) == ("Nothing can be said.", "here")
    assert "What is wrong" in suppressed.reason


def test_the_data_check_report_is_published_for_a_source_with_errors(tmp_path: Path) -> None:
    folder = export(tmp_path / "x", "")
    done = command("run", "data_check", "--source", str(folder), "--out", str(tmp_path / "out"), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (record,) = [json.loads(p.read_text()) for p in (tmp_path / "out").rglob("run.json")]
    assert record["status"] == "warnings"
    assert {"severity": "error", "check": "orphan"}.items() <= next(
        each for each in record["quality"] if each["severity"] == "error"
    ).items()
    page = next((tmp_path / "out").rglob("report.html")).read_text()
    assert "account_id =cmd is no account of accounts" in page
    assert "stops every report on this source" in page


def test_the_data_check_report_keeps_the_rows_set_aside_beside_it(tmp_path: Path) -> None:
    folder = export(tmp_path / "x")
    done = command("run", "data_check", "--source", str(folder), "--out", str(tmp_path / "out"), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "out").rglob("set_aside.csv")
    assert (file.parent / "report.html").exists()
    assert [row[:2] for row in csv.reader(file.open(newline=""))][1:] == [
        ["subscriptions", "orphan"], ["subscriptions", "zero_day"], ["tickets", "resolved_at_before_opened_at"],
    ]  # fmt: skip


# --- map --------------------------------------------------------------------------------------------------------


def test_map_writes_a_draft_says_how_sure_it_is_and_what_comes_next(tmp_path: Path) -> None:
    export(tmp_path / "x")
    (tmp_path / "x" / "mapping.yml").unlink()
    done = command("map", "x", "-o", "mine.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine.yml").exists()
    assert "Next: cs-helpers check x --mapping mine.yml" in done.stderr
    assert "sure" in done.stderr
    again = command("map", "x", "-o", "mine.yml", cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_map_prints_the_draft_to_stdout_and_the_rest_to_stderr(tmp_path: Path) -> None:
    export(tmp_path / "x")
    done = command("map", "x", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "version: 1" in done.stdout.splitlines()
    assert "certainty" in done.stderr
