"""Words about newcomers, moves and the own history: never more than the interval, and figures in their units."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.estimates import Estimate
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.views import view_of
from cs_helpers.reps.results import History, Moves, Ramp
from cs_helpers.reps.views.over_time import months_table, season_words, steps_table

NAN, INF = math.nan, math.inf
HOSTILE = "<script>alert(1)</script>"


def said(text):
    """Narrow spaces as plain ones, to be read in a test."""
    return str(text).replace("\u202f", " ")


def headline(result):
    return view_of(result).headline(result)


def alt_text(result):
    return view_of(result).alt_text(result)


def note(result):
    return view_of(result).note(result)


# Figures


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("csat", 0.8123, "81.2 %"),
        ("csat", 1.0, "100.0 %"),
        ("reopen_rate", 0.0, "0.0 %"),
        ("usage_change", -0.034, "−3.4 %"),
        ("first_response_hours", 3.44, "3.4 hours"),
        ("first_response_hours", 1.0, "1 hour"),
        ("first_response_hours", 0.256, "0.26 hours"),
        ("resolution_hours", 123.4, "123 hours"),
        ("onboarding_days", 41.0, "41 days"),
        ("aht_minutes", 7.25, "7.2 minutes"),
        ("asa_seconds", 31.7, "31.7 seconds"),
        ("tickets_per_working_day", 1.268, "1.27 tickets per day"),
        ("touches_per_working_day", 12.0, "12.00 per day"),
        ("nps", 15.2, "+15"),
        ("nps", -7.6, "−8"),
        ("nps", 0.2, "0"),
        ("book_grr", 0.99, "88.6 %"),  # .99 ** 12 = .8864
        ("book_nrr", 1.01, "112.7 %"),  # 1.01 ** 12 = 1.1268
        ("internal_moves_rate", 0.0512, "0.05 per rep-year"),
        ("time_to_proficiency", 16.0, "16 weeks"),
        ("csat", None, "–"),
        ("csat", NAN, "–"),
        ("first_response_hours", INF, "–"),
    ],
)
def test_a_figure_is_written_in_its_unit(key, value, text):
    assert said(figure(key, value)) == text


@pytest.mark.parametrize(
    ("key", "low", "high", "text"),
    [
        ("csat", 0.781, 0.823, "78.1 to 82.3 %"),
        ("first_response_hours", 2.04, 14.0, "2 to 14 hours"),
        ("first_response_hours", 0.3, 0.52, "0.30 to 0.52 hours"),
        ("resolution_hours", 18.0, 19.3, "18.0 to 19.3 hours"),
        ("nps", -3.0, 21.4, "−3 to +21"),
        ("book_grr", 0.98, 0.99, "78.5 to 88.6 %"),
        ("tickets_per_working_day", 1.1, 1.4, "1.10 to 1.40 tickets per day"),
        ("csat", 0.5, INF, "at least 50.0 %"),
        ("csat", None, 0.5, "at most 50.0 %"),
        ("csat", NAN, NAN, "–"),
    ],
)
def test_an_interval_says_its_unit_once(key, low, high, text):
    assert said(figure_span(key, low, high)) == text


@pytest.mark.parametrize(
    ("key", "scale", "effect", "text"),
    [
        ("csat", "additive", -0.0284, "−2.8 points"),
        ("csat", "additive", 0.01, "+1.0 point"),
        ("csat", "additive", 0.00001, "0.0 points"),
        ("book_grr", "additive", -0.004, "−0.4 points a month"),
        ("nps", "additive", 4.4, "+4 points"),
        ("asa_seconds", "additive", -12.2, "−12.2 seconds"),
        ("resolution_hours", "ratio", math.log(1.12), "+12 %"),
        ("resolution_hours", "ratio", math.log(0.98), "−2.0 %"),
        ("tickets_per_working_day", "ratio", math.log(3), "+200 %"),
        ("csat", "additive", NAN, "–"),
    ],
)
def test_a_difference_has_a_sign_and_the_unit_of_its_scale(key, scale, effect, text):
    assert said(difference(key, scale, effect)) == text


def test_both_ends_of_a_difference_have_signs():
    assert said(difference_span("csat", "additive", 0.012, 0.042)) == "+1.2 to +4.2 points"
    assert said(difference_span("resolution_hours", "ratio", math.log(0.97), math.log(1.2))) == "−3 to +20 %"
    assert difference_span("csat", "additive", NAN, 0.1) == "–"


# Ramp


def ramp_of(proficient=16.0, low=12.0, high=24.0, reason="", early=(-0.12, -0.17, -0.07), newcomers=9, **more):
    week = np.arange(0, 52, 4)
    effect = np.minimum(-0.2 + 0.0125 * week, 0.0)
    columns = {"week": week, "reps": newcomers, "cases": 120, "effect": effect, "level": 0.82 + effect}
    curve = pd.DataFrame({**columns, "smooth": 0.82 + effect, "low": 0.78 + effect, "high": 0.86 + effect})
    curve["effect_low"], curve["effect_high"] = effect - 0.04, effect + 0.04
    marks = pd.DataFrame(
        [(0, "ride-along", 9, 11), (12, "training", 2, 2)], columns=["week", "kind", "reps", "sessions"]
    )
    given = {"tenured": 0.82, "curve": curve, "marks": marks, "longer_serving": 14, "band": (0.77, 0.87)}
    return Ramp(
        **{"key": "csat", "scale": "additive", "newcomers": newcomers, **given, **more},
        proficient=proficient, low=low, high=high, reason=reason, early=early,
    )  # fmt: skip


def test_a_time_to_proficiency_is_said_with_its_interval():
    text = said(headline(ramp_of()))
    assert "Newcomers reach the longer-serving's CSAT after about 16 weeks." in text
    assert "95 % interval 12 to 24 weeks." in text
    assert "differ by −12.0 points from the longer-serving (95 % interval −17.0 to −7.0 points)" in text
    assert "9 newcomers against 14 reps with more than 12 months of service." in text


def test_where_the_latest_week_is_open_only_the_earliest_is_said():
    text = said(headline(ramp_of(high=INF)))
    assert "12 weeks at the earliest; the latest cannot be told within the 52 weeks that were seen." in text
    assert "inf" not in text and "95 % interval 12" not in text


def test_who_does_not_reach_the_others_is_not_said_to():
    text = said(headline(ramp_of(proficient=INF, low=44.0, high=INF)))
    assert "do not reach the longer-serving's CSAT within the 52 weeks that were seen" in text
    assert "44 weeks at the earliest" in text
    assert "earliest" not in said(headline(ramp_of(proficient=INF, low=INF, high=INF)))


def test_no_ramp_is_said_as_such_with_the_interval_and_no_time():
    none = {"proficient": None, "low": NAN, "high": NAN}
    reason = "no ramp is visible: newcomers do not clearly start behind the longer-serving"
    text = said(headline(ramp_of(**none, reason=reason, early=(-0.01, -0.05, 0.03))))
    assert text.startswith("No ramp is visible in CSAT.") and "−5.0 to +3.0 points" in text
    assert "reach the" not in text and "after about" not in text and "within reach" not in text
    inside = "no ramp is visible: newcomers start inside the band around the longer-serving"
    assert "That is within reach of them." in said(headline(ramp_of(**none, reason=inside)))


@pytest.mark.parametrize(
    ("key", "scale", "band", "early", "open_"),
    [
        ("csat", "additive", (0.77, 0.87), (0.01, -0.06, 0.08), True),
        ("csat", "additive", (0.77, 0.87), (0.01, -0.04, 0.08), False),
        ("reopen_rate", "additive", (0.77, 0.87), (0.01, -0.08, 0.04), False),
        ("reopen_rate", "additive", (0.77, 0.87), (0.01, -0.08, 0.06), True),
        ("escalation_rate", "additive", (0.77, 0.87), (0.01, -0.08, 0.04), True),
        ("resolution_hours", "ratio", (0.82 * 0.95, 0.82 * 1.05), (0.0, -0.2, 0.04), False),
        ("resolution_hours", "ratio", (0.82 * 0.95, 0.82 * 1.05), (0.0, -0.2, 0.06), True),
    ],
)
def test_no_ramp_seen_is_not_said_to_be_no_ramp_where_the_interval_allows_one(key, scale, band, early, open_):
    reason = "no ramp is visible: newcomers do not clearly start behind the longer-serving"
    found = ramp_of(None, NAN, NAN, reason, early, key=key, scale=scale, band=band)
    assert ("A ramp may still be there" in said(headline(found))) == open_


def test_too_few_newcomers_are_said_to_be_too_few():
    found = ramp_of(
        None, NAN, NAN, "4 newcomers were seen; a time to proficiency needs 5", (NAN, NAN, NAN), newcomers=4
    )
    text = said(headline(found))
    assert text == (
        "How newcomers come up in CSAT cannot be told. 4 newcomers were seen; a time to proficiency needs 5."
    )


def test_the_ramp_in_words_has_every_step_the_band_and_the_trainings():
    text = said(alt_text(ramp_of()))
    assert "week 0: 62.0 % (58.0 to 66.0 %), 9 newcomers; week 4: 67.0 %" in text
    assert "The longer-serving are at 82.0 %, within reach of them is 77.0 to 87.0 %." in text
    assert "Ride-alongs by week: 0 (11). Trainings by week: 12 (2)." in text
    assert "no step has enough newcomers" in alt_text(ramp_of(curve=ramp_of().curve[:0]))


def test_the_note_says_what_the_band_is_and_that_those_who_left_are_missing():
    text = said(note(ramp_of()))
    assert "five points around the longer-serving" in text and "part of a rise may be who stayed" in text
    assert "months" not in text
    by_month = said(note(ramp_of(key="resolution_hours", scale="ratio", step_weeks=52 / 12)))
    assert "5 % of it around" in by_month and "steps are months" in by_month
    assert "Trainings" not in note(ramp_of(marks=ramp_of().marks[:0]))


def test_the_table_of_the_ramp_has_a_row_per_step():
    text = said(steps_table(ramp_of()).text)
    assert "−20.0 points" in text and "62.0 %" in text and "Ride-alongs" in text
    html = said(steps_table(ramp_of()).html)
    assert html.count("<tr") == 14 and "the longer-serving: 82.0 % among 14 reps" in html


# Moves


def test_moves_are_said_per_rep_year_with_where_to_and_who_left():
    text = said(headline(Moves("support", 4, 7, 61.25, 4 / 61.25, 0.018, 0.167, {"Product": 3, HOSTILE: 1})))
    assert "4 support reps moved to another department in 61.2 rep-years: 0.07 per rep-year." in text
    assert "95 % interval 0.02 to 0.17 per rep-year." in text
    assert f"To Product (3) and {HOSTILE} (1). 7 support reps left the company." in text


def test_no_move_is_said_with_what_would_still_fit():
    text = said(headline(Moves("csm", 0, 0, 10.0, 0.0, 0.0, 0.369)))
    assert text == (
        "No CSM moved to another department in 10.0 rep-years. Up to 0.37 per rep-year would still fit with that "
        "(95 % interval). Nobody left the company."
    )
    assert "1 CSM left" in said(headline(Moves("csm", 0, 1, 10.0, 0.0, 0.0, 0.369)))


# History


def season_of(**effects):
    rows = [(m, effects.get(f"m{m}", 0.0), effects.get(f"m{m}", 0.0), 3) for m in range(1, 13)]
    table = pd.DataFrame(rows, columns=["calendar_month", "effect", "low", "years"])
    table["low"], table["high"] = table["effect"] - 0.02, table["effect"] + 0.02
    return table.assign(q=np.where(table["effect"] != 0, 0.01, 0.9))


def history_of(now=0.84, before=0.80, verdict="rise", season=None, outside=(), n=3000, **more):
    months = pd.date_range("2024-01-01", periods=24, freq="MS")
    values = np.linspace(0.78, 0.85, 24)
    table = pd.DataFrame({"month": months, "n": 250, "plain": values - 0.01, "adjusted": values})
    table = table.assign(low=values - 0.03, high=values + 0.03, effect=values - 0.81, outside="", target=NAN)
    table["year_before"] = np.concatenate([np.full(12, NAN), values[:12]])
    for place in outside:
        table.loc[place, "outside"] = "95"

    def estimate(value, reason=""):
        ends = (value - 0.015, value + 0.015) if value is not None else (None, None)
        return Estimate("csat", value, None, None, n, *ends, reason=reason)

    given = {"now": estimate(now), "before": estimate(before, "the data begin in May 2025"), "centre": 0.815}
    season = season_of() if season is None else season
    return History(
        **{"key": "csat", "scale": "additive", "verdict": verdict, "months": table, "season": season, **given, **more}
    )


def test_a_rise_and_a_fall_are_said_with_both_intervals():
    text = said(headline(history_of()))
    assert text.startswith("CSAT rose from 80.0 to 84.0 % against the 12 months before.")
    assert "95 % interval 82.5 to 85.5 % now, 78.5 to 81.5 % before." in text and "fell" not in text
    text = said(headline(history_of(0.76, 0.80, "fall", window=3)))
    assert text.startswith("CSAT fell from 80.0 to 76.0 % against the 3 months before.") and "rose" not in text


@pytest.mark.parametrize(
    ("verdict", "words"), [("no clear change", "no clear change from 80.0 %"), ("too few", "cannot be told: too few")]
)
def test_without_a_clear_change_none_is_said(verdict, words):
    text = said(headline(history_of(verdict=verdict)))
    assert words in text and not re.search(r"\b(rose|fell|better|worse)\b", text)


def test_without_an_earlier_window_nothing_is_compared():
    text = said(headline(history_of(before=None, verdict="no comparison")))
    assert "is not compared with the 12 months before: the data begin in May 2025." in text
    assert "rose" not in text and "82.5 to 85.5 %" in text


def test_without_a_value_now_the_reason_is_said():
    found = history_of(now=None, verdict="no comparison")
    found = History(**{**vars(found), "now": Estimate("csat", None, None, None, 0, reason="no case in the window")})
    assert said(headline(found)) == "CSAT of the last 12 months cannot be given. No case in the window."


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("met", "is met"), ("missed", "is missed"), ("no clear verdict", "is neither clearly met nor missed")],
)
@pytest.mark.parametrize("moved", ["rise", "no clear change", "too few"])
def test_the_target_is_named_with_its_verdict_whatever_moved(verdict, words, moved):
    text = said(headline(history_of(verdict=moved, target=0.82, target_verdict=verdict)))
    assert f"The target of 82.0 % {words}." in text
    assert "target" not in said(headline(history_of(verdict=moved)))


def test_times_are_said_to_be_geometric_means():
    estimates = {
        name: Estimate("resolution_hours", value, None, 3000, 3000, value - 0.2, value + 0.2)
        for name, value in (("now", 4.1), ("before", 5.0))
    }
    found = history_of(verdict="fall", key="resolution_hours", scale="ratio")
    text = said(headline(History(**{**vars(found), **estimates})))
    assert "Time to resolve fell from 5.0 to 4.1 hours" in text and "geometric means" in text
    assert "geometric" not in said(headline(history_of()))


def test_the_line_by_month_in_words():
    text = said(alt_text(history_of(outside=[0, 23], target=0.83)))
    assert "CSAT by month with the mix of cases taken out, January 2024 to December 2025." in text
    assert "Lowest 78.0 % in January 2024, highest 85.0 % in December 2025" in text
    assert "last 85.0 % (82.0 to 88.0 %) in December 2025. A year before that month it was 81.3 %." in text
    assert "Outside the limits of usual months: January 2024 (below) and December 2025 (above)." in text
    assert "The target is 83.0 %." in text
    assert "No month lies outside" in alt_text(history_of())


def test_months_without_enough_cases_are_counted_and_none_at_all_is_said():
    found = history_of()
    gap = found.months.assign(adjusted=found.months["adjusted"].where(found.months["month"].dt.month != 3))
    assert "2 months without enough cases." in alt_text(History(**{**vars(found), "months": gap}))
    none = found.months.assign(adjusted=NAN)
    assert alt_text(History(**{**vars(found), "months": none})) == "CSAT by month: no month has enough cases."


def test_the_table_of_months_begins_with_the_latest():
    shown = months_table(history_of(outside=[23]))
    rows = said(shown.html).split("<tr")
    assert "2025-12" in rows[2] and "84.0 %" in rows[2] and "85.0 %" in rows[2] and "outside 95 %" in rows[2]
    assert len(rows) == 26 and "median" not in shown.text
    assert "the median" in months_table(history_of(key="resolution_hours", scale="ratio")).html


def test_a_season_names_the_months_that_differ_and_on_which_side():
    text = said(season_words(history_of(season=season_of(m12=-0.064, m6=0.031))))
    assert "CSAT has a season: higher in June (+3.1 points, 95 % interval +1.1 to +5.1 points)" in text
    assert "lower in December (−6.4 points, 95 % interval −8.4 to −4.4 points)." in text
    assert "over 3 years or more" in text


def test_where_no_month_differs_clearly_none_is_named():
    text = said(season_words(history_of()))
    assert "No calendar month clearly differs" in text and not re.search("January|December|higher|lower", text)


def test_with_less_than_two_years_a_season_cannot_be_told():
    text = said(season_words(history_of(season=season_of()[:0])))
    assert text.startswith("Whether CSAT has a season cannot be told. That takes 24 months")


def test_hostile_names_are_inert_on_the_page():
    from cs_helpers.report.blocks import takeaways

    block = takeaways(headline(Moves("support", 1, 0, 5.0, 0.2, 0.01, 1.1, {HOSTILE + "\u202e": 1})))
    assert "<script" not in block.html and "\u202e" not in block.html and "&lt;script&gt;" in block.html


def test_no_sentence_speaks_of_a_decision_about_a_person():
    results = [headline(ramp_of()), headline(ramp_of(INF, INF, INF)), headline(history_of(0.7, 0.8, "fall"))]
    results.append(headline(Moves("support", 1, 3, 5.0, 0.2, 0.01, 1.1, {"Product": 1})))
    texts = " ".join([*map(str, results), note(ramp_of()), alt_text(ramp_of())])
    assert not re.search(r"\b(dismiss|fire|bonus|promot|warn|weak|poor|bad)\w*", texts, re.I)
