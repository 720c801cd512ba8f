"""The questions about retention that the tables of a company answer: one function and one result for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.results import Suppressed, front_door
from cs_helpers.retention.comparison import Summary, Trend, dated_events, retention_history
from cs_helpers.retention.contract_dues import due_renewals, renewals_of
from cs_helpers.retention.groups import GroupRetention, retention_by_group
from cs_helpers.retention.mrr import Movements, mrr_movements, purchases, quick_ratio, repeat_purchase_rate
from cs_helpers.retention.other_definitions import Reconciliation, reconcile
from cs_helpers.retention.outlook import RenewalOutlook, outlook_of_renewals, score_forecasts
from cs_helpers.retention.renewal_rates import RenewalRates, renewals_compared
from cs_helpers.retention.start_cohorts import CohortTriangle, cohort_triangle
from cs_helpers.retention.windows import year_by_year

if TYPE_CHECKING:
    from cs_helpers.data.tables import Tables


def window(tables: Tables, months: int = 12) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The ``months`` before the as-of date as [start, end), or as many of them as the data hold.

    Raises ParameterError for fewer than one month, ContractError where no account ever paid.

    Example:
        >>> [f"{day:%Y-%m-%d}" for day in cs.retention.window(tables, months=6)]
        ['2026-01-01', '2026-07-01']
    """
    return periods.trailing_window(tables.account_months()["month"].min(), tables.as_of, months)


def company_renewals(tables: Tables) -> pd.DataFrame:
    """All renewals of a company, one row each: recorded ones, and contract anniversaries that are not recorded.

    Columns: account_id, due_date, target_mrr and renewed_mrr in currency (renewed_mrr missing: still open; 0: lost),
    decided_date, recorded. Past anniversaries count only where the source records no renewal at all; anniversaries to
    come reach twelve months beyond the as-of date. Empty where neither renewals nor contract terms are recorded. Do not
    change the frame in place: several analyses share it.

    Example:
        >>> due = cs.retention.company_renewals(tables)
        >>> int(due["renewed_mrr"].isna().sum())
        330
    """

    def make() -> pd.DataFrame:
        paid = tables.rollup("paid_periods")
        dues = due_renewals(tables.subscriptions, paid, tables.observed_from, tables.as_of)
        return renewals_of(tables.renewals, dues, tables.as_of)

    return tables.cached(("retention.company_renewals",), make)


def _history(tables: Tables, months: int) -> Summary:
    return tables.cached(
        ("retention.history", months),
        lambda: retention_history(tables.account_months(), tables.as_of, months, tables.goals, tables.currency),
    )


@front_door("Retention cannot be given.", "headline-tiles")
def summary(tables: Tables, months: int = 12) -> Summary:
    """MRR, NRR, GRR and logo retention over the last ``months`` months, against the ``months`` before those.

        GRR = sum(min(MRR_end, MRR_start)) / sum(MRR_start);  NRR = sum(MRR_end) / sum(MRR_start)

    Accounts that paid as the window opens count; accounts won later do not. Intervals treat the accounts as a sample.
    Targets are the goals of whole departments for the period that holds the last day. A figure whose window begins
    before the data has no value but a reason. Source: see definitions "mrr", "nrr", "grr" and "logo_retention".

    Example:
        >>> round(cs.retention.summary(tables)["grr"].now.value, 3)
        0.863
    """
    return _history(tables, months)


@front_door("MRR movements cannot be given.", "movements")
def movements(tables: Tables, months: int = 12) -> Movements:
    """Where the change in MRR came from over the last ``months`` months.

        starting + new + expansion + reactivation - contraction - churn = ending, to the cent

    Every account counts that paid at any moment of the window, and each price change on its day. ``table`` holds the
    movements by month, in currency. The section also gives the quick ratio, the repeat purchase rate and the accounts
    and MRR of each year. Suppressed where no account ever paid or a month of the window was never loaded.
    Source: see definitions "mrr_movements", "quick_ratio" and "repeat_purchase_rate".

    Example:
        >>> round(cs.retention.movements(tables).total["churn"])
        235396
    """
    start, end = window(tables, months)
    panel = tables.account_months()
    by_month = mrr_movements(panel, start, end)
    return Movements(
        by_month,
        periods.window_words(start, end),
        year_by_year(panel, tables.as_of),
        quick_ratio(by_month),
        repeat_purchase_rate(purchases(panel, tables.renewals), start, end),
        tables.currency,
    )


@front_door("Trends cannot be given.", "trends")
def trend(tables: Tables, months: int = 12, events: Mapping[str, str] | None = None) -> Trend:
    """NRR, GRR and logo retention at each of the last thirteen month ends, over the ``months`` before each.

    ``events`` marks what happened when: days (YYYY-MM-DD) to names. Neighbouring points share most of their months. A
    point whose window begins before the data has no value. Raises ParameterError for an event without a date.
    Source: see definitions "nrr", "grr" and "logo_retention".

    Example:
        >>> lines = cs.retention.trend(tables, events={"2026-03-01": "Price change"}).lines
        >>> [line.key for line in lines]
        ['nrr', 'grr', 'logo_retention']
    """
    history = _history(tables, months)
    return Trend(history.lines, history["grr"], months, dated_events(events))


