"""Steps that several front doors share, computed once per company and settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd

from cs_helpers import retention
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed, or_suppressed
from cs_helpers.roi.costs import CostBase, cost_base
from cs_helpers.roi.effect import MeasuredEffect, measure_effect
from cs_helpers.roi.effect_money import measured_risk
from cs_helpers.roi.portfolio import CoveredPortfolio, covered_portfolio, paying_and_covered
from cs_helpers.roi.settings import DEFAULTS, Settings
from cs_helpers.roi.trial import account_months, named_controls
from cs_helpers.roi.uncertain_inputs import Input, fixed_input, gather_inputs, measured_input, read_input, with_risk

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables

F = TypeVar("F", bound=Callable[..., Any])
GIVEN = ("discount", "expansion", "expansion_lost", "absorbed", "severance_months", "notice_months")
"""Inputs that come from the settings alone."""


def once_per(*names: str) -> Callable[[F], F]:
    """Decorator of a step that is computed once per company and value of the named settings; none: of all of them."""

    def decorate(step: F) -> F:
        @wraps(step)
        def call(tables: Tables, settings: Settings = DEFAULTS) -> Any:
            key = [getattr(settings, name) for name in names] or [settings]
            return tables.cached((f"roi.{step.__name__}", *key), lambda: step(tables, settings))

        return cast(F, call)

    return decorate


@once_per("role", "everybody")
def accounts_now(tables: Tables, settings: Settings) -> pd.DataFrame:
    """The accounts paying on the eve of the as-of date: account_id, mrr, covered."""
    mrr = retention.paying_now(tables.account_months())
    return paying_and_covered(mrr, tables.assignments, tables.reps, tables.as_of, settings.role, settings.everybody)


@once_per("role", "everybody")
def portfolio(tables: Tables, settings: Settings) -> CoveredPortfolio:
    """The covered accounts' MRR by the time at which their contracts decide."""
    return covered_portfolio(tables.subscriptions, accounts_now(tables, settings), tables.as_of, tables.renewals)


@once_per("cost_function", "cost_per_month")
def costs(tables: Tables, settings: Settings) -> CostBase:
    """What customer success costs a month."""
    functions, given = settings.cost_function.split(","), settings.cost_per_month
    return cost_base(
        tables.costs, tables.reps, tables.as_of, tables.currency, functions=functions, cost_per_month=given
    )


@once_per()
def inputs(tables: Tables, settings: Settings) -> tuple[Input, ...]:
    """The inputs of the money without the relative risk. Raises ContractError with all that is not known."""

    def booked_margin() -> Input:
        return margin_of(accounts_now(tables, settings), retention.gross_margins(tables.accounts))

    def measured_churn() -> Input:
        kept = retention.retention_history(tables.account_months(), tables.as_of)["grr"].now
        return measured_input(kept, "yearly_churn", complement=True)

    found = [
        read_input(settings.margin, "margin") or or_suppressed(booked_margin),
        read_input(settings.yearly_churn, "yearly_churn") or or_suppressed(measured_churn),
        *(read_input(getattr(settings, name), name) for name in GIVEN),
    ]
    cost = or_suppressed(costs, tables, settings)
    unknown = [each.reason for each in (*found, cost) if isinstance(each, Suppressed)]
    if unknown or isinstance(cost, Suppressed):
        raise ContractError("\n".join(unknown))
    return gather_inputs([each for each in found if not isinstance(each, Suppressed)], cost)


def margin_of(now: pd.DataFrame, margins: pd.Series) -> Input:
    """Gross margin of the covered MRR: the mean over covered accounts, weighted by MRR.

    ``now`` as from ``paying_and_covered`` (where coverage is not known, all accounts count); ``margins``: fractions by
    account_id. Raises ContractError where no covered account has one.
    """
    among = now[now["covered"].fillna(True).astype(bool)]
    booked = among["account_id"].map(margins).to_numpy(float)
    known = np.isfinite(booked)
    if not known.any():
        raise ContractError("no covered account has a gross margin: give gross_margin with the accounts, or margin.")
    mean = float(np.average(booked[known], weights=among["mrr"].to_numpy(float)[known]))
    return fixed_input(
        "margin", mean, "measured", f"gross_margin of {int(known.sum()):,} covered accounts, weighted by MRR"
    )


@once_per("role", "health_lag", "horizon", "by", "negative_controls", "draws")
def effect(tables: Tables, settings: Settings) -> MeasuredEffect:
    """The effect of customer success by every method, and which of them carries a headline."""
    controls = named_controls(settings.negative_controls)
    segments = tables.attribute(settings.by)
    panel = tables.rollup("vanish_panel", start=tables.observed_from, as_of=tables.as_of, role=settings.role)
    months = account_months(panel, settings.health_lag, tables.tickets, controls)
    return measure_effect(months, settings.horizon, segments, controls, draws=settings.draws)


def effect_with_curves(tables: Tables, settings: Settings) -> MeasuredEffect:
    """The effect where it has survival curves. Raises ContractError with the reason, in few words where it is long."""
    found = effect(tables, settings)
    if found.curves is not None:
        return found
    if found.failed:
        many = f"{len(found.gates):,} condition{'' if len(found.gates) == 1 else 's'}"
        raise ContractError(f"{len(found.failed)} of {many} not met; this report lists them")
    raise ContractError(found.reason or "this evidence has no curves")


def inputs_with_risk(tables: Tables, settings: Settings) -> tuple[Input, ...]:
    """The inputs with a relative risk: the one given, else the one measured, else none."""
    given = read_input(settings.relative_risk, "relative_risk")
    risk = given or or_suppressed(lambda: measured_risk(effect(tables, settings)))
    return with_risk(inputs(tables, settings), risk)
