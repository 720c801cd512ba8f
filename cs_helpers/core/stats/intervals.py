"""Intervals and comparisons of rates, ratios and counts, all in closed form.

All intervals are two-sided, unpack as (low, high) and default to 95 %.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, chdtri, ndtri

from cs_helpers.core.estimates import Change, Estimate
from cs_helpers.core.stats.clusters import student_quantile

MIN_TO_COMPARE = 20
"""With fewer accounts on either side, a change is not judged."""

Interval = tuple[float, float]
_MAX_LOG = 50.0  # a factor of e^50 is an interval without a limit; beyond it floats overflow


def normal_quantile(level: float) -> float:
    """z of a two-sided interval: 1.96 for .95. Raises ValueError unless 0 < level < 1.

    Example:
        >>> round(normal_quantile(0.95), 2)
        1.96
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} must lie between 0 and 1, for example 0.95")
    return float(ndtri((1 + level) / 2))


def wilson_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """Score interval of a proportion.

        centre = (p + z²/2n) / (1 + z²/n),  half width = z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n)

    Never leaves [0, 1] and is not empty at 0 or n successes. ``n`` may be an effective sample size.
    (nan, nan) for n = 0. Raises ValueError unless 0 <= successes <= n. Source: Wilson 1927.

    Example:
        >>> np.round(wilson_interval(18, 20), 2).tolist()
        [0.7, 0.97]
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}: successes must lie between 0 and n")
    if n == 0:
        return (math.nan, math.nan)
    z2 = normal_quantile(level) ** 2
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return (0.0 if successes == 0 else centre - half, 1.0 if successes == n else centre + half)


def share_range(mean: float, variance: float, level: float = 0.95) -> Interval:
    """Central range of a share in [0, 1] that has this mean and variance: quantiles of the beta distribution.

    For what is still to come (a prediction), where ``wilson_interval`` is for what was estimated. A variance of 0
    gives the mean itself; one of ``mean (1 - mean)`` or more, all or nothing: (0, 1). Raises ValueError for a mean
    outside [0, 1].

    Example:
        >>> np.round(share_range(0.9, 0.001), 2).tolist()
        [0.83, 0.95]
    """
    if not 0 <= mean <= 1:
        raise ValueError(f"mean {mean} must lie between 0 and 1")
    if variance <= 0:
        return (mean, mean)
    size = mean * (1 - mean) / variance - 1
    if size <= 0:
        return (0.0, 1.0)
    tail = (1 - level) / 2
    a, b = mean * size, (1 - mean) * size
    return (float(betaincinv(a, b, tail)), float(betaincinv(a, b, 1 - tail)))


def effective_n(weights: ArrayLike) -> float:
    """Kish's effective sample size, (sum w)² / sum w²: how many equal accounts hold as much information.

    Example:
        >>> effective_n([100, 100, 100])
        3.0
    """
    w = np.asarray(weights, float)
    return float(w.sum()) ** 2 / float((w**2).sum()) if w.any() else 0.0


def _linearised_variance(ends: np.ndarray, starts: np.ndarray, ratio: float) -> float:
    """Variance of sum(ends) / sum(starts) over two accounts or more, by linearisation (Cochran 1977, section 6.3)."""
    n, squares, total = len(starts), float(((ends - ratio * starts) ** 2).sum()), float(starts.sum())
    return n / (n - 1) * squares / total**2


def kept_share_interval(kept: ArrayLike, starts: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of sum(kept) / sum(starts) where 0 <= kept <= starts, such as GRR.

    The accounts are the sample, their MRR the weights: Wilson's interval on the effective sample size
    min(p(1-p) / variance, Kish's n), shrunk by (z/t)² for the degrees of freedom (Korn & Graubard 1998, with
    Wilson's instead of the exact interval). Kish's n matters where a few large accounts stayed: the variance alone is
    then far too small. (nan, nan) without any start; (0, 1) where the effective sample size is below 2. On simulated
    data of 40 to 300 accounts it covers the truth in 97 to 98 %, the plain linearised interval in 89 to 96 %.

    Example:
        >>> np.round(kept_share_interval([100, 80, 0, 50], [100, 100, 100, 50]), 2).tolist()
        [0.11, 0.97]
    """
    kept_, starts_ = np.asarray(kept, float), np.asarray(starts, float)
    total = float(starts_.sum())
    if total <= 0:
        return (math.nan, math.nan)
    p = float(kept_.sum()) / total
    size = kish = effective_n(starts_)
    if kish < 2:
        return (0.0, 1.0)
    if 0 < p < 1:
        size = min(kish, p * (1 - p) / _linearised_variance(kept_, starts_, p))
    size *= (normal_quantile(level) / student_quantile(kish - 1, level)) ** 2
    return wilson_interval(min(p, 1.0) * size, size, level)


