"""The report on return: poor data leave reasons, good data a measured effect, and the page reads well."""

import json
import re
import tempfile
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from browser import needs_browser, survey
from conftest import run
from covered_accounts import covering
from notebook_cells import run_cells
from small_companies import END, book, write

import cs_helpers as cs
from cs_helpers.core.results import Result
from cs_helpers.data.sample import worlds
from cs_helpers.report.views import render
from cs_helpers.report.words import money
from cs_helpers.roi.views.names import EVIDENCE, GATES

pytestmark = [pytest.mark.reports, pytest.mark.xdist_group("roi")]

NO_CLAIM = "The effect of customer success cannot be measured in these data."
CAUSAL = re.compile(r"(more|fewer) accounts still paid than would have")


NOTEBOOK = ("by", "relative_risk", "negative_controls", "audience")


def run_with(source, **chosen):
    """The cells of the notebook run with parameters of its own, and with a settings file for the others."""
    parameters = {name: value for name, value in chosen.items() if name in NOTEBOOK}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "roi.yml"
        file.write_text(json.dumps({name: value for name, value in chosen.items() if name not in NOTEBOOK}))
        return run_cells("roi", source=source, settings=str(file), **parameters)


def whole_report(source, **parameters):
    """All words of the report, checked for what must never be in one, and the names of its cells."""
    names, shown = run_with(source, **parameters)
    blocks = [render(each) if isinstance(each, Result) else each for each in shown]
    html = " ".join(block.html for block in blocks)
    words = unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(svg|template).*?</\1>", " ", html, flags=re.S)))
    for text in (words, " ".join(block.text for block in blocks)):
        found = re.search(r".{0,60}\b(nan|inf|NaT|None(?! of)|NaN)\b.{0,30}", text)
        assert not found, found
    for svg in re.findall(r"<svg viewBox.*?</svg>", html, flags=re.S):
        assert svg.count("<text") >= 2, "an axis without a word on it"
        assert not re.search(r'[ ="](nan|-?inf)[ "]', svg)
    return " ".join(words.replace("\u202f", " ").split()), names


def priced(amount=3_000.0):
    months = pd.date_range(END - pd.DateOffset(months=12), periods=12, freq="MS")
    return pd.DataFrame({"month": months, "item": "pay", "amount": amount, "function": "customer_success"})


def test_two_tables_alone_leave_reasons_and_no_number_that_looks_causal(tmp_path):
    words, _ = whole_report(write(tmp_path, *book()))
    assert "without recorded assignments nobody knows whom customer success covers" in words
    assert "nothing says what customer success costs" in words.lower()
    assert "no assignments are recorded, so nobody can tell which account was covered when" in words.lower()
    assert NO_CLAIM in words and not CAUSAL.search(words)
    assert "No return is computed." in words
    assert "withdrawing assigned people" in words


def test_assignments_and_one_figure_for_the_cost_give_a_break_even(tmp_path):
    accounts, subscriptions = book()
    source = write(tmp_path, accounts, subscriptions, assignments=covering(accounts))
    words, names = whole_report(source, cost_per_month=2_000.0, margin="0.8", yearly_churn="0.1, 0.15, 0.2")
    even = cs.roi.break_even(names["tables"], names["chosen"])
    assert f"must keep {even.at(24)['points']:.1f} points" in words
    assert "Given as a parameter" in words and "user's own figure" in words
    assert NO_CLAIM in words and not CAUSAL.search(words)
    assert "too few accounts left" in words.lower()
    assert "Coverage" in words or "coverage" in words


def test_everybody_covered_leaves_a_break_even_and_nobody_to_compare_with(tmp_path):
    accounts, subscriptions = book(n=160)
    source = write(tmp_path, accounts, subscriptions, assignments=covering(accounts, share=1.0), costs=priced())
    words, names = whole_report(source, yearly_churn="0.15")
    even = cs.roi.break_even(names["tables"], names["chosen"]).even
    assert even.exposed_mrr == even.total_mrr
    assert "(100 % of all MRR)" in words
    assert NO_CLAIM in words and not CAUSAL.search(words)


