"""Charts of people, assumptions, evidence and events, and the way of every chart onto the page."""

import base64
import io
import re
import subprocess
import sys
from itertools import combinations
from types import SimpleNamespace as Stand
from xml.etree import ElementTree

import gallery
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_architecture import ROOT

from cs_helpers.churn.charts import drivers, reliability
from cs_helpers.data.charts import coverage_map
from cs_helpers.data.data_check import Coverage
from cs_helpers.report.charts import ink
from cs_helpers.report.charts.events import _tiers
from cs_helpers.report.charts.ink import INKS, NARROW, PAPER, WIDE
from cs_helpers.report.charts.labels import shorten
from cs_helpers.report.charts.measure import text_width
from cs_helpers.report.charts.picture import _short_path, as_picture, as_svg
from cs_helpers.reps.charts import Funnel, funnel_plot, slope
from cs_helpers.reps.views.measures import funnel_words, moves_words
from cs_helpers.retention import charts as retention_charts
from cs_helpers.retention.comparison import Trend
from cs_helpers.retention.views.revenue import TrendView
from cs_helpers.roi.charts import evidence_intervals, tornado
from cs_helpers.roi.views.effect import alt_evidence
from cs_helpers.roi.views.scenario import alt_tornado

NAN = float("nan")
MISSING = r"\b(nan|inf|None|NaT)\b"
HOSTILE = "$x^2$ <script>alert('&')</script> \u202egnol\u0000\ufffe " + "x" * 10_000
STRANGE = [HOSTILE, "", "   ", "東京都港区" * 9, "עברית ‏שלום", "😀" * 40, "a\nb\tc", "—", "&amp;</text>", "0"]
both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])


def money(amount):
    return f"€{amount / 1000:,.0f}k"


def tenths(value):
    return f"{value:.1f}"


def funnel(points, limits=None, centre=0.72):
    return Funnel(points, gallery.funnel().limits if limits is None else limits, centre,
                  unit="resolved at first contact", cases="tickets")  # fmt: skip


def crowd(many=40, outside="95"):
    """As many points close together, all outside."""
    at = np.arange(many)
    return funnel(pd.DataFrame({"label": [f"Rep {k}" for k in at], "n": 300 + at, "rate": 0.8, "outside": outside}))


def line(values=(0.9, 0.91, 0.92, 0.93), start="2025-01-01", label="GRR"):
    values = np.array(values, float)
    months = list(pd.date_range(start, periods=len(values), freq="MS"))
    return Stand(label=label, months=months, values=values, low=values - 0.02, high=values + 0.02, target=0.95)


def trend_of(lines, events=None):
    marked = () if events is None else tuple(zip(events["month"], events["label"], strict=True))
    return Trend(tuple(lines), None, 12, marked)


def trend(lines, events=None, narrow=False):
    """The chart of these lines, with events as a table of months and labels."""
    return retention_charts.trend(trend_of(lines, events), narrow)


def trend_words(lines, events=None):
    return TrendView().alt_text(trend_of(lines, events))


def happened(*days, labels=None):
    return pd.DataFrame(
        {"month": pd.to_datetime(list(days)), "label": labels or [f"event {k}" for k in range(len(days))]}
    )


