"""``doctor``: what stands in the way of reports on this machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cs_helpers.cli import progress
from cs_helpers.cli.app import REPORTS, AsJson, Out, app, print_json, say


@app.command()
def doctor(
    out: Out = REPORTS,
    schedule: Annotated[
        Path | None, typer.Option("--schedule", help="The file of the schedule; schedule.yml in --out without it.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Look also whether this source can be opened.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at this machine as a report would: versions, fonts, disk, clock, locks, schedule; and say what to do.

    Nothing is changed, sent or repaired. Of settings that hold secrets only the names are shown.

    \b
    Examples:
      cs-helpers doctor
      cs-helpers doctor --source postgresql://reader@warehouse/crm
      cs-helpers doctor --json

    Exit codes: 0 fine or notices, 1 problems.
    """
    from cs_helpers.cli import diagnostics as practice

    with progress.of_something("looking at this machine"):
        findings = practice.examine(out, schedule or out / "schedule.yml", source)
    code = practice.exit_code(findings)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        from cs_helpers.cli import terminal

        terminal.print_findings(findings)
        if code:
            say("Mend the problems above, then look again: cs-helpers doctor")
    if code:
        raise typer.Exit(code)
