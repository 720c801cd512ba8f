"""Screens and profiles in words: questions and things to learn, each with its figures, and never a verdict."""

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from desks import END, NOBODY, START, book_and_touches, desk, profile

from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import takeaways
from cs_helpers.report.views import view_of
from cs_helpers.report.words import NARROW_SPACE
from cs_helpers.reps.results import GamingQuestions, Persistence, Profile, RepeatedOutliers, Screen
from cs_helpers.reps.screens import gaming_screens
from cs_helpers.reps.views import gaming, outliers

BANNED = (
    "punish|blame|guilt|cheat|fraud|fake|lie|lying|liar|caught|offend|abuse|manipulat|gaming|gamed|dismiss|fire|fired|"
    "sack|bonus|promot|demot|warn|sanction|disciplin|suspect|suspicio|misconduct|violat|lazy|bad|worst|poor|fault|failed|"
    "underperform|hide|hiding|trick|dishonest|excuse|confront|penal|culprit|accus|rank"
)
NAME = "Ada <script>"
EVIDENCE = ["unit", "label", "value", "peers", "n", "p", "value_2", "peers_2", "second", "target"]


def screen(key, rows=(), asked_of=24, refused=""):
    filled = [{"unit": "R-1", "label": NAME, "p": 0.004, "n": 812} | row for row in rows]
    return Screen(key, pd.DataFrame(filled).reindex(columns=EVIDENCE), asked_of, refused)


def say_screens(screens):
    result = GamingQuestions(tuple(screens))
    return view_of(result).headline(result)


def screen_questions(screens):
    result = GamingQuestions(tuple(screens))
    return view_of(result).findings(result)


def screens_table(screens):
    result = GamingQuestions(tuple(screens))
    return view_of(result).page_table(result)


def say_profile(profile):
    return outliers.profile_words(profile, "profiles")


def say_profiles(profiles):
    pairs = pd.DataFrame(columns=["unit", "label", "effect_before", "z_before", "effect_now", "z_now", "side"])
    result = RepeatedOutliers("support", (Persistence("csat", "2024", "2025", 0.7, 0.6, 0.1, 0.9, pairs),), profiles)
    return view_of(result).findings(result)


ROWS = {
    "first_contact": {"value": 0.87, "peers": 0.68, "value_2": 0.26, "peers_2": 0.12, "second": "back"},
    "pile_up": {"value": 0.14, "peers": 0.03, "value_2": 0.14, "peers_2": 0.041, "target": 10.0},
    "very_short": {"value": 0.052, "peers": 0.004},
    "month_end": {"value": 0.31, "peers": 0.12},
    "asked_few": {"value": 0.12, "peers": 0.21, "value_2": 0.96, "peers_2": 0.78},
    "easy_work": {"value": 11.04, "peers": 14.2},
}
LOW_CSAT = {"value": 0.87, "peers": 0.68, "value_2": 0.51, "peers_2": 0.72, "second": "csat"}
ALL = [screen(key, [row]) for key, row in ROWS.items()] + [screen("first_contact", [LOW_CSAT])]
QUIET = [screen(key) for key in ROWS]


def words(text):
    return text.replace(NARROW_SPACE, " ")


def question(key, row=None):
    (one,) = screen_questions([screen(key, [row or ROWS[key]])])
    return words(one.conclusion), words(one.evidence)


# --- screens --------------------------------------------------------------------------------------------------------


def test_a_pile_up_is_a_question_with_share_peers_and_the_times_around():
    found, basis = question("pile_up")
    assert found == f"Why do so many handle times of {NAME} end just under 10 minutes?"
    assert basis.startswith(
        "14 % of 812, peers 3.0 %; the times around would lead to 4.1 %. It may be a tool that rounds"
    )


