"""Exports that a ready mapping describes already: recognised by their headers, only what differs is drafted."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cs_helpers.core.errors import MappingError
from cs_helpers.data.contract.columns import Table
from cs_helpers.data.contract.formats import COUNTED
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.draft.composing import Certainty, Composed, observed, sentence, timezone
from cs_helpers.data.mapping.draft.dates import DateColumn, parse, study
from cs_helpers.data.mapping.draft.layout import Line
from cs_helpers.data.mapping.draft.matching import ASK
from cs_helpers.data.mapping.draft.planning import currency_of
from cs_helpers.data.mapping.draft.samples import ColumnSample, FileSample, FolderSample
from cs_helpers.data.mapping.draft.vocabulary import same_but_for_brackets
from cs_helpers.data.mapping.model import Also, ExportMapping, TableMapping
from cs_helpers.data.mapping.reading import read_mapping
from cs_helpers.data.mapping.using import ready_mappings

MIN_HEADERS, MIN_SHARE_OF_HEADERS = 4, 0.7


_ABOUT_COLUMNS = ("values", "only_where", "durations", "scale", "date_formats")


@dataclass(frozen=True)
class Ready:
    """The ready mappings that a folder fits: which of its files is which table's, by which mapping's entry."""

    names: tuple[str, ...]
    settings: tuple[ExportMapping, ...]
    files: Mapping[str, FileSample]  # table -> file
    entries: Mapping[str, TableMapping]  # table -> the ready mapping's entry
    origins: Mapping[str, str]  # table -> the ready mapping
    joined: Mapping[str, tuple[FileSample, ...]]  # table -> files joined to its own

    @property
    def named(self) -> int:
        """How many headers the entries name, those of joined files included."""
        joined = sum(len(each.headers or ()) for entry in self.entries.values() for each in entry.also)
        return joined + sum(len(headers_named(entry)) for entry in self.entries.values())

    @property
    def found(self) -> int:
        """How many of them are there."""
        return self.named - sum(len(self.lacking(table)) for table in self.files)

    @property
    def usual_files(self) -> int:
        """How many files are called as the ready mappings call them."""
        return sum(file.file == self.entries[table].file for table, file in self.files.items())

    @property
    def absent(self) -> tuple[str, ...]:
        """Tables that a ready mapping describes and no file of the folder feeds."""
        described = dict.fromkeys(table for each in self.settings for table in each.tables)
        return tuple(table for table in described if table not in self.files)

    def contested(self, table: str) -> bool:
        """Whether several of the ready mappings describe the table."""
        return sum(table in each.tables for each in self.settings) > 1

    def lacking(self, table: str) -> tuple[str, ...]:
        """Headers that the entry names and the file does not have."""
        return tuple(name for name in headers_named(self.entries[table]) if not here(self.files[table], name))

    def header(self, table: str, column: str) -> ColumnSample | None:
        """The file's column that a column of the contract is read from."""
        if table not in self.files:
            return None
        entry = self.entries[table]
        named = next(iter(entry.joined.get(column, ())), None) or entry.columns.get(column)
        return self.files[table].by_header.get(here(self.files[table], named or ""))


def known_exports() -> dict[str, ExportMapping]:
    """The ready mappings, by name; one that cannot be read is left out."""
    found = {}
    for name, path in ready_mappings().items():
        try:
            found[name] = read_mapping(path)
        except MappingError:
            continue
    return found


def here(file: FileSample, header: str) -> str:
    """The name of a header in a file: as it is, or with another remark in brackets such as a time zone; else ""."""
    if header in file.by_header:
        return header
    same = [each for each in file.headers if same_but_for_brackets(each, header)]
    return same[0] if len(same) == 1 and "(" in header else ""


def headers_named(entry: TableMapping) -> tuple[str, ...]:
    """The headers that a table's entry needs in the table's own file, in order."""
    joined = {header for each in entry.also for header in each.headers or ()}
    named = [header for header, _ in _named(entry)] + [header for each in entry.also for header in each.on]
    return tuple(header for header in dict.fromkeys(named) if header not in joined)


