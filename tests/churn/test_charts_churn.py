"""The charts of churn: what they say, what fits on them, and that no input leaves an empty or broken picture."""

import re
import subprocess
import sys
from functools import cache
from itertools import combinations, pairwise
from types import SimpleNamespace as Stand

import gallery
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from cs_helpers import churn
from cs_helpers.churn.charts import (
    anniversaries,
    drivers,
    incidence,
    projection,
    reason_bars,
    reliability,
    survival_curve,
    survival_curves,
)
from cs_helpers.report.charts.ink import INKS, NARROW, WIDE
from cs_helpers.report.charts.labels import share, shorten, spread
from cs_helpers.report.charts.picture import as_picture, as_svg
from cs_helpers.reps.charts import funnel_plot, slope
from cs_helpers.retention import charts as retention_charts
from cs_helpers.retention.comparison import Trend, dated_events
from cs_helpers.roi.charts import evidence_intervals, tornado

HOSTILE = "$x_1^2$ <script>alert('&')</script> \u202egnol\u0000 " + "Grundstücksverkehrsgenehmigung " * 9
NAN = float("nan")


def money(amount):
    return f"€{amount / 1000:,.0f}k" if amount >= 1000 else f"€{amount:,.0f}"


class Curve:
    """A step curve with what the charts ask of it."""

    def __init__(self, ages, survival, last_seen, spells=100, starts_at=0.0):
        values = np.array(survival, float)
        columns = {"survival": values, "low": values * 0.9, "high": 1 - (1 - values) * 0.9}
        self.curve = pd.DataFrame(columns, index=pd.Index(np.array(ages, float), name="months"))
        self.last_seen, self.spells, self.starts_at = float(last_seen), spells, starts_at

    def at(self, months):
        if not self.starts_at <= months <= self.last_seen:
            return NAN
        return float(self.curve["survival"][self.curve.index <= months].iloc[-1])


def trend(lines, events=None, narrow=False):
    """The chart of these lines, with events as days and names."""
    return retention_charts.trend(Trend(tuple(lines), None, 12, dated_events(events)), narrow)


def group_bars(groups, narrow=False):
    return retention_charts.group_bars(groups, narrow)


def outlook(quarters, narrow=False):
    return retention_charts.outlook(quarters, narrow)


def forecast_score(quarters, narrow=False):
    return retention_charts.forecast_score(quarters, narrow)


def line(label="Net retention", values=(0.93, 0.95, 0.91), width=0.02, target=0.92, start="2024-11-01"):
    values = np.array(values, float)
    months = list(pd.date_range(start, periods=len(values), freq="MS"))
    return Stand(
        key=label, label=label, months=months, values=values, low=values - width, high=values + width, target=target
    )


def groups_of(names, now, before=NAN, n=120, width=0.03, overall=0.9):
    now = np.broadcast_to(np.array(now, float), len(names))
    columns = {"grr": now, "grr_low": now - width, "grr_high": now + width, "grr_before": before, "accounts": n}
    return Stand(rows=pd.DataFrame(columns, index=pd.Index(names, name="group")), overall=overall)


def causes(columns, last=24.0):
    return Stand(share=pd.DataFrame(columns, index=pd.Index([0.0, 12.0, last])), starts_at=0.0, last_seen=last)


def anniversaries_of(names, rate=0.12, up=240, between=0.006, width=0.04):
    rate = np.broadcast_to(np.array(rate, float), len(names))
    columns = {"up_for_renewal": up, "lost": 5, "rate": rate, "low": np.clip(rate - width, 0, 1), "high": rate + width}
    return Stand(by_anniversary=pd.DataFrame(columns, index=names), between_rate=between)


def projected(months=61, decay=60.0, seen_to=20.0, observed=None):
    ages = np.arange(float(months))
    survival = np.exp(-ages / decay)
    curve = pd.DataFrame({"survival": survival, "low": survival * 0.9, "high": survival**0.9}, index=ages)
    return Stand(curve=curve, observed_to=seen_to, observed=observed)


def reasons_of(names, recorded, stated, controllable=True):
    return pd.DataFrame({"reason": names, "recorded": recorded, "stated": stated, "controllable": controllable})


