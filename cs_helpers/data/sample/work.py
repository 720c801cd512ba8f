"""What CSMs did for the accounts: assignments and touches."""

from __future__ import annotations

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.draws import Draws
from cs_helpers.data.sample.subscriptions import Account, Kind, Spell
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.world import Row, World, first_of, last_paid_month, moment, working_day


def csm_in(spell: Spell, month: int, team: Team, world: World) -> Rep | None:
    """The CSM of the account in a month; None before it got a CSM and while the seat was vacant."""
    return team.csm_seats[spell.seat].sitting[month - world.origin] if month >= spell.covered_month else None


def assignment_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Which CSM looked after the account from when to when; months of an empty seat have no row."""
    rows = []
    for spell in account.spells:
        for rep in team.csm_seats[spell.seat].people:
            start = max(spell.covered_from, first_of(rep.hired))
            end = min((day for day in (spell.end, rep.left and first_of(rep.left)) if day), default=None)
            if start < p.END_DAY and (end is None or end > max(start, world.first_day)):
                row = {"account_id": account.account_id, "rep_id": rep.rep_id}
                rows.append(row | {"start_date": str(start), "end_date": str(end or ""), "role": "csm"})
    return rows


def touch_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Touches of the account in months in which its seat is filled; at most one touch at a time."""
    rows: dict[str, Row] = {}
    for spell in account.spells:
        started = last_paid_month(spell.start)
        for month, low, after in spell.paid_months(world):
            rep = csm_in(spell, month, team, world)
            if rep is None:
                continue
            draws = world.draws("touches", account.number, month, spell.start)
            for kind in _touch_kinds(account.kind, month - started, month in spell.trouble, draws):
                day = working_day(max(low, spell.covered_from.toordinal()), after, draws)
                if day is None:
                    continue
                at = moment((day * 24 * 60 + 480 + 15 * draws.whole(0, 36)) * 60)
                hours = f"{draws.whole(*p.TOUCH_HOURS[kind]) / 4:.2f}"
                row = {"account_id": account.account_id, "rep_id": rep.rep_id, "occurred_at": at, "kind": kind}
                rows.setdefault(at, row | {"hours": hours, "channel": draws.pick(p.TOUCH_CHANNEL)})
    return list(rows.values())


def _touch_kinds(kind: Kind, age: int, trouble: bool, draws: Draws) -> list[str]:
    often = p.CHECK_INS_A_MONTH[kind.segment] * p.WORK_FIT_FACTOR[kind.fit] * (p.WORK_TROUBLE_FACTOR if trouble else 1)
    kinds = ["check_in"] * draws.count(often)
    if age <= 3:
        kinds += ["onboarding"] * draws.whole(1, 2)
    if kind.segment != "SMB" and age > 3 and age % 3 == 0 and draws.chance(0.8):
        kinds.append("qbr")
    if draws.chance(0.04):
        kinds.append("training")
    if draws.chance(0.10 if trouble else 0.015):
        kinds.append("escalation")
    if kind.term == 12 and age % 12 == 10 and draws.chance(0.85):
        kinds.append("renewal")
    return kinds
