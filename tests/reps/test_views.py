"""Sentences, tables and tiles of the report on reps: what is real, what is not, what next; never about a person."""

import inspect
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from rep_teams import team
from reps_texts import BANNED

from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Suppressed
from cs_helpers.report import blocks
from cs_helpers.report.blocks import findings
from cs_helpers.report.views import begin_page, render, view_of
from cs_helpers.reps import front_door
from cs_helpers.reps.comparison import compare_reps
from cs_helpers.reps.measures import check_steering
from cs_helpers.reps.results import (
    Benchmark,
    Board,
    CaseMix,
    CaseMixEffects,
    GamingQuestions,
    History,
    ManagerBenchmark,
    MeasureBenchmark,
    MeasureIntervals,
    MeasurePlaces,
    Persistence,
    RepeatedOutliers,
    RepsSummary,
    Screen,
    TeamBenchmark,
    TeamFindings,
)
from cs_helpers.reps.teams import gathered
from cs_helpers.reps.views import benchmark, measures, steps
from cs_helpers.reps.views import words as subject_words

NAN = float("nan")
REFUSED = Suppressed("tickets: no ticket has a rep")
HOSTILE = "<script>alert(1)</script>\u202e"
UNITS = (
    "unit", "label", "n", "n_effective", "clusters", "plain", "raw", "expected", "adjusted", "effect", "se", "low",
    "high", "z", "p", "q", "outside", "shrunk", "shrunk_low", "shrunk_high", "p_top", "rank_low", "rank_high",
    "verdict", "reason", "exceptional",
)  # fmt: skip


def units(*rows):
    """Rows of (label, plain, adjusted, verdict); 100 cases each, an interval of 4 points either side."""
    made = []
    for place, (label, plain, adjusted, verdict) in enumerate(rows):
        few = verdict == "too few"
        told = verdict not in ("too few", "not distinguishable")
        made.append(
            dict.fromkeys(UNITS, NAN)
            | {
                "unit": f"R{place}", "label": label, "n": 8 if few else 100, "n_effective": 60.0,
                "clusters": 3 if few else 40, "plain": plain, "raw": plain, "effect": adjusted - 0.8,
                "adjusted": NAN if few else adjusted, "low": NAN if few else adjusted - 0.04,
                "high": NAN if few else adjusted + 0.04, "q": 0.01 if told else 0.6, "outside": "99.8" if told else "",
                "shrunk": NAN if few else 0.8 + (adjusted - 0.8) / 2, "p_top": NAN if few else 0.3,
                "rank_low": NAN if few else 1.0, "rank_high": NAN if few else float(len(rows)),
                "verdict": verdict, "exceptional": verdict == "worse",
                "reason": "8 cases, 30 are needed" if few else "",
            }
        )  # fmt: skip
    return pd.DataFrame(made, columns=list(UNITS))


FOUR = (
    ("Ada", 0.93, 0.92, "better"), ("Bo", 0.60, 0.62, "worse"), ("Cy", 0.83, 0.81, "not distinguishable"),
    ("Di", 0.74, 0.80, "not distinguishable"), ("Ed", 0.50, 0.5, "too few"),
)  # fmt: skip
ALIKE = tuple((label, plain, 0.8, "not distinguishable") for label, plain, *_ in FOUR[:4])


def moves(*rows):
    columns = [
        "unit",
        "label",
        "raw",
        "adjusted",
        "mover",
        "why",
        "why_points",
        "why_level",
        "why_share",
        "why_share_all",
    ]
    return pd.DataFrame(rows, columns=columns)


MOVED = (
    ("R3", "Di", 0.74, 0.80, True, "segment", -0.05, "Enterprise", 0.75, 0.31),
    ("R2", "Cy", 0.83, 0.81, False, "", 0.0, "", 0.0, 0.0),
)


def bench(key="csat", rows=FOUR, **change):
    x = np.arange(10.0, 200.0, 10)
    limits = pd.DataFrame({"n": x} | {
        f"{end}_{level}": 0.8 + sign * z * 0.4 / np.sqrt(x)
        for end, sign in (("low", -1), ("high", 1)) for level, z in (("95", 1.96), ("998", 3.09))
    })  # fmt: skip
    effects = pd.DataFrame(
        [("segment", "Enterprise", 200, -0.09, 0.01, -0.11, -0.07), ("segment", HOSTILE, 900, 0.02, 0.005, 0.01, 0.03)],
        columns=["factor", "level", "cases", "effect", "se", "low", "high"],
    )
    mix = CaseMix(
        key, ("segment",), effects, pd.Series(dtype=float), pd.Series(dtype=float), {"language": "all are en"}
    )
    full = {
        "key": key, "level": "rep", "scale": "additive", "cases": 408, "units": units(*rows), "centre": 0.8,
        "low": 0.77, "high": 0.83, "limits": limits, "spread": 0.06, "spread_low": 0.03, "spread_high": 0.11,
        "differ_p": 0.001,
        "reliability": 0.75, "design_effect": 1.4, "overdispersion": 0.01, "false_alarms": 0.2, "moves": moves(*MOVED),
        "mix": mix,
    }  # fmt: skip
    return Benchmark(**{**full, **change})


