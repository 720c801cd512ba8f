"""The house rules that import-linter cannot see; its own contracts run in `make check`."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cs_helpers.subjects import SUBJECTS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cs_helpers"
ANALYSIS = [
    path
    for name in (*SUBJECTS, "core/stats", "core/periods", "core/estimates", "core/metrics")
    for each in (f"{name}.py", f"{name}/**/*.py")
    for path in sorted(PACKAGE.glob(each))
]


def calls(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", ANALYSIS, ids=lambda p: f"{p.parent.stem}.{p.stem}")
def test_analysis_opens_no_file_and_asks_no_clock(path):
    banned = re.compile(r"^(open|print|input)$|\.(today|now|utcnow|read_csv|read_parquet|to_csv|read_text|write_text)$")
    assert [name for name in calls(path) if banned.search(name)] == []


def test_import_rules_hold():
    import import_rules

    found = import_rules.check()
    assert found.returncode == 0, found.stdout


def test_no_modules_import_each_other():
    """Also not inside a room, and not by an import inside a function, which only hides a circle."""
    import import_rules

    assert import_rules.circles() == set()


def test_a_circle_is_found_also_where_an_import_stands_inside_a_function(tmp_path, monkeypatch):
    import import_rules

    room = tmp_path / "toy_package" / "room"
    room.mkdir(parents=True)
    for folder in (room.parent, room):
        (folder / "__init__.py").write_text("")
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        (room / f"{name}.py").write_text(f"def call():\n    from toy_package.room import {other}\n    return {other}\n")
    (room / "typed.py").write_text(
        "from typing import TYPE_CHECKING\nfrom toy_package.room import last\n"
        "if TYPE_CHECKING:\n    from toy_package.room import one\n"
    )
    (room / "last.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy_package.room import typed\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert import_rules.circles("toy_package") == {frozenset(f"toy_package.room.{n}" for n in ("one", "two", "three"))}


def test_no_module_is_named_after_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [p.name for p in PACKAGE.rglob("*.py") if p.stem in vague] == []


def test_importing_the_package_and_its_command_line_loads_nothing_heavy():
    heavy = ["pandas", "numpy", "matplotlib", "papermill", "nbconvert", "nbformat", "pandera", "pydantic", "IPython"]
    code = f"import sys, cs_helpers.cli; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_public_names_of_the_package_exist():
    import cs_helpers as cs

    assert callable(cs.load)
    assert cs.definitions["grr"].name == "Gross revenue retention (GRR)"
    assert callable(cs.stats.wilson_interval)
    assert callable(cs.churn.kaplan_meier)
    for name in (
        "mrr_movements",
        "revenue_retention",
        "logo_retention",
        "renewal_rate",
        "cohort_triangle",
        "reconcile",
    ):
        assert callable(getattr(cs.retention, name)), name


def test_an_unknown_metric_is_refused_with_the_nearest_one():
    import cs_helpers as cs

    with pytest.raises(cs.errors.ParameterError, match="Did you mean 'logo_churn'"):
        cs.definitions["logo_chrn"]


def test_every_metric_names_a_counter_metric_that_exists_and_fills_every_field():
    import cs_helpers as cs

    for key in cs.definitions:
        entry = cs.definitions[key]
        assert cs.definitions[entry.counter_metric].key != key
        assert all(getattr(entry, name) for name in ("name", "formula", "population", "unit", "direction", "missing"))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_every_public_function_says_what_it_does(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


LIBRARIES = ("matplotlib", "seaborn", "IPython", "pandas")


def private_names(source):
    """Private names of other libraries that a module imports, or overrides in a class of its own."""
    tree = ast.parse(source)
    theirs = {"Chart"}  # a Figure
    for node in ast.walk(tree):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        paths = [f"{module}.{name}" for name in names] if module else names
        for path in paths:
            library, *parts = path.split(".")
            if library in LIBRARIES:
                yield from (path for part in parts if part.startswith("_"))
        if module and module.split(".")[0] in LIBRARIES:
            theirs |= {alias.asname or alias.name for alias in node.names}
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        bases = {ast.unparse(base) for base in node.bases}
        if not bases & theirs and not any(base.split(".")[0] in {*LIBRARIES, "mpl", "pd", "sns"} for base in bases):
            continue
        for inner in node.body:
            assigned = inner.targets if isinstance(inner, ast.Assign) else [getattr(inner, "target", None)]
            names = (
                [inner.name] if isinstance(inner, ast.FunctionDef) else [getattr(each, "id", "") for each in assigned]
            )
            yield from (name for name in names if re.match(r"_(?!_|repr_\w+_$)", name))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: f"{p.parent.stem}.{p.stem}")
def test_no_private_name_of_another_library_is_imported_or_overridden(path):
    assert list(private_names(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from matplotlib._tight_layout import get_renderer", ["matplotlib._tight_layout.get_renderer"]),
        ("import pandas._libs", ["pandas._libs"]),
        ("from matplotlib.axes import Axes\nclass Lean(Axes):\n    def _init_axis(self): ...", ["_init_axis"]),
        ("import matplotlib as mpl\nclass Engine(mpl.layout_engine.LayoutEngine):\n    _params = {}", ["_params"]),
        ("class Wide(Chart):\n    def _repr_html_(self): ...\n    def __init__(self): ...", []),
        ("from matplotlib.axes import Axes\nclass Own:\n    def _draw(self, ax: Axes): ...", []),
    ],
)
def test_private_names_are_found_in_imports_and_in_classes_made_from_another_librarys(source, found):
    assert list(private_names(source)) == found
