"""The target trial: who is followed, from when, and what the panel must not hold."""

import numpy as np
import pandas as pd
import pytest

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.roi.trial import account_months, named_controls, trial


def panel(**changes):
    """Account a pays months 0 to 3 and leaves, b comes in month 1 and stays, c leaves in month 0 and comes back."""
    rows = pd.DataFrame(
        {
            "account_id": ["a"] * 4 + ["b"] * 3 + ["c", "c"],
            "month": [0, 1, 2, 3, 1, 2, 3, 0, 2],
            "mrr": [100.0] * 4 + [50.0] * 3 + [10.0, 10.0],
            "tenure_months": [5, 6, 7, 8, 0, 1, 2, 9, 0],
            "covered": [True, True, False, False, False, False, True, False, True],
            "churned": [False, False, False, True, False, False, False, True, False],
        }
    )
    return rows.assign(**changes)


def test_accounts_are_followed_from_their_first_month_to_their_first_end():
    followed = trial(panel())
    assert followed.accounts["account_id"].tolist() == ["a", "b", "c"]
    assert followed.accounts["entry"].tolist() == [0, 1, 0]
    assert followed.accounts["months"].tolist() == [4, 3, 1]  # c's return in month 2 is no month of this trial
    assert followed.accounts["churned"].tolist() == [True, False, True]
    assert followed.rows["t"].tolist() == [0, 1, 2, 3, 0, 1, 2, 0]
    assert followed.churn_events == 2 and followed.months == 4


def test_nobody_is_censored_among_those_followed_for_a_horizon():
    followed = trial(panel())
    assert followed.followed(4).tolist() == [True, False, True]  # b came in month 1: three months are to be seen
    assert followed.followed(3).tolist() == [True, True, True]
    assert followed.survives(3).tolist() == [True, True, False]  # a leaves at the end of its fourth month
    assert followed.survives(4).tolist() == [False, True, False]


def test_the_order_of_rows_changes_nothing():
    mixed = panel().sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(trial(mixed).rows, trial(panel()).rows)
    pd.testing.assert_frame_equal(trial(mixed).accounts, trial(panel()).accounts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"covered": [None] * 9}, "without covered"),
        ({"mrr": [0.0] + [1.0] * 8}, "no MRR"),
        ({"month": [0, 1, 2, 4, 1, 2, 3, 0, 2]}, "missing in a month between two others"),
        ({"month": [0, 1, 1, 2, 1, 2, 3, 0, 2]}, "two rows for one account and month"),
    ],
)
def test_a_panel_that_cannot_be_followed_is_refused(change, words):
    with pytest.raises(ContractError, match=words):
        trial(panel(**change))


def test_an_account_that_is_lost_from_sight_is_no_account_that_stayed():
    with pytest.raises(ContractError, match="1 account ends before the panel's last month without having churned"):
        trial(panel().drop(index=[2, 3]))


def test_missing_columns_are_all_named_at_once():
    with pytest.raises(ContractError, match="churned, late"):
        trial(panel().drop(columns="churned"), outcomes=["late"])


def rolled(quantity, tickets=None, covered=True, months=6, accounts=60):
    """A roll-up of ``accounts`` accounts over ``months`` months; each third one leaves in its last month."""
    number = np.repeat(np.arange(accounts), months)
    index = np.tile(np.arange(months), accounts)
    leaves = (index == months - 1) & (number % 3 == 0)
    return pd.DataFrame(
        {
            "account_id": [f"A-{each:03d}" for each in number],
            "month": pd.Timestamp("2026-01-01") + pd.to_timedelta(index * 31, unit="D"),
            "month_index": index,
            "mrr_cents": 10_000 + 100 * number,
            "tenure_months": index,
            "covered": covered,
            "csm": np.where(covered is True, "R-1", None),
            "touches": 0,
            "touch_hours": 0.0,
            "events": 1,
            "quantity": quantity(number, index, leaves),
            "tickets": 0 if tickets is None else tickets,
            "churned": leaves,
        }
    )


def declining(number, index, leaves):
    """Accounts that will leave use less from the fourth month on."""
    return np.where((number % 3 == 0) & (index >= 3), 5.0, 50.0)


def test_health_is_what_usage_before_the_month_says_about_leaving():
    made = account_months(rolled(declining))
    assert made.groupby("account_id")["month"].min().eq(1).all()  # of month 0 nothing was known before it
    last = made[made["month"] == 5]
    assert last.loc[last["churned"], "health"].max() < last.loc[~last["churned"], "health"].min()


def test_usage_in_the_month_itself_says_nothing_about_health():
    def only_last(number, index, leaves):
        return np.where(leaves, 0.0, 50.0)

    made = account_months(rolled(only_last))
    last = made[made["month"] == 5]
    assert last.loc[last["churned"], "health"].mean() == pytest.approx(last.loc[~last["churned"], "health"].mean())


def test_without_usage_there_is_no_health_and_no_error():
    bare = rolled(declining).assign(quantity=np.nan, events=pd.NA)
    assert account_months(bare)["health"].isna().all()


def test_without_assignments_nobody_can_tell_who_was_covered():
    with pytest.raises(ContractError, match="Load the table assignments"):
        account_months(rolled(declining).assign(covered=None))


def test_a_control_is_whether_the_account_had_such_a_ticket_in_the_month():
    tickets = pd.DataFrame(
        {
            "account_id": ["A-001", "A-001", "A-002"],
            "opened_at": pd.to_datetime(["2026-02-03", "2026-02-20", "2026-03-09"]),
            "category": ["late_payment", "late_payment", "bug"],
        }
    )
    made = account_months(rolled(declining), tickets=tickets, controls=["late_payment"])
    assert made.loc[made["late_payment"], ["account_id", "month"]].values.tolist() == [["A-001", 1]]


def test_a_control_that_is_no_category_is_named_with_what_there_is():
    tickets = pd.DataFrame(
        {"account_id": ["A-001"], "opened_at": [pd.Timestamp("2026-02-03")], "category": ["billing"]}
    )
    with pytest.raises(ParameterError, match=r"no ticket of the category biling.*billing"):
        account_months(rolled(declining), tickets=tickets, controls=["biling"])


def test_controls_are_read_from_a_text():
    assert named_controls(" late_payment, , dunning,late_payment ") == ("late_payment", "dunning")
