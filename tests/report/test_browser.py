"""The reports in a real browser, from files and without any network: what a reader sees, presses, prints and saves."""

import csv
import io
import json
import re

import nbformat
import pandas as pd
import pytest
from browser import (
    PICTURES,
    VIEWS,
    axe,
    download,
    measured,
    needs_browser,
    opened,
    pages_of,
    picture,
    settle,
    survey,
    unfold,
)
from run_records import tile, write_run

from cs_helpers.publish import html, report_index
from cs_helpers.report import blocks
from cs_helpers.report.words import money, percent

pytestmark = [needs_browser, pytest.mark.reports, pytest.mark.xdist_group("report")]

REPORTS = ["churn", "data_check", "gallery"]
PAGES = [*REPORTS, "index"]
# Where the same script does the same on every report, two of them will do.
TWO = ["churn", "data_check"]


def file_of(pages, name):
    return pages / ("index.html" if name == "index" else f"{name}/latest.html")


@pytest.fixture
def visit(pages, browser):
    """Opens a page by its name; leaving it fails if anything was asked for, logged, thrown or opened."""
    return lambda name, **how: opened(browser, file_of(pages, name), folder=pages, **how)


NAMED = "(e) => `${e.tagName.toLowerCase()}.${e.className} ${e.textContent.trim().slice(0, 40)}`"


def focused(page):
    """What has the focus: its tag, class and text."""
    return page.evaluate(f"() => ({NAMED})(document.activeElement)")


# Whether an element is there, is not folded away and lies on the screen.
ON_SCREEN = """
(id) => {
  const e = document.getElementById(id);
  if (!e || !e.checkVisibility({contentVisibilityAuto: true})) return false;
  const box = e.getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}
"""


# What every page looks like


@pytest.fixture(scope="module")
def surveys(pages, browser):
    seen = {}

    def of(name):
        if name not in seen:
            seen[name] = survey(browser, file_of(pages, name), name)
        return seen[name]

    return of


