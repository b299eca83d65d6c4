"""Measure how good and how quick the search for related older entries is.

In: themes.toml, from which entries with a label are made, the same every time. Out: precision at 1 and 3, how often
something is shown, milliseconds for a look-up in 10,000 entries. Exit code 1 when a limit is passed. Writes to a
temporary folder only.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from pipeline.digest.compose.related import MAX_TERM_ENTRIES, Similarity, candidates, key_terms, rank_related
from pipeline.ingest.dedupe import fingerprint
from pipeline.model.entry import Entry
from pipeline.model.feed import FeedState
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate
from pipeline.store import Store

HERE = Path(__file__).parent
EACH = 12
MIN_PRECISION = 0.90
MILLISECONDS = 50.0
NOW = datetime(2026, 2, 16, tzinfo=UTC)
TITLES = (
    "{0} and {1}",
    "What the {0} taught us",
    "A morning with {0}",
    "The year of the {0}",
    "In praise of {0}",
    "Notes from a cold kitchen",
    "The woman who would not hurry",
    "Five small reasons to stay in",
    "{0}, slowly",
    "Where the {0} goes",
)
FILLER = """morning kitchen harbour friend window light winter spring hands door evening street neighbour grandmother
village road table fire summer walk house cup tea bench old letter shop home child rain garden hill sea bread""".split()  # noqa: SIM905
GLUE = "and then we saw how the with a little of it was so in that for at last by every one who came".split()  # noqa: SIM905


def entries(copies: int = EACH, seed: int = 7) -> list[tuple[str, Entry]]:
    """Return labelled entries: mostly filler that all themes share, a few words of the theme, some of another one."""
    chance = random.Random(seed)
    themes = {name: said.split() for name, said in tomllib.loads((HERE / "themes.toml").read_text()).items()}
    made = []
    for number in range(copies):
        for name, said in themes.items():
            other = chance.choice(list(themes.values()))
            title = chance.choice(TITLES).format(*chance.sample(said, 2))
            telling = [*chance.sample(said, 5), *chance.sample(said[:6], 2), chance.choice(other), chance.choice(other)]
            text = [*telling, *chance.sample(FILLER, 16), *chance.choices(GLUE, k=30)]
            chance.shuffle(text)
            guid = f"{name}-{number}"
            at = NOW - timedelta(days=7 * len(made) / len(themes) + 7)
            body = " ".join(text)
            made.append((name, Entry(feed_id="blog", guid=guid, url=f"https://h.example/{guid}", title=title,
                                     published_at=at, excerpt_text=body, body_html=f"<p>{body}</p>")))  # fmt: skip
    return made


def fill(store: Store, labelled: list[tuple[str, Entry]]) -> None:
    """Store entries as the first read of a feed would."""
    changes = [EntryChange(kind="new", entry=entry, fingerprint=fingerprint(entry)) for _, entry in labelled]
    store.entries.apply(
        [FeedUpdate(state=FeedState(feed_id="blog"), changes=FeedChanges(entries=changes), archived=True)], now=NOW
    )


@dataclass
class Figures:
    """Counts over labelled entries."""

    shown: int = 0
    right: int = 0
    answered: int = 0
    answerable: int = 0

    def add(self, other: Figures) -> None:
        """Add the counts of other entries."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def precision(self) -> float:
        """The share of what is shown that is about the same."""
        return self.right / max(self.shown, 1)

    def __str__(self) -> str:
        """Return the figures as a line of text."""
        found = f"precision {self.precision:.3f} ({self.right} of {self.shown})"
        recall = self.answered / max(self.answerable, 1)
        return f"{found}, recall {recall:.2f} ({self.answered} of {self.answerable})"


def archives() -> dict[bool, list[list[tuple[str, Entry]]]]:
    """Return the labelled archives: those that the thresholds were set by (False), and the held-out ones (True)."""
    found: dict[bool, list[list[tuple[str, Entry]]]] = {False: [], True: []}
    for name, archive in tomllib.loads((HERE / "archives.toml").read_text()).items():
        made = []
        for number, line in enumerate(archive["posts"].strip().splitlines()):
            topic, title, text = (part.strip() for part in line.split("|"))
            label = f"{name}-{number}" if topic == "-" else topic
            body = f"{text} {archive['ending']}"
            made.append((label, Entry(feed_id="blog", guid=f"{label}-{number}", url=f"https://h.example/{name}/{number}",
                                      title=title, published_at=NOW - timedelta(days=7 * number + 7),
                                      excerpt_text=body, body_html=f"<p>{body}</p>")))  # fmt: skip
        found[archive["held_out"]].append(made)
    return found


def look_up(store: Store, entry: Entry, own: set[int]) -> list[str]:
    """Return the guids of the entries related to an entry."""
    terms = key_terms([entry])
    having, total = store.word_index.search(list(terms.weights), first_seen_by=None, max_matches=MAX_TERM_ENTRIES)
    likeness = Similarity.from_terms(terms, having, total)
    found = store.entries.by_id(candidates(likeness, excluded=own))
    return [ranked.stored.entry.guid for ranked in rank_related(likeness, found)][:3]


def judge(store: Store, labelled: list[tuple[str, Entry]]) -> Figures:
    """Return how often what is shown for the entries is right."""
    figures = Figures()
    for entry_id, (label, entry) in enumerate(labelled, 1):
        right = [guid.rpartition("-")[0] == label for guid in look_up(store, entry, {entry_id})]
        figures.shown += len(right)
        figures.right += sum(right)
        figures.answered += any(right)
        figures.answerable += sum(other == label for other, _ in labelled) > 1
    return figures


def main() -> int:
    """Print the figures."""
    bad = False
    made = entries()
    sets = {"made": [made]} | {"held out" if held_out else "prose": found for held_out, found in archives().items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, labelled_archives in sets.items():
            figures = Figures()
            for number, labelled in enumerate(labelled_archives):
                with Store.open(f"sqlite:///{folder}/{name[:4]}{number}.db") as store:
                    fill(store, labelled)
                    figures.add(judge(store, labelled))
            bad |= figures.precision < MIN_PRECISION
            print(f"{name:9} {figures}")
        many = entries(copies=240)
        with Store.open(f"sqlite:///{folder}/large.db") as store:
            fill(store, many)
            spent = []
            for _, entry in many[:200]:
                started = time.perf_counter()
                look_up(store, entry, set())
                spent.append(1000 * (time.perf_counter() - started))
    print(f"{len(many):,} entries: {median(spent):.1f} ms a look-up, {max(spent):.1f} ms the slowest")
    return int(bad or median(spent) > MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())
