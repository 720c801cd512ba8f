"""What a message about a run says: the same words for a mail, a chat and a file, from the run record alone.

Every text of the record may come from data. Here it becomes one line without signs that nobody sees, and each form
escapes it in its own way. For readers who must not learn who is who nothing may be added to the record, which was
written for them already; so nothing here asks a clock, a disk or the environment.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cs_helpers.core.errors import visible
from cs_helpers.publish.html import command
from cs_helpers.publish.words import STATUS_WORDS, row_words

Record = Mapping[str, Any]
Kind = Literal["report", "failure"]

_LONGEST_LINE = 600
_LONGEST_SUBJECT = 180
_LONGEST_CHAT = 3500
_MOST_LINES = 40
_BLANKS = re.compile("[\n\t\u2028\u2029 ]+")
_MENTION = re.compile(r"@(?=(?:channel|here|all|everyone)\b)", re.IGNORECASE)
_AUDIENCES = {
    "full": "For internal use: it names accounts and people.",
    "shared": "For sharing: accounts and people under pseudonyms, small groups withheld.",
}


@dataclass(frozen=True)
class Letter:
    """A message before it takes a form: every text is one clean line, and none is escaped.

    ``sections`` are headings with their lines; ``closing`` are lines that stand below them.
    """

    subject: str
    heading: str
    opening: tuple[str, ...]
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    closing: tuple[str, ...]


def write(record: Record, kind: Kind, where: str) -> Letter:
    """The message about a report, or about a run that failed; ``where`` says where its file is."""
    return _failure(record, where) if kind == "failure" else _report(record, where)


def title_of(record: Record) -> str:
    """The title of a report, with the value where the series is one of several: ``Churn (segment: smb)``."""
    first, *rest = str(record["series"]).split("/")
    parts = [part.replace("=", ": ", 1) for part in rest if not part.startswith("audience=")]
    title = record.get("title") or first
    return one_line(f"{title} ({', '.join(parts)})" if parts else title, 120)


def one_line(text: object, most: int = _LONGEST_LINE) -> str:
    """Text from data as one line without control and direction signs, cut where it is longer than ``most`` signs."""
    line = _BLANKS.sub(" ", visible(text)).strip()
    return line if len(line) <= most else line[:most].rstrip() + " ... (cut)"


def plain(letter: Letter) -> str:
    """The message as plain text."""
    blocks = [[letter.heading], list(letter.opening)]
    blocks += [[heading, *(f"- {line}" for line in lines)] for heading, lines in letter.sections]
    return "\n\n".join("\n".join(block) for block in [*blocks, list(letter.closing)] if block) + "\n"


def page(letter: Letter) -> str:
    """The message as simple HTML for a mail: nothing is fetched, nothing links, every text is escaped."""
    body = [f"<h1 style='font-size:20px'>{html.escape(letter.heading)}</h1>", *_paragraphs(letter.opening)]
    for heading, lines in letter.sections:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        body.append(f"<h2 style='font-size:16px'>{html.escape(heading)}</h2><ul>{items}</ul>")
    body += _paragraphs(letter.closing)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{html.escape(letter.subject)}</title></head>"
        f"<body style='font-family:sans-serif;line-height:1.5'>{''.join(body)}</body></html>\n"
    )


def chat(letter: Letter) -> str:
    """The message as Slack's mrkdwn: no text from data can call people, link somewhere or load a picture."""
    blocks = [f"*{letter.heading}*", *letter.opening]
    for heading, lines in letter.sections:
        blocks += [f"*{heading}*", *(f"• {line}" for line in lines)]
    text = "\n".join([*blocks, *letter.closing])
    if len(text) > _LONGEST_CHAT:
        text = text[:_LONGEST_CHAT].rstrip() + " ... (cut)"
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Servers that take Slack's messages, such as Mattermost, read these two although Slack does not.
    return _MENTION.sub("@\u200b", text).replace("](", "] (")


