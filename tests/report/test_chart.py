"""A chart is an ordinary Figure that shows itself in any notebook."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import nbformat
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient

from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import new_figure, styled

HOSTILE = '</text></svg><script>alert("x")</script> $x^2$ url(#chart-1)'
NOTEBOOK = (
    "import cs_helpers as cs\nfrom cs_helpers.report.charts.ink import new_figure\n"
    "chart, ax = new_figure(2, narrow=False)\nax.plot([1, 2], [3, 4])\nchart",
    "chart",
    "from matplotlib.figure import Figure\nown = Figure()\nown.subplots()\nown",
    "import os, sys\nchart.savefig('chart.png')\n"
    "os.path.getsize('chart.png') > 1000, 'matplotlib.pyplot' in sys.modules",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the cells of a plain notebook show, run in a folder outside of the project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in NOTEBOOK])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs[-1].data for cell in notebook.cells]


def ids(html):
    return re.findall(r'\bid="([^"]+)"', html)


def figure(title="Title"):
    with styled():
        chart, ax = new_figure(2, narrow=False)
        ax.plot([1, 2], [3, 4])
        ax.set_title(title)
    return chart


def test_a_chart_as_the_last_line_of_a_cell_shows_an_svg_in_a_plain_notebook(outputs):
    (svg,) = ElementTree.fromstring(outputs[0]["text/html"])
    assert svg.tag == "svg" and list(svg.iter("path"))


def test_no_two_pictures_of_a_notebook_share_an_id_although_a_chart_is_shown_twice(outputs):
    first, second = (ids(each["text/html"]) for each in outputs[:2])
    assert first and second and not set(first) & set(second)


def test_a_figure_of_the_users_own_shows_as_ever_and_pyplot_is_not_loaded(outputs):
    assert list(outputs[2]) == ["text/plain"]
    assert outputs[3]["text/plain"] == "(True, False)"


def test_every_reference_in_a_picture_has_its_id():
    html = figure()._repr_html_()
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', html)) == set(ids(html))


def test_charts_are_ordinary_figures(tmp_path):
    chart = figure()
    assert isinstance(chart, Chart) and isinstance(chart, Figure)
    chart.savefig(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_change_of_the_chart_shows():
    chart = figure()
    chart.axes[0].set_title("A new title")
    assert ">A new title</text>" in chart._repr_html_()


def test_showing_a_chart_leaves_its_size_and_the_settings_of_the_session():
    chart, before = figure(), mpl.rcParams.copy()
    size, dots = tuple(chart.get_size_inches()), chart.dpi
    chart._repr_html_()
    assert (tuple(chart.get_size_inches()), chart.dpi, mpl.rcParams.copy()) == (size, dots, before)


def test_hostile_text_stays_text():
    html = figure(HOSTILE)._repr_html_()
    root = ElementTree.fromstring(html)
    assert [element.text for element in root.iter("text") if element.text.startswith("</text>")] == [HOSTILE]
    assert {element.tag for element in root.iter()} <= {
        "div",
        "svg",
        "g",
        "defs",
        "path",
        "use",
        "clipPath",
        "rect",
        "text",
    }


def test_outside_of_a_report_a_chart_stands_on_a_background_of_its_own_as_wide_as_it_was_drawn():
    style = ElementTree.fromstring(figure()._repr_html_()).get("style")
    assert "background:var(--paper,#ffffff)" in style and "max-width:605px" in style
