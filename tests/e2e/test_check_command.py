"""``pipeline check`` on the command line with the demo publication: what it prints and returns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.demo import write_fetched_store

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(publication: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the demo publication, whose feeds have been fetched."""

    def command(*words: str, now: datetime = NOW) -> tuple[int, str, str]:
        code = main(["--config", str(publication / "config.toml"), *words], clock=lambda: now)
        return code, *capsys.readouterr()

    write_fetched_store(publication, NOW)
    return command


def test_the_demo_week_has_no_errors(run: Run) -> None:
    """Links and images included: exit 0, results grouped by severity, their number last."""
    code, out, err = run("check", "2026-W07")
    assert (code, err) == (0, "")
    assert re.match(r"2026-W07: “[^”]+”\nWarnings\n  introduction  Write an", out)
    assert out.splitlines()[-1].startswith("0 errors, 1 warning, ")


def test_the_newest_closed_week_is_the_default(run: Run) -> None:
    """It is the one that `digest` would write."""
    assert run("check", "--offline")[1].startswith("2026-W07:")


def test_a_dead_link_is_exit_4(run: Run, publication: Path) -> None:
    """The error names the link and its URL."""
    page = publication / "fixtures/spokeandseat.example/odd-chairs/index.html"
    page.unlink()
    code, out, _ = run("check", "2026-W07")
    assert code == 4
    assert "Errors, which prevent approval\n  dead-link  A chair-maker on" in out
    assert "https://spokeandseat.example/odd-chairs/ answered 404 Not Found." in out


def test_offline_checks_no_links_and_says_so(run: Run, publication: Path) -> None:
    """The same dead link is not noticed, and the last line has the reason."""
    (publication / "fixtures/spokeandseat.example/odd-chairs/index.html").unlink()
    code, out, _ = run("check", "2026-W07", "--offline")
    assert code == 0
    assert out.endswith("Links and images were not checked (--offline).\n")


def test_quiet_prints_errors_alone(run: Run, publication: Path) -> None:
    """It prints nothing if there are none."""
    assert run("check", "2026-W07", "--quiet") == (0, "", "")
    (publication / "fixtures/firingnotes.example/colour-of-heat/index.html").unlink()
    code, out, _ = run("check", "2026-W07", "--quiet")
    assert (code, len(out.splitlines())) == (4, 2)


def test_json_has_the_same_results(run: Run, publication: Path) -> None:
    """Those that need no network equal the manifest's."""
    code, out, _ = run("check", "2026-W07", "--offline", "--json")
    printed = json.loads(out)
    assert (code, printed["edition"], printed["offline"]) == (0, "2026-W07", True)
    assert {"name", "level", "message", "where", "fix_target", "quote"} == set(printed["checks"][0])
    run("digest", "--week", "2026-W07", "--offline", "--out", str(publication / "out"))
    assert json.loads((publication / "out/2026-W07/manifest.json").read_text())["checks"] == printed["checks"]


def test_an_empty_week_is_refused(run: Run) -> None:
    """Exit 4 with the reason."""
    code, out, err = run("check", "2026-W04")
    assert (code, out) == (4, "")
    assert "has no entries" in err


def test_a_link_of_an_earlier_week_is_reported(run: Run, publication: Path) -> None:
    """The page was published in a closed week."""
    run("digest", "--week", "2026-W06", "--offline", "--quiet")
    feed = publication / "fixtures/links.harbourandhearth.example/feed.xml"
    published, new = "https://keenedge.example/listen/", "https://spokeandseat.example/odd-chairs/"
    assert published in feed.read_text()
    feed.write_text(feed.read_text().replace(new, published))
    run("fetch", "--force", "--quiet")
    _, out, _ = run("check", "2026-W07", "--offline")
    assert "repeated-link  A chair-maker on" in out
    assert "2026-W06 already linked to https://keenedge.example/listen/." in out


def test_a_stale_feed_is_reported(run: Run, publication: Path) -> None:
    """After four weeks without a new entry, with the date of the last one; like feeds are on one line."""
    blog = publication / "fixtures/harbourandhearth.example/feed/index.xml"
    blog.write_text(re.sub(r"<pubDate>[^<]*", "<pubDate>Tue, 14 Apr 2026 08:00:00 +0000", blog.read_text(), count=1))
    later = datetime(2026, 4, 20, 9, tzinfo=UTC)
    run("fetch", "--force", "--quiet", now=later)
    _, out, _ = run("check", "2026-W16", "--offline", now=later)
    assert "stale-feed " in out
    assert "podcast; links: Check whether the feed still works (pipeline feeds check): it had no new entry since" in out
    assert "blog: See" not in out


