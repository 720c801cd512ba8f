"""Views of how long accounts stay: survival, contract anniversaries, projection, lifetime value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cs_helpers.churn import charts
from cs_helpers.churn.contract_anniversaries import Anniversaries
from cs_helpers.churn.customer_value import LifetimeValues
from cs_helpers.churn.group_curves import GroupCurves, RevenueSurvival
from cs_helpers.churn.kaplan_meier import Survival
from cs_helpers.churn.shifted_beta_geometric import Projection
from cs_helpers.core.errors import visible
from cs_helpers.core.periods import day_words
from cs_helpers.core.results import Result, Suppressed
from cs_helpers.report.blocks import Block, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import View, view_for
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
    sentence,
    short_money,
    span_words,
)

_INTERVAL = f"95{NARROW_SPACE}% interval"


def _ages(curve: Survival | RevenueSurvival) -> list[int]:
    """Full years of age that were seen; half years where fewer than two were."""
    step = 12 if curve.last_seen >= 24 else 6
    return [age for age in range(step, int(curve.last_seen) + 1, step) if age >= curve.starts_at]


def _first_age(curve: Survival | RevenueSurvival) -> int | None:
    """Twelve months, or the latest of 6, 3 and 1 that was seen."""
    return next((age for age in (12, 6, 3, 1) if curve.starts_at <= age <= curve.last_seen), None)


def _survival_alt(curve: Survival | RevenueSurvival) -> str:
    parts = "; ".join(
        f"{percent(curve.at(age), 0)} ({span_words(*curve.interval(age), 0)}) at {age} months, "
        f"{curve.at_risk(age):,} at risk"
        for age in _ages(curve)
    )
    seen = f"{curve.starts_at:.0f} to {curve.last_seen:.0f} months of age"
    return f"Falling step curve of the share still paying, seen from {seen}: {parts or 'no full half year'}."


def _survival_table(curve: Survival | RevenueSurvival, caption: str) -> Block | None:
    ages = _ages(curve)
    rows = {
        "Months since the start": ages,
        "Still paying": [percent(curve.at(age)) for age in ages],
        _INTERVAL: [span_words(*curve.interval(age)) for age in ages],
        "At risk": [curve.at_risk(age) for age in ages],
    }
    return table(pd.DataFrame(rows), caption) if ages else None


@view_for(Survival)
class SurvivalView(View[Survival]):
    """The share of accounts still paying by age."""

    def headline(self, result: Survival) -> Headline:
        anchor = "survival"
        if result.events == 0:
            found = f"None of the {result.spells:,} paid spells ended in the data."
            return Headline(found, "How long accounts stay is open.", anchor)
        age = _first_age(result)
        if age is None:
            found = f"Accounts were seen between {result.starts_at:.0f} and {result.last_seen:.0f} months of age only."
            return Headline(found, "", anchor)
        condition = f", of those that reached {result.starts_at:.1f} months" if result.starts_at > 0 else ""
        return Headline(
            f"{percent(result.at(age), 0)} of accounts still pay {age} months after they started{condition}.",
            f"{SPAN} {span_words(*result.interval(age), 0)}. {_median_words(result)}",
            anchor,
        )

    def chart(self, result: Survival, narrow: bool) -> Chart:
        return charts.survival_curve(result, narrow)

    def alt_text(self, result: Survival) -> str:
        return _survival_alt(result)

    def note(self, result: Survival) -> str:
        begins = f" It begins at {result.starts_at:.1f} months." if result.starts_at else ""
        since = day_words(result.observed_from) if result.observed_from is not None else "the data do"
        return (
            f"{result.spells:,} paid spells, of which {result.events:,} ended inside the data; "
            f"{result.late_entries:,} began before {since} and count from the age they had then.{begins} The band is a "
            f"pointwise {SPAN}; the curve ends at {result.last_seen:.0f} months, the last age with ten at risk."
        )

    def table(self, result: Survival) -> pd.DataFrame:
        return result.curve.reset_index()

    def page_table(self, result: Survival) -> Block | None:
        return _survival_table(result, "Share of accounts still paying")

    def parts(self, result: Survival) -> Sequence[Result]:
        return () if result.revenue is None else (result.revenue,)


def _median_words(curve: Survival) -> str:
    earliest, latest = curve.median_interval
    seen = f"within the {curve.last_seen:.0f} months of age that were seen"
    if not math.isfinite(earliest):
        return f"Half have not left {seen}."
    if not math.isfinite(curve.median) or not math.isfinite(latest):
        return f"Half have left after {earliest:.0f} months at the earliest; the latest cannot be told {seen}."
    return f"Half have left after {curve.median:.0f} months ({SPAN} {earliest:.0f} to {latest:.0f} months)."


@view_for(RevenueSurvival)
class RevenueSurvivalView(View[RevenueSurvival]):
    """The share of revenue still paying by age."""

    def headline(self, result: RevenueSurvival) -> Headline:
        anchor, age = "survival-revenue", _first_age(result)
        if age is None:
            return Headline("How long revenue stays cannot be told.", "No age of a whole month was seen.", anchor)
        accounts = result.by_account
        compared = f" Of accounts it is {percent(accounts.at(age), 0)}." if accounts is not None else ""
        return Headline(
            f"{percent(result.at(age), 0)} of MRR still pays {count(age, 'month')} after it started.",
            f"{SPAN} {span_words(*result.interval(age), 0)}.{compared}",
            anchor,
        )

    def chart(self, result: RevenueSurvival, narrow: bool) -> Chart:
        return charts.survival_curve(result, narrow)

    def alt_text(self, result: RevenueSurvival) -> str:
        return _survival_alt(result)

    def note(self, result: RevenueSurvival) -> str:
        return (
            f"Each spell counts by its MRR on entry. That is worth {result.effective_n:,.0f} equal accounts of "
            f"{result.spells:,}; the five largest carry {percent(result.top_five_share, 0)} of the MRR. The band comes "
            f"from {result.draws:,} draws of accounts."
        )

    def table(self, result: RevenueSurvival) -> pd.DataFrame:
        return result.curve.reset_index()

    def page_table(self, result: RevenueSurvival) -> Block | None:
        return _survival_table(result, "Share of MRR still paying")


@view_for(GroupCurves)
class GroupCurvesView(View[GroupCurves]):
    """Whether groups differ in how long they stay."""

    def headline(self, result: GroupCurves) -> Headline:
        anchor, test = "survival-groups", result.test
        if isinstance(test, Suppressed):
            return Headline("Groups cannot be tested against each other.", capital(sentence(test.reason)), anchor)
        value = f"p < {0.001:g}" if test.p_value < 0.001 else f"p = {test.p_value:.3f}"
        basis = f"Log-rank test over {len(result.curves)} groups, all ages: {value}."
        if test.p_value >= 0.05:
            return Headline(f"How long accounts stay does not clearly differ by {called(result.by)}.", basis, anchor)
        ratio = test.table["observed"] / test.table["expected"]
        fast = called(ratio.idxmax())
        return Headline(
            f"How long accounts stay differs by {called(result.by)}; {fast} leave soonest.",
            f"{basis} {fast}: {ratio.max():.1f} times as many left as if all groups were alike.",
            anchor,
        )

    def chart(self, result: GroupCurves, narrow: bool) -> Chart:
        return charts.survival_curves(result, narrow)

    def alt_text(self, result: GroupCurves) -> str:
        parts = []
        for name, curve in result.curves.items():
            ages = [age for age in range(12, int(curve.last_seen) + 1, 12) if age >= curve.starts_at]
            shares = ", ".join(f"{percent(curve.at(age), 0)} at {age} months" for age in ages)
            parts.append(f"{called(name)} ({count(curve.spells, 'spell')}): {shares or 'no full year seen'}")
        return f"Falling step curves by {called(result.by)}. {'; '.join(parts)}."

    def note(self, result: GroupCurves) -> str:
        parts = ["A curve is drawn where at least ten spells are at risk."]
        if result.too_small:
            named = [f"{called(name)} ({number:,})" for name, number in result.too_small.items()]
            parts.append(f"Too few spells to draw: {listed(named)}.")
        if result.unknown:
            parts.append(f"{count(result.unknown, 'spell')} without a recorded {called(result.by)}.")
        return " ".join(parts)

    def table(self, result: GroupCurves) -> pd.DataFrame:
        curves = {name: curve.curve.reset_index() for name, curve in result.curves.items()}
        return pd.concat(curves, names=[result.by or "group"]).reset_index(level=0).reset_index(drop=True)

    def page_table(self, result: GroupCurves) -> Block:
        ages = range(12, int(max(curve.last_seen for curve in result.curves.values())) + 1, 12)
        rows = {
            capital(visible(result.by)) or "Group": [visible(name) for name in result.curves],
            "Spells": [curve.spells for curve in result.curves.values()],
            **{
                f"Still paying at {age} months": [percent(curve.at(age)) for curve in result.curves.values()]
                for age in ages
            },
        }
        return table(pd.DataFrame(rows), f"Share of accounts still paying, by {called(result.by)}")


@view_for(Anniversaries)
class AnniversariesView(View[Anniversaries]):
    """The share of contracts lost when they come due, and in between."""

    def headline(self, result: Anniversaries) -> Headline:
        every = result.overall
        return Headline(
            f"{percent(every.rate, 0)} of contracts end when they come due, against {rate_words(result.between_rate)} "
            "in a month in between.",
            f"{every.lost:,.0f} of {every.up_for_renewal:,.0f} up for renewal; {SPAN} "
            f"{span_words(every.low, every.high, 0)}.",
            "anniversaries",
        )

    def chart(self, result: Anniversaries, narrow: bool) -> Chart:
        return charts.anniversaries(result, narrow)

    def alt_text(self, result: Anniversaries) -> str:
        rows = [
            f"anniversary {name}: {percent(row['rate'])} of {row['up_for_renewal']:,.0f}, "
            f"{SPAN} {span_words(row['low'], row['high'])}"
            for name, row in result.by_anniversary.iterrows()
        ]
        return f"Share of contracts lost at each anniversary. {'; '.join(rows)}."

    def note(self, result: Anniversaries) -> str:
        terms = ", ".join(f"{term:g} months ({number:,})" for term, number in sorted(result.terms.items()))
        return (
            "Denominator: contracts paid up to that due date and watched since before it. Lost: ended within a month "
            f"of it. {count(result.open, 'contract')} came due too recently to tell; "
            f"{count(result.without_term, 'spell')} on monthly or unrecorded terms count nowhere here. Terms: {terms}."
        )

    def table(self, result: Anniversaries) -> pd.DataFrame:
        return result.by_anniversary.reset_index()

    def page_table(self, result: Anniversaries) -> Block:
        rows = result.by_anniversary
        shown = pd.DataFrame(
            {
                "Anniversary": rows.index,
                "Up for renewal": rows["up_for_renewal"].to_numpy(),
                "Lost": rows["lost"].to_numpy(),
                "Share lost": rows["rate"].map(percent).to_numpy(),
                _INTERVAL: list(map(span_words, rows["low"], rows["high"])),
            }
        )
        return table(shown, "Contracts lost at each anniversary")


@view_for(Projection)
class ProjectionView(View[Projection]):
    """How long a new account is expected to pay, and how the same projection did a year ago."""

    def headline(self, result: Projection) -> Headline:
        low, high = result.expected_lifetime_interval
        return Headline(
            f"A new account is expected to pay for {months_words(result.expected_lifetime)} of the next "
            f"{result.horizon_months}.",
            f"{SPAN} {low:.1f} to {high:.1f} months. {_held_out_words(result)}",
            "projection",
        )

    def chart(self, result: Projection, narrow: bool) -> Chart:
        return charts.projection(result, narrow)

    def alt_text(self, result: Projection) -> str:
        rows = [
            f"{percent(row['survival'], 0)} at {age} months ({span_words(row['low'], row['high'], 0)})"
            for age, row in _full_years(result).iterrows()
        ]
        return f"Fitted share of accounts still paying, seen to {result.observed_to:.0f} months: {'; '.join(rows)}."

    def note(self, result: Projection) -> str:
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

    def table(self, result: Projection) -> pd.DataFrame:
        return result.curve.reset_index()

    def page_table(self, result: Projection) -> Block | None:
        rows = _full_years(result)
        shown = pd.DataFrame(
            {
                "Months since the start": list(rows.index),
                "Still paying": rows["survival"].map(percent).to_numpy(),
                _INTERVAL: list(map(span_words, rows["low"], rows["high"])),
            }
        )
        return table(shown, "Projected share of accounts still paying") if len(rows) else None


def _full_years(result: Projection) -> pd.DataFrame:
    ages = range(12, result.horizon_months + 1, 12)
    return result.curve.loc[[age for age in ages if age in result.curve.index]]


def _held_out_words(result: Projection) -> str:
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


@view_for(LifetimeValues)
class LifetimeValuesView(View[LifetimeValues]):
    """The lifetime value of a new account, and how far MRR / churn is off inside the same horizon."""

    def headline(self, result: LifetimeValues) -> Headline:
        anchor, currency = "lifetime", result.currency
        row = result.by_group.T["All"]
        if row["reason"]:
            return Headline("Lifetime value cannot be given.", capital(sentence(row["reason"])), anchor)
        bias = row["naive_within_horizon"] / row["value"] - 1
        size = f"{percent(abs(bias), 0)} {'more' if bias > 0 else 'less'}" if abs(bias) >= 0.005 else "the same"
        return Headline(
            f"A new account at today's mean MRR is worth {money(row['value'], currency, short=True)} of gross margin "
            f"over {result.horizon_months} months.",
            f"{SPAN} {money_span(row['low'], row['high'], currency)}, from the survival curve alone. ARPA / churn over "
            f"the same months would say {size}; without an end it would say "
            f"{money(row['naive'], currency, short=True)}.",
            anchor,
        )

    def table(self, result: LifetimeValues) -> pd.DataFrame:
        return result.by_group.reset_index()

    def page_table(self, result: LifetimeValues) -> Block:
        frame, currency = result.by_group, result.currency
        short = short_money(currency)

        def amounts(name: str) -> list[str]:
            return [money(value, currency, short=True) for value in frame[name]]

        shown = pd.DataFrame(
            {
                visible(result.by).capitalize() or "Accounts": [visible(name) for name in frame.index],
                "Accounts paying": frame["accounts"].to_numpy(),
                "Mean MRR": frame["mrr"].map(short).to_numpy(),
                "Gross margin": frame["margin"].map(lambda x: percent(x, 0)).to_numpy(),
                "Expected months": [f"{value:.1f}" if value == value else "–" for value in frame["expected_months"]],
                f"CLV over {result.horizon_months} months": amounts("value"),
                _INTERVAL: [
                    money_span(*ends, currency) if ends[0] == ends[0] else "–"
                    for ends in zip(frame["low"], frame["high"], strict=True)
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
