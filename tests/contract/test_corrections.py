"""Corrections: sealed like an edition, sent once to those who got it, and never mistaken for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.jobs.deliveries.deliver import delivery_alerts
from pipeline.jobs.deliveries.numbers import load_link_clicks
from pipeline.jobs.digests.build import write_sealed
from pipeline.jobs.editions.corrections import discard_correction, make_correction, send_correction
from pipeline.jobs.editions.recovery import RecoveryResult
from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.model.correction import MAX_NOTE_CHARS
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.errors import ChecksFailedError, ConflictError, PipelineError, RefusedError, UsageError
from pipeline.model.variant import VariantKey
from pipeline.store import Store
from tests.deliveries import HOUR, KEY, LATER, REFUSED, STOP, UNCERTAIN, DeliveryHarness
from tests.factories import entry
from tests.publication import CLOCK, W06, W07, PublicationHarness, shared_theme

FIRST = (str(W07), 1)
DAY = timedelta(days=1)
LINKS = (
    EditorLink(url="https://tides.example/", title="Tides"),
    EditorLink(url="https://charts.example/", title="Charts"),
)


@pytest.fixture
def publication(job_store_url: str, tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication without an edition."""
    publication = PublicationHarness(tmp_path, shared_theme(), job_store_url)
    publication.overrides[str(W07)] = Overrides(introduction_md="The market is on Thursday.", links=LINKS)
    with publication.store:
        yield publication


@pytest.fixture
def harness(publication: PublicationHarness) -> DeliveryHarness:
    """An approved edition with an introduction and two links, and three subscribers."""
    return DeliveryHarness(publication)


@pytest.fixture
def sent(harness: DeliveryHarness) -> DeliveryHarness:
    """The same, sent to all."""
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    harness.backend.accepted.clear()
    return harness


def send(harness: DeliveryHarness, number: int = 1) -> None:
    """Send the newest correction."""
    harness.dispatcher.start_correction(W07, harness.clock())
    harness.run(key=(str(W07), number))


def test_a_correction_is_sealed_beside_its_edition(sent: DeliveryHarness) -> None:
    """Its bytes have a note, a subject and a Message-ID of their own; those of the edition stay."""
    before = sent.store.editions.sealed(str(W07))
    assert before
    correction = sent.correct()
    sealed = sent.store.corrections.sealed(*FIRST)
    assert sealed
    edition = sealed.edition
    assert (correction.number, correction.state, correction.sealed_by) == (1, "draft", "ann")
    assert (correction.text_md, correction.content_hash) == ("The market is on *Friday*.", edition.content_hash)
    assert (edition.subject, edition.preheader) == (f"Correction: {before.edition.subject}", "The market is on Friday.")
    html, text = edition.html.decode(), edition.text.decode()
    assert (
        html.index("The market is on <em>Friday</em>.") < html.index("The market is on Thursday.") < html.index("<h1>")
    )
    assert "> Correction" in text
    manifest = json.loads(edition.manifest)
    assert manifest["correction"] == {
        "number": 1,
        "text_md": "The market is on *Friday*.",
        "made_at": sent.clock().isoformat().replace("+00:00", "Z"),
        "corrects": before.edition.content_hash,
        "messages": {"whole": sha256(before.edition.eml).hexdigest()},
    }
    assert (manifest["state"], manifest["number"]) == ("approved", before.edition.number)
    assert manifest["sha256"]["digest.eml"] == sha256(edition.eml).hexdigest()
    first, second = (message_from_bytes(one.eml, policy=policy.default) for one in (before.edition, edition))
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"] != second["Message-ID"]
    assert first["Date"].datetime == CLOCK.bounds(W07)[1]
    assert second["Date"].datetime == sent.clock().replace(microsecond=0)
    assert sent.store.editions.sealed(str(W07)) == before
    assert sent.publication.workflow.rebuild(W07).changed_files == ()


