"""The index page of all reports: its words, sparklines and HTML, made from the run records."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cs_helpers
from cs_helpers.core.errors import visible
from cs_helpers.publish import html, locks, run_records
from cs_helpers.publish.publish import replace_file
from cs_helpers.publish.words import STATUS_WORDS, figure, moment_words, row_words, short_name

if TYPE_CHECKING:
    from jinja2 import Template

Words = dict[str, Any]

LOCK = "index"  # the name of the lock that a process holds while it writes the page
MAX_RUNS = 50  # in the history of one series
MAX_ROWS = 2_000  # in all histories together, so that a page of many series stays small
MIN_RUNS = 5
MIN_POINTS, MAX_POINTS = 3, 30  # of a sparkline
MAX_PARTS = 12  # of a subject before its list is folded
_WIDE, _HIGH = 120, 30
# Parameters that differ from month to month within one series.
_MOVING = ("as_of", "source", "mapping")


def rebuild(out: Path, without: Collection[tuple[str, str]] = ()) -> tuple[Path, list[Path]]:
    """Writes ``index.html`` under ``out`` again; returns its path and the run records that could not be read.

    A lock makes sure that one process at a time reads the records and writes the page, so a newer page is never
    replaced by an older one. After 30 seconds of waiting the page is written without the lock. Runs in ``without``
    (series, run id) are left out. Raises ParameterError if nothing can be written.
    """
    with locks.hold(out, LOCK, wait=30):
        return write(out, without)


def write(out: Path, without: Collection[tuple[str, str]] = ()) -> tuple[Path, list[Path]]:
    """The same as ``rebuild``, for a caller that holds the lock of the index."""
    path = out / "index.html"
    records, broken = run_records.read_records(out)
    described = run_records.describe_series(out, records, broken, without)
    replace_file(path, render(described, cs_helpers.__version__))
    return path, broken


def render(series: Sequence[Mapping[str, Any]], version: str) -> str:
    """The HTML of the index page; ``series`` as ``run_records.read_series`` returns them.

    All texts come from run records, so they are escaped and invisible characters in them are made visible.
    """
    return _template().render(
        subjects=subjects(series),
        counts=counts(series),
        made=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        version=version,
        policy=html.policy(),
        css=html.asset("shell.css"),
        script=html.asset("shell.js"),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(html.SHELL),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str and not value.isprintable() else value,
    )
    environment.filters |= {"day": _day, "moment": moment_words, "short_moment": _short_moment, "shortened": _shortened}
    environment.filters["status"] = STATUS_WORDS.get
    return environment.get_template("index_page.html.j2")


def subjects(series: Sequence[Mapping[str, Any]]) -> list[Words]:
    """The series grouped by subject, sorted by title.

    Keys: title, question, ``whole`` (series that are not part of a fan-out: the report itself and the shared one),
    ``parts`` (series of one fan-out value each), ``by`` (the column of the fan-out in words), ``folded`` (whether the
    list of parts is closed because it is long) and ``failing`` (number of parts whose last run failed).
    """
    max_runs = max(MIN_RUNS, min(MAX_RUNS, MAX_ROWS // max(1, len(series))))
    groups: dict[str, list[tuple[Mapping[str, Any], Words]]] = {}
    taken: set[str] = set()
    for one in series:
        groups.setdefault(str(one["subject"]), []).append((one, _one_series(one, max_runs, taken)))
    return sorted((_subject(group) for group in groups.values()), key=lambda group: group["title"].casefold())


def counts(series: Sequence[Mapping[str, Any]]) -> list[str]:
    """The number of reports and of warnings, in words; empty if there are no reports."""
    if not series:
        return []
    good = [one["last_good"]["status"] for one in series if one["last_good"]]
    found = [f"{len(series)} report{'' if len(series) == 1 else 's'}"]
    for number, words in ((good.count("ok"), "without warnings"), (good.count("warnings"), "with warnings")):
        found += [f"{number} {words}"] if number else []
    return found


def sparkline(tiles: Sequence[Mapping[str, Any]]) -> Words | None:
    """A small line of one figure over the reports of a series, oldest first; None for fewer than three numbers.

    Keys: ``points`` (of an SVG polyline in a box of 120 by 30), ``x``, ``y`` of the last point, ``interval`` (low and
    high end of the last interval in the box, or None) and ``label`` (what the line shows, in words). The scale
    includes the last interval, so that changes smaller than the interval look small.
    """
    with_value = [tile for tile in tiles if tile.get("value") is not None][-MAX_POINTS:]
    if len(with_value) < MIN_POINTS:
        return None
    values = [float(tile["value"]) for tile in with_value]
    ends = [float(end) for end in (with_value[-1].get("low"), with_value[-1].get("high")) if end is not None]
    bottom, top = min([*values, *ends]), max([*values, *ends])
    room = top - bottom

    def y(value: float) -> float:
        return _HIGH - 4 - ((value - bottom) / room if room and math.isfinite(room) else 0.5) * (_HIGH - 8)

    step = (_WIDE - 8) / (len(values) - 1)
    at = [(3 + place * step, y(value)) for place, value in enumerate(values)]
    lowest, highest = (pick(with_value, key=lambda tile: tile["value"]) for pick in (min, max))
    return {
        "points": " ".join(f"{a:.1f},{b:.1f}" for a, b in at),
        "x": f"{at[-1][0]:.1f}",
        "y": f"{at[-1][1]:.1f}",
        "interval": [f"{y(end):.1f}" for end in ends] if len(ends) == 2 else None,
        "label": f"{_name(with_value[-1])} over the last {len(with_value)} reports: from {figure(with_value[0])} to "
        f"{figure(with_value[-1])}, lowest {figure(lowest)}, highest {figure(highest)}",
    }


def _subject(group: Sequence[tuple[Mapping[str, Any], Words]]) -> Words:
    parts = [words for _, words in group if words["columns"]]
    first, best = group[0][0], next((one for one, _ in group if one["last_good"]), group[0][0])
    columns = list(dict.fromkeys(words["columns"] for words in parts))
    return {
        "title": best["title"] if best["title"] != best["series"] else str(first["subject"]),
        "question": best["question"],
        "whole": [words for _, words in group if not words["columns"]],
        "parts": parts,
        "by": " and ".join(columns),
        "folded": len(parts) > MAX_PARTS,
        "failing": sum(bool(words["failed"]) for words in parts),
    }


def _one_series(one: Mapping[str, Any], max_runs: int, taken: set[str]) -> Words:
    good, history = one["last_good"], one["history"]
    pairs = [part.partition("=") for part in one["series"].split("/")[1:]]
    fans = [(column, value) for column, equals, value in pairs if equals and column != "audience"]
    loose = [column for column, equals, _ in pairs if not equals]
    named = [_as_given(column, value, good) for column, value in fans] + loose
    tiles = (good or {}).get("headline") or []
    return {
        **{key: one[key] for key in ("series", "title", "broken")},
        "id": _anchor(one["series"], taken),
        "columns": " and ".join(column.replace("_", " ") for column, _ in fans) or ("part" if loose else ""),
        "value": ", ".join(named),
        "audience": next((value for column, _, value in pairs if column == "audience"), ""),
        "good": good,
        "since": _since(good["changed"]) if good and (good.get("changed") or {"rows": []})["rows"] else "",
        "tiles": _tiles(good, _reports(good, history)) if good else [],
        "failed": one["last_failed"],
        "runs": len(history),
        "history": [
            run | {"message": run["message"] or "", "figures": _figures(run, tiles[:5])} for run in history[:max_runs]
        ],
        "heads": [short_name(_name(tile)) for tile in tiles[:5]],
        # The text in which the search box searches.
        "find": " ".join([one["title"], one["series"], *named, one["question"], *map(_name, tiles)]).casefold(),
    }


def _since(changed: Mapping[str, Any]) -> str:
    as_of = f", as of {_day(changed['as_of'])}" if changed.get("as_of") else ""
    other = f"; also changed: {', '.join(changed['other'])}" if changed["other"] else ""
    return f"Compared with the report of {moment_words(changed['started_at'])}{as_of}{other}."


def _tiles(good: Mapping[str, Any], reports: Sequence[Any]) -> list[Words]:
    changed = {row["key"]: row for row in (good.get("changed") or {"rows": []})["rows"]}
    found = []
    for tile in good.get("headline") or []:
        key, unit, row = tile["key"], tile.get("unit"), changed.get(tile["key"])
        same = [each for tiles in reports for each in tiles if each["key"] == key and each.get("unit") == unit]
        found.append(
            {
                "short": short_name(_name(tile)),
                "name": _name(tile),
                "text": figure(tile),
                "then": f"was {row['then']}: {row_words(row)}" if row else "",
                "spark": sparkline(same),
            }
        )
    return found


def _settings(run: Mapping[str, Any]) -> Any:
    given = run.get("parameters")
    return {name: given[name] for name in given if name not in _MOVING} if isinstance(given, dict) else given


def _reports(good: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The headlines that a line may connect, oldest first: same settings as the last good run, and each state of the
    data once.
    """
    found: dict[Any, Any] = {}
    settings = _settings(good)
    for place, run in enumerate(history):
        if run["status"] == "failed" or _settings(run) != settings:
            continue
        fingerprint = run["source_fingerprint"]
        basis = (run["as_of"], fingerprint) if isinstance(fingerprint, str) else place
        if basis not in found:
            found[basis] = run["headline"] or []
        if len(found) == MAX_POINTS:
            break
    return list(found.values())[::-1]


