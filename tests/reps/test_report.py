"""The report on reps: both teams on its first screen, one team alone, poor data, a call centre, a shared audience."""

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import needs_browser, survey
from conftest import run
from covered_accounts import covering
from notebook_cells import run_cells
from reps_texts import BANNED
from small_companies import END, book, write

import cs_helpers as cs
from cs_helpers.report.views import render, view_of

pytestmark = [pytest.mark.reports, pytest.mark.xdist_group("reps")]

ROOT = Path(__file__).resolve().parents[2]
CALLS = ROOT.parent / "shared" / "datasets" / "pwc_call_centre"


def in_a_file(folder, **settings):
    """A settings file with these values."""
    path = folder / "settings.yml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML too
    return str(path)


def whole_report(source, **parameters):
    """All words of the report, checked for what must never be in one, and the boards of its teams by role."""
    names, shown = run_cells("reps", source=source, **parameters)
    blocks = [block if hasattr(block, "html") else render(block) for block in shown]
    html = " ".join(block.html for block in blocks)
    words = unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", html, flags=re.S)))
    for text in (words, " ".join(block.text for block in blocks)):
        found = re.search(r".{0,60}\b(nan|inf|NaT|None(?! of)|NaN)\b.{0,30}", text)
        assert not found, found
        assert not BANNED.search(text), BANNED.search(text)
    for svg in re.findall(r"<svg viewBox.*?</svg>", html, flags=re.S):
        assert svg.count("<text") >= 2, "an axis without a word on it"
        assert not re.search(r'[ ="](nan|-?inf)[ "]', svg)
    places = re.findall(r'<(?:figure|li)[^>]* id="([^"]+)"', html)
    assert len(places) == len(set(places)), "each place has a name of its own"
    linked = set(re.findall(r'<a href="#([^"]+)">', html)) - {"data-quality"}
    assert linked <= set(places), "each headline leads somewhere"
    return " ".join(words.replace("\u202f", " ").split()), names | {
        team.role: team.board for team in names["teams"].teams
    }


def desk(accounts, reps=("R1", "R2", "R3", "R4"), n=1_200, content=0.8, seed=4, **fixed):
    """Tickets of two years, shared out at random between reps who do not differ."""
    rng = np.random.default_rng(seed)
    opened = END - pd.to_timedelta(rng.integers(60, 720 * 24 * 60, n), unit="min")
    table = pd.DataFrame(
        {
            "ticket_id": np.arange(n), "account_id": rng.choice(accounts["account_id"], n),
            "rep_id": rng.choice(reps, n), "opened_at": opened,
            "resolved_at": opened + pd.to_timedelta(rng.gamma(2.0, 300.0, n), unit="min"),
            "category": rng.choice(["billing", "bug"], n), "channel": "email", "contacts": rng.integers(1, 3, n),
            "csat": np.where(rng.random(n) < content, 5, 2), "handle_minutes": rng.gamma(4.0, 5.0, n).round(1),
        }
    )  # fmt: skip
    table["resolved_at"] = table["resolved_at"].where(table["resolved_at"] < END)
    return table.assign(**fixed).assign(
        opened_at=table["opened_at"].dt.strftime("%Y-%m-%d"), resolved_at=table["resolved_at"].dt.strftime("%Y-%m-%d")
    )


def crew(reps=("R1", "R2", "R3", "R4"), **fixed):
    columns = {"rep_id": list(reps), "name": [f"Person {rep}" for rep in reps], "role": "support"}
    return pd.DataFrame(columns).assign(**fixed)


# --- the first screen


@pytest.fixture(scope="module")
def sample():
    return whole_report("data/sample")


def test_the_first_screen_says_what_is_real_what_is_not_and_what_is_next_for_both_teams(sample):
    words, names = sample
    teams = names["teams"]
    real, spurious, csm_real, csm_spurious, then = (one.text for one in view_of(teams).takeaways(teams))
    support, csms = names["support"], names["csm"]
    told = support.of("csat").clearly_different
    assert f"On CSAT {len(told)} of {len(support.of('csat').shown)} support reps differ" in real
    assert all(label in real for label in told["label"])
    assert "A plain table of CSAT runs from" in spurious and "cannot be told apart" in spurious
    assert "CSM" in csm_real and "CSM" in csm_spurious
    assert "Support reps: " in then and "CSMs: judge renewals by the whole team, not by one CSM" in then
    assert len(csms.benchmarks) > 4
    assert words.index("No decision about a person may rest on it") < words.index("Support reps on every measure")


