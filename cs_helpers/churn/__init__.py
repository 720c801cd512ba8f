"""Churn: when and why accounts leave, who is likely to leave next, and what a new account is worth.

Front doors take the tables of a company (``cs.load``) and return a result that shows itself: ``survival``,
``anniversaries``, ``reasons``, ``projection``, ``lifetime_value``, ``call_list``, ``risk``. The other functions are
methods for own data.
"""

from cs_helpers.churn.aalen_johansen import cumulative_incidence
from cs_helpers.churn.calls import mrr_at_risk, rank_calls
from cs_helpers.churn.contract_anniversaries import anniversary_losses
from cs_helpers.churn.customer_value import expected_lifetime_value
from cs_helpers.churn.front_door import (
    anniversaries,
    call_list,
    lifetime_value,
    projection,
    reasons,
    risk,
    survival,
)
from cs_helpers.churn.group_curves import log_rank, revenue_weighted
from cs_helpers.churn.kaplan_meier import kaplan_meier, require_entry
from cs_helpers.churn.leaks_and_drift import drift, leaks
from cs_helpers.churn.risk_model import fit_risk
from cs_helpers.churn.settings import Settings, settings
from cs_helpers.churn.shifted_beta_geometric import fit_sbg, project
from cs_helpers.churn.snapshots import risk_snapshots

__all__ = [
    "Settings",
    "anniversaries",
    "anniversary_losses",
    "call_list",
    "cumulative_incidence",
    "drift",
    "expected_lifetime_value",
    "fit_risk",
    "fit_sbg",
    "kaplan_meier",
    "leaks",
    "lifetime_value",
    "log_rank",
    "mrr_at_risk",
    "project",
    "projection",
    "rank_calls",
    "reasons",
    "require_entry",
    "revenue_weighted",
    "risk",
    "risk_snapshots",
    "settings",
    "survival",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
