"""One piece of evidence on the effect of customer success: the form in which every method answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cs_helpers.core.results import Record
from cs_helpers.core.stats import normal_quantile
from cs_helpers.roi.trial import Trial


@dataclass(frozen=True, repr=False)
class Evidence(Record):
    """How many points of survival customer success kept by one method, or why the method gives no figure.

    ``value``, ``low``, ``high``: points (100 x fraction) of accounts still paying after ``horizon`` months, with
    coverage as it happened minus without any from month 0 on; a 95 % interval. ``se``: its standard error. ``status``:
    "shown", "refused" (``value`` is None and ``reason`` states why) or "refuted" (a contrast that is often quoted and
    does not measure the effect; ``reason`` states why). ``accounts`` and ``churned``: how many were followed, and how
    many of them left; ``detail``: further figures of the method by name.
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


def estimated(
    key: str,
    trial: Trial,
    horizon: int,
    value: float,
    se: float,
    detail: Mapping[str, float] | None = None,
    refuted: str = "",
) -> Evidence:
    """Evidence with the normal interval of an estimate; ``refuted``: why it is not the effect."""
    reach, status = normal_quantile(0.95) * se, "refuted" if refuted else "shown"
    counts = trial.counts(horizon)
    return Evidence(
        key, horizon, value, value - reach, value + reach, se, status, refuted, **counts, detail=detail or {}
    )


def refused(key: str, trial: Trial, horizon: int, reason: str, detail: Mapping[str, float] | None = None) -> Evidence:
    """Evidence without a figure, and the reason."""
    counts = trial.counts(horizon)
    return Evidence(key, horizon, status="refused", reason=reason, **counts, detail=detail or {})
