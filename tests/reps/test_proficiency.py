"""Ramp: who is a newcomer, what a step holds, and whether a planted time to proficiency comes back."""

import math

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats.splines import monotone
from cs_helpers.reps.proficiency import time_to_proficiency
from cs_helpers.reps.results import Cases

FIRST = pd.Timestamp("2023-01-01")
REACHED = 5 * 52 / 12  # weeks after which a planted newcomer is like the others


def team(seed, start=-0.2, newcomers=10, old=8, a_week=8, key="csat", between=0.05, by_day=True, hard_for_new=False):
    """Two years of cases; newcomers begin ``start`` behind and catch up evenly within five months."""
    rng = np.random.default_rng(seed)
    days, rows, people = 730, [], []
    for rep in range(old + newcomers):
        hired = -800 if rep < old else int(rng.integers(0, days - 200))
        begin = max(0, hired)
        n = rng.poisson(a_week * (days - begin) / 7)
        day = np.sort(rng.integers(begin, days, n))
        behind = start * np.clip(1 - (day - hired) / 7 / REACHED, 0, None)
        easy = 0.85 if rep >= old and hard_for_new else 0.3
        hard = rng.random(n) > easy
        own = rng.normal(0, between)
        if key == "csat":
            value = (rng.random(n) < np.clip(0.85 - 0.15 * hard + own + behind, 0, 1)).astype(float)
        else:  # a time: behind means longer
            value = np.exp(1 + 0.5 * hard + own - np.log1p(behind) + rng.normal(0, 0.8, n))
        frame = {"rep_id": f"r{rep:02d}", "cluster": rng.integers(0, 300, n).astype(str), "day": day, key: value}
        rows.append(pd.DataFrame({**frame, "kind": np.where(hard, "hard", "easy")}))
        people.append((f"r{rep:02d}", FIRST + pd.Timedelta(days=hired)))
    table = pd.concat(rows, ignore_index=True)
    dates = FIRST + pd.to_timedelta(table["day"], unit="D")
    table["month"] = dates.dt.to_period("M").dt.to_timestamp()
    table["day"] = (dates - pd.Timestamp("1970-01-01")).dt.days
    for name in ("rep_id", "cluster", "kind"):
        table[name] = table[name].astype("category")
    cases = Cases(table if by_day else table.drop(columns="day"), (key,), ("kind",))
    return cases, pd.DataFrame(people, columns=["rep_id", "hired_on"])


# From 20 % behind, evenly to nothing at REACHED: within 5 % of the others at 3/4 of it, week 16.25. The step from 16 on
# is on average in the middle of week 18, .2 * (1 - 18 / 21.67) = .034 behind: the first inside the band.
TRUE_WEEK = 16


@pytest.mark.parametrize("key", ["csat", "resolution_hours"])
def test_a_planted_ramp_is_found_with_an_interval_that_covers_it(key):
    found = [time_to_proficiency(*_args(seed, key)) for seed in range(40)]
    told = [each for each in found if each.proficient is not None]
    assert sum(each.low <= TRUE_WEEK <= each.high for each in told) >= 0.85 * len(found)
    assert 12 <= np.median([each.proficient for each in told]) <= 20
    assert (
        np.median([min(each.high, 52) - each.low for each in told]) < 32
    )  # an interval that says everything says nothing


def _args(seed, key="csat", **options):
    cases, people = team(seed, key=key, **options)
    return cases, key, people


@pytest.mark.parametrize("key", ["csat", "resolution_hours"])
def test_without_a_planted_ramp_none_is_visible(key):
    reasons = [time_to_proficiency(*_args(seed, key, start=0.0)).reason for seed in range(40)]
    assert np.mean(["no ramp is visible" in reason for reason in reasons]) >= 0.90


def test_newcomers_who_stay_behind_do_not_reach_the_others():
    cases, people = team(1, start=0.0, between=0.0)
    table = cases.table
    new = table["rep_id"].isin([f"r{rep}" for rep in range(8, 18)])
    rng = np.random.default_rng(0)
    gone = new & (rng.random(len(table)) < 0.3)
    behind = Cases(table.assign(csat=table["csat"].mask(gone, 0.0)), ("csat",), ("kind",))
    found = time_to_proficiency(behind, "csat", people)
    assert found.proficient == math.inf and found.high == math.inf and not found.reason


