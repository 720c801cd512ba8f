"""Profiles of consistent outliers in words: what is worth learning, or looking at together; never a cause."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    count,
    listed,
    percent,
    plain,
    refusal_takeaway,
    signed,
)

ASPECTS = {
    "segment": "segment {level}: {value} of the tickets",
    "category": "category {level}: {value} of the tickets",
    "channel": "channel {level}: {value} of the tickets",
    "priority": "priority {level}: {value} of the tickets",
    "opened_before_noon": "{value} of the tickets were opened before noon (UTC)",
    "opened_late": "{value} of the tickets were opened after 17 h (UTC)",
    "opened_at_weekends": "{value} of the tickets were opened at weekends",
    "first_response_hours": "answers first in {value}",
    "resolution_hours": "resolves in {value}",
    "answered_same_day": "answers {value} of the tickets on the same day",
    "aht_minutes": "works {value} on a ticket",
    "contacts": "needs {value} contacts per ticket",
    "escalation_rate": "escalates {value} of the tickets",
    "reopen_rate": "{value} of the tickets are reopened",
    "touches_per_account_month": "{value} touches per account and month",
    "touches_of_kind": "{level}: {value} touches per account and month",
    "touches_by_channel": "{level}: {value} of the touches",
    "hours_per_touch": "takes {value} for a touch",
    "accounts_touched": "touches {value} of the accounts within three months",
}
"""What is said about an aspect."""

SHORT = {
    "opened_before_noon": "opened before noon (UTC)",
    "opened_late": "opened after 17 h (UTC)",
    "opened_at_weekends": "opened at weekends",
    "first_response_hours": "first response",
    "resolution_hours": "time to resolve",
    "answered_same_day": "answered the same day",
    "aht_minutes": "handle time",
    "contacts": "contacts per ticket",
    "escalation_rate": "escalated",
    "reopen_rate": "reopened",
    "touches_per_account_month": "touches per account and month",
    "touches_of_kind": "touches per account and month",
    "touches_by_channel": "share of the touches",
    "hours_per_touch": "time for a touch",
    "accounts_touched": "accounts touched within three months",
}

NOT_THE_CAUSE = "These are differences beside the figure, not its cause"
_MOST = 4  # aspects in a sentence


def say_profile(profile: Any, anchor: str = "profiles") -> Headline:
    """What a consistent outlier does differently, as something to learn or to look at together; or that nothing is.

    ``profile`` as ``reps.profile`` makes it, or a Suppressed.
    """
    if refusal := refusal_takeaway("What is done differently cannot be told.", profile, anchor):
        return refusal
    name, aspects = called(profile.label), profile.aspects
    told = aspects[aspects["told"]].sort_values(["q", "p"], kind="stable")
    seen = f"{count(len(aspects), 'aspect')} looked at, peers with the same work."
    if told.empty:
        return Headline(
            f"Nothing that {name} does differently from peers can be told.",
            f"{_figure_words(profile)}; {seen} The reason may be something that no table holds: ask and listen.",
            anchor,
        )
    words = listed([_aspect(row) for row in told.head(_MOST).itertuples()], _MOST)
    more = f" And {count(len(told) - _MOST, 'more difference')}." if len(told) > _MOST else ""
    return Headline(
        f"{_opening(profile, name)}: {words}.{more}",
        f"{_figure_words(profile)}; {seen} {NOT_THE_CAUSE}: {_next(profile.side)}.",
        anchor,
    )


def say_profiles(profiles: Sequence[Any], anchor: str = "profiles") -> tuple[Headline, ...]:
    """One sentence per profile that has something to tell, and one for all others together; where there is none, that
    nobody is a consistent outlier."""
    if not profiles:
        return (Headline("Nobody differs consistently from peers, so there is no profile.", "", anchor),)
    bare = [each for each in profiles if not isinstance(each, Suppressed) and not each.aspects["told"].any()]
    told = [say_profile(each, anchor) for each in profiles if not any(each is other for other in bare)]
    return tuple(
        told + ([_nothing_told(bare, anchor)] if len(bare) > 1 else [say_profile(one, anchor) for one in bare])
    )


def _nothing_told(profiles: Sequence[Any], anchor: str) -> Headline:
    """Several of whom nothing can be told, in one sentence."""
    names = listed([called(each.label) for each in profiles], 8)
    fewest, most = (pick(len(each.aspects) for each in profiles) for pick in (min, max))
    looked = count(most, "aspect") if fewest == most else f"{fewest} to {most} aspects"
    return Headline(
        f"Nothing that {names} do differently from peers can be told.",
        f"{looked} of each looked at, peers with the same work. The reason may be something that no table holds: ask "
        "and listen.",
        anchor,
    )


def profile_table(profile: Any) -> Block:
    """Every aspect with the rep's figure, the peers', the interval and whether it is told apart, those first."""
    if isinstance(profile, Suppressed):
        return refused(profile.reason)
    rows = profile.aspects.sort_values(["told", "q", "p"], ascending=[False, True, True], kind="stable")
    shown = pd.DataFrame(
        {
            "Aspect": [_short(row) for row in rows.itertuples()],
            "Figure": [_value(row.unit, row.value) for row in rows.itertuples()],
            "Peers": [_value(row.unit, row.peers) for row in rows.itertuples()],
            f"Difference, {SPAN}": [_span(row) for row in rows.itertuples()],
            "Cases": rows["n"].to_numpy(),
            "Told apart": ["yes" if told else "no" for told in rows["told"]],
        }
    )
    block = table(shown, f"What {called(profile.label)} does differently from peers")
    note = (
        f"{NOT_THE_CAUSE}. Told apart: after all aspects of the table are taken into account, and how far reps differ "
        "anyway."
    )
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")


def _opening(profile: Any, name: str) -> str:
    if profile.side == "better":
        return f"Worth learning from {name}"
    if profile.side == "worse":
        return f"Worth looking at together with {name}"
    return f"What {name} does differently"


def _next(side: str) -> str:
    if side == "better":
        return "ask how it is done, and try it with others"
    if side == "worse":
        return "ask what gets in the way, and what help is wanted"
    return "ask what is behind them"


def _figure_words(profile: Any) -> str:
    """Which figure it is that differs, and on which side."""
    name = definitions.short_name(profile.key) if profile.key in definitions.all_metrics() else called(profile.key)
    return f"{name} is consistently {profile.side} than that of peers" if profile.side else f"{name} differs"


def _aspect(row: Any) -> str:
    said = ASPECTS[row.aspect].format(level=_level(row.level), value=_value(row.unit, row.value))
    return f"{said} (peers {_value(row.unit, row.peers)})"


def _level(level: str) -> str:
    return f"'{called(level)}'" if level else ""


def _short(row: Any) -> str:
    if row.aspect in SHORT:
        return f"{SHORT[row.aspect]}{f': {called(row.level)}' if row.level else ''}"
    return f"{row.aspect} {called(row.level)}"


def _value(unit: str, value: float) -> str:
    """``14 %``, ``1.3 hours``, ``12 minutes``, ``0.35``."""
    if not math.isfinite(value):
        return "–"
    if unit == "share":
        return percent(value, 0 if 0.0995 <= value < 0.9995 else 1)
    if unit == "hours" and value < 0.095:
        return _value("minutes", 60 * value)
    if unit in ("hours", "minutes"):
        text = f"{value:,.0f}" if value >= 99.5 else f"{value:,.1f}"
        return f"{text} {unit}"
    return f"{value:,.2f}"


def _span(row: Any) -> str:
    """Points for shares, times the peers' figure for all else."""
    if not (math.isfinite(row.low) and math.isfinite(row.high)):
        return "–"
    if row.unit == "share":
        return f"{signed(row.low)} to {signed(row.high)}{NARROW_SPACE}points"
    return f"×{NARROW_SPACE}{row.low:,.2f} to {row.high:,.2f}"
