"""Numbers of editions that were sent to subscribers, and of clicks on their links. Opens are not counted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.model.counted_link import LinkClicks
from pipeline.model.delivery import Dispatch, FailureReason
from pipeline.model.delivery_event import DeliveryEventKind
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionNumbers:
    """An edition that was sent, or is being sent, and what came back."""

    dispatch: Dispatch
    number: int | None = None
    """The number of the edition."""
    events: Mapping[DeliveryEventKind, int] = field(default_factory=dict)
    """From how many deliveries there was an event of each kind; ``delivered`` is reported by mail services alone."""
    left: int = 0
    """How many subscribers who got it have unsubscribed before the next one was sent; 0 of a correction."""
    corrections: tuple[EditionNumbers, ...] = ()
    """The same of its corrections."""

    @property
    def week(self) -> str:
        """The week of the edition."""
        return self.dispatch.week

    @property
    def begun_at(self) -> datetime:
        """When its recipients were decided."""
        return self.dispatch.frozen_at

    @property
    def sent(self) -> int:
        """The number of messages that were accepted."""
        return self.dispatch.counts.get("sent", 0)

    @property
    def figures(self) -> dict[str, int]:
        """The numbers by their names, in the order of events; without ``delivered`` if nobody reports that."""
        names: tuple[DeliveryEventKind, ...] = ("delivered", "bounced", "complained")
        came_back: dict[str, int] = {name: self.events.get(name, 0) for name in names}
        if not came_back["delivered"]:
            del came_back["delivered"]
        left = {} if self.dispatch.correction else {"left": self.left}
        return {"sent": self.sent, **came_back, **left}

    @property
    def dispatches(self) -> tuple[Dispatch, ...]:
        """Its dispatch, and those of its corrections."""
        return (self.dispatch, *(correction.dispatch for correction in self.corrections))

    @property
    def uncertain(self) -> int:
        """The number of uncertain deliveries, those of its corrections included."""
        return sum(dispatch.counts.get("uncertain", 0) for dispatch in self.dispatches)

    def failed(self, reasons: Collection[FailureReason]) -> int:
        """Return the number of deliveries that failed for these reasons, those of its corrections included."""
        return sum(dispatch.failures.get(reason, 0) for dispatch in self.dispatches for reason in reasons)


def load_numbers(store: Store, dispatch: Dispatch) -> EditionNumbers:
    """Return the numbers of an edition, by its dispatch."""
    corrections = [one for one in store.dispatches.of_week(dispatch.week) if one.correction]
    return EditionNumbers(
        dispatch=dispatch,
        number=store.editions.get(dispatch.week).number,
        events=store.delivery_events.counts(*dispatch.key),
        left=store.delivery_events.left(dispatch.week),
        corrections=tuple(
            EditionNumbers(dispatch=one, events=store.delivery_events.counts(*one.key)) for one in corrections
        ),
    )


def load_newest_numbers(store: Store, max_editions: int) -> Sequence[EditionNumbers]:
    """Return the numbers of the newest editions, the newest first."""
    return [load_numbers(store, dispatch) for dispatch in store.dispatches.newest(max_editions)]


def load_link_clicks(store: Store, week: str) -> tuple[LinkClicks, ...]:
    """Return the counted links of an edition, those that were followed most first; none if they were not counted.

    Its corrections have the same links, and perhaps more. Links of an earlier seal are among them if somebody followed
    them.
    """
    clicks = store.clicks.counts(week)
    corrections = [store.corrections.sealed(*one.key) for one in store.corrections.of_week(week)] if clicks else []
    sealed = [store.editions.sealed(week), *corrections] if clicks else []
    manifests = [json.loads(one.edition.manifest) for one in sealed if one]
    titles = {url: title for manifest in manifests for url, title in _titles(manifest).items()}
    current = {link["url"] for manifest in manifests for link in manifest.get("counted_links", ())}
    links = [
        LinkClicks(url=url, clicks=number, title=titles.get(url, ""))
        for url, number in clicks.items()
        if number or url in current
    ]
    return tuple(sorted(links, key=lambda link: (-link.clicks, link.title, link.url)))


def _titles(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the titles of the stories, their entries and related entries in a manifest, by URL."""
    stories = [*manifest.get("archive", ()), *manifest.get("stories", ())]
    stories += [story for variant in manifest.get("variants", ()) for story in variant["stories"]]
    parts = [part for story in stories for key in ("related", "entries") for part in story.get(key, ())]
    return {part["url"]: part["title"] for part in (*parts, *stories) if part.get("title")}
