"""The charts of newcomers and of an organisation's own history: what they say, and that no input breaks them."""

import re
import subprocess
import sys
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from chart_checks import HOSTILE, texts_of, words_in

from cs_helpers.core.estimates import Estimate
from cs_helpers.report.charts.ink import ACCENT, INK, INKS, NARROW, QUIET, WIDE
from cs_helpers.report.charts.picture import as_svg
from cs_helpers.reps.charts import history_line, ramp_curve
from cs_helpers.reps.results import History, Ramp

NAN, INF = float("nan"), float("inf")


def hours(value):
    return f"{value:,.1f} hours" if np.isfinite(value) else "–"


def ramp_of(levels, width=0.06, tenured=0.82, proficient=16.0, low=12.0, high=24.0, marks=(), step=4.0, reps=12):
    levels = np.array(levels, float)
    week = np.floor(step * np.arange(len(levels))).astype(int)
    smooth = np.maximum.accumulate(levels) if len(levels) else levels
    columns = {"week": week, "reps": reps, "cases": 300, "level": levels, "smooth": smooth}
    curve = pd.DataFrame({**columns, "low": levels - width, "high": levels + width})
    return Ramp(
        key="csat",
        scale="additive",
        newcomers=12,
        curve=curve,
        tenured=tenured,
        band=(tenured - 0.05, tenured + 0.05),
        proficient=proficient,
        low=low,
        high=high,
        marks=pd.DataFrame(marks, columns=["week", "kind", "reps", "sessions"]),
        step_weeks=step,
    )


def history_of(values, width=0.04, target=NAN, outside=(), start="2023-07-01", limits=0.06, centre=0.8):
    values = np.array(values, float)
    months = pd.date_range(start, periods=len(values), freq="MS")
    earlier = np.concatenate([np.full(min(12, len(values)), NAN), values[:-12]])[: len(values)]
    table = pd.DataFrame(
        {
            "month": months,
            "adjusted": values,
            "low": values - width,
            "high": values + width,
            "year_before": earlier,
            "target": target,
            "limit_low": centre - limits,
            "limit_high": centre + limits,
            "outside": "",
        }
    )
    for place, name in outside:
        table.loc[place, "outside"] = name
    none = Estimate("csat", None, None, None, 0)
    return History("csat", "additive", none, none, "", table, pd.DataFrame(), centre)


RISING = [0.62, 0.66, 0.70, 0.77, 0.80, 0.83, 0.81, 0.82, 0.84, 0.83, 0.82, 0.84, 0.83]
MARKS = [(0, "ride-along", 9, 12), (0, "training", 3, 3), (12, "training", 4, 5), (44, "ride-along", 1, 1)]
COURSE = 0.8 + 0.03 * np.sin(np.arange(36))
NORMAL = {
    "ramp": (
        ramp_curve,
        ramp_of(RISING, marks=MARKS),
        {},
        ["week 16", "shaded: longer-serving (82", "| training", "▲ ride-along", "80\u202f%", "weeks since hire", "12"],
    ),
    "ramp in hours": (
        ramp_curve,
        ramp_of(np.array(RISING) * 5, width=0.3, tenured=4.1, low=8.0, high=INF),
        {"number": hours},
        ["hours", "week 16", "longer-serving (4.1"],
    ),
    "history": (
        history_line,
        history_of(COURSE, target=0.85, outside=[(4, "95"), (11, "99.8")]),
        {},
        ["target", "85.0\u202f%", "78.7\u202f%", "before", "outside", "outside 99.8", "2026", "Jun", "stepped"],
    ),
    "history in hours": (
        history_line,
        history_of(COURSE * 4, width=0.2, limits=0.3, centre=3.2),
        {"number": hours},
        ["3.1", "hours", "a year"],
    ),
}
EXTREME = {
    "no step": (ramp_curve, ramp_of([], proficient=None), {}),
    "one step": (ramp_curve, ramp_of([0.8], proficient=None), {}),
    "steps without values": (ramp_curve, ramp_of([NAN, NAN], tenured=NAN), {}),
    "steps without limits": (ramp_curve, ramp_of([0.6, 0.7], width=NAN, proficient=4.0, low=NAN, high=NAN), {}),
    "never there": (ramp_curve, ramp_of(RISING, proficient=INF, low=40.0, high=INF), {}),
    "there at once": (ramp_curve, ramp_of(RISING, proficient=0.0, low=0.0, high=0.0), {}),
    "there at the end": (ramp_curve, ramp_of(RISING, proficient=48.0, low=4.0, high=48.0), {}),
    "a flat ramp of width nothing": (ramp_curve, ramp_of([1.0] * 13, width=0.0, tenured=1.0), {}),
    "weeks one by one": (ramp_curve, ramp_of(np.linspace(0.2, 0.8, 52), step=1.0, marks=MARKS, reps=12345), {}),
    "ten years of months": (ramp_curve, ramp_of(np.linspace(0.2, 0.8, 120), step=52 / 12, proficient=200.0), {}),
    "large numbers": (ramp_curve, ramp_of(np.array(RISING) * 1e6, width=1e5, tenured=8e5), {"number": hours}),
    "negative numbers": (ramp_curve, ramp_of(np.array(RISING) - 1.5, tenured=-0.7), {"number": hours}),
    "zeros": (ramp_curve, ramp_of([0.0] * 6, width=0.0, tenured=0.0), {"number": hours}),
    "no month": (history_line, history_of([]), {}),
    "one month": (history_line, history_of([0.8]), {}),
    "months without values": (history_line, history_of([NAN] * 5), {}),
    "a gap": (history_line, history_of([0.8, NAN, 0.7, 0.75, NAN]), {}),
    "unbounded limits": (history_line, history_of([0.8, 0.9], width=INF, limits=INF), {}),
    "all the same": (history_line, history_of([1.0] * 30, width=0.0, target=1.0, limits=0.0, centre=1.0), {}),
    "ten years": (history_line, history_of(np.linspace(0.2, 0.9, 120), target=0.2), {}),
    "all outside": (history_line, history_of([0.5] * 24, outside=[(i, "99.8") for i in range(24)]), {}),
    "large months": (history_line, history_of(COURSE * 1e7, width=1e5, target=9e6, centre=8e6), {"number": hours}),
    "months of nothing": (history_line, history_of([0.0] * 14, width=0.0, limits=0, centre=0), {"number": hours}),
}
WORDS = {
    "ramp": (ramp_curve, ramp_of(RISING, marks=MARKS), {"number": lambda value: HOSTILE}),
    "history": (history_line, history_of(COURSE, target=0.85), {"number": lambda value: HOSTILE}),
}
EVERY = {**{name: case[:3] for name, case in NORMAL.items()}, **EXTREME}
EVERY |= {f"hostile {name}": case for name, case in WORDS.items()}


