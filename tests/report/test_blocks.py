"""Words: every sentence for rise, fall, no clear change and too few; every string from data inert."""

import json
import math
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pandas as pd
import pytest
from rolled import rolled

from cs_helpers import retention
from cs_helpers.core import stats
from cs_helpers.core.estimates import Comparison, Estimate
from cs_helpers.data.tables import Finding
from cs_helpers.report import blocks, page
from cs_helpers.report.charts.ink import INKS
from cs_helpers.report.charts.picture import as_svg
from cs_helpers.report.charts.spark import sparkline
from cs_helpers.report.words import Headline, money, percent, plain
from cs_helpers.retention.charts import cohort_heatmap, waterfall
from cs_helpers.retention.mrr import Movements


def share(key, kept, n):
    return Estimate(key, kept / n, kept, n, n, *stats.wilson_interval(kept, n))


def comparison(now, before, trend=()):
    return Comparison(
        now, before, stats.compare(now, before), "July 2025 to June 2026", "July 2024 to June 2025", trend
    )


def words(takeaway):
    return takeaway.text.replace("\u202f", " ")


TOTAL = pd.Series(
    {"starting": 500.0, "new": 180, "expansion": 40, "reactivation": 80, "contraction": 50, "churn": 260, "ending": 490}
)


def movements(total=TOTAL, currency="EUR"):
    """The movements of one month, with these sums."""
    none = Estimate("quick_ratio", None, None, None, 0, reason="not of interest here")
    by_month = total.to_frame(pd.Timestamp("2025-12-01")).T
    return Movements(by_month, "2025", pd.DataFrame(), none, none, currency)


@pytest.mark.parametrize(
    ("value", "short", "text"),
    [
        (0, True, "€0"),
        (999.4, True, "€999"),
        (1000, True, "€1.0k"),
        (9949, True, "€9.9k"),
        (12_345, True, "€12k"),
        (999_499, True, "€999k"),
        (999_500, True, "€1.00m"),
        (12_345_678, True, "€12.3m"),
        (-1234, False, "−€1,234"),
        (None, True, "–"),
        (math.nan, True, "–"),
    ],
)
def test_money_is_written_in_short_without_losing_its_size(value, short, text):
    assert money(value, "EUR", short) == text


def test_an_unknown_currency_is_named():
    assert money(5, "SEK").replace("\u202f", " ") == "SEK 5"


