"""What a reader sees of the data check."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.periods import day_words
from cs_helpers.data import charts
from cs_helpers.data.data_check import ChurnRecords, Coverage, Links, Quality, SetAside, TablesRead
from cs_helpers.data.tables import report
from cs_helpers.data.tables.inspection import Inspection
from cs_helpers.report import blocks
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.parameters import notebook_parameters
from cs_helpers.report.views import Tiles, View, begin_page, view_for
from cs_helpers.report.words import MIME, Headline, capital, count, percent, plain

MAX_ROWS = 20
"""How many of the rows that were set aside a page shows."""


@view_for(Quality)
class QualityView(View[Quality]):
    """Whether the source can be used, and everything that was found."""

    def headline(self, result: Quality) -> Headline:
        errors, warnings, aside = result.count("error"), result.count("warning"), result.rows_set_aside
        if errors:
            stops = f"{errors:,} error{'s stop' if errors > 1 else ' stops'} every report on this source."
            return Headline(stops, "Each says how it can be fixed.", "problems", 3.0)
        left = f"{aside:,} row{' was' if aside == 1 else 's were'} set aside" if aside else "no row was set aside"
        if not warnings:
            conclusion = "Nothing stands in the way of reports on this source."
            return Headline(conclusion, f"No warning, {left}.", "problems")
        words = f"{warnings:,} warning{'s' if warnings > 1 else ''} should be read beside the figures."
        return Headline(words, f"{capital(left)}; nothing stops a report.", "problems", 2.0)

    def tiles(self, result: Quality) -> Tiles:
        return Tiles(result.comparisons, result.currency)

    def table(self, result: Quality) -> pd.DataFrame:
        columns = ["severity", "table", "check", "rows", "message", "fix"]
        return pd.DataFrame(result.findings, columns=columns).rename(columns=str.capitalize)

    def page_table(self, result: Quality) -> Block:
        return blocks.quality(result.findings)


@view_for(TablesRead)
class TablesReadView(View[TablesRead]):
    """Rows read and used of each table, and what the absent tables are for."""

    def headline(self, result: TablesRead) -> Headline:
        present = result.present
        return Headline(
            f"The source has {len(present)} of {len(result.tables)} tables of the contract.",
            f"{present['used'].sum():,} of {count(present['read'].sum(), 'row')} are used.",
            "tables-read",
        )

    def table(self, result: TablesRead) -> pd.DataFrame:
        columns = {"table": "Table", "file": "File", "read": "Rows read", "used": "Rows used", "set_aside": "Set aside"}
        present = result.present.rename(columns=columns)
        return present[[*columns.values()]].assign(From=present["first"].map(_day), To=present["last"].map(_day))

    def page_table(self, result: TablesRead) -> Block:
        return table(self.table(result), "Tables of the contract")

    def more(self, result: TablesRead) -> Sequence[Block]:
        absent = result.absent
        if absent.empty:
            return ()
        rows = zip(absent["table"], absent["fills"], strict=True)
        items = "".join(f"<li><strong>{plain(name)}</strong> {plain(fills)}</li>" for name, fills in rows)
        html = f"<p>Absent, and what {'it' if len(absent) == 1 else 'they'} would give:</p><ul>{items}</ul>"
        return (Block(html, f"Absent: {', '.join(absent['table'])}"),)


def _day(value: pd.Timestamp | None) -> str:
    # Hyphens at which no line breaks: a date stays on one line in a narrow column.
    return "" if value is None or pd.isna(value) else f"{value:%Y-%m-%d}".replace("-", "\u2011")


@view_for(Coverage)
class CoverageView(View[Coverage]):
    """Which tables have months without any row."""

    def headline(self, result: Coverage) -> Headline:
        months, gaps = result.months, result.gaps
        span = f"{months.columns[0]:%B %Y} to {months.columns[-1]:%B %Y}"
        if not gaps:
            return Headline(f"Every dated table has rows in all {months.shape[1]} months.", f"{span}.", "coverage")
        worst = sorted(gaps.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
        named = ", ".join(f"{name} in {n} of {months.shape[1]} months" for name, n in worst)
        conclusion = f"{len(gaps)} of {len(months)} dated tables have months without rows."
        return Headline(conclusion, f"{named}; {span}.", "coverage", 1.0)

    def chart(self, result: Coverage, narrow: bool) -> Chart:
        return charts.coverage_map(result, narrow)

    def alt_text(self, result: Coverage) -> str:
        rows = [
            f"{name}: {(row > 0).sum()} of {len(row)} months with rows, {row.min():,} to {row.max():,} a month"
            for name, row in result.months.iterrows()
        ]
        return f"Rows per table and month. {'; '.join(rows)}."

    def note(self, result: Coverage) -> str:
        return "Stronger: more of the table's own largest month. An empty frame is a month without any row."

    def table(self, result: Coverage) -> pd.DataFrame:
        by_month = result.months.T.reset_index().rename_axis(None, axis=1)
        return by_month.assign(month=by_month["month"].dt.strftime("%Y-%m")).rename(columns={"month": "Month"})

    def page_table(self, result: Coverage) -> None:
        """None: with a column per table it is wider than paper, and the chart shows every cell."""


@view_for(Links)
class LinksView(View[Links]):
    """Whether the keys of each table are in the table they refer to."""

    def headline(self, result: Links) -> Headline:
        every = result.links
        partial = every[every["matched"] < every["keys"]]
        if partial.empty:
            return Headline("Every key that one table borrows from another is found there.", "", "links")
        worst = partial.sort_values("share").iloc[0]
        return Headline(
            f"{len(partial)} of {len(every)} borrowed keys lead nowhere in part.",
            f"The least: {worst['column']} of {worst['table']} finds {worst['matched']:,} of {worst['keys']:,} in "
            f"{worst['of']}.",
            "links",
            1.0,
        )

    def table(self, result: Links) -> pd.DataFrame:
        names = ("Table", "Key", "Looked up in", "Distinct keys", "Found", "Share found", "Share of theirs here")
        return result.links.set_axis(names, axis=1)

    def page_table(self, result: Links) -> Block:
        shares = dict.fromkeys(("Share found", "Share of theirs here"), percent)
        return table(self.table(result), "Do the keys meet?", shares)


@view_for(ChurnRecords)
class ChurnRecordsView(View[ChurnRecords]):
    """Whether the records of who left agree with the paid periods."""

    def headline(self, result: ChurnRecords) -> Headline:
        records = result.records
        if records.empty:
            return Headline("Who left cannot be compared between records.", "", "churn-records")
        paid = records.iloc[-1]
        others = records[records["differs"]]
        stopped = f"{paid['accounts']:,} of {paid['of_accounts']:,} accounts stopped paying"
        used = f"By paid periods {stopped}; reports rest on that."
        if len(records) <= 2:
            return Headline("This source has no other record of who left.", used, "churn-records")
        if others.empty:
            return Headline("All records of who left name the same accounts.", used, "churn-records")
        named = ", ".join(f"{row.record} {row.accounts:,}" for row in others.itertuples())
        return Headline(f"Records of who left disagree: {named}.", used, "churn-records", 1.5)

    def table(self, result: ChurnRecords) -> pd.DataFrame:
        columns = {
            "record": "Record",
            "accounts": "Accounts it names",
            "of_accounts": "Of accounts",
            "events": "Events",
            "shared": "Also by paid periods",
            "only_here": "Only here",
            "only_paid": "Only by paid periods",
        }
        return result.records.rename(columns=columns).reindex(columns=[*columns.values()])

    def page_table(self, result: ChurnRecords) -> Block:
        if result.records.empty:
            return refused("accounts and subscriptions are needed to compare")
        return table(self.table(result), "Who left, by each record")


@view_for(SetAside)
class SetAsideView(View[SetAside]):
    """The first rows that were set aside; the report runner writes all of them to a file beside the report."""

    def headline(self, result: SetAside) -> Headline:
        total = len(result.rows)
        if not total:
            return Headline("No row was set aside.", "", "set-aside")
        conclusion = f"{count(total, 'row')} {'was' if total == 1 else 'were'} set aside."
        return Headline(conclusion, f"All {total:,} stand in set_aside.csv beside this report.", "set-aside")

    def table(self, result: SetAside) -> pd.DataFrame:
        return result.rows

    def page_table(self, result: SetAside) -> Block | None:
        total = len(result.rows)
        if not total:
            return None
        shown = table(result.rows.head(MAX_ROWS), f"Rows set aside: the first {min(MAX_ROWS, total):,} of {total:,}")
        files = {MIME.format("files"): {"files": {"set_aside.csv": report.safe_csv(result.rows)}}}
        return Block(shown.html, shown.text, files)


def cover(inspection: Inspection) -> Block:
    """Company, source, covered dates and currency, at the top of a page; empty ones are left out.

    Example:
        >>> "Company" in cs.data.cover(tables.inspection).text
        True
    """
    begin_page()
    covered = not pd.isna(inspection.as_of)
    through = inspection.as_of - pd.Timedelta(days=1) if covered else None
    span = f"{day_words(inspection.observed_from)} to {day_words(through)}" if through is not None else ""
    facts = {
        "Company": inspection.company,
        "Source": f"{inspection.source} ({inspection.kind})",
        "Data": span,
        "Currency": inspection.currency,
    }
    data: dict[str, str | None] = {
        "company": visible(inspection.company),
        "currency": inspection.currency,
        "filters": "none",
        "source": inspection.source,
        "source_fingerprint": inspection.fingerprint,
        "definitions_version": definitions.VERSION,
    }
    if through is not None:
        data |= {"as_of": f"{inspection.as_of:%Y-%m-%d}", "data_through": f"{through:%Y-%m-%d}"}
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items() if v)
    text = " · ".join(f"{k}: {v}" for k, v in facts.items() if v)
    return Block(f'<dl class="cs-facts">{items}</dl>', text, {MIME.format("report"): data})


def provenance(inspection: Inspection) -> Block:
    """Which source was checked, by which version of the package and the definitions, and the notebook's parameters.

    Example:
        >>> "Fingerprint" in cs.data.provenance(tables.inspection).text
        True
    """
    from cs_helpers import __version__

    facts = {
        "Source": inspection.source,
        "Fingerprint of the contents read": inspection.fingerprint,
        "Definitions": f"version {definitions.VERSION}",
        "Package": f"cs-helpers {__version__}",
        "Parameters": ", ".join(f"{k} = {v!r}" for k, v in notebook_parameters().items() if k != "source"),
    }
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items())
    return Block(f'<dl class="cs-facts cs-provenance">{items}</dl>', "\n".join(f"{k}: {v}" for k, v in facts.items()))
