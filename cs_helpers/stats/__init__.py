"""Intervals, comparisons and fits; closed forms wherever there is one, so that equal data print equal numbers."""

from cs_helpers.stats.intervals import (
    FEWEST_TO_COMPARE,
    Interval,
    compare,
    difference_interval,
    effective_n,
    kept_share_interval,
    normal_quantile,
    ratio_interval,
    share_range,
    wilson_interval,
)
from cs_helpers.stats.sensitivity import e_value

__all__ = [
    "FEWEST_TO_COMPARE",
    "Interval",
    "compare",
    "difference_interval",
    "e_value",
    "effective_n",
    "kept_share_interval",
    "normal_quantile",
    "ratio_interval",
    "share_range",
    "wilson_interval",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
