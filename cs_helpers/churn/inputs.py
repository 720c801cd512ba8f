"""What several analyses of a company's churn share, computed once per ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cs_helpers.churn.calls import CallBoard, call_board
from cs_helpers.churn.kaplan_meier import Survival, time_to_leave
from cs_helpers.churn.snapshots import HORIZON_MONTHS, Snapshots, risk_snapshots
from cs_helpers.core.periods import add_months
from cs_helpers.core.results import Suppressed, or_suppressed

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


def paid_periods(tables: Tables) -> pd.DataFrame:
    """The roll-up ``spells``: unbroken paid periods of every account, with their age when the data begin."""
    return tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)


def account_curve(tables: Tables) -> Survival | Suppressed:
    """The survival curve of all accounts."""
    return tables.cached(("churn.account_curve",), lambda: _account_curve(tables))


def _account_curve(tables: Tables) -> Survival | Suppressed:
    return time_to_leave(tables.rollup("survival_counts", observed_from=tables.observed_from, as_of=tables.as_of))


def snapshots(tables: Tables) -> Snapshots | Suppressed:
    """What was known of every paying account at past month starts, and who then left."""
    return tables.cached(("churn.snapshots",), lambda: _snapshots(tables))


def _snapshots(tables: Tables) -> Snapshots | Suppressed:
    start, as_of = tables.observed_from, tables.as_of
    found: Snapshots | Suppressed = or_suppressed(
        risk_snapshots,
        tables.account_months(),
        paid_periods(tables),
        as_of=as_of,
        subscriptions=tables.subscriptions,
        accounts=tables.accounts,
        outcome_columns=tables.outcome_columns("accounts"),
        usage=[
            tables.rollup("usage_features", first=start, last=add_months(as_of, -1), dense=True, step=HORIZON_MONTHS),
            tables.rollup("usage_features", first=as_of, last=as_of, dense=True),
        ],
        signals=tables.rollup("account_signals", start=start, end=as_of),
        assignments=tables.assignments,
    )
    return found


def calls_and_model(tables: Tables, capacity: int) -> CallBoard:
    """The risk model and the ``capacity`` accounts at the highest risk."""
    return tables.cached(
        ("churn.call_board", capacity), lambda: call_board(snapshots(tables), capacity, tables.names())
    )
