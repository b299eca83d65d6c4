"""Documentation that cannot rot: generated pages are fresh, links lead somewhere, what is promised exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.config import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fixtures").glob("*.md")])
DEPENDENCY_NAMES = re.compile(r"^[A-Za-z0-9_.-]+")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Give the anchors GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_references_are_what_the_code_says() -> None:
    """docs/cli.md and docs/config.md are fresh, and every command, argument and setting is described."""
    check = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and an anchor in it a heading."""
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        linked = (page.parent / place).resolve() if place else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_demo_config_shows_every_setting() -> None:
    """config.toml is the reference by example: each setting of the schema stands in it, set or commented out."""
    shown = (ROOT / "config.toml").read_text()
    missing = [
        f"[{each.section}] {each.key}"
        for each in reference()
        if not re.search(rf"^\s*#?\s*{re.escape(each.key)}\s*=", shown, re.MULTILINE)
    ]
    assert missing == []


def test_every_decision_is_in_the_index() -> None:
    """docs/README.md lists the decisions, all of them and no others."""
    written = {path.name for path in (ROOT / "docs" / "decisions").glob("*.md")}
    listed = set(re.findall(r"\(decisions/([^)]+\.md)\)", (ROOT / "docs" / "README.md").read_text()))
    assert listed == written


def test_every_dependency_has_its_reason() -> None:
    """docs/decisions/0002-dependencies.md speaks of each runtime dependency."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text().lower()
    names = [DEPENDENCY_NAMES.match(each) for each in project["dependencies"]]
    assert [name[0] for name in names if name and name[0].lower() not in reasons] == []


def test_make_help_names_every_target() -> None:
    """What can be made is said by `make help`, and nothing is promised that is not there."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    described = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert described == set(phony[1].split())


def test_pages_name_targets_that_exist() -> None:
    """Wherever a page says `make something`, there is such a target."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named <= targets
