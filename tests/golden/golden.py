"""The golden test of figures: what four reports say about known sources, kept, and compared with what they say now.

From the root of the repository:

    python tests/golden/golden.py collect NEW.json                     all sources, all notebooks
    python tests/golden/golden.py collect NEW.json --only sample:churn  one source and notebook
    python tests/golden/golden.py compare tests/golden/golden.json NEW.json
    python tests/golden/golden.py reduce NEW.json tests/golden/golden.json   after a change of figures that is meant

``collect`` runs the notebooks through the command line and keeps, of each run, the headline, the takeaways and the
quality records of run.json and every table of report.html. Run times, run ids, fingerprints, versions, paths and days
of running are not kept.

``compare`` works on content. Tables may be added, merged, renamed or put in another order; every row and column of the
first file must still be somewhere in the same run of the second. Differences are figures, or words (takeaways,
messages, sentences in cells that hold the same numbers as before). Exit codes: 0 no difference, 1 differences (with
``--words`` only those of figures count), 2 nothing could be compared.

``reduce`` writes what the repository may hold: everything of made-up companies; of the public data sets, which are
never committed, the headlines, and hashes of the rest. A hashed column can be found again but not read, so compare
two full collections to see what has become of it.

The public data sets lie beside the repository, in ../shared/datasets or in the folder that GOLDEN_DATASETS names. The
repository is the working directory, or the folder that GOLDEN_ROOT names; its code is used, whatever is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

# Headers of tables that were renamed on purpose since golden.json was written: {"old header": "new header"}, or for
# one notebook only {"reps: old header": "new header"}. Headers that say the same stay out of it.
RENAMED: dict[str, str] = {}

NOTEBOOKS = ("churn", "roi", "reps", "data_check")
KEY = "the golden test's own key, which is no secret"
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Source:
    """Data, and what each notebook is given to run on them."""

    place: str  # under the root; with a leading ~ under the folder of public data sets; a world's letters after a @
    runs: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(NOTEBOOKS, ()))
    mapping: str = ""

    @property
    def hashed(self) -> bool:
        """Whether its content must not be stored in the repository."""
        return self.place.startswith("~")


def given(settings: dict[str, object] | None = None, **values: object) -> tuple[str, ...]:
    """Parameters of a run; ``settings`` go into a settings file, see ``_in_file``."""
    words = [f"{name}={value}" for name, value in values.items()]
    words += [f"settings={json.dumps(settings)}"] if settings else []
    return tuple(word for each in words for word in ("-p", each))


def _in_file(word: str, file: Path) -> str:
    """Settings written into a file, which is named in their place; any other word as it is."""
    if not word.startswith("settings={"):
        return word
    file.write_text(word.partition("=")[2], encoding="utf-8")  # JSON is YAML too
    return f"settings={file}"


SOURCES = {
    "sample": Source("data/sample"),
    # The same company with everything in the reports that is computed only if it is asked for.
    "sample_parameters": Source(
        "data/sample",
        {
            "churn": given(
                by="industry", months=6, capacity=10, settings={"margin": 0.7, "discount": 0.12, "horizon": 24}
            ),
            "roi": given(
                relative_risk="1.0, 1.4, 2.2", by="industry",
                settings={
                    "expansion": [0.02, 0.05, 0.1], "expansion_lost": [0.1, 0.2, 0.3], "absorbed": [0.0, 0.1, 0.2],
                    "severance_months": "1, 2, 3", "notice_months": "1, 3, 6", "tail_below": 800.0,
                    "tail_share": "0.05, 0.1, 0.2", "contact_saved": "8000, 9000, 11000",
                    "contact_risk": "1.0, 1.02, 1.1", "lost_sale_chance": "0.001, 0.002, 0.004", "sale_value": 4000,
                    "draws": 100,
                },
            ),
            "reps": given(
                league_table=True, by="industry, region", months=6, settings={"handle_target": 20.0, "fdr": 0.1}
            ),
            "data_check": given(months=6),
        },
    ),
    "sample_shared": Source("data/sample", dict.fromkeys(("churn", "roi", "reps"), ("--audience", "shared"))),
    "world_A": Source("@A", {**dict.fromkeys(NOTEBOOKS, ()), "roi": given(negative_controls="late_payment")}),
    "world_N": Source("@N", {**dict.fromkeys(NOTEBOOKS, ()), "roi": given(negative_controls="late_payment")}),
    "ravenstack": Source(
        "~ravenstack/iso_dates",
        {
            **dict.fromkeys(NOTEBOOKS, ()),
            "roi": given(
                relative_risk="1.0, 1.2, 1.6",
                settings={
                    "everybody": True, "cost_per_month": 60_000.0, "margin": 0.8, "yearly_churn": "0.05, 0.1, 0.2"
                },
            ),
        },
        "ravenstack",
    ),
    "pwc_call_centre": Source(
        "~pwc_call_centre", {**dict.fromkeys(NOTEBOOKS, ()), "reps": given(months=3)}, "pwc_call_centre"
    ),
    "ibm_telco_churn": Source(
        "~ibm_telco_churn", {**dict.fromkeys(NOTEBOOKS, ()), "churn": given(by="Contract")}, "ibm_telco"
    ),
    "ibm_telco_status": Source("~ibm_telco_churn", {"churn": (), "data_check": ()}, "ibm_telco_status"),
}  # fmt: skip
WORLD = ("--accounts", "1000", "--months", "24", "--seed", "1")


class GoldenError(Exception):
    """Something that keeps the collection from being made."""


# --- collecting ---------------------------------------------------------------------------------------------------


def repository() -> Path:
    return Path(os.environ.get("GOLDEN_ROOT") or Path.cwd()).resolve()


def missing(root: Path, source: str) -> str:
    """Why the source cannot be read here, or nothing."""
    place = SOURCES[source].place
    if not SOURCES[source].hashed or _located(root, place).is_dir():
        return ""
    return f"the public data set {place[1:]} is not here; it is kept beside the repository, not in it"


def collect(
    root: Path, only: Iterable[str] = (), jobs: int = 2, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """``runs`` by source and notebook, ``data`` with a digest of each source, and what was ``skipped`` and why.

    ``only`` holds sources, or sources and notebooks with a colon between them. Raises GoldenError.
    """
    chosen = _chosen(only)
    environment = _environment(root)
    skipped = {source: why for source in dict.fromkeys(s for s, _ in chosen) if (why := missing(root, source))}
    for source, why in skipped.items():
        say(f"{source}: skipped, {why}")
    chosen = [(source, notebook) for source, notebook in chosen if source not in skipped]
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        places = {}
        for source in dict.fromkeys(source for source, _ in chosen):
            places[source] = _place(root, SOURCES[source].place, Path(folder) / source, environment)

        def one(run: tuple[str, str]) -> tuple[str, dict[str, Any]]:
            source, notebook = run
            out = Path(folder) / f"{source}-{notebook}"
            began = time.monotonic()
            record = _run(root, SOURCES[source], notebook, places[source], out, environment)
            seconds = time.monotonic() - began
            took[source] = took.get(source, 0.0) + seconds
            say(f"{source}:{notebook}: {record['status']}, {len(record['tables'])} tables, {seconds:.0f} s")
            return f"{source}:{notebook}", record

        with ThreadPoolExecutor(max_workers=jobs) as pool:
            runs = dict(pool.map(one, chosen))
        data = {source: _digest(root / place) for source, place in places.items()}
    for source, seconds in took.items():
        say(f"{source}: {seconds:.0f} s in all")
    return {"data": data, "skipped": skipped, "runs": runs}


def _chosen(only: Iterable[str]) -> list[tuple[str, str]]:
    everything = [(source, notebook) for source, one in SOURCES.items() for notebook in one.runs]
    wanted = list(only)
    names = {*SOURCES, *(f"{source}:{notebook}" for source, notebook in everything)}
    if unknown := [name for name in wanted if name not in names]:
        raise GoldenError(f"no such source or run: {', '.join(unknown)}. There are: {', '.join(sorted(names))}")
    return [run for run in everything if not wanted or run[0] in wanted or ":".join(run) in wanted]


def _environment(root: Path) -> dict[str, str]:
    """Of the runs: the code of this repository, one thread for linear algebra, the pseudonyms always the same."""
    if not (root / "cs_helpers").is_dir():
        raise GoldenError(f"{root} is not the repository. Run this from its root, or set GOLDEN_ROOT.")
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH")))),
        "CS_HELPERS_PSEUDONYM_KEY": KEY,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    asked = [sys.executable, "-c", "import cs_helpers; print(cs_helpers.__file__)"]
    ran = subprocess.run(asked, cwd=root, env=variables, capture_output=True, text=True, check=False)
    if ran.returncode or not Path(ran.stdout.strip()).resolve().is_relative_to(root):
        raise GoldenError(f"cs_helpers of {root} cannot be imported: {ran.stdout}{ran.stderr}".strip())
    return variables


def _located(root: Path, place: str) -> Path:
    return root / os.environ.get("GOLDEN_DATASETS", "../shared/datasets") / place[1:]


def _place(root: Path, place: str, folder: Path, environment: dict[str, str]) -> str:
    """The source as it is named on the command line; a simulated world is written first."""
    if place.startswith("~"):
        return os.path.relpath(_located(root, place), root)
    if place.startswith("@"):
        command = [sys.executable, "-m", "cs_helpers", "sample", str(folder), "--world", place[1:], *WORLD]
        ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise GoldenError(f"world {place[1:]} cannot be written: {ran.stderr.strip()}")
        return str(folder)
    return place


def _digest(folder: Path) -> str:
    """Tells whether two collections were made from the same data."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".csv", ".yml")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def _run(
    root: Path, source: Source, notebook: str, place: str, out: Path, environment: dict[str, str]
) -> dict[str, Any]:
    """One ``cs-helpers run``, and what is kept of it."""
    command = [sys.executable, "-m", "cs_helpers", "run", notebook, "--source", place]
    command += ["--mapping", source.mapping] if source.mapping else []
    command += [_in_file(word, out.with_name(f"{out.name}.yml")) for word in source.runs[notebook]]
    command += ["--out", str(out)]
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    records = sorted(out.rglob("run.json"))

    def clean(text: str) -> str:
        for path in (str(out), place, str(root)):
            text = text.replace(path, "…")
        return _spelled(text)

    if not records:  # refused before a notebook was started
        error = {"ename": "", "message": clean(ran.stderr)}
        return {"status": f"exit {ran.returncode}", "error": error, "headline": [], "takeaways": [], "quality": [],
                "tables": []}  # fmt: skip
    record = json.loads(records[-1].read_text(encoding="utf-8"))
    page = records[-1].with_name("report.html")
    error = record["error"] and {"ename": record["error"].get("ename"), "message": clean(record["error"]["message"])}
    return {
        "status": record["status"],
        "error": error,
        "headline": record["headline"],
        "takeaways": [clean(text) for text in record["takeaways"]],
        "quality": [{**one, "message": clean(one["message"])} for one in record["quality"]],
        "tables": tables_of(page.read_text(encoding="utf-8")) if page.exists() else [],
    }


