"""Cumulative incidence by hand, against statsmodels, its identities and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from cs_helpers.churn.aalen_johansen import cumulative_incidence
from cs_helpers.churn.kaplan_meier import kaplan_meier
from cs_helpers.core.errors import ContractError

CAUSES = ["budget", "product", "went bankrupt"]


def test_by_hand():
    # Age 1: five at risk, one leaves for price: 1/5. Age 2: one still runs. Age 3: of three, one leaves for product:
    # 4/5 * 1/3. Age 4: of two, one for price: 8/15 * 1/2. Age 5: the last one still runs.
    found = cumulative_incidence([1, 2, 3, 4, 5], ["price", None, "product", "price", None])
    assert found.at(1).to_dict() == approx({"price": 1 / 5, "product": 0})
    assert found.at(3.5).to_dict() == approx({"price": 1 / 5, "product": 4 / 5 / 3})
    assert found.at(5).to_dict() == approx({"price": 1 / 5 + 8 / 15 / 2, "product": 4 / 15})
    assert found.staying(5) == approx(8 / 15 / 2)
    assert found.events.to_dict() == {"price": 2, "product": 1}
    # Kaplan-Meier of price alone: 4/5 * 1/2 stay; of product alone: 2/3.
    assert found.naive.to_dict() == approx({"price": 1 - 4 / 5 / 2, "product": 1 / 3})
    assert list(found.share.index) == [0, 1, 3, 4, 5]
    assert list(found.share.columns) == ["price", "product"], "the larger share at the end comes first"


def test_two_causes_at_the_same_age_share_one_risk_set():
    # Four at risk at age 1, two leave, one for each cause: 1/4 each, not 1/4 and 3/4 * 1/3.
    found = cumulative_incidence([1, 1, 2, 2], ["b", "a", None, None])
    assert found.at(1).to_dict() == approx({"a": 1 / 4, "b": 1 / 4})
    assert list(found.share.columns) == ["a", "b"], "equal shares are in the order of their names"


def test_late_entry_joins_the_risk_set_only_after_its_entry():
    # At age 2 the second spell (seen from 3) is not yet at risk: 1 of 2 leaves for a. At 4: 1 of 2 for b.
    found = cumulative_incidence([2, 4, 6], ["a", "b", None], entry_months=[0, 3, 0])
    assert found.at(6).to_dict() == approx({"a": 1 / 2, "b": 1 / 2 * 1 / 2})


@st.composite
def spells(draw, late=True):
    n = draw(st.integers(3, 50))
    entry = draw(st.lists(st.integers(0, 15 if late else 0), min_size=n, max_size=n))
    length = draw(st.lists(st.integers(1, 20), min_size=n, max_size=n))
    cause = draw(st.lists(st.sampled_from([None, *CAUSES]), min_size=n, max_size=n))
    cause[0] = cause[0] or CAUSES[0]
    return np.array(entry), np.array(entry) + np.array(length), np.array(cause, dtype=object)


@settings(max_examples=60, deadline=None)
@given(spells(late=False))
def test_shares_and_standard_errors_equal_statsmodels(case):
    from statsmodels.duration.survfunc import CumIncidenceRight

    _, duration, cause = case
    status = np.array([0 if c is None else 1 + CAUSES.index(c) for c in cause])
    with np.errstate(all="ignore"):
        reference = CumIncidenceRight(duration.astype(float), status)
    found = cumulative_incidence(duration, cause)
    for number, name in enumerate(CAUSES[: status.max()]):
        if name not in found.share.columns:
            continue
        for age, share, se in zip(reference.times, reference.cinc[number], reference.cinc_se[number], strict=True):
            if age not in found.share.index:
                continue
            assert found.share.loc[age, name] == approx(share, abs=1e-10)
            # The variance is what both compute to 1e-10; a root of rounding noise near 0 is not. Where everybody
            # has left, the reference divides by 0.
            if np.isfinite(se):
                assert found.se.loc[age, name] ** 2 == approx(se**2, abs=1e-10)


@settings(max_examples=60, deadline=None)
@given(spells())
def test_causes_and_those_who_stay_add_up_to_one(case):
    entry, duration, cause = case
    found = cumulative_incidence(duration, cause, entry)
    curve = kaplan_meier(duration, [c is not None for c in cause], entry)
    assert list(found.share.index) == list(curve.curve.index)
    assert np.abs(found.share.sum(axis=1) + curve.curve["survival"] - 1).max() <= 1e-12
    assert found.events.sum() == curve.events
    assert found.staying(found.last_seen) == approx(curve.at(curve.last_seen), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(spells())
def test_shares_only_rise_and_lie_within_their_limits(case):
    entry, duration, cause = case
    found = cumulative_incidence(duration, cause, entry)
    assert (found.share.diff().dropna() >= 0).all(axis=None)
    assert (found.share.iloc[-1].diff().dropna() <= 0).all(), "the largest share at the end comes first"
    for limits in (found.low, found.high):
        assert limits.notna().all(axis=None)
        assert ((limits >= 0) & (limits <= 1)).all(axis=None)
    assert (found.low <= found.share + 1e-9).all(axis=None)
    assert (found.share <= found.high + 1e-9).all(axis=None)
    assert (found.naive >= found.share.iloc[-1] - 1e-12).all()


@settings(max_examples=40, deadline=None)
@given(spells(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(case, random):
    entry, duration, cause = case
    found = cumulative_incidence(duration, cause, entry)
    order = list(range(len(entry)))
    random.shuffle(order)
    other = cumulative_incidence(duration[order], cause[order], entry[order])
    for part in ("share", "low", "high", "se"):
        pd.testing.assert_frame_equal(getattr(found, part), getattr(other, part), check_exact=True)
    pd.testing.assert_series_equal(found.events, other.events)
    pd.testing.assert_series_equal(found.naive, other.naive, check_exact=True)
    assert (found.spells, found.starts_at, found.last_seen) == (other.spells, other.starts_at, other.last_seen)


@settings(max_examples=60, deadline=None)
@given(spells())
def test_one_cause_is_what_kaplan_meier_leaves_with_its_limits(case):
    entry, duration, cause = case
    gone = np.array([c is not None for c in cause])
    found = cumulative_incidence(duration, np.where(gone, "left", None), entry)
    curve = kaplan_meier(duration, gone, entry).curve
    assert found.share["left"].to_numpy() == approx(1 - curve["survival"].to_numpy(), abs=1e-12)
    assert found.low["left"].to_numpy() == approx(1 - curve["high"].to_numpy(), abs=1e-6)
    assert found.high["left"].to_numpy() == approx(1 - curve["low"].to_numpy(), abs=1e-6)
    assert found.naive["left"] == approx(found.share["left"].iloc[-1], abs=1e-12)


HAZARD = {"price": 0.02, "product": 0.01}


def simulated(rng, accounts):
    """Constant monthly hazards, seen for 6 to 36 months; those older than 12 months when the data begin enter late."""
    total = sum(HAZARD.values())
    life = rng.geometric(total, accounts).astype(float)
    cause = np.where(rng.random(accounts) < HAZARD["price"] / total, "price", "product").astype(object)
    seen, entry = rng.integers(6, 37, accounts), rng.integers(0, 13, accounts) * (rng.random(accounts) < 0.5)
    there = (life > entry) & (seen > entry)
    life, cause, seen, entry = life[there], cause[there], seen[there], entry[there]
    cause[life > seen] = None
    return np.minimum(life, seen), cause, entry


def truth(name, months):
    total = sum(HAZARD.values())
    return HAZARD[name] / total * (1 - (1 - total) ** months)


def test_planted_shares_are_recovered_where_the_naive_curve_is_too_high():
    duration, cause, entry = simulated(np.random.default_rng(3), 30_000)
    found = cumulative_incidence(duration, cause, entry, min_at_risk=10)
    for name in HAZARD:
        assert found.at(24)[name] == approx(truth(name, 24), abs=0.01)
        assert found.naive[name] > truth(name, found.last_seen) + 0.03


def test_the_limits_cover_the_planted_shares():
    hits = 0
    for seed in range(150):
        duration, cause, entry = simulated(np.random.default_rng(seed), 200)
        found = cumulative_incidence(duration, cause, entry)
        at = found.share.index.searchsorted(18, side="right") - 1
        for name in HAZARD:
            hits += found.low[name].iloc[at] <= truth(name, 18) <= found.high[name].iloc[at]
    # 300 checks at .95 have a standard error of .013.
    assert hits / 300 >= 0.91


def test_a_cause_that_nobody_has_left_for_yet_is_not_certain_to_stay_away():
    found = cumulative_incidence([1] + [5] * 18 + [6], ["a"] + [None] * 18 + ["b"])
    # 0 of 20 at age 1: the exact limit 1 - .025 ** (1/20).
    assert (found.low.loc[1, "b"], found.high.loc[1, "b"]) == (0, approx(1 - 0.025 ** (1 / 20)))


def test_everybody_having_left_is_finite():
    found = cumulative_incidence([1, 2, 3], ["a", "b", "a"])
    assert found.at(3).to_dict() == approx({"a": 2 / 3, "b": 1 / 3})
    assert found.staying(3) == 0
    assert np.isfinite(found.se).all(axis=None) and np.isfinite(found.high).all(axis=None)


def test_ages_that_too_few_reached_are_not_claimed():
    # Twelve seen to age 5, of which one leaves there; one alone leaves at 30 for another cause.
    found = cumulative_incidence([5] * 12 + [30], ["a"] + [None] * 11 + ["b"], min_at_risk=10)
    assert found.last_seen == 5
    assert found.at(5).to_dict() == approx({"a": 1 / 13, "b": 0})
    assert found.events.to_dict() == {"a": 1, "b": 0}
    assert found.at(30).isna().all() and np.isnan(found.staying(30))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [None, None]), "none of the 2 spells has left"),
        (([], []), "fewer than|none of the 0"),
        (([1, 2], ["a", " "]), "1 of 2 spells have a blank cause; the first is number 2"),
        (([1, -2], ["a", "a"]), "no length to observe.*number 2"),
        (([1, 2], ["a"]), "one value per spell"),
        (([1, 2], ["a", "a"], [0, 2]), "no length to observe.*number 2"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_reason(arguments, message):
    with pytest.raises(ContractError, match=message):
        cumulative_incidence(*arguments)


def test_too_few_at_risk_is_refused():
    with pytest.raises(ContractError, match="fewer than 10 are under observation"):
        cumulative_incidence([1, 2], ["a", None], min_at_risk=10)
