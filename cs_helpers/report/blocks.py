"""HTML blocks of a report: tiles, takeaways, charts, tables, definitions, data quality, provenance.

Every string from data is escaped here. Tiles, takeaways, data quality and the opening also carry a vendor MIME bundle,
from which the report runner writes ``run.json``, so a notebook run by hand and a scheduled run give the same figures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from cs_helpers.core import metrics as definitions
from cs_helpers.core.errors import visible
from cs_helpers.core.estimates import Comparison, Estimate
from cs_helpers.report.charts.picture import as_picture
from cs_helpers.report.charts.spark import sparkline
from cs_helpers.report.figures import difference, figure
from cs_helpers.report.words import (
    MIME,
    NARROW_SPACE,
    Headline,
    capital,
    growth,
    plain,
    points,
    quantity,
    sentence,
    short_money,
    span_words,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@cache
def notebook_style() -> str:
    """A ``<style>`` element with the inks and the components of the report's shell, and nothing of its page."""
    sheet = files("cs_helpers").joinpath("publish", "shell", "shell.css").read_text(encoding="utf-8")
    components = re.sub(r"/\*.*?\*/", "", sheet[: sheet.index("/* page:")], flags=re.S)
    compact = re.sub(r"\s*\n\s*", "", components)
    return f'<style class="cs-style">{compact}</style>'


@dataclass(frozen=True)
class Block:
    """HTML for the reader, plain text for a terminal, and data for the report runner."""

    html: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # Each block brings the style, so that cells look alike in JupyterLab in any order; the report's page has the
        # same rules once and removes these.
        html = f'{notebook_style()}<div class="cs-block">{self.html}</div>' if self.html else ""
        return {"text/html": html, "text/plain": self.text, **self.data}

    def __repr__(self) -> str:
        return self.text


