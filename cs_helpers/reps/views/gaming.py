"""Questions about how figures came about, with their evidence and what innocent reasons there may be."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import Headline, called, capital, count, listed, percent, plain, sentence
from cs_helpers.reps.results import EvidenceRow, GamingQuestions, Screen, rows_of

NAMES = {
    "first_contact": "recorded as solved in one contact",
    "pile_up": "handle times just under a target",
    "very_short": "contacts under 10 seconds",
    "month_end": "resolved at the month's end",
    "asked_few": "few asked, most content",
    "easy_work": "easy tickets",
}

INNOCENT = {
    "first_contact": "another way of counting contacts, questions that come in two parts, accounts that write often",
    "pile_up": "a tool that rounds or reminds, a kind of ticket that takes just that long, a rule to hand over then",
    "very_short": "dropped lines, wrong numbers, spam, duplicates closed, a timer that starts late",
    "month_end": "customers' own deadlines, working days at the month's end, a clean-up that was asked for",
    "asked_few": "a channel without a survey, good work (the unhappy usually answer more), a rule about whom to ask",
    "easy_work": "a routing rule, an agreement about who takes what, a first weeks' plan, a product of their own",
}
"""What may well be behind it, by screen."""

UNSEEN = "How the figures came about could not be looked at."
NOT_A_VERDICT = "A question to look at together, not an answer."


@view_for(GamingQuestions)
class GamingQuestionsView(View[GamingQuestions]):
    """Six screens as questions, each with its evidence."""

    def headline(self, result: GamingQuestions) -> Headline:
        """How many questions are raised, and how many reps were looked at."""
        screens, anchor = result.screens, "screens"
        looked = [screen for screen in screens if not screen.refused]
        if not looked:
            return Headline(UNSEEN, _refusals(screens), anchor)
        most = max(screen.asked_of for screen in looked)
        seen = f"Up to {count(most, 'rep')} looked at in {count(len(looked), 'screen')}."
        raised = [row for screen in looked for row in rows_of(screen.raised, EvidenceRow)]
        if not raised:
            rest = "Where nobody does anything unusual, a screen raises a question in at most one of 20 teams."
            return Headline("No question is raised.", f"{seen} {rest} {_refusals(screens)}".strip(), anchor)
        people = len({row.unit for row in raised})
        subjects = listed([NAMES[screen.key] for screen in looked if len(screen.raised)], 6)
        return Headline(
            f"{count(len(raised), 'question')} about {count(people, 'rep')}: {subjects}.",
            f"{seen} {NOT_A_VERDICT} {_refusals(screens)}".strip(),
            anchor,
        )

    def findings(self, result: GamingQuestions) -> Sequence[Headline]:
        """One question per rep and screen that raised it, with its evidence and innocent reasons."""
        return tuple(
            Headline(
                _question(screen.key, row),
                f"{_evidence(screen.key, row)} It may be {_or(INNOCENT[screen.key])}. {NOT_A_VERDICT}",
                "screen-questions",
            )
            for screen in result.screens
            if not screen.refused
            for row in rows_of(screen.raised, EvidenceRow)
        )

    def table(self, result: GamingQuestions) -> pd.DataFrame:
        frames = [screen.raised.assign(screen=screen.key) for screen in result.screens if len(screen.raised)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def page_table(self, result: GamingQuestions) -> Block | None:
        """Every question with its evidence; beneath it what was looked at without one, and what could not be."""
        screens = result.screens
        looked = [screen for screen in screens if not screen.refused]
        if not looked:
            return refused(_refusals(screens) or "no screen was asked for")
        rows = [
            {
                "Question": NAMES[screen.key],
                "Rep": called(row.label),
                "Figure": _figure(screen.key, row.value),
                "Peers": _figure(screen.key, row.peers),
                "Beside it": _second_figure(screen.key, row),
                "Tickets": int(row.n),
                "p": float(row.p),
            }
            for screen in looked
            for row in rows_of(screen.raised, EvidenceRow)
        ]
        quiet = [f"{NAMES[each.key]} ({count(each.asked_of, 'rep')})" for each in looked if not len(each.raised)]
        notes = [f"No question is raised: {listed(quiet, 6)}."] if quiet else []
        if refusals := _refusals(screens):
            notes.append(refusals)
        notes.append("Peers: with the same mix of cases. p: adjusted for all reps of the screen.")
        text = " ".join(notes)
        caption = "Questions about how figures came about"
        shown = table(pd.DataFrame(rows), caption, {"p": _p}) if rows else Block("", "")
        return Block(f'{shown.html}<p class="cs-note">{plain(text)}</p>', f"{shown.text}\n{text}".strip())


def _question(key: str, row: EvidenceRow) -> str:
    name = called(row.label)
    if key == "first_contact" and row.second == "csat":
        return f"Why are fewer customers of {name} satisfied, though more tickets are recorded as one contact?"
    if key == "pile_up":
        return f"Why do so many handle times of {name} end just under {_minutes(f'{row.target:g}')}?"
    return {
        "first_contact": f"Why do so many tickets come back that {name} recorded as solved in one contact?",
        "very_short": f"Why do so many contacts of {name} take less than 10 seconds?",
        "month_end": f"Why are so many tickets of {name} resolved in the last two working days of the month or after?",
        "asked_few": f"Are those customers of {name} asked, too, who may be less content?",
        "easy_work": f"Why are the tickets of {name} so often easy ones?",
    }[key]


def _evidence(key: str, row: EvidenceRow) -> str:
    value, peers, cases = _figure(key, row.value), _figure(key, row.peers), f"{int(row.n):,}"
    if key == "first_contact":
        rest = (
            f"of those {_share(row.value_2)} came back, peers {_share(row.peers_2)}"
            if row.second == "back"
            else f"{_share(row.value_2)} of the answers are satisfied, peers {_share(row.peers_2)}"
        )
        return f"{value} of {cases} are recorded as one contact, peers with the same work {peers}; {rest}."
    if key == "asked_few":
        return (
            f"{value} of {cases} tickets have an answer, peers with the same work {peers}; "
            f"{_share(row.value_2)} of the answers are satisfied, peers {_share(row.peers_2)}."
        )
    if key == "easy_work":
        return f"Peers need {value} for such tickets ({cases}), and {peers} for what the same queue sends to others."
    if key == "pile_up":
        return f"{value} of {cases}, peers {peers}; the times around would lead to {_share(row.peers_2)}."
    return f"{value} of {cases}, peers with the same work {peers}."


def _second_figure(key: str, row: EvidenceRow) -> str:
    if key == "first_contact":
        what = "came back" if row.second == "back" else "satisfied"
        return f"{what}: {_share(row.value_2)}, peers {_share(row.peers_2)}"
    if key == "asked_few":
        return f"satisfied: {_share(row.value_2)}, peers {_share(row.peers_2)}"
    if key == "pile_up":
        return f"under {_minutes(f'{row.target:g}')}; by the times around: {_share(row.peers_2)}"
    return "–"


def _figure(key: str, value: float) -> str:
    return _minutes(f"{value:.1f}") if key == "easy_work" else _share(value)


def _share(value: float) -> str:
    """``14 %``, and with a digit more below 10 %."""
    return percent(value, 0 if value >= 0.0995 else 1)


def _minutes(text: str) -> str:
    return f"{text} minute{'' if text == '1' else 's'}"


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "under 0.001"


def _or(reasons: str) -> str:
    """``a, b or c`` from ``a, b, c``."""
    return " or ".join(reasons.rsplit(", ", 1))


def _refusals(screens: Sequence[Screen]) -> str:
    """What could not be looked at and why, one sentence per reason; nothing where all could."""
    by_reason: dict[str, list[str]] = {}
    for screen in screens:
        if screen.refused:
            reason = " ".join(visible(screen.refused).split())
            by_reason.setdefault(reason, []).append(NAMES[screen.key])
    return " ".join(f"Not looked at: {listed(names, 6)}. {capital(sentence(why))}" for why, names in by_reason.items())
