"""The board: measures judged together, managers by their reps, persistence, and what steers a team."""

import math

import numpy as np
import pandas as pd
import pytest
from pytest import approx
from rep_teams import team

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import benjamini_hochberg
from cs_helpers.reps.comparison import compare_reps, managers_compared
from cs_helpers.reps.engine import compare_units
from cs_helpers.reps.measures import MEASURES, check_steering, checked_role
from cs_helpers.reps.outliers import repeated_outliers
from cs_helpers.reps.results import Cases

JANUARY = pd.Timestamp("2026-01-01")


def people(ids, role="support", managers=None):
    return pd.DataFrame(
        {
            "rep_id": ids,
            "name": [f"Name of {each}" for each in ids],
            "role": role,
            "manager_id": managers or [None] * len(ids),
        }
    )


def shares(of, key="csat"):
    """Cases of one measure from rep -> (successes, failures)."""
    lines = [
        (rep, value)
        for rep, (good, bad) in of.items()
        for value, times in ((1.0, good), (0.0, bad))
        for _ in range(times)
    ]
    table = pd.DataFrame(lines, columns=["rep_id", key])
    return Cases(table.assign(cluster=[f"{key}{i}" for i in range(len(table))], month=JANUARY), (key,))


QUIET = {rep: (70 + move, 30 - move) for rep, move in zip("abcdefgh", (2, -2, 1, -1, 0, 3, -3, 0), strict=True)}
LOUD = QUIET | {"h": (35, 65)}


def test_all_units_and_measures_are_judged_together():
    board = compare_reps([shares(LOUD), shares(QUIET, "fcr")], people([*"abcdefgh"]))
    p = np.concatenate([each.units["p"] for each in board.benchmarks])
    assert len(p) == 16
    q = np.concatenate([each.units["q"] for each in board.benchmarks])
    assert q == approx(benjamini_hochberg(p))
    assert [(row.key, row.unit, row.verdict) for row in board.differences.itertuples()] == [("csat", "h", "worse")]
    assert board.differences["label"].tolist() == ["Name of h"]
    assert board.units == 8


def test_lower_is_better_and_neither_word_their_verdicts():
    up = QUIET | {"h": (95, 5)}
    assert compare_reps(shares(up, "reopen_rate"), people([*"abcdefgh"])).differences["verdict"].tolist() == ["worse"]
    assert compare_reps(shares(up, "escalation_rate"), people([*"abcdefgh"])).differences["verdict"].tolist() == [
        "higher"
    ]


def test_a_team_in_which_nobody_differs_has_nobody_told_apart():
    board = compare_reps(shares(QUIET), people([*"abcdefgh"]))
    assert board.differences.empty
    assert (board.of("csat").units["verdict"] == "not distinguishable").all()
    assert board.of("csat").spread == 0


def test_other_roles_count_in_the_centre_and_are_not_compared():
    both = pd.concat([people([*"abcd"]), people([*"efgh"], role="csm")])
    board = compare_reps(shares(LOUD), both)
    assert list(board.of("csat").units["unit"]) == [*"abcd"]
    assert board.of("csat").centre == approx(sum(good for good, _ in LOUD.values()) / 800)


def test_without_a_table_of_people_everybody_with_a_case_is_compared_under_the_own_id():
    board = compare_reps(shares(QUIET), people([]))
    assert list(board.of("csat").units["label"]) == [*"abcdefgh"]
    assert board.untouched == ()


def test_reps_without_cases_are_named_and_those_who_left_stay():
    staff = people([*"abcdefgh", "z"]).assign(left_on=pd.Timestamp("2026-01-20"))
    board = compare_reps(shares(QUIET), staff)
    assert board.untouched == ("Name of z",)
    assert len(board.of("csat").shown) == 8


def test_one_rep_only_is_shown_as_what_it_is():
    board = compare_reps(shares({"a": (70, 30)}), people(["a"]))
    assert board.refused == {"csat": "only one rep has cases, so there is nobody to compare with"}
    assert board.differences.empty
    assert board.of("csat").centre == approx(0.7)


def test_a_rep_with_three_tickets_does_not_make_a_comparison():
    board = compare_reps(shares({"a": (70, 30), "b": (2, 1)}), people([*"ab"]))
    assert board.refused["csat"] == "1 of 2 have enough cases; most often: 3 cases, 30 are needed"
    assert board.of("csat").clearly_different.empty


