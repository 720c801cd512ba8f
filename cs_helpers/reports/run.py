"""One run of one notebook: executed with papermill in a fresh kernel, and published only if it ran to its end.

What the notebook says about itself reaches the run record through its outputs, by MIME type, so that a notebook
run by hand and a scheduled one say the same thing.
"""

from __future__ import annotations

import logging
import math
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cs_helpers
from cs_helpers import errors
from cs_helpers.audience import KEY_VARIABLE
from cs_helpers.errors import CsHelpersError, ParameterError, ReportFailed
from cs_helpers.reports import changes, index, leaks, publish, series, sharing
from cs_helpers.reports.html import STYLE, render_report
from cs_helpers.reports.series import Scalar

if TYPE_CHECKING:
    from nbformat import NotebookNode

Record = dict[str, Any]
Progress = Callable[[int, int], None]
"""Called before each cell with its number and the number of cells."""

SCHEMA_VERSION = 1
MIME = "application/vnd.cs-helpers.{}+json"

_FILE_NAME = re.compile(r"[a-z0-9_]+\.(csv|json)")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CREDENTIALS = re.compile(r"://[^/@\s]*@")
_OURS = {"injected-parameters", "papermill-error-cell-tag"}
_NUMBERS = ("value", "low", "high", "n", "numerator", "denominator", "previous")
_LONGEST_MESSAGE = 1500


def run(
    notebook: Path,
    parameters: Mapping[str, Scalar],
    out: Path,
    progress: Progress | None = None,
    *,
    debug: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Record:
    """Runs a notebook and publishes its report under ``out``; returns the run record.

    A failed run is recorded as well (status failed, with ``error``) and its notebook kept; the last good report
    stays as it is. ``parameters`` are completed with the notebook's defaults. With ``debug`` an error outside the
    notebook's cells is raised after it was recorded. Raises ParameterError for a parameter the notebook does not
    declare, before any kernel starts; an interrupted run leaves nothing behind.

    With the parameter ``audience`` shared, nothing is published that names an account or a person; what happened is
    then told in full to ``tell`` alone (a line at a time, for the terminal of whoever runs it).
    """
    started, clock = datetime.now(UTC), time.monotonic()
    values = _complete(notebook, parameters)
    record = _new_record(notebook, values, started)
    shared = record["audience"] != "full"
    kernel = sharing.environment(out, record["series"]) if shared else {}
    temporary = out / f".{record['series'].replace('/', '-')}-{record['run_id']}"
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise ParameterError(f"{out}: no report can be written there: {error.strerror}.") from None
    raised: Exception | None = None
    try:
        executed, problem = _execute(notebook, values, progress or _silent, kernel)
        names = sharing.take_names(executed)
        private = sharing.Private(notebook, names, kernel[KEY_VARIABLE]) if shared else None
        _tidy(executed, notebook)
        if problem is None:
            try:
                record |= _said_by(executed, record)
                if private:
                    sharing.withhold(record, executed, private)
                record["changed"] = changes.since_last(record, out)
                record["duration_s"] = round(time.monotonic() - clock, 2)
                files = _files(executed)
                look = partial(leaks.scan, names=private.names) if private else None
                publish.publish(temporary, out, record, _text(executed), render_report(executed, record), files, look)
            except Exception as error:
                if not temporary.is_dir():  # already published: this is no failure of the run
                    raise
                raised = error
                problem = _error(None, type(error).__name__, str(error))
        if problem is not None:
            record |= {"status": "failed", "error": problem, "duration_s": round(time.monotonic() - clock, 2)}
            if private:
                _told(tell, problem["message"])
                sharing.say_nothing(record, executed, private)
            publish.redact_all(record)
            publish.redact_all(executed)
            publish.keep_failed(temporary, out, record, _text(executed))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    index.rebuild(out)
    if private and private.told and private.unscanned:
        _told(tell, sharing.unscanned_words(private))
    if debug and raised is not None:
        raise raised
    return record


def exit_code(record: Mapping[str, Any]) -> int:
    """0 for a published report; 2 if the user's input was at fault, 1 for any other failure."""
    if record["status"] != "failed":
        return 0
    kind = _known_error(record["error"]["ename"])
    return kind.exit_code if kind else 1


def failure_message(record: Mapping[str, Any], out: Path) -> str:
    """What a failed run tells its user; an error of the package is printed as it is."""
    message = str(record["error"]["message"])
    if _known_error(record["error"]["ename"]):
        return message
    kept = out / record["series"] / record["run_id"] / "notebook.ipynb"
    return f"{message}\n  The notebook as far as it ran: {kept}\n  Run again with --debug to see the traceback."


def traceback_of(record: Mapping[str, Any], out: Path) -> str:
    """The traceback that a failed run left in its kept notebook, without colours; empty if there is none."""
    _prepare_imports()
    import nbformat

    kept = out / record["series"] / record["run_id"] / "notebook.ipynb"
    outputs = (o for c in nbformat.read(kept, as_version=4).cells for o in c.get("outputs", []))
    return _ANSI.sub("", "\n".join(line for o in outputs if o.output_type == "error" for line in o.traceback))


def _new_record(notebook: Path, values: dict[str, Scalar], started: datetime) -> Record:
    source, audience = values.get("source"), sharing.audience_of(values)
    return {
        "schema_version": SCHEMA_VERSION,
        "series": sharing.series_of(series.series_name(notebook), audience),
        # Milliseconds, because the order of runs is the order of their ids.
        "run_id": f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03d}Z-{secrets.token_hex(2)}",
        "status": "ok",
        "started_at": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration_s": 0.0,
        "notebook": notebook.name,
        "parameters": values,
        "as_of": values.get("as_of") or None,
        "audience": "full" if audience == "full" else "shared",
        "source": _CREDENTIALS.sub("://", source) if source and isinstance(source, str) else None,
        "source_fingerprint": None,
        "definitions_version": None,
        "package_version": cs_helpers.__version__,
        "commit": _commit(notebook.resolve().parent),
        "headline": [],
        "takeaways": [],
        "quality": [],
        "changed": None,
        "error": None,
    }


