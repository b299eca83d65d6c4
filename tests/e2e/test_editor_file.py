"""The editor's file: created once, never overwritten, applied, refused with a line number, and sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
MONDAY = datetime(2026, 2, 16, 9, tzinfo=UTC)
POSTS = [
    item("Bread on a stone", date="Mon, 09 Feb 2026 09:00:00 GMT"),
    item("The salt road", date="Tue, 10 Feb 2026 09:00:00 GMT"),
    item("Wool and weather", date="Wed, 11 Feb 2026 09:00:00 GMT"),
    item("Soup", date="Tue, 03 Feb 2026 09:00:00 GMT"),
]


class Desk(CliRunner):
    """A command line with an editor's file."""

    @property
    def path(self) -> Path:
        return self.config.parent / "editions" / "2026-W07.md"

    def says(self, front: str = "", body: str = "") -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(f"+++\n{front}\n+++\n{body}", encoding="utf-8")

    def text(self) -> str:
        self.run_ok("digest", "--week", "2026-W07", "--offline")
        return (self.path.parent / "2026-W07" / "digest.txt").read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with HttpServer() as server:
        found = Desk(tmp_path, server, capsys)
        found.serve("/blog", rss(*POSTS))
        found.now = MONDAY
        found.run_ok("fetch")
        yield found


def test_digest_creates_the_file_once(desk: Desk):
    """The first digest prints its path; no byte of the digest changes, and a second digest leaves it alone."""
    out = desk.run_ok("digest", "--week", "2026-W07", "--offline")
    assert f"Edit this file: {desk.path}" in out
    assert '#   "blog bread-on-a-stone"  Bread on a stone' in desk.path.read_text()
    before, stamp = desk.manifest(), desk.path.stat().st_mtime_ns
    assert "Yours" not in desk.run_ok("digest", "--week", "2026-W07", "--offline")
    assert (desk.manifest(), desk.path.stat().st_mtime_ns) == (before, stamp)


def test_an_existing_file_is_never_changed(desk: Desk):
    """Not even an empty one, nor one with comments alone."""
    for text in ("", "<!-- mine -->\n"):
        desk.path.parent.mkdir(exist_ok=True)
        desk.path.write_text(text)
        desk.run_ok("digest", "--week", "2026-W07", "--offline")
        assert desk.path.read_text() == text


def test_with_out_the_file_is_read_but_not_created(desk: Desk, tmp_path: Path):
    """--out writes the edition elsewhere; the editor's file is read from its usual place."""
    desk.says('subject = "Mine"')
    desk.run_ok("digest", "--week", "2026-W07", "--offline", "--out", str(tmp_path / "there"))
    assert json.loads((tmp_path / "there/2026-W07/manifest.json").read_text())["subject"] == "Mine"
    assert list((tmp_path / "there").glob("*.md")) == []


def test_the_editors_texts_are_used(desk: Desk):
    """Subject, preheader, introduction and notes are in the digest and in the manifest."""
    desk.says(
        'subject = "Bread, slowly"\npreheader = "And salt."\n'
        '[notes]\n"blog soup" = "x"\n"blog bread-on-a-stone" = "Bake *twice*."',
        "Good morning from the quay.",
    )
    text = desk.text()
    manifest = desk.manifest()
    assert (manifest["subject"], manifest["preheader"]) == ("Bread, slowly", "And salt.")
    assert "Good morning from the quay." in text
    assert "Bake twice." in text


def test_the_lead_comes_first_and_gives_the_subject(desk: Desk):
    """The other stories stay in the order of their dates; without the setting the newest of equal stories leads."""
    assert desk.titles() == ["Wool and weather", "Bread on a stone", "The salt road"]
    desk.says('lead = "blog the-salt-road"')
    manifest = desk.manifest()
    assert [each["title"] for each in manifest["stories"]] == ["The salt road", "Bread on a stone", "Wool and weather"]
    assert [each["level"] for each in manifest["stories"]] == ["lead", "story", "story"]
    assert manifest["subject"].startswith("The salt road")


