"""The made-up company keeps the contract, never changes by itself, and behaves as its truth says."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from math import sqrt
from pathlib import Path

import pytest

from cs_helpers.core.errors import ParameterError
from cs_helpers.data import sample
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.sample import accounts as sample_accounts
from cs_helpers.data.sample import parameters, phrases
from cs_helpers.data.sample.accounts import Account, draw_account
from cs_helpers.data.sample.activity import csm_in
from cs_helpers.data.sample.team import make_teams
from cs_helpers.data.sample.world import World, last_paid_month

COMMITTED = Path(__file__).resolve().parents[2] / "data" / "sample"
OPENS, CLOSES = "2023-07-01", "2026-07-01"
FILES = sorted([*(f"{name}.csv" for name in TABLES), "mapping.yml", "truth.json"])


@pytest.fixture(scope="module")
def tables() -> sample.Tables:
    return sample.company()


@pytest.fixture(scope="module")
def truth() -> dict:
    return sample.truth()


@pytest.fixture(scope="module")
def lives() -> list[Account]:
    """The accounts of ``tables`` with what the export hides: fit, size, months in trouble."""
    return drawn(World())


def drawn(world: World) -> list[Account]:
    teams = make_teams(world)
    return [draw_account(number, teams, world) for number in range(1, world.accounts + 1)]


def paid_time(tables: sample.Tables) -> dict[str, list[tuple[str, str]]]:
    """Per account its periods [start, end) with touching and overlapping periods joined; open ends at 9999."""
    periods: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(tables["subscriptions"], key=lambda r: r["start_date"]):
        start, end = row["start_date"], row["end_date"] or "9999-12-31"
        of_account = periods.setdefault(row["account_id"], [])
        if of_account and start <= of_account[-1][1]:
            of_account[-1] = (of_account[-1][0], max(of_account[-1][1], end))
        else:
            of_account.append((start, end))
    return periods


def months_between(start: str, end: str) -> int:
    """Whole months, as ages are counted."""
    a, b = date.fromisoformat(start), date.fromisoformat(end)
    return (b.year - a.year) * 12 + b.month - a.month - (b.day < a.day)


def product_limit(lives: list[tuple[int, int, bool]], upto: int) -> tuple[float, float]:
    """Kaplan-Meier with delayed entry at an age, and its Greenwood standard error."""
    survival, spread = 1.0, 0.0
    for age in range(1, upto + 1):
        at_risk = sum(entry < age <= duration for entry, duration, _ in lives)
        ended = sum(ended and duration == age for _, duration, ended in lives)
        survival *= 1 - ended / at_risk
        spread += ended / (at_risk * (at_risk - ended))
    return survival, survival * sqrt(spread)


def first_lives(accounts: list[Account]) -> list[tuple[int, int, bool]]:
    """Entry age, age at the end of observation, ended: of each account's first period."""
    spans = [(str(a.periods[0].start), str(a.periods[0].end or "9999-12-31")) for a in accounts]
    return [
        (
            months_between(start, OPENS) if start < OPENS else 0,
            months_between(start, min(end, CLOSES)),
            end <= CLOSES,
        )
        for start, end in spans
    ]


def test_the_committed_sample_is_what_the_code_writes(tmp_path: Path) -> None:
    written = sample.write(tmp_path)
    assert sorted(path.name for path in written) == FILES
    different = [p.name for p in written if p.read_bytes() != (COMMITTED / p.name).read_bytes()]
    assert different == [], "run `make sample` and commit data/sample"


def test_nothing_else_is_in_the_sample_folder() -> None:
    assert sorted(path.name for path in COMMITTED.iterdir()) == FILES


def test_another_seed_is_another_company(tmp_path: Path) -> None:
    one, two = (sample.write(tmp_path / str(seed), accounts=20, seed=seed) for seed in (1, 2))
    same = {a.name for a, b in zip(one, two, strict=True) if a.read_bytes() == b.read_bytes()}
    assert same == {"mapping.yml", "work_plan.csv"}


def test_the_files_are_small_plain_text_with_unix_line_ends() -> None:
    contents = [path.read_bytes() for path in COMMITTED.iterdir()]
    assert sum(map(len, contents)) <= 7_000_000
    assert max(map(len, contents)) <= 2_900_000
    assert not any(b"\r" in content or content.startswith(b"\xef\xbb\xbf") for content in contents)
    assert all(content.endswith(b"\n") for content in contents)