# --- tables of a page ---------------------------------------------------------------------------------------------

Cell = str | list[str]  # the text, or the text and the exact number behind it


class _Tables(HTMLParser):
    """Every table of a page, as it was written."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] = []
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._open.append({"caption": [], "head": [], "body": [], "in": "body"})
        if not self._open:
            return
        table = self._open[-1]
        if tag in ("thead", "tbody", "tfoot"):
            table["in"] = "head" if tag == "thead" else "body"
        elif tag == "tr":
            table[table["in"]].append([])
        elif tag == "caption":
            self._into = table["caption"]
        elif tag in ("td", "th"):
            self._into = []
            if not table[table["in"]]:
                table[table["in"]].append([])
            table[table["in"]][-1].append((self._into, dict(attrs).get("data-v")))
        elif tag == "br" and self._into is not None:
            self._into.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption"):
            self._into = None
        elif tag == "table" and self._open:
            self.tables.append(self._open.pop())

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)


def tables_of(page: str) -> list[dict[str, Any]]:
    """Caption, columns and rows of each table; a header that occurs twice is told apart by a number after it."""
    reader = _Tables()
    reader.feed(page)
    reader.close()
    found = []
    for table in reader.tables:
        rows = [[_cell(parts, exact) for parts, exact in row] for row in table["body"]]
        width = max(map(len, [*table["head"], *rows]), default=0)
        heads = [[_spelled("".join(parts)) for parts, _ in row] for row in table["head"]]
        columns: list[str] = []
        for place in range(width):
            name = " / ".join(head[place] for head in heads if place < len(head))
            again = sum(name == one.split(" #")[0] for one in columns)
            columns.append(f"{name} #{again + 1}" if again else name)
        rows = [row + [""] * (width - len(row)) for row in rows]
        found.append({"caption": _spelled("".join(table["caption"])), "columns": columns, "rows": rows})
    return found


def _cell(parts: list[str], exact: str | None) -> Cell:
    text = _number(_spelled("".join(parts)))
    return text if exact is None else [text, _number(exact.strip())]


def _spelled(text: str) -> str:
    """One kind of blank, hyphen and minus sign: how they are set is no part of a figure."""
    return " ".join(re.sub("[\u200b\u2060\u00ad]", "", re.sub("[\u2010\u2011\u2212]", "-", text)).split())


def _number(text: str) -> str:
    """A number with ten significant digits and without thousands separators; other texts as they are."""
    if not re.fullmatch(r"[-+]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][-+]?\d+)?", text) or not re.search(r"\d", text):
        return text
    if re.fullmatch(r"0\d+", text):  # a key, not a number
        return text
    return f"{float(text.replace(',', '')) + 0.0:.10g}"


# --- comparing ----------------------------------------------------------------------------------------------------


@dataclass
class Differences:
    """What differs between two collections: figures, words, and what is only worth knowing."""

    figures: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    compared: int = 0

    def add(self, run: str, kind: str, line: str) -> None:
        getattr(self, kind).append(f"{run}: {line}")


def compare(old: dict[str, Any], new: dict[str, Any], renamed: dict[str, str] | None = None) -> Differences:
    """Of all runs that both collections have, whether either is hashed or not."""
    renamed = RENAMED if renamed is None else renamed
    differ = Differences()
    for run in old["runs"]:
        if run not in new["runs"]:
            continue
        differ.compared += 1
        source, notebook = run.split(":")
        if old["data"].get(source) != new["data"].get(source):
            differ.add(run, "notes", "the data of the source are other ones; what differs may come from there")
        names = {
            **{name.split(": ", 1)[1]: to for name, to in renamed.items() if name.startswith(f"{notebook}: ")},
            **{name: to for name, to in renamed.items() if ": " not in name},
        }
        _compare_run(run, old["runs"][run], new["runs"][run], names, differ)
    for one, other, which in ((old, new, "first"), (new, old, "second")):
        if alone := [run for run in one["runs"] if run not in other["runs"]]:
            differ.notes.append(f"not compared, only in the {which} collection ({len(alone)}): {', '.join(alone)}")
    return differ


def _compare_run(
    run: str, old: dict[str, Any], new: dict[str, Any], names: dict[str, str], differ: Differences
) -> None:
    if old["status"] != new["status"]:
        differ.add(run, "figures", f"status was {old['status']}, is {new['status']} ({_shown(new['error'])})")
    _headlines(run, old["headline"], new["headline"], differ)
    if old.get("hashed") or new.get("hashed"):
        known = {_hash(text): text for one in (old, new) if not one.get("hashed") for text in _texts(one, names)}
        names = {_hash(before): _hash(after) for before, after in names.items()}
        old, new = (one if one.get("hashed") else hashed(one) for one in (old, new))
    else:
        known = {}
    read = _Reader(known)
    before, after = old["error"] or {}, new["error"] or {}
    if before != after and old["status"] == new["status"]:
        kind = "figures" if before.get("ename") != after.get("ename") else "words"
        differ.add(run, kind, f"error was {_shown(read.all(before))}, is {_shown(read.all(after))}")
    said, says = read.all(old["takeaways"]), read.all(new["takeaways"])
    for line in _texts_differ(said, says):
        differ.add(run, "words", f"takeaway {line}")
    if said != says and Counter(said) == Counter(says):
        differ.add(run, "notes", "takeaways have another order")
    _quality(run, old["quality"], new["quality"], read, differ)
    if old.get("hashed"):
        _compare_hashed_tables(run, old["tables"], new["tables"], names, read, differ)
    else:
        _compare_tables(run, old["tables"], new["tables"], names, differ)


class _Reader:
    """Gives back the text behind a hash, where one of the two collections still has it."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def __call__(self, text: str | None) -> str:
        return self.known.get(text or "", text or "")

    def all(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.all(one) for key, one in value.items()}
        return [self.all(one) for one in value] if isinstance(value, list) else self(value)