def faults(survey_of_page, part):
    return [
        f"{width} px{' dark' if dark else ''}: {line}"
        for (width, dark), one in survey_of_page.items()
        for line in getattr(one, part)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_screen(surveys, name):
    assert faults(surveys(name), "wide") == []


@pytest.mark.parametrize("name", PAGES)
def test_no_text_is_smaller_than_eleven_pixels(surveys, name):
    assert faults(surveys(name), "small") == []


@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_a_chart_lies_outside_the_screen(surveys, name):
    assert faults(surveys(name), "outside") == []


@pytest.mark.parametrize("name", PAGES)
def test_tiles_keep_apart_and_hold_their_text(surveys, name):
    assert faults(surveys(name), "crowded") == []


@pytest.mark.parametrize("name", PAGES)
def test_whatever_is_pressed_is_large_enough_for_a_finger(surveys, name):
    assert faults(surveys(name), "targets") == []


@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_out_from_what_lies_behind_it_in_both_themes(surveys, name):
    assert faults(surveys(name), "pale") == []


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_violation(surveys, name):
    assert faults(surveys(name), "axe") == []


@pytest.mark.parametrize("name", PAGES)
def test_the_survey_leaves_a_picture_of_every_view(surveys, name):
    surveys(name)
    for width, dark in VIEWS:
        assert picture(name, width, dark).read_bytes().startswith(b"\xff\xd8")


FAULTS = """
<p style="width:900px">too wide</p><p style="font-size:9px">too small</p><p style="color:#ccc;background:#fff">pale</p>
<button style="width:9px;height:9px;padding:0"></button><img src="data:,">
<div class="cs-tile">a</div><div class="cs-tile" style="margin-top:-30px">b</div>
<svg width="100" height="20" style="overflow:visible"><text x="900" y="10">too far</text></svg>
"""


def test_the_survey_sees_what_it_is_there_to_see(visit):
    with visit("data_check", width=360) as here:
        page = here.page
        page.evaluate("(html) => document.querySelector('main').insertAdjacentHTML('afterbegin', html)", FAULTS)
        seen = measured(page)
        assert all(len(seen[part]) >= 1 for part in ("wide", "small", "pale", "targets", "crowded", "outside")), seen
        assert any("image-alt" in line for line in axe(page))
        page.evaluate("() => { console.log('said'); fetch('https://example.org/').catch(() => 0); }")
        page.wait_for_timeout(100)
        assert any("said" in line for line in here.heard)
        assert any("Content Security Policy" in line for line in here.heard)
        here.heard.clear()


# The policy


@pytest.mark.parametrize("name", PAGES)
def test_the_script_runs_under_its_own_policy_and_the_console_stays_silent(visit, name):
    with visit(name) as here:
        assert here.page.locator("button.theme").is_visible(), "the script uncovers the button; it did not run"


def test_a_script_that_slipped_in_is_stopped_by_the_policy(pages, browser, tmp_path):
    text = file_of(pages, "data_check").read_text(encoding="utf-8")
    evil = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    page = tmp_path / "hostile.html"
    page.write_text(text.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    with opened(browser, page, silent=False) as here:
        assert "owned" not in here.page.title()
        assert sum("Content Security Policy" in line for line in here.heard) >= 2


# Finding one's way


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("width", [360, 1440])
def test_every_link_of_the_contents_arrives_and_marks_the_place(visit, name, width):
    with visit(name, width=width) as here:
        page = here.page
        links = [link.get_attribute("href")[1:] for link in page.locator("nav.toc a").all()]
        assert len(links) >= 5
        small = width < 1080
        for place, target in enumerate(links):
            if small:
                page.locator("nav.toc summary").click()
            page.locator("nav.toc a").nth(place).click()
            settle(page)
            assert page.evaluate(ON_SCREEN, target), f"#{target} is not on the screen"
            marked = [a.get_attribute("href")[1:] for a in page.locator("nav.toc a[aria-current]").all()]
            # A heading right under another one, or on the last screen, may be the place instead.
            ended = page.evaluate("() => scrollY + innerHeight >= document.documentElement.scrollHeight - 2")
            assert len(marked) == 1
            assert ended or marked[0] in links[place : place + 2]
            if small:
                bar = page.locator("nav.toc").bounding_box()
                top = page.evaluate("(id) => document.getElementById(id).getBoundingClientRect().top", target)
                assert ended or top >= bar["y"] + bar["height"] - 1, f"the contents bar hides #{target}"


@pytest.mark.parametrize("name", TWO)
def test_the_place_is_marked_while_scrolling(visit, name):
    with visit(name) as here:
        page = here.page
        marked = []
        for step in range(6):
            page.evaluate(f"() => scrollTo(0, (document.documentElement.scrollHeight - innerHeight) * {step} / 5)")
            settle(page)
            marked.append(page.locator('nav.toc a[aria-current="true"]').get_attribute("href"))
        order = [link.get_attribute("href") for link in page.locator("nav.toc a").all()]
        places = [order.index(one) for one in marked]
        assert places == sorted(places)
        assert len(set(places)) >= 3
        assert places[0] == 0
        assert places[-1] == len(order) - 1


@pytest.mark.parametrize("name", TWO)
def test_the_contents_are_folded_on_a_phone_and_open_by_keyboard(visit, name):
    with visit(name, width=360) as here:
        page = here.page
        box = page.locator("nav.toc details")
        assert box.get_attribute("open") is None
        page.locator("nav.toc summary").focus()
        page.keyboard.press("Enter")
        assert box.get_attribute("open") is not None
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == page.locator("nav.toc a").first.get_attribute("href")
        page.set_viewport_size({"width": 1440, "height": 900})
        settle(page)
        assert box.get_attribute("open") is not None, "on a desk they stand open"


@pytest.mark.parametrize("name", REPORTS)
def test_takeaways_and_all_other_links_lead_to_something_that_can_be_seen(visit, name):
    with visit(name) as here:
        page = here.page
        assert page.locator("ul.cs-takeaways a").count() >= 1
        links = page.locator('main a[href^="#"], .top a[href^="#"]')
        for target in {link.get_attribute("href")[1:] for link in links.all()}:
            page.locator(f'main a[href="#{target}"], .top a[href="#{target}"]').first.click()
            settle(page)
            assert page.evaluate(ON_SCREEN, target), f"#{target}"


@pytest.mark.parametrize("name", PAGES)
def test_the_first_tab_is_a_link_that_skips_to_the_content(visit, name):
    with visit(name) as here:
        page = here.page
        page.keyboard.press("Tab")
        assert focused(page).startswith("a.skip")
        box = page.locator("a.skip").bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        inside = page.evaluate("() => document.querySelector('#content').contains(document.activeElement)")
        assert inside, focused(page)


_REACHABLE = f"""
() => [...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
  .filter((e) => !e.disabled && e.checkVisibility({{visibilityProperty: true, contentVisibilityAuto: true}}))
  .map((e, i) => {{ e.dataset.stop = i; return ({NAMED})(e); }})
"""
# The place of what has the focus, whether its outline can be seen, and whether any of it lies on top.
_STOP = """
() => {
  const e = document.activeElement;
  if (e === document.body) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const points = [0.02, 0.25, 0.5, 0.75, 0.98].flatMap((x) => [0.1, 0.5, 0.9].map((y) =>
    [box.left + x * box.width, box.top + y * box.height]));
  const above = points.map(([x, y]) => document.elementFromPoint(x, y)).filter(Boolean);
  return [Number(e.dataset.stop ?? -1), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    above.some((top) => e.contains(top))];
}
"""


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 1440) for name in ("churn", "data_check", "index")), ("churn", 360)]
)
def test_the_tab_key_reaches_everything_in_the_order_of_the_page(visit, name, width):
    with visit(name, width=width) as here:
        page = here.page
        wanted = page.evaluate(_REACHABLE)
        stops, unmarked, hidden = [], [], []
        for _ in range(len(wanted) + 3):
            page.keyboard.press("Tab")
            stop = page.evaluate(_STOP)
            if stop is None or stop[0] in stops:
                break
            stops.append(stop[0])
            unmarked += [] if stop[1] else [wanted[stop[0]]]
            hidden += [] if stop[2] else [wanted[stop[0]]]
        assert [wanted[i] for i in range(len(wanted)) if i not in stops] == []
        assert stops == sorted(stops)
        assert unmarked == [], "the focus cannot be seen"
        assert hidden == [], "what has the focus lies under something else"


