"""Errors for users: each message says where, what, and how to fix it.

The command line prints them without a traceback. ``exit_code`` is 2 where the user's input is at fault and 1 where a
run failed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

MAX_LINES = 5


class CsHelpersError(Exception):
    """Base class of all errors for users.

    A notebook shows its class and message in at most five lines, without a traceback through the package. With
    CS_HELPERS_DEBUG set in the environment it shows the usual traceback.
    """

    exit_code = 2

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """IPython's hook; absent for it (AttributeError) where the usual traceback is wanted."""
        if os.environ.get("CS_HELPERS_DEBUG"):
            raise AttributeError("_render_traceback_")
        return self._few_lines

    def _few_lines(self) -> list[str]:
        lines = visible(f"{type(self).__name__}: {self}").splitlines()
        if len(lines) <= MAX_LINES:
            return lines
        shown = lines[: MAX_LINES - 1]
        more = len(lines) - len(shown)
        return [*shown, f"... and {more:,} more line{'s' if more > 1 else ''}. {self._whole_message()}"]

    def _whole_message(self) -> str:
        return "All of it: import sys; print(sys.last_value)"


class SourceError(CsHelpersError):
    """A source is missing, empty or cannot be read."""


class MappingError(CsHelpersError):
    """A mapping file has unknown keys, wrong values or contradictions."""


class ParameterError(CsHelpersError):
    """A parameter has an unknown name, another type or an impossible value."""


class UnknownAttribute(ParameterError, AttributeError):  # noqa: N818 - the name a user reads
    """An object has no attribute of this name; ``hasattr`` and ``getattr`` with a default work as usual."""


class ScheduleError(CsHelpersError):
    """A schedule has unknown keys or wrong values, or asks for runs that are impossible."""


class ReportFailed(CsHelpersError):  # noqa: N818 - the name a user reads
    """A report did not run to its end; nothing of it was published."""

    exit_code = 1


class LimitReached(ReportFailed):
    """A report exceeded its limit of time, memory or disk space and was stopped."""


class SourceUnavailable(SourceError):  # noqa: N818 - the name a user reads
    """A source does not answer; it may do so later."""


@dataclass(frozen=True)
class Problem:
    """One problem of one table: where it is, what it is, how to fix it.

    ``rows`` are line numbers of the file (the header is line 1), at most five; ``count`` is the number of such rows.
    """

    where: str
    what: str
    fix: str
    rows: tuple[int, ...] = ()
    count: int = 0

    def __str__(self) -> str:
        return f"{self.where}{row_phrase(self.rows, self.count)}: {self.what}\n  {self.fix}"


class ContractError(CsHelpersError):
    """Tables that break the contract, with all their problems."""

    def __init__(self, problems: str | Sequence[Problem]):
        self.problems = () if isinstance(problems, str) else tuple(problems)
        super().__init__(problems if isinstance(problems, str) else "\n".join(map(str, self.problems)))

    def _whole_message(self) -> str:
        return "All of them: cs-helpers check SOURCE" if self.problems else super()._whole_message()


def row_phrase(rows: Sequence[int], count: int) -> str:
    """``, rows 14 and 92`` or ``, rows 3, 4, 5, 6, 7 and 12 more``; empty without rows."""
    if not rows:
        return ""
    named = [str(row) for row in rows]
    more = count - len(rows)
    last = f"{more:,} more" if more > 0 else named.pop()
    listed = f"{', '.join(named)} and {last}" if named else last
    return f", row{'s' if count > 1 else ''} {listed}"


def did_you_mean(word: str, candidates: Sequence[str]) -> str:
    """`` Did you mean 'segment'?`` with a leading space, or nothing when no known word is near."""
    near = get_close_matches(word.lower(), [k.lower() for k in candidates], n=1, cutoff=0.6)
    return f" Did you mean '{next(k for k in candidates if k.lower() == near[0])}'?" if near else ""


def visible(text: object) -> str:
    """Text from data without the invisible characters that can disguise it; it is not escaped."""
    return "".join(c for c in str(text) if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