def _texts(run: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    yield from run["takeaways"]
    yield from ((run["error"] or {}).get("message", ""), *names, *names.values())
    for one in run["quality"]:
        yield from (_identity(one), one["message"])
    for table in run["tables"]:
        yield from (table["caption"], *table["columns"])


def _shown(value: Any, most: int = 300) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _texts_differ(old: list[str], new: list[str]) -> Iterator[str]:
    """Lines that are gone and lines that are there instead; the order does not count."""
    gone, come = list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())
    for text in gone:
        if re.fullmatch(r"[0-9a-f]{32}", text):
            yield f"- a text kept as the hash {text}"
            continue
        yield f"- {text}"
        near = max(come, key=lambda one: SequenceMatcher(None, text, one).ratio(), default=None)
        if near is not None:
            come.remove(near)
            figures = Counter(_numbers(text)) - Counter(_numbers(near))
            yield f"+ {near}" + (f"   [figures no longer there: {', '.join(figures)}]" if figures else "")
    yield from (f"+ {text}" for text in come)


def _headlines(run: str, old: list[dict[str, Any]], new: list[dict[str, Any]], differ: Differences) -> None:
    there = {one["key"]: one for one in new}
    for one in old:
        if (other := there.get(one["key"])) is None:
            differ.add(run, "figures", f"headline {one['key']} is gone; it was {one['text']} ({one['value']})")
            continue
        for name in sorted({*one, *other}):
            if not _alike(before := one.get(name), after := other.get(name)):
                words = name == "name" or (name == "text" and _numbers(before) == _numbers(after))
                kind = "words" if words else "figures"
                differ.add(run, kind, f"headline {one['key']}: {name} was {before}, is {after}")
    if more := [key for key in there if key not in {one["key"] for one in old}]:
        differ.add(run, "notes", f"headline has more: {', '.join(more)}")
    if [one["key"] for one in old if one["key"] in there] != [key for key in there if key not in more]:
        differ.add(run, "notes", "headline has another order")


