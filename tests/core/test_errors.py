"""What an analyst sees when a cell fails: our own errors in five lines, everybody else's as always."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from cs_helpers.core.errors import MAX_LINES, ContractError, CsHelpersError, ParameterError, Problem, SourceError

MANY = "\n".join(
    [
        "from cs_helpers.core.errors import ContractError, Problem",
        "def read():",
        "    raise ContractError([Problem(f'table{n}.csv', 'no column mrr.', 'Name it.') for n in range(9)])",
        "read()",
    ]
)

COMMAND = "import sys; print(sys.last_value)"


def outputs(*sources, **environment):
    """What cells show in a real kernel."""
    before = dict(os.environ)
    os.environ.pop("CS_HELPERS_DEBUG", None)
    os.environ.update(environment)
    try:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return [output for cell in notebook.cells for output in cell.outputs]


def failing(source, **environment):
    """The error that a cell leaves behind."""
    (error,) = [output for output in outputs(source, **environment) if output.output_type == "error"]
    return error


def test_an_error_of_ours_takes_five_lines_in_a_notebook_and_the_last_says_where_all_is_said():
    error = failing(MANY)
    shown = "\n".join(error.traceback).splitlines()
    assert len(shown) == MAX_LINES == 5
    assert shown[0] == "ContractError: table0.csv: no column mrr."
    assert shown[1] == "  Name it."
    assert shown[-1] == "... and 14 more lines. All of them: cs-helpers check SOURCE"
    assert "Traceback" not in "\n".join(shown)
    assert error.ename == "ContractError"
    assert len(error.evalue.splitlines()) == 18, "the runner needs the whole message"


def test_what_the_last_line_says_prints_the_whole_message():
    error, printed = outputs("import cs_helpers as cs\nraise cs.errors.ParameterError('a\\n' * 9)", COMMAND)
    assert error.traceback[-1] == f"... and 5 more lines. All of it: {COMMAND}"
    assert printed.text.strip() == error.evalue.strip()


def test_a_variable_brings_the_usual_traceback_back():
    shown = "\n".join(failing(MANY, CS_HELPERS_DEBUG="1").traceback)
    assert "Traceback (most recent call last)" in shown
    assert "read()" in shown


def test_errors_of_others_look_as_always():
    shown = "\n".join(failing("import cs_helpers as cs\ncs.load\n{}['mrr']").traceback)
    assert "Traceback (most recent call last)" in shown
    assert "KeyError" in shown


def lines(error):
    return error._render_traceback_()


def test_a_short_message_is_shown_whole():
    assert lines(ParameterError("where: no account has segment = SMb.\n  Did you mean 'SMB'?")) == [
        "ParameterError: where: no account has segment = SMb.",
        "  Did you mean 'SMB'?",
    ]


@pytest.mark.parametrize(("length", "shown", "more"), [(5, 5, ""), (6, 5, "2 more lines"), (400, 5, "396 more lines")])
def test_never_more_than_five_lines(length, shown, more):
    found = lines(SourceError("\n".join(f"line {n}" for n in range(length))))
    assert len(found) == shown
    assert more in found[-1]


def test_what_check_cannot_list_is_printed_from_the_last_error():
    found = lines(ContractError("\n".join(map(str, range(9)))))
    assert found[-1] == "... and 5 more lines. All of it: import sys; print(sys.last_value)"
    assert lines(ContractError([Problem("a.csv", "x", "y")] * 4))[-1].endswith("cs-helpers check SOURCE")


def test_an_error_from_data_moves_no_cursor():
    assert lines(CsHelpersError("\x1b[2Jgone\u202e"))[0] == "CsHelpersError: [2Jgone"
