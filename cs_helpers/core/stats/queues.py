"""Waiting times in a queue for a number of agents (Erlang C)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Record


@dataclass(frozen=True, repr=False)
class Queue(Record):
    """Waiting probability, service level and load of a queue by Erlang's formula.

    ``p_wait``: probability that a contact waits; ``service_level``: share answered within the target; ``asa_seconds``:
    mean wait of all contacts (inf where more comes in than can be handled); ``load``: work that comes in, in agents
    (erlangs); ``occupancy``: load per agent, at most 1.
    """

    p_wait: float
    service_level: float
    asa_seconds: float
    load: float
    occupancy: float


def erlang_c(arrivals_per_hour: float, aht_seconds: float, agents: int, target_seconds: float) -> Queue:
    """Waiting times in a queue with Poisson arrivals, exponential handling times and no abandonment.

        load a = arrivals x AHT,  B_0 = 1,  B_k = a B_(k-1) / (k + a B_(k-1))
        p_wait C = B_n / (1 - (1 - B_n) a / n),  ASA = C AHT / (n - a)
        service level = 1 - C exp(-(n - a) target / AHT)

    An upper bound on waiting: it ignores abandonment. With a load of at least the number of agents, the wait is
    infinite. ``aht_seconds`` and ``target_seconds`` in seconds. Raises ParameterError for values that make no queue.
    Source: Erlang 1917; the recursion as in Cooper 1981, section 3.3.

    Example:
        >>> round(erlang_c(720, 240, 55, 15).service_level, 3)  # 360 calls in half an hour, 240 s each
        0.846
    """
    if not (
        arrivals_per_hour >= 0 and aht_seconds > 0 and target_seconds >= 0 and agents == int(agents) and agents > 0
    ):
        raise ParameterError(
            f"{arrivals_per_hour} arrivals an hour, {aht_seconds} s, {agents} agents and {target_seconds} s make no "
            "queue: give arrivals >= 0, handling above 0 s, a whole number of agents, a target >= 0 s."
        )
    n, load = int(agents), arrivals_per_hour / 3600 * aht_seconds
    if load >= n:
        return Queue(1.0, 0.0, math.inf, load, 1.0)
    blocked = 1.0
    for k in range(1, n + 1):
        blocked = load * blocked / (k + load * blocked)
    waits = blocked / (1 - (1 - blocked) * load / n)
    within = 1 - waits * math.exp(-(n - load) * target_seconds / aht_seconds)
    return Queue(waits, within, waits * aht_seconds / (n - load), load, load / n)
