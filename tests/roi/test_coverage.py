"""Who is covered at the as-of date, what margin that leaves, and how inputs from several sources are combined."""

import numpy as np
import pandas as pd
import pytest
from pytest import approx

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed
from cs_helpers.roi.bad_experience import nps_word_of_mouth
from cs_helpers.roi.company import margin_of
from cs_helpers.roi.costs import cost_base
from cs_helpers.roi.portfolio import covered_portfolio, paying_and_covered
from cs_helpers.roi.smaller_plans import tail_portfolio
from cs_helpers.roi.uncertain_inputs import fixed_input, gather_inputs, required_input, with_risk

AS_OF = pd.Timestamp("2026-01-01")
MRR = pd.Series({"A": 100.0, "B": 200.0, "C": 300.0, "D": 400.0}, name="mrr")


def assignments(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "rep_id", "start_date", "end_date", "role"])
    return table.assign(start_date=pd.to_datetime(table["start_date"]), end_date=pd.to_datetime(table["end_date"]))


def covered(table, reps=None, role="csm"):
    now = paying_and_covered(MRR, table, reps, AS_OF, role)
    return dict(zip(now["account_id"], now["covered"], strict=True))


def test_whoever_covers_everybody_needs_no_assignments():
    now = paying_and_covered(MRR, assignments().iloc[:0], None, AS_OF, everybody=True)
    assert now["covered"].all() and len(now) == len(MRR)


def test_coverage_is_what_runs_on_the_eve_of_the_day():
    table = assignments(
        ("A", "R1", "2025-12-31", None, "csm"),  # begins on the eve
        ("B", "R1", "2025-01-01", "2026-01-01", "csm"),  # still there on the eve
        ("C", "R1", "2025-01-01", "2025-12-31", "csm"),  # the eve is its first day without
        ("D", "R1", "2026-01-01", None, "csm"),  # begins too late
        ("E", "R1", "2025-01-01", None, "csm"),  # does not pay
    )
    assert covered(table) == {"A": True, "B": True, "C": False, "D": False}


def test_other_roles_and_people_who_left_cover_nobody():
    table = assignments(
        ("A", "R1", "2025-01-01", None, "backup"),
        ("B", "R1", "2025-01-01", None, None),
        ("C", "R2", "2025-01-01", None, "CSM"),
        ("D", "R3", "2025-01-01", None, "csm"),
    )
    reps = pd.DataFrame({"rep_id": ["R1", "R2", "R3"], "left_on": pd.to_datetime([None, "2025-12-30", "2025-12-31"])})
    assert covered(table, reps) == {"A": False, "B": True, "C": False, "D": True}
    assert covered(table, reps, role="")["A"]


def test_without_any_assignment_coverage_is_unknown_and_not_absent():
    now = paying_and_covered(MRR, assignments(), None, AS_OF)
    assert now["covered"].isna().all()
    with pytest.raises(ContractError, match="without recorded assignments nobody knows"):
        covered_portfolio(pd.DataFrame(), now, AS_OF)


def test_it_is_the_rule_of_the_roll_up():
    import cs_helpers as cs

    tables = cs.load("data/sample")
    day = pd.Timestamp("2025-09-01")  # assignments begin and end on firsts of a month
    seen = tables.rollup("vanish_panel", start=day, as_of=tables.as_of, role="csm")
    rolled = seen[pd.to_datetime(seen["month"]) == day].set_index("account_id").sort_index()
    mrr = rolled["mrr_cents"] / 100
    now = paying_and_covered(mrr, tables.assignments, tables.reps, day + pd.Timedelta(days=1))  # the eve is that day
    assert len(now) > 400 and 0.3 < now["covered"].mean() < 0.9
    assert (now["covered"].to_numpy() == rolled["covered"].to_numpy(bool)).all()


