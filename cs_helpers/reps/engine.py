"""Units compared on one measure: observed against expected, with the noise that cases of one account share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor

import numpy as np
import pandas as pd

from cs_helpers.core.stats import normal_quantile, overdispersion, shrink, spread_of, wilson_interval
from cs_helpers.core.stats.clusters import upper_tail
from cs_helpers.core.stats.shrinkage import MIN_TO_SHRINK, Spread
from cs_helpers.reps.casemix import Coded, Fit, centre_of, code, fit, mix_of, points_scale
from cs_helpers.reps.measures import Measure, measure
from cs_helpers.reps.results import Benchmark, Cases

MIN_CASES = 30
MIN_EVENTS = 10
"""Of what is rarer, events or non-events, so many must be expected of a unit before a share of it is shown."""
MIN_CLUSTERS = 10
MIN_MONTHS = 3
"""A count per day needs so many months of its own instead, and as many expected events as other measures cases."""
MAX_MOVERS = 5
ONE_LEVEL = 0.95
"""A unit with so large a share of one level of a factor counts as having that level only."""
_DRAWS, _SEED = 4000, 20050128
_GRID = 120
_UNKNOWN_SPREAD = Spread(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class Noise:
    """How much the summed residual of each unit varies by chance.

    ``variance``: of each unit's observed minus expected, its own part in the expectation taken off; ``independent``:
    the same if every case were its own cluster; ``clusters``: how many each unit has; ``per_case``: variance of
    one average case's residual; ``between``: variance of the clusters' own levels, on the scale of the link; ``whole``:
    standard error of the centre, on the same scale.
    """

    variance: np.ndarray
    independent: np.ndarray
    clusters: np.ndarray
    per_case: float
    between: float
    whole: float


def compare_units(
    cases: Cases,
    key: str,
    by: str | pd.Series = "rep_id",
    labels: Mapping[str, str] | None = None,
    level: str = "rep",
    only: set[str] | None = None,
) -> Benchmark:
    """One measure compared between units (reps or months), case-mix adjusted: observed against expected.

        effect = sum(value - expected) / sum(weight),   se² = Var(sum(value - expected)) / sum(weight)²
        Var = phi sum v + s² sum over clusters of (sum of the cluster's weights)²
        z = effect / se,   z beyond the usual = effect / sqrt(se² + over-dispersion²)

    ``expected`` and the weights are those of ``fit_case_mix``; phi is the noise of a case, s² the variance between
    accounts (clusters), both from residuals within units by moments, so that neither holds differences between units.
    Two questions are kept apart: whether a unit differs from the centre by more than chance (z, the funnel's limits),
    and whether it stands out even among units that differ from each other anyway (``exceptional``, with the winsorised
    over-dispersion in the limits). Shares and means differ by points or units, times and counts by a log ratio. A
    unit gets a figure with at least 30 cases, 10 clusters and, of a share, 10 expected events and 10 expected
    non-events (of counts: 30 expected events, 3 months). ``only``: the units that are compared; cases of others help to
    fit the mix and count in the centre. ``q`` and ``verdict`` wait for the whole board and are set by ``compare_reps``.
    Raises ContractError where nothing has a value. Source: Spiegelhalter 2005; Goldstein & Spiegelhalter 1996.
    """
    what = measure(key)
    coded = code(cases, key, by)
    fitted = fit(coded, what.family)
    noise = noise_of(coded, fitted, what.family)
    units = _units(coded, fitted, noise, what, labels or {})
    if only is not None:
        units = units[units["unit"].isin(only)].reset_index(drop=True)
    result = _judged(units, coded, noise, what, level)
    notes = (*cases.notes, *(_one_level_each(coded) if level == "rep" else []))
    return replace(result, moves=_moves(coded, fitted, result, key), mix=mix_of(coded, fitted, key), notes=notes)


def noise_of(c: Coded, f: Fit, family: str) -> Noise:
    """Variance of each unit's summed residual, from residuals within the units by the method of moments.

        E(cluster's residual²) = phi v + s² w², less what the unit's own mean takes off

    With residuals e (times exposure for means), v their variance in units of phi (share: p (1 - p), count: expected,
    time: 1, mean: exposure²) and w the weights. Of a share, the variance of one case is p (1 - p) whatever its account
    does: phi is 1, and s² only ties its cases together (w² less the sum of the cases' own w²). Where nearly every case
    is its own cluster, s² is 0: then phi holds it all.
    """
    units, n = len(c.names), len(c.y)
    e = (c.y - f.within) * (c.exposure if family == "mean" else 1.0)
    w = f.weight
    v = w if family in ("share", "count") else w**2
    pair = c.unit * (int(c.cluster.max()) + 1) + c.cluster
    found, place = np.unique(pair, return_inverse=True)
    owner = found // (int(c.cluster.max()) + 1)
    e_g, w_g, v_g = (np.bincount(place, each, len(found)) for each in (e, w, v))
    alone = np.bincount(place, w**2, len(found)) if family == "share" else 0.0
    tied = w_g**2 - alone
    w_u = np.bincount(c.unit, w, units)
    v_u, s_u = np.bincount(c.unit, v, units), np.bincount(owner, tied, units)
    share_g, share_i = w_g / w_u[owner], w / w_u[c.unit]
    # What is left of a cluster's (and of a case's) variance once its unit's mean is taken off.
    left_v = float((v_g - 2 * share_g * v_g + share_g**2 * v_u[owner]).sum())
    left_s = float((tied - 2 * share_g * tied + share_g**2 * s_u[owner]).sum())
    one_v = float((v - 2 * share_i * v + share_i**2 * v_u[c.unit]).sum())
    one_s = float((w**2 - 2 * share_i * w * w_g[place] + share_i**2 * s_u[c.unit]).sum())
    clustered, single = float((e_g**2).sum()), float((e**2).sum())
    if len(found) > 0.9 * n:
        phi, between = (1.0 if family == "share" else clustered / left_v if left_v > 0 else 0.0), 0.0
    elif family == "share":
        phi, between = 1.0, max((clustered - left_v) / left_s, 0.0) if left_s > 0 else 0.0
    else:
        system = np.array([[left_v, left_s], [one_v, one_s]])
        solved = np.linalg.lstsq(system, np.array([clustered, single]), rcond=None)[0]
        phi, between = float(solved[0]), float(solved[1])
        if between < 0:  # cases of one account that differ more than others do not narrow the interval
            phi, between = single / one_v, 0.0
        elif phi < 0:
            phi, between = 0.0, clustered / left_s
    total_w = float(w.sum())

    def less_own(raw: np.ndarray) -> np.ndarray:
        """Observed minus expected sums to 0 over the units, because each unit contributes to the expectation."""
        part = w_u / total_w
        result: np.ndarray = np.maximum(raw * (1 - 2 * part) + part**2 * raw.sum(), 0.0)
        return result

    single_between = 0.0 if family == "share" else between
    per_case = phi * float(v.mean()) + single_between * float((w**2).mean())
    independent = phi * v_u + single_between * np.bincount(c.unit, w**2, units)
    return Noise(
        less_own(phi * v_u + between * s_u),
        less_own(independent),
        np.bincount(owner, minlength=units),
        per_case,
        between,
        math.sqrt(phi * float(v.sum()) + between * float((np.bincount(c.cluster, w) ** 2).sum())) / total_w,
    )


def _one_level_each(c: Coded) -> list[str]:
    """Notes on the factors of which each unit has a single level."""
    found = []
    for factor, levels, codes in zip(c.factors, c.levels, c.codes, strict=True):
        shares = np.bincount(c.unit * len(levels) + codes, minlength=len(c.names) * len(levels))
        by_unit = shares.reshape(len(c.names), -1)
        if (by_unit.max(axis=1) >= ONE_LEVEL * by_unit.sum(axis=1)).all():
            found.append(f"Nobody has more than one {factor}: each is compared with those of the same {factor}.")
    return found


def totals(c: Coded, f: Fit, family: str) -> tuple[np.ndarray, np.ndarray]:
    """Observed and expected sums of each unit; times exposure for means."""
    times, units = c.exposure if family == "mean" else 1.0, len(c.names)
    return np.bincount(c.unit, c.y * times, units), np.bincount(c.unit, f.expected * times, units)


def distances(c: Coded, f: Fit, noise: Noise, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's distance from the centre and its standard error: see ``compare_units``."""
    family = measure(key).family
    observed, expected = totals(c, f, family)
    scale = points_scale(c, key) / np.bincount(c.unit, f.weight, len(c.names))
    if family == "count":
        return np.log((observed + 0.5) / (expected + 0.5)), scale * np.sqrt(noise.variance)
    return scale * (observed - expected), scale * np.sqrt(noise.variance)


def _units(c: Coded, f: Fit, noise: Noise, what: Measure, labels: Mapping[str, str]) -> pd.DataFrame:
    """One row per unit with its figures, before anything is judged."""
    units, family = len(c.names), what.family
    n = np.bincount(c.unit, minlength=units)
    observed, expected = totals(c, f, family)
    effect, se = distances(c, f, noise, what.key)
    per = np.bincount(c.unit, c.exposure, units) if family in ("mean", "count") else n
    plain, mean = observed / per, expected / per
    raw = plain
    if family == "time":  # dashboards print medians
        plain = np.exp(pd.Series(c.y).groupby(c.unit).median().to_numpy(float))
        raw, mean = np.exp(raw), np.exp(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = noise.per_case * (points_scale(c, what.key) / se / float(f.weight.mean())) ** 2
    too_few = _too_few(c, f, noise, family, n, expected)
    frame = pd.DataFrame(
        {
            "unit": c.names,
            "label": [str(labels.get(name, name)) for name in c.names],
            "n": n,
            "n_effective": effective,
            "clusters": noise.clusters,
            "plain": plain,
            "raw": raw,
            "expected": mean,
            "effect": effect,
            "se": se,
            "reason": too_few,
        }
    )
    return frame.sort_values("unit", ignore_index=True)


def _too_few(c: Coded, f: Fit, noise: Noise, family: str, n: np.ndarray, expected: np.ndarray) -> list[str]:
    """Why a unit has no figure; "" where it has one."""
    if family == "count":
        return [
            f"{floor(e)} expected, {MIN_CASES} are needed" if e < MIN_CASES
            else f"{clusters} months, {MIN_MONTHS} are needed" if clusters < MIN_MONTHS else ""
            for e, clusters in zip(expected, noise.clusters, strict=True)
        ]  # fmt: skip
    size = n.astype(float)
    if family == "mean":
        size = np.bincount(c.unit, c.exposure, len(n)) ** 2 / np.bincount(c.unit, c.exposure**2, len(n))
    rarer = np.minimum(expected, n - expected) if family == "share" else np.full(len(n), np.inf)
    return [
        f"{floor(whole)} cases, {MIN_CASES} are needed" if whole < MIN_CASES
        else f"{clusters} accounts, {MIN_CLUSTERS} are needed" if clusters < MIN_CLUSTERS
        else f"{floor(few)} of the rarer kind expected, {MIN_EVENTS} are needed" if few < MIN_EVENTS
        else ""
        for whole, clusters, few in zip(size, noise.clusters, rarer, strict=True)
    ]  # fmt: skip


def _judged(units: pd.DataFrame, c: Coded, noise: Noise, what: Measure, level: str) -> Benchmark:
    """A benchmark from the units' figures: limits, shrinkage, ranks; without moves, mix and notes."""
    family = what.family
    scale = "ratio" if family in ("time", "count") else "additive"
    centre = _centre(c, family)
    shown = (units["reason"] == "").to_numpy() & (units["se"] > 0).to_numpy()
    units = units.assign(reason=np.where(shown | (units["reason"] != ""), units["reason"], "no variation to judge by"))
    effect, se = (units[name].to_numpy() for name in ("effect", "se"))
    extra = overdispersion(effect[shown] / se[shown], se[shown] ** 2)
    given = np.where(shown, effect, np.nan)
    z = given / np.where(se > 0, se, np.nan)
    p = 2 * upper_tail(np.abs(z))
    narrow, wide = normal_quantile(0.95), normal_quantile(0.998)
    outside = np.select([np.abs(z) > wide, np.abs(z) > narrow], ["99.8", "95"], "")
    low, high = _interval(centre, given, se, family)
    judged_ = units.assign(
        effect=given,
        all_effect=effect,
        all_se=se,
        adjusted=displayed(centre, given, scale, family),
        low=low,
        high=high,
        z=z,
        p=p,
        q=np.nan,
        outside=outside,
        exceptional=np.abs(given) > narrow * np.sqrt(se**2 + extra**2),
        **_shrunken(centre, given, se, shown, scale, family, what.better),
        verdict=np.where(shown, "not distinguishable", "too few"),
    )
    judged_.loc[~shown, ["n_effective", "se"]] = np.nan
    spread = spread_of(effect[shown], se[shown] ** 2) if shown.sum() > 1 else _UNKNOWN_SPREAD
    sizes = units["n_effective"].to_numpy()[shown]
    ratio = noise.variance / np.where(noise.independent > 0, noise.independent, np.nan)
    whole = _interval(centre, np.zeros(1), np.array([noise.whole * points_scale(c, what.key)]), family)
    return Benchmark(
        key=what.key,
        level=level,
        scale=scale,
        cases=len(c.y),
        units=judged_,
        centre=centre,
        low=float(whole[0][0]),
        high=float(whole[1][0]),
        limits=_limits(centre, sizes, effect[shown], se[shown], extra, scale, family),
        spread=spread.value,
        spread_low=spread.low,
        spread_high=spread.high,
        differ_p=spread.p,
        reliability=spread.reliability,
        design_effect=float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else math.nan,
        overdispersion=extra,
        false_alarms=0.05 * int(shown.sum()),
        moves=pd.DataFrame(),
    )


def _centre(c: Coded, family: str) -> float:
    """The figure of all cases, of times their geometric mean."""
    return math.exp(centre_of(c, family)) if family == "time" else centre_of(c, family)


def displayed(centre: float, effect: np.ndarray, scale: str, family: str) -> np.ndarray:
    """An effect as the figure it makes of the centre; shares stay shares."""
    if scale == "ratio":
        return np.asarray(centre * np.exp(effect))
    return np.clip(centre + effect, 0.0, 1.0) if family == "share" else centre + effect


def _interval(centre: float, effect: np.ndarray, se: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the adjusted figure; Wilson's on the effective number of cases for shares."""
    if family == "share":
        sizes = centre * (1 - centre) / np.where(se > 0, se, np.nan) ** 2
        shares = np.clip(centre + effect, 0.0, 1.0)
        ends = [
            wilson_interval(share * n, n) if np.isfinite(share * n) else (math.nan, math.nan)
            for share, n in zip(shares, sizes, strict=True)
        ]
        return np.array([end[0] for end in ends]), np.array([end[1] for end in ends])
    z = normal_quantile(0.95)
    scale = "additive" if family == "mean" else "ratio"
    return displayed(centre, effect - z * se, scale, family), displayed(centre, effect + z * se, scale, family)


def _shrunken(
    centre: float, effect: np.ndarray, se: np.ndarray, shown: np.ndarray, scale: str, family: str, better: str
) -> dict[str, np.ndarray]:
    """Shrunken figures and the places that follow from them: P(better quarter) and the 90 % interval of the rank."""
    names = ("shrunk", "shrunk_low", "shrunk_high", "p_top", "rank_low", "rank_high")
    found = {name: np.full(len(effect), np.nan) for name in names}
    at = np.flatnonzero(shown)
    if len(at) < MIN_TO_SHRINK:
        return found
    pulled = shrink(effect[at], se[at] ** 2)
    for name, values in zip(names, (pulled.values, pulled.low, pulled.high), strict=False):
        found[name][at] = displayed(centre, values, scale, family)
    noise = np.random.default_rng(_SEED).standard_normal((_DRAWS, len(at)))
    draws = (pulled.values + pulled.standard_errors * noise) * (1 if better == "lower" else -1)
    ranks = np.asarray(draws.argsort(axis=1).argsort(axis=1) + 1)
    found["p_top"][at] = (ranks <= max(round(len(at) / 4), 1)).mean(axis=0)
    places = np.quantile(ranks, [0.05, 0.95], axis=0, method="nearest")
    found["rank_low"][at], found["rank_high"][at] = places
    return found


def _limits(
    centre: float, sizes: np.ndarray, effect: np.ndarray, se: np.ndarray, extra: float, scale: str, family: str
) -> pd.DataFrame:
    """The funnel on a grid of effective cases, up to a little more than the largest number."""
    names = ["n", "low_95", "high_95", "low_998", "high_998", "low_usual", "high_usual"]
    if not len(sizes):
        return pd.DataFrame(columns=names, dtype=float)
    most = float(sizes.max()) * 1.06
    grid = np.geomspace(max(most / 200, 2.0), max(most, 4.0), _GRID)
    per_case = float(np.median(se**2 * sizes))
    chance, usual = np.sqrt(per_case / grid), np.sqrt(per_case / grid + extra**2)
    ends = {"n": grid}
    for level, name, sd in ((0.95, "95", chance), (0.998, "998", chance), (0.95, "usual", usual)):
        z = normal_quantile(level)
        ends[f"low_{name}"] = displayed(centre, -z * sd, scale, family)
        ends[f"high_{name}"] = displayed(centre, z * sd, scale, family)
    return pd.DataFrame(ends)[names]


def _moves(c: Coded, f: Fit, result: Benchmark, key: str) -> pd.DataFrame:
    """What of each unit's raw distance the mix explains, and the factor and level that explain most of it.

    Of the units that have a figure. The factors' parts are in proportion to what their levels add up to on the scale of
    the link. ``mover``: the few that moved most, by more than half their own noise.
    """
    scale, count = points_scale(c, key), len(c.names)
    w_u = np.bincount(c.unit, f.weight, count)
    total = np.zeros(count)
    best = {"why": np.full(count, "", object), "why_level": np.full(count, "", object)}
    part: dict[str, np.ndarray] = {name: np.zeros(count) for name in ("why_points", "why_share", "why_share_all")}
    pieces = []
    for factor, levels, codes, beta in zip(c.factors, c.levels, c.codes, f.beta, strict=True):
        told = np.bincount(c.unit * len(levels) + codes, f.weight, count * len(levels)).reshape(count, -1)
        by_level = (told / w_u[:, None] - told.sum(axis=0) / w_u.sum()) * beta * scale
        cases = np.bincount(c.unit * len(levels) + codes, minlength=count * len(levels)).reshape(count, -1)
        pieces.append((factor, levels, cases / cases.sum(axis=1)[:, None], cases.sum(axis=0) / cases.sum(), by_level))
        total += by_level.sum(axis=1)
    for factor, levels, shares, overall, by_level in pieces:
        whole = by_level.sum(axis=1)
        along = np.where(np.sign(total) == np.sign(whole), np.abs(whole), 0.0)
        wins = along > np.abs(part["why_points"])
        top = (by_level * np.sign(whole)[:, None]).argmax(axis=1)
        rows = np.flatnonzero(wins)
        best["why"][rows] = factor
        best["why_level"][rows] = [levels[top[row]] for row in rows]
        part["why_points"][rows] = whole[rows]
        part["why_share"][rows], part["why_share_all"][rows] = shares[rows, top[rows]], overall[top[rows]]
    why = pd.DataFrame({"unit": c.names, "total": total, **best, **part})
    moves = result.shown[["unit", "label", "raw", "effect", "adjusted", "se"]].merge(why, on="unit", how="left")
    away = moves["raw"] - result.centre
    if result.scale == "ratio":
        away = np.log(moves["raw"].where(moves["raw"] > 0) / result.centre)  # a unit without any event has no move
    moves["move"] = moves["effect"] - away
    by_total = moves["total"].where(moves["total"] != 0)
    moves["why_points"] *= (-moves["move"] / by_total).where(moves["total"] != 0, 0.0)
    far = moves["move"].abs().where(moves["move"].abs() > moves["se"] / 2)
    moves["mover"] = far.rank(ascending=False, method="first") <= MAX_MOVERS
    return moves.drop(columns=["total", "effect", "se"])
