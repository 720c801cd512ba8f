"""Kernels and workers that are stopped at any moment: nothing of it is printed, and nothing half-done is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_notebooks import notebook

pytestmark = [
    pytest.mark.reports,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to interrupt with"),
]

SEED = 20261130
CELLS = ("import time\ntime.sleep(0.2)", "time.sleep(0.2)", "time.sleep(0.2)")


def worker() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cs_helpers.publish.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def order(path: Path, out: Path, *, warm: bool = False) -> str:
    asked = {"notebook": str(path), "values": {}, "out": str(out), "part": "", "about": {}, "timeout_s": None}
    return json.dumps(asked | {"memory": None, "warm": warm, "debug": False}) + "\n"


def unfinished(out: Path) -> list[str]:
    """Folders of runs that were neither published nor kept."""
    return [path.name for path in out.glob(".small-*")]


def test_workers_that_lose_their_input_end_without_a_word():
    """Many at once, so that the machine is busy and the signal meets each of them somewhere else."""
    said = []
    for _ in range(3):
        started = [worker() for _ in range(12)]
        for each in started:
            each.stdin.close()
        said += [each.stderr.read() for each in started]
        assert {each.wait(30) for each in started} <= {0, 130}
    assert [text for text in said if text] == []


def test_a_worker_stopped_at_any_moment_of_a_run_says_nothing_and_leaves_nothing(tmp_path):
    path, out, chance = notebook(tmp_path / "small.ipynb", *CELLS), tmp_path / "out", random.Random(SEED)
    began = time.monotonic()
    one = worker()
    one.stdin.write(order(path, out))
    one.stdin.flush()
    while '"done"' not in one.stdout.readline():
        pass
    lasts = time.monotonic() - began
    one.stdin.close()
    assert (one.stderr.read(), one.wait(30) in (0, 130)) == ("", True)
    for _ in range(24):
        one = worker()
        one.stdin.write(order(path, out))
        one.stdin.flush()
        time.sleep(chance.uniform(0.2, 1.1) * lasts)
        one.stdin.close()
        assert one.stderr.read() == ""
        one.wait(30)
        assert unfinished(out) == []


# A library that loses the interrupt: the run goes on until the worker's time to clean up has passed.
LOSES_THE_INTERRUPT = """
import time
from cs_helpers.publish import run, worker
def execute(*args, **kwargs):
    for _ in range(10):
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
run.execute, worker._GRACE_S = execute, 0.5
worker.main()
"""


def test_a_worker_that_cannot_be_interrupted_leaves_no_unfinished_files(tmp_path):
    path, out = notebook(tmp_path / "small.ipynb", *CELLS), tmp_path / "out"
    one = subprocess.Popen(
        [sys.executable, "-c", LOSES_THE_INTERRUPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    one.stdin.write(order(path, out))
    one.stdin.flush()
    assert '"began"' in one.stdout.readline()
    until = time.monotonic() + 20
    while not unfinished(out) and time.monotonic() < until:
        time.sleep(0.01)
    assert unfinished(out) != []
    one.stdin.close()
    assert (one.wait(30), unfinished(out)) == (130, [])


# An interrupt between the making of a coroutine and its first step, and a log record of it.
HALF_DONE = """
import logging, time
from cs_helpers.publish import run, worker
async def never_awaited():
    pass
def execute(*args, **kwargs):
    pending = never_awaited()
    try:
        time.sleep(60)
    finally:
        del pending
        logging.getLogger("asyncio").error("Task was destroyed but it is pending!")
run.execute = execute
worker.main()
"""


def test_what_an_interrupted_library_complains_about_is_not_printed(tmp_path):
    path, out = notebook(tmp_path / "small.ipynb", *CELLS), tmp_path / "out"
    words, pipe = [sys.executable, "-c", HALF_DONE], subprocess.PIPE
    one = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    one.stdin.write(order(path, out))
    one.stdin.flush()
    assert '"began"' in one.stdout.readline()
    time.sleep(0.5)
    one.stdin.close()
    assert (one.stderr.read(), one.wait(30), unfinished(out)) == ("", 130, [])


# A busy machine: a second passes between the signal that interrupts a kernel and the one that ends it.
SLOW = """
import asyncio, signal, sys
from pathlib import Path
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from cs_helpers.publish import kernel
from cs_helpers.publish.execute import Limits, execute
send = LocalProvisioner.send_signal
async def slowly(self, number):
    await send(self, number)
    if number == signal.SIGINT:
        await asyncio.sleep(1)
