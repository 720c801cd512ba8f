"""What becomes of a CSM's book and what is done for it, as cases: literal tables, and the sample company's totals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest import approx

import cs_helpers as cs
from cs_helpers import retention
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import or_suppressed
from cs_helpers.data import rollups
from cs_helpers.reps import activity_metrics, portfolios
from cs_helpers.reps.attribution import attributed
from cs_helpers.reps.employment import working_days
from cs_helpers.reps.measures import MEASURES
from cs_helpers.reps.portfolios import Portfolios

START, END = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-07-01")
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"


def dates(*days):
    return pd.to_datetime(list(days), format="ISO8601").astype("datetime64[us]")


def table(columns, *rows):
    """A table of literal rows; columns that end in _date, _at, _on or are month hold dates."""
    made = pd.DataFrame(rows, columns=columns.split())
    dated = [name for name in made if name == "month" or name.endswith(("_date", "_at", "_on"))]
    return made.assign(**{name: dates(*made[name]) for name in dated})


def paid_periods(*rows):
    return table("account_id start_date end_date mrr_cents", *rows)


def assigned(*rows):
    return table("account_id rep_id start_date end_date", *rows)


PEOPLE = table(
    "rep_id role hired_on left_on working_hours_per_month",
    ("Ann", "csm", "2020-01-01", None, 150.0),
    ("Ben", "csm", "2026-03-04", None, 150.0),
    ("Cem", "csm", "2020-01-01", "2026-04-10", None),
    ("Sue", "support", "2020-01-01", None, 150.0),
)
PAID = paid_periods(
    ("A", "2024-01-01", None, 10_000),
    ("B", "2024-01-01", "2026-05-01", 20_000),
    ("C", "2024-01-01", None, 30_000),
    ("D", "2024-01-01", None, 40_000),
)
ASSIGNED = assigned(
    ("A", "Ann", "2024-01-01", None),
    ("B", "Ann", "2024-01-01", "2026-03-01"),
    ("B", "Ben", "2026-03-01", None),
    ("C", "Ben", "2025-01-01", None),
)  # nobody has D
BOOKS = Portfolios(ASSIGNED, PEOPLE, PAID)


def books(paid=PAID, assignments=ASSIGNED, people=PEOPLE, **more):
    return Portfolios(assignments, people, paid, **more)


def owners(cases):
    return [None if pd.isna(rep) else rep for rep in cases.table["rep_id"]]


def account_month(*rows):
    return table("account_id month opening new reactivation closing", *rows)


# Days at work -----------------------------------------------------------------------------------------------------


def test_working_days_are_mondays_to_fridays_between_the_first_and_the_last_day_in_the_job():
    days = working_days(PEOPLE, pd.Timestamp("2026-03-01"), pd.Timestamp("2026-05-01")).set_index(["rep_id", "month"])
    march, april = dates("2026-03-01", "2026-04-01")
    # March 2026 begins on a Sunday: 22 weekdays, the 4th is the third of them. April: 22 weekdays, the 10th its eighth.
    assert days.loc[("Ann", march), "days"] == 22 and days.loc[("Ann", april), "days"] == 22
    assert days.loc[("Ben", march), "days"] == 22 - 2
    assert days.loc[("Cem", april), "days"] == 8
    assert days.loc[("Ben", march), "hours"] == approx(150 * 20 / 22) and days.loc[("Ann", march), "hours"] == 150
    assert np.isnan(days.loc[("Cem", march), "hours"])
    may = working_days(PEOPLE, pd.Timestamp("2026-05-01"), pd.Timestamp("2026-06-01")).set_index("rep_id")
    assert may.loc["Ann", "days"] == 21 and may.loc["Ann", "hours"] == 150  # the same hours in a shorter month


def test_months_without_a_working_day_have_no_row():
    days = working_days(PEOPLE, START, END)
    assert days.loc[days["rep_id"] == "Ben", "month"].min() == pd.Timestamp("2026-03-01")
    assert days.loc[days["rep_id"] == "Cem", "month"].max() == pd.Timestamp("2026-04-01")
    assert list(working_days(PEOPLE.iloc[:0], START, END).columns) == ["rep_id", "month", "days", "hours"]


def test_unknown_days_of_hire_and_leave_mean_all_the_time():
    days = working_days(PEOPLE[["rep_id"]], START, pd.Timestamp("2026-02-01"))
    assert list(days["days"]) == [22, 22, 22, 22] and days["hours"].isna().all()  # January 2026: 22 weekdays


def test_somebody_who_stands_twice_among_the_people_is_an_error():
    with pytest.raises(ContractError, match="one row per person"):
        working_days(pd.concat([PEOPLE, PEOPLE]), START, END)


# What was known on the eve ----------------------------------------------------------------------------------------


def test_what_an_account_was_is_read_on_the_eve_of_a_day():
    paid = paid_periods(
        ("A", "2024-01-10", "2025-01-10", 10_000),
        ("A", "2025-01-10", "2025-06-01", 12_000),  # a rise
        ("A", "2025-09-01", None, 5_000),  # back after a gap
    )
    days = dates("2024-01-10", "2024-01-11", "2025-01-10", "2025-01-11", "2025-06-01", "2025-06-02", "2025-09-02")
    seen = portfolios.paid_before(paid, pd.Series("A", range(7)), pd.Series(days))
    assert list(seen["mrr"].fillna(0)) == [0, 100, 100, 120, 120, 0, 50]
    first, back = pd.Timestamp("2024-01-10"), pd.Timestamp("2025-09-01")
    assert list(seen["since"])[1:] == [first] * 5 + [back] and pd.isna(seen["since"][0])
    assert list(seen["until"])[1:6] == [pd.Timestamp("2025-06-01")] * 5 and pd.isna(seen["until"][6])
    assert list(seen["first_paid"])[1:] == [first] * 6


def test_bands_of_mrr_are_quarters_of_what_the_cases_paid():
    bands = portfolios.mrr_bands(pd.Series([10.0, 20, 30, 40, 50, 60, 70, 80, np.nan, 0]))
    # Quartiles of 10 to 80: 27.5, 45, 62.5.
    assert list(bands.astype("str"))[:8] == [name for name in portfolios.QUARTERS for _ in range(2)]
    assert bands.isna().tolist() == [False] * 8 + [True, True]
    assert set(portfolios.mrr_bands(pd.Series([5.0, 5.0, 5.0]))) == {"lowest quarter"}


def test_bands_of_tenure_end_on_the_monthly_anniversary():
    first = pd.Series(dates(*["2025-01-31"] * 5, None))
    day = pd.Series(dates("2025-04-29", "2025-04-30", "2026-01-30", "2026-01-31", "2028-01-31", "2026-01-31"))
    under, to_12, to_36, over = portfolios.TENURES
    found = portfolios.tenure_bands(first, day)
    assert list(found)[:5] == [under, to_12, to_12, to_36, over] and pd.isna(found[5])


def test_attributes_are_the_mix_of_cases_unless_a_csm_moves_them():
    attributes = pd.DataFrame({"segment": ["SMB", None, "Enterprise"]}, index=["A", "B", "C"])
    cases = portfolios.portfolio_months(
        account_month(*[(a, "2026-02-01", 1, 0, 0, 1) for a in "ABCD"]), books(attributes=attributes), START, END
    )
    assert cases.mix == ("segment", "MRR", "tenure")
    assert [None if pd.isna(each) else each for each in cases.table["segment"]] == ["SMB", None, "Enterprise", None]
    for wrong in ("health_score", "Usage", "touches last year", "churn_reason", "MRR", "rep_id", "month"):
        with pytest.raises(ParameterError, match=f"'{wrong}' cannot be part of the mix"):
            books(attributes=attributes.rename(columns={"segment": wrong}))
    with pytest.raises(ParameterError, match="stands there twice"):
        books(attributes=pd.concat([attributes, attributes]))


def test_an_attribute_nobody_filled_in_is_no_factor():
    empty = pd.DataFrame({"segment": [None, None]}, index=["A", "B"])
    panel = account_month(("A", "2026-02-01", 1, 0, 0, 1))
    assert portfolios.portfolio_months(panel, books(attributes=empty), START, END).mix == ("MRR", "tenure")


def test_a_book_in_which_nobody_ever_paid_is_an_error():
    with pytest.raises(ContractError, match="nobody ever paid"):
        books(paid=PAID.iloc[:0])


# Renewals ---------------------------------------------------------------------------------------------------------

RENEWALS = table(
    "account_id due_date target_mrr renewed_mrr",
    ("A", "2026-01-01", 100.0, 100.0),
    ("B", "2026-03-11", 200.0, 20.0),  # ten days after the handover: Ann's, and renewed at any price
    ("B", "2026-05-01", 200.0, 0.0),  # 61 days after it: Ben's, lost
    ("C", "2026-06-30", 300.0, None),  # still open
    ("D", "2026-02-01", 400.0, 0.0),  # nobody's
    ("A", "2026-07-01", 100.0, 0.0),  # after the window
    ("A", "2025-12-31", 100.0, 0.0),  # before it
)


def test_renewals_go_to_who_had_the_account_before_they_came_due():
    cases = portfolios.renewal_cases(RENEWALS, BOOKS, START, END)
    assert cases.keys == ("book_renewal_rate",)
    assert list(cases.table["cluster"]) == ["A", "B", "B", "D"]
    assert owners(cases) == ["Ann", "Ann", "Ben", None]
    assert list(cases.table["book_renewal_rate"]) == [1, 1, 0, 0]
    assert list(cases.table["month"]) == list(dates("2026-01-01", "2026-03-01", "2026-05-01", "2026-02-01"))
    assert cases.notes[0] == "1 of 5 renewals due are still open: not counted."
    assert cases.notes[1].startswith("1 of 4 renewals are of accounts that no CSM had before")


def test_renewals_foot_with_the_renewal_rate_of_the_whole_book():
    cases, rate = portfolios.renewal_cases(RENEWALS, BOOKS, START, END), retention.renewal_rate(RENEWALS, START, END)
    assert (len(cases.table), cases.table["book_renewal_rate"].sum()) == (rate.due, rate.renewed) == (4, 2)


def test_the_term_is_that_of_the_contract_that_ran_on_the_eve():
    contracts = table(
        "account_id start_date term_months",
        ("A", "2024-01-01", 12.0),
        ("A", "2026-01-01", 24.0),  # the new one, which this renewal brought
        ("B", "2024-01-01", 1.0),
    )
    cases = portfolios.renewal_cases(RENEWALS, BOOKS, START, END, contracts)
    assert [None if pd.isna(each) else each for each in cases.table["term"]] == [
        "12 months",
        "1 month",
        "1 month",
        None,
    ]
    assert cases.mix == ("MRR", "tenure", "term")
    none = portfolios.renewal_cases(RENEWALS, BOOKS, START, END, contracts.assign(term_months=np.nan))
    assert none.mix == ("MRR", "tenure")


def test_without_any_renewal_the_error_names_both_ways_to_have_some():
    with pytest.raises(ContractError, match="give the table renewals, or term_months"):
        portfolios.renewal_cases(RENEWALS.iloc[:0], BOOKS, START, END)


def test_a_window_without_renewals_has_no_key():
    cases = portfolios.renewal_cases(RENEWALS, BOOKS, pd.Timestamp("2027-01-01"), pd.Timestamp("2028-01-01"))
    assert cases.keys == () and len(cases.table) == 0 and cases.mix == ()
    open_only = portfolios.renewal_cases(RENEWALS[3:4], BOOKS, START, END)
    assert open_only.keys == () and open_only.notes == ("1 of 1 renewals due are still open: not counted.",)


# Revenue kept -----------------------------------------------------------------------------------------------------


def test_months_of_the_book_weighted_by_what_was_paid_are_grr_and_nrr():
    panel = account_month(
        ("A", "2026-02-01", 10_000, 0, 0, 15_000),  # grows
        ("A", "2026-03-01", 15_000, 0, 0, 15_000),
        ("B", "2026-02-01", 20_000, 0, 0, 5_000),  # shrinks
        ("C", "2026-02-01", 30_000, 0, 0, 0),  # leaves
        ("D", "2026-02-01", 0, 40_000, 0, 40_000),  # won in the month: not in the book as it began
    )
    table_ = portfolios.portfolio_months(panel, BOOKS, START, END).table
    assert list(table_["book_grr"]) == [1, 1, 0.25, 0] and list(table_["book_nrr"]) == [1.5, 1, 0.25, 0]
    assert list(table_["exposure"]) == [100, 150, 200, 300]
    kept = (table_["book_grr"] * table_["exposure"]).sum() / table_["exposure"].sum()
    assert kept == approx((100 + 150 + 50 + 0) / 750)
    assert (table_["book_nrr"] * table_["exposure"]).sum() / table_["exposure"].sum() == approx((150 + 150 + 50) / 750)


def test_a_fall_that_is_made_good_in_the_same_month_is_no_loss():
    panel = account_month(("A", "2026-02-01", 10_000, 0, 10_000, 10_000))  # left and came back
    assert list(portfolios.portfolio_months(panel, BOOKS, START, END).table["book_grr"]) == [1]


def test_a_month_belongs_to_who_had_the_account_before_it_began():
    panel = account_month(*[("B", month, 1, 0, 0, 1) for month in ("2026-03-01", "2026-04-01", "2026-05-01")])
    # Ben took over on 1 March: 0, 31 and 61 of the 90 days before.
    assert owners(portfolios.portfolio_months(panel, BOOKS, START, END)) == ["Ann", "Ann", "Ben"]
    assert owners(portfolios.portfolio_months(panel, books(handover_days=30), START, END)) == ["Ann", "Ben", "Ben"]


def test_a_window_that_the_panel_does_not_hold_is_an_error_and_not_an_empty_book():
    panel = account_month(("A", "2020-02-01", 1, 0, 0, 1))
    for each in (panel, panel.iloc[:0]):
        with pytest.raises(ContractError, match="no month of January 2026 to June 2026"):
            portfolios.portfolio_months(each, BOOKS, START, END)


# Answers ----------------------------------------------------------------------------------------------------------


def surveys(*rows):
    return table("kind account_id sent_at answered_at score", *rows)


def test_promoters_count_plus_and_detractors_minus_a_hundred():
    scores = [0, 6, 7, 8, 9, 10]
    asked = surveys(*[("nps", "A", "2026-02-01 09:00", "2026-02-03 10:00", score) for score in scores])
    cases = portfolios.nps_cases(asked, BOOKS, START, END)
    assert list(cases.table["nps"]) == [-100, -100, 0, 0, 100, 100] and set(owners(cases)) == {"Ann"}


def test_an_answer_counts_when_it_came_and_belongs_to_the_time_of_the_question():
    asked = surveys(
        ("nps", "B", "2026-04-10", "2026-04-20", 9),  # Ben has it since 1 March: 40 of 90 days then, 50 at the answer
        ("nps", "B", None, "2026-04-20", 9),
        ("nps", "A", "2025-12-30", "2026-01-02", 9),
        ("nps", "A", "2026-03-01", None, 9),  # the time of the answer was not recorded
        ("nps", "A", "2026-06-30", "2026-07-01", 9),  # came after the window
        ("nps", "A", "2026-03-01", None, None),  # no answer
        ("csat", "A", "2026-03-01", "2026-03-02", 5),
        ("nps", None, "2026-03-01", "2026-03-02", 5),
    )
    cases = portfolios.nps_cases(asked, BOOKS, START, END)
    assert owners(cases) == ["Ann", "Ben", "Ann", "Ann", None]
    months = dates("2026-04-01", "2026-04-01", "2026-01-01", "2026-03-01", "2026-03-01")
    assert list(cases.table["month"]) == list(months)
    assert cases.notes == ("1 of 5 answers have no account or no date: nobody's.",)


def test_surveys_without_nps_or_without_some_columns():
    for asked in (surveys(), surveys(("csat", "A", "2026-03-01", "2026-03-02", 5))):
        with pytest.raises(ContractError, match="none of the kind nps"):
            portfolios.nps_cases(asked, BOOKS, START, END)
    bare = surveys(("nps", "A", "2026-03-01", "2026-03-02", 5)).drop(columns=["sent_at", "account_id"])
    assert owners(portfolios.nps_cases(bare, BOOKS, START, END)) == [None]


# Use --------------------------------------------------------------------------------------------------------------


def features(**accounts):
    """Days with use among the last 90 on 1 January, 1 April and 1 July 2026."""
    days = ("2026-01-01", "2026-04-01", "2026-07-01")
    rows = [(name, day, used) for name, three in accounts.items() for day, used in zip(days, three, strict=True)]
    return table("account_id month active_days_90", *rows)


def test_change_of_use_is_the_difference_over_the_larger_of_two_quarters():
    cases = portfolios.usage_cases(features(A=(20, 30, 15), B=(10, 10, 0), C=(0, 5, 5), D=(0, 0, 4)), BOOKS, START, END)
    found = cases.table.set_index(["cluster", "month"])["usage_change"].to_dict()
    march, june = dates("2026-03-01", "2026-06-01")
    assert found == approx(
        {
            ("A", march): 10 / 30,
            ("A", june): -15 / 30,
            ("B", march): 0,
            ("B", june): -1,  # left on 1 May, and stays in the figure
            ("C", march): 1,
            ("C", june): 0,
            ("D", june): 1,  # in the first quarter no use at all: no case
        }
    )


def test_a_quarter_belongs_to_who_had_the_account_in_it_or_until_it_left():
    cases = portfolios.usage_cases(features(B=(10, 10, 0)), BOOKS, START, END)
    # 1 April: Ann has 59 of the 90 days. It left on 1 May: of the 90 days before that Ben has 61.
    assert owners(cases) == ["Ann", "Ben"]
    # Had it been attributed on 1 July, an assignment that ended with the account would have had 30 of 90 days only.
    ended = ASSIGNED.assign(
        end_date=ASSIGNED["end_date"].mask(ASSIGNED["rep_id"].eq("Ben"), pd.Timestamp("2026-05-01"))
    )
    assert owners(portfolios.usage_cases(features(B=(10, 10, 0)), books(assignments=ended), START, END)) == [
        "Ann",
        "Ben",
    ]


def test_only_accounts_that_paid_through_both_windows_before_the_quarter_count():
    paid = paid_periods(
        ("A", "2025-10-03", None, 100),  # 90 days before 1 January
        ("B", "2025-10-04", None, 100),  # one less
        ("C", "2024-01-01", "2025-12-01", 100),  # gone when the first quarter begins
        ("C", "2026-02-01", None, 100),  # and back: no 90 days before 1 April
        ("D", "2024-01-01", "2025-12-31", 100),
    )
    every = dict.fromkeys("ABCD", (5, 10, 10))
    cases = portfolios.usage_cases(features(**every), books(paid=paid), START, END)
    assert sorted(cases.table["cluster"]) == ["A", "A", "B"]
    assert list(cases.table.loc[cases.table["cluster"] == "B", "month"]) == list(dates("2026-06-01"))


def test_windows_that_began_before_the_data_and_months_that_fill_no_quarter_are_left_out():
    cases = portfolios.usage_cases(features(A=(None, 30, 15)), BOOKS, pd.Timestamp("2025-11-01"), END)
    assert list(cases.table["usage_change"]) == [-0.5]
    assert "The first 2 months of the window fill no quarter: left out." in cases.notes
    for nothing in (features(), features(A=(None, None, None))):
        with pytest.raises(ContractError, match="usage: nothing is recorded"):
            portfolios.usage_cases(nothing, BOOKS, START, END)


# Touches ----------------------------------------------------------------------------------------------------------


def touches(*rows):
    return table("account_id rep_id occurred_at kind hours", *rows)


SPAN = (("D", "Sue", "2026-01-05", "other", 0.0), ("D", "Sue", "2026-06-29", "other", 0.0))
"""The first and the last recorded touch, so that the whole window is in the data."""


def test_touches_per_working_day_count_months_without_a_touch():
    done = touches(
        *SPAN,
        ("A", "Ann", "2026-03-02 10:00", "qbr", 1.0),
        ("C", "Ann", "2026-03-31 23:00", "qbr", 1.0),  # Ben's account: whoever did it did it
        ("C", "Ben", "2026-03-10", "check_in", 1.0),
        ("C", None, "2026-03-10", "check_in", 1.0),
        ("C", "Cem", "2026-05-10", "check_in", 1.0),  # has left in April
    )
    cases = activity_metrics.touch_cases(done, PEOPLE, START, END)
    found = cases.table.set_index(["rep_id", "month"])[["touches_per_working_day", "exposure"]]
    march, may = dates("2026-03-01", "2026-05-01")
    assert tuple(found.loc[("Ann", march)]) == (2, 22) and tuple(found.loc[("Ben", march)]) == (1, 20)
    assert tuple(found.loc[("Ben", may)]) == (0, 21)
    # Ann six months, Ben four from March on, Cem four until April; Sue is no CSM.
    assert cases.table.groupby("rep_id", observed=True).size().to_dict() == {"Ann": 6, "Ben": 4, "Cem": 4}
    assert cases.table["touches_per_working_day"].sum() == 3 and "4 of 7 touches are of nobody" in cases.notes[0]
    assert cases.table["cluster"].nunique() == len(cases.table) and cases.mix == ()


def test_the_segment_that_a_csm_serves_is_the_mix_of_touches_where_it_is_known():
    done = touches(*SPAN, ("A", "Ann", "2026-03-02", "qbr", 1.0))
    served = PEOPLE.assign(segment=["Enterprise", "SMB", None, "SMB"])
    cases = activity_metrics.touch_cases(done, served, START, END)
    assert cases.mix == ("segment",)
    by_rep = cases.table.drop_duplicates("rep_id").set_index("rep_id")["segment"].astype("str")
    assert by_rep.dropna().to_dict() == {"Ann": "Enterprise", "Ben": "SMB"} and by_rep.isna().sum() == 1
    assert activity_metrics.touch_cases(done, served.assign(segment=None), START, END).mix == ()


def test_people_without_a_role_count_if_they_touched_somebody():
    done = touches(("A", "Ann", "2026-01-02", "qbr", 1.0), ("A", "Ann", "2026-06-02", "qbr", 1.0))
    for people in (PEOPLE.drop(columns="role"), PEOPLE.assign(role=None)):
        assert set(activity_metrics.touch_cases(done, people, START, END).table["rep_id"]) == {"Ann"}


def test_months_in_which_no_touch_was_recorded_at_all_are_not_months_without_work():
    done = touches(("A", "Ann", "2026-02-20", "qbr", 1.0), ("A", "Ann", "2026-04-02", "qbr", 1.0))
    cases = activity_metrics.touch_cases(done, PEOPLE[:1], START, END)
    assert list(cases.table["month"]) == list(dates("2026-02-01", "2026-03-01", "2026-04-01"))
    assert list(cases.table["touches_per_working_day"]) == [1, 0, 1]
    assert cases.notes[0].startswith("3 months of the window lie before the first or after the last recorded touch")
    long_ago = activity_metrics.touch_cases(done, PEOPLE, pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01"))
    assert long_ago.keys == () and len(long_ago.table) == 0


def test_without_touches_or_people_the_error_says_what_is_missing():
    some = touches(*SPAN)
    panel = account_month(("A", "2026-02-01", 1, 0, 0, 1))
    calls = (
        lambda none: activity_metrics.touch_cases(none, PEOPLE, START, END),
        lambda none: activity_metrics.touch_hours_cases(none, panel, BOOKS, START, END),
        lambda none: activity_metrics.onboarding_cases(none, BOOKS, START, END),
        lambda none: activity_metrics.coverage_cases(none, BOOKS, START, END),
    )
    for call in calls:
        with pytest.raises(ContractError, match="touches say what CSMs did"):
            call(some.iloc[:0])
    with pytest.raises(ContractError, match="reps say who was employed when"):
        activity_metrics.touch_cases(some, PEOPLE.iloc[:0], START, END)
    with pytest.raises(ContractError, match="no hours are recorded"):
        activity_metrics.touch_hours_cases(some.drop(columns="hours"), panel, BOOKS, START, END)
    with pytest.raises(ContractError, match="none is of the kind onboarding"):
        activity_metrics.onboarding_cases(some, BOOKS, START, END)


def test_hours_of_a_month_belong_to_who_had_the_account_in_it():
    done = touches(
        *SPAN,
        ("B", "Ann", "2026-03-02", "qbr", 1.5),
        ("B", "Ben", "2026-03-20", "qbr", 2.0),
        ("B", "Ben", "2026-06-20", "qbr", 4.0),  # pays nothing any more
    )
    panel = account_month(
        ("B", "2026-02-01", 1, 0, 0, 1),
        ("B", "2026-03-01", 1, 0, 0, 1),
        ("B", "2026-06-01", 0, 0, 0, 0),
        ("D", "2026-01-01", 0, 1, 0, 1),  # its first month
    )
    cases = activity_metrics.touch_hours_cases(done, panel, BOOKS, START, END)
    assert list(cases.table["touch_hours_per_account"]) == [0, 3.5, 0] and list(cases.table["exposure"]) == [1, 1, 1]
    assert owners(cases) == ["Ann", "Ben", None]  # Ben has all of the 30 days up to 1 April
    assert cases.notes[0] == "4.00 of 7.50 hours went to accounts that paid nothing that month: not counted."


def test_the_mix_of_a_month_of_work_is_what_was_known_on_its_eve():
    paid = paid_periods(("A", "2026-01-01", None, 100))
    panel = account_month(("A", "2026-03-01", 1, 0, 0, 1), ("A", "2026-04-01", 1, 0, 0, 1))
    done = touches(*SPAN, ("A", "Ann", "2026-03-02", "qbr", 1.0))
    cases = activity_metrics.touch_hours_cases(done, panel, books(paid=paid), START, END)
    assert list(cases.table["tenure"]) == ["under 3 months", "3 to 12 months"]  # 2 and 3 months


def test_a_touch_of_unknown_length_makes_its_month_no_case():
    done = touches(*SPAN, ("A", "Ann", "2026-03-02", "qbr", 1.0), ("A", "Ann", "2026-03-03", "qbr", None))
    panel = account_month(("A", "2026-03-01", 1, 0, 0, 1), ("A", "2026-04-01", 1, 0, 0, 1))
    cases = activity_metrics.touch_hours_cases(done, panel, BOOKS, START, END)
    assert cases.table["touch_hours_per_account"].isna().tolist() == [True, False]
    assert "1 account-months have a touch without hours: not counted." in cases.notes


# Onboarding -------------------------------------------------------------------------------------------------------


def test_onboarding_runs_from_the_first_paid_day_to_the_last_onboarding_touch_both_counted():
    paid = paid_periods(
        ("A", "2026-01-02", "2026-01-08", 100),
        ("A", "2026-01-08", None, 300),  # a rise is no beginning
        ("B", "2026-01-02", None, 200),
        ("C", "2026-01-01", None, 300),
        ("D", "2026-01-03", None, 300),  # 180 days end on 2 July, after the window
        ("E", "2026-01-02", None, 300),
        ("F", "2025-12-31", None, 300),  # before the window
    )
    assignments = assigned(
        ("A", "Ann", "2026-01-02", "2026-01-06"),
        ("A", "Ben", "2026-01-06", None),
        *[(account, "Cem", "2026-01-01", None) for account in "BCDEF"],
    )
    done = touches(
        ("A", "Sue", "2025-12-01", "onboarding", 1.0),  # before the first paid day: neither first nor last
        ("A", "Sue", "2026-01-05 15:00", "onboarding", 1.0),
        ("A", "Sue", "2026-01-10 09:00", "onboarding", 1.0),
        ("A", "Sue", "2026-03-10", "check_in", 1.0),
        ("B", "Cem", "2026-01-02", "onboarding", 1.0),
        ("C", "Cem", "2026-06-29", "onboarding", 1.0),  # day 180
        ("C", "Cem", "2026-06-30", "onboarding", 1.0),  # day 181
        ("D", "Cem", "2026-01-10", "onboarding", 1.0),
        ("E", "Cem", "2025-12-20", "onboarding", 1.0),  # over before it paid: no time that could be told
        ("E", "Cem", "2026-01-10", "qbr", 1.0),
        ("F", "Cem", "2026-01-10", "onboarding", 1.0),
    )
    cases = activity_metrics.onboarding_cases(done, books(paid, assignments), START, END)
    assert dict(zip(cases.table["cluster"], cases.table["onboarding_days"], strict=True)) == {"A": 9, "B": 1, "C": 180}
    # On A's last day Ben has 5 of 9 days, Ann 4. B's only day counts itself. Cem leaves on 10 April: 11 of C's last 90.
    assert owners(cases) == ["Ben", "Cem", None]
    assert cases.notes[0] == "1 of 4 new accounts had no onboarding touch in 180 days: no case."
    assert list(cases.table["MRR"]) == ["lowest quarter", "second quarter", "highest quarter"]  # 100, 200, 300


def test_accounts_that_began_before_touches_were_recorded_have_no_onboarding_time():
    paid = paid_periods(("A", "2026-01-02", None, 100), ("B", "2026-01-20", None, 100))
    done = touches(
        ("A", "Ann", "2026-01-20", "onboarding", 1.0),
        ("B", "Ann", "2026-01-25", "onboarding", 1.0),
    )
    cases = activity_metrics.onboarding_cases(done, books(paid), START, pd.Timestamp("2026-08-01"))
    assert list(cases.table["cluster"]) == ["B"]


# Coverage ---------------------------------------------------------------------------------------------------------


def test_an_account_is_covered_that_had_a_touch_in_the_90_days_before_the_quarters_end():
    done = touches(
        ("D", "Sue", "2025-12-01", "other", 0.0),
        ("A", None, "2026-04-02 08:00", "qbr", 1.0),  # the 90 days before 1 July begin on 2 April
        ("B", "Ann", "2026-03-31", "qbr", 1.0),
        ("C", "Ben", "2026-04-01", "qbr", 1.0),  # after the first quarter, before the second one's 90 days
        ("C", "Ben", "2026-07-01", "qbr", 1.0),
    )
    cases = activity_metrics.coverage_cases(done, BOOKS, START, END)
    found = cases.table.set_index(["cluster", "month"])["book_coverage"].to_dict()
    march, june = dates("2026-03-01", "2026-06-01")
    assert found == {
        ("A", march): 0,
        ("A", june): 1,
        ("B", march): 1,  # left on 1 May: not in the second quarter's book
        ("C", march): 0,
        ("C", june): 0,
        ("D", march): 0,
        ("D", june): 0,
    }
    by_account = dict(zip(cases.table["cluster"], owners(cases), strict=True))
    assert by_account == {"A": "Ann", "B": "Ann", "C": "Ben", "D": None}


def test_accounts_won_in_the_quarter_are_not_yet_expected_to_have_had_a_touch():
    paid = paid_periods(("A", "2026-04-02", None, 100), ("B", "2026-04-03", None, 100))
    done = touches(("C", "Ann", "2025-01-01", "qbr", 1.0), ("C", "Ann", "2026-06-30", "qbr", 1.0))
    cases = activity_metrics.coverage_cases(done, books(paid), START, END)
    assert list(cases.table["cluster"]) == ["A"]


def test_quarters_without_recorded_touches_are_left_out_and_counted():
    done = touches(("A", "Ann", "2026-01-02", "qbr", 1.0), ("A", "Ann", "2026-06-02", "qbr", 1.0))
    cases = activity_metrics.coverage_cases(
        done, BOOKS, START, END
    )  # 90 days before 1 April: 1 January, a day too early
    assert set(cases.table["month"]) == set(dates("2026-06-01"))
    assert "1 quarter without recorded touches: left out." in cases.notes
    stopped = touches(("A", "Ann", "2025-12-02", "qbr", 1.0), ("A", "Ann", "2026-04-02", "qbr", 1.0))
    assert set(activity_metrics.coverage_cases(stopped, BOOKS, START, END).table["month"]) == set(dates("2026-03-01"))
    for year in ("2020", "2028"):
        none = activity_metrics.coverage_cases(
            done, BOOKS, pd.Timestamp(f"{year}-01-01"), pd.Timestamp(f"{year}-07-01")
        )
        assert none.keys == () and len(none.table) == 0


# Small teams and missing tables -----------------------------------------------------------------------------------


def every_kind_of_cases(books_):
    panel = account_month(*[(a, "2026-02-01", 1, 0, 0, 1) for a in "ABC"])
    done = touches(*SPAN, ("A", "Ann", "2026-01-20", "onboarding", 1.0))
    asked = surveys(("nps", "A", "2026-03-01", "2026-03-02", 9))
    return (
        lambda: portfolios.renewal_cases(RENEWALS, books_, START, END),
        lambda: portfolios.portfolio_months(panel, books_, START, END),
        lambda: portfolios.nps_cases(asked, books_, START, END),
        lambda: portfolios.usage_cases(features(A=(1, 2, 3)), books_, START, END),
        lambda: activity_metrics.touch_hours_cases(done, panel, books_, START, END),
        lambda: activity_metrics.onboarding_cases(done, books_, START, END),
        lambda: activity_metrics.coverage_cases(done, books_, START, END),
    )


def test_without_assignments_every_measure_of_a_book_is_refused_with_the_reason():
    for make in every_kind_of_cases(books(assignments=ASSIGNED.iloc[:0])):
        with pytest.raises(ContractError, match="assignments say who looked after whom"):
            make()
        assert "Give the table assignments" in or_suppressed(make).reason


def test_one_csm_only_with_three_accounts_and_nobody_else_is_a_book_like_any_other():
    alone = assigned(*[(account, "Ann", "2020-01-01", None) for account in "ABC"])
    for people in (PEOPLE[:1], PEOPLE.iloc[:0]):
        for make in every_kind_of_cases(books(assignments=alone, people=people)):
            assert set(make().table["rep_id"].dropna()) <= {"Ann"}
    assert set(owners(portfolios.renewal_cases(RENEWALS, books(assignments=alone), START, END))) == {"Ann", None}


def test_reps_that_nobody_listed_are_compared_by_id():
    unknown = ASSIGNED.assign(rep_id="who?")
    cases = portfolios.renewal_cases(RENEWALS, books(assignments=unknown), START, END)
    assert (
        set(owners(cases)) == {"who?", None} and "1 CSM in the assignments is not in the table reps" in cases.notes[-1]
    )


def test_every_case_has_the_shape_that_comparing_needs():
    for make in (*every_kind_of_cases(BOOKS), lambda: activity_metrics.touch_cases(touches(*SPAN), PEOPLE, START, END)):
        cases = make()
        for name in ("rep_id", "cluster", *cases.mix):
            assert isinstance(cases.table[name].dtype, pd.CategoricalDtype)
        assert cases.table["month"].dt.day.eq(1).all() and set(cases.keys) <= set(MEASURES)
        assert cases.table["month"].between(START, END, inclusive="left").all()
        for key in cases.keys:
            values = cases.table[key].dropna()
            assert len(values) and (MEASURES[key].family != "share" or values.isin([0, 1]).all())
            assert MEASURES[key].family != "time" or (values > 0).all()


def test_every_measure_of_csms_has_its_meaning():
    for key in (key for key, each in MEASURES.items() if each.role == "csm"):
        assert cs.definitions[key].direction.split(" ")[0] == MEASURES[key].better


# The sample company -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    tables = cs.load(SAMPLE)
    since, until = pd.Timestamp("2024-07-01"), tables.as_of
    paid = tables.rollup("paid_periods")
    due = retention.due_renewals(tables.subscriptions, paid, tables.observed_from, tables.as_of)
    segments = tables.accounts.set_index("account_id")[["segment"]]
    return {
        "tables": tables,
        "window": (since, until),
        "books": Portfolios(tables.assignments, tables.reps, paid, segments),
        "renewals": retention.renewals_of(tables.renewals, due, tables.as_of),
        "panel": tables.rollup("account_month", start=since, end=until, dense=True),
        "features": tables.rollup("usage_features", first=since, last=until, dense=True, step=3),
    }


def test_renewals_of_the_sample_company_foot_and_reach_the_book_of_everybody_who_had_one(sample):
    cases = portfolios.renewal_cases(sample["renewals"], sample["books"], *sample["window"])
    whole = retention.renewal_rate(sample["renewals"], *sample["window"])
    had, nobody = cases.table[cases.table["rep_id"].notna()], cases.table[cases.table["rep_id"].isna()]
    assert len(had) + len(nobody) == whole.due
    assert had["book_renewal_rate"].sum() + nobody["book_renewal_rate"].sum() == whole.renewed
    # CSMs matter in the sample, and who it is does not: books keep more than what nobody had.
    assert had["book_renewal_rate"].mean() > nobody["book_renewal_rate"].mean() and len(had) > 300


def test_months_of_the_sample_company_foot_with_its_movements_to_the_cent(sample):
    cases, panel = portfolios.portfolio_months(sample["panel"], sample["books"], *sample["window"]), sample["panel"]
    kept, opening = cases.table["book_nrr"] * cases.table["exposure"], cases.table["exposure"]
    paying = panel[panel["opening"] > 0]
    assert opening.sum() == approx(paying["opening"].sum() / 100, abs=0.005)
    assert kept.sum() == approx(paying["closing"].sum() / 100, abs=0.005)
    # An opening account's own churn, contraction and growth, nothing else, lies between the two.
    moved = paying[["expansion", "reactivation"]].sum().sum() - paying[["contraction", "churn"]].sum().sum()
    assert kept.sum() - opening.sum() == approx(moved / 100, abs=0.005)


def test_touches_and_hours_of_the_sample_company_foot(sample):
    touched = sample["tables"].touches
    inside = touched[touched["occurred_at"] >= sample["window"][0]]
    cases = activity_metrics.touch_cases(touched, sample["tables"].reps, *sample["window"])
    assert cases.table["touches_per_working_day"].sum() == len(inside) and cases.notes == ()
    hours = activity_metrics.touch_hours_cases(touched, sample["panel"], sample["books"], *sample["window"])
    assert hours.table["touch_hours_per_account"].sum() == approx(inside["hours"].sum(), abs=1e-6)
    whose = hours.table[hours.table["rep_id"].notna()]
    assert whose["touch_hours_per_account"].sum() / inside["hours"].sum() > 0.97  # a CSM's hours are in the own book


def test_touches_of_the_sample_company_are_nearly_all_done_by_whom_the_rule_gives_the_account(sample):
    touched = sample["tables"].touches
    settled = touched[touched["occurred_at"] >= sample["tables"].observed_from + pd.Timedelta(days=90)]
    found = attributed(settled, sample["tables"].assignments, sample["tables"].reps, "occurred_at", handover_days=1)
    same = found.rep_id.astype("str").fillna("") == settled["rep_id"]
    assert same.mean() > 0.98


def test_the_measures_of_the_sample_company_are_all_there(sample):
    tables, window = sample["tables"], sample["window"]
    made = (
        portfolios.nps_cases(tables.surveys, sample["books"], *window),
        portfolios.usage_cases(sample["features"], sample["books"], *window),
        activity_metrics.onboarding_cases(tables.touches, sample["books"], *window),
        activity_metrics.coverage_cases(tables.touches, sample["books"], *window),
    )
    assert [cases.keys for cases in made] == [("nps",), ("usage_change",), ("onboarding_days",), ("book_coverage",)]
    answers, usage, onboarding, coverage = (cases.table for cases in made)
    asked = tables.surveys
    counts = asked["kind"].eq("nps") & asked["score"].notna() & (asked["answered_at"] >= window[0])
    assert len(answers) == counts.sum() and usage["usage_change"].between(-1, 1).all()
    assert onboarding["onboarding_days"].between(1, 180).all()
    looked_after = coverage["rep_id"].notna()
    assert (
        coverage.loc[looked_after, "book_coverage"].mean()
        > 0.8
        > 0.2
        > coverage.loc[~looked_after, "book_coverage"].mean()
    )


def test_rollups_of_ones_own_frames_make_books(sample):
    subscriptions = table(
        "subscription_id account_id start_date end_date mrr",
        ("S1", "A", "2024-01-01", None, 100.0),
        ("S2", "B", "2024-01-01", "2026-03-15", 100.0),
    )
    engine = rollups.engine_of(subscriptions=subscriptions)
    made = books(paid=rollups.run(engine, "paid_periods"))
    cases = portfolios.portfolio_months(rollups.run(engine, "account_month", start=START, end=END), made, START, END)
    assert cases.table.groupby("cluster", observed=True)["book_grr"].sum().to_dict() == {"A": 6, "B": 2}
