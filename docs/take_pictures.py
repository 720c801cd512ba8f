"""Takes the README's pictures anew: `make docs`, after `make reports`. Needs Chromium on the PATH.

One picture: the report of the sample company on a desk, in light, and on a phone, in dark.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "reports" / "churn" / "latest.html"
QUIET = (
    "--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-quic --run-all-compositor-stages-before-draw"
)


def shot(page: Path, width: int, height: int, dark: bool) -> Image.Image:
    """One screenshot of a page in a browser window of its own."""
    browser = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if browser is None:
        sys.exit("Chromium is not on the PATH. Install it (Debian, Ubuntu: apt install chromium).")
    theme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        command = [browser, *QUIET.split(), *theme, f"--user-data-dir={folder}/profile"]
        command += [f"--window-size={width},{height}", f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        return Image.open(picture).convert("RGB")


def main() -> None:
    if not REPORT.exists():
        sys.exit(f"There is no {REPORT.relative_to(ROOT)} yet: make reports")
    desk, phone = shot(REPORT, 1240, 1500, dark=False), shot(REPORT, 500, 1290, dark=True)
    phone = phone.resize((437, 1128), Image.Resampling.LANCZOS)
    both = Image.new("RGB", (desk.width + 420, desk.height + 40), "#e3e7ed")
    both.paste(desk, (20, 20))
    both.paste(phone, (both.width - phone.width - 20, 20 + (desk.height - phone.height) // 2))
    target = ROOT / "docs" / "images" / "churn-report.png"
    both.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)
    sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
