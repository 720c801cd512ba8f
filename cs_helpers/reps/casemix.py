"""Case mix: what makes a case hard before a rep touches it, and the figure expected of an average rep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError
from cs_helpers.core.stats import normal_quantile
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import CaseMix, Cases

MIN_IN_LEVEL = 30
MAX_LEVELS = 20
OTHER, NOT_RECORDED = "other", "not recorded"
_RIDGE = 0.1  # of a level's coefficient: as much as a tenth of a case without any difference
_UNIT_RIDGE = 0.25  # of a unit's level around the common one, so that a unit without failures has a finite level
_STRONGEST_PULL = 1e6  # where units do not differ at all
_MAX_STEPS, _CLOSE, _NEAR = 30, 1e-7, 1e-2  # near is close enough to start from and to see how far units differ


@dataclass(frozen=True, eq=False)
class Coded:
    """The cases of one measure as numbers: value, exposure, unit (0 to units - 1) and a code per factor."""

    y: np.ndarray
    exposure: np.ndarray
    unit: np.ndarray
    names: tuple[str, ...]
    factors: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    levels: tuple[tuple[str, ...], ...]
    dropped: dict[str, str]
    rows: pd.Index
    cluster: np.ndarray


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients of the levels, fitted between the cases of one unit, and what follows for each case.

    ``within``: fitted value with the unit's own level, ``expected``: with the common one; ``weight`` as expected varies
    with a case's level; ``beta``: one array per factor, 0 for an average case; ``se`` alike.
    """

    within: np.ndarray
    expected: np.ndarray
    weight: np.ndarray
    beta: tuple[np.ndarray, ...]
    se: tuple[np.ndarray, ...]


def fit_case_mix(cases: Cases, key: str, by: str | pd.Series = "rep_id") -> CaseMix:
    """The effect of each level of the case mix on a measure, and the value expected of an average rep for each case.

        g(value) = unit + sum over factors of level,   expected: the same with one common level for all units

    g is the logit for shares, the logarithm for counts (with exposure) and times, nothing for means. Every unit has a
    level of its own in the fit, drawn to the common one only as far as units do not truly differ (a random effect): a
    specialist with hard cases does not make the cases look easy, and where each rep has one level of a factor only,
    such as CSMs of one segment, the difference between levels is that of the factor and not of its people. Expected is
    without the units' levels, and such that all expected values sum to all observed ones. Missing levels are one of
    their own; those with fewer than 30 cases are put together, and so are all beyond the nineteen most frequent. Raises
    ContractError without a case, ParameterError for an unknown measure. Source: indirect standardisation (Breslow & Day
    1987, section 2.3); Laird & Ware 1982 for the drawn levels.

    Example:
        >>> effects = fit_case_mix(cs.reps.team_cases(tables, "support").of("csat"), "csat").effects
        >>> effects.set_index("level")["effect"].round(3)["Mid-Market"].item()
        -0.065
    """
    coded = code(cases, key, by)
    return mix_of(coded, fit(coded, measure(key).family), key)


def mix_of(coded: Coded, fitted: Fit, key: str) -> CaseMix:
    """A fit in the units of the measure: see ``fit_case_mix``."""
    scale = points_scale(coded, key)
    rows = [
        (factor, level, int(size), scale * float(effect), scale * float(error))
        for factor, levels, codes, beta, se in zip(
            coded.factors, coded.levels, coded.codes, fitted.beta, fitted.se, strict=True
        )
        for level, size, effect, error in zip(levels, np.bincount(codes, minlength=len(levels)), beta, se, strict=True)
    ]
    effects = pd.DataFrame(rows, columns=["factor", "level", "cases", "effect", "se"])
    half = normal_quantile(0.95) * effects["se"]
    effects = effects.assign(low=effects["effect"] - half, high=effects["effect"] + half)
    expected, weight = (pd.Series(each, index=coded.rows) for each in (fitted.expected, fitted.weight))
    return CaseMix(key, coded.factors, effects, expected, weight, coded.dropped)


def points_scale(coded: Coded, key: str) -> float:
    """What turns a log odds ratio into points at the centre, c (1 - c), for shares; 1 for everything else."""
    centre = float(coded.y.mean())
    return centre * (1 - centre) if measure(key).family == "share" else 1.0


