"""The editor's answer to a proof: done once, to what was seen, and to nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.proof.decide import PendingDecision, ProofDecisions
from pipeline.jobs.proof.tokens import sign_token, verify_token
from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.edition import Overrides
from pipeline.model.errors import InvalidTokenError, RefusedError
from pipeline.model.proof import ProofAction, ProofToken, SendPolicy
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, W07, PublicationHarness, shared_theme

HOUR = timedelta(hours=1)
KEY = "a key of the store's"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication whose week has closed, with a draft."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.fetch(entry("Long ago", MONDAY - timedelta(days=90)))
    house.fetch(entry("Bread", MONDAY + HOUR), entry("Salt", MONDAY + 2 * HOUR))
    house.set_time_after_closing(W07).digest(W07)
    yield house
    house.store.close()


def desk(house: PublicationHarness) -> ProofDecisions:
    publisher = replace(house.workflow, actor="editor@harbourandhearth.example, by the proof")
    return ProofDecisions(
        workflow=publisher,
        send_policy=SendPolicy(calendar=CLOCK, schedule=None),
        editions_folder=house.folder / "editions",
    )


def button(house: PublicationHarness, choice: ProofAction, *, nth: int = 1) -> str:
    """Make the token of a button in a proof of the draft as it is now."""
    edition = build_draft(house.store, house.context, W07, now=house.now).edition
    house.store.proofs.claim("2026-W07", edition.content_hash, edition.manifest, now=house.now, resend=True)
    expires_at = house.now + timedelta(days=7)
    what = ProofToken(
        week="2026-W07", content_hash=edition.content_hash, action=choice, sequence=nth, expires_at=expires_at
    )
    return sign_token(what, KEY)


def press(house: PublicationHarness, token: str, *overridden: str) -> PendingDecision:
    return desk(house).decide(verify_token(token, KEY), now=house.now, overridden=overridden)


def look(house: PublicationHarness, token: str, now: datetime | None = None) -> PendingDecision:
    return desk(house).preview(verify_token(token, KEY), now=now or house.now)


def state(house: PublicationHarness) -> str:
    return house.store.editions.get("2026-W07").state


@pytest.mark.parametrize("choice", ["approve", "hold"])
def test_looking_changes_nothing(house: PublicationHarness, choice: ProofAction) -> None:
    """A scanner may follow the link all day: not a row is written, and the button still works afterwards."""
    token = button(house, choice)
    before = house.store.revision()
    for _ in range(5):
        assert look(house, token).status == "ready"
    assert house.store.revision() == before
    assert press(house, token).status == "done"


def test_approved_is_what_was_seen(house: PublicationHarness) -> None:
    """The seal has the hash of the proof, and the name of who pressed."""
    token = button(house, "approve")
    seen = look(house, token)
    assert (seen.story_count, seen.blocking_checks) == (2, ())
    assert seen.edition is not None
    assert press(house, token).record.content_hash == seen.edition.content_hash
    sealed = house.store.editions.sealed("2026-W07")
    assert sealed is not None
    assert (sealed.edition.eml, sealed.sealed_by) == (seen.edition.eml, "editor@harbourandhearth.example, by the proof")


@pytest.mark.parametrize(("choice", "after"), [("approve", "approved"), ("hold", "held")])
def test_a_second_press_finds_it_done(house: PublicationHarness, choice: ProofAction, after: str) -> None:
    """It says so, and moves nothing; so does the same button of a later proof of these bytes."""
    token, later = button(house, choice), button(house, choice, nth=2)
    press(house, token)
    revision = house.store.editions.get("2026-W07").revision
    assert [press(house, each).status for each in (token, later)] == ["already", "already"]
    assert house.store.editions.get("2026-W07").revision == revision
    assert state(house) == after


def test_of_two_presses_at_once_one_counts(house: PublicationHarness) -> None:
    """A double click approves once; the other press hears that it is approved."""
    token, start = button(house, "approve"), Barrier(2)

    def click() -> str:
        start.wait()
        return press(house, token).status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(each.result() for each in [pool.submit(click), pool.submit(click)]) == ["already", "done"]
    assert house.store.editions.get("2026-W07").revision == 1


def test_a_used_pass_does_nothing_again(house: PublicationHarness) -> None:
    """Held by a button and taken up again: the old button does not hold it a second time, that of a new proof does."""
    token = button(house, "hold")
    press(house, token)
    house.resume(W07)
    again = press(house, token)
    assert (again.status, again.used_at) == ("used", house.now)
    assert state(house) == "draft"
    assert press(house, button(house, "hold", nth=2)).status == "done"


def test_another_draft_is_not_approved(house: PublicationHarness) -> None:
    """What was changed since the proof is named, nothing is done, and the next proof's button works."""
    token = button(house, "approve")
    house.overrides["2026-W07"] = Overrides(subject="Another subject")
    asked = press(house, token)
    assert asked.status == "changed"
    assert any("Another subject" in each for each in asked.changes)
    assert state(house) == "draft"
    assert press(house, button(house, "approve")).status == "done"


