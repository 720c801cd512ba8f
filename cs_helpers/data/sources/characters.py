"""From the bytes of a file to plain UTF-8 text: what kind of file it is, and in which encoding it is written."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cs_helpers.core.errors import SourceError

CHUNK = 1 << 22
HEAD = 1 << 16
UTF8 = ("utf8", "utf8sig", "ascii", "usascii")
WIDE = ("utf16", "utf32")
BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RARE_BLANKS = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_BLANKS = (b" ", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
_OTHER_KINDS = {
    rb"PK\x03\x04": (
        "an Excel workbook or another zip archive",
        "Give it the ending .xlsx, or save it as CSV in Excel",
    ),
    re.escape(OLE): ("an old (.xls) or a protected Excel workbook", "Open it in Excel and save it as .xlsx or as CSV"),
    rb"PAR1": ("a Parquet file", "Give it the ending .parquet"),
    rb"\x1f\x8b": ("a compressed file", "Give it the ending .csv.gz, or unpack it"),
    rb"%PDF-": ("a PDF", "Export the table itself as CSV"),
    rb"SQLite format 3\0": ("an SQLite database", "Export its tables as CSV or Parquet"),
    rb".{8}DUCK": ("a DuckDB database", "Give it the ending .duckdb, and its own path as the source"),
    rb"\s*<(?i:!doctype|html|table|head|body|meta|style|div|script|\?xml)": (
        "a web page (HTML or XML), perhaps a log-in page",
        "Export it again as CSV, signed in",
    ),
    rb'\s*(\{\s*["}]|\[\s*[\[{"\]])': ("JSON", "Export it as CSV or Parquet"),
}
"""How files of other kinds begin: what they are, and what to do."""


def refuse_other_kinds(name: str, head: bytes) -> None:
    """Raises SourceError for a file of another kind than its name says, recognised by its first bytes."""
    text = head.removeprefix(codecs.BOM_UTF8)
    for begin, (what, fix) in _OTHER_KINDS.items():
        if re.match(begin, text, re.DOTALL):
            raise SourceError(f"{name}: this is {what}, whatever its name says.\n  {fix}.")


@dataclass
class Scan:
    """What one pass over a file's bytes shows: enough to decide whether the quick reader can be used for it."""

    digest: str = ""
    ascii: bool = True
    utf8: bool = True
    wide_characters: int = 0  # proper UTF-8 beyond ASCII, also in a file that is not UTF-8 throughout
    nul: bool = False
    quotes: bool = False
    newlines: int = 0
    returns: int = 0
    pairs: int = 0  # \r\n
    separators: int = 0
    blanks: bool = False  # a blank that may have to be removed from a field
    last: bytes = b""


def chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, some megabytes at a time."""
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            yield chunk


def scan(path: Path, separator: str) -> Scan:
    """One pass over a file; see ``Scan``."""
    found, digest, mark = Scan(), hashlib.sha256(), separator.encode()
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    for chunk in chunks(path):
        digest.update(chunk)
        if not chunk.isascii() or decoder.getstate()[0]:
            found.ascii = False
            _beyond_ascii(chunk, decoder, found)
        found.nul = found.nul or b"\0" in chunk
        found.quotes = found.quotes or b'"' in chunk
        found.blanks = found.blanks or any(blank in chunk for blank in _BLANKS)
        found.separators += _count(chunk, mark)
        found.newlines += _count(chunk, b"\n")
        if b"\r" in chunk or found.last == b"\r":
            found.returns += chunk.count(b"\r")
            found.pairs += chunk.count(b"\r\n") + (found.last == b"\r" and chunk[:1] == b"\n")
        found.last = chunk[-1:]
    if found.utf8 and decoder.getstate()[0]:
        found.utf8 = False
    found.digest = digest.hexdigest()
    return found


def _count(chunk: bytes, mark: bytes) -> int:
    """How often a frequent mark occurs in some bytes."""
    if len(mark) > 1:
        return chunk.count(mark)
    return int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == mark[0]))


def _beyond_ascii(chunk: bytes, decoder: codecs.IncrementalDecoder, found: Scan) -> None:
    if not found.utf8:
        found.wide_characters += _proper(chunk)
        return
    pending = decoder.getstate()[0]
    try:
        text = decoder.decode(chunk)
    except UnicodeDecodeError:
        found.utf8 = False
        decoder.reset()
        found.wide_characters += _proper(pending + chunk)
        return
    found.blanks = found.blanks or bool(_RARE_BLANKS.search(text))
    found.wide_characters += len(chunk) - len(text)


def _proper(data: bytes) -> int:
    """Characters beyond ASCII that are proper UTF-8, in bytes that are not UTF-8 throughout."""
    text = data.decode("utf-8", "surrogateescape")
    return sum(1 for c in text if c > "\x7f" and not "\udc80" <= c <= "\udcff")


def plain(encoding: str) -> str:
    """An encoding's name without the signs people write in it."""
    return encoding.lower().replace("-", "").replace("_", "")


