"""Drafts a mapping from the headers and values of an export; nothing ambiguous is guessed.

    source -> samples -> matching (file x table) -> planning (the folder) -> composing (lines) -> layout (YAML)

``vocabulary`` compares headers with the names in ``vocabulary.yml``; ``dates`` finds date formats; ``ready`` recognises
exports for which a mapping comes with the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cs_helpers.data.mapping.draft.composing import Certainty, compose
from cs_helpers.data.mapping.draft.layout import as_text
from cs_helpers.data.mapping.draft.planning import common_words, plan
from cs_helpers.data.mapping.draft.ready import compose_ready, known_exports, recognise
from cs_helpers.data.mapping.draft.samples import FolderSample, look

if TYPE_CHECKING:
    from cs_helpers.data.mapping.model import ExportMapping
    from cs_helpers.data.sources import Source

__all__ = ["Draft", "draft"]


@dataclass(frozen=True)
class Draft:
    """A drafted mapping: the ``text`` to edit, the ``certainty`` of each column and the open ``questions``."""

    text: str
    certainty: tuple[Certainty, ...]
    questions: tuple[str, ...]

    def write(self, path: str | Path) -> None:
        """Save the text as UTF-8."""
        Path(path).write_text(self.text, encoding="utf-8", newline="\n")


def draft(source: Source, name: str = "") -> Draft:
    """The draft for a source; ``name`` is the company's, as the reports print it.

    An export that a ready mapping describes gets ``use: NAME`` and what differs; any other is worked out from its
    headers and values.
    """
    return draft_of(look(source), name, known_exports())


def draft_of(folder: FolderSample, company: str = "", ready: Mapping[str, ExportMapping] | None = None) -> Draft:
    """The draft for samples in memory, with the ready mappings given."""
    company = company or " ".join(common_words(folder.files)).title()
    known = recognise(folder, ready or {})
    made = compose_ready(known, folder, company) if known else compose(plan(folder), company)
    return Draft(as_text(made.lines, made.head), made.certainty, made.questions)
