"""A relative date means one day, decided by the day on the wall where the schedule lives."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cs_helpers.publish import relative

NOW = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("last_complete_month", "2026-11-01"),
        ("last_complete_quarter", "2026-10-01"),
        ("last_complete_year", "2026-01-01"),
        ("last_complete_week", "2026-11-23"),
        ("today", "2026-11-24"),
        ("yesterday", "2026-11-23"),
    ],
)
def test_each_word_gives_the_first_day_that_does_not_count(word, day):
    assert relative.resolve(word, NOW) == day
    assert word in relative.WORDS


def test_every_word_is_tested_above():
    assert len(relative.WORDS) == 6


@pytest.mark.parametrize(
    ("now", "month", "quarter", "week"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01", "2026-01-01", "2025-12-29"),
        (datetime(2026, 3, 31, tzinfo=UTC), "2026-03-01", "2026-01-01", "2026-03-30"),
        (datetime(2026, 6, 1, tzinfo=UTC), "2026-06-01", "2026-04-01", "2026-06-01"),
        (datetime(2028, 2, 29, tzinfo=UTC), "2028-02-01", "2028-01-01", "2028-02-28"),
    ],
)
def test_the_first_and_last_days_of_a_period(now, month, quarter, week):
    found = [relative.resolve(f"last_complete_{what}", now) for what in ("month", "quarter", "week")]
    assert found == [month, quarter, week]


def test_the_zone_of_now_decides_the_day():
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert relative.resolve("last_complete_month", late) == "2026-11-01"
    assert relative.resolve("last_complete_month", late.astimezone(ZoneInfo("Europe/Berlin"))) == "2026-12-01"


@pytest.mark.parametrize("text", ["2026-11-01", "", "Today", "last_complete_day", "segment=SMB"])
def test_anything_else_is_no_relative_date(text):
    assert relative.resolve(text, NOW) is None


@pytest.mark.parametrize("text", ["2026-11-01", "", "yesterday"])
def test_what_as_of_takes_is_let_through(text):
    relative.check(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("last_complet_month", "is not a date. Did you mean 'last_complete_month'? Write YYYY-MM-DD or one of: last_"),
        ("01.11.2026", "'01.11.2026' is not a date. Write YYYY-MM-DD"),
        ("2026-13-01", "'2026-13-01' is not a date"),
    ],
)
def test_anything_else_is_refused_with_the_nearest_word(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        relative.check(text)
