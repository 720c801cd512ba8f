"""The what-if panel of a page: sliders for the inputs of the economics, and what follows from them.

The block contains the first state as words, table and drawing, readable without a script. The report's script takes the
numbers from inert text beside it and computes the same formulas when an input moves. In JupyterLab, where the report's
script does not run, ``what_if_widgets`` shows sliders in its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from cs_helpers.report.blocks import Block, notebook_style
from cs_helpers.report.words import NARROW_SPACE, money, percent, plain
from cs_helpers.roi.economics import TAIL_MONTHS
from cs_helpers.roi.what_if_model import WhatIf, WhatIfState

MODEL_VERSION = 1


@dataclass(frozen=True)
class Control:
    """How one input is shown: its label, the unit behind it, how many units are one, and a hint below it."""

    name: str
    label: str
    unit: str
    scale: int = 1
    hint: str = ""


GROUPS: tuple[tuple[str, tuple[Control, ...]], ...] = (
    ("What it changes", (
        Control("relative_risk", "Relative risk without it", "×",
                hint="1: customer success changes nothing. 1.3: without it the risk of leaving is 30 % higher."),
        Control("yearly_churn", "MRR lost a year", "%", 100,
                "As things are, of contracts that come up for decision."),
        Control("expansion", "Growth a year", "%", 100, "Of the MRR that stays."),
        Control("expansion_lost", "Growth lost without it", "%", 100, "Share of that growth that would not come."),
    )),
    ("What revenue is worth", (
        Control("margin", "Gross margin", "%", 100),
        Control("discount", "Discount rate a year", "%", 100),
    )),
    ("What it costs a month", (
        Control("people", "People", "money"),
        Control("tools", "Tools", "money"),
        Control("management", "Management", "money"),
    )),
    ("What closing it would still cost", (
        Control("absorbed", "Work others take over", "%", 100,
                "Share of the people's work that somebody must still be paid for."),
        Control("severance_months", "Severance", "months", hint="Months of the people's pay."),
        Control("notice_months", "Notice", "months", hint="Months in which all costs run on."),
    )),
)  # fmt: skip
CONTROLS = tuple(control for _, controls in GROUPS for control in controls)

ROWS = (
    ("retention_with", "Still paying with it", "share"),
    ("retention_without", "Still paying without it", "share"),
    ("points", "Points kept", "points"),
    ("mrr_kept", "MRR kept by then", "money"),
    ("value", "Value kept", "money"),
    ("cost", "Cost saved by closing", "money"),
    ("net", "Net value", "money"),
    ("roi", "ROI", "ratio"),
    ("break_even_points", "Break-even, points", "break-even"),
    ("break_even_risk", "Break-even, relative risk", "break-even"),
)
TITLE = "Your own what-if: nothing here is measured."
_OPENINGS = {
    "given": "It opens at the inputs used above.",
    "break-even": "It opens where customer success just pays for itself, because no effect was measured or given.",
}
_UNREACHABLE = "out of reach"


def panel(model: WhatIf, currency: str, anchor: str = "what-if") -> Block:
    """The panel of ``model``: a report's own script moves it; elsewhere it is the table and drawing of its first state.

    ``anchor`` is its place on the page, and begins the ids of its inputs. Amounts are in whole ``currency``, from ten
    millions on in millions; each cell also holds the exact value, money to the cent, halves rounded up.
    """
    given = {str(row["name"]): row for _, row in model.sliders.iterrows()}
    fields = "".join(
        f"<fieldset><legend>{plain(title)}</legend>"
        f"{''.join(_control(control, given[control.name], currency, anchor) for control in controls)}</fieldset>"
        for title, controls in GROUPS
    )
    html = (
        f'<div class="cs-whatif" id="{plain(anchor)}" role="group" aria-label="What-if panel">'
        f"<p>{opening(model)}</p>"
        f'<p class="cs-note cs-given">Inputs: {plain(_inputs_words(model, currency))}.</p>'
        f'<div class="cs-columns"><div class="cs-inputs" hidden>{fields}'
        f'<div class="cs-ends">{_tail(anchor)}<button type="button" class="cs-reset">Reset</button></div></div>'
        f"{results(model, model.start, currency)}</div>"
        f'<p class="cs-said" role="status"></p>'
        f"<template>{plain(_model_text(model, currency))}</template></div>"
    )
    return Block(html, summary(model, model.start, currency))


def opening(model: WhatIf) -> str:
    """What to do with the panel and where it opens, as HTML."""
    pooled = ""
    if model.pooled_share:
        share = percent(model.pooled_share)
        pooled = f" Contracts of few accounts ({share} of the MRR) stand together at their mean due date."
    return (
        "Move an input and see what customer success would be worth if it were so. "
        f"{plain(_OPENINGS[model.opens_at])}{plain(pooled)}"
    )


def results(model: WhatIf, state: WhatIfState, currency: str) -> str:
    """What follows from one setting: a sentence, the table by horizon, the drawing."""
    drawn = "".join(_element(*part) for part in drawing(model, state, currency))
    return (
        '<div class="cs-outcome">'
        f'<p class="cs-sum">{plain(summary(model, state, currency))}</p>{_table(model, state, currency)}'
        '<figure><svg viewBox="0 0 340 236" role="img" '
        f'aria-label="Net value by relative risk; the table gives the figures.">{drawn}</svg>'
        '<figcaption class="cs-note">Net value by relative risk, from retention alone. Ring: where it pays for itself. '
        "Dot: your inputs, lost growth included.</figcaption></figure></div>"
    )


def summary(model: WhatIf, state: WhatIfState, currency: str) -> str:
    """The middle horizon in one sentence."""
    row = state.results.iloc[(len(state.results) - 1) // 2]
    net = f"After {row['horizon']:.0f} months: net value {amount(row['net'], currency)}."
    if row["cost"] <= 0:
        return f"{net} Closing it would save nothing by then."
    if not math.isfinite(row["break_even_risk"]):
        return f"{net} Retention alone cannot pay for it."
    return f"{net} It pays for itself from {rounded(row['break_even_points'], 2)} points of retention."


def rounded(value: float, digits: int) -> str:
    """``1.25`` with halves rounded up, as the page's script does it; a true minus sign."""
    factor = 10**digits
    return f"{math.floor(value * factor + 0.5) / factor:,.{digits}f}".replace("-", "−")


