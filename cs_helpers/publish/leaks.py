"""The last look at a report for sharing: no file of it names an account or a person, wherever the name stands.

What must not be named comes from the notebook itself (see ``reports.sharing``); this module finds it in the texts that
are about to be published: the page with its attributes and drawings, every text of the notebook with its metadata, the
run record, further files. What it says of a find tells the place and the kind, never the name.
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

_SAYS = {
    "Account": "names an account",
    "Rep": "names a rep",
    "User": "holds the key of a user",
    "Ticket": "holds the key of a ticket",
    "Subscription": "holds the key of a subscription",
    "Candidate": "holds the key of a candidate",
    "Person": "names a person",
    "filter": "says by which value the accounts were chosen",
    "key": "holds the key of the pseudonyms",
    MAIL: "holds an e-mail address",
}
_PICTURE = "holds a picture or encoded data, which cannot be read for names"
_ENCODED = re.compile(r"data:[\w.+-]+/[\w.+-]+[^,\s\"'<>]{0,80};base64,", re.IGNORECASE)
# Modules whose texts stand in reports, and words of the formats of notebooks and of their pages.
_SPEAKING = (
    *SUBJECTS, "core/estimates.py", "core/metrics.py", "core/periods.py", "report", "show", "data/contract",
    "data/metrics.py", "data/tables/findings.py", "data/tables/across.py", "data/tables/inspection.py",
    "data/tables/sharing.py",
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
    """What the files (name -> text) must not hold, one line for each place and kind."""
    found: list[str] = []
    for file, text in files.items():
        for place, texts in _places(file, text):
            kinds = dict.fromkeys(kind for each in texts for kind in names.named_in(each))
            found += [f"{place}: {_SAYS.get(kind, 'names somebody')}" for kind in kinds]
        if file.endswith(".html") and _ENCODED.search(text):
            found.append(f"{file}: {_PICTURE}")
    return found


def _places(file: str, text: str) -> Iterable[tuple[str, Iterable[str]]]:
    """The places of a file and the texts that stand in each."""
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
    """The outputs of a notebook that are neither text nor drawn in text, so that nobody can look for names in them."""
    return [
        f"notebook.ipynb, cell {number}: {_PICTURE} ({kind}). Show a table or a chart instead."
        for number, cell in enumerate(notebook["cells"], 1)
        for output in cell.get("outputs", [])
        for kind in output.get("data", {})
        if re.match(r"(image|audio|video)/(?!svg\+xml)|application/(pdf|octet-stream|zip)", kind)
    ]


def searchable(names: Mapping[str, Iterable[str]], notebook: Path) -> tuple[Identities, tuple[str, ...]]:
    """The names to look for, and those that cannot be told from the report's own words, which are left out.

    Left out are names of one word that stands in the notebook before it runs or in what the package itself says, names
    of several words that the package says, and digits alone that are too few. Texts that are values of parameters are
    no words of the notebook.
    """
    own = _own_text()
    found = Identities(names, ordinary=_own_words() | frozenset(words(plain_text(_text_before(notebook)))))
    said = found.names_in(own)
    if said:
        left = {kind: [name for name in several if name not in said] for kind, several in names.items()}
        return Identities(left, ordinary=frozenset(_words_of(found.unscanned))), (*found.unscanned, *sorted(said))
    return found, found.unscanned


def _words_of(names: Iterable[str]) -> Iterable[str]:
    return (word for name in names for word in words(plain_text(name)))


def _text_before(notebook: Path) -> str:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content.get("cells", []):
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            cell["source"] = _without_texts("".join(cell["source"]))
    return "\n".join(all_texts(content))


def _without_texts(source: str) -> str:
    """Python source without its string literals: names, numbers and comments stay."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return " ".join(token.string for token in tokens if token.type != tokenize.STRING)


@cache
def _own_text() -> str:
    """What the package itself can say in a report: texts of its modules but for what they say to programmers, and the
    shell of its pages."""
    found = [_FORMATS]
    for name in _SPEAKING:
        path = PACKAGE / name
        for module in [path] if path.suffix else sorted(path.rglob("*.py")):
            found += _spoken(ast.parse(module.read_text(encoding="utf-8")))
    found += [path.read_text(encoding="utf-8") for path in sorted((PACKAGE / "publish" / "shell").rglob("*.*"))]
    return "\n".join(found)


def _spoken(tree: ast.Module) -> list[str]:
    notes = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }  # docstrings
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes
    ]


@cache
def _own_words() -> frozenset[str]:
    return frozenset(words(plain_text(_own_text())))
