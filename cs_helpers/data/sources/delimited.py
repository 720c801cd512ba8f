"""CSV files: fields as written, apart from the blanks around them; an empty field is missing, ``NA`` stays ``NA``.

Arrow's parallel reader takes files without a quote, or whose quotes stand around whole fields. What it has read is kept
only where the number of separators shows that no field was lost or shifted. The strict reader in Python reads
everything else, and its messages are the ones that people see.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from cs_helpers.core.errors import SourceError, row_phrase
from cs_helpers.data.engines.duckdb import DuckDB, quote
from cs_helpers.data.sources import characters
from cs_helpers.data.sources.characters import HEAD, UTF8, Scan, chunks, not_written_in, plain, scan, word_beyond_ascii
from cs_helpers.data.sources.shapes import blank_row, shape_of, stripped, times, well_quoted
from cs_helpers.data.sources.staged import (
    BLANKS,
    LINE,
    ReadOptions,
    Staged,
    check_headers,
    digest_of,
    nameless,
    title_above,
    without_rows,
)

TAB = "\t"
SEPARATORS = {",": "comma", ";": "semicolon", TAB: "tab", "|": "vertical bar"}
MAX_FIELD_SIZE = 1 << 30
BATCH = 50_000
BLOCK = 1 << 22  # bytes a thread splits at a time
SAMPLED = 100  # records from which the separator is found
SHOWN = 5
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """A CSV file as plain UTF-8, and what is known about it before its rows are read."""

    name: str
    path: Path
    separator: str
    begin: int  # lines before the header
    header: tuple[str, ...]
    scan: Scan
    separators_before: int  # separators in the header and above it
    simple_head: bool  # the header is the first line after ``begin``, and a single one

    @property
    def named(self) -> list[int]:
        """The places of the columns that have a name."""
        return [place for place, title in enumerate(self.header) if title]


def stage_csv(engine: DuckDB, name: str, path: Path, target: str, options: ReadOptions) -> tuple[Staged, str]:
    """One CSV file, compressed or not, as the engine's table ``target``; and the digest of its bytes."""
    with tempfile.TemporaryDirectory(prefix="cs-helpers-") as place:
        text, detected, digest = _prepared(name, path, options, Path(place))
        rows = _quick(engine, text, target) if text.simple_head else None
        if rows is None:
            rows = _strictly(engine, text, target)
    headers, settled = tuple(title for title in text.header if title), replace(options, separator=text.separator)
    held, places = engine.held.get(target), {text.header[place]: f":{place}" for place in text.named}

    def find_shape(header: str) -> str:
        return shape_of(held[places[header]]) if held is not None and header in places else ""

    staged = Staged(
        name, target, headers, dict.fromkeys(headers, "text"), rows, tuple(detected),
        find_lines=lambda records: _lines(name, path, settled, records), find_shape=find_shape,
    )  # fmt: skip
    return staged, digest


# --- before the rows ------------------------------------------------------------------------------------------


def _prepared(name: str, path: Path, options: ReadOptions, place: Path) -> tuple[Text, list[str], str]:
    """The file as UTF-8 text with a known separator and header, what was found out, and the digest of its bytes."""
    plain_path, detected, is_packed = path, list[str](), path.suffix.lower() == ".gz"
    if is_packed:
        plain_path = _unpacked(name, path, place / "unpacked.csv")
    head = _head(plain_path)
    if not head:
        raise SourceError(f"{name}: the file is empty.\n  Export it again: a table has a header and rows.")
    characters.refuse_other_kinds(name, head)
    encoding = _wide_encoding(name, head, options.encoding, detected)
    recoded, digest = place / "utf8.csv", ""
    if encoding:
        digest = characters.recode(name, plain_path, encoding, recoded)
        plain_path = recoded
    text = _headed(name, plain_path, options, detected)
    found = scan(plain_path, text.separator)
    if found.nul:
        characters.refuse_nul(name, plain_path)
    if not encoding and (narrow := _narrow_encoding(name, plain_path, found, options.encoding, detected)):
        digest = characters.recode(name, plain_path, narrow, recoded)
        text = _headed(name, recoded, options, [])
        found = scan(recoded, text.separator)
    return replace(text, scan=found), detected, digest_of(path) if is_packed else digest or found.digest


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(HEAD)


def _unpacked(name: str, path: Path, target: Path) -> Path:
    try:
        with gzip.open(path) as packed, target.open("wb") as out:
            shutil.copyfileobj(packed, out)
    except (OSError, EOFError, zlib.error) as error:
        what = "its end is missing" if isinstance(error, EOFError) else "it is damaged or not compressed with gzip"
        raise SourceError(f"{name}: cannot be unpacked: {what}.\n  Copy or export it again, whole.") from error
    return target


