"""Notebooks that misbehave in every way we know: each is named clearly, and everything else comes out unharmed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from run_records import read_log
from small_notebooks import notebook

from cs_helpers.publish import batch

pytestmark = pytest.mark.reports

BAD = {
    "exits": ("import sys\nsys.exit()", "SystemExit", "the notebook stopped before its last cell"),
    "exits_with_0": ("import sys\nsys.exit(0)", "SystemExit", "the notebook stopped before its last cell"),
    "leaves_hard": ("import os\nos._exit(0)", "DeadKernelError", "killed, or memory ran out"),
    "killed": ("import os\nos.kill(os.getpid(), 9)", "DeadKernelError", "killed, or memory ran out"),
    "prints": (
        # With a pause, so that on a busy machine the pile of what nobody has read yet does not reach the memory limit.
        "import time\nfor _ in range(1000):\n    print('x' * 100_000)\n    time.sleep(.005)",
        "LimitReached",
        "showed more than 20 million characters",
    ),
    "allocates": (
        "import time\nheld = []\nwhile True:\n    held.append(bytearray(30_000_000))\n    time.sleep(.02)",
        "LimitReached",
        "the limit is 600 MB",
    ),
    "never_ends": ("import time\ntime.sleep(1000)", "LimitReached", "stopped after 12 s, the time limit"),
    "never_listens": (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "LimitReached",
        "stopped after 12 s, the time limit",
    ),
    "raises": ("1 / 0", "ZeroDivisionError", "division by zero"),
}  # fmt: skip
GOOD = {
    "good": "1",
    # Threads and processes that a notebook starts end with it.
    "threads": "import threading\nthreading.Thread(target=threading.Event().wait).start()",
    "starts": "import subprocess\nsubprocess.Popen(['sleep', '12345'])",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All of them in one go, two at a time, the good ones between the bad."""
    here = tmp_path_factory.mktemp("batch")
    before = Path.cwd()
    os.chdir(here)
    names = [*BAD, *GOOD]
    orders = [
        batch.Order(notebook(here / f"{name}.ipynb", BAD[name][0] if name in BAD else GOOD[name]), {})
        for name in sorted(names)
    ]
    events: list[batch.Event] = []
    settings = batch.Settings(Path("out"), jobs=2, timeout_s=12.0, memory=600_000_000, retries=0)
    results = batch.run_all(orders, settings, events.append)
    yield dict(zip(sorted(names), results, strict=True)), events
    os.chdir(before)


@pytest.mark.parametrize("name", BAD)
def test_a_notebook_that_misbehaves_is_named_with_its_cell_and_reason(runs, name):
    result = runs[0][name]
    _, kind, words = BAD[name]
    assert (result.record["status"], result.record["error"]["ename"], result.exit_code) == ("failed", kind, 1)
    assert result.record["error"]["cell"] == 4
    assert f"{name}.ipynb, cell 4, under 'Summary'" in result.message
    assert words in result.message


@pytest.mark.parametrize("name", GOOD)
def test_the_others_are_published_meanwhile(runs, name):
    assert runs[0][name].record["status"] == "ok"
    assert (Path("out") / name / "latest.html").is_file()


def test_nothing_is_left_running_and_nothing_half_written(runs):
    assert [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "12345"]] == []
    assert [child.cmdline() for child in psutil.Process().children(recursive=True) if "worker" in child.cmdline()] == []
    assert sorted(path.name for path in Path("out").glob(".*")) == [".locks", ".logs"]


def test_the_kept_notebook_of_a_flood_is_short(runs):
    record = runs[0]["prints"].record
    kept = Path("out") / record["series"] / record["run_id"] / "notebook.ipynb"
    assert kept.stat().st_size < 100_000
    assert "... (cut)" in kept.read_text()


def test_the_memory_a_report_took_is_in_its_record(runs):
    assert 500 < runs[0]["allocates"].record["peak_memory_mb"] < 1500
    assert 30 < runs[0]["threads"].record["peak_memory_mb"] < 500


def test_each_run_is_told_and_logged_with_its_id(runs):
    results, events = runs
    started = {event.fields["run_id"] for event in events if event.what == "started"}
    assert started == {result.record["run_id"] for result in results.values()}
    logged = read_log(Path("out"))
    for result in results.values():
        lines = [line["event"] for line in logged if line.get("run_id") == result.record["run_id"]]
        assert lines == ["run_started", "run_failed" if result.exit_code else "run_published"]


def test_the_index_shows_all_of_them(runs):
    page = Path("out/index.html").read_text()
    assert all(name in page for name in runs[0])


FLAKY = """
from pathlib import Path
tries = Path("tries"); tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
if len(tries.read_text()) < {times}: {how}
"""


def attempts(here, monkeypatch, how, times, retries):
    monkeypatch.chdir(here)
    monkeypatch.setattr(batch, "FIRST_PAUSE_S", 0.05)
    order = batch.Order(notebook(here / "flaky.ipynb", FLAKY.format(how=how, times=times)), {})
    events: list[batch.Event] = []
    result = batch.run_all([order], batch.Settings(Path("out"), retries=retries), events.append)[0]
    return result, [event for event in events if event.what == "retry"], len((here / "tries").read_text())


def test_what_may_pass_is_tried_again_and_the_record_says_which_attempt_it_was(tmp_path, monkeypatch):
    result, again, tries = attempts(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 9)", 3, 2)
    assert (result.record["status"], result.record["attempt"], tries) == ("ok", 3, 3)
    pauses = [event.fields["pause_s"] for event in again]
    assert len(pauses) == 2
    assert pauses[1] > pauses[0]
    records = [json.loads(path.read_text()) for path in sorted(Path("out/flaky").glob("*/run.json"))]
    assert [(record["status"], record["attempt"]) for record in records] == [("failed", 1), ("failed", 2), ("ok", 3)]