class Finding(Protocol):
    """One problem that was found while the data were read."""

    @property
    def table(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def fix(self) -> str: ...


def tiles(
    comparisons: Sequence[Comparison], currency: str, basis_of: Mapping[str, str] | None = None, note: str = ""
) -> Block:
    """Headline tiles: value, comparison, interval or count, sparkline, and the definition on hover and focus.

    ``basis_of``: metric key to words that stand in place of the interval or count; ``note``: in place of the line
    about windows under the tiles.
    """
    given = basis_of or {}
    cards, lines, records = [], [], []
    for item in comparisons:
        now, before, change = item.now, item.before, item.change
        meaning = definitions.metric(now.key)
        label = definitions.short_name(now.key)
        value = _value_words(now, currency)
        change_note, mood = _comparison_note(item, currency)
        if now.value is None:
            basis = capital(sentence(now.reason))
        elif now.key in given:
            basis = given[now.key]
        elif now.low is None and meaning.unit == "fraction":
            basis = ""  # a count of what is there, no sample: the ratio below says it
        elif now.low is None:
            basis = f"{now.n:,} paying account{'' if now.n == 1 else 's'}"
        else:
            basis = f"{span_words(now.low, now.high)}"
        ratio, aim = _ratio_words(now, currency), target_words(item, currency)
        cards.append(
            f'<div class="cs-tile" data-mood="{mood}" tabindex="0" role="group" aria-label="{plain(label)}" '
            f'aria-describedby="cs-def-{now.key}">'
            f'<div class="cs-label">{plain(label)}</div><div class="cs-value">{_value_html(value, meaning.unit)}</div>'
            f'<div class="cs-change">{plain(change_note)}</div><div class="cs-basis">{plain(basis)}</div>'
            f"{f'<div class=cs-basis>{plain(ratio)}</div>' if ratio else ''}"
            f"{f'<div class=cs-basis>{plain(aim)}</div>' if aim else ''}"
            f"{sparkline(item.trend, now.low, now.high)}"
            f'<div class="cs-def" role="tooltip" id="cs-def-{now.key}"><strong>{plain(meaning.name)}</strong> '
            f"{plain(meaning.formula)} {plain(meaning.population)}</div></div>"
        )
        lines.append(
            "; ".join(filter(None, (f"{label}: {value} ({', '.join(filter(None, (basis, ratio)))})", change_note, aim)))
        )
        records.append(
            {
                "key": now.key,
                "name": meaning.name,
                "value": _finite(now.value),
                "unit": meaning.unit,
                "low": _finite(now.low),
                "high": _finite(now.high),
                "n": now.n,
                "numerator": _finite(now.numerator),
                "denominator": _finite(now.denominator),
                "previous": _finite(before.value),
                "verdict": change.verdict,
                "target": _finite(item.target.value) if item.target else None,
                "text": value,
            }
        )
    html = f'<div class="cs-tiles" id="headline-tiles">{"".join(cards)}</div><p class="cs-note">'
    html += f"{plain(note or _windows_note(comparisons))}</p>"
    return Block(html, "\n".join(lines), {MIME.format("headline"): {"headline": records}})


_WHOLE = ("fraction", "money", "money per month")


def _value_html(value: str, unit: str) -> str:
    """A tile's value; a unit of words smaller than its number, so that both fit on one line."""
    number, gap, word = value.partition(NARROW_SPACE if unit == "points" else " ")
    if unit in _WHOLE or not word:
        return plain(value)
    return f'{plain(number)}<span class="cs-unit">{gap}{plain(word)}</span>'


def _value_words(estimate: Estimate, currency: str) -> str:
    """A value in its metric's unit; how many people of how many."""
    unit = definitions.metric(estimate.key).unit
    if unit == "reps":
        return "–" if estimate.value is None else f"{estimate.value:,.0f} of {estimate.denominator or 0:,.0f}"
    if unit in ("ratio", "months", "accounts") or unit.startswith("money"):
        return quantity(estimate, currency)
    return figure(estimate.key, estimate.value)


def _windows_note(comparisons: Sequence[Comparison]) -> str:
    """Which windows the tiles compare, and how to read their ranges and lines."""
    window = comparisons[0].now_window if comparisons else ""
    before = comparisons[0].before_window if comparisons else ""
    note = f"{window}, against {before}." if before else f"{window}."
    if any(item.now.low is not None for item in comparisons):
        note += (
            f" Ranges are 95{NARROW_SPACE}% intervals; shares are of what was paid as the window opened. "
            "Lines show the last thirteen months, the bar is today's interval."
        )
    return note


def target_words(item: Comparison, currency: str) -> str:
    """``Target 92.0 %: missed``, or that it cannot be told; nothing without a target."""
    if item.target is None:
        return ""
    aim = _value_words(replace(item.now, value=item.target.value), currency)
    verdict = "cannot be told" if item.target.verdict == "no clear verdict" else item.target.verdict
    return f"Target {aim}: {verdict}"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 6)


def _ratio_words(estimate: Estimate, currency: str) -> str:
    if estimate.numerator is None or not estimate.denominator:
        return ""
    if definitions.metric(estimate.key).key.startswith("logo"):
        return f"{estimate.numerator:,.0f} of {estimate.denominator:,.0f} accounts"
    if estimate.key in _COUNTED:
        return f"{estimate.numerator:,.0f} of {estimate.denominator:,.0f} {_COUNTED[estimate.key]}"
    short = short_money(currency)
    return f"{short(estimate.numerator)} of {short(estimate.denominator)}, n = {estimate.n:,}"


_COUNTED = {
    "rows_used": "rows",
    "tables_present": "tables",
    "accounts_with_subscription": "accounts",
    "months_with_rows": "table months",
}


def _comparison_note(item: Comparison, currency: str) -> tuple[str, str]:
    now, before, change = item.now, item.before, item.change
    if now.value is None:
        return ("not given", "none")
    good = definitions.metric(now.key).direction.startswith("higher") == (change.verdict == "rise")
    mood = {"rise": "good" if good else "bad", "fall": "good" if good else "bad"}.get(change.verdict, "none")
    arrow = {"rise": "▲ ", "fall": "▼ "}.get(change.verdict, "")
    if now.low is None and change.difference is not None:
        grown = growth(now.value, before.value) or f"up {_value_words(now, currency)}"
        text = (
            f"{grown} from {_value_words(before, currency)}"
            if arrow
            else f"unchanged from {_value_words(before, currency)}"
        )
        return (arrow + text, mood)
    if arrow:
        return (f"{arrow}{_difference(now.key, change.difference or 0)} from {_value_words(before, currency)}", mood)
    if change.verdict == "no clear change":
        return (f"≈ no clear change from {_value_words(before, currency)}", mood)
    if not item.before_window:
        return ("", mood)  # nothing that is compared over time
    return ("too few to compare" if change.verdict == "too few" else "no earlier window to compare", mood)


