"""Readers of a shared report learn what happened and not to whom."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from book_for_sharing import ACCOUNTS, COMMENT, IDS, PLANTED, REP_IDS, REPS, write

import cs_helpers as cs
from cs_helpers.churn.churn_reasons import Departures
from cs_helpers.core.audience import NAMES_VARIABLE
from cs_helpers.core.errors import ParameterError
from cs_helpers.data import rollups
from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.tables.sharing import MIN_SHARED, POOLED, kept_values
from cs_helpers.data.tables.treatments import CATEGORY, COLUMNS, FIXED, FREE, KINDS, SAME_AS, WORDS, treatment_of_header
from cs_helpers.publish import run as runner
from cs_helpers.publish import run_records, sharing

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = Path(__file__).parents[1] / "notebooks_for_tests" / "shared.ipynb"
pytestmark = pytest.mark.reports
KEY = "0123456789abcdef0123456789abcdef"
OUT = Path("reports")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("book") / "export")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sharing.KEY_VARIABLE, KEY)


@pytest.fixture
def shared(source: str, key: None) -> cs.tables.Tables:
    return cs.load(source, audience="shared")


def everything(tables: Any) -> str:
    """All that can be read from the tables, as text."""
    frames = [tables.frame(name).to_csv() for name in TABLES]
    window = {"start": "2024-02-01", "end": "2026-01-01"}
    observed = {"observed_from": "2024-01-01", "as_of": "2026-01-01"}
    asked: dict[str, dict[str, Any]] = {
        "paid_periods": {}, "account_month": window, "movements": window, "retention": window, "cohorts": observed,
        "spells": observed, "survival_counts": observed | {"by": "owner"}, "rep_month": {},
        "usage_features": {"first": "2024-06-01", "last": "2025-12-01", "dense": True},
        "repeat_contacts": {"as_of": "2026-01-01"}, "vanish_panel": {"start": "2024-02-01", "as_of": "2026-01-01"},
        "account_signals": window, "ticket_cases": {"start": "2024-02-01", "as_of": "2026-01-01"},
    }  # fmt: skip
    assert set(asked) == set(rollups.ROLLUPS)
    rolled = [tables.rollup(name, **parameters).to_csv() for name, parameters in asked.items()]
    said = [repr(tables), str(tables.quality), tables.set_aside.to_csv(), str(tables.facts), str(tables.where)]
    return "\n".join([*frames, *rolled, *said, tables.source, str(tables.names().to_dict())])


# --- every column -------------------------------------------------------------------------------------------------


def test_every_text_column_of_the_contract_has_a_treatment_and_no_other_has() -> None:
    texts = {name: {c.name for c in table.columns if c.kind == "text"} for name, table in TABLES.items()}
    assert {name: set(columns) for name, columns in COLUMNS.items()} == texts
    for name, columns in COLUMNS.items():
        for how in columns.values():
            known = {*KINDS, FREE, CATEGORY, WORDS, FIXED}
            assert how in known or how.removeprefix(SAME_AS) in columns, f"{name}: {how}"
    fixed = {(name, c) for name, columns in COLUMNS.items() for c, how in columns.items() if how == FIXED}
    closed = {(name, c.name) for name, table in TABLES.items() for c in table.columns if c.one_of}
    currencies = {("subscriptions", "currency"), ("costs", "currency")}
    assert fixed == closed | currencies, "fixed are columns that hold no words of the export"


@pytest.mark.parametrize(
    ("header", "treatment"),
    [
        ("Owner", "Person"), ("CSM", "Person"), ("accountOwner", "Person"), ("created_by", "Person"),
        ("parent company", "Person"), ("E-Mail", "withheld"), ("primary_contact_phone", "withheld"),
        ("Website", "withheld"), ("CRM ID", "withheld"), ("salesforceId", "withheld"), ("company_size", CATEGORY),
        ("lead_source", CATEGORY), ("churn_reason", CATEGORY), ("tier", CATEGORY), ("partner_tier", CATEGORY),
    ],
)  # fmt: skip
def test_a_column_beyond_the_contract_is_judged_by_its_header(header: str, treatment: str) -> None:
    assert treatment_of_header(header) == treatment


def test_no_frame_no_rollup_and_nothing_said_holds_a_name(shared: cs.tables.Tables) -> None:
    text = everything(shared)
    assert [name for name in [*PLANTED, "Rolf Egede", "SQ-0001", "UX-0001"] if name in text] == []
    assert COMMENT not in text
    assert "Account " in text and "Rep " in text


def test_the_full_audience_holds_them_all(source: str) -> None:
    text = everything(cs.load(source))
    assert [name for name in PLANTED if name not in text] == []


def test_sums_are_the_same_for_both_audiences(source: str, shared: cs.tables.Tables) -> None:
    full = cs.load(source)
    window = {"start": "2024-02-01", "end": "2026-01-01"}
    pd.testing.assert_frame_equal(full.rollup("movements", **window), shared.rollup("movements", **window))
    for name in TABLES:
        assert len(full.frame(name)) == len(shared.frame(name))
    assert sorted(full.subscriptions["mrr"]) == sorted(shared.subscriptions["mrr"])


def test_headline_figures_of_the_sample_company_are_the_same_for_both_audiences(key: None) -> None:
    figures = []
    for audience in ("full", "shared"):
        tables = cs.load(ROOT / "data" / "sample", audience=audience)
        summary = cs.retention.summary(tables)
        figures.append([(c.now.key, c.now.value, c.now.low, c.now.high, c.target) for c in summary.comparisons])
    for one, other in zip(*figures, strict=True):
        assert one[:1] + one[4:] == other[:1] + other[4:]
        assert one[1:4] == pytest.approx(other[1:4])


# --- pseudonyms ---------------------------------------------------------------------------------------------------


def test_pseudonyms_are_the_same_for_the_same_key_and_others_for_another(
    source: str, shared: cs.tables.Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = cs.load(source, audience="shared")
    assert list(again.accounts["account_id"]) == list(shared.accounts["account_id"])
    monkeypatch.setenv(sharing.KEY_VARIABLE, KEY[::-1])
    other = cs.load(source, audience="shared")
    assert not set(other.accounts["account_id"]) & set(shared.accounts["account_id"])


def test_a_pseudonym_is_the_keyed_hash_and_not_the_plain_one(source: str, shared: cs.tables.Tables) -> None:
    alphabet = "34679CDFGHJKMNPQRTVWXY"

    def spelled(digest: str) -> str:
        number, letters = int(digest[:15], 16), ""
        for _ in range(8):
            number, place = divmod(number, len(alphabet))
            letters += alphabet[place]
        return f"Account {letters}"

    expected = {i: spelled(hmac.new(KEY.encode(), f"Account:{i}".encode(), "sha256").hexdigest()) for i in IDS}
    assert set(shared.accounts["account_id"]) == set(expected.values())
    for plain in (IDS[0], f"Account:{IDS[0]}", KEY + IDS[0], IDS[0] + KEY):
        assert spelled(hashlib.sha256(plain.encode()).hexdigest()) not in set(expected.values())
    mrr = shared.subscriptions.set_index("account_id")["mrr"]
    assert mrr[expected[IDS[3]]] == 103


def test_one_account_and_one_rep_have_one_pseudonym_wherever_they_stand(shared: cs.tables.Tables) -> None:
    assert list(shared.accounts["name"]) == list(shared.accounts["account_id"])
    assert set(shared.subscriptions["account_id"]) == set(shared.accounts["account_id"])
    assert set(shared.surveys["rep_id"]) == set(shared.reps["rep_id"]) == set(shared.reps["name"])
    owners = set(shared.accounts["owner"])
    assert owners < set(shared.reps["rep_id"]), "an owner who is a rep by name is that rep"
    assert len(owners) == 2


def test_owners_of_goals_are_persons_unless_they_are_teams_or_departments(shared: cs.tables.Tables) -> None:
    owners = set(shared.goals["owner"])
    assert {"department", "North"} <= owners, "North is a team of six"
    assert "South" not in owners
    assert len([owner for owner in owners if owner.startswith("Person ")]) == 2
    assert len([owner for owner in owners if owner in set(shared.reps["rep_id"])]) == 1


def test_fifty_thousand_accounts_have_fifty_thousand_pseudonyms_and_two_alike_are_written_out(
    key: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from cs_helpers.data.engines.duckdb import DuckDB
    from cs_helpers.data.tables import sharing as making

    engine = DuckDB()
    engine.execute("CREATE TABLE typed_accounts AS SELECT 'A-' || range AS account_id FROM range(50000)")
    making._make_pseudonyms(engine, {"accounts": {"account_id": "Account"}}, KEY.encode())
    long = dict(engine.rows("SELECT real, shown FROM pseudonyms"))
    assert len(set(long.values())) == 50_000
    monkeypatch.setitem(making._LETTERS, "Account", 3)  # 10,648 spellings: nearly all are taken several times
    making._make_pseudonyms(engine, {"accounts": {"account_id": "Account"}}, KEY.encode())
    short = dict(engine.rows("SELECT real, shown FROM pseudonyms"))
    assert len(set(short.values())) == 50_000
    lengths = pd.Series([len(name.removeprefix("Account ")) for name in short.values()])
    assert set(lengths) == {3, 13}
    assert all(long[real].startswith(shown) for real, shown in short.items() if len(shown) == 11)


def test_rows_are_in_the_order_of_the_pseudonyms(shared: cs.tables.Tables) -> None:
    assert list(shared.accounts["account_id"]) == sorted(shared.accounts["account_id"])
    panel = shared.rollup("retention", start="2025-01-01", end="2026-01-01")
    assert list(panel["account_id"]) == sorted(panel["account_id"])


def test_without_a_key_the_pseudonyms_hold_for_the_session_and_this_is_said(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(sharing.KEY_VARIABLE, raising=False)
    one, other = cs.load(source, audience="shared"), cs.load(source, audience="shared")
    assert not set(one.accounts["account_id"]) & set(other.accounts["account_id"])
    assert "for this session only" in repr(one)
    assert "for this session only" in one.quality[0].message


def test_a_key_that_could_be_guessed_is_refused(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sharing.KEY_VARIABLE, "secret")
    with pytest.raises(ParameterError, match=r"could be guessed(.|\n)*token_hex"):
        cs.load(source, audience="shared")


def test_an_audience_that_does_not_exist_is_refused(source: str) -> None:
    with pytest.raises(ParameterError, match="There are: full, shared, shared\\+comments"):
        cs.load(source, audience="public")


# --- small groups -------------------------------------------------------------------------------------------------


def test_a_value_of_few_accounts_is_pooled_with_the_next_smallest_so_that_nobody_can_subtract(
    shared: cs.tables.Tables,
) -> None:
    # SMB 6, Mid 5, Lonely 1: the pool would be 1 account, so Mid goes in.
    assert dict(shared.accounts["segment"].value_counts()) == {"SMB": 6, POOLED: 6}
    # Trade 5, Law 4, Art 3: the pool is 7.
    assert dict(shared.accounts["industry"].value_counts()) == {POOLED: 7, "Trade": 5}
    # Basic 8, Pro 4: nothing but the pool would be left.
    assert shared.subscriptions["plan"].isna().all()


def test_values_that_name_somebody_or_look_like_a_contact_are_pooled_however_common(
    shared: cs.tables.Tables,
) -> None:
    assert dict(shared.accounts["book"].value_counts()) == {POOLED: 6, "Book North": 6}
    assert dict(shared.accounts["tier"].value_counts()) == {POOLED: 6, "gold": 6}
    assert dict(shared.surveys["competitor"].value_counts()) == {POOLED: 6, "Nimbus": 6}


def test_columns_in_which_most_accounts_have_a_value_of_their_own_are_withheld(shared: cs.tables.Tables) -> None:
    for column in ("contact_email", "domain", "remark", "slogan"):
        assert shared.accounts[column].isna().all()


def test_the_number_of_employees_keeps_one_figure_that_counts(shared: cs.tables.Tables) -> None:
    # 7, 12, 23, 35, 61, 80, 90, 310, 450, 544, 1999, 2500
    assert sorted(shared.accounts["employees"]) == [7, 10, 20, 40, 60, 80, 90, 300, 500, 500, 2000, 3000]


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        ({"a": 9, "b": 5}, {"a", "b"}),
        ({"a": 9, "b": 5, "c": 5}, {"a", "b", "c"}),
        ({"a": 9, "b": 6, "c": 4}, {"a"}),
        ({"a": 9, "b": 6, "c": 3, "d": 2}, {"a", "b"}),
        ({"a": 9, "c": 4}, set()),
        ({"a": 4, "b": 4}, set()),
        ({}, set()),
    ],
)
def test_the_pool_is_never_smaller_than_the_smallest_group_shown(counts: dict[str, int], kept: set[str]) -> None:
    def outside(inside: Any) -> int:
        return sum(n for value, n in counts.items() if value not in inside)

    found = kept_values(counts, outside)
    assert found == kept
    assert not 0 < outside(found) < MIN_SHARED or not found


def test_rows_chosen_after_loading_are_pooled_again(source: str, shared: cs.tables.Tables) -> None:
    frame = pd.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(13)],
            "best": ["price"] * 6 + ["service"] * 3 + ["other (fewer than 5 each)"] * 2 + ["unknown", None],
            "mrr": range(13),
        }
    )
    pooled = shared.pooled(frame)
    # The five of service and of what loading pooled are one group; unknown and missing stay.
    assert dict(pooled["best"].value_counts()) == {"price": 6, "other (fewer than 5 each)": 5, "unknown": 1}
    assert pooled["best"].isna().sum() == 1
    assert list(pooled["mrr"]) == list(range(13))
    assert frame["best"].eq("service").sum() == 3, "the frame given is left alone"
    assert cs.load(source).pooled(frame) is frame
    left = Departures(frame, 0, 0)
    assert shared.pooled(left).table["best"].eq("service").sum() == 0


def test_cohorts_of_few_accounts_are_left_out(source: str, shared: cs.tables.Tables) -> None:
    observed = {"observed_from": "2024-01-01", "as_of": "2026-01-01"}
    assert len(cs.load(source).rollup("cohorts", **observed)) > 0
    assert len(shared.rollup("cohorts", **observed)) == 0, "three accounts start in each quarter"


@pytest.mark.parametrize("where", ["segment=Lonely", f"name={ACCOUNTS[2]}", f"account_id={IDS[1]}", "industry=Law"])
def test_a_choice_of_fewer_than_five_accounts_is_refused(source: str, key: None, where: str) -> None:
    assert len(cs.load(source, where=where).accounts) < 5
    with pytest.raises(ParameterError, match="where leaves fewer than 5 accounts") as refused:
        cs.load(source, where=where, audience="shared")
    assert refused.value.exit_code == 2


def test_a_choice_shows_its_value_only_where_the_value_is_shown_anyway(source: str, key: None) -> None:
    assert cs.load(source, where="segment=SMB", audience="shared").where == {"segment": "SMB"}
    owned = cs.load(source, where=f"owner={REPS[0]}", audience="shared")
    assert owned.where == {"owner": "withheld"}
    assert len(owned.accounts) == 6
    assert cs.load(source, where="tier=www.gold.example", audience="shared").where == {"tier": "withheld"}


def test_small_groups_are_small_among_the_chosen_accounts(source: str, key: None) -> None:
    chosen = cs.load(source, where="segment=SMB", audience="shared")  # Trade 5, Law 1
    assert chosen.accounts["industry"].isna().all()


# --- words of customers, findings, places ---------------------------------------------------------------------------


def test_comments_are_withheld_unless_they_are_allowed_and_name_nobody(source: str, shared: cs.tables.Tables) -> None:
    assert shared.surveys["comment"].isna().all()
    allowed = cs.load(source, audience="shared+comments").surveys["comment"]
    assert dict(allowed.value_counts()) == {COMMENT: 11}, "the comment about a rep stays withheld"


def test_findings_keep_their_counts_and_lose_the_values_they_quote(tmp_path: Path, key: None) -> None:
    folder = Path(write(tmp_path / "quoted"))
    table = pd.read_csv(folder / "surveys.csv").assign(rep_id="RX-999")
    table.to_csv(folder / "surveys_of_Quorvex.csv", index=False)
    (folder / "surveys.csv").unlink()
    with (folder / "mapping.yml").open("a") as file:
        file.write("tables: {surveys: {file: surveys_of_Quorvex.csv}}\nset_aside: [orphan]\n")
    subscriptions = pd.read_csv(folder / "subscriptions.csv")
    subscriptions.loc[5, "account_id"] = "GONE-77"
    subscriptions.to_csv(folder / "subscriptions.csv", index=False)
    full, shared = cs.load(folder), cs.load(folder, audience="shared")
    assert "RX-999" in str(full.quality) and "GONE-77" in full.set_aside.to_csv()
    checks = [(f.table, f.check, f.severity, f.rows) for f in full.quality]
    assert [(f.table, f.check, f.severity, f.rows) for f in shared.quality[1:]] == checks
    said = " ".join(f.message for f in shared.quality) + repr(shared) + str(shared.facts)
    assert not [word for word in ("RX-999", "Quorvex", "GONE-77") if word in said]
    assert len(shared.set_aside) == 0
    assert "2 rows set aside" in repr(shared)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("exports/2024", "2024"), (f"exports/{ACCOUNTS[0]}", "withheld"), ("", ""),
        ("postgresql://reader@warehouse/crm", "a database"),
    ],
)  # fmt: skip
def test_a_place_is_shown_by_its_last_part_and_never_by_a_host(
    shared: cs.tables.Tables, value: str, shown: str
) -> None:
    assert shared.shareable(source=value, months=12) == {"source": shown, "months": 12}


def test_names_are_told_to_the_runner_alone(shared: cs.tables.Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared.private_names == {}
    assert sharing.PRIVATE not in cs.report.cover(shared).data
    monkeypatch.setenv(NAMES_VARIABLE, "1")
    told = cs.report.cover(shared).data[sharing.PRIVATE]["names"]
    assert set(ACCOUNTS) | set(IDS) <= set(told["Account"])
    assert {*REPS, *REP_IDS, "Blaxland, Jorunn"} <= set(told["Rep"])
    assert "Rolf Egede" in told["Person"] and "North" not in told["Person"]
    assert "UX-0001" in told["User"] and "SQ-0001" in told["Subscription"]


# --- runs -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory of its own, with one good shared report."""
    before, here = Path.cwd(), tmp_path_factory.mktemp("work")
    os.chdir(here)
    write(here / "export")
    yield here
    os.chdir(before)


