"""Proofs in every store: claimed by one process, sent once for the same bytes; tokens are used once."""

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


def claim_and_send(store: Store, content_hash: str = "aa", now: datetime = NOW, *, resend: bool = False) -> int:
    """Claim a proof and mark it as sent; return its sequence number, or 0 if none is due."""
    proof = store.proofs.claim(WEEK, content_hash, b"{}", now=now, resend=resend)
    if proof is None:
        return 0
    store.proofs.mark_sent(proof, now=now)
    return proof.sequence


def hold(store: Store, used_token: ProofToken, now: datetime = NOW) -> None:
    expected = store.editions.get(used_token.week)
    store.editions.release(expected, "hold", (), now=now, actor="ann", token=used_token)


def token(choice: str = "hold", sequence: int = 1) -> ProofToken:
    return ProofToken(week=WEEK, content_hash="aa", action=choice, sequence=sequence, expires_at=NOW)  # type: ignore[arg-type]


def test_a_signing_key_is_created_once(store: Store) -> None:
    """The first process creates it; each purpose has its own."""
    assert [store.proofs.signing_key("proof", "first"), store.proofs.signing_key("proof", "second")] == [
        "first",
        "first",
    ]
    assert store.proofs.signing_key("other", "third") == "third"


def test_the_same_bytes_are_sent_once(store: Store) -> None:
    """Neither an hour nor a week later is it due resend; with ``resend`` it always is."""
    assert [claim_and_send(store), claim_and_send(store), claim_and_send(store, now=NOW + timedelta(days=6))] == [
        1,
        0,
        0,
    ]
    assert [claim_and_send(store, resend=True), claim_and_send(store, resend=True)] == [2, 3]


def test_a_changed_draft_waits_for_an_hour(store: Store) -> None:
    """An editor who edits all morning gets a proof an hour, of the newest draft."""
    assert claim_and_send(store) == 1
    assert claim_and_send(store, "bb", NOW + MIN_INTERVAL - MINUTE) == 0
    assert claim_and_send(store, "cc", NOW + MIN_INTERVAL) == 1


def test_a_released_proof_is_due_again(store: Store) -> None:
    """It can be claim_and_send at once, with the same sequence number."""
    proof = store.proofs.claim(WEEK, "aa", b"{}", now=NOW)
    assert proof is not None
    store.proofs.release(proof)
    assert store.proofs.of_week(WEEK) == ()
    assert claim_and_send(store) == 1


def test_a_claim_expires(store: Store) -> None:
    """Nobody takes it over while it may be sending; after that, the same proof is sent resend."""
    first = store.proofs.claim(WEEK, "aa", b"{}", now=NOW)
    assert first is not None
    assert store.proofs.claim(WEEK, "aa", b"{}", now=NOW + CLAIM_TTL - MINUTE) is None
    second = store.proofs.claim(WEEK, "aa", b"{}", now=NOW + CLAIM_TTL)
    assert second is not None
    assert (second.sequence, second.claimed_at) == (first.sequence, NOW + CLAIM_TTL)


def test_concurrent_processes_claim_one_proof(store: Store) -> None:
    """A daemon and a cron job that find the same draft send one proof."""
    start = Barrier(4)

    def claim() -> bool:
        start.wait()
        return store.proofs.claim(WEEK, "aa", b"{}", now=NOW) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sum(future.result() for future in [pool.submit(claim) for _ in range(4)]) == 1


def test_proofs_are_stored_with_their_manifest(store: Store) -> None:
    """The newest first, each with its manifest, to describe later what has changed."""
    claim_and_send(store)
    store.proofs.claim(WEEK, "bb", b'{"subject": "Soup"}', now=NOW + MIN_INTERVAL)
    newest, oldest = store.proofs.of_week(WEEK)
    assert (newest.content_hash, newest.manifest, newest.sent_at) == ("bb", b'{"subject": "Soup"}', None)
    assert (oldest.content_hash, oldest.sent_at) == ("aa", NOW)


def test_a_token_is_used_up_by_its_transition(store: Store) -> None:
    """The second use is refused and changes nothing; a token of a later proof is another one."""
    hold(store, token())
    assert store.proofs.token_used_at(token()) == NOW
    store.editions.resume(store.editions.get(WEEK), now=NOW, actor="ann")
    with pytest.raises(InvalidTokenError) as refused:
        hold(store, token())
    assert refused.value.kind == "used"
    assert store.editions.get(WEEK).state == "draft"
    hold(store, token(sequence=2))
    assert store.editions.get(WEEK).state == "hold"


def test_a_failed_transition_does_not_use_the_token(store: Store) -> None:
    """Both or neither: after a conflict the button can be pressed resend."""
    expected = store.editions.get(WEEK)
    store.editions.change_state(expected, "approved", now=NOW, actor="bob")
    with pytest.raises(Exception, match="another process"):
        store.editions.release(expected, "hold", (), now=NOW, actor="ann", token=token())
    assert store.proofs.token_used_at(token()) is None
