"""Churn: why and when accounts leave, and what is to be expected of those that stay."""

from cs_helpers.churn.reasons import Departures, Reasons, controllable, departures, reasons, recorded_reasons
from cs_helpers.churn.survival import Survival, curve_of_counts, kaplan_meier, time_to_leave

__all__ = [
    "Departures",
    "Reasons",
    "Survival",
    "controllable",
    "curve_of_counts",
    "departures",
    "kaplan_meier",
    "reasons",
    "recorded_reasons",
    "time_to_leave",
]