def _named(entry: TableMapping) -> Iterator[tuple[str, str]]:
    """Headers, each with the column of the contract that it is for; "" where it is about whole rows."""
    yield from ((header, column) for column, header in entry.columns.items() if header is not None)
    for column, headers in entry.joined.items():
        yield from ((header, column) for header in headers)
    for column, offset in entry.offsets.items():
        yield from ((header, column) for header in (offset.add, offset.subtract) if header)
    for column, scale in entry.scale.items():
        yield from ((header, column) for header in (*scale.times, *scale.by, *scale.per))
    for column, where in entry.only_where.items():
        yield from ((header, column) for header in where)
    yield from ((header, "") for header in (*entry.drop_where, *entry.keep_where))


def _enough(file: FileSample, entry: TableMapping, table: Table) -> float:
    """The share of the headers that a file has; 0 where one that a required column needs is missing, or too many."""
    wanted = headers_named(entry)
    needed = [header for header, column in _named(entry) if column and table.column(column).required]
    if not wanted or any(header in wanted and not here(file, header) for header in needed):
        return 0.0
    share = sum(bool(here(file, header)) for header in wanted) / len(wanted)
    return share if share >= MIN_SHARE_OF_HEADERS else 0.0


def recognise(folder: FolderSample, known: Mapping[str, ExportMapping]) -> Ready | None:
    """The ready mappings whose headers the folder has: the best one, and others for the tables that it leaves open.

    A help desk's and a billing system's exports may lie in one folder.
    """
    chosen: list[Ready] = []
    while True:
        taken = {table for each in chosen for table in each.files}
        left = [file for file in folder.files if not any(file in each.files.values() for each in chosen)]
        fits = [_fit(left, name, mapping, taken) for name, mapping in sorted(known.items())]
        good = [each for each in fits if each.files and each.named >= MIN_HEADERS]
        if not good:
            break
        chosen.append(max(good, key=lambda each: (each.found, each.found / each.named, each.usual_files)))
    if not chosen:
        return None
    return Ready(
        tuple(name for each in chosen for name in each.names),
        tuple(mapping for each in chosen for mapping in each.settings),
        {table: file for each in chosen for table, file in each.files.items()},
        {table: entry for each in chosen for table, entry in each.entries.items()},
        {table: name for each in chosen for table, name in each.origins.items()},
        {table: files for each in chosen for table, files in each.joined.items()},
    )


def _fit(files: Sequence[FileSample], name: str, mapping: ExportMapping, taken: Container[str]) -> Ready:
    chosen: dict[str, FileSample] = {}
    entries: dict[str, TableMapping] = {}
    partners: dict[str, tuple[FileSample, ...]] = {}
    for table in mapping.tables:
        entry = mapping.table(table)
        usual = entry.file or f"{table}.csv"
        ranked = sorted((-_enough(file, entry, TABLES[table]), file.file != usual, file.name) for file in files)
        if table in taken or not ranked or not ranked[0][0]:
            continue
        joined = [_partner(files, each) for each in entry.also]
        if all(joined):
            chosen[table], entries[table] = next(file for file in files if file.name == ranked[0][2]), entry
            partners[table] = tuple(file for file in joined if file)
    return Ready((name,), (mapping,), chosen, entries, dict.fromkeys(chosen, name), partners)


def _partner(files: Sequence[FileSample], also: Also) -> FileSample | None:
    """The file that is joined to a table's own: all the headers are there."""
    wanted = {*also.on.values(), *(also.headers or {}).values()}
    fits = [file for file in files if wanted <= set(file.headers)]
    return min(fits, key=lambda file: (file.file != also.file, file.name), default=None)


# --- into lines --------------------------------------------------------------------------------------------------


def compose_ready(ready: Ready, folder: FolderSample, company: str) -> Composed:
    """``use: NAME`` and only what differs here: other file names, other dates, headers and tables that are missing."""
    certainty: list[Certainty] = []
    questions: list[str] = []
    tables: list[Line] = []
    formats = {table: _dates(ready, table, questions) for table in ready.files}
    wide = _wide(ready, formats)
    for table, file in ready.files.items():
        certainty += _columns(ready, table)
        lines = [Line("use", ready.origins[table], comment="likely: by its headers")] if ready.contested(table) else []
        if file.file != (ready.entries[table].file or f"{table}.csv"):
            lines.append(Line("file", file.file, comment="sure: by its headers"))
        if file.sheet and file.sheet != ready.entries[table].sheet:
            lines.append(Line("sheet", file.sheet, comment="sure: by its headers"))
        if any(
            file.file != each.file for file, each in zip(ready.joined[table], ready.entries[table].also, strict=True)
        ):
            lines.append(_also(ready, table))
        lines += _together([*_renamed(ready, table), *_left_out(ready, table, questions)])
        if formats[table] and not wide:
            lines.append(Line("date_formats", formats[table]))
        if lines:
            tables.append(Line(table, lines))
    tables += [Line(table, None, comment="sure: there is no file for it") for table in ready.absent]
    lines = [*_settings(ready, folder, company), *([wide] if wide else [])]
    if tables:
        lines.append(Line("tables", tables))
    return Composed(tuple(lines), _head(ready, folder, questions), tuple(certainty), tuple(questions))


