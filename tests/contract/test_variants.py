"""Variants of an edition: composed, checked, sealed, stored, rebuilt, written, proofed and sent with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from pipeline.audience.variants import variant_for
from pipeline.delivery.outbox import Outbox
from pipeline.digest.edition.seal import content_hash
from pipeline.digest.edition.variants import shown_topics
from pipeline.digest.render.mime import to_proof_eml
from pipeline.digest.render.theme import Theme
from pipeline.jobs.digests.build import build_draft, current_edition
from pipeline.jobs.editions.sent_editions import read_edition
from pipeline.model.digest import Edition
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.errors import DeliveryFailedError, DeliveryUncertainError, RefusedError
from pipeline.model.subscriber import TOPICS, Preferences, Subscriber
from pipeline.model.variant import WHOLE, Variant
from pipeline.model.week import Week
from pipeline.store import Store
from tests.factories import MONDAY, entry, episode
from tests.publication import PUBLICATION, W07, W08, PublicationHarness, small_theme
from tests.unit.test_proof_sender import FakeMailer, sender

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POST = entry("Bread on a stone", MONDAY + DAY, body_html="<p>It was baked slowly.</p>")
TALK = episode("A talk with a miller", MONDAY + 2 * DAY)
PAIR = (
    entry("Podcast – Ada Marsh – Salt", MONDAY + 2 * DAY, body_html="<p>It came by sea.</p>"),
    episode("Ada Marsh – Salt", MONDAY + 2 * DAY + HOUR),
)
TIDES = EditorLink(url="https://tides.example/", title="Tides")
_numbers = count(1)


def subscribe(harness: PublicationHarness, *topics: str, frequency: str = "every", number: int = 1) -> None:
    """Add active subscribers who want these topics."""
    for _ in range(number):
        address = f"reader{next(_numbers)}@x.example"
        preferences = Preferences(topics=topics or TOPICS, frequency=frequency)  # type: ignore[arg-type]
        new = Subscriber(
            id=0,
            address=address,
            state="active",
            preferences=preferences,
            basis="consent",
            created_at=harness.now,
            confirmed_at=harness.now,
            changed_at=harness.now,
        )
        harness.store.subscribers.add_or_lock(new, address)


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Theme:
    return small_theme(tmp_path_factory.mktemp("themes"))


@pytest.fixture
def harness(tmp_path: Path, theme: Theme, job_store_url: str) -> Iterator[PublicationHarness]:
    """A week with a post, an episode, one of both, and a link of the editor's."""
    harness = PublicationHarness(tmp_path, theme, job_store_url).set_time(MONDAY - DAY)
    harness.fetch()
    harness.fetch(feed="podcast")
    harness.set_time(MONDAY + 3 * DAY).fetch(POST, PAIR[0])
    harness.fetch(TALK, PAIR[1], feed="podcast")
    harness.overrides["2026-W07"] = Overrides(links=(TIDES,))
    yield harness.set_time_after_closing(W07)
    harness.store.close()


def draft(harness: PublicationHarness, week: Week = W07) -> Edition:
    return build_draft(harness.store, harness.context, week, now=harness.now).edition


def variants_of(edition: Edition) -> dict[str, Variant]:
    return {variant.name: variant for variant in edition.variants}


def titles(edition: Edition, name: str) -> set[str]:
    """Return the titles of a variant's stories, from the manifest, which the text part has, too."""
    stories = next(
        variant["stories"] for variant in json.loads(edition.manifest)["variants"] if variant["variant"] == name
    )
    text = edition.as_variant(name).text.decode()
    assert all(story["title"] in text for story in stories)
    return {story["title"] for story in stories}


def test_without_subscribers_nothing_changes(harness: PublicationHarness) -> None:
    """The manifest does not even have the key; nor if all want the whole, or have left or pause."""
    alone = draft(harness)
    assert "variants" not in json.loads(alone.manifest)
    subscribe(harness)
    subscribe(harness, frequency="monthly")
    assert draft(harness) == alone
    harness.digest(W07)
    assert not (harness.folder / "editions/2026-W07/variants").exists()


