"""What every test may use, and the two rules no test can bend.

Sockets are blocked (pytest-socket); a test marked ``loopback`` may reach 127.0.0.1 and nothing else. A test that needs
something of the machine says so with a marker (``browser``, ``corpus``, ``requires("openssl")``): where it is missing
the test skips and says what to install, and in CI (``CI`` set) it fails, so that nothing is left untested unseen.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests import postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# CI tries the same examples every time, so that a change is judged and not its luck; at home each run tries others.
EXAMPLES = 40
hypothesis.settings.register_profile("home", max_examples=EXAMPLES)
hypothesis.settings.register_profile("ci", max_examples=EXAMPLES, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "home")

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
ROOT = Path(__file__).parent.parent
NPM = ROOT / ".cache/npm/node_modules"
"""Where ``make check-mail`` puts what it fetches."""

# Without these Chromium calls home at every start; the sandbox does not work for root, who runs CI.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""By their names, the best first: the one without windows, bar and tabs opens a page for less than half the CPU."""


def find_chromium() -> str:
    """Return the path of Chromium, or an empty string."""
    return next(filter(None, map(shutil.which, CHROMIUMS)), "")


def find_tool(name: str) -> str:
    """Return the path of a program, of this environment or of the machine, or an empty string."""
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    return shutil.which(name, path=os.pathsep.join(folders)) or ""


def find_corpus() -> Path | None:
    """Return the folder ``$PIPELINE_CORPUS`` names, or None."""
    folder = os.environ.get("PIPELINE_CORPUS", "")
    return Path(folder) if folder and Path(folder).is_dir() else None


def missing_requirement(item: pytest.Item) -> str:
    """Name what the test needs and the machine does not have, as a sentence; empty when nothing is missing."""
    if item.get_closest_marker("browser"):
        if not importlib.util.find_spec("playwright"):
            return "Playwright is not installed: run make test, or pip install playwright"
        if not find_chromium():
            return "Chromium is not installed: apt-get install chromium"
    if item.get_closest_marker("corpus") and not find_corpus():
        return "there is no corpus: set PIPELINE_CORPUS to the folder of feeds"
    if item.get_closest_marker("postgres") and not postgres.SERVER:
        return "there is no PostgreSQL: PIPELINE_TEST_POSTGRES=$(.ci/postgres)"
    packages = [package for marker in item.iter_markers("npm") for package in marker.args]
    if absent := [package for package in packages if not (NPM / package).is_dir()]:
        return f"{', '.join(absent)} was not fetched: run make check-mail"
    tools = [tool for marker in item.iter_markers("requires") for tool in marker.args]
    return ", ".join(f"{tool} is not installed" for tool in tools if not find_tool(tool))


def may_skip(item: pytest.Item) -> bool:
    """Tell whether a missing need may pass: on a person's machine, and where CI said that it has no corpus."""
    known_absent = os.environ.get("PIPELINE_CORPUS") == "none" and item.get_closest_marker("corpus")
    return not os.environ.get("CI") or bool(known_absent)


def pytest_configure() -> None:
    """Let what the tests start be interrupted: who is started in the background ignores that, and so do all below."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Let tests marked ``loopback`` reach this machine, and only this machine; keep those of one browser together.

    Of all in their random order, those that take minutes begin: begun last, one of them would keep us waiting alone.
    """
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))
        if item.get_closest_marker("loopback"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
    yield
    items.sort(key=expected_minutes, reverse=True)


def expected_minutes(item: pytest.Item) -> int:
    """Say about how many minutes a test takes, as far as its marker knows."""
    return max((each.kwargs.get("minutes", 0) for each in item.iter_markers("slow")), default=0)


def pytest_collection_finish() -> None:
    """Leave what was collected, which stays until the end, out of every later look for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run; in CI, fail it."""
    missing = missing_requirement(item)
    if missing and may_skip(item):
        pytest.skip(missing)
    if missing:
        pytest.fail(missing, pytrace=False)


@pytest.fixture
def corpus() -> Path:
    """The folder of real feeds; for tests marked ``corpus``."""
    folder = find_corpus()
    assert folder is not None, "mark the test with pytest.mark.corpus"
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; for tests marked ``browser``.

    One for a module, since starting it takes a second; all of the module runs on one worker. Keep such modules free of
    ``asyncio.run``, which fails while Playwright's own event loop is running.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """A database of this test process; for tests marked ``postgres``."""
    with postgres.temporary_database() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """The address of an empty PostgreSQL database; for tests marked ``postgres``."""
    postgres.clear(postgres_database)
    return postgres_database


def copy_demo(folder: Path) -> Path:
    """Put the demo's config.toml, fixtures and templates into a folder."""
    shutil.copy(ROOT / "config.toml", folder)
    for name in ("fixtures", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A folder of its own with the demo's config.toml, fixtures and templates in it, free to be changed."""
    return copy_demo(tmp_path)
