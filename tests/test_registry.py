"""Adding a subject is its folder, its notebook, its tests and one line in the registry."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import cs_helpers
from cs_helpers.core.errors import ParameterError
from cs_helpers.subjects import SUBJECTS

ROOT = Path(__file__).resolve().parents[1]
TOY = ROOT / "tests" / "toy"
PARAMETERS = 'source = "data/sample"  # folder with the exports\naudience = "full"  # full or shared'
CELLS = {
    "": "import cs_helpers as cs\n\ntables = cs.load(source, audience=audience)\ncs.report.cover(tables)",
    "## Summary": "accounts = cs.toy.accounts(tables)\ncs.report.summary(accounts)",
    "## Detail\n\n### Accounts": "accounts",
    "## Method": 'cs.report.glossary("toy")',
    "## Data quality": "cs.report.quality(tables)",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package with one more subject, in a folder of its own."""
    root = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("cs_helpers", "data"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    registry = root / "cs_helpers" / "subjects.py"
    registry.write_text(
        registry.read_text(encoding="utf-8").replace('    "reps",\n', '    "reps",\n    "toy",\n'), "utf-8"
    )
    (root / "cs_helpers" / "toy").mkdir()
    for file in TOY.glob("*.txt"):
        shutil.copy(file, root / "cs_helpers" / "toy" / file.stem)
    (root / "notebooks").mkdir()
    parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    text = nbformat.v4.new_markdown_cell("# Toy\n\nHow many accounts are there?")
    cells = [text, parameters]
    for heading, source in CELLS.items():
        cells += [nbformat.v4.new_markdown_cell(heading)] if heading else []
        cells += [nbformat.v4.new_code_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "notebooks" / "toy.ipynb")
    return root


def call(root, *words):
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, *map(str, words)], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.reports
def test_the_report_of_a_new_subject_runs_and_is_published(copy):
    ran = call(copy, "-m", "cs_helpers", "run", "toy", "--out", "out")
    assert ran.returncode == 0, ran.stderr
    record = json.loads(next((copy / "out" / "toy").glob("*/run.json")).read_text(encoding="utf-8"))
    assert record["takeaways"][0].startswith("The toy subject counts 600 accounts.")
    page = (copy / "out" / "toy" / "latest.html").read_text(encoding="utf-8")
    assert "<svg" in page and "Number of rows of accounts." in page


@pytest.mark.reports
def test_a_report_for_sharing_is_scanned_with_the_words_of_a_new_subject(copy):
    ran = call(copy, "-m", "cs_helpers", "run", "toy", "--audience", "shared", "--out", "shared")
    assert ran.returncode == 0, ran.stderr
    code = "from cs_helpers.publish import leaks; print('Number of rows of accounts' in leaks._own_text())"
    told = call(copy, "-c", code)
    assert told.stdout.strip() == "True", told.stderr


def test_its_definitions_its_public_name_and_its_import_rules_follow_from_the_registry(copy):
    assert "Number of rows" in call(copy, "-m", "cs_helpers", "metrics", "toy_accounts").stdout
    shown = call(copy, "-c", "import cs_helpers as cs; print(cs.toy.accounts.__name__, 'toy' in dir(cs))")
    assert shown.stdout.split() == ["accounts", "True"], shown.stderr
    shutil.copy(ROOT / "tests" / "import_rules.py", copy / "import_rules.py")
    rules = call(copy, "-c", "import import_rules as r; print(*r.LAYERS, *r.ANALYSIS)")
    assert "toy" in rules.stdout, rules.stderr


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("churn", "stats"), "'stats' is the name of another part"),
        (("churn", "churn"), "'churn' is there twice"),
        (("my-churn",), "no name for a folder"),
    ],
)
def test_a_subject_with_a_name_that_is_taken_is_one_clear_line(names, words):
    with pytest.raises(ParameterError, match=words) as error:
        cs_helpers.check_subjects(names)
    assert len(str(error.value).splitlines()) == 1


def test_the_names_for_editors_are_those_of_the_registry():
    tree = ast.parse((ROOT / "cs_helpers" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    named = {name.asname or name.name for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert named == set(cs_helpers.__all__)
    assert set(SUBJECTS) <= named


@pytest.mark.reports
@pytest.mark.parametrize(("old", "new"), [("by_segment", "by_group")])
def test_a_renamed_field_of_a_result_is_a_type_error(copy, old, new):
    """Views are typed with their results: what a trial on the old code could not show."""
    analysis = copy / "cs_helpers" / "toy" / "counting.py"
    text = analysis.read_text(encoding="utf-8")
    assert call(copy, "-m", "mypy", "--strict", "--follow-imports=silent", "cs_helpers/toy").returncode == 0
    analysis.write_text(text.replace(f"{old}: pd.Series", f"{new}: pd.Series"), encoding="utf-8")
    try:
        found = call(copy, "-m", "mypy", "--strict", "--follow-imports=silent", "cs_helpers/toy")
    finally:
        analysis.write_text(text, encoding="utf-8")
    assert found.returncode == 1 and f'has no attribute "{old}"' in found.stdout, found.stdout
