"""Sentences, text alternatives and tables about retention."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Comparison
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table, target_words
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
    plain,
    points,
    quantity,
    refusal_takeaway,
    sentence,
    short_money,
    signed,
    span_words,
)


def say_change(comparison: Comparison, currency: str = "", anchor: str = "headline-tiles") -> Headline:
    """How a headline number moved: rise, fall, no clear change, too few, or nothing to compare it with."""
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
        aim = _aim_words(comparison)
        if change.verdict in ("rise", "fall"):
            verb = "rose" if change.verdict == "rise" else "fell"
            found = f"{name} {verb} from {earlier} to {value}."
            return Headline(found, f"A difference of {by}.{aim}", anchor, abs(change.difference))
        found = f"{name} is {value}, no clear change from {earlier}."
        return Headline(found, f"{capital(level)}; the difference could be chance ({by}).{aim}", anchor)
    why = f"Whether it changed cannot be told: {sentence(change.reason)}"
    return Headline(f"{name} is {value} ({level}).", why, anchor)


def _aim_words(comparison: Comparison) -> str:
    aim = comparison.target
    if aim is None:
        return ""
    value = quantity(replace(comparison.now, value=aim.value), "")
    told = {"met": "is met", "missed": "is missed"}.get(aim.verdict, "lies inside the interval, so it is neither")
    return f" The target of {value} {told}."


def say_movements(total: pd.Series, currency: str, window: str, anchor: str = "movements") -> Headline:
    """Where the change in MRR came from: a plain sum of what was booked, so it has no interval."""
    short = short_money(currency)
    gained = float(total[["new", "expansion", "reactivation"]].sum())
    lost = float(total[["contraction", "churn"]].sum())
    net = float(total["ending"] - total["starting"])
    course = f"{'grew' if net > 0 else 'shrank'} by {short(abs(net))} to" if net else "stayed at"
    return Headline(
        f"MRR {course} {short(total['ending'])} over {window}.",
        f"{short(gained)} were gained ({short(total['new'])} from new accounts) and {short(lost)} lost "
        f"({short(total['churn'])} to churn).",
        anchor,
        abs(net) / float(total["starting"]) if total["starting"] else 0.0,
    )


def say_cohorts(triangle: Any, age: int = 12, anchor: str = "cohorts") -> Headline:
    """What start cohorts keep at an age, pooled: accounts with their interval, or MRR as it was booked."""
    pooled = triangle.pooled(age)
    if pooled.value is None:
        return Headline(f"Cohorts say nothing yet about {age} months.", capital(sentence(pooled.reason)), anchor)
    if triangle.value == "revenue":
        return Headline(
            f"Start cohorts pay {percent(pooled.value, 0)} of their first MRR {age} months later, growth included.",
            f"{count(pooled.n, 'account')} in start cohorts that are old enough to tell; a sum, as it was booked.",
            anchor,
        )
    return Headline(
        f"{percent(pooled.value, 0)} of the accounts won since the data began still paid {age} months later.",
        f"{pooled.numerator:,.0f} of {pooled.n:,} in start cohorts that are old enough to tell; {SPAN} "
        f"{span_words(pooled.low, pooled.high, 0)}.",
        anchor,
    )


def alt_movements(total: pd.Series, currency: str) -> str:
    """What the waterfall shows, for somebody who cannot see it."""
    parts = ", ".join(f"{name} {money(value, currency)}" for name, value in total.items())
    starting, ending = (money(total[name], currency, short=True) for name in ("starting", "ending"))
    return f"MRR went from {starting} to {ending}. Waterfall of its movements: {parts}."


def alt_cohorts(triangle: Any) -> str:
    """What the cohort heat map shows: the spread of the cohorts at each half year of age, and how the oldest stands."""
    table = triangle.table
    if table.empty:
        return ""
    spread = []
    for age in [age for age in table.columns if age and age % 6 == 0]:
        seen = table[age].dropna()
        if len(seen):
            span = span_words(seen.min(), seen.max(), 0) if len(seen) > 1 else percent(seen.iloc[0], 0)
            spread.append(f"{span} at {age} months in {count(len(seen), 'cohort')}")
    what = "Share of each start cohort still paying" if triangle.value == "logo" else "MRR of each start cohort"
    oldest = table.iloc[0].dropna()
    return (
        f"{what}, by age: {count(len(table), 'cohort')} from {table.index[0]:%B %Y} to {table.index[-1]:%B %Y}, "
        f"{count(triangle.accounts.sum(), 'account')}. {capital('; '.join(spread)) or 'No cohort is half a year old'}. "
        f"The oldest cohort keeps {percent(oldest.iloc[-1], 0)} at {oldest.index[-1]} months."
    )


def note_cohorts(triangle: Any) -> str:
    """How to read the heat map, and who is not in it."""
    left_out = (
        f" {triangle.left_out:,} accounts that started before the data began are left out: only survivors are seen."
        if triangle.left_out
        else ""
    )
    what = (
        "the accounts of each start quarter that still paid at that age"
        if triangle.value == "logo"
        else "the first MRR of each start quarter that its accounts paid at that age, growth included"
    )
    return f"Percent of {what}. Empty: not yet to be seen.{left_out}"


def reconciliation(frame: pd.DataFrame | Suppressed, currency: str) -> Block:
    """Why another team's number differs: the same book under rival definitions, or why it cannot be shown."""
    if isinstance(frame, Suppressed):
        return refused(frame.reason)

    def shown(row: Mapping[str, Any]) -> dict[str, str]:
        count = "logo" in row["metric"]
        amounts = [row[x] for x in ("numerator", "denominator")]
        parts = [f"{x:,.0f}".replace("-", "−") if count else money(x, currency) for x in amounts]
        ratio = definitions.metric(row["metric"]).unit == "ratio"
        return {
            "Metric": definitions.metric(row["metric"]).name,
            "Definition": row["definition"] + (" (used here)" if row["used"] else ""),
            "Value": percent(row["value"]) if not ratio else "–" if pd.isna(row["value"]) else f"{row['value']:.2f}",
            "From": " / ".join(parts),
            "Why it differs": row["why"],
        }

    rows: Any = frame.to_dict("records")
    return table(pd.DataFrame([shown(row) for row in rows]))


