"""Views of scenarios, their sensitivity, the inputs, and the what-if panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.results import Result
from cs_helpers.report.blocks import Block
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    Headline,
    called,
    inside,
    is_given,
    listed,
    money,
    money_span,
    percent,
    short_money,
    span_words,
)
from cs_helpers.roi import charts, what_if_panel, what_if_widgets
from cs_helpers.roi.results import InputsResult, ScenarioResult, SensitivityResult, WhatIfResult
from cs_helpers.roi.scenario_range import ScenarioRange
from cs_helpers.roi.uncertain_inputs import inputs_table
from cs_helpers.roi.views.names import RANGE, called_input, input_words, page, with_note


@view_for(ScenarioResult)
class ScenarioView(View[ScenarioResult]):
    """What follows from the inputs, and whether they settle anything; never more than its range."""

    def headline(self, result: ScenarioResult) -> Headline:
        scenario, currency = result.scenario, result.currency
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
            f"Net value {money(row['net'], currency, short=True)} in the median, {given}; "
            f"{percent(row['p_positive'], 0)} of draws gain. A scenario range, no confidence interval; {guesses} of "
            f"{len(scenario.inputs)} inputs guessed.",
            "scenario",
        )

    def chart(self, result: ScenarioResult, narrow: bool) -> Chart:
        row, measure = result.scenario.at(result.scenario.tornado_horizon), _measure(result.scenario)
        return charts.roi_distribution(
            outcome_bins(result.scenario),
            narrow,
            number=short_money(result.currency) if measure == "net" else _whole_percent,
            middle=row[measure],
            low=row[f"{measure}_low"],
            high=row[f"{measure}_high"],
            unit=_unit(result.scenario),
        )

    def alt_text(self, result: ScenarioResult) -> str:
        scenario, measure = result.scenario, _measure(result.scenario)
        row = scenario.at(scenario.tornado_horizon)
        write = short_money(result.currency) if measure == "net" else _whole_percent
        return (
            f"Bars of {_unit(scenario)} in {scenario.draws:,} draws: median {write(row[measure])}, {RANGE} between "
            f"{write(row[f'{measure}_low'])} and {write(row[f'{measure}_high'])}, {percent(row['p_positive'], 0)} "
            "above zero."
        )

    def table(self, result: ScenarioResult) -> pd.DataFrame:
        """One row per horizon, without and with the months after it; see ``ScenarioRange.table``."""
        return result.scenario.table

    def page_table(self, result: ScenarioResult) -> Block:
        rows = result.scenario.table

        def ranged(name: str) -> list[str]:
            return [
                f"{money(row[name], result.currency, short=True)} "
                f"({money_span(row[f'{name}_low'], row[f'{name}_high'], result.currency)})"
                for _, row in rows.iterrows()
            ]

        columns = {
            "Within": [
                f"{row['horizon']} months" + f", then a tail of {row['tail_months']}" * bool(row["tail_months"])
                for _, row in rows.iterrows()
            ],
            "Gross margin kept": ranged("value"),
            "Cost saved without it": ranged("cost"),
            "Net": ranged("net"),
            "ROI": [_roi_words(row) for _, row in rows.iterrows()],
            "Draws that gain": [percent(value, 0) for value in rows["p_positive"]],
        }
        return with_note(page(columns, f"Scenario range: median and the middle {RANGE}"), _tail_note(result.scenario))

    def parts(self, result: ScenarioResult) -> Sequence[Result]:
        return (SensitivityResult(result.scenario, result.currency),)


def outcome_bins(scenario: ScenarioRange) -> pd.DataFrame:
    """The bars of the main horizon without a tail."""
    bars = scenario.distribution
    return bars[(bars["horizon"] == scenario.tornado_horizon) & (bars["tail_months"] == 0)].reset_index(drop=True)


def _measure(scenario: ScenarioRange) -> str:
    """What the bars are of: "roi", or "net" where a draw has no cost."""
    return str(outcome_bins(scenario)["measure"].iloc[0])


def _unit(scenario: ScenarioRange) -> str:
    what = {"net": "net value", "roi": "return on cost"}[_measure(scenario)]
    return f"{what} over {scenario.tornado_horizon} months"


def _whole_percent(value: float) -> str:
    return percent(value, 0)


def _roi_words(row: pd.Series) -> str:
    if not is_given(row["roi"]):
        return "–"
    return f"{percent(row['roi'], 0)} ({span_words(row['roi_low'], row['roi_high'], 0)})"


def _tail_note(scenario: ScenarioRange) -> str:
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


@view_for(SensitivityResult)
class SensitivityView(View[SensitivityResult]):
    """Which inputs alone decide between gain and loss."""

    def headline(self, result: SensitivityResult) -> Headline:
        rows = result.scenario.tornado
        at = f"Net value over {result.scenario.tornado_horizon} months, one input moved at a time."
        if not len(rows):
            return Headline("No input has a range.", at, "tornado")
        decide = [inside(called_input(row["label"])) for _, row in rows.iterrows() if _crosses(row["low"], row["high"])]
        if decide:
            return Headline(f"Whether there is a gain hangs on: {listed(decide, 6)}.", at, "tornado")
        most = inside(called_input(rows["label"].iloc[0]))
        return Headline(f"No input alone turns the sign; the one that moves it most is {most}.", at, "tornado")

    def chart(self, result: SensitivityResult, narrow: bool) -> Chart:
        rows = tornado_rows(result)
        return charts.tornado(rows, narrow, short_money(result.currency), result.scenario.tornado_base)

    def alt_text(self, result: SensitivityResult) -> str:
        return alt_tornado(tornado_rows(result), short_money(result.currency), result.scenario.tornado_base)

    def table(self, result: SensitivityResult) -> pd.DataFrame:
        """label (the input), low and high (net value), low_input, high_input and origin."""
        return result.scenario.tornado

    def page_table(self, result: SensitivityResult) -> None:
        return


def _crosses(low: float, high: float) -> bool:
    return min(low, high) < 0 < max(low, high)


def tornado_rows(result: SensitivityResult) -> pd.DataFrame:
    """What each input does to net value, with names and inputs in words."""
    rows = result.scenario.tornado
    ends = {
        end: [input_words(name, value, result.currency) for name, value in zip(rows["label"], rows[end], strict=True)]
        for end in ("low_input", "high_input")
    }
    return rows.assign(label=[called_input(name) for name in rows["label"]], **ends)


def alt_tornado(rows: pd.DataFrame, write: Callable[[float], str], base: float | None = None) -> str:
    """What a tornado chart shows, ``write`` writing an outcome; inputs without an outcome are named."""
    given = rows[rows[["low", "high"]].notna().all(axis=1)]
    spans = [
        f"{called(row['label'])} ({called(row['origin'])}): {write(row['low'])} at {called(row['low_input'])}, "
        f"{write(row['high'])} at {called(row['high_input'])}"
        for _, row in given.iterrows()
    ]
    without = [called(label) for label in rows["label"][~rows.index.isin(given.index)]]
    decide = [called(row["label"]) for _, row in given.iterrows() if _crosses(row["low"], row["high"])]
    parts = (
        [f"The outcome is {write(base)} with every input at its mode."] if base is not None and is_given(base) else []
    )
    parts.append(f"Each input alone: {'; '.join(spans)}." if spans else "No input moves the outcome.")
    if without:
        parts.append(f"Without an outcome: {listed(without)}.")
    if spans:
        parts.append(
            f"{listed(decide)} alone can carry it across zero." if decide else "No input alone carries it across zero."
        )
    return " ".join(parts)


@view_for(InputsResult)
class InputsView(View[InputsResult]):
    """Every input of the money with its range, its origin and its source."""

    def headline(self, result: InputsResult) -> Headline:
        guesses = sum(each.origin == "guess" for each in result.inputs)
        return Headline(f"Guessed: {guesses} of {len(result.inputs)} inputs.", "", "inputs")

    def table(self, result: InputsResult) -> pd.DataFrame:
        """name, low, mode, high, origin, source."""
        return inputs_table(result.inputs)

    def page_table(self, result: InputsResult) -> Block:
        rows = self.table(result)

        def said(end: str) -> list[str]:
            return [
                "–"
                if end != "mode" and row["low"] == row["high"]
                else input_words(row["name"], row[end], result.currency)
                for _, row in rows.iterrows()
            ]

        columns = {
            "Input": [called_input(name) for name in rows["name"]],
            "Low": said("low"),
            "Mode": said("mode"),
            "High": said("high"),
            "Origin": rows["origin"].to_numpy(),
            "Source": [visible(text) or "–" for text in rows["source"]],
        }
        return page(columns, "Inputs of the money: measured, benchmark or guess")


@view_for(WhatIfResult)
class WhatIfView(View[WhatIfResult]):
    """Sliders for the inputs and what follows from them: in a report by its script, in JupyterLab as widgets."""

    def headline(self, result: WhatIfResult) -> Headline:
        return Headline(what_if_panel.TITLE, "", "your-own-what-if")

    def table(self, result: WhatIfResult) -> pd.DataFrame:
        """What follows from the first state, by horizon; see ``WhatIfState.results``."""
        return result.model.start.results

    def page_table(self, result: WhatIfResult) -> Block:
        block = what_if_panel.panel(result.model, result.currency)
        if not what_if_widgets.notebook_is_open():
            return block
        widgets = what_if_widgets.widget_bundle(result.model, result.currency)
        return replace(block, data={what_if_widgets.WIDGET: widgets})
