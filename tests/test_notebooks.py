"""Every notebook has the house shape, so every report reads alike and stays thin; and every one runs."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECTIONS = ["Summary", "Detail", "Method", "Data quality", "Provenance"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def test_there_are_notebooks():
    assert {"churn"} <= {path.stem for path in NOTEBOOKS}


def test_opens_with_a_title_and_the_question(notebook):
    title, _, question = notebook.cells[0].source.partition("\n\n")
    assert title.startswith("# ")
    assert question.endswith("?")


def test_first_code_cell_is_the_parameters_each_with_a_comment(notebook):
    cell = code(notebook)[0]
    assert cell.metadata.get("tags") == ["parameters"]
    for line in cell.source.splitlines():
        name, value = line.split(" = ", 1)
        assert name.isidentifier()
        literal, comment = value.split("  # ")
        assert isinstance(ast.literal_eval(literal), str | int | float | bool)
        assert len(comment) > 10


def test_has_at_most_ten_parameters_and_22_code_cells(notebook):
    assert len(code(notebook)[0].source.splitlines()) <= 10, "further settings belong in one YAML file"
    assert len(code(notebook)) <= 22


def test_a_cell_below_the_summary_is_one_call(notebook):
    for cell in code(notebook)[3:]:
        statements = ast.parse(cell.source).body
        assert isinstance(statements[-1], ast.Expr), cell.source
        assert all(isinstance(each, ast.Assign | ast.Expr) for each in statements)
        assert len(statements) == 1, f"one call per section:\n{cell.source}"


def test_sections_come_in_order(notebook):
    headings = [
        line[3:]
        for c in notebook.cells
        if c.cell_type == "markdown"
        for line in c.source.splitlines()
        if line.startswith("## ")
    ]
    assert headings == SECTIONS


def test_defines_nothing_and_decides_nothing(notebook):
    banned = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.IfExp, ast.Try)
    for cell in code(notebook):
        found = [type(n).__name__ for n in ast.walk(ast.parse(cell.source)) if isinstance(n, banned)]
        assert not found, f"move {found} into cs_helpers and test it there:\n{cell.source}"


def test_types_no_number_into_a_sentence(notebook):
    for cell in code(notebook)[2:]:
        texts = [n.value for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Constant)]
        typed = [t for t in texts if isinstance(t, str) and any(ch.isdigit() for ch in t)]
        assert typed == [], "takeaways are computed, never typed"


def test_is_committed_without_outputs(notebook):
    assert all(c.outputs == [] and c.execution_count is None for c in code(notebook))


@pytest.mark.reports
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_runs_from_the_first_cell_to_the_last(path):
    options = "--nbval-lax --nbval-current-env --nbval-cell-timeout=120 -q -o addopts= -p no:cacheprovider -p no:xdist"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options.split(), str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert f"{len(code(nbformat.read(path, as_version=4)))} passed" in ran.stdout