def run(**parameters: Any) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    given = {"source": "export", "audience": "shared", **parameters}
    return runner.run(NOTEBOOK, given, OUT, tell=told.append), told


@pytest.fixture(scope="module")
def good(desk: Path) -> dict[str, Any]:
    record, _ = run(csm=f"of {REPS[4]}", where=f"owner={REPS[0]}")
    assert record["status"] == "ok", record["error"]
    return record


def texts_of(series: str = "shared/audience=shared") -> dict[str, str]:
    """Every text below the reports, decoded as a reader's program would."""
    found = {}
    for path in [*(OUT / series).rglob("*"), OUT / "index.html"]:
        if path.is_file() and path.name != sharing.KEY_FILE:
            text = path.read_text(encoding="utf-8")
            text += json.dumps(json.loads(text), ensure_ascii=False) if path.suffix in (".json", ".ipynb") else ""
            found[str(path)] = html.unescape(text)
    return found


def names_in(texts: dict[str, str], names: list[str]) -> list[tuple[str, str]]:
    return [(path, name) for path, text in texts.items() for name in names if name in text]


def test_a_shared_report_has_a_series_of_its_own_and_a_record_of_its_audience(good: dict[str, Any]) -> None:
    assert good["series"] == "shared/audience=shared"
    assert good["audience"] == "shared"
    assert (OUT / "shared" / "audience=shared" / "latest.html").is_file()
    assert not (OUT / "shared" / "latest.html").exists()
    assert [one["series"] for one in run_records.read_series(OUT)] == ["shared/audience=shared"]
    assert good["unscanned_names"] == 0


