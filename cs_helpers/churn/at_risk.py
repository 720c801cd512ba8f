"""Who is at risk: whom to call, what is associated with leaving, and how good the risks are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cs_helpers.churn.calls import CallList
from cs_helpers.churn.inputs import calls_and_model, snapshots
from cs_helpers.churn.risk_model import RiskFactors
from cs_helpers.core.results import Suppressed, front_door

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


@front_door("There is no call list.", "calls")
def call_list(tables: Tables, capacity: int = 25) -> CallList | Suppressed:
    """The ``capacity`` accounts most likely to leave, most likely first, with reasons and what changed in a month.

    Accounts that pay today and have not given notice count; those that have are listed in ``notice``. A risk is the
    probability that the paid time ends between one and four months from now, by a model that was tested on the last
    period whose outcome is known. MRR is in the currency of the company. The list says who is likely to leave, not whom
    a call would keep. Suppressed where fewer than 50 accounts left before the test, or 10 in it. Source: Ascarza 2018.

    Example:
        >>> found = cs.churn.call_list(tables, capacity=10)
        >>> len(found.calls), round(float(found.calls["probability"].iloc[0]), 2)
        (10, 0.43)
    """
    board, known = calls_and_model(tables, capacity), snapshots(tables)
    if isinstance(known, Suppressed):
        return known
    if isinstance(board.notice, Suppressed):
        return board.notice
    if isinstance(board.calls, Suppressed) and board.notice.empty:
        return board.calls
    notice = board.notice.assign(name=board.notice["account_id"].map(tables.names()))
    return CallList(
        calls=board.calls,
        notice=notice.assign(name=notice["name"].fillna(notice["account_id"])),
        model=board.model,
        at_risk=board.at_risk,
        currency=tables.currency,
        lead_months=known.lead_months,
        horizon_months=known.horizon_months,
    )


@front_door("What goes with leaving cannot be told.", "drivers")
def risk(tables: Tables, capacity: int = 25) -> RiskFactors | Suppressed:
    """What is associated with leaving in the next quarter, and whether predicted risks came true.

    A discrete-time logistic model on quarterly snapshots of the accounts that paid, with what was known at each; tested
    once, on the last period whose outcome is known, at the ``capacity`` highest risks. Odds are per standard deviation
    of a number or for a level against the usual one, with 95% intervals, shrunken towards no effect; an association is
    no proof of a cause. Columns that give the outcome away are left out and named. Suppressed where fewer than 50
    accounts left before the test, or 10 in it.

    Example:
        >>> found = cs.churn.risk(tables)
        >>> found.model.verdict, round(found.model.auc, 2)
        ('useful', 0.87)
    """
    board = calls_and_model(tables, capacity)
    return board.model if isinstance(board.model, Suppressed) else RiskFactors(board.model, board.drift)
