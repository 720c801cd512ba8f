"""Locks that die with their owner, and the log that several processes write at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest
from run_records import read_log

from cs_helpers.core.errors import ParameterError
from cs_helpers.publish import limits, locks, log

HOLD = """
import sys, time
from pathlib import Path
from cs_helpers.publish import locks
with locks.hold(Path(sys.argv[1]), "churn/segment=smb") as held:
    print(held, flush=True)
    time.sleep(60)
"""


def holder(out):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    return process


def test_a_lock_is_one_processs_alone_and_dies_with_it(tmp_path):
    owner = holder(tmp_path)
    with locks.hold(tmp_path, "churn/segment=smb") as held:
        assert held is False
    with locks.hold(tmp_path, "churn") as other:
        assert other is True
    owner.kill()
    owner.wait()
    with locks.hold(tmp_path, "churn/segment=smb") as held:
        assert held is True


def test_who_waits_gets_the_lock_when_its_owner_ends(tmp_path):
    owner = holder(tmp_path)
    threading.Timer(0.5, owner.kill).start()
    began = time.monotonic()
    with locks.hold(tmp_path, "churn/segment=smb", wait=20) as held:
        assert held is True
    assert 0.3 < time.monotonic() - began < 15
    owner.wait()


def test_two_threads_exclude_each_other_too(tmp_path):
    with locks.hold(tmp_path, "index") as first, locks.hold(tmp_path, "index") as second:
        assert (first, second) == (True, False)


def test_where_no_lock_can_be_written_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="no lock can be created there"), locks.hold(tmp_path / "file", "x"):
        pass


WRITE = """
import sys
from pathlib import Path
from cs_helpers.publish import log
for n in range(300):
    log.event(Path(sys.argv[1]), "counted", who=sys.argv[2], n=n, long="x" * 500)
"""


def test_lines_of_many_processes_do_not_mix(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), str(who)]) for who in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    events = read_log(tmp_path)
    assert len(events) == 1200
    for who in range(4):
        assert [event["n"] for event in events if event["who"] == str(who)] == list(range(300))
    assert {event["event"] for event in events} == {"counted"}
    assert all(event["at"].endswith("Z") for event in events)


def test_the_log_holds_no_secret_and_no_path_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("PLANTED_TOKEN", "planted-0123456789")
    monkeypatch.chdir(tmp_path)
    log.event(tmp_path, "failed", message=f"planted-0123456789 in {tmp_path}/data")
    text = next((tmp_path / ".logs").iterdir()).read_text()
    assert "planted-0123456789" not in text
    assert str(tmp_path) not in text
    assert "[value of PLANTED_TOKEN] in data" in text


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    log.event(tmp_path / "file", "two")
    assert (tmp_path / "file").read_text() == ""


def test_lines_go_to_stderr_where_that_is_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CS_HELPERS_LOG", "stderr")
    log.event(tmp_path, "told", run_id="r1")
    assert json.loads(capsys.readouterr().err)["run_id"] == "r1"
    assert not (tmp_path / ".logs").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("45s", 45), ("30m", 1800), ("1.5h", 5400), (" 2 D ", 172_800)]
)
def test_lengths_of_time_as_people_write_them(text, seconds):
    assert limits.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5m", "5 minutes", "m", "1e3"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match="not a duration"):
        limits.seconds(text)


@pytest.mark.parametrize(("text", "size"), [("800MB", 800_000_000), ("4gb", 4_000_000_000), ("1.5 GiB", 1_610_612_736)])
def test_amounts_of_memory_as_people_write_them(text, size):
    assert limits.bytes_of(text) == size


@pytest.mark.parametrize(("text", "words"), [("4", "not an amount"), ("GB", "not an amount"), ("5MB", "too little")])
def test_what_is_no_amount_of_memory_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        limits.bytes_of(text)


def test_what_runs_at_once_shares_three_quarters_of_the_memory():
    alone, four = limits.fair_memory(1), limits.fair_memory(4)
    assert four == alone // 4 or abs(four - alone / 4) < 2
    assert 100_000_000 < alone < 10**13
