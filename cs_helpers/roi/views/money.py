"""Views of money: what the measured effect was worth, smaller plans, one point of retention, word of mouth."""

from __future__ import annotations

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.report.blocks import Block, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    capital,
    count,
    inside,
    is_given,
    listed,
    money,
    money_span,
    of_hundred,
    percent,
    points_span,
    sentence,
    short_money,
    span_words,
)
from cs_helpers.roi import charts
from cs_helpers.roi.results import EffectMoneyResult, PlansResult, PointWorthResult, WordOfMouthResult
from cs_helpers.roi.smaller_plans import SmallerPlan
from cs_helpers.roi.views.names import PLANS, RANGE, called_input, page, with_note

MAIN_HORIZON = 24


@view_for(EffectMoneyResult)
class EffectMoneyView(View[EffectMoneyResult]):
    """What the measured effect was worth against its cost, in the months observed."""

    def headline(self, result: EffectMoneyResult) -> Headline:
        worth, currency, write = result.money, result.currency, short_money(result.currency)
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
            f"Gross margin kept {write(worth.value)} ({money_span(*worth.value_interval, currency)}), cost "
            f"{write(worth.cost)}; net {write(worth.net)} ({SPAN} {money_span(low, high, currency)}), a gain in "
            f"{percent(worth.p_positive, 0)} of draws.",
            "money",
        )

    def table(self, result: EffectMoneyResult) -> pd.DataFrame:
        """figure, value, low and high: money in currency, roi as a fraction, points as they are."""
        worth = result.money
        none = (None, None)
        rows = [
            ("mrr_months", worth.mrr_months, *worth.mrr_months_interval),
            ("value", worth.value, *worth.value_interval),
            ("cost", worth.cost, *worth.cost_interval),
            ("net", worth.net, *worth.net_interval),
            ("roi", worth.roi, *(worth.roi_interval or none)),
            ("cost_per_retained", worth.cost_per_retained, *(worth.cost_per_retained_interval or none)),
            ("points", worth.points, *worth.points_interval),
            ("break_even_points", worth.break_even_points, *none),
        ]
        return pd.DataFrame(rows, columns=["figure", "value", "low", "high"])

    def page_table(self, result: EffectMoneyResult) -> Block:
        worth, currency = result.money, result.currency

        def amount(name: str, value: float, ends: tuple[float, float]) -> tuple[str, str, str]:
            return name, money(value, currency, short=True), money_span(*ends, currency)

        per, per_span, roi_span = worth.cost_per_retained, worth.cost_per_retained_interval, worth.roi_interval
        rows = [
            amount("MRR-months kept", worth.mrr_months, worth.mrr_months_interval),
            amount("Gross margin kept, discounted", worth.value, worth.value_interval),
            amount("Cost of covering these accounts, discounted", worth.cost, worth.cost_interval),
            amount("Net", worth.net, worth.net_interval),
            ("ROI", percent(worth.roi, 0), span_words(*roi_span, 0) if roi_span else "–"),
            ("Cost per unit of MRR kept for a month", "–" if per is None else f"{per:.2f}",
             f"{per_span[0]:.2f} to {per_span[1]:.2f}" if per_span else "–"),
            ("Points of MRR kept at the horizon", of_hundred(worth.points), points_span(*worth.points_interval)),
            ("Points that would have been enough", of_hundred(worth.break_even_points), "–"),
        ]  # fmt: skip
        block = table(
            pd.DataFrame(rows, columns=["Figure", "Estimate", SPAN]),
            f"{count(worth.accounts, 'account')} followed for {worth.horizon} months, nothing projected",
        )
        note = (
            f"They carry {percent(worth.cost_share, 0)} of all covered account-months, and so that share of the cost. "
            "Intervals join draws of accounts with draws of the inputs."
        )
        note += f" {capital(sentence(worth.reason))}" if worth.reason else ""
        return with_note(block, note)


@view_for(PointWorthResult)
class PointWorthView(View[PointWorthResult]):
    """What one more point of yearly retention is worth, whatever causes it."""

    def headline(self, result: PointWorthResult) -> Headline:
        rows, write = result.values, short_money(result.currency)
        one = rows[(rows["points"] == 1) & rows["value"].notna()]
        main = one[one["horizon"] == MAIN_HORIZON]
        row = (one if main.empty else main).iloc[-1]
        others = one[one["horizon"] != row["horizon"]]
        others = [
            f"{write(value)} over {months}" for value, months in zip(others["value"], others["horizon"], strict=True)
        ]
        more = f"{capital(listed(others))} months. " if others else ""
        return Headline(
            f"One more point of yearly retention is worth {write(row['value'])} of gross margin over {row['horizon']} "
            "months.",
            f"{more}On the exposed MRR, whoever causes it; contracts gain it when they come due.",
            "worth-of-a-point",
        )

    def chart(self, result: PointWorthResult, narrow: bool) -> Chart:
        return charts.worth_of_a_point(result.values, narrow, short_money(result.currency))

    def alt_text(self, result: PointWorthResult) -> str:
        rows, parts, write = result.values, [], short_money(result.currency)
        for horizon, part in rows[rows["value"].notna()].groupby("horizon"):
            first, last = (f"{write(row['value'])} for {row['points']:g}" for _, row in part.iloc[[0, -1]].iterrows())
            parts.append(f"over {horizon} months {first} and {last}")
        return f"Gross margin by points of yearly retention: {'; '.join(parts)}."

    def table(self, result: PointWorthResult) -> pd.DataFrame:
        """One row per horizon and number of points, see ``value_of_points``."""
        return result.values

    def page_table(self, result: PointWorthResult) -> Block:
        rows = result.values
        shown = {"Points of yearly retention": [f"+{each:g}" for each in sorted(set(rows["points"]))]}
        for horizon, part in rows.sort_values("points").groupby("horizon"):
            shown[f"{horizon} months"] = [short_money(result.currency)(value) for value in part["value"]]
        return page(shown, "Gross margin kept by more retention")


