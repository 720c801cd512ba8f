"""The command ``run``: executes notebooks and publishes their reports."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cs_helpers.cli import progress
from cs_helpers.cli.app import Debug, app, print_json, say
from cs_helpers.core.errors import CsHelpersError, MappingError, SourceError

if TYPE_CHECKING:
    from cs_helpers.publish.batch import Order
    from cs_helpers.publish.series import Scalar
    from cs_helpers.publish.store import Store


Scheduled = Annotated[
    str, typer.Option("--scheduled", hidden=True, metavar="JOB@TIME", help="Job and time of a scheduled run.")
]


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Notebooks to run; see the command list.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Run every notebook.")] = False,
    source: Annotated[str | None, typer.Option("--source", help="Folder, file or address of the data.")] = None,
    mapping: Annotated[str | None, typer.Option("--mapping", help="Mapping file that translates your export.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="First day that is not counted, such as 2025-01-01 or last_complete_month."),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="KEY=VALUE", help="Set a notebook's parameter.")
    ] = None,
    for_each: Annotated[
        str | None,
        typer.Option("--for-each", metavar="COLUMN", help="One report for each value of segment, csm.team, ..."),
    ] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="full, or shared: pseudonyms replace all names.")
    ] = None,
    comments: Annotated[
        bool, typer.Option("--with-comments", help="With --audience shared: include comments without names.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Reports to run at a time.")] = 1,
    timeout: Annotated[str, typer.Option("--timeout", help="Time limit of each report, such as 30m or 2h.")] = "1h",
    memory: Annotated[
        str,
        typer.Option(
            "--memory", help="Memory limit of each report, such as 4GB; default: 3/4 of the machine, shared by --jobs."
        ),
    ] = "",
    retries: Annotated[int, typer.Option("--retries", min=0, max=10, help="Retries after temporary failures.")] = 1,
    cold: Annotated[
        bool, typer.Option("--cold", help="Start a new kernel for each report instead of a warm one.")
    ] = False,
    out: Annotated[
        str, typer.Option("--out", help="Folder of the reports, or an address such as s3://...")
    ] = "reports",
    as_json: Annotated[bool, typer.Option("--json", help="Print the run records as JSON for scripts.")] = False,
    debug: Debug = False,
    scheduled: Scheduled = "",
) -> None:
    """Run notebooks and publish their reports.

    A report is published only if its notebook ran to the end; otherwise the last good report stays in place.

    \b
    Examples:
      cs-helpers run churn
      cs-helpers run churn --source exports/2024-12 --mapping mapping.yml --as-of 2025-01-01
      cs-helpers run churn -p where=segment=SMB -p months=6 --json
      cs-helpers run churn --for-each segment --jobs 2    one report for each segment, two at a time
      cs-helpers run churn --for-each csm.team            by an attribute of the CSM of the account
      cs-helpers run churn --audience shared
      cs-helpers run --all --out s3://bucket/reports

    Exit codes: 0 all reports published, 1 a report failed, 2 wrong input, 130 stopped by Ctrl-C.
    """
    from cs_helpers.publish import batch, limits, series, sharing, store

    if bool(names) == everything:
        there = ", ".join(path.stem for path in series.find_all())
        raise typer.BadParameter(f"Name the notebooks to run, or add --all. Available: {there or 'none'}.")
    try:
        within = limits.seconds(timeout), limits.bytes_of(memory) if memory else limits.fair_memory(jobs)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    texts = _parameter_texts(parameter or [], {"source": source, "mapping": mapping, "as_of": as_of})
    wanted = [str(path) for path in series.find_all()] if everything else names or []
    job, _, at = scheduled.partition("@")
    for_time = {"job": job, "at": at} if job and at else None
    codes: set[int] = set()
    with store.opened(out) as reports:
        orders: list[batch.Order] = []
        for name in wanted:
            try:
                orders += _orders(name, texts, audience, comments, for_each, for_time, reports.folder)
            except CsHelpersError as error:
                say("".join(traceback.format_exception(error)) if debug else str(error))
                codes.add(error.exit_code)
        if any(sharing.audience_of(order.values) != "full" for order in orders):
            reports.check_key()
        with progress.of_runs(len(orders)) as show:
            settings = batch.Settings(reports.folder, jobs, *within, retries=retries, warm=not cold, debug=debug)
            results = batch.run_all(orders, settings, show, reports.push)
    records = [dict(result.record) for result in results if result.record]
    for result in results:
        for text in (result.traceback, result.message):
            if text:
                say(text)
    if as_json:
        print_json(records)
    elif records:
        _print_summary(records, reports)
    codes |= {result.exit_code for result in results}
    if codes - {0}:
        raise typer.Exit(2 if codes - {0} == {2} else 1)


def _orders(
    name: str,
    texts: Mapping[str, str],
    audience: str | None,
    comments: bool,
    for_each: str | None,
    scheduled: dict[str, Any] | None,
    out: Path,
) -> list[Order]:
    """The orders for one notebook, checked before anything starts. Raises CsHelpersError for wrong input."""
    from cs_helpers.publish import fanout, series, sharing
    from cs_helpers.publish.batch import Order

    notebook = series.find(name)
    values = series.check_parameters(notebook, sharing.with_audience(notebook, texts, audience, comments))
    _check_places(values)
    if not for_each:
        return [Order(notebook, values, scheduled=scheduled and scheduled | {"of": 1})]
    fanout.check(notebook, for_each, values)
    with progress.of_something(f"looking up {for_each}"):
        parts = fanout.parts(notebook, for_each, values, _values_of(for_each, values))
    about = scheduled and scheduled | {"of": len(parts)}
    orders = [Order(notebook, of_part, name, about) for name, of_part in parts.items()]
    if scheduled:
        made = fanout.published_series(out, scheduled)
        orders = [order for order in orders if order.name not in made]
    return orders


def _values_of(column: str, values: Mapping[str, Scalar]) -> list[str]:
    """The values that the accounts of the source have in a column."""
    from cs_helpers.data import tables

    source, mapping, as_of, where = (str(values.get(key) or "") for key in ("source", "mapping", "as_of", "where"))
    company = tables.load(source, mapping or None, as_of or None, where or None)
    found = company.values(column)
    if left := len(company.accounts) - sum(count for _, count in found):
        say(f"{left:,} of {len(company.accounts):,} accounts have no {column} and are in none of these reports.")
    return [value for value, _ in found]


def _parameter_texts(pairs: Sequence[str], shortcuts: Mapping[str, str | None]) -> dict[str, str]:
    """The parameters as texts, with relative dates resolved. Raises BadParameter if one is set twice."""
    from cs_helpers.publish import relative

    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"'{pair}': write a parameter as -p name=value.")
        if name in texts:
            raise typer.BadParameter(f"'{name}' is set twice.")
        texts[name] = value
    for name, shortcut in shortcuts.items():
        if shortcut is None:
            continue
        if name in texts:
            raise typer.BadParameter(f"'{name}' is set twice: by -p and by --{name.replace('_', '-')}.")
        texts[name] = shortcut
    if "as_of" in texts:
        texts["as_of"] = relative.resolve(texts["as_of"], datetime.now().astimezone()) or texts["as_of"]
    return {name: os.path.expanduser(v) if name in ("source", "mapping") else v for name, v in texts.items()}


def _check_places(values: Mapping[str, Scalar]) -> None:
    """Raises SourceError or MappingError for a missing source or mapping, before a kernel starts."""
    source, mapping = values.get("source"), values.get("mapping")
    if isinstance(source, str) and source and "://" not in source and not Path(source).exists():
        raise SourceError(
            f"source: there is no file or folder {source}.\n"
            "  Set it with --source, or write the sample company: cs-helpers sample data/sample"
        )
    named = isinstance(mapping, str) and re.fullmatch(r"[a-z0-9_]+", mapping)  # the name of a built-in mapping
    if mapping and isinstance(mapping, str) and not named and not Path(mapping).is_file():
        raise MappingError(f"mapping: there is no file {mapping}.\n  Set it with --mapping.")


def _print_summary(records: Sequence[Mapping[str, Any]], reports: Store) -> None:
    """Prints one or two lines for each report, and the path of the index page."""
    out = reports.folder
    width = max(len(record["series"]) for record in records)
    for record in records:
        failed = record["status"] == "failed"
        where = out / record["series"] / (record["run_id"] if failed else "latest.html")
        typer.echo(
            f"{record['series']:<{width}}  {record['status']:<8}  {record['duration_s']:5.1f} s  {reports.shown(where)}"
        )
        tiles = [f"{tile.get('name')} {_value(tile)}" for tile in record["headline"]]
        if tiles:
            typer.echo(f"{'':<{width}}  {', '.join(tiles)}")
    failed = sum(record["status"] == "failed" for record in records)
    if len(records) > 1:
        typer.echo(
            f"{len(records) - failed} of {len(records)} reports published" + (f", {failed} failed" * bool(failed))
        )
    typer.echo(f"Index: {reports.shown(out / 'index.html')}")


def _value(tile: Mapping[str, Any]) -> str:
    value, unit = tile.get("value"), tile.get("unit") or ""
    if tile.get("text"):
        return str(tile["text"])  # the notebook's own text, which includes the currency
    if value is None:
        return "not shown"
    if unit == "fraction":
        return f"{value:.1%}"
    number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
    return number if unit == "ratio" else f"{number} {unit}".rstrip()
