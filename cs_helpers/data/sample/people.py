"""Hiring, training and documented processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.team import Rep
from cs_helpers.data.sample.tickets import Effects
from cs_helpers.data.sample.world import Draws, Row, World, first_of

TRAITS = ("drive", "coachability", "positivity", "empathy")
TELLING = ("coachability", "empathy")  # these two are associated with the satisfaction of a support rep's customers
FIRST_COURSE = ("Starting here: ride-alongs and product", 24)
COURSES = {  # share and hours
    "Difficult conversations": (0.22, 4),
    "Product update": (0.34, 2),
    "Reading an account's numbers": (0.18, 6),
    "Writing that helps": (0.16, 3),
    "Negotiating a renewal": (0.10, 8),
}
TRAINED = 0.6  # per rep and quarter
PROCESSES = (
    "Hand over from Sales", "Kick-off with a new account", "Quarterly review", "Renewal ninety days ahead",
    "Account in trouble", "Handover when a CSM leaves", "Price increase", "Exit interview", "Escalation to Product",
    "Outage: who tells whom", "First answer to a ticket", "Closing a ticket", "Refunds and credits",
    "Access for a new user", "Reporting a bug", "Call queue at peak hours", "Quality check of answers",
    "Welcoming a new colleague", "Holiday cover", "Asking for a reference",
)  # fmt: skip
DOCUMENTED, COVERED = 0.75, 0.80  # of processes; of the documented, taught to new colleagues


def people_rows(reps: Iterable[Rep], effects: Mapping[str, Effects], world: World) -> list[Row]:
    """Interviews and trainings of the window, then the processes, of which the undocumented have no date."""
    rows = [
        row
        for rep in reps
        if rep.role != "manager"
        for row in (*_interviews(rep, effects, world), *_trainings(rep, world))
    ]
    rows = [row for row in rows if world.first_day <= row["date"] < p.END_DAY]
    rows.sort(key=lambda row: (row["date"], row.get("candidate_id", ""), row["rep_id"]))
    return rows + [_process(n, name, world) for n, name in enumerate(PROCESSES)]


def _interviews(rep: Rep, effects: Mapping[str, Effects], world: World) -> list[Row]:
    """The candidates for the rep's job, the rep among them, in the two months before the first day."""
    draws = world.draws("interviews", rep.number)
    candidates = draws.whole(*p.CANDIDATES)
    hired, first = draws.whole(1, candidates), first_of(rep.hired)
    gift = effects[rep.rep_id]["csat_shift"] / p.REP_SPREAD["csat_shift"] if rep.rep_id in effects else 0.0
    rows = []
    for n in range(1, candidates + 1):
        day = first - timedelta(days=draws.whole(20, 60))
        better = {trait: p.INTERVIEW_SIGNAL * gift if trait in TELLING else 0.0 for trait in TRAITS}
        means = {trait: 3.4 + better[trait] if n == hired else 2.9 for trait in TRAITS}
        scores = {trait: _points(mean, draws) for trait, mean in means.items()}
        who = {"candidate_id": f"C-{rep.number:04d}-{n}", "rep_id": rep.rep_id if n == hired else ""}
        rows.append({"kind": "interview", "date": day, **who, **scores})
    return rows


def _points(mean: float, draws: Draws) -> str:
    return f"{min(10, max(2, int(2 * (mean + 0.7 * draws.bell()) + 0.5))) / 2:.1f}"


def _trainings(rep: Rep, world: World) -> list[Row]:
    """The course for beginners in the first month, then one course in most quarters."""
    who = {"kind": "training", "rep_id": rep.rep_id}
    course, hours = FIRST_COURSE
    rows = [who | {"date": first_of(rep.hired) + timedelta(days=4), "course": course, "hours": hours}]
    for month in range(max(rep.hired + 3, world.start), rep.left or p.END):
        draws = world.draws("training", rep.number, month)
        if month % 3 == 1 and draws.chance(TRAINED):
            course = draws.pick({name: share for name, (share, _) in COURSES.items()})
            day = first_of(month).replace(day=draws.whole(2, 27))
            rows.append(who | {"date": day, "course": course, "hours": COURSES[course][1]})
    return rows


def _process(number: int, name: str, world: World) -> Row:
    draws = world.draws("process", number)
    day = first_of(world.start + draws.whole(0, world.months - 1)).replace(day=draws.whole(2, 27))
    documented = draws.chance(DOCUMENTED)
    covered = documented and draws.chance(COVERED)
    row = {"kind": "process", "date": day if documented else None, "process": name}
    return row | {"documented": documented, "covered_in_onboarding": covered}
