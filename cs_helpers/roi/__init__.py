"""What customer success is worth: break-even, scenarios, and the effect measured where the data deserve one."""

from cs_helpers.roi.association import association
from cs_helpers.roi.baseline import PointTreatment, baseline_trial, point_treatment
from cs_helpers.roi.book import Book, book_of, exposed_book
from cs_helpers.roi.breakeven import BreakEven, break_even
from cs_helpers.roi.controls import Control, Yardstick, negative_controls, yardstick
from cs_helpers.roi.costs import CostBase, cost_base
from cs_helpers.roi.economics import Assumptions, Outcome, outcome
from cs_helpers.roi.effect import VanishEffect, vanish_effect
from cs_helpers.roi.evidence import Gate, Rung, gate
from cs_helpers.roi.exposure import margin_of, paying_and_covered
from cs_helpers.roi.given import inputs_of, needed, nps_talk, opening_of, tail_book, with_risk
from cs_helpers.roi.inputs import Input, at_mode, fixed, gather, measured, read_input
from cs_helpers.roi.ltmle import ltmle, never_arm
from cs_helpers.roi.money import Money, measured_risk, money
from cs_helpers.roi.months import account_months, named_controls
from cs_helpers.roi.naive import naive
from cs_helpers.roi.overlap import Overlap
from cs_helpers.roi.plans import (
    Plan,
    WordOfMouth,
    contact_time,
    covered_below,
    cut,
    tech_touch,
    word_of_mouth,
    worth_of_a_point,
)
from cs_helpers.roi.scenario import ScenarioRange, scenario
from cs_helpers.roi.trial import Trial, trial
from cs_helpers.roi.vacancy import vacancy
from cs_helpers.roi.whatif import WhatIf, what_if

__all__ = [
    "Assumptions",
    "Book",
    "BreakEven",
    "Control",
    "CostBase",
    "Gate",
    "Input",
    "Money",
    "Outcome",
    "Overlap",
    "Plan",
    "PointTreatment",
    "Rung",
    "ScenarioRange",
    "Trial",
    "VanishEffect",
    "WhatIf",
    "WordOfMouth",
    "Yardstick",
    "account_months",
    "association",
    "at_mode",
    "baseline_trial",
    "book_of",
    "break_even",
    "contact_time",
    "cost_base",
    "covered_below",
    "cut",
    "exposed_book",
    "fixed",
    "gate",
    "gather",
    "inputs_of",
    "ltmle",
    "margin_of",
    "measured",
    "measured_risk",
    "money",
    "naive",
    "named_controls",
    "needed",
    "negative_controls",
    "never_arm",
    "nps_talk",
    "opening_of",
    "outcome",
    "paying_and_covered",
    "point_treatment",
    "read_input",
    "scenario",
    "tail_book",
    "tech_touch",
    "trial",
    "vacancy",
    "vanish_effect",
    "what_if",
    "with_risk",
    "word_of_mouth",
    "worth_of_a_point",
    "yardstick",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
