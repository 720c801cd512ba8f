"""Questions to the tables of a company: each answers on the sample company, or says why it cannot."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_companies import book, write

import cs_helpers as cs
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Suppressed
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import render, view_of

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
TEAMS = ("benchmark", "steering_measures", "case_mix", "managers", "persistence")


@cache
def sample():
    return cs.load(SAMPLE)


@cache
def asked(name, role=""):
    door = getattr(cs.reps, name)
    return door(sample(), role) if role else door(sample())


EVERY = [("summary", ""), ("gaming", ""), ("ramp", ""), ("history", ""), ("moves", "")]
EVERY += [(name, role) for name in TEAMS for role in ("support", "csm")]


@pytest.mark.parametrize(("name", "role"), EVERY)
def test_every_question_has_an_answer_that_shows_itself(name, role):
    result = asked(name, role)
    assert not isinstance(result, Suppressed), result
    assert result.headline and isinstance(result.table, pd.DataFrame)
    bundle = result._repr_mimebundle_()
    assert result.headline.split(".")[0][:30] in bundle["text/plain"]
    assert result.figure() is None or isinstance(result.figure(), Chart)


@pytest.mark.parametrize("name", ["steering_measures", "history", "ramp"])
def test_measures_that_are_drawn_have_a_figure_and_a_table(name):
    result = asked(name, "support")
    assert isinstance(result.figure(), Chart) and len(result.table) > 2
    assert {each.dtype.kind for _, each in result.table.items()} & {"f", "i"}, "numbers unformatted"


def test_both_roles_are_asked_where_none_is_named_and_one_where_it_is():
    both, one = asked("summary"), cs.reps.summary(sample(), "csm")
    assert [team.role for team in both.teams] == ["support", "csm"]
    assert [team.role for team in one.teams] == ["csm"]
    assert asked("moves").role == "support" and [each.role for each in asked("moves").others] == ["csm"]


def test_the_last_window_and_the_one_before_it_say_who_stands_out_again():
    found = asked("persistence", "support")
    assert {(each.before, each.now) for each in found.measures} == {
        ("July 2024 to June 2025", "July 2025 to June 2026")
    }


def test_measures_come_in_the_order_of_the_settings_and_settings_reach_the_analysis():
    chosen = cs.reps.Settings(steer_support=("ces", "csat"), fdr=0.2)
    found = cs.reps.steering_measures(sample(), "support", settings=chosen)
    assert [found.benchmark.key, *(each.benchmark.key for each in found.others)] == ["ces", "csat"]
    assert cs.reps.benchmark(sample(), "support", settings=chosen).board.fdr == 0.2


def test_places_come_only_on_request():
    usual, league = (
        asked("steering_measures", "support"),
        cs.reps.steering_measures(sample(), "support", league_table=True),
    )
    kinds = [[type(part).__name__ for part in view_of(each).parts(each)] for each in (usual, league)]
    assert "MeasurePlaces" not in kinds[0] and "MeasurePlaces" in kinds[1]


def test_shared_steps_are_computed_once():
    tables = sample()
    before = len(tables._cache)
    asked("benchmark", "support"), asked("steering_measures", "support")
    kept = len(tables._cache)
    cs.reps.managers(tables, "support")
    assert len(tables._cache) == kept >= before
    assert asked("benchmark", "support").board is cs.reps.benchmark(tables, "support").board


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cs.reps.benchmark(sample(), "suport"), "Did you mean 'support'"),
        (lambda: cs.reps.benchmark(sample(), ""), "is none of support, csm"),
        (lambda: cs.reps.summary(sample(), "managers"), "is none of support, csm"),
        (lambda: cs.reps.benchmark(sample(), "csm", months=0), "months = 0"),
        (lambda: cs.reps.benchmark(sample(), "csm", by="regoin"), "Did you mean 'region'"),
        (lambda: cs.reps.benchmark(sample(), "csm", month=3), "Did you mean 'months'"),
        (lambda: cs.reps.benchmark("data/sample", "csm"), "takes the tables of a company"),
        (lambda: cs.reps.history(sample(), settings=cs.reps.Settings(steer_csm=("csat",))), "no measure of csm"),
    ],
)
def test_a_call_that_cannot_be_meant_is_one_error_with_the_fix(call, said):
    with pytest.raises(ParameterError, match=said):
        call()


def test_a_company_without_tickets_or_assignments_has_reasons_in_place_of_results(tmp_path):
    tables = cs.load(write(tmp_path, *book()))
    for role, opening in (("support", "Support reps cannot be compared."), ("csm", "CSMs cannot be compared.")):
        for name in ("benchmark", "steering_measures", "case_mix"):
            found = getattr(cs.reps, name)(tables, role)
            assert isinstance(found, Suppressed) and found.headline.startswith(opening)
        assert cs.reps.managers(tables, role).conclusion.startswith("Managers of ")
        assert cs.reps.persistence(tables, role).conclusion == "Nobody can be called a consistent outlier."
    for name in ("gaming", "history", "ramp", "moves"):
        assert isinstance(getattr(cs.reps, name)(tables), Suppressed), name
    both = cs.reps.summary(tables)
    assert [type(team.board) for team in both.teams] == [Suppressed, Suppressed]
    assert "cannot be compared" in both.headline


def test_several_measures_without_a_result_give_all_reasons_once():
    found = cs.reps.front_door._first([Suppressed("CSAT: too few"), Suppressed("CES: none.")])
    assert found.reason == "CSAT: too few. CES: none."


def test_what_is_refused_stands_below_the_first_result():
    found = cs.reps.ramp(sample(), "support", settings=cs.reps.Settings(steer_support=("ces", "csat")))
    assert found.key in ("ces", "csat")
    html = render(found).html
    assert html.count("<figure") >= 1


def test_before_a_shared_audience_small_groups_are_not_listed(monkeypatch):
    monkeypatch.setenv("CS_HELPERS_PSEUDONYM_KEY", "a key that is long enough for a test")
    shared = cs.load(SAMPLE, audience="shared")
    found = cs.reps.steering_measures(shared, "support")
    assert found.smallest_group == 5
    assert not (found.table["verdict"] == "too few").any() and np.isfinite(found.table["adjusted"]).all()


def test_a_settings_file_is_read_and_a_typo_is_named(tmp_path):
    path = tmp_path / "reps.yml"
    path.write_text("fdr: 0.1\nsteer_support: [ces]\n")
    chosen = cs.reps.settings(str(path))
    assert (chosen.fdr, chosen.steer_support, chosen.repeat_days) == (0.1, ("ces",), 7)
    path.write_text("fdrr: 0.1\nrepeat_days: a week\n")
    with pytest.raises(ParameterError, match=r"Did you mean 'fdr'") as wrong:
        cs.reps.settings(str(path))
    assert "repeat_days" in str(wrong.value)
