"""What is due follows from the run records alone: what was made, what was missed, what was killed half-way."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cs_helpers.schedule import run_history
from cs_helpers.schedule.run_history import ScheduledRun
from cs_helpers.schedule.settings import Job

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = Job(name="daily", notebook="good", cron="30 5 * * *", zone=BERLIN)


def daily(**changed):
    return DAILY.model_copy(update=changed)


NUMBERS = count()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def berlin(day, time="05:30", fold=0):
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=BERLIN, fold=fold)


def ran(at, status="ok", series="good", of=1, **others):
    """A run of the daily job; each is newer than the one before."""
    number = next(NUMBERS)
    fields = {"started": at, "folder": Path(f"{series}/{number:05}"), "message": "no" * (status == "failed")} | others
    return ScheduledRun("daily", at.astimezone(UTC), of, series, f"{number:05}", status, **fields)


def due(runs, now, job=DAILY, changed=LONG_AGO, **how):
    newest_first = sorted(runs, key=lambda each: each.run_id, reverse=True)
    return [f"{at:%m-%d %H:%M}" for at in run_history.pending(job, newest_first, now, changed, **how)]


def test_a_time_is_due_until_it_is_recorded():
    before = [ran(berlin("2026-11-23"))]
    assert due(before, berlin("2026-11-24", "05:29")) == []
    assert due(before, berlin("2026-11-24", "05:30")) == ["11-24 05:30"]
    assert due([*before, ran(berlin("2026-11-24"))], berlin("2026-11-24", "05:30")) == []


@pytest.mark.parametrize("status", ["ok", "warnings", "failed"])
def test_a_recorded_time_counts_as_done_however_it_ended(status):
    assert due([ran(berlin("2026-11-24"), status)], berlin("2026-11-24", "23:00")) == []


def test_what_failed_last_is_due_again_when_it_is_asked_for():
    failed = [ran(berlin("2026-11-23")), ran(berlin("2026-11-24"), "failed")]
    now = berlin("2026-11-24", "23:00")
    assert due(failed, now, failed=True) == ["11-24 05:30"]
    assert due([*failed, ran(berlin("2026-11-24"))], now, failed=True) == [], "a later attempt was good"
    assert due([ran(berlin("2026-11-24"))], now, failed=True) == []
    assert due(failed, berlin("2026-11-25", "06:00"), failed=True) == ["11-25 05:30"], "a newer time takes its place"


@pytest.mark.parametrize(
    ("catch_up", "missed"),
    [
        (1, ["11-24 05:30"]),
        (3, ["11-22 05:30", "11-23 05:30", "11-24 05:30"]),
        (31, ["11-21 05:30", "11-22 05:30", "11-23 05:30", "11-24 05:30"]),
        (0, []),
    ],
)
def test_of_the_times_that_were_missed_the_newest_are_made_up(catch_up, missed):
    job = daily(catch_up=catch_up)
    assert due([ran(berlin("2026-11-20"))], berlin("2026-11-24", "09:00"), job) == missed


def test_without_making_up_a_run_still_begins_a_little_late():
    job, before = daily(catch_up=0), [ran(berlin("2026-11-23"))]
    assert due(before, berlin("2026-11-24", "05:44"), job) == ["11-24 05:30"]
    assert due(before, berlin("2026-11-24", "05:46"), job) == []


def test_a_job_that_was_never_run_is_due_for_times_since_the_schedule_was_written():
    now = berlin("2026-11-24", "09:00")
    assert due([], now, changed=berlin("2026-11-24", "08:00")) == []
    assert due([], now, changed=berlin("2026-11-24", "05:00")) == ["11-24 05:30"]
    assert due([], now, changed=berlin("2026-11-01"), job=daily(catch_up=2)) == ["11-23 05:30", "11-24 05:30"]


def test_a_fan_out_that_was_killed_half_way_is_still_due_and_nothing_else_of_it():
    half = [ran(berlin("2026-11-24"), series=f"good/segment={name}", of=3) for name in ("a", "b")]
    now = berlin("2026-11-24", "09:00")
    assert due(half, now) == ["11-24 05:30"]
    assert due([*half, ran(berlin("2026-11-24"), "failed", "good/segment=c", of=3)], now) == []
    again = [*half, ran(berlin("2026-11-24"), series="good/segment=b", of=3)]
    assert due(again, now) == ["11-24 05:30"], "two runs of one series are one"


def test_a_half_made_time_gives_way_to_newer_ones_or_comes_before_them():
    half = [ran(berlin("2026-11-23"), series="good/segment=a", of=2)]
    now = berlin("2026-11-24", "09:00")
    assert due(half, now) == ["11-24 05:30"]
    assert due(half, now, daily(catch_up=2)) == ["11-23 05:30", "11-24 05:30"]
    assert due(half, now, daily(catch_up=0)) == ["11-23 05:30"], "it was begun, so it is not missed"


def test_records_of_a_clock_that_was_wrong_hold_nothing_up():
    runs = [ran(berlin("2026-11-23")), ran(berlin("2031-01-01"))]
    assert due(runs, berlin("2026-11-24", "06:00")) == ["11-24 05:30"]


def test_a_time_that_comes_twice_in_autumn_is_due_once():
    night = daily(cron="30 2 * * *")
    first = berlin("2026-10-25", "02:30")
    assert due([ran(berlin("2026-10-24", "02:30"))], berlin("2026-10-25", "02:45"), night) == ["10-25 02:30"]
    for now in (
        berlin("2026-10-25", "02:30", fold=1),
        berlin("2026-10-25", "02:45", fold=1),
        berlin("2026-10-25", "4:00".zfill(5)),
    ):
        assert due([ran(first)], now, night) == []


def test_a_time_that_spring_leaves_out_is_due_an_hour_later_and_once():
    night = daily(cron="30 2 * * *")
    before = [ran(berlin("2027-03-27", "02:30"))]
    assert due(before, berlin("2027-03-28", "03:29"), night) == []
    assert due(before, berlin("2027-03-28", "03:30"), night) == ["03-28 03:30"]
    assert due([*before, ran(berlin("2027-03-28", "03:30"))], berlin("2027-03-28", "03:31"), night) == []


def test_half_hours_go_on_through_the_night_when_the_clocks_change():
    beat = daily(cron="*/30 * * * *", catch_up=31)
    began = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
    runs, now, made = [ran(began)], began, []
    while now < began + timedelta(hours=4):
        now += timedelta(minutes=5)
        for at in run_history.pending(beat, runs, now, LONG_AGO):
            made.append(at.astimezone(UTC))
            runs.insert(0, ran(at))
    assert made == sorted(set(made))
    assert (made[0], made[-1]) == (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 3, 0, tzinfo=UTC))


def test_the_outcome_of_a_time_is_the_worst_of_its_series():
    at = berlin("2026-11-24")
    assert run_history.outcome([]) == "unfinished"
    assert run_history.outcome([ran(at, of=2)]) == "unfinished"
    assert run_history.outcome([ran(at, series="a", of=2), ran(at, "warnings", "b", of=2)]) == "warnings"
    assert run_history.outcome([ran(at, "failed", "a", of=2), ran(at, series="b", of=2)]) == "failed"


def test_failing_since_is_the_first_failure_after_the_last_good_one():
    days = [("20", "ok"), ("21", "failed"), ("22", "failed"), ("23", "failed")]
    runs = [ran(berlin(f"2026-11-{day}"), status) for day, status in days][::-1]
    assert run_history.failing_since(runs) == berlin("2026-11-21")
    assert run_history.failing_since(runs[3:]) is None
    assert run_history.failing_since([]) is None


def record(out, run_id, **fields):
    folder = out / "good" / run_id
    folder.mkdir(parents=True)
    content = {"status": "ok", "started_at": "2026-11-24T05:00:00.000Z", "error": None} | fields
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")


def test_records_are_read_and_others_left_out(tmp_path):
    at = "2026-11-24T04:30:00Z"
    record(tmp_path, "20261124T043001000Z-aa", scheduled={"job": "daily", "at": at, "of": 4})
    record(tmp_path, "20261124T043002000Z-bb")  # of before, or made by hand
    record(tmp_path, "20261124T043003000Z-cc", scheduled=None)
    record(tmp_path, "20261124T043004000Z-dd", scheduled={"job": "daily", "at": "yesterday"})
    record(tmp_path, "20261124T043005000Z-ee", scheduled={"job": "daily", "at": "2026-11-24T04:30:00"})
    record(tmp_path, "20261124T043006000Z-ff", scheduled=["daily"])
    record(tmp_path, ".20261124T043007000Z-ff", scheduled={"job": "daily", "at": at, "of": 4})
    (tmp_path / "good" / "20261124T043004000Z-dd" / "run.json").write_text("{", encoding="utf-8")
    book = run_history.RunHistory(tmp_path)
    (found,) = book.read()["daily"]
    assert (found.at, found.of, found.series) == (datetime(2026, 11, 24, 4, 30, tzinfo=UTC), 4, "good")
    later = {"job": "daily", "at": "2026-11-24T05:30:00Z"}
    record(tmp_path, "20261124T053001000Z-aa", scheduled=later, status="failed", error={"message": "no"})
    newest, older = book.read()["daily"]
    assert (newest.failed, newest.message, newest.of, older) == (True, "no", 1, found)
    assert run_history.RunHistory(tmp_path / "none").read() == {}
    assert run_history.utc(found.at.astimezone(BERLIN)) == at
