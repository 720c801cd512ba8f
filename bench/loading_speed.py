"""How long checking and loading take and how much memory they need, against pandas reading the same files unchecked.

    python bench/loading_speed.py [SHARE]      of 1 million subscriptions and 5 million usage rows

Runs in turn, each in a process of its own: ``cs.load`` (everything typed, checked and cut), and
``pandas.read_parquet`` or ``pandas.read_csv`` alone. Imports are not counted on either side. Memory is the peak
resident set of the process.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

RUNS = 3
ACCOUNTS, SUBSCRIPTIONS, USAGE = 200_000, 1_000_000, 5_000_000
SETTINGS = "version: 1\ncurrency: EUR\nobserved_from: 2022-01-01\ndata_through: 2024-12-31\n"
BARS = {"parquet": 2.0, "csv": 1.0}  # times the peer's seconds, each under LARGEST megabytes
LARGEST = 1500


def make(folder: Path, share: float) -> None:
    """The export as Parquet and as CSV: five back-to-back periods an account, usage inside them."""
    draw = np.random.default_rng(1)
    accounts, events = round(ACCOUNTS * share), round(USAGE * share)
    each = SUBSCRIPTIONS // ACCOUNTS
    ids = np.array([f"A-{number:07d}" for number in range(accounts)])
    first = np.datetime64("2022-01-01") + draw.integers(0, 300, accounts)
    owner, place = np.repeat(np.arange(accounts), each), np.tile(np.arange(each), accounts)
    starts = (first[owner] + place * 180).astype("datetime64[s]")
    ends = pd.Series(starts + np.timedelta64(180 * 86_400, "s"))
    running = (place == each - 1) & (draw.random(len(owner)) < 0.7)
    user = draw.integers(0, accounts, events)
    moments = first[user].astype("datetime64[s]") + draw.integers(0, 700 * 86_400, events).astype("timedelta64[s]")
    tables = {
        "accounts": pd.DataFrame(
            {
                "account_id": ids,
                "name": [f"Company {n}" for n in range(accounts)],
                "segment": draw.choice(["S", "M"], accounts),
            }
        ),
        "subscriptions": pd.DataFrame(
            {
                "subscription_id": [f"S-{number:08d}" for number in range(len(owner))],
                "account_id": ids[owner],
                "start_date": starts,
                "end_date": ends.mask(running),
                "mrr": np.round(draw.lognormal(6, 1, len(owner)), 2),
                "plan": draw.choice(["Basic", "Pro"], len(owner)),
                "seats": draw.integers(1, 500, len(owner)),
            }
        ),
        "usage": pd.DataFrame(
            {
                "account_id": ids[user],
                "occurred_at": moments,
                "user_id": np.char.add("u", (user * 10 + draw.integers(0, 10, events)).astype(str)),
                "feature": draw.choice(["login", "export", "api", "share"], events),
                "quantity": draw.integers(1, 20, events),
            }
        ),
    }
    for kind in ("parquet", "csv"):
        (folder / kind).mkdir()
        (folder / kind / "mapping.yml").write_text(SETTINGS)
        for name, frame in tables.items():
            path = folder / kind / f"{name}.{kind}"
            frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)


def once(who: str, kind: str, folder: Path) -> None:
    """One run in this process; prints seconds, CPU seconds and megabytes as JSON."""
    if who == "ours":
        import duckdb  # noqa: F401
        import pyarrow

        from cs_helpers.data.tables import load
    elif kind == "parquet":
        import pyarrow.parquet  # noqa: F401
    began, cpu = time.perf_counter(), time.process_time()
    if who == "ours":
        kept: object = load(folder / kind)
    else:
        read = pd.read_parquet if kind == "parquet" else pd.read_csv
        kept = [read(path) for path in sorted((folder / kind).glob(f"*.{kind}"))]
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    # Not getrusage: its peak is inherited from the process that made the files.
    high = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    peak = int(high.split()[1]) / 1000
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": cpu, "megabytes": peak, "kept": kept is not None}))


def section(share: float = 1.0) -> str:
    """The measurements as a section of docs/benchmarks.md."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, share)
        for kind in ("parquet", "csv"):
            found: dict[str, list[dict[str, float]]] = {"ours": [], "pandas": []}
            for _ in range(RUNS):
                for who, runs in found.items():
                    words = [sys.executable, __file__, "--once", who, kind, str(folder)]
                    done = subprocess.run(words, capture_output=True, text=True, check=True)
                    runs.append(json.loads(done.stdout))
            ratio = statistics.median(a["seconds"] / b["seconds"] for a, b in zip(*found.values(), strict=True))
            ours, peer = (
                {key: statistics.median(run[key] for run in runs) for key in ("seconds", "cpu", "megabytes")}
                for runs in found.values()
            )
            rows.append(
                f"| check and load from {kind} | {ours['seconds']:.2f} s, {ours['cpu']:.1f} s CPU, "
                f"{ours['megabytes']:.0f} MB "
                f"| `pandas.read_{kind}`: {peer['seconds']:.2f} s, {peer['cpu']:.1f} s CPU, {peer['megabytes']:.0f} MB "
                f"| {ratio:.1f}x | within {BARS[kind]:g}x: {'met' if ratio <= BARS[kind] else 'missed'}; "
                f"under {LARGEST:,} MB: {'met' if ours['megabytes'] < LARGEST else 'missed'} |"
            )
    counts = [f"{round(n * share):,}" for n in (SUBSCRIPTIONS, USAGE, ACCOUNTS)]
    size = f"{counts[0]} subscriptions, {counts[1]} usage rows, {counts[2]} accounts"
    return "\n".join(
        [
            "## Checking and loading an export",
            "",
            f"{size}: `cs.load` with every check, against pandas",
            f"reading the files without any. The ratio is the median of {RUNS} pairs, below 1 where we are faster.",
            "",
            "| what | cs-helpers | peer in the same run | takes | our bar |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


if __name__ == "__main__":
    if "--once" in sys.argv:
        once(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        sys.stdout.write(section(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0) + "\n")