# Themes


@pytest.mark.parametrize(("name", "dark"), [("churn", False), ("data_check", True), ("index", False), ("index", True)])
def test_the_theme_button_switches_and_is_remembered(visit, name, dark):
    def paper(page):
        return page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    with visit(name, dark=dark) as here:
        page, button = here.page, here.page.locator("button.theme")
        before, label = paper(page), button.get_attribute("aria-label")
        assert ("light" if dark else "dark") in label.lower()
        button.focus()
        page.keyboard.press("Enter")
        after = paper(page)
        assert after != before
        assert page.evaluate("() => document.documentElement.dataset.theme") == ("light" if dark else "dark")
        assert button.get_attribute("aria-label") != label
        for _ in range(20):  # on a busy machine the browser keeps what a page stores a moment later
            page.reload()
            if paper(page) == after:
                break
            page.wait_for_timeout(250)
        assert paper(page) == after
        button.click()
        assert paper(page) == before


def test_the_theme_chosen_by_button_is_as_legible_as_the_system_s(visit):
    with visit("data_check") as here:
        here.page.locator("button.theme").click()
        assert measured(here.page)["pale"] == []
        assert axe(here.page, structure=False) == []


# Tiles and charts


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("width", [360, 1440])
def test_a_tile_shows_its_definition_on_hover_and_on_focus_until_escape(visit, name, width):
    with visit(name, width=width) as here:
        page = here.page
        tiles = page.locator(".cs-tile")
        assert tiles.count() >= 1
        for place in range(tiles.count()):
            tile = tiles.nth(place)
            meaning = tile.locator(".cs-def")
            assert not meaning.is_visible()
            tile.hover()
            assert meaning.is_visible()
            box = meaning.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            page.keyboard.press("Escape")
            assert not meaning.is_visible()
            page.mouse.move(0, 0)
            tile.focus()
            assert meaning.is_visible()
            assert tile.get_attribute("aria-describedby") == meaning.get_attribute("id")
            page.keyboard.press("Escape")
            assert not meaning.is_visible()
            page.evaluate("() => document.activeElement.blur()")


@pytest.mark.parametrize(
    ("name", "width"),
    [("churn", 1440), ("churn", 360), ("data_check", 1440), ("gallery", 1440)],
)
def test_every_chart_opens_enlarged_and_gives_the_focus_back(visit, name, width):
    with visit(name, width=width) as here:
        page = here.page
        drawn = page.locator("figure.cs-chart:has(svg, img)")
        buttons = page.locator("figure.cs-chart button.cs-zoom")
        assert buttons.count() == drawn.count() >= 1
        for place in range(min(buttons.count(), 4 if width == 360 else 99)):
            button = buttons.nth(place)
            assert button.get_attribute("aria-label") or button.inner_text().strip()
            button.focus()
            page.keyboard.press("Enter")
            dialog = page.locator("dialog.cs-dialog[open]")
            assert dialog.count() == 1
            chart = dialog.locator("svg, img").first
            assert chart.is_visible()
            box = dialog.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 1
            if width == 1440:
                assert chart.bounding_box()["width"] > 900
            if place % 2:
                page.keyboard.press("Escape")
            else:
                dialog.locator("button.cs-close").click()
            # The browser closes at once and says so a moment later, which is when the drawing goes home.
            page.wait_for_function("() => !document.querySelector('dialog .cs-wide')", timeout=5000)
            assert page.locator("dialog[open]").count() == 0
            assert button.evaluate("(e) => e === document.activeElement"), "the focus did not come back"
        # Every drawing is back in its place, and no id stands twice.
        assert page.locator("figure.cs-chart .cs-wide").count() == page.locator("figure.cs-chart .cs-narrow").count()
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((e) => e.id)")
        assert len(ids) == len(set(ids))


def test_a_chart_opened_right_after_another_was_closed_is_the_one_shown(visit):
    """The browser says that a dialog has closed a moment later, when the next may be open."""
    quick = """() => {
        const [first, second] = document.querySelectorAll("button.cs-zoom"), dialog = document.querySelector("dialog");
        first.click(); dialog.close(); second.click();
    }"""
    drawings = """() => [...document.querySelectorAll("figure.cs-chart:has(button.cs-zoom)")]
        .map((figure) => figure.querySelector(".cs-wide")?.innerHTML.length ?? null)"""
    with visit("churn", width=1440) as here:
        page = here.page
        before = page.evaluate(drawings)
        page.evaluate(quick)
        page.wait_for_timeout(300)
        assert page.evaluate(drawings) == [before[0], None, *before[2:]]
        assert page.evaluate("() => document.querySelector('dialog[open] .cs-wide').innerHTML.length") == before[1]
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        assert page.evaluate(drawings) == before


