"""Plan which variants an edition is built with, and load the best of a month for them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.audience.variants import choose_variants, count_subscribers, explain_variants, make_key
from pipeline.digest.build import BuiltEdition, ComposedEdition, seal_edition
from pipeline.digest.compose.archive import NO_MONTH, MonthContent
from pipeline.digest.edition.variants import variant_stories
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.furniture import FurnitureRemover, Stories
from pipeline.model.check import CheckResult
from pipeline.model.digest import Edition, StoryKind
from pipeline.model.edition import SealedEdition
from pipeline.model.entry import StoredEntry
from pipeline.model.variant import VariantKey
from pipeline.model.week import Week
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlan:
    """The variants to build with an edition."""

    keys: tuple[VariantKey, ...] = ()
    wanted: Mapping[VariantKey, int] = field(default_factory=dict)
    """How many active subscribers want each."""
    ends_month: bool = False
    """Whether it is the last edition of its month."""
    sealed_stories: Collection[tuple[str, str]] | None = None
    """Of a sealed edition: the entries of its variants, by feed id and GUID."""

    @classmethod
    def of_subscribers(cls, store: Store, context: DigestContext, week: Week, *, now: datetime) -> VariantPlan:
        """Return the variants that active subscribers want."""
        wanted: dict[VariantKey, int] = {}
        for (topics, frequency), number in store.subscribers.wanted(now).items():
            key = make_key(topics, frequency)
            wanted[key] = wanted.get(key, 0) + number
        ends_month = context.calendar.weeks_of_month(week)[-1] == week
        return cls(keys=choose_variants(wanted, with_monthly=ends_month), wanted=wanted, ends_month=ends_month)

    @classmethod
    def of_sealed(cls, edition: Edition) -> VariantPlan:
        """Return the variants that an edition was sealed with."""
        keys = tuple(variant.key for variant in edition.variants)
        return cls(keys=keys, sealed_stories=variant_stories(edition.manifest))

    def load_month(self, store: Store, context: DigestContext, week: Week) -> MonthContent:
        """Return the best of the month's earlier sealed editions, if a variant shows it."""
        if all(key.frequency != "monthly" for key in self.keys):
            return NO_MONTH
        weeks = [other for other in context.calendar.weeks_of_month(week) if other <= week]
        stories: list[tuple[StoryKind, tuple[StoredEntry, ...]]] = []
        notes: dict[str, str] = {}
        for earlier in reversed(weeks[:-1]):
            sealed = store.editions.sealed(str(earlier))
            if sealed and store.editions.get(str(earlier)).is_sealed:
                kinds, of_week = self._best_of(store, sealed)
                furniture = FurnitureRemover(store, earlier, context.calendar)
                stories += zip(kinds, furniture.clean(of_week), strict=True)
                notes = {**sealed.overrides.notes, **notes}
        return MonthContent(opens_at=context.calendar.bounds(weeks[0])[0], stories=tuple(stories), notes=notes)

    def seal(self, composed: ComposedEdition) -> BuiltEdition:
        """Return a composed edition as a draft, with the number of subscribers who get each variant."""
        shown = composed.shown_topics
        explanations = explain_variants(self.wanted, self.keys, shown, with_monthly=self.ends_month)
        return seal_edition(
            composed,
            subscribers=count_subscribers(self.wanted, shown),
            more_checks=[
                CheckResult(name="variants", level="hint", message=message, where="variants", fix_target="stories")
                for message in explanations
            ],
        )

    def _best_of(self, store: Store, sealed: SealedEdition) -> tuple[list[StoryKind], Stories]:
        """Return the kinds and the entries of a sealed edition's lead and stories in full, in reading order."""
        known = {(one.entry.feed_id, one.entry.guid): one for one in store.entries.by_id(sealed.entry_ids)}
        kinds, stories = [], []
        for story in json.loads(sealed.edition.manifest)["stories"]:
            identities = [(entry["feed_id"], entry["guid"]) for entry in story["entries"]]
            entries = tuple(known[identity] for identity in identities if identity in known)
            if entries and story["level"] != "brief" and self._may_show(identities):
                kinds.append(story["kind"])
                stories.append(entries)
        return kinds, tuple(stories)

    def _may_show(self, identities: Collection[tuple[str, str]]) -> bool:
        return self.sealed_stories is None or any(identity in self.sealed_stories for identity in identities)