def test_known_by_month_only_a_step_is_a_month():
    found = time_to_proficiency(*_args(0, by_day=False))
    assert found.step_weeks == pytest.approx(52 / 12)
    assert found.curve["week"].tolist()[:5] == [0, 4, 8, 13, 17]
    whole = [time_to_proficiency(*_args(seed, by_day=False)) for seed in range(12)]
    # by calendar month a newcomer's first month begins before the first day: half a month later on average
    assert 12 <= np.median([each.proficient for each in whole]) <= 22


def test_newcomers_who_get_the_easy_cases_are_not_taken_for_better():
    cases, people = team(2, start=0.0, newcomers=12, between=0.0, hard_for_new=True)
    with_mix = time_to_proficiency(cases, "csat", people)
    without = time_to_proficiency(Cases(cases.table, ("csat",)), "csat", people)
    assert abs(with_mix.early[0]) < 0.03
    assert without.early[0] > 0.05  # .85 easy instead of .3, and easy ones are .15 better: .0825


# Literal tables


def cases_of(rows, key="csat", day=True, **columns):
    table = pd.DataFrame(rows, columns=["rep_id", "date", key, *columns])
    dates = pd.to_datetime(table["date"])
    table["month"] = dates.dt.to_period("M").dt.to_timestamp()
    table["cluster"] = [f"a{i}" for i in range(len(table))]
    if day:
        table["day"] = dates
    return Cases(table.drop(columns="date"), (key,))


def people_of(**hired):
    return pd.DataFrame({"rep_id": list(hired), "hired_on": pd.to_datetime(list(hired.values()))})


OLD = {f"o{i}": "2015-01-01" for i in range(3)}
NEW = [f"n{i}" for i in range(6)]


def shares(rep, date, ones, zeros):
    return [(rep, date, 1.0)] * ones + [(rep, date, 0.0)] * zeros


def six_newcomers():
    """Three longer-serving at 80 %; six newcomers of 1 June 2025 at 50 % in their first step and 80 % in the second."""
    rows = [row for rep in OLD for row in shares(rep, "2025-01-10", 80, 20)]
    for i in range(6):
        rows += shares(f"n{i}", "2025-06-01", 10, 10) + shares(f"n{i}", "2025-06-28", 10, 10)
        rows += shares(f"n{i}", "2025-06-29", 16, 4)
    return cases_of(rows), people_of(**OLD, **{f"n{i}": "2025-06-01" for i in range(6)})


def test_a_step_is_four_weeks_and_the_effect_is_the_distance_from_the_longer_serving():
    cases, people = six_newcomers()
    found = time_to_proficiency(cases, "csat", people)
    assert found.tenured == pytest.approx(0.80) and found.longer_serving == 3 and found.newcomers == 6
    assert found.band == pytest.approx((0.75, 0.85))
    curve = found.curve
    assert curve["week"].tolist() == [0, 4]  # 28 June is day 27, 29 June day 28
    assert curve["reps"].tolist() == [6, 6] and curve["cases"].tolist() == [240, 120]
    assert curve["effect"].to_numpy() == pytest.approx([0.5 - 0.8, 0.0])
    assert curve["level"].to_numpy() == pytest.approx([0.5, 0.8])
    assert found.early[0] == pytest.approx((6 * 20 + 6 * 16) / (6 * 60) - 0.8)


def test_weeks_can_be_as_long_as_one_asks():
    cases, people = six_newcomers()
    assert time_to_proficiency(cases, "csat", people, step_weeks=2).curve["week"].tolist() == [0, 2, 4]
    assert time_to_proficiency(cases, "csat", people, step_weeks=8).curve["week"].tolist() == [0]


def test_days_may_be_dates_or_numbers():
    cases, people = six_newcomers()
    numbers = cases.table.assign(day=(cases.table["day"] - pd.Timestamp("1970-01-01")).dt.days)
    one, other = (
        time_to_proficiency(cases, "csat", people),
        time_to_proficiency(Cases(numbers, ("csat",)), "csat", people),
    )
    pd.testing.assert_frame_equal(one.curve, other.curve)


