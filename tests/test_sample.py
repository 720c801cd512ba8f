"""The made-up company keeps the contract, never changes by itself, and behaves as its truth says."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date
from itertools import pairwise
from math import sqrt
from pathlib import Path

import pytest

from cs_helpers import sample
from cs_helpers.errors import ParameterError
from cs_helpers.sample import parameters, subscriptions

COMMITTED = Path(__file__).resolve().parents[1] / "data" / "sample"
OPENS, CLOSES = "2024-01-01", "2026-07-01"
FILES = [
    "accounts.csv",
    "assignments.csv",
    "costs.csv",
    "mapping.yml",
    "reps.csv",
    "subscriptions.csv",
    "tickets.csv",
    "touches.csv",
    "truth.json",
]


@pytest.fixture(scope="module")
def tables() -> sample.Tables:
    return sample.company()


@pytest.fixture(scope="module")
def truth() -> dict:
    return sample.truth()


def paid_time(tables: sample.Tables) -> dict[str, list[tuple[str, str]]]:
    """Per account its spells [start, end) with touching and overlapping periods joined; open ends at 9999."""
    spells: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(tables["subscriptions"], key=lambda r: r["start_date"]):
        start, end = row["start_date"], row["end_date"] or "9999-12-31"
        of_account = spells.setdefault(row["account_id"], [])
        if of_account and start <= of_account[-1][1]:
            of_account[-1] = (of_account[-1][0], max(of_account[-1][1], end))
        else:
            of_account.append((start, end))
    return spells


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


def first_lives(tables: sample.Tables) -> list[tuple[int, int, bool]]:
    """Entry age, age at the end of observation, ended: of each account's first spell."""
    lives = []
    for (start, end), *_ in paid_time(tables).values():
        entry = months_between(start, OPENS) if start < OPENS else 0
        lives.append((entry, months_between(start, min(end, CLOSES)), end <= CLOSES))
    return lives


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
    assert same == {"mapping.yml"}


def test_the_files_are_small_plain_text_with_unix_line_ends() -> None:
    contents = [path.read_bytes() for path in COMMITTED.iterdir()]
    assert sum(map(len, contents)) <= 3_000_000
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
    assert len({row["name"] for row in tables["accounts"]}) == 400
    for name, grain in (
        ("touches", ("account_id", "occurred_at")),
        ("assignments", ("account_id", "rep_id", "start_date")),
        ("costs", ("month", "item", "function")),
    ):
        assert max(Counter(tuple(row[c] for c in grain) for row in tables[name]).values()) == 1, name


def test_every_account_and_rep_that_is_named_exists(tables: sample.Tables) -> None:
    accounts = {row["account_id"] for row in tables["accounts"]}
    role = {row["rep_id"]: row["role"] for row in tables["reps"]}
    for name in ("subscriptions", "tickets", "touches", "assignments"):
        assert {row["account_id"] for row in tables[name]} <= accounts, name
    assert {row["account_id"] for row in tables["subscriptions"]} == accounts
    assert {role[row["rep_id"]] for row in tables["tickets"] if row["rep_id"]} == {"support"}
    assert {role[row["rep_id"]] for name in ("touches", "assignments") for row in tables[name]} == {"csm"}
    assert {role[row["manager_id"]] for row in tables["reps"] if row["manager_id"]} == {"manager"}


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
    spells = paid_time(tables)
    by_account: dict[str, list[dict[str, str]]] = {}
    for row in tables["subscriptions"]:
        by_account.setdefault(row["account_id"], []).append(row)
    for account, rows in by_account.items():
        main = [row for row in rows if row["plan"] != "Insights add-on"]
        happened["concurrent"] += len(main) < len(rows)
        happened["new"] += spells[account][0][0] >= OPENS
        happened["churn"] += sum(end <= CLOSES for _, end in spells[account])
        happened["reactivation"] += len(spells[account]) - 1
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
    ends = {account: {end for _, end in spells} for account, spells in paid_time(tables).items()}
    for row in tables["subscriptions"]:
        if row["notice_date"]:
            assert row["end_date"] in ends[row["account_id"]]
            assert row["start_date"] <= row["notice_date"] <= row["end_date"]


def test_annual_contracts_mostly_end_on_their_anniversary(tables: sample.Tables) -> None:
    start = {account: spells[0][0] for account, spells in paid_time(tables).items()}
    ages = [
        months_between(start[row["account_id"]], row["end_date"])
        for row in tables["subscriptions"]
        if row["notice_date"] and row["term_months"] == "12" and row["plan"] != "Insights add-on"
    ]
    assert sum(age % 12 == 0 for age in ages) > 0.8 * len(ages)


def test_accounts_that_left_before_the_window_are_not_in_the_export(tables: sample.Tables) -> None:
    starts = [spells[0][0] for spells in paid_time(tables).values()]
    ends = [end for spells in paid_time(tables).values() for _, end in spells]
    assert min(ends) > OPENS
    assert min(starts) < "2021-01-01"
    assert 0.50 < sum(start <= OPENS for start in starts) / 400 < 0.64  # 57 % expected, 3 SE are 7 points


