"""The parts that every report has: cover, summary, warnings, glossary, data quality, provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.metrics import subject_metrics
from cs_helpers.core.periods import day_words
from cs_helpers.core.results import Result
from cs_helpers.report import blocks
from cs_helpers.report.blocks import Block, Finding, stacked
from cs_helpers.report.parameters import notebook_parameters
from cs_helpers.report.views import begin_page, view_of
from cs_helpers.report.words import MIME, plain
from cs_helpers.subjects import SUBJECTS


class Company(Protocol):
    """The tables of a company, as far as a report describes them."""

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
    """Company, period of the data, number of accounts, currency and filters; the report's header repeats them.

    Example:
        >>> cs.report.cover(tables)
        Company: Larkmoor Signals (made up) · Data: 1 July 2023 to 30 June 2026 · Accounts: 600 ...

    Example:
        >>> cs.report.quality(tables)
        Note · subscriptions: 41 of 600 accounts hold several subscriptions at once ...
    """
    begin_page()
    filters = ", ".join(f"{column} = {value}" for column, value in tables.where.items()) or "none"
    through = pd.Timestamp(tables.as_of) - pd.Timedelta(days=1)
    facts = {
        "Company": tables.company,
        "Data": f"{day_words(tables.observed_from)} to {day_words(through)}",
        "Accounts": f"{tables.subscriptions['account_id'].nunique():,} with subscriptions",
        "Currency": tables.currency,
        "Filters": filters,
    }
    data = {
        "company": visible(tables.company),
        "as_of": f"{tables.as_of:%Y-%m-%d}",
        "data_through": f"{through:%Y-%m-%d}",
        "currency": tables.currency,
        "filters": visible(filters),
        "source": tables.source,
        "source_fingerprint": tables.fingerprint,
        "definitions_version": definitions.VERSION,
        "accounts": int(tables.subscriptions["account_id"].nunique()),
    }
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items() if v)
    text = " · ".join(f"{k}: {v}" for k, v in facts.items() if v)
    # Told to the runner of a shared report alone, which takes it out again.
    private = {MIME.format("private"): {"names": names}} if (names := tables.private_names) else {}
    return Block(f'<dl class="cs-facts">{items}</dl>', text, {MIME.format("report"): data, **private})


def summary(*results: Result) -> Block:
    """The brief of a report: headline numbers, and the takeaway of each result, the largest change first.

    Tiles come from the results that have headline numbers. Each takeaway links to its section. What is shown also
    travels to ``run.json``, so that a notebook run by hand and a scheduled one state the same figures.

    Raises ParameterError for a result without a view.

    Example:
        >>> cs.report.summary(cs.retention.cohorts(tables))
        - 81...% of the accounts won since the data began still paid 12 months later. ...
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


def quality(tables: Company) -> Block:
    """The findings about the data, in words, and the first rows that were set aside.

    Example:
        >>> cs.report.quality(tables)
        Note · subscriptions: 41 of 600 accounts hold several subscriptions at once ...
    """
    return blocks.quality(tables.quality, tables.set_aside)


def caveats(tables: Company) -> Block:
    """The warnings about the data, beside the figures they concern; empty if there are none.

    Example:
        >>> cs.report.caveats(tables).text  # the sample company has no warnings
        ''
    """
    warnings = [f for f in tables.quality if f.severity == "warning"]
    if not warnings:
        return Block("", "")
    items = "".join(f"<li>{plain(f.message)}</li>" for f in warnings)
    html = (
        f'<aside class="cs-refusal cs-caveats"><strong>Read these figures with care.</strong><ul>{items}</ul>'
        '<a href="#data-quality">All findings about the data</a></aside>'
    )
    return Block(html, "Read these figures with care:\n" + "\n".join(f"- {f.message}" for f in warnings))


def glossary(*names: str) -> Block:
    """The definitions of metrics: formula, who counts, what missing means, rival definitions.

    ``names``: keys of metrics, or subjects ("churn"), which stand for all metrics of the subject. Raises ParameterError
    with the nearest name.

    Example:
        >>> cs.report.glossary("grr")
        Gross revenue retention (GRR): sum(min(MRR_end, MRR_start)) / sum(MRR_start), ...
    """
    keys = dict.fromkeys(key for name in names for key in (subject_metrics(name) if name in SUBJECTS else (name,)))
    parts, lines = [], []
    for key in keys:
        m = definitions.metric(key)
        facts = {
            "Formula": m.formula,
            "Who counts": m.population,
            "Missing": m.missing,
            "How it can be gamed": f"{m.gaming} Watch beside it: {definitions.metric(m.counter_metric).name}.",
            "Rival definitions": "; ".join(m.rivals),
            "Source": m.source,
        }
        body = "".join(f"<dt>{plain(k)}</dt><dd>{plain(v)}</dd>" for k, v in facts.items() if v)
        parts.append(
            f'<details class="cs-entry" id="def-{plain(key)}"><summary>{plain(m.name)}</summary>'
            f"<dl>{body}</dl></details>"
        )
        lines.append(f"{m.name}: {m.formula}")
    return Block("".join(parts), "\n".join(lines))


def provenance(tables: Company) -> Block:
    """The origin of the figures: source, fingerprint, versions, and the parameters of the running notebook.

    A report for sharing withholds parameters that may name a person or a company.

    Example:
        >>> cs.report.provenance(tables)
        Source: data/sample
        Fingerprint of the files read: ...
    """
    from cs_helpers import __version__

    # The source has a line of its own.
    parameters = {key: value for key, value in notebook_parameters().items() if key != "source"}
    facts = {
        "Source": tables.source,
        "Fingerprint of the files read": tables.fingerprint,
        "Data observed from": day_words(tables.observed_from),
        "As of (exclusive)": day_words(tables.as_of),
        "Definitions": f"version {definitions.VERSION}",
        "Package": f"cs-helpers {__version__}",
        "Parameters": ", ".join(f"{k} = {v!r}" for k, v in tables.shareable(**parameters).items()),
    }
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items())
    return Block(f'<dl class="cs-facts cs-provenance">{items}</dl>', "\n".join(f"{k}: {v}" for k, v in facts.items()))
