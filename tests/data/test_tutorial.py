"""docs/tutorial.md is followed to the letter: its commands, its edits, and what it says comes out."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"


@dataclass(frozen=True)
class Step:
    """A fenced block: its language, what stands behind it, its text."""

    kind: str
    about: str
    text: str

    @property
    def file(self):
        return self.about.partition("file=")[2]


def steps():
    found = re.findall(r"^```(\w+)(?: +([^\n]*))?\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.M | re.S)
    return [Step(*each) for each in found]


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def said(line, output):
    """Whether the output holds the line, whatever stands at its dots and however wide its columns are."""
    parts = [re.escape(squeezed(part).strip()) for part in line.split("...")]
    return re.search(".*?".join(parts), output) is not None


def edit(path, text):
    """Replaces each line that begins as a minus line says by the plus line after it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = re.findall(r"^-(.*)\n\+(.*)$", text, re.M)
    assert 2 * len(pairs) == len(text.splitlines())
    for old, new in pairs:
        (place,) = [number for number, line in enumerate(lines) if line.startswith(old)]
        lines[place] = new
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def follow(folder, with_runs):
    """Does what the tutorial says, step by step, in a project's folder; returns the commands it ran."""
    for name in ("docs", "notebooks", "data"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "reports").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "400"}
    output, ran = "", []
    for step in steps():
        if step.kind == "bash" and ("run" not in step.about.split() or with_runs):
            wanted = int(step.about.partition("exit=")[2] or 0)
            output = ""
            for command in step.text.splitlines():
                done = subprocess.run(
                    ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
                )
                assert done.returncode == wanted, f"{command}\n{done.stdout}{done.stderr}"
                assert "Traceback" not in done.stderr
                output += squeezed(f"{done.stdout}\n{done.stderr} ")
                ran.append(command)
        elif step.kind == "bash":
            output = None
        elif step.kind == "diff":
            edit(folder / step.file, step.text)
        elif step.kind == "yaml":
            (folder / step.file).write_text(step.text, encoding="utf-8")
        elif output is not None:
            assert step.kind == "text"
            missing = [line for line in step.text.splitlines() if not said(line, output)]
            assert missing == [], output
    return ran


@pytest.mark.reports
def test_the_tutorial_works_up_to_the_report_and_from_the_schedule_on(tmp_path):
    ran = follow(tmp_path, with_runs=False)
    assert [command.split()[1] for command in ran[1:]] == ["map", "check", "check", "next", "check", "export"]


@pytest.mark.slow
def test_the_whole_tutorial_works_as_it_stands(tmp_path):
    ran = follow(tmp_path, with_runs=True)
    assert len([command for command in ran if command.startswith("cs-helpers run churn")]) == 2
    shared = (tmp_path / "reports/churn/audience=shared/latest.html").read_text(encoding="utf-8")
    names = (tmp_path / "exports/customers.csv").read_text(encoding="cp1252").splitlines()[1:]
    assert [line for line in names if line.split(";")[1] in shared] == []


def test_what_the_tutorial_points_to_is_there():
    targets = re.findall(r"\]\(([^)#]+)\)", TUTORIAL.read_text(encoding="utf-8"))
    assert len(targets) >= 3
    assert [target for target in targets if not (TUTORIAL.parent / target).exists()] == []


def test_a_line_that_does_not_come_out_would_be_noticed():
    output = squeezed("churn  ok   24.8 s  reports/churn/latest.html\n")
    assert said("churn ok ... reports/churn/latest.html", output)
    assert not said("churn failed ... reports/churn/latest.html", output)
