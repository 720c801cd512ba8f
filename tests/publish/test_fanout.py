"""A report for each value of an attribute: which values, which names, which accounts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_notebooks import notebook

import cs_helpers as cs
from cs_helpers.core.errors import ParameterError
from cs_helpers.data.tables.choosing import conditions_of
from cs_helpers.publish import fanout

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"


@pytest.fixture(scope="module")
def book():
    return cs.load(SAMPLE)


def test_values_are_those_of_the_accounts_with_their_numbers(book):
    counted = book.accounts["segment"].value_counts()
    assert book.values("segment") == sorted((value, int(count)) for value, count in counted.items())


def test_an_attribute_of_the_csm_is_that_of_the_eve(book):
    """Held against the assignments in plain pandas."""
    on = book.assignments
    on = on[(on["role"] == "csm") & (on["end_date"].isna() | (on["end_date"] >= book.as_of))]
    team = on.sort_values("start_date").drop_duplicates("account_id", keep="last").merge(book.reps, on="rep_id")["team"]
    expected = sorted((value, int(count)) for value, count in team.value_counts().items())
    assert len(expected) > 1
    assert book.values("csm.team") == expected
    value, count = expected[0]
    chosen = cs.load(SAMPLE, where={"csm.team": value})
    assert len(chosen.accounts) == count
    assert sum(n for _, n in chosen.values("segment")) == count


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("sgment", "no column 'sgment'. Did you mean 'segment'"),
        ("csm.teem", "Did you mean 'csm.team'"),
        ("churn_reason", "known only after the outcome"),
        ("csm.annual_cost", "no column 'csm.annual_cost'"),
    ],
)
def test_a_column_nobody_can_choose_by_is_refused(book, column, words):
    with pytest.raises(ParameterError, match=words.replace(".", r"\.")):
        book.values(column)


@given(st.dictionaries(st.sampled_from(["segment", "csm.team", "a b"]), st.text(min_size=1), min_size=1))
def test_any_value_passes_through_the_parameter_where_unharmed(wanted):
    text = ", ".join(fanout.condition(column, value) for column, value in wanted.items())
    assert conditions_of(text) == wanted


@pytest.mark.parametrize("text", ["segment", "segment=", "=SMB", 'a="b', "a=b, c", 'a="b" c'])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ParameterError, match="is not column=value"):
        conditions_of(text)


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=8))
def test_part_names_are_safe_and_differ_even_where_case_does_not_count(values):
    names = list(fanout.part_names("segment", values).values())
    assert len({name.lower() for name in names}) == len(values)
    for name in names:
        assert name.startswith("segment=")
        assert len(name) < 100
        assert not set(name) & set('/\\:*?"<>|')
        assert not name.endswith((".", " "))


def test_part_names_read_well():
    assert fanout.part_names("segment", ["SMB", "Mid-Market", "Food, drink"]) == {
        "SMB": "segment=smb",
        "Mid-Market": "segment=mid-market",
        "Food, drink": "segment=food-drink",
    }
    both = fanout.part_names("team", ["A B", "a-b"])
    assert sorted(name[: len("team=a-b-")] for name in both.values()) == ["team=a-b-", "team=a-b-"]


READ = """
import cs_helpers as cs
book = cs.load(source, mapping, as_of, where)
print("ACCOUNTS", len(book.accounts))
"""
PARAMETERS = 'source = "."\nmapping = None\nas_of = None\nwhere = ""\n'


def run(here, *words):
    command = [
        sys.executable,
        "-m",
        "cs_helpers",
        "run",
        "small.ipynb",
        "--source",
        str(SAMPLE),
        "--out",
        "out",
        *words,
    ]
    return subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)


@pytest.mark.reports
def test_each_part_has_a_series_of_its_own_and_one_time_of_a_job_is_made_once(tmp_path):
    notebook(tmp_path / "small.ipynb", READ, parameters=PARAMETERS)
    words = ("--for-each", "segment", "-p", "where=region=DACH", "--jobs", "2", "--json")
    ran = run(tmp_path, *words, "--scheduled", "weekly@2026-11-23T05:00:00Z")
    assert ran.returncode == 0, ran.stderr
    records = json.loads(ran.stdout)
    assert [record["series"] for record in records] == [
        f"small/segment={name}" for name in ("enterprise", "mid-market", "smb")
    ]
    assert [record["parameters"]["where"] for record in records] == [
        f"region=DACH, segment={name}" for name in ("Enterprise", "Mid-Market", "SMB")
    ]
    due = {"job": "weekly", "at": "2026-11-23T05:00:00Z", "of": 3}
    assert [record["scheduled"] for record in records] == [due] * 3
    # Killed half-way: the part that is missing is made, and no other.
    lost = tmp_path / "out" / "small" / "segment=smb"
    (lost / records[2]["run_id"] / "run.json").unlink()
    # And one that failed is no report.
    failed = tmp_path / "out" / "small" / "segment=enterprise" / records[0]["run_id"] / "run.json"
    failed.write_text(json.dumps(records[0] | {"status": "failed", "error": {"cell": 4, "ename": "E", "message": "m"}}))
    again = run(tmp_path, *words, "--scheduled", "weekly@2026-11-23T05:00:00Z")
    made = [record["series"] for record in json.loads(again.stdout)]
    assert made == ["small/segment=enterprise", "small/segment=smb"]
    assert json.loads(run(tmp_path, *words, "--scheduled", "weekly@2026-11-23T05:00:00Z").stdout) == []


@pytest.mark.reports
def test_accounts_without_a_value_are_counted_and_a_broken_source_stops_before_any_report(tmp_path):
    notebook(tmp_path / "small.ipynb", READ, parameters=PARAMETERS)
    ran = run(tmp_path, "--for-each", "csm.team")
    assert ran.returncode == 0, ran.stderr
    assert "of 600 accounts have no csm.team and are in none of these reports" in ran.stderr
    assert "2 of 2 reports published" in ran.stdout
    wrong = run(tmp_path, "--for-each", "segmnt")
    assert (wrong.returncode, "Did you mean 'segment'" in wrong.stderr) == (2, True)
    shared = run(tmp_path, "--for-each", "csm.name", "--audience", "shared")
    assert shared.returncode == 2


def test_a_shared_report_is_about_no_single_account_or_person(tmp_path):
    small = notebook(tmp_path / "small.ipynb", READ, parameters=PARAMETERS + 'audience = "full"\n')
    with pytest.raises(ParameterError, match="would name an account or a person"):
        fanout.check(small, "csm.name", {"audience": "shared"})
    fanout.check(small, "csm.name", {"audience": "full"})
    fanout.check(small, "segment", {"audience": "shared"})


def test_a_notebook_that_cannot_choose_accounts_is_refused(tmp_path):
    small = notebook(tmp_path / "small.ipynb", "1", parameters="count = 1")
    with pytest.raises(ParameterError, match="has no parameter source and no parameter where"):
        fanout.check(small, "segment", {})


def test_no_value_and_a_thousand_values_are_refused(tmp_path):
    small = notebook(tmp_path / "small.ipynb", "1")
    with pytest.raises(ParameterError, match="no account has a value"):
        fanout.parts(small, "segment", {}, [])
    with pytest.raises(ParameterError, match="1,001 values"):
        fanout.parts(small, "segment", {}, [str(n) for n in range(1001)])
