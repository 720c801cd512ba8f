"""Profiles of consistent outliers: planted habits come back, and whoever is like everybody else has none."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from desks import END, NOBODY, START, book_and_touches, desk, names, persistent, profile
from pytest import approx

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.results import Suppressed
from cs_helpers.reps.outliers import ASPECTS, outlier_profiles


def told(found):
    return set(found.aspects.loc[found.aspects["clear"], "aspect"])


def row(found, aspect, level=""):
    rows = found.aspects[(found.aspects["aspect"] == aspect) & (found.aspects["level"] == level)]
    return rows.iloc[0]


# --- planted habits -------------------------------------------------------------------------------------------------


def test_who_answers_twice_as_fast_and_escalates_half_as_often_is_described_by_these_two():
    described = 0
    for seed in (1, 2, 3):
        tickets = desk(seed, reps=30, low=700, high=900, odd=1, slow=0.5, calm=0.5)
        found = profile(tickets, "R-29")
        # Who answers twice as fast answers more on the same day and is done earlier: that is the same habit.
        described += {"first_response_hours", "escalation_rate"} <= told(found) <= {
            "first_response_hours", "escalation_rate", "answered_same_day", "resolution_hours"
        }  # fmt: skip
        first, escalated = row(found, "first_response_hours"), row(found, "escalation_rate")
        assert 0.35 < first["low"] < first["ratio"] < first["high"] < 0.7
        assert first["peers"] == approx(first["value"] / first["ratio"])
        assert escalated["high"] < 0 and escalated["ratio"] == approx(0.5, abs=0.2)
    assert described >= 2


def test_the_value_of_a_time_is_the_median_in_its_unit():
    tickets = desk(4, reps=8, low=200, high=250)
    found = profile(tickets, "R-05")
    own = tickets[tickets["rep_id"] == "R-05"]
    assert row(found, "first_response_hours")["value"] == approx(own["first_response_minutes"].median() / 60)
    assert row(found, "aht_minutes")["value"] == approx(own["handle_minutes"].median())
    assert row(found, "contacts")["value"] == approx(own["contacts"].mean())
    assert row(found, "category", "bug")["value"] == approx((own["category"] == "bug").mean())
    assert row(found, "opened_before_noon")["value"] == approx((own["opened_hour"] < 12).mean())


def test_who_takes_other_tickets_is_described_by_the_mix_and_not_by_the_time_they_take():
    tickets = desk(5, reps=20, low=500, high=600, odd=1, easy=0.8)
    found = profile(tickets, "R-19")
    assert {"category"} <= told(found) <= {"category"}
    plain = tickets[tickets["rep_id"] == "R-19"]["handle_minutes"].median()
    everybody = tickets[tickets["rep_id"] != "R-19"]["handle_minutes"].median()
    # Four in five of the long ones were left to others: the plain median is far lower, not against the same cases.
    assert plain < 0.8 * everybody and row(found, "aht_minutes")["peers"] < 0.95 * everybody


def test_who_is_like_everybody_else_has_nothing_told_in_nine_of_ten_cases():
    silent = cases = 0
    for seed in range(8):
        tickets, ordinary = desk(100 + seed, reps=25, low=200, high=400), ("R-01", "R-06", "R-12", "R-18", "R-24")
        everybody = persistent(*((unit, "better") for unit in ordinary))
        for found in outlier_profiles([everybody], tickets, NOBODY, START, END):
            cases += 1
            silent += not told(found)
    assert cases == 40
    assert silent / cases >= 0.9


@pytest.mark.slow
def test_in_four_hundred_cases_nothing_is_told_of_ordinary_reps_in_nine_of_ten():
    silent = 0
    for seed in range(80):
        ordinary = persistent(*((unit, "better") for unit in ("R-01", "R-06", "R-12", "R-24", "R-39")))
        silent += sum(not told(found) for found in outlier_profiles([ordinary], desk(300 + seed), NOBODY, START, END))
    assert silent >= 0.9 * 400


# --- the touch pattern of CSMs --------------------------------------------------------------------------------------


def csm(book, touches, unit="R-09", people=NOBODY):
    return profile(pd.DataFrame(), unit, "better", "book_grr", people, touches=touches, portfolio=book)


def test_a_csm_who_touches_twice_as_often_is_described_by_it_and_by_how_many_accounts_are_touched():
    book, touches = book_and_touches(odd_rate=2.0)
    found = csm(book, touches)
    assert {"touches_per_account_month", "accounts_touched"} <= told(found)
    assert not told(found) & {"touches_by_channel", "hours_per_touch"}
    own = touches[touches["rep_id"] == "R-09"]
    every = row(found, "touches_per_account_month")
    assert (every["value"], every["n"]) == (approx(len(own) / (40 * 12)), 480)
    assert every["peers"] == approx(0.4, abs=0.05)
    assert row(found, "touches_of_kind", "qbr")["value"] == approx((own["kind"] == "qbr").sum() / 480)
    # A share of (1 - .2)^3 of the accounts is left without a touch in three months, of the peers' (1 - .4)^3.
    coverage = row(found, "accounts_touched")
    assert (coverage["value"], coverage["n"]) == (approx(1 - 0.2**3, abs=0.02), 160)
    assert coverage["peers"] == approx(1 - 0.6**3, abs=0.06)


def test_a_csm_who_uses_another_channel_is_described_by_that():
    found = csm(*book_and_touches(odd_channel=0.9))
    assert told(found) == {"touches_by_channel"}
    video = row(found, "touches_by_channel", "video")
    assert video["value"] == approx(0.9, abs=0.06) and video["peers"] == approx(0.5, abs=0.06)
    assert 0 < video["low"] < video["value"] - video["peers"] < video["high"]


def test_a_csm_like_everybody_else_has_nothing_told():
    silent = [not told(csm(*book_and_touches(seed=seed), unit="R-04")) for seed in range(10)]
    assert sum(silent) >= 9


def test_accounts_that_were_not_there_for_all_three_months_do_not_count_for_those_touched():
    book, touches = book_and_touches()
    handed_on = (book.table["cluster"] == "R-09-5") & (book.table["month"] == START)
    fewer = replace(book, table=book.table[~handed_on])
    assert row(csm(book, touches), "accounts_touched")["n"] == 40 * 4
    assert row(csm(fewer, touches), "accounts_touched")["n"] == 40 * 4 - 1


def test_touches_in_somebody_elses_book_and_after_the_window_do_not_count():
    book, touches = book_and_touches()
    before = csm(book, touches).aspects
    elsewhere = touches.assign(rep_id="R-09")[touches["rep_id"] == "R-00"]
    later = touches[touches["rep_id"] == "R-09"].assign(occurred_at=END + pd.Timedelta(days=3))
    pd.testing.assert_frame_equal(before, csm(book, pd.concat([touches, elsewhere, later])).aspects)


# --- who counts, and what is refused ---------------------------------------------------------------------------------


def test_all_consistent_outliers_get_a_profile_and_nobody_where_persistence_is_refused():
    tickets = desk(6, reps=8, low=120, high=160)
    csat, fcr = (
        persistent(("R-01", "better"), ("R-02", ""), ("R-03", "worse")),
        persistent(("R-01", "worse"), key="fcr"),
    )
    found = outlier_profiles([Suppressed("none"), csat, fcr], tickets, NOBODY, START, END)
    assert [(each.unit, each.side, each.key) for each in found] == [
        ("R-01", "better", "csat"),
        ("R-03", "worse", "csat"),
    ], "each rep on the first measure"
    pd.testing.assert_frame_equal(found[1].aspects, profile(tickets, "R-03", "worse").aspects)
    refused = persistent(("R-01", "better"), refused="noise")
    assert outlier_profiles([Suppressed("none"), refused], tickets, NOBODY, START, END) == ()


def test_the_measure_itself_is_no_aspect():
    tickets = desk(6, reps=8, low=120, high=160)
    found = profile(tickets, "R-01", "higher", "escalation_rate")
    assert "escalation_rate" not in set(found.aspects["aspect"]) and list(found.aspects.columns) == ASPECTS


def test_peers_are_of_the_same_role():
    tickets = desk(6, reps=8, low=120, high=160)
    people = pd.DataFrame({"rep_id": names(8), "role": ["support"] * 6 + ["csm"] * 2})
    with_others = profile(tickets, "R-01", people=people).aspects
    without = tickets[~tickets["rep_id"].isin(["R-06", "R-07"])]
    pd.testing.assert_frame_equal(with_others, profile(without, "R-01").aspects)


def test_tickets_outside_the_window_do_not_count():
    tickets = desk(6, reps=8, low=120, high=160)
    outside = tickets.assign(opened_month=pd.Timestamp("2024-01-01"), handle_minutes=500.0)
    before = profile(tickets, "R-01").aspects
    after = profile(pd.concat([tickets, outside]), "R-01").aspects
    pd.testing.assert_frame_equal(before, after)


def test_what_is_not_recorded_is_no_aspect_and_a_segment_is_one_where_it_is_there():
    tickets = desk(6, reps=8, low=120, high=160).drop(columns=["handle_minutes", "escalated", "opened_hour"])
    tickets["segment"] = np.where(np.arange(len(tickets)) % 3 == 0, "SMB", "Enterprise")
    found = profile(tickets, "R-01")
    aspects = set(found.aspects["aspect"])
    assert not aspects & {"aht_minutes", "escalation_rate", "answered_same_day", "opened_late"}
    assert row(found, "segment", "SMB")["peers"] == approx(1 / 3, abs=0.05)


def test_mistakes_and_too_little_data_say_so():
    tickets = desk(6, reps=8, low=120, high=160)
    book, touches = book_and_touches()
    with pytest.raises(ParameterError, match="give both, or neither"):
        profile(tickets, "R-01", touches=touches)
    assert profile(tickets, "R-99").reason.startswith("R-99: too few cases to be held against peers; 30 are needed")
    assert "too few cases" in csm(book, touches.iloc[:0]).reason
