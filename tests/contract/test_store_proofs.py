"""Proofs in the store: claimed by one, sent once for the same bytes, and passes that are used up with their move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from pipeline.model.errors import InvalidTokenError
from pipeline.model.proof import ProofToken
from pipeline.store import Store
from pipeline.store.proofs import CLAIM_TTL, MIN_INTERVAL

NOW = datetime(2026, 2, 16, 6, tzinfo=UTC)
WEEK = "2026-W07"
MINUTE = timedelta(minutes=1)


def claimed(store: Store, content_hash: str = "aa", now: datetime = NOW, *, again: bool = False) -> int:
    """Claim a proof and post it; which one of these bytes it is, 0 when none is due."""
    proof = store.proofs.claim(WEEK, content_hash, b"{}", now=now, resend=again)
    if proof is None:
        return 0
    store.proofs.mark_sent(proof, now=now)
    return proof.sequence


def held(store: Store, using: ProofToken, now: datetime = NOW) -> None:
    seen = store.editions.get(using.week)
    store.editions.release(seen, "held", (), now=now, actor="ann", token=using)


def a_pass(choice: str = "hold", nth: int = 1) -> ProofToken:
    return ProofToken(week=WEEK, content_hash="aa", action=choice, sequence=nth, expires_at=NOW)  # type: ignore[arg-type]


def test_a_key_is_made_once(store: Store) -> None:
    """Whoever comes first makes it; each purpose has its own."""
    assert [store.proofs.signing_key("proof", "first"), store.proofs.signing_key("proof", "second")] == [
        "first",
        "first",
    ]
    assert store.proofs.signing_key("other", "third") == "third"


def test_the_same_bytes_are_proofed_once(store: Store) -> None:
    """Not in an hour and not in a week; unless somebody asks, and then as often as they do."""
    assert [claimed(store), claimed(store), claimed(store, now=NOW + timedelta(days=6))] == [1, 0, 0]
    assert [claimed(store, again=True), claimed(store, again=True)] == [2, 3]


def test_a_changed_draft_waits_for_its_hour(store: Store) -> None:
    """Somebody who edits all morning gets a proof an hour, of what is there by then."""
    assert claimed(store) == 1
    assert claimed(store, "bb", NOW + MIN_INTERVAL - MINUTE) == 0
    assert claimed(store, "cc", NOW + MIN_INTERVAL) == 1


def test_a_failure_leaves_it_due(store: Store) -> None:
    """What was given back can be claimed at once, as the same proof."""
    proof = store.proofs.claim(WEEK, "aa", b"{}", now=NOW)
    assert proof is not None
    store.proofs.release(proof)
    assert store.proofs.of_week(WEEK) == ()
    assert claimed(store) == 1


def test_a_claim_of_the_dead_runs_out(store: Store) -> None:
    """Nobody takes over what somebody may be sending; once they must be dead, the very same proof is sent again."""
    first = store.proofs.claim(WEEK, "aa", b"{}", now=NOW)
    assert first is not None
    assert store.proofs.claim(WEEK, "aa", b"{}", now=NOW + CLAIM_TTL - MINUTE) is None
    second = store.proofs.claim(WEEK, "aa", b"{}", now=NOW + CLAIM_TTL)
    assert second is not None
    assert (second.sequence, second.claimed_at) == (first.sequence, NOW + CLAIM_TTL)


def test_of_many_at_once_one_sends(store: Store) -> None:
    """A daemon and a cron line that find the same draft send one proof."""
    start = Barrier(4)

    def claim() -> bool:
        start.wait()
        return store.proofs.claim(WEEK, "aa", b"{}", now=NOW) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sum(future.result() for future in [pool.submit(claim) for _ in range(4)]) == 1


def test_proofs_are_remembered_with_what_they_showed(store: Store) -> None:
    """The newest first, each with its manifest, to tell later what has changed."""
    claimed(store)
    store.proofs.claim(WEEK, "bb", b'{"subject": "Soup"}', now=NOW + MIN_INTERVAL)
    newest, oldest = store.proofs.of_week(WEEK)
    assert (newest.content_hash, newest.manifest, newest.sent_at) == ("bb", b'{"subject": "Soup"}', None)
    assert (oldest.content_hash, oldest.sent_at) == ("aa", NOW)


def test_a_pass_is_used_up_by_its_move(store: Store) -> None:
    """The second use finds it used and moves nothing; a pass of a later proof is another one."""
    held(store, a_pass())
    assert store.proofs.token_used_at(a_pass()) == NOW
    store.editions.resume(store.editions.get(WEEK), now=NOW, actor="ann")
    with pytest.raises(InvalidTokenError) as refused:
        held(store, a_pass())
    assert refused.value.kind == "used"
    assert store.editions.get(WEEK).state == "draft"
    held(store, a_pass(nth=2))
    assert store.editions.get(WEEK).state == "held"


def test_a_move_that_fails_leaves_its_pass(store: Store) -> None:
    """Both or neither: who was overtaken may press again."""
    seen = store.editions.get(WEEK)
    store.editions.change_state(seen, "approved", now=NOW, actor="bob")
    with pytest.raises(Exception, match="another process"):
        store.editions.release(seen, "held", (), now=NOW, actor="ann", token=a_pass())
    assert store.proofs.token_used_at(a_pass()) is None
