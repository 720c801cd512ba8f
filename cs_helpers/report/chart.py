"""A matplotlib Figure that displays in any notebook, without pyplot and without a magic."""

from __future__ import annotations

from itertools import count

from matplotlib.figure import Figure

_DISPLAYS = count(1)


class Chart(Figure):
    """An ordinary Figure (axes, savefig, titles as usual) that shows itself as SVG when it is the last line of a cell.

    Example:
        >>> Chart().add_subplot() is not None
        True
    """

    def _repr_html_(self) -> str:
        from cs_helpers.report.charts.picture import as_svg

        return f'<div style="background:#fff;max-width:52rem">{as_svg(self, f"chart-{next(_DISPLAYS)}")}</div>'
