"""The methods beside the g-formula: arithmetic by hand, properties, worlds with known truth, and what is refused."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats.clusters import clustered_covariance, student_quantile, two_sided_p
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.core.stats.sensitivity import bias_factor, e_value
from cs_helpers.data.sample.worlds import simulate
from cs_helpers.roi.adjustment import adjustment
from cs_helpers.roi.association import association, naive_contrasts
from cs_helpers.roi.baseline import baseline_trial, point_treatment
from cs_helpers.roi.conditions import run_negative_controls, yardstick
from cs_helpers.roi.ltmle import ltmle, never_arm
from cs_helpers.roi.trial import trial
from cs_helpers.roi.vacancy import vacancy

CONTROLS = {"outcomes": ["late_payment"], "exposures": ["coverage_starts_next_quarter"]}
LARGE = 5000  # accounts
METHODS = (ltmle, baseline_trial, vacancy, association)


@cache
def world(letter, accounts=2000, seed=1, months=24):
    drawn = simulate(letter, accounts, months, seed)
    return drawn, trial(drawn.panel, **CONTROLS)


def truth(letter, horizon=24):
    return world(letter)[0].truth["effect"][str(horizon)]["logo_points"]


def paths(*groups, **columns):
    """A panel from (number of accounts, "one letter per month", leaves at the end): C covered, - not. All alike."""
    rows, number = [], 0
    for count, months, leaves in groups:
        for _ in range(count):
            number += 1
            for month, letter in enumerate(months):
                rows.append((f"a{number:05d}", month, letter == "C", leaves and month == len(months) - 1))
    panel = pd.DataFrame(rows, columns=["account_id", "month", "covered", "churned"])
    return panel.assign(**({"mrr": 100.0, "tenure_months": 12, "health": 0.0, "csm_id": ""} | columns))


TWO_MONTHS = paths(
    (4, "-", True), (2, "--", True), (8, "--", False), (1, "-C", True), (5, "-C", False),
    (2, "C", True), (1, "CC", True), (17, "CC", False),
)  # fmt: skip


# --- longitudinal TMLE -----------------------------------------------------------------------------------------------


def test_with_nothing_to_adjust_for_the_never_covered_survive_as_kaplan_and_meier_say():
    # Uncovered in month 0: 20, of which 4 left. Of 16, 6 became covered in month 1 and stop following; of 10, 2 left.
    found = ltmle(trial(TWO_MONTHS), 2)
    assert found.detail["survival_never"] == approx((16 / 20) * (8 / 10))
    assert found.detail["survival_observed"] == approx((8 + 5 + 17) / 40)
    assert found.value == approx(100 * (30 / 40 - 16 / 20 * 8 / 10))
    assert (found.accounts, found.churned) == (40, 10)


def test_its_standard_error_is_that_of_the_influence_curve_worked_out_by_hand():
    # Weights 1 / (20/40) in month 0 and 1 / (20/40 * 10/16) in month 1; Q_1 = .8 and Q_0 = .64 for everybody.
    found = ltmle(trial(TWO_MONTHS), 2)
    first, second, observed, never = 2.0, 2 * 1.6, 30 / 40, 0.64
    never_part = {
        "left in month 0": first * (0 - 0.64),
        "left in month 1": first * (0.8 - 0.64) + second * (0 - 0.8),
        "stayed": first * (0.8 - 0.64) + second * (1 - 0.8),
        "then covered": first * (0.8 - 0.64),
        "covered": 0.0,
    }
    groups = [
        (4, 0, "left in month 0"), (2, 0, "left in month 1"), (8, 1, "stayed"), (1, 0, "then covered"),
        (5, 1, "then covered"), (3, 0, "covered"), (17, 1, "covered"),
    ]  # fmt: skip
    squares = sum(n * (stays - observed - never_part[what]) ** 2 for n, stays, what in groups)
    assert never == approx(found.detail["survival_never"])
    assert found.se == approx(100 * math.sqrt(squares) / 40)
    assert (found.low, found.high) == (
        approx(found.value - 1.959964 * found.se),
        approx(found.value + 1.959964 * found.se),
    )


def test_the_never_covered_are_counted_as_the_gates_need_them():
    arm = never_arm(trial(TWO_MONTHS), 2)
    assert (arm.accounts, arm.never_covered, arm.never_churned, arm.at_horizon) == (40, 4 + 2 + 8, 4 + 2, 8)
    assert arm.ess == approx(8) and arm.largest_weight == approx(2 * 1.6)
    detail = ltmle(trial(TWO_MONTHS), 2).detail
    assert all(detail[name] == getattr(arm, name) for name in ("never_churned", "at_horizon", "ess", "largest_weight"))


def test_accounts_seen_too_late_for_the_horizon_are_not_followed_by_it():
    early = paths((4, "-", True), (8, "---", False), (3, "C", True), (20, "CCC", False))
    late = paths((2, "-", True), (5, "--", False)).assign(month=lambda f: f["month"] + 1)
    both = trial(pd.concat([early, late.assign(account_id="late" + late["account_id"])]))
    assert ltmle(both, 2).accounts == 42 and ltmle(both, 3).accounts == 35
    assert never_arm(both, 2).at_horizon == 8 + 5 and never_arm(both, 3).at_horizon == 8
    assert ltmle(both, 3).detail["survival_never"] == approx(8 / 12, abs=1e-4)  # no survival counts as quite 1
    assert ltmle(both, 2).detail["survival_never"] == approx(8 / 12 * 35 / 42 + 5 / 7 * 7 / 42, abs=0.02)


@pytest.mark.parametrize("letter", ["A", "I", "N"])
def test_over_many_draws_ltmle_leans_to_neither_side_of_the_truth(letter):
    found = [ltmle(world(letter, 1500, seed, 12)[1], 12) for seed in range(1, 13)]
    values, errors = (np.array([getattr(each, name) for each in found]) for name in ("value", "se"))
    true = world(letter, 1500, 1, 12)[0].truth["effect"]["12"]["logo_points"]
    assert abs(values.mean() - true) < 2.5 * errors.mean() / math.sqrt(12)
    assert 0.6 < errors.mean() / values.std(ddof=1) < 1.7 and errors.mean() < 2.6
    assert sum(each.low <= true <= each.high for each in found) >= 10


def test_ltmle_sees_what_works_through_health_and_the_association_does_not():
    _, found = world("A", LARGE)
    assert association(found, 24).value < ltmle(found, 24).value - 1
    assert association(found, 24).value == approx(truth("A") - 3.1, abs=1.6)  # parameters.py: health as observed, -3.1


def test_a_hidden_confounder_fools_it_and_the_negative_controls_tell():
    _, found = world("UN")
    assert ltmle(found, 24).low > 0  # there is no effect
    assert min(each.p for each in run_negative_controls(found)) < 0.001


# --- covered at the start or not -------------------------------------------------------------------------------------

START = paths((20, "C", True), (80, "CC", False), (20, "-", True), (40, "--", False))


def test_with_nothing_to_adjust_for_the_baseline_compares_two_shares():
    found = baseline_trial(trial(START), 2)
    assert found.value == approx(100 * (120 / 160 - 40 / 60))
    assert found.detail["covered_minus_uncovered"] == approx(100 * (80 / 100 - 40 / 60))
    assert found.detail["standardised_untreated"] == approx(40 / 60) == approx(found.detail["weighted_untreated"])
    assert found.detail["survival_observed"] == 120 / 160
    # Y - Y0 of the uncovered: Y - m0 - (Y - m0) / (60/160); of the covered: Y - m0.
    m0, n = 40 / 60, 160
    each = np.repeat([1 - m0, 0 - m0, (1 - m0) * (1 - n / 60), (0 - m0) * (1 - n / 60)], [80, 20, 40, 20])
    assert found.se == approx(100 * each.std(ddof=1) / math.sqrt(n), rel=2e-3)  # the ridge moves m0 a little


def test_the_baseline_adjusts_for_who_was_covered():
    # Sick accounts (health -1) leave half the time and are mostly covered; the others a tenth. Coverage does nothing.
    sick = paths((90, "C", True), (90, "CC", False), (30, "-", True), (30, "--", False), health=-1.0)
    well = paths((20, "C", True), (180, "CC", False), (60, "-", True), (540, "--", False), health=1.0)
    well["account_id"] = "b" + well["account_id"]
    found = baseline_trial(trial(pd.concat([sick, well])), 2)
    assert found.value == approx(0, abs=0.05)
    crude = 100 * (270 / 380 - 570 / 660)
    assert crude < -15 and found.detail["covered_minus_uncovered"] == approx(0, abs=0.2)


def test_without_confounders_weighted_curves_are_those_of_kaplan_and_meier():
    # Three months, one curve per arm with three free coefficients: it goes through all three points.
    months, left = (
        np.repeat([1, 2, 3, 3, 1, 2, 3, 3], [5, 4, 3, 8, 2, 2, 2, 14]),
        np.repeat([1, 1, 1, 0] * 2, [5, 4, 3, 8, 2, 2, 2, 14]),
    )
    found = point_treatment(np.zeros((40, 1)), np.repeat([False, True], 20), months, left == 1, 3).curves
    assert found["weighted_untreated"].tolist() == approx([1, 15 / 20, 11 / 20, 8 / 20])
    assert found["weighted_treated"].tolist() == approx([1, 18 / 20, 16 / 20, 14 / 20])
    assert found["standardised_treated"].tolist() == approx([1, 18 / 20, 16 / 20, 14 / 20])


def test_units_count_only_in_the_months_they_were_seen():
    # Of 20, 10 are lost to sight after month 1, and one of the other ten leaves in month 2: hazard 1/10, not 1/20.
    months, left = np.repeat([1, 2, 2], [10, 1, 9]), np.repeat([0, 1, 0], [10, 1, 9])
    found = point_treatment(
        np.zeros((40, 1)), np.repeat([False, True], 20), [*months, *months], [*left, *left] == np.ones(40), 2
    )
    assert found.curves["weighted_treated"].tolist() == approx([1, 1, 0.9], abs=1e-4)
    assert found.events == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"duration_months": [1, 0, 2, 2]}, "whole months"),
        ({"duration_months": [1, 1.5, 2, 2]}, "whole months"),
        ({"treated": [True] * 4}, "both kinds"),
        ({"confounders": [[0.0], [np.nan], [1.0], [2.0]]}, "complete"),
        ({"churned": [True]}, "one for each unit"),
    ],
)
def test_a_point_treatment_that_cannot_be_analysed_says_why(change, words):
    whole = {"confounders": [[0.0], [1.0], [1.0], [2.0]], "treated": [True, False, True, False]}
    whole |= {"duration_months": [1, 2, 2, 2], "churned": [True, False, True, False], "horizon": 2}
    with pytest.raises(ContractError, match=words):
        point_treatment(**(whole | change))


def test_one_decision_at_the_start_understates_what_going_without_for_good_costs():
    found = baseline_trial(world("A", LARGE)[1], 24)
    assert found.high < truth("A") and found.low > 0
    assert abs(baseline_trial(world("N", LARGE)[1], 24).value) < 2.5


# --- association and naive contrasts ---------------------------------------------------------------------------------


def test_the_association_of_two_hazards_worked_out_by_hand():
    # One month: of 100 covered 20 left, of 60 uncovered 20. An account that stayed under cover stays without it with
    # (1 - 20/60) / (1 - 20/100) of its probability.
    found = association(trial(paths((20, "C", True), (80, "C", False), (20, "-", True), (40, "-", False))), 1)
    ratio = (40 / 60) / (80 / 100)
    assert found.value == approx(100 * 80 / 160 * (1 - ratio))
    assert found.detail["odds_ratio"] == approx((20 / 80) / (20 / 40))
    spread = math.sqrt(1 / 20 + 1 / 80 + 1 / 20 + 1 / 40) * math.sqrt(160 / 159)
    assert math.log(found.detail["odds_ratio_high"] / found.detail["odds_ratio"]) == approx(1.959964 * spread)
    # Influence: d value = (80/160) d(1 - r), r = s0 / s1, s the shares that stay, and the share of covered that stay.
    each = []
    for covered, stays, n in ((1, 0, 20), (1, 1, 80), (0, 0, 20), (0, 1, 40)):
        of_s1 = 0.5 * (40 / 60) / 0.8**2 * covered * (stays - 0.8) / 100
        of_s0 = -0.5 / 0.8 * (1 - covered) * (stays - 40 / 60) / 60
        of_mean = (covered * stays * (1 - ratio) - 0.5 * (1 - ratio)) / 160
        each += [of_s1 + of_s0 + of_mean] * n
    assert found.se == approx(100 * math.sqrt(np.square(each).sum()))


def test_ever_against_never_is_a_difference_of_two_shares():
    found = {item.key: item for item in naive_contrasts(trial(TWO_MONTHS), 2)}["ever_never"]
    ever, never = (5 + 17) / 26, 8 / 14
    assert found.value == approx(100 * (ever - never)) and found.status == "refuted" and found.reason
    assert found.se == approx(100 * math.sqrt(ever * (1 - ever) / 26 + never * (1 - never) / 14))
    assert (found.detail["accounts_ever"], found.detail["accounts_never"]) == (26, 14)


def test_covered_against_uncovered_months_raises_two_hazards_to_the_horizon():
    # Covered months: 6 of accounts covered late, 20 + 18 of the others, and 1 + 3 left in them; uncovered 20 + 10, 6.
    found = {item.key: item for item in naive_contrasts(trial(TWO_MONTHS), 2)}["covered_months"]
    h1, h0 = 4 / (6 + 20 + 18), 6 / (20 + 10)
    assert (found.detail["hazard_covered"], found.detail["hazard_uncovered"]) == (approx(h1), approx(h0))
    assert found.value == approx(100 * ((1 - h1) ** 2 - (1 - h0) ** 2))


def test_touches_are_counted_only_where_they_are_known():
    drawn, found = world("N", LARGE)
    blind = trial(drawn.panel.drop(columns="touches"))
    assert [item.key for item in naive_contrasts(blind, 24)] == ["ever_never", "covered_months"]
    touches = naive_contrasts(found, 24)[2]
    assert touches.key == "touch_count" and touches.high < 0  # touches seem to drive accounts away; they do nothing
    assert touches.detail["log_odds_ratio"] == approx(0.16, abs=3 * touches.detail["log_odds_ratio_se"])


def test_ever_against_never_finds_an_effect_where_there_is_none_and_says_so():
    ever, months = naive_contrasts(world("N", LARGE)[1], 24)[:2]
    assert ever.low > 5 and months.high < 0
    assert {ever.status, months.status} == {"refuted"}
    biased = {letter: naive_contrasts(world(letter)[1], 24)[1].value - truth(letter) for letter in ("I", "B")}
    assert biased["I"] < -3 and biased["B"] > 3


# --- departures of CSMs ----------------------------------------------------------------------------------------------


MONTHS, NOT_THERE = 24, 10**6


def portfolios(
    seed=1, leavers=12, stayers=14, accounts=50, log_odds=0.9, before=0.0, kept=0.0, hidden=0.0, first=5, early=0
):
    """Books of CSMs; the leavers' are without cover for three months, in which the log odds of leaving rise. A share
    ``kept`` of the portfolio has a stand-in from the second of them on; if it is 1, from the first.

    Afterwards another CSM takes over. As many accounts never have a CSM; with ``hidden`` they leave more often.
    ``early`` of the CSMs who would have stayed leave in month 2.
    """
    rng, rows = np.random.default_rng(seed), []
    for csm in range(2 * (leavers + stayers)):
        named = csm < leavers + stayers
        leaves = first + csm % 14 if csm < leavers else 2 if csm < leavers + early else NOT_THERE
        for number in range(accounts):
            account, health, mrr = f"{csm:02d}-{number:03d}", rng.normal(), math.exp(6 + rng.normal())
            for month in range(MONTHS):
                vacant = leaves <= month < leaves + 3
                covered = named and (not vacant or (number < kept * accounts and (month > leaves or kept == 1)))
                who = (f"csm{csm:02d}" if month < leaves else f"new{csm:02d}") if covered else ""
                odds = -3.6 - 0.5 * health + log_odds * (vacant or not named) + hidden * (not named)
                odds += before * (leaves - 3 <= month < leaves)
                left = rng.random() < 1 / (1 + math.exp(-odds))
                rows.append((account, month, mrr, 10 + month, health, covered, who, left))
                if left:
                    break
                health = 0.8 * health + 0.6 * rng.normal()
    names = ["account_id", "month", "mrr", "tenure_months", "health", "covered", "csm_id", "churned"]
    return trial(pd.DataFrame(rows, columns=names))


def test_six_books_that_lose_their_csm_together_give_the_odds_ratio_of_a_table_of_two_by_two():
    # Accounts leave in months 1 and 4 only. The CSMs of 120 accounts leave after month 2, those of 240 stay.
    #   month 1 (before):  4 of 120 against 10 of 240;   month 4 (vacant):  12 of 116 against 12 of 230
    left = paths((4, "CC", True), (12, "CCC--", True), (104, "CCC---", False))
    stays = paths((10, "CC", True), (12, "CCCCC", True), (218, "CCCCCC", False))
    for panel, name in ((left, "left"), (stays, "stays")):
        number = panel["account_id"].str[1:].astype(int) % 6
        panel["csm_id"] = np.where(panel["covered"], name + number.astype(str), "")
        panel["account_id"] = name + panel["account_id"]
    found = vacancy(trial(pd.concat([left, stays])), 6)
    assert (found.detail["departures"], found.detail["book_accounts"], found.detail["vacant_churned"]) == (6, 120, 12)
    assert found.detail["vacant_months"] == 116 + 116 + 104
    assert found.detail["before_log_odds_ratio"] == approx(math.log((4 / 116) / (10 / 230)))
    assert found.detail["log_odds_ratio"] == approx(math.log((12 / 104) / (12 / 218)))
    woolf = math.sqrt(1 / 12 + 1 / 104 + 1 / 12 + 1 / 218)  # errors by CSM are smaller here: the leavers spread evenly
    assert found.detail["log_odds_ratio_se"] == approx(woolf * math.sqrt(360 / 359), rel=2e-3)


@cache
def planted(**how):
    return portfolios(**how)


def test_vacancies_give_the_planted_odds_ratio_of_a_month_without_cover():
    found = vacancy(planted(), 24)
    assert found.status == "shown" and found.detail["departures"] == 12
    assert abs(found.detail["log_odds_ratio"] - 0.9) < 2.5 * found.detail["log_odds_ratio_se"]
    assert found.detail["log_odds_ratio_se"] < 0.35
    reach = student_quantile(11) * found.detail["log_odds_ratio_se"]
    assert found.detail["odds_ratio_low"] == approx(found.detail["odds_ratio"] * math.exp(-reach))
    assert found.low < found.value < found.high
    assert found.detail["uncovered_share"] == 1 and found.detail["uncovered_share_others"] == 0


def test_a_trait_nobody_recorded_misleads_the_association_and_not_the_vacancies():
    found = planted(hidden=1.2, log_odds=0.0)
    fooled, honest = association(found, 24), vacancy(found, 24)
    assert fooled.low > 10  # nothing CS does moves churn here
    assert honest.low < 0 < honest.high and abs(honest.detail["log_odds_ratio"]) < 0.6


def test_books_that_churned_more_before_the_departure_are_refused():
    found = vacancy(planted(before=1.0, seed=2), 24)
    assert found.status == "refused" and "before anybody left" in found.reason
    assert found.detail["before_log_odds_ratio"] == approx(1.0, abs=0.5)


def test_a_handover_is_no_vacancy():
    found = vacancy(planted(kept=1.0), 24)
    assert found.status == "refused" and found.reason.startswith("0 CSM departures")


def test_a_stand_in_for_most_of_the_book_leaves_too_little_to_learn_from():
    # All are uncovered in the first month, a fifth of them in the next two: (1 + .2 + .2) / 3 of the months.
    found = vacancy(planted(kept=0.8), 24)
    assert found.status == "refused" and "too small a difference" in found.reason
    assert found.detail["uncovered_share"] == approx(1.4 / 3, abs=0.03)  # some left before the second month


def test_five_departures_are_too_few_and_the_reason_counts_them():
    found = vacancy(planted(leavers=5, stayers=6, seed=4), 24)
    assert found.status == "refused" and found.reason.startswith("5 CSM departures")
    assert f"{found.detail['vacant_churned']} of the accounts left" in found.reason


def test_a_csm_who_is_there_in_the_last_month_has_not_left():
    found = vacancy(planted(leavers=0, stayers=8, accounts=20), 24)
    assert found.detail["departures"] == 0


def test_books_that_lose_their_own_csm_meanwhile_are_not_what_the_others_are_compared_with():
    # Six CSMs leave in month 2, too early for a month -3; others leave from month 3 on: those are empty then.
    found = vacancy(planted(first=3, early=6), 24)
    assert found.detail["departures"] == 12 and found.detail["uncovered_share_others"] == 0


def test_without_names_nobody_is_seen_to_leave():
    found = vacancy(trial(world("A")[0].panel.drop(columns="csm_id")), 24)
    assert found.status == "refused" and "who covered" in found.reason


# --- negative controls and yardstick ---------------------------------------------------------------------------------


def test_an_outcome_tied_to_coverage_by_two_of_ten_against_four_of_ten_has_their_odds_ratio():
    panel = paths((100, "C", True), (100, "C", False), (100, "-", True), (100, "-", False))
    panel["late"] = np.tile(np.repeat([True, False], [20, 80]), 4) | np.repeat([False, True, False], [200, 1, 199])
    panel.loc[200:299, "late"] = np.repeat([True, False], [60, 40])
    (found,) = run_negative_controls(trial(panel, outcomes=["late"]))
    odds = (40 / 160) / (80 / 120)
    assert found.estimate == approx(math.log(odds))
    se = math.sqrt(1 / 40 + 1 / 160 + 1 / 80 + 1 / 120) * math.sqrt(400 / 399)
    assert found.se == approx(se) and (found.n, found.events, found.kind) == (400, 120, "outcome")
    assert found.p == approx(two_sided_p(math.log(odds) / se)) and found.p < 0.001


def test_an_exposure_is_looked_at_among_the_uncovered_only():
    panel = paths((50, "-", True), (50, "-", False), (30, "-", True), (70, "-", False), (100, "C", True))
    panel["soon"] = panel.index < 100
    (found,) = run_negative_controls(trial(panel, exposures=["soon"]))
    assert found.kind == "exposure" and found.n == 200 and found.events == 80
    assert found.estimate == approx(math.log((50 / 50) / (30 / 70)))


def test_a_control_that_is_rarely_recorded_or_no_yes_or_no_has_no_p_value_but_a_reason():
    panel = paths((50, "C", True), (50, "C", False), (50, "-", True), (50, "-", False))
    panel["rare"] = panel.index % 40 == 0
    panel["unknown"] = np.where(panel.index < 30, 1.0, np.nan)
    panel["amount"] = panel.index
    rare, unknown, amount = run_negative_controls(trial(panel, outcomes=["rare", "unknown", "amount"]))
    assert [each.p for each in (rare, unknown, amount)] == [None] * 3
    assert "5 months with the outcome" in rare.reason and unknown.n == 30 and "yes or no" in amount.reason


def test_where_nothing_is_hidden_the_controls_stay_quiet_and_where_it_is_they_do_not():
    quiet = [each.p for seed in range(1, 7) for each in run_negative_controls(world("A", 1500, seed, 12)[1])]
    loud = [each.p for seed in range(1, 4) for each in run_negative_controls(world("U", 1500, seed, 12)[1])]
    assert np.mean(np.array(quiet) < 0.05) <= 0.25 and max(loud[::2]) < 0.001


def test_the_yardstick_is_the_covariate_that_could_bias_most():
    # Thirds by health. Low: 60 of 90 left, 60 of 90 covered; high: 20 of 90 left, 20 covered. Middle: 45 and 45.
    groups = [(-1.0, 60, 60), (0.0, 45, 45), (1.0, 20, 20)]
    panels = []
    for health, left, covered in groups:
        flags = np.arange(90)
        panel = paths((90, "-", False), health=health).assign(churned=flags < left, covered=flags[::-1] < covered)
        panels.append(panel.assign(account_id=[f"{health}{i}" for i in flags]))
    found = yardstick(trial(pd.concat(panels)), 1)
    row = found.table.iloc[0]
    assert found.covariate == "health" and row["risk_ratio"] == approx(60 / 20)
    # Low third: 60 of the 125 covered and 30 of the 145 uncovered; high third: 20 and 70, which is further apart.
    ratio = (70 / 145) / (20 / 125)
    assert row["prevalence_ratio"] == approx(ratio) and ratio > (60 / 125) / (30 / 145)
    assert found.bias_factor == approx(3 * ratio / (3 + ratio - 1))
    assert found.table["covariate"].tolist() == ["health"]  # MRR and tenure do not vary


def test_without_anything_measured_there_is_no_yardstick():
    assert yardstick(trial(TWO_MONTHS), 2) is None


# --- what all methods do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", METHODS)
def test_a_horizon_longer_than_the_window_is_refused_in_words(item):
    found = item(trial(TWO_MONTHS), 3)
    assert found.status == "refused" and found.value is None and "followed for 3 months" in found.reason


@pytest.mark.parametrize("item", [*METHODS, naive_contrasts, never_arm])
@pytest.mark.parametrize("horizon", [0, -3, 2.5, True])
def test_a_horizon_that_is_no_number_of_months_is_the_users_mistake(item, horizon):
    with pytest.raises(ParameterError, match="whole number of months"):
        item(trial(TWO_MONTHS), horizon)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (ltmle, "nobody was covered"),
        (baseline_trial, "0 left"),
        (vacancy, "who covered"),
        (association, "0 accounts left"),
    ],
)
def test_where_nobody_was_covered_there_is_no_figure(item, words):
    found = item(trial(paths((30, "--", True), (30, "--", False))), 2)
    assert found.status == "refused" and words in found.reason and found.accounts == 60 and found.churned == 30


def test_where_everybody_was_covered_there_is_no_figure_either():
    always = trial(paths((30, "CC", True), (30, "CC", False)))
    assert all(item(always, 2).status == "refused" for item in METHODS)
    assert [item.status for item in naive_contrasts(always, 2)] == ["refused", "refused"]


@pytest.mark.parametrize("item", METHODS)
def test_neither_the_order_of_the_rows_nor_the_currency_changes_a_figure(item):
    panel = world("A")[0].panel
    plain = item(trial(panel), 12)
    renamed = panel.sample(frac=1, random_state=1).assign(
        account_id=lambda f: "x" + f["account_id"].str[::-1], mrr=lambda f: 7 * f["mrr"]
    )
    other = item(trial(renamed), 12)
    assert plain.status == "shown"
    assert other.value == approx(plain.value, abs=1e-6) and other.se == approx(plain.se, abs=1e-6)


@pytest.mark.parametrize("item", METHODS)
def test_health_that_nobody_knows_is_left_out_and_health_known_in_part_is_used(item):
    panel = world("A", 2000, 1, 24)[0].panel
    known, never = item(trial(panel), 12), item(trial(panel.drop(columns="health")), 12)
    same = item(trial(panel.assign(health=3.0)), 12)
    assert (never.value, never.se) == (approx(same.value), approx(same.se))
    hidden = np.random.default_rng(1).random(len(panel)) < 0.2
    partly = item(trial(panel.assign(health=panel["health"].mask(hidden))), 12)
    assert {each.status for each in (known, never, same, partly)} == {"shown"}
    assert len({known.value, never.value, partly.value}) == 3


def test_columns_have_mean_zero_and_unit_spread_and_constants_give_none():
    rows = world("A")[1].rows
    how = adjustment(rows, ("month",))
    columns = how.columns(rows)
    assert columns.shape[1] == 3 + 3 + 2 + 1 + 1 and how.modifiers(rows).shape[1] == 3
    assert np.abs(columns.mean(axis=0)).max() < 1e-9 and np.abs(columns.std(axis=0) - 1).max() < 1e-9
    assert how.columns(rows.iloc[5:9]) == approx(columns[5:9])
    alike = trial(TWO_MONTHS).rows
    assert adjustment(alike).columns(alike).shape == (len(alike), 0)


def test_unknown_health_counts_as_the_median_with_a_column_that_says_so():
    rows = world("A")[1].rows.head(500).copy()
    rows.loc[rows.index[::5], "health"] = np.nan
    how = adjustment(rows)
    one = rows.iloc[[0, 0]].assign(health=[np.nan, rows["health"].median()])
    unknown, median = how.columns(one)
    assert (unknown != median).sum() == 1


# --- statistics under them -------------------------------------------------------------------------------------------


def test_the_clustered_covariance_is_that_of_statsmodels():
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    cluster = rng.integers(0, 25, 300)
    y = (rng.random(300) < probability_of(x @ [0.2, 0.5, -0.4] + rng.normal(size=25)[cluster])).astype(float)
    fit = logistic(x, y)
    found = clustered_covariance(x, y - probability_of(x @ fit.coefficients), fit.covariance, cluster, 25)
    how = {"groups": cluster, "use_correction": False}
    other = sm.Logit(y, x).fit(disp=0, tol=1e-12, cov_type="cluster", cov_kwds=how)
    assert found == approx(25 / 24 * np.asarray(other.cov_params()), rel=1e-5)


def test_one_cluster_says_nothing_of_the_spread_between_clusters():
    assert np.isinf(clustered_covariance(np.ones((4, 1)), np.ones(4), np.eye(1), np.zeros(4, int), 1)).all()


def test_tails_and_quantiles_are_those_of_the_tables():
    assert two_sided_p(1.959964) == approx(0.05, abs=1e-6) and two_sided_p(-2.776445, 4) == approx(0.05, abs=1e-6)
    assert student_quantile(4) == approx(2.776445) and student_quantile(11, 0.99) == approx(3.105807)
    with pytest.raises(ValueError, match="degrees"):
        student_quantile(0)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
@settings(max_examples=200, deadline=None)
def test_an_e_value_is_symmetric_and_just_strong_enough(ratio, limit):
    point, of_limit = e_value(ratio, limit)
    assert point >= 1 and point == approx(e_value(1 / ratio)[0])
    assert bias_factor(point, point) == approx(max(ratio, 1 / ratio))
    assert of_limit >= 1 and (of_limit == 1 or (ratio >= 1) == (limit >= 1))


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_ratio_that_is_none_has_no_e_value(wrong):
    with pytest.raises(ParameterError, match="ratio of risks"):
        e_value(wrong)
    with pytest.raises(ParameterError, match="ratio of risks"):
        e_value(2.0, wrong)
    with pytest.raises(ParameterError, match="turn a ratio below 1 over"):
        bias_factor(0.5, 2)
