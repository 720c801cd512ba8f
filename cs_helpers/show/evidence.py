"""Sentences, text alternatives and tables about the measured effect: the ladder, its gates, and whom it speaks of."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, table
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
    plain,
    points_span,
    rate_words,
    refusal_takeaway,
    sentence,
    span_words,
)

RUNGS = {
    "randomised": ("Randomised coverage", "drawn by lot or by date"),
    "g_formula": ("Target trial", "g-formula"),
    "ltmle": ("Target trial, second method", "LTMLE"),
    "vacancy": ("Vacancies", "after a CSM left"),
    "baseline": ("Coverage on the first day", "whatever came later"),
    "association": ("Adjusted association", "no effect by itself"),
    "ever_never": ("Ever against never covered", "as counted"),
    "covered_months": ("Covered against other months", "as counted"),
    "health_held": ("Health held as it was", "blocks a part of it"),
    "touch_count": ("Number of touches", "as counted"),
}
"""What each rung is called, and a few words on what it compares."""

LIMITS = {
    "vacancy": "Vacancies show what works at once; what works through the health of accounts is not in it.",
    "baseline": "Coverage on the first day, whatever came later: likely less than the whole effect.",
}
"""What a headline of a lower rung must say about itself."""

SCOPE = (
    "All of this is about withdrawing assigned people, seen in accounts that had them or not, and not by lot: what "
    "sent a CSM to an account and was never recorded can hide in any measured effect. The uncovered accounts still "
    "lived in a company that had customer success, with its onboarding and its help pages: what a company without any "
    "would lose was never seen, and nothing here says it."
)


def scope() -> Block:
    """What data on coverage can say and what they cannot, under the headline."""
    return Block(f'<p class="cs-note cs-scope">{plain(SCOPE)}</p>', SCOPE)


def say_effect(effect: Any, anchor: str = "futures") -> Headline:
    """What was measured at the horizon, never more than its interval, or why nothing was."""
    if refusal := refusal_takeaway("The effect of customer success cannot be measured in these data.", effect, anchor):
        return refusal
    if effect.verdict != "measured":
        return Headline(
            "The effect of customer success cannot be measured in these data.", capital(sentence(effect.reason)), anchor
        )
    row = headline_rung(effect)
    how = called_rung(row.key).lower()
    span = f"{SPAN} {points_span(row.low, row.high)}; {how}, {count(row.accounts, 'account')}, {row.churned:,} left"
    span = f"{capital(span)}. {LIMITS.get(row.key, '')}".strip()
    if row.key == "g_formula":
        mrr = headline_points(effect, "mrr")
        span += f" Counted by MRR: {of_hundred(mrr.value, signed=True)} ({points_span(mrr.low, mrr.high)})."
    size = of_hundred(abs(row.value))
    if row.low > 0:
        found = f"After {effect.horizon} months {size} more accounts still paid than would have without any CSM."
    elif row.high < 0:
        found = f"After {effect.horizon} months {size} fewer accounts still paid than would have without any CSM."
    else:
        found = f"No clear effect of coverage on who still paid after {effect.horizon} months."
        span = f"{of_hundred(row.value, signed=True)}, {span[:1].lower()}{span[1:]}"
    return Headline(found, span, anchor)


def headline_rung(effect: Any) -> Any:
    """The piece of evidence that carries the headline."""
    return next(rung for rung in effect.rungs if rung.key == effect.headline)


def headline_points(effect: Any, weight: str = "logo", horizon: int | None = None) -> Any:
    """The row of ``effect.points`` at the horizon, by accounts ("logo") or by MRR ("mrr")."""
    rows = effect.points
    at = effect.horizon if horizon is None else horizon
    return next(rows[(rows["horizon"] == at) & (rows["weight"] == weight)].itertuples())


def measured(effect: Any) -> Any:
    """The effect itself where its gates hold; else a Suppressed with the reason, so that no chart of it is drawn."""
    if isinstance(effect, Suppressed):
        return effect
    return effect if effect.verdict == "measured" else Suppressed(effect.reason)


def briefly(effect: Any) -> Any:
    """``curved``, with a Suppressed in few words where the conditions are listed elsewhere in the report."""
    found = curved(effect)
    failed = [gate for gate in getattr(effect, "gates", ()) if gate.passed is False]
    if isinstance(found, Suppressed) and failed:
        return Suppressed(f"{len(failed)} of {count(len(effect.gates), 'condition')} not met; this report lists them")
    return found


def curved(effect: Any) -> Any:
    """The effect where it has two futures to draw; else a Suppressed with the reason."""
    found = measured(effect)
    if isinstance(found, Suppressed):
        return found
    return found if found.curves is not None else Suppressed(found.reason or "this evidence has no curves")


def gap_words(effect: Any) -> str:
    """How far the two futures are apart at the horizon, for the chart; nothing where nothing was measured."""
    if isinstance(curved(effect), Suppressed):
        return ""
    row = headline_points(effect)
    span = points_span(row.low, row.high).split(NARROW_SPACE)[0]
    return f"{of_hundred(row.value, signed=True)} ({span}) after {effect.horizon} months"


def alt_futures(effect: Any) -> str:
    """What the two curves show every six months, with their bands."""
    if isinstance(curved(effect), Suppressed):
        return ""
    rows = effect.curves[(effect.curves["t"] > 0) & (effect.curves["t"] % 6 == 0)]
    parts = [
        f"{row.t:.0f} months: as it was {percent(row.natural, 0)} ({span_words(row.natural_low, row.natural_high, 0)})"
        f", without {percent(row.vanished, 0)} ({span_words(row.vanished_low, row.vanished_high, 0)})"
        for row in rows.itertuples()
    ]
    what = "Two curves, the share of accounts still paying with coverage as it was and without any"
    return f"{what}. {'; '.join(parts)}."


def note_futures(effect: Any) -> str:
    """Who is followed, and how well the model repeats what was seen."""
    if isinstance(curved(effect), Suppressed):
        return ""
    off = 100 * float((effect.points["natural"] - effect.points["kaplan_meier"]).abs().max())
    return (
        f"What is compared: {effect.estimand} {effect.accounts:,} accounts are followed; bands: {SPAN}. "
        f"The model's own course is at most {of_hundred(off)} off what was seen."
    )


LADDER_UNIT = "points of accounts still paying"


def tenths(value: float) -> str:
    """A number of points with its sign, as the ladder writes it: ``+2.2``, ``+5``, ``0``."""
    return of_hundred(value, signed=True).split(NARROW_SPACE)[0].removesuffix(".0")


_WEIGHTS = {"logo": "accounts", "mrr": "MRR", "overlap": "accounts that can be compared"}


def effect_table(effect: Any) -> Block:
    """The effect at each horizon, by accounts and by MRR, with its interval."""
    if isinstance(curved(effect), Suppressed):
        return Block("", "")
    rows = effect.points
    if effect.overlap is None or effect.overlap.left_out_share < 0.01:
        rows = rows[rows["weight"] != "overlap"]  # practically everybody can be compared
    shown = pd.DataFrame(
        {
            "After": [f"{months:.0f} months" for months in rows["horizon"]],
            "Counted by": [_WEIGHTS.get(weight, weight) for weight in rows["weight"]],
            "As it was": rows["natural"].map(percent).to_numpy(),
            "Seen": rows["kaplan_meier"].map(percent).to_numpy(),
            "Without": rows["vanished"].map(percent).to_numpy(),
            "Effect": [of_hundred(value, signed=True) for value in rows["value"]],
            SPAN: [points_span(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
        }
    )
    return table(shown, "Share still paying with coverage as it was, and with none from the first month on")


def say_ladder(effect: Any, anchor: str = "ladder") -> Headline:
    """Whether the pieces of evidence agree, and what the quoted comparisons would have said."""
    if refusal := refusal_takeaway("There is no evidence on the effect.", effect, anchor):
        return refusal
    shown = [rung for rung in effect.rungs if rung.status == "shown" and rung.key != "association"]
    tied = any(rung.key == "association" and rung.status == "shown" for rung in effect.rungs)
    wrong = [rung for rung in effect.naive if rung.status == "refuted"]
    basis = ""
    if wrong:
        worst = max(wrong, key=lambda rung: abs(rung.value))
        why = sentence(worst.reason)
        basis = f"{called_rung(worst.key)} would say {of_hundred(worst.value, signed=True)}. That is no effect: "
        basis += why[:1].lower() + why[1:]
    values = [rung.value for rung in shown]
    if not shown and tied:
        found = "No evidence on the effect can be given, only an association."
        basis = f"Whatever else differs between covered and uncovered accounts is in it. {basis}"
    elif not shown:
        found = "No evidence on the effect can be given for these data."
    elif len(shown) == 1:
        only = f"{of_hundred(shown[0].value, signed=True)} ({called_rung(shown[0].key)})"
        found = f"One piece of evidence can be given: {only}."
    else:
        between = points_span(min(values), max(values)).replace(" to ", " and ")
        found = f"{len(shown)} pieces of evidence lie between {between}."
    return Headline(found, capital(basis), anchor)


def called_rung(key: str) -> str:
    """A rung's name; its key in words where it has none."""
    return RUNGS.get(key, (capital(key.replace("_", " ")), ""))[0]


