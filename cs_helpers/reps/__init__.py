"""Reps fairly compared: CSMs and support reps, case-mix adjusted, with what chance alone explains set apart.

    tables = cs.load("data/sample")
    cs.reps.benchmark(tables, "support")       # a question about the reps of a company
    cs.reps.compare_reps(cases, people)        # a method for own data

Cases come from ``support``, ``portfolios`` and ``activity_metrics``; ``casemix`` says what an average rep would have
had with them, ``engine`` and ``comparison`` compare.
"""

from cs_helpers.reps.activity_metrics import coverage_cases, onboarding_cases, touch_cases, touch_hours_cases
from cs_helpers.reps.attribution import attributed, handover_rule
from cs_helpers.reps.casemix import fit_case_mix
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.engine import compare_units
from cs_helpers.reps.front_door import (
    benchmark,
    case_mix,
    gaming,
    history,
    managers,
    moves,
    persistence,
    ramp,
    steering_measures,
    summary,
)
from cs_helpers.reps.measures import MEASURES, ROLES, Measure, measure
from cs_helpers.reps.monthly import monthly_history
from cs_helpers.reps.move_rates import internal_moves
from cs_helpers.reps.outlier_profiles import outlier_profile, outlier_profiles
from cs_helpers.reps.outliers import repeated_outliers
from cs_helpers.reps.portfolios import Portfolios, nps_cases, portfolio_months, renewal_cases, usage_cases
from cs_helpers.reps.proficiency import time_to_proficiency
from cs_helpers.reps.results import (
    Benchmark,
    Board,
    CaseMix,
    CaseMixEffects,
    Cases,
    GamingQuestions,
    History,
    ManagerBenchmark,
    MeasureBenchmark,
    MeasureIntervals,
    MeasurePlaces,
    Moves,
    Persistence,
    Profile,
    Ramp,
    RepeatedOutliers,
    RepsSummary,
    Screen,
    Steering,
    TeamBenchmark,
    TeamFindings,
    Windows,
)
from cs_helpers.reps.screens import gaming_screens
from cs_helpers.reps.settings import Settings, settings
from cs_helpers.reps.steering import check_steering
from cs_helpers.reps.support import (
    agent_cases,
    answer_rates,
    contact_cases,
    resolution_cases,
    resolved_rates,
    work_cases,
)
from cs_helpers.reps.teams import (
    Team,
    chosen_roles,
    compare_team,
    mix_attributes,
    team_cases,
    windows,
)

__all__ = [
    "MEASURES",
    "ROLES",
    "Benchmark",
    "Board",
    "CaseMix",
    "CaseMixEffects",
    "Cases",
    "GamingQuestions",
    "History",
    "ManagerBenchmark",
    "Measure",
    "MeasureBenchmark",
    "MeasureIntervals",
    "MeasurePlaces",
    "Moves",
    "Persistence",
    "Portfolios",
    "Profile",
    "Ramp",
    "RepeatedOutliers",
    "RepsSummary",
    "Screen",
    "Settings",
    "Steering",
    "Team",
    "TeamBenchmark",
    "TeamFindings",
    "Windows",
    "agent_cases",
    "answer_rates",
    "attributed",
    "benchmark",
    "case_mix",
    "check_steering",
    "chosen_roles",
    "compare_reps",
    "compare_team",
    "compare_units",
    "contact_cases",
    "coverage_cases",
    "fit_case_mix",
    "gaming",
    "gaming_screens",
    "handover_rule",
    "history",
    "internal_moves",
    "managers",
    "measure",
    "mix_attributes",
    "monthly_history",
    "moves",
    "nps_cases",
    "onboarding_cases",
    "outlier_profile",
    "outlier_profiles",
    "persistence",
    "portfolio_months",
    "ramp",
    "renewal_cases",
    "repeated_outliers",
    "resolution_cases",
    "resolved_rates",
    "settings",
    "steering_measures",
    "summary",
    "team_cases",
    "time_to_proficiency",
    "touch_cases",
    "touch_hours_cases",
    "usage_cases",
    "windows",
    "work_cases",
]


def __dir__() -> list[str]:
    return __all__