def many(frame, rows):
    return pd.concat([frame] * (rows // len(frame) + 1), ignore_index=True)[:rows]


def strangely(frame, *columns):
    texts = {column: (STRANGE * len(frame))[: len(frame)] for column in columns}
    return frame.assign(**texts)


YEAR = [line(np.linspace(0.9, 0.95, 13), label=name) for name in ("NRR", "GRR", "Logos")]
CLOSE = happened("2025-03-01", "2025-04-01", "2025-05-01", "2025-12-01", "2026-01-01")
POINTS, SLOPES, INPUTS, RUNGS = gallery.funnel().points, gallery.slopes(), gallery.inputs(), gallery.evidence()
KINDS = {
    "funnel": (funnel_plot, gallery.funnel(), {}),
    "slope": (slope, SLOPES, {}),
    "tornado": (tornado, INPUTS, {"money": money, "base": 210_000}),
    "ladder": (evidence_intervals, RUNGS, {"number": tenths}),
    "trend": (trend, YEAR, {"events": CLOSE}),
}
CASES = KINDS | {
    "funnel of nobody": (funnel_plot, funnel(POINTS[:0]), {}),
    "funnel of one": (funnel_plot, funnel(POINTS[:1]), {}),
    "funnel of a crowd": (funnel_plot, crowd(), {}),
    "funnel of all alike": (funnel_plot, funnel(POINTS.assign(n=100, rate=0.5, outside="99.8")), {}),
    "funnel without rates": (funnel_plot, funnel(POINTS.assign(rate=NAN)), {}),
    "funnel without limits": (funnel_plot, funnel(POINTS, gallery.funnel().limits[:0]), {}),
    "funnel of thousands": (funnel_plot, funnel(crowd(30).points.assign(n=np.arange(30) * 40_000 + 10)), {}),
    "strange funnel": (funnel_plot, funnel(strangely(POINTS[:10].assign(outside="95"), "label")), {}),
    "no slope": (slope, SLOPES[:0], {}),
    "one slope": (slope, SLOPES[:1], {}),
    "forty slopes": (slope, many(SLOPES, 40).assign(mover=True), {}),
    "equal slopes": (slope, SLOPES.assign(raw=0.5, adjusted=0.5), {}),
    "slopes without rates": (slope, SLOPES.assign(adjusted=NAN), {}),
    "strange slopes": (slope, strangely(SLOPES.assign(mover=True), "label"), {}),
    "no input": (tornado, INPUTS[:0], {}),
    "one input": (tornado, INPUTS[:1], {"money": money}),
    "forty inputs": (tornado, many(INPUTS, 40), {"money": money, "base": 210_000}),
    "inputs that do nothing": (tornado, INPUTS.assign(low=0.0, high=0.0), {"money": money, "base": 0}),
    "inputs without outcome": (tornado, INPUTS.assign(low=NAN), {}),
    "an input without outcome": (tornado, INPUTS.assign(low=[NAN, *INPUTS["low"][1:]]), {"base": 2e5}),
    "strange inputs": (tornado, strangely(INPUTS, "label", "low_input", "high_input", "origin"), {"base": 2e5}),
    "no rung": (evidence_intervals, RUNGS[:0], {}),
    "one rung": (evidence_intervals, RUNGS[1:2], {"number": tenths, "unit": "points of GRR"}),
    "forty rungs": (evidence_intervals, many(RUNGS, 40), {"number": tenths}),
    "equal rungs": (evidence_intervals, RUNGS.assign(value=0.0, low=0.0, high=0.0, status="shown"), {"number": tenths}),
    "rungs without a value": (evidence_intervals, RUNGS.assign(value=NAN, status="shown"), {"number": tenths}),
    "a rung without limits": (evidence_intervals, RUNGS.assign(low=NAN, high=np.inf), {"number": tenths}),
    "all refused": (evidence_intervals, RUNGS.assign(status="refused", why="fewer than ten accounts " * 9), {}),
    "strange rungs": (evidence_intervals, strangely(many(RUNGS, 10), "label", "note", "why"), {"unit": HOSTILE}),
    "strange refusals": (evidence_intervals, strangely(many(RUNGS[:1], 10), "why"), {}),
    "events without lines": (trend, [], {"events": CLOSE}),
    "events in one panel": (trend, YEAR[:1], {"events": CLOSE}),
    "events in two panels": (trend, YEAR[:2], {"events": CLOSE}),
    "events of one month": (trend, [line([0.9])], {"events": happened("2025-01-01")}),
    "forty events": (trend, YEAR[:1], {"events": happened(*pd.date_range("2025-01-05", periods=40, freq="9D"))}),
    "events outside": (trend, YEAR, {"events": happened("2019-01-01", None, "2031-01-01")}),
    "strange events": (trend, YEAR, {"events": strangely(CLOSE, "label")}),
}  # fmt: skip
_DRAWN = {}


def drawn(name, narrow):
    """A case's figure, laid out as its SVG is, and the SVG; drawn once for all tests that look at it."""
    if (name, narrow) not in _DRAWN:
        draw, result, options = CASES[name]
        figure = draw(result, narrow=narrow, **options)
        figure.set_dpi(72)
        _DRAWN[name, narrow] = figure, as_svg(figure, "x")
    return _DRAWN[name, narrow]


def texts_of(figure):
    """Every text that was drawn with its box in points; ticks out of view are not drawn."""
    found = list(figure.texts)
    for ax in figure.axes:
        found += [*ax.texts, ax._left_title]
        if ax.axison:
            for axis, ends in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
                found.append(axis.label)
                low, high = sorted(ends)
                found += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [(text, Text.get_window_extent(text)) for text in found if text.get_visible() and text.get_text().strip()]


def words_in(svg):
    return [text for text in re.findall(r"<text[^>]*>([^<]+)<", svg) if text.strip()]


def assert_texts_lie_inside_and_apart(figure, narrow):
    assert figure.get_figwidth() == (NARROW if narrow else WIDE)
    found = texts_of(figure)
    assert found, "an empty axis says nothing"
    for text, box in found:
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, text.get_text()
        assert text.get_fontsize() >= 10
        assert not re.search(MISSING, text.get_text()), text.get_text()
    for (one, a), (other, b) in combinations(found, 2):
        across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 1 or down < 2, (one.get_text(), other.get_text())


pictures = pytest.mark.parametrize(
    ("name", "narrow"), [(n, k) for n in CASES for k in (False, True)], ids=lambda x: x if isinstance(x, str) else None
)


@pictures
def test_every_text_lies_inside_the_picture_and_apart_from_the_others(name, narrow):
    assert_texts_lie_inside_and_apart(drawn(name, narrow)[0], narrow)


@pictures
def test_a_picture_is_well_formed_and_its_inks_follow_the_theme(name, narrow):
    svg = drawn(name, narrow)[1]
    root = ElementTree.fromstring(svg)
    assert root.tag == "svg" and root.get("aria-hidden") == "true"
    assert "<script" not in svg and not set(svg) & {"\u202e", "\x00", "\ufffe"}
    assert not re.search(r'[ ="](nan|-?inf)[ "]', svg, re.I)
    assert [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)] == []
    assert max(len(text) for text in words_in(svg)) < 130


@both
@pytest.mark.parametrize("name", KINDS)
def test_the_same_input_gives_the_same_picture(name, narrow):
    draw, result, options = KINDS[name]
    assert as_svg(draw(result, narrow=narrow, **options), "x") == as_svg(draw(result, narrow=narrow, **options), "x")


# --- funnel


@both
def test_a_funnel_draws_each_point_in_the_way_of_where_it_lies(narrow):
    result = gallery.funnel()
    quiet, ring, loud = (dots for dots in funnel_plot(result, narrow=narrow).axes[0].lines if dots.get_marker() == "o")
    for kind, dots in (("", quiet), ("95", ring), ("99.8", loud)):
        rows = result.points[result.points["outside"] == kind]
        assert dots.get_xydata().tolist() == rows[["n", "rate"]].to_numpy().tolist()
    assert quiet.get_color() != loud.get_color() == ring.get_color()
    assert ring.get_markerfacecolor() == "none" != loud.get_markerfacecolor()


@both
def test_a_funnel_names_those_outside_and_nobody_else(narrow):
    result = gallery.funnel()
    words = words_in(drawn("funnel", narrow)[1])
    assert {text for text in words if text.startswith("Rep")} == set(
        result.points["label"][result.points["outside"] != ""]
    )


def test_the_bands_of_a_funnel_are_the_limits_given():
    result = gallery.funnel()
    wide, tight = funnel_plot(result).axes[0].collections
    for band, names in ((wide, ("low_998", "high_998")), (tight, ("low_95", "high_95"))):
        drawn_at = {tuple(xy) for xy in band.get_paths()[0].vertices}
        assert set(result.limits[["n", names[0]]].itertuples(index=False, name=None)) <= drawn_at
        assert set(result.limits[["n", names[1]]].itertuples(index=False, name=None)) <= drawn_at


@both
def test_names_that_find_no_room_in_a_funnel_are_counted(narrow):
    words = words_in(drawn("funnel of a crowd", narrow)[1])
    named = [text for text in words if text.startswith("Rep")]
    assert 0 < len(named) < 40
    assert f"{40 - len(named)} more outside without a name" in words


@both
def test_those_outside_the_wider_limits_are_named_first(narrow):
    result = crowd()
    result.points.loc[7, "outside"] = "99.8"
    assert "Rep 7" in words_in(as_svg(funnel_plot(result, narrow=narrow), "x"))


# --- slope


@both
def test_a_slope_joins_raw_and_adjusted_of_everybody_and_names_the_movers(narrow):
    figure, svg = drawn("slope", narrow)
    assert [tuple(line_.get_ydata()) for line_ in figure.axes[0].lines] == [
        pytest.approx(pair) for pair in SLOPES[["raw", "adjusted"]].itertuples(index=False, name=None)
    ]
    heavy = [line_.get_linewidth() > 2 for line_ in figure.axes[0].lines]
    assert heavy == list(SLOPES["mover"])
    assert {text.split(" ")[1] for text in words_in(svg) if text.startswith("Rep")} == {"A", "K", "L"}
    assert {"Rep A +11.0", "Rep L −9.0"} <= {text.removesuffix("\u202f") for text in words_in(svg)}


def test_of_many_movers_those_who_moved_most_are_named():
    rows = pd.DataFrame(
        {"label": [f"r{k}" for k in range(30)], "raw": 0.5, "adjusted": 0.5 + np.arange(30) / 100, "mover": True}
    )
    words = words_in(as_svg(slope(rows), "x"))
    assert {text.split()[0] for text in words if re.match(r"r\d", text)} == {f"r{k}" for k in range(18, 30)}
    assert "18 more moved far" in words


# --- tornado


@both
def test_a_tornado_draws_every_input_from_its_low_to_its_high_in_the_order_given(narrow):
    ax = drawn("tornado", narrow)[0].axes[0]
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches if hasattr(bar, "get_width")]
    lows, highs = bars[: len(INPUTS)], bars[len(INPUTS) :]
    assert [end for _, end in lows] == pytest.approx(list(INPUTS["low"]))
    assert [end for _, end in highs] == pytest.approx(list(INPUTS["high"]))
    assert {start for start, _ in bars} == {210_000}
    names = [text for text in words_in(drawn("tornado", narrow)[1]) if text in set(INPUTS["label"])]
    assert names == list(INPUTS["label"])


