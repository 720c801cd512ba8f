"""Curves: natural cubic splines (linear beyond the outer knots) and isotonic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from cs_helpers.core.errors import ContractError

_PLACES = {3: (0.10, 0.50, 0.90), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.50, 0.725, 0.95)}


def spline_knots(x: ArrayLike, count: int = 4) -> np.ndarray:
    """Knots at fixed quantiles of ``x`` (Harrell 2015, table 2.3), equal ones merged; empty where x hardly varies.

    ``count``: 3, 4 or 5. NaN is left out. With fewer than three distinct knots a straight line is all there is.
    """
    values = np.asarray(x, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return np.empty(0)
    knots = np.unique(np.quantile(values, _PLACES[count]))
    return knots if len(knots) >= 3 else np.empty(0)


def natural_spline(x: ArrayLike, knots: ArrayLike) -> np.ndarray:
    """Columns of a natural (restricted) cubic spline: x itself, then one per inner knot; no intercept.

        column j = [(x - k_j)+^3 - (x - k_{m-1})+^3 (k_m - k_j)/(k_m - k_{m-1})
                    + (x - k_m)+^3 (k_{m-1} - k_j)/(k_m - k_{m-1})] / (k_m - k_1)^2,   j = 1 .. m - 2

    ``x``: n values; ``knots``: m rising values, or none for a straight line. Returns n x (m - 1), n x 1 without knots.
    Missing values stay missing. Raises ContractError for knots that do not rise. Source: Harrell 2015, section 2.4.5.
    """
    values, k = np.asarray(x, float), np.asarray(knots, float)
    if k.size == 0:
        return values[:, None].copy()
    if k.size < 3 or (np.diff(k) <= 0).any():
        raise ContractError(f"a natural spline needs at least three knots that rise, not {k.tolist()}")
    last, before = k[-1], k[-2]
    cubes = np.maximum(values[:, None] - k, 0.0) ** 3
    inner = (
        cubes[:, :-2]
        - cubes[:, [-2]] * (last - k[:-2]) / (last - before)
        + cubes[:, [-1]] * (before - k[:-2]) / (last - before)
    )
    return np.column_stack([values, inner / (last - k[0]) ** 2])


def monotone(values: ArrayLike, weights: ArrayLike, rising: bool) -> np.ndarray:
    """The nearest values that never fall (or never rise): weighted least squares by pooling adjacent violators.

    ``weights`` above 0, one per value. Source: Ayer et al. 1955; Barlow et al. 1972.
    """
    sequence = np.asarray(values, float)
    if not len(sequence):
        return sequence
    return np.asarray(isotonic_regression(sequence, weights=np.asarray(weights, float), increasing=rising).x)
