"""Every benchmark, written to docs/benchmarks.md with date, machine and versions: make bench.

python bench/all.py [--setup]      --setup also times `make reports` in a fresh clone
"""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import churn_report_speed
import effect_speed
import index_speed
import loading_speed
import machine_speed
import page_speed
import psutil
import report_speed
import reps_speed
import rollup_speed
import scenario_speed
import survival_speed

SECTIONS = (
    report_speed,
    machine_speed,
    page_speed,
    index_speed,
    loading_speed,
    rollup_speed,
    survival_speed,
    churn_report_speed,
    effect_speed,
    scenario_speed,
    reps_speed,
)
PACKAGES = ("papermill", "nbconvert", "scikit-learn", "statsmodels", "pandas", "pyarrow", "duckdb", "matplotlib")


def main() -> None:
    """Run all and write the document; each section is printed as soon as it is there."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    parts = [
        f"""# Benchmarks

Measured {datetime.now(UTC):%Y-%m-%d} with `make bench` on {os.cpu_count()} cores, {platform.machine()},
{psutil.virtual_memory().total / 1e9:.0f} GB, {platform.system()}, Python {platform.python_version()}, {versions}.
"""
    ]
    for made in SECTIONS:
        parts.append(made.section() + "\n")
        sys.stdout.write(parts[-1] + "\n")
        sys.stdout.flush()
    path = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
    path.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
