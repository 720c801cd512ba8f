"""Runs for a shared audience, whose readers must not learn who the accounts and people are.

The tables replace names by pseudonyms (``cs.load(..., audience)``). This module provides the key for the pseudonyms,
receives from the notebook the names that must not be published, and removes them from the run record and the notebook.
"""

from __future__ import annotations

import ast
import builtins
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cs_helpers.core import errors
from cs_helpers.core.audience import AUDIENCES, KEY_VARIABLE, MIN_KEY_LENGTH, check_audience
from cs_helpers.core.errors import ParameterError, ReportFailed
from cs_helpers.core.identities import Identities
from cs_helpers.publish import leaks
from cs_helpers.publish.series import Record, Scalar, declared_parameters, outputs

if TYPE_CHECKING:
    from nbformat import NotebookNode

PRIVATE = "application/vnd.cs-helpers.private+json"
"""MIME type of the output with the names that must not be published, ``{"names": {kind: [names]}}``; it is removed."""
KEY_FILE = ".pseudonym-key"
WITHHELD = "withheld"
_DETAILS = "details withheld: run with --audience full to see them"
_HARMLESS = ("audience", "as_of")  # parameters whose values are checked and cannot hold a name


def with_audience(notebook: Path, values: Mapping[str, str], audience: str | None, comments: bool) -> dict[str, str]:
    """The parameter texts, completed with ``--audience`` and ``--with-comments``.

    Raises ParameterError if the notebook cannot be shared, if ``audience`` is set twice, and for comments of a report
    that is not shared.
    """
    if comments and audience != "shared":
        raise ParameterError("--with-comments goes with --audience shared: a full report has the comments anyway.")
    if audience is None:
        return dict(values)
    if "audience" in values:
        raise ParameterError("'audience' is set twice: by -p and by --audience.")
    if audience not in AUDIENCES[:2]:
        raise ParameterError(f"--audience: there is no '{audience}'. There are: full, shared.")
    if "audience" not in declared_parameters(notebook):
        if audience == "full":
            return dict(values)
        raise ParameterError(
            f"{notebook.name}: has no parameter 'audience', so it cannot be shared: it shows names as they are.\n"
            '  Add audience = "full" to its parameters and pass it on: cs.load(source, mapping, as_of, where, audience)'
        )
    return {**values, "audience": "shared+comments" if comments else audience}


def audience_of(values: Mapping[str, Scalar]) -> str:
    """The audience in the parameters; full if the notebook declares none. Raises ParameterError for an unknown one."""
    return check_audience(values.get("audience", "full"))


def series_of(series: str, audience: str) -> str:
    """The name of the series for an audience: shared reports, with or without comments, have series of their own."""
    return series if audience == "full" else f"{series}/audience={audience}"


def series_key(out: Path, series: str) -> str:
    """The key for the pseudonyms of a series, which are the same in all its reports and differ between series.

    It is derived from CS_HELPERS_PSEUDONYM_KEY, or else from the file ``.pseudonym-key`` under ``out``, which is
    created if it is missing. Raises ParameterError for a key that is too short.
    """
    master = os.environ.get(KEY_VARIABLE, "").strip()
    where = KEY_VARIABLE
    if not master:
        path = out / KEY_FILE
        master, where = _key_in(path), str(path)
    if len(master) < MIN_KEY_LENGTH:
        raise ParameterError(
            f"{where}: holds fewer than {MIN_KEY_LENGTH} characters, so pseudonyms made with it could be guessed.\n"
            "  Restore the key of the earlier reports; if there is none, remove this one and a new key is created."
        )
    return hmac.new(master.encode(), f"cs-helpers {series}".encode(), "sha256").hexdigest()


def _key_in(path: Path) -> str:
    """The key in the file; created in one step if missing, so that two runs that start together use the same key."""
    try:
        if not path.exists():
            _make_key(path)
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ParameterError(
            f"{path}: the key of the pseudonyms can be neither made nor read there: {error.strerror}.\n"
            f"  Set {KEY_VARIABLE}, or choose another --out."
        ) from None


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):  # another run was first; its key is used
            os.link(made, path)
    finally:
        made.unlink()
    with suppress(FileExistsError), path.with_name(".gitignore").open("x", encoding="utf-8") as file:
        file.write(f"{path.name}\n")  # keeps the key out of version control


