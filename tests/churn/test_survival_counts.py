"""Spells counted into the rows of survival_counts: the same spells, the same curve, in any order."""

import tracemalloc
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from rolled import rolled

from cs_helpers.churn.kaplan_meier import counts_of, curve_of_counts, kaplan_meier
from cs_helpers.core.errors import ContractError

module = import_module("cs_helpers.churn.kaplan_meier")
COLUMNS = ["duration_months", "entry_months", "churned", "spells"]


def rows(frame):
    return [tuple(row) for row in frame[COLUMNS].itertuples(index=False)]


def test_equal_spells_become_one_row_with_their_number():
    counted = counts_of([3, 5, 3, 3, 5], [True, False, True, False, False], [0, 2, 0, 0, 0])
    assert list(counted.columns) == COLUMNS
    assert rows(counted) == [(3.0, 0.0, False, 1), (3.0, 0.0, True, 2), (5.0, 0.0, False, 1), (5.0, 2.0, False, 1)]


def test_fractional_ages_are_kept_as_they_are():
    counted = counts_of([2.25, 0.1, 2.25, 2.25], [1, 0, 1, 1], [0.5, 0, 0.5, 1.5])
    assert rows(counted) == [(0.1, 0.0, False, 1), (2.25, 0.5, True, 2), (2.25, 1.5, True, 1)]


def test_without_entry_everybody_is_seen_from_age_0():
    assert rows(counts_of([4, 4, 4], [True, True, False])) == [(4.0, 0.0, False, 1), (4.0, 0.0, True, 2)]