def board(*benchmarks, role="support", level="rep", **change):
    given = benchmarks or (bench(),)
    full = {"level": level, "role": role, "benchmarks": given, "refused": {}, "fdr": 0.05, "units": 4}
    return Board(**{**full, **change})


QUIET = board(bench(rows=ALIKE, reliability=0.1, spread=0.02, spread_low=0.0), bench("fcr", rows=ALIKE))
APART = board(bench(), bench("fcr", rows=ALIKE), refused={"ces": "ces: 2 % answered"}, untouched=("Zed",))


def lasting(side="better", key="csat", label="Ada", refused=""):
    pairs = pd.DataFrame(
        [("R0", label, 0.1, 3.2, 0.12, 3.4, side), ("R2", "Cy", 0.01, 0.2, -0.01, -0.2, "")],
        columns=["unit", "label", "effect_before", "z_before", "effect_now", "z_now", "side"],
    )
    return Persistence(key, "2024", "2025", 0.7, 0.6, 0.1, 0.9, pairs, refused)


def words(block):
    """What a reader of a block sees, without marks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", block.html, flags=re.S))).split())


def flat(text):
    return str(text).replace("\u202f", " ")


# --- what the views say


def headline(result):
    return view_of(result).headline(result)


def page_table(result):
    return view_of(result).page_table(result)


def team_findings(board, role="support", repeated=(), questions=(), steer=()):
    return TeamFindings(role, board, tuple(repeated), questions, tuple(steer))


def summary(*teams, histories=None, warnings=()):
    return RepsSummary(teams, histories or {}, tuple(warnings), "EUR")


def takeaways(result):
    return view_of(result).takeaways(result)


def real(board, role="support", steer=()):
    """Which differences are clear."""
    return takeaways(summary(team_findings(board, role, steer=steer)))[0]


def not_real(board, role="support", steer=()):
    """Which differences are not clear."""
    said = takeaways(summary(team_findings(board, role, steer=steer)))
    assert said[1].anchor == f"{role}-not-real"
    return said[1]


def what_next(boards, repeated=None, questions=None):
    """What to do next, of boards by role."""
    teams = [
        team_findings(board, role, (repeated or {}).get(role, ()), (questions or {}).get(role, ()))
        for role, board in boards.items()
    ]
    return takeaways(summary(*teams))[-1]


def finding(board, role, place, steer=("csat",), **more):
    """The sentence of a team's section at one place of the page."""
    keys = steer if role == "support" else ("nps",)
    board = replace(board, role=role)
    result = TeamBenchmark(role, board, team_findings(board, role), check_steering(keys, role), **more)
    return next(one for one in view_of(result).findings(result) if one.anchor == f"{role}-{place}")


def tiles(*teams, histories=None):
    result = summary(*teams, histories=histories)
    made = view_of(result).tiles(result)
    return blocks.tiles(made.comparisons, made.currency, made.basis, made.note)


def notice(*warnings):
    result = summary(team_findings(REFUSED), warnings=warnings)
    return view_of(result).notice(result)


def own_churn(board):
    return finding(board, "csm", "own-churn")


def every_measure(board):
    return page_table(TeamBenchmark("support", board, team_findings(board), check_steering(["csat"], "support")))


def of_board(board, keys, league=False):
    """The measures of a board as their section shows them."""
    begin_page()
    return blocks.stacked(*(render(MeasureBenchmark(board.role, board.of(key), league)) for key in keys))


def mix_of_board(board, keys):
    begin_page()
    return blocks.stacked(*(render(CaseMixEffects(board.role, board.of(key))) for key in keys))


# --- which are real


def test_real_differences_are_named_with_measure_figure_interval_and_side():
    said = flat(real(APART, "support"))
    assert said.startswith("On CSAT 2 of 4 support reps differ by more than chance and case mix explain")
    assert "explain: Ada and Bo. Ada 92.0 % (88.0 to 96.0 %), better; Bo 62.0 % (58.0 to 66.0 %), less good;" in said
    assert "all 80.0 %." in said and "Cy" not in said
    assert "Beyond even the usual differences between support reps: Bo." in said


