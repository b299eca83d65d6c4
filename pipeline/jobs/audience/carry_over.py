"""Bring a restored store up to date: people who left, were suppressed or erased since the backup stay so.

Nothing else is carried over, since a backup may be restored to undo it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.audience.addresses import address_key
from pipeline.audience.tokens import address_hash
from pipeline.model.subscriber import Subscriber
from pipeline.store import Store
from pipeline.text.format import pluralize

_SUPPRESSION = "suppression"
"""Purpose of the key that addresses are hashed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver:
    """How many people were kept from coming back."""

    left: int = 0
    suppressed: int = 0
    erased: int = 0

    @property
    def summary(self) -> str:
        """The counts in words; empty if there are none."""
        counts = ((self.left, "unsubscribed"), (self.suppressed, "suppressed"), (self.erased, "erased"))
        parts = [f"{pluralize(count, 'person', 'people')} {what}" for count, what in counts if count]
        return ", ".join(parts)


def carry_over(store: Store, previous: Store | None) -> CarriedOver:
    """Carry over what happened to people after the last change of a restored store, all or nothing.

    ``previous`` is the store that it replaces, None if that cannot be read. Nothing is carried over from the store of
    another publication, whose keys are other ones.
    """
    keys = previous.subscribers.signing_keys() if previous else {}
    own_keys = store.subscribers.signing_keys()
    if (
        previous is None
        or _SUPPRESSION not in keys
        or own_keys.get(_SUPPRESSION, keys[_SUPPRESSION]) != keys[_SUPPRESSION]
    ):
        return CarriedOver()
    with store.audience_transaction():
        since = store.subscription_events.changed_at()
        for purpose, key in keys.items():
            store.subscribers.signing_key(purpose, key)  # a key that the store has is kept
        erased = _erase(store, previous, keys[_SUPPRESSION], since)
        suppressions = previous.suppressions.since(since)
        store.suppressions.add_all(suppressions)
        left = sum(_end(store, previous, ended, since) for ended in previous.subscribers.ended_since(since))
    suppressed = sum(suppression.reason != "erased" for suppression in suppressions.values())
    return CarriedOver(left=left, suppressed=suppressed, erased=erased)


def _erase(store: Store, previous: Store, key: str, since: datetime | None) -> int:
    """Delete the people who were erased since an instant, and log that as it was; return how many there were."""
    hashes: set[str] = set()
    for at, actor, action, details in previous.subscription_events.logged():
        if action == "erase" and (since is None or at >= since):
            hashes.update(details["address_hash"].split())
            store.subscription_events.log(action, actor=actor, at=at, **details)
    if not hashes or since is None:
        return 0
    everybody = store.subscribers.iterate(since)
    erased = [one for one in everybody if address_hash(address_key(one.address), key) in hashes]
    for subscriber in erased:
        store.subscribers.delete(subscriber.id)
    return len(erased)


def _end(store: Store, previous: Store, ended: Subscriber, since: datetime | None) -> bool:
    """End the subscription of somebody who left or was suppressed; return whether they left.

    Somebody whom the store does not know yet is added as such, so that no import subscribes them.
    """
    number = _find(store, ended)
    known = store.subscribers.get(number) if number else None
    if known is None:
        new = replace(ended, requested=None, new_address="")
        known = store.subscribers.add_or_lock(new, address_key(ended.address))
    elif known.state == ended.state or known.changed_at > ended.changed_at:
        return False
    else:
        store.subscribers.save(replace(known, state=ended.state, changed_at=ended.changed_at, requested=None))
    events = [
        (known.id, event)
        for event in previous.subscription_events.of_subscriber(ended.id)
        if event.kind in ("left", "suppressed") and (since is None or event.at >= since)
    ]
    if events:
        store.subscription_events.add_all(events)
    return ended.state == "left"


def _find(store: Store, ended: Subscriber) -> int:
    """Return the number of the same person in a store, whose address may have changed since; 0 if there is none."""
    same = store.subscribers.get(ended.id)
    if same and same.created_at == ended.created_at:
        return same.id
    known = store.subscribers.find(address_key(ended.address))
    return known.id if known else 0
