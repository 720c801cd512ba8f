"""The data check: whether reports on a source can be trusted, and what to fix, map or know first.

Each function takes an inspected source (``cs.data.inspect``, also one with errors) or loaded tables (``cs.load``) and
returns a result that shows itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cs_helpers.core.errors import ContractError
from cs_helpers.core.estimates import Change, Comparison, Estimate
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Result, Suppressed, front_door
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import quote
from cs_helpers.data.tables import Tables, report, tables_of
from cs_helpers.data.tables.frames import set_aside_frame
from cs_helpers.data.tables.inspection import Inspection
from cs_helpers.data.tables.load_state import Finding, TableFacts

WITHOUT_MONTHS = ("reps", "goals", "people_records")  # their dates are no activity
ERRORS = "the errors under What is wrong have to be fixed first; each says how"


@dataclass(frozen=True, repr=False)
class Quality(Result):
    """Everything found while reading a source, the worst first, and how much of the source can be used."""

    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    currency: str

    def count(self, severity: str) -> int:
        """How many findings have this severity: ``error``, ``set aside``, ``warning`` or ``note``."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def rows_set_aside(self) -> int:
        """How many rows were left out because of what was found."""
        return sum(finding.rows for finding in self.findings if finding.severity == "set aside")


@dataclass(frozen=True, repr=False, eq=False)
class TablesRead(Result):
    """What was read of each table of the contract.

    ``tables``: table, file ("absent" for none), read, used and set_aside (rows), first, last, fills (what it is for).
    """

    tables: pd.DataFrame

    @property
    def present(self) -> pd.DataFrame:
        """The tables that the source has."""
        return self.tables[self.tables["file"] != "absent"]

    @property
    def absent(self) -> pd.DataFrame:
        """The tables that the source does not have."""
        return self.tables[self.tables["file"] == "absent"]


@dataclass(frozen=True, repr=False, eq=False)
class Coverage(Result):
    """Rows per table and month. ``months``: index table, one column per month (its first day), 0 for no row."""

    months: pd.DataFrame

    @property
    def gaps(self) -> dict[str, int]:
        """For each table with gaps, the number of months without a row."""
        empty = {str(name): int((row == 0).sum()) for name, row in self.months.iterrows()}
        return {name: months for name, months in empty.items() if months}


@dataclass(frozen=True, repr=False, eq=False)
class Links(Result):
    """How many keys of one table another table has.

    ``links``: table, column, of (the table that is referred to), keys (distinct values), matched (found in ``of``),
    share (matched / keys), covered (share of the keys of ``of`` that are used here).
    """

    links: pd.DataFrame


@dataclass(frozen=True, repr=False, eq=False)
class ChurnRecords(Result):
    """Churned accounts by each record of the source, against paid periods, which reports use (the last row).

    ``records``: record, flags, accounts, of_accounts, events, of_events, shared, only_here, only_paid, differs. Empty
    without accounts and subscriptions.
    """

    records: pd.DataFrame


@dataclass(frozen=True, repr=False, eq=False)
class SetAside(Result):
    """The rows that were set aside. ``rows``: table, check, row (line number), account_id, reason."""

    rows: pd.DataFrame


def _inspection(tables: Tables | Inspection, errors: bool = True) -> Inspection:
    """What was found about the source. Raises ContractError for tables that were loaded to be shared, and for a source
    with errors unless ``errors`` are allowed."""
    inspection = tables if isinstance(tables, Inspection) else tables.inspection
    if inspection is None:
        raise ContractError(
            "the data check names files, accounts and people, so it is not made for a shared audience.\n"
            "  Load the source without `audience`."
        )
    if inspection.failed and not errors:
        raise ContractError(ERRORS)
    return inspection


@front_door("The data check cannot be made.", "problems")
def quality(tables: Tables | Inspection) -> Quality:
    """Everything found while reading the source: errors, rows set aside, warnings and notes, the worst first.

    Its headline numbers are shares: rows used, tables present, accounts with a subscription, months with rows.

    Example:
        >>> cs.data.quality(tables).count("error")
        0
    """
    inspection = _inspection(tables)
    return Quality(tuple(report.quality(inspection)), tuple(_comparisons(inspection)), inspection.currency)


