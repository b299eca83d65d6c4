"""The recipients of an edition that is not sent yet: who would get which variant, and why others get nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.audience.variants import Sealed, count_subscribers, make_key, variant_for
from pipeline.digest.edition.variants import shown_topics
from pipeline.model.digest import Edition
from pipeline.model.subscriber import DISPLAY_STATES, Subscriber
from pipeline.model.variant import VariantKey
from pipeline.store import Store

NO_VARIANT = "the edition has nothing that they want"
HAS_GOT = "has got it already"
HAS_FAILED = "the delivery to them has failed"
NOT_GOT = "did not get the edition"
"""Of a correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """A subscriber, and the variant they would get, or the reason why they get none."""

    subscriber: Subscriber
    variant: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientCounts:
    """How many subscribers would get each variant, and how many nothing, by reason; neither names a number of 0."""

    variants: Mapping[str, int]
    left_out: Mapping[str, int]

    @property
    def total(self) -> int:
        """The number of those who would get the edition."""
        return sum(self.variants.values())


def plan_delivery(subscriber: Subscriber, shown: Sealed, now: datetime) -> PlannedDelivery:
    """Return what a subscriber would get of an edition; ``shown`` are its ``shown_topics``."""
    state, variant = subscriber.display_state(now), None
    if state == "active":
        variant = variant_for(subscriber.preferences.topics, subscriber.preferences.frequency, shown)
    reason = "" if variant else NO_VARIANT if state == "active" else state
    return PlannedDelivery(subscriber=subscriber, variant=variant or "", reason=reason)


def count_recipients(store: Store, edition: Edition, now: datetime) -> RecipientCounts:
    """Return the numbers of ``plan_delivery`` over all subscribers, from counts alone: there may be a million."""
    wanted: Counter[VariantKey] = Counter()
    for (topics, frequency), number in store.subscribers.wanted(now).items():
        wanted[make_key(topics, frequency)] += number
    variants = count_subscribers(wanted, shown_topics(edition))
    states = store.subscribers.counts(now)
    left_out = {NO_VARIANT: wanted.total() - sum(variants.values())}
    left_out |= {state: states[state] for state in DISPLAY_STATES if state != "active"}
    return RecipientCounts(
        variants=dict(sorted(variants.items(), key=lambda pair: (-pair[1], pair[0]))),
        left_out={reason: number for reason, number in left_out.items() if number},
    )
