"""The application that all commands belong to, their shared options, output and exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cs_helpers.core.errors import CsHelpersError

REPORTS = Path("reports")


class _Commands(TyperGroup):
    """Lists the commands and turns errors into a message and an exit code, never a traceback."""

    ORDER = (
        "sample", "check", "map", "list", "run", "open", "history", "index", "prune",
        "next", "due", "start", "export", "new", "metrics", "doctor",
    )  # fmt: skip

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order in which a new user needs them."""
        return sorted(super().list_commands(ctx), key=self.ORDER.index)

    def invoke(self, ctx: Any) -> Any:
        debug = bool(ctx.params.get("debug"))
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            say("Stopped. Finished reports stay; nothing is left of unfinished ones.")
            raise typer.Exit(130) from None
        except CsHelpersError as error:
            if debug:
                raise
            say(str(error))
            raise typer.Exit(error.exit_code) from None
        except Exception as error:
            if debug:
                raise
            say(f"Unexpected {type(error).__name__}: {error}")
            say("  Run again with --debug to see the traceback (cs-helpers --debug COMMAND ...).")
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help, because rich would triple the time of --help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Out = Annotated[Path, typer.Option("--out", help="Folder of the reports.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Schedule = Annotated[Path, typer.Option("--schedule", help="Schedule file.")]


def link(path: Path | str) -> str:
    """The path as a link for a terminal, or as plain text for a file or pipe."""
    if not sys.stdout.isatty():
        return str(path)
    address = str(path) if "://" in str(path) else Path(path).resolve().as_uri()
    return f"\x1b]8;;{address}\x1b\\{path}\x1b]8;;\x1b\\"


def print_json(value: Any) -> None:
    """Prints a result for scripts on stdout."""
    typer.echo(json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False))


def say(message: str) -> None:
    """Prints a message for people on stderr."""
    typer.echo(message, err=True)
