"""Corrections of p values for many comparisons at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """Adjusted p values (q): among all comparisons with q <= .05 at most 5% are expected to be false.

        q_(i) = min over j >= i of p_(j) m / j,  p sorted, m of them

    In the order of ``p``; missing values stay missing and do not count. Holds for independent and for positively
    dependent comparisons. Raises ValueError for values outside [0, 1]. Source: Benjamini & Hochberg 1995, as in scipy.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control  # half a second to import, and few reports need it

    values = np.asarray(p, float)
    adjusted = np.full(values.shape, np.nan)
    present = np.isfinite(values)
    if present.any():
        adjusted[present] = false_discovery_control(values[present])
    return adjusted


def holm(p: ArrayLike) -> np.ndarray:
    """Adjusted p values: the chance of any false one among all comparisons with a value <= .05 is at most 5%.

        adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j)),  p sorted, m of them

    In the order of ``p``; missing values stay missing and do not count. Source: Holm 1979. Written here because scipy
    does not have it.

    Example:
        >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    adjusted = np.full(values.shape, np.nan)
    present = np.flatnonzero(np.isfinite(values))
    order = present[np.argsort(values[present])]
    scaled = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