def test_the_margin_is_that_of_the_covered_mrr():
    now = pd.DataFrame({"account_id": list("ABCD"), "mrr": MRR.to_numpy(), "covered": [True, True, False, True]})
    margins = pd.Series({"A": 0.9, "B": 0.6, "C": 0.1})  # D has none
    found = margin_of(now, margins)
    assert found.mode == approx((100 * 0.9 + 200 * 0.6) / 300) and found.origin == "measured" and not found.ranges
    with pytest.raises(ContractError, match="no covered account has a gross margin"):
        margin_of(now, pd.Series({"C": 0.1}))


COSTS = cost_base(None, None, AS_OF, cost_per_month=1_000.0)
MARGIN, CHURN = fixed_input("margin", 0.8), fixed_input("yearly_churn", 0.1)


def test_the_readers_own_risk_goes_before_the_measured_one():
    inputs = gather_inputs([MARGIN, CHURN], COSTS)
    own, measured = fixed_input("relative_risk", 1.5), fixed_input("relative_risk", 1.2, "measured")
    assert with_risk(inputs, None) == with_risk(inputs, Suppressed("no effect")) == inputs
    assert with_risk(inputs, measured)[0] is measured
    replaced = with_risk(with_risk(inputs, measured), own)
    assert [each for each in replaced if each.name == "relative_risk"] == [own]


def test_what_a_plan_cannot_do_without_is_named_as_the_reader_knows_it():
    assert required_input("0.8", "margin", "margin").mode == MARGIN.mode
    with pytest.raises(ContractError, match="tail_share is not given: give the share of the people's work"):
        required_input("", "people_share", "tail_share")


def test_the_tail_is_what_pays_less_than_a_threshold_and_needs_one():
    now = pd.DataFrame({"account_id": list("ABCD"), "mrr": MRR.to_numpy(), "covered": [True, True, True, False]})
    running = pd.DataFrame(
        {
            "account_id": list("ABCD"),
            "start_date": pd.Timestamp("2025-06-01"),
            "end_date": pd.NaT,
            "mrr": MRR.to_numpy(),
        }
    ).assign(term_months=12.0)
    tail = tail_portfolio(running, now, 250.0, AS_OF)
    assert (tail.accounts, tail.exposed_mrr, tail.total_mrr) == (2, 300.0, 1_000.0)
    with pytest.raises(ContractError, match="tail_below is not given: give the MRR"):
        tail_portfolio(running, now, 0.0, AS_OF)


def test_word_of_mouth_counts_the_latest_answer_of_each_paying_account():
    answers = pd.DataFrame(
        [
            ("nps", "A", "2025-02-01", 3), ("nps", "A", "2025-11-01", 10),  # the later one counts: happy
            ("nps", "B", "2025-03-01", 6), ("nps", "C", "2025-03-01", 7),  # unhappy, neither
            ("nps", "X", "2025-03-01", 0), ("nps", "D", "2024-03-01", 0),  # does not pay, too long ago
            ("csat", "D", "2025-03-01", 1), ("nps", "D", None, np.nan),  # another survey, no answer
        ],
        columns=["kind", "account_id", "answered_at", "score"],
    )  # fmt: skip
    answers["answered_at"] = pd.to_datetime(answers["answered_at"])
    talk = nps_word_of_mouth(answers, MRR.index, pd.Timestamp("2025-01-01"), AS_OF)
    assert list(talk.table["accounts"]) == [1, 1] and talk.tellings == approx(1 * 0.13 * 15)
    assert talk.lost is None and talk.table["basis"].iloc[0] == "by their latest NPS answer"
    with pytest.raises(ContractError, match="nobody's NPS answer is known"):
        nps_word_of_mouth(answers.iloc[:0], MRR.index, pd.Timestamp("2025-01-01"), AS_OF)
    with pytest.raises(ContractError, match="answered an NPS survey in this window"):
        nps_word_of_mouth(answers, MRR.index, pd.Timestamp("2020-01-01"), pd.Timestamp("2020-02-01"))
