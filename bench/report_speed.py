"""How long the commands take and how much memory they need, against the commands people use today.

    python bench/report_speed.py             the commands, five runs each, in turn with their peer
    python bench/report_speed.py --setup     also `make reports` in a fresh clone, first and second time

Nothing here is asserted: machines differ, so ratios against the peer in the same run
are what to read. Memory is the largest sum of the resident sets of a command and all its children, sampled every
20 ms; shared pages count in each of them, so it errs upwards.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
RUNS = 5


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float
    megabytes: float


def measure(command: str, cwd: Path) -> Measured:
    """Wall clock, processor time of the whole tree, and its peak memory; the command must succeed."""
    before = os.times()
    began = time.monotonic()
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryFile() as said:
        process = psutil.Popen(["sh", "-c", command], cwd=cwd, env=env, stdout=said, stderr=said)
        peak = 0
        while process.poll() is None:
            try:
                tree = [process, *process.children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in tree if one.is_running()))
            except psutil.Error:
                pass  # a child ended between the two looks
            time.sleep(0.02)
        seconds = time.monotonic() - began
        if process.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{command} ended with {process.returncode}:\n{said.read().decode()[-2000:]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(seconds, cpu, peak / 1e6)


def in_turn(ours: str, peer: str, cwd: Path) -> tuple[list[Measured], list[Measured]]:
    """One uncounted run of each, then ours, peer, ours, peer, so that both see the same machine."""
    measure(ours, cwd), measure(peer, cwd)
    pairs = [(measure(ours, cwd), measure(peer, cwd)) for _ in range(RUNS)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def row(name: str, ours: list[Measured], peer_name: str, peer: list[Measured], bar: str) -> str:
    def middle(runs: list[Measured], what: str) -> float:
        return statistics.median(float(getattr(run, what)) for run in runs)

    spread = f"{min(r.seconds for r in ours):.2f} to {max(r.seconds for r in ours):.2f}"
    ratio = statistics.median(b.seconds / a.seconds for a, b in zip(ours, peer, strict=True))
    return (
        f"| {name} | {middle(ours, 'seconds'):.2f} s ({spread}), {middle(ours, 'cpu_seconds'):.1f} s CPU, "
        f"{middle(ours, 'megabytes'):.0f} MB | {peer_name}: {middle(peer, 'seconds'):.2f} s, "
        f"{middle(peer, 'cpu_seconds'):.1f} s CPU, {middle(peer, 'megabytes'):.0f} MB | {ratio:.1f}x | {bar} |"
    )


def fresh_clone() -> list[str]:
    """`make reports` in a new clone: the first time sets everything up from a warm package cache."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "cs-helpers"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        shutil.rmtree(clone / ".venv", ignore_errors=True)
        first, second = measure("make reports", clone), measure("make reports", clone)
    return [
        f"| `make reports`, first time (warm package cache) | {first.seconds:.1f} s | none | | under 90 s |",
        f"| `make reports`, second time | {second.seconds:.1f} s | none | | under 20 s |",
    ]


def section() -> str:
    """The measurements as a section of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        out = shlex.quote(folder)
        report = f"cs-helpers run churn --out {out}/reports"
        today = (
            f"papermill --no-progress-bar notebooks/churn.ipynb {out}/churn.ipynb && "
            f"jupyter nbconvert --to html --no-input {out}/churn.ipynb --output-dir {out}"
        )
        rows = [
            row("churn report of the sample company", *pair(report, today), "under 8 s and 600 MB"),
            row("`cs-helpers --help`", *pair("cs-helpers --help", "papermill --help"), "under 0.3 s"),
        ]
    if "--setup" in sys.argv:
        rows += fresh_clone()
    text = f"""## Commands

Medians of {RUNS} runs (least to most in brackets), each paired with one run of the peer; the ratio is the median of
the pairs, above 1 where we are faster. Memory is the peak of the whole process tree.

| command | cs-helpers | peer in the same run | faster | our bar |
|---|---|---|---|---|
"""
    return text + "\n".join(rows)


def pair(ours: str, peer: str) -> tuple[list[Measured], str, list[Measured]]:
    a, b = in_turn(ours, peer, ROOT)
    return a, "papermill and nbconvert commands" if "nbconvert" in peer else f"`{peer}`", b


if __name__ == "__main__":
    sys.stdout.write(section() + "\n")
