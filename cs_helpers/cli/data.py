"""The commands ``check``, ``map``, ``sample`` and ``metrics``."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cs_helpers.cli import progress
from cs_helpers.cli.app import REPORTS, AsJson, Out, app, link, print_json, say
from cs_helpers.core.errors import ParameterError


@app.command()
def check(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Folder, workbook, DuckDB file or database address; or a schedule.")
    ],
    mapping: Annotated[
        str | None, typer.Option("--mapping", help="Mapping file, or the name of a built-in one such as stripe.")
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="First day that is not counted; see run.")] = None,
    out: Out = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Check an export against the data contract and list all problems in one pass.

    Errors prevent a report. Rows that are set aside are counted, left out and written to a CSV file. Warnings appear
    beside the figures that they affect. The input is never changed. For the same check as a report, run:
    cs-helpers run data_check --source SOURCE

    If SOURCE ends in .yml it is a schedule: each of its runs is explained in words, or all its mistakes are listed.

    \b
    Examples:
      cs-helpers check exports/
      cs-helpers check exports/ --mapping my_mapping.yml
      cs-helpers check book.xlsx --mapping ravenstack --json
      PGPASSWORD=... cs-helpers check postgresql://reader@warehouse/crm
      cs-helpers check reports/schedule.yml

    Exit codes: 0 no errors, 2 errors.
    """
    if source.endswith((".yml", ".yaml")):
        _check_schedule(Path(os.path.expanduser(source)), mapping or as_of, as_json)
        return
    from cs_helpers.cli import terminal
    from cs_helpers.data.tables import report
    from cs_helpers.data.tables.inspection import inspect

    with progress.of_something(f"checking {source}"):
        seen = inspect(os.path.expanduser(source), mapping and os.path.expanduser(mapping), as_of)
        aside = _write_check(seen, out)
    if as_json:
        print_json(report.as_record(seen, str(aside) if aside else None))
    else:
        terminal.print_check(seen, link(aside) if aside else "")
    if seen.failed:
        say("Fix these errors before running reports on this source; each message states how.")
        raise typer.Exit(2)


@app.command("map")
def map_(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Folder or other source of the export.")],
    to: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the mapping here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draft a mapping from the headers and values of an export, and rate how certain each line is.

    Ambiguous cases are not guessed. If only you can decide, such as whether 03-04-2024 is in March or in April, the
    draft lists the candidates.

    \b
    Examples:
      cs-helpers map exports/
      cs-helpers map exports/ -o my_mapping.yml
      cs-helpers check exports/ --mapping my_mapping.yml     the next step
    """
    from cs_helpers.cli import terminal
    from cs_helpers.data.mapping.draft import draft
    from cs_helpers.data.sources import open_source

    if to is not None and to.exists() and not force:
        raise ParameterError(f"{to} exists already.\n  Choose another file, or add --force to replace it.")
    with progress.of_something(f"reading {folder}"):
        place = open_source(os.path.expanduser(folder))
        try:
            drafted = draft(place)
        finally:
            place.close()
    if as_json:
        print_json({"certainty": [asdict(row) for row in drafted.certainty], "questions": list(drafted.questions)})
    else:
        terminal.print_certainty(drafted)
    if to is not None:
        drafted.write(to)
        say(f"Written to {to}. Next: cs-helpers check {folder} --mapping {to}")
    elif not as_json:
        typer.echo(drafted.text)


@app.command()
def sample(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; created if needed.")],
    accounts: Annotated[
        int | None, typer.Option(min=1, help="Number of accounts; default 600, or 2000 for a world.")
    ] = None,
    months: Annotated[int | None, typer.Option(min=1, help="Months of history; default 36, or 24 for a world.")] = None,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed gives the same company.")] = 1,
    world: Annotated[
        str | None, typer.Option(help="Write a simulated world instead: A, I, B, N, M, O, U or UN.")
    ] = None,
) -> None:
    """Write the exports of a sample company, to try everything out.

    A world is a company in which the effect of Customer Success on churn is known, to evaluate methods: A has an effect
    and ordinary confounding, in I CSMs cover unhealthy accounts, in B large and healthy ones, N has no effect, M a
    non-linear one, O poor overlap, U a hidden confounder, UN a hidden confounder and no effect.

    \b
    Examples:
      cs-helpers sample data/sample
      cs-helpers sample large --accounts 5000 --months 60 --seed 7
      cs-helpers sample world-n --world N
    """
    if world is not None:
        from cs_helpers.data.sample import worlds

        written = worlds.write(directory, world, accounts=accounts or 2000, months=months or 24, seed=seed)
    else:
        from cs_helpers.data.sample import write

        written = write(directory, accounts=accounts or 600, months=months or 36, seed=seed)
    for path in written:
        typer.echo(str(path))


@app.command()
def metrics(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="One metric; default: all of them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the definition of each metric: formula, population, unit and rival definitions.

    \b
    Examples:
      cs-helpers metrics
      cs-helpers metrics grr
    """
    from cs_helpers.core import metrics as definitions

    chosen = [definitions.metric(key)] if key else list(definitions.all_metrics().values())
    if as_json:
        print_json([asdict(one) for one in chosen])
        return
    if not key:
        width = max(len(one.key) for one in chosen)
        for one in chosen:
            typer.echo(f"{one.key:<{width}}  {one.name}: {one.formula}")
        return
    for name, value in asdict(chosen[0]).items():
        for number, line in enumerate(value if isinstance(value, tuple) else (value,)):
            typer.echo(f"{'' if number else name.replace('_', ' '):<15} {line}")


def _check_schedule(file: Path, foreign: str | None, as_json: bool) -> None:
    """Prints the schedule in words. Raises ScheduleError for a wrong one."""
    from cs_helpers.schedule import settings

    if foreign:
        raise ParameterError(f"{file.name} is a schedule.\n  Set mapping and as_of in it, and omit these options.")
    found, now = settings.read(file), settings.instant(None)
    if as_json:
        print_json(settings.as_explained(found, now))
    else:
        typer.echo("\n".join(settings.explain(found, now)))


def _write_check(seen: Any, out: Path) -> Path | None:
    """Writes the rows set aside as CSV below the folder of reports; returns its path, or None without such rows."""
    from cs_helpers.data.tables import report
    from cs_helpers.publish.publish import replace_file

    folder = out / "check" / (re.sub(r"[^\w.-]+", "-", Path(seen.source).stem).strip(".-") or "source")
    file = folder / "set_aside.csv"
    if not report.set_aside_rows(seen):
        file.unlink(missing_ok=True)
        return None
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(file, report.set_aside_csv(seen))
    return file
