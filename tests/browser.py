"""A real browser for the tests: it has no network, listens to everything a page does, and measures what a reader sees.

``opened`` visits one page in a context of its own and fails if the page asked for anything, logged anything, threw or
opened a dialog. ``survey`` measures one page at one width in one theme: what is wider than the screen, what is too
small to read or to hit, what lies over something else, and what axe-core finds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PICTURES = Path(os.environ.get("CS_HELPERS_PICTURES") or ROOT / ".pictures")
CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
_MISSING = [
    why
    for why, there in (
        ("Chromium is not installed (Debian, Ubuntu: apt install chromium)", CHROMIUM),
        ("playwright is not installed", find_spec("playwright")),
        ("axe-playwright-python is not installed", find_spec("axe_playwright_python")),
    )
    if not there
]
needs_browser = pytest.mark.skipif(bool(_MISSING), reason="; ".join(_MISSING))

# Widths of a phone, a tablet and a desk; the two ends in the dark too.
VIEWS = [(360, False), (820, False), (1440, False), (360, True), (1440, True)]


@contextmanager
def started() -> Iterator[Any]:
    """One browser process. The caller ends it soon: while it runs, no other event loop can run in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page that is open, and what was heard of it: requests, console, errors, dialogs, new windows, downloads."""

    page: Any
    folder: Path
    heard: list[str] = field(default_factory=list)

    def _asked(self, request: Any) -> None:
        address = request.url
        ours = request.is_navigation_request() and request.frame == self.page.main_frame
        if address.startswith(("data:", "blob:")) or (ours and address.startswith(f"{self.folder.as_uri()}/")):
            return
        self.heard.append(f"request: {address[:200]}")

    def _talked(self, message: Any) -> None:
        self.heard.append(f"console {message.type}: {message.text[:300]}")

    def _asked_the_reader(self, dialog: Any) -> None:
        self.heard.append(f"dialog: {dialog.message[:200]}")
        dialog.dismiss()

    def listen(self) -> None:
        self.page.on("request", self._asked)
        self.page.on("console", self._talked)
        self.page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        self.page.on("dialog", self._asked_the_reader)
        self.page.on("popup", lambda new: self.heard.append(f"new window: {new.url[:200]}"))
        self.page.on("frameattached", lambda frame: self.heard.append(f"frame: {frame.url[:200]}"))


@contextmanager
def opened(
    browser: Any,
    file: Path,
    width: int = 1440,
    height: int = 900,
    dark: bool = False,
    script: bool = True,
    silent: bool = True,
    folder: Path | None = None,
) -> Iterator[Visit]:
    """``file`` in a fresh context without network. ``silent``: whatever is heard of it is a failure.

    A page may lead to pages under ``folder`` (its own, if not given) and to nothing else.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        offline=True,
        reduced_motion="reduce",
        accept_downloads=True,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(20_000)
    visit = Visit(context.new_page(), (folder or file.parent).resolve())
    visit.listen()
    try:
        visit.page.goto(file.resolve().as_uri())
        yield visit
        visit.page.evaluate("1")  # what was said until now has been heard by then
        assert not silent or visit.heard == []
    finally:
        context.close()


@cache
def axe_source() -> str:
    """axe-core 4.12 as it comes with its wrapper."""
    spec = find_spec("axe_playwright_python")
    return next(Path(spec.origin).parent.rglob("axe.min.js")).read_text(encoding="utf-8")


# What axe cannot judge costs it most: drawings (their text is measured here, by every colour behind it), and rows and
# entries that look like the ones before them.
_COLOUR_RULES = ["color-contrast", "link-in-text-block"]
_REPEATED = [["tbody tr:nth-child(n+3)"], [".cs-entry:nth-of-type(n+3)"]]
_EMPTY_DRAWINGS = """
() => { window.drawings = [...document.querySelectorAll('svg')].map((e) => [e, [...e.childNodes]]);
  for (const [e] of window.drawings) e.replaceChildren(); }
"""
_DRAW_AGAIN = "() => { for (const [e, parts] of window.drawings) e.replaceChildren(...parts); }"


def axe(page: Any, structure: bool = True) -> list[str]:
    """Serious and critical violations in words, with the elements; without ``structure`` only those of colour."""
    page.evaluate(axe_source())
    shared = {"resultTypes": ["violations"], "elementRef": False, "preload": False}
    runs = [("{exclude: " + json.dumps(_REPEATED) + "}", {**shared, "runOnly": _COLOUR_RULES})]
    if structure:
        runs.append(("document", {**shared, "rules": {rule: {"enabled": False} for rule in _COLOUR_RULES}}))
    page.evaluate(_EMPTY_DRAWINGS)
    found = [page.evaluate(f"(options) => axe.run({where}, options)", options) for where, options in runs]
    page.evaluate(_DRAW_AGAIN)
    return [
        f"{violation['impact']} {violation['id']}: {node['target']} {node['html'][:160]} "
        f"({' '.join(node['failureSummary'].split())[:240]})"
        for one in found
        for violation in one["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@dataclass(frozen=True)
class Survey:
    """What one page looks like at one width in one theme; every list is empty where all is well."""

    wide: list[str]  # wider than the screen, tables in their scroll areas aside
    small: list[str]  # text under 11 pixels
    outside: list[str]  # text of a chart outside the screen
    crowded: list[str]  # tiles over each other, or text that leaves its tile
    targets: list[str]  # buttons and the like under 24 by 24 pixels
    pale: list[str]  # text whose contrast with what lies behind it is under 4.5 (large text: 3)
    axe: list[str]


def unfold(page: Any) -> None:
    """Opens everything that is folded in the report itself."""
    page.evaluate(_UNFOLD)


def settle(page: Any) -> None:
    """Two frames: what a scroll, a press or a change of size sets off has been drawn by then."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def measured(page: Any) -> dict[str, list[str]]:
    """The layout part of a survey, of the page as it stands."""
    return page.evaluate((ROOT / "tests" / "measure.js").read_text(encoding="utf-8"))


def picture(name: str, width: int, dark: bool) -> Path:
    """Where the picture of a view is kept."""
    return PICTURES / f"{name}-{width}-{'dark' if dark else 'light'}.jpg"


_UNFOLD = """
() => {
  for (const e of document.querySelectorAll('main details:not([open])')) { e.open = true; e.dataset.was = 'folded'; }
}
"""
_FOLD = """
() => { for (const e of document.querySelectorAll('[data-was]')) { e.open = false; delete e.dataset.was; } }
"""


def survey(
    browser: Any, file: Path, name: str, views: Sequence[tuple[int, bool]] = VIEWS
) -> dict[tuple[int, bool], Survey]:
    """Measures ``file`` at each width and theme of ``views`` with everything unfolded.

    Pictures are kept under PICTURES. Between a phone and a desk nothing new can go wrong for axe, and
    in the dark nothing but colours; the rest was judged in the light.
    """
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = {}
    with opened(browser, file, width=views[0][0]) as visit:
        page = visit.page
        for width, dark in views:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if dark else "light")
            settle(page)
            page.screenshot(path=picture(name, width, dark), full_page=True, type="jpeg", quality=85)
            unfold(page)
            layout = measured(page)
            violations = [] if width == 820 else axe(page, structure=not dark)
            page.evaluate(_FOLD)
            found[width, dark] = Survey(**layout, axe=violations)
    return found


def download(page: Any, press: Any) -> tuple[str, bytes]:
    """Name and bytes of the file that a press of a button saves."""
    page.wait_for_timeout(110)  # Chromium drops what a page saves beyond ten files a second
    with page.expect_download() as waiting:
        press()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
