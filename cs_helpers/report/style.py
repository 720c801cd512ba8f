"""The styles of what a cell shows, for JupyterLab: the same rules as the report's page, read from its style sheet."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def notebook_style() -> str:
    """A ``<style>`` element with the inks and the components of the report's shell, and nothing of its page."""
    sheet = files("cs_helpers").joinpath("publish", "shell", "shell.css").read_text(encoding="utf-8")
    components = re.sub(r"/\*.*?\*/", "", sheet[: sheet.index("/* page:")], flags=re.S)
    compact = re.sub(r"\s*\n\s*", "", components)
    return f'<style class="cs-style">{compact}</style>'
