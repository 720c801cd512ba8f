"""Whose account it was: the handover rule on literal tables, and against a rule that counts day by day."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.reps.attribution import attributed

NOBODY = None
DUE = pd.Timestamp("2026-04-01")  # its 90 days before are 1 January (day -90) to 31 March (day -1)
PEOPLE = pd.DataFrame({"rep_id": ["Ann", "Ben", "Cem"], "left_on": pd.to_datetime([None, None, None])})


def days_before(days):
    return DUE - pd.Timedelta(days=days)


def had(*rows, account="A"):
    """Assignments of one account: (rep, days before the event on which it began, and on which it ended or None)."""
    return pd.DataFrame(
        {
            "account_id": account,
            "rep_id": [rep for rep, _, _ in rows],
            "start_date": [days_before(begin) for _, begin, _ in rows],
            "end_date": pd.to_datetime([None if end is None else days_before(end) for _, _, end in rows]),
        }
    )


def event(account="A", day=DUE, **more):
    return pd.DataFrame({"account_id": [account], "due_date": [day], **more})


def whose(assignments, events=None, people=PEOPLE, **options):
    rep = attributed(event() if events is None else events, assignments, people, "due_date", **options).rep_id
    return [None if pd.isna(each) else each for each in rep]


def test_without_a_handover_an_event_is_its_csms():
    assert whose(had(("Ann", 400, None))) == ["Ann"]


def test_ten_days_after_a_handover_a_renewal_is_still_the_former_csms():
    assert whose(had(("Ann", 400, 10), ("Ben", 10, None))) == ["Ann"]  # 80 of 90 days


def test_sixty_days_after_a_handover_a_renewal_is_the_new_csms():
    assert whose(had(("Ann", 400, 60), ("Ben", 60, None))) == ["Ben"]  # 60 of 90 days


def test_of_two_with_half_each_the_later_one_has_it():
    assert whose(had(("Ann", 400, 45), ("Ben", 45, None))) == ["Ben"]
    assert whose(had(("Zoe", 400, 45), ("Ann", 45, None))) == ["Ann"]  # by date, not by name
    assert whose(had(("Ann", 400, 65), ("Ben", 65, 20), ("Ann", 20, None))) == ["Ann"]  # 25 + 20 against 45


def test_one_day_less_than_half_is_not_enough():
    assert whose(had(("Ben", 45, None))) == ["Ben"]
    assert whose(had(("Ben", 44, None))) == [NOBODY]


def test_days_of_one_csm_before_and_after_a_stand_in_count_together():
    table = had(("Ann", 400, 70), ("Ben", 70, 30), ("Ann", 30, None))
    assert whose(table) == ["Ann"]  # 20 + 30 = 50 against 40


def test_of_three_who_shared_it_none_has_it():
    assert whose(had(("Ann", 400, 60), ("Ben", 60, 30), ("Cem", 30, None))) == [NOBODY]  # 30 days each


def test_a_vacancy_of_more_than_half_is_nobodys_although_one_csm_had_it_longest():
    assert whose(had(("Ann", 400, 50))) == [NOBODY]  # 40 of 90 days, then nobody
    assert whose(had(("Ann", 400, 40))) == ["Ann"]  # 50 of 90 days


def test_the_day_of_the_event_itself_does_not_count():
    # Of two days, half is enough: Ann has day -2, Ben day -1. With the day itself Ben would have both.
    assert whose(had(("Ann", 400, 1), ("Ben", 1, None)), handover_days=2) == ["Ben"]
    assert whose(had(("Ann", 400, 0), ("Ben", 0, None)), handover_days=1) == ["Ann"]


def test_a_newly_won_account_counts_from_its_first_paid_day():
    table = had(("Ann", 20, 8), ("Ben", 8, None))
    assert whose(table, event(since=[days_before(20)]), since="since") == ["Ann"]  # 12 of 20 days
    assert whose(table, event(since=[days_before(14)]), since="since") == ["Ben"]  # Ann 6, Ben 8 of 14
    assert whose(table) == [NOBODY]  # of 90 days nobody had half


def test_somebody_given_to_an_old_account_shortly_before_a_renewal_has_not_earned_it():
    assert whose(had(("Ann", 20, None)), event(since=[days_before(900)]), since="since") == [NOBODY]


def test_an_event_before_the_first_paid_day_is_nobodys():
    later = event(since=[DUE + pd.Timedelta(days=5)])
    assert whose(had(("Ann", 400, None)), later, since="since") == [NOBODY]


def test_a_missing_first_paid_day_leaves_the_window_its_full_length():
    unknown = event(since=pd.to_datetime([None]))
    assert whose(had(("Ann", 46, None)), unknown, since="since") == ["Ann"]


def test_of_overlapping_assignments_the_later_start_has_the_days_and_a_note_counts_them():
    table = had(("Ann", 400, None), ("Ben", 60, 10))
    found = attributed(event(), table, PEOPLE, "due_date")
    assert list(found.rep_id) == ["Ben"]  # 50 of 90, Ann the 30 before and the 10 after
    assert found.counts["overlapping_days"] == 50 and found.counts["overlapping_accounts"] == 1
    assert "1 account had more than one CSM at once, on 50 days in all" in " ".join(found.notes)


def test_after_a_short_stand_in_within_an_assignment_the_account_goes_back():
    table = had(("Ann", 400, None), ("Ben", 60, 40), ("Cem", 58, 50), ("Ben", 30, 28))
    found = attributed(event(), table, PEOPLE, "due_date")
    assert list(found.rep_id) == ["Ann"]  # 30 before, 10 + 28 after: 68 of 90 days
    assert found.counts["overlapping_days"] == 20 + 8 + 2  # Cem's 8 are Ann's and Ben's as well


def test_an_assignment_written_twice_is_no_overlap():
    found = attributed(event(), had(("Ann", 400, None), ("Ann", 300, 20)), PEOPLE, "due_date")
    assert list(found.rep_id) == ["Ann"] and found.counts["overlapping_days"] == 0 and found.notes == ()


def test_whoever_left_has_nothing_from_the_day_after_the_last_one():
    def people(left):
        return PEOPLE.assign(left_on=pd.to_datetime([left, None, None]))

    table = had(("Ann", 400, None))  # it runs on, as in many exports
    assert whose(table, people=people(days_before(46))) == ["Ann"]  # has days -90 to -46: 45
    assert whose(table, people=people(days_before(47))) == [NOBODY]  # 44
    assert whose(had(("Ann", 400, 60)), people=people(DUE)) == [NOBODY]  # who left later does not gain days


def test_assignments_of_another_role_do_not_count_and_those_without_a_role_do():
    table = had(("Ann", 400, None), ("Ben", 80, None)).assign(role=["CSM", "backup"])
    assert whose(table) == ["Ann"]
    assert whose(table.assign(role=[None, "backup"])) == ["Ann"]
    assert whose(table.assign(role=["csm", None])) == ["Ben"]
    assert whose(table, role="") == ["Ben"] and whose(table, role="CSM") == ["Ann"]
    assert whose(table.assign(role="backup")) == [NOBODY]


def test_an_account_that_nobody_ever_had_is_missing_and_counted():
    events = pd.concat([event(), event("never"), event("vacant"), event(None), event(day=pd.NaT)])
    table = pd.concat([had(("Ann", 400, None)), had(("Ben", 400, 300), account="vacant")])
    found = attributed(events, table, PEOPLE, "due_date", called="renewals")
    assert [each for each in found.rep_id if each == each] == ["Ann"]
    counts = {"attributed": 1, "never_assigned": 1, "vacant": 1, "undated": 2}
    assert {key: found.counts[key] for key in counts} == counts and sum(counts.values()) == found.counts["events"] == 5
    assert [note.split(" are of ")[0].split(" have ")[0] for note in found.notes] == [
        "1 of 5 renewals",
        "1 of 5 renewals",
        "2 of 5 renewals",
    ]


def test_an_event_without_a_date_is_nobodys_however_long_somebody_had_the_account():
    assert whose(had(("Ann", 30_000, None)), event(day=pd.NaT)) == [NOBODY]


def test_an_account_given_away_only_after_the_event_was_nobodys_then():
    events = pd.concat([event(), event(day=DUE + pd.Timedelta(days=200))])
    found = attributed(events, had(("Ann", -10, None)), PEOPLE, "due_date")
    assert list(found.rep_id.isna()) == [True, False] and found.counts["never_assigned"] == 1


def test_the_result_has_the_order_and_the_index_of_the_events():
    events = pd.concat([event(), event("B"), event()]).set_axis([7, 7, 3])
    table = pd.concat([had(("Ben", 400, None), account="B"), had(("Ann", 400, None))])
    found = attributed(events, table, PEOPLE, "due_date").rep_id
    assert list(found.index) == [7, 7, 3] and list(found) == ["Ann", "Ben", "Ann"]
    assert isinstance(found.dtype, pd.CategoricalDtype)


def test_times_of_day_do_not_matter():
    noon = event(day=DUE + pd.Timedelta(hours=23))
    assert whose(had(("Ann", 400, 45), ("Ben", 45, None)), noon) == ["Ben"]
    assert whose(had(("Ann", 400, 46), ("Ben", 44, None)), noon) == [NOBODY]  # 44 each, two days nobody


def test_ids_that_the_table_reps_does_not_know_are_kept_and_counted():
    found = attributed(event(), had(("Zoe", 400, None)), PEOPLE, "due_date")
    assert list(found.rep_id) == ["Zoe"] and found.counts["unknown_reps"] == 1
    assert found.notes == ("1 CSM in the assignments is not in the table reps: shown by id.",)


def test_without_a_table_of_people_nobody_is_unknown_and_nobody_has_left():
    for people in (PEOPLE.iloc[:0], pd.DataFrame()):
        found = attributed(event(), had(("Ann", 400, None)), people, "due_date")
        assert list(found.rep_id) == ["Ann"] and found.notes == ()


def test_assignments_of_no_length_or_without_account_or_rep_do_not_count():
    table = pd.concat([had(("Ann", 60, 60), ("Ben", 60, 70)), had(("Cem", 60, None)).assign(rep_id=None)])
    assert whose(table) == [NOBODY]


def test_without_assignments_the_error_says_what_they_are_for():
    with pytest.raises(ContractError, match=r"who looked after whom; without them .* Give the table assignments"):
        attributed(event(), had().iloc[:0], PEOPLE, "due_date")


def test_no_events_give_no_owners():
    assert attributed(event().iloc[:0], had(("Ann", 400, None)), PEOPLE, "due_date").counts["events"] == 0


def test_a_rule_needs_at_least_one_day():
    with pytest.raises(ParameterError, match="at least one day"):
        whose(had(("Ann", 400, None)), handover_days=0)


def by_counting(assignments, left, day, since, handover_days):
    """The rule as its sentence says it: day by day, who started last among those who are there."""
    window = range(max(day - handover_days, since), day)
    days, latest = {}, {}
    for each in window:
        running = [
            (start, rep)
            for rep, start, end in assignments
            if start <= each and (end is None or each < end) and each <= left.get(rep, each)
        ]
        if running:
            rep = max(running)[1]
            days[rep], latest[rep] = days.get(rep, 0) + 1, each
    enough = [rep for rep, count in days.items() if 2 * count >= len(window)]
    return max(enough, key=lambda rep: (days[rep], latest[rep]), default=None)


spans = st.tuples(st.sampled_from("PQRS"), st.integers(0, 60), st.one_of(st.none(), st.integers(0, 70)))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(spans, min_size=1, max_size=7),
    st.dictionaries(st.sampled_from("PQ"), st.integers(0, 70)),
    st.lists(st.tuples(st.integers(1, 80), st.integers(0, 40)), min_size=1, max_size=6),
    st.integers(1, 40),
)
def test_intervals_say_the_same_as_counting_day_by_day(rows, left, asked, handover_days):
    # Of one account, one rep and one first day a source has at most one row.
    rows = list({(rep, start): (rep, start, end) for rep, start, end in rows}.values())
    asked = [(day, since) for day, since in asked if since < day]
    origin = pd.Timestamp("2026-01-01")
    on = [origin + pd.Timedelta(days=day) for day, _ in asked]
    table = pd.DataFrame(
        {
            "account_id": "A",
            "rep_id": [rep for rep, _, _ in rows],
            "start_date": [origin + pd.Timedelta(days=start) for _, start, _ in rows],
            "end_date": pd.to_datetime([None if end is None else origin + pd.Timedelta(days=end) for *_, end in rows]),
        }
    )
    people = pd.DataFrame(
        {
            "rep_id": list("PQRS"),
            "left_on": pd.to_datetime([origin + pd.Timedelta(days=left[r]) if r in left else None for r in "PQRS"]),
        }
    )
    events = pd.DataFrame(
        {
            "account_id": pd.Series(["A"] * len(asked), dtype="str"),
            "due_date": pd.to_datetime(on),
            "since": pd.to_datetime([origin + pd.Timedelta(days=since) for _, since in asked]),
        }
    )
    expected = [by_counting(rows, left, day, since, handover_days) for day, since in asked]
    assert whose(table, events, people, handover_days=handover_days, since="since") == expected


def test_shuffled_rows_change_nothing():
    draw = np.random.default_rng(8)
    table = pd.concat(
        had(("Ann", 400, int(end)), ("Ben", int(begin), None), account=f"A{number}")
        for number, (end, begin) in enumerate(draw.integers(0, 100, (50, 2)))
    )
    events = pd.concat([event(f"A{number}") for number in range(50)])
    expected = whose(table, events)
    assert {"Ann", "Ben", None} == set(expected)
    assert whose(table.sample(frac=1, random_state=3), events) == expected
