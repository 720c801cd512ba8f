"""A matplotlib Figure that displays in any notebook, without pyplot and without a magic."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from cs_helpers.report.charts.layout import TextLayout
from cs_helpers.report.charts.picture import as_svg

# A plain background, so that the chart can be read in a notebook with a dark theme. On a page of a report the
# background and the colours of the chart follow the page.
_CARD = "background:var(--paper,#ffffff);padding:8px"


class Chart(Figure):
    """An ordinary Figure (axes, titles, ``savefig``) that shows itself as SVG when it is the last line of a cell.

    Its axes are as large as the texts around them allow, unless another ``layout`` is asked for.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **{"layout": TextLayout(), **kwargs})

    def _repr_html_(self) -> str:
        """The drawing in a plain box; a page may hold the same chart twice, for ids are unique in each call."""
        style = f"max-width:{self.get_figwidth() * 72:.0f}px;{_CARD}"
        return f'<div role="img" aria-label="Chart" style="{style}">{as_svg(self)}</div>'
