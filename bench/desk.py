"""Measure how long an editor waits at a warm desk: for the first page, for a week, for the preview of a keystroke.

The demo publication is created in a temporary folder and served on loopback. Medians in milliseconds of wall-clock time
are printed, each also as a multiple of the smallest request in the same run; the exit code is 1 if a limit is exceeded.
No network is used. Run it on an idle machine: `python bench/desk.py`.

The preview of a keystroke is the pause of desk.js, the response to the form and the mail in its frame; with
``--browser`` it is also measured in Chromium, from the key to the word in the mail.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx

from pipeline.app import resources_folder
from pipeline.app.feeds import build_refresher
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.pages import create_desk_app
from pipeline.web.server import bind_socket, create_server

RUNS = 40
WEEK, NOW = "/week/2026-W07", datetime(2026, 2, 17, 9, tzinfo=UTC)
FLOOR = "the icon, a file of 400 bytes"
KEYSTROKE = "a keystroke's preview"
IN_CHROMIUM = "a keystroke's preview, in Chromium"
LIMITS = {
    "the list of weeks": 150.0,
    "a week": 150.0,
    "its stories": 150.0,
    "the status": 150.0,
    KEYSTROKE: 200.0,
    IN_CHROMIUM: 200.0,
}
"""Milliseconds of wall-clock time."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Fetch the feeds of the demo publication, serve it in the block, and yield its address."""
    for name in ("config.toml", "fixtures"):
        (shutil.copytree if name == "fixtures" else shutil.copy)(resources_folder() / name, folder / name)
    with LivePublication(folder / "config.toml", lambda: NOW) as publication, closing(bind_socket(0)) as listener:
        app = publication.current_app()
        build_refresher(app).refresh(app.feeds, now=NOW)
        server = create_server(create_desk_app(create_desk(publication), long_poll_seconds=0.2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def subjects(client: httpx.Client) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name; a call is one run."""
    page = client.get(f"{WEEK}/edit").text
    token, version = (re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("csrf", "version"))
    form = {"csrf": token[1] if token else "", "version": version[1] if version else "", "do": "preview"}
    typed = iter(range(10_000))

    def keystroke() -> None:
        words = form | {"introduction": f"Good morning from a wet quay, {next(typed)} times."}
        tried = client.post(f"{WEEK}/edit", data=words).raise_for_status().text
        seen = re.search(r"seen=(\w+)", tried)
        client.get(f"{WEEK}/mail", params={"seen": seen[1] if seen else ""}).raise_for_status()

    return {
        FLOOR: lambda: client.get("/static/icon.svg").raise_for_status(),
        "the list of weeks": lambda: client.get("/").raise_for_status(),
        "a week": lambda: client.get(WEEK).raise_for_status(),
        "its stories": lambda: client.get(WEEK, params={"view": "decisions"}).raise_for_status(),
        "the status": lambda: client.get("/status").raise_for_status(),
        KEYSTROKE: keystroke,
    }


def pause() -> float:
    """Return how many milliseconds desk.js waits for the next key."""
    found = re.search(r"TYPING_PAUSE_MS = (\d+)", (resources_folder() / "templates/web/static/desk.js").read_text())
    return float(found[1]) if found else 0.0


def by_request(here: str, runs: int) -> dict[str, float]:
    """Return the median of each subject in milliseconds; they are requested in turn, so that load affects all alike."""
    with httpx.Client(base_url=here, headers={"origin": here}) as client:
        measured = subjects(client)
        found: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(runs):
            for name, run in measured.items():
                started = perf_counter()
                run()
                found[name].append(1000 * (perf_counter() - started))
    medians = {name: median(times) for name, times in found.items()}
    return medians | {KEYSTROKE: medians[KEYSTROKE] + pause()}


def in_chromium(here: str, runs: int) -> dict[str, float]:
    """Return the median of the milliseconds from typing into the introduction until the mail in its frame shows it."""
    from playwright.sync_api import sync_playwright

    arrives = """word => new Promise(done => {
        const field = document.getElementById("introduction"), started = performance.now();
        field.value = word;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        const look = () => document.getElementById("mail").contentDocument?.body?.textContent.includes(word)
            ? done(performance.now() - started) : requestAnimationFrame(look);
        look() })"""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{here}{WEEK}/edit")
        times = [page.evaluate(arrives, f"Word number {number}.") for number in range(runs)]
        browser.close()
    return {IN_CHROMIUM: median(times)}


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=RUNS, help=f"how often (default: {RUNS})")
    options.add_argument("--browser", action="store_true", help="measure in Chromium, too")
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as here:
        found = by_request(here, wanted.runs)
        if wanted.browser:
            found |= in_chromium(here, wanted.runs)
    print(f"{'':40}{'ms':>10}{'floors':>10}{'limit':>8}")
    for name, milliseconds in found.items():
        limit = f"{LIMITS[name]:g}" if name in LIMITS else ""
        print(f"{name:40}{milliseconds:10.1f}{milliseconds / found[FLOOR]:10.1f}{limit:>8}")
    return int(any(found.get(name, 0) > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
