"""Sentences, text alternatives and tables about the renewals to come and how such forecasts fared."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.words import (
    NARROW_SPACE,
    Headline,
    count,
    money,
    money_span,
    percent,
    points,
    refusal_takeaway,
    short_money,
    span_words,
)

_RANGE = f"95{NARROW_SPACE}% range"


def say_outlook(outlook: Any, currency: str, anchor: str = "outlook") -> Headline:
    """What is due in the next four quarters and what is to be expected of it."""
    if refusal := refusal_takeaway("What renewals will bring cannot be told.", outlook, anchor):
        return refusal
    total, short = outlook.total, short_money(currency)
    return Headline(
        f"{short(total['due'])} of MRR comes up for renewal in the next {_months(outlook)} months; "
        f"{short(total['expected'])} should be renewed.",
        f"{_RANGE} {money_span(total['low'], total['high'], currency)}, if renewals go on as in the last twelve months "
        f"({percent(outlook.rate)} of the revenue due, {count(outlook.decided, 'decided renewal')}).",
        anchor,
    )


def _months(outlook: Any) -> int:
    return 3 * len(outlook.table)


def alt_outlook(outlook: Any, currency: str) -> str:
    """What the outlook chart shows, quarter by quarter."""
    if isinstance(outlook, Suppressed):
        return ""
    short = short_money(currency)
    rows = [
        f"{quarter}: {short(row['due'])} due, {short(row['expected'])} expected "
        f"({money_span(row['low'], row['high'], currency)})"
        for quarter, row in outlook.table.iterrows()
    ]
    return f"Renewals by quarter. {'; '.join(rows)}."


def note_outlook(outlook: Any, currency: str) -> str:
    """What the outlook rests on: records or contract terms, scenarios, and the spread between quarters."""
    if isinstance(outlook, Suppressed):
        return ""
    parts = [f"Outline: due. Bar: expected, with its {_RANGE}."]
    if outlook.scenarios:
        _, worst, best = outlook.scenarios
        parts.append(
            f"Ticks: all quarters as in the worst and the best of the last eight ({percent(worst.rate, 0)} in "
            f"{worst.seen_in}, {percent(best.rate, 0)} in {best.seen_in})."
        )
    else:
        parts.append("Fewer than four past quarters have ten decided renewals, so no other scenario is drawn.")
    derived = float(outlook.table["from_terms"].sum())
    if derived:
        parts.append(
            f"{money(derived, currency, short=True)} of it is due by contract term; nobody has recorded these renewals "
            "yet."
        )
    if outlook.spread > 1:
        parts.append(
            f"Past quarters differed {outlook.spread:.1f} times as much as chance explains, so the ranges are wider."
        )
    parts.append("The ranges do not know of price rises, new competitors or a change of course.")
    return " ".join(parts)


def outlook_table(outlook: Any, currency: str) -> Block:
    """Due, expected and the scenarios by quarter, with their sum; nothing where the outlook is refused."""
    if isinstance(outlook, Suppressed):
        return Block("", "")
    rows = pd.concat([outlook.table, outlook.total.to_frame("All").T])
    amounts = {
        "Due": rows["due"],
        "Already decided": rows["decided"],
        "Expected": rows["expected"],
        "As in the worst quarter": rows["worst"],
        "As in the best quarter": rows["best"],
    }
    shown = pd.DataFrame(
        {
            "Quarter": [str(name) for name in rows.index],
            "Renewals": rows["renewals"].astype(int).to_numpy(),
            **{name: [money(value, currency, short=True) for value in values] for name, values in amounts.items()},
            _RANGE: [money_span(low, high, currency) for low, high in zip(rows["low"], rows["high"], strict=True)],
        }
    )
    order = ["Quarter", "Renewals", "Due", "Already decided", "Expected", _RANGE]
    rest = [name for name in shown.columns if name not in order]
    rate = f"{percent(outlook.rate)} ({span_words(outlook.rate_low, outlook.rate_high)})"
    return table(shown[order + rest], f"Renewals to come, at a revenue renewal rate of {rate}")


def say_score(score: Any, anchor: str = "forecast-score") -> Headline:
    """How the forecast of the last quarter, and those before it, fared."""
    if refusal := refusal_takeaway("Past forecasts cannot be scored.", score, anchor):
        return refusal
    last = score.table.iloc[-1]
    held = "inside its range" if last["inside"] else "outside its range"
    size = points(abs(last["error"])).lstrip("+")
    way = "too high" if last["error"] < 0 else "too low"
    return Headline(
        f"A forecast made as {score.table.index[-1]} began would have been {size} of what was due {way}, {held}.",
        f"{score.inside} of {len(score.table)} ranges held what happened. Each used only what was known as its quarter "
        "began.",
        anchor,
    )


def alt_score(score: Any, currency: str) -> str:
    """What the chart of scored forecasts shows."""
    if isinstance(score, Suppressed):
        return ""
    short = short_money(currency)
    rows = [
        f"{quarter}: expected {short(row['expected'])} ({money_span(row['low'], row['high'], currency)}), renewed "
        f"{short(row['actual'])} of {short(row['due'])} due, {'inside' if row['inside'] else 'outside'}"
        for quarter, row in score.table.iterrows()
    ]
    return f"Forecast and outcome by quarter. {'; '.join(rows)}."


def note_score(score: Any) -> str:
    """How to read the scored forecasts."""
    if isinstance(score, Suppressed):
        return ""
    return (
        f"Tick and line: what was expected as the quarter began, and its {_RANGE}. Dot: what was renewed; filled where "
        "the range held it. Renewals of a quarter that are still open count in neither."
    )


def score_table(score: Any, currency: str) -> Block:
    """Each scored forecast as a row, or why there is none."""
    if isinstance(score, Suppressed):
        return refused(score.reason)
    short, rows = short_money(currency), score.table
    shown = pd.DataFrame(
        {
            "Quarter": list(rows.index),
            "Renewals": rows["renewals"].astype(int).to_numpy(),
            "Due": rows["due"].map(short).to_numpy(),
            "Expected then": rows["expected"].map(short).to_numpy(),
            _RANGE: [money_span(low, high, currency) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "Renewed": rows["actual"].map(short).to_numpy(),
            "Error": rows["error"].map(points).to_numpy(),
            "Inside": ["yes" if each else "no" for each in rows["inside"]],
        }
    )
    return table(shown, "What the same method would have said, and what happened")