def test_one_real_difference_has_its_verb_and_many_are_counted():
    one = board(bench(rows=(FOUR[0], *ALIKE[1:])))
    assert flat(real(one, "support")).startswith("On CSAT 1 of 4 support reps differs by")
    many = board(bench(rows=tuple((f"N{k}", 0.9, 0.9, "better") for k in range(9))), units=9)
    said = real(many, "support").text
    assert "explain: N0, N1, N2 and 6 more." in said and "; 5 more; all" in said


def test_the_sentence_speaks_of_the_measure_that_steers_and_counts_the_others():
    both = board(bench("resolution_hours"), bench("aht_minutes"), bench("ces", rows=ALIKE), bench("csat"))
    said = real(both, "support", ["ces", "aht_minutes"]).text
    assert said.startswith("On CES no support rep can be told apart from the others.")
    # What steers first, then what has a better side; handling time has none.
    assert "2 of 4 on AHT (no side is better), 2 of 4 on time to resolve and 2 of 4 on CSAT." in said
    assert real(both, "support").text.startswith("On CSAT 2 of 4")


def test_nobody_told_apart_is_said_without_claiming_that_all_are_equal():
    said = real(QUIET, "support").text
    assert said.startswith("No support rep can be told apart from the others on any of 2 measures.")
    assert "No proof that they are equal" in said
    only = board(bench(rows=ALIKE), role="csm")
    assert real(only, "csm").conclusion == "No CSM can be told apart from the others on CSAT."


def test_a_measure_in_which_fewer_than_two_have_a_figure_is_not_counted_as_compared():
    said = real(replace(QUIET, refused={"fcr": "0 of 4 have enough cases"}), "support").text
    assert "on CSAT." in said and "2 measures" not in said
    none = real(replace(QUIET, refused={"fcr": "too few", "csat": "too few"}), "support")
    assert none.text == "Support reps cannot be compared on any measure. Too few."


@pytest.mark.parametrize("role", ["support", "csm"])
def test_a_refused_board_gives_its_reason(role):
    said = real(REFUSED, role)
    assert said.evidence == "Tickets: no ticket has a rep."
    assert subject_words.WHO[role][1].lower() in said.conclusion.lower()


# --- which are not


def test_what_is_not_real_says_how_far_the_plain_table_runs_and_how_much_is_chance():
    said = flat(not_real(QUIET, "support"))
    # Plain figures of the four run from 60 to 93 percent.
    assert said.startswith(
        "A plain table of CSAT runs from 60.0 to 93.0 %, and yet none of 4 support reps in it can be"
    )
    assert "With cases alike, 90 % of what differs between them is chance." in said  # 1 - reliability .1


def test_with_some_told_apart_the_others_are_counted_and_a_real_spread_is_no_outlier():
    said = flat(not_real(APART, "support"))
    assert "; 2 of 4 support reps in it cannot be told apart." in said
    assert "25 % of what differs between them is chance; there are differences, but who of these lies on which" in said


def test_a_table_in_which_all_are_the_same_and_one_in_which_all_are_told_apart():
    same = board(bench(rows=tuple((name, 0.8, 0.8, "not distinguishable") for name in "abc"), reliability=0.0))
    said = flat(not_real(same, "support"))
    assert "shows 80.0 % for everybody" in said and "nothing of what differs between them is more than chance" in said
    said = flat(not_real(board(bench(rows=FOUR[:2])), "support"))
    assert "and each of 2 support reps in it can be told apart" in said


# --- what next


def test_what_comes_next_for_a_consistent_one_is_to_learn_and_for_a_new_one_to_wait():
    said = what_next({"support": APART}, {"support": [lasting()]}).text
    assert said == (
        "What to do next. Support reps: learn from Ada (CSAT), on the better side twice in a row; wait for the next "
        "period with Bo: so far it is one period."
    )
    other = what_next({"support": APART}, {"support": [lasting("worse", label="Bo")]}).text
    assert "go through cases and their routing with Bo (CSAT), on the other side twice in a row" in other
    assert "wait for the next period with Ada" in other


def test_whoever_is_better_on_what_steers_is_not_named_for_the_other_side_of_something_else():
    found = [lasting("worse", "reopen_rate", "Ada"), lasting("better", "csat", "Ada"), lasting("better", "fcr", "Bo")]
    said = what_next({"support": APART}, {"support": found}).text
    assert "learn from Ada (CSAT), Bo (FCR)" in said and "go through" not in said


def test_every_step_stands_below_and_the_first_is_where_the_headline_links_to():
    support = team_findings(APART, repeated=[lasting(), lasting("worse", label="Bo")])
    csm = team_findings(board(bench("nps"), role="csm"), "csm")
    assert [step.anchor for step in steps.steps_of(support)] == ["support-step-0", "support-step-1"]
    assert all(step.text.startswith("Next: ") for step in steps.steps_of(support))
    assert steps.steps_of(csm)[0].anchor == "csm-step-0"
    assert takeaways(summary(support, csm))[-1].anchor == "support-step-0"
    assert takeaways(summary(csm))[-1].anchor == "csm-step-0"


