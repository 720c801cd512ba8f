"""Roll-ups of a literal subscriptions table, for tests that begin where analyses begin: at the small tables."""

from functools import cache

from cs_helpers.data import rollups


@cache
def _engine():
    return rollups.engine_of()


def rolled(name, subscriptions, **parameters):
    """The roll-up ``name`` of a book in which nothing but subscriptions is known."""
    engine = _engine()
    accounts = subscriptions[["account_id"]].drop_duplicates()
    rollups.stage(engine, "accounts", accounts)
    rollups.stage(engine, "subscriptions", subscriptions)
    return rollups.run(engine, name, **parameters)
