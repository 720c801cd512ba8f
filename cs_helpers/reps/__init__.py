"""Reps fairly compared: CSMs and support reps, with the mix of cases taken out and chance left in.

    tickets = tables.rollup("ticket_cases", start=tables.observed_from, as_of=tables.as_of)
    cases = cs.reps.resolution_cases(tickets, tables.observed_from, tables.as_of)
    cs.reps.benchmark(cases, tables.reps).apart

Cases come from ``support``, ``book`` and ``care``; ``casemix`` says what an average rep would have had with them,
``engine`` and ``board`` compare, ``persistence``, ``profile``, ``screens``, ``ramp``, ``history`` and ``moves`` ask
further, and ``teams`` does it for a whole team.
"""

from cs_helpers.reps.attribution import attributed, handover_rule
from cs_helpers.reps.board import benchmark
from cs_helpers.reps.book import Books, book_months, nps_cases, renewal_cases, usage_cases
from cs_helpers.reps.care import coverage_cases, onboarding_cases, touch_cases, touch_hours_cases
from cs_helpers.reps.casemix import case_mix
from cs_helpers.reps.engine import compare_units
from cs_helpers.reps.forms import (
    Benchmark,
    Board,
    CaseMix,
    Cases,
    History,
    Moves,
    Persistence,
    Profile,
    Ramp,
    Screen,
)
from cs_helpers.reps.history import history
from cs_helpers.reps.measures import MEASURES, ROLES, Measure, measure
from cs_helpers.reps.moves import moves
from cs_helpers.reps.persistence import persistence
from cs_helpers.reps.profile import profile, profiles
from cs_helpers.reps.ramp import ramp
from cs_helpers.reps.screens import gaming_screens
from cs_helpers.reps.steering import Steering, steering
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
    Windows,
    asked,
    compared,
    consistent_profiles,
    gathered,
    histories,
    mix_attributes,
    persistences,
    ramps,
    windows,
    with_attributes,
)

__all__ = [
    "MEASURES",
    "ROLES",
    "Benchmark",
    "Board",
    "Books",
    "CaseMix",
    "Cases",
    "History",
    "Measure",
    "Moves",
    "Persistence",
    "Profile",
    "Ramp",
    "Screen",
    "Steering",
    "Team",
    "Windows",
    "agent_cases",
    "answer_rates",
    "asked",
    "attributed",
    "benchmark",
    "book_months",
    "case_mix",
    "compare_units",
    "compared",
    "consistent_profiles",
    "contact_cases",
    "coverage_cases",
    "gaming_screens",
    "gathered",
    "handover_rule",
    "histories",
    "history",
    "measure",
    "mix_attributes",
    "moves",
    "nps_cases",
    "onboarding_cases",
    "persistence",
    "persistences",
    "profile",
    "profiles",
    "ramp",
    "ramps",
    "renewal_cases",
    "resolution_cases",
    "resolved_rates",
    "steering",
    "touch_cases",
    "touch_hours_cases",
    "usage_cases",
    "windows",
    "with_attributes",
    "work_cases",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
