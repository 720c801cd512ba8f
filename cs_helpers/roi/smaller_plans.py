"""Smaller plans than abolishing customer success, by the same economics: cost saved against churn caused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Record
from cs_helpers.roi.breakeven import hazard_ratios
from cs_helpers.roi.economics import HORIZONS, discounting, flow, outcomes
from cs_helpers.roi.portfolio import CoveredPortfolio, covered_portfolio
from cs_helpers.roi.scenario_range import DRAWS, NO_EFFECT_GIVEN, middle_95
from cs_helpers.roi.uncertain_inputs import Input, at_mode, draw_inputs, fixed_input, inputs_table, require_name


@dataclass(frozen=True, eq=False, repr=False)
class SmallerPlan(Record):
    """What a plan saves and what it loses, from the user's assumptions: a scenario range, no confidence interval.

    ``key``: "cut", "tech_touch" or "contact_time". ``table``: one row per horizon: horizon, and of each of saved (cost
    saved minus what the plan costs), lost (margin of the MRR that leaves or does not grow), gain (saved - lost), in
    currency and discounted, and points_lost (of retention of the plan's MRR): its median under its own name, <name>_low
    and <name>_high (the middle 95 % of the draws); p_gain (the share of the draws with a gain) and break_even_ratio:
    the relative risk up to which the plan pays, with the other inputs at their modes and no expansion lost (1: it saves
    nothing; missing: it pays at any churn). Without a relative_risk lost, gain, points_lost and p_gain are missing and
    ``reason`` states why. ``note``: what the plan assumes. ``inputs``: name, low, mode, high, origin, source.
    """

    key: str
    table: pd.DataFrame
    inputs: pd.DataFrame
    exposed_mrr: float
    note: str
    reason: str = ""


def plan_cut(portfolio: CoveredPortfolio, inputs: Sequence[Input], share: float) -> SmallerPlan:
    """Customer success smaller by ``share`` (a fraction above 0, at most 1), in every account alike.

    People and tools are saved in proportion, management only where all is cut. The relative risk is raised to the power
    ``share`` and the expansion lost multiplied by it: half the work less loses half of the effect on the log scale,
    which is a guess and marked as one. Raises ParameterError for a share outside (0, 1].

    Example:
        >>> plan = plan_cut(cs.roi.break_even(tables).portfolio, cs.roi.inputs(tables).inputs, 0.2)
        >>> plan.table["saved"].round().tolist()
        [209564.0, 399407.0, 571385.0]
    """
    if not 0 < share <= 1:
        raise ParameterError(f"share = {share}: give the part to be cut as a fraction above 0 and at most 1, e.g. 0.2.")
    said = f"in proportion to the {share:.0%} that are cut"
    changed = []
    for each in inputs:
        if each.name == "relative_risk":
            origin, source = (each.origin, each.source) if share == 1 else ("guess", said)
            low, mode, high = (float(end**share) for end in (each.low, each.mode, each.high))
            changed.append(Input(each.name, low, mode, high, origin, source))
        elif each.name in ("people", "tools", "expansion_lost"):
            changed.append(_scaled(each, share))
        else:
            changed.append(_scaled(each, 0.0) if each.name == "management" and share < 1 else each)
    management = "" if share == 1 else ", no management"
    note = (
        f"{share:.0%} of people and tools are saved{management}; churn rises {said}: half the work less is taken to "
        "lose half of the effect."
    )
    return _evaluated("cut", portfolio, changed, (), note)


def plan_tech_touch(tail: CoveredPortfolio, inputs: Sequence[Input], people_share: Input) -> SmallerPlan:
    """Small accounts looked after by mail, community and product alone.

    ``tail``: their portfolio, as from ``tail_portfolio``. ``people_share``: the share of all people and tools that now
    works for them, which the plan saves; no management is. relative_risk is that of these accounts.
    Raises ParameterError for an input of another name.
    """
    require_name(people_share, "people_share")
    kept = [_scaled(each, 0.0) if each.name == "management" else each for each in inputs]
    note = "Accounts of the tail lose their CSM; the named share of people and tools is saved, management stays."
    return _evaluated("tech_touch", tail, kept, (people_share,), note)


def plan_contact_time(
    portfolio: CoveredPortfolio, inputs: Sequence[Input], saved_per_month: Input, added_per_month: Input | None = None
) -> SmallerPlan:
    """Contact time capped or moved offshore: a saving now, and perhaps churn later.

    ``saved_per_month``: what it saves, without severance and without work for other teams; ``added_per_month``: what it
    costs to set up and run. relative_risk is that of the plan, against contact as it is.
    Raises ParameterError for inputs of another name.
    """
    require_name(saved_per_month, "saved_per_month")
    added = added_per_month or fixed_input("added_per_month", 0.0, source="none given")
    require_name(added, "added_per_month")
    unused = ("people", "tools", "management", "absorbed", "severance_months", "notice_months")
    kept = [_scaled(each, 0.0) if each.name in unused else each for each in inputs]
    note = "The saving is what the plan names; people, tools and management stay as they are otherwise."
    return _evaluated("contact_time", portfolio, kept, (saved_per_month, added), note)


def _scaled(each: Input, factor: float) -> Input:
    if factor == 0:
        return replace(each, low=0.0, mode=0.0, high=0.0, source="not part of the plan")
    return replace(each, low=each.low * factor, mode=each.mode * factor, high=each.high * factor)


def _evaluated(
    key: str, portfolio: CoveredPortfolio, inputs: Sequence[Input], extra: Sequence[Input], note: str
) -> SmallerPlan:
    known = any(each.name == "relative_risk" for each in inputs)
    mode = asdict(at_mode(inputs)) | {each.name: each.mode for each in extra}
    many = mode | draw_inputs([*inputs, *extra], DRAWS)
    rows = []
    for horizon in HORIZONS:
        seen = flow(portfolio.rows, horizon)
        found = outcomes(seen, _merged(many), horizon)
        saved = found.cost - _added(many, horizon)
        figures = {"saved": saved, "lost": found.value, "gain": saved - found.value, "points_lost": found.points}
        row: dict[str, Any] = {"horizon": int(horizon)}
        for name, values in figures.items():
            row |= middle_95(name, values if known or name == "saved" else np.full(1, math.nan))
        row["p_gain"] = float((figures["gain"] > 0).mean()) if known else math.nan
        # What the plan saves, as an equal monthly amount, is what churn may cost at most.
        at_mode_saved = float(outcomes(seen, _merged(mode), horizon).cost[0] - _added(mode, horizon)[0])
        months = float(discounting(np.array([[mode["discount"]]]), np.arange(horizon)).sum())
        nothing_else = dict.fromkeys(("severance_months", "notice_months", "absorbed", "people", "management"), 0.0)
        level = mode | nothing_else | {"tools": at_mode_saved / months}
        row["break_even_ratio"] = float(hazard_ratios(seen, level, horizon)[0])
        rows.append(row)
    return SmallerPlan(
        key=key,
        table=pd.DataFrame(rows),
        inputs=inputs_table([*inputs, *extra]),
        exposed_mrr=portfolio.exposed_mrr,
        note=note,
        reason="" if known else NO_EFFECT_GIVEN,
    )


def _merged(many: dict[str, Any]) -> dict[str, Any]:
    """The plan's own inputs expressed in those of the economics."""
    share = many.get("people_share", 1.0)
    return many | {"people": many["people"] * share, "tools": many["tools"] * share + many.get("saved_per_month", 0.0)}


def _added(many: dict[str, Any], horizon: int) -> np.ndarray:
    """What the plan costs within the horizon, discounted; it runs from the first month on."""
    months = discounting(np.atleast_1d(np.asarray(many["discount"], float))[:, None], np.arange(horizon)).sum(axis=1)
    result: np.ndarray = np.asarray(many.get("added_per_month", 0.0)) * months
    return result


def tail_portfolio(
    subscriptions: pd.DataFrame, now: pd.DataFrame, below: float, as_of: pd.Timestamp
) -> CoveredPortfolio:
    """The portfolio of the covered accounts that pay less than ``below`` a month, as ``covered_portfolio`` makes it.

    ``now`` as from ``paying_and_covered``. Raises ContractError where ``below`` is 0 (not given).
    """
    if below <= 0:
        raise ContractError("tail_below is not given: give the MRR a month below which an account is in the tail")
    small = now["covered"].astype("boolean") & (now["mrr"] < below)
    return covered_portfolio(subscriptions, now.assign(covered=small), as_of)
