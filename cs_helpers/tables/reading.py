"""Files to typed tables: every problem of every table is collected before anything is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from cs_helpers import contract
from cs_helpers.contract import TABLES, Breach, Origin, plain
from cs_helpers.errors import ContractError, Problem, SourceError, did_you_mean
from cs_helpers.mapping import ChurnRecord, TableMapping
from cs_helpers.mapping import Mapping as ExportMapping
from cs_helpers.sources import FolderOfCsv
from cs_helpers.tables.findings import Finding, counted


@dataclass
class Reading:
    """What reading the files has given so far."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)  # typed, line numbers as index
    origins: dict[str, Origin] = field(default_factory=dict)
    raw: dict[str, pd.DataFrame] = field(default_factory=dict)  # by file, as written
    records: dict[str, pd.DataFrame] = field(default_factory=dict)  # other records of churn, by name
    keys: dict[str, pd.Series] = field(default_factory=dict)  # account_id of every row read, by table
    set_aside: list[Breach] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_tables(place: FolderOfCsv, settings: ExportMapping) -> Reading:
    """Every table of the contract, typed and checked; raises once with all problems of all of them."""
    reading, unreadable = Reading(), []
    for name in TABLES:
        entry = settings.table(name)
        if not (entry.file and entry.separator and entry.encoding):
            raise AssertionError("Mapping.table fills in file, separator and encoding")
        try:
            reading.raw[entry.file] = place.read(entry.file, entry.separator, entry.encoding)
        except SourceError as error:
            unreadable.append(str(error))
            continue
        _read_table(name, reading.raw[entry.file], entry, settings, reading)
    for record in settings.churn_records:
        try:
            _read_record(record, place, settings, reading)
        except SourceError as error:
            unreadable.append(str(error))
    if not unreadable:
        _check_across(settings, reading)
    if unreadable:
        raise SourceError("\n".join([*dict.fromkeys(unreadable), *map(str, reading.problems)]))
    if reading.problems:
        raise ContractError(reading.problems)
    return reading


def _read_table(name: str, raw: pd.DataFrame, entry: TableMapping, settings: ExportMapping, reading: Reading) -> None:
    text, origin, missing = _mapped(name, raw, entry)
    reading.origins[name] = origin
    reading.keys[name] = text["account_id"] if "account_id" in text else pd.Series("", index=text.index, dtype="str")
    raw = _drop_where(name, raw, entry, reading)
    text = text.loc[raw.index]
    text = text.drop(index=lines_of(_repeated_rows(name, raw, text, origin, settings, reading)))
    frame, unreadable = contract.parse(name, text, origin)
    if origin.last_paid_day and "end_date" in frame:
        frame["end_date"] = contract.first_unpaid_days(frame["end_date"])
    found = [*missing, *unreadable, *contract.breaches(name, frame, origin, unreadable)]
    reading.frames[name] = _settle(frame, found, settings, reading)


def _settle(frame: pd.DataFrame, found: Iterable[Breach], settings: ExportMapping, reading: Reading) -> pd.DataFrame:
    """Breaches the mapping wants set aside leave the frame and are listed; the others are problems."""
    for breach in found:
        if breach.check in settings.set_aside:
            reading.set_aside.append(breach)
            frame = frame.drop(index=list(breach.lines))
        else:
            reading.problems.append(breach.problem)
    return frame


def _drop_where(name: str, raw: pd.DataFrame, entry: TableMapping, reading: Reading) -> pd.DataFrame:
    for header, values in entry.drop_where.items():
        where = entry.file or name
        if header not in raw:
            fix = f"It has: {', '.join(raw.columns)}.{did_you_mean(header, list(raw.columns))}"
            reading.problems.append(Problem(where, f"no column '{header}', which drop_where names.", fix))
            continue
        out = raw[header].str.strip().str.casefold().isin([value.casefold() for value in values])
        if out.any():
            reasons = tuple(f"{header} {plain(value)} is left out by drop_where" for value in raw.loc[out, header])
            reading.set_aside.append(Breach(name, "drop_where", where, "", tuple(raw.index[out]), reasons))
            raw = raw[~out]
    return raw


