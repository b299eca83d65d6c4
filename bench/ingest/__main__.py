"""Measure a run of many feeds by this program and by others, and print a table.

    python -m bench.ingest --feeds 100 --runs 3
    python -m bench.ingest --feeds 1000 --runs 1 --save        # as in RESULTS.md; half an hour with all peers
    python -m bench.ingest --feeds 10000 --only ours           # is memory flat?

Linux only. Peers are installed by pip into a temporary environment, or the one --peers names.
"""

from __future__ import annotations

import argparse
import compileall
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from pathlib import Path

import pipeline
from bench.ingest.contenders import contenders
from bench.ingest.measure import MODES, Weight, round_of, serving
from bench.ingest.report import report

PEERS = ("reader", "rss2email", "feedparser", "httpx", "sgmllib3k")  # the last one reader needs and does not name
RESULTS = Path(__file__).parent / "RESULTS.md"


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description="What a run of many feeds costs.")
    parser.add_argument("--feeds", type=int, default=100, metavar="N", help="number of feeds (default: 100)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="number of rounds (default: 3)")
    parser.add_argument("--modes", nargs="*", default=MODES, choices=MODES, metavar="MODE", help=", ".join(MODES))
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME", help="ours, reader, rss2email, httpx …")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="an environment that has them, or is to get them")
    parser.add_argument("--save", action="store_true", help="write RESULTS.md")
    return parser.parse_args()


def with_peers(folder: Path) -> Path:
    """Create the environment of the other programs unless it exists, and return its folder."""
    if not (folder / "bin" / "r2e").exists():
        venv.create(folder, with_pip=True)
        quietly = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*quietly, *PEERS], check=True)
    return folder


def main() -> int:
    """Measure, print, and with --save write RESULTS.md."""
    asked = options()
    compileall.compile_dir(Path(pipeline.__file__).parent, quiet=1)  # as pip did with the others
    found: dict[tuple[str, str], list[Weight]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary, serving() as server:
        peers = asked.peers or Path(temporary) / "peers"
        everybody = [each for each in contenders(peers).values() if not asked.only or each.name in asked.only]
        if any(each.is_peer for each in everybody):
            with_peers(peers)
        modes = [mode for mode in MODES if mode in asked.modes]
        for number in range(asked.runs):
            for mode, name, weight in round_of(server, everybody, asked.feeds, modes, Path(temporary) / str(number)):
                print(f"round {number + 1}, {mode}: {name} {weight.cpu_seconds:.2f} s", file=sys.stderr, flush=True)
                found[mode, name].append(weight)
    text = report(found, asked.feeds, peers)
    print(text)
    if asked.save:
        RESULTS.write_text(text)
    return int(any(weight.ended for weights in found.values() for weight in weights))


if __name__ == "__main__":
    sys.exit(main())
