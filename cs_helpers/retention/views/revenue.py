"""Sentences, text alternatives and tables of retention results, one view per result type."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Comparison, Estimate
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, table, target_words
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import Tiles, View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    count,
    growth,
    listed,
    money,
    percent,
    points,
    quantity,
    sentence,
    short_money,
    signed,
    span_words,
)
from cs_helpers.retention import charts
from cs_helpers.retention.comparison import Summary, Trend, TrendLine
from cs_helpers.retention.groups import GroupRetention
from cs_helpers.retention.mrr import Movements
from cs_helpers.retention.other_definitions import Reconciliation
from cs_helpers.retention.start_cohorts import CohortTriangle

TOLD_AGE = 12
"""The age in months at which start cohorts are summed up in a sentence."""


@view_for(Summary)
class SummaryView(View[Summary]):
    """The change in GRR, and tiles for MRR, NRR, GRR and logo retention."""

    def headline(self, result: Summary) -> Headline:
        return change_headline(result["grr"], result.currency, "headline-tiles")

    def tiles(self, result: Summary) -> Tiles:
        return Tiles(result.comparisons, result.currency)

    def table(self, result: Summary) -> pd.DataFrame:
        return comparison_rows(result.comparisons)

    def page_table(self, result: Summary) -> Block:
        return comparison_table(result.comparisons, result.currency, "Figure", "From")


@view_for(Movements)
class MovementsView(View[Movements]):
    """Where the change in MRR came from: a plain sum of what was booked, so it has no interval."""

    def headline(self, result: Movements) -> Headline:
        total, short = result.total, short_money(result.currency)
        gained = float(total[["new", "expansion", "reactivation"]].sum())
        lost = float(total[["contraction", "churn"]].sum())
        net = float(total["ending"] - total["starting"])
        course = f"{'grew' if net > 0 else 'shrank'} by {short(abs(net))} to" if net else "stayed at"
        return Headline(
            f"MRR {course} {short(total['ending'])} over {result.window}.",
            f"{short(gained)} were gained ({short(total['new'])} from new accounts) and {short(lost)} lost "
            f"({short(total['churn'])} to churn).",
            "movements",
            abs(net) / float(total["starting"]) if total["starting"] else 0.0,
        )

    def findings(self, result: Movements) -> Sequence[Headline]:
        return (
            _year_headline(result.years),
            _quick_ratio_headline(result.quick_ratio),
            _purchases_headline(result.repeat_purchases, result.window),
        )

    def chart(self, result: Movements, narrow: bool) -> Chart:
        return charts.waterfall(result, narrow)

    def alt_text(self, result: Movements) -> str:
        total, currency = result.total, result.currency
        parts = ", ".join(f"{name} {money(value, currency)}" for name, value in total.items())
        starting, ending = (money(total[name], currency, short=True) for name in ("starting", "ending"))
        return f"MRR went from {starting} to {ending}. Waterfall of its movements: {parts}."

    def note(self, result: Movements) -> str:
        return "Every price change of an account counts on its day. Starting + gains - losses = ending, to the cent."

    def table(self, result: Movements) -> pd.DataFrame:
        return result.by_month.reset_index()

    def page_table(self, result: Movements) -> None:
        return None  # single months would name the price of a single account; ``table`` has them

    def more(self, result: Movements) -> Sequence[Block]:
        years, short = result.years, short_money(result.currency)
        shown = pd.DataFrame(
            {
                "Months": years["window"],
                "Accounts at the start": years["started"],
                "Still there": years["kept"],
                "Joined": years["won"],
                "Accounts at the end": years["ended"],
                "MRR at the start": years["started_mrr"].map(short),
                "of these accounts at the end": years["kept_mrr"].map(short),
                "MRR at the end": years["ended_mrr"].map(short),
            }
        )
        return (table(shown, "Started the year with X, ended with Y"),)


@view_for(Trend)
class TrendView(View[Trend]):
    """NRR, GRR and logo retention month by month."""

    def headline(self, result: Trend) -> Headline:
        return change_headline(result.grr, "", "trends")

    def chart(self, result: Trend, narrow: bool) -> Chart:
        return charts.trend(result, narrow)

    def alt_text(self, result: Trend) -> str:
        """Points are given with their intervals; a line that went down may still have done so by chance."""
        parts = [_course(line) for line in result.lines]
        shown = [month for line in result.lines for month in line.months]
        inside = [(day, what) for day, what in result.events if shown and min(shown) <= day <= max(shown)]
        marked = listed([f"{called(what)} ({day:%B %Y})" for day, what in inside], 6)
        if not parts:
            return "Nothing to show."
        last = [f"Marked: {marked}."] if marked else []
        return " ".join([f"Lines with their 95{NARROW_SPACE}% bands.", *parts, *last])

    def note(self, result: Trend) -> str:
        return (
            f"Each point is a window of {result.months} months that ends there. Neighbouring points share most of "
            f"their months, so the line is smoother than the business. The band is the {SPAN}, a dashed line the "
            "target."
        )

    def table(self, result: Trend) -> pd.DataFrame:
        return pd.DataFrame(
            [
                (line.key, month, value, low, high, line.target)
                for line in result.lines
                for month, value, low, high in zip(line.months, line.values, line.low, line.high, strict=True)
            ],
            columns=["metric", "month", "value", "low", "high", "target"],
        )

    def page_table(self, result: Trend) -> Block | None:
        if not result.lines:
            return None
        columns: dict[str, list[str]] = {"Last month": [f"{month:%B %Y}" for month in result.lines[0].months]}
        for line in result.lines:
            rows = zip(line.values, line.low, line.high, strict=True)
            columns[line.label] = [_with_span(*row) for row in rows]
        return table(pd.DataFrame(columns), f"Windows of {result.months} months, by their last month")


@view_for(GroupRetention)
class GroupRetentionView(View[GroupRetention]):
    """Groups that keep clearly more or less revenue than all others together."""

    def headline(self, result: GroupRetention) -> Headline:
        frame = result.rows
        different = frame[frame["verdict"] != "no clear difference"].sort_values("difference")
        if different.empty:
            low, high = frame["grr"].min(), frame["grr"].max()
            return Headline(
                f"No {result.by} keeps clearly more or less revenue than the others.",
                f"GRR runs from {percent(low)} to {percent(high)} across {len(frame)} groups, within what chance "
                "explains.",
                "groups",
            )
        name, row = different.index[0], different.iloc[0]
        if row["difference"] > 0:
            name, row = different.index[-1], different.iloc[-1]
        more = "more" if row["difference"] > 0 else "less"
        return Headline(
            f"{result.by} {name} keeps {more} revenue than the others: GRR {percent(row['grr'])}.",
            f"A difference of {points(row['difference'])}, interval {signed(row['difference_low'])} to "
            f"{signed(row['difference_high'])}, which allows for looking at {len(frame)} groups.",
            "groups",
            abs(row["difference"]) * float(row["share"]),
        )

    def chart(self, result: GroupRetention, narrow: bool) -> Chart:
        return charts.group_bars(result, narrow)

    def alt_text(self, result: GroupRetention) -> str:
        rows = [
            f"{called(name)} {percent(row['grr'])}, {SPAN} {span_words(row['grr_low'], row['grr_high'])}, "
            f"{count(row['accounts'], 'account')}"
            + (f", before {percent(row['grr_before'])}" if pd.notna(row["grr_before"]) else "")
            for name, row in result.rows.iterrows()
        ]
        return f"GRR by {called(result.by)}, {percent(result.overall)} of all accounts: {'; '.join(rows)}."

    def note(self, result: GroupRetention) -> str:
        parts = [
            f"GRR over {result.window}. Dot and line: value and {SPAN}; hollow: the window before. Groups under "
            f"{result.min_accounts} accounts are not shown by themselves."
        ]
        if result.pooled:
            parts.append(f"Pooled as other: {listed([called(name) for name in result.pooled])}.")
        if result.withheld:
            parts.append(
                f"{count(result.withheld, 'account')} in groups that are too small even together are not shown."
            )
        return " ".join([*parts, "An account has the group it has today."])

    def table(self, result: GroupRetention) -> pd.DataFrame:
        return result.rows.reset_index()

    def page_table(self, result: GroupRetention) -> Block:
        frame = result.rows

        def both(key: str) -> list[str]:
            rows = zip(frame[key], frame[f"{key}_low"], frame[f"{key}_high"], strict=True)
            return [_with_span(*row) for row in rows]

        shown = pd.DataFrame(
            {
                visible(result.by).capitalize(): [visible(name) for name in frame.index],
                "Accounts": frame["accounts"].to_numpy(),
                "MRR at the start": frame["starting_mrr"].map(short_money(result.currency)).to_numpy(),
                "GRR": both("grr"),
                "NRR": both("nrr"),
                "Logo retention": both("logo"),
                "GRR before": frame["grr_before"].map(percent).to_numpy(),
                "GRR against the others": frame["verdict"].to_numpy(),
            }
        )
        return table(shown, f"By {called(result.by)}, {result.window}")


@view_for(CohortTriangle)
class CohortTriangleView(View[CohortTriangle]):
    """The share of each start cohort that is kept, by age."""

    def headline(self, result: CohortTriangle) -> Headline:
        pooled, anchor = result.pooled(TOLD_AGE), "cohorts-revenue" if result.value == "revenue" else "cohorts"
        if pooled.value is None:
            return Headline(
                f"Cohorts say nothing yet about {TOLD_AGE} months.", capital(sentence(pooled.reason)), anchor
            )
        if result.value == "revenue":
            return Headline(
                f"Start cohorts pay {percent(pooled.value, 0)} of their first MRR {TOLD_AGE} months later, growth "
                "included.",
                f"{count(pooled.n, 'account')} in start cohorts that are old enough to tell; a sum, as it was booked.",
                anchor,
            )
        return Headline(
            f"{percent(pooled.value, 0)} of the accounts won since the data began still paid {TOLD_AGE} months later.",
            f"{pooled.numerator:,.0f} of {pooled.n:,} in start cohorts that are old enough to tell; {SPAN} "
            f"{span_words(pooled.low, pooled.high, 0)}.",
            anchor,
        )

    def chart(self, result: CohortTriangle, narrow: bool) -> Chart:
        return charts.cohort_heatmap(result, narrow)

    def alt_text(self, result: CohortTriangle) -> str:
        """The spread of the cohorts at each half year of age, and what the oldest cohort keeps."""
        shares = result.shares
        spread = []
        for age in [age for age in shares.columns if int(age) and int(age) % 6 == 0]:
            seen = shares[age].dropna()
            if len(seen):
                span = span_words(seen.min(), seen.max(), 0) if len(seen) > 1 else percent(seen.iloc[0], 0)
                spread.append(f"{span} at {age} months in {count(len(seen), 'cohort')}")
        what = "Share of each start cohort still paying" if result.value == "logo" else "MRR of each start cohort"
        oldest = shares.iloc[0].dropna()
        return (
            f"{what}, by age: {count(len(shares), 'cohort')} from {shares.index[0]:%B %Y} to "
            f"{shares.index[-1]:%B %Y}, {count(result.accounts.sum(), 'account')}. "
            f"{capital('; '.join(spread)) or 'No cohort is half a year old'}. "
            f"The oldest cohort keeps {percent(oldest.iloc[-1], 0)} at {oldest.index[-1]} months."
        )

    def note(self, result: CohortTriangle) -> str:
        left_out = (
            f" {result.left_out:,} accounts that started before the data began are left out: only survivors are seen."
            if result.left_out
            else ""
        )
        what = (
            "the accounts of each start quarter that still paid at that age"
            if result.value == "logo"
            else "the first MRR of each start quarter that its accounts paid at that age, growth included"
        )
        return f"Percent of {what}. Empty: not yet to be seen.{left_out}"

    def table(self, result: CohortTriangle) -> pd.DataFrame:
        return result.shares.assign(accounts=result.accounts, starting_mrr=result.starting_mrr).reset_index()

    def page_table(self, result: CohortTriangle) -> None:
        return None  # the chart writes every share into its cell

    def parts(self, result: CohortTriangle) -> Sequence[Result]:
        return () if result.by_revenue is None else (result.by_revenue,)


@view_for(Reconciliation)
class ReconciliationView(View[Reconciliation]):
    """The figures of this report beside those of other definitions, and why they differ."""

    def headline(self, result: Reconciliation) -> Headline:
        rows = result.rows[result.rows["metric"] == "grr"]
        own, others = rows.loc[rows["used"], "value"].iloc[0], rows.loc[~rows["used"], "value"]
        name = definitions.metric("grr").name
        return Headline(
            f"{name} is {percent(own)} here and {span_words(others.min(), others.max())} under other definitions.",
            f"{len(result.rows)} definitions of {result.rows['metric'].nunique()} metrics over {result.window}.",
            "reconciliation",
        )

    def table(self, result: Reconciliation) -> pd.DataFrame:
        return result.rows

    def page_table(self, result: Reconciliation) -> Block:
        shown = []
        for metric, definition, used, value, numerator, denominator, why in result.rows.itertuples(index=False):
            amounts = (numerator, denominator)
            counted = "logo" in metric
            parts = [f"{x:,.0f}".replace("-", "−") if counted else money(x, result.currency) for x in amounts]
            ratio = definitions.metric(metric).unit == "ratio"
            shown.append(
                {
                    "Metric": definitions.metric(metric).name,
                    "Definition": definition + (" (used here)" if used else ""),
                    "Value": percent(value) if not ratio else "–" if pd.isna(value) else f"{value:.2f}",
                    "From": " / ".join(parts),
                    "Why it differs": why,
                }
            )
        return table(pd.DataFrame(shown))


def change_headline(comparison: Comparison, currency: str, anchor: str) -> Headline:
    """How a headline number moved: rise, fall, no clear change, too few accounts, or nothing to compare it with."""
    now, before, change = comparison.now, comparison.before, comparison.change
    name = definitions.metric(now.key).name
    if now.value is None:
        return Headline(f"{name} cannot be given: {sentence(now.reason)}", "", anchor)
    value, earlier = quantity(now, currency), quantity(before, currency)
    if now.low is None:
        grown = growth(now.value, before.value)
        against = f"That is {grown} against {earlier} for {comparison.before_window}." if grown else ""
        return Headline(f"{name} is {value}.", against, anchor)
    level = f"{SPAN} {span_words(now.low, now.high)}"
    if change.difference is not None and change.low is not None and change.high is not None:
        by = f"{points(change.difference)}, {SPAN} {signed(change.low)} to {signed(change.high)}"
        aim = _target_words(comparison)
        if change.verdict in ("rise", "fall"):
            verb = "rose" if change.verdict == "rise" else "fell"
            found = f"{name} {verb} from {earlier} to {value}."
            return Headline(found, f"A difference of {by}.{aim}", anchor, abs(change.difference))
        found = f"{name} is {value}, no clear change from {earlier}."
        return Headline(found, f"{capital(level)}; the difference could be chance ({by}).{aim}", anchor)
    why = f"Whether it changed cannot be told: {sentence(change.reason)}"
    return Headline(f"{name} is {value} ({level}).", why, anchor)


def _target_words(comparison: Comparison) -> str:
    aim = comparison.target
    if aim is None:
        return ""
    value = quantity(replace(comparison.now, value=aim.value), "")
    told = {"met": "is met", "missed": "is missed"}.get(aim.verdict, "lies inside the interval, so it is neither")
    return f" The target of {value} {told}."


def comparison_rows(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row per metric: its estimate now and before, how it moved, and its target; numbers as they are."""
    return pd.DataFrame(
        {
            "metric": item.now.key,
            "value": item.now.value,
            "low": item.now.low,
            "high": item.now.high,
            "numerator": item.now.numerator,
            "denominator": item.now.denominator,
            "n": item.now.n,
            "before": item.before.value,
            "difference": item.change.difference,
            "verdict": item.change.verdict,
            "target": item.target.value if item.target else None,
        }
        for item in comparisons
    )