def test_those_who_got_the_edition_get_its_correction_once(sent: DeliveryHarness) -> None:
    """In the same thread, and not those who joined later; nobody gets it twice."""
    originals = {one.address: one for one in sent.store.deliveries.iterate(str(W07))}
    sent.subscribe("late")
    sent.correct()
    assert [one.subscriber.address for one in sent.dispatcher.plan_correction(W07, sent.clock()) if one.variant] == [
        *originals
    ]
    send(sent)
    plan = {one.reason for one in sent.dispatcher.plan_correction(W07, sent.clock())}
    assert plan == {"has got it already", "did not get the edition"}
    assert sent.backend.counts == {"p0": 1, "p1": 1, "p2": 1}
    assert sent.states(1) == {"sent": 3}
    correction = sent.store.corrections.newest(str(W07))
    assert correction
    assert (correction.state, correction.note) == ("sent", "scripted: 3 of 3 deliveries sent")
    assert sent.store.editions.get(str(W07)).note == "scripted: 3 of 3 deliveries sent"
    with pytest.raises(RefusedError, match="Nobody who got 2026-W07 is left"):
        sent.dispatcher.start_correction(W07, sent.clock())
    sent.dispatcher.add_joined(W07, sent.clock())
    sent.run()
    send(sent)
    assert sent.backend.counts == {"p0": 1, "p1": 1, "p2": 1, "late": 2}


def test_a_copy_replies_to_the_copy_of_the_edition(harness: DeliveryHarness) -> None:
    """To that of the same recipient, which mail programs show with it; its link leads to the page of the correction."""
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    originals = {copy.address: message_from_bytes(copy.message) for copy in harness.backend.accepted}
    harness.backend.accepted.clear()
    harness.correct()
    send(harness)
    for copy in harness.backend.accepted:
        message = message_from_bytes(copy.message, policy=policy.default)
        assert message["In-Reply-To"] == message["References"] == originals[copy.address]["Message-ID"]
        assert message["Message-ID"] not in {one["Message-ID"] for one in originals.values()}
        assert message["To"] == copy.address
    person = harness.subscribe("new")
    for key, page in ((KEY, "/archive/2026-W07"), (FIRST, "/archive/2026-W07/corrections/1")):
        writer = harness.dispatcher.open_copies(str(W07), harness.dispatcher.sealed(key))
        assert writer.recipient(person, harness.clock()).browser_url.endswith(page)


def test_only_those_get_it_who_may_have_the_edition(harness: DeliveryHarness) -> None:
    """Sent or uncertain; whoever was refused it, left since, or pauses gets nothing."""
    for name in ("p3", "p4", "p5"):
        harness.subscribe(name)
    harness.backend.scripts = {"p0": [REFUSED], "p1": [UNCERTAIN]}
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    harness.backend.accepted.clear()
    people = {one.address[:2]: one for one in harness.store.subscribers.iterate(harness.clock(), states=("active",))}
    change(harness, people["p3"].id, state="left")
    harness.correct()
    harness.dispatcher.start_correction(W07, harness.clock())
    assert harness.deliveries(1).keys() == {"p1", "p2", "p4", "p5"}
    change(harness, people["p4"].id, paused_until=harness.clock() + DAY)
    change(harness, people["p5"].id, state="left")
    harness.run(key=FIRST)
    assert harness.backend.counts == {"p1": 1, "p2": 1}
    reasons = {name: one.reason for name, one in harness.deliveries(1).items() if one.state == "failed"}
    assert reasons == {"p4": "paused", "p5": "unsubscribed"}


def change(harness: DeliveryHarness, subscriber_id: int, **changes: object) -> None:
    """Change a subscriber."""
    store = harness.store.subscribers
    subscriber = store.get(subscriber_id)
    assert subscriber
    store.save(replace(subscriber, **changes))


