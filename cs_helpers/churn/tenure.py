"""How long accounts stay: survival, contract anniversaries, projection, lifetime value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cs_helpers.churn.churn_settings import Settings
from cs_helpers.churn.contract_anniversaries import Anniversaries, anniversary_losses
from cs_helpers.churn.customer_value import LifetimeValues, lifetime_values_by_group
from cs_helpers.churn.group_curves import GroupCurves, counts_by, curves_by_group, revenue_weighted
from cs_helpers.churn.inputs import account_curve, paid_periods
from cs_helpers.churn.kaplan_meier import Survival
from cs_helpers.churn.shifted_beta_geometric import Projection, project
from cs_helpers.core.results import Suppressed, front_door, or_suppressed
from cs_helpers.retention import gross_margins, paying_now

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


@front_door("How long accounts stay cannot be told.", "survival")
def survival(tables: Tables, by: str = "") -> Survival | GroupCurves | Suppressed:
    """Share of accounts still paying by age in months: Kaplan-Meier with 95% confidence limits.

    Every unbroken paid period counts, from the age it had when the data begin (left truncation); trials and free plans
    do not. The share is missing beyond the last age with ten periods under observation.

    Without ``by`` one curve of all accounts, with the curve weighted by MRR below it (``revenue``). With ``by``, an
    attribute of the accounts, a curve for each of its six largest values and the log-rank test between them.
    Raises ParameterError for an attribute that the accounts do not have. Source: Kaplan & Meier 1958.

    Example:
        >>> round(cs.churn.survival(tables).at(12), 2)
        0.81
        >>> list(cs.churn.survival(tables, by="segment").curves)
        ['SMB', 'Mid-Market', 'Enterprise']
    """
    if by:
        found = or_suppressed(curves_by_group, counts_by(paid_periods(tables), tables.attribute(by)), by)
        if isinstance(found, Suppressed):
            opening = "Groups cannot be compared in how long they stay."
            return Suppressed(found.reason, found.remedy, opening, "survival-groups")
        groups: GroupCurves = found
        return groups
    curve = account_curve(tables)
    if isinstance(curve, Suppressed):
        return curve
    revenue = or_suppressed(revenue_weighted, paid_periods(tables))
    if isinstance(revenue, Suppressed):
        revenue = Suppressed(revenue.reason, "", "How long revenue stays cannot be told.", "survival-revenue")
    else:
        revenue = replace(revenue, by_account=curve)
    return replace(curve, observed_from=tables.observed_from, revenue=revenue)


@front_door("What happens at contract anniversaries cannot be told.", "anniversaries")
def anniversaries(tables: Tables) -> Anniversaries | Suppressed:
    """Share of contracts lost at their first, second, ... anniversary, and the monthly rate of churn in between.

        rate_k = lost_k / up for renewal_k        between = departures elsewhere / account-months elsewhere

    Contracts with a term of two months or more count, paid up to their due date and under observation before it; lost
    are those that ended within a month of it. Contracts that came due too recently are ``open`` and not in a rate.
    Intervals: Wilson, 95%. Missing where no such month was seen.

    Example:
        >>> found = cs.churn.anniversaries(tables)
        >>> round(found.overall.rate, 2), round(found.between_rate, 4)
        (0.12, 0.0003)
    """
    return anniversary_losses(paid_periods(tables), tables.subscriptions, tables.as_of)


@front_door("The future of the present accounts cannot be projected.", "projection")
def projection(tables: Tables) -> Projection | Suppressed:
    """Survival beyond the ages seen so far: the shifted-beta-geometric model, 60 months from the start of an account.

    All paid periods known at ``tables.as_of`` count. ``held_out`` tells how the same method, fitted without the last
    twelve months, foretold them. ``expected_lifetime``: months paid inside the horizon. Intervals: 95%, for the doubt
    about the parameters, not about the model. Source: Fader & Hardie 2007.

    Example:
        >>> found = cs.churn.projection(tables)
        >>> round(found.at(36), 2), round(found.expected_lifetime, 1)
        (0.62, 41.4)
    """
    found = project(paid_periods(tables), tables.as_of)
    if isinstance(found, Suppressed):
        return found
    observed = account_curve(tables)
    return found if isinstance(observed, Suppressed) else replace(found, observed=observed)


@front_door("Lifetime value cannot be given.", "lifetime")
def lifetime_value(tables: Tables, by: str = "", settings: Settings = Settings()) -> LifetimeValues | Suppressed:  # noqa: B008 - frozen
    """Expected gross margin of a new account inside a horizon, discounted, for all accounts and by attribute.

        CLV = sum over t = 0 .. H - 1 of S(t) x MRR x margin / (1 + d)^(t / 12)

    S is the projected survival of the group, MRR and margin (weighted by MRR) the means of the accounts that pay today,
    in the currency of the company. ``by``: an attribute of the accounts; without one all accounts together.
    ``settings``: ``margin`` as a fraction (0: ``gross_margin`` of the accounts), ``discount`` per year, ``horizon`` in
    months. Values are missing, with the reason, for groups with fewer than 50 paid periods or 20 ends. Intervals: 95%,
    for the doubt about the curve alone. Raises ParameterError for an attribute that the accounts do not have.
    Source: Fader & Hardie 2010.

    Example:
        >>> found = cs.churn.lifetime_value(tables, by="segment")
        >>> found.by_group["value"].round(-3).to_dict()
        {'Enterprise': nan, 'Mid-Market': 52000.0, 'SMB': 10000.0, 'All': 78000.0}
    """
    margin = settings.margin if settings.margin > 0 else gross_margins(tables.accounts)
    values = lifetime_values_by_group(
        paid_periods(tables),
        tables.attribute(by) if by else None,
        paying_now(tables.account_months()),
        margin,
        tables.as_of,
        settings.discount,
        settings.horizon,
    )
    return LifetimeValues(values, settings.horizon, tables.currency, by)