def test_an_open_chart_passes_axe(visit):
    with visit("data_check") as here:
        here.page.locator("button.cs-zoom").first.click()
        assert axe(here.page) == []


@pytest.mark.parametrize("name", TWO)
def test_the_reproduce_command_is_copied_whole(visit, name):
    with visit(name) as here:
        page = here.page
        command = page.locator("footer code").inner_text()
        button = page.locator("footer button.cs-copy")
        said = button.inner_text()
        button.click()
        page.wait_for_timeout(100)
        assert button.inner_text() != said
        assert page.evaluate("() => navigator.clipboard.readText()") == command


# Tables


_SORT_ALL = """
() => {
  const faults = [], rows = (table) => [...table.tBodies[0].rows].map((row) => row.textContent);
  let sorted = 0;
  for (const table of document.querySelectorAll('.cs-table:not(.cs-plain) table')) {
    const before = rows(table).sort().join('|'), heads = [...table.tHead.rows[0].cells];
    if (table.tBodies[0].rows.length < 3 || table.tBodies[0].rows.length > 49) continue;
    heads.forEach((head, column) => {
      const say = (what) => faults.push(`${table.caption?.textContent}, ${head.textContent}: ${what}`);
      const button = head.querySelector('button.cs-sort');
      if (!button) return say('no button');
      sorted += 1;
      for (const way of ['ascending', 'descending']) {
        button.click();
        const cells = [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim());
        if (head.getAttribute('aria-sort') !== way) say(`${head.getAttribute('aria-sort')}, not ${way}`);
        if (heads.filter((h) => h.hasAttribute('aria-sort')).length !== 1) say('another one is marked too');
        if (rows(table).sort().join('|') !== before) say('rows changed');
        const missing = cells.map((cell) => cell === '–' || cell === '');
        if (missing.some((gap, i) => gap && missing.slice(i).includes(false))) say(`missing stands first, ${way}`);
      }
    });
  }
  return [sorted, faults];
}
"""


@pytest.mark.parametrize("name", REPORTS)
def test_every_column_of_every_table_sorts_both_ways_and_loses_no_row(visit, name):
    with visit(name) as here:
        page = here.page
        sorted_columns, faults = page.evaluate(_SORT_ALL)
        assert faults == []
        assert sorted_columns >= 5