def _figures(run: Mapping[str, Any], tiles: Sequence[Mapping[str, Any]]) -> list[str]:
    figures = {tile["key"]: figure(tile) for tile in run["headline"] or []}
    return [figures.get(tile["key"], "–") for tile in tiles]


def _as_given(column: str, value: str, good: Mapping[str, Any] | None) -> str:
    """The value as it was typed in the parameters of the run (``SMB`` for ``smb``), or the value itself."""
    parameters = (good or {}).get("parameters")
    texts = [text for text in parameters.values() if isinstance(text, str)] if isinstance(parameters, dict) else []
    for text in texts:
        for as_typed in re.findall(rf"(?:^|[\s,;&]){re.escape(column)} ?= ?([^,;&]+)", text):
            if _plain(as_typed) == _plain(value):
                return str(as_typed).strip()
    return value


def _plain(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text).strip("-").casefold()


def _anchor(series: str, taken: set[str]) -> str:
    """A unique HTML id for the series."""
    plain = re.sub(r"[^\w=.-]+", "-", series) or "series"
    name = next(name for number in count(1) if (name := f"{plain}-{number}" if number > 1 else plain) not in taken)
    taken.add(name)
    return name


def _shortened(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else f"{text[:max_length]} ... (cut)"


def _short_moment(text: str) -> str:
    started = datetime.fromisoformat(text)
    return f"{started.day} {started:%b %Y, %H:%M}"


def _day(text: str | None, month: str = "%B") -> str:
    try:
        day = datetime.fromisoformat(text or "")
        return f"{day.day} {day.strftime(month)} {day.year}"
    except ValueError:
        return text or "unknown"


def _name(tile: Mapping[str, Any]) -> str:
    return str(tile.get("name") or tile["key"])
