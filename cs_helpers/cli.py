"""The command ``cs-helpers``: parse, call, print. Results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

import cs_helpers
from cs_helpers import progress
from cs_helpers.errors import CsHelpersError, MappingError, ParameterError, SourceError, did_you_mean

if TYPE_CHECKING:
    from cs_helpers.reports.series import Scalar

REPORTS = Path("reports")


class _Commands(TyperGroup):
    """All commands end the same way: a user's mistake is a message and a code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        debug = bool(ctx.params.get("debug"))
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            _say("Stopped. Reports that were finished stay; nothing was kept of the unfinished one.")
            raise typer.Exit(130) from None
        except CsHelpersError as error:
            if debug:
                raise
            _say(str(error))
            raise typer.Exit(error.exit_code) from None
        except Exception as error:
            if debug:
                raise
            _say(f"Unexpected {type(error).__name__}: {error}")
            _say("  Run again with --debug to see where it comes from (cs-helpers --debug COMMAND ...).")
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich would triple the time --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Out = Annotated[Path, typer.Option("--out", help="Folder of the reports.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Schedule = Annotated[Path, typer.Option("--schedule", help="The file of the schedule.")]


def main() -> None:
    """The console script."""
    # A scheduler's stop must leave as little behind as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app(prog_name="cs-helpers")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cs-helpers {cs_helpers.__version__}")
        raise typer.Exit


@app.callback()
def cs_helpers_command(
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Customer Success analytics you can defend: notebooks in, self-contained reports out.

    \b
    Start here:
      cs-helpers sample data/sample      write a made-up company
      cs-helpers list                    the notebooks, their questions and parameters
      cs-helpers run churn               run one and publish its report
      cs-helpers open churn              read it
    """


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Notebooks to run; see list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Run every notebook.")] = False,
    source: Annotated[str | None, typer.Option("--source", help="Folder, file or address of the data.")] = None,
    mapping: Annotated[str | None, typer.Option("--mapping", help="Mapping file for somebody else's export.")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="First day not counted: the 1st of a month, such as 2025-01-01.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="Set a notebook's parameter.")
    ] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="full, or shared: for readers who must not learn who is who.")
    ] = None,
    comments: Annotated[bool, typer.Option("--with-comments", help="Shared, with comments that name nobody.")] = False,
    out: Out = REPORTS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run records as JSON for scripts.")] = False,
    debug: Debug = False,
) -> None:
    """Run notebooks and publish their reports.

    A report is published only if its notebook ran to the end; otherwise the last good one stays.

    \b
    Examples:
      cs-helpers run churn
      cs-helpers run churn --source exports/2024-12 --mapping mapping.yml --as-of 2025-01-01
      cs-helpers run churn -p where=segment=SMB -p months=6 --json
      cs-helpers run churn --audience shared
      cs-helpers run --all

    Exit codes: 0 all published, 1 a report failed, 2 wrong input, 130 stopped by Ctrl-C.
    """
    from cs_helpers.reports import run as runner
    from cs_helpers.reports import series, sharing

    if bool(names) == everything:
        there = ", ".join(path.stem for path in series.find_all())
        raise typer.BadParameter(f"give the names of notebooks, or --all. There are: {there or 'none'}.")
    given = _given(parameter or [], {"source": source, "mapping": mapping, "as_of": as_of})
    codes: list[int] = []
    plans: dict[Path, dict[str, Scalar]] = {}
    for name in [str(path) for path in series.find_all()] if everything else names or []:
        try:
            notebook = series.find(name)
            values = series.check_parameters(notebook, sharing.given(notebook, given, audience, comments))
            _check_places(values)
            plans[notebook] = values
        except CsHelpersError as error:
            codes.append(_report_error(error, debug))
    records = []
    for notebook in plans:
        try:
            with progress.of_cells(notebook.stem) as count:
                record = runner.run(notebook, plans[notebook], out, count, debug=debug, tell=_say)
        except CsHelpersError as error:
            codes.append(_report_error(error, debug))
            continue
        except Exception as error:
            codes.append(_report_error(error, debug) and 1)
            continue
        records.append(record)
        if code := runner.exit_code(record):
            codes.append(code)
            if debug:
                _say(runner.traceback_of(record, out))
            _say(runner.failure_message(record, out))
    if as_json:
        _print_json(records)
    elif records:
        _print_summary(records, out)
    if codes:
        raise typer.Exit(2 if set(codes) == {2} else 1)


@app.command()
def check(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, workbook, DuckDB file or database address.")],
    mapping: Annotated[
        str | None, typer.Option("--mapping", help="Mapping file, or the name of a ready one such as stripe.")
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="First day not counted; see run.")] = None,
    out: Out = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Check an export against the contract: everything wrong, left out or odd, in one pass.

    Errors stop a report; rows set aside are counted, left out and written to a CSV; warnings stand beside the figures
    they touch. The input is never changed. The same as a report: cs-helpers run data_check --source SOURCE

    \b
    Examples:
      cs-helpers check exports/
      cs-helpers check exports/ --mapping my_mapping.yml
      cs-helpers check book.xlsx --mapping ravenstack --json
      PGPASSWORD=... cs-helpers check postgresql://reader@warehouse/crm

    Exit codes: 0 fine or warnings, 2 errors.
    """
    from cs_helpers import terminal
    from cs_helpers.tables import report
    from cs_helpers.tables.inspection import inspect

    with progress.of_something(f"checking {source}"):
        seen = inspect(os.path.expanduser(source), mapping and os.path.expanduser(mapping), as_of)
        aside = _write_check(seen, out)
    if as_json:
        _print_json(report.as_record(seen, str(aside) if aside else None))
    else:
        terminal.print_check(seen, _link(aside) if aside else "")
    if seen.failed:
        _say("Nothing can be run on this source until the errors are mended; each says how.")
        raise typer.Exit(2)


@app.command("map")
def map_(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the export is: a folder or another source.")],
    to: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the mapping here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draft a mapping from an export's headers and values, and say how sure each line is.

    Nothing ambiguous is guessed: what only you can know, such as whether 03-04-2024 is a day in March or in April, is
    left open with the candidates beside it.

    \b
    Examples:
      cs-helpers map exports/
      cs-helpers map exports/ -o my_mapping.yml
      cs-helpers check exports/ --mapping my_mapping.yml     what to do next
    """
    from cs_helpers import terminal
    from cs_helpers.mapping.draft import draft
    from cs_helpers.sources import open_source

    if to is not None and to.exists() and not force:
        raise ParameterError(f"{to} is there already.\n  Name another file, or add --force to replace it.")
    with progress.of_something(f"reading {folder}"):
        place = open_source(os.path.expanduser(folder))
        try:
            drafted = draft(place)
        finally:
            place.close()
    if as_json:
        _print_json({"certainty": [asdict(row) for row in drafted.certainty], "questions": list(drafted.questions)})
    else:
        terminal.print_certainty(drafted)
    if to is not None:
        drafted.write(to)
        _say(f"Written to {to}. Next: cs-helpers check {folder} --mapping {to}")
    elif not as_json:
        typer.echo(drafted.text)


@app.command()
def sample(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; it is made if needed.")],
    accounts: Annotated[int | None, typer.Option(min=1, help="How many accounts; 600, or 2000 for a world.")] = None,
    months: Annotated[int | None, typer.Option(min=1, help="Months of history; 36, or 24 for a world.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 1,
    world: Annotated[
        str | None, typer.Option(help="A simulated world instead of the company: A, I, B, N, M, O, U or UN.")
    ] = None,
) -> None:
    """Write a made-up company with known truth, to try everything on.

    A world is a company whose Customer Success has a known effect on churn, for judging methods: A an effect and the
    usual confounding, I sent to sick accounts, B to big and healthy ones, N no effect, M a non-linear truth, O poor
    overlap, U a hidden confounder, UN a hidden confounder and no effect.

    \b
    Examples:
      cs-helpers sample data/sample
      cs-helpers sample large --accounts 5000 --months 60 --seed 7
      cs-helpers sample world-n --world N
    """
    if world is not None:
        from cs_helpers.sample import worlds

        written = worlds.write(directory, world, accounts=accounts or 2000, months=months or 24, seed=seed)
    else:
        from cs_helpers.sample import write

        written = write(directory, accounts=accounts or 600, months=months or 36, seed=seed)
    for path in written:
        typer.echo(str(path))


@app.command("list")
def list_(out: Out = REPORTS, as_json: AsJson = False) -> None:
    """List the notebooks with their questions and parameters, and the reports there are.

    \b
    Examples:
      cs-helpers list
      cs-helpers list --json
    """
    from cs_helpers.reports import index, series

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
    reports = index.read_series(out)
    if as_json:
        _print_json({"notebooks": notebooks, "reports": reports})
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
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the file and the series: small letters, digits, _.")],
    title: Annotated[str, typer.Option("--title", help="The report's title; made from NAME otherwise.")] = "",
    question: Annotated[str, typer.Option("--question", help="The one question it answers.")] = "",
) -> None:
    """Begin a notebook that has the house shape and runs at once; then change it.

    \b
    Example:
      cs-helpers new upsell --title "Upsell" --question "Which accounts grew, and what did they do before?"
    """
    from cs_helpers.reports.new import create

    path = create(name, title, question)
    typer.echo(str(path))
    _say(f"  Open it: make lab, then {path} in the folder on the left.\n  Run it:  cs-helpers run {name}")


@app.command()
def index(out: Out = REPORTS) -> None:
    """Build the index page of all reports again and print its path.

    \b
    Example:
      cs-helpers index
    """
    from cs_helpers.reports import index as pages

    out.mkdir(parents=True, exist_ok=True)
    for broken in pages.read_records(out)[1]:
        _say(f"{broken}: cannot be read as a run record; left out.")
    typer.echo(_link(pages.rebuild(out)))


@app.command("open")
def open_(
    series: Annotated[str | None, typer.Argument(metavar="[SERIES]", help="A report; without it, the index.")] = None,
    out: Out = REPORTS,
) -> None:
    """Print the path of a report, or of the index, and open it where there is a display.

    \b
    Examples:
      cs-helpers open
      cs-helpers open churn
    """
    path = out / "index.html" if series is None else out / series / "latest.html"
    if not path.is_file():
        from cs_helpers.reports.index import read_series

        known = [one["series"] for one in read_series(out) if one["last_good"]]
        there = f"There are: {', '.join(known)}." if known else "Make one: cs-helpers run NAME"
        raise ParameterError(f"no report at {path}. {there}{did_you_mean(series or '', known)}")
    typer.echo(_link(path))
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


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
    _print_json(plan.as_records(runs)) if as_json else typer.echo("\n".join(plan.as_lines(runs, began)))


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


@app.command()
def metrics(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="One metric; without it, all of them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what each number means: formula, who counts, unit, rival definitions.

    \b
    Examples:
      cs-helpers metrics
      cs-helpers metrics grr
    """
    from cs_helpers import definitions

    chosen = [definitions.metric(key)] if key else list(definitions.METRICS.values())
    if as_json:
        _print_json([asdict(one) for one in chosen])
        return
    if not key:
        width = max(len(one.key) for one in chosen)
        for one in chosen:
            typer.echo(f"{one.key:<{width}}  {one.name}: {one.formula}")
        return
    for field in fields(chosen[0]):
        value = getattr(chosen[0], field.name)
        lines = value if isinstance(value, tuple) else (value,)
        for number, line in enumerate(lines):
            label = "" if number else field.name.replace("_", " ")
            typer.echo(f"{label:<15} {line}")


def _given(pairs: Sequence[str], shortcuts: Mapping[str, str | None]) -> dict[str, str]:
    """The parameters as texts; a parameter set twice is refused rather than one of the two forgotten."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"'{pair}': write a parameter as -p name=value.")
        if name in given:
            raise typer.BadParameter(f"'{name}' is set twice.")
        given[name] = value
    for name, shortcut in shortcuts.items():
        if shortcut is None:
            continue
        if name in given:
            raise typer.BadParameter(f"'{name}' is set twice: by -p and by --{name.replace('_', '-')}.")
        given[name] = shortcut
    return {name: os.path.expanduser(v) if name in ("source", "mapping") else v for name, v in given.items()}


def _check_places(values: Mapping[str, Scalar]) -> None:
    """A source or a mapping that is not there is refused before a kernel starts."""
    source, mapping = values.get("source"), values.get("mapping")
    if isinstance(source, str) and source and "://" not in source and not Path(source).exists():
        raise SourceError(
            f"source: there is no file or folder {source}.\n"
            "  Name yours with --source, or write the sample company: cs-helpers sample data/sample"
        )
    named = isinstance(mapping, str) and re.fullmatch(r"[a-z0-9_]+", mapping)  # the name of a ready one
    if isinstance(mapping, str) and mapping and not named and not Path(mapping).is_file():
        raise MappingError(f"mapping: there is no file {mapping}.\n  Name yours with --mapping.")


def _write_check(seen: Any, out: Path) -> Path | None:
    """The rows set aside, as CSV below the reports' folder; None where there are none."""
    from cs_helpers.reports.publish import replace_file
    from cs_helpers.tables import report

    folder = out / "check" / (re.sub(r"[^\w.-]+", "-", Path(seen.source).stem).strip(".-") or "source")
    file = folder / "set_aside.csv"
    if not report.set_aside_rows(seen):
        file.unlink(missing_ok=True)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(file, report.set_aside_csv(seen))
    return file


def _print_summary(records: Sequence[Mapping[str, Any]], out: Path) -> None:
    width = max(len(record["series"]) for record in records)
    for record in records:
        failed = record["status"] == "failed"
        where = out / record["series"] / (record["run_id"] if failed else "latest.html")
        typer.echo(f"{record['series']:<{width}}  {record['status']:<8}  {record['duration_s']:5.1f} s  {_link(where)}")
        tiles = [f"{tile.get('name')} {_value(tile)}" for tile in record["headline"]]
        if tiles:
            typer.echo(f"{'':<{width}}  {', '.join(tiles)}")
    typer.echo(f"Index: {_link(out / 'index.html')}")


def _value(tile: Mapping[str, Any]) -> str:
    value, unit = tile.get("value"), tile.get("unit") or ""
    if tile.get("text"):
        return str(tile["text"])  # in the notebook's own words, currency included
    if value is None:
        return "not shown"
    if unit == "fraction":
        return f"{value:.1%}"
    number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
    return number if unit == "ratio" else f"{number} {unit}".rstrip()


def _link(path: Path) -> str:
    """The path, which a terminal shows as a link; plain text where it goes into a file or a pipe."""
    if not sys.stdout.isatty():
        return str(path)
    return f"\x1b]8;;{path.resolve().as_uri()}\x1b\\{path}\x1b]8;;\x1b\\"


def _report_error(error: Exception, debug: bool) -> int:
    if debug:
        import traceback

        _say("".join(traceback.format_exception(error)))
    elif isinstance(error, CsHelpersError):
        _say(str(error))
    else:
        _say(f"Unexpected {type(error).__name__}: {error}\n  Run again with --debug to see where it comes from.")
    return error.exit_code if isinstance(error, CsHelpersError) else 1


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False))


def _say(message: str) -> None:
    typer.echo(message, err=True)
