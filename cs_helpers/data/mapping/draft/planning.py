"""Plans a mapping: the file of each table, the date formats, the currency and the other settings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.draft.dates import DateColumn, date_columns
from cs_helpers.data.mapping.draft.matching import Match, Pick, match, true_values
from cs_helpers.data.mapping.draft.samples import SAMPLED_ROWS, ColumnSample, FileSample, FolderSample
from cs_helpers.data.mapping.draft.vocabulary import (
    CURRENCY_OF_COUNTRY,
    HEADERS,
    VOCABULARY,
    first_match,
    matches,
    ranks,
    squash,
    unit_of,
    words,
)

AS_OF = "day after"  # placeholder for the day after the last one loaded, from which a snapshot counts back
LAST_DAY = "last day"  # placeholder for the last day loaded
_MIN_SCORE, _STRONG_SCORE = 3.0, 6.0


@dataclass(frozen=True)
class DraftRecord:
    """Another record of who left."""

    name: str
    file: FileSample
    account_id: str
    flag: str = ""
    true_values: tuple[str, ...] = ()
    date: str = ""
    why: str = ""


@dataclass(frozen=True)
class JoinedFile:
    """A second file about the same accounts, whose further headers are joined on."""

    file: FileSample
    mine: str
    theirs: str
    headers: tuple[str, ...]


@dataclass(frozen=True)
class DraftPlan:
    """Everything found for a mapping, before its lines are written."""

    folder: FolderSample
    tables: Mapping[str, Match]
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # table -> further files that would do
    joined: tuple[JoinedFile, ...] = ()
    records: tuple[DraftRecord, ...] = ()
    dates: tuple[DateColumn, ...] = ()
    idle: tuple[FileSample, ...] = ()
    currency: str = ""
    currency_why: str = ""

    @property
    def is_snapshot(self) -> bool:
        """Whether some date is counted back from the day after the last one loaded."""
        return any(AS_OF in str(pick.lines.get("offsets", "")) for pick in self._picks())

    @property
    def uses_last_day(self) -> bool:
        """Whether some column is filled with the last day loaded."""
        return any(pick.lines.get("constants") == LAST_DAY for pick in self._picks())

    def _picks(self) -> Iterator[Pick]:
        return (pick for found in self.tables.values() for pick in found.picks.values())


def plan(folder: FolderSample) -> DraftPlan:
    """The plan for a folder, as far as headers and values decide it."""
    files = [_one_of_each_header(file) for file in folder.files]
    options = {file.name: _options(file) for file in files}
    tables, also = _assign(files, options)
    tables = _snapshot_tables(_references(tables))
    joined = _joined_files(files, options, tables)
    records = _records(files, tables, joined)
    used = {found.file.name for found in tables.values()} | {record.file.name for record in records}
    used |= {each.file.name for each in joined}
    idle = tuple(file for file in files if file.name not in used)
    currency, why = currency_of(
        files, _field(tables, "subscriptions", "currency"), _field(tables, "accounts", "country")
    )
    dated = [(record.name, record.file, record.date) for record in records if record.date]
    return DraftPlan(folder, tables, also, joined, records, date_columns(tables, dated), idle, currency, why)


def _one_of_each_header(file: FileSample) -> FileSample:
    """The file without repeated headers; the first column of each name counts."""
    return replace(file, fields=tuple({each.header: each for each in reversed(file.fields)}.values())[::-1])


# --- files and tables --------------------------------------------------------------------------------------------


def _options(file: FileSample) -> dict[str, Match]:
    """The tables a file could feed, the best first: those it fills, and one that fits better but lacks a column."""
    found = [
        _snapshot(match(file, table)) if table.name == "subscriptions" else match(file, table)
        for table in TABLES.values()
    ]
    order = sorted(found, key=lambda each: (-each.score, list(TABLES).index(each.table.name)))
    good = [each for each in order if each.feasible and each.score >= _MIN_SCORE]
    nearly = [_with_gap(each) for each in order if len(each.missing) == 1 and each.score >= _STRONG_SCORE][:1]
    if good and nearly and nearly[0].score <= good[0].score:
        nearly = []
    return {each.table.name: each for each in (*nearly, *good)}


def _with_gap(found: Match) -> Match:
    """A table with a question in place of the one column that no header looks like."""
    name = found.missing[0]
    question = (
        f"No header of {found.file.name} looks like {name} ({found.table.column(name).meaning}): write it at "
        f"`{found.table.name}: columns: {name}`, where the line stands commented out."
    )
    gap = Pick(name, (), {"columns": "<header>"}, "no header looks like it", "unsure", question, commented_out=True)
    return replace(found, picks={**found.picks, name: gap})


def _assign(
    files: Sequence[FileSample], options: Mapping[str, Mapping[str, Match]]
) -> tuple[dict[str, Match], dict[str, tuple[str, ...]]]:
    """Each file feeds the table it fits best; accounts and subscriptions may share a file that holds both."""
    wanted: dict[str, list[Match]] = {}
    for file in files:
        for name in list(options[file.name])[:1]:
            wanted.setdefault(name, []).append(options[file.name][name])
    for name, other in (("accounts", "subscriptions"), ("subscriptions", "accounts")):
        for found in wanted.get(other, [])[:]:
            shared = options[found.file.name].get(name)
            if shared and shared not in wanted.setdefault(name, []):
                wanted[name].append(shared)
    tables: dict[str, Match] = {}
    also: dict[str, tuple[str, ...]] = {}
    for name in TABLES:
        ranked = sorted((-_fit(each, options, tables), each.file.name) for each in wanted.get(name, []))
        if ranked:
            tables[name] = options[ranked[0][1]][name]
            if len(ranked) > 1:
                also[name] = tuple(file for _, file in ranked[1:])
    return tables, also


def _references(tables: Mapping[str, Match]) -> dict[str, Match]:
    """Keys of accounts that are not among the accounts: another header, if one fits, or a question."""
    accounts = tables.get("accounts")
    if not accounts or accounts.file.rows > SAMPLED_ROWS:  # then not all keys are known here
        return dict(tables)
    account_ids = set(accounts.file.by_header[accounts.picks["account_id"].headers[0]].values)
    found = dict(tables)
    for name, each in tables.items():
        pick = each.picks.get("account_id")
        if (
            name == "accounts"
            or not pick
            or not pick.headers
            or _share_of_accounts(each, pick.headers[0], account_ids) >= 0.5
        ):
            continue
        better = {
            other.header: _share_of_accounts(each, other.header, account_ids)
            for other in each.file.fields
            if other.header not in each.headers and other.distinct >= max(5, 0.1 * accounts.file.rows)
        }
        header = max(better, key=lambda name: (better[name], name), default="")
        if header and better[header] >= 0.8:
            why = f"its values are keys of accounts; those of '{pick.headers[0]}' are not"
            pick = replace(pick, headers=(header,), lines={"columns": header}, certainty="likely", why=why)
        else:
            same = [
                other.header
                for other in accounts.file.fields
                if _share_of_accounts(each, pick.headers[0], set(other.values)) >= 0.5
            ]
            hint = f"; they look like '{same[0]}' of {accounts.file.name}" if same else ""
            why = f"its values are hardly ever keys of accounts{hint}"
            question = (
                f"'{pick.headers[0]}' of {each.file.name} stands for the account, but {why}: check "
                f"`{name}: columns: account_id`."
            )
            pick = replace(pick, certainty="unsure", why=why, question=question)
        found[name] = replace(each, picks={**each.picks, "account_id": pick})
    return found


def _joined_files(
    files: Sequence[FileSample], options: Mapping[str, Mapping[str, Match]], tables: Mapping[str, Match]
) -> tuple[JoinedFile, ...]:
    """Files with one row per account that feed no table themselves but know more about the accounts."""
    accounts = tables.get("accounts")
    if not accounts:
        return ()
    feeding = {found.file.name for found in tables.values()}
    mine = accounts.picks["account_id"].headers[0]
    account_ids = set(accounts.file.by_header[mine].values)
    taken = {squash(header) for header in accounts.file.headers}
    found = []
    for file in files:
        option = options[file.name].get("accounts")
        if file.name in feeding or option is None or "subscriptions" in options[file.name]:
            continue
        theirs = option.picks["account_id"].headers[0]
        if not _share_of_accounts(option, theirs, account_ids) >= 0.5:
            continue
        more = tuple(
            each.header
            for each in file.fields
            if each.header != theirs and squash(each.header) not in taken and not each.is_constant(file.rows)
        )
        taken |= {squash(header) for header in more}
        if more:
            found.append(JoinedFile(file, mine, theirs, more))
    return tuple(found)


def _share_of_accounts(each: Match, header: str, account_ids: set[str]) -> float:
    values = set(each.file.by_header[header].values)
    return len(values & account_ids) / len(values) if values else 0.0


def _fit(found: Match, options: Mapping[str, Mapping[str, Match]], chosen: Mapping[str, Match]) -> float:
    """The score; a file with one row per customer that holds accounts and subscriptions is preferred for both."""
    if found.table.name not in ("accounts", "subscriptions") or not {"accounts", "subscriptions"} <= set(
        options[found.file.name]
    ):
        return found.score
    is_chosen = "accounts" in chosen and chosen["accounts"].file.name == found.file.name
    return found.score + (3.0 if is_chosen else 1.5)


def _snapshot(found: Match) -> Match:
    """Periods from one row per customer: the start is so many months before the day the export was made."""
    file, picks = found.file, dict(found.picks)
    if not {"account_id", "mrr"} <= set(picks):
        return found
    tenure = first_match(found.unused(lambda each: each.is_number and not each.is_flag), HEADERS["tenure"])
    if "start_date" not in picks and tenure:
        unit = unit_of(tenure)
        lines: dict[str, Any] = {"offsets": {"base": AS_OF, "subtract": tenure, "unit": unit or "months"}}
        why = "counted back from the day the export was made" + ("" if unit else "; months, as tenure usually is")
        picks["start_date"] = Pick("start_date", (tenure,), lines, why)
    flag = churn_flag(file)
    if "start_date" in picks and "end_date" not in picks and flag:
        lines = {"constants": LAST_DAY, "only_where": {flag.header: list(churned_values(flag))}}
        why = "the export says whether, not when: the last day stands in for those who had left"
        picks["end_date"] = Pick("end_date", (flag.header,), lines, why)
    return replace(found, picks=picks)


def _snapshot_tables(tables: Mapping[str, Match]) -> dict[str, Match]:
    """Further columns of a snapshot: the signup date of each account, and the reasons of those that left."""
    subscriptions, accounts = tables.get("subscriptions"), tables.get("accounts")
    start = subscriptions.picks.get("start_date") if subscriptions else None
    if not subscriptions or not start or start.lines.get("offsets", {}).get("base") != AS_OF:
        return dict(tables)
    found = dict(tables)
    file = subscriptions.file
    if accounts and accounts.file.name == file.name and "signup_date" not in accounts.picks:
        since = replace(start, column="signup_date")
        found["accounts"] = replace(accounts, picks={**accounts.picks, "signup_date": since})
    reason = first_match(
        [each.header for each in file.fields if not each.is_flag], VOCABULARY.columns["surveys"]["reason"]
    )
    flag = churn_flag(file)
    if reason and flag and "surveys" not in tables:
        why = "the reason stands with those who left"
        picks = {
            "kind": Pick("kind", (), {"constants": "exit"}, why),
            "answered_at": Pick("answered_at", (), {"constants": LAST_DAY}, "the day of the export stands in"),
            "account_id": subscriptions.picks["account_id"],
            "stage": Pick("stage", (), {"constants": "exit"}, why),
            "reason": Pick("reason", (reason,), {"columns": reason}, "a known word for it", "sure"),
        }
        rows = {"keep_where": {flag.header: list(churned_values(flag))}}
        found["surveys"] = Match(file, TABLES["surveys"], picks, rows)
    return {name: found[name] for name in TABLES if name in found}


# --- who left ----------------------------------------------------------------------------------------------------


def churn_flag(file: FileSample) -> ColumnSample | None:
    """The column that marks who left, as a flag or as a status."""
    flags = [each.header for each in file.fields if each.is_flag]
    header = first_match(flags, HEADERS["churn_flag"])
    if not header:
        header = first_match([each.header for each in file.fields if churned_values(each)], HEADERS["churn_status"])
    return file.by_header[header] if header else None


def churned_values(each: ColumnSample) -> tuple[str, ...]:
    """The values that mean: left."""
    if each.is_flag:
        return tuple(true_values(each))
    if each.distinct > 12:
        return ()
    return tuple(value for value in sorted(each.examined) if squash(value) in ranks(HEADERS["churned_values"]))


def _records(
    files: Sequence[FileSample], tables: Mapping[str, Match], joined_files: Sequence[JoinedFile]
) -> tuple[DraftRecord, ...]:
    """Flags on customers, and files of departures.

    A flag is left out where the file has an end date, and where the same flag is in a second file.
    """
    accounts = tables.get("accounts")
    joined = {each.file.name for each in joined_files}
    feeds = {found.file.name: name for name, found in reversed(list(tables.items()))}
    subscriptions = tables.get("subscriptions")
    found = []
    for file in files:
        account = first_match(
            [each.header for each in file.fields if not each.is_flag], VOCABULARY.columns["accounts"]["account_id"]
        )
        table = feeds.get(file.name, "")
        if not account or file.sheet or table not in ("", "accounts", "subscriptions", "surveys"):
            continue
        flag = churn_flag(file)
        if flag and accounts and file.name in joined and flag.header in accounts.file.by_header:
            continue
        made = subscriptions.picks.get("end_date") if subscriptions and subscriptions.file.name == file.name else None
        if flag and not (made and "columns" in made.lines):
            name = "account flags" if table == "accounts" else title(file, files)
            yes = churned_values(flag)
            found.append(DraftRecord(name, file, account, flag.header, yes, why=f"'{flag.header}' says who left"))
        elif not flag and table in ("", "surveys") and set(words(file.stem)) & set(ranks(HEADERS["churn_files"])):
            dates = [each.header for each in file.fields if each.is_date]
            date = first_match(dates, HEADERS["churn_date"]) or (dates[0] if len(dates) == 1 else "")
            found.append(DraftRecord(title(file, files), file, account, date=date, why="each row is somebody who left"))
    return tuple(found)


def title(file: FileSample, files: Sequence[FileSample]) -> str:
    """A file's name in words, without what all the names begin with."""
    parts = words(file.stem)
    shared = common_words(files)
    return " ".join(parts[len(shared) :] or parts)


