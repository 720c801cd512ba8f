"""Maximum likelihood with scipy, and the likelihood of the shifted-beta-geometric model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import betaln, expit

# Bounds of log(alpha / beta) and log(alpha + beta). At the upper end of the latter all churn risks are equal.
_LOG_ODDS, _LOG_SIZE = (-15.0, 15.0), (-7.0, 14.0)


def log_beta_ratio(alpha: ArrayLike, beta: ArrayLike, t: ArrayLike) -> np.ndarray:
    """log of B(alpha, beta + t) / B(alpha, beta), elementwise with broadcasting; 0 at t = 0.

    B is the beta function; alpha, beta > 0 and t >= 0, which need not be whole.
    """
    a, b, later = np.asarray(alpha, float), np.asarray(beta, float), np.asarray(t, float)
    return np.asarray(np.minimum(betaln(a, b + later) - betaln(a, b), 0.0))


def maximise(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
) -> tuple[float, np.ndarray]:
    """The greatest value of ``objective`` inside ``bounds`` (one pair per dimension), and the point where it is.

    ``objective`` returns value and gradient, finite inside the bounds and of order 1, such as a mean log-likelihood. A
    further start is tried only where the search broke off before the slope was gone; the best end is taken: a local
    maximum. SLSQP (Kraft 1988).
    """

    def negative(point: Any) -> Any:
        value, gradient = objective(point)
        return -value, -gradient

    lowest, highest = np.array(bounds, float).T
    # Not L-BFGS-B: for a handful of parameters the threads of its linear algebra cost a hundred times the search.
    options: Any = {"maxiter": 500, "ftol": 1e-16}
    ends = []
    for start in starts:
        found = minimize(negative, np.asarray(start, float), jac=True, method="SLSQP", bounds=bounds, options=options)
        point = np.asarray(found.x, float)
        value, gradient = objective(point)
        ends.append((value, point))
        if np.abs(np.clip(point + gradient, lowest, highest) - point).max() < 1e-7:
            break
    return max(ends, key=lambda end: end[0])


def pooled(at_risk: ArrayLike, lost: ArrayLike, each: int) -> tuple[np.ndarray, np.ndarray]:
    """A life table of longer periods, each made of ``each`` short ones, with late entry and censoring within them.

        h = 1 - product of (1 - lost / at_risk),  at_risk = h (1 - h) / variance of h,  lost = h x at_risk

    The variance is Greenwood's, so that the counts, which need not be whole, hold as much information as the short
    periods; where only one of these has losses, they are its counts. Without losses at_risk is the smallest. The table
    ends before the first long period that is incomplete or has a short one without accounts at risk.
    """
    n, d = (np.asarray(counts, float)[: np.size(counts) // each * each].reshape(-1, each) for counts in (at_risk, lost))
    complete = int(np.append((n > 0).all(axis=1), False).argmin())
    n, d = n[:complete], d[:complete]
    h = 1 - (1 - d / n).prod(axis=1)
    # h (1 - h) over (1 - h)^2 sum d / (n (n - d)); where all left, the number at risk in the last short period.
    spread = (d / (n * np.maximum(n - d, 1e-300))).sum(axis=1) * (1 - h)
    plain = (h <= 0) | (h >= 1)
    size = np.where(plain, n.min(axis=1), h / np.where(plain, 1, spread))
    return size, np.where(h >= 1, size, h * size)


@dataclass(frozen=True, eq=False)
class BetaGeometric:
    """The shifted-beta-geometric likelihood of a life table: of ``at_risk`` in period ``k``, ``lost`` left in it.

    h(k) = alpha / (alpha + beta + k - 1). Three arrays of one length; at least one account must have left and one
    stayed.
    """

    k: np.ndarray
    at_risk: np.ndarray
    lost: np.ndarray

    @property
    def stayed(self) -> np.ndarray:
        """Those of ``at_risk`` that outlasted the period."""
        result: np.ndarray = self.at_risk - self.lost
        return result

    def log_likelihood(self, alpha: Any, beta: Any) -> Any:
        """sum over k of lost log h(k) + stayed log(1 - h(k)); a number, or an array of the shape of the parameters."""
        return (
            self.lost.sum() * np.log(alpha)
            + (self.stayed * np.log(np.add.outer(beta, self.k - 1))).sum(axis=-1)
            - (self.at_risk * np.log(np.add.outer(alpha + beta, self.k - 1))).sum(axis=-1)
        )

    def maximum(self) -> tuple[float, float, bool]:
        """The most likely alpha and beta, and whether equal accounts (both towards infinity) explain as much.

        The search runs over log(alpha / beta) and log(alpha + beta), which hardly depend on each other. Where
        unequal accounts gain less than 1e-4 in log-likelihood, alpha + beta is set to its upper bound.
        """
        total, lost = self.at_risk.sum(), self.lost.sum()

        def mean(point: np.ndarray) -> tuple[float, np.ndarray]:
            alpha, beta = _alpha_beta(*point)
            size = alpha + beta
            stay = (self.stayed / (beta + self.k - 1)).sum()
            both = (self.at_risk / (size + self.k - 1)).sum()
            gradient = np.array([beta / size * (lost - alpha * stay), lost + beta * stay - size * both])
            return float(self.log_likelihood(alpha, beta) / total), gradient / total

        odds = float(np.clip(np.log(lost / (total - lost)), -14, 14))
        value, point = maximise(mean, [[odds + 0.5, 1.0], [odds + 0.1, 5.0]], [_LOG_ODDS, _LOG_SIZE])
        alike = np.array([odds, _LOG_SIZE[1]])
        homogeneous = bool((value - mean(alike)[0]) * total < 1e-4)
        alpha, beta = _alpha_beta(*(alike if homogeneous else point))
        return float(alpha), float(beta), homogeneous

    def covariance(self, alpha: float, beta: float) -> np.ndarray:
        """Inverse of the observed information of (log alpha, log beta), shape (2, 2).

        Along log(alpha / beta) alone, hence singular, where the likelihood is flat in alpha + beta or still
        rises at a bound.
        """
        size = alpha + beta
        both, both2 = ((self.at_risk / (size + self.k - 1) ** power).sum() for power in (1, 2))
        stay, stay2 = ((self.stayed / (beta + self.k - 1) ** power).sum() for power in (1, 2))
        information = np.array(
            [
                [alpha * both - alpha**2 * both2, -alpha * beta * both2],
                [-alpha * beta * both2, beta * (both - stay) + beta**2 * (stay2 - both2)],
            ]
        )
        # d(log alpha, log beta) / d(log odds, log size)
        turn = np.array([[beta / size, 1.0], [-alpha / size, 1.0]])
        turned = turn.T @ information @ turn
        inside = _LOG_SIZE[0] + 1e-6 < np.log(size) < _LOG_SIZE[1] - 1e-6
        about_size = turned[1, 1] - turned[0, 1] ** 2 / turned[0, 0]
        if inside and about_size * (_LOG_SIZE[1] - _LOG_SIZE[0]) ** 2 > 1:
            return np.asarray(turn @ np.linalg.inv(turned) @ turn.T)
        return np.asarray(np.outer(turn[:, 0], turn[:, 0]) / turned[0, 0])

    def draws(self, alpha: float, beta: float, n: int, seed: int) -> np.ndarray:
        """``n`` pairs in proportion to likelihood times weight, shape (n, 2); ``alpha`` and ``beta`` are the best.

        On a grid of log(alpha + beta), log(alpha / beta) is normal around its best value there (Tierney & Kadane
        1986); the weight is half-Cauchy(1) in 1 / sqrt(alpha), flat in log(alpha / beta).
        """
        rng = np.random.default_rng(seed)
        size, place = np.linspace(*_LOG_SIZE, 141), np.full(141, np.log(alpha / beta))
        for _ in range(2):  # the whole range first, then finely where anything is likely at all
            place, spread = self._best_odds(size, place)
            alphas, betas = _alpha_beta(place, size)
            weighted = np.log(spread) - np.log(np.sqrt(alphas) + 1 / np.sqrt(alphas))
            height = self.log_likelihood(alphas, betas) + weighted
            grid, likely = size, np.flatnonzero(height > height.max() - 20)
            size = np.linspace(grid[max(likely[0] - 1, 0)], grid[min(likely[-1] + 1, len(grid) - 1)], 401)
            best, place = place, np.interp(size, grid, place)
        weight = np.exp(height - height.max())
        chosen = rng.choice(len(grid), n, p=weight / weight.sum())
        drawn = np.clip(grid[chosen] + rng.uniform(-0.5, 0.5, n) * (grid[1] - grid[0]), grid[0], grid[-1])
        odds = np.interp(drawn, grid, best) + rng.standard_normal(n) * np.interp(drawn, grid, spread)
        return np.column_stack(_alpha_beta(np.clip(odds, *_LOG_ODDS), drawn))

    def _best_odds(self, size: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each log(alpha + beta) the most likely log(alpha / beta), near ``place``, and its standard error."""
        lost = self.lost.sum()
        for _ in range(60):  # Newton's steps: the log-likelihood is concave along log(alpha / beta)
            alpha, beta = _alpha_beta(place, size)
            each = 1 / np.add.outer(beta, self.k - 1)
            stay, stay2 = (each * self.stayed).sum(axis=1), (each * each * self.stayed).sum(axis=1)
            slope = alpha * beta * (stay + alpha * stay2) / (alpha + beta)
            step = np.clip((lost - alpha * stay) / slope, -1, 1)
            place = np.clip(place + step, *_LOG_ODDS)
            if np.abs(step).max() < 1e-9:
                break
        return place, 1 / np.sqrt(slope * beta / (alpha + beta))


def _alpha_beta(log_odds: Any, log_size: Any) -> tuple[Any, Any]:
    return np.exp(log_size) * expit(log_odds), np.exp(log_size) * expit(-log_odds)