def risk_of(expected, labels, log_odds):
    expected, log_odds = np.array(expected, float), np.array(log_odds, float)
    fit = {"n": 100, "expected": expected, "observed": expected * 0.9, "low": expected * 0.7, "high": expected * 1.2}
    effect = {"label": labels, "log_odds": log_odds, "low": log_odds - 0.3, "high": log_odds + 0.3}
    return Stand(reliability=pd.DataFrame(fit), drivers=pd.DataFrame(effect))


def quarters_of(names, due, currency="EUR"):
    due = np.array(due, float)
    parts = {"expected": 0.85, "low": 0.8, "high": 0.9, "worst": 0.7, "best": 0.95, "actual": 0.75}
    columns = {"due": due, **{name: due * part for name, part in parts.items()}}
    return Stand(quarters=pd.DataFrame(columns, index=names), currency=currency)


THREE = {"Enterprise": Curve([0, 12, 40], [1, 0.9, 0.8], 60), "Small": Curve([0, 6, 30], [1, 0.7, 0.4], 36)}
THREE["Public sector"] = Curve([0, 8, 20], [1, 0.88, 0.79], 24)
SIX = {**THREE, **{f"Plan {letter}": Curve([0, 9], [1, 0.5 + place / 50], 30) for place, letter in enumerate("ABC")}}
WHY = ["Price", "Missing feature", "Out of business", "Champion left", "Support", "Merged"]
SHARES = [0.14, 0.08, 0.03, 0.06, 0.02, 0.01]
BY_CAUSE = {name: [0.0, size / 2, size] for name, size in zip(WHY, SHARES, strict=True)}
QUARTERS = ["2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2"]
DUE = [1_200_000, 940_000, 1_600_000, 700_000]
RISK = risk_of([0.02, 0.05, 0.1, 0.2, 0.35], ["Logins fell", "No champion", "Seats in use"], [1.1, 0.2, -0.8])
SEEN = Curve([0, 12, 18], [1, 0.81, 0.7], 20)

# name: draw, result, options, texts that must be readable in the picture
NORMAL = {
    "trend": (
        trend,
        [line("Net retention", [1.02, 1.04, 1.049], target=1.05), line(target=None), line("Logos", [0.9, NAN, 0.866])],
        {},
        ["Net retention", "Logos", "104.9\u202f%", "86.6\u202f%", "105\u202f%", "target", "Nov", "2025"],
    ),
    "group_bars": (
        group_bars,
        groups_of(
            ["Enterprise", "Small", "Mid"],
            [0.957, 0.861, 0.9],
            before=[0.95, 0.87, NAN],
            n=[214, 1240, 31],
            overall=0.889,
        ),
        {},
        [
            "Enterprise",
            "95.7\u202f%",
            "86.1\u202f%",
            "n = 1,240",
            "all accounts 88.9\u202f%",
            "● now, with its interval · ○ before",
        ],
    ),
    "survival_curves": (survival_curves, Stand(curves=THREE), {}, ["Enterprise", "Public sector", "n = 100"]),
    "six survival_curves": (survival_curves, Stand(curves=SIX), {}, ["Enterprise", "Plan C", "months since the start"]),
    "incidence": (
        incidence,
        causes(BY_CAUSE),
        {},
        ["Price 14\u202f%", "Support 2\u202f%", "other reasons", "1\u202f%", "still paying"],
    ),
    "anniversaries": (
        anniversaries,
        anniversaries_of(["1st", "2nd", "3rd", "4th"], [0.14, 0.11, 0.081, 0.067], up=[820, 540, 310, 44]),
        {},
        ["14\u202f%", "8.1\u202f%", "1st", "820", "44", "between them", "0.6\u202f% a month"],
    ),
    "projection": (
        projection,
        projected(observed=SEEN),
        {},
        ["81\u202f%", "67\u202f%", "55\u202f%", "37\u202f%", "projection", "seen so far"],
    ),
    "reason_bars": (
        reason_bars,
        reasons_of(
            ["Price", "Went bankrupt", "Unknown"], [412_000, 151_000, 0], [240_000, 98_000, NAN], [True, False, None]
        ),
        {"money": money},
        ["Price", "€412k recorded", "€240k stated", "€151k", "€98k", "€0", "–", "not in our hands"],
    ),
    "reliability": (reliability, RISK.reliability, {}, ["predicted share that leaves", "what happened", "20\u202f%"]),
    "drivers": (drivers, RISK.drivers, {}, ["Logins fell", "Seats in use", "×1", "×2", "×0.5", "← stays", "leaves →"]),
    "outlook": (
        outlook,
        quarters_of(QUARTERS, DUE),
        {},
        ["2025 Q3", "of €1.20m", "€1.02m", "of €700k", "€595k"],
    ),
    "forecast_score": (
        forecast_score,
        quarters_of(QUARTERS, [1000.0, 1100, 1050, 1200]),
        {},
        ["2026 Q2", "€1.0k due", "€750 below", "what came"],
    ),
    "forecast_score in money": (
        forecast_score,
        quarters_of(QUARTERS, DUE),
        {},
        ["2025 Q3", "€1.20m due", "€900k below"],
    ),
}

