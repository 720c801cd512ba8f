"""Published files are whole at every instant: for a reader in a loop, and whatever moment a run is killed at."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.connect import write_connection_file
from small_notebooks import notebook

pytestmark = pytest.mark.reports

KILLS = 50
SEED = 20261124


def whole(page: str) -> bool:
    return page.lower().startswith("<!doctype html>") and page.rstrip().endswith("</html>")


def wrong(out: Path) -> list[str]:
    """What a reader could stumble over: torn files, records that do not parse, links that lead nowhere."""
    found = []
    for page in out.rglob("*.html"):
        hidden = any(part.startswith(".") for part in page.relative_to(out).parts)
        if not hidden and not whole(page.read_text(encoding="utf-8")):
            found.append(f"{page} is torn")
    for record in out.glob("[!.]*/[!.]*/run.json"):
        status = json.loads(record.read_text(encoding="utf-8"))["status"]
        if (status != "failed") != (record.parent / "report.html").is_file():
            found.append(f"{record}: {status}, but its report says otherwise")
    for series in out.glob("[!.]*"):
        latest = series / "latest.html"
        reports = [each.read_bytes() for each in series.glob("[!.]*/report.html")] if series.is_dir() else []
        if latest.exists() and latest.read_bytes() not in reports:
            found.append(f"{latest} is no run's report")
    return found + dead_links(out)


def dead_links(out: Path) -> list[str]:
    index = out / "index.html"
    if not index.exists():
        return []
    links = re.findall(r'href="([^"#]+)"', index.read_text(encoding="utf-8"))
    return [f"index.html leads to {link}, which is not there" for link in links if not (out / link).exists()]


class Reader(threading.Thread):
    """Reads the pages and follows the index's links, over and over."""

    def __init__(self, out: Path):
        super().__init__(daemon=True)
        self.out, self.wrong, self.rounds, self.ended = out, [], 0, threading.Event()

    def run(self):
        while not self.ended.is_set():
            for page in (self.out / "index.html", self.out / "small" / "latest.html"):
                if page.exists() and not whole(page.read_text(encoding="utf-8")):
                    self.wrong.append(f"{page} was torn")
            self.wrong += dead_links(self.out)
            self.rounds += 1
            time.sleep(0.002)

    def stop(self):
        self.ended.set()
        self.join()
        return self.wrong


def command(tmp_path, *more):
    small = notebook(tmp_path / "small.ipynb", "1")
    return [sys.executable, "-m", "cs_helpers", "run", str(small), *more, "--out", "out", "--json"]


def test_a_reader_in_a_loop_never_meets_half_a_report(tmp_path):
    words = command(tmp_path, *(str(notebook(tmp_path / f"other{n}.ipynb", "1")) for n in range(4)), "--jobs", "2")
    reader = Reader(tmp_path / "out")
    reader.start()
    for _ in range(2):
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    assert reader.stop() == []
    assert reader.rounds > 100
    assert wrong(tmp_path / "out") == []


def test_a_run_killed_at_any_moment_leaves_all_files_whole_and_the_next_run_right(tmp_path):
    words, out, chance = command(tmp_path), tmp_path / "out", random.Random(SEED)
    began = time.monotonic()
    first = json.loads(subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)[0]
    lasts = time.monotonic() - began
    reader, published = Reader(out), set()
    reader.start()
    for number in range(KILLS):
        running = psutil.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 1.1 * lasts))
        family = []
        if running.is_running():
            try:
                family = running.children(recursive=True)
                # Whoever is killed, alone or together with all others: the operating system may choose any.
                for each in chance.choice([[running], family[:1] or [running], [running, *family]]):
                    each.kill()
            except psutil.Error:
                pass  # it was over
        running.wait(60)
        assert psutil.wait_procs(family, timeout=20)[1] == []
        assert wrong(out) == [], f"after kill {number}"
        published |= {path.parent.name for path in out.glob("small/[!.]*/report.html")}
    assert reader.stop() == []
    # Moments before, while and after a report is published were among them.
    assert 2 < len(published) < KILLS
    last = json.loads(subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)[0]
    assert last["headline"] == first["headline"]
    assert last["run_id"] in (out / "small" / "latest.html").read_text(encoding="utf-8")
    assert last["run_id"] in (out / "index.html").read_text(encoding="utf-8")
    assert wrong(out) == []


@pytest.mark.skipif(sys.platform != "linux", reason="orphans can be handed to a chosen process on Linux only")
def test_a_kernel_whose_owner_dies_while_it_imports_does_not_stay(tmp_path):
    """Its owner is gone before it can look after it, and who inherits it is not the first process of the machine."""
    write_connection_file(str(tmp_path / "kernel.json"), transport="ipc", ip=str(tmp_path / "socket"))
    heir = (
        "import ctypes, os, subprocess, sys, time\n"
        "assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER\n"
        "owner = 'import os, subprocess, sys; there = {**os.environ, \"JPY_PARENT_PID\": str(os.getpid())};'\n"
        "owner += 'print(subprocess.Popen(sys.argv[1:], env=there, stdout=2).pid)'\n"
        "cold = [sys.executable, '-P', '-m', 'cs_helpers.publish.kernel_main', '-f', 'kernel.json']\n"
        "made = subprocess.run([sys.executable, '-c', owner, *cold], check=True, stdout=subprocess.PIPE)\n"
        "pid, last = int(made.stdout), time.monotonic() + 15\n"
        "while os.waitpid(pid, os.WNOHANG)[0] == 0:\n"
        "    if time.monotonic() > last:\n"
        "        os.kill(pid, 9)\n"
        "        sys.exit('it stayed')\n"
        "    time.sleep(0.1)\n"
    )
    ran = subprocess.run([sys.executable, "-c", heir], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_latest_report_that_a_killed_run_left_behind_is_brought_up_to_date(tmp_path):
    """Killed between the two renames: the run is there, latest.html still is the one before."""
    words, out = command(tmp_path), tmp_path / "out"
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    before = (out / "small" / "latest.html").read_text(encoding="utf-8")
    second = json.loads(subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)[0]
    (out / "small" / "latest.html").write_text(before, encoding="utf-8")
    failing = notebook(tmp_path / "small.ipynb", "1 / 0")
    assert failing.exists()
    ran = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True)
    assert ran.returncode == 1
    assert second["run_id"] in (out / "small" / "latest.html").read_text(encoding="utf-8")
