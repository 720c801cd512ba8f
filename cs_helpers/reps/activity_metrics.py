"""Work of CSMs as cases: touches, hours, onboarding time and coverage of their portfolios."""

from __future__ import annotations

import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError
from cs_helpers.reps.employment import working_days
from cs_helpers.reps.portfolios import Portfolios, latest_before, left_over, paid_before, quarter_ends
from cs_helpers.reps.results import Cases, within

ONBOARDING = "onboarding"
ONBOARDED_WITHIN = 180  # days
COVERED_WITHIN = 90  # days
MONTH_DAYS = 30
HOURS_RULE = (
    f"The hours spent on an account in a month belong to the CSM who had it on at least half of the {MONTH_DAYS} days "
    "up to the month's end (or of the days since it began to pay, if those are fewer)."
)
"""Work is done at once, unlike renewals: what was spent in a month is that month's CSM's."""


def touch_cases(touches: pd.DataFrame, people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Touches per working day: ``touches_per_working_day``, one case per CSM and month of [start, end).

        value = touches that the CSM did in the month;  exposure = Mondays to Fridays on which the CSM was employed

    By who did the touch (rep_id), not by whose account it was. ``people``: those whose role is csm count, and those
    without a role who did a touch. A month without a touch counts as 0, but months before the first and after the last
    recorded touch of all are not in the data and do not count. Mix: the segment that the CSM serves, where it is known,
    since large accounts ask for more. It is the same in all months of a CSM, so that CSMs are only compared within a
    segment. The cluster is the rep's month. Raises ContractError without touches or without people.
    """
    start, end = periods.window(start, end)
    if not len(people):
        raise ContractError(
            "reps say who was employed when; without them there are no working days. Give the table reps."
        )
    done, (start, end), notes = _recorded(touches, start, end)
    by = done["rep_id"] if "rep_id" in done else pd.Series(pd.NA, done.index, dtype="str")
    roles = people["role"] if "role" in people else pd.Series(pd.NA, people.index, dtype="str")
    csms = people[roles.eq("csm").fillna(False) | (roles.isna() & people["rep_id"].isin(by.dropna()))]
    days = working_days(csms if start < end else csms.iloc[:0], start, end)
    counts = pd.DataFrame({"rep_id": by, "month": periods.month_start(done["occurred_at"])}).dropna()
    counts = counts.groupby(["rep_id", "month"], as_index=False).size()
    table = days.merge(counts, on=["rep_id", "month"], how="left")
    value = table["size"].fillna(0).astype(float)
    elsewhere = len(done) - int(value.sum())
    if elsewhere:
        notes.append(
            f"{elsewhere:,} of {len(done):,} touches are of nobody, of somebody who is no CSM in the table reps, or of "
            "a month in which the CSM was not employed: not counted."
        )
    cases = pd.DataFrame(
        {
            "rep_id": table["rep_id"].astype("category"),
            "cluster": (table["rep_id"] + " " + table["month"].dt.strftime("%Y-%m")).astype("category"),
            "month": table["month"],
            "touches_per_working_day": value,
            "exposure": table["days"],
        }
    )
    mix: tuple[str, ...] = ()
    if "segment" in csms and csms["segment"].notna().any():
        cases["segment"] = table["rep_id"].map(csms.set_index("rep_id")["segment"]).astype("category")
        mix = ("segment",)
    return Cases(cases, ("touches_per_working_day",) if len(cases) else (), mix if len(cases) else (), tuple(notes))


def touch_hours_cases(
    touches: pd.DataFrame, panel: pd.DataFrame, portfolios: Portfolios, start: pd.Timestamp, end: pd.Timestamp
) -> Cases:
    """Hours per account and month: ``touch_hours_per_account``, one case per month in which an account paid.

        value = hours of all touches of the account in the month;  exposure = 1 account-month

    ``panel``: the roll-up ``account_month``; months of [start, end) count in which an account paid at any moment, with
    0 where nobody did anything. They belong to who had the account that month (``HOURS_RULE``), also where another did
    the touch. MRR and tenure are those on the eve of the month. A month with a touch of unknown length is no case.
    Months before the first and after the last recorded touch do not count. Raises ContractError without touches or
    without any hours.
    """
    start, end = periods.window(start, end)
    done, (start, end), notes = _recorded(touches, start, end)
    if "hours" not in touches or touches["hours"].isna().all():
        raise ContractError("touches: no hours are recorded. Give the working time that touches took as hours.")
    month = periods.month_start(done["occurred_at"])
    spent = done.assign(month=month).groupby(["account_id", "month"], as_index=False)
    hours = spent["hours"].agg(hours="sum", length="size", known="count")
    inside = panel[within(panel["month"], start, end)] if len(panel) else panel
    paid = inside[inside[["opening", "new", "reactivation", "closing"]].sum(axis=1) > 0][["account_id", "month"]]
    rows = paid.merge(hours, on=["account_id", "month"], how="left")
    unknown = rows["known"] < rows["length"]
    events = pd.DataFrame(
        {
            "account_id": rows["account_id"],
            "month": rows["month"],
            "before": rows["month"],
            "day": rows["month"] + pd.offsets.MonthBegin(1),
            "touch_hours_per_account": rows["hours"].fillna(0.0).mask(unknown),
            "exposure": 1.0,
        }
    )
    outside = float(hours["hours"].sum() - rows["hours"].sum())
    if outside > 1e-9:
        notes.append(
            f"{outside:,.2f} of {hours['hours'].sum():,.2f} hours went to accounts that paid nothing that month: "
            "not counted."
        )
    if unknown.any():
        notes.append(f"{int(unknown.sum()):,} account-months have a touch without hours: not counted.")
    return portfolios.cases(
        events, ["touch_hours_per_account"], "account-months", [*notes, HOURS_RULE], handover_days=MONTH_DAYS
    )


def onboarding_cases(touches: pd.DataFrame, portfolios: Portfolios, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Onboarding time: ``onboarding_days``, one case per account that began to pay in [start, end - 180 days].

        value = days from the first paid day to the last onboarding touch within 180 days, both counted (1 or more)

    Accounts count whose 180 days are over by ``end``, so that none is cut short; those without an onboarding touch in
    that time are no case. A case counts in the month of the first paid day, and belongs to the CSM who had the account
    at its last onboarding touch, that day included. Accounts that began before the first recorded touch do not count.
    MRR is what was paid on the first day. Raises ContractError without touches or without any onboarding touch.
    """
    start, end = periods.window(start, end)
    if not len(touches):
        raise ContractError(_WITHOUT_TOUCHES)
    first_touch = touches["occurred_at"].min().normalize()
    onboarding = touches[touches["kind"].eq(ONBOARDING)]
    if not len(onboarding):
        raise ContractError("touches: none is of the kind onboarding, so nobody knows how long it took.")
    firsts = portfolios.paid.groupby("account_id", as_index=False)["start_date"].min()
    seen = (firsts["start_date"] >= max(start, first_touch)) & (firsts["start_date"] + _days(ONBOARDED_WITHIN) <= end)
    firsts = firsts[within(firsts["start_date"], start, end) & seen]
    dated = onboarding[["account_id"]].assign(day=onboarding["occurred_at"].dt.normalize())
    pairs = firsts.merge(dated, on="account_id")
    pairs = pairs[
        (pairs["day"] >= pairs["start_date"]) & (pairs["day"] < pairs["start_date"] + _days(ONBOARDED_WITHIN))
    ]
    last = pairs.groupby(["account_id", "start_date"], as_index=False)["day"].max()
    without = len(firsts) - len(last)
    notes = (
        [f"{without:,} of {len(firsts):,} new accounts had no onboarding touch in {ONBOARDED_WITHIN} days: no case."]
        if without
        else []
    )
    events = pd.DataFrame(
        {
            "account_id": last["account_id"],
            "month": periods.month_start(last["start_date"]),
            "before": last["start_date"] + _days(1),
            "day": last["day"] + _days(1),
            "onboarding_days": ((last["day"] - last["start_date"]).dt.days + 1).astype(float),
        }
    )
    return portfolios.cases(events, ["onboarding_days"], "onboardings", notes)


def coverage_cases(touches: pd.DataFrame, portfolios: Portfolios, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Share of accounts with a recent touch: ``book_coverage``, one case per account and quarter of [start, end).

        value = 1 if the account had a touch, by anyone, in the 90 days before the quarter's end, else 0

    Accounts count that paid through those 90 days without a break. A case counts in the quarter's last month and
    belongs to the CSM of the account on the day of the quarter's end (see ``attributed``), if there was one. Quarters
    are counted back from ``end``; those whose 90 days are not wholly within the recorded touches do not count. Raises
    ContractError without touches.
    """
    start, end = periods.window(start, end)
    _, (_, last), _ = _recorded(touches, start, end)
    began = touches["occurred_at"].min().normalize()
    ends = [each for each in quarter_ends(start, end) if each - _days(COVERED_WITHIN) >= began and each <= last]
    notes = left_over(start, end)
    absent = len(quarter_ends(start, end)) - len(ends)
    if absent:
        notes.append(f"{absent} quarter{'s' if absent > 1 else ''} without recorded touches: left out.")
    days = pd.DatetimeIndex(ends, dtype="datetime64[us]")
    every = pd.MultiIndex.from_product([portfolios.paid["account_id"].unique(), days], names=["account_id", "day"])
    rows = every.to_frame(index=False)
    stood = paid_before(portfolios.paid, rows["account_id"], rows["day"])
    rows = rows[stood["mrr"].notna() & (stood["since"] <= rows["day"] - _days(COVERED_WITHIN))].reset_index(drop=True)
    touched = touches[["account_id"]].assign(at=touches["occurred_at"].dt.normalize().astype("datetime64[us]"))
    latest = latest_before(touched.dropna().assign(touch=touched["at"]), rows["account_id"], rows["day"])
    covered = latest["touch"] >= rows["day"] - _days(COVERED_WITHIN)
    events = rows.assign(
        book_coverage=covered.astype(float),
        month=(rows["day"].to_numpy("datetime64[M]") - 1).astype("datetime64[us]"),
        before=rows["day"] - _days(COVERED_WITHIN),
    )
    return portfolios.cases(events, ["book_coverage"], "account-quarters", notes)


_WITHOUT_TOUCHES = (
    "touches say what CSMs did; without them neither work nor onboarding nor coverage can be told. Give the table "
    "touches (account_id, occurred_at, kind, rep_id, hours)."
)


def _recorded(
    touches: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[pd.Timestamp, pd.Timestamp], list[str]]:
    """The touches of [start, end), and the months of it from the first to the last recorded touch of all.

    A month that was not loaded must not be taken for one without touches.
    """
    if not len(touches):
        raise ContractError(_WITHOUT_TOUCHES)
    first = periods.month(touches["occurred_at"].min())
    following = periods.add_months(periods.month(touches["occurred_at"].max()), 1)
    seen = max(start, first), min(end, following)
    missed = len(periods.month_starts(start, end)) - len(periods.month_starts(*seen))
    notes = []
    if missed:
        notes.append(
            f"{missed} month{'s' if missed > 1 else ''} of the window lie before the first or after the last recorded "
            "touch: left out."
        )
    return touches[within(touches["occurred_at"], *seen)], seen, notes


def _days(number: int) -> pd.Timedelta:
    return pd.Timedelta(days=number)