def test_no_file_of_a_shared_report_names_anybody(good: dict[str, Any]) -> None:
    texts = texts_of()
    assert len(texts) >= 5
    assert names_in(texts, [*PLANTED, "Rolf Egede"]) == []
    assert "vnd.cs-helpers.private" not in "".join(texts.values())
    assert "Account " in "".join(texts.values())


def test_a_parameter_that_names_a_rep_is_withheld_wherever_parameters_stand(good: dict[str, Any]) -> None:
    assert good["parameters"]["csm"] == good["parameters"]["where"] == "withheld"
    assert good["parameters"]["source"] == "export"
    folder = OUT / good["series"] / good["run_id"]
    notebook = json.loads((folder / "notebook.ipynb").read_text())
    assert notebook["metadata"]["papermill"]["parameters"]["csm"] == "withheld"
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert "csm = 'withheld'" in next(cell for cell in cells if cell.startswith("# Parameters"))
    page = html.unescape((folder / "report.html").read_text())
    assert "csm = 'withheld'" in page  # provenance
    assert "owner = withheld" in page  # the header
    assert "-p csm=withheld" in page  # the command that makes it again
    assert names_in(texts_of(), [REPS[4], REPS[0], "Quist", "Blaxland"]) == []


def test_a_default_that_names_a_rep_is_withheld_too(desk: Path) -> None:
    copy = desk / "named.ipynb"
    copy.write_text(NOTEBOOK.read_text().replace("Nobody Inparticular", f"für {REPS[5]}"), encoding="utf-8")
    record = runner.run(copy, {"source": "export", "audience": "shared", "csm": "x"}, OUT)
    assert record["status"] == "ok", record["error"]
    assert names_in(texts_of(record["series"]), [REPS[5], "Ravndal"]) == []
    notebook = (OUT / record["series"] / record["run_id"] / "notebook.ipynb").read_text()
    assert "csm = 'withheld'  # a text that may name somebody" in notebook


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        ("print", "notebook.ipynb, cell 6: names an account"),
        ("tags", "report.html: names an account"),
        ("attribute", "report.html: names an account"),
        ("chart", "notebook.ipynb, cell 6: names an account"),
        ("takeaway", "run.json: names an account"),
        ("file", "rows.csv: names an account"),
        ("metadata", "notebook.ipynb, cell 6: names an account"),
        ("mail", "notebook.ipynb, cell 6: holds an e-mail address"),
        ("picture", "notebook.ipynb, cell 6: holds a picture"),
        ("key", "notebook.ipynb, cell 6: holds the key of the pseudonyms"),
    ],
)
def test_a_planted_name_stops_publication_and_the_last_good_report_stays(
    good: dict[str, Any], leak: str, said: str
) -> None:
    before = (OUT / "shared" / "audience=shared" / "latest.html").read_bytes()
    record, told = run(leak=leak)
    assert (record["status"], runner.exit_code(record)) == ("failed", 1)
    assert said in told[0]
    assert (OUT / "shared" / "audience=shared" / "latest.html").read_bytes() == before
    kept = OUT / record["series"] / record["run_id"]
    assert sorted(path.name for path in kept.iterdir()) == ["notebook.ipynb", "run.json"]
    assert names_in(texts_of() | {"stderr": "".join(told)}, PLANTED) == []


