"""Sentences, tiles, text alternatives and tables about what customer success costs and must keep to pay for itself."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Change, Comparison, Estimate
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table, tiles
from cs_helpers.report.words import (
    NARROW_SPACE,
    Headline,
    capital,
    count,
    inside,
    listed,
    money,
    money_span,
    of_hundred,
    percent,
    plain,
    points_span,
    refusal_takeaway,
    sentence,
    short_money,
    span_words,
)
from cs_helpers.show.evidence import called_rung, headline_rung, measured

RANGE = f"95{NARROW_SPACE}% of draws"

INPUTS = {
    "relative_risk": "Risk of leaving without it",
    "yearly_churn": "MRR lost a year",
    "expansion": "Growth of survivors a year",
    "expansion_lost": "Share of that growth lost",
    "margin": "Gross margin",
    "people": "People a month",
    "tools": "Tools a month",
    "management": "Management a month",
    "absorbed": "Work others take over",
    "severance_months": "Severance",
    "notice_months": "Notice",
    "discount": "Discount a year",
    "people_share": "Share of people saved",
    "saved_per_month": "Saved a month",
    "added_per_month": "Spent a month",
    "lost_sale_chance": "Chance that a hearer does not buy",
    "sale_value": "Gross margin of a sale",
}
"""What each input is called."""
_FRACTIONS = (
    "yearly_churn", "expansion", "expansion_lost", "margin", "absorbed", "discount", "people_share", "lost_sale_chance",
)  # fmt: skip
_MONTHS = ("severance_months", "notice_months")


def input_words(name: str, value: float, currency: str) -> str:
    """A value of an input in its unit."""
    if name == "relative_risk":
        return f"{value:.2f}×"
    if name in _FRACTIONS:
        return percent(value, 1 if value * 100 % 1 > 0.05 else 0)
    if name in _MONTHS:
        return f"{value:g}{NARROW_SPACE}{'month' if value == 1 else 'months'}"
    return money(value, currency, short=True)


def called_input(name: str) -> str:
    """An input's name in words."""
    return INPUTS.get(name, capital(name.replace("_", " ")))


def roi_tiles(even: Any, costs: Any, effect: Any, currency: str) -> Block:
    """Break-even over each horizon, the cost of customer success a year, and the measured effect or its refusal."""
    items, basis = [], {}
    for horizon in (12, 24, 36):
        key = f"break_even_{horizon}"
        if isinstance(even, Suppressed):
            estimate = Estimate(key, None, None, None, 0, reason=even.reason)
        else:
            row = next((row for row in even.table.itertuples() if row.horizon == horizon), None)
            if row is None:
                continue
            need = row.points / 100 * row.exposed_mrr
            kept = need if math.isfinite(need) else None
            value = row.points if row.reachable else None
            estimate = Estimate(key, value, kept, row.exposed_mrr, even.accounts, reason=row.reason)
            basis[key] = f"hazard ratio {row.hazard_ratio:.2f}"
            if _known(row.points_low, row.points_high):
                basis[key] = f"{points_span(row.points_low, row.points_high)} over the inputs' ranges"
        items.append(_alone(estimate))
    if isinstance(costs, Suppressed):
        items.append(_alone(Estimate("success_cost", None, None, None, 0, reason=costs.reason)))
    else:
        items.append(_alone(Estimate("success_cost", costs.per_year, None, None, 0)))
        basis["success_cost"] = _parts(costs, currency)
    found = measured(effect)
    if isinstance(found, Suppressed):
        items.append(_alone(Estimate("vanish_effect", None, None, None, 0, reason=_short_refusal(effect))))
    else:
        rung = headline_rung(effect)
        items.append(_alone(Estimate("vanish_effect", rung.value, None, None, rung.accounts, rung.low, rung.high)))
        how = "" if rung.key == "g_formula" else f"{called_rung(rung.key)}: "
        basis["vanish_effect"] = (
            f"{how}{points_span(rung.low, rung.high)} over {effect.horizon} months, n = {rung.accounts:,}"
        )
    return tiles(items, currency, basis, _tiles_note(even))