def _complete(notebook: Path, parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The notebook's defaults and what was given, with paths relative to the working directory.

    Relative, because parameters are published and no path of this machine may be.
    """
    declared = series.declared_parameters(notebook)
    unknown = [series.unknown_parameter(notebook, declared, name) for name in parameters if name not in declared]
    if unknown:
        raise ParameterError("\n".join(unknown))
    values = {name: parameter.default for name, parameter in declared.items()} | dict(parameters)
    return {
        name: os.path.relpath(value) if isinstance(value, str) and os.path.isabs(value) else value
        for name, value in values.items()
    }


def _execute(
    notebook: Path, values: dict[str, Scalar], progress: Progress, environment: Mapping[str, str]
) -> tuple[NotebookNode, Record | None]:
    """The executed notebook, and what went wrong or None. Complete means: papermill says so and every cell ran."""
    _prepare_imports()
    import nbformat
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook, remove_error_markers

    # One thread for linear algebra: on matrices of this size more threads gain little, and as soon as several reports
    # share the machine they wait for each other twenty times as long as they compute.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    executed = nbformat.read(notebook, as_version=4)
    at = 0

    def on_notebook_start(notebook: NotebookNode) -> None:
        nonlocal executed
        executed = notebook

    def on_cell_start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal at
        at = cell_index
        progress(_number(executed, at), _number(executed, len(executed.cells) - 1))

    failed: Exception | None = None
    try:
        execute_notebook(
            str(notebook).replace("{", "{{").replace("}", "}}"),  # papermill formats its paths
            None,
            parameters=values,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel_manager_class=_kernel_manager_class(environment),
            shutdown_kernel="immediate",
            record_timing=False,
            on_notebook_start=on_notebook_start,
            on_cell_start=on_cell_start,
        )
    except Exception as error:  # papermill, nbclient, zmq: whatever it is, the run did not end cleanly
        failed = error
    remove_error_markers(executed)
    if failed is None or isinstance(failed, PapermillExecutionError):
        problem = _first_problem(executed, notebook.name)
        if problem is None and failed is not None:
            problem = _error(None, type(failed).__name__, f"{notebook.name}: {failed}")
        return executed, problem
    dead = type(failed).__name__ == "DeadKernelError"
    said = "the kernel died: it was killed, or memory ran out" if dead else f"{type(failed).__name__}: {failed}"
    return executed, _cell_error(executed, notebook.name, at, type(failed).__name__, said)


def _first_problem(executed: NotebookNode, name: str) -> Record | None:
    """The first code cell that did not run to its end, whatever papermill's status says."""
    for position, cell in enumerate(executed.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                said = f"{output.ename}: {output.evalue}".rstrip(": ")
                if output.ename == "SystemExit":
                    said += " (the notebook stopped itself before its end)"
                message = output.evalue if _known_error(output.ename) else None
                return _cell_error(executed, name, position, output.ename, said, message)
        if cell.execution_count is None or cell.metadata.get("papermill", {}).get("status") != "completed":
            return _cell_error(executed, name, position, "NotRun", "this cell did not run to its end")
    return None


def _cell_error(
    executed: NotebookNode, name: str, position: int, ename: str, said: str, message: str | None = None
) -> Record:
    number, heading = _number(executed, position), _heading_above(executed, position)
    under = f", under '{heading}'" if heading else ""
    return _error(number, ename, message or f"{name}, cell {number}{under}: {said}")


def _error(cell: int | None, ename: str, message: str) -> Record:
    text = _ANSI.sub("", message)
    if len(text) > _LONGEST_MESSAGE and not _known_error(ename):  # ours list every problem; others may be a dump
        text = text[:_LONGEST_MESSAGE] + " ... (cut)"
    return {"cell": cell, "ename": ename, "message": text}


def _number(executed: NotebookNode, position: int) -> int:
    """The cell's number as its author counts: from 1, without the cells that papermill put in."""
    return sum(not _OURS & set(cell.metadata.get("tags", [])) for cell in executed.cells[: position + 1])


def _heading_above(executed: NotebookNode, position: int) -> str:
    for cell in reversed(executed.cells[: position + 1]):
        headings = re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        if headings:
            return str(headings[-1]).strip()
    return ""


def _said_by(executed: NotebookNode, record: Record) -> Record:
    """The fields of the record that come from the notebook's outputs, and the status that follows from them."""
    said: Record = {"headline": [], "takeaways": [], "quality": []}
    about: Record = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for key, so_far in said.items():
                so_far.extend(data.get(MIME.format(key), {}).get(key, []))
            about |= data.get(MIME.format("report"), {})
    _refuse_not_a_number(record["notebook"], said["headline"])
    for key in ("as_of", "source", "source_fingerprint", "definitions_version"):
        said[key] = about.get(key) if about.get(key) is not None else record[key]
    if isinstance(said["source"], str):
        said["source"] = _CREDENTIALS.sub("://", said["source"])
        said["source"] = os.path.relpath(said["source"]) if os.path.isabs(said["source"]) else said["source"]
    noticed = {"warning", "set aside", "error"} & {str(entry.get("severity")) for entry in said["quality"]}
    said["status"] = "warnings" if noticed else "ok"
    return said


def _files(executed: NotebookNode) -> dict[str, str]:
    """Files that the notebook wants beside its report, taken out of its outputs: they need not stand there twice."""
    found: dict[str, str] = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            files = output.get("data", {}).pop(MIME.format("files"), {}).get("files", {})
            wrong = [name for name in files if not _FILE_NAME.fullmatch(name)]
            if wrong:
                raise ReportFailed(f"the notebook names a file {wrong[0]!r}: letters, digits and _ with .csv or .json.")
            found |= {name: str(text) for name, text in files.items()}
    return found


def _refuse_not_a_number(notebook: str, headline: list[Record]) -> None:
    """Jupyter's messages turn NaN into the text 'nan', so a number that is neither a number nor empty is refused."""
    wrong = [
        f"{notebook}: headline '{tile.get('key')}': {field} is {tile[field]}. "
        "Leave a number empty (None) that cannot be computed, and say why."
        for tile in headline
        for field in _NUMBERS
        if tile.get(field) is not None and not _is_number(tile[field])
    ]
    if wrong:
        raise ReportFailed("\n".join(wrong))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _tidy(executed: NotebookNode, notebook: Path) -> None:
    """Takes this machine's paths and clocks out of what papermill and the kernel wrote beside the results."""
    papermill = executed.metadata.get("papermill", {})
    kept = {key: papermill[key] for key in ("version", "parameters", "duration", "exception") if key in papermill}
    executed.metadata["papermill"] = kept | {"input_path": notebook.name}
    executed.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    styled = False
    for cell in executed.cells:
        if "papermill" in cell.metadata:
            cell.metadata["papermill"] = {k: v for k, v in cell.metadata["papermill"].items() if not k.endswith("time")}
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).get("text/html", "")
            if found := STYLE.match(shown):  # once is enough for all cells of a notebook
                output.data["text/html"] = shown[found.end() :] if styled else shown
                styled = True
            if output.output_type == "stream" and output.name == "stderr":
                # Warnings name the library file they come from.
                output.text = publish.redact(re.sub(r"\S*[/\\](?=site-packages[/\\])", "", output.text))


def _text(executed: NotebookNode) -> str:
    import nbformat

    return nbformat.writes(executed) + "\n"


def _known_error(name: str) -> type[CsHelpersError] | None:
    kind = getattr(errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, CsHelpersError) else None


def _commit(folder: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _silent(number: int, cells: int) -> None:
    pass


def _told(tell: Callable[[str], None] | None, message: str) -> None:
    if tell is not None:
        tell(message)


def _prepare_imports() -> None:
    """Before the first import of nbformat or papermill."""
    # jsonschema's format checker builds a grammar of all web addresses (1.2 s) that no notebook schema uses
    # (nbformat #420); a module that is None counts as not installed.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # errors are reported once, by us


def _kernel_manager_class(environment: Mapping[str, str]) -> type:
    """A manager whose kernels have these variables beside those of this process: what they hold stands nowhere else."""
    import zmq
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class ThisInterpreter(AsyncKernelManager):
        """A kernel of this very Python, whatever kernels the user has installed under the name python3."""

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name="Python 3",
                language="python",
                env={"CS_HELPERS_DEBUG": "1", **environment},  # the kept notebook holds the traceback for --debug
                metadata={"supported_encryption": "curve"},
            )

        @default("transport_encryption")
        def _encrypt(self) -> str:
            # Ports of this machine are open to its other users, and the kernel warns where it talks in clear.
            return "auto" if zmq.has("curve") else "disabled"

    return ThisInterpreter
