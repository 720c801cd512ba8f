"""One entry per metric: the only place where the meaning of a number is written.

    import cs_helpers as cs
    cs.definitions["grr"].formula

Reports, tooltips, the glossary, the command ``cs-helpers metrics`` and the tests read these entries, which stand in a
module per subject. ``Estimate`` and ``Change`` are the form in which a number travels (``forms``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

from cs_helpers.definitions.comparing import COMPARING
from cs_helpers.definitions.forms import Change, Comparison, Estimate, Metric, Refusal, Target, attempt
from cs_helpers.definitions.kept import KEPT
from cs_helpers.definitions.sources import SOURCES
from cs_helpers.definitions.success import SUCCESS
from cs_helpers.definitions.support import SUPPORT
from cs_helpers.definitions.worth import WORTH
from cs_helpers.errors import ParameterError, did_you_mean

__all__ = [
    "METRICS",
    "VERSION",
    "Change",
    "Comparison",
    "Estimate",
    "Metric",
    "Refusal",
    "Target",
    "attempt",
    "metric",
    "short_name",
]

VERSION = "2026.4"
"""Changes whenever the meaning of any entry changes, so that two reports can be compared or told apart."""

METRICS = {entry.key: entry for entry in (*KEPT, *WORTH, *SUPPORT, *SUCCESS, *COMPARING, *SOURCES)}


def short_name(key: str) -> str:
    """``GRR`` for a metric whose name ends in its abbreviation, else the whole name."""
    name = metric(key).name
    return name[name.rindex("(") + 1 : -1] if name.endswith(")") and name[name.rindex("(") :].isupper() else name


def metric(key: str) -> Metric:
    """The entry of one metric. Raises ParameterError with the nearest known key."""
    if key not in METRICS:
        raise ParameterError(f"no metric '{key}'.{did_you_mean(key, list(METRICS))} Known: {', '.join(METRICS)}.")
    return METRICS[key]


class _Definitions(ModuleType):
    """This module, readable like a dictionary: ``cs.definitions["grr"]``."""

    def __getitem__(self, key: str) -> Metric:
        return metric(key)

    def __iter__(self) -> Iterator[str]:
        return iter(METRICS)

    def __len__(self) -> int:
        return len(METRICS)


sys.modules[__name__].__class__ = _Definitions
