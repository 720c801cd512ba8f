"""The tables about the whole company: work plan, goals, people records and touchpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.tickets import Effects
from cs_helpers.data.sample.world import Draws, Row, World, first_of, month_of

# Segment: activity -> times a year and account; hours to prepare, to hold and to follow up; what it is worth.
WORK = {
    "onboarding": ((2.0, 3.0, 4.0), (0.75, 1.5, 0.5), "the first value, and the name of whoever decides"),
    "qbr": ((0.0, 4.0, 4.0), (1.0, 1.0, 1.0), "the next year's plan agreed with whoever pays"),
    "check_in": ((4.0, 7.0, 13.0), (0.1, 0.4, 0.1), "trouble heard of before it becomes notice"),
    "training": ((0.5, 0.5, 1.0), (0.5, 1.25, 0.25), "new users at work in a day"),
    "escalation": ((0.2, 0.3, 0.5), (0.5, 0.75, 0.5), "an angry account that stays"),
    "renewal": ((0.5, 0.8, 0.95), (0.5, 0.75, 0.25), "a signature before the due date"),
}
# Per department: metric, target and baseline.
DEPARTMENT_GOALS = {
    "Customer Success": (("grr", 0.92, 0.89), ("nrr", 1.06, 1.02), ("logo_churn", 0.10, 0.13)),
    "Customer Support": (("csat", 0.82, 0.78), ("service_level", 0.80, 0.70), ("first_response_hours", 2.5, 3.0)),
    "Product": (("stickiness", 0.06, 0.05), ("nps", 0.15, 0.08)),
    "Marketing": (("bounce_rate", 0.40, 0.45),),
}
TEAM_GOALS = {  # one of satisfaction and one of productivity for each team
    "Success": (("nps", 0.15, 0.08), ("touches_per_working_day", 0.80, 0.70)),
    "Support": (("csat", 0.82, 0.78), ("tickets_per_working_day", 1.30, 1.15)),
}
REP_GOALS = {"csm": ("renewal_rate_revenue", 0.92, 0.88), "support": ("csat", 0.82, 0.78)}
REP_GOALS_SHARE = 0.5  # of current reps have an individual goal for the last half-year
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
WEEKEND, GROWTH = 0.35, 0.006  # share of a working day's impressions; per month
# Exits per session of the pricing page, before and from PRICING_PAGE_CHANGE months before the end on.
PRICING_EXITS, PRICING_EXITS_AFTER = 0.34, 0.47
# Stage, impressions a working day, clicks per impression, sessions per click, exits and bounces per session.
TOUCHPOINTS = {
    "search ad": ("before", 2400, 0.031, 0.92, 0.66, 0.55),
    "website": ("before", 1500, 0.240, 0.85, 0.48, 0.41),
    "webinar page": ("before", 260, 0.110, 0.95, 0.57, 0.38),
    "pricing page": ("during", 420, 0.280, 0.95, PRICING_EXITS, 0.12),
    "trial form": ("during", 130, 0.350, 0.98, 0.42, 0.10),
    "contract portal": ("during", 34, 0.620, 1.00, 0.21, 0.04),
    "help centre": ("after", 700, 0.310, 0.90, 0.52, 0.29),
    "in-app guide": ("after", 900, 0.180, 0.97, 0.30, 0.15),
}


def work_plan_rows() -> list[Row]:
    """What a CSM is meant to do for one account of each segment in a year; what is never meant has no row."""
    return [
        {
            "segment": segment,
            "activity": activity,
            "times_per_year": often[n],
            **dict(zip(("preparation_hours", "delivery_hours", "follow_up_hours"), hours, strict=True)),
            "value_note": note,
        }
        for n, segment in enumerate(p.SEGMENTS)
        for activity, (often, hours, note) in WORK.items()
        if often[n]
    ]


def goal_rows(teams: Sequence[Team], world: World) -> list[Row]:
    """Goals of departments by calendar year, of teams by half-year, and of some reps for the half-year that ends."""
    rows = []
    for year in range(world.start // 12, (p.END - 1) // 12 + 1):
        for department, goals in DEPARTMENT_GOALS.items():
            rows += [_goal(goal, department, "", year * 12, 12) for goal in goals]
    units = [manager.unit for team in teams for manager in team.managers if manager.level == "manager"]
    for half in range(world.start // 6 * 6, p.END, 6):
        for unit in units:
            kind = unit.split()[0]
            rows += [_goal(goal, f"Customer {kind}", unit, half, 6) for goal in TEAM_GOALS[kind]]
    last = (p.END - 1) // 6 * 6
    for rep in (rep for team in teams for rep in team.reps()):
        if rep.left is None and rep.role in REP_GOALS and world.draws("goal", rep.number).chance(REP_GOALS_SHARE):
            department = "Customer Success" if rep.role == "csm" else "Customer Support"
            rows.append(_goal(REP_GOALS[rep.role], department, rep.rep_id, last, 6))
    return rows


def _goal(goal: tuple[str, float, float], department: str, owner: str, month: int, months: int) -> Row:
    metric, target, baseline = goal
    return {
        "metric": metric,
        "department": department,
        "target": f"{target:.2f}",
        "period_start": first_of(month),
        "period_end": first_of(month + months),
        "owner": owner,
        "baseline": f"{baseline:.2f}",
    }


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


def touchpoint_rows(world: World) -> list[Row]:
    """One row per touchpoint and day of the window, its counts around the rates above."""
    rows = []
    for day in range(world.first_day.toordinal(), p.END_DAY.toordinal()):
        draws = world.draws("touchpoints", day)
        on = date.fromordinal(day)
        busy = (WEEKEND if on.weekday() > 4 else 1) * (1 + GROWTH * (month_of(on) - p.END))
        for name, (stage, shown, clicked, visited, left, bounced) in TOUCHPOINTS.items():
            if name == "pricing page" and on >= first_of(p.END - p.PRICING_PAGE_CHANGE):
                left = PRICING_EXITS_AFTER
            row: Row = {"date": on, "touchpoint": name, "stage": stage}
            row["impressions"] = _near(shown * busy, draws.bell())
            row["clicks"] = min(row["impressions"], _near(row["impressions"] * clicked, draws.bell()))
            row["sessions"] = min(row["clicks"], _near(row["clicks"] * visited, 0.3 * draws.bell()))
            row["exits"] = min(row["sessions"], _near(row["sessions"] * left, draws.bell()))
            row["bounces"] = min(row["exits"], _near(row["sessions"] * bounced, draws.bell()))
            rows.append(row)
    return rows


def _near(mean: float, bell: float) -> int:
    """A count around ``mean``, a tenth of it either way."""
    return max(0, int(mean * (1 + 0.1 * bell) + 0.5))
