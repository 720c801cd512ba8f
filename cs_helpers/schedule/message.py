"""The text of a message about a run: a finished report or a failed run, built from the run record alone.

Every text of a record may come from customer data. ``one_line`` makes it one line without invisible characters, and
each form escapes it in its own way. A record for sharing holds pseudonyms only, so nothing else is read here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cs_helpers.core.errors import visible
from cs_helpers.publish.html import command
from cs_helpers.publish.words import STATUS_WORDS, row_words

Record = Mapping[str, Any]
Kind = Literal["report", "failure"]

MAX_LINE, MAX_SUBJECT, MAX_LINES = 600, 180, 40
_BLANKS = re.compile("[\n\t\u2028\u2029 ]+")
_ACTIVE = re.compile(r"@(?=(?:channel|here|all|everyone)\b)|&lt;(?=[!@#/\w])|\](?=\()", re.IGNORECASE)
_AUDIENCES = {
    "full": "For internal use: it names accounts and people.",
    "shared": "For sharing: accounts and people under pseudonyms, small groups withheld.",
}


@dataclass(frozen=True)
class Message:
    """A message before it takes a form: each text is one line and not escaped. Sections are headings with lines."""

    subject: str
    opening: tuple[str, ...]
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    closing: tuple[str, ...]


def write(record: Record, kind: Kind, where: str) -> Message:
    """The message about a report or a failed run; ``where`` names the place of its file.

    >>> run = {"series": "churn", "title": "Churn", "run_id": "1", "started_at": "2026-07-01", "status": "ok"}
    >>> write(run, "report", "").subject
    'Churn: checked, no warnings.'
    """
    return _failure(record, where) if kind == "failure" else _report(record, where)


def one_line(text: object, max_length: int = MAX_LINE) -> str:
    """Text from data as one line without control and direction characters, shortened to ``max_length``."""
    line = _BLANKS.sub(" ", visible(text)).strip()
    return line if len(line) <= max_length else line[:max_length].rstrip() + " ... (cut)"


def safe_name(text: str) -> str:
    """A text as part of a file name: letters, digits and ``_.=-`` only, so that the file stays in its folder."""
    return re.sub(r"[^\w.=-]+", "-", text).strip(".-") or "report"


def file_name(record: Record) -> str:
    """The name of a delivered report without its ending: the series and the as-of date, or else the day of the run."""
    as_of = str(record.get("as_of") or "")[:10]
    day = as_of if re.fullmatch(r"\d{4}-\d\d-\d\d", as_of, re.ASCII) else str(record["started_at"])[:10]
    return f"{safe_name(str(record['series']))}-{day}"


def place(record: Record, file: str) -> str:
    """Where a file of the run is; never a path of this machine."""
    return one_line(f"{record['series']}/{record['run_id']}/{file} in the reports folder", 400)


def kept_notebook(record: Record, folder: Path) -> str:
    """Where the notebook of a failed run is; empty if it was not kept."""
    there = (folder / "notebook.ipynb").is_file()
    return f"See how far the notebook ran: {place(record, 'notebook.ipynb')}" if there else ""


def plain(message: Message) -> str:
    """The message as plain text."""
    blocks = [[message.subject], list(message.opening)]
    blocks += [[heading, *(f"- {line}" for line in lines)] for heading, lines in message.sections]
    return "\n\n".join("\n".join(block) for block in [*blocks, list(message.closing)] if block) + "\n"


def page(message: Message, max_length: int) -> str:
    """The body of the message as HTML without links and pictures, cut after a whole line if it is too long."""
    parts = [f"<p>{html.escape(line)}</p>" for line in message.opening]
    for heading, lines in message.sections:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        parts.append(f"<h3>{html.escape(heading)}</h3><ul>{items}</ul>")
    ending = "".join(f"<p>{html.escape(line)}</p>" for line in message.closing)
    text = "".join(parts)
    if len(text) + len(ending) > max_length:
        text = _shortened(text, max_length - len(ending))
    return text + ending


def inert(text: str) -> str:
    """Escaped HTML for a chat: no text in it can mention people or become a link, a picture or a tag."""
    return _ACTIVE.sub("\\g<0>\u200b", text)


def _shortened(text: str, max_length: int) -> str:
    """The first whole lines of a body, with its open list closed."""
    kept = ""
    for part in re.findall(r".*?</(?:p|h3|li)>", text):
        if len(kept) + len(part) > max_length - 40:
            break
        kept += part
    return kept + ("<li>... (cut)</li></ul>" if kept.count("<ul>") > kept.count("</ul>") else "<p>... (cut)</p>")


def _report(record: Record, where: str) -> Message:
    tiles = [_figure(tile) for tile in record.get("headline") or []]
    first = f" {tiles[0][0]} {tiles[0][1]}" if tiles else ""
    as_of = f"As of {one_line(record['as_of'])}." if record.get("as_of") else ""
    sections = {
        "Headline": tuple(f"{name}: {value}{f' ({basis})' if basis else ''}" for name, value, basis in tiles),
        "Takeaways": tuple(one_line(text) for text in record.get("takeaways") or []),
        **_changes(record.get("changed")),
    }
    return Message(
        subject=one_line(f"{_title(record)}: {STATUS_WORDS[record['status']]}.{first}", MAX_SUBJECT),
        opening=_lines(one_line(record.get("question") or ""), as_of, _AUDIENCES.get(str(record.get("audience")))),
        sections=tuple((heading, lines[:MAX_LINES]) for heading, lines in sections.items() if lines),
        closing=_lines(where, _run(record)),
    )


def _failure(record: Record, where: str) -> Message:
    error = record.get("error") or {}
    reasons = _lines(*(one_line(line) for line in str(error.get("message") or "No reason was recorded.").splitlines()))
    if len(reasons) > MAX_LINES:
        more = f"... and {len(reasons) - MAX_LINES:,} more lines; run.json has all of them."
        reasons = (*reasons[:MAX_LINES], more)
    is_notebook = str(record.get("notebook")).endswith(".ipynb")  # otherwise the schedule file itself is wrong
    fix = f"Fix it, then run the report again: {one_line(command(record), 2000)}" if is_notebook else "Fix the file."
    return Message(
        subject=one_line(f"FAILED: {_title(record)}", MAX_SUBJECT),
        opening=("The report failed, and nothing was published.", "The last good report, if any, is unchanged."),
        sections=(("What went wrong", reasons), ("What to do", _lines(where, fix))),
        closing=_lines(_AUDIENCES.get(str(record.get("audience"))), _run(record)),
    )


def _title(record: Record) -> str:
    """The title of a report, with the value where it is one of several: ``Churn (segment: smb)``."""
    first, *rest = str(record["series"]).split("/")
    parts = [part.replace("=", ": ", 1) for part in rest if not part.startswith("audience=")]
    title = record.get("title") or first
    return one_line(f"{title} ({', '.join(parts)})" if parts else title, 120)


def _run(record: Record) -> str:
    scheduled, attempt = record.get("scheduled"), record.get("attempt") or 1
    parts = [
        f"Run {record['run_id']}",
        f"started {record['started_at']}",
        f"attempt {attempt}" if attempt != 1 else "",
        f"scheduled as {scheduled['job']} for {scheduled['at']}" if scheduled else "",
    ]
    return one_line(", ".join(_lines(*parts)) + ".")


def _figure(tile: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name, value, and the interval or else the number of cases behind it."""
    value, low, high = tile.get("value"), tile.get("low"), tile.get("high")
    text = tile.get("text") or ("not given" if value is None else f"{value:,}")
    basis = f"n = {tile['n']:,}" if tile.get("n") is not None else ""
    if low is not None and high is not None:
        share = tile.get("unit") == "fraction"
        basis = f"{low * 100:.1f} to {high * 100:.1f}\u202f%" if share else f"{low:,.6g} to {high:,.6g}"
    return one_line(tile.get("name") or tile.get("key", ""), 120), one_line(text, 60), basis


def _changes(changed: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    if not changed or not changed.get("rows"):
        return {}
    as_of = f", as of {changed['as_of']}" if changed.get("as_of") else ""
    lines = [one_line(f"{row['name']}: {row['then']}, now {row['now']}; {row_words(row)}") for row in changed["rows"]]
    if changed.get("other"):
        lines.append(one_line(f"Also changed: {', '.join(map(str, changed['other']))}"))
    return {one_line(f"What changed since the report of {str(changed['started_at'])[:10]}{as_of}"): tuple(lines)}


def _lines(*lines: str | None) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
