"""Charts of why accounts leave: what was recorded against what they said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cs_helpers.report.charts.ink import ACCENT, INK, LINE, QUIET, TOTAL, new_figure, styled
from cs_helpers.report.charts.labels import count, finite, row_labels, say_nothing, shorten


def reason_bars(table: pd.DataFrame, narrow: bool = False, money: Callable[[float], str] = count) -> Figure:
    """Per reason a filled bar for what was recorded and a hollow one for what the accounts stated.

    ``table`` in the order to draw: reason, recorded, stated (amounts or counts, NaN = none), controllable (True, False,
    None = unknown). ``money(amount)`` writes an amount in short.
    """
    rows = table.reset_index(drop=True)
    amounts = {column: finite(rows[column]) for column in ("recorded", "stated")}
    place = np.arange(len(rows))
    not_ours = [isinstance(value, (bool, np.bool_)) and not value for value in rows["controllable"]]
    inks = [TOTAL if out else ACCENT for out in not_ours]
    with styled():
        figure, ax = new_figure(0.5 + 0.56 * max(1, len(rows)), narrow)
        if not len(rows):
            say_nothing(ax, "no reason was recorded")
            return figure
        thick = 0.34
        ax.barh(place - 0.19, np.nan_to_num(amounts["recorded"]), height=thick, color=inks)
        hollow: Any = {"facecolor": "none", "edgecolor": inks, "linewidth": 1.3}
        ax.barh(place + 0.19, np.nan_to_num(amounts["stated"]), height=thick - 0.04, **hollow)
        row_labels(
            ax,
            [shorten(reason, narrow) for reason in rows["reason"]],
            ["not in our hands" if out else "" for out in not_ours],
        )
        top = max(0.0, *(float(np.nanmax(np.append(v, 0.0))) for v in amounts.values()))
        ax.set_xlim(0, 1.01 * top or 1.0)
        for shift, (column, values) in zip((-0.19, 0.19), amounts.items(), strict=True):
            for y, value in enumerate(values):
                text = money(value) if np.isfinite(value) else "–"
                ax.annotate(
                    f"{text} {column}" if y == 0 else text,
                    (value if np.isfinite(value) else 0.0, y + shift),
                    (5, -0.5),
                    textcoords="offset points",
                    va="center",
                    color=INK if column == "recorded" else QUIET,
                    annotation_clip=False,
                )
        ax.grid(False)
        ax.axvline(0, color=LINE, linewidth=1.2)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
    return figure
