"""Decisions by the buttons of a proof: made once, and only on the draft that was shown."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.jobs.access.tokens import LOG_IN_PURPOSE, signed_log_in, verified
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.proof.decide import PendingDecision, ProofDecisions
from pipeline.jobs.proof.tokens import PROOF_PURPOSE, sign_token, verify_token
from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.edition import Overrides
from pipeline.model.editor import LogInToken
from pipeline.model.errors import InvalidTokenError, RefusedError
from pipeline.model.proof import ProofAction, ProofToken, SendPolicy
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, W07, PublicationHarness, shared_theme

HOUR = timedelta(hours=1)
KEY = "a key of the store's"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication whose week has closed, with a draft."""
    harness = PublicationHarness(tmp_path, shared_theme())
    harness.fetch(entry("Long ago", MONDAY - timedelta(days=90)))
    harness.fetch(entry("Bread", MONDAY + HOUR), entry("Salt", MONDAY + 2 * HOUR))
    harness.set_time_after_closing(W07).digest(W07)
    yield harness
    harness.store.close()


def decisions_of(harness: PublicationHarness) -> ProofDecisions:
    workflow = replace(harness.workflow, actor="editor@harbourandhearth.example, by the proof")
    return ProofDecisions(
        workflow=workflow,
        send_policy=SendPolicy(calendar=CLOCK, schedule=None),
        editions_folder=harness.folder / "editions",
    )


def token_of(harness: PublicationHarness, choice: ProofAction, *, nth: int = 1) -> str:
    """Return the token of a button in a proof of the current draft."""
    edition = build_draft(harness.store, harness.context, W07, now=harness.now).edition
    harness.store.proofs.claim("2026-W07", edition.content_hash, edition.manifest, now=harness.now, resend=True)
    expires_at = harness.now + timedelta(days=7)
    what = ProofToken(
        week="2026-W07", content_hash=edition.content_hash, action=choice, sequence=nth, expires_at=expires_at
    )
    return sign_token(what, KEY)


def decide(harness: PublicationHarness, token: str, *overridden: str) -> PendingDecision:
    return decisions_of(harness).decide(verify_token(token, KEY), now=harness.now, overridden=overridden)


def preview(harness: PublicationHarness, token: str, now: datetime | None = None) -> PendingDecision:
    return decisions_of(harness).preview(verify_token(token, KEY), now=now or harness.now)


def state(harness: PublicationHarness) -> str:
    return harness.store.editions.get("2026-W07").state


@pytest.mark.parametrize("choice", ["approve", "hold"])
def test_previewing_changes_nothing(harness: PublicationHarness, choice: ProofAction) -> None:
    """However often a scanner follows the link, no row is written, and the button still works."""
    token = token_of(harness, choice)
    before = harness.store.revision()
    for _ in range(5):
        assert preview(harness, token).status == "ready"
    assert harness.store.revision() == before
    assert decide(harness, token).status == "done"


def test_the_draft_of_the_proof_is_approved(harness: PublicationHarness) -> None:
    """The sealed edition has the hash of the proof and the name of the actor."""
    token = token_of(harness, "approve")
    seen = preview(harness, token)
    assert (seen.story_count, seen.blocking_checks) == (2, ())
    assert seen.edition is not None
    assert decide(harness, token).record.content_hash == seen.edition.content_hash
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed is not None
    assert (sealed.edition.eml, sealed.sealed_by) == (seen.edition.eml, "editor@harbourandhearth.example, by the proof")


@pytest.mark.parametrize(("choice", "after"), [("approve", "approved"), ("hold", "held")])
def test_a_second_decision_finds_it_done(harness: PublicationHarness, choice: ProofAction, after: str) -> None:
    """It says so and changes nothing; so does the same button of a later proof of these bytes."""
    token, later = token_of(harness, choice), token_of(harness, choice, nth=2)
    decide(harness, token)
    revision = harness.store.editions.get("2026-W07").revision
    assert [decide(harness, each).status for each in (token, later)] == ["already", "already"]
    assert harness.store.editions.get("2026-W07").revision == revision
    assert state(harness) == after


def test_of_two_simultaneous_decisions_one_counts(harness: PublicationHarness) -> None:
    """A double click approves once; the other click reports the approval."""
    token, start = token_of(harness, "approve"), Barrier(2)

    def click() -> str:
        start.wait()
        return decide(harness, token).status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(each.result() for each in [pool.submit(click), pool.submit(click)]) == ["already", "done"]
    assert harness.store.editions.get("2026-W07").revision == 1


def test_a_used_token_does_nothing_again(harness: PublicationHarness) -> None:
    """An edition held and resumed is not held again by the old button, but by a new proof's."""
    token = token_of(harness, "hold")
    decide(harness, token)
    harness.resume(W07)
    again = decide(harness, token)
    assert (again.status, again.used_at) == ("used", harness.now)
    assert state(harness) == "draft"
    assert decide(harness, token_of(harness, "hold", nth=2)).status == "done"


