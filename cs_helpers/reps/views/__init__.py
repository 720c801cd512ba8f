"""How results of this subject are shown: sentences, charts, text alternatives and tables."""

from cs_helpers.reps.views import benchmark, gaming, measures, outliers, over_time

__all__ = ["benchmark", "gaming", "measures", "outliers", "over_time"]
