"""Screenshots of the newsletter and the desk: ``make gallery`` and ``make pictures``.

The gallery, ``build/gallery/index.html``, shows the digests of tests/golden and the demo publication in every theme, at
two widths, light and dark. ``make pictures`` writes the pictures of README and docs to docs/pictures. Images come from
fixtures/; nothing is requested from the network.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.golden.update import DIGESTS, THEME_NAMES, mail
from tests.golden.weeks import WEEKS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
GALLERY = ROOT / "build" / "gallery"
PICTURES = ROOT / "docs" / "pictures"
WEEK = "2026-W07"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDTHS = (900, 375)
PORT = 8031
SUBJECT = "Set the table, fire the kiln, mind the frost"
INTRODUCTION = """\
Good morning. The frost came back on Tuesday, the boats stayed in, and the whole quay seemed to be indoors, cooking.

This week there is a table to set, a kiln that nobody can hurry, and **five good things** to read while the bread rises.
"""
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A newsletter on a screen."""

    edition: str
    theme: str
    width: int
    scheme: Scheme

    @property
    def file(self) -> str:
        """Return the name of the screenshot."""
        return f"{self.edition}-{self.theme}-{self.width}-{self.scheme}.png"


def mails() -> dict[tuple[str, str], str]:
    """Return the HTML of every edition in every theme, by (edition, theme)."""
    written = {
        (name, theme): mail(digest, theme)["html"].decode()
        for name, digest in (DIGESTS | WEEKS).items()
        for theme in THEME_NAMES
    }
    return {("demo", theme): demo(theme) for theme in THEME_NAMES} | written


def demo(theme: str) -> str:
    """Return the HTML of the demo publication's newsletter in a theme."""
    with tempfile.TemporaryDirectory() as folder:
        write_demo(folder, theme)
        return (Path(folder) / "editions" / WEEK / "digest.html").read_text()


def write_demo(folder: str, theme: str) -> None:
    """Create the demo publication, fetch its feeds and build the newsletter."""
    _pipeline(folder, "init", "--demo", ".")
    config = Path(folder) / "config.toml"
    config.write_text(config.read_text().replace('theme = "classic"', f'theme = "{theme}"'))
    _pipeline(folder, "fetch")
    _pipeline(folder, "digest", "--week", WEEK)


def _pipeline(folder: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "pipeline", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def take(browser: Browser, html: str, shot: Shot, file: Path, *, height: int = 0, scale: float = 1) -> None:
    """Take a screenshot of a newsletter: of its first ``height`` CSS pixels, or of all of it."""
    page = browser.new_page(
        viewport={"width": shot.width, "height": height or 800},
        color_scheme=shot.scheme,
        device_scale_factor=scale,
        is_mobile=shot.width < 500,
    )
    page.route("http*://**/*", _answer_from_fixtures)
    page.set_content(html, wait_until="load")
    page.screenshot(path=file, full_page=not height)
    page.close()


def _answer_from_fixtures(route: Route) -> None:
    """Answer a request for an image from the fixtures; abort any other."""
    asked = urlsplit(route.request.url)
    file = FIXTURES / (asked.hostname or "none") / asked.path.lstrip("/")
    if file.is_file():
        route.fulfill(path=file)
    else:
        route.abort()


def gallery(browser: Browser) -> None:
    """Take a screenshot of every newsletter on every screen, and write the page that shows them."""
    GALLERY.mkdir(parents=True, exist_ok=True)
    made = mails()
    shots = [
        Shot(edition=edition, theme=theme, width=width, scheme=scheme)
        for edition, theme in made
        for width in WIDTHS
        for scheme in SCHEMES
    ]
    for shot in shots:
        take(browser, made[shot.edition, shot.theme], shot, GALLERY / shot.file)
    (GALLERY / "index.html").write_text("\n".join(_index(shots)))
    print(f"{len(shots)} pictures: {(GALLERY / 'index.html').relative_to(ROOT)}")


def _index(shots: list[Shot]) -> Iterator[str]:
    yield "<!doctype html><meta charset=utf-8><title>Gallery</title>"
    yield "<style>body{font:15px sans-serif;margin:24px;background:#888}img{width:100%;display:block}"
    yield ".row{display:grid;grid-template-columns:12fr 12fr 5fr 5fr;gap:16px;margin:0 0 48px;align-items:start}"
    yield "</style>"
    for edition, theme in dict.fromkeys((shot.edition, shot.theme) for shot in shots):
        yield f"<h2>{escape(edition)}, {escape(theme)}</h2><div class=row>"
        for shot in shots:
            if (shot.edition, shot.theme) == (edition, theme):
                yield f'<a href="{shot.file}"><img loading=lazy src="{shot.file}" alt="{shot.width} {shot.scheme}"></a>'
        yield "</div>"


def pictures(browser: Browser) -> None:
    """Write the screenshots of README and docs/desk.md; the README's two have the same height side by side."""
    desktop = Shot(edition="demo", theme="classic", width=900, scheme="light")
    phone = Shot(edition="demo", theme="journal", width=375, scheme="dark")
    take(browser, demo("classic"), desktop, PICTURES / "mail-desktop.png", height=1300)
    take(browser, demo("journal"), phone, PICTURES / "mail-phone-dark.png", height=812, scale=1.6)
    with tempfile.TemporaryDirectory() as folder:
        write_demo(folder, "classic")
        editor_file = Path(folder) / "editions" / f"{WEEK}.md"
        editor_file.write_text(f'+++\nsubject = "{SUBJECT}"\n+++\n\n{INTRODUCTION}', encoding="utf-8")
        _pipeline(folder, "digest", "--week", WEEK)
        with _served_desk(folder):
            desk = f"http://127.0.0.1:{PORT}/week/{WEEK}"
            take_page(browser, desk, PICTURES / "desk-week.png", width=1280, height=860, scheme="light")
            take_page(
                browser, f"http://127.0.0.1:{PORT}/", PICTURES / "desk-weeks.png", width=375, height=760, scheme="dark"
            )
            take_page(browser, f"{desk}/edit", PICTURES / "desk-edit.png", width=1280, height=860, scheme="light")
            take_page(
                browser, f"{desk}?view=decisions", PICTURES / "desk-stories.png", width=375, height=760, scheme="dark"
            )


@contextmanager
def _served_desk(folder: str) -> Iterator[None]:
    command = [sys.executable, "-m", "pipeline", "preview", "--no-open", "--port", str(PORT), WEEK]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as server:
        assert server.stdout
        server.stdout.readline()
        try:
            yield
        finally:
            server.terminate()


def take_page(browser: Browser, url: str, file: Path, *, width: int, height: int, scheme: Scheme) -> None:
    """Take a screenshot of a page of the desk."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, is_mobile=width < 500)
    page.goto(url)  # the page asks for updates all the time, so the network is never idle
    page.wait_for_timeout(2000)
    page.screenshot(path=file)
    page.close()


def main(argv: list[str]) -> None:
    """Write the gallery, or with ``--docs`` the pictures of README and docs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pictures(browser) if "--docs" in argv else gallery(browser)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
