"""Loading: a source and a mapping become checked, frozen tables, cut at one instant.

Every problem of every table is collected before anything is refused; what is left out is counted and listed;
what looks odd is said. Nothing that became known after ``as_of`` is in the result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cs_helpers import contract
from cs_helpers.contract import Breach, Origin
from cs_helpers.errors import ContractError, ParameterError, Problem, did_you_mean
from cs_helpers.mapping import Mapping as ExportMapping
from cs_helpers.mapping import find_mapping
from cs_helpers.periods import day_words, month, month_starts
from cs_helpers.sources import open_source
from cs_helpers.tables.findings import (
    Finding,
    as_of_moved,
    churn_records,
    concurrent,
    counted,
    currency_of,
    differing_by_case,
    ends_look_inclusive,
    pile_up,
    set_aside_findings,
    set_aside_rows,
)
from cs_helpers.tables.reading import lines_of, read_tables

UNSEEN_MONTHS = 3  # starts this long before the first recorded end suggest that earlier leavers are missing


@dataclass(frozen=True, eq=False)
class Tables:
    """A company's tables as they were known at ``as_of``, and what was found while reading them.

    ``accounts`` has one row per account (sorted by account_id; attributes as text). ``subscriptions`` has one
    row per account and price period, half-open [start_date, end_date), ``mrr`` in ``currency`` per month;
    end_date NaT = still running at ``as_of``. ``as_of`` is exclusive, ``data_through`` is the last day loaded.
    ``quality`` and ``set_aside`` speak of the whole source, before ``where``.
    """

    accounts: pd.DataFrame
    subscriptions: pd.DataFrame
    quality: tuple[Finding, ...]
    set_aside: pd.DataFrame
    company: str
    currency: str
    as_of: pd.Timestamp
    observed_from: pd.Timestamp
    data_through: pd.Timestamp
    where: dict[str, str]
    source: str
    fingerprint: str

    def __repr__(self) -> str:
        only = f", only {', '.join(f'{key} = {value}' for key, value in self.where.items())}" if self.where else ""
        warnings = sum(finding.severity == "warning" for finding in self.quality)
        return "\n".join(
            [
                f"Tables of {self.company} as of {day_words(self.as_of)}{only}",
                f"  accounts       {len(self.accounts):,}",
                f"  subscriptions  {len(self.subscriptions):,} (MRR in {self.currency or 'an undeclared currency'})",
                f"  observed       {day_words(self.observed_from)} to {day_words(self.data_through)}",
                f"  quality        {counted(warnings, 'warning')}, {counted(len(self.set_aside), 'row')} set aside",
                f"  source         {self.source}, fingerprint {self.fingerprint}",
            ]
        )


def load(
    source: str | Path,
    mapping: str | Path | ExportMapping | None = None,
    as_of: str | dt.date | pd.Timestamp | None = None,
    where: Mapping[str, str] | str | None = None,
) -> Tables:
    """The tables of ``source`` as they were known at ``as_of``, checked.

    All accounts count, or with ``where`` those whose attributes have the given values. ``mapping`` is a YAML
    file; without one ``mapping.yml`` in the source is used, else the contract's own names and ISO dates.
    ``as_of`` is exclusive and stands on the first of its month; by default it is the first day after the last
    complete month. Subscriptions starting at or after it are left out, and later ends are unknown (NaT).
    Missing: an empty field; an empty end_date is a running subscription; a missing MRR is an error, not 0.

    Raises SourceError (nothing readable there), MappingError, ContractError (every problem of every table at
    once) or ParameterError (``as_of`` outside the data, ``where`` without a match or on
    a column that records the outcome). Needs no network.
    """
    place = open_source(source)
    settings = find_mapping(place.folder, mapping)
    reading = read_tables(place, settings)
    accounts, subscriptions = reading.frames["accounts"], reading.frames["subscriptions"]
    notes = list(reading.findings)
    if settings.data_through is not None:
        data_through = pd.Timestamp(settings.data_through)
    else:
        data_through = subscriptions["start_date"].max()
        notes.append(_inferred_data_through(data_through))
    covered_to = data_through + pd.Timedelta(days=1)
    asked = _given_day(as_of) if as_of else covered_to
    instant = month(asked)
    first_start = subscriptions["start_date"].min()
    accounts, subscriptions = _cut(accounts, subscriptions, instant)
    zero_days = _zero_days(subscriptions, reading.origins["subscriptions"])
    subscriptions = subscriptions.drop(index=lines_of(zero_days))
    observed_from, note = _observed_from(settings, subscriptions, first_start)
    notes += note
    _check_instant(as_of, instant, observed_from, covered_to, place.name)
    _check_months(subscriptions, observed_from, instant, reading.origins["subscriptions"])
    set_aside = [*reading.set_aside, *zero_days]
    currency, note = currency_of(settings, subscriptions)
    notes += note
    notes += concurrent(subscriptions) + pile_up(subscriptions, observed_from, instant)
    if not reading.origins["subscriptions"].last_paid_day:
        notes += ends_look_inclusive(subscriptions)
    notes += differing_by_case(accounts)
    everything, exported = reading.frames["subscriptions"], instant < covered_to
    notes += churn_records(settings, reading.records, everything, accounts, subscriptions, instant, exported)
    if as_of:
        notes += as_of_moved(asked, instant)
    rows = set_aside_rows(set_aside, reading.keys)
    chosen, where = _choose(accounts, _conditions(where), reading.origins["accounts"])
    return Tables(
        accounts=_sorted(chosen, ["account_id"]),
        subscriptions=_sorted(
            subscriptions[subscriptions["account_id"].isin(chosen["account_id"])],
            ["account_id", "start_date", "subscription_id", "end_date", "mrr", "plan"],
        ),
        quality=(*set_aside_findings(set_aside), *notes),
        set_aside=rows,
        company=settings.company or place.folder.resolve().name,
        currency=currency,
        as_of=instant,
        observed_from=observed_from,
        data_through=data_through,
        where=dict(where),
        source=place.name,
        fingerprint=place.fingerprint(),
    )


def _sorted(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    present = [key for key in keys if key in frame]
    return frame.sort_values(present, kind="stable").reset_index(drop=True)


def _given_day(as_of: str | dt.date | pd.Timestamp) -> pd.Timestamp:
    try:
        if not isinstance(as_of, str | dt.date):  # a Timestamp is a date; a number is not
            raise TypeError
        # Only ISO text: pandas would read "now" as the clock's time and guess at 01/02/2024.
        day = dt.datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
        return pd.Timestamp(day).tz_localize(None).normalize().as_unit("us")
    except (TypeError, ValueError) as error:
        raise ParameterError(f"as_of {as_of!r} is not a date.\n  Write it like 2024-12-01.") from error


def _check_instant(
    given: object, instant: pd.Timestamp, observed_from: pd.Timestamp, covered_to: pd.Timestamp, name: str
) -> None:
    if observed_from < instant <= covered_to:
        return
    last = month(covered_to)
    covers = f"{name} covers {day_words(observed_from)} to {day_words(covered_to - pd.Timedelta(days=1))}"
    if given is None:
        raise ContractError(
            f"{covers}: there is no complete month in it.\n"
            "  Load a longer period, or correct `observed_from` and `data_through` in the mapping."
        )
    raise ParameterError(
        f"as_of {instant:%Y-%m-%d} is outside the data: {covers}.\n"
        f"  Give a month's first day after {observed_from:%Y-%m-%d}, at the latest {last:%Y-%m-%d}."
    )


def _cut(
    accounts: pd.DataFrame, subscriptions: pd.DataFrame, instant: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was known at ``instant``: later starts left out, later ends and notices unknown, later accounts too.

    What happens on ``instant`` itself belongs to the month that begins there, for starts and ends alike:
    otherwise a subscription renewed on that day would look ended.
    """
    first_start = accounts["account_id"].map(subscriptions.groupby("account_id")["start_date"].min())
    first_sign = first_start
    if "signup_date" in accounts:
        first_sign = pd.concat([first_start, accounts["signup_date"]], axis=1).min(axis=1)
        first_sign.index = accounts.index
    known = subscriptions[subscriptions["start_date"] < instant]
    later = {"end_date": known["end_date"].mask(known["end_date"] >= instant)}
    if "notice_date" in known:
        later["notice_date"] = known["notice_date"].mask(known["notice_date"] >= instant)
    return accounts[~(first_sign >= instant)], known.assign(**later)


