"""What several test files share: the reports that a user's own commands make, published once per worker."""

import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# No property fails because the machine is busy.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")

ROOT = Path(__file__).resolve().parents[1]
# Who runs the tests in the background of a script has Ctrl-C switched off, and so would every process they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

GALLERY = ROOT / "tests" / "notebooks_for_tests" / "gallery.ipynb"


def run(*words, out):
    """One ``cs-helpers run``, as a user would type it."""
    command = [sys.executable, "-m", "cs_helpers", "run", *map(str, words), "--out", str(out)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The folder with the churn report of the sample company."""
    out = tmp_path_factory.mktemp("reports")
    run("churn", out=out)
    return out


@pytest.fixture(scope="session")
def pages(published):
    """The same folder with data_check (its second run) and the gallery as well, for the browser."""
    run("data_check", "--as-of", "2026-06-01", out=published)
    run("data_check", GALLERY, out=published)
    return published


@pytest.fixture(scope="module")
def browser():
    """One Chromium for a file of tests. No longer: meanwhile no other event loop can run in this process."""
    from browser import started

    with started() as running:
        yield running
