"""Measure sending an edition by SMTP beside Postfix's smtp-source, and freezing the recipients of a large one.

Both send messages of the same size over ten connections on loopback to smtp-sink, which throws them away, in turns.
Ours are personalised, recorded durably in an SQLite store on disk, and sent once unsigned and once with DKIM (RSA, 2048
bits). The exit code is 1 if the unsigned rate is below 0.4 of smtp-source's or the signed one below 0.25, if freezing
takes a minute, or if memory grows with the recipients. Needs Debian's postfix, which is not started.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from pipeline.audience.tokens import PURPOSES
from pipeline.delivery.dkim import DkimKey, DkimSigner, make_private_key
from pipeline.delivery.personalise import PersonalMessage
from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.sender import SmtpBackend
from pipeline.jobs.audience.context import AudienceContext, SignupRules
from pipeline.jobs.deliveries.copies import AddSignature, CopyWriter, list_identity
from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.jobs.deliveries.sender import DeliverySender
from pipeline.model.digest import Publication
from pipeline.store import Store

SAMPLE = Path(__file__).parents[1] / "tests" / "golden" / "sample.eml"
NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
MESSAGE_BYTES = 65_000
CONNECTIONS = 10
MIN_UNSIGNED, MIN_SIGNED = 0.4, 0.25
MAX_FREEZE_SECONDS = 60
MAX_GROWTH_MB = 30
PUBLICATION = Publication(
    name="Harbour & Hearth",
    url="https://harbourandhearth.example/",
    timezone="UTC",
    language="en",
    sender="Harbour & Hearth <letter@harbourandhearth.example>",
    editor="letter@harbourandhearth.example",
    postal_address="",
)


def edition() -> bytes:
    """Return the sample edition with a comment that makes it as long as a large newsletter."""
    sample = SAMPLE.read_bytes()
    line = b"x" * 74 + b"\r\n"
    comment = b"<!--\r\n" + line * ((MESSAGE_BYTES - len(sample)) // len(line)) + b"-->\r\n"
    return sample.replace(b"</body>", comment + b"</body>")


def subscribe(path: Path, first: int, last: int) -> None:
    """Add active subscribers by their numbers, in one statement."""
    rows = (
        "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO subscriber (address, "
        "address_key, state, name, topics, frequency, language, form, created_at, changed_at, new_address) SELECT "
        "'p' || i || '@mail' || (i % 300) || '.example', 'p' || i || '@mail' || (i % 300) || '.example', 'active', '', "
        "'posts episodes links', 'every', '', '', ?, ?, '' FROM n"
    )
    with sqlite3.connect(path) as connection:
        at = NOW.replace(tzinfo=None).isoformat(" ", "microseconds")
        connection.execute(rows, (first, last, at, at))
    connection.close()


def audience(store: Store, folder: Path) -> AudienceContext:
    """Return what links to subscribers are made from."""
    rules = SignupRules(
        keep_unconfirmed=timedelta(days=7),
        max_per_network=1,
        max_per_form=1,
        min_seconds=0,
        challenge="never",
        allow_disposable=True,
        allow_role=True,
        best_of_after=None,
    )
    keys = {purpose: f"key of {purpose}" for purpose in (*PURPOSES, "suppression", "delivery")}
    url = "https://news.harbourandhearth.example"
    return AudienceContext(
        store=store, publication=PUBLICATION, forms={}, rules=rules, public_url=url, folder=folder, keys=keys
    )


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink and return its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "100"])
    try:
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def smtp_source(port: int, messages: int) -> float:
    """Return how many messages a second smtp-source sends."""
    began = time.perf_counter()
    numbers = ["-s", str(CONNECTIONS), "-m", str(messages), "-l", str(MESSAGE_BYTES)]
    addresses = ["-f", "letter@harbourandhearth.example", "-t", "p@mail.example"]
    subprocess.run(["smtp-source", "-d", *numbers, *addresses, f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - began)


def freeze(store: Store, week: str) -> float:
    """Freeze the recipients of an edition and return how many seconds that took."""
    began = time.perf_counter()
    store.dispatches.start((week, 0), now=NOW, actor="bench")
    store.dispatches.freeze((week, 0), {"whole": [("posts episodes links", "every")]}, NOW)
    return time.perf_counter() - began


def send(
    store: Store, folder: Path, week: str, port: int, add_signature: AddSignature, *, at_most: int = sys.maxsize
) -> float:
    """Send a frozen edition, and return how many copies a second were sent."""
    context, key = audience(store, folder), (week, 0)
    message = PersonalMessage.compile(edition(), list_identity(context, week))
    smtp = Smtp(host="127.0.0.1", port=port, sender="", security="none", helo="harbourandhearth.example")
    copies = CopyWriter(
        context=context,
        week=week,
        messages={"whole": message},
        bounce_address="bounces@harbourandhearth.example",
        add_signature=add_signature,
    )
    sent = Counter[str]()
    delivery = DeliverySender(
        store=store,
        context=context,
        backend=SmtpBackend(smtp, messages_per_connection=1_000),
        limits=SendLimits(zone=UTC, connections=CONNECTIONS),
        uncertain="hold",
        owner="bench",
        clock=lambda: datetime.now(UTC),
        wait=time.sleep,
        is_stopping=lambda: sent["sent"] >= at_most,
        on_progress=lambda progress: sent.update({"sent": progress.done - sent["sent"]}),
    )
    began = time.perf_counter()
    delivery.run(key, copies, patience=timedelta())
    seconds = time.perf_counter() - began
    dispatch = store.dispatches.get(*key)
    if not dispatch or dispatch.counts.get("sent", 0) < min(at_most, dispatch.total) or dispatch.failed:
        raise SystemExit(f"not everybody got it: {dispatch and dispatch.in_words()}")
    return dispatch.counts["sent"] / seconds


def compare(messages: int, rounds: int) -> bool:
    """Print the rates of all three; return whether ours are high enough."""
    signer = DkimSigner("harbourandhearth.example", [DkimKey.read("s1", make_private_key())])
    ways: dict[str, AddSignature] = {"unsigned": lambda message: message, "signed": signer.sign}
    rates: dict[str, list[float]] = {"smtp-source": [], **{name: [] for name in ways}}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, sink() as port:
        store = Store.open(f"sqlite:///{name}/bench.db")
        subscribe(Path(name) / "bench.db", 1, messages)
        for number in range(rounds):
            rates["smtp-source"].append(smtp_source(port, messages))
            for way, add_signature in ways.items():
                freeze(store, f"{way}-{number}")
                rates[way].append(send(store, Path(name), f"{way}-{number}", port, add_signature))
        store.close()
    theirs = median(rates["smtp-source"])
    for way, values in rates.items():
        shares = f"  {median(values) / theirs:.2f} of smtp-source" if way != "smtp-source" else ""
        print(f"{way:<12}{median(values):>8,.0f} messages a second{shares}", flush=True)
    return median(rates["unsigned"]) >= MIN_UNSIGNED * theirs and median(rates["signed"]) >= MIN_SIGNED * theirs


def peak_mb() -> float:
    """Return the peak of the memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scale(people: int, sample: int) -> bool:
    """Print how long freezing takes, and how memory grows when a few of many people are sent to, not all of a few."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, sink() as port:
        store = Store.open(f"sqlite:///{name}/bench.db")
        subscribe(Path(name) / "bench.db", 1, sample)
        freeze(store, "few")
        send(store, Path(name), "few", port, lambda message: message)
        before = peak_mb()
        subscribe(Path(name) / "bench.db", sample + 1, people)
        seconds = freeze(store, "many")
        rate = send(store, Path(name), "many", port, lambda message: message, at_most=sample)
        growth = peak_mb() - before
        store.close()
    print(f"frozen      {people:>8,} recipients in {seconds:.1f} s; then {rate:,.0f} messages a second")
    print(f"memory      {before:>8.0f} MB for {sample:,} recipients, {growth:.0f} MB more for {people:,}", flush=True)
    return seconds < MAX_FREEZE_SECONDS and growth <= MAX_GROWTH_MB


def main() -> int:
    """Run both measurements; return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=1_000_000, help="0: skip freezing")
    parser.add_argument("--sample", type=int, default=10_000, help="how many of these to send to")
    options = parser.parse_args()
    if not shutil.which("smtp-source"):
        print("install Debian's postfix for smtp-source and smtp-sink", file=sys.stderr)
        return 1
    is_fast = compare(options.messages, options.rounds)
    return int(not (is_fast and (not options.people or scale(options.people, options.sample))))


if __name__ == "__main__":
    sys.exit(main())
