"""What changed since the last report of the same series: each headline figure, then and now.

A difference between two runs proves nothing by itself: their periods overlap, and figures of few accounts vary at
random. So each row also states whether the earlier value lies inside today's interval, and claims nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cs_helpers.publish import run_records
from cs_helpers.publish.series import Record
from cs_helpers.publish.words import figure

_MAX_RUNS = 50


def since_last(record: Mapping[str, Any], out: Path) -> Record | None:
    """The comparison with the last good run of the series under ``out`` that used other data; None if there is none.

    Keys: run_id, as_of, started_at of that run; ``other``, the names of what differs besides the data (parameters,
    definitions); ``rows``: key, name, then, now (texts), unit, difference (None where one of them is missing)
    and inside (whether the earlier value lies in today's interval, None without an interval). Runs of the same data
    at the same as-of date are skipped, because they repeat the same report.
    """
    for path in sorted((out / record["series"]).glob("*/run.json"), reverse=True)[:_MAX_RUNS]:  # sorted by time
        try:
            earlier = run_records.read_record(path)
        except run_records.UNREADABLE:
            continue  # the index page reports broken records
        good_earlier = earlier["status"] != "failed" and earlier["run_id"] < record["run_id"]
        if good_earlier and _basis(earlier) != _basis(record):
            return {
                "run_id": earlier["run_id"],
                "as_of": earlier.get("as_of"),
                "started_at": earlier["started_at"],
                "other": _other(earlier, record),
                "rows": _rows(earlier, record),
            }
    return None


def _basis(run: Mapping[str, Any]) -> tuple[Any, Any]:
    return run.get("as_of"), run.get("source_fingerprint")


def _other(earlier: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    then, now = earlier.get("parameters") or {}, record.get("parameters") or {}
    differ = [name for name in now if name != "as_of" and then.get(name) != now[name]]
    return differ + ["definitions"] * (earlier.get("definitions_version") != record.get("definitions_version"))


def _rows(earlier: Mapping[str, Any], record: Mapping[str, Any]) -> list[Record]:
    before = {tile.get("key"): tile for tile in earlier.get("headline") or []}
    rows = []
    for tile in record["headline"]:
        then = before.get(tile["key"])
        if then is None:
            continue
        value, earlier_value = tile.get("value"), then.get("value")
        comparable = value is not None and earlier_value is not None
        low, high = tile.get("low"), tile.get("high")
        rows.append(
            {
                "key": tile["key"],
                "name": tile.get("name") or tile["key"],
                "unit": tile.get("unit"),
                "then": figure(then),
                "now": figure(tile),
                "difference": round(value - earlier_value, 6) if comparable else None,
                "inside": bool(low <= earlier_value <= high) if comparable and None not in (low, high) else None,
            }
        )
    return rows
