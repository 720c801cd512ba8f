"""Numbers to words: tiles, takeaways, charts with their findings, tables, data quality, provenance.

What is shown is HTML whose every string from data is escaped here. Tiles, takeaways, quality and the
report's opening also carry a vendor MIME bundle, from which the report runner makes ``run.json``; so a
notebook run by hand and a scheduled one say the same thing. Sentences never claim more than their interval.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

from cs_helpers import charts, definitions
from cs_helpers.definitions import Comparison, Estimate, Refusal
from cs_helpers.errors import visible
from cs_helpers.periods import day_words

MIME = "application/vnd.cs-helpers.{}+json"

NARROW_SPACE = "\u202f"
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF\u202f", "JPY": "¥"}


# --- Words -----------------------------------------------------------------------------------------------


def plain(value: object) -> str:
    """Text from data, made inert: no control, direction-override or zero-width character, HTML escaped."""
    return escape(visible(value), quote=True)


def percent(value: float | None, digits: int = 1) -> str:
    """``88.4 %`` with a narrow no-break space; a dash where there is no value."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value * 100:,.{digits}f}{NARROW_SPACE}%".replace("-", "−")


def money(value: float | None, currency: str, short: bool = False) -> str:
    """``€312,400``; in short ``€312k`` or ``€3.1m``. A dash where there is no value."""
    if value is None or not math.isfinite(value):
        return "–"
    symbol = _SYMBOLS.get(currency, f"{visible(currency)}{NARROW_SPACE}" if currency else "")
    size = abs(value)
    if short and size >= 999_500:
        text = f"{size / 1e6:,.{2 if size < 9.995e6 else 1}f}m"
    elif short and size >= 1000:
        text = f"{size / 1000:,.{1 if size < 9950 else 0}f}k"
    else:
        text = f"{size:,.0f}"
    return f"{'−' if value < 0 and text.strip('0.,km') else ''}{symbol}{text}"


def short_money(currency: str) -> Callable[[float], str]:
    """``money`` in short for one currency, as charts write amounts."""
    return lambda value: money(value, currency, short=True)


def points(value: float) -> str:
    """A difference of two shares in percentage points, signed: ``−2.8 points``."""
    return f"{value * 100:+.1f}{NARROW_SPACE}points".replace("-", "−")


def _quantity(estimate: Estimate, currency: str) -> str:
    unit = definitions.metric(estimate.key).unit
    if unit == "fraction":
        return percent(estimate.value)
    if unit.startswith("money"):
        return money(estimate.value, currency, short=True)
    return "–" if estimate.value is None else f"{estimate.value:,.2f}"


def _interval(low: float | None, high: float | None, digits: int = 1) -> str:
    if low is None or high is None:
        return ""
    if not math.isfinite(high):
        return "cannot be given: too few accounts carry it"
    upper = percent(high, digits)
    return f"{percent(low, digits).rstrip('%').rstrip(NARROW_SPACE)} to {upper}"


# --- Sentences -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Takeaway:
    """A computed statement: what was found, on what it rests, the chart it speaks of, and how large the change is."""

    found: str
    basis: str
    anchor: str
    size: float = 0.0

    @property
    def text(self) -> str:
        """Both parts as running text."""
        return f"{self.found} {self.basis}".strip()

    def __str__(self) -> str:
        return self.text


_SPAN = f"95{NARROW_SPACE}% interval"


