"""Sentences and tables about the conditions before an effect is printed, negative controls among them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.words import (
    NARROW_SPACE,
    Headline,
    called,
    capital,
    inside,
    listed,
    of_hundred,
    percent,
    refusal_takeaway,
    sentence,
)

GATES = {
    "months": "Months of data",
    "events": "Accounts that left",
    "dated_coverage": "Accounts whose coverage began or ended while watched",
    "health_known": "Account-months with known health or usage",
    "never_events": "Never covered accounts that left",
    "never_at_horizon": "Never covered accounts still there at the horizon",
    "never_ess": "Effective number of never covered accounts",
    "controls": "Negative controls",
    "overlap": "MRR of accounts that are practically always covered",
    "agreement": "Distance of the two methods",
}
"""What each gate looks at."""


def say_gates(effect: Any, anchor: str = "gates") -> Headline:
    """How many conditions hold, and which do not."""
    if refusal := refusal_takeaway("The conditions for a measurement were not reached.", effect, anchor):
        return refusal
    gates = effect.gates
    held, failed = ([gate for gate in gates if gate.passed is state] for state in (True, False))
    unseen = [gate for gate in gates if gate.passed is None]
    basis = []
    if failed:
        basis.append(f"Not met: {listed([inside(called_gate(gate.key)) for gate in failed], 12)}.")
    if unseen:
        basis.append(f"Not looked at: {listed([inside(called_gate(gate.key)) for gate in unseen], 12)}.")
    if not basis:
        basis.append("A figure that looks causal is printed only then.")
    return Headline(f"{len(held)} of {len(gates)} conditions for a measured effect are met.", " ".join(basis), anchor)


def called_gate(key: str) -> str:
    """A gate's name; its key in words where it has none."""
    kind, _, name = key.partition(":")
    if name:
        return f"Negative control: {called(name.replace('_', ' '))}"
    if key.startswith("natural_"):
        return f"Distance of the model from what was seen after {key.removeprefix('natural_')} months"
    return GATES.get(kind, capital(kind.replace("_", " ")))


def gates_table(effect: Any) -> Block:
    """Each condition with its figure, its threshold, and whether it is met."""
    if isinstance(effect, Suppressed):
        return refused(effect.reason)
    answers = {True: "yes", False: "no", None: "not looked at"}
    shown = pd.DataFrame(
        {
            "Condition": [called_gate(gate.key) for gate in effect.gates],
            "Found": [_measure(gate.figure, gate.unit) for gate in effect.gates],
            "Needed": [f"{gate.rule} {_measure(gate.threshold, gate.unit)}" for gate in effect.gates],
            "Met": [answers[gate.passed] for gate in effect.gates],
            "Why not": [capital(sentence(gate.reason)) if gate.reason else "–" for gate in effect.gates],
        }
    )
    if all(gate.passed for gate in effect.gates):
        shown = shown.drop(columns="Why not")
    return table(shown, "What must hold before an effect is printed")


def _measure(value: float | None, unit: str) -> str:
    """A gate's figure in its unit."""
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


def say_controls(effect: Any, anchor: str = "controls") -> Headline:
    """Whether coverage goes with what it cannot have moved."""
    if refusal := refusal_takeaway("Negative controls say nothing here.", effect, anchor):
        return refusal
    controls = effect.controls
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
        names = listed([called(each.key.replace("_", " ")) for each in alarms])
        return Headline(
            f"Coverage goes with {names}, which it cannot have moved.",
            "Something unmeasured drives both, so comparing covered with uncovered accounts gives no effect.",
            anchor,
        )
    names = listed([called(each.key.replace("_", " ")) for each in tested])
    return Headline(
        f"No negative control raises an alarm ({names}).",
        "That does not prove that nothing is hidden; it only failed to show.",
        anchor,
    )


def controls_table(effect: Any) -> Block:
    """Each negative control: what goes with coverage although it cannot."""
    if isinstance(effect, Suppressed) or not effect.controls:
        return Block("", "")
    controls = effect.controls
    shown = pd.DataFrame(
        {
            "Control": [called(each.key.replace("_", " ")) for each in controls],
            "Log odds": [_signed(each.estimate) for each in controls],
            "Standard error": [None if each.se is None else round(each.se, 3) for each in controls],
            "p": [_p_words(each.p) for each in controls],
            "Rows": [each.n for each in controls],
            "Events": [each.events for each in controls],
            "Verdict": [_verdict(each) for each in controls],
        }
    )
    return table(shown, "What coverage cannot have moved")


def _signed(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:+.2f}".replace("-", "−")


def _p_words(p: float | None) -> str:
    return "–" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _verdict(control: Any) -> str:
    if control.p is None:
        return capital(sentence(control.reason or "too few events"))
    return "alarm" if control.alarm else "no alarm"
