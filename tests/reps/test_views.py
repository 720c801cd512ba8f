"""Sentences, tables and tiles of the report on reps: what is real, what is not, what next; never about a person."""

import inspect
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from rep_teams import team

from cs_helpers import reps, show
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.results import Suppressed
from cs_helpers.reps.results import Benchmark, Board, CaseMix, History, Persistence, Screen
from cs_helpers.show import board as boards
from cs_helpers.show import comparison, steps
from cs_helpers.show import reps as sentences

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


# --- which are real


def test_real_differences_are_named_with_measure_figure_interval_and_side():
    said = flat(show.say_real(APART, "support"))
    assert said.startswith("On CSAT 2 of 4 support reps differ by more than chance and case mix explain")
    assert "explain: Ada and Bo. Ada 92.0 % (88.0 to 96.0 %), better; Bo 62.0 % (58.0 to 66.0 %), less good;" in said
    assert "all 80.0 %." in said and "Cy" not in said
    assert "Beyond even the usual differences between support reps: Bo." in said


def test_one_real_difference_has_its_verb_and_many_are_counted():
    one = board(bench(rows=(FOUR[0], *ALIKE[1:])))
    assert flat(show.say_real(one, "support")).startswith("On CSAT 1 of 4 support reps differs by")
    many = board(bench(rows=tuple((f"N{k}", 0.9, 0.9, "better") for k in range(9))), units=9)
    said = show.say_real(many, "support").text
    assert "explain: N0, N1, N2 and 6 more." in said and "; 5 more; all" in said


def test_the_sentence_speaks_of_the_measure_that_steers_and_counts_the_others():
    both = board(bench("resolution_hours"), bench("aht_minutes"), bench("ces", rows=ALIKE), bench("csat"))
    said = show.say_real(both, "support", ["ces", "aht_minutes"]).text
    assert said.startswith("On CES no support rep can be told apart from the others.")
    # What steers first, then what has a better side; handling time has none.
    assert "2 of 4 on AHT (no side is better), 2 of 4 on time to resolve and 2 of 4 on CSAT." in said
    assert show.say_real(both, "support").text.startswith("On CSAT 2 of 4")


def test_nobody_told_apart_is_said_without_claiming_that_all_are_equal():
    said = show.say_real(QUIET, "support").text
    assert said.startswith("No support rep can be told apart from the others on any of 2 measures.")
    assert "No proof that they are equal" in said
    only = board(bench(rows=ALIKE), role="csm")
    assert show.say_real(only, "csm").conclusion == "No CSM can be told apart from the others on CSAT."


def test_a_measure_in_which_fewer_than_two_have_a_figure_is_not_counted_as_compared():
    said = show.say_real(replace(QUIET, refused={"fcr": "0 of 4 have enough cases"}), "support").text
    assert "on CSAT." in said and "2 measures" not in said
    none = show.say_real(replace(QUIET, refused={"fcr": "too few", "csat": "too few"}), "support")
    assert none.text == "Support reps cannot be compared on any measure. Too few."


@pytest.mark.parametrize("say", [show.say_real, show.say_not_real, show.say_untouched, show.say_managers])
@pytest.mark.parametrize("role", ["support", "csm"])
def test_a_refused_board_gives_its_reason(say, role):
    said = say(REFUSED, role)
    assert (
        said.evidence == "Tickets: no ticket has a rep." and show.reps.WHO[role][1].lower() in said.conclusion.lower()
    )


# --- which are not


def test_what_is_not_real_says_how_far_the_plain_table_runs_and_how_much_is_chance():
    said = flat(show.say_not_real(QUIET, "support"))
    # Plain figures of the four run from 60 to 93 percent.
    assert said.startswith(
        "A plain table of CSAT runs from 60.0 to 93.0 %, and yet none of 4 support reps in it can be"
    )
    assert "With cases alike, 90 % of what differs between them is chance." in said  # 1 - reliability .1


def test_with_some_told_apart_the_others_are_counted_and_a_real_spread_is_no_outlier():
    said = flat(show.say_not_real(APART, "support"))
    assert "; 2 of 4 support reps in it cannot be told apart." in said
    assert "25 % of what differs between them is chance; there are differences, but who of these lies on which" in said


