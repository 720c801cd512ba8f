"""``run``: notebooks executed and their reports published."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cs_helpers import progress
from cs_helpers.cli.app import REPORTS, Debug, Out, app, link, print_json, say
from cs_helpers.errors import CsHelpersError, MappingError, SourceError

if TYPE_CHECKING:
    from cs_helpers.reports.series import Scalar


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
                record = runner.run(notebook, plans[notebook], out, count, debug=debug, tell=say)
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
                say(runner.traceback_of(record, out))
            say(runner.failure_message(record, out))
    if as_json:
        print_json(records)
    elif records:
        _print_summary(records, out)
    if codes:
        raise typer.Exit(2 if set(codes) == {2} else 1)


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


def _print_summary(records: Sequence[Mapping[str, Any]], out: Path) -> None:
    width = max(len(record["series"]) for record in records)
    for record in records:
        failed = record["status"] == "failed"
        where = out / record["series"] / (record["run_id"] if failed else "latest.html")
        typer.echo(f"{record['series']:<{width}}  {record['status']:<8}  {record['duration_s']:5.1f} s  {link(where)}")
        tiles = [f"{tile.get('name')} {_value(tile)}" for tile in record["headline"]]
        if tiles:
            typer.echo(f"{'':<{width}}  {', '.join(tiles)}")
    typer.echo(f"Index: {link(out / 'index.html')}")


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


def _report_error(error: Exception, debug: bool) -> int:
    if debug:
        import traceback

        say("".join(traceback.format_exception(error)))
    elif isinstance(error, CsHelpersError):
        say(str(error))
    else:
        say(f"Unexpected {type(error).__name__}: {error}\n  Run again with --debug to see where it comes from.")
    return error.exit_code if isinstance(error, CsHelpersError) else 1
