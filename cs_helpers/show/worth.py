"""Sentences and tables about money: what the measured effect was worth, other plans, one point of retention, talk."""

from __future__ import annotations

from collections.abc import Mapping
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
    inside,
    is_given,
    listed,
    money,
    money_span,
    of_hundred,
    percent,
    plain,
    points_span,
    refusal_takeaway,
    sentence,
    span_words,
)
from cs_helpers.show.roi import RANGE, say_scenario

PLANS = {
    "cut": "Customer success cut",
    "tech_touch": "Tech touch for small accounts",
    "contact_time": "Contact time capped or moved",
}
"""What each plan is called."""


def say_money(worth: Any, currency: str, anchor: str = "money") -> Headline:
    """What the measured effect was worth against its cost, in the months that were watched."""
    if refusal := refusal_takeaway("No money is derived from a measured effect.", worth, anchor):
        return refusal
    low, high = worth.net_interval
    within = f"in the {worth.horizon} months that were watched"
    if worth.cost <= 0:
        found = f"Withdrawing customer success would have saved nothing {within}."
    elif low > 0:
        found = f"Customer success earned back its cost {within}."
    elif high < 0:
        found = f"Customer success did not earn back its cost {within}."
    else:
        found = f"Whether customer success earned back its cost {within} is not clear."
    return Headline(
        found,
        f"Gross margin kept {money(worth.value, currency, short=True)} "
        f"({money_span(worth.value_interval[0], worth.value_interval[1], currency)}), cost "
        f"{money(worth.cost, currency, short=True)}; net {money(worth.net, currency, short=True)} "
        f"({SPAN} {money_span(low, high, currency)}), a gain in {percent(worth.p_positive, 0)} of draws.",
        anchor,
    )


def say_return(worth: Any, scenario: Any, currency: str) -> Headline:
    """Whether it paid: what was measured where that was worth money, else what follows from the reader's own inputs."""
    return say_scenario(scenario, currency) if isinstance(worth, Suppressed) else say_money(worth, currency)


def money_table(worth: Any, currency: str) -> Block:
    """Each figure of the money with its interval."""
    if isinstance(worth, Suppressed):
        return Block("", "")

    def amount(value: float | None) -> str:
        return money(value, currency, short=True)

    def span(ends: tuple[float, float] | None) -> str:
        return money_span(ends[0], ends[1], currency) if ends else "–"

    per = "–" if worth.cost_per_retained is None else f"{worth.cost_per_retained:.2f}"
    per_span = worth.cost_per_retained_interval
    even = worth.break_even_points
    rows = [
        ("MRR-months kept", amount(worth.mrr_months), span(worth.mrr_months_interval)),
        ("Gross margin kept, discounted", amount(worth.value), span(worth.value_interval)),
        ("Cost of covering these accounts, discounted", amount(worth.cost), span(worth.cost_interval)),
        ("Net", amount(worth.net), span(worth.net_interval)),
        (
            "ROI",
            "–" if worth.roi is None else percent(worth.roi, 0),
            span_words(worth.roi_interval[0], worth.roi_interval[1], 0) if worth.roi_interval else "–",
        ),
        ("Cost per unit of MRR kept for a month", per, f"{per_span[0]:.2f} to {per_span[1]:.2f}" if per_span else "–"),
        ("Points of MRR kept at the horizon", of_hundred(worth.points), points_span(*worth.points_interval)),
        ("Points that would have been enough", of_hundred(even), "–"),
    ]
    block = table(
        pd.DataFrame(rows, columns=["Figure", "Estimate", SPAN]),
        f"{count(worth.accounts, 'account')} followed for {worth.horizon} months, nothing projected",
    )
    note = (
        f"They carry {percent(worth.cost_share, 0)} of all covered account-months, and so that share of the cost. "
        "Intervals join draws of accounts with draws of the inputs."
    )
    note += f" {capital(sentence(worth.reason))}" if worth.reason else ""
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")


