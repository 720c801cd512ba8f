"""Survival by group, with the log-rank test between groups, and survival weighted by revenue."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cs_helpers.churn.kaplan_meier import (
    Survival,
    counts_of,
    curve_of_counts,
    kaplan_meier,
    require_entry,
    require_length,
    total_from,
)
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record, Result, Suppressed, or_suppressed
from cs_helpers.core.stats.clusters import chi_square_tail


@dataclass(frozen=True, eq=False, repr=False)
class LogRank(Record):
    """A log-rank test. ``table``: index ``group``, largest first; columns spells, observed, expected (departures).

    ``p_value`` is the chance of a ``statistic`` at least as large if all groups left alike.
    """

    statistic: float
    degrees: int
    p_value: float
    table: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class GroupCurves(Result):
    """A curve for each group of the attribute ``by``, largest group first.

    Every spell of the counts is in exactly one of ``curves``, ``too_small`` (group to its spells: too few to draw),
    ``beyond`` (large enough, but after the largest ones that are drawn) and ``unknown`` (spells without the
    attribute). ``test`` compares the drawn groups only.
    """

    by: str
    curves: dict[str, Survival]
    too_small: dict[str, int]
    beyond: dict[str, int]
    unknown: int
    test: LogRank | Suppressed


@dataclass(frozen=True, eq=False, repr=False)
class RevenueSurvival(Result):
    """Share of MRR still paying by age, read like ``Survival``.

    ``curve``: index ``months`` (``starts_at``, then every age at which somebody left, then ``last_seen``); columns
    at_risk (spells), survival, low, high. ``effective_n`` is the number of accounts of equal MRR that carry as much
    information (Kish), ``top_five_share`` the share of all MRR on entry that the five largest accounts hold.
    """

    curve: pd.DataFrame
    starts_at: float
    last_seen: float
    spells: int
    events: int
    effective_n: float
    top_five_share: float
    draws: int
    level: float
    _weighted: Survival = field(repr=False)
    by_account: Survival | None = None

    def at(self, months: float) -> float:
        """Share of MRR still paying after ``months``; NaN outside the ages that were seen."""
        return self._weighted.at(months)

    def interval(self, months: float) -> tuple[float, float]:
        """Pointwise interval of ``at(months)``; before the first departure it rests on those at risk."""
        if not self.starts_at <= months <= self.last_seen:
            return (math.nan, math.nan)
        if self.at(months) == 1 and months > self.starts_at:
            return _nobody_left_interval(self._weighted, self.effective_n, months)
        row = self.curve.iloc[int(self.curve.index.searchsorted(months, side="right")) - 1]
        return (float(row["low"]), float(row["high"]))

    def at_risk(self, months: float) -> int:
        """Spells under observation at that age, whatever they pay."""
        return self._weighted.at_risk(months)


def log_rank(counts: pd.DataFrame) -> LogRank:
    """Whether the groups of ``counts["attribute"]`` leave at different ages: the log-rank test.

        Z_g = sum over ages a of d_g(a) - d(a) n_g(a) / n(a)
        V_gh = sum over a of d (n - d) / (n - 1) * n_g/n * (1[g = h] - n_h/n)
        statistic = Z' V⁻ Z, chi-square with (groups - 1) degrees

    d, n = departures and spells at risk (entry < a <= duration), with late entry and ties. ``counts`` is the
    roll-up ``survival_counts``; rows without the attribute do not count. Spells are taken as independent, an
    account with two spells is two. Groups that never share an age take degrees away. The test sees groups of which
    one always leaves faster; curves that cross can look alike to it. Raises ContractError without a departure or
    where no two groups are at risk together when somebody leaves, and for spells without length.
    Source: Mantel 1966; Peto & Peto 1972.

    Example:
        >>> spells = {"duration_months": [2, 3, 6, 8], "entry_months": 0, "churned": True, "spells": 1}
        >>> counts = pd.DataFrame({**spells, "attribute": ["SMB", "SMB", "Enterprise", "Enterprise"]})
        >>> round(cs.churn.log_rank(counts).p_value, 3)
        0.09
    """
    require_entry(counts)
    known = counts[counts["attribute"].notna()]
    sizes = _sizes(known)
    if len(sizes) < 2:
        raise ContractError(
            f"{len(sizes)} group{'' if len(sizes) == 1 else 's'} with spells; a comparison needs two. "
            "Choose an attribute in which the accounts differ."
        )
    stop, entry, count = _lengths(known)
    ended = known["churned"].to_numpy().astype(bool)
    if not ended.any():
        raise ContractError("nobody has left; without a departure groups cannot differ. Load a longer history.")
    ages = np.unique(stop[ended])
    label = known["attribute"].astype(str).to_numpy()
    at_risk, lost = np.empty((len(sizes), len(ages))), np.empty((len(sizes), len(ages)))
    for row, group in enumerate(sizes.index):
        mine = label == group
        at_risk[row] = total_from(stop[mine], count[mine], ages) - total_from(entry[mine], count[mine], ages)
        place = np.searchsorted(ages, stop[mine & ended])
        lost[row] = np.bincount(place, weights=count[mine & ended], minlength=len(ages))
    n, d = at_risk.sum(axis=0), lost.sum(axis=0)
    share = at_risk / n
    expected = (share * d).sum(axis=1)
    spread = d * (n - d) / np.maximum(n - 1, 1)
    covariance = np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    kept = _one_dropped_of_each_cluster(share, spread)
    if not len(kept):
        raise ContractError(
            "no two groups are at risk at the same age when somebody leaves and somebody stays, so nothing compares "
            "them. Load a longer history."
        )
    observed = lost.sum(axis=1)
    difference = (observed - expected)[kept]
    solved = np.linalg.solve(covariance[np.ix_(kept, kept)], difference)
    statistic = max(0.0, float(difference @ solved))
    table = pd.DataFrame(
        {"spells": sizes.to_numpy(), "observed": observed.astype(int), "expected": expected}, index=sizes.index
    )
    return LogRank(statistic, len(kept), chi_square_tail(statistic, len(kept)), table)


def _lengths(counts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Duration, age on entry and number of the spells of each row. Raises ContractError for those without length."""
    stop, entry, count = (
        counts[column].to_numpy().astype(float) for column in ("duration_months", "entry_months", "spells")
    )
    require_length(stop, entry, count)
    return stop, entry, count


