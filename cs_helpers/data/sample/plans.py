"""Renewals and their forecasts, the work plan, and the goals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.accounts import Account
from cs_helpers.data.sample.team import Team
from cs_helpers.data.sample.world import Row, World, billing_date, first_of, money, month_of

# Segment: activity -> times a year and account; hours to prepare, to hold and to follow up; what it is worth.
WORK = {
    "onboarding": ((2.0, 3.0, 4.0), (0.75, 1.5, 0.5), "the first value, and the name of whoever decides"),
    "qbr": ((0.0, 4.0, 4.0), (1.0, 1.0, 1.0), "the next year's plan agreed with whoever pays"),
    "check_in": ((4.0, 7.0, 13.0), (0.1, 0.4, 0.1), "trouble heard of before it becomes notice"),
    "training": ((0.5, 0.5, 1.0), (0.5, 1.25, 0.25), "new users at work in a day"),
    "escalation": ((0.2, 0.3, 0.5), (0.5, 0.75, 0.5), "an angry account that stays"),
    "renewal": ((0.5, 0.8, 0.95), (0.5, 0.75, 0.25), "a signature before the due date"),
}
# Metric, target and value to start from, for whom.
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
REP_GOALS_SHARE = 0.5  # of the reps there now have a goal of their own for the last half-year


def renewal_rows(account: Account, world: World) -> list[Row]:
    """The anniversaries of an annual contract that were reached in the window, and those soon to come, still open.

    A contract left between two anniversaries had no decision to take; monthly terms have none to miss.
    """
    period, rows = account.periods[0], []
    if account.kind.term != 12:
        return []
    horizon = first_of(p.END + p.RENEWAL_OUTLOOK)
    for age in range(12, p.END - world.origin + 24, 12):
        due = billing_date(period.start, age)
        if due >= horizon or (period.end is not None and due > period.end):
            break
        if due <= world.first_day:
            continue
        draws = world.draws("renewal", account.number, age)
        state = "trouble" if month_of(due) - 2 in period.trouble else "calm"
        if due == period.end and draws.chance(p.LOSS_SEEN_COMING):
            state = "seen coming"
        before = mrr_on(account, due - timedelta(days=1))
        row = {"account_id": account.account_id, "due_date": due, "target_mrr": before}
        if due == period.end:
            row |= {"renewed_mrr": "0.00", "decided_date": period.prices[-1].notice, "outcome": "lost"}
        elif due < p.END_DAY:
            decided = max(due - timedelta(days=draws.whole(3, 45)), period.start)
            row |= {"renewed_mrr": mrr_on(account, due), "decided_date": decided, "outcome": "renewed"}
        rows.append(row | {"forecast_category": draws.pick(p.FORECAST[state])})
    return rows


def mrr_on(account: Account, day: date) -> str:
    """The account's MRR on a day over everything it pays for; after the window's last day, that of the last day."""
    at = min(day, p.END_DAY - timedelta(days=1))
    return money(sum(one.cents for one in account.prices if one.start <= at and (one.end is None or at < one.end)))


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
