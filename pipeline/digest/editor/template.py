"""What a new editor's file says: nothing yet, but everything that could be said.

In: a week's draft, its stories and the why-ledger. Out: the text of ``editions/2026-W07.md``; read
back as it is, it overrides nothing. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from pipeline.digest.editor.parse import FENCE, LINK_EXAMPLE
from pipeline.model.digest import Decision, Edition
from pipeline.model.entry import Entry, StoredEntry

MAX_LEFT_OUT = 10
_LONG_GUID = 40
_WIDEST = 70
StoryEntries = tuple[StoredEntry, ...]


def initial_text(
    edition: Edition,
    stories: Sequence[StoryEntries],
    left_out: Sequence[Decision],
    *,
    link_feed_ids: Collection[str] = (),
) -> str:
    """Write the file for a week: comments alone, with what the program chose and the references to use.

    ``left_out`` is what an editor may want back; the newest of it is listed.
    """
    references = [short_reference(story[0].entry) for story in stories if story[0].entry.feed_id not in link_feed_ids]
    first = next(iter(references), "blog 1")
    lines = [
        FENCE,
        f"# The edition {edition.week}. The program makes its choices; what you write here overrides them.",
        "# A line that begins with # is a comment: take the # away to use it. Then run:",
        f"#     pipeline digest --week {edition.week}",
        "",
        f"# subject = {_quoted(edition.subject)}",
        f"# preheader = {_quoted(edition.preheader)}",
        f"# lead = {_quoted(first)}          # the story that comes first",
        f"# leave_out = [{_quoted(first)}]",
        "# put_back = []                    # what the program left out: see below, or any entry there ever was",
        f"# order = [{', '.join(map(_quoted, references))}]",
        "",
        "[notes]                            # a few words of yours under a story, as Markdown",
        f'# {_quoted(first)} = "…"',
        "",
        "[related]                          # older pieces under a story: yours instead of the program's, [] for none",
        f"# {_quoted(first)} = []",
        "",
        *_listed("# In this edition:", _told(stories)),
        *_listed("# Older pieces in it, which leave_out keeps out as well:", _older(edition)),
        *_listed("# Left out:", _not_told(left_out)),
        FENCE,
        "",
        "<!-- Your introduction goes here, in Markdown. 60 to 120 words are a good length. -->",
        "",
        "## Useful links",
        "",
        f"<!-- {LINK_EXAMPLE} -->",
    ]
    return "\n".join(lines) + "\n"


def short_reference(entry: Entry) -> str:
    """Name an entry for a person: its feed, and its guid, or its address where that is shorter than a long guid."""
    address = entry.url if entry.url and len(entry.guid) > _LONG_GUID and len(entry.url) < len(entry.guid) else ""
    return f"{entry.feed_id} {address or entry.guid}"


def _told(groups: Iterable[StoryEntries]) -> Iterator[tuple[str, str]]:
    for first, *others in groups:
        yield short_reference(first.entry), first.entry.title
        yield from ((short_reference(each.entry), "… the same story") for each in others)


def _older(edition: Edition) -> Iterator[tuple[str, str]]:
    manifest = json.loads(edition.manifest)
    related = (each for story in manifest["stories"] for each in story["related"])
    for each in (*related, *manifest["archive"]):
        yield f"{each['feed_id']} {each['guid']}", each["title"]


def _not_told(decisions: Sequence[Decision]) -> Iterator[tuple[str, str]]:
    newest = sorted(decisions, key=lambda each: each.published_at, reverse=True)
    for each in newest[:MAX_LEFT_OUT]:
        yield f"{each.feed_id} {each.guid}", f"{each.title}: {each.reason}"


def _listed(heading: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    named = [(_quoted(name), " ".join(words.split())) for name, words in rows]
    if named:
        width = min(max(len(name) for name, _ in named), _WIDEST)
        yield heading
        yield from (f"#   {name.ljust(width)}  {words}" for name, words in named)


def _quoted(words: str) -> str:
    """Write a TOML string; what JSON escapes, TOML escapes alike.

    >>> print(_quoted('Salt, "smoke" and patience'))
    "Salt, \\"smoke\\" and patience"
    """
    return json.dumps(re.sub(r"[\x00-\x1f\x7f]+", " ", words), ensure_ascii=False)
