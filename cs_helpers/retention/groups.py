"""Retention by an attribute of the accounts: each group with its intervals, compared with all other accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.results import Result, Suppressed
from cs_helpers.retention.windows import MonthlyMrr, monthly_mrr

NOT_RECORDED = "not recorded"
MIN_ACCOUNTS = 20
"""A group with fewer opening accounts is not shown by itself: its figure would be noise, and could point at people."""
MAX_GROUPS = 12


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

    Example:
        >>> panel = tables.account_months()
        >>> found = cs.retention.retention_by_group(panel, tables.attribute("industry"), tables.as_of)
        >>> len(found.rows)
        6
    """
    held = monthly_mrr(panel)
    start, end = periods.trailing_window(held.months[0], as_of, months)
    before = periods.add_months(start, -months)
    named = groups.reindex(held.accounts)
    labels = named.astype("object").where(named.notna(), NOT_RECORDED).astype(str)
    paying = held.cents[:, held.place(start)] > 0
    sizes = labels[paying].value_counts()
    own = sizes[sizes >= min_accounts].index[:max_groups]
    pooled = tuple(sorted(name for name in sizes.index if name not in own))
    labels = labels.where(labels.isin(own), "other")
    rest = int((labels[paying] == "other").sum())
    names = [*own, *(["other"] if rest >= min_accounts else [])]
    if len(names) < 2:
        return Suppressed(
            f"{groups.name} has {len(sizes):,} group{'' if len(sizes) == 1 else 's'} among the {int(paying.sum()):,} "
            f"accounts paying at the start, and {len(own)} of at least {min_accounts} accounts; two are needed. "
            "Choose an attribute with fewer and larger groups"
        )
    earlier = before >= held.months[0]
    rows = {
        name: _row(held, (labels == name).to_numpy(), start, end, before if earlier else None, min_accounts, len(names))
        for name in names
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")
    table["share"] = table["starting_mrr"] / (held.cents[paying][:, held.place(start)].sum() / 100)
    order = table.index.map(lambda name: name in ("other", NOT_RECORDED))
    table = table.assign(last=order).sort_values(["last", "starting_mrr"], ascending=[True, False]).drop(columns="last")
    opening, closing = held.cents[paying][:, held.place(start)], held.cents[paying][:, held.place(end)]
    return GroupRetention(
        str(groups.name),
        table,
        float(np.minimum(opening, closing).sum() / opening.sum()),
        pooled,
        rest if 0 < rest < min_accounts else 0,
        min_accounts,
        periods.window_words(start, end),
        currency,
    )


def _row(
    held: MonthlyMrr,
    inside: np.ndarray,
    start: pd.Timestamp,
    end: pd.Timestamp,
    before: pd.Timestamp | None,
    min_accounts: int,
    looks: int,
) -> dict[str, object]:
    opening, closing = held.cents[:, held.place(start)], held.cents[:, held.place(end)]
    mine, others = inside & (opening > 0), ~inside & (opening > 0)
    row: dict[str, object] = {"accounts": int(mine.sum()), "starting_mrr": float(opening[mine].sum() / 100)}
    for key, value in _values(opening[mine], closing[mine]).items():
        row[key] = value
    row |= dict.fromkeys(("grr_before", "nrr_before", "logo_before"), np.nan)
    if before is not None:
        then = held.cents[:, held.place(before)]
        there = inside & (then > 0)
        if there.sum() >= min_accounts:
            earlier = _values(then[there], opening[there])
            row |= {f"{key}_before": earlier[key] for key in ("grr", "nrr", "logo")}
    level = 1 - 0.05 / looks
    a, b = (_kept(opening[which], closing[which], level) for which in (mine, others))
    low, high = stats.difference_interval(a[0], (a[1], a[2]), b[0], (b[1], b[2]))
    verdict = "higher" if low > 0 else "lower" if high < 0 else "no clear difference"
    return row | {"difference": a[0] - b[0], "difference_low": low, "difference_high": high, "verdict": verdict}


def _kept(opening: np.ndarray, closing: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    kept = np.minimum(opening, closing)
    return (float(kept.sum() / opening.sum()), *stats.kept_share_interval(kept, opening, level))


def _values(opening: np.ndarray, closing: np.ndarray) -> dict[str, float]:
    grr, nrr = _kept(opening, closing), (float(closing.sum() / opening.sum()), *stats.ratio_interval(closing, opening))
    alive = int((closing > 0).sum())
    logo = (alive / len(opening), *stats.wilson_interval(alive, len(opening)))
    return {
        f"{key}{end}": value
        for key, three in (("grr", grr), ("nrr", nrr), ("logo", logo))
        for end, value in zip(("", "_low", "_high"), three, strict=True)
    }
