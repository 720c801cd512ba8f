"""How many people hear of good and of bad experience with the company, by published shares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Record
from cs_helpers.roi.scenario_range import DRAWS, middle_95
from cs_helpers.roi.uncertain_inputs import Input, draw_inputs, inputs_table, require_name

PROMOTERS, DETRACTORS = 9, 6
"""NPS answers from 9 on promote, up to 6 detract."""

_SAID = "quoted throughout the field without its first source; about consumers, and how it was found is not published"
WORD_OF_MOUTH = {
    "unhappy_who_tell": 0.13,
    "told_by_unhappy": 15.0,
    "happy_who_tell": 0.72,
    "told_by_happy": 6.0,
    "unhappy_per_complaint": 26.0,
    "leavers_who_name_it": 0.67,
}
"""Published figures on word of mouth of consumers: shares, and numbers of people or accounts."""
NO_CHANCE_GIVEN = (
    "how many of those who hear it do not buy, and what a sale is worth, is not known and not published: give "
    "lost_sale_chance and sale_value for a figure in money"
)


@dataclass(frozen=True, eq=False, repr=False)
class WordOfMouth(Record):
    """How many people hear of good and bad experience, at least, by published shares.

    ``table``: group ("unhappy", "happy"), accounts, share (who tell), told (people each), tellings, basis (where the
    number of accounts comes from). ``tellings``: of the unhappy; people may hear it twice. ``lost`` with ``lost_low``
    and ``lost_high`` (currency; median and middle 95 % of the draws): tellings x lost_sale_chance x sale_value; None
    without both, with ``reason``. ``inputs``: the published figures, then the user's.
    """

    table: pd.DataFrame
    tellings: float
    inputs: pd.DataFrame
    lost: float | None = None
    lost_low: float | None = None
    lost_high: float | None = None
    reason: str = ""


def count_word_of_mouth(
    happy: int,
    unhappy: int | None = None,
    complaints: int | None = None,
    left: int | None = None,
    lost_sale_chance: Input | None = None,
    sale_value: Input | None = None,
) -> WordOfMouth:
    """Tellings = accounts x share who tell x people told, for the unhappy and for the happy.

    The unhappy are ``unhappy`` accounts (say, NPS detractors), else 26 times the accounts with ``complaints``, else
    67 % of the accounts that ``left``; ``happy`` are, say, promoters. Whether a telling costs a sale has no published
    figure and no default. Raises ContractError where no number of unhappy accounts is given, ParameterError for
    negative counts.

    Example:
        >>> round(count_word_of_mouth(happy=200, complaints=10).tellings)
        507
    """
    counts = {"happy": happy, "unhappy": unhappy, "complaints": complaints, "left": left}
    negative = {name: value for name, value in counts.items() if value is not None and not value >= 0}
    wrong = [f"{name} = {value}: give a number of accounts, 0 or more." for name, value in negative.items()]
    if wrong:
        raise ParameterError("\n".join(wrong))
    if unhappy is not None:
        many, basis = float(unhappy), "given"
    elif complaints is not None:
        many, basis = (
            complaints * WORD_OF_MOUTH["unhappy_per_complaint"],
            f"{complaints:,} complaints, 26 unhappy for each",
        )
    elif left is not None:
        many, basis = left * WORD_OF_MOUTH["leavers_who_name_it"], f"67 % of {left:,} accounts that left"
    else:
        raise ContractError("nothing says how many accounts are unhappy: give unhappy, complaints or left.")
    table = pd.DataFrame(
        [
            ("unhappy", many, WORD_OF_MOUTH["unhappy_who_tell"], WORD_OF_MOUTH["told_by_unhappy"], basis),
            ("happy", float(happy), WORD_OF_MOUTH["happy_who_tell"], WORD_OF_MOUTH["told_by_happy"], "given"),
        ],
        columns=["group", "accounts", "share", "told", "basis"],
    )
    table.insert(4, "tellings", table["accounts"] * table["share"] * table["told"])
    tellings = float(table["tellings"].iloc[0])
    own = [each for each in (lost_sale_chance, sale_value) if each is not None]
    for each, name in ((lost_sale_chance, "lost_sale_chance"), (sale_value, "sale_value")):
        if each is not None:
            require_name(each, name)
    published = pd.DataFrame(
        [(name, value, value, value, "benchmark", _SAID) for name, value in WORD_OF_MOUTH.items()],
        columns=list(inputs_table([])),
    )
    inputs = pd.concat([published, inputs_table(own)] if own else [published], ignore_index=True)
    if len(own) < 2:
        return WordOfMouth(table, tellings, inputs, reason=NO_CHANCE_GIVEN)
    values = draw_inputs(own, DRAWS)
    lost = middle_95("lost", np.atleast_1d(tellings * values["lost_sale_chance"] * values["sale_value"]))
    return WordOfMouth(table, tellings, inputs, lost["lost"], lost["lost_low"], lost["lost_high"])


def nps_word_of_mouth(
    surveys: pd.DataFrame,
    accounts: pd.Series,
    start: pd.Timestamp,
    end: pd.Timestamp,
    lost_sale_chance: Input | None = None,
    sale_value: Input | None = None,
) -> WordOfMouth:
    """Word of mouth of the accounts paying now, by the latest NPS answer each gave in [start, end).

    ``surveys``: kind, account_id, answered_at, score; ``accounts``: ids of those that pay. From 9 on happy, up to 6
    unhappy. Raises ContractError where no account answered.
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
    found = count_word_of_mouth(happy, unhappy, lost_sale_chance=lost_sale_chance, sale_value=sale_value)
    return replace(found, table=found.table.assign(basis="by their latest NPS answer"))
