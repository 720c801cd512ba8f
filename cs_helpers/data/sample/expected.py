"""The survival, logo churn and effect of the CSMs that the parameters imply, with nothing drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.accounts import Kind, hazards, seats_of, winning
from cs_helpers.data.sample.team import Team, recent_factor
from cs_helpers.data.sample.world import World, first_of


def expected(world: World, teams: Sequence[Team]) -> dict[str, Any]:
    """Survival and logo churn in expectation: every kind and month of winning, age by age, nothing drawn."""
    at_risk = {segment: [0.0] * (p.END - world.origin) for segment in p.SEGMENTS}
    ended = {segment: [0.0] * (p.END - world.origin) for segment in p.SEGMENTS}
    years = [year for year in (p.END - 12, p.END - 24) if year >= world.start]
    opening, closing = dict.fromkeys(years, 0.0), dict.fromkeys(years, 0.0)
    already, without_csms = 0.0, 0.0
    for team in teams:
        groups = list(_groups(team, world))
        exported = _total(alive[max(world.start - before, 1) - 1] for _, before, alive, _ in groups)
        scale = min(p.TEAM_ACCOUNTS, world.accounts - team.number * p.TEAM_ACCOUNTS) / exported
        for segment, before, alive, alone in groups:
            if before < world.start:
                already += alive[world.start - before - 1] * scale
            for age in range(max(world.start - before, 1), len(alive)):
                at_risk[segment][age] += alive[age - 1] * scale
                ended[segment][age] += (alive[age - 1] - alive[age]) * scale
            for year in years:
                if before < year:
                    opening[year] += alive[year - before - 1] * scale
                    closing[year] += alive[year + 12 - before - 1] * scale
            if before < p.END - 12:
                without_csms += alone * scale
    csm_effect: dict[str, float | None] = dict.fromkeys(("logo_churn", "logo_churn_without_csms", "accounts_kept"))
    if p.END - 12 in years:
        begun, left = opening[p.END - 12], closing[p.END - 12]
        csm_effect = {
            "logo_churn": round(1 - left / begun, 6),
            "logo_churn_without_csms": round(1 - without_csms / begun, 6),
            "accounts_kept": round(left - without_csms, 3),
        }
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
            **{
                f"{first_of(y)} to {first_of(y + 12) - timedelta(days=1)}": round(1 - closing[y] / opening[y], 6)
                for y in years
            },
        },
        "csm_effect": {
            "definition": (
                "Logo churn of the last 12 months among accounts in their first spell, as it was to be expected, and "
                "as it would be had nobody sat in any CSM seat in those months; the difference in points and accounts "
                "is what the CSMs kept. null: the window is shorter than 12 months."
            ),
            **csm_effect,
        },
    }


def _groups(team: Team, world: World) -> Iterator[tuple[str, int, list[float], float]]:
    """Accounts of one kind won in one month, for every kind and month.

    Each is its segment, the month of the day before its start, the number expected to be customers after each age, and
    the number expected at the end had no account had a CSM in the last 12 months.

    Ages count whole calendar months from the day before the start: an account that starts on the 1st of May
    is paid through April at age 0, one of the 2nd through the 1st.
    """
    first, won = p.FIRST_OF_MONTH_SHARE, [0, *winning(world), 0]
    weights = [first * won[n + 1] + (1 - first) * won[n] for n in range(len(won) - 1)]
    recent = [recent_factor(month) for month in range(world.origin, p.END)]
    for kind, share in _kinds():
        for n, weight in enumerate(weights):
            yield kind.segment, world.origin + n, *_alive(kind, n, weight * share, team, recent)


def _kinds() -> Iterator[tuple[Kind, float]]:
    """Every kind of new account with its share."""
    for segment in p.SEGMENTS:
        monthly = p.MONTHLY_TERM_SHARE[segment]
        for term, term_share in ((1, monthly), (12, 1 - monthly)):
            for fit, fit_share in p.FIT_SHARE.items():
                for size, size_share in p.SIZE_SHARE.items():
                    yield Kind(segment, term, fit, size), p.SEGMENT_SHARE[segment] * term_share * fit_share * size_share


def _alive(kind: Kind, n: int, weight: float, team: Team, recent: Sequence[float]) -> tuple[list[float], float]:
    """Expected customers after each age of those whose age 0 is at place ``n`` of the months; the same without CSMs.

    The state is how many are calm and in trouble, without a CSM seat and in each seat of the segment.
    """
    by_age = hazards(kind.segment, kind.term, kind.fit, len(recent))
    enters, stays, worse = p.TROUBLE_ENTERS[kind.fit], 1 - p.TROUBLE_ENDS, p.TROUBLE_FACTOR
    later = p.COVERED_LATER[kind.segment]
    seats = seats_of(kind.segment)
    factors = [team.csm_seats[seat].factors for seat in (p.UNCOVERED, *seats)]
    covered = p.COVERED_AT_WINNING[kind.segment][kind.size]
    calm = [weight * (1 - covered), *[weight * covered / len(seats)] * len(seats)]
    troubled = [0.0] * len(calm)
    alive, begins = [weight], len(recent) - 12  # after the place before ``begins`` the last 12 months are to come
    alone = [weight, 0.0]
    for age in range(1, len(recent) - n):
        place, total = n + age, 0.0
        for i, seat in enumerate(factors):
            ends = by_age[age] * seat[place]
            quiet, hard = calm[i] * (1 - ends), troubled[i] * (1 - ends * worse)
            total += quiet + hard
            calm[i] = quiet * (1 - enters) + hard * (1 - stays)
            troubled[i] = quiet * enters + hard * stays
        moved = calm[0] * later["calm"] / len(seats), troubled[0] * later["trouble"] / len(seats)
        calm[0], troubled[0] = calm[0] * (1 - later["calm"]), troubled[0] * (1 - later["trouble"])
        for i in range(1, len(calm)):
            calm[i] += moved[0]
            troubled[i] += moved[1]
        alive.append(total)
        if place < begins:
            alone = [_total(calm), _total(troubled)]
        else:
            ends = by_age[age] * recent[place]
            quiet, hard = alone[0] * (1 - ends), alone[1] * (1 - ends * worse)
            alone = [quiet * (1 - enters) + hard * (1 - stays), quiet * enters + hard * stays]
    return alive, _total(alone)


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
