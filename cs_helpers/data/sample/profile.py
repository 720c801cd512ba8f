"""Attributes of the accounts, and why they left: the true, the stated and the recorded reason."""

from __future__ import annotations

from datetime import timedelta

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.subscriptions import Account
from cs_helpers.data.sample.world import Row, World


def true_reason(account: Account, world: World) -> str:
    """Why the account left last, or would."""
    return world.draws("reason", account.number).pick(p.REASONS[account.kind.fit])


def recorded_reason(account: Account, world: World) -> str:
    """The recorded reason of an account that left; empty for other accounts and where no reason was recorded."""
    draws = world.draws("recorded reason", account.number)
    if account.spells[-1].end is None or not draws.chance(p.RECORDED):
        return ""
    return true_reason(account, world) if draws.chance(p.RECORDED_TRULY) else "price"


def account_row(account: Account, world: World) -> Row:
    """The account's row in accounts.csv."""
    draws = world.draws("profile", account.number)
    segment = account.kind.segment
    industry = draws.pick({name: share for name, (share, _) in p.INDUSTRIES.items()})
    region = draws.pick({name: share for name, (share, _) in p.REGIONS.items()})
    countries = p.REGIONS[region][1]
    smallest, reach = p.EMPLOYEES[segment]
    employees = int(smallest * draws.skewed(reach))
    signup = account.spells[0].start - timedelta(days=draws.whole(0, 30))
    return {
        "account_id": account.account_id,
        "name": _name(account.number, p.INDUSTRIES[industry][1][draws.whole(0, 2)]),
        "segment": segment,
        "industry": industry,
        "region": region,
        "country": countries[draws.whole(0, len(countries) - 1)],
        "employees": "" if draws.chance(0.04) else str(employees),
        "signup_date": str(signup),
        "acquisition_channel": draws.pick(p.ACQUISITION),
        "gross_margin": f"0.{draws.whole(*p.GROSS_MARGIN_PERCENT[segment])}",
        "churn_reason": recorded_reason(account, world),
    }


def _name(number: int, trade: str) -> str:
    names = len(p.STEM_HEADS) * len(p.STEM_TAILS)
    again = number // names
    head, tail = divmod(number * 257 % names, len(p.STEM_TAILS))
    return f"{p.STEM_HEADS[head]}{p.STEM_TAILS[tail]} {trade}{f' {again + 1}' if again else ''}"
