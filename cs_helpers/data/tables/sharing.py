"""Tables for readers who must not learn who the accounts and people are.

Each column has a treatment (``tables.treatments``). Here they become the views under which frames and roll-ups find the
tables, so that neither ever holds a name: pseudonyms by a key, and values that enough accounts share.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cs_helpers.core.audience import KEY_VARIABLE, MIN_KEY_LENGTH
from cs_helpers.core.errors import ParameterError
from cs_helpers.core.identities import Identities
from cs_helpers.data.engines.duckdb import DuckDB, literal, quote
from cs_helpers.data.tables import treatments
from cs_helpers.data.tables.load_state import Finding, LoadedTable, counted

MIN_SHARED = 5
"""A value carried by fewer accounts than this is not shown by itself, and no choice of fewer is."""
POOLED = f"Other (fewer than {MIN_SHARED} each)"
MAX_KEYS = 100_000  # the report runner gets at most this many keys of users, tickets or subscriptions; with more, none

ALPHABET = "34679CDFGHJKMNPQRTVWXY"  # no letter that looks like a figure, and no vowel to make words of
_LETTERS = {"Account": 8, "Rep": 6}  # 22**8: two equal codes among 50,000 accounts in 1 of 40 companies
_MIN_LETTERS, _MAX_LETTERS = 10, 13


@dataclass(frozen=True, eq=False)
class Sharing:
    """How the tables of one load are shown: SQL per table and column, and what was decided."""

    engine: DuckDB
    comments: bool
    session_only: bool
    columns: Mapping[str, Mapping[str, str]]  # table -> stored column -> SQL over t and the joined tables
    joins: Mapping[str, str]  # table -> SQL after FROM
    decided: Mapping[str, tuple[str, ...]]  # what was done -> table.column
    where: Mapping[str, str]
    names: Identities

    def select(self, table: str, columns: Collection[str]) -> str:
        """The text of a view over the typed table: what may be seen of each column, under its own name."""
        of = self.columns[table]
        shown = ", ".join(f"{of.get(name, f't.{quote(name)}')} AS {quote(name)}" for name in columns)
        return f"SELECT {shown} FROM {quote(f'typed_{table}')} t{self.joins[table]}"

    def private_names(self) -> dict[str, list[str]]:
        """Everything that must not be in what is published, by kind; read by the report runner."""
        found = {"filter": [value for value in self.where.values() if value]}
        found |= _names(self.engine, self.columns, treatments.KINDS)
        for kind in ("User", "Ticket", "Subscription"):
            if len(found[kind]) > MAX_KEYS:
                found[kind] = []
        found["Account"] += self.engine.column("SELECT DISTINCT account_id FROM aside WHERE account_id <> ''")
        found["Rep"] += [turned for name in found["Rep"] if (turned := _turned(name))]
        return {kind: list(dict.fromkeys(names)) for kind, names in found.items() if names}

    def shareable(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as they may be shown: texts that name a person or account are withheld, paths are shortened."""
        hidden = Identities({"filter": [value for value in self.where.values() if value]})

        def shown(name: str, value: Any) -> Any:
            if not isinstance(value, str):
                return value
            if self.names.named_in(value) or hidden.named_in(value):
                return treatments.WITHHELD
            return place_name(value) if name in ("source", "mapping") else value

        return {name: shown(name, value) for name, value in parameters.items()}

    def place(self, source: str) -> str:
        """A source as it may be shown: the last part of its path, without a name in it."""
        shown = place_name(source)
        return treatments.WITHHELD if self.names.named_in(shown) else shown

    def finding(self) -> Finding:
        """The note at the top of a shared report: what is pseudonymised, pooled and withheld."""
        done = "".join(f" {words}: {', '.join(columns)}." for words, columns in self.decided.items() if columns)
        once = " No key was set, so the pseudonyms hold for this session only." if self.session_only else ""
        comments = "shown where they name nobody" if self.comments else "withheld"
        message = (
            f"Made for sharing: accounts and people stand under pseudonyms, comments are {comments}, and what fewer "
            f"than {MIN_SHARED} accounts share is pooled.{once}{done}"
        )
        return Finding("", "shared", "note", 0, message)


