"""What has changed while somebody looked, a sentence for each kind of thing.

In: the mark of a page, the mark of now, a way to ask for the entries in between. Out: sentences. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pipeline.text.format import pluralize

MAX_TITLES = 3
MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVersion:
    """All that the pages depend on; each part is a text that differs once that has changed."""

    config: str = ""
    templates: str = ""
    editor_files: str = ""
    """The editor's files."""
    store: str = ""
    background_tasks: str = ""
    closed_week: str = ""
    """The week that closed last."""
    newest_entry_id: int = 0
    """The number of the entry that came in last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry that came in while somebody looked."""

    feed_id: str
    title: str


def encode_version(mark: PageVersion) -> str:
    """Write a mark as a short word: it stands in every page, and comes back with every question for news.

    >>> written(Mark(config="a")) == written(Mark(config="b")), written(Mark(newest=12)).rsplit("-", 1)[1]
    (False, '12')
    """
    parts = (mark.config, mark.templates, mark.editor_files, mark.store, mark.background_tasks, mark.closed_week)
    return "-".join([*(sha256(part.encode()).hexdigest()[:8] for part in parts), str(mark.newest_entry_id)])


def describe_changes(seen: str, now: str, arrivals: Callable[[int, int], Sequence[NewEntry]]) -> dict[str, str]:
    """Say what differs between two marks as they were written, by its kind; how an errand comes along, its page shows.

    >>> before, bread = Mark(newest=7, store="1"), Arrival(feed_id="blog", title="Bread")
    >>> told(written(before), written(Mark(newest=8, store="2")), lambda after, until: [bread])
    {'entries': '1 new entry from blog: “Bread”.'}
    >>> told(written(before), written(Mark(newest=7, store="1", templates="new")), lambda after, until: [])
    {'templates': 'A template has changed.'}
    """
    old, new = seen.split("-"), now.split("-")
    if len(old) != len(new) or not old[-1].isdecimal() or len(old[-1]) > MAX_ID_DIGITS:
        return {}  # it is none of ours
    differs = [was != is_now for was, is_now in zip(old[:-1], new[:-1], strict=True)]
    config, templates, words, store, errands, closed = differs
    after, until = int(old[-1]), int(new[-1])
    said = {
        "entries": _came_in(arrivals(after, until), until - after) if until > after else "",
        "config": "config.toml has changed." if config else "",
        "templates": "A template has changed." if templates else "",
        "words": "An editor’s file has changed." if words else "",
        "closed": "A week has closed." if closed else "",
    }
    if store and not (errands or any(said.values())):
        said["store"] = "Something has changed."
    return {kind: sentence for kind, sentence in said.items() if sentence}


def _came_in(arrivals: Sequence[NewEntry], count: int) -> str:
    """Count what came in, and name it.

    >>> _came_in([Arrival(feed_id=feed, title=feed.upper()) for feed in ("a", "b", "a", "c")], 4)
    '4 new entries from a, b and c: “A”, “B”, “A” and 1 more.'
    """
    feeds = list(dict.fromkeys(each.feed_id for each in arrivals))
    source = " and ".join(filter(None, [", ".join(feeds[:-1]), *feeds[-1:]]))
    titles = [f"“{each.title}”" if each.title else "one without a title" for each in arrivals[:MAX_TITLES]]
    more = f" and {count - len(titles)} more" if count > len(titles) else ""
    return f"{pluralize(count, 'new entry', 'new entries')} from {source}: {', '.join(titles)}{more}."
