"""How results of this subject are shown: sentences, charts, text alternatives and tables, a module per question."""

from cs_helpers.reps.views import benchmark, gaming, history, measures, outliers, ramp

__all__ = ["benchmark", "gaming", "history", "measures", "outliers", "ramp"]
