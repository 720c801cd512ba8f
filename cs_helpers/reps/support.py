"""Support work as cases of support reps, with the case mix that was fixed before a rep acted.

    tickets = tables.rollup("ticket_cases", start=tables.observed_from, as_of=tables.as_of)
    contact_cases(tickets, start, end, tables.accounts.set_index("account_id")[["segment"]])

A contact counts in the month in which it was opened, a resolution in the month in which it was resolved. ``tickets`` is
the roll-up ``ticket_cases``; windows are [start, end) of whole months. Every ``Cases`` keeps the tickets without a
rep, because they belong to the team's figure. ``cluster`` numbers the accounts; a ticket without an account is
its own cluster.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.estimates import Estimate
from cs_helpers.core.stats import wilson_interval
from cs_helpers.reps.employment import may_be_of_role, working_days
from cs_helpers.reps.results import Cases, within

CONTACT_KEYS = ("service_level", "asa_seconds", "abandonment_rate", "resolved_rate", "first_response_hours")
RESOLUTION_KEYS = (
    "csat", "ces", "fcr", "repeat_contact_rate", "reopen_rate", "escalation_rate", "resolution_hours", "aht_minutes",
)  # fmt: skip
SATISFIED = 4
"""The lowest of the two best scores of 5."""
EASY = 5
"""The lowest of the three best effort scores of 7."""
FEW_ANSWERS = 0.1
"""Below this share of tickets with an answer, the note on CSAT warns that those who answer may not be typical."""
SHORTEST_MINUTES = 1.0
"""Times are compared by their logarithm; a shorter one counts as this."""

_MIX = ("MRR", "channel", "priority", "category", "tenure", "hour", "weekend")
_RESERVED = frozenset({"rep_id", "cluster", "month", "day", "exposure", *_MIX, *CONTACT_KEYS, *RESOLUTION_KEYS})
_QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter", "not paying or unknown")
_TENURES = ("under 3 months", "3 to 12 months", "1 to 3 years", "over 3 years", "unknown")
_TENURE_DAYS = (91, 365, 1096)
_HOURS = ("night (0-6 UTC)", "morning (6-12 UTC)", "afternoon (12-18 UTC)", "evening (18-24 UTC)")
_WEEK = ("Monday to Friday", "weekend")


def contact_cases(
    tickets: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    attributes: pd.DataFrame | None = None,
    target_seconds: float = 20,
) -> Cases:
    """Waiting, answers and resolution, one case per ticket opened in [start, end).

        service_level        answered within T / (answered + abandoned after more than T); other contacts are no case
        asa_seconds          wait of an answered contact
        abandonment_rate     abandoned / offered
        resolved_rate        resolved by as_of / answered
        first_response_hours from opening to the first response, at least one minute, so that it has a logarithm

    Shares are 0 and 1. A contact whose answer or wait is not recorded is no case of what needs it; one without a first
    response is none of the last. A key is there only if something is a case of it. Mix: each column of ``attributes``
    (by account_id), the account's MRR in quarters of the paying accounts, channel, priority, category, tenure, hour and
    weekend (UTC); a column that is the same everywhere is left out, and an attribute with the name of another
    column is called "account ...". Raises ParameterError for a T that is not positive or attributes that name an
    account twice; ContractError where no ticket was opened, none has a rep, or nothing is a case.
    """
    if not (np.isfinite(target_seconds) and target_seconds > 0):
        raise ParameterError(f"target_seconds = {target_seconds}: give a number of seconds above 0, for example 20.")
    opened = _window(tickets, "opened_month", start, end, "opened")
    answered, wait = _flag(opened["answered"]), _number(opened["wait_seconds"])
    yes, no, waited = answered == 1, answered == 0, ~np.isnan(wait)
    minutes = _number(opened["first_response_minutes"])
    values = {
        "service_level": np.where(yes & waited | no & (wait > target_seconds), yes & (wait <= target_seconds), np.nan),
        "asa_seconds": np.where(yes, wait, np.nan),
        "abandonment_rate": np.where(yes | no, no, np.nan),
        "resolved_rate": np.where(yes, opened["resolved_month"].notna().to_numpy(), np.nan),
        "first_response_hours": _hours(minutes),
    }
    unclear = int((no & ~waited).sum())
    notes = [
        _note(unclear, "abandoned contact has", "abandoned contacts have", "no recorded wait: no service level holds "
              "them, which looks better than it was"),
        _note(int((yes & ~waited).sum()), "answered contact has", "answered contacts have",
              "no recorded wait: left out of service level and speed of answer"),
        _note(int((minutes < SHORTEST_MINUTES).sum()), "first response", "first responses",
              "came within a minute and count as one minute"),
    ]  # fmt: skip
    return _cases(opened, "opened_month", values, attributes, notes)


def resolution_cases(
    tickets: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, attributes: pd.DataFrame | None = None
) -> Cases:
    """How tickets were resolved, one case per ticket resolved in [start, end).

        csat                 4 or 5 of 5 / answers              ces   5 to 7 of 7 / answers
        fcr                  neither followed nor more than one contact / judged
        repeat_contact_rate  followed / judged
        reopen_rate, escalation_rate   came back, was escalated / those that say whether
        resolution_hours     from opening to resolution, at least one minute
        aht_minutes          minutes of work, where some are recorded

    ``judged`` and ``followed`` are those of the roll-up: account known and the N days after the resolution seen. An
    unknown number of contacts counts as one, and where none is known there is no first-contact resolution. No answer,
    no flag, zero or no minutes: no case of that measure. Keys, mix and errors as for ``contact_cases``.
    """
    resolved = _window(tickets, "resolved_month", start, end, "resolved")
    csat, ces, contacts = (_number(resolved[name]) for name in ("csat", "ces", "contacts"))
    judged, followed = _flag(resolved["judged"]) == 1, _flag(resolved["followed"]) == 1
    reopened, escalated = _flag(resolved["reopened"]), _flag(resolved["escalated"])
    worked, took = _number(resolved["handle_minutes"]), _number(resolved["resolution_minutes"])
    values = {
        "csat": np.where(~np.isnan(csat), csat >= SATISFIED, np.nan),
        "ces": np.where(~np.isnan(ces), ces >= EASY, np.nan),
        # Without any number of contacts it would say no more than the repeat contacts do.
        "fcr": np.where(judged & (not np.isnan(contacts).all()), ~followed & ~(contacts > 1), np.nan),
        "repeat_contact_rate": np.where(judged, followed, np.nan),
        "reopen_rate": reopened,
        "escalation_rate": escalated,
        "resolution_hours": _hours(took),
        "aht_minutes": np.where(worked > 0, worked, np.nan),
    }
    unresolved = tickets["resolved_month"].isna() & within(tickets["opened_month"], *periods.window(start, end))
    notes = [
        _answers_note(csat),
        _note(int((unresolved & tickets["csat"].notna()).sum()), "CSAT answer is", "CSAT answers are",
              "on tickets that were not resolved: left out"),
        _note(int((~judged).sum()), "ticket is", "tickets are", "not judged for first-contact resolution: the account "
              "is unknown or the days after the resolution were not all seen"),
        _note(int((judged & np.isnan(contacts)).sum()), "judged ticket has", "judged tickets have",
              "no recorded number of contacts, taken as one"),
        _note(int((worked == 0).sum()), "ticket has", "tickets have", "a handling time of zero: left out of it"),
        _note(int((took < SHORTEST_MINUTES).sum()), "ticket was", "tickets were",
              "resolved within a minute of opening and count as one minute"),
    ]  # fmt: skip
    return _cases(resolved, "resolved_month", values, attributes, notes)


def work_cases(
    tickets: pd.DataFrame, people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp
) -> tuple[Cases, ...]:
    """Tickets resolved per working day, and per hour where hours are known: one case per rep and month.

        tickets_per_working_day  tickets resolved / Mondays to Fridays on which the rep was employed
        tickets_per_hour         tickets resolved / contracted hours of those days

    The value is the number of tickets, ``exposure`` the days or hours. ``people`` says who was employed when
    (``employment.working_days``); a rep without a row there counts from the first to the last month with a ticket
    resolved. A month without a ticket counts as 0 only between two with one: before and after, the rep may have had
    other work. Holidays and leave are in no table. Raises ContractError where nobody resolved a ticket in the window.
    """
    first, last = periods.window(start, end)
    _complete(tickets)
    done = tickets.loc[tickets["resolved_month"].notna(), ["rep_id", "resolved_month"]]
    nobody = int((done["rep_id"].isna() & within(done["resolved_month"], first, last)).sum())
    done = done[done["rep_id"].notna()].astype({"rep_id": "str"})
    counts = done.groupby(["rep_id", "resolved_month"], observed=True).size().rename("tickets").reset_index()
    counts = counts.rename(columns={"resolved_month": "month"}).astype({"month": "datetime64[us]"})
    if not within(counts["month"], first, last).any():
        raise ContractError(
            f"tickets: no ticket resolved in {periods.window_words(first, last)} has a rep, so there is no work to "
            "compare. Map rep_id and resolved_at, or choose another window."
        )
    spans = counts.groupby("rep_id")["month"].agg(["min", "max"])
    employed, unknown = _employed(people, spans, first, last)
    rows = employed.merge(counts, how="left", on=["rep_id", "month"])
    rows = rows.merge(spans, left_on="rep_id", right_index=True)
    between = (rows["min"] <= rows["month"]) & (rows["month"] <= rows["max"])
    counted = int(rows["tickets"].sum())
    off = int(counts.loc[within(counts["month"], first, last), "tickets"].sum()) - counted
    rest = int((~between).sum())
    rows = rows[between].fillna({"tickets": 0}).sort_values(["rep_id", "month"], ignore_index=True)
    notes = [
        "Working days are Mondays to Fridays of employment; holidays and leave are not known.",
        _note(nobody, "ticket resolved has", "tickets resolved have", "no rep: left out"),
        _note(unknown, "rep has", "reps have", "no row in reps: counted from first to last month with a ticket"),
        _note(rest, "month of employment", "months of employment",
              "without a ticket before a rep's first or after the last: left out"),
        _note(off, "ticket was", "tickets were", "resolved in months in which the rep was not employed: left out"),
    ]  # fmt: skip
    by_day = _work(rows, "tickets_per_working_day", "days", notes)
    timed = rows[rows["hours"] > 0]
    if not len(timed):
        return (by_day,)
    without = rows["rep_id"].nunique() - timed["rep_id"].nunique()
    hours_note = _note(without, "rep has", "reps have", "no known working hours: in no figure per hour")
    return (by_day, _work(timed, "tickets_per_hour", "hours", [*notes, hours_note]))


def agent_cases(surveys: pd.DataFrame, people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Satisfaction of support reps, one case per answer to their own survey (kind agent) in [start, end).

        agent_satisfaction = answers of 4 and 5 / answers, on a scale from 1 to 5

    ``rep_id`` is who answered, each answer its own cluster, ``month`` that of the answer. Answers of people whose
    role is another than support are left out, and so are scores off the scale; answers without a rep stay in the
    team's figure. Raises ContractError where no answer with a rep is left.
    """
    first, last = periods.window(start, end)
    asked = surveys[surveys["kind"] == "agent"] if "kind" in surveys else surveys
    asked = asked[asked["answered_at"].notna() & asked["score"].notna()] if len(asked) else asked
    inside = asked[within(asked["answered_at"], first, last)] if len(asked) else asked
    score = _number(inside["score"]) if len(inside) else np.array([])
    usable = inside[(score >= 1) & (score <= 5)] if len(inside) else inside
    kept = usable[may_be_of_role(usable["rep_id"], people, "support")] if len(usable) else usable
    if not len(kept) or kept["rep_id"].isna().all():
        raise ContractError(
            f"surveys: no answer of a support rep in {periods.window_words(first, last)}. Add answers with kind agent, "
            "the rep_id of who answered, answered_at and a score from 1 to 5, or choose another window."
        )
    table = pd.DataFrame(
        {
            "rep_id": kept["rep_id"].astype("str").astype("category"),
            "cluster": np.arange(len(kept)),
            "month": periods.month_start(pd.to_datetime(kept["answered_at"])).to_numpy("datetime64[us]"),
            "agent_satisfaction": (_number(kept["score"]) >= SATISFIED).astype("float32"),
        }
    )
    notes = [
        _note(len(inside) - len(usable), "score is", "scores are", "off the scale from 1 to 5: left out"),
        _note(len(usable) - len(kept), "answer is", "answers are", "by people with another role: left out"),
        _note(int(kept["rep_id"].isna().sum()), "answer", "answers", "without a name: in the team's figure only"),
    ]
    return Cases(table, ("agent_satisfaction",), notes=tuple(filter(None, notes)))


