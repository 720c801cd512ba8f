"""The parameters of the notebook that is running, found without the notebook repeating them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable

Scalar = str | int | float | bool | None


def notebook_parameters() -> dict[str, Scalar]:
    """Names and current values of the running notebook's parameters, in the order of its parameters cell.

    The parameters cell is the first cell that was executed and holds nothing but assignments of texts, numbers, true,
    false or None. ``cs-helpers run`` executes its own values in a cell right after it, so a published report shows the
    values of its run and a notebook executed by hand shows the defaults or what was typed instead of them. A name
    that was deleted or now holds something else than such a value is left out. Empty outside of IPython.

    Example:
        >>> notebook_parameters()  # in a plain Python process there is no notebook
        {}
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return {}
    values = shell.user_ns
    names = assigned_names(values.get("In", ()))
    return {name: values[name] for name in names if name in values and _is_scalar(values[name])}


def assigned_names(cells: Iterable[str]) -> list[str]:
    """The names that the first cell of only scalar assignments gives values to; empty if there is no such cell.

    Example:
        >>> assigned_names(["", "import cs_helpers as cs", 'source = "data/sample"  # folder\\nmonths = 12', "x = 1"])
        ['source', 'months']
    """
    for cell in cells:
        try:
            statements = ast.parse(cell).body
        except SyntaxError:
            continue
        names = [name for statement in statements if (name := _assigned_name(statement))]
        if names and len(names) == len(statements):
            return list(dict.fromkeys(names))
    return []


def _assigned_name(statement: ast.stmt) -> str:
    """The name in ``name = scalar`` or ``name: type = scalar``; empty for any other statement."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return ""
    if not isinstance(target, ast.Name) or statement.value is None:
        return ""
    try:
        value = ast.literal_eval(statement.value)
    except (ValueError, TypeError):
        return ""
    return target.id if _is_scalar(value) else ""


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)
