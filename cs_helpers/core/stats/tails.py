"""Tail probabilities of test statistics."""

from __future__ import annotations

from scipy.special import chdtrc


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Probability that a chi-square variable of ``degrees`` degrees of freedom exceeds ``statistic``.

    3.84 with one degree gives .05. Raises ValueError unless ``statistic`` >= 0 and ``degrees`` >= 1.
    """
    if not (statistic >= 0 and degrees >= 1):
        raise ValueError(f"statistic {statistic} with {degrees} degrees: choose a statistic of 0 or more, degrees >= 1")
    return float(chdtrc(degrees, statistic))
