"""Find the right text of a story: the publisher's own summary if it is a real one, or the first real paragraph."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.text.html import sanitised_to_text
from pipeline.text.passage_faults import Fault, Rank, find_fault, goes_on
from pipeline.text.passages import Passage, split_passages

MAX_WORDS = 120
"""An opening has about this many words at most."""
_SHORT_SUMMARY_WORDS = 15
"""The body follows a shorter summary."""
_SECTION_WORDS = 30
"""A text that has this many words does not continue under the next heading."""
_FEW_WORDS = 6
_SAME_WORDS = 6
"""A summary is the beginning of the body if they share this many words."""
_COPIED_CHARS = 2_000
_SIMILAR = 0.5
_MAX_SMALL_WORD_CHARS = 3
_HEADING_TAG = re.compile(r"</?h[1-6]>")
_NAMES = ("first", "second", "third", "fourth", "fifth")


class Opening(NamedTuple):
    """The text that a story begins with."""

    html: str
    """Sanitised, of at most about ``MAX_WORDS`` words; empty if there is nothing to show."""
    reason: str
    """What it is and what was left out for it, to complete "its text is …"."""
    rank: Rank = Rank.GOOD


class _Judged(NamedTuple):
    passage: Passage
    fault: Fault


@lru_cache(maxsize=32)
def find_opening(body_html: str, *, title: str = "", author: str = "", summaries: tuple[str, ...] = ()) -> Opening:
    """Return the opening of a story from its sanitised body and its publisher's summaries, which are plain text.

    The last ones are remembered: a digest needs an entry's to see whether it has a text without what its feed repeats,
    and again to show it.

    >>> find_opening("<p>By Ada Marsh</p><p>Salt came by sea. So did rope.</p>", title="Salt").html
    '<p>Salt came by sea. So did rope.</p>'
    >>> find_opening("<p>Salt came by sea.</p>", summaries=("How a harbour learnt to wait.",)).reason
    'the summary of its publisher, then its first paragraph'
    """
    judged = _judge(split_passages(body_html), title, author)
    best = body = _from_body(body_html, judged)
    for summary in summaries:
        if not summary or is_beginning(summary, body_html):
            continue
        rank = find_fault(Passage("text", 0, len(summary), summary), title=title, author=author).rank
        if summary.endswith(("…", "...")):  # it is the beginning of some text
            rank = max(rank, Rank.POOR)
        if rank < best.rank or (best is body and rank <= min(body.rank, Rank.DOUBTFUL)):
            best = _from_summary(summary, rank, body)
    return best


def _from_summary(summary: str, rank: Rank, body: Opening) -> Opening:
    own = f"<p>{entities.escape(summary, quote=False)}</p>"
    reason = "the summary of its publisher"
    if len(summary.split()) < _SHORT_SUMMARY_WORDS and body.rank == Rank.GOOD and not _is_similar(summary, body.html):
        return Opening(own + body.html, f"{reason}, then {body.reason}", rank)
    return Opening(own, reason, rank)


def _judge(passages: Sequence[Passage], title: str, author: str) -> list[_Judged]:
    judged: list[_Judged] = []
    after_picture = False
    for passage in passages:
        fault = find_fault(passage, title=title, author=author, after_picture=after_picture)
        if judged and _announces(judged[-1]) and fault.rank < judged[-1].fault.rank:
            fault = judged[-1].fault
        elif judged and judged[-1].passage.text.endswith(":") and judged[-1].fault.rank == Rank.POOR < fault.rank:
            judged[-1] = _Judged(judged[-1].passage, Fault(Rank.BAD, "a label"))
        judged.append(_Judged(passage, fault))
        after_picture = passage.kind == "picture"
    return judged


def _announces(one: _Judged) -> bool:
    """Check whether an announcement is about the passage that follows, as in "Sponsored by:"."""
    passage, fault = one
    return fault.name in ("a sponsor", "a notice", "an invitation") and (
        passage.kind == "heading" or (passage.kind == "text" and passage.text.endswith(":"))
    )


def _from_body(html: str, judged: Sequence[_Judged]) -> Opening:
    """Return the best run of passages: the first of the best rank, and what follows it up to an announcement."""
    rank = min((fault.rank for _, fault in judged), default=Rank.BAD)
    if rank == Rank.BAD:
        return Opening("", "nothing: it has no sentence of its own", rank)
    first = next(index for index, one in enumerate(judged) if one.fault.rank == rank)
    if len(judged[first].passage.text.split()) < _FEW_WORDS:  # a remark after what the entry is about
        first = next(index for index, one in enumerate(judged) if one.fault.rank <= max(rank, Rank.POOR))
    parts = "".join(_run(html, judged[first:]))
    return Opening(parts, _describe(judged, first), rank)


def _run(html: str, judged: Sequence[_Judged]) -> list[str]:
    """Return the markup of the passages, up to an announcement; a sentence that goes on in the next passage is whole.

    >>> text = "<p>All of the salt that we ever bought came</p><p>by sea.</p>"
    >>> _run(text, _judge(split_passages(text), "", ""))
    ['<p>All of the salt that we ever bought came by sea.</p>']
    """
    parts: list[str] = []
    words = 0
    before = ""
    for index, (passage, fault) in enumerate(judged):
        if index and passage.kind in ("picture", "code"):
            continue
        is_heading = passage.kind == "heading"
        if index and (words >= (_SECTION_WORDS if is_heading else MAX_WORDS)):
            break
        if index and fault.rank >= Rank.DOUBTFUL and (not is_heading or fault.name != "a heading"):
            break
        is_continued = passage.kind == "text" and goes_on(before, passage.text)
        is_heading_like = fault.name == "half a sentence" and judged[0].fault.rank == Rank.GOOD
        if is_heading and fault.rank == Rank.BAD:
            continue
        if is_heading_like and not is_continued and not passage.text.endswith(":"):
            continue
        markup = html[passage.start : passage.end].strip()
        words += len(passage.text.split())
        if is_continued:
            parts[-1] = f"{parts[-1].removesuffix('</p>')} {markup}</p>"
        elif passage.kind == "text" or is_heading:
            parts.append(f"<p>{_HEADING_TAG.sub('', markup)}</p>")
        else:
            parts.append(markup)
        before = passage.text if passage.kind == "text" else ""
    return parts


def _describe(judged: Sequence[_Judged], first: int) -> str:
    """Return which passage is shown, and what stands before it.

    >>> passages = split_passages("<p>By Ada Marsh</p><p>3 May 2026</p><p>Salt came by sea.</p>")
    >>> _describe(_judge(passages, "", ""), 2)
    'its third paragraph, after a byline and a date'
    """
    passage, fault = judged[first]
    number = sum(one.kind == passage.kind for one, _ in judged[:first])
    kind = "paragraph" if passage.kind == "text" else passage.kind
    name = f"its {_NAMES[number]} {kind}" if number < len(_NAMES) else f"{kind} {number + 1}"
    skipped = list(dict.fromkeys(fault.name for _, fault in judged[:first] if fault.name))[:3]
    before = ", after " + " and ".join(filter(None, (", ".join(skipped[:-1]), skipped[-1]))) if skipped else ""
    poor = f" ({fault.name}; there is nothing better)" if fault.name and passage.kind == "text" else ""
    return name + poor + before


def is_beginning(summary: str, html: str) -> bool:
    """Check whether a plain text repeats the beginning of sanitised HTML.

    >>> is_beginning("Salt came by sea.", "<h2>Salt</h2><p>By Ada.</p><p>Salt <em>came</em> by sea. So did rope.</p>")
    True
    """
    start = " ".join(_words(summary)[:_SAME_WORDS])
    return f" {start} " in " " + " ".join(_words(sanitised_to_text(html[:_COPIED_CHARS]))) + " "


def _is_similar(summary: str, html: str) -> bool:
    own, other = ({word for word in _words(text) if len(word) > _MAX_SMALL_WORD_CHARS} for text in (summary, html))
    return len(own & other) > _SIMILAR * len(own)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold()[:2_000])
