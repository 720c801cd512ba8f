"""The notebooks that can be run: their titles, questions and declared parameters.

Everything is read from the notebook files as JSON, so listing notebooks and refusing a mistyped parameter takes
milliseconds and needs no kernel.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import ParameterError, did_you_mean

Scalar = str | int | float | bool | None
Record = dict[str, Any]

_TRUE, _FALSE, _NONE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}, {"", "none", "null"}
_ARTICLE = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}
# user:password@ in an address, because parameters are published in plain text.
_CREDENTIALS = re.compile(r"://[^/@\s]+@")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: ``kind`` is str, int, float or bool; ``help`` is its comment in the cell."""

    name: str
    default: Scalar
    kind: str
    help: str


def notebooks_folder() -> Path:
    """The folder ``notebooks`` in the working directory, or else the one of the package."""
    here = Path("notebooks")
    return here if here.is_dir() else Path(__file__).resolve().parents[2] / "notebooks"


def find_all() -> list[Path]:
    """All notebooks of the folder, sorted by name, without hidden ones and names that begin with ``_``."""
    return sorted(p for p in notebooks_folder().glob("*.ipynb") if not p.name.startswith((".", "_")))


def find(name: str) -> Path:
    """The notebook of that name, or the notebook file at that path.

    Raises ParameterError with all names and the most similar one.
    """
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    notebooks = {p.stem: p for p in find_all()}
    wanted = path.stem if path.suffix == ".ipynb" else name
    if wanted in notebooks:
        return notebooks[wanted]
    there = f"There are: {', '.join(notebooks)}." if notebooks else "That folder holds no notebook."
    folder = notebooks_folder()
    shown = folder.relative_to(Path.cwd()) if folder.is_absolute() and folder.is_relative_to(Path.cwd()) else folder
    raise ParameterError(f"no notebook '{name}' in {shown}. {there}{did_you_mean(wanted, list(notebooks))}")


def series_name(notebook: Path) -> str:
    """The name of the notebook as a folder name that is safe on every file system."""
    return re.sub(r"[^\w.-]+", "-", notebook.stem).strip(".-") or "report"


def title_and_question(notebook: Path) -> tuple[str, str]:
    """The heading of the first cell and the question below it; without a heading the name of the file."""
    cells = _read(notebook).get("cells") or [{}]
    lines = [line.strip() for line in _source(cells[0]).splitlines() if line.strip()]
    if cells[0].get("cell_type") != "markdown" or not lines or not lines[0].startswith("# "):
        return notebook.stem, ""
    return lines[0][2:].strip(), next((line for line in lines[1:] if line.endswith("?")), "")