def test_what_the_data_do_not_hold_is_refused_by_name_and_the_rest_stands():
    board = compare_reps(shares(QUIET), people([*"abcdefgh"]), keys=["csat", "ces"])
    assert board.refused == {"ces": "the data do not hold it"}
    with pytest.raises(
        ContractError, match=r"no measure of support can be compared between reps\. ces: the data do not hold it"
    ):
        compare_reps(shares(QUIET), people([*"abcdefgh"]), keys=["ces"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keys": ["csta"]}, "Did you mean 'csat'"),
        ({"level": "team"}, "rep nor manager"),
        ({"fdr": 1.0}, "between 0 and 1"),
    ],
)
def test_wrong_arguments_say_what_is_right(options, says):
    with pytest.raises(ParameterError, match=says):
        compare_reps(shares(QUIET), people([*"abcdefgh"]), **options)


def test_two_managers_whose_reps_differ_as_much_among_themselves_are_not_told_apart():
    wide = {
        rep: (70 + move, 30 - move) for rep, move in zip("abcdefgh", (20, -20, 18, -18, 22, -22, 16, -10), strict=True)
    }
    staff = people([*"abcdefgh"], managers=["m"] * 4 + ["n"] * 4)
    board = compare_reps(shares(wide), staff, level="manager")
    compared = board.of("csat")
    assert compared.units["verdict"].tolist() == ["not distinguishable"] * 2
    assert compared.overdispersion > 0.1, "the reps' own differences are what a manager has to exceed"


def test_a_manager_is_the_precision_weighted_mean_of_the_reps():
    staff = people([*"abcdefgh"], managers=["m"] * 4 + ["n"] * 4)
    up = {
        rep: (70 + move, 30 - move) for rep, move in zip("abcdefgh", (12, 13, 11, 12, -12, -13, -11, -12), strict=True)
    }
    board = compare_reps(shares(up), staff, level="manager")
    units = board.of("csat").units.set_index("unit")
    assert units.loc["m", "effect"] == approx(0.12, abs=1e-6), "all weigh the same"
    assert units.loc["m", "reps"] == 4
    assert units.loc["m", "raw"] == approx(0.82)
    assert board.differences["unit"].tolist() in (["m", "n"], ["n", "m"])
    reps = compare_units(shares(up), "csat", labels={})
    assert managers_compared(reps, staff, {}).units["se"].iloc[0] == approx(
        math.sqrt(reps.units["all_se"].iloc[0] ** 2 / 4 * (1 - 1 / 2))
    )


def test_the_board_of_the_reps_can_stand_for_their_cases():
    staff = people([*"abcdefgh"], managers=["m"] * 4 + ["n"] * 4)
    given = [shares(LOUD), shares(QUIET, "fcr")]
    fresh, known = (
        compare_reps(given, staff, level="manager"),
        compare_reps(compare_reps(given, staff), staff, level="manager"),
    )
    for one, other in zip(fresh.benchmarks, known.benchmarks, strict=True):
        pd.testing.assert_frame_equal(one.units, other.units)


def test_managers_pool_reps_that_are_too_few_by_themselves():
    few = dict.fromkeys("abcdefgh", (14, 6))
    staff = people([*"abcdefgh"], managers=["m"] * 4 + ["n"] * 4)
    assert compare_reps(shares(few), staff).refused["csat"].startswith("0 of 8 have enough")
    assert compare_reps(shares(few), staff, level="manager").of("csat").units["n"].tolist() == [80, 80]


def test_without_managers_their_level_is_refused_with_what_to_fill():
    one = people([*"abcdefgh"], managers=["m"] * 7 + ["n"])
    for staff in (people([*"abcdefgh"]), people([*"abcdefgh"])[["rep_id", "name", "role"]], people([]), one):
        with pytest.raises(ContractError, match=r"fewer than two managers.*Fill manager_id"):
            compare_reps(shares(QUIET), staff, level="manager")


def test_forty_reps_under_four_managers_who_do_not_differ_are_rarely_told_apart():
    found = []
    for seed in range(60):
        planted = team(seed, spread=0.25)
        ids = [f"R-{number:04d}" for number in range(40)]
        rng = np.random.default_rng(seed)
        staff = people(ids, managers=[f"M{k}" for k in rng.permutation(np.arange(40) % 4)])
        units = compare_reps(planted.cases, staff, level="manager").of("csat").units
        found.append((units["outside"] != "").mean())
    assert np.mean(found) <= 0.09


# --- persistence ------------------------------------------------------------------------------------------------


