"""The results of the front doors: what one section of the report shows, and what a reader needs to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cs_helpers.core.results import Result, Suppressed
from cs_helpers.roi.bad_experience import WordOfMouth
from cs_helpers.roi.breakeven import BreakEven
from cs_helpers.roi.conditions import Control, Gate, Overlap
from cs_helpers.roi.costs import CostBase
from cs_helpers.roi.effect import MeasuredEffect
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.effect_money import EffectMoney
from cs_helpers.roi.portfolio import CoveredPortfolio
from cs_helpers.roi.scenario_range import ScenarioRange
from cs_helpers.roi.smaller_plans import SmallerPlan
from cs_helpers.roi.uncertain_inputs import Input
from cs_helpers.roi.what_if_model import WhatIf, WhatIfState


@dataclass(frozen=True, eq=False, repr=False)
class BreakEvenResult(Result):
    """What customer success must keep to earn back its cost; ``even``: the figures per horizon."""

    even: BreakEven
    portfolio: CoveredPortfolio
    cost_per_year: float
    currency: str

    def at(self, horizon: int) -> pd.Series:
        """The figures of one horizon. Raises ParameterError where there is none."""
        return self.even.at(horizon)


@dataclass(frozen=True, eq=False, repr=False)
class CostResult(Result):
    """What customer success costs, by item, and where the figure comes from."""

    costs: CostBase
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class ScenarioResult(Result):
    """What customer success is worth if the inputs hold: medians and the middle 95 % of the draws."""

    scenario: ScenarioRange
    currency: str

    def at(self, horizon: int, tail: bool = False) -> pd.Series:
        """The figures of one horizon. Raises ParameterError where there is none."""
        return self.scenario.at(horizon, tail)


@dataclass(frozen=True, eq=False, repr=False)
class SensitivityResult(Result):
    """How far each input of a scenario, moved alone from its low to its high, moves the net value."""

    scenario: ScenarioRange
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class InputsResult(Result):
    """Every input of the money with its range and where it comes from."""

    inputs: tuple[Input, ...]
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class EffectResult(Result):
    """The measured effect of customer success, where the data allow one."""

    effect: MeasuredEffect

    @property
    def main_evidence(self) -> Evidence:
        """The evidence that carries the headline."""
        found = self.effect.main_evidence
        if found is None:
            raise ValueError("an effect without evidence is no result; the front door gives Suppressed instead")
        return found


@dataclass(frozen=True, eq=False, repr=False)
class EvidenceResult(Result):
    """All evidence on the effect, the strongest first, with the contrasts that are often quoted and mislead."""

    effect: MeasuredEffect


@dataclass(frozen=True, eq=False, repr=False)
class GatesResult(Result):
    """The conditions for a measured effect, each with what was found and what is needed."""

    gates: tuple[Gate, ...]


@dataclass(frozen=True, eq=False, repr=False)
class NegativeControlsResult(Result):
    """Whether coverage is associated with what it cannot have changed."""

    controls: tuple[Control, ...]


@dataclass(frozen=True, eq=False, repr=False)
class OverlapResult(Result):
    """For which accounts the data hold comparable accounts without coverage."""

    overlap: Overlap


@dataclass(frozen=True, eq=False, repr=False)
class EffectMoneyResult(Result):
    """What the measured effect was worth against its cost, in the months observed."""

    money: EffectMoney
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class SegmentEffectResult(Result):
    """The measured effect by segment, or by the attribute that was named."""

    segments: pd.DataFrame
    horizon: int
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class PointWorthResult(Result):
    """What one to five more points of yearly retention are worth, by horizon; columns as of ``value_of_points``."""

    values: pd.DataFrame
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class PlansResult(Result):
    """Smaller plans: what each saves and loses. ``not_computed``: plans without figures, with the reason."""

    plans: tuple[SmallerPlan, ...]
    not_computed: Mapping[str, str]
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class WordOfMouthResult(Result):
    """How many people hear of good and bad experience, by published shares."""

    word_of_mouth: WordOfMouth
    currency: str


@dataclass(frozen=True, eq=False, repr=False)
class WhatIfResult(Result):
    """A what-if panel: sliders for the inputs, and what follows from them. Nothing in it is a measurement."""

    model: WhatIf
    currency: str

    def at(self, tail: bool = False, **changes: float) -> WhatIfState:
        """The panel with some inputs changed. Raises ParameterError for an unknown input or one outside its limits."""
        return self.model.at(tail, **changes)


@dataclass(frozen=True, eq=False, repr=False)
class RoiSummary(Result):
    """What the top of the report needs of its sections; each part may be Suppressed.

    ``earned``: the money of the measured effect, or the scenario where none was measured.
    """

    break_even: BreakEvenResult | Suppressed
    cost: CostResult | Suppressed
    effect: EffectResult | Suppressed
    gates: GatesResult | Suppressed
    earned: EffectMoneyResult | ScenarioResult | Suppressed
    point: PointWorthResult | Suppressed
    currency: str
