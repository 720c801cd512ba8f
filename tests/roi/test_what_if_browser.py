"""The what-if panel in a real browser, from a file and without any network: it computes what the package computes."""

import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from browser import needs_browser, opened, settle, survey
from conftest import ROOT
from small_notebooks import notebook
from what_if_portfolios import GIVEN, made_up_panel

from cs_helpers.report.views import render
from cs_helpers.roi.economics import INPUTS, LIMITS
from cs_helpers.roi.results import WhatIfResult
from cs_helpers.roi.what_if_panel import CONTROLS, ROWS, exact, results, summary

pytestmark = [needs_browser, pytest.mark.reports, pytest.mark.xdist_group("what-if")]

CELL = """
import sys
sys.path.insert(0, "tests")
from what_if_portfolios import made_up_panel
from cs_helpers.roi.results import WhatIfResult
WhatIfResult(made_up_panel(), "EUR")
"""
SCALES = {control.name: control.scale for control in CONTROLS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The report of a notebook with a panel, run from what looks like a notebook that somebody has open."""
    place = tmp_path_factory.mktemp("what-if")
    file = notebook(place / "panel.ipynb", CELL)
    command = [sys.executable, "-m", "cs_helpers", "run", str(file), "--out", str(place / "out")]
    environment = {**os.environ, "JPY_SESSION_NAME": "open.ipynb"}
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr
    return place / "out" / "panel"


@pytest.fixture
def visit(folder, browser):
    """Opens the report; leaving it fails if anything was asked for, logged, thrown or opened."""
    return lambda **how: opened(browser, folder / "latest.html", folder=folder, **how)


@pytest.fixture(scope="module")
def model():
    return made_up_panel()


def cells(page):
    """The exact values of the table, a list per row."""
    return page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.cs-whatif tr[data-row]')]"
        ".map((row) => [row.dataset.row, [...row.querySelectorAll('td')].map((cell) => cell.dataset.v)]))"
    )


def shown(page):
    """All that follows from the inputs, in words and as a drawing."""
    words = page.locator(".cs-sum").inner_text(), page.locator(".cs-whatif table").inner_text()
    return *words, page.locator(".cs-whatif svg").inner_html()


def type_in(page, name, value):
    page.locator(f"#what-if-{name}-typed").fill(f"{value * SCALES[name]:.10f}")
    settle(page)


def compare(found, wanted):
    """Money and ROI as far as the page gives them, break-evens to two decimals, all else to six."""
    for key, _, kind in ROWS:
        for there, value in zip(found[key], wanted[key], strict=True):
            if kind == "money":
                assert there == exact(value, kind), key
            elif math.isnan(value):
                assert there == "", key
            else:
                assert float(there) == pytest.approx(value, abs=2e-6), key


def test_a_report_run_from_an_open_notebook_has_no_sliders_of_jupyterlab(folder):
    (kept,) = folder.glob("*/notebook.ipynb")
    outputs = [out for cell in json.loads(kept.read_text())["cells"] for out in cell.get("outputs", [])]
    panels = [out["data"] for out in outputs if "cs-whatif" in str(out["data"].get("text/html"))]
    assert [set(data) for data in panels] == [{"text/html", "text/plain"}]


def test_what_the_page_shows_first_is_what_the_script_computes(visit):
    with visit() as here:
        page = here.page
        before = shown(page)
        type_in(page, "margin", 0.5)
        assert shown(page) != before
        page.get_by_role("button", name="Reset").click()
        assert shown(page) == before


NOTHING = {"people": 0.0, "tools": 0.0, "management": 0.0}


@pytest.mark.parametrize(
    "changes",
    [
        {"relative_risk": 2.0},
        {"relative_risk": 40.0},  # beyond the drawing
        {"margin": 0.0},
        {"yearly_churn": 0.0, "expansion_lost": 0.0, "people": 10.0, "tools": 0.0, "management": 0.0},  # crowded names
        {"yearly_churn": 0.0, "expansion_lost": 0.0, **NOTHING},  # nothing at all
        {**NOTHING, "people": 10.0, "severance_months": 60.0},  # no cost
    ],
)
def test_sentence_table_and_drawing_are_those_of_the_package(visit, model, changes):
    wanted = results(model, model.at(**changes), "EUR")
    with visit() as here:
        page = here.page
        for name, value in changes.items():
            type_in(page, name, value)
        parts = page.evaluate(
            "(wanted) => { const other = document.createElement('template'); other.innerHTML = wanted;"
            " return ['.cs-sum', 'svg', 'tbody'].map((part) =>"
            " [document, other.content].map((where) => where.querySelector(`.cs-outcome ${part}`).innerHTML)); }",
            wanted,
        )
        for there, package in parts:
            assert there == package


@pytest.mark.parametrize("name", INPUTS)
def test_each_input_typed_in_gives_the_figures_of_the_package_to_the_cent(visit, model, name):
    low, high, _ = LIMITS[name]
    ends = [low, min(high, 3 * GIVEN[name] + 1)]
    with visit() as here:
        for value in [*ends, GIVEN[name] * 0.7, (ends[0] + ends[1]) / 3]:
            value = round(value, 6)
            type_in(here.page, name, value)
            compare(cells(here.page), model.at(**{name: value}).results)


def test_all_inputs_at_once_give_the_figures_of_the_package_to_the_cent(visit, model):
    chance = random.Random(5)
    rows = model.sliders.set_index("name")
    with visit() as here:
        page = here.page
        for step in range(16):
            values = {name: round(chance.uniform(rows.low[name], rows.high[name]), 4) for name in INPUTS}
            if step == 8:
                page.get_by_label("Also count the 60 months").check()
            for name, value in values.items():
                page.locator(f"#what-if-{name}-typed").fill(f"{value * SCALES[name]:.6f}")
            settle(page)
            typed = {name: float(f"{value * SCALES[name]:.6f}") / SCALES[name] for name, value in values.items()}
            compare(cells(page), model.at(tail=step >= 8, **typed).results)


def test_a_slider_moved_by_keys_counts_in_its_steps_and_is_told(visit, model):
    with visit() as here:
        page = here.page
        slider = page.get_by_label("Relative risk without it", exact=True)
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        settle(page)
        assert page.locator("#what-if-relative_risk-typed").input_value() == "1.4"
        assert slider.get_attribute("aria-valuetext") == "1.4 times"
        compare(cells(page), model.at(relative_risk=1.4).results)
        assert page.get_by_role("status").inner_text() == page.locator(".cs-sum").inner_text()
        page.keyboard.press("Home")
        settle(page)
        compare(cells(page), model.at(relative_risk=0.5).results)


def test_every_control_is_reached_by_tab_in_the_order_it_is_read(visit):
    with visit() as here:
        page = here.page
        page.locator(f"#what-if-{INPUTS[0]}-typed").focus()
        reached = []
        for _ in range(2 * len(INPUTS) + 2):
            reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.className"))
            page.keyboard.press("Tab")
        wanted = [f"what-if-{c.name}{part}" for c in CONTROLS for part in ("-typed", "")]
        assert reached == [*wanted, "what-if-tail", "cs-reset"]


def test_what_cannot_be_is_marked_and_changes_nothing(visit):
    with visit() as here:
        page = here.page
        before = shown(page)
        typed = page.locator("#what-if-margin-typed")
        for wrong in ("140", "-1", ""):
            typed.fill(wrong)
            settle(page)
            assert typed.get_attribute("aria-invalid") == "true"
            assert shown(page) == before
        typed.blur()
        assert typed.get_attribute("aria-invalid") is None
        assert typed.input_value() == "77.34"


def test_reset_brings_back_every_control(visit):
    with visit() as here:
        page = here.page
        values = "() => [...document.querySelectorAll('.cs-whatif input')].map((e) => [e.checked, e.value])"
        before, first = page.evaluate(values), shown(page)
        for name in INPUTS:
            type_in(page, name, LIMITS[name][0])
        page.get_by_label("Also count the 60 months").check()
        assert page.evaluate(values) != before
        page.get_by_role("button", name="Reset").focus()
        page.keyboard.press("Enter")
        settle(page)
        assert (page.evaluate(values), shown(page)) == (before, first)


def test_paper_gets_the_first_state_with_its_inputs_in_words(visit):
    with visit() as here:
        page = here.page
        first = cells(page)
        type_in(page, "margin", 0.5)
        moved = cells(page)
        page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")  # hides the field that has the focus, which tells of a change
        settle(page)
        assert cells(page) == first
        assert page.get_by_text("Inputs: relative risk without it 1.35").is_visible()
        assert not page.locator(".cs-inputs").is_visible()
        page.evaluate("() => dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert cells(page) == moved
        assert not page.get_by_text("Inputs: relative risk without it 1.35").is_visible()


def test_without_any_script_the_first_state_stands_there(visit, model):
    with visit(script=False) as here:
        page = here.page
        assert page.locator(".cs-sum").inner_text() in render(WhatIfResult(model, "EUR")).text
        assert page.locator(".cs-whatif tbody tr").count() == len(ROWS)
        assert page.get_by_text("Inputs: relative risk without it 1.35").is_visible()
        assert not page.locator(".cs-inputs").is_visible()


def test_on_a_phone_the_outcome_stays_in_sight_while_a_slider_moves(visit):
    with visit(width=390, height=844) as here:
        page = here.page
        slider = page.get_by_label("Gross margin", exact=True)
        slider.scroll_into_view_if_needed()
        slider.focus()
        page.keyboard.press("ArrowLeft")
        settle(page)
        sentence, box = page.locator(".cs-sum").bounding_box(), slider.bounding_box()
        assert sentence["y"] > 0 and sentence["y"] + sentence["height"] <= 844
        assert box["y"] + box["height"] <= sentence["y"]


def test_it_looks_right_at_every_width_in_both_themes(folder, browser):
    seen = survey(browser, folder / "latest.html", "what-if")
    faults = {view: {part: found for part, found in vars(one).items() if found} for view, one in seen.items()}
    assert faults == {view: {} for view in seen}


@pytest.fixture
def lab(tmp_path):
    """A Jupyter server on a free port with the notebook of a panel in its folder; the notebook's address."""
    notebook(tmp_path / "panel.ipynb", CELL)
    options = ["--no-browser", "--port=0", "--IdentityProvider.token=for-this-test", "--allow-root"]
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={tmp_path}"]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    own = {name: str(tmp_path / name) for name in places}
    log = tmp_path / "log"
    with log.open("w") as out:
        environment = {**os.environ, **own, "PYTHONPATH": str(ROOT / "tests")}
        server = subprocess.Popen(
            command, cwd=tmp_path, stdout=out, stderr=out, env=environment, start_new_session=True
        )
    try:
        for _ in range(300):
            found = re.search(r"http://(localhost|127\.0\.0\.1):(\d+)/lab", log.read_text())
            if found:
                break
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
        assert found, log.read_text()
        yield f"http://localhost:{found[2]}/lab/tree/panel.ipynb?token=for-this-test"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.mark.slow
def test_in_jupyterlab_a_slider_moved_by_keys_shows_what_follows(lab, browser, model):
    page = browser.new_page(viewport={"width": 1500, "height": 1150})
    page.goto(lab)
    page.get_by_role("heading", name="Small").wait_for(timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # the kernel is there
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    sentence = page.locator(".cs-sum").first
    sentence.wait_for(timeout=60_000)
    page.wait_for_timeout(1000)  # sliders that had rounded their values would have sent them back by now
    assert sentence.inner_text() == summary(model, model.start, "EUR")
    page.locator(".noUi-handle").first.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.get_by_text(summary(model, model.at(relative_risk=1.45), "EUR")).first.wait_for(timeout=20_000)
    page.close()