def _settings(ready: Ready, folder: FolderSample, company: str) -> list[Line]:
    """File-wide settings that the ready mappings do not have."""
    used = ready.names[0] if len(ready.names) == 1 else list(ready.names)
    lines = [Line("version", 1), Line("use", used, comment=f"sure: {ready.found} of {ready.named} headers are there")]
    if company and not any(each.company for each in ready.settings):
        lines.append(Line("company", company, comment="printed on the reports"))
    if not any(each.currency for each in ready.settings):
        column, country = ready.header("subscriptions", "currency"), ready.header("accounts", "country")
        code, why = currency_of(folder.files, column, country)
        if code or {"subscriptions", "renewals", "costs"} & set(ready.files):
            lines.append(Line("currency", code or "EUR", comment=why, commented_out=not code))
    read = [each.header for table in ready.files for _, each in _date_fields(ready, table)]
    zone = timezone(read)
    declared = {entry.timezone for entry in ready.entries.values()}
    if declared != {zone.value}:
        lines.append(zone)
    elif any(
        each.tables[table].timezone is None for each in ready.settings for table in ready.files if table in each.tables
    ):
        comment = "the files do not name the zone of their times; without this line it is UTC"
        lines.append(Line("timezone", "Europe/Berlin", comment=comment, commented_out=True))
    if not any(each.data_through for each in ready.settings):
        dates = [
            DateColumn(table, column, ready.files[table], each.header, days, days.settled or ASK, "likely", "")
            for table in ready.files
            for column, each in _date_fields(ready, table)
            for days in (study(each.days),)
        ]
        lines += observed(dates)
    if not {"accounts", "subscriptions"} <= set(ready.files) and not all(each.partial for each in ready.settings):
        lines.append(Line("partial", True, comment="not everything is here"))
    return lines


def _head(ready: Ready, folder: FolderSample, questions: Sequence[str]) -> tuple[str, ...]:
    named = " and ".join(f"data/mappings/{name}.yml" for name in ready.names)
    head = [f"Drafted from the headers of {folder.name}: {named} describes this export; only what differs stands here."]
    used = {file.name for file in ready.files.values()} | {file.name for each in ready.joined.values() for file in each}
    idle = [file.name for file in folder.files if file.name not in used]
    if idle:
        head += ["", f"Files that feed no table: {', '.join(idle)}."]
    if questions:
        head += ["", "To decide before it can be used:", *(f"- {question}" for question in questions)]
    if folder.unreadable:
        head += ["", "Not read:", *(f"- {sentence(name, why)}" for name, why in folder.unreadable.items())]
    return tuple(head)


def _also(ready: Ready, table: str) -> Line:
    """The joined files under the names they have here."""
    entries = []
    for file, each in zip(ready.joined[table], ready.entries[table].also, strict=True):
        lines = [Line("file", file.file), Line("on", [Line(mine, theirs) for mine, theirs in each.on.items()])]
        if each.headers is not None:
            lines.append(Line("headers", [Line(new, header) for new, header in each.headers.items()]))
        entries.append(lines)
    return Line("also", entries)


def _together(lines: Sequence[Line]) -> list[Line]:
    """Entries of the same key under one key."""
    keys = dict.fromkeys(line.key for line in lines)
    return [Line(key, [inner for line in lines if line.key == key for inner in line.value]) for key in keys]


def _renamed(ready: Ready, table: str) -> Iterator[Line]:
    """Headers that this export writes with another remark in brackets."""
    file, entry = ready.files[table], ready.entries[table]
    for column, header in entry.columns.items():
        if header is not None and (name := here(file, header)) not in ("", header):
            yield Line("columns", [Line(column, name, comment=f"likely: the ready mapping has '{header}'")])
    for column, offset in entry.offsets.items():
        for part, header in (("add", offset.add), ("subtract", offset.subtract)):
            if header and (name := here(file, header)) not in ("", header):
                yield Line("offsets", [Line(column, [Line(part, name)])])


