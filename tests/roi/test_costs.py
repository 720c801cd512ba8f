"""What customer success costs a month, and the portfolio of the sample: literal tables, and what is missing."""

from pathlib import Path

import pandas as pd
import pytest
from pytest import approx

import cs_helpers as cs
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.roi.costs import cost_base
from cs_helpers.roi.portfolio import covered_portfolio

AS_OF = pd.Timestamp("2026-07-01")
MONTHS = pd.date_range("2025-07-01", "2026-06-01", freq="MS")
NOBODY = pd.DataFrame({"rep_id": pd.Series(dtype="str"), "role": "", "manager_id": "", "annual_cost": 0.0})


def costs(months=MONTHS, function="customer_success", **items: float) -> pd.DataFrame:
    each = [(month, item, amount, function) for month in months for item, amount in items.items()]
    return pd.DataFrame(each, columns=["month", "item", "amount", "function"])


def team(*each: tuple[str, str, str | None, float | None]) -> pd.DataFrame:
    table = pd.DataFrame(each, columns=["rep_id", "role", "manager_id", "annual_cost"])
    return table.assign(hired_on=pd.Timestamp("2024-01-01"), left_on=pd.NaT)


TEAM = team(
    ("H", "manager", None, 200_000),  # leads managers, no CSM
    ("M", "manager", "H", 120_000),
    ("S", "manager", "H", 90_000),  # leads support
    ("A", "csm", "M", 84_000),
    ("B", "csm", "M", 60_000),
    ("T", "support", "S", 48_000),
)


def test_the_mean_month_by_item():
    table = costs(pay=40_000, software=2_000)
    # One bonus of 12,000 in the year is 1,000 a month.
    table = pd.concat([table, costs([MONTHS[5]], bonus=12_000)])
    base = cost_base(table, NOBODY, AS_OF, "EUR")
    assert (base.people, base.tools, base.management) == (approx(41_000), approx(2_000), 0)
    assert (base.per_month, base.per_year) == (approx(43_000), approx(516_000))
    assert dict(zip(base.items["item"], base.items["per_month"], strict=True)) == approx(
        {"pay": 40_000, "software": 2_000, "bonus": 1_000}
    )
    assert (base.origin, base.months, base.note) == ("costs", 12, "")
    assert (base.start, base.end) == (pd.Timestamp("2025-07-01"), AS_OF)


def test_older_months_the_running_month_and_other_departments_do_not_count():
    table = pd.concat(
        [
            costs(pay=1_000),
            costs([pd.Timestamp("2025-06-01"), AS_OF], pay=99_000),
            costs(function="customer_support", pay=50_000),
        ]
    )
    assert cost_base(table, NOBODY, AS_OF).per_month == approx(1_000)
    # In mid-month the month that runs is not complete.
    assert cost_base(table, NOBODY, AS_OF + pd.Timedelta(days=14)).per_month == approx(1_000)
    both = cost_base(table, NOBODY, AS_OF, functions=("customer_success", "Customer Support"))
    assert both.per_month == approx(51_000)


def test_a_row_without_a_function_is_customer_success():
    assert cost_base(costs(pay=1_000).assign(function=None), NOBODY, AS_OF).per_month == approx(1_000)
    assert cost_base(costs(pay=1_000).drop(columns="function"), NOBODY, AS_OF).per_month == approx(1_000)


@pytest.mark.parametrize(
    ("item", "part"),
    [
        ("pay", "people"),
        ("Salaries", "people"),
        ("employee_benefits", "people"),
        ("training", "people"),
        ("travel", "people"),
        ("software", "tools"),
        ("Licences", "tools"),
        ("CS tool", "tools"),
        ("manager pay", "management"),
        ("Head of CS", "management"),
    ],
)
def test_items_are_told_apart_by_words(item, part):
    base = cost_base(costs(**{item: 500}), NOBODY, AS_OF)
    assert getattr(base, part) == approx(500)
    assert base.note == ""


def test_an_item_that_no_word_knows_counts_with_the_tools_and_is_named():
    base = cost_base(costs(pay=1_000, office=300), NOBODY, AS_OF)
    assert (base.people, base.tools) == (approx(1_000), approx(300))
    assert base.note == "Counted with the tools, since no word tells what it is: office."


def test_managers_of_csms_are_taken_out_of_the_people_not_added():
    base = cost_base(costs(pay=40_000), TEAM, AS_OF)
    # Only M leads CSMs: 120,000 / 12.
    assert (base.people, base.management, base.per_month) == (approx(30_000), approx(10_000), approx(40_000))
    assert "taken out of the people's pay" in base.note
    # Where the costs name management themselves, nothing is moved.
    named = cost_base(costs(pay=40_000, management=7_000), TEAM, AS_OF)
    assert (named.people, named.management, named.per_month) == (approx(40_000), approx(7_000), approx(47_000))
    # No more is moved than there is.
    assert cost_base(costs(pay=4_000), TEAM, AS_OF).people == 0


def test_a_month_without_rows_is_not_a_month_without_costs():
    base = cost_base(costs(MONTHS.delete([2, 3]), pay=1_000), NOBODY, AS_OF)
    assert (base.per_month, base.months) == (approx(1_000), 10)
    assert base.note == "No costs are recorded for 2025-09, 2025-10; the mean is over the other 10 months."


def test_two_months_are_too_few_for_a_mean():
    with pytest.raises(ContractError, match=r"2 of the 12 months July 2025 to June 2026 have costs"):
        cost_base(costs(MONTHS[-2:], pay=1_000), NOBODY, AS_OF)
    with pytest.raises(ContractError, match="0 of the 12 months"):
        cost_base(costs(pay=1_000), NOBODY, pd.Timestamp("2029-01-01"))


