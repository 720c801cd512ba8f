"""The index: what it says of each series, whom it believes, and that a reader always finds it whole."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from run_records import tile, write_run
from typer.testing import CliRunner

from cs_helpers.cli import app
from cs_helpers.publish import locks, report_index, run_records


def page(out: Path) -> str:
    return report_index.rebuild(out)[0].read_text(encoding="utf-8")


def words(out: Path) -> list[dict[str, Any]]:
    return report_index.subjects(run_records.read_series(out))


# Groups


def test_parts_and_the_shared_report_stand_under_their_subject(tmp_path: Path) -> None:
    for series in ("churn", "churn/segment=smb", "churn/audience=shared", "churn/segment=smb/audience=shared", "roi"):
        write_run(tmp_path, series, title=series.split("/")[0].upper())
    churn, roi = words(tmp_path)
    assert (churn["title"], churn["question"], churn["by"]) == ("CHURN", "Are we keeping them?", "segment")
    assert [(one["series"], one["audience"]) for one in churn["whole"]] == [
        ("churn", ""),
        ("churn/audience=shared", "shared"),
    ]
    assert [(one["columns"], one["value"], one["audience"]) for one in churn["parts"]] == [
        ("segment", "smb", ""),
        ("segment", "smb", "shared"),
    ]
    assert (roi["title"], roi["parts"]) == ("ROI", [])


def test_a_subject_that_only_has_parts_has_its_title_all_the_same(tmp_path: Path) -> None:
    write_run(tmp_path, "churn/segment=smb")
    (churn,) = words(tmp_path)
    assert (churn["title"], churn["whole"], len(churn["parts"])) == ("Churn and retention", [], 1)
    assert re.search(r"<h2>Churn and retention</h2>", page(tmp_path))


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("segment=SMB", "SMB"),
        ("region=EMEA, segment=SMB", "SMB"),
        ("segment=Enterprise", "smb"),
        ("", "smb"),
        (7, "smb"),
    ],
)
def test_a_part_has_the_value_as_it_was_asked_for(tmp_path: Path, where: Any, shown: str) -> None:
    write_run(tmp_path, "churn/segment=smb", parameters={"where": where})
    assert words(tmp_path)[0]["parts"][0]["value"] == shown


def test_many_parts_are_folded_and_say_how_many_failed(tmp_path: Path) -> None:
    for number in range(report_index.MAX_PARTS + 1):
        write_run(tmp_path, f"churn/csm=rep-{number}", status="failed" if number == 3 else "ok")
    (churn,) = words(tmp_path)
    assert (churn["folded"], churn["failing"]) == (True, 1)
    assert "13 by csm, 1 failed when last tried" in page(tmp_path)


# What it says of a series


def test_a_series_that_never_ended_well_has_its_title_too(tmp_path: Path) -> None:
    write_run(tmp_path, status="failed")
    (churn,) = run_records.read_series(tmp_path)
    assert (churn["title"], churn["question"], churn["last_good"]) == (
        "Churn and retention", "Are we keeping them?", None,
    )  # fmt: skip
    assert "never published" in page(tmp_path)


def test_a_failure_stands_beside_the_last_good_run_and_never_instead(tmp_path: Path) -> None:
    good = write_run(tmp_path, day=1)
    failed = write_run(tmp_path, day=2, status="failed")
    text = page(tmp_path)
    assert "101.0%" in text
    assert '<a href="churn/latest.html">Churn and retention</a>' in text
    assert "day 2 went wrong" in text
    assert f'href="churn/{failed.name}/notebook.ipynb"' in text
    assert '<a href="#churn">Churn and retention</a>' in text, "the page says at its top what failed"
    write_run(tmp_path, day=3)
    assert "last attempt failed" not in page(tmp_path)
    assert good.is_dir()


def test_a_failure_without_a_notebook_has_no_dead_link(tmp_path: Path) -> None:
    (write_run(tmp_path, status="failed") / "notebook.ipynb").unlink()
    assert "as far as it ran" not in page(tmp_path)


def test_every_link_leads_to_a_file_or_a_place_in_the_page(tmp_path: Path) -> None:
    for series in ("churn", "churn/segment=a b#c?%41", "roi"):
        write_run(tmp_path, series, day=1)
        write_run(tmp_path, series, day=2, status="failed")
    text = page(tmp_path)
    links = [link.replace("&#39;", "'").replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', text)]
    assert len(links) >= 12
    places = set(re.findall(r'id="([^"]*)"', text))
    for link in links:
        if link.startswith("#"):
            assert unquote(link[1:]) in places, link
        else:
            assert (tmp_path / unquote(link)).is_file(), link


def test_times_are_absolute_in_the_file_and_marked_for_the_script(tmp_path: Path) -> None:
    write_run(tmp_path)
    text = page(tmp_path)
    assert '<time datetime="2026-01-01T05:00:08Z" data-age>1 January 2026, 05:00 UTC</time>' in text
    assert " ago" not in text.partition("</script>")[2]


def test_what_changed_stands_with_its_figure(tmp_path: Path) -> None:
    row = {
        "key": "nrr", "name": "Net revenue retention (NRR)", "unit": "fraction", "then": "104.0%", "now": "101.0%",
        "difference": -0.03, "inside": True,
    }  # fmt: skip
    changed = {
        "run_id": "x", "as_of": "2025-12-01", "started_at": "2025-12-01T05:00:00Z", "other": ["where"], "rows": [row],
    }  # fmt: skip
    write_run(tmp_path, changed=changed)
    text = page(tmp_path)
    assert "was 104.0%: −3.0\u202fpoints, inside today&#39;s interval" in text
    held = "Compared with the report of 1 December 2025, 05:00 UTC, as of 1 December 2025; also changed: where."
    assert held in text


def test_the_history_shows_fifty_runs_and_says_where_the_others_are(tmp_path: Path) -> None:
    for day in range(1, 53):
        write_run(tmp_path, day=day)
    one = words(tmp_path)[0]["whole"][0]
    assert (one["runs"], len(one["history"])) == (52, 50)
    assert ">21 Feb 2026, 05:00</a>" in page(tmp_path)
    assert "<summary>52 runs</summary>" in page(tmp_path)
    assert "cs-helpers history churn -n 52" in page(tmp_path)


def test_the_histories_of_many_series_share_a_limit(tmp_path: Path) -> None:
    for day in range(1, 13):
        write_run(tmp_path, day=day)
    (one,) = run_records.read_series(tmp_path)
    many = [one | {"series": f"churn/csm={number}"} for number in range(400)]
    parts = report_index.subjects(many)[0]["parts"]
    assert {len(part["history"]) for part in parts} == {report_index.MIN_RUNS}


# The little line


def test_the_line_goes_through_the_good_runs_the_oldest_first(tmp_path: Path) -> None:
    for day, value in ((1, 0.9), (2, 1.1), (3, 1.0)):
        write_run(tmp_path, day=day, headline=[tile(value)])
    write_run(tmp_path, day=4, status="failed")
    line = words(tmp_path)[0]["whole"][0]["tiles"][0]["spark"]
    ys = [float(point.split(",")[1]) for point in line["points"].split()]
    assert ys == [26, 4, 15], "0.9 lies lowest, 1.1 highest, 1.0 half-way"
    assert (float(line["x"]), float(line["y"])) == (115, 15), "the last point is marked"
    assert line["label"] == (
        "Net revenue retention (NRR) over the last 3 reports: from 90.0% to 100.0%, lowest 90.0%, highest 110.0%"
    )
    text = page(tmp_path)
    assert f'role="img" aria-label="{line["label"]}"' in text
    assert f'<polyline points="{line["points"]}"/>' in text


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [1.0, None, 2.0]])
def test_fewer_than_three_numbers_are_no_line(values: list[float | None]) -> None:
    assert report_index.sparkline([tile(value) for value in values]) is None


def test_a_flat_line_lies_in_the_middle_and_a_missing_value_is_passed_over() -> None:
    line = report_index.sparkline([tile(value) for value in (1.0, None, 1.0, 1.0)])
    assert line is not None
    assert [point.split(",")[1] for point in line["points"].split()] == ["15.0"] * 3


def test_the_scale_holds_the_last_interval() -> None:
    narrow = report_index.sparkline([tile(v) for v in (1.0, 1.1, 1.0)])
    wide = report_index.sparkline([tile(v) for v in (1.0, 1.1)] + [tile(1.0, low=0.0, high=2.0)])
    assert narrow is not None
    assert wide is not None
    assert narrow["interval"] is None
    assert wide["interval"] == ["26.0", "4.0"]

    def spread(line: dict[str, Any]) -> float:
        ys = [float(point.split(",")[1]) for point in line["points"].split()]
        return max(ys) - min(ys)

    assert spread(wide) < spread(narrow) / 10


def test_thirty_points_at_most() -> None:
    line = report_index.sparkline([tile(float(value)) for value in range(40)])
    assert line is not None
    assert len(line["points"].split()) == 30
    assert "from 1000.0% to 3900.0%" in line["label"]


def test_runs_with_other_settings_are_no_points_of_the_line(tmp_path: Path) -> None:
    for day, where in ((1, ""), (2, "segment=SMB"), (3, ""), (4, "")):
        parameters = {"where": where, "as_of": f"2026-01-{day:02d}", "source": f"exports/{day}"}
        write_run(tmp_path, day=day, parameters=parameters, headline=[tile(5.0 if where else 1.0)])
    assert "over the last 3 reports: from 100.0% to 100.0%, lowest 100.0%, highest 100.0%" in page(tmp_path)


def test_the_same_data_again_is_no_further_point(tmp_path: Path) -> None:
    for day in range(1, 5):
        write_run(tmp_path, day=day, source_fingerprint="same", headline=[tile(float(day))])
    assert words(tmp_path)[0]["whole"][0]["tiles"][0]["spark"] is None


def test_another_unit_is_another_figure(tmp_path: Path) -> None:
    for day in range(1, 4):
        write_run(tmp_path, day=day, headline=[tile(1.0, unit="EUR" if day == 1 else "USD")])
    assert words(tmp_path)[0]["whole"][0]["tiles"][0]["spark"] is None


# Whom it believes

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_whatever_a_record_says_is_text(tmp_path: Path) -> None:
    changed = {
        "run_id": EVIL, "as_of": EVIL, "started_at": "2025-12-01T05:00:00Z", "other": [EVIL],
        "rows": [
            {"key": "nrr", "name": EVIL, "unit": EVIL, "then": EVIL, "now": EVIL, "difference": 1, "inside": None},
        ],
    }  # fmt: skip
    evil = tile(1.0, name=EVIL, text=EVIL, unit=EVIL)
    for day in (1, 2, 3):
        write_run(
            tmp_path, day=day, title=EVIL, question=EVIL, subject=EVIL, source=EVIL, as_of=EVIL, headline=[evil],
            takeaways=[EVIL], changed=changed, parameters={"where": EVIL},
        )  # fmt: skip
    write_run(tmp_path, day=4, status="failed", error={"message": EVIL}, title=EVIL)
    body = page(tmp_path).partition("</script>")[2]
    assert body.count("&lt;script&gt;alert(1)") >= 10
    assert "<img" not in body
    assert "<script" not in body
    assert not re.search(r"""<[^>]*\son\w+=(?![^<>]*&)""", body)


def test_signs_that_nobody_sees_are_left_out_and_broken_text_can_be_written(tmp_path: Path) -> None:
    write_run(tmp_path, title="a\u202eb\u200bc\ud800d", takeaways=["\ud800", "x"])
    text = page(tmp_path)
    assert ">abcd</a>" in text
    assert not {"\u202e", "\u200b", "\ud800"} & set(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "fine"},
        {"status": None},
        {"title": ["x"]},
        {"as_of": 3},
        {"duration_s": "long"},
        {"duration_s": 1e300},
        {"started_at": "yesterday"},
        {"started_at": 5},
        {"headline": "none"},
        {"headline": [3]},
        {"headline": [{"name": "no key"}]},
        {"headline": [tile(1.0) | {"value": "much"}]},
        {"headline": [tile(1.0, low="little")]},
        {"headline": [tile(1.0, text=7)]},
        {"takeaways": [{}]},
        {"parameters": {"limit": float("nan")}},
        {"error": "went wrong"},
        {"error": {"message": 3}},
        {"changed": {"rows": [{}]}},
        {"changed": {"started_at": "2026-01-01T00:00:00Z", "rows": 3}},
    ],
    ids=str,
)
def test_what_no_run_writes_is_named_left_out_and_hides_nothing_else(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_run(tmp_path, day=1)
    broken = write_run(tmp_path, day=2, **changes) / "run.json"
    assert run_records.read_records(tmp_path)[1] == [broken]
    assert "1 run record could not be read" in page(tmp_path)
    assert "101.0%" in page(tmp_path)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "9" * 5000, "[" * 100_000, "\udcff"], ids=["nan", "inf", "9", "[", "?"]
)
def test_no_number_breaks_the_index(tmp_path: Path, text: str) -> None:
    write_run(tmp_path, day=1)
    record = write_run(tmp_path, day=2) / "run.json"
    record.write_text(record.read_text().replace("8.0", text), encoding="utf-8", errors="surrogateescape")
    assert run_records.read_records(tmp_path)[1] == [record]
    page(tmp_path)


def test_a_time_of_another_zone_and_one_without_are_shown_in_utc(tmp_path: Path) -> None:
    write_run(tmp_path, day=1, started_at="2026-01-01T07:30:00+02:00")
    write_run(tmp_path, day=2, started_at="2026-01-02T05:00:00")
    newest, oldest = run_records.read_records(tmp_path)[0]
    assert oldest["started_at"] == "2026-01-01T05:30:00.000Z"
    assert newest["started_at"] == "2026-01-02T05:00:00.000Z"


def test_a_run_is_found_where_it_lies_whatever_its_record_says(tmp_path: Path) -> None:
    folder = write_run(tmp_path, series="churn")
    (tmp_path / "old").mkdir()
    folder.parent.rename(tmp_path / "old" / "churn")
    (one,) = run_records.read_series(tmp_path)
    assert one["series"] == "old/churn"
    assert (tmp_path / one["last_good"]["report"]).is_file()


def test_hidden_folders_links_and_loops_are_not_entered(tmp_path: Path) -> None:
    write_run(tmp_path, "churn")
    write_run(tmp_path, ".hidden")
    (tmp_path / "churn" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "linked").symlink_to(tmp_path / ".hidden", target_is_directory=True)
    assert [record["series"] for record in run_records.read_records(tmp_path)[0]] == ["churn"]


# Readers and writers


def test_a_reader_in_a_loop_always_sees_a_whole_index(tmp_path: Path) -> None:
    for day in range(1, 20):
        write_run(tmp_path, day=day)
    path, seen, done = report_index.rebuild(tmp_path)[0], [], threading.Event()

    def read() -> None:
        while not done.is_set():
            text = path.read_text(encoding="utf-8")
            seen.append(text.startswith("<!doctype html>") and text.rstrip().endswith("</html>"))

    reader = threading.Thread(target=read)
    reader.start()
    for day in range(20, 29):
        write_run(tmp_path, day=day)
        report_index.rebuild(tmp_path)
    done.set()
    reader.join()
    assert len(seen) > 5
    assert all(seen)
    assert "<summary>28 runs</summary>" in path.read_text()


def test_a_second_process_waits_and_then_reads_anew(tmp_path: Path) -> None:
    """Had it read before it waited, its older index would replace the newer one."""
    write_run(tmp_path, day=1)
    with locks.hold(tmp_path, report_index.LOCK) as held:
        assert held
        command = [sys.executable, "-m", "cs_helpers", "index", "--out", str(tmp_path)]
        other = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(2)
        assert not (tmp_path / "index.html").exists()
        write_run(tmp_path, day=2)
    assert other.wait(30) == 0
    assert "<summary>2 runs</summary>" in (tmp_path / "index.html").read_text()


def test_a_run_that_goes_while_the_index_is_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path, day=1)
    gone = write_run(tmp_path, day=2)
    found = list(run_records.find_runs(tmp_path))
    (gone / "run.json").unlink()
    monkeypatch.setattr(run_records, "find_runs", lambda out: iter(found))
    records, broken = run_records.read_records(tmp_path)
    assert (len(records), broken) == (1, [])


def test_a_thousand_runs_make_a_light_page(tmp_path: Path) -> None:
    tiles = [
        tile(1.0, key=f"figure_{number}", name=f"The figure of number {number}", low=0.9, high=1.1)
        for number in range(5)
    ]
    for number in range(20):
        for day in range(1, 29):
            write_run(tmp_path, f"report_{number:02d}", day=day, headline=tiles, takeaways=["A sentence. " * 12])
    text = page(tmp_path)
    assert text.count("<polyline") == 20 * 5
    assert text.count("<tr><td>") == 20 * 28
    assert len(text.encode()) * 50 / 28 < 1_500_000


def test_the_command_names_broken_records_and_prints_the_path(tmp_path: Path) -> None:
    write_run(tmp_path)
    broken = write_run(tmp_path, day=2) / "run.json"
    broken.write_text("{")
    done = CliRunner().invoke(app, ["index", "--out", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'index.html'}\n")
    assert done.stderr == f"{broken}: cannot be read as a run record and is left out.\n"
