"""How fast reps are compared: against a Bayesian mixed model on 9,000 tickets, and a million tickets of 500 reps.

    python bench/reps_speed.py [TICKETS]

The peer is statsmodels' BinomialBayesMixedGLM on the same tickets with the same three factors and a random effect per
rep, fitted by variational Bayes; then with one per account as well, which is what the closed form allows for, too. One
thread. A million tickets are made in DuckDB, rolled up and compared on all measures, for reps and for managers, in a
process of their own. ``measurements`` gives the same as data.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from rep_teams import team

from cs_helpers import reps
from cs_helpers.core.stats import shrink, spread_of
from cs_helpers.data import rollups
from cs_helpers.reps import support
from cs_helpers.reps.casemix import code, fit, points_scale
from cs_helpers.reps.engine import compare_units, distances, noise_of

TEAMS, RUNS = (3000, 3001, 3002), 5
BOUND_FASTER, BOUND_TAU, BOUND_S, BOUND_GB = 50, 0.15, 20, 1.5


def closed_form(cases: Any) -> float:
    """Case mix, distances with their standard errors, spread and shrinkage; the spread in log odds."""
    coded = code(cases, "csat")
    fitted = fit(coded, "share")
    effect, se = distances(coded, fitted, noise_of(coded, fitted, "share"), "csat")
    shrink(effect, se**2)
    return spread_of(effect, se**2).value / points_scale(coded, "csat")


def _best(run: Any, times: int) -> float:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds))


def small(with_accounts: bool = True) -> list[dict[str, float]]:
    """Seconds and spreads of both on teams of 40 reps whose log odds differ by a standard deviation of 0.25."""
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    rows = []
    for seed in TEAMS:
        cases = team(seed, spread=0.25, account_spread=0.0).cases
        table = cases.table.assign(csat=cases.table["csat"].astype(float))

        def fitted(parts: dict[str, str], table: pd.DataFrame = table) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                formula = "csat ~ C(segment) + C(channel) + C(priority)"
                return BinomialBayesMixedGLM.from_formula(formula, parts, table).fit_vb()

        begun = time.perf_counter()
        peer = fitted({"rep": "0 + C(rep_id)"})
        peer_s = time.perf_counter() - begun
        row = {"peer_s": peer_s, "peer_tau": float(np.exp(peer.vcp_mean[0])), "tau": closed_form(cases)}
        row["ours_s"] = _best(lambda cases=cases: closed_form(cases), RUNS)
        row["whole_s"] = _best(lambda cases=cases: compare_units(cases, "csat"), RUNS)
        if with_accounts and seed == TEAMS[0]:
            begun = time.perf_counter()
            fitted({"rep": "0 + C(rep_id)", "account": "0 + C(cluster)"})
            row["peer_accounts_s"] = time.perf_counter() - begun
        rows.append(row)
    return rows


def large(tickets: int = 1_000_000, count: int = 500) -> dict[str, Any]:
    """Seconds of each step on so many tickets, and the largest memory of this process in GB."""
    engine = rollups.engine_of()
    accounts = 20_000
    engine.execute(
        f"""CREATE OR REPLACE TABLE accounts AS
        SELECT printf('A-%05d', range) AS account_id FROM range({accounts})"""
    )
    engine.execute(
        """CREATE OR REPLACE TABLE subscriptions AS
        SELECT account_id, DATE '2024-01-01' AS start_date, NULL::DATE AS end_date,
        (10000 + hash(account_id) % 90000)::BIGINT AS mrr_cents FROM accounts"""
    )
    opened = "TIMESTAMP '2025-07-01' + INTERVAL (hash(range) % 31000000) SECOND"
    engine.execute(
        f"""CREATE OR REPLACE TABLE tickets AS SELECT printf('T-%07d', range) AS ticket_id,
        printf('A-%05d', (hash(range, 1) % {accounts})::INTEGER) AS account_id,
        printf('R-%04d', (hash(range, 2) % {count})::INTEGER) AS rep_id,
        {opened} AS opened_at, {opened} + INTERVAL (hash(range, 3) % 20000) SECOND AS first_response_at,
        {opened} + INTERVAL (20000 + hash(range, 4) % 200000) SECOND AS resolved_at,
        ['email', 'web', 'chat', 'phone'][1 + (hash(range, 5) % 4)::INTEGER] AS channel,
        ['low', 'normal', 'high', 'urgent'][1 + (hash(range, 6) % 4)::INTEGER] AS priority,
        ['bug', 'how-to', 'billing', 'access', 'integration'][1 + (hash(range, 7) % 5)::INTEGER] AS category,
        (hash(range, 8) % 60)::DOUBLE AS wait_seconds, hash(range, 9) % 20 > 0 AS answered,
        (1 + hash(range, 10) % 3)::BIGINT AS contacts, hash(range, 11) % 12 = 0 AS reopened,
        hash(range, 12) % 15 = 0 AS escalated, (1 + hash(range, 13) % 40)::DOUBLE AS handle_minutes,
        CASE WHEN hash(range, 14) % 4 = 0 THEN (1 + hash(range, 15) % 5)::DOUBLE END AS csat,
        CASE WHEN hash(range, 16) % 8 = 0 THEN (1 + hash(range, 17) % 7)::DOUBLE END AS ces,
        NULL::VARCHAR AS comment FROM range({tickets})"""
    )
    people = pd.DataFrame({"rep_id": [f"R-{number:04d}" for number in range(count)]})
    people = people.assign(
        name=people["rep_id"],
        role="support",
        manager_id=[f"M-{number % 50:02d}" for number in range(count)],
        hired_on=pd.Timestamp("2020-01-01"),
        left_on=pd.Series(pd.NaT, index=range(count)),
        working_hours_per_month=150.0,
    )
    start, end = pd.Timestamp("2025-07-01"), pd.Timestamp("2026-07-01")
    segments = pd.DataFrame({"segment": ["SMB", "Mid-Market", "Enterprise"] * (accounts // 3 + 1)}).iloc[:accounts]
    segments.index = pd.Index([f"A-{number:05d}" for number in range(accounts)], name="account_id")
    seconds: dict[str, Any] = {}

    def step(name: str, run: Any) -> Any:
        begun = time.perf_counter()
        made = run()
        seconds[name] = time.perf_counter() - begun
        return made

    rolled = step("roll-up ticket_cases", lambda: rollups.run(engine, "ticket_cases", start=start, as_of=end))
    given = step(
        "cases",
        lambda rolled=rolled: [
            support.contact_cases(rolled, start, end, segments),
            support.resolution_cases(rolled, start, end, segments),
            *support.work_cases(rolled, people, start, end),
        ],
    )
    del rolled
    board = step("all measures between reps", lambda: reps.compare_reps(given, people))
    step("all measures between managers", lambda: reps.compare_reps(board, people, level="manager"))
    seconds["measures"] = len(board.benchmarks)
    seconds["gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return seconds


def measurements(tickets: int = 1_000_000) -> dict[str, Any]:
    """Both parts; the large one in a process of its own, so that its memory is its own."""
    run = [sys.executable, __file__, "large", str(tickets)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    return {"small": small(), "large": json.loads(done.stdout)}


def section() -> str:
    """The benchmark as a section of docs/benchmarks.md."""
    found = measurements()
    rows, big = found["small"], found["large"]
    peer, ours, whole = (float(np.median([row[name] for row in rows])) for name in ("peer_s", "ours_s", "whole_s"))
    off = max(abs(math.log(row["tau"] / row["peer_tau"])) for row in rows)
    accounts = rows[0]["peer_accounts_s"]
    total = sum(value for name, value in big.items() if name not in ("gb", "measures"))
    said = {True: "met", False: "missed"}
    lines = [
        "## Comparing reps",
        "",
        "9,000 tickets of 40 reps and 900 accounts, three factors of mix, true log odds with a standard deviation of",
        "0.25; three teams, medians, one thread. The peer is `BinomialBayesMixedGLM` of statsmodels, fitted by",
        "variational Bayes.",
        "",
        "| | seconds | |",
        "|---|---|---|",
        f"| closed form: case mix, standard errors, spread, shrinkage | {ours:.4f} | |",
        f"| the peer, a random effect per rep | {peer:.2f} | {peer / ours:.0f}x as long "
        f"(bar {BOUND_FASTER}x: {said[peer / ours >= BOUND_FASTER]}) |",
        f"| the whole comparison: funnel, ranks, moves, tables | {whole:.4f} | peer: {peer / whole:.0f}x as long |",
        f"| the peer, per rep and per account (the closed form allows for accounts) | {accounts:.1f} | "
        f"{accounts / ours:.0f}x as long |",
        "",
        f"Largest difference of the spread tau: {100 * (math.exp(off) - 1):.0f} % (bar {100 * BOUND_TAU:.0f} %: "
        f"{said[off <= math.log(1 + BOUND_TAU)]}).",
        "",
        f"A million tickets, 500 reps, 50 managers, 20,000 accounts, {big['measures']} measures, eight factors:",
        "",
        "| step | seconds |",
        "|---|---|",
        *(f"| {name} | {value:.1f} |" for name, value in big.items() if name not in ("gb", "measures")),
        f"| all (bar {BOUND_S}: {said[total < BOUND_S]}) | {total:.1f} |",
        "",
        f"Largest memory: {big['gb']:.2f} GB (bar {BOUND_GB}: {said[big['gb'] < BOUND_GB]}).",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["large"]:
        sys.stdout.write(json.dumps(large(int(sys.argv[2]))))
    else:
        sys.stdout.write(section() + "\n")