def say_point(rows: Any, currency: str, horizon: int = 24, anchor: str = "worth-of-a-point") -> Headline:
    """What one more point of yearly retention is worth, whoever causes it."""
    if refusal := refusal_takeaway("What a point of retention is worth cannot be told.", rows, anchor):
        return refusal
    one = rows[(rows["points"] == 1) & rows["value"].notna()]
    if one.empty:
        reason = next((why for why in rows["reason"] if why), "nothing comes due")
        return Headline("What a point of retention is worth cannot be told.", capital(sentence(reason)), anchor)
    at = one[one["horizon"] == horizon] if (one["horizon"] == horizon).any() else one.tail(1)
    row = at.iloc[0]
    others = [
        f"{money(each.value, currency, short=True)} over {each.horizon}"
        for each in one.itertuples()
        if each.horizon != row["horizon"]
    ]
    more = f"{capital(listed(others))} months. " if others else ""
    return Headline(
        f"One more point of yearly retention is worth {money(row['value'], currency, short=True)} of gross margin over "
        f"{row['horizon']} months.",
        f"{more}On the exposed MRR, whoever causes it; contracts gain it when they come due.",
        anchor,
    )


def priced(rows: Any) -> Any:
    """What points are worth, as ``charts.worth_of_a_point`` draws it; a Suppressed where no point has a price."""
    if isinstance(rows, Suppressed) or rows["value"].notna().any():
        return rows
    return Suppressed(next((why for why in rows["reason"] if why), "nothing comes due"))


def alt_point(rows: Any, currency: str) -> str:
    """What one and the most points drawn are worth over each horizon."""
    if isinstance(rows, Suppressed):
        return ""
    parts = []
    for horizon, part in rows[rows["value"].notna()].groupby("horizon"):
        first, last = part.iloc[0], part.iloc[-1]
        parts.append(
            f"over {horizon} months {money(first['value'], currency, short=True)} for {first['points']:g} and "
            f"{money(last['value'], currency, short=True)} for {last['points']:g}"
        )
    return f"Gross margin by points of yearly retention: {'; '.join(parts)}." if parts else "Nothing to show."


def point_table(rows: Any, currency: str) -> Block:
    """What one to five points are worth, a row per point, a column per horizon."""
    if isinstance(rows, Suppressed):
        return refused(rows.reason)
    shown: dict[str, list[Any]] = {"Points of yearly retention": [f"+{each:g}" for each in sorted(set(rows["points"]))]}
    for horizon, part in rows.sort_values("points").groupby("horizon"):
        shown[f"{horizon} months"] = [money(value, currency, short=True) for value in part["value"]]
    return table(pd.DataFrame(shown), "Gross margin kept by more retention")


def say_plans(plans: Mapping[str, Any], anchor: str = "plans") -> Headline:
    """Which smaller plan gains, as far as its range tells; without any effect, how much churn each could bear."""
    given = [plan for plan in plans.values() if not isinstance(plan, Suppressed)]
    if not given:
        reason = next((plan.reason for plan in plans.values()), "no plan was asked for")
        return Headline("No smaller plan can be computed.", capital(sentence(reason)), anchor)
    told = [plan for plan in given if is_given(main_row(plan)["gain"])]
    months = int(main_row(given[0])["horizon"])
    if not told:
        bears = [
            f"{_inside(plan)} {main_row(plan)['break_even_ratio']:.2f} times"
            for plan in given
            if is_given(main_row(plan)["break_even_ratio"])
        ]
        most = f"Over {months} months churn may rise at most so far before a plan loses money: {listed(bears)}."
        return Headline(
            most if bears else "Every plan here pays, whatever churn does.",
            "How much churn each would cause is not known, so no gain is given.",
            anchor,
        )
    gains: list[str] = []
    loses: list[str] = []
    open_: list[str] = []
    for plan in told:
        row = main_row(plan)
        side = gains if row["gain_low"] > 0 else loses if row["gain_high"] < 0 else open_
        side.append(_inside(plan))
    sides = {"gain": gains, "loss": loses, "open": open_}
    parts = [f"{side}: {listed(names)}" for side, names in sides.items() if names]
    return Headline(
        f"Smaller plans over {months} months, {'; '.join(parts)}.",
        "This follows from the inputs; a plan is open where its range holds both a gain and a loss.",
        anchor,
    )


def _inside(plan: Any) -> str:
    """A plan's name inside a sentence."""
    return inside(plan_name(plan))