def test_the_rows_order_and_index_change_nothing():
    cases, people = six_newcomers()
    shuffled = cases.table.sample(frac=1, random_state=3)
    shuffled.index = np.zeros(len(shuffled), int)
    one, other = (
        time_to_proficiency(cases, "csat", people),
        time_to_proficiency(Cases(shuffled, ("csat",)), "csat", people[::-1]),
    )
    pd.testing.assert_frame_equal(one.curve, other.curve)


def test_reps_hired_before_the_data_are_no_newcomers_and_count_once_they_are_long_there():
    cases, people = six_newcomers()
    people.loc[people["rep_id"] == "n0", "hired_on"] = pd.Timestamp("2024-12-31")  # a day before the first month
    people.loc[people["rep_id"] == "n1", "hired_on"] = pd.Timestamp("2024-01-01")  # 17 months before its cases
    found = time_to_proficiency(cases, "csat", people)
    assert found.newcomers == 4 and found.longer_serving == 4


def test_a_rep_without_a_hire_date_was_there_before_the_data():
    rows = [row for rep in OLD for row in shares(rep, "2024-01-10", 80, 20) + shares(rep, "2025-06-10", 60, 40)]
    for i in range(6):
        rows += shares(f"n{i}", "2025-06-15", 10, 10)
    people = people_of(**dict.fromkeys(OLD), **{f"n{i}": "2025-06-01" for i in range(6)})
    found = time_to_proficiency(cases_of(rows), "csat", people)
    assert found.newcomers == 6
    assert found.tenured == pytest.approx(0.6)  # January 2024 lies within twelve months of the first day seen


def test_cases_before_the_first_day_and_people_nobody_knows_do_not_count():
    cases, people = six_newcomers()
    more = cases_of(shares("n0", "2025-05-20", 0, 30) + shares("stranger", "2025-06-10", 0, 50))
    both = pd.concat([cases.table, more.table], ignore_index=True)
    found = time_to_proficiency(Cases(both, ("csat",)), "csat", people)
    assert found.newcomers == 6 and found.curve["cases"].tolist() == [240, 120]


def test_newcomers_count_as_longer_serving_once_past_the_months():
    cases, people = six_newcomers()
    later = cases_of([row for i in range(6) for row in shares(f"n{i}", "2026-06-10", 20, 0)])
    both = pd.concat([cases.table, later.table], ignore_index=True)
    found = time_to_proficiency(Cases(both, ("csat",)), "csat", people)
    assert found.longer_serving == 9
    assert found.tenured == pytest.approx((240 + 120) / (300 + 120), abs=0.01)
    assert time_to_proficiency(Cases(both, ("csat",)), "csat", people, months=13).longer_serving == 3


def test_a_step_with_fewer_than_three_newcomers_is_not_shown():
    cases, people = six_newcomers()
    late = cases_of(shares("n0", "2025-08-20", 10, 10) + shares("n1", "2025-08-20", 10, 10))
    both = pd.concat([cases.table, late.table], ignore_index=True)
    assert time_to_proficiency(Cases(both, ("csat",)), "csat", people).curve["week"].tolist() == [0, 4]


def test_four_newcomers_have_a_curve_and_no_time_to_proficiency():
    cases, people = six_newcomers()
    few = cases.table[~cases.table["rep_id"].isin(["n4", "n5"])]
    found = time_to_proficiency(Cases(few, ("csat",)), "csat", people)
    assert found.proficient is None and math.isnan(found.low)
    assert found.reason == "4 newcomers were seen; a time to proficiency needs 5"
    assert len(found.curve) == 2


def test_newcomers_who_start_clearly_behind_but_inside_the_band_show_no_ramp():
    rows = [row for rep in OLD for row in shares(rep, "2025-01-10", 8000, 2000)]
    for i in range(6):
        rows += shares(f"n{i}", "2025-06-01", 770 + i, 230 - i)
    found = time_to_proficiency(cases_of(rows), "csat", people_of(**OLD, **{f"n{i}": "2025-06-01" for i in range(6)}))
    assert found.early[2] < 0 and found.proficient is None
    assert "start inside the band" in found.reason