def amount(value: float, currency: str) -> str:
    """``−€312,400``, from ten millions on ``€12.35m``: rounded to the cent first, halves up, as the page does it."""
    whole = (math.floor(value * 100 + 0.5) + 50) // 100
    size = abs(whole)
    hundredths = (size + 5000) // 10_000
    text = f"{size:,}" if size < 10_000_000 else f"{hundredths // 100:,}.{hundredths % 100:02d}m"
    return f"{'−' if whole < 0 else ''}{_symbol(currency)}{text}"


def _symbol(currency: str) -> str:
    return money(0, currency).removesuffix("0")


def _tail(anchor: str) -> str:
    return (
        f'<label class="cs-tail"><input type="checkbox" id="{plain(anchor)}-tail"> '
        f"Also count the {TAIL_MONTHS} months after each horizon, which nobody has seen</label>"
    )


def trimmed(value: float) -> str:
    """A number with at most two decimals and no zeros at its end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _unit(control: Control, currency: str) -> str:
    return (_symbol(currency).strip(NARROW_SPACE) or "money") if control.unit == "money" else control.unit


def _with_unit(control: Control, value: float, currency: str) -> str:
    text = trimmed(value * control.scale)
    if control.unit == "money":
        return amount(value, currency)
    if control.unit == "months":
        return f"{text} month{'' if text == '1' else 's'}"
    return f"{text}{NARROW_SPACE}%" if control.unit == "%" else text


def _inputs_words(model: WhatIf, currency: str) -> str:
    start = asdict(model.start.inputs)
    parts = [f"{c.label[0].lower()}{c.label[1:]} {_with_unit(c, start[c.name], currency)}" for c in CONTROLS]
    return "; ".join(part.replace("mRR", "MRR") for part in parts)


_SPOKEN = {"%": "percent", "×": "times", "months": "months"}


def _control(control: Control, row: pd.Series, currency: str, anchor: str) -> str:
    place, scale = plain(f"{anchor}-{control.name}"), control.scale
    value = trimmed(row["value"] * scale)
    hint = f'<small id="{place}-hint">{plain(control.hint)}</small>' if control.hint else ""
    described = f' aria-describedby="{place}-hint"' if hint else ""
    highest = f' max="{trimmed(row["max"] * scale)}"' if math.isfinite(row["max"]) else ""
    unit = _unit(control, currency)
    spoken = _SPOKEN.get(control.unit, "a month")
    typed = (
        f'<input type="number" inputmode="decimal" id="{place}-typed" step="any" min="{row["min"] * scale:g}"{highest} '
        f'value="{value}" aria-label="{plain(control.label)}, {spoken}, to type in"><span>{plain(unit)}</span>'
    )
    return (
        f'<div class="cs-input" data-name="{control.name}" data-scale="{scale}">'
        f'<label for="{place}">{plain(control.label)}</label><span class="cs-typed">{typed}</span>'
        f'<input type="range" id="{place}" min="{trimmed(row["low"] * scale)}" max="{trimmed(row["high"] * scale)}" '
        f'step="{trimmed(row["step"] * scale)}" value="{value}" aria-valuetext="{value} {spoken}" '
        f'data-spoken="{spoken}"{described}>{hint}</div>'
    )


def _table(model: WhatIf, state: WhatIfState, currency: str) -> str:
    heads = "".join(f"<th scope=col class=cs-number>{horizon} months</th>" for horizon in model.horizons)
    rows = "".join(
        f'<tr data-row="{key}" data-kind="{kind}"><th scope="row">{plain(label)}</th>'
        f"{''.join(_cell(value, kind, currency) for value in state.results[key])}</tr>"
        for key, label, kind in ROWS
    )
    return (
        '<div class="cs-table cs-plain" tabindex="0" role="region" aria-label="What follows from the inputs"><table>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: float, kind: str, currency: str) -> str:
    words = _words(value, kind, currency)
    sign = ' data-sign="below"' if words.startswith("−") else ""
    return f'<td class=cs-number data-v="{exact(value, kind)}"{sign}>{plain(words)}</td>'


def exact(value: float, kind: str) -> str:
    """A cell's value as the page holds it: money to the cent, all else to six decimals; nothing where there is none."""
    if not math.isfinite(value):
        return ""
    digits = 2 if kind == "money" else 6
    return f"{math.floor(value * 10**digits + 0.5) / 10**digits:.{digits}f}"


