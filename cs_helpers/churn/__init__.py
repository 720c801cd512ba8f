"""Churn: when and why accounts leave, who is likely to leave next, and what a new account is worth.

Front doors take the tables of a company (``cs.load``) and return a result that shows itself: ``survival``,
``anniversaries``, ``reasons``, ``projection``, ``lifetime_value``, ``call_list``, ``risk``. The other functions are the
methods behind them, for data of your own.
"""

from cs_helpers.churn.aalen_johansen import Incidence, cumulative_incidence
from cs_helpers.churn.at_risk import call_list, risk
from cs_helpers.churn.calls import CallBoard, CallList, MrrAtRisk, call_board, mrr_at_risk, rank_calls
from cs_helpers.churn.causes import reasons
from cs_helpers.churn.churn_reasons import (
    Departures,
    Reasons,
    controllable,
    departures,
    incidence_of,
    reason_shares,
    recorded_reasons,
    spell_causes,
)
from cs_helpers.churn.churn_settings import Settings
from cs_helpers.churn.contract_anniversaries import Anniversaries, anniversary_losses
from cs_helpers.churn.customer_value import (
    LifetimeValue,
    LifetimeValues,
    expected_lifetime_value,
    lifetime_values_by_group,
)
from cs_helpers.churn.group_curves import (
    GroupCurves,
    LogRank,
    RevenueSurvival,
    counts_by,
    curves_by_group,
    log_rank,
    revenue_weighted,
)
from cs_helpers.churn.kaplan_meier import (
    Survival,
    counts_of,
    curve_of_counts,
    kaplan_meier,
    require_entry,
    time_to_leave,
)
from cs_helpers.churn.leaks_and_drift import drift, leaks
from cs_helpers.churn.risk_model import RiskFactors, RiskModel, RiskValidation, fit_risk
from cs_helpers.churn.shifted_beta_geometric import SBG, Projection, fit_sbg, fit_sbg_hazards, life_table, project
from cs_helpers.churn.snapshots import HORIZON_MONTHS, Snapshots, risk_snapshots
from cs_helpers.churn.tenure import anniversaries, lifetime_value, projection, survival
from cs_helpers.core.settings import read_settings

__all__ = [
    "HORIZON_MONTHS",
    "SBG",
    "Anniversaries",
    "CallBoard",
    "CallList",
    "Departures",
    "GroupCurves",
    "Incidence",
    "LifetimeValue",
    "LifetimeValues",
    "LogRank",
    "MrrAtRisk",
    "Projection",
    "Reasons",
    "RevenueSurvival",
    "RiskFactors",
    "RiskModel",
    "RiskValidation",
    "Settings",
    "Snapshots",
    "Survival",
    "anniversaries",
    "anniversary_losses",
    "call_board",
    "call_list",
    "controllable",
    "counts_by",
    "counts_of",
    "cumulative_incidence",
    "curve_of_counts",
    "curves_by_group",
    "departures",
    "drift",
    "expected_lifetime_value",
    "fit_risk",
    "fit_sbg",
    "fit_sbg_hazards",
    "incidence_of",
    "kaplan_meier",
    "leaks",
    "life_table",
    "lifetime_value",
    "lifetime_values_by_group",
    "log_rank",
    "mrr_at_risk",
    "project",
    "projection",
    "rank_calls",
    "reason_shares",
    "reasons",
    "recorded_reasons",
    "require_entry",
    "revenue_weighted",
    "risk",
    "risk_snapshots",
    "settings",
    "spell_causes",
    "survival",
    "time_to_leave",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library


def settings(path: str) -> Settings:
    """The settings of a YAML file with lines of ``key: value``, see ``Settings``; all defaults for an empty path.

    Raises ParameterError for a file that cannot be read, an unknown key (with the nearest one) or a wrong value.

    Example:
        >>> cs.churn.settings("").horizon
        36
    """
    return read_settings(path, Settings)
