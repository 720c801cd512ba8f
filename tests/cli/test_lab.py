"""`make lab` opens a workspace: the notebooks, a tour and the schedule, as a user finds them on the first day."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from browser import PICTURES, needs_browser, started

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = ROOT / "docs" / "lab" / "cs-helpers.jupyterlab-workspace"
TOKEN = "for-this-test"


def opened_files(workspace):
    return [entry["data"]["path"] for entry in workspace["data"].values() if "path" in entry.get("data", {})]


def test_the_workspace_names_files_that_are_there():
    workspace = json.loads(WORKSPACE.read_text(encoding="utf-8"))
    files = opened_files(workspace)
    assert set(files) == {"notebooks/churn.ipynb", "docs/tour.md", "reports/schedule.yml"}
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_every_command_of_the_tour_exists():
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    called = set(re.findall(r"`cs-helpers ([a-z]+)", tour))
    asked = subprocess.run(
        [sys.executable, "-m", "cs_helpers", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(re.findall(r"^\s+([a-z]+)  ", asked.stdout, re.M))
    assert called >= {"run", "open", "map", "check", "next", "export", "new"}
    assert called - known == set()


@pytest.fixture
def lab(tmp_path):
    """The real server as `make lab` starts it, on a free port, without a browser; its address."""
    options = f"--no-browser --port=0 --IdentityProvider.token={TOKEN} --allow-root"
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")}
    command = ["make", "lab", f"LAB={options}"]
    log = tmp_path / "log"
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=env, start_new_session=True)
    try:
        yield address(log, server)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def address(log, server, seconds=90):
    for _ in range(seconds * 5):
        found = re.search(r"http://localhost:(\d+)/lab/workspaces/cs-helpers", log.read_text())
        if found:
            return f"http://localhost:{found[1]}"
        assert server.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.mark.slow
@needs_browser
def test_make_lab_opens_the_notebook_the_tour_and_the_schedule_side_by_side(lab):
    with urllib.request.urlopen(f"{lab}/lab/api/workspaces/cs-helpers?token={TOKEN}", timeout=20) as answer:
        assert len(opened_files(json.load(answer))) == 3
    with started() as browser:
        page = browser.new_page(viewport={"width": 1700, "height": 1000})
        page.goto(f"{lab}/lab/workspaces/cs-helpers?token={TOKEN}")
        page.get_by_role("heading", name="Churn and retention").wait_for(timeout=60_000)
        page.get_by_role("heading", name="A tour of the workspace").wait_for(timeout=30_000)
        page.get_by_role("tab", name="schedule.yml").wait_for(timeout=30_000)
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(1500)
        page.screenshot(path=PICTURES / "jupyterlab.png")