def declared_parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters a notebook declares in the cell tagged ``parameters``, in their order.

    Raises ParameterError, with all problems at once, if there is no such cell or if it holds anything but
    ``name = value`` with a text, number, true/false or None.
    """
    cells = [c for c in _read(notebook).get("cells", []) if "parameters" in c.get("metadata", {}).get("tags", [])]
    if not cells:
        raise ParameterError(
            f"{notebook.name}: no cell is tagged 'parameters', so nothing can be set.\n"
            "  Tag the first code cell 'parameters' (JupyterLab: property inspector, cell tags)."
        )
    source = _source(cells[0])
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(
            f"{notebook.name}: the cell tagged 'parameters' is not valid Python, line {error.lineno}: {error.msg}."
        ) from None
    comments = _comments(source)
    found: dict[str, Parameter] = {}
    problems = []
    for statement in statements:
        parameter = _parameter(statement, comments)
        if isinstance(parameter, Parameter):
            found[parameter.name] = parameter
        else:
            problems.append(f"{notebook.name}: parameters cell, line {statement.lineno}: {parameter}")
    if problems:
        raise ParameterError("\n".join(problems))
    return found


def check_parameters(notebook: Path, texts: Mapping[str, str]) -> dict[str, Scalar]:
    """All parameters: the texts converted to the types of the notebook's defaults, and the other defaults.

    ``"00123"`` stays text where the default is text; numbers and true/false accept the usual spellings; ``none``
    or nothing at all is None where the default is None. Raises ParameterError with all problems at once.
    """
    declared = declared_parameters(notebook)
    values = {name: parameter.default for name, parameter in declared.items()}
    problems = []
    for name, text in texts.items():
        if name not in declared:
            problems.append(unknown_parameter(notebook, declared, name))
            continue
        try:
            values[name] = _typed(declared[name], text)
        except ValueError:
            problems.append(f"{notebook.name}: {name} must be {_ARTICLE[declared[name].kind]}, not '{text}'.")
    problems += [f"{notebook.name}: {problem}" for name, value in values.items() if (problem := _refused(name, value))]
    if problems:
        raise ParameterError("\n".join(problems))
    return values


def unknown_parameter(notebook: Path, declared: Mapping[str, Parameter], name: str) -> str:
    """The message for a parameter that the notebook does not declare."""
    names = ", ".join(sorted(declared)) or "no parameters"
    near = did_you_mean(name, list(declared))
    return f"{notebook.name}: unknown parameter '{name}'. It declares: {names}.{near}"


def outputs(notebook: Any) -> Iterator[Any]:
    """All outputs of all cells of a notebook, in their order."""
    return (output for cell in notebook.cells for output in cell.get("outputs", []))


def _typed(parameter: Parameter, text: str) -> Scalar:
    word = text.strip().lower()
    if parameter.default is None and word in _NONE:
        return None
    if parameter.kind == "bool":
        if word not in _TRUE | _FALSE:
            raise ValueError(text)
        return word in _TRUE
    if parameter.kind == "int":
        return int(text)
    if parameter.kind == "float":
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(text)
        return number
    return text


def _refused(name: str, value: Scalar) -> str:
    """The reason why a value is refused, or an empty text."""
    if not isinstance(value, str):
        return ""
    if _CREDENTIALS.search(value):
        return (
            f"{name} holds a password, and parameters are published in plain text. "
            "Remove it from the address and set it in the environment."
        )
    if name == "as_of" and value:
        try:
            date.fromisoformat(value)
        except ValueError:
            return f"as_of must be a date such as 2025-01-01, not '{value}'."
    return ""


def _parameter(statement: ast.stmt, comments: Mapping[int, tuple[str, bool]]) -> Parameter | str:
    """The parameter that a statement declares, or the problem with the statement."""
    annotation = ""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value, annotation = statement.target, statement.value, ast.unparse(statement.annotation)
    else:
        return "only lines of the form name = value can be parameters. Move this line to a later cell."
    if not isinstance(target, ast.Name):
        return "one name on the left of = only."
    try:
        default = ast.literal_eval(value)
        scalar = default is None or isinstance(default, str | int | float)
    except (ValueError, TypeError, SyntaxError):
        scalar = False
    if not scalar or (isinstance(default, float) and not math.isfinite(default)):
        return f"{target.id} must be a text, a number, True, False or None, written out."
    if default is None:
        kind = next((word for word in re.findall(r"\w+", annotation) if word in _ARTICLE), "str")
    else:
        kind = type(default).__name__
    return Parameter(target.id, default, kind, _help(statement, comments))


def _help(statement: ast.stmt, comments: Mapping[int, tuple[str, bool]]) -> str:
    """The comment at the end of the statement's line, or else the comment lines directly above it."""
    text, alone = comments.get(statement.end_lineno or statement.lineno, ("", True))
    if text and not alone:
        return text
    above: list[str] = []
    line = statement.lineno - 1
    while line in comments and comments[line][1]:
        above.insert(0, comments[line][0])
        line -= 1
    return " ".join(above)


def _comments(source: str) -> dict[int, tuple[str, bool]]:
    """Line number -> the comment's text, and whether it stands alone on its line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: (token.string.lstrip("#").strip(), token.line[: token.start[1]].strip() == "")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _read(notebook: Path) -> dict[str, Any]:
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{notebook.name}: cannot be read as a notebook: {error}.") from None
    if not isinstance(content, dict):
        raise ParameterError(f"{notebook.name}: is not a notebook.")
    return content


def _source(cell: Mapping[str, Any]) -> str:
    source: str | Sequence[str] = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