def answer_rates(tickets: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Estimate]:
    """Response rates: tickets with an answer / tickets resolved in [start, end), by "csat" and "ces".

    All tickets count, with and without a rep. Fractions with Wilson's interval. Where no ticket at all carries an
    answer the value is None: no survey seems to have been sent. Raises ContractError where none was resolved.
    """
    resolved = _window(tickets, "resolved_month", start, end, "resolved", with_rep=False)
    return {
        name: _share(
            f"{name}_response_rate", int(resolved[name].notna().sum()), len(resolved),
            "" if tickets[name].notna().any() else "no ticket carries an answer: nobody seems to have been asked",
        )
        for name in ("csat", "ces")
    }  # fmt: skip


def resolved_rates(tickets: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> tuple[Estimate, Estimate]:
    """Resolved / answered contacts, and resolved / all contacts, opened in [start, end).

    The second beside the first, because a contact that was never answered is not resolved either. Resolved is what was
    resolved by the roll-up's as_of. Fractions with Wilson's interval. The first has no value where no contact says that
    it was answered. Raises ContractError where none was opened.
    """
    opened = _window(tickets, "opened_month", start, end, "opened", with_rep=False)
    yes = _flag(opened["answered"]) == 1
    resolved = opened["resolved_month"].notna().to_numpy()
    reason = "" if yes.any() else "no contact says whether it was answered"
    return (
        _share("resolved_rate", int((yes & resolved).sum()), int(yes.sum()), reason),
        _share("resolved_rate_all", int(resolved.sum()), len(opened)),
    )


# --- the parts ------------------------------------------------------------------------------------------------


def _window(
    tickets: pd.DataFrame, column: str, start: pd.Timestamp, end: pd.Timestamp, what: str, with_rep: bool = True
) -> pd.DataFrame:
    """The tickets whose month lies in the window; ContractError where nothing can be compared."""
    first, last = periods.window(start, end)
    _complete(tickets)
    inside = within(tickets[column], first, last)
    found = tickets if inside.all() else tickets[inside]
    words = periods.window_words(first, last)
    if not len(found):
        raise ContractError(
            f"tickets: none was {what} in {words}. Load tickets of that time, map {what}_at, or choose another window."
        )
    if with_rep and found["rep_id"].isna().all():
        raise ContractError(
            f"tickets: none of the {len(found):,} {what} in {words} has a rep. Map rep_id: who worked on the ticket."
        )
    return found


def _complete(tickets: pd.DataFrame) -> None:
    needed = (
        "rep_id", "account_id", "opened_month", "resolved_month", "opened_hour", "opened_weekday", "channel",
        "priority", "category", "mrr_cents", "tenure_days", "wait_seconds", "answered", "contacts", "reopened",
        "escalated", "handle_minutes", "csat", "ces", "first_response_minutes", "resolution_minutes", "judged",
        "followed",
    )  # fmt: skip
    absent = [name for name in needed if name not in tickets]
    if absent:
        raise ContractError(f"tickets: no column {', '.join(absent)}. Give the roll-up ticket_cases.")


def _cases(
    tickets: pd.DataFrame,
    month: str,
    values: Mapping[str, np.ndarray],
    attributes: pd.DataFrame | None,
    notes: Sequence[str],
) -> Cases:
    accounts, named = _codes(tickets["account_id"])
    clusters = np.where(accounts < 0, len(named) - 1 + np.cumsum(accounts < 0), accounts)
    reps, ids = _codes(tickets["rep_id"])
    columns: dict[str, Any] = {
        "rep_id": pd.Categorical.from_codes(reps, categories=ids),
        "cluster": pd.Categorical.from_codes(clusters, categories=pd.RangeIndex(clusters.max() + 1)),
        "month": tickets[month].to_numpy("datetime64[us]"),
    }
    if month == "resolved_month":
        columns["day"] = tickets["resolved_day"].to_numpy("datetime64[us]")  # newcomers are followed by weeks
    mix = _mix(tickets, accounts, named, attributes)
    given = {key: value for key, value in values.items() if not np.isnan(value).all()}
    if not given:
        raise ContractError(
            f"tickets: nothing that could be compared is recorded of the {len(tickets):,} in the window: "
            f"{', '.join(values)} need times, answers, flags or accounts. Map more of their columns."
        )
    of = f"of {len(tickets):,} tickets"
    first = [
        _note(int((reps < 0).sum()), f"{of} has", f"{of} have", "no rep: in the team's figure only"),
        _note(int((accounts < 0).sum()), f"{of} has", f"{of} have", "no account: each counts by itself"),
    ]
    table = pd.DataFrame(columns | mix | given, copy=False)
    return Cases(table, tuple(given), tuple(mix), tuple(filter(None, [*first, *notes])))


def _mix(
    tickets: pd.DataFrame, accounts: np.ndarray, named: pd.Index, attributes: pd.DataFrame | None
) -> dict[str, pd.Categorical]:
    """The factors that were fixed before the rep acted and differ between cases, by the name a reader sees."""
    found: dict[str, tuple[np.ndarray, Any]] = {}
    if attributes is not None:
        if not attributes.index.is_unique:
            raise ParameterError("attributes: an account stands there twice. Give one row per account_id, as index.")
        known = attributes.reindex(named)
        for column in attributes:
            codes, levels = _codes(known[column])
            name = f"account {column}" if str(column) in _RESERVED else str(column)
            found[name] = np.append(codes, -1)[accounts], levels
    found["MRR"] = _quarters(_number(tickets["mrr_cents"]), accounts), _QUARTERS
    for column in ("channel", "priority", "category"):
        found[column] = _codes(tickets[column])
    days = _number(tickets["tenure_days"])
    bands = np.searchsorted(_TENURE_DAYS, days, side="right")
    found["tenure"] = np.where(days >= 0, bands, len(_TENURES) - 1), _TENURES
    found["hour"] = tickets["opened_hour"].to_numpy("int64") // 6, _HOURS
    found["weekend"] = (tickets["opened_weekday"].to_numpy("int64") >= 5).astype("int8"), _WEEK
    varied = {name: _used(codes, levels) for name, (codes, levels) in found.items()}
    return {name: category for name, category in varied.items() if category is not None}


def _quarters(mrr: np.ndarray, accounts: np.ndarray) -> np.ndarray:
    """The quarter of the MRR on opening among paying accounts; an account counts once, by its first ticket."""
    paying = np.flatnonzero(mrr > 0)
    if not len(paying):
        return np.full(len(mrr), len(_QUARTERS) - 1)
    _, at = np.unique(accounts[paying], return_index=True)
    cuts = np.quantile(mrr[paying[at]], [0.25, 0.5, 0.75])
    return np.where(mrr > 0, np.searchsorted(cuts, mrr), len(_QUARTERS) - 1)


def _used(codes: np.ndarray, levels: Iterable[Any]) -> pd.Categorical | None:
    """The levels that occur, in their order; None where all cases have the same one (missing is one, too)."""
    names = list(levels)
    counts = np.bincount(codes + 1, minlength=len(names) + 1)
    if np.count_nonzero(counts) < 2:
        return None
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str")).remove_unused_categories()


def _codes(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Texts as numbers of the sorted ones that occur; -1 is missing."""
    codes, found = pd.factorize(values.astype("str"), sort=True)
    return codes, pd.Index(found, dtype="str")


def _flag(values: pd.Series) -> np.ndarray:
    """1, 0 or NaN."""
    return values.astype("boolean").to_numpy("float32", na_value=np.nan)


def _number(values: pd.Series) -> np.ndarray:
    return pd.to_numeric(values).to_numpy("float64", na_value=np.nan)


def _hours(minutes: np.ndarray) -> np.ndarray:
    """Hours, at least one minute; a time before the opening is missing."""
    return np.where(minutes >= 0, np.maximum(minutes, SHORTEST_MINUTES), np.nan) / 60


def _employed(
    people: pd.DataFrame, spans: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> tuple[pd.DataFrame, int]:
    """Working days and hours by rep and month of all who resolved tickets, and how many of them ``people`` lacks."""
    known = people[people["rep_id"].isin(spans.index)] if "rep_id" in people else pd.DataFrame()
    others = spans[~spans.index.isin(known["rep_id"])] if len(known) else spans
    others = others[(others["max"] >= first) & (others["min"] < last)]
    ends = [periods.add_months(month, 1) - pd.Timedelta(days=1) for month in others["max"]]
    assumed = pd.DataFrame({"rep_id": others.index, "hired_on": others["min"].to_numpy(), "left_on": ends})
    parts = [working_days(each, first, last) for each in (known, assumed) if len(each)]
    return pd.concat(parts, ignore_index=True).astype({"rep_id": "str", "month": "datetime64[us]"}), len(assumed)


def _work(rows: pd.DataFrame, key: str, exposure: str, notes: Sequence[str]) -> Cases:
    table = pd.DataFrame(
        {
            "rep_id": rows["rep_id"].astype("category"),
            "cluster": np.arange(len(rows)),
            "month": rows["month"].to_numpy("datetime64[us]"),
            key: rows["tickets"].to_numpy("float64"),
            "exposure": rows[exposure].to_numpy("float64"),
        }
    )
    return Cases(table, (key,), notes=tuple(filter(None, notes)))


def _share(key: str, part: int, whole: int, reason: str = "") -> Estimate:
    if reason:
        return Estimate(key, None, None, None, whole, reason=reason)
    return Estimate(key, part / whole, part, whole, whole, *wilson_interval(part, whole))


def _answers_note(csat: np.ndarray) -> str:
    answers = csat[~np.isnan(csat)]
    if not len(answers):
        return ""
    share = len(answers) / len(csat)
    note = f"CSAT was answered on {len(answers):,} of {len(csat):,} tickets resolved ({100 * share:.1f} %)"
    if share < FEW_ANSWERS:
        note += ": so few that who answers may decide the figure"
    if math.isclose(float(answers.min()), float(answers.max())):
        note += f"; every answer is {answers[0]:g}: how are they collected?"
        return note
    return f"{note}."


def _note(number: int, one: str, many: str, rest: str) -> str:
    """A sentence about a number of things; empty for none."""
    return f"{number:,} {one if number == 1 else many} {rest}." if number else ""
