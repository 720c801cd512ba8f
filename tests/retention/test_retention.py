"""Retention arithmetic: literal tables with the sums left visible, then properties, then what is refused."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from rolled import rolled

from cs_helpers import retention
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Suppressed
from cs_helpers.retention.mrr import GAINS, LOSSES, MOVEMENTS, total_movements

START, END = pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01")


def subscriptions(*rows):
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "mrr"])
    dates = {c: pd.to_datetime(table[c]).astype("datetime64[us]") for c in ("start_date", "end_date")}
    return table.assign(mrr=table["mrr"].astype(float), **dates)


# The golden fixture of definitions.md: B +40 then -30, C leaves and returns, D -20, E leaves,
# F comes and goes, G comes.
GOLDEN = subscriptions(
    ("A", "2024-03-01", None, 100),
    ("B", "2024-05-01", "2025-03-10", 100),
    ("B", "2025-03-10", "2025-08-05", 140),
    ("B", "2025-08-05", None, 110),
    ("C", "2023-01-15", "2025-04-15", 100),
    ("C", "2025-09-01", None, 80),
    ("D", "2024-06-01", "2025-06-01", 100),
    ("D", "2025-06-01", None, 80),
    ("E", "2024-02-01", "2025-02-01", 100),
    ("F", "2025-03-01", "2025-07-20", 60),
    ("G", "2025-05-12", None, 120),
)
GOLDEN_RENEWALS = pd.DataFrame(
    [
        ("B", "2025-08-05", 140, 110),
        ("C", "2025-04-15", 100, 0),
        ("D", "2025-06-01", 100, 80),
        ("E", "2025-02-01", 100, 0),
    ],
    columns=["account_id", "due_date", "target_mrr", "renewed_mrr"],
).assign(due_date=lambda d: pd.to_datetime(d["due_date"]))


def panel(table, start=START, end=END, dense=False):
    return rolled("account_month", table, start=start, end=end, dense=dense)


def triangle_of(table, observed_from, as_of, value="logo", by="quarter"):
    cohorts = rolled("cohorts", table, observed_from=observed_from, as_of=as_of, by=by)
    return retention.cohort_triangle(cohorts, value)


def test_golden_movements():
    total = total_movements(retention.mrr_movements(panel(GOLDEN), START, END))
    assert total.to_dict() == {
        "starting": 500,
        "new": 60 + 120,
        "expansion": 40,
        "reactivation": 80,
        "contraction": 30 + 20,
        "churn": 100 + 100 + 60,
        "ending": 490,
    }


def test_the_sums_by_month_serve_as_well_as_the_panel():
    sums = rolled("movements", GOLDEN, start=START, end=END)
    of_panel = retention.mrr_movements(panel(GOLDEN), START, END)
    pd.testing.assert_frame_equal(retention.mrr_movements(sums, START, END), of_panel)
    with pytest.raises(ContractError, match="was never loaded"):
        retention.mrr_movements(sums[sums["month"] != "2025-05-01"], START, END)


def test_golden_retention():
    revenue = retention.revenue_retention(panel(GOLDEN), START, END)
    assert revenue.grr == approx((100 + 100 + 80 + 80 + 0) / 500) == approx(0.72)
    assert revenue.nrr == approx((100 + 110 + 80 + 80 + 0) / 500) == approx(0.74)
    assert (revenue.starting_accounts, revenue.starting_mrr) == (5, 500)
    logos = retention.logo_retention(panel(GOLDEN), START, END)
    assert logos.logo_churn == approx(1 / 5)
    assert (logos.starting_accounts, logos.kept_accounts, logos.closing_accounts) == (5, 4, 5)


def test_golden_renewal_rate_ignores_the_later_return():
    rate = retention.renewal_rate(GOLDEN_RENEWALS, START, END)
    assert rate.revenue_rate == approx((110 + 0 + 80 + 0) / (140 + 100 + 100 + 100)) == approx(0.432, abs=5e-4)
    assert rate.logo_rate == approx(2 / 4)
    assert rate.open == 0


def test_golden_reconciliation_shows_every_rival():
    table = retention.reconcile(panel(GOLDEN), START, END, GOLDEN_RENEWALS).rows
    got = {(r.metric, r.definition): round(r.value, 3) for r in table.itertuples()}
    assert got == {
        ("grr", "point to point, opening cohort"): 0.72,
        ("grr", "movements, opening cohort"): 0.50,
        ("grr", "movements, all accounts"): 0.38,
        ("nrr", "point to point, opening cohort"): 0.74,
        ("nrr", "movements without reactivation"): 0.58,
        # Due: B 140, C, D, E 100 each. Renewed: B 110, D 80.
        ("nrr", "net renewal rate on the due base"): 0.432,
        ("mrr_movements", "new, as booked"): (60 + 120) / 500,
        # C was away from April to September.
        ("mrr_movements", "new, returns after 90 days included"): (60 + 120 + 80) / 500,
        ("mrr_movements", "new, stays under one month ignored"): (60 + 120) / 500,
        ("logo_churn", "not paying at the end"): 0.20,
        ("logo_churn", "by event"): 0.40,
        ("logo_churn", "start minus end"): 0.0,
        ("quick_ratio", "with reactivation"): 0.968,
        ("quick_ratio", "without reactivation"): 0.710,
        ("renewal_rate_revenue", "renewed / due"): 0.432,
        ("renewal_rate_logo", "renewed / due"): 0.5,
    }
    assert table.loc[~table["used"], "why"].str.len().min() > 10, "every rival says why it differs"


def test_quick_ratio_without_any_loss_has_no_value_but_a_reason():
    calm = subscriptions(("A", "2024-03-01", None, 100))
    ratio = retention.quick_ratio(retention.mrr_movements(panel(calm), START, END))
    assert ratio.value is None
    assert "nothing was lost" in ratio.reason


def test_concurrent_subscriptions_of_an_account_are_summed():
    table = subscriptions(("A", "2025-01-01", "2025-03-01", 100), ("A", "2025-02-01", None, 50))
    total = total_movements(retention.mrr_movements(panel(table), START, END))
    assert (total["new"], total["expansion"], total["contraction"], total["churn"]) == (100, 50, 100, 0)


def test_a_rise_and_a_fall_in_one_month_are_both_kept():
    table = subscriptions(
        ("A", "2024-01-01", "2025-01-10", 100), ("A", "2025-01-10", "2025-01-20", 140), ("A", "2025-01-20", None, 110)
    )
    january = retention.mrr_movements(panel(table), START, END).iloc[0]
    assert (january["expansion"], january["contraction"], january["ending"]) == (40, 30, 110)


def test_what_ends_on_the_first_day_belongs_to_the_window_that_opens():
    table = subscriptions(("A", "2024-01-01", "2025-01-01", 100), ("B", "2024-01-01", None, 50))
    revenue = retention.revenue_retention(panel(table), START, END)
    assert revenue.starting_mrr == 100 + 50
    assert revenue.grr == approx(50 / 150)


def test_windows_may_be_written_as_text():
    assert retention.revenue_retention(panel(GOLDEN), "2025-01-01", "2026-01-01").grr == approx(0.72)
    assert retention.logo_retention(panel(GOLDEN), "2025-01-01", "2026-01-01").kept_accounts == 4


@pytest.mark.parametrize(
    ("start", "end", "said"), [("2025-06-01", "2025-06-01", "no month"), ("soon", "x", "'soon' is not")]
)
def test_a_window_that_is_none_is_refused(start, end, said):
    with pytest.raises(ParameterError, match=said):
        retention.revenue_retention(panel(GOLDEN), start, end)


def test_new_accounts_never_count_in_retention():
    with_new = pd.concat([GOLDEN, subscriptions(("H", "2025-02-02", None, 9999))])
    before, after = (retention.revenue_retention(panel(t), START, END) for t in (GOLDEN, with_new))
    assert (before.grr, before.nrr, before.starting_mrr) == (after.grr, after.nrr, after.starting_mrr)


def test_open_renewals_are_neither_lost_nor_won():
    extra = pd.DataFrame([("A", pd.Timestamp("2025-12-01"), 100, None)], columns=GOLDEN_RENEWALS.columns)
    rate = retention.renewal_rate(pd.concat([GOLDEN_RENEWALS, extra.astype({"renewed_mrr": float})]), START, END)
    assert (rate.due, rate.open, rate.open_mrr) == (4, 1, 100)
    assert rate.logo_rate == approx(2 / 4)


def test_renewed_revenue_is_capped_at_the_target():
    more = GOLDEN_RENEWALS.assign(renewed_mrr=[300, 0, 80, 0])
    assert retention.renewal_rate(more, START, END).revenue_rate == approx((140 + 0 + 80 + 0) / 440)


def test_months_count_only_whole_where_the_data_begin_within_one():
    table = subscriptions(("A", "2024-01-01", None, 100), ("B", "2025-02-10", None, 50))
    months = retention.mrr_movements(panel(table, pd.Timestamp("2025-01-15"), END), pd.Timestamp("2025-02-01"), END)
    assert months.index[0] == pd.Timestamp("2025-02-01")
    assert months.iloc[0].to_dict() == {
        **dict.fromkeys(MOVEMENTS, 0), "starting": 100, "new": 50, "ending": 150
    }  # fmt: skip


def test_where_all_months_are_known_to_be_loaded_a_month_without_payment_is_just_that():
    table = subscriptions(("A", "2024-01-01", "2025-04-01", 100), ("A", "2025-06-01", None, 100))
    rows = panel(table, dense=True)
    assert retention.revenue_retention(rows, START, END).grr == 1
    gone = subscriptions(("A", "2024-01-01", "2025-04-01", 100))
    rows = panel(gone, dense=True)
    assert retention.logo_retention(rows, START, END).logo_churn == 1


def test_accounts_that_never_paid_are_refused():
    with pytest.raises(ContractError, match="ever paid anything"):
        panel(subscriptions(("A", "2024-01-01", None, 0)))


def test_less_than_a_month_of_data_is_refused():
    with pytest.raises(ContractError, match="no whole month"):
        panel(GOLDEN, pd.Timestamp("2025-01-05"), pd.Timestamp("2025-01-25"))


def test_everybody_churning_is_total_churn():
    table = subscriptions(("A", "2024-01-01", "2025-12-15", 100))
    assert retention.revenue_retention(panel(table), START, END).grr == 0


def test_a_month_that_was_never_loaded_is_an_error_not_total_churn():
    table = subscriptions(
        ("A", "2024-01-01", "2025-04-01", 100), ("A", "2025-06-01", None, 100), ("B", "2024-01-01", "2025-03-15", 10)
    )
    with pytest.raises(ContractError, match=r"no account paid anything in 2025-05; .*load the missing months"):
        retention.revenue_retention(panel(table), START, END)


@pytest.mark.parametrize("year", [2020, 2031])
def test_a_window_outside_the_data_is_an_error(year):
    table = subscriptions(("A", "2024-01-01", "2026-01-01", 100))
    start, end = pd.Timestamp(year, 1, 1), pd.Timestamp(year + 1, 1, 1)
    with pytest.raises(ContractError, match="no account paid anything"):
        retention.revenue_retention(panel(table, start, end), start, end)


def test_a_window_that_opens_on_nobody_is_an_error():
    table = subscriptions(("A", "2025-01-05", None, 100))
    with pytest.raises(ContractError, match="no account was paying as 2025-01-01 began"):
        retention.revenue_retention(panel(table), START, END)


def test_cohort_cells_that_nobody_could_see_are_empty_not_zero():
    table = subscriptions(
        ("A", "2025-01-10", None, 100), ("B", "2025-03-31", "2025-06-30", 300), ("C", "2025-08-01", None, 50)
    )
    triangle = triangle_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-01"))
    # Q1 (A, B): the youngest starts on 31 March at the latest, so age 6 (30 September) is seen, age 9 is not.
    assert triangle.shares.loc["2025-01-01", [0, 3, 6]].tolist() == [1, 1 / 2, 1 / 2]
    # Q3 (C): age 0 is seen, age 3 would be 30 December.
    assert triangle.shares.loc["2025-07-01", 0] == 1
    assert triangle.shares.loc["2025-07-01", [3, 6]].isna().all()
    assert list(triangle.shares.columns) == [0, 3, 6]
    assert triangle.accounts.to_dict() == {pd.Timestamp("2025-01-01"): 2, pd.Timestamp("2025-07-01"): 1}


def test_pooled_cohorts_divide_kept_accounts_by_those_old_enough_to_tell():
    table = subscriptions(
        ("A", "2025-01-10", None, 100),
        ("B", "2025-02-01", "2025-03-01", 300),
        ("C", "2025-04-01", None, 50),
        ("young", "2025-09-01", None, 50),
    )
    triangle = triangle_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-11-01"))
    pooled = triangle.pooled(3)
    assert (pooled.numerator, pooled.denominator, pooled.value) == (2, 3, approx(2 / 3))
    assert pooled.low < 2 / 3 < pooled.high
    assert triangle.pooled(24).value is None
    assert "no cohort has reached 24 months" in triangle.pooled(24).reason


def test_a_cohort_triangle_is_of_accounts_or_of_revenue():
    with pytest.raises(ValueError, match="value is logo or revenue"):
        triangle_of(GOLDEN, START, END, value="mrr")


def test_cohorts_of_accounts_that_never_paid_are_suppressed():
    nobody = triangle_of(subscriptions(("A", "2025-01-10", None, 0)), START, END)
    assert nobody == Suppressed("no start cohort lies wholly inside the data")


def test_the_history_compares_two_windows_and_gives_reasons_where_it_cannot():
    early, as_of = pd.Timestamp("2024-01-01"), pd.Timestamp("2026-01-01")
    book = {c.now.key: c for c in retention.retention_history(panel(GOLDEN, early, as_of), as_of).comparisons}
    assert list(book) == ["mrr", "nrr", "grr", "logo_retention"]
    assert (book["grr"].now.value, book["nrr"].now.value) == (approx(0.72), approx(0.74))
    assert (book["mrr"].now.value, book["mrr"].before.value) == (490, 500)
    assert book["grr"].now_window == "January 2025 to December 2025"
    # As 2024 began only C was paying, 100 in all, and it still was at its end.
    assert (book["grr"].before.value, book["grr"].before.n) == (1, 1)
    assert book["grr"].change.verdict == "too few"
    assert book["grr"].trend[-1] == approx(0.72)
    short = retention.retention_history(panel(GOLDEN, START, as_of), as_of).comparisons
    assert short[1].before.value is None
    assert "the data begin in January 2025" in short[1].before.reason


def test_revenue_cohorts_divide_by_the_first_price():
    table = subscriptions(("A", "2025-01-10", "2025-02-10", 100), ("A", "2025-02-10", None, 150))
    triangle = triangle_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-06-01"), value="revenue", by="month")
    assert triangle.shares.loc["2025-01-01"].tolist() == approx([1, 1.5, 1.5, 1.5, 1.5][: triangle.shares.shape[1]])
    assert triangle.shares.shape[1] == 5


def test_accounts_that_began_before_the_data_are_left_out_of_cohorts_and_counted():
    table = subscriptions(("old", "2020-01-10", None, 100), ("A", "2025-01-10", None, 100))
    triangle = triangle_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-01"))
    assert triangle.left_out == 1
    assert triangle.accounts.tolist() == [1]


def test_survivors_alone_make_no_cohort():
    table = subscriptions(("old", "2020-01-10", None, 100))
    triangle = triangle_of(table, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-01"))
    assert isinstance(triangle, Suppressed)
    assert triangle.reason.endswith("; the 1 that started earlier are survivors only")


DAY = st.integers(0, 900).map(lambda d: pd.Timestamp("2024-01-01") + pd.Timedelta(days=d))


@st.composite
def books(draw):
    """Up to six accounts with up to five periods each: overlaps, gaps, empty periods, trials, odd cents."""
    rows = [("anchor", pd.Timestamp("2023-06-01"), None, 10.0)]
    for account in range(draw(st.integers(0, 6))):
        for _ in range(draw(st.integers(1, 5))):
            first, second = draw(DAY), draw(st.none() | DAY)
            end = None if second is None else max(first, second)
            rows.append((f"acc{account}", first, end, draw(st.integers(0, 300_000)) / 100))
    return subscriptions(*rows)


@settings(max_examples=40, deadline=None)
@given(books())
def test_movements_foot_to_the_cent_in_every_row_and_closings_are_the_next_openings(table):
    rows = panel(table)
    gains, losses = rows[GAINS].sum(axis=1), rows[LOSSES].sum(axis=1)
    assert (rows["opening"] + gains - losses == rows["closing"]).all()
    months = retention.mrr_movements(rows, START, END)
    assert (months["ending"].iloc[:-1].to_numpy() == months["starting"].iloc[1:].to_numpy()).all()
    assert (rows[MOVEMENTS] >= 0).all(axis=None)


@settings(max_examples=40, deadline=None)
@given(books())
def test_opening_mrr_equals_a_day_by_day_count(table):
    eve = START - pd.Timedelta(days=1)
    running = table[(table["start_date"] <= eve) & (table["end_date"].isna() | (table["end_date"] > eve))]
    rows = panel(table)
    assert rows.loc[rows["month"] == START, "opening"].sum() == round(running["mrr"].sum() * 100)


@settings(max_examples=40, deadline=None)
@given(books())
def test_grr_is_at_most_one_and_at_most_nrr(table):
    revenue = retention.revenue_retention(panel(table), START, END)
    assert 0 <= revenue.grr <= min(1, revenue.nrr) + 1e-12
    low, high = revenue.grr_interval
    assert low <= revenue.grr + 1e-9 and revenue.grr <= high + 1e-9


@settings(max_examples=25, deadline=None)
@given(books(), st.randoms(use_true_random=False))
def test_shuffling_rows_changes_nothing(table, random):
    order = list(range(len(table)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(panel(table), panel(table.iloc[order].reset_index(drop=True)))


@settings(max_examples=25, deadline=None)
@given(books(), st.integers(1, 400))
def test_splitting_a_subscription_into_two_equal_prices_changes_nothing(table, days):
    cut = table["start_date"] + pd.Timedelta(days=days)
    splits = table["end_date"].isna() | (cut < table["end_date"])
    first = table.assign(end_date=cut.where(splits, table["end_date"]))
    second = table[splits].assign(start_date=cut[splits])
    pd.testing.assert_frame_equal(panel(table), panel(pd.concat([first, second], ignore_index=True)))
