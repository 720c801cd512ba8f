"""The people: who sat in which seat when, what they cost, and what else Customer Success spends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cs_helpers.sample import parameters as p
from cs_helpers.sample.draws import Draws
from cs_helpers.sample.world import Row, World, first_of, money


@dataclass(frozen=True)
class Rep:
    """One person in one seat of one team; the months are indexes, ``left`` the first month without them."""

    number: int
    team: int
    role: str
    segment: str
    hired: int
    left: int | None

    @property
    def rep_id(self) -> str:
        return f"R-{self.number:04d}"

    @property
    def function(self) -> str:
        """The managers are numbers 1, of Customer Success, and 2, of support."""
        in_success = self.role == "csm" or self.number % 1000 == 1
        return "customer_success" if in_success else "customer_support"


@dataclass(frozen=True)
class Seat:
    """One job and its people in order; ``sitting`` and ``factors`` have an entry for each month from the origin on."""

    people: tuple[Rep, ...]
    sitting: list[Rep | None]
    factors: list[float]  # of the hazard: coverage x calendar


@dataclass(frozen=True)
class Team:
    """Who looked after up to 400 accounts. The last CSM seat is the one nobody ever sits in."""

    number: int
    managers: tuple[Rep, ...]
    csm_seats: tuple[Seat, ...]
    support_seats: tuple[Seat, ...]

    def reps(self) -> list[Rep]:
        return [*self.managers, *(rep for seat in (*self.csm_seats, *self.support_seats) for rep in seat.people)]


def make_teams(world: World) -> list[Team]:
    """As many teams as the accounts need."""
    return [_team(number, world) for number in range((world.accounts - 1) // p.TEAM_ACCOUNTS + 1)]


def _team(number: int, world: World) -> Team:
    base = number * 1000
    managers = tuple(Rep(base + n, number, "manager", "", world.origin - 8 * n, None) for n in (1, 2))
    seats: list[Seat] = []
    used = base + len(managers)
    for n, segment in enumerate((*p.CSM_SEATS, *[""] * p.SUPPORT_SEATS)):
        role = "csm" if segment else "support"
        seats.append(_seat(_people(used, number, role, segment, world, world.draws("team", number, "seat", n)), world))
        used += len(seats[-1].people)
    csm_seats, support_seats = seats[: len(p.CSM_SEATS)], seats[len(p.CSM_SEATS) :]
    return Team(number, managers, (*csm_seats, _seat((), world)), tuple(support_seats))


def _people(used: int, team: int, role: str, segment: str, world: World, draws: Draws) -> tuple[Rep, ...]:
    people: list[Rep] = []
    hired = world.origin - draws.whole(0, 20)
    while hired < p.END:
        left = max(hired + 6, world.origin + 1)
        while left < p.END and not draws.chance(p.LEAVES[role]):
            left += 1
        number = used + len(people) + 1
        people.append(Rep(number, team, role, segment, hired, left if left < p.END else None))
        hired = left + draws.whole(*p.VACANCY[role])
    return tuple(people)


def _seat(people: tuple[Rep, ...], world: World) -> Seat:
    months = range(world.origin, p.END)
    sitting: list[Rep | None] = [None] * len(months)
    for rep in people:
        for month in range(max(rep.hired, world.origin), rep.left or p.END):
            sitting[month - world.origin] = rep
    factors = [
        (p.COVERED_FACTOR if rep else 1.0) * (p.RECENT_FACTOR if month >= p.END - p.RECENT else 1.0)
        for month, rep in zip(months, sitting, strict=True)
    ]
    return Seat(people, sitting, factors)


def support_outliers(team: Team, world: World) -> dict[str, dict[str, float]]:
    """Two support reps who really differ, among those present all through the window."""
    there = [rep for s in team.support_seats for rep in s.people if rep.hired < world.start and rep.left is None]
    if len(there) < 2:
        return {}
    return {rep.rep_id: effect for rep, effect in zip((there[0], there[-1]), p.SUPPORT_OUTLIERS, strict=True)}


def rep_row(rep: Rep, world: World) -> Row:
    """The rep's row in reps.csv."""
    draws = world.draws("rep", rep.number)
    names = len(p.FIRST_NAMES) * len(p.LAST_NAMES)
    last, first = divmod((rep.number * 107 + rep.team) % names, len(p.FIRST_NAMES))
    left = first_of(rep.left) - timedelta(days=1) if rep.left else None
    moved = draws.chance(0.3)
    success = rep.function == "customer_success"
    return {
        "rep_id": rep.rep_id,
        "name": f"{p.FIRST_NAMES[first]} {p.LAST_NAMES[last]}",
        "role": rep.role,
        "manager_id": "" if rep.role == "manager" else f"R-{rep.team * 1000 + (1 if success else 2):04d}",
        "team": f"{'Success' if success else 'Support'} {rep.team + 1}",
        "segment": rep.segment,
        "hired_on": str(first_of(rep.hired)),
        "left_on": str(left or ""),
        "moved_to": draws.pick(p.MOVED_TO) if left and moved else "",
        "annual_cost": money(_annual_cost(rep, world)),
        "working_hours_per_month": "152" if rep.role == "manager" else draws.pick({"152": 0.85, "122": 0.15}),
    }


def _annual_cost(rep: Rep, world: World) -> int:
    """Cents a year with everything an employer pays."""
    least, most = p.PAY[rep.role]
    return world.draws("pay", rep.number).whole(least // 500, most // 500) * 50_000


def cost_rows(reps: Sequence[Rep], teams: int, world: World) -> list[Row]:
    """What customer success and support cost in each month of the window."""
    rows = []
    pay = {rep.rep_id: _annual_cost(rep, world) // 12 for rep in reps}
    for month in range(world.start, p.END):
        there = [rep for rep in reps if rep.hired <= month and (rep.left is None or rep.left > month)]
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
                {"month": str(first_of(month)), "item": item, "amount": money(cents), "function": function}
                for item, cents in items.items()
            ]
    return rows
