"""The parametric g-formula: what accounts would have done without any coverage from month 0 on.

Three models are fitted to all account-months: leaving, next month's health, and coverage. Every account is simulated
from its first month in two futures with the same random draws: with coverage that starts and stops as its model
predicts (the natural course), and without any. Survival is the product of the monthly probabilities of staying. The
interval comes from a bootstrap over whole accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from cs_helpers.core.errors import ContractError
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.splines import natural_spline, spline_knots
from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.trial import Trial

Numbers = np.ndarray
RIDGE = 0.1  # on standardised columns: keeps rare combinations finite
_PATHS = 20_000  # simulated paths behind the estimate; a bootstrap draw has one path per account
_GRID = 513  # points at which a spline of health is tabulated
_BLOCK = 16_384  # rows at a time


@dataclass(frozen=True, eq=False)
class Futures:
    """Survival in both futures, with everything drawn for their intervals.

    ``natural`` and ``vanished``: (horizon + 1) x weights, share still paying after t months; ``natural_draws`` and
    ``vanished_draws``: draws x (horizon + 1) x weights. Columns of weights as they were asked for. ``covered`` is the
    share of paying accounts with coverage in the natural course, by month (first weight).
    """

    horizon: int
    natural: Numbers
    vanished: Numbers
    natural_draws: Numbers
    vanished_draws: Numbers
    covered: Numbers

    def points(self, t: int, column: int = 0) -> tuple[float, float]:
        """100 x (natural - vanished) after ``t`` months and its standard error over the draws."""
        value = 100 * float(self.natural[t, column] - self.vanished[t, column])
        drawn = 100 * (self.natural_draws[:, t, column] - self.vanished_draws[:, t, column])
        return value, float(drawn.std(ddof=1))


@dataclass(frozen=True, eq=False)
class _Scale:
    """Brings a column to mean 0 and standard deviation 1 and keeps its knots on that scale."""

    mean: float
    sd: float
    knots: Numbers

    def __call__(self, x: Numbers) -> Numbers:
        return (x - self.mean) / self.sd

    def basis(self, x: Numbers) -> Numbers:
        return natural_spline(self(x), self.knots)


def _scale(x: Numbers, count: int) -> _Scale:
    sd = float(x.std())
    mean, sd = float(x.mean()), sd if sd > 0 else 1.0
    return _Scale(mean, sd, spline_knots((x - mean) / sd, count))


@dataclass(frozen=True, eq=False)
class _Fit:
    """A model's coefficients, and what each account contributes to score and information at them."""

    coefficients: Numbers
    scores: Numbers  # accounts x columns
    information: Numbers  # accounts x columns (columns + 1) / 2, the upper triangle

    @property
    def penalty(self) -> Numbers:
        return _penalty(len(self.coefficients))

    def drawn(self, weights: Numbers) -> Numbers:
        """Coefficients for each row of account weights: one Newton step from the fit to all accounts.

        The step uses the drawn accounts' own score and information; its error is a few per cent of a standard error.
        """
        k = len(self.coefficients)
        upper = np.triu_indices(k)
        information = np.zeros((len(weights), k, k))
        information[:, upper[0], upper[1]] = weights @ self.information
        information[:, upper[1], upper[0]] = information[:, upper[0], upper[1]]
        information += np.diag(self.penalty)
        score = weights @ self.scores - self.penalty * self.coefficients
        step = np.linalg.solve(information, score[:, :, None])[:, :, 0]
        return self.coefficients + step


def _contributions(
    x: Numbers, residual: Numbers, curvature: Numbers, account: Numbers, count: int
) -> tuple[Numbers, Numbers]:
    """Sums over each account's rows of x residual and of x x' curvature; 0 for accounts without rows."""
    upper = np.triu_indices(x.shape[1])
    scores, information = np.zeros((count, x.shape[1])), np.zeros((count, len(upper[0])))
    present, first = np.unique(account, return_index=True)
    ends = np.append(first[1:], len(x))
    begin = 0
    while begin < len(first):
        stop = max(begin + 1, int(np.searchsorted(ends, first[begin] + _BLOCK, side="right")))
        rows, starts = slice(first[begin], ends[stop - 1]), first[begin:stop] - first[begin]
        part = x[rows]
        scores[present[begin:stop]] = np.add.reduceat(part * residual[rows, None], starts)
        products = part[:, upper[0]]
        products *= part[:, upper[1]]
        products *= curvature[rows, None]
        information[present[begin:stop]] = np.add.reduceat(products, starts)
        begin = stop
    return scores, information