@pytest.mark.parametrize(("key", "first", "later"), [("reopen_rate", 0.4, 0.2), ("resolution_hours", 8.0, 4.0)])
def test_where_lower_is_better_newcomers_come_down(key, first, later):
    rng = np.random.default_rng(4)

    def some(rep, date, level):
        if key == "reopen_rate":
            return [(rep, date, float(i < 50 * level)) for i in range(50)]
        return [(rep, date, level * math.exp(noise)) for noise in rng.normal(0, 0.2, 50)]

    rows = [row for rep in OLD for row in some(rep, "2025-01-10", later) * 20]  # so many that their level is sure
    for i in range(6):
        for week, level in ((0, first), (4, first), (8, later), (12, later)):
            day = pd.Timestamp("2025-06-01") + pd.Timedelta(weeks=week, days=1)
            rows += some(f"n{i}", day, level)
    found = time_to_proficiency(cases_of(rows, key), key, people_of(**OLD, **{f"n{i}": "2025-06-01" for i in range(6)}))
    assert found.proficient == 8 and found.low == found.high == 8
    assert found.curve["level"].iloc[0] > found.band[1] >= found.curve["level"].iloc[-1]
    if key == "resolution_hours":
        assert found.scale == "ratio"
        assert found.band == pytest.approx((found.tenured * 0.95, found.tenured * 1.05))
        assert found.curve["effect"].iloc[0] == pytest.approx(math.log(2), abs=0.1)


@pytest.mark.parametrize(("times", "sure"), [(1, False), (20, True)])
def test_the_interval_of_the_time_knows_how_sure_the_level_of_the_others_is(times, sure):
    rows = [row for rep in OLD for row in shares(rep, "2025-01-10", 40, 10) * times]
    for i in range(6):
        rows += shares(f"n{i}", "2025-06-02", 20, 30) + shares(f"n{i}", "2025-07-02", 40, 10)
    found = time_to_proficiency(cases_of(rows), "csat", people_of(**OLD, **dict.fromkeys(NEW, "2025-06-01")))
    assert found.proficient == 4
    assert (found.high == 4) == sure  # 3 x 50 cases at 80 % have an error of 3.3 points, 3 x 1,000 one of .7


def test_counts_are_compared_with_what_their_exposure_lets_expect():
    rows = [(rep, f"2025-{month:02d}-01", 100.0, 20.0) for rep in OLD for month in range(1, 13)]
    for i in range(6):
        for month, rate in ((6, 2.5), (7, 2.5), (8, 2.5), (9, 5.0), (10, 5.0), (11, 5.0)):
            rows.append((f"n{i}", f"2025-{month:02d}-01", 10 * rate + i - 2.5, 10.0))
    key = "tickets_per_working_day"
    cases = cases_of(rows, key, day=False, exposure=1)
    found = time_to_proficiency(cases, key, people_of(**OLD, **{f"n{i}": "2025-06-01" for i in range(6)}))
    assert found.tenured == pytest.approx(5.0, rel=0.01)
    assert found.curve["level"].iloc[0] == pytest.approx(2.5, rel=0.01)
    assert found.proficient == 13  # the fourth month


def test_trainings_and_ride_alongs_of_newcomers_are_marked_by_step():
    cases, people = six_newcomers()
    rows = [
        ("training", "n0", "2025-06-05", "Starting here: ride-alongs and product"),
        ("training", "n1", "2025-06-28", "Ride along with a senior"),
        ("training", "n2", "2025-06-29", "Job shadowing"),
        ("training", "n0", "2025-06-02", "Writing"),
        ("training", "n0", "2025-06-03", "Writing"),
        ("training", "n1", "2025-06-03", None),
        ("training", "n1", "2025-05-31", "Writing"),  # before the first day
        ("training", "o1", "2025-06-05", "Writing"),  # no newcomer
        ("interview", "n1", "2025-06-05", None),
        ("training", "n1", "2027-06-05", "Writing"),  # beyond the months
        ("training", "n1", None, "Writing"),
    ]
    records = pd.DataFrame(rows, columns=["kind", "rep_id", "date", "course"])
    records["date"] = pd.to_datetime(records["date"])
    marks = time_to_proficiency(cases, "csat", people, records).marks
    assert [tuple(row) for row in marks.itertuples(index=False)] == [
        (0, "ride-along", 2, 2),
        (0, "training", 2, 3),
        (4, "ride-along", 1, 1),
    ]
    assert (
        time_to_proficiency(cases, "csat", people).marks.empty
        and time_to_proficiency(cases, "csat", people, records[:0]).marks.empty
    )
    assert (
        time_to_proficiency(cases, "csat", people, records.drop(columns="course")).marks["kind"] == "training"
    ).all()