def _identity(one: dict[str, Any]) -> str:
    return f"{one['table']} {one['check']}: {one['severity']}, {one['rows']} rows"


def _quality(run: str, old: list[Any], new: list[Any], read: _Reader, differ: Differences) -> None:
    """Records of quality: which check speaks of how many rows of which table is a figure, how it says so are words."""

    def parts(records: list[Any]) -> tuple[list[str], list[str]]:
        pairs = [one if isinstance(one, list) else [_identity(one), one["message"]] for one in records]
        return [read(identity) for identity, _ in pairs], [read(message) for _, message in pairs]

    (before, said), (after, says) = parts(old), parts(new)
    for line in _texts_differ(before, after):
        differ.add(run, "figures", f"quality {line}")
    if Counter(before) == Counter(after):
        for line in _texts_differ(said, says):
            differ.add(run, "words", f"quality {line}")


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
    return bool(one == other)


def _numbers(text: Any) -> list[str]:
    """The numbers in a text with what belongs to them: 86.3 %, €1.92m."""
    found = re.findall(r"[-+€$£]*\d(?:[\d.,]*\d)?(?:\s?%|[A-Za-z]+)?", str(text))
    return [one.replace(" ", "").replace("\u202f", "").lstrip("+") for one in found]


def _sentence(cell: Cell) -> bool:
    return isinstance(cell, str) and len(re.findall(r"[^\W\d_]{2,}", cell)) >= 4