def test_a_table_in_which_all_are_the_same_and_one_in_which_all_are_told_apart():
    same = board(bench(rows=tuple((name, 0.8, 0.8, "not distinguishable") for name in "abc"), reliability=0.0))
    said = flat(show.say_not_real(same, "support"))
    assert "shows 80.0 % for everybody" in said and "nothing of what differs between them is more than chance" in said
    said = flat(show.say_not_real(board(bench(rows=FOUR[:2])), "support"))
    assert "and each of 2 support reps in it can be told apart" in said


# --- what next


def test_what_comes_next_for_a_consistent_one_is_to_learn_and_for_a_new_one_to_wait():
    said = show.say_next({"support": APART}, {"support": [lasting()]}).text
    assert said == (
        "What to do next. Support reps: learn from Ada (CSAT), on the better side twice in a row; wait for the next "
        "period with Bo: so far it is one period."
    )
    other = show.say_next({"support": APART}, {"support": [lasting("worse", label="Bo")]}).text
    assert "go through cases and their routing with Bo (CSAT), on the other side twice in a row" in other
    assert "wait for the next period with Ada" in other


def test_whoever_is_better_on_what_steers_is_not_named_for_the_other_side_of_something_else():
    found = [lasting("worse", "reopen_rate", "Ada"), lasting("better", "csat", "Ada"), lasting("better", "fcr", "Bo")]
    said = show.say_next({"support": APART}, {"support": found}).text
    assert "learn from Ada (CSAT), Bo (FCR)" in said and "go through" not in said


def test_every_step_stands_below_and_the_first_is_where_the_headline_links_to():
    found = {"support": [lasting(), lasting("worse", label="Bo")], "csm": ()}
    given = {"support": APART, "csm": board(bench("nps"), role="csm")}
    steps_ = show.steps_of(given, found, {}, {}, "support")
    assert [step.anchor for step in steps_] == ["next", "support-step-1"]
    assert all(step.text.startswith("Next: ") for step in steps_)
    assert show.steps_of(given, found, {}, {}, "csm")[0].anchor == "csm-step-0"
    assert show.steps_of({"csm": APART}, found, {}, {}, "support") == ()


def test_a_consistent_figure_without_a_better_side_is_asked_about_and_not_praised():
    said = show.say_next({"support": QUIET}, {"support": [lasting("lower", "aht_minutes", "Hugo")]}).text
    assert "ask Hugo what lies behind AHT" in said and "learn from" not in said


def test_how_much_work_is_done_is_a_question_of_who_hands_it_out_and_no_merit():
    days = "tickets_per_working_day"
    found = [lasting("better", days, "Ada"), lasting("worse", days, "Cy"), lasting("worse", "csat", "Bo")]
    said = show.say_next({"support": APART}, {"support": found}).text
    assert "go through cases and their routing with Bo (CSAT)" in said and "learn from" not in said
    assert "look at how work reaches Ada and Cy (tickets per working day), twice outside in a row" in said


def test_where_nobody_stands_out_the_step_is_what_all_share_and_how_many_cases_it_takes():
    said = show.say_next({"support": QUIET}).text
    assert "work on what all share" in said
    # 100 cases in the median at reliability .1: 100 x .9 / .1 = 900 for one half.
    assert "begin to mean something at about 900 cases each (100 cases now)" in said
    spread = board(bench(rows=ALIKE))
    assert (
        "let all compare their ways of working, since CSAT does differ, typically by 6.0"
        in show.say_next({"support": spread}).text
    )


def test_csms_are_told_to_pool_renewals_and_to_watch_what_moves_earlier():
    csm = board(bench("book_renewal_rate", rows=ALIKE), bench("nps", rows=ALIKE), role="csm")
    said = show.say_next({"support": APART, "csm": csm}).text
    assert "CSMs: judge renewals by the whole team, not by one CSM; NPS moves earlier" in said
    assert "not by one CSM" not in show.say_next({"csm": board(bench("book_renewal_rate"), role="csm")}).text


def test_questions_of_screens_come_before_any_use_of_the_figures():
    raised = pd.DataFrame({"unit": ["R1", "R2"], "label": ["Bo", "Cy"]})
    screens = [
        Screen("pile_up", raised, 4),
        Screen("month_end", raised[:0], 4),
        Screen("easy_work", raised, 0, "why not"),
    ]
    assert (
        "first ask the 2 questions on how figures came about"
        in show.say_next({"support": APART}, {}, {"support": screens}).text
    )