class Elements(HTMLParser):
    """The tags and attribute names that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_a_hostile_currency_is_escaped_once():
    now = Estimate("mrr", 5.0, 5.0, None, 1)
    html = blocks.tiles([comparison(now, now)], "<b>X").html
    assert "&lt;b&gt;X" in html
    assert "&amp;lt;" not in html


HOSTILE = [
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "<img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "a\u202ereversed\u200b\x00",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_strings_from_data_are_inert_wherever_they_are_shown(text):
    findings = [Finding(text, text, text, 1, text)]
    rows = pd.DataFrame({text: [text], "row": [1]})
    shown = blocks.quality(findings, rows).html + blocks.table(rows, text).html + plain(text)
    seen = Elements(shown)
    assert seen.tags <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}
    assert seen.attributes <= {"class", "data-severity", "scope", "tabindex", "role", "aria-label", "data-sort"}
    assert "\u202e" not in shown
    assert "\x00" not in shown


def test_warnings_stand_beside_the_headline_and_notes_do_not():
    findings = [Finding("subscriptions", "a", "warning", 1, "Odd."), Finding("subscriptions", "b", "note", 1, "Fine.")]
    block = page.caveats(SimpleNamespace(quality=findings))
    assert "Odd." in block.html
    assert "Fine." not in block.html
    assert page.caveats(SimpleNamespace(quality=findings[1:])).html == ""


def tiles():
    now, before = share("grr", 180, 200), share("grr", 186, 200)
    mrr = Estimate("mrr", 1_030_580.1, 1_030_580.1, None, 321), Estimate("mrr", 836_448.85, 836_448.85, None, 273)
    return blocks.tiles([comparison(*mrr), comparison(now, before, (0.9, 0.91, 0.9))], "EUR")


def test_tiles_carry_the_record_that_the_runner_publishes():
    record = tiles().data["application/vnd.cs-helpers.headline+json"]["headline"][1]
    assert record["key"] == "grr"
    assert record["value"] == pytest.approx(0.9)
    assert (record["numerator"], record["denominator"], record["n"]) == (180, 200, 200)
    assert record["low"] < 0.9 < record["high"]
    assert record["previous"] == pytest.approx(0.93)
    assert record["verdict"] == "no clear change"
    json.dumps(tiles().data, allow_nan=False)


def test_a_tile_shows_value_comparison_interval_denominator_and_definition():
    text = re.sub(r"<[^>]+>", " ", tiles().html).replace("\u202f", " ")
    assert "90.0 %" in text
    assert "no clear change from 93.0 %" in text
    assert "€180 of €200, n = 200" in text
    assert "sum(min(MRR_end, MRR_start))" in text
    assert "up 23.2 % from €836k" in text


def sums(now, before):
    return [comparison(Estimate("mrr", now, now, None, 9), Estimate("mrr", before, before, None, 9))]


@pytest.mark.parametrize(
    ("now", "before", "note", "mood"),
    [
        (150.0, 100.0, "▲ up 50.0 % from €100", "good"),
        (50.0, 100.0, "▼ down 50.0 % from €100", "bad"),
        (100.0, 100.0, "unchanged from €100", "none"),
        (100.0, 0.0, "▲ up €100 from €0", "good"),
    ],
)
def test_a_sum_is_compared_as_it_was_booked(now, before, note, mood):
    html = blocks.tiles(sums(now, before), "EUR").html.replace("\u202f", " ")
    assert note in html
    assert f'data-mood="{mood}"' in html


def test_takeaways_put_the_largest_change_first_and_link_to_their_charts():
    small, large = Headline("Small.", "", "one", 0.01), Headline("Large.", "", "two", 0.2)
    block = blocks.takeaways(small, large)
    assert block.data["application/vnd.cs-helpers.takeaways+json"]["takeaways"] == ["Large.", "Small."]
    assert block.html.index("#two") < block.html.index("#one")


def golden_triangle():
    rows = [
        (f"A{i}", pd.Timestamp("2025-01-10"), None if i % 2 else pd.Timestamp("2025-06-10"), 10.0) for i in range(8)
    ]
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    table["end_date"] = pd.to_datetime(table["end_date"])
    return retention.cohort_triangle(rolled("cohorts", table, observed_from="2025-01-01", as_of="2026-01-01"))


def test_ids_inside_two_charts_of_one_page_do_not_clash():
    triangle = golden_triangle()
    html = "".join(
        blocks.chart_figure(cohort_heatmap(triangle), cohort_heatmap(triangle), Headline("x", "", name), "x").html
        for name in ("a", "b")
    )
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for reference in re.findall(r'(?:url\(#|href="#)([^")]+)', html):
        assert reference in ids


def test_charts_use_the_pages_inks_so_that_dark_and_light_both_work():
    svg = as_svg(waterfall(movements()), "w")
    assert "var(--gain" in svg
    assert "var(--loss" in svg
    bare = [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)]
    assert bare == [], "an ink outside var() would not follow the theme"


def test_waterfall_labels_every_movement_with_its_amount_and_sign():
    svg = as_svg(waterfall(movements(), narrow=True), "w")
    labels = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert {"€500", "+€180", "+€40", "+€80", "−€50", "−€260", "€490"} <= set(labels)


@pytest.mark.parametrize("narrow", [False, True])
def test_no_text_of_a_chart_leaves_its_picture(narrow):
    figures = [
        waterfall(movements(TOTAL * 12_345, "CHF"), narrow=narrow),
        cohort_heatmap(golden_triangle(), narrow=narrow),
    ]
    for figure in figures:
        figure.draw_without_rendering()
        ax, edge = figure.axes[0], figure.bbox
        texts = [*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
        for text in (t for t in texts if t.get_visible() and t.get_text()):
            box = text.get_window_extent()
            assert edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1, text.get_text()
            assert edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1, text.get_text()


def test_waterfall_bars_float_from_the_starting_to_the_ending_mrr():
    bars = waterfall(movements()).axes[0].patches
    ends = [round(bar.get_y() + bar.get_height(), 2) for bar in bars]
    assert ends == [500, 500 + 180, 680 + 40, 720 + 80, 800 - 50, 750 - 260, 490]


def test_drawing_changes_no_global_state():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    as_svg(waterfall(movements()), "w")
    assert dict(mpl.rcParams) == before


def test_sparkline_scale_holds_the_interval():
    flat = sparkline([0.90, 0.91, 0.90], low=0.5, high=1.0)
    heights = [float(y) for y in re.findall(r",([\d.]+)", re.search(r'points="([^"]+)"', flat)[1])]
    assert max(heights) - min(heights) < 1, "a wiggle of one point in an interval of fifty is almost flat"
    assert sparkline([0.9]) == ""


def test_each_cell_carries_the_components_style_and_nothing_of_the_page():
    shown = blocks.refused("no reason")._repr_mimebundle_()["text/html"]
    style, _, body = shown.partition("</style>")
    assert ".cs-refusal" in style
    assert "--accent" in style
    for of_the_page in ("body {", "@page", ".toc", "h1 {"):
        assert of_the_page not in style
    assert body.startswith('<div class="cs-block">')


def test_a_table_says_how_each_column_is_sorted():
    frame = pd.DataFrame(
        {
            "Account": ["b", "a"],
            "MRR": ["€1.2k", "–"],
            "Share": [0.5, 0.25],
            "Renewal": ["1 March 2026", "monthly"],
            "Month": ["July 2025", "May 2024"],
            "Day": ["2025-07-01", None],
        }
    )
    html = blocks.table(frame, formats={"Share": percent}).html
    kinds = re.findall(r"data-sort=(\w+)", html)
    assert kinds == ["text", "number", "number", "date", "date", "date"]
    assert 'data-v="0.25">25.0' in html


def test_an_endless_text_is_cut_in_a_table():
    html = blocks.table(pd.DataFrame({"Name": ["x" * 10_000]})).html
    assert "x" * 239 + "…" in html
    assert "x" * 240 not in html