def _sizes(counts: pd.DataFrame) -> pd.Series:
    """Spells of each group, largest first, equal ones by name."""
    sizes = counts["spells"].groupby(counts["attribute"].astype(str)).sum().astype(int).rename_axis("group")
    return sizes.sort_index().sort_values(ascending=False, kind="stable")


def _one_dropped_of_each_cluster(share: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Groups whose covariance matrix has full rank.

    Groups at risk together at an age with spread are linked; within a cluster of linked groups the differences
    add up to 0, so that one of them tells nothing more. Nearly always there is one cluster.
    """
    there = (share > 0) & (spread > 0)
    linked = there.astype(float) @ there.T.astype(float) > 0
    cluster = np.arange(len(share))
    for _ in cluster:
        cluster = np.where(linked, cluster, len(share)).min(axis=1, initial=len(share))
        cluster = np.minimum(cluster, np.arange(len(share)))
    return np.flatnonzero(cluster != np.arange(len(share)))


def counts_by(spells: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """``spells`` counted as the roll-up ``survival_counts`` counts them, by ``groups`` (attribute by account_id)."""
    label = spells["account_id"].map(groups.dropna().astype(str).to_dict())
    parts = [
        counts_of(rows["duration_months"], rows["churned"], rows["entry_months"]).assign(attribute=name)
        for name, rows in spells.groupby(label, dropna=False)
    ]
    return pd.concat(parts, ignore_index=True) if parts else counts_of([], []).assign(attribute=None)


def curves_by_group(
    counts: pd.DataFrame, by: str, min_spells: int = 30, max_groups: int = 6, min_at_risk: int = 10
) -> GroupCurves | Suppressed:
    """A Kaplan-Meier curve of each of the ``max_groups`` largest groups, and their log-rank test.

    ``counts`` is the roll-up ``survival_counts`` of the attribute ``by``. A group is drawn with ``min_spells`` spells
    of which ``min_at_risk`` are under observation at one age; however few of them left, since leaving out the
    groups that nobody leaves would leave out the best. Suppressed where fewer than two groups are large enough. Raises
    ContractError without entry_months.
    """
    require_entry(counts)
    _lengths(counts)  # otherwise spells without length would count as too few
    sizes = _sizes(counts[counts["attribute"].notna()])
    label = counts["attribute"].astype(str).where(counts["attribute"].notna())
    unknown = int(counts.loc[label.isna(), "spells"].sum())
    curves: dict[str, Survival] = {}
    too_small: dict[str, int] = {}
    beyond: dict[str, int] = {}
    for group, spells in sizes.items():
        curve = or_suppressed(curve_of_counts, counts[label == group], min_at_risk=min_at_risk)
        if spells < min_spells or not isinstance(curve, Survival):
            too_small[str(group)] = int(spells)
        elif len(curves) == max_groups:
            beyond[str(group)] = int(spells)
        else:
            curves[str(group)] = curve
    if len(curves) < 2:
        found = f"only {next(iter(curves))}" if curves else "no group"
        largest = max(too_small.values(), default=0)
        rest = f"; the largest of the {len(too_small)} others has {largest}" if too_small else ""
        nothing = f"; {unknown} spells have no {by}" if unknown else ""
        return Suppressed(
            f"By {by}, {found} has the {min_spells} paid spells ({min_at_risk} of them at one age) that a curve needs"
            f"{rest}{nothing}. A comparison needs two such groups: load a longer history or choose a coarser attribute."
        )
    test = or_suppressed(log_rank, counts[label.isin(list(curves))])
    return GroupCurves(by, curves, too_small, beyond, unknown, test)


def revenue_weighted(
    spells: pd.DataFrame, draws: int = 400, level: float = 0.95, min_at_risk: int = 10, seed: int = 1
) -> RevenueSurvival | Suppressed:
    """Share of MRR still paying by age: Kaplan-Meier with each spell weighted by its MRR on entry.

    ``spells`` is the roll-up of that name: account_id, duration_months, churned, entry_months, mrr_cents. The curve
    spans the ages of the unweighted one with ``min_at_risk`` spells. Its variance is that of ``draws`` bootstrap
    samples of whole accounts, an account with all its spells; the interval is Wilson's on the effective number
    S (1 - S) / variance, at most Kish's n of the accounts. On simulated data of 60 and 150 accounts (log-normal MRR,
    sigma 1) it covers the truth in 92 to 96 %; the same variance on the log-log scale in 90 to 93 %.
    Suppressed with fewer than 2 ``min_at_risk`` spells, where they tell less than two equal accounts would, or where
    too few are at risk at one age. Raises ContractError without entry_months or account_id.
    Source: Kaplan & Meier 1958; Rothman 1978; Korn & Graubard 1998; Efron 1981.

    Example:
        >>> spells = tables.rollup("spells", observed_from=tables.observed_from, as_of=tables.as_of)
        >>> round(cs.churn.revenue_weighted(spells).at(12), 2)
        0.84
    """
    require_entry(spells)
    if len(spells) < 2 * min_at_risk:
        return Suppressed(
            f"{len(spells)} paid spell{'' if len(spells) == 1 else 's'} in the observed window; a curve needs at "
            f"least {2 * min_at_risk}. Load a longer history or more accounts."
        )
    stop, entry, weight = (
        spells[column].to_numpy().astype(float) for column in ("duration_months", "entry_months", "mrr_cents")
    )
    ended = spells["churned"].to_numpy().astype(bool)
    curve = or_suppressed(kaplan_meier, stop, ended, entry, weight, level, min_at_risk)
    if not isinstance(curve, Survival):
        return Suppressed(curve.reason)
    account = pd.factorize(spells["account_id"], sort=True)[0]
    if (account < 0).any():
        raise ContractError(f"{int((account < 0).sum())} of {len(spells)} spells have no account_id. Complete them.")
    held = np.bincount(account, weights=weight)
    kish = stats.effective_n(held)
    top = float(np.sort(held)[::-1][:5].sum() / held.sum())
    if kish < 2:
        return Suppressed(
            f"The MRR of the {len(held)} accounts tells no more than that of {kish:.1f} equal ones (the largest holds "
            f"{held.max() / held.sum():.0%} of it), so a curve by revenue is the fate of one account. Read the curve "
            "by account."
        )
    table = curve.curve[["at_risk", "survival"]].copy()
    ages = table.index.to_numpy(float)[1:]
    variance = _bootstrap_variance(stop, ended, entry, weight, account, ages, draws, seed)
    limits = [
        _share_limits(s, v, kish, level) if s < 1 else _nobody_left_interval(curve, kish, age)
        for s, v, age in zip(table["survival"].to_numpy()[1:], variance, ages, strict=True)
    ]
    table["low"], table["high"] = np.vstack([(1.0, 1.0), *limits]).T
    return RevenueSurvival(
        table, curve.starts_at, curve.last_seen, curve.spells, curve.events, kish, top, draws, level, curve
    )


def _share_limits(share: float, variance: float, max_n: float, level: float) -> tuple[float, float]:
    share = min(max(share, 0.0), 1.0)
    inside = share * (1 - share)
    size = min(max_n, inside / variance) if variance > 0 and inside > 0 else max_n
    low, high = stats.wilson_interval(share * size, size, level)
    return (max(0.0, min(low, share)), min(1.0, max(high, share)))


def _nobody_left_interval(curve: Survival, max_n: float, months: float) -> tuple[float, float]:
    """Limits where none of those at risk has left, as of so many equal ones."""
    size = min(max_n, curve._seen.effective_n(months))
    return stats.wilson_interval(size, size, curve.level)


def _bootstrap_variance(
    stop: np.ndarray,
    ended: np.ndarray,
    entry: np.ndarray,
    weight: np.ndarray,
    account: np.ndarray,
    ages: np.ndarray,
    draws: int,
    seed: int,
) -> np.ndarray:
    """Variance of the weighted curve at ``ages`` over samples of as many accounts as there are, with replacement.

    ``ages`` hold every age at which somebody left, so a draw needs only sums by place among them. Ages at which a draw
    has nobody at risk count as nobody leaving.
    """
    rng = np.random.default_rng(seed)
    accounts, places = int(account.max()) + 1, len(ages) + 1
    joins, leaves = (np.searchsorted(ages, x, side="right") for x in (entry, stop))  # at risk at the ages between
    at = joins < leaves
    joins, leaves, who, base = joins[at], leaves[at], account[at], weight[at]
    left = (ended & (stop <= ages[-1]))[at]
    mean, squares = np.zeros(len(ages)), np.zeros(len(ages))
    for draw in range(1, draws + 1):
        times = np.bincount(rng.integers(0, accounts, accounts), minlength=accounts)
        drawn = base * times[who]
        change = np.bincount(joins, weights=drawn, minlength=places) - np.bincount(leaves, drawn, places)
        lost = np.bincount(leaves[left] - 1, weights=drawn[left], minlength=len(ages))
        at_risk = np.cumsum(change)[:-1]
        hazard = np.divide(lost, at_risk, out=np.zeros(len(ages)), where=at_risk > 0)
        survival = np.cumprod(1 - np.clip(hazard, 0, 1))
        step = survival - mean  # Welford's update: no draw has to be kept
        mean += step / draw
        squares += step * (survival - mean)
    return squares / max(draws - 1, 1)
