"""Results in, figures out; nothing here computes a number that a reader might quote.

Each function draws one kind of result on a ``Figure`` of its own (pyplot's global state is never touched)
and takes ``narrow=True`` for a phone. Colours are those of ``INKS``, so that ``as_svg`` can hand them to the
page's light or dark theme. Findings, alt texts and captions are words, and words live in ``show``.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Each ink is a CSS variable of the page; the hexadecimal value is what shows where no page sets it.
# Blue and orange keep apart under every common colour blindness (Okabe & Ito 2008), and signs and labels
# say the same as the colours.
INKS = {
    "#1d2733": "--ink",
    "#5b6775": "--quiet",
    "#d9dee5": "--line",
    "#2557a7": "--accent",
    "#1f7a8c": "--gain",
    "#c2570c": "--loss",
    "#8793a3": "--total",
}
INK, QUIET, LINE, ACCENT, GAIN, LOSS, TOTAL = INKS

_LIGHT_CELL, _DARK_CELL = "#fdfdfd", "#101820"  # text on heat map cells: the cells keep their colours in both themes

_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "text.parse_math": False,
}

_WIDE, _NARROW = 8.4, 4.0  # inches; 72 points to the inch, drawn at about one point per CSS pixel


def _figure(height: float, narrow: bool) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_NARROW if narrow else _WIDE, height), layout="constrained")
    return figure, figure.add_subplot()


def as_svg(figure: Figure, name: str) -> str:
    """The figure as one inline ``<svg>`` element, with theme variables for inks and ids unique to ``name``.

    Text stays text: it takes the page's font, can be selected, and grows with the reader's zoom.
    """
    buffer = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.S)
    svg = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    for ink, variable in INKS.items():
        svg = svg.replace(ink, f"var({variable}, {ink})")
    view = re.search(r'viewBox="([^"]*)"', svg)
    size = view[1] if view else ""
    svg = f'<svg viewBox="{size}" aria-hidden="true" focusable="false">{svg[svg.index(">") + 1 :]}'
    return re.sub(r">\s+<", "><", svg).strip()


def waterfall(total: pd.Series, money: Callable[[float], str], narrow: bool = False) -> Figure:
    """MRR movements from starting to ending, as floating bars with their amounts.

    ``total`` as from ``retention.total_movements``; ``money(amount)`` writes an amount in short.
    """
    sign = {"starting": "", "ending": "", "contraction": "−", "churn": "−"}
    floors, sizes, level = [], [], 0.0
    for name, amount in zip(total.index, total, strict=True):
        whole = name in ("starting", "ending")
        size = float(amount) * (-1 if sign.get(name) == "−" else 1)
        floors.append(0.0 if whole else level)
        sizes.append(size)
        level = size if whole else level + size
    colours = [{"": TOTAL, "−": LOSS}.get(sign.get(name, "+"), GAIN) for name in total.index]
    labels = [sign.get(name, "+") + money(amount) for name, amount in zip(total.index, total, strict=True)]
    tops, ends = np.maximum(floors, np.add(floors, sizes)), np.add(floors, sizes)[:-1]
    place, names = np.arange(len(total)), [name.capitalize() for name in total.index]
    with mpl.rc_context(_STYLE):
        figure, ax = _figure(3.4 if narrow else 3.7, narrow)
        if narrow:
            ax.barh(place, sizes, left=floors, color=colours, height=0.62)
            ax.vlines(ends, place[:-1] + 0.31, place[1:] - 0.31, color=QUIET, linewidth=0.8)
            ax.set_yticks(place, names, size=10)
            ax.invert_yaxis()
            ax.set_xlim(0, tops.max() * 1.3)
            ax.set_xticks([])
            ax.spines["bottom"].set_visible(False)
            ax.tick_params(axis="y", colors=INK)
        else:
            ax.bar(place, sizes, bottom=floors, color=colours, width=0.62)
            ax.hlines(ends, place[:-1] + 0.31, place[1:] - 0.31, color=QUIET, linewidth=0.8)
            ax.set_xticks(place, names, size=10.5)
            ax.set_ylim(0, tops.max() * 1.1)
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            ax.tick_params(axis="x", colors=INK)
        for i, label in enumerate(labels):
            at, shift = ((tops[i], i), (4, 0)) if narrow else ((i, tops[i]), (0, 4))
            ax.annotate(
                label,
                at,
                shift,
                textcoords="offset points",
                ha="left" if narrow else "center",
                va="center" if narrow else "bottom",
                color=INK if colours[i] == TOTAL else colours[i],
                size=10 if narrow else 10.5,
            )
    return figure


def _quiet_grid(ax: Axes) -> None:
    ax.grid(axis="y", color=LINE, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)


def cohort_heatmap(triangle: Any, narrow: bool = False) -> Figure:
    """Share of each start cohort kept by age; cells that nobody could see yet stay empty.

    ``triangle`` as from ``retention.cohort_triangle``. A phone gets every second age.
    """
    import seaborn as sns

    table = triangle.table
    if narrow:
        table = table[[age for age in table.columns if age % 6 == 0]]
    quarters = triangle.by == "quarter"
    rows = [
        f"{c.year} Q{c.quarter}  n={n}" if quarters else f"{c:%b %Y}  n={n}"
        for c, n in zip(table.index, triangle.accounts, strict=True)
    ]
    percent = (table * 100).to_numpy()
    floor = np.floor(np.nanmin(percent) / 10) * 10 if np.isfinite(percent).any() else 0
    ceiling = max(100.0, float(np.nanmax(percent)))
    with mpl.rc_context(_STYLE):
        figure, ax = _figure(0.9 + (0.36 if narrow else 0.38) * len(table), narrow)
        sns.heatmap(
            pd.DataFrame(percent, rows, table.columns),
            ax=ax,
            cmap=mpl.colors.LinearSegmentedColormap.from_list("kept", ["#f3e3cf", "#a9c7dd", "#2d6ca2", "#123a63"]),
            vmin=min(floor, 90),
            vmax=ceiling,
            annot=True,
            fmt=".0f",
            annot_kws={"size": 10},
            linewidths=1.5,
            linecolor="none",
            cbar=False,
        )
        for text in ax.texts:
            shade = (float(text.get_text()) - min(floor, 90)) / (ceiling - min(floor, 90))
            text.set_color(_LIGHT_CELL if shade > 0.52 else _DARK_CELL)
        for mesh in ax.collections:
            mesh.set_edgecolor("none")
        ax.set_xlabel("months since the account's own start")
        ax.set_ylabel("")
        ax.xaxis.set_label_position("top")
        ax.xaxis.tick_top()
        ax.tick_params(axis="y", labelrotation=0, colors=INK)
        ax.tick_params(axis="x", labelrotation=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
    return figure


def coverage_map(months: pd.DataFrame, narrow: bool = False) -> Figure:
    """Rows per table and month: darker is more of the table's own most, an empty frame is none.

    ``months`` as from ``tables.coverage.by_month``. A phone gets the last eighteen months.
    """
    shown = months[list(months.columns)[-18:]] if narrow else months
    most = np.maximum(months.max(axis=1).to_numpy(float), 1)[:, None]
    share = shown.to_numpy(float) / most
    with mpl.rc_context(_STYLE):
        figure, ax = _figure(0.8 + 0.3 * len(shown), narrow)
        for row, values in enumerate(share):
            for column, value in enumerate(values):
                box: Any = {"width": 0.84, "height": 0.72, "linewidth": 1.1}
                corner = (column - 0.42, row - 0.36)
                if value > 0:
                    ax.add_patch(
                        Rectangle(corner, **box, facecolor=ACCENT, edgecolor="none", alpha=0.25 + 0.65 * value)
                    )
                else:
                    ax.add_patch(Rectangle(corner, **box, facecolor="none", edgecolor=LOSS))
        ax.set_xlim(-0.6, share.shape[1] - 0.4)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_yticks(range(len(shown)), list(shown.index))
        days = pd.DatetimeIndex(shown.columns)
        named = (1, 4, 7, 10) if len(days) <= 24 and not narrow else (1, 7)
        places = [place for place, day in enumerate(days) if day.month in named]
        ax.set_xticks(places, [f"{days[place]:%b %Y}" for place in places])
        ax.tick_params(axis="y", colors=INK)
        for spine in ax.spines.values():
            spine.set_visible(False)
    return figure


def survival_curve(curve: Any, narrow: bool = False) -> Figure:
    """A Kaplan-Meier step with its pointwise interval, and the number at risk under the axis.

    ``curve`` as from ``churn.kaplan_meier``.
    """
    table = curve.table
    x = np.append(table.index.to_numpy(float), curve.last_seen)
    step = {c: np.append(table[c].to_numpy(), table[c].iloc[-1]) for c in ("survival", "low", "high")}
    most, span = (5 if narrow else 9), curve.last_seen - curve.starts_at
    every = next((gap for gap in (1, 3, 6, 12, 24, 60) if span / gap <= most), 120)
    ticks = np.arange(np.ceil(curve.starts_at / every) * every, curve.last_seen + 1e-9, every)
    with mpl.rc_context(_STYLE):
        figure, ax = _figure(3.3 if narrow else 3.7, narrow)
        ax.fill_between(x, step["low"], step["high"], step="post", color=ACCENT, alpha=0.16, linewidth=0)
        ax.step(x, step["survival"], where="post", color=ACCENT, linewidth=2.2)
        # Full years from the first on, thinned so that labels keep apart: twelve months is what sentences speak of.
        years = [age for age in range(12, int(curve.last_seen) + 1, 12) if age >= curve.starts_at]
        for age in years[:: 1 + (len(years) - 1) // (3 if narrow else 6)]:
            value = curve.survival(age)
            ax.plot([age], [value], "o", color=ACCENT, markersize=5)
            label: Any = {"textcoords": "offset points", "color": INK, "size": 10.5, "weight": "bold"}
            ax.annotate(f"{value:.0%}", (age, value), (4, 6), **label)
        ax.set_ylim(0, 1.02)
        ax.set_xlim(min(0.0, curve.starts_at), curve.last_seen)
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
        _quiet_grid(ax)
        ax.set_ylabel("still paying")
        ax.set_xticks(ticks, [f"{age:.0f}\n{_count(curve.at_risk(age), narrow)}" for age in ticks])
        ax.set_xlabel(("\n" if narrow else " · ").join(["months since the start", "below: number at risk"]))
    return figure


def _count(n: int, short: bool) -> str:
    return f"{n / 1000:.0f}k" if short and n >= 10_000 else f"{n:,}"


def sparkline(
    values: Sequence[float], low: float | None = None, high: float | None = None, width: int = 120, height: int = 30
) -> str:
    """A line without axes as an inline ``<svg>``, with the last value's interval as a bar; "" below two values.

    The scale holds the interval, so that wiggles smaller than it look as small as they are.
    """
    series = np.asarray(values, float)
    seen = np.isfinite(series)
    if seen.sum() < 2:
        return ""
    limits = [x for x in (low, high) if x is not None and np.isfinite(x)]
    bottom, top = min([series[seen].min(), *limits]), max([series[seen].max(), *limits])
    x = np.linspace(3, width - 5, len(series))
    last = np.flatnonzero(seen)[-1]

    def y(value: float) -> float:
        return float(height - 4 - (value - bottom) / ((top - bottom) or 1) * (height - 8))

    points = " ".join(f"{a:.1f},{y(b):.1f}" for a, b, ok in zip(x, series, seen, strict=True) if ok)
    ink = f"var(--accent, {ACCENT})"
    bar = ""
    if len(limits) == 2:
        ends = f'y1="{y(limits[0]):.1f}" y2="{y(limits[1]):.1f}"'
        bar = f'<line x1="{x[last]:.1f}" x2="{x[last]:.1f}" {ends} style="stroke:{ink};stroke-width:5;opacity:.25"/>'
    return (
        f'<svg class="cs-spark" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'preserveAspectRatio="xMinYMid" aria-hidden="true" focusable="false">{bar}'
        f'<polyline points="{points}" fill="none" style="stroke:{ink};stroke-width:1.8"/>'
        f'<circle cx="{x[last]:.1f}" cy="{y(series[last]):.1f}" r="2.6" style="fill:{ink}"/></svg>'
    )
