"""The week's digest: gather its entries, choose, compose, render, freeze, write.

In: a store, what a digest is made with, a week. Out: an Edition and the files it became.
``draft`` only reads; ``make`` writes the files and remembers that the week was made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.digest.checks import preflight
from pipeline.digest.compose import compose
from pipeline.digest.mime import to_eml
from pipeline.digest.render import Theme, render
from pipeline.digest.seal import seal
from pipeline.digest.select import Calendar, Selection, select
from pipeline.jobs.facts import known
from pipeline.model.digest import Decision, Edition, Publication
from pipeline.model.entry import StoredEntry
from pipeline.model.errors import NothingToPublish
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store

NEIGHBOURHOOD = timedelta(days=14)
"""How far around a week its stories' other halves are looked for."""
_BEGINNING, _END = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What every digest of a publication is made with."""

    publication: Publication
    feeds: tuple[Feed, ...]
    clock: WeekClock
    theme: Theme

    @property
    def feed_ids(self) -> list[str]:
        """The feeds that count; what is stored of others is not looked at."""
        return [feed.id for feed in self.feeds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A digest that was written."""

    edition: Edition
    decisions: tuple[Decision, ...]
    paths: tuple[Path, ...]


def draft(store: Store, press: Press, week: Week) -> tuple[Edition, Selection]:
    """Compose and render a week from the store, writing nothing.

    NothingToPublish when the week has no stories; TemplateError when the theme is broken.
    """
    selection = choose(store, press, week)
    if not selection.groups:
        raise NothingToPublish(_why_empty(store, press, week, selection))
    digest = compose(week, press.clock.bounds(week), selection, publication=press.publication, feeds=press.feeds)
    rendered = render(digest, press.theme)
    eml = to_eml(rendered, digest)
    checks = preflight(digest, rendered, eml, known(store, digest, press.feed_ids))
    return seal(digest, rendered, eml, left_out=selection.left_out, checks=checks), selection


def make(store: Store, press: Press, week: Week, out: Path, *, now: datetime) -> Made:
    """Write a week's digest under ``out`` and, once the week has closed, remember which entries it took."""
    edition, selection = draft(store, press, week)
    paths = write_edition(edition, out / edition.week)
    if now >= press.clock.bounds(week)[1]:
        store.settle_week(edition.week, selection.entry_ids, now=now)
    return Made(edition=edition, decisions=selection.decisions, paths=paths)


def choose(store: Store, press: Press, week: Week) -> Selection:
    """Choose a week's entries from what lies around it."""
    calendar = Calendar(clock=press.clock, settled=store.settled_weeks())
    return select(week, _candidates(store, press, week), calendar, press.feeds)


def explain(store: Store, press: Press, week: Week, *, most: int = 2_000) -> tuple[Decision, ...]:
    """Account for every entry of the feeds; when there are more than ``most``, for those around the week."""
    calendar = Calendar(clock=press.clock, settled=store.settled_weeks())
    candidates = _candidates(store, press, week)
    if sum(count.entries for feed, count in store.feed_counts().items() if feed in press.feed_ids) <= most:
        known = {each.entry_id for each in candidates}
        everything = store.entries_between(_BEGINNING, _END, press.feed_ids)
        candidates += [each for each in everything if each.entry_id not in known]
    return select(week, candidates, calendar, press.feeds).decisions


def write_edition(edition: Edition, folder: Path) -> tuple[Path, ...]:
    """Write an edition's four files, each whole or not at all, the manifest last."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "digest.html": edition.html,
        "digest.txt": edition.text,
        "digest.eml": edition.eml,
        "manifest.json": edition.manifest,
    }
    for name, part in parts.items():
        fresh = folder / f".{name}.new"
        fresh.write_bytes(part)
        os.replace(fresh, folder / name)
    return tuple(folder / name for name in parts)


def _candidates(store: Store, press: Press, week: Week) -> list[StoredEntry]:
    opens_at, closes_at = press.clock.bounds(week)
    start, end = opens_at - NEIGHBOURHOOD, closes_at + NEIGHBOURHOOD
    found: Sequence[StoredEntry] = [
        *store.entries_between(start, end, press.feed_ids),
        *store.unplaced_late(press.feed_ids, before=start),
        *store.entries_of_week(str(week)),
    ]
    return list({each.entry_id: each for each in found if each.entry.feed_id in press.feed_ids}.values())


def _why_empty(store: Store, press: Press, week: Week, selection: Selection) -> str:
    opens_at, closes_at = press.clock.bounds(week)
    if any(
        opens_at <= each.published_at < closes_at and "in config.toml" in each.reason for each in selection.left_out
    ):
        return f"config.toml leaves out every entry of {week}; `pipeline digest --week {week} --explain` says why."
    newest_at = store.newest_entry_at(press.feed_ids)
    if newest_at is None:
        return f"{week} has nothing to publish: no entries are stored yet; run `pipeline fetch` first."
    newest = press.clock.week_of(newest_at)
    return f"{week} has no entries, so nothing was written; the newest week that has entries is {newest}."
