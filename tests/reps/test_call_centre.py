"""A real table in which every agent looks different and nobody is: 5,000 calls of eight agents."""

from pathlib import Path

import numpy as np
import pytest
from pytest import approx

import cs_helpers as cs
from cs_helpers.reps.support import resolved_rates

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "pwc_call_centre"


@pytest.fixture(scope="module")
def calls():
    if not FOLDER.is_dir():
        pytest.skip(f"needs the call centre's export in {FOLDER.name}")
    tables = cs.load(FOLDER, mapping="pwc_call_centre")
    window = (tables.observed_from, tables.as_of)
    rolled = tables.rollup("ticket_cases", start=tables.observed_from, as_of=tables.as_of)
    return rolled, window, cs.reps.team_cases(tables, "support").cases, tables.reps


def test_no_agent_can_be_told_apart_although_the_raw_tables_differ(calls):
    _, _, cases, people = calls
    board = cs.reps.compare_reps(cases, people)
    assert board.units == 8
    assert len(board.benchmarks) >= 8
    assert board.differences.empty
    for key in ("csat", "resolved_rate", "aht_minutes"):
        units = board.of(key).units
        assert (units["verdict"] == "not distinguishable").all()
    assert "fcr" not in cases[0].keys, "nobody knows who called twice"
    csat = board.of("csat")
    assert np.ptp(csat.units["raw"]) > 0.05, "the raw table has a best and a worst"
    assert csat.differ_p > 0.2
    assert csat.spread == 0


def test_the_resolved_rate_is_of_answered_calls_with_that_of_all_calls_beside_it(calls):
    rolled, window, _, _ = calls
    answered, offered = resolved_rates(rolled, *window)
    assert (answered.numerator, answered.denominator) == (3_646, 4_054)
    assert (offered.numerator, offered.denominator) == (3_646, 5_000)
    assert (answered.value, offered.value) == approx((0.899, 0.729), abs=5e-4)
    assert answered.low < answered.value < answered.high
