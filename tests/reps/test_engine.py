"""Units compared: the mix taken out, the noise of accounts left in, and nobody told apart who is not."""

import math

import numpy as np
import pandas as pd
import pytest
from pytest import approx
from rep_teams import team
from scipy.special import expit, logit
from scipy.stats import norm, spearmanr

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import benjamini_hochberg
from cs_helpers.reps.casemix import code, fit, fit_case_mix
from cs_helpers.reps.engine import compare_units, noise_of
from cs_helpers.reps.results import Cases

JANUARY = pd.Timestamp("2026-01-01")


def cases(rows, key, mix=(), cluster=None, exposure=None):
    """Cases from (rep, value, times, *levels of the mix); each a cluster of its own unless given."""
    lines = [(rep, value, *levels) for rep, value, times, *levels in rows for _ in range(times)]
    table = pd.DataFrame(lines, columns=["rep_id", key, *mix])
    table["cluster"] = [f"c{i}" for i in range(len(table))] if cluster is None else cluster
    table["month"] = JANUARY
    if exposure is not None:
        table["exposure"] = exposure
    return Cases(table, (key,), tuple(mix))


def unit(result, name):
    return result.units.set_index("unit").loc[name]


FOUR = [("a", 1, 80), ("a", 0, 20), ("b", 1, 60), ("b", 0, 40), ("c", 1, 75), ("c", 0, 25), ("d", 1, 65), ("d", 0, 35)]


def test_without_a_mix_a_share_is_compared_with_the_share_of_all():
    result = compare_units(cases(FOUR, "csat"), "csat")
    assert result.centre == approx(280 / 400)
    a = unit(result, "a")
    assert (a["n"], a["raw"], a["adjusted"], a["expected"]) == (100, approx(0.8), approx(0.8), approx(0.7))
    assert a["effect"] == approx(0.1)
    # binomial variance of 100 cases, less a's own quarter of what it is compared with
    assert a["se"] == approx(math.sqrt(0.7 * 0.3 / 100 * (1 - 1 / 4)))
    assert a["z"] == approx(0.1 / a["se"])
    assert a["exceptional"] == (1.96 * math.hypot(a["se"], result.overdispersion) < 0.1)
    assert a["p"] == approx(2 * norm.sf(abs(a["z"])))


def test_a_mean_is_weighted_by_exposure_and_its_effect_is_in_its_own_unit():
    table = [("a", 10.0, 30), ("a", 20.0, 30), ("b", 30.0, 60)]
    exposure = [1.0] * 30 + [3.0] * 30 + [1.0] * 60
    result = compare_units(cases(table, "asa_seconds", exposure=exposure), "asa_seconds")
    assert unit(result, "a")["raw"] == approx((30 * 10 + 90 * 20) / 120)  # 17.5
    assert result.centre == approx((2100 + 1800) / 180)
    assert unit(result, "a")["effect"] == approx(17.5 - 3900 / 180)
    assert result.scale == "additive"


def test_times_are_compared_as_ratios_of_geometric_means_and_the_median_stands_beside():
    table = [("a", 1.0, 20), ("a", 2.0, 1), ("a", 4.0, 19), ("b", 8.0, 40)]
    result = compare_units(cases(table, "resolution_hours"), "resolution_hours")
    a = unit(result, "a")
    assert a["raw"] == approx(2 ** ((20 * 0 + 1 + 19 * 2) / 40))
    assert a["plain"] == approx(math.sqrt(1 * 2)), "between the twentieth and the twenty-first, as logarithms go"
    both = (39 + 40 * 3) / 80
    assert result.centre == approx(2**both)
    assert a["effect"] == approx(math.log(2) * (39 / 40 - both))
    assert a["adjusted"] == approx(a["raw"])


def test_counts_are_compared_per_exposure_as_ratios():
    table = [("a", 30.0, 4), ("b", 60.0, 4)]
    result = compare_units(cases(table, "tickets_per_working_day", exposure=[20.0] * 8), "tickets_per_working_day")
    assert result.centre == approx(360 / 160)
    a = unit(result, "a")
    assert (a["raw"], a["expected"]) == (approx(1.5), approx(2.25))
    assert a["effect"] == approx(math.log((120 + 0.5) / (180 + 0.5)))
    assert a["verdict"] == "not distinguishable"


