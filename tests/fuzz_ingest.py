"""A fuzzer for decoding, parsing and normalising: ``python -m tests.fuzz_ingest --seconds 60 --seed 7``.

It mutates the documents of fixtures/quirks and, if $PIPELINE_CORPUS is set, real ones, checks the invariants
(``tests/invariants.py``), saves each document that violates one, and exits with 1. What it finds becomes a fixture or a
test."""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from pipeline.ingest.discover import find_feeds
from tests.conftest import find_corpus
from tests.invariants import FEED, document_difference, read_entries, violation
from tests.mutations import mutated

QUIRKS = Path(__file__).parents[1] / "fixtures" / "quirks"
MAX_SECONDS = 2.0
"""Processor time for one document of 300 kB at the most, on a machine that does other things too."""
MAX_SEED_BYTES = 60_000


def main() -> int:
    """Fuzz for a while; return 1 if a document violates an invariant."""
    arguments = argparse.ArgumentParser(description="Fuzz decode, parse and normalise.")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--save", type=Path, default=Path("fuzz-found"), help="a folder for what it finds")
    arguments.add_argument("--most", type=int, default=1, help="stop after so many findings")
    options = arguments.parse_args()
    count = found = 0
    for body in documents(options.seed, options.seconds):
        count += 1
        if problem := violated_invariant(body):
            found += 1
            options.save.mkdir(exist_ok=True)
            file = options.save / f"{sha256(body).hexdigest()[:12]}.bin"
            file.write_bytes(body)
            print(f"document {count}: {problem}; saved as {file}", file=sys.stderr, flush=True)
        if found >= options.most:
            break
    print(f"{count} documents, {found or 'no'} invariants violated")
    return 1 if found else 0


def documents(seed: int, seconds: float) -> Iterator[bytes]:
    """Yield mutated documents for some seconds; a seed always gives the same ones in the same order."""
    seeds = [path.read_bytes() for path in sorted(QUIRKS.glob("*.xml"))]
    if corpus := find_corpus():
        files = sorted(path for path in corpus.rglob("*") if path.is_file() and path.name != "MANIFEST.tsv")
        seeds += [path.read_bytes() for path in files if path.stat().st_size <= MAX_SEED_BYTES]
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield mutated(chance, chance.choice(seeds), seeds)


def violated_invariant(body: bytes) -> str:
    """Return the invariant that parsing ``body`` violates, or ""."""
    before = time.process_time()
    try:
        find_feeds(body, FEED.url)
        problem = violation(read_entries(body))
        seconds = time.process_time() - before
        problem = problem or (f"{seconds:.1f} seconds" if seconds > MAX_SECONDS else "")
        return problem or document_difference(body)
    except Exception as error:  # whatever it is, it is what the fuzzer looks for
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {where.name}: {str(error)[:200]}"


if __name__ == "__main__":
    sys.exit(main())