def _paragraphs(lines: tuple[str, ...]) -> Iterator[str]:
    return (f"<p>{html.escape(line)}</p>" for line in lines)


def _report(record: Record, where: str) -> Letter:
    title, status = title_of(record), STATUS_WORDS[record["status"]]
    tiles = [_figure(tile) for tile in record.get("headline") or []]
    first = f" {tiles[0][0]} {tiles[0][1]}" if tiles else ""
    as_of = f"As of {one_line(record['as_of'])}." if record.get("as_of") else ""
    sections = {
        "Headline": tuple(f"{name}: {value}{f' ({basis})' if basis else ''}" for name, value, basis in tiles),
        "Takeaways": tuple(one_line(text) for text in record.get("takeaways") or []),
        **_changed(record.get("changed")),
    }
    return Letter(
        subject=one_line(f"{title}: {status}.{first}", _LONGEST_SUBJECT),
        heading=f"{title}: {status}",
        opening=_given(one_line(record.get("question") or ""), as_of, _AUDIENCES.get(str(record.get("audience")))),
        sections=tuple((heading, lines[:_MOST_LINES]) for heading, lines in sections.items() if lines),
        closing=_given(where, _run(record)),
    )


def _failure(record: Record, where: str) -> Letter:
    title, error = title_of(record), record.get("error") or {}
    said = [one_line(line) for line in str(error.get("message") or "no reason was recorded").splitlines()]
    shown = [line for line in said if line]
    notebook = str(record.get("notebook")).endswith(".ipynb")  # it may be the schedule itself that is wrong
    again = one_line(command(record), 2000) if notebook else ""
    if len(shown) > _MOST_LINES:
        shown = [*shown[:_MOST_LINES], f"... and {len(shown) - _MOST_LINES:,} more lines; all stand in run.json."]
    return Letter(
        subject=one_line(f"FAILED: {title}", _LONGEST_SUBJECT),
        heading=f"{title}: failed",
        opening=(
            "The report did not run to its end, and nothing of it was published.",
            "The last good report, if there is one, stands as it was.",
        ),
        sections=(
            ("What went wrong", tuple(shown)),
            ("What to do", _given(where, f"Mend it, then run again: {again}" if again else "Mend it.")),
        ),
        closing=_given(_AUDIENCES.get(str(record.get("audience"))), _run(record)),
    )


def _run(record: Record) -> str:
    planned, attempt = record.get("scheduled"), record.get("attempt") or 1
    parts = [
        f"Run {record['run_id']}",
        f"started {record['started_at']}",
        f"attempt {attempt}" if attempt != 1 else "",
        f"{planned['job']} of the schedule, due {planned['at']}" if planned else "",
    ]
    return one_line(", ".join(_given(*parts)) + ".")


def _figure(tile: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name, value and what it rests on: the interval, or else the number of what was counted."""
    value, low, high = tile.get("value"), tile.get("low"), tile.get("high")
    text = tile.get("text") or ("not given" if value is None else f"{value:,}")
    basis = f"n = {tile['n']:,}" if tile.get("n") is not None else ""
    if low is not None and high is not None:
        share = tile.get("unit") == "fraction"
        basis = f"{low * 100:.1f} to {high * 100:.1f}\u202f%" if share else f"{low:,.6g} to {high:,.6g}"
    return one_line(tile.get("name") or tile.get("key", ""), 120), one_line(text, 60), basis


def _changed(changed: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    if not changed or not changed.get("rows"):
        return {}
    as_of = f", as of {changed['as_of']}" if changed.get("as_of") else ""
    lines = [one_line(f"{row['name']}: {row['then']}, now {row['now']}; {row_words(row)}") for row in changed["rows"]]
    if changed.get("other"):
        lines.append(one_line(f"Other than then: {', '.join(map(str, changed['other']))}"))
    return {one_line(f"What changed since the report of {str(changed['started_at'])[:10]}{as_of}"): tuple(lines)}


def _given(*lines: str | None) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