def test_a_consistent_figure_without_a_better_side_is_asked_about_and_not_praised():
    said = what_next({"support": QUIET}, {"support": [lasting("lower", "aht_minutes", "Hugo")]}).text
    assert "ask Hugo what lies behind AHT" in said and "learn from" not in said


def test_how_much_work_is_done_is_a_question_of_who_hands_it_out_and_no_merit():
    days = "tickets_per_working_day"
    found = [lasting("better", days, "Ada"), lasting("worse", days, "Cy"), lasting("worse", "csat", "Bo")]
    said = what_next({"support": APART}, {"support": found}).text
    assert "go through cases and their routing with Bo (CSAT)" in said and "learn from" not in said
    assert "look at how work reaches Ada and Cy (tickets per working day), twice outside in a row" in said


def test_where_nobody_stands_out_the_step_is_what_all_share_and_how_many_cases_it_takes():
    said = what_next({"support": QUIET}).text
    assert "work on what all share" in said
    # 100 cases in the median at reliability .1: 100 x .9 / .1 = 900 for one half.
    assert "begin to mean something at about 900 cases each (100 cases now)" in said
    spread = board(bench(rows=ALIKE))
    assert (
        "let all compare their ways of working, since CSAT does differ, typically by 6.0"
        in what_next({"support": spread}).text
    )


def test_csms_are_told_to_pool_renewals_and_to_watch_what_moves_earlier():
    csm = board(bench("book_renewal_rate", rows=ALIKE), bench("nps", rows=ALIKE), role="csm")
    said = what_next({"support": APART, "csm": csm}).text
    assert "CSMs: judge renewals by the whole team, not by one CSM; NPS moves earlier" in said
    assert "not by one CSM" not in what_next({"csm": board(bench("book_renewal_rate"), role="csm")}).text


def test_questions_of_screens_come_before_any_use_of_the_figures():
    raised = pd.DataFrame({"unit": ["R1", "R2"], "label": ["Bo", "Cy"]})
    screens = [
        Screen("pile_up", raised, 4),
        Screen("month_end", raised[:0], 4),
        Screen("easy_work", raised, 0, "why not"),
    ]
    assert (
        "first ask the 2 questions on how figures came about"
        in what_next({"support": APART}, {}, {"support": screens}).text
    )


def test_a_team_that_is_not_there_or_not_asked_for_is_no_step_of_its_own():
    assert "bring what is missing first (tickets: no ticket has a rep)" in what_next({"support": REFUSED}).text
    assert "CSM" not in what_next({"support": APART}).text


@pytest.mark.parametrize(
    ("reliability", "cases"), [(0.5, 100), (0.25, 300), (0.75, 100 / 3), (1.0, 0), (0.0, NAN), (NAN, NAN)]
)
def test_cases_needed_follow_from_the_reliability_at_the_median(reliability, cases):
    # n x (1 - R) / R: at .25 three times as many cases as now are needed for one half.
    assert subject_words.needed_cases(bench(reliability=reliability)) == pytest.approx(cases, nan_ok=True)


# --- spread, movers, managers, persistence, untouched


def test_spread_says_that_they_differ_or_that_it_is_open():
    sure = flat(headline(MeasureBenchmark("support", bench())))
    assert sure.startswith("They do differ in CSAT: typically by 6.0 points from the centre")
    assert "95 % interval of the true differences: 3.0 to 11.0 points." in sure and "Reliability 0.75" in sure
    assert "variance is 1.4 times" in sure
    assert "Chance alone would put about 0.2 of 4 outside the 95 % limits." in sure
    unsure = flat(headline(MeasureBenchmark("support", bench(spread_low=0.0))))
    assert unsure.startswith("Whether they differ in CSAT at all is open.") and "best guess 6.0 points" in unsure
    ratio = flat(
        headline(
            MeasureBenchmark(
                "support", bench("resolution_hours", scale="ratio", spread=np.log(1.2), spread_low=np.log(1.1))
            )
        )
    )
    assert "typically by 20 % from the centre" in ratio
    assert "cannot be told" in headline(MeasureBenchmark("support", bench(spread=NAN))).conclusion


def test_movers_are_explained_by_what_their_cases_are():
    said = flat(headline(CaseMixEffects("support", bench())))
    assert said.startswith("With cases alike Di moves most: CSAT from 74.0 % to 80.0 %.")
    assert "75 % of the cases are Enterprise (segment), 31 % of all are." in said
    still = headline(CaseMixEffects("support", bench(moves=moves(*MOVED[1:]))))
    assert still.text == "The mix of cases moves nobody's CSAT far. Taken out: the segment."
    assert (
        "Nothing about the cases is recorded"
        in headline(CaseMixEffects("support", bench(moves=moves(), mix=None))).text
    )


