"""Charts of comparisons between reps; nothing here computes a number that a reader might quote.

Each function draws on a chart of its own and takes ``narrow=True`` for a phone.
"""

from cs_helpers.reps.charts.funnel import Funnel, funnel_plot, slope
from cs_helpers.reps.charts.over_time import history_line, ramp_curve
from cs_helpers.reps.charts.ranks import Ranks, rank_bars, rank_intervals

__all__ = ["Funnel", "Ranks", "funnel_plot", "history_line", "ramp_curve", "rank_bars", "rank_intervals", "slope"]