def same_reps(seed, spread, tickets=9_000):
    """One team's tickets in two disjoint periods: the same reps and accounts, other days."""
    whole = team(seed, spread=spread, tickets=2 * tickets)
    table = whole.cases.table
    cut = [Cases(part, ("csat",), whole.cases.mix) for part in (table.iloc[:tickets], table.iloc[tickets:])]
    return whole.truth, *(compare_units(part, "csat") for part in cut)


def test_whoever_differs_much_is_found_twice_and_on_the_right_side():
    truth, before, now = same_reps(1, 0.8)
    result = repeated_outliers(before, now, "2024", "2025")
    assert not result.refused
    assert result.reliability == min(before.reliability, now.reliability) > 0.5
    assert result.low < result.correlation < result.high
    assert len(result.consistent) >= 1
    effect = dict(zip((f"R-{number:04d}" for number in range(40)), truth, strict=True))
    for row in result.consistent.itertuples():
        assert (row.side == "better") == (effect[row.unit] > 0)
        assert abs(row.z_before) > 1.96 and abs(row.z_now) > 1.96


def test_noise_is_refused_as_not_reliable():
    _, before, now = same_reps(2, 0.0)
    result = repeated_outliers(before, now)
    assert result.refused.startswith("the reliability is 0.")
    assert result.consistent.empty


def test_one_period_above_and_one_below_is_not_consistent():
    up, down = compare_units(shares(LOUD), "csat"), compare_units(shares(QUIET | {"h": (96, 4)}), "csat")
    side = repeated_outliers(down, up).pairs.set_index("unit")["side"]
    assert side["h"] == ""
    assert repeated_outliers(up, up).pairs.set_index("unit").loc["h", "side"] == "worse"


def test_being_different_is_no_news_where_all_differ():
    wide = {
        rep: (700 + move, 300 - move)
        for rep, move in zip("abcdefgh", (40, -40, 45, -45, 50, -50, 200, -200), strict=True)
    }
    board = compare_units(shares(wide), "csat")
    assert (board.units["outside"] != "").sum() >= 6
    assert repeated_outliers(board, board).consistent["unit"].tolist() == ["g", "h"]
    milder = compare_units(shares(wide | {"g": (745, 255)}), "csat")
    assert repeated_outliers(milder, board).consistent["unit"].tolist() == ["h"]
    assert repeated_outliers(board, milder).consistent["unit"].tolist() == ["h"]


def test_too_few_with_two_periods_are_refused_and_different_measures_cannot_be_held_against_each_other():
    few = {rep: QUIET[rep] for rep in "abcd"}
    result = repeated_outliers(compare_units(shares(few), "csat"), compare_units(shares(few), "csat"))
    assert result.refused == "4 have a figure in both periods, and 5 are needed"
    with pytest.raises(ParameterError, match="held against each other"):
        repeated_outliers(compare_units(shares(QUIET), "csat"), compare_units(shares(QUIET, "fcr"), "fcr"))


# --- steering ---------------------------------------------------------------------------------------------------


def test_one_measure_of_each_kind_steers_without_a_warning_and_brings_its_price():
    given = check_steering(["csat", "tickets_per_working_day"], "support")
    assert given.warnings == ()
    assert given.pairs == (("csat", "csat_response_rate"), ("tickets_per_working_day", "repeat_contact_rate"))


def test_two_of_a_kind_are_warned_of():
    (warning,) = check_steering(["csat", "ces"], "support").warnings
    assert warning.startswith("2 measures of satisfaction steer this team (CSAT, ")
    (warning,) = check_steering(["touches_per_working_day", "touch_hours_per_account"], "csm").warnings[:1]
    assert "2 measures of productivity" in warning


def test_handling_time_is_no_target_by_itself():
    assert any("no target by itself" in each for each in check_steering(["aht_minutes"], "support").warnings)


def test_unknown_measures_are_named_all_at_once():
    with pytest.raises(ParameterError) as caught:
        check_steering(["csta", "nps"], "support")
    assert "Did you mean 'csat'" in str(caught.value)
    assert "'nps' is no measure of support" in str(caught.value)


def test_every_measure_has_a_definition_and_knows_its_better_side():
    for key, each in MEASURES.items():
        assert each.better in ("higher", "lower", "neither"), key
    assert [MEASURES[key].better for key in ("csat", "reopen_rate", "aht_minutes")] == ["higher", "lower", "neither"]


def test_a_role_that_is_none_is_named_with_the_nearest_one():
    assert checked_role("csm") == "csm"
    with pytest.raises(ParameterError, match=r"is none of support, csm\. Did you mean 'support'"):
        checked_role("suport")