def test_a_variant_has_the_stories_of_its_topics(harness: PublicationHarness) -> None:
    """A post with its episode is for those who want either; together they show all that the whole does."""
    subscribe(harness, "posts", number=2)
    subscribe(harness, "episodes")
    subscribe(harness, "links")
    edition = draft(harness)
    salt = json.loads(edition.manifest)["stories"][0]["title"]
    assert [(variant.name, variant.subscribers) for variant in edition.variants] == [
        ("posts", 2),
        ("episodes", 1),
        ("links", 1),
    ]
    assert titles(edition, "posts") == {salt, POST.title}
    assert titles(edition, "episodes") == {salt, TALK.title}
    assert titles(edition, "links") == {TIDES.title}
    assert variants_of(edition)["posts"].shown == ("posts", "episodes")
    assert b"tides.example" in edition.html
    assert b"tides.example" not in edition.as_variant("posts").html


def test_a_variant_is_a_message_of_its_own(harness: PublicationHarness) -> None:
    """With its own subject, preheader and Message-ID; the editor's subject is for those who get that lead."""
    harness.overrides["2026-W07"] = replace(
        harness.overrides["2026-W07"], lead=f"blog {POST.guid}", subject="Our bread", introduction_md="Dear all"
    )
    subscribe(harness, "posts")
    subscribe(harness, "episodes")
    edition = draft(harness)
    posts, episodes = edition.variants[1], edition.variants[0]
    assert (edition.subject, posts.subject) == ("Our bread", "Our bread")
    assert "bread" not in episodes.subject.lower()
    assert all(b"Dear all" in variant.html for variant in edition.variants)
    messages = [message_from_bytes(eml, policy=policy.default) for eml in (edition.eml, posts.eml, episodes.eml)]
    assert len({message["Message-ID"] for message in messages}) == 3
    assert messages[2]["Subject"] == episodes.subject


def test_the_manifest_and_the_hash_cover_variants(harness: PublicationHarness) -> None:
    """SHA-256 of each part; a change in a variant alone is another edition, another number of subscribers is not."""
    subscribe(harness, "posts")
    edition = draft(harness)
    manifest = json.loads(edition.manifest)
    posts = edition.variants[0]
    assert manifest["variants"][0]["variant"] == "posts"
    assert manifest["variants"][0]["topics"] == ["posts"]
    assert manifest["variants"][0]["subject"] == posts.subject
    assert manifest["variants"][0]["sha256"] == {
        "html": sha256(posts.html).hexdigest(),
        "text": sha256(posts.text).hexdigest(),
        "eml": sha256(posts.eml).hexdigest(),
    }
    assert content_hash(manifest) == edition.content_hash
    manifest["variants"][0]["sha256"]["text"] = "0"
    assert content_hash(manifest) != edition.content_hash
    subscribe(harness, "posts")
    assert draft(harness).content_hash == edition.content_hash


def test_a_topic_without_a_story_is_not_sealed(harness: PublicationHarness) -> None:
    """Its subscribers get nothing that week, and a check says so; a variant with everything is the whole."""
    harness.overrides.clear()
    subscribe(harness, "links", number=3)
    subscribe(harness, "posts", "episodes")
    edition = draft(harness)
    assert edition.variants == ()
    shown = shown_topics(edition)
    assert variant_for(["links"], "every", shown) is None
    assert variant_for(["posts", "episodes"], "every", shown) == "whole"
    hints = [check for check in json.loads(edition.manifest)["checks"] if check["name"] == "variants"]
    assert [hint["message"] for hint in hints] == [
        "3 subscribers want only links and get nothing: there is no such story."
    ]


def test_findings_name_the_variant_once(harness: PublicationHarness) -> None:
    """Those that the whole has are not repeated; nor is a finding that two variants have."""
    harness.overrides["2026-W07"] = Overrides(links=(replace(TIDES, title="T"),))
    subscribe(harness, "links")
    subscribe(harness, "posts")
    checks = json.loads(draft(harness).manifest)["checks"]
    of_variants = [check for check in checks if check["where"].startswith("variant ")]
    assert {check["where"].partition(":")[0] for check in of_variants} <= {"variant links", "variant posts"}
    assert of_variants
    known = [(check["name"], check["message"], check["where"].rpartition(": ")[2]) for check in checks]
    assert len(set(known)) == len(known)


def test_sealed_variants_are_read_back_and_rebuilt(harness: PublicationHarness) -> None:
    """Byte by byte, also when nobody wants them any more; they are shown as they were sealed."""
    subscribe(harness, "posts")
    subscribe(harness, "links")
    drafted = harness.digest(W07).edition
    harness.approve(W07)
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed
    assert sealed.edition.variants == drafted.variants
    assert sealed.edition.content_hash == drafted.content_hash
    subscribe(harness, "episodes")
    assert harness.workflow.rebuild(W07).changed_files == ()
    current = current_edition(harness.store, harness.context, W07, now=harness.now)
    assert (current.variants, current.changes) == (drafted.variants, ())