NORMAL |= {
    "funnel": (funnel_plot, gallery.funnel(), {}, ["all 72", "Rep 1", "99.8", "tickets", "resolved at first contact"]),
    "slope": (slope, gallery.slopes(), {}, ["as counted", "cases alike", "Rep A +11", "Rep L −9"]),
    "tornado": (
        tornado,
        gallery.inputs(),
        {"money": money, "base": 2e5},
        ["break-even", "+6 points", "guess", "€200k"],
    ),
    "ladder": (
        evidence_intervals,
        gallery.evidence(),
        {"number": "{:.1f}".format},
        ["nobody was drawn by lot", "2.1", "refuted"],
    ),
    "events": (trend, [line(values=np.linspace(0.9, 0.95, 20))], {"events": gallery.events()}, ["price change"]),
}

NOBODY = gallery.funnel().points[:0]
ZERO_RISK = risk_of([0.0, 0.0], ["a", "b"], [0.0, 0.0])
EXTREME = {
    "no line": (trend, [], {}),
    "a line of one month": (trend, [line(values=[0.9])], {}),
    "a line without values": (trend, [line(values=[NAN, NAN]), line("empty", [])], {}),
    "a flat line without width": (trend, [line(values=[1.0] * 13, width=0.0, target=1.0)], {}),
    "a line with unbounded limits": (trend, [line(values=[0.9, 0.8], width=np.inf)], {}),
    "ten years and four lines": (trend, [line(f"Line {i}", np.linspace(0.5, 3, 120)) for i in range(4)], {}),
    "no group": (group_bars, groups_of([], []), {}),
    "one group": (group_bars, groups_of(["all"], [0.9], overall=None), {}),
    "groups without a value": (group_bars, groups_of(["a", "b"], NAN, n=0, overall=NAN), {}),
    "thirty equal groups": (group_bars, groups_of([f"g{i}" for i in range(30)], 1.0, width=0, overall=1.0), {}),
    "no curve": (survival_curves, Stand(curves={}), {}),
    "one curve": (survival_curves, Stand(curves={"a": Curve([0, 1], [1, 1], 1)}), {}),
    "a curve that falls to 0": (survival_curves, Stand(curves={"a": Curve([0, 720], [1, 0], 720, 10**9)}), {}),
    "nine equal curves": (survival_curves, Stand(curves={f"c{i}": SIX["Plan A"] for i in range(9)}), {}),
    "no reason": (incidence, causes({}), {}),
    "nobody left": (incidence, causes({"a": [0.0, 0, 0], "b": [0.0, 0, 0]}), {}),
    "one reason that takes all": (incidence, causes({"a": [0.0, 0.5, 1.0]}, last=13.0), {}),
    "a tiny reason": (incidence, causes({"a": [0.0, 0.0, 1e-7]}), {}),
    "no anniversary": (anniversaries, anniversaries_of([], []), {}),
    "one anniversary": (anniversaries, anniversaries_of([12], [0.0], up=1, between=NAN, width=0), {}),
    "anniversaries without a rate": (anniversaries, anniversaries_of(["1", "2"], NAN, up=0, between=NAN), {}),
    "fifteen anniversaries": (anniversaries, anniversaries_of([f"{i} years" for i in range(15)], 1.0, up=10**6), {}),
    "nothing to project": (projection, projected(months=0), {}),
    "a projection of one month": (projection, projected(months=1), {}),
    "a projection with nothing seen": (projection, projected(seen_to=0.0), {}),
    "a projection that was all seen": (projection, projected(seen_to=80.0, observed=SEEN), {}),
    "a projection over sixty years": (projection, projected(months=721, decay=1e12, seen_to=NAN), {}),
    "no reasons": (reason_bars, reasons_of([], [], []), {}),
    "one reason": (reason_bars, reasons_of(["a"], [1e9], [0.0], pd.NA), {"money": money}),
    "reasons of nothing": (reason_bars, reasons_of(["a", "b"], 0, NAN), {"money": money}),
    "no prediction": (reliability, risk_of([], [], []).reliability, {}),
    "one prediction of 1": (reliability, risk_of([1.0], ["a"], [0.0]).reliability, {}),
    "predictions of 0": (reliability, ZERO_RISK.reliability, {}),
    "no driver": (drivers, risk_of([], [], []).drivers, {}),
    "drivers of nothing": (drivers, ZERO_RISK.drivers, {}),
    "a driver beyond measure": (drivers, risk_of([], ["a", "b"], [400.0, 0.01]).drivers, {}),
    "drivers without limits": (drivers, risk_of([], ["a"], [np.inf]).drivers, {}),
    "no quarter": (outlook, quarters_of([], []), {}),
    "one quarter": (outlook, quarters_of(["2025 Q1"], [1e9]), {}),
    "quarters of nothing": (outlook, quarters_of(QUARTERS, [0.0] * 4), {}),
    "quarters without values": (outlook, quarters_of(QUARTERS, [NAN] * 4), {}),
    "sixteen quarters": (outlook, quarters_of([f"2025 Q{i}" for i in range(16)], [1e9] * 16), {}),
    "no score": (forecast_score, quarters_of([], []), {}),
    "one score": (forecast_score, quarters_of(["2025 Q1"], [1e9]), {}),
    "scores of nothing": (forecast_score, quarters_of(QUARTERS, [0.0] * 4), {}),
    "scores without values": (forecast_score, quarters_of(QUARTERS, [NAN] * 4), {}),
    "no rep": (funnel_plot, Stand(**{**vars(gallery.funnel()), "points": NOBODY}), {}),
    "one rep": (funnel_plot, Stand(**{**vars(gallery.funnel()), "points": gallery.funnel().points[:1]}), {}),
    "all reps outside": (
        funnel_plot,
        Stand(**{**vars(gallery.funnel()), "points": gallery.funnel().points.assign(outside="99.8", rate=0.9)}),
        {},
    ),
    "no slope": (slope, gallery.slopes()[:0], {}),
    "equal slopes": (slope, gallery.slopes().assign(raw=0.5, adjusted=0.5, mover=True), {}),
    "no input": (tornado, gallery.inputs()[:0], {"money": money}),
    "inputs that do nothing": (tornado, gallery.inputs().assign(low=0.0, high=0.0), {"money": money, "base": 0.0}),
    "inputs without outcome": (tornado, gallery.inputs().assign(low=NAN, high=NAN), {}),
    "twenty inputs": (tornado, pd.concat([gallery.inputs()] * 4, ignore_index=True), {"money": money, "base": 2e5}),
    "no rung": (evidence_intervals, gallery.evidence()[:0], {}),
    "all rungs refused": (
        evidence_intervals,
        gallery.evidence().assign(status="refused", value=NAN, why="too few"),
        {},
    ),
    "equal scores": (forecast_score, quarters_of(QUARTERS, [5.0] * 4), {}),
}

