"""Lasting effects of single support reps, accounts and moods; truth.json lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.draws import Draws
from cs_helpers.data.sample.subscriptions import Account, Spell
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.world import World, last_paid_month

Effects = Mapping[str, float]


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
    """An account's own effect on the satisfaction, handling and resolution of its tickets."""
    return _drawn(p.ACCOUNT_SPREAD, world.draws("account effect", number))


def _drawn(spread: Mapping[str, float], draws: Draws) -> dict[str, float]:
    """Shifts around 0 and factors around 1, to four digits so that the truth file has exactly the values used."""
    return {
        name: round((1 if name.endswith("factor") else 0) + deviation * draws.bell(), 4)
        for name, deviation in spread.items()
    }


def mood(account: Account, spell: Spell, month: int, draws: Draws) -> float:
    """How content the account is in a month, mostly between 0 and 1."""
    months, shift = p.MOOD_BEFORE_CHURN
    leaving = spell.end is not None and last_paid_month(spell.end) - month < months
    trouble = p.MOOD_TROUBLE if month in spell.trouble else 0.0
    return p.MOOD[account.kind.fit] + trouble + (shift if leaving else 0.0) + p.MOOD_SPREAD * draws.bell()


def agent_mood(rep: Rep, month: int, draws: Draws) -> float:
    """A rep's own satisfaction before rounding, 1 to 5: lower in the last six months in the job."""
    leaving = p.AGENT_BEFORE_LEAVING if rep.left is not None and month >= rep.left - 6 else 0.0
    return p.AGENT_MEAN + leaving + 0.8 * draws.bell()
