"""The definition of every number, by key: ``cs.definitions["grr"].formula``.

Each subject, and ``data``, keeps its definitions as the tuple ``METRICS`` in its ``metrics`` module. They are read when
a key is looked up: a report does not import the subjects that it does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.core.estimates import Metric
from cs_helpers.subjects import SUBJECTS

__all__ = ["VERSION", "metric", "short_name"]

VERSION = "2026.4"
"""Changes whenever the meaning of any entry changes, so that readers can see whether two reports are comparable."""

_READ: dict[str, dict[str, Metric]] = {}


def subject_metrics(folder: str) -> dict[str, Metric]:
    """The definitions of one subject, or of ``data``, by key."""
    if folder not in _READ:
        entries: tuple[Metric, ...] = import_module(f"cs_helpers.{folder}.metrics").METRICS
        _READ[folder] = {entry.key: entry for entry in entries}
    return _READ[folder]


def all_metrics() -> dict[str, Metric]:
    """Every definition, by key, subject after subject."""
    return {key: entry for folder in (*SUBJECTS, "data") for key, entry in subject_metrics(folder).items()}


def metric(key: str) -> Metric:
    """The definition of one metric. Raises ParameterError with the nearest known key.

    Example:
        >>> metric("grr").unit
        'fraction'
    """
    # Those already read come first, so that a report imports no subject that it does not use.
    for folder in sorted(("data", *SUBJECTS), key=lambda folder: folder not in _READ):
        if key in (entries := subject_metrics(folder)):
            return entries[key]
    every = all_metrics()
    raise ParameterError(f"no metric '{key}'.{did_you_mean(key, list(every))} Known: {', '.join(every)}.")


def short_name(key: str) -> str:
    """``GRR`` for a metric whose name ends in its abbreviation, else the whole name.

    Example:
        >>> short_name("grr")
        'GRR'
    """
    name = metric(key).name
    return name[name.rindex("(") + 1 : -1] if name.endswith(")") and name[name.rindex("(") :].isupper() else name


class _Definitions(ModuleType):
    """This module, readable like a dictionary: ``cs.definitions["grr"]``."""

    def __getitem__(self, key: str) -> Metric:
        return metric(key)

    def __contains__(self, key: object) -> bool:
        return key in all_metrics()

    def __iter__(self) -> Iterator[str]:
        return iter(all_metrics())

    def __len__(self) -> int:
        return len(all_metrics())


sys.modules[__name__].__class__ = _Definitions
