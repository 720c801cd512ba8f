"""Net Promoter Score with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record
from cs_helpers.core.stats.intervals import normal_quantile


@dataclass(frozen=True, repr=False)
class Nps(Record):
    """A Net Promoter Score in points (-100 to 100) with its 95 % interval and what it is made of."""

    value: float
    low: float
    high: float
    margin: float
    promoters: int
    passives: int
    detractors: int
    n: int


def nps(scores: ArrayLike, level: float = 0.95) -> Nps:
    """Net Promoter Score of answers from 0 to 10.

        NPS = 100 (P - D),  P = share of 9 and 10,  D = share of 0 to 6
        margin = 100 z sqrt((P + D - (P - D)²) / n)
        low, high: the same with three answers added, 3/4 promoters, 3/2 passives, 3/4 detractors

    Missing answers do not count; they are not passives. The adjusted interval is not empty where all answers
    agree, and stays within -100 to 100; ``margin`` is the plain one that is usually quoted. Raises ContractError
    without an answer or with one outside 0 to 10. Source: Reichheld 2003; Rocks 2016 (adjusted Wald).

    Example:
        >>> found = nps(tables.surveys.query("kind == 'nps'")["score"])
        >>> round(found.value, 1), round(found.low, 1), round(found.high, 1)
        (10.4, 4.6, 16.2)
    """
    answers = np.asarray(scores, float)
    answers = answers[~np.isnan(answers)]
    n = len(answers)
    if n == 0:
        raise ContractError("nobody answered, so there is no NPS")
    if ((answers < 0) | (answers > 10)).any():
        raise ContractError("NPS answers run from 0 to 10: translate other scales in the mapping")
    promoters, detractors = int((answers >= 9).sum()), int((answers <= 6).sum())
    z = normal_quantile(level)

    def wald(p: float, d: float, size: float) -> tuple[float, float]:
        net = (p - d) / size
        return net, z * math.sqrt(max((p + d) / size - net**2, 0.0) / size)

    net, margin = wald(promoters, detractors, n)
    middle, half = wald(promoters + 0.75, detractors + 0.75, n + 3)
    return Nps(
        100 * net,
        100 * max(middle - half, -1.0),
        100 * min(middle + half, 1.0),
        100 * margin,
        promoters,
        n - promoters - detractors,
        detractors,
        n,
    )
