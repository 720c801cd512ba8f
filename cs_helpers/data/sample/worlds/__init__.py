"""Eight simulated worlds with a known true effect, for testing methods.

``WORLDS`` describes each; ``simulate`` draws one, ``write`` exports it as a source. All accounts pay when the window
opens and none arrives later (left truncation); the estimand starts in month 0 as well. Draws come from numpy's PCG64:
the same arguments give the same bytes on the same numpy version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import PCG64, Generator, SeedSequence

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.core.periods import add_months
from cs_helpers.data.sample.world import is_whole, mapping_text, size_problems, write_files
from cs_helpers.data.sample.worlds import export
from cs_helpers.data.sample.worlds import parameters as p
from cs_helpers.data.sample.worlds.parameters import BURN_IN, SEATS, WORLDS, World, WorldParameters
from cs_helpers.data.sample.worlds.process import Accounts, Integers, Seats, draw_accounts, draw_seats, simulate_months

__all__ = ["WORLDS", "SimulatedWorld", "World", "WorldParameters", "simulate", "true_effect", "write"]

END = pd.Timestamp("2026-07-01")  # the first day after the window, whatever its length
MAX_ACCOUNTS, MAX_MONTHS = 100_000, 60
QUARTER = 3
HORIZONS = (6, 12, 18, 24)  # months, beside the length of the window
TRUTH_BATCHES, TRUTH_ACCOUNTS, TRUTH_SEATS = 20, 3_000, 400  # accounts and seats of one batch


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedWorld:
    """One draw of one world.

    ``panel`` has one row per account and month at risk, sorted: account_id, month (0 is the window's first),
    month_start, mrr, log_mrr, tenure_months and health (both at the month's start), covered, csm_id ("" if
    not covered), touches, churned (leaves at the month's end), and two negative controls: ``late_payment``, an outcome
    CS cannot change, and ``coverage_starts_next_quarter``, an exposure that cannot have changed this month's churn (not
    covered this month, due to be within the next three, also where the account left before that).
    """

    world: World
    panel: pd.DataFrame
    _accounts: Accounts
    _seats: Seats
    # Months from BURN_IN before the window on x accounts; -1: not covered, or the account has left.
    _csm: Integers
    _first: pd.Timestamp
    _seed: tuple[int, int]
    _letter: str

    @cached_property
    def truth(self) -> Mapping[str, Any]:
        """What truth.json holds; computed when it is asked for."""
        months = len(self._csm) - BURN_IN
        return _truth(self._letter, self.world, len(self._accounts.tenure), months, self._seed[0])

    def tables(self) -> dict[str, pd.DataFrame]:
        """The contract's tables as text, the way the files hold them: missing is "", times end in Z.

        ``end_date`` is the first day not paid for; an account that leaves at the window's end has the day after it.
        Health is in usage, late payments in tickets, coverage in assignments; nothing is in a table that was due to
        happen to an account after it left.
        """
        months = len(self._csm) - BURN_IN
        rng = Generator(PCG64(SeedSequence([*self._seed, 1])))
        starts = (np.datetime64(self._first, "M") - self._accounts.tenure).astype("datetime64[D]")
        left = self.panel.loc[self.panel["churned"], ["account_id", "month"]]
        ends = np.full(len(starts), np.datetime64("NaT"), dtype="datetime64[D]")
        number = left["account_id"].str[2:].astype(int).to_numpy() - 1
        ends[number] = (np.datetime64(self._first, "M") + left["month"].to_numpy() + 1).astype("datetime64[D]")
        reps = export.rep_rows(self._seats, self._first, months, rng)
        return {
            "accounts": export.account_rows(self._accounts, starts),
            "subscriptions": export.subscription_rows(self._accounts, starts, ends),
            "usage": export.usage_rows(self.panel, rng),
            "touches": export.touch_rows(self.panel, rng),
            "tickets": export.ticket_rows(self.panel, rng),
            "assignments": export.assignment_rows(self._csm, starts, ends, self._first),
            "reps": reps,
            "costs": export.cost_rows(reps, self._first, months),
        }


def simulate(world: str = "A", accounts: int = 2000, months: int = 24, seed: int = 1) -> SimulatedWorld:
    """Draw ``accounts`` accounts of a world over the ``months`` months before July 2026.

    Raises ParameterError with everything wrong with the arguments at once.
    """
    chosen = _checked(world, accounts, months, seed)
    parameters = chosen.parameters
    rng = Generator(PCG64(SeedSequence([seed, chosen.number])))
    drawn, seats = draw_accounts(accounts, SEATS, rng), draw_seats(SEATS, months + QUARTER, rng)
    simulated = list(simulate_months(parameters, drawn, seats, rng))
    window = simulated[BURN_IN : BURN_IN + months]
    chance = np.array([month.churn for month in window])
    leaves = rng.random(chance.shape) < chance
    gone = np.zeros_like(leaves)
    gone[1:] = np.logical_or.accumulate(leaves, axis=0)[:-1]
    late = p.LATE_PAYMENT + p.LATE_PAYMENT_SIZE * drawn.size + parameters.late_payment_hidden * drawn.hidden
    late_payment = rng.random(chance.shape) < 1 / (1 + np.exp(-late))
    csm = np.array([month.csm for month in simulated])
    first = add_months(END, -months)

    covered = csm[BURN_IN:] >= 0
    starts_next_quarter = ~covered[:months] & np.any(
        [covered[step : step + months] for step in range(1, QUARTER + 1)], axis=0
    )
    account, month = np.nonzero(~gone.T)
    person = csm[BURN_IN : BURN_IN + months][month, account]
    panel = pd.DataFrame(
        {
            "account_id": export.account_ids(accounts)[account],
            "month": month,
            "month_start": export.month_starts(first, months)[month].astype("datetime64[us]"),
            "mrr": drawn.mrr[account],
            "log_mrr": np.log(drawn.mrr)[account],
            "tenure_months": drawn.tenure[account] + month,
            "health": np.array([each.health for each in window])[month, account],
            "covered": person >= 0,
            "csm_id": np.append(export.rep_ids(int(csm.max()) + 1), "")[person],
            "touches": np.array([each.touches for each in window])[month, account],
            "late_payment": late_payment[month, account],
            "coverage_starts_next_quarter": starts_next_quarter[month, account],
            "churned": leaves[month, account],
        }
    )
    seen = csm[: BURN_IN + months].copy()
    seen[BURN_IN:][gone] = -1
    return SimulatedWorld(chosen, panel, drawn, seats, seen, first, (seed, chosen.number), world)


def write(directory: Path, world: str = "A", accounts: int = 2000, months: int = 24, seed: int = 1) -> list[Path]:
    """Write a simulated world as CSV files with ``mapping.yml`` and ``truth.json``; return the paths.

    Files of the same names are replaced, others are left alone. Raises ParameterError where the arguments make
    no world or ``directory`` is a file.
    """
    drawn = simulate(world, accounts, months, seed)
    files = {f"{name}.csv": table.to_csv(index=False, lineterminator="\n") for name, table in drawn.tables().items()}
    files["mapping.yml"] = mapping_text(f"Simulated world {world}", add_months(END, -months), END)
    files["truth.json"] = json.dumps(drawn.truth, indent=2, ensure_ascii=False) + "\n"
    return write_files(directory, files, "world")


@cache
def true_effect(parameters: WorldParameters, months: int) -> dict[str, dict[str, float]]:
    """Survival with coverage as it happens and without any from month 0 on, by horizon, for one set of parameters.

        effect = 100 x mean over accounts of (S - S of the twin that loses its coverage), S = product of (1 - p)

    The mean runs over the population the accounts are drawn from (60,000 accounts that meet vacancies as the
    sample's do), logo-weighted and weighted by MRR; departures are not drawn. Both versions share every draw, so
    that parameters without CS effects give exactly 0. Errors are standard errors over 20 independent batches.
    """
    horizons = sorted({*(h for h in HORIZONS if h < months), months})
    found = np.empty((TRUTH_BATCHES, len(horizons), 4))
    for batch, seed in enumerate(SeedSequence([2026]).spawn(TRUTH_BATCHES)):
        rng = Generator(PCG64(seed))
        accounts, seats = draw_accounts(TRUTH_ACCOUNTS, TRUTH_SEATS, rng), draw_seats(TRUTH_SEATS, months, rng)
        weights = accounts.mrr / accounts.mrr.sum()
        with_cs, without = np.ones(TRUTH_ACCOUNTS), np.ones(TRUTH_ACCOUNTS)
        for month in simulate_months(parameters, accounts, seats, rng):
            if month.number < 0:
                continue
            with_cs *= 1 - month.churn
            without *= 1 - month.churn_of_twin
            if month.number + 1 in horizons:
                row = found[batch, horizons.index(month.number + 1)]
                row[:] = with_cs.mean(), without.mean(), weights @ with_cs, weights @ without
    mean = found.mean(axis=0)
    differences = 100 * (found[:, :, 0::2] - found[:, :, 1::2])
    errors = differences.std(axis=0, ddof=1) / np.sqrt(TRUTH_BATCHES)
    effect: dict[str, dict[str, float]] = {}
    for horizon, survival, error in zip(horizons, mean, errors, strict=True):
        figures = effect[str(horizon)] = {}
        for n, kind in enumerate(("logo", "mrr")):
            figures[f"{kind}_points"] = round(float(100 * (survival[2 * n] - survival[2 * n + 1])), 4)
            figures[f"{kind}_points_error"] = round(float(error[n]), 4)
        for n, kind in enumerate(("logo", "mrr")):
            figures[f"{kind}_survival"] = round(float(survival[2 * n]), 6)
            figures[f"{kind}_survival_without_coverage"] = round(float(survival[2 * n + 1]), 6)
    return effect


def _truth(letter: str, world: World, accounts: int, months: int, seed: int) -> dict[str, Any]:
    return {
        "world": letter,
        "name": world.name,
        "true": world.true,
        "good_method": world.good_method,
        "arguments": {"world": letter, "accounts": accounts, "months": months, "seed": seed},
        "window": {"start": f"{add_months(END, -months):%Y-%m-%d}", "end_exclusive": f"{END:%Y-%m-%d}"},
        "estimand": (
            "No coverage from month 0 on, nothing replaces it, against what happened: survival in points at each "
            "horizon in months, over the population the accounts are drawn from. Without coverage there are no touches."
        ),
        "effect": {horizon: dict(row) for horizon, row in true_effect(world.parameters, months).items()},
        "effect_error": (
            f"Monte Carlo standard errors over {TRUTH_BATCHES} batches of {TRUTH_ACCOUNTS:,} accounts, with and "
            "without coverage on the same draws."
        ),
        "parameters": asdict(world.parameters),
        "equations": p.EQUATIONS,
        "csms": {"seats": SEATS, "leave_per_month": p.DEPARTURES, "vacancy_months": p.VACANCY},
        "usage": {
            "feature": export.ACTIVITY,
            "function": export.ACTIVITY_FUNCTION,
            "inverse": export.HEALTH_FUNCTION,
            "grain": "one row per paid account-month, on its first or second day: health as the month begins",
        },
        "negative_controls": {
            "late_payment": (
                "an outcome CS cannot move: in tickets, category late_payment, at most one per account and month"
            ),
            "coverage_starts_next_quarter": (
                "an exposure that cannot have moved this month's churn. The panel has it as it was due, also for "
                "accounts that leave. assignments shows it only for accounts that stayed: there, compare it with late "
                "payments among those still paying a quarter later, never with churn."
            ),
        },
        "left_truncation": (
            "All accounts pay when the window opens and none arrives later. Their tenure then is geometric with mean "
            f"23 months; who left before is not in the export. Coverage and health have run for {BURN_IN} months by "
            "then, without churn; assignments older than that begin there or with the subscription."
        ),
        "last_month": (
            f"An account that leaves at the end of the last month has end_date {END:%Y-%m-%d}, the day after the data."
        ),
    }  # fmt: skip


def _checked(world: str, accounts: int, months: int, seed: int) -> World:
    """The world asked for. Raises ParameterError naming every argument that makes none."""
    wrong = []
    if not isinstance(world, str) or world not in WORLDS:
        hint = did_you_mean(world, list(WORLDS)) if isinstance(world, str) else ""
        known = ", ".join(f"{letter} ({each.name})" for letter, each in WORLDS.items())
        wrong.append(f"world is {world!r}.{hint}\n  Choose one of {known}.")
    wrong += size_problems(accounts, MAX_ACCOUNTS, months, MAX_MONTHS)
    if not is_whole(seed) or not 0 <= seed < 2**63:
        wrong.append(f"seed is {seed!r}.\n  Give a whole number from 0 on; each one makes another draw.")
    if wrong:
        raise ParameterError("\n".join(wrong))
    return WORLDS[world]
