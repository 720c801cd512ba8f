"""One run of one notebook: it is executed in a new kernel and published only if every cell ran to its end.

The run record takes its figures and takeaways from the notebook's outputs, by MIME type. A notebook that is executed
by hand therefore shows the same figures as a scheduled run.
"""

from __future__ import annotations

import errno
import math
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cs_helpers
from cs_helpers.core.audience import KEY_VARIABLE, NAMES_VARIABLE
from cs_helpers.core.errors import ParameterError, ReportFailed
from cs_helpers.publish import changes, leaks, limits, locks, publish, report_index, series, sharing
from cs_helpers.publish.execute import (
    ANSI,
    Limits,
    Progress,
    cell_number,
    error_of,
    execute,
    known_error,
    prepare_imports,
)
from cs_helpers.publish.html import STYLE, cells_above_sections, render_report
from cs_helpers.publish.series import Record, Scalar, outputs

if TYPE_CHECKING:
    from nbformat import NotebookNode

SCHEMA_VERSION = 1
MIME = "application/vnd.cs-helpers.{}+json"

_FILE_NAME = re.compile(r"[a-z0-9_]+\.(csv|json)")
_CREDENTIALS = re.compile(r"://[^/@\s]*@")
_MAX_WAIT_S = 3600.0
_NUMBERS = ("value", "low", "high", "n", "numerator", "denominator", "previous")


def run(
    notebook: Path,
    parameters: Mapping[str, Scalar],
    out: Path,
    progress: Progress = lambda number, cells: None,
    *,
    within: Limits = Limits(),  # noqa: B008 - frozen
    part: str = "",
    about: Mapping[str, Any] | None = None,
    warm: bool = True,
    rebuild: bool = True,
    debug: bool = False,
    tell: Callable[[str], None] = lambda message: None,
    began: Callable[[str, str], None] = lambda series, run_id: None,
) -> Record:
    """Runs a notebook and publishes its report under ``out``; returns the run record.

    A failed run is recorded too (status failed, with ``error``) and its notebook is kept; the last good report stays
    in place. An interrupted run leaves nothing behind.

    - ``parameters``: values for declared parameters; the notebook's defaults complete them.
    - ``progress``: called before each cell with its number and the number of cells.
    - ``within``: limits of time and memory.
    - ``part``: the part of a fan-out, such as ``segment=smb``; each part is a series of its own.
    - ``about``: further fields of the record (attempt, scheduled).
    - ``rebuild``: whether the index page is written again.
    - ``debug``: raise an error outside the notebook's cells again after it was recorded.
    - ``tell``: receives messages for the terminal. If the audience is shared, nothing that names an account or a
      person is published, and only ``tell`` receives the full error message.
    - ``began``: called with series and run id as soon as this run holds the lock of its series.

    Raises ParameterError for a parameter that the notebook does not declare, before any kernel starts, and
    ReportFailed if nothing can be written or another run of the series does not end.
    """
    values = _complete(notebook, parameters)
    name = name_of(notebook, values, part)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(
            f"{out}: no report can be written there: {error.strerror}.\n"
            "  Make the folder writable, or choose another --out."
        ) from None
    with _series_lock(out, name, tell):
        publish.repair_latest(out / name)
        record = _new_record(notebook, values, name) | dict(about or {})
        began(name, record["run_id"])
        raised = _attempt(notebook, values, out, record, progress, within, warm, tell)
    if rebuild:
        report_index.rebuild(out)
    if debug and raised is not None:
        raise raised
    return record


def name_of(notebook: Path, parameters: Mapping[str, Scalar], part: str) -> str:
    """The name of the series: notebook, part of a fan-out if any, and audience unless it is full."""
    whole = series.series_name(notebook)
    return sharing.series_of(f"{whole}/{part}" if part else whole, sharing.audience_of(parameters))


