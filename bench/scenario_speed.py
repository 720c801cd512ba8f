"""How fast a scenario over many draws is, and whether it equals the same one evaluated draw by draw.

    python bench/scenario_speed.py [DRAWS]      20,000 draws unless told otherwise

The economics of ``cs_helpers.roi.economics`` over 36 months of a portfolio of 600 contracts with distinct terms and due
dates, twelve inputs of which eleven have a range. The peer is plain numpy as one would write it from the formulas: a
loop over the draws, each over a table of contracts by months. It is timed on every hundredth draw and extrapolated.
Both see the same draws; what is timed is their evaluation, by us also the reduction of the portfolio. Five runs each in
turn, on one thread. Prints a table in Markdown; ``measurements`` gives the same as data.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.stats.threads import one_thread
from cs_helpers.roi.economics import flow, outcomes
from cs_helpers.roi.portfolio import make_portfolio
from cs_helpers.roi.scenario_range import simulate_scenario
from cs_helpers.roi.uncertain_inputs import draw_inputs, gather_inputs, read_input

DRAWS, SEED, MONTHS, CONTRACTS = 20_000, 7, 36, 600
EVERY = 100
RUNS = 5
BOUND_FASTER, BOUND_DIFFERENCE = 30, 1e-9
INPUTS = {
    "relative_risk": "1.0, 1.3, 2.0",
    "yearly_churn": "0.10, 0.14, 0.20",
    "expansion": "0, 0.05, 0.1",
    "expansion_lost": "0, 0.3, 0.6",
    "margin": "0.7, 0.8, 0.85",
    "people": "60000, 80000, 100000",
    "tools": "2000, 3000, 4000",
    "management": "9000",
    "absorbed": "0, 0.1, 0.3",
    "severance_months": "1, 2, 3",
    "notice_months": "1, 2, 3",
    "discount": "0.08, 0.10, 0.15",
}


def make() -> pd.DataFrame:
    """Contracts of made-up accounts: terms of 1 to 36 months, log-normal MRR."""
    random = np.random.default_rng(SEED)
    term = random.choice([1, 3, 6, 12, 18, 24, 36], CONTRACTS, p=[0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1])
    cents = np.exp(random.normal(11.5, 1.1, CONTRACTS)).astype(np.int64) + 1
    due_in = (random.random(CONTRACTS) * (term + 1)).astype(np.int64)
    return pd.DataFrame({"due_in": due_in, "term": term, "mrr_cents": cents, "accounts": 1})


def draw_by_draw(rows: pd.DataFrame, many: dict[str, Any], chosen: np.ndarray) -> np.ndarray:
    """Value and cost of each of the ``chosen`` draws, shape (draws, 2): the formulas, contract by month."""
    due, term, mrr = (rows[name].to_numpy()[:, None] for name in ("due_in", "term", "mrr_cents"))
    t = np.arange(MONTHS)
    years = np.where(t < due, 0, (1 + (t - due) // term) * term) / 12
    found = []
    for draw in chosen:
        a = {name: float(values if np.ndim(values) == 0 else values[draw]) for name, values in many.items()}
        hazard = -np.log(1 - a["yearly_churn"])
        with_, without = np.exp(-hazard * years), np.exp(-hazard * a["relative_risk"] * years)
        growth = (1 + a["expansion"]) ** (t / 12)
        slower = (1 + a["expansion"] * (1 - a["expansion_lost"])) ** (t / 12)
        lost = (mrr / 100 * ((with_ - without) + without * (growth - slower))).sum(axis=0)
        discount = (1 + a["discount"]) ** (-(t + 0.5) / 12)
        monthly = a["people"] * (1 - a["absorbed"]) + a["tools"] + a["management"]
        running = np.clip(t + 1 - a["notice_months"], 0, 1)
        cost = (discount * running).sum() * monthly - a["severance_months"] * a["people"]
        found.append((a["margin"] * (discount * lost).sum(), cost))
    return np.array(found)


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measurements(draws: int = DRAWS) -> dict[str, float]:
    """Medians of the runs in seconds, and the largest difference of value or cost, relative to the largest."""
    rows = make()
    portfolio = make_portfolio(rows)
    inputs = gather_inputs([read_input(text, name) for name, text in INPUTS.items()])
    many = draw_inputs(inputs, draws, SEED)
    chosen = np.arange(0, draws, EVERY)
    times: dict[str, list[float]] = {"ours": [], "loop": [], "scenario": []}
    with one_thread():
        for _ in range(RUNS):
            times["ours"].append(seconds(lambda: outcomes(flow(portfolio.rows, MONTHS), many, MONTHS)))
            times["loop"].append(seconds(lambda: draw_by_draw(rows, many, chosen)))
            times["scenario"].append(seconds(lambda: simulate_scenario(portfolio, inputs, draws=draws)))
        ours = outcomes(flow(portfolio.rows, MONTHS), many, MONTHS)
        theirs = draw_by_draw(rows, many, chosen)
    apart = np.abs(np.column_stack([ours.value, ours.cost])[chosen] - theirs).max() / np.abs(theirs).max()
    found = {name: statistics.median(runs) for name, runs in times.items()}
    return found | {
        "timed": len(chosen),
        "extrapolated": found["loop"] * draws / len(chosen),
        "difference": float(apart),
    }


def table(found: dict[str, float], draws: int) -> str:
    """The measurements as Markdown, with the bounds they are held to."""
    return "\n".join(
        [
            f"| {draws:,} draws x {MONTHS} months of a book of {CONTRACTS} contracts | seconds |",
            "|---|---|",
            f"| value and cost of all draws, `flow` and `worth` | {found['ours']:.3f} |",
            f"| numpy {np.__version__}, a loop over the draws: {found['timed']:,.0f} of them | {found['loop']:.3f} |",
            f"| the same loop, extrapolated to all draws | {found['extrapolated']:.1f} |",
            "| a whole scenario: draws, three horizons with and without tail, bars, tornado, `scenario` "
            f"| {found['scenario']:.3f} |",
            "",
            f"{found['extrapolated'] / found['ours']:.0f}x faster than the loop, which was timed on every {EVERY}th "
            f"draw and extrapolated (bound {BOUND_FASTER}x). Largest difference of a value or cost, relative to the "
            f"largest: {found['difference']:.1e} (bound {BOUND_DIFFERENCE:.0e}). Medians of {RUNS} runs in turn, "
            "one thread.",
        ]
    )


def section() -> str:
    """The measurements as a section of docs/benchmarks.md."""
    return f"## Scenarios\n\n{table(measurements(), DRAWS)}"


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    print(table(measurements(size), size))