def test_a_changed_draft_can_be_held(house: PublicationHarness) -> None:
    """Doubt needs no new proof: holding back is always the careful thing."""
    token = button(house, "hold")
    house.overrides["2026-W07"] = Overrides(subject="Another subject")
    asked = look(house, token)
    assert (asked.status, bool(asked.changes)) == ("ready", True)
    assert press(house, token).record.state == "held"


def test_a_changed_edition_is_approved_anew(house: PublicationHarness) -> None:
    """Approved, then changed: the proof of the change approves the change, the first one's button says what differs."""
    first = button(house, "approve")
    press(house, first)
    house.overrides["2026-W07"] = Overrides(subject="Another subject")
    second = button(house, "approve")
    assert press(house, second).status == "done"
    assert press(house, second).status == "already"
    assert press(house, first).status in ("changed", "used")


@pytest.mark.parametrize("move", ["skip", "send", "hold"])
def test_what_is_decided_stays_decided(house: PublicationHarness, move: str) -> None:
    """Skipped, sent or held meanwhile: the reason is given, and nothing is done."""
    token = button(house, "approve")
    if move == "send":
        house.approve(W07)
    getattr(house, move)(W07)
    before, asked = state(house), press(house, token)
    assert asked.status == ("already" if move == "send" else "closed")
    assert bool(asked.reason) == (move != "send")
    assert state(house) == before


def test_an_emptied_week_says_so(house: PublicationHarness) -> None:
    """All stories left out since the proof: there is nothing to approve."""
    token = button(house, "approve")
    house.overrides["2026-W07"] = Overrides(leave_out=("blog blog:bread", "blog blog:salt"))
    asked = press(house, token)
    assert asked.status == "empty"
    assert asked.reason


def test_errors_stop_it_unless_they_are_overridden(house: PublicationHarness) -> None:
    """The button may be pressed again once somebody has decided: a refusal uses nothing up."""
    token = button(house, "approve")
    edition = build_draft(house.store, house.context, W07, now=house.now).edition
    dead = CheckResult(name="dead-link", level="error", message="Mend that link.", where="Bread")
    house.store.link_checks.save(LinkCheck(content_hash=edition.content_hash, checked_at=house.now, results=(dead,)))
    assert look(house, token).blocking_checks == ("dead-link",)
    with pytest.raises(RefusedError, match="Mend that link"):
        press(house, token)
    assert press(house, token, "dead-link").status == "done"


def test_the_way_to_the_desk_decides_nothing(house: PublicationHarness) -> None:
    """The third button's pass neither approves nor holds, whoever sends it in."""
    with pytest.raises(InvalidTokenError):
        press(house, button(house, "open"))
    assert state(house) == "draft"


def test_an_old_link_is_refused(house: PublicationHarness) -> None:
    """Seven days and not an instant longer."""
    token = button(house, "approve")
    last = house.now + timedelta(days=7)
    assert look(house, token, last - timedelta(microseconds=1)).status == "ready"
    for ask in (desk(house).preview, desk(house).decide):
        with pytest.raises(InvalidTokenError) as refused:
            ask(verify_token(token, KEY), now=last)
        assert refused.value.kind == "expired"


def test_a_changed_link_is_refused(house: PublicationHarness) -> None:
    """Not one character of it can be another one; nor can it be made with another key, or for another purpose."""
    token = button(house, "hold")
    flips = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)]
    others = ["", ".", "x", token + "x", token[:-2], token.replace("hold", "approve"), "ü" + token, token.split(".")[0]]
    for each in (*flips, *others):
        with pytest.raises(InvalidTokenError) as refused:
            press(house, each)
        assert refused.value.kind == "forged"
    with pytest.raises(InvalidTokenError):
        verify_token(token, "another key")
    assert state(house) == "draft"