def test_managers_and_persistence():
    assert headline(ManagerBenchmark("support", board(bench(rows=ALIKE), level="manager", units=2))).conclusion == (
        "The teams of 2 managers cannot be told apart on CSAT."
    )
    assert (
        "The teams of 2 of 4 managers differ"
        in headline(ManagerBenchmark("support", board(bench(), level="manager"))).conclusion
    )
    twice = flat(headline(RepeatedOutliers("support", (lasting(),))))
    assert twice.startswith("Ada lay outside on the same side in two periods in a row.")
    assert "Ada on CSAT (the better side; z 3.2, then 3.4)" in twice
    refused = headline(RepeatedOutliers("support", (lasting(refused="the reliability is 0.30, below 0.5"),)))
    assert refused.text == "Nobody can be called a consistent outlier. The reliability is 0.30, below 0.5."
    assert "Nobody lay outside" in headline(RepeatedOutliers("support", (lasting(side=""),))).conclusion


def test_who_has_no_cases_and_what_belongs_to_nobody_is_said():
    said = finding(replace(APART, notes=("9 of 400 tickets have no rep",)), "support", "untouched").text
    # Zed has no case; Ed has too few on CSAT and is not on the other measure.
    assert said.startswith("2 support reps cannot be compared at all.")
    assert "Zed" in said and "1 person with too few cases on every measure" in said
    assert "9 of 400 tickets have no rep." in said
    full = board(bench(rows=ALIKE))
    assert finding(full, "csm", "untouched").conclusion == "Each of the CSMs has cases enough on at least one measure."


def test_a_csms_own_churn_is_said_to_be_no_yardstick_only_where_that_holds():
    quiet = board(bench("book_renewal_rate", rows=ALIKE), role="csm")
    assert "almost never be told apart in a year, and here it cannot" in own_churn(quiet).conclusion
    loud = own_churn(board(bench("book_renewal_rate"), role="csm")).conclusion
    assert loud == "The renewals of Ada and Bo can be told apart."
    missing = own_churn(board(role="csm", refused={"book_renewal_rate": "no renewals are recorded"}))
    assert missing.text == "Renewals by CSM are not compared. No renewals are recorded."


def test_steering_by_too_much_is_a_warning():
    fine = finding(APART, "support", "steering", ["csat", "tickets_per_working_day"])
    assert fine.conclusion == "Support reps are steered by CSAT and tickets per working day."
    basis = fine.evidence
    assert basis.endswith("seen: CSAT response rate for CSAT and repeat-contact rate for tickets per working day.")
    assert "Steered" not in notice().html
    much = check_steering(["csat", "ces", "aht_minutes"], "support")
    assert "2 measures of satisfaction steer this team (CSAT, CES)" in words(notice(*much.warnings))
    assert "Steered by too much." in words(notice(*much.warnings))
    said = finding(APART, "support", "steering", ["csat", "ces", "aht_minutes"]).text
    assert said.startswith("2 measures of satisfaction steer this team (CSAT, CES)")


def test_how_many_were_rated_stands_beside_satisfaction():
    rates = {
        "csat": Estimate("csat_response_rate", 0.25, 300.0, 1200.0, 1200, 0.226, 0.275),
        "ces": Estimate("ces_response_rate", None, None, None, 0, reason="nobody seems to have been asked"),
    }
    said = finding(APART, "support", "answered", response_rates=rates)
    assert flat(said.conclusion) == "Of 1,200 tickets resolved, so many were rated: CSAT 25.0 % (22.6 to 27.5 %)."
    nobody = finding(APART, "support", "answered", response_rates={"ces": rates["ces"]})
    assert nobody.conclusion == "Nobody was asked how content they were."
    refused = finding(APART, "support", "answered", response_rates=REFUSED)
    assert refused.evidence == "Tickets: no ticket has a rep."


# --- tables


def test_the_board_has_a_row_per_measure_and_a_reason_for_each_that_is_refused():
    table = flat(words(every_measure(replace(APART, refused={"ces": "2 % answered", "fcr": "0 of 4 have a figure"}))))
    assert table.count("CSAT") == 1 and table.count("FCR") == 1 and table.count("CES") == 1
    assert "2 of 4" in table and "6.0 points (3.0 to 11.0 points)" in table and "2 % answered." in table


