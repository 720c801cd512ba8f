"""Why accounts leave: the reasons recorded and stated, and how many leave for which by age."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cs_helpers.churn.churn_reasons import Reasons, departures, incidence_of, reason_shares, recorded_reasons
from cs_helpers.churn.churn_settings import Settings
from cs_helpers.churn.inputs import paid_periods
from cs_helpers.core.results import Suppressed, front_door, or_suppressed
from cs_helpers.retention import window

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


@front_door("Why accounts leave cannot be told.", "reasons")
def reasons(
    tables: Tables,
    months: int = 12,
    by: str = "",
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> Reasons | Suppressed:
    """Lost MRR by the reason of the departure: stated in the exit survey, else recorded by the company.

    Departures of the last ``months`` count, one for each time an account stopped paying. Shares are of the MRR whose
    reason is known; the rest is ``unknown_mrr_share``. Amounts are MRR in the currency of the company. ``by``: an
    attribute of the accounts, for the shares by group with ten known reasons or more. ``settings``: ``reason_column``
    and ``reasons_outside_our_control``. ``incidence`` follows all departures of the data by age. Suppressed where no
    account left or fewer than ten reasons are known. Raises ParameterError for an attribute that the accounts do not
    have.

    Example:
        >>> found = cs.churn.reasons(tables)
        >>> found.by_reason["share"].round(2).head(2).to_dict()
        {'missing features': 0.46, 'price': 0.25}
    """
    panel = tables.account_months()
    groups = tables.attribute(by)
    recorded = recorded_reasons(tables.accounts, settings.reason_column)
    first = panel["month"].min()
    left = tables.pooled(departures(panel, *window(tables, months), recorded, tables.surveys, groups))
    found = reason_shares(left, settings.reasons_outside_our_control)
    if isinstance(found, Suppressed):
        return found
    ever = tables.pooled(departures(panel, first, tables.as_of, recorded, tables.surveys))
    incidence = or_suppressed(incidence_of, paid_periods(tables), ever)
    if isinstance(incidence, Suppressed):
        opening = "Which reasons take accounts, and when, cannot be told."
        incidence = Suppressed(incidence.reason, "", opening, "incidence")
    return replace(found, currency=tables.currency, by=by, incidence=incidence)