def say_years(frame: pd.DataFrame, anchor: str = "years") -> Headline:
    """Started with X accounts, ended with Y: the latest row of ``retention.years``."""
    row = frame.iloc[0]
    if not row["started"]:
        return Headline(f"No account was paying as {row['window']} began.", "", anchor)
    return Headline(
        f"{row['window']}: started with {count(row['started'], 'account')}, ended with {row['ended']:,}.",
        f"{row['kept']:,} of those at the start still paid at the end, {row['started'] - row['kept']:,} did not, and "
        f"{row['won']:,} that were not paying at the start had joined.",
        anchor,
    )


def years_table(frame: pd.DataFrame, currency: str) -> Block:
    """Started with X, ended with Y: accounts and MRR of each year."""
    short = short_money(currency)
    shown = pd.DataFrame(
        {
            "Months": frame["window"],
            "Accounts at the start": frame["started"],
            "Still there": frame["kept"],
            "Joined": frame["won"],
            "Accounts at the end": frame["ended"],
            "MRR at the start": frame["started_mrr"].map(short),
            "of these accounts at the end": frame["kept_mrr"].map(short),
            "MRR at the end": frame["ended_mrr"].map(short),
        }
    )
    return table(shown, "Started the year with X, ended with Y")


def alt_trends(trends: Sequence[Any], events: pd.DataFrame | None = None) -> str:
    """What the trend charts show: from where to where each line went, its turns, its target and what was marked.

    Points are said with their intervals; that a line went down is no claim that it did so by more than chance.
    """
    parts = [_course(trend) for trend in trends]
    shown = [month for trend in trends for month in trend.months]
    inside = (
        [] if events is None or not shown else [e for e in events.itertuples() if min(shown) <= e.month <= max(shown)]
    )
    marked_ = listed([f"{called(e.label)} ({e.month:%B %Y})" for e in inside], 6)
    if not parts:
        return "Nothing to show."
    last = [f"Marked: {marked_}."] if marked_ else []
    return " ".join([f"Lines with their 95{NARROW_SPACE}% bands.", *parts, *last])


