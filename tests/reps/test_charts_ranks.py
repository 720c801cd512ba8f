"""Charts of people beside each other: all with an interval, in no order that chance made, and nothing lost unsaid."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from test_charts_kit import MISSING, NAN, assert_texts_lie_inside_and_apart, strangely, words_in

from cs_helpers.report.charts.ink import ACCENT, GAIN, INKS, LOSS, TOTAL
from cs_helpers.report.charts.picture import as_svg
from cs_helpers.reps import charts
from cs_helpers.reps.views.measures import funnel_words, moves_words, ranks_words

both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])
HOURS = {"number": lambda hours: f"{hours:.1f} hours"}


def hours(value):
    return f"{value:.1f} hours"


def people(many=12, told=(), centre=0.8, step=0.01):
    """As many people, evenly spread around the centre; ``told`` gives the sides of the first few."""
    away = step * (np.arange(many) - (many - 1) / 2)
    names = [f"Rep {chr(65 + k % 26)}{k // 26 or ''}" for k in range(many)]
    sides = [*told, *[""] * (many - len(told))]
    rows = pd.DataFrame({"label": names, "n": 50 + np.arange(many), "adjusted": centre + away, "verdict": sides})
    rows = rows.assign(low=rows["adjusted"] - 0.05, high=rows["adjusted"] + 0.05, shrunk=centre + away / 3)
    place = np.arange(many) + 1.0
    rows = rows.assign(
        rank_low=np.maximum(1, place - many // 3), rank_high=np.minimum(many, place + many // 3), p_top=1 / place
    )
    return charts.Ranks(rows, centre, unit="CSAT, cases alike", of=many)


def changed(result, **columns):
    return replace(result, rows=result.rows.assign(**columns))


def strange(result):
    return replace(result, rows=strangely(result.rows, "label"))


SIDES = ("better", "worse", "higher")
CASES = {
    "twelve": (charts.rank_intervals, people(12, SIDES), {}),
    "twelve in hours": (charts.rank_intervals, people(12, SIDES, centre=30.0, step=0.9), HOURS),
    "nobody": (charts.rank_intervals, people(0), {}),
    "one": (charts.rank_intervals, people(1), {}),
    "two": (charts.rank_intervals, people(2, ("lower",)), {}),
    "nobody with a figure": (charts.rank_intervals, changed(people(4), adjusted=NAN), {}),
    "some without a figure": (charts.rank_intervals, changed(people(4), adjusted=[NAN, 0.8, np.inf, 0.7]), {}),
    "without shrinking": (charts.rank_intervals, changed(people(4), shrunk=NAN, low=NAN), {}),
    "without a centre": (charts.rank_intervals, replace(people(4), centre=NAN), {}),
    "all alike": (charts.rank_intervals, changed(people(6), adjusted=0.8, low=0.8, high=0.8, shrunk=0.8), {}),
    "three hundred": (charts.rank_intervals, people(300, SIDES, step=0.0005), {}),
    "all of three hundred told apart": (charts.rank_intervals, people(300, ["better"] * 300, step=0.0005), {}),
    "three hundred alike": (charts.rank_intervals, people(300, step=0.0005), {}),
    "strange": (charts.rank_intervals, strange(people(10, SIDES)), {}),
    "in order": (charts.rank_intervals, people(12, SIDES), {"ordered": True}),
    "places": (charts.rank_bars, people(12), {}),
    "places of nobody": (charts.rank_bars, people(0), {}),
    "place of one": (charts.rank_bars, people(1), {}),
    "places of three hundred": (charts.rank_bars, people(300), {}),
    "places unknown": (charts.rank_bars, changed(people(5), rank_low=NAN), {}),
    "some places unknown": (charts.rank_bars, changed(people(3), rank_high=[NAN, 2.0, 3.0], p_top=NAN), {}),
    "strange places": (charts.rank_bars, strange(people(10)), {}),
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


pictures = pytest.mark.parametrize(
    ("name", "narrow"), [(n, k) for n in CASES for k in (False, True)], ids=lambda x: x if isinstance(x, str) else None
)


@pictures
def test_every_text_lies_inside_the_picture_and_apart_from_the_others(name, narrow):
    assert_texts_lie_inside_and_apart(drawn(name, narrow)[0], narrow)


@pictures
def test_a_picture_is_well_formed_inert_and_its_inks_follow_the_theme(name, narrow):
    svg = drawn(name, narrow)[1]
    assert ElementTree.fromstring(svg).tag == "svg"
    assert "<script" not in svg and not set(svg) & {"\u202e", "\x00", "\ufffe"}
    assert not re.search(r'[ ="](nan|-?inf)[ "]', svg, re.I)
    assert [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)] == []


def marks(figure):
    """Where the filled marks stand: marker, ink, x, y."""
    return [
        (line.get_marker(), line.get_color(), x, y)
        for line in figure.axes[0].lines
        if line.get_marker() not in ("", "None", None) and line.get_markerfacecolor() != "none"
        for x, y in line.get_xydata()
    ]


@both
def test_those_told_apart_differ_by_shape_and_by_colour(narrow):
    by_height = {round(y): (mark, ink) for mark, ink, _, y in marks(drawn("twelve", narrow)[0])}
    # Told apart are the first three; farthest from the centre first, as they were made.
    assert [by_height[k] for k in range(4)] == [("^", GAIN), ("v", LOSS), ("D", ACCENT), ("o", TOTAL)]
    words = " ".join(words_in(drawn("twelve", narrow)[1]))
    assert "▲" in words and "▼" in words and "◆" in words


@both
def test_whoever_is_not_told_apart_stands_by_name_and_not_by_size(narrow):
    result = people(6)
    result.rows["label"] = ["Zoe", "adam", "Mia", "Bob", "Eve", "Ida"]
    words = words_in(as_svg(charts.rank_intervals(result, narrow=narrow), "x"))
    assert [text for text in words if text in set(result.rows["label"])] == ["adam", "Bob", "Eve", "Ida", "Mia", "Zoe"]
    asked = words_in(as_svg(charts.rank_intervals(result, narrow=narrow, ordered=True), "x"))
    assert [text for text in asked if text in set(result.rows["label"])] == list(result.rows["label"])


@both
def test_each_row_has_its_interval_its_adjusted_ring_and_its_shrunk_mark(narrow):
    result = people(5)
    ax = charts.rank_intervals(result, narrow=narrow).axes[0]
    spans = [tuple(segment[:, 0]) for lines in ax.collections for segment in lines.get_segments()]
    assert spans == [pytest.approx(pair) for pair in result.rows[["low", "high"]].itertuples(index=False, name=None)]
    rings = [line for line in ax.lines if line.get_markerfacecolor() == "none" and line.get_marker() == "o"]
    assert list(rings[0].get_xdata()) == pytest.approx(list(result.rows["adjusted"]))
    assert sorted(x for _, _, x, _ in marks(ax.figure)) == pytest.approx(sorted(result.rows["shrunk"]))
    assert any(list(line.get_xdata()) == [0.8, 0.8] for line in ax.lines), "the centre is a line"
    assert "all 80.0\u202f%" in words_in(as_svg(charts.rank_intervals(result, narrow=narrow), "x"))


@both
def test_of_three_hundred_all_told_apart_are_drawn_and_the_outermost_of_the_others(narrow):
    words = words_in(drawn("three hundred", narrow)[1])
    names = [text for text in words if text.startswith("Rep ")]
    assert len(names) == 30
    labels = list(people(300).rows["label"])
    assert set(names) == {*labels[:3], *labels[3:16], *labels[-14:]}
    assert "and 270 more, none told apart" in " · ".join(words)


@both
def test_what_is_told_apart_and_not_drawn_is_counted_too(narrow):
    words = " · ".join(words_in(drawn("all of three hundred told apart", narrow)[1]))
    assert "276 more told apart, not drawn" in words
    assert "none told apart" not in words


@both
def test_a_row_without_a_figure_is_not_drawn(narrow):
    words = words_in(drawn("some without a figure", narrow)[1])
    assert [text for text in words if text.startswith("Rep")] == ["Rep B", "Rep D"]


@both
def test_values_are_written_as_the_caller_says(narrow):
    words = words_in(drawn("twelve in hours", narrow)[1])
    assert "all 30.0 hours" in words and not any("%" in text for text in words if "interval" not in text)


@both
def test_a_bar_of_places_reaches_from_the_lowest_to_the_highest_place_and_says_the_chance(narrow):
    result = people(12)
    figure, svg = drawn("places", narrow)
    bars = [(bar.get_x() + 0.4, bar.get_x() + bar.get_width() - 0.4) for bar in figure.axes[0].patches]
    expected = result.rows[["rank_low", "rank_high"]].itertuples(index=False, name=None)
    assert bars == [pytest.approx(pair) for pair in expected]
    words = words_in(svg)
    assert {"100\u202f%", "50\u202f%", "33\u202f%"} <= set(words) and "chance of the better quarter" in words
    assert [text for text in words if text.startswith("Rep")] == list(result.rows["label"])


@both
def test_of_three_hundred_places_the_ends_are_drawn_and_the_middle_is_counted(narrow):
    words = words_in(drawn("places of three hundred", narrow)[1])
    labels = list(people(300).rows["label"])
    assert [text for text in words if text.startswith("Rep")] == [*labels[:15], *labels[-15:]]
    assert "270 between them not drawn" in " · ".join(words)


def test_the_words_of_intervals_name_who_is_told_apart_and_bound_the_others():
    result = people(4, ("better",), step=0.1)  # at 65, 75, 85 and 95 %
    said = ranks_words(result).replace("\u202f", " ")
    assert said == (
        "CSAT, cases alike, with 95 % intervals; all 80.0 %. Told apart: Rep A 65.0 % (60.0 % to 70.0 %). "
        "The other 3, not told apart, lie between 75.0 % and 95.0 %."
    )
    assert "Nobody is told apart." in ranks_words(people(4))
    assert ranks_words(people(0)) == "Nobody to compare."
    assert "and 288 more" in ranks_words(people(300, ["better"] * 300))


@pytest.mark.parametrize("name", [name for name in CASES if "place" not in name])
def test_every_case_has_words_that_are_inert_and_hold_no_nan(name):
    said = ranks_words(CASES[name][1], hours)
    assert said and "\u202e" not in said and "\x00" not in said and len(said) < 6_000
    assert name in ("without shrinking", "without a centre", "some without a figure") or not re.search(MISSING, said)


# --- other charts of the same comparisons, in another unit than percent


def test_a_funnel_writes_its_axis_its_centre_and_its_words_as_the_caller_says():
    n = np.array([50, 100, 200])
    points = pd.DataFrame({"label": list("abc"), "n": n, "rate": [30.0, 44.0, 31.0], "outside": ["", "99.8", ""]})
    grid = np.arange(20, 220, 20)
    limits = pd.DataFrame({"n": grid} | {
        f"{end}_{level}": 32 + sign * z * 20 / np.sqrt(grid)
        for end, sign in (("low", -1), ("high", 1)) for level, z in (("95", 1.96), ("998", 3.09))
    })  # fmt: skip
    result = charts.Funnel(points, limits, 32.0, unit="time to resolve", cases="tickets", who="reps")
    figure = charts.funnel_plot(result, number=hours)
    words = words_in(as_svg(figure, "x"))
    assert "all 32.0 hours" in words
    assert any(re.fullmatch(r"\d+\.0 hours", text) for text in words), "ticks"
    assert figure.axes[0].get_ylim()[1] > 44.0, "not cut at one hundred percent"
    said = funnel_words(result, hours)
    assert "around 32.0 hours" in said and "b 44.0 hours of 100, above" in said


def test_slopes_in_another_unit_say_how_far_each_moved_in_words():
    rows = pd.DataFrame({
        "label": ["a", "b", "c"], "raw": [40.0, 30.0, 20.0], "adjusted": [30.0, 30.5, 20.1],
        "mover": [True, False, False], "moved": ["−25 %", "+2 %", "+1 %"],
    })  # fmt: skip
    words = words_in(as_svg(charts.slope(rows, number=hours), "x"))
    assert "a −25 %" in words and "beside the names: by how much it moved" in words
    assert any(re.fullmatch(r"\d+\.0 hours", text) for text in words)
    assert moves_words(rows, hours).endswith(
        "a from 40.0 hours to 30.0 hours (−25 %). All others moved by 2 % at most."
    )
