"""The process behind every world: who holds which CSM seat, and what happens to each account month by month.

In each month an account has a health. It is in the portfolio of a seat or not, and covered if that seat is filled. Then
come the touches of the CSM, churn, and the health of the next month. Each account has a twin: the same account with the
same random draws that loses its coverage when the window opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs_helpers.data.sample.worlds.parameters import (
    BURN_IN,
    DEPARTURES,
    KEY_ACCOUNT,
    LOG_MRR_MEAN,
    LOG_MRR_SD,
    MAX_TENURE,
    MEAN_TENURE,
    VACANCY,
    WorldParameters,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Seats:
    """The person in each seat: one row per month from ``BURN_IN`` months before the window on, one column per seat.

    ``person`` is a number per person, -1 in a vacancy. ``stand_in`` is the person of the nearest filled seat.
    """

    person: Integers
    stand_in: Integers


@dataclass(frozen=True, eq=False)
class Accounts:
    """What never changes about the accounts, all of them paying when the window opens.

    ``size`` is log MRR in standard deviations from its mean, ``tenure`` whole months when the window opens,
    ``hidden`` the unrecorded trait, ``seat`` the seat whose portfolio the account is in whenever it is in one.
    """

    mrr: Floats
    size: Floats
    tenure: Integers
    hidden: Floats
    seat: Integers


@dataclass(frozen=True, eq=False)
class Month:
    """One month of all accounts as if none had left. Month 0 is the window's first, negative ones came before.

    ``csm`` is the covering person's number or -1. ``churn`` and ``churn_of_twin`` are probabilities of leaving
    at the month's end; the twin had no coverage from month 0 on.
    """

    number: int
    health: Floats
    csm: Integers
    touches: Integers
    churn: Floats
    churn_of_twin: Floats


def draw_seats(seats: int, months: int, rng: Generator) -> Seats:
    """Draws who holds each seat: a person leaves with probability ``DEPARTURES`` a month, then the seat is vacant.

    The successor starts ``VACANCY`` months later. Every person has a number.
    """
    leaves = rng.random((BURN_IN + months, seats)) < DEPARTURES
    person = np.empty((BURN_IN + months, seats), np.int64)
    sitting, vacant = np.arange(seats), np.zeros(seats, np.int64)
    next_number = seats
    for row, leaving in enumerate(leaves):
        came = vacant == 1
        sitting = np.where(came, next_number + np.cumsum(came) - 1, sitting)
        next_number += int(came.sum())
        vacant = np.maximum(vacant - 1, 0)
        vacant = np.where((vacant == 0) & ~came & leaving, VACANCY, vacant)
        person[row] = np.where(vacant > 0, -1, sitting)
    stand_in = person.copy()
    for step in range(1, seats):
        stand_in = np.where(stand_in < 0, np.roll(person, -step, axis=1), stand_in)
    return Seats(person, stand_in)


def draw_accounts(count: int, seats: int, rng: Generator) -> Accounts:
    """Log-normal prices in whole cents, geometric tenures, a standard normal hidden trait, a seat at random."""
    mrr = np.maximum(np.round(np.exp(rng.normal(LOG_MRR_MEAN, LOG_MRR_SD, count)), 2), 1.0)
    tenure = np.minimum(rng.geometric(1 / (1 + MEAN_TENURE), count) - 1, MAX_TENURE)
    size = (np.log(mrr) - LOG_MRR_MEAN) / LOG_MRR_SD
    return Accounts(mrr, size, tenure, rng.standard_normal(count), rng.integers(seats, size=count))


def simulate_months(parameters: WorldParameters, accounts: Accounts, seats: Seats, rng: Generator) -> Iterator[Month]:
    """The accounts' months from ``BURN_IN`` before the window on, by the equations in ``parameters.EQUATIONS``."""
    p, count = parameters, len(accounts.mrr)
    spread = np.sqrt(1 - p.health_keeps**2)
    always = p.assigned + p.assigned_size * accounts.size + p.assigned_hidden * accounts.hidden
    health = rng.standard_normal(count)
    assigned = rng.random(count) < 0.5
    twin = health
    for number, (person, stand_in) in enumerate(zip(seats.person, seats.stand_in, strict=True), start=-BURN_IN):
        if number == 0:
            twin = health
        wanted = _chance(always + p.assigned_health * health + p.assigned_before * assigned)
        assigned = rng.random(count) < wanted
        csm = person[accounts.seat]
        if p.stand_ins:
            csm = np.where(wanted >= KEY_ACCOUNT, stand_in[accounts.seat], csm)
        csm = np.where(assigned, csm, -1)
        covered = csm >= 0
        touches = np.zeros(count, np.int64)
        touches[covered] = rng.poisson(np.exp(p.touches + p.touches_health * health[covered]))
        churn = churn_probability(p, accounts, number, health, covered, touches)
        yield Month(number, health, csm, touches, churn, churn_probability(p, accounts, number, twin))
        shock = spread * rng.standard_normal(count)
        health = p.health_keeps * health + p.health_covered * covered + shock
        twin = p.health_keeps * twin + shock if number >= 0 else health


def churn_probability(
    parameters: WorldParameters,
    accounts: Accounts,
    month: int,
    health: Floats,
    covered: Flags | bool = False,
    touches: Integers | int = 0,
) -> Floats:
    """Probability of leaving at the end of a month."""
    p, size = parameters, accounts.size
    logit = p.churn + p.churn_health * health + p.churn_size * size + p.churn_tenure * (accounts.tenure + month)
    logit += p.churn_hidden * accounts.hidden
    logit += p.churn_health_squared * (health**2 - 1) + p.churn_size_squared * (size**2 - 1)
    logit += p.churn_health_size * health * size
    logit += (p.churn_covered + p.churn_covered_health * health + p.churn_covered_size * size) * covered
    logit += p.churn_touch * touches
    return _chance(logit)


def _chance(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logit)))
