"""What a source covers: rows by month, keys that meet, and the headline of a data check. Counts only, no analysis."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cs_helpers.core.errors import ContractError
from cs_helpers.core.estimates import Change, Comparison, Estimate
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Suppressed
from cs_helpers.data import rollups
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import quote
from cs_helpers.data.tables.inspection import Inspection
from cs_helpers.data.tables.progress import TableFacts

_ERRORS = "the errors under What is wrong have to be mended first; each says how"


def overview(seen: Inspection) -> pd.DataFrame:
    """One row per table of the contract: table, file, read, used, set_aside, first, last, fills; absent ones too."""
    aside = dict(seen.engine.rows("SELECT table_name, count(*) FROM aside GROUP BY table_name"))
    by_name = {fact.name: fact for fact in seen.facts}
    rows: list[tuple[Any, ...]] = []
    for name, table in TABLES.items():
        fact = by_name.get(name)
        if fact is None:
            rows.append((name, "absent", 0, 0, 0, None, None, table.fills))
        else:
            rows.append(
                (name, fact.where, fact.read, fact.rows, aside.get(name, 0), fact.first, fact.last, table.fills)
            )
    names = ["table", "file", "read", "used", "set_aside", "first", "last", "fills"]
    return pd.DataFrame(rows, columns=names)


def by_month(seen: Inspection) -> pd.DataFrame | Suppressed:
    """Rows per table and month: index table, one column per month (its first day), 0 where there is none.

    Subscriptions count in every month in which they run, other tables in the month of their date, inside the observed
    window only. Tables without a date are left out. A Suppressed where the source has errors.
    """
    if seen.failed:
        return Suppressed(_ERRORS)
    first, last = seen.observed_from.replace(day=1), seen.as_of
    months = pd.date_range(first, last, freq="MS", inclusive="left")
    rows = {fact.name: _monthly(seen, fact, months) for fact in seen.facts if _dated(fact)}
    if not rows or not len(months):
        return Suppressed("no table with a date holds a whole month")
    return pd.DataFrame(rows, index=months).T.rename_axis("table").rename_axis("month", axis=1)


def _dated(fact: TableFacts) -> bool:
    return fact.first is not None and fact.name not in ("reps", "goals", "people_records")


def _monthly(seen: Inspection, fact: TableFacts, months: pd.DatetimeIndex) -> pd.Series:
    table = TABLES[fact.name]
    index = [day.year * 12 + day.month - 1 for day in months]
    if table.periods:
        start, end = table.periods[0]
        steps: dict[int, int] = {}
        for column, sign in ((start, 1), (end, -1)):
            later = f"CASE WHEN day({quote(column)}) = 1 THEN 1 ELSE 0 END" if sign < 0 else "1"
            for month, n in seen.engine.rows(
                f"SELECT year({quote(column)}) * 12 + month({quote(column)}) - {later} AS m, count(*) FROM "
                f"typed_{fact.name} "
                "WHERE m IS NOT NULL GROUP BY m"
            ):
                steps[int(month)] = steps.get(int(month), 0) + sign * int(n)
        running, at = [], sum(n for month, n in steps.items() if month < index[0])
        for month in index:
            at += steps.get(month, 0)
            running.append(at)
        return pd.Series(running, index=months)
    dates = ", ".join(quote(name) for name in table.known_from if name in fact.columns)
    when = f"coalesce({dates})"
    found = dict(
        seen.engine.rows(
            f"SELECT year({when}) * 12 + month({when}) - 1 AS m, count(*) FROM typed_{fact.name} WHERE m IS NOT "
            "NULL GROUP BY m"
        )
    )
    return pd.Series([int(found.get(month, 0)) for month in index], index=months)


def key_overlap(seen: Inspection) -> pd.DataFrame | Suppressed:
    """How far the tables speak of the same accounts and reps: table, column, of, keys, matched, share, covered.

    ``keys`` are the distinct values in the table, ``matched`` those that the table named in ``of`` has, ``share`` =
    matched / keys; ``covered`` is the share of the other table's keys that stand here. A Suppressed where there are
    errors.
    """
    if seen.failed:
        return Suppressed(_ERRORS)
    present = {fact.name: fact for fact in seen.facts}
    rows = []
    for fact in seen.facts:
        for column, of in TABLES[fact.name].references.items():
            key = TABLES[of].key[0]
            has = column in fact.columns or column in TABLES[fact.name].stand_in
            if of not in present or not has or key not in present[of].columns:
                continue
            keys, matched, total = seen.engine.rows(
                f"WITH mine AS (SELECT DISTINCT {quote(column)} AS k FROM typed_{fact.name} WHERE {quote(column)} "
                "IS NOT NULL), "
                f"theirs AS (SELECT DISTINCT {quote(key)} AS k FROM typed_{of} WHERE {quote(key)} IS NOT NULL) "
                "SELECT (SELECT count(*) FROM mine), (SELECT count(*) FROM mine JOIN theirs USING (k)), "
                "(SELECT count(*) FROM theirs)"
            )[0]
            share = matched / keys if keys else float("nan")
            rows.append(
                (fact.name, column, of, int(keys), int(matched), share, matched / total if total else float("nan"))
            )
    if not rows:
        return Suppressed("no two tables of this source share a key")
    return pd.DataFrame(rows, columns=["table", "column", "of", "keys", "matched", "share", "covered"])


def headline(seen: Inspection) -> list[Comparison]:
    """Rows that count, tables that are there, accounts with a subscription, months with rows, each as a share."""
    read, used = sum(fact.read for fact in seen.facts), sum(fact.rows for fact in seen.facts)
    words = "" if seen.failed else window_words(seen.observed_from.replace(day=1), seen.as_of)
    estimates = [
        Estimate("rows_used", None, None, None, 0, reason=_ERRORS)
        if seen.failed
        else _share("rows_used", used, read, "no table was read"),
        _share("tables_present", len(seen.facts), len(TABLES), "no table was read"),
        _accounts(seen),
        _months(seen),
    ]
    none = Change("no comparison")
    return [
        Comparison(one, Estimate(one.key, None, None, None, 0), none, words or "nothing observed yet", "")
        for one in estimates
    ]


def _share(key: str, numerator: int, denominator: int, reason: str) -> Estimate:
    if not denominator:
        return Estimate(key, None, None, None, 0, reason=reason)
    return Estimate(key, numerator / denominator, numerator, denominator, denominator)


def _accounts(seen: Inspection) -> Estimate:
    overlap = key_overlap(seen)
    if isinstance(overlap, Suppressed):
        return Estimate("accounts_with_subscription", None, None, None, 0, reason=overlap.reason)
    mine = overlap[(overlap["table"] == "subscriptions") & (overlap["column"] == "account_id")]
    accounts = next((fact.rows for fact in seen.facts if fact.name == "accounts"), 0)
    if mine.empty:
        reason = "the source has no accounts with subscriptions"
        return Estimate("accounts_with_subscription", None, None, None, 0, reason=reason)
    return _share("accounts_with_subscription", int(mine["matched"].iloc[0]), accounts, "there are no accounts")


def _months(seen: Inspection) -> Estimate:
    table = by_month(seen)
    if isinstance(table, Suppressed):
        return Estimate("months_with_rows", None, None, None, 0, reason=table.reason)
    return _share("months_with_rows", int((table > 0).to_numpy().sum()), table.size, "no month was observed")


def rival_churn(seen: Inspection) -> pd.DataFrame | Suppressed:
    """Who left by each record of it; see ``findings.rival_records``. A Suppressed where the source has errors."""
    return Suppressed(_ERRORS) if seen.failed else seen.rivals


def book(seen: Inspection) -> pd.DataFrame:
    """The account-month panel of a source. Raises ContractError where errors or absent tables leave none."""
    if seen.failed:
        raise ContractError(f"{_ERRORS}.")
    if not any(fact.name == "subscriptions" and fact.rows for fact in seen.facts):
        raise ContractError("there are no subscriptions, so there is no recurring revenue to compare.")
    return rollups.run(seen.engine, "account_month", start=seen.observed_from, end=seen.as_of, dense=True)