def _course(trend: Any) -> str:
    """One line of a trend chart in words."""
    rows = zip(trend.months, trend.values, trend.low, trend.high, strict=True)
    seen = [(f"{month:%B %Y}", value, low, high) for month, value, low, high in rows if math.isfinite(value)]
    if not seen:
        return f"{trend.label}: no value yet."

    def said(point: tuple[str, float, float, float]) -> str:
        month, value, low, high = point
        return f"{percent(value)} ({span_words(low, high)}) at {month}"

    first, last = seen[0], seen[-1]
    target = _aim_of_band(trend.target, last[2], last[3])
    if len(seen) == 1:
        return f"{trend.label}: {said(last)}{target}."
    moved = last[1] - first[1]
    way = f"up {points(moved).lstrip('+')}" if moved > 0 else f"down {points(-moved).lstrip('+')}" if moved else "level"
    turns = []
    for word, turn in (("lowest", min(seen, key=lambda p: p[1])), ("highest", max(seen, key=lambda p: p[1]))):
        if min(abs(turn[1] - end[1]) for end in (first, last)) >= 0.005:
            turns.append(f"{word} {percent(turn[1])} at {turn[0]}")
    between = f", {' and '.join(turns)}" if turns else ""
    gaps = len(trend.values) - len(seen)
    missing = f", without a value in {count(gaps, 'month')}" if gaps else ""
    return f"{trend.label} went from {said(first)} to {said(last)}, {way}{between}{missing}{target}."


def _aim_of_band(target: float | None, low: float, high: float) -> str:
    """Where the last band lies against the target; nothing without one."""
    if target is None or not math.isfinite(target):
        return ""
    side = "lies wholly below" if high < target else "lies wholly above" if low > target else "holds"
    return f"; its last band {side} the target of {percent(target)}"


def note_trends(months: int) -> str:
    """How to read the trends."""
    return (
        f"Each point is a window of {months} months that ends there. Neighbouring points share most of their months, "
        f"so the line is smoother than the business. The band is the {SPAN}, a dashed line the target."
    )


def say_groups(groups: Any, anchor: str = "groups") -> Headline:
    """Which groups keep clearly more or less revenue than all others together."""
    if refusal := refusal_takeaway("Groups cannot be compared.", groups, anchor):
        return refusal
    frame = groups.table
    apart = frame[frame["verdict"] != "no clear difference"].sort_values("difference")
    if apart.empty:
        low, high = frame["grr"].min(), frame["grr"].max()
        return Headline(
            f"No {groups.by} keeps clearly more or less revenue than the others.",
            f"GRR runs from {percent(low)} to {percent(high)} across {len(frame)} groups, within what chance explains.",
            anchor,
        )
    name, row = apart.index[0], apart.iloc[0]
    if row["difference"] > 0:
        name, row = apart.index[-1], apart.iloc[-1]
    more = "more" if row["difference"] > 0 else "less"
    return Headline(
        f"{groups.by} {name} keeps {more} revenue than the others: GRR {percent(row['grr'])}.",
        f"A difference of {points(row['difference'])}, interval {signed(row['difference_low'])} to "
        f"{signed(row['difference_high'])}, which allows for looking at {len(frame)} groups.",
        anchor,
        abs(row["difference"]) * float(row["share"]),
    )


def alt_groups(groups: Any) -> str:
    """What the comparison of groups shows: all accounts, then each group now, with its interval, and before."""
    if isinstance(groups, Suppressed):
        return ""
    rows = [
        f"{called(name)} {percent(row['grr'])}, {SPAN} {span_words(row['grr_low'], row['grr_high'])}, "
        f"{count(row['accounts'], 'account')}"
        + (f", before {percent(row['grr_before'])}" if pd.notna(row["grr_before"]) else "")
        for name, row in groups.table.iterrows()
    ]
    overall = f", {percent(groups.overall)} of all accounts" if groups.overall is not None else ""
    return f"GRR by {called(groups.by)}{overall}: {'; '.join(rows)}."


def note_groups(groups: Any) -> str:
    """How to read the comparison of groups, and who is not shown by himself."""
    if isinstance(groups, Suppressed):
        return ""
    parts = [
        f"GRR over {groups.window}. Dot and line: value and {SPAN}; hollow: the window before. Groups under "
        f"{groups.smallest} accounts are not shown by themselves."
    ]
    if groups.pooled:
        parts.append(f"Pooled as other: {listed([called(name) for name in groups.pooled])}.")
    if groups.withheld:
        parts.append(f"{count(groups.withheld, 'account')} in groups that are too small even together are not shown.")
    return " ".join([*parts, "An account has the group it has today."])


