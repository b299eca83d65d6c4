"""The life of an edition on the command line: feeds over HTTP, a real database, real files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_command_line import BLOG, Desk, feed, post

from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
LATE = post("The week after", "after", "Tue, 17 Feb 2026 09:00:00 GMT")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with HttpServer() as server:
        yield Desk(tmp_path, server, capsys)


def state(desk: Desk) -> dict:
    return json.loads(desk.files()["state.json"])


def test_digest_approve_test_and_send(desk: Desk):
    """The bytes are the same at each step, and `status` shows the state."""
    desk.ok("digest", "--week", "2026-W07")
    drafted = desk.files()
    assert desk.ok("approve", "2026-W07", "--by", "ann").startswith("2026-W07: Issue 1 approved, with hash ")
    assert {name: desk.files()[name] for name in ("digest.html", "digest.txt", "digest.eml")} == {
        name: drafted[name] for name in ("digest.html", "digest.txt", "digest.eml")
    }
    assert "a test copy for you@example.org" in desk.ok("send", "2026-W07", "--test", "you@example.org")
    assert "Issue 1 approved by ann, Mon 16 Feb 2026 09:00" in desk.ok("status")
    assert "Issue 1 written to the outbox; not delivered to anyone" in desk.ok("send", "2026-W07", "--by", "bob")
    assert "Issue 1 sent by bob, Mon 16 Feb 2026 09:00 (written to the outbox; not delivered to anyone)" in desk.ok(
        "status"
    )
    assert (state(desk)["state"], state(desk)["approved_by"]) == ("sent", "ann")
    mails = {path.name: path.read_bytes() for path in (desk.folder / "outbox").glob("*.eml")}
    assert sorted(b"To: you@example.org\r\n" in mail for mail in mails.values()) == [False, True]
    assert drafted["digest.eml"] in mails.values()
    assert len(list((desk.folder / "outbox" / "Maildir" / "new").iterdir())) == 2


def test_an_unreviewed_edition_is_neither_approved_nor_sent(desk: Desk):
    """Exit 4, with the command that builds it; naming the hash proves a review."""
    desk.ok("fetch")
    code, _, err = desk.run("approve", "2026-W07")
    assert (code, "has no digest yet" in err, "`pipeline digest 2026-W07`" in err) == (4, True, True)
    code, _, err = desk.run("send", "2026-W07")
    assert (code, err.startswith("pipeline: There is no edition of 2026-W07: `pipeline digest")) == (4, True)
    assert "draft, not written yet" in desk.ok("status")


def test_a_test_of_a_draft_changes_nothing(desk: Desk):
    """The draft's bytes are in the outbox, and it is still a draft."""
    desk.ok("fetch")
    desk.ok("send", "2026-W07", "--test", "you@example.org")
    assert "draft, not written yet" in desk.ok("status")
    code, _, err = desk.run("send", "2026-W07", "--test", "nobody")
    assert (code, err) == (2, "pipeline: 'nobody' is not an address to send to: use one such as you@example.org.\n")


def test_a_change_after_approval_is_reported_and_changes_no_byte(desk: Desk):
    """In `digest`, `status` and state.json; --rebuild refuses with the files and the reason."""
    desk.ok("digest", "--week", "2026-W07")
    desk.ok("approve", "2026-W07")
    before = desk.files()
    assert "the bytes are the same" in desk.ok("digest", "--week", "2026-W07", "--rebuild")
    desk.serve("blog", feed(post("Bread on two stones", "bread"), *BLOG[1:]))
    out = desk.ok("digest", "--week", "2026-W07")
    said = "changed since approval: “Bread on a stone” was edited in its feed: title"
    assert said in out
    assert "these are the sealed bytes of Issue 1, approved by" in out
    assert said in desk.ok("status")
    assert said.partition(": ")[2] in state(desk)["changed_since_approval"]
    after = desk.files()
    assert {name for name in after if after[name] != before[name]} == {"state.json"}
    code, _, err = desk.run("digest", "--week", "2026-W07", "--rebuild")
    assert code == 4
    assert "digest.html, digest.txt, digest.eml differ, because" in err
    assert "“Bread on a stone” was edited in its feed: title" in err


def test_approval_by_hash(desk: Desk):
    """The hash in manifest.json and in --json approves; another one is refused with exit 4."""
    seen = json.loads(desk.ok("digest", "--week", "2026-W07", "--json"))
    assert seen["content_hash"] == desk.manifest()["content_hash"]
    code, _, err = desk.run("approve", "2026-W07", "--hash", "0123")
    assert code == 4
    assert "has changed since you reviewed it: review it again" in err
    desk.ok("approve", "2026-W07", "--hash", seen["content_hash"][:10])
    assert json.loads(desk.ok("digest", "--week", "2026-W07", "--json"))["state"] == "approved"


