"""Inputs of an edition's variants: the stories of some topics, or the best of a month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.digest.compose.archive import ArchiveContent
from pipeline.digest.compose.compose import DigestInputs
from pipeline.digest.edition.variants import TOPICS_OF
from pipeline.digest.selection.select import Selection, StoryEntries
from pipeline.model.digest import Digest, Story, StoryKind
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.variant import VariantKey

MAX_MONTHLY = 10
"""Stories in the best of a month."""


def variant_inputs(inputs: DigestInputs, whole: Digest, key: VariantKey) -> DigestInputs | None:
    """Return what a variant is composed from; None if it would have no story, or all those of the whole edition."""
    if key.frequency == "monthly":
        return _monthly_inputs(inputs, whole, key)
    shown = [story for story in whole.stories if _is_wanted(story.kind, key)]
    if len(shown) in (0, len(whole.stories)):
        return None
    identities = {_identity(entry) for story in shown for entry in story.entries}
    selection, overrides = inputs.selection, inputs.selection.overrides
    if _lead(shown) != _lead(whole.stories):  # the editor wrote them about the lead
        overrides = replace(overrides, subject="", preheader="")
    if "links" not in key.topics:
        overrides = replace(overrides, links=())
    archive = inputs.archive
    return replace(
        inputs,
        selection=replace(
            selection,
            stories=tuple(story for story in selection.stories if _identity(story[0].entry) in identities),
            overrides=overrides,
        ),
        archive=replace(archive, year_ago=_of_topics(archive.year_ago, key), filler=_of_topics(archive.filler, key)),
    )


def _monthly_inputs(inputs: DigestInputs, whole: Digest, key: VariantKey) -> DigestInputs | None:
    """Return the stories of this edition that are more than briefs, then those of the month's earlier editions."""
    own = {_identity(story[0].entry): story for story in inputs.selection.stories}
    best: list[tuple[StoryKind, StoryEntries]] = []
    for story in whole.stories:
        entries = next((own[identity] for identity in map(_identity, story.entries) if identity in own), None)
        if entries and story.level != "brief":
            best.append((story.kind, entries))
    month = inputs.archive.month
    stories = [entries for kind, entries in (*best, *month.stories) if _is_wanted(kind, key)][:MAX_MONTHLY]
    if not stories:
        return None
    order = tuple(f"{story[0].entry.feed_id} {story[0].entry.guid}" for story in stories)
    notes = {**month.notes, **inputs.selection.overrides.notes}
    return replace(
        inputs,
        opens_at=month.opens_at or inputs.opens_at,
        selection=Selection(stories=tuple(stories), decisions=(), overrides=Overrides(order=order, notes=notes)),
        archive=ArchiveContent(),
    )


def _is_wanted(kind: StoryKind, key: VariantKey) -> bool:
    return any(topic in key.topics for topic in TOPICS_OF[kind])


def _of_topics(entries: tuple[StoredEntry, ...], key: VariantKey) -> tuple[StoredEntry, ...]:
    """Return those among older posts and episodes that have a topic of a variant."""
    return tuple(one for one in entries if ("episodes" if one.entry.is_episode else "posts") in key.topics)


def _lead(stories: Iterable[Story]) -> tuple[str, str] | None:
    return next((_identity(story.entries[0]) for story in stories if story.level == "lead"), None)


def _identity(entry: Entry) -> tuple[str, str]:
    return entry.feed_id, entry.guid
