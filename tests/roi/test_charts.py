"""The charts of what customer success is worth: what they say, what fits on them, and that no input breaks them."""

import re
from functools import cache
from itertools import combinations
from types import SimpleNamespace as Stand

import gallery
import numpy as np
import pandas as pd
import pytest
from chart_checks import HOSTILE, money, texts_of, words_in

from cs_helpers.report.charts.ink import GAIN, INKS, LOSS, NARROW, TOTAL, WIDE
from cs_helpers.report.charts.picture import as_svg
from cs_helpers.roi import charts

NAN = float("nan")


def percent(value):
    return f"{value * 100:.0f}\u202f%".replace("-", "−")


def curve_of(**columns):
    return Stand(
        curve=pd.DataFrame(columns, columns=["horizon", "points", "net"]),
        table=pd.DataFrame({"horizon": sorted(set(columns["horizon"])), "points": NAN}),
    )


def futures_of(natural, vanished, width=0.0, **more):
    natural, vanished = np.array(natural, float), np.array(vanished, float)
    columns = {"t": np.arange(len(natural)), "kaplan_meier": natural}
    for name, line in (("natural", natural), ("vanished", vanished)):
        columns |= {name: line, f"{name}_low": line - width, f"{name}_high": line + width}
    return pd.DataFrame({**columns, **more})


def bins_of(edges, shares):
    return pd.DataFrame({"left": edges[:-1], "right": edges[1:], "share": shares})


def worth_of(rows):
    return pd.DataFrame(rows, columns=["points", "horizon", "value"])


RANGE = {"number": percent, "middle": 0.6, "low": -1.1, "high": 2.3, "unit": "return on cost over 24 months"}
NORMAL = {
    "break-even": (
        charts.break_even_curve,
        gallery.break_even(),
        {"money": money},
        ["36 months", "pays from 6.5", "pays from 15.0", "net value", "pays for itself", "€0"],
    ),
    "futures": (
        charts.futures,
        gallery.two_futures(),
        {"gap": "8.1 points apart after 24 months"},
        ["as it was", "without", "75\u202f%", "67\u202f%", "Kaplan-Meier", "8.1 points apart", "begin at 0"],
    ),
    "distribution": (
        charts.roi_distribution,
        gallery.outcomes(),
        RANGE,
        ["median 60\u202f%", "−110\u202f%", "230\u202f%", "return on cost", "break-even"],
    ),
    "worth of a point": (
        charts.worth_of_a_point,
        gallery.points_worth(),
        {"money": money},
        ["+1", "+5", "36 months", "€640k", "gross margin"],
    ),
}

LONG = "Grundstücksverkehrsgenehmigungszuständigkeit " * 4
EXTREME = {
    "no curve": (charts.break_even_curve, curve_of(horizon=[], points=[], net=[]), {}),
    "a curve of one place": (charts.break_even_curve, curve_of(horizon=[12], points=[1.0], net=[1.0]), {}),
    "curves without values": (charts.break_even_curve, curve_of(horizon=[12, 12], points=[NAN, NAN], net=NAN), {}),
    "curves that never pay": (
        charts.break_even_curve,
        curve_of(horizon=[12, 12, 24, 24], points=[0, 5, 0, 9], net=[-2e9, -1e9, -4e9, -2e9]),
        {"money": money},
    ),
    "a curve that costs nothing": (
        charts.break_even_curve,
        Stand(
            curve=pd.DataFrame({"horizon": [12, 12], "points": [0.0, 5.0], "net": [0.0, 9.0]}),
            table=pd.DataFrame({"horizon": [12], "points": [0.0]}),
        ),
        {"money": money},
    ),
    "equal curves": (
        charts.break_even_curve,
        curve_of(horizon=[12, 12, 24, 24, 36, 36], points=[0, 5] * 3, net=[-10, 10] * 3),
        {"money": money},
    ),
    "no futures": (charts.futures, futures_of([], []), {}),
    "futures without values": (charts.futures, futures_of([NAN, NAN], [NAN, NAN]), {}),
    "one month": (charts.futures, futures_of([1.0, 0.99], [1.0, 0.98], 0.001), {}),
    "equal futures": (charts.futures, futures_of([1.0, 0.9, 0.8], [1.0, 0.9, 0.8]), {"gap": "0.0 points apart"}),
    "futures that end": (charts.futures, futures_of(np.linspace(1, 0, 37), np.linspace(1, 0, 37) ** 2, 0.1), {}),
    "futures without dots": (charts.futures, futures_of([1, 0.9, 0.8], [1, 0.8, 0.7], kaplan_meier=NAN), {"gap": LONG}),
    "no draws": (charts.roi_distribution, bins_of(np.array([0.0]), []), RANGE),
    "draws of nothing": (charts.roi_distribution, bins_of(np.array([0.0, 1.0]), [0.0]), RANGE),
    "one outcome": (
        charts.roi_distribution,
        bins_of(np.array([1e9, 1e9 + 1]), [1.0]),
        {"number": money, "middle": 1e9},
    ),
    "all lost": (charts.roi_distribution, bins_of(np.linspace(-9, -1, 21), [0.05] * 20), {**RANGE, "middle": -9.0}),
    "a loud unit": (charts.roi_distribution, gallery.outcomes(), {**RANGE, "unit": HOSTILE}),
    "no worth": (charts.worth_of_a_point, worth_of([]), {}),
    "worth of nothing": (charts.worth_of_a_point, worth_of([(1, 12, 0.0), (2, 12, 0.0)]), {"money": money}),
    "worth not given": (charts.worth_of_a_point, worth_of([(1, 12, NAN)]), {"money": money}),
    "one point": (charts.worth_of_a_point, worth_of([(1, 24, 1e9)]), {"money": money}),
}
EVERY = {**{name: case[:3] for name, case in NORMAL.items()}, **EXTREME}
both = pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])
every = pytest.mark.parametrize("name", EVERY)