def _zero_days(subscriptions: pd.DataFrame, origin: Origin) -> list[Breach]:
    zero = subscriptions[subscriptions["end_date"] == subscriptions["start_date"]]
    if zero.empty:
        return []
    reasons = tuple(
        f"starts on {day:%Y-%m-%d}, its last paid day is {origin.written('end_date', day)}: no day was paid for"
        if origin.last_paid_day
        else f"starts and ends on {day:%Y-%m-%d}: no day was paid for"
        for day in zero["start_date"]
    )
    return [Breach("subscriptions", "zero_day", origin.where, "", tuple(zero.index), reasons)]


def _inferred_data_through(day: pd.Timestamp) -> Finding:
    return Finding(
        "subscriptions",
        "data_through_inferred",
        "warning",
        0,
        f"The last day loaded is not declared: taken as {day_words(day)}, the latest start_date. "
        "State it as `data_through` in mapping.yml.",
    )


def _observed_from(
    settings: ExportMapping, subscriptions: pd.DataFrame, first_start: pd.Timestamp
) -> tuple[pd.Timestamp, list[Finding]]:
    """The first day of complete records: declared, or inferred from what was known at the cut."""
    if settings.observed_from is not None:
        return pd.Timestamp(settings.observed_from), []
    if subscriptions.empty:
        return first_start, []
    earliest, first_end = subscriptions["start_date"].min(), subscriptions["end_date"].min()
    if pd.notna(first_end) and earliest < first_end - pd.DateOffset(months=UNSEEN_MONTHS):
        day = month(first_end)
        before = int((subscriptions["start_date"] < day).sum())
        message = (
            f"{counted(before, 'subscription')} started before {day_words(day)}, from {day_words(earliest)} on, yet "
            f"the first recorded end is on {day_words(first_end)}: accounts that left earlier seem to be missing "
            f"from the export. Figures start at {day_words(day)}; state the first completely recorded day as "
            "`observed_from` in mapping.yml."
        )
        return day, [Finding("subscriptions", "observed_from_inferred", "warning", before, message)]
    message = (
        f"The first day of complete records is not declared: taken as {day_words(earliest)}, the earliest start_date. "
        "State it as `observed_from` in mapping.yml."
    )
    return earliest, [Finding("subscriptions", "observed_from_inferred", "warning", 0, message)]


