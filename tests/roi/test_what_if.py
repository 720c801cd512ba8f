"""The what-if panel: its numbers follow the economics, and its page holds what a browser needs to follow them too."""

import json
import math
import re
import subprocess
import sys
from dataclasses import asdict
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from what_if_portfolios import GIVEN, made_up_panel, made_up_portfolio

from cs_helpers.core.errors import ParameterError
from cs_helpers.publish import html
from cs_helpers.report.views import begin_page, render
from cs_helpers.roi.breakeven import solve_break_even
from cs_helpers.roi.economics import INPUTS, Assumptions, Flow, outcome, outcomes
from cs_helpers.roi.portfolio import make_portfolio
from cs_helpers.roi.results import WhatIfResult
from cs_helpers.roi.uncertain_inputs import fixed_input
from cs_helpers.roi.what_if_model import make_what_if
from cs_helpers.roi.what_if_panel import CONTROLS, ROWS, amount, exact, panel, panel_html, rounded
from cs_helpers.roi.what_if_widgets import WIDGET, notebook_is_open, sliders

YEARLY = pd.DataFrame({"due_in": [6], "term": [12], "mrr_cents": [100_000], "accounts": [4]})
PLAIN = dict.fromkeys(INPUTS, 0.0) | {"relative_risk": 2.0, "yearly_churn": 0.2, "margin": 0.5, "people": 100.0}


def exactly(**change):
    """The inputs of PLAIN, some of them changed; those that are None are left out."""
    return [fixed_input(name, value) for name, value in (PLAIN | change).items() if value is not None]


@pytest.fixture(scope="module")
def model():
    return made_up_panel()


