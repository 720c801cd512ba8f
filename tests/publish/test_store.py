"""Reports kept in a store elsewhere: an S3 server of our own, and the memory and file systems of fsspec."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest
from small_notebooks import notebook

from cs_helpers.core.errors import ParameterError, ReportFailed
from cs_helpers.publish import store

KEYS = {
    "AWS_ACCESS_KEY_ID": "planted-access",
    "AWS_SECRET_ACCESS_KEY": "planted-secret-0123",
    "AWS_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def s3():
    """A server that speaks S3, and the environment in which it is found."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = KEYS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    files = fsspec.filesystem(
        "s3",
        key=KEYS["AWS_ACCESS_KEY_ID"],
        secret=KEYS["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    files.mkdir("bucket")
    yield environment, files
    server.stop()


def run(tmp_path, environment, *more, cache="one"):
    small = notebook(tmp_path / "small.ipynb", "1")
    words = [sys.executable, "-m", "cs_helpers", "run", str(small), *more, "--out", "s3://bucket/reports"]
    env = {**os.environ, **environment, store.CACHE_VARIABLE: str(tmp_path / cache)}
    return subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)


@pytest.mark.reports
def test_reports_go_to_a_bucket_and_two_machines_carry_on_from_each_other(tmp_path, s3):
    environment, files = s3
    first = run(tmp_path, environment)
    assert first.returncode == 0, first.stderr
    assert "s3://bucket/reports/small/latest.html" in first.stdout
    assert "s3://bucket/reports/index.html" in first.stdout
    second = run(tmp_path, environment, "-p", "as_of=2026-02-01", "--json", cache="another machine")
    record = json.loads(second.stdout)[0]
    assert record["changed"]["rows"][0]["key"] == "grr"  # held against the run of the first machine
    found = sorted(name.removeprefix("bucket/reports/") for name in files.find("bucket/reports"))
    runs = sorted({name.split("/")[1] for name in found if name.endswith("run.json")})
    assert runs[1] == record["run_id"]
    each = [f"small/{run}/{name}" for run in runs for name in ("notebook.ipynb", "report.html", "run.json")]
    assert found == sorted(["index.html", "small/latest.html", *each])
    assert files.cat("bucket/reports/small/latest.html") == files.cat(f"bucket/reports/small/{runs[1]}/report.html")
    page = files.cat("bucket/reports/index.html").decode()
    assert all(run in page for run in runs)
    said = first.stdout + first.stderr + second.stdout + second.stderr + page
    assert "planted-secret" not in said


def test_a_store_that_cannot_be_reached_keeps_what_was_made_and_the_next_run_sends_it(tmp_path, s3):
    environment, _ = s3
    closed = environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    failed = run(tmp_path, closed)
    assert failed.returncode == 1
    assert "s3://bucket/reports: cannot be read" in failed.stderr
    assert "Traceback" not in failed.stderr
    # Reached at first and then lost: the report is here and not there.
    remote = store.Remote("memory://place/reports")
    remote.folder = tmp_path / "copy"
    remote.pull()
    run_folder = remote.folder / "small" / "20260101T000000000Z-aaaa"
    run_folder.mkdir(parents=True)
    (run_folder / "run.json").write_text("{}")
    again = store.Remote("memory://place/reports")
    again.folder = remote.folder
    again.pull()
    again.push()
    assert again.files.exists("/place/reports/small/20260101T000000000Z-aaaa/run.json")


def test_what_links_to_others_is_sent_after_them(tmp_path):
    sent = []
    remote = store.Remote("memory://order/reports")
    remote.folder = tmp_path
    for name in ("index.html", "small/latest.html", "small/r1/run.json", "small/r1/report.html", "small/r1/a.csv",
                 ".locks/x.lock", ".logs/y.jsonl", ".pseudonym-key", "small/.tmp"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    put = remote.files.put_file
    remote.files.put_file = lambda here, there, **more: (sent.append(there), put(here, there, **more))
    try:
        remote.push()
    finally:
        del remote.files.put_file
    assert [name.removeprefix("/order/reports/") for name in sent] == [
        "small/r1/a.csv", "small/r1/report.html", "small/r1/run.json", "small/latest.html", "index.html",
    ]  # fmt: skip
    sent.clear()
    remote.push()
    assert sent == []


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("s3://key:secret@bucket/x", "holds a user name or a password"),
        ("nosuch://bucket/x", "Protocol not known"),
        ("gs://bucket/x", "install s3fs, for gs:// gcsfs"),
    ],
)
def test_an_address_nobody_can_use_is_refused_with_what_to_do(out, words):
    with pytest.raises(ParameterError, match=words) as refused, store.opened(out):
        pass
    assert "secret@" not in str(refused.value)


def test_a_shared_report_for_a_store_needs_a_key_that_does_not_lie_in_it(monkeypatch):
    monkeypatch.delenv("CS_HELPERS_PSEUDONYM_KEY", raising=False)
    with pytest.raises(ParameterError, match="needs the key for its pseudonyms"):
        store.Remote("memory://x/y").check_key()
    store.Store(Path("reports")).check_key()


def test_a_folder_is_just_that(tmp_path):
    with store.opened(str(tmp_path / "out")) as folder:
        folder.push()
    assert folder.shown(tmp_path / "out" / "index.html") == str(tmp_path / "out" / "index.html")
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_store_is_told_as_ours(tmp_path):
    remote = store.Remote("memory://broken/reports")
    with pytest.raises(
        ReportFailed, match=r"memory://broken/reports: cannot be read: PermissionError(.|\n)*kept on this"
    ):
        remote._do("read", lambda: (_ for _ in ()).throw(PermissionError("no")))
