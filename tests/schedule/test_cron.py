"""Five cron fields mean what every cron takes them to mean, and the next times are right across a change of clocks."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_helpers.schedule import cron

BERLIN = ZoneInfo("Europe/Berlin")


def coming(text, after, count=3, zone=BERLIN):
    return [f"{at:%a %Y-%m-%d %H:%M %z}" for at in islice(cron.times(text, zone, after), count)]


def test_mondays_at_six_keep_their_hour_when_the_clocks_change():
    assert coming("0 6 * * 1", datetime(2026, 10, 19, 12, tzinfo=BERLIN)) == [
        "Mon 2026-10-26 06:00 +0100",
        "Mon 2026-11-02 06:00 +0100",
        "Mon 2026-11-09 06:00 +0100",
    ]
    assert coming("0 6 * * 1", datetime(2026, 10, 18, 12, tzinfo=BERLIN), 1) == ["Mon 2026-10-19 06:00 +0200"]


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_sunday_has_all_its_spellings(sunday):
    assert coming(f"0 6 * * {sunday}", datetime(2026, 7, 1, tzinfo=UTC), 1) == ["Sun 2026-07-05 06:00 +0200"]


def test_a_time_left_out_in_spring_comes_an_hour_later_and_a_time_that_comes_twice_counts_once():
    assert coming("30 2 * * *", datetime(2027, 3, 27, 12, tzinfo=BERLIN), 2) == [
        "Sun 2027-03-28 03:30 +0200",
        "Mon 2027-03-29 02:30 +0200",
    ]
    assert coming("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=BERLIN), 2) == [
        "Sun 2026-10-25 02:30 +0200",
        "Mon 2026-10-26 02:30 +0100",
    ]


def test_no_instant_comes_twice_or_out_of_order_in_the_nights_when_the_clocks_change():
    for night in (datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2027, 3, 27, 21, tzinfo=UTC)):
        found = list(islice(cron.times("*/20 * * * *", BERLIN, night), 40))
        instants = [at.astimezone(UTC) for at in found]
        assert instants == sorted(set(instants))
        assert max(b - a for a, b in pairwise(instants)) <= timedelta(minutes=80)
    second_two = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=1)
    assert coming("30 2 * * *", second_two, 1) == ["Mon 2026-10-26 02:30 +0100"]


def test_the_time_itself_is_not_after_itself():
    six = datetime(2026, 7, 6, 6, tzinfo=BERLIN)
    assert coming("0 6 * * mon", six, 1) == ["Mon 2026-07-13 06:00 +0200"]
    assert coming("0 6 * * mon", six - timedelta(microseconds=1), 1) == ["Mon 2026-07-06 06:00 +0200"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0 6 * * mon", "0 6 * * 1"),
        ("0 6 * * mon-fri", "0 6 * * 1,2,3,4,5"),
        ("0 6 * * sat-sun", "0 6 * * 0,6"),
        ("*/15 8-18/2 1,15 jan,jul *", "*/15 8-18/2 1,15 1,7 *"),
        ("0 6 29 2 *", "0 6 29 2 *"),
    ],
)
def test_names_become_numbers_that_every_cron_reads(text, plain):
    assert cron.plain(text) == plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 6 * *", "has 4 fields instead of five"),
        ("61 6 * * *", "minute: '61' is not valid; write 0 to 59."),
        ("0 24 * * *", "hour: '24' is not valid; write 0 to 23."),
        ("0 6 0 * *", "day of the month: '0' is not valid"),
        ("0 6 * * mno", "Did you mean 'mon'?"),
        ("0 6 * jann *", "Did you mean 'jan'?"),
        ("0 6 * * fri-mon", "'fri-mon' runs backwards"),
        ("5/10 6 * * *", "write steps as */5"),
        ("*/0 6 * * *", "write steps as */5"),
        ("0 6 last * *", "day of the month: 'last' is not valid"),
        ("0 6 1 * mon", "cron would run on either"),
        ("0 6 31 2,4 *", "never occurs: no such month has a day 31"),
        ("@daily", "has 1 field instead of five"),
        ("0 6 * * mon#2", "day of the week: 'mon#2' is not valid"),
        ("0 6 * * 1,", "day of the week: '' is not valid"),
    ],
)
def test_what_two_crons_would_take_differently_or_none_would_is_refused(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        cron.numbers(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 6 * * mon", "Mondays at 06:00"),
        ("30 5 * * *", "every day at 05:30"),
        ("0 7 3 * *", "the 3rd of each month at 07:00"),
        ("0 6 1,15 jan,jul *", "the 1st and 15th of January and July at 06:00"),
        ("0 6 28-31 * *", "the 28th to 31st of each month at 06:00"),
        ("0 6 * 12 *", "every day in December at 06:00"),
        ("0 8 * * mon-fri", "Mondays to Fridays at 08:00"),
        ("0 8,13 * * sat-sun", "Saturdays and Sundays at 08:00 and 13:00"),
        ("0 6 * * 0,1,3", "Mondays, Wednesdays and Sundays at 06:00"),
        ("*/30 * * * *", "every 30 minutes"),
        ("5,35 * * * *", "every 30 minutes, the first at minute 5"),
        ("*/30 8-18 * * 1-5", "Mondays to Fridays every 30 minutes from 08:00 to 18:30"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour"),
        ("15 * * * 0", "Sundays every hour at minute 15"),
        ("5 */2 * * *", "every 2 hours from 00:05"),
        ("*/25 * * * *", "at minutes 0, 25 and 50 of every hour"),
        ("0-10 8,10 * * *", "every day at minutes 0 to 10 of the hours 8 and 10"),
    ],
)
def test_the_fields_in_words(text, words):
    assert cron.in_words(text) == words


@pytest.mark.parametrize("text", ["0 6 * *", "0 6 31 2 *"])
def test_what_is_refused_has_no_words(text):
    with pytest.raises(ValueError, match=r"field|never occurs"):
        cron.in_words(text)


def test_a_time_that_spring_moves_still_comes_for_whoever_asks_in_the_hour_it_is_moved_to():
    moved = datetime(2027, 3, 28, 1, 10, tzinfo=UTC).astimezone(BERLIN)  # 03:10, ten minutes after the gap
    assert coming("30 2 * * *", moved, 2) == ["Sun 2027-03-28 03:30 +0200", "Mon 2027-03-29 02:30 +0200"]


def test_the_latest_times_are_found_backwards_and_a_year_of_minutes_is_not_counted_through(monkeypatch):
    now, counted = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC), 0
    forwards = cron.times

    def counting(*given):
        nonlocal counted
        for at in forwards(*given):
            counted += 1
            yield at

    monkeypatch.setattr(cron, "times", counting)
    found = cron.latest("* * * * *", BERLIN, now - timedelta(days=365), now, 3)
    assert [f"{at:%H:%M}" for at in found] == ["12:58", "12:59", "13:00"]
    assert counted < 200


@given(st.sampled_from(["0 6 * * mon", "30 2 * * *", "*/20 1-3 * * *", "0 7 3 * *", "0 6 29 2 *"]),
       st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC)),
       st.integers(0, 120), st.integers(1, 4))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_latest_times_are_the_end_of_all_of_them(text, until, days, count):
    after = until - timedelta(days=days)
    every = []
    for at in cron.times(text, BERLIN, after):
        if at > until:
            break
        every.append(at)
    assert cron.latest(text, BERLIN, after, until, count) == every[-count:]


fields = st.tuples(
    st.sampled_from(["0", "*/20", "5,35", "10-30/10"]),
    st.sampled_from(["*", "6", "*/6", "8-18/5"]),
    st.sampled_from(["*", "1", "3,17"]),
    st.sampled_from(["*", "2", "jan-mar", "*/4"]),
    st.sampled_from(["*", "1-5", "0", "6-7", "tue"]),
).filter(lambda f: f[2] == "*" or f[4] == "*")
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(fields, instants)
@settings(max_examples=60, deadline=None)
def test_the_next_time_is_the_first_minute_that_all_fields_allow(parts, after):
    text = " ".join(parts)
    minute, hour, day, month, weekday = cron.numbers(text)

    def allowed(at):
        now = (at.minute, at.hour, at.day, at.month, (at.weekday() + 1) % 7)
        return all(not f or n in f for f, n in zip((minute, hour, day, month, weekday), now, strict=True))

    found = next(cron.times(text, ZoneInfo("UTC"), after))
    assert found > after and allowed(found) and found.second == 0
    at = (after + timedelta(minutes=1)).replace(second=0, microsecond=0)
    if found - at < timedelta(days=5):
        while at < found:
            assert not allowed(at), at
            at += timedelta(minutes=1)
