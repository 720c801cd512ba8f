"""What the data cannot say about themselves: the parameters, and the survival they imply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cs_helpers.sample import parameters as p
from cs_helpers.sample.subscriptions import Kind, hazards, seats_of, winning
from cs_helpers.sample.team import Team, make_teams, support_outliers
from cs_helpers.sample.world import World, first_of


def truth(accounts: int = 400, months: int = 30, seed: int = 1) -> dict[str, Any]:
    """The parameters, what they do not affect, and the survival and logo churn to expect, as ``truth.json`` has them.

    Survival and expected logo churn come from the recursion over every kind of account and month of winning,
    given who sat in which CSM seat when; no drawn account enters. Fractions, ages in months.
    Raises ParameterError.
    """
    world = World(accounts, months, seed)
    teams = make_teams(world)
    outliers = [(rep_id, effect) for team in teams for rep_id, effect in support_outliers(team, world).items()]
    return {
        "company": p.COMPANY,
        "arguments": {"accounts": accounts, "months": months, "seed": seed},
        "window": {"start": str(world.first_day), "end_exclusive": str(p.END_DAY)},
        "selection": (
            "The seed-1 company was picked out of 24 drawn by these same parameters, for retention figures of the "
            "usual size, a visibly worse last year and several CSM departures. Other seeds were not picked: judge a "
            "method on those."
        ),
        "left_truncation": (
            f"Accounts were won from {p.PAST} months before the window on and lived by the hazards below. Those whose "
            "last paid day was before the window are not in the export: the others enter observation at their age "
            "when the window opens."
        ),
        "hazard": {
            "definition": (
                "Probability that an account ends at its k-th monthly billing date (k = age in months): the base "
                "for its segment and term (at_anniversary where a 12-month term and k is a multiple of 12, "
                "between_anniversaries at its other dates) x tenure x fit x covered x recent. A returned account "
                "starts again at age 0 on a monthly term."
            ),
            "monthly_term": p.HAZARD_MONTHLY_TERM,
            "at_anniversary": p.HAZARD_AT_ANNIVERSARY,
            "between_anniversaries": p.HAZARD_BETWEEN_ANNIVERSARIES,
            "tenure_factor": [
                {"up_to_month": month, "factor": factor}
                for month, factor in (*p.TENURE_FACTOR, (None, p.TENURE_FACTOR_LATER))
            ],
            "fit_factor": p.FIT_FACTOR,
            "covered_factor": p.COVERED_FACTOR,
            "covered_means": "the account has a CSM seat and somebody sits in it in the month of the last paid day",
            "recent_factor": p.RECENT_FACTOR,
            "recent_means": f"last paid day in the last {p.RECENT} months of the window: churn is worse there",
        },
        "shares": {
            "segment": p.SEGMENT_SHARE,
            "monthly_term": p.MONTHLY_TERM_SHARE,
            "fit": p.FIT_SHARE,
            "fit_means": "hidden from the export; moves churn, price changes, tickets, check-ins and CSAT",
            "covered": p.COVERED_SHARE,
        },
        "price_changes": {
            "definition": "per billing date survived inside the window",
            "expansion": p.EXPANSION,
            "expansion_fit_factor": p.EXPANSION_FIT_FACTOR,
            "expansion_covered_factor": p.EXPANSION_COVERED_FACTOR,
            "expansion_percent_of_seats": list(p.EXPANSION_PERCENT),
            "upgrade_share": p.UPGRADE_SHARE,
            "contraction_monthly_term": p.CONTRACTION_MONTHLY_TERM,
            "contraction_at_anniversary": p.CONTRACTION_AT_ANNIVERSARY,
            "contraction_fit_factor": p.CONTRACTION_FIT_FACTOR,
            "contraction_percent_of_seats": list(p.CONTRACTION_PERCENT),
        },
        "reactivation": {"probability": p.REACTIVATION, "gap_months": list(p.REACTIVATION_GAP), "at_most": 1},
        "add_on": {"share": p.ADD_ON_SHARE, "ends_early": p.ADD_ON_ENDS_EARLY},
        "no_effect_on_churn": [
            "touches", "tickets", "CSAT", "which CSM (only whether there is one)", "industry", "region",
            "acquisition_channel", "price",
        ],
        "support_outliers": [{"rep_id": rep_id, **effect} for rep_id, effect in outliers],
        "expected": _expected(world, teams),
    }  # fmt: skip


def _expected(world: World, teams: Sequence[Team]) -> dict[str, Any]:
    """Survival and logo churn in expectation: every kind and month of winning, age by age, nothing drawn."""
    at_risk = {segment: [0.0] * (p.END - world.origin) for segment in p.SEGMENTS}
    ended = {segment: [0.0] * (p.END - world.origin) for segment in p.SEGMENTS}
    years = [year for year in (p.END - 12, p.END - 24) if year >= world.start]
    opening, closing = dict.fromkeys(years, 0.0), dict.fromkeys(years, 0.0)
    already = 0.0
    for team in teams:
        lives = list(_lives(team, world))
        exported = _total(alive[max(world.start - before, 1) - 1] for _, before, alive in lives)
        scale = min(p.TEAM_ACCOUNTS, world.accounts - team.number * p.TEAM_ACCOUNTS) / exported
        for segment, before, alive in lives:
            if before < world.start:
                already += alive[world.start - before - 1] * scale
            for age in range(max(world.start - before, 1), len(alive)):
                at_risk[segment][age] += alive[age - 1] * scale
                ended[segment][age] += (alive[age - 1] - alive[age]) * scale
            for year in years:
                if before < year:
                    opening[year] += alive[year - before - 1] * scale
                    closing[year] += alive[year + 12 - before - 1] * scale
    return {
        "survival": {
            "definition": (
                "S(k): product over ages 1 to k of 1 - expected ends / expected accounts at risk at that age, over "
                "the first spells of all exported accounts inside the window, entering at their age when it opens. "
                "A new account of the default mix that meets the months (CSM vacancies, the worse last "
                f"{p.RECENT}) as this company's accounts met them. null: an age nobody can reach in the window."
            ),
            "all": _survival(at_risk, ended, p.SEGMENTS),
            **{segment: _survival(at_risk, ended, (segment,)) for segment in p.SEGMENTS},
        },
        "paying_when_the_window_opens": round(already / world.accounts, 6),
        "first_spells_ended": round(_total(value for by_age in ended.values() for value in by_age), 3),
        "logo_churn": {
            "definition": "accounts in their first spell at the year's start whose first spell ends by its end / them",
            **{_year_from(year): round(1 - closing[year] / opening[year], 6) for year in years},
        },
    }


def _year_from(month: int) -> str:
    return f"{first_of(month)} to {first_of(month + 12) - timedelta(days=1)}"


def _lives(team: Team, world: World) -> Iterator[tuple[str, int, list[float]]]:
    """Segment, month of the day before the start, and the expected accounts alive after each age, of every kind.

    Ages count whole calendar months from the day before the start: an account that starts on the 1st of May
    is paid through April at age 0, one of the 2nd through the 1st.
    """
    first, won = p.FIRST_OF_MONTH_SHARE, [0, *winning(world), 0]
    weights = [first * won[n + 1] + (1 - first) * won[n] for n in range(len(won) - 1)]
    for kind, share in _kinds():
        by_age = hazards(kind.segment, kind.term, kind.fit, p.END - world.origin)
        factors = team.csm_seats[kind.seat].factors
        for n, weight in enumerate(weights):
            alive = [weight * share]
            for age in range(1, len(factors) - n):
                alive.append(alive[-1] * (1 - by_age[age] * factors[n + age]))
            yield kind.segment, world.origin + n, alive


def _kinds() -> Iterator[tuple[Kind, float]]:
    """Every kind of new account with its share."""
    for segment in p.SEGMENTS:
        seats, covered, monthly = seats_of(segment), p.COVERED_SHARE[segment], p.MONTHLY_TERM_SHARE[segment]
        for term, term_share in ((1, monthly), (12, 1 - monthly)):
            for fit, fit_share in p.FIT_SHARE.items():
                share = p.SEGMENT_SHARE[segment] * term_share * fit_share
                yield Kind(segment, term, fit, p.UNCOVERED), share * (1 - covered)
                for seat in seats:
                    yield Kind(segment, term, fit, seat), share * covered / len(seats)


def _survival(
    at_risk: Mapping[str, Sequence[float]], ended: Mapping[str, Sequence[float]], segments: Sequence[str]
) -> dict[str, float | None]:
    survival: dict[str, float | None] = dict.fromkeys(("6", "12", "24"))
    left = 1.0
    for age in range(1, len(at_risk[segments[0]])):
        risk = _total(at_risk[segment][age] for segment in segments)
        if not risk:
            break
        left *= 1 - _total(ended[segment][age] for segment in segments) / risk
        if str(age) in survival:
            survival[str(age)] = round(left, 6)
    return survival


def _total(values: Iterable[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total