def test_the_editor_chooses_what_is_a_brief(desk: Desk):
    """A brief has its title and one sentence, after the stories in full; the lead is never one by itself."""
    desk.says('brief = ["blog wool-and-weather", "blog bread-on-a-stone"]\nfull = ["blog the-salt-road"]')
    manifest = desk.manifest()
    assert [(each["title"], each["level"]) for each in manifest["stories"]] == [
        ("The salt road", "lead"),
        ("Bread on a stone", "brief"),
        ("Wool and weather", "brief"),
    ]


def test_the_order_is_kept(desk: Desk):
    """Named stories come in this order, and the others follow by date."""
    desk.says('order = ["blog wool-and-weather", "blog the-salt-road"]')
    assert desk.titles() == ["Wool and weather", "The salt road", "Bread on a stone"]


def test_entries_are_left_out_and_put_back(desk: Desk):
    """The reason names the editor; an entry put back is published though it belongs to another week."""
    desk.says('leave_out = ["blog bread-on-a-stone"]\nput_back = ["blog soup"]')
    assert desk.titles() == ["Wool and weather", "Soup", "The salt road"]
    out = desk.run_ok("digest", "--week", "2026-W07", "--offline", "--explain")
    (bread,) = [line for line in out.splitlines() if "Bread on a stone" in line]
    assert bread.startswith("out")
    assert "left out by the editor" in bread


def test_any_stored_entry_can_be_put_back(desk: Desk):
    """Also one far from the week, named by its URL."""
    old = item("Very old", date="Tue, 04 Mar 2025 09:00:00 GMT", link="https://blog.example/old/")
    desk.serve("/blog", rss(*POSTS, old))
    desk.run_ok("fetch", "--force")
    desk.says('put_back = ["blog https://www.blog.example/old"]')
    assert "Very old" in desk.titles()


def test_a_mistake_is_exit_2_with_file_and_line(desk: Desk):
    """Nothing is written; the message has the nearest valid name."""
    desk.says('\nleave_out = ["blog bred-on-a-stone"]')
    code, _, err = desk.run("digest", "--week", "2026-W07", "--offline")
    assert code == 2
    assert f"{desk.path}, line 3: " in err
    assert 'did you mean "blog bread-on-a-stone" (Bread on a stone)?' in err
    assert err.count("\n") == 1
    assert not (desk.path.parent / "2026-W07").exists()


def test_a_file_that_is_not_text_is_refused(desk: Desk):
    """Exit 2, and what to do."""
    desk.says()
    desk.path.write_bytes(b"\xff\xfe\x00 no")
    code, _, err = desk.run("digest", "--week", "2026-W07", "--offline")
    assert code == 2
    assert "save it as one" in err


def test_overrides_are_sealed(desk: Desk):
    """A change of the file after approval changes no sealed byte; it is reported."""
    desk.says('subject = "Sealed words"', "Sealed introduction.")
    desk.run_ok("digest", "--week", "2026-W07", "--offline")
    desk.run_ok("approve", "2026-W07")
    before = (desk.path.parent / "2026-W07" / "digest.html").read_bytes()
    desk.says('subject = "Other words"')
    out = desk.run_ok("digest", "--week", "2026-W07", "--offline")
    assert "Sealed words" in out
    assert "changed" in out
    assert (desk.path.parent / "2026-W07" / "digest.html").read_bytes() == before
    assert b"Sealed introduction." in before


def test_links_in_the_file_have_a_section(desk: Desk):
    """With title, note and domain, even without a feed of links."""
    desk.says(body="Hello.\n\n## Useful links\n\n- [A map](https://maps.example.org/x): of every hearth\n")
    text = desk.text()
    assert "USEFUL LINKS" in text
    assert "A map: of every hearth\nhttps://maps.example.org/x" in text
    assert desk.manifest()["stories"][-1]["entries"][0]["feed_id"] == "editor"


def test_the_same_file_gives_the_same_bytes(desk: Desk):
    """A second digest changes nothing."""
    desk.says('lead = "blog the-salt-road"', "Hello.\n\n## Useful links\n- [A](https://a.example/): b\n")
    first = desk.text(), desk.manifest()
    assert (desk.text(), desk.manifest()) == first