def test_a_failing_shared_run_says_nothing_but_on_the_terminal(good: dict[str, Any]) -> None:
    record, told = run(leak="error", csm=REPS[1])
    assert ACCOUNTS[0] in told[0], "whoever runs it reads everything"
    assert record["error"] == {
        "cell": 6,
        "ename": "ValueError",
        "message": "shared.ipynb, cell 6: ValueError; details withheld: run with --audience full to see them.",
    }
    assert (record["headline"], record["takeaways"], record["quality"]) == ([], [], [])
    notebook = json.loads((OUT / record["series"] / record["run_id"] / "notebook.ipynb").read_text())
    assert all(cell.get("outputs", []) == [] for cell in notebook["cells"])
    assert names_in(texts_of(), PLANTED) == []


def test_a_run_that_fails_before_it_knows_the_names_withholds_every_text(good: dict[str, Any]) -> None:
    record, told = run(where=f"name={ACCOUNTS[3]}", csm=REPS[1])
    assert "where leaves fewer than 5 accounts" in told[0]
    assert (record["status"], runner.exit_code(record)) == ("failed", 2)
    assert record["parameters"]["where"] == record["parameters"]["csm"] == "withheld"
    assert record["parameters"]["audience"] == "shared"
    assert names_in(texts_of(), PLANTED) == []


