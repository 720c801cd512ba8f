"""The published page: self-contained, inert, complete; and the whole path from an export to it."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from cs_helpers.publish import html, report_index

ROOT = Path(__file__).resolve().parents[2]
RAVENSTACK = ROOT.parent / "shared" / "datasets" / "ravenstack"

pytestmark = [pytest.mark.reports, pytest.mark.xdist_group("report")]


class Page(HTMLParser):
    """What a browser would see of a page: elements with their attributes, ids, links and the text."""

    def __init__(self, text):
        super().__init__()
        self.source, self.elements, self.text, self.open = text, [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).replace("\u202f", " ").split())

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def ids(self):
        return [attrs["id"] for _, attrs in self.elements if attrs.get("id")]


def cli(*words, cwd=ROOT, env=None):
    return subprocess.run(
        [sys.executable, "-m", "cs_helpers", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def page(published):
    return Page((published / "churn" / "latest.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def record(published):
    return json.loads(next((published / "churn").glob("*/run.json")).read_text(encoding="utf-8"))


FETCHING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "manifest", "ping", "xlink:href"}


@pytest.mark.parametrize("name", ["churn/latest.html", "index.html"])
def test_nothing_is_fetched_from_anywhere(published, name):
    seen = Page((published / name).read_text(encoding="utf-8"))
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in seen.elements}
    for tag, attrs in seen.elements:
        for attribute in FETCHING & set(attrs):
            assert attrs[attribute].startswith(("data:", "#")), (tag, attribute)
        assert not [a for a in attrs if a.startswith("on")], f"an event handler on <{tag}>"
        href = attrs.get("href", "#")
        assert not re.match(r"(?i)[a-z][a-z0-9+.-]*:|//", href), f"a link that leaves the folder: {href}"
    styles = seen.source[seen.source.index("<style>") : seen.source.index("</style>")]
    assert not re.search(r"url\(|@import", styles)


@pytest.mark.parametrize("name", ["churn/latest.html", "index.html"])
def test_the_policy_allows_our_one_script_and_nothing_else(published, name):
    seen = Page((published / name).read_text(encoding="utf-8"))
    policy = next(m["content"] for m in seen.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", seen.source, re.S)
    assert len(scripts) == len(seen.of("script")) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy


def test_code_and_tracebacks_are_hidden(page):
    assert "cs.load" not in page.words
    assert "import cs_helpers" not in page.source
    assert "Traceback" not in page.source


def test_every_link_inside_the_page_arrives(page):
    ids = page.ids
    assert len(ids) == len(set(ids)), "an id stands twice"
    targets = [a["href"][1:] for a in page.of("a") if a.get("href", "").startswith("#")]
    assert len(targets) > 10
    assert [t for t in targets if t not in ids] == []


def test_the_page_says_what_a_reader_needs_first(page):
    words = page.words
    for wanted in (
        "Larkmoor Signals",
        "Churn and retention",
        "data through 30 June 2026",
        "600 accounts",
        "checked, no warnings",
    ):
        assert wanted in words
    # The five answers first, then the sections that answer in the same order.
    after = words.index("shares are of what")
    parts = (
        "MRR grew",
        "Gross revenue retention (GRR) fell",
        "among the reasons",
        "comes up for renewal in the next 12 months",
        "first: ",
        "Revenue kept",
        "Who keeps more, who keeps less",
        "How long accounts stay",
        "Why accounts leave",
        "What renewals should bring",
        "Whom to call this week",
        "The same book under other definitions",
        "Glossary",
    )
    order = [after := words.index(part, after) for part in parts]
    assert order == sorted(order)


def test_the_page_holds_its_charts_with_text_alternatives(page):
    pictures = [attrs["aria-label"] for attrs in page.of("div") if attrs.get("role") == "img"]
    assert len(pictures) == 16
    assert all(len(alt) > 60 for alt in pictures)


def test_no_figure_reads_nan_or_inf(page):
    assert not re.search(r"(?<![\w-])(nan|NaN|NaT|inf|None)(?!\w)", page.words.replace("None of the", ""))


def test_the_page_is_readable_on_a_phone_and_light(page):
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.of("meta")
    assert len(page.source.encode()) < 1_500_000
    shell = sum(len((html.SHELL / name).read_bytes()) for name in ("shell.css", "shell.js"))
    assert shell < 60_000


def test_the_record_carries_the_headline_with_numerator_denominator_and_interval(record):
    figures = {figure["key"]: figure for figure in record["headline"]}
    assert list(figures) == ["mrr", "nrr", "grr", "logo_retention"]
    for key in ("nrr", "grr", "logo_retention"):
        f = figures[key]
        assert f["value"] == pytest.approx(f["numerator"] / f["denominator"], abs=1e-6)
        assert f["low"] < f["value"] < f["high"]
        assert f["n"] > 100
    assert figures["grr"]["value"] <= min(1, figures["nrr"]["value"])
    assert record["status"] == "ok"
    assert record["definitions_version"]
    assert record["source_fingerprint"]
    assert 2 <= len(record["takeaways"]) <= 5


def test_the_page_and_the_record_say_the_same(page, record):
    for takeaway in record["takeaways"]:
        assert " ".join(takeaway.replace("\u202f", " ").split()) in page.words
    for figure in record["headline"]:
        assert figure["text"].replace("\u202f", " ") in page.words


def test_the_reproduce_command_makes_the_same_figures(published, page, record, tmp_path):
    shown = re.search(r"Reproduce this report: (cs-helpers .*?) Made ", page.words)[1]
    assert "--as-of 2026-07-01" in shown, "next month the default would mean another day"
    ran = cli(*shown.split()[1:], "--out", tmp_path, "--json")
    assert ran.returncode == 0, ran.stderr
    again = json.loads(ran.stdout)[0]
    for key in ("headline", "takeaways", "quality", "source_fingerprint", "as_of"):
        assert again[key] == record[key], key


def notebook(*outputs):
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\nA question?"),
        nbformat.v4.new_markdown_cell("## Summary\n\nText"),
    ]
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", data) for data in outputs]
    return nbformat.v4.new_notebook(cells=[*cells, cell])


RECORD = {
    "status": "ok",
    "package_version": "0",
    "notebook": "x.ipynb",
    "parameters": {"where": "segment=<b>&'\""},
    "started_at": "2026-07-01T00:00:00Z",
    "duration_s": 1.0,
    "run_id": "<i>",
    "commit": None,
    "definitions_version": "1",
}


def test_header_and_footer_escape_what_comes_from_data():
    about = {
        "text/html": "<p>shown</p>",
        "application/vnd.cs-helpers.report+json": {
            "company": "<script>alert(1)</script>\u202e",
            "filters": '"><img src=x>',
        },
    }
    seen = Page(html.render_report(notebook(about), RECORD))
    assert len(seen.of("script")) == 1
    assert "\u202e" not in seen.source
    assert not seen.of("img")
    assert not seen.of("i")
    assert "<script>alert(1)</script>" in seen.words


def test_index_escapes_what_comes_from_records():
    evil = "<script>alert(1)</script>"
    run = {"run_id": evil, "status": "failed", "started_at": "2026-07-01T00:00:00Z", "message": evil, "report": None}
    one = {"series": evil, "title": evil, "question": evil, "notebook": evil, "last_good": None, "last_failed": run}
    one |= {"subject": evil}
    run |= {"notebook_file": evil, "headline": [], "settings": {}, "source_fingerprint": None, "finished_at": None}
    run |= {"as_of": None, "duration_s": 1.0}
    seen = Page(report_index.render([{**one, "history": [run, run], "broken": 1}], "0"))
    assert len(seen.of("script")) == 1
    assert seen.words.count(evil) >= 3


def test_an_empty_index_says_what_to_do_next():
    assert "cs-helpers run churn" in Page(report_index.render([], "0")).words


@pytest.mark.skipif(not RAVENSTACK.is_dir(), reason="the RavenStack export is not beside this checkout")
@pytest.mark.parametrize("folder", ["iso_dates", "as_found_ddmmyyyy"])
def test_ravenstack_is_published_with_its_three_disagreeing_churn_records(folder, tmp_path):
    mapping = tmp_path / "ravenstack.yml"
    text = (ROOT / "data" / "mappings" / "ravenstack.yml").read_text(encoding="utf-8")
    day_first = text.replace("YYYY-MM-DD", "DD-MM-YYYY") if folder != "iso_dates" else text
    mapping.write_text(day_first, encoding="utf-8")
    ran = cli("run", "churn", "--source", RAVENSTACK / folder, "--mapping", mapping, "--out", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    words = Page((tmp_path / "out" / "churn" / "latest.html").read_text(encoding="utf-8")).words
    assert words.count("Read these figures with care.") == 1
    quality = words[words.rindex("Data quality") :]
    assert "3 records of who left disagree" in quality
    for record in ("110 of 500", "352 accounts", "486 of 5,000", "rest on paid periods"):
        assert record in quality
    record = json.loads(next((tmp_path / "out" / "churn").glob("*/run.json")).read_text(encoding="utf-8"))
    logos = next(f for f in record["headline"] if f["key"] == "logo_retention")
    # Every account still pays something at the end, whatever the flags say.
    assert (logos["numerator"], logos["denominator"]) == (185, 185)


ACCOUNTS = "account_id,name\nA-1,Alpha\nA-2,Beta\n"
SUBSCRIPTIONS = "account_id,start_date,end_date,mrr\nA-1,2024-01-01,,100\nA-2,2024-02-01,2024-09-01,50\n"
BAD = {
    "an empty folder": ({}, ["the folder is empty", "Put accounts.csv and subscriptions.csv there"]),
    "a missing file": ({"accounts.csv": ACCOUNTS}, ["subscriptions.csv"]),
    "an empty file": ({"accounts.csv": "", "subscriptions.csv": SUBSCRIPTIONS}, ["accounts.csv", "empty"]),
    "a header-only file": (
        {"accounts.csv": ACCOUNTS, "subscriptions.csv": "account_id,start_date,end_date,mrr\n"},
        ["subscriptions.csv", "no rows"],
    ),
    "a column named twice": (
        {"accounts.csv": ACCOUNTS.replace("name", "account_id"), "subscriptions.csv": SUBSCRIPTIONS},
        ["accounts.csv", "row 1", "more than once"],
    ),
    "a workbook called CSV": (
        {"accounts.csv": b"PK\x03\x04" + bytes(60), "subscriptions.csv": SUBSCRIPTIONS},
        ["accounts.csv", "an Excel workbook", "Give it the ending .xlsx"],
    ),
    "a date 31-31-2024": (
        {"accounts.csv": ACCOUNTS, "subscriptions.csv": SUBSCRIPTIONS.replace("2024-02-01", "31-31-2024")},
        ["subscriptions.csv", "row 3", "31-31-2024", "date_format"],
    ),
    "end before start": (
        {"accounts.csv": ACCOUNTS, "subscriptions.csv": SUBSCRIPTIONS.replace("2024-09-01", "2023-09-01")},
        ["subscriptions.csv", "row 3", "2023-09-01", "before start_date 2024-02-01", "set_aside"],
    ),
    "two rows with one key": (
        {"accounts.csv": ACCOUNTS + "A-1,Gamma\n", "subscriptions.csv": SUBSCRIPTIONS},
        ["accounts.csv", "rows 2 and 4", "A-1"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_with_exit_2_one_message_and_nothing_published(name, tmp_path):
    files, wanted = BAD[name]
    source, out = tmp_path / "export", tmp_path / "out"
    source.mkdir()
    for file, content in files.items():
        (source / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    ran = cli("run", "churn", "--source", source, "--out", out)
    assert ran.returncode == 2, ran.stderr
    for words in wanted:
        assert words.lower() in ran.stderr.lower(), ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(out.rglob("report.html"))
    assert not list(out.rglob("latest.html"))


SMALL = {
    "one account": ("A-1,2024-01-05,,100\n", "2024-01-01", "MRR stayed at"),
    "everybody left": ("A-1,2024-01-05,2025-02-01,100\nA-2,2024-01-05,2025-12-15,50\n", "2024-01-01", "MRR shrank by"),
    "two months only": ("A-1,2023-01-05,,100\nA-2,2023-01-05,,50\n", "2025-11-01", "cannot be given: the data begin"),
    "younger than the window": ("A-1,2025-01-05,,100\nA-2,2025-03-05,,50\n", "2025-01-01", "no opening cohort"),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_book_gets_a_report_that_says_what_cannot_be_said(name, tmp_path):
    rows, begin, wanted = SMALL[name]
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "subscriptions.csv").write_text("account_id,start_date,end_date,mrr\n" + rows)
    settings = f"version: 1\ncurrency: EUR\nobserved_from: {begin}\ndata_through: 2025-12-31\n"
    (tmp_path / "mapping.yml").write_text(settings)
    ran = cli("run", "churn", "--source", tmp_path, "--out", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    words = Page((tmp_path / "out" / "churn" / "latest.html").read_text(encoding="utf-8")).words
    assert wanted in words
    assert "a curve needs at least 20" in words
    assert not re.search(r"\b(nan|NaN|inf|NaT)\b", words)


def test_a_group_that_has_left_is_counted_as_gone_and_not_as_data_never_loaded(tmp_path):
    (tmp_path / "accounts.csv").write_text("account_id,segment\nA-1,dead\nA-2,dead\nB-1,alive\n")
    rows = "A-1,2024-01-05,2025-03-01,100\nA-2,2024-01-05,2025-02-01,50\nB-1,2024-01-05,,70\n"
    (tmp_path / "subscriptions.csv").write_text("account_id,start_date,end_date,mrr\n" + rows)
    (tmp_path / "mapping.yml").write_text(
        "version: 1\ncurrency: EUR\nobserved_from: 2024-01-01\ndata_through: 2025-12-31\n"
    )
    out = tmp_path / "out"
    ran = cli("run", "churn", "--source", tmp_path, "-p", "where=segment=dead", "--out", out, "--json")
    assert ran.returncode == 0, ran.stderr
    figures = {figure["key"]: figure for figure in json.loads(ran.stdout)[0]["headline"]}
    logos = figures["logo_retention"]
    assert (logos["numerator"], logos["denominator"], figures["mrr"]["value"]) == (0, 2, 0)


def test_direction_overrides_from_data_do_not_reach_the_page(tmp_path):
    (tmp_path / "accounts.csv").write_text("account_id,segment\nA-1,x\u202egnp\n", encoding="utf-8")
    (tmp_path / "subscriptions.csv").write_text("account_id,start_date,end_date,mrr\nA-1,2024-01-05,,100\n")
    settings = (
        "version: 1\ncompany: Evil \u202eCo\ncurrency: EUR\nobserved_from: 2024-01-01\ndata_through: 2025-12-31\n"
    )
    (tmp_path / "mapping.yml").write_text(settings, encoding="utf-8")
    ran = cli("run", "churn", "--source", tmp_path, "-p", "where=segment=x\u202egnp", "--out", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    assert "\u202e" not in (tmp_path / "out" / "churn" / "latest.html").read_text(encoding="utf-8")


def test_a_bad_export_leaves_the_last_good_report_untouched(published, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(published, out)
    before = (out / "churn" / "latest.html").read_bytes()
    ran = cli("run", "churn", "--source", tmp_path, "--out", out)
    assert ran.returncode == 2
    assert (out / "churn" / "latest.html").read_bytes() == before
    index = Page((out / "index.html").read_text(encoding="utf-8")).words
    assert "The last attempt failed" in index
    assert "The report here is the last good one" in index


def test_a_picture_without_a_text_says_so():
    """Of a notebook of somebody's own; those of this project all have one."""
    shown = [
        '<img src="data:," title="a > b">',
        '<img src="data:," alt="A chart">',
        '<p>quoted: &lt;img src="data:,"&gt;</p>',
    ]
    cells = [nbformat.v4.new_markdown_cell("# Own\n\nHow?"), nbformat.v4.new_markdown_cell("## Summary")]
    for each in shown:
        output = nbformat.v4.new_output("display_data", {"text/html": each})
        cells.append(nbformat.v4.new_code_cell("1", outputs=[output], execution_count=1))
    record = {
        "status": "ok", "package_version": "0", "notebook": "own.ipynb", "parameters": {}, "run_id": "r",
        "started_at": "2026-07-01T00:00:00Z", "duration_s": 1.0,
    }  # fmt: skip
    page = Page(html.render_report(nbformat.v4.new_notebook(cells=cells), record))
    alts = [image.get("alt") for image in page.of("img")]
    assert alts == ["No description has been provided for this image", "A chart"]
    with_text = html.render_report(nbformat.v4.new_notebook(cells=[*cells[:2], *cells[3:]]), record)
    assert [image.get("alt") for image in Page(with_text).of("img")] == ["A chart"]
