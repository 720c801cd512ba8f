"""Many comparisons at once: how many of those that stand out are false."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """Adjusted p values (q): rejecting all with q <= .05 keeps the expected share of false ones at most 5 %.

        q_(i) = min over j >= i of p_(j) m / j,  p sorted, m of them

    In the order of ``p``; missing ones stay missing and do not count. Holds for independent and for positively
    dependent comparisons. Raises ValueError for values outside [0, 1]. Source: Benjamini & Hochberg 1995.
    """
    p_ = np.asarray(p, float)
    seen = np.flatnonzero(np.isfinite(p_))
    given = p_[seen]
    if ((given < 0) | (given > 1)).any():
        raise ValueError("p values must lie between 0 and 1")
    q = np.full(p_.shape, np.nan)
    order = np.argsort(given)
    scaled = given[order] * len(given) / np.arange(1, len(given) + 1)
    q[seen[order]] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def holm(p: ArrayLike) -> np.ndarray:
    """Adjusted p values: rejecting all <= .05 errs even once in at most 5 % of families.

        adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j)),  p sorted, m of them

    In the order of ``p``; missing ones stay missing and do not count. Source: Holm 1979.
    """
    p_ = np.asarray(p, float)
    seen = np.flatnonzero(np.isfinite(p_))
    given = p_[seen]
    adjusted = np.full(p_.shape, np.nan)
    order = np.argsort(given)
    scaled = given[order] * (len(given) - np.arange(len(given)))
    adjusted[seen[order]] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