def say_change(comparison: Comparison, currency: str = "", anchor: str = "headline-tiles") -> Takeaway:
    """How a headline number moved: rise, fall, no clear change, too few, or nothing to compare it with."""
    now, before, change = comparison.now, comparison.before, comparison.change
    name = definitions.metric(now.key).name
    if now.value is None:
        return Takeaway(f"{name} cannot be given: {_sentence(now.reason)}", "", anchor)
    value, earlier = _quantity(now, currency), _quantity(before, currency)
    if now.low is None:
        grown = _growth(now.value, before.value)
        against = f"That is {grown} against {earlier} for {comparison.before_window}." if grown else ""
        return Takeaway(f"{name} is {value}.", against, anchor)
    level = f"{_SPAN} {_interval(now.low, now.high)}"
    if change.difference is not None and change.low is not None and change.high is not None:
        by = f"{points(change.difference)}, {_SPAN} {_signed(change.low)} to {_signed(change.high)}"
        if change.verdict in ("rise", "fall"):
            verb = "rose" if change.verdict == "rise" else "fell"
            found = f"{name} {verb} from {earlier} to {value}."
            return Takeaway(found, f"A difference of {by}.", anchor, abs(change.difference))
        found = f"{name} is {value}, no clear change from {earlier}."
        return Takeaway(found, f"{level[:1].upper()}{level[1:]}; the difference could be chance ({by}).", anchor)
    why = f"Whether it changed cannot be told: {_sentence(change.reason)}"
    return Takeaway(f"{name} is {value} ({level}).", why, anchor)


def _signed(value: float) -> str:
    return points(value).removesuffix("points").rstrip(NARROW_SPACE)


def _growth(now: float, before: float | None) -> str:
    if not before:
        return ""
    size = abs(now / before - 1)
    by = percent(size) if size >= 0.0005 or size == 0 else f"less than {percent(0.001)}"
    return f"{'up' if now >= before else 'down'} {by}"


def say_movements(total: pd.Series, currency: str, window: str, anchor: str = "movements") -> Takeaway:
    """Where the change in MRR came from: a plain sum of what was booked, so it has no interval."""
    short = short_money(currency)
    gained = float(total[["new", "expansion", "reactivation"]].sum())
    lost = float(total[["contraction", "churn"]].sum())
    net = float(total["ending"] - total["starting"])
    course = f"{'grew' if net > 0 else 'shrank'} by {short(abs(net))} to" if net else "stayed at"
    return Takeaway(
        f"MRR {course} {short(total['ending'])} over {window}.",
        f"{short(gained)} were gained ({short(total['new'])} from new accounts) and {short(lost)} lost "
        f"({short(total['churn'])} to churn).",
        anchor,
        abs(net) / float(total["starting"]) if total["starting"] else 0.0,
    )


def say_survival(curve: Any, anchor: str = "survival") -> Takeaway:
    """What the survival curve says at twelve months (or the latest of 6, 3, 1 it reaches) and at its median."""
    if isinstance(curve, Refusal):
        return Takeaway("How long accounts stay cannot be told.", _sentence(curve.reason), anchor)
    if curve.events == 0:
        found = f"None of the {curve.spells:,} paid spells ended in the data."
        return Takeaway(found, "How long accounts stay is open.", anchor)
    ages = [age for age in (12, 6, 3, 1) if curve.starts_at <= age <= curve.last_seen]
    if not ages:
        found = f"Accounts were seen between {curve.starts_at:.0f} and {curve.last_seen:.0f} months of age only."
        return Takeaway(found, "", anchor)
    low, high = curve.interval(ages[0])
    condition = f", of those that reached {curve.starts_at:.1f} months" if curve.starts_at > 0 else ""
    return Takeaway(
        f"{percent(curve.survival(ages[0]), 0)} of accounts still pay {ages[0]} months after they started{condition}.",
        f"{_SPAN} {_interval(low, high, 0)}. {_median_words(curve)}",
        anchor,
    )


def _median_words(curve: Any) -> str:
    earliest, latest = curve.median_interval
    seen = f"within the {curve.last_seen:.0f} months of age that were seen"
    if not math.isfinite(earliest):
        return f"Half have not left {seen}."
    if not math.isfinite(curve.median) or not math.isfinite(latest):
        return f"Half have left after {earliest:.0f} months at the earliest; the latest cannot be told {seen}."
    return f"Half have left after {curve.median:.0f} months ({_SPAN} {earliest:.0f} to {latest:.0f} months)."


