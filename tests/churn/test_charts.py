"""The charts of churn: what they say, what fits on them, and that no input leaves an empty or broken picture."""

import re
from types import SimpleNamespace as Stand
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from chart_checks import HOSTILE, NAN, ChartChecks, money, texts_of

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
from cs_helpers.report.charts.labels import share
from cs_helpers.report.charts.picture import as_svg


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


THREE = {"Enterprise": Curve([0, 12, 40], [1, 0.9, 0.8], 60), "Small": Curve([0, 6, 30], [1, 0.7, 0.4], 36)}
THREE["Public sector"] = Curve([0, 8, 20], [1, 0.88, 0.79], 24)
SIX = {**THREE, **{f"Plan {letter}": Curve([0, 9], [1, 0.5 + place / 50], 30) for place, letter in enumerate("ABC")}}
WHY = ["Price", "Missing feature", "Out of business", "Champion left", "Support", "Merged"]
SHARES = [0.14, 0.08, 0.03, 0.06, 0.02, 0.01]
BY_CAUSE = {name: [0.0, size / 2, size] for name, size in zip(WHY, SHARES, strict=True)}
RISK = risk_of([0.02, 0.05, 0.1, 0.2, 0.35], ["Logins fell", "No champion", "Seats in use"], [1.1, 0.2, -0.8])
SEEN = Curve([0, 12, 18], [1, 0.81, 0.7], 20)
ZERO_RISK = risk_of([0.0, 0.0], ["a", "b"], [0.0, 0.0])
MANY = [f"{HOSTILE} {i}" for i in range(5)]


class TestCharts(ChartChecks):
    normal: ClassVar = {
        "survival_curves": (survival_curves, Stand(curves=THREE), {}, ["Enterprise", "Public sector", "n = 100"]),
        "six survival_curves": (
            survival_curves,
            Stand(curves=SIX),
            {},
            ["Enterprise", "Plan C", "months since the start"],
        ),
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
                ["Price", "Went bankrupt", "Unknown"],
                [412_000, 151_000, 0],
                [240_000, 98_000, NAN],
                [True, False, None],
            ),
            {"money": money},
            ["Price", "€412k recorded", "€240k stated", "€151k", "€98k", "€0", "–", "not in our hands"],
        ),
        "reliability": (
            reliability,
            RISK.reliability,
            {},
            ["predicted share that leaves", "what happened", "20\u202f%"],
        ),
        "drivers": (
            drivers,
            RISK.drivers,
            {},
            ["Logins fell", "Seats in use", "×1", "×2", "×0.5", "← stays", "leaves →"],
        ),
    }
    extreme: ClassVar = {
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
        "fifteen anniversaries": (
            anniversaries,
            anniversaries_of([f"{i} years" for i in range(15)], 1.0, up=10**6),
            {},
        ),
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
    }
    hostile: ClassVar = {
        "survival_curves": (survival_curves, Stand(curves=dict.fromkeys(MANY, SIX["Plan A"])), {}),
        "incidence": (incidence, causes({name: [0.0, 0.1, 0.15] for name in MANY}), {}),
        "anniversaries": (anniversaries, anniversaries_of(MANY), {}),
        "reason_bars": (reason_bars, reasons_of(MANY, 1e9, 1e6, False), {"money": money}),
        "drivers": (drivers, risk_of([], MANY, [1.0, 2.0, -3.0, 0.1, 0.2]).drivers, {}),
    }


both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])


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


@both
def test_a_value_at_the_end_of_a_projection_stands_right_of_what_is_drawn(narrow):
    figure, found, _ = TestCharts().drawn("projection", narrow)
    box = next(box for label, box in found if label.get_text() == "37\u202f%")
    assert box.x0 >= figure.axes[0].get_window_extent().x1
