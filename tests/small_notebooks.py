"""Notebooks of a few cells, written where a test needs them."""

from __future__ import annotations

import json
from pathlib import Path

PARAMETERS = 'source = "."  # where the data is\nas_of = None  # the date of the report\nwhere = ""  # which accounts\n'
TILES = """from IPython.display import display
def tell(kind, **said):
    display({f"application/vnd.cs-helpers.{kind}+json": said, "text/html": kind}, raw=True)
tile = {"key": "grr", "name": "GRR", "value": 0.9, "low": 0.8, "high": 0.95, "unit": "fraction", "n": 40}
tell("headline", headline=[tile])
tell("takeaways", takeaways=["Nine of ten stayed."])
tell("report", company="Made up", as_of="2026-01-01", source_fingerprint=str(as_of) + where)
"""


def notebook(path: Path, *cells: str, parameters: str = PARAMETERS, said: bool = True) -> Path:
    """Writes a notebook: heading, parameters, these code cells, and (unless not ``said``) a headline at its end."""
    sources = [("markdown", "# Small\n\nDoes it run?", [])]
    sources.append(("code", parameters, ["parameters"]))
    sources.append(("markdown", "## Summary", []))
    sources += [("code", source, []) for source in cells]
    sources += [("code", TILES, [])] if said else []
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {"cell_type": kind, "id": f"c{place}", "metadata": {"tags": tags} if tags else {}, "source": source}
            | ({"outputs": [], "execution_count": None} if kind == "code" else {})
            for place, (kind, source, tags) in enumerate(sources)
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
