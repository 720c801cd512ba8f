"""What the README promises holds: its Python runs, its commands and files exist, its picture is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_in_the_readme_runs_as_it_stands(monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 3
    names: dict = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert names["curve"].headline and names["figure"].axes


def test_every_file_the_readme_points_to_exists():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) >= 5
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_the_two_commands_and_the_picture_are_on_the_first_screen():
    first = README.splitlines()[:16]
    for wanted in ("make reports", "make test", "docs/images/churn-report.png"):
        assert any(wanted in line for line in first), wanted


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^\| `cs-helpers (\w+)", README, re.M))))
def test_every_command_of_the_readme_has_help(command):
    shown = subprocess.run(
        [sys.executable, "-m", "cs_helpers", command, "--help"], capture_output=True, text=True, check=True
    )
    assert "Usage" in shown.stdout
