"""Tables that commands print: as wide as the terminal, or of fixed width in a file or pipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cs_helpers.core.errors import visible

WIDTH = 118  # in a file or pipe


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDTH, highlight=False)


def print_check(seen: Any, aside: str) -> None:
    """Prints the result of a check on stdout: the tables, then all findings, the most severe first."""
    from cs_helpers.data.contract.tables import TABLES
    from cs_helpers.data.tables import report

    console = _console()
    present = {fact.name: fact for fact in seen.facts}
    table = Table(title=visible(f"{seen.company}: {seen.source}"), title_justify="left", box=None, pad_edge=False)
    for name in ("table", "file", "rows read", "rows used", "from", "to"):
        table.add_column(name, justify="right" if name.startswith("rows") else "left", no_wrap=name != "file")
    for name in TABLES:
        fact = present.get(name)
        if fact is None:
            table.add_row(name, Text("absent", style="dim"), "", "", "", "")
            continue
        days = ["" if day is None else f"{day:%Y-%m-%d}" for day in (fact.first, fact.last)]
        table.add_row(name, Text(visible(fact.where)), f"{fact.read:,}", "" if seen.failed else f"{fact.rows:,}", *days)
    console.print(table)
    found = report.quality(seen)
    styles = {"error": "bold red", "set aside": "yellow", "warning": "yellow", "note": "dim"}
    for each in found:
        console.print()
        console.print(Text.assemble((f"{each.severity}  ", styles[each.severity]), visible(each.message)))
        if each.fix:
            console.print(Text(visible(f"  {each.fix}"), style="dim"))
    counts = []
    for name in ("error", "warning"):
        if number := sum(each.severity == name for each in found):
            counts.append(f"{number} {name}{'' if number == 1 else 's'}")
    rows = report.set_aside_rows(seen)
    counts += [f"{rows:,} row{'' if rows == 1 else 's'} set aside"] if rows else []
    console.print()
    console.print(f"{', '.join(counts) or 'Nothing wrong, nothing left out'}.")
    if aside:
        console.print(f"Rows set aside: {aside}", soft_wrap=True)


def print_certainty(drafted: Any) -> None:
    """Prints the certainty of each line of a draft and the open questions on stderr; the draft goes to stdout."""
    console = _console(stderr=True)
    table = Table(box=None, pad_edge=False)
    for name in ("file", "table", "column", "header", "certainty", "why"):
        table.add_column(name, overflow="fold")
    styles = {"sure": "green", "likely": "", "unsure": "yellow"}
    for row in drafted.certainty:
        cells = [Text(visible(getattr(row, name))) for name in ("file", "table", "column", "header")]
        table.add_row(*cells, Text(row.certainty, style=styles.get(row.certainty, "")), Text(visible(row.why)))
    console.print(table)
    for question in drafted.questions:
        console.print(Text.assemble(("decide  ", "bold yellow"), visible(question)))


def print_history(records: Sequence[Mapping[str, Any]]) -> None:
    """Prints runs on stdout, one per row: start, as-of date, status, seconds, and figures or error.

    ``records`` are run records as from ``publish.run_records.read_records``; times are in this machine's zone.
    """
    from cs_helpers.publish.words import figure, short_name

    console = _console()
    table = Table(box=None, pad_edge=False)
    several = len({record["series"] for record in records}) > 1
    for name in (*(["series"] if several else []), "started", "as of", "status"):
        table.add_column(name, no_wrap=name != "series", overflow="fold")
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("figures", overflow="fold")
    styles = {"ok": "green", "warnings": "yellow", "failed": "bold red"}
    for record in records:
        tiles = record.get("headline") or []
        text = ", ".join(f"{short_name(str(tile.get('name') or tile['key']))} {figure(tile)}" for tile in tiles)
        text = (record.get("error") or {}).get("message") or text
        started = datetime.fromisoformat(record["started_at"]).astimezone()
        table.add_row(
            *([Text(visible(record["series"]))] if several else []),
            f"{started:%Y-%m-%d %H:%M}",
            Text(visible(record.get("as_of") or "")),
            Text(record["status"], style=styles[record["status"]]),
            f"{record.get('duration_s') or 0:.1f}",
            Text(visible(text)),
        )
    console.print(table)


def print_findings(findings: Sequence[Any]) -> None:
    """Prints the findings of the doctor on stdout, each with its fix below."""
    styles = {"ok": "green", "notice": "yellow", "problem": "bold red"}
    table = Table(box=None, pad_edge=False, show_header=False)
    for no_wrap in (True, True, False):
        table.add_column(no_wrap=no_wrap, overflow="fold")
    for each in findings:
        text = Text(visible(each.message))
        if each.fix:
            text.append(f"\n{visible(each.fix)}", style="dim")
        table.add_row(Text(each.severity, style=styles[each.severity]), each.what, text)
    _console().print(table)
