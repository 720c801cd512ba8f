"""Charts of retention: where revenue came from and went, and which cohorts stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cs_helpers.charts.ink import DARK_CELL, GAIN, INK, LIGHT_CELL, LOSS, QUIET, STYLE, TOTAL, new_figure


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
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(3.4 if narrow else 3.7, narrow)
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
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(0.9 + (0.36 if narrow else 0.38) * len(table), narrow)
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
            text.set_color(LIGHT_CELL if shade > 0.52 else DARK_CELL)
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
