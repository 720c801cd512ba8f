"""Data that want to harm: nothing of them runs, builds, loads, breaks a page or starts a formula; it is only shown."""

import csv
import io
import json
import re
import unicodedata
from functools import partial
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from browser import download, needs_browser, opened, survey, unfold
from conftest import ROOT, run
from hostile import FREE, HEADER, KEPT, PAYLOADS, write

from cs_helpers.churn.charts import reason_bars
from cs_helpers.core.errors import visible
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.publish import html
from cs_helpers.report import blocks, page
from cs_helpers.report.words import Headline

RAVENSTACK = ROOT.parent / "shared" / "datasets" / "ravenstack"
PAGES = ["churn", "reps", "data_check", "index"]

pytestmark = [pytest.mark.reports, pytest.mark.xdist_group("hostile")]

# Even the folder of the export and a parameter of the run speak HTML.
FOLDER = "export \"'><img class=owned src=x onerror=alert(1)> $x^2$ {{ 7 }}"
SETTINGS = 'settings " autofocus onfocus=alert(1) x=" <img class=owned src=x onerror=alert(1)> $x^2$.yml'
REASONS = f"reasons_outside_our_control: [{json.dumps(PAYLOADS['script'])}, {json.dumps(PAYLOADS['bidi override'])}]"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The folder with the reports of the hostile company."""
    place = tmp_path_factory.mktemp("hostile")
    source = write(place / FOLDER)
    (place / SETTINGS).write_text(REASONS, encoding="utf-8")
    run("churn", "--source", source, "-p", f"settings={place / SETTINGS}", out=place / "out")
    run("data_check", "reps", "--source", source, out=place / "out")
    return place / "out"


def file_of(folder, name):
    return folder / ("index.html" if name == "index" else f"{name}/latest.html")


def intruders(page):
    """What only a payload could have made; empty on a page that is sound."""
    return page.evaluate((ROOT / "tests" / "intruders.js").read_text(encoding="utf-8"))


def provoke(page):
    """What a reader's hands would do: the mouse over everything, the focus on everything, everything unfolded."""
    unfold(page)
    page.evaluate(
        """() => { for (const e of document.querySelectorAll('body *'))
        for (const kind of ['mouseover', 'mouseenter', 'focus', 'click'].slice(0, e.closest('a, button') ? 3 : 4))
          e.dispatchEvent(new MouseEvent(kind)); }"""
    )
    page.wait_for_timeout(100)


def test_every_text_of_the_contract_is_planted_or_has_a_reason_to_stay():
    for table in TABLES.values():
        texts = {column.name for column in table.columns if column.kind == "text"}
        assert set(FREE[table.name]) | set(KEPT[table.name]) == texts | ({"churn_reason"} & set(FREE[table.name]))
    assert len(PAYLOADS) >= 40
    assert len(set(PAYLOADS.values())) == len(PAYLOADS)


@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_the_data_runs_builds_or_loads(hostile, browser, name):
    with opened(browser, file_of(hostile, name), folder=hostile) as here:
        assert intruders(here.page) == []
        provoke(here.page)
        assert intruders(here.page) == []
        assert here.heard == []


@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_hostile_data_break_no_layout(hostile, browser, name):
    seen = survey(browser, file_of(hostile, name), f"hostile-{name}", [(360, False), (1440, True)])
    for view, one in seen.items():
        faults = {part: lines for part, lines in vars(one).items() if lines}
        assert faults == {}, view


@needs_browser
def test_the_payloads_are_there_as_words(hostile, browser):
    """So that the tests above test something: what is planted arrives on the page, and is read as it was written."""
    words = ""
    for name in PAGES:
        with opened(browser, file_of(hostile, name), folder=hostile) as here:
            words += here.page.evaluate("() => document.body.textContent")
    words = " ".join(words.split())
    starts = {name: " ".join(visible(payload)[:30].split()) for name, payload in PAYLOADS.items()}
    shown = [name for name, start in starts.items() if start in words]
    assert len(shown) >= 40, sorted(set(PAYLOADS) - set(shown))
    assert {"script", "latex dollars", "markdown link", "svg script", "formula", "style", "long word"} <= set(shown)


@pytest.mark.parametrize("name", PAGES)
def test_no_character_of_a_page_makes_it_read_as_something_else(hostile, name):
    text = file_of(hostile, name).read_text(encoding="utf-8")
    odd = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")} - set("\n\t")
    assert odd == set()


