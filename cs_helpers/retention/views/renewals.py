"""What a reader sees of renewals: rates, outlook, accuracy of earlier forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    Headline,
    count,
    money,
    money_span,
    percent,
    plain,
    points,
    short_money,
    span_words,
)
from cs_helpers.retention import charts
from cs_helpers.retention.outlook import ForecastScore, RenewalOutlook
from cs_helpers.retention.renewal_rates import RenewalRates
from cs_helpers.retention.views.revenue import change_headline, comparison_rows, comparison_table

_RANGE = f"95{NARROW_SPACE}% range"


@view_for(RenewalRates)
class RenewalRatesView(View[RenewalRates]):
    """The renewal rates of what was due, whether they moved, and what is still open."""

    def headline(self, result: RenewalRates) -> Headline:
        return change_headline(result.comparisons[0], "", "renewals")

    def table(self, result: RenewalRates) -> pd.DataFrame:
        return comparison_rows(result.comparisons)

    def page_table(self, result: RenewalRates) -> Block:
        now, currency = result.now, result.currency
        still = (
            f"{count(now.open, 'renewal')} of {money(now.open_mrr, currency)} MRR due in that window "
            f"{'is' if now.open == 1 else 'are'} still open and counted neither as won nor as lost."
            if now.open
            else "No renewal due in that window is still open."
        )
        if result.derived:
            still += " The source has no table of renewals: due dates follow from contract terms."
        block = comparison_table(result.comparisons, currency, "Rate", "Renewed / due")
        return Block(f'{block.html}<p class="cs-note">{plain(still)}</p>', f"{block.text}\n{still}")


@view_for(RenewalOutlook)
class RenewalOutlookView(View[RenewalOutlook]):
    """The renewals due in the next four quarters and the MRR expected from them."""

    def headline(self, result: RenewalOutlook) -> Headline:
        total, short = result.total, short_money(result.currency)
        return Headline(
            f"{short(total['due'])} of MRR comes up for renewal in the next {3 * len(result.quarters)} months; "
            f"{short(total['expected'])} should be renewed.",
            f"{_RANGE} {money_span(total['low'], total['high'], result.currency)}, if renewals go on as in the last "
            f"twelve months ({percent(result.rate)} of the revenue due, {count(result.decided, 'decided renewal')}).",
            "outlook",
        )

    def chart(self, result: RenewalOutlook, narrow: bool) -> Chart:
        return charts.outlook(result, narrow)

    def alt_text(self, result: RenewalOutlook) -> str:
        short = short_money(result.currency)
        rows = [
            f"{quarter}: {short(row['due'])} due, {short(row['expected'])} expected "
            f"({money_span(row['low'], row['high'], result.currency)})"
            for quarter, row in result.quarters.iterrows()
        ]
        return f"Renewals by quarter. {'; '.join(rows)}."

    def note(self, result: RenewalOutlook) -> str:
        parts = [f"Outline: due. Bar: expected, with its {_RANGE}."]
        if result.scenarios:
            _, worst, best = result.scenarios
            parts.append(
                f"Ticks: all quarters as in the worst and the best of the last eight ({percent(worst.rate, 0)} in "
                f"{worst.seen_in}, {percent(best.rate, 0)} in {best.seen_in})."
            )
        else:
            parts.append("Fewer than four past quarters have ten decided renewals, so no other scenario is drawn.")
        derived = float(result.quarters["from_terms"].sum())
        if derived:
            parts.append(
                f"{money(derived, result.currency, short=True)} of it is due by contract term; nobody has recorded "
                "these renewals yet."
            )
        if result.spread > 1:
            parts.append(
                f"Past quarters differed {result.spread:.1f} times as much as chance explains, so the ranges are wider."
            )
        parts.append("The ranges do not know of price rises, new competitors or a change of course.")
        return " ".join(parts)

    def table(self, result: RenewalOutlook) -> pd.DataFrame:
        return result.quarters.reset_index()

    def page_table(self, result: RenewalOutlook) -> Block:
        rows = pd.concat([result.quarters, result.total.to_frame("All").T])
        amounts = {
            "Due": rows["due"],
            "Already decided": rows["decided"],
            "Expected": rows["expected"],
            "As in the worst quarter": rows["worst"],
            "As in the best quarter": rows["best"],
        }
        spans = [money_span(*row, result.currency) for row in zip(rows["low"], rows["high"], strict=True)]
        shown = pd.DataFrame(
            {
                "Quarter": [str(name) for name in rows.index],
                "Renewals": rows["renewals"].astype(int).to_numpy(),
                **{name: values.map(short_money(result.currency)).to_numpy() for name, values in amounts.items()},
                _RANGE: spans,
            }
        )
        order = ["Quarter", "Renewals", "Due", "Already decided", "Expected", _RANGE]
        rest = [name for name in shown.columns if name not in order]
        rate = f"{percent(result.rate)} ({span_words(result.rate_low, result.rate_high)})"
        return table(shown[order + rest], f"Renewals to come, at a revenue renewal rate of {rate}")

    def parts(self, result: RenewalOutlook) -> Sequence[Result]:
        return () if result.score is None else (result.score,)


@view_for(ForecastScore)
class ForecastScoreView(View[ForecastScore]):
    """The accuracy of the forecast of the last quarter and of those before it."""

    def headline(self, result: ForecastScore) -> Headline:
        last = result.quarters.iloc[-1]
        held = "inside its range" if last["inside"] else "outside its range"
        size = points(abs(last["error"])).lstrip("+")
        way = "too high" if last["error"] < 0 else "too low"
        return Headline(
            f"A forecast made as {result.quarters.index[-1]} began would have been {size} of what was due {way}, "
            f"{held}.",
            f"{result.inside} of {len(result.quarters)} ranges held what happened. Each used only what was known as "
            "its quarter began.",
            "forecast-score",
        )

    def chart(self, result: ForecastScore, narrow: bool) -> Chart:
        return charts.forecast_score(result, narrow)

    def alt_text(self, result: ForecastScore) -> str:
        short = short_money(result.currency)
        rows = [
            f"{quarter}: expected {short(row['expected'])} ({money_span(row['low'], row['high'], result.currency)}), "
            f"renewed {short(row['actual'])} of {short(row['due'])} due, "
            f"{'inside' if row['inside'] else 'outside'}"
            for quarter, row in result.quarters.iterrows()
        ]
        return f"Forecast and outcome by quarter. {'; '.join(rows)}."

    def note(self, result: ForecastScore) -> str:
        return (
            f"Tick and line: what was expected as the quarter began, and its {_RANGE}. Dot: what was renewed; filled "
            "where the range held it. Renewals of a quarter that are still open count in neither."
        )

    def table(self, result: ForecastScore) -> pd.DataFrame:
        return result.quarters.reset_index()

    def page_table(self, result: ForecastScore) -> Block:
        short, rows = short_money(result.currency), result.quarters
        spans = [money_span(*row, result.currency) for row in zip(rows["low"], rows["high"], strict=True)]
        shown = pd.DataFrame(
            {
                "Quarter": list(rows.index),
                "Renewals": rows["renewals"].astype(int).to_numpy(),
                "Due": rows["due"].map(short).to_numpy(),
                "Expected then": rows["expected"].map(short).to_numpy(),
                _RANGE: spans,
                "Renewed": rows["actual"].map(short).to_numpy(),
                "Error": rows["error"].map(points).to_numpy(),
                "Inside": ["yes" if each else "no" for each in rows["inside"]],
            }
        )
        return table(shown, "What the same method would have said, and what happened")
