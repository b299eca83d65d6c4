"""A publication that has publish_week an edition, for tests of maintenance."""

from __future__ import annotations

from datetime import timedelta

from store_factories import DAY, MONDAY, NOW

from pipeline.store import Store
from tests.factories import entry, episode
from tests.publication import W07, PublicationHarness

LATER = NOW + 800 * DAY
TWO_YEARS = timedelta(days=732)


def publish_week(publication: PublicationHarness) -> PublicationHarness:
    """Fetch an old post, a few new ones and an episode, and send an edition of them."""
    old = entry("An old post", MONDAY - 90 * DAY, body_html="<p>Old.</p>")
    new = [entry(f"Bread {n}: ‘Grüße’ \x7f 🍞", MONDAY + n * DAY, body_html="<p>1\n2</p>") for n in range(3)]
    publication.fetch(old)
    publication.fetch(feed="podcast")
    publication.set_time(MONDAY + 4 * DAY).fetch(*new, old)
    publication.fetch(episode("Émile", MONDAY + DAY), feed="podcast")
    publication.set_time_after_closing(W07).publish(W07)
    return publication


def bodies(store: Store, ids: list[int]) -> dict[int, str]:
    """Return the bodies of entries, by id."""
    return {stored.entry_id: stored.entry.body_html for stored in store.entries.by_id(ids)}
