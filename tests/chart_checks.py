"""What every chart of the project must keep to, checked on the charts of a subject: a class of tests to derive from."""

import re
import subprocess
import sys
from itertools import combinations
from typing import ClassVar

import matplotlib as mpl
from matplotlib.text import Text

from cs_helpers.report.charts.ink import INKS, NARROW, WIDE
from cs_helpers.report.charts.picture import as_svg

HOSTILE = "$x_1^2$ <script>alert('&')</script> \u202egnol\u0000 " + "Grundstücksverkehrsgenehmigung " * 9
NAN = float("nan")


def money(amount):
    return f"€{amount / 1000:,.0f}k" if amount >= 1000 else f"€{amount:,.0f}"


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


def words_in(svg):
    return re.findall(r"<(?:text|tspan)[^>]*>([^<]+)</", svg)


class ChartChecks:
    """Derive a test class from it and give it cases.

    ``normal``: name to draw, result, options, texts that must be readable in the picture. ``extreme``: the same without
    texts, input at the limits. ``hostile``: input whose every name is ``HOSTILE``.
    """

    normal: ClassVar[dict] = {}
    extreme: ClassVar[dict] = {}
    hostile: ClassVar[dict] = {}
    _drawn: ClassVar[dict] = {}

    def pytest_generate_tests(self, metafunc):
        """Normal and hostile input for both widths, the extremes for one each in turn: drawing takes the time."""
        both = {"named": self.normal, "strange": self.hostile}
        for argument, cases in both.items():
            if argument in metafunc.fixturenames:
                pairs = [(name, narrow) for name in cases for narrow in (False, True)]
                metafunc.parametrize((argument, "narrow"), pairs, ids=map(_id, pairs))
        if "picture" in metafunc.fixturenames:
            pairs = [(name, narrow) for name in (*self.normal, *self._strange()) for narrow in (False, True)]
            pairs += [(name, place % 2 == 0) for place, name in enumerate(self.extreme)]
            metafunc.parametrize(("picture", "narrow"), pairs, ids=map(_id, pairs))

    def _strange(self):
        return {f"hostile {name}": case for name, case in self.hostile.items()}

    def drawn(self, name, narrow):
        """A case's figure, its texts and its SVG, drawn once for all tests that look at it."""
        key = (type(self), name, narrow)
        if key not in self._drawn:
            draw, result, options, *_ = {**self.normal, **self.extreme, **self._strange()}[name]
            figure = draw(result, narrow=narrow, **options)
            figure.set_dpi(72)  # that of the SVG, so that places and sizes belong together
            svg = as_svg(figure, "x")
            self._drawn[key] = (figure, texts_of(figure), svg)
        return self._drawn[key]

    def test_a_chart_writes_what_its_input_carries(self, named, narrow):
        running = " ".join(words_in(self.drawn(named, narrow)[2]))
        assert [text for text in self.normal[named][3] if text not in running] == []

    def test_no_text_leaves_the_picture_is_too_small_to_read_or_no_number(self, picture, narrow):
        figure, found, _ = self.drawn(picture, narrow)
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
        room = min(box.width * figure.get_figwidth() for box in axes)
        assert room > (0.55 if narrow else 1.0), "no room left to draw"

    def test_texts_do_not_overlap(self, picture, narrow):
        for (one, a), (other, b) in combinations(self.drawn(picture, narrow)[1], 2):
            width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert width < 1 or height < 2, (one.get_text(), other.get_text())

    def test_hostile_labels_stay_short_inert_text(self, strange, narrow):
        svg = self.drawn(f"hostile {strange}", narrow)[2]
        assert "<script" not in svg and "\u202e" not in svg and "\x00" not in svg
        assert "$x" in svg, "a dollar sign is text, not the start of a formula"
        assert "Grundstücksverkehrsgenehmigung G" not in svg

    def test_a_picture_has_only_finite_places_and_inks_that_follow_the_theme(self, picture, narrow):
        svg = self.drawn(picture, narrow)[2]
        assert not re.search(r'[ ="](nan|-?inf)[ "]', svg, re.I)
        assert [ink for ink in INKS if re.search(rf"(?<!, ){ink}", svg)] == []
        assert set(re.findall(r"#[0-9a-f]{6}", svg)) <= set(INKS)

    def test_equal_input_gives_an_equal_picture_whatever_a_user_set_for_their_own_charts(self, named, narrow):
        draw, result, options, _ = self.normal[named]
        ours = as_svg(draw(result, narrow=narrow, **options), "x")
        own = {"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9, "axes.grid": True}
        with mpl.rc_context({**own, "svg.fonttype": "path"}):
            assert as_svg(draw(result, narrow=narrow, **options), "x") == ours

    def test_drawing_needs_no_pyplot_and_changes_no_global_state(self):
        module = sys.modules[type(self).__module__]
        code = (
            f"import sys; sys.path[:0] = {sys.path!r}\n"
            "import matplotlib as mpl; before = mpl.rcParams.copy()\n"
            "import importlib.util as util\n"
            f"spec = util.spec_from_file_location('cases', {module.__file__!r})\n"
            "module = util.module_from_spec(spec); spec.loader.exec_module(module)\n"
            f"for draw, result, options, _ in module.{type(self).__name__}.normal.values():\n"
            "    draw(result, narrow=True, **options)\n"
            "assert 'matplotlib.pyplot' not in sys.modules; assert mpl.rcParams.copy() == before"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def _id(pair):
    return f"{pair[0]} on a {'phone' if pair[1] else 'desk'}"
