"""What is compared between reps, by which arithmetic, and which measures may steer a team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.reps.results import Steering

ROLES = ("support", "csm")


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
        """The better direction by its definition: ``higher``, ``lower`` or ``neither``."""
        return definitions.metric(self.key).direction.partition(" ")[0]

    @property
    def sides(self) -> tuple[str, str]:
        """The verdicts for a figure above and below average."""
        return {"higher": ("better", "worse"), "lower": ("worse", "better")}.get(self.better, ("higher", "lower"))


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


def measure(key: str) -> Measure:
    """One measure. Raises ParameterError with the nearest known key."""
    if key not in MEASURES:
        raise ParameterError(
            f"no measure of reps '{key}'.{did_you_mean(key, list(MEASURES))} Known: {', '.join(MEASURES)}."
        )
    return MEASURES[key]


def checked_role(role: str) -> str:
    """The role itself. Raises ParameterError with the nearest role for any other word."""
    if role not in ROLES:
        raise ParameterError(f"role '{role}' is none of {', '.join(ROLES)}.{did_you_mean(role, list(ROLES))}")
    return role


def check_steering(named: Sequence[str], role: str) -> Steering:
    """The measures that steer a team, and warnings about them.

    One warning where more than one measure of satisfaction, or more than one of productivity, steers: people can work
    for one of each, and the head watches the rest. Another for measures that are no target by themselves, such as
    handling time. Raises ParameterError for unknown measures and those of another role, all at once.
    """
    checked_role(role)
    keys = tuple(dict.fromkeys(key.strip() for key in named if key.strip()))
    own = [key for key, each in MEASURES.items() if each.role == role]
    wrong = [f"'{key}' is no measure of {role}.{did_you_mean(key, own)}" for key in keys if key not in own]
    if wrong:
        raise ParameterError("\n".join([*wrong, f"  Measures of {role}: {', '.join(own)}."]))
    warnings = []
    for kind in ("satisfaction", "productivity"):
        many = [definitions.short_name(key) for key in keys if measure(key).kind == kind]
        if len(many) > 1:
            warnings.append(
                f"{len(many)} measures of {kind} steer this team ({', '.join(many)}): people can work for one. "
                "Choose one and watch the others."
            )
    for key in keys:
        if not measure(key).alone:
            pair = definitions.short_name(definitions.metric(key).counter_metric)
            warnings.append(
                f"{definitions.short_name(key)} is no target by itself: it is easily moved at the cost of others. "
                f"Watch it together with {pair}."
            )
    return Steering(role, keys, tuple((key, definitions.metric(key).counter_metric) for key in keys), tuple(warnings))
