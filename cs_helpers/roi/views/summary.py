"""The view of the headline numbers of return."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cs_helpers.core.estimates import Change, Comparison, Estimate
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block
from cs_helpers.report.views import Tiles, View, view_for, view_of
from cs_helpers.report.words import Headline, count, is_given, percent, plain, points_span
from cs_helpers.roi.results import BreakEvenResult, GatesResult, RoiSummary
from cs_helpers.roi.views.break_even import cost_parts
from cs_helpers.roi.views.names import RANGE, called_evidence

SCOPE = (
    "All of this is about withdrawing assigned people, seen in accounts that had them or not, and not by lot: what "
    "sent a CSM to an account and was never recorded can hide in any measured effect. The uncovered accounts still "
    "lived in a company that had customer success, with its onboarding and its help pages: what a company without any "
    "would lose was never seen, and nothing here says it."
)
HORIZONS = (12, 24, 36)


@view_for(RoiSummary)
class RoiSummaryView(View[RoiSummary]):
    """Break-even over each horizon, the cost a year, and the measured effect or why there is none."""

    def headline(self, result: RoiSummary) -> Headline:
        """The first takeaway: what customer success must keep."""
        return self.takeaways(result)[0]

    def takeaways(self, result: RoiSummary) -> Sequence[Headline]:
        """What it must keep, what it was measured to keep, whether that paid, and what a point is worth."""
        parts = (result.break_even, result.effect, result.earned, result.point)
        return [view_of(part).headline(part) for part in parts]

    def tiles(self, result: RoiSummary) -> Tiles:
        """The headline numbers, with what each rests on under it."""
        figures, basis = _figures(result)
        comparisons = tuple(Comparison(each, each, Change("no comparison"), "", "") for each in figures)
        return Tiles(comparisons, result.currency, basis, _note(result.break_even))

    def notice(self, result: RoiSummary) -> Block:
        """What data on coverage can say and what they cannot."""
        return Block(f'<p class="cs-note cs-scope">{plain(SCOPE)}</p>', SCOPE)

    def table(self, result: RoiSummary) -> pd.DataFrame:
        """key, value, low, high and reason (why there is no value) of each headline number."""
        columns = ["key", "value", "low", "high", "reason"]
        return pd.DataFrame(
            [[getattr(each, name) for name in columns] for each in _figures(result)[0]], columns=columns
        )


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
        why = _short_reason(result.effect.reason, result.gates)
        figures.append(Estimate("vanish_effect", None, None, None, 0, reason=why))
    else:
        found = result.effect.main_evidence
        figures.append(Estimate("vanish_effect", found.value, None, None, found.accounts, found.low, found.high))
        how = "" if found.key == "g_formula" else f"{called_evidence(found.key)}: "
        span = points_span(found.low or 0.0, found.high or 0.0)
        basis["vanish_effect"] = f"{how}{span} over {result.effect.effect.horizon} months, n = {found.accounts:,}"
    return figures, basis


def _short_reason(reason: str, gates: GatesResult | Suppressed) -> str:
    """A reason that fits a tile: how many conditions are not met; the section says which."""
    if isinstance(gates, Suppressed):
        return reason
    failed = [gate for gate in gates.gates if gate.passed is False]
    if failed:
        return f"{len(failed)} of {count(len(gates.gates), 'condition')} not met, see the section on what is measured"
    return reason


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