def test_equal_input_gives_equal_draws():
    one, other = time_to_proficiency(*_args(5)), time_to_proficiency(*_args(5))
    assert (one.proficient, one.low, one.high) == (other.proficient, other.low, other.high)


def test_the_first_weeks_carry_the_error_of_both_sides():
    cases, people = six_newcomers()
    _, low, high = time_to_proficiency(cases, "csat", people).early
    level = (3 * 80 + 6 * 36) / (300 + 360)  # all cases; reps agree, so the error is that of independent shares
    error = math.hypot((level * (1 - level) / 360) ** 0.5, (level * (1 - level) / 300) ** 0.5)
    assert (high - low) / 2 == pytest.approx(2.5706 * error, rel=0.002)  # Student's t of 5 degrees


def test_reps_who_happen_to_agree_are_no_certainty():
    cases, people = six_newcomers()
    first = time_to_proficiency(cases, "csat", people).curve.iloc[0]
    # all six at 20 of 40: without any spread between reps, still the error of 240 shares, and t of 5 degrees
    independent = (0.25 / 240) ** 0.5
    assert first["effect_high"] - first["effect"] > 2.57 * independent * 0.8


def test_a_step_in_which_the_rare_thing_did_not_happen_has_an_interval():
    rows = [row for rep in OLD for row in shares(rep, "2025-01-10", 5, 95)]
    rows += [row for i in range(6) for row in shares(f"n{i}", "2025-06-10", 0, 20)]
    found = time_to_proficiency(
        cases_of(rows, "reopen_rate"), "reopen_rate", people_of(**OLD, **dict.fromkeys(NEW, "2025-06-01"))
    )
    first = found.curve.iloc[0]
    assert first["effect"] < 0 < first["effect_high"] and "no ramp" in found.reason


def test_where_all_cases_are_alike_nothing_is_compared():
    cases, people = six_newcomers()
    with pytest.raises(ContractError, match="all cases are alike"):
        time_to_proficiency(Cases(cases.table.assign(csat=1.0), ("csat",)), "csat", people)


# Mistakes and refusals


@pytest.mark.parametrize("options", [{"months": 0}, {"step_weeks": 0}, {"step_weeks": 60}, {"level": 1.0}])
def test_steps_without_sense_are_the_users_mistake(options):
    cases, people = six_newcomers()
    with pytest.raises(ParameterError, match="choose 1 to 120 months"):
        time_to_proficiency(cases, "csat", people, **options)


def test_a_measure_the_cases_do_not_hold_is_the_users_mistake():
    cases, people = six_newcomers()
    with pytest.raises(ParameterError, match="no measure 'cst'"):
        time_to_proficiency(cases, "cst", people)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda cases, people: (cases, people[:0]), "hired_on"),
        (lambda cases, people: (cases, people.drop(columns="hired_on")), "hired_on"),
        (lambda cases, people: (cases, people[people["rep_id"].str.startswith("o")]), "nobody who was hired"),
        (lambda cases, people: (cases, people[people["rep_id"] != "o1"]), "fewer than 3 reps"),
        (lambda cases, people: (Cases(cases.table[:0], ("csat",)), people), "no case"),
    ],
    ids=["nobody", "no dates", "no newcomer", "two longer-serving", "no case"],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(change, said):
    cases, people = change(*six_newcomers())
    with pytest.raises(ContractError, match=said):
        time_to_proficiency(cases, "csat", people)


# Monotone curves


@pytest.mark.parametrize(
    ("values", "weights", "rising", "made"),
    [
        ([1, 3, 2, 4], [1, 1, 1, 1], True, [1, 2.5, 2.5, 4]),
        ([1, 3, 2, 4], [1, 3, 1, 1], True, [1, 2.75, 2.75, 4]),  # (3 * 3 + 2) / 4
        ([4, 3, 2], [1, 1, 1], True, [3, 3, 3]),
        ([4, 3, 2], [1, 1, 1], False, [4, 3, 2]),
        ([1, 2, 3], [1, 1, 2], False, [2.25, 2.25, 2.25]),
        ([5], [1], True, [5]),
        ([], [], True, []),
    ],
)
def test_neighbours_that_go_the_wrong_way_are_put_together(values, weights, rising, made):
    assert monotone(values, weights, rising).tolist() == pytest.approx(made)
