"""The charts of retention: what they say, what fits on them, and that no input leaves an empty or broken picture."""

from types import SimpleNamespace as Stand
from typing import ClassVar

import gallery
import numpy as np
import pandas as pd
import pytest
from chart_checks import HOSTILE, NAN, ChartChecks

from cs_helpers.retention.charts import forecast_score, group_bars, outlook, trend


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


def quarters_of(names, due):
    due = np.array(due, float)
    parts = {"expected": 0.85, "low": 0.8, "high": 0.9, "worst": 0.7, "best": 0.95, "actual": 0.75}
    columns = {"due": due, **{name: due * part for name, part in parts.items()}}
    return Stand(quarters=pd.DataFrame(columns, index=names), currency="EUR")


def trends(*lines, events=()):
    return Stand(lines=lines, events=events)


EVENTS = tuple((pd.Timestamp(day), name) for day, name in gallery.events().items())
QUARTERS = ["2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2"]
DUE = [1_200_000, 940_000, 1_600_000, 700_000]
MANY = [f"{HOSTILE} {i}" for i in range(5)]


class TestCharts(ChartChecks):
    normal: ClassVar = {
        "trend": (
            trend,
            trends(
                line("Net retention", [1.02, 1.04, 1.049], target=1.05),
                line(target=None),
                line("Logos", [0.9, NAN, 0.866]),
            ),
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
        "outlook": (
            outlook,
            quarters_of(QUARTERS, DUE),
            {},
            ["2025 Q3", "of €1.20m", "€1.02m", "of €700k", "€595k"],
        ),
        "forecast_score": (
            forecast_score,
            quarters_of(QUARTERS, [1.0, 1.1, 1.05, 1.2]),
            {},
            ["2026 Q2", "€1 below", "what came"],
        ),
        "forecast_score in money": (
            forecast_score,
            quarters_of(QUARTERS, DUE),
            {},
            ["2025 Q3", "€1.20m due", "€900k below"],
        ),
        "events": (trend, trends(line(values=np.linspace(0.9, 0.95, 20)), events=EVENTS), {}, ["price change"]),
    }
    extreme: ClassVar = {
        "no line": (trend, trends(), {}),
        "a line of one month": (trend, trends(line(values=[0.9])), {}),
        "a line without values": (trend, trends(line(values=[NAN, NAN]), line("empty", [])), {}),
        "a flat line without width": (trend, trends(line(values=[1.0] * 13, width=0.0, target=1.0)), {}),
        "a line with unbounded limits": (trend, trends(line(values=[0.9, 0.8], width=np.inf)), {}),
        "ten years and four lines": (
            trend,
            trends(*(line(f"Line {i}", np.linspace(0.5, 3, 120)) for i in range(4))),
            {},
        ),
        "no group": (group_bars, groups_of([], []), {}),
        "one group": (group_bars, groups_of(["all"], [0.9], overall=NAN), {}),
        "groups without a value": (group_bars, groups_of(["a", "b"], NAN, n=0, overall=NAN), {}),
        "thirty equal groups": (group_bars, groups_of([f"g{i}" for i in range(30)], 1.0, width=0, overall=1.0), {}),
        "no quarter": (outlook, quarters_of([], []), {}),
        "one quarter": (outlook, quarters_of(["2025 Q1"], [1e9]), {}),
        "quarters of nothing": (outlook, quarters_of(QUARTERS, [0.0] * 4), {}),
        "quarters without values": (outlook, quarters_of(QUARTERS, [NAN] * 4), {}),
        "sixteen quarters": (outlook, quarters_of([f"2025 Q{i}" for i in range(16)], [1e9] * 16), {}),
        "no score": (forecast_score, quarters_of([], []), {}),
        "one score": (forecast_score, quarters_of(["2025 Q1"], [1e9]), {}),
        "scores of nothing": (forecast_score, quarters_of(QUARTERS, [0.0] * 4), {}),
        "scores without values": (forecast_score, quarters_of(QUARTERS, [NAN] * 4), {}),
        "equal scores": (forecast_score, quarters_of(QUARTERS, [5.0] * 4), {}),
    }
    hostile: ClassVar = {
        "trend": (trend, trends(line(HOSTILE), line(HOSTILE), line(HOSTILE)), {}),
        "group_bars": (group_bars, groups_of(MANY, 0.9), {}),
        "outlook": (outlook, quarters_of(MANY, [1e9] * 5), {}),
        "forecast_score": (forecast_score, quarters_of(MANY, [1e9] * 5), {}),
        "events": (
            trend,
            trends(line(values=np.linspace(0.9, 1, 20)), events=tuple((day, HOSTILE) for day, _ in EVENTS)),
            {},
        ),
    }


both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])


def test_panels_of_a_trend_span_the_same_number_of_points():
    figure = trend(trends(line(values=[0.90, 0.80]), line(values=[0.95, 0.94])))
    first, second = (np.diff(ax.get_ylim())[0] for ax in figure.axes)
    assert first == pytest.approx(second)
    assert first >= 0.90 + 0.02 - (0.80 - 0.02)  # the wider of the two with its band


def test_a_trend_with_a_gap_still_shows_the_month_that_stands_alone():
    figure = trend(trends(line(values=[0.9, NAN, 0.8, 0.85])))
    marked = figure.axes[0].lines[1].get_ydata()
    assert list(marked) == [0.9, 0.85]  # the lone one and the last one


def test_the_earlier_value_of_a_group_is_a_hollow_dot():
    ax = group_bars(groups_of(["a"], [0.9], before=0.8)).axes[0]
    hollow = [dot for dot in ax.lines if dot.get_markerfacecolor() == "none"]
    assert [list(dot.get_xdata()) for dot in hollow] == [[0.8]]


def test_what_came_is_filled_inside_its_interval_and_hollow_outside():
    table = pd.DataFrame(
        {
            "quarter": QUARTERS[:3],
            "due": 1e3,
            "expected": 9e2,
            "low": 850.0,
            "high": 950.0,
            "actual": [850.0, 960.0, 840.0],
        }
    )
    ax = forecast_score(Stand(quarters=table, currency="EUR")).axes[0]
    filled, hollow = ax.lines
    assert list(filled.get_ydata()) == [0] and list(hollow.get_ydata()) == [1, 2]
    texts = {text.get_text() for text in ax.texts}
    assert {"€850", "€960 above", "€840 below"} <= texts


@both
@pytest.mark.parametrize(
    ("name", "text"),
    [("group_bars", "86.1\u202f%"), ("forecast_score in money", "€900k below")],
)
def test_values_at_the_end_stand_right_of_what_is_drawn(name, text, narrow):
    figure, found, _ = TestCharts().drawn(name, narrow)
    box = next(box for label, box in found if label.get_text() == text)
    assert box.x0 >= figure.axes[0].get_window_extent().x1