def test_the_counts_are_those_of_the_roll_up():
    months = pd.date_range("2024-01-01", periods=12, freq="MS")
    subscriptions = pd.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(12)],
            "start_date": [months[n // 3] for n in range(11)] + [pd.Timestamp("2023-06-01")],
            "end_date": [months[11] if n % 2 else months[5 + n // 4] for n in range(10)] + [pd.NaT, pd.NaT],
            "mrr": [1000, 2500, 1000, 500] * 3,
        }
    )
    window = {"observed_from": "2024-01-01", "as_of": "2025-01-01"}
    spells = rolled("spells", subscriptions, **window)
    wanted = rolled("survival_counts", subscriptions, **window)
    counted = counts_of(spells["duration_months"], spells["churned"], spells["entry_months"])
    wanted = wanted.sort_values(["duration_months", "entry_months", "churned"], ignore_index=True)
    assert len(wanted) > 5
    assert wanted["spells"].max() > 1
    assert_frame_equal(counted, wanted[COLUMNS])


WHOLE = st.tuples(st.integers(0, 30), st.integers(1, 40), st.booleans())
FRACTIONS = st.tuples(
    st.integers(0, 300).map(lambda n: n / 31),
    st.integers(1, 300).map(lambda n: n / 31),
    st.booleans(),
)
SPELLS = st.one_of(st.lists(WHOLE, min_size=1, max_size=60), st.lists(FRACTIONS, min_size=1, max_size=60))


def columns_of(spells):
    entry, longer, churned = (np.array(column) for column in zip(*spells, strict=True))
    return entry + longer, churned, entry


@settings(max_examples=60, deadline=None)
@given(spells=SPELLS, random=st.randoms())
def test_the_order_of_the_rows_does_not_matter(spells, random):
    shuffled = random.sample(spells, len(spells))
    frames = [counts_of(*columns_of(order)) for order in (spells, shuffled)]
    assert_frame_equal(*frames, check_exact=True)


@settings(max_examples=60, deadline=None)
@given(spells=SPELLS)
def test_the_curve_of_the_counts_is_the_curve_of_the_spells(spells):
    columns = columns_of(spells)
    assert_frame_equal(curve_of_counts(counts_of(*columns)).curve, kaplan_meier(*columns).curve, rtol=1e-8)


@settings(max_examples=60, deadline=None)
@given(spells=SPELLS)
def test_nothing_is_lost_and_no_kind_of_spell_stands_twice(spells):
    stop, churned, entry = columns_of(spells)
    counted = counts_of(stop, churned, entry)
    assert counted["spells"].sum() == len(spells)
    kinds = set(zip(stop.tolist(), entry.tolist(), churned.tolist(), strict=True))
    assert set(counted[["duration_months", "entry_months", "churned"]].itertuples(index=False, name=None)) == kinds
    assert len(counted) == len(kinds)


def test_whole_ages_are_counted_alike_part_by_part_all_at_once_and_when_too_far_apart_for_a_table(monkeypatch):
    random = np.random.default_rng(3)
    entry = random.integers(0, 20, 5000)
    stop, churned = entry + random.integers(1, 20, 5000), random.random(5000) < 0.4
    wanted = pd.Series(1, index=range(5000)).groupby([stop.astype(float), entry.astype(float), churned]).sum()
    at_once = counts_of(stop, churned, entry)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    in_parts = counts_of(stop, churned, entry)
    monkeypatch.setattr(module, "_MAX_CELLS", 0)
    by_value = counts_of(stop, churned, entry)
    assert at_once["spells"].tolist() == wanted.tolist()
    assert at_once["duration_months"].tolist() == wanted.index.get_level_values(0).tolist()
    assert_frame_equal(at_once, in_parts)
    assert_frame_equal(at_once, by_value)


def test_one_fractional_age_in_an_early_part_is_not_lost_among_whole_ones(monkeypatch):
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 2)
    assert rows(counts_of([2.5, 2, 2, 2], [True] * 4)) == [(2.0, 0.0, True, 3), (2.5, 0.0, True, 1)]


def test_a_million_whole_ages_are_counted_in_a_few_megabytes():
    stop, churned = np.arange(1_000_000) % 120 + 1.0, np.arange(1_000_000) % 3 == 0
    entry = stop - 1
    counts_of(stop[:10], churned[:10], entry[:10])
    tracemalloc.start()
    try:
        counts_of(stop, churned, entry)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5e6  # one more array of the spells would take 8 MB


def test_ages_of_a_distant_epoch_do_not_ask_for_a_table_of_all_ages():
    assert rows(counts_of([10.0**12, 2], [True, False], [10.0**12 - 1, 0])) == [
        (2.0, 0.0, False, 1),
        (10.0**12, 10.0**12 - 1, True, 1),
    ]


def test_minus_zero_is_zero():
    counted = counts_of([1.5, 1.5, 2.0], [True, True, True], [0.0, -0.0, -0.0])
    assert counted["spells"].tolist() == [2, 1]


def test_no_spells_are_no_rows_of_the_same_types():
    empty, one = counts_of([], []), counts_of([1], [True])
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == one.dtypes.to_dict()


@pytest.mark.parametrize(
    ("stop", "entry"),
    [
        ([3, 2, 0], None),
        ([3, 2, -1], None),
        ([3, 2, float("nan")], None),
        ([3, 2, float("inf")], None),
        ([3, 2, 5], [0, 0, 5]),
        ([3, 2, 5], [0, 0, -1]),
        ([3, 2, 5], [0, 0, float("nan")]),
    ],
)
def test_a_spell_without_length_is_refused_by_its_number(stop, entry):
    with pytest.raises(ContractError, match=r"1 of 3 spells .* the first is number 3\."):
        counts_of(stop, [True, False, True], entry)


@pytest.mark.parametrize("unknown", [None, float("nan"), pd.NA, "yes", 2])
def test_a_fate_that_is_neither_true_nor_false_is_refused(unknown):
    with pytest.raises(ContractError, match="true or false"):
        counts_of([1, 2], np.array([True, unknown], dtype=object))


@pytest.mark.parametrize("columns", [([1, 2], [True]), ([1, 2], [True, True], [0])])
def test_columns_of_different_length_are_refused(columns):
    with pytest.raises(ContractError, match="one value per spell"):
        counts_of(*columns)


def test_nullable_columns_of_pandas_are_read_as_they_are():
    counted = counts_of(
        pd.Series([3, 3], dtype="Int64"),
        pd.Series([True, False], dtype="boolean"),
        pd.Series([0.5, 0.5], dtype="Float64"),
    )
    assert rows(counted) == [(3.0, 0.5, False, 1), (3.0, 0.5, True, 1)]
