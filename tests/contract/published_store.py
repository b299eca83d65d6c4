"""What the tests of the data's care are made of: a publication that has lived through a week."""

from __future__ import annotations

from datetime import timedelta

from store_factories import DAY, MONDAY, NOW

from pipeline.store import Store
from tests.factories import entry, episode
from tests.publication import W07, PublicationHarness

LATER = NOW + 800 * DAY
TWO_YEARS = timedelta(days=732)


def published(house: PublicationHarness) -> PublicationHarness:
    """Let a publication live through a week: an old post, a few new ones, an episode, an edition that is sent."""
    old = entry("An old post", MONDAY - 90 * DAY, body_html="<p>Old.</p>")
    new = [entry(f"Bread {n}: ‘Grüße’ \x7f 🍞", MONDAY + n * DAY, body_html="<p>1\n2</p>") for n in range(3)]
    house.fetch(old)
    house.fetch(feed="podcast")
    house.set_time(MONDAY + 4 * DAY).fetch(*new, old)
    house.fetch(episode("Émile", MONDAY + DAY), feed="podcast")
    house.set_time_after_closing(W07).publish(W07)
    return house


def bodies(store: Store, ids: list[int]) -> dict[int, str]:
    """The texts of entries, by id."""
    return {each.entry_id: each.entry.body_html for each in store.entries.by_id(ids)}
