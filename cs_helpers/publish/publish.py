"""Publishes a finished run: all of its files or none, and never with a secret in them."""

from __future__ import annotations

import filecmp
import html
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import ReportFailed

_SECRET_NAMES = re.compile("PASSW(?:OR)?D|TOKEN|SECRET|KEY|CREDENTIAL|SMTP|HOOK|SLACK|DSN", re.IGNORECASE)
# A password in an address; a webhook address is a secret as a whole.
_SECRET_VALUES = re.compile(r"://[^/@\s]+@|^https://hooks\.")
_MIN_SECRET_LENGTH = 8
# Invisible characters such as direction overrides: a line of the record must not look like another one.
_UNSEEN = re.compile("[\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def publish(
    temporary: Path,
    out: Path,
    record: Mapping[str, Any],
    notebook: str,
    report: str,
    beside: Mapping[str, str] | None = None,
    check: Callable[[Mapping[str, str]], list[str]] | None = None,
) -> Path:
    """Publishes one good run; returns its new folder.

    ``beside`` holds further files of the notebook (name -> text). All files are written to ``temporary`` (inside
    ``out``) before one rename makes them visible; then ``latest.html`` is replaced in one step. Raises ReportFailed,
    with nothing published, if a file holds an absolute path of this machine or the value of a secret from the
    environment, or if ``check`` (called with name -> text of all files) returns problems.
    """
    files = {**(beside or {}), "report.html": report, "notebook.ipynb": notebook, "run.json": dump_record(record)}
    problems = [problem for name, text in files.items() for problem in scan(name, text)]
    problems += check(files) if check else []
    if problems:
        raise ReportFailed("\n".join(["Not published:", *(f"  {problem}" for problem in problems)]))
    folder = _move(temporary, out, record, files)
    replace_file(folder.parent / "latest.html", report)
    return folder


def keep_failed(temporary: Path, out: Path, record: Mapping[str, Any], notebook: str | None) -> Path:
    """Keeps notebook and record of a failed run, to find the cause; earlier reports are not changed."""
    files = {} if notebook is None else {"notebook.ipynb": notebook}
    return _move(temporary, out, record, files | {"run.json": dump_record(record)})


def temporary_folder(out: Path, record: Mapping[str, Any]) -> Path:
    """The folder in which a run is prepared: on the disk of the reports, hidden so that it does not look like a run."""
    return out / f".{record['series'].replace('/', '-')}-{record['run_id']}"


def repair_latest(folder: Path) -> None:
    """Corrects ``latest.html`` of a series if a killed process left an older report there.

    Call it only while holding the lock of the series.
    """
    newest = max(folder.glob("[!.]*/report.html"), default=None, key=lambda report: report.parent.name)
    latest = folder / "latest.html"
    if newest and not (latest.exists() and filecmp.cmp(newest, latest, shallow=False)):
        replace_file(latest, newest.read_text(encoding="utf-8"))


def dump_record(record: Mapping[str, Any]) -> str:
    """The text of run.json, with invisible characters written as escapes. Raises ValueError on NaN and infinity."""
    text = json.dumps(record, allow_nan=False, sort_keys=True, indent=1, ensure_ascii=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def replace_file(path: Path, text: str) -> None:
    """Replaces a file in one step: a reader sees the old text or the new one, never a part of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write(temporary, text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def scan(name: str, text: str) -> list[str]:
    """Problems that forbid publishing a text: the kind of problem and its place, never the secret itself."""
    found = []
    for what, pattern in _forbidden():
        if hits := list(pattern.finditer(text)):
            found.append(f"{name}, {_where(name, text, pattern, hits[0].start())}: holds {what}")
    return found


def redact(text: str) -> str:
    """The text with shortened paths, and with the name of a secret in place of its value."""
    for folder, short in _folders():
        text = re.sub(_folder_pattern(folder) + r"[/\\]", short, text)
        text = re.sub(_folder_pattern(folder), short.rstrip("/") or ".", text)
    for variable, value in _secrets():
        text = text.replace(value, f"[value of {variable}]")
    return text


def redact_all(value: Any) -> Any:
    """Redacts every text in nested lists and dictionaries, in place if possible; keys stay unchanged."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        for key in value:
            value[key] = redact_all(value[key])
    elif isinstance(value, list):
        value[:] = [redact_all(item) for item in value]
    return value


def _move(temporary: Path, out: Path, record: Mapping[str, Any], files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        _write(temporary / name, text)
    _sync_folder(temporary)
    folder: Path = out / record["series"] / record["run_id"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.rename(temporary, folder)
    _sync_folder(folder.parent)
    return folder


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes new file names survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forbidden() -> Iterator[tuple[str, re.Pattern[str]]]:
    for folder, short in _folders():
        kind = "your home folder" if short.startswith("~") else "the working directory"
        spellings = {_folder_pattern(folder), _folder_pattern(folder.replace("\\", "\\\\"))}
        yield f"an absolute path below {kind}", re.compile("|".join(spellings))
    for variable, value in _secrets():
        spelled = {value, html.escape(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        yield f"the value of the environment variable {variable}", re.compile("|".join(map(re.escape, spelled)))


def _folders() -> list[tuple[str, str]]:
    """Folders whose paths identify this machine, longest first, each with its replacement."""
    working = {str(Path.cwd()), os.environ.get("PWD", "")}
    found = {str(Path.home()): "~/"} | dict.fromkeys(working, "")
    telling = [(folder, short) for folder, short in found.items() if len(Path(folder).parts) > 1]
    return sorted(telling, key=lambda pair: -len(pair[0]))


def _folder_pattern(folder: str) -> str:
    # Not after a dot or a name: ``../top/data`` is not an absolute path.
    return rf"(?<![\w.~-]){re.escape(folder)}(?![\w.-])"


def _secrets() -> Iterator[tuple[str, str]]:
    """Name and value of each secret variable; each line of a longer value by itself, as notebooks store them."""
    for variable, value in os.environ.items():
        if not (_SECRET_NAMES.search(variable) or _SECRET_VALUES.search(value)):
            continue
        for line in value.splitlines():
            if len(line.strip()) >= _MIN_SECRET_LENGTH and not line.startswith("-----"):
                yield variable, line.strip()


def _where(name: str, text: str, pattern: re.Pattern[str], start: int) -> str:
    if name.endswith(".ipynb"):
        for number, cell in enumerate(json.loads(text)["cells"], 1):
            if pattern.search(json.dumps(cell, ensure_ascii=False)):
                source = "".join(cell["source"]).strip().splitlines() or [""]
                return f"cell {number} ({source[0][:40]})"
        return "metadata"
    return f"line {text.count(chr(10), 0, start) + 1}"
