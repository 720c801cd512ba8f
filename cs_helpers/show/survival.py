"""Sentences, text alternatives and tables about how long accounts stay."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.periods import day_words
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    count,
    listed,
    money,
    money_span,
    months_words,
    percent,
    plain,
    rate_words,
    refusal_takeaway,
    sentence,
    short_money,
    span_words,
)


def say_survival(curve: Any, anchor: str = "survival") -> Headline:
    """What the survival curve says at twelve months (or the latest of 6, 3, 1 it reaches) and at its median."""
    if isinstance(curve, Suppressed):
        return Headline("How long accounts stay cannot be told.", sentence(curve.reason), anchor)
    if curve.events == 0:
        found = f"None of the {curve.spells:,} paid spells ended in the data."
        return Headline(found, "How long accounts stay is open.", anchor)
    ages = [age for age in (12, 6, 3, 1) if curve.starts_at <= age <= curve.last_seen]
    if not ages:
        found = f"Accounts were seen between {curve.starts_at:.0f} and {curve.last_seen:.0f} months of age only."
        return Headline(found, "", anchor)
    low, high = curve.interval(ages[0])
    condition = f", of those that reached {curve.starts_at:.1f} months" if curve.starts_at > 0 else ""
    return Headline(
        f"{percent(curve.survival(ages[0]), 0)} of accounts still pay {ages[0]} months after they started{condition}.",
        f"{SPAN} {span_words(low, high, 0)}. {_median_words(curve)}",
        anchor,
    )


def _median_words(curve: Any) -> str:
    earliest, latest = curve.median_interval
    seen = f"within the {curve.last_seen:.0f} months of age that were seen"
    if not math.isfinite(earliest):
        return f"Half have not left {seen}."
    if not math.isfinite(curve.median) or not math.isfinite(latest):
        return f"Half have left after {earliest:.0f} months at the earliest; the latest cannot be told {seen}."
    return f"Half have left after {curve.median:.0f} months ({SPAN} {earliest:.0f} to {latest:.0f} months)."


def note_survival(curve: Any, observed_from: pd.Timestamp) -> str:
    """What the curve rests on: spells, endings, late entries, and where it begins and ends."""
    if isinstance(curve, Suppressed):
        return ""
    begins = f" It begins at {curve.starts_at:.1f} months." if curve.starts_at else ""
    return (
        f"{curve.spells:,} paid spells, of which {curve.events:,} ended inside the data; {curve.late_entries:,} began "
        f"before {day_words(observed_from)} and count from the age they had then.{begins} The band is a pointwise "
        f"{SPAN}; the curve ends at {curve.last_seen:.0f} months, the last age with ten at risk."
    )


def alt_survival(curve: Any) -> str:
    """What the survival curve shows at each full year (half year, where two were not seen), with its interval."""
    if isinstance(curve, Suppressed):
        return ""
    step = 12 if curve.last_seen >= 24 else 6
    ages = [age for age in range(step, int(curve.last_seen) + 1, step) if age >= curve.starts_at]
    parts = "; ".join(
        f"{percent(curve.survival(age), 0)} ({span_words(low, high, 0)}) at {age} months, "
        f"{curve.at_risk(age):,} at risk"
        for age in ages
        for low, high in [curve.interval(age)]
    )
    seen = f"{curve.starts_at:.0f} to {curve.last_seen:.0f} months of age"
    return f"Falling step curve of the share still paying, seen from {seen}: {parts or 'no full half year'}."


def note_weighted(curve: Any) -> str:
    """What the revenue-weighted curve rests on: how many accounts it is worth, and the largest ones."""
    if isinstance(curve, Suppressed):
        return ""
    return (
        f"Each spell counts by its MRR on entry. That is worth {curve.effective_n:,.0f} equal accounts of "
        f"{curve.spells:,}; the five largest carry {percent(curve.top_five_share, 0)} of the MRR. The band comes from "
        f"{curve.draws:,} draws of accounts."
    )


def say_weighted(weighted: Any, curve: Any, anchor: str = "survival-revenue") -> Headline:
    """What the revenue-weighted curve says beside the one of accounts."""
    if refusal := refusal_takeaway("How long revenue stays cannot be told.", weighted, anchor):
        return refusal
    ages = [age for age in (12, 6, 3, 1) if weighted.starts_at <= age <= weighted.last_seen]
    if not ages:
        return Headline("How long revenue stays cannot be told.", "No age of a whole month was seen.", anchor)
    age = ages[0]
    low, high = weighted.interval(age)
    by_account = "" if isinstance(curve, Suppressed) else f" Of accounts it is {percent(curve.survival(age), 0)}."
    return Headline(
        f"{percent(weighted.survival(age), 0)} of MRR still pays {count(age, 'month')} after it started.",
        f"{SPAN} {span_words(low, high, 0)}.{by_account}",
        anchor,
    )


def say_stay_by_group(groups: Any, anchor: str = "survival-groups") -> Headline:
    """Whether groups differ in how long they stay, by the log-rank test over all of them."""
    if refusal := refusal_takeaway("Groups cannot be compared in how long they stay.", groups, anchor):
        return refusal
    if isinstance(groups.test, Suppressed):
        return Headline("Groups cannot be tested against each other.", capital(sentence(groups.test.reason)), anchor)
    p = groups.test.p_value
    value = f"p < {0.001:g}" if p < 0.001 else f"p = {p:.3f}"
    basis = f"Log-rank test over {len(groups.curves)} groups, all ages: {value}."
    if p >= 0.05:
        return Headline(f"How long accounts stay does not clearly differ by {called(groups.by)}.", basis, anchor)
    ratio = groups.test.table["observed"] / groups.test.table["expected"]
    fast = called(ratio.idxmax())
    return Headline(
        f"How long accounts stay differs by {called(groups.by)}; {fast} leave soonest.",
        f"{basis} {fast}: {ratio.max():.1f} times as many left as if all groups were alike.",
        anchor,
    )


def alt_stay_by_group(groups: Any) -> str:
    """What the curves by group show at full years."""
    if isinstance(groups, Suppressed):
        return ""
    parts = []
    for name, curve in groups.curves.items():
        ages = [age for age in range(12, int(curve.last_seen) + 1, 12) if age >= curve.starts_at]
        shares = ", ".join(f"{percent(curve.survival(age), 0)} at {age} months" for age in ages)
        parts.append(f"{called(name)} ({count(curve.spells, 'spell')}): {shares or 'no full year seen'}")
    return f"Falling step curves by {called(groups.by)}. {'; '.join(parts)}."


def note_stay_by_group(groups: Any) -> str:
    """Who is not drawn."""
    if isinstance(groups, Suppressed):
        return ""
    parts = ["A curve is drawn where at least ten spells are at risk."]
    if groups.too_small:
        named = [f"{called(name)} ({number:,})" for name, number in groups.too_small.items()]
        parts.append(f"Too few spells to draw: {listed(named)}.")
    if groups.unknown:
        parts.append(f"{count(groups.unknown, 'spell')} without a recorded {called(groups.by)}.")
    return " ".join(parts)


def say_incidence(result: Any, anchor: str = "incidence") -> Headline:
    """Which reason takes most accounts by an age, all reasons and staying adding up to 100 %."""
    if refusal := refusal_takeaway("Which reasons take accounts, and when, cannot be told.", result, anchor):
        return refusal
    ages = [age for age in (24, 12, 6, 3, 1) if result.starts_at <= age <= result.last_seen]
    if not ages or not len(result.table.columns):
        return Headline("Nobody left in the data.", "There are no reasons to follow.", anchor)
    shares = result.at(ages[0]).sort_values(ascending=False, kind="stable")
    shares = pd.concat([shares.drop("unknown", errors="ignore"), shares[shares.index == "unknown"]])
    first = called(shares.index[0])
    step = result.table.index.searchsorted(ages[0], side="right") - 1
    low, high = (frame[shares.index[0]].iloc[step] for frame in (result.low, result.high))
    rest = [f"{called(name)} {percent(value, 0)}" for name, value in shares.iloc[1:4].items()]
    others = f" Then {listed(rest)}." if rest else ""
    return Headline(
        f"Within {ages[0]} months {percent(shares.iloc[0], 0)} of accounts leave for {first}, the commonest reason.",
        f"{SPAN} {span_words(low, high, 0)}.{others} {percent(result.staying(ages[0]), 0)} are still there.",
        anchor,
    )


def alt_incidence(result: Any) -> str:
    """What the areas by reason show at their end."""
    if isinstance(result, Suppressed):
        return ""
    last = result.table.iloc[-1]
    parts = "; ".join(f"{called(name)} {percent(value, 0)}" for name, value in last.items())
    staying = percent(result.staying(result.last_seen), 0)
    return f"Share of accounts gone by reason after {result.last_seen:.0f} months: {parts}; {staying} still paying."


def note_incidence(result: Any) -> str:
    """How to read the areas, and what the usual way would have said."""
    if isinstance(result, Suppressed) or not len(result.table.columns):
        return ""
    name = result.table.columns[0]
    return (
        "Reasons compete: an account can leave for one of them only, so areas and the share still paying add up to "
        f"100{NARROW_SPACE}%. One minus a survival curve per reason would say {percent(result.naive[name], 0)} for "
        f"{called(name)} instead of {percent(result.table[name].iloc[-1], 0)}."
    )


def say_anniversaries(result: Any, anchor: str = "anniversaries") -> Headline:
    """How many contracts are lost when they come due, against a month in between."""
    if refusal := refusal_takeaway("What happens at contract anniversaries cannot be told.", result, anchor):
        return refusal
    all_ = result.overall
    return Headline(
        f"{percent(all_.rate, 0)} of contracts end when they come due, against {rate_words(result.between_rate)} "
        "in a month in between.",
        f"{all_.lost:,.0f} of {all_.up_for_renewal:,.0f} up for renewal; {SPAN} {span_words(all_.low, all_.high, 0)}.",
        anchor,
    )


def alt_anniversaries(result: Any) -> str:
    """What the chart of anniversaries shows."""
    if isinstance(result, Suppressed):
        return ""
    rows = [
        f"anniversary {name}: {percent(row['rate'])} of {row['up_for_renewal']:,.0f}, "
        f"{SPAN} {span_words(row['low'], row['high'])}"
        for name, row in result.table.iterrows()
    ]
    return f"Share of contracts lost at each anniversary. {'; '.join(rows)}."


def note_anniversaries(result: Any) -> str:
    """Who counts at an anniversary."""
    if isinstance(result, Suppressed):
        return ""
    terms = ", ".join(f"{term:g} months ({number:,})" for term, number in sorted(result.terms.items()))
    return (
        "Denominator: contracts paid up to that due date and watched since before it. Lost: ended within a month of "
        f"it. {count(result.open, 'contract')} came due too recently to tell; {count(result.without_term, 'spell')} on "
        f"monthly or unrecorded terms count nowhere here. Terms: {terms}."
    )


def say_projection(result: Any, anchor: str = "projection") -> Headline:
    """Expected lifetime inside the horizon, and how the same projection fared a year ago."""
    if refusal := refusal_takeaway("The future of the present accounts cannot be projected.", result, anchor):
        return refusal
    low, high = result.expected_lifetime_interval
    return Headline(
        f"A new account is expected to pay for {months_words(result.expected_lifetime)} of the next "
        f"{result.horizon_months}.",
        f"{SPAN} {low:.1f} to {high:.1f} months. {_held_out_words(result)}",
        anchor,
    )


def _held_out_words(result: Any) -> str:
    held = result.held_out
    if isinstance(held, Suppressed):
        return f"It has not been tested: {sentence(held.reason)}"
    verdict = (
        "within what it allowed for"
        if held.inside
        else "more left than it allowed for, so take this one as optimistic"
        if held.error < 0
        else "fewer left than it allowed for, so take this one as cautious"
    )
    return (
        f"Fitted without the last {result.hold_out_months} months it expected {percent(held.expected_share)} of "
        f"{count(held.accounts, 'account')} to last them ({span_words(held.expected_low, held.expected_high)}); "
        f"{percent(held.actual_share)} did: {verdict}."
    )


def alt_projection(result: Any) -> str:
    """What the projection shows at full years."""
    if isinstance(result, Suppressed):
        return ""
    ages = list(range(12, result.horizon_months + 1, 12))
    rows = [
        f"{percent(result.curve.loc[age, 'survival'], 0)} at {age} months "
        f"({span_words(result.curve.loc[age, 'low'], result.curve.loc[age, 'high'], 0)})"
        for age in ages
        if age in result.curve.index
    ]
    return f"Fitted share of accounts still paying, seen to {result.observed_to:.0f} months: {'; '.join(rows)}."


def note_projection(result: Any) -> str:
    """Which model, and where seeing ends."""
    if isinstance(result, Suppressed):
        return ""
    fit = result.fit
    same = " Accounts look alike, so the risk of leaving does not fall with age." if fit.homogeneous else ""
    beyond = (
        f"Ages beyond {result.observed_to:.0f} months are projection."
        if result.observed_to < result.horizon_months
        else "All these ages have been seen; the model smooths the steps at contract anniversaries."
    )
    return (
        f"Shifted-beta-geometric model (alpha {fit.alpha:.2f}, beta {fit.beta:.2f}): accounts differ in how easily "
        f"they leave, so those that remain leave less and less.{same} {beyond}"
    )


def lifetime_table(frame: Any, currency: str, horizon_months: int, by: str = "") -> Block:
    """CLV by group inside the horizon, with its interval and what ARPA / churn would have said."""
    if isinstance(frame, Suppressed):
        return refused(frame.reason)
    short = short_money(currency)

    def amounts(name: str) -> list[str]:
        return [money(value, currency, short=True) for value in frame[name]]

    shown = pd.DataFrame(
        {
            visible(by).capitalize() or "Accounts": [visible(name) for name in frame.index],
            "Accounts paying": frame["accounts"].to_numpy(),
            "Mean MRR": frame["mrr"].map(short).to_numpy(),
            "Gross margin": frame["margin"].map(lambda x: percent(x, 0)).to_numpy(),
            "Expected months": [f"{value:.1f}" if value == value else "–" for value in frame["expected_months"]],
            f"CLV over {horizon_months} months": amounts("value"),
            f"95{NARROW_SPACE}% interval": [
                money_span(low, high, currency) if low == low else "–"
                for low, high in zip(frame["low"], frame["high"], strict=True)
            ],
            "ARPA / churn, same horizon": amounts("naive_within_horizon"),
            "ARPA / churn, endless": amounts("naive"),
        }
    )
    reasons = [f"{called(name)}: {sentence(why)}" for name, why in frame["reason"].items() if why]
    block = table(shown, "Customer lifetime value of a new account")
    if not reasons:
        return block
    note = "Not given. " + " ".join(reasons)
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")


def say_lifetime(frame: Any, currency: str, horizon_months: int, anchor: str = "lifetime") -> Headline:
    """CLV of an average new account, and how far ARPA / churn is off inside the same horizon."""
    if refusal := refusal_takeaway("Lifetime value cannot be given.", frame, anchor):
        return refusal
    row = frame.loc["All"]
    if row["reason"]:
        return Headline("Lifetime value cannot be given.", capital(sentence(row["reason"])), anchor)
    bias = row["naive_within_horizon"] / row["value"] - 1
    size = f"{percent(abs(bias), 0)} {'more' if bias > 0 else 'less'}" if abs(bias) >= 0.005 else "the same"
    return Headline(
        f"A new account at today's mean MRR is worth {money(row['value'], currency, short=True)} of gross margin over "
        f"{horizon_months} months.",
        f"{SPAN} {money_span(row['low'], row['high'], currency)}, from the survival curve alone. ARPA / churn over the "
        f"same months would say {size}; without an end it would say {money(row['naive'], currency, short=True)}.",
        anchor,
    )
