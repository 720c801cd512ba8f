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
    from cs_helpers import charts, churn, report, reps, retention, roi, show
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
__all__ = ["charts", "load", "report", "show", *_ELSEWHERE, *SUBJECTS]


def __getattr__(name: str) -> Any:
    if name == "load":
        return import_module("cs_helpers.data.tables").load
    if name in __all__:
        return import_module(f"cs_helpers.{_ELSEWHERE.get(name, name)}")
    raise AttributeError(f"module 'cs_helpers' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