def _mapped(name: str, raw: pd.DataFrame, entry: TableMapping) -> tuple[pd.DataFrame, Origin, list[Breach]]:
    """The export's columns under the contract's names, still text, and the named columns it does not have."""
    table = TABLES[name]
    headers = {column: entry.columns.get(column, column) for column in table.names if column not in entry.constants}
    wanted = {column: header for column, header in headers.items() if header is not None}
    if table.keeps_attributes:
        own = entry.attributes
        if own is None:
            rest = set(raw.columns) - set(wanted.values()) - set(table.names)
            own = {header: header for header in raw.columns if header in rest}
        wanted |= own
    origin = Origin(
        entry.file or name,
        wanted,
        list(raw.columns),
        entry.date_format or "",
        entry.decimal or ".",
        entry.end_date_is == "last_paid_day",
    )
    named = set(entry.columns) | set(entry.attributes or {})
    optional = [column for column in wanted if column not in table.names or not table.column(column).required]
    missing = [
        contract.missing_column(name, column, origin)
        for column in optional
        if column in named and wanted[column] not in raw
    ]
    # Stripped here already: keys are listed and values translated before the columns are parsed.
    text = pd.DataFrame(
        {column: raw[header].str.strip() for column, header in wanted.items() if header in raw}, index=raw.index
    )
    for column, value in entry.constants.items():
        text[column] = pd.Series(_constant(name, column, value, origin), index=raw.index, dtype="str")
    for column, words in entry.values.items():
        if column in text:
            text[column] = text[column].replace({word.strip(): meant for word, meant in words.items()})
    return text, origin, missing


def _constant(name: str, column: str, value: str, origin: Origin) -> str:
    """A constant as the column's other values would be written; dates are ISO in the mapping."""
    if column in TABLES[name].names and TABLES[name].column(column).kind == "date":
        try:
            return dt.date.fromisoformat(value).strftime(contract.strptime_format(origin.date_format))
        except ValueError:
            return value
    return value


def _repeated_rows(
    name: str, raw: pd.DataFrame, text: pd.DataFrame, origin: Origin, settings: ExportMapping, reading: Reading
) -> list[Breach]:
    """Rows that say in every column what an earlier row says: set aside on request, else counted and said."""
    again = raw.duplicated(keep="first")
    if not again.any():
        return []
    lines = tuple(raw.index[again])
    if "repeated_row" in settings.set_aside:
        breach = Breach(name, "repeated_row", origin.where, "", lines, ("the row repeats an earlier one",) * len(lines))
        reading.set_aside.append(breach)
        return [breach]
    if not set(TABLES[name].key) <= set(text.columns):
        reading.findings.append(
            Finding(
                name,
                "repeated_row",
                "warning",
                len(lines),
                f"{counted(len(lines), 'row')} of {origin.where} repeat an earlier row in every column and count as "
                "subscriptions of their own. `set_aside: [repeated_row]` in mapping.yml leaves them out.",
            )
        )
    return []


def _check_across(settings: ExportMapping, reading: Reading) -> None:
    """Checks that need more than one row or more than one table."""
    accounts, subscriptions = reading.frames["accounts"], reading.frames["subscriptions"]
    origin = reading.origins["subscriptions"]
    if "account_id" in accounts and "account_id" in subscriptions:
        lost = contract.orphans("subscriptions", subscriptions, accounts["account_id"], origin)
        subscriptions = reading.frames["subscriptions"] = _settle(subscriptions, lost, settings, reading)
    for name, frame in reading.frames.items():
        if frame.empty and TABLES[name].required:
            fix = "Correct `drop_where` or `set_aside` in the mapping; a table of this kind needs rows."
            reading.problems.append(Problem(reading.origins[name].where, "every row of it is left out.", fix))
    reading.problems += _mixed_currencies(settings, subscriptions, origin)
    if settings.overlap == "error" and not reading.problems:
        reading.problems += _overlaps(subscriptions, origin)


