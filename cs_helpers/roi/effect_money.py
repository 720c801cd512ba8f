"""The measured effect in money: what coverage kept in the months observed, and what it cost in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record
from cs_helpers.core.stats import normal_quantile
from cs_helpers.roi.economics import LIMITS, discounting
from cs_helpers.roi.effect import MeasuredEffect
from cs_helpers.roi.uncertain_inputs import Input, draw_inputs

_DRAWS = 20_000


@dataclass(frozen=True, repr=False)
class EffectMoney(Record):
    """What the measured effect is worth within ``horizon`` months of the followed accounts.

    ``mrr_months``: MRR-months kept, in currency, undiscounted; ``value``: their discounted gross margin; ``cost``: the
    discounted cost of covering these accounts in these months, net of work that other teams would have taken over and
    of severance; ``net`` = value - cost; ``roi`` = net / cost, None where cost is not above 0 (``reason``). Each has a
    95 % interval from the joint draws of effect and inputs. ``p_positive``: share of the draws with net > 0.
    ``cost_per_retained``: cost per unit of MRR kept for a month; None where the interval of what was kept includes 0.
    ``points``: points of MRR-weighted survival at the horizon; ``break_even_points``: the same at which the value would
    equal the cost, if the effect had this shape in time. ``covered_months``: account-months of coverage among the
    followed accounts; ``cost_share``: of all covered account-months.
    """

    horizon: int
    accounts: int
    mrr_months: float
    mrr_months_interval: tuple[float, float]
    value: float
    value_interval: tuple[float, float]
    cost: float
    cost_interval: tuple[float, float]
    net: float
    net_interval: tuple[float, float]
    roi: float | None
    roi_interval: tuple[float, float] | None
    p_positive: float
    cost_per_retained: float | None
    cost_per_retained_interval: tuple[float, float] | None
    points: float
    points_interval: tuple[float, float]
    break_even_points: float | None
    covered_months: int
    cost_share: float
    reason: str = ""


def money_of_effect(effect: MeasuredEffect, inputs: Sequence[Input]) -> EffectMoney:
    """Value and cost of the g-formula's effect over the months that were observed. Nothing is projected.

        mrr_months = sum over t < H of MRR (S_natural(t) - S_vanished(t)),  MRR-weighted survival
        value = margin sum of d(t) MRR (S_natural(t) - S_vanished(t)),  d(t) = (1 + discount)^(-(t + 1/2) / 12)
        cost = sum of d(t) k(t) c - severance,  c = cost per month x months / covered account-months of the window,
               k(t) = covered accounts among the followed in their month t

    Expansion is not measured and not counted. ``inputs``: margin, people, tools, management, absorbed,
    severance_months, discount; others are not used. The costs of the window are taken to have been those of the inputs
    in every month. Intervals join the draws of accounts with draws of the inputs. Raises ContractError where the effect
    was refused or no g-formula carries it.
    """
    futures, trial = effect._futures, effect._trial
    if futures is None or trial is None:
        raise ContractError(
            f"no money is derived from the effect: {effect.reason or 'no survival curves were measured'}"
        )
    horizon, draws = futures.horizon, _DRAWS
    among = trial.followed(horizon)
    rows = trial.rows
    observed = rows[among[rows["account"].to_numpy()] & (rows["t"] < horizon).to_numpy() & rows["covered"].to_numpy()]
    by_month = np.bincount(observed["t"].to_numpy(), minlength=horizon)[:horizon].astype(float)
    all_covered = int(rows["covered"].sum())
    mrr = float(trial.accounts.loc[among, "mrr"].sum())
    kept = mrr * (futures.natural - futures.vanished)[:horizon, 1]
    kept_draws = mrr * (futures.natural_draws - futures.vanished_draws)[:, :horizon, 1]
    kept_draws = kept_draws - kept_draws.mean(axis=0) + kept
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1, 31])))
    chosen = rng.integers(len(kept_draws), size=draws)
    many = {name: np.broadcast_to(v, draws)[:, None] for name, v in draw_inputs(inputs, draws).items()}
    mode = {each.name: np.array([[float(each.mode)]]) for each in inputs}
    share = trial.months * by_month / max(all_covered, 1)  # months of the whole cost, by month of follow-up
    of_all = float(by_month.sum()) / max(all_covered, 1)
    value, cost = float(_value(mode, kept[None, :])[0]), float(_cost(mode, share, of_all)[0])
    values, costs = _value(many, kept_draws[chosen]), _cost(many, share, of_all)
    reach = normal_quantile(0.95) * futures.points(horizon, 1)[1]
    total, totals = float(kept.sum()), kept_draws.sum(axis=1)
    span, points, nets = _range(totals), futures.points(horizon, 1)[0], values - costs
    pays, certain = cost > 0, span[0] > 0
    return EffectMoney(
        horizon=horizon,
        accounts=int(among.sum()),
        mrr_months=total,
        mrr_months_interval=span,
        value=value,
        value_interval=_range(values),
        cost=cost,
        cost_interval=_range(costs),
        net=value - cost,
        net_interval=_range(nets),
        roi=(value - cost) / cost if pays else None,
        roi_interval=_range(nets / costs) if pays and (costs > 0).all() else None,
        p_positive=float((nets > 0).mean()),
        cost_per_retained=cost / total if certain and pays else None,
        cost_per_retained_interval=_range(costs / totals[chosen]) if certain and pays and (totals > 0).all() else None,
        points=points,
        points_interval=(points - reach, points + reach),
        break_even_points=points * cost / value if value > 0 and pays else None,
        covered_months=int(by_month.sum()),
        cost_share=of_all,
        reason="" if pays else "vanishing would have saved nothing in these months, so there is no cost to divide by",
    )


def measured_risk(effect: MeasuredEffect) -> Input:
    """The measured effect as the scenario's relative_risk: log S_vanished / log S_natural of MRR, with its interval.

    Raises ContractError where the effect was refused or has no curves.
    """
    futures = effect._futures
    if futures is None:
        raise ContractError(f"there is no measured effect: {effect.reason or 'no survival curves were measured'}")
    last = futures.horizon
    ratio = float(np.log(futures.vanished[last, 1]) / np.log(futures.natural[last, 1]))
    logs = np.log(np.log(futures.vanished_draws[:, last, 1]) / np.log(futures.natural_draws[:, last, 1]))
    reach = normal_quantile(0.95) * float(logs.std(ddof=1))
    low, high = float(ratio * np.exp(-reach)), float(ratio * np.exp(reach))
    if not (low >= LIMITS["relative_risk"][0] and high <= LIMITS["relative_risk"][1]):
        raise ContractError("hardly anybody leaves in one of the two futures: the ratio of risks is too uncertain")
    return Input("relative_risk", low, ratio, high, "measured", f"g-formula over {last} months, 95 % interval")


def _value(given: dict[str, np.ndarray], kept: np.ndarray) -> np.ndarray:
    t = np.arange(kept.shape[1])
    return np.asarray((given["margin"] * discounting(given["discount"], t) * kept).sum(axis=1))


def _cost(given: dict[str, np.ndarray], share: np.ndarray, of_all: float) -> np.ndarray:
    monthly = given["people"] * (1 - given["absorbed"]) + given["tools"] + given["management"]
    months = (discounting(given["discount"], np.arange(len(share))) * share).sum(axis=1, keepdims=True)
    return np.asarray((months * monthly - given["severance_months"] * given["people"] * of_all)[:, 0])


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