def _check_months(
    subscriptions: pd.DataFrame, observed_from: pd.Timestamp, instant: pd.Timestamp, origin: Origin
) -> None:
    """A month in which nobody has a subscription was never loaded; it must not read as total churn."""
    begins = month_starts(month(observed_from), instant)
    stops = begins + pd.offsets.MonthBegin()
    starts = subscriptions["start_date"].sort_values()
    ends = subscriptions["end_date"].dropna().sort_values()
    active = starts.searchsorted(stops, side="left") - ends.searchsorted(begins, side="right")
    empty = [begun for begun, n in zip(begins, active, strict=True) if n <= 0]
    if not empty:
        return
    named = ", ".join(f"{begun.month_name()} {begun.year}" for begun in empty[: contract.SHOWN])
    more = f" and {len(empty) - contract.SHOWN} more" if len(empty) > contract.SHOWN else ""
    problem = Problem(
        origin.where,
        f"no subscription runs in {named}{more}, inside the observed months {day_words(observed_from)} to "
        f"{day_words(instant - pd.Timedelta(days=1))}: a month that was never loaded.",
        "Load the missing months, or set `observed_from` and `data_through` in mapping.yml to the days loaded.",
    )
    raise ContractError([problem])


def _conditions(where: Mapping[str, str] | str | None) -> Mapping[str, str]:
    """``where`` as given, or read from text such as ``segment=SMB, region=EMEA``; empty text is none."""
    if not isinstance(where, str):
        return where or {}
    parts = [part.partition("=") for part in where.split(",") if part.strip()]
    bad = [column for column, sign, value in parts if not (column.strip() and sign and value.strip())]
    if bad:
        raise ParameterError(
            f"where: '{where}' is not column=value.\n  Write it as segment=SMB, or segment=SMB, region=EMEA."
        )
    return {column.strip(): value.strip() for column, _, value in parts}


def _choose(accounts: pd.DataFrame, where: Mapping[str, str], origin: Origin) -> tuple[pd.DataFrame, dict[str, str]]:
    """The accounts whose attributes have the given values, if these do not record the outcome itself."""
    own = set(contract.TABLES["accounts"].names)
    every = [str(name) for name in accounts.columns]
    # An attribute that the mapping has renamed is known by its header.
    headers = {name: name if name in own else origin.header(name) for name in every}
    outcome = {
        name for name in every if contract.known_only_after_outcome("accounts", dict.fromkeys([name, headers[name]]))
    }
    names = [name for name in every if name not in outcome]
    for column, value in where.items():
        if column not in accounts:
            raise ParameterError(
                f"where: accounts have no column {column!r}.{did_you_mean(str(column), names)}\n"
                f"  They have: {', '.join(names)}."
            )
        if column in outcome:
            raise ParameterError(
                f"where: {column!r} is known only after the outcome: filtering by the outcome decides the result.\n"
                f"  Choose by what was known beforehand: {', '.join(names)}."
            )
        written = accounts[column].astype("str")
        chosen = accounts[(written == str(value)) & accounts[column].notna()]
        if chosen.empty:
            there = sorted(written[accounts[column].notna()].unique())
            listed = ", ".join(there[:12]) + (f" and {len(there) - 12:,} more" if len(there) > 12 else "")
            raise ParameterError(
                f"where: no account has {column} {str(value)!r}.{did_you_mean(str(value), there)}\n"
                f"  The values there are: {listed or 'none'}."
            )
        accounts = chosen
    return accounts, {str(column): str(value) for column, value in where.items()}
