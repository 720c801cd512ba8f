"""The catalogue of roll-ups: tables, parameters and columns of each, and the check of a call's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.data.contract.columns import Kind
from cs_helpers.data.rollups import calendars
from cs_helpers.data.rollups.calendars import Made, Values
from cs_helpers.data.rollups.staging import Engine


@dataclass(frozen=True)
class Parameter:
    """One parameter: a date (text, date or Timestamp), a whole number, a flag or a text."""

    kind: Literal["date", "integer", "flag", "text"]
    meaning: str
    default: Any = None
    needed: bool = False
    one_of: tuple[Any, ...] = ()
    minimum: int = 0

    def checked(self, value: Any) -> tuple[Any, str]:
        """The value in its type, and the problem or nothing."""
        if self.kind == "date":
            try:
                day = pd.Timestamp(value).normalize()
            except (ValueError, TypeError):
                return None, "it is not a date; write it as YYYY-MM-DD, for example 2026-07-01"
            return (None, "it is not a date") if pd.isna(day) else (day, "")
        if self.kind == "integer":
            if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < self.minimum:
                return None, f"give a whole number from {self.minimum} on"
            value = int(value)
        elif self.kind == "flag" and not isinstance(value, bool):
            return None, "give True or False"
        elif self.kind == "text" and not isinstance(value, str):
            return None, "give a text"
        if self.one_of and value not in self.one_of:
            near = did_you_mean(value, self.one_of) if isinstance(value, str) else ""
            return None, f"choose {' or '.join(map(str, self.one_of))}{near}"
        return value, ""


@dataclass(frozen=True)
class Output:
    """One column of a result. ``missing``: the meaning of an empty field."""

    kind: Kind
    meaning: str
    unit: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Rollup:
    """One roll-up; its SQL is ``sql/<name>.sql``, whose first lines describe it.

    ``steps`` are the texts it builds on, in order, ``grain`` the columns that identify a row of the result and sort it.
    ``calendar`` makes the tables of days and months that the texts join, and may add values to ``parameters``.
    ``refuses_unpaid``: an error where no account ever paid.
    """

    name: str
    parameters: Mapping[str, Parameter]
    columns: Mapping[str, Output]
    grain: tuple[str, ...]
    steps: tuple[str, ...] = ()
    calendar: Callable[[Engine, Values], Made] | None = None
    refuses_unpaid: bool = False

    def values(self, parameters: Mapping[str, Any]) -> Values:
        """Every parameter's value, defaults filled in. Raises ParameterError with all problems at once."""
        wrong = [
            f"{self.name}: unknown parameter '{name}'. It takes: {', '.join(self.parameters)}."
            f"{did_you_mean(name, list(self.parameters))}"
            for name in parameters
            if name not in self.parameters
        ]
        found: Values = {}
        for name, parameter in self.parameters.items():
            value = parameters.get(name)
            if value is None and parameter.needed:
                wrong.append(f"{self.name}: parameter '{name}' is missing: {parameter.meaning}.")
            elif value is None:
                found[name] = parameter.default
            else:
                found[name], problem = parameter.checked(value)
                if problem:
                    wrong.append(f"{self.name}: {name} = {value!r}: {problem}.")
        if wrong:
            raise ParameterError("\n".join(wrong))
        return found


_WINDOW = {
    "start": Parameter("date", "the window's first day; months before the first whole one do not count", needed=True),
    "end": Parameter("date", "the first day after the window; the month it lies in does not count", needed=True),
}
_AS_OF = {"as_of": Parameter("date", "the first day not seen any more", needed=True)}
_OBSERVED = {
    "observed_from": Parameter("date", "the first day of the data; who left before is not in them", needed=True)
} | _AS_OF
_DENSE = {
    "dense": Parameter(
        "flag", "every account that ever paid has a row in every month; without it only where it paid or moved", False
    )
}
_DAYS = {"days": Parameter("integer", "N, the days in which no further ticket may come", 7)}
_ACCOUNT = {"account_id": Output("text", "the account")}
_MONTH = {"month": Output("date", "the month, as its first day")}
_REP = {"rep_id": Output("text", "the rep", missing="no rep, or not recorded")}
_MONEY = "cents per month"
_NOT_SEEN = "the window begins before the data do"
_NO_USERS = f"{_NOT_SEEN}, or users are not distinguished"
_MOVEMENTS = {
    "opening": Output("money", "paid on the eve of the month", _MONEY),
    "new": Output("money", "first paid time ever", _MONEY),
    "expansion": Output("money", "rises while paying", _MONEY),
    "reactivation": Output("money", "returns from 0", _MONEY),
    "contraction": Output("money", "falls that are not to 0", _MONEY),
    "churn": Output("money", "falls to 0", _MONEY),
    "closing": Output("money", "paid on the month's last day", _MONEY),
}


