"""Whether the font that charts are measured with is there."""

from __future__ import annotations

from matplotlib import font_manager

from cs_helpers.report.charts.ink import STYLE


def missing_fonts() -> list[str]:
    """The fonts of our charts that matplotlib does not find; without them labels are placed by other widths."""
    found = []
    for family in STYLE["font.family"]:
        try:
            font_manager.findfont(family, fallback_to_default=False)
        except ValueError:
            found.append(str(family))
    return found
