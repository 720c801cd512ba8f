"""Smaller plans than abolishing customer success, by the same economics: cost saved against churn caused.

Also what a point of retention is worth, and how many people hear of good and of bad experience.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Record
from cs_helpers.roi.book import Book
from cs_helpers.roi.breakeven import hazard_ratios
from cs_helpers.roi.economics import Assumptions, discounting, flow, worth
from cs_helpers.roi.inputs import Input, at_mode, drawn, fixed, inputs_table
from cs_helpers.roi.scenario import DRAWS, NO_EFFECT_GIVEN, middle_95

_FIGURES = ("saved", "lost", "gain", "points_lost")


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Record):
    """What a plan saves and what it loses, from the user's assumptions: a scenario range, no confidence interval.

    ``key``: "cut", "tech_touch" or "contact_time". ``table``: one row per horizon: horizon, and of each of saved (cost
    saved minus what the plan costs), lost (margin of the MRR that leaves or does not grow), gain (saved - lost), in
    currency and discounted, and points_lost (of retention of the plan's MRR): its median under its own name, <name>_low
    and <name>_high (the middle 95 % of the draws); p_gain (the share of the draws with a gain) and break_even_ratio:
    the relative risk up to which the plan pays, with the other inputs at their modes and no expansion lost (1: it saves
    nothing; missing: it pays whatever happens to churn). Without a relative_risk lost, gain, points_lost and p_gain are
    missing and ``reason`` says why. ``note``: what the plan assumes. ``inputs``: name, low, mode, high, origin, source.
    """

    key: str
    table: pd.DataFrame
    inputs: pd.DataFrame
    exposed_mrr: float
    accounts: int
    draws: int
    note: str
    reason: str = ""


def cut(
    book: Book,
    inputs: Sequence[Input],
    share: float,
    horizons: Sequence[int] = (12, 24, 36),
    draws: int = DRAWS,
    seed: int = 1,
) -> Plan:
    """Customer success smaller by ``share`` (a fraction above 0, at most 1), in every account alike.

    People and tools are saved in proportion, management only where all is cut. The relative risk is raised to the power
    ``share`` and the expansion lost multiplied by it: half the work less loses half of the effect on the log scale.
    That is a guess, and marked as one: nobody has measured what half of the work does.
    Raises ParameterError for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ParameterError(f"share = {share}: give the part to be cut as a fraction above 0 and at most 1, e.g. 0.2.")
    said = f"in proportion to the {share:.0%} that are cut"
    changed = []
    for each in inputs:
        if each.name == "relative_risk":
            origin, source = (each.origin, each.source) if share == 1 else ("guess", said)
            low, mode, high = (float(end**share) for end in (each.low, each.mode, each.high))
            changed.append(Input(each.name, low, mode, high, origin, source))
        elif each.name in ("people", "tools", "expansion_lost"):
            changed.append(_scaled(each, share))
        else:
            changed.append(_scaled(each, 0.0) if each.name == "management" and share < 1 else each)
    management = "" if share == 1 else ", no management"
    note = (
        f"{share:.0%} of people and tools are saved{management}; churn rises {said}: half the work less is taken to "
        "lose half of the effect."
    )
    return _plan("cut", book, changed, (), horizons, draws, seed, note)


def tech_touch(
    tail: Book,
    inputs: Sequence[Input],
    people_share: Input,
    added_per_month: Input | None = None,
    horizons: Sequence[int] = (12, 24, 36),
    draws: int = DRAWS,
    seed: int = 1,
) -> Plan:
    """Small accounts looked after by mail, community and product alone.

    ``tail``: their book, from ``exposed_book`` with ``covered_below``. ``people_share``: the share of all people and
    tools that now works for them, which the plan saves; ``added_per_month``: what the plan costs. No management is
    saved. relative_risk is that of these accounts. Raises ParameterError for inputs of another name.
    """
    _named(people_share, "people_share")
    added = added_per_month or fixed("added_per_month", 0.0, source="none given")
    _named(added, "added_per_month")
    kept = [_scaled(each, 0.0) if each.name == "management" else each for each in inputs]
    note = "Accounts of the tail lose their CSM; the named share of people and tools is saved, management stays."
    return _plan("tech_touch", tail, kept, (people_share, added), horizons, draws, seed, note)


def contact_time(
    book: Book,
    inputs: Sequence[Input],
    saved_per_month: Input,
    added_per_month: Input | None = None,
    horizons: Sequence[int] = (12, 24, 36),
    draws: int = DRAWS,
    seed: int = 1,
) -> Plan:
    """Contact time capped or moved offshore: a saving now, and perhaps churn later.

    ``saved_per_month``: what it saves; nobody is dismissed with severance and no work moves to other teams.
    ``added_per_month``: what it costs to set up and run. relative_risk is that of the plan, against contact as it is.
    Raises ParameterError for inputs of another name.
    """
    _named(saved_per_month, "saved_per_month")
    added = added_per_month or fixed("added_per_month", 0.0, source="none given")
    _named(added, "added_per_month")
    unused = ("people", "tools", "management", "absorbed", "severance_months", "notice_months")
    kept = [_scaled(each, 0.0) if each.name in unused else each for each in inputs]
    note = "The saving is what the plan names; people, tools and management stay as they are otherwise."
    return _plan("contact_time", book, kept, (saved_per_month, added), horizons, draws, seed, note)


def covered_below(panel_now: pd.DataFrame, mrr: float) -> pd.DataFrame:
    """The accounts paying now, with covered True only where they are covered and pay less than ``mrr`` a month."""
    return panel_now.assign(covered=panel_now["covered"].astype("boolean") & (panel_now["mrr"] < mrr))


def _scaled(each: Input, factor: float) -> Input:
    if factor == 0:
        return replace(each, low=0.0, mode=0.0, high=0.0, source="not part of the plan")
    return replace(each, low=each.low * factor, mode=each.mode * factor, high=each.high * factor)


def _named(each: Input, name: str) -> None:
    if each.name != name:
        raise ParameterError(f"{each.name}: this input of the plan must be named {name}.")


def _plan(
    key: str,
    book: Book,
    inputs: Sequence[Input],
    extra: Sequence[Input],
    horizons: Sequence[int],
    draws: int,
    seed: int,
    note: str,
) -> Plan:
    known = any(each.name == "relative_risk" for each in inputs)
    mode = asdict(at_mode(inputs)) | {each.name: each.mode for each in extra}
    many = mode | drawn([*inputs, *extra], draws, seed)
    rows = []
    for horizon in horizons:
        seen = flow(book.rows, horizon)
        found = worth(seen, _merged(many), horizon)
        saved = found.cost - _added(many, horizon)
        figures = {"saved": saved, "lost": found.value, "gain": saved - found.value, "points_lost": found.points}
        row: dict[str, Any] = {"horizon": int(horizon)}
        for name in _FIGURES:
            values = figures[name] if known or name == "saved" else np.full(1, math.nan)
            row |= middle_95(name, values)
        row["p_gain"] = float((figures["gain"] > 0).mean()) if known else math.nan
        running = _merged(mode) | {"severance_months": 0.0, "notice_months": 0.0, "absorbed": 0.0, "people": 0.0}
        # The one sum that the plan saves, as an equal monthly amount, is what churn may cost at most.
        at_mode_saved = float(worth(seen, _merged(mode), horizon).cost[0] - _added(mode, horizon)[0])
        months = float(discounting(np.array([[mode["discount"]]]), np.arange(horizon)).sum())
        level = running | {"tools": at_mode_saved / months, "management": 0.0}
        row["break_even_ratio"] = float(hazard_ratios(seen, level, horizon)[0])
        rows.append(row)
    return Plan(
        key=key,
        table=pd.DataFrame(rows),
        inputs=inputs_table([*inputs, *extra]),
        exposed_mrr=book.exposed_mrr,
        accounts=book.accounts,
        draws=int(draws),
        note=note,
        reason="" if known else NO_EFFECT_GIVEN,
    )


def _merged(many: dict[str, Any]) -> dict[str, Any]:
    """The plan's own inputs expressed in those of the economics."""
    share = many.get("people_share", 1.0)
    return many | {"people": many["people"] * share, "tools": many["tools"] * share + many.get("saved_per_month", 0.0)}


def _added(many: dict[str, Any], horizon: int) -> np.ndarray:
    """What the plan costs within the horizon, discounted; it runs from the first month on."""
    months = discounting(np.atleast_1d(np.asarray(many["discount"], float))[:, None], np.arange(horizon)).sum(axis=1)
    return np.asarray(many.get("added_per_month", 0.0)) * months


def worth_of_a_point(
    book: Book,
    assumptions: Assumptions,
    points: Sequence[float] = (1, 2, 3, 4, 5),
    horizons: Sequence[int] = (12, 24, 36),
) -> pd.DataFrame:
    """What so many points of yearly retention are worth, whoever causes them.

        value(H) = margin sum over t < H of d(t) sum of mrr (S'(t) - S(t))

    with S at ``yearly_churn`` and S' at yearly_churn - points / 100, both phased in with the contracts' due dates;
    without expansion, tail and cost. relative_risk is not used. Columns horizon, points, retention_from, retention_to
    (of contracts that decide, a year, as fractions), mrr_months (MRR of all months gained, before margin), value
    (currency, discounted), per_point; reason where churn is lower than the points. Raises ParameterError for points
    of 0 or less.
    """
    if any(not (math.isfinite(each) and each > 0) for each in points):
        raise ParameterError(f"points = {list(points)}: give percentage points above 0, for example 1, 2, 3.")
    churn = assumptions.yearly_churn
    rows = []
    for horizon in horizons:
        seen = flow(book.rows, horizon)
        weight = discounting(np.array(assumptions.discount), np.arange(horizon))
        for each in points:
            better = round(churn - each / 100, 12)
            row: dict[str, Any] = {"horizon": int(horizon), "points": each, "retention_from": 1 - churn}
            if better < 0:
                why = f"of a yearly churn of {100 * churn:.3g} % no {each:g} points can be won"
                rows.append(row | {"reason": why})
                continue
            kept = np.exp(math.log1p(-better) * seen.years) - np.exp(math.log1p(-churn) * seen.years)
            gained = seen.mrr[:horizon] @ kept
            value = assumptions.margin * float(weight @ gained)
            rows.append(
                row
                | {
                    "retention_to": 1 - better,
                    "mrr_months": float(gained.sum()),
                    "value": value,
                    "per_point": value / each,
                    "reason": "",
                }
            )
    columns = ["horizon", "points", "retention_from", "retention_to", "mrr_months", "value", "per_point", "reason"]
    return pd.DataFrame(rows).reindex(columns=columns)


_SAID = "quoted throughout the field without its first source; about consumers, and how it was found is not published"
WORD_OF_MOUTH = pd.DataFrame(
    [
        ("unhappy_who_tell", 0.13, "share of the unhappy who tell others", "benchmark", _SAID),
        ("told_by_unhappy", 15.0, "people each of them tells at least", "benchmark", _SAID),
        ("happy_who_tell", 0.72, "share of the happy who tell others", "benchmark", _SAID),
        ("told_by_happy", 6.0, "people each of them tells at least", "benchmark", _SAID),
        ("unhappy_per_complaint", 26.0, "unhappy accounts for each that complains", "benchmark", _SAID),
        ("leavers_who_name_it", 0.67, "share of leavers who name bad experience", "benchmark", _SAID),
    ],
    columns=["name", "value", "meaning", "origin", "source"],
)
"""What is published about word of mouth. Consumers were asked; whether accounts do the same is not known."""
NO_CHANCE_GIVEN = (
    "how many of those who hear it do not buy, and what a sale is worth, is not known and not published: give "
    "lost_sale_chance and sale_value for a figure in money"
)


@dataclass(frozen=True, eq=False, repr=False)
class WordOfMouth(Record):
    """How many people hear of good and bad experience, at least, by published shares.

    ``table``: group ("unhappy", "happy"), accounts, share (who tell), told (people each), tellings, basis (where the
    number of accounts comes from). ``tellings``: of the unhappy; somebody may hear it twice. ``lost`` with ``lost_low``
    and ``lost_high`` (currency; median and middle 95 % of the draws): tellings x lost_sale_chance x sale_value; None
    without both, and ``reason`` says so. ``inputs``: the published figures, then the user's.
    """

    table: pd.DataFrame
    tellings: float
    inputs: pd.DataFrame
    lost: float | None = None
    lost_low: float | None = None
    lost_high: float | None = None
    reason: str = ""


def word_of_mouth(
    happy: int,
    unhappy: int | None = None,
    complaints: int | None = None,
    left: int | None = None,
    lost_sale_chance: Input | None = None,
    sale_value: Input | None = None,
    draws: int = DRAWS,
    seed: int = 1,
) -> WordOfMouth:
    """Tellings = accounts x share who tell x people told, for the unhappy and for the happy.

    The unhappy are ``unhappy`` accounts (say, NPS detractors), else 26 times the accounts with ``complaints``, else
    67 % of the accounts that ``left``; ``happy`` are, say, promoters. Whether a telling costs a sale has no published
    figure and no default. Raises ContractError where nothing says how many are unhappy, ParameterError for negative
    counts.
    """
    counts = {"happy": happy, "unhappy": unhappy, "complaints": complaints, "left": left}
    wrong = [f"{name} = {value}: give a number of accounts, 0 or more." for name, value in counts.items()
             if value is not None and not value >= 0]  # fmt: skip
    if wrong:
        raise ParameterError("\n".join(wrong))
    said = WORD_OF_MOUTH.set_index("name")["value"]
    if unhappy is not None:
        many, basis = float(unhappy), "given"
    elif complaints is not None:
        many, basis = complaints * said["unhappy_per_complaint"], f"{complaints:,} complaints, 26 unhappy for each"
    elif left is not None:
        many, basis = left * said["leavers_who_name_it"], f"67 % of {left:,} accounts that left"
    else:
        raise ContractError("nothing says how many accounts are unhappy: give unhappy, complaints or left.")
    table = pd.DataFrame(
        [
            ("unhappy", many, said["unhappy_who_tell"], said["told_by_unhappy"], basis),
            ("happy", float(happy), said["happy_who_tell"], said["told_by_happy"], "given"),
        ],
        columns=["group", "accounts", "share", "told", "basis"],
    )
    table.insert(4, "tellings", table["accounts"] * table["share"] * table["told"])
    tellings = float(table["tellings"].iloc[0])
    own = [each for each in (lost_sale_chance, sale_value) if each is not None]
    for each, name in ((lost_sale_chance, "lost_sale_chance"), (sale_value, "sale_value")):
        if each is not None:
            _named(each, name)
    published = WORD_OF_MOUTH.assign(**dict.fromkeys(("low", "mode", "high"), WORD_OF_MOUTH["value"]))
    inputs = pd.concat([published, inputs_table(own)] if own else [published], ignore_index=True)
    inputs = inputs[list(inputs_table([]))]
    if len(own) < 2:
        return WordOfMouth(table, tellings, inputs, reason=NO_CHANCE_GIVEN)
    values = drawn(own, draws, seed)
    lost = middle_95("lost", np.atleast_1d(tellings * values["lost_sale_chance"] * values["sale_value"]))
    return WordOfMouth(table, tellings, inputs, lost["lost"], lost["lost_low"], lost["lost_high"])
