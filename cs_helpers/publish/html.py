"""Renders an executed notebook as one self-contained HTML page: nbconvert's ``basic`` template in our own shell.

Code is hidden and nothing is fetched. Styles and the only script are part of the page, and a Content-Security-Policy
forbids everything else, so even a string from data that was not escaped could do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cs_helpers.core.errors import visible
from cs_helpers.publish.series import outputs
from cs_helpers.publish.words import STATUS_WORDS, day_words, moment_words, row_words, short_name

if TYPE_CHECKING:
    from nbconvert.exporters import HTMLExporter
    from nbformat import NotebookNode

SHELL = Path(__file__).parent / "shell"
FOLDED = ("Method", "Data quality", "Provenance")
MIME = "application/vnd.cs-helpers.report+json"
STYLE = re.compile(r'<style class="cs-style">[^<]*</style>')
"""The styles that each output carries for JupyterLab."""
_HEADING = re.compile(r"## +(.+)\n*")
_IMAGE_WITHOUT_TEXT = re.compile(r"""<img(?![^<>]*\salt=["'])""", re.IGNORECASE)


@cache
def asset(name: str) -> str:
    """A file of the shell, without comment lines and indents; a style sheet also without line ends."""
    text = re.sub(r"^\s*//.*\n", "", (SHELL / name).read_text(encoding="utf-8"), flags=re.M).strip()
    if not name.endswith(".css"):
        return re.sub(r"\n\s*", "\n", text)
    # The dark colours are written once and serve both the switch of the page and a dark system.
    dark = re.search(r'\[data-theme="dark"\][^{]*\{([^}]*)\}', text)
    if dark:
        system = f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{{dark[1]}}} }}'
        text = text.replace("/* components:", f"{system}\n/* components:", 1)
    return re.sub(r"\s*\n\s*", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S))


