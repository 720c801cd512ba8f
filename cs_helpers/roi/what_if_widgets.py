"""The what-if panel with sliders in JupyterLab; the only module that imports ipywidgets, when a panel is shown."""

from __future__ import annotations

import math
import os
from typing import Any

import pandas as pd

from cs_helpers.roi.economics import TAIL_MONTHS
from cs_helpers.roi.what_if_model import WhatIf
from cs_helpers.roi.what_if_panel import CONTROLS, GROUPS, TITLE, Control, opening, panel_html

WIDGET = "application/vnd.jupyter.widget-view+json"

SESSION_VARIABLE = "JPY_SESSION_NAME"
"""Set by a Jupyter server for the kernel of a notebook that a user opened; empty in the kernel of a report."""


def notebook_is_open() -> bool:
    """Whether this kernel belongs to a notebook that is open in JupyterLab or Jupyter Notebook."""
    return bool(os.environ.get(SESSION_VARIABLE))


def widget_bundle(model: WhatIf, currency: str) -> dict[str, Any]:
    """The panel's bundle for a front end that knows widgets."""
    return dict(sliders(model, currency)._repr_mimebundle_()[WIDGET])


def sliders(model: WhatIf, currency: str) -> Any:
    """Sliders for all inputs beside what follows from them.

    Returns an ipywidgets box. Each move of a slider calls ``model.at``; an input that was not moved keeps its exact
    value, whatever its slider's steps are. Raises ImportError where ipywidgets is not installed.
    """
    import ipywidgets

    start = {str(row["name"]): row for _, row in model.sliders.iterrows()}
    changed: dict[str, float] = {}
    shown = ipywidgets.HTML(panel_html(model, model.start, currency), layout={"flex": "1 1 26rem"})
    moving = {control.name: _slider(ipywidgets, control, start[control.name]) for control in CONTROLS}
    tail = ipywidgets.Checkbox(False, description=f"Count the {TAIL_MONTHS} months after each horizon", indent=False)
    reset = ipywidgets.Button(description="Reset")
    listening = True

    def draw() -> None:
        shown.value = panel_html(model, model.at(tail=tail.value, **changed), currency)

    def moved(control: Control) -> Any:
        def then(event: dict[str, Any]) -> None:
            row, value = start[control.name], event["new"] / control.scale
            if not listening:
                return
            if abs(value - row["value"]) < row["step"] / 1000:  # back where it started, or rounded by the slider
                changed.pop(control.name, None)
            else:
                changed[control.name] = value
            draw()

        return then

    def begin_again(_: Any) -> None:
        nonlocal listening
        listening = False
        changed.clear()
        for control in CONTROLS:
            moving[control.name].value = start[control.name]["value"] * control.scale
        tail.value = False
        listening = True
        draw()

    for control in CONTROLS:
        moving[control.name].observe(moved(control), "value")
    tail.observe(lambda _: draw() if listening else None, "value")
    reset.on_click(begin_again)
    titled = [
        ipywidgets.VBox([ipywidgets.HTML(f"<strong>{title}</strong>"), *(moving[c.name] for c in controls)])
        for title, controls in GROUPS
    ]
    left = ipywidgets.VBox([*titled, tail, reset], layout={"flex": "0 1 27rem", "margin": "0 1.5rem 0 0"})
    columns = ipywidgets.Box([left, shown], layout={"display": "flex", "flex_flow": "row wrap"})
    return ipywidgets.VBox([ipywidgets.HTML(f"<div><strong>{TITLE}</strong> {opening(model)}</div>"), columns])


def _slider(ipywidgets: Any, control: Control, row: pd.Series) -> Any:
    unit = {"%": " (%)", "months": " (months)", "money": " (a month)"}.get(control.unit, "")
    scale = control.scale
    # A slider moves by whole steps from its low end and would round a value between two of them.
    low = row["value"] - row["step"] * math.floor((row["value"] - row["low"]) / row["step"] + 1e-9)
    high = row["value"] + row["step"] * math.floor((row["high"] - row["value"]) / row["step"] + 1e-9)
    whole = control.unit == "money"
    return ipywidgets.FloatSlider(
        value=row["value"] * scale,
        min=low * scale,
        max=high * scale,
        step=row["step"] * scale,
        description=f"{control.label}{unit}",
        tooltip=control.hint or None,
        readout_format=",.0f" if whole else ".2f",
        style={"description_width": "15rem"},
        layout={"width": "100%", "min_width": "20rem"},
    )