def _trailing(days: int) -> dict[str, Output]:
    return {
        f"events_{days}": Output("integer", f"events in the {days} days before the month", "events", _NOT_SEEN),
        f"active_days_{days}": Output("integer", "days with an event", "days", _NOT_SEEN),
        f"quantity_{days}": Output("number", "their quantity", "uses", f"{_NOT_SEEN}, or not recorded"),
        f"minutes_{days}": Output("number", "their minutes", "minutes", f"{_NOT_SEEN}, or not recorded"),
        f"users_{days}": Output("integer", "distinct users", "users", _NO_USERS),
    }


ROLLUPS: dict[str, Rollup] = {
    rollup.name: rollup
    for rollup in (
        Rollup(
            "paid_periods",
            parameters={},
            columns={
                **_ACCOUNT,
                "start_date": Output("date", "first day paid for at this price"),
                "end_date": Output("date", "first day no longer", missing="still running"),
                "mrr_cents": Output("money", "MRR", _MONEY),
            },
            grain=("account_id", "start_date"),
        ),
        Rollup(
            "account_month",
            parameters=_WINDOW | _DENSE,
            columns=_ACCOUNT | _MONTH | _MOVEMENTS,
            grain=("account_id", "month"),
            steps=("paid_periods",),
            calendar=calendars.window_months,
            refuses_unpaid=True,
        ),
        Rollup(
            "movements",
            parameters=_WINDOW | _DENSE,
            columns={
                **_MONTH,
                **_MOVEMENTS,
                "opening_accounts": Output("integer", "accounts paying on the eve", "accounts"),
                "closing_accounts": Output("integer", "accounts paying on the last day", "accounts"),
            },
            grain=("month",),
            steps=("paid_periods", "account_month"),
            calendar=calendars.window_months,
            refuses_unpaid=True,
        ),
        Rollup(
            "retention",
            parameters=_WINDOW,
            columns={
                **_ACCOUNT,
                "opening": Output("money", "paid on the eve of the window", _MONEY),
                "closing": Output("money", "paid on the window's last day; 0 is gone", _MONEY),
                "retained": Output("money", "the smaller of the two", _MONEY),
            },
            grain=("account_id",),
            steps=("paid_periods",),
            calendar=calendars.window,
        ),
        Rollup(
            "cohorts",
            parameters={
                **_OBSERVED,
                "by": Parameter("text", "length of a cohort and step of age", "quarter", one_of=("month", "quarter")),
            },
            columns={
                "cohort": Output("date", "first day of the month or quarter of the start", missing="before the data"),
                "age_months": Output("integer", "age", "months", "before the data"),
                "cohort_months": Output("integer", "length of a cohort: 1 or 3", "months"),
                "accounts": Output("integer", "accounts of the cohort", "accounts"),
                "alive": Output("integer", "those paying at that age", "accounts", "before the data"),
                "starting": Output("money", "MRR of the cohort's first paid days", _MONEY),
                "mrr": Output("money", "its MRR at that age", _MONEY, "before the data"),
            },
            grain=("cohort", "age_months"),
            steps=("paid_periods",),
            calendar=calendars.cohort_cells,
        ),
        Rollup(
            "spells",
            parameters=_OBSERVED,
            columns={
                **_ACCOUNT,
                "start_date": Output("date", "first paid day"),
                "duration_months": Output("number", "age when it ended or was last seen", "months"),
                "churned": Output("flag", "whether it ended before as_of"),
                "entry_months": Output("number", "age when it came under observation; 0 from the start", "months"),
                "mrr_cents": Output("money", "MRR on entry", _MONEY),
            },
            grain=("account_id", "start_date"),
            steps=("paid_periods", "paid_spells"),
            calendar=calendars.observed_months,
        ),
        Rollup(
            "survival_counts",
            parameters={**_OBSERVED, "by": Parameter("text", "an attribute of accounts; empty: all in one", "")},
            columns={
                "attribute": Output("text", "the attribute's value", missing="not recorded"),
                "duration_months": Output("number", "age when they ended or were last seen", "months"),
                "entry_months": Output("number", "age when they came under observation", "months"),
                "churned": Output("flag", "whether they ended"),
                "spells": Output("integer", "how many", "spells"),
                "mrr": Output("money", "sum of the MRR on entry", _MONEY),
                "mrr_squares": Output("number", "sum of its squares", "cents squared"),
            },
            grain=("attribute", "duration_months", "entry_months", "churned"),
            steps=("paid_periods", "paid_spells", "spells"),
            calendar=calendars.spells_by_attribute,
        ),
        Rollup(
            "usage_features",
            parameters={
                "first": Parameter("date", "the first month; earlier days of it do not matter", needed=True),
                "last": Parameter("date", "the last month's first day, itself included", needed=True),
                "observed_from": Parameter("date", "first day on which usage was recorded; default: its first event"),
                "dense": Parameter("flag", "every account has a row in every month", False),
                "step": Parameter("integer", "every how many months, counted back from the last", 1, minimum=1),
                "buckets": Parameter("integer", "parts of the accounts done in turn; 0: as many as the events need", 0),
            },
            columns={
                **_ACCOUNT,
                "month": Output("date", "the first day no longer counted"),
                **_trailing(28),
                **_trailing(90),
                "mau": Output("integer", "distinct users of the calendar month before", "users", _NO_USERS),
                "dau": Output("number", "daily mean of distinct users, idle days included", "users per day", _NO_USERS),
                "stickiness": Output("number", "dau / mau", "fraction", "no user, or as mau"),
            },
            grain=("account_id", "month"),
            steps=("account_buckets",),
            calendar=calendars.trailing_days,
        ),
        Rollup(
            "rep_month",
            parameters={"target_seconds": Parameter("integer", "the service level's T", 20)},
            columns={
                **_REP,
                **_MONTH,
                "opened": Output("integer", "contacts opened", "tickets"),
                "answered": Output("integer", "of them answered", "tickets"),
                "abandoned": Output("integer", "of them abandoned", "tickets"),
                "answered_in_target": Output("integer", "answered within T", "tickets"),
                "abandoned_after_target": Output("integer", "abandoned after more than T", "tickets"),
                "waits": Output("integer", "answered ones whose wait is known", "tickets"),
                "wait_seconds": Output("number", "sum of their waits", "seconds"),
                "asa_seconds": Output("number", "wait_seconds / waits", "seconds", "no wait is known"),
                "first_responses": Output("integer", "first responses given", "tickets"),
                "first_response_median_minutes": Output("number", "median time from opening", "minutes", "none given"),
                "first_response_p90_minutes": Output("number", "its 90th percentile", "minutes", "none given"),
                "resolved": Output("integer", "tickets resolved", "tickets"),
                "days_with_closures": Output("integer", "days on which one was", "days"),
                "resolution_median_minutes": Output("number", "median time from opening", "minutes", "none resolved"),
                "resolution_p90_minutes": Output("number", "its 90th percentile", "minutes", "none resolved"),
                "handled": Output("integer", "resolved ones whose handling time is known", "tickets"),
                "handle_minutes": Output("number", "sum of their handling times", "minutes"),
                "csat_answers": Output("integer", "resolved ones with a CSAT answer", "answers"),
                "csat_top2": Output("integer", "answers of 4 and 5", "answers"),
                "ces_answers": Output("integer", "resolved ones with an effort score", "answers"),
                "ces_top3": Output("integer", "scores of 5 to 7", "answers"),
                "ces_sum": Output("number", "sum of the scores", "points"),
                "reopened_known": Output("integer", "resolved ones that say whether they came back", "tickets"),
                "reopened": Output("integer", "those that did", "tickets"),
                "escalated_known": Output("integer", "resolved ones that say whether they were escalated", "tickets"),
                "escalated": Output("integer", "those that were", "tickets"),
            },
            grain=("rep_id", "month"),
            steps=("ticket_times",),
            calendar=calendars.ticket_days,
        ),
        Rollup(
            "repeat_contacts",
            parameters=_AS_OF | _DAYS,
            columns={
                **_REP,
                "month": Output("date", "month of the resolution, as its first day"),
                "resolved": Output("integer", "tickets resolved", "tickets"),
                "without_account": Output("integer", "of them without an account", "tickets"),
                "judged": Output("integer", "of them judged: the denominator", "tickets"),
                "followed": Output("integer", "of these followed by another", "tickets"),
                "contacts_known": Output("integer", "judged ones whose number of contacts is known", "tickets"),
                "first_contact": Output("integer", "not followed, and one contact where that is known", "tickets"),
            },
            grain=("rep_id", "month"),
            steps=("ticket_times",),
            calendar=calendars.ticket_days,
        ),
        Rollup(
            "ticket_cases",
            parameters={
                "start": Parameter("date", "the first day; tickets resolved before it do not count", needed=True),
                **_AS_OF,
                **_DAYS,
            },
            columns={
                "case_number": Output("integer", "its place among them by time of opening, from 1", "tickets"),
                **_REP,
                "account_id": Output("text", "the account", missing="not recorded"),
                "opened_month": Output("date", "month of the opening, as its first day"),
                "resolved_month": Output("date", "month of the resolution", missing="not resolved before as_of"),
                "resolved_day": Output("date", "day of the resolution", missing="not resolved before as_of"),
                "opened_hour": Output("integer", "hour of the opening, 0 to 23", "hours"),
                "opened_weekday": Output("integer", "its day of the week, 0 is Monday", "days"),
                "channel": Output("text", "the channel", missing="not recorded"),
                "priority": Output("text", "the urgency, as the desk writes it", missing="not recorded"),
                "category": Output("text", "what it was about", missing="not recorded"),
                "mrr_cents": Output("money", "paid on the day of the opening", _MONEY, "nothing, or unknown"),
                "tenure_days": Output("integer", "days since the first paid day", "days", "nothing paid, or unknown"),
                "wait_seconds": Output("number", "time until it was answered", "seconds", "not recorded"),
                "answered": Output("flag", "whether it was answered at all", missing="not recorded"),
                "contacts": Output("integer", "contacts until it was resolved", "contacts", "not recorded"),
                "reopened": Output("flag", "whether it came back", missing="not recorded"),
                "escalated": Output("flag", "whether it was escalated", missing="not recorded"),
                "handle_minutes": Output("number", "minutes of work", "minutes", "not recorded"),
                "csat": Output("number", "satisfaction, 1 to 5", "points", "not answered"),
                "ces": Output("number", "effort score, 1 to 7", "points", "not answered"),
                "first_response_minutes": Output("number", "from the opening", "minutes", "none before as_of"),
                "resolution_minutes": Output("number", "from the opening", "minutes", "not resolved before as_of"),
                "judged": Output("flag", "whether account and the N days after the resolution are known"),
                "followed": Output("flag", "whether another one followed in them", missing="not judged"),
            },
            grain=("case_number",),
            steps=("ticket_times", "paid_periods"),
            calendar=calendars.case_days,
        ),
        Rollup(
            "vanish_panel",
            parameters={
                "start": Parameter("date", "the first month's first day", needed=True),
                **_AS_OF,
                "role": Parameter("text", "assignments of this role, or without one, are cover; empty: all are", "csm"),
            },
            columns={
                **_ACCOUNT,
                **_MONTH,
                "month_index": Output("integer", "0 for the window's first month", "months"),
                "mrr_cents": Output("money", "paid on the month's first day", _MONEY),
                "tenure_months": Output("integer", "whole months since the paid spell began", "months"),
                "covered": Output("flag", "whether a rep had it on the first day", missing="no assignments recorded"),
                "csm": Output("text", "that rep: the latest assigned, if several", missing="none"),
                "touches": Output("integer", "touches in the month", "touches", "not recorded then"),
                "touch_hours": Output("number", "their hours", "hours", "not recorded"),
                "events": Output("integer", "usage events in the month", "events", "not recorded then"),
                "quantity": Output("number", "their quantity", "uses", "not recorded"),
                "tickets": Output("integer", "tickets opened in the month", "tickets", "not recorded then"),
                "churned": Output("flag", "whether the paid spell ends in the month"),
            },
            grain=("account_id", "month"),
            steps=("paid_periods", "paid_spells"),
            calendar=calendars.months_with_an_end,
        ),
        Rollup(
            "account_signals",
            parameters=_WINDOW,
            columns={
                **_ACCOUNT,
                **_MONTH,
                "tickets": Output("integer", "tickets opened", "tickets"),
                "escalated": Output("integer", "tickets resolved that were escalated", "tickets"),
                "csat_sum": Output("number", "sum of the CSAT of tickets resolved", "points"),
                "csat_answers": Output("integer", "tickets resolved with a CSAT answer", "answers"),
                "nps_sum": Output("number", "sum of the scores of NPS surveys answered", "points"),
                "nps_answers": Output("integer", "NPS surveys answered with a score", "answers"),
                "touches": Output("integer", "touches", "touches"),
                "qbrs": Output("integer", "of them business reviews", "touches"),
                "touch_hours": Output("number", "their hours", "hours", "touches without recorded hours"),
            },
            grain=("account_id", "month"),
            calendar=calendars.window_months,
        ),
    )
}
