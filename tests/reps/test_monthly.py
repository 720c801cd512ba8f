"""The own history: windows, intervals, verdicts, goals and seasons, on tables with visible arithmetic."""

import math

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.reps.monthly import monthly_history, seasons, window_estimate
from cs_helpers.reps.results import Cases

AS_OF = pd.Timestamp("2026-01-01")


def cases(rows, key="csat", mix=(), **more):
    table = pd.DataFrame(rows, columns=["month", "rep_id", "cluster", key, *mix, *more])
    table["month"] = pd.to_datetime(table["month"])
    for name in ("rep_id", "cluster", *mix):
        table[name] = table[name].astype("category")
    return Cases(table, (key,), tuple(mix))


def yearly(now, before, accounts=60, years=2, key="csat"):
    """Each account has one case a month: of so many of every 20 the measure is 1."""
    rows = []
    for month in pd.date_range(AS_OF - pd.DateOffset(years=years), AS_OF, freq="MS", inclusive="left"):
        ones = now if month >= AS_OF - pd.DateOffset(years=1) else before
        for account in range(accounts):
            rows.append((month, f"r{account % 7}", f"a{account}", float((account + month.month) % 20 < ones)))
    return cases(rows, key)


def test_now_is_the_last_twelve_months_and_before_the_twelve_before_them():
    found = monthly_history(yearly(now=16, before=12), "csat", AS_OF)
    assert (found.now.numerator, found.now.denominator, found.now.n) == (12 * 60 * 16 / 20, 12 * 60, 12 * 60)
    assert (found.now.value, found.before.value) == (16 / 20, 12 / 20)
    assert found.verdict == "rise"
    assert found.now.low < 0.8 < found.now.high


@pytest.mark.parametrize(("now", "before", "verdict"), [(12, 16, "fall"), (14, 14, "no clear change")])
def test_a_fall_is_one_and_the_same_twice_is_no_clear_change(now, before, verdict):
    assert monthly_history(yearly(now, before), "csat", AS_OF).verdict == verdict


def test_few_accounts_are_too_few_to_compare_however_many_cases_they_have():
    found = monthly_history(yearly(16, 8, accounts=19), "csat", AS_OF)
    assert found.now.n == 19 * 12 and found.verdict == "too few"
    assert monthly_history(yearly(16, 8, accounts=20), "csat", AS_OF).verdict == "rise"


def test_a_window_before_the_data_began_is_not_compared_with():
    found = monthly_history(yearly(16, 12, years=1), "csat", AS_OF)
    assert found.verdict == "no comparison" and found.before.value is None
    assert found.before.reason == "the data begin in January 2025"


def test_a_shorter_window_moves_both_sides():
    found = monthly_history(yearly(16, 12), "csat", AS_OF, window=3)
    assert found.now.n == found.before.n == 3 * 60
    assert found.now.value == found.before.value == pytest.approx(0.8)


def test_cases_of_the_month_of_as_of_and_later_do_not_count():
    early, whole = pd.Timestamp("2025-07-15"), yearly(16, 12)
    found = monthly_history(whole, "csat", early, window=6)
    assert found.months["month"].max() == pd.Timestamp("2025-06-01")
    assert found.now.value == pytest.approx(0.8) and found.before.value == pytest.approx(0.6)


def test_the_interval_of_a_share_is_wilsons_on_the_cases_that_differ_within_accounts():
    # 50 accounts with four cases each that always agree: they tell as much as 50 cases
    alike = cases([(AS_OF, "r", f"a{i}", float(i % 2)) for i in range(50) for _ in range(4)])
    apart = cases([(AS_OF, "r", f"a{i}{j}", float(i % 2)) for i in range(50) for j in range(4)])
    one, many = window_estimate(alike, "csat")
    other, single = window_estimate(apart, "csat")
    assert (many, single, one.n, other.n) == (50, 200, 200, 200)
    assert one.value == other.value == 0.5
    t50, t200 = 2.0096, 1.9720  # Student's t, 49 and 199 degrees
    size = 0.25 / (50 / 49 * (50 * (4 * 0.5) ** 2) / 200**2) * (1.95996 / t50) ** 2
    half = math.sqrt(0.25 / size + 1.95996**2 / (4 * size**2)) / (1 + 1.95996**2 / size) * 1.95996
    assert (one.high - one.low) / 2 == pytest.approx(half, rel=1e-3)
    assert (other.high - other.low) < (one.high - one.low) * 0.6
    assert t200 < t50


