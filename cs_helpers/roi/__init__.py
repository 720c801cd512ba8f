"""What customer success is worth: break-even, scenarios, and the effect measured where the data allow one.

Front doors take the tables of a company and return a result that shows itself: ``break_even``, ``scenario``,
``measured_effect``, ... and ``settings``. The other names are methods for own data.
"""

from cs_helpers.roi.bad_experience import count_word_of_mouth
from cs_helpers.roi.baseline import point_treatment
from cs_helpers.roi.breakeven import solve_break_even, value_of_points
from cs_helpers.roi.costs import cost_base
from cs_helpers.roi.economics import Assumptions, outcome
from cs_helpers.roi.effect import measure_effect
from cs_helpers.roi.front_door import (
    break_even,
    cost,
    effect_by_segment,
    effect_in_money,
    evidence,
    gates,
    inputs,
    measured_effect,
    negative_controls,
    overlap,
    plans,
    scenario,
    summary,
    what_if,
    word_of_mouth,
    worth_of_a_point,
)
from cs_helpers.roi.portfolio import covered_portfolio, make_portfolio
from cs_helpers.roi.scenario_range import simulate_scenario
from cs_helpers.roi.settings import Settings, settings
from cs_helpers.roi.smaller_plans import plan_cut
from cs_helpers.roi.trial import trial
from cs_helpers.roi.uncertain_inputs import Input, gather_inputs, read_input
from cs_helpers.roi.what_if_model import make_what_if

__all__ = [
    "Assumptions",
    "Input",
    "Settings",
    "break_even",
    "cost",
    "cost_base",
    "count_word_of_mouth",
    "covered_portfolio",
    "effect_by_segment",
    "effect_in_money",
    "evidence",
    "gates",
    "gather_inputs",
    "inputs",
    "make_portfolio",
    "make_what_if",
    "measure_effect",
    "measured_effect",
    "negative_controls",
    "outcome",
    "overlap",
    "plan_cut",
    "plans",
    "point_treatment",
    "read_input",
    "scenario",
    "settings",
    "simulate_scenario",
    "solve_break_even",
    "summary",
    "trial",
    "value_of_points",
    "what_if",
    "word_of_mouth",
    "worth_of_a_point",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