@both
def test_a_tornado_says_inputs_and_where_they_come_from_in_words(narrow):
    words = words_in(drawn("tornado", narrow)[1])
    said = [*INPUTS["low_input"], *INPUTS["high_input"], *INPUTS["origin"], "break-even"]
    assert [text for text in said if text not in words] == []
    assert words.count("guess") == 2 and words.count("measured") == 3 and words.count("benchmark") == 1


@both
def test_a_tornado_of_forty_inputs_says_how_many_are_not_drawn(narrow):
    assert "28 more inputs not drawn" in " · ".join(words_in(drawn("forty inputs", narrow)[1]))


def test_a_tornado_without_a_base_draws_none():
    svg = as_svg(tornado(INPUTS, money=money), "x")
    assert "at their mode" not in svg


# --- ladder


@both
def test_a_ladder_draws_what_is_given_and_says_why_the_rest_is_not(narrow):
    figure, svg = drawn("ladder", narrow)
    ax = figure.axes[0]
    shown = RUNGS[RUNGS["status"] != "refused"]
    dots = [dot for dot in ax.lines if dot.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == list(shown["value"])
    hollow = [dot.get_markerfacecolor() == "none" for dot in dots]
    assert hollow == list(shown["status"] == "refuted")
    spans = [tuple(segment[:, 0]) for lines in ax.collections for segment in lines.get_segments()]
    assert set(shown[["low", "high"]].itertuples(index=False, name=None)) <= set(spans)
    words = words_in(svg)
    assert "nobody was drawn by lot" in words
    assert {*RUNGS["label"], *RUNGS["note"]} <= set(words)
    assert any("refuted" in text for text in words)


@both
def test_a_long_reason_is_said_in_full_where_three_lines_hold_it(narrow):
    why = "nobody was drawn by lot, and those who were served first had been chosen for their numbers"
    svg = as_svg(evidence_intervals(RUNGS[:1].assign(why=why), narrow=narrow, number=tenths), "x")
    assert why in " ".join(words_in(svg))


def test_a_ladder_marks_nothing_as_refuted_where_nothing_is():
    assert "refuted" not in as_svg(evidence_intervals(RUNGS[:3], number=tenths), "x")


# --- events


@both
def test_events_stand_in_every_panel_and_are_named_once(narrow):
    figure, svg = drawn("trend", narrow)
    months = sorted(month.year * 12 + month.month - 1 for month in CLOSE["month"])
    for ax in figure.axes:
        upright = [
            x.get_xdata()[0] for x in ax.lines if len(x.get_xdata()) == 2 and x.get_xdata()[0] == x.get_xdata()[1]
        ]
        assert sorted(upright) == months
    assert [text for text in CLOSE["label"] if words_in(svg).count(text) != 1] == []


def test_events_outside_the_months_shown_are_left_out_and_none_changes_nothing():
    plain = as_svg(trend(YEAR), "x")
    assert drawn("events outside", False)[1] == plain
    assert as_svg(trend(YEAR, events=happened()), "x") == plain


def test_an_event_on_a_day_stands_within_its_month():
    ax = trend([line()], events=happened("2025-03-16")).axes[0]
    (x,) = [x.get_xdata()[0] for x in ax.lines if x.get_xdata()[0] == x.get_xdata()[-1] and len(x.get_xdata()) == 2]
    assert x == pytest.approx(2025 * 12 + 2 + 15 / 31)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 60)), max_size=6))
