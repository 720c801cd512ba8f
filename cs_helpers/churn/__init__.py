"""Churn: why and when accounts leave, and what is to be expected of those that stay."""

from cs_helpers.churn.survival import Survival, curve_of_counts, kaplan_meier, time_to_leave

__all__ = ["Survival", "curve_of_counts", "kaplan_meier", "time_to_leave"]