@front_door("What was read cannot be shown.", "tables-read")
def tables_read(tables: Tables | Inspection) -> TablesRead:
    """Rows read and used of each table of the contract, and what the absent tables are for.

    Example:
        >>> cs.data.tables_read(tables).present["table"].head(2).tolist()
        ['accounts', 'subscriptions']
    """
    inspection = _inspection(tables)
    aside = dict(inspection.engine.rows("SELECT table_name, count(*) FROM aside GROUP BY table_name"))
    facts = {fact.name: fact for fact in inspection.facts}
    rows: list[tuple[Any, ...]] = []
    for name, table in TABLES.items():
        read: tuple[Any, ...] = ("absent", 0, 0, 0, None, None)
        if fact := facts.get(name):
            read = (fact.where, fact.read, fact.rows, aside.get(name, 0), fact.first, fact.last)
        rows.append((name, *read, table.fills))
    columns = ["table", "file", "read", "used", "set_aside", "first", "last", "fills"]
    return TablesRead(pd.DataFrame(rows, columns=columns))


@front_door("What the source covers cannot be told yet.", "coverage")
def coverage(tables: Tables | Inspection) -> Coverage:
    """Rows per table and month, inside the observed window.

    Subscriptions and assignments count in every month in which they run, other tables in the month of their date.
    Tables without a date are left out. Suppressed where the source has errors.

    Example:
        >>> cs.data.coverage(tables).months.shape[1]
        36
    """
    inspection = _inspection(tables, errors=False)
    months = pd.date_range(inspection.observed_from.replace(day=1), inspection.as_of, freq="MS", inclusive="left")
    dated = (fact for fact in inspection.facts if fact.first is not None and fact.name not in WITHOUT_MONTHS)
    rows = {fact.name: _monthly(inspection, fact, months) for fact in dated}
    if not rows or not len(months):
        raise ContractError("no table with a date holds a whole month")
    return Coverage(pd.DataFrame(rows, index=months).T.rename_axis("table").rename_axis("month", axis=1))


@front_door("Whether the keys meet cannot be told.", "links")
def links(tables: Tables | Inspection) -> Links:
    """How many keys of each table are found in the table they refer to.

    Suppressed where the source has errors, or no two tables with a common key.

    Example:
        >>> bool((cs.data.links(tables).links["share"] == 1).all())
        True
    """
    inspection = _inspection(tables, errors=False)
    present = {fact.name: fact for fact in inspection.facts}
    rows = []
    for fact in inspection.facts:
        for column, of in TABLES[fact.name].references.items():
            key = TABLES[of].key[0]
            has = column in fact.columns or column in TABLES[fact.name].stand_in
            if of in present and has and key in present[of].columns:
                counts = inspection.engine.rows(
                    f"WITH mine AS (SELECT DISTINCT {quote(column)} AS k FROM typed_{fact.name} WHERE k IS NOT NULL), "
                    f"theirs AS (SELECT DISTINCT {quote(key)} AS k FROM typed_{of} WHERE k IS NOT NULL) "
                    "SELECT (SELECT count(*) FROM mine), (SELECT count(*) FROM mine JOIN theirs USING (k)), "
                    "(SELECT count(*) FROM theirs)"
                )[0]
                rows.append((fact.name, column, of, *map(int, counts)))
    if not rows:
        raise ContractError("no two tables of this source share a key")
    frame = pd.DataFrame(rows, columns=["table", "column", "of", "keys", "matched", "total"])
    frame = frame.assign(share=frame["matched"] / frame["keys"], covered=frame["matched"] / frame["total"])
    return Links(frame.drop(columns="total"))


@front_door("Who left cannot be compared between records.", "churn-records")
def churn_records(tables: Tables | Inspection) -> ChurnRecords:
    """Churned accounts by each record of the source, compared with paid periods, which reports use.

    Suppressed where the source has errors.

    Example:
        >>> cs.data.churn_records(tables).records["record"].tolist()
        ['ended subscriptions', 'paid periods (used)']
    """
    return ChurnRecords(_inspection(tables, errors=False).churn_records)


