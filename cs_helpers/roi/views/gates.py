"""Views of the conditions for a measured effect and of the negative controls."""

from __future__ import annotations

import math

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.report.blocks import Block
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import NARROW_SPACE, Headline, capital, inside, listed, of_hundred, percent, sentence
from cs_helpers.roi.conditions import Control
from cs_helpers.roi.results import GatesResult, NegativeControlsResult
from cs_helpers.roi.views.names import called_control, called_gate, page, whys


@view_for(GatesResult)
class GatesView(View[GatesResult]):
    """How many conditions hold, and which do not."""

    def headline(self, result: GatesResult) -> Headline:
        gates = result.gates
        met, failed = ([gate for gate in gates if gate.passed is state] for state in (True, False))
        unseen = [gate for gate in gates if gate.passed is None]
        basis = []
        if failed:
            basis.append(f"Not met: {listed([inside(called_gate(gate.key)) for gate in failed], 12)}.")
        if unseen:
            basis.append(f"Not looked at: {listed([inside(called_gate(gate.key)) for gate in unseen], 12)}.")
        if not basis:
            basis.append("A figure that looks causal is printed only then.")
        return Headline(
            f"{len(met)} of {len(gates)} conditions for a measured effect are met.", " ".join(basis), "gates"
        )

    def table(self, result: GatesResult) -> pd.DataFrame:
        """key, value, threshold, rule, unit, passed (missing: not assessed) and reason."""
        columns = ["key", "value", "threshold", "rule", "unit", "passed", "reason"]
        rows = [
            (each.key, each.value, each.threshold, each.rule, each.unit, each.passed, each.reason)
            for each in result.gates
        ]
        return pd.DataFrame(rows, columns=columns)

    def page_table(self, result: GatesResult) -> Block:
        gates = result.gates
        answers = {True: "yes", False: "no", None: "not looked at"}
        columns = {
            "Condition": [called_gate(gate.key) for gate in gates],
            "Found": [_measure(gate.value, gate.unit) for gate in gates],
            "Needed": [f"{gate.rule} {_measure(gate.threshold, gate.unit)}" for gate in gates],
            "Met": [answers[gate.passed] for gate in gates],
            "Why not": whys(gate.reason for gate in gates),
        }
        return page(columns, "What must hold before an effect is printed", optional=("Why not",))


def _measure(value: float | None, unit: str) -> str:
    """A condition's value in its unit."""
    if value is None or not math.isfinite(value):
        return "–"
    if unit.startswith("share"):
        return percent(value)
    if unit == "p value":
        return f"p = {value:.3f}".removesuffix("0") if value >= 0.001 else "p < 0.001"
    if unit == "points":
        return of_hundred(value)
    number = f"{value:,.0f}" if abs(value - round(value)) < 1e-9 and abs(value) >= 1 else f"{value:,.3g}"
    return f"{number}{NARROW_SPACE}{visible(unit)}" if unit else number


@view_for(NegativeControlsResult)
class NegativeControlsView(View[NegativeControlsResult]):
    """Whether coverage is associated with what it cannot have changed."""

    def headline(self, result: NegativeControlsResult) -> Headline:
        controls, anchor = result.controls, "controls"
        tested = [each for each in controls if each.p is not None]
        if not controls:
            return Headline(
                "No negative control was named, so a hidden cause of both coverage and churn would go unseen.",
                "Name categories of tickets that it cannot move (negative_controls), for example late payments.",
                anchor,
            )
        if not tested:
            return Headline(
                "No negative control has enough events to say anything.", sentence(capital(controls[0].reason)), anchor
            )
        alarms = [each for each in tested if each.alarm]
        if alarms:
            names = listed([called_control(each.key) for each in alarms])
            return Headline(
                f"Coverage goes with {names}, which it cannot have moved.",
                "Something unmeasured drives both, so comparing covered with uncovered accounts gives no effect.",
                anchor,
            )
        names = listed([called_control(each.key) for each in tested])
        return Headline(
            f"No negative control raises an alarm ({names}).",
            "That does not prove that nothing is hidden; it only failed to show.",
            anchor,
        )

    def table(self, result: NegativeControlsResult) -> pd.DataFrame:
        """key, estimate (log odds ratio), se, p, n, events, alarm and reason."""
        columns = ["key", "estimate", "se", "p", "n", "events", "alarm", "reason"]
        rows = [
            (each.key, each.estimate, each.se, each.p, each.n, each.events, each.alarm, each.reason)
            for each in result.controls
        ]
        return pd.DataFrame(rows, columns=columns)

    def page_table(self, result: NegativeControlsResult) -> Block | None:
        controls = result.controls
        if not controls:
            return None
        columns = {
            "Control": [called_control(each.key) for each in controls],
            "Log odds": [_signed(each.estimate) for each in controls],
            "Standard error": [None if each.se is None else round(each.se, 3) for each in controls],
            "p": [_p_words(each.p) for each in controls],
            "Rows": [each.n for each in controls],
            "Events": [each.events for each in controls],
            "Verdict": [_verdict(each) for each in controls],
        }
        return page(columns, "What coverage cannot have moved")


def _signed(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:+.2f}".replace("-", "−")


def _p_words(p: float | None) -> str:
    return "–" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _verdict(control: Control) -> str:
    return capital(sentence(control.reason)) if control.p is None else "alarm" if control.alarm else "no alarm"