MANY = [f"{HOSTILE} {i}" for i in range(5)]
WORDS = {
    "trend": (trend, [line(HOSTILE), line(HOSTILE), line(HOSTILE)], {}),
    "group_bars": (group_bars, groups_of(MANY, 0.9), {}),
    "survival_curves": (survival_curves, Stand(curves=dict.fromkeys(MANY, SIX["Plan A"])), {}),
    "incidence": (incidence, causes({name: [0.0, 0.1, 0.15] for name in MANY}), {}),
    "anniversaries": (anniversaries, anniversaries_of(MANY), {}),
    "reason_bars": (reason_bars, reasons_of(MANY, 1e9, 1e6, False), {"money": money}),
    "drivers": (drivers, risk_of([], MANY, [1.0, 2.0, -3.0, 0.1, 0.2]).drivers, {}),
    "outlook": (outlook, quarters_of(MANY, [1e9] * 5), {}),
    "forecast_score": (forecast_score, quarters_of(MANY, [1e9] * 5), {}),
}

FIVE = {"label": MANY, "why": MANY, "note": MANY, "low_input": MANY, "high_input": MANY, "origin": MANY}
LOUD = Stand(**{**vars(gallery.funnel()), "unit": HOSTILE, "cases": HOSTILE})
LOUD.points = LOUD.points[:5].assign(label=MANY, outside="95")
WORDS |= {
    "funnel": (funnel_plot, LOUD, {}),
    "slope": (slope, gallery.slopes()[:5].assign(label=MANY, mover=True), {}),
    "tornado": (tornado, gallery.inputs()[:5].assign(**FIVE), {"money": money}),
    "ladder": (evidence_intervals, gallery.evidence().assign(**{k: FIVE[k] for k in ("label", "why", "note")}), {}),
    "events": (trend, [line(values=np.linspace(0.9, 1, 20))], {"events": dict.fromkeys(gallery.events(), HOSTILE)}),
}