def test_a_correction_waits_until_its_edition_is_sent(harness: DeliveryHarness) -> None:
    """The refusal says what to do instead."""
    with pytest.raises(RefusedError, match="is not sent yet, so nothing is to be corrected: change it before"):
        harness.correct()
    harness.dispatcher.start(W07, harness.clock())
    with pytest.raises(RefusedError, match="is being sent"):
        harness.correct()
    harness.run()
    with pytest.raises(RefusedError, match="There is no correction of 2026-W07"):
        harness.dispatcher.start_correction(W07, harness.clock())
    harness.correct()
    harness.subscribe("late")
    harness.dispatcher.add_joined(W07, harness.clock())
    for refused in (harness.correct, lambda: harness.dispatcher.start_correction(W07, harness.clock())):
        with pytest.raises(RefusedError, match=r"is still being sent \(running\): wait until that is finished"):
            refused()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n ", "what was wrong"),
        ("---", "what was wrong"),
        ("x" * (MAX_NOTE_CHARS + 1), "Shorten the note to 2,000 characters: it has 2,001"),
        ("A bell: \a", "control character U\\+0007"),
    ],
)
def test_a_note_must_say_something(sent: DeliveryHarness, text: str, message: str) -> None:
    """In a sentence or some, without what cannot be shown."""
    with pytest.raises(UsageError, match=message):
        sent.correct(text)
    assert sent.store.corrections.all() == []


def test_a_note_stays_a_quotation_above_the_introduction(sent: DeliveryHarness) -> None:
    """Whatever it contains: several paragraphs, code that does not end, what resembles a placeholder or a merge tag."""
    text = "First.\r\n\r\nSecond: see [the map](https://map.example/).\n\n```\nzzUnsubscribezz {{ name }}"
    with pytest.raises(
        ChecksFailedError, match=r"merge-tag \(correction\).* pipeline correct 2026-W07 … --override merge"
    ):
        sent.correct(text)
    sent.correct(text, overridden=["merge-tag"])
    edition = sent.dispatcher.sealed(FIRST)
    html = edition.html.decode()
    assert html.count("The market is on Thursday.") == 1
    assert html.index("</blockquote>") < html.index("The market is on Thursday.")
    assert 'href="https://map.example/"' in html
    send(sent)
    assert sent.states(1) == {"sent": 3}
    assert b"{{ name" not in sent.backend.accepted[0].message.replace(b"=\r\n", b"")


def test_the_texts_of_the_editors_file_count_and_the_choice_does_not(sent: DeliveryHarness) -> None:
    """Introduction, notes, subject and addresses of links are those that are written now."""
    stories = sent.publication.sealed_titles(W07)
    sent.publication.fetch(entry("Late", CLOCK.bounds(W07)[0] + HOUR))
    corrected = (replace(LINKS[0], url="https://tides.example/right"), LINKS[1])
    sent.publication.overrides[str(W07)] = Overrides(
        subject="Market day", introduction_md="The market is on Friday.", links=corrected, leave_out=("blog Bread",)
    )
    sent.correct()
    sealed = sent.store.corrections.sealed(*FIRST)
    assert sealed
    manifest = json.loads(sealed.edition.manifest)
    assert [story["title"] for story in manifest["stories"]] == stories
    assert [story["url"] for story in manifest["stories"]][-2:] == [link.url for link in corrected]
    assert (manifest["subject"], manifest["introduction_md"]) == ("Correction: Market day", "The market is on Friday.")
    sent.publication.overrides[str(W07)] = Overrides(introduction_md="x", links=corrected[1:])
    assert sent.correct().number == 1
    assert len(json.loads(sent.dispatcher.sealed(FIRST).manifest)["stories"]) == len(stories) - 1
    more = (*LINKS, EditorLink(url="https://buoys.example/", title="Buoys"))
    sent.publication.overrides[str(W07)] = Overrides(links=more)
    with pytest.raises(RefusedError, match=r"2026-W07\.md would add others, such as “Buoys”"):
        sent.correct()
    sent.publication.overrides.clear()
    sent.correct()
    assert [story["url"] for story in json.loads(sent.dispatcher.sealed(FIRST).manifest)["stories"]][-2:] == [
        link.url for link in LINKS
    ]


def test_the_texts_of_the_feeds_are_those_of_now(sent: DeliveryHarness) -> None:
    """A post that was corrected at its source is corrected in the newsletter, too."""
    first = sent.publication.sealed_titles(W07)
    sent.publication.set_time(sent.clock() + HOUR)
    sent.publication.fetch(entry("Bread", CLOCK.bounds(W06)[1] + HOUR, url="https://harbourandhearth.example/right"))
    sent.correct()
    stories = json.loads(sent.dispatcher.sealed(FIRST).manifest)["stories"]
    assert [story["title"] for story in stories] == first
    assert stories[0]["url"] == "https://harbourandhearth.example/right"


