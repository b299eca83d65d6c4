"""Load what an edition is built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.digest.compose.archive import NO_MONTH, MonthContent
from pipeline.digest.compose.compose import DigestInputs, excerpt_keys
from pipeline.digest.compose.episodes import quotable_words
from pipeline.digest.compose.images import image_urls
from pipeline.digest.render.translations import translator_for
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.enrich import episode_detail_urls
from pipeline.jobs.digests.furniture import FurnitureRemover
from pipeline.jobs.digests.related import archive_rarity, load_archive_content
from pipeline.model.check import PossibleRepeat, PreflightContext, StaleFeed
from pipeline.model.entry import Picture
from pipeline.model.feed import Channel, Feed
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.picture_references import find_references

STALE_AFTER = timedelta(days=28)
"""A feed without a new entry for this long is reported by preflight."""
REPEAT_WINDOW_WEEKS = 52
"""Preflight reports links that an edition of the last year has published already."""


def load_inputs(
    store: Store, context: DigestContext, week: Week, selection: Selection, month: MonthContent = NO_MONTH
) -> DigestInputs:
    """Return everything the edition of a week and its variants are built from, without what feeds repeat.

    All of it is one state of the store. Nothing that is fetched after the week has closed changes what is returned.
    """
    with store.snapshot():
        return _load(store, context, week, selection, month)


def _load(store: Store, context: DigestContext, week: Week, selection: Selection, month: MonthContent) -> DigestInputs:
    opens_at, closes_at = context.calendar.bounds(week)
    furniture = FurnitureRemover(store, week, context.calendar)
    selection = replace(selection, stories=furniture.clean(selection.stories))
    archive = load_archive_content(store, context, week, selection)
    year_ago, filler = furniture.clean((archive.year_ago, archive.filler))
    archive = replace(archive, year_ago=year_ago, filler=filler, month=month)
    stories = [*selection.stories, *(entries for _, entries in month.stories)]
    entries = [*stories, *((stored,) for stored in (*archive.year_ago, *archive.filler))]
    details = store.media.episode_details(episode_detail_urls(stories))
    channels = {feed_id: state.channel for feed_id, state in store.feeds.states().items()}
    icons, closed_at = _icons(channels), store.weeks.closed().get(str(week))
    own_pictures = [*context.publication.image_urls, *selection.overrides.picture_urls]
    return DigestInputs(
        week=week,
        opens_at=opens_at,
        closes_at=closes_at,
        number=store.editions.number_for(str(week)),
        publication=context.publication,
        feeds=context.feeds,
        selection=selection,
        archive=archive,
        feed_titles={feed_id: channel.title for feed_id, channel in channels.items()},
        episode_details=details,
        rarity=archive_rarity(store, quotable_words(details.values()), first_seen_by=closed_at),
        covers=_covers(channels),
        icons=icons,
        excerpts=store.excerpts.get(excerpt_keys(entries, context.feeds)),
        image_sizes=store.media.image_sizes(
            image_urls(entries, [*own_pictures, *(icon.url for icon in icons.values())])
        ),
        blocks=context.blocks,
        previous_url=_previous_url(store, context, week),
        pictures=context.read_pictures(_picture_references(selection, month)),
        preflight=replace(
            load_preflight_context(store, context.feeds, week, closes_at, min_links=context.min_links),
            possible_repeats=_possible_repeats(selection),
        ),
        translator=translator_for(context.publication.language),
    )


def _possible_repeats(selection: Selection) -> tuple[PossibleRepeat, ...]:
    return tuple(
        PossibleRepeat(feed_id=one.feed_id, guid=one.guid, title=one.title, reason=one.reason)
        for one in selection.possible_repeats
    )


def _previous_url(store: Store, context: DigestContext, week: Week) -> str:
    previous = store.editions.sent_before(str(week)) if context.public_url else None
    return f"{context.public_url}/archive/{previous}" if previous else ""


def _picture_references(selection: Selection, month: MonthContent) -> tuple[str, ...]:
    """Return the references of the uploaded pictures in what the editor wrote."""
    overrides = selection.overrides
    texts = (overrides.introduction_md, *overrides.notes.values(), *overrides.picture_urls, *month.notes.values())
    return find_references(texts)


def _covers(channels: Mapping[str, Channel]) -> dict[str, Picture]:
    """Return the picture of each feed that states one."""
    pictures = {feed_id: Picture(url=one.picture_url, alt=one.title) for feed_id, one in channels.items()}
    return {feed_id: picture for feed_id, picture in pictures.items() if picture.url}


def _icons(channels: Mapping[str, Channel]) -> dict[str, Picture]:
    """Return the icon, or else the picture, of each feed that states one."""
    urls = {feed_id: channel.icon_url or channel.picture_url for feed_id, channel in channels.items()}
    return {feed_id: Picture(url=url) for feed_id, url in urls.items() if url}


def load_preflight_context(
    store: Store, feeds: Sequence[Feed], week: Week, closes_at: datetime, *, min_links: int
) -> PreflightContext:
    """Return what preflight compares a week's edition with: published URLs and stale feeds."""
    earlier = [str(week.next(-weeks)) for weeks in range(1, REPEAT_WINDOW_WEEKS + 1)]
    fetched = [feed.id for feed in feeds if feed.url]  # links added by hand belong to a feed without a URL
    newest = store.entries.newest_at_by_feed(fetched, closes_at)
    stale_before = closes_at - STALE_AFTER
    return PreflightContext(
        published_urls=store.entries.published_urls(earlier),
        stale_feeds=tuple(
            StaleFeed(feed_id=feed_id, newest_at=newest_at)
            for feed_id in fetched
            if (newest_at := newest.get(feed_id)) is None or newest_at < stale_before
        ),
        min_links=min_links,
    )
