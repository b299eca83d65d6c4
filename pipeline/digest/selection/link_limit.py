"""Limit of useful links per edition: the oldest are included first, the others carry over to the next digest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from pipeline.digest.selection.select import Selection
from pipeline.model.edition import matches_any
from pipeline.model.entry import StoredEntry
from pipeline.text.format import pluralize
from pipeline.text.urls import url_key


def limit_links(selection: Selection, link_feed_ids: Collection[str], *, max_links: int) -> Selection:
    """Return a selection with at most ``max_links`` links, counting those of the editor's own list.

    Links that the editor includes or orders are always kept, and count. Carried-over links are in no edition, so the
    next digest considers them again.
    """
    overrides = selection.overrides
    references = (*overrides.put_back, *overrides.order, overrides.lead)

    def is_requested(story: Sequence[StoredEntry]) -> bool:
        return any(matches_any(references, stored.entry) for stored in story)

    links = [story for story in selection.stories if all(stored.entry.feed_id in link_feed_ids for stored in story)]
    kept = {url_key(link.url) for link in overrides.links}
    kept |= {url_key(story[0].entry.url) for story in links if is_requested(story)}
    others = [story for story in links if not is_requested(story)]
    carried_over = {stored.entry_id for story in others[max(0, max_links - len(kept)) :] for stored in story}
    if not carried_over:
        return selection
    reason = f"; an edition has at most {pluralize(max_links, 'link')}: it carries over to the next"
    return replace(
        selection,
        stories=tuple(story for story in selection.stories if story[0].entry_id not in carried_over),
        carried_over=selection.carried_over | carried_over,
        decisions=tuple(
            replace(decision, included=False, reason=decision.reason + reason)
            if decision.entry_id in carried_over
            else decision
            for decision in selection.decisions
        ),
    )
