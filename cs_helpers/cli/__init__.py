"""The command ``cs-helpers``: parse, call, print. Results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

import cs_helpers
from cs_helpers.cli import data, planning, reports, run  # noqa: F401 - each adds its commands
from cs_helpers.cli.app import Debug, app


def main() -> None:
    """The console script."""
    # SIGTERM from a scheduler must clean up like Ctrl-C.
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
    """Customer Success analytics you can defend: run notebooks, publish self-contained reports.

    \b
    Start here:
      cs-helpers sample data/sample      write a sample company
      cs-helpers list                    list notebooks, questions and parameters
      cs-helpers run churn               run a notebook and publish its report
      cs-helpers open churn              read the report
    """
    cs_helpers.check_subjects()
