"""The front doors of return on the sample company, and what stands in their place where the data do not answer."""

import pandas as pd
import pytest

import cs_helpers as cs
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Suppressed

FRONT_DOORS = (
    "summary", "break_even", "cost", "scenario", "inputs", "measured_effect", "evidence", "gates", "negative_controls",
    "overlap", "effect_in_money", "effect_by_segment", "worth_of_a_point", "plans", "word_of_mouth", "what_if",
)  # fmt: skip
END = pd.Timestamp("2025-01-01")


@pytest.fixture(scope="module")
def tables():
    return cs.load("data/sample")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A company of which only accounts and subscriptions are known."""
    folder = tmp_path_factory.mktemp("bare")
    ids = [f"A{k}" for k in range(40)]
    pd.DataFrame({"account_id": ids, "segment": "SMB"}).to_csv(folder / "accounts.csv", index=False)
    starts = [END - pd.DateOffset(months=1 + k % 28) for k in range(40)]
    paid = {"account_id": ids, "start_date": starts, "end_date": None, "mrr": 100.0}
    pd.DataFrame(paid).to_csv(folder / "subscriptions.csv", index=False)
    return cs.load(str(folder))


@pytest.mark.parametrize("name", FRONT_DOORS)
def test_each_front_door_gives_a_result_that_shows_itself(tables, name):
    result = getattr(cs.roi, name)(tables)
    assert result.headline and "text/html" in result._repr_mimebundle_()
    assert isinstance(result.table, pd.DataFrame)


@pytest.mark.parametrize("name", FRONT_DOORS)
def test_a_front_door_without_tables_says_how_to_call_it(name):
    with pytest.raises(ParameterError, match=rf"cs\.roi\.{name} takes the tables of a company"):
        getattr(cs.roi, name)()


@pytest.mark.parametrize(
    ("name", "conclusion", "anchor"),
    [
        ("break_even", "What customer success must keep to pay for itself cannot be told.", "break-even"),
        ("cost", "What customer success costs is not known.", "cost"),
        ("scenario", "No return is computed.", "scenario"),
        ("measured_effect", "The effect of customer success cannot be measured in these data.", "futures"),
        ("evidence", "There is no evidence on the effect.", "ladder"),
        ("gates", "The conditions for a measurement were not reached.", "gates"),
        ("negative_controls", "Negative controls say nothing here.", "controls"),
        ("overlap", "Whom the effect could speak of cannot be told.", "overlap"),
        ("effect_in_money", "No money is derived from a measured effect.", "money"),
        ("effect_by_segment", "The effect is not given by segment.", "segments"),
        ("worth_of_a_point", "What a point of retention is worth cannot be told.", "worth-of-a-point"),
        ("plans", "No smaller plan can be computed.", "plans"),
        ("word_of_mouth", "How far bad experience travels cannot be told.", "word-of-mouth"),
    ],
)
def test_without_assignments_and_costs_each_says_what_is_missing(bare, name, conclusion, anchor):
    result = getattr(cs.roi, name)(bare)
    assert isinstance(result, Suppressed)
    assert (result.conclusion, result.anchor) == (conclusion, anchor) and result.reason
    assert result.headline.startswith(conclusion)


def test_inputs_and_the_panel_say_what_is_missing_too(bare):
    reason = cs.roi.inputs(bare).reason  # all that is not known, at once
    assert "no gross margin is known" in reason and "nothing says what customer success costs" in reason
    assert "without recorded assignments" in cs.roi.what_if(bare).reason


def test_the_summary_of_a_company_without_answers_has_five_tiles_and_four_reasons(bare):
    block = cs.report.summary(cs.roi.summary(bare))
    assert block.text.count("cannot be") + block.text.count("No return") >= 4


def test_the_effect_is_computed_once_for_all_that_ask_for_it(tables):
    effect = cs.roi.evidence(tables).effect
    assert cs.roi.gates(tables).gates is effect.gates and cs.roi.overlap(tables).overlap is effect.overlap
    assert cs.roi.break_even(tables) is cs.roi.break_even(tables)


def test_an_effect_that_is_not_measured_is_refused_in_full_once_and_briefly_elsewhere(tables):
    failed = [gate for gate in cs.roi.gates(tables).gates if gate.passed is False]
    assert failed and len(cs.roi.measured_effect(tables).reason) > 60
    assert cs.roi.effect_in_money(tables).reason.startswith(f"{len(failed)} of ")


def test_a_scenario_takes_its_risk_from_the_call_then_from_the_settings(tables):
    told = cs.roi.scenario(tables, relative_risk="1.0, 1.4, 2.2")
    set_up = cs.roi.scenario(tables, settings=cs.roi.settings(relative_risk="1.0, 1.4, 2.2"))
    assert told.table.equals(set_up.table)
    assert isinstance(cs.roi.scenario(tables), Suppressed)


def test_three_numbers_in_a_settings_file_are_low_mode_and_high(tmp_path):
    file = tmp_path / "roi.yml"
    file.write_text("margin: [0.7, 0.8, 0.85]\nyearly_churn: 0.1, 0.12, 0.2\nrole: csm\n")
    settings = cs.roi.settings(str(file), by="region")
    margin = cs.roi.read_input(settings.margin, "margin")
    assert (margin.low, margin.mode, margin.high) == (0.7, 0.8, 0.85)
    assert cs.roi.read_input(settings.yearly_churn, "yearly_churn").mode == 0.12 and settings.by == "region"


def test_every_problem_of_a_settings_file_is_said_at_once(tmp_path):
    file = tmp_path / "roi.yml"
    file.write_text("marginn: 0.8\nhorizon: long\n")
    with pytest.raises(ParameterError, match=r"(?s)no setting 'marginn'\. Did you mean 'margin'.*horizon is 'long'"):
        cs.roi.settings(str(file))


def test_a_plan_without_its_settings_is_named_with_what_to_give(tables):
    plans = cs.roi.plans(tables)
    assert plans.not_computed["tech_touch"].startswith("tail_share is not given")
    assert "contact_saved is not given" in plans.not_computed["contact_time"]
