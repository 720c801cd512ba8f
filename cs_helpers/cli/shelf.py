"""The commands about what there is: notebooks, reports and their index."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cs_helpers.cli.app import REPORTS, AsJson, Out, app, link, print_json, say
from cs_helpers.errors import ParameterError, did_you_mean


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
    say(f"  Open it: make lab, then {path} in the folder on the left.\n  Run it:  cs-helpers run {name}")


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
        say(f"{broken}: cannot be read as a run record; left out.")
    typer.echo(link(pages.rebuild(out)))


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
    typer.echo(link(path))
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