def centre_of(coded: Coded, family: str) -> float:
    """The measure over all cases: share, mean, count per exposure, or the mean logarithm of times."""
    y, exposure = coded.y, coded.exposure
    return float((y.sum() if family == "count" else y @ exposure) / exposure.sum())


def code(cases: Cases, key: str, by: str | pd.Series = "rep_id") -> Coded:
    """The cases of one measure that have a unit, as numbers."""
    family = measure(key).family
    if key not in cases.table:
        raise ContractError(f"{key}: these cases do not hold it; they hold {', '.join(cases.keys) or 'nothing'}")
    units = cases.table[by] if isinstance(by, str) else by
    weighted = "exposure" in cases.table and family in ("mean", "count")
    return coded(cases.table, key, family, cases.mix, units, "cluster", "exposure" if weighted else "")


def coded(
    table: pd.DataFrame,
    value: str,
    family: str,
    mix: Sequence[str],
    units: pd.Series,
    cluster: str,
    exposure: str = "",
) -> Coded:
    """The rows with a value and a unit as numbers; times as logarithms, factors with one level dropped by name."""
    given = np.flatnonzero(table[value].notna().to_numpy() & units.notna().to_numpy())
    if not len(given):
        raise ContractError(f"{value}: no case has both a value and somebody it belongs to")
    rows = table.iloc[given]
    y = rows[value].to_numpy(float, na_value=np.nan)
    size = rows[exposure].to_numpy(float, na_value=np.nan) if exposure else np.ones(len(given))
    if not (np.isfinite(y).all() and (size > 0).all()):
        raise ContractError(f"{value}: values must be finite, and exposures above 0")
    if family == "time":
        if (y <= 0).any():
            raise ContractError(f"{value}: times must be above 0 to be compared as ratios")
        y = np.log(y)
    unit, names = codes_of(units.iloc[given])
    found = {name: levels_of(rows[name]) for name in mix}
    dropped = {name: f"all cases are {levels[0]}" for name, (_, levels) in found.items() if len(levels) < 2}
    kept = {name: each for name, each in found.items() if name not in dropped}
    codes, levels = tuple(each for each, _ in kept.values()), tuple(each for _, each in kept.values())
    clusters, _ = codes_of(rows[cluster])
    return Coded(y, size, unit, tuple(map(str, names)), tuple(kept), codes, levels, dropped, rows.index, clusters)


