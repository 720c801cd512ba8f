"""The support desk: who asked what, who answered, how long it took and how it was liked."""

from __future__ import annotations

from collections.abc import Mapping

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.draws import Draws
from cs_helpers.data.sample.effects import Effects, account_effects
from cs_helpers.data.sample.phrases import comment
from cs_helpers.data.sample.subscriptions import Account
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.world import Row, World, moment, working_day

DAY = 86_400  # moments are whole seconds, day's ordinal x DAY + second of the day


def ticket_rows(account: Account, team: Team, reps: Mapping[str, Effects], world: World) -> list[Row]:
    """The account's support contacts inside the window, only while it pays. ``reps``: effects by rep_id."""
    rows: list[Row] = []
    kind, own = account.kind, account_effects(account.number, world)
    for spell in account.spells:
        stop = (spell.end or p.END_DAY).toordinal() * DAY
        for month, low, after in spell.paid_months(world):
            draws = world.draws("tickets", account.number, month, spell.start)
            trouble = month in spell.trouble
            mean = p.TICKETS_A_MONTH[kind.segment] * p.WORK_FIT_FACTOR[kind.fit]
            mean *= (p.WORK_TROUBLE_FACTOR if trouble else 1) * (after - low) / 30
            shift = own["csat_shift"] + (p.CSAT_POOR if kind.fit == "poor" else 0) + (p.CSAT_TROUBLE if trouble else 0)
            for _ in range(draws.count(mean)):
                day = working_day(low, after, draws)
                if day is None or draws.chance(0.05):
                    day = draws.whole(low, after - 1)
                opened = day * DAY + (420 + draws.whole(0, 420) + draws.whole(0, 300)) * 60
                rep = _answering(team, month - world.origin, kind.segment, draws)
                row = {"account_id": account.account_id}
                effect = reps[rep.rep_id] if rep else {}
                rows.append(row | _ticket(opened, stop, rep, effect, own, kind.segment, shift, draws))
    rows.sort(key=lambda row: row["opened_at"])
    return [{"ticket_id": f"T-{account.number:04d}-{n:03d}"} | row for n, row in enumerate(rows, start=1)]


def _answering(team: Team, month: int, segment: str, draws: Draws) -> Rep | None:
    """One of those at the desk: more often a specialist where the account is worth more."""
    specialist = draws.chance(p.TO_SPECIALISTS[segment])
    seats = team.support_seats[: p.SPECIALIST_SEATS] if specialist else team.support_seats[p.SPECIALIST_SEATS :]
    desk = [rep for seat in seats if (rep := seat.sitting[month])]
    return desk[draws.whole(0, len(desk) - 1)] if desk else None


def _ticket(
    opened: int, stop: int, rep: Rep | None, effect: Effects, own: Effects, segment: str, shift: float, draws: Draws
) -> Row:
    """One ticket; what would happen after ``stop`` (the window's or the account's end) has not happened."""
    channel, priority, category = draws.pick(p.CHANNEL), draws.pick(p.PRIORITY), draws.pick(p.CATEGORY)
    queued = channel in p.WAIT_SECONDS
    typical = p.WAIT_SECONDS[channel] if queued else 60 * p.FIRST_RESPONSE[priority]
    wait = 1 + int(typical * (0.064 * draws.skewed(3.0) if queued else 0.25 * draws.skewed(1.2)))
    lost = queued and draws.chance(min(0.6, p.ABANDONS * wait / p.PATIENCE_SECONDS))
    answered, there = opened + wait, rep is not None and not lost
    slower = p.SEGMENT_WORK_FACTOR[segment] * own["resolution_factor"] * effect.get("resolution_factor", 1)
    work = int(60 * p.RESOLUTION[priority] * 0.12 * draws.skewed(1.5) * slower * (4 if draws.chance(0.08) else 1))
    longer = p.SEGMENT_WORK_FACTOR[segment] * own["handle_factor"] * effect.get("handle_factor", 1)
    handle = p.HANDLE[category] * 0.4 * draws.skewed(0.8) * longer
    reopened = draws.chance(0.06 * effect.get("reopen_factor", 1))
    escalated = draws.chance(0.12 if priority == "urgent" else 0.03)
    resolved = answered + work * (2 if reopened else 1) + (54_000 if escalated else 0)
    contacts = 1 + draws.count(0.35, 2) + (1 if reopened else 0) + (1 if escalated else 0)
    slow = wait > 2 * typical or escalated or reopened
    noise = p.CSAT_NOISE * draws.bell()
    liked = p.CSAT_MEAN + effect.get("csat_shift", 0) + shift + (p.CSAT_SLOW if slow else 0) + noise
    score = min(5, max(1, int(liked + 0.5)))
    group = "unhappy" if score <= 2 else "happy" if score == 5 else "middling"
    responds, rates_effort, writes = (
        draws.chance(p.CSAT_ANSWERED[group]), draws.chance(0.5), draws.chance(p.COMMENTED["ticket"])
    )  # fmt: skip
    effort = min(7, max(1, int(1.4 * liked + 0.3 + 0.7 * draws.bell())))
    is_answered, is_resolved = there and answered < stop, there and resolved < stop
    rated = is_resolved and responds
    return {
        "rep_id": rep.rep_id if rep and is_answered else "",
        "opened_at": moment(opened),
        "first_response_at": moment(answered) if is_answered else "",
        "resolved_at": moment(resolved) if is_resolved else "",
        "channel": channel,
        "priority": priority,
        "category": category,
        "wait_seconds": str(wait) if queued and answered < stop else "",
        "answered": ("true" if is_answered else "false") if queued else "",
        "contacts": str(contacts) if is_resolved else "",
        "reopened": "true" if reopened and is_resolved else "false",
        "escalated": "true" if escalated and is_answered else "false",
        "handle_minutes": f"{max(handle, 1.0):.1f}" if is_resolved else "",
        "csat": str(score) if rated else "",
        "ces": str(effort) if rated and rates_effort else "",
        "comment": comment(score >= 4, draws) if rated and writes else "",
    }