def test_an_approval_is_for_reviewed_variants(harness: PublicationHarness) -> None:
    """A variant that was added since has not been reviewed."""
    drafted = harness.digest(W07).edition
    subscribe(harness, "posts")
    with pytest.raises(RefusedError, match="has changed since you reviewed it"):
        harness.approve(W07, drafted.content_hash)
    manifest = (harness.folder / "editions/2026-W07/manifest.json").read_bytes()
    with pytest.raises(RefusedError, match="the variant “posts” would be added"):
        harness.workflow.approve(W07, now=harness.now, reviewed_manifest=manifest)
    harness.digest(W07)
    assert harness.approve(W07).state == "approved"


def test_a_changed_variant_is_noticed_after_approval(harness: PublicationHarness) -> None:
    """Although the whole is the same: its variant would have another template."""
    subscribe(harness, "posts")
    harness.digest(W07)
    harness.approve(W07)
    theme = small_theme(harness.folder / "other", "<html><body>{{ digest.subject }}</body></html>")
    harness.context = replace(harness.context, theme=theme)
    changed = harness.workflow.rebuild(W07)
    assert "variants/posts/digest.html" in changed.changed_files
    assert "the variant “posts”" in changed.changes[0]


def test_files_of_variants_follow_the_draft(harness: PublicationHarness) -> None:
    """Three files each; those of a variant that is no longer made are removed, other files are not."""
    subscribe(harness, "posts")
    subscribe(harness, "links")
    edition, folder = harness.digest(W07).edition, harness.folder / "editions/2026-W07"
    posts = variants_of(edition)["posts"]
    assert (folder / "variants/posts/digest.html").read_bytes() == posts.html
    assert (folder / "variants/posts/digest.txt").read_bytes() == posts.text
    assert (folder / "variants/posts/digest.eml").read_bytes() == posts.eml
    (folder / "variants/posts/mine.txt").write_text("kept")
    harness.overrides.clear()
    harness.digest(W07)
    assert not (folder / "variants/links").exists()
    assert (folder / "variants/posts/mine.txt").exists()


def test_sent_variants_are_messages_of_the_outbox(harness: PublicationHarness) -> None:
    """Each once, however often the sending is repeated; the files prove the variants, too."""
    subscribe(harness, "posts")
    subscribe(harness, "links")
    edition = harness.digest(W07).edition
    harness.publish(W07)
    messages = {path.read_bytes() for path in (harness.folder / "outbox").glob("*.eml")}
    assert messages == {edition.eml, *(variant.eml for variant in edition.variants)}
    folder = harness.folder / "editions/2026-W07"
    read = read_edition(folder, json.loads((folder / "state.json").read_bytes()))
    assert read.sealed.edition.variants == edition.variants
    (folder / "variants/posts/digest.txt").write_text("forged")
    with pytest.raises(ValueError, match="the variant posts"):
        read_edition(folder, json.loads((folder / "state.json").read_bytes()))


def test_a_variant_that_cannot_be_sent_is_sent_later(harness: PublicationHarness) -> None:
    """The edition has left, so it is not held: it stays in sending until all of it is out."""

    class FullOutbox(Outbox):
        is_full = True

        def deliver(self, message: bytes) -> Path:
            if self.is_full and b".posts@" in message:
                raise DeliveryFailedError("disk full")
            return super().deliver(message)

    outbox = FullOutbox(harness.folder / "outbox")
    harness.outbox = outbox
    subscribe(harness, "posts")
    harness.digest(W07)
    harness.approve(W07)
    with pytest.raises(DeliveryUncertainError, match="not yet its variant “posts”"):
        harness.send(W07)
    assert harness.store.editions.get("2026-W07").state == "sending"
    outbox.is_full = False
    assert harness.send(W07).state == "sent"
    assert len(list((harness.folder / "outbox").glob("*.eml"))) == 2


