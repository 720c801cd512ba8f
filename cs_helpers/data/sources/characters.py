"""From the bytes of a file to plain UTF-8 text: what kind of file it is, and in which encoding it is written."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cs_helpers.core.errors import SourceError

CHUNK = 1 << 22
HEAD = 1 << 16
OVERLAP = 256  # bytes at the end of a chunk that are read again with the next chunk
UTF8 = ("utf8", "utf8sig", "ascii", "usascii")
WIDE = ("utf16", "utf32")
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"\s*<(!doctype|html|table|head|body|meta|style|div|script|\?xml)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"\]])')
_RARE_BLANKS = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_RARE_ASCII = b"\t\x0b\x0c\x1c\x1d\x1e\x1f"


def refuse_other_kinds(name: str, head: bytes) -> None:
    """Raises SourceError for a file of another kind than its name says, recognised by its first bytes."""
    what = fix = ""
    if head.startswith(b"PK\x03\x04"):
        what, fix = "an Excel workbook or another zip archive", "Give it the ending .xlsx, or save it as CSV in Excel"
    elif head.startswith(OLE):
        what, fix = "an old (.xls) or a protected Excel workbook", "Open it in Excel and save it as .xlsx or as CSV"
    elif head.startswith(b"PAR1"):
        what, fix = "a Parquet file", "Give it the ending .parquet"
    elif head.startswith(b"\x1f\x8b"):
        what, fix = "a compressed file", "Give it the ending .csv.gz, or unpack it"
    elif head.startswith(b"%PDF-"):
        what, fix = "a PDF", "Export the table itself as CSV"
    elif head.startswith(b"SQLite format 3\0"):
        what, fix = "an SQLite database", "Export its tables as CSV or Parquet"
    elif head[8:12] == b"DUCK":
        what, fix = "a DuckDB database", "Give it the ending .duckdb, and its own path as the source"
    elif _MARKUP.match(head.removeprefix(codecs.BOM_UTF8)):
        what, fix = "a web page (HTML or XML), perhaps a log-in page", "Export it again as CSV, signed in"
    elif _JSON.match(head.removeprefix(codecs.BOM_UTF8)):
        what, fix = "JSON", "Export it as CSV or Parquet"
    if what:
        raise SourceError(f"{name}: this is {what}, whatever its name says.\n  {fix}.")


@dataclass
class Scan:
    """What one pass over a file's bytes tells: enough to know whether the quick reader can be trusted with it."""

    digest: str = ""
    ascii: bool = True
    utf8: bool = True
    wide_characters: int = 0  # proper UTF-8 beyond ASCII, also in a file that is not UTF-8 throughout
    nul: bool = False
    quotes: int = 0
    spaced_quotes: bool = False
    newlines: int = 0
    returns: int = 0
    pairs: int = 0  # \r\n
    separators: int = 0
    spaces: bool = False
    rare_blanks: str = ""  # blanks other than the space that occur in it
    last: bytes = b""

    @property
    def one_line_end(self) -> bool:
        """Whether every line ends in the same way, with \\n or with \\r\\n."""
        return self.returns == 0 or self.returns == self.pairs == self.newlines


def chunks(handle: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file, some megabytes at a time."""
    while chunk := handle.read(CHUNK):
        yield chunk


def scan(path: Path, separator: str) -> Scan:
    """One pass over a file; see ``Scan``."""
    found, digest, mark = Scan(), hashlib.sha256(), separator.encode()
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    end = rb"(?:[\r\n]|" + re.escape(mark) + b")"
    spaced = re.compile(end + rb'[ \t]+"|"[ \t]+' + end)
    rare: set[str] = set()
    before = b""
    with path.open("rb") as handle:
        for chunk in chunks(handle):
            digest.update(chunk)
            if not chunk.isascii() or decoder.getstate()[0]:
                found.ascii = False
                _beyond_ascii(chunk, decoder, found, rare)
            found.nul = found.nul or b"\0" in chunk
            found.spaces = found.spaces or b" " in chunk
            rare.update(chr(byte) for byte in _RARE_ASCII if byte in chunk)
            found.separators += _count(chunk, mark)
            found.newlines += _count(chunk, b"\n")
            if b"\r" in chunk or found.last == b"\r":
                found.returns += chunk.count(b"\r")
                found.pairs += chunk.count(b"\r\n") + (found.last == b"\r" and chunk[:1] == b"\n")
            quotes = chunk.count(b'"')
            if quotes or before.count(b'"'):
                found.quotes += quotes
                window = before + chunk
                touching = any(pair in window for pair in (b' "', b'" ', b'\t"', b'"\t'))
                found.spaced_quotes = found.spaced_quotes or (touching and bool(spaced.search(window)))
                if not before:
                    found.spaced_quotes |= bool(re.match(rb'(?:\xef\xbb\xbf)?[ \t]+"', chunk))
            before = (before + chunk)[-OVERLAP:] if len(chunk) < OVERLAP else chunk[-OVERLAP:]
            found.last = chunk[-1:]
    found.spaced_quotes |= bool(re.search(rb'"[ \t]+\Z', before))
    if found.utf8 and decoder.getstate()[0]:
        found.utf8 = False
    found.digest, found.rare_blanks = digest.hexdigest(), "".join(sorted(rare))
    return found


def _count(chunk: bytes, mark: bytes) -> int:
    """How often a frequent mark occurs in some bytes."""
    import numpy as np

    if len(mark) > 1:
        return chunk.count(mark)
    return int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == mark[0]))


def _beyond_ascii(chunk: bytes, decoder: codecs.IncrementalDecoder, found: Scan, rare: set[str]) -> None:
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
    rare.update(_RARE_BLANKS.findall(text))
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
            return encoding if encoding != "utf-8-sig" else ""
    sample = head[:4096]
    if len(sample) >= 8 and sample.count(0) > len(sample) // 3:
        odd, even = sample[1::2].count(0), sample[::2].count(0)
        if odd > 0.7 * len(sample[1::2]) and not even:
            return "utf-16-le"
        if even > 0.7 * len(sample[::2]) and not odd:
            return "utf-16-be"
    return ""


def recode(name: str, path: Path, encoding: str, target: Path) -> str:
    """Write the file's text as UTF-8 into ``target``; the digest of its bytes. Raises SourceError where it is not
    written in that encoding."""
    digest = hashlib.sha256()
    with path.open("rb") as handle, target.open("wb") as out:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        try:
            for chunk in chunks(handle):
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
    with path.open("rb") as handle:
        for chunk in chunks(handle):
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
    with path.open("rb") as handle:
        for chunk in chunks(handle):
            if b"\0" in chunk:
                line = before + chunk[: chunk.index(b"\0")].count(b"\n") + 1
                raise SourceError(
                    f"{name}, row {line}: there is a NUL byte in it; this is not text, or the file is damaged.\n"
                    "  Export it again as CSV; a workbook renamed to .csv stays a workbook."
                )
            before += chunk.count(b"\n")
