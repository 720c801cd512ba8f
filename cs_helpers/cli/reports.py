"""The commands ``list``, ``new``, ``index``, ``open``, ``history``, ``prune`` and ``doctor``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cs_helpers.cli import progress
from cs_helpers.cli.app import REPORTS, AsJson, Out, app, link, print_json, say
from cs_helpers.core.errors import ParameterError, did_you_mean


@app.command("list")
def list_(out: Out = REPORTS, as_json: AsJson = False) -> None:
    """List the notebooks with their questions and parameters, and the published reports.

    \b
    Examples:
      cs-helpers list
      cs-helpers list --json
    """
    from cs_helpers.publish import run_records, series

    notebooks: list[dict[str, Any]] = []
    for path in series.find_all():
        title, question = series.title_and_question(path)
        try:
            parameters, problem = [asdict(p) for p in series.declared_parameters(path).values()], ""
        except ParameterError as error:
            parameters, problem = [], str(error)
        notebooks.append(
            {"name": path.stem, "title": title, "question": question, "parameters": parameters, "problem": problem}
        )
    reports = run_records.read_series(out)
    if as_json:
        print_json({"notebooks": notebooks, "reports": reports})
        return
    typer.echo(f"Notebooks in {series.notebooks_folder()}" if notebooks else "No notebooks here.")
    for notebook in notebooks:
        typer.echo(f"\n  {notebook['name']}: {notebook['question'] or notebook['title']}")
        for declared in notebook["parameters"]:
            text = f"    -p {declared['name']}={'' if declared['default'] is None else declared['default']}"
            typer.echo(f"{text:<34}  {declared['help']}".rstrip())
        if notebook["problem"]:
            typer.echo(f"    {notebook['problem']}")
    typer.echo(f"\nReports in {out}" if reports else f"\nNo reports in {out} yet. Make one: cs-helpers run NAME")
    for one in reports:
        good, failed = one["last_good"], one["last_failed"]
        where = f"{out / good['latest']}  {good['status']}, {good['finished_at']}" if good else "no good run yet"
        typer.echo(f"  {one['series']}: {where}")
        if failed:
            typer.echo(f"    last attempt failed, {failed['started_at']}: {failed['message']}")


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the file and the series: small letters, digits, _ and -.")
    ],
    title: Annotated[str, typer.Option("--title", help="Title of the report; default: made from NAME.")] = "",
    question: Annotated[str, typer.Option("--question", help="The question that the report answers.")] = "",
) -> None:
    """Create a notebook that has all standard sections and runs at once, ready to be changed.

    \b
    Example:
      cs-helpers new upsell --title "Upsell" --question "Which accounts grew, and what did they do before?"
    """
    from cs_helpers.publish.new import create

    path = create(name, title, question)
    typer.echo(str(path))
    say(f"  Open it: make lab, then {path} in the file list on the left.\n  Run it:  cs-helpers run {name}")


@app.command()
def index(out: Out = REPORTS) -> None:
    """Write the index page of all reports again and print its path.

    Every run does this. Use the command after you copied, moved or removed runs by hand.

    \b
    Examples:
      cs-helpers index
      cs-helpers index --out /mnt/board/reports
    """
    from cs_helpers.publish import report_index

    out.mkdir(parents=True, exist_ok=True)
    path, broken = report_index.rebuild(out)
    for each in broken:
        say(f"{each}: cannot be read as a run record and is left out.")
    typer.echo(link(path))


@app.command("open")
def open_(
    series: Annotated[
        str | None, typer.Argument(metavar="[SERIES]", help="Series of a report; default: the index page.")
    ] = None,
    out: Out = REPORTS,
) -> None:
    """Print the path of a report or of the index page, and open it if there is a display.

    \b
    Examples:
      cs-helpers open
      cs-helpers open churn
    """
    path = out / "index.html" if series is None else out / series / "latest.html"
    if not path.is_file():
        from cs_helpers.publish.run_records import read_series

        names = [one["series"] for one in read_series(out) if one["last_good"]]
        there = f"There are: {', '.join(names)}." if names else "Make one: cs-helpers run NAME"
        raise ParameterError(f"no report at {path}. {there}{did_you_mean(series or '', names)}")
    typer.echo(link(path))
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


Series = Annotated[
    str | None, typer.Argument(metavar="[SERIES]", help="One series with its parts; default: all. See list.")
]


@app.command()
def history(
    series: Series = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="Number of runs, newest first.")] = 20,
    out: Out = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Show the last runs: start, status, headline figures, or the reason of a failure.

    \b
    Examples:
      cs-helpers history
      cs-helpers history churn -n 5
      cs-helpers history churn/segment=smb --json
    """
    from cs_helpers.publish import run_records

    records, broken = run_records.read_records(out)
    for each in broken:
        say(f"{each}: cannot be read as a run record and is left out.")
    wanted = _within(series, list(run_records.by_series(records)), out)
    shown = [record for record in records if record["series"] in wanted][:number]
    if as_json:
        print_json(shown)
        return
    if not shown:
        say(f"No runs in {out} yet. Make one: cs-helpers run NAME")
        return
    from cs_helpers.cli import terminal

    terminal.print_history(shown)