@cache
def drawn(name, narrow):
    draw, result, options = EVERY[name]
    figure = draw(result, narrow=narrow, **options)
    figure.set_dpi(72)
    svg = as_svg(figure, "x")
    return figure, texts_of(figure), svg


both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])
PICTURES = [(name, narrow) for name in EVERY for narrow in (False, True)]
pictures = pytest.mark.parametrize(
    ("name", "narrow"), PICTURES, ids=[f"{name} on a {'phone' if narrow else 'desk'}" for name, narrow in PICTURES]
)


@both
@pytest.mark.parametrize("name", NORMAL)
def test_a_chart_writes_what_its_input_carries(name, narrow):
    running = " ".join(words_in(drawn(name, narrow)[2]))
    assert [text for text in NORMAL[name][3] if text not in running] == []


@pictures
def test_no_text_leaves_the_picture_is_too_small_to_read_or_no_number(name, narrow):
    figure, found, _ = drawn(name, narrow)
    assert figure.get_figwidth() == (NARROW if narrow else WIDE) and 0.8 <= figure.get_figheight() <= 16
    assert found, "an empty axis says nothing"
    edge = figure.bbox
    for text, box in found:
        assert text.get_fontsize() >= 9.5, text.get_text()
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


@pictures
def test_a_picture_has_only_finite_places_and_inks_that_follow_the_theme(name, narrow):
    svg = drawn(name, narrow)[2]
    assert not re.search(r'[ ="](nan|-?inf)[ "]', svg, re.I)
    assert [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)] == []
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= set(INKS)


@both
@pytest.mark.parametrize("name", WORDS)
def test_hostile_words_of_a_number_stay_short_inert_text(name, narrow):
    svg = drawn(f"hostile {name}", narrow)[2]
    assert "<script" not in svg and "\u202e" not in svg and "\x00" not in svg
    assert "Grundstücksverkehrsgenehmigung G" not in svg


def test_equal_input_gives_an_equal_picture_and_no_global_state_changes():
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/churn', 'tests/reps', 'tests/report']\n"
        "import matplotlib as mpl; before = mpl.rcParams.copy()\n"
        "from test_charts_over_time import EVERY, as_svg\n"
        "for name in ('ramp', 'history'):\n"
        "    draw, result, options = EVERY[name]\n"
        "    one, other = (as_svg(draw(result, **options), 'x') for _ in range(2))\n"
        "    assert one == other\n"
        "assert 'matplotlib.pyplot' not in sys.modules; assert mpl.rcParams.copy() == before"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def lines_of(figure, **style):
    return [line for line in figure.axes[0].lines if all(getattr(line, f"get_{k}")() == v for k, v in style.items())]