def _attempt(
    notebook: Path,
    values: dict[str, Scalar],
    out: Path,
    record: Record,
    progress: Progress,
    within: Limits,
    warm: bool,
    tell: Callable[[str], None],
) -> Exception | None:
    """Executes the notebook, publishes it or keeps it as failed, and completes the record.

    Returns an error that happened outside the notebook's cells, or None.
    """
    prepare_imports()
    from nbformat import writes

    clock = time.monotonic()
    name, shared = record["series"], record["audience"] != "full"
    # The kernel of a shared run gets the key of the series and is asked to state private names.
    environment = {KEY_VARIABLE: sharing.series_key(out, name), NAMES_VARIABLE: "1"} if shared else {}
    temporary = publish.temporary_folder(out, record)
    raised: Exception | None = None
    try:
        try:
            temporary.mkdir(parents=True)
        except OSError as error:
            raise ReportFailed(cannot_write(out, error)) from None
        executed, problem, peak_memory = execute(notebook, values, progress, environment, within, warm=warm)
        record["peak_memory_mb"] = round(peak_memory / 1e6) or None
        names = sharing.take_names(executed)
        private = sharing.Private(notebook, names, environment[KEY_VARIABLE]) if shared else None
        _tidy(executed, notebook)
        if problem is None:
            try:
                record |= _fields_from_outputs(executed, record)
                if private:
                    sharing.withhold(record, executed, private)
                record["changed"] = changes.since_last(record, out)
                record["duration_s"] = round(time.monotonic() - clock, 2)
                files = _files(executed)
                check = partial(leaks.scan, names=private.names) if private else None
                publish.publish(
                    temporary, out, record, f"{writes(executed)}\n", render_report(executed, record), files, check
                )
            except Exception as error:
                if not temporary.is_dir():  # already published, so the run did not fail
                    raise
                raised = error
                kind, message = type(error).__name__, str(error)
                if isinstance(error, OSError):
                    kind, message = "ReportFailed", cannot_write(out, error)
                problem = error_of(None, kind, message)
        if problem is not None:
            record |= {"status": "failed", "error": problem, "duration_s": round(time.monotonic() - clock, 2)}
            if private:
                tell(problem["message"])
                sharing.withhold_details(record, executed, private)
            publish.redact_all(record)
            publish.redact_all(executed)
            try:
                publish.keep_failed(temporary, out, record, f"{writes(executed)}\n")
            except OSError as error:
                raise ReportFailed(cannot_write(out, error)) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if problem is None and (numbers := [str(cell_number(executed, at)) for at in cells_above_sections(executed)]):
        tell(
            f"{notebook.name}, cell{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}: the report leaves out what "
            "is above the first section.\n  Put a markdown cell that begins with '## Heading' above it."
        )
    if private and private.names_stated and private.unscanned:
        tell(sharing.unscanned_words(private))
    return raised