SAID = [
    (
        "first_contact", None, f"Why do so many tickets come back that {NAME} recorded as solved in one contact?",
        "87 % of 812 are recorded as one contact, peers with the same work 68 %; of those 26 % came back, peers 12 %.",
    ),
    (
        "first_contact", LOW_CSAT,
        f"Why are fewer customers of {NAME} satisfied, though more tickets are recorded as one contact?",
        "87 % of 812 are recorded as one contact, peers with the same work 68 %; "
        "51 % of the answers are satisfied, peers 72 %.",
    ),
    (
        "very_short", None, f"Why do so many contacts of {NAME} take less than 10 seconds?",
        "5.2 % of 812, peers with the same work 0.4 %.",
    ),
    (
        "month_end", None,
        f"Why are so many tickets of {NAME} resolved in the last two working days of the month or after?",
        "31 % of 812, peers with the same work 12 %.",
    ),
    (
        "asked_few", None, f"Are those customers of {NAME} asked, too, who may be less content?",
        "12 % of 812 tickets have an answer, peers with the same work 21 %; "
        "96 % of the answers are satisfied, peers 78 %.",
    ),
    (
        "easy_work", None, f"Why are the tickets of {NAME} so often easy ones?",
        "Peers need 11.0 minutes for such tickets (812), and 14.2 minutes for what the same queue sends to others.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "row", "opening", "evidence"), SAID)
def test_each_screen_asks_its_question_and_gives_its_evidence(key, row, opening, evidence):
    found, basis = question(key, row)
    assert found == opening and basis.startswith(evidence + " It may be ")
    assert basis.endswith("A question to look at together, not an answer.")


def test_every_question_ends_with_a_question_mark_and_names_innocent_reasons():
    for one in screen_questions(ALL):
        assert one.conclusion.endswith("?") and re.search(r"It may be .+, .+ or .+\.", one.evidence)
    assert set(gaming.INNOCENT) == set(gaming.NAMES) == set(ROWS)


def test_no_question_is_said_with_how_many_were_looked_at():
    one = say_screens([screen("month_end"), screen("pile_up", asked_of=19)])
    assert one.conclusion == "No question is raised."
    assert one.evidence.startswith("Up to 24 reps looked at in 2 screens. Where nobody does anything unusual")
    assert screen_questions(QUIET) == ()


def test_questions_are_counted_with_the_reps_they_are_about():
    other = screen("pile_up", [ROWS["pile_up"], ROWS["pile_up"] | {"unit": "R-2", "label": "Bo"}])
    one = say_screens([screen("month_end", [ROWS["month_end"]]), other, screen("asked_few")])
    assert one.conclusion == (
        "3 questions about 2 reps: resolved at the month's end and handle times just under a target."
    )
    assert "Up to 24 reps looked at in 3 screens. A question to look at together" in one.evidence
    single = say_screens([screen("month_end", [ROWS["month_end"]])])
    assert single.conclusion == "1 question about 1 rep: resolved at the month's end."


def test_a_screen_that_could_not_look_is_named_with_its_reason_once_for_all_with_the_same():
    reason = "handle times are unknown: no ticket has `handle_minutes`. Map it"
    result = [screen("month_end"), screen("pile_up", refused=reason), screen("very_short", refused=reason)]
    one = say_screens(result)
    assert one.conclusion == "No question is raised." and "in 1 screen." in one.evidence
    assert one.evidence.endswith(
        "Not looked at: handle times just under a target and contacts under 10 seconds. Handle times are unknown: no "
        "ticket has `handle_minutes`. Map it."
    )
    table = screens_table(result)
    assert "No question is raised: resolved at the month&#x27;s end (24 reps)" in table.html
    assert table.text.count("Not looked at") == 1


def test_where_no_screen_could_look_that_is_what_is_said():
    none = [screen("pile_up", refused="nothing is known")]
    assert say_screens(none).conclusion == "How the figures came about could not be looked at."
    assert say_screens(none).evidence.endswith("Nothing is known.")
    assert screens_table(none).text.startswith("Not shown.")


def test_the_table_of_questions_holds_both_figures_and_escapes_names():
    block = screens_table(ALL)
    assert "<script>" not in block.html and "Ada &lt;script&gt;" in block.html
    text = words(block.html)
    assert "came back: 26 %, peers 12 %" in text and "satisfied: 51 %, peers 72 %" in text
    assert "under 10 minutes; by the times around: 4.1 %" in text
    assert "0.004" in text and "11.0 minutes" in text
    rare = screen("month_end", [ROWS["month_end"] | {"p": 2e-7}])
    assert "under 0.001" in screens_table([rare]).html


def test_hostile_names_are_made_inert_in_sentences_and_escaped_on_the_page():
    evil = screen("month_end", [ROWS["month_end"] | {"label": "<img src=x>\u202e\nBo" + "b" * 200}])
    (one,) = screen_questions([evil])
    assert "\u202e" not in one.conclusion and "\n" not in one.conclusion and len(one.conclusion) < 220
    assert "<img" not in takeaways(one).html


# --- profiles -------------------------------------------------------------------------------------------------------

COLUMNS = ["group", "aspect", "level", "unit", "value", "peers", "low", "high", "ratio", "n", "p", "q", "clear"]
FASTER = ("timing", "first_response_hours", "", "hours", 0.62, 1.31, 0.41, 0.55, 0.47, 640, 1e-6, 1e-5, True)
CALMER = ("handling", "escalation_rate", "", "share", 0.043, 0.091, -0.063, -0.033, 0.47, 640, 1e-3, 0.01, True)
ORDINARY = ("mix", "category", "bug <b>", "share", 0.21, 0.22, -0.04, 0.02, 0.95, 640, 0.6, 0.7, False)


def a_profile(*rows, side="better", label=NAME, key="csat"):
    return Profile("R-1", label, key, side, pd.DataFrame(rows, columns=COLUMNS))


def said(profile):
    one = say_profile(profile)
    return words(one.conclusion), words(one.evidence)


def test_the_better_side_is_worth_learning_from():
    found, basis = said(a_profile(ORDINARY, CALMER, FASTER))
    assert found == (
        f"Worth learning from {NAME}: answers first in 0.6 hours (peers 1.3 hours) and escalates 4.3 % of the tickets "
        "(peers 9.1 %)."
    )
    assert basis == (
        "CSAT is consistently better than that of peers; 3 aspects looked at, peers with the same work. These are "
        "differences beside the figure, not its cause: ask how it is done, and try it with others."
    )


def test_the_worse_side_is_an_offer_of_help():
    found, basis = said(a_profile(FASTER, side="worse"))
    assert found.startswith(f"Worth looking at together with {NAME}: answers first")
    assert basis.endswith("not its cause: ask what gets in the way, and what help is wanted.")


def test_where_neither_side_is_better_it_is_a_difference():
    found, basis = said(a_profile(FASTER, side="higher", key="escalation_rate"))
    assert found.startswith(f"What {NAME} does differently: ")
    assert "is consistently higher than that of peers" in basis and basis.endswith("ask what is behind them.")


def test_nothing_told_is_said_so():
    found, basis = said(a_profile(ORDINARY))
    assert found == f"Nothing that {NAME} does differently from peers can be told."
    assert "1 aspect looked at" in basis and basis.endswith("ask and listen.")


def test_a_sentence_holds_the_clearest_four_and_counts_the_rest():
    many = [
        ("mix", "category", f"c{place}", "share", 0.3, 0.1, 0.1, 0.3, 3.0, 640, 0.001 * place, 0.001 * place, True)
        for place in (6, 5, 4, 3, 2, 1)
    ]
    found, _ = said(a_profile(*many))
    assert found.index("'c1'") < found.index("'c2'") < found.index("'c4'") and "'c5'" not in found
    assert found.endswith("And 2 more differences.")


def test_every_aspect_of_the_analysis_has_words():
    tickets = desk(1, reps=6, low=60, high=80)
    tickets["segment"] = np.where(np.arange(len(tickets)) % 2, "SMB", "Enterprise")
    tickets["opened_weekday"] = np.arange(len(tickets)) % 7
    book, touches = book_and_touches(csms=6)
    of_tickets = profile(tickets, "R-03")
    of_touches = profile(tickets.iloc[:0], "R-03", "worse", "nps", touches=touches, portfolio=book)
    assert {*of_tickets.aspects["aspect"], *of_touches.aspects["aspect"]} == set(outliers.ASPECTS)
    for each in (of_tickets, of_touches):
        assert "R-03" in say_profile(each).conclusion and len(outliers.aspects_table(each).text) > 200


def test_what_the_screens_find_can_be_said():
    result = gaming_screens(desk(1, reps=12, odd=1, month=0.3, short=0.2), NOBODY, START, END)
    found = [one.conclusion for one in screen_questions(result)]
    assert any("R-11 take less than 10 seconds?" in text for text in found)
    assert any("R-11 resolved in the last two working days" in text for text in found)
    assert say_screens(result).conclusion.startswith("2 questions about 1 rep")
    assert "R-11" in screens_table(result).html


def test_the_table_shows_what_is_told_first_with_intervals_in_their_units():
    block = outliers.aspects_table(a_profile(ORDINARY, CALMER, FASTER))
    text = words(block.html)
    assert text.index("first response") < text.index("escalated") < text.index("category bug")
    assert "× 0.41 to 0.55" in text and "−6.3 to −3.3 points" in text
    assert "bug &lt;b&gt;" in text and "<b>" not in block.html.replace("cs-", "")
    assert "not its cause" in block.text and "Ada &lt;script&gt;" in block.html


def test_units_of_all_sizes_read_well():
    values = [outliers._value(*each).replace(NARROW_SPACE, " ") for each in (
        ("hours", 0.02), ("hours", 140.2), ("minutes", 12.34), ("share", 0.041), ("share", 0.41), ("share", 0.9999),
        ("share", 1.0), ("number", 0.351), ("number", float("nan")),
    )]  # fmt: skip
    assert values == ["1.2 minutes", "140 hours", "12.3 minutes", "4.1 %", "41 %", "100.0 %", "100.0 %", "0.35", "–"]


def test_nobody_consistent_and_refusals_are_said():
    assert say_profiles(())[0].conclusion == "Nobody differs consistently from peers, so there is no profile."
    assert len(say_profiles((a_profile(FASTER), a_profile(ORDINARY)))) == 2
    both = say_profiles((a_profile(ORDINARY, label="Bo"), a_profile(FASTER), a_profile(ORDINARY, label="Cy")))
    assert [each.conclusion[:40] for each in both][1:] == ["Nothing that Bo and Cy do differently fro"[:40]]
    assert both[1].evidence.startswith("1 aspect of each looked at")
    refusal = Suppressed("too few cases")
    assert say_profile(refusal).text == "What is done differently cannot be told. Too few cases."


def test_hostile_levels_and_names_are_inert_in_sentences_and_escaped_on_the_page():
    evil = ("mix", "channel", "<img src=x>{value}\u202e", "share", 0.3, 0.1, 0.1, 0.3, 3.0, 640, 0.0, 0.0, True)
    one = say_profile(a_profile(evil, label="B\nob{level}"))
    assert (
        "\u202e" not in one.conclusion
        and "\n" not in one.conclusion
        and "{value}" in one.conclusion
        and "B ob{level}" in one.conclusion
    )
    assert "<img" not in takeaways(one).html and "<img" not in outliers.aspects_table(a_profile(evil)).html


# --- all words ------------------------------------------------------------------------------------------------------


@cache
def everything_said():
    return list(_said())


def _said():
    quiet = [screen("month_end", refused="no ticket has `resolved_day`"), screen("pile_up")]
    yield from (one.text for one in screen_questions(ALL))
    for result in (ALL, QUIET, quiet, quiet[:1]):
        yield say_screens(result).text
        yield screens_table(result).text
    every = [
        ("x", aspect, "lev" if "{level}" in text else "", "share", 0.3, 0.1, 0.1, 0.3, 3.0, 640, 0.0, 0.0, True)
        for aspect, text in outliers.ASPECTS.items()
    ]
    for side in ("better", "worse", "higher", "lower"):
        for rows in [[one] for one in every] + [every, [ORDINARY]]:
            yield say_profile(a_profile(*rows, side=side)).text
            yield outliers.aspects_table(a_profile(*rows, side=side)).text
    yield say_profiles(())[0].text
    yield say_profiles((a_profile(ORDINARY), a_profile(ORDINARY)))[0].text
    yield from gaming.INNOCENT.values()


def test_no_sentence_speaks_of_guilt_or_of_consequences_for_a_person():
    pattern = re.compile(rf"\b({BANNED})\w*", re.IGNORECASE)
    for text in everything_said():
        assert not pattern.search(text), (pattern.search(text), text)
    assert pattern.search("a warning to the lazy") and not pattern.search("A question to look at together.")


def test_no_sentence_is_broken():
    for text in everything_said():
        assert (
            not re.search(r"nan|None|\{|\}|  |\.\.|\?\.|np\.", text.replace("\n", " ").replace("   ", " "))
            or "<" in text
        )
    assert len(everything_said()) > 100
