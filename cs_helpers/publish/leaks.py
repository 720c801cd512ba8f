"""The scan of a shared report before it is published: no file may name an account or a person.

The notebook itself states the names (see ``publish.sharing``). This module searches for them in all texts that are
about to be published: the page with its attributes and drawings, the notebook with its metadata, the run record and
further files. Its messages state place and kind of a finding, never the name.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cs_helpers.core.identities import MAIL, Identities, all_texts, plain_text, words
from cs_helpers.subjects import SUBJECTS

PACKAGE = Path(__file__).resolve().parents[1]

_FINDINGS = {
    "Account": "names an account",
    "Rep": "names a rep",
    "User": "holds the key of a user",
    "Ticket": "holds the key of a ticket",
    "Subscription": "holds the key of a subscription",
    "Candidate": "holds the key of a candidate",
    "Person": "names a person",
    "filter": "states the value by which the accounts were chosen",
    "key": "holds the key of the pseudonyms",
    MAIL: "holds an e-mail address",
}
_PICTURE = "holds a picture or encoded data, which cannot be read for names"
_ENCODED = re.compile(r"data:[\w.+-]+/[\w.+-]+[^,\s\"'<>]{0,80};base64,", re.IGNORECASE)
# Modules whose texts appear in reports, and words of the formats of notebooks and pages.
REPORT_TEXTS = (
    *SUBJECTS, "core/estimates.py", "core/metrics.py", "core/periods.py", "report", "data/contract",
    "data/data_check.py", "data/views.py", "data/charts.py", "data/metrics.py", "data/tables/findings.py",
    "data/tables/across.py", "data/tables/inspection.py", "data/tables/sharing.py",
)  # fmt: skip
_FORMATS = """
application ansi array base basic cell cells charset class code collapsed completed content container count data div
div display doctype duration ename error evalue exception execute execution false format full head header hidden
highlight html id image injected input inputarea install ipykernel ipython javascript json jp jupyter kernelspec
language lib lm lx margin markdown math md mimetype minor mod name nb nbconvert nbformat no null output outputarea
outputs panel papermill parameters pending plain prompt python r render rendered res result root rsubcell run s script
section shared source span start status stderr stdout stream style svg tag tags text thebelab toc toolbar traceback true
type utf version widget widgets wrapper xml xmlns http https www w3 org
"""


def scan(files: Mapping[str, str], names: Identities) -> list[str]:
    """Findings in the files (name -> text), one line for each place and kind; empty if the report may be published."""
    found: list[str] = []
    for file, text in files.items():
        for place, texts in _places(file, text):
            kinds = dict.fromkeys(kind for each in texts for kind in names.named_in(each))
            found += [f"{place}: {_FINDINGS.get(kind, 'names a person or account')}" for kind in kinds]
        if file.endswith(".html") and _ENCODED.search(text):
            found.append(f"{file}: {_PICTURE}")
    return found


def _places(file: str, text: str) -> Iterable[tuple[str, Iterable[str]]]:
    """The places of a file, each with its texts."""
    if file.endswith(".ipynb"):
        notebook = json.loads(text)
        for number, cell in enumerate(notebook["cells"], 1):
            yield f"{file}, cell {number}", all_texts(cell)
        yield f"{file}, metadata", all_texts({key: part for key, part in notebook.items() if key != "cells"})
    elif file.endswith(".json"):
        yield file, all_texts(json.loads(text))
    else:
        yield file, [text]


def pictures(notebook: Mapping[str, Any]) -> list[str]:
    """Outputs of a notebook that cannot be searched for names, because they are neither text nor SVG."""
    return [
        f"notebook.ipynb, cell {number}: {_PICTURE} ({kind}). Show a table or a chart instead."
        for number, cell in enumerate(notebook["cells"], 1)
        for output in cell.get("outputs", [])
        for kind in output.get("data", {})
        if re.match(r"(image|audio|video)/(?!svg\+xml)|application/(pdf|octet-stream|zip)", kind)
    ]


def searchable(names: Mapping[str, Iterable[str]], notebook: Path) -> tuple[Identities, tuple[str, ...]]:
    """The names to search for, and the names that are excluded because the report itself uses the same words.

    Excluded are names of one word that occurs in the notebook before it runs or in the texts of this package, names of
    several words that occur in the package, and short numbers. Values of parameters do not count as words of the
    notebook.
    """
    own = _own_text()
    found = Identities(names, ordinary=_own_words() | frozenset(words(plain_text(_text_before(notebook)))))
    own_names = found.names_in(own)
    if own_names:
        left = {kind: [name for name in several if name not in own_names] for kind, several in names.items()}
        ordinary = (word for name in found.unscanned for word in words(plain_text(name)))
        return Identities(left, ordinary=frozenset(ordinary)), (*found.unscanned, *sorted(own_names))
    return found, found.unscanned


def _text_before(notebook: Path) -> str:
    """All texts of a notebook before it runs, without the string literals of its parameters cell."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content.get("cells", []):
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            tokens = tokenize.generate_tokens(io.StringIO("".join(cell["source"])).readline)
            cell["source"] = " ".join(token.string for token in tokens if token.type != tokenize.STRING)
    return "\n".join(all_texts(content))


@cache
def _own_text() -> str:
    """All texts that this package can show in a report: strings of its modules without docstrings, and the shell."""
    found = [_FORMATS]
    for name in REPORT_TEXTS:
        path = PACKAGE / name
        for module in [path] if path.suffix else sorted(path.rglob("*.py")):
            nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
            docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
            constants = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings)
            found += [node.value for node in constants if isinstance(node.value, str)]
    found += [path.read_text(encoding="utf-8") for path in sorted((PACKAGE / "publish" / "shell").rglob("*.*"))]
    return "\n".join(found)


@cache
def _own_words() -> frozenset[str]:
    return frozenset(words(plain_text(_own_text())))