def _alone(estimate: Estimate) -> Comparison:
    """A figure that is compared with nothing."""
    return Comparison(estimate, estimate, Change("no comparison"), "", "")


def _known(*values: float | None) -> bool:
    return all(value is not None and math.isfinite(value) for value in values)


def _parts(costs: Any, currency: str) -> str:
    """What the cost a month is made of."""
    parts = {"people": costs.people, "tools": costs.tools, "management": costs.management}
    said = [f"{name} {money(value, currency, short=True)}" for name, value in parts.items() if value]
    return f"a month: {', '.join(said)}" if len(said) > 1 else f"{money(costs.per_month, currency, short=True)} a month"


def _short_refusal(effect: Any) -> str:
    """A refusal that fits a tile: how many conditions are not met; the section says which."""
    failed = [gate for gate in getattr(effect, "gates", ()) if gate.passed is False]
    if failed:
        return f"{len(failed)} of {count(len(effect.gates), 'condition')} not met, see the section on what is measured"
    return str(effect.reason)


def _tiles_note(even: Any) -> str:
    """What the points are points of, and what was assumed."""
    if isinstance(even, Suppressed):
        return "Break-even: the points of retention that customer success must keep to earn back its cost."
    known = even.assumptions
    ranged = f" Ranges of break-even are {RANGE} of uncertain inputs." if even.draws else ""
    return (
        f"Break-even in points of the exposed MRR: what the {count(even.accounts, 'account')} with a CSM pay "
        f"({percent(even.exposed_mrr / even.total_mrr, 0)} of all MRR). Gross margin {percent(known.margin, 0)}, MRR "
        f"lost {percent(known.yearly_churn)} and discount {percent(known.discount, 0)} a year; nothing after the "
        f"horizon counts.{ranged}"
    )


