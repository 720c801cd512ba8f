"""Support tickets, and the lasting effects of support reps and accounts on them, which truth.json lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.accounts import Account
from cs_helpers.data.sample.phrases import comment
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.world import Draws, Row, World, moment, working_day

Effects = Mapping[str, float]
DAY = 86_400  # moments are whole seconds, day's ordinal x DAY + second of the day


def support_effects(teams: Sequence[Team], world: World) -> dict[str, dict[str, float]]:
    """Every support rep's effect on satisfaction, handling and resolution, the planted outliers among them."""
    effects = {
        rep.rep_id: _drawn(p.REP_SPREAD, world.draws("rep effect", rep.number)) | {"reopen_factor": 1.0}
        for team in teams
        for seat in team.support_seats
        for rep in seat.people
    }
    for team in teams:
        effects |= support_outliers(team, world)
    return effects


def support_outliers(team: Team, world: World) -> dict[str, dict[str, float]]:
    """Two support reps who really differ, among the generalists present all through the window."""
    seats = team.support_seats[p.SPECIALIST_SEATS :]
    there = [rep for seat in seats for rep in seat.people if rep.hired < world.start and rep.left is None]
    if len(there) < 2:
        return {}
    return {rep.rep_id: dict(effect) for rep, effect in zip((there[0], there[-1]), p.SUPPORT_OUTLIERS, strict=True)}


def account_effects(number: int, world: World) -> dict[str, float]:
    """An account's effect on the satisfaction, handling and resolution of its tickets."""
    return _drawn(p.ACCOUNT_SPREAD, world.draws("account effect", number))


def _drawn(spread: Mapping[str, float], draws: Draws) -> dict[str, float]:
    """Shifts around 0 and factors around 1, to four digits so that the truth file has exactly the values used."""
    return {
        name: round((1 if name.endswith("factor") else 0) + deviation * draws.bell(), 4)
        for name, deviation in spread.items()
    }


def ticket_rows(account: Account, team: Team, reps: Mapping[str, Effects], world: World) -> list[Row]:
    """The account's tickets inside the window, only while it pays. ``reps``: effects by rep_id."""
    rows: list[Row] = []
    kind, own = account.kind, account_effects(account.number, world)
    for period, month, low, after in account.paid_months(world):
        stop = (period.end or p.END_DAY).toordinal() * DAY
        draws = world.draws("tickets", account.number, month, period.start)
        trouble = month in period.trouble
        mean = p.TICKETS_A_MONTH[kind.segment] * p.WORK_FIT_FACTOR[kind.fit]
        mean *= (p.WORK_TROUBLE_FACTOR if trouble else 1) * (after - low) / 30
        shift = own["csat_shift"] + (p.CSAT_POOR if kind.fit == "poor" else 0) + (p.CSAT_TROUBLE if trouble else 0)
        for _ in range(draws.count(mean)):
            day = working_day(low, after, draws)
            if day is None or draws.chance(0.05):
                day = draws.whole(low, after - 1)
            opened = day * DAY + (420 + draws.whole(0, 420) + draws.whole(0, 300)) * 60
            rep = _answering(team, month - world.origin, kind.segment, draws)
            effect = reps[rep.rep_id] if rep else {}
            rows.append(_ticket(opened, stop, rep, effect, own, kind.segment, shift, draws))
    rows.sort(key=lambda row: row["opened_at"])
    for n, row in enumerate(rows, start=1):
        row |= {"ticket_id": f"T-{account.number:04d}-{n:03d}", "account_id": account.account_id}
    return rows


def _answering(team: Team, month: int, segment: str, draws: Draws) -> Rep | None:
    """The support rep who answers: more often a specialist where the account is worth more."""
    specialist = draws.chance(p.TO_SPECIALISTS[segment])
    seats = team.support_seats[: p.SPECIALIST_SEATS] if specialist else team.support_seats[p.SPECIALIST_SEATS :]
    there = [rep for seat in seats if (rep := seat.sitting[month])]
    return draws.choice(there) if there else None


def _ticket(
    opened: int,
    stop: int,
    rep: Rep | None,
    effect: Effects,
    own: Effects,
    segment: str,
    shift: float,
    draws: Draws,
) -> Row:
    """One ticket; what would happen after ``stop`` (the end of the window or account) is left out."""
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
        "rep_id": rep.rep_id if rep and is_answered else None,
        "opened_at": moment(opened),
        "first_response_at": moment(answered) if is_answered else None,
        "resolved_at": moment(resolved) if is_resolved else None,
        "channel": channel,
        "priority": priority,
        "category": category,
        "wait_seconds": wait if queued and answered < stop else None,
        "answered": is_answered if queued else None,
        "contacts": contacts if is_resolved else None,
        "reopened": reopened and is_resolved,
        "escalated": escalated and is_answered,
        "handle_minutes": f"{max(handle, 1.0):.1f}" if is_resolved else None,
        "csat": score if rated else None,
        "ces": effort if rated and rates_effort else None,
        "comment": comment(score >= 4, draws) if rated and writes else None,
    }
