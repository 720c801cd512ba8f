"""What happened, for machines: one line of JSON per event, by day, under ``.logs`` of the folder of reports.

Each line has ``at`` (UTC), ``event``, and what belongs to it, ``run_id`` above all. A line is one write to a file that
is opened for appending, so several processes may write at once. Nothing is sent anywhere; CS_HELPERS_LOG=stderr writes
the lines there instead, for containers whose platform collects them.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cs_helpers.publish.publish import redact_all

FOLDER = ".logs"
VARIABLE = "CS_HELPERS_LOG"


def event(out: Path, what: str, **fields: Any) -> None:
    """Writes one event. A log that cannot be written is no reason to lose a report: this never raises OSError."""
    now = datetime.now(UTC)
    line = {"at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "event": what, "pid": os.getpid()}
    text = json.dumps(redact_all(line | fields), ensure_ascii=True, default=str) + "\n"
    try:
        if os.environ.get(VARIABLE) == "stderr":
            sys.stderr.write(text)
            return
        folder = out / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / f"{now:%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
    except OSError:
        pass


def read(out: Path) -> list[dict[str, Any]]:
    """All events in the folder, the oldest first; a line cut off by a crash is left out."""
    events = []
    for file in sorted((out / FOLDER).glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue
    return events