@app.command()
def prune(
    series: Series = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, metavar="N", help="Keep the newest N good runs of each series.")
    ] = None,
    older_than: Annotated[
        int | None, typer.Option("--older-than", min=1, metavar="DAYS", help="Remove runs older than that.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be removed; remove nothing.")] = False,
    out: Out = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Remove old runs and leftovers of killed processes, and print how much space that frees.

    By default the newest 50 good runs of each series stay. With both --keep and --older-than, a run is removed if
    either option applies. The last good run and the newest run of every series always stay, and so do settings and
    keys. Of failed runs the newest 10 stay.

    \b
    Examples:
      cs-helpers prune --dry-run
      cs-helpers prune --keep 20
      cs-helpers prune churn --older-than 365
    """
    from cs_helpers.publish import prune as pruning
    from cs_helpers.publish import run_records

    there = list(run_records.by_series(run_records.read_records(out)[0]))
    wanted = _within(series, there, out)
    max_good = pruning.KEEP if keep is None and older_than is None else keep
    planned = pruning.plan(out, max_good, older_than, datetime.now(UTC), series=wanted)
    problems = [] if dry_run else pruning.apply(out, planned)
    if as_json:
        print_json(pruning.as_record(planned, out) | {"dry_run": dry_run, "problems": problems})
    else:
        _say_pruned(planned, out, dry_run)
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(1)


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
    from cs_helpers.cli import diagnostics

    with progress.of_something("checking this machine"):
        findings = diagnostics.examine(out, schedule or out / "schedule.yml", source)
    code = diagnostics.exit_code(findings)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        from cs_helpers.cli import terminal

        terminal.print_findings(findings)
        if code:
            say("Fix the problems above, then check again: cs-helpers doctor")
    if code:
        raise typer.Exit(code)


def _say_pruned(planned: Any, out: Path, dry_run: bool) -> None:
    from cs_helpers.publish.prune import size_words

    for name, count in planned.counts.items():
        removed = [each for each in planned.runs if each.series == name]
        size = size_words(sum(each.size for each in removed))
        typer.echo(f"{name}: {len(removed)} of {count} runs, {size} ({'; '.join(sorted({e.why for e in removed}))})")
    for each in planned.leftovers:
        typer.echo(f"{each.path.relative_to(out).as_posix()}: {each.why}, {size_words(each.size)}")
    if not planned.runs and not planned.leftovers:
        typer.echo("Nothing to remove.")
        return
    typer.echo(f"{'Would free' if dry_run else 'Freed'} {size_words(planned.size)}.")


def _within(series: str | None, names: Sequence[str], out: Path) -> list[str]:
    """The series of that name and its parts, or all without a name. Raises ParameterError for an unknown series."""
    if series is None:
        return list(names)
    name = series.strip("/")
    found = [one for one in names if one == name or one.startswith(f"{name}/")]
    if not found:
        there = f"There are: {', '.join(names)}." if names else "Make one: cs-helpers run NAME"
        raise ParameterError(f"no series '{name}' in {out}. {there}{did_you_mean(name, names)}")
    return found