def test_nobody_covered_now_is_said_and_nothing_is_exposed(tmp_path):
    accounts, subscriptions = book()
    gone = covering(accounts).assign(end_date=END - pd.DateOffset(months=6))
    words, _ = whole_report(write(tmp_path, accounts, subscriptions, assignments=gone, costs=priced()))
    assert "is covered by customer success: there is no MRR that would be exposed" in words
    assert "What customer success must keep to pay for itself cannot be told." in words


@pytest.mark.parametrize("churn", ["none", "all"])
def test_a_book_in_which_nobody_or_everybody_leaves(tmp_path, churn):
    accounts, subscriptions = book(churn=churn)
    words, _ = whole_report(write(tmp_path, accounts, subscriptions, assignments=covering(accounts), costs=priced()))
    assert NO_CLAIM in words and not CAUSAL.search(words)
    assert "customer success" in words


@pytest.mark.parametrize("months", [1, 2, 8])
def test_a_few_months_of_data(tmp_path, months):
    accounts, subscriptions = book(months=months)
    source = write(tmp_path, accounts, subscriptions, months=months, assignments=covering(accounts), costs=priced())
    words, _ = whole_report(source)
    assert NO_CLAIM in words and not CAUSAL.search(words)


def test_a_single_account(tmp_path):
    accounts, subscriptions = book(churn="none")
    one, alone = accounts.iloc[:1], subscriptions.iloc[:1].assign(start_date=END - pd.DateOffset(months=40))
    words, _ = whole_report(
        write(tmp_path, one, alone, assignments=covering(one, share=2.0), costs=priced()), yearly_churn="0.1"
    )
    assert NO_CLAIM in words


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"relative_risk": "1.2, 1.6"}, "relative_risk"),
        ({"relative_risk": "2, 1.5, 1"}, "not in order"),
        ({"margin": "80"}, "margin = 80"),
        ({"discount": "ten percent"}, "discount"),
        ({"horizon": 500}, "horizon is 500"),
        ({"health_lag": 9}, "health_lag"),
        ({"negative_controls": "late_paymnt"}, "late_paymnt"),
        ({"by": "segmnt"}, "Did you mean 'segment'"),
        ({"cut": 1.5}, "share = 1.5"),
        ({"cost_per_month": -1.0}, "cost_per_month"),
    ],
)
def test_a_parameter_that_cannot_be_meant_stops_the_report_and_is_named(parameters, said):
    with pytest.raises(cs.errors.ParameterError, match=re.escape(said)):
        run_with("data/sample", draws=20, **parameters)


def test_the_sample_company_gets_a_break_even_and_is_refused_an_effect():
    words, names = whole_report("data/sample")
    tables = names["tables"]
    even, costs, found = cs.roi.break_even(tables), cs.roi.cost(tables).costs, cs.roi.evidence(tables).effect
    for months in (12, 24, 36):
        assert f"Break-even retention over {months} months {even.at(months)['points']:.1f} points" in words
    assert f"Cost of customer success a year {money(costs.per_year, 'EUR', short=True)}" in words
    assert found.main_evidence is None and found.reason and NO_CLAIM in words and not CAUSAL.search(words)
    assert "Your own what-if: nothing here is measured." in words
    assert {each.key for each in (*found.evidence, *found.naive)} <= set(EVIDENCE), "each has a name"
    own = {gate.key for gate in found.gates if not gate.key.startswith(("natural_", "control:"))}
    assert own <= set(GATES), "each has a name"
    order = ["No evidence on the effect", "conditions for a measured effect",
             "No negative control", "of the MRR is of accounts", "No money is derived", "not given by segment",
             "One more point", "churn may rise", "happy ones would tell", "nothing here is measured"]  # fmt: skip
    place = [words.lower().rindex(part.lower()) for part in order]
    assert place == sorted(place)


def test_own_inputs_give_a_scenario_and_plans_and_leave_the_break_even_alone():
    words, names = whole_report(
        "data/sample", relative_risk="1.0, 1.4, 2.2", tail_below=800.0, tail_share="0.05, 0.1, 0.2",
        contact_saved="8000, 9000, 11000", contact_risk="1.0, 1.02, 1.1", lost_sale_chance="0.001, 0.002, 0.004",
        sale_value="4000", draws=20,
    )  # fmt: skip
    assert "These inputs leave open" in words or "If these inputs hold" in words
    assert "no confidence interval" in words
    assert "Lost sales by your inputs" in words
    plans = cs.roi.plans(names["tables"], names["chosen"])
    assert {plan.key for plan in plans.plans} == {"cut", "tech_touch", "contact_time"}
    asked = cs.roi.break_even(names["tables"], names["chosen"])
    assert asked.table.equals(cs.roi.break_even(names["tables"]).table)


