"""Survival against published figures, an independent implementation and simulated truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from rolled import rolled
from scipy import stats as scipy_stats

from cs_helpers import churn
from cs_helpers.churn.kaplan_meier import counts_of, curve_of_counts, time_to_leave
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed, or_suppressed

LUNG = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "survival" / "lung.csv"


def test_by_hand():
    # Ages 1 to 5; those at 2 and 4 still run. S: 4/5, then of three left 2/3, then of one left 0.
    curve = churn.kaplan_meier([1, 2, 3, 4, 5], [True, False, True, False, True])
    assert curve.at(1) == approx(4 / 5)
    assert curve.at(3.5) == approx(4 / 5 * 2 / 3)
    assert curve.at(5) == 0
    assert curve.curve["at_risk"].tolist() == [5, 5, 3, 1]
    assert (curve.spells, curve.events) == (5, 3)


def test_late_entry_joins_the_risk_set_only_after_its_entry():
    # At age 2 the second spell (seen from 3) is not yet at risk: 1 of 2 leaves. At 4: 1 of 2.
    curve = churn.kaplan_meier([2, 4, 6], [True, True, False], entry_months=[0, 3, 0])
    assert curve.at(2) == approx(1 / 2)
    assert curve.at(4) == approx(1 / 2 * 1 / 2)
    assert curve.at_risk(2) == 2
    assert curve.at_risk(4) == 2


@pytest.fixture(scope="module")
def lung():
    if not LUNG.exists():
        pytest.skip(f"the lung data are not at {LUNG.parent.name}/lung.csv beside this checkout")
    return pd.read_csv(LUNG)


# R survival 3.x: survfit(Surv(time, status) ~ 1, lung), conf.type "log-log" and "log".
@pytest.mark.parametrize(("transform", "low", "high"), [("log-log", 284, 361), ("log", 285, 363)])
def test_lung_reproduces_the_published_median(lung, transform, low, high):
    curve = churn.kaplan_meier(lung["time"], lung["status"] == 2, transform=transform)
    assert curve.median == 310
    assert curve.median_interval == (low, high)


@pytest.mark.parametrize(("sex", "median"), [(1, 270), (2, 426)])
def test_lung_reproduces_the_published_medians_by_sex(lung, sex, median):
    group = lung[lung["sex"] == sex]
    assert churn.kaplan_meier(group["time"], group["status"] == 2).median == median


def test_lung_equals_scipy_with_its_limits(lung):
    ended = lung["status"] == 2
    data = scipy_stats.CensoredData(uncensored=lung["time"][ended], right=lung["time"][~ended])
    reference = scipy_stats.ecdf(data).sf
    limits = reference.confidence_interval(method="log-log")
    curve = churn.kaplan_meier(lung["time"], ended)
    ages = curve.curve.index[1:-1]
    assert [curve.at(a) for a in ages] == approx(reference.evaluate(ages), abs=1e-10)
    assert [curve.interval(a)[0] for a in ages] == approx(limits.low.evaluate(ages), abs=1e-10)
    assert [curve.interval(a)[1] for a in ages] == approx(limits.high.evaluate(ages), abs=1e-10)


@st.composite
def spells(draw):
    n = draw(st.integers(2, 60))
    entry = draw(st.lists(st.integers(0, 20), min_size=n, max_size=n))
    length = draw(st.lists(st.integers(1, 20), min_size=n, max_size=n))
    churned = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(entry), np.array(entry) + np.array(length), np.array(churned)


@settings(max_examples=150, deadline=None)
@given(spells())
def test_late_entry_equals_statsmodels(case):
    from statsmodels.duration.survfunc import SurvfuncRight

    entry, duration, churned = case
    curve = churn.kaplan_meier(duration, churned, entry)
    reference = SurvfuncRight(duration.astype(float), churned.astype(int), entry=entry.astype(float))
    for age, expected in zip(reference.surv_times, reference.surv_prob, strict=True):
        if curve.starts_at <= age <= curve.last_seen:
            assert curve.at(age) == approx(expected, abs=1e-10)


@settings(max_examples=100, deadline=None)
@given(spells())
def test_the_curve_only_falls_and_stays_inside_its_limits(case):
    entry, duration, churned = case
    table = churn.kaplan_meier(duration, churned, entry).curve
    assert (table["survival"].diff().dropna() <= 1e-12).all()
    assert ((table["low"] <= table["survival"] + 1e-9) & (table["survival"] <= table["high"] + 1e-9)).all()
    assert table.notna().all(axis=None)


@settings(max_examples=50, deadline=None)
@given(spells(), st.integers(1, 1000))
def test_equal_weights_change_nothing(case, weight):
    entry, duration, churned = case
    plain = churn.kaplan_meier(duration, churned, entry).curve
    weighted = churn.kaplan_meier(duration, churned, entry, weights=np.full(len(entry), weight)).curve
    pd.testing.assert_frame_equal(plain, weighted, rtol=1e-9)


def simulated_book(rng, accounts=6000):
    """Constant monthly hazard with S(12) = .705; data begin 24 months in, so earlier leavers are not in it."""
    hazard = 1 - 0.705 ** (1 / 12)
    start = rng.uniform(0, 48, accounts)
    lifetime = rng.geometric(hazard, accounts).astype(float)
    stays = start + lifetime > 24
    start, lifetime = start[stays], lifetime[stays]
    duration = np.minimum(lifetime, 48 - start)
    return duration, lifetime <= 48 - start, np.maximum(24 - start, 0)


def test_left_truncation_recovers_the_truth_that_ignoring_it_misses():
    duration, churned, entry = simulated_book(np.random.default_rng(7))
    assert churn.kaplan_meier(duration, churned, entry).at(12) == approx(0.705, abs=0.02)
    assert churn.kaplan_meier(duration, churned).at(12) > 0.705 + 0.05


def test_the_interval_of_late_entry_covers_the_truth():
    hits = 0
    for seed in range(200):
        duration, churned, entry = simulated_book(np.random.default_rng(seed), accounts=300)
        low, high = churn.kaplan_meier(duration, churned, entry, min_at_risk=10).interval(12)
        hits += low <= 0.705 <= high
    # 200 draws at .95 have a standard error of .015.
    assert hits / 200 >= 0.90


def test_a_curve_starts_where_enough_are_at_risk():
    # Two early spells, of which one leaves at age 1, then twenty that enter at age 5.
    duration = [1, 9] + [10] * 19 + [8]
    churned = [True, False] + [False] * 19 + [True]
    entry = [0, 0] + [5] * 20
    curve = churn.kaplan_meier(duration, churned, entry, min_at_risk=10)
    assert curve.starts_at == 5, "twenty come under observation at age 5, whatever happened before"
    assert np.isnan(curve.at(4.5))
    # Of the 21 at risk at age 8 (the twenty and the one that leaves at 9) one leaves.
    assert curve.at(8) == approx(20 / 21)


def test_ages_at_which_nobody_was_under_observation_are_not_claimed():
    curve = churn.kaplan_meier([100, 101, 102], [True, False, False], [90, 90, 90])
    assert curve.starts_at == 90
    assert np.isnan(curve.at(12))
    assert curve.curve["at_risk"].iloc[0] == 3
    assert curve.at(100) == approx(2 / 3)


def test_a_curve_ends_where_too_few_remain_even_if_more_come_later():
    # Fifteen young spells seen to age 5, one alone from 20 to 30 that leaves, twenty old ones from 60 on.
    stop, churned = [5] * 15 + [30] + [100] * 20, [False] * 15 + [True] + [True] * 2 + [False] * 18
    curve = churn.kaplan_meier(stop, churned, [0] * 15 + [20] + [60] * 20, min_at_risk=10)
    assert (curve.starts_at, curve.last_seen) == (0, 5)
    assert curve.at(5) == 1
    assert np.isnan(curve.at(48))


def test_everybody_having_left_is_not_certainty_either():
    curve = churn.kaplan_meier([1.0, 2.0, 3.0], [True] * 3)
    assert curve.at(3) == 0
    assert curve.interval(3) == (0, curve.interval(2)[1])
    assert curve.interval(2)[1] > 0.5


def test_nobody_having_left_is_not_certainty():
    curve = churn.kaplan_meier([12.0] * 20, [False] * 20)
    # Exact limit of 20 out of 20: .025 ** (1/20).
    assert curve.interval(12) == approx((0.025 ** (1 / 20), 1))


def test_nobody_leaving_keeps_the_curve_at_one():
    curve = churn.kaplan_meier([3, 4, 5], [False] * 3)
    assert curve.at(5) == 1
    assert np.isnan(curve.median)
    assert curve.events == 0


@pytest.mark.parametrize(
    ("duration", "entry"), [([1, -2], [0, 0]), ([1, np.nan], [0, 0]), ([1, 2], [0, 2]), ([1, 2], [0, -1])]
)
def test_spells_without_length_are_refused(duration, entry):
    with pytest.raises(ContractError, match=r"have no length to observe.*number 2"):
        churn.kaplan_meier(duration, [True, True], entry)


def test_too_few_at_risk_is_refused_with_the_reason():
    with pytest.raises(ContractError, match="fewer than 10 are under observation"):
        churn.kaplan_meier([1, 2], [True, True], min_at_risk=10)


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    return table.assign(**{c: pd.to_datetime(table[c]) for c in ("start_date", "end_date")})


def spells_of(table, observed_from, as_of):
    return rolled("spells", table, observed_from=observed_from, as_of=as_of)


def test_spells_join_price_changes_split_at_gaps_and_enter_late():
    table = subscriptions(
        ("A", "2024-01-01", "2025-03-01", 100),
        ("A", "2025-03-01", "2025-07-01", 150),
        ("A", "2025-10-01", None, 90),
        ("B", "2025-02-15", None, 40),
        ("gone", "2023-01-01", "2024-06-01", 70),
    )
    got = spells_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01"))
    assert got["account_id"].tolist() == ["A", "A", "B"]
    # Those still running were last seen on 31 December: 2 months and 30 days, 10 months and 16 days.
    assert got["duration_months"].tolist() == approx([18, 2 + 30 / 31, 10 + 16 / 31])
    assert got["churned"].tolist() == [True, False, False]
    assert got["entry_months"].tolist() == [12, 0, 0]
    assert got["mrr_cents"].tolist() == [100_00, 90_00, 40_00]


def test_an_anniversary_that_nobody_has_seen_yet_is_not_survived():
    # B turns one year old on as_of itself; whether it renewed that day is not known. A left on its anniversary.
    table = subscriptions(("A", "2024-06-01", "2025-06-01", 1), ("B", "2025-01-01", None, 1))
    got = spells_of(table, pd.Timestamp("2024-01-01"), pd.Timestamp("2026-01-01"))
    curve = churn.kaplan_meier(got["duration_months"], got["churned"], got["entry_months"])
    assert curve.at_risk(12) == 1
    assert curve.at(12) == 0


def test_an_end_that_lies_after_as_of_is_not_known_yet():
    table = subscriptions(("A", "2025-01-01", "2026-03-01", 1), ("B", "2025-01-01", "2026-01-01", 1))
    got = spells_of(table, pd.Timestamp("2024-01-01"), pd.Timestamp("2026-01-01"))
    assert got["churned"].tolist() == [False, False], "what ends on as_of itself is not known either"


def test_the_price_on_entry_is_the_one_paid_when_observation_began():
    table = subscriptions(("A", "2023-01-01", "2024-06-01", 100), ("A", "2024-06-01", None, 150))
    got = spells_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01"))
    assert got["mrr_cents"].tolist() == [150_00]


def planted_and_found(folder, seeds):
    """How often the intervals at 6, 12 and 24 months hold the truth of sample companies, and the mean error."""
    from cs_helpers.data import sample, tables

    hits, errors = 0, []
    for seed in seeds:
        sample.write(folder, seed=seed)
        loaded = tables.load(folder)
        counts = loaded.rollup("survival_counts", observed_from=loaded.observed_from, as_of=loaded.as_of)
        curve = time_to_leave(counts)
        true = sample.truth(seed=seed)["expected"]["survival"]["all"]
        for age in ("6", "12", "24"):
            low, high = curve.interval(int(age))
            hits += low <= true[age] <= high
            errors.append(curve.at(int(age)) - true[age])
    return hits, np.mean(errors)


def test_the_planted_survival_of_a_sample_company_is_recovered_from_its_files(tmp_path):
    hits, error = planted_and_found(tmp_path, [101])
    assert hits >= 2
    assert abs(error) < 0.05


@pytest.mark.slow
def test_the_planted_survival_of_ten_sample_companies_is_recovered_without_bias(tmp_path):
    # The truth is that of first spells; the curve also holds the few returns, which leave a little sooner.
    # 30 intervals at .95, ten companies: fewer than 24 would be far outside chance; a bias would show in the mean.
    hits, error = planted_and_found(tmp_path, range(101, 111))
    assert hits >= 24
    assert abs(error) < 0.015


def test_an_age_before_the_first_departure_is_not_certain_either():
    # 13 of 40 leave at 13 months; at 12 nobody has, and no spell has stopped yet: .025 ** (1/40).
    curve = churn.kaplan_meier([13.0] * 13 + [20.0] * 27, [True] * 13 + [False] * 27)
    assert curve.at(12) == 1
    assert curve.interval(12) == approx((0.025 ** (1 / 40), 1))
    assert curve.interval(0) == (1, 1), "everybody who started has started"


def test_with_weights_a_few_large_spells_leave_more_doubt_before_the_first_departure():
    durations, churned = [13.0] * 5 + [20.0] * 15, [True] * 5 + [False] * 15
    plain = churn.kaplan_meier(durations, churned)
    heavy = churn.kaplan_meier(durations, churned, weights=[1.0] * 19 + [1000.0])
    assert heavy.interval(12)[0] < plain.interval(12)[0] < 1


@settings(max_examples=40, deadline=None)
@given(spells(), st.integers(1, 5))
def test_counted_spells_give_the_same_curve_and_limits_as_the_spells_one_by_one(case, least):
    entry, duration, churned = case
    one_by_one = or_suppressed(churn.kaplan_meier, duration, churned, entry, min_at_risk=least)
    of_counts = or_suppressed(curve_of_counts, counts_of(duration, churned, entry), min_at_risk=least)
    if isinstance(one_by_one, Suppressed):
        assert of_counts == one_by_one
        return
    pd.testing.assert_frame_equal(of_counts.curve, one_by_one.curve, rtol=1e-12, atol=0)
    assert (of_counts.spells, of_counts.events, of_counts.late_entries) == (
        one_by_one.spells, one_by_one.events, one_by_one.late_entries
    )  # fmt: skip
    for age in np.arange(0, 41, 1.5):
        assert of_counts.at_risk(age) == one_by_one.at_risk(age)
        assert of_counts.interval(age) == approx(one_by_one.interval(age), rel=1e-12, nan_ok=True)


@settings(max_examples=50, deadline=None)
@given(spells(), st.integers(1, 4))
def test_a_row_that_stands_for_several_spells_is_those_spells_written_out(case, times):
    entry, duration, churned = case
    written = churn.kaplan_meier(np.tile(duration, times), np.tile(churned, times), np.tile(entry, times))
    brief = churn.kaplan_meier(duration, churned, entry, counts=np.full(len(entry), times))
    pd.testing.assert_frame_equal(brief.curve, written.curve, rtol=1e-12)
    assert brief.spells == written.spells


def test_the_curve_of_the_counts_of_a_company_is_that_of_its_spells():
    rng = np.random.default_rng(3)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 900, 200), unit="D")
    end = pd.Series(start + pd.to_timedelta(rng.integers(1, 900, 200), unit="D"))
    table = pd.DataFrame(
        {"account_id": [f"{n:03d}" for n in range(200)], "start_date": start, "mrr": rng.integers(1, 99, 200)}
    )
    table["end_date"] = end.where(end < "2026-01-01")
    observed = {"observed_from": "2023-06-15", "as_of": "2026-01-01"}
    counts, rows = (rolled(name, table, **observed) for name in ("survival_counts", "spells"))
    columns = (rows["duration_months"], rows["churned"], rows["entry_months"])
    pd.testing.assert_frame_equal(
        time_to_leave(counts).curve, churn.kaplan_meier(*columns, min_at_risk=10).curve, rtol=1e-12
    )


def test_too_few_spells_are_refused_in_words():
    table = subscriptions(("A", "2024-01-01", None, 100))
    counts = rolled("survival_counts", table, observed_from="2024-01-01", as_of="2025-01-01")
    assert time_to_leave(counts).reason.startswith("1 paid spell in the observed window; a curve needs at least 20.")
    assert time_to_leave(counts.iloc[:0]).reason.startswith("0 paid spells in the")


def test_a_curve_of_counts_without_the_age_on_entry_is_refused():
    table = subscriptions(*[(f"{n:02d}", "2023-01-01", None, 100) for n in range(30)])
    counts = rolled("survival_counts", table, observed_from="2024-01-01", as_of="2025-01-01")
    assert time_to_leave(counts).spells == 30
    with pytest.raises(ContractError, match="entry_months"):
        curve_of_counts(counts.drop(columns="entry_months"))
    assert "entry_months" in time_to_leave(counts.drop(columns="entry_months")).reason
