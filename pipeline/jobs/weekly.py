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
from pipeline.digest.compose import compose, excerpt_keys
from pipeline.digest.differences import differences
from pipeline.digest.excerpts import Excerpts
from pipeline.digest.language import voice_of
from pipeline.digest.mime import to_eml
from pipeline.digest.render import render
from pipeline.digest.seal import seal
from pipeline.digest.select import Selection
from pipeline.digest.sizes import picture_urls, sized
from pipeline.jobs.facts import known
from pipeline.jobs.files import write_edition
from pipeline.jobs.gather import choose
from pipeline.jobs.look_back import Archive
from pipeline.jobs.press import Press
from pipeline.jobs.talks import talk_urls
from pipeline.model.digest import Digest, Edition
from pipeline.model.edition import Sealed, Standing, why_not
from pipeline.model.errors import NothingToPublish, PipelineError, Refused, ThinWeek
from pipeline.model.week import Week
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A digest that was written."""

    edition: Edition
    standing: Standing
    paths: tuple[Path, ...]
    editor_file: Path | None = None
    """The file for the editor's wishes, when it was written just now."""


def draft(store: Store, press: Press, week: Week, *, now: datetime) -> tuple[Edition, Selection]:
    """Compose and render a week from the store as it is now, writing nothing.

    NothingToPublish when the week has no stories; TemplateError when the theme is broken.
    """
    selection = _enough(store, press, week, now)
    return compile_edition(store, press, week, selection), selection


def _enough(store: Store, press: Press, week: Week, now: datetime) -> Selection:
    """Choose what a week tells; NothingToPublish, or ThinWeek, when that is not enough."""
    selection = choose(store, press, week, now=now)
    if not selection.groups:
        raise NothingToPublish(_why_empty(store, press, week, selection))
    if press.thin_week_waits and is_thin(press, selection):
        raise ThinWeek(_why_thin(press, week, selection))
    return selection


def compile_edition(
    store: Store, press: Press, week: Week, selection: Selection, *, keep_at: datetime | None = None
) -> Edition:
    """Compose and render chosen entries; the same selection from the same store gives the same bytes.

    ``keep_at``: keep the excerpts that had to be made, as of this instant; without it nothing is written.
    """
    digest = compose_digest(store, press, week, selection, keep_at=keep_at)
    rendered = render(digest, press.theme)
    eml = to_eml(rendered, digest)
    facts = replace(known(store, digest, press.feeds), links_fewest=press.links_fewest)
    checks = preflight(digest, rendered, eml, facts)
    chosen = [each for group in selection.groups for each in group]
    marks = {(each.entry.feed_id, each.entry.guid): each.fingerprint for each in chosen}
    return seal(digest, rendered, eml, left_out=selection.left_out, checks=checks, fingerprints=marks)


def compose_digest(
    store: Store, press: Press, week: Week, selection: Selection, *, keep_at: datetime | None = None
) -> Digest:
    """Compose chosen entries with what the store knows besides: older pieces, talks, excerpts, the sizes of pictures.

    ``keep_at``: as ``compile_edition`` has it.
    """
    archive = Archive.of(store, press.feeds, press.clock, week, selection.overrides)
    excerpts = Excerpts(store.excerpts.known(excerpt_keys(selection.groups, press.feeds)))
    composed = compose(
        week,
        press.clock.bounds(week),
        selection,
        publication=press.publication,
        feeds=press.feeds,
        overrides=selection.overrides,
        older=archive.look_back(selection.groups, wanted=press.stories_fewest),
        talks=store.talks(talk_urls(selection.groups)),
        excerpts=excerpts,
        voice=voice_of(press.publication.language),
    )
    if keep_at and excerpts.made:
        store.excerpts.keep(excerpts.made, now=keep_at)
    measured = sized(composed, store.pictures(picture_urls(composed)))
    return replace(measured, number=store.editions.number_for(str(week)))


def show(store: Store, press: Press, week: Week, *, now: datetime) -> Edition:
    """Give a week's edition as it would reach its readers: its sealed bytes, or a fresh draft."""
    standing, sealed = store.editions.standing(str(week)), store.editions.sealed(str(week))
    if sealed and standing.sealed:
        return as_it_stands(store, press, sealed, standing, now=now)
    return replace(draft(store, press, week, now=now)[0], state=standing.state)


