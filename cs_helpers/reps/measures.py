"""What is compared between reps, and by which arithmetic. Meanings stand in ``definitions``."""

from __future__ import annotations

from dataclasses import dataclass

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ParameterError, did_you_mean


@dataclass(frozen=True)
class Measure:
    """One measure of a role.

    ``kind``: satisfaction, productivity, or quality (the counter-measures); ``family``: share (0 or 1 per case), mean
    (a number per case, weighted by exposure), time (a positive number, compared as a ratio of geometric means) or count
    (a number per exposure, compared as a ratio). ``alone``: whether it may be a target by itself.
    """

    key: str
    role: str
    kind: str
    family: str
    alone: bool = True

    @property
    def better(self) -> str:
        """``higher``, ``lower`` or ``neither``, as its definition says; then a difference is only higher or lower."""
        return definitions.metric(self.key).direction.partition(" ")[0]


MEASURES = {
    each.key: each
    for each in (
        Measure("csat", "support", "satisfaction", "share"),
        Measure("ces", "support", "satisfaction", "share"),
        Measure("tickets_per_working_day", "support", "productivity", "count"),
        Measure("tickets_per_hour", "support", "productivity", "count"),
        Measure("fcr", "support", "quality", "share"),
        Measure("repeat_contact_rate", "support", "quality", "share"),
        Measure("reopen_rate", "support", "quality", "share"),
        Measure("escalation_rate", "support", "quality", "share", alone=False),
        Measure("resolved_rate", "support", "quality", "share"),
        Measure("service_level", "support", "quality", "share"),
        Measure("asa_seconds", "support", "quality", "mean"),
        Measure("abandonment_rate", "support", "quality", "share"),
        Measure("first_response_hours", "support", "quality", "time"),
        Measure("resolution_hours", "support", "quality", "time"),
        Measure("aht_minutes", "support", "productivity", "time", alone=False),
        Measure("agent_satisfaction", "support", "satisfaction", "share"),
        Measure("nps", "csm", "satisfaction", "mean"),
        Measure("touches_per_working_day", "csm", "productivity", "count"),
        Measure("touch_hours_per_account", "csm", "productivity", "count", alone=False),
        Measure("book_renewal_rate", "csm", "quality", "share"),
        Measure("book_grr", "csm", "quality", "mean"),
        Measure("book_nrr", "csm", "quality", "mean"),
        Measure("usage_change", "csm", "quality", "mean"),
        Measure("onboarding_days", "csm", "quality", "time"),
        Measure("book_coverage", "csm", "quality", "share"),
    )
}
"""Measures by key, support first; in this order they stand in reports."""

ROLES = ("support", "csm")


def measure(key: str) -> Measure:
    """One measure. Raises ParameterError with the nearest known key."""
    if key not in MEASURES:
        raise ParameterError(
            f"no measure of reps '{key}'.{did_you_mean(key, list(MEASURES))} Known: {', '.join(MEASURES)}."
        )
    return MEASURES[key]
