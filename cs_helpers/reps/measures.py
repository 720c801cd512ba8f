"""What is compared between reps, and by which arithmetic. Meanings stand in ``definitions``."""

from __future__ import annotations

from dataclasses import dataclass

from cs_helpers.errors import ParameterError, did_you_mean


@dataclass(frozen=True)
class Measure:
    """One measure of a role.

    ``kind``: satisfaction, productivity, or quality (the counter-measures); ``family``: share (0 or 1 per case), mean
    (a number per case, weighted by exposure), time (a positive number, compared as a ratio of geometric means) or count
    (a number per exposure, compared as a ratio). ``pair``: the measure that shows the price of chasing this one.
    ``alone``: whether it may be a target by itself.
    """

    key: str
    role: str
    kind: str
    family: str
    pair: str
    better: str = "higher"
    alone: bool = True


MEASURES = {
    each.key: each
    for each in (
        Measure("csat", "support", "satisfaction", "share", "tickets_per_working_day"),
        Measure("ces", "support", "satisfaction", "share", "tickets_per_working_day"),
        Measure("tickets_per_working_day", "support", "productivity", "count", "repeat_contact_rate"),
        Measure("tickets_per_hour", "support", "productivity", "count", "repeat_contact_rate"),
        Measure("fcr", "support", "quality", "share", "repeat_contact_rate"),
        Measure("repeat_contact_rate", "support", "quality", "share", "fcr", "lower"),
        Measure("reopen_rate", "support", "quality", "share", "csat", "lower"),
        Measure("escalation_rate", "support", "quality", "share", "reopen_rate", "neither", alone=False),
        Measure("resolved_rate", "support", "quality", "share", "reopen_rate"),
        Measure("service_level", "support", "quality", "share", "abandonment_rate"),
        Measure("asa_seconds", "support", "quality", "mean", "abandonment_rate", "lower"),
        Measure("abandonment_rate", "support", "quality", "share", "asa_seconds", "lower"),
        Measure("first_response_hours", "support", "quality", "time", "reopen_rate", "lower"),
        Measure("resolution_hours", "support", "quality", "time", "reopen_rate", "lower"),
        Measure("aht_minutes", "support", "productivity", "time", "reopen_rate", "neither", alone=False),
        Measure("agent_satisfaction", "support", "satisfaction", "share", "csat"),
        Measure("nps", "csm", "satisfaction", "mean", "touches_per_working_day"),
        Measure("touches_per_working_day", "csm", "productivity", "count", "book_renewal_rate", "neither"),
        Measure("touch_hours_per_account", "csm", "productivity", "count", "book_renewal_rate", "neither", alone=False),
        Measure("book_renewal_rate", "csm", "quality", "share", "nps"),
        Measure("book_grr", "csm", "quality", "mean", "nps"),
        Measure("book_nrr", "csm", "quality", "mean", "book_grr"),
        Measure("usage_change", "csm", "quality", "mean", "book_grr"),
        Measure("onboarding_days", "csm", "quality", "time", "usage_change", "lower"),
        Measure("book_coverage", "csm", "quality", "share", "book_renewal_rate"),
    )
}
"""Measures by key. ``better``: higher, lower or neither; where neither, a difference is only called higher or lower."""

ROLES = ("support", "csm")


def measure(key: str) -> Measure:
    """One measure. Raises ParameterError with the nearest known key."""
    if key not in MEASURES:
        raise ParameterError(
            f"no measure of reps '{key}'.{did_you_mean(key, list(MEASURES))} Known: {', '.join(MEASURES)}."
        )
    return MEASURES[key]