def ratio_interval(ends: ArrayLike, starts: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of sum(ends) / sum(starts) over accounts without an upper bound, such as NRR.

        NRR = kept share + gained share,  kept = min(end, start),  gained = end - kept

    The kept share has ``kept_share_interval``, the gained share exp(log g +- t se(g) / g) by linearisation; the two
    are joined as in ``difference_interval`` (MOVER). Where no account grew, the upper limit is that of 0 out of the
    effective n, as if growing meant doubling. (nan, nan) without any start; (0, inf) where the effective sample size is
    below 2. On the same simulated data it covers the truth in 96 to 97 %; one log-scale interval in 84 to 94 %.

    Example:
        >>> np.round(ratio_interval([120, 80, 0, 50], [100, 100, 100, 50]), 2).tolist()
        [0.16, 2.11]
    """
    ends_, starts_ = np.asarray(ends, float), np.asarray(starts, float)
    total = float(starts_.sum())
    if total <= 0:
        return (math.nan, math.nan)
    kish = effective_n(starts_)
    if kish < 2:
        return (0.0, math.inf)
    kept = np.minimum(ends_, starts_)
    kept_share, gained_share = (float(part.sum()) / total for part in (kept, ends_ - kept))
    kept_low, kept_high = kept_share_interval(kept, starts_, level)
    gained_low = gained_high = gained_share
    if gained_share > 0:
        se = math.sqrt(_linearised_variance(ends_ - kept, starts_, gained_share))
        factor = math.exp(min(student_quantile(kish - 1, level) * se / gained_share, _MAX_LOG))
        gained_low, gained_high = gained_share / factor, gained_share * factor
    else:
        # No account grew: the upper limit of the share that might, as if growing meant doubling.
        size = kish * (normal_quantile(level) / student_quantile(kish - 1, level)) ** 2
        gained_high = wilson_interval(0, size, level)[1]
    value = kept_share + gained_share
    return (
        value - math.hypot(kept_share - kept_low, gained_share - gained_low),
        value + math.hypot(kept_high - kept_share, gained_high - gained_share),
    )


def difference_interval(now: float, now_interval: Interval, before: float, before_interval: Interval) -> Interval:
    """Interval of now - before from the two intervals, whatever method made them.

        low  = d - sqrt((now - now_low)² + (before_high - before)²)
        high = d + sqrt((now_high - now)² + (before - before_low)²)

    Treats the two as independent. Source: Newcombe 1998, method 10; Zou & Donner 2008 (MOVER).

    Example:
        >>> np.round(difference_interval(0.80, (0.76, 0.84), 0.90, (0.87, 0.93)), 2).tolist()
        [-0.15, -0.05]
    """
    d = now - before
    return (
        d - math.hypot(now - now_interval[0], before_interval[1] - before),
        d + math.hypot(now_interval[1] - now, before - before_interval[0]),
    )


def compare(now: Estimate, before: Estimate | None) -> Change:
    """Whether an estimate moved by more than chance explains.

    Rise or fall only if the 95 % interval of the difference leaves 0 out; too few with fewer than 20 accounts on either
    side; no comparison where one side has no value. A plain sum has no interval: rise, fall or no change.

    Example:
        >>> before = Estimate("grr", 0.90, low=0.87, high=0.93, n=190)
        >>> compare(Estimate("grr", 0.80, low=0.76, high=0.84, n=200), before).verdict
        'fall'
    """
    if before is None or before.value is None or now.value is None:
        reason = next((e.reason for e in (now, before) if e is not None and e.reason), "no earlier window")
        return Change("no comparison", reason=reason)
    difference = now.value - before.value
    if any(limit is not None and math.isinf(limit) for limit in (now.high, before.high)):
        return Change("too few", difference, reason="one or two accounts carry nearly all of it")
    if now.low is None or now.high is None or before.low is None or before.high is None:
        verdict = "rise" if difference > 0 else "fall" if difference < 0 else "no change"
        return Change(verdict, difference, reason="a sum, compared as it was booked")
    smaller_n = min(now.n, before.n)
    if smaller_n < MIN_TO_COMPARE:
        return Change("too few", difference, reason=f"{smaller_n} accounts, at least {MIN_TO_COMPARE} are needed")
    low, high = difference_interval(now.value, (now.low, now.high), before.value, (before.low, before.high))
    verdict = "rise" if low > 0 else "fall" if high < 0 else "no clear change"
    return Change(verdict, difference, low, high)


def funnel_limits(expected: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Funnel limits of observed / expected events for a unit that performs as expected: exact, Poisson.

        low = chi²(alpha/2; 2E) / 2E,  high = chi²(1 - alpha/2; 2E + 2) / 2E

    ``expected`` E: events, above 0, one or many; arrays of its shape. Two-sided at ``level``, 0.95 and 0.998 by custom.
    Raises ValueError for E <= 0. Source: Spiegelhalter 2005, appendix A.1; Garwood 1936 for the limits.

    Example:
        >>> [round(float(limit), 3) for limit in funnel_limits(15)]
        [0.56, 1.649]
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

    Example:
        >>> np.round(poisson_interval(4), 2).tolist()
        [1.09, 10.24]
    """
    normal_quantile(level)  # refuses a level outside (0, 1)
    n, tail = np.asarray(events, float), (1 - level) / 2
    low = np.where(n > 0, chdtri(2 * np.maximum(n, 0.5), 1 - tail) / 2, 0.0)
    return low, chdtri(2 * n + 2, tail) / 2


def rate_interval(events: float, exposure: float, level: float = 0.95) -> Interval:
    """Exact interval of events per exposure; (nan, nan) without exposure.

    Example:
        >>> np.round(rate_interval(4, 2.0), 2).tolist()
        [0.54, 5.12]
    """
    if exposure <= 0:
        return (float("nan"), float("nan"))
    low, high = poisson_interval(events, level)
    return (float(low) / exposure, float(high) / exposure)
