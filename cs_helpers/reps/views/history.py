"""An organisation's own history: this year against the last, month by month, and its seasons."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import NARROW_SPACE, SPAN, Headline, capital, count, inside, listed, sentence
from cs_helpers.reps.charts import history_line
from cs_helpers.reps.results import History
from cs_helpers.reps.views.words import number_of

MIN_MONTHS_DRAWN = 6  # with fewer there is no line to look at
MAX_Q = 0.05  # of the false discovery rate over the twelve months
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@view_for(History)
class HistoryView(View[History]):
    """One measure of a whole organisation by month."""

    def headline(self, result: History) -> Headline:
        """How a measure moved over the last window against the one before: rise, fall, neither, or why not."""
        key, now, before, window = result.key, result.now, result.before, result.window
        anchor = f"history-{key}"
        name = definitions.short_name(key)
        if now.value is None:
            return Headline(
                f"{name} of the last {_months(window)} cannot be given.", capital(sentence(now.reason)), anchor
            )
        value, span = figure(key, now.value), figure_span(key, now.low, now.high)
        aim = _aim(result)
        if before.value is None:
            why = (
                f"It is not compared with the {_months(window)} before: {sentence(before.reason or 'no case in them')}"
            )
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

    def findings(self, result: History) -> Sequence[Headline]:
        """Which calendar months clearly differ, where there are months enough to draw."""
        return (season_words(result),) if _is_drawn(result) else ()

    def chart(self, result: History, narrow: bool) -> Chart | None:
        """The line by month; none with fewer than six months."""
        return history_line(result, narrow, number_of(result.key)) if _is_drawn(result) else None

    def alt_text(self, result: History) -> str:
        """What the line by month shows: its course, its ends, the months outside the limits, and the target."""
        key, months = result.key, result.months
        name = definitions.short_name(key)
        seen = months[months["adjusted"].notna()]
        if seen.empty:
            return f"{name} by month: no month has enough cases."
        place = seen["adjusted"].to_numpy(float)
        lowest, highest, last = seen.iloc[place.argmin()], seen.iloc[place.argmax()], seen.iloc[-1]
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
                f"{_when(month)} ({'above' if value > result.centre else 'below'})"
                for month, value in zip(outside["month"], outside["adjusted"], strict=True)
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

    def table(self, result: History) -> pd.DataFrame:
        """One row per month, numbers unformatted."""
        return result.months

    def page_table(self, result: History) -> Block | None:
        """The months one by one, the latest first; none where no line is drawn."""
        return months_table(result) if _is_drawn(result) else None

    def parts(self, result: History) -> Sequence[Result]:
        """The other measures."""
        return result.others


def _is_drawn(result: History) -> bool:
    return bool(result.months["adjusted"].notna().sum() >= MIN_MONTHS_DRAWN)


def _is_time(result: History) -> bool:
    return result.scale == "ratio" and definitions.metric(result.key).unit in ("seconds", "minutes", "hours", "days")


def _counted(result: History) -> str:
    return "As counted, geometric means" if _is_time(result) else "As counted"


def _months(window: int) -> str:
    return "month" if window == 1 else f"{window} months"


def _aim(result: History) -> str:
    if result.target is None:
        return ""
    told = {"met": "is met", "missed": "is missed"}.get(result.target_verdict, "is neither clearly met nor missed")
    return f" The target of {figure(result.key, result.target)} {told}."


def _when(month: pd.Timestamp) -> str:
    return window_words(month, month + pd.DateOffset(months=1))


def months_table(result: History) -> Block:
    """The months one by one, the latest first."""
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


def season_words(result: History) -> Headline:
    """Which calendar months clearly differ from the others, or that none does, or that too few years were seen."""
    key, season, anchor = result.key, result.season, f"season-{result.key}"
    name = definitions.short_name(key)
    if season.empty:
        why = "That takes 24 months with enough cases, and each calendar month twice."
        return Headline(f"Whether {inside(name)} has a season cannot be told.", why, anchor)
    basis = (
        f"Each calendar month against the mean of all twelve over {int(season['years'].min())} years or more, a steady "
        f"rise or fall and the mix of cases taken out."
    )
    clear = season[season["q"] <= MAX_Q]
    if clear.empty:
        return Headline(f"No calendar month clearly differs from the others in {inside(name)}.", basis, anchor)
    clear = clear.sort_values("effect", key=lambda values: -values.abs(), kind="stable")
    rows = clear[["calendar_month", "effect", "low", "high"]].itertuples(index=False, name=None)
    named = [
        f"{_MONTHS[int(month) - 1]} ({difference(key, result.scale, effect)}, {SPAN} "
        f"{difference_span(key, result.scale, low, high)})"
        for month, effect, low, high in rows
    ]
    higher, lower = (
        [text for text, effect in zip(named, clear["effect"], strict=True) if (effect > 0) == up]
        for up in (True, False)
    )
    parts = [f"higher in {listed(higher)}"] if higher else []
    parts += [f"lower in {listed(lower)}"] if lower else []
    return Headline(f"{name} has a season: {' and '.join(parts)}.", basis, anchor, float(clear["effect"].abs().max()))
