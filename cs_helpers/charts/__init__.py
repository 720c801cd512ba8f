"""Results in, figures out; nothing here computes a number that a reader might quote.

Each function draws one kind of result on a ``Figure`` of its own and takes ``narrow=True`` for a phone. Findings, alt
texts and captions are words, and words live in ``show``.
"""

from cs_helpers.charts.reasons import reason_bars
from cs_helpers.charts.risk import drivers, reliability
from cs_helpers.charts.survival import anniversaries, incidence, projection, survival_curve, survival_curves

__all__ = [
    "anniversaries",
    "drivers",
    "incidence",
    "projection",
    "reason_bars",
    "reliability",
    "survival_curve",
    "survival_curves",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
