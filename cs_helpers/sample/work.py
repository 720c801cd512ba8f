"""What was done for the accounts: assignments, tickets and touches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cs_helpers.sample import parameters as p
from cs_helpers.sample.draws import Draws
from cs_helpers.sample.subscriptions import Account, Kind
from cs_helpers.sample.team import Rep, Team
from cs_helpers.sample.world import Row, World, first_of, last_paid_month

DAY = 24 * 60  # moments are whole minutes, day's ordinal x DAY + minute of the day


def assignment_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Which CSM looked after the account from when to when; months of an empty seat have no row."""
    rows = []
    for spell in account.spells:
        for rep in team.csm_seats[account.kind.seat].people:
            start = max(spell.start, first_of(rep.hired))
            end = min((day for day in (spell.end, rep.left and first_of(rep.left)) if day), default=None)
            if end is None or end > max(start, world.first_day):
                row = {"account_id": account.account_id, "rep_id": rep.rep_id}
                rows.append(row | {"start_date": str(start), "end_date": str(end or ""), "role": "csm"})
    return rows


def ticket_rows(account: Account, team: Team, outliers: Mapping[str, Mapping[str, float]], world: World) -> list[Row]:
    """The account's support contacts inside the window, only while it pays."""
    rows: list[Row] = []
    kind = account.kind
    mean = p.TICKETS_A_MONTH[kind.segment] * p.WORK_FIT_FACTOR[kind.fit]
    for spell in account.spells:
        stop = (spell.end or p.END_DAY).toordinal() * DAY
        for month, least, after in spell.paid_months(world):
            draws = world.draws("tickets", account.number, month, spell.start)
            desk = [rep for seat in team.support_seats if (rep := seat.sitting[month - world.origin])]
            for _ in range(draws.count(mean * (after - least) / 30)):
                day = _working_day(least, after, draws)
                if day is None or draws.chance(0.05):
                    day = draws.whole(least, after - 1)
                opened = day * DAY + 420 + draws.whole(0, 420) + draws.whole(0, 300)
                rep = desk[draws.whole(0, len(desk) - 1)] if desk else None
                effect = outliers.get(rep.rep_id, {}) if rep else {}
                rows.append({"account_id": account.account_id} | _ticket(opened, stop, rep, effect, kind.fit, draws))
    rows.sort(key=lambda row: row["opened_at"])
    return [{"ticket_id": f"T-{account.number:04d}-{n:03d}"} | row for n, row in enumerate(rows, start=1)]


def _ticket(opened: int, stop: int, rep: Rep | None, effect: Mapping[str, float], fit: str, draws: Draws) -> Row:
    """One ticket; what would happen after ``stop`` (the window's or the account's end) has not happened."""
    channel, priority, category = draws.pick(p.CHANNEL), draws.pick(p.PRIORITY), draws.pick(p.CATEGORY)
    typical = p.FIRST_RESPONSE_LIVE.get(channel, p.FIRST_RESPONSE[priority])
    wait = 1 + int(typical * 0.25 * draws.skewed(1.2))
    work = int(p.RESOLUTION[priority] * 0.12 * draws.skewed(1.5) * (4 if draws.chance(0.08) else 1))
    handle = 2 + int(p.HANDLE[category] * 0.4 * draws.skewed(0.8) * effect.get("handle_factor", 1))
    reopened = draws.chance(0.06 * effect.get("reopen_factor", 1))
    escalated = draws.chance(0.12 if priority == "urgent" else 0.03)
    answered = opened + wait
    resolved = answered + work * (2 if reopened else 1) + (900 if escalated else 0)
    slow = wait > 2 * typical or escalated or reopened
    noise = 2.6 * (draws.uniform() + draws.uniform() + draws.uniform() - 1.5)
    mood = 4.35 + effect.get("csat_shift", 0) - (0.7 if slow else 0) - (0.5 if fit == "poor" else 0) + noise
    score = min(5, max(1, int(mood + 0.5)))
    responds = draws.chance(0.40 if score <= 2 else 0.30 if score == 5 else 0.20)
    is_answered, is_resolved = rep is not None and answered < stop, rep is not None and resolved < stop
    return {
        "rep_id": rep.rep_id if rep and is_answered else "",
        "opened_at": _time(opened),
        "first_response_at": _time(answered) if is_answered else "",
        "resolved_at": _time(resolved) if is_resolved else "",
        "channel": channel,
        "priority": priority,
        "category": category,
        "reopened": "true" if reopened and is_resolved else "false",
        "escalated": "true" if escalated and is_answered else "false",
        "handle_minutes": str(handle) if is_resolved else "",
        "csat": str(score) if is_resolved and responds else "",
    }


def touch_rows(account: Account, team: Team, world: World) -> list[Row]:
    """What CSMs did with the account, in months with somebody in its seat; at most one touch at a time."""
    rows: dict[str, Row] = {}
    sitting = team.csm_seats[account.kind.seat].sitting
    for spell in account.spells:
        started = last_paid_month(spell.start)
        for month, least, after in spell.paid_months(world):
            rep = sitting[month - world.origin]
            if rep is None:
                continue
            draws = world.draws("touches", account.number, month, spell.start)
            for kind in _touch_kinds(account.kind, month - started, draws):
                day = _working_day(least, after, draws)
                if day is None:
                    continue
                at = _time(day * DAY + 480 + 15 * draws.whole(0, 36))
                hours = f"{draws.whole(*p.TOUCH_HOURS[kind]) / 4:.2f}"
                row = {"account_id": account.account_id, "rep_id": rep.rep_id, "occurred_at": at, "kind": kind}
                rows.setdefault(at, row | {"hours": hours, "channel": draws.pick(p.TOUCH_CHANNEL)})
    return list(rows.values())


def _touch_kinds(kind: Kind, age: int, draws: Draws) -> list[str]:
    kinds = ["check_in"] * draws.count(p.CHECK_INS_A_MONTH[kind.segment] * p.WORK_FIT_FACTOR[kind.fit])
    if age <= 3:
        kinds += ["onboarding"] * draws.whole(1, 2)
    if kind.segment != "SMB" and age > 3 and age % 3 == 0 and draws.chance(0.8):
        kinds.append("qbr")
    if draws.chance(0.04):
        kinds.append("training")
    if draws.chance(0.06 if kind.fit == "poor" else 0.015):
        kinds.append("escalation")
    if kind.term == 12 and age % 12 == 10 and draws.chance(0.85):
        kinds.append("renewal")
    return kinds


def _working_day(least: int, stop: int, draws: Draws) -> int | None:
    """A day of [least, stop), moved off the weekend where there is a weekday near; None where there is none."""
    day = draws.whole(least, stop - 1)
    weekday = (day - 1) % 7  # ordinal 1 was a Monday
    if weekday < 5:
        return day
    if day - (weekday - 4) >= least:
        return day - (weekday - 4)
    return day + 7 - weekday if day + 7 - weekday < stop else None


def _time(moment: int) -> str:
    day, minute = divmod(moment, DAY)
    return f"{date.fromordinal(day)}T{minute // 60:02d}:{minute % 60:02d}:00Z"
