"""Views of break-even, of what customer success costs, and of the headline numbers of return."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Change, Comparison, Estimate
from cs_helpers.core.periods import window_words
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import Tiles, View, view_for, view_of
from cs_helpers.report.words import (
    Headline,
    capital,
    count,
    is_given,
    listed,
    money,
    of_hundred,
    percent,
    plain,
    points_span,
    sentence,
    short_money,
)
from cs_helpers.roi import charts
from cs_helpers.roi.costs import CostBase
from cs_helpers.roi.economics import HORIZONS
from cs_helpers.roi.results import BreakEvenResult, CostResult, RoiSummary
from cs_helpers.roi.views.names import RANGE, called_evidence, page, whys


@view_for(BreakEvenResult)
class BreakEvenView(View[BreakEvenResult]):
    """How much is enough, with no claim that customer success keeps it."""

    def headline(self, result: BreakEvenResult) -> Headline:
        rows = [row for _, row in result.even.table.iterrows()]
        reached = [row for row in rows if row["reachable"]]
        currency, anchor = result.currency, "break-even"
        a_year = f" of {money(result.cost_per_year, currency, short=True)} a year"
        if not reached:
            return Headline(
                f"Customer success cannot earn back its cost{a_year} within {rows[-1]['horizon']} months, whatever it "
                "keeps.",
                capital(sentence(rows[-1]["reason"])),
                anchor,
            )
        row = reached[(len(reached) - 1) // 2] if len(reached) == len(rows) else reached[0]
        if row["points"] == 0:
            return Headline(
                "Customer success needs to keep nothing to pay for itself.", capital(sentence(row["reason"])), anchor
            )
        others = [f"{of_hundred(each['points'])} over {each['horizon']} months" for each in reached if each is not row]
        never = [f"{each['horizon']}" for each in rows if not each["reachable"]]
        need = money(row["points"] / 100 * row["exposed_mrr"], currency, short=True)
        parts = [
            f"That is {need} of MRR a month that pays then only because of it: without it churn would be "
            f"{row['hazard_ratio']:.2f} times as high."
        ]
        if others:
            parts.append(f"{capital(listed(others))}.")
        if never:
            parts.append(f"Within {listed(never)} months nothing it could keep would pay its cost.")
        parts.append("This is no claim that it does: it says how much would be enough.")
        exposed = money(row["exposed_mrr"], currency, short=True)
        return Headline(
            f"To earn back its cost{a_year} within {row['horizon']} months, customer success must keep "
            f"{of_hundred(row['points'])} of the {exposed} of MRR it looks after.",
            " ".join(parts),
            anchor,
        )

    def chart(self, result: BreakEvenResult, narrow: bool) -> Chart:
        return charts.break_even_curve(result.even, narrow, short_money(result.currency))

    def alt_text(self, result: BreakEvenResult) -> str:
        parts = []
        for _, row in result.even.table.iterrows():
            crosses = f"crosses zero at {of_hundred(row['points'])}" if row["reachable"] else "stays below zero"
            begins = money(-row["cost"], result.currency, short=True)
            parts.append(f"{row['horizon']} months: begins at {begins}, {crosses}")
        return f"Net value against points of retention kept, a rising line per horizon. {'; '.join(parts)}."

    def note(self, result: BreakEvenResult) -> str:
        rows = result.portfolio.rows
        soon = float(rows.loc[rows["due_in"] < 12, "mrr_cents"].sum()) / float(rows["mrr_cents"].sum())
        note = f" {sentence(result.portfolio.note)}" if result.portfolio.note else ""
        known = result.even.assumptions
        whole = known.absorbed == known.severance_months == known.notice_months == 0
        saved = (
            "all costs count as saved from the first month on"
            if whole
            else "notice, severance and work that others take over are taken off what would be saved"
        )
        return (
            f"A contract can be lost only when it comes due: {percent(soon, 0)} of the exposed MRR decides within a "
            f"year.{note} {capital(saved)}; no lost growth is counted, so that retention alone has to pay."
        )

    def table(self, result: BreakEvenResult) -> pd.DataFrame:
        """One row per horizon, see ``BreakEven.table``."""
        return result.even.table

    def page_table(self, result: BreakEvenResult) -> Block:
        rows, currency = result.even.table, result.currency
        columns = {
            "Within": [f"{months} months" for months in rows["horizon"]],
            "Cost to earn back": [money(value, currency, short=True) for value in rows["cost"]],
            "Points of exposed MRR": [of_hundred(value) for value in rows["points"]],
            RANGE: [_range_words(row) for _, row in rows.iterrows()],
            "Points of all MRR": [of_hundred(value) for value in rows["points_of_all"]],
            "MRR to keep": [
                money(p / 100 * m, currency, short=True)
                for p, m in zip(rows["points"], rows["exposed_mrr"], strict=True)
            ],
            "Hazard ratio": [f"{value:.2f}" if is_given(value) else "–" for value in rows["hazard_ratio"]],
            "Still paying, as it is": [percent(value) for value in rows["retention_with"]],
            "at break-even": [percent(value) for value in rows["retention_break_even"]],
            "Why not": whys(rows["reason"]),
        }
        return page(columns, "What customer success must keep to pay for itself", optional=(RANGE, "Why not"))


def _range_words(row: pd.Series) -> str:
    """The range of break-even at one horizon; its lower end where many draws cannot reach break-even."""
    if is_given(row["points_low"], row["points_high"]):
        return points_span(row["points_low"], row["points_high"])
    if is_given(row["points_low"]):
        share = percent(row["unreachable_share"], 0)
        return f"from {of_hundred(row['points_low'])}; out of reach in {share} of draws"
    return "–"


@view_for(CostResult)
class CostView(View[CostResult]):
    """What customer success costs, and where the figure comes from."""

    def headline(self, result: CostResult) -> Headline:
        costs = result.costs
        where = {
            "costs": f"Mean of {count(costs.months, 'month')} in the table of costs",
            "reps": "From the yearly cost of the people there now",
            "given": "Given as a parameter",
        }[costs.origin]
        when = f", {window_words(costs.start, costs.end)}" if costs.start is not None and costs.end is not None else ""
        note = sentence(costs.note) if costs.note else ""
        return Headline(
            f"Customer success costs {money(costs.per_year, result.currency, short=True)} a year.",
            f"{where}{when}; {cost_parts(costs, result.currency)}. {note}".strip(),
            "cost",
        )

    def table(self, result: CostResult) -> pd.DataFrame:
        """item, part (people, tools or management) and per_month in currency."""
        items = result.costs.items
        if items is None:
            return pd.DataFrame(columns=["item", "part", "per_month"])
        return items.sort_values("per_month", ascending=False)

    def page_table(self, result: CostResult) -> Block | None:
        rows = self.table(result)
        if rows.empty:
            return None
        columns = {
            "Item": [visible(item) for item in rows["item"]],
            "Counts as": rows["part"].to_numpy(),
            "Mean month": [money(value, result.currency) for value in rows["per_month"]],
        }
        return page(columns, "Cost of customer success in a mean month")


def cost_parts(costs: CostBase, currency: str) -> str:
    """What the cost a month is made of."""
    parts = {"people": costs.people, "tools": costs.tools, "management": costs.management}
    said = [f"{name} {money(value, currency, short=True)}" for name, value in parts.items() if value]
    return f"a month: {', '.join(said)}" if len(said) > 1 else f"{money(costs.per_month, currency, short=True)} a month"


SCOPE = (
    "All of this is about withdrawing assigned people, seen in accounts that had them or not, and not by lot: what "
    "sent a CSM to an account and was never recorded can hide in any measured effect. The uncovered accounts still "
    "lived in a company that had customer success, with its onboarding and its help pages: what a company without any "
    "would lose was never seen, and nothing here says it."
)


@view_for(RoiSummary)
class RoiSummaryView(View[RoiSummary]):
    """Break-even over each horizon, the cost a year, and the measured effect or why there is none."""

    def headline(self, result: RoiSummary) -> Headline:
        return self.takeaways(result)[0]

    def takeaways(self, result: RoiSummary) -> Sequence[Headline]:
        parts = (result.break_even, result.effect, result.earned, result.point)
        return [view_of(part).headline(part) for part in parts]

    def tiles(self, result: RoiSummary) -> Tiles:
        figures, basis = _figures(result)
        comparisons = tuple(Comparison(each, each, Change("no comparison"), "", "") for each in figures)
        return Tiles(comparisons, result.currency, basis, _note(result.break_even))

    def notice(self, result: RoiSummary) -> Block:
        return Block(f'<p class="cs-note cs-scope">{plain(SCOPE)}</p>', SCOPE)

    def table(self, result: RoiSummary) -> pd.DataFrame:
        """key, value, low, high and reason (why there is no value) of each headline number."""
        rows = [(each.key, each.value, each.low, each.high, each.reason) for each in _figures(result)[0]]
        return pd.DataFrame(rows, columns=["key", "value", "low", "high", "reason"])


def _figures(result: RoiSummary) -> tuple[list[Estimate], dict[str, str]]:
    """The headline numbers, and by key what stands under the value."""
    figures, basis = [], {}
    for horizon in HORIZONS:
        key = f"break_even_{horizon}"
        if isinstance(result.break_even, Suppressed):
            figures.append(Estimate(key, None, None, None, 0, reason=result.break_even.reason))
            continue
        even = result.break_even.even
        row = next((row for _, row in even.table.iterrows() if row["horizon"] == horizon), None)
        if row is None:
            continue
        need = row["points"] / 100 * row["exposed_mrr"]
        kept = need if math.isfinite(need) else None
        value = row["points"] if row["reachable"] else None
        figures.append(Estimate(key, value, kept, row["exposed_mrr"], even.accounts, reason=row["reason"]))
        basis[key] = f"hazard ratio {row['hazard_ratio']:.2f}"
        if is_given(row["points_low"], row["points_high"]):
            basis[key] = f"{points_span(row['points_low'], row['points_high'])} over the inputs' ranges"
    if isinstance(result.cost, Suppressed):
        figures.append(Estimate("success_cost", None, None, None, 0, reason=result.cost.reason))
    else:
        figures.append(Estimate("success_cost", result.cost.costs.per_year, None, None, 0))
        basis["success_cost"] = cost_parts(result.cost.costs, result.currency)
    if isinstance(result.effect, Suppressed):
        why = result.effect.reason
        gates = () if isinstance(result.gates, Suppressed) else result.gates.gates
        failed = sum(gate.passed is False for gate in gates)
        if failed:  # a tile has room for their number only
            why = f"{failed} of {count(len(gates), 'condition')} not met, see the section on what is measured"
        figures.append(Estimate("vanish_effect", None, None, None, 0, reason=why))
    else:
        found = result.effect.main_evidence
        figures.append(Estimate("vanish_effect", found.value, None, None, found.accounts, found.low, found.high))
        how = "" if found.key == "g_formula" else f"{called_evidence(found.key)}: "
        span = points_span(found.low or 0.0, found.high or 0.0)
        basis["vanish_effect"] = f"{how}{span} over {result.effect.effect.horizon} months, n = {found.accounts:,}"
    return figures, basis


def _note(found: BreakEvenResult | Suppressed) -> str:
    """What the points are points of, and what was assumed."""
    if isinstance(found, Suppressed):
        return "Break-even: the points of retention that customer success must keep to earn back its cost."
    even, known = found.even, found.even.assumptions
    ranged = f" Ranges of break-even are {RANGE} of uncertain inputs." if even.draws else ""
    return (
        f"Break-even in points of the exposed MRR: what the {count(even.accounts, 'account')} with a CSM pay "
        f"({percent(even.exposed_mrr / even.total_mrr, 0)} of all MRR). Gross margin {percent(known.margin, 0)}, MRR "
        f"lost {percent(known.yearly_churn)} and discount {percent(known.discount, 0)} a year; nothing after the "
        f"horizon counts.{ranged}"
    )