def test_people_stand_by_name_unless_a_league_table_is_asked_for():
    rows = (("Zoe", 0.9, 0.9, "better"), ("adam", 0.8, 0.8, "not distinguishable"), ("Mia", 0.7, 0.7, "worse"))
    order = [name for name in words(measures.units_table(bench(rows=rows))).split() if name in ("Zoe", "adam", "Mia")]
    assert order == ["adam", "Mia", "Zoe"]
    league = flat(words(measures.units_table(bench(rows=rows), league=True)))
    assert [name for name in league.split() if name in ("Zoe", "adam", "Mia")] == ["Zoe", "adam", "Mia"]
    assert "1 to 3" in league and "30 %" in league
    plain = flat(words(measures.units_table(bench(rows=rows))))
    assert "1 to 3" not in plain and "Better quarter" not in plain


def test_of_a_measure_where_lower_is_better_the_lower_ones_lead_a_league_table():
    rows = (("high", 9.0, 9.0, "not distinguishable"), ("low", 2.0, 2.0, "not distinguishable"))
    league = words(measures.units_table(bench("resolution_hours", rows=rows, centre=5.0), league=True))
    body = league[league.index("Verdict") :]
    assert body.index(" low ") < body.index(" high ")


def test_before_a_shared_audience_those_with_too_few_cases_are_counted_and_not_listed():
    everybody = words(measures.units_table(bench()))
    assert "Ed" in everybody and "too few: 8 cases, 30 are needed" in everybody
    shared = words(measures.units_table(bench(), smallest=5))
    assert " Ed " not in shared and "1 rep with too few cases not listed" in shared
    small = bench(rows=FOUR[:4])
    small = replace(small, units=small.units.assign(clusters=[40, 4, 40, 40]))
    assert " Bo " not in words(measures.units_table(small, smallest=5)), "cases of four accounts"


def test_tables_of_the_mix_of_movers_managers_and_persistence():
    mix = flat(words(measures.effects_table(bench())))
    assert "Enterprise" in mix and "−9.0 points" in mix and "−11.0 to −7.0 points" in mix  # -.09 +- 1.96 x .01
    assert "+6.0 points" in flat(words(measures.movers_table(bench())))
    managers = words(page_table(ManagerBenchmark("support", board(bench(), level="manager"))))
    assert "Ada" in managers and "better" in managers
    table = flat(
        words(
            page_table(
                RepeatedOutliers(
                    "support",
                    (
                        lasting(),
                        lasting(refused="too noisy"),
                    ),
                )
            )
        )
    )
    assert "Ada (the better side)" in table and "0.60 (0.10 to 0.90)" in table and "Not said: too noisy" in table


# --- tiles


def history(key="csat", now=0.66, before=0.60, verdict="rise", target=0.8):
    months = pd.DataFrame({"month": pd.date_range("2024-01-01", periods=20, freq="MS"), "adjusted": now})
    given = [Estimate(key, value, 1.0, 2.0, 900, value - 0.02, value + 0.02) for value in (now, before)]
    return History(key, "additive", *given, verdict, months, pd.DataFrame(), now, target, "missed" if target else "")


def test_tiles_say_how_many_are_told_apart_and_where_the_organisation_stands():
    given = {"support": {"csat": history(), "ces": REFUSED}, "csm": {"nps": REFUSED, "book_renewal_rate": REFUSED}}
    shown = tiles(team_findings(APART), team_findings(QUIET, "csm"), histories=given)
    text = flat(shown.text)
    assert "Support reps told apart: 2 of 4 (on CSAT: Ada and Bo; 1 other measure below)" in text
    assert "CSMs told apart: 0 of 4 (on CSAT; 1 other measure below)" in text
    assert "CSAT: 66.0 % (64.0 to 68.0 %, n = 900); ▲ +6.0 points from 60.0 %; Target 80.0 %: missed" in text
    record = next(iter(shown.data.values()))["headline"]
    assert [tile["value"] for tile in record] == [2.0, 0.0, 0.66], "what is refused has no tile beside others"


def test_there_are_at_most_four_tiles_and_the_teams_take_turns():
    support = {"csat": history(), "fcr": history("fcr")}
    given = {"support": support, "csm": {"book_renewal_rate": history("book_renewal_rate")}}
    shown = tiles(team_findings(APART), team_findings(QUIET, "csm"), histories=given)
    record = next(iter(shown.data.values()))["headline"]
    assert [tile["key"] for tile in record] == ["support_reps_apart", "csms_apart", "csat", "book_renewal_rate"]


def test_tiles_of_one_team_alone_and_of_refusals():
    text = tiles(team_findings(REFUSED), histories={"support": {"csat": REFUSED}}).text
    assert text.count("no ticket has a rep") == 2 and "CSM" not in text
    nobody = tiles(team_findings(board(units=0, role="csm", refused={"csat": "too few"}), "csm")).text
    assert "No CSM has enough cases for a figure." in nobody


