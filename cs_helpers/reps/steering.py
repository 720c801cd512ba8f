"""What a team is steered by: at most one measure of satisfaction and one of productivity."""

from __future__ import annotations

from dataclasses import dataclass

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.core.results import Record
from cs_helpers.reps.measures import MEASURES, ROLES, measure


@dataclass(frozen=True, repr=False)
class Steering(Record):
    """The measures a team is steered by, each followed by the one that shows its price; ``warnings`` as sentences."""

    role: str
    keys: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def steering(named: str, role: str) -> Steering:
    """The measures named, separated by commas, and what speaks against steering by them.

    There is a warning where more than one measure of satisfaction, or more than one of productivity, steers: people can
    work for one of each, and the head watches the rest. There is another for measures that are no target by
    themselves, such as handling time. Raises ParameterError for unknown measures and those of another role, all at
    once.
    """
    if role not in ROLES:
        raise ParameterError(f"role '{role}' is neither {' nor '.join(ROLES)}.")
    keys = tuple(dict.fromkeys(key.strip() for key in named.split(",") if key.strip()))
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