def test_a_specialist_with_hard_cases_is_expected_to_have_fewer_successes():
    # Everybody has 90 % with easy cases and 60 % with hard ones; a takes the hard ones.
    rows = [
        ("a", 1, 60, "hard"), ("a", 0, 40, "hard"), ("a", 1, 18, "easy"), ("a", 0, 2, "easy"),
        ("b", 1, 12, "hard"), ("b", 0, 8, "hard"), ("b", 1, 90, "easy"), ("b", 0, 10, "easy"),
        ("c", 1, 12, "hard"), ("c", 0, 8, "hard"), ("c", 1, 90, "easy"), ("c", 0, 10, "easy"),
    ]  # fmt: skip
    result = compare_units(cases(rows, "csat", ["segment"]), "csat")
    a = unit(result, "a")
    assert a["raw"] == approx(78 / 120)
    assert a["expected"] == approx(78 / 120, abs=0.004), "drawn a little to the average by the ridge"
    assert a["adjusted"] == approx(result.centre, abs=0.005)
    move = result.moves.set_index("unit").loc["a"]
    assert move["mover"]
    assert move["move"] == approx(a["adjusted"] - a["raw"])
    assert move["move"] > 0.1
    assert (move["why"], move["why_level"]) == ("segment", "hard")
    assert move["why_share"] > 0.8 > 0.5 > move["why_share_all"]
    effects = result.mix.effects.set_index("level")["effect"]
    c = result.centre
    assert effects["easy"] - effects["hard"] == approx(c * (1 - c) * (logit(0.9) - logit(0.6)), rel=0.06)


def test_the_mix_is_learned_within_reps_so_that_a_good_specialist_does_not_make_hard_cases_look_easy():
    # a is good: 90 % of the hard; the others show that hard costs 30 points: 60 % against 90 %.
    rows = [
        ("a", 1, 270, "hard"), ("a", 0, 30, "hard"),
        ("b", 1, 90, "hard"), ("b", 0, 60, "hard"), ("b", 1, 135, "easy"), ("b", 0, 15, "easy"),
        ("c", 1, 90, "hard"), ("c", 0, 60, "hard"), ("c", 1, 135, "easy"), ("c", 0, 15, "easy"),
    ]  # fmt: skip
    table = cases(rows, "csat", ["segment"])
    effects = fit_case_mix(table, "csat").effects.set_index("level")["effect"]
    c = table.table["csat"].mean()
    assert (effects["easy"] - effects["hard"]) / (c * (1 - c)) == approx(logit(0.9) - logit(0.6), rel=0.05)
    assert unit(compare_units(table, "csat"), "a")["effect"] > 0.1


def test_csms_of_one_segment_each_are_compared_with_those_of_the_same_segment():
    # Four CSMs in each segment; shares differ between segments by 30 points and within them not at all.
    draw = np.random.default_rng(1)
    rows = []
    for place, (segment, share) in enumerate({"SMB": 0.4, "Mid-Market": 0.7, "Enterprise": 0.85}.items()):
        for csm in range(4):
            rows += [(f"{place}{csm}", float(draw.random() < share), 1, segment) for _ in range(250)]
    result = compare_units(cases(rows, "book_coverage", ["segment"]), "book_coverage")
    assert (result.units["outside"] == "").sum() >= 11
    assert result.spread < 0.03
    assert result.units["effect"].abs().max() < 0.09
    assert result.notes == ("Nobody has more than one segment: each is compared with those of the same segment.",)
    assert np.ptp(result.units["raw"]) > 0.4
    minutes = Cases(result_as_times(rows), ("aht_minutes",), ("segment",))
    assert compare_units(minutes, "aht_minutes").units["effect"].abs().max() < 0.1


def test_a_few_strays_do_not_decide_what_a_segment_costs():
    # As above, but each CSM has four cases of another segment: too few to learn its cost from them alone.
    flagged = []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        shares = {"SMB": 0.5, "Mid-Market": 0.7, "Enterprise": 0.8}
        rows = []
        for place, segment in enumerate(shares):
            for csm in range(4):
                of = [segment] * 250 + [list(shares)[(place + 1) % 3]] * 4
                rows += [(f"{place}{csm}", float(draw.random() < shares[each]), 1, each) for each in of]
        flagged.append(
            (compare_units(cases(rows, "book_coverage", ["segment"]), "book_coverage").units["outside"] != "").mean()
        )
    assert np.mean(flagged) <= 0.09


