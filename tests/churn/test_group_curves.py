"""Log-rank test, curves by group and by revenue against published figures, statsmodels and simulated truth."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from rolled import rolled

from cs_helpers.churn.group_curves import curves_by_group, log_rank, require_entry, revenue_weighted
from cs_helpers.churn.kaplan_meier import curve_of_counts, kaplan_meier
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed
from cs_helpers.core.stats.clusters import chi_square_tail

LUNG = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "survival" / "lung.csv"


def counted(group, duration, churned, entry=None):
    """One row per kind of spell, as the roll-up survival_counts has them."""
    table = pd.DataFrame(
        {
            "attribute": pd.array(list(group), dtype="str"),
            "duration_months": np.asarray(duration, float),
            "entry_months": np.zeros(len(duration)) if entry is None else np.asarray(entry, float),
            "churned": np.asarray(churned, bool),
        }
    )
    return table.groupby(list(table.columns), dropna=False).size().rename("spells").reset_index()


# --- chi-square tail


# Table of the chi-square distribution: critical values at .05 and .01.
@pytest.mark.parametrize(
    ("statistic", "degrees", "tail"), [(3.841459, 1, 0.05), (6.634897, 1, 0.01), (11.070498, 5, 0.05), (0, 3, 1)]
)
def test_the_tail_has_the_tabled_critical_values(statistic, degrees, tail):
    assert chi_square_tail(statistic, degrees) == approx(tail, rel=1e-6)


@pytest.mark.parametrize(("statistic", "degrees"), [(-1, 1), (1, 0), (float("nan"), 1)])
def test_a_tail_without_meaning_is_refused(statistic, degrees):
    with pytest.raises(ValueError, match="choose a statistic"):
        chi_square_tail(statistic, degrees)


# --- log-rank


def test_log_rank_by_hand():
    # Age 1: a leaves, 2 a and 2 b at risk: expected a 1/2, variance 1/4. Age 2: b leaves, 1 a and 2 b: 1/3, 2/9.
    # Age 3: a leaves, 1 a and 1 b: 1/2, 1/4. Then one b still runs. O = 2, E = 4/3, V = 13/18.
    found = log_rank(counted("aabb", [1, 3, 2, 4], [True, True, True, False]))
    assert found.table.loc["a"].tolist() == approx([2, 2, 4 / 3])
    assert found.table.loc["b"].tolist() == approx([2, 1, 5 / 3])
    assert found.statistic == approx((2 / 3) ** 2 / (13 / 18))
    assert found.degrees == 1


def test_late_entry_joins_the_risk_set_only_after_its_entry():
    # Seen from age 1 on, the second b is not at risk at age 1: of 2 a and 1 b one leaves, expected a 2/3, variance 2/9.
    # Age 2: 1 a and 2 b, variance 2/9, expected a 1/3. Then one a and one b still run.
    found = log_rank(counted("aabb", [1, 3, 2, 3], [True, False, True, False], [0, 0, 0, 1]))
    assert found.table.loc["a", "expected"] == approx(2 / 3 + 1 / 3)
    assert found.statistic == approx(0)
    late = log_rank(counted("aabb", [1, 3, 2, 3], [True, False, False, False], [0, 0, 0, 1]))
    assert late.statistic == approx((1 / 3) ** 2 / (2 / 9))


# R survival, survdiff(Surv(time, status) ~ sex, lung): N 138 and 90, observed 112 and 53, expected 91.6 and 73.4,
# chisq 10.3 on 1 degree of freedom, p = 0.001; 10.3267 with more digits.
def test_lung_by_sex_reproduces_the_published_statistic():
    if not LUNG.exists():
        pytest.skip(f"the lung data are not at {LUNG.parent.name}/lung.csv beside this checkout")
    lung = pd.read_csv(LUNG)
    found = log_rank(counted(lung["sex"].astype(str), lung["time"], lung["status"] == 2))
    assert found.statistic == approx(10.3267, abs=5e-5)
    assert found.p_value == approx(0.00131, abs=5e-6)
    assert found.table["spells"].to_dict() == {"1": 138, "2": 90}
    assert found.table["observed"].to_dict() == {"1": 112, "2": 53}
    assert found.table["expected"].to_dict() == approx({"1": 91.6, "2": 73.4}, abs=0.05)


@st.composite
def grouped(draw, late=True):
    n = draw(st.integers(6, 60))
    entry = np.array(draw(st.lists(st.integers(0, 12 if late else 0), min_size=n, max_size=n)))
    length = np.array(draw(st.lists(st.integers(1, 12), min_size=n, max_size=n)))
    churned = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    group = draw(st.lists(st.sampled_from("abcd"), min_size=n, max_size=n))
    return np.array(group), entry + length, churned, entry


@settings(max_examples=35, deadline=None)
@given(grouped(late=False))
def test_log_rank_equals_statsmodels_without_late_entry(case):
    from statsmodels.duration.survfunc import survdiff

    group, duration, churned, _ = case
    # One of each group stays to the end, so that all are at risk together and the reference has its inverse.
    names = np.unique(group)
    group, duration = np.append(group, names), np.append(duration, np.full(len(names), 99))
    churned = np.append(churned, np.zeros(len(names), bool))
    if len(names) < 2 or not churned.any():
        return
    found = log_rank(counted(group, duration, churned))
    statistic, p_value = survdiff(duration.astype(float), churned.astype(int), group)
    assert found.statistic == approx(statistic, rel=1e-8, abs=1e-8)
    assert found.p_value == approx(p_value, rel=1e-8, abs=1e-8)
    assert found.degrees == len(names) - 1


@settings(max_examples=35, deadline=None)
@given(grouped(), st.randoms(use_true_random=False))
def test_log_rank_ignores_order_and_names_and_observes_what_it_expects(case, random):
    group, duration, churned, entry = case
    counts = counted(group, duration, churned, entry)
    try:
        found = log_rank(counts)
    except ContractError:
        return
    assert found.table["observed"].sum() == approx(found.table["expected"].sum())
    assert 0 <= found.p_value <= 1 and 1 <= found.degrees < len(found.table)
    order = list(range(len(counts)))
    random.shuffle(order)
    shuffled = log_rank(counts.iloc[order])
    assert (shuffled.statistic, shuffled.p_value) == (found.statistic, found.p_value)
    pd.testing.assert_frame_equal(shuffled.table, found.table, check_exact=True)
    renamed = log_rank(counts.assign(attribute=counts["attribute"].map({"a": "z", "b": "y", "c": "x", "d": "w"})))
    assert renamed.statistic == approx(found.statistic, rel=1e-6, abs=1e-9)
    one_by_one = counts.loc[counts.index.repeat(counts["spells"])].assign(spells=1)
    assert log_rank(one_by_one).statistic == approx(found.statistic, rel=1e-9, abs=1e-12)


def test_alike_groups_with_late_entry_differ_at_the_five_percent_level_in_five_percent():
    hits = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        group, life = rng.choice(list("abc"), 250), rng.geometric(0.05, 250)
        entry, seen = rng.integers(0, 10, 250), rng.integers(12, 30, 250)
        there = life > entry
        ended = (life <= seen)[there]
        counts = counted(group[there], np.minimum(life, seen)[there], ended, entry[there])
        hits += log_rank(counts).p_value < 0.05
    # 150 draws at .05 have a standard error of .018.
    assert 0.01 <= hits / 150 <= 0.11


def test_groups_that_never_share_an_age_take_a_degree_away():
    # a and b are young, c and d old; nothing links the two pairs: one degree from each.
    young = counted("aabb", [1, 3, 2, 4], [True, True, True, False])
    old = counted("ccdd", [11, 13, 12, 14], [True, True, True, False], [10] * 4)
    found = log_rank(pd.concat([young, old]))
    assert found.degrees == 2
    assert found.statistic == approx(2 * log_rank(young).statistic)


def test_rows_without_the_attribute_do_not_count():
    counts = counted("aabb", [1, 3, 2, 4], [True, True, True, False])
    unknown = counted([None] * 3, [1, 2, 3], [True] * 3)
    assert log_rank(pd.concat([counts, unknown])).statistic == log_rank(counts).statistic


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (counted("aaa", [1, 2, 3], [True] * 3), "1 group with spells; a comparison needs two"),
        (counted([None] * 2, [1, 2], [True] * 2), "0 groups with spells"),
        (counted("ab", [1, 2], [False] * 2), "nobody has left"),
        (counted("aabb", [1, 2, 11, 12], [True] * 4, [0, 0, 10, 10]), "no two groups are at risk at the same age"),
        (counted("aabb", [1] * 4, [True] * 4), "somebody leaves and somebody stays"),
        (counted("ab", [1, 2], [True] * 2, [0, 2]), "no length to observe"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(counts, message):
    with pytest.raises(ContractError, match=message):
        log_rank(counts)


# --- curves by group


def groups_of(sizes, rng, unknown=0):
    group = [name for name, size in sizes.items() for _ in range(size)] + [None] * unknown
    life = rng.geometric(0.05, len(group))
    return counted(group, np.minimum(life, 24), life <= 24)


def test_every_spell_is_in_a_curve_too_small_beyond_or_unknown():
    counts = groups_of({"large": 200, "middle": 120, "third": 60, "tiny": 29}, np.random.default_rng(1), unknown=17)
    found = curves_by_group(counts, "industry", max_groups=2)
    assert list(found.curves) == ["large", "middle"]
    assert found.too_small == {"tiny": 29}
    assert found.beyond == {"third": 60}
    assert (found.by, found.unknown) == ("industry", 17)
    drawn = sum(curve.spells for curve in found.curves.values())
    assert drawn + 29 + 60 + 17 == counts["spells"].sum()
    large = curve_of_counts(counts[counts["attribute"] == "large"], min_at_risk=10)
    pd.testing.assert_frame_equal(found.curves["large"].curve, large.curve)
    expected = log_rank(counts[counts["attribute"].isin(["large", "middle"])])
    assert found.test.statistic == expected.statistic, "the test is of the drawn groups only"


def test_a_group_that_nobody_leaves_is_drawn():
    loyal = counted(["loyal"] * 50, [24] * 50, [False] * 50)
    found = curves_by_group(pd.concat([loyal, groups_of({"other": 80}, np.random.default_rng(1))]), "plan")
    assert found.curves["loyal"].at(24) == 1
    assert found.test.p_value < 0.001


def test_a_group_of_which_too_few_are_seen_at_one_age_is_too_small():
    scattered = counted(["scattered"] * 40, np.arange(40) * 2 + 1, [True] * 40, np.arange(40) * 2)
    found = curves_by_group(pd.concat([scattered, groups_of({"a": 80, "b": 60}, np.random.default_rng(1))]), "plan")
    assert list(found.curves) == ["a", "b"]
    assert found.too_small == {"scattered": 40}


def test_groups_without_a_departure_have_curves_and_a_refused_test():
    found = curves_by_group(counted(["a"] * 40 + ["b"] * 30, [12] * 70, [False] * 70), "plan")
    assert list(found.curves) == ["a", "b"]
    assert isinstance(found.test, Suppressed) and "nobody has left" in found.test.reason


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"a": 90, "b": 12}, "only a has the 30 paid spells.*largest of the 1 others has 12"),
        ({"a": 9}, "no group has the 30 paid spells"),
        ({}, "no group"),
    ],
)
def test_fewer_than_two_large_groups_are_refused_in_words(sizes, words):
    found = curves_by_group(groups_of(sizes, np.random.default_rng(1), unknown=5), "industry")
    assert isinstance(found, Suppressed)
    pytest.importorskip("re")
    import re

    assert re.search(words, found.reason) and "5 spells have no industry" in found.reason


def test_broken_spells_are_an_error_and_not_a_small_group():
    counts = groups_of({"a": 80, "b": 60}, np.random.default_rng(1))
    counts.loc[0, "duration_months"] = -1
    with pytest.raises(ContractError, match="no length to observe"):
        curves_by_group(counts, "plan")


# --- by revenue


def revenue_book(rng, accounts=150, hazard=0.03, again=0.0):
    """Log-normal MRR of sigma 1, constant hazard, starts over 36 months; a share of accounts has a second spell."""
    start, life = rng.integers(0, 36, accounts), rng.geometric(hazard, accounts)
    book = pd.DataFrame(
        {
            "account_id": [f"a{number:05d}" for number in range(accounts)],
            "duration_months": np.minimum(life, 36 - start).astype(float),
            "churned": life <= 36 - start,
            "entry_months": 0.0,
            "mrr_cents": np.round(np.exp(rng.normal(11, 1, accounts))).astype(int),
        }
    )
    second = book[rng.random(accounts) < again].assign(entry_months=0.0)
    return pd.concat([book, second], ignore_index=True)


def test_the_curve_by_revenue_is_kaplan_meier_weighted_by_mrr_on_entry():
    # Twenty accounts of 100, of which one leaves at age 3; one of 1,000 leaves at 6: 2,900 of 3,000, then 1,900.
    spells = pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in range(21)],
            "duration_months": [3.0] + [12.0] * 19 + [6.0],
            "churned": [True] + [False] * 19 + [True],
            "entry_months": 0.0,
            "mrr_cents": [100] * 20 + [1000],
        }
    )
    found = revenue_weighted(spells)
    assert found.at(3) == approx(1 - 100 / 3000)
    assert found.at(12) == approx(1900 / 3000)
    assert (found.at_risk(3), found.at_risk(6), found.at_risk(12)) == (21, 20, 19)
    assert (found.spells, found.events, found.starts_at, found.last_seen) == (21, 2, 0, 12)
    assert found.top_five_share == approx(1400 / 3000)
    assert found.effective_n == approx(3000**2 / (20 * 100**2 + 1000**2))
    # Before the first departure: all of those at risk, as so many equal accounts.
    assert found.interval(2) == approx(stats.wilson_interval(found.effective_n, found.effective_n))
    assert all(np.isnan([found.at(13), *found.interval(13)]))
    assert found.curve["at_risk"].tolist() == [21, 21, 20, 19]


def test_the_order_of_the_rows_changes_nothing_and_the_seed_is_the_only_chance():
    spells = revenue_book(np.random.default_rng(5), again=0.3)
    found = revenue_weighted(spells)
    again = revenue_weighted(spells.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(found.curve, again.curve, rtol=1e-9)
    assert not revenue_weighted(spells, seed=2).curve.equals(found.curve)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.005, 0.05, 0.3]), st.sampled_from([20, 60]))
def test_the_interval_by_revenue_covers_its_point(seed, hazard, accounts):
    found = revenue_weighted(revenue_book(np.random.default_rng(seed), accounts, hazard, again=0.2), draws=50)
    if isinstance(found, Suppressed):
        assert "least" in found.reason or "fewer than" in found.reason or "equal ones" in found.reason
        return
    table = found.curve
    assert table.notna().all(axis=None)
    assert ((table["low"] >= 0) & (table["low"] <= table["survival"])).all()
    assert ((table["high"] <= 1) & (table["high"] >= table["survival"])).all()
    assert found.effective_n <= accounts and 0 < found.top_five_share <= 1


def test_equal_accounts_give_the_unweighted_curve_and_nearly_its_limits():
    spells = revenue_book(np.random.default_rng(4), 1000).assign(mrr_cents=5000)
    found = revenue_weighted(spells)
    plain = kaplan_meier(spells["duration_months"], spells["churned"], min_at_risk=10)
    assert found.curve["survival"].to_numpy() == approx(plain.curve["survival"].to_numpy())
    assert found.interval(12) == approx(plain.interval(12), abs=0.005)
    assert found.effective_n == approx(1000)


def test_a_small_account_leaving_alone_does_not_make_the_interval_narrow():
    # 39 accounts of 1,000 stay, one of 10 leaves: the bootstrap sees next to no variance, Kish still only 39 accounts.
    spells = pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in range(40)],
            "duration_months": [3.0] + [12.0] * 39,
            "churned": [True] + [False] * 39,
            "entry_months": 0.0,
            "mrr_cents": [10] + [1000] * 39,
        }
    )
    found = revenue_weighted(spells)
    share, kish = 39_000 / 39_010, 39_010**2 / (39 * 1000**2 + 10**2)
    assert found.interval(3) == approx(stats.wilson_interval(share * kish, kish))


def test_spells_of_one_account_are_drawn_together():
    # Each account twice with the same fate tells no more than once.
    once = revenue_book(np.random.default_rng(4), 200)
    twice = pd.concat([once, once], ignore_index=True)
    low, high = revenue_weighted(once, min_at_risk=5).interval(12)
    assert revenue_weighted(twice, min_at_risk=5).interval(12) == approx((low, high), abs=1e-9)


def test_the_interval_by_revenue_covers_the_planted_share():
    hits, checks = 0, 0
    for seed in range(100):
        found = revenue_weighted(revenue_book(np.random.default_rng(seed)), draws=200)
        for months in (6, 12, 24):
            low, high = found.interval(months)
            if months <= found.last_seen:
                checks += 1
                hits += low <= 0.97**months <= high
    assert checks > 250
    assert hits / checks >= 0.88


def test_a_large_book_takes_seconds():
    rng = np.random.default_rng(1)
    spells = revenue_book(rng, 50_000, again=0.4)
    began = time.perf_counter()
    found = revenue_weighted(spells)
    assert time.perf_counter() - began < 10
    assert found.at(12) == approx(0.97**12, abs=0.02)


@pytest.mark.parametrize(
    ("mrr", "count", "words"),
    [
        ([100] * 19, 19, "19 paid spells in the observed window; a curve needs at least 20"),
        ([100] * 29 + [1_000_000], 30, "tells no more than that of 1.0 equal ones"),
        ([], 0, "0 paid spells"),
    ],
)
def test_too_little_revenue_is_refused_in_words(mrr, count, words):
    spells = pd.DataFrame(
        {
            "account_id": pd.array([f"a{number}" for number in range(count)], dtype="str"),
            "duration_months": np.full(count, 12.0),
            "churned": np.arange(count) % 2 == 0,
            "entry_months": 0.0,
            "mrr_cents": np.array(mrr, dtype=int),
        }
    )
    found = revenue_weighted(spells)
    assert isinstance(found, Suppressed) and words in found.reason


@pytest.mark.parametrize("churned", [True, False])
def test_all_or_none_leaving_is_not_certainty_by_revenue(churned):
    spells = revenue_book(np.random.default_rng(2)).assign(duration_months=12.0, churned=churned)
    found = revenue_weighted(spells)
    low, high = found.interval(12)
    assert found.at(12) == (0 if churned else 1)
    assert (low == 0 and 0 < high < 0.1) if churned else (0.9 < low < 1 and high == 1)


# --- left truncation


def simulated_book(rng, accounts=6000):
    """Constant monthly hazard with S(12) = .705; data begin 24 months in, so earlier leavers are not in it."""
    hazard = 1 - 0.705 ** (1 / 12)
    start = rng.uniform(0, 48, accounts)
    lifetime = rng.geometric(hazard, accounts).astype(float)
    stays = start + lifetime > 24
    start, lifetime = start[stays], lifetime[stays]
    return pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in range(len(start))],
            "duration_months": np.minimum(lifetime, 48 - start),
            "churned": lifetime <= 48 - start,
            "entry_months": np.maximum(24 - start, 0),
            "mrr_cents": 1000,
        }
    )


def test_late_entry_recovers_the_truth_and_without_it_there_is_no_result():
    spells = simulated_book(np.random.default_rng(7))
    assert revenue_weighted(spells, draws=20).at(12) == approx(0.705, abs=0.02)
    without = spells.drop(columns="entry_months")
    with pytest.raises(ContractError, match="a true 70 % after 12 months reads as 87 %"):
        revenue_weighted(without)
    grouping = [column for column in without.columns if column in ("duration_months", "churned")]
    counts = without.groupby(grouping).size().rename("spells").reset_index().assign(attribute="a")
    for refused in (log_rank, lambda c: curves_by_group(c, "plan")):
        with pytest.raises(ContractError, match="no column entry_months"):
            refused(counts)


SUBSCRIPTIONS = pd.DataFrame(
    {
        "account_id": ["old", "new"],
        "start_date": pd.to_datetime(["2024-01-01", "2025-03-01"]).astype("datetime64[us]"),
        "end_date": pd.to_datetime([None, "2025-09-01"]).astype("datetime64[us]"),
        "mrr": [100.0, 50.0],
    }
)


def test_the_roll_up_passes_and_a_period_that_began_before_the_data_must_have_entered_late():
    began = pd.Timestamp("2025-01-01")
    spells = rolled("spells", SUBSCRIPTIONS, observed_from=began, as_of=pd.Timestamp("2026-01-01"))
    assert dict(zip(spells["account_id"], spells["entry_months"], strict=True)) == {"old": 12, "new": 0}
    require_entry(spells, began)
    watched = spells.assign(entry_months=0.0)
    require_entry(watched)
    with pytest.raises(ContractError, match=r"1 of 2 spells began before 2025-01-01.*but have entry_months 0"):
        require_entry(watched, began)
    with pytest.raises(ContractError, match="entry_months is missing for 1 of 2"):
        require_entry(spells.assign(entry_months=[0.0, np.nan]))
