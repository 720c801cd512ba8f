"""A desk with a schedule and tiny notebooks, and the commands of a user on it as real processes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

HELD = """\
import pathlib, time

with pathlib.Path("began").open("a") as began:
    began.write(f"{where}\\n")
while wait and not pathlib.Path(wait).exists():
    time.sleep(0.05)"""


def notebook(path, *cells):
    """A notebook with a parameters cell and these further code cells."""
    sources = ['source = "."  # where the data is\nwhere = ""\nwait = ""  # a file to wait for', *cells]
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# A tiny report\n\nDoes it run?"},
            *(
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {"tags": [] if number else ["parameters"]},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for number, source in enumerate(sources)
            ),
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def lay(folder, text, age=180):
    """The desk: notebooks tiny (waits for a file), fails; the schedule, written ``age`` seconds ago; a board."""
    for name in ("notebooks", "reports", "board"):
        (folder / name).mkdir()
    notebook(folder / "notebooks" / "tiny.ipynb", HELD)
    notebook(folder / "notebooks" / "fails.ipynb", 'raise RuntimeError("no luck")')
    write(folder, text, age)


def write(folder, text, age=180):
    """A schedule saved ``age`` seconds ago; put in place whole, so that no reader sees it with another time."""
    path = folder / "reports" / "schedule.yml"
    beside = path.with_name("schedule.yml.new")
    beside.write_text(text, encoding="utf-8")
    then = time.time() - age
    os.utime(beside, (then, then))
    beside.replace(path)


def begin(folder, *words):
    """A command as a process that goes on."""
    command = [sys.executable, "-m", "cs_helpers", *map(str, words)]
    return subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def call(folder, *words):
    """A command that is waited for: its exit code, what it said, and what it said on standard error."""
    process = begin(folder, *words)
    said, wrong = process.communicate()
    assert "Traceback" not in wrong, wrong
    return process.returncode, said, wrong


def until(condition, seconds=60):
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def records(folder):
    """The run records, the oldest first."""
    found = (folder / "reports").glob("[!.]*/**/run.json")
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(found, key=lambda path: path.parent.name)]


def status(folder):
    return json.loads((folder / "reports" / "status.json").read_text(encoding="utf-8"))


def events(folder, what):
    """The lines of the log about one kind of event."""
    files = sorted((folder / "reports" / ".logs").glob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["event"] == what]
