"""The parts that every report has: cover, summary, warnings, glossary, data quality, provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pandas as pd

from cs_helpers.core.metrics import subject_metrics
from cs_helpers.core.results import Result
from cs_helpers.report import blocks
from cs_helpers.report.blocks import Block, stacked
from cs_helpers.report.parameters import notebook_parameters
from cs_helpers.report.views import begin_page, view_of
from cs_helpers.subjects import SUBJECTS


class Finding(Protocol):
    """One thing found while reading the data."""

    @property
    def table(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def fix(self) -> str: ...


class Company(Protocol):
    """What a report needs to know of the tables of a company."""

    company: str
    currency: str
    as_of: pd.Timestamp
    observed_from: pd.Timestamp
    where: dict[str, str]
    source: str
    fingerprint: str

    @property
    def quality(self) -> Iterable[Finding]: ...
    @property
    def set_aside(self) -> pd.DataFrame: ...
    @property
    def private_names(self) -> Mapping[str, list[str]]: ...
    @property
    def subscriptions(self) -> pd.DataFrame: ...
    def shareable(self, **parameters: Any) -> dict[str, Any]: ...


def cover(tables: Company) -> Block:
    """Company, as-of date, what the data cover and the filters, in one line; the report's header repeats it."""
    begin_page()
    return blocks.opening(tables)


def summary(*results: Result) -> Block:
    """The brief of a report: headline numbers, and the takeaway of each result, the largest change first.

    Tiles come from the results that have headline numbers. Each takeaway links to its section. What is shown also
    travels to ``run.json``, so that a notebook run by hand and a scheduled one state the same figures.

    Raises ParameterError for a result without a view.
    """
    views = [(view_of(result), result) for result in results]
    tiles = [each for view, result in views if (each := view.tiles(result)) is not None]
    parts = []
    if tiles:
        basis = {key: words for each in tiles for key, words in each.basis.items()}
        comparisons = [one for each in tiles for one in each.comparisons]
        note = next((each.note for each in tiles if each.note), "")
        parts.append(blocks.tiles(comparisons, tiles[0].currency, basis, note))
    parts.append(blocks.takeaways(*(one for view, result in views for one in view.takeaways(result))))
    parts += [notice for view, result in views if (notice := view.notice(result)) is not None]
    return stacked(*parts)


def caveats(tables: Company) -> Block:
    """The warnings about the data, beside the figures they touch; nothing where there is none."""
    return blocks.caveats(tables.quality)


def quality(tables: Company) -> Block:
    """What the loader found: every finding in words, and the first rows that were set aside."""
    return blocks.quality(tables.quality, tables.set_aside)


def glossary(*names: str) -> Block:
    """The definitions of metrics: who counts, what missing means, rival definitions.

    ``names``: keys of metrics, or subjects ("churn"), which stand for all metrics of the subject. Raises ParameterError
    with the nearest name.
    """
    keys = [key for name in names for key in (subject_metrics(name) if name in SUBJECTS else (name,))]
    return blocks.glossary(*dict.fromkeys(keys))


def provenance(tables: Company) -> Block:
    """Where the figures come from: source, fingerprint, definitions and package version, and the parameters.

    The parameters are those of the running notebook, with the values of this run; a report for sharing withholds what
    may name somebody.
    """
    # The source has a line of its own.
    return blocks.provenance(tables, **{key: value for key, value in notebook_parameters().items() if key != "source"})
