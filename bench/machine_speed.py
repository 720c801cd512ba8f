"""Twenty churn reports: our command, the commands people use today, and a bare forked script of the same cells.

    python bench/machine_speed.py

Every report is of one twentieth of the sample company's accounts, so all three do the same work twenty times. Once
each, one after the other; nothing is asserted. Then 300 reports of one fan-out, watched for growth, and the scheduler
at rest.
"""

from __future__ import annotations

import ast
import csv
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from report_speed import BIN, ROOT, Measured, measure

REPORTS = 20
FAN_OUT = 300
SMALL = """
from IPython.display import display
tile = {"key": "n", "name": "Characters", "value": len(where), "unit": "count"}
display({"application/vnd.cs-helpers.headline+json": {"headline": [tile]}, "text/html": "one"}, raw=True)
"""


def section() -> str:
    """The measurements as a section of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        source = in_parts(place / "source", REPORTS)
        out = shlex.quote(str(place))
        ours = f"cs-helpers run churn --source {source} --for-each part --out {out}/"
        one = measure(f"{ours}one --jobs 1", ROOT)
        two = measure(f"{ours}two --jobs 2", ROOT)
        cold = measure(f"{ours}cold --jobs 1 --cold", ROOT)
        peer = measure(" && ".join(commands_of_today(source, place, part) for part in range(REPORTS)), ROOT)
        bare = measure(f"{sys.executable} {shlex.quote(__file__)} --bare {source}", ROOT)
        grown = growth(place)
        rest = at_rest(place)
    rows = [
        row("papermill and nbconvert commands", peer, peer, bare, ""),
        row("`cs-helpers run --for-each`, one at a time", one, peer, bare, "3.5x; 1.3x the CPU of the bare script"),
        row("the same, `--jobs 2`", two, peer, bare, "6x"),
        row("the same, `--cold`", cold, peer, bare, ""),
        row("bare forked script of the same cells, no report", bare, peer, bare, ""),
    ]
    return f"""## {REPORTS} parameterised churn reports

One run each, one after the other on the same machine. Memory is the peak of the whole process tree, shared pages
counted in each process.

| way | seconds | faster than the commands | CPU against the bare script | memory | our bar |
|---|---|---|---|---|---|
{chr(10).join(rows)}

{grown}

{rest}"""


def row(name: str, taken: Measured, peer: Measured, bare: Measured, bar: str) -> str:
    return (
        f"| {name} | {taken.seconds:.1f} ({taken.cpu_seconds:.1f} CPU) | {peer.seconds / taken.seconds:.1f}x | "
        f"{taken.cpu_seconds / bare.cpu_seconds:.2f}x | {taken.megabytes:.0f} MB | {bar} |"
    )


def in_parts(to: Path, parts: int) -> Path:
    """The sample company with one more attribute of its accounts that splits them evenly."""
    shutil.copytree(ROOT / "data" / "sample", to)
    with (to / "accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with (to / "accounts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [[*each, "part" if not place else f"p{place % parts:03}"] for place, each in enumerate(rows)]
        )
    return to


def commands_of_today(source: Path, place: Path, part: int) -> str:
    made = place / f"today{part}.ipynb"
    return (
        f"papermill --no-progress-bar notebooks/churn.ipynb {made} -p source {source} -p where part=p{part:03} && "
        f"jupyter nbconvert --to html --no-input {made} --output-dir {place}"
    )


def bare_script(source: str) -> None:
    """Imports once, then a fork for each report that runs its cells and shows what each of them ends with."""
    from cs_helpers.publish import kernel

    kernel._prepare()
    cells = json.loads((ROOT / "notebooks" / "churn.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for part in range(REPORTS):
        if os.fork() == 0:
            run_cells(code, {"source": source, "where": f"part=p{part:03}"})
            os._exit(0)
        os.wait()


def run_cells(code: list[str], parameters: dict[str, str]) -> None:
    names: dict[str, object] = {"display": str}
    for place, source in enumerate(code):
        *body, last = ast.parse(source).body or [ast.Pass()]
        rest = [*body] if isinstance(last, ast.Expr) else [*body, last]
        exec(compile(ast.Module(rest, []), "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            getattr(value, "_repr_mimebundle_", getattr(value, "_repr_html_", lambda: None))()
        if not place:
            names |= parameters


def growth(place: Path) -> str:
    """The processes' memory (private pages) in the first and the last tenth of one large fan-out."""
    source = in_parts(place / "many", FAN_OUT)
    content = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Small\n\nHow many?"},
            {"cell_type": "code", "id": "b", "metadata": {"tags": ["parameters"]}, "outputs": [],
             "execution_count": None, "source": 'source = "."\nwhere = ""'},
            {"cell_type": "markdown", "id": "c", "metadata": {}, "source": "## Summary"},
            {"cell_type": "code", "id": "d", "metadata": {}, "outputs": [], "execution_count": None, "source": SMALL},
        ],
    }  # fmt: skip
    (place / "small.ipynb").write_text(json.dumps(content), encoding="utf-8")
    words = [BIN / "cs-helpers", "run", place / "small.ipynb", "--source", source, "--for-each", "part", "--out"]
    began = time.monotonic()
    running = psutil.Popen([*map(str, words), str(place / "grown")], cwd=ROOT, stderr=subprocess.DEVNULL, stdout=-3)
    samples: list[tuple[int, float]] = []
    while running.poll() is None:
        done = len(list((place / "grown").glob("small/*/latest.html")))
        try:
            lasting = [running, *running.children()]  # the command, the server and the worker; kernels come and go
            samples.append((done, sum(each.memory_full_info().uss for each in lasting) / 1e6))
        except psutil.Error:
            pass
        time.sleep(0.5)
    took = time.monotonic() - began
    early = max(used for done, used in samples if FAN_OUT * 0.1 <= done <= FAN_OUT * 0.2)
    late = max(used for done, used in samples if done >= FAN_OUT * 0.9)
    return (
        f"{FAN_OUT} small reports of one fan-out: {took:.0f} s; command, server and worker together hold {early:.0f} "
        f"MB of their own after a tenth and {late:.0f} MB at the end."
    )


def at_rest(place: Path) -> str:
    """Resident memory of ``cs-helpers start`` with nothing to do."""
    words = [str(BIN / "cs-helpers"), "start", "--out", str(place / "rest")]
    running = psutil.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(8)
    used = sum(each.memory_info().rss for each in [running, *running.children(recursive=True)]) / 1e6
    running.terminate()
    running.wait(60)
    return f"The scheduler at rest (`cs-helpers start`): {used:.0f} MB resident (our bar: 120 MB)."


if __name__ == "__main__":
    if "--bare" in sys.argv:
        bare_script(sys.argv[-1])
    else:
        sys.stdout.write(section() + "\n")
