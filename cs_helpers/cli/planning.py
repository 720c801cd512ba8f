"""The commands about the schedule."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cs_helpers.cli.app import REPORTS, AsJson, Out, Schedule, app, print_json, say
from cs_helpers.core.errors import ParameterError

Now = Annotated[
    str | None, typer.Option("--now", help="Use this time instead of the present, such as 2026-07-01T09:00.")
]


@app.command("next")
def next_(
    count: Annotated[int, typer.Argument(metavar="[N]", min=1, max=1000, help="How many runs.")] = 5,
    schedule: Schedule = REPORTS / "schedule.yml",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """List the next runs of the schedule and their times; nothing is run.

    \b
    Examples:
      cs-helpers next 10
      cs-helpers next 3 --now 2026-12-24T12:00
      cs-helpers check reports/schedule.yml     explains each run of the schedule

    Exit codes: 0, or 2 if the schedule is invalid.
    """
    from cs_helpers.schedule import settings

    began = settings.instant(now)
    _print_runs(settings.upcoming(settings.read(schedule), began, count), began, as_json)


@app.command()
def due(
    only: Annotated[str | None, typer.Option("--only", metavar="RUN", help="Only this run of the schedule.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Also repeat runs that failed last time.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be run; run nothing.")] = False,
    now: Now = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print problems only, for example in cron.")] = False,
    schedule: Schedule = REPORTS / "schedule.yml",
    out: Out = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Run what is due, deliver the reports, and end. You may call it at any time, also several times at once.

    A run is due if its time has come since the last recorded run. Of several missed times only the newest is due, or as
    many as catch_up allows. A killed run is due again, a failed one is not (see --failed). A later call delivers what
    could not be delivered. For monitoring, reports/status.json has a summary.

    \b
    Examples:
      cs-helpers due
      cs-helpers due --dry-run --now 2026-12-01T07:00
      cs-helpers due --failed --only churn-by-segment
      cs-helpers export cron                              a line that calls it every few minutes

    Exit codes: 0 success or nothing due, 1 a report or a delivery failed, 2 the schedule is invalid, 130 stopped.
    """
    from cs_helpers.schedule import due as scheduler
    from cs_helpers.schedule import run_history, settings

    _refuse_address(out)
    began = settings.instant(now)
    whole = settings.read(schedule)
    asked, changed = whole.only(only), scheduler.last_change(schedule)
    if dry_run:
        runs = scheduler.due_runs(asked, run_history.RunHistory(out).read(), began, changed, failed=failed)
        if not runs and not as_json:
            typer.echo(f"Nothing is due.{settings.next_in_words(asked, began, ' Next: ')}")
        else:
            _print_runs(runs, began, as_json)
        return

    printed = []

    def tell(line: str, wrong: bool) -> None:
        printed.append(line)
        if wrong or not quiet:
            typer.echo(line, err=wrong or as_json)

    runner = scheduler.JobRunner(out, tell, show=not quiet and sys.stderr.isatty())
    good = scheduler.run_all(runner, asked, began, changed, failed=failed)
    found = scheduler.status(whole, out, began if now else settings.instant(None), runner.history.read())
    scheduler.write_status(found, out)
    if as_json:
        print_json(found)
    elif not printed and not quiet:
        typer.echo(f"Nothing is due.{settings.next_in_words(asked, began, ' Next: ')}")
    if not good:
        raise typer.Exit(1)


@app.command()
def start(
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="How many runs at once.")] = 1,
    schedule: Schedule = REPORTS / "schedule.yml",
    out: Out = REPORTS,
) -> None:
    """Stay and run what is due at its time, until stopped; for machines without cron.

    It reads the schedule again when the file changes. If the new file is invalid, it reports that and keeps the
    previous schedule. It treats missed times as `due` does. Several processes may use one folder: each run happens
    once. SIGTERM and Ctrl-C stop it: current runs get 30 seconds to end and leave nothing incomplete.

    \b
    Examples:
      cs-helpers start
      cs-helpers start --jobs 2
      nohup cs-helpers start 2>> scheduler.log &

    Exit codes: 0 stopped by a signal, 2 the schedule is invalid at the start.
    """
    from cs_helpers.schedule import daemon

    _refuse_address(out)
    daemon.stay(schedule, out, say, jobs=jobs)


@app.command()
def export(
    to: Annotated[str, typer.Argument(metavar="cron|systemd|airflow", help="The scheduler to export to.")],
    schedule: Schedule = REPORTS / "schedule.yml",
    out: Out = REPORTS,
) -> None:
    """Export the schedule: a line for cron, units for systemd, or a file for Airflow. Nothing is installed.

    cron and systemd call `cs-helpers due` every few minutes. That command knows the time zone, runs missed times and
    delivers, so a change of the schedule needs no new export. Airflow gets one DAG for each run.

    \b
    Examples:
      cs-helpers export cron
      (crontab -l; cs-helpers export cron) | crontab -    adds the line to your crontab
      cs-helpers export systemd
      cs-helpers export airflow > ~/airflow/dags/cs_helpers_reports.py

    Exit codes: 0, or 2 if the schedule is invalid.
    """
    from cs_helpers.schedule import scheduler_export, settings

    typer.echo(scheduler_export.export(to, settings.read(schedule), Path.cwd(), schedule, out))


def _refuse_address(out: Path) -> None:
    """Refuses an address such as s3://...: the schedule needs locks, which only a folder has."""
    if re.match(r"\w[\w+.-]+:/", out.as_posix()):
        raise ParameterError(
            f"--out: the schedule needs a folder of this machine, not {out.as_posix()}.\n"
            "  Run it in a folder and name recipients for the reports: cs-helpers check reports/schedule.yml"
        )


def _print_runs(runs: Any, now: datetime, as_json: bool) -> None:
    from cs_helpers.schedule import settings

    print_json(settings.as_records(runs)) if as_json else typer.echo("\n".join(settings.as_lines(runs, now)))
