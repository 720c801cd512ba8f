"""The published published in a real browser, from a file, without any network."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BROWSER = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed (Debian, Ubuntu: apt install chromium)"),
    pytest.mark.xdist_group("report"),
]

# No name resolves: whatever the page asked for would fail, and the browser would say so in its log.
QUIET = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
FLAGS = [*QUIET.split(), "--disable-component-update", "--disable-quic", "--enable-logging=stderr"]


def browse(page, profile, *options):
    command = [BROWSER, *FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", *options]
    seen = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=60)
    return seen.stdout, [line for line in seen.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("name", ["churn/latest.html", "index.html"])
def test_the_script_runs_under_its_own_policy_and_the_console_stays_silent(published, tmp_path, name):
    dom, console = browse(published / name, tmp_path, "--dump-dom")
    assert console == []
    button = re.search(r'<button[^>]*class="theme"[^>]*>', dom)[0]
    assert "hidden" not in button, "the script uncovers the button; it did not run"


def test_a_script_that_slipped_in_is_stopped_by_the_policy(published, tmp_path):
    text = (published / "churn" / "latest.html").read_text(encoding="utf-8")
    evil = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    page = tmp_path / "hostile.html"
    page.write_text(text.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    dom, console = browse(page, tmp_path / "profile", "--dump-dom")
    assert "<title>owned" not in dom
    assert any("Content Security Policy" in line for line in console)


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_nothing_is_wider_than_the_screen(published, tmp_path, width):
    # A frame of that width, since a headless window is never narrower than 500 pixels.
    text = (published / "churn" / "latest.html").read_text(encoding="utf-8")
    policy = re.search(r"<meta[^>]*Content-Security-Policy[^>]*>", text)[0]
    too_wide = (
        "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
    )
    outside = f"{too_wide}.filter((e) => !e.closest('.cs-table')).map((e) => e.outerHTML.slice(0, 80)).join('; ')"
    scrolls = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    probe = f"<script>addEventListener('load', () => parent.postMessage([{scrolls}, {outside}], '*'))</script>"
    inner = text.replace(policy, "").replace("</body>", f"{probe}</body>")
    (tmp_path / "inner.html").write_text(inner, encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(
        "<script>addEventListener('message', (e) => { document.title = 'said ' + e.data.join(' '); })</script>"
        f'<iframe src="inner.html" style="width:{width}px;height:900px;border:0"></iframe>'
    )
    dom, _ = browse(frame, tmp_path / "profile", "--dump-dom", "--virtual-time-budget=3000", "--window-size=1600,1000")
    assert re.search(r"<title>said (.*?)</title>", dom)[1].strip() == "false"