def test_a_notebook_that_does_not_say_the_names_is_not_published(desk: Path) -> None:
    copy = desk / "silent.ipynb"
    copy.write_text(NOTEBOOK.read_text().replace("cs.report.cover(tables)", "None"), encoding="utf-8")
    told: list[str] = []
    record = runner.run(copy, {"source": "export", "audience": "shared"}, OUT, tell=told.append)
    assert record["status"] == "failed"
    assert "does not state which names must not be published" in told[0]


def test_names_that_are_words_of_the_report_are_counted_and_told_on_the_terminal_alone(desk: Path) -> None:
    folder = Path(write(desk / "ordinary"))
    table = pd.read_csv(folder / "accounts.csv")
    table.loc[5, "name"] = "Headline"
    table.to_csv(folder / "accounts.csv", index=False)
    record, told = run(source="ordinary")
    assert record["status"] == "ok", told
    assert record["unscanned_names"] == 1
    assert told[-1].endswith("not searched for: Headline")


def test_comments_are_another_series(desk: Path) -> None:
    record, _ = run(audience="shared+comments")
    assert (record["series"], record["audience"]) == ("shared/audience=shared+comments", "shared")


# --- keys -----------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_for_its_owner_alone_and_is_never_published(good: dict[str, Any]) -> None:
    path = OUT / sharing.KEY_FILE
    master = path.read_text().strip()
    assert len(master) == 64
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name in (OUT / ".gitignore").read_text()
    series = sharing.series_key(OUT, good["series"])
    assert names_in(texts_of(), [master, series]) == []
    assert not list(OUT.glob(f"{sharing.KEY_FILE}.*"))


