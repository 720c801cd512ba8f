"""Support work as cases: literal tickets with the counting left visible, odd input, and real and planted figures."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.data import rollups
from cs_helpers.data.tables import load
from cs_helpers.reps import support
from cs_helpers.reps.measures import MEASURES

ROOT = Path(__file__).resolve().parents[2]
PHONE_NOW = ROOT.parent / "shared" / "datasets" / "pwc_call_centre"
START, END = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-04-01")
JANUARY, FEBRUARY = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")

DEFAULT = {
    "rep_id": "r", "account_id": "A", "opened_month": JANUARY, "resolved_month": JANUARY, "resolved_day": JANUARY,
    "opened_hour": 9, "opened_weekday": 0, "channel": "phone", "priority": "normal", "category": "bug",
    "mrr_cents": 10_000, "tenure_days": 400, "wait_seconds": None, "answered": None, "contacts": None, "reopened": None,
    "escalated": None, "handle_minutes": None, "csat": None, "ces": None, "first_response_minutes": None,
    "resolution_minutes": 60.0, "judged": False, "followed": None,
}  # fmt: skip
DAYS = ("opened_month", "resolved_month", "resolved_day")
FLAGS = ("answered", "reopened", "escalated", "judged", "followed")
TEXTS = ("rep_id", "account_id", "channel", "priority", "category")
WHOLE = ("mrr_cents", "tenure_days", "contacts", "opened_hour", "opened_weekday")
PERFECT = {"answered": True, "wait_seconds": 1.0, "csat": 5}


def tickets(*rows, **same):
    """Rows as the roll-up gives them, each said by what is special about it."""
    table = pd.DataFrame([DEFAULT | same | row for row in rows], columns=list(DEFAULT))
    kinds = dict.fromkeys(DAYS, "datetime64[us]") | dict.fromkeys(FLAGS, "boolean") | dict.fromkeys(TEXTS, "str")
    kinds |= dict.fromkeys(WHOLE, "Int64")
    return table.astype(kinds | {name: "float64" for name in DEFAULT if name not in kinds})


def measured(cases, key):
    """The measure in every case of it."""
    return cases.table[key].dropna().tolist()


def texts(column):
    return column.astype("str").fillna("?").tolist()


def at(month, **values):
    return {"opened_month": month, "resolved_month": month, "resolved_day": month, **values}


# --- what a contact met ---------------------------------------------------------------------------------------


def test_the_service_level_counts_the_answered_and_those_who_gave_up_after_the_target():
    found = support.contact_cases(
        tickets(
            {"answered": True, "wait_seconds": 20},  # in time
            {"answered": True, "wait_seconds": 21},  # late
            {"answered": False, "wait_seconds": 25},  # gave up after 20 seconds
            {"answered": False, "wait_seconds": 20},  # gave up before: nobody's failure
            {"answered": True},  # nobody knows how long it waited
            {"answered": False},
            {},  # an email
        ),
        START,
        END,
    )
    assert measured(found, "service_level") == [1, 0, 0]
    assert measured(found, "asa_seconds") == [20, 21]
    assert measured(found, "abandonment_rate") == [0, 0, 1, 1, 0, 1]
    assert "1 abandoned contact has no recorded wait" in " ".join(found.notes)
    assert "1 answered contact has no recorded wait" in " ".join(found.notes)
    longer = support.contact_cases(tickets({"answered": True, "wait_seconds": 21}), START, END, target_seconds=30)
    assert measured(longer, "service_level") == [1]


def test_resolved_is_counted_among_the_answered_and_among_all():
    table = tickets(
        {"answered": True}, {"answered": True, "resolved_month": None}, {"answered": True},
        {"answered": False, "resolved_month": None}, {},
    )  # fmt: skip
    assert measured(support.contact_cases(table, START, END), "resolved_rate") == [1, 0, 1]
    answered, every = support.resolved_rates(table, START, END)
    assert (answered.numerator, answered.denominator, answered.value) == (2, 3, pytest.approx(2 / 3))
    assert (every.numerator, every.denominator, every.value) == (3, 5, pytest.approx(3 / 5))
    silent = tickets({}, {"resolved_month": None})
    with pytest.raises(ContractError, match="nothing that could be compared is recorded of the 2"):
        support.contact_cases(silent, START, END)
    unknown, every = support.resolved_rates(silent, START, END)
    assert (unknown.value, unknown.reason) == (None, "no contact says whether it was answered")
    assert every.value == 1 / 2


def test_a_first_response_within_a_minute_counts_as_a_minute_and_one_before_the_opening_not_at_all():
    table = tickets(*({"first_response_minutes": minutes} for minutes in (0, 0.5, 1, 90, None, -3)))
    found = support.contact_cases(table, START, END)
    assert measured(found, "first_response_hours") == [1 / 60, 1 / 60, 1 / 60, 1.5]
    assert found.keys == ("first_response_hours",), "nothing says whether anybody was answered"


def test_contacts_count_when_opened_and_resolutions_when_resolved():
    table = tickets(
        at(JANUARY, resolved_month=FEBRUARY, csat=5, answered=True, wait_seconds=3),
        at(pd.Timestamp("2025-12-01"), csat=1, answered=True, wait_seconds=3),  # all before the window
        at(pd.Timestamp("2025-12-01"), resolved_month=JANUARY, csat=1, answered=True, wait_seconds=3),
        at(FEBRUARY, resolved_month=None, answered=True, wait_seconds=3),
        at(END, csat=1, answered=True, wait_seconds=3),  # the window's end is not in it
    )
    contacts, resolved = support.contact_cases(table, START, END), support.resolution_cases(table, START, END)
    assert contacts.table["month"].tolist() == [JANUARY, FEBRUARY]
    assert measured(contacts, "resolved_rate") == [1, 0]
    assert resolved.table["month"].tolist() == [FEBRUARY, JANUARY]
    assert measured(resolved, "csat") == [1, 0]
    assert measured(resolved.between(START, FEBRUARY), "csat") == [0]


# --- how it was resolved --------------------------------------------------------------------------------------


def test_first_contact_resolution_is_judged_by_what_followed_and_by_the_contacts():
    table = tickets(
        {"judged": True, "followed": False, "contacts": 1},
        {"judged": True, "followed": False, "contacts": None},  # taken as one
        {"judged": True, "followed": False, "contacts": 2},
        {"judged": True, "followed": True, "contacts": 1},
        {"judged": False, "contacts": 1},
    )
    found = support.resolution_cases(table, START, END)
    assert measured(found, "fcr") == [1, 1, 0, 0]
    assert measured(found, "repeat_contact_rate") == [0, 0, 0, 1]
    said = " ".join(found.notes)
    assert "1 ticket is not judged for first-contact resolution" in said
    assert "1 judged ticket has no recorded number of contacts, taken as one" in said


def test_the_two_best_of_five_are_satisfied_and_the_three_best_of_seven_had_it_easy():
    found = support.resolution_cases(tickets(*({"csat": n, "ces": n + 1} for n in (1, 3, 3.9, 4, 5)), {}), START, END)
    assert measured(found, "csat") == [0, 0, 0, 1, 1]
    assert measured(found, "ces") == [0, 0, 0, 1, 1], "2, 4, 4.9, 5 and 6 of 7"
    assert "CSAT was answered on 5 of 6 tickets resolved (83.3 %)." in found.notes


def test_a_flag_that_is_missing_is_no_case_and_zero_minutes_of_work_are_none():
    table = tickets(
        {"reopened": True, "escalated": False, "handle_minutes": 0},
        {"reopened": False, "handle_minutes": 12.5, "resolution_minutes": 0.2},
        {"escalated": True, "resolution_minutes": 150},
    )
    found = support.resolution_cases(table, START, END)
    assert measured(found, "reopen_rate") == [1, 0]
    assert measured(found, "escalation_rate") == [0, 1]
    assert measured(found, "aht_minutes") == [12.5]
    assert measured(found, "resolution_hours") == [1, 1 / 60, 2.5]
    assert "1 ticket has a handling time of zero: left out of it." in found.notes
    assert set(found.keys) == {"reopen_rate", "escalation_rate", "resolution_hours", "aht_minutes"}
    assert set(found.table) == {"rep_id", "cluster", "month", "day", *found.keys}, "no column of what is not a key"


def test_satisfaction_with_a_ticket_that_was_never_resolved_is_left_out_and_said():
    table = tickets({"csat": 5}, {"csat": 1, "resolved_month": None}, at(END, csat=1, resolved_month=None))
    found = support.resolution_cases(table, START, END)
    assert measured(found, "csat") == [1]
    assert "1 CSAT answer is on tickets that were not resolved: left out." in found.notes, "the other opened later"


# --- the mix and the clusters ---------------------------------------------------------------------------------


def test_the_mix_holds_what_was_fixed_before_anybody_acted_and_differs():
    table = tickets(
        {"account_id": "A", "channel": "chat", "opened_hour": 5, "opened_weekday": 4, "tenure_days": 90},
        {"account_id": "B", "channel": None, "opened_hour": 6, "opened_weekday": 5, "tenure_days": 91},
        {"account_id": None, "channel": "chat", "opened_hour": 23, "opened_weekday": 6, "tenure_days": None},
        {"account_id": "C", "channel": "chat", "opened_hour": 12, "opened_weekday": 0, "tenure_days": 1096},
        **PERFECT,
    )
    attributes = pd.DataFrame({"segment": ["SMB", "Enterprise"], "channel": ["x", "y"]}, index=["A", "B"])
    found = support.contact_cases(table, START, END, attributes)
    assert found.mix == ("segment", "account channel", "channel", "tenure", "hour", "weekend")
    cases = found.table
    assert texts(cases["segment"]) == ["SMB", "Enterprise", "?", "?"], "nobody, and one unheard of"
    assert texts(cases["account channel"]) == ["x", "y", "?", "?"]
    assert texts(cases["channel"]) == ["chat", "?", "chat", "chat"]
    assert cases["tenure"].tolist() == ["under 3 months", "3 to 12 months", "unknown", "over 3 years"]
    assert [level.split()[0] for level in cases["hour"]] == ["night", "morning", "evening", "afternoon"]
    assert cases["weekend"].tolist() == ["Monday to Friday", "weekend", "weekend", "Monday to Friday"]
    assert all(isinstance(cases[name].dtype, pd.CategoricalDtype) for name in ("rep_id", "cluster", *found.mix))
    assert list(cases["tenure"].cat.categories) == ["under 3 months", "3 to 12 months", "over 3 years", "unknown"]


def test_the_quarters_are_those_of_accounts_not_of_tickets():
    paid = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5}
    rows = [{"account_id": account, "mrr_cents": cents} for account, cents in paid.items()]
    rows += [{"account_id": "E", "mrr_cents": 5}] * 40 + [{"account_id": "F", "mrr_cents": None}]
    mrr = support.contact_cases(tickets(*rows, **PERFECT), START, END).table["MRR"].tolist()
    quarters = ["lowest quarter", "lowest quarter", "second quarter", "third quarter", "highest quarter"]
    assert mrr[:5] == quarters, "cut at 2, 3 and 4"
    assert set(mrr[5:-1]) == {"highest quarter"} and mrr[-1] == "not paying or unknown"


def test_tickets_of_one_account_hang_together_and_those_of_nobody_do_not():
    table = tickets(*({"account_id": account} for account in ("A", None, "B", "A", None)), **PERFECT)
    cluster = support.contact_cases(table, START, END).table["cluster"].tolist()
    assert cluster[0] == cluster[3] and len(set(cluster)) == 4
    assert "2 of 5 tickets have no account: each counts by itself." in support.contact_cases(table, START, END).notes


def test_an_account_named_twice_by_the_attributes_is_refused():
    twice = pd.DataFrame({"segment": ["SMB", "SMB"]}, index=["A", "A"])
    with pytest.raises(ParameterError, match="an account stands there twice"):
        support.contact_cases(tickets(PERFECT), START, END, twice)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "rep_id": st.sampled_from(["r", "s", None]), "account_id": st.sampled_from(["A", "B", None]),
                "resolved_month": st.sampled_from([None, *pd.date_range("2025-12-01", periods=5, freq="MS")]),
                "csat": st.none() | st.integers(1, 5), "judged": st.booleans(), "followed": st.booleans(),
                "channel": st.sampled_from(["chat", None]), "handle_minutes": st.none() | st.integers(0, 3),
            }
        ),
        min_size=2, max_size=20,
    ),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_neither_the_order_of_the_tickets_nor_a_cut_of_the_window_changes_a_case(rows, seed):
    table = tickets({"resolved_month": JANUARY}, {"resolved_month": FEBRUARY}, *rows)
    whole = support.resolution_cases(table, START, END)
    shuffled = support.resolution_cases(table.sample(frac=1, random_state=seed), START, END)
    halves = [support.resolution_cases(table, START, FEBRUARY), support.resolution_cases(table, FEBRUARY, END)]
    for key in whole.keys:
        wanted = sorted(measured(whole, key))
        assert sorted(measured(shuffled, key)) == wanted
        assert sorted(value for half in halves if key in half.keys for value in measured(half, key)) == wanted
    assert shuffled.mix == whole.mix and set(whole.keys) == set(shuffled.keys)


# --- work done ------------------------------------------------------------------------------------------------


def resolved(rep, month, number):
    return [{"rep_id": rep, "resolved_month": pd.Timestamp(month), "resolved_day": pd.Timestamp(month)}] * number


def people(*rows):
    columns = ["rep_id", "hired_on", "left_on", "working_hours_per_month"]
    return pd.DataFrame(rows, columns=columns).astype({"hired_on": "datetime64[us]", "left_on": "datetime64[us]"})


def work(cases):
    """(rep, month) -> (tickets, exposure)."""
    key = cases.keys[0]
    return {
        (row.rep_id, row.month.month): (getattr(row, key), pytest.approx(row.exposure))
        for row in cases.table.itertuples()
    }


def test_a_working_day_is_a_monday_to_friday_of_employment():
    table = tickets(
        *resolved("r", "2026-01-01", 44), *resolved("r", "2026-03-01", 11), *resolved("new", "2026-02-01", 5),
        *resolved("gone", "2026-01-01", 2), *resolved("gone", "2026-03-01", 1), *resolved(None, "2026-01-01", 9),
    )  # fmt: skip
    employed = people(
        ("r", None, None, 160),
        ("new", "2026-02-16", None, None),
        ("gone", None, "2026-01-09", 40),
        ("idle", None, None, 1),
    )
    by_day, by_hour = support.work_cases(table, employed, START, END)
    # 2026: 22 working days in January, 20 in February, 22 in March; 16 to 27 February are 10, 1 to 9 January are 7.
    assert work(by_day) == {
        ("gone", 1): (2, 7), ("new", 2): (5, 10), ("r", 1): (44, 22), ("r", 2): (0, 20), ("r", 3): (11, 22),
    }  # fmt: skip
    assert work(by_hour) == {
        ("gone", 1): (2, 40 * 7 / 22),
        ("r", 1): (44, 160),
        ("r", 2): (0, 160),
        ("r", 3): (11, 160),
    }
    said = " ".join(by_hour.notes)
    assert "1 ticket was resolved in months in which the rep was not employed" in said
    assert "1 month of employment without a ticket before a rep's first or after the last" in said, "new, in March"
    assert "9 tickets resolved have no rep" in said and "holidays and leave are not known" in said
    assert "1 rep has no known working hours" in said
    assert by_day.table["cluster"].nunique() == len(by_day.table) and by_day.mix == ()


def test_without_a_table_of_reps_they_count_from_the_first_to_the_last_month_with_a_ticket():
    table = tickets(
        *resolved("r", "2025-11-01", 3), *resolved("r", "2026-02-01", 6),
        *resolved("s", "2026-01-01", 1), *resolved("t", "2025-12-01", 1),
    )  # fmt: skip
    (by_day,) = support.work_cases(table, pd.DataFrame(), START, END)
    assert work(by_day) == {("r", 1): (0, 22), ("r", 2): (6, 20), ("s", 1): (1, 22)}
    assert "2 reps have no row in reps: counted from first to last month with a ticket." in by_day.notes


def test_work_of_nobody_is_refused():
    with pytest.raises(ContractError, match="no ticket resolved in January 2026 to March 2026 has a rep"):
        support.work_cases(tickets(*resolved(None, "2026-01-01", 9)), people(), START, END)


# --- surveys and response rates -------------------------------------------------------------------------------


def surveys(*rows):
    table = pd.DataFrame(rows, columns=["kind", "rep_id", "answered_at", "score"])
    return table.astype({"answered_at": "datetime64[us]", "rep_id": "str", "score": "float64"})


def test_reps_answer_for_themselves_each_answer_by_itself():
    asked = surveys(
        ("agent", "r", "2026-01-31T23:59", 4), ("agent", "r", "2026-03-01", 3), ("agent", None, "2026-02-02", 5),
        ("agent", "csm", "2026-01-05", 1), ("agent", "r", "2026-04-01", 1), ("agent", "r", None, 1),
        ("agent", "r", "2026-01-05", 9), ("csat", "r", "2026-01-05", 1),
    )  # fmt: skip
    roles = pd.DataFrame({"rep_id": ["r", "csm", "m"], "role": ["Support", "csm", "manager"]})
    found = support.agent_cases(asked, roles, START, END)
    assert measured(found, "agent_satisfaction") == [1, 0, 1]
    assert found.table["month"].tolist() == [JANUARY, pd.Timestamp("2026-03-01"), FEBRUARY]
    assert texts(found.table["rep_id"]) == ["r", "r", "?"] and found.table["cluster"].nunique() == 3
    assert len(found.notes) == 3 and "1 answer is by people with another role" in found.notes[1]
    assert len(support.agent_cases(asked, pd.DataFrame(), START, END).table) == 4, "nobody says that csm is no rep"
    for nothing in (asked[asked["kind"] == "csat"], asked[asked["rep_id"].isna()], surveys(), pd.DataFrame()):
        with pytest.raises(ContractError, match="no answer of a support rep in January 2026"):
            support.agent_cases(nothing, roles, START, END)


def test_the_response_rate_is_of_all_tickets_resolved():
    table = tickets(*[{"csat": 1, "rep_id": None}] * 81, *[{}] * 182, {"csat": 1, "resolved_month": None})
    found = support.answer_rates(table, START, END)
    csat = found["csat"]
    assert (csat.numerator, csat.denominator) == (81, 263)
    # Wilson 1927, as published for 81 of 263.
    assert (csat.low, csat.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert found["ces"].value is None and "nobody seems to have been asked" in found["ces"].reason


# --- odd input ------------------------------------------------------------------------------------------------


def test_a_rep_with_three_tickets_and_tickets_without_a_rep_are_all_there():
    table = tickets(*[{"rep_id": "r"}] * 50, *[{"rep_id": "few"}] * 3, *[{"rep_id": None}] * 7, csat=4)
    found = support.resolution_cases(table, START, END)
    assert found.table["rep_id"].value_counts(dropna=False).to_dict() == {"r": 50, "few": 3, np.nan: 7}
    assert found.notes[0] == "7 of 60 tickets have no rep: in the team's figure only."
    one = support.resolution_cases(tickets({"rep_id": None}, {}, csat=4), START, END)
    assert one.notes[0].startswith("1 of 2 tickets has no rep")


def test_satisfaction_answered_by_two_in_a_hundred_is_said():
    notes = support.resolution_cases(tickets({"csat": 2}, {"csat": 5}, *[{}] * 98), START, END).notes
    assert (
        "CSAT was answered on 2 of 100 tickets resolved (2.0 %): so few that who answers may decide the figure."
    ) in notes


def test_answers_that_are_all_five_are_asked_about():
    found = support.resolution_cases(tickets(*[{"csat": 5}] * 30, {}), START, END)
    assert measured(found, "csat") == [1] * 30
    assert "every answer is 5: how are they collected?" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (tickets(at(pd.Timestamp("2025-06-01"))), "none was resolved in January 2026 to March 2026"),
        (tickets({"rep_id": None}, {"rep_id": None}), "none of the 2 resolved in January 2026 to March 2026 has a rep"),
        (tickets({"resolution_minutes": None}), "nothing that could be compared is recorded of the 1"),
        (tickets(), "none was resolved"),
        (tickets({}).drop(columns=["csat", "mrr_cents"]), r"no column mrr_cents, csat\. Give the roll-up ticket_cases"),
    ],
)
def test_where_nothing_can_be_compared_the_reason_and_the_way_out_are_said(table, said):
    with pytest.raises(ContractError, match=said):
        support.resolution_cases(table, START, END)


@pytest.mark.parametrize("seconds", [0, -5, float("nan"), float("inf")])
def test_a_target_that_is_no_time_is_refused(seconds):
    with pytest.raises(ParameterError, match="give a number of seconds above 0"):
        support.contact_cases(tickets(PERFECT), START, END, target_seconds=seconds)


def test_an_empty_window_is_refused():
    with pytest.raises(ParameterError, match="holds no month"):
        support.contact_cases(tickets(PERFECT), START, START)


def test_frames_as_the_roll_up_gives_them_are_taken_whatever_is_missing_in_them():
    raw = pd.DataFrame({"ticket_id": ["1", "2"], "rep_id": ["r", None], "csat": [4, None]})
    raw["opened_at"] = raw["resolved_at"] = pd.Timestamp("2026-02-03T10:00")
    engine = rollups.engine_of(tickets=raw)
    rolled = rollups.run(engine, "ticket_cases", start=START, as_of=END)
    engine.close()
    found = support.resolution_cases(rolled, START, END)
    assert found.keys == ("csat", "resolution_hours") and found.mix == ()
    assert measured(found, "csat") == [1] and measured(found, "resolution_hours") == [1 / 60, 1 / 60]


def test_every_measure_of_support_has_its_meaning_and_is_made_somewhere():
    wanted = {key for key, measure in MEASURES.items() if measure.role == "support"}
    made = {*support.CONTACT_KEYS, *support.RESOLUTION_KEYS, "tickets_per_working_day", "tickets_per_hour"}
    assert made | {"agent_satisfaction"} == wanted
    for key in wanted:
        entry, direction = definitions.metric(key), MEASURES[key].better
        assert entry.direction == {"neither": "neither"}.get(direction, f"{direction} is better"), key


# --- real and planted -----------------------------------------------------------------------------------------


@cache
def phone_now():
    if not PHONE_NOW.is_dir():
        pytest.skip("the public data set pwc_call_centre is not here; it is kept beside the repository, not in it")
    tables = load(PHONE_NOW, mapping="pwc_call_centre")
    return tables, tables.rollup("ticket_cases", start=tables.observed_from, as_of=tables.as_of)


def test_the_call_centre_resolved_nine_tenths_of_what_it_answered_and_under_three_quarters_of_what_came():
    tables, calls = phone_now()
    answered, every = support.resolved_rates(calls, tables.observed_from, tables.as_of)
    assert (answered.numerator, answered.denominator) == (3_646, 4_054)
    assert (every.numerator, every.denominator) == (3_646, 5_000)
    assert (round(answered.value, 3), round(every.value, 3)) == (0.899, 0.729)
    assert every.high < answered.low


def test_the_call_centre_becomes_cases_without_accounts_or_a_table_of_reps():
    tables, calls = phone_now()
    window = tables.observed_from, tables.as_of
    contacts, done = support.contact_cases(calls, *window), support.resolution_cases(calls, *window)
    assert contacts.keys == support.CONTACT_KEYS
    assert contacts.table["rep_id"].nunique() == 8 and contacts.table["cluster"].nunique() == 5_000
    assert contacts.table["abandonment_rate"].sum() == 5_000 - 4_054
    assert "946 abandoned contacts have no recorded wait" in " ".join(contacts.notes)
    assert done.keys == ("csat", "resolution_hours", "aht_minutes"), "no accounts: nothing is judged"
    assert f"{4_054 - 3_646} CSAT answers are on tickets that were not resolved" in " ".join(done.notes)
    assert contacts.mix == ("category", "hour", "weekend"), "one channel, no priorities, nobody pays"
    (work_done,) = support.work_cases(calls, tables.reps, *window)
    assert work_done.table["tickets_per_working_day"].sum() == 3_646
    assert work_done.table["exposure"].sum() == 8 * (21 + 20 + 23), "January to March 2021"


@cache
def sample():
    tables = load(ROOT / "data" / "sample")
    return tables, tables.rollup("ticket_cases", start=tables.observed_from, as_of=tables.as_of)


def test_what_the_sample_company_was_made_of_comes_back_from_its_cases():
    tables, cases = sample()
    window = tables.observed_from, tables.as_of
    done = support.resolution_cases(cases, *window, tables.accounts.set_index("account_id")[["segment"]]).table
    smb = done[done["segment"] == "SMB"]
    typical = np.exp(np.log(smb["aht_minutes"]).groupby(smb["category"].astype("str")).mean())
    planted = {"how-to": 11, "bug": 26, "integration": 32, "access": 8, "billing": 12}
    for category, minutes in planted.items():
        assert typical[category] / typical["bug"] == pytest.approx(minutes / planted["bug"], rel=0.15), category
    satisfied = done.groupby("rep_id", observed=True)["csat"].mean()
    assert satisfied["R-0043"] - satisfied["R-0053"] > 0.2, "planted half a point above and half a point below"
    assert done.groupby("segment", observed=True)["aht_minutes"].mean().idxmax() == "Enterprise"


def test_the_sample_companys_shares_are_those_counted_on_its_tickets():
    tables, cases = sample()
    start, end = pd.Timestamp("2025-07-01"), tables.as_of
    raw = tables.tickets
    inside = raw[(raw["resolved_at"] >= start) & (raw["resolved_at"] < end)]
    done = support.resolution_cases(cases, start, end)
    assert done.table["csat"].sum() == (inside["csat"] >= 4).sum()
    assert done.table["csat"].count() == inside["csat"].notna().sum()
    assert done.table["reopen_rate"].sum() == inside["reopened"].sum()
    by_rep = tables.rollup("repeat_contacts", as_of=end).query("month >= @start and month < @end")
    assert done.table["fcr"].sum() == by_rep["first_contact"].sum()
    assert done.table["repeat_contact_rate"].sum() == by_rep["followed"].sum()
    assert done.table["fcr"].count() == by_rep["judged"].sum()
    by_month = tables.rollup("rep_month").query("month >= @start and month < @end")
    contacts = support.contact_cases(cases, start, end)
    assert contacts.table["asa_seconds"].sum() == by_month["wait_seconds"].sum()
    assert contacts.table["service_level"].sum() == by_month["answered_in_target"].sum()
    assert contacts.table["abandonment_rate"].sum() == by_month["abandoned"].sum()
    by_day, by_hour = support.work_cases(cases, tables.reps, start, end)
    with_rep = by_month.loc[by_month["rep_id"].notna(), "resolved"].sum()
    assert by_day.table["tickets_per_working_day"].sum() == with_rep - 1, "one, by a rep who had left"
    assert by_hour.table["exposure"].max() <= tables.reps["working_hours_per_month"].max()
    answers = support.agent_cases(tables.surveys, tables.reps, start, end)
    assert set(tables.reps.set_index("rep_id").loc[answers.table["rep_id"].astype("str"), "role"]) == {"support"}
