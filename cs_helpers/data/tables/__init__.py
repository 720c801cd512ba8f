"""Loading: a source and a mapping become checked, frozen tables as they were known at ``as_of``.

All problems of all tables are reported together. Rows that are left out are counted and listed, and unusual data are
reported as warnings. Nothing that became known after ``as_of`` is in the result. The tables stay in the embedded
database, where roll-ups make small tables of them; a table becomes a DataFrame when it is first used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import pandas as pd

from cs_helpers.core.audience import NAMES_VARIABLE
from cs_helpers.core.errors import ContractError, ParameterError, SourceError, UnknownAttribute, did_you_mean
from cs_helpers.core.periods import day_words
from cs_helpers.data import rollups
from cs_helpers.data.contract.checks import known_only_after_outcome
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import DuckDB
from cs_helpers.data.mapping import ExportMapping
from cs_helpers.data.tables import report, sharing
from cs_helpers.data.tables.choosing import known_attribute, values_of
from cs_helpers.data.tables.frames import contract_frame, set_aside_frame
from cs_helpers.data.tables.inspection import Day, Inspection, Where, inspect
from cs_helpers.data.tables.load_state import Finding, TableFacts, counted
from cs_helpers.data.tables.sharing import Sharing
from cs_helpers.data.tables.treatments import WITHHELD

__all__ = ["Finding", "Inspection", "TableFacts", "Tables", "inspect", "load", "report", "tables_of"]

T = TypeVar("T")


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library


@dataclass(frozen=True, eq=False)
class Tables:
    """A company's tables as they were known at ``as_of``, and what was found while reading them.

    Each table of the contract is an attribute, as pandas: ``accounts`` has one row per account (sorted by
    account_id; attributes as text), ``subscriptions`` one row per account and price period, half-open
    [start_date, end_date), ``mrr`` in ``currency`` per month, end_date NaT = still running at ``as_of``; and so on, see
    data/README.md. A table the source does not have is empty. ``rollup`` makes the small tables that analyses take.
    ``as_of`` is exclusive, ``data_through`` is the last day loaded. ``quality``, ``facts`` and ``set_aside`` describe
    the whole source, before ``where``. For another ``audience`` than full no table and no roll-up names an account or a
    person: see ``load``.
    """

    is_tables: ClassVar[bool] = True
    """Marks the first argument of a front door, so that code without this package's data layer can check it."""

    engine: DuckDB = field(repr=False)
    facts: tuple[TableFacts, ...]
    quality: tuple[Finding, ...]
    company: str
    currency: str
    as_of: pd.Timestamp
    observed_from: pd.Timestamp
    data_through: pd.Timestamp
    where: dict[str, str]
    source: str
    fingerprint: str
    churn_records: pd.DataFrame = field(repr=False)
    audience: str = "full"
    inspection: Inspection | None = field(default=None, repr=False)
    _sharing: Sharing | None = field(default=None, repr=False)
    _cache: dict[tuple[Hashable, ...], Any] = field(default_factory=dict, init=False, repr=False)

    def __getattr__(self, name: str) -> Any:
        if name in TABLES:
            return self.frame(name)
        if name.startswith("_"):  # copy, pickle and notebooks probe for such names
            raise AttributeError(f"Tables have no attribute {name!r}")
        raise UnknownAttribute(
            f"tables have no table or attribute '{name}'.{did_you_mean(name, dir(self))} "
            f"The tables are: {', '.join(TABLES)}."
        )

    def __dir__(self) -> list[str]:
        return sorted({*(name for name in super().__dir__() if name[0] != "_"), *TABLES})

    def frame(self, name: str) -> pd.DataFrame:
        """One table of the contract as pandas; a copy, so that nothing done to it reaches another reader."""
        frame = self.cached(("table", name), lambda: contract_frame(self.engine, TABLES[name], self._fact(name)))
        return frame.copy(deep=False)

    def _fact(self, name: str) -> TableFacts | None:
        return next((fact for fact in self.facts if fact.name == name), None)

    def has(self, *names: str) -> bool:
        """Whether the source has all these tables, with rows."""
        return all((fact := self._fact(name)) is not None and fact.rows > 0 for name in names)

    def need(self, *names: str) -> None:
        """Raises ContractError if one of these tables is absent, with what it would give."""
        absent = [
            f"{self.source}: there is no table {name}: {TABLES[name].grain}.\n"
            f"  It would give: {TABLES[name].fills}. Add its file, or name it in the mapping under `tables: "
            f"{{{name}: ...}}`."
            for name in names
            if not self.has(name)
        ]
        if absent:
            raise ContractError("\n".join(absent))

    def rollup(self, name: str, **parameters: Any) -> pd.DataFrame:
        """A roll-up of these tables: see ``cs_helpers.data.rollups.ROLLUPS``. Raises ParameterError.

        Each roll-up is computed once for the same parameters; the caller gets a copy. For a shared audience, start
        cohorts of fewer than ``sharing.MIN_SHARED`` accounts are left out.
        """
        checked = rollups.checked(name, parameters)
        key = ("rollup", name, *sorted(checked.items()))
        return self.cached(key, lambda: self._rolled(name, checked)).copy(deep=False)

    def _rolled(self, name: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        rolled = rollups.run(self.engine, name, **parameters)
        if self._sharing and name == "cohorts":
            rolled = rolled[rolled["accounts"] >= sharing.MIN_SHARED].reset_index(drop=True)
        return rolled

    def account_months(self) -> pd.DataFrame:
        """The roll-up ``account_month`` over all observed months, dense: one row per account and month.

        Every account that ever paid has a row in every month. Raises ContractError where no account ever paid or no
        month is complete.
        """
        return self.rollup("account_month", start=self.observed_from, end=self.as_of, dense=True)

    def cached(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """The value of ``make()``, computed once per key and company: for steps that several analyses share.

        Every caller gets the same object, so it must not be changed in place. A key starts with the name of the
        subject and the step, and holds every parameter: ``tables.cached(("churn.snapshots", months), make)``.
        """
        if key not in self._cache:
            self._cache[key] = make()
        return cast(T, self._cache[key])

    def pooled(self, counted: T, keep: tuple[str, ...] = ("unknown",)) -> T:
        """Rows of accounts with texts of fewer than ``sharing.MIN_SHARED`` accounts pooled, for a shared audience.

        ``counted`` is a frame with one account per row, or a result that holds one. Missing texts and those of ``keep``
        stay. Loading pools values that are rare among all accounts; this is for rows chosen later, such as the
        departures of one year.
        """
        if self._sharing is None:
            return counted
        result: Any = counted
        if isinstance(result, pd.DataFrame):
            return cast(T, sharing.pool_frame(result, keep))
        name, rows = next((name, each) for name, each in vars(result).items() if isinstance(each, pd.DataFrame))
        return cast(T, replace(result, **{name: sharing.pool_frame(rows, keep)}))

    def shareable(self, **parameters: Any) -> dict[str, Any]:
        """Parameters as this audience may see them: a shared one sees no text that names a person or account."""
        return self._sharing.shareable(parameters) if self._sharing else parameters

    @property
    def private_names(self) -> dict[str, list[str]]:
        """The names that must not be in a shared report, by kind; empty unless the report runner reads them.

        In a notebook run by hand it is empty, because outputs are saved in the notebook.
        """
        return self._sharing.private_names() if self._sharing and os.environ.get(NAMES_VARIABLE) else {}

    def attribute(self, name: str = "") -> pd.Series:
        """One attribute of the accounts, by account_id; without a name the segment.

        The segment is missing where the accounts do not have one. Raises ParameterError for any other name that is no
        attribute.
        """
        accounts = self.accounts.set_index("account_id")
        wanted = name or "segment"
        if wanted not in accounts:
            if wanted == "segment":
                return pd.Series(None, index=accounts.index, name=wanted, dtype="str")
            names = [str(column) for column in accounts.columns]
            raise ParameterError(
                f"accounts have no attribute '{wanted}'.{did_you_mean(wanted, names)} They have: {', '.join(names)}."
            )
        result: pd.Series = accounts[wanted]
        return result

    def values(self, column: str) -> list[tuple[str, int]]:
        """The values by which ``where`` can choose among the loaded accounts, each with its number of accounts.

        ``column`` is an attribute of accounts, or of the CSM who has them on the eve of the as-of date, written
        ``csm.team``. Missing values are left out. Raises ParameterError for a column that is not there or that
        records the outcome.
        """
        self.need("accounts")
        known_attribute(self.engine, column, set(self.outcome_columns("accounts")))
        among = "choosable" if not self.where else "(SELECT * FROM choosable WHERE account_id IN (FROM chosen))"
        return values_of(self.engine, column, among)

    @property
    def smallest_group(self) -> int:
        """The smallest number of accounts behind a figure for this audience: 1, or ``sharing.MIN_SHARED`` if shared."""
        return sharing.MIN_SHARED if self._sharing else 1

    def names(self) -> pd.Series:
        """The name of each account, by account_id; the id where no name is recorded."""
        accounts = self.accounts.set_index("account_id")
        ids = accounts.index.to_series()
        result: pd.Series = accounts["name"].fillna(ids) if "name" in accounts else ids
        return result

    def outcome_columns(self, name: str) -> tuple[str, ...]:
        """Columns of a table that exist only because of the outcome: they never enter a risk model."""
        columns, fact = list(map(str, self.frame(name).columns)), self._fact(name)
        found = {*known_only_after_outcome(name, columns), *(fact.outcome_only if fact else ())}
        return tuple(column for column in columns if column in found)

    @property
    def set_aside(self) -> pd.DataFrame:
        """Every row that was left out: table, check, row (line number), account_id, reason.

        None for a shared audience, because the reasons quote the data.
        """
        limit = 0 if self._sharing else None
        return self.cached(("set_aside",), lambda: set_aside_frame(self.engine, limit)).copy(deep=False)

    def __repr__(self) -> str:
        only = f", only {', '.join(f'{key} = {value}' for key, value in self.where.items())}" if self.where else ""
        warnings = sum(finding.severity == "warning" for finding in self.quality)
        aside, width = self.engine.value("SELECT count(*) FROM aside"), max(map(len, TABLES))
        lines = [f"Tables of {self.company} as of {day_words(self.as_of)}{only}"]
        for fact in self.facts:
            unit = f" (MRR in {self.currency or 'an undeclared currency'})" if fact.name == "subscriptions" else ""
            lines.append(f"  {fact.name:<{width}}  {self.engine.value(f'SELECT count(*) FROM {fact.name}'):,}{unit}")
        if self._sharing:
            once = "; without a key the pseudonyms hold for this session only" if self._sharing.session_only else ""
            lines.append(f"  {'audience':<{width}}  {self.audience}: pseudonyms for accounts and people{once}")
        lines += [
            f"  {'observed':<{width}}  {day_words(self.observed_from)} to {day_words(self.data_through)}",
            f"  {'quality':<{width}}  {counted(warnings, 'warning')}, {counted(aside, 'row')} set aside",
            f"  {'source':<{width}}  {self.source}, fingerprint {self.fingerprint}",
        ]
        return "\n".join(lines)


def load(
    source: str | Path,
    mapping: str | Path | ExportMapping | None = None,
    as_of: Day | None = None,
    where: Where = None,
    audience: str = "full",
) -> Tables:
    """The tables of ``source`` as they were known at ``as_of``, checked.

    All accounts count, or with ``where`` those whose attributes have the given values. ``source`` is a folder of CSV,
    Parquet or Excel files, a workbook, a DuckDB file or a database address without a password. ``mapping`` is a YAML
    file or the name of a ready one; without one ``mapping.yml`` in the source is used, else the contract's own names
    and ISO dates. ``as_of`` is exclusive and is the first day of a month; by default it is the first day after the
    last complete month. Rows that became known at or after it are left out, and later ends, answers and decisions are
    missing. Missing: an empty field; an empty end_date is a running subscription; a missing MRR is an error, not 0.

    ``audience`` shared is for readers who must not identify accounts or people: pseudonyms are made with the key in
    CS_HELPERS_PSEUDONYM_KEY (or a key for this session), values of fewer than five accounts are pooled, and comments,
    rows set aside and other texts that may name a person or account are withheld; "shared+comments" keeps comments that
    name no person. No sum changes.

    Raises SourceError (nothing readable there), MappingError, ContractError (every problem of every table at
    once) or ParameterError (``as_of`` outside the data, ``where`` without a match or on
    a column that records the outcome, a shared audience with fewer than five accounts). Needs no network.
    """
    return tables_of(inspect(source, mapping, as_of, where, audience), audience)


def tables_of(inspection: Inspection, audience: str = "full") -> Tables:
    """The tables of an inspected source. Raises SourceError or ContractError where it has errors; see ``load``."""
    if inspection.unreadable:
        raise SourceError("\n".join([*dict.fromkeys(inspection.unreadable), *map(str, inspection.problems)]))
    if inspection.problems:
        raise ContractError(inspection.problems)
    same = ("engine", "company", "currency", "as_of", "observed_from", "data_through", "fingerprint", "churn_records")
    taken = {name: getattr(inspection, name) for name in same}
    facts, found, where, shared_by = inspection.facts, inspection.findings, inspection.where, inspection.sharing
    if shared_by is None:
        return Tables(
            **taken, facts=facts, quality=found, where=dict(where), source=inspection.source, inspection=inspection
        )
    # Without file names, values in findings and names in filters.
    files = {fact.name: fact.where for fact in facts}
    return Tables(
        **taken,
        facts=tuple(replace(fact, where=fact.name) for fact in facts),
        quality=(shared_by.finding(), *sharing.shared_findings(found, files)),
        where={column: WITHHELD if column in shared_by.where else value for column, value in where.items()},
        source=shared_by.place(inspection.source),
        audience=audience,
        _sharing=shared_by,
    )