LocalProvisioner.send_signal = slowly
def stop(number, of):
    if number == int(sys.argv[2]):
        raise KeyboardInterrupt
try:
    execute(Path(sys.argv[1]), {}, stop, {}, Limits(), warm=sys.argv[3] == "warm")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("cell", [2, 4, 0], ids=["in its first cell", "between cells", "after its last cell"])
def test_a_kernel_that_is_ended_is_not_interrupted_first(tmp_path, warm, cell):
    """What it prints when it is interrupted would stand on the terminal of somebody whose reports are all well."""
    from contextlib import nullcontext

    from cs_helpers.publish import kernel

    path = notebook(tmp_path / "small.ipynb", "import atexit, time\natexit.register(time.sleep, 2)", *CELLS, said=False)
    with kernel.warm() if warm else nullcontext() as address:
        ran = subprocess.run(
            [sys.executable, "-c", SLOW, str(path), str(cell), "warm" if warm else "cold"],
            env=os.environ | ({kernel.ADDRESS_VARIABLE: address} if address else {}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("stopped\n" if cell else "", "", 0)


IMPORTING = """
import asyncio, signal, sys, tempfile
from pathlib import Path
from cs_helpers.publish.execute import Limits, _kernel_manager_class, _Watch
async def main(moment):
    with tempfile.TemporaryDirectory() as folder:
        manager = _kernel_manager_class({}, Path(folder), _Watch(Limits()), warm=False)()
        await manager.start_kernel()
        await asyncio.sleep(moment)
        await manager.shutdown_kernel(now=True)
for moment in range(20):
    asyncio.run(main(moment * 0.05))
"""


def test_a_kernel_that_is_ended_while_it_imports_says_nothing(tmp_path):
    script = SLOW.partition("def stop")[0] + IMPORTING
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.stderr, ran.returncode) == ("", 0)


def test_a_kernel_whose_connection_file_was_removed_says_nothing_and_opens_no_port(tmp_path):
    """Its run was stopped while it was started: ipykernel alone would make the folder again and listen on ports."""
    gone = tmp_path / "gone" / "kernel.json"
    words = [sys.executable, "-P", "-m", "cs_helpers.publish.kernel_main", "-f", str(gone)]
    there = {**os.environ, "JPY_PARENT_PID": str(os.getpid())}
    ran = subprocess.run(words, env=there, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 1)
    assert not gone.parent.exists()


@pytest.mark.parametrize("kernels", ["--cold", "--jobs=2"])
def test_ctrl_c_at_any_moment_prints_one_line_and_leaves_nothing_half_done(tmp_path, kernels):
    """Ctrl-C goes to every process of the terminal's group, as it does here."""
    names = [str(notebook(tmp_path / f"small{n}.ipynb", *CELLS)) for n in range(2)]
    words = [sys.executable, "-m", "cs_helpers", "run", *names, "--out", "out", kernels]
    chance, stopped = random.Random(SEED), 0
    for _ in range(14):
        running = subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        said = [running.stderr.readline()]
        assert "started" in said[0], said[0] + running.stderr.read()
        time.sleep(chance.uniform(0, 3))
        os.killpg(running.pid, signal.SIGINT)
        said += running.stderr.read().splitlines(keepends=True)
        code = running.wait(30)
        stopped += code == 130
        text = "".join(said)
        assert "Traceback" not in text
        assert "KeyboardInterrupt" not in text
        assert "ignored" not in text
        assert ("Stopped." in text) == (code == 130)
        assert list((tmp_path / "out").glob(".small*")) == []
    assert stopped > 3