def test_a_time_is_a_geometric_mean_with_an_interval_of_logarithms():
    rows = [(AS_OF, "r", f"a{i}", hours) for i, hours in enumerate([1.0, 4.0, 16.0])]
    found, many = window_estimate(cases(rows, "resolution_hours"), "resolution_hours")
    assert found.value == pytest.approx(4.0)  # (1 * 4 * 16) ** (1 / 3)
    assert (found.numerator, found.denominator, many) == (None, 3, 3)
    error, t = math.log(4) / math.sqrt(3), 4.30265  # logs are log 4 apart: their standard deviation is log 4
    assert (found.low, found.high) == pytest.approx((4 / math.exp(t * error), 4 * math.exp(t * error)), rel=1e-4)


def test_a_count_is_divided_by_its_exposure_and_a_mean_weighted_by_it():
    rows = [(AS_OF, "r", f"m{i}", count, days) for i, (count, days) in enumerate([(10.0, 20.0), (30.0, 20.0)])]
    found, _ = window_estimate(cases(rows, "tickets_per_working_day", exposure=1), "tickets_per_working_day")
    assert found.value == 40 / 40 and found.low > 0
    rows = [(AS_OF, "r", f"m{i}", value, mrr) for i, (value, mrr) in enumerate([(1.0, 300.0), (0.5, 100.0)])]
    found, _ = window_estimate(cases(rows, "book_grr", exposure=1), "book_grr")
    assert found.value == (300 + 50) / 400 and (found.numerator, found.denominator) == (350, 400)


def test_the_interval_of_a_mean_is_a_students_one_over_clusters():
    rows = [(AS_OF, "r", f"a{i}", value) for i, value in enumerate([-1.0, 0.0, 1.0, 1.0, 1.0])]
    found, _ = window_estimate(cases(rows, "nps"), "nps")
    assert found.value == pytest.approx(0.4)
    error = math.sqrt((1.4**2 + 0.4**2 + 3 * 0.6**2) / 4 / 5)
    assert found.high - found.value == pytest.approx(2.77645 * error, rel=1e-4)


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [("csat", 0, 1), ("nps", -math.inf, math.inf), ("resolution_hours", 0, math.inf)],
)
def test_a_single_account_bounds_nothing(key, low, high):
    found, many = window_estimate(cases([(AS_OF, "r", "a", 1.0)] * 5, key), key)
    assert many == 1 and (found.low, found.high) == (low, high)


def test_a_window_without_a_value_says_so():
    found, many = window_estimate(cases([(AS_OF, "r", "a", np.nan)]), "csat")
    assert found.value is None and many == 0 and "no case" in found.reason


def test_equal_cases_have_a_share_of_one_whose_lower_limit_is_below_it():
    found, _ = window_estimate(cases([(AS_OF, "r", f"a{i}", 1.0) for i in range(40)]), "csat")
    assert found.value == found.high == 1 and 0.85 < found.low < 0.95


# Months


def test_every_month_has_a_row_and_the_same_month_of_the_year_before_beside_it():
    found = monthly_history(yearly(16, 12), "csat", AS_OF).months
    assert len(found) == 24 and found["n"].eq(60).all()
    assert found["year_before"].isna().tolist() == [True] * 12 + [False] * 12
    assert found["year_before"][12:].to_numpy() == pytest.approx(found["adjusted"][:12].to_numpy())
    assert (found["low"] < found["adjusted"]).all() and (found["adjusted"] < found["high"]).all()
    assert found["adjusted"][:12].max() < found["adjusted"][12:].min()


def test_a_month_without_cases_and_one_with_few_have_no_figure():
    whole = yearly(16, 12).table
    gap = whole[whole["month"] != "2025-03-01"]
    few = gap[(gap["month"] != "2025-05-01") | gap["cluster"].isin(["a1", "a2", "a3"])]
    found = monthly_history(Cases(few, ("csat",)), "csat", AS_OF).months.set_index("month")
    assert len(found) == 24
    assert (found.loc["2025-03-01", "n"], found.loc["2025-05-01", "n"]) == (0, 3)
    assert found.loc[["2025-03-01", "2025-05-01"], "adjusted"].isna().all()
    assert found.loc["2025-03-01", "outside"] == "" and found["adjusted"].notna().sum() == 22


