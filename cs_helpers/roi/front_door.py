"""The questions about return that the tables of a company answer: one function and one result for each.

``settings`` of every function: see ``Settings``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed, front_door, or_suppressed
from cs_helpers.roi import company, results
from cs_helpers.roi.bad_experience import nps_word_of_mouth
from cs_helpers.roi.breakeven import solve_break_even, value_of_points
from cs_helpers.roi.effect_money import money_of_effect
from cs_helpers.roi.scenario_range import simulate_scenario
from cs_helpers.roi.settings import DEFAULTS, Settings, changed
from cs_helpers.roi.smaller_plans import SmallerPlan, plan_contact_time, plan_cut, plan_tech_touch, tail_portfolio
from cs_helpers.roi.uncertain_inputs import Range, at_mode, read_input, required_input, with_risk
from cs_helpers.roi.what_if_model import make_what_if

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


@front_door("", "summary")
def summary(tables: Tables, settings: Settings = DEFAULTS) -> results.RoiSummary:
    """The headline numbers of return: break-even over 12, 24 and 36 months, the yearly cost, the measured effect.

    Each part is Suppressed where its own front door gives no result.

    Example:
        >>> cs.roi.summary(tables).effect.reason[:33]
        'too few of the accounts that were'
    """
    money = effect_in_money(tables, settings)
    return results.RoiSummary(
        break_even=break_even(tables, settings),
        cost=cost(tables, settings),
        effect=measured_effect(tables, settings=settings),
        gates=gates(tables, settings),
        earned=scenario(tables, settings=settings) if isinstance(money, Suppressed) else money,
        point=worth_of_a_point(tables, settings),
        currency=tables.currency,
    )


@front_door("What customer success must keep to pay for itself cannot be told.", "break-even")
@company.once_per()
def break_even(tables: Tables, settings: Settings = DEFAULTS) -> results.BreakEvenResult:
    """Points of retention that customer success must keep to earn back its cost within 12, 24 and 36 months.

    The hazard ratio at which the discounted gross margin of the MRR kept equals the discounted cost, as points of the
    MRR of the accounts with a CSM on the eve of the as-of date. It needs no claim about cause. A contract can be lost
    only when it comes due. Ranges are the middle 95 % of 5,000 draws of the uncertain inputs. ``settings``: see
    ``Settings``. Suppressed where no assignments, no cost, no margin or no churn is known.

    Example:
        >>> round(float(cs.roi.break_even(tables).at(24)["points"]), 1)
        15.1
    """
    portfolio = company.portfolio(tables, settings)
    even = solve_break_even(portfolio, company.inputs(tables, settings))
    return results.BreakEvenResult(even, portfolio, company.costs(tables, settings).per_year, tables.currency)


@front_door("What customer success costs is not known.", "cost")
def cost(tables: Tables, settings: Settings = DEFAULTS) -> results.CostResult:
    """What customer success costs a year: the mean of the last twelve months with costs, fully loaded.

    From the setting cost_per_month, else the table of costs, else the yearly cost of the CSMs and their managers there
    now. Suppressed where none of them is known.

    Example:
        >>> round(cs.roi.cost(tables).costs.per_year)
        1312952
    """
    return results.CostResult(company.costs(tables, settings), tables.currency)


@front_door("No return is computed.", "scenario")
def scenario(
    tables: Tables, relative_risk: Range = "", settings: Settings = DEFAULTS
) -> results.ScenarioResult | Suppressed:
    """What customer success is worth if the inputs hold: value, cost, net and return over 12, 24 and 36 months.

    20,000 draws of all inputs at once, PERT between low, mode and high, the relative risk log-normal. The result is a
    scenario range and no confidence interval. ``relative_risk``: risk of leaving without customer success over that
    with it, as low, mode, high; by default the one of ``settings``, else the one that was measured. Suppressed without
    any: no effect is assumed for the reader.

    Example:
        >>> found = cs.roi.scenario(tables, relative_risk="1.0, 1.4, 2.2")
        >>> round(float(found.at(24)["p_positive"]), 2)
        0.16
    """
    settings = changed(settings, relative_risk=relative_risk)

    def make() -> results.ScenarioResult | Suppressed:
        found = simulate_scenario(company.portfolio(tables, settings), company.inputs_with_risk(tables, settings))
        return found if isinstance(found, Suppressed) else results.ScenarioResult(found, tables.currency)

    return tables.cached(("roi.scenario", settings), make)


@front_door("", "inputs")
def inputs(tables: Tables, settings: Settings = DEFAULTS) -> results.InputsResult:
    """Every input of the money with its range, its origin (measured, benchmark or guess) and its source.

    Suppressed where margin, churn or cost is not known.

    Example:
        >>> cs.roi.inputs(tables).table["name"].tolist()[:3]
        ['yearly_churn', 'expansion', 'expansion_lost']
    """
    return results.InputsResult(company.inputs_with_risk(tables, settings), tables.currency)


@front_door("The effect of customer success cannot be measured in these data.", "futures")
def measured_effect(
    tables: Tables, by: str = "", negative_controls: str = "", settings: Settings = DEFAULTS
) -> results.EffectResult:
    """How many more accounts still pay than would without any CSM, where the data allow a measurement.

    A target trial: coverage as it happened against no coverage from month 0 on, by the parametric g-formula; in points
    of accounts still paying, with a 95 % interval from draws of whole accounts. Accounts are followed from their first
    month in the data. ``by``: attribute by which the effect is split; ``negative_controls``: categories of tickets that
    customer success cannot influence, separated by commas; both by default those of ``settings``. Suppressed, with the
    reason, unless the conditions hold that ``gates`` lists.

    Source: Hernan & Robins, Causal Inference: What If, chapters 19 to 22.

    Example:
        >>> cs.roi.measured_effect(tables).headline[:64]
        'The effect of customer success cannot be measured in these data.'
    """
    settings = changed(settings, by=by, negative_controls=negative_controls)
    found = company.effect(tables, settings)
    if not found.carried_by:
        raise ContractError(found.reason)
    return results.EffectResult(found)


@front_door("There is no evidence on the effect.", "ladder")
def evidence(tables: Tables, settings: Settings = DEFAULTS) -> results.EvidenceResult:
    """All evidence on the effect of customer success, the strongest first, and how robust it is.

    Each method answers the same question: points of accounts still paying at the horizon. A method without figures has
    its reason; contrasts that are often quoted are shown and refuted. Suppressed where no assignments with dates are
    known.

    Example:
        >>> cs.roi.evidence(tables).table["status"].tolist()[0]
        'refused'
    """
    return results.EvidenceResult(company.effect(tables, settings))


@front_door("The conditions for a measurement were not reached.", "gates")
def gates(tables: Tables, settings: Settings = DEFAULTS) -> results.GatesResult:
    """The conditions that must hold before an effect is called measured: what was found, and what is needed.

    Suppressed where no assignments with dates are known.

    Example:
        >>> len(cs.roi.gates(tables).table)
        12
    """
    return results.GatesResult(company.effect(tables, settings).gates)


@front_door("Negative controls say nothing here.", "controls")
def negative_controls(tables: Tables, settings: Settings = DEFAULTS) -> results.NegativeControlsResult:
    """Whether coverage is associated with tickets that customer success cannot influence, such as late payments.

    An association shows that a common cause of coverage and churn is missing from the data. The categories are those of
    the setting negative_controls. Suppressed where no assignments with dates are known.

    Source: Lipsitch, Tchetgen Tchetgen & Cohen 2010.

    Example:
        >>> settings = cs.roi.settings(negative_controls="access")
        >>> cs.roi.negative_controls(tables, settings).controls[0].key
        'access'
    """
    return results.NegativeControlsResult(company.effect(tables, settings).controls)


@front_door("Whom the effect could speak of cannot be told.", "overlap")
def overlap(tables: Tables, settings: Settings = DEFAULTS) -> results.OverlapResult:
    """For how much of the MRR the data hold comparable accounts without a CSM.

    The share of MRR-months whose chance of being uncovered, by health, MRR, tenure and month, is below 5 %. Suppressed
    where no model of coverage can be fitted.

    Example:
        >>> round(cs.roi.overlap(tables).overlap.left_out_share, 2)
        0.05
    """
    found = company.effect(tables, settings)
    if found.overlap is None:
        raise ContractError(found.reason or "no model could be fitted")
    return results.OverlapResult(found.overlap)


@front_door("No money is derived from a measured effect.", "money")
@company.once_per()
def effect_in_money(tables: Tables, settings: Settings = DEFAULTS) -> results.EffectMoneyResult:
    """Gross margin that the measured effect kept in the months observed, against what customer success cost in them.

    Nothing is projected. Intervals join draws of accounts with draws of the inputs. Suppressed where no effect was
    measured, or margin, churn or cost is not known.

    Example:
        >>> cs.roi.effect_in_money(tables).headline[:43]
        'No money is derived from a measured effect.'
    """
    measured = company.effect_with_curves(tables, settings)
    return results.EffectMoneyResult(money_of_effect(measured, company.inputs(tables, settings)), tables.currency)


@front_door("The effect is not given by segment.", "segments")
def effect_by_segment(tables: Tables, settings: Settings = DEFAULTS) -> results.SegmentEffectResult:
    """The measured effect in each segment with at least 30 accounts followed, with its interval.

    Segments are the values of the setting by. Suppressed where no effect was measured, or no segment is large enough.

    Example:
        >>> cs.roi.effect_by_segment(tables).headline[:35]
        'The effect is not given by segment.'
    """
    found = company.effect_with_curves(tables, settings)
    if found.segments is None or found.segments["points"].isna().all():
        raise ContractError("no segment is large enough for a figure of its own")
    return results.SegmentEffectResult(found.segments, found.horizon, tables.currency)


@front_door("What a point of retention is worth cannot be told.", "worth-of-a-point")
def worth_of_a_point(tables: Tables, settings: Settings = DEFAULTS) -> results.PointWorthResult:
    """Gross margin of one to five more points of yearly retention, whatever causes them, over 12, 24 and 36 months.

    Of the MRR with a CSM; contracts gain the points when they come due. Suppressed where margin, churn, cost or
    coverage is not known, or churn is lower than a point.

    Example:
        >>> cs.roi.worth_of_a_point(tables).table["points"].tolist()[:5]
        [1, 2, 3, 4, 5]
    """
    values = value_of_points(company.portfolio(tables, settings), at_mode(company.inputs(tables, settings)))
    if values["value"].isna().all():
        raise ContractError(next((why for why in values["reason"] if why), "nothing comes due"))
    return results.PointWorthResult(values, tables.currency)


@front_door("No smaller plan can be computed.", "plans")
@company.once_per()
def plans(tables: Tables, settings: Settings = DEFAULTS) -> results.PlansResult:
    """Smaller plans than abolishing customer success: a cut, tech touch for small accounts, less contact time.

    Cost saved against churn caused, over 12, 24 and 36 months. The settings cut, tail_below, tail_share, contact_saved,
    contact_added and contact_risk describe the plans; one without its settings is not computed. Without a relative
    risk each plan states how much churn it could bear. Suppressed where no plan can be computed.

    Example:
        >>> [plan.key for plan in cs.roi.plans(tables).plans]
        ['cut']
    """

    def cut() -> SmallerPlan:
        return plan_cut(company.portfolio(tables, settings), company.inputs_with_risk(tables, settings), settings.cut)

    def tech_touch() -> SmallerPlan:
        assumed = company.inputs_with_risk(tables, settings)
        share = required_input(settings.tail_share, "people_share", "tail_share")
        now = company.accounts_now(tables, settings)
        tail = tail_portfolio(tables.subscriptions, now, settings.tail_below, tables.as_of)
        return plan_tech_touch(tail, assumed, share)

    def contact_time() -> SmallerPlan:
        portfolio = company.portfolio(tables, settings)
        assumed = with_risk(company.inputs(tables, settings), read_input(settings.contact_risk, "relative_risk"))
        saved = required_input(settings.contact_saved, "saved_per_month", "contact_saved")
        return plan_contact_time(portfolio, assumed, saved, read_input(settings.contact_added, "added_per_month"))

    asked = {"cut": cut, "tech_touch": tech_touch, "contact_time": contact_time}
    found = {key: or_suppressed(plan) for key, plan in asked.items()}
    missing = {key: plan.reason for key, plan in found.items() if isinstance(plan, Suppressed)}
    computed = tuple(plan for plan in found.values() if isinstance(plan, SmallerPlan))
    if not computed:
        raise ContractError(" ".join(dict.fromkeys(missing.values())))
    return results.PlansResult(computed, missing, tables.currency)


@front_door("How far bad experience travels cannot be told.", "word-of-mouth")
def word_of_mouth(tables: Tables, settings: Settings = DEFAULTS) -> results.WordOfMouthResult:
    """How many people hear of good and of bad experience, at least, by shares that are published about consumers.

    Counts the accounts paying now by the latest NPS answer of the last twelve months. In money only where the settings
    lost_sale_chance and sale_value are given. Suppressed where no account answered an NPS survey.

    Example:
        >>> cs.roi.word_of_mouth(tables).word_of_mouth.table["accounts"].tolist()
        [52.0, 92.0]
    """
    paying = company.accounts_now(tables, settings)["account_id"]
    start, end = periods.trailing_window(tables.account_months()["month"].min(), tables.as_of, 12)
    chance = read_input(settings.lost_sale_chance, "lost_sale_chance")
    value = read_input(settings.sale_value, "sale_value")
    talk = nps_word_of_mouth(tables.surveys, paying, start, end, chance, value)
    return results.WordOfMouthResult(talk, tables.currency)


@front_door("", "what-if")
def what_if(tables: Tables, relative_risk: Range = "", settings: Settings = DEFAULTS) -> results.WhatIfResult:
    """A panel with a slider for each input, and what customer success would be worth if it were so.

    It opens at ``relative_risk`` (by default that of ``settings``, else the measured one), without any where customer
    success just pays for itself. In a report the page computes by itself, in JupyterLab the sliders are widgets. For a
    shared audience due dates of few accounts are pooled. Suppressed where coverage, margin, churn or cost is not known.

    Example:
        >>> panel = cs.roi.what_if(tables, relative_risk=1.3)
        >>> panel.at(margin=0.5).results["horizon"].tolist()
        [12, 24, 36]
    """
    settings = changed(settings, relative_risk=relative_risk)
    portfolio, inputs = company.portfolio(tables, settings), company.inputs_with_risk(tables, settings)
    return results.WhatIfResult(make_what_if(portfolio, inputs, smallest=tables.smallest_group), tables.currency)
