"""Places data come from. Today: a folder of CSV files, read as text, exactly as written.

A source knows names, bytes and fields; it knows nothing of accounts or dates. Nothing is turned into
"missing" on the way in: the text ``NA`` stays ``NA``, ``00123`` stays ``00123``, an empty field is ``""``.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from cs_helpers.errors import SourceError, did_you_mean, row_phrase

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
WRITTEN = {"\t": "tab"}


def open_source(path: str | Path) -> FolderOfCsv:
    """The source at ``path``. Raises SourceError where nothing is there, or nothing that can be read."""
    folder, name = locate(path), display_name(Path(path).expanduser())
    if not folder.exists():
        there = [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
        raise SourceError(
            f"{name}: there is no such folder.{did_you_mean(folder.name, there)}\n"
            "  Give the folder that holds accounts.csv and subscriptions.csv, or one with a mapping for its files."
        )
    if not folder.is_dir():
        raise SourceError(f"{name}: this is a file.\n  Give the folder it lies in: {display_name(folder.parent)}")
    source = FolderOfCsv(folder, name)
    if not source.names():
        others = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))[:5]
        holds = f"It holds: {', '.join(others)}. " if others else ""
        raise SourceError(
            f"{name}: the folder is empty; there is no CSV file in it.\n"
            f"  {holds}Put accounts.csv and subscriptions.csv there, or give another folder."
        )
    return source


def locate(path: str | Path) -> Path:
    """Where a path leads: from the working directory, or from the folder above where that is ``notebooks``.

    JupyterLab starts a notebook in its own folder, the command line in the project's; ``data/sample`` must
    mean the same in both.
    """
    given, here = Path(path).expanduser(), Path.cwd()
    above = here.parent / given
    return above if here.name == "notebooks" and not given.exists() and above.exists() else given


def display_name(path: Path) -> str:
    """A path as a report may print it: relative, or the last part alone where it lies elsewhere."""
    if not path.is_absolute():
        return path.as_posix()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name


class FolderOfCsv:
    """A folder of CSV files. Remembers the digest of every file it has read."""

    def __init__(self, folder: Path, name: str):
        self.folder = folder
        self.name = name
        self._digests: dict[str, str] = {}

    def names(self) -> list[str]:
        return sorted(entry.name for entry in self.folder.iterdir() if entry.suffix.lower() == ".csv")

    def read(self, name: str, separator: str = ",", encoding: str = "utf-8") -> pd.DataFrame:
        """One file as columns of text, with the file's line numbers as index (the header is line 1).

        Blank lines are skipped. Raises SourceError for a file that is missing, empty, without rows, not in
        the declared encoding, with another separator, or with rows of another length than its header.
        """
        data = self._bytes(name)
        self._digests[name] = hashlib.sha256(data).hexdigest()
        return read_csv(name, data, separator, encoding)

    def fingerprint(self) -> str:
        """Twelve hex digits over the bytes of the files read so far; the folder's place does not matter."""
        lines = "".join(f"{name} {digest}\n" for name, digest in sorted(self._digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()[:12]

    def _bytes(self, name: str) -> bytes:
        path = self.folder / name
        if not path.is_file():
            there = self.names()
            raise SourceError(
                f"{name}: there is no such file in {self.name}.{did_you_mean(name, there)}\n"
                f"  It holds: {_listed(there)}. Add the file, or name the one that holds this table in the mapping: "
                "`tables: {<table>: {file: ...}}`."
            )
        try:
            return path.read_bytes()
        except OSError as error:
            raise SourceError(f"{name}: cannot be read: {error.strerror}.\n  Check who may read the file.") from error


def read_csv(name: str, data: bytes, separator: str, encoding: str) -> pd.DataFrame:
    """The bytes of one CSV file as columns of text; see ``FolderOfCsv.read``."""
    rows, lines = _records(name, _text(name, data, encoding), separator)
    if not rows:
        raise SourceError(f"{name}: the file is empty.\n  Export it again: a table has a header and rows.")
    header = [field.strip() for field in rows[0]]
    _check_separator(name, header, separator)
    body = rows[1:]
    if set(map(len, body)) - {len(header)}:
        _refuse_ragged(name, body, lines[1:], len(header))
    if not body:
        raise SourceError(
            f"{name}: the file has a header and no rows.\n"
            "  Export it again: a table without rows would read as a company without customers."
        )
    frame = pd.DataFrame(body, columns=range(len(header)), index=pd.Index(lines[1:], name="line"), dtype="str")
    return _named(name, header, frame)


def _text(name: str, data: bytes, encoding: str) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"  # the mark at the start says so, whatever was declared
    wide = encoding.lower().replace("-", "").replace("_", "").startswith(("utf16", "utf32"))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and not wide:
        raise SourceError(f"{name}: the file is written in UTF-16.\n  Set `encoding: utf-16` in the mapping.")
    if b"\0" in data and not wide:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise SourceError(
            f"{name}, row {line}: there is a NUL byte in it; this is not text, or the file is damaged.\n"
            "  Export it again as CSV; a workbook renamed to .csv stays a workbook."
        )
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        begin = data.rfind(b"\n", 0, error.start) + 1
        word = data[max(begin, error.start - 12) : error.start + 12].splitlines()[0].decode("latin-1")
        byte = f"byte 0x{data[error.start]:02X} (number {error.start + 1:,} of the file)"
        raise SourceError(
            f"{name}, row {line}: {byte} is not {encoding}.\n"
            f"  Set `encoding: latin-1` in the mapping if this reads well: {word!r}. Otherwise export it as UTF-8."
        ) from error
    except UnicodeError as error:  # codecs that say no more than that they cannot
        raise SourceError(
            f"{name}: cannot be read as {encoding} ({error}).\n"
            "  Set `encoding: utf-8` in the mapping, or the one the file was exported in."
        ) from error


def _records(name: str, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """The records that hold anything, and the line each one begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(reader)
        if reader.line_num == len(rows):
            lines = list(range(1, len(rows) + 1))
        else:  # a quoted field runs over several lines
            reader, lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), []
            for _ in rows:
                lines.append(reader.line_num + 1)
                next(reader)
    except csv.Error as error:
        raise SourceError(
            f"{name}, row {reader.line_num}: cannot be read as CSV ({error}).\n"
            '  A field that begins with a double quote has to end with one; a quote inside is written twice ("").'
        ) from error
    if all(map(any, rows)):
        return rows, lines
    kept = [position for position, row in enumerate(rows) if any(row)]
    return [rows[position] for position in kept], [lines[position] for position in kept]


def _check_separator(name: str, header: list[str], separator: str) -> None:
    if len(header) > 1:
        return
    other = max(SEPARATORS, key=header[0].count)
    if other != separator and other in header[0]:
        raise SourceError(
            f"{name}, row 1: the header is one column, {header[0][:60]!r}: the fields are separated by "
            f"{SEPARATORS[other]}, not by {SEPARATORS.get(separator, repr(separator))}.\n"
            f'  Set `separator: "{WRITTEN.get(other, other)}"` in the mapping.'
        )


def _refuse_ragged(name: str, body: list[list[str]], lines: list[int], width: int) -> None:
    odd = [(line, len(row)) for line, row in zip(lines, body, strict=True) if len(row) != width]
    counts = ", ".join(str(n) for n in dict.fromkeys(n for _, n in odd[:5]))
    raise SourceError(
        f"{name}{row_phrase([line for line, _ in odd[:5]], len(odd))}: {counts} fields where the header has {width}.\n"
        "  Put double quotes around fields that contain the separator, or export the file again."
    )


def _named(name: str, header: list[str], frame: pd.DataFrame) -> pd.DataFrame:
    """Headers on the columns; a nameless column is dropped if it is empty, and refused if it is not."""
    nameless = [place for place, title in enumerate(header) if not title]
    filled = [place for place in nameless if (frame[place] != "").any()]
    if filled:
        raise SourceError(f"{name}, row 1: column {filled[0] + 1} has values and no name.\n  Name it in the header.")
    twice = sorted({title for title in header if title and header.count(title) > 1})
    if twice:
        raise SourceError(
            f"{name}, row 1: the header has {_listed(map(repr, twice))} more than once.\n"
            "  Rename or remove one of the columns: which one is meant cannot be known."
        )
    kept = frame.drop(columns=nameless)
    return kept.set_axis([title for title in header if title], axis=1)


def _listed(names: Iterable[str]) -> str:
    given = list(names)
    return ", ".join(given[:12]) + (f" and {len(given) - 12} more" if len(given) > 12 else "")