def test_the_files_hold_the_tables_and_the_columns_in_order(tables: sample.Tables) -> None:
    for name, rows in tables.items():
        with (COMMITTED / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            assert reader.fieldnames == sample.COLUMNS[name].split()
            assert list(reader) == rows


def test_keys_are_unique_and_have_leading_zeros(tables: sample.Tables) -> None:
    for name, key in (
        ("accounts", "account_id"),
        ("subscriptions", "subscription_id"),
        ("tickets", "ticket_id"),
        ("reps", "rep_id"),
    ):
        keys = [row[key] for row in tables[name]]
        assert len(set(keys)) == len(keys), name
        assert all(len(key.split("-")[1]) == 4 for key in keys)
    assert tables["accounts"][0]["account_id"] == "A-0001"
    assert len({row["name"] for row in tables["accounts"]}) == 600
    for name, grain in (
        ("touches", ("account_id", "occurred_at")),
        ("assignments", ("account_id", "rep_id", "start_date")),
        ("usage", ("account_id", "user_id", "occurred_at")),
        ("renewals", ("account_id", "due_date")),
        ("surveys", ("kind", "account_id", "rep_id", "sent_at")),
    ):
        assert max(Counter(tuple(row[c] for c in grain) for row in tables[name]).values()) == 1, name


def test_every_account_and_rep_that_is_named_exists(tables: sample.Tables) -> None:
    accounts = {row["account_id"] for row in tables["accounts"]}
    role = {row["rep_id"]: row["role"] for row in tables["reps"]}
    for name in ("subscriptions", "renewals", "usage", "tickets", "touches", "assignments"):
        assert {row["account_id"] for row in tables[name]} <= accounts, name
    assert {row["account_id"] for row in tables["subscriptions"]} == accounts
    assert {role[row["rep_id"]] for row in tables["tickets"] if row["rep_id"]} == {"support"}
    assert {role[row["rep_id"]] for name in ("touches", "assignments") for row in tables[name]} == {"csm"}


def test_periods_are_half_open_and_never_empty(tables: sample.Tables) -> None:
    for name in ("subscriptions", "assignments"):
        for row in tables[name]:
            assert row["start_date"] < CLOSES
            assert not row["end_date"] or row["start_date"] < row["end_date"] <= CLOSES, row


def test_money_is_positive_with_two_decimals(tables: sample.Tables) -> None:
    amounts = [row["mrr"] for row in tables["subscriptions"]] + [row["amount"] for row in tables["costs"]]
    assert all(float(amount) > 0 and amount[-3] == "." for amount in amounts)


def test_mrr_is_seats_at_the_plans_price_less_discount(tables: sample.Tables) -> None:
    price = {"Starter": 19, "Growth": 29, "Scale": 45, "Insights add-on": 5}
    for row in tables["subscriptions"]:
        full = price[row["plan"]] * int(row["seats"])
        assert float(row["mrr"]) == pytest.approx(full * (1 - float(row["discount_rate"])), abs=0.01)


def test_every_kind_of_movement_occurs(tables: sample.Tables) -> None:
    happened: Counter[str] = Counter()
    periods = paid_time(tables)
    by_account: dict[str, list[dict[str, str]]] = {}
    for row in tables["subscriptions"]:
        by_account.setdefault(row["account_id"], []).append(row)
    for account, rows in by_account.items():
        main = [row for row in rows if row["plan"] != "Insights add-on"]
        happened["concurrent"] += len(main) < len(rows)
        happened["new"] += periods[account][0][0] >= OPENS
        happened["churn"] += sum(end <= CLOSES for _, end in periods[account])
        happened["reactivation"] += len(periods[account]) - 1
        for before, after in pairwise(main):
            if before["end_date"] == after["start_date"]:
                change = float(after["mrr"]) - float(before["mrr"])
                assert change != 0, after
                happened["expansion" if change > 0 else "contraction"] += 1
            else:
                assert 2 <= months_between(before["end_date"], after["start_date"]) <= 9
    assert min(happened[kind] for kind in ("concurrent", "reactivation")) >= 5
    assert min(happened[kind] for kind in ("new", "churn", "expansion", "contraction")) >= 40


def test_only_an_account_that_ends_has_a_notice_date(tables: sample.Tables) -> None:
    ends = {account: {end for _, end in periods} for account, periods in paid_time(tables).items()}
    for row in tables["subscriptions"]:
        if row["notice_date"]:
            assert row["end_date"] in ends[row["account_id"]]
            assert row["start_date"] <= row["notice_date"] <= row["end_date"]


def test_annual_contracts_mostly_end_on_their_anniversary(tables: sample.Tables) -> None:
    start = {account: periods[0][0] for account, periods in paid_time(tables).items()}
    ages = [
        months_between(start[row["account_id"]], row["end_date"])
        for row in tables["subscriptions"]
        if row["notice_date"] and row["term_months"] == "12" and row["plan"] != "Insights add-on"
    ]
    assert sum(age % 12 == 0 for age in ages) > 0.8 * len(ages)


def test_accounts_that_left_before_the_window_are_not_in_the_export(tables: sample.Tables, truth: dict) -> None:
    starts = [periods[0][0] for periods in paid_time(tables).values()]
    ends = [end for periods in paid_time(tables).values() for _, end in periods]
    assert min(ends) > OPENS
    assert min(starts) < "2020-07-01"
    already, expected = sum(start <= OPENS for start in starts) / 600, truth["expected"]["paying_when_the_window_opens"]
    assert abs(already - expected) < 3 * sqrt(expected * (1 - expected) / 600)


def test_other_months_move_the_start_and_not_the_end(tmp_path: Path) -> None:
    year = sample.company(accounts=30, months=12)
    assert {row["month"] for row in year["costs"]} == {
        f"{2025 + (m > 12)}-{(m - 1) % 12 + 1:02d}-01" for m in range(7, 19)
    }
    assert min(row["opened_at"] for row in year["tickets"]) >= "2025-07-01"
    sample.write(tmp_path, accounts=1, months=12)
    mapping = (tmp_path / "mapping.yml").read_text(encoding="utf-8")
    assert "observed_from: 2025-07-01\ndata_through: 2026-06-30\n" in mapping


def test_tickets_lie_inside_paid_time_and_in_order(tables: sample.Tables) -> None:
    periods = paid_time(tables)
    for row in tables["tickets"]:
        times = [row[c] for c in ("opened_at", "first_response_at", "resolved_at") if row[c]]
        assert times == sorted(times) and all(t.endswith("Z") for t in times)
        assert times[0] >= OPENS and times[-1] < CLOSES
        assert any(s <= times[0] and times[-1] < e for s, e in periods[row["account_id"]]), row
        assert not row["resolved_at"] or row["first_response_at"]
        assert not row["csat"] or (row["csat"] in "12345" and row["resolved_at"])
    answered = sum(bool(row["csat"]) for row in tables["tickets"]) / len(tables["tickets"])
    assert 0.15 < answered < 0.45
    assert {row["csat"] for row in tables["tickets"]} == {"", "1", "2", "3", "4", "5"}
    assert {row["ces"] for row in tables["tickets"]} == {"", "1", "2", "3", "4", "5", "6", "7"}


def test_tickets_are_answered_by_people_who_work_there(tables: sample.Tables) -> None:
    there = {row["rep_id"]: (row["hired_on"], row["left_on"] or "9999") for row in tables["reps"]}
    for row in tables["tickets"]:
        if row["rep_id"]:
            hired, left = there[row["rep_id"]]
            assert hired <= row["opened_at"][:10] <= left, row


def test_touches_are_by_the_assigned_csm_inside_paid_time(tables: sample.Tables) -> None:
    periods = paid_time(tables)
    assigned: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in tables["assignments"]:
        key = row["account_id"], row["rep_id"]
        assigned.setdefault(key, []).append((row["start_date"], row["end_date"] or "9999"))
    for row in tables["touches"]:
        day = row["occurred_at"][:10]
        assert OPENS <= day < CLOSES
        assert any(s <= day < e for s, e in periods[row["account_id"]]), row
        assert any(s <= day < e for s, e in assigned[row["account_id"], row["rep_id"]]), row
        assert float(row["hours"]) > 0


def test_assignments_lie_inside_paid_time_and_employment_and_never_overlap(tables: sample.Tables) -> None:
    periods = paid_time(tables)
    reps = {row["rep_id"]: row for row in tables["reps"]}
    last_end: dict[str, str] = {}
    for row in tables["assignments"]:
        start, end = row["start_date"], row["end_date"] or "9999"
        assert end > OPENS
        assert any(s <= start and end <= e for s, e in periods[row["account_id"]]), row
        assert start >= reps[row["rep_id"]]["hired_on"]
        assert not reps[row["rep_id"]]["left_on"] or row["end_date"]
        assert start >= last_end.get(row["account_id"], "")
        last_end[row["account_id"]] = end


def test_some_accounts_are_never_covered_and_some_lose_their_csm_for_months(tables: sample.Tables) -> None:
    covered = {row["account_id"] for row in tables["assignments"]}
    assert 120 < 600 - len(covered) < 360
    left = [row for row in tables["reps"] if row["role"] == "csm" and row["left_on"]]
    assert len(left) >= 3


@pytest.mark.parametrize("more", [45, 601])
def test_more_accounts_leave_the_first_ones_as_they_are(more: int) -> None:
    few, many = sample.company(accounts=30), sample.company(accounts=more)
    first = {row["account_id"] for row in few["accounts"]}
    for name in ("accounts", "subscriptions", "renewals", "usage", "tickets", "touches", "assignments"):
        assert [row for row in many[name] if row["account_id"] in first] == few[name], name
    for name in ("reps", "work_plan", "touchpoints"):
        assert many[name][: len(few[name])] == few[name], name
    surveys = [row for row in many["surveys"] if row["account_id"] in first]
    assert surveys == [row for row in few["surveys"] if row["account_id"]]
    for name in ("goals", "people_records"):
        assert all(row in many[name] for row in few[name]), name
    assert len(many["accounts"]) == more


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"accounts": 0}, "accounts is 0"),
        ({"accounts": -5}, "accounts is -5"),
        ({"accounts": 10.0}, "accounts is 10.0"),
        ({"accounts": True}, "accounts is True"),
        ({"accounts": 1_000_000}, "accounts is 1000000"),
        ({"months": 0}, "months is 0"),
        ({"months": 1000}, "months is 1000"),
        ({"seed": "one"}, "seed is 'one'"),
    ],
)
def test_arguments_that_make_no_company_are_refused(arguments: dict, named: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=named):
        sample.write(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_all_wrong_arguments_are_named_at_once() -> None:
    with pytest.raises(ParameterError, match=r"(?s)accounts is 0.*months is 0"):
        sample.company(accounts=0, months=0)


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(ParameterError, match="is a file"):
        sample.write(tmp_path / "taken", accounts=1, months=1)
    assert (tmp_path / "taken").read_text() == "x"


def test_the_smallest_company_can_be_written(tmp_path: Path) -> None:
    assert len(sample.write(tmp_path, accounts=1, months=1)) == len(FILES)


def test_the_worse_last_year_is_in_the_truth_and_in_the_data(tables: sample.Tables, truth: dict) -> None:
    expected = truth["expected"]["logo_churn"]
    years = (("2024-07-01", "2025-07-01", "2025-06-30"), ("2025-07-01", "2026-07-01", "2026-06-30"))
    realised = []
    for begin, finish, last in years:
        first = [periods[0] for periods in paid_time(tables).values()]
        opening = [end for start, end in first if start <= begin < end]
        p, n = expected[f"{begin} to {last}"], len(opening)
        realised.append(sum(end <= finish for end in opening) / n)
        assert abs(realised[-1] - p) < 3 * sqrt(p * (1 - p) / n)  # three binomial standard errors
    assert expected["2025-07-01 to 2026-06-30"] > expected["2024-07-01 to 2025-06-30"] + 0.02
    assert realised[1] > realised[0]


def test_the_number_of_churned_accounts_is_near_its_expectation(lives: list[Account], truth: dict) -> None:
    ended = sum(ended for _, _, ended in first_lives(lives))
    expected = truth["expected"]["first_spells_ended"]
    assert abs(ended - expected) < 3 * sqrt(expected)  # a sum of rare events varies at most as a Poisson number


def test_the_mapping_says_what_the_contract_needs_and_no_more() -> None:
    assert (COMMITTED / "mapping.yml").read_text(encoding="utf-8").splitlines() == [
        "version: 1",
        f"company: {sample.COMPANY}",
        "currency: EUR",
        "timezone: UTC",
        "date_format: YYYY-MM-DD",
        "observed_from: 2023-07-01",
        "data_through: 2026-06-30",
    ]


def test_the_truth_file_states_the_left_truncation_and_the_arguments() -> None:
    truth = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    assert truth["arguments"] == {"accounts": 600, "months": 36, "seed": 1}
    assert "not in the export" in truth["left_truncation"]
    assert set(truth["expected"]["survival"]["all"]) == {"6", "12", "24"}


def test_the_story_counts_the_rows_of_every_file(tables: sample.Tables) -> None:
    text = (COMMITTED.parent / "SAMPLE.md").read_text(encoding="utf-8")
    for name, rows in tables.items():
        assert f"| `{name}.csv` | {len(rows):,} |" in text, name


# --- the contract ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_the_contracts_columns(name: str) -> None:
    own = sample.COLUMNS[name].split()
    extra = {"accounts": {"churn_reason"}}.get(name, set())
    missing = {"usage": {"subscription_id"}, "costs": {"currency"}}.get(name, set())
    assert set(own) - set(TABLES[name].names) == extra
    assert set(TABLES[name].names) - set(own) == missing


@pytest.mark.parametrize("name", TABLES)
def test_every_field_keeps_the_contract(name: str, tables: sample.Tables) -> None:
    table, rows = TABLES[name], tables[name]
    assert rows
    assert len({tuple(row[column] for column in table.key) for row in rows}) == len(rows) or not table.key
    for column in table.columns:
        values = [row[column.name] for row in rows if column.name in row]
        assert all(values) or column.nullable, column.name
        filled = [value for value in values if value]
        assert filled or not values, f"{column.name} is always empty"
        assert set(filled) <= set(column.one_of) or not column.one_of, column.name
        if column.kind in ("integer", "number", "money"):
            least, most = column.minimum, column.maximum
            assert all(least is None or float(value) >= least for value in filled), column.name
            assert all(most is None or float(value) <= most for value in filled), column.name
        if column.kind == "flag":
            assert set(filled) <= {"true", "false"}, column.name
        if column.kind == "date":
            assert all(str(date.fromisoformat(value)) == value for value in filled), column.name


@pytest.mark.parametrize("name", TABLES)
def test_nobody_is_named_who_is_not_in_the_export(name: str, tables: sample.Tables) -> None:
    for column, other in TABLES[name].references.items():
        if column in tables[name][0]:
            known = {row[TABLES[other].key[0]] for row in tables[other]} | {""}
            assert {row[column] for row in tables[name]} <= known, column


@pytest.mark.parametrize(
    ("name", "column"),
    [("usage", "occurred_at"), ("tickets", "opened_at"), ("touches", "occurred_at"), ("surveys", "sent_at"),
     ("touchpoints", "date"), ("costs", "month"), ("renewals", "due_date")],
)  # fmt: skip
def test_every_month_of_the_window_has_rows_and_no_event_lies_outside(
    name: str, column: str, tables: sample.Tables
) -> None:
    days = [row[column][:10] for row in tables[name] if row.get("outcome", "done")]
    assert min(days) >= OPENS
    assert max(days) < CLOSES or (name == "renewals" and max(days) == CLOSES)  # lost as the window closes
    assert len({day[:7] for day in days if day < CLOSES}) == 36
    assert max(days) >= "2026-06-01"


# --- usage, renewals, surveys and the rest ---------------------------------------------------------------------


def test_usage_lies_inside_paid_time_and_mostly_on_weekdays(tables: sample.Tables) -> None:
    periods = paid_time(tables)
    for row in tables["usage"]:
        assert any(s <= row["occurred_at"] < e for s, e in periods[row["account_id"]]), row
        assert row["user_id"].startswith(row["account_id"])
        assert int(row["quantity"]) > 0 and int(row["minutes"]) > 0
    weekend = sum(date.fromisoformat(row["occurred_at"]).weekday() > 4 for row in tables["usage"])
    assert 0.03 < weekend / len(tables["usage"]) < 0.07


def test_renewals_stand_on_anniversaries_and_say_what_the_subscriptions_say(tables: sample.Tables) -> None:
    periods = paid_time(tables)

    def mrr(account: str, day: str) -> float:
        rows = by_account[account]
        return sum(
            float(r["mrr"]) for r in rows if r["start_date"] <= day and (not r["end_date"] or day < r["end_date"])
        )

    by_account: dict[str, list[dict[str, str]]] = {}
    for row in tables["subscriptions"]:
        by_account.setdefault(row["account_id"], []).append(row)
    for row in tables["renewals"]:
        account, due = row["account_id"], row["due_date"]
        (start, end), *_ = periods[account]
        age = months_between(start, due)
        assert age % 12 == 0 and age > 0 and start[8:] == due[8:], row
        before = str(date.fromisoformat(min(due, CLOSES)) - timedelta(days=1))
        assert float(row["target_mrr"]) == pytest.approx(mrr(account, before))
        if row["outcome"] == "lost":
            assert due == end and row["renewed_mrr"] == "0.00" and row["decided_date"] <= due
        elif row["outcome"] == "renewed":
            assert due < CLOSES and due < end and row["decided_date"] <= due
            assert float(row["renewed_mrr"]) == pytest.approx(mrr(account, due))
        else:
            assert due >= CLOSES and not row["renewed_mrr"] and not row["decided_date"]
    outcomes = Counter(row["outcome"] for row in tables["renewals"])
    assert min(outcomes[outcome] for outcome in ("renewed", "lost", "")) >= 40


def test_every_contract_that_ends_on_its_anniversary_is_a_lost_renewal(tables: sample.Tables) -> None:
    lost = {(row["account_id"], row["due_date"]) for row in tables["renewals"] if row["outcome"] == "lost"}
    term = {row["account_id"]: row["term_months"] for row in reversed(tables["subscriptions"])}
    ended = {
        (account, end)
        for account, ((start, end), *_) in paid_time(tables).items()
        if end <= CLOSES and term[account] == "12" and months_between(start, end) % 12 == 0
    }
    assert lost == ended


def test_surveys_go_to_those_who_pay_and_have_answers_only_where_answered(tables: sample.Tables) -> None:
    periods = paid_time(tables)
    scale = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8), "agent": range(1, 6), "exit": range(1, 6)}
    for row in tables["surveys"]:
        assert (row["kind"] == "exit") == (row["stage"] == "exit")
        assert row["sent_at"] < (row["answered_at"] or "9999") and row["answered_at"] < CLOSES
        if row["kind"] == "agent":
            assert row["rep_id"] and not row["account_id"]
        else:
            assert any(s <= row["sent_at"][:10] < e for s, e in periods[row["account_id"]]), row
        if row["answered_at"]:
            assert int(row["score"]) in scale[row["kind"]], row
        else:
            assert not row["score"] and not row["comment"] and not row["reason"] and not row["competitor"]
        assert bool(row["reason"]) == (row["kind"] == "exit" and bool(row["answered_at"]))
    kinds = Counter((row["kind"], bool(row["answered_at"])) for row in tables["surveys"])
    assert min(kinds[kind, answered] for kind in scale for answered in (True, False)) >= 20
    assert kinds["exit", True] + kinds["exit", False] == sum(end <= CLOSES for s in periods.values() for _, end in s)


