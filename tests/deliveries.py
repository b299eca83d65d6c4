"""An edition that is sent to subscribers, for tests: a settable clock, and a backend that answers as it is told."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.delivery.serial_worker import SerialWorker
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.deliveries.deliver import Deliverer
from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.jobs.deliveries.sender import DeliverySender, SendResult
from pipeline.jobs.editions.corrections import make_correction
from pipeline.jobs.ports import CommitFinal, DeliveryBackend
from pipeline.model.correction import Correction
from pipeline.model.delivery import Copy, Delivery, DeliveryResult, DispatchKey
from pipeline.model.digest import Edition
from pipeline.model.subscriber import Subscriber
from tests.factories import entry
from tests.people import audience
from tests.publication import CLOCK, PUBLICATION, W06, W07, PublicationHarness

KEY = (str(W07), 0)
HOUR = timedelta(hours=1)
SENT = DeliveryResult(outcome="sent", reply="250 OK")
LATER = DeliveryResult(outcome="later", reply="450 try again")
REFUSED = DeliveryResult(outcome="failed", reply="550 no such user", reason="refused")
UNCERTAIN = DeliveryResult(outcome="uncertain", reply="no answer")
STOP = DeliveryResult(outcome="stop", reply="535 authentication failed")
SLOW = DeliveryResult(outcome="later", reply="421 too many messages", slow_down=True)


class ListedJobs:
    """Copies to send, and their results by number."""

    def __init__(self, copies: Sequence[Copy], commit: CommitFinal) -> None:
        self._copies, self.commit = deque(copies), commit
        self._lock = threading.Lock()
        self.results: dict[int, list[DeliveryResult]] = defaultdict(list)

    def take(self, most: int) -> Sequence[Copy]:
        with self._lock:
            return [self._copies.popleft() for _ in range(min(most, len(self._copies)))]

    def finish(self, copy: Copy, result: DeliveryResult) -> None:
        self.results[copy.delivery_id].append(result)


class OpenWorker:
    """A worker of a backend, to send copies one group after the other."""

    def __init__(self, backend: DeliveryBackend, connections: int = 1) -> None:
        [self._worker] = backend.open_workers(connections)

    def send(self, copies: Sequence[Copy], commit: CommitFinal) -> list[DeliveryResult]:
        """Return the results of copies, in their order."""
        jobs = ListedJobs(copies, commit)
        self._worker.run(jobs)
        return [jobs.results[copy.delivery_id].pop(0) for copy in copies]

    def close(self) -> None:
        self._worker.close()


class ManualClock:
    """A clock that waiting moves on."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class ScriptedBackend:
    """A backend that gives each address the results of its script, one a try, and then accepts."""

    clock: ManualClock
    scripts: dict[str, list[DeliveryResult]] = field(default_factory=dict)
    max_batch: int = 1
    before_commit: Callable[[], object] = lambda: None
    after_commit: Callable[[], object] = lambda: None
    name: str = "scripted"
    accepted: list[Copy] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open_workers(self, connections: int) -> Sequence[SerialWorker]:
        return [SerialWorker(self, self.max_batch) for _ in range(connections)]

    def close(self) -> None:
        """Do nothing."""

    def send(self, copies: Sequence[Copy], commit: CommitFinal) -> Sequence[DeliveryResult]:
        """Return what the scripts say; refusals come before the commit."""
        with self.lock:
            scripted = {copy.delivery_id: self._next(copy.address) for copy in copies}
        complete = [copy for copy in copies if scripted[copy.delivery_id].outcome in ("sent", "uncertain")]
        self.before_commit()
        confirmed = commit(complete) if complete else ()
        self.after_commit()
        lost = {copy.delivery_id for copy in complete} - {copy.delivery_id for copy in confirmed}
        with self.lock:
            self.accepted += confirmed
            self.times += [self.clock() for _ in confirmed]
        return [DeliveryResult(outcome="lost") if key in lost else result for key, result in scripted.items()]

    def _next(self, address: str) -> DeliveryResult:
        script = self.scripts.get(address.partition("@")[0], [])
        return script.pop(0) if script else SENT

    @property
    def counts(self) -> Counter[str]:
        """How many messages were accepted for each address, by its local part."""
        return Counter(copy.address.partition("@")[0] for copy in self.accepted)


class DeliveryHarness:
    """A publication with an approved edition, subscribers p0, p1 and so on, and what sends to them."""

    def __init__(self, publication: PublicationHarness, subscribers: int = 3) -> None:
        self.publication = publication
        self.store = publication.store
        publication.fetch()
        publication.set_time(CLOCK.bounds(W06)[1] + HOUR).fetch(entry("Bread", CLOCK.bounds(W06)[1] + HOUR))
        publication.set_time_after_closing(W07).digest(W07)
        self.clock = ManualClock(publication.now)
        self.backend = ScriptedBackend(self.clock)
        self.limits = SendLimits(zone=UTC)
        self.context: AudienceContext = audience(self.store, publication=PUBLICATION)
        for number in range(subscribers):
            self.subscribe(f"p{number}")
        publication.approve(W07)

    def subscribe(self, name: str, **changes: Any) -> Subscriber:
        """Add an active subscriber."""
        now = self.clock()
        address = f"{name}@quay.example"
        new = Subscriber(id=0, address=address, state="active", created_at=now, changed_at=now)
        return self.store.subscribers.add_or_lock(replace(new, **changes), address)

    def copies(self, week: str, edition: Edition) -> CopyWriter:
        """Return the writer of copies."""
        return CopyWriter.of_edition(
            self.context, week, edition, bounce_address="bounces@harbour.example", add_signature=lambda message: message
        )

    @property
    def dispatcher(self) -> Dispatcher:
        """What starts and ends dispatches."""
        return Dispatcher(
            workflow=self.publication.workflow,
            recovery=self.publication.recovery,
            open_copies=self.copies,
            backend_name="scripted",
        )

    def sender(self, **changes: Any) -> DeliverySender:
        """Return a sender, of a process of its own if ``owner`` is given."""
        values = {
            "store": self.store,
            "context": self.context,
            "backend": self.backend,
            "limits": self.limits,
            "uncertain": "hold",
            "owner": "one",
            "clock": self.clock,
            "wait": self.clock.wait,
            "lease_ttl": timedelta(days=30),  # so that a wait is one step
        }
        return DeliverySender(**values | changes)

    def run(self, *, patience: timedelta = timedelta(), key: DispatchKey = KEY, **changes: Any) -> SendResult:
        """Send what is due of the edition, or of a correction, and finish it if everything has an outcome."""
        return Deliverer(dispatcher=self.dispatcher, sender=self.sender(**changes)).run(key, patience=patience)

    def correct(self, text: str = "The market is on *Friday*.", overridden: Sequence[str] = ()) -> Correction:
        """Make a correction of the edition."""
        return make_correction(self.publication.workflow, W07, text, now=self.clock(), overridden=overridden)

    def deliveries(self, correction: int = 0) -> dict[str, Delivery]:
        """Return the deliveries of the edition, or of a correction, by the local part of their address."""
        rows = self.store.deliveries.iterate(str(W07))
        return {one.address.partition("@")[0]: one for one in rows if one.correction == correction}

    def states(self, correction: int = 0) -> Counter[str]:
        """Return how many of these deliveries are in each state."""
        return Counter(one.state for one in self.store.deliveries.iterate(str(W07)) if one.correction == correction)