def ladder_rows(effect: Any) -> Any:
    """The rungs as ``charts.ladder`` draws them, the strongest first."""
    if isinstance(effect, Suppressed):
        return effect
    rows = [
        (called_rung(rung.key), RUNGS.get(rung.key, ("", ""))[1], rung.value, rung.low, rung.high, _drawn_as(rung), why)
        for rung, why in zip((*effect.rungs, *effect.naive), _reasons(effect), strict=True)
    ]
    return pd.DataFrame(rows, columns=["label", "note", "value", "low", "high", "status", "why"])


def _drawn_as(rung: Any) -> str:
    """Its status; an association is not drawn as an effect."""
    return "tied" if rung.key == "association" and rung.status == "shown" else str(rung.status)


def _reasons(effect: Any) -> list[str]:
    """Why each rung is refused or refuted; a reason that was given before is not given again."""
    said: dict[str, str] = {}
    found = []
    for rung in (*effect.rungs, *effect.naive):
        first = said.setdefault(rung.reason, rung.key) if rung.reason else rung.key
        found.append(rung.reason if first == rung.key else f"as {called_rung(first).lower()}")
    return found


def ladder_table(effect: Any) -> Block:
    """Each rung with its figure, and what is wrong with it where something is."""
    if isinstance(effect, Suppressed):
        return Block("", "")
    rungs = (*effect.rungs, *effect.naive)
    shown = pd.DataFrame(
        {
            "Evidence": [called_rung(rung.key) for rung in rungs],
            "Points": [_points_words(rung) for rung in rungs],
            "Left": [f"{rung.churned:,} of {rung.accounts:,}" if rung.accounts else "–" for rung in rungs],
            "Status": [{"shown": "given", "tied": "no effect"}.get(_drawn_as(rung), rung.status) for rung in rungs],
            "Why": [capital(sentence(why)) if why else "–" for why in _reasons(effect)],
        }
    )
    return table(shown, f"Evidence on the effect, the strongest first ({SPAN})")