def _columns(table: dict[str, Any]) -> dict[str, list[Cell]]:
    return {name: [row[place] for row in table["rows"]] for place, name in enumerate(table["columns"])}


def _seen(old: list[Cell], new: list[Cell]) -> Callable[[Cell], str]:
    """How cells of the two columns are compared: by exact numbers if both have some, else as they are printed."""
    exact = all(any(isinstance(cell, list) for cell in column) for column in (old, new))
    return lambda cell: (cell[1] if exact else cell[0]) if isinstance(cell, list) else cell


def _called(table: dict[str, Any]) -> str:
    return f"table '{table['caption']}'" if table["caption"] else f"table with {', '.join(table['columns'][:3])}"


@dataclass
class _Pair:
    """An old table beside a new one: the columns they share, and how their cells are compared."""

    old: dict[str, list[Cell]]
    new: dict[str, list[Cell]]
    names: dict[str, str]

    def __post_init__(self) -> None:
        self.shared = {name: self.names.get(name, name) for name in self.old}
        self.shared = {name: to for name, to in self.shared.items() if to in self.new}
        self.seen = {name: _seen(self.old[name], self.new[to]) for name, to in self.shared.items()}

    def rows(self, names: list[str], new: dict[str, list[Cell]] | None = None) -> list[tuple[str, ...]]:
        """The rows of the old table in these columns, or those of a new one, as the two are compared."""
        columns = [(self.old[name] if new is None else new[self.shared[name]], self.seen[name]) for name in names]
        return list(zip(*([seen(cell) for cell in column] for column, seen in columns), strict=True))

    def found(self, names: list[str]) -> int:
        """How many rows of the old table, in these columns, the new one has as well."""
        return (Counter(self.rows(names)) & Counter(self.rows(names, self.new))).total()

    def score(self) -> float:
        """The share of the old table's cells that the new one has in the same columns."""
        cells = sum(map(len, self.old.values()))
        return sum(self.found([name]) for name in self.shared) / cells if cells else len(self.shared) / len(self.old)


