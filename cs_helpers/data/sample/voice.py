"""Survey answers of accounts and reps: after onboarding, periodically, and at the exit."""

from __future__ import annotations

from datetime import date, timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.accounts import Account, PaidPeriod, true_reason
from cs_helpers.data.sample.activity import csm_in
from cs_helpers.data.sample.phrases import agent_comment, comment
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.world import Draws, Row, World, billing_date, first_of, last_paid_month, moment, month_of

REASON_THEME = {"price": "price", "missing features": "features", "poor service": "support"}


def account_survey_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Every invitation sent to the account in the window, whether it answered or not."""
    rows = []
    for period in account.periods:
        for kind, stage, day in _invitations(account, period, world):
            draws = world.draws("survey", account.number, kind, day)
            month = min(month_of(day), last_paid_month(period.end or p.END_DAY))
            mood = _mood(account, period, month, draws)
            rep = csm_in(period, month, team, world)
            row = _survey(kind, stage, day, mood, draws)
            row |= {"account_id": account.account_id, "rep_id": rep.rep_id if rep else ""}
            if kind == "exit" and row["answered_at"]:
                row |= _exit_words(account, world, draws)
            rows.append(row)
    return rows


def _mood(account: Account, period: PaidPeriod, month: int, draws: Draws) -> float:
    """How satisfied the account is in a month, mostly between 0 and 1."""
    months, shift = p.MOOD_BEFORE_CHURN
    leaving = period.end is not None and last_paid_month(period.end) - month < months
    trouble = p.MOOD_TROUBLE if month in period.trouble else 0.0
    return p.MOOD[account.kind.fit] + trouble + (shift if leaving else 0.0) + p.MOOD_SPREAD * draws.bell()


def _invitations(account: Account, period: PaidPeriod, world: World) -> list[tuple[str, str, date]]:
    """Kind, stage and day of what was sent while the account paid, inside the window."""
    draws = world.draws("invitations", account.number, period.start)
    found = [("csat", "onboarding", period.start + timedelta(days=draws.whole(*p.ONBOARDING_SURVEY_DAYS)))]
    stop = period.end or p.END_DAY
    ages = last_paid_month(stop) - last_paid_month(period.start)
    for kind, every, later in (("nps", p.NPS_EVERY, 0), ("ces", p.CES_EVERY, 3)):
        found += [(kind, "periodic", billing_date(period.start, age + later)) for age in range(every, ages + 1, every)]
    invitations = [(kind, stage, day) for kind, stage, day in found if world.first_day <= day < stop]
    if period.end is not None:
        last = max(period.start, world.first_day, period.end - timedelta(days=1 + draws.whole(0, 4)))
        invitations.append(("exit", "exit", last))
    return invitations


def _survey(kind: str, stage: str, day: date, mood: float, draws: Draws) -> Row:
    """One invitation and, where there is one inside the window, its answer."""
    sent = day.toordinal() * 86_400 + (480 + 15 * draws.whole(0, 32)) * 60
    answered = sent + 60 * int(20 + 900 * draws.skewed(1.0))
    often = p.ANSWERS[kind] * (1 if 0.3 <= mood <= 0.7 else p.ANSWERS_OF_THE_EXTREME)
    responds = draws.chance(often) and answered < p.END_DAY.toordinal() * 86_400
    writes = responds and draws.chance(p.COMMENTED[kind])
    return {
        "kind": kind,
        "sent_at": moment(sent),
        "answered_at": moment(answered) if responds else None,
        "stage": stage,
        "score": _score(kind, mood) if responds else None,
        "comment": comment(mood >= 0.5, draws) if writes else None,
    }


def _score(kind: str, mood: float) -> int:
    """Mood on the survey's scale: 0 to 10 for nps, 1 to 7 for ces, else 1 to 5, lower at the exit."""
    if kind == "nps":
        return min(10, max(0, int(2.8 + 11 * mood)))
    if kind == "ces":
        return min(7, max(1, int(1.8 + 7 * mood)))
    return min(5, max(1, int((0.6 if kind == "exit" else 1.8) + 5 * mood)))


def _exit_words(account: Account, world: World, draws: Draws) -> Row:
    """Why and to whom, as stated: mostly the true reason, otherwise the price."""
    reason = true_reason(account, world) if draws.chance(p.STATED_TRULY) else "price"
    rival = draws.pick(p.COMPETITORS)
    named = reason == "competitor" or draws.chance(p.COMPETITOR_NAMED)
    writes = draws.chance(p.COMMENTED["exit"])
    return {
        "reason": reason,
        "competitor": rival if named and reason != "closing down" else None,
        "comment": comment(False, draws, REASON_THEME.get(reason, "")) if writes else None,
    }


def agent_survey_rows(rep: Rep, world: World) -> list[Row]:
    """Quarterly survey answers of CSMs and support reps about their own work, 1 to 5."""
    rows = []
    for month in range(world.start, p.END):
        if rep.role == "manager" or month % 3 != 2 or not rep.works_in(month):
            continue
        draws = world.draws("agent survey", rep.number, month)
        leaving = p.AGENT_BEFORE_LEAVING if rep.left is not None and month >= rep.left - 6 else 0.0
        felt = p.AGENT_MEAN + leaving + 0.8 * draws.bell()
        row = _survey("agent", "periodic", first_of(month).replace(day=3), (felt - 1) / 4, draws)
        if row["answered_at"]:
            score = min(5, max(1, int(felt + 0.5)))
            row |= {"score": score, "comment": agent_comment(score >= 4, draws) if row["comment"] else None}
        rows.append(row | {"rep_id": rep.rep_id})
    return rows