def test_it_is_not_tried_more_often_than_asked(tmp_path, monkeypatch):
    result, again, tries = attempts(tmp_path, monkeypatch, "raise ConnectionError('no answer')", 9, 1)
    assert (result.record["status"], tries, len(again)) == ("failed", 2, 1)


@pytest.mark.parametrize(
    "how", ["1 / 0", "import sys; sys.exit(0)", "from cs_helpers.core.errors import SourceError as E; raise E('no')"]
)
def test_what_cannot_pass_is_not_tried_again(tmp_path, monkeypatch, how):
    result, again, tries = attempts(tmp_path, monkeypatch, how, 9, 5)
    assert (result.record["status"], tries, again) == ("failed", 1, [])


def test_a_source_that_does_not_answer_may_pass(tmp_path, monkeypatch):
    how = "from cs_helpers.core.errors import SourceUnavailable as E; raise E('db: there is no answer.')"
    result, again, _ = attempts(tmp_path, monkeypatch, how, 2, 1)
    assert (result.record["status"], len(again)) == ("ok", 1)


def test_a_worker_that_is_killed_is_recorded_and_the_rest_goes_on(tmp_path, monkeypatch):
    """The process in which papermill runs, not the kernel: nobody is left to write the failure down."""
    monkeypatch.chdir(tmp_path)
    slow = notebook(tmp_path / "slow.ipynb", "import time\ntime.sleep(60)")
    good = notebook(tmp_path / "good.ipynb", "1")

    def kill(event):
        if event.what == "cell" and event.order.notebook == slow:
            for child in psutil.Process().children():
                with suppress(psutil.Error):  # one that has ended already
                    if "cs_helpers.publish.worker" in child.cmdline():
                        child.kill()

    settings = batch.Settings(Path("out"), retries=0)
    first, second = batch.run_all([batch.Order(slow, {}), batch.Order(good, {})], settings, kill)
    assert (first.record["error"]["ename"], first.exit_code) == ("DeadKernelError", 1)
    assert "the process of this run was killed" in first.message
    assert second.record["status"] == "ok"
    assert [path.name for path in Path("out").glob(".slow*")] == []
    assert json.loads((Path("out/slow") / first.record["run_id"] / "run.json").read_text()) == first.record


def test_a_process_that_hangs_with_its_notebook_is_killed_some_time_after_the_limit(tmp_path, monkeypatch):
    """Who watches the limit hangs as well, so that the command has to look at its own clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "_LATE_S", 1.0)
    stops = notebook(tmp_path / "stops.ipynb", "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)")
    good = notebook(tmp_path / "good.ipynb", "1")
    settings = batch.Settings(Path("out"), timeout_s=4.0, retries=0, warm=False)
    first, second = batch.run_all([batch.Order(stops, {}), batch.Order(good, {})], settings, lambda event: None)
    assert (first.record["status"], first.record["error"]["ename"]) == ("failed", "DeadKernelError")
    assert second.record["status"] == "ok"


def test_a_series_is_made_by_one_process_at_a_time(tmp_path):
    """Two commands, one series: the second waits and says so; both are published, in order."""
    slow = notebook(tmp_path / "slow.ipynb", "import time\nopen('begun', 'a').write('x')\ntime.sleep(3)")
    command = [sys.executable, "-m", "cs_helpers", "run", str(slow), "--out", "out", "--json"]
    one = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    two = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    first = json.loads(one.communicate()[0])[0]
    assert "slow: another run of this series is in progress; waiting for it to end" in two.stderr
    second = json.loads(two.stdout)[0]
    assert second["run_id"] > first["run_id"]
    began = [float(each["started_at"][17:23]) for each in (first, second)]
    assert (began[1] - began[0]) % 60 >= 3
    latest = (tmp_path / "out" / "slow" / "latest.html").read_text()
    assert second["run_id"] in latest


def test_ctrl_c_stops_all_that_is_running_and_keeps_what_was_finished(tmp_path):
    quick = notebook(tmp_path / "a_quick.ipynb", "1")
    slow = [
        notebook(tmp_path / f"slow{n}.ipynb", "open('begun', 'a').write('x')\nimport time\ntime.sleep(99)")
        for n in (1, 2)
    ]
    words = [sys.executable, "-m", "cs_helpers", "run", str(quick), *map(str, slow), "--jobs", "2", "--out", "out"]
    running = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    begun = tmp_path / "begun"
    while (not begun.exists() or len(begun.read_text()) < 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    family = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, "Stopped." in said, "Traceback" in said) == (130, True, False)
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".locks", ".logs", "a_quick", "index.html"]


def fill(file):
    with file.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(1000))


def test_a_full_disk_stops_a_report_and_nothing_else(tmp_path):
    """A file system of two megabytes of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        good = notebook(tmp_path / "good.ipynb", "1")
        command = [sys.executable, "-m", "cs_helpers", "run", str(good), "--out", str(disk / "out"), "--json"]
        first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        before = {path: path.read_bytes() for path in (disk / "out").rglob("*.html")}
        with pytest.raises(OSError, match="No space"):
            fill(disk / "filler")
        second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "could not be written: No space left on device" in second.stderr
        assert "the last good report is unchanged" in second.stderr
        assert "Traceback" not in second.stderr
        assert {path: path.read_bytes() for path in (disk / "out").rglob("*.html")} == before
        (disk / "filler").unlink()
        third = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)[0]
        assert json.loads(first.stdout)[0]["run_id"] < third["run_id"]
        assert third["run_id"] in (disk / "out" / "good" / "latest.html").read_text()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