def found_wide(head: bytes) -> str:
    """The name of a UTF-16 or UTF-32 encoding that the first bytes show; empty for others."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    sample = head[:4096]
    if len(sample) >= 8 and sample.count(0) > len(sample) // 3:
        odd, even = sample[1::2].count(0), sample[::2].count(0)
        if odd > 0.7 * len(sample[1::2]) and not even:
            return "utf-16-le"
        if even > 0.7 * len(sample[::2]) and not odd:
            return "utf-16-be"
    return ""


def recode(name: str, path: Path, encoding: str, target: Path) -> str:
    """Writes the file's text as UTF-8 into ``target`` and returns the digest of its bytes. Raises SourceError."""
    digest = hashlib.sha256()
    with target.open("wb") as out:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        try:
            for chunk in chunks(path):
                digest.update(chunk)
                out.write(decoder.decode(chunk).encode())
            out.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise not_written_in(name, path, encoding) from error
    return digest.hexdigest()


def not_written_in(name: str, path: Path, encoding: str) -> SourceError:
    """The place of the first byte that the encoding does not have, and the word there in another encoding."""
    data = path.read_bytes()
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if error.start >= len(data) - 4 and error.reason.startswith(("unexpected end", "truncated")):
            return SourceError(
                f"{name}, row {line}: the file ends in the middle of a character; its end is missing.\n"
                "  Copy or export it again, whole."
            )
        byte = f"byte 0x{data[error.start]:02X} (number {error.start + 1:,} of the file)"
        return SourceError(
            f"{name}, row {line}: {byte} is not {encoding}.\n"
            f"  Set `encoding: latin-1` in the mapping if this reads well: {_around(data, error.start)!r}. "
            "Otherwise export it as UTF-8."
        )
    except UnicodeError as error:  # codecs that say no more than that they cannot
        reason = str(error)
    else:
        reason = "the text breaks off"
    return SourceError(
        f"{name}: cannot be read as {encoding} ({reason}).\n"
        "  Set `encoding: utf-8` in the mapping, or the one the file was exported in."
    )


def word_beyond_ascii(path: Path, encoding: str) -> str:
    """The first word with a character beyond ASCII, read in an encoding; to be checked by eye."""
    for chunk in chunks(path):
        if found := re.search(rb"[^\x00-\x7f]", chunk):
            at = found.start()
            piece = chunk[max(0, at - 20) : at + 21].decode(encoding, "replace")
            words = re.findall(r"\w*[^\x00-\x7f]+\w*", piece)
            return words[0][:30] if words else piece.strip()[:30]
    return ""


def _around(data: bytes, at: int) -> str:
    begin = data.rfind(b"\n", 0, at) + 1
    return data[max(begin, at - 12) : at + 12].splitlines()[0].decode("latin-1")


def refuse_nul(name: str, path: Path) -> None:
    """Raises SourceError for a file with a byte 0, which text never has."""
    before = 0
    for chunk in chunks(path):
        if b"\0" in chunk:
            line = before + chunk[: chunk.index(b"\0")].count(b"\n") + 1
            raise SourceError(
                f"{name}, row {line}: there is a NUL byte in it; this is not text, or the file is damaged.\n"
                "  Export it again as CSV; a workbook renamed to .csv stays a workbook."
            )
        before += chunk.count(b"\n")