@settings(max_examples=80, deadline=None)
def test_names_of_events_to_the_right_of_their_lines_meet_no_name_and_no_line(events):
    spans = [(x, x + long, x) for x, long in sorted(events)]
    tiers = _tiers(spans)
    for (a, one), (b, other) in combinations(zip(spans, tiers, strict=True), 2):
        assert one != other or a[1] <= b[0] or b[1] <= a[0], "two names on one height overlap"
    for i, (begins, ends, _) in enumerate(spans):
        crossing = [j for j, span in enumerate(spans) if j != i and begins < span[2] < ends and tiers[j] > tiers[i]]
        assert crossing == []


# --- the way onto the page


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 0 0 \nL 10.001 0 \nL 10 5 \nL 0 5 \nL 0 0 \nz\n", "M0 0H10V5H0z"),
        ("M 1.23456 -0.001 \nL 2 3 \n", "M1.23 0L2 3"),
        ("M 1 1 \nL 1 1 \n", "M1 1H1"),
        ("M 0 0 \nC 1 2 3 4 5.005 6 \nQ 7 8 9 6 \nL 12 6 \n", "M0 0C1 2 3 4 5 6Q7 8 9 6H12"),
        ("M 0 0 \nL 4 0 \nL 4 4 \nz\nM 9 9 \nL 9 8 \nL 7 8 \nz\n", "M0 0H4V4zM9 9V8H7z"),
    ],
)
def test_a_path_keeps_its_course_in_fewer_letters(path, short):
    assert _short_path(path) == short


