"""Survey answers of accounts and reps: after onboarding, periodically, and at the exit."""

from __future__ import annotations

from datetime import date, timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.draws import Draws
from cs_helpers.data.sample.effects import agent_mood, mood
from cs_helpers.data.sample.phrases import agent_comment, comment
from cs_helpers.data.sample.profile import true_reason
from cs_helpers.data.sample.subscriptions import Account, Spell
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.work import csm_in
from cs_helpers.data.sample.world import Row, World, billing_date, first_of, last_paid_month, moment, month_of

REASON_THEME = {"price": "price", "missing features": "features", "poor service": "support"}


def account_survey_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Every invitation sent to the account in the window, whether it answered or not."""
    rows = []
    for spell in account.spells:
        for kind, stage, day in _invitations(account, spell, world):
            draws = world.draws("survey", account.number, kind, day)
            month = min(month_of(day), last_paid_month(spell.end or p.END_DAY))
            content = mood(account, spell, month, draws)
            rep = csm_in(spell, month, team, world)
            row = _survey(kind, stage, day, content, draws)
            row |= {"account_id": account.account_id, "rep_id": rep.rep_id if rep else ""}
            if kind == "exit" and row["answered_at"]:
                row |= _exit_words(account, world, draws)
            rows.append(row)
    return rows


def _invitations(account: Account, spell: Spell, world: World) -> list[tuple[str, str, date]]:
    """Kind, stage and day of what was sent while the account paid, inside the window."""
    draws = world.draws("invitations", account.number, spell.start)
    found = [("csat", "onboarding", spell.start + timedelta(days=draws.whole(*p.ONBOARDING_SURVEY_DAYS)))]
    last = last_paid_month(spell.end or p.END_DAY)
    ages = last - last_paid_month(spell.start)
    for kind, every, later in (("nps", p.NPS_EVERY, 0), ("ces", p.CES_EVERY, 3)):
        found += [(kind, "periodic", billing_date(spell.start, age + later)) for age in range(every, ages + 1, every)]
    stop = spell.end or p.END_DAY
    invitations = [(kind, stage, day) for kind, stage, day in found if world.first_day <= day < stop]
    if spell.end is not None:
        invitations.append(
            ("exit", "exit", max(spell.start, world.first_day, spell.end - timedelta(days=1 + draws.whole(0, 4))))
        )
    return invitations


def _survey(kind: str, stage: str, day: date, content: float, draws: Draws) -> Row:
    """One invitation and, where there is one inside the window, its answer."""
    sent = day.toordinal() * 86_400 + (480 + 15 * draws.whole(0, 32)) * 60
    answered = sent + 60 * int(20 + 900 * draws.skewed(1.0))
    often = p.ANSWERS[kind] * (1 if 0.3 <= content <= 0.7 else p.ANSWERS_OF_THE_EXTREME)
    responds = draws.chance(often) and answered < p.END_DAY.toordinal() * 86_400
    score = _score(kind, content)
    writes = responds and draws.chance(p.COMMENTED[kind])
    return {
        "kind": kind,
        "sent_at": moment(sent),
        "answered_at": moment(answered) if responds else "",
        "stage": stage,
        "score": str(score) if responds else "",
        "comment": comment(content >= 0.5, draws) if writes else "",
        "reason": "",
        "competitor": "",
    }


def _score(kind: str, content: float) -> int:
    """Mood on the survey's scale: 0 to 10 for nps, 1 to 7 for ces, else 1 to 5, lower at the exit."""
    if kind == "nps":
        return min(10, max(0, int(2.8 + 11 * content)))
    if kind == "ces":
        return min(7, max(1, int(1.8 + 7 * content)))
    return min(5, max(1, int((0.6 if kind == "exit" else 1.8) + 5 * content)))


def _exit_words(account: Account, world: World, draws: Draws) -> Row:
    """Why and to whom, as stated: mostly the true reason, otherwise the price."""
    reason = true_reason(account, world) if draws.chance(p.STATED_TRULY) else "price"
    rival = draws.pick(p.COMPETITORS)
    named = reason == "competitor" or draws.chance(p.COMPETITOR_NAMED)
    words = {"reason": reason, "competitor": rival if named and reason != "closing down" else ""}
    if draws.chance(p.COMMENTED["exit"]):
        return words | {"comment": comment(False, draws, REASON_THEME.get(reason, ""))}
    return words | {"comment": ""}


def agent_survey_rows(rep: Rep, world: World) -> list[Row]:
    """Quarterly survey answers of CSMs and support reps about their own work."""
    rows = []
    for month in range(world.start, p.END):
        there = rep.hired <= month and (rep.left is None or month < rep.left)
        if rep.role == "manager" or month % 3 != 2 or not there:
            continue
        draws = world.draws("agent survey", rep.number, month)
        felt = agent_mood(rep, month, draws)
        row = _survey("agent", "periodic", first_of(month).replace(day=3), (felt - 1) / 4, draws)
        if row["answered_at"]:
            score = min(5, max(1, int(felt + 0.5)))
            words = agent_comment(score >= 4, draws) if row["comment"] else ""
            row |= {"score": str(score), "comment": words}
        rows.append(row | {"account_id": "", "rep_id": rep.rep_id})
    return rows