def test_the_noise_of_a_case_is_estimated_without_bias_from_ten_cases_each():
    draw, found = np.random.default_rng(3), []
    for _ in range(30):
        log_minutes = draw.normal(2, 0.5, 400)
        table = pd.DataFrame({"rep_id": np.repeat(np.arange(40), 10).astype(str), "cluster": np.arange(400)})
        table = table.assign(month=JANUARY, aht_minutes=np.exp(log_minutes), segment=draw.choice(["a", "b"], 400))
        coded = code(Cases(table, ("aht_minutes",), ("segment",)), "aht_minutes")
        found.append(noise_of(coded, fit(coded, "time"), "time").per_case)
    assert np.mean(found) == approx(0.25, rel=0.04)


def result_as_times(rows):
    """The same cases with handling times that differ threefold between segments."""
    table = pd.DataFrame(rows, columns=["rep_id", "value", "times", "segment"])
    typical = table["segment"].map({"SMB": 5.0, "Mid-Market": 10.0, "Enterprise": 15.0})
    noise = np.exp(np.random.default_rng(2).normal(0, 0.4, len(table)))
    return table.assign(aht_minutes=typical * noise, cluster=np.arange(len(table)), month=JANUARY)


def test_expected_values_sum_to_observed_ones():
    for seed in range(3):
        table = team(seed, reps=8, tickets=600, accounts=60).cases
        mix = fit_case_mix(table, "csat")
        assert mix.expected.sum() == approx(table.table["csat"].sum(), rel=1e-6)
        assert (mix.weight > 0).all()


def test_the_case_mix_recovers_what_was_planted():
    planted = team(11, tickets=60_000, accounts=3_000, account_spread=0.0)
    mix = fit_case_mix(planted.cases, "csat")
    c = planted.cases.table["csat"].mean()
    assert (mix.effects["high"] - mix.effects["low"]).to_numpy() == approx(2 * 1.959964 * mix.effects["se"].to_numpy())
    effects = mix.effects.set_index(["factor", "level"])["effect"] / (c * (1 - c))
    assert effects["segment", "Enterprise"] - effects["segment", "SMB"] == approx(-0.9, abs=0.1)
    assert effects["priority", "urgent"] - effects["priority", "normal"] == approx(-0.9, abs=0.1)
    assert effects["channel", "phone"] - effects["channel", "chat"] == approx(-0.6, abs=0.1)


def test_accounts_that_agree_with_themselves_widen_the_limits():
    # Ten accounts of ten cases each: all their answers alike, or drawn as if independent.
    draw = np.random.default_rng(5)
    rows, alike, apart = [], [], []
    for rep in "abcdef":
        for account in range(12):
            content = draw.random() < 0.5
            for case in range(10):
                rows.append((rep, f"{rep}{account}"))
                alike.append(content)
                apart.append(case < 5)
    table = pd.DataFrame(rows, columns=["rep_id", "cluster"]).assign(month=JANUARY)
    together = compare_units(Cases(table.assign(csat=np.array(alike, float)), ("csat",)), "csat")
    independent = compare_units(Cases(table.assign(csat=np.array(apart, float)), ("csat",)), "csat")
    assert together.design_effect == approx(10, rel=0.15), "ten answers tell as much as one"
    assert independent.design_effect == 1
    assert together.shown["n_effective"].mean() == approx(12, rel=0.35), "of 120"