@front_door("The rows set aside cannot be shown.", "set-aside")
def set_aside(tables: Tables | Inspection) -> SetAside:
    """Every row that was set aside and why; a report keeps them as set_aside.csv beside the page.

    Example:
        >>> cs.data.set_aside(tables).rows.columns.tolist()
        ['table', 'check', 'row', 'account_id', 'reason']
    """
    return SetAside(set_aside_frame(_inspection(tables).engine))


def checked_tables(inspection: Inspection) -> Tables | Suppressed:
    """The tables of an inspected source, for the front doors of subjects; Suppressed where the source has errors.

    Example:
        >>> cs.data.checked_tables(tables.inspection).company
        'Larkmoor Signals (made up)'
    """
    return Suppressed(ERRORS) if inspection.failed else tables_of(inspection)


def _monthly(inspection: Inspection, fact: TableFacts, months: pd.DatetimeIndex) -> pd.Series:
    """Rows of one table in each month: by date, or for periods while they run."""
    table = TABLES[fact.name]
    if table.periods:
        first, end = map(quote, table.periods[0])
        last = f"{end} - INTERVAL 1 DAY"
    else:
        first = last = f"coalesce({', '.join(quote(name) for name in table.known_from if name in fact.columns)})"
    begun, ended = (_rows_by_month(inspection, fact, date) for date in (first, last))
    index = [day.year * 12 + day.month for day in months]
    running = [
        sum(n for month, n in begun.items() if month <= at) - sum(n for month, n in ended.items() if month < at)
        for at in index
    ]
    return pd.Series(running, index=months)


def _rows_by_month(inspection: Inspection, fact: TableFacts, date: str) -> dict[int, int]:
    """Rows of one table by the month (year * 12 + month) of a date, which is an SQL expression."""
    rows = inspection.engine.rows(
        f"SELECT year({date}) * 12 + month({date}) AS m, count(*) FROM typed_{fact.name} WHERE m IS NOT NULL GROUP BY m"
    )
    return {int(month): int(n) for month, n in rows}


def _comparisons(inspection: Inspection) -> list[Comparison]:
    """Shares: rows used, tables present, accounts with a subscription, months with rows."""
    read, used = sum(fact.read for fact in inspection.facts), sum(fact.rows for fact in inspection.facts)
    failed = inspection.failed
    words = "" if failed else window_words(inspection.observed_from.replace(day=1), inspection.as_of)
    estimates = [
        Estimate("rows_used", reason=ERRORS) if failed else _share("rows_used", used, read, "no table was read"),
        _share("tables_present", len(inspection.facts), len(TABLES), "no table was read"),
        _accounts(inspection),
        _months(inspection),
    ]
    none = Change("no comparison")
    return [Comparison(one, Estimate(one.key), none, words or "nothing observed yet", "") for one in estimates]


def _share(key: str, numerator: int, denominator: int, reason: str) -> Estimate:
    if not denominator:
        return Estimate(key, reason=reason)
    return Estimate(key, numerator / denominator, numerator, denominator, denominator)


def _accounts(inspection: Inspection) -> Estimate:
    key, found = "accounts_with_subscription", links(inspection)
    if isinstance(found, Suppressed):
        return Estimate(key, reason=found.reason)
    matched = found.links.set_index(["table", "column"])["matched"].get(("subscriptions", "account_id"))
    if matched is None:
        return Estimate(key, reason="the source has no accounts with subscriptions")
    accounts = next((fact.rows for fact in inspection.facts if fact.name == "accounts"), 0)
    return _share(key, int(matched), accounts, "there are no accounts")


def _months(inspection: Inspection) -> Estimate:
    found = coverage(inspection)
    if isinstance(found, Suppressed):
        return Estimate("months_with_rows", reason=found.reason)
    filled = int((found.months > 0).to_numpy().sum())
    return _share("months_with_rows", filled, found.months.size, "no month was observed")
