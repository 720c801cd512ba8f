"""The commands about the schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cs_helpers.cli.app import REPORTS, AsJson, Schedule, app, print_json


@app.command("next")
def next_(
    count: Annotated[int, typer.Argument(metavar="[N]", min=1, max=1000, help="How many runs.")] = 5,
    schedule: Schedule = REPORTS / "schedule.yml",
    now: Annotated[str | None, typer.Option("--now", help="As if it were then, such as 2026-07-01T09:00.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the schedule runs next and when; nothing is run.

    \b
    Example:
      cs-helpers next 10
    """
    from cs_helpers.reports import schedule as plan

    began = plan.instant(now)
    runs = plan.upcoming(plan.read(schedule), began, count)
    print_json(plan.as_records(runs)) if as_json else typer.echo("\n".join(plan.as_lines(runs, began)))


@app.command()
def export(
    to: Annotated[str, typer.Argument(metavar="cron", help="Who takes the schedule over.")],
    schedule: Schedule = REPORTS / "schedule.yml",
) -> None:
    """Hand the schedule over to cron: print its lines, with the very commands.

    \b
    Example:
      cs-helpers export cron
    """
    from cs_helpers.reports import schedule as plan

    typer.echo(plan.export(to, plan.read(schedule), Path.cwd()))
