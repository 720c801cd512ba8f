"""The command ``doctor``: finds out why reports may fail on this machine."""

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
        Path | None, typer.Option("--schedule", help="Schedule file; default: schedule.yml in --out.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Also check whether this source can be opened.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check versions, fonts, disk, clock, locks and schedule of this machine, and print how to fix problems.

    Nothing is changed, sent or repaired. Secret settings are shown by name only.

    \b
    Examples:
      cs-helpers doctor
      cs-helpers doctor --source postgresql://reader@warehouse/crm
      cs-helpers doctor --json

    Exit codes: 0 no problems, 1 problems.
    """
    from cs_helpers.cli import diagnostics as practice

    with progress.of_something("checking this machine"):
        findings = practice.examine(out, schedule or out / "schedule.yml", source)
    code = practice.exit_code(findings)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        from cs_helpers.cli import terminal

        terminal.print_findings(findings)
        if code:
            say("Fix the problems above, then check again: cs-helpers doctor")
    if code:
        raise typer.Exit(code)