def test_the_unhappy_answer_the_support_survey_more_often(tables: sample.Tables) -> None:
    """Truth: 40 % of those who would say 1 or 2 answer; so low scores are overrepresented, not absent."""
    scores = Counter(row["csat"] for row in tables["tickets"])
    low = (scores["1"] + scores["2"]) / (sum(scores.values()) - scores[""])
    assert 0.10 < low < 0.30


def test_only_accounts_that_are_gone_have_a_recorded_reason_and_it_often_says_price(tables: sample.Tables) -> None:
    gone = {account for account, periods in paid_time(tables).items() if periods[-1][1] <= CLOSES}
    recorded = {row["account_id"]: row["churn_reason"] for row in tables["accounts"] if row["churn_reason"]}
    assert set(recorded) <= gone
    assert len(recorded) > 0.8 * len(gone)
    stated = {row["account_id"]: row["reason"] for row in tables["surveys"] if row["reason"]}
    both = [(recorded[account], stated[account]) for account in stated if account in recorded]
    assert sum(a != b for a, b in both) >= 5
    assert sum(a == "price" for a, _ in both) > sum(b == "price" for _, b in both)


def test_waiting_and_giving_up_only_happen_in_the_queue(tables: sample.Tables) -> None:
    for row in tables["tickets"]:
        queued = row["channel"] in ("phone", "chat")
        assert queued or not (row["wait_seconds"] or row["answered"])
        if row["answered"] == "false":
            assert not (row["first_response_at"] or row["resolved_at"] or row["rep_id"] or row["handle_minutes"])
        if row["answered"] == "true":
            assert row["rep_id"] and int(row["wait_seconds"]) > 0
        assert not row["contacts"] or int(row["contacts"]) >= 1 + (row["reopened"] == "true")
    queue = [row for row in tables["tickets"] if row["answered"]]
    assert 0.01 < sum(row["answered"] == "false" for row in queue) / len(queue) < 0.10
    in_time = sum(row["answered"] == "true" and int(row["wait_seconds"]) <= 20 for row in queue) / len(queue)
    assert 0.5 < in_time < 0.9