def test_the_pseudonyms_of_a_series_stay_and_those_of_another_differ(desk: Path, good: dict[str, Any]) -> None:
    def shown(record: dict[str, Any]) -> set[str]:
        text = (OUT / record["series"] / record["run_id"] / "notebook.ipynb").read_text()
        return set(re.findall(r"Account [3-9A-Y]{8}", text))

    first, second, other = run()[0], run()[0], run(audience="shared+comments")[0]
    assert len(shown(first)) == 12
    assert shown(first) == shown(second)
    assert not shown(first) & shown(other)


def test_a_key_in_the_environment_is_the_master_and_differs_for_each_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sharing.KEY_VARIABLE, KEY)
    one, other = (sharing.series_key(tmp_path, name) for name in ("a/audience=shared", "b/audience=shared"))
    assert len({KEY, one, other}) == 3
    assert list(tmp_path.iterdir()) == [], "no file is made"
    assert sharing.series_key(tmp_path, "a/audience=shared") == one


def test_a_key_file_that_holds_no_key_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(sharing.KEY_VARIABLE, raising=False)
    (tmp_path / sharing.KEY_FILE).write_text("\n")
    with pytest.raises(ParameterError, match=r"could be guessed(.|\n)*Restore the key"):
        sharing.series_key(tmp_path, "a")
    assert (tmp_path / sharing.KEY_FILE).read_text() == "\n"


