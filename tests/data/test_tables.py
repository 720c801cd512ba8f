"""Loaded tables as an analyst and a front door use them: cached roll-ups, and one clear line for a wrong name."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from cs_helpers.core.errors import ParameterError
from cs_helpers.data import rollups
from cs_helpers.data.tables import load

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"


@pytest.fixture
def tables():
    return load(SAMPLE)


def counted_runs(monkeypatch):
    """Counts how often a roll-up is computed; the roll-ups themselves run."""
    ran, run = [], rollups.run
    monkeypatch.setattr(rollups, "run", lambda engine, name, **given: ran.append(name) or run(engine, name, **given))
    return ran


def test_a_rollup_is_computed_once_for_the_same_parameters(tables, monkeypatch):
    ran = counted_runs(monkeypatch)
    first = tables.rollup("account_month", start="2025-01-01", end=tables.as_of)
    again = tables.rollup("account_month", end=tables.as_of, start="2025-01-01", dense=False)
    assert ran == ["account_month"], "the same date written otherwise, and a default written out, are the same"
    assert_frame_equal(first, again)
    tables.rollup("account_month", start="2025-01-01", end=tables.as_of, dense=True)
    assert ran == ["account_month", "account_month"]


def test_what_a_caller_does_to_a_rollup_reaches_no_other_caller(tables):
    months = tables.account_months()
    expected = months.copy()
    months["extra"] = 1
    months.loc[:, "account_id"] = "nobody"
    again = tables.account_months()
    assert_frame_equal(again, expected)


def test_account_months_are_dense_and_span_what_was_observed(tables):
    expected = tables.rollup("account_month", start=tables.observed_from, end=tables.as_of, dense=True)
    assert_frame_equal(tables.account_months(), expected)
    assert expected.groupby("account_id").size().nunique() == 1


def test_an_intermediate_is_made_once_per_key(tables):
    made = []
    make = lambda: made.append(1) or len(made)  # noqa: E731
    assert [tables.cached(("churn.snapshots", 3), make), tables.cached(("churn.snapshots", 3), make)] == [1, 1]
    assert tables.cached(("churn.snapshots", 6), make) == 2


def test_replaced_tables_share_no_cache(tables):
    kept = tables.account_months()
    other = replace(tables, company="Other")
    assert other._cache == {} and tables._cache
    assert_frame_equal(other.account_months(), kept)


def test_a_wrong_parameter_is_named_also_where_it_cannot_be_a_key(tables):
    with pytest.raises(ParameterError, match="it is not a date"):
        tables.rollup("account_month", start=["2025-01-01"], end=tables.as_of)
    with pytest.raises(ParameterError, match="Did you mean 'account_month'"):
        tables.rollup("account_months")


def test_a_table_that_does_not_exist_is_one_line_with_the_nearest_name(tables):
    with pytest.raises(ParameterError) as raised:
        _ = tables.tickts
    assert str(raised.value).startswith("tables have no table or attribute 'tickts'. Did you mean 'tickets'?")
    assert raised.value._render_traceback_() == [f"UnknownAttribute: {raised.value}"]
    assert not hasattr(tables, "tickts") and getattr(tables, "tickts", None) is None


def test_copying_tables_works(tables):
    assert copy.copy(tables).accounts.equals(tables.accounts)