@pytest.mark.parametrize("name", KINDS)
def test_slimming_loses_no_text_and_no_shape_that_is_seen(name):
    draw, result, options = KINDS[name]
    figure, slim = draw(result, **options), drawn(name, False)[1]
    raw = io.StringIO()
    with mpl.rc_context({**ink.STYLE, "svg.hashsalt": "x"}):
        figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    raw = raw.getvalue()
    assert words_in(slim) == words_in(raw)
    unseen = len(re.findall(r'<path d="[^"]*" style="fill: none"/>', raw))
    assert len(re.findall("<path", slim)) == len(re.findall("<path", raw)) - unseen
    assert slim.count("<use") == raw.count("<use")
    assert len(slim) < 0.65 * len(raw)


def test_every_reference_inside_a_picture_has_its_id_and_ids_begin_with_the_name():
    svg = as_svg(funnel_plot(gallery.funnel()), "wide")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) > 0 and all(each.startswith("wide-") for each in ids)
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg)) == set(ids)


def heavy_figure(dots=3_000):
    figure = Figure(figsize=(4, 3))
    ax = figure.subplots()
    for place in range(dots):
        ax.plot([place % 50], [place // 50], "o")
    return figure


def test_a_heavy_picture_becomes_a_png_of_256_colours_at_double_size_and_a_light_one_stays_text():
    from PIL import Image

    img = as_picture(heavy_figure(1_500), "x")
    assert img.startswith('<img class="cs-raster" alt="" src="data:image/png;base64,')
    picture = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", img)[1])))
    assert picture.size == (4 * 144, 3 * 144) and picture.mode == "P"
    assert as_picture(funnel_plot(gallery.funnel()), "x").startswith("<svg")


def test_a_heavy_drawing_that_would_be_no_smaller_as_a_raster_stays_a_drawing():
    figure = Figure(figsize=(8, 8))
    figure.subplots().plot(*np.random.default_rng(0).random((6_000, 2)).T, linewidth=0.3)
    assert as_picture(figure, "x").startswith("<svg")


def test_the_inks_are_those_of_the_pages_light_theme():
    sheet = (ROOT / "cs_helpers/publish/shell/shell.css").read_text(encoding="utf-8")
    theirs = dict(re.findall(r"(--[a-z]+): (#[0-9a-f]{6})", sheet[sheet.index(":root {") : sheet.index(":root[")]))
    assert {variable: theirs[variable] for ink, variable in INKS.items() if ink != PAPER} == {
        variable: ink for ink, variable in INKS.items() if ink != PAPER
    }


def test_a_letter_that_the_font_lacks_is_measured_without_a_warning_and_is_no_narrower_than_a_wide_one(recwarn):
    assert text_width("東") >= text_width("m")
    assert len(recwarn) == 0
    assert shorten("東京都港区" * 9) == "東京都港区東京都港区東…"


def every_chart():
    """One call of every chart function of the package, as (name, figure of it)."""
    triangle = Stand(
        by="quarter", accounts=[5], shares=pd.DataFrame([[1.0, 0.8]], [pd.Timestamp("2025-01-01")], [0, 6])
    )
    months = pd.DataFrame([[1, 0]], ["tickets"], pd.to_datetime(["2025-01-01", "2025-02-01"]))
    total = pd.Series({"starting": 5.0, "new": 2, "churn": 1, "ending": 6})
    yield "cohort_heatmap", retention_charts.cohort_heatmap(triangle)
    yield "coverage_map", coverage_map(Coverage(months))
    yield "waterfall", retention_charts.waterfall(Stand(total=total, currency="EUR"))
    yield "drivers", drivers(gallery.risk().drivers)
    yield "reliability", reliability(gallery.risk().reliability)
    for name, (draw, result, options) in KINDS.items():
        yield name, draw(result, **options)


def test_no_chart_leaves_a_trace_in_matplotlibs_global_state():
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/churn', 'tests/reps', 'tests/report']\n"
        "import matplotlib as mpl, matplotlib.pyplot as plt\n"
        "import test_charts_kit as kit\n"
        "mpl.rcParams['figure.facecolor'] = 'pink'; before = mpl.rcParams.copy()\n"
        "for name, figure in kit.every_chart():\n"
        "    kit.as_picture(figure, 'x')\n"
        "    assert mpl.rcParams.copy() == before, name\n"
        "    assert plt.get_fignums() == [], name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "own",
    [
        {"figure.facecolor": "black", "axes.facecolor": "navy", "savefig.facecolor": "red"},
        {"font.size": 40, "font.family": ["serif"], "axes.titlesize": 60},
        {"text.usetex": True, "svg.fonttype": "path", "axes.prop_cycle": mpl.cycler(color=["k"])},
        {"figure.dpi": 300, "savefig.dpi": 300, "figure.constrained_layout.use": False, "figure.autolayout": True},
    ],
    ids=["colours", "fonts", "text", "layout"],
)
def test_what_a_user_set_for_their_own_charts_alters_none_of_ours(own):
    ours = {name: as_svg(figure, "x") for name, figure in every_chart()}
    assert len(ours) == 10
    with mpl.rc_context(own):
        theirs = {name: as_svg(figure, "x") for name, figure in every_chart()}
    assert [name for name in ours if theirs[name] != ours[name]] == []


# --- the same in words


def plain(text):
    return text.replace("\u202f", " ")


def test_the_words_of_a_funnel_count_who_lies_inside_and_name_who_does_not():
    points = pd.DataFrame(
        [("Ann", 100, 0.9, "99.8"), ("Bob", 300, 0.6, "95"), ("Cem", 50, 0.7, ""), ("Dot", 10, NAN, "")],
        columns=["label", "n", "rate", "outside"],
    )
    result = Funnel(points, pd.DataFrame(), 0.72, unit="resolved at first contact", cases="tickets", who="reps")
    assert plain(funnel_words(result)) == (
        "Resolved at first contact over tickets. Of 3 reps, 1 lie inside the 95 % limits around 72.0 %. Outside: Ann "
        "90.0 % of 100, above the 99.8 % limits; Bob 60.0 % of 300, below the 95 % limits. 1 without a rate."
    )


def test_the_words_of_slopes_name_the_largest_move_first_and_bound_the_others():
    said = plain(moves_words(SLOPES))
    assert said.index("Rep A from 62.0 % to 73.0 % (+11.0 points)") < said.index("Rep L") < said.index("Rep K")
    assert said.endswith("All others moved by 2.0 points at most.")


@pytest.mark.parametrize(
    ("losing", "verdict"),
    [
        (1, "Churn without success alone can carry it across zero."),
        (3, "Churn without success, Gross margin and Cost of the team alone can carry it across zero."),
    ],
)
def test_the_words_of_a_tornado_say_which_inputs_decide(losing, verdict):
    said = alt_tornado(INPUTS.assign(low=INPUTS["low"].where(INPUTS.index >= losing, -210_000)), money, 210_000)
    assert said.startswith("The outcome is €210k with every input at its mode. Each input alone: Churn without success")
    assert "(guess): €-210k at +1 point, €640k at +6 points" in said
    assert said.endswith(verdict)
    assert alt_tornado(INPUTS[1:], money).endswith("No input alone carries it across zero.")


def test_the_words_of_a_ladder_say_interval_side_and_reason():
    said = alt_evidence(RUNGS, tenths, "points of GRR")
    assert said.startswith(
        "5 pieces of evidence on points of GRR, the strongest first. Randomised pilot: not given, nobody"
    )
    assert "Target trial: 2.1, interval 0.4 to 3.7, above zero" in said
    assert "Vacancies: 1.4, interval -1.1 to 3.9, zero lies inside" in said
    assert "Covered against not (refuted): 9.6" in said


def test_the_words_of_a_trend_say_from_where_to_where_with_intervals_turns_target_and_events():
    course = line([0.91, 0.95, NAN, 0.88])
    said = plain(trend_words([course], happened("2025-02-01", "2031-01-01", labels=["price change", "later"])))
    assert said == (
        "Lines with their 95 % bands. GRR went from 91.0 % (89.0 to 93.0 %) at January 2025 to 88.0 % (86.0 to 90.0 %) "
        "at April 2025, down 3.0 points, highest 95.0 % at February 2025, without a value in 1 month; its last band "
        "lies wholly below the target of 95.0 %. Marked: price change (February 2025)."
    )


@pytest.mark.parametrize(("values", "words"), [([0.9], "GRR: 90.0 %"), ([NAN], "no value yet"), ([0.9, 0.9], "level")])
def test_the_words_of_a_trend_do_not_make_up_a_course(values, words):
    assert words in plain(trend_words([line(values)]))


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_words_that_are_inert_and_hold_no_nan(name):
    draw, result, options = CASES[name]
    say = {
        funnel_plot: funnel_words,
        slope: moves_words,
        tornado: lambda rows: alt_tornado(rows, money, options.get("base")),
        evidence_intervals: lambda rows: alt_evidence(rows, tenths, options.get("unit", "")),
        trend: lambda lines: trend_words(lines, options.get("events")),
    }[draw]
    said = say(result)
    assert said and not re.search(MISSING, said), said
    assert "\u202e" not in said and "\x00" not in said
    assert len(said) < 6_000
