"""Who may import whom: the contracts of import-linter, made from the registry of subjects, and their check.

python tests/import_rules.py        # prints import circles and broken contracts; exit 1 if there is one
"""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import grimp

RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cs_helpers.subjects import SUBJECTS  # noqa: E402 - the package of this checkout

OTHERS = [subject for subject in SUBJECTS if subject != "retention"]
WORDS = ("views", "charts")  # the modules of a subject that a reader sees; the front door is the package itself

LAYERS = [
    "cli",
    "schedule",
    "publish | show",
    "charts | " + " | ".join(OTHERS),
    "retention | data",
    "report",
    "core",
    "subjects",
]
"""The floors, from the top; rooms on one floor do not import each other."""

HOMES = {
    "pandera": ["data.contract.checks"],
    "pydantic": ["core.settings", "data.mapping.**", "schedule.schedule"],
    "yaml": ["core.settings", "data.mapping.**", "schedule.schedule"],
    "duckdb": ["data.engines.duckdb"],
    "psycopg": ["data.engines.postgres"],
    "openpyxl": ["data.sources.workbook"],
    "matplotlib": ["report.chart", "report.charts.**", "charts.**", "*.charts"],
    "seaborn": ["report.charts.**", "charts.**", "*.charts"],
    "papermill": ["publish.execute"],
    "nbconvert": ["publish.html"],
    "jinja2": ["publish.report_index"],
    "apscheduler": ["schedule.cron"],
    "jupyter_scheduler": ["schedule.jupyter_scheduler"],
    "jupyter_client": ["publish.provisioner", "publish.execute"],
    "fsspec": ["publish.store"],
    "filelock": ["publish.locks"],
    "typer": ["cli", "cli.**"],
    "rich": ["cli.terminal", "cli.progress"],
    "scipy": ["core.stats.**"],
    "statsmodels": [],
    "threadpoolctl": ["core.stats.threads"],
    "sklearn": ["churn.risk"],
    "ipywidgets": ["roi.what_if_widgets"],
}
"""Each heavy library and the modules that may import it."""

ANALYSIS = ["retention", *OTHERS, "core.stats", "core.periods", "core.estimates", "core.metrics"]
NOT_IN_ANALYSIS = [
    "os", "pathlib", "io", "time", "datetime", "random", "subprocess", "IPython", "papermill", "nbformat", "nbconvert",
    "pandera", "pydantic", "yaml", "duckdb", "psycopg", "pyarrow", "openpyxl", "cs_helpers.data.rollups",
    "cs_helpers.data.engines", "cs_helpers.data.sources", "cs_helpers.data.mapping", "cs_helpers.data.contract",
]  # fmt: skip

KNOWN_CIRCLES: set[frozenset[str]] = {frozenset({"cs_helpers.show.live", "cs_helpers.show.whatif"})}
"""Modules that still import each other. This set may only shrink."""


def contracts() -> configparser.ConfigParser:
    """The contracts as import-linter reads them."""
    made = configparser.ConfigParser()
    made["importlinter"] = {
        "root_package": "cs_helpers",
        "include_external_packages": "True",
        "exclude_type_checking_imports": "True",
    }

    def forbid(key: str, name: str, sources: list[str], forbidden: list[str], ignored: Sequence[str] = ()) -> None:
        made[f"importlinter:contract:{key}"] = {
            "name": name,
            "type": "forbidden",
            "source_modules": "\n" + "\n".join(sources),
            "forbidden_modules": "\n" + "\n".join(forbidden),
            "ignore_imports": "\n" + "\n".join(ignored),
            "allow_indirect_imports": "True",
            "unmatched_ignore_imports_alerting": "none",
        }

    made["importlinter:contract:floors"] = {
        "name": "Imports point one way, floor by floor",
        "type": "layers",
        "layers": "\n" + "\n".join(" | ".join(f"cs_helpers.{n}" for n in floor.split(" | ")) for floor in LAYERS),
        # Views and definitions are looked up by name, when a result is shown or a key is asked for.
    }
    forbid(
        "analysis",
        "Analysis opens no file, asks no clock, draws nothing and knows no database",
        [f"cs_helpers.{name}" for name in ANALYSIS],
        NOT_IN_ANALYSIS,
        ["cs_helpers.roi.what_if_widgets -> os"],  # asks whether the notebook is open in JupyterLab
    )
    forbid(
        "publish",
        "Publishing knows notebooks as files with parameters",
        ["cs_helpers.publish", "cs_helpers.schedule"],
        [
            "cs_helpers.data",
            "cs_helpers.report",
            *(f"cs_helpers.{s}" for s in SUBJECTS),
            "pandas",
            "numpy",
            "matplotlib",
        ],
    )
    for library, homes in HOMES.items():
        where = ", ".join(homes) or "nowhere"
        ignored = [f"cs_helpers.{home} -> {library}" for home in homes]
        forbid(library, f"{library} is imported in {where}", ["cs_helpers"], [library], ignored)
    return made


def check() -> subprocess.CompletedProcess[str]:
    """Runs import-linter on the contracts."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "contracts.ini"
        with config.open("w", encoding="utf-8") as file:
            contracts().write(file)
        return subprocess.run(
            [sys.executable, "-c", RUN, "--config", str(config), "--no-cache"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )


def circles(package: str = "cs_helpers") -> set[frozenset[str]]:
    """Groups of modules that import each other, also by imports inside functions; not those for type checkers alone."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    reached = {module: _reached(module, imported) for module in imported}
    return {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in imported
        if module in reached[module]
    }


def _reached(module: str, imported: Mapping[str, set[str]]) -> set[str]:
    """All modules that a module imports, directly or through others."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = imported[waiting.pop()] - found
        found |= new
        waiting += new
    return found


if __name__ == "__main__":
    if circles() - KNOWN_CIRCLES:
        sys.exit(f"Import circles: {[sorted(circle) for circle in circles() - KNOWN_CIRCLES]}")
    ran = check()
    print(ran.stdout[-6000:] if ran.returncode else ran.stdout.strip().splitlines()[-1], ran.stderr, sep="")
    sys.exit(ran.returncode)
