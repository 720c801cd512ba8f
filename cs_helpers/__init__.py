"""Customer Success analytics you can defend.

import cs_helpers as cs
tables = cs.load("data/sample")
cs.retention.revenue_retention(...)   cs.churn.kaplan_meier(...)   cs.definitions["grr"]

Everything is imported when first used, so that ``import cs_helpers`` and ``cs-helpers --help`` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cs_helpers.subjects import SUBJECTS

if TYPE_CHECKING:  # for editors and type checkers; a test compares these lines with SUBJECTS
    from cs_helpers import churn, data, report, reps, retention, roi, show
    from cs_helpers.core import errors, periods, stats
    from cs_helpers.core import metrics as definitions
    from cs_helpers.data import sample, tables
    from cs_helpers.data.tables import load

__version__ = "0.1.0"
_ELSEWHERE = {
    "definitions": "core.metrics",
    "errors": "core.errors",
    "periods": "core.periods",
    "sample": "data.sample",
    "stats": "core.stats",
    "tables": "data.tables",
}
_ROOMS = ("cli", "core", "data", "publish", "report", "schedule", "subjects")
__all__ = ["data", "load", "report", "show", *_ELSEWHERE, *SUBJECTS]


def check_subjects(subjects: tuple[str, ...] = SUBJECTS) -> None:
    """Raises ParameterError where the registry of subjects names one twice, or by a name that is taken."""
    from cs_helpers.core.errors import ParameterError

    taken = {*_ELSEWHERE, *_ROOMS, "load"}
    problems = [
        f"cs_helpers/subjects.py: '{name}' is {why}. Choose another name for the subject and its folder."
        for place, name in enumerate(subjects)
        for why in [
            "the name of another part of the package"
            if name in taken
            else "there twice"
            if name in subjects[:place]
            else "no name for a folder of Python"
            if not name.isidentifier()
            else ""
        ]
        if why
    ]
    if problems:
        raise ParameterError("\n".join(problems))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'cs_helpers' has no attribute '{name}'")
    check_subjects()
    if name == "load":
        return import_module("cs_helpers.data.tables").load
    if name in __all__:
        return import_module(f"cs_helpers.{_ELSEWHERE.get(name, name)}")
    raise AttributeError(f"module 'cs_helpers' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