def test_a_team_that_is_not_there_or_not_asked_for_is_no_step_of_its_own():
    assert "bring what is missing first (tickets: no ticket has a rep)" in show.say_next({"support": REFUSED}).text
    assert "CSM" not in show.say_next({"support": APART}).text
    assert show.say_next({}).conclusion == "Nothing is to be done that these data could support."


@pytest.mark.parametrize(
    ("reliability", "cases"), [(0.5, 100), (0.25, 300), (0.75, 100 / 3), (1.0, 0), (0.0, NAN), (NAN, NAN)]
)
def test_cases_needed_follow_from_the_reliability_at_the_median(reliability, cases):
    # n x (1 - R) / R: at .25 three times as many cases as now are needed for one half.
    assert sentences.needed_cases(bench(reliability=reliability)) == pytest.approx(cases, nan_ok=True)


# --- spread, movers, managers, persistence, untouched


def test_spread_says_that_they_differ_or_that_it_is_open():
    sure = flat(show.say_spread(bench()))
    assert sure.startswith("They do differ in CSAT: typically by 6.0 points from the centre")
    assert "95 % interval of the true differences: 3.0 to 11.0 points." in sure and "Reliability 0.75" in sure
    assert "variance is 1.4 times" in sure
    assert "Chance alone would put about 0.2 of 4 outside the 95 % limits." in sure
    unsure = flat(show.say_spread(bench(spread_low=0.0)))
    assert unsure.startswith("Whether they differ in CSAT at all is open.") and "best guess 6.0 points" in unsure
    ratio = flat(show.say_spread(bench("resolution_hours", scale="ratio", spread=np.log(1.2), spread_low=np.log(1.1))))
    assert "typically by 20 % from the centre" in ratio
    assert "cannot be told" in show.say_spread(bench(spread=NAN)).conclusion


def test_movers_are_explained_by_what_their_cases_are():
    said = flat(show.say_movers(bench()))
    assert said.startswith("With cases alike Di moves most: CSAT from 74.0 % to 80.0 %.")
    assert "75 % of the cases are Enterprise (segment), 31 % of all are." in said
    still = show.say_movers(bench(moves=moves(*MOVED[1:])))
    assert still.text == "The mix of cases moves nobody's CSAT far. Taken out: the segment."
    assert "Nothing about the cases is recorded" in show.say_movers(bench(moves=moves(), mix=None)).text


def test_managers_and_persistence():
    assert show.say_managers(board(bench(rows=ALIKE), level="manager", units=2), "support").conclusion == (
        "The teams of 2 managers cannot be told apart on CSAT."
    )
    assert (
        "The teams of 2 of 4 managers differ"
        in show.say_managers(board(bench(), level="manager"), "support").conclusion
    )
    twice = flat(show.say_persistence([lasting()], "support"))
    assert twice.startswith("Ada lay outside on the same side in two periods in a row.")
    assert "Ada on CSAT (the better side; z 3.2, then 3.4)" in twice
    refused = show.say_persistence([lasting(refused="the reliability is 0.30, below 0.5")], "support")
    assert refused.text == "Nobody can be called a consistent outlier. The reliability is 0.30, below 0.5."
    assert "Nobody lay outside" in show.say_persistence([lasting(side="")], "support").conclusion
    assert show.say_persistence([REFUSED], "csm").evidence == "Tickets: no ticket has a rep."
    assert "no earlier period" in show.say_persistence([], "csm").text


def test_who_has_no_cases_and_what_belongs_to_nobody_is_said():
    said = show.say_untouched(replace(APART, notes=("9 of 400 tickets have no rep",)), "support").text
    # Zed has no case; Ed has too few on CSAT and is not on the other measure.
    assert said.startswith("2 support reps cannot be compared at all.")
    assert "Zed" in said and "1 person with too few cases on every measure" in said
    assert "9 of 400 tickets have no rep." in said
    full = board(bench(rows=ALIKE))
    assert show.say_untouched(full, "csm").conclusion == "Each of the CSMs has cases enough on at least one measure."


