"""Results that show themselves: one view per type, unique ids, hostile texts inert, clear words where a view lacks."""

import re
from dataclasses import dataclass

import pandas as pd
import pytest
from matplotlib.figure import Figure

from cs_helpers import report
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.estimates import Change, Comparison, Estimate
from cs_helpers.core.results import Result, Suppressed, front_door
from cs_helpers.report.blocks import Block
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import Tiles, View, begin_page, render, view_for
from cs_helpers.report.words import Headline


@dataclass(frozen=True, eq=False, repr=False)
class Visits(Result):
    """Visits by month, as a subject would return them."""

    rows: pd.DataFrame
    name: str = "visits"


@view_for(Visits)
class VisitsView(View[Visits]):
    def headline(self, result: Visits) -> Headline:
        return Headline(f"{result.rows['n'].sum()} {result.name}.", "Counted by month.", "visits", 0.2)

    def chart(self, result: Visits, narrow: bool) -> Chart:
        chart = Chart(figsize=(4, 3))
        chart.add_subplot().plot(result.rows["month"], result.rows["n"])
        return chart

    def alt_text(self, result: Visits) -> str:
        return "A line."

    def note(self, result: Visits) -> str:
        return "Every visit counts."

    def findings(self, result: Visits) -> tuple[Headline, ...]:
        return (Headline("March was the busiest month.", "3 visits.", "visits-busiest"),)

    def table(self, result: Visits) -> pd.DataFrame:
        return result.rows

    def tiles(self, result: Visits) -> Tiles:
        now = Estimate("quick_ratio", 2.0, 4.0, 2.0, 6)
        return Tiles((Comparison(now, now, Change("no comparison"), "this year", ""),), "EUR")

    def parts(self, result: Visits) -> tuple[Result, ...]:
        return () if result.name == "part" else (Visits(result.rows, "part"),)


@dataclass(frozen=True, repr=False)
class Count(Result):
    """A result without a chart."""

    n: int


@view_for(Count)
class CountView(View[Count]):
    def headline(self, result: Count) -> Headline:
        return Headline(f"{result.n} accounts.", "", "count", 0.9)

    def table(self, result: Count) -> pd.DataFrame:
        return pd.DataFrame({"n": [result.n]})

    def notice(self, result: Count) -> Block:
        return Block('<p class="cs-note">Read with care.</p>', "Read with care.")


@pytest.fixture
def visits():
    begin_page()
    return Visits(pd.DataFrame({"month": [1, 2, 3], "n": [1, 2, 3]}))


def html_of(result):
    return result._repr_mimebundle_()["text/html"]


def test_a_result_shows_headline_chart_note_findings_and_folded_table(visits):
    page = html_of(visits)
    order = [
        "<strong>6 visits.</strong>",
        "<svg",
        "Every visit counts.",
        "March was the busiest",
        "<summary>Table",
        "<table",
    ]
    assert [page.index(part) for part in order] == sorted(page.index(part) for part in order)
    assert 'aria-label="A line."' in page


def test_without_a_chart_the_table_is_the_answer_and_stands_open():
    page = html_of(Count(3))
    assert "<table" in page and "<details" not in page


def test_the_parts_of_a_result_show_themselves_below_it(visits):
    assert html_of(visits).index("6 visits.") < html_of(visits).index("6 part.")


def test_a_chart_is_an_ordinary_figure_a_table_a_frame_a_headline_a_sentence(visits):
    assert isinstance(visits.figure(), Figure) and visits.figure(narrow=True) is not None
    assert visits.table["n"].tolist() == [1, 2, 3]
    assert visits.headline == "6 visits. Counted by month."
    assert Count(3).figure() is None


def test_ids_on_a_page_are_unique_also_where_a_result_is_shown_twice(visits):
    ids = re.findall(r'\bid="([^"]+)"', html_of(visits) + html_of(visits))
    assert len(ids) == len(set(ids)) and "visits" in ids and "visits-2" in ids


def test_a_new_page_numbers_its_ids_from_the_start(visits):
    first = html_of(visits)
    begin_page()
    assert html_of(visits) == first


def test_hostile_names_stay_inert(visits):
    page = html_of(Visits(visits.rows, "<script>alert(1)</script>\u202e"))
    assert "<script>" not in page and "\u202e" not in page


def test_a_summary_has_tiles_takeaways_by_size_notices_and_the_records_of_the_run(visits):
    bundle = report.summary(visits, Count(4))._repr_mimebundle_()
    assert bundle["application/vnd.cs-helpers.headline+json"]["headline"][0]["key"] == "quick_ratio"
    assert bundle["application/vnd.cs-helpers.takeaways+json"]["takeaways"] == [
        "4 accounts.",
        "6 visits. Counted by month.",
    ]
    assert bundle["text/html"].index("4 accounts.") < bundle["text/html"].index("Read with care.")


def test_a_suppressed_result_says_why_and_what_would_be_needed():
    begin_page()
    why = Suppressed(
        "45 churned accounts; 50 needed", "Load a longer history.", "Churn risk cannot be estimated.", "risk"
    )
    assert why.headline == "Churn risk cannot be estimated. 45 churned accounts; 50 needed. Load a longer history."
    page = html_of(why)
    assert 'id="risk"' in page and "Not shown." in page and "50 needed" in page
    assert why.table.empty and why.figure() is None
    assert report.summary(why)._repr_mimebundle_()["text/plain"].startswith("- Churn risk cannot be estimated.")


def test_a_result_without_a_view_is_one_clear_line():
    @dataclass(frozen=True, repr=False)
    class Unknown(Result):
        n: int

    with pytest.raises(ParameterError, match=r"Unknown has no view.*\n.*@view_for\(Unknown\)"):
        render(Unknown(1))


def test_a_view_without_a_headline_is_refused_where_it_is_registered():
    with pytest.raises(TypeError, match="headline"):

        @view_for(Count)
        class Silent(View[Count]):  # type: ignore[abstract]
            pass


class Company:
    """What a front door checks of its first argument."""

    is_tables = True


@front_door("Visits cannot be counted.", "visits")
def visits_of(tables: Company, months: int = 12, *, by: str = "") -> Count:
    """A front door."""
    if months < 1:
        raise ContractError("tickets: there is none")
    return Count(months)


def test_a_front_door_turns_data_that_cannot_answer_into_a_suppressed_result():
    assert visits_of(Company(), 0) == Suppressed(
        "tickets: there is none", conclusion="Visits cannot be counted.", anchor="visits"
    )
    assert visits_of(Company()) == Count(12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: visits_of(), r"takes the tables of a company and was given nothing\.\n.*cs\.load"),
        (lambda: visits_of("data/sample"), "was given a str"),
        (lambda: visits_of(Company(), mnths=3), "unexpected keyword argument 'mnths'. Did you mean 'months'"),
    ],
)
def test_a_front_door_that_is_called_wrongly_says_how_to_call_it(call, words):
    with pytest.raises(ParameterError, match=words):
        call()


def test_an_error_inside_a_front_door_is_not_taken_for_a_wrong_call():
    @front_door("No.", "x")
    def broken(tables: Company) -> Count:
        return len(3)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="has no len"):
        broken(Company())


@pytest.mark.parametrize("name", ["table", "headline", "figure"])
def test_a_field_that_would_hide_a_property_of_results_is_refused(name):
    with pytest.raises(TypeError, match=f"cannot have a field named {name}"):
        type("Clash", (Result,), {"__annotations__": {name: int}})