def _difference(key: str, value: float) -> str:
    """How far a value moved: points for shares, else in the metric's unit."""
    return points(value) if definitions.metric(key).unit == "fraction" else difference(key, "additive", value)


def takeaways(*sentences: Headline, most: int = 5) -> Block:
    """The computed sentences, the largest change first, each linking to its chart."""
    ordered = sorted(sentences, key=lambda s: -s.size)[:most]
    items = "".join(f'<li><a href="#{plain(s.anchor)}">{marked(s)}</a></li>' for s in ordered)
    text = "\n".join(f"- {s.text}" for s in ordered)
    data = {MIME.format("takeaways"): {"takeaways": [s.text for s in ordered]}}
    return Block(f'<ul class="cs-takeaways">{items}</ul>', text, data)


def refused(why: str) -> Block:
    """A box that says why something is not shown."""
    reason = capital(sentence(why))
    return Block(f'<p class="cs-refusal"><strong>Not shown.</strong> {plain(reason)}</p>', f"Not shown. {reason}")


def marked(sentence: Headline) -> str:
    """Both parts of a finding as HTML, the first one strong."""
    return f"<strong>{plain(sentence.conclusion)}</strong> {plain(sentence.evidence)}".strip()


def element_id(anchor: str) -> str:
    """An anchor as an id of the page."""
    return re.sub(r"[^a-z0-9]+", "-", anchor.lower())


def chart_figure(wide: Figure, narrow: Figure, headline: Headline, alt: str, note: str = "") -> Block:
    """A chart under its headline, in a wide and a narrow drawing, with its text alternative and its note."""
    name = element_id(headline.anchor)
    pictures = as_picture(wide, f"{name}-w"), as_picture(narrow, f"{name}-n")
    html = (
        f'<figure class="cs-chart" id="{name}"><figcaption>{marked(headline)}</figcaption>'
        f'<div role="img" aria-label="{plain(alt)}"><div class="cs-wide">{pictures[0]}</div>'
        f'<div class="cs-narrow" style="display:none">{pictures[1]}</div></div>'
        f"{f'<p class=cs-note>{plain(note)}</p>' if note else ''}</figure>"
    )
    return Block(html, f"[chart] {headline.text}\n{alt}")


def findings(*headlines: Headline) -> Block:
    """Findings without a chart of their own, one line each; every one can be linked to."""
    items = "".join(f'<li id="{plain(each.anchor)}">{marked(each)}</li>' for each in headlines)
    return Block(f'<ul class="cs-findings">{items}</ul>', "\n".join(f"- {each.text}" for each in headlines))


def folded(block: Block, title: str) -> Block:
    """A block that opens on a click, for what few readers need; nothing where there is nothing."""
    if not block.html:
        return block
    html = f'<details class="cs-entry"><summary>{plain(title)}</summary>{block.html}</details>'
    return Block(html, block.text, block.data)


def stacked(*blocks: Block) -> Block:
    """Several blocks one below the other, as one."""
    return Block(
        "".join(block.html for block in blocks),
        "\n".join(block.text for block in blocks if block.text),
        {key: value for block in blocks for key, value in block.data.items()},
    )


_LONGEST_CELL = 240