def test_the_rep_with_the_planted_csat_is_told_apart_and_hers_is_the_better_side(sample):
    truth = json.loads((ROOT / "data" / "sample" / "truth.json").read_text(encoding="utf-8"))
    planted = {each["rep_id"]: each["csat_shift"] for each in truth["hidden"]["support_outliers"]}
    bench = sample[1]["support"].of("csat")
    shown = bench.shown[bench.shown["unit"].isin(planted)]
    for row in shown.itertuples():
        assert (row.effect > 0) == (planted[row.unit] > 0)
    assert (bench.clearly_different.loc[bench.clearly_different["unit"].isin(planted), "verdict"] == "better").any()


def test_no_league_table_unless_asked_and_then_with_its_ranges(sample):
    assert "Places" not in sample[0] and "better quarter" not in sample[0].lower()
    words, _ = whole_report("data/sample", league_table=True)
    assert "Places (90 %)" in words and "is known to within" in words


def test_one_team_alone_has_the_headline_for_itself():
    words, names = whole_report("data/sample", role="csm")
    assert [team.role for team in names["teams"].teams] == ["csm"]
    headline = words[: words.index("What this is for.")]
    assert "CSMs told apart" in headline and "Support reps told apart" not in headline


def test_attributes_named_belong_to_the_mix_and_steering_by_too_much_is_warned_of(tmp_path):
    settings = in_a_file(tmp_path, steer_support=["csat", "ces", "aht_minutes"])
    words, names = whole_report("data/sample", by="industry, region", settings=settings)
    assert {"segment", "industry", "region"} <= set(names["support"].of("csat").mix.factors)
    assert "2 measures of satisfaction steer this team" in words and "Steered by too much." in words
    assert "no target by itself" in words


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"role": "suport"}, "Did you mean 'support'"),
        ({"by": "segmnt"}, "Did you mean 'segment'"),
        ({"by": "churn_reason"}, "churn_reason"),
        ({"months": 0}, "months = 0"),
        ({"steer_support": ["nps"]}, "'nps' is no measure of support"),
        ({"steer_csm": ["npss"]}, "Did you mean 'nps'"),
        ({"service_level_seconds": 0.0}, "target_seconds"),
        ({"fdr": 0.0}, "fdr"),
        ({"fdrr": 0.1}, "Did you mean 'fdr'"),
        ({"repeat_days": "a week"}, "repeat_days"),
        ({"handover_days": 0}, "handover_days"),
        ({"handle_target": -1.0}, "target_minutes"),
        ({"repeat_days": -1}, "days"),
    ],
)
def test_a_parameter_that_cannot_be_meant_stops_the_report_and_is_named(parameters, said, tmp_path):
    declared = {"role", "by", "months"}
    settings = {name: value for name, value in parameters.items() if name not in declared}
    given = {name: value for name, value in parameters.items() if name in declared}
    if settings:
        given["settings"] = in_a_file(tmp_path, **settings)
    with pytest.raises(cs.errors.ParameterError, match=re.escape(said)):
        run_cells("reps", source="data/sample", **given)


# --- poor data


def test_two_tables_alone_leave_reasons_for_both_teams(tmp_path):
    words, _ = whole_report(write(tmp_path, *book()))
    assert "Support reps cannot be compared." in words and "CSMs cannot be compared." in words


def test_a_support_desk_without_differences_is_told_so_and_csms_are_not_missed(tmp_path):
    accounts, subscriptions = book()
    source = write(tmp_path, accounts, subscriptions, tickets=desk(accounts), reps=crew())
    words, names = whole_report(source)
    assert "No support rep can be told apart" in words
    assert "Fewer than two managers are recorded" in words
    assert names["support"].differences.empty
    assert "CSMs cannot be compared." in words


def test_csms_without_a_support_desk(tmp_path):
    accounts, subscriptions = book(n=160)
    source = write(tmp_path, accounts, subscriptions, assignments=covering(accounts, share=1.0))
    words, names = whole_report(source)
    assert "Support reps cannot be compared." in words
    assert "book_grr" in {each.key for each in names["csm"].benchmarks}
    assert "A plain table of GRR of the book runs from" in words