def test_a_list_of_what_to_ignore_that_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sharing.KEY_VARIABLE, raising=False)
    (tmp_path / ".gitignore").write_text("*.html\n")
    sharing.series_key(tmp_path, "a")
    assert (tmp_path / ".gitignore").read_text() == "*.html\n"


# --- the command ----------------------------------------------------------------------------------------------------


def command(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "cs_helpers", "run", *words]
    environment = {k: v for k, v in os.environ.items() if k != sharing.KEY_VARIABLE}
    return subprocess.run(run, cwd=cwd, capture_output=True, text=True, check=False, env=environment)


def test_a_notebook_without_an_audience_cannot_be_shared_and_nothing_is_written(tmp_path: Path) -> None:
    done = command("data_check", "--audience", "shared", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "data_check.ipynb: has no parameter 'audience', so it cannot be shared" in done.stderr
    assert 'Add audience = "full"' in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("audience", "comments", "values", "expected"),
    [
        (None, False, {}, {}),
        ("full", False, {}, {"audience": "full"}),
        ("shared", False, {"csm": "x"}, {"csm": "x", "audience": "shared"}),
        ("shared", True, {}, {"audience": "shared+comments"}),
        (None, True, {}, "--with-comments goes with --audience shared"),
        ("full", True, {}, "--with-comments goes with --audience shared"),
        ("public", False, {}, "There are: full, shared"),
        ("shared", False, {"audience": "full"}, "is set twice"),
    ],
)
def test_the_options_become_the_parameter(
    audience: str | None, comments: bool, values: dict[str, str], expected: dict[str, str] | str
) -> None:
    if isinstance(expected, str):
        with pytest.raises(ParameterError, match=expected):
            sharing.with_audience(NOTEBOOK, values, audience, comments)
    else:
        assert sharing.with_audience(NOTEBOOK, values, audience, comments) == expected


