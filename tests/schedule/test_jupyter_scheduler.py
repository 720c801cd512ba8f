"""Jobs of jupyter-scheduler's dialog, sent to a real server: what they publish, and that a failure is no success.

jupyter-scheduler is not among the requirements: what it needs beyond them is installed beside them, once, from
``jupyter_scheduler.lock`` into the folder ``.bench`` of the project. New versions into the lock:

    printf 'croniter~=1.4\\nfsspec\\njupyter-scheduler\\npytz<=2024.2\\nsqlalchemy<3\\n' | uv pip compile - --no-deps \\
        --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \\
        --custom-compile-command "see tests/test_jupyter_scheduler.py" -o tests/jupyter_scheduler.lock
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "tests" / "notebooks_for_tests"
LOCK = ROOT / "tests" / "jupyter_scheduler.lock"
GUIDE = ROOT / "docs" / "jupyter-scheduler.md"
TOKEN = "for-this-test"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("jupyter-scheduler")]


@pytest.fixture(scope="module")
def beside():
    """A folder with jupyter-scheduler and what it needs beyond our requirements."""
    home = ROOT / ".bench" / f"jupyter-scheduler-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if not (home / ".ready").exists():
        options = "--quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --upgrade"
        command = [sys.executable, "-m", "pip", "install", *options.split(), "--target", str(home), "-r", str(LOCK)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"jupyter-scheduler cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
        (home / ".ready").touch()
    return home


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project's folder: notebooks, the sample company, reports."""
    here = tmp_path_factory.mktemp("project")
    (here / "notebooks").mkdir()
    (here / "data").symlink_to(ROOT / "data")
    for name in ("good", "fails", "our_error", "stops", "killed", "skips"):
        shutil.copy(NOTEBOOKS / f"{name}.ipynb", here / "notebooks")
    subprocess.run([sys.executable, "-m", "cs_helpers", "new", "upsell"], cwd=here, capture_output=True, check=True)
    return here


def settings_of_the_guide():
    """The name of the file that the guide has written, and what is written into it."""
    guide = GUIDE.read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```python\n(c\..*?)^```$", guide, re.M | re.S)
    return re.search(r"Put this into\s+`([\w.]+)`", guide)[1], lines


@pytest.fixture(scope="module")
def server(beside, project, tmp_path_factory):
    """A JupyterLab server with the extension, set as the guide says; a function that calls its API."""
    own = tmp_path_factory.mktemp("jupyter")
    env = {
        **os.environ,
        "PYTHONPATH": str(beside),
        "JUPYTER_CONFIG_PATH": str(beside / "etc" / "jupyter"),
        **{f"JUPYTER_{kind}_DIR": str(own / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")},
    }
    fixed = f"--no-browser --port=0 --allow-root --IdentityProvider.token={TOKEN} --ServerApp.disable_check_xsrf=True"
    command = [str(Path(sys.executable).parent / "jupyter-lab"), *fixed.split()]
    name, lines = settings_of_the_guide()
    (own / "config").mkdir()
    (own / "config" / name).write_text(lines, encoding="utf-8")
    log = own / "log"
    with log.open("w") as out:
        running = subprocess.Popen(command, cwd=project, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        at = address(log, running)

        def call(path, body=None):
            data = None if body is None else json.dumps(body).encode()
            asked = urllib.request.Request(f"{at}/{path}", data, {"Authorization": f"token {TOKEN}"})
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return json.load(answer)

        yield call
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def address(log, running, seconds=90):
    for _ in range(seconds * 5):
        if found := re.search(r"http://localhost:(\d+)/lab", log.read_text()):
            return f"http://localhost:{found[1]}"
        assert running.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def job(server):
    """Sends a job as the dialog does and waits for its end."""

    def send(name, **parameters):
        wanted = {
            "name": name,
            "input_uri": f"notebooks/{name}.ipynb",
            "runtime_environment_name": server("scheduler/runtime_environments")[0]["name"],
            "output_formats": ["html", "ipynb"],
            "parameters": parameters,
        }
        number = server("scheduler/jobs", wanted)["job_id"]
        for _ in range(600):
            seen = server(f"scheduler/jobs/{number}")
            if seen["status"] in ("COMPLETED", "FAILED"):  # STOPPED is also what one is called before it starts
                return seen
            time.sleep(0.2)
        raise AssertionError(seen)

    return send


def records(project, series):
    return [json.loads(path.read_text()) for path in sorted((project / "reports" / series).glob("*/run.json"))]


def test_a_job_publishes_the_report_that_the_command_would(job, project, server):
    done = job("good", count="3")
    assert (done["status"], done["status_message"]) == ("COMPLETED", None)
    (record,) = records(project, "good")
    assert (record["status"], record["parameters"]["count"]) == ("ok", 3)
    report = project / "reports" / "good" / "latest.html"
    assert report.read_bytes() == (project / "reports" / "good" / record["run_id"] / "report.html").read_bytes()
    assert (project / "reports" / "index.html").is_file()
    with suppress(ValueError):  # the answer is empty
        server(f"scheduler/jobs/{done['job_id']}/download_files")
    for _ in range(100):
        (offered,) = [f for f in server(f"scheduler/jobs/{done['job_id']}")["job_files"] if f["file_format"] == "html"]
        if offered["file_path"]:
            break
        time.sleep(0.2)
    assert (project / offered["file_path"]).read_bytes() == report.read_bytes(), "the dialog offers the very report"


def test_relative_paths_and_texts_with_or_without_quotes_mean_what_they_do_on_the_command_line(job, project):
    done = job("upsell", where='"segment=SMB"', audience="shared")
    assert (done["status"], done["status_message"]) == ("COMPLETED", None)
    (record,) = records(project, "upsell/audience=shared")
    assert (record["parameters"]["where"], record["audience"]) == ("segment=SMB", "shared")
    assert record["headline"], "data/sample was found"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", "fails.ipynb, cell 4, under 'Detail': KeyError"),
        ("our_error", "subscriptions.csv: no column 'mrr'.\n  Name it in the mapping."),
        ("stops", "the notebook stopped itself before its end"),
        ("killed", "killed, or memory ran out"),
        ("skips", "this cell did not run to its end"),  # the stock manager calls it completed
    ],
)
def test_a_notebook_that_did_not_reach_its_end_has_failed_and_says_why(job, project, name, said):
    done = job(name)
    assert done["status"] == "FAILED"
    assert said in done["status_message"]
    assert not (project / "reports" / name / "latest.html").exists()
    assert [record["status"] for record in records(project, name)] == ["failed"]


def test_a_mistyped_parameter_fails_before_anything_runs(job, project):
    before = len(records(project, "good"))
    done = job("good", cuont="3")
    assert done["status"] == "FAILED"
    assert "unknown parameter 'cuont'" in done["status_message"]
    assert "Did you mean 'count'?" in done["status_message"]
    assert len(records(project, "good")) == before
