"""Labels of charts: how shares are written, how labels are cut and moved apart, and when a picture becomes a raster."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from cs_helpers.report.charts.labels import share, shorten, spread
from cs_helpers.report.charts.picture import as_picture, as_svg

NAN = float("nan")


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
