"""What charts of people, assumptions and evidence show, in words for those who do not see them."""

from __future__ import annotations

from typing import Any

from cs_helpers.definitions import Refusal
from cs_helpers.errors import visible
from cs_helpers.show.words import count, listed, percent, points


def alt_funnel(result: Any) -> str:
    """How many lie inside the limits, and who does not, those outside the wider limits first."""
    if isinstance(result, Refusal):
        return ""
    rows = result.points
    outside = rows[rows["outside"].astype(str) != ""].sort_values(["outside", "n"], ascending=[False, False])
    opening = (
        f"{visible(result.unit)} over {visible(result.cases)}. Of {len(rows):,}, {len(rows) - len(outside):,} lie "
        f"inside the 95\u202f% limits around {percent(result.centre)}."
    )
    named = [
        f"{visible(row.label)} {percent(row.rate)} of {row.n:,.0f}, outside {row.outside}\u202f%"
        for row in outside.itertuples()
    ]
    return f"{opening} {'; '.join(named[:12])}." if named else f"{opening} Nobody lies outside."


def alt_slope(result: Any) -> str:
    """How many moved, and by how much those who moved most."""
    if isinstance(result, Refusal):
        return ""
    rows = getattr(result, "rows", result)
    movers = rows[rows["mover"].astype(bool)]
    named = [
        f"{visible(row.label)} from {percent(row.raw)} to {percent(row.adjusted)} ({points(row.adjusted - row.raw)})"
        for row in movers.itertuples()
    ]
    opening = f"Rates as counted and with cases alike, of {len(rows):,}."
    return f"{opening} The largest moves: {'; '.join(named[:12])}." if named else f"{opening} Nobody moved far."


def alt_tornado(rows: Any, money: Any, base: float, line: float = 0.0) -> str:
    """What each input does to the outcome, and which of them decide on its sign."""
    if isinstance(rows, Refusal):
        return ""
    spans = [
        f"{visible(row.label)} ({visible(row.origin)}) {visible(row.low_input)} to {visible(row.high_input)}: "
        f"{money(row.low)} to {money(row.high)}"
        for row in rows.itertuples()
    ]
    decide = [visible(r.label) for r in rows.itertuples() if min(r.low, r.high) < line < max(r.low, r.high)]
    verdict = f"{listed(decide)} alone can turn it to a loss or a gain." if decide else "None alone turns its sign."
    return f"The outcome is {money(base)} with every input at its mode. {'; '.join(spans)}. {verdict}"


def alt_ladder(rows: Any, number: Any) -> str:
    """Each rung of evidence with its interval, or why it is not given."""
    if isinstance(rows, Refusal):
        return ""
    rungs = [
        f"{visible(row.label)}: not given, {visible(row.why)}"
        if row.status == "refused"
        else f"{visible(row.label)}{' (refuted)' if row.status == 'refuted' else ''}: {number(row.value)}, interval "
        f"{number(row.low)} to {number(row.high)}"
        for row in rows.itertuples()
    ]
    return f"{count(len(rungs), 'rung')} of evidence, the strongest first. {'; '.join(rungs)}."
