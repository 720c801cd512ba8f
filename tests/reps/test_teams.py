"""A whole team: what is there is compared, what is not is named, and two windows never share a month."""

import pandas as pd
import pytest
from rep_teams import team

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Suppressed
from cs_helpers.reps import teams
from cs_helpers.reps.monthly import monthly_history
from cs_helpers.reps.results import Cases, Windows

MONTH = pd.Timestamp("2026-01-01")
SEEN = Windows(pd.Timestamp("2025-12-01"), MONTH, pd.Timestamp("2026-02-01"))
CASES = team(5, reps=12).cases
TEAM = teams.gathered("support", CASES)


def people(*rows):
    return pd.DataFrame(rows, columns=["rep_id", "name", "role", "manager_id", "hired_on", "left_on"])


CREW = [(f"R-{k:04d}", f"Name {k}", "support", f"M{k % 2}", None, None) for k in range(12)]


def shifted(cases, month):
    return Cases(cases.table.assign(month=pd.Timestamp(month)), cases.keys, cases.mix)


def test_two_windows_of_the_same_length_share_no_month():
    seen = teams.windows("2026-07-15", 12)
    assert (seen.before, seen.start, seen.end) == tuple(pd.to_datetime(["2024-07-01", "2025-07-01", "2026-07-01"]))
    assert (seen.before_words, seen.now_words) == ("July 2024 to June 2025", "July 2025 to June 2026")
    for months in (0, -3, 601):
        with pytest.raises(ParameterError, match=f"months = {months}"):
            teams.windows("2026-07-01", months)


def test_what_is_there_is_gathered_and_what_is_not_keeps_its_reason():
    found = teams.gathered("support", CASES, Suppressed("no surveys"), (CASES,), Suppressed("no surveys"))
    assert len(found.cases) == 2 and found.missing == ("no surveys",)
    assert found.of("csat") is CASES
    with pytest.raises(ContractError, match="fcr: the data do not hold it"):
        found.of("fcr")


def test_a_team_without_anything_is_refused_with_the_first_reason():
    assert teams.gathered("csm", Suppressed("no assignments"), Suppressed("no touches")) == Suppressed("no assignments")
    assert isinstance(teams.gathered("csm"), Suppressed)


def test_every_measure_of_the_role_is_asked_for_and_those_of_the_other_role_are_not():
    board = teams.compare_team(TEAM, people(*CREW), MONTH, SEEN.end)
    assert [each.key for each in board.benchmarks] == ["csat"]
    assert board.refused["fcr"] == "the data do not hold it" and "nps" not in board.refused
    assert set(board.of("csat").units["label"]) == {f"Name {k}" for k in range(12)}


def test_only_the_months_asked_for_are_compared():
    twice = pd.concat([CASES.table, CASES.table.assign(month=pd.Timestamp("2025-12-01"))], ignore_index=True)
    both = teams.gathered("support", Cases(twice, ("csat",)))
    assert teams.compare_team(both, people(*CREW), MONTH, SEEN.end).of("csat").cases == len(CASES.table)
    with pytest.raises(ContractError):
        teams.compare_team(TEAM, people(*CREW), SEEN.before, SEEN.start)


def test_untouched_are_those_who_were_there_and_had_no_case_not_those_who_came_later_or_had_left():
    more = [
        ("X-1", "There", "support", None, "2024-01-01", None),
        ("X-2", "Gone", "support", None, "2024-01-01", "2025-12-31"),
        ("X-3", "Later", "support", None, "2026-02-01", None),
        ("X-4", "Left inside", "support", None, None, "2026-01-05"),
        ("X-5", "A CSM", "csm", None, None, None),
        ("X-6", None, "support", None, None, None),
    ]
    board = teams.compare_team(TEAM, people(*CREW, *more), MONTH, SEEN.end)
    assert set(board.untouched) == {"There", "Left inside", "X-6"}


def test_a_table_of_reps_with_few_columns_or_without_roles_is_enough():
    named = people(*CREW)[["rep_id", "name", "role"]]
    assert len(teams.compare_team(TEAM, named, MONTH, SEEN.end).of("csat").units) == 12
    unnamed = teams.compare_team(TEAM, people(*CREW)[["rep_id", "name"]], MONTH, SEEN.end)
    assert len(unnamed.of("csat").units) == 12, "nobody has a role, so everybody with a case counts"
    assert len(teams.compare_team(TEAM, people(), MONTH, SEEN.end).of("csat").units) == 12


def test_tickets_carry_the_attributes_of_their_accounts():
    tickets = pd.DataFrame({"account_id": ["A", None, "C", "Z"], "channel": "web"})
    known = pd.DataFrame({"segment": ["SMB", "Enterprise"], "channel": "own"}, index=["A", "C"])
    joined = teams.with_attributes(tickets, known)
    assert joined["segment"].tolist()[::2] == ["SMB", "Enterprise"] and joined["segment"].isna().sum() == 2
    assert set(joined["channel"]) == {"web"}, "what the ticket says itself stays"
    assert teams.with_attributes(tickets, None) is tickets


def test_each_measure_is_held_against_itself_in_the_earlier_window():
    earlier = teams.gathered("support", shifted(team(6, reps=12).cases, SEEN.before))
    before = teams.compare_team(earlier, people(*CREW), SEEN.before, SEEN.start)
    now = teams.compare_team(TEAM, people(*CREW), MONTH, SEEN.end)
    (found,) = teams.outliers_by_measure(before, now, SEEN)
    assert (found.key, found.before, found.now) == ("csat", "December 2025", "January 2026")
    assert list(found.pairs["effect_before"]) == list(before.of("csat").shown["effect"])
    assert list(found.pairs["effect_now"]) == list(now.of("csat").shown["effect"])
    (refused,) = teams.outliers_by_measure(Suppressed("nothing"), now, SEEN)
    assert "nobody can be compared in December 2025" in refused.reason
    assert teams.outliers_by_measure(before, Suppressed("nothing now"), SEEN) == (Suppressed("nothing now"),)


def test_an_analysis_is_made_for_each_measure_or_says_why_not():
    def history(cases, key):
        return monthly_history(cases, key, SEEN.end, window=1)

    found = teams.by_measure(TEAM, ["csat", "fcr"], history)
    assert found["csat"].key == "csat" and found["fcr"] == Suppressed("fcr: the data do not hold it")
    assert teams.by_measure(Suppressed("no tickets"), ["csat"], history) == {"csat": Suppressed("no tickets")}


def test_attributes_of_the_mix_are_the_segment_and_those_named():
    accounts = pd.DataFrame({"account_id": ["A", "B"], "segment": ["SMB", None], "region": ["N", "S"], "size": [1, 2]})
    assert list(teams.mix_attributes(accounts).columns) == ["segment"]
    assert list(teams.mix_attributes(accounts, "region, size,region").columns) == ["segment", "region", "size"]
    assert teams.mix_attributes(accounts[["account_id", "size"]]) is None
    assert teams.mix_attributes(accounts.assign(segment=None)) is None, "nothing is known of it"
    with pytest.raises(ParameterError, match="Did you mean 'region'"):
        teams.mix_attributes(accounts, "regoin")
