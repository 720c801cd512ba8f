"""How fast and lean a Kaplan-Meier curve with its intervals is on many spells, and whether it equals lifelines'.

    python bench/survival_speed.py [SPELLS]      5 million spells unless told otherwise

Five runs each in turn, every run in a process of its own on the same arrays of whole months: the rows counted and the
curve drawn from the counts; the curve from the counts alone, as a report has them; lifelines on the rows. Only the fit
is timed, not imports nor reading the arrays. Memory is the largest resident set during the fit, with and without what
was there before it (libraries and arrays). Survival and both limits are compared at every age at which a
spell ended. Prints a table in Markdown; ``measurements`` gives the same as data.

lifelines needs a pandas before 3 and lives in an environment of its own, made once from ``lifelines.lock`` in the
folder ``.bench`` of the project. New versions into the lock:

    printf 'lifelines\\npandas<3\\npsutil\\nsetuptools\\n' | uv pip compile - --universal --python-version 3.11 \\
        --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links -o bench/lifelines.lock
"""

from __future__ import annotations

import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

SPELLS, SEED = 5_000_000, 7
RUNS = 5
LONGEST, LATE, LAST_ENTRY = 120, 0.3, 60
BOUND_FASTER, BOUND_LEANER, BOUND_DIFFERENCE = 5, 4, 1e-10
ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".bench"
LOCK = ROOT / "bench" / "lifelines.lock"

Curve = dict[str, np.ndarray]


def make(folder: Path, spells: int) -> None:
    """Whole months until the end or the last sight of made-up spells, of which three in ten came late."""
    random = np.random.default_rng(SEED)
    entry = np.where(random.random(spells) < LATE, random.integers(1, LAST_ENTRY + 1, spells), 0)
    lives = entry + random.geometric(0.015, spells)  # a hazard without memory: how long one lives on after any age
    seen = entry + 1 + np.floor(random.random(spells) * (LONGEST - entry)).astype(int)
    np.save(folder / "stop.npy", np.minimum(lives, seen).astype(float))
    np.save(folder / "ended.npy", lives <= seen)
    np.save(folder / "entry.npy", entry.astype(float))


def read(folder: Path) -> list[np.ndarray]:
    return [np.load(folder / f"{name}.npy") for name in ("stop", "ended", "entry")]


def from_rows(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Curve]]:
    """The rows counted, then the curve."""
    from cs_helpers.churn.kaplan_meier import counts_of, curve_of_counts

    rows = read(folder)
    return lambda: curve_of_counts(counts_of(*rows)), ours


def from_counts(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Curve]]:
    """The curve of what is counted already."""
    import pandas as pd

    from cs_helpers.churn.kaplan_meier import curve_of_counts

    counts = pd.read_pickle(folder / "counts.pickle")
    return lambda: curve_of_counts(counts), ours


def lifelines(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Curve]]:
    """The same curve by lifelines."""
    from lifelines import KaplanMeierFitter

    stop, ended, entry = read(folder)
    return lambda: KaplanMeierFitter().fit(stop, ended, entry=entry), theirs


def ours(curve: Any) -> Curve:
    steps = curve.table[curve.table["events"] > 0]
    return {"age": steps.index.to_numpy()} | {name: steps[name].to_numpy() for name in ("survival", "low", "high")}


def theirs(curve: Any) -> Curve:
    ages = curve.event_table.index[curve.event_table["observed"] > 0]
    low, high = curve.confidence_interval_.loc[ages].to_numpy().T
    return {"age": ages.to_numpy(), "survival": curve.survival_function_.loc[ages].iloc[:, 0], "low": low, "high": high}


WAYS = {"from_rows": from_rows, "from_counts": from_counts, "lifelines": lifelines}


def one(way: str, folder: Path) -> dict[str, float]:
    """One fit in this process; its curve is left in ``folder``."""
    fit, steps = WAYS[way](folder)
    forget_largest()
    before = psutil.Process().memory_info().rss / 1e9
    cpu = time.process_time()
    began = time.perf_counter()
    curve = fit()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = max(before, largest())  # a mark the system keeps, so that no moment between two looks is missed
    np.savez(folder / f"{way}.npz", **steps(curve))  # type: ignore[arg-type]
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "gigabytes_before": before,
        "gigabytes": peak,
        "gigabytes_above": peak - before,
    }


def forget_largest() -> None:
    """Makes the system's mark begin anew. Where it cannot, what reading and imports needed for a moment counts too."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5", encoding="ascii")


def largest() -> float:
    """The largest resident set of this process, in GB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's getrusage begins with what the parent had
        mark = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(mark.split()[1]) * 1024 / 1e9
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept / 1e9 if sys.platform == "darwin" else kept * 1024 / 1e9


