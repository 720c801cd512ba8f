"""A notebook's parameters are found in its own session, by hand as in a run."""

import json
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from small_notebooks import notebook

from cs_helpers.publish.run import run
from cs_helpers.report.parameters import assigned_names, notebook_parameters

SHOW = "from cs_helpers.report.parameters import notebook_parameters\nfound = notebook_parameters()"
DECLARED = 'source = "data"  # where the data is\nmonths: int = 12  # length\nmargin = -0.5\nby = None\nfull = True\n'


@pytest.fixture
def shell():
    """A session of its own, as a notebook has one."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def executed(shell, *cells):
    for cell in cells:
        shell.run_cell(cell, store_history=True).raise_error()
    return shell.user_ns["found"]


def test_outside_of_a_notebook_there_are_none():
    assert notebook_parameters() == {}


def test_the_parameters_cell_is_found_among_the_executed_cells(shell):
    expected = {"source": "data", "months": 12, "margin": -0.5, "by": None, "full": True}
    assert executed(shell, "import math", DECLARED, "rows = [1, 2]", "months_left = 3", SHOW) == expected
    assert list(expected) == list(shell.user_ns["found"])


def test_the_values_are_those_of_the_run_and_not_the_defaults(shell):
    found = executed(shell, DECLARED, '# Parameters\nsource = "exports"\nmonths = 6\n', SHOW)
    assert (found["source"], found["months"], found["margin"]) == ("exports", 6, -0.5)


def test_a_name_that_no_longer_holds_a_plain_value_is_left_out(shell):
    assert executed(shell, DECLARED, "source = [source]\ndel by", SHOW) == {"months": 12, "margin": -0.5, "full": True}


def test_a_session_without_a_parameters_cell_has_none(shell):
    assert executed(shell, "import math\nmonths = 12", "x = y = 1", "a, b = 1, 2", SHOW) == {}


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["months = 12", "other = 1"], ["months"]),
        (["# nothing", "", "months = 12"], ["months"]),
        (["months = 12\nprint(months)"], []),
        (["months = len('a')"], []),
        (["months.x = 12"], []),
        (["months = [12]"], []),
        (["months: int"], []),
        (["this is no Python", "months = 1\nmonths = 2"], ["months"]),
    ],
)
def test_only_a_cell_of_plain_assignments_declares_parameters(cells, names):
    assert assigned_names(cells) == names


@pytest.mark.reports
def test_a_real_run_shows_the_values_it_was_started_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = notebook(tmp_path / "small.ipynb", SHOW + "\nimport json\nprint(json.dumps(found))", said=False)
    record = run(path, {"where": "segment=SMB"}, Path("out"))
    ran = json.loads((tmp_path / "out" / "small" / record["run_id"] / "notebook.ipynb").read_text())
    printed = next(o["text"] for cell in ran["cells"] for o in cell.get("outputs", []) if "text" in o)
    assert (
        json.loads("".join(printed)) == record["parameters"] == {"source": ".", "as_of": None, "where": "segment=SMB"}
    )
