"""Retention: how much recurring revenue, and how many accounts, a book of business keeps.

Small tables come in, made by the roll-ups of the same names (``Tables.rollup``, ``rollups.run``). ``account_month``
has one row per account and month with the opening MRR, the movements and the closing MRR in integer cents; movements,
GRR, NRR, logo retention and the reconciliation are sums over it. ``cohorts`` has one row per start cohort and age.

An opening position holds what was paid on the eve of the window; what happens on its first day belongs to
the window. So closings are the next month's openings, and movements foot exactly.
"""

from cs_helpers.retention.cohorts import CohortTriangle, cohort_triangle
from cs_helpers.retention.movements import (
    GAINS,
    LOSSES,
    MOVEMENTS,
    Month,
    mrr_movements,
    quick_ratio,
    total_movements,
)
from cs_helpers.retention.renewals import RenewalRate, renewal_rate
from cs_helpers.retention.rivals import reconcile, reconcile_last
from cs_helpers.retention.windows import (
    LogoRetention,
    RevenueRetention,
    estimates,
    headline,
    logo_retention,
    revenue_retention,
)

__all__ = [
    "GAINS",
    "LOSSES",
    "MOVEMENTS",
    "CohortTriangle",
    "LogoRetention",
    "Month",
    "RenewalRate",
    "RevenueRetention",
    "cohort_triangle",
    "estimates",
    "headline",
    "logo_retention",
    "mrr_movements",
    "quick_ratio",
    "reconcile",
    "reconcile_last",
    "renewal_rate",
    "revenue_retention",
    "total_movements",
]
