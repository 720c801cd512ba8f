"""One run of one notebook: executed in a fresh kernel, and published only if it ran to its end.

What the notebook says about itself reaches the run record through its outputs, by MIME type, so that a notebook
run by hand and a scheduled one say the same thing.
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
from cs_helpers.core.audience import KEY_VARIABLE
from cs_helpers.core.errors import ParameterError, ReportFailed
from cs_helpers.publish import changes, leaks, limits, locks, publish, report_index, series, sharing
from cs_helpers.publish.execute import ANSI, Limits, Progress, error_of, execute, known_error, prepare_imports
from cs_helpers.publish.html import STYLE, render_report
from cs_helpers.publish.series import Scalar

if TYPE_CHECKING:
    from nbformat import NotebookNode

Record = dict[str, Any]

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
    progress: Progress | None = None,
    *,
    within: Limits = Limits(),  # noqa: B008 - frozen
    part: str = "",
    about: Mapping[str, Any] | None = None,
    warm: bool = True,
    rebuild: bool = True,
    debug: bool = False,
    tell: Callable[[str], None] | None = None,
    began: Callable[[str, str], None] | None = None,
) -> Record:
    """Runs a notebook and publishes its report under ``out``; returns the run record.

    A failed run is recorded as well (status failed, with ``error``) and its notebook kept; the last good report
    stays as it is. ``parameters`` are completed with the notebook's defaults. ``part`` names the part of a fan-out,
    such as ``segment=smb``, which has a series of its own; ``about`` goes into the record (attempt, scheduled).
    ``began`` is called with series and run id once the series is this run's alone. The index is made anew unless not
    ``rebuild``.

    With ``debug`` an error outside the notebook's cells is raised after it was recorded. Raises ParameterError for a
    parameter the notebook does not declare, before any kernel starts, and ReportFailed where nothing can be written or
    another run of the series does not end; an interrupted run leaves nothing behind.

    With the parameter ``audience`` shared, nothing is published that names an account or a person; what happened is
    then told in full to ``tell`` alone (a line at a time, for the terminal of whoever runs it).
    """
    values = _complete(notebook, parameters)
    name = name_of(notebook, values, part)
    if not out.is_dir():
        _make_folder(out)
    with _alone(out, name, tell):
        publish.repair_latest(out / name)
        record = _new_record(notebook, values, name) | dict(about or {})
        if began:
            began(name, record["run_id"])
        raised = _attempt(notebook, values, out, record, progress or _silent, within, warm, tell)
    if rebuild:
        report_index.rebuild(out)
    if debug and raised is not None:
        raise raised
    return record


def name_of(notebook: Path, parameters: Mapping[str, Scalar], part: str) -> str:
    """The series of a notebook's runs, of one part of its fan-out, for the audience that the parameters name."""
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
    tell: Callable[[str], None] | None,
) -> Exception | None:
    """Executes, publishes or keeps, and completes the record; returns an error outside the cells."""
    clock = time.monotonic()
    shared = record["audience"] != "full"
    environment = sharing.environment(out, record["series"]) if shared else {}
    temporary = publish.temporary_folder(out, record)
    raised: Exception | None = None
    try:
        try:
            temporary.mkdir(parents=True)
        except OSError as error:
            raise ReportFailed(cannot_write(out, error)) from None
        done = execute(notebook, values, progress, environment, within, warm=warm)
        executed, problem = done.notebook, done.problem
        record["peak_memory_mb"] = round(done.peak_memory / 1e6) or None
        names = sharing.take_names(executed)
        private = sharing.Private(notebook, names, environment[KEY_VARIABLE]) if shared else None
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
                kind, said = type(error).__name__, str(error)
                if isinstance(error, OSError):
                    kind, said = "ReportFailed", cannot_write(out, error)
                problem = error_of(None, kind, said)
        if problem is not None:
            record |= {"status": "failed", "error": problem, "duration_s": round(time.monotonic() - clock, 2)}
            if private:
                _told(tell, problem["message"])
                sharing.say_nothing(record, executed, private)
            publish.redact_all(record)
            publish.redact_all(executed)
            try:
                publish.keep_failed(temporary, out, record, _text(executed))
            except OSError as error:
                raise ReportFailed(cannot_write(out, error)) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if private and private.told and private.unscanned:
        _told(tell, sharing.unscanned_words(private))
    return raised


@contextmanager
def _alone(out: Path, name: str, tell: Callable[[str], None] | None) -> Iterator[None]:
    """Only one run of a series goes on at a time, whoever started it, so that the latest report is the latest run's."""
    with locks.hold(out, name) as held:
        if held:
            yield
            return
    _told(tell, f"{name}: another run of this series is going on; waiting for it")
    with locks.hold(out, name, wait=_MAX_WAIT_S) as held:
        if not held:
            raise ReportFailed(
                f"{name}: another run of this series has been going on for {limits.in_words(_MAX_WAIT_S)}.\n"
                "  End that process, which holds the lock in .locks. A time limit (--timeout) keeps a run from that."
            )
        yield


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"{out}: no report can be written there: {error.strerror}.") from None


def cannot_write(out: Path, error: OSError) -> str:
    """What to tell a user whose disk is full, read-only or gone."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    do = "Free space there (cs-helpers prune removes old runs)" if full else "Make the folder writable"
    return (
        f"{out}: could not be written: {error.strerror or error}.\n"
        f"  {do}, or choose another --out. Nothing half-written was published; the last good report stands."
    )


def exit_code(record: Mapping[str, Any]) -> int:
    """0 for a published report; 2 if the user's input was at fault, 1 for any other failure."""
    if record["status"] != "failed":
        return 0
    kind = known_error(record["error"]["ename"])
    return kind.exit_code if kind else 1


def failure_message(record: Mapping[str, Any], out: Path) -> str:
    """What a failed run tells its user; an error of the package is printed as it is."""
    message = str(record["error"]["message"])
    if known_error(record["error"]["ename"]):
        return message
    kept = out / record["series"] / record["run_id"] / "notebook.ipynb"
    if not kept.is_file():
        return message
    return f"{message}\n  The notebook as far as it ran: {kept}\n  Run again with --debug to see the traceback."


def traceback_of(record: Mapping[str, Any], out: Path) -> str:
    """The traceback that a failed run left in its kept notebook, without colours; empty if there is none."""
    prepare_imports()
    import nbformat

    kept = out / record["series"] / record["run_id"] / "notebook.ipynb"
    outputs = (o for c in nbformat.read(kept, as_version=4).cells for o in c.get("outputs", []))
    return ANSI.sub("", "\n".join(line for o in outputs if o.output_type == "error" for line in o.traceback))


def lost(notebook: Path, parameters: Mapping[str, Scalar], name: str, out: Path, about: Mapping[str, Any]) -> Record:
    """The record of a run whose process died without a word, written where the failed runs stand."""
    record = _new_record(notebook, _complete(notebook, parameters), name) | dict(about)
    said = f"{notebook.name}: the process of this run was killed, or memory ran out"
    record |= {"status": "failed", "error": error_of(None, "DeadKernelError", said)}
    if record["audience"] != "full":
        record |= {"parameters": {}, "source": None}  # nobody looked whether they name somebody
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
        # Milliseconds, because the order of runs is the order of their ids.
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


def _commit(folder: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _told(tell: Callable[[str], None] | None, message: str) -> None:
    if tell is not None:
        tell(message)


def _silent(number: int, cells: int) -> None:
    pass