def test_other_months_move_the_start_and_not_the_end() -> None:
    year = sample.company(accounts=30, months=12)
    assert {row["month"] for row in year["costs"]} == {
        f"{2025 + (m > 12)}-{(m - 1) % 12 + 1:02d}-01" for m in range(7, 19)
    }
    assert min(row["opened_at"] for row in year["tickets"]) >= "2025-07-01"
    assert "observed_from: 2025-07-01\ndata_through: 2026-06-30\n" in sample.mapping_text(12)


def test_tickets_lie_inside_paid_time_and_in_order(tables: sample.Tables) -> None:
    spells = paid_time(tables)
    for row in tables["tickets"]:
        times = [row[c] for c in ("opened_at", "first_response_at", "resolved_at") if row[c]]
        assert times == sorted(times) and all(t.endswith("Z") for t in times)
        assert times[0] >= OPENS and times[-1] < CLOSES
        assert any(s <= times[0] and times[-1] < e for s, e in spells[row["account_id"]]), row
        assert not row["resolved_at"] or row["first_response_at"]
        assert not row["csat"] or (row["csat"] in "12345" and row["resolved_at"])
    answered = sum(bool(row["csat"]) for row in tables["tickets"]) / len(tables["tickets"])
    assert 0.15 < answered < 0.45


def test_tickets_are_answered_by_people_who_work_there(tables: sample.Tables) -> None:
    there = {row["rep_id"]: (row["hired_on"], row["left_on"] or "9999") for row in tables["reps"]}
    for row in tables["tickets"]:
        if row["rep_id"]:
            hired, left = there[row["rep_id"]]
            assert hired <= row["opened_at"][:10] <= left, row


def test_touches_are_by_the_assigned_csm_inside_paid_time(tables: sample.Tables) -> None:
    spells = paid_time(tables)
    assigned: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in tables["assignments"]:
        key = row["account_id"], row["rep_id"]
        assigned.setdefault(key, []).append((row["start_date"], row["end_date"] or "9999"))
    for row in tables["touches"]:
        day = row["occurred_at"][:10]
        assert OPENS <= day < CLOSES
        assert any(s <= day < e for s, e in spells[row["account_id"]]), row
        assert any(s <= day < e for s, e in assigned[row["account_id"], row["rep_id"]]), row
        assert float(row["hours"]) > 0


def test_assignments_lie_inside_paid_time_and_employment_and_never_overlap(tables: sample.Tables) -> None:
    spells = paid_time(tables)
    reps = {row["rep_id"]: row for row in tables["reps"]}
    last_end: dict[str, str] = {}
    for row in tables["assignments"]:
        start, end = row["start_date"], row["end_date"] or "9999"
        assert end > OPENS
        assert any(s <= start and end <= e for s, e in spells[row["account_id"]]), row
        assert start >= reps[row["rep_id"]]["hired_on"]
        assert not reps[row["rep_id"]]["left_on"] or row["end_date"]
        assert start >= last_end.get(row["account_id"], "")
        last_end[row["account_id"]] = end


def test_some_accounts_are_never_covered_and_some_lose_their_csm_for_months(tables: sample.Tables) -> None:
    covered = {row["account_id"] for row in tables["assignments"]}
    assert 80 < 400 - len(covered) < 240
    left = [row for row in tables["reps"] if row["role"] == "csm" and row["left_on"]]
    assert len(left) >= 3


def test_managers_have_four_to_ten_reports(tables: sample.Tables) -> None:
    present = [row for row in tables["reps"] if not row["left_on"] and row["manager_id"]]
    assert all(4 <= n <= 10 for n in Counter(row["manager_id"] for row in present).values())


@pytest.mark.parametrize("more", [45, 401])
def test_more_accounts_leave_the_first_ones_as_they_are(more: int) -> None:
    few, many = sample.company(accounts=30), sample.company(accounts=more)
    first = {row["account_id"] for row in few["accounts"]}
    for name in ("accounts", "subscriptions", "tickets", "touches", "assignments"):
        assert [row for row in many[name] if row["account_id"] in first] == few[name], name
    assert many["reps"][: len(few["reps"])] == few["reps"]
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