NORMAL_CASES = {name: case[:3] for name, case in NORMAL.items()}
EVERY = {**NORMAL_CASES, **EXTREME, **{f"hostile {name}": case for name, case in WORDS.items()}}


def texts_of(figure):
    """Every text that was drawn, with its box in pixels; ticks out of view are not drawn."""
    found = list(figure.texts)
    if getattr(figure, "_supxlabel", None):
        found = [*{id(text): text for text in [*found, figure._supxlabel]}.values()]
    for ax in figure.axes:
        found += [*ax.texts, ax.title, ax._left_title]
        if not ax.axison:
            continue
        for axis, (low, high) in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
            found.append(axis.label)
            ticks = axis.get_major_ticks()
            slack = 1e-9 * max(1.0, abs(low), abs(high))
            found += [t.label1 for t in ticks if low - slack <= t.get_loc() <= high + slack and t.label1.get_visible()]
    return [(text, Text.get_window_extent(text)) for text in found if text.get_visible() and text.get_text().strip()]


@cache
def drawn(name, narrow):
    """A case's figure, its texts and its SVG, drawn once for all tests that look at it."""
    draw, result, options = EVERY[name]
    figure = draw(result, narrow=narrow, **options)
    figure.set_dpi(72)  # that of the SVG, so that places and sizes belong together
    svg = as_svg(figure, "x")
    return figure, texts_of(figure), svg


def svg_of(name, narrow):
    return drawn(name, narrow)[2]


def words_in(svg):
    return re.findall(r"<(?:text|tspan)[^>]*>([^<]+)</", svg)


both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])
# Normal and hostile input for both widths, the extremes for one each in turn: drawing is what takes the time.
PICTURES = [(name, narrow) for name in EVERY if name not in EXTREME for narrow in (False, True)]
PICTURES += [(name, place % 2 == 0) for place, name in enumerate(EXTREME)]
pictures = pytest.mark.parametrize(
    ("name", "narrow"), PICTURES, ids=[f"{name} on a {'phone' if narrow else 'desk'}" for name, narrow in PICTURES]
)


@both
@pytest.mark.parametrize("name", NORMAL)
def test_a_chart_writes_what_its_input_carries(name, narrow):
    running = " ".join(words_in(svg_of(name, narrow)))
    assert [text for text in NORMAL[name][3] if text not in running] == []


@pictures
def test_no_text_leaves_the_picture_is_too_small_to_read_or_no_number(name, narrow):
    figure, found, _ = drawn(name, narrow)
    assert figure.get_figwidth() == (NARROW if narrow else WIDE) and 0.8 <= figure.get_figheight() <= 16
    edge = figure.bbox
    assert found, "an empty axis says nothing"
    for text, box in found:
        assert text.get_fontsize() >= 9.5, text.get_text()
        assert not text.get_parse_math(), text.get_text()
        assert edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1, text.get_text()
        assert edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1, text.get_text()
        assert not re.search(r"\b(nan|inf|None)\b", text.get_text(), re.I), text.get_text()
    axes = [ax.get_position() for ax in figure.axes]
    assert min(box.width * figure.get_figwidth() for box in axes) > (0.55 if narrow else 1.0), "no room left to draw"


