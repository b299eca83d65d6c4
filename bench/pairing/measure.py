"""Measure the pairing of entries on the labelled sets: `python bench/pairing/measure.py [SET…]`.

In: tune.toml and held_out.toml beside this file. Out: precision and recall of each, and every mistake by name.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run from a clone as well as from an installed package

from pipeline.digest.pairing.pair import Pairing, pair  # noqa: E402
from pipeline.model.entry import Enclosure, Entry  # noqa: E402
from pipeline.text.plain_text import clean_title  # noqa: E402
from pipeline.text.title_parts import split_guest, split_title  # noqa: E402

HERE = Path(__file__).resolve().parent
SETS = ("tune", "held_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A few entries and their labels; letters name the entries."""

    what: str
    entries: dict[str, Entry]
    same: frozenset[frozenset[str]]
    apart: frozenset[frozenset[str]]


@dataclass(slots=True, kw_only=True)
class Score:
    """Counts of one set, and its mistakes in words."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    doubts: int = 0
    mistakes: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of the pairs found that are pairs."""
        return self.right / (self.right + self.wrong or 1)

    @property
    def recall(self) -> float:
        """Share of the pairs that were found."""
        return self.right / (self.right + self.missed or 1)


def load(name: str) -> list[Case]:
    """Return the cases of one set."""
    with (HERE / f"{name}.toml").open("rb") as file:
        cases: list[dict[str, Any]] = tomllib.load(file)["case"]
    return [_case(f"{name}-{number}", case) for number, case in enumerate(cases)]


def measure(cases: list[Case]) -> Score:
    """Pair the entries of each case by themselves, and compare with the labels."""
    score = Score()
    for case in cases:
        _count(score, case.what, pair(list(case.entries.values())), case.entries, case.same)
    return score


def measure_together(cases: list[Case]) -> Score:
    """Pair the entries of all cases at once, as one archive."""
    entries = {f"{case.what}: {name}": entry for case in cases for name, entry in case.entries.items()}
    same = frozenset(frozenset(f"{case.what}: {name}" for name in labelled) for case in cases for labelled in case.same)
    score = Score()
    _count(score, "all at once", pair(list(entries.values())), entries, same)
    return score


def _count(
    score: Score, what: str, pairing: Pairing, entries: dict[str, Entry], same: frozenset[frozenset[str]]
) -> None:
    names = {(entry.feed_id, entry.guid): name for name, entry in entries.items()}
    found = {
        frozenset(names[entry.feed_id, entry.guid] for entry in (pair.first, pair.second)): pair.reason
        for pair in pairing.pairs
    }
    score.doubts += len(pairing.uncertain)
    score.right += len(found.keys() & same)
    score.wrong += len(found.keys() - same)
    score.missed += len(same - found.keys())
    score.mistakes += [f"wrong  {what} {sorted(names)}: {found[names]}" for names in found.keys() - same]
    score.mistakes += [f"missed {what} {sorted(names)}" for names in same - found.keys()]


def _case(guid: str, case: dict[str, Any]) -> Case:
    entries = {name: _entry(f"{guid}-{name}", value) for name, value in case.items() if isinstance(value, dict)}
    labelled = {key: frozenset(frozenset(pair) for pair in case.get(key, ())) for key in ("same", "apart")}
    unknown = {name for pairs in labelled.values() for pair in pairs for name in pair} - entries.keys()
    if unknown:
        raise ValueError(f"{case['what']}: no entry is called {', '.join(sorted(unknown))}.")
    return Case(what=case["what"], entries=entries, **labelled)


def _entry(guid: str, found: dict[str, Any]) -> Entry:
    """Return an entry as ``normalise`` would: with a parsed title, and an own address and file by default."""
    parts = split_title(clean_title(found["title"]))
    feed = found["feed"]
    audio = found.get("audio") or (f"https://media.{feed}.example/{guid}.mp3" if "cast" in feed else "")
    minutes = found.get("minutes")
    named, title = split_guest(parts.title) if audio and not parts.guest else ("", parts.title)
    return Entry(
        feed_id=feed,
        guid=guid,
        url=found.get("url") or f"https://{feed}.example/{guid}",
        title=title,
        label=parts.label,
        guest=parts.guest or named,
        published_at=datetime.fromisoformat(found["at"]).replace(tzinfo=UTC),
        body_html=found.get("body", ""),
        enclosure=Enclosure(url=audio, media_type="audio/mpeg") if audio else None,
        episode=found.get("number"),
        episode_type=found.get("type", "full"),
        duration_seconds=minutes and minutes * 60,
    )


def report(names: Sequence[str]) -> Iterator[str]:
    """Yield the figures of the named sets, separately and together, as a Markdown table; then the mistakes."""
    sets = {name: load(name) for name in names}
    everything = [case for cases in sets.values() for case in cases]
    rows = [(name, cases, measure(cases)) for name, cases in sets.items()]
    rows.append(("all at once, as one archive", everything, measure_together(everything)))
    yield "| set | pairs | near-misses | precision | recall | doubts |"
    yield "|---|---|---|---|---|---|"
    for name, cases, score in rows:
        pairs, misses = sum(len(case.same) for case in cases), sum(len(case.apart) for case in cases)
        yield f"| {name} | {pairs} | {misses} | {score.precision:.3f} | {score.recall:.3f} | {score.doubts} |"
    yield from (f"{name}: {mistake}" for name, _, score in rows for mistake in score.mistakes)


if __name__ == "__main__":
    print("\n".join(report(sys.argv[1:] or SETS)))