def test_the_organisation_has_a_head_managers_and_their_reps(tables: sample.Tables) -> None:
    reps = {row["rep_id"]: row for row in tables["reps"]}
    (head,) = [row for row in tables["reps"] if not row["manager_id"]]
    managers = [row for row in tables["reps"] if row["manager_id"] == head["rep_id"]]
    assert {row["role"] for row in (head, *managers)} == {"manager"}
    assert len(managers) == 4
    for row in tables["reps"]:
        if row["role"] != "manager":
            manager = reps[row["manager_id"]]
            assert manager in managers and manager["team"] == row["team"]
    present = [row for row in tables["reps"] if not row["left_on"] and row["manager_id"]]
    assert all(4 <= n <= 10 for n in Counter(row["manager_id"] for row in present).values())


def test_the_work_plan_has_every_segment_and_the_review_of_three_hours(tables: sample.Tables) -> None:
    plan = {(row["segment"], row["activity"]): row for row in tables["work_plan"]}
    assert {segment for segment, _ in plan} == set(parameters.SEGMENTS)
    review = plan["Enterprise", "qbr"]
    hours = [float(review[part]) for part in ("preparation_hours", "delivery_hours", "follow_up_hours")]
    assert hours == [1, 1, 1]
    assert {activity for _, activity in plan} == set(parameters.TOUCH_HOURS)


