"""Excerpts: the right texts of stories as Markdown, with a cache, as making one is slow."""

from __future__ import annotations

import html as entities
from collections.abc import Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

from pipeline.model.entry import Entry
from pipeline.text import markdown
from pipeline.text.html_to_markdown import to_markdown
from pipeline.text.markdown_ends import without_cut_end
from pipeline.text.opening import find_opening
from pipeline.text.passage_faults import Rank
from pipeline.text.passages import MAX_PASSAGES_CHARS

EXCERPT_VERSION = 5
"""Part of every key. Raise it when the same entries may give another excerpt, as after a change of ``text/opening.py``,
``text/html_to_markdown.py``, ``text/markdown.py`` or a library they use; saved excerpts are then made again."""

NO_EXCERPTS: Mapping[str, str] = MappingProxyType({})


class EntryOpening(NamedTuple):
    """The text of a story before it is shortened."""

    entry_index: int
    """Which entry it is taken from."""
    html: str
    reason: str
    """What the text is, as in ``text.opening.Opening``."""
    rank: Rank


def opening_of(entries: Sequence[Entry]) -> EntryOpening:
    """Return the best text of a story's entries; of equally good ones, that of the first."""
    openings = [_opening(index, entry) for index, entry in enumerate(entries)]
    return min(openings, key=lambda one: (not one.html, one.rank))


def _opening(index: int, entry: Entry) -> EntryOpening:
    excerpt = f"<p>{entities.escape(entry.excerpt_text, quote=False)}</p>" if entry.excerpt_text else ""
    if not entry.body_html:  # an editor's note on a link is shown whatever it says
        return EntryOpening(index, excerpt, "its description" if excerpt else "nothing: it has none", Rank.GOOD)
    start = entry.body_html[:MAX_PASSAGES_CHARS]
    opening = find_opening(start, title=entry.title, author=entry.author, summaries=entry.summaries)
    return EntryOpening(index, *opening)


def excerpt_key(entries: Sequence[Entry], max_words: int, *, version: int = EXCERPT_VERSION) -> str:
    """Return the key of the excerpt of a story's entries in at most ``max_words`` words: a SHA-256 in hexadecimal."""
    parts = [str(version), str(max_words)]
    for entry in entries:
        summaries = entry.summaries if entry.body_html else (entry.excerpt_text,)
        parts += [entry.title, entry.author, entry.body_html, str(entry.is_cut), str(len(summaries)), *summaries]
    written = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


class ExcerptCache:
    """Excerpts, saved ones and those made since."""

    def __init__(self, saved: Mapping[str, str] = NO_EXCERPTS) -> None:
        self._saved = saved
        self.new: dict[str, str] = {}
        """Excerpts that had to be made, by key."""

    def get(self, entries: Sequence[Entry], max_words: int) -> str:
        """Return the text of a story's entries in at most ``max_words`` words; empty if they have none to show.

        >>> from datetime import UTC, datetime
        >>> day = datetime(2026, 2, 9, tzinfo=UTC)
        >>> post = Entry(feed_id="blog", guid="1", url="", title="", published_at=day, body_html="<p>Salt. Fat.</p>")
        >>> cache = ExcerptCache({excerpt_key([post], 60): "Salt, as saved."})
        >>> cache.get([post], 60), cache.get([post], 1)
        ('Salt, as saved.', 'Salt.')
        >>> list(cache.new.values())
        ['Salt.']
        """
        key = excerpt_key(entries, max_words)
        if key in self._saved:
            return self._saved[key]
        if key not in self.new:
            opening = opening_of(entries)
            md = to_markdown(opening.html)
            is_cut = entries[opening.entry_index].is_cut
            self.new[key] = markdown.excerpt(without_cut_end(md) if is_cut else md, max_words=max_words)
        return self.new[key]