def test_a_tile_of_another_unit_says_its_unit():
    rate = history("tickets_per_working_day", 1.2, 1.0, target=None)
    text = tiles(team_findings(QUIET), histories={"support": {"tickets_per_working_day": rate}}).text
    assert "1.20 tickets per day" in text and "+0.20 tickets per day from 1.00 tickets per day" in text
    assert "%" not in text.split("Tickets per working day")[1]


# --- parts of the page


def test_questions_of_one_anchor_have_a_place_each():
    raised = pd.DataFrame([dict.fromkeys(("value", "peers", "value_2", "peers_2", "target"), 0.1)] * 2)
    raised = raised.assign(unit=["R1", "R2"], label=["Bo", "Cy"], n=40, p=0.01, second="")
    begin_page()
    places = re.findall(r'id="([^"]+)"', render(GamingQuestions((Screen("month_end", raised, 4),))).html)
    assert places == ["screens", "screen-questions", "screen-questions-2"]


def test_a_history_without_a_course_is_a_sentence_and_a_refused_one_its_reason():
    empty = replace(history(), months=history().months.assign(adjusted=NAN))
    block = render(replace(empty, others=(Suppressed("FCR: tickets: no ticket has a rep"),)))
    assert block.html.count("<figure") == 1, "the box of the refused one"
    assert "CSAT rose from 60.0" in flat(block.text)
    assert "FCR: tickets: no ticket has a rep." in words(block)


def test_a_measure_with_one_figure_is_refused():
    alone = board(bench(rows=(FOUR[0], FOUR[4])), refused={"csat": "1 of 2 have enough cases"})
    assert front_door._measure(alone, "csat") == Suppressed("1 of 2 have enough cases")
    assert "was not measured" in front_door._measure(alone, "fcr").reason


def test_a_mix_that_moves_nobody_is_a_sentence_and_its_table_opens_on_a_click():
    still = mix_of_board(board(bench(moves=moves(*MOVED[1:]))), ["csat"])
    assert "<figure" not in still.html and "<details" in still.html
    moving = mix_of_board(board(bench()), ["csat"])
    assert moving.html.count("<figure") == 1 and "75 % of the cases are Enterprise" in flat(words(moving))


def test_the_resolved_rate_has_that_of_all_contacts_beside_it():
    rates = (Estimate("resolved_rate", 0.9, 900.0, 1000.0, 1000, 0.88, 0.92),
             Estimate("resolved_rate_all", 0.72, 900.0, 1250.0, 1250, 0.70, 0.74))  # fmt: skip
    said = flat(finding(APART, "support", "resolved", resolved_rates=rates))
    assert said.startswith(
        "90.0 % of the contacts answered were resolved. 95 % interval 88.0 to 92.0 %, 1,000 answered."
    )
    assert "72.0 % of all 1,250 contacts were resolved (70.0 to 74.0 %)" in said
    unknown = (replace(rates[0], value=None, reason="no contact says whether it was answered"), rates[1])
    blind = flat(finding(APART, "support", "resolved", resolved_rates=unknown))
    assert blind.startswith("72.0 % of all 1,250 contacts were resolved. No contact says")
    assert "no ticket has a rep" in finding(APART, "support", "resolved", resolved_rates=REFUSED).text


def test_what_of_a_team_is_missing_is_said_one_by_one():
    team_ = gathered("support", team(5, reps=8).cases, Suppressed("surveys: there is none"))
    said = finding(APART, "support", "missing-0", missing=team_.missing)
    assert said.text == "Not measured. Surveys: there is none."


# --- what holds for all of them


def everything(label="Ada"):
    """All sentences and blocks about both kinds of board, with this name in every place for one."""
    rows = tuple((label, *rest) for _, *rest in FOUR)
    moved = moves(*((unit, label, *rest) for unit, _, *rest in MOVED))
    own = [bench(rows=rows, moves=moved), bench("resolution_hours", rows=rows, scale="ratio", spread=0.2, moves=moved)]
    loud, last = board(*own, untouched=(label,), notes=(f"{label[:40]} left",)), lasting(label=label)
    twice = [last, lasting("worse", label=label), lasting("lower", label=label)]
    for each in (loud, board(bench(rows=tuple((label, *rest) for _, *rest in ALIKE), reliability=0.2))):
        for role in ("support", "csm"):
            findings_ = team_findings(each, role, twice)
            steering = check_steering(["csat" if role == "support" else "nps"], role)
            section = TeamBenchmark(role, each, findings_, steering)
            yield from takeaways(summary(findings_))
            yield from (headline(section), *view_of(section).findings(section))
            yield headline(ManagerBenchmark(role, each))
            yield headline(RepeatedOutliers(role, (last,)))
            yield from (render(section), render(ManagerBenchmark(role, each)))
        for one in each.benchmarks:
            for result in (
                MeasureBenchmark("support", one), CaseMixEffects("support", one), MeasureIntervals("support", one),
                MeasurePlaces("support", one),
            ):  # fmt: skip
                yield headline(result)
            yield from (measures.units_table(one), measures.units_table(one, league=True), measures.effects_table(one))
            yield measures.movers_table(one)
        keys = [one.key for one in each.benchmarks]
        yield from (mix_of_board(each, keys), of_board(each, keys, league=True))
    yield from (render(RepeatedOutliers("support", (last,))), notice(), tiles(team_findings(loud)))