def test_a_full_run_needs_no_parameter() -> None:
    good = NOTEBOOK.with_name("good.ipynb")
    assert sharing.with_audience(good, {"count": "3"}, "full", False) == {"count": "3"}
    assert sharing.series_of("good", sharing.audience_of({})) == "good"


@pytest.mark.xdist_group("report")
def test_the_churn_report_of_the_sample_company_names_nobody_in_any_file(tmp_path: Path, published: Path) -> None:
    """Independently of the scanner: every name and key of the sample company, looked for as it is."""
    done = command("churn", "--audience", "shared", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    sample = ROOT / "data" / "sample"
    tables = {path.stem: pd.read_csv(path, dtype=str) for path in sample.glob("*.csv")}
    names = {*tables["accounts"]["account_id"], *tables["accounts"]["name"]}
    names |= {*tables["reps"]["rep_id"], *tables["reps"]["name"]}
    names |= {*tables["tickets"]["ticket_id"], *tables["subscriptions"]["subscription_id"], *tables["usage"]["user_id"]}
    names |= set(tables["surveys"]["comment"].dropna()) | set(tables["tickets"]["comment"].dropna())
    logged = "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob(".logs/*"))
    assert "run_published" in logged
    assert [name for name in names if len(name) > 4 and name in logged] == []
    own = [path for path in tmp_path.rglob("*") if path.is_file()]
    files = [path for path in own if not any(part.startswith(".") for part in path.relative_to(tmp_path).parts)]
    assert {path.name for path in files} == {"index.html", "latest.html", "report.html", "notebook.ipynb", "run.json"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        text += "" if path.suffix == ".html" else json.dumps(json.loads(text), ensure_ascii=False)
        text = html.unescape(text)
        words = set(re.findall(r"[\w-]+", text))
        # Keys as whole words, which is quick; names and comments, which have blanks, one after the other.
        assert [name for name in names if (name in words if " " not in name else name in text)] == [], path.name
    page = (tmp_path / "churn" / "audience=shared" / "latest.html").read_text()
    assert re.search(r"Call Account [3-9A-Y]{8} first", page)
    folders = tmp_path / "churn" / "audience=shared", published / "churn"
    shared, full = (json.loads(next(folder.glob("2*/run.json")).read_text()) for folder in folders)
    assert [(tile["key"], tile["value"]) for tile in shared["headline"]] == [
        (tile["key"], pytest.approx(tile["value"])) for tile in full["headline"]
    ]
