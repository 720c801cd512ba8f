"""A notebook's code cells run in this process, with parameters, and what each showed."""

import ast
from pathlib import Path

import nbformat

from cs_helpers.core.results import Result
from cs_helpers.report.views import render

ROOT = Path(__file__).resolve().parents[1]


def run_cells(name, **parameters):
    """What each code cell of ``notebooks/<name>.ipynb`` shows last, after its parameters cell took ``parameters``.

    Results are given as the blocks in which they show themselves.
    """
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    names, shown = {}, []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            unknown = set(parameters) - set(names)
            assert not unknown, f"{name} declares no {unknown}"
            names |= parameters
        if last is not None:
            value = eval(compile(last, name, "eval"), names)
            shown.append(render(value) if isinstance(value, Result) else value)
    return names, shown