def say_cohorts(triangle: Any, age: int = 12, anchor: str = "cohorts") -> Takeaway:
    """Share of all accounts won in the window that still paid at an age, pooled over cohorts, with its interval."""
    pooled = triangle.pooled(age)
    if pooled.value is None:
        return Takeaway(f"Cohorts say nothing yet about {age} months.", _capital(_sentence(pooled.reason)), anchor)
    return Takeaway(
        f"{percent(pooled.value, 0)} of the accounts won since the data began still paid {age} months later.",
        f"{pooled.numerator:,.0f} of {pooled.n:,} in start cohorts that are old enough to tell; {_SPAN} "
        f"{_interval(pooled.low, pooled.high, 0)}.",
        anchor,
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- Blocks: what a notebook cell shows ------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """HTML for the reader, plain text for a terminal, and data for the report runner."""

    html: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": self.text, **self.data}

    def __repr__(self) -> str:
        return self.text


def opening(tables: Any) -> Block:
    """Company, as-of date, what the data cover and the filters, in one line; the report's header repeats it."""
    filters = ", ".join(f"{column} = {value}" for column, value in tables.where.items()) or "none"
    through = pd.Timestamp(tables.as_of) - pd.Timedelta(days=1)
    facts = {
        "Company": tables.company,
        "Data": f"{day_words(tables.observed_from)} to {day_words(through)}",
        "Accounts": f"{tables.subscriptions['account_id'].nunique():,} with subscriptions",
        "Currency": tables.currency,
        "Filters": filters,
    }
    data = {
        "company": visible(tables.company),
        "as_of": f"{tables.as_of:%Y-%m-%d}",
        "data_through": f"{through:%Y-%m-%d}",
        "currency": tables.currency,
        "filters": visible(filters),
        "source": tables.source,
        "source_fingerprint": tables.fingerprint,
        "definitions_version": definitions.VERSION,
        "accounts": int(tables.subscriptions["account_id"].nunique()),
    }
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items() if v)
    text = " · ".join(f"{k}: {v}" for k, v in facts.items() if v)
    return Block(f'<dl class="cs-facts">{items}</dl>', text, {MIME.format("report"): data})


def tiles(comparisons: Sequence[Comparison], currency: str) -> Block:
    """Headline tiles: value, comparison, interval or count, sparkline, and the definition on hover and focus."""
    cards, lines, records = [], [], []
    for item in comparisons:
        now, before, change = item.now, item.before, item.change
        meaning = definitions.metric(now.key)
        short = re.search(r"\((\w+)\)$", meaning.name)
        label = short.group(1) if short else meaning.name
        value = _quantity(now, currency)
        note, mood = _comparison_note(item, currency)
        if now.value is None:
            basis = _capital(_sentence(now.reason))
        elif now.low is None and meaning.unit == "fraction":
            basis = ""  # a count of what is there, no sample: the ratio below says it
        elif now.low is None:
            basis = f"{now.n:,} paying account{'' if now.n == 1 else 's'}"
        else:
            basis = f"{_interval(now.low, now.high)}"
        ratio = _ratio_words(now, currency)
        cards.append(
            f'<div class="cs-tile" data-mood="{mood}" tabindex="0" aria-describedby="cs-def-{now.key}">'
            f'<div class="cs-label">{plain(label)}</div><div class="cs-value">{plain(value)}</div>'
            f'<div class="cs-change">{plain(note)}</div><div class="cs-basis">{plain(basis)}</div>'
            f"{f'<div class=cs-basis>{plain(ratio)}</div>' if ratio else ''}"
            f"{charts.sparkline(item.trend, now.low, now.high)}"
            f'<div class="cs-def" role="tooltip" id="cs-def-{now.key}"><strong>{plain(meaning.name)}</strong> '
            f"{plain(meaning.formula)} {plain(meaning.population)}</div></div>"
        )
        lines.append(
            "; ".join(part for part in (f"{label}: {value} ({', '.join(filter(None, (basis, ratio)))})", note) if part)
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
                "text": value,
            }
        )
    window = comparisons[0].now_window if comparisons else ""
    before_window = comparisons[0].before_window if comparisons else ""
    note = f"{window}, against {before_window}." if before_window else f"{window}."
    if any(item.now.low is not None for item in comparisons):
        note += (
            f" Ranges are 95{NARROW_SPACE}% intervals; shares are of what was paid as the window opened. "
            "Lines show the last thirteen months, the bar is today's interval."
        )
    html = f'<div class="cs-tiles" id="headline-tiles">{"".join(cards)}</div><p class="cs-note">{plain(note)}</p>'
    return Block(html, "\n".join(lines), {MIME.format("headline"): {"headline": records}})


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
        grown = _growth(now.value, before.value) or f"up {_quantity(now, currency)}"
        text = (
            f"{grown} from {_quantity(before, currency)}" if arrow else f"unchanged from {_quantity(before, currency)}"
        )
        return (arrow + text, mood)
    if arrow:
        return (f"{arrow}{points(change.difference or 0)} from {percent(before.value)}", mood)
    if change.verdict == "no clear change":
        return (f"≈ no clear change from {percent(before.value)}", mood)
    if not item.before_window:
        return ("", mood)  # nothing that is compared over time
    return ("too few accounts to compare" if change.verdict == "too few" else "no earlier window to compare", mood)


