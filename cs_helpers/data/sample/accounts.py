"""Draws the accounts: who they are, when they start and leave and why, when they get a CSM, and what they pay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.team import Team
from cs_helpers.data.sample.world import Draws, Row, World, billing_date, first_of, last_paid_month, money, month_of


@dataclass(frozen=True)
class Kind:
    """What a new account is. With trouble, age, month and the CSM seats it sets the hazard and who gets a CSM."""

    segment: str
    term: int
    fit: str
    size: str


@dataclass(frozen=True)
class Price:
    """One price period of one subscription; ``end`` None is still running."""

    start: date
    end: date | None
    plan: str
    seats: int
    discount: int
    term: int
    notice: date | None = None

    @property
    def cents(self) -> int:
        return p.SEAT_CENTS[self.plan] * self.seats * (100 - self.discount) // 100


@dataclass(frozen=True)
class PaidPeriod:
    """Uninterrupted paid time from its first day to the first day not paid for, with its prices.

    ``seat`` is the CSM seat it got on ``covered_from``, or the seat that is always empty; ``trouble`` holds the months
    in trouble, by their last paid day.
    """

    start: date
    end: date | None
    prices: tuple[Price, ...]
    seat: int
    covered_from: date
    trouble: frozenset[int]

    @property
    def covered_month(self) -> int:
        """The first month that is worked on by the seat."""
        return last_paid_month(self.covered_from) + 1


@dataclass(frozen=True)
class Account:
    """One customer company: its kind, its paid periods, and the team that serves it."""

    number: int
    team: int
    kind: Kind
    periods: tuple[PaidPeriod, ...]
    add_on: Price | None

    @property
    def account_id(self) -> str:
        return f"A-{self.number:04d}"

    @property
    def prices(self) -> list[Price]:
        """Everything it ever paid, in order."""
        prices = [price for period in self.periods for price in period.prices]
        prices += [self.add_on] if self.add_on else []
        return sorted(prices, key=lambda price: (price.start, price.plan))

    def paid_months(self, world: World) -> Iterator[tuple[PaidPeriod, int, int, int]]:
        """Paid period, month, first paid day and the day after the last paid one (ordinals), inside the window."""
        for period in self.periods:
            begin, stop = max(period.start, world.first_day), period.end or p.END_DAY
            for month in range(month_of(begin), last_paid_month(stop) + 1):
                low, after = max(begin, first_of(month)), min(stop, first_of(month + 1))
                yield period, month, low.toordinal(), after.toordinal()


def winning(world: World) -> list[int]:
    """Relative number of accounts won in each month from ``origin + 1`` to the window's last."""
    past = [70 + 2 * month for month in range(p.PAST)]
    return past + [100 + 30 * month // world.months for month in range(world.months)]


@cache
def hazards(segment: str, term: int, fit: str, ages: int) -> tuple[float, ...]:
    """Base x tenure x fit at ages 0, 1, 2 ...; age 0 is no decision."""
    by_age = [0.0]
    for age in range(1, ages + 1):
        annual = p.HAZARD_BETWEEN_ANNIVERSARIES if age % 12 else p.HAZARD_AT_ANNIVERSARY
        base = (p.HAZARD_MONTHLY_TERM if term == 1 else annual)[segment]
        tenure = next((factor for month, factor in p.TENURE_FACTOR if age <= month), p.TENURE_FACTOR_LATER)
        by_age.append(base * tenure * p.FIT_FACTOR[fit])
    return tuple(by_age)


def seats_of(segment: str) -> list[int]:
    """Numbers of the CSM seats that serve a segment."""
    return [n for n, of in enumerate(p.CSM_SEATS) if of == segment]


def draw_account(number: int, teams: Sequence[Team], world: World) -> Account:
    """The first history drawn for this account that is still paying when the window opens."""
    team = teams[(number - 1) // p.TEAM_ACCOUNTS]
    attempt, first = 0, None
    while first is None:
        draws = world.draws("account", number, attempt)
        start, kind = _start(world, draws), _kind(draws)
        covered = draws.chance(p.COVERED_AT_WINNING[kind.segment][kind.size])
        seat = draws.choice(seats_of(kind.segment)) if covered else p.UNCOVERED
        first = _period(kind, _first_price(kind, start, draws), seat, team, world, ("life", number, attempt))
        attempt += 1
    second = _second_period(first, number, kind, team, world)
    add_on = _add_on(first, kind, world, world.draws("add-on", number))
    return Account(number, team.number, kind, (first, second) if second else (first,), add_on)


def _start(world: World, draws: Draws) -> date:
    running = list(accumulate(winning(world)))
    first = first_of(world.origin + 1 + bisect_right(running, draws.whole(0, running[-1] - 1)))
    return first if draws.chance(p.FIRST_OF_MONTH_SHARE) else first.replace(day=draws.whole(2, 28))


def _kind(draws: Draws) -> Kind:
    segment = draws.pick(p.SEGMENT_SHARE)
    term = 1 if draws.chance(p.MONTHLY_TERM_SHARE[segment]) else 12
    fit = draws.pick(p.FIT_SHARE)
    return Kind(segment, term, fit, draws.pick(p.SIZE_SHARE))


def _first_price(kind: Kind, start: date, draws: Draws) -> Price:
    plans = p.FIRST_PLAN[kind.segment]
    plan = draws.pick({name: share for name, (share, _, _) in plans.items()})
    _, smallest, reach = plans[plan]
    seats = max(p.MIN_SEATS, int(smallest * draws.skewed(reach) * p.SIZE_PERCENT[kind.size] / 100))
    return Price(start, None, plan, seats, draws.pick(p.DISCOUNT[kind.segment]), kind.term)


def _period(
    kind: Kind, price: Price, seat: int, team: Team, world: World, key: tuple[object, ...]
) -> PaidPeriod | None:
    """Paid time from the first price on, drawn billing date by billing date; None if it ended before the window."""
    start = price.start
    by_age = hazards(kind.segment, kind.term, kind.fit, p.END - world.origin)
    before = last_paid_month(start)
    prices, covered_from, in_trouble, trouble = [price], start, False, []
    factors = team.csm_seats[seat].factors
    for month in range(before + 1, p.END):
        age, n = month - before, month - world.origin
        draws = world.draws(*key, age)
        if in_trouble:
            trouble.append(month)
        if draws.chance(by_age[age] * factors[n] * (p.TROUBLE_FACTOR if in_trouble else 1.0)):
            if month < world.start:
                return None
            end = billing_date(start, age)
            notice = end - timedelta(days=draws.whole(*((1, 28) if kind.term == 1 else (20, 90))))
            prices[-1] = replace(prices[-1], end=end, notice=max(prices[-1].start, notice))
            return PaidPeriod(start, end, tuple(prices), seat, covered_from, frozenset(trouble))
        if month >= world.start:
            changed = _changed(prices[-1], kind, age, team.csm_seats[seat].sitting[n] is not None, draws)
            day = billing_date(start, age)
            if changed is not None and day < p.END_DAY:
                prices[-1] = replace(prices[-1], end=day)
                prices.append(replace(changed, start=day))
        in_trouble = draws.chance(1 - p.TROUBLE_ENDS if in_trouble else p.TROUBLE_ENTERS[kind.fit])
        if seat == p.UNCOVERED and draws.chance(p.COVERED_LATER[kind.segment]["trouble" if in_trouble else "calm"]):
            seat, covered_from = draws.choice(seats_of(kind.segment)), billing_date(start, age)
            factors = team.csm_seats[seat].factors
    return PaidPeriod(start, None, tuple(prices), seat, covered_from, frozenset(trouble))


def _second_period(first: PaidPeriod, number: int, kind: Kind, team: Team, world: World) -> PaidPeriod | None:
    """Some who churned come back months later, with at most as many seats, on a monthly term and to the same CSM."""
    draws = world.draws("return", number)
    if first.end is None or not draws.chance(p.REACTIVATION):
        return None
    back = billing_date(first.end, draws.whole(*p.REACTIVATION_GAP))
    if back >= p.END_DAY:
        return None
    last = first.prices[-1]
    seats = max(p.MIN_SEATS, last.seats * draws.whole(60, 100) // 100)
    price = Price(back, None, last.plan, seats, last.discount, 1)
    return _period(replace(kind, term=1), price, first.seat, team, world, ("second life", number))


def _changed(price: Price, kind: Kind, age: int, covered: bool, draws: Draws) -> Price | None:
    """The price after a billing date: more seats, a higher plan, fewer seats, or None for as before."""
    up = p.EXPANSION[kind.segment] * p.EXPANSION_FIT_FACTOR[kind.fit] * (p.EXPANSION_COVERED_FACTOR if covered else 1)
    if kind.term == 1:
        down = p.CONTRACTION_MONTHLY_TERM[kind.segment]
    else:
        down = p.CONTRACTION_AT_ANNIVERSARY[kind.segment] if age % 12 == 0 else 0.0
    down *= p.CONTRACTION_FIT_FACTOR[kind.fit]
    drawn = draws.uniform()
    if drawn < up:
        if draws.chance(p.UPGRADE_SHARE) and price.plan != p.PLANS[-1]:
            return replace(price, plan=p.PLANS[p.PLANS.index(price.plan) + 1])
        return replace(price, seats=price.seats + max(1, price.seats * draws.whole(*p.EXPANSION_PERCENT) // 100))
    if drawn < up + down:
        fewer = price.seats - max(1, price.seats * draws.whole(*p.CONTRACTION_PERCENT) // 100)
        return replace(price, seats=fewer) if fewer >= p.MIN_SEATS else None
    return None


def _add_on(period: PaidPeriod, kind: Kind, world: World, draws: Draws) -> Price | None:
    """A second product bought inside the window beside the first period, running until the period or earlier ends."""
    if not draws.chance(p.ADD_ON_SHARE[kind.segment]):
        return None
    bought = first_of(world.start + draws.whole(0, world.months - 1)).replace(day=period.start.day)
    last = period.end or p.END_DAY
    if not period.start < bought < last:
        return None
    seats = next(price.seats for price in reversed(period.prices) if price.start <= bought)
    add_on = Price(bought, period.end, p.ADD_ON, seats, 0, kind.term)
    early = billing_date(bought, draws.whole(5, 14))
    if draws.chance(p.ADD_ON_ENDS_EARLY) and early < last:
        return replace(add_on, end=early)
    notice = period.prices[-1].notice
    return replace(add_on, notice=notice and max(bought, notice))


def subscription_rows(account: Account) -> list[Row]:
    """The account's rows in subscriptions.csv, one per price period."""
    return [
        {
            "subscription_id": f"S-{account.number:04d}-{n:02d}",
            "account_id": account.account_id,
            "start_date": price.start,
            "end_date": price.end,
            "mrr": money(price.cents),
            "plan": price.plan,
            "seats": price.seats,
            "currency": "EUR",
            "term_months": price.term,
            "is_trial": False,
            "discount_rate": f"0.{price.discount:02d}",
            "notice_date": price.notice,
        }
        for n, price in enumerate(account.prices, start=1)
    ]


def true_reason(account: Account, world: World) -> str:
    """Why the account left last, or would leave."""
    return world.draws("reason", account.number).pick(p.REASONS[account.kind.fit])


def recorded_reason(account: Account, world: World) -> str:
    """The recorded reason of an account that left; empty for other accounts and where no reason was recorded."""
    draws = world.draws("recorded reason", account.number)
    if account.periods[-1].end is None or not draws.chance(p.RECORDED):
        return ""
    return true_reason(account, world) if draws.chance(p.RECORDED_TRULY) else "price"


def account_row(account: Account, world: World) -> Row:
    """The account's row in accounts.csv."""
    draws = world.draws("profile", account.number)
    segment = account.kind.segment
    industry = draws.pick({name: share for name, (share, _) in p.INDUSTRIES.items()})
    region = draws.pick({name: share for name, (share, _) in p.REGIONS.items()})
    smallest, reach = p.EMPLOYEES[segment]
    employees = int(smallest * draws.skewed(reach))
    signup = account.periods[0].start - timedelta(days=draws.whole(0, 30))
    return {
        "account_id": account.account_id,
        "name": _name(account.number, draws.choice(p.INDUSTRIES[industry][1])),
        "segment": segment,
        "industry": industry,
        "region": region,
        "country": draws.choice(p.REGIONS[region][1]),
        "employees": None if draws.chance(0.04) else employees,
        "signup_date": signup,
        "acquisition_channel": draws.pick(p.ACQUISITION),
        "gross_margin": f"0.{draws.whole(*p.GROSS_MARGIN_PERCENT[segment])}",
        "churn_reason": recorded_reason(account, world),
    }


def _name(number: int, trade: str) -> str:
    names = len(p.STEM_HEADS) * len(p.STEM_TAILS)
    again = number // names
    head, tail = divmod(number * 257 % names, len(p.STEM_TAILS))
    return f"{p.STEM_HEADS[head]}{p.STEM_TAILS[tail]} {trade}{f' {again + 1}' if again else ''}"


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