def place_name(text: str) -> str:
    """The last part of a path; an address of a database names its host and is ``a database``."""
    return "a database" if "://" in text else Path(text).name or text


def prepare(engine: DuckDB, tables: Mapping[str, LoadedTable], where: Mapping[str, str], audience: str) -> Sharing:
    """Prepares the views of the loaded tables for readers who must not identify accounts or people.

    Makes the tables ``pseudonyms`` and ``shared_values`` in the engine. ``chosen`` holds the accounts where ``where``
    is given. Raises ParameterError where fewer than ``MIN_SHARED`` accounts are left, and for a key that is too short.
    """
    _refuse_few(engine, tables, bool(where))
    key, session_only = _key()
    handled = {
        name: treatments.COLUMNS[name]
        | {each: treatments.treatment_of_header(each, header) for each, header in loaded.attributes.items()}
        for name, loaded in tables.items()
    }
    _make_pseudonyms(engine, handled, key)
    found = _names(engine, tables, ("Account", "Rep", "Candidate", "Person"))  # what a category must not name
    teams = engine.column("SELECT DISTINCT team FROM typed_reps WHERE team IS NOT NULL") if "reps" in tables else []
    found["Person"] = [name for name in found["Person"] if name not in {*treatments.NOBODY, *teams}]
    names = Identities(found)
    engine.execute(
        "CREATE OR REPLACE TABLE shared_values (table_name VARCHAR, column_name VARCHAR, real VARCHAR, shown VARCHAR)"
    )
    decided: dict[str, list[str]] = {words: [] for words in ("Withheld", "Partly pooled", "Kept with their values")}
    columns: dict[str, dict[str, str]] = {}
    joins: dict[str, str] = {}
    comments = audience == "shared+comments"
    for name, loaded in tables.items():
        maker = _View(engine, loaded, bool(where), comments, names, decided)
        columns[name] = {column: maker.shown(column, how) for column, how in handled[name].items()}
        if name == "accounts" and loaded.has("employees"):
            columns[name]["employees"] = _rounded("t.employees")
        joins[name] = " ".join(["", *maker.joins])
    # Goals are also owned by departments and teams, which are no persons.
    engine.execute(
        "UPDATE pseudonyms SET shown = real WHERE kind = 'Person' AND (list_contains($nobody::VARCHAR[], real) OR real "
        "IN (SELECT real FROM shared_values WHERE table_name = 'reps' AND column_name = 'team' AND shown = real))",
        {"nobody": list(treatments.NOBODY)},
    )
    kept = engine.rows("SELECT column_name, real FROM shared_values WHERE table_name = 'accounts' AND shown = real")
    hidden = dict(where.items() - kept)
    done = {words: tuple(made) for words, made in decided.items()}
    return Sharing(engine, comments, session_only, columns, joins, done, hidden, names)


def _refuse_few(engine: DuckDB, tables: Mapping[str, LoadedTable], chosen: bool) -> None:
    among = " WHERE account_id IN (SELECT account_id FROM chosen)" if chosen else ""
    for table in ("accounts", "subscriptions"):
        query = f"SELECT count(DISTINCT account_id) FROM typed_{table}{among}"
        if table in tables and engine.value(query) < MIN_SHARED:
            raise ParameterError(
                f"{'where leaves' if chosen else 'the source holds'} fewer than {MIN_SHARED} accounts, and what is "
                "said of so few tells who they are.\n  Choose more accounts, or use `audience` full."
            )