def _left_out(ready: Ready, table: str, questions: list[str]) -> list[Line]:
    """Headers of the ready mapping that are not here: optional columns are taken out, anything else is asked."""
    lacking, entry = ready.lacking(table), ready.entries[table]
    columns: dict[str, str] = {}
    for header, column in _named(entry):
        if header not in lacking:
            continue
        if column and not TABLES[table].column(column).required:
            columns.setdefault(column, header)
        elif header not in entry.drop_where or column:
            questions.append(
                f"{ready.files[table].name} has no header '{header}', which {table} needs: find the one that holds it "
                f"and write it at `tables: {table}`, as data/mappings/{ready.origins[table]}.yml does."
            )
    lines = []
    if columns:  # null under `columns` removes the column from `joined` and `offsets` too
        why = "sure: there is no '{}' here"
        out = [Line(column, None, comment=why.format(header)) for column, header in columns.items()]
        lines.append(Line("columns", out))
    for key in _ABOUT_COLUMNS:
        about = [Line(column, None) for column in columns if column in getattr(entry, key)]
        lines += [Line(key, about)] if about else []
    rows = [header for header in entry.drop_where if header in lacking]
    if rows:
        lines.append(Line("drop_where", [Line(header, None, comment="sure: it is not here") for header in rows]))
    return lines


def _columns(ready: Ready, table: str) -> Iterator[Certainty]:
    """How sure each column is: the ready mapping names it, and its header is there or not."""
    file, entry = ready.files[table], ready.entries[table]
    where = f"data/mappings/{ready.origins[table]}.yml says so"
    named = {column: (header,) for column, header in entry.columns.items() if header is not None}
    for column, headers in {**named, **entry.joined}.items():
        there = all(here(file, header) for header in headers)
        why = where if there else f"{where}, but it is not there"
        yield Certainty(file.name, table, column, " + ".join(headers), "sure" if there else "unsure", why)
    named_here = {here(file, header) for header in headers_named(entry)}
    for header in file.headers:
        if header not in named_here:
            yield Certainty(file.name, "", "", header, "sure", "not named by the ready mapping")


# --- dates -------------------------------------------------------------------------------------------------------


def _wide(ready: Ready, formats: Mapping[str, Sequence[Line]]) -> Line | None:
    """One line for the whole file, where all its dates differ from the ready mapping in the same way."""
    lines = [line for inside in formats.values() for line in inside]
    read = [name for table in ready.files for name, _ in _date_fields(ready, table)]
    entries = [entry for each in ready.settings for entry in each.tables.values()]
    own = [entry for entry in entries if entry.date_formats or entry.date_format]
    if own or not lines or len(lines) < len(read) or len({line.value for line in lines}) > 1 or lines[0].value == ASK:
        return None
    return Line("date_format", lines[0].value, comment=lines[0].comment)


def _date_fields(ready: Ready, table: str) -> Iterator[tuple[str, ColumnSample]]:
    """The date columns of a table that are read from text."""
    for column in TABLES[table].columns:
        each = ready.header(table, column.name)
        if column.kind in ("date", "time") and each and each.days and not ready.files[table].is_typed(each.header):
            yield column.name, each


def _dates(ready: Ready, table: str, questions: list[str]) -> list[Line]:
    """The formats of date columns that differ from the ready mapping."""
    entry, found = ready.entries[table], []
    for column, each in _date_fields(ready, table):
        declared = entry.date_formats.get(column) or entry.date_format or ""
        if "%" in declared or declared in COUNTED:
            continue
        day_format = re.sub(r"[T ,]*(HH?|hh).*$", "", declared)
        if sum(parse(day, day_format) is not None for day in each.days) >= 0.98 * len(each.days):
            continue
        days = study(each.days)
        here = f"only {days.settled} fits" if days.settled else "undecided"
        found.append(Line(column, days.settled or ASK, comment=f"the ready mapping has {declared}; {here} here"))
        if not days.settled:
            fits = " and ".join(days.formats) or "no one format"
            questions.append(
                f"Days of '{each.header}' such as {days.example or each.days[0]} fit {fits}: write the right one at "
                f"`{table}: date_formats: {column}`."
            )
    return found
