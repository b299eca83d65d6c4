"""Fork processes that send an edition, or its correction, until it is finished, or until somebody kills them.

Each line on stdin names the folder of a publication, the URL of its store, the port of a mail server, the number of the
correction, and how many hours the process's clock is ahead of the others'; the process id is printed. An error ends up
in ``errors.txt``. Forking a process that has imported everything takes milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.sender import SmtpBackend
from pipeline.digest.render.theme import Theme
from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.jobs.deliveries.sender import DeliverySender
from pipeline.model.delivery import DispatchKey, DispatchState
from pipeline.model.digest import Edition
from pipeline.model.errors import RefusedError
from tests.people import audience
from tests.publication import PUBLICATION, W07, PublicationHarness, small_theme

SPEED = 10_000
"""How much faster time passes for the sender: waits of minutes take milliseconds."""
LEASE_HOURS = 3
"""About a second for a process that lives. The next one's clock is ahead by that, so that it takes over at once."""
CONNECTIONS = 4
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


class FastClock:
    """A clock on which hours pass in a second; all processes on the machine agree about it but for ``ahead``."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def __call__(self) -> datetime:
        return EPOCH + self.ahead + timedelta(seconds=time.monotonic() * SPEED)

    def wait(self, seconds: float) -> None:
        """Wait as long as that takes on this clock, and never less than a millisecond."""
        time.sleep(max(seconds / SPEED, 0.001))


def send(folder: Path, theme: Theme, url: str, port: int, correction: int, ahead: timedelta) -> None:
    """Send the edition, or a correction, until all deliveries have an outcome; resume it when a refusal paused it."""
    harness = PublicationHarness(folder, theme, url)
    clock, context = FastClock(ahead), audience(harness.store, publication=PUBLICATION)

    def copies(week: str, edition: Edition) -> CopyWriter:
        return CopyWriter.of_edition(
            context, week, edition, bounce_address="bounces@harbour.example", add_signature=lambda message: message
        )

    dispatcher = Dispatcher(
        workflow=harness.workflow, recovery=harness.recovery, open_copies=copies, backend_name="smtp"
    )
    smtp = Smtp(
        host="127.0.0.1",
        port=port,
        sender="",
        security="none",
        timeout_seconds=0.5,
        deadline_seconds=2,
        final_timeout_seconds=0.5,
    )
    sender = DeliverySender(
        store=harness.store,
        context=context,
        backend=SmtpBackend(smtp, messages_per_connection=40),
        limits=SendLimits(zone=UTC, connections=CONNECTIONS, retry_for=timedelta(days=3_650)),
        uncertain="hold",
        owner=str(os.getpid()),
        clock=clock,
        wait=clock.wait,
        lease_ttl=timedelta(hours=LEASE_HOURS),
    )
    key = (str(W07), correction)
    writer = copies(str(W07), dispatcher.sealed(key))
    while (state := harness.store.dispatches.state(key)) != "finished":
        resume(dispatcher, key, state, clock())
        if sender.run(key, writer, patience=timedelta(days=30)).state == "finished":
            dispatcher.finish(key, clock())
        else:
            time.sleep(0.005)
    harness.store.close()


def resume(dispatcher: Dispatcher, key: DispatchKey, state: DispatchState | None, now: datetime) -> None:
    """Resume a paused dispatch, as an editor would."""
    if state == "paused":
        try:
            dispatcher.resume(key, now)
        except RefusedError:
            return  # another process did


def main() -> None:
    """Fork a process for each line of stdin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # child processes are not waited for
    theme = small_theme(Path(sys.argv[1]))
    for line in sys.stdin:
        folder, url, port, correction, ahead = line.split()
        process = os.fork()
        if process == 0:
            try:
                send(Path(folder), theme, url, int(port), int(correction), timedelta(hours=int(ahead)))
            except BaseException:
                with Path(folder, "errors.txt").open("a") as file:
                    file.write(traceback.format_exc())
            os._exit(0)
        print(process, flush=True)


if __name__ == "__main__":
    main()