@pictures
def test_texts_do_not_overlap(name, narrow):
    for (one, a), (other, b) in combinations(drawn(name, narrow)[1], 2):
        width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width < 1 or height < 2, (one.get_text(), other.get_text())


@both
@pytest.mark.parametrize("name", WORDS)
def test_hostile_labels_stay_short_inert_text(name, narrow):
    svg = svg_of(f"hostile {name}", narrow)
    assert "<script" not in svg and "\u202e" not in svg and "\x00" not in svg
    assert "$x" in svg, "a dollar sign is text, not the start of a formula"
    assert "Grundstücksverkehrsgenehmigung G" not in svg


@pictures
def test_a_picture_has_only_finite_places_and_inks_that_follow_the_theme(name, narrow):
    svg = svg_of(name, narrow)
    assert not re.search(r'[ ="](nan|-?inf)[ "]', svg, re.I)
    assert [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)] == []
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= set(INKS)


@pytest.mark.parametrize("name", ["trend", "projection"])
def test_equal_input_gives_an_equal_picture(name):
    draw, result, options, _ = NORMAL[name]
    assert as_svg(draw(result, narrow=True, **options), "x") == as_svg(draw(result, narrow=True, **options), "x")


def test_drawing_needs_no_pyplot_and_changes_no_global_state():
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/churn', 'tests/reps', 'tests/report']\n"
        "import matplotlib as mpl; before = mpl.rcParams.copy()\n"
        "from test_charts_churn import NORMAL_CASES\n"
        "[draw(result, narrow=True, **options) for draw, result, options in NORMAL_CASES.values()]\n"
        "assert 'matplotlib.pyplot' not in sys.modules; assert mpl.rcParams.copy() == before"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["events", "funnel", "tornado", "ladder", "slope", "drivers"])