def as_it_stands(store: Store, press: Press, sealed: Sealed, standing: Standing, *, now: datetime) -> Edition:
    """Give the sealed bytes with their state and, while there is something to be done about it, what changed since."""
    changes: tuple[str, ...] = ()
    if standing.state == "approved":
        changes = changed_since(store, press, sealed, now=now)
    return replace(sealed.edition, state=standing.state, changes=changes)


def changed_since(store: Store, press: Press, sealed: Sealed, *, now: datetime) -> tuple[str, ...]:
    """Say what is no longer as it was sealed; nothing when the draft would be the same."""
    try:
        fresh, _ = draft(store, press, Week.parse(sealed.edition.week), now=now)
    except PipelineError as trouble:
        return (f"a draft cannot be made now: {trouble}",)
    return differences(sealed.edition.manifest, fresh.manifest)


def make(store: Store, press: Press, week: Week, out: Path, *, now: datetime) -> Made:
    """Write a week's digest under ``out`` and, once the week has closed, remember which entries it took.

    Refused when the week is held or was skipped.
    """
    standing, sealed = store.editions.standing(str(week)), store.editions.sealed(str(week))
    if sealed and standing.sealed:
        edition = as_it_stands(store, press, sealed, standing, now=now)
        return Made(edition=edition, standing=standing, paths=write_edition(edition, out / str(week), standing))
    if standing.state != "draft":
        raise Refused(why_not("approve", standing))
    closed = now >= press.clock.bounds(week)[1]
    try:
        selection = _enough(store, press, week, now)
    except ThinWeek:
        if closed:
            _roll_on(store, press, week, now)
        raise
    press.learns(selection.groups, now)
    edition = compile_edition(store, press, week, selection, keep_at=now)
    paths = write_edition(edition, out / edition.week)
    if closed:
        taken = [*selection.entry_ids, *selection.kept_out]
        store.settle_week(edition.week, taken, now=now, rolled_on=selection.rolled_on)
        store.editions.bind_halves(selection.told)
    offered = press.offers(edition, selection, out)
    return Made(edition=edition, standing=standing, paths=paths, editor_file=offered)


def lay_out(store: Store, press: Press, week: Week, out: Path, *, now: datetime) -> tuple[Path, ...]:
    """Write a week's newest seal under ``out``, and where it stands; nothing while there is none."""
    standing, sealed = store.editions.standing(str(week)), store.editions.sealed(str(week))
    if sealed is None:
        return ()
    return write_edition(as_it_stands(store, press, sealed, standing, now=now), out / str(week), standing)


def _roll_on(store: Store, press: Press, week: Week, now: datetime) -> None:
    """Let a thin week give up what it has."""
    selection = choose(store, press, week, now=now)
    store.settle_week(str(week), selection.kept_out, now=now, rolled_on=[*selection.entry_ids, *selection.rolled_on])


def is_thin(press: Press, selection: Selection) -> bool:
    """Tell whether a week has fewer posts and episodes than the publisher wants; an editor who puts one in decides."""
    links = press.link_feed_ids
    stories = [group for group in selection.groups if group[0].entry.feed_id not in links]
    return len(stories) < press.stories_fewest and not selection.overrides.put_back


def _why_thin(press: Press, week: Week, selection: Selection) -> str:
    return (
        f"{week} is thin, with fewer than {press.stories_fewest} stories ([digest] min_entries), so it waits: what it "
        f"has goes into the next digest. Put an entry into {week}.md to publish it all the same."
    )


def _why_empty(store: Store, press: Press, week: Week, selection: Selection) -> str:
    why = f"`pipeline digest --week {week} --explain` says why"
    if selection.waiting:
        return f"{week} has only entries that are still fresh and wait ([digest] settle_minutes); {why}."
    if selection.kept_out:
        return f"The editor leaves out every entry of {week}; {why}."
    opens_at, closes_at = press.clock.bounds(week)
    home = [each for each in selection.left_out if opens_at <= each.published_at < closes_at]
    if any("in config.toml" in each.reason for each in home):
        return f"config.toml leaves out every entry of {week}; {why}."
    newest_at = store.newest_entry_at(press.feed_ids)
    if newest_at is None:
        return f"{week} has nothing to publish: no entries are stored yet; run `pipeline fetch` first."
    newest = press.clock.week_of(newest_at)
    if newest == week:
        return f"{week} has no entries that are its own, so nothing was written; {why}."
    return f"{week} has no entries, so nothing was written; the newest week that has entries is {newest}."