def _compare_tables(
    run: str, old: list[dict[str, Any]], new: list[dict[str, Any]], names: dict[str, str], differ: Differences
) -> None:
    used = set()
    columns = [_columns(other) for other in new]
    for table in old:
        mine = _columns(table)
        pairs = [_Pair(mine, theirs, names) for theirs in columns]
        scores = [
            pair.score() + 0.1 * (other["caption"] == table["caption"]) + 0.05 * len(pair.shared) / len(pair.new)
            if pair.shared
            else 0.0
            for pair, other in zip(pairs, new, strict=True)
        ]
        if not scores or max(scores) == 0.0:
            differ.add(run, "figures", f"{_called(table)} is gone: no table has any of its columns")
            continue
        best = scores.index(max(scores))
        used.add(best)
        _compare_table(run, table, pairs, best, new, differ)
    for place, table in enumerate(new):
        if place not in used:
            differ.add(run, "notes", f"new {_called(table)} with {len(table['rows'])} rows")


def _compare_table(
    run: str, table: dict[str, Any], pairs: list[_Pair], best: int, new: list[dict[str, Any]], differ: Differences
) -> None:
    pair, called = pairs[best], _called(table)
    shared = list(pair.shared)
    for name in pair.old:
        if name not in pair.shared:
            _look_for_column(run, called, name, pairs, new, differ)
    want, there = pair.rows(shared), pair.rows(shared, pair.new)
    left = Counter(want) - Counter(there)
    for other, elsewhere in enumerate(pairs):
        if left and other != best and set(shared) <= set(elsewhere.shared):
            left -= Counter(pair.rows(shared, elsewhere.new))
    if not left:
        more = len(there) - len(want)
        if more > 0:
            differ.add(run, "notes", f"{called}: {more} more rows in {_called(new[best])}")
        return
    rest = list((Counter(there) - Counter(want)).elements())
    where = [list(cells) for cells in zip(*(pair.old[name] for name in shared), strict=True)]
    for row in left.elements():
        cells = where[want.index(row)]
        near = max(rest, key=lambda one: _nearness(row, one), default=None)
        if near is None or _nearness(row, near) < min(1.0, len(row) / 2):
            differ.add(run, "figures", f"{called}: row is gone: {_shown(dict(zip(shared, row, strict=True)))}")
            continue
        rest.remove(near)
        for name, cell, before, after in zip(shared, cells, row, near, strict=True):
            if before == after or _close(before, after):
                continue
            words = _sentence(cell) and _numbers(before) == _numbers(after)
            label = "" if name == shared[0] else f" of '{row[0]}'"
            differ.add(run, "words" if words else "figures", f"{called}: {name}{label} was {before}, is {after}")


