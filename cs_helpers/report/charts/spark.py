"""Lines without axes, for tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cs_helpers.report.charts.ink import ACCENT


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
