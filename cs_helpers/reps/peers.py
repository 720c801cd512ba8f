"""One rep compared with peers who do the same work, allowing for chance, accounts and natural differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats.clusters import student_quantile, upper_tail
from cs_helpers.core.stats.shrinkage import winsorised_variance
from cs_helpers.reps import casemix

MIN_CASES = 30
MIN_PEERS = 5
_KINDS = ("share", "count", "time")
_TAIL = 0.1  # of peers on either side that may be outliers themselves
_TINY = 1e-9
_MAX_STEPS, _CLOSE = 100, 1e-8
_MAX_AT_ONCE = 1_000_000  # pairs of reps
WORK = ("segment", "product", "language", "channel", "priority", "category")


def compare_with_peers(
    cases: pd.DataFrame, value: str, kind: str, mix: Sequence[str] = (), cluster: str = "account_id"
) -> pd.DataFrame:
    """Each rep's level of ``value`` against what peers would have had with the same cases.

        d = g(rep's mean) - g(expected mean),  z = (d - m) / sqrt(se² + tau² + var m)
        se² = sigma² [sum v + rho sum over clusters ((sum sqrt v)² - sum v)] / n² x g'²

    ``cases``: rep_id, ``cluster`` (missing: depends on nothing), ``value`` (missing: no case) and the columns in
    ``mix``. ``kind``: share (0 or 1; v = e (1 - e), sigma² = 1), count (a number not below 0; v = e) or time (above 0,
    compared as logarithms; v = 1). Expected values are those of ``casemix``: fitted within reps. rho, the correlation
    within clusters, is pooled over all reps. m and tau, the centre and the natural spread of the other reps, are
    winsorised at a tenth on either side and made consistent for normal differences; the rep in question has no part in
    them, and p comes from Student's t with the degrees that are left. Reps with fewer than 30 cases are left out.

    The result, indexed by rep and sorted: ``n``, ``value`` (share, mean, geometric mean), ``peers`` (what peers would
    have had with the same cases), ``difference`` and ``se`` (on the scale where chance is equal at every level: twice
    the arcsine of the root, twice the root, the logarithm), ``z`` (with natural differences between reps in it),
    ``df``, ``high`` and ``low`` (one-sided p). Raises ContractError with fewer than five reps that have enough cases.
    Source: Spiegelhalter 2005; Tukey & McLaughlin 1963 (winsorised t).
    """
    if kind not in _KINDS:
        raise ParameterError(f"no kind '{kind}' of value: choose one of {', '.join(_KINDS)}.")
    columns = ["rep_id", *([] if cluster == "rep_id" else [cluster]), value, *mix]
    given = cases.loc[cases["rep_id"].notna() & cases[value].notna(), columns]
    sizes = given["rep_id"].value_counts()
    enough = sizes.index[sizes >= MIN_CASES]
    if len(enough) < MIN_PEERS:
        raise ContractError(
            f"{len(enough)} rep{'' if len(enough) == 1 else 's'} with at least {MIN_CASES} cases; "
            f"{MIN_PEERS} are needed to know what is usual"
        )
    if len(enough) < (sizes > 0).sum():
        given = given[given["rep_id"].isin(enough)]
    coded = casemix.coded(given, value, kind, mix, given["rep_id"], cluster)
    alone = given[cluster].isna().to_numpy()  # coded last, so the numbers above are free
    accounts = coded.cluster + np.where(alone, np.cumsum(alone) - 1, 0)
    # Cases depend on each other within an account as this rep handles it; what all reps share cancels against peers.
    pairs, _ = pd.factorize(accounts * len(coded.names) + coded.unit)
    table = _levels(replace(coded, cluster=pairs), kind)
    table = table.join(against_others(table["difference"], table["se"]))
    # The expected level is moved to the centre of the other reps, who are not all alike.
    level = np.log(table["expected"]) if kind == "time" else scaled(table["expected"].to_numpy(), kind)
    return table.assign(peers=unscaled(np.asarray(level) + table["centre"].to_numpy(), kind))


def _levels(c: casemix.Coded, kind: str) -> pd.DataFrame:
    """n, value, expected, difference and se of every rep."""
    fitted = casemix.fit(c, kind)
    reps, size = len(c.names), np.bincount(c.unit).astype(float)
    own, usual = (_variance(each, kind) for each in (fitted.within, fitted.expected))
    residual = c.y - fitted.within
    sigma = 1.0 if kind == "share" else float((residual**2).sum() / max(own.sum(), _TINY))
    pairs = _within_clusters(np.sqrt(own), own, c.cluster).sum() * sigma
    shared = _within_clusters(residual, residual**2, c.cluster).sum()
    rho = float(np.clip(shared / pairs, 0.0, 1.0)) if pairs > 0 else 0.0
    owner = np.zeros(c.cluster.max() + 1, np.int64)
    owner[c.cluster] = c.unit
    extra = np.bincount(owner, _within_clusters(np.sqrt(usual), usual, c.cluster), reps)
    variance = sigma * (np.bincount(c.unit, usual, reps) + rho * extra) / size**2
    value, expected = (np.bincount(c.unit, each, reps) / size for each in (c.y, fitted.expected))
    return pd.DataFrame(
        {
            "n": size.astype(int),
            "value": np.exp(value) if kind == "time" else value,
            "expected": np.exp(expected) if kind == "time" else expected,
            "difference": scaled(value, kind) - scaled(expected, kind),
            "se": np.sqrt(np.maximum(variance, _TINY) / _variance(expected, kind)),
        },
        index=pd.Index(c.names, name="unit"),
    )


def _variance(mean: np.ndarray, kind: str) -> np.ndarray:
    if kind == "share":
        result: np.ndarray = np.maximum(mean * (1 - mean), _TINY)
        return result
    return np.maximum(mean, _TINY) if kind == "count" else np.ones(len(mean))


def _within_clusters(values: np.ndarray, squares: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """(sum of values)² - sum of squares by cluster: twice the products of its pairs."""
    return np.asarray(np.bincount(cluster, values) ** 2 - np.bincount(cluster, squares))


def scaled(mean: np.ndarray, kind: str) -> np.ndarray:
    """The scale on which chance is equally large at every level: 2 asin sqrt, 2 sqrt; times are logarithms already."""
    if kind == "share":
        return np.asarray(2 * np.arcsin(np.sqrt(np.clip(mean, 0, 1))))
    return np.asarray(2 * np.sqrt(np.maximum(mean, 0)) if kind == "count" else mean)


def unscaled(level: np.ndarray, kind: str) -> np.ndarray:
    """Back from ``scaled``; logarithms of times become times."""
    if kind == "share":
        return np.asarray(np.sin(np.clip(level, 0, math.pi) / 2) ** 2)
    return np.asarray((np.maximum(level, 0) / 2) ** 2 if kind == "count" else np.exp(level))


def against_others(differences: pd.Series, errors: pd.Series) -> pd.DataFrame:
    """Each difference against those of all others: centre, spread, z, df, high and low (one-sided p)."""
    d, v = differences.to_numpy(float), errors.to_numpy(float) ** 2
    size = len(d)
    centre, tau2, centre_variance, degrees = np.empty(size), np.empty(size), np.empty(size), 1
    block = max(1, _MAX_AT_ONCE // size)
    for first in range(0, size, block):
        rows = np.arange(first, min(first + block, size))
        others = np.arange(size - 1) + (np.arange(size - 1) >= rows[:, None])  # row by row, all but that rep
        centre[rows], tau2[rows], centre_variance[rows], degrees = natural(d[others], v[others])
    error = np.sqrt(v + tau2 + centre_variance)
    z = (d - centre) / error
    return pd.DataFrame(
        {
            "centre": centre,
            "spread": np.sqrt(tau2),
            "centre_se": np.sqrt(centre_variance),
            "error": error,
            "z": z,
            "df": degrees,
            "high": upper_tail(z, degrees),
            "low": upper_tail(-z, degrees),
        },
        index=differences.index,
    )


def beyond(rows: pd.DataFrame, kind: str, times: float) -> np.ndarray:
    """One-sided p of being even above ``times`` what peers have."""
    usual = rows["peers"].to_numpy()
    margin = scaled(times * usual, kind) - scaled(usual, kind)
    return upper_tail(rows["z"] - margin / rows["error"], rows["df"])


def natural(d: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Centre, natural variance and variance of the centre of each row of reps, of whom a tenth on either side may be
    outliers; and the degrees of freedom.

        u = (d - m) / sqrt(v + tau²) winsorised at the k-th from either end,  sum u² / kappa = K - 1

    kappa: what winsorising leaves of the variance of normal deviates. Never below 0.
    """
    size = d.shape[1]
    k = max(1, round(_TAIL * size))
    kappa = winsorised_variance(k / size)
    m, tau2 = np.median(d, axis=1), np.zeros(len(d))
    for _ in range(_MAX_STEPS):
        precision = 1 / (v + tau2[:, None])
        u = (d - m[:, None]) * np.sqrt(precision)
        ends = np.partition(u, (k, size - k - 1), axis=1)
        u = np.clip(u, ends[:, [k]], ends[:, [size - k - 1]])
        information = precision.sum(axis=1)
        step = (u * np.sqrt(precision)).sum(axis=1) / information
        grown = np.maximum(tau2 + ((u**2).sum(axis=1) / kappa - (size - 1)) / information, 0.0)
        settled = np.abs(step).max() < _CLOSE and (np.abs(grown - tau2) < _CLOSE * (1 + tau2)).all()
        m, tau2 = m + step, grown
        if settled:
            break
    return m, tau2, 1 / (1 / (v + tau2[:, None])).sum(axis=1), max(size - 2 * k - 1, 1)


def difference_interval(row: pd.Series, kind: str, level: float = 0.95) -> tuple[float, float]:
    """Interval of the rep's level over the peers' one (share: minus), with the peers' figure held fixed.

    Uncertain are the rep's own cases and the centre of the peers. How far reps differ naturally is left out: it
    decides whether a difference is reported at all.
    """
    half = student_quantile(float(row["df"]), level) * math.hypot(row["se"], row["centre_se"])
    start = math.log(row["value"]) if kind == "time" else float(scaled(np.array([row["value"]]), kind)[0])
    low, high = (float(unscaled(np.array([start + side * half]), kind)[0]) for side in (-1, 1))
    if kind == "share":
        return low - row["peers"], high - row["peers"]
    return low / max(row["peers"], _TINY), high / max(row["peers"], _TINY)


def work_columns(tickets: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The tickets with ``worth``, five bands of what accounts pay, and the columns that describe the work."""
    columns = [name for name in WORK if name in tickets]
    table = tickets.copy(deep=False)
    if "mrr_cents" in tickets and tickets["mrr_cents"].notna().any():
        paid = tickets["mrr_cents"].astype("float64")
        edges = np.unique(np.nanquantile(paid, [0.2, 0.4, 0.6, 0.8]))
        band = np.searchsorted(edges, paid.to_numpy(), side="right").astype(float)
        table["worth"] = pd.Series(np.where(paid.isna(), np.nan, band), index=tickets.index)
        columns.append("worth")
    return table, tuple(columns)