def test_goals_have_periods_owners_and_a_value_to_start_from(tables: sample.Tables) -> None:
    owners = {row["rep_id"] for row in tables["reps"]} | {row["team"] for row in tables["reps"]} | {""}
    there = {row["rep_id"] for row in tables["reps"] if not row["left_on"]}
    for row in tables["goals"]:
        assert row["owner"] in owners and (not row["owner"].startswith("R-") or row["owner"] in there)
        assert row["period_start"] < row["period_end"] and row["period_start"] < CLOSES and row["period_end"] > OPENS
        assert float(row["target"]) != float(row["baseline"])
    kinds = {"rep" if row["owner"].startswith("R-") else "team" if row["owner"] else "all" for row in tables["goals"]}
    assert kinds == {"rep", "team", "all"}
    each = Counter((row["owner"], row["period_start"]) for row in tables["goals"] if row["owner"])
    assert max(each.values()) <= 2  # at most one goal of satisfaction and one of productivity


def test_touchpoint_counts_are_nested_and_the_pricing_page_got_worse(tables: sample.Tables) -> None:
    sessions: Counter[bool] = Counter()
    exits: Counter[bool] = Counter()
    for row in tables["touchpoints"]:
        names = ("bounces", "exits", "sessions", "clicks", "impressions")
        counts = [int(row[name]) for name in names]
        assert counts == sorted(counts) and counts[0] >= 0, row
        if row["touchpoint"] == "pricing page":
            late = row["date"] >= "2025-07-01"
            sessions[late] += counts[2]
            exits[late] += counts[1]
    assert exits[True] / sessions[True] == pytest.approx(0.47, abs=0.01)
    assert exits[False] / sessions[False] == pytest.approx(0.34, abs=0.01)
    assert {row["stage"] for row in tables["touchpoints"]} == {"before", "during", "after"}


