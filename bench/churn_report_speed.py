"""How long the churn report of a large company takes and how much memory it needs, and where both go.

    python bench/churn_report_speed.py            three runs of the command, then the notebook step by step
    python bench/churn_report_speed.py --steps    only the steps

The company has 50,000 accounts over 36 months, some 4.5 million rows of usage: ten sample companies of other seeds side
by side, their ids told apart. It is made once (some minutes) and kept in the folder ``.bench`` of the project.
The command runs in processes of its own; its memory is the largest sum of the resident sets of them all. The steps are
the notebook's statements, run in one process in their order; each with the resident set after it and the largest one
during it.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
import shlex
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import report_speed
import survival_speed

from cs_helpers.data import sample
from cs_helpers.data.sample.parameters import EDITION, END_DAY
from cs_helpers.data.sample.world import World, mapping_text

ACCOUNTS, MONTHS, SEED = 50_000, 36, 1
PART = 5_000
RUNS = 3
BOUND_SECONDS, BOUND_GIGABYTES = 60, 2
ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "churn.ipynb"

IDS = ("account_id", "subscription_id", "user_id", "ticket_id", "rep_id", "manager_id", "candidate_id")
OF_THE_COMPANY = ("costs", "work_plan", "goals", "touchpoints")  # not one row more for more accounts


def company(accounts: int = ACCOUNTS) -> Path:
    """The folder with the large company; made if it is not there."""
    folder = survival_speed.cache() / f"company-{EDITION}-{accounts}-{MONTHS}-{SEED}"
    if not folder.exists():
        began = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            make(began, accounts)
            began.rename(folder)
        finally:
            shutil.rmtree(began, ignore_errors=True)  # nothing is left of a company half made
    return folder


def make(folder: Path, accounts: int) -> None:
    """Every part with its own seed, as if companies of the same kind had merged."""
    parts = [(SEED + n, min(PART, accounts - n * PART)) for n in range(-(-accounts // PART))]
    (folder / "mapping.yml").write_text(
        mapping_text(sample.COMPANY, World(months=MONTHS).first_day, END_DAY), encoding="utf-8"
    )
    with ProcessPoolExecutor() as workers, contextlib.ExitStack() as files:
        out = {name: files.enter_context((folder / f"{name}.csv").open("wb")) for name in sample.COLUMNS}
        for name, columns in sample.COLUMNS.items():
            out[name].write((",".join(columns.split()) + "\n").encode())
        for texts in workers.map(part, *zip(*parts, strict=True)):
            for name, text in texts.items():
                out[name].write(text)


def part(seed: int, accounts: int) -> dict[str, bytes]:
    """The rows of one sample company, with ids that no other has."""
    texts = {}
    for name, rows in sample.company(accounts, MONTHS, seed).items():
        if name in OF_THE_COMPANY and seed != SEED:
            continue
        columns = sample.COLUMNS[name].split()
        ids = [column for column in IDS if column in columns]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            marked = {column: f"{seed:02d}{row[column]}" for column in ids if row.get(column)}
            writer.writerow([marked.get(column) or row.get(column, "") for column in columns])
        texts[name] = text.getvalue().encode()
    return texts


def measurements(accounts: int = ACCOUNTS) -> dict[str, Any]:
    """Medians of the command's runs, and the steps of the notebook."""
    folder = company(accounts)
    with tempfile.TemporaryDirectory() as out:
        command = f"cs-helpers run churn --source {shlex.quote(str(folder))} --out {shlex.quote(out)}"
        runs = [report_speed.measure(command, ROOT) for _ in range(RUNS)]
    return {
        "seconds": statistics.median(run.seconds for run in runs),
        "cpu_seconds": statistics.median(run.cpu_seconds for run in runs),
        "gigabytes": statistics.median(run.megabytes for run in runs) / 1e3,
        "usage": rows_of(folder / "usage.csv"),
        "steps": steps(folder),
    }


def rows_of(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1


def steps(folder: Path) -> list[dict[str, Any]]:
    """Seconds and memory of every statement of the notebook."""
    command = [sys.executable, __file__, "--one", str(folder)]
    return list(json.loads(survival_speed.run(command)))


def step_by_step(folder: Path) -> list[dict[str, Any]]:
    """The same in this process, which imports the package as a notebook does: in its first statement."""
    names: dict[str, Any] = {"__name__": "__main__"}
    process, found = psutil.Process(), []
    for tree in statements(str(folder)):
        survival_speed.forget_largest()
        began, cpu = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(tree, str(NOTEBOOK), "exec"), names)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        found.append(
            {
                "step": " ".join(ast.unparse(tree).split()),
                "seconds": seconds,
                "cpu_seconds": cpu,
                "gigabytes": process.memory_info().rss / 1e9,
                "peak": survival_speed.largest(),
            }
        )
    return found


def statements(source: str) -> list[ast.Module]:
    """The code of the notebook as single statements, with the parameter ``source`` set."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    found = []
    for cell in code:
        found += ast.parse("".join(cell["source"])).body
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            found += ast.parse(f"source = {source!r}").body
    return [ast.Module([statement], []) for statement in found]


def steps_table(found: list[dict[str, Any]]) -> str:
    """The steps that take at least a hundredth of the time, and the rest as one."""
    seconds, cpu = (sum(one[what] for one in found) for what in ("seconds", "cpu_seconds"))
    slow = [one for one in found if one["seconds"] >= seconds / 100]
    lines = ["| step of the notebook | seconds | CPU seconds | GB after it | peak GB |", "|---|---|---|---|---|"]
    for one in slow:
        said = one["step"] if len(one["step"]) <= 100 else one["step"][:97] + "..."
        lines.append(
            f"| `{said}` | {one['seconds']:.2f} | {one['cpu_seconds']:.2f} "
            f"| {one['gigabytes']:.2f} | {one['peak']:.2f} |"
        )
    rest, rest_cpu = (seconds - sum(one["seconds"] for one in slow), cpu - sum(one["cpu_seconds"] for one in slow))
    peak = max(one["peak"] for one in found)
    lines.append(f"| the other {len(found) - len(slow)} steps | {rest:.2f} | {rest_cpu:.2f} | | |")
    lines.append(f"| all | {seconds:.2f} | {cpu:.2f} | {found[-1]['gigabytes']:.2f} | {peak:.2f} |")
    return "\n".join(lines)


def section() -> str:
    """The measurements as a section of docs/benchmarks.md."""
    found = measurements()
    return f"""## The churn report of a large company

{ACCOUNTS:,} accounts over {MONTHS} months, {found["usage"]:,} rows of usage.

| command | seconds | CPU seconds | peak GB of the process tree | our bar |
|---|---|---|---|---|
| `cs-helpers run churn` | {found["seconds"]:.1f} | {found["cpu_seconds"]:.1f} | {found["gigabytes"]:.2f} \
| under {BOUND_SECONDS} s and {BOUND_GIGABYTES} GB |

Medians of {RUNS} runs. Where time and memory go, in one process without report:

{steps_table(found["steps"])}"""


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(step_by_step(Path(sys.argv[2]))))
    elif "--steps" in sys.argv:
        print(steps_table(steps(company())))
    else:
        print(section())