def test_a_new_draft_replaces_a_draft_and_what_was_sent_stays(sent: DeliveryHarness) -> None:
    """Only exactly what was seen is sent; the next correction has the next number."""
    seen = sent.correct("One.")
    made = sent.correct("Two.")
    assert (made.number, [one.text_md for one in sent.store.corrections.all()]) == (1, ["Two."])
    with pytest.raises(RefusedError, match="has changed since you saw it"):
        sent.dispatcher.start_correction(W07, sent.clock(), content_hash=seen.content_hash)
    with pytest.raises(ConflictError):
        sent.store.corrections.change_state(seen, "sending", now=sent.clock(), actor="eve")
    folder = sent.publication.folder / "editions"
    write_sealed(sent.store, sent.publication.context, W07, folder, now=sent.clock())
    assert (folder / "2026-W07" / "corrections" / "1" / "digest.eml").exists()
    assert discard_correction(sent.publication.workflow, W07, folder).text_md == "Two."
    assert not (folder / "2026-W07" / "corrections").exists()
    assert (folder / "2026-W07" / "digest.eml").exists()
    with pytest.raises(RefusedError, match="has no draft"):
        discard_correction(sent.publication.workflow, W07, folder)
    with pytest.raises(ConflictError):
        sent.store.corrections.discard(made)
    sent.correct("Three.")
    sent.dispatcher.start_correction(W07, sent.clock(), content_hash=sent.correct("Three.").content_hash)
    with pytest.raises(RefusedError, match="Correction 1 of 2026-W07 is still being sent"):
        sent.correct("Four.")
    sent.run(key=FIRST)
    assert sent.correct("Four.").number == 2
    send(sent, 2)
    assert sent.backend.counts == {"p0": 2, "p1": 2, "p2": 2}
    assert [(one.number, one.state) for one in sent.store.corrections.of_week(str(W07))] == [(1, "sent"), (2, "sent")]


def test_a_crash_in_the_middle_repeats_nothing(sent: DeliveryHarness) -> None:
    """What was complete is uncertain, what was claimed is sent by the next process: the same rules as of editions."""
    sent.correct()
    sent.dispatcher.start_correction(W07, sent.clock())
    sent.limits = replace(sent.limits, connections=1)

    def die() -> None:
        if len(sent.backend.accepted) == 1:
            raise SystemError("killed")

    sent.backend.after_commit = die
    with pytest.raises(SystemError):
        sent.run(key=FIRST, patience=DAY)
    sent.backend.after_commit = lambda: None
    assert sent.dispatcher.start_correction(W07, sent.clock()).state == "running"
    assert sent.run(key=FIRST, patience=DAY, owner="two").state == "finished"
    assert sent.backend.counts["p0"] == 1
    assert max(sent.backend.counts.values()) == 1
    assert sum(sent.states(1).values()) == 3
    assert set(sent.states(1)) <= {"sent", "uncertain"}
    assert sent.states() == {"sent": 3}


def test_pause_resume_cancel_and_retry_know_the_correction(sent: DeliveryHarness) -> None:
    """What concerns all pauses it; cancelled before anybody has it, it is over, and another can be made."""
    sent.correct()
    sent.backend.scripts = {f"p{number}": [STOP] for number in range(3)}
    sent.limits = replace(sent.limits, connections=1)
    send(sent)
    (paused,) = sent.dispatcher.open_dispatches(W07)
    assert (paused.name, paused.state) == ("2026-W07, correction 1", "paused")
    (alert,) = delivery_alerts([paused], "scripted", sent.clock())
    assert (alert.key, alert.subject) == ("delivery/2026-W07/1/paused", "Sending 2026-W07, correction 1 is paused")
    cancelled = sent.dispatcher.cancel(FIRST, sent.clock())
    assert cancelled.counts == {"failed": 3}
    first = sent.store.corrections.newest(str(W07))
    assert first
    assert first.state == "cancelled"
    assert sent.store.editions.get(str(W07)).state == "sent"
    with pytest.raises(RefusedError, match="There is no correction"):
        sent.dispatcher.start_correction(W07, sent.clock())
    assert sent.correct().number == 2
    sent.backend.scripts = {"p1": [REFUSED], "p2": [LATER]}
    sent.clock.wait(3_600)
    send(sent, 2)
    sent.dispatcher.cancel((str(W07), 2), sent.clock())
    second = sent.store.corrections.newest(str(W07))
    assert second
    assert second.state == "sent"
    assert sent.dispatcher.retry_failed(W07, sent.clock()) == 1
    sent.run(key=(str(W07), 2))
    assert sent.backend.counts == {"p0": 1, "p1": 1}


