"""The team: which person held which seat when, what they cost, and the other costs of Customer Success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.world import Draws, Row, World, first_of, money


@dataclass(frozen=True)
class Rep:
    """One person in one job of one division; the months are indexes, ``left`` the first month without them."""

    number: int
    team: int
    role: str
    segment: str
    hired: int
    left: int | None
    manager: int  # number of the manager, 0 for the head
    unit: str  # the team's name

    @property
    def rep_id(self) -> str:
        return f"R-{self.number:04d}"

    @property
    def function(self) -> str:
        """The department that pays; the head of the division is paid by Customer Success."""
        in_support = self.role == "support" or (self.role == "manager" and self.number % 1000 > 3)
        return "customer_support" if in_support else "customer_success"

    def works_in(self, month: int) -> bool:
        return self.hired <= month and (self.left is None or month < self.left)

    @property
    def level(self) -> str:
        """Role, with the head separate from the managers."""
        return "head" if self.role == "manager" and self.number % 1000 == 1 else self.role


@dataclass(frozen=True)
class Seat:
    """One job and its people in order; ``sitting`` and ``factors`` have an entry for each month from the origin on."""

    people: tuple[Rep, ...]
    sitting: list[Rep | None]
    factors: list[float]  # of the hazard: coverage x calendar


@dataclass(frozen=True)
class Team:
    """The division that looked after up to 600 accounts. The last CSM seat is always empty."""

    number: int
    managers: tuple[Rep, ...]
    csm_seats: tuple[Seat, ...]
    support_seats: tuple[Seat, ...]

    def reps(self) -> list[Rep]:
        return [*self.managers, *(rep for seat in (*self.csm_seats, *self.support_seats) for rep in seat.people)]


def make_teams(world: World) -> list[Team]:
    """As many divisions as the accounts need."""
    return [_team(number, world) for number in range((world.accounts - 1) // p.TEAM_ACCOUNTS + 1)]


def _team(number: int, world: World) -> Team:
    base = number * 1000
    units = ("Leadership", "Success 1", "Success 2", "Support 1", "Support 2")
    names = [f"{unit.split()[0]} {2 * number + int(unit.split()[1])}" if " " in unit else unit for unit in units]
    managers = tuple(
        Rep(base + n, number, "manager", "", world.origin - 8 * n, None, base + 1 if n > 1 else 0, name)
        for n, name in enumerate(names, start=1)
    )
    seats: list[Seat] = []
    used = base + len(managers)
    for n, segment in enumerate((*p.CSM_SEATS, *[""] * p.SUPPORT_SEATS)):
        manager = managers[_manager_of(n)]
        first = Rep(used + 1, number, "csm" if segment else "support", segment, 0, None, manager.number, manager.unit)
        seats.append(_seat(_people(first, world, world.draws("team", number, "seat", n)), world))
        used += len(seats[-1].people)
    csm_seats, support_seats = seats[: len(p.CSM_SEATS)], seats[len(p.CSM_SEATS) :]
    return Team(number, managers, (*csm_seats, _seat((), world)), tuple(support_seats))


def _manager_of(seat: int) -> int:
    """The first half of the CSM seats has the second manager, the other half the third, and so on with support."""
    csm = len(p.CSM_SEATS)
    return 1 + 2 * seat // csm if seat < csm else 3 + 2 * (seat - csm) // p.SUPPORT_SEATS


def _people(first: Rep, world: World, draws: Draws) -> tuple[Rep, ...]:
    """The people who held one seat, one after the other; ``first`` has the number of the first of them."""
    people: list[Rep] = []
    hired = world.origin - draws.whole(0, 20)
    while hired < p.END:
        left = max(hired + 6, world.origin + 1)
        while left < p.END and not draws.chance(p.LEAVES[first.role]):
            left += 1
        number = first.number + len(people)
        people.append(replace(first, number=number, hired=hired, left=left if left < p.END else None))
        hired = left + draws.whole(*p.VACANCY[first.role])
    return tuple(people)


def _seat(people: tuple[Rep, ...], world: World) -> Seat:
    months = range(world.origin, p.END)
    sitting: list[Rep | None] = [None] * len(months)
    for rep in people:
        for month in range(max(rep.hired, world.origin), rep.left or p.END):
            sitting[month - world.origin] = rep
    factors = [
        (p.COVERED_FACTOR if rep else 1.0) * recent_factor(month) for month, rep in zip(months, sitting, strict=True)
    ]
    return Seat(people, sitting, factors)


def recent_factor(month: int) -> float:
    """What the calendar does to the hazard: churn is worse in the last months of the window."""
    return p.RECENT_FACTOR if month >= p.END - p.RECENT else 1.0


def rep_row(rep: Rep, world: World) -> Row:
    """The rep's row in reps.csv."""
    draws = world.draws("rep", rep.number)
    names = len(p.FIRST_NAMES) * len(p.LAST_NAMES)
    last, first = divmod((rep.number * 107 + rep.team) % names, len(p.FIRST_NAMES))
    left = first_of(rep.left) - timedelta(days=1) if rep.left else None
    moved = draws.chance(p.MOVED_SHARE)
    return {
        "rep_id": rep.rep_id,
        "name": f"{p.FIRST_NAMES[first]} {p.LAST_NAMES[last]}",
        "role": rep.role,
        "manager_id": f"R-{rep.manager:04d}" if rep.manager else None,
        "team": rep.unit,
        "segment": rep.segment,
        "hired_on": first_of(rep.hired),
        "left_on": left,
        "moved_to": draws.pick(p.MOVED_TO) if left and moved else None,
        "annual_cost": money(_annual_cost(rep, world)),
        "working_hours_per_month": "152" if rep.role == "manager" else draws.pick({"152": 0.85, "122": 0.15}),
    }


def _annual_cost(rep: Rep, world: World) -> int:
    """Cents a year with everything an employer pays."""
    low, high = p.PAY[rep.level]
    return world.draws("pay", rep.number).whole(low // 500, high // 500) * 50_000


def cost_rows(reps: Sequence[Rep], teams: int, world: World) -> list[Row]:
    """What customer success and support cost in each month of the window."""
    rows = []
    pay = {rep.rep_id: _annual_cost(rep, world) // 12 for rep in reps}
    for month in range(world.start, p.END):
        there = [rep for rep in reps if rep.works_in(month)]
        draws = world.draws("costs", month)
        for function, licence in (("customer_success", 18_000), ("customer_support", 11_500)):
            people = [rep for rep in there if rep.function == function]
            items = {
                "pay": sum(pay[rep.rep_id] for rep in people),
                "software": licence * len(people),
                "training": sum(draws.whole(20_000, 90_000) for _ in range(teams)),
            }
            if function == "customer_success":
                items["travel"] = sum(draws.whole(90_000, 380_000) for _ in range(teams))
            rows += [
                {"month": first_of(month), "item": item, "amount": money(cents), "function": function}
                for item, cents in items.items()
            ]
    return rows