def test_a_csms_own_churn_is_said_to_be_no_yardstick_only_where_that_holds():
    quiet = board(bench("book_renewal_rate", rows=ALIKE), role="csm")
    assert "almost never be told apart in a year, and here it cannot" in show.say_own_churn(quiet).conclusion
    loud = show.say_own_churn(board(bench("book_renewal_rate"), role="csm")).conclusion
    assert loud == "The renewals of Ada and Bo can be told apart."
    missing = show.say_own_churn(board(role="csm", refused={"book_renewal_rate": "no renewals are recorded"}))
    assert missing.text == "Renewals by CSM are not compared. No renewals are recorded."


def test_steering_by_too_much_is_a_warning():
    fine = reps.check_steering(["csat", "tickets_per_working_day"], "support")
    assert show.say_steering(fine.warnings, "support", fine.keys).conclusion == (
        "Support reps are steered by CSAT and tickets per working day."
    )
    basis = show.say_steering(fine.warnings, "support", fine.keys).evidence
    assert basis.endswith("seen: CSAT response rate for CSAT and repeat-contact rate for tickets per working day.")
    assert show.steering(*fine.warnings).html == ""
    much = reps.check_steering(["csat", "ces", "aht_minutes"], "support")
    assert "2 measures of satisfaction steer this team (CSAT, CES)" in words(show.steering(*much.warnings))
    assert "Steered by too much." in words(show.steering(*much.warnings))


def test_how_many_were_rated_stands_beside_satisfaction():
    rates = {
        "csat": Estimate("csat_response_rate", 0.25, 300.0, 1200.0, 1200, 0.226, 0.275),
        "ces": Estimate("ces_response_rate", None, None, None, 0, reason="nobody seems to have been asked"),
    }
    said = show.say_answered(rates)
    assert flat(said.conclusion) == "Of 1,200 tickets resolved, so many were rated: CSAT 25.0 % (22.6 to 27.5 %)."
    assert show.say_answered({"ces": rates["ces"]}).conclusion == "Nobody was asked how content they were."
    assert show.say_answered(REFUSED).evidence == "Tickets: no ticket has a rep."


# --- tables


def test_the_board_has_a_row_per_measure_and_a_reason_for_each_that_is_refused():
    table = flat(
        words(show.board_table(replace(APART, refused={"ces": "2 % answered", "fcr": "0 of 4 have a figure"})))
    )
    assert table.count("CSAT") == 1 and table.count("FCR") == 1 and table.count("CES") == 1
    assert "2 of 4" in table and "6.0 points (3.0 to 11.0 points)" in table and "2 % answered." in table
    assert words(show.board_table(REFUSED)).endswith("Tickets: no ticket has a rep.")


def test_people_stand_by_name_unless_a_league_table_is_asked_for():
    rows = (("Zoe", 0.9, 0.9, "better"), ("adam", 0.8, 0.8, "not distinguishable"), ("Mia", 0.7, 0.7, "worse"))
    order = [name for name in words(show.units_table(bench(rows=rows))).split() if name in ("Zoe", "adam", "Mia")]
    assert order == ["adam", "Mia", "Zoe"]
    league = flat(words(show.units_table(bench(rows=rows), league=True)))
    assert [name for name in league.split() if name in ("Zoe", "adam", "Mia")] == ["Zoe", "adam", "Mia"]
    assert "1 to 3" in league and "30 %" in league
    plain = flat(words(show.units_table(bench(rows=rows))))
    assert "1 to 3" not in plain and "Better quarter" not in plain


def test_of_a_measure_where_lower_is_better_the_lower_ones_lead_a_league_table():
    rows = (("high", 9.0, 9.0, "not distinguishable"), ("low", 2.0, 2.0, "not distinguishable"))
    league = words(show.units_table(bench("resolution_hours", rows=rows, centre=5.0), league=True))
    body = league[league.index("Verdict") :]
    assert body.index(" low ") < body.index(" high ")


def test_before_a_shared_audience_those_with_too_few_cases_are_counted_and_not_listed():
    everybody = words(show.units_table(bench()))
    assert "Ed" in everybody and "too few: 8 cases, 30 are needed" in everybody
    shared = words(show.units_table(bench(), smallest=5))
    assert " Ed " not in shared and "1 rep with too few cases not listed" in shared
    small = bench(rows=FOUR[:4])
    small = replace(small, units=small.units.assign(clusters=[40, 4, 40, 40]))
    assert " Bo " not in words(show.units_table(small, smallest=5)), "cases of four accounts"


