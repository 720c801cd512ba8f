"""The g-formula: its fits, its bootstrap, and planted effects recovered."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.errors import ContractError
from cs_helpers.core.stats.logistic import logistic
from cs_helpers.data.sample.worlds import simulate
from cs_helpers.roi.association import naive_contrasts
from cs_helpers.roi.effect import measure_effect
from cs_helpers.roi.gformula import RIDGE, designs, filled_health, fit_models, points_without, simulate_futures
from cs_helpers.roi.trial import trial

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from simulation import claims, estimates


@pytest.fixture(scope="module")
def followed():
    return trial(simulate("A", accounts=1500, months=12, seed=5).panel)


@pytest.fixture(scope="module")
def models(followed):
    return fit_models(followed)


def once(followed):
    return np.ones((len(followed.accounts), 1))


def test_a_draws_single_newton_step_is_close_to_fitting_its_accounts_anew(followed, models):
    rng = np.random.default_rng(2)
    n = len(followed.accounts)
    times = np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(4)]).astype(float)
    stepped = models.leaving.drawn(times)
    x, y = leaving_design(followed, models)
    account = followed.rows["account"].to_numpy()
    for weights, coefficients in zip(times, stepped, strict=True):
        exact = logistic(x, y, weights[account], ridge=RIDGE).coefficients
        moved = np.std(x @ (exact - models.leaving.coefficients))
        missed = np.std(x @ (coefficients - exact))
        assert moved > 0.1  # a draw moves the log odds of leaving by that much ...
        assert missed < 0.2 * moved  # ... and the step goes at least four fifths of the way


def leaving_design(followed, models):
    return designs(followed, models.scales, models.filled).leaving, followed.rows["churned"].to_numpy(float)


def test_the_fit_is_the_penalised_logistic_regression_of_its_design(followed, models):
    x, y = leaving_design(followed, models)
    np.testing.assert_allclose(models.leaving.coefficients, logistic(x, y, ridge=RIDGE).coefficients, atol=1e-8)
    # At the maximum the accounts' scores add up to the pull of the ridge.
    np.testing.assert_allclose(
        models.leaving.scores.sum(axis=0), models.leaving.penalty * models.leaving.coefficients, atol=1e-6
    )


def test_where_coverage_changes_nothing_both_futures_are_the_same(followed, models):
    idle = [replace(fit, coefficients=fit.coefficients.copy()) for fit in (models.leaving, models.next_health)]
    idle[0].coefficients[-3:] = 0.0  # covered, covered x health, covered x size
    idle[1].coefficients[-4:-1] = 0.0
    still = replace(models, leaving=idle[0], next_health=idle[1])
    futures = simulate_futures(still, 12, once(followed), draws=2)
    np.testing.assert_array_equal(futures.natural, futures.vanished)
    moved = simulate_futures(models, 12, once(followed), draws=2)
    assert moved.points(12)[0] > 1


def test_an_effect_through_health_alone_takes_a_month_to_show(followed, models):
    direct = replace(models.leaving, coefficients=models.leaving.coefficients.copy())
    direct.coefficients[-3:] = 0.0
    futures = simulate_futures(replace(models, leaving=direct), 12, once(followed), draws=2)
    gap = (futures.natural - futures.vanished)[:, 0]
    assert gap[1] == 0 and gap[12] != 0


def test_the_natural_course_is_what_happened(followed, models):
    futures = simulate_futures(models, 12, once(followed), draws=2)
    for t in (3, 6, 12):
        assert futures.natural[t, 0] == pytest.approx(followed.survives(t).mean(), abs=0.01)
    observed = followed.rows.groupby("t")["covered"].mean()
    assert futures.covered[[0, 6, 11]] == pytest.approx(observed.loc[[0, 6, 11]].to_numpy(), abs=0.03)


def test_the_same_seed_gives_the_same_futures_and_another_one_does_not(followed, models):
    first, second, other = (simulate_futures(models, 6, once(followed), draws=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.vanished_draws, second.vanished_draws)
    assert (first.vanished_draws != other.vanished_draws).any()


def test_weights_say_whose_future_is_looked_at(followed, models):
    mrr = followed.accounts["mrr"].to_numpy()
    large = (mrr > np.median(mrr)).astype(float)
    columns = np.column_stack([np.ones(len(mrr)), large, 1 - large])
    futures = simulate_futures(models, 12, columns, draws=2)
    share = large.mean()
    mixed = share * futures.natural[:, 1] + (1 - share) * futures.natural[:, 2]
    np.testing.assert_allclose(futures.natural[:, 0], mixed)  # everybody is the large and the small together
    assert abs(futures.natural[12, 1] - futures.natural[12, 2]) > 0.01


def test_draws_spread_as_counted_shares_do(followed, models):
    mrr = followed.accounts["mrr"].to_numpy()
    drawn = simulate_futures(models, 12, mrr[:, None], draws=80).natural_draws[:, 12, 0]
    stays = followed.survives(12)
    share = np.average(stays, weights=mrr)
    counted = np.sqrt(((mrr * (stays - share)) ** 2).sum()) / mrr.sum()
    assert 0.75 < drawn.std(ddof=1) / counted < 1.25


def test_an_account_counts_in_a_future_as_often_as_it_was_drawn(followed, models):
    order = followed.accounts["health"].to_numpy().argsort()
    few = np.zeros((len(order), 3))
    few[order[:15], 0] = few[order[-15:], 1] = 1  # the sickest, the healthiest, and both
    few[:, 2] = few[:, 0] + few[:, 1]
    sick, healthy, both = simulate_futures(models, 12, few, draws=8).natural_draws[:, 12].T
    of_sick = (healthy - both) / (healthy - sick)
    assert (np.abs(of_sick - 0.5) > 0.02).any()  # fifteen each, but no draw is bound to take as many of both
    assert (np.abs(of_sick - 0.5) < 0.3).all()


def test_leaving_out_nobody_changes_nothing_and_leaving_out_many_does(followed, models):
    nobody = np.zeros(len(followed.accounts))
    some = nobody.copy()
    some[::2] = 1
    whole, again, half = points_without(models, 12, [nobody, nobody, some])
    assert whole == again
    assert whole == pytest.approx(simulate_futures(models, 12, once(followed), draws=2).points(12)[0], abs=0.4)
    assert abs(half - whole) > 1e-3


def test_gaps_in_health_take_the_last_known_value_and_before_the_first_the_median():
    rows = pd.DataFrame(
        {
            "account_id": ["a"] * 3 + ["b"] * 2,
            "month": [0, 1, 2, 1, 2],
            "mrr": 10.0,
            "tenure_months": 1,
            "covered": False,
            "churned": False,
            "health": [np.nan, 2.0, np.nan, np.nan, 4.0],
        }
    )
    assert filled_health(trial(rows)).tolist() == [3.0, 2.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"health": np.nan}, "health is known of no account-month"),
        ({"covered": True}, "every account-month is covered"),
        ({"covered": False}, "no account-month is covered"),
        ({"churned": False}, "no account leaves"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(change, words):
    panel = simulate("A", accounts=60, months=6, seed=1).panel
    stay = panel.groupby("account_id")["churned"].transform("sum") == 0
    panel = panel[stay | (change != {"churned": False})].assign(**change)
    with pytest.raises(ContractError, match=words):
        fit_models(trial(panel))


def test_a_horizon_that_nobody_was_followed_for_is_refused(models, followed):
    with pytest.raises(ContractError, match="no account was followed for 13 months"):
        simulate_futures(models, 13, once(followed), draws=2)


@pytest.fixture(scope="module")
def twenty():
    """Five draws each of the worlds in which the effect must be recovered and of the one without any."""
    return [estimates(world, seed, draws=40) for world in "AIBN" for seed in range(301, 306)]


@pytest.mark.xdist_group("twenty")  # one worker draws them once
def test_twenty_runs_recover_the_planted_effects_by_account_and_by_mrr(twenty):
    for key, most in (("logo", 0.6), ("mrr", 1.0)):
        off, se = (np.array([each[name] for _, each in twenty]) for name in (key, f"{key}_se"))
        chance = 2.6 * float(np.sqrt((se**2).sum())) / len(twenty)  # 99 % of what chance alone gives twenty runs
        assert abs(off.mean()) < most + chance
        assert (np.abs(off) <= 1.96 * se).sum() >= 16  # 19 are expected; fewer than 16 have probability .002 at 95 %


@pytest.mark.xdist_group("twenty")  # one worker draws them once
def test_twenty_runs_show_the_naive_contrast_off_by_far(twenty):
    for followed, each in twenty:
        ever_never = next(item for item in naive_contrasts(followed, 24) if item.key == "ever_never")
        assert ever_never.value - each["true"] > 5
        assert ever_never.low > each["true"]


@pytest.mark.xdist_group("twenty")  # one worker draws them once
def test_where_coverage_does_nothing_hardly_a_report_claims_that_it_does(twenty):
    effects = [measure_effect(followed, draws=40) for followed, each in twenty if each["world"] == "N"]
    assert all(each.main_evidence is not None for each in effects)
    assert sum(map(claims, effects)) <= 1
    assert all(each["logo_value"] > 1.96 * each["logo_se"] for _, each in twenty if each["world"] != "N")