def say_break_even(even: Any, costs: Any, currency: str, anchor: str = "break-even") -> Headline:
    """What customer success must keep to pay for itself; no claim that it does."""
    if refusal := refusal_takeaway("What customer success must keep to pay for itself cannot be told.", even, anchor):
        return refusal
    rows = list(even.table.itertuples())
    reached = [row for row in rows if row.reachable]
    a_year = "" if isinstance(costs, Suppressed) else f" of {money(costs.per_year, currency, short=True)} a year"
    if not reached:
        return Headline(
            f"Customer success cannot earn back its cost{a_year} within {rows[-1].horizon} months, whatever it keeps.",
            capital(sentence(rows[-1].reason)),
            anchor,
        )
    row = reached[(len(reached) - 1) // 2] if len(reached) == len(rows) else reached[0]
    if row.points == 0:
        return Headline(
            "Customer success needs to keep nothing to pay for itself.", capital(sentence(row.reason)), anchor
        )
    others = [f"{of_hundred(each.points)} over {each.horizon} months" for each in reached if each is not row]
    never = [f"{each.horizon}" for each in rows if not each.reachable]
    need = money(row.points / 100 * row.exposed_mrr, currency, short=True)
    parts = [
        f"That is {need} of MRR a month that pays then only because of it: without it churn would be "
        f"{row.hazard_ratio:.2f} times as high."
    ]
    if others:
        parts.append(f"{capital(listed(others))}.")
    if never:
        parts.append(f"Within {listed(never)} months nothing it could keep would pay its cost.")
    parts.append("This is no claim that it does: it says how much would be enough.")
    return Headline(
        f"To earn back its cost{a_year} within {row.horizon} months, customer success must keep "
        f"{of_hundred(row.points)} of the {money(row.exposed_mrr, currency, short=True)} of MRR it looks after.",
        " ".join(parts),
        anchor,
    )


def alt_break_even(even: Any, currency: str) -> str:
    """Where each line of the break-even chart begins and crosses zero."""
    if isinstance(even, Suppressed):
        return ""
    parts = []
    for row in even.table.itertuples():
        crosses = f"crosses zero at {of_hundred(row.points)}" if row.reachable else "stays below zero"
        parts.append(f"{row.horizon} months: begins at {money(-row.cost, currency, short=True)}, {crosses}")
    return f"Net value against points of retention kept, a rising line per horizon. {'; '.join(parts)}."


def note_break_even(even: Any, book: Any) -> str:
    """What break-even rests on: when contracts decide, what is counted, what is not."""
    if isinstance(even, Suppressed):
        return ""
    rows = book.rows
    soon = float(rows.loc[rows["due_in"] < 12, "mrr_cents"].sum()) / float(rows["mrr_cents"].sum())
    note = f" {sentence(book.note)}" if book.note else ""
    known = even.assumptions
    whole = known.absorbed == known.severance_months == known.notice_months == 0
    saved = (
        "all costs count as saved from the first month on"
        if whole
        else "notice, severance and work that others take over are taken off what would be saved"
    )
    return (
        f"A contract can be lost only when it comes due: {percent(soon, 0)} of the exposed MRR decides within a year."
        f"{note} {capital(saved)}; no lost growth is counted, so that retention alone has to pay."
    )


def break_even_table(even: Any, currency: str) -> Block:
    """Per horizon what must be kept, as points, as churn and as MRR."""
    if isinstance(even, Suppressed):
        return refused(even.reason)
    rows = even.table
    shown = pd.DataFrame(
        {
            "Within": [f"{months} months" for months in rows["horizon"]],
            "Cost to earn back": [money(value, currency, short=True) for value in rows["cost"]],
            "Points of exposed MRR": [of_hundred(value) for value in rows["points"]],
            "Points of all MRR": [of_hundred(value) for value in rows["points_of_all"]],
            "MRR to keep": [
                money(p / 100 * m, currency, short=True)
                for p, m in zip(rows["points"], rows["exposed_mrr"], strict=True)
            ],
            "Hazard ratio": [f"{value:.2f}" if _known(value) else "–" for value in rows["hazard_ratio"]],
            "Still paying, as it is": [percent(value) for value in rows["retention_with"]],
            "at break-even": [percent(value) for value in rows["retention_break_even"]],
        }
    )
    if rows["points_low"].notna().any():
        spans = [
            points_span(row.points_low, row.points_high)
            if _known(row.points_low, row.points_high)
            else f"from {of_hundred(row.points_low)}; out of reach in {percent(row.unreachable_share, 0)} of draws"
            if _known(row.points_low)
            else "–"
            for row in rows.itertuples()
        ]
        shown.insert(3, RANGE, spans)
    reasons = [f"{row.horizon} months: {sentence(row.reason)}" for row in rows.itertuples() if row.reason]
    if reasons:
        shown["Why not"] = [capital(sentence(why)) if why else "–" for why in rows["reason"]]
    return table(shown, "What customer success must keep to pay for itself")


def say_cost(costs: Any, currency: str, anchor: str = "cost") -> Headline:
    """What customer success costs, and where the figure comes from."""
    if refusal := refusal_takeaway("What customer success costs is not known.", costs, anchor):
        return refusal
    where = {
        "costs": f"Mean of {count(costs.months, 'month')} in the table of costs",
        "reps": "From the yearly cost of the people there now",
        "given": "Given as a parameter",
    }[costs.origin]
    when = f", {window_words(costs.start, costs.end)}" if costs.start is not None else ""
    return Headline(
        f"Customer success costs {money(costs.per_year, currency, short=True)} a year.",
        f"{where}{when}; {_parts(costs, currency)}. {sentence(costs.note) if costs.note else ''}".strip(),
        anchor,
    )


def costs_table(costs: Any, currency: str) -> Block:
    """Each item of cost, with the part it counts to."""
    if isinstance(costs, Suppressed) or costs.items is None or not len(costs.items):
        return Block("", "")
    rows = costs.items.sort_values("per_month", ascending=False)
    shown = pd.DataFrame(
        {
            "Item": [visible(item) for item in rows["item"]],
            "Counts as": rows["part"].to_numpy(),
            "Mean month": [money(value, currency) for value in rows["per_month"]],
        }
    )
    return table(shown, "Cost of customer success in a mean month")


def say_scenario(scenario: Any, currency: str, anchor: str = "scenario") -> Headline:
    """What follows from the reader's own inputs, and whether they settle anything."""
    if refusal := refusal_takeaway("No return is computed.", scenario, anchor):
        return refusal
    row = scenario.at(scenario.tornado_horizon)
    if row["net_low"] > 0:
        found = f"If these inputs hold, customer success pays for itself within {row['horizon']} months."
    elif row["net_high"] < 0:
        found = f"If these inputs hold, customer success does not pay for itself within {row['horizon']} months."
    else:
        found = f"These inputs leave open whether customer success pays for itself within {row['horizon']} months."
    guesses = int((scenario.inputs["origin"] == "guess").sum())
    given = f"{RANGE} between {money_span(row['net_low'], row['net_high'], currency).replace(' to ', ' and ')}"
    return Headline(
        found,
        f"Net value {money(row['net'], currency, short=True)} in the median, {given}; {percent(row['p_positive'], 0)} "
        f"of draws gain. A scenario range, no confidence interval; {guesses} of {len(scenario.inputs)} inputs guessed.",
        anchor,
    )


def scenario_table(scenario: Any, currency: str) -> Block:
    """Value, cost, net and return per horizon, without and with what comes after it."""
    if isinstance(scenario, Suppressed):
        return Block("", "")
    rows = scenario.table

    def ranged(name: str) -> list[str]:
        return [
            f"{money(row[name], currency, short=True)} "
            f"({money_span(row[f'{name}_low'], row[f'{name}_high'], currency)})"
            for _, row in rows.iterrows()
        ]

    shown = pd.DataFrame(
        {
            "Within": [
                f"{row.horizon} months" + f", then a tail of {row.tail_months}" * bool(row.tail_months)
                for row in rows.itertuples()
            ],
            "Gross margin kept": ranged("value"),
            "Cost saved without it": ranged("cost"),
            "Net": ranged("net"),
            "ROI": [_roi_words(row) for _, row in rows.iterrows()],
            "Draws that gain": [percent(value, 0) for value in rows["p_positive"]],
        }
    )
    note = say_tail(scenario)
    block = table(shown, f"Scenario range: median and the middle {RANGE}")
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")


def _roi_words(row: Any) -> str:
    if not _known(row["roi"]):
        return "–"
    return f"{percent(row['roi'], 0)} ({span_words(row['roi_low'], row['roi_high'], 0)})"


def say_tail(scenario: Any) -> str:
    """Whether a gain comes only from months after the horizon."""
    only = [
        f"{row['horizon']}"
        for _, row in scenario.table.iterrows()
        if row["tail_months"] and row["net"] > 0 and scenario.at(row["horizon"])["net"] <= 0
    ]
    if only:
        return (
            f"Within {listed(only)} months there is a gain in the median only with the tail, that is from months which "
            "nobody has seen."
        )
    return "The tail adds what the MRR kept at the horizon pays afterwards; no sentence and no chart here counts it."


def outcome_bins(scenario: Any) -> Any:
    """The bars of the main horizon without a tail, as ``charts.roi_distribution`` draws them."""
    if isinstance(scenario, Suppressed):
        return scenario
    bars = scenario.distribution
    return bars[(bars["horizon"] == scenario.tornado_horizon) & (bars["tail_months"] == 0)].reset_index(drop=True)


def outcome_options(scenario: Any, currency: str) -> dict[str, Any]:
    """How ``charts.roi_distribution`` writes values, the median, the range and the unit."""
    if isinstance(scenario, Suppressed):
        return {}
    row, measure = scenario.at(scenario.tornado_horizon), outcome_bins(scenario)["measure"].iloc[0]
    write = short_money(currency) if measure == "net" else _whole_percent
    unit = {"net": "net value", "roi": "return on cost"}[measure] + f" over {scenario.tornado_horizon} months"
    ends = {"middle": row[measure], "low": row[f"{measure}_low"], "high": row[f"{measure}_high"]}
    return {"number": write, "unit": unit, **ends}


def _whole_percent(value: float) -> str:
    return percent(value, 0)


def alt_outcomes(scenario: Any, currency: str) -> str:
    """What the bars show: where the middle lies and how much of them is a gain."""
    if isinstance(scenario, Suppressed):
        return ""
    said, row = outcome_options(scenario, currency), scenario.at(scenario.tornado_horizon)
    write = said["number"]
    return (
        f"Bars of {said['unit']} in {scenario.draws:,} draws: median {write(said['middle'])}, {RANGE} between "
        f"{write(said['low'])} and {write(said['high'])}, {percent(row['p_positive'], 0)} above zero."
    )


def tornado_rows(scenario: Any, currency: str) -> Any:
    """What each input does to net value, with names and inputs in words, as ``charts.tornado`` draws it."""
    if isinstance(scenario, Suppressed):
        return Suppressed("without a scenario no input has an outcome to move")
    rows = scenario.tornado
    shown = rows.assign(
        label=[called_input(name) for name in rows["label"]],
        **{
            end: [input_words(name, value, currency) for name, value in zip(rows["label"], rows[end], strict=True)]
            for end in ("low_input", "high_input")
        },
    )
    shown.attrs = dict(rows.attrs)
    return shown


def say_tornado(scenario: Any, anchor: str = "tornado") -> Headline:
    """Which inputs alone decide between gain and loss."""
    if refusal := refusal_takeaway("What the outcome hangs on cannot be told.", scenario, anchor):
        return refusal
    rows = scenario.tornado
    at = f"Net value over {scenario.tornado_horizon} months, one input moved at a time."
    if not len(rows):
        return Headline("No input has a range.", at, anchor)
    decide = [_lower(row.label) for row in rows.itertuples() if min(row.low, row.high) < 0 < max(row.low, row.high)]
    if decide:
        return Headline(f"Whether there is a gain hangs on: {listed(decide, 6)}.", at, anchor)
    most = _lower(rows["label"].iloc[0])
    return Headline(f"No input alone turns the sign; the one that moves it most is {most}.", at, anchor)


def _lower(name: str) -> str:
    """An input's name inside a sentence."""
    return inside(called_input(name))


_COLUMNS = ["name", "low", "mode", "high", "origin", "source"]


def inputs_table(inputs: Any, currency: str) -> Block:
    """Every input of the money with its range, its origin and its source."""
    if isinstance(inputs, Suppressed):
        return refused(inputs.reason)
    rows = pd.DataFrame([{column: getattr(each, column) for column in _COLUMNS} for each in inputs], columns=_COLUMNS)

    def said(end: str) -> list[str]:
        return [
            "–" if end != "mode" and row["low"] == row["high"] else input_words(row["name"], row[end], currency)
            for _, row in rows.iterrows()
        ]

    shown = pd.DataFrame(
        {
            "Input": [called_input(name) for name in rows["name"]],
            "Low": said("low"),
            "Mode": said("mode"),
            "High": said("high"),
            "Origin": rows["origin"].to_numpy(),
            "Source": [visible(text) or "–" for text in rows["source"]],
        }
    )
    return table(shown, "Inputs of the money: measured, benchmark or guess")


ROI_METRICS = (
    "break_even_12",
    "break_even_24",
    "break_even_36",
    "break_even_risk",
    "exposed_mrr",
    "success_cost",
    "success_roi",
    "vanish_effect",
    "e_value",
    "lost_mrr_months",
    "worth_of_a_point",
    "bad_word_of_mouth",
    "mrr",
    "grr",
)
"""What the glossary of the report on return explains."""
