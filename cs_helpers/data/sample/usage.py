"""What the accounts do with the product: one row per account, named user and day."""

from __future__ import annotations

from datetime import date

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.draws import Draws
from cs_helpers.data.sample.subscriptions import Account, Spell
from cs_helpers.data.sample.world import Row, World, last_paid_month


def usage_rows(account: Account, world: World) -> list[Row]:
    """The account's user-days inside its paid time in the window, at most one a user and day."""
    own = world.draws("usage", account.number)
    level = p.USER_DAYS_A_MONTH[account.kind.segment] * p.USAGE_FIT_FACTOR[account.kind.fit]
    level *= 1 + p.USAGE_SPREAD * own.bell()
    users = own.whole(*p.USERS[account.kind.segment])
    favourite = own.pick(p.FEATURES)
    seen: dict[tuple[int, int], Row] = {}
    for spell in account.spells:
        for month, low, after in spell.paid_months(world):
            draws = world.draws("usage", account.number, month, spell.start)
            mean = level * usage_factor(spell, month) * (after - low) / 30
            for _ in range(int(mean * (1 + 0.25 * draws.bell()) + draws.uniform())):
                day = _day(low, after, draws)
                user = min(draws.whole(1, users), draws.whole(1, users))  # the first named use it most
                feature = favourite if draws.chance(0.35) else draws.pick(p.FEATURES)
                quantity = int(draws.skewed(1.1))
                row = {
                    "account_id": account.account_id,
                    "occurred_at": str(date.fromordinal(day)),
                    "user_id": f"{account.account_id}-{user}",
                    "feature": feature,
                    "quantity": str(quantity),
                    "minutes": str(2 + 3 * quantity + draws.whole(0, 9)),
                }
                seen.setdefault((day, user), row)
    return list(seen.values())


def usage_factor(spell: Spell, month: int) -> float:
    """How much of its usual usage an account shows: trouble, the months before the end, the first ones, holidays."""
    factor = p.USAGE_TROUBLE_FACTOR if month in spell.trouble else 1.0
    factor *= p.USAGE_CALENDAR_MONTH.get(month % 12 + 1, 1.0)
    since = month - last_paid_month(spell.start) - 1
    if since < len(p.USAGE_FIRST_MONTHS):
        factor *= p.USAGE_FIRST_MONTHS[max(since, 0)]
    if spell.end is not None:
        left = last_paid_month(spell.end) - month
        if left < len(p.USAGE_BEFORE_CHURN):
            factor *= p.USAGE_BEFORE_CHURN[left]
    return factor


def _day(low: int, after: int, draws: Draws) -> int:
    """A day of [low, after) by its weekday's share; the share of weekends is near, not exact, in part months."""
    for _ in range(8):
        day = draws.whole(low, after - 1)
        weekday = (day - 1) % 7
        share = p.USAGE_WEEKDAY.get(weekday, p.USAGE_WEEKEND / 2)
        if draws.chance(share / 0.25):
            return day
    return day
