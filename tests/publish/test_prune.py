"""Retention: what goes, what never goes, and that nobody ever sees half a run, whenever the process is killed."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from run_records import write_run
from typer.testing import CliRunner

from cs_helpers.cli import app
from cs_helpers.publish import locks, prune, report_index, run_records

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ids(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def planned(out: Path, keep: int | None = None, older: int | None = None, **how: Any) -> list[tuple[str, str]]:
    return [(each.series, each.run_id) for each in prune.plan(out, keep, older, NOW, **how).runs]


def call(*words: Any) -> Any:
    return CliRunner().invoke(app, ["prune", *map(str, words)])


def aged(path: Path, hours: float) -> Path:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


# What goes


def test_the_newest_good_runs_of_each_series_stay(tmp_path: Path) -> None:
    for series in ("churn", "churn/segment=smb"):
        folders = [write_run(tmp_path, series, day) for day in range(1, 6)]
    assert planned(tmp_path, keep=2, series=["churn/segment=smb"]) == [
        ("churn/segment=smb", folder.name) for folder in reversed(folders[:3])
    ]
    assert len(planned(tmp_path, keep=2)) == 6
    assert planned(tmp_path, keep=5) == []


def test_failed_runs_are_counted_by_themselves(tmp_path: Path) -> None:
    write_run(tmp_path, day=1)
    for day in range(2, 15):
        write_run(tmp_path, day=day, status="failed")
    gone = planned(tmp_path, keep=1)
    assert len(gone) == 13 - prune.KEEP_FAILED
    assert gone == planned(tmp_path, keep=None), "the good run counts for nothing among them"
    assert len(planned(tmp_path, keep=1, keep_failed=1)) == 12


def test_runs_older_than_so_many_days_go(tmp_path: Path) -> None:
    old, edge, new = (write_run(tmp_path, day=day) for day in (1, 30, 59))  # 1 January, 30 January, 28 February
    assert planned(tmp_path, older=30) == [("churn", edge.name), ("churn", old.name)]
    assert planned(tmp_path, older=40) == [("churn", old.name)]
    assert planned(tmp_path, keep=2, older=40) == [("churn", old.name)]
    assert new.is_dir()


@pytest.mark.parametrize("how", [{"keep": 1}, {"older": 1}, {"keep": 1, "older": 1, "keep_failed": 0}])
def test_the_last_good_run_and_the_newest_run_never_go(tmp_path: Path, how: dict[str, int]) -> None:
    write_run(tmp_path, day=1)
    good = write_run(tmp_path, day=2, status="warnings")
    write_run(tmp_path, day=3, status="failed")
    newest = write_run(tmp_path, day=4, status="failed")
    prune.apply(tmp_path, prune.plan(tmp_path, how.get("keep"), how.get("older"), NOW, keep_failed=0))
    assert ids(tmp_path / "churn") == [good.name, newest.name]


def test_keep_newest_is_told_in_ids_and_makes_the_index_anew(tmp_path: Path) -> None:
    folders = [write_run(tmp_path, day=day) for day in range(1, 6)]
    other = write_run(tmp_path, "roi", day=1)
    assert prune.keep_newest(tmp_path, "churn", 2) == [folder.name for folder in reversed(folders[:3])]
    assert ids(tmp_path / "churn") == [folder.name for folder in folders[3:]]
    assert other.is_dir()
    assert "<summary>2 runs</summary>" in (tmp_path / "index.html").read_text()
    assert prune.keep_newest(tmp_path, "churn", 2) == []
    assert prune.keep_newest(tmp_path, "no such series", 1) == []


def test_settings_keys_and_strangers_stay(tmp_path: Path) -> None:
    for day in range(1, 4):
        write_run(tmp_path, day=day)
    kept = [
        ".pseudonym-key", ".locks/churn.lock", "schedule.yml", "README.md", "status.json", ".DS_Store",
        ".ipynb_checkpoints/x.ipynb", "churn/notes.txt", ".logs/2026-02-01.jsonl", "check/customers.csv",
    ]  # fmt: skip
    for name in kept:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
        aged(tmp_path / name, 24 * 400)
    unreadable = write_run(tmp_path, day=9) / "run.json"
    unreadable.write_text("{")
    prune.apply(tmp_path, prune.plan(tmp_path, 1, 1, NOW))
    assert [name for name in kept if not (tmp_path / name).is_file()] == []
    assert unreadable.is_file(), "what cannot be read is named by the index, and nobody's to remove"


# What killed processes left


def test_trash_unfinished_files_and_old_logs_go(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    trash = tmp_path / "churn" / ".trash-20260101T050000000Z-0001"
    trash.mkdir()
    (trash / "report.html").write_text("x" * 1000)
    files = [tmp_path / ".index.html.0123abcd", tmp_path / "churn" / ".latest.html.0123abcd"]
    files.append(folder / ".delivery.json.0123abcd")
    for path in files:
        path.write_text("half")
        aged(path, 2)
    young = tmp_path / ".index.html.89abcdef"
    young.write_text("being written")
    (tmp_path / ".logs").mkdir()
    old, recent = (tmp_path / ".logs" / f"{day}.jsonl" for day in ("2025-11-30", "2025-12-01"))
    for log in (old, recent):
        log.write_text("{}\n")
    found = prune.leftovers(tmp_path, NOW)
    assert {each.path for each in found} == {trash, *files, old}
    assert sum(each.size for each in found) == 1000 + 3 * 4 + 3
    assert prune.apply(tmp_path, prune.plan(tmp_path, None, None, NOW)) == []
    assert not any(path.exists() for path in (trash, *files, old))
    assert all(path.exists() for path in (young, recent, folder))


@pytest.mark.parametrize("series", ["churn", "churn/segment=smb", "churn/csm=Zoë-K."])
def test_the_folder_of_a_run_that_was_killed_goes_and_that_of_one_going_on_stays(tmp_path: Path, series: str) -> None:
    left = tmp_path / f".{series.replace('/', '-')}-20260101T050000000Z-00ab"
    left.mkdir()
    aged(left, 0.1)
    with locks.hold(tmp_path, series):
        assert prune.leftovers(tmp_path, NOW) == []
        younger = left.with_name(left.name.replace("20260101", "20260102"))
        younger.mkdir()
        assert [each.path for each in prune.leftovers(tmp_path, NOW)] == [left], "only the younger one can be at work"
    aged(younger, 0.1)
    assert [each.path for each in prune.leftovers(tmp_path, NOW)] == [left, younger]
    prune.apply(tmp_path, prune.plan(tmp_path, None, None, NOW))
    assert ids(tmp_path) == [".locks", ".logs"]


def test_a_folder_made_just_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".churn-20260101T050000000Z-00ab").mkdir()
    assert prune.leftovers(tmp_path, NOW) == []


def test_what_is_linked_is_never_followed(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "reports", tmp_path / "elsewhere"
    write_run(out)
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    (out / ".trash-20260101T050000000Z-0001").symlink_to(elsewhere, target_is_directory=True)
    (out / ".churn-20260101T050000000Z-00ab").symlink_to(elsewhere, target_is_directory=True)
    for link in out.glob(".*"):
        os.utime(link, (0, 0), follow_symlinks=False)
    assert prune.leftovers(out, NOW) == []
    assert (elsewhere / "mine").read_text() == "mine"


# Readers, kills and full disks

WHOLE = {"report.html", "notebook.ipynb", "run.json"}


def all_whole(out: Path) -> list[str]:
    """Visible runs that are not whole."""
    return [
        str(folder)
        for folder in out.glob("*/[!.]*/")
        if folder.is_dir() and {path.name for path in folder.iterdir()} != WHOLE
    ]


def dead_links(out: Path) -> list[str]:
    links = re.findall(r'href="(churn/[^"]*)"', (out / "index.html").read_text())
    assert len(links) >= 3
    return [link for link in links if not (out / link).exists()]


def test_a_prune_killed_at_any_moment_leaves_whole_runs_and_the_next_one_ends_it(tmp_path: Path) -> None:
    interrupted = 0
    for number in range(8):
        out = tmp_path / str(number)
        for day in range(1, 120):
            write_run(out, day=day)
        report_index.rebuild(out)
        command = [sys.executable, "-m", "cs_helpers", "prune", "--keep", "3", "--out", str(out)]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while running.poll() is None and not list((out / "churn").glob(".trash-*")):
            time.sleep(0.0005)
        time.sleep(random.Random(number).uniform(0, 0.02))
        running.kill()
        running.wait()
        assert all_whole(out) == []
        assert (out / "churn" / "latest.html").is_file()
        interrupted += bool(list((out / "churn").glob(".trash-*")))
        newest = ids(out / "churn")[-3:]
        prune.apply(out, prune.plan(out, 3, None, NOW))
        assert ids(out / "churn") == newest
        assert dead_links(out) == []
    assert interrupted >= 2, "most kills came before or after the removing, which tests nothing"


def test_no_reader_of_the_index_ever_finds_a_link_to_a_run_that_went(tmp_path: Path) -> None:
    """The index forgets a run before the run goes: the links of an index read now lead somewhere right after."""
    for day in range(1, 60):
        write_run(tmp_path, day=day)
    report_index.rebuild(tmp_path)
    command = [sys.executable, "-m", "cs_helpers", "prune", "--keep", "40", "--out", str(tmp_path)]
    running, looks, dead = subprocess.Popen(command, stdout=subprocess.DEVNULL), 0, []
    while running.poll() is None:
        before = (tmp_path / "index.html").stat().st_ino
        missing = dead_links(tmp_path)
        if (tmp_path / "index.html").stat().st_ino == before:  # else the page was replaced while it was looked at
            dead += missing
        looks += 1
    assert (running.returncode, dead) == (0, [])
    assert looks > 5
    assert "<summary>40 runs</summary>" in (tmp_path / "index.html").read_text()


def test_an_index_that_cannot_be_written_does_not_keep_the_disk_full(tmp_path: Path) -> None:
    for day in range(1, 4):
        write_run(tmp_path, day=day)
    (tmp_path / "index.html").mkdir()  # nothing can be put in its place
    problems = prune.apply(tmp_path, prune.plan(tmp_path, 1, None, NOW))
    assert len(ids(tmp_path / "churn")) == 1
    assert len(problems) == 1
    assert problems[0].startswith("index.html: could not be written")


def test_two_at_once_remove_each_run_once(tmp_path: Path) -> None:
    for day in range(1, 60):
        write_run(tmp_path, day=day)
    command = [sys.executable, "-m", "cs_helpers", "prune", "--keep", "5", "--out", str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate()[1], one.returncode) for one in both] == [("", 0), ("", 0)]
    assert len(ids(tmp_path / "churn")) == 5
    assert not list(tmp_path.rglob(".trash-*"))


# The command


def test_the_command_says_what_goes_and_how_much_that_frees(tmp_path: Path) -> None:
    for day in range(1, 6):
        write_run(tmp_path, day=day)
    would = call("--keep", 2, "--dry-run", "--out", tmp_path)
    assert would.exit_code == 0
    assert re.fullmatch(
        r"churn: 3 of 5 runs, [\d.]+ kB \(beyond the newest 2 good runs\)\nWould free [\d.]+ kB\.\n", would.stdout
    )
    assert len(ids(tmp_path / "churn")) == 5, "a dry run removes nothing"
    done = call("--keep", 2, "--out", tmp_path)
    assert done.stdout == would.stdout.replace("Would free", "Freed")
    assert len(ids(tmp_path / "churn")) == 2
    assert call("--keep", 2, "--out", tmp_path).stdout == "Nothing to remove.\n"


def test_the_command_keeps_fifty_without_being_told_and_goes_by_age_alone_if_asked(tmp_path: Path) -> None:
    for day in range(-400, -350):
        write_run(tmp_path, day=day)
    write_run(tmp_path, day=1)
    asked = json.loads(call("--dry-run", "--json", "--out", tmp_path).stdout)
    assert [each["why"] for each in asked["runs"]] == ["beyond the newest 50 good runs"]
    assert asked["dry_run"] is True
    assert asked["bytes"] == sum(each["bytes"] for each in asked["runs"]) > 0
    by_age = json.loads(call("--older-than", 30, "--dry-run", "--json", "--out", tmp_path).stdout)
    assert len(by_age["runs"]) == 50


def test_the_command_of_one_series_leaves_the_others(tmp_path: Path) -> None:
    for series in ("churn", "churn/segment=smb", "roi"):
        for day in (1, 2):
            write_run(tmp_path, series, day)
    assert call("churn", "--keep", 1, "--out", tmp_path).exit_code == 0
    left = {series: len(runs) for series, runs in run_records.by_series(run_records.read_records(tmp_path)[0]).items()}
    assert left == {"churn": 1, "churn/segment=smb": 1, "roi": 2}
    refused = call("chrun", "--out", tmp_path)
    assert refused.exit_code == 2
    assert "no series 'chrun'" in refused.stderr
    assert "Did you mean 'churn'?" in refused.stderr


def test_what_was_pruned_stands_in_the_log(tmp_path: Path) -> None:
    for day in (1, 2):
        write_run(tmp_path, day=day)
    prune.keep_newest(tmp_path, "churn", 1)
    (line,) = next((tmp_path / ".logs").iterdir()).read_text().splitlines()
    said = json.loads(line)
    assert (said["event"], said["runs"], said["problems"]) == ("pruned", 1, 0)
