"""The log for machines: one line of JSON per event, one file per day, in ``.logs`` below the folder of reports.

Each line has ``at`` (UTC), ``event`` and further fields such as ``run_id``. Each line is one write to a file opened for
appending, so several processes can write at the same time. Nothing is sent anywhere. CS_HELPERS_LOG=stderr writes the
lines to stderr instead, for containers whose platform collects it.
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
    """Writes one event. Never raises OSError, because a log that cannot be written must not stop a report."""
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