AMOUNTS = [1_250_000.0, 950.0, None, -1_200.5, 10_400.0, 0.0, 88.25, 999_400.0, 7.0]
ODD = [
    "=1+1", '=HYPERLINK("http://x","y")', "+49 30 1", "-7", "-x", "@cmd", " =2", 'He said "no", twice', "two\nlines",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(pages, tmp_path_factory):
    """A page of ours with literal tables: nine rows of every kind of column, three rows, two rows, and 150 rows."""
    kinds = pd.DataFrame(
        {
            "Name": ["beta", "Alpha", "item 10", "item 9", "Émile", "zeta", "–", "gamma", "delta"],
            "Amount": AMOUNTS,
            "Share": [0.884, 0.1, None, -0.02, 1.032, 0.0, 0.55, 0.999, 0.0504],
            "Day": [
                *("1 June 2026", "12 January 2025", None, "3 December 2024", "2 June 2026"),
                *("30 June 2025", "1 May 2025", "1 April 2025", "9 June 2025"),
            ],
            "Month": [
                *("June 2026", "January 2025", "February 2025", None, "March 2024"),
                *("April 2026", "May 2025", "July 2025", "August 2025"),
            ],
            "ISO": [
                *("2026-06-01", "2025-01-12", "2024-02-29", "2023-12-31", None),
                *("2025-06-30", "2025-05-01", "2025-04-01", "2025-06-09"),
            ],
            "Count": [1204, 15, 3, 1_000_000, 42, 7, 8, 9, 10],
            "Odd": ODD,
        }
    )  # fmt: skip
    formats = {"Amount": lambda v: money(v, "EUR", short=True), "Share": percent}
    three = pd.DataFrame({"A": ["x", "y", "z"], "B": [1, 2, 3]})
    many = pd.DataFrame({"Row": [f"row {n}" for n in range(1, 151)], "N": range(150, 0, -1)})
    shown = [
        blocks.table(kinds, "All kinds", formats),
        blocks.table(three, "Three"),
        blocks.table(three.head(2), "Two"),
        blocks.table(many, "Many rows"),
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# Tables\n\nDo they work?"),
        nbformat.v4.new_markdown_cell("## Summary\n\nText"),
    ]
    for block in shown:
        cell = nbformat.v4.new_code_cell("1", execution_count=1)
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": block._repr_mimebundle_()["text/html"]})]
        cells.append(cell)
    record = json.loads(next((pages / "churn").glob("*/run.json")).read_text(encoding="utf-8"))
    file = tmp_path_factory.mktemp("made") / "tables.html"
    file.write_text(html.render_report(nbformat.v4.new_notebook(cells=cells), record), encoding="utf-8")
    return file


def column(page, name, table="All kinds"):
    """The texts of one column as they stand now."""
    return page.evaluate(
        """([table, name]) => {
        const t = [...document.querySelectorAll('table')].find((t) => t.caption.textContent.trim() === table);
        const at = [...t.tHead.rows[0].cells].findIndex((h) => h.textContent.trim() === name);
        return [...t.tBodies[0].rows].map((r) => r.cells[at].textContent.trim()); }""",
        [table, name],
    )


def table_of(page, caption):
    return page.locator("div.cs-table").filter(has=page.locator("caption", has_text=re.compile(f"^{caption}$")))


def tools_of(page, caption):
    return table_of(page, caption).locator("xpath=preceding-sibling::*[1][contains(@class, 'cs-tools')]")


ORDERS = {
    "Amount": ["−€1.2k", "€0", "€7", "€88", "€950", "€10k", "€999k", "€1.25m", "–"],
    "Share": ["−2.0 %", "0.0 %", "5.0 %", "10.0 %", "55.0 %", "88.4 %", "99.9 %", "103.2 %", "–"],
    "Day": [
        *("3 December 2024", "12 January 2025", "1 April 2025", "1 May 2025", "9 June 2025", "30 June 2025"),
        *("1 June 2026", "2 June 2026", "–"),
    ],
    "Month": [
        *("March 2024", "January 2025", "February 2025", "May 2025", "July 2025", "August 2025", "April 2026"),
        *("June 2026", "–"),
    ],
    "ISO": [
        *("2023-12-31", "2024-02-29", "2025-01-12", "2025-04-01", "2025-05-01", "2025-06-09", "2025-06-30"),
        *("2026-06-01", "–"),
    ],
    "Count": ["3", "7", "8", "9", "10", "15", "42", "1,204", "1,000,000"],
    "Name": ["Alpha", "beta", "delta", "Émile", "gamma", "item 9", "item 10", "zeta", "–"],
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_a_column_sorts_by_what_it_means_with_missing_last_both_ways(browser, made, name):
    rising = ORDERS[name]
    present = [value for value in rising if value != "–"]
    with opened(browser, made) as here:
        page = here.page
        head = table_of(page, "All kinds").locator("th", has_text=re.compile(f"^{name}"))
        head.locator("button.cs-sort").focus()
        page.keyboard.press("Enter")
        assert [v.replace("\u202f", " ") for v in column(page, name)] == rising
        assert head.get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Space")
        falling = present[::-1] + ["–"] * (len(rising) - len(present))
        assert [v.replace("\u202f", " ") for v in column(page, name)] == falling
        assert head.get_attribute("aria-sort") == "descending"
        assert focused(page).startswith("button.cs-sort"), "the focus stays where it was pressed"


def test_tables_get_only_the_tools_that_serve_them(browser, made):
    with opened(browser, made) as here:
        page = here.page
        assert tools_of(page, "All kinds").locator("input.cs-filter[type=search]").count() == 1
        assert tools_of(page, "Three").locator("input.cs-filter").count() == 0
        assert tools_of(page, "Three").locator("button.cs-download").count() == 1
        assert table_of(page, "Three").locator("button.cs-sort").count() == 2
        assert tools_of(page, "Two").count() == 0
        assert table_of(page, "Two").locator("button").count() == 0


def test_the_filter_keeps_matching_rows_counts_them_and_says_when_none_is_left(browser, made):
    with opened(browser, made) as here:
        page = here.page
        tools = tools_of(page, "All kinds")
        field, count = tools.locator("input.cs-filter"), tools.locator(".cs-count")
        assert count.get_attribute("aria-live") == "polite"
        assert field.get_attribute("aria-label")
        field.focus()
        page.keyboard.type("ITEM")
        assert sorted(column(page, "Name")) == ["item 10", "item 9"]
        assert count.inner_text() == "2 of 9 rows"
        table_of(page, "All kinds").locator("th", has_text="Count").locator("button").click()
        assert column(page, "Name") == ["item 10", "item 9"], "sorted by 3 and 1,000,000 among what is left"
        field.fill("nothing like this")
        assert column(page, "Name") == []
        assert "no" in count.inner_text().lower().split()
        field.fill("")
        assert len(column(page, "Name")) == 9
        field.fill("<b>")
        assert column(page, "Name") == []


def test_a_long_table_shows_fifty_rows_until_all_are_asked_for(browser, made):
    with opened(browser, made) as here:
        page = here.page
        assert len(column(page, "Row", "Many rows")) == 50
        more = page.locator("button.cs-more", has_text="150")
        assert more.inner_text() == "Show all 150 rows"
        field = tools_of(page, "Many rows").locator("input.cs-filter")
        field.fill("row 149")
        assert column(page, "Row", "Many rows") == ["row 149"], "rows that are not shown are searched too"
        field.fill("")
        table_of(page, "Many rows").locator("th", has_text="N").last.locator("button").click()
        assert column(page, "N", "Many rows")[:2] == ["1", "2"], "rows that are not shown are sorted too"
        more.click()
        assert len(column(page, "Row", "Many rows")) == 150
        assert not more.is_visible()


def saved(page, caption):
    """What a table's download holds: its name, its bytes, its rows."""
    name, content = download(page, tools_of(page, caption).locator("button.cs-download").click)
    return name, content, list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_table_is_saved_as_csv_that_a_spreadsheet_reads_and_does_not_run(browser, made):
    with opened(browser, made) as here:
        name, content, rows = saved(here.page, "All kinds")
        assert name == "all-kinds.csv"
        assert content.startswith(b"\xef\xbb\xbf")
        assert b"\r\n" in content
        assert rows[0] == ["Name", "Amount", "Share", "Day", "Month", "ISO", "Count", "Odd"]
        at = {head: [row[place] for row in rows[1:]] for place, head in enumerate(rows[0])}
        numbers = [None if text in ("", "–") else float(text) for text in at["Amount"]]
        assert numbers == AMOUNTS, "numbers are numbers, as exact as the table knew them"
        assert at["Count"] == ["1204", "15", "3", "1000000", "42", "7", "8", "9", "10"]
        assert at["Name"][4] == "Émile"
        assert at["ISO"][0] == "2026-06-01"
        wanted = [
            "'=1+1",
            '\'=HYPERLINK("http://x","y")',
            "'+49 30 1",
            "-7",
            "'-x",
            "'@cmd",
            "'=2",
            'He said "no", twice',
            "two\nlines",
        ]
        # Blanks in front of a formula may stay or go: the apostrophe must stand before the sign.
        assert [text.replace("' =", "'=") for text in at["Odd"]] == wanted


def test_what_is_saved_is_what_the_filter_and_the_order_show_and_all_of_it(browser, made):
    with opened(browser, made) as here:
        page = here.page
        assert len(saved(page, "Many rows")[2]) == 151, "rows that are not shown are saved too"
        tools_of(page, "Many rows").locator("input.cs-filter").fill("row 14")
        table_of(page, "Many rows").locator("th", has_text="N").last.locator("button").click()
        rows = saved(page, "Many rows")[2]
        assert [row[0] for row in rows[1:]] == [f"row {n}" for n in [*range(149, 139, -1), 14]]


@pytest.mark.parametrize("name", REPORTS)
def test_every_download_of_a_report_is_its_table(visit, name):
    with visit(name) as here:
        page = here.page
        unfold(page)
        buttons = page.locator("button.cs-download")
        assert buttons.count() >= 1
        names = []
        for place in range(buttons.count()):
            file, content = download(page, buttons.nth(place).click)
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
            assert len({len(row) for row in rows}) == 1, file
            assert len(rows) >= 4, file
            assert all("\u2195" not in cell for cell in rows[0]), "the arrow of the button is no part of the name"
            names.append(file)
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*\.csv", file) for file in names), names


# What changed, the index


def test_a_second_report_says_what_changed_since_the_first(visit):
    with visit("data_check") as here:
        page = here.page
        box = page.locator("section#what-changed")
        assert box.is_visible()
        assert box.locator("tbody tr").count() >= 1
        order = [link.get_attribute("href") for link in page.locator("nav.toc a").all()]
        assert order[:2] == ["#summary", "#what-changed"]
    with visit("churn") as here:
        assert here.page.locator("section#what-changed").count() == 0, "there is no earlier report"


def test_the_index_leads_to_every_report_and_finds_them_by_words(visit, pages):
    with visit("index") as here:
        page = here.page
        series = page.locator("article.series")
        assert series.count() >= 2
        search = page.locator("input.cs-search")
        search.fill("churn and retention")
        assert [one.is_visible() for one in series.all()].count(True) == 1
        search.fill("no report has these words")
        assert [one.is_visible() for one in series.all()].count(True) == 0
        search.fill("")
        for place in range(series.count()):
            series.nth(place).locator("h2 a").click()
            page.locator("h1").wait_for()
            page.wait_for_url("**/latest.html")
            assert page.locator("figure.cs-chart, .cs-tiles").count() >= 1
            page.go_back()


# Paper


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_whole_on_a4(visit, name):
    with visit(name) as here:
        pdf = here.page.pdf(format="A4", print_background=True)
        (PICTURES / f"{name}.pdf").write_bytes(pdf)
        least = {"churn": 8, "data_check": 3, "index": 1}.get(name, 2)
        assert least <= pages_of(pdf) <= 60
        assert here.page.locator("main details.section[open]").count() == 0, "afterwards it is as it was before"


# Elements without any box or folded away, those aside that have no place on paper or are folded for everybody.
_LOST = """
(what) => [...document.querySelectorAll(what)]
  .filter((e) => !e.closest('.cs-narrow, .cs-wide, .cs-def, dialog, .cs-tools'))
  .filter((e) => !e.getClientRects().length || !e.checkVisibility({contentVisibilityAuto: true}))
  .map((e) => e.outerHTML.slice(0, 120))
"""
# A table that is wider than the sheet is cut: nothing scrolls on paper.
_CUT = """
() => [...document.querySelectorAll('.cs-table table')].filter((t) => t.getBoundingClientRect().right > innerWidth + 1)
  .map((t) => `${t.caption?.textContent}: ${Math.round(t.getBoundingClientRect().right)} of ${innerWidth} px`)
"""


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_everything_is_there_in_dark_ink_and_no_button_is(visit, name):
    # A4 without its margins, in CSS pixels; a reader of the dark page prints it too.
    with visit(name, width=680, dark=True) as here:
        page = here.page
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(_LOST, "main p, main li, main td, main dd, main h2, main h3, main summary") == []
        pressed = page.locator("button:visible:not(.cs-sort), input:visible, nav.toc:visible")
        assert [one.evaluate("(e) => e.className") for one in pressed.all()] == []
        seen = measured(page)
        assert seen["pale"] == []
        assert seen["wide"] == []
        assert seen["outside"] == []
        assert page.evaluate(_CUT) == []
        page.evaluate("() => dispatchEvent(new Event('afterprint'))")


def test_a_long_table_is_printed_whole(browser, made):
    with opened(browser, made) as here:
        page = here.page
        page.emulate_media(media="print")
        page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        assert len(column(page, "Row", "Many rows")) == 150


# Without the script


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1440])
def test_without_script_everything_can_be_read_and_no_button_is_dead(visit, name, width):
    with visit(name, width=width, script=False) as here:
        page = here.page
        assert page.locator("button:visible, input:visible, select:visible, dialog:visible").count() == 0
        for section in page.locator("main details.section").all():
            section.locator("summary").first.click()
            inside = "p, li, td, dd, summary"
            assert section.locator(inside).nth(1).is_visible()
        for figure in page.locator("figure.cs-chart:has(svg)").all():
            assert figure.locator(".cs-wide:visible, .cs-narrow:visible").count() == 1
        if name != "index":
            assert page.locator("nav.toc a").first.is_visible()
        seen = measured(page)
        assert seen["wide"] == []
        assert seen["outside"] == []