def table(frame: pd.DataFrame, caption: str = "", formats: Mapping[str, Callable[[Any], str]] | None = None) -> Block:
    """A table with every cell, header and caption escaped; numbers to the right, missing values as a dash.

    On the page it can be sorted, filtered and saved as CSV; there a cell that ``formats`` wrote counts as the number
    behind it. Texts over 240 characters are cut with an ellipsis.
    """
    formats = formats or {}
    kinds = {column: _sorting(frame[column]) for column in frame.columns}
    marks = {c: _column_mark(frame[c], kinds[c], first=place == 0) for place, c in enumerate(frame.columns)}

    def cut(text: str, most: int = _LONGEST_CELL) -> str:
        return text if len(text) <= most else f"{text[: most - 1]}…"

    def cell(column: str, value: Any) -> str:
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        missing = value is None or value is pd.NaT or (number and not math.isfinite(value))
        if missing:
            return f"<td{marks[column]}>–</td>"
        exact = f' data-v="{value}"' if number and column in formats else ""
        text = formats[column](value) if column in formats else f"{value:,}" if number else visible(value)
        return f"<td{marks[column]}{exact}>{plain(cut(text))}</td>"

    head = "".join(
        f"<th scope=col data-sort={kinds[c]}{marks[c]}>{plain(cut(visible(c), 80))}</th>" for c in frame.columns
    )
    rows = "".join(
        "<tr>" + "".join(cell(c, v) for c, v in zip(frame.columns, row, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    title = f"<caption>{plain(caption)}</caption>" if caption else ""
    body = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return Block(
        f'<div class="cs-table" tabindex="0" role="region" aria-label="{plain(caption or "Table")}">{body}</div>',
        f"{caption}\n{frame.to_string(index=False)}".strip(),
    )


_DAY = re.compile(r"^(\d{1,2} )?[A-Z][a-z]+ \d{4}$|^\d{4}-\d\d(-\d\d)?\b")


def _sorting(column: pd.Series) -> str:
    """How the page sorts a column: by number, by date (where most texts are days or months), or as text."""
    if _is_figures(column):
        return "number"
    texts = [str(value) for value in column.dropna() if value != "–"]
    days = sum(bool(_DAY.match(text)) for text in texts)
    return "date" if texts and 2 * days >= len(texts) else "text"


# A number as sentences write it, with a sign, a currency, a unit, and perhaps its interval or denominator.
_FIGURE = re.compile(r"^(–|[−+<]?[^\w\s]{0,3}(CHF.)?\d[\d.,]*(\u202f?%|k|m|.points)?( (to|/|\(|·) .*|\)|x)?)$")


def _column_mark(column: pd.Series, kind: str, first: bool) -> str:
    """The class of a column's cells: numbers stand to the right, short names keep to one line, long texts have room."""
    if kind == "number":
        return " class=cs-number"
    longest = max((len(str(value)) for value in column), default=0)
    if longest > 26:
        return " class=cs-long" if longest > 40 else " class=cs-mid"
    return " class=cs-name" if first or kind == "date" else ""


def _is_figures(column: pd.Series) -> bool:
    """Whether a column holds numbers, or nothing but numbers in words; such columns stand to the right."""
    if pd.api.types.is_numeric_dtype(column):
        return True
    texts = [str(value) for value in column.dropna()]
    return bool(texts) and all(_FIGURE.match(text) for text in texts) and set(texts) != {"–"}


_SEVERITY_WORDS = {"set aside": "Set aside", "warning": "Warning", "note": "Note", "error": "Error"}


def quality(findings: Iterable[Finding], set_aside: pd.DataFrame | None = None, most: int = 20) -> Block:
    """What the loader found: every finding in words, and the first rows that were set aside."""
    found = list(findings)
    records = [
        {
            "table": f.table,
            "check": f.check,
            "severity": f.severity,
            "rows": int(f.rows),
            "message": f"{f.message} {f.fix}".strip(),
        }
        for f in found
    ]
    data = {MIME.format("quality"): {"quality": records}}
    if not found:
        return Block('<p class="cs-fine">No problem was found in the tables read.</p>', "No problem was found.", data)
    items = "".join(
        f'<li data-severity="{plain(f.severity)}"><strong>{_SEVERITY_WORDS.get(f.severity, plain(f.severity))} · '
        f"{plain(f.table) or 'source'}</strong> {plain(f.message)}"
        f"{f'<br><span class=cs-fix>{plain(f.fix)}</span>' if f.fix else ''}</li>"
        for f in found
    )
    html = f'<ul class="cs-quality">{items}</ul>'
    if set_aside is not None and len(set_aside):
        html += table(
            set_aside.head(most), f"Rows set aside: the first {min(most, len(set_aside))} of {len(set_aside):,}"
        ).html
    text = "\n".join(f"{_SEVERITY_WORDS.get(f.severity, f.severity)} · {f.table}: {f.message}" for f in found)
    return Block(html, text, data)