NUMBER = re.compile(r"-?\d+(\.\d+)?")
# A sign that starts a formula, in any width, with whatever a spreadsheet strips before it.
FORMULA = re.compile(r"[\s\u200b\ufeff\u00a0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def formulas(text):
    """Cells of a CSV text that a spreadsheet might run."""
    rows = csv.reader(io.StringIO(text, newline=""))
    return [cell for row in rows for cell in row if FORMULA.match(cell) and not NUMBER.fullmatch(cell)]


def test_the_check_for_formulas_knows_them():
    assert len(formulas("=1,+1x,-x,@x,\t=1,  =1,\uff1d1,\u200b=1\n")) == 8
    assert formulas("-7,-7.5,'=1,a=1,7\n") == []


@needs_browser
@pytest.mark.parametrize("name", ["churn", "reps", "data_check"])
def test_no_cell_of_a_downloaded_table_can_start_a_formula(hostile, browser, name):
    with opened(browser, file_of(hostile, name), folder=hostile) as here:
        page = here.page
        unfold(page)
        buttons = page.locator("button.cs-download")
        assert buttons.count() >= 3
        planted = 0
        for place in range(buttons.count()):
            file, content = download(page, buttons.nth(place).click)
            text = content.decode("utf-8-sig")
            assert formulas(text) == [], file
            assert re.fullmatch(r"[a-z0-9][a-z0-9-]*\.csv", file), file
            planted += text.count("'=") + text.count("'@") + text.count("'-") + text.count("'+")
        assert planted >= 1, "no formula was there to be stopped"


def test_the_csv_beside_a_report_starts_no_formula(hostile):
    file = next((hostile / "data_check").glob("*/set_aside.csv"))
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) >= 70
    assert formulas(text) == []
    assert "'=HYPERLINK" in text


