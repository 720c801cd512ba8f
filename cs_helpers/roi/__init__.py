"""What customer success is worth: break-even, scenarios, and the effect measured where the data allow one.

Front doors take the tables of a company and return a result that shows itself: ``break_even``, ``scenario``,
``measured_effect``, ... and ``settings``. The other names are methods for own data.
"""

from cs_helpers.roi.association import association
from cs_helpers.roi.bad_experience import WordOfMouth, count_word_of_mouth, nps_word_of_mouth
from cs_helpers.roi.baseline import PointTreatment, baseline_trial, point_treatment
from cs_helpers.roi.breakeven import BreakEven, solve_break_even
from cs_helpers.roi.common_support import Overlap, measure_overlap
from cs_helpers.roi.controls import Control, Yardstick, run_negative_controls, yardstick
from cs_helpers.roi.costs import CostBase, cost_base
from cs_helpers.roi.coverage import margin_of, paying_and_covered
from cs_helpers.roi.economics import Assumptions, Outcome, outcome
from cs_helpers.roi.effect import MeasuredEffect, measure_effect
from cs_helpers.roi.effect_evidence import Evidence, Gate, gate
from cs_helpers.roi.effect_money import EffectMoney, measured_risk, money_of_effect
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
from cs_helpers.roi.ltmle import ltmle, never_arm
from cs_helpers.roi.naive_contrasts import naive_contrasts
from cs_helpers.roi.panel import account_months, named_controls
from cs_helpers.roi.portfolio import CoveredPortfolio, covered_portfolio, make_portfolio
from cs_helpers.roi.results import (
    BreakEvenResult,
    CostResult,
    EffectMoneyResult,
    EffectResult,
    EvidenceResult,
    GatesResult,
    InputsResult,
    NegativeControlsResult,
    OverlapResult,
    PlansResult,
    PointWorthResult,
    RoiSummary,
    ScenarioResult,
    SegmentEffectResult,
    SensitivityResult,
    WhatIfResult,
    WordOfMouthResult,
)
from cs_helpers.roi.retention_point import value_of_points
from cs_helpers.roi.scenario_range import ScenarioRange, simulate_scenario
from cs_helpers.roi.settings import Settings, settings
from cs_helpers.roi.smaller_plans import (
    SmallerPlan,
    covered_below,
    plan_contact_time,
    plan_cut,
    plan_tech_touch,
    tail_portfolio,
)
from cs_helpers.roi.trial import Trial, trial
from cs_helpers.roi.uncertain_inputs import (
    Input,
    at_mode,
    combine_inputs,
    fixed_input,
    gather_inputs,
    measured_input,
    read_input,
    required_input,
    with_risk,
)
from cs_helpers.roi.vacancy import vacancy
from cs_helpers.roi.what_if_model import WhatIf, make_what_if, opening_of

__all__ = [
    "Assumptions",
    "BreakEven",
    "BreakEvenResult",
    "Control",
    "CostBase",
    "CostResult",
    "CoveredPortfolio",
    "EffectMoney",
    "EffectMoneyResult",
    "EffectResult",
    "Evidence",
    "EvidenceResult",
    "Gate",
    "GatesResult",
    "Input",
    "InputsResult",
    "MeasuredEffect",
    "NegativeControlsResult",
    "Outcome",
    "Overlap",
    "OverlapResult",
    "PlansResult",
    "PointTreatment",
    "PointWorthResult",
    "RoiSummary",
    "ScenarioRange",
    "ScenarioResult",
    "SegmentEffectResult",
    "SensitivityResult",
    "Settings",
    "SmallerPlan",
    "Trial",
    "WhatIf",
    "WhatIfResult",
    "WordOfMouth",
    "WordOfMouthResult",
    "Yardstick",
    "account_months",
    "association",
    "at_mode",
    "baseline_trial",
    "break_even",
    "combine_inputs",
    "cost",
    "cost_base",
    "count_word_of_mouth",
    "covered_below",
    "covered_portfolio",
    "effect_by_segment",
    "effect_in_money",
    "evidence",
    "fixed_input",
    "gate",
    "gates",
    "gather_inputs",
    "inputs",
    "ltmle",
    "make_portfolio",
    "make_what_if",
    "margin_of",
    "measure_effect",
    "measure_overlap",
    "measured_effect",
    "measured_input",
    "measured_risk",
    "money_of_effect",
    "naive_contrasts",
    "named_controls",
    "negative_controls",
    "never_arm",
    "nps_word_of_mouth",
    "opening_of",
    "outcome",
    "overlap",
    "paying_and_covered",
    "plan_contact_time",
    "plan_cut",
    "plan_tech_touch",
    "plans",
    "point_treatment",
    "read_input",
    "required_input",
    "run_negative_controls",
    "scenario",
    "settings",
    "simulate_scenario",
    "solve_break_even",
    "summary",
    "tail_portfolio",
    "trial",
    "vacancy",
    "value_of_points",
    "what_if",
    "with_risk",
    "word_of_mouth",
    "worth_of_a_point",
    "yardstick",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
