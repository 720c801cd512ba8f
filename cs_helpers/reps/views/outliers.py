"""Who stood out twice in a row, and what these reps do differently: worth learning, or looking at together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, folded, table
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    count,
    is_given,
    listed,
    percent,
    plain,
    sentence,
    signed,
)
from cs_helpers.reps.results import AspectRow, PairRow, Persistence, Profile, RepeatedOutliers, rows_of
from cs_helpers.reps.views.words import naming, side_words

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

_BY_SIDE = {
    "better": ("Worth learning from {name}", "ask how it is done, and try it with others"),
    "worse": ("Worth looking at together with {name}", "ask what gets in the way, and what help is wanted"),
}
NOT_THE_CAUSE = "These are differences beside the figure, not its cause"
MAX_SAID = 4  # aspects in a sentence


@view_for(RepeatedOutliers)
class RepeatedOutliersView(View[RepeatedOutliers]):
    """Consistent outliers and their profiles."""

    def headline(self, result: RepeatedOutliers) -> Headline:
        """Who lay outside on the same side twice in a row; or why nobody can be called consistent."""
        anchor, measures = f"{result.role}-persistence", result.measures
        rows = [(each.key, row) for each in measures for row in rows_of(each.consistent, PairRow)]
        if rows:
            names = list(dict.fromkeys(called(row.label) for _, row in rows))
            said = [
                f"{called(row.label)} on {naming(key)} ({side_words(row.side)}; z {row.z_before:.1f}, then "
                f"{row.z_now:.1f})".replace("-", "−")
                for key, row in rows[:4]
            ]
            return Headline(
                f"{capital(listed(names))} lay outside on the same side in two periods in a row.",
                f"{capital('; '.join(said))}. Worth asking what they do differently.",
                anchor,
            )
        judged = [each for each in measures if not each.refused]
        if not judged:
            why = capital(sentence(measures[0].refused))
            return Headline("Nobody can be called a consistent outlier.", why, anchor)
        return Headline(
            "Nobody lay outside on the same side in two periods in a row.",
            f"Looked at: {listed([naming(each.key) for each in judged], most=8)}.",
            anchor,
        )

    def findings(self, result: RepeatedOutliers) -> Sequence[Headline]:
        """One sentence per profile that has something to tell, and one for all others together."""
        anchor, profiles = f"{result.role}-profiles", result.profiles
        if not profiles:
            return (Headline("Nobody differs consistently from peers, so there is no profile.", "", anchor),)
        bare = [each for each in profiles if isinstance(each, Profile) and not each.aspects["clear"].any()]
        said = [profile_words(each, anchor) for each in profiles if not any(each is other for other in bare)]
        if len(bare) > 1:
            return (*said, _nothing_clear(bare, anchor))
        return (*said, *(profile_words(one, anchor) for one in bare))

    def table(self, result: RepeatedOutliers) -> pd.DataFrame:
        return pd.concat([each.pairs.assign(measure=each.key) for each in result.measures], ignore_index=True)

    def page_table(self, result: RepeatedOutliers) -> Block | None:
        """By measure: reliability, how the two periods go together, who is consistent, or why nobody is called so."""
        return measures_table(result.measures)

    def more(self, result: RepeatedOutliers) -> Sequence[Block]:
        """One table per profile."""
        return [
            folded(aspects_table(each), f"{called(each.label)}: every aspect looked at")
            for each in result.profiles
            if isinstance(each, Profile)
        ]


def profile_words(profile: Profile | Suppressed, anchor: str) -> Headline:
    """What a consistent outlier does differently, as something to learn or to look at together; or that nothing is."""
    if isinstance(profile, Suppressed):
        return Headline("What is done differently cannot be told.", capital(sentence(profile.reason)), anchor)
    name, aspects = called(profile.label), profile.aspects
    clear = aspects[aspects["clear"]].sort_values(["q", "p"], kind="stable")
    seen = f"{count(len(aspects), 'aspect')} looked at, peers with the same work."
    if clear.empty:
        return Headline(
            f"Nothing that {name} does differently from peers can be told.",
            f"{_figure_words(profile)}; {seen} The reason may be something that no table holds: ask and listen.",
            anchor,
        )
    words = listed([_aspect(row) for row in rows_of(clear.head(MAX_SAID), AspectRow)], MAX_SAID)
    more = f" And {count(len(clear) - MAX_SAID, 'more difference')}." if len(clear) > MAX_SAID else ""
    opening, to_do = _BY_SIDE.get(profile.side, ("What {name} does differently", "ask what is behind them"))
    return Headline(
        f"{opening.format(name=name)}: {words}.{more}",
        f"{_figure_words(profile)}; {seen} {NOT_THE_CAUSE}: {to_do}.",
        anchor,
    )


def _nothing_clear(profiles: Sequence[Profile], anchor: str) -> Headline:
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


def aspects_table(profile: Profile) -> Block:
    """Every aspect with the rep's figure, the peers', the interval and whether the difference is clear, those first."""
    frame = profile.aspects.sort_values(["clear", "q", "p"], ascending=[False, True, True], kind="stable")
    rows = rows_of(frame, AspectRow)
    shown = pd.DataFrame(
        {
            "Aspect": [_short(row) for row in rows],
            "Figure": [_value(row.unit, row.value) for row in rows],
            "Peers": [_value(row.unit, row.peers) for row in rows],
            f"Difference, {SPAN}": [_span(row) for row in rows],
            "Cases": frame["n"].to_numpy(),
            "Told apart": ["yes" if clear else "no" for clear in frame["clear"]],
        }
    )
    block = table(shown, f"What {called(profile.label)} does differently from peers")
    note = (
        f"{NOT_THE_CAUSE}. Told apart: after all aspects of the table are taken into account, and how far reps differ "
        "anyway."
    )
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")


def measures_table(measures: Sequence[Persistence]) -> Block:
    """By measure: reliability, how the two periods go together, who is consistent."""
    shown = pd.DataFrame(
        {
            "Measure": [capital(naming(each.key)) for each in measures],
            "In both": [len(each.pairs) for each in measures],
            "Reliability": [f"{each.reliability:.2f}" if is_given(each.reliability) else "–" for each in measures],
            "Correlation": [
                f"{each.correlation:.2f} ({each.low:.2f} to {each.high:.2f})".replace("-", "−")
                if is_given(each.correlation, each.low, each.high) else "–" for each in measures
            ],
            "Outside twice on the same side": [_twice(each) for each in measures],
        }
    )  # fmt: skip
    return folded(
        table(shown, f"{measures[0].before}, held against {measures[0].now}"), "Every measure in both periods"
    )


def _twice(each: Persistence) -> str:
    if each.refused:
        return f"Not said: {each.refused.split(':')[0]}"
    named = [f"{called(row.label)} ({side_words(row.side)})" for row in rows_of(each.consistent, PairRow)]
    return ", ".join(named) or "Nobody"


def _figure_words(profile: Profile) -> str:
    """Which figure it is that differs, and on which side."""
    name = definitions.short_name(profile.key) if profile.key in definitions.all_metrics() else called(profile.key)
    return f"{name} is consistently {profile.side} than that of peers" if profile.side else f"{name} differs"


def _aspect(row: AspectRow) -> str:
    level = f"'{called(row.level)}'" if row.level else ""
    described = ASPECTS[row.aspect].format(level=level, value=_value(row.unit, row.value))
    return f"{described} (peers {_value(row.unit, row.peers)})"


def _short(row: AspectRow) -> str:
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


def _span(row: AspectRow) -> str:
    """Points for shares, times the peers' figure for all else."""
    if not (math.isfinite(row.low) and math.isfinite(row.high)):
        return "–"
    if row.unit == "share":
        return f"{signed(row.low)} to {signed(row.high)}{NARROW_SPACE}points"
    return f"×{NARROW_SPACE}{row.low:,.2f} to {row.high:,.2f}"