def main_row(plan: Any) -> Any:
    """The row of the middle horizon."""
    return plan.table.iloc[(len(plan.table) - 1) // 2]


def plan_name(plan: Any) -> str:
    """What a plan is called."""
    return PLANS.get(plan.key, capital(called(plan.key.replace("_", " "))))


def plans_table(plans: Mapping[str, Any], currency: str) -> Block:
    """Saved, lost and gained per plan and horizon, and how much churn each plan could bear."""
    given = [plan for plan in plans.values() if not isinstance(plan, Suppressed)]
    refusals = [
        f"{PLANS.get(key, capital(key))}: {sentence(plan.reason)}"
        for key, plan in plans.items()
        if isinstance(plan, Suppressed)
    ]
    if not given:
        return refused(" ".join(refusals)) if refusals else Block("", "")

    def ranged(row: Any, name: str) -> str:
        if not is_given(row[name]):
            return "–"
        span = money_span(row[f"{name}_low"], row[f"{name}_high"], currency)
        return money(row[name], currency, short=True) + (
            f" ({span})" if row[f"{name}_low"] < row[f"{name}_high"] else ""
        )

    rows = [
        {
            "Plan": plan_name(plan),
            "Within": f"{row['horizon']:.0f}{NARROW_SPACE}months",
            "MRR it touches": money(plan.exposed_mrr, currency, short=True),
            "Saved": ranged(row, "saved"),
            "Gross margin lost": ranged(row, "lost"),
            "Gain": ranged(row, "gain"),
            "Draws that gain": percent(row["p_gain"], 0) if is_given(row["p_gain"]) else "–",
            "Pays up to a hazard ratio of": f"{row['break_even_ratio']:.2f}"
            if is_given(row["break_even_ratio"])
            else "any",
        }
        for plan in given
        for _, row in plan.table.iterrows()
    ]
    shown = pd.DataFrame(rows)
    unknown = [name for name in ("Gross margin lost", "Gain", "Draws that gain") if (shown[name] == "–").all()]
    block = table(shown.drop(columns=unknown), f"Smaller plans: median and the middle {RANGE}")
    notes = " ".join(f"{plan_name(plan)}: {sentence(plan.note)}" for plan in given)
    notes += f" Not computed. {' '.join(refusals)}" if refusals else ""
    return Block(f'{block.html}<p class="cs-note">{plain(notes)}</p>', f"{block.text}\n{notes}")


def say_talk(talk: Any, currency: str, anchor: str = "word-of-mouth") -> Headline:
    """How many people hear of bad experience, at least, and in money only where the reader gave a chance."""
    if refusal := refusal_takeaway("How far bad experience travels cannot be told.", talk, anchor):
        return refusal
    unhappy = talk.table[talk.table["group"] == "unhappy"].iloc[0]
    happy = talk.table[talk.table["group"] == "happy"].iloc[0]
    basis = f"Counted {unhappy['basis']}; the shares are figures in circulation about consumers. "
    basis += f"{happy['accounts']:,.0f} happy ones would tell at least {happy['tellings']:,.0f}. "
    if talk.lost is None:
        basis += capital(sentence(talk.reason))
    else:
        span = money_span(talk.lost_low, talk.lost_high, currency)
        basis += f"Lost sales by your inputs: {money(talk.lost, currency, short=True)} ({RANGE} {span})."
    return Headline(
        f"About {unhappy['accounts']:,.0f} unhappy accounts would tell at least {talk.tellings:,.0f} people.",
        basis,
        anchor,
    )


TALK = {
    "unhappy_who_tell": "Share of the unhappy who tell others",
    "told_by_unhappy": "People each unhappy one tells, at least",
    "happy_who_tell": "Share of the happy who tell others",
    "told_by_happy": "People each happy one tells, at least",
    "unhappy_per_complaint": "Unhappy ones for each that complains",
    "leavers_who_name_it": "Share of leavers who name bad experience",
    "lost_sale_chance": "Chance that a hearer does not buy",
    "sale_value": "Gross margin of a sale",
}
"""What each figure on word of mouth says."""


def talk_table(talk: Any) -> Block:
    """The figures on word of mouth with their published origin."""
    if isinstance(talk, Suppressed):
        return Block("", "")
    rows = talk.inputs
    shown = pd.DataFrame(
        {
            "Figure": [TALK.get(name, capital(called(name.replace("_", " ")))) for name in rows["name"]],
            "Used": [
                percent(value, 0 if value >= 0.01 else 1) if value < 1 else f"{value:,g}" for value in rows["mode"]
            ],
            "Origin": rows["origin"].to_numpy(),
        }
    )
    block = table(shown, "What is quoted about word of mouth")
    sources = list(dict.fromkeys(visible(text) for text in rows["source"][rows["origin"] == "benchmark"]))
    note = f"Benchmarks: {capital(sentence('; '.join(sources)))}" if sources else ""
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}".strip())
