"""Renewal rates on the due base."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers import stats


@dataclass(frozen=True)
class RenewalRate:
    """Renewed share of what was due in [start, end) and decided; open renewals are counted apart."""

    start: pd.Timestamp
    end: pd.Timestamp
    due: int
    renewed: int
    due_mrr: float
    renewed_mrr: float
    open: int
    open_mrr: float
    revenue_rate: float
    logo_rate: float
    revenue_interval: tuple[float, float]
    logo_interval: tuple[float, float]


def renewal_rate(renewals: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> RenewalRate:
    """Renewed / due, over renewals due in [start, end) that are decided.

        revenue = sum(min(renewed_mrr, target_mrr)) / sum(target_mrr);  logo = renewed at any price / due

    ``renewals``: account_id, due_date, target_mrr, renewed_mrr. A missing renewed_mrr is an open renewal:
    counted apart, neither lost nor won; 0 is lost. NaN rates where nothing is decided.
    """
    due = renewals[(renewals["due_date"] >= start) & (renewals["due_date"] < end)]
    is_open = due["renewed_mrr"].isna()
    decided, still_open = due[~is_open], due[is_open]
    target = decided["target_mrr"]
    kept = decided["renewed_mrr"].clip(upper=target)
    renewed = int((decided["renewed_mrr"] > 0).sum())
    n = len(decided)
    return RenewalRate(
        start,
        end,
        due=n,
        renewed=renewed,
        due_mrr=float(target.sum()),
        renewed_mrr=float(kept.sum()),
        open=len(still_open),
        open_mrr=float(still_open["target_mrr"].sum()),
        revenue_rate=float(kept.sum() / target.sum()) if n else float("nan"),
        logo_rate=renewed / n if n else float("nan"),
        revenue_interval=stats.kept_share_interval(kept, target),
        logo_interval=stats.wilson_interval(renewed, n),
    )
