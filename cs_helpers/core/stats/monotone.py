"""Isotonic regression: the nearest curve that only rises or only falls."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression


def monotone(values: ArrayLike, weights: ArrayLike, rising: bool) -> np.ndarray:
    """The nearest values that never fall (or never rise): weighted least squares by pooling adjacent violators.

    ``weights`` above 0, one per value. Source: Ayer et al. 1955; Barlow et al. 1972.
    """
    sequence = np.asarray(values, float)
    return (
        np.asarray(isotonic_regression(sequence, weights=np.asarray(weights, float), increasing=rising).x)
        if len(sequence)
        else sequence
    )
