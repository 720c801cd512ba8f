"""A simulated world in the contract's tables, as text the way the files hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from cs_helpers.data.sample.worlds.parameters import BURN_IN, SEATS
from cs_helpers.data.sample.worlds.process import Accounts, Integers, Seats

Text = NDArray[np.object_]

CURRENCY = "EUR"
MINUTE, DAY = 60, 86_400  # seconds
ACTIVITY = "activity_index"
ACTIVITY_FUNCTION = "quantity = round(1000 * exp(0.5 * health))"
HEALTH_FUNCTION = "health = 2 * log(quantity / 1000), exact to about 0.02"
TOUCH_KINDS = {"check_in": 0.55, "training": 0.15, "qbr": 0.12, "escalation": 0.10, "other": 0.08}
MANAGERS = 3
MANAGER_COST, SOFTWARE_PER_CSM = 104_000, 190  # a year, a month
SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
SEGMENT_LIMITS = (600.0, 2_000.0)  # MRR from which an account is in the next one


def account_ids(count: int) -> Text:
    """``A-00001`` and so on."""
    return np.array([f"A-{n:05d}" for n in range(1, count + 1)], dtype=object)


def rep_ids(people: int) -> Text:
    """Keys of the CSMs by their number; the managers come before them."""
    return np.array([f"R-{MANAGERS + 1 + n:04d}" for n in range(people)], dtype=object)


def month_starts(first: pd.Timestamp, months: int) -> NDArray[np.datetime64]:
    """First days of ``months`` months from ``first`` on."""
    return (np.datetime64(first, "M") + np.arange(months)).astype("datetime64[D]")


def account_rows(accounts: Accounts, starts: NDArray[np.datetime64]) -> pd.DataFrame:
    """accounts.csv: the segment follows from the price."""
    ids = account_ids(len(accounts.mrr))
    return pd.DataFrame(
        {
            "account_id": ids,
            "name": [f"Simulated account {key[2:]}" for key in ids],
            "segment": np.array(SEGMENTS, dtype=object)[np.searchsorted(SEGMENT_LIMITS, accounts.mrr, side="right")],
            "signup_date": _days(starts),
            "gross_margin": "0.80",
        }
    )


def subscription_rows(accounts: Accounts, starts: NDArray[np.datetime64], ends: NDArray[np.datetime64]) -> pd.DataFrame:
    """subscriptions.csv: one period per account, monthly terms; an end of NaT is still running."""
    ids = account_ids(len(accounts.mrr))
    return pd.DataFrame(
        {
            "subscription_id": [f"S-{key[2:]}" for key in ids],
            "account_id": ids,
            "start_date": _days(starts),
            "end_date": _days(ends),
            "mrr": _money(accounts.mrr),
            "currency": CURRENCY,
            "term_months": "1",
            "is_trial": "false",
        }
    )


def usage_rows(panel: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """usage.csv: one row per paid account-month, in its first two days."""
    seconds = rng.integers(0, 2 * DAY // MINUTE, size=len(panel)) * MINUTE
    quantity = np.round(1000 * np.exp(0.5 * panel["health"].to_numpy())).astype(np.int64)  # ACTIVITY_FUNCTION
    return pd.DataFrame(
        {
            "account_id": panel["account_id"],
            "occurred_at": _times(panel["month_start"].to_numpy(), seconds),
            "feature": ACTIVITY,
            "quantity": quantity,
        }
    )


def touch_rows(panel: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """touches.csv: by the covering CSM, from the third to the 28th of the month."""
    row = np.repeat(np.arange(len(panel)), panel["touches"].to_numpy())
    seconds = rng.integers(2, 28, size=len(row)) * DAY + rng.integers(8 * 60, 18 * 60, size=len(row)) * MINUTE
    kinds = rng.choice(len(TOUCH_KINDS), size=len(row), p=list(TOUCH_KINDS.values()))
    quarters = rng.integers(1, 9, size=len(row))
    order = np.lexsort((seconds, row))
    return pd.DataFrame(
        {
            "account_id": panel["account_id"].to_numpy()[row],
            "rep_id": panel["csm_id"].to_numpy()[row],
            "occurred_at": _times(panel["month_start"].to_numpy()[row], seconds[order]),
            "kind": np.array(list(TOUCH_KINDS), dtype=object)[kinds],
            "hours": _money(quarters / 4),
        }
    )


def ticket_rows(panel: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """tickets.csv: nothing but the reminders finance sends when an invoice is paid late."""
    late = panel[panel["late_payment"]]
    seconds = rng.integers(14, 28, size=len(late)) * DAY + rng.integers(8 * 60, 18 * 60, size=len(late)) * MINUTE
    return pd.DataFrame(
        {
            "ticket_id": [f"T-{n:06d}" for n in range(1, len(late) + 1)],
            "account_id": late["account_id"].to_numpy(),
            "opened_at": _times(late["month_start"].to_numpy(), seconds),
            "channel": "email",
            "category": "late_payment",
        }
    )


def assignment_rows(
    csm: Integers, starts: NDArray[np.datetime64], ends: NDArray[np.datetime64], first: pd.Timestamp
) -> pd.DataFrame:
    """assignments.csv from the CSM of each account (columns) in each month (rows), -1 for none.

    The rows are ``BURN_IN`` months before ``first`` and those of the window, -1 from the month in which an account has
    left; ``starts`` and ``ends`` are the accounts' first and first unpaid days. Periods that ended before the window
    are left out; one that lasts into the last month runs on, unless the account's end stops it.
    """
    by_account = csm.T
    none = np.full((by_account.shape[0], 1), -1)
    before, after = np.hstack([none, by_account[:, :-1]]), np.hstack([by_account[:, 1:], none])
    account, begun = np.nonzero((by_account >= 0) & (by_account != before))
    _, last = np.nonzero((by_account >= 0) & (by_account != after))
    shown = last >= BURN_IN
    account, begun, last = account[shown], begun[shown], last[shown]
    months = np.datetime64(first, "M") - BURN_IN
    end = (months + last + 1).astype("datetime64[D]")
    return pd.DataFrame(
        {
            "account_id": account_ids(by_account.shape[0])[account],
            "rep_id": rep_ids(int(csm.max()) + 1)[by_account[account, begun]],
            "start_date": _days(np.maximum((months + begun).astype("datetime64[D]"), starts[account])),
            "end_date": _days(np.where(last == csm.shape[0] - 1, ends[account], end)),
            "role": "csm",
        }
    )


def rep_rows(seats: Seats, first: pd.Timestamp, months: int, rng: Generator) -> pd.DataFrame:
    """reps.csv: three managers and every CSM who was there in the window; left_on is the last day."""
    person = seats.person[: BURN_IN + months]
    people = int(seats.person.max()) + 1
    seat, came, left = np.zeros(people, int), np.full(people, len(person)), np.zeros(people, int)
    for row, sitting in enumerate(person):
        there = sitting >= 0
        came[sitting[there]] = np.minimum(came[sitting[there]], row)
        left[sitting[there]] = row + 1
        seat[sitting[there]] = np.flatnonzero(there)
    month = np.datetime64(first, "M") - BURN_IN
    hired = np.where(came == 0, month - rng.integers(0, 48, size=people), month + came).astype("datetime64[D]")
    gone = (month + left).astype("datetime64[D]") - 1
    cost = rng.integers(136, 181, size=people) * 500.0
    shown = left > BURN_IN
    csms = pd.DataFrame(
        {
            "rep_id": rep_ids(people),
            "name": [f"CSM {n + 1}" for n in range(people)],
            "role": "csm",
            "manager_id": [f"R-{n:04d}" for n in seat % MANAGERS + 1],
            "team": [f"Success {n}" for n in seat % MANAGERS + 1],
            "hired_on": _days(hired),
            "left_on": _days(np.where(left == len(person), np.datetime64("NaT"), gone)),
            "annual_cost": _money(cost),
            "working_hours_per_month": "152",
        }
    )
    alike = {"role": "manager", "manager_id": "", "hired_on": f"{month - 60}-01", "left_on": ""}
    alike |= {"annual_cost": f"{MANAGER_COST:.2f}", "working_hours_per_month": "152"}
    numbers = range(1, MANAGERS + 1)
    managers = [{"rep_id": f"R-{n:04d}", "name": f"Manager {n}", "team": f"Success {n}", **alike} for n in numbers]
    return pd.concat([pd.DataFrame(managers, columns=csms.columns), csms[shown]], ignore_index=True)


def cost_rows(reps: pd.DataFrame, first: pd.Timestamp, months: int) -> pd.DataFrame:
    """costs.csv: the pay of all people for the months they were employed, and software per CSM seat."""
    days = _days(month_starts(first, months))
    pay = reps["annual_cost"].astype(float).to_numpy() / 12
    hired, left = reps["hired_on"].to_numpy(), reps["left_on"].replace("", "9999-12-31").to_numpy()
    paid = [float(pay[(hired <= day) & (left > day)].sum()) for day in days]
    return pd.DataFrame(
        {
            "month": np.repeat(days, 2),
            "item": ["pay", "software"] * months,
            "amount": _money(np.column_stack([paid, np.full(months, float(SOFTWARE_PER_CSM * SEATS))]).ravel()),
            "function": "customer_success",
        }
    )


def _days(days: NDArray[np.datetime64]) -> Text:
    return np.where(np.isnat(days), "", np.datetime_as_string(days, unit="D")).astype(object)


def _times(days: NDArray[np.datetime64], seconds: Integers) -> Text:
    moments = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    result: np.ndarray = np.datetime_as_string(moments, unit="s", timezone="UTC").astype(object)
    return result


def _money(amounts: NDArray[np.floating]) -> list[str]:
    return [f"{amount:.2f}" for amount in amounts]
