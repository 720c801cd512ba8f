"""The contract as a document and as data, made from the ``TABLES`` that the checks use too.

python -m cs_helpers.data.contract.dictionary        prints data/README.md
"""

from __future__ import annotations

from typing import Any

from cs_helpers.data.contract.columns import KIND_WORDS, Column, Table
from cs_helpers.data.contract.tables import TABLES

_HEAD = """# The tables the toolkit reads

Made by `make dictionary` from `cs_helpers/data/contract/tables.py`; do not edit. The sample company's story is in
[`SAMPLE.md`](SAMPLE.md), ready mappings for other products' exports are in [`mappings/`](mappings/README.md).

A source is a folder of CSV, Parquet or Excel files, one workbook, a DuckDB file, or a database address. It holds up to
fourteen tables. Only **accounts** and **subscriptions** are needed; a section of a report whose table is absent says
which table would fill it. `cs-helpers check SOURCE` says what is there, what is wrong and what is left out;
`cs-helpers map FOLDER` drafts the mapping that names your files and columns.

- Keys are text: leading zeros count. An empty field is missing, and missing is not zero.
- Money is in one currency per source and kept in whole cents.
- Days are written as the mapping's `date_format` says, which is never guessed. Times without a zone are read in the
  mapping's `timezone`; all are kept in UTC.
- Periods are half-open, [start, end): an end is the first day that does not belong to them any more.
- **After the outcome** marks a column whose value exists, or is final, only once the thing to be predicted has
  happened: it never enters a risk model. **Known with** names the column whose date tells when a value became
  known: at an earlier as-of date it is missing, whatever the export says.
"""


def markdown() -> str:
    """The text of data/README.md."""
    rows = "".join(
        f"| [{table.name}](#{table.name}) | {'yes' if table.required else ''} | "
        f"{table.grain.removeprefix('one row per ')} | {table.fills} |\n"
        for table in TABLES.values()
    )
    overview = f"| table | needed | one row is | gives |\n|---|---|---|---|\n{rows}"
    return "\n".join([_HEAD, overview, *map(_section, TABLES.values())])


def _section(table: Table) -> str:
    facts = [f"{table.grain[0].upper()}{table.grain[1:]}."]
    if table.key:
        facts.append(f"Key: {', '.join(f'`{name}`' for name in table.key)}, where the export has all of it.")
    if table.known_from:
        facts.append(f"A row is known from its {' or '.join(f'`{name}`' for name in table.known_from)} on.")
    for column, through in table.stand_in.items():
        facts.append(f"Without `{column}` it is found through `{through}`.")
    if table.at_least_one:
        facts.append(f"Each row needs {' or '.join(f'`{name}`' for name in table.at_least_one)}.")
    if table.keeps_attributes:
        facts.append("Further columns are kept as attributes.")
    return (
        f"## {table.name}\n\n{' '.join(facts)}\n\n"
        "| column | type, unit | needed | meaning | missing means | after the outcome | known with |\n"
        f"|---|---|---|---|---|---|---|\n{''.join(map(_row, table.columns))}"
    )


def _row(column: Column) -> str:
    unit = f", {column.unit}" if column.unit else ""
    allowed = f" ({', '.join(column.one_of)})" if column.one_of else ""
    known_with = f"`{column.known_with}`" if column.known_with and column.known_with != column.name else ""
    cells = (
        f"`{column.name}`",
        f"{KIND_WORDS[column.kind]}{unit}",
        "yes" if column.required else "",
        f"{column.meaning}{allowed}",
        column.missing,
        "yes" if column.after_outcome else "",
        known_with,
    )
    return f"| {' | '.join(cells)} |\n"


def as_records() -> list[dict[str, Any]]:
    """The contract as data: one entry per table with its columns, as ``check --json`` prints it."""
    return [
        {
            "name": table.name,
            "grain": table.grain,
            "required": table.required,
            "key": list(table.key),
            "fills": table.fills,
            "columns": [
                {
                    "name": column.name,
                    "type": KIND_WORDS[column.kind],
                    "unit": column.unit,
                    "meaning": column.meaning,
                    "required": column.required,
                    "missing": column.missing,
                    "one_of": list(column.one_of),
                    "known_only_after_outcome": column.after_outcome,
                    "known_with": column.known_with,
                }
                for column in table.columns
            ],
        }
        for table in TABLES.values()
    ]


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
