"""Churn: why and when accounts leave, and what is to be expected of those that stay."""

from cs_helpers.churn.alarms import drift, leaks
from cs_helpers.churn.anniversaries import Anniversaries, anniversaries
from cs_helpers.churn.board import Board, call_board
from cs_helpers.churn.calls import MrrAtRisk, call_list, mrr_at_risk
from cs_helpers.churn.causes import Incidence, cumulative_incidence
from cs_helpers.churn.groups import (
    GroupCurves,
    LogRank,
    RevenueWeighted,
    counts_by,
    curves_by_group,
    log_rank,
    revenue_weighted,
)
from cs_helpers.churn.lifetime import LifetimeValue, gross_margin, lifetime_value, lifetime_values_by_group
from cs_helpers.churn.projection import SBG, Projection, fit_sbg, fit_sbg_hazards, life_table, project
from cs_helpers.churn.reasons import (
    Departures,
    Reasons,
    controllable,
    departures,
    incidence_of,
    reasons,
    recorded_reasons,
    spell_causes,
)
from cs_helpers.churn.risk import Risk, fit_risk
from cs_helpers.churn.snapshots import HORIZON_MONTHS, Snapshots, risk_snapshots
from cs_helpers.churn.survival import Survival, counts_of, curve_of_counts, kaplan_meier, require_entry, time_to_leave

__all__ = [
    "HORIZON_MONTHS",
    "SBG",
    "Anniversaries",
    "Board",
    "Departures",
    "GroupCurves",
    "Incidence",
    "LifetimeValue",
    "LogRank",
    "MrrAtRisk",
    "Projection",
    "Reasons",
    "RevenueWeighted",
    "Risk",
    "Snapshots",
    "Survival",
    "anniversaries",
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
    "fit_risk",
    "fit_sbg",
    "fit_sbg_hazards",
    "gross_margin",
    "incidence_of",
    "kaplan_meier",
    "leaks",
    "life_table",
    "lifetime_value",
    "lifetime_values_by_group",
    "log_rank",
    "mrr_at_risk",
    "project",
    "reasons",
    "recorded_reasons",
    "require_entry",
    "revenue_weighted",
    "risk_snapshots",
    "spell_causes",
    "time_to_leave",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