def _wide_encoding(name: str, head: bytes, declared: str | None, detected: list[str]) -> str:
    """UTF-16 or UTF-32, declared or found; empty for encodings with one byte per plain letter."""
    found, wide = characters.found_wide(head), declared is not None and plain(declared).startswith(characters.WIDE)
    if found and declared is None:
        detected.append(f"{name}: read as {found.upper()}, as found.")
        return found
    if found and not wide:
        shown = "UTF-16" if found.startswith("utf-16") else found.upper()
        raise SourceError(f"{name}: the file is written in {shown}.\n  Set `encoding: {found}` in the mapping.")
    if wide and not found and b"\0" not in head and len(head) > 1:
        raise SourceError(
            f"{name}: cannot be read as {declared}: every letter has one byte, not two.\n"
            "  Set `encoding: utf-8` in the mapping, or the one the file was exported in."
        )
    return str(declared) if wide else ""


def _narrow_encoding(name: str, path: Path, found: Scan, declared: str | None, detected: list[str]) -> str:
    """The encoding to read the file in where that is not UTF-8; empty where it is."""
    if found.ascii or _head(path).startswith(codecs.BOM_UTF8):
        declared = None if declared is None or plain(declared) in UTF8 or found.utf8 else "utf-8"
    if found.ascii and declared is None:
        return ""
    if declared is None or plain(declared) in UTF8:
        if found.utf8 and (declared is None or "ascii" not in plain(declared)):
            return ""
        if declared is not None or found.wide_characters:
            raise not_written_in(name, path, declared or "utf-8")
        word = word_beyond_ascii(path, "cp1252")
        detected.append(
            f"{name}: not UTF-8, read as cp1252 (Windows, Western Europe); check that this word reads well: {word!r}. "
            "If it does not, set `encoding` in the mapping."
        )
        try:
            for chunk in chunks(path):
                chunk.decode("cp1252")
        except UnicodeDecodeError:
            raise not_written_in(name, path, "utf-8") from None
        return "cp1252"
    if found.utf8 and not found.ascii and _one_byte_each(declared):
        word, wrong = word_beyond_ascii(path, "utf-8"), word_beyond_ascii(path, declared)
        raise SourceError(
            f"{name}: declared as {declared}, but it is written in UTF-8: {word!r} would read as {wrong!r}.\n"
            "  Remove `encoding` from the mapping, or set `encoding: utf-8` for this table."
        )
    return declared


def _one_byte_each(encoding: str) -> bool:
    """Whether an encoding has one byte per character, as the Western European ones do."""
    try:
        return len(bytes(range(0x20, 0x80)).decode(encoding)) == 0x60 and len("é".encode(encoding)) == 1
    except UnicodeError:
        return False


