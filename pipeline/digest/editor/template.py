"""The initial text of a new editor's file: every setting as a comment, with the week's references to use."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from pipeline.digest.editor.parse import FENCE, LINK_EXAMPLE
from pipeline.digest.editor.write import to_toml
from pipeline.model.digest import Decision, Edition
from pipeline.model.entry import Entry, StoredEntry

MAX_LEFT_OUT = 10
_LONG_GUID_CHARS = 40
_MAX_COLUMN_WIDTH = 70
StoryEntries = tuple[StoredEntry, ...]


def initial_text(
    edition: Edition,
    stories: Sequence[StoryEntries],
    left_out: Sequence[Decision],
    *,
    link_feed_ids: Collection[str] = (),
) -> str:
    """Return the text of a new file for a draft; unchanged, it overrides nothing.

    ``left_out`` are entries the editor may want to include; the newest ``MAX_LEFT_OUT`` are listed.
    """
    order = [short_reference(story[0].entry) for story in stories if story[0].entry.feed_id not in link_feed_ids]
    first = next(iter(order), "blog 1")
    lines = [
        FENCE,
        f"# The edition {edition.week}. The program makes its choices; what you write here overrides them.",
        "# A line that begins with # is a comment: remove the # to use it. Then run:",
        f"#     pipeline digest --week {edition.week}",
        "",
        f"# subject = {_quoted(edition.subject)}",
        f"# preheader = {_quoted(edition.preheader)}",
        f"# lead = {_quoted(first)}          # the first story",
        f"# leave_out = [{_quoted(first)}]",
        "# put_back = []                    # entries that were left out: see below, or any other entry",
        f"# order = [{', '.join(map(_quoted, order))}]",
        "",
        "[notes]                            # your note on a story, as Markdown",
        f'# {_quoted(first)} = "…"',
        "",
        "[related]                          # older entries to link to under a story; [] links to none",
        f"# {_quoted(first)} = []",
        "",
        *_listed("# In this edition:", _included_rows(stories)),
        *_listed("# Older entries it links to, which leave_out removes as well:", _older_rows(edition)),
        *_listed("# Left out:", _left_out_rows(left_out)),
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
    """Return an entry's reference: its feed, and its guid or, where that is long, a shorter URL."""
    use_url = entry.url and len(entry.guid) > _LONG_GUID_CHARS and len(entry.url) < len(entry.guid)
    return f"{entry.feed_id} {entry.url if use_url else entry.guid}"


def _included_rows(stories: Iterable[StoryEntries]) -> Iterator[tuple[str, str]]:
    for first, *others in stories:
        yield short_reference(first.entry), first.entry.title
        yield from ((short_reference(stored.entry), "… the same story") for stored in others)


def _older_rows(edition: Edition) -> Iterator[tuple[str, str]]:
    manifest = json.loads(edition.manifest)
    related = (entry for story in manifest["stories"] for entry in story["related"])
    for entry in (*related, *manifest["archive"]):
        yield f"{entry['feed_id']} {entry['guid']}", entry["title"]


def _left_out_rows(decisions: Sequence[Decision]) -> Iterator[tuple[str, str]]:
    newest = sorted(decisions, key=lambda decision: decision.published_at, reverse=True)
    for decision in newest[:MAX_LEFT_OUT]:
        yield f"{decision.feed_id} {decision.guid}", f"{decision.title}: {decision.reason}"


def _listed(heading: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    quoted = [(_quoted(reference), " ".join(text.split())) for reference, text in rows]
    if quoted:
        width = min(max(len(reference) for reference, _ in quoted), _MAX_COLUMN_WIDTH)
        yield heading
        yield from (f"#   {reference.ljust(width)}  {text}" for reference, text in quoted)


def _quoted(text: str) -> str:
    return to_toml(re.sub(r"[\x00-\x1f\x7f]+", " ", text))
