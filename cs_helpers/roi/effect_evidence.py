"""The forms in which evidence about customer success travels: rungs of a ladder and the gates before them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cs_helpers.core.results import Record


@dataclass(frozen=True, repr=False)
class Evidence(Record):
    """One way to answer how many points of survival customer success kept, or why it gives no answer.

    ``value``, ``low``, ``high``: points (100 x fraction) of accounts still paying after ``horizon`` months, with
    coverage as it happened minus without any from month 0 on; a 95 % interval. ``se``: its standard error. ``status``:
    "shown", "refused" (``value`` is None and ``reason`` says why) or "refuted" (a contrast that is often quoted and
    does not measure the effect; ``reason`` says what is wrong with it). ``accounts`` and ``churned`` are what it
    rests on, ``detail`` further figures of the method by name.
    """

    key: str
    horizon: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    se: float | None = None
    status: str = "shown"
    reason: str = ""
    accounts: int = 0
    churned: int = 0
    detail: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = self.value is not None and math.isfinite(self.value)
        if given == (self.status == "refused") or self.status not in ("shown", "refused", "refuted"):
            raise ValueError(f"the evidence {self.key} cannot be {self.status} with the value {self.value}")


@dataclass(frozen=True, repr=False)
class Gate(Record):
    """One condition for a causal headline: its value, its threshold, and whether it holds.

    ``passed`` is None where the condition could not be looked at; ``reason`` says why, or what the failure means.
    ``value`` and ``threshold`` are numbers in ``unit``; ``rule`` is "at least" or "at most".
    """

    key: str
    value: float | None
    threshold: float
    rule: str
    unit: str
    passed: bool | None
    reason: str = ""


def gate(key: str, value: float | None, threshold: float, rule: str, unit: str, reason: str = "") -> Gate:
    """A gate that compares ``value`` with ``threshold``; a missing value cannot pass, and is not a failure either."""
    if value is None or not math.isfinite(value):
        return Gate(key, None, threshold, rule, unit, None, reason or "it could not be computed")
    passed = value >= threshold if rule == "at least" else value <= threshold
    return Gate(key, float(value), threshold, rule, unit, passed, "" if passed else reason)
