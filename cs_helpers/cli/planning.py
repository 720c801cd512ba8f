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

Now = Annotated[str | None, typer.Option("--now", help="As if it were then, such as 2026-07-01T09:00.")]


@app.command("next")
def next_(
    count: Annotated[int, typer.Argument(metavar="[N]", min=1, max=1000, help="How many runs.")] = 5,
    schedule: Schedule = REPORTS / "schedule.yml",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Say what the schedule runs next and when; nothing is run.

    \b
    Examples:
      cs-helpers next 10
      cs-helpers next 3 --now 2026-12-24T12:00
      cs-helpers check reports/schedule.yml     each line of the schedule in words

    Exit codes: 0, or 2 where the schedule is wrong.
    """
    from cs_helpers.schedule import schedule as plan

    began = plan.instant(now)
    runs = plan.upcoming(plan.read(schedule), began, count)
    print_json(plan.as_records(runs)) if as_json else typer.echo("\n".join(plan.as_lines(runs, began)))


@app.command()
def due(
    only: Annotated[str | None, typer.Option("--only", metavar="RUN", help="This run of the schedule alone.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Also run what failed last time, once more.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and run nothing.")] = False,
    now: Now = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what goes wrong, as cron likes it.")] = False,
    schedule: Schedule = REPORTS / "schedule.yml",
    out: Out = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Run what the schedule says is due, deliver it, and end. Call it as often as you like, also twice at once.

    Due are the times since the last run that was recorded; of several that were missed the newest alone, or as many as
    catch_up says. A run that was killed is due again, one that failed is not (--failed). A report that could not be
    delivered is delivered by the next call. The summary for whatever watches is reports/status.json.

    \b
    Examples:
      cs-helpers due
      cs-helpers due --dry-run --now 2026-12-01T07:00
      cs-helpers due --failed --only churn-by-segment
      cs-helpers export cron                              a line that calls this every few minutes

    Exit codes: 0 all well or nothing due, 1 a report or a delivery failed, 2 the schedule is wrong, 130 stopped.
    """
    from cs_helpers.schedule import due as work
    from cs_helpers.schedule import ledger
    from cs_helpers.schedule import schedule as plan

    _refuse_address(out)
    began = plan.instant(now)
    whole = plan.read(schedule)
    asked, changed = whole.only(only), work.last_change(schedule)
    if dry_run:
        book = ledger.Ledger(out).read()
        _say_what_is_due(asked, began, work.plan(asked, book, began, changed, failed=failed), as_json)
        return

    spoken = []

    def tell(line: str, wrong: bool) -> None:
        spoken.append(line)
        if wrong or not quiet:
            typer.echo(line, err=wrong or as_json)

    desk = work.Desk(out, tell, show=not quiet and sys.stderr.isatty())
    good = work.run_all(desk, asked, began, changed, failed=failed)
    found = work.status(whole, out, began if now else plan.instant(None), desk.ledger.read())
    work.write_status(found, out)
    if as_json:
        print_json(found)
    elif not spoken and not quiet:
        typer.echo("Nothing is due." + _coming(asked, began))
    if not good:
        raise typer.Exit(1)


@app.command()
def start(
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="How many runs at once.")] = 1,
    schedule: Schedule = REPORTS / "schedule.yml",
    out: Out = REPORTS,
) -> None:
    """Stay, and run what is due when it is due, until stopped; for where there is no cron.

    It reads the schedule again when the file changes (a wrong file is told, and the old one stays in force), goes by
    the clock on the wall however that is set, and makes up for what was missed as `due` does. Several may watch one
    folder: each run is made once. SIGTERM and Ctrl-C end it: runs get 30 seconds to end, and leave nothing half-done.

    \b
    Examples:
      cs-helpers start
      cs-helpers start --jobs 2
      nohup cs-helpers start 2>> scheduler.log &

    Exit codes: 0 stopped by a signal, 2 the schedule is wrong at the start.
    """
    from cs_helpers.schedule import daemon

    _refuse_address(out)
    daemon.stay(schedule, out, say, jobs=jobs)


@app.command()
def export(
    to: Annotated[str, typer.Argument(metavar="cron|systemd|airflow", help="Who takes the schedule over.")],
    schedule: Schedule = REPORTS / "schedule.yml",
    out: Out = REPORTS,
) -> None:
    """Hand the schedule over: a line for cron, units for systemd, a file for Airflow. Nothing is installed.

    cron and systemd call `cs-helpers due` every few minutes, which knows the time zone, catches up what was missed and
    delivers; a change of the schedule needs no new line. Airflow gets each run as a DAG of its own.

    \b
    Examples:
      cs-helpers export cron
      (crontab -l; cs-helpers export cron) | crontab -    take the line over at once
      cs-helpers export systemd
      cs-helpers export airflow > ~/airflow/dags/cs_helpers_reports.py

    Exit codes: 0, or 2 where the schedule is wrong.
    """
    from cs_helpers.schedule import handover
    from cs_helpers.schedule import schedule as plan

    typer.echo(handover.export(to, plan.read(schedule), Path.cwd(), schedule, out))


def _refuse_address(out: Path) -> None:
    """The schedule keeps its locks and its memory in a folder; an address such as s3://... has no locks."""
    if re.match(r"\w[\w+.-]+:/", out.as_posix()):
        raise ParameterError(
            f"--out: the schedule needs a folder of this machine, not {out.as_posix()}.\n"
            "  Let it run in a folder, and name recipients who get the reports: cs-helpers check reports/schedule.yml"
        )


def _say_what_is_due(schedule: Any, now: datetime, runs: Any, as_json: bool) -> None:
    from cs_helpers.schedule import schedule as plan

    if as_json:
        print_json(plan.as_records(runs))
    elif runs:
        typer.echo("\n".join(plan.as_lines(runs, now)))
    else:
        typer.echo("Nothing is due." + _coming(schedule, now))


def _coming(schedule: Any, now: datetime) -> str:
    from cs_helpers.schedule import schedule as plan

    coming = plan.upcoming(schedule, now, 1)
    return f" Next: {coming[0][1].name}, {plan.in_words(coming[0][0], now)}." if coming else ""
