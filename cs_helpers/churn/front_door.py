"""The questions about churn that the tables of a company answer: one function and one result for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cs_helpers.churn.calls import CallList, mrr_at_risk, rank_calls
from cs_helpers.churn.churn_reasons import Reasons, departures, incidence_of, reason_shares, recorded_reasons
from cs_helpers.churn.contract_anniversaries import Anniversaries, anniversary_losses
from cs_helpers.churn.customer_value import LifetimeValues, lifetime_values_by_group
from cs_helpers.churn.group_curves import GroupCurves, counts_by, curves_by_group, revenue_weighted
from cs_helpers.churn.kaplan_meier import Survival, time_to_leave
from cs_helpers.churn.risk_model import RiskFactors, RiskModel, fit_risk
from cs_helpers.churn.settings import DEFAULTS, Settings
from cs_helpers.churn.shifted_beta_geometric import Projection, project
from cs_helpers.churn.snapshots import HORIZON_MONTHS, Snapshots, risk_snapshots
from cs_helpers.core.periods import add_months
from cs_helpers.core.results import Suppressed, front_door, or_suppressed
from cs_helpers.retention import gross_margins, paying_now, window

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


def _paid_periods(tables: Tables) -> pd.DataFrame:
    """Unbroken paid periods of every account, with their age when the data begin."""
    return tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)


def _account_curve(tables: Tables) -> Survival | Suppressed:
    """The survival curve of all accounts."""
    observed = {"observed_from": tables.observed_from, "as_of": tables.as_of}
    return tables.cached(("churn.account_curve",), lambda: time_to_leave(tables.rollup("survival_counts", **observed)))


def _snapshots(tables: Tables) -> Snapshots | Suppressed:
    """What was known of every paying account at past month starts, and who then left."""
    start, as_of = tables.observed_from, tables.as_of

    def make() -> Snapshots | Suppressed:
        past = tables.rollup("usage_features", first=start, last=add_months(as_of, -1), dense=True, step=HORIZON_MONTHS)
        found: Snapshots | Suppressed = or_suppressed(
            risk_snapshots,
            tables.account_months(),
            _paid_periods(tables),
            as_of=as_of,
            subscriptions=tables.subscriptions,
            accounts=tables.accounts,
            outcome_columns=tables.outcome_columns("accounts"),
            usage=[past, tables.rollup("usage_features", first=as_of, last=as_of, dense=True)],
            signals=tables.rollup("account_signals", start=start, end=as_of),
            assignments=tables.assignments,
        )
        return found

    return tables.cached(("churn.snapshots",), make)


def _risk_model(tables: Tables, capacity: int) -> RiskModel | Suppressed:
    """The risk model, tested on the ``capacity`` highest risks."""

    def make() -> RiskModel | Suppressed:
        known = _snapshots(tables)
        if isinstance(known, Suppressed):
            return known
        model: RiskModel | Suppressed = or_suppressed(
            fit_risk, known.table, list(known.features), capacity, now=known.now
        )
        return model

    return tables.cached(("churn.risk_model", capacity), make)


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
        found = or_suppressed(curves_by_group, counts_by(_paid_periods(tables), tables.attribute(by)), by)
        if isinstance(found, Suppressed):
            opening = "Groups cannot be compared in how long they stay."
            return Suppressed(found.reason, found.remedy, opening, "survival-groups")
        groups: GroupCurves = found
        return groups
    curve = _account_curve(tables)
    if isinstance(curve, Suppressed):
        return curve
    revenue = or_suppressed(revenue_weighted, _paid_periods(tables))
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
    return anniversary_losses(_paid_periods(tables), tables.subscriptions, tables.as_of)


@front_door("The future of the present accounts cannot be projected.", "projection")
def projection(tables: Tables) -> Projection | Suppressed:
    """Survival beyond the ages seen so far: the shifted-beta-geometric model, 60 months from the start of an account.

    All paid periods known at ``tables.as_of`` count. ``held_out`` compares what the same method, fitted without the
    last twelve months, expected of them with what happened. ``expected_lifetime``: months paid inside the horizon.
    Intervals: 95%, for the uncertainty of the parameters, not of the model. Source: Fader & Hardie 2007.

    Example:
        >>> found = cs.churn.projection(tables)
        >>> round(found.at(36), 2), round(found.expected_lifetime, 1)
        (0.62, 41.4)
    """
    found = project(_paid_periods(tables), tables.as_of)
    if isinstance(found, Suppressed):
        return found
    observed = _account_curve(tables)
    return found if isinstance(observed, Suppressed) else replace(found, observed=observed)


@front_door("Lifetime value cannot be given.", "lifetime")
def lifetime_value(tables: Tables, by: str = "", settings: Settings = DEFAULTS) -> LifetimeValues | Suppressed:
    """Expected gross margin of a new account inside a horizon, discounted, for all accounts and by attribute.

        CLV = sum over t = 0 .. H - 1 of S(t) x MRR x margin / (1 + d)^(t / 12)

    S is the projected survival of the group, MRR and margin (weighted by MRR) the means of the accounts that pay today,
    in the currency of the company. ``by``: an attribute of the accounts; without one all accounts together.
    ``settings``: ``margin`` as a fraction (0: ``gross_margin`` of the accounts), ``discount`` per year, ``horizon`` in
    months. Values are missing, with the reason, for groups with fewer than 50 paid periods or 20 ends. Intervals: 95%,
    for the uncertainty of the curve alone. Raises ParameterError for an attribute that the accounts do not have.
    Source: Fader & Hardie 2010.

    Example:
        >>> found = cs.churn.lifetime_value(tables, by="segment")
        >>> found.by_group["value"].round(-3).to_dict()
        {'Enterprise': nan, 'Mid-Market': 52000.0, 'SMB': 10000.0, 'All': 78000.0}
    """
    margin = settings.margin if settings.margin > 0 else gross_margins(tables.accounts)
    groups, mrr = tables.attribute(by) if by else None, paying_now(tables.account_months())
    values = lifetime_values_by_group(
        _paid_periods(tables), groups, mrr, margin, tables.as_of, settings.discount, settings.horizon
    )
    return LifetimeValues(values, settings.horizon, tables.currency, by)


@front_door("Why accounts leave cannot be told.", "reasons")
def reasons(tables: Tables, months: int = 12, by: str = "", settings: Settings = DEFAULTS) -> Reasons | Suppressed:
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
    incidence = or_suppressed(incidence_of, _paid_periods(tables), ever)
    if isinstance(incidence, Suppressed):
        opening = "Which reasons take accounts, and when, cannot be told."
        incidence = Suppressed(incidence.reason, "", opening, "incidence")
    return replace(found, currency=tables.currency, by=by, incidence=incidence)


@front_door("There is no call list.", "calls")
def call_list(tables: Tables, capacity: int = 25) -> CallList | Suppressed:
    """The ``capacity`` accounts most likely to leave, most likely first, with reasons and what changed in a month.

    Accounts that pay today and have not given notice count; those that have are listed in ``notice``. A risk is the
    probability that the paid time ends between one and four months from now, by a model that was tested on the last
    period whose outcome is known. MRR is in the currency of the company. The list names the accounts likely to leave,
    not those that a call would keep. Suppressed where fewer than 50 accounts left before the test, or 10 in it. Source:
    Ascarza 2018.

    Example:
        >>> found = cs.churn.call_list(tables, capacity=10)
        >>> len(found.calls), round(float(found.calls["probability"].iloc[0]), 2)
        (10, 0.43)
    """
    known, model = _snapshots(tables), _risk_model(tables, capacity)
    if isinstance(known, Suppressed):
        return known
    names, given = tables.names(), known.notice["account_id"]
    calls = or_suppressed(rank_calls, model, known.now, known.before, names, capacity)
    if isinstance(calls, Suppressed) and known.notice.empty:
        return calls
    notice = known.notice.assign(name=given.map(names).fillna(given))
    at_risk = or_suppressed(mrr_at_risk, model, known.now)
    return CallList(calls, notice, model, at_risk, tables.currency, known.lead_months, known.horizon_months)


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
    known, model = _snapshots(tables), _risk_model(tables, capacity)
    if isinstance(known, Suppressed):
        return known
    return model if isinstance(model, Suppressed) else RiskFactors(model, or_suppressed(model.drift, known.now))