def takeaways(*sentences: Takeaway, most: int = 5) -> Block:
    """The computed sentences, the largest change first, each linking to its chart."""
    ordered = sorted(sentences, key=lambda s: -s.size)[:most]
    items = "".join(f'<li><a href="#{plain(s.anchor)}">{_marked(s)}</a></li>' for s in ordered)
    text = "\n".join(f"- {s.text}" for s in ordered)
    data = {MIME.format("takeaways"): {"takeaways": [s.text for s in ordered]}}
    return Block(f'<ul class="cs-takeaways">{items}</ul>', text, data)


def refused(why: str) -> Block:
    """A box that says why something is not shown."""
    reason = _capital(_sentence(why))
    return Block(f'<p class="cs-refusal"><strong>Not shown.</strong> {plain(reason)}</p>', f"Not shown. {reason}")


def _marked(sentence: Takeaway) -> str:
    return f"<strong>{plain(sentence.found)}</strong> {plain(sentence.basis)}".strip()


def chart(draw: Callable[..., Any], result: Any, finding: Takeaway, alt: str, note: str = "", **options: Any) -> Block:
    """A chart under the sentence it shows, with a text alternative; drawn for a desk and for a phone.

    Where ``result`` is a Refusal, or says one, its reason stands in a box instead of an empty axis.
    """
    name = re.sub(r"[^a-z0-9]+", "-", finding.anchor.lower())
    caption = f"<figcaption>{_marked(finding)}</figcaption>"
    if refusal := result.reason if isinstance(result, Refusal) else getattr(result, "refusal", ""):
        box = refused(refusal)
        return Block(f'<figure class="cs-chart" id="{name}">{box.html}</figure>', box.text)
    wide = charts.as_svg(draw(result, **options), f"{name}-w")
    narrow = charts.as_svg(draw(result, narrow=True, **options), f"{name}-n")
    html = (
        f'<figure class="cs-chart" id="{name}">{caption}'
        f'<div role="img" aria-label="{plain(alt)}"><div class="cs-wide">{wide}</div>'
        f'<div class="cs-narrow" style="display:none">{narrow}</div></div>'
        f"{f'<p class=cs-note>{plain(note)}</p>' if note else ''}</figure>"
    )
    return Block(html, f"[chart] {finding.text}\n{alt}")


def alt_movements(total: pd.Series, currency: str) -> str:
    """What the waterfall shows, for somebody who cannot see it."""
    parts = ", ".join(f"{name} {money(value, currency)}" for name, value in total.items())
    return f"Waterfall of MRR movements: {parts}."