def common_words(files: Sequence[FileSample]) -> tuple[str, ...]:
    """The words that all file names begin with, where there are several files."""
    named = [words(file.stem) for file in files]
    shared: list[str] = []
    for column in zip(*named, strict=False):
        if len(named) < 2 or len(set(column)) > 1:
            break
        shared.append(column[0])
    return tuple(shared)


# --- money -------------------------------------------------------------------------------------------------------


def _field(tables: Mapping[str, Match], table: str, column: str) -> ColumnSample | None:
    pick = tables[table].picks.get(column) if table in tables else None
    return tables[table].file.by_header[pick.headers[0]] if pick and pick.headers else None


def currency_of(
    files: Sequence[FileSample], column: ColumnSample | None, country: ColumnSample | None
) -> tuple[str, str]:
    """The one currency that a column of currencies, headers, signs in the values or the one country name; else ""."""
    if column and column.examined:
        if column.distinct == 1 and re.fullmatch("[A-Za-z]{3}", column.examined[0]):
            return column.examined[0].upper(), f"sure: the only one in '{column.header}'"
        return "", "each subscription names its own; a report needs one"
    named: Counter[str] = Counter()
    places: dict[str, str] = {}
    for file in files:
        for each in file.fields:
            codes = (
                {word.upper() for word in words(each.header) if word in VOCABULARY.currency_codes}
                if each.is_number
                else set()
            )
            for code in codes | each.signs:
                named[code] += 1
                places.setdefault(code, f"sure: '{each.header}' of {file.name} is in {code}")
    if len(named) == 1:
        code = next(iter(named))
        return code, places[code]
    if country and country.examined and not named:
        codes = {CURRENCY_OF_COUNTRY.get(squash(value), "") for value in country.examined}
        if len(codes) == 1 and "" not in codes:
            return codes.pop(), f"likely: what is paid in {' and '.join(country.examined[:2])}, where the accounts are"
    return "", f"several are named: {', '.join(sorted(named))}" if named else "no header and no value names one"


def personal(each: ColumnSample) -> bool:
    """Whether a column is about a person rather than a company."""
    return matches(each.header, HEADERS["personal"]) or each.is_email