def _logistic_fit(x: Numbers, y: Numbers, account: Numbers, count: int) -> _Fit:
    fitted = logistic(x, y, ridge=RIDGE)
    p = probability_of(x @ fitted.coefficients)
    return _Fit(fitted.coefficients, *_contributions(x, y - p, p * (1 - p), account, count))


def _linear_fit(x: Numbers, y: Numbers, account: Numbers, count: int) -> tuple[_Fit, Numbers]:
    """Least squares with the ridge, and the residuals."""
    ones = np.ones(len(x))
    scores, information = _contributions(x, y, ones, account, count)
    total = np.zeros((x.shape[1], x.shape[1]))
    total[np.triu_indices(x.shape[1])] = information.sum(axis=0)
    total = total + np.triu(total, 1).T + np.diag(_penalty(x.shape[1]))
    coefficients = np.linalg.solve(total, scores.sum(axis=0))
    residuals = y - x @ coefficients
    scores, _ = _contributions(x, residuals, ones, account, count)
    return _Fit(coefficients, scores, information), residuals


def _penalty(columns: int) -> Numbers:
    """The ridge of each column; none on the intercept."""
    return np.append(0.0, np.full(columns - 1, RIDGE))


@dataclass(frozen=True, eq=False)
class Scales:
    """Mean, spread and knots of the columns with splines."""

    size: _Scale
    health: _Scale
    tenure: _Scale
    month: _Scale


@dataclass(frozen=True, eq=False)
class Designs:
    """Columns of each model; ``stays``: rows with a next month (next_health), ``later``: with one before (coverage)."""

    leaving: Numbers
    next_health: Numbers
    stays: Numbers
    coverage: Numbers
    later: Numbers


@dataclass(frozen=True, eq=False)
class Models:
    """The three models of a trial, ready to be resampled and simulated."""

    trial: Trial
    scales: Scales
    leaving: _Fit
    next_health: _Fit
    residuals: Numbers
    coverage: _Fit
    filled: Numbers  # health of every row, gaps closed

    @property
    def fits(self) -> tuple[_Fit, _Fit, _Fit]:
        """The three fits in the order of the simulation."""
        return self.leaving, self.next_health, self.coverage


def filled_health(trial: Trial) -> Numbers:
    """Health of every row: the account's last known value where a month has none, the median before the first."""
    rows = trial.rows
    known = rows["health"].groupby(rows["account"]).ffill()
    return np.asarray(known.fillna(rows["health"].median()).to_numpy(), float)


def fit_models(trial: Trial) -> Models:
    """Fit leaving, next month's health and coverage.

    Leaving: pooled logistic with natural splines in log MRR, health, tenure and calendar month, health x MRR,
    coverage, coverage x health, coverage x MRR. Touches are left out: they are what coverage works through. Health:
    least squares on splines of health and log MRR, tenure, coverage and its products, residuals kept. Coverage: pooled
    logistic on the month before, health, MRR, calendar month and products.
    Raises ContractError where health is never known, coverage never varies or no account leaves.
    """
    rows = trial.rows
    if rows["health"].notna().sum() == 0:
        raise ContractError("health is known of no account-month: what coverage reacts to cannot be accounted for")
    covered = rows["covered"].to_numpy(float)
    if covered.min() == covered.max():
        who = "every" if covered[0] else "no"
        raise ContractError(f"{who} account-month is covered: there is nothing to compare")
    if not rows["churned"].any():
        raise ContractError("no account leaves: there is no effect on leaving to measure")
    account, count = rows["account"].to_numpy(), len(trial.accounts)
    filled = filled_health(trial)
    scales = Scales(
        _scale(rows["log_mrr"].to_numpy(), 4),
        _scale(filled, 4),
        _scale(rows["tenure_months"].to_numpy(), 3),
        _scale(rows["month"].to_numpy(float), 3),
    )
    with one_thread():
        x = designs(trial, scales, filled)
        leaving = _logistic_fit(x.leaving, rows["churned"].to_numpy(float), account, count)
        later = scales.health(filled)[x.stays + 1]
        next_health, residuals = _linear_fit(x.next_health, later, account[x.stays], count)
        coverage = _logistic_fit(x.coverage, covered[x.later], account[x.later], count)
    return Models(trial, scales, leaving, next_health, residuals - residuals.mean(), coverage, filled)


