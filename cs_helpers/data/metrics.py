"""Definitions of the numbers of the data check."""

from __future__ import annotations

from cs_helpers.core.estimates import OWN, Metric

METRICS = (
    Metric(
        key="rows_used",
        name="Rows that count",
        formula="Rows that enter the figures / rows read, over all tables.",
        population="Every row of every table of the contract that the source has.",
        unit="fraction",
        direction="higher is better",
        missing="Without any readable table there is no share.",
        gaming="Taking bad rows out of the export before anybody can see them.",
        counter_metric="accounts_with_subscription",
        source=OWN,
    ),
    Metric(
        key="tables_present",
        name="Tables that are there",
        formula="Tables of the contract that the source has / the fourteen tables of the contract.",
        population="The fourteen tables of data/README.md; accounts and subscriptions are needed, the others optional.",
        unit="fraction",
        direction="higher is better",
        missing="An absent table leaves its sections empty, nothing else.",
        gaming="Delivering a table without rows or without its useful columns.",
        counter_metric="months_with_rows",
        source=OWN,
    ),
    Metric(
        key="accounts_with_subscription",
        name="Accounts with a subscription",
        formula="Accounts that have at least one subscription / accounts.",
        population="Accounts known at the as-of date.",
        unit="fraction",
        direction="higher is better",
        missing="An account without a subscription never paid, or its subscriptions were not exported.",
        gaming="Leaving accounts that left out of the export.",
        counter_metric="rows_used",
        source=OWN,
    ),
    Metric(
        key="months_with_rows",
        name="Months with rows",
        formula="Cells with at least one row / cells, over dated tables and observed months.",
        population="Tables with a date, in the observed window; subscriptions and assignments count while they run.",
        unit="fraction",
        direction="higher is better",
        missing="A month without rows may be a month in which nothing happened, or one that was not loaded.",
        gaming="Filling a month with a single row.",
        counter_metric="rows_used",
        source=OWN,
    ),
)
