"""What charts that compare people show, in words for those who do not see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cs_helpers.core.results import Suppressed
from cs_helpers.report.words import called, capital, percent, points

_MOST = 12  # named in a text alternative


def _more(rows: Any) -> list[str]:
    return [f"and {len(rows) - _MOST:,} more"] if len(rows) > _MOST else []


def alt_funnel(result: Any, number: Callable[[float], str] = percent) -> str:
    """How many lie inside the limits, and who does not: on which side, outside which limits, the wider ones first.

    ``result`` as ``charts.funnel_plot`` draws it; ``result.who`` names the points in the plural ("reps"), if given;
    ``number`` writes a rate. Points without a rate count nowhere but are counted. "" for a Suppressed.
    """
    if isinstance(result, Suppressed):
        return ""
    given = result.points[result.points[["n", "rate"]].notna().all(axis=1)]
    if given.empty:
        return "Nobody to compare."
    outside = given[given["outside"].astype(str) != ""].sort_values(["outside", "n"], ascending=[False, False])
    who = f"{len(given):,} {called(getattr(result, 'who', ''))}".rstrip()
    parts = [
        f"{capital(called(result.unit))} over {called(result.cases)}. Of {who}, {len(given) - len(outside):,} lie "
        f"inside the 95\u202f% limits around {number(result.centre)}."
    ]
    named = [
        f"{called(row.label)} {number(row.rate)} of {row.n:,.0f}, {'above' if row.rate > result.centre else 'below'} "
        f"the {row.outside}\u202f% limits"
        for row in outside.head(_MOST).itertuples()
    ]
    parts.append(f"Outside: {'; '.join([*named, *_more(outside)])}." if named else "Nobody lies outside.")
    if len(given) < len(result.points):
        parts.append(f"{len(result.points) - len(given):,} without a rate.")
    return " ".join(parts)


def alt_slope(result: Any, number: Callable[[float], str] = percent) -> str:
    """How many there are, and by how much those moved who moved most, the largest move first. "" for a Suppressed.

    ``number`` writes a rate; rows that are no shares say in ``moved`` how far each one moved, in words.
    """
    if isinstance(result, Suppressed):
        return ""
    rows = getattr(result, "rows", result)
    given = rows[rows[["raw", "adjusted"]].notna().all(axis=1)]
    if given.empty:
        return "Nobody to compare."
    moved = given.assign(move=given["adjusted"] - given["raw"])
    moved["by"] = given["moved"].map(called) if "moved" in given else moved["move"].map(points)
    movers = moved[moved["mover"].astype(bool)].sort_values("move", key=lambda x: -x.abs(), kind="stable")
    named = [
        f"{called(row.label)} from {number(row.raw)} to {number(row.adjusted)} ({row.by})"
        for row in movers.head(_MOST).itertuples()
    ]
    parts = [f"Rates as counted and with cases alike, of {len(given):,}."]
    parts.append(f"The largest moves: {'; '.join([*named, *_more(movers)])}." if named else "Nobody moved far.")
    rest = moved[~moved["mover"].astype(bool)]
    if named and len(rest):
        farthest = rest.loc[rest["move"].abs().idxmax(), "by"]
        parts.append(f"All others moved by {farthest.lstrip('+−')} at most.")
    return " ".join(parts)


def alt_ranks(result: Any, number: Callable[[float], str] = percent) -> str:
    """Who is told apart with figure and interval, and between which figures all others lie. "" for a Suppressed.

    ``result`` as ``charts.rank_intervals`` draws it.
    """
    if isinstance(result, Suppressed):
        return ""
    rows = result.rows[result.rows["adjusted"].notna()]
    if rows.empty:
        return "Nobody to compare."
    told = rows["told"].astype(str) != ""
    apart = rows[told].assign(away=(rows.loc[told, "adjusted"] - result.centre).abs())
    apart = apart.sort_values("away", ascending=False, kind="stable")
    named = [
        f"{called(row.label)} {number(row.adjusted)} ({number(row.low)} to {number(row.high)})"
        for row in apart.head(_MOST).itertuples()
    ]
    parts = [f"{capital(called(result.unit))}, with 95\u202f% intervals; all {number(result.centre)}."]
    parts.append(f"Told apart: {'; '.join([*named, *_more(apart)])}." if named else "Nobody is told apart.")
    others = rows.loc[~told, "adjusted"]
    if len(others):
        which = f"The other {len(others):,}, not told apart," if named else f"All {len(others):,}"
        parts.append(f"{which} lie between {number(others.min())} and {number(others.max())}.")
    return " ".join(parts)