def test_an_error_blocks_approval_until_overridden_by_name(run: Run, publication: Path) -> None:
    """Exit 4 names the error and what to do; overridden, it is in the manifest."""
    config = publication / "config.toml"
    config.write_text(config.read_text().replace('name = "Harbour & Hearth"', 'name = "Harbour {{ town }}"', 1))
    run("digest", "--week", "2026-W07", "--offline", "--quiet")
    code, out, err = run("approve", "2026-W07", "--by", "ann")
    assert (code, out) == (4, "")
    assert err.startswith("pipeline: merge-tag ([publication] name): Rewrite “{{ town }}”: mail services take it for")
    assert err.endswith("Fix this, or approve anyway: pipeline approve 2026-W07 --override merge-tag.\n")
    assert run("approve", "2026-W07", "--by", "ann", "--override", "contrast")[0] == 4
    assert run("approve", "2026-W07", "--by", "ann", "--override", "merge-tag")[0] == 0
    run("digest", "--week", "2026-W07", "--offline", "--out", str(publication / "out"))
    manifest = json.loads((publication / "out/2026-W07/manifest.json").read_text())
    assert (manifest["state"], manifest["overridden"]) == ("approved", ["merge-tag"])


def test_a_dead_link_blocks_approval(run: Run, publication: Path) -> None:
    """`approve` checks links itself, and again after a refusal: a fixed link passes."""
    run("digest", "--week", "2026-W07", "--offline", "--quiet")
    page = publication / "fixtures/spokeandseat.example/odd-chairs/index.html"
    words = page.read_bytes()
    page.unlink()
    code, out, err = run("approve", "2026-W07", "--by", "ann")
    assert (code, out) == (4, "")
    assert err.startswith("pipeline: dead-link (A chair-maker on")
    assert err.endswith("Fix this, or approve anyway: pipeline approve 2026-W07 --override dead-link.\n")
    page.write_bytes(words)
    assert run("approve", "2026-W07", "--by", "ann")[0] == 0


def test_an_overridden_dead_link_is_in_the_manifest(run: Run, publication: Path) -> None:
    """The edition is approved."""
    run("digest", "--week", "2026-W07", "--offline", "--quiet")
    (publication / "fixtures/spokeandseat.example/odd-chairs/index.html").unlink()
    assert run("approve", "2026-W07", "--override", "dead-link")[0] == 0
    run("digest", "--week", "2026-W07", "--offline", "--out", str(publication / "out"))
    assert json.loads((publication / "out/2026-W07/manifest.json").read_text())["overridden"] == ["dead-link"]


def test_offline_approval_uses_the_saved_link_check(run: Run, publication: Path) -> None:
    """Results of `pipeline check` count for these very bytes and for no others."""
    run("digest", "--week", "2026-W07", "--offline", "--quiet")
    (publication / "fixtures/spokeandseat.example/odd-chairs/index.html").unlink()
    assert run("check", "2026-W07", "--quiet")[0] == 4
    code, _, err = run("approve", "2026-W07", "--offline")
    assert code == 4
    assert "dead-link" in err
    (publication / "editions").mkdir(exist_ok=True)
    (publication / "editions/2026-W07.md").write_text('+++\nsubject = "Bread, boats and no chair this week"\n+++\n')
    run("digest", "--week", "2026-W07", "--offline", "--quiet")
    assert run("approve", "2026-W07", "--offline")[0] == 0


def test_a_change_after_approval_is_a_warning(run: Run, publication: Path) -> None:
    """The sealed bytes are checked."""
    run("digest", "--week", "2026-W07", "--offline", "--quiet")
    assert run("approve", "2026-W07", "--by", "ann")[0] == 0
    config = publication / "config.toml"
    config.write_text(config.read_text().replace("Bread, boats and slow living", "Boats, bread and slow living"))
    code, out, _ = run("check", "2026-W07", "--offline")
    assert code == 0
    assert "changed-since  Approve it again, or keep it as it is: built now, " in out