def test_a_rep_whose_accounts_ask_once_each_has_full_cases_though_those_of_others_repeat_themselves():
    rows = [("s", f"s{case}", float(case < 50)) for case in range(100)]
    for rep in "abcde":
        rows += [(rep, f"{rep}{case // 10}", float((case // 10) % 2)) for case in range(100)]
    table = pd.DataFrame(rows, columns=["rep_id", "cluster", "csat"]).assign(month=JANUARY)
    units = compare_units(Cases(table, ("csat",)), "csat").units.set_index("unit")
    # 0.25 / 100, less what s adds to the mean it is held against: five others with ten times the variance
    own = 0.25 / 100
    assert units.loc["s", "se"] ** 2 == approx(own * (1 - 2 / 6) + (own + 5 * 10 * own) / 36, rel=0.08)
    assert units.loc["a", "se"] > 2 * units.loc["s", "se"]


def test_accounts_whose_cases_contradict_each_other_narrow_nothing():
    rows = [(rep, f"{rep}{case // 2}", 10.0 + 10 * (case % 2)) for rep in "abcd" for case in range(60)]
    table = pd.DataFrame(rows, columns=["rep_id", "cluster", "asa_seconds"]).assign(month=JANUARY)
    units = compare_units(Cases(table, ("asa_seconds",)), "asa_seconds").units
    assert units["se"].to_numpy() == approx(np.full(4, math.sqrt(25 / 60 * (1 - 1 / 4))), rel=0.02)


def test_times_are_fitted_as_least_squares_with_a_level_for_each_rep_would():
    draw = np.random.default_rng(9)
    n = 900
    rep, first = draw.integers(0, 6, n), draw.integers(0, 3, n)
    second = (first + (draw.random(n) < 0.3)) % 3  # goes with the first, and both go with the rep
    first = np.where(draw.random(n) < 0.5, rep % 3, first)
    log_hours = 0.2 * rep + np.array([0, 0.7, -0.4])[first] + np.array([0, -0.5, 0.6])[second] + draw.normal(0, 0.3, n)
    table = pd.DataFrame({"rep_id": rep.astype(str), "cluster": np.arange(n), "month": JANUARY})
    table = table.assign(segment=first.astype(str), channel=second.astype(str), resolution_hours=np.exp(log_hours))
    effects = fit_case_mix(Cases(table, ("resolution_hours",), ("segment", "channel")), "resolution_hours").effects
    design = np.column_stack([np.eye(6)[rep], np.eye(3)[first][:, 1:], np.eye(3)[second][:, 1:]])
    plain = np.linalg.lstsq(design, log_hours, rcond=None)[0][6:]
    found = effects.set_index(["factor", "level"])["effect"]
    for place, (factor, level) in enumerate([("segment", "1"), ("segment", "2"), ("channel", "1"), ("channel", "2")]):
        assert found[factor, level] - found[factor, "0"] == approx(plain[place], abs=0.02)


def test_differences_between_reps_are_not_mistaken_for_differences_between_accounts():
    planted = team(4, spread=1.0, account_spread=0.0)
    assert compare_units(planted.cases, "csat").design_effect < 1.15


def test_values_that_vary_more_or_less_than_a_coin_are_judged_by_their_own_variance():
    draw = np.random.default_rng(2)
    flags = []
    for _ in range(40):
        rows = pd.DataFrame({"rep_id": np.repeat(list("abcdefghij"), 60)})
        noise = draw.normal(0, 3, 100)
        rows["cluster"] = draw.integers(0, 10, 600) + 10 * (np.arange(600) // 60)
        rows["asa_seconds"] = 20 + draw.exponential(10, 600) + noise[rows["cluster"]]
        result = compare_units(Cases(rows.assign(month=JANUARY), ("asa_seconds",)), "asa_seconds")
        flags.append((result.units["outside"] != "").mean())
    assert np.mean(flags) == approx(0.05, abs=0.035)


def test_the_funnel_is_drawn_where_the_flags_are():
    result = compare_units(team(3, spread=0.6).cases, "csat")
    limits = result.limits
    for row in result.shown.itertuples():
        low, high = (np.interp(row.n_effective, limits["n"], limits[name]) for name in ("low_95", "high_95"))
        assert (row.outside == "") == (low - 2e-3 <= row.adjusted <= high + 2e-3) or abs(abs(row.z) - 1.96) < 0.05


def test_where_all_differ_only_those_beyond_the_usual_are_exceptional():
    # Nineteen reps spread evenly from 60 to 78 %, and one at 30 %: nearly all are beyond chance, one is exceptional.
    rows = [(f"r{i:02d}", value, times) for i in range(19) for value, times in ((1, 1200 + 20 * i), (0, 800 - 20 * i))]
    rows += [("x", 1, 600), ("x", 0, 1400)]
    result = compare_units(cases(rows, "csat"), "csat")
    units = result.units.set_index("unit")
    assert (units["outside"] != "").sum() > 8
    assert units.index[units["exceptional"]].tolist() == ["x"]
    assert result.limits["low_usual"].iloc[-1] < result.limits["low_95"].iloc[-1]


def test_too_few_cases_count_in_the_centre_and_have_no_figure():
    rows = [*FOUR, ("e", 1, 3)]
    result = compare_units(cases(rows, "csat"), "csat")
    assert result.centre == approx(283 / 403)
    e = unit(result, "e")
    assert e["verdict"] == "too few"
    assert e["reason"] == "3 cases, 30 are needed"
    assert e[["adjusted", "z", "p", "shrunk", "rank_low"]].isna().all()
    assert len(result.shown) == 4


def test_a_share_needs_ten_expected_of_the_rarer_kind():
    rows = [("a", 1, 38), ("a", 0, 2), ("b", 1, 37), ("b", 0, 3)]
    result = compare_units(cases(rows, "csat"), "csat")
    assert list(result.units["reason"]) == ["2 of the rarer kind expected, 10 are needed"] * 2


def test_a_figure_of_two_accounts_is_no_figure():
    two = ["x"] * 60 + ["y"] * 40
    result = compare_units(cases(FOUR, "csat", cluster=two + [f"c{i}" for i in range(300)]), "csat")
    assert unit(result, "a")["reason"] == "2 accounts, 10 are needed"


def test_answers_that_are_all_five_have_no_variation_to_judge_by():
    result = compare_units(cases([("a", 1, 50), ("b", 1, 50)], "csat"), "csat")
    assert result.centre == 1
    assert (result.units["verdict"] == "too few").all()
    assert result.units["reason"].str.contains("expected").all()


def test_one_unit_alone_is_not_compared():
    result = compare_units(cases([("a", 1, 50), ("a", 0, 50)], "csat"), "csat")
    assert result.units["verdict"].tolist() == ["too few"]
    assert math.isnan(result.spread)


def test_missing_levels_are_a_level_and_rare_ones_go_together():
    rows = [("a", 1, 50, "x"), ("b", 0, 50, None), ("a", 0, 40, "y"), ("b", 1, 10, "z"), ("b", 1, 10, "w")]
    mix = fit_case_mix(cases(rows, "csat", ["segment"]), "csat")
    assert set(mix.effects["level"]) == {"x", "not recorded", "y", "other"}
    assert mix.effects.set_index("level").loc["other", "cases"] == 20


def test_a_mix_that_does_not_vary_is_dropped_with_a_reason():
    rows = [("a", 1, 50, "x"), ("b", 0, 50, "x")]
    mix = fit_case_mix(cases(rows, "csat", ["segment"]), "csat")
    assert mix.factors == ()
    assert mix.dropped == {"segment": "all cases are x"}


def test_whoever_never_fails_has_a_finite_level_and_does_not_bend_the_mix():
    rows = [
        ("a", 1, 60, "x"),
        ("a", 1, 60, "y"),
        ("b", 1, 45, "x"),
        ("b", 0, 15, "x"),
        ("b", 1, 30, "y"),
        ("b", 0, 30, "y"),
    ]
    mix = fit_case_mix(cases(rows, "csat", ["segment"]), "csat")
    effects = mix.effects.set_index("level")["effect"]
    c = 195 / 240
    assert (effects["x"] - effects["y"]) / (c * (1 - c)) == approx(logit(0.75) - logit(0.5), rel=0.1)
    within = fit(code(cases(rows, "csat", ["segment"]), "csat"), "share").within
    assert 0.99 < within.max() < 0.9995


def test_the_order_of_rows_changes_nothing():
    table = team(8, reps=10, tickets=900, accounts=80)
    shuffled = Cases(table.cases.table.sample(frac=1, random_state=4), table.cases.keys, table.cases.mix)
    first, second = compare_units(table.cases, "csat"), compare_units(shuffled, "csat")
    for name in ("adjusted", "se", "z", "shrunk", "p_top"):
        assert first.units[name].to_numpy() == approx(second.units[name].to_numpy(), nan_ok=True, rel=1e-6), name


def test_lower_is_better_turns_ranks_round():
    rows = [
        ("a", 1, 10),
        ("a", 0, 90),
        ("b", 1, 60),
        ("b", 0, 40),
        ("c", 1, 40),
        ("c", 0, 60),
        ("d", 1, 45),
        ("d", 0, 55),
    ]
    reopened = compare_units(cases(rows, "reopen_rate"), "reopen_rate").units.set_index("unit")
    content = compare_units(cases(rows, "csat"), "csat").units.set_index("unit")
    assert reopened.loc["a", "rank_low"] == 1
    assert content.loc["a", "rank_high"] == 4
    assert reopened.loc["a", "p_top"] > 0.9 > 0.1 > content.loc["a", "p_top"]


@pytest.mark.parametrize(
    ("table", "key", "error", "says"),
    [
        (cases(FOUR, "csat"), "csta", ParameterError, "Did you mean 'csat'"),
        (cases(FOUR, "csat"), "ces", ContractError, "hold csat"),
        (cases([(None, 1, 9)], "csat"), "csat", ContractError, "no case has both"),
        (cases([("a", 0.0, 9)], "resolution_hours"), "resolution_hours", ContractError, "above 0"),
        (cases([("a", 2.0, 2)], "asa_seconds", exposure=[1, 0]), "asa_seconds", ContractError, "exposures above 0"),
    ],
)
def test_what_cannot_be_compared_says_why(table, key, error, says):
    with pytest.raises(error, match=says):
        compare_units(table, key)


def flagged_of(teams):
    """Per team without differences: share outside the 95 % limits, whether any survives FDR, and the raw method."""
    inside, survived, raw = [], [], []
    for seed in teams:
        result = compare_units(team(seed).cases, "csat")
        units, c = result.shown, result.centre
        inside.append((units["outside"] != "").mean())
        survived.append(bool((benjamini_hochberg(units["p"]) <= 0.05).any()))
        raw.append((abs(units["raw"] - c) > 1.96 * np.sqrt(c * (1 - c) / units["n"])).mean())
    return np.mean(inside), np.mean(survived), np.mean(raw)


def test_forty_reps_who_do_not_differ_are_rarely_flagged():
    flagged, survived, raw = flagged_of(range(60))
    assert 0.03 <= flagged <= 0.07
    assert survived <= 0.15, "at most 5 % expected; 60 teams can show 15 % once in a thousand"
    assert raw > 0.12, "the raw method must fail, or this team shows nothing"


@pytest.mark.slow
def test_two_hundred_teams_who_do_not_differ_meet_the_bar():
    flagged, survived, raw = flagged_of(range(200))
    assert 0.03 <= flagged <= 0.07
    assert survived <= 0.08
    assert raw > 0.12


def test_true_differences_are_ordered_better_than_by_raw_shares():
    found = []
    for seed in range(1000, 1040):
        planted = team(seed, spread=0.25)
        units = compare_units(planted.cases, "csat").units
        found.append([spearmanr(planted.truth, units[name])[0] for name in ("shrunk", "raw")])
    fair, raw = np.mean(found, axis=0)
    assert fair - raw >= 0.05


def test_the_spread_of_true_differences_is_recovered():
    spreads = []
    for seed in range(20):
        result = compare_units(team(2000 + seed, spread=0.5, account_spread=0.0).cases, "csat")
        spreads.append(result.spread / (result.centre * (1 - result.centre)))
    assert np.mean(spreads) == approx(0.5, rel=0.15)


def test_ninety_percent_rank_intervals_hold_the_true_rank():
    held = []
    for seed in range(30):
        planted = team(3000 + seed, spread=0.5)
        units = compare_units(planted.cases, "csat").units
        rank = (-planted.truth).argsort().argsort() + 1
        held.append(((units["rank_low"] <= rank) & (rank <= units["rank_high"])).mean())
    assert np.mean(held) >= 0.86


def test_adjusted_intervals_cover_what_a_rep_would_have_with_the_average_mix():
    planted = team(5, spread=0.6, account_spread=0.0, tickets=20_000)
    result = compare_units(planted.cases, "csat")
    table = planted.cases.table
    mix = fit_case_mix(planted.cases, "csat")
    level = logit(np.clip(mix.expected.to_numpy(), 1e-9, 1 - 1e-9))
    rep = table["rep_id"].cat.codes.to_numpy()
    truth = np.array([expit(level + effect).mean() for effect in planted.truth - planted.truth[rep].mean()])
    units = result.units
    assert ((units["low"] <= truth) & (truth <= units["high"])).mean() >= 0.8
