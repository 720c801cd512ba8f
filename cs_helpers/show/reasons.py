"""Sentences, text alternatives and tables about why accounts left."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cs_helpers.core.errors import visible
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
    percent,
    plain,
    refusal_takeaway,
    short_money,
    span_words,
)


def say_reasons(reasons: Any, currency: str, anchor: str = "reasons") -> Headline:
    """The reason behind most of the lost revenue, how sure that is, and how much is unknown."""
    if refusal := refusal_takeaway("Why accounts leave cannot be told.", reasons, anchor):
        return refusal
    known = reasons.table[reasons.table["share"].notna()]
    first, row = called(known.index[0]), known.iloc[0]
    clear = len(known) == 1 or row["low"] > known["high"].iloc[1:].max()
    lead = "is the reason for the most lost revenue" if clear else "leads, but not clearly, among the reasons"
    return Headline(
        f"{capital(first)} {lead}: {percent(row['share'], 0)} of the MRR whose reason is known.",
        f"{money(row['mrr'], currency, short=True)} in {count(row['accounts'], 'departure')}; {SPAN} "
        f"{span_words(row['low'], row['high'], 0)}. For {percent(reasons.unknown_mrr_share, 0)} of the lost MRR no "
        "reason is known.",
        anchor,
    )


def say_agreement(reasons: Any, anchor: str = "reasons-agree") -> Headline:
    """How often the recorded reason is the one that the account itself gave."""
    if refusal := refusal_takeaway("Recorded and stated reasons cannot be compared.", reasons, anchor):
        return refusal
    if not reasons.both:
        return Headline(
            "Whether recorded reasons are the true ones cannot be told.",
            "No departure has both a recorded reason and an answer in the exit survey.",
            anchor,
        )
    low, high = reasons.agree_interval
    return Headline(
        f"In {reasons.agree} of {count(reasons.both, 'departure')} with both, the recorded reason is the one the "
        f"account gave itself ({percent(reasons.agree / reasons.both, 0)}).",
        f"{SPAN} {span_words(low, high, 0)}. {reasons.answered} of {reasons.asked} exit surveys were answered; whoever "
        "stays silent may have left for other reasons.",
        anchor,
    )


def say_controllable(reasons: Any, anchor: str = "reasons-controllable") -> Headline:
    """The share of lost revenue whose reason lies in the company's own hands."""
    if refusal := refusal_takeaway("What could have been kept cannot be told.", reasons, anchor):
        return refusal
    low, high = reasons.controllable_interval
    theirs = [called(name) for name, row in reasons.table.iterrows() if row["controllable"] is False]
    not_ours = f"Not in our hands: {listed(theirs)}." if theirs else "No reason outside the company's hands was given."
    return Headline(
        f"{percent(reasons.controllable_share)} of the lost MRR with a known reason went for one in our own hands.",
        f"{SPAN} {span_words(low, high)}. {not_ours} That a reason is in our hands does not mean that the account "
        "could have been kept.",
        anchor,
    )


def say_competitors(reasons: Any, anchor: str = "competitors") -> Headline:
    """To whom accounts went, as far as they said."""
    if refusal := refusal_takeaway("To whom accounts go cannot be told.", reasons, anchor):
        return refusal
    named = reasons.competitors
    if not len(named):
        return Headline("No exit survey named a competitor.", "", anchor)
    most = [f"{called(name)} {number}" for name, number in named.items()]
    return Headline(
        f"{count(int(named.sum()), 'departure')} of {reasons.departures:,} named where they went: {listed(most, 6)}.",
        "Counts of those who answered, not shares of all.",
        anchor,
    )


def reason_rows(reasons: Any, most: int = 8) -> Any:
    """The rows that ``charts.reason_bars`` draws: lost MRR by recorded and by stated reason; a Suppressed stays one."""
    if isinstance(reasons, Suppressed):
        return reasons
    rows = reasons.table[reasons.table["share"].notna()].head(most)
    return pd.DataFrame(
        {
            "reason": [called(name) for name in rows.index],
            "recorded": rows["recorded_mrr"].to_numpy(),
            "stated": rows["stated_mrr"].to_numpy(),
            "controllable": rows["controllable"].to_numpy(),
        }
    )


def alt_reasons(reasons: Any, currency: str) -> str:
    """What the chart of reasons shows."""
    if isinstance(reasons, Suppressed):
        return ""
    short = short_money(currency)
    rows = [
        f"{called(name)}: {short(row['recorded_mrr'])} recorded, {short(row['stated_mrr'])} stated"
        for name, row in reasons.table.iterrows()
    ]
    return f"Lost MRR by reason. {'; '.join(rows)}."


def note_reasons(reasons: Any) -> str:
    """How to read the chart of reasons."""
    if isinstance(reasons, Suppressed):
        return ""
    return (
        "Filled: what the company recorded. Hollow: what the account itself said in the exit survey. The two cover "
        f"different departures: {reasons.known:,} of {reasons.departures:,} have at least one of them."
    )


def reasons_table(reasons: Any, currency: str) -> Block:
    """Every reason with departures, MRR, share and interval, recorded and stated, and whether it is in our hands."""
    if isinstance(reasons, Suppressed):
        return refused(reasons.reason)
    short, rows = short_money(currency), reasons.table
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
            "Stated": [_both(n, m, short) for n, m in zip(rows["stated_accounts"], rows["stated_mrr"], strict=True)],
            "In our hands": [hands.get(each, "–") for each in rows["controllable"]],
        }
    )
    of_all, of_money = percent(reasons.unknown_share), percent(reasons.unknown_mrr_share)
    unknown = f"Unknown: {of_all} of departures, {of_money} of the lost MRR."
    block = table(shown, "Why accounts left: stated where answered, else recorded")
    return Block(f'{block.html}<p class="cs-note">{plain(unknown)}</p>', f"{block.text}\n{unknown}")


def _both(number: int, amount: float, short: Any) -> str:
    return f"{number:,} · {short(amount)}" if number else "–"


def reasons_by_group(reasons: Any, by: str) -> Block:
    """Share of the known lost MRR by reason within each group; nothing where no group has ten known departures."""
    if isinstance(reasons, Suppressed):
        return Block("", "")
    if reasons.by_group.empty:
        return refused(f"no {called(by)} has ten departures with a known reason, so reasons are not split by it")
    shares = reasons.by_group
    shown = pd.DataFrame(
        {
            "Reason": [visible(name) for name in shares.index],
            **{visible(name): shares[name].map(lambda x: percent(x, 0)).to_numpy() for name in shares.columns},
        }
    )
    return table(shown, f"Share of the lost MRR with a known reason, by {called(by)}")