def test_what_a_user_set_for_their_own_charts_changes_none_of_ours(name):
    draw, result, options, _ = NORMAL[name]
    ours = as_svg(draw(result, **options), "x")
    own = {"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9, "axes.grid": True, "svg.fonttype": "path"}
    with mpl.rc_context(own):
        assert as_svg(draw(result, **options), "x") == ours


def test_a_picture_is_a_raster_only_where_the_drawing_is_heavy():
    few, many = Figure(figsize=(4, 3)), Figure(figsize=(4, 3))
    few.subplots().plot([0, 1], [0, 1])
    ax = many.subplots()
    for place in range(3_000):
        ax.plot([place % 50], [place // 50], "o")
    assert as_picture(few, "x").startswith("<svg")
    heavy = as_picture(many, "x")
    assert heavy.startswith('<img class="cs-raster" alt=""')
    assert len(heavy) < len(as_svg(many, "x"))


def test_panels_of_a_trend_span_the_same_number_of_points():
    figure = trend([line(values=[0.90, 0.80]), line(values=[0.95, 0.94])])
    first, second = (np.diff(ax.get_ylim())[0] for ax in figure.axes)
    assert first == pytest.approx(second)
    assert first >= 0.90 + 0.02 - (0.80 - 0.02)  # the wider of the two with its band


def test_a_trend_with_a_gap_still_shows_the_month_that_stands_alone():
    figure = trend([line(values=[0.9, NAN, 0.8, 0.85])])
    marked = figure.axes[0].lines[1].get_ydata()
    assert list(marked) == [0.9, 0.85]  # the lone one and the last one


def test_the_earlier_value_of_a_group_is_a_hollow_dot():
    ax = group_bars(groups_of(["a"], [0.9], before=0.8)).axes[0]
    hollow = [dot for dot in ax.lines if dot.get_markerfacecolor() == "none"]
    assert [list(dot.get_xdata()) for dot in hollow] == [[0.8]]


@pytest.mark.parametrize(("names", "bands"), [(["Enterprise", "Small"], 2), (list(SIX), 0)])
def test_only_up_to_three_curves_have_bands(names, bands):
    ax = survival_curves(Stand(curves={name: SIX[name] for name in names})).axes[0]
    assert len(ax.collections) == bands


def test_six_curves_differ_in_ink_and_in_dash():
    ax = survival_curves(Stand(curves=SIX)).axes[0]
    steps = [step for step in ax.lines if step.get_drawstyle() == "steps-post"]
    assert len({step.get_color() for step in steps}) == 6
    assert len({str(step._unscaled_dash_pattern) for step in steps}) == 6


def test_curves_that_are_not_drawn_are_counted():
    curves = {**SIX, "Seventh": SIX["Plan A"], "Eighth": SIX["Plan A"]}
    ax = survival_curves(Stand(curves=curves)).axes[0]
    assert "2 groups not drawn" in ax.get_xlabel()


@pytest.mark.parametrize("narrow", [False, True])
def test_customers_of_sixty_years_can_be_drawn(narrow):
    curve = churn.kaplan_meier([720.0] * 20 + [300.0] * 5, [False] * 20 + [True] * 5)
    ticks = survival_curve(curve, narrow=narrow).axes[0].get_xticks()
    assert 3 <= len(ticks) <= 10


def test_the_survival_chart_marks_the_twelve_months_that_its_sentence_speaks_of():
    curve = churn.kaplan_meier([11.0] * 20 + [72.0] * 80, [True] * 20 + [False] * 80)
    for narrow in (False, True):
        labels = [text.get_text() for text in survival_curve(curve, narrow=narrow).axes[0].texts]
        assert labels[0] == "80\u202f%"
        assert 3 <= len(labels) <= 6


def test_survival_axis_states_the_number_at_risk():
    curve = churn.kaplan_meier([12.0] * 20 + [30.0] * 80, [True] * 20 + [False] * 80)
    svg = as_svg(survival_curve(curve), "s")
    labels = re.findall(r"<(?:text|tspan)[^>]*>([^<]+)</", svg)
    assert labels.count("100") == 3  # months 0, 6 and 12: nobody has left before 12
    assert labels.count("80") == 3  # months 18, 24 and 30


@both
def test_no_text_of_a_survival_curve_leaves_the_picture(narrow):
    curve = churn.kaplan_meier([12.0] * 20_000 + [60.0] * 80_000, [True] * 20_000 + [False] * 80_000)
    figure = survival_curve(curve, narrow=narrow)
    figure.set_dpi(72)
    as_svg(figure, "x")
    edge = figure.bbox
    for text, box in texts_of(figure):
        assert edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1, text.get_text()
        assert edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1, text.get_text()


def test_reasons_stack_from_the_largest_and_pool_what_comes_after_five():
    figure = incidence(
        causes({f"r{i}": [0, 0, size] for i, size in enumerate([0.01, 0.2, 0.05, 0.02, 0.1, 0.04, 0.03])})
    )
    labels = [text.get_text() for text in figure.axes[0].texts if "%" in text.get_text()]
    shares = ["r1 20", "r4 10", "r2 5", "r5 4", "r6 3", "other reasons 3"]  # 0.01 + 0.02 are pooled
    assert labels == [f"{text}\u202f%" for text in shares]
    tops = [step.get_ydata()[-1] for step in figure.axes[0].lines]
    assert tops == pytest.approx([0.2, 0.3, 0.35, 0.39, 0.42, 0.45])


def test_a_projection_marks_seen_ages_with_what_was_seen_and_later_ones_with_what_is_expected():
    texts = {text.get_text() for text in projection(projected(observed=SEEN)).axes[0].texts}
    assert share(SEEN.at(12), 0) in texts  # 0.81 as seen, where the projection says 0.82
    assert share(float(np.exp(-12 / 60)), 0) not in texts
    assert {share(float(np.exp(-age / 60)), 0) for age in (24, 36, 60)} <= texts


def test_what_is_not_in_our_hands_says_so_only_where_it_is_known():
    table = reasons_of(["a", "b", "c", "d"], 1, 1, [True, False, None, NAN])
    notes = [text for text in reason_bars(table).axes[0].texts if text.get_text() == "not in our hands"]
    assert [note.xy[1] for note in notes] == [1]


def test_drivers_whose_interval_holds_one_are_hollow():
    ax = drivers(RISK.drivers).axes[0]  # 1.1, 0.2 and -0.8, each give or take 0.3
    dots = [dot for dot in ax.lines if dot.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "none" for dot in dots] == [False, True, False]


def test_only_the_first_ten_drivers_are_drawn():
    ax = drivers(risk_of([], [f"driver {i}" for i in range(12)], [1.0] * 12).drivers).axes[0]
    assert sum(text.get_text().startswith("driver") for text in ax.texts) == 10


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    table = pd.DataFrame({"label": ["a", "b"], "log_odds": [0.5, 0.2], "low": [-40.0, 0.1], "high": [41.0, 0.3]})
    ax = drivers(table).axes[0]
    assert [dot.get_marker() for dot in ax.lines if dot.get_marker() in "<>"] == ["<", ">"]
    assert ax.get_xlim()[1] < 5


def test_what_came_is_filled_inside_its_interval_and_hollow_outside():
    table = pd.DataFrame(
        {"quarter": QUARTERS[:3], "due": 1.0, "expected": 0.9, "low": 0.85, "high": 0.95, "actual": [0.85, 0.96, 0.84]}
    )
    ax = forecast_score(Stand(table=table)).axes[0]
    filled, hollow = ax.lines
    assert list(filled.get_ydata()) == [0] and list(hollow.get_ydata()) == [1, 2]
    texts = {text.get_text() for text in ax.texts}
    assert {"85.0\u202f%", "96.0\u202f% above", "84.0\u202f% below"} <= texts


@both
@pytest.mark.parametrize(
    ("name", "text"),
    [("group_bars", "86.1\u202f%"), ("forecast_score", "75.0\u202f% below"), ("projection", "37\u202f%")],
)
def test_values_at_the_end_stand_right_of_what_is_drawn(name, text, narrow):
    figure, found, _ = drawn(name, narrow)
    box = next(box for label, box in found if label.get_text() == text)
    assert box.x0 >= figure.axes[0].get_window_extent().x1


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.92, None, "92"),
        (0.925, None, "92.5"),
        (0.914, 0, "91"),
        (1.049, 1, "104.9"),
        (0.003, 0, "0.3"),
        (0.0001, 0, "<0.1"),
        (0.0, 0, "0"),
        (-0.021, 1, "−2.1"),
        (1e-14, 1, "0.0"),
    ],
)
def test_shares_are_written_in_percent_and_a_small_one_never_as_none(value, digits, text):
    assert share(value, digits) == f"{text}\u202f%"