def test_only_the_written_draft_is_approved(desk: Desk):
    """A draft that has changed is refused, with the changes; written again, it is approved."""
    desk.ok("digest", "--week", "2026-W07")
    desk.serve("blog", feed(post("Bread on two stones", "bread"), *BLOG[1:]))
    desk.ok("fetch", "--force")
    code, _, err = desk.run("approve", "2026-W07")
    assert code == 4
    assert "has changed since you reviewed it: the preheader, “Also: Bread on a stone" in err
    assert "“Bread on a stone” was edited in its feed: title." in err
    assert "Run `pipeline digest --week 2026-W07`, review it again, then run `pipeline approve 2026-W07`." in err
    desk.ok("digest", "--week", "2026-W07")
    desk.ok("approve", "2026-W07")


def test_a_damaged_manifest_does_not_block_approval(desk: Desk):
    """Neither half a file nor another program's."""
    desk.ok("digest", "--week", "2026-W07")
    (manifest,) = desk.folder.glob("editions/2026-W07/manifest.json")
    manifest.write_text('{"sha256": ')
    desk.ok("approve", "2026-W07")


def test_hold_resume_and_skip(desk: Desk):
    """Each prints what happens next; carried over entries are in the next digest, with the reason."""
    desk.ok("digest", "--week", "2026-W07")
    desk.ok("approve", "2026-W07")
    assert "Next: pipeline resume 2026-W07" in desk.ok("hold", "2026-W07")
    assert "approved, as before" in desk.ok("resume", "2026-W07")
    assert "skipped; 2 stories carried over to 2026-W08" in desk.ok("skip", "2026-W07")
    desk.serve("blog", feed(LATE, *BLOG))
    desk.now = datetime(2026, 2, 23, 9, tzinfo=UTC)
    out = desk.ok("digest", "--explain")
    assert "Bread on a stone: dated Tue 10 Feb 2026, carried over from 2026-W07, which was skipped" in out
    assert "Bread on a stone" in [story["title"] for story in desk.manifest("2026-W08")["stories"]]
    for words in (["digest", "--week", "2026-W07"], ["approve", "2026-W07"], ["send", "2026-W07"]):
        code, _, err = desk.run(*words)
        assert (code, "2026-W07 was skipped, and its entries carry over" in err) == (4, True)


def test_a_handed_over_edition_counts_as_published(desk: Desk):
    """Nothing is in the outbox, and no digest includes its entries again."""
    desk.ok("digest", "--week", "2026-W07")
    desk.ok("approve", "2026-W07")
    said = desk.ok("send", "2026-W07", "--handed-over")
    assert "marked as sent by another service" in said
    assert said.count("#zzUnsubscribezz") == 1, "the places to fill in are named once"
    assert "(handed over)" in desk.ok("status")
    assert not (desk.folder / "outbox").exists()
    out = desk.run("digest", "--week", "2026-W08", "--explain")[1]
    assert (
        "Bread on a stone: dated Tue 10 Feb 2026, was sent with Issue 1 (2026-W07); nothing is published twice" in out
    )


def test_an_entry_removed_from_its_feed_is_left_out(desk: Desk):
    """It is missing from a complete document that has an older one; the reason says so."""
    desk.ok("fetch")
    desk.serve("blog", feed(*BLOG[1:]))
    out = desk.ok("digest", "--week", "2026-W07", "--explain")
    assert "Bread on a stone: removed from its feed" in out
    assert "Bread on a stone" not in desk.files()["digest.txt"].decode()


def test_the_scheduled_draft_leaves_a_held_week_alone(desk: Desk):
    """It is a message, not a failure."""
    desk.ok("fetch")
    desk.ok("hold", "2026-W07")
    assert "2026-W07 is held: run `pipeline resume 2026-W07` first." in desk.ok("tick")


def test_an_outbox_that_cannot_be_created_starts_no_send(desk: Desk):
    """Exit 3; the edition is still approved, and is sent once the outbox can be written."""
    desk.ok("digest", "--week", "2026-W07")
    desk.ok("approve", "2026-W07")
    (desk.folder / "outbox").write_text("in the way")
    code, _, err = desk.run("send", "2026-W07")
    assert code == 3
    assert "cannot be written" in err
    assert "Issue 1 approved" in desk.ok("status")
    (desk.folder / "outbox").unlink()
    assert "Issue 1 written to the outbox; not delivered to anyone" in desk.ok("send", "2026-W07")


@pytest.mark.parametrize(("command", "words"), [("approve", "approve it once"), ("send", "send it once")])
def test_an_open_week_waits(desk: Desk, command: str, words: str):
    """Its digest is only a look ahead: the refusal does not ask for another one."""
    desk.serve("blog", feed(*BLOG, post("Today", "today", "Mon, 16 Feb 2026 08:00:00 GMT")))
    desk.ok("digest", "current")
    code, _, err = desk.run(command, "current")
    assert (code, err) == (4, f"pipeline: 2026-W08 is still open: {words} it has closed.\n")
