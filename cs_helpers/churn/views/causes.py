"""Views of why accounts leave: the reasons of departures, and their cumulative incidence by age."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from cs_helpers.churn import charts
from cs_helpers.churn.aalen_johansen import Incidence
from cs_helpers.churn.churn_reasons import Reasons
from cs_helpers.core.errors import visible
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, refused, table
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
    percent,
    plain,
    short_money,
    span_words,
)

MAX_BARS = 8


@view_for(Reasons)
class ReasonsView(View[Reasons]):
    """The reasons behind the lost revenue, recorded and stated, and whether we can influence them."""

    def headline(self, result: Reasons) -> Headline:
        known = result.by_reason[result.by_reason["share"].notna()]
        first, row = called(known.index[0]), known.iloc[0]
        clear = len(known) == 1 or row["low"] > known["high"].iloc[1:].max()
        lead = "is the reason for the most lost revenue" if clear else "leads, but not clearly, among the reasons"
        return Headline(
            f"{capital(first)} {lead}: {percent(row['share'], 0)} of the MRR whose reason is known.",
            f"{money(row['mrr'], result.currency, short=True)} in {count(row['accounts'], 'departure')}; {SPAN} "
            f"{span_words(row['low'], row['high'], 0)}. For {percent(result.unknown_mrr_share, 0)} of the lost MRR no "
            "reason is known.",
            "reasons",
        )

    def findings(self, result: Reasons) -> Sequence[Headline]:
        return (_agreement(result), _controllable(result), _competitors(result))

    def chart(self, result: Reasons, narrow: bool) -> Chart:
        rows = result.by_reason[result.by_reason["share"].notna()].head(MAX_BARS)
        bars = pd.DataFrame(
            {
                "reason": [called(name) for name in rows.index],
                "recorded": rows["recorded_mrr"].to_numpy(),
                "stated": rows["stated_mrr"].to_numpy(),
                "controllable": rows["controllable"].to_numpy(),
            }
        )
        return charts.reason_bars(bars, narrow, short_money(result.currency))

    def alt_text(self, result: Reasons) -> str:
        short = short_money(result.currency)
        rows = [
            f"{called(name)}: {short(row['recorded_mrr'])} recorded, {short(row['stated_mrr'])} stated"
            for name, row in result.by_reason.iterrows()
        ]
        return f"Lost MRR by reason. {'; '.join(rows)}."

    def note(self, result: Reasons) -> str:
        return (
            "Filled: what the company recorded. Hollow: what the account itself said in the exit survey. The two cover "
            f"different departures: {result.known:,} of {result.departures:,} have at least one of them."
        )

    def table(self, result: Reasons) -> pd.DataFrame:
        return result.by_reason.reset_index()

    def page_table(self, result: Reasons) -> Block:
        short, rows = short_money(result.currency), result.by_reason
        hands = {True: "yes", False: "no"}
        shown = pd.DataFrame(
            {
                "Reason": [visible(name) for name in rows.index],
                "Departures": rows["accounts"].to_numpy(),
                "Lost MRR": rows["mrr"].map(short).to_numpy(),
                "Share of known": rows["share"].map(percent).to_numpy(),
                f"95{NARROW_SPACE}% interval": [
                    span_words(low, high) if low == low else "–"
                    for low, high in zip(rows["low"], rows["high"], strict=True)
                ],
                "Recorded": [
                    _both(n, m, short) for n, m in zip(rows["recorded_accounts"], rows["recorded_mrr"], strict=True)
                ],
                "Stated": [
                    _both(n, m, short) for n, m in zip(rows["stated_accounts"], rows["stated_mrr"], strict=True)
                ],
                "In our hands": [hands.get(each, "–") for each in rows["controllable"]],
            }
        )
        of_all, of_money = percent(result.unknown_share), percent(result.unknown_mrr_share)
        unknown = f"Unknown: {of_all} of departures, {of_money} of the lost MRR."
        block = table(shown, "Why accounts left: stated where answered, else recorded")
        return Block(f'{block.html}<p class="cs-note">{plain(unknown)}</p>', f"{block.text}\n{unknown}")

    def more(self, result: Reasons) -> Sequence[Block]:
        return (_by_group(result),) if result.by else ()

    def parts(self, result: Reasons) -> Sequence[Result]:
        return () if result.incidence is None else (result.incidence,)


def _agreement(result: Reasons) -> Headline:
    anchor = "reasons-agree"
    if not result.both:
        return Headline(
            "Whether recorded reasons are the true ones cannot be told.",
            "No departure has both a recorded reason and an answer in the exit survey.",
            anchor,
        )
    return Headline(
        f"In {result.agree} of {count(result.both, 'departure')} with both, the recorded reason is the one the "
        f"account gave itself ({percent(result.agree / result.both, 0)}).",
        f"{SPAN} {span_words(*result.agree_interval, 0)}. {result.answered} of {result.asked} exit surveys were "
        "answered; whoever stays silent may have left for other reasons.",
        anchor,
    )


def _controllable(result: Reasons) -> Headline:
    theirs = [called(name) for name, row in result.by_reason.iterrows() if row["controllable"] is False]
    not_ours = f"Not in our hands: {listed(theirs)}." if theirs else "No reason outside the company's hands was given."
    return Headline(
        f"{percent(result.controllable_share)} of the lost MRR with a known reason went for one in our own hands.",
        f"{SPAN} {span_words(*result.controllable_interval)}. {not_ours} That a reason is in our hands does not mean "
        "that the account could have been kept.",
        "reasons-controllable",
    )


def _competitors(result: Reasons) -> Headline:
    anchor, named = "competitors", result.competitors
    if not len(named):
        return Headline("No exit survey named a competitor.", "", anchor)
    most = [f"{called(name)} {number}" for name, number in named.items()]
    return Headline(
        f"{count(int(named.sum()), 'departure')} of {result.departures:,} named where they went: {listed(most, 6)}.",
        "Counts of those who answered, not shares of all.",
        anchor,
    )


def _both(number: int, amount: float, short: Callable[[float], str]) -> str:
    return f"{number:,} · {short(amount)}" if number else "–"


def _by_group(result: Reasons) -> Block:
    """Share of the known lost MRR by reason within each group."""
    if result.by_group.empty:
        return refused(f"no {called(result.by)} has ten departures with a known reason, so reasons are not split by it")
    shares = result.by_group
    shown = pd.DataFrame(
        {
            "Reason": [visible(name) for name in shares.index],
            **{visible(name): shares[name].map(lambda x: percent(x, 0)).to_numpy() for name in shares.columns},
        }
    )
    return table(shown, f"Share of the lost MRR with a known reason, by {called(result.by)}")


@view_for(Incidence)
class IncidenceView(View[Incidence]):
    """The share of accounts that have left for each reason by age."""

    def headline(self, result: Incidence) -> Headline:
        anchor = "incidence"
        age = _age(result)
        if age is None or not len(result.share.columns):
            return Headline("Nobody left in the data.", "There are no reasons to follow.", anchor)
        shares = result.at(age).sort_values(ascending=False, kind="stable")
        shares = pd.concat([shares.drop("unknown", errors="ignore"), shares[shares.index == "unknown"]])
        first = called(shares.index[0])
        step = result.share.index.searchsorted(age, side="right") - 1
        low, high = (frame[shares.index[0]].iloc[step] for frame in (result.low, result.high))
        rest = [f"{called(name)} {percent(value, 0)}" for name, value in shares.iloc[1:4].items()]
        others = f" Then {listed(rest)}." if rest else ""
        return Headline(
            f"Within {age} months {percent(shares.iloc[0], 0)} of accounts leave for {first}, the commonest reason.",
            f"{SPAN} {span_words(low, high, 0)}.{others} {percent(result.staying(age), 0)} are still there.",
            anchor,
        )

    def chart(self, result: Incidence, narrow: bool) -> Chart:
        return charts.incidence(result, narrow)

    def alt_text(self, result: Incidence) -> str:
        parts = "; ".join(f"{called(name)} {percent(value, 0)}" for name, value in result.share.iloc[-1].items())
        staying = percent(result.staying(result.last_seen), 0)
        return f"Share of accounts gone by reason after {result.last_seen:.0f} months: {parts}; {staying} still paying."

    def note(self, result: Incidence) -> str:
        if not len(result.share.columns):
            return ""
        name = result.share.columns[0]
        return (
            "Reasons compete: an account can leave for one of them only, so areas and the share still paying add up to "
            f"100{NARROW_SPACE}%. One minus a survival curve per reason would say {percent(result.naive[name], 0)} for "
            f"{called(name)} instead of {percent(result.share[name].iloc[-1], 0)}."
        )

    def table(self, result: Incidence) -> pd.DataFrame:
        return result.share.reset_index()

    def page_table(self, result: Incidence) -> Block | None:
        ages = [age for age in (6, 12, 24, 36, 48, 60) if result.starts_at <= age <= result.last_seen]
        shown = pd.DataFrame(
            {
                "Reason": [*(visible(name) for name in result.share.columns), "Still paying"],
                **{
                    f"Within {age} months": [*result.at(age).map(percent), percent(result.staying(age))] for age in ages
                },
            }
        )
        return table(shown, "Share of accounts that left, by reason") if ages else None


def _age(result: Incidence) -> int | None:
    """Twenty-four months, or the latest of 12, 6, 3 and 1 that was seen."""
    return next((age for age in (24, 12, 6, 3, 1) if result.starts_at <= age <= result.last_seen), None)
