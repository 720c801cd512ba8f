"""Daily use of the product, and what CSMs did for the accounts: assignments and touches."""

from __future__ import annotations

from datetime import date

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.accounts import Account, Kind, PaidPeriod
from cs_helpers.data.sample.team import Rep, Team
from cs_helpers.data.sample.world import Draws, Row, World, first_of, last_paid_month, moment, working_day


def usage_rows(account: Account, world: World) -> list[Row]:
    """The account's user-days inside its paid time in the window, at most one a user and day."""
    of_account = world.draws("usage", account.number)
    level = p.USER_DAYS_A_MONTH[account.kind.segment] * p.USAGE_FIT_FACTOR[account.kind.fit]
    level *= 1 + p.USAGE_SPREAD * of_account.bell()
    users = of_account.whole(*p.USERS[account.kind.segment])
    favourite = of_account.pick(p.FEATURES)
    seen: dict[tuple[int, int], Row] = {}
    for period, month, low, after in account.paid_months(world):
        draws = world.draws("usage", account.number, month, period.start)
        mean = level * _usage_factor(period, month) * (after - low) / 30
        for _ in range(int(mean * (1 + 0.25 * draws.bell()) + draws.uniform())):
            day = _day(low, after, draws)
            user = min(draws.whole(1, users), draws.whole(1, users))  # the first named use it most
            feature = favourite if draws.chance(0.35) else draws.pick(p.FEATURES)
            quantity = int(draws.skewed(1.1))
            row = {
                "account_id": account.account_id,
                "occurred_at": date.fromordinal(day),
                "user_id": f"{account.account_id}-{user}",
                "feature": feature,
                "quantity": quantity,
                "minutes": 2 + 3 * quantity + draws.whole(0, 9),
            }
            seen.setdefault((day, user), row)
    return list(seen.values())


def _usage_factor(period: PaidPeriod, month: int) -> float:
    """What trouble, the months before the end, the first months and holidays do to an account's usual usage."""
    factor = p.USAGE_TROUBLE_FACTOR if month in period.trouble else 1.0
    factor *= p.USAGE_CALENDAR_MONTH.get(month % 12 + 1, 1.0)
    since = month - last_paid_month(period.start) - 1
    if since < len(p.USAGE_FIRST_MONTHS):
        factor *= p.USAGE_FIRST_MONTHS[max(since, 0)]
    if period.end is not None:
        left = last_paid_month(period.end) - month
        if left < len(p.USAGE_BEFORE_CHURN):
            factor *= p.USAGE_BEFORE_CHURN[left]
    return factor


def _day(low: int, after: int, draws: Draws) -> int:
    """A day of [low, after) by its weekday's share; the share of weekends is near, not exact, in part months."""
    for _ in range(8):
        day = draws.whole(low, after - 1)
        if draws.chance(p.USAGE_WEEKDAY.get((day - 1) % 7, p.USAGE_WEEKEND / 2) / 0.25):
            return day
    return day


def csm_in(period: PaidPeriod, month: int, team: Team, world: World) -> Rep | None:
    """The CSM of the account in a month; None before it got a CSM and while the seat was vacant."""
    return team.csm_seats[period.seat].sitting[month - world.origin] if month >= period.covered_month else None


def assignment_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Which CSM looked after the account from when to when; months of an empty seat have no row."""
    rows: list[Row] = []
    for period in account.periods:
        for rep in team.csm_seats[period.seat].people:
            start = max(period.covered_from, first_of(rep.hired))
            end = min((day for day in (period.end, rep.left and first_of(rep.left)) if day), default=None)
            if start < p.END_DAY and (end is None or end > max(start, world.first_day)):
                who = {"account_id": account.account_id, "rep_id": rep.rep_id, "role": "csm"}
                rows.append(who | {"start_date": start, "end_date": end})
    return rows


def touch_rows(account: Account, team: Team, world: World) -> list[Row]:
    """Touches of the account in months in which its seat is filled; at most one touch at a time."""
    rows: dict[str, Row] = {}
    for period, month, low, after in account.paid_months(world):
        rep = csm_in(period, month, team, world)
        if rep is None:
            continue
        draws = world.draws("touches", account.number, month, period.start)
        for kind in _touch_kinds(account.kind, month - last_paid_month(period.start), month in period.trouble, draws):
            day = working_day(max(low, period.covered_from.toordinal()), after, draws)
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
