"""Inputs from several hands put together: what the reader gave, what was measured, and what cannot be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed
from cs_helpers.roi.book import Book, exposed_book
from cs_helpers.roi.costs import CostBase
from cs_helpers.roi.economics import LIMITS
from cs_helpers.roi.inputs import PLAN_LIMITS, Input, gather
from cs_helpers.roi.plans import WordOfMouth, covered_below, word_of_mouth

PROMOTERS, DETRACTORS = 9, 6
"""NPS answers from 9 on promote, up to 6 detract."""


def inputs_of(given: Sequence[Input | Suppressed | None], costs: CostBase | Suppressed) -> tuple[Input, ...]:
    """``gather`` for inputs that may have been refused: None is not given, a Suppressed is not to be had.

    Raises ContractError with the reasons of all refused ones, for without them there is no economics; ParameterError
    as ``gather``.
    """
    refused = [each.reason for each in (*given, costs) if isinstance(each, Suppressed)]
    if refused or isinstance(costs, Suppressed):
        raise ContractError("\n".join(refused))
    return gather([each for each in given if isinstance(each, Input)], costs)


def with_risk(inputs: Sequence[Input], risks: Sequence[Input | Suppressed | None]) -> tuple[Input, ...]:
    """``inputs`` with the first of ``risks`` that is there as their relative_risk; without one, as they are."""
    risk = next((each for each in risks if isinstance(each, Input)), None)
    others = tuple(each for each in inputs if each.name != "relative_risk")
    return tuple(inputs) if risk is None else (risk, *others)


def tail_book(
    subscriptions: pd.DataFrame, now: pd.DataFrame, below: float, as_of: pd.Timestamp, parameter: str = "tail_below"
) -> Book:
    """The book of the covered accounts that pay less than ``below`` a month, as ``exposed_book`` makes it.

    ``now`` as from ``paying_and_covered``. Raises ContractError where ``below`` is 0, as for what is not given.
    """
    if below <= 0:
        raise ContractError(f"{parameter} is not given: give the MRR a month below which an account is in the tail")
    return exposed_book(subscriptions, covered_below(now, below), as_of)


def opening_of(inputs: Sequence[Input]) -> str:
    """Where a what-if panel of these inputs opens: at their relative risk ("given"), without one at "break-even"."""
    return "given" if any(each.name == "relative_risk" for each in inputs) else "break-even"


def needed(given: Input | None, name: str, parameter: str = "") -> Input:
    """``given``, which a plan cannot do without. Raises ContractError where it is None, saying what to give.

    ``name``: the input; ``parameter``: what the reader knows it as, if otherwise.
    """
    if given is None:
        raise ContractError(f"{parameter or name} is not given: give {(LIMITS | PLAN_LIMITS)[name][2]}")
    return given


def nps_talk(
    surveys: pd.DataFrame,
    accounts: pd.Index,
    start: pd.Timestamp,
    end: pd.Timestamp,
    lost_sale_chance: Input | None = None,
    sale_value: Input | None = None,
) -> WordOfMouth:
    """Word of mouth of the accounts paying now, by the latest NPS answer each gave in [start, end).

    ``surveys``: kind, account_id, answered_at, score; ``accounts``: who pays. From 9 on happy, up to 6 unhappy; who did
    not answer counts in neither. Raises ContractError where nobody answered.
    """
    lacking = {"kind", "account_id", "answered_at", "score"} - set(surveys)
    answers = surveys if lacking else surveys[(surveys["kind"] == "nps") & surveys["score"].notna()]
    if lacking or answers.empty:
        raise ContractError("nobody's NPS answer is known, so nothing says how many accounts are happy or unhappy.")
    inside = answers[(answers["answered_at"] >= start) & (answers["answered_at"] < end)]
    latest = inside[inside["account_id"].isin(accounts)].sort_values("answered_at", kind="stable")
    score = latest.groupby("account_id")["score"].last().astype(float)
    if score.empty:
        raise ContractError("no account that pays now answered an NPS survey in this window.")
    happy, unhappy = int((score >= PROMOTERS).sum()), int((score <= DETRACTORS).sum())
    found = word_of_mouth(happy, unhappy, lost_sale_chance=lost_sale_chance, sale_value=sale_value)
    return replace(found, table=found.table.assign(basis="by their latest NPS answer"))
