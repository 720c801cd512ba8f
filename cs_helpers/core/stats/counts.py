"""Exact intervals and funnel limits for counts of events."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri

from cs_helpers.core.stats.intervals import Interval, normal_quantile


def funnel_limits(expected: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Funnel limits of observed / expected events for a unit that performs as expected: exact, Poisson.

        low = chi²(alpha/2; 2E) / 2E,  high = chi²(1 - alpha/2; 2E + 2) / 2E

    ``expected`` E: events, above 0, one or many; arrays of its shape. Two-sided at ``level``, 0.95 and 0.998 by custom.
    Raises ValueError for E <= 0. Source: Spiegelhalter 2005, appendix A.1; Garwood 1936 for the limits.
    """
    e = np.asarray(expected, float)
    if not (e > 0).all():
        raise ValueError("expected events must be above 0: a unit of which nothing is expected has no ratio")
    low, high = poisson_interval(e, level)
    return low / e, high / e


def poisson_interval(events: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Exact interval of the mean of a Poisson count: chi² quantiles with 2n and 2n + 2 degrees, halved.

    ``events`` n >= 0, one or many; the lower limit of 0 events is 0. Raises ValueError for a level outside (0, 1).
    Source: Garwood 1936.
    """
    normal_quantile(level)  # refuses a level outside (0, 1)
    n, tail = np.asarray(events, float), (1 - level) / 2
    low = np.where(n > 0, chdtri(2 * np.maximum(n, 0.5), 1 - tail) / 2, 0.0)
    return low, chdtri(2 * n + 2, tail) / 2


def rate_interval(events: float, exposure: float, level: float = 0.95) -> Interval:
    """Exact interval of events per exposure; (nan, nan) without exposure."""
    if exposure <= 0:
        return (float("nan"), float("nan"))
    low, high = poisson_interval(events, level)
    return (float(low) / exposure, float(high) / exposure)
