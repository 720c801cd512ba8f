"""Charts of the data check. They draw and never compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from cs_helpers.data.data_check import Coverage
from cs_helpers.report.chart import Chart
from cs_helpers.report.charts.ink import ACCENT, INK, LOSS, new_figure, styled


def coverage_map(result: Coverage, narrow: bool = False) -> Chart:
    """Rows per table and month: the darker, the nearer to the table's largest month; an empty frame is no row.

    ``narrow`` shows the last eighteen months.
    """
    months = result.months
    shown = months.iloc[:, -18:] if narrow else months
    most = np.maximum(months.max(axis=1).to_numpy(float), 1)[:, None]
    share = shown.to_numpy(float) / most
    with styled():
        figure, ax = new_figure(0.8 + 0.3 * len(shown), narrow)
        for (row, column), value in np.ndenumerate(share):
            ink: dict[str, Any] = {"facecolor": "none", "edgecolor": LOSS}
            if value > 0:
                ink = {"facecolor": ACCENT, "edgecolor": "none", "alpha": 0.25 + 0.65 * value}
            ax.add_patch(Rectangle((column - 0.42, row - 0.36), 0.84, 0.72, linewidth=1.1, **ink))
        ax.set_xlim(-0.6, share.shape[1] - 0.4)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_yticks(range(len(shown)), list(shown.index))
        days = pd.DatetimeIndex(shown.columns)
        named = (1, 4, 7, 10) if len(days) <= 24 and not narrow else (1, 7)
        ticks = {place: f"{day:%b %Y}" for place, day in enumerate(days) if day.month in named}
        ax.set_xticks(list(ticks), list(ticks.values()))
        ax.tick_params(axis="y", colors=INK)
        ax.spines[:].set_visible(False)
    return figure