@contextmanager
def _series_lock(out: Path, name: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of a series: only one run of it at a time, so that the latest report belongs to the latest run."""
    with locks.hold(out, name) as held:
        if held:
            yield
            return
    tell(f"{name}: another run of this series is in progress; waiting for it to end")
    with locks.hold(out, name, wait=_MAX_WAIT_S) as held:
        if not held:
            raise ReportFailed(
                f"{name}: another run of this series has been in progress for {limits.in_words(_MAX_WAIT_S)}.\n"
                "  Stop that process; it holds the lock in .locks. A time limit (--timeout) prevents endless runs."
            )
        yield


def cannot_write(out: Path, error: OSError) -> str:
    """The message for a disk that is full, read-only or missing."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    do = "Free space there (cs-helpers prune removes old runs)" if full else "Make the folder writable"
    return (
        f"{out}: could not be written: {error.strerror or error}.\n"
        f"  {do}, or choose another --out. Nothing incomplete was published; the last good report is unchanged."
    )


def exit_code(record: Mapping[str, Any]) -> int:
    """0 for a published report, 2 if the input was wrong, 1 for any other failure."""
    if record["status"] != "failed":
        return 0
    kind = known_error(record["error"]["ename"])
    return kind.exit_code if kind else 1


def failure_message(record: Mapping[str, Any], out: Path) -> str:
    """The message of a failed run for the terminal. An error of this package is complete; others name the notebook."""
    message = str(record["error"]["message"])
    if known_error(record["error"]["ename"]):
        return message
    notebook_file = out / record["series"] / record["run_id"] / "notebook.ipynb"
    if not notebook_file.is_file():
        return message
    return (
        f"{message}\n  The notebook as far as it ran: {notebook_file}\n  Run again with --debug to see the traceback."
    )


def traceback_of(record: Mapping[str, Any], out: Path) -> str:
    """The traceback in the notebook of a failed run, without colour codes; empty if there is none."""
    prepare_imports()
    import nbformat

    notebook_file = out / record["series"] / record["run_id"] / "notebook.ipynb"
    errors = (o for o in outputs(nbformat.read(notebook_file, as_version=4)) if o.output_type == "error")
    return ANSI.sub("", "\n".join(line for error in errors for line in error.traceback))


def lost(notebook: Path, parameters: Mapping[str, Scalar], name: str, out: Path, about: Mapping[str, Any]) -> Record:
    """Writes and returns the record of a run whose process died before it could write one."""
    record = _new_record(notebook, _complete(notebook, parameters), name) | dict(about)
    message = f"{notebook.name}: the process of this run was killed, or memory ran out"
    record |= {"status": "failed", "error": error_of(None, "DeadKernelError", message)}
    if record["audience"] != "full":
        record |= {"parameters": {}, "source": None}  # they were not checked for names
    publish.redact_all(record)
    temporary = publish.temporary_folder(out, record)
    temporary.mkdir(parents=True)
    publish.keep_failed(temporary, out, record, None)
    return record


def _new_record(notebook: Path, values: dict[str, Scalar], name: str) -> Record:
    source, audience = values.get("source"), sharing.audience_of(values)
    started = datetime.now(UTC)
    title, question = series.title_and_question(notebook)
    return {
        "schema_version": SCHEMA_VERSION,
        "series": name,
        # With milliseconds, because runs are sorted by id.
        "run_id": f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03d}Z-{secrets.token_hex(2)}",
        "subject": series.series_name(notebook),
        "title": title,
        "question": question,
        "status": "ok",
        "attempt": 1,
        "scheduled": None,
        "started_at": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration_s": 0.0,
        "peak_memory_mb": None,
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
    """All parameters: the notebook's defaults, replaced by ``parameters``.

    Absolute paths become relative, because parameters are published and paths of this machine must not be.
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


def _fields_from_outputs(executed: NotebookNode, record: Record) -> Record:
    """The record's fields that come from the notebook's outputs, and the status that follows from them."""
    fields: Record = {"headline": [], "takeaways": [], "quality": []}
    report: Record = {}
    for output in outputs(executed):
        data = output.get("data", {})
        for key, so_far in fields.items():
            so_far.extend(data.get(MIME.format(key), {}).get(key, []))
        report |= data.get(MIME.format("report"), {})
    _refuse_not_a_number(record["notebook"], fields["headline"])
    for key in ("as_of", "source", "source_fingerprint", "definitions_version"):
        fields[key] = report.get(key) if report.get(key) is not None else record[key]
    if isinstance(fields["source"], str):
        fields["source"] = _CREDENTIALS.sub("://", fields["source"])
        fields["source"] = os.path.relpath(fields["source"]) if os.path.isabs(fields["source"]) else fields["source"]
    noticed = {"warning", "set aside", "error"} & {str(entry.get("severity")) for entry in fields["quality"]}
    fields["status"] = "warnings" if noticed else "ok"
    return fields


def _files(executed: NotebookNode) -> dict[str, str]:
    """Files to publish beside the report; they are removed from the outputs, so that they are stored once."""
    found: dict[str, str] = {}
    for output in outputs(executed):
        files = output.get("data", {}).pop(MIME.format("files"), {}).get("files", {})
        if wrong := [name for name in files if not _FILE_NAME.fullmatch(name)]:
            raise ReportFailed(
                f"The notebook writes a file named {wrong[0]!r}.\n"
                "  Use small letters, digits and _, with .csv or .json."
            )
        found |= {name: str(text) for name, text in files.items()}
    return found


def _refuse_not_a_number(notebook: str, headline: list[Record]) -> None:
    """Raises ReportFailed for a headline number that is NaN, infinite or a text (Jupyter turns NaN into 'nan')."""
    wrong = [
        f"{notebook}: headline '{tile.get('key')}': {field} is {value}. "
        "Use None for a number that cannot be computed, and state the reason."
        for tile in headline
        for field in _NUMBERS
        if (value := tile.get(field)) is not None and not (isinstance(value, int | float) and math.isfinite(value))
    ]
    if wrong:
        raise ReportFailed("\n".join(wrong))


def _tidy(executed: NotebookNode, notebook: Path) -> None:
    """Removes this machine's paths and times from the metadata that papermill and the kernel wrote."""
    papermill = executed.metadata.get("papermill", {})
    fields = {key: papermill[key] for key in ("version", "parameters", "duration", "exception") if key in papermill}
    executed.metadata["papermill"] = fields | {"input_path": notebook.name}
    executed.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    styled = False
    for cell in executed.cells:
        if "papermill" in cell.metadata:
            cell.metadata["papermill"] = {k: v for k, v in cell.metadata["papermill"].items() if not k.endswith("time")}
    for output in outputs(executed):
        shown = output.get("data", {}).get("text/html", "")
        if found := STYLE.match(shown):  # one style for all cells of a notebook
            output.data["text/html"] = shown[found.end() :] if styled else shown
            styled = True
        if output.output_type == "stream" and output.name == "stderr":
            # Warnings name the file of the library that they come from.
            output.text = publish.redact(re.sub(r"\S*[/\\](?=site-packages[/\\])", "", output.text))


def _commit(folder: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
