"""Views of the measured effect, the evidence for it, its overlap, and the effect by segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.report.blocks import Block
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    count,
    is_given,
    listed,
    money,
    money_span,
    of_hundred,
    percent,
    points_span,
    rate_words,
    sentence,
    span_words,
)
from cs_helpers.roi import charts
from cs_helpers.roi.effect import MeasuredEffect
from cs_helpers.roi.effect_evidence import Evidence
from cs_helpers.roi.results import EffectResult, EvidenceResult, OverlapResult, SegmentEffectResult
from cs_helpers.roi.views.names import EVIDENCE, called_evidence, page, whys

LIMITS = {
    "vacancy": "Vacancies show what works at once; what works through the health of accounts is not in it.",
    "baseline": "Coverage on the first day, whatever came later: likely less than the whole effect.",
}
"""What a headline of weaker evidence must add."""

ESTIMAND = (
    "No coverage from month 0, and nothing in its place, against what happened: the share of accounts (or of their "
    "MRR) still paying after so many months. Month 0 is an account's first month in the window."
)

_WEIGHTS = {"logo": "accounts", "mrr": "MRR", "overlap": "accounts that can be compared"}


def points_of(effect: MeasuredEffect, weight: str) -> pd.Series:
    """The row of ``effect.points`` at the horizon, by accounts ("logo") or by MRR ("mrr")."""
    rows = effect.points
    return rows[(rows["horizon"] == effect.horizon) & (rows["weight"] == weight)].iloc[0]


@view_for(EffectResult)
class EffectView(View[EffectResult]):
    """What was measured at the horizon, never more than its interval."""

    def headline(self, result: EffectResult) -> Headline:
        effect, row = result.effect, result.main_evidence
        value, low, high = row.value or 0.0, row.low or 0.0, row.high or 0.0
        how = called_evidence(row.key).lower()
        span = f"{SPAN} {points_span(low, high)}; {how}, {count(row.accounts, 'account')}, {row.churned:,} left"
        span = f"{capital(span)}. {LIMITS.get(row.key, '')}".strip()
        if row.key == "g_formula":
            mrr = points_of(effect, "mrr")
            span += (
                f" Counted by MRR: {of_hundred(mrr['value'], signed=True)} ({points_span(mrr['low'], mrr['high'])})."
            )
        size = of_hundred(abs(value))
        if low > 0:
            found = f"After {effect.horizon} months {size} more accounts still paid than would have without any CSM."
        elif high < 0:
            found = f"After {effect.horizon} months {size} fewer accounts still paid than would have without any CSM."
        else:
            found = f"No clear effect of coverage on who still paid after {effect.horizon} months."
            span = f"{of_hundred(value, signed=True)}, {span[:1].lower()}{span[1:]}"
        return Headline(found, span, "futures")

    def chart(self, result: EffectResult, narrow: bool) -> Chart | None:
        curves = result.effect.curves
        return None if curves is None else charts.futures(curves, narrow, gap_words(result.effect))

    def alt_text(self, result: EffectResult) -> str:
        curves = result.effect.curves
        if curves is None:
            return ""
        parts = [
            f"{row['t']:.0f} months: as it was {percent(row['natural'], 0)} "
            f"({span_words(row['natural_low'], row['natural_high'], 0)}), without {percent(row['vanished'], 0)} "
            f"({span_words(row['vanished_low'], row['vanished_high'], 0)})"
            for _, row in curves[(curves["t"] > 0) & (curves["t"] % 6 == 0)].iterrows()
        ]
        what = "Two curves, the share of accounts still paying with coverage as it was and without any"
        return f"{what}. {'; '.join(parts)}."

    def note(self, result: EffectResult) -> str:
        effect = result.effect
        off = 100 * float((effect.points["natural"] - effect.points["kaplan_meier"]).abs().max())
        return (
            f"What is compared: {ESTIMAND} {effect.accounts:,} accounts are followed; bands: {SPAN}. "
            f"The model's own course is at most {of_hundred(off)} off what was seen."
        )

    def table(self, result: EffectResult) -> pd.DataFrame:
        """One row per horizon and weight, see ``MeasuredEffect.points``; without rows where there are no curves."""
        effect = result.effect
        if effect.curves is None:
            return effect.points.head(0)
        if effect.overlap is None or effect.overlap.left_out_share < 0.01:
            return effect.points[effect.points["weight"] != "overlap"]  # nearly all accounts can be compared
        return effect.points

    def page_table(self, result: EffectResult) -> Block | None:
        rows = self.table(result)
        if rows.empty:
            return None
        columns = {
            "After": [f"{months:.0f} months" for months in rows["horizon"]],
            "Counted by": [_WEIGHTS.get(weight, weight) for weight in rows["weight"]],
            "As it was": rows["natural"].map(percent).to_numpy(),
            "Seen": rows["kaplan_meier"].map(percent).to_numpy(),
            "Without": rows["vanished"].map(percent).to_numpy(),
            "Effect": [of_hundred(value, signed=True) for value in rows["value"]],
            SPAN: [points_span(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
        }
        return page(columns, "Share still paying with coverage as it was, and with none from the first month on")


def gap_words(effect: MeasuredEffect) -> str:
    """How far the two curves are apart at the horizon, for the chart."""
    row = points_of(effect, "logo")
    span = points_span(row["low"], row["high"]).split(NARROW_SPACE)[0]
    return f"{of_hundred(row['value'], signed=True)} ({span}) after {effect.horizon} months"


EVIDENCE_UNIT = "points of accounts still paying"


@view_for(EvidenceResult)
class EvidenceView(View[EvidenceResult]):
    """Whether the pieces of evidence agree, and what the contrasts that are often quoted would have said."""

    def headline(self, result: EvidenceResult) -> Headline:
        effect = result.effect
        shown = [each for each in effect.evidence if each.status == "shown" and each.key != "association"]
        tied = any(each.key == "association" and each.status == "shown" for each in effect.evidence)
        basis = _refuted_words(effect.naive)
        values = [each.value for each in shown if each.value is not None]
        if not shown and tied:
            found = "No evidence on the effect can be given, only an association."
            basis = f"Whatever else differs between covered and uncovered accounts is in it. {basis}"
        elif not shown:
            found = "No evidence on the effect can be given for these data."
        elif len(shown) == 1:
            only = f"{of_hundred(shown[0].value, signed=True)} ({called_evidence(shown[0].key)})"
            found = f"One piece of evidence can be given: {only}."
        else:
            between = points_span(min(values), max(values)).replace(" to ", " and ")
            found = f"{len(shown)} pieces of evidence lie between {between}."
        return Headline(found, capital(basis), "ladder")

    def findings(self, result: EvidenceResult) -> Sequence[Headline]:
        return () if result.effect.curves is None else (robustness(result.effect),)

    def chart(self, result: EvidenceResult, narrow: bool) -> Chart:
        return charts.evidence_intervals(evidence_rows(result.effect), narrow, tenths, unit=EVIDENCE_UNIT)

    def alt_text(self, result: EvidenceResult) -> str:
        return alt_evidence(evidence_rows(result.effect), tenths, EVIDENCE_UNIT)

    def table(self, result: EvidenceResult) -> pd.DataFrame:
        """key, value, low, high (points), accounts, churned, status and reason, the strongest first."""
        columns = ["key", "value", "low", "high", "accounts", "churned", "status", "reason"]
        rows = [
            (each.key, each.value, each.low, each.high, each.accounts, each.churned, each.status, each.reason)
            for each in _all(result.effect)
        ]
        return pd.DataFrame(rows, columns=columns)

    def page_table(self, result: EvidenceResult) -> Block:
        items = _all(result.effect)
        columns = {
            "Evidence": [called_evidence(each.key) for each in items],
            "Points": [_points_words(each) for each in items],
            "Left": [f"{each.churned:,} of {each.accounts:,}" if each.accounts else "–" for each in items],
            "Status": [{"shown": "given", "tied": "no effect"}.get(_drawn_as(each), each.status) for each in items],
            "Why": whys(_reasons(result.effect)),
        }
        return page(columns, f"Evidence on the effect, the strongest first ({SPAN})")


def _all(effect: MeasuredEffect) -> tuple[Evidence, ...]:
    return (*effect.evidence, *effect.naive)


def _refuted_words(naive: Iterable[Evidence]) -> str:
    """What the refuted contrast furthest from zero would say, and why it is no effect."""
    wrong = [(abs(each.value), each) for each in naive if each.status == "refuted" and each.value is not None]
    if not wrong:
        return ""
    worst = max(wrong, key=lambda pair: pair[0])[1]
    why = sentence(worst.reason)
    said = f"{called_evidence(worst.key)} would say {of_hundred(worst.value, signed=True)}. That is no effect: "
    return said + why[:1].lower() + why[1:]


def evidence_rows(effect: MeasuredEffect) -> pd.DataFrame:
    """The evidence as ``charts.evidence_intervals`` draws it, the strongest first."""
    items = _all(effect)
    limits = [(each.value, each.low, each.high) for each in items]
    return pd.DataFrame(limits, columns=["value", "low", "high"]).assign(
        label=[called_evidence(each.key) for each in items],
        note=[EVIDENCE.get(each.key, ("", ""))[1] for each in items],
        status=[_drawn_as(each) for each in items],
        why=_reasons(effect),
    )


def alt_evidence(rows: pd.DataFrame, number: Callable[[float], str], unit: str = "") -> str:
    """What a chart of evidence shows; ``rows`` as from ``evidence_rows``, ``number`` writes a value."""
    said = []
    for _, row in rows.iterrows():
        if row["status"] == "refused" or not is_given(row["value"]):
            said.append(f"{called(row['label'])}: not given, {called(row['why'] or 'no value')}")
            continue
        refuted = {"refuted": " (refuted)", "tied": " (an association, no effect)"}.get(row["status"], "")
        interval = ""
        if is_given(row["low"], row["high"]):
            side = "above zero" if row["low"] > 0 else "below zero" if row["high"] < 0 else "zero lies inside"
            interval = f", interval {number(row['low'])} to {number(row['high'])}, {side}"
        said.append(f"{called(row['label'])}{refuted}: {number(row['value'])}{interval}")
    what = f" on {called(unit)}" if unit else ""
    opening = f"{count(len(said), 'piece')} of evidence{what}, the strongest first."
    return f"{opening} {'; '.join(said)}." if said else "There is no evidence to show."


def tenths(value: float) -> str:
    """A number of points with its sign, as the chart writes it: ``+2.2``, ``+5``, ``0``."""
    return of_hundred(value, signed=True).split(NARROW_SPACE)[0].removesuffix(".0")


def _drawn_as(each: Evidence) -> str:
    """Its status; an association is not drawn as an effect."""
    return "tied" if each.key == "association" and each.status == "shown" else each.status


def _reasons(effect: MeasuredEffect) -> list[str]:
    """Why each piece of evidence is refused or refuted; a reason that was given before is not given again."""
    said: dict[str, str] = {}
    found = []
    for each in _all(effect):
        first = said.setdefault(each.reason, each.key) if each.reason else each.key
        found.append(each.reason if first == each.key else f"as {called_evidence(first).lower()}")
    return found


def _points_words(each: Evidence) -> str:
    said = of_hundred(each.value, signed=True)
    if each.value is None or each.low is None or each.high is None or not is_given(each.value, each.low, each.high):
        return said
    return f"{said} ({points_span(each.low, each.high).split(NARROW_SPACE)[0]})"


def robustness(effect: MeasuredEffect) -> Headline:
    """How strong a hidden cause would have to be, and whether one CSM carries the result."""
    yard = effect.yardstick
    parts = []
    if effect.e_value_limit is not None:
        parts.append(f"For the end of the interval nearest to no effect it is {effect.e_value_limit:.2f}.")
    if yard is not None:
        parts.append(
            f"Yardstick: {_covariate(yard.covariate)}, the strongest attribute measured, could explain a risk ratio "
            f"of {yard.bias_factor:.2f}."
        )
    if effect.leave_one_out is not None:
        parts.append(
            f"Leaving out each of {count(effect.csms, 'CSM')} in turn gives {points_span(*effect.leave_one_out)}."
        )
    if effect.e_value is None:
        return Headline("How strong a hidden cause would have to be is not given.", " ".join(parts), "robustness")
    return Headline(
        "To explain the estimate away, a hidden cause would have to go with coverage and leaving by a risk ratio of "
        f"{effect.e_value:.2f} each.",
        " ".join(parts),
        "robustness",
    )


def _covariate(name: str) -> str:
    return {"log_mrr": "size by MRR", "tenure_months": "age of the account"}.get(name, called(name.replace("_", " ")))


@view_for(OverlapResult)
class OverlapView(View[OverlapResult]):
    """For how much of the MRR there are no comparable accounts without a CSM."""

    def headline(self, result: OverlapResult) -> Headline:
        out, rows = result.overlap.left_out_share, result.overlap.table
        if out < 0.0005:
            return Headline(
                "Accounts like every account were also seen without a CSM.",
                "At every health, size and age at least one month in twenty went uncovered.",
                "overlap",
            )
        worst = rows.sort_values("left_out_share").iloc[-1]
        most = f", most of all in {called(worst['segment'])}: {rate_words(worst['left_out_share'])} of its MRR" * bool(
            worst["segment"] and len(rows) > 1
        )
        return Headline(
            f"{percent(out)} of the MRR is of accounts of a kind that was hardly ever without a CSM.",
            f"What would become of them without one was never seen{most}.",
            "overlap",
        )

    def table(self, result: OverlapResult) -> pd.DataFrame:
        """segment, accounts, mrr_share and left_out_share."""
        return result.overlap.table

    def page_table(self, result: OverlapResult) -> Block | None:
        rows = result.overlap.table
        if rows.empty:
            return None
        columns = {
            "Segment": [visible(name) or "not recorded" for name in rows["segment"]],
            "Accounts": rows["accounts"].astype(int).to_numpy(),
            "Share of MRR": rows["mrr_share"].map(percent).to_numpy(),
            "of it without a comparison": rows["left_out_share"].map(percent).to_numpy(),
        }
        return page(columns, "Where accounts are practically always covered")


@view_for(SegmentEffectResult)
class SegmentEffectView(View[SegmentEffectResult]):
    """In which segments the effect is clear by itself; segments are not compared with each other."""

    def headline(self, result: SegmentEffectResult) -> Headline:
        rows = [row for _, row in result.segments.iterrows()]
        clear = [called(row["segment"] or "not recorded") for row in rows if row["low"] > 0 or row["high"] < 0]
        if not clear:
            return Headline(
                "In no segment is the effect clear by itself.", "Only the whole is large enough to tell.", "segments"
            )
        return Headline(
            f"The effect is clear by itself in {listed(clear)}.",
            "That others are not clear does not mean that they differ: segments were not compared with each other.",
            "segments",
        )

    def table(self, result: SegmentEffectResult) -> pd.DataFrame:
        """segment, accounts, churned, mrr, points, low, high, mrr_months with its interval, and reason."""
        return result.segments

    def page_table(self, result: SegmentEffectResult) -> Block:
        rows, currency = result.segments, result.currency
        columns = {
            "Segment": [visible(name) or "not recorded" for name in rows["segment"]],
            "Accounts": rows["accounts"].astype(int).to_numpy(),
            "Left": rows["churned"].astype(int).to_numpy(),
            "Effect": [of_hundred(value, signed=True) for value in rows["points"]],
            SPAN: [
                points_span(a, b) if is_given(a, b) else "–" for a, b in zip(rows["low"], rows["high"], strict=True)
            ],
            "MRR-months kept": [
                f"{money(row['mrr_months'], currency, short=True)} "
                f"({money_span(row['mrr_months_low'], row['mrr_months_high'], currency)})"
                if is_given(row["mrr_months"])
                else "–"
                for _, row in rows.iterrows()
            ],
            "Why not": whys(rows["reason"]),
        }
        return page(columns, f"Effect by segment after {result.horizon} months", optional=("Why not",))