def codes_of(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Integer codes of the values that occur, in sorted order; missing is the last value."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        raw, names = column.cat.codes.to_numpy(), column.cat.categories.to_numpy()
        raw = np.where(raw < 0, len(names), raw)
        used = np.flatnonzero(np.bincount(raw, minlength=len(names) + 1))
        place = np.zeros(len(names) + 1, np.int64)
        place[used] = np.arange(len(used))
        return place[raw], np.array([*names, None], object)[used]
    raw, found = pd.factorize(column, sort=True, use_na_sentinel=False)
    return raw.astype(np.int64), np.asarray(found, object)


def levels_of(column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes of a factor's levels, the most frequent first, and their names; rare ones together as ``OTHER``."""
    raw, names = codes_of(column)
    sizes = np.bincount(raw, minlength=len(names))
    order = np.lexsort((np.arange(len(names)), -sizes))
    kept = [place for place in order[: MAX_LEVELS - 1] if sizes[place] >= MIN_IN_LEVEL]
    if len(kept) == len(names) - 1 or not kept:  # a single rare level gains nothing by another name
        kept = list(order[: max(len(kept) + 1, 1)])
    to = np.full(len(names), len(kept))
    to[kept] = np.arange(len(kept))
    labels = [
        NOT_RECORDED if names[place] is None or names[place] != names[place] else str(names[place]) for place in kept
    ]
    return to[raw], (*labels, *([OTHER] if len(kept) < len(names) else []))


def fit(coded: Coded, family: str) -> Fit:
    """Levels of the factors by penalised Newton steps with the units' own levels swept out; see ``fit_case_mix``."""
    with one_thread():
        return _Model(coded, family).fit()


class _Model:
    """The cases of one measure with what every step of the fit needs.

    ``common``: the overall level on the scale of the link, around which units' levels (alpha) lie; ``starts``: where
    each factor's levels begin among all levels (beta), and their number. Penalties are multiples of the information in
    one case.
    """

    def __init__(self, c: Coded, family: str) -> None:
        self.c, self.family = c, family
        self.sizes = [len(levels) for levels in c.levels]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)]).astype(int)
        self.place, self.combinations = _joint(c.codes, self.sizes) if c.codes else (c.unit, c.unit[:0])
        self.offset = np.log(c.exposure) if family == "count" else np.zeros(1)
        self.common = whole = _inside(centre_of(c, family), family, len(c.y))
        one_case = float(c.exposure.mean()) if family == "mean" else 1.0
        if family == "share":
            self.common, one_case = math.log(whole / (1 - whole)), whole * (1 - whole)
        elif family == "count":
            self.common = math.log(whole)
        self.ridge, self.own_pull = _RIDGE * one_case, _UNIT_RIDGE * one_case

    def fit(self) -> Fit:
        """The mix fitted between cases of one unit, and what follows for each case."""
        c, family = self.c, self.family
        alpha, beta = np.full(len(c.names), self.common), np.zeros(self.starts[-1])
        own, beta, information = self.newton(alpha, beta, self.own_pull, _NEAR)
        alpha = own
        for close in (_NEAR, _CLOSE):  # the second time the units differ by no more than the mix leaves
            alpha, beta, information = self.newton(alpha, beta, self.pull(own, beta), close)
            own = self.own_levels(own, beta)
        eta = self.added(beta) + self.offset
        within = _moments(own[c.unit] + eta, c.exposure, family)[0]
        expected, weight = _moments(_common_level(c, eta, family) + eta, c.exposure, family)
        noise = float(((c.y - within) ** 2).mean()) if family in ("mean", "time") else 1.0
        variance = np.linalg.inv(information) if len(beta) else np.zeros((0, 0))
        parts, errors = [], []
        for first, size, codes in zip(self.starts[:-1], self.sizes, c.codes, strict=True):
            share = np.bincount(codes, c.exposure if family == "mean" else None, size)
            centring = np.eye(size) - (share / share.sum())[None, :]
            block = variance[first : first + size, first : first + size]
            parts.append(centring @ beta[first : first + size])
            errors.append(np.sqrt(np.maximum(noise * np.einsum("ij,jk,ik->i", centring, block, centring), 0.0)))
        return Fit(within, expected, weight, tuple(parts), tuple(errors))

    def newton(
        self, alpha: np.ndarray, beta: np.ndarray, pull: float, close: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The levels at which the penalised likelihood is highest, the units' own swept out of each step.

        Returned with the information about the factors' levels.
        """
        c, units = self.c, len(self.c.names)
        for _ in range(_MAX_STEPS):
            residual, w = self.residual(alpha, self.added(beta) + self.offset)
            unit_w = np.bincount(c.unit, w, units) + pull
            unit_g = np.bincount(c.unit, residual, units) - pull * (alpha - self.common)
            cross = self.by_unit_and_level(w)
            information = self.by_pair_of_levels(w) + np.diag(np.full(len(beta), self.ridge))
            information = information - cross.T @ (cross / unit_w[:, None])
            sums = [np.bincount(codes, residual, size) for codes, size in zip(c.codes, self.sizes, strict=True)]
            gradient = np.concatenate([*sums, []]) - self.ridge * beta - cross.T @ (unit_g / unit_w)
            step = np.linalg.solve(information, gradient) if len(beta) else np.zeros(0)
            unit_step = (unit_g - cross @ step) / unit_w
            largest = max(np.abs(step).max(initial=0.0), np.abs(unit_step).max(initial=0.0))
            straight = self.family in ("mean", "time")  # least squares: the first step is the last
            damping = 1.0 if straight or not largest else min(1.0, 4.0 / largest)
            alpha, beta = alpha + damping * unit_step, beta + damping * step
            if straight or largest < close:
                break
        return alpha, beta, information

    def pull(self, own: np.ndarray, beta: np.ndarray) -> float:
        """How hard a unit's level is drawn to the common one: noise of a case over the variance between units.

        By moments. Where units differ much their levels are hardly penalised, and the mix is learned within them;
        where each unit has one level of a factor only (a CSM of one segment), the difference goes to the factor.
        """
        residual, w = self.residual(own, self.added(beta) + self.offset)
        total = np.bincount(self.c.unit, w, len(own))
        phi = 1.0 if self.family == "share" else float((residual**2 / np.where(w > 0, w, 1.0)).mean())
        mean = float(total @ own / total.sum())
        excess = float(total @ (own - mean) ** 2) - phi * (len(total) - 1)
        spare = float(total.sum() - (total**2).sum() / total.sum())
        between = excess / spare if spare > 0 else 0.0
        return phi / between if between > phi / _STRONGEST_PULL else _STRONGEST_PULL

    def own_levels(self, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
        """The same mix with each unit at its own level: what is left then holds no difference between units."""
        units, eta = len(alpha), self.added(beta) + self.offset
        for _ in range(_MAX_STEPS):
            residual, w = self.residual(alpha, eta)
            step = np.bincount(self.c.unit, residual, units) - self.own_pull * (alpha - self.common)
            step /= np.bincount(self.c.unit, w, units) + self.own_pull
            alpha = alpha + (np.clip(step, -4.0, 4.0) if self.family in ("share", "count") else step)
            if np.abs(step).max() < _CLOSE:
                break
        return alpha

    def added(self, beta: np.ndarray) -> np.ndarray:
        """What the levels add up to for each case."""
        total = np.zeros(len(self.c.y))
        for first, codes in zip(self.starts[:-1], self.c.codes, strict=True):
            total += beta[first + codes]
        return total

    def residual(self, alpha: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residual and weight of each case with its unit at ``alpha``."""
        mu, w = _moments(alpha[self.c.unit] + eta, self.c.exposure, self.family)
        return (self.c.exposure if self.family == "mean" else 1.0) * (self.c.y - mu), w

    def by_unit_and_level(self, w: np.ndarray) -> np.ndarray:
        """Weights by unit and level."""
        c, units = self.c, len(self.c.names)
        parts = [
            np.bincount(c.unit * size + codes, w, units * size).reshape(units, size)
            for codes, size in zip(c.codes, self.sizes, strict=True)
        ]
        return np.concatenate([*parts, np.zeros((units, 0))], axis=1)

    def by_pair_of_levels(self, w: np.ndarray) -> np.ndarray:
        """Weights by pair of levels (X'WX of indicators): the cases once by combination, the rest among these."""
        starts, sizes = self.starts, self.sizes
        total = np.zeros((starts[-1], starts[-1]))
        by_combination = np.bincount(self.place, w)
        for i, a in enumerate(self.combinations):
            for j, b in enumerate(self.combinations[: i + 1]):
                counted = np.bincount(a * sizes[j] + b, by_combination, sizes[i] * sizes[j]).reshape(sizes[i], sizes[j])
                total[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = counted
                total[starts[j] : starts[j + 1], starts[i] : starts[i + 1]] = counted.T
        return total


def _inside(value: float, family: str, n: int) -> float:
    """The overall level, kept where its link is finite: a share off 0 and 1, a rate off 0."""
    if family == "share":
        return float(np.clip(value, 0.5 / (n + 1), 1 - 0.5 / (n + 1)))
    return max(value, 1e-9) if family == "count" else value


def _moments(eta: np.ndarray, exposure: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray]:
    """Fitted value and weight of each case: how much the summed residual moves with its level."""
    if family == "share":
        p = probability_of(eta)
        return p, p * (1 - p)
    if family == "count":
        mu = np.exp(np.minimum(eta, 700.0))
        return mu, mu
    return eta, exposure


def _joint(codes: Sequence[np.ndarray], sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Each case's place among the combinations of levels that occur, and those combinations, factor by factor."""
    whole = np.zeros(len(codes[0]), np.int64)
    for code_, size in zip(codes, sizes, strict=True):
        whole = whole * size + code_
    found, place = np.unique(whole, return_inverse=True)
    combos = np.empty((len(codes), len(found)), np.int64)
    for index in range(len(codes) - 1, -1, -1):
        found, combos[index] = np.divmod(found, sizes[index])
    return place, combos


def _common_level(c: Coded, eta: np.ndarray, family: str) -> float:
    """The one level at which the expected values of all cases sum to the observed ones."""
    if family == "count":
        return float(np.log(_inside(c.y.sum(), family, 1)) - np.log(np.exp(eta).sum()))
    if family != "share":
        return float(((c.y - eta) * c.exposure).sum() / c.exposure.sum())
    goal = np.full(len(c.y), _inside(float(c.y.mean()), family, len(c.y)))  # finite also where nobody fails
    return float(logistic(np.ones((len(c.y), 1)), goal, offset=eta).coefficients[0])