def test_no_sentence_decides_about_a_person():
    for shown in everything():
        text = words(shown) if hasattr(shown, "html") else shown.text
        assert not BANNED.search(text), text
    for module in (benchmark, measures, steps, subject_words):
        code = inspect.getsource(module)
        assert not BANNED.search(code), BANNED.search(code)


def test_what_the_report_is_for_is_said_in_a_few_sentences():
    said = words(notice())
    assert "No decision about a person may rest on it" in said and "works council" in said and "personal data" in said
    assert said.count(".") <= 4


def test_every_name_from_data_is_inert_and_nothing_reads_as_missing():
    for shown in everything(HOSTILE * 40):
        html = shown.html if hasattr(shown, "html") else findings(shown).html
        assert "<script" not in html and "\u202e" not in html
        assert not re.search(r"\b(nan|inf|NaN|None)\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.S)), html[:500]
        assert len(max(words(findings(shown) if not hasattr(shown, "html") else shown).split(), key=len)) < 400


def test_what_charts_take_is_what_the_board_holds():
    one = bench()
    funnel = measures.funnel_of(MeasureBenchmark("support", one))
    assert list(funnel.points["label"]) == ["Ada", "Bo", "Cy", "Di"], "those with a figure"
    assert list(funnel.points["rate"]) == [0.92, 0.62, 0.81, 0.80] and set(funnel.points["n"]) == {60.0}
    assert list(measures.ranks_of(one).rows["verdict"]) == ["better", "", "", "worse"], "by the shrunk figure"
    assert list(measures.moves_of(one)["moved"]) == ["+6.0\u202fpoints", "−2.0\u202fpoints"]
    longer = measures.moves_of(bench("resolution_hours", scale="ratio"))
    assert list(longer["moved"]) == ["+8.1\u202f%", "−2.4\u202f%"]  # .80 / .74 and .81 / .83
    yearly = next(iter(measures.moves_of(bench("book_grr"))["moved"]))
    assert yearly.endswith(" a month"), "figures a year, moves a month"
    assert subject_words.number_of("csat") is None
    assert subject_words.number_of("resolution_hours")(2.5) == "2.5"
    assert subject_words.number_of("book_grr")(0.99) == f"{100 * 0.99**12:.1f}\u202f%"


def test_a_team_with_known_differences_reads_as_it_was_made():
    """Reps without differences, a quarter of them with hard cases: the plain table misleads, the words do not."""
    alike = compare_reps(team(5, reps=14).cases)
    assert "No support rep can be told apart" in real(alike, "support").conclusion
    said = headline(CaseMixEffects("support", alike.of("csat"))).text
    assert "are Enterprise (segment)" in said
    html = of_board(alike, ["csat"]).html
    assert html.count("<figure") == 2 and "league" not in html


def test_a_league_table_comes_only_on_request_and_with_its_ranges():
    usual = of_board(board(bench()), ["csat"])
    assert usual.html.count("<figure") == 2
    asked = of_board(board(bench()), ["csat"], league=True)
    assert asked.html.count("<figure") == 3 and "Places" in words(asked)
    neither = of_board(board(bench("aht_minutes")), ["aht_minutes"], league=True)
    assert neither.html.count("<figure") == 2, "where no side is better nobody has a place"


def test_what_is_counted_per_time_worked_has_months_for_cases():
    days = bench("tickets_per_working_day", scale="ratio")
    assert "month" in subject_words.needed_words(days) and "case" in subject_words.needed_words(bench())
    assert measures.funnel_of(MeasureBenchmark("support", days)).cases == "months, as if independent"
    assert measures.funnel_of(MeasureBenchmark("support", bench())).cases == "cases, counted as independent ones"
    assert "Months" in flat(words(measures.units_table(days))) and "Months" not in flat(
        words(measures.units_table(bench()))
    )
    assert subject_words.axis_words("tickets_per_working_day") == "tickets per working day, cases alike"
    assert subject_words.axis_words("resolution_hours") == "time to resolve, cases alike (hours)"
