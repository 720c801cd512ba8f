"""The contents of ``truth.json``: all parameters, all hidden effects, and what they imply. Never read by a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.accounts import draw_account
from cs_helpers.data.sample.company_tables import GROWTH, PRICING_EXITS, PRICING_EXITS_AFTER, TELLING
from cs_helpers.data.sample.expected import expected
from cs_helpers.data.sample.team import Team, make_teams
from cs_helpers.data.sample.tickets import account_effects, support_effects, support_outliers
from cs_helpers.data.sample.world import World


def truth(accounts: int = 600, months: int = 36, seed: int = 1) -> dict[str, Any]:
    """The parameters, what they do not affect, and the survival and logo churn to expect, as ``truth.json`` has them.

    Survival and expected logo churn come from the recursion over every kind of account and month of winning,
    given who sat in which CSM seat when; no drawn account enters. Fractions, ages in months. ``hidden`` lists
    what was drawn for single reps and accounts and is not in the export. Raises ParameterError.
    """
    world = World(accounts, months, seed)
    teams = make_teams(world)
    return {
        "company": p.COMPANY,
        "arguments": {"accounts": accounts, "months": months, "seed": seed},
        "window": {"start": str(world.first_day), "end_exclusive": str(p.END_DAY)},
        "selection": (
            f"The seed-1 company was picked out of {p.LOOKED_AT} drawn by these same parameters, for retention figures "
            "of the usual size, a visibly worse last year and several CSM departures. Other seeds were not picked: "
            "judge a method on those."
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
                "between_anniversaries at its other dates) x tenure x fit x trouble x covered x recent. A returned "
                "account starts again, calm, at age 0 on a monthly term."
            ),
            "monthly_term": p.HAZARD_MONTHLY_TERM, "at_anniversary": p.HAZARD_AT_ANNIVERSARY,
            "between_anniversaries": p.HAZARD_BETWEEN_ANNIVERSARIES,
            "tenure_factor": [
                {"up_to_month": month, "factor": factor}
                for month, factor in (*p.TENURE_FACTOR, (None, p.TENURE_FACTOR_LATER))
            ],
            "fit_factor": p.FIT_FACTOR, "trouble_factor": p.TROUBLE_FACTOR, "covered_factor": p.COVERED_FACTOR,
            "covered_means": "the account has a CSM seat and somebody sits in it in the month of the last paid day",
            "recent_factor": p.RECENT_FACTOR,
            "recent_means": f"last paid day in the last {p.RECENT} months of the window: churn is worse there",
        },
        "trouble": {
            "definition": (
                "A hidden state: every account starts calm; at each billing date survived it enters trouble with the "
                "first probability or, in trouble, leaves it with the second. A month is in trouble by the state it "
                "began with. In trouble the hazard, usage, tickets, check-ins, mood and CSAT change by the factors "
                "and shifts given with each."
            ),
            "enters_per_month": p.TROUBLE_ENTERS, "ends_per_month": p.TROUBLE_ENDS,
        },
        "coverage": {
            "definition": (
                "Who is given a CSM depends on size and on trouble, so covered and uncovered accounts cannot be "
                "compared as they are. When won: by segment and size. Later, at each billing date survived without a "
                "CSM: by segment and by whether the account is in trouble from then on. A seat of the segment is "
                "picked at random, coverage is never taken away, and a seat is vacant for some months after its CSM "
                "leaves: which accounts lose their CSM that way has nothing to do with them. A returned account goes "
                "back to the seat it had."
            ),
            "at_winning": p.COVERED_AT_WINNING, "later_per_month": p.COVERED_LATER,
            "seats": {segment: p.CSM_SEATS.count(segment) for segment in p.SEGMENTS},
            "leaving_per_month_from_the_seventh": p.LEAVES,
            "vacancy_months": {role: list(months) for role, months in p.VACANCY.items()},
        },
        "shares": {
            "segment": p.SEGMENT_SHARE, "monthly_term": p.MONTHLY_TERM_SHARE, "fit": p.FIT_SHARE,
            "fit_means": (
                "hidden from the export; moves churn, trouble, price changes, usage, tickets, check-ins, mood and CSAT"
            ),
            "size": p.SIZE_SHARE,
            "size_means": "within the segment; moves the first number of seats and who is given a CSM when won",
            "size_percent_of_first_seats": p.SIZE_PERCENT,
        },
        "price_changes": {
            "definition": "per billing date survived inside the window",
            "expansion": p.EXPANSION, "expansion_fit_factor": p.EXPANSION_FIT_FACTOR,
            "expansion_covered_factor": p.EXPANSION_COVERED_FACTOR,
            "expansion_percent_of_seats": list(p.EXPANSION_PERCENT), "upgrade_share": p.UPGRADE_SHARE,
            "contraction_monthly_term": p.CONTRACTION_MONTHLY_TERM,
            "contraction_at_anniversary": p.CONTRACTION_AT_ANNIVERSARY,
            "contraction_fit_factor": p.CONTRACTION_FIT_FACTOR,
            "contraction_percent_of_seats": list(p.CONTRACTION_PERCENT),
        },
        "reactivation": {"probability": p.REACTIVATION, "gap_months": list(p.REACTIVATION_GAP), "at_most": 1},
        "add_on": {"share": p.ADD_ON_SHARE, "ends_early": p.ADD_ON_ENDS_EARLY},
        "usage": {
            "definition": (
                "user-days a month: the segment's x fit x the account's own level x trouble x the months before the "
                "end x the first months x the calendar month"
            ),
            "user_days_a_month": p.USER_DAYS_A_MONTH, "fit_factor": p.USAGE_FIT_FACTOR,
            "own_level_standard_deviation": p.USAGE_SPREAD, "trouble_factor": p.USAGE_TROUBLE_FACTOR,
            "before_churn_factor": list(p.USAGE_BEFORE_CHURN),
            "before_churn_means": "in the last paid month, the one before it, and so on, of accounts that end",
            "first_months_factor": list(p.USAGE_FIRST_MONTHS),
            "calendar_month_factor": {str(month): factor for month, factor in p.USAGE_CALENDAR_MONTH.items()},
        },
        "support": {
            "definition": (
                "handle_minutes = the category's x segment x rep x account x noise; time from first response to "
                "solution likewise by priority; CSAT before rounding = mean + rep + account + poor fit + trouble + "
                "slow + noise. slow: a wait of over twice the typical one, an escalation or a reopening."
            ),
            "handle_minutes": p.HANDLE, "segment_factor_of_handling_and_resolution": p.SEGMENT_WORK_FACTOR,
            "segment_means": "accounts worth more truly take longer, whoever answers",
            "to_specialists": p.TO_SPECIALISTS,
            "to_specialists_means": (
                f"share of tickets that go to the first {p.SPECIALIST_SEATS} support seats of a division: their "
                "handling looks long because of whom they serve"
            ),
            "tickets_a_month": p.TICKETS_A_MONTH, "tickets_fit_factor": p.WORK_FIT_FACTOR,
            "tickets_trouble_factor": p.WORK_TROUBLE_FACTOR,
            "csat": {
                "mean": p.CSAT_MEAN, "noise_standard_deviation": p.CSAT_NOISE, "slow": p.CSAT_SLOW,
                "poor_fit": p.CSAT_POOR, "trouble": p.CSAT_TROUBLE,
            },
            "csat_answered": p.CSAT_ANSWERED,
            "csat_answered_means": (
                "share that answers the survey, by 1 or 2, 3 or 4, and 5: the unhappy answer more often"
            ),
            "rep_effect_standard_deviations": p.REP_SPREAD, "account_effect_standard_deviations": p.ACCOUNT_SPREAD,
            "abandons": {
                "at_a_wait_of_seconds": p.PATIENCE_SECONDS, "share": p.ABANDONS,
                "others": "in proportion to the wait, at most 0.6",
            },
            "typical_wait_seconds": p.WAIT_SECONDS,
        },
        "surveys": {
            "definition": (
                "Every answer is mood on the survey's scale: mood = fit + trouble + before churn + noise. Those of "
                "mood below 0.3 or above 0.7 answer that many times as often. A comment's theme is drawn by these "
                "shares among the content (mood 0.5 or more; CSAT 4 or 5) and the discontent; at the exit it follows "
                "the stated reason if it can."
            ),
            "mood": p.MOOD, "mood_trouble": p.MOOD_TROUBLE,
            "mood_before_churn": {"last_paid_months": p.MOOD_BEFORE_CHURN[0], "shift": p.MOOD_BEFORE_CHURN[1]},
            "mood_standard_deviation": p.MOOD_SPREAD, "answers": p.ANSWERS,
            "answers_of_the_extreme_factor": p.ANSWERS_OF_THE_EXTREME, "commented": p.COMMENTED,
            "theme_shares": {
                name: {"content": content, "discontent": discontent} for name, (content, discontent) in p.THEMES.items()
            },
            "agent": {"mean": p.AGENT_MEAN, "last_six_months_in_the_job": p.AGENT_BEFORE_LEAVING},
        },
        "reasons": {
            "definition": (
                "why an account leaves, by fit; the exit survey states it truly with the first probability and the "
                "company writes it into accounts.churn_reason truly with the second; otherwise both say price"
            ),
            "true_reason": p.REASONS, "stated_truly": p.STATED_TRULY, "recorded_truly": p.RECORDED_TRULY,
            "recorded_at_all": p.RECORDED,
        },
        "renewals": {
            "definition": (
                "forecast category by the state two months before the due date; this share of losses is seen coming "
                "and forecast as such. Those still open have only the state."
            ),
            "forecast": p.FORECAST, "losses_seen_coming": p.LOSS_SEEN_COMING,
        },
        "touchpoints": {
            "growth_per_month": GROWTH,
            "pricing_page_exits_of_sessions": {
                "before": PRICING_EXITS,
                f"last {p.PRICING_PAGE_CHANGE} months": PRICING_EXITS_AFTER,
            },
        },
        "hiring": {
            "definition": (
                "points of these interview scores per standard deviation of the hired support rep's csat_shift; the "
                "other traits, and all of them for CSMs, say nothing. Training has no effect on anything."
            ),
            "telling_traits": list(TELLING),
            "points_per_standard_deviation": p.INTERVIEW_SIGNAL,
        },
        "no_effect_on_churn": [
            "touches", "tickets", "CSAT", "survey answers", "which CSM (only whether there is one)", "industry",
            "region", "acquisition_channel", "price", "training",
        ],
        "hidden": _hidden(teams, world),
        "expected": expected(world, teams),
    }  # fmt: skip


def written(facts: dict[str, Any]) -> str:
    """The facts as JSON text that a person can read: what fits on a line is on one line."""
    return _json(facts, "") + "\n"


def _json(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    nested = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if len(flat) + len(indent) <= 120 and not any(isinstance(part, dict | list) for part in nested):
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_json(part, inner)}" for key, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{inner}{_json(part, inner)}" for part in value) + f"\n{indent}]"
    return flat


def _hidden(teams: Sequence[Team], world: World) -> dict[str, Any]:
    accounts = [draw_account(number, teams, world) for number in range(1, world.accounts + 1)]
    return {
        "support_outliers": [
            {"rep_id": rep, **effect} for t in teams for rep, effect in support_outliers(t, world).items()
        ],
        "support_reps": support_effects(teams, world),
        "accounts": {
            account.account_id: {"fit": account.kind.fit, "size": account.kind.size}
            | account_effects(account.number, world)
            for account in accounts
        },
    }
