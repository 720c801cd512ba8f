"""Words about a source: what is in it, what is wrong, what it covers, whether its records agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.periods import day_words
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.words import MIME, Headline, percent, plain

# Where the answers stand in data_check: the ids that the page gives its headings.
_WRONG, _KEYS, _RIVALS = "s-what-is-wrong", "s-do-the-keys-meet", "s-who-left-by-each-record"


def source_opening(seen: Any) -> Block:
    """Company, source, what it covers; where errors stop everything, only what is known."""
    covered = not pd.isna(seen.as_of)
    through = seen.as_of - pd.Timedelta(days=1) if covered else None
    span = f"{day_words(seen.observed_from)} to {day_words(through)}" if through is not None else ""
    facts = {"Company": seen.company, "Source": f"{seen.source} ({seen.kind})", "Data": span, "Currency": seen.currency}
    data: dict[str, Any] = {
        "company": visible(seen.company),
        "currency": seen.currency,
        "filters": "none",
        "source": seen.source,
        "source_fingerprint": seen.fingerprint,
        "definitions_version": definitions.VERSION,
    }
    if through is not None:
        data |= {"as_of": f"{seen.as_of:%Y-%m-%d}", "data_through": f"{through:%Y-%m-%d}"}
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items() if v)
    text = " · ".join(f"{k}: {v}" for k, v in facts.items() if v)
    return Block(f'<dl class="cs-facts">{items}</dl>', text, {MIME.format("report"): data})


def say_problems(found: Sequence[Any]) -> Headline:
    """Whether the source can be used, and how much was found."""
    errors, warnings = (sum(each.severity == name for each in found) for name in ("error", "warning"))
    aside = sum(each.rows for each in found if each.severity == "set aside")
    if errors:
        stops = f"{errors:,} error{'s stop' if errors > 1 else ' stops'} every report on this source."
        return Headline(stops, "Each says how it can be mended.", _WRONG, 3.0)
    left = f"{aside:,} row{' was' if aside == 1 else 's were'} set aside" if aside else "no row was set aside"
    if not warnings:
        return Headline("Nothing stands in the way of reports on this source.", f"No warning, {left}.", _WRONG)
    words = f"{warnings:,} warning{'s' if warnings > 1 else ''} should be read beside the figures."
    return Headline(words, f"{left[:1].upper()}{left[1:]}; nothing stops a report.", _WRONG, 2.0)


def set_aside(rows: pd.DataFrame, total: int, text: str, most: int = 20) -> Block:
    """The first rows that were set aside, and all of them as a file beside the report, which the runner writes."""
    if not total:
        return Block('<p class="cs-fine">No row was set aside.</p>', "No row was set aside.")
    shown = table(rows.head(most), f"Rows set aside: the first {min(most, total):,} of {total:,}")
    note = f"All {total:,} stand in set_aside.csv beside this report."
    files = {MIME.format("files"): {"files": {"set_aside.csv": text}}}
    return Block(f'{shown.html}<p class="cs-note">{plain(note)}</p>', f"{shown.text}\n{note}", files)


def tables_read(overview: pd.DataFrame) -> Block:
    """What was read and used of each table, and what the absent ones would give."""

    def day(value: Any) -> str:
        # Hyphens at which no line breaks: a date stays on one line in a narrow column.
        return "" if value is None or pd.isna(value) else f"{value:%Y-%m-%d}".replace("-", "\u2011")

    there = overview[overview["file"] != "absent"]
    frame = pd.DataFrame(
        {
            "Table": there["table"],
            "File": there["file"],
            "Rows read": there["read"],
            "Rows used": there["used"],
            "Set aside": there["set_aside"],
            "From": there["first"].map(day),
            "To": there["last"].map(day),
        }
    )
    block = table(frame, "Tables of the contract")
    absent = overview[overview["file"] == "absent"]
    if absent.empty:
        return block
    items = "".join(
        f"<li><strong>{plain(row['table'])}</strong> {plain(row['fills'])}</li>" for row in absent.to_dict("records")
    )
    html = f"<p>Absent, and what {'it' if len(absent) == 1 else 'they'} would give:</p><ul>{items}</ul>"
    names = ", ".join(absent["table"])
    return Block(block.html + html, f"{block.text}\nAbsent: {names}")


def say_coverage(months: pd.DataFrame | Suppressed) -> Headline:
    """Which tables have months without any row."""
    if isinstance(months, Suppressed):
        return Headline(
            "What the source covers cannot be told yet.", f"{months.reason[:1].upper()}{months.reason[1:]}.", "coverage"
        )
    gaps = {name: int((row == 0).sum()) for name, row in months.iterrows()}
    gaps = {name: n for name, n in gaps.items() if n}
    span = f"{months.columns[0]:%B %Y} to {months.columns[-1]:%B %Y}"
    if not gaps:
        return Headline(f"Every dated table has rows in all {months.shape[1]} months.", f"{span}.", "coverage")
    worst = sorted(gaps.items(), key=lambda pair: (-pair[1], str(pair[0])))[:3]
    named = ", ".join(f"{name} in {n} of {months.shape[1]} months" for name, n in worst)
    return Headline(
        f"{len(gaps)} of {len(months)} dated tables have months without rows.", f"{named}; {span}.", "coverage", 1.0
    )


def alt_coverage(months: pd.DataFrame | Suppressed) -> str:
    """What the coverage map shows, table by table."""
    if isinstance(months, Suppressed):
        return ""
    rows = [
        f"{name}: {int((row > 0).sum())} of {len(row)} months with rows, {int(row.min()):,} to {int(row.max()):,} a "
        "month"
        for name, row in months.iterrows()
    ]
    return f"Rows per table and month. {'; '.join(rows)}."


def say_keys(overlap: pd.DataFrame | Suppressed) -> Headline:
    """Whether the keys of the tables meet."""
    if isinstance(overlap, Suppressed):
        return Headline(
            "Whether the keys meet cannot be told.", f"{overlap.reason[:1].upper()}{overlap.reason[1:]}.", _KEYS
        )
    loose = overlap[overlap["matched"] < overlap["keys"]]
    if loose.empty:
        return Headline("Every key that one table borrows from another is found there.", "", _KEYS)
    worst = loose.sort_values("share").iloc[0]
    return Headline(
        f"{len(loose)} of {len(overlap)} borrowed keys lead nowhere in part.",
        f"The least: {worst['column']} of {worst['table']} finds {worst['matched']:,} of {worst['keys']:,} in "
        f"{worst['of']}.",
        _KEYS,
        1.0,
    )


def key_overlap(overlap: pd.DataFrame | Suppressed) -> Block:
    """How far tables speak of the same accounts and reps."""
    if isinstance(overlap, Suppressed):
        return refused(overlap.reason)
    frame = pd.DataFrame(
        {
            "Table": overlap["table"],
            "Key": overlap["column"],
            "Looked up in": overlap["of"],
            "Distinct keys": overlap["keys"],
            "Found": overlap["matched"],
            "Share found": overlap["share"],
            "Share of theirs here": overlap["covered"],
        }
    )
    shares = dict.fromkeys(("Share found", "Share of theirs here"), percent)
    return table(frame, "Do the keys meet?", shares)


def say_rivals(records: pd.DataFrame | Suppressed) -> Headline:
    """Whether the records of who left agree with the paid periods."""
    if isinstance(records, Suppressed) or records.empty:
        return Headline("Who left cannot be compared between records.", "", _RIVALS)
    paid = records.iloc[-1]
    others = records[records["differs"]]
    stopped = f"{paid['accounts']:,} of {paid['of_accounts']:,} accounts"
    used = f"By paid periods {stopped} stopped paying; reports rest on that."
    if len(records) <= 2:
        return Headline("This source has no other record of who left.", used, _RIVALS)
    if others.empty:
        return Headline("All records of who left name the same accounts.", used, _RIVALS)
    named = ", ".join(f"{row.record} {row.accounts:,}" for row in others.itertuples())
    return Headline(f"Records of who left disagree: {named}.", used, _RIVALS, 1.5)


def rivals(records: pd.DataFrame | Suppressed) -> Block:
    """Who left, by each record of it, against the paid periods."""
    if isinstance(records, Suppressed) or records.empty:
        return refused(
            records.reason if isinstance(records, Suppressed) else "accounts and subscriptions are needed to compare"
        )
    frame = pd.DataFrame(
        {
            "Record": records["record"],
            "Accounts it names": records["accounts"],
            "Of accounts": records["of_accounts"],
            "Events": records["events"],
            "Also by paid periods": records["shared"],
            "Only here": records["only_here"],
            "Only by paid periods": records["only_paid"],
        }
    )
    return table(frame, "Who left, by each record")


def source_provenance(seen: Any, **parameters: Any) -> Block:
    """Which source was checked, by what."""
    from cs_helpers import __version__

    facts = {
        "Source": seen.source,
        "Fingerprint of the contents read": seen.fingerprint,
        "Definitions": f"version {definitions.VERSION}",
        "Package": f"cs-helpers {__version__}",
        "Parameters": ", ".join(f"{k} = {v!r}" for k, v in parameters.items()),
    }
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items())
    return Block(f'<dl class="cs-facts cs-provenance">{items}</dl>', "\n".join(f"{k}: {v}" for k, v in facts.items()))
