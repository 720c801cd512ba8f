"""What a team is steered by: at most one measure of satisfaction and one of productivity."""

from __future__ import annotations

from collections.abc import Sequence

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.reps.measures import MEASURES, ROLES, measure
from cs_helpers.reps.results import Steering


def check_steering(named: Sequence[str], role: str) -> Steering:
    """The measures that steer a team, and what speaks against steering by them.

    There is a warning where more than one measure of satisfaction, or more than one of productivity, steers: people can
    work for one of each, and the head watches the rest. There is another for measures that are no target by
    themselves, such as handling time. Raises ParameterError for unknown measures and those of another role, all at
    once.
    """
    if role not in ROLES:
        raise ParameterError(f"role '{role}' is neither {' nor '.join(ROLES)}.")
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