class Page(HTMLParser):
    """Tags of a piece of HTML with their attributes, and the text inside each template."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.held, self.inside = [], [], False
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag == "template" or self.inside

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "template"

    def handle_data(self, text):
        if self.inside:
            self.held.append(text)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


# The numbers


def test_a_book_of_one_contract_follows_the_formulas_by_hand():
    # 1,000 a month, first decision after 6 months, then yearly; 20 % leave at each, 36 % without customer success.
    row = make_what_if(make_portfolio(YEARLY), exactly(), horizons=[12]).start.results.iloc[0]
    assert row["retention_with"] == approx(0.8)
    assert row["retention_without"] == approx(0.8**2)
    assert row["points"] == approx(100 * (0.8 - 0.64))
    assert row["mrr_kept"] == approx(1000 * 0.16)
    assert row["value"] == approx(0.5 * 6 * 1000 * 0.16)  # months 6 to 11
    assert row["cost"] == approx(12 * 100)
    assert row["net"] == approx(480 - 1200)
    assert row["roi"] == approx((480 - 1200) / 1200)


def test_the_break_even_of_one_contract_follows_by_hand():
    # 1,200 = .5 x 6 x 1,000 x (.8 - .8^rr), so .8^rr = .4
    row = make_what_if(make_portfolio(YEARLY), exactly(), horizons=[12]).start.results.iloc[0]
    assert row["break_even_risk"] == approx(math.log(0.4) / math.log(0.8))
    assert row["break_even_points"] == approx(100 * (0.8 - 0.4))


def test_the_first_state_is_the_outcome_of_the_economics(model):
    for row in model.start.results.itertuples():
        found = outcome(model.portfolio, Assumptions(**GIVEN), int(row.horizon))
        assert (row.value, row.cost, row.net) == (found.value, found.cost, found.net)
        assert (row.points, row.points_of_all) == (found.points, found.points_of_all)


def test_the_break_even_is_that_of_the_break_even_table(model):
    table = solve_break_even(model.portfolio, Assumptions(**GIVEN)).table
    assert model.start.results["break_even_risk"].to_numpy() == approx(table["hazard_ratio"].to_numpy())
    assert model.start.results["break_even_points"].to_numpy() == approx(table["points"].to_numpy())
    assert model.start.results["break_even_points_of_all"].to_numpy() == approx(table["points_of_all"].to_numpy())


@pytest.mark.parametrize("tail", [False, True])
def test_the_break_even_put_in_as_relative_risk_nets_nothing(model, tail):
    for row in model.at(tail=tail).results.itertuples():
        again = model.at(tail=tail, expansion_lost=0.0, relative_risk=row.break_even_risk).results
        assert again.set_index("horizon")["net"][row.horizon] == approx(0, abs=0.005)


def test_a_tail_lowers_the_break_even_and_raises_the_value(model):
    with_tail, without = model.at(tail=True).results, model.start.results
    assert (with_tail["value"] > without["value"]).all()
    assert (with_tail["break_even_risk"] < without["break_even_risk"]).all()
    assert with_tail["cost"].tolist() == without["cost"].tolist()


def test_a_curve_crosses_zero_where_the_break_even_is(model):
    for horizon, curve in model.start.curve.groupby("horizon"):
        pays = model.start.results.set_index("horizon")["break_even_risk"][horizon]
        assert (curve["net"] > 0).tolist() == (curve["relative_risk"] > pays).tolist()


def test_where_nothing_decides_within_the_horizon_the_break_even_is_out_of_reach():
    portfolio = make_portfolio(YEARLY.assign(due_in=30))
    model = make_what_if(portfolio, exactly(relative_risk=None), horizons=[12, 24])
    assert model.start.results["break_even_risk"].isna().all()
    assert model.start.inputs.relative_risk == 1.0
    shown = panel(model, "EUR")
    assert shown.html.count(">out of reach<") == 4
    assert "Retention alone cannot pay for it." in shown.text


def test_without_a_cost_there_is_no_roi_and_nothing_to_pay_for():
    model = make_what_if(make_portfolio(YEARLY), exactly(people=0.0))
    assert model.start.results["roi"].isna().all()
    assert model.start.results["break_even_risk"].tolist() == [1.0, 1.0, 1.0]
    assert "Closing it would save nothing by then." in panel(model, "EUR").text


# Where it opens


def test_it_opens_at_the_inputs_given(model):
    assert asdict(model.start.inputs) == GIVEN
    assert "opens at the inputs used above" in panel(model, "EUR").html


def test_without_an_effect_it_opens_where_it_just_pays_for_itself():
    model = made_up_panel(relative_risk=None)
    assert model.opens_at == "break-even"
    assert model.start.results["net"].iloc[1] == approx(0, abs=0.005)
    assert "just pays for itself, because no effect was measured or given" in panel(model, "EUR").html


def test_every_slider_holds_where_it_starts_and_stays_within_what_may_be_typed(model):
    rows = model.sliders
    assert rows["name"].tolist() == list(INPUTS)
    assert (rows["low"] <= rows["value"]).all() and (rows["value"] <= rows["high"]).all()
    assert (rows["min"] <= rows["low"]).all() and (rows["high"] <= rows["max"]).all()
    assert (rows["step"] > 0).all()
    assert ((rows["high"] - rows["low"]) / rows["step"] >= 12).all()


def test_a_horizon_that_is_no_number_of_months_is_refused():
    with pytest.raises(ParameterError, match="horizon = 0: choose whole months from 1"):
        made_up_panel(horizons=[0])


def test_an_input_that_is_none_or_beyond_its_limits_is_refused(model):
    with pytest.raises(ParameterError, match="churn: no such input"):
        model.at(churn=0.2)
    with pytest.raises(ParameterError, match=r"margin = 1\.4: give the gross margin"):
        model.at(margin=1.4)


# Small groups


def test_due_dates_of_few_accounts_are_pooled_with_their_neighbours():
    rows = pd.DataFrame(
        {
            "due_in": [1, 2, 4, 9, 3],
            "term": [12, 12, 12, 12, 36],
            "mrr_cents": [300, 100, 500, 700, 40],
            "accounts": [3, 2, 6, 1, 2],
        }
    )
    model = make_what_if(make_portfolio(rows), exactly(), smallest=5)
    found = model.portfolio.rows.to_dict("records")
    # 1 and 2 join: (300 + 2 x 100) / 400 = 1.25. 9 joins 4, and so does the rare term:
    # (4 x 500 + 9 x 700 + 3 x 40) / 1240 = 6.8
    assert found == [
        {"due_in": 1, "term": 12, "mrr_cents": 400, "accounts": 5},
        {"due_in": 7, "term": 12, "mrr_cents": 1240, "accounts": 9},
    ]
    assert model.pooled_share == 1.0
    assert "100.0" in panel(model, "EUR").html


@given(smallest=st.integers(2, 40), seed=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_pooling_keeps_every_cent_and_account_and_leaves_no_small_group(smallest, seed):
    portfolio = made_up_portfolio(accounts=120, seed=seed)
    pooled = make_what_if(portfolio, exactly(**GIVEN), smallest=smallest).portfolio.rows
    assert pooled["accounts"].min() >= smallest
    assert pooled[["mrr_cents", "accounts"]].sum().tolist() == portfolio.rows[["mrr_cents", "accounts"]].sum().tolist()
    assert pooled["due_in"].between(portfolio.rows["due_in"].min(), portfolio.rows["due_in"].max()).all()


# What the page holds


def held(block):
    return json.loads("".join(Page(block.html).held))


def test_the_page_holds_all_that_its_numbers_are_made_of(model):
    numbers = held(panel(model, "EUR"))
    portfolio = Flow(np.array(numbers["years"]), np.array(numbers["mrr"]))
    assert numbers["inputs"] == GIVEN
    for horizon, row in zip(numbers["horizons"], model.start.results.itertuples(), strict=True):
        found = outcomes(portfolio, numbers["inputs"], horizon)
        assert (found.value[0], found.cost[0]) == approx((row.value, row.cost), rel=1e-12)


def test_no_amount_in_the_page_reads_like_the_key_of_an_account(model):
    # Keys of six digits and more are looked for as words; a number with decimals is another word.
    numbers = json.loads("".join(Page(panel(model, "EUR").html).held), parse_int=lambda text: f"whole {text}")
    assert not re.search(r"whole \d{6}", str(numbers))


def test_each_cell_holds_its_exact_value(model):
    cells = [tag for tag in Page(panel(model, "EUR").html).of("td") if "data-v" in tag]
    wanted = [exact(value, kind) for key, _, kind in ROWS for value in model.start.results[key]]
    assert [cell["data-v"] for cell in cells] == wanted
    net = model.start.results["net"].iloc[0]
    assert wanted[18] == f"{math.floor(net * 100 + 0.5) / 100:.2f}"


def test_every_control_has_a_name_and_no_two_share_an_id(model):
    page = Page(panel(model, "EUR").html)
    controls = [tag for tag in page.of("input") if tag["type"] != "checkbox"]
    labelled = {label["for"] for label in page.of("label") if "for" in label}
    assert len(controls) == 2 * len(INPUTS)
    assert all(tag["id"] in labelled or tag.get("aria-label") for tag in controls)
    ids = [tag["id"] for _, tag in page.tags if "id" in tag]
    assert len(ids) == len(set(ids))


def test_two_panels_on_one_page_have_ids_of_their_own(model):
    ids = [{tag["id"] for _, tag in Page(panel(model, "EUR", name).html).tags if "id" in tag} for name in ("a", "b")]
    assert not ids[0] & ids[1]


def test_every_input_of_the_economics_has_its_control_once():
    assert sorted(control.name for control in CONTROLS) == sorted(INPUTS)


def test_it_says_that_nothing_in_it_is_measured(model):
    begin_page()
    shown = render(WhatIfResult(model, "EUR"))
    assert "Your own what-if: nothing here is measured." in shown.html
    assert shown.text.startswith("- Your own what-if: nothing here is measured.")
    ids = [tag["id"] for _, tag in Page(shown.html).tags if "id" in tag]
    assert len(ids) == len(set(ids))


def test_a_currency_from_data_stays_inert(model):
    shown = panel(model, "</template><script>alert(1)</script>")
    page = Page(shown.html)
    assert page.of("script") == []
    assert len(page.of("template")) == 1
    assert held(shown)["symbol"].startswith("</template><script>")


def test_without_a_script_the_controls_are_away_and_the_inputs_stand_in_words(model):
    page = Page(panel(model, "EUR").html)
    assert [tag for tag in page.of("div") if tag.get("class") == "cs-inputs" and "hidden" in tag]
    words = "gross margin 77.34\u202f%; discount rate a year 10\u202f%; people €31,251; tools €2,100"
    assert words in panel(model, "EUR").html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "€0"),
        (-0.3, "€0"),
        (0.5, "€1"),
        (-0.5, "€0"),
        (1234.494, "€1,234"),
        (1234.496, "€1,235"),  # 1,234.50 in cents, and then up
        (-312_400.2, "−€312,400"),
        (9_999_999.49, "€9,999,999"),
        (12_345_678.0, "€12.35m"),
        (-1_234_567_890.0, "−€1,234.57m"),
    ],
)
def test_amounts_are_rounded_to_the_cent_and_then_to_whole_units(value, text):
    assert amount(value, "EUR") == text


@pytest.mark.parametrize(("value", "digits", "text"), [(0.125, 2, "0.13"), (-0.125, 2, "−0.12"), (-0.004, 2, "0.00")])
def test_halves_are_rounded_up(value, digits, text):
    assert rounded(value, digits) == text


def test_the_drawing_marks_each_break_even_and_each_net_value(model):
    page = Page(panel(model, "EUR").html)
    marks = [tag["class"] for tag in page.of("circle")]
    assert marks == ["ring"] * 3 + ["dot"] * 3
    assert len(page.of("polyline")) == 3
    away = model.at(relative_risk=40.0)
    assert "dot" not in panel_html(model, away, "EUR").split("</style>")[1]


def test_the_shell_with_the_panel_stays_small():
    assert sum(len((html.SHELL / name).read_bytes()) for name in ("shell.css", "shell.js")) < 60_000


# In JupyterLab


def test_the_sliders_of_jupyterlab_are_there_only_in_a_notebook_somebody_opened(model, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert not notebook_is_open()
    assert WIDGET not in WhatIfResult(model, "EUR")._repr_mimebundle_()
    monkeypatch.setenv("JPY_SESSION_NAME", "roi.ipynb")
    bundle = WhatIfResult(model, "EUR")._repr_mimebundle_()
    assert set(bundle[WIDGET]) == {"version_major", "version_minor", "model_id"}
    assert "cs-whatif" in bundle["text/html"]  # for a front end without widgets


def test_where_nobody_sits_ipywidgets_is_not_even_imported():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from what_if_portfolios import made_up_panel\n"
        "from cs_helpers.roi.results import WhatIfResult\n"
        "WhatIfResult(made_up_panel(), 'EUR')._repr_mimebundle_()\n"
        "print('ipywidgets' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"JPY_SESSION_NAME": ""}
    )
    assert ran.stdout == "False\n"


def parts(box):
    found, waiting = {}, [box]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        found.setdefault(type(widget).__name__, []).append(widget)
    by_words = {slider.description.split(" (")[0]: slider for slider in found["FloatSlider"]}
    shown = next(each for each in found["HTML"] if "cs-whatif" in each.value)
    return SimpleNamespace(sliders=by_words, shown=shown, tail=found["Checkbox"][0], reset=found["Button"][0])


def test_moving_a_slider_shows_what_follows(model):
    shown = parts(sliders(model, "EUR"))
    assert shown.shown.value == panel_html(model, model.start, "EUR")
    shown.sliders["Gross margin"].value = 50
    shown.sliders["People"].value = 20_000
    assert shown.shown.value == panel_html(model, model.at(margin=0.5, people=20_000.0), "EUR")
    shown.tail.value = True
    assert shown.shown.value == panel_html(model, model.at(tail=True, margin=0.5, people=20_000.0), "EUR")


def test_reset_brings_back_the_exact_first_state(model):
    shown = parts(sliders(model, "EUR"))
    for slider in shown.sliders.values():
        slider.value = slider.max
    shown.tail.value = True
    assert shown.shown.value != panel_html(model, model.start, "EUR")
    shown.reset.click()
    assert shown.shown.value == panel_html(model, model.start, "EUR")
    assert shown.sliders["Gross margin"].value == approx(77.34)


def test_every_input_has_a_slider_whose_steps_hold_where_it_starts(model):
    shown = parts(sliders(model, "EUR"))
    assert len(shown.sliders) == len(INPUTS)
    for control, row in zip(CONTROLS, (model.sliders.set_index("name").loc[c.name] for c in CONTROLS), strict=True):
        slider = shown.sliders[control.label]
        steps = (slider.value - slider.min) / slider.step, (slider.max - slider.value) / slider.step
        assert steps == approx(tuple(round(each) for each in steps), abs=1e-6)
        assert slider.min >= row["low"] * control.scale - 1e-9
        assert slider.max <= row["high"] * control.scale + 1e-9


def test_a_value_that_a_slider_sends_back_is_no_move(model):
    shown = parts(sliders(model, "EUR"))
    slider = shown.sliders["Gross margin"]
    slider.value = slider.value + 0.0009  # less than a thousandth of a step, as a front end may round it
    assert shown.shown.value == panel_html(model, model.start, "EUR")
