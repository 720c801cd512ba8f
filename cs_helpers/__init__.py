"""Customer Success analytics you can defend.

import cs_helpers as cs
tables = cs.load("data/sample")
cs.retention.revenue_retention(...)   cs.churn.kaplan_meier(...)   cs.definitions["grr"]

Everything is imported when first used, so that ``import cs_helpers`` and ``cs-helpers --help`` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cs_helpers import (
        charts,
        churn,
        definitions,
        errors,
        periods,
        reps,
        retention,
        roi,
        sample,
        show,
        stats,
        tables,
    )
    from cs_helpers.tables import load

__version__ = "0.1.0"
__all__ = [
    "charts",
    "churn",
    "definitions",
    "errors",
    "load",
    "periods",
    "reps",
    "retention",
    "roi",
    "sample",
    "show",
    "stats",
    "tables",
]


def __getattr__(name: str) -> Any:
    if name == "load":
        return import_module("cs_helpers.tables").load
    if name in __all__:
        return import_module(f"cs_helpers.{name}")
    raise AttributeError(f"module 'cs_helpers' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
