"""Cluster-robust standard errors (clusters are accounts or CSMs), and tail probabilities for tests."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, stdtr, stdtrit


def cluster_sums(values: ArrayLike, clusters: ArrayLike, count: int) -> np.ndarray:
    """Sum of the rows of each cluster. ``values``: rows x columns; ``clusters``: 0 to count - 1, one per row.

    ``count`` x columns; a cluster without rows sums to 0.
    """
    values_, which = np.asarray(values, float), np.asarray(clusters)
    return np.column_stack([np.bincount(which, weights=column, minlength=count) for column in values_.T])


def clustered_covariance(
    x: ArrayLike, residuals: ArrayLike, bread: ArrayLike, clusters: ArrayLike, count: int
) -> np.ndarray:
    """Sandwich covariance of regression coefficients whose rows depend on each other within clusters.

        V = G / (G - 1) * B (sum over clusters of s s') B,   s = sum over the cluster's rows of x (y - p)

    ``bread`` B: inverse information of the fit; ``residuals``: (weight times) y minus its fitted value; ``clusters``:
    0 to ``count`` - 1, one per row; G counts the clusters that have rows. Infinite with a single cluster.
    Source: Liang & Zeger 1986; the factor is that of Cameron & Miller 2015, section II.C.
    """
    x_, b = np.asarray(x, float), np.asarray(bread, float)
    sums = cluster_sums(x_ * np.asarray(residuals, float)[:, None], clusters, count)
    filled = len(np.unique(np.asarray(clusters)))
    if filled < 2:
        return np.full_like(b, math.inf)
    return np.asarray(filled / (filled - 1) * b @ (sums.T @ sums) @ b)


def two_sided_p(statistic: float, degrees: float = math.inf) -> float:
    """Probability of a statistic at least as far from 0: Student's t, the normal with ``degrees`` infinite."""
    return float(2 * upper_tail(abs(statistic), degrees))


def upper_tail(statistic: ArrayLike, degrees: ArrayLike = math.inf) -> np.ndarray:
    """Probability of a statistic at least as large: Student's t, the normal where ``degrees`` is infinite.

    Elementwise; missing stays missing. Half of ``two_sided_p`` for a positive one.
    """
    statistic_, degrees_ = np.asarray(statistic, float), np.asarray(degrees, float)
    normal = np.isinf(degrees_)
    return np.where(normal, ndtr(-statistic_), stdtr(np.where(normal, 1.0, degrees_), -statistic_))


def student_quantile(degrees: float, level: float = 0.95) -> float:
    """t of a two-sided interval: 2.776 for 4 degrees and .95. Raises ValueError unless degrees > 0, 0 < level < 1."""
    if not (degrees > 0 and 0 < level < 1):
        raise ValueError(f"{degrees} degrees at level {level}: choose degrees above 0 and a level such as 0.95")
    return float(stdtrit(degrees, (1 + level) / 2))


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Probability that a chi-square variable of ``degrees`` degrees of freedom exceeds ``statistic``.

    3.84 with one degree gives .05. Raises ValueError unless ``statistic`` >= 0 and ``degrees`` >= 1.
    """
    if not (statistic >= 0 and degrees >= 1):
        raise ValueError(f"statistic {statistic} with {degrees} degrees: choose a statistic of 0 or more, degrees >= 1")
    return float(chdtrc(degrees, statistic))
