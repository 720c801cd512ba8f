"""Intervals, comparisons and fits."""

from cs_helpers.core.stats.intervals import (
    MIN_TO_COMPARE,
    Interval,
    compare,
    difference_interval,
    effective_n,
    funnel_limits,
    kept_share_interval,
    normal_quantile,
    poisson_interval,
    rate_interval,
    ratio_interval,
    share_range,
    wilson_interval,
)
from cs_helpers.core.stats.multiple import benjamini_hochberg, holm
from cs_helpers.core.stats.promoters import Nps, nps
from cs_helpers.core.stats.queues import Queue, erlang_c
from cs_helpers.core.stats.sensitivity import e_value
from cs_helpers.core.stats.shrinkage import Shrunk, Spread, overdispersion, shrink, spread_of

__all__ = [
    "MIN_TO_COMPARE",
    "Interval",
    "Nps",
    "Queue",
    "Shrunk",
    "Spread",
    "benjamini_hochberg",
    "compare",
    "difference_interval",
    "e_value",
    "effective_n",
    "erlang_c",
    "funnel_limits",
    "holm",
    "kept_share_interval",
    "normal_quantile",
    "nps",
    "overdispersion",
    "poisson_interval",
    "rate_interval",
    "ratio_interval",
    "share_range",
    "shrink",
    "spread_of",
    "wilson_interval",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
