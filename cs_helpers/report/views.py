"""How results are shown: one view per result type, registered in the ``views`` module of its subject."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

import pandas as pd

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.estimates import Comparison
from cs_helpers.core.results import Result, Suppressed
from cs_helpers.report.blocks import Block, chart_figure, findings, folded, refused, stacked, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.words import Headline, capital, sentence

R = TypeVar("R", bound=Result)
_VIEWS: dict[type[Result], View[Any]] = {}
_SHOWN: Counter[str] = Counter()
"""How often each anchor was shown since the page began, so that every id on a page is unique."""


@dataclass(frozen=True)
class Tiles:
    """Headline numbers of a result for the top of a report.

    ``basis``: metric key to the words that stand under its value in place of the interval or count; ``note``: the line
    under the tiles, in place of the one about windows.
    """

    comparisons: tuple[Comparison, ...]
    currency: str
    basis: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class View(ABC, Generic[R]):
    """Words, chart and table of one result type. Override what the result has; the rest stays off the page.

    A view takes the result and nothing else: what a reader needs (currency, period, names) is part of the result.
    """

    @abstractmethod
    def headline(self, result: R) -> Headline:
        """The finding in one sentence, its evidence, and the anchor of the section."""

    def takeaways(self, result: R) -> Sequence[Headline]:
        """The sentences for the summary of a report; the headline by default."""
        return (self.headline(result),)

    def tiles(self, result: R) -> Tiles | None:
        """The headline numbers for the summary of a report."""
        return None

    def notice(self, result: R) -> Block | None:
        """What a reader must know before reading any figure; stands under the takeaways of the summary."""
        return None

    def findings(self, result: R) -> Sequence[Headline]:
        """Further sentences of the section, each with its own anchor."""
        return ()

    def chart(self, result: R, narrow: bool) -> Chart | None:
        """The chart, for a desk or, ``narrow``, for a phone."""
        return None

    def alt_text(self, result: R) -> str:
        """What the chart shows, for a reader who cannot see it."""
        return ""

    def note(self, result: R) -> str:
        """How to read the chart, and who counts."""
        return ""

    def table(self, result: R) -> pd.DataFrame:
        """The figures as a DataFrame, numbers unformatted."""
        return pd.DataFrame()

    def page_table(self, result: R) -> Block | None:
        """The table as it stands on the page; the DataFrame of ``table`` by default."""
        frame = self.table(result)
        return table(frame) if len(frame) else None

    def more(self, result: R) -> Sequence[Block]:
        """Further blocks of the section, below the table."""
        return ()

    def parts(self, result: R) -> Sequence[Result]:
        """Results that belong to the same section; each shows itself below, with headline, chart and table."""
        return ()


def view_for(result_type: type[R]) -> Callable[[type[View[R]]], type[View[R]]]:
    """Class decorator that registers the view of ``result_type``; a view without a headline fails here."""

    def register(view: type[View[R]]) -> type[View[R]]:
        _VIEWS[result_type] = view()
        return view

    return register


def view_of(result: R) -> View[R]:
    """The view of a result; the ``views`` module of its subject is imported on first use.

    Raises ParameterError where no view is registered for the type.
    """
    kind = type(result)
    if kind not in _VIEWS:
        package, _, rest = kind.__module__.partition(".")
        module = f"{package}.{rest.partition('.')[0]}.views"
        if rest and find_spec(module):
            import_module(module)
    if kind not in _VIEWS:
        raise ParameterError(
            f"{kind.__name__} has no view, so it cannot be shown.\n  Add a class derived from View, decorated with "
            f"@view_for({kind.__name__}), to the views module of its subject."
        )
    return _VIEWS[kind]


def begin_page() -> None:
    """Starts the numbering of ids anew; called where a report begins."""
    _SHOWN.clear()


def unique_id(anchor: str) -> str:
    """``anchor`` the first time on a page, ``anchor-2`` the second time."""
    _SHOWN[anchor] += 1
    return anchor if _SHOWN[anchor] == 1 else f"{anchor}-{_SHOWN[anchor]}"


def render(result: Result) -> Block:
    """Headline, chart, note, further findings and table of a result, as one block of a page.

    A table under a chart is folded; without a chart it is the answer and stands open.
    """
    view = view_of(result)
    headline = view.headline(result)
    anchor = unique_id(headline.anchor)
    wide = view.chart(result, False)
    parts: list[Block] = []
    if isinstance(result, Suppressed):
        parts.append(_suppressed(headline, anchor))
    elif wide is None:
        parts.append(findings(headline.at(anchor)))
    else:
        narrow = view.chart(result, True) or wide
        parts.append(chart_figure(wide, narrow, headline.at(anchor), view.alt_text(result), view.note(result)))
    further = [each.at(unique_id(each.anchor)) for each in view.findings(result)]
    if further:
        parts.append(findings(*further))
    rows = view.page_table(result)
    if rows is not None:
        parts.append(folded(rows, "Table") if wide is not None else rows)
    return stacked(*parts, *view.more(result), *map(render, view.parts(result)))


def _suppressed(headline: Headline, anchor: str) -> Block:
    box = refused(headline.text)
    return Block(f'<figure class="cs-chart" id="{anchor}">{box.html}</figure>', box.text)


@view_for(Suppressed)
class SuppressedView(View[Suppressed]):
    """The reason in place of the result, and what would be needed."""

    def headline(self, result: Suppressed) -> Headline:
        why = capital(sentence(result.reason))
        remedy = sentence(result.remedy) if result.remedy else ""
        anchor = result.anchor or "not-shown"
        if not result.conclusion:
            return Headline(why, remedy, anchor)
        return Headline(result.conclusion, f"{why} {remedy}".strip(), anchor)