# The index of many series


@pytest.fixture(scope="module")
def full_index(tmp_path_factory):
    """An index of literal runs: parts, failures, little lines, a long history, and a subject of many parts."""
    out = tmp_path_factory.mktemp("full_index")
    tiles = [tile(1.01), tile(0.9, key="grr", name="Gross revenue retention (GRR)", low=0.85, high=0.95)]
    for day in range(1, 61):
        write_run(out, "churn", day, headline=[tile(1 + day % 7 / 100), tiles[1]], takeaways=["Nothing changed."])
    for segment in ("smb", "enterprise"):
        for day in (1, 2, 3):
            write_run(out, f"churn/segment={segment}", day, headline=tiles, parameters={"where": f"segment={segment}"})
    write_run(out, "churn/segment=smb", 4, status="failed", error={"message": f"churn.ipynb: {EVIL}\n{'long ' * 300}"})
    write_run(out, "roi", 1, title="Return on success", question="Does the work pay?", headline=[tile(3.0, name="ROI")])
    write_run(out, "reps", 1, title="Équipes", question="Who needs help?")
    for number in range(14):
        write_run(out, f"reps/csm=rep-{number:02d}", 1, title="Équipes", question="Who needs help?")
    report_index.rebuild(out)
    return out


EVIL = "<img src=x onerror=alert(1)>\u202eevil"