def test_a_shared_report_names_nobody(monkeypatch):
    monkeypatch.setenv("CS_HELPERS_PSEUDONYM_KEY", "a key that is long enough for a test")
    words, names = whole_report("data/sample", audience="shared", draws=20)
    people = pd.read_csv("data/sample/reps.csv")["name"]
    companies = pd.read_csv("data/sample/accounts.csv")["name"]
    assert [name for name in [*people, *companies] if name in words] == []
    model = cs.roi.what_if(names["tables"]).model
    assert (model.portfolio.rows["accounts"] >= 5).all()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A simulated company in which coverage works, with three years of data."""
    folder = tmp_path_factory.mktemp("world")
    worlds.write(folder, "A", 2_000, 36, 1)
    return folder


def test_good_data_get_a_measured_effect_with_its_interval_and_money(world):
    words, names = whole_report(str(world), negative_controls="late_payment", draws=60)
    effect = cs.roi.measured_effect(names["tables"], settings=names["chosen"])
    assert effect.main_evidence.key == "g_formula"
    low, high = effect.main_evidence.low, effect.main_evidence.high
    assert f"95 % interval {low:.1f} to {high:.1f} points; target trial" in words
    assert ("more accounts still paid" in words) == (low > 0)
    assert "g-formula over" in words  # the measured risk is the scenario's
    assert "in the 24 months that were watched" in words
    assert "No negative control raises an alarm (late payment)." in words
    assert "Ever against never covered would say" in words


def test_a_hidden_cause_that_a_negative_control_shows_is_not_called_an_effect(tmp_path):
    worlds.write(tmp_path, "UN", 1_500, 24, 1)
    words, names = whole_report(str(tmp_path), negative_controls="late_payment", draws=40)
    assert cs.roi.evidence(names["tables"], names["chosen"]).effect.carried_by != "g_formula"
    assert "Coverage goes with late payment, which it cannot have moved." in words
    assert not CAUSAL.search(words)
    assert "No money is derived from a measured effect." in words


@pytest.fixture(scope="module")
def pages(tmp_path_factory, world):
    """Both reports as a user's own command makes them: the sample company's, and the one with a measured effect."""
    out = tmp_path_factory.mktemp("reports")
    run("roi", out=out)
    settings = out / "roi.yml"
    settings.write_text("draws: 60\n")
    told = ["-p", f"source={world}", "-p", "negative_controls=late_payment", "-p", f"settings={settings}"]
    run("roi", *told, out=out / "measured")
    return {"roi": out / "roi" / "latest.html", "roi-measured": out / "measured" / "roi" / "latest.html"}


@needs_browser
@pytest.mark.parametrize("name", ["roi", "roi-measured"])
def test_the_page_reads_well_on_a_phone_and_on_a_desk_in_both_themes(pages, browser, name):
    views = [(390, False), (1280, False), (390, True), (1280, True)]
    seen = survey(browser, pages[name], name, views)
    faults = [
        f"{part} at {width} px{' dark' if dark else ''}: {line}"
        for (width, dark), one in seen.items()
        for part in ("wide", "small", "outside", "crowded", "targets", "pale", "axe")
        for line in getattr(one, part)
    ]
    assert faults == []


def test_the_published_record_carries_the_headline(pages):
    record = json.loads(next(pages["roi"].parent.glob("*/run.json")).read_text(encoding="utf-8"))
    tiles = {tile["key"]: tile for tile in record["headline"]}
    assert tiles["break_even_24"]["unit"] == "points" and tiles["break_even_24"]["text"].endswith("points")
    assert tiles["vanish_effect"]["value"] is None
    assert record["takeaways"][0].startswith("To earn back its cost of")
    assert len(pages["roi"].read_bytes()) < 1_500_000
