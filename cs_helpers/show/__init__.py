"""Numbers to words: tiles, takeaways, charts with their findings, tables, data quality, provenance.

``words`` turns numbers into text, ``blocks`` makes what a cell shows; sentences, text alternatives and tables stand in
a module per subject: ``survival``, ``reasons``, ``risk``, ``benchmark``, ``scenario``,
``roi`` (break-even), ``evidence`` and ``gates`` (the measured effect), ``worth`` (money), ``whatif``; for reps ``reps``
and ``steps`` (sentences), ``figures`` (units), ``board`` (tables), ``comparison`` (with charts), ``profile``,
``screens``, ``history`` and ``newcomers``. What is shown is HTML whose every
string from data is escaped there.
"""

from cs_helpers.report.blocks import (
    Block,
    caveats,
    chart,
    findings,
    folded,
    glossary,
    opening,
    provenance,
    quality,
    refused,
    stacked,
    table,
    takeaways,
    tiles,
)
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.words import MIME, NARROW_SPACE, Headline, money, of_hundred, percent, plain, points, short_money

__all__ = [
    "MIME",
    "NARROW_SPACE",
    "Block",
    "Headline",
    "caveats",
    "chart",
    "difference",
    "difference_span",
    "figure",
    "figure_span",
    "findings",
    "folded",
    "glossary",
    "money",
    "of_hundred",
    "opening",
    "percent",
    "plain",
    "points",
    "provenance",
    "quality",
    "refused",
    "short_money",
    "stacked",
    "table",
    "takeaways",
    "tiles",
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
