"""Whom to call this week: the model, its alarms and the call list of one set of snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cs_helpers.churn.calls import MrrAtRisk, call_list, mrr_at_risk
from cs_helpers.churn.risk import Risk, fit_risk
from cs_helpers.churn.snapshots import Snapshots
from cs_helpers.core.results import Record, Suppressed, or_suppressed


@dataclass(frozen=True, eq=False, repr=False)
class Board(Record):
    """Everything the call list rests on; each part is a result, or the Suppressed that explains why there is none.

    ``notice``: accounts that have given notice and
    still pay (account_id, notice_date, mrr); they are known leavers and in no other part.
    """

    risk: Risk | Suppressed
    calls: pd.DataFrame | Suppressed
    at_risk: MrrAtRisk | Suppressed
    drift: pd.DataFrame | Suppressed
    notice: pd.DataFrame | Suppressed


def call_board(
    snapshots: Snapshots | Suppressed,
    capacity: int,
    names: Mapping[str, str] | pd.Series | None = None,
    reasons: int = 3,
) -> Board:
    """``Board`` of ``snapshots``: the ``capacity`` accounts paying today with the highest risk, and what that rests on.

    The list says which accounts are likely to leave, not which a call would keep. Source: Ascarza 2018.
    """
    if isinstance(snapshots, Suppressed):
        return Board(snapshots, snapshots, snapshots, snapshots, snapshots)
    now = snapshots.now
    risk = or_suppressed(fit_risk, snapshots.table, list(snapshots.features), capacity, now=now)
    if isinstance(risk, Suppressed):
        return Board(risk, risk, risk, risk, snapshots.notice)
    calls = or_suppressed(call_list, risk, now, snapshots.before, names, capacity, reasons)
    return Board(risk, calls, or_suppressed(mrr_at_risk, risk, now), or_suppressed(risk.drift, now), snapshots.notice)