@front_door("Renewal rates cannot be given.", "renewals")
def renewals(tables: Tables, months: int = 12) -> RenewalRates:
    """Renewal rates by revenue and by logo over the last ``months`` months, against the ``months`` before those.

        revenue = sum(min(renewed, target)) / sum(target);  logo = renewed at any price / due

    Renewals that were due in the window and are decided count; open ones are counted apart, neither won nor lost.
    Without a table of renewals, due dates follow from contract terms. No value where nothing is decided.
    Source: see definitions "renewal_rate_revenue" and "renewal_rate_logo".

    Example:
        >>> round(cs.retention.renewals(tables).now.revenue_rate, 3)
        0.851
    """
    return renewals_compared(company_renewals(tables), tables.as_of, months, tables.goals, tables.currency)


@front_door("Groups cannot be compared.", "groups")
def by_group(tables: Tables, by: str = "", months: int = 12) -> GroupRetention | Suppressed:
    """GRR, NRR and logo retention of each group of accounts over the last ``months`` months.

    ``by`` is an attribute of the accounts; empty: segment. An account has the group it has today; accounts without a
    value are the group "not recorded". Groups of fewer than 20 accounts at the start are pooled into "other". A group
    is called higher or lower than all other accounts only if the interval of the difference, which allows for looking
    at every group, leaves zero out. Suppressed with fewer than two groups. Raises ParameterError for an unknown
    attribute. Source: see definitions "grr", "nrr" and "logo_retention".

    Example:
        >>> cs.retention.by_group(tables, by="segment").rows["accounts"].to_dict()
        {'Enterprise': 78, 'Mid-Market': 143, 'SMB': 206}
    """
    panel = tables.account_months()
    return retention_by_group(panel, tables.attribute(by), tables.as_of, months, currency=tables.currency)


@front_door("Cohorts say nothing yet about 12 months.", "cohorts")
def cohorts(tables: Tables) -> CohortTriangle | Suppressed:
    """The share of the accounts won in each quarter that still pays at each age, and the same by revenue.

        accounts paying at age k / all accounts of the cohort;  MRR at age k / MRR on the first paid day

    Age counts from each account's own first paid day. A share is missing where the youngest account of the cohort has
    not reached the age. Accounts that started before the data did are left out and counted in ``left_out``.
    ``by_revenue`` holds the cohorts by MRR. Suppressed where no cohort started inside the data.
    Source: see definitions "cohort_retention".

    Example:
        >>> round(cs.retention.cohorts(tables).pooled(12).value, 2)
        0.81
    """
    rows = tables.rollup("cohorts", observed_from=tables.observed_from, as_of=tables.as_of)
    triangle, revenue = cohort_triangle(rows), cohort_triangle(rows, value="revenue")
    if isinstance(triangle, Suppressed) or isinstance(revenue, Suppressed):
        return triangle
    return replace(triangle, by_revenue=revenue)


@front_door("What renewals will bring cannot be told.", "outlook")
def renewal_outlook(tables: Tables) -> RenewalOutlook | Suppressed:
    """MRR that comes up for renewal in the next four quarters, and the MRR expected to be renewed.

        expected = decided renewals as decided + revenue renewal rate of the last twelve months x MRR still open

    Recorded renewals count, and contract anniversaries that are not recorded yet. The 95 % range holds the chance of
    single renewals, the uncertainty of the rate, and the spread between past quarters where it exceeded chance.
    ``score`` compares the forecasts that this method would have made with what happened. Suppressed with fewer than 20
    decided renewals or with nothing due. Source: see definitions "renewal_outlook".

    Example:
        >>> outlook = cs.retention.renewal_outlook(tables)
        >>> round(float(outlook.total["expected"] / outlook.total["due"]), 3)
        0.851
    """
    due = company_renewals(tables)
    outlook = outlook_of_renewals(due, tables.as_of, currency=tables.currency)
    if isinstance(outlook, Suppressed):
        return outlook
    score = score_forecasts(due, tables.as_of, currency=tables.currency)
    if isinstance(score, Suppressed):
        score = Suppressed(score.reason, "", "Past forecasts cannot be scored.", "forecast-score")
    return replace(outlook, score=score)


@front_door("Definitions cannot be compared.", "reconciliation")
def reconciliation(tables: Tables, months: int = 12, renewals: bool = True) -> Reconciliation:
    """Movements, GRR, NRR, logo churn and renewal rates of the last ``months`` months under rival definitions.

    For each metric the definition used here and those of vendors and finance teams, with numerator, denominator and
    why the figure differs. ``renewals``: compare renewal rates as well. Suppressed where no account was paying as the
    window opened.

    Example:
        >>> rows = cs.retention.reconciliation(tables).rows
        >>> rows[rows["metric"] == "grr"]["value"].round(3).tolist()
        [0.863, 0.845, 0.842]
    """
    start, end = window(tables, months)
    due = company_renewals(tables) if renewals else None
    return reconcile(tables.account_months(), start, end, due, tables.currency)
