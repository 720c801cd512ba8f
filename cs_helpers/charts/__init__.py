"""Results in, figures out; nothing here computes a number that a reader might quote.

Each function draws one kind of result on a ``Figure`` of its own and takes ``narrow=True`` for a phone. Findings, alt
texts and captions are words, and words live in ``show``.
"""

from cs_helpers.charts.ink import INKS, as_svg
from cs_helpers.charts.retention import cohort_heatmap, waterfall
from cs_helpers.charts.source import coverage_map
from cs_helpers.charts.spark import sparkline
from cs_helpers.charts.survival import survival_curve

__all__ = ["INKS", "as_svg", "cohort_heatmap", "coverage_map", "sparkline", "survival_curve", "waterfall"]
