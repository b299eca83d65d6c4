"""Find out what a digest wants to know of the world: what its episodes are about, how large its pictures are.

In: a week's stories, a store, a fetcher, the moment. Out: what was learnt, in the store; it is not asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.jobs.digests import episode_details as talks
from pipeline.jobs.digests import image_sizes as pictures
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.entry import StoredEntry
from pipeline.store import Store


def enrich(
    store: Store,
    groups: Sequence[tuple[StoredEntry, ...]],
    open_fetcher: OpenFetcher,
    logo_url: str = "",
    *,
    now: datetime,
) -> None:
    """Learn it, as far as it can be had now."""
    talks.fetch_episode_details(store, groups, open_fetcher, now=now)
    pictures.fetch_image_sizes(store, groups, open_fetcher, logo_url=logo_url, now=now)