def test_the_time_to_proficiency_stands_at_its_week_with_its_interval():
    figure = ramp_curve(ramp_of(RISING))
    (diamond,) = lines_of(figure, marker="D")
    assert list(diamond.get_xdata()) == [16]
    (span,) = [line for line in lines_of(figure, color=INK) if len(line.get_xdata()) == 2]
    assert list(span.get_xdata()) == [12, 24]
    assert not lines_of(figure, marker=">")


def test_a_time_that_may_be_later_than_was_seen_ends_in_an_arrow():
    (arrow,) = lines_of(ramp_curve(ramp_of(RISING, high=INF)), marker=">")
    assert arrow.get_xdata()[0] == ramp_curve(ramp_of(RISING)).axes[0].get_xlim()[1]


@pytest.mark.parametrize("proficient", [None, INF])
def test_without_a_time_to_proficiency_none_is_drawn(proficient):
    figure = ramp_curve(ramp_of(RISING, proficient=proficient, low=NAN, high=NAN))
    assert not lines_of(figure, marker="D") and "week" not in [t.get_text()[:4] for t in figure.axes[0].texts]


@pytest.mark.parametrize(("proficient", "lines"), [(None, 0), (INF, 1), (16.0, 1)])
def test_the_smoothed_curve_is_drawn_only_where_a_time_is_told_from_it(proficient, lines):
    figure = ramp_curve(ramp_of(RISING, proficient=proficient))
    assert len([line for line in lines_of(figure, color=ACCENT) if line.is_dashed()]) == lines
    assert ("dotted: smoothed" in " ".join(words_in(as_svg(figure, "x")))) == bool(lines)


def test_trainings_and_ride_alongs_stand_under_the_axis_in_rows_of_their_own():
    figure = ramp_curve(ramp_of(RISING, marks=MARKS))
    (trainings,), (alongs,) = lines_of(figure, marker="|"), lines_of(figure, marker="^")
    assert list(trainings.get_xdata()) == [0, 12] and list(alongs.get_xdata()) == [0, 44]
    floor = figure.axes[0].get_window_extent().y0
    heights = [line.get_transform().transform((0, 0))[1] for line in (trainings, alongs)]
    assert heights[1] < heights[0] < floor
    weeks = [box.y1 for text, box in texts_of(figure) if text.get_text() == "0\n12"]
    assert len(weeks) == 1 and weeks[0] < heights[1] - 2, "signs stand above the numbers, not on them"


def test_the_number_of_newcomers_stands_under_each_week():
    result = ramp_of(RISING)
    result.curve["reps"] = np.arange(20, 7, -1)
    labels = [label.get_text() for label in ramp_curve(result).axes[0].get_xticklabels()]
    assert labels[0] == "0\n20" and labels[-1] == "48\n8"


def test_the_band_of_the_longer_serving_and_the_interval_are_drawn_where_they_lie():
    ax = ramp_curve(ramp_of(RISING)).axes[0]
    assert ax.patches[0].get_extents().transformed(ax.transData.inverted()).intervaly == pytest.approx([0.77, 0.87])
    vertices = ax.collections[0].get_paths()[0].vertices
    assert vertices[:, 1].min() == pytest.approx(0.62 - 0.06) and vertices[:, 1].max() == pytest.approx(0.84 + 0.06)


def test_months_outside_the_limits_are_ringed_and_filled_beyond_the_wider_ones():
    figure = history_line(history_of(COURSE, outside=[(4, "95"), (11, "99.8"), (12, "99.8")]))
    rings = [line for line in lines_of(figure, marker="o") if line.get_markersize() == 8]
    assert [line.get_markerfacecolor() for line in rings] == ["none", INK]
    assert list(rings[0].get_ydata()) == [COURSE[4]] and list(rings[1].get_ydata()) == list(COURSE[11:13])


def test_the_year_before_is_a_thin_line_over_the_last_twelve_months():
    figure = history_line(history_of(COURSE))
    (line,) = [each for each in lines_of(figure, color=QUIET) if each.get_linewidth() == 1]
    assert line.get_ydata() == pytest.approx(COURSE[12:24]) and len(line.get_xdata()) == 12
    (own,) = [each for each in lines_of(figure, color=ACCENT) if len(each.get_xdata()) == 36]
    assert own.get_ydata() == pytest.approx(COURSE)


def test_the_target_is_a_dashed_line_where_it_is_set_and_none_elsewhere():
    dashed = [line for line in lines_of(history_line(history_of(COURSE, target=0.85)), color=QUIET) if line.is_dashed()]
    assert [set(line.get_ydata()) for line in dashed] == [{0.85}]
    assert not [line for line in lines_of(history_line(history_of(COURSE)), color=QUIET) if line.is_dashed()]


def test_a_month_between_gaps_is_still_seen():
    figure = history_line(history_of([0.8, NAN, 0.7, NAN, 0.75, 0.76]))
    dots = lines_of(figure, marker="o", color=ACCENT)
    assert list(dots[0].get_ydata()) == [0.8, 0.7, 0.76]  # the two lone ones and the last
