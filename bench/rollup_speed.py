"""How long the trailing usage features take and how much memory they need, against raw DuckDB running the same text.

    python bench/rollup_speed.py [EVENTS]      10 million events unless told otherwise

Three runs each in turn, every run in a process of its own on the same file: through ``rollups.run``, dealt into
buckets of accounts under the package's memory limit, and the text by itself in a plain DuckDB connection, all accounts
at once. Reading the file is timed apart. Prints a table in Markdown; ``measurements`` gives the same as data.
Memory is the resident set, its peak while the features are made, with what was there before (the events) said beside.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

EVENTS, ACCOUNTS, MONTHS = 10_000_000, 20_000, 24
MEMORY_LIMIT = "1GB"
RUNS = 3
BOUND_RATIO, BOUND_GIGABYTES = 1.2, 2.2
WINDOW = {"first": "2024-04-01", "last": "2026-01-01"}

MAKE = f"""
COPY (
    SELECT
        'A-' || lpad(CAST(account AS VARCHAR), 6, '0') AS account_id,
        TIMESTAMP '2024-01-01' + to_seconds(CAST(floor(share * {MONTHS} * 30.4 * 86400) AS BIGINT)) AS occurred_at,
        'U-' || lpad(CAST(account AS VARCHAR), 6, '0') || '-' || CAST(floor(who * who * 20) AS BIGINT) AS user_id,
        CAST(NULL AS VARCHAR) AS feature,
        floor(much * 9) + 1 AS quantity,
        much * 45 AS minutes,
        CAST(NULL AS VARCHAR) AS subscription_id
    FROM (
        SELECT
            CAST(floor(pow(random(), 1.5) * {ACCOUNTS}) AS BIGINT) AS account,
            random() AS share, random() AS who, random() AS much
        FROM range(?)
    )
) TO '{{path}}' (FORMAT parquet)
"""


def make(path: Path, events: int) -> None:
    """A file of made-up usage: accounts of very different size, up to twenty users each, two years."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SELECT setseed(0.42)")
    connection.execute(MAKE.replace("{path}", str(path)), [events])


class Peak:
    """The largest resident set of this process while the block runs, in GB."""

    def __enter__(self) -> Peak:
        self.process, self.gigabytes, self._on = psutil.Process(), 0.0, True
        self.before = self.process.memory_info().rss / 1e9
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while self._on:
            self.gigabytes = max(self.gigabytes, self.process.memory_info().rss / 1e9)
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()


def through_the_package(path: Path) -> dict[str, float]:
    """``rollups.run`` on an engine under the memory limit."""
    from cs_helpers.data import rollups

    engine = rollups.engine_of(MEMORY_LIMIT)
    began = time.monotonic()
    engine.execute(f"CREATE OR REPLACE TABLE usage AS SELECT * FROM read_parquet('{path}')")
    engine.execute("CREATE OR REPLACE TABLE accounts AS SELECT DISTINCT account_id FROM usage")
    reading, before = time.monotonic() - began, cpu()
    with Peak() as peak:
        began = time.monotonic()
        rows = len(rollups.run(engine, "usage_features", **WINDOW))
        seconds = time.monotonic() - began
    return figures(seconds, before, reading, peak, rows)


def raw(path: Path) -> dict[str, float]:
    """The same text in a plain connection with DuckDB's own settings, one bucket, the result as pandas."""
    import duckdb

    from cs_helpers.data import rollups
    from cs_helpers.data.rollups.calendars import one_row

    connection = duckdb.connect()
    began = time.monotonic()
    connection.execute(f"CREATE TABLE usage AS SELECT * FROM read_parquet('{path}')")
    connection.execute("CREATE TABLE accounts AS SELECT DISTINCT account_id FROM usage")
    reading = time.monotonic() - began
    rollup = rollups.ROLLUPS["usage_features"]
    given = rollup.values({**WINDOW, "buckets": 1})
    assert rollup.calendar is not None

    class Rows:
        def rows(self, sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

    for name, table in rollup.calendar(Rows(), given).items():  # type: ignore[arg-type]
        connection.register(name, table)
    connection.register("parameters", one_row(given))
    before = cpu()
    with Peak() as peak:
        began = time.monotonic()
        connection.execute(f"CREATE TEMP TABLE account_buckets AS {rollups.text('account_buckets')}")
        rows = len(connection.sql(rollups.text("usage_features")).df())
        seconds = time.monotonic() - began
    return figures(seconds, before, reading, peak, rows)


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def figures(seconds: float, cpu_before: float, reading: float, peak: Peak, rows: int) -> dict[str, float]:
    return {
        "seconds": seconds,
        "cpu_seconds": cpu() - cpu_before,
        "reading_seconds": reading,
        "gigabytes_before": peak.before,
        "gigabytes": peak.gigabytes,
        "rows": rows,
    }


WAYS = {"through_the_package": through_the_package, "raw": raw}


def measurements(events: int = EVENTS) -> dict[str, dict[str, float]]:
    """Medians of the runs by way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "usage.parquet"
        make(path, events)
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(RUNS):
            for way, found in runs.items():
                command = [sys.executable, __file__, "--one", way, str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise SystemExit(f"{way} ended with {done.returncode}:\n{done.stderr[-2000:]}")
                found.append(json.loads(done.stdout))
    return {way: {k: statistics.median(run[k] for run in many) for k in many[0]} for way, many in runs.items()}


def table(found: dict[str, dict[str, float]], events: int) -> str:
    """The measurements as Markdown, with the bounds they are held to."""
    words = {
        "through_the_package": f"`rollups.run`, buckets of accounts, memory_limit {MEMORY_LIMIT}",
        "raw": "raw DuckDB, the same text, all accounts at once, no limit",
    }
    lines = [
        f"| trailing usage features of {events:,} events, {ACCOUNTS:,} accounts, {WINDOW['first']} to {WINDOW['last']} "
        "| seconds | CPU seconds | peak GB (before) | rows |",
        "|---|---|---|---|---|",
    ]
    for way, one in found.items():
        lines.append(
            f"| {words[way]} | {one['seconds']:.2f} | {one['cpu_seconds']:.2f} "
            f"| {one['gigabytes']:.2f} ({one['gigabytes_before']:.2f}) | {one['rows']:,.0f} |"
        )
    ours, theirs = found["through_the_package"], found["raw"]
    lines += [
        "",
        f"Ratio {ours['seconds'] / theirs['seconds']:.2f} (bound {BOUND_RATIO}), peak {ours['gigabytes']:.2f} GB "
        f"(bound {BOUND_GIGABYTES}). Medians of {RUNS} runs in turn; "
        f"reading the file took {ours['reading_seconds']:.1f} s.",
    ]
    return "\n".join(lines)


def section() -> str:
    """The measurements as a section of docs/benchmarks.md."""
    return f"## Trailing usage features\n\n{table(measurements(), EVENTS)}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(WAYS[sys.argv[2]](Path(sys.argv[3]))))
    else:
        size = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
        print(table(measurements(size), size))