@pytest.mark.parametrize("name", ["churn", "reps", "data_check"])
def test_the_run_record_is_plain_json_without_deceiving_characters(hostile, name):
    text = next((hostile / name).glob("*/run.json")).read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["status"] in ("ok", "warnings")
    assert record["takeaways"]

    def strings(value):
        if isinstance(value, dict):
            return [s for pair in value.items() for part in pair for s in strings(part)]
        if isinstance(value, list):
            return [s for part in value for s in strings(part)]
        return [value] if isinstance(value, str) else []

    # What the reader's own command line said stands as it was said; the command in the footer shows it inert.
    del record["parameters"]
    odd = {c for s in strings(record) for c in s if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")} - set("\n\t")
    assert odd == set()


def test_a_name_of_ten_thousand_letters_fills_no_sentence(hostile):
    text = file_of(hostile, "churn").read_text(encoding="utf-8")
    sentences = re.findall(r"<(?:p|li|strong|figcaption)\b[^>]*>([^<]*)", text) + re.findall(
        r'aria-label="([^"]*)"', text
    )
    assert max(map(len, sentences)) < 3000
    assert not re.search(r"W{300,}", " ".join(sentences))


# Every payload in every block


def page_of(tmp_path, *blocks, raw=()):
    """A page of our own shell with these blocks, and with ``raw`` HTML that nobody escaped."""
    cells = [
        nbformat.v4.new_markdown_cell("# Payloads\n\nAre they inert?"),
        nbformat.v4.new_markdown_cell("## Detail\n\nx"),
    ]
    for markup in [*(block._repr_mimebundle_()["text/html"] for block in blocks), *raw]:
        cell = nbformat.v4.new_code_cell("1", execution_count=1)
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": markup})]
        cells.append(cell)
    record = {
        "status": "ok",
        "audience": "full",
        "package_version": PAYLOADS["script"],
        "notebook": f"{PAYLOADS['image handler']}.ipynb",
        "parameters": {"where": PAYLOADS["handler after a double quote"], "x": PAYLOADS["out of a style"]},
        "started_at": "2026-07-01T00:00:00Z",
        "duration_s": 1.0,
        "run_id": PAYLOADS["svg"],
        "commit": None,
        "definitions_version": PAYLOADS["base"],
    }
    file = tmp_path / "page.html"
    file.write_text(html.render_report(nbformat.v4.new_notebook(cells=cells), record), encoding="utf-8")
    return file


@needs_browser
@pytest.mark.filterwarnings("ignore:Glyph", "ignore:constrained_layout not applied")
def test_every_payload_is_inert_in_every_kind_of_block(browser, tmp_path):
    payloads = list(PAYLOADS.values())
    frame = pd.DataFrame({"Text": payloads, HEADER: payloads[::-1], "Number": range(len(payloads))})
    frame[PAYLOADS["handler after a double quote"]] = 1.5
    said = [Headline(payload[:300], payload[:300], "x") for payload in payloads]
    found = [SimpleNamespace(table=p, check=p, severity=p, rows=1, message=p, fix=p) for p in payloads if len(p) < 999]
    reasons = pd.DataFrame({"reason": payloads, "recorded": 5.0, "stated": 3.0, "controllable": None})
    shown = [
        blocks.table(frame, PAYLOADS["script"]),
        blocks.takeaways(*said, most=99),
        blocks.findings(*said),
        blocks.quality(found),
        page.caveats(SimpleNamespace(quality=[SimpleNamespace(message=p, severity="warning") for p in payloads])),
        *(blocks.refused(payload[:300]) for payload in payloads),
        *(
            blocks.chart_figure(
                *(
                    reason_bars(
                        reasons.iloc[26 * place : 26 * place + 26],
                        narrow,
                        partial(str.format, PAYLOADS[name].replace("{", "{{").replace("}", "}}")),
                    )
                    for narrow in (False, True)
                ),
                said[place],
                PAYLOADS[name],
                PAYLOADS[name],
            )
            for place, name in enumerate(("svg script", "mathml", "latex broken"))
        ),
    ]
    file = page_of(tmp_path, *shown)
    with opened(browser, file) as here:
        assert intruders(here.page) == []
        provoke(here.page)
        assert intruders(here.page) == []
        words = " ".join(here.page.evaluate("() => document.body.textContent").split())
        for name, payload in PAYLOADS.items():
            assert " ".join(visible(payload)[:40].split()) in words, name
        name, content = download(here.page, here.page.locator("button.cs-download").first.click)
        assert formulas(content.decode("utf-8-sig")) == []
        assert re.fullmatch(r"[a-z0-9-]+\.csv", name)
    odd = {c for c in file.read_text(encoding="utf-8") if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")}
    assert odd - set("\n\t") == set()


# Payloads that build something where text is expected, and those that leave an attribute; the others harm elsewhere.
# Two of them only mean to end something else, and nbconvert's own parser drops them.
ENDS_ONLY = {"a comment that never ends", "json", "entities"}
AS_TEXT = [name for name, payload in PAYLOADS.items() if "<" in payload and name not in ENDS_ONLY]
AS_ATTRIBUTE = [name for name, payload in PAYLOADS.items() if payload.startswith(('" ', '">', "' "))]


@needs_browser
def test_without_escaping_the_probe_would_catch_every_payload(browser, tmp_path):
    quiet = []
    with opened(browser, page_of(tmp_path), silent=False) as here:
        assert intruders(here.page) == []
        for name in (*AS_TEXT, *AS_ATTRIBUTE):
            payload = PAYLOADS[name]
            raw = f"<p title={payload[0]}{payload}{payload[0]}>x</p>" if name in AS_ATTRIBUTE else f"<p>{payload}</p>"
            here.page.goto(page_of(tmp_path, raw=[raw]).as_uri())
            if not intruders(here.page):
                quiet.append(name)
    assert len(AS_TEXT) >= 35
    assert quiet == []


@needs_browser
def test_even_without_escaping_the_policy_lets_nothing_run_or_load(browser, tmp_path):
    raw = [f"<p>{PAYLOADS[name]}</p>" for name in ("script", "image handler", "svg", "tag closed and opened", "iframe")]
    with opened(browser, page_of(tmp_path, raw=raw), silent=False) as here:
        provoke(here.page)
        assert not here.page.evaluate("() => 'owned' in window")
        assert here.page.title() != "owned"
        assert not any(line.startswith("dialog") for line in here.heard)
        assert any("Content Security Policy" in line for line in here.heard)


# Somebody else's data


@pytest.mark.slow
@needs_browser
@pytest.mark.skipif(not RAVENSTACK.is_dir(), reason="the RavenStack export is not beside this checkout")
def test_reports_of_another_company_pass_the_same_checks(browser, tmp_path):
    source, mapping = RAVENSTACK / "iso_dates", ROOT / "data" / "mappings" / "ravenstack.yml"
    run("churn", "reps", "data_check", "--source", source, "--mapping", mapping, out=tmp_path)
    for name in PAGES:
        with opened(browser, file_of(tmp_path, name), folder=tmp_path) as here:
            assert intruders(here.page) == []
        for view, one in survey(browser, file_of(tmp_path, name), f"ravenstack-{name}").items():
            assert {part: lines for part, lines in vars(one).items() if lines} == {}, (name, view)