def test_retried_deliveries_of_a_sent_edition_go_on_with_send(harness: DeliveryHarness) -> None:
    """Although the edition counts as sent; without any it is refused."""
    harness.backend.scripts = {"p0": [REFUSED]}
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    assert harness.dispatcher.retry_failed(W07, harness.clock()) == 1
    assert harness.dispatcher.start(W07, harness.clock()).unfinished == 1
    harness.run()
    with pytest.raises(RefusedError, match="has been sent"):
        harness.dispatcher.start(W07, harness.clock())


def test_everybody_gets_the_correction_of_their_variant(harness: DeliveryHarness) -> None:
    """In its own thread; the variants are those of the edition, whoever wants others now."""
    from pipeline.model.subscriber import Preferences

    harness.subscribe("q", preferences=Preferences(topics=("posts",)))
    harness.publication.digest(W07)
    harness.publication.approve(W07)
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    originals = {copy.address: message_from_bytes(copy.message)["Message-ID"] for copy in harness.backend.accepted}
    assert harness.deliveries()["q"].variant == "posts"
    harness.backend.accepted.clear()
    harness.correct()
    edition = harness.dispatcher.sealed(FIRST)
    (variant,) = edition.variants
    assert variant.key == VariantKey(topics=("posts",))
    assert variant.subject.startswith("Correction: ")
    assert b"The market is on <em>Friday</em>" in variant.html
    send(harness)
    assert harness.deliveries(1)["q"].variant == "posts"
    for copy in harness.backend.accepted:
        message = message_from_bytes(copy.message)
        assert message["In-Reply-To"] == originals[copy.address]
    own = next(copy for copy in harness.backend.accepted if copy.address.startswith("q@"))
    assert ".posts.correction-1." in message_from_bytes(own.message)["Message-ID"]


def test_the_outbox_gets_a_second_file(harness: DeliveryHarness) -> None:
    """An interrupted send of it is finished by the next call; a sent one is refused."""
    publication = harness.publication
    publication.send(W07)
    harness.correct()
    workflow, recovery = publication.workflow, publication.recovery
    with pytest.raises(RefusedError, match="nobody is known to have got it"):
        harness.dispatcher.start_correction(W07, harness.clock())
    draft = harness.store.corrections.newest(str(W07))
    assert draft
    harness.store.corrections.change_state(draft, "sending", now=harness.clock(), actor="ann")
    correction, path = send_correction(workflow, recovery, W07, now=harness.clock())
    assert (correction.state, correction.note) == ("sent", publication.outbox.outcome)
    assert path.name == "2026-W07.20260216000000.edition.correction-1@harbourandhearth.example.eml"
    assert path.read_bytes() == harness.dispatcher.sealed(FIRST).eml
    assert len(list(path.parent.glob("*.eml"))) == 2
    with pytest.raises(RefusedError, match="has been sent"):
        send_correction(workflow, recovery, W07, now=harness.clock())