@pytest.fixture
def visit_index(full_index, browser):
    return lambda **how: opened(browser, full_index / "index.html", folder=full_index, **how)


def test_a_full_index_is_in_order_at_every_width_in_both_themes(full_index, browser):
    seen = survey(browser, full_index / "index.html", "full_index")
    for part in ("wide", "small", "outside", "crowded", "targets", "pale", "axe"):
        assert faults(seen, part) == [], part


def visible_series(page):
    return [one.get_attribute("id") for one in page.locator("article.series").all() if one.is_visible()]


def test_the_search_looks_at_titles_names_questions_and_figures_and_counts_what_is_left(visit_index):
    with visit_index() as here:
        page = here.page
        everything = visible_series(page)
        assert page.locator("label[for=find]").is_visible()
        assert page.locator(".find .cs-count").inner_text() == ""
        for words, left in (
            ("return", ["roi"]),
            ("PAY?", ["roi"]),
            ("roi", ["roi"]),
            ("equipes who rep-07", ["reps-csm=rep-07"]),
            ("gross retention smb", ["churn-segment=smb"]),
            ("smb enterprise", []),
        ):
            page.locator("#find").fill(words)
            assert visible_series(page) == left, words
            count = page.locator(".find .cs-count").inner_text()
            assert count == (f"{len(left)} of 19 reports" if left else "No report contains these words")
        assert page.locator("section.subject:visible").count() == 0, "an empty frame is left standing"
        page.locator("#find").fill("   ")
        assert visible_series(page) == everything


