"""What several test files share: the sample company's churn report, published once per worker."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The folder with the churn report of the sample company, made by the command as a user would make it."""
    out = tmp_path_factory.mktemp("reports")
    command = [sys.executable, "-m", "cs_helpers", "run", "churn", "--out", str(out)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return out
