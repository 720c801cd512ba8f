"""Measures over time: newcomers by weeks since hire, an organisation's own months, and moves to other departments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import NARROW_SPACE, SPAN, Headline, called, capital, count, inside, listed, sentence
from cs_helpers.reps.charts import history_line, ramp_curve
from cs_helpers.reps.measures import measure
from cs_helpers.reps.results import History, Moves, Ramp
from cs_helpers.reps.views.words import WHO, number_of

MIN_MONTHS_DRAWN = 6  # with fewer there is no line to look at
MAX_Q = 0.05  # of the false discovery rate over the twelve months
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@view_for(Ramp)
class RampView(View[Ramp]):
    """One measure of newcomers by weeks since hire."""

    def headline(self, result: Ramp) -> Headline:
        """After how many weeks newcomers reach the longer-serving, that they do not, or why that cannot be said."""
        anchor = f"ramp-{result.key}"
        name = definitions.short_name(result.key)
        if result.proficient is None:
            if "no ramp is visible" not in result.reason:
                why = capital(sentence(result.reason))
                return Headline(f"How newcomers come up in {inside(name)} cannot be told.", why, anchor)
            near = " That is within reach of them." if "inside the band" in result.reason else _left_open(result)
            return Headline(
                f"No ramp is visible in {inside(name)}.", f"{_start(result)}{near} {_rests_on(result)}", anchor
            )
        if not math.isfinite(result.proficient):
            earliest = (
                f" Chance alone would allow {_weeks(result.low)} at the earliest." if math.isfinite(result.low) else ""
            )
            return Headline(
                f"Newcomers do not reach the longer-serving's {inside(name)} within the {_weeks(_seen(result))} that "
                "were seen.",
                f"{_start(result)}{earliest} {_rests_on(result)}",
                anchor,
            )
        if math.isfinite(result.high):
            span = f"{SPAN} {result.low:.0f} to {_weeks(result.high)}."
        else:
            span = (
                f"{capital(_weeks(result.low))} at the earliest; the latest cannot be told within the "
                f"{_weeks(_seen(result))} that were seen."
            )
        return Headline(
            f"Newcomers reach the longer-serving's {inside(name)} after about {_weeks(result.proficient)}.",
            f"{span} {_start(result)} {_rests_on(result)}",
            anchor,
        )

    def chart(self, result: Ramp, narrow: bool) -> Chart | None:
        """The curve by weeks since hire; none where no step has enough newcomers."""
        return ramp_curve(result, narrow, number_of(result.key)) if _has_curve(result) else None

    def alt_text(self, result: Ramp) -> str:
        """Each step with its interval and newcomers, the band, and the trainings under the axis."""
        name = definitions.short_name(result.key)
        columns = ["week", "level", "low", "high", "reps"]
        steps = "; ".join(
            f"week {week:.0f}: {figure(result.key, level)} ({figure_span(result.key, low, high)}), "
            f"{count(reps, 'newcomer')}"
            for week, level, low, high, reps in result.curve[columns].itertuples(index=False, name=None)
        )
        band = figure_span(result.key, *result.band)
        parts = [
            f"{name} of newcomers by weeks since hire, with its interval: {steps or 'no step has enough newcomers'}.",
            f"The longer-serving are at {figure(result.key, result.tenured)}, within reach of them is {band}.",
        ]
        for kind, words in (("ride-along", "Ride-alongs"), ("training", "Trainings")):
            rows = result.marks[result.marks["kind"] == kind]
            if len(rows):
                weeks = [f"{week:.0f} ({n:,.0f})" for week, n in zip(rows["week"], rows["sessions"], strict=True)]
                parts.append(f"{words} by week: {', '.join(weeks)}.")
        return " ".join(parts)

    def note(self, result: Ramp) -> str:
        """What the ramp rests on, the band, and what it cannot tell."""
        unit = definitions.metric(result.key).unit
        shares = result.scale == "additive" and unit in ("fraction", "points")
        size = "five points" if shares else f"5{NARROW_SPACE}% of it"
        whole_weeks = float(result.step_weeks).is_integer()
        by_month = "" if whole_weeks else " Cases are known by month only, so steps are months."
        marked = " Trainings stand where they were held; that is not what they did." if len(result.marks) else ""
        return (
            "Newcomers are the reps hired since the data began. A step is shown where at least three of them had "
            f"cases. The band is {size} around the longer-serving; newcomers are there once the curve, made monotone, "
            f"lies in it.{by_month} Who left early is missing from later weeks, so part of a rise may be who stayed."
            f"{marked}"
        )

    def table(self, result: Ramp) -> pd.DataFrame:
        return result.curve

    def page_table(self, result: Ramp) -> Block | None:
        """The ramp step by step; none where no curve is drawn."""
        return steps_table(result) if _has_curve(result) else None

    def parts(self, result: Ramp) -> Sequence[Result]:
        return result.others


@view_for(Moves)
class MovesView(View[Moves]):
    """Moves of reps to other departments."""

    def headline(self, result: Moves) -> Headline:
        """How many moved on to another department, per rep-year with its interval, where to, and how many left."""
        anchor = f"moves-{result.role}"
        one, many = WHO.get(result.role, ("rep", "reps"))
        years = f"{result.rep_years:,.1f} rep-years"
        left = f"{count(result.left, one, many)} left the company." if result.left else "Nobody left the company."
        if not result.moves:
            rate = figure("internal_moves_rate", result.high)
            return Headline(
                f"No {one} moved to another department in {years}.",
                f"Up to {rate} would still fit with that ({SPAN}). {left}",
                anchor,
            )
        to = listed([f"{called(name)} ({number:,})" for name, number in result.to.items()])
        span = figure_span("internal_moves_rate", result.low, result.high)
        return Headline(
            f"{capital(count(result.moves, one, many))} moved to another department in {years}: "
            f"{figure('internal_moves_rate', result.rate)}.",
            f"{SPAN} {span}. To {to}. {left}",
            anchor,
        )

    def table(self, result: Moves) -> pd.DataFrame:
        return pd.DataFrame({"department": list(result.to), "moves": list(result.to.values())})

    def page_table(self, result: Moves) -> Block | None:
        return None  # the sentence holds it

    def parts(self, result: Moves) -> Sequence[Result]:
        return result.others


def _has_curve(result: Ramp) -> bool:
    return bool(result.curve["level"].notna().any())


def _weeks(value: float) -> str:
    return f"{value:.0f} week{'' if round(value) == 1 else 's'}"


def _seen(result: Ramp) -> float:
    """Weeks that the curve covers."""
    return float(result.curve["week"].iloc[-1]) + result.step_weeks if len(result.curve) else 0.0


def _start(result: Ramp) -> str:
    effect, low, high = result.early
    if not math.isfinite(low):
        return ""
    span = difference_span(result.key, result.scale, low, high)
    return (
        f"Over their first twelve weeks newcomers differ by {difference(result.key, result.scale, effect)} from the "
        f"longer-serving ({SPAN} {span}), the mix of cases taken out."
    )


def _left_open(result: Ramp) -> str:
    """That the first weeks may still have been worse than the band, where their interval allows it."""
    _, low, high = result.early
    ends = [math.log(end / result.tenured) if result.scale == "ratio" else end - result.tenured for end in result.band]
    better = definitions.metric(result.key).direction
    behind = low < ends[0] if better.startswith("higher") else high > ends[1]
    if better == "neither":
        behind = behind or low < ends[0]
    return " A ramp may still be there: that interval is too wide to rule it out." if behind else ""


def _rests_on(result: Ramp) -> str:
    return (
        f"{count(result.newcomers, 'newcomer')} against {count(result.longer_serving, 'rep')} with more than "
        f"{count(result.months, 'month')} of service."
    )


def steps_table(result: Ramp) -> Block:
    """The ramp step by step."""
    key, rows = result.key, result.curve
    held = result.marks.pivot_table(index="week", columns="kind", values="sessions", aggfunc="sum")
    shown = pd.DataFrame(
        {
            "Weeks since hire": rows["week"].astype(int).to_numpy(),
            "Newcomers": rows["reps"].astype(int).to_numpy(),
            "Cases": rows["cases"].astype(int).to_numpy(),
            definitions.short_name(key): [figure(key, value) for value in rows["level"]],
            SPAN: [figure_span(key, low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "Against the longer-serving": [difference(key, result.scale, value) for value in rows["effect"]],
        }
    )
    for kind, title in (("training", "Trainings"), ("ride-along", "Ride-alongs")):
        if kind in held:
            shown[title] = held[kind].reindex(rows["week"]).fillna(0).astype(int).to_numpy()
    against = f"{figure(key, result.tenured)} among {count(result.longer_serving, 'rep')}"
    return table(shown, f"Newcomers by weeks since hire; the longer-serving: {against}")


@view_for(History)
class HistoryView(View[History]):
    """One measure of a whole organisation by month."""

    def headline(self, result: History) -> Headline:
        """How a measure moved over the last window against the one before: rise, fall, neither, or why not."""
        key, now, before = result.key, result.now, result.before
        anchor, name = f"history-{key}", definitions.short_name(key)
        window = "month" if result.window == 1 else f"{result.window} months"
        if now.value is None:
            return Headline(f"{name} of the last {window} cannot be given.", capital(sentence(now.reason)), anchor)
        value, span = figure(key, now.value), figure_span(key, now.low, now.high)
        aim = _aim(result)
        if before.value is None:
            why = f"It is not compared with the {window} before: {sentence(before.reason or 'no case in them')}"
            return Headline(f"{name} is {value} over the last {window}.", f"{SPAN} {span}. {why}{aim}", anchor)
        earlier = figure(key, before.value)
        spans = f"{SPAN} {span} now, {figure_span(key, before.low, before.high)} before."
        if result.verdict in ("rise", "fall"):
            verb = "rose" if result.verdict == "rise" else "fell"
            size = abs(now.value - before.value)
            return Headline(
                f"{name} {verb} from {figure_span(key, before.value, now.value)} against the {window} before.",
                f"{spans} As counted{', geometric means' if _is_time(result) else ''}, the mix of cases left in.{aim}",
                anchor,
                size / abs(before.value) if before.value else 0.0,
            )
        if result.verdict == "too few":
            return Headline(
                f"{name} is {value} over the last {window}.",
                f"Whether it changed cannot be told: too few accounts stand behind it on one side. {spans}{aim}",
                anchor,
            )
        return Headline(
            f"{name} is {value}, no clear change from {earlier} in the {window} before.",
            f"The difference could be chance. {spans}{aim}",
            anchor,
        )

    def findings(self, result: History) -> Sequence[Headline]:
        """Which calendar months clearly differ, where there are months enough to draw."""
        return (season_words(result),) if _has_line(result) else ()

    def chart(self, result: History, narrow: bool) -> Chart | None:
        """The line by month; none with fewer than six months."""
        return history_line(result, narrow, number_of(result.key)) if _has_line(result) else None

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
        return result.months

    def page_table(self, result: History) -> Block | None:
        """The months one by one, the latest first; none where no line is drawn."""
        return months_table(result) if _has_line(result) else None

    def parts(self, result: History) -> Sequence[Result]:
        return result.others


def _has_line(result: History) -> bool:
    return bool(result.months["adjusted"].notna().sum() >= MIN_MONTHS_DRAWN)


def _is_time(result: History) -> bool:
    return measure(result.key).family == "time"


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
    parts = [
        f"{side} in {listed(months)}"
        for side, up in (("higher", True), ("lower", False))
        if (months := [text for text, effect in zip(named, clear["effect"], strict=True) if (effect > 0) == up])
    ]
    return Headline(f"{name} has a season: {' and '.join(parts)}.", basis, anchor, float(clear["effect"].abs().max()))