def test_the_truth_of_a_constant_hazard_is_known_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every date at 2 %, no factor at work: S(k) = .98^k, and a year keeps .98^12 of those it opens with."""
    flat = dict.fromkeys(parameters.SEGMENTS, 0.02)
    for name in ("HAZARD_MONTHLY_TERM", "HAZARD_AT_ANNIVERSARY", "HAZARD_BETWEEN_ANNIVERSARIES"):
        monkeypatch.setattr(parameters, name, flat)
    monkeypatch.setattr(parameters, "FIT_FACTOR", {"good": 1.0, "fair": 1.0, "poor": 1.0})
    monkeypatch.setattr(parameters, "TENURE_FACTOR", ((120, 1.0),))
    monkeypatch.setattr(parameters, "TENURE_FACTOR_LATER", 1.0)
    monkeypatch.setattr(parameters, "COVERED_FACTOR", 1.0)
    monkeypatch.setattr(parameters, "RECENT_FACTOR", 1.0)
    subscriptions.hazards.cache_clear()
    try:
        expected = sample.truth(accounts=50)["expected"]
    finally:
        subscriptions.hazards.cache_clear()
    by_age = {"6": 0.98**6, "12": 0.98**12, "24": 0.98**24}
    assert expected["survival"]["all"] == pytest.approx(by_age, abs=1e-6)
    assert expected["survival"]["SMB"] == pytest.approx(by_age, abs=1e-6)
    assert expected["logo_churn"]["2025-07-01 to 2026-06-30"] == pytest.approx(1 - 0.98**12, abs=1e-6)


def test_the_worse_last_year_is_in_the_truth_and_in_the_data(tables: sample.Tables, truth: dict) -> None:
    expected = truth["expected"]["logo_churn"]
    years = (("2024-07-01", "2025-07-01", "2025-06-30"), ("2025-07-01", "2026-07-01", "2026-06-30"))
    realised = []
    for begin, finish, last in years:
        first = [spells[0] for spells in paid_time(tables).values()]
        opening = [end for start, end in first if start <= begin < end]
        p, n = expected[f"{begin} to {last}"], len(opening)
        realised.append(sum(end <= finish for end in opening) / n)
        assert abs(realised[-1] - p) < 3 * sqrt(p * (1 - p) / n)  # three binomial standard errors
    assert expected["2025-07-01 to 2026-06-30"] > expected["2024-07-01 to 2025-06-30"] + 0.02
    assert realised[1] > realised[0]


def test_the_number_of_churned_accounts_is_near_its_expectation(tables: sample.Tables, truth: dict) -> None:
    ended = sum(ended for _, _, ended in first_lives(tables))
    expected = truth["expected"]["first_spells_ended"]
    assert abs(ended - expected) < 3 * sqrt(expected)  # a sum of rare events varies at most as a Poisson number


def test_kaplan_meier_with_delayed_entry_recovers_the_true_survival() -> None:
    lives = first_lives(sample.company(accounts=1600, seed=7))
    true = sample.truth(accounts=1600, seed=7)["expected"]["survival"]["all"]
    for age in (6, 12, 24):
        estimate, error = product_limit(lives, age)
        assert error < 0.02
        assert abs(estimate - true[str(age)]) < 3 * error, age
    ignoring_entry, error = product_limit([(0, duration, ended) for _, duration, ended in lives], 12)
    assert ignoring_entry - true["12"] > 4 * error  # survivors counted from age 0 look immortal


def test_the_named_support_reps_differ_as_the_truth_says() -> None:
    tables, truth = sample.company(accounts=400, seed=1), sample.truth()
    better, worse = (outlier["rep_id"] for outlier in truth["support_outliers"])
    scores = {
        rep: [int(row["csat"]) for row in tables["tickets"] if row["rep_id"] == rep and row["csat"]]
        for rep in (better, worse)
    }
    minutes = {
        rep: [int(row["handle_minutes"]) for row in tables["tickets"] if row["rep_id"] == rep and row["handle_minutes"]]
        for rep in (better, worse)
    }
    mean = {rep: sum(scores[rep]) / len(scores[rep]) for rep in scores}
    assert mean[better] > mean[worse] + 0.3
    assert sum(minutes[worse]) / len(minutes[worse]) < 0.75 * sum(minutes[better]) / len(minutes[better])


def test_the_mapping_says_what_the_contract_needs_and_no_more() -> None:
    assert (COMMITTED / "mapping.yml").read_text(encoding="utf-8").splitlines() == [
        "version: 1",
        f"company: {sample.COMPANY}",
        "currency: EUR",
        "timezone: UTC",
        "date_format: YYYY-MM-DD",
        "observed_from: 2024-01-01",
        "data_through: 2026-06-30",
    ]


def test_the_truth_file_states_the_left_truncation_and_the_arguments() -> None:
    truth = json.loads((COMMITTED / "truth.json").read_text(encoding="utf-8"))
    assert truth["arguments"] == {"accounts": 400, "months": 30, "seed": 1}
    assert "not in the export" in truth["left_truncation"]
    assert set(truth["expected"]["survival"]["all"]) == {"6", "12", "24"}


def test_the_dictionary_names_every_column_and_counts_the_rows(tables: sample.Tables) -> None:
    text = (COMMITTED.parent / "README.md").read_text(encoding="utf-8")
    for name, rows in tables.items():
        section = text.split(f"\n### {name}: ")[1].split("\n### ")[0]
        named = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][1:]
        assert named == sample.COLUMNS[name].split(), name
        assert f"| `{name}.csv` | {len(rows):,} |" in text, name
