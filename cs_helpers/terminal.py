"""What ``check`` and ``map`` print: tables and findings on a terminal, lines of a fixed width in a file or a pipe."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cs_helpers.contract.tables import TABLES
from cs_helpers.errors import visible
from cs_helpers.tables import report

WIDTH = 118  # where there is no terminal to ask


def print_check(seen: Any, aside: str) -> None:
    """What a check found, as tables on stdout: the tables first, then everything found, the worst first."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)
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
    """How sure each line of a draft is, and what only a person can decide; to stderr, as the draft goes to stdout."""
    console = Console(stderr=True, width=None if sys.stderr.isatty() else WIDTH, highlight=False)
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