def alt_cohorts(triangle: Any) -> str:
    """What the cohort heat map shows, row by row."""
    rows = [
        f"{cohort:%B %Y} ({n} accounts): "
        + ", ".join(f"{percent(v, 0)} at {age} months" for age, v in row.dropna().items())
        for (cohort, row), n in zip(triangle.table.iterrows(), triangle.accounts, strict=True)
    ]
    return "Share of each start cohort still paying, by age. " + "; ".join(rows) + "."


def note_cohorts(triangle: Any) -> str:
    """How to read the heat map, and who is not in it."""
    left_out = (
        f" {triangle.left_out:,} accounts that started before the data began are left out: only survivors are seen."
        if triangle.left_out
        else ""
    )
    return (
        "Percent of the accounts of each start quarter that still paid at that age. Empty: not yet to be seen."
        + left_out
    )


def note_survival(curve: Any, observed_from: pd.Timestamp) -> str:
    """What the curve rests on: spells, endings, late entries, and where it begins and ends."""
    if isinstance(curve, Refusal):
        return ""
    begins = f" It begins at {curve.starts_at:.1f} months." if curve.starts_at else ""
    return (
        f"{curve.spells:,} paid spells, of which {curve.events:,} ended inside the data; {curve.late_entries:,} began "
        f"before {day_words(observed_from)} and count from the age they had then.{begins} The band is a pointwise "
        f"{_SPAN}; the curve ends at {curve.last_seen:.0f} months, the last age with ten at risk."
    )


def alt_survival(curve: Any) -> str:
    """What the survival curve shows at each full year."""
    if isinstance(curve, Refusal):
        return ""
    ages = [age for age in range(6, int(curve.last_seen) + 1, 6) if age >= curve.starts_at]
    parts = "; ".join(
        f"{percent(curve.survival(age), 0)} at {age} months ({curve.at_risk(age):,} at risk)" for age in ages
    )
    return f"Falling step curve of the share of accounts still paying, with its interval: {parts}."


