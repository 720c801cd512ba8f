"""Empirical-Bayes shrinkage of many noisy figures towards their mean, and how far the true figures differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, ndtri

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record

MIN_TO_SHRINK = 4
_MAX_STEPS = 200


@dataclass(frozen=True, eq=False, repr=False)
class Shrunk(Record):
    """Figures after shrinkage.

    ``values``: what is left of each; ``standard_errors``: of what is still uncertain about them, how much to shrink
    included; ``low``, ``high``: 95 % interval; ``kept``: the share of its distance from ``mean`` that each
    keeps, 0 to 1; ``spread``: the estimated standard deviation of the true figures.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    low: np.ndarray
    high: np.ndarray
    kept: np.ndarray
    mean: float
    spread: float


def shrink(values: ArrayLike, variances: ArrayLike) -> Shrunk:
    """Each value drawn towards the mean of all by the share of its variance that is noise.

        w = 1 / (V + A),  mean = sum w y / sum w,  A = sum w (k/(k-1) (y - mean)² - V) / sum w,  at least 0
        B = (k-3)/(k-1) * V / (V + A),  shrunk = mean + (1 - B) (y - mean)
        variance = V (1 - (k-1)/k B) + 2/(k-3) B² (y - mean)²

    ``variances`` V: of the noise in each of the k values, or one for all. With equal variances this is the estimator of
    James and Stein as Efron and Morris used it. Raises ContractError for fewer than four values, values that are not
    finite or variances that are not positive. Source: Efron & Morris 1975, 1977; Morris 1983.

    Example:
        >>> shrink([0.95, 0.80, 0.75, 0.60], 0.01).values.round(2).tolist()
        [0.92, 0.8, 0.75, 0.63]
    """
    y = np.asarray(values, float)
    v = np.broadcast_to(np.asarray(variances, float), y.shape)
    k = len(y)
    if k < MIN_TO_SHRINK:
        raise ContractError(f"{k} values: at least {MIN_TO_SHRINK} are needed to learn how far they truly differ")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ContractError("values must be finite and variances positive: leave out what was not measured")
    # A fixed point that does not rise past its solution: from above, where every step falls.
    a, centre = float(y.var(ddof=1)), 0.0
    for _ in range(_MAX_STEPS):
        w = 1 / (v + a)
        centre = float(w @ y / w.sum())
        reached = max(float(w @ (k / (k - 1) * (y - centre) ** 2 - v) / w.sum()), 0.0)
        if abs(reached - a) <= 1e-12 * (a + float(v.min())):
            break
        a = reached
    a = reached
    noise = (k - 3) / (k - 1) * v / (v + a)
    shrunk = centre + (1 - noise) * (y - centre)
    se = np.sqrt(v * (1 - (k - 1) / k * noise) + 2 / (k - 3) * noise**2 * (y - centre) ** 2)
    z = float(ndtri(0.975))
    return Shrunk(shrunk, se, shrunk - z * se, shrunk + z * se, 1 - noise, centre, math.sqrt(a))


@dataclass(frozen=True, repr=False)
class Spread(Record):
    """How far the true figures behind noisy ones differ.

    ``value``: their standard deviation, ``low`` and ``high`` a 95 % interval; ``p``: of no differences at all;
    ``reliability``: the share of the variance between the figures that is not noise, 0 to 1; ``mean``: their mean.
    """

    value: float
    low: float
    high: float
    p: float
    reliability: float
    mean: float


def spread_of(values: ArrayLike, variances: ArrayLike, level: float = 0.95) -> Spread:
    """Standard deviation of true differences from noisy values, with its interval.

        Q(A) = sum (y - mean_A)² / (V + A),  mean_A weighted by 1 / (V + A)

    The value solves Q(A) = k - 1 (Paule & Mandel 1982), the interval Q(A) = the quantiles of chi-squared with k - 1
    degrees (Viechtbauer 2007), p is that of Q(0). 0 where noise alone explains the values. Reliability is
    A / (A + V') with V' the typical variance of Higgins & Thompson 2002. Raises ContractError for fewer
    than two values.

    Example:
        >>> round(spread_of([0.95, 0.80, 0.75, 0.60], [0.002] * 4).reliability, 2)
        0.9
    """
    y, v = np.asarray(values, float), np.asarray(variances, float)
    k = len(y)
    if k < 2:
        raise ContractError("one value has no spread: at least two are needed")

    def excess(a: float) -> float:
        w = 1 / (v + a)
        return float(w @ (y - float(w @ y / w.sum())) ** 2)

    def solved(quantile: float) -> float:
        if excess(0.0) <= quantile:
            return 0.0
        top = float(np.ptp(y)) ** 2 + float(v.max())
        while excess(top) > quantile:
            top *= 4
        return float(brentq(lambda a: excess(a) - quantile, 0.0, top, xtol=1e-14 * max(top, 1e-300)))

    between = solved(k - 1)
    tail = (1 - level) / 2
    low, high = (solved(float(chdtri(k - 1, p))) for p in (tail, 1 - tail))
    w = 1 / v
    typical = (k - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
    w = 1 / (v + between)
    return Spread(
        math.sqrt(between),
        math.sqrt(low),
        math.sqrt(high),
        float(chdtrc(k - 1, excess(0.0))),
        float(between / (between + typical)),
        float(w @ y / w.sum()),
    )


def winsorised_variance(tail: float) -> float:
    """Variance of a standard normal deviate winsorised at its ``tail`` and 1 - ``tail`` quantiles: .79 for .1.

    2 Phi(c) - 1 - 2 c phi(c) + 2 tail c²,  c the upper quantile
    """
    c = float(-ndtri(tail))
    density = math.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    return float(1 - 2 * tail - 2 * c * density + 2 * tail * c * c)


def overdispersion(z: ArrayLike, variances: ArrayLike, tail: float = 0.1) -> float:
    """Additional standard deviation between ordinary units, without the outliers among them.

        z winsorised at its ``tail`` and 1 - ``tail`` quantiles,  phi = sum z² / k
        tau² = (k phi - (k - 1)) / (sum w - sum w² / sum w),  w = 1 / V,  at least 0

    ``z``: distances from the centre in standard errors, ``variances`` V their squares on the scale of the values. Two
    outliers among twenty do not widen the limits by which they are found. 0 with fewer than four units.
    Source: Spiegelhalter 2005, section 5.

    Example:
        >>> round(overdispersion([-6, -2, -1, 0, 1, 2, 7], [0.01] * 7), 2)
        0.23
    """
    z_, v = np.asarray(z, float), np.asarray(variances, float)
    k = len(z_)
    if k < MIN_TO_SHRINK:
        return 0.0
    w = 1 / v
    cut = np.clip(z_, *np.quantile(z_, [tail, 1 - tail]))
    excess = float((cut**2).sum()) - (k - 1)
    return math.sqrt(max(excess / float(w.sum() - (w**2).sum() / w.sum()), 0.0))
