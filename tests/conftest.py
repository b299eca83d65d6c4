"""Fixtures of all tests, and markers for what a test needs.

Sockets are blocked (pytest-socket); a test marked ``loopback`` may reach 127.0.0.1. A test that needs something on the
machine has a marker (``browser``, ``corpus``, ``requires("openssl")``): without it the test is skipped, and in CI
(``CI`` set) it fails.
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

# Every run uses new examples, and make prints their seed; Hypothesis' own profile for CI repeats the same ones. Without
# a deadline, and without the check that examples are generated within some seconds, a busy machine fails no test.
EXAMPLES = 25
hypothesis.settings.register_profile(
    "new examples",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("new examples")
# `make mutants` runs each test hundreds of times: few examples, the same ones, and none is made smaller.
hypothesis.settings.register_profile(
    "mutants",
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
ROOT = Path(__file__).parent.parent
NPM = ROOT / ".cache/npm/node_modules"
"""Where ``make check-mail`` installs npm packages."""

# Without these Chromium makes requests at every start; the sandbox does not work for root, who runs CI.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Program names, the best first: the one without a user interface needs less than half the CPU."""


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
    """Return what the test needs and the machine does not have, as a sentence; "" if nothing is missing."""
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


def pytest_configure() -> None:
    """Make SIGINT work in processes that tests start: shells ignore it in background jobs; children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Allow 127.0.0.1 for tests marked ``loopback``, and run the tests of one browser on one worker.

    Tests that take minutes begin, and then those that share a worker: started last, they would delay the end.
    """
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))
        if item.get_closest_marker("loopback"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
    yield
    items.sort(key=lambda item: (expected_minutes(item), has_group(item)), reverse=True)


def expected_minutes(item: pytest.Item) -> int:
    """Return about how many minutes a test takes, from its marker."""
    return max((each.kwargs.get("minutes", 0) for each in item.iter_markers("slow")), default=0)


def has_group(item: pytest.Item) -> bool:
    """Check whether a test shares a worker with others."""
    return item.get_closest_marker("xdist_group") is not None


def pytest_collection_finish() -> None:
    """Exclude collected tests, which stay until the end, from later garbage collections."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that cannot run here."""
    missing = missing_requirement(item)
    if missing:
        pytest.skip(missing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail each test that was skipped, whatever for, in CI: it has everything that a test needs."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture
def corpus() -> Path:
    """A folder of real feeds; for tests marked ``corpus``."""
    folder = find_corpus()
    assert folder is not None, "mark the test with pytest.mark.corpus"
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; for tests marked ``browser``.

    One for a module, since starting it takes a second. Do not use ``asyncio.run`` in such modules: it fails while
    Playwright's event loop is running.
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
    """Copy the demo's config.toml, fixtures and templates into a folder."""
    shutil.copy(ROOT / "config.toml", folder)
    for name in ("fixtures", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A copy of the demo publication."""
    return copy_demo(tmp_path)