def table(frame: pd.DataFrame, caption: str = "", formats: Mapping[str, Callable[[Any], str]] | None = None) -> Block:
    """A table with every cell, header and caption escaped; numbers to the right, missing values as a dash."""
    formats = formats or {}

    def cell(column: str, value: Any) -> str:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        text = (
            "–" if missing else formats[column](value) if column in formats else f"{value:,}" if number else str(value)
        )
        return f"<td{' class=cs-number' if number or missing else ''}>{plain(text)}</td>"

    head = "".join(
        f"<th scope=col{' class=cs-number' if pd.api.types.is_numeric_dtype(frame[c]) else ''}>{plain(c)}</th>"
        for c in frame.columns
    )
    rows = "".join(
        "<tr>" + "".join(cell(c, v) for c, v in zip(frame.columns, row, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    title = f"<caption>{plain(caption)}</caption>" if caption else ""
    body = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return Block(
        f'<div class="cs-table" tabindex="0">{body}</div>', f"{caption}\n{frame.to_string(index=False)}".strip()
    )


def reconciliation(frame: pd.DataFrame | Refusal, currency: str) -> Block:
    """Why another team's number differs: the same book under rival definitions, or why it cannot be shown."""
    if isinstance(frame, Refusal):
        return refused(frame.reason)

    def shown(row: Mapping[str, Any]) -> dict[str, str]:
        count = "logo" in row["metric"]
        amounts = [row[x] for x in ("numerator", "denominator")]
        parts = [f"{x:,.0f}".replace("-", "−") if count else money(x, currency) for x in amounts]
        ratio = definitions.metric(row["metric"]).unit == "ratio"
        return {
            "Metric": definitions.metric(row["metric"]).name,
            "Definition": row["definition"] + (" (used here)" if row["used"] else ""),
            "Value": percent(row["value"]) if not ratio else "–" if pd.isna(row["value"]) else f"{row['value']:.2f}",
            "From": " / ".join(parts),
            "Why it differs": row["why"],
        }

    rows: Any = frame.to_dict("records")
    return table(pd.DataFrame([shown(row) for row in rows]))


def glossary(*keys: str) -> Block:
    """The definition of each metric named, with who counts, what missing means, and the rivals."""
    parts, lines = [], []
    for key in keys:
        m = definitions.metric(key)
        facts = {
            "Formula": m.formula,
            "Who counts": m.population,
            "Missing": m.missing,
            "How it can be gamed": f"{m.gaming} Watch beside it: {definitions.metric(m.counter_metric).name}.",
            "Rival definitions": "; ".join(m.rivals),
            "Source": m.source,
        }
        body = "".join(f"<dt>{plain(k)}</dt><dd>{plain(v)}</dd>" for k, v in facts.items() if v)
        parts.append(
            f'<details class="cs-entry" id="def-{plain(key)}"><summary>{plain(m.name)}</summary>'
            f"<dl>{body}</dl></details>"
        )
        lines.append(f"{m.name}: {m.formula}")
    return Block("".join(parts), "\n".join(lines))


_SEVERITY_WORDS = {"set aside": "Set aside", "warning": "Warning", "note": "Note", "error": "Error"}


def caveats(findings: Iterable[Any]) -> Block:
    """The warnings of the data, beside the figures they touch; nothing where there is none."""
    warnings = [f for f in findings if f.severity == "warning"]
    if not warnings:
        return Block("", "")
    items = "".join(f"<li>{plain(f.message)}</li>" for f in warnings)
    html = (
        f'<aside class="cs-refusal cs-caveats"><strong>Read these figures with care.</strong><ul>{items}</ul>'
        '<a href="#data-quality">All findings about the data</a></aside>'
    )
    return Block(html, "Read these figures with care:\n" + "\n".join(f"- {f.message}" for f in warnings))


def quality(findings: Iterable[Any], set_aside: pd.DataFrame | None = None, most: int = 20) -> Block:
    """What the loader found: every finding in words, and the first rows that were set aside."""
    found = list(findings)
    records = [
        {"table": f.table, "check": f.check, "severity": f.severity, "rows": int(f.rows), "message": _whole(f)}
        for f in found
    ]
    data = {MIME.format("quality"): {"quality": records}}
    if not found:
        return Block('<p class="cs-fine">No problem was found in the tables read.</p>', "No problem was found.", data)
    items = "".join(
        f'<li data-severity="{plain(f.severity)}"><strong>{_SEVERITY_WORDS.get(f.severity, plain(f.severity))} · '
        f"{plain(f.table) or 'source'}</strong> {plain(f.message)}"
        f"{f'<br><span class=cs-fix>{plain(f.fix)}</span>' if getattr(f, 'fix', '') else ''}</li>"
        for f in found
    )
    html = f'<ul class="cs-quality">{items}</ul>'
    if set_aside is not None and len(set_aside):
        html += table(
            set_aside.head(most), f"Rows set aside: the first {min(most, len(set_aside))} of {len(set_aside):,}"
        ).html
    text = "\n".join(f"{_SEVERITY_WORDS.get(f.severity, f.severity)} · {f.table}: {f.message}" for f in found)
    return Block(html, text, data)


def _whole(finding: Any) -> str:
    fix = getattr(finding, "fix", "")
    return f"{finding.message} {fix}".strip()


def provenance(tables: Any, **parameters: Any) -> Block:
    """Where the figures come from: source, fingerprint, definitions and package version, parameters."""
    from cs_helpers import __version__

    facts = {
        "Source": tables.source,
        "Fingerprint of the files read": tables.fingerprint,
        "Data observed from": day_words(tables.observed_from),
        "As of (exclusive)": day_words(tables.as_of),
        "Definitions": f"version {definitions.VERSION}",
        "Package": f"cs-helpers {__version__}",
        "Parameters": ", ".join(f"{k} = {v!r}" for k, v in parameters.items()),
    }
    items = "".join(f"<div><dt>{plain(k)}</dt><dd>{plain(v)}</dd></div>" for k, v in facts.items())
    return Block(f'<dl class="cs-facts cs-provenance">{items}</dl>', "\n".join(f"{k}: {v}" for k, v in facts.items()))
