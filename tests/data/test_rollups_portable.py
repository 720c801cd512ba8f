"""The same texts, unchanged, on PostgreSQL: equal results on a small company that has every kind of oddity."""

import numpy as np
import pandas as pd
import pytest
from postgres_server import running_postgres

from cs_helpers.data import rollups
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.engines.duckdb import quote

CASES = {
    "paid_periods": [{}],
    "account_month": [{"start": "2024-01-01", "end": "2025-01-01", "dense": dense} for dense in (False, True)],
    "movements": [{"start": "2024-01-01", "end": "2025-01-01"}],
    "retention": [{"start": "2024-01-01", "end": "2024-07-01"}],
    "cohorts": [{"observed_from": "2023-11-15", "as_of": "2025-01-31", "by": by} for by in ("month", "quarter")],
    "spells": [{"observed_from": "2024-01-31", "as_of": "2024-12-31"}],
    "survival_counts": [{"observed_from": "2024-01-31", "as_of": "2024-12-31", "by": by} for by in ("", "segment")],
    "usage_features": [
        {"first": "2024-01-01", "last": "2024-09-01"},
        {"first": "2024-01-01", "last": "2024-09-01", "dense": True, "step": 3},
        {"first": "2024-01-01", "last": "2024-09-01", "dense": True, "buckets": 3, "observed_from": "2023-10-10"},
    ],
    "rep_month": [{}],
    "repeat_contacts": [{"as_of": "2024-09-01", "days": 5}],
    "ticket_cases": [{"start": "2024-01-31", "as_of": "2024-09-01", "days": 5}],
    "vanish_panel": [{"start": "2024-01-01", "as_of": "2024-12-02", "role": role} for role in ("csm", "")],
    "account_signals": [{"start": "2023-12-01", "end": "2024-09-01"}],
}


