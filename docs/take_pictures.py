"""Takes the README's pictures anew: `make docs`. Runs the reports of the sample company and needs Chromium.

Four pictures: the churn report on a desk in light and on a phone in dark; the ROI report of a simulated world, its
first screen, its evidence and the what-if panel on a phone; the rep report, its first screen, the comparison on what
steers support and the first screen on a phone; the data check, the index, a call list and the first printed page.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
GROUND = "#e3e7ed"
A4 = (794, 1123)  # pixels at 96 to the inch


def main() -> None:
    """Publishes into a folder of its own, so that the pictures never show somebody's data."""
    chromium = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if chromium is None:
        sys.exit("Chromium is not on the PATH. Install it (Debian, Ubuntu: apt install chromium).")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder)
        world = str(out / "world-a")
        settings = out / "roi.yml"
        settings.write_text("margin: [0.7, 0.8, 0.85]\nhealth_lag: 0\n", encoding="utf-8")
        told = ["-p", f"settings={settings}", "-p", "negative_controls=late_payment"]
        for words in (
            ["sample", world, "--world", "A", "--accounts", "4000", "--months", "25"],
            ["run", "churn", "--as-of", "2026-06-01", "--out", str(out)],
            ["run", "churn", "--out", str(out)],
            ["run", "data_check", "--out", str(out)],
            ["run", "reps", "--out", str(out)],
            ["run", "roi", "--source", world, *told, "--out", str(out / "of-world-a")],
        ):
            subprocess.run([sys.executable, "-m", "cs_helpers", *words], cwd=ROOT, check=True, capture_output=True)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        churn = out / "churn" / "latest.html"
        desk, phone = shot(browser, churn, (1240, 1500)), shot(browser, churn, (400, 1130), dark=True)
        save(beside([desk, phone], 1500), "churn-report.png")
        worth = out / "of-world-a" / "roi" / "latest.html"
        screens = [shot(browser, worth, (1240, 1500)), shot(browser, worth, (1240, 1500), at="s-what-was-measured")]
        panel = shot(browser, worth, (400, 1130), dark=True, at="s-your-own-what-if")
        save(beside([*screens, panel], 1000), "roi-report.png")
        team = out / "reps" / "latest.html"
        screens = [
            shot(browser, team, (1240, 1500)),
            shot(browser, team, (1240, 1500), at="s-support-steering-measures"),
        ]
        save(beside([*screens, shot(browser, team, (400, 1130), dark=True)], 1000), "reps-report.png")
        calls = shot(browser, churn, (1240, 1100), at="s-whom-to-call-this-week")
        check = shot(browser, out / "data_check" / "latest.html", (1240, 1100))
        index = shot(browser, out / "index.html", (1240, 1100), dark=True)
        paper = shot(browser, churn, A4, printed=True)
        rows = [beside([calls, check], 620), beside([index, paper], 620)]
        save(stacked(rows), "pages.png")
        browser.close()


def shot(
    browser: Browser, page: Path, size: tuple[int, int], *, dark: bool = False, at: str = "", printed: bool = False
) -> Image.Image:
    """One screenshot of a page, scrolled to an id, or as the printer would lay it out."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", offline=True
    )
    tab = context.new_page()
    if printed:
        tab.emulate_media(media="print")
    tab.goto(page.as_uri())
    if printed:
        tab.add_style_tag(content="body { padding: 48px }")  # the margin that @page gives on paper
    if at:
        tab.evaluate("id => document.getElementById(id).scrollIntoView({behavior: 'instant'})", at)
    tab.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    context.close()
    return picture


def beside(pictures: list[Image.Image], height: int) -> Image.Image:
    """Pictures in a row, the taller ones shrunk to one height, with a border of the ground's colour."""
    fitted = [p.resize((p.width * height // p.height, height), Image.Resampling.LANCZOS) if p.height > height else p
              for p in pictures]  # fmt: skip
    row = Image.new("RGB", (sum(p.width + 24 for p in fitted) + 24, height + 48), GROUND)
    left = 24
    for picture in fitted:
        row.paste(picture, (left, 24 + (height - picture.height) // 2))
        left += picture.width + 24
    return row


def stacked(rows: list[Image.Image]) -> Image.Image:
    """Rows under each other, each in the middle."""
    width = max(row.width for row in rows)
    whole = Image.new("RGB", (width, sum(row.height for row in rows) - 24 * (len(rows) - 1)), GROUND)
    top = 0
    for row in rows:
        whole.paste(row, ((width - row.width) // 2, top))
        top += row.height - 24
    return whole


def save(picture: Image.Image, name: str) -> None:
    """256 colours, so that a picture weighs a quarter; those far from others stay, such as a few orange dots."""
    target = IMAGES / name
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(
        target, optimize=True
    )
    sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
