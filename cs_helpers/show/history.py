"""Sentences, text alternatives and tables about an organisation's own history: this year against the last, seasons."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    capital,
    count,
    inside,
    listed,
    refusal_takeaway,
    sentence,
)

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_TOLD = 0.05  # of the false discovery rate over the twelve months


def say_history(result: Any, window: int = 12, anchor: str = "history") -> Headline:
    """How a measure moved over the last ``window`` months against those before: rise, fall, neither, or why not."""
    if refusal := refusal_takeaway("How a measure moved cannot be told.", result, anchor):
        return refusal
    key, now, before = result.key, result.now, result.before
    name = definitions.short_name(key)
    if now.value is None:
        return Headline(f"{name} of the last {_months(window)} cannot be given.", capital(sentence(now.reason)), anchor)
    value, span = figure(key, now.value), figure_span(key, now.low, now.high)
    aim = _aim(result)
    if before.value is None:
        why = f"It is not compared with the {_months(window)} before: {sentence(before.reason or 'no case in them')}"
        return Headline(
            f"{name} is {value} over the last {_months(window)}.", f"{SPAN} {span}. {why}{aim}".strip(), anchor
        )
    earlier = figure(key, before.value)
    spans = f"{SPAN} {span} now, {figure_span(key, before.low, before.high)} before."
    if result.verdict in ("rise", "fall"):
        verb = "rose" if result.verdict == "rise" else "fell"
        size = abs(now.value - before.value)
        return Headline(
            f"{name} {verb} from {figure_span(key, before.value, now.value)} against the {_months(window)} before.",
            f"{spans} {_counted(result)}, the mix of cases left in.{aim}",
            anchor,
            size / abs(before.value) if before.value else 0.0,
        )
    if result.verdict == "too few":
        return Headline(
            f"{name} is {value} over the last {_months(window)}.",
            f"Whether it changed cannot be told: too few accounts stand behind it on one side. {spans}{aim}",
            anchor,
        )
    return Headline(
        f"{name} is {value}, no clear change from {earlier} in the {_months(window)} before.",
        f"The difference could be chance. {spans}{aim}",
        anchor,
    )


def _is_time(result: Any) -> bool:
    return result.scale == "ratio" and definitions.metric(result.key).unit in ("seconds", "minutes", "hours", "days")


def _counted(result: Any) -> str:
    return "As counted, geometric means" if _is_time(result) else "As counted"


def _months(window: int) -> str:
    return "month" if window == 1 else f"{window} months"


def _aim(result: Any) -> str:
    if result.target is None:
        return ""
    told = {"met": "is met", "missed": "is missed"}.get(result.target_verdict, "is neither clearly met nor missed")
    return f" The target of {figure(result.key, result.target)} {told}."


def alt_history(result: Any) -> str:
    """What the line by month shows: its course, its ends, the months outside the limits, and the target."""
    if isinstance(result, Suppressed):
        return ""
    key, months = result.key, result.months
    name = definitions.short_name(key)
    seen = months[months["adjusted"].notna()]
    if seen.empty:
        return f"{name} by month: no month has enough cases."
    lowest, highest, last = seen.loc[seen["adjusted"].idxmin()], seen.loc[seen["adjusted"].idxmax()], seen.iloc[-1]
    parts = [
        f"{name} by month with the mix of cases taken out, {_when(months['month'].iloc[0])} to "
        f"{_when(months['month'].iloc[-1])}.",
        f"Lowest {figure(key, lowest['adjusted'])} in {_when(lowest['month'])}, highest "
        f"{figure(key, highest['adjusted'])} in {_when(highest['month'])}, last {figure(key, last['adjusted'])} "
        f"({figure_span(key, last['low'], last['high'])}) in {_when(last['month'])}.",
    ]
    if pd.notna(last["year_before"]):
        parts.append(f"A year before that month it was {figure(key, last['year_before'])}.")
    outside = seen[seen["outside"] != ""]
    if len(outside):
        named = [
            f"{_when(row.month)} ({'above' if row.adjusted > result.centre else 'below'})"
            for row in outside.itertuples()
        ]
        parts.append(f"Outside the limits of usual months: {listed(named, 8)}.")
    else:
        parts.append("No month lies outside the limits of usual months.")
    missing = int(months["adjusted"].isna().sum())
    if missing:
        parts.append(f"{capital(count(missing, 'month'))} without enough cases.")
    if result.target is not None:
        parts.append(f"The target is {figure(key, result.target)}.")
    return " ".join(parts)


def _when(month: pd.Timestamp) -> str:
    return window_words(month, month + pd.DateOffset(months=1))


def history_table(result: Any) -> Block:
    """The months one by one, the latest first; a box with the reason where the history is refused."""
    if isinstance(result, Suppressed):
        return refused(result.reason)
    key, rows = result.key, result.months.iloc[::-1]
    limits = {"95": f"outside 95{NARROW_SPACE}%", "99.8": f"outside 99.8{NARROW_SPACE}%"}
    shown = pd.DataFrame(
        {
            "Month": [f"{month:%Y-%m}" for month in rows["month"]],
            "Cases": rows["n"].astype(int).to_numpy(),
            "As counted": [figure(key, value) for value in rows["plain"]],
            "Cases alike": [figure(key, value) for value in rows["adjusted"]],
            SPAN: [figure_span(key, low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "A year before": [figure(key, value) for value in rows["year_before"]],
            "Limits of chance": [limits.get(name, "") for name in rows["outside"]],
        }
    )
    median = "; as counted: the median" if _is_time(result) else ""
    return table(shown, f"{definitions.metric(key).name} by month{median}")


def say_season(result: Any, anchor: str = "season") -> Headline:
    """Which calendar months clearly differ from the others, or that none does, or that too few years were seen."""
    if refusal := refusal_takeaway("Seasons cannot be told.", result, anchor):
        return refusal
    key, season = result.key, result.season
    name = definitions.short_name(key)
    if season.empty:
        why = "That takes 24 months with enough cases, and each calendar month twice."
        return Headline(f"Whether {inside(name)} has a season cannot be told.", why, anchor)
    basis = (
        f"Each calendar month against the mean of all twelve over {int(season['years'].min())} years or more, a steady "
        f"rise or fall and the mix of cases taken out."
    )
    told = season[season["q"] <= _TOLD]
    if told.empty:
        return Headline(f"No calendar month clearly differs from the others in {inside(name)}.", basis, anchor)
    told = told.sort_values("effect", key=lambda values: -values.abs(), kind="stable")
    named = [
        f"{_MONTHS[int(row.calendar_month) - 1]} ({difference(key, result.scale, row.effect)}, {SPAN} "
        f"{difference_span(key, result.scale, row.low, row.high)})"
        for row in told.itertuples()
    ]
    higher, lower = (
        [text for text, effect in zip(named, told["effect"], strict=True) if (effect > 0) == up] for up in (True, False)
    )
    parts = [f"higher in {listed(higher)}"] if higher else []
    parts += [f"lower in {listed(lower)}"] if lower else []
    return Headline(f"{name} has a season: {' and '.join(parts)}.", basis, anchor, float(told["effect"].abs().max()))