def test_a_month_is_outside_of_the_limits_that_are_drawn():
    # Months that truly swing by some points: beyond chance many are, beyond what is usual few.
    rng = np.random.default_rng(8)
    rows = []
    for place, month in enumerate(pd.date_range("2023-07-01", AS_OF, freq="MS", inclusive="left")):
        share = 0.7 + rng.normal(0, 0.05) - 0.3 * (place == 20)
        rows += [(month, f"r{case % 9}", f"a{case}", float(rng.random() < share)) for case in range(500)]
    months = monthly_history(cases(rows), "csat", AS_OF).months
    inside = (months["limit_low"] <= months["adjusted"]) & (months["adjusted"] <= months["limit_high"])
    assert (inside == (months["outside"] == "")).all()
    assert months.loc[20, "outside"] == "99.8"
    assert (months["outside"] != "").sum() <= 4


def test_a_month_that_only_had_harder_cases_is_not_a_worse_month():
    rng = np.random.default_rng(5)
    rows = []
    for month in pd.date_range("2024-01-01", AS_OF, freq="MS", inclusive="left"):
        hard = 0.9 if month == pd.Timestamp("2025-06-01") else 0.3
        for case in range(400):
            kind = "hard" if rng.random() < hard else "easy"
            good = rng.random() < (0.5 if kind == "hard" else 0.9)
            rows.append((month, f"r{case % 9}", f"a{case}", float(good), kind))
    found = monthly_history(cases(rows, mix=("kind",)), "csat", AS_OF)
    june = found.months.set_index("month").loc["2025-06-01"]
    assert june["plain"] < 0.62  # .1 * .9 + .9 * .5 = .54 as counted
    assert abs(june["adjusted"] - found.centre) < 0.05
    bare = monthly_history(Cases(cases(rows, mix=("kind",)).table, ("csat",)), "csat", AS_OF).months.set_index("month")
    assert bare.loc["2025-06-01", "outside"] == "99.8" and june["outside"] != "99.8"


# Goals


def goals(*rows):
    table = pd.DataFrame(rows, columns=["metric", "department", "target", "period_start", "period_end", "owner"])
    return table.assign(**{name: pd.to_datetime(table[name]) for name in ("period_start", "period_end")}).astype(
        {"owner": "str"}
    )


YEAR = ("2025-01-01", "2026-01-01")


@pytest.mark.parametrize(
    ("aim", "verdict"), [(0.70, "met"), (0.80, "no clear verdict"), (0.90, "missed")], ids=["below", "inside", "above"]
)
def test_the_departments_goal_is_met_missed_or_neither(aim, verdict):
    found = monthly_history(yearly(16, 12), "csat", AS_OF, goals(("csat", "Customer Support", aim, *YEAR, None)))
    assert (found.target, found.target_verdict) == (aim, verdict)
    assert found.months["target"].eq(aim).all()


def test_a_goal_of_a_person_another_department_another_year_or_another_measure_does_not_count():
    table = goals(
        ("csat", "Customer Support", 0.1, *YEAR, "R-1"),
        ("csat", "Marketing", 0.2, *YEAR, None),
        ("csat", "Customer Support", 0.3, "2024-01-01", "2025-01-01", None),
        ("fcr", "Customer Support", 0.4, *YEAR, None),
    )
    found = monthly_history(yearly(16, 12), "csat", AS_OF, table, department="Customer Support")
    assert found.target is None and found.target_verdict == "" and found.months["target"].isna().all()
    assert monthly_history(yearly(16, 12), "csat", AS_OF, table, department="marketing").target == 0.2
    assert monthly_history(yearly(16, 12), "csat", AS_OF, table, "Customer Support", "R-1").target == 0.1


def test_the_goal_holds_on_the_last_day_before_as_of():
    table = goals(("csat", "Customer Support", 0.5, "2025-01-01", "2025-12-31", None))
    assert monthly_history(yearly(16, 12), "csat", AS_OF, table).target is None
    table = goals(("csat", "Customer Support", 0.5, "2025-12-31", "2026-01-01", None))
    assert monthly_history(yearly(16, 12), "csat", AS_OF, table).target == 0.5