def comparison_table(comparisons: Sequence[Comparison], currency: str, title: str, basis: str) -> Block:
    """One row per metric: now with its interval and what it rests on (``basis``), before, the change, the target."""
    rows = []
    for item in comparisons:
        now, counted = item.now, "logo" in item.now.key
        amounts = [each for each in (now.numerator, now.denominator) if each is not None] or [0, 0]
        parts = [f"{x:,.0f}" if counted else money(x, currency) for x in amounts]
        rows.append(
            {
                title: definitions.metric(now.key).name,
                item.now_window: quantity(now, currency),
                f"95{NARROW_SPACE}% interval": span_words(now.low, now.high) or "–",
                basis: " / ".join(parts),
                item.before_window: quantity(item.before, currency),
                "Change": item.change.verdict,
                "Target": target_words(item, currency).removeprefix("Target ") or "none set",
            }
        )
    return table(pd.DataFrame(rows))


def _with_span(value: float, low: float, high: float) -> str:
    return f"{percent(value)} ({span_words(low, high)})" if math.isfinite(value) else "–"


def _year_headline(years: pd.DataFrame) -> Headline:
    """Started with X accounts, ended with Y, for the latest year."""
    row = years.iloc[0]
    if not row["started"]:
        return Headline(f"No account was paying as {row['window']} began.", "", "years")
    return Headline(
        f"{row['window']}: started with {count(row['started'], 'account')}, ended with {row['ended']:,}.",
        f"{row['kept']:,} of those at the start still paid at the end, {row['started'] - row['kept']:,} did not, and "
        f"{row['won']:,} that were not paying at the start had joined.",
        "years",
    )


