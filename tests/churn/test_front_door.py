"""The front doors of churn on the sample company, and what they say of a company whose data allow little."""

import numpy as np
import pandas as pd
import pytest

import cs_helpers as cs
from cs_helpers.core.results import Suppressed
from cs_helpers.report.views import begin_page, render

DOORS = ("survival", "anniversaries", "reasons", "projection", "lifetime_value", "call_list", "risk")


@pytest.fixture(scope="module")
def tables():
    return cs.load("data/sample")


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory):
    """A company of which next to nothing can be said."""
    folder = tmp_path_factory.mktemp("small")
    pd.DataFrame({"account_id": ["A", "B"]}).to_csv(folder / "accounts.csv", index=False)
    start = ["2024-01-01", "2024-03-01"]
    pd.DataFrame({"account_id": ["A", "B"], "start_date": start, "end_date": "", "mrr": [100, 900]}).to_csv(
        folder / "subscriptions.csv", index=False
    )
    (folder / "mapping.yml").write_text(
        "version: 1\ncompany: Small\ncurrency: EUR\ndate_format: YYYY-MM-DD\nobserved_from: 2024-01-01\n"
        "data_through: 2025-12-31\n"
    )
    return cs.load(folder)


@pytest.mark.parametrize("name", DOORS)
def test_a_front_door_shows_headline_chart_and_table(tables, name):
    result = getattr(cs.churn, name)(tables)
    assert not isinstance(result, Suppressed)
    assert len(result.headline) > 20 and len(result.table) > 0
    block = render(result)
    assert "<table>" in block.html and "nan" not in block.text.lower()
    figure = result.figure()
    assert (figure is None) == (name in ("lifetime_value", "call_list"))


@pytest.mark.parametrize("name", DOORS)
def test_data_that_cannot_answer_give_a_reason_and_never_an_error(two_accounts, name):
    result = getattr(cs.churn, name)(two_accounts)
    assert isinstance(result, Suppressed) and result.conclusion and result.anchor
    assert "Not shown." in render(result).html


def test_the_revenue_weighted_curve_compares_itself_with_the_one_of_accounts(tables):
    curve = cs.churn.survival(tables)
    assert curve.at(12) == pytest.approx(0.81, abs=0.005)
    assert "Of accounts it is 81\u202f%." in curve.revenue.headline
    begin_page()
    html = render(curve).html
    assert 'id="survival"' in html and 'id="survival-revenue"' in html


def test_a_curve_for_each_group_or_the_reason_why_there_is_none(tables, two_accounts):
    groups = cs.churn.survival(tables, by="segment")
    assert set(groups.curves) == {"SMB", "Mid-Market", "Enterprise"} and groups.by == "segment"
    few = cs.churn.survival(two_accounts, by="segment")
    assert isinstance(few, Suppressed)
    assert (few.conclusion, few.anchor) == ("Groups cannot be compared in how long they stay.", "survival-groups")


def test_an_attribute_that_is_not_there_is_named_with_the_nearest(tables):
    for door in (cs.churn.survival, cs.churn.reasons, cs.churn.lifetime_value):
        with pytest.raises(cs.errors.ParameterError, match="Did you mean 'segment'"):
            door(tables, by="segmnt")


def test_steps_that_several_sections_share_are_taken_once(tables):
    first, second = cs.churn.call_list(tables), cs.churn.risk(tables)
    assert first.model is second.model
    assert cs.churn.projection(tables).observed.curve is cs.churn.survival(tables).curve
    assert len(cs.churn.call_list(tables, capacity=3).calls) == 3


def test_the_projection_carries_the_curve_that_was_seen(tables):
    found = cs.churn.projection(tables)
    assert found.observed.at(12) == cs.churn.survival(tables).at(12)


def test_reasons_are_in_currency_and_split_only_if_asked(tables):
    found = cs.churn.reasons(tables, by="segment")
    assert found.currency == "EUR" and found.by == "segment"
    assert found.mrr == pytest.approx(found.by_reason["mrr"].sum())
    assert "by segment</caption>" in render(found).html
    assert "by segment</caption>" not in render(cs.churn.reasons(tables)).html


def test_settings_reach_what_they_set(tables, tmp_path):
    file = tmp_path / "churn.yml"
    file.write_text("margin: 0.5\nhorizon: 12\ndiscount: 0\nreasons_outside_our_control: [price]\n")
    settings = cs.churn.settings(file)
    value = cs.churn.lifetime_value(tables, settings=settings)
    row = value.by_group.loc["All"]
    assert value.horizon_months == 12 and row["margin"] == 0.5
    assert row["value"] == pytest.approx(row["mrr"] * 0.5 * row["expected_months"])
    reasons = cs.churn.reasons(tables, settings=settings)
    outside = reasons.by_reason.index[[each is False for each in reasons.by_reason["controllable"]]]
    assert list(outside) == ["price"]


def test_a_settings_file_with_a_typo_names_the_setting_that_was_meant(tmp_path):
    file = tmp_path / "churn.yml"
    file.write_text("horizn: 12\nmargin: a lot\n")
    with pytest.raises(cs.errors.ParameterError, match=r"(?s)horizn.*Did you mean 'horizon'.*margin"):
        cs.churn.settings(file)


def test_without_groups_lifetime_value_is_that_of_all_accounts(tables):
    one, several = cs.churn.lifetime_value(tables), cs.churn.lifetime_value(tables, by="segment")
    assert list(one.by_group.index) == ["All"]
    assert np.isclose(one.by_group.loc["All", "value"], several.by_group.loc["All", "value"])
