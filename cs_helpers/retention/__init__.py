"""Retention: how much recurring revenue, and how many accounts, a book of business keeps.

Small tables come in, made by the roll-ups of the same names (``Tables.rollup``, ``rollups.run``). ``account_month``
has one row per account and month with the opening MRR, the movements and the closing MRR in integer cents; movements,
GRR, NRR, logo retention and the reconciliation are sums over it. ``cohorts`` has one row per start cohort and age.

An opening position holds what was paid on the eve of the window; what happens on its first day belongs to
the window. So closings are the next month's openings, and movements foot exactly.
"""

from cs_helpers.retention.cohorts import CohortTriangle, cohort_triangle
from cs_helpers.retention.groups import GroupRetention, by_group
from cs_helpers.retention.movements import (
    GAINS,
    LOSSES,
    MOVEMENTS,
    Month,
    mrr_movements,
    quick_ratio,
    total_movements,
)
from cs_helpers.retention.outlook import ForecastScore, Outlook, Scenario, renewal_outlook, score_forecasts
from cs_helpers.retention.purchases import purchases, repeat_purchase_rate
from cs_helpers.retention.renewals import (
    RenewalRate,
    Renewals,
    due_renewals,
    renewal_rate,
    renewals_compared,
    renewals_of,
    with_contract_dues,
)
from cs_helpers.retention.rivals import reconcile, reconcile_last
from cs_helpers.retention.windows import (
    Book,
    Headline,
    LogoRetention,
    RevenueRetention,
    Trend,
    book,
    estimates,
    headline,
    logo_retention,
    paying_now,
    revenue_retention,
    target,
    years,
)

__all__ = [
    "GAINS",
    "LOSSES",
    "MOVEMENTS",
    "Book",
    "CohortTriangle",
    "ForecastScore",
    "GroupRetention",
    "Headline",
    "LogoRetention",
    "Month",
    "Outlook",
    "RenewalRate",
    "Renewals",
    "RevenueRetention",
    "Scenario",
    "Trend",
    "book",
    "by_group",
    "cohort_triangle",
    "due_renewals",
    "estimates",
    "headline",
    "logo_retention",
    "mrr_movements",
    "paying_now",
    "purchases",
    "quick_ratio",
    "reconcile",
    "reconcile_last",
    "renewal_outlook",
    "renewal_rate",
    "renewals_compared",
    "renewals_of",
    "repeat_purchase_rate",
    "revenue_retention",
    "score_forecasts",
    "target",
    "total_movements",
    "with_contract_dues",
    "years",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
