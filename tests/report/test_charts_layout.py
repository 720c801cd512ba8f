"""Room for the words of a chart, and what its axes and its style leave out."""

import matplotlib as mpl
import pytest

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import STYLE, new_figure, styled
from cs_helpers.report.charts.layout import PAD
from cs_helpers.report.charts.measure import in_points


def laid_out(figure):
    figure.get_layout_engine().execute(figure)
    return figure.axes


def test_a_text_at_the_right_edge_ends_a_pad_before_the_picture():
    figure, ax = new_figure(3, narrow=False)
    ax.set_xticks([])
    ax.set_yticks([])
    text = ax.annotate("far out at the right", (1, 0.5), (7, 0), xycoords="axes fraction", textcoords="offset points")
    laid_out(figure)
    with in_points(figure) as renderer:
        assert text.get_window_extent(renderer).x1 == pytest.approx(8.4 * 72 - PAD, abs=0.01)
        assert ax.bbox.x0 == pytest.approx(PAD, abs=0.01)


def test_words_under_a_chart_and_a_label_of_an_axis_stand_below_each_other():
    figure, ax = new_figure(3, narrow=True)
    label, under = ax.set_xlabel("months"), figure.supxlabel("how to read it\nin two lines", size=10)
    laid_out(figure)
    with in_points(figure) as renderer:
        figure.draw(renderer)
        low, high = under.get_window_extent(renderer), label.get_window_extent(renderer)
        assert low.y0 == pytest.approx(PAD, abs=0.5)
        assert high.y0 >= low.y1 and ax.bbox.y0 > high.y1
        assert ax.bbox.y1 <= 3 * 72 - PAD


def test_panels_of_a_grid_are_equally_large_whatever_their_labels():
    with styled():
        figure = Chart(figsize=(8, 5))
        grid = figure.subplots(2, 3)
    grid[0, 1].set_yticks([0, 1], ["nought", "a label that is rather long"])
    grid[1, 2].set_title("a title", loc="left")
    boxes = [ax.bbox for ax in laid_out(figure)]
    assert len({round(box.width, 6) for box in boxes}) == len({round(box.height, 6) for box in boxes}) == 1
    assert boxes[0].x1 < boxes[1].x0 < boxes[2].x0 and boxes[3].y1 < boxes[0].y0
    assert boxes[3].x0 == boxes[0].x0


def test_texts_too_long_for_any_axes_leave_them_a_little_and_raise_nothing():
    figure, ax = new_figure(2, narrow=True)
    ax.set_yticks([0.5], ["x" * 500])
    laid_out(figure)
    assert ax.get_position().width > 0


def test_the_style_holds_inside_and_the_sessions_own_afterwards():
    with mpl.rc_context({"font.size": 30, "grid.color": "red"}):
        with styled():
            assert {key: mpl.rcParams[key] for key in ("font.size", "grid.color")} == {
                key: STYLE[key] for key in ("font.size", "grid.color")
            }
        assert (mpl.rcParams["font.size"], mpl.rcParams["grid.color"]) == (30, "red")
