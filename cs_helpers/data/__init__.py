"""Data: an export goes in; checked tables and small roll-ups come out.

The data check takes an inspected source, which may have errors:

    seen = cs.data.inspect("data/sample")
    cs.data.quality(seen)   cs.data.tables_read(seen)   cs.data.coverage(seen)   cs.data.links(seen)
    cs.data.churn_records(seen)   cs.data.set_aside(seen)

Everything is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cs_helpers.data.data_check import (
        checked_tables,
        churn_records,
        coverage,
        links,
        quality,
        set_aside,
        tables_read,
    )
    from cs_helpers.data.tables import inspect
    from cs_helpers.data.views import cover, provenance

__all__ = [
    "checked_tables",
    "churn_records",
    "cover",
    "coverage",
    "inspect",
    "links",
    "provenance",
    "quality",
    "set_aside",
    "tables_read",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = {"inspect": "tables", "cover": "views", "provenance": "views"}.get(name, "data_check")
        return getattr(import_module(f"cs_helpers.data.{home}"), name)
    raise AttributeError(f"module 'cs_helpers.data' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