def test_a_share_that_is_not_there_is_a_dash():
    assert share(NAN) == share(np.inf, 1) == "–"


def test_labels_are_cut_with_an_ellipsis():
    assert shorten("Twenty-four characters!!") == "Twenty-four characters!!"
    assert shorten("Twenty-five characters!!!") == "Twenty-five characters!…"
    assert shorten("Went out of business", narrow=True) == "Went out of bus…"
    assert shorten("one\n two\u202e\tthree") == "one two three"


@pytest.mark.parametrize(
    ("wanted", "put"),
    [
        ([50, 52], [46, 56]),  # 10 apart around their middle, 51
        ([52, 50], [56, 46]),  # the order of the labels follows the order of the values
        ([50, 80], [50, 80]),
        ([0, 1, 2], [5, 15, 25]),  # pushed in from the lower end
        ([99, 100], [85, 95]),
        ([], []),
    ],
)
def test_labels_move_apart_as_little_as_possible(wanted, put):
    assert spread(wanted, [10] * len(wanted), 0, 100) == pytest.approx(put)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 250), st.floats(5, 30)), min_size=1, max_size=6))
def test_moved_labels_never_overlap_and_keep_their_order_and_their_place(labels):
    wanted, sizes = [y for y, _ in labels], [size for _, size in labels]
    put = spread(wanted, sizes, 0, 200)
    order = sorted(range(len(put)), key=lambda i: put[i])
    for below, above in pairwise(order):
        assert put[above] - put[below] >= (sizes[above] + sizes[below]) / 2 - 1e-9
        assert wanted[below] <= wanted[above]
    assert all(size / 2 - 1e-9 <= y <= 200 - size / 2 + 1e-9 for y, size in zip(put, sizes, strict=True))
