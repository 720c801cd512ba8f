"""How newcomers come up, and how many reps move on to other departments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.figures import difference, difference_span, figure, figure_span
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import NARROW_SPACE, SPAN, Headline, called, capital, count, inside, listed, sentence
from cs_helpers.reps.charts import ramp_curve
from cs_helpers.reps.results import Moves, Ramp
from cs_helpers.reps.views.words import WHO, number_of


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
            span = f"{SPAN} {_weeks_span(result.low, result.high)}."
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
        return ramp_curve(result, narrow, number_of(result.key)) if _is_drawn(result) else None

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
        by_month = (
            "" if float(result.step_weeks).is_integer() else " Cases are known by month only, so steps are months."
        )
        marked = " Trainings stand where they were held; that is not what they did." if len(result.marks) else ""
        return (
            "Newcomers are the reps hired since the data began. A step is shown where at least three of them had "
            f"cases. The band is {size} around the longer-serving; newcomers are there once the curve, made monotone, "
            f"lies in it.{by_month} Who left early is missing from later weeks, so part of a rise may be who stayed."
            f"{marked}"
        )

    def table(self, result: Ramp) -> pd.DataFrame:
        """One row per step, numbers unformatted."""
        return result.curve

    def page_table(self, result: Ramp) -> Block | None:
        """The ramp step by step; none where no curve is drawn."""
        return steps_table(result) if _is_drawn(result) else None

    def parts(self, result: Ramp) -> Sequence[Result]:
        """The other measures."""
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
        """One row per department that reps moved to."""
        return pd.DataFrame({"department": list(result.to), "moves": list(result.to.values())})

    def page_table(self, result: Moves) -> Block | None:
        """No table: the sentence holds it."""
        return None

    def parts(self, result: Moves) -> Sequence[Result]:
        """The other role."""
        return result.others


def _is_drawn(result: Ramp) -> bool:
    return bool(result.curve["level"].notna().any())


def _weeks(value: float) -> str:
    return f"{value:.0f} week{'' if round(value) == 1 else 's'}"


def _weeks_span(low: float, high: float) -> str:
    return f"{low:.0f} to {_weeks(high)}"


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