def environment() -> Path:
    """The Python that has lifelines; its environment is made anew when the lock has changed."""
    home, mark = CACHE / "lifelines", CACHE / "lifelines" / "lock.sha256"
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    locked = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text(encoding="utf-8") != locked:
        cache()
        uv = [str(Path(sys.executable).parent / "uv")]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
        # One package is published as source only: what builds it is locked as well.
        sync = ["pip", "sync", "--quiet", "--require-hashes", "--build-constraints", str(LOCK), str(LOCK)]
        subprocess.run([*uv, *sync, "--python", str(python)], check=True)
        mark.write_text(locked, encoding="utf-8")
    return python


def cache() -> Path:
    """The folder for what benchmarks make once; git does not look into it."""
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n", encoding="utf-8")
    return CACHE


def measurements(spells: int = SPELLS) -> dict[str, dict[str, float]]:
    """Medians of the runs by way; under ``difference`` the largest one to lifelines, by what was compared."""
    pythons = {"from_rows": sys.executable, "from_counts": sys.executable, "lifelines": str(environment())}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, spells)
        counts = count(folder)
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(RUNS):
            for way, measured in runs.items():
                measured.append(json.loads(run([pythons[way], __file__, "--one", way, name])))
        found = {way: {k: statistics.median(r[k] for r in many) for k in many[0]} for way, many in runs.items()}
        found["difference"] = differences(folder)
    found["from_counts"]["rows"] = counts
    return found


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def count(folder: Path) -> int:
    """What ``from_counts`` begins with; returns the number of rows."""
    from cs_helpers.churn.kaplan_meier import counts_of

    counts = counts_of(*read(folder))
    counts.to_pickle(folder / "counts.pickle")
    return len(counts)


def differences(folder: Path) -> dict[str, float]:
    """The largest difference between our curves and that of lifelines, which must have the same ages."""
    curves = {}
    for way in WAYS:
        with np.load(folder / f"{way}.npz") as file:
            curves[way] = dict(file)
    peer = curves.pop("lifelines")
    for way, curve in curves.items():
        if not np.array_equal(curve["age"], peer["age"]):
            raise SystemExit(f"{way} and lifelines saw spells end at different ages.")
    names = ("survival", "low", "high")
    found = {name: max(float(np.abs(c[name] - peer[name]).max()) for c in curves.values()) for name in names}
    return found | {"ages": len(peer["age"])}


def table(found: dict[str, dict[str, float]], spells: int) -> str:
    """The measurements as Markdown, with the bounds they are held to."""
    rows, counts, peer, apart = (found[k] for k in ("from_rows", "from_counts", "lifelines", "difference"))
    words = {
        "from_rows": "rows counted and curve, `counts_of` and `curve_of_counts`",
        "from_counts": f"the curve from {counts['rows']:,} counts alone, `curve_of_counts`",
        "lifelines": f"lifelines {locked_version()}, `KaplanMeierFitter.fit(stop, ended, entry=entry)`",
    }
    lines = [
        f"| {spells:,} spells of whole months up to {LONGEST}, {LATE:.0%} entering late "
        "| seconds | CPU seconds | GB above libraries and arrays | peak GB |",
        "|---|---|---|---|---|",
    ]
    for way, said in words.items():
        one = found[way]
        lines.append(
            f"| {said} | {one['seconds']:.3f} | {one['cpu_seconds']:.3f} "
            f"| {one['gigabytes_above']:.3f} | {one['gigabytes']:.2f} |"
        )
    above = max(rows["gigabytes_above"], 0.001)  # a curve may need no more than the process already had
    lines += [
        "",
        f"From the rows {peer['seconds'] / rows['seconds']:.0f}x faster (bound {BOUND_FASTER}x) and above the arrays "
        f"{peer['gigabytes_above'] / above:.0f}x leaner (bound {BOUND_LEANER}x; in total "
        f"{peer['gigabytes'] / rows['gigabytes']:.1f}x) than lifelines; from the counts "
        f"{peer['seconds'] / counts['seconds']:,.0f}x faster. Largest difference at {apart['ages']:.0f} ages: survival "
        f"{apart['survival']:.1e}, lower limit {apart['low']:.1e}, upper limit {apart['high']:.1e} "
        f"(bound {BOUND_DIFFERENCE:.0e}). Medians of {RUNS} runs in turn.",
    ]
    return "\n".join(lines)


def locked_version() -> str:
    return next(
        line.split("==")[1].split()[0] for line in LOCK.read_text().splitlines() if line.startswith("lifelines")
    )


def section() -> str:
    """The measurements as a section of docs/benchmarks.md."""
    return f"## Survival curves\n\n{table(measurements(), SPELLS)}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], Path(sys.argv[3]))))
    else:
        size = int(sys.argv[1]) if len(sys.argv) > 1 else SPELLS
        print(table(measurements(size), size))
