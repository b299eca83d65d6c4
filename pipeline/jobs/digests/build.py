"""The week's digest: choose, compose, render, write.

In: a store, what a digest is made with, a week, the moment. Out: an Edition and the files it became.
``draft`` and ``show`` only read; ``make`` writes the files, remembers which entries a closed week took, and keeps the
excerpts it had to make. Of a week that is sealed, the sealed bytes are shown and written, whatever has changed since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.digest.checks import preflight
from pipeline.digest.compose.compose import compose, excerpt_keys
from pipeline.digest.compose.excerpts import ExcerptCache
from pipeline.digest.compose.images import image_urls, with_image_sizes
from pipeline.digest.edition.diff import manifest_changes
from pipeline.digest.edition.seal import seal
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.translations import translator_for
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.episode_details import episode_detail_urls
from pipeline.jobs.digests.files import write_edition
from pipeline.jobs.digests.inputs import load_preflight_context
from pipeline.jobs.digests.related import ArchiveLookup
from pipeline.jobs.digests.selection import select_entries
from pipeline.model.digest import Digest, Edition
from pipeline.model.edition import EditionRecord, SealedEdition, refusal
from pipeline.model.errors import NothingToPublishError, PipelineError, RefusedError, ThinWeekError
from pipeline.model.week import Week
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDigest:
    """A digest that was written."""

    edition: Edition
    record: EditionRecord
    paths: tuple[Path, ...]
    editor_file: Path | None = None
    """The file for the editor's wishes, when it was written just now."""


def build_draft(store: Store, press: DigestContext, week: Week, *, now: datetime) -> tuple[Edition, Selection]:
    """Compose and render a week from the store as it is now, writing nothing.

    NothingToPublish when the week has no stories; TemplateError when the theme is broken.
    """
    selection = _enough(store, press, week, now)
    return build_edition(store, press, week, selection), selection


def _enough(store: Store, press: DigestContext, week: Week, now: datetime) -> Selection:
    """Choose what a week tells; NothingToPublish, or ThinWeek, when that is not enough."""
    selection = select_entries(store, press, week, now=now)
    if not selection.stories:
        raise NothingToPublishError(_why_empty(store, press, week, selection))
    if press.skip_thin_weeks and is_thin(press, selection):
        raise ThinWeekError(_why_thin(press, week, selection))
    return selection


def build_edition(
    store: Store, press: DigestContext, week: Week, selection: Selection, *, save_excerpts_at: datetime | None = None
) -> Edition:
    """Compose and render chosen entries; the same selection from the same store gives the same bytes.

    ``keep_at``: keep the excerpts that had to be made, as of this instant; without it nothing is written.
    """
    digest = compose_digest(store, press, week, selection, save_excerpts_at=save_excerpts_at)
    rendered = render(digest, press.theme)
    eml = to_eml(rendered, digest)
    facts = replace(load_preflight_context(store, digest, press.feeds), min_links=press.min_links)
    checks = preflight(digest, rendered, eml, facts)
    chosen = [each for group in selection.stories for each in group]
    marks = {(each.entry.feed_id, each.entry.guid): each.fingerprint for each in chosen}
    return seal(digest, rendered, eml, left_out=selection.left_out, checks=checks, fingerprints=marks)


def compose_digest(
    store: Store, press: DigestContext, week: Week, selection: Selection, *, save_excerpts_at: datetime | None = None
) -> Digest:
    """Compose chosen entries with what the store knows besides: older pieces, talks, excerpts, the sizes of pictures.

    ``keep_at``: as ``build_edition`` has it.
    """
    archive = ArchiveLookup.for_week(store, press.feeds, press.calendar, week, selection.overrides)
    excerpts = ExcerptCache(store.excerpts.get(excerpt_keys(selection.stories, press.feeds)))
    composed = compose(
        week,
        press.calendar.bounds(week),
        selection,
        publication=press.publication,
        feeds=press.feeds,
        overrides=selection.overrides,
        archive=archive.find(selection.stories, min_stories=press.min_stories),
        episode_details=store.episode_details(episode_detail_urls(selection.stories)),
        excerpts=excerpts,
        translator=translator_for(press.publication.language),
    )
    if save_excerpts_at and excerpts.new:
        store.excerpts.save(excerpts.new, now=save_excerpts_at)
    measured = with_image_sizes(composed, store.image_sizes(image_urls(composed)))
    return replace(measured, number=store.editions.number_for(str(week)))


def current_edition(store: Store, press: DigestContext, week: Week, *, now: datetime) -> Edition:
    """Give a week's edition as it would reach its readers: its sealed bytes, or a fresh draft."""
    standing, sealed = store.editions.get(str(week)), store.editions.sealed(str(week))
    if sealed and standing.is_sealed:
        return with_status(store, press, sealed, standing, now=now)
    return replace(build_draft(store, press, week, now=now)[0], state=standing.state)