def test_a_measure_without_a_better_side_neither_meets_nor_misses_its_goal():
    table = goals(("escalation_rate", "Customer Support", 0.99, *YEAR, None))
    found = monthly_history(yearly(16, 12, key="escalation_rate"), "escalation_rate", AS_OF, table)
    assert found.target_verdict == "no clear verdict"


def test_an_nps_goal_of_a_fraction_is_one_of_so_many_of_a_hundred():
    whole = yearly(16, 12, key="nps")
    scores = Cases(whole.table.assign(nps=whole.table["nps"] * 200 - 100), ("nps",))
    table = goals(("nps", "Customer Success", 0.15, *YEAR, None))
    assert monthly_history(scores, "nps", AS_OF, table).target == 15
    assert monthly_history(scores, "nps", AS_OF, table.assign(target=15.0)).target == 15
    assert monthly_history(scores, "nps", AS_OF, table).target_verdict == "met"  # 80 % of 100, 20 % of -100: 60


# Seasons


def monthly(effects, start="2023-01-01"):
    return pd.DataFrame({"month": pd.date_range(start, periods=len(effects), freq="MS"), "effect": effects})


def test_a_season_is_what_a_calendar_month_adds_and_a_trend_is_none():
    rng = np.random.default_rng(1)
    december = np.array([0.0] * 11 + [0.12] * 1 * 1)
    effects = np.tile(december, 3) + 0.004 * np.arange(36) + rng.normal(0, 0.003, 36)
    found = seasons(monthly(effects)).set_index("calendar_month")
    assert found.loc[12, "effect"] == pytest.approx(0.12 - 0.12 / 12, abs=0.005)  # against the mean of all twelve
    assert found.loc[3, "effect"] == pytest.approx(-0.12 / 12, abs=0.006)
    assert found["effect"].sum() == pytest.approx(0, abs=1e-12)
    assert found["q"].idxmin() == 12 and found.loc[12, "q"] < 0.001 and found["years"].eq(3).all()
    only_trend = seasons(monthly(0.004 * np.arange(36) + rng.normal(0, 0.003, 36)))
    assert only_trend["effect"].abs().max() < 0.006


def test_months_without_a_season_are_rarely_told_apart():
    rng = np.random.default_rng(2)
    told = [seasons(monthly(rng.normal(0, 0.03, 30)))["q"].min() <= 0.05 for _ in range(300)]
    assert np.mean(told) <= 0.08  # 5 % by Benjamini & Hochberg, give or take 2.5


def test_the_interval_of_a_season_covers_what_was_planted():
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(200):
        found = seasons(monthly(np.tile([0.0] * 11 + [0.12], 3) + rng.normal(0, 0.03, 36)))
        covered.append(found["low"].iloc[11] <= 0.11 <= found["high"].iloc[11])
    assert 0.90 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize(
    "effects",
    [[0.1] * 23, [0.1, *[0.2] * 11, np.nan, *[0.1] * 11, np.nan, *[0.2] * 11], [np.nan] * 30],
    ids=["23 months", "one January only", "none"],
)
def test_less_than_two_of_each_month_show_no_season(effects):
    assert seasons(monthly(effects)).empty


def test_twenty_four_months_are_enough_and_history_hands_them_on():
    assert len(monthly_history(yearly(16, 12), "csat", AS_OF).season) == 12
    assert monthly_history(yearly(16, 12), "csat", pd.Timestamp("2025-12-01")).season.empty


# Mistakes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": "csta"}, "Did you mean 'csat'"),
        ({"window": 0}, "at least one month"),
        ({"as_of": "soon"}, "not a date"),
    ],
)
def test_what_cannot_be_asked_is_said(options, said):
    with pytest.raises(ParameterError, match=said):
        monthly_history(yearly(16, 12), **{"key": "csat", "as_of": AS_OF} | options)


def test_without_a_case_before_as_of_there_is_no_history():
    with pytest.raises(ContractError, match="no case before 2020-01-01"):
        monthly_history(yearly(16, 12), "csat", "2020-01-01")