def test_without_a_cost_table_the_people_there_now_are_the_cost():
    base = cost_base(costs([]), TEAM, AS_OF, "EUR")
    assert base.people == approx((84_000 + 60_000) / 12)
    assert (base.management, base.tools, base.origin) == (approx(10_000), 0, "reps")
    assert base.per_month == approx(22_000)
    assert "tools are not known" in base.note
    # B left on the last day before, A the day before that, and C comes only tomorrow.
    table = pd.concat([TEAM, team(("C", "csm", "M", 99_000)).assign(hired_on=AS_OF)])
    table.loc[table["rep_id"] == "B", "left_on"] = pd.Timestamp("2026-06-30")
    table.loc[table["rep_id"] == "A", "left_on"] = pd.Timestamp("2026-06-29")
    assert cost_base(costs([]), table, AS_OF).people == approx(60_000 / 12)


def test_a_csm_without_a_recorded_cost_counts_like_the_rest():
    base = cost_base(costs([]), pd.concat([TEAM, team(("C", "csm", "M", None))]), AS_OF)
    assert base.people == approx(3 * 72_000 / 12)
    assert "1 of 3 CSMs without a recorded cost" in base.note


def test_the_users_own_figure_goes_before_all():
    base = cost_base(costs(pay=1_000), TEAM, AS_OF, cost_per_month=85_000)
    assert (base.per_month, base.people, base.origin) == (85_000, 85_000, "given")
    with pytest.raises(ParameterError, match="cost_per_month = -1"):
        cost_base(costs(pay=1_000), TEAM, AS_OF, cost_per_month=-1)


@pytest.mark.parametrize(
    ("table", "currency", "words"),
    [
        (costs([]), "", "give cost_per_month"),
        (costs(pay=1.0).assign(currency="USD"), "EUR", "costs are in USD, and MRR is in EUR"),
        (costs(pay=1.0).assign(currency=["USD"] * 6 + ["EUR"] * 6), "", "costs are in EUR, USD"),
        (costs(pay=-1.0), "", "missing or negative"),
        (costs(pay=1.0).assign(amount=None), "", "12 rows whose amount is missing"),
        (costs(pay=1.0, function="sales"), "", "there are rows of sales"),
        (costs(pay=1.0).drop(columns="item"), "", "no column item"),
    ],
)
def test_costs_that_say_nothing_are_refused(table, currency, words):
    with pytest.raises(ContractError, match=words):
        cost_base(table, NOBODY, AS_OF, currency)


def test_costs_in_the_currency_of_mrr_are_fine():
    assert cost_base(costs(pay=10.0).assign(currency="eur "), NOBODY, AS_OF, "EUR").per_month == approx(10)


@pytest.fixture(scope="module")
def sample():
    return cs.load(Path(__file__).resolve().parents[2] / "data" / "sample")


def test_the_sample_company_costs_what_its_table_says(sample):
    base = cost_base(sample.costs, sample.reps, sample.as_of, sample.currency)
    recent = sample.costs[
        (sample.costs["function"] == "customer_success")
        & (sample.costs["month"] >= sample.as_of - pd.DateOffset(months=12))
    ]
    assert base.per_year == approx(float(recent["amount"].sum()))
    assert base.people > base.management > base.tools > 0


def test_the_book_of_the_sample_is_its_covered_mrr_by_the_due_dates_it_records(sample):
    paid = sample.rollup("paid_periods")
    paid = paid[paid["end_date"].isna()]
    running = sample.assignments[sample.assignments["end_date"].isna()]
    now = pd.DataFrame(
        {
            "account_id": paid["account_id"],
            "mrr": paid["mrr_cents"] / 100,
            "covered": paid["account_id"].isin(running["account_id"]),
        }
    )
    portfolio = covered_portfolio(sample.subscriptions, now, sample.as_of)
    assert portfolio.exposed_mrr == approx(now.loc[now["covered"], "mrr"].sum())
    assert portfolio.total_mrr == approx(now["mrr"].sum())
    assert portfolio.note == ""
    assert set(portfolio.rows["term"]) == {1, 12}  # the sample sells by the month and by the year
    # What is due in three months by the renewals that the sample records, of covered accounts.
    recorded = sample.renewals[sample.renewals["account_id"].isin(now.loc[now["covered"], "account_id"])]
    begin = sample.as_of + pd.DateOffset(months=2)
    soon = recorded[(recorded["due_date"] > begin) & (recorded["due_date"] <= begin + pd.DateOffset(months=1))]
    of_portfolio = portfolio.rows[(portfolio.rows["due_in"] == 3) & (portfolio.rows["term"] == 12)]
    assert of_portfolio["accounts"].sum() == soon["account_id"].nunique() > 5


def test_an_export_whose_costs_are_in_another_currency_is_refused_in_words(tmp_path):
    sample = Path(__file__).resolve().parents[2] / "data" / "sample"
    for name in ("accounts.csv", "subscriptions.csv", "mapping.yml"):
        (tmp_path / name).write_bytes((sample / name).read_bytes())
    first, *rest = (sample / "costs.csv").read_text().splitlines()
    lines = [f"{first},currency", *(f"{line},USD" for line in rest)]
    (tmp_path / "costs.csv").write_text("\n".join(lines) + "\n")
    tables = cs.load(str(tmp_path))
    assert tables.currency == "EUR"
    with pytest.raises(ContractError, match="costs are in USD, and MRR is in EUR"):
        cost_base(tables.costs, tables.reps, tables.as_of, tables.currency)
