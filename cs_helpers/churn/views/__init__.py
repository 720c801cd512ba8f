"""What a reader sees of churn results: one view per result type."""

from cs_helpers.churn.views import at_risk, causes, tenure

__all__ = ["at_risk", "causes", "tenure"]
