"""Changes since a page was made, as one sentence per kind of change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pipeline.text.format import pluralize

MAX_TITLES = 3
MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVersion:
    """Everything the pages depend on. Each text differs once its subject has changed."""

    config: str = ""
    templates: str = ""
    editor_files: str = ""
    store: str = ""
    background_tasks: str = ""
    closed_week: str = ""
    """The week that closed last."""
    newest_entry_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry that was fetched while a page was open."""

    feed_id: str
    title: str


def encode_version(version: PageVersion) -> str:
    """Return a page version as a short text that a page carries and sends back.

    >>> encode_version(PageVersion(config="a")) == encode_version(PageVersion(config="b"))
    False
    >>> encode_version(PageVersion(newest_entry_id=12)).rsplit("-", 1)[1]
    '12'
    """
    parts = (
        version.config,
        version.templates,
        version.editor_files,
        version.store,
        version.background_tasks,
        version.closed_week,
    )
    return "-".join([*(sha256(part.encode()).hexdigest()[:8] for part in parts), str(version.newest_entry_id)])


def describe_changes(before: str, after: str, load_entries: Callable[[int, int], Sequence[NewEntry]]) -> dict[str, str]:
    """Return a sentence for each kind of change between two encoded versions.

    ``load_entries(after, until)`` returns the entries with ids in (after, until]. Progress of background tasks is not
    described: their own page shows it. A ``before`` that ``encode_version`` did not write has no changes.

    >>> before, bread = PageVersion(newest_entry_id=7, store="1"), NewEntry(feed_id="blog", title="Bread")
    >>> after = PageVersion(newest_entry_id=8, store="2")
    >>> describe_changes(encode_version(before), encode_version(after), lambda after, until: [bread])
    {'entries': '1 new entry from blog: “Bread”.'}
    >>> after = PageVersion(newest_entry_id=7, store="1", templates="new")
    >>> describe_changes(encode_version(before), encode_version(after), lambda after, until: [])
    {'templates': 'A template has changed.'}
    """
    old, new = before.split("-"), after.split("-")
    if len(old) != len(new) or not old[-1].isdecimal() or len(old[-1]) > MAX_ID_DIGITS:
        return {}
    differs = [was != is_now for was, is_now in zip(old[:-1], new[:-1], strict=True)]
    config, templates, editor_files, store, background_tasks, closed_week = differs
    old_id, new_id = int(old[-1]), int(new[-1])
    sentences = {
        "entries": _describe_entries(load_entries(old_id, new_id), new_id - old_id) if new_id > old_id else "",
        "config": "config.toml has changed." if config else "",
        "templates": "A template has changed." if templates else "",
        "editor_files": "An editor’s file has changed." if editor_files else "",
        "closed_week": "A week has closed." if closed_week else "",
    }
    if store and not (background_tasks or any(sentences.values())):
        sentences["store"] = "Something has changed."
    return {kind: sentence for kind, sentence in sentences.items() if sentence}


def _describe_entries(entries: Sequence[NewEntry], count: int) -> str:
    """Return a sentence with the number of entries, their feeds and the first titles.

    >>> _describe_entries([NewEntry(feed_id=feed, title=feed.upper()) for feed in ("a", "b", "a", "c")], 4)
    '4 new entries from a, b and c: “A”, “B”, “A” and 1 more.'
    """
    feed_ids = list(dict.fromkeys(entry.feed_id for entry in entries))
    feeds = " and ".join(filter(None, [", ".join(feed_ids[:-1]), *feed_ids[-1:]]))
    titles = [f"“{entry.title}”" if entry.title else "one without a title" for entry in entries[:MAX_TITLES]]
    more = f" and {count - len(titles)} more" if count > len(titles) else ""
    return f"{pluralize(count, 'new entry', 'new entries')} from {feeds}: {', '.join(titles)}{more}."
