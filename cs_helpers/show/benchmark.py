"""What charts that compare people show, in words for those who do not see them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cs_helpers.definitions import Refusal
from cs_helpers.show.words import called, capital, percent, points

_MOST = 12  # named in a text alternative


def _more(rows: Any) -> list[str]:
    return [f"and {len(rows) - _MOST:,} more"] if len(rows) > _MOST else []


def alt_funnel(result: Any) -> str:
    """How many lie inside the limits, and who does not: on which side, outside which limits, the wider ones first.

    ``result`` as ``charts.funnel_plot`` draws it; ``result.who`` names the points in the plural ("reps"), if given.
    Points without a rate count nowhere but are counted. "" for a Refusal.
    """
    if isinstance(result, Refusal):
        return ""
    given = result.points[result.points[["n", "rate"]].notna().all(axis=1)]
    if given.empty:
        return "Nobody to compare."
    outside = given[given["outside"].astype(str) != ""].sort_values(["outside", "n"], ascending=[False, False])
    who = f"{len(given):,} {called(getattr(result, 'who', ''))}".rstrip()
    parts = [
        f"{capital(called(result.unit))} over {called(result.cases)}. Of {who}, {len(given) - len(outside):,} lie "
        f"inside the 95\u202f% limits around {percent(result.centre)}."
    ]
    named = [
        f"{called(row.label)} {percent(row.rate)} of {row.n:,.0f}, {'above' if row.rate > result.centre else 'below'} "
        f"the {row.outside}\u202f% limits"
        for row in outside.head(_MOST).itertuples()
    ]
    parts.append(f"Outside: {'; '.join([*named, *_more(outside)])}." if named else "Nobody lies outside.")
    if len(given) < len(result.points):
        parts.append(f"{len(result.points) - len(given):,} without a rate.")
    return " ".join(parts)


def alt_slope(result: Any) -> str:
    """How many there are, and by how much those moved who moved most, the largest move first. "" for a Refusal."""
    if isinstance(result, Refusal):
        return ""
    rows = getattr(result, "rows", result)
    given = rows[rows[["raw", "adjusted"]].notna().all(axis=1)]
    if given.empty:
        return "Nobody to compare."
    moved = given.assign(move=given["adjusted"] - given["raw"])
    movers = moved[moved["mover"].astype(bool)].sort_values("move", key=lambda x: -x.abs(), kind="stable")
    named = [
        f"{called(row.label)} from {percent(row.raw)} to {percent(row.adjusted)} ({points(row.move)})"
        for row in movers.head(_MOST).itertuples()
    ]
    parts = [f"Rates as counted and with cases alike, of {len(given):,}."]
    parts.append(f"The largest moves: {'; '.join([*named, *_more(movers)])}." if named else "Nobody moved far.")
    rest = pd.to_numeric(moved.loc[~moved["mover"].astype(bool), "move"]).abs().max()
    if named and math.isfinite(rest):
        parts.append(f"All others moved by {points(rest).lstrip('+')} at most.")
    return " ".join(parts)