@cache
def drawn(name, narrow):
    draw, result, options = EVERY[name]
    figure = draw(result, narrow=narrow, **options)
    figure.set_dpi(72)
    svg = as_svg(figure, "x")
    return figure, texts_of(figure), svg


@both
@pytest.mark.parametrize("name", NORMAL)
def test_a_chart_writes_what_its_input_carries(name, narrow):
    running = " ".join(words_in(drawn(name, narrow)[2]))
    assert [text for text in NORMAL[name][3] if text not in running] == []


@both
@every
def test_words_fit_keep_apart_and_can_be_read(name, narrow):
    figure, found, _ = drawn(name, narrow)
    assert figure.get_figwidth() == (NARROW if narrow else WIDE)
    edge = figure.bbox
    assert found, "an empty axis says nothing"
    for text, box in found:
        assert text.get_fontsize() >= 9.5 and not text.get_parse_math(), text.get_text()
        assert edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1, text.get_text()
        assert edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1, text.get_text()
        assert not re.search(r"\b(nan|inf|None)\b", text.get_text(), re.I), text.get_text()
    for (one, a), (other, b) in combinations(found, 2):
        width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width < 1 or height < 2, (one.get_text(), other.get_text())


@both
@every
def test_a_picture_has_only_finite_places_and_inks_that_follow_the_theme(name, narrow):
    svg = drawn(name, narrow)[2]
    assert not re.search(r'[ ="](nan|-?inf)[ "]', svg, re.I)
    assert [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)] == []
    assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= set(INKS)
    assert "<script" not in svg and "\u202e" not in svg


def test_equal_input_gives_an_equal_picture():
    for draw, result, options, _ in NORMAL.values():
        assert as_svg(draw(result, narrow=True, **options), "x") == as_svg(draw(result, narrow=True, **options), "x")


def test_each_horizon_crosses_zero_where_the_table_says_and_one_that_does_not_says_so():
    result = gallery.break_even()
    result.table.loc[result.table["horizon"] == 12, "points"] = NAN
    ax = charts.break_even_curve(result).axes[0]
    dots = [dot.get_xdata()[0] for dot in ax.lines if dot.get_marker() == "o"]
    assert [at for at in dots if at == at] == pytest.approx([1_300 / 160, 1_700 / 260])
    texts = [text.get_text() for text in ax.texts]
    assert "12 months\ndoes not pay" in texts and "24 months\npays from 8.1" in texts


def test_the_axis_of_break_even_ends_soon_after_the_last_crossing():
    ax = charts.break_even_curve(gallery.break_even()).axes[0]
    assert 2 * 15 <= ax.get_xlim()[1] <= 2.4 * 15  # the crossing of twelve months: 900 / 60 = 15 points


def test_horizons_differ_in_ink_and_in_dash():
    for draw, result in (
        (charts.break_even_curve, gallery.break_even()),
        (charts.worth_of_a_point, gallery.points_worth()),
    ):
        lines = [
            line for line in draw(result).axes[0].lines if line.get_linestyle() != "None" and len(line.get_xdata()) > 2
        ]
        assert len({line.get_color() for line in lines}) == 3
        assert len({str(line._unscaled_dash_pattern) for line in lines}) == 3


def test_bars_of_a_loss_and_of_a_gain_differ_and_the_one_across_zero_is_neither():
    ax = charts.roi_distribution(bins_of(np.array([-2.0, -1, 0.5, 2]), [0.2, 0.3, 0.5])).axes[0]
    inks = [bar.get_facecolor()[:3] for bar in ax.patches]
    assert inks == [
        pytest.approx(tuple(int(ink[k : k + 2], 16) / 255 for k in (1, 3, 5))) for ink in (LOSS, TOTAL, GAIN)
    ]


def test_an_association_is_drawn_as_no_effect():
    rows = gallery.evidence().assign(status=["refused", "shown", "shown", "tied", "refuted"])
    figure = charts.evidence_intervals(rows)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "none" for dot in dots] == [False, False, True, True]
    assert [dot.get_color() for dot in dots][2:] == [TOTAL, TOTAL]
    assert "an association, no effect" in figure._supxlabel.get_text()
    assert "an association" not in charts.evidence_intervals(gallery.evidence())._supxlabel.get_text()


def test_both_futures_have_a_band_and_only_what_was_seen_is_a_dot():
    ax = charts.futures(gallery.two_futures()).axes[0]
    assert len(ax.collections) == 2
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert 6 <= len(dots.get_xdata()) <= 13
    ax = charts.futures(futures_of([1, 0.9, 0.8], [1, 0.8, 0.7], kaplan_meier=NAN)).axes[0]
    assert "Kaplan-Meier" not in " ".join(text.get_text() for text in ax.get_figure().texts)