@view_for(PlansResult)
class PlansView(View[PlansResult]):
    """Which smaller plan gains, as far as its range tells; without any effect, how much churn each could bear."""

    def headline(self, result: PlansResult) -> Headline:
        plans, anchor = result.plans, "plans"
        with_gain = [plan for plan in plans if is_given(main_row(plan)["gain"])]
        months = int(main_row(plans[0])["horizon"])
        if not with_gain:
            limits = {plan.key: main_row(plan)["break_even_ratio"] for plan in plans}
            bears = [f"{inside(PLANS[key])} {limit:.2f} times" for key, limit in limits.items() if is_given(limit)]
            most = f"Over {months} months churn may rise at most so far before a plan loses money: {listed(bears)}."
            return Headline(
                most if bears else "Every plan here pays, whatever churn does.",
                "How much churn each would cause is not known, so no gain is given.",
                anchor,
            )
        sides: dict[str, list[str]] = {"gain": [], "loss": [], "open": []}
        for plan in with_gain:
            row = main_row(plan)
            side = "gain" if row["gain_low"] > 0 else "loss" if row["gain_high"] < 0 else "open"
            sides[side].append(inside(PLANS[plan.key]))
        parts = [f"{side}: {listed(names)}" for side, names in sides.items() if names]
        return Headline(
            f"Smaller plans over {months} months, {'; '.join(parts)}.",
            "This follows from the inputs; a plan is open where its range holds both a gain and a loss.",
            anchor,
        )

    def table(self, result: PlansResult) -> pd.DataFrame:
        """plan, exposed_mrr, and the columns of ``SmallerPlan.table``; one row per plan and horizon."""
        frames = [plan.table.assign(plan=plan.key, exposed_mrr=plan.exposed_mrr) for plan in result.plans]
        rows = pd.concat(frames, ignore_index=True)
        first = ["plan", "exposed_mrr"]
        return rows[[*first, *(name for name in rows if name not in first)]]

    def page_table(self, result: PlansResult) -> Block:

        def ranged(row: pd.Series, name: str) -> str:
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            span = f" ({money_span(low, high, result.currency)})" if low < high else ""
            return f"{money(row[name], result.currency, short=True)}{span}"

        def ratio(limit: float) -> str:
            return f"{limit:.2f}" if is_given(limit) else "any"

        rows = [
            {
                "Plan": PLANS[plan.key],
                "Within": f"{row['horizon']:.0f}{NARROW_SPACE}months",
                "MRR it touches": money(plan.exposed_mrr, result.currency, short=True),
                "Saved": ranged(row, "saved"),
                "Gross margin lost": ranged(row, "lost"),
                "Gain": ranged(row, "gain"),
                "Draws that gain": percent(row["p_gain"], 0),
                "Pays up to a hazard ratio of": ratio(row["break_even_ratio"]),
            }
            for plan in result.plans
            for _, row in plan.table.iterrows()
        ]
        unknown = ("Gross margin lost", "Gain", "Draws that gain")
        block = page(pd.DataFrame(rows), f"Smaller plans: median and the middle {RANGE}", optional=unknown)
        notes = " ".join(f"{PLANS[plan.key]}: {sentence(plan.note)}" for plan in result.plans)
        missing = " ".join(f"{PLANS[key]}: {sentence(why)}" for key, why in result.not_computed.items())
        return with_note(block, f"{notes} Not computed. {missing}" if missing else notes)


def main_row(plan: SmallerPlan) -> pd.Series:
    """The row of the middle horizon."""
    return plan.table.iloc[(len(plan.table) - 1) // 2]


@view_for(WordOfMouthResult)
class WordOfMouthView(View[WordOfMouthResult]):
    """How many people hear of bad experience, at least, and in money only where the reader gave a chance."""

    def headline(self, result: WordOfMouthResult) -> Headline:
        talk, currency = result.word_of_mouth, result.currency
        unhappy, happy = (row for _, row in talk.table.iterrows())
        basis = f"Counted {unhappy['basis']}; the shares are figures in circulation about consumers. "
        basis += f"{happy['accounts']:,.0f} happy ones would tell at least {happy['tellings']:,.0f}. "
        if talk.lost is None or talk.lost_low is None or talk.lost_high is None:
            basis += capital(sentence(talk.reason))
        else:
            span = money_span(talk.lost_low, talk.lost_high, currency)
            basis += f"Lost sales by your inputs: {money(talk.lost, currency, short=True)} ({RANGE} {span})."
        return Headline(
            f"About {unhappy['accounts']:,.0f} unhappy accounts would tell at least {talk.tellings:,.0f} people.",
            basis,
            "word-of-mouth",
        )

    def table(self, result: WordOfMouthResult) -> pd.DataFrame:
        """name, low, mode, high, origin and source of each figure used."""
        return result.word_of_mouth.inputs

    def page_table(self, result: WordOfMouthResult) -> Block:
        rows = result.word_of_mouth.inputs
        columns = {
            "Figure": [called_input(name) for name in rows["name"]],
            "Used": [percent(x, 0 if x >= 0.01 else 1) if x < 1 else f"{x:,g}" for x in rows["mode"]],
            "Origin": rows["origin"].to_numpy(),
        }
        block = page(columns, "What is quoted about word of mouth")
        sources = list(dict.fromkeys(visible(text) for text in rows["source"][rows["origin"] == "benchmark"]))
        return with_note(block, f"Benchmarks: {capital(sentence('; '.join(sources)))}" if sources else "")
