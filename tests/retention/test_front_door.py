"""The front doors of retention on the sample company, for both audiences, and on data that cannot answer."""

from pathlib import Path

import pytest

import cs_helpers as cs
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Suppressed
from cs_helpers.report.views import begin_page, render

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
DOORS = {
    "summary": cs.retention.summary,
    "movements": cs.retention.movements,
    "trend": cs.retention.trend,
    "renewals": cs.retention.renewals,
    "by_group": cs.retention.by_group,
    "cohorts": cs.retention.cohorts,
    "renewal_outlook": cs.retention.renewal_outlook,
    "reconciliation": cs.retention.reconciliation,
}
doors = pytest.mark.parametrize("name", DOORS)


@pytest.fixture(scope="module")
def tables():
    return cs.load(SAMPLE)


@pytest.fixture(scope="module")
def unpaid(tmp_path_factory):
    """A company whose accounts never paid anything."""
    folder = tmp_path_factory.mktemp("unpaid")
    rows = "\n".join(f"A{k},2025-{k + 1:02d}-01,,0,EUR" for k in range(3))
    (folder / "accounts.csv").write_text("account_id,name\n" + "\n".join(f"A{k},Name {k}" for k in range(3)) + "\n")
    (folder / "subscriptions.csv").write_text(f"account_id,start_date,end_date,mrr,currency\n{rows}\n")
    return cs.load(folder)


@doors
def test_a_result_shows_headline_table_and_figures(name, tables):
    result = DOORS[name](tables)
    shown = result._repr_mimebundle_()
    assert not isinstance(result, Suppressed)
    assert len(result.table) > 0 and result.headline in shown["text/plain"]
    assert "cs-block" in shown["text/html"] and "nan" not in shown["text/plain"].split()
    assert len(repr(result).splitlines()) <= 12


@doors
def test_data_that_cannot_answer_give_the_reason_and_no_error(name, unpaid):
    result = DOORS[name](unpaid)
    if name in ("renewals", "renewal_outlook"):  # renewals need no account that pays
        assert result.headline
        return
    assert isinstance(result, Suppressed)
    assert "ever paid anything" in result.reason or "no start cohort" in result.reason


@doors
def test_a_call_without_tables_names_the_call_that_is_needed(name):
    with pytest.raises(ParameterError, match=rf"then cs\.retention\.{name}\(tables\)"):
        DOORS[name]()


def test_all_sections_on_one_page_have_ids_of_their_own(tables):
    import re

    begin_page()
    html = "".join(render(door(tables)).html for door in DOORS.values())
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert {"movements", "trends", "renewals", "groups", "cohorts", "outlook", "forecast-score"} <= set(ids)


def test_a_shared_report_names_no_account_and_has_the_same_figures(tables, monkeypatch):
    monkeypatch.setenv("CS_HELPERS_PSEUDONYM_KEY", "a key of this test, longer than thirty letters")
    shared = cs.load(SAMPLE, audience="shared")
    text = " ".join(render(door(shared)).text for door in DOORS.values())
    assert [name for name in tables.accounts["name"] if name in text] == []
    for door in (cs.retention.summary, cs.retention.movements, cs.retention.renewals):
        assert door(shared).headline == door(tables).headline


def test_the_takeaways_of_a_summary_are_those_of_its_results(tables):
    results = cs.retention.summary(tables), cs.retention.movements(tables), cs.retention.renewal_outlook(tables)
    block = cs.report.summary(*results)
    told = block.data["application/vnd.cs-helpers.takeaways+json"]["takeaways"]
    assert sorted(told) == sorted(result.headline for result in results)
    keys = [each["key"] for each in block.data["application/vnd.cs-helpers.headline+json"]["headline"]]
    assert keys == ["mrr", "nrr", "grr", "logo_retention"]


def test_a_shorter_window_is_the_window_of_every_figure(tables):
    assert cs.retention.movements(tables, months=6).window == "January 2026 to June 2026"
    assert cs.retention.summary(tables, months=6)["grr"].now_window == "January 2026 to June 2026"
    assert cs.retention.reconciliation(tables, months=6).window == "January 2026 to June 2026"
    with pytest.raises(ParameterError, match="at least one month"):
        cs.retention.movements(tables, months=0)


def test_events_are_days_with_names(tables):
    found = cs.retention.trend(tables, events={"2026-03-01": "Price change", "2025-10-15": "Onboarding"})
    assert [(f"{day:%Y-%m-%d}", what) for day, what in found.events] == [
        ("2025-10-15", "Onboarding"), ("2026-03-01", "Price change"),
    ]  # fmt: skip
    for day in ("soon", "", None):
        with pytest.raises(ParameterError, match="Write it as YYYY-MM-DD"):
            cs.retention.trend(tables, events={day: "Price change"})


def test_a_group_attribute_that_is_not_there_is_refused_with_the_nearest(tables):
    with pytest.raises(ParameterError, match="Did you mean 'industry'"):
        cs.retention.by_group(tables, by="industri")


def test_renewals_of_a_company_are_computed_once_and_shared(tables):
    due = cs.retention.company_renewals(tables)
    assert cs.retention.company_renewals(tables) is due
    assert due["recorded"].sum() == len(tables.renewals)
    assert (due.loc[~due["recorded"], "due_date"] >= tables.as_of).all()


def test_reconciliation_without_renewals_leaves_their_rows_out(tables):
    rows = cs.retention.reconciliation(tables, renewals=False).rows
    assert not rows["metric"].str.startswith("renewal_rate").any()
    assert "net renewal rate on the due base" not in set(rows["definition"])