def groups_table(groups: Any, currency: str) -> Block:
    """GRR, NRR and logo retention by group, each with its interval; nothing where groups are refused."""
    if isinstance(groups, Suppressed):
        return Block("", "")
    short = short_money(currency)
    frame = groups.table

    def both(key: str) -> list[str]:
        rows = zip(frame[key], frame[f"{key}_low"], frame[f"{key}_high"], strict=True)
        return [f"{percent(value)} ({span_words(low, high)})" for value, low, high in rows]

    shown = pd.DataFrame(
        {
            visible(groups.by).capitalize(): [visible(name) for name in frame.index],
            "Accounts": frame["accounts"].to_numpy(),
            "MRR at the start": frame["starting_mrr"].map(short).to_numpy(),
            "GRR": both("grr"),
            "NRR": both("nrr"),
            "Logo retention": both("logo"),
            "GRR before": frame["grr_before"].map(percent).to_numpy(),
            "GRR against the others": frame["verdict"].to_numpy(),
        }
    )
    return table(shown, f"By {called(groups.by)}, {groups.window}")


def say_renewals(renewals: Any, anchor: str = "renewals") -> Headline:
    """The renewal rate on the due base, whether it moved, and what is still open."""
    if refusal := refusal_takeaway("Renewal rates cannot be given.", renewals, anchor):
        return refusal
    return replace(say_change(renewals.comparisons[0]), anchor=anchor)


def renewals_table(renewals: Any, currency: str) -> Block:
    """Both renewal rates with what they rest on, against the window before and the target, and the open ones."""
    if isinstance(renewals, Suppressed):
        return refused(renewals.reason)
    rows = []
    for item in renewals.comparisons:
        now = item.now
        logo = now.key.endswith("logo")
        parts = [f"{x:,.0f}" if logo else money(x, currency) for x in (now.numerator or 0, now.denominator or 0)]
        rows.append(
            {
                "Rate": definitions.metric(now.key).name,
                item.now_window: percent(now.value),
                f"95{NARROW_SPACE}% interval": span_words(now.low, now.high) or "–",
                "Renewed / due": " / ".join(parts),
                item.before_window: percent(item.before.value),
                "Change": item.change.verdict,
                "Target": target_words(item, currency).removeprefix("Target ") or "none set",
            }
        )
    now = renewals.now
    still = (
        f"{count(now.open, 'renewal')} of {money(now.open_mrr, currency)} MRR due in that window "
        f"{'is' if now.open == 1 else 'are'} still open and counted neither as won nor as lost."
        if now.open
        else "No renewal due in that window is still open."
    )
    if renewals.derived:
        still += " The source has no table of renewals: due dates follow from contract terms."
    block = table(pd.DataFrame(rows))
    html = f'{block.html}<p class="cs-note">{plain(still)}</p>'
    return Block(html, f"{block.text}\n{still}")


def say_purchases(rate: Any, window: str, anchor: str = "purchases") -> Headline:
    """Who bought again in the window."""
    if rate.value is None:
        return Headline("The repeat purchase rate cannot be given.", capital(sentence(rate.reason)), anchor)
    return Headline(
        f"{percent(rate.value, 0)} of the accounts that bought something in {window} bought more than once.",
        f"{rate.numerator:,.0f} of {rate.n:,}; {SPAN} {span_words(rate.low, rate.high, 0)}. A purchase is a start, a "
        "return, an expansion or an agreed renewal.",
        anchor,
    )


def say_quick_ratio(ratio: Any, anchor: str = "quick-ratio") -> Headline:
    """Gains over losses of MRR: a plain ratio of what was booked."""
    if ratio.value is None:
        return Headline("There is no quick ratio.", capital(sentence(ratio.reason)), anchor)
    short = "more than was lost" if ratio.value > 1 else "less than was lost" if ratio.value < 1 else "what was lost"
    return Headline(
        f"For every 1 of MRR lost, {ratio.value:.2f} were gained (quick ratio).",
        f"Gained was {short}; new accounts count here and not in GRR or NRR.",
        anchor,
    )
