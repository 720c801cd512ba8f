"""Reps compared fairly: CSMs and support reps, case-mix adjusted, with clear differences separated from chance.

    tables = cs.load("data/sample")
    cs.reps.benchmark(tables, "support")       # a question about the reps of a company
    cases = cs.reps.team_cases(tables, "support").of("csat")
    cs.reps.compare_reps(cases, tables.reps)   # a method for cases, also for a table of your own: cs.reps.Cases

``support``, ``portfolios`` and ``activity_metrics`` make the cases of a company; ``casemix`` estimates what an average
rep would have had with them, ``engine`` and ``comparison`` compare.
"""

from cs_helpers.reps.casemix import fit_case_mix
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.employment import internal_moves
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
    team_cases,
)
from cs_helpers.reps.measures import MEASURES
from cs_helpers.reps.monthly import monthly_history
from cs_helpers.reps.outliers import outlier_profiles, repeated_outliers
from cs_helpers.reps.proficiency import time_to_proficiency
from cs_helpers.reps.results import Cases
from cs_helpers.reps.screens import gaming_screens
from cs_helpers.reps.settings import Settings, settings

__all__ = [
    "MEASURES",
    "Cases",
    "Settings",
    "benchmark",
    "case_mix",
    "compare_reps",
    "fit_case_mix",
    "gaming",
    "gaming_screens",
    "history",
    "internal_moves",
    "managers",
    "monthly_history",
    "moves",
    "outlier_profiles",
    "persistence",
    "ramp",
    "repeated_outliers",
    "settings",
    "steering_measures",
    "summary",
    "team_cases",
    "time_to_proficiency",
]


def __dir__() -> list[str]:
    return __all__
