"""Charts of how long accounts stay."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from cs_helpers.charts.ink import ACCENT, INK, STYLE, new_figure, quiet_grid, short_count


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
    with mpl.rc_context(STYLE):
        figure, ax = new_figure(3.3 if narrow else 3.7, narrow)
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
        quiet_grid(ax)
        ax.set_ylabel("still paying")
        ax.set_xticks(ticks, [f"{age:.0f}\n{short_count(curve.at_risk(age), narrow)}" for age in ticks])
        ax.set_xlabel(("\n" if narrow else " · ").join(["months since the start", "below: number at risk"]))
    return figure
