"""How the results of return are shown; importing this package registers the view of each."""

from cs_helpers.roi.views import break_even, effect, gates, money, scenario

__all__ = ["break_even", "effect", "gates", "money", "scenario"]