def designs(trial: Trial, scales: Scales, filled: Numbers) -> Designs:
    """The columns of the three models; ``filled``: health of every row without gaps."""
    rows = trial.rows
    account, t, covered = rows["account"].to_numpy(), rows["t"].to_numpy(), rows["covered"].to_numpy(float)
    size = scales.size.basis(rows["log_mrr"].to_numpy())
    health = scales.health.basis(filled)
    tenure = scales.tenure.basis(rows["tenure_months"].to_numpy())
    month = scales.month.basis(rows["month"].to_numpy(float))
    one, h, m = np.ones(len(rows)), health[:, 0], size[:, 0]
    leaving = np.column_stack([one, size, health, tenure, month, h * m, covered, covered * h, covered * m])
    stays = np.flatnonzero(np.append(account[1:] == account[:-1], False))
    products = (covered * h, covered * m, h * m)
    next_health = np.column_stack([one, size, health, tenure[:, 0], covered, *products])[stays]
    later = np.flatnonzero(t > 0)
    before = covered[later - 1]
    coverage = np.column_stack([one, size, health, month])[later]
    coverage = np.column_stack([coverage, before, before * h[later], before * m[later]])
    return Designs(leaving, next_health, stays, coverage, later)


def simulate_futures(models: Models, horizon: int, weights: Numbers, draws: int = 200, seed: int = 1) -> Futures:
    """Both futures of the accounts followed for ``horizon`` months, with ``draws`` draws of whole accounts.

    ``weights``: accounts of the trial x columns, how much each account counts (only those followed do). Accounts keep
    the MRR of their first month. Draws weigh accounts by how often they were drawn, in models and futures alike.
    Raises ContractError where no account was followed so long.
    """
    rng = Generator(PCG64(SeedSequence([seed, 7])))
    count = len(models.trial.accounts)
    times = np.stack([np.bincount(rng.integers(count, size=count), minlength=count) for _ in range(draws)]) * 1.0
    with one_thread():
        tables = Population(models, horizon)
        weights = weights[tables.population]
        drawn = [fit.drawn(times) for fit in models.fits]
        natural, vanished, covered = tables.run([fit.coefficients for fit in models.fits], weights, rng, tables.paths)
        pairs = [
            tables.run([each[n] for each in drawn], weights * times[n, tables.population, None], rng, 1)[:2]
            for n in range(draws)
        ]
    return Futures(
        horizon, natural, vanished, np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]), covered
    )


