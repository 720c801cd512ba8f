"""What a reader sees of the data check: headlines, tables, notes, and the file of rows set aside."""

import pandas as pd
import pytest

from cs_helpers.data.data_check import ChurnRecords, Coverage, Links, Quality, SetAside, TablesRead
from cs_helpers.data.tables import Finding
from cs_helpers.report import summary
from cs_helpers.report.views import render, view_of

JANUARY, FEBRUARY = pd.Timestamp("2025-01-01"), pd.Timestamp("2025-02-01")


def quality(*severities: tuple[str, int]) -> Quality:
    findings = (Finding("tickets", "orphan", name, rows, f"{name}!", "Do this.") for name, rows in severities)
    return Quality(tuple(findings), (), "EUR")


@pytest.mark.parametrize(
    ("severities", "headline"),
    [
        ((), "Nothing stands in the way of reports on this source. No warning, no row was set aside."),
        ((("set aside", 1),), "Nothing stands in the way of reports on this source. No warning, 1 row was set aside."),
        (
            (("warning", 0), ("set aside", 1_200)),
            "1 warning should be read beside the figures. 1,200 rows were set aside; nothing stops a report.",
        ),
        ((("error", 1),), "1 error stops every report on this source. Each says how it can be fixed."),
        ((("error", 1), ("error", 2)), "2 errors stop every report on this source. Each says how it can be fixed."),
    ],
)
def test_the_headline_says_whether_the_source_can_be_used(severities, headline):
    assert quality(*severities).headline == headline


def test_every_finding_is_on_the_page_with_its_fix_and_in_the_run_record():
    block = render(quality(("error", 2), ("note", 0)))
    assert "error!" in block.html and "Do this." in block.html
    (records,) = [data["quality"] for kind, data in block.data.items() if "quality" in kind]
    assert [(record["severity"], record["rows"]) for record in records] == [("error", 2), ("note", 0)]


def coverage(*rows: tuple[str, int, int]) -> Coverage:
    names = pd.Index([name for name, *_ in rows], name="table")
    months = pd.Index([JANUARY, FEBRUARY], name="month")
    return Coverage(pd.DataFrame([counts for _, *counts in rows], names, months))


def test_coverage_names_the_tables_with_the_most_gaps():
    found = coverage(("usage", 0, 5), ("tickets", 0, 0), ("surveys", 3, 4))
    assert found.headline == (
        "2 of 3 dated tables have months without rows. tickets in 2 of 2 months, usage in 1 of 2 months; January 2025 "
        "to February 2025."
    )
    assert coverage(("usage", 1, 5)).headline == (
        "Every dated table has rows in all 2 months. January 2025 to February 2025."
    )


def test_coverage_has_a_chart_its_text_and_its_table():
    found = coverage(("usage", 0, 1_234))
    view = view_of(found)
    assert view.alt_text(found) == "Rows per table and month. usage: 1 of 2 months with rows, 0 to 1,234 a month."
    assert found.figure().axes and found.figure(narrow=True).axes
    assert found.table.to_dict("list") == {"Month": ["2025-01", "2025-02"], "usage": [0, 1_234]}


def links(*rows: tuple) -> Links:
    columns = ["table", "column", "of", "keys", "matched", "share", "covered"]
    return Links(pd.DataFrame(rows, columns=columns))


def test_links_name_the_key_that_is_found_least():
    whole = ("subscriptions", "account_id", "accounts", 10, 10, 1.0, 0.5)
    part = ("tickets", "rep_id", "reps", 1_200, 300, 0.25, 1.0)
    assert links(whole).headline == "Every key that one table borrows from another is found there."
    assert links(whole, part).headline == (
        "1 of 2 borrowed keys lead nowhere in part. The least: rep_id of tickets finds 300 of 1,200 in reps."
    )
    assert "25.0\u202f%" in render(links(whole, part)).html


RECORD_COLUMNS = [
    "record", "flags", "accounts", "of_accounts", "events", "of_events", "shared", "only_here", "only_paid", "differs",
]  # fmt: skip
ENDED = ("ended subscriptions", False, 9, 100, 9, 120, 7, 2, 0, False)
PAID = ("paid periods (used)", False, 7, 100, 7, 100, 7, 0, 0, False)


def records(*rows: tuple) -> ChurnRecords:
    return ChurnRecords(pd.DataFrame(rows, columns=RECORD_COLUMNS))


def test_records_of_churn_that_disagree_are_named():
    used = "By paid periods 7 of 100 accounts stopped paying; reports rest on that."
    assert records(ENDED, PAID).headline == f"This source has no other record of who left. {used}"
    same = ("flags", True, 7, 100, 7, 100, 7, 0, 0, False)
    assert records(same, ENDED, PAID).headline == f"All records of who left name the same accounts. {used}"
    other = ("flags", True, 20, 100, 20, 100, 5, 15, 2, True)
    assert records(other, ENDED, PAID).headline == f"Records of who left disagree: flags 20. {used}"


def test_without_accounts_and_subscriptions_records_of_churn_are_not_compared():
    nothing = ChurnRecords(pd.DataFrame())
    assert nothing.headline == "Who left cannot be compared between records."
    assert nothing.table.empty
    assert "Accounts and subscriptions are needed to compare." in render(nothing).text


def test_tables_read_lists_those_that_are_there_and_what_the_absent_ones_would_give():
    columns = ["table", "file", "read", "used", "set_aside", "first", "last", "fills"]
    rows = [
        ("accounts", "accounts.csv", 10, 9, 1, JANUARY, FEBRUARY, "everything"),
        ("usage", "absent", 0, 0, 0, None, None, "signals <b>"),
    ]
    found = TablesRead(pd.DataFrame(rows, columns=columns))
    assert found.headline == "The source has 1 of 2 tables of the contract. 9 of 10 rows are used."
    html = render(found).html
    assert "<strong>usage</strong> signals &lt;b&gt;" in html and "2025\u201101\u201101" in html
    assert found.table["Table"].tolist() == ["accounts"]


def test_rows_set_aside_are_shown_in_part_and_kept_whole_as_a_file():
    rows = pd.DataFrame({"table": ["tickets"] * 30, "reason": [f"=row {n}" for n in range(30)]})
    block = render(SetAside(rows))
    assert block.html.count("<tr>") == 1 + 20
    assert "30 rows were set aside. All 30 stand in set_aside.csv beside this report." in block.text
    (file,) = [data["files"]["set_aside.csv"] for kind, data in block.data.items() if "files" in kind]
    assert len(file.splitlines()) == 31 and "tickets,'=row 29" in file
    assert SetAside(rows.head(0)).headline == "No row was set aside."
    assert "files" not in " ".join(render(SetAside(rows.head(0))).data)


def test_the_summary_begins_with_the_largest_finding():
    shown = summary(quality(), coverage(("usage", 0, 1)), records(ENDED, PAID))
    assert shown.text.index("1 of 1 dated tables") < shown.text.index("Nothing stands in the way")