def policy() -> str:
    """The Content-Security-Policy of every page: inline styles, our script by its hash, nothing from outside."""
    digest = base64.b64encode(hashlib.sha256(asset("shell.js").encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def render_report(notebook: NotebookNode, record: Mapping[str, Any]) -> str:
    """The page of one executed notebook; ``record`` is its run record (see ``publish.run``)."""
    pages = deepcopy(notebook)
    about: dict[str, Any] = {}
    for output in outputs(pages):
        data = output.get("data", {})
        about |= {key: visible(text) if isinstance(text, str) else text for key, text in data.get(MIME, {}).items()}
        if "text/html" in data:
            data["text/html"] = STYLE.sub("", data["text/html"])  # the page has its own styles
    title, question = _title(pages)
    changes = _changes(record.get("changed"))
    contents, close = _lay_out(pages, changes is not None)
    page = {
        "policy": policy(),
        "css": asset("shell.css"),
        "script": asset("shell.js"),
        "title": title,
        "question": question,
        "company": about.get("company", ""),
        "status": record["status"],
        "status_words": STATUS_WORDS[record["status"]],
        "facts": _facts(about, str(record.get("audience", "full"))),
        "changes": changes,
        "contents": contents,
        "close": close,
        "version": record["package_version"],
        "command": command(record),
        "made": _made(record),
    }
    html, _ = _exporter().from_notebook_node(pages, resources={"page": page})
    return str(html)


def command(record: Mapping[str, Any]) -> str:
    """The command that runs the same report again."""
    import shlex

    options = {"source": "--source", "mapping": "--mapping", "as_of": "--as-of"}
    words = ["cs-helpers", "run", Path(str(record["notebook"])).stem]
    # The as-of date that the run found is written out, so that the command gives the same result next month.
    parameters = {**record["parameters"]}
    if "as_of" in parameters and record.get("as_of"):
        parameters["as_of"] = record["as_of"]
    for name, value in parameters.items():
        if value not in ("", None):
            words += [options[name], str(value)] if name in options else ["-p", f"{name}={value}"]
    return visible(shlex.join(words))


_AUDIENCES = {
    "full": "for internal use: names accounts and people",
    "shared": "for sharing: accounts and people under pseudonyms, small groups withheld",
}


def _facts(about: Mapping[str, Any], audience: str) -> list[str]:
    words: dict[str, Callable[[Any], str]] = {
        "as_of": lambda day: f"as of {day_words(day)}",
        "data_through": lambda day: f"data through {day_words(day)}",
        "accounts": lambda number: f"{number:,} accounts",
        "currency": lambda currency: f"amounts in {currency}",
        "filters": lambda filters: "" if filters == "none" else f"only {filters}",
    }
    facts = [in_words(about[key]) for key, in_words in words.items() if about.get(key)]
    return [*filter(None, facts), _AUDIENCES.get(audience, "")]


def _changes(changed: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The texts of the section "What changed" from a record's comparison with the last report; None without one."""
    if not changed or not changed["rows"]:
        return None
    as_of = f", as of {day_words(changed['as_of'])}" if changed.get("as_of") else ""
    other = f" Also changed: {', '.join(changed['other'])}." if changed["other"] else ""
    return {
        "since": f"The last report on other data was made {moment_words(changed['started_at'])}{as_of}.{other}",
        "rows": [{**row, "name": short_name(row["name"]), "words": row_words(row)} for row in changed["rows"]],
    }


def _made(record: Mapping[str, Any]) -> str:
    parts = [
        f"Made {moment_words(record['started_at'])} by cs-helpers {record['package_version']}",
        f"commit {record['commit']}" if record.get("commit") else "",
        f"definitions {record['definitions_version']}" if record.get("definitions_version") else "",
        f"run {record['run_id']}",
        f"{record['duration_s']:.1f} s",
    ]
    return " · ".join(part for part in parts if part)


def _title(notebook: NotebookNode) -> tuple[str, str]:
    """Title and question from the first cell, which is removed because the header of the page shows them."""
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        return "Report", ""
    title, _, question = first.source[2:].partition("\n")
    notebook.cells = notebook.cells[1:]
    return title.strip(), " ".join(question.split())


def cells_above_sections(notebook: NotebookNode) -> list[int]:
    """Positions of the cells above the first ``## Heading`` that show something: the page leaves them out.

    The title does not count, nor do facts that the header of the page shows.
    """
    found = []
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and _HEADING.match(cell.source):
            break
        is_title = position == 0 and cell.source.startswith("# ")
        if any(map(_is_visible, cell.get("outputs", []))) or (
            cell.cell_type == "markdown" and cell.source.strip() and not is_title
        ):
            found.append(position)
    return found


def _is_visible(output: Mapping[str, Any]) -> bool:
    if output["output_type"] == "stream":
        return bool(output["name"] == "stdout")
    data = output.get("data", {})
    return bool(data) and not any(kind.startswith(MIME.partition("report")[0]) for kind in data)


def _lay_out(notebook: NotebookNode, changes: bool) -> tuple[list[dict[str, Any]], str]:
    """Marks where sections begin; returns the table of contents and the tag that closes the last section.

    ``## Heading`` opens a section and ``### Heading`` an entry in it. "What changed" follows the first section. Cells
    above the first section load data and are left out; a run names those that show something
    (``cells_above_sections``). Headings come from the author, never from data.
    """
    contents: list[dict[str, Any]] = []
    close, opened, cells = "", 0, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = _HEADING.match(cell.source)
            if heading:
                title = heading[1].strip()
                folded = title in FOLDED
                cell.source = cell.source[heading.end() :]
                opened += 1
                after_changes = changes and opened == 2
                section = {"id": _slug(title), "title": title, "folded": folded, "close": close}
                cell.metadata["section"] = section | {"after_changes": after_changes}
                if after_changes:
                    contents.append({"id": "what-changed", "title": "What changed", "level": 2})
                contents.append({"id": _slug(title), "title": title, "level": 2})
                close = "</details>" if folded else "</section>"
            for title in re.findall(r"^### +(.+)$", cell.source, flags=re.M):
                contents.append({"id": f"s-{_slug(title)}", "title": title.strip(), "level": 3})
            cell.source = re.sub(r"^### +(.+)$", _subheading, cell.source, flags=re.M)
        if opened:
            cells.append(cell)
    notebook.cells = cells
    return contents, close


def _subheading(match: re.Match[str]) -> str:
    return f'<h3 id="s-{_slug(match[1])}">{match[1].strip()}</h3>\n'


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


@cache
def _exporter() -> HTMLExporter:
    """One exporter for all reports of a process, because loading its templates takes longer than rendering a page."""
    from nbconvert.exporters import HTMLExporter, TemplateExporter
    from nbconvert.filters.highlight import Highlight2HTML
    from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

    class Page(HTMLExporter):
        """Skips nbconvert's parsing of the finished page, which adds texts to images, unless an image has none."""

        def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> Any:
            self.register_filter("highlight_code", Highlight2HTML(parent=self))  # type: ignore[no-untyped-call]
            kinds = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
            self.register_filter("filter_data_type", kinds)  # type: ignore[no-untyped-call]
            html, made = TemplateExporter.from_notebook_node(self, nb, self._init_resources(resources), **kw)  # type: ignore[no-untyped-call]
            if _IMAGE_WITHOUT_TEXT.search(html):
                return super().from_notebook_node(nb, resources, **kw)
            return html, made

    return Page(  # type: ignore[no-untyped-call]
        template_name="report",
        extra_template_basedirs=[str(SHELL)],
        # The other preprocessors would change nothing.
        default_preprocessors=["nbconvert.preprocessors.CoalesceStreamsPreprocessor"],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
    )
