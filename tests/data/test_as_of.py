"""Nothing that became known at or after ``as_of`` may move a figure.

The judge is the export as it would have been that day.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cs_helpers.data import rollups, sample
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.tables import Tables, load

AS_OF = "2026-01-01"
FUTURE = "2026-02-15"

# Written out by hand, not taken from the contract: which date makes a row known, and which date its later values.
KNOWN_FROM = {
    "subscriptions": ["start_date"],
    "usage": ["occurred_at"],
    "tickets": ["opened_at"],
    "surveys": ["sent_at", "answered_at"],
    "touches": ["occurred_at"],
    "reps": ["hired_on"],
    "assignments": ["start_date"],
    "costs": ["month"],
    "goals": ["period_start"],
    "touchpoints": ["date"],
    "people_records": ["date"],
    "renewals": ["due_date"],
}
KNOWN_WITH = {
    "subscriptions": {"end_date": ["end_date"], "notice_date": ["notice_date"]},
    "renewals": {"decided_date": ["decided_date", "renewed_mrr", "outcome"]},
    "tickets": {
        "first_response_at": ["first_response_at"],
        "resolved_at": [
            "resolved_at", "contacts", "reopened", "escalated", "handle_minutes", "csat", "ces", "comment",
        ],
    },
    "surveys": {"answered_at": ["answered_at", "score", "comment", "reason", "competitor"]},
    "reps": {"left_on": ["left_on", "moved_to"]},
    "assignments": {"end_date": ["end_date"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    sample.write(folder, accounts=60, months=20, seed=5)
    return folder


@pytest.fixture(scope="module")
def before(export: Path) -> Tables:
    """The export as of AS_OF; its roll-ups are computed once for all tests."""
    return load(export, as_of=AS_OF)


def files(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted(folder.glob("*.csv"))}


def write(folder: Path, tables: dict[str, pd.DataFrame], mapping: str) -> Path:
    folder.mkdir()
    (folder / "mapping.yml").write_text(mapping)
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def as_it_was(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The export somebody would have made on the eve of AS_OF: ISO texts compare as their days do."""
    then = {}
    for name, frame in tables.items():
        kept = frame.copy()
        if name in KNOWN_FROM:
            first = kept[KNOWN_FROM[name][0]]
            for other in KNOWN_FROM[name][1:]:
                first = first.where(first != "", kept[other])
            kept = kept[(first < AS_OF) | (first == "")]
        for date, values in KNOWN_WITH.get(name, {}).items():
            later = kept[date] >= AS_OF
            for value in values:
                kept.loc[later, value] = ""
        then[name] = kept
    accounts = then["accounts"]
    started = set(then["subscriptions"]["account_id"])
    then["accounts"] = accounts[(accounts["signup_date"] < AS_OF) | accounts["account_id"].isin(started)]
    known = set(then["accounts"]["account_id"])
    return {name: f[f["account_id"].isin({*known, ""})] if "account_id" in f else f for name, f in then.items()}


def same(one: Tables, other: Tables) -> None:
    for name in TABLES:
        assert_frame_equal(one.frame(name), other.frame(name), obj=name)
    for name, rollup in rollups.ROLLUPS.items():
        given = {key: value for key, value in WINDOWS.items() if key in rollup.parameters}
        assert_frame_equal(one.rollup(name, **given), other.rollup(name, **given), obj=name)
    assert one.quality == other.quality
    assert_frame_equal(one.set_aside.drop(columns="row"), other.set_aside.drop(columns="row"))


WINDOWS = {
    "start": pd.Timestamp("2025-01-01"),
    "end": pd.Timestamp(AS_OF),
    "observed_from": pd.Timestamp("2024-11-01"),
    "as_of": pd.Timestamp(AS_OF),
    "first": pd.Timestamp("2025-03-01"),
    "last": pd.Timestamp(AS_OF),
    "dense": True,
}


def test_an_export_read_at_an_earlier_day_is_the_export_of_that_day(
    export: Path, before: Tables, tmp_path: Path
) -> None:
    mapping = (export / "mapping.yml").read_text()
    then = write(tmp_path / "then", as_it_was(files(export)), mapping)
    earlier = load(then, as_of=AS_OF)
    assert len(earlier.subscriptions) < len(files(export)["subscriptions"]), "the test must cut something"
    same(before, earlier)


@pytest.mark.parametrize("table", sorted(KNOWN_FROM))
def test_rows_planted_in_the_future_change_nothing(export: Path, before: Tables, tmp_path: Path, table: str) -> None:
    tables = files(export)
    planted = tables[table].head(7).copy()
    for column in planted.columns:
        if TABLES[table].column(column).kind in ("date", "time"):
            planted[column] = FUTURE if column in KNOWN_FROM[table] else ""
    if table == "touchpoints":
        planted["touchpoint"] = [f"new {row}" for row in range(len(planted))]
    if table == "goals":
        planted["period_end"] = "2026-03-15"
    for key in ("subscription_id", "ticket_id", "rep_id"):
        if key in planted and key in TABLES[table].key:
            planted[key] = "X-" + planted[key]
    for value in ("mrr", "amount", "quantity", "target", "hours", "clicks", "score"):
        if value in planted:
            planted[value] = "9"
    tables[table] = pd.concat([tables[table], planted], ignore_index=True)
    after = load(write(tmp_path / "planted", tables, (export / "mapping.yml").read_text()), as_of=AS_OF)
    same(before, after)