def _points_words(rung: Any) -> str:
    said = of_hundred(rung.value, signed=True)
    if not is_given(rung.value, rung.low, rung.high):
        return said
    return f"{said} ({points_span(rung.low, rung.high).split(NARROW_SPACE)[0]})"


def say_overlap(effect: Any, anchor: str = "overlap") -> Headline:
    """For how much of the book there is nobody to compare with."""
    found = overlap_of(effect)
    if refusal := refusal_takeaway("Whom the effect could speak of cannot be told.", found, anchor):
        return refusal
    out, rows = found.left_out_share, found.table
    if out < 0.0005:
        return Headline(
            "Accounts like every account were also seen without a CSM.",
            "At every health, size and age at least one month in twenty went uncovered.",
            anchor,
        )
    worst = rows.sort_values("left_out_share").iloc[-1]
    most = f", most of all in {called(worst['segment'])}: {rate_words(worst['left_out_share'])} of its MRR" * bool(
        worst["segment"] and len(rows) > 1
    )
    return Headline(
        f"{percent(out)} of the MRR is of accounts of a kind that was hardly ever without a CSM.",
        f"What would become of them without one was never seen{most}.",
        anchor,
    )


def overlap_of(effect: Any) -> Any:
    """The overlap of an effect, or a Suppressed where none was looked at."""
    if isinstance(effect, Suppressed):
        return effect
    return effect.overlap if effect.overlap is not None else Suppressed(effect.reason or "no model could be fitted")


