"""Steps that several front doors share, computed once per company and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cs_helpers import retention
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import or_suppressed
from cs_helpers.roi.costs import CostBase, cost_base
from cs_helpers.roi.coverage import margin_of, paying_and_covered
from cs_helpers.roi.effect import MeasuredEffect, measure_effect
from cs_helpers.roi.effect_money import measured_risk
from cs_helpers.roi.panel import account_months, named_controls
from cs_helpers.roi.portfolio import CoveredPortfolio, covered_portfolio
from cs_helpers.roi.settings import Settings
from cs_helpers.roi.uncertain_inputs import Input, combine_inputs, measured_input, read_input, with_risk

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


def accounts_now(tables: Tables, settings: Settings) -> pd.DataFrame:
    """The accounts paying on the eve of the as-of date: account_id, mrr, covered."""

    def make() -> pd.DataFrame:
        mrr = retention.paying_now(tables.account_months())
        return paying_and_covered(mrr, tables.assignments, tables.reps, tables.as_of, settings.role, settings.everybody)

    return tables.cached(("roi.accounts_now", settings.role, settings.everybody), make)


def portfolio(tables: Tables, settings: Settings) -> CoveredPortfolio:
    """The covered accounts' MRR by the time at which their contracts decide."""
    return tables.cached(
        ("roi.portfolio", settings.role, settings.everybody),
        lambda: covered_portfolio(tables.subscriptions, accounts_now(tables, settings), tables.as_of, tables.renewals),
    )


def costs(tables: Tables, settings: Settings) -> CostBase:
    """What customer success costs a month."""
    return tables.cached(
        ("roi.costs", settings.cost_function, settings.cost_per_month),
        lambda: cost_base(
            tables.costs,
            tables.reps,
            tables.as_of,
            tables.currency,
            functions=settings.cost_function.split(","),
            cost_per_month=settings.cost_per_month,
        ),
    )


def inputs(tables: Tables, settings: Settings) -> tuple[Input, ...]:
    """The inputs of the money without the relative risk. Raises ContractError with all that is not known."""
    return tables.cached(("roi.inputs", settings), lambda: _inputs(tables, settings))


def _inputs(tables: Tables, settings: Settings) -> tuple[Input, ...]:
    margin = read_input(settings.margin, "margin")
    churn = read_input(settings.yearly_churn, "yearly_churn")
    return combine_inputs(
        [
            margin or or_suppressed(lambda: _booked_margin(tables, settings)),
            churn or or_suppressed(lambda: _measured_churn(tables)),
            *(
                read_input(getattr(settings, name), name)
                for name in (
                    "discount", "expansion", "expansion_lost", "absorbed", "severance_months", "notice_months"
                )
            ),
        ],
        or_suppressed(costs, tables, settings),
    )  # fmt: skip


def _booked_margin(tables: Tables, settings: Settings) -> Input:
    return margin_of(accounts_now(tables, settings), retention.gross_margins(tables.accounts))


def _measured_churn(tables: Tables) -> Input:
    kept = retention.retention_history(tables.account_months(), tables.as_of)["grr"].now
    return measured_input(kept, "yearly_churn", complement=True)


def effect(tables: Tables, settings: Settings) -> MeasuredEffect:
    """The effect of customer success by every method there is, with the verdict on it."""
    key = (
        settings.role,
        settings.health_lag,
        settings.horizon,
        settings.by,
        settings.negative_controls,
        settings.draws,
    )
    return tables.cached(("roi.effect", *key), lambda: _effect(tables, settings))


def _effect(tables: Tables, settings: Settings) -> MeasuredEffect:
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
    risk = or_suppressed(lambda: measured_risk(effect(tables, settings))) if given is None else given
    return with_risk(inputs(tables, settings), [risk])