class Private:
    """The names that must not be published of one run; ``names`` is None if the notebook did not state them."""

    def __init__(self, notebook: Path, names: Mapping[str, list[str]] | None, key: str):
        self.names_stated = names is not None
        self.names, self.unscanned = leaks.searchable({**(names or {}), "key": [key]}, notebook)
        self._ordinary = Identities({"": self.unscanned})  # these are not searched in the report, but in parameters

    def named_in(self, text: str) -> bool:
        """Whether a text holds a private name, including names that are ordinary words."""
        return bool(self.names.named_in(text) or self._ordinary.named_in(text))

    def shown(self, name: str, value: Any) -> Any:
        """A parameter's value as it may be published; of a path only its last part."""
        if not isinstance(value, str) or name in _HARMLESS or not value:
            return value
        if not self.names_stated or self.named_in(value):
            return WITHHELD
        if name in ("source", "mapping"):
            return "a database" if "://" in value else Path(value).name or value
        return value


def unscanned_words(private: Private) -> str:
    """The message about names that could not be searched for; for the terminal only, because it holds the names."""
    some = ", ".join(private.unscanned[:10]) + (", ..." if len(private.unscanned) > 10 else "")
    return (
        f"{len(private.unscanned):,} names are also words or numbers of the report itself and were not searched for: "
        f"{some}"
    )


def take_names(executed: NotebookNode) -> dict[str, list[str]] | None:
    """The names that the notebook states as private, removed from its outputs; None if it states nothing."""
    found: dict[str, list[str]] | None = None
    for output in outputs(executed):
        if (stated := output.get("data", {}).pop(PRIVATE, None)) is not None:
            found = found or {}
            for kind, names in stated["names"].items():
                found.setdefault(kind, []).extend(names)
    return found


def withhold(record: Record, executed: NotebookNode, private: Private) -> None:
    """Removes parameter values that hold a private name from the record and the notebook.

    Raises ReportFailed if the notebook did not state its private names, or if it shows a picture.
    """
    if not private.names_stated:
        raise ReportFailed(
            f"{record['notebook']}: does not state which names must not be published.\n"
            "  Pass `audience` to cs.load and show cs.report.cover(tables)."
        )
    problems = leaks.pictures(executed)
    if problems:
        raise ReportFailed("\n".join(["Not published:", *(f"  {problem}" for problem in problems)]))
    _withhold_parameters(record, executed, private)
    record["source"] = private.shown("source", record["source"])
    record["unscanned_names"] = len(private.unscanned)


def withhold_details(record: Record, executed: NotebookNode, private: Private) -> None:
    """Keeps only place and kind of a failed run's error, because messages and outputs may quote the data."""
    error = record["error"]
    ename = error["ename"] if hasattr(errors, error["ename"]) or hasattr(builtins, error["ename"]) else "Error"
    place = f", cell {error['cell']}" if error["cell"] else ""
    record["error"] = {**error, "ename": ename, "message": f"{record['notebook']}{place}: {ename}; {_DETAILS}."}
    record |= {"headline": [], "takeaways": [], "quality": [], "changed": None}
    record["source"] = private.shown("source", record["source"])
    _withhold_parameters(record, executed, private)
    executed.metadata = type(executed.metadata)(kernelspec=executed.metadata.get("kernelspec", {}))
    for cell in executed.cells:
        cell.metadata = type(cell.metadata)(tags=cell.metadata.get("tags", []))
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = []
        if private.named_in(cell.source):
            cell.source = f"# {WITHHELD}"


def _withhold_parameters(record: Record, executed: NotebookNode, private: Private) -> None:
    record["parameters"] = {name: private.shown(name, value) for name, value in record["parameters"].items()}
    papermill = executed.metadata.get("papermill", {})
    if "parameters" in papermill:
        papermill["parameters"] = record["parameters"]
    for cell in executed.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            lines = [f"{name} = {value!r}" for name, value in record["parameters"].items()]
            cell.source = "\n".join(["# Parameters", *lines])
        elif "parameters" in tags:
            cell.source = _without_names(cell.source, private)


def _without_names(source: str, private: Private) -> str:
    """The source of the parameters cell, with texts that hold a private name withheld."""
    lines = source.encode().splitlines(keepends=True)
    constants = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    texts = [(node, node.value) for node in constants if isinstance(node.value, str)]
    # From the end, so that earlier positions stay valid.
    for node, text in sorted(texts, key=lambda pair: (pair[0].lineno, pair[0].col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        head, tail = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
        if text and (not private.names_stated or private.named_in(text)):
            lines[first : last + 1] = [head + repr(WITHHELD).encode() + tail]
    return b"".join(lines).decode()
