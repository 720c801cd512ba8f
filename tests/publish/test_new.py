"""A notebook that `cs-helpers new` writes has the house shape and runs as it stands."""

import inspect
from pathlib import Path

import nbformat
import pytest
import test_notebooks as house
from typer.testing import CliRunner

from cs_helpers.cli import app
from cs_helpers.publish import new, series
from cs_helpers.subjects import SUBJECTS

ROOT = Path(__file__).resolve().parents[2]
SHAPE = [
    test
    for name, test in inspect.getmembers(house, inspect.isfunction)
    if name.startswith("test_") and "notebook" in inspect.signature(test).parameters
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    return CliRunner().invoke(app, words)


def test_there_are_rules_to_keep():
    assert len(SHAPE) >= 6


@pytest.mark.parametrize("rule", SHAPE, ids=lambda rule: rule.__name__)
def test_a_new_notebook_keeps_every_rule_of_the_house(folder, rule):
    rule(nbformat.read(new.create("upsell"), as_version=4))


def test_a_new_notebook_is_a_valid_one_of_about_twelve_cells(folder):
    notebook = nbformat.read(new.create("upsell"), as_version=4)
    nbformat.validate(notebook)
    assert len([c for c in notebook.cells if c.cell_type == "code"]) <= 12


@pytest.mark.reports
def test_a_new_notebook_runs_on_the_sample_company_as_it_stands(folder):
    (folder / "data").symlink_to(ROOT / "data")
    house.test_runs_from_the_first_cell_to_the_last(new.create("upsell").resolve())


def test_it_declares_what_every_run_may_set(folder):
    declared = series.declared_parameters(new.create("upsell"))
    assert list(declared) == ["source", "mapping", "as_of", "where", "audience", "months"]
    assert (declared["source"].default, declared["audience"].default) == ("data/sample", "full")


def test_title_and_question_come_from_the_name_or_are_given(folder):
    assert series.title_and_question(new.create("up_sell")) == ("Up sell", "What should we know about up sell?")
    given = new.create("grew", "Who grew", "Which accounts grew ?")
    assert series.title_and_question(given) == ("Who grew", "Which accounts grew?")
    lines = new.create("lines", "# Two\nlines", "Is this\none question")
    assert series.title_and_question(lines) == ("Two lines", "Is this one question?")


def test_the_command_prints_the_path_and_says_what_to_do_next(folder):
    done = call("new", "upsell", "--question", "Who grew?")
    assert (done.exit_code, done.stdout) == (0, "notebooks/upsell.ipynb\n")
    assert "make lab" in done.stderr and "cs-helpers run upsell" in done.stderr
    assert "upsell: Who grew?" in call("list").stdout


def test_a_file_that_is_there_is_never_replaced(folder):
    path = new.create("upsell")
    path.write_text("my work")
    again = call("new", "upsell")
    assert (again.exit_code, path.read_text()) == (2, "my work")
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../out", "cannot name a notebook"),
        ("a/b", "For example 'a_b'"),
        ("Who grew?", "For example 'who_grew'"),
        ("upsell.ipynb", "For example 'upsell'"),
        ("", "cannot name a notebook"),
        ("_hidden", "For example 'hidden'"),
        ("x" * 61, "at most 60"),
        ("churn", "reserved for cs-helpers itself.\n  Choose another name, such as 'our_churn'"),
        *((subject, "reserved for cs-helpers") for subject in SUBJECTS),
        ("check", "folder of reports"),
        ("nul", "cannot name a notebook"),
    ],
)
def test_a_name_that_would_do_harm_is_refused_with_a_better_one(folder, name, said):
    refused = call("new", name)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert list(folder.rglob("*.ipynb")) == []


def test_without_a_folder_of_notebooks_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = call("new", "upsell")
    assert refused.exit_code == 2
    assert "mkdir notebooks" in refused.stderr
    assert list(tmp_path.iterdir()) == []