def _mixed_currencies(settings: ExportMapping, subscriptions: pd.DataFrame, origin: Origin) -> list[Problem]:
    if "currency" not in subscriptions:
        return []
    written = subscriptions["currency"].str.strip().str.upper().dropna()
    counts = written.value_counts()
    declared = (settings.currency or "").upper()
    if len(counts) <= 1 and (not declared or set(counts.index) <= {declared}):
        return []
    other = written[written != (declared or counts.index[0])]
    named = ", ".join(f"{plain(value)} ({counted(int(n), 'row')})" for value, n in counts.items())
    what = f"{origin.header('currency')} holds {named}" + (f", and the mapping says {declared}." if declared else ".")
    fix = (
        "Convert the amounts to one currency, correct `currency` in the mapping, or load one currency at a time "
        "with `drop_where`."
    )
    return [Problem(origin.where, what, fix, tuple(other.index[: contract.SHOWN]), len(other))]


def _overlaps(subscriptions: pd.DataFrame, origin: Origin) -> list[Problem]:
    ordered = subscriptions.sort_values(["account_id", "start_date"], kind="stable")
    ends = ordered["end_date"].fillna(contract.LATEST)
    before = ends.groupby(ordered["account_id"]).cummax().groupby(ordered["account_id"]).shift()
    over = ordered[ordered["start_date"] < before]
    if over.empty:
        return []
    reasons = tuple(
        f"account {plain(account)} starts again on {start:%Y-%m-%d} while another of its subscriptions runs"
        for account, start in zip(over["account_id"], over["start_date"], strict=True)
    )
    fix = "Correct the periods, or set `overlap: sum` in mapping.yml if accounts may hold several at once."
    return [Breach("subscriptions", "overlap", origin.where, fix, tuple(over.index), reasons).problem]


def lines_of(breaches: Iterable[Breach]) -> list[int]:
    """Line numbers of all rows that the breaches name."""
    return [line for breach in breaches for line in breach.lines]


def _read_record(record: ChurnRecord, place: FolderOfCsv, settings: ExportMapping, reading: Reading) -> None:
    """One record's rows: account_id, whether it says "left", and the day where it has one."""
    if record.file not in reading.raw:
        reading.raw[record.file] = place.read(record.file, settings.separator, settings.encoding)
    raw = reading.raw[record.file]
    lacking = [name for name in (record.account_id, record.flag, record.date) if name and name not in raw]
    for name in lacking:
        fix = f"It has: {', '.join(raw.columns)}.{did_you_mean(name, list(raw.columns))} Correct `churn_records`."
        reading.problems.append(Problem(record.file, f"no column '{name}', which churn_records names.", fix))
    if lacking:
        return
    left = pd.Series(True, index=raw.index)
    if record.flag:
        words = [word.casefold() for word in record.true_values]
        left = raw[record.flag].str.strip().str.casefold().isin(words)
    rows = pd.DataFrame({"account_id": raw[record.account_id].str.strip(), "left": left})
    if record.date:
        rows["date"] = contract.read_dates(raw[record.date], settings.date_format)
        bad = rows.index[rows["date"].isna() & (raw[record.date].str.strip() != "")]
        if len(bad):
            what = f"is not a date written as {settings.date_format}"
            reasons = tuple(f"{record.date} {plain(value)} {what}" for value in raw.loc[bad, record.date])
            fix = "Correct the value, or `date_format` in the mapping."
            reading.problems.append(Breach("", "", record.file, fix, tuple(bad), reasons).problem)
    reading.records[record.name] = rows