def points_without(models: Models, horizon: int, groups: Sequence[Numbers], seed: int = 1) -> Numbers:
    """Points of survival (logo) with each of ``groups`` (one flag per account) left out of models and futures."""
    points = np.empty(len(groups))
    with one_thread():
        tables = Population(models, horizon)
        kept = 1.0 - np.array(groups, float).reshape(len(groups), len(models.trial.accounts))
        drawn = [fit.drawn(kept) for fit in models.fits]
        paths = -(-tables.paths // 3)  # all groups use the same random draws, so fewer paths suffice to compare them
        for n, weights in enumerate(kept[:, tables.population]):
            rng = Generator(PCG64(SeedSequence([seed, 8])))
            natural, vanished, _ = tables.run([each[n] for each in drawn], weights[:, None], rng, paths)
            points[n] = 100 * (natural[horizon, 0] - vanished[horizon, 0])
    return points


class Population:
    """What stays the same from draw to draw: bases on grids, and the population's first month."""

    def __init__(self, models: Models, horizon: int) -> None:
        trial = models.trial
        self.models, self.horizon, self.population = models, horizon, np.flatnonzero(trial.followed(horizon))
        population = self.population
        if not len(population):
            raise ContractError(f"no account was followed for {horizon} months")
        self.paths = max(1, round(_PATHS / len(population)))
        first = np.flatnonzero(trial.rows["t"].to_numpy() == 0)[population]
        rows = trial.rows.iloc[first]
        self.m = models.scales.size(rows["log_mrr"].to_numpy())
        self.h = models.scales.health(models.filled[first])
        self.covered = rows["covered"].to_numpy()
        self.size_basis = models.scales.size.basis(rows["log_mrr"].to_numpy())
        low, high = models.scales.health(np.array([models.filled.min(), models.filled.max()]))
        reach = 0.25 * (high - low) + 1.0
        self.grid = np.linspace(low - reach, high + reach, _GRID)
        self.health_basis = natural_spline(self.grid, models.scales.health.knots)
        tenure = rows["tenure_months"].to_numpy()
        self.tenure = tenure.astype(np.int64)
        longest = np.arange(int(tenure.max()) + horizon + 1, dtype=float)
        self.tenure_scaled = models.scales.tenure(longest)
        self.tenure_basis = models.scales.tenure.basis(longest)
        self.month = rows["month"].to_numpy()
        self.month_basis = models.scales.month.basis(np.arange(trial.months, dtype=float))

    def _tabulated(self, coefficients: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """A model's part by account, its part over the grid of health, and the coefficients of the other columns."""
        at = 1 + self.size_basis.shape[1]
        end = at + self.health_basis.shape[1]
        fixed = coefficients[0] + self.size_basis @ coefficients[1:at]
        return fixed, self.health_basis @ coefficients[at:end], coefficients[end:]

    def run(
        self, coefficients: list[Numbers], weights: Numbers, rng: Generator, paths: int
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Weighted survival of both futures by month, and the covered share of the natural one."""
        fixed, tables, others = zip(*map(self._tabulated, coefficients), strict=True)
        leaving_health, next_health, coverage_health = tables
        leaving, (n_tenure, n_c, n_ch, n_cm, n_hm), coverage = others
        u, v = self.tenure_basis.shape[1], self.month_basis.shape[1]
        by_tenure, by_month = self.tenure_basis @ leaving[:u], self.month_basis @ leaving[u : u + v]
        hm, c, ch, cm = leaving[u + v :]
        coverage_month, (b, bh, bm) = self.month_basis @ coverage[:v], coverage[v:]
        last_month = len(by_month) - 1
        n = len(self.population)
        share = weights / weights.sum(axis=0) / paths
        several = slice(None) if paths == 1 else np.tile(np.arange(n), paths)
        m, tenure, month, share = self.m[several], self.tenure[several], self.month[several], share[several]
        stays_fixed, next_fixed, coverage_fixed = (each[several] for each in fixed)
        size = len(m)
        h = np.concatenate([self.h[several], self.h[several]])  # natural first, vanished after it
        both = np.concatenate([m, m])
        covered = self.covered[several].astype(float)  # of the natural future; in the other one no account is
        survival = np.ones(2 * size)
        natural, vanished = np.ones((self.horizon + 1, share.shape[1])), np.ones((self.horizon + 1, share.shape[1]))
        share_covered = np.empty(self.horizon)
        origin, step = self.grid[0], (self.grid[-1] - self.grid[0]) / (len(self.grid) - 1)
        residuals = self.models.residuals
        for t in range(self.horizon):
            if t:
                mine = h[:size]
                now = np.minimum(month + t, last_month)
                logit = _look_up(coverage_health, mine, origin, step) + coverage_fixed + coverage_month[now]
                logit += covered * (b + bh * mine + bm * m)
                covered = (rng.random(size) < probability_of(logit)).astype(float)
            alive = survival[:size]
            share_covered[t] = float((share[:, 0] * alive) @ covered / (share[:, 0] @ alive))
            when = stays_fixed + by_tenure[tenure + t] + by_month[np.minimum(month + t, last_month)]
            logit = _look_up(leaving_health, h, origin, step) + np.concatenate([when, when])
            logit += hm * h * both
            logit[:size] += covered * (c + ch * h[:size] + cm * m)
            survival *= 1 - probability_of(logit)
            natural[t + 1], vanished[t + 1] = survival[:size] @ share, survival[size:] @ share
            if t + 1 < self.horizon:
                shock = residuals[rng.integers(len(residuals), size=size)]
                alike = next_fixed + n_tenure * self.tenure_scaled[tenure + t] + shock
                moved = _look_up(next_health, h, origin, step) + np.concatenate([alike, alike])
                moved += n_hm * h * both
                moved[:size] += covered * (n_c + n_ch * h[:size] + n_cm * m)
                h = moved
        return natural, vanished, share_covered


def _look_up(table: Numbers, x: Numbers, origin: float, step: float) -> Numbers:
    """A function tabulated at equal steps, straight between the points and beyond the last ones."""
    place = (x - origin) / step
    left = np.clip(place.astype(np.int64), 0, len(table) - 2)
    low = table[left]
    return np.asarray(low + (table[left + 1] - low) * (place - left))