def test_tables_of_the_mix_of_movers_managers_and_persistence():
    mix = flat(words(show.mix_table(bench())))
    assert "Enterprise" in mix and "−9.0 points" in mix and "−11.0 to −7.0 points" in mix  # -.09 +- 1.96 x .01
    assert "+6.0 points" in flat(words(show.movers_table(bench())))
    managers = words(show.managers_table(board(bench(), level="manager")))
    assert "Ada" in managers and "better" in managers
    table = flat(words(show.persistence_table([lasting(), lasting(refused="too noisy")])))
    assert "Ada (the better side)" in table and "0.60 (0.10 to 0.90)" in table and "Not said: too noisy" in table
    assert show.persistence_table([REFUSED]).html == ""


# --- tiles


def history(key="csat", now=0.66, before=0.60, verdict="rise", target=0.8):
    months = pd.DataFrame({"month": pd.date_range("2024-01-01", periods=20, freq="MS"), "adjusted": now})
    given = [Estimate(key, value, 1.0, 2.0, 900, value - 0.02, value + 0.02) for value in (now, before)]
    return History(key, "additive", *given, verdict, months, pd.DataFrame(), now, target, "missed" if target else "")


def test_tiles_say_how_many_are_told_apart_and_where_the_organisation_stands():
    given = {"support": {"csat": history(), "ces": REFUSED}, "csm": {"nps": REFUSED, "book_renewal_rate": REFUSED}}
    tiles = show.rep_tiles({"support": APART, "csm": QUIET}, given, "EUR")
    text = flat(tiles.text)
    assert "Support reps told apart: 2 of 4 (on CSAT: Ada and Bo; 1 other measure below)" in text
    assert "CSMs told apart: 0 of 4 (on CSAT; 1 other measure below)" in text
    assert "CSAT: 66.0 % (64.0 to 68.0 %, n = 900); ▲ +6.0 points from 60.0 %; Target 80.0 %: missed" in text
    record = next(iter(tiles.data.values()))["headline"]
    assert [tile["value"] for tile in record] == [2.0, 0.0, 0.66], "what is refused has no tile beside others"


def test_there_are_at_most_four_tiles_and_the_teams_take_turns():
    support = {"csat": history(), "fcr": history("fcr")}
    given = {"support": support, "csm": {"book_renewal_rate": history("book_renewal_rate")}}
    record = next(iter(show.rep_tiles({"support": APART, "csm": QUIET}, given, "EUR").data.values()))["headline"]
    assert [tile["key"] for tile in record] == ["support_reps_apart", "csms_apart", "csat", "book_renewal_rate"]


def test_tiles_of_one_team_alone_and_of_refusals():
    text = show.rep_tiles({"support": REFUSED}, {"support": {"csat": REFUSED}}, "EUR").text
    assert text.count("no ticket has a rep") == 2 and "CSM" not in text
    nobody = show.rep_tiles({"csm": board(units=0, role="csm", refused={"csat": "too few"})}, {}, "EUR").text
    assert "No CSM has enough cases for a figure." in nobody


def test_a_tile_of_another_unit_says_its_unit():
    rate = history("tickets_per_working_day", 1.2, 1.0, target=None)
    text = show.rep_tiles({"support": QUIET}, {"support": {"tickets_per_working_day": rate}}, "EUR").text
    assert "1.20 tickets per day" in text and "+0.20 tickets per day from 1.00 tickets per day" in text
    assert "%" not in text.split("Tickets per working day")[1]


# --- parts of the page


def test_findings_of_one_anchor_have_a_place_each():
    said = show.say_spread(bench(), "same")
    places = re.findall(r'id="([^"]+)"', show.listing(said, said, show.say_movers(bench(), "other")).html)
    assert places == ["same", "same-2", "other"]


def test_a_history_without_a_course_is_a_sentence_and_a_refused_one_its_reason():
    empty = replace(history(), months=history().months.assign(adjusted=NAN))
    block = show.courses({"csat": empty, "fcr": REFUSED})
    assert "<figure" not in block.html and "CSAT rose from 60.0" in flat(block.text)
    assert "FCR: tickets: no ticket has a rep." in words(block)