def _headed(name: str, path: Path, options: ReadOptions, detected: list[str]) -> Text:
    """The separator and the header with its line, from the first lines of the file."""
    raw = _head(path)
    text = list(io.StringIO(raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace"), newline=""))
    begin, marked = 0, None
    if text and (match := _SEP_LINE.fullmatch(text[0])) and options.header_row is None:
        begin, marked = 1, match[1]
    if options.header_row is not None:
        begin = options.header_row - 1
    if len(raw) == HEAD and begin >= len(text) - 1:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
            text = list(islice(handle, begin + SAMPLED))
    after = text[begin:]
    if not any(line.strip() for line in after):
        what = "the file is empty" if not begin or marked else f"there is nothing in row {begin + 1} or below"
        raise SourceError(f"{name}: {what}.\n  Export it again: a table has a header and rows.")
    separator = options.separator or marked or _likely(after)
    if options.separator is None and separator != ",":
        why = "as its first line says" if marked else "as found"
        separators = f"{SEPARATORS[separator]}s" if separator in SEPARATORS else repr(separator)
        detected.append(f"{name}: fields are separated by {separators}, {why}.")
    records = _sampled(after, separator)
    first = next((place for place, (_, record) in enumerate(records) if any(map(str.strip, record))), None)
    if first is None:
        raise SourceError(f"{name}: no field of its first rows has a value.\n  Say where its header is: `header_row`.")
    row = records[first][0] + begin
    header = tuple(field.strip() for field in records[first][1])
    if options.separator:
        _check_separator(name, row, header, separator)
    if options.header_row is None:
        _refuse_title(name, header, [(number + begin, record) for number, record in records[first + 1 :]])
    elif row != options.header_row:
        raise SourceError(
            f"{name}, row {options.header_row}: this row is empty; the header stands elsewhere.\n"
            f"  Set `header_row: {row}` if the header is {', '.join(header)[:60]}."
        )
    check_headers(name, row, header)
    line = text[begin]
    simple = first == 0 and '"' not in "".join(text[:begin]) and _one_record(line, separator)
    above = "".join(text[:begin]).count(separator) + line.count(separator)
    return Text(name, path, separator, begin, header, Scan(), above, simple)


def _one_record(line: str, separator: str) -> bool:
    """Whether a line is a whole record, every quote in its place."""
    try:
        return len(list(csv.reader([line], delimiter=separator, strict=True))) == 1
    except csv.Error:
        return False


def _sampled(lines: Sequence[str], separator: str) -> list[tuple[int, list[str]]]:
    """The first records, each with the line it begins on, as far as they can be read."""
    reader, found = csv.reader(iter(lines), delimiter=separator), list[tuple[int, list[str]]]()
    with suppress(StopIteration, csv.Error):
        while len(found) < SAMPLED:
            begin = reader.line_num + 1
            found.append((begin, next(reader)))
    return found


def _likely(lines: Sequence[str]) -> str:
    """The separator that cuts the first rows into as many fields as the header has; the comma in doubt."""

    def merit(separator: str) -> tuple[bool, int, bool]:
        widths = [len(record) for _, record in _sampled(lines, separator) if any(record)][: SAMPLED // 2]
        common = max(set(widths), key=widths.count) if widths else 0
        steady = sum(width == common for width in widths) >= 0.9 * len(widths)
        return common > 1 and steady, common if steady else max(widths[:1], default=0), separator == ","

    best = max(SEPARATORS, key=merit)
    return best if merit(best)[1] > 1 else ","


def _check_separator(name: str, row: int, header: Sequence[str], separator: str) -> None:
    if len(header) > 1:
        return
    other = max(SEPARATORS, key=header[0].count)
    if other != separator and other in header[0]:
        raise SourceError(
            f"{name}, row {row}: the header is one column, {header[0][:60]!r}: the fields are separated by "
            f"{SEPARATORS[other]}, not by {SEPARATORS.get(separator, repr(separator))}.\n"
            f'  Set `separator: "{"tab" if other == TAB else other}"` in the mapping.'
        )


def _refuse_title(name: str, header: Sequence[str], below: Sequence[tuple[int, list[str]]]) -> None:
    """A line such as "Accounts, June 2024" above the header."""
    if sum(map(bool, header)) != 1:
        return
    filled = [(sum(bool(field.strip()) for field in record), number) for number, record in below]
    widest = max((count for count, _ in filled[:20]), default=0)
    if widest < 2:
        return
    after = next(line for count, line in filled if count == widest)
    if any(count == 1 for count, line in filled if line < after) or len(header) == 1 or widest > 2:
        raise title_above(name, 1, next(filter(None, header)), filled[:20])


# --- the quick reader -----------------------------------------------------------------------------------------


def _quick(engine: DuckDB, text: Text, target: str) -> int | None:
    """Rows read by Arrow; None where that reading cannot be shown to be the strict reader's.

    A separator or line end outside of quotes is never anything else. The rows stay in memory as Arrow has read them,
    without the blanks around them; ``target`` is a view of them.
    """
    found = text.scan
    one_line_end = found.returns == found.pairs and (found.quotes or found.pairs in (0, found.newlines))
    if not found.utf8 or found.nul or not one_line_end or text.separator not in SEPARATORS:
        return None
    if found.quotes and not well_quoted(text.path, text.separator):
        return None
    names = [f":{place}" for place in range(len(text.header))]
    use_threads = text.path.stat().st_size > BLOCK
    read = arrow_csv.ReadOptions(
        column_names=names, skip_rows=text.begin + 1, block_size=BLOCK, use_threads=use_threads
    )
    quote_char = '"' if found.quotes else False
    parse = arrow_csv.ParseOptions(delimiter=text.separator, quote_char=quote_char, newlines_in_values=found.quotes)
    kinds = dict.fromkeys(names, pa.string())  # the scan has checked that it is UTF-8
    convert = arrow_csv.ConvertOptions(check_utf8=False, column_types=kinds, strings_can_be_null=True, null_values=[""])
    try:
        table = arrow_csv.read_csv(text.path, read, parse, convert)
    except pa.ArrowInvalid:
        return None
    rows: int = table.num_rows
    within = sum(times(table[name], text.separator) for name in names) if found.quotes else 0
    if rows * (len(names) - 1) + within + text.separators_before != found.separators:
        return None
    headers = {names[place]: text.header[place] for place in text.named}
    if any(table[name].null_count != rows for name in names if name not in headers):
        return None
    blanks = found.blanks or found.quotes
    values = [stripped(table[name], BLANKS) if blanks else table[name] for name in headers]
    if not rows or blank_row(values):  # the strict reader would skip it
        return None
    named = {LINE: LINE, **headers}
    columns = ", ".join(f"{quote(name)} AS {quote(header)}" for name, header in named.items())
    numbers = pa.array(np.arange(2, rows + 2, dtype=np.int64))  # the header is 1
    engine.present(target, pa.table([numbers, *values], list(named)), columns)
    return rows


# --- the strict reader ---------------------------------------------------------------------------------------------


def _records(text: Text) -> Iterator[tuple[int, list[str]]]:
    """Every record that holds anything, stripped, with the line it begins on; the header first."""
    before = csv.field_size_limit(MAX_FIELD_SIZE)
    try:
        with text.path.open(encoding="utf-8-sig", newline="") as handle:
            for _ in range(text.begin):
                handle.readline()
            reader = csv.reader(handle, delimiter=text.separator, strict=True)
            line = text.begin + 1
            try:
                for record in reader:
                    fields = [field.strip() for field in record]
                    if any(fields):
                        yield line, fields
                    line = text.begin + reader.line_num + 1
            except csv.Error as error:
                raise SourceError(
                    f"{text.name}, row {text.begin + reader.line_num}: cannot be read as CSV ({error}).\n"
                    "  A field that begins with a double quote has to end with one; a quote inside is written twice "
                    '("").' + (f" The field begins in row {line}." if line < text.begin + reader.line_num else "")
                ) from error
    finally:
        csv.field_size_limit(before)


def _strictly(engine: DuckDB, text: Text, target: str) -> int:
    """Rows read by the strict reader. Raises SourceError where the file is not one table."""
    records = _records(text)
    header_line, header = next(records)
    width, named, total = len(header), [place for place, title in enumerate(header) if title], 0
    odd, odd_count, last, last_line, filled = list[tuple[int, int]](), 0, 0, 0, 0
    engine.drop(target)
    while batch := list(islice(records, BATCH)):
        for number, fields in batch:
            last, last_line = len(fields), number
            if last != width:
                odd_count += 1
                odd += [(number, last)] if len(odd) < SHOWN else []
            elif not filled and len(named) < width:
                filled = next((place for place, field in enumerate(fields, 1) if field and not header[place - 1]), 0)
        if not odd:
            columns = [pa.array(range(total + 2, total + 2 + len(batch)), pa.int64())]
            columns += [pa.array([fields[place] or None for _, fields in batch], pa.string()) for place in named]
            names = [LINE, *(header[place] for place in named)]
            engine.add(target, pa.Table.from_arrays(columns, names=names))
        total += len(batch)
    if not total:
        raise without_rows(text.name)
    if odd:
        engine.drop(target)
        cut = odd_count == 1 and odd[0][0] == last_line and last < width and text.scan.last not in (b"\n", b"\r")
        raise _ragged(text.name, odd, odd_count, width, cut)
    if filled:
        engine.drop(target)
        raise nameless(text.name, header_line, filled)
    return total


def _ragged(name: str, odd: Sequence[tuple[int, int]], count: int, width: int, cut: bool) -> SourceError:
    counts = ", ".join(str(n) for n in dict.fromkeys(n for _, n in odd))
    fix = "Put double quotes around fields that contain the separator, or export the file again."
    if cut:
        fix = "It is the last row and has no line end: the file was cut off. Copy or export it again, whole."
    where = row_phrase([line for line, _ in odd], count)
    return SourceError(f"{name}{where}: {counts} fields where the header has {width}.\n  {fix}")


def _lines(name: str, path: Path, options: ReadOptions, records: Sequence[int]) -> list[int]:
    """The lines on which records begin; the file is read again for them."""
    wanted, found = set(records), dict[int, int]()
    with tempfile.TemporaryDirectory(prefix="cs-helpers-") as place:
        try:
            text, _, _ = _prepared(name, path, options, Path(place))
            for number, (line, _) in enumerate(_records(text), start=1):
                if number in wanted:
                    found[number] = line
                    if len(found) == len(wanted):
                        break
        except (SourceError, OSError):  # the file has changed or was removed: use the record numbers
            return list(records)
    return [found.get(record, record) for record in records]