@pytest.mark.parametrize(
    ("tickets", "people", "said"),
    [
        ({"reps": ("R1",)}, {}, "only one rep has cases"),
        ({"csat": 5}, {}, "too few|of the rarer kind expected|no variation"),
        ({"csat": ""}, {}, "The data do not hold it"),
        ({"rep_id": ""}, {}, "Support reps cannot be compared"),
        ({"n": 40}, {}, "enough cases"),
        ({"reps": ("R1", "R2", "R9")}, {}, "Without any case in this window"),
        ({}, {"manager_id": "R1"}, "Fewer than two managers"),
        ({}, {"left_on": "2025-08-31"}, "told apart"),
    ],
    ids=[
        "one rep",
        "all answers 5",
        "no answer",
        "nobody's",
        "few tickets",
        "a rep of no table",
        "own manager",
        "left",
    ],
)
def test_poor_desks_are_shown_as_what_they_are(tmp_path, tickets, people, said):
    accounts, subscriptions = book()
    source = write(tmp_path, accounts, subscriptions, tickets=desk(accounts, **tickets), reps=crew(**people))
    words, _ = whole_report(source)
    assert re.search(said, words, re.IGNORECASE)


def test_a_rep_with_three_tickets_has_no_figure_and_is_said_to_have_too_few(tmp_path):
    accounts, subscriptions = book()
    tickets = desk(accounts)
    late = tickets.index[tickets["resolved_at"].between("2025-03-01", "2025-11-30") & tickets["csat"].notna()]
    tickets.loc[late[:3], "rep_id"] = "R5"
    source = write(tmp_path, accounts, subscriptions, tickets=tickets, reps=crew(("R1", "R2", "R3", "R4", "R5")))
    words, names = whole_report(source)
    row = names["support"].of("csat").units.set_index("unit").loc["R5"]
    assert (row["verdict"] == "too few" and "too few: 3 cases" in words) or "too few: 2 cases" in words


def test_a_call_centre_without_accounts_is_told_that_nobody_stands_out_and_both_resolved_rates():
    if not CALLS.is_dir():
        pytest.skip(f"needs the call centre's export in {CALLS.name}")
    words, names = whole_report(str(CALLS), mapping="pwc_call_centre", months=3)
    assert "No support rep can be told apart from the others on any of" in words
    csat = names["support"].of("csat").units
    assert np.ptp(csat["plain"]) > 0.05, "the plain table differs"
    # 3,646 of 4,054 answered calls and of 5,000 calls in all.
    assert "89.9 % of the contacts answered were resolved." in words
    assert "72.9 % of all 5,000 contacts were resolved" in words
    headline = words[: words.index("What this is for.")]
    assert "CSMs told apart" not in headline


# --- who may read it


def test_a_shared_report_names_nobody_and_lists_nobody_with_too_few_cases(monkeypatch):
    monkeypatch.setenv("CS_HELPERS_PSEUDONYM_KEY", "a key that is long enough for a test")
    words, names = whole_report("data/sample", audience="shared")
    people = pd.read_csv(ROOT / "data" / "sample" / "reps.csv")
    companies = pd.read_csv(ROOT / "data" / "sample" / "accounts.csv")["name"]
    hidden = [*people["name"], *people["rep_id"], *companies]
    assert [name for name in hidden if name in words] == []
    few = names["support"].of("csat").units
    few = few[few["verdict"] == "too few"]["label"]
    assert len(few) and not any(f"{label} " in words.split("CSAT by support rep, by name")[1][:3_000] for label in few)
    assert "with too few cases not listed" in words


# --- the page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report as a user's own command makes it."""
    out = tmp_path_factory.mktemp("reports")
    run("reps", out=out)
    return out / "reps" / "latest.html"


@needs_browser
def test_the_page_reads_well_on_a_phone_and_on_a_desk_in_both_themes(page, browser):
    views = [(390, False), (1280, False), (390, True), (1280, True)]
    seen = survey(browser, page, "reps", views)
    faults = [
        f"{part} at {width} px{' dark' if dark else ''}: {line}"
        for (width, dark), one in seen.items()
        for part in ("wide", "small", "outside", "crowded", "targets", "pale", "axe")
        for line in getattr(one, part)
    ]
    assert faults == []


def test_the_published_record_carries_the_headline_and_the_page_is_light(page):
    record = json.loads(next(page.parent.glob("*/run.json")).read_text(encoding="utf-8"))
    tiles = {tile["key"]: tile for tile in record["headline"]}
    assert re.fullmatch(r"\d+ of \d+", tiles["support_reps_apart"]["text"]) and "csms_apart" in tiles
    assert 3 <= len(record["headline"]) <= 5 and 2 <= len(record["takeaways"]) <= 5
    assert len(page.read_bytes()) < 1_500_000
