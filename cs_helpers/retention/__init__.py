"""Retention: how much recurring revenue, and how many accounts, a company keeps.

Front doors take the tables of a company (``cs.load``) and return a result that shows itself: ``summary``,
``movements``, ``trend``, ``renewals``, ``by_group``, ``cohorts``, ``renewal_outlook`` and ``reconciliation``.

The other functions are methods for own data. Most take the roll-up ``account_month`` (``tables.account_months()``): one
row per account and month with the opening MRR, the movements and the closing MRR in integer cents. An opening position
holds what was paid on the eve of the window; what happens on its first day belongs to the window. So closings are the
next month's openings, and movements add up exactly.
"""

from cs_helpers.retention.comparison import retention_history
from cs_helpers.retention.contract_dues import due_renewals, renewals_of
from cs_helpers.retention.front_door import (
    by_group,
    cohorts,
    company_renewals,
    movements,
    reconciliation,
    renewal_outlook,
    renewals,
    summary,
    trend,
    window,
)
from cs_helpers.retention.margins import gross_margins
from cs_helpers.retention.mrr import mrr_movements, quick_ratio, repeat_purchase_rate
from cs_helpers.retention.other_definitions import reconcile
from cs_helpers.retention.renewal_rates import renewal_rate
from cs_helpers.retention.start_cohorts import cohort_triangle
from cs_helpers.retention.windows import logo_retention, paying_now, revenue_retention

__all__ = [
    "by_group",
    "cohort_triangle",
    "cohorts",
    "company_renewals",
    "due_renewals",
    "gross_margins",
    "logo_retention",
    "movements",
    "mrr_movements",
    "paying_now",
    "quick_ratio",
    "reconcile",
    "reconciliation",
    "renewal_outlook",
    "renewal_rate",
    "renewals",
    "renewals_of",
    "repeat_purchase_rate",
    "retention_history",
    "revenue_retention",
    "summary",
    "trend",
    "window",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