def test_a_proof_has_the_variants_attached(harness: PublicationHarness) -> None:
    """As messages, byte for byte, behind the text and the HTML; without variants it is as before."""
    subscribe(harness, "posts")
    subscribe(harness, "links")
    edition = draft(harness)
    proof = to_proof_eml(PUBLICATION, edition, "Hi\n", "<p>Hi</p>\n", sequence=1, now=harness.now)
    message = message_from_bytes(proof, policy=policy.default)
    assert not message.defects
    assert message["Auto-Submitted"] == "auto-generated"
    alternative, *attached = message.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_filename() for part in attached] == [f"{variant.name}.eml" for variant in edition.variants]
    assert all(part.get_content_type() == "message/rfc822" for part in attached)
    assert all(b"\r\n\r\n" + variant.eml + b"\r\n--" in proof for variant in edition.variants)
    assert b"\n" not in proof.replace(b"\r\n", b"")


def test_the_counted_links_of_variants_are_sealed_with_the_edition(harness: PublicationHarness) -> None:
    """An address has the same link in all of them; in the proof of a draft the attached ones have real addresses."""
    harness.context = replace(harness.context, counting_url="https://news.example")
    subscribe(harness, "posts")
    subscribe(harness, "links")
    mailer = FakeMailer()
    sender(harness, mailer).send(W07, now=harness.now)
    message = message_from_bytes(mailer.mails[0], policy=policy.default)
    attached = [part.get_content() for part in message.iter_attachments()]
    assert len(attached) == 2
    assert not any(b"news.example" in message.get_body(("html",)).get_content().encode() for message in attached)
    harness.digest(W07)
    harness.approve(W07)
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed
    urls = {link["url"]: link["tag"] for link in json.loads(sealed.edition.manifest)["counted_links"]}
    assert {POST.url, TIDES.url} <= urls.keys()
    for variant in sealed.edition.variants:
        html = message_from_bytes(variant.eml, policy=policy.default).get_body(("html",)).get_content()
        tags = re.findall(r"https://news\.example/to/2026-W07/([0-9a-f]{16})", html)
        assert len(tags) > 1
        assert all(harness.store.clicks.find("2026-W07", tag) for tag in tags)
        assert set(tags) <= set(urls.values())


def test_the_last_edition_of_a_month_has_its_best(harness: PublicationHarness) -> None:
    """The leads and stories in full of all its editions, the newest first, but no links; for monthly readers alone."""
    subscribe(harness, frequency="monthly")
    subscribe(harness, "links", frequency="monthly")
    harness.publish(W07)
    late = [entry(f"Late {number}", MONDAY + 8 * DAY + number * HOUR) for number in range(12)]
    harness.set_time(MONDAY + 9 * DAY).fetch(POST, PAIR[0], *late)
    edition = draft(harness.set_time_after_closing(W08), W08)
    assert [(variant.name, variant.subscribers) for variant in edition.variants] == [("monthly", 1)]
    shown = [story["title"] for story in json.loads(edition.manifest)["variants"][0]["stories"]]
    own = [story["title"] for story in json.loads(edition.manifest)["stories"] if story["level"] != "brief"]
    assert len(own) == 6
    assert shown[0] == own[0]
    assert set(shown) == {*own, POST.title, TALK.title, "Podcast – Ada Marsh – Salt"}
    assert variant_for(TOPICS, "monthly", shown_topics(edition)) == "monthly"
    assert variant_for(["links"], "monthly", shown_topics(edition)) is None
    harness.digest(W08)
    harness.approve(W08)
    harness.set_time(MONDAY + 30 * DAY)
    assert harness.workflow.rebuild(W08).changed_files == ()


def test_the_whole_is_the_default_view(harness: PublicationHarness) -> None:
    """A name that the edition does not have gives the whole."""
    subscribe(harness, "posts")
    edition = draft(harness)
    assert edition.as_variant("posts").html == edition.variants[0].html
    assert edition.as_variant(WHOLE.name) is edition.as_variant("../etc") is edition


def test_another_store_takes_over_the_variants(harness: PublicationHarness, tmp_path: Path) -> None:
    """A restored store learns them from the one that it replaces."""
    subscribe(harness, "posts")
    harness.publish(W07)
    sealed = harness.store.editions.sealed("2026-W07")
    with Store.open(f"sqlite:///{tmp_path / 'restored.db'}") as restored:
        harness.recovery.after_restore(restored, harness.store, now=harness.now)
        taken = restored.editions.sealed("2026-W07")
    assert sealed
    assert taken
    assert taken.edition.variants == sealed.edition.variants