def test_a_part_that_was_found_stands_under_its_subject_and_its_fold_opens_for_it(visit_index):
    with visit_index(width=360) as here:
        page = here.page
        fold = page.locator("details.fold")
        assert fold.get_attribute("open") is None
        page.locator("#find").fill("rep-03")
        assert fold.get_attribute("open") is not None
        assert page.locator("section.subject:visible h2:visible").all_inner_texts() == ["Équipes"]
        page.locator("#find").fill("")
        assert fold.get_attribute("open") is None, "afterwards it is as it was before"
        assert page.locator("h2.again:visible").count() == 0


def test_the_search_is_reached_used_and_left_by_keyboard(visit_index):
    with visit_index() as here:
        page = here.page
        for _ in range(4):
            page.keyboard.press("Tab")
            if focused(page).startswith("input.cs-search"):
                break
        page.keyboard.type("return")
        assert visible_series(page) == ["roi"]
        page.keyboard.press("Escape")
        assert len(visible_series(page)) > 1
        assert page.locator("#find").input_value() == ""
        page.keyboard.type("return")
        for _ in range(4):
            page.keyboard.press("Tab")
            if focused(page).startswith("a. Return on success"):
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/roi/latest.html")


def test_without_script_there_is_no_search_and_every_time_is_absolute(visit_index):
    with visit_index(script=False) as here:
        page = here.page
        assert not page.locator(".find").is_visible()
        assert page.locator("article.series#roi").is_visible()
        made = page.locator("#roi time").first
        assert made.inner_text() == "1 January 2026, 05:00 UTC"
        assert " ago" not in page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (-300, "in the future: check the clocks"),
        (5, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86_400, "1 day ago"),
        (13 * 86_400, "13 days ago"),
        (15 * 86_400, "2 weeks ago"),
        (70 * 86_400, "2 months ago"),
        (800 * 86_400, "2 years ago"),
    ],
)
def test_the_age_of_a_report_is_told_when_it_is_read(full_index, browser, later, words):
    with opened(browser, full_index / "index.html", folder=full_index) as here:
        page = here.page
        finished = page.evaluate("() => Date.parse(document.querySelector('#roi time').dateTime)") / 1000
        page.clock.set_fixed_time(finished + later)
        page.reload()
        assert page.locator("#roi .age").first.inner_text() == words
        assert f"{words} (1 January 2026, 05:00 UTC)" in page.locator("#roi .facts").inner_text()


def test_the_age_goes_on_while_the_page_stays_open(full_index, browser):
    with opened(browser, full_index / "index.html", folder=full_index) as here:
        page = here.page
        finished = page.evaluate("() => Date.parse(document.querySelector('#roi time').dateTime)") / 1000
        page.clock.install(time=finished + 30)
        page.reload()
        assert page.locator("#roi .age").first.inner_text() == "just now"
        page.clock.run_for(3 * 60_000)
        assert page.locator("#roi .age").first.inner_text() == "3 minutes ago"


def test_the_little_lines_have_words_and_end_in_a_mark(visit_index):
    with visit_index() as here:
        page = here.page
        lines = page.locator("#churn svg.spark")
        assert lines.count() == 2
        label = lines.first.get_attribute("aria-label")
        assert label.startswith("Net revenue retention (NRR) over the last 30 reports: from ")
        assert len(lines.first.locator("polyline").get_attribute("points").split()) == 30
        for line in lines.all():
            box, mark = line.bounding_box(), line.locator("circle").bounding_box()
            assert box["width"] > 60
            assert box["height"] > 20
            assert box["x"] + box["width"] / 2 < mark["x"] < box["x"] + box["width"]
        assert page.locator("#roi svg").count() == 0, "one run is no line"


def test_a_failure_leads_from_the_top_of_the_page_to_the_last_good_report(visit_index):
    with visit_index(width=360) as here:
        page = here.page
        page.locator(".failing a").click()
        settle(page)
        assert page.evaluate(ON_SCREEN, "churn-segment=smb")
        box = page.locator("[id='churn-segment=smb']")
        assert box.locator("h3 a").is_visible()
        assert "The report here is the last good one" in box.locator(".cs-refusal").inner_text()
        assert "<img src=x" in box.locator(".message").inner_text()
        assert "\u202e" not in box.inner_text()


def test_the_history_opens_leads_to_every_report_and_sorts(visit_index):
    with visit_index() as here:
        page = here.page
        history = page.locator("#churn details.history")
        assert history.locator("summary").inner_text() == "60 runs"
        history.locator("summary").click()
        rows = history.locator("tbody tr")
        assert rows.count() == 50
        assert rows.first.inner_text().startswith("1 Mar 2026, 05:00")
        history.locator("button.cs-sort").first.click()
        assert rows.first.inner_text().startswith("11 Jan 2026, 05:00"), "by time, not by letter"
        rows.first.locator("a").click()
        page.wait_for_url("**/churn/20260111T050000000Z-0001/report.html")
