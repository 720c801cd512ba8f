"""Creates a notebook with the standard sections that runs at once, from ``template.ipynb`` beside this file.

The template is an ordinary notebook: it can be opened, run and improved like any other.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from cs_helpers.core.errors import ParameterError
from cs_helpers.subjects import SUBJECTS

TEMPLATE = Path(__file__).with_name("template.ipynb")
FOLDER = Path("notebooks")

# Names of the subjects, of the data check and of planned subjects.
_RESERVED = {*SUBJECTS, "data_check", "health", "voice", "capacity", "scorecard", "team"}
# Names of other files and folders below reports/, and names that Windows does not allow.
_TAKEN = {"check", "index", "latest", "con", "prn", "aux", "nul"}
_SAFE = re.compile(r"[a-z][a-z0-9_-]{0,59}")


def create(name: str, title: str = "", question: str = "") -> Path:
    """Writes ``notebooks/<name>.ipynb`` and returns its path.

    A missing title or question is made from the name; a question always ends in "?". Raises ParameterError, with
    nothing written, for a name that is unsafe as a file or folder, reserved or already taken, and if the working
    directory has no folder ``notebooks``.
    """
    _refuse(name)
    words = re.sub(r"[_-]+", " ", name).strip()
    title = _one_line(title).lstrip("# ") or words.capitalize()
    question = _one_line(question).rstrip("?. ") or f"What should we know about {words}"
    notebook = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = [f"# {title}\n", "\n", f"{question}?"]
    path = FOLDER / f"{name}.ipynb"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise ParameterError(f"{path} exists already.\n  Choose another name, or remove that file first.") from None
    except OSError as error:
        raise ParameterError(f"{path}: cannot be written: {error.strerror}.") from None
    return path


def _refuse(name: str) -> None:
    if not _SAFE.fullmatch(name):
        safe = re.sub(r"[^a-z0-9_-]+", "_", name.lower().removesuffix(".ipynb")).strip("_-")[:60].lstrip("0123456789_-")
        hint = f" For example '{safe}'." if _SAFE.fullmatch(safe) else ""
        raise ParameterError(
            f"'{name}' cannot name a notebook.{hint}\n"
            "  Use small letters, digits, _ and -, at most 60, beginning with a letter."
        )
    if name in _TAKEN:
        raise ParameterError(
            f"'{name}' cannot name a notebook, because its folder of reports would have a reserved name."
        )
    if name in _RESERVED:
        raise ParameterError(
            f"'{name}' is reserved for cs-helpers itself.\n  Choose another name, such as 'our_{name}'."
        )
    if not FOLDER.is_dir():
        # Creating the folder would hide the notebooks of the package.
        raise ParameterError(
            f"There is no folder {FOLDER} here.\n"
            f"  Change to the folder of the project, or start a new one here: mkdir {FOLDER}"
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
