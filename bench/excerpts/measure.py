"""Measure how often an excerpt begins with the right text, and how often it shows furniture, on a labelled set.

``own.toml`` has feeds of our own; ``corpus.tsv`` labels entries of the feeds in the folder that ``PIPELINE_CORPUS``
names, by hashes of the first words. The exit code is 1 if a part of the set, or
all of it together, misses a limit.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pipeline.digest.compose.excerpts import ExcerptCache, opening_of
from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.jobs.digests.furniture import LEARNT_ENTRIES, learn_furniture, with_own_text
from pipeline.model.entry import Entry, ParsedFeed, RawEntry
from pipeline.model.feed import Channel, Feed
from pipeline.text.markdown import to_plain

FOLDER = Path(__file__).parent
MIN_RIGHT, MAX_FURNITURE = 0.95, 0.01
SHOWN_WORDS = 60
_COMPARED_WORDS = 6
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_URL = "https://feed.example/feed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What an editor would show of an entry. A text is named by ``count:hash`` of its first words."""

    entry: Entry
    part: str
    right: tuple[str, ...]
    """Texts that may stand first; ``-`` is no text at all."""
    furniture: tuple[str, ...]


@dataclass(slots=True)
class Score:
    """How the excerpts of a part of the set are."""

    entries: int = 0
    right: int = 0
    furniture: int = 0
    faults: list[str] = field(default_factory=list)
    """A line for each entry with another text or with furniture."""


def words_of(text: str) -> list[str]:
    """Return the words that are compared."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def name_of(words: Sequence[str]) -> str:
    """Return the name of a text that begins with these words."""
    return f"{len(words)}:{sha256(' '.join(words).encode()).hexdigest()[:12]}" if words else "-"


def is_shown(name: str, words: Sequence[str], *, first: bool) -> bool:
    """Check whether a named text stands in an excerpt, or at its beginning."""
    if name == "-":
        return not words
    count = int(name.partition(":")[0])
    starts = [0] if first else range(len(words))
    return any(name_of(words[start : start + count]) == name for start in starts)


def own_feeds() -> Iterator[tuple[str, list[Label]]]:
    """Yield each of our own feeds with its labels."""
    for feed in tomllib.loads((FOLDER / "own.toml").read_text("utf-8"))["feeds"]:
        raw = [
            RawEntry(
                guid=str(number),
                link=f"{_URL}/{number}",
                title=one["title"],
                summary_html=one["summary"],
                subtitle=one["subtitle"],
                content_html=one["body"],
                published_at=_NOW - timedelta(days=number),
            )
            for number, one in enumerate(feed["entries"])
        ]
        entries = _normalised(ParsedFeed(version="rss20", channel=Channel(), entries=tuple(raw)), feed["kind"])
        yield (
            feed["name"],
            [
                Label(
                    entry=entry,
                    part=feed["part"],
                    right=(name_of(words_of(one["right"])[:_COMPARED_WORDS]),),
                    furniture=tuple(name_of(words_of(text)) for text in one["furniture"]),
                )
                for entry, one in zip(entries, feed["entries"], strict=True)
            ],
        )


def corpus_feeds(corpus: Path) -> Iterator[tuple[str, list[Label], list[Entry]]]:
    """Yield each labelled feed of the corpus with its labels and all its entries."""
    rows = list(csv.DictReader((FOLDER / "corpus.tsv").read_text("utf-8").splitlines(), delimiter="\t"))
    for name in dict.fromkeys(row["file"] for row in rows):
        kind = "podcast" if name.startswith("podcast") else "blog"
        entries = _normalised(parse_feed((corpus / name).read_bytes(), url=_URL), kind)
        by_guid = {sha256(entry.guid.encode()).hexdigest()[:12]: entry for entry in entries}
        labels = [
            Label(
                entry=by_guid[row["guid"]],
                part=row["part"],
                right=tuple(row["right"].split()),
                furniture=tuple((row["furniture"] or "").split()),
            )
            for row in rows
            if row["file"] == name
        ]
        yield name, labels, list(entries)


def _normalised(parsed: ParsedFeed, kind: Literal["blog", "podcast"]) -> tuple[Entry, ...]:
    return normalise(parsed, Feed(id="feed", url=_URL, kind=kind), url=_URL, now=_NOW)


def measure(corpus: Path | None, max_words: int = SHOWN_WORDS) -> dict[str, Score]:
    """Return the score of each part of the set; without a corpus, that of our own feeds alone."""
    scores: dict[str, Score] = {}
    feeds = [("own", name, labels, [label.entry for label in labels]) for name, labels in own_feeds()]
    if corpus:
        feeds += [("corpus", *feed) for feed in corpus_feeds(corpus)]
    for origin, name, labels, entries in feeds:
        newest = sorted(entries, key=lambda entry: entry.published_at)[-LEARNT_ENTRIES:]
        furniture = learn_furniture(newest)
        for label in labels:
            entry = with_own_text(label.entry, furniture)
            text = to_plain(ExcerptCache().get([entry], max_words))
            words = words_of(text)
            score = scores.setdefault(f"{origin}, {label.part}", Score())
            is_right = any(is_shown(one, words, first=True) for one in label.right)
            has_furniture = any(is_shown(one, words, first=False) for one in label.furniture)
            score.entries += 1
            score.right += is_right
            score.furniture += has_furniture
            if not is_right or has_furniture:
                fault = "another text" if not is_right else "furniture"
                reason = opening_of([entry]).reason
                score.faults.append(f"{name}: “{label.entry.title[:40]}”: {fault}, {reason}: {text[:80]}")
    return scores


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--words", type=int, default=SHOWN_WORDS, help=f"length (default: {SHOWN_WORDS})")
    options.add_argument("--faults", action="store_true", help="print a line for each entry that is not right")
    given = options.parse_args()
    folder = os.environ.get("PIPELINE_CORPUS")
    scores = measure(Path(folder) if folder else None, given.words)
    missed = shown = 0
    for part, score in scores.items():
        right, furniture = score.right / score.entries, score.furniture / score.entries
        missed += right < MIN_RIGHT
        shown += score.furniture
        print(f"{part:20}{score.entries:5} entries{right:8.1%} right{furniture:7.1%} with furniture")
        if given.faults:
            print("\n".join(f"    {fault}" for fault in score.faults))
    if not folder:
        print("PIPELINE_CORPUS is not set, so only our own feeds were measured.")
    return int(missed > 0 or shown > MAX_FURNITURE * sum(score.entries for score in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