def test_a_changed_draft_is_not_approved(harness: PublicationHarness) -> None:
    """The changes since the proof are named, and the button of the next proof works."""
    token = token_of(harness, "approve")
    harness.overrides["2026-W07"] = Overrides(subject="Another subject")
    asked = decide(harness, token)
    assert asked.status == "changed"
    assert any("Another subject" in each for each in asked.changes)
    assert state(harness) == "draft"
    assert decide(harness, token_of(harness, "approve")).status == "done"


def test_a_changed_draft_can_be_held(harness: PublicationHarness) -> None:
    """Holding needs no new proof: it is always safe."""
    token = token_of(harness, "hold")
    harness.overrides["2026-W07"] = Overrides(subject="Another subject")
    asked = preview(harness, token)
    assert (asked.status, bool(asked.changes)) == ("ready", True)
    assert decide(harness, token).record.state == "held"


def test_a_change_after_approval_is_approved_by_its_own_proof(harness: PublicationHarness) -> None:
    """The first proof's button reports what differs."""
    first = token_of(harness, "approve")
    decide(harness, first)
    harness.overrides["2026-W07"] = Overrides(subject="Another subject")
    second = token_of(harness, "approve")
    assert decide(harness, second).status == "done"
    assert decide(harness, second).status == "already"
    assert decide(harness, first).status in ("changed", "used")


@pytest.mark.parametrize("move", ["skip", "send", "hold"])
def test_a_decided_edition_stays_decided(harness: PublicationHarness, move: str) -> None:
    """If it was skipped, sent or held meanwhile, the reason is given and nothing changes."""
    token = token_of(harness, "approve")
    if move == "send":
        harness.approve(W07)
    getattr(harness, move)(W07)
    before, asked = state(harness), decide(harness, token)
    assert asked.status == ("already" if move == "send" else "closed")
    assert bool(asked.reason) == (move != "send")
    assert state(harness) == before


def test_a_week_emptied_since_the_proof_cannot_be_approved(harness: PublicationHarness) -> None:
    """All its stories were left out, so there is nothing to approve."""
    token = token_of(harness, "approve")
    harness.overrides["2026-W07"] = Overrides(leave_out=("blog blog:bread", "blog blog:salt"))
    asked = decide(harness, token)
    assert asked.status == "empty"
    assert asked.reason


def test_check_errors_block_approval_unless_overridden(harness: PublicationHarness) -> None:
    """A refusal does not consume the token."""
    token = token_of(harness, "approve")
    edition = build_draft(harness.store, harness.context, W07, now=harness.now).edition
    dead = CheckResult(name="dead-link", level="error", message="Mend that link.", where="Bread")
    harness.store.link_checks.save(
        LinkCheck(content_hash=edition.content_hash, checked_at=harness.now, results=(dead,))
    )
    assert preview(harness, token).blocking_checks == ("dead-link",)
    with pytest.raises(RefusedError, match="Mend that link"):
        decide(harness, token)
    assert decide(harness, token, "dead-link").status == "done"


def test_the_desk_token_decides_nothing(harness: PublicationHarness) -> None:
    """The third button's token neither approves nor holds."""
    with pytest.raises(InvalidTokenError):
        decide(harness, token_of(harness, "open"))
    assert state(harness) == "draft"


def test_an_expired_token_is_refused(harness: PublicationHarness) -> None:
    """It works for seven days and no instant longer."""
    token = token_of(harness, "approve")
    last = harness.now + timedelta(days=7)
    assert preview(harness, token, last - timedelta(microseconds=1)).status == "ready"
    for ask in (decisions_of(harness).preview, decisions_of(harness).decide):
        with pytest.raises(InvalidTokenError) as refused:
            ask(verify_token(token, KEY), now=last)
        assert refused.value.kind == "expired"


def test_a_forged_token_is_refused(harness: PublicationHarness) -> None:
    """No character can be changed, and another key or purpose does not verify."""
    token = token_of(harness, "hold")
    flips = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)]
    others = ["", ".", "x", token + "x", token[:-2], token.replace("hold", "approve"), "ü" + token, token.split(".")[0]]
    for each in (*flips, *others):
        with pytest.raises(InvalidTokenError) as refused:
            decide(harness, each)
        assert refused.value.kind == "forged"
    with pytest.raises(InvalidTokenError):
        verify_token(token, "another key")
    assert state(harness) == "draft"


def test_a_token_of_one_kind_is_none_of_another() -> None:
    """A button's token is no link to log in, and such a link presses no button, even if one key signs both."""
    token = ProofToken(week="2026-W07", content_hash="ab", action="open", sequence=1, expires_at=MONDAY)
    link = signed_log_in(LogInToken(editor_id="ab", nonce="1", expires_at=MONDAY), "key")
    for text, purpose in ((sign_token(token, "key"), LOG_IN_PURPOSE), (link, PROOF_PURPOSE)):
        with pytest.raises(ValueError, match="not signed for this purpose"):
            verified(text, "key", purpose)