def company(seed=5):
    """Tables drawn at random around month ends, a leap day and year ends; many fields missing."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"{n:03d}" for n in range(24)])

    def days(size):
        edges = pd.to_datetime(["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-01", "2024-12-31"]).to_numpy()
        drawn = np.datetime64("2023-09-01") + rng.integers(0, 480, size).astype("timedelta64[D]")
        return np.where(rng.random(size) < 0.3, rng.choice(edges, size), drawn).astype("datetime64[us]")

    def moments(size):
        return days(size) + rng.integers(0, 86_400_000, size).astype("timedelta64[ms]")

    def some(values, share=0.25):
        return pd.Series(values, dtype=object).where(rng.random(len(values)) > share)

    def later(first, share):
        last = first + rng.integers(0, 200, len(first)).astype("timedelta64[D]")
        return pd.Series(np.where(rng.random(len(first)) < share, np.datetime64("NaT"), last).astype("datetime64[us]"))

    first, opened = days(70), moments(150)
    begun = days(40)
    delay = [opened + rng.integers(0, 500_000, 150).astype("timedelta64[s]") for _ in range(2)]
    drawn = {
        "accounts": pd.DataFrame({"account_id": ids, "segment": some(rng.choice(["SMB", "ENT"], 24))}),
        "subscriptions": pd.DataFrame(
            {
                "account_id": rng.choice(ids, 70), "start_date": first, "end_date": later(first, 0.2),
                "mrr": rng.choice([0, 10, 99.99, 100, 250.5], 70),
            }
        ),
        "assignments": pd.DataFrame(
            {
                "account_id": rng.choice(ids, 40), "rep_id": rng.choice(["r", "s", "t"], 40), "start_date": begun,
                "end_date": later(begun, 0.3), "role": some(rng.choice(["csm", "CSM", "backup"], 40)),
            }
        ),
        "reps": pd.DataFrame({"rep_id": ["r", "s"], "left_on": pd.to_datetime([None, "2024-06-15"])}),
        "touches": pd.DataFrame(
            {"account_id": rng.choice(ids, 90), "occurred_at": moments(90), "hours": some(rng.integers(1, 9, 90) / 4)}
        ),
        "usage": pd.DataFrame(
            {
                "account_id": rng.choice(ids[:20], 900), "occurred_at": moments(900),
                "user_id": some(rng.choice(list("uvwxyz"), 900)), "quantity": some(rng.integers(0, 9, 900) / 1.0),
                "minutes": some(rng.integers(0, 999, 900) / 7),
            }
        ),
        "tickets": pd.DataFrame(
            {
                "ticket_id": [f"t{n:03d}" for n in range(150)], "account_id": some(rng.choice(ids[:6], 150), 0.1),
                "rep_id": some(rng.choice(["r", "s"], 150), 0.1), "category": some(rng.choice(["x", "y"], 150)),
                "opened_at": opened, "first_response_at": some(delay[0]), "resolved_at": some(delay[1]),
                "wait_seconds": some(rng.integers(0, 60, 150)), "answered": some(rng.random(150) < 0.8),
                "contacts": some(rng.integers(1, 4, 150)), "reopened": some(rng.random(150) < 0.2),
                "escalated": some(rng.random(150) < 0.2), "handle_minutes": some(rng.integers(1, 500, 150) / 7),
                "csat": some(rng.integers(1, 6, 150)), "ces": some(rng.integers(1, 8, 150)),
            }
        ),
    }  # fmt: skip
    # Drawn last: the tables above stay as they were.
    drawn["touches"]["kind"] = rng.choice(["qbr", "check_in"], 90)
    drawn["surveys"] = pd.DataFrame(
        {
            "kind": rng.choice(["nps", "csat"], 80), "account_id": some(rng.choice(ids, 80)),
            "answered_at": some(moments(80)), "score": some(rng.integers(0, 11, 80)),
        }
    )  # fmt: skip
    drawn["tickets"]["channel"] = some(rng.choice(["chat", "phone"], 150))
    drawn["tickets"]["priority"] = some(rng.choice(["low", "high"], 150))
    return drawn


POSTGRES_TYPES = {"string": "text", "date32[day]": "date", "timestamp[us]": "timestamp", "int64": "bigint",
                  "double": "double precision", "bool": "boolean"}  # fmt: skip


class Postgres:
    """What a roll-up needs of an engine, on an open connection."""

    def __init__(self, connection):
        self.connection = connection

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def arrow(self, sql):
        import pyarrow as pa

        cursor = self.connection.execute(sql)
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(cursor.description)
        return pa.table([pa.array(list(c)) for c in columns], names=[column.name for column in cursor.description])

    def register(self, name, table):
        columns = ", ".join(f"{quote(f.name)} {POSTGRES_TYPES[str(f.type)]}" for f in table.schema)
        self.drop(name)
        self.connection.execute(f"CREATE TABLE {quote(name)} ({columns})")
        with self.connection.cursor().copy(f"COPY {quote(name)} FROM STDIN") as copy:
            for row in zip(*table.to_pydict().values(), strict=True):
                copy.write_row(row)

    def save(self, name, sql):
        self.drop(name)
        self.connection.execute(f"CREATE TABLE {quote(name)} AS {sql}")

    def drop(self, name):
        self.connection.execute(f"DROP TABLE IF EXISTS {quote(name)}")


class Spy:
    """An engine that remembers the types in which results came out of it."""

    def __init__(self, engine):
        self.engine, self.seen = engine, []

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def arrow(self, sql):
        made = self.engine.arrow(sql)
        self.seen.append(made.schema)
        return made

    def inexact(self, name):
        """Columns of whole numbers that came out as something else."""
        whole = [
            column for column, output in rollups.ROLLUPS[name].columns.items() if output.kind in ("money", "integer")
        ]
        kinds = [
            (column, str(made.field(column).type)) for made in self.seen for column in whole if column in made.names
        ]
        return [(column, kind) for column, kind in kinds if kind not in ("int64", "null")]


@pytest.fixture(scope="module")
def here():
    engine = rollups.engine_of(**company())
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def there():
    with running_postgres() as server:
        import psycopg

        with psycopg.connect(**server.parameters, autocommit=True) as connection:
            connection.execute("SET client_min_messages = error")
            engine = Postgres(connection)
            tables = company()
            for name in TABLES:
                rollups.stage(engine, name, tables.get(name, pd.DataFrame()))
            yield engine


@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize(("name", "parameters"), [(n, p) for n, many in CASES.items() for p in many])
def test_postgres_gives_what_duckdb_gives(here, there, name, parameters):
    spies = [Spy(there), Spy(here)]
    found, expected = (rollups.run(spy, name, **parameters) for spy in spies)
    for spy in spies:
        assert spy.inexact(name) == [], "whole numbers come out whole, not only after a cast at the border"
    assert len(expected) > (5 if name != "movements" else 0)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)


def test_every_rollup_is_compared():
    assert list(CASES) == list(rollups.ROLLUPS)