def _quick_ratio_headline(ratio: Estimate) -> Headline:
    """Gains over losses of MRR: a plain ratio of what was booked."""
    if ratio.value is None:
        return Headline("There is no quick ratio.", capital(sentence(ratio.reason)), "quick-ratio")
    short = "more than was lost" if ratio.value > 1 else "less than was lost" if ratio.value < 1 else "what was lost"
    return Headline(
        f"For every 1 of MRR lost, {ratio.value:.2f} were gained (quick ratio).",
        f"Gained was {short}; new accounts count here and not in GRR or NRR.",
        "quick-ratio",
    )


def _purchases_headline(rate: Estimate, window: str) -> Headline:
    """The share of buying accounts that bought again in the window."""
    if rate.value is None:
        return Headline("The repeat purchase rate cannot be given.", capital(sentence(rate.reason)), "purchases")
    return Headline(
        f"{percent(rate.value, 0)} of the accounts that bought something in {window} bought more than once.",
        f"{rate.numerator:,.0f} of {rate.n:,}; {SPAN} {span_words(rate.low, rate.high, 0)}. A purchase is a start, a "
        "return, an expansion or an agreed renewal.",
        "purchases",
    )


def _course(line: TrendLine) -> str:
    """One line of a trend chart in words: first and last value with intervals, turns, gaps and target."""
    rows = zip(line.months, line.values, line.low, line.high, strict=True)
    seen = [(f"{month:%B %Y}", value, low, high) for month, value, low, high in rows if math.isfinite(value)]
    if not seen:
        return f"{line.label}: no value yet."

    def point_words(point: tuple[str, float, float, float]) -> str:
        month, value, low, high = point
        return f"{percent(value)} ({span_words(low, high)}) at {month}"

    first, last = seen[0], seen[-1]
    target = _target_of_band(line.target, last[2], last[3])
    if len(seen) == 1:
        return f"{line.label}: {point_words(last)}{target}."
    moved = last[1] - first[1]
    way = f"up {points(moved).lstrip('+')}" if moved > 0 else f"down {points(-moved).lstrip('+')}" if moved else "level"
    turns = []
    for word, turn in (("lowest", min(seen, key=lambda p: p[1])), ("highest", max(seen, key=lambda p: p[1]))):
        if min(abs(turn[1] - end[1]) for end in (first, last)) >= 0.005:
            turns.append(f"{word} {percent(turn[1])} at {turn[0]}")
    between = f", {' and '.join(turns)}" if turns else ""
    gaps = len(line.values) - len(seen)
    missing = f", without a value in {count(gaps, 'month')}" if gaps else ""
    return f"{line.label} went from {point_words(first)} to {point_words(last)}, {way}{between}{missing}{target}."


def _target_of_band(target: float | None, low: float, high: float) -> str:
    """Where the last band lies against the target; nothing without one."""
    if target is None or not math.isfinite(target):
        return ""
    side = "lies wholly below" if high < target else "lies wholly above" if low > target else "holds"
    return f"; its last band {side} the target of {percent(target)}"