@pytest.mark.parametrize("how", ["previous", "files", "export"])
def test_a_restored_store_knows_what_was_corrected(sent: DeliveryHarness, tmp_path: Path, how: str) -> None:
    """From the store that it replaces, or from the files: nobody gets a correction twice."""
    publication, recovery = sent.publication, replace(sent.publication.recovery, leaves_receipts=False)
    folder = publication.folder / "editions"
    with Store.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        if how != "export":
            import_lines(other, export_lines(sent.store))
        sent.correct()
        send(sent)
        write_sealed(sent.store, publication.context, W07, folder, now=sent.clock())
        if how == "export":
            import_lines(other, export_lines(sent.store))
        elif how == "previous":
            (folder / "2026-W07" / "corrections" / "1" / "state.json").unlink()
            result = recovery.after_restore(other, sent.store, now=sent.clock())
            assert result == RecoveryResult()
            assert len([one for one in other.deliveries.iterate(str(W07)) if one.correction == 1]) == 3
        else:
            recovery.from_files(other, now=sent.clock())
        known, stored = other.corrections.all(), sent.store.corrections.all()
        assert known == stored
        ours, theirs = sent.store.corrections.sealed(*FIRST), other.corrections.sealed(*FIRST)
        assert ours
        assert theirs
        assert (theirs.edition, theirs.stories) == (ours.edition, ours.stories)
        assert other.editions.sealed(str(W07)) == sent.store.editions.sealed(str(W07))
        recovery.from_files(other, now=sent.clock() + DAY)
        assert other.corrections.all() == known
        sent.store = publication.store = other
        reason = "does not know to whom" if how == "files" else "Nobody who got 2026-W07 is left"
        with pytest.raises(RefusedError, match=reason):
            sent.dispatcher.start_correction(W07, sent.clock())


def test_a_draft_in_a_restored_store_is_not_sent_by_mistake(sent: DeliveryHarness) -> None:
    """It may have been sent since the backup was made; a new one has the next number."""
    sent.correct()
    recovery = replace(sent.publication.recovery, leaves_receipts=False)
    recovery.after_restore(sent.store, sent.store, now=sent.clock())
    assert [one.state for one in sent.store.corrections.all()] == ["draft"]
    recovery.after_restore(sent.store, None, now=sent.clock())
    assert [one.state for one in sent.store.corrections.all()] == ["cancelled"]
    with pytest.raises(RefusedError, match="There is no correction"):
        sent.dispatcher.start_correction(W07, sent.clock())
    assert sent.correct().number == 2


def test_files_of_another_edition_correct_nothing(sent: DeliveryHarness) -> None:
    """Nor do incomplete ones, or a draft."""
    folder = sent.publication.folder / "editions"
    sent.correct()
    write_sealed(sent.store, sent.publication.context, W07, folder, now=sent.clock())
    discarded = sent.store.corrections.newest(str(W07))
    assert discarded
    sent.store.corrections.discard(discarded)
    state_file = folder / "2026-W07" / "corrections" / "1" / "state.json"
    state = json.loads(state_file.read_text())
    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: state_file.write_text(json.dumps(state | {"state": "sent", "content_hash": "0"})),
        lambda: state_file.write_text("{"),
    ]
    for change_files in changes:
        change_files()
        sent.publication.recovery.from_files(sent.store, now=sent.clock())
        assert sent.store.corrections.all() == []
    state_file.write_text(json.dumps(state | {"state": "sending"}))
    sent.publication.recovery.from_files(sent.store, now=sent.clock())
    assert [one.state for one in sent.store.corrections.all()] == ["sent"]


def test_an_entry_that_is_gone_cannot_be_shown_again(sent: DeliveryHarness) -> None:
    """The refusal names the other way."""
    sealed = sent.store.editions.sealed(str(W07))
    assert sealed
    sent.store.entries.delete(sealed.entry_ids, now=sent.clock())
    with pytest.raises(PipelineError, match="no longer stored: put what was wrong into the next edition"):
        make_correction(sent.publication.workflow, W07, "Wrong.", now=sent.clock())


def test_a_correction_and_its_edition_count_together(publication: PublicationHarness) -> None:
    """The same address is the same link in both; an address that the correction replaces leads on in the first."""
    publication.context = replace(publication.context, counting_url="https://news.harbour.example")
    harness = DeliveryHarness(publication)
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    before = set(harness.store.clicks.counts(str(W07)))
    publication.overrides[str(W07)] = Overrides(links=(replace(LINKS[0], url="https://tides.example/new"), LINKS[1]))
    harness.correct()
    links = load_link_clicks(harness.store, str(W07))
    assert {link.url for link in links} == before | {"https://tides.example/new"}
    assert {"https://tides.example/", "https://charts.example/"} <= before
    sealed = harness.store.corrections.sealed(*FIRST)
    assert sealed
    assert all(
        harness.store.clicks.find(str(W07), link["tag"])
        for link in json.loads(sealed.edition.manifest)["counted_links"]
    )