def test_whoever_was_hired_in_the_window_was_interviewed_and_trained(tables: sample.Tables) -> None:
    records = tables["people_records"]
    interviewed = Counter(row["rep_id"] for row in records if row["kind"] == "interview")
    started = {row["rep_id"] for row in records if row["kind"] == "training" and "Starting" in row["course"]}
    hired_on = {row["rep_id"]: row["hired_on"] for row in tables["reps"]}
    hired = {rep for rep, day in hired_on.items() if day >= "2023-10-01"}
    assert hired <= started
    assert all(interviewed[rep] == 1 for rep in hired)
    candidates = Counter(row["candidate_id"] for row in records if row["kind"] == "interview")
    assert max(candidates.values()) == 1
    assert interviewed[""] > len(hired)
    left_on = {row["rep_id"]: row["left_on"] or "9999" for row in tables["reps"]}
    for row in records:
        assert row["date"] < CLOSES
        if row["rep_id"] and row["kind"] == "training":
            assert hired_on[row["rep_id"]] <= row["date"] <= left_on[row["rep_id"]]
    processes = [row for row in records if row["kind"] == "process"]
    assert 0.5 < sum(row["documented"] == "true" for row in processes) / len(processes) < 1
    assert all(row["documented"] == "true" for row in processes if row["covered_in_onboarding"] == "true")


# --- planted truths come back ----------------------------------------------------------------------------------


