"""Retention by an attribute of the accounts: each group with its intervals, compared with all other accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.results import Result, Suppressed
from cs_helpers.retention.windows import MonthlyMrr, cohort_of, estimates_of, monthly_mrr

NOT_RECORDED, OTHER = "not recorded", "other"
MIN_ACCOUNTS = 20
"""A group with fewer opening accounts is not shown by itself: its figure would be noise, and could point at people."""
MAX_GROUPS = 12
_COLUMNS = {"grr": "grr", "nrr": "nrr", "logo_retention": "logo"}


@dataclass(frozen=True, eq=False, repr=False)
class GroupRetention(Result):
    """GRR, NRR and logo retention by group of one attribute.

    ``rows``: index ``group``, largest opening MRR first; accounts, starting_mrr (in ``currency``), share (of the
    opening MRR), for each of grr, nrr and logo its value, ``_low``, ``_high``, ``_before`` (the window before; NaN
    where there is none or it held fewer than ``min_accounts`` accounts), and ``verdict`` of GRR against all other
    accounts together: higher, lower or no clear difference, with ``difference``, ``difference_low`` and
    ``difference_high``. These limits allow for looking at all groups at once (Bonferroni). ``overall`` is the GRR of
    all accounts. ``pooled`` groups are too small and counted together; ``withheld`` accounts stay so few even together
    that no row shows them. ``window`` in words.
    """

    by: str
    rows: pd.DataFrame
    overall: float
    pooled: tuple[str, ...]
    withheld: int
    min_accounts: int
    window: str
    currency: str = ""


def retention_by_group(
    panel: pd.DataFrame,
    groups: pd.Series,
    as_of: pd.Timestamp,
    months: int = 12,
    min_accounts: int = MIN_ACCOUNTS,
    max_groups: int = MAX_GROUPS,
    currency: str = "",
) -> GroupRetention | Suppressed:
    """GRR, NRR and logo retention by group over the ``months`` before ``as_of``.

    ``panel`` is the roll-up ``account_month``; ``groups`` the attribute by account_id, its name in ``groups.name``; a
    missing value is a group of its own, "not recorded". An account keeps the group it has in the data today. Groups
    under ``min_accounts`` opening accounts, and those beyond the ``max_groups`` largest, are pooled into "other".
    Suppressed where fewer than two rows remain.
    """
    paid = monthly_mrr(panel)
    start, end = periods.trailing_window(paid.months[0], as_of, months)
    now, earlier = cohort_of(paid, start, end), periods.add_months(start, -months)
    before = cohort_of(paid, earlier, start) if earlier >= paid.months[0] and _paying(paid, earlier) else now.iloc[:0]
    named = groups.reindex(paid.accounts)
    labels = named.astype("object").where(named.notna(), NOT_RECORDED).astype(str)
    sizes = labels[now.index].value_counts()
    own = sizes[sizes >= min_accounts].index[:max_groups]
    pooled = tuple(sorted(name for name in sizes.index if name not in own))
    labels = labels.where(labels.isin(own), OTHER)
    rest = int((labels[now.index] == OTHER).sum())
    names = [*own, *([OTHER] if rest >= min_accounts else [])]
    if len(names) < 2:
        return Suppressed(
            f"{groups.name} has {len(sizes):,} group{'' if len(sizes) == 1 else 's'} among the {len(now):,} "
            f"accounts paying at the start, and {len(own)} of at least {min_accounts} accounts; two are needed. "
            "Choose an attribute with fewer and larger groups"
        )
    of_now, of_before = labels[now.index], labels[before.index]
    rows = {
        name: _row(now[of_now == name], now[of_now != name], before[of_before == name], min_accounts, len(names))
        for name in names
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")
    table["share"] = table["starting_mrr"] / (now["opening"].sum() / 100)
    last = table.index.isin([OTHER, NOT_RECORDED])
    table = table.assign(last=last).sort_values(["last", "starting_mrr"], ascending=[True, False]).drop(columns="last")
    return GroupRetention(
        str(groups.name),
        table,
        _kept_share(now)[0],
        pooled,
        rest if 0 < rest < min_accounts else 0,
        min_accounts,
        periods.window_words(start, end),
        currency,
    )


def _paying(paid: MonthlyMrr, month: pd.Timestamp) -> bool:
    return bool((paid.cents[:, paid.place(month)] > 0).any())


def _kept_share(cohort: pd.DataFrame, level: float = 0.95) -> tuple[float, tuple[float, float]]:
    """GRR of an opening cohort and its interval."""
    kept = np.minimum(cohort["opening"], cohort["closing"])
    return float(kept.sum() / cohort["opening"].sum()), stats.kept_share_interval(kept, cohort["opening"], level)


def _row(
    group: pd.DataFrame, others: pd.DataFrame, before: pd.DataFrame, min_accounts: int, comparisons: int
) -> dict[str, object]:
    row: dict[str, object] = {"accounts": len(group), "starting_mrr": float(group["opening"].sum() / 100)}
    found, earlier = estimates_of(group), estimates_of(before) if len(before) >= min_accounts else {}
    for key, name in _COLUMNS.items():
        row |= {name: found[key].value, f"{name}_low": found[key].low, f"{name}_high": found[key].high}
    row |= {f"{name}_before": earlier[key].value if earlier else np.nan for key, name in _COLUMNS.items()}
    level = 1 - 0.05 / comparisons
    (value, interval), (other, other_interval) = (_kept_share(cohort, level) for cohort in (group, others))
    low, high = stats.difference_interval(value, interval, other, other_interval)
    verdict = "higher" if low > 0 else "lower" if high < 0 else "no clear difference"
    return row | {"difference": value - other, "difference_low": low, "difference_high": high, "verdict": verdict}
