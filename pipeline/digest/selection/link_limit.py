"""How many useful links one edition takes: the longest waiting first, the others roll on.

In: a Selection. Out: the same with a shorter list. Pure. What rolls on is in no edition, so the next digest finds it
again: nothing is lost and nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pipeline.digest.selection.select import Selection
from pipeline.model.edition import Overrides, matches_any
from pipeline.model.entry import StoredEntry
from pipeline.text.urls import url_key


def limit_links(selection: Selection, link_feeds: Collection[str], *, max_links: int) -> Selection:
    """Keep at most ``most`` links of the feeds in ``link_feed_ids``, counting those of the editor's own list.

    What the editor puts in, or names in an order, is always kept, and counts.
    """
    overrides = selection.overrides
    links = [group for group in selection.stories if all(each.entry.feed_id in link_feeds for each in group)]
    asked = [group for group in links if any(_asked(each, overrides) for each in group)]
    written = {url_key(link.url) for link in overrides.links}
    room = max_links - len(written | {url_key(group[0].entry.url) for group in asked})
    waiting = [group for group in links if group not in asked]
    rolling = {each.entry_id for group in waiting[max(0, room) :] for each in group}
    if not rolling:
        return selection
    why = f"; {max_links} links are enough for one edition: it rolls on to the next"
    return replace(
        selection,
        stories=tuple(group for group in selection.stories if group[0].entry_id not in rolling),
        carried_over=selection.carried_over | rolling,
        decisions=tuple(
            replace(each, included=False, reason=each.reason + why) if each.entry_id in rolling else each
            for each in selection.decisions
        ),
    )


def _asked(stored: StoredEntry, overrides: Overrides) -> bool:
    return matches_any((*overrides.put_back, *overrides.order, overrides.lead), stored.entry)
