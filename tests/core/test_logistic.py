"""Logistic regression against arithmetic by hand, another package, and the equations its solution must fulfil."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from cs_helpers.core.errors import ContractError
from cs_helpers.core.stats.logistic import log_loss, logistic, probability_of


def drawn(seed, n=400, columns=4):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, columns))])
    truth = np.append(-1.0, rng.normal(0, 0.7, columns))
    return rng, x, (rng.random(n) < probability_of(x @ truth)).astype(float)


def test_a_table_of_two_by_two_gives_the_odds_ratio_and_the_error_of_woolf():
    # Without the feature 10 of 50 left, with it 30 of 50: odds 10/40 and 30/20, ratio (30 * 40) / (20 * 10) = 6.
    x = np.column_stack([np.ones(100), np.repeat([0.0, 1.0], 50)])
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [10, 40, 30, 20])
    found = logistic(x, y)
    assert found.coefficients == approx([math.log(10 / 40), math.log(6)], abs=1e-9)
    assert found.standard_errors == approx([math.sqrt(1 / 10 + 1 / 40), math.sqrt(1 / 10 + 1 / 40 + 1 / 30 + 1 / 20)])
    by_hand = 10 * math.log(0.2) + 40 * math.log(0.8) + 30 * math.log(0.6) + 20 * math.log(0.4)
    assert found.log_likelihood == approx(by_hand)
    assert found.converged


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_it_equals_statsmodels(seed):
    _, x, y = drawn(seed)
    found, other = logistic(x, y), sm.Logit(y, x).fit(disp=0, method="newton", tol=1e-12, maxiter=100)
    assert found.coefficients == approx(other.params, abs=1e-6)
    assert found.covariance == approx(other.cov_params(), abs=1e-6)
    assert found.log_likelihood == approx(other.llf, abs=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_weights_and_offset_equal_statsmodels(seed):
    rng, x, y = drawn(seed)
    weights, offset = rng.integers(1, 5, len(y)).astype(float), rng.normal(size=len(y))
    found = logistic(x, y, weights, offset)
    other = sm.GLM(y, x, sm.families.Binomial(), offset=offset, freq_weights=weights).fit(tol=1e-12)
    assert found.coefficients == approx(other.params, abs=1e-6)
    assert found.covariance == approx(other.cov_params(), abs=1e-6)


def test_a_weight_of_three_is_the_row_three_times():
    rng, x, y = drawn(1)
    times = rng.integers(0, 4, len(y))
    found, repeated = logistic(x, y, times), logistic(np.repeat(x, times, axis=0), np.repeat(y, times))
    assert found.coefficients == approx(repeated.coefficients, abs=1e-8)
    assert found.log_likelihood == approx(repeated.log_likelihood)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 10.0, 500.0]))
@settings(max_examples=30, deadline=None)
def test_at_the_solution_the_gradient_is_zero_and_the_intercept_is_not_penalised(seed, ridge):
    _, x, y = drawn(seed)
    found = logistic(x, y, ridge=ridge)
    residual = x.T @ (y - probability_of(found.log_odds(x)))
    assert residual[0] == approx(0, abs=1e-6)
    assert residual[1:] == approx(ridge * found.coefficients[1:], abs=1e-5)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_warm_start_leads_to_the_same_place_in_fewer_steps(seed):
    _, x, y = drawn(seed)
    cold = logistic(x, y, ridge=2.0)
    warm = logistic(x, y, ridge=2.0, start=cold.coefficients)
    assert warm.coefficients == approx(cold.coefficients, abs=1e-7)
    assert warm.iterations < cold.iterations


def test_a_start_far_away_still_reaches_the_maximum():
    _, x, y = drawn(5)
    far = logistic(x, y, start=[40.0, -30.0, 25.0, 60.0, -50.0])
    assert far.coefficients == approx(logistic(x, y).coefficients, abs=1e-6)


def test_complete_separation_stops_without_a_maximum_and_ridge_finds_one():
    x = np.column_stack([np.ones(20), np.arange(20) - 9.5])
    y = np.arange(20) > 9
    bare, drawn_in = logistic(x, y), logistic(x, y, ridge=1.0)
    assert not bare.converged and np.isfinite(bare.coefficients).all() and np.isfinite(bare.covariance).all()
    assert bare.log_likelihood == approx(0, abs=1e-6)
    assert drawn_in.converged and 0 < drawn_in.coefficients[1] < 5


@pytest.mark.parametrize("y", [np.zeros(30), np.ones(30)], ids=["nobody left", "everybody left"])
def test_one_outcome_alone_is_said_not_to_converge(y):
    found = logistic(np.column_stack([np.ones(30), np.arange(30.0)]), y)
    assert not found.converged and np.isfinite(found.coefficients).all()


def test_columns_that_say_the_same_share_the_coefficient():
    _, x, y = drawn(3)
    once, twice = logistic(x, y), logistic(np.column_stack([x, x[:, 4]]), y)
    assert twice.coefficients[4] == approx(twice.coefficients[5], abs=1e-8)
    assert twice.coefficients[4] + twice.coefficients[5] == approx(once.coefficients[4], abs=1e-6)
    assert twice.log_likelihood == approx(once.log_likelihood)


def test_the_units_of_a_column_do_not_matter():
    _, x, y = drawn(4)
    units = np.array([1, 1e7, 1e-7, 1e3, 1.0])
    found, plain = logistic(x * units, y), logistic(x, y)
    assert found.coefficients * units == approx(plain.coefficients, rel=1e-6)
    assert found.standard_errors * units == approx(plain.standard_errors, rel=1e-6)


def test_log_loss_is_minus_the_log_of_the_probability_of_what_happened():
    assert log_loss([math.log(3), math.log(3)], [1, 0]) == approx([-math.log(0.75), -math.log(0.25)])
    assert log_loss([800.0, -800.0], [0, 0]) == approx([800.0, 0.0])


@pytest.mark.parametrize(
    "given",
    [
        {"x": [[1.0], [1.0]], "y": [0, 1, 1]},
        {"x": np.ones((0, 1)), "y": []},
        {"x": [[1.0], [math.nan]], "y": [0, 1]},
        {"x": [[1.0], [1.0]], "y": [0, 2]},
        {"x": [[1.0], [1.0]], "y": [0, math.nan]},
        {"x": [[1.0], [1.0]], "y": [0, 1], "weights": [1, -1]},
        {"x": [[1.0], [1.0]], "y": [0, 1], "offset": [1]},
        {"x": [[1.0], [1.0]], "y": [0, 1], "ridge": -1},
        {"x": [[1.0], [1.0]], "y": [0, 1], "start": [0, 0]},
    ],
    ids=["shapes", "no rows", "missing x", "y of 2", "missing y", "negative weight", "one offset", "ridge", "start"],
)
def test_input_that_cannot_be_fitted_is_refused(given):
    with pytest.raises(ContractError):
        logistic(**given)
