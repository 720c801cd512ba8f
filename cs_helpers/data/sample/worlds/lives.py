"""The process behind every world: who sits in which seat, and how the accounts live month by month.

In a month an account's health is known first. Then it is decided whether the account is in somebody's book;
it is covered if that seat is filled. Then the CSM touches it, then it churns or stays, and last its next health
is drawn. Beside each account runs its twin, the same account with the same luck that loses its coverage when
the window opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs_helpers.data.sample.worlds.laws import (
    BURN_IN,
    DEPARTURES,
    KEY_ACCOUNT,
    LOG_MRR_MEAN,
    LOG_MRR_SD,
    LONGEST_TENURE,
    MEAN_TENURE,
    VACANCY,
    Law,
)

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Seats:
    """Who sits where: one row per month from ``BURN_IN`` months before the window on, one column per seat.

    ``person`` is a number per person, -1 in a vacancy. ``stand_in`` is the person of the nearest filled seat.
    """

    person: Whole
    stand_in: Whole


@dataclass(frozen=True, eq=False)
class Accounts:
    """What never changes about the accounts, all of them paying when the window opens.

    ``size`` is log MRR in standard deviations from its mean, ``tenure`` whole months when the window opens,
    ``hidden`` the trait nobody records, ``seat`` the seat whose book the account is in whenever it is in one.
    """

    mrr: Numbers
    size: Numbers
    tenure: Whole
    hidden: Numbers
    seat: Whole


@dataclass(frozen=True, eq=False)
class Month:
    """One month of all accounts as if none had left. Month 0 is the window's first, negative ones came before.

    ``csm`` is the covering person's number or -1. ``churn`` and ``churn_of_twin`` are probabilities of leaving
    at the month's end; the twin had no coverage from month 0 on.
    """

    number: int
    health: Numbers
    csm: Whole
    touches: Whole
    churn: Numbers
    churn_of_twin: Numbers


def draw_seats(seats: int, months: int, rng: Generator) -> Seats:
    """People come and go: each one leaves with probability ``DEPARTURES`` a month, then the seat is empty.

    The successor sits there ``VACANCY`` months later. Every person has a number of their own.
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
    tenure = np.minimum(rng.geometric(1 / (1 + MEAN_TENURE), count) - 1, LONGEST_TENURE)
    size = (np.log(mrr) - LOG_MRR_MEAN) / LOG_MRR_SD
    return Accounts(mrr, size, tenure, rng.standard_normal(count), rng.integers(seats, size=count))


def live(law: Law, accounts: Accounts, seats: Seats, rng: Generator) -> Iterator[Month]:
    """The accounts' months from ``BURN_IN`` before the window on, by the equations in ``laws.EQUATIONS``."""
    count = len(accounts.mrr)
    spread = np.sqrt(1 - law.health_keeps**2)
    always = law.assigned + law.assigned_size * accounts.size + law.assigned_hidden * accounts.hidden
    health = rng.standard_normal(count)
    assigned = rng.random(count) < 0.5
    twin = health
    for row, (person, stand_in) in enumerate(zip(seats.person, seats.stand_in, strict=True)):
        number = row - BURN_IN
        if number == 0:
            twin = health
        wanted = _chance(always + law.assigned_health * health + law.assigned_before * assigned)
        assigned = rng.random(count) < wanted
        csm = person[accounts.seat]
        if law.stand_ins:
            csm = np.where(wanted >= KEY_ACCOUNT, stand_in[accounts.seat], csm)
        csm = np.where(assigned, csm, -1)
        covered = csm >= 0
        touches = np.zeros(count, np.int64)
        touches[covered] = rng.poisson(np.exp(law.touches + law.touches_health * health[covered]))
        yield Month(
            number,
            health,
            csm,
            touches,
            churn_probability(law, accounts, number, health, covered, touches),
            churn_probability(law, accounts, number, twin),
        )
        luck = spread * rng.standard_normal(count)
        health = law.health_keeps * health + law.health_covered * covered + luck
        twin = law.health_keeps * twin + luck if number >= 0 else health


def churn_probability(
    law: Law,
    accounts: Accounts,
    month: int,
    health: Numbers,
    covered: Flags | None = None,
    touches: Whole | None = None,
) -> Numbers:
    """Probability of leaving at the end of a month; without ``covered`` nobody is and nobody is touched."""
    size = accounts.size
    logit = law.churn + law.churn_health * health + law.churn_size * size
    logit += law.churn_tenure * (accounts.tenure + month)
    if law.churn_hidden:
        logit += law.churn_hidden * accounts.hidden
    if law.churn_health_squared or law.churn_size_squared or law.churn_health_size:
        logit += law.churn_health_squared * (health**2 - 1) + law.churn_size_squared * (size**2 - 1)
        logit += law.churn_health_size * health * size
    if covered is not None:
        effect = law.churn_covered + law.churn_covered_health * health + law.churn_covered_size * size
        logit += effect * covered
    if touches is not None:
        logit += law.churn_touch * touches
    return _chance(logit)


def _chance(logit: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-logit)))