def test_a_measure_with_one_figure_is_refused_and_no_empty_axis_drawn():
    alone = board(bench(rows=(FOUR[0], FOUR[4])), refused={"csat": "1 of 2 have enough cases"})
    block = show.compared(alone, ["csat", "fcr"])
    assert "<figure" not in block.html
    assert "CSAT: 1 of 2 have enough cases." in words(block) and "was not measured" in words(block)


def test_a_mix_that_moves_nobody_is_a_sentence_and_its_table_opens_on_a_click():
    still = show.mixes(board(bench(moves=moves(*MOVED[1:]))), ["csat", "fcr"])
    assert "<figure" not in still.html and "<details" in still.html
    moving = show.mixes(board(bench()), ["csat"])
    assert moving.html.count("<figure") == 1 and "75 % of the cases are Enterprise" in flat(words(moving))


def test_the_resolved_rate_has_that_of_all_contacts_beside_it():
    rates = [Estimate("resolved_rate", 0.9, 900.0, 1000.0, 1000, 0.88, 0.92),
             Estimate("resolved_rate_all", 0.72, 900.0, 1250.0, 1250, 0.70, 0.74)]  # fmt: skip
    said = flat(show.say_resolved(rates))
    assert said.startswith(
        "90.0 % of the contacts answered were resolved. 95 % interval 88.0 to 92.0 %, 1,000 answered."
    )
    assert "72.0 % of all 1,250 contacts were resolved (70.0 to 74.0 %)" in said
    unknown = [replace(rates[0], value=None, reason="no contact says whether it was answered"), rates[1]]
    assert flat(show.say_resolved(unknown)).startswith("72.0 % of all 1,250 contacts were resolved. No contact says")
    assert "no ticket has a rep" in show.say_resolved(REFUSED).text


def test_what_of_a_team_is_missing_is_said_one_by_one():
    team_ = reps.team_cases("support", team(5, reps=8).cases, Suppressed("surveys: there is none"))
    (said,) = show.say_missing(team_, "support")
    assert said.text == "Not measured. Surveys: there is none."
    assert show.say_missing(REFUSED, "support") == ()


# --- what holds for all of them


def everything(label="Ada"):
    """All sentences and blocks about both kinds of board, with this name in every place for one."""
    rows = tuple((label, *rest) for _, *rest in FOUR)
    moved = moves(*((unit, label, *rest) for unit, _, *rest in MOVED))
    own = [bench(rows=rows, moves=moved), bench("resolution_hours", rows=rows, scale="ratio", spread=0.2, moves=moved)]
    loud, last = board(*own, untouched=(label,), notes=(f"{label[:40]} left",)), lasting(label=label)
    for each in (loud, board(bench(rows=tuple((label, *rest) for _, *rest in ALIKE), reliability=0.2))):
        for role in ("support", "csm"):
            yield from (
                say(each, role) for say in (show.say_real, show.say_not_real, show.say_untouched, show.say_managers)
            )
            yield show.say_next(
                {role: each}, {role: [last, lasting("worse", label=label), lasting("lower", label=label)]}
            )
            yield show.say_persistence([last], role)
        for one in each.benchmarks:
            yield from (
                show.say_spread(one),
                show.say_movers(one),
                comparison.say_apart(one),
                comparison.say_places(one),
            )
            yield from (show.units_table(one), show.units_table(one, league=True), show.mix_table(one))
            yield show.movers_table(one)
        yield from (show.board_table(each), show.managers_table(each), show.mixes(each, ["csat", "resolution_hours"]))
        yield show.compared(each, ["csat", "resolution_hours", "fcr"], league=True)
    yield from (
        show.persistence_table([last]),
        show.purpose(),
        show.league_notice(),
        show.rep_tiles({"support": loud}, {}, "EUR"),
    )


BANNED = re.compile(
    r"\b(best|worst|top|bottom|good|bad|weak|poor|lazy) (rep|reps|CSM|CSMs|performer|performers|person|people)\b"
    r"|\bunder-?perform|\bover-?perform|\bfire\b|\bfired\b|\bdismiss|\bsack|\bbonus|\bpenal|\bwinner|\bloser"
    r"|\bpromot(e|es|ed|ing|ion)\b"
    r"|\bdemot|\bterminat|\bsalary|\brating\b|\bpunish|\breward|\bblame|\bfault\b|\bguilty|\bfail(s|ed|ing)?\b",
    re.IGNORECASE,
)