def _words(value: float, kind: str, currency: str) -> str:
    if not math.isfinite(value):
        return _UNREACHABLE if kind == "break-even" else "–"
    if kind == "money":
        return amount(value, currency)
    if kind in ("share", "ratio"):
        return f"{rounded(value * 100, 1 if kind == 'share' else 0)}{NARROW_SPACE}%"
    return rounded(value, 2)


# The drawing: the same parts in the same order as the page's script makes them.

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 290.0, 22.0, 196.0
_APART = 14.0
_STRENGTHS = ((1.4, 0.65), (2.0, 0.8), (2.8, 1.0))

Part = tuple[str, dict[str, str], str]


def drawing(model: WhatIf, state: WhatIfState, currency: str) -> list[Part]:
    """Parts of the drawing: tag, attributes, text."""
    rows, risk = state.results, state.inputs.relative_risk
    first, last = model.risks[0], model.risks[-1]
    nets = [list(group) for _, group in state.curve.groupby("horizon")["net"]]
    inside = first <= risk <= last
    seen = [0.0, *(value for net in nets for value in net), *(rows["net"] if inside else [])]
    low, high = min(seen), max(seen)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return _LEFT + (value - first) / (last - first) * (_RIGHT - _LEFT)

    def y(value: float) -> float:
        result: float = _BOTTOM - (value - low) / span * (_BOTTOM - _TOP)
        return result

    parts: list[Part] = []
    for tick in _ticks(low, low + span, 4):
        parts.append(("line", _line(_LEFT, y(tick), _RIGHT, y(tick), "zero" if tick == 0 else "grid"), ""))
        parts.append(("text", _at(_LEFT - 6, y(tick) + 4, "end"), _tick_words(tick, currency)))
    for tick in _ticks(first, last, 4):
        parts.append(("text", _at(x(tick), _BOTTOM + 18, "middle"), trimmed(tick)))
    parts.append(("text", _at((_LEFT + _RIGHT) / 2, _BOTTOM + 36, "middle"), "relative risk of leaving without it"))
    parts.append(("text", _at(0, 11, "start"), "net value"))
    if inside:
        parts.append(("line", _line(x(risk), _TOP, x(risk), _BOTTOM, "now"), ""))
    for place, net in enumerate(nets):
        width, opacity = _STRENGTHS[min(place, 2)]
        points = " ".join(f"{_n(x(r))},{_n(y(v))}" for r, v in zip(model.risks, net, strict=True))
        ink = {"class": "curve", "stroke-width": trimmed(width), "opacity": trimmed(opacity)}
        parts.append(("polyline", {**ink, "points": points}, ""))
    for pays in rows["break_even_risk"]:
        if math.isfinite(pays) and first <= pays <= last:
            parts.append(("circle", {"class": "ring", "cx": _n(x(pays)), "cy": _n(y(0)), "r": "4.5"}, ""))
    if inside:
        parts += [
            ("circle", {"class": "dot", "cx": _n(x(risk)), "cy": _n(y(net)), "r": "3"}, "") for net in rows["net"]
        ]
    heights = _spread([y(net[-1]) for net in nets])
    for horizon, height in zip(model.horizons, heights, strict=True):
        parts.append(("text", {**_at(_RIGHT + 6, height + 4, "start"), "class": "name"}, f"{horizon} mo"))
    return parts


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round values from low to high, about ``count`` of them."""
    raw = (high - low) / count
    ten = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * ten for factor in (1, 2, 5, 10) if factor * ten >= raw)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _tick_words(value: float, currency: str) -> str:
    size = abs(value)
    text = next(
        trimmed(size / unit) + sign for unit, sign in ((1e6, "m"), (1e3, "k"), (1, "")) if size >= unit or unit == 1
    )
    return f"{'−' if value < 0 else ''}{_symbol(currency)}{text}"


def _spread(heights: Sequence[float]) -> list[float]:
    """Heights pushed apart, so that one label does not lie over another; the lowest place stays."""
    order = sorted(range(len(heights)), key=lambda k: -heights[k])
    placed = list(heights)
    for above, below in zip(order[1:], order, strict=False):
        placed[above] = min(placed[above], placed[below] - _APART)
    return placed


def _n(value: float) -> str:
    return f"{math.floor(value * 10 + 0.5) / 10:.1f}"


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> dict[str, str]:
    return {"class": name, "x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}


def _at(x: float, y: float, anchor: str) -> dict[str, str]:
    return {"x": _n(x), "y": _n(y), "text-anchor": anchor}


def _element(tag: str, attributes: dict[str, str], text: str) -> str:
    written = "".join(f' {name}="{plain(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{plain(text)}</{tag}>"


def _model_text(model: WhatIf, currency: str) -> str:
    """What the page computes with, as JSON. Money is written with decimals, so that no number reads like a key."""
    used = model.flow.mrr.any(axis=0)
    numbers = {
        "version": MODEL_VERSION,
        "horizons": list(model.horizons),
        "tail": TAIL_MONTHS,
        "symbol": _symbol(currency),
        "inputs": {name: float(value) for name, value in asdict(model.start.inputs).items()},
        "risks": [model.risks[0], model.risks[-1], len(model.risks)],
        "years": [float(years) for years in model.flow.years[used]],
    }
    months = ",".join(f"[{','.join(f'{value:.2f}' for value in row)}]" for row in model.flow.mrr[:, used])
    return f'{json.dumps(numbers, separators=(",", ":"), ensure_ascii=False)[:-1]},"mrr":[{months}]}}'


def panel_html(model: WhatIf, state: WhatIfState, currency: str) -> str:
    """The results of one setting with their styles, for a widget."""
    return (
        f'{notebook_style()}<div class="cs-block"><div class="cs-whatif">{results(model, state, currency)}</div></div>'
    )