def with_status(
    store: Store, press: DigestContext, sealed: SealedEdition, standing: EditionRecord, *, now: datetime
) -> Edition:
    """Give the sealed bytes with their state and, while there is something to be done about it, what changed since."""
    changes: tuple[str, ...] = ()
    if standing.state == "approved":
        changes = changes_since_approval(store, press, sealed, now=now)
    return replace(sealed.edition, state=standing.state, changes=changes)


def changes_since_approval(
    store: Store, press: DigestContext, sealed: SealedEdition, *, now: datetime
) -> tuple[str, ...]:
    """Say what is no longer as it was sealed; nothing when the draft would be the same."""
    try:
        fresh, _ = build_draft(store, press, Week.parse(sealed.edition.week), now=now)
    except PipelineError as trouble:
        return (f"a draft cannot be made now: {trouble}",)
    return manifest_changes(sealed.edition.manifest, fresh.manifest)


def write_digest(store: Store, press: DigestContext, week: Week, out: Path, *, now: datetime) -> WrittenDigest:
    """Write a week's digest under ``out`` and, once the week has closed, remember which entries it took.

    Refused when the week is held or was skipped.
    """
    standing, sealed = store.editions.get(str(week)), store.editions.sealed(str(week))
    if sealed and standing.is_sealed:
        edition = with_status(store, press, sealed, standing, now=now)
        return WrittenDigest(edition=edition, record=standing, paths=write_edition(edition, out / str(week), standing))
    if standing.state != "draft":
        raise RefusedError(refusal("approve", standing))
    closed = now >= press.calendar.bounds(week)[1]
    try:
        selection = _enough(store, press, week, now)
    except ThinWeekError:
        if closed:
            _roll_on(store, press, week, now)
        raise
    press.enrich(selection.stories, now)
    edition = build_edition(store, press, week, selection, save_excerpts_at=now)
    paths = write_edition(edition, out / edition.week)
    if closed:
        taken = [*selection.entry_ids, *selection.excluded_by_editor]
        store.close_week(edition.week, taken, now=now, carried_over=selection.carried_over)
        store.editions.link_duplicates(selection.published_elsewhere)
    offered = press.create_editor_file(edition, selection, out)
    return WrittenDigest(edition=edition, record=standing, paths=paths, editor_file=offered)


def write_sealed(store: Store, press: DigestContext, week: Week, out: Path, *, now: datetime) -> tuple[Path, ...]:
    """Write a week's newest seal under ``out``, and where it stands; nothing while there is none."""
    standing, sealed = store.editions.get(str(week)), store.editions.sealed(str(week))
    if sealed is None:
        return ()
    return write_edition(with_status(store, press, sealed, standing, now=now), out / str(week), standing)


def _roll_on(store: Store, press: DigestContext, week: Week, now: datetime) -> None:
    """Let a thin week give up what it has."""
    selection = select_entries(store, press, week, now=now)
    store.close_week(
        str(week), selection.excluded_by_editor, now=now, carried_over=[*selection.entry_ids, *selection.carried_over]
    )


def is_thin(press: DigestContext, selection: Selection) -> bool:
    """Tell whether a week has fewer posts and episodes than the publisher wants; an editor who puts one in decides."""
    links = press.link_feed_ids
    stories = [group for group in selection.stories if group[0].entry.feed_id not in links]
    return len(stories) < press.min_stories and not selection.overrides.put_back


def _why_thin(press: DigestContext, week: Week, selection: Selection) -> str:
    return (
        f"{week} is thin, with fewer than {press.min_stories} stories ([digest] min_entries), so it waits: what it "
        f"has goes into the next digest. Put an entry into {week}.md to publish it all the same."
    )


def _why_empty(store: Store, press: DigestContext, week: Week, selection: Selection) -> str:
    why = f"`pipeline digest --week {week} --explain` says why"
    if selection.too_new:
        return f"{week} has only entries that are still fresh and wait ([digest] settle_minutes); {why}."
    if selection.excluded_by_editor:
        return f"The editor leaves out every entry of {week}; {why}."
    opens_at, closes_at = press.calendar.bounds(week)
    home = [each for each in selection.left_out if opens_at <= each.published_at < closes_at]
    if any("in config.toml" in each.reason for each in home):
        return f"config.toml leaves out every entry of {week}; {why}."
    newest_at = store.newest_entry_at(press.feed_ids)
    if newest_at is None:
        return f"{week} has nothing to publish: no entries are stored yet; run `pipeline fetch` first."
    newest = press.calendar.week_of(newest_at)
    if newest == week:
        return f"{week} has no entries that are its own, so nothing was written; {why}."
    return f"{week} has no entries, so nothing was written; the newest week that has entries is {newest}."
