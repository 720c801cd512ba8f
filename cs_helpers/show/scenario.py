"""What charts of assumptions and of evidence show, in words for those who do not see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cs_helpers.core.results import Suppressed
from cs_helpers.report.words import called, count, is_given, listed


def alt_tornado(rows: Any, money: Callable[[float], str], base: float | None = None, line: float = 0.0) -> str:
    """What each input does to the outcome, and which of them alone carry it across ``line``.

    ``rows``, ``base`` and ``line`` as ``charts.tornado`` draws them. An input without an outcome is said to have none.
    "" for a Suppressed.
    """
    if isinstance(rows, Suppressed):
        return ""
    base = rows.attrs.get("base") if base is None else base
    given = rows[rows[["low", "high"]].notna().all(axis=1)]
    spans = [
        f"{called(row.label)} ({called(row.origin)}): {money(row.low)} at {called(row.low_input)}, {money(row.high)} "
        f"at {called(row.high_input)}"
        for row in given.itertuples()
    ]
    without = [called(label) for label in rows["label"][~rows.index.isin(given.index)]]
    decide = [called(row.label) for row in given.itertuples() if min(row.low, row.high) < line < max(row.low, row.high)]
    where = "zero" if line == 0 else money(line)
    parts = [f"The outcome is {money(base)} with every input at its mode."] if is_given(base) else []
    parts.append(f"Each input alone: {'; '.join(spans)}." if spans else "No input moves the outcome.")
    if without:
        parts.append(f"Without an outcome: {listed(without)}.")
    if spans:
        parts.append(
            f"{listed(decide)} alone can carry it across {where}."
            if decide
            else f"No input alone carries it across {where}."
        )
    return " ".join(parts)


def alt_ladder(rows: Any, number: Callable[[float], str], unit: str = "") -> str:
    """Each rung of evidence with its interval and on which side of zero that lies, or why it is not given.

    ``rows`` as ``charts.ladder`` draws them, the strongest first. "" for a Suppressed.
    """
    if isinstance(rows, Suppressed):
        return ""
    rungs = []
    for row in rows.itertuples():
        if row.status == "refused" or not is_given(row.value):
            rungs.append(f"{called(row.label)}: not given, {called(row.why or 'no value')}")
            continue
        refuted = {"refuted": " (refuted)", "tied": " (an association, no effect)"}.get(row.status, "")
        interval = ""
        if is_given(row.low, row.high):
            side = "above zero" if row.low > 0 else "below zero" if row.high < 0 else "zero lies inside"
            interval = f", interval {number(row.low)} to {number(row.high)}, {side}"
        rungs.append(f"{called(row.label)}{refuted}: {number(row.value)}{interval}")
    what = f" on {called(unit)}" if unit else ""
    opening = f"{count(len(rungs), 'rung')} of evidence{what}, the strongest first."
    return f"{opening} {'; '.join(rungs)}." if rungs else "There is no evidence to show."
