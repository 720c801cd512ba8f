"""Numbers to words: tiles, takeaways, charts with their findings, tables, data quality, provenance.

Sentences and blocks of the analysis reports stand in ``blocks``, those about a source itself in ``source``. What is
shown is HTML whose every string from data is escaped there.
"""

from cs_helpers.show.blocks import (
    Block,
    caveats,
    chart,
    glossary,
    opening,
    provenance,
    quality,
    refused,
    table,
    takeaways,
    tiles,
)
from cs_helpers.show.retention import (
    alt_cohorts,
    alt_movements,
    note_cohorts,
    reconciliation,
    say_change,
    say_cohorts,
    say_movements,
)
from cs_helpers.show.source import (
    alt_coverage,
    key_overlap,
    rivals,
    say_coverage,
    say_keys,
    say_problems,
    say_rivals,
    set_aside,
    source_opening,
    source_provenance,
    tables_read,
)
from cs_helpers.show.survival import alt_survival, note_survival, say_survival
from cs_helpers.show.words import MIME, NARROW_SPACE, Takeaway, money, percent, plain, points, short_money

__all__ = [
    "MIME",
    "NARROW_SPACE",
    "Block",
    "Takeaway",
    "alt_cohorts",
    "alt_coverage",
    "alt_movements",
    "alt_survival",
    "caveats",
    "chart",
    "glossary",
    "key_overlap",
    "money",
    "note_cohorts",
    "note_survival",
    "opening",
    "percent",
    "plain",
    "points",
    "provenance",
    "quality",
    "reconciliation",
    "refused",
    "rivals",
    "say_change",
    "say_cohorts",
    "say_coverage",
    "say_keys",
    "say_movements",
    "say_problems",
    "say_rivals",
    "say_survival",
    "set_aside",
    "short_money",
    "source_opening",
    "source_provenance",
    "table",
    "tables_read",
    "takeaways",
    "tiles",
]