@pytest.fixture
def flat_hazard(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Every billing date at 2 %, no factor at work."""
    flat = dict.fromkeys(parameters.SEGMENTS, 0.02)
    for name in ("HAZARD_MONTHLY_TERM", "HAZARD_AT_ANNIVERSARY", "HAZARD_BETWEEN_ANNIVERSARIES"):
        monkeypatch.setattr(parameters, name, flat)
    monkeypatch.setattr(parameters, "FIT_FACTOR", {"good": 1.0, "fair": 1.0, "poor": 1.0})
    monkeypatch.setattr(parameters, "TENURE_FACTOR", ((120, 1.0),))
    monkeypatch.setattr(parameters, "TENURE_FACTOR_LATER", 1.0)
    for name in ("COVERED_FACTOR", "RECENT_FACTOR", "TROUBLE_FACTOR"):
        monkeypatch.setattr(parameters, name, 1.0)
    sample_accounts.hazards.cache_clear()
    yield monkeypatch
    sample_accounts.hazards.cache_clear()


@pytest.mark.usefixtures("flat_hazard")
def test_the_truth_of_a_constant_hazard_is_known_by_hand() -> None:
    """S(k) = .98^k, a year keeps .98^12 of those it opens with, and CSMs keep nobody."""
    expected = sample.truth(accounts=50)["expected"]
    by_age = {"6": 0.98**6, "12": 0.98**12, "24": 0.98**24}
    assert expected["survival"]["all"] == pytest.approx(by_age, abs=1e-6)
    assert expected["survival"]["SMB"] == pytest.approx(by_age, abs=1e-6)
    assert expected["logo_churn"]["2025-07-01 to 2026-06-30"] == pytest.approx(1 - 0.98**12, abs=1e-6)
    assert expected["csm_effect"]["accounts_kept"] == pytest.approx(0, abs=1e-6)


def test_the_effect_of_csms_is_known_by_hand_where_everybody_has_one(flat_hazard: pytest.MonkeyPatch) -> None:
    """All covered from the start, nobody ever leaves, half the hazard: .99^12 stay instead of .98^12."""
    flat_hazard.setattr(parameters, "COVERED_AT_WINNING", dict(_each(dict.fromkeys(parameters.SIZE_SHARE, 1.0))))
    flat_hazard.setattr(parameters, "LEAVES", {"csm": 0.0, "support": 0.0})
    flat_hazard.setattr(parameters, "COVERED_FACTOR", 0.5)
    effect = sample.truth(accounts=50)["expected"]["csm_effect"]
    assert effect["logo_churn"] == pytest.approx(1 - 0.99**12, abs=1e-6)
    assert effect["logo_churn_without_csms"] == pytest.approx(1 - 0.98**12, abs=1e-6)


@pytest.mark.parametrize("ends", [0.0, 1.0])
def test_trouble_is_known_by_hand(ends: float, flat_hazard: pytest.MonkeyPatch) -> None:
    """All calm at the first billing date, all in trouble at twice the hazard at the second; then for good, or every
    other time: S(k) = .98 x .96^(k-1), or .98^(k/2) x .96^(k/2) for even k."""
    flat_hazard.setattr(parameters, "TROUBLE_ENTERS", {"good": 1.0, "fair": 1.0, "poor": 1.0})
    flat_hazard.setattr(parameters, "TROUBLE_ENDS", ends)
    flat_hazard.setattr(parameters, "TROUBLE_FACTOR", 2.0)
    calm = {k: k // 2 if ends else 1 for k in (6, 12, 24)}
    by_hand = {str(k): 0.98**n * 0.96 ** (k - n) for k, n in calm.items()}
    assert sample.truth(accounts=50)["expected"]["survival"]["all"] == pytest.approx(by_hand, abs=1e-6)


def test_coverage_given_later_is_known_by_hand(flat_hazard: pytest.MonkeyPatch) -> None:
    """Nobody has a CSM at the first billing date and everybody from then on, at half the hazard."""
    flat_hazard.setattr(parameters, "COVERED_AT_WINNING", dict(_each(dict.fromkeys(parameters.SIZE_SHARE, 0.0))))
    flat_hazard.setattr(parameters, "COVERED_LATER", dict(_each({"calm": 1.0, "trouble": 1.0})))
    flat_hazard.setattr(parameters, "LEAVES", {"csm": 0.0, "support": 0.0})
    flat_hazard.setattr(parameters, "COVERED_FACTOR", 0.5)
    survival = sample.truth(accounts=50)["expected"]["survival"]["all"]
    assert survival == pytest.approx({str(k): 0.98 * 0.99 ** (k - 1) for k in (6, 12, 24)}, abs=1e-6)


def _each(shares: dict[str, float]) -> Iterator[tuple[str, dict[str, float]]]:
    for segment in parameters.SEGMENTS:
        yield segment, shares


def test_no_probability_of_ending_reaches_one() -> None:
    worst = max(max(sample_accounts.hazards(s, t, "poor", 120)) for s in parameters.SEGMENTS for t in (1, 12))
    assert worst * parameters.TROUBLE_FACTOR * parameters.RECENT_FACTOR < 1


@pytest.mark.parametrize("seed", [7, 8])
def test_kaplan_meier_with_delayed_entry_recovers_the_true_survival(seed: int) -> None:
    lives = first_lives(drawn(World(1600, 36, seed)))
    true = sample.truth(accounts=1600, seed=seed)["expected"]["survival"]["all"]
    for age in (6, 12, 24):
        estimate, error = product_limit(lives, age)
        assert error < 0.02
        assert abs(estimate - true[str(age)]) < 3 * error, age
    ignoring_entry, error = product_limit([(0, duration, ended) for _, duration, ended in lives], 12)
    assert ignoring_entry - true["12"] > 4 * error  # survivors counted from age 0 look immortal


def test_the_larger_and_the_troubled_are_more_often_looked_after(lives: list[Account]) -> None:
    """Account-months: covered share by size within the segment, and by trouble."""
    world = World()
    teams = make_teams(world)
    months: Counter[tuple[str, str]] = Counter()
    covered: Counter[tuple[str, str]] = Counter()
    for account in lives:
        for period, month, _, _ in account.paid_months(world):
            has_csm = csm_in(period, month, teams[account.team], world) is not None
            for group in (account.kind.size, "trouble" if month in period.trouble else "calm"):
                months[account.kind.segment, group] += 1
                covered[account.kind.segment, group] += has_csm
    share = {group: covered[group] / months[group] for group in months}
    for segment in ("SMB", "Mid-Market"):
        assert share[segment, "larger"] > share[segment, "smaller"] + 0.05
        assert share[segment, "trouble"] > share[segment, "calm"] + 0.05


def test_covered_accounts_pay_more(tables: sample.Tables) -> None:
    """Visible in the export alone: the half of a segment that pays more when it starts is more often covered."""
    covered = {row["account_id"] for row in tables["assignments"]}
    first = {row["account_id"]: float(row["mrr"]) for row in reversed(tables["subscriptions"])}
    segment = {row["account_id"]: row["segment"] for row in tables["accounts"]}
    for name in ("SMB", "Mid-Market"):
        paying = sorted((account for account in first if segment[account] == name), key=lambda a: first[a])
        half = len(paying) // 2
        less, more = (sum(account in covered for account in part) / half for part in (paying[:half], paying[-half:]))
        assert more - less > 0.08, name


def test_coverage_starts_as_often_as_the_truth_says(lives: list[Account]) -> None:
    """New assignments per month without, in trouble and calm, within four binomial standard errors."""
    without: Counter[tuple[str, str]] = Counter()
    given: Counter[tuple[str, str]] = Counter()
    for account in lives:
        for period in account.periods:
            start, last = last_paid_month(period.start), last_paid_month(period.end or parameters.END_DAY)
            at_winning = period.seat != parameters.UNCOVERED and period.covered_from == period.start
            stop = min(last, period.covered_month if period.seat != parameters.UNCOVERED else last)
            for month in range(start + 2, (start if at_winning else stop) + 1):
                group = account.kind.segment, "trouble" if month in period.trouble else "calm"
                without[group] += 1
                given[group] += period.seat != parameters.UNCOVERED and month == period.covered_month
    for (segment, state), n in without.items():
        rate = parameters.COVERED_LATER[segment][state]
        assert abs(given[segment, state] - n * rate) < 4 * sqrt(n * rate * (1 - rate)) + 1, (segment, state)
    assert sum(given.values()) > 50


def test_usage_falls_before_the_end_as_the_truth_says(tables: sample.Tables) -> None:
    """The month before the last one at .50 of five to seven months before, a little less with the trouble around."""
    by_month = Counter((row["account_id"], row["occurred_at"][:7]) for row in tables["usage"])

    def back(day: str, months: int) -> str:
        year, month = divmod(int(day[:4]) * 12 + int(day[5:7]) - 1 - months, 12)
        return f"{year}-{month + 1:02d}"

    late = early = 0
    for account, periods in paid_time(tables).items():
        start, end = periods[0]
        last = str(date.fromisoformat(min(end, CLOSES)) - timedelta(days=1))
        if end <= CLOSES and back(last, 10) >= max(start, OPENS)[:7]:
            late += by_month[account, back(last, 1)]
            early += sum(by_month[account, back(last, months)] for months in (5, 6, 7))
    ratio = 3 * late / early
    error = ratio * sqrt(1 / late + 1 / early)
    true = parameters.USAGE_BEFORE_CHURN[1]
    assert 0.75 * true - 3 * error < ratio < true + 3 * error
    assert error < 0.08


def test_support_reps_handle_as_fast_as_the_truth_says(tables: sample.Tables, truth: dict) -> None:
    """Handling over what category, segment and account explain, per rep: within its own standard error."""
    segment = {row["account_id"]: row["segment"] for row in tables["accounts"]}
    relative: dict[str, list[float]] = {}
    for row in tables["tickets"]:
        if row["handle_minutes"]:
            usual = parameters.HANDLE[row["category"]] * 0.4 * 1.4**3  # 1.4: mean of each of three factors
            usual *= parameters.SEGMENT_WORK_FACTOR[segment[row["account_id"]]]
            usual *= truth["hidden"]["accounts"][row["account_id"]]["handle_factor"]
            relative.setdefault(row["rep_id"], []).append(float(row["handle_minutes"]) / usual)
    scores = []
    for rep, values in relative.items():
        if len(values) >= 30:
            mean = sum(values) / len(values)
            error = sqrt(sum((value - mean) ** 2 for value in values)) / len(values)
            scores.append((mean - truth["hidden"]["support_reps"][rep]["handle_factor"]) / error)
    assert len(scores) >= 10
    assert max(map(abs, scores)) < 4
    assert sqrt(sum(score**2 for score in scores) / len(scores)) < 1.5


def test_those_who_serve_the_largest_look_slow_and_are_not(tables: sample.Tables, truth: dict) -> None:
    """Specialists get most Enterprise tickets: a raw table of handling times blames them for it."""
    team = make_teams(World())[0]
    specialists = {rep.rep_id for seat in team.support_seats[: parameters.SPECIALIST_SEATS] for rep in seat.people}
    minutes: dict[bool, list[float]] = {True: [], False: []}
    own: dict[bool, list[float]] = {True: [], False: []}
    for row in tables["tickets"]:
        if row["handle_minutes"]:
            minutes[row["rep_id"] in specialists].append(float(row["handle_minutes"]))
            own[row["rep_id"] in specialists].append(truth["hidden"]["support_reps"][row["rep_id"]]["handle_factor"])

    def ratio(values: dict[bool, list[float]]) -> float:
        return sum(values[True]) / len(values[True]) / (sum(values[False]) / len(values[False]))

    assert ratio(minutes) > 1.06 * ratio(own)


def test_the_named_support_reps_differ_as_the_truth_says(tables: sample.Tables, truth: dict) -> None:
    better, worse = (outlier["rep_id"] for outlier in truth["hidden"]["support_outliers"])
    scores = {
        rep: [int(row["csat"]) for row in tables["tickets"] if row["rep_id"] == rep and row["csat"]]
        for rep in (better, worse)
    }
    minutes = {
        rep: [float(r["handle_minutes"]) for r in tables["tickets"] if r["rep_id"] == rep and r["handle_minutes"]]
        for rep in (better, worse)
    }
    mean = {rep: sum(scores[rep]) / len(scores[rep]) for rep in scores}
    assert mean[better] > mean[worse] + 0.3
    assert sum(minutes[worse]) / len(minutes[worse]) < 0.75 * sum(minutes[better]) / len(minutes[better])


def test_the_themes_of_comments_have_their_shares(tables: sample.Tables, truth: dict) -> None:
    """Each comment on a ticket holds one phrasing of one theme; shares within four binomial standard errors."""
    said = {
        phrase[1:]: (theme, "content" if n == 0 else "discontent")
        for theme, sides in phrases.PHRASES.items()
        for n, side in enumerate(sides)
        for phrase in side
    }
    found: Counter[tuple[str, str]] = Counter()
    for row in tables["tickets"]:
        if row["comment"]:
            (theme,) = [theme for phrase, theme in said.items() if phrase in row["comment"]]
            assert theme[1] == ("content" if int(row["csat"]) >= 4 else "discontent")
            found[theme] += 1
    for side in ("content", "discontent"):
        n = sum(count for (_, of), count in found.items() if of == side)
        assert n > 100
        for theme, shares in truth["surveys"]["theme_shares"].items():
            share = shares[side]
            assert abs(found[theme, side] / n - share) < 4 * sqrt(share * (1 - share) / n), (theme, side)


def test_detractors_leave_more_often_than_promoters(tables: sample.Tables) -> None:
    """Mood falls before the end, and fit and trouble move both: low answers go before departures."""
    ends = {account: [end for _, end in periods] for account, periods in paid_time(tables).items()}
    asked: Counter[bool] = Counter()
    gone: Counter[bool] = Counter()
    for row in tables["surveys"]:
        if row["kind"] == "nps" and row["score"] and row["answered_at"] < "2025-12-31":
            day = date.fromisoformat(row["answered_at"][:10])
            low = int(row["score"]) <= 6
            asked[low] += 1
            gone[low] += any(str(day) <= end <= str(day + timedelta(days=182)) for end in ends[row["account_id"]])
    low, high = gone[True] / asked[True], gone[False] / asked[False]
    error = sqrt(low * (1 - low) / asked[True] + high * (1 - high) / asked[False])
    assert low - high > 2 * error


def test_the_truth_lists_every_parameter_and_every_hidden_effect(truth: dict, tables: sample.Tables) -> None:
    assert set(truth["hidden"]["accounts"]) == {row["account_id"] for row in tables["accounts"]}
    support = {row["rep_id"] for row in tables["reps"] if row["role"] == "support"}
    assert support <= set(truth["hidden"]["support_reps"])
    assert truth["coverage"]["at_winning"] == parameters.COVERED_AT_WINNING
    assert truth["usage"]["before_churn_factor"] == list(parameters.USAGE_BEFORE_CHURN)
    assert (
        0 < truth["expected"]["csm_effect"]["logo_churn"] < truth["expected"]["csm_effect"]["logo_churn_without_csms"]
    )
