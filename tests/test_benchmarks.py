"""The benchmarks keep up with the code: each can be imported, so `make bench` does not stop half-way."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"


@pytest.mark.reports
@pytest.mark.parametrize("script", sorted(path.stem for path in BENCH.glob("*.py")))
def test_a_benchmark_can_be_imported(script):
    ran = subprocess.run(
        [sys.executable, "-c", f"import {script}"], cwd=BENCH, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
