"""Take the README's pictures anew: the demo newsletter on a desktop, and on a phone in the dark.

In: the demo publication, made afresh in a temporary folder; Chromium. Out: the PNG files beside this one. The mail's
pictures come from fixtures/, and nothing is fetched from the network. Run it with `make pictures` after a change of the
theme or of the demo.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

HERE = Path(__file__).parent
FIXTURES = HERE.parents[1] / "fixtures"
WEEK = "2026-W07"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def write_demo(folder: Path) -> Path:
    """Write the demo newsletter into a folder and return its HTML file."""
    for words in (("init", "--demo", "."), ("fetch",), ("digest", "--week", WEEK)):
        subprocess.run([sys.executable, "-m", "pipeline", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / "editions" / WEEK / "digest.html"


def answer_from_fixtures(route: Route) -> None:
    """Answer a request for a picture from the folder that stands in for the network; refuse any other."""
    asked = urlsplit(route.request.url)
    file = FIXTURES / (asked.hostname or "none") / asked.path.lstrip("/")
    if file.is_file():
        route.fulfill(path=file)
    else:
        route.abort()


def take(
    browser: Browser, mail: Path, name: str, width: int, height: int, scheme: Literal["light", "dark"], scale: int = 1
) -> None:
    """Picture the top of the mail, ``width`` by ``height`` CSS pixels."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale)
    page.route("http*://**/*", answer_from_fixtures)
    page.goto(mail.as_uri(), wait_until="networkidle")
    page.screenshot(path=HERE / name)
    page.close()


def main() -> None:
    """Take both pictures; they are as high as each other when shown side by side."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        mail = write_demo(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        take(browser, mail, "mail-desktop.png", 900, 1300, "light")
        take(browser, mail, "mail-phone-dark.png", 375, 812, "dark", scale=2)
        browser.close()


if __name__ == "__main__":
    main()
