"""Logistic regression by Newton's method, with a ridge penalty, weights, an offset and warm starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from cs_helpers.core.errors import ContractError
from cs_helpers.core.stats.threads import one_thread

_BLOCK = 65_536  # rows at a time: the weighted copy of x stays small
_MAX_STEPS, _MAX_HALVINGS, _STEPS_TO_INFINITY = 60, 40, 20
_SAME = 1e-10  # columns whose difference has less than this share of their information are treated as equal
_CLOSE = 1e-12  # Newton decrement, relative to the log-likelihood


@dataclass(frozen=True, eq=False)
class Logistic:
    """A fitted logistic regression, P(y = 1) = 1 / (1 + exp(-(offset + x coefficients))).

    ``covariance``: inverse of the (penalised) information at the coefficients; with ridge > 0 its intervals are of
    the shrunken coefficients. ``log_likelihood`` is without the penalty. ``converged`` is False where there is no
    maximum to reach (complete separation without ridge); the coefficients are then where the fit stopped.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    iterations: int
    converged: bool

    @property
    def standard_errors(self) -> np.ndarray:
        """Square roots of the diagonal of ``covariance``, one per coefficient."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    def log_odds(self, x: ArrayLike) -> np.ndarray:
        """x coefficients, one per row, without any offset: the same bits for equal rows, whatever their order."""
        return np.asarray(np.einsum("ij,j->i", np.ascontiguousarray(x, float), self.coefficients))


def probability_of(log_odds: ArrayLike) -> np.ndarray:
    """1 / (1 + exp(-log odds)), elementwise, without overflow."""
    return np.asarray(expit(np.asarray(log_odds, float)))


def log_loss(log_odds: ArrayLike, y: ArrayLike) -> np.ndarray:
    """-log P(y), one per row: log(1 + exp(log odds)) - y log odds. Finite for finite log odds; natural logarithm."""
    eta, y_ = np.asarray(log_odds, float), np.asarray(y, float)
    return np.asarray(np.logaddexp(0.0, eta) - y_ * eta)


def logistic(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ridge: float = 0.0,
    start: ArrayLike | None = None,
) -> Logistic:
    """Maximise  sum w (y eta - log(1 + exp eta)) - ridge / 2 * sum(b[1:]²),  eta = offset + x b.

    ``x``: rows x columns, column 0 the intercept (ones), which is not penalised; ``y``: 0 to 1; ``weights`` >= 0 and
    ``offset``: one per row; ``start``: coefficients to start from. Newton's method (iteratively reweighted least
    squares), the step halved until the objective does not fall. Of collinear columns, the solution with the smallest
    coefficients is taken. Raises ContractError for shapes that do not fit, values missing or out of range, no rows.
    Source: McCullagh & Nelder 1989, section 4.4; le Cessie & van Houwelingen 1992 for the ridge.
    """
    x_, y_ = np.asarray(x, float), np.asarray(y, float)
    if x_.ndim != 2 or y_.shape != (len(x_),) or not x_.size:
        raise ContractError(f"x is {x_.shape} and y {y_.shape}: give rows x columns, and one y for each row")
    w = np.ones(len(y_)) if weights is None else np.asarray(weights, float)
    shift = np.zeros(len(y_)) if offset is None else np.asarray(offset, float)
    if w.shape != y_.shape or shift.shape != y_.shape:
        raise ContractError(f"{len(y_)} rows, {w.shape} weights and {shift.shape} offsets: give one for each row")
    if not (np.isfinite(w).all() and np.isfinite(shift).all() and np.isfinite(x_).all()):
        raise ContractError("x, weights and offset must be finite: fill or drop missing values first")
    if not ((y_ >= 0) & (y_ <= 1)).all() or (w < 0).any() or not ridge >= 0:
        raise ContractError("y must lie between 0 and 1, weights and ridge must not be negative")
    penalty = np.full(x_.shape[1], float(ridge))
    penalty[0] = 0.0
    b = np.zeros(x_.shape[1]) if start is None else np.array(start, float)
    if b.shape != penalty.shape or not np.isfinite(b).all():
        raise ContractError(f"start has {b.shape} values for {x_.shape[1]} columns: give one finite value for each")

    with one_thread():
        return _newton(x_, y_, w, shift, penalty, b)


def _newton(
    x_: np.ndarray, y_: np.ndarray, w: np.ndarray, shift: np.ndarray, penalty: np.ndarray, b: np.ndarray
) -> Logistic:
    def likelihood(eta: np.ndarray) -> float:
        return -float(w @ log_loss(eta, y_))

    def objective(eta: np.ndarray, point: np.ndarray) -> float:
        return likelihood(eta) - float(penalty @ point**2) / 2

    eta = shift + x_ @ b
    value = objective(eta, b)
    iterations, converged = 0, False
    while iterations < _MAX_STEPS:
        iterations += 1
        p = expit(eta)
        gradient = x_.T @ (w * (y_ - p)) - penalty * b
        step = _solve(_information(x_, w * p * (1 - p), penalty), gradient)
        close = float(gradient @ step) <= _CLOSE * (1 + abs(value))
        length, along = 1.0, x_ @ step
        for _ in range(_MAX_HALVINGS):
            reached = objective(eta + length * along, b + length * step)
            if reached >= value or close:  # so close, rounding would decide
                break
            length /= 2
        else:
            close, length, reached = True, 0.0, value  # no step improves: the maximum to machine precision
        b, eta, value = b + length * step, eta + length * along, reached
        if close:  # and this step has squared what distance was left
            # Log odds that run away to infinity grow by about 1 each step, until floats no longer differ.
            converged = iterations < _STEPS_TO_INFINITY or bool(np.abs(eta).max() < 30)
            break
    p = expit(eta)
    covariance = _inverse(_information(x_, w * p * (1 - p), penalty))
    return Logistic(b, covariance, likelihood(eta), iterations, converged)


def _information(x: np.ndarray, w: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """x' diag(w) x + diag(penalty)."""
    total = np.diag(penalty)
    for first in range(0, len(x), _BLOCK):
        part = x[first : first + _BLOCK]
        total = total + part.T @ (part * w[first : first + _BLOCK, None])
    return total


def _solve(information: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The Newton step; with collinear columns the smallest of the possible steps."""
    scale = _scale(information)
    scaled = information / np.outer(scale, scale)
    try:
        lower = np.linalg.cholesky(scaled)
        if (np.diag(lower) ** 2 > _SAME).all():
            step: np.ndarray = np.linalg.solve(lower.T, np.linalg.solve(lower, gradient / scale)) / scale
            return step
    except np.linalg.LinAlgError:
        pass
    smallest: np.ndarray = _inverse(information) @ gradient
    return smallest


def _inverse(information: np.ndarray) -> np.ndarray:
    scale = _scale(information)
    scaled = information / np.outer(scale, scale)
    return np.linalg.pinv(scaled, rcond=_SAME, hermitian=True) / np.outer(scale, scale)


def _scale(information: np.ndarray) -> np.ndarray:
    """What brings the diagonal to 1, so that the units of the columns do not decide what counts as the same."""
    root = np.sqrt(np.diag(information))
    return np.where(root > 0, root, 1.0)
