"""Losses at contract anniversaries and between them: by hand, their bookkeeping, and planted hazards recovered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from rolled import rolled

from cs_helpers.churn.contract_anniversaries import anniversary_losses
from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed

AS_OF = pd.Timestamp("2026-07-01")


def book(*rows):
    """Spells of (account, start, duration, churned, entry)."""
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "duration_months", "churned", "entry_months"])
    return table.assign(
        start_date=pd.to_datetime(table["start_date"]), entry_months=table["entry_months"].astype(float)
    )


def contracts(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "term_months"])
    return table.assign(start_date=pd.to_datetime(table["start_date"]), term_months=table["term_months"].astype(float))


def yearly(spells):
    return spells[["account_id", "start_date"]].assign(term_months=12.0)


# Five annual contracts from 1 January 2024, seen to 1 July 2026 (age 30 less a day).
FIVE = book(
    ("a", "2024-01-01", 12.0, True, 0),  # lost at the first anniversary
    ("b", "2024-01-01", 12.5, True, 0),  # lost within the month of grace after it
    ("c", "2024-01-01", 18.0, True, 0),  # renewed once, left in between
    ("d", "2024-01-01", 24.0, True, 0),  # renewed once, lost at the second
    ("e", "2024-01-01", 29.9, False, 0),  # renewed twice
)


def test_by_hand():
    found = anniversary_losses(FIVE, yearly(FIVE), AS_OF, min_renewals=1)
    # First: a and b of five. Second: d of the two that were paid up to it.
    assert found.by_anniversary.loc["1", ["up_for_renewal", "lost", "rate"]].tolist() == approx([5, 2, 2 / 5])
    assert found.by_anniversary.loc["2", ["up_for_renewal", "lost", "rate"]].tolist() == approx([2, 1, 1 / 2])
    assert list(found.by_anniversary.index) == ["1", "2"]
    overall = found.overall
    assert (overall.lost, overall.up_for_renewal, overall.rate) == (3, 7, approx(3 / 7))
    assert (overall.low, overall.high) == approx(stats.wilson_interval(3, 7))
    assert tuple(found.by_anniversary.loc["1", ["low", "high"]]) == approx(stats.wilson_interval(2, 5))
    # In between c left. Departures are by the month: at risk are the whole ages 1-11 (five spells), 13-18 (c),
    # 13-23 (d), and 13-23 and 25-29 (e).
    assert found.between_lost == 1
    assert found.between_months == approx(5 * 11 + 6 + 11 + 16)
    assert found.between_rate == approx(1 / 88)
    assert (found.between_low, found.between_high) == approx(stats.wilson_interval(1, 88))
    assert (found.open, found.without_term, found.terms) == (0, 0, {12: 5})


def test_departures_on_any_day_are_set_against_the_days_away_from_anniversaries():
    spells = FIVE.assign(duration_months=[12.0, 12.5, 18.4, 24.0, 29.9])
    found = anniversary_losses(spells, yearly(spells), AS_OF, min_renewals=1)
    # [0, 12) five times, then from 13: to 18.4 (c), to 24 (d), to 24 and from 25 to 29.9 (e).
    assert found.between_lost == 1
    assert found.between_months == approx(5 * 12 + 5.4 + 11 + 11 + 4.9)


def test_a_spell_seen_from_the_anniversary_on_was_not_up_for_renewal_under_observation():
    late = FIVE.assign(entry_months=[0.0, 0.0, 12.0, 15.0, 11.0])
    found = anniversary_losses(late, yearly(late), AS_OF, min_renewals=1)
    # c and d came into view at or after the first anniversary; a, b and e before it.
    assert found.by_anniversary["up_for_renewal"].tolist() == [3, 2]
    assert found.by_anniversary["lost"].tolist() == [2, 1]
    # Whole ages: 1-11 of a and b; 13-18 of c; 16-23 of d; of e none of 1-11, then 13-23 and 25-29.
    assert found.between_months == approx(11 + 11 + 6 + 8 + 0 + 11 + 5)


def test_renewals_too_recent_to_tell_are_open_whatever_happened_to_them():
    # On the eve of 1 July 2026 both contracts of 15 June 2025 are 12.48 months old; within the grace one has left.
    young = book(("x", "2025-06-15", 12.0, True, 0), ("y", "2025-06-15", 12 + 15 / 31, False, 0))
    found = anniversary_losses(pd.concat([FIVE, young]), yearly(pd.concat([FIVE, young])), AS_OF, min_renewals=1)
    assert found.open == 2
    assert found.by_anniversary["up_for_renewal"].tolist() == [5, 2], "counting x as lost without y would read as 100 %"
    shorter = anniversary_losses(pd.concat([FIVE, young]), yearly(pd.concat([FIVE, young])), AS_OF, 0.4, min_renewals=1)
    assert shorter.open == 0
    # b left half a month after its anniversary, which now is elsewhere; x is lost and y renewed.
    assert shorter.by_anniversary.loc["1", ["up_for_renewal", "lost"]].tolist() == [7, 2]
    assert shorter.between_lost == 2


def test_the_term_is_that_of_the_subscription_that_runs_as_the_spell_starts():
    spells = book(
        ("a", "2024-01-01", 24.0, True, 0),
        ("b", "2024-01-01", 24.0, True, 0),
        ("c", "2024-01-01", 24.0, True, 0),
        ("d", "2024-01-01", 24.0, True, 0),
        ("e", "2024-01-01", 24.0, True, 0),
        ("f", "2024-01-01", 24.0, True, 0),
        ("g", "2024-01-01", 24.0, True, 0),
    )
    terms = contracts(
        ("a", "2022-01-01", 36),
        ("a", "2024-01-01", 24),  # the latest that has started
        ("a", "2024-02-01", 6),
        ("b", "2024-03-01", 12),  # none has started: the first to come
        ("b", "2024-05-01", 24),
        ("c", "2024-01-01", 6),
        ("c", "2024-01-01", 8),  # two on one day: the longest
        ("c", "2024-01-01", np.nan),
        ("d", "2024-01-01", 1),  # from month to month
        ("e", "2024-01-01", np.nan),
        ("f", "2026-07-01", 12),  # still to come
    )
    found = anniversary_losses(spells, terms, AS_OF, min_renewals=1)
    assert found.terms == {8: 1, 12: 1, 24: 1}
    assert found.without_term == 4, "d, e, f and g, which has no subscription"
    shuffled = anniversary_losses(spells[::-1], terms.sample(frac=1, random_state=2), AS_OF, min_renewals=1)
    assert shuffled.terms == found.terms
    # a is lost at its first anniversary (24), b at its second (12), c at its third (8).
    assert found.by_anniversary["up_for_renewal"].tolist() == [3, 2, 1]
    assert found.by_anniversary["lost"].tolist() == [1, 1, 1]


def spells_lost_at(*ages):
    rows = [(f"a{n:03d}", "2020-01-01", float(age), True, 0) for n, age in enumerate(ages)]
    return book(*rows)


def test_thin_anniversaries_at_the_end_are_pooled():
    spells = spells_lost_at(*[12] * 10, *[24] * 10, *[36] * 5, *[48] * 4)
    found = anniversary_losses(spells, yearly(spells), AS_OF, min_renewals=10)
    # Reached: 29, 19, 9, 4. Third and fourth together are 13, of which nine are lost.
    assert found.by_anniversary["up_for_renewal"].to_dict() == {"1": 29, "2": 19, "3+": 13}
    assert found.by_anniversary["lost"].to_dict() == {"1": 10, "2": 10, "3+": 9}
    few = anniversary_losses(spells, yearly(spells), AS_OF, min_renewals=14)
    assert list(few.by_anniversary.index) == ["1", "2"], "13 are too few even together"
    assert few.overall.up_for_renewal == 29 + 19 + 9 + 4
    pooled = anniversary_losses(spells, yearly(spells), AS_OF, min_renewals=40)
    assert pooled.by_anniversary["up_for_renewal"].to_dict() == {"1+": 61}


def test_a_thin_first_anniversary_before_a_full_one_has_no_row():
    # Ten old contracts come into view at age 20, three new ones from the start.
    spells = spells_lost_at(*[24] * 10, *[12] * 3).assign(entry_months=[20.0] * 10 + [0.0] * 3)
    found = anniversary_losses(spells, yearly(spells), AS_OF, min_renewals=10)
    assert found.by_anniversary["up_for_renewal"].to_dict() == {"2": 10}
    assert found.overall.up_for_renewal == 13


# --- planted truth

AT = {1: 0.15, 2: 0.10}
LATER, BETWEEN = 0.08, 0.004
OBSERVED_FROM = pd.Timestamp("2022-07-01")


def simulated(rng, accounts, by_month):
    """Annual contracts from any day of nine years; in view for the last four. Between the anniversaries (and the
    month of grace after each) they leave on any day, or at the end of any month of age."""
    first = pd.Timestamp("2017-07-01")
    start = pd.Series(first + pd.to_timedelta(rng.integers(0, (AS_OF - first).days, accounts), unit="D"))
    eve, began = (pd.Series(day, index=start.index) for day in (AS_OF - pd.Timedelta(days=1), OBSERVED_FROM))
    seen = periods.months_between(start, eve).to_numpy()
    entry = np.maximum(periods.months_between(start, began).to_numpy(), 0)
    life = np.full(accounts, np.inf)
    for number in range(10):
        at = 12 * number
        here = np.isinf(life)
        if number:
            life[here & (rng.random(accounts) < AT.get(number, LATER))] = at
            here = np.isinf(life)
        grace = 0 if by_month or not number else 1
        after = rng.geometric(BETWEEN, accounts) if by_month else rng.exponential(1 / BETWEEN, accounts) + grace
        life = np.where(here & (after < 12), at + after, life)
    there = (life > entry) & (seen > entry)
    life, seen, entry, start = life[there], seen[there], entry[there], start[there]
    return pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in range(len(start))],
            "start_date": start.to_numpy(),
            "duration_months": np.minimum(life, seen),
            "churned": life <= seen,
            "entry_months": entry,
        }
    )


@pytest.mark.parametrize("by_month", [False, True])
def test_planted_hazards_are_recovered_without_bias_on_a_large_book(by_month):
    spells = simulated(np.random.default_rng(1), 60_000, by_month)
    found = anniversary_losses(spells, yearly(spells), AS_OF)
    for row, truth in (("1", 0.15), ("2", 0.10), ("3", 0.08), ("4", 0.08)):
        size = found.by_anniversary.loc[row, "up_for_renewal"]
        error = np.sqrt(truth * (1 - truth) / size)
        assert size > 5000
        assert abs(found.by_anniversary.loc[row, "rate"] - truth) < 3.3 * error, row
    assert found.between_months > 500_000
    assert abs(found.between_rate - BETWEEN) < 3.3 * np.sqrt(BETWEEN / found.between_months)
    assert found.open > 100


@pytest.mark.parametrize("by_month", [False, True])
def test_the_limits_cover_the_planted_hazards_in_small_books(by_month):
    hits, checks = {"1": 0, "2": 0, "between": 0}, 0
    for seed in range(100):
        spells = simulated(np.random.default_rng(seed), 300, by_month)
        found = anniversary_losses(spells, yearly(spells), AS_OF)
        checks += 1
        for row, truth in (("1", 0.15), ("2", 0.10)):
            hits[row] += found.by_anniversary.loc[row, "low"] <= truth <= found.by_anniversary.loc[row, "high"]
        hits["between"] += found.between_low <= BETWEEN <= found.between_high
    assert all(each / checks >= 0.88 for each in hits.values()), hits


# --- bookkeeping


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([20, 80, 300]), st.booleans(), st.sampled_from([0.5, 1.0, 1.5, 3.0]))
def test_every_departure_is_at_an_anniversary_between_or_open(seed, accounts, by_month, grace):
    spells = simulated(np.random.default_rng(seed), accounts, by_month)
    found = anniversary_losses(spells, yearly(spells), AS_OF, grace, min_renewals=1)
    if isinstance(found, Suppressed):
        assert "renewal" in found.reason
        return
    left = int(spells["churned"].sum())
    assert 0 <= left - found.overall.lost - found.between_lost <= found.open
    assert found.by_anniversary["up_for_renewal"].sum() == found.overall.up_for_renewal
    assert found.by_anniversary["lost"].sum() == found.overall.lost
    exposure = (spells["duration_months"] - spells["entry_months"]).sum()
    assert 0 < found.between_months <= exposure + len(spells)
    assert found.by_anniversary.notna().all(axis=None)
    assert (
        (found.by_anniversary["low"] <= found.by_anniversary["rate"])
        & (found.by_anniversary["rate"] <= found.by_anniversary["high"])
    ).all()
    again = anniversary_losses(spells.sample(frac=1, random_state=1), yearly(spells), AS_OF, grace, min_renewals=1)
    pd.testing.assert_frame_equal(again.by_anniversary, found.by_anniversary, check_exact=True)
    assert again.between_months == approx(found.between_months, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 2.5]))
def test_months_between_are_those_counted_one_day_at_a_time(seed, grace):
    spells = simulated(np.random.default_rng(seed), 30, by_month=False)
    found = anniversary_losses(spells, yearly(spells), AS_OF, grace, min_renewals=1)
    if isinstance(found, Suppressed) or found.between_lost == 0:
        return
    step = 1 / 200
    total = 0.0
    for entry, stop in zip(spells["entry_months"], spells["duration_months"], strict=True):
        ages = np.arange(entry, stop, step) + step / 2
        total += step * ((ages < 12) | (ages % 12 >= grace)).sum()
    assert found.between_months == approx(total, abs=len(spells) * step * 8)


def test_subscriptions_and_their_roll_up_fit_together():
    subscriptions = pd.DataFrame(
        {
            "account_id": ["a", "a", "b", "c"],
            "start_date": pd.to_datetime(["2023-01-31", "2024-01-31", "2024-02-29", "2024-03-01"]),
            "end_date": pd.to_datetime(["2024-01-31", "2025-01-31", "2025-02-28", None]),
            "mrr": [100.0] * 4,
            "term_months": [12.0] * 4,
        }
    )
    for column in ("start_date", "end_date"):
        subscriptions[column] = subscriptions[column].astype("datetime64[us]")
    spells = rolled("spells", subscriptions, observed_from=pd.Timestamp("2022-01-01"), as_of=AS_OF)
    found = anniversary_losses(spells, subscriptions, AS_OF, min_renewals=1)
    # First: a and c renewed, b lost on the last day of February. Second: a lost, c renewed.
    assert found.by_anniversary["up_for_renewal"].tolist() == [3, 2]
    assert found.by_anniversary["lost"].tolist() == [1, 1]


# --- refusals


def test_nobody_or_everybody_lost_is_not_certainty():
    loyal = FIVE.assign(duration_months=29.9, churned=False)
    none = anniversary_losses(loyal, yearly(loyal), AS_OF, min_renewals=1)
    assert (none.overall.rate, none.between_rate) == (0, 0)
    assert none.overall.high > 0.2 and none.between_high > 0.01
    gone = FIVE.assign(duration_months=12.0, churned=True)
    every = anniversary_losses(gone, yearly(gone), AS_OF, min_renewals=1)
    assert (every.overall.rate, every.overall.high) == (1, 1)
    assert every.overall.low < 0.7


def test_next_to_no_time_away_from_anniversaries_tells_nothing_about_it():
    # In view from just before the anniversary: the anniversary is all that is seen.
    spells = FIVE.assign(duration_months=12.5, churned=True, entry_months=11.9999999999)
    found = anniversary_losses(spells, yearly(spells), AS_OF, min_renewals=1)
    assert found.overall.lost == 5
    assert found.between_months < 1e-6
    assert found.between_rate == 0 and found.between_high > 0.99


@pytest.mark.parametrize(
    ("spells", "term", "words"),
    [
        (FIVE, np.nan, "None of the 5 paid spells has a contract term"),
        (FIVE, 1.0, "None of the 5 paid spells has a contract term"),
        (FIVE.iloc[:0], 12.0, "None of the 0 paid spells"),
        (FIVE, 12.0, "7 contract renewals decided among 5 paid spells"),
        (FIVE, 36.0, "0 contract renewals decided"),
    ],
)
def test_what_cannot_be_told_is_refused_in_words(spells, term, words):
    found = anniversary_losses(spells, yearly(spells).assign(term_months=term), AS_OF)
    assert isinstance(found, Suppressed) and words in found.reason


@pytest.mark.parametrize(
    ("spells", "message"),
    [
        (FIVE.drop(columns="entry_months"), "no column entry_months"),
        (FIVE.assign(entry_months=20.0), "no length to observe"),
        (FIVE.assign(start_date=pd.NaT), "5 of 5 spells have no account_id or no start_date"),
    ],
)
def test_broken_spells_are_an_error(spells, message):
    with pytest.raises(ContractError, match=message):
        anniversary_losses(spells, yearly(FIVE), AS_OF)


def test_terms_without_a_term_column_are_an_error():
    with pytest.raises(ContractError, match="no column term_months"):
        anniversary_losses(FIVE, FIVE, AS_OF)


@pytest.mark.parametrize("grace", [0, -1, 12, float("nan")])
def test_a_grace_that_is_none_or_reaches_the_next_anniversary_is_refused(grace):
    with pytest.raises(ValueError, match="grace_months"):
        anniversary_losses(FIVE, yearly(FIVE), AS_OF, grace)