def test_no_sentence_decides_about_a_person():
    for shown in everything():
        text = words(shown) if hasattr(shown, "html") else shown.text
        assert not BANNED.search(text), text
    for module in (sentences, boards, comparison, steps):
        code = inspect.getsource(module)
        assert not BANNED.search(code), BANNED.search(code)


def test_what_the_report_is_for_is_said_in_a_few_sentences():
    said = words(show.purpose())
    assert "No decision about a person may rest on it" in said and "works council" in said and "personal data" in said
    assert said.count(".") <= 4


def test_every_name_from_data_is_inert_and_nothing_reads_as_missing():
    for shown in everything(HOSTILE * 40):
        html = shown.html if hasattr(shown, "html") else show.findings(shown).html
        assert "<script" not in html and "\u202e" not in html
        assert not re.search(r"\b(nan|inf|NaN|None)\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.S)), html[:500]
        assert len(max(words(show.findings(shown) if not hasattr(shown, "html") else shown).split(), key=len)) < 400


def test_what_charts_take_is_what_the_board_holds():
    one = bench()
    funnel = show.funnel_rows(one)
    assert list(funnel.points["label"]) == ["Ada", "Bo", "Cy", "Di"], "those with a figure"
    assert list(funnel.points["rate"]) == [0.92, 0.62, 0.81, 0.80] and set(funnel.points["n"]) == {60.0}
    assert list(show.rank_rows(one).rows["told"]) == ["better", "", "", "worse"], "by the shrunk figure"
    assert list(show.slope_rows(one)["moved"]) == ["+6.0\u202fpoints", "−2.0\u202fpoints"]
    longer = show.slope_rows(bench("resolution_hours", scale="ratio"))
    assert list(longer["moved"]) == ["+8.1\u202f%", "−2.4\u202f%"]  # .80 / .74 and .81 / .83
    assert next(iter(show.slope_rows(bench("book_grr"))["moved"])).endswith(" a month"), "figures a year, moves a month"
    assert show.funnel_rows(REFUSED) is REFUSED and show.slope_rows(REFUSED) is REFUSED
    assert show.chart_options(one) == {} and show.chart_options(REFUSED) == {}
    assert show.chart_options(bench("resolution_hours"))["number"](2.5) == "2.5"
    assert show.chart_options(bench("book_grr"))["number"](0.99) == f"{100 * 0.99**12:.1f}\u202f%"


def test_a_team_with_known_differences_reads_as_it_was_made():
    """Reps without differences, a quarter of them with hard cases: the plain table misleads, the words do not."""
    alike = reps.compare_reps(team(5, reps=14).cases)
    assert "No support rep can be told apart" in show.say_real(alike, "support").conclusion
    said = show.say_movers(alike.of("csat")).text
    assert "are Enterprise (segment)" in said
    html = show.compared(alike, ["csat"]).html
    assert html.count("<figure") == 2 and "league" not in html


def test_a_league_table_comes_only_on_request_and_with_its_ranges():
    usual = show.compared(board(bench()), ["csat"])
    assert usual.html.count("<figure") == 2
    asked = show.compared(board(bench()), ["csat"], league=True)
    assert asked.html.count("<figure") == 3 and "Places" in words(asked)
    neither = show.compared(board(bench("aht_minutes")), ["aht_minutes"], league=True)
    assert neither.html.count("<figure") == 2, "where no side is better nobody has a place"


def test_what_is_counted_per_time_worked_has_months_for_cases():
    days = bench("tickets_per_working_day", scale="ratio")
    assert "month" in sentences.needed_words(days) and "case" in sentences.needed_words(bench())
    assert boards.funnel_rows(days).cases == "months, as if independent"
    assert boards.funnel_rows(bench()).cases == "cases, counted as independent ones"
    assert "Months" in flat(words(boards.units_table(days))) and "Months" not in flat(
        words(boards.units_table(bench()))
    )
    assert boards.axis_words("tickets_per_working_day") == "tickets per working day, cases alike"
    assert boards.axis_words("resolution_hours") == "time to resolve, cases alike (hours)"