def _key() -> tuple[bytes, bool]:
    """The key of the pseudonyms, and whether it ends with this session."""
    secret = os.environ.get(KEY_VARIABLE, "").strip()
    if not secret:
        return secrets.token_bytes(32), True
    if len(secret) < MIN_KEY_LENGTH:
        raise ParameterError(
            f"{KEY_VARIABLE} has fewer than {MIN_KEY_LENGTH} characters: pseudonyms made with it could be guessed.\n"
            "  Make one: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return secret.encode(), False


# --- pseudonyms -------------------------------------------------------------------------------------------------


def _make_pseudonyms(engine: DuckDB, handled: Mapping[str, Mapping[str, str]], key: bytes) -> None:
    """``pseudonyms``: kind, real value, what is shown for it. HMAC-SHA256 of kind and value, in the engine because
    users are counted in millions."""
    engine.execute("CREATE OR REPLACE TABLE pseudonyms (kind VARCHAR, real VARCHAR, shown VARCHAR)")
    block = key if len(key) <= 64 else hashlib.sha256(key).digest()
    inner, outer = (bytes(b ^ pad for b in block.ljust(64, b"\0")) for pad in (0x36, 0x5C))
    for kind in treatments.KINDS:
        places = [
            f"SELECT CAST({quote(column)} AS VARCHAR) AS real FROM typed_{table}"
            for table, columns in handled.items()
            for column, how in columns.items()
            if how == kind
        ]
        if not places:
            continue
        length = _LETTERS.get(kind, _MIN_LETTERS)
        letters = " || ".join(
            f"substr('{ALPHABET}', CAST((n // {len(ALPHABET) ** place}) % {len(ALPHABET)} AS INTEGER) + 1, 1)"
            for place in range(_MAX_LETTERS)
        )
        engine.execute(
            f"INSERT INTO pseudonyms WITH ids AS (SELECT DISTINCT real FROM ({' UNION ALL '.join(places)}) "
            f"WHERE real IS NOT NULL), hashed AS (SELECT real, sha256($outer || unhex(sha256($inner || "
            f"encode({literal(kind + ':')} || real)))) AS digest FROM ids), "
            "numbered AS (SELECT real, CAST('0x' || left(digest, 15) AS UBIGINT) AS n FROM hashed), "
            f"spelled AS (SELECT real, {letters} AS code FROM numbered) "
            # Two codes with the same beginning are written in full; the others keep the short form.
            f"SELECT {literal(kind)}, real, {literal(kind + ' ')} || CASE WHEN count(*) OVER (PARTITION BY "
            f"left(code, {length})) = 1 THEN left(code, {length}) ELSE code END FROM spelled",
            {"inner": inner, "outer": outer},
        )
    if "reps" in handled:  # an owner who is a rep is the same person
        engine.execute(
            "UPDATE pseudonyms SET shown = r.shown FROM (SELECT real, any_value(shown) AS shown FROM (SELECT real, "
            "shown FROM pseudonyms WHERE kind = 'Rep' UNION ALL SELECT t.name, p.shown FROM typed_reps t JOIN "
            "pseudonyms p ON p.kind = 'Rep' AND p.real = t.rep_id) WHERE real IS NOT NULL GROUP BY real HAVING "
            "count(DISTINCT shown) = 1) r WHERE pseudonyms.kind = 'Person' AND pseudonyms.real = r.real"
        )


def _names(engine: DuckDB, tables: Collection[str], kinds: Collection[str]) -> dict[str, list[str]]:
    """By kind, the keys that have a pseudonym, and the names of accounts and reps."""
    query = "SELECT real FROM pseudonyms WHERE kind = ? AND shown <> real ORDER BY real"
    found = {kind: engine.column(query, [kind]) for kind in kinds}
    for table, kind in (("accounts", "Account"), ("reps", "Rep")):
        if table in tables:
            found[kind] += engine.column(f"SELECT DISTINCT name FROM typed_{table} WHERE name IS NOT NULL")
    return found


def _turned(name: str) -> str:
    """``Eriksen, Liam`` for ``Liam Eriksen``; nothing for what is no first and last name."""
    first, _, last = name.partition(" ")
    return f"{last}, {first}" if last and last.isalpha() and first.isalpha() else ""


# --- views --------------------------------------------------------------------------------------------------------


class _View:
    """The expressions and joins of the view of one table."""

    def __init__(
        self, engine: DuckDB, loaded: LoadedTable, chosen: bool, comments: bool, names: Identities,
        decided: dict[str, list[str]],
    ):  # fmt: skip
        self.engine, self.loaded, self.comments, self.names, self.decided = engine, loaded, comments, names, decided
        self.joins: list[str] = []
        self.unit = next((name for name in ("account_id", "rep_id") if self._is_read(name)), "line")
        self.among = "account_id IN (SELECT account_id FROM chosen)" if chosen and self.unit == "account_id" else "TRUE"

    def shown(self, column: str, how: str) -> str:
        """SQL for a text column as a shared audience may see it."""
        if how == treatments.FIXED:
            whole = f"t.{quote(column)}"
            if column == "currency" and self._is_read(column):
                return f"CASE WHEN regexp_full_match(trim({whole}), '[A-Za-z]{{3}}') THEN {whole} END"
            return whole
        if column not in self.loaded.attributes and not self._is_read(column):
            return "NULL::VARCHAR"
        if how.startswith(treatments.SAME_AS):
            of = how.removeprefix(treatments.SAME_AS)
            return self._pseudonym(of, treatments.COLUMNS[self.loaded.name][of])
        if how in treatments.KINDS:
            return self._pseudonym(column, how)
        if how == treatments.FREE and self.comments:
            return self._looked_up(column, {text: text for text in self._values(column) if not self._is_private(text)})
        if how == treatments.WORDS:
            shown = {text: treatments.WITHHELD if self._is_private(text) else text for text in self._values(column)}
            return self._looked_up(column, shown)
        return self._category(column) if how == treatments.CATEGORY else self._withheld(column)

    def _is_read(self, column: str) -> bool:
        table = self.loaded.table
        made = column in table.stand_in or (column in table.names and bool(table.column(column).default))
        return self.loaded.has(column) or made

    def _pseudonym(self, column: str, kind: str) -> str:
        alias = f"p_{column}"
        join = (
            f"LEFT JOIN pseudonyms {quote(alias)} ON {quote(alias)}.kind = {literal(kind)} AND "
            f"{quote(alias)}.real = t.{quote(column)}"
        )
        if join not in self.joins:
            self.joins.append(join)
        return f"{quote(alias)}.shown"

    def _withheld(self, column: str) -> str:
        self.decided["Withheld"].append(f"{self.loaded.name}.{column}")
        return "NULL::VARCHAR"

    def _category(self, column: str) -> str:
        """Values of enough accounts; the rest in one pool that is large enough itself, or nothing at all."""
        counts: dict[str, int] = dict(
            self.engine.rows(
                f"SELECT {quote(column)} AS v, count(DISTINCT {quote(self.unit)}) FROM {quote(self.loaded.typed)} "
                f"WHERE v IS NOT NULL AND {self.among} GROUP BY v"
            )
        )
        alone = sum(n == 1 for n in counts.values())
        if not counts or 2 * alone > self._carriers(column, ()):
            return self._withheld(column)
        hidden = {value for value in counts if self._is_private(value)}
        kept = kept_values(counts, lambda kept: self._carriers(column, kept), hidden)
        if not kept:
            return self._withheld(column)
        words = "Kept with their values" if len(kept) == len(counts) else "Partly pooled"
        self.decided[words].append(f"{self.loaded.name}.{column}")
        return self._looked_up(column, {v: v if v in kept else POOLED for v in counts})

    def _values(self, column: str) -> list[str]:
        query = f"SELECT DISTINCT {quote(column)} AS v FROM {quote(self.loaded.typed)} WHERE v IS NOT NULL"
        return self.engine.column(query)

    def _carriers(self, column: str, kept: Collection[str]) -> int:
        """How many accounts carry a value that is not one of ``kept``."""
        query = (
            f"SELECT count(DISTINCT {quote(self.unit)}) FROM {quote(self.loaded.typed)} WHERE {quote(column)} IS NOT "
            f"NULL AND {self.among} AND NOT list_contains($kept::VARCHAR[], {quote(column)})"
        )
        return int(self.engine.value(query, {"kept": list(kept)}))

    def _is_private(self, value: str) -> bool:
        """Whether a value names a person or account, or is an address or number to reach one."""
        return treatments.looks_like_contact(value) or bool(self.names.named_in(value))

    def _looked_up(self, column: str, shown: Mapping[str, str]) -> str:
        """SQL that shows only the given values; a value that was not checked is missing."""
        if not shown:
            return "NULL::VARCHAR"
        table, alias = self.loaded.name, f"v_{column}"
        frame = pd.DataFrame({"real": list(shown), "shown": list(shown.values())}, dtype="str")
        self.engine.register("judged", frame)
        self.engine.execute(
            f"INSERT INTO shared_values SELECT {literal(table)}, {literal(column)}, real, shown FROM judged"
        )
        self.engine.drop("judged")
        self.joins.append(
            f"LEFT JOIN shared_values {quote(alias)} ON {quote(alias)}.table_name = {literal(table)} AND "
            f"{quote(alias)}.column_name = {literal(column)} AND {quote(alias)}.real = t.{quote(column)}"
        )
        return f"{quote(alias)}.shown"


def kept_values(
    counts: Mapping[str, int], outside: Callable[[Collection[str]], int], hidden: Collection[str] = ()
) -> set[str]:
    """The values that are shown; all others go into one pool.

    ``counts``: value -> how many accounts carry it; ``outside`` counts those that carry a value which is not kept.
    ``hidden`` values are never kept. A pool of fewer than ``MIN_SHARED`` accounts takes in the smallest kept value;
    otherwise a reader could compute it from the total.
    """
    kept = {value for value, n in counts.items() if n >= MIN_SHARED and value not in hidden}
    while kept and len(kept) < len(counts) and outside(kept) < MIN_SHARED:
        kept.discard(min(kept, key=lambda value: (counts[value], value)))
    return kept


def _rounded(number: str) -> str:
    """SQL for a number with one figure that counts: 544 people are 500, because the exact number names a company."""
    power = f"CAST(power(10, floor(log10({number}))) AS BIGINT)"
    return f"CASE WHEN {number} < 10 THEN {number} ELSE CAST(round({number} / {power}) AS BIGINT) * {power} END"


# --- findings -----------------------------------------------------------------------------------------------------

# Checks whose messages hold numbers, months and the names of tables and columns, and nothing else of the data.
_HARMLESS = {
    "as_of_moved", "churn_piles_up", "concurrent_subscriptions", "currency_undeclared", "data_through_inferred",
    "due_dates_moved", "ends_look_inclusive", "first_response_after_resolution", "month_without_rows",
    "observed_from_inferred", "stale_table", "ticket_before_signup",
}  # fmt: skip


def shared_findings(findings: Collection[Finding], tables: Mapping[str, str]) -> list[Finding]:
    """The findings without a value of the data or the name of a file; ``tables``: contract name -> file."""
    return [
        replace(each, table=each.table if each.table in tables else "", message=_shared_message(each, tables), fix="")
        for each in findings
    ]


def _shared_message(finding: Finding, tables: Mapping[str, str]) -> str:
    if finding.severity == "set aside" or finding.check in _HARMLESS:
        return finding.message.replace(tables.get(finding.table, finding.table), finding.table)
    of = f" of {counted(finding.rows, 'row')}" if finding.rows else ""
    return f"{finding.check.replace('_', ' ').capitalize()}{of}; details are withheld."


def pool_frame(frame: pd.DataFrame, keep: Collection[str] = ()) -> pd.DataFrame:
    """A frame with an account per row whose texts of fewer than ``MIN_SHARED`` of these accounts are pooled.

    Needed where rows are chosen after loading: a reason of fifty accounts may be that of two in a quarter. Missing
    values and those of ``keep`` stay.
    """
    pooled = frame.copy()
    for column in frame.columns:
        if column != "account_id" and pd.api.types.is_string_dtype(frame[column].dropna()):
            pooled[column] = _pool_column(frame["account_id"], frame[column], keep)
    return pooled


def _pool_column(accounts: pd.Series, column: pd.Series, keep: Collection[str]) -> pd.Series:
    texts = column[column.notna() & ~column.isin(list(keep))].astype("str")
    counts = {str(value): int(n) for value, n in accounts[texts.index].groupby(texts).nunique().items()}
    already = {value for value in counts if value.casefold() == POOLED.casefold()}  # from loading

    def outside(kept: Collection[str]) -> int:
        return int(accounts[texts.index][~texts.isin(list(kept))].nunique())

    kept = kept_values(counts, outside, already)
    stays = ~column.index.isin(texts.index) | column.isin(list(kept))
    return column.where(stays, min(already, default=POOLED))