def overlap_table(effect: Any) -> Block:
    """By segment how much of the MRR has nobody to compare with."""
    found = overlap_of(effect)
    if isinstance(found, Suppressed) or not len(found.table):
        return Block("", "")
    rows = found.table
    shown = pd.DataFrame(
        {
            "Segment": [visible(name) or "not recorded" for name in rows["segment"]],
            "Accounts": rows["accounts"].astype(int).to_numpy(),
            "Share of MRR": rows["mrr_share"].map(percent).to_numpy(),
            "of it without a comparison": rows["left_out_share"].map(percent).to_numpy(),
        }
    )
    return table(shown, "Where accounts are practically always covered")


def segments_of(effect: Any) -> Any:
    """The effect by segment as a frame, or a Suppressed with the reason."""
    if isinstance(briefly(effect), Suppressed):
        return briefly(effect)
    if effect.segments is None or effect.segments["points"].isna().all():
        return Suppressed("no segment is large enough for a figure of its own")
    return effect.segments


def segments_table(effect: Any, currency: str) -> Block:
    """The effect by segment, with its interval; or why it is not given."""
    rows = segments_of(effect)
    if isinstance(rows, Suppressed):
        return Block("", "")
    shown = pd.DataFrame(
        {
            "Segment": [visible(name) or "not recorded" for name in rows["segment"]],
            "Accounts": rows["accounts"].astype(int).to_numpy(),
            "Left": rows["churned"].astype(int).to_numpy(),
            "Effect": [of_hundred(value, signed=True) for value in rows["points"]],
            SPAN: [
                points_span(a, b) if is_given(a, b) else "–" for a, b in zip(rows["low"], rows["high"], strict=True)
            ],
            "MRR-months kept": [
                f"{money(row.mrr_months, currency, short=True)} "
                f"({money_span(row.mrr_months_low, row.mrr_months_high, currency)})"
                if is_given(row.mrr_months)
                else "–"
                for row in rows.itertuples()
            ],
            "Why not": [capital(sentence(why)) if why else "–" for why in rows["reason"]],
        }
    )
    if (rows["reason"] == "").all():
        shown = shown.drop(columns="Why not")
    return table(shown, f"Effect by segment after {effect.horizon} months")


def say_segments(effect: Any, anchor: str = "segments") -> Headline:
    """Which segments have an effect of their own, and that the others are not told apart."""
    rows = segments_of(effect)
    if refusal := refusal_takeaway("The effect is not given by segment.", rows, anchor):
        return refusal
    clear = [called(row.segment or "not recorded") for row in rows.itertuples() if row.low > 0 or row.high < 0]
    if not clear:
        return Headline(
            "In no segment is the effect clear by itself.", "Only the whole is large enough to tell.", anchor
        )
    return Headline(
        f"The effect is clear by itself in {listed(clear)}.",
        "That others are not clear does not mean that they differ: segments were not compared with each other.",
        anchor,
    )


def say_robustness(effect: Any, anchor: str = "robustness") -> Headline:
    """How strong a hidden cause would have to be, and whether one CSM carries the result."""
    if refusal := refusal_takeaway("How robust the effect is cannot be told.", briefly(effect), anchor):
        return refusal
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
        return Headline("How strong a hidden cause would have to be is not given.", " ".join(parts), anchor)
    return Headline(
        "To explain the estimate away, a hidden cause would have to go with coverage and leaving by a risk ratio of "
        f"{effect.e_value:.2f} each.",
        " ".join(parts),
        anchor,
    )


def _covariate(name: str) -> str:
    return {"log_mrr": "size by MRR", "tenure_months": "age of the account"}.get(name, called(name.replace("_", " ")))
