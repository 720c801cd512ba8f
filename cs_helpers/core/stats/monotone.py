"""Curves that may only rise, or only fall."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression


def monotone(values: ArrayLike, weights: ArrayLike, rising: bool) -> np.ndarray:
    """The nearest values that never fall (or never rise): weighted least squares by pooling adjacent violators.

    ``weights`` above 0, one per value. Source: Ayer et al. 1955; Barlow et al. 1972.
    """
    given = np.asarray(values, float)
    return (
        np.asarray(isotonic_regression(given, weights=np.asarray(weights, float), increasing=rising).x)
        if len(given)
        else given
    )