def _nearness(row: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How much two rows have in common; the first cell, which says what a row is about, counts for more."""
    return sum(a == b for a, b in zip(row, other, strict=True)) + (len(row) / 2) * (row[:1] == other[:1])


def _close(one: str, other: str) -> bool:
    try:
        return math.isclose(float(one), float(other), rel_tol=TOLERANCE, abs_tol=1e-12)
    except ValueError:
        return False


def _look_for_column(
    run: str, called: str, name: str, pairs: list[_Pair], new: list[dict[str, Any]], differ: Differences
) -> None:
    """A column that the best match lacks must be in another table, beside the cells that say what its rows are."""
    column = pairs[0].old[name]
    first = next(iter(pairs[0].old))
    for pair, table in zip(pairs, new, strict=True):
        beside = [first, name] if first in pair.shared and first != name else [name]
        if name in pair.shared and pair.found(beside) == len(column):
            differ.add(run, "notes", f"{called}: column {name} is now in {_called(table)}")
            return
    hints = [
        f"'{header}' of {_called(table)}"
        for pair, table in zip(pairs, new, strict=True)
        for header, other in pair.new.items()
        if column and not Counter(map(_seen(column, other), column)) - Counter(map(_seen(column, other), other))
    ]
    hint = f"; its values are in {' and in '.join(hints[:3])}: renamed?" if 0 < len(hints) <= 3 else ""
    words = all(not cell or (_sentence(cell) and not _numbers(cell)) for cell in column)
    shown = _shown([cell if isinstance(cell, str) else cell[1] for cell in column], 120)
    differ.add(run, "words" if words else "figures", f"{called}: column {name} is gone{hint} {shown}")


# --- hashes -------------------------------------------------------------------------------------------------------


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _all_hashed(values: Iterable[str]) -> str:
    return _hash("\n".join(sorted(values)))


def hashed(run: dict[str, Any]) -> dict[str, Any]:
    """The run with the headline as it is and hashes of everything else."""
    error = run["error"] and {**run["error"], "message": _hash(run["error"]["message"])}
    return {
        "hashed": True,
        "status": run["status"],
        "error": error,
        "headline": run["headline"],
        "takeaways": [_hash(text) for text in run["takeaways"]],
        "quality": [[_hash(_identity(one)), _hash(one["message"])] for one in run["quality"]],
        "tables": [_hashed_table(table) for table in run["tables"]],
    }


def _hashed_table(table: dict[str, Any]) -> list[dict[str, str]]:
    """Of each column: its header, its values (exact, printed, and with sentences reduced to their numbers), and its
    values beside the table's first column. What is equal to the values is left out."""
    columns = _columns(table)
    first = [cell if isinstance(cell, str) else cell[0] for cell in next(iter(columns.values()), [])]
    found: list[dict[str, str]] = []
    for name, column in columns.items():
        values = [cell if isinstance(cell, str) else cell[1] for cell in column]
        one = {"header": _hash(name), "values": _all_hashed(values)}
        printed = [cell if isinstance(cell, str) else cell[0] for cell in column]
        pairs = zip(column, values, strict=True)
        numbers = [" ".join(_numbers(cell)) if _sentence(cell) else value for cell, value in pairs]
        if any(isinstance(cell, list) for cell in column):
            one["printed"] = _all_hashed(printed)
        if numbers != values:
            one["numbers"] = _all_hashed(numbers)
        if found:
            one["rows"] = _all_hashed(f"{a}\t{b}" for a, b in zip(first, printed, strict=True))
        found.append(one)
    return found


def _same_column(old: dict[str, str], new: dict[str, str]) -> str:
    """same, words, or nothing if figures differ."""
    if old["values"] == new["values"]:
        return "same"
    exact = "printed" in old and "printed" in new
    if not exact and old.get("printed", old["values"]) == new.get("printed", new["values"]):
        return "same"
    return "words" if old.get("numbers", old["values"]) == new.get("numbers", new["values"]) else ""


def _compare_hashed_tables(
    run: str, old: list[Any], new: list[Any], names: dict[str, str], read: _Reader, differ: Differences
) -> None:
    for place, table in enumerate(old):
        wanted = [{**column, "header": names.get(column["header"], column["header"])} for column in table]

        def score(other: list[dict[str, str]], wanted: list[dict[str, str]] = wanted) -> float:
            there = {column["header"]: column for column in other}
            met = [(one, there[one["header"]]) for one in wanted if one["header"] in there]
            return sum(1 + 10 * bool(_same_column(a, b)) + (a.get("rows") == b.get("rows")) for a, b in met)

        best: list[dict[str, str]] = max(new, key=score, default=[])
        called = f"table {place + 1} ({', '.join(read(column['header']) for column in table[:3])})"
        here = {column["header"]: column for column in best}
        for column in wanted:
            anywhere = [one for other in new for one in other if one["header"] == column["header"]]
            kinds = [_same_column(column, one) for one in anywhere]
            header = read(column["header"])
            if "same" not in kinds:
                what = "has other values" if anywhere else "is gone"
                differ.add(run, "words" if "words" in kinds else "figures", f"{called}: column {header} {what}")
            elif _in_other_rows(wanted[0], column, here):
                differ.add(run, "figures", f"{called}: values of column {header} stand in other rows")


def _in_other_rows(first: dict[str, str], column: dict[str, str], here: dict[str, dict[str, str]]) -> bool:
    """Whether a table has the same first column and the same values, printed alike, but not beside each other."""
    begins, other = here.get(first["header"]), here.get(column["header"])
    if not begins or "rows" in begins or not other or "rows" not in column or "rows" not in other:
        return False  # of other first columns, what stands beside them says nothing
    alike = [one.get("printed", one["values"]) for one in (first, begins, column, other)]
    return alike[0] == alike[1] and alike[2] == alike[3] and column["rows"] != other["rows"]


def reduced(collection: dict[str, Any]) -> dict[str, Any]:
    """What the repository may hold of a collection."""

    def kept(key: str, run: dict[str, Any]) -> dict[str, Any]:
        return hashed(run) if SOURCES[key.split(":")[0]].hashed and not run.get("hashed") else run

    return {**collection, "runs": {key: kept(key, run) for key, run in collection["runs"].items()}}


# --- files and the command line -----------------------------------------------------------------------------------


def write(collection: dict[str, Any], path: Path) -> None:
    """One line for each run, so that versions can be told apart line by line."""

    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    runs = ",\n".join(f"{dump(key)}:{dump(run)}" for key, run in collection["runs"].items())
    rest = "".join(f"{dump(key)}:{dump(value)},\n" for key, value in collection.items() if key != "runs")
    path.write_text(f'{{{rest}"runs":{{\n{runs}\n}}}}\n', encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def report(differ: Differences) -> str:
    lines = []
    for title, part in (("Figures", differ.figures), ("Words", differ.words), ("To know", differ.notes)):
        if part:
            lines += [f"{title} ({len(part)})", *(f"  {line}" for line in part)]
    lines.append(
        f"{differ.compared} runs compared: {len(differ.figures)} differences of figures, {len(differ.words)} of words"
    )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The golden test of figures", epilog="See the head of this file.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("collect", help="run the notebooks and keep their figures")
    one.add_argument("out", type=Path)
    one.add_argument("--only", action="append", default=[], metavar="SOURCE[:NOTEBOOK]", help="may be given repeatedly")
    one.add_argument("--jobs", type=int, default=2, help="runs side by side, 2 if not given")
    one = commands.add_parser("compare", help="say what differs")
    one.add_argument("old", type=Path)
    one.add_argument("new", type=Path)
    one.add_argument("--words", action="store_true", help="differences of words are shown and do not fail")
    one = commands.add_parser("reduce", help="write what the repository may hold")
    one.add_argument("full", type=Path)
    one.add_argument("out", type=Path)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "collect":
            began = time.monotonic()
            collection = collect(repository(), asked.only, asked.jobs, lambda line: print(line, file=sys.stderr))
            write(collection, asked.out)
            print(f"{len(collection['runs'])} runs in {time.monotonic() - began:.0f} s: {asked.out}", file=sys.stderr)
            return 0
        if asked.command == "reduce":
            write(reduced(read(asked.full)), asked.out)
            return 0
        differ = compare(read(asked.old), read(asked.new))
        print(report(differ))
        if not differ.compared:
            return 2
        return 1 if differ.figures or (differ.words and not asked.words) else 0
    except GoldenError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
