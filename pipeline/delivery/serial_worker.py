"""Send copies over connections that wait for each answer, a thread for each connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.jobs.ports import DeliveryConnection, DeliveryJobs


@dataclass(frozen=True, slots=True)
class SerialWorker:
    """A worker that sends one batch after the other."""

    connection: DeliveryConnection
    max_batch: int

    def run(self, jobs: DeliveryJobs) -> None:
        """Send copies until there are no more."""
        while copies := jobs.take(self.max_batch):
            for copy, result in zip(copies, self.connection.send(copies, jobs.commit), strict=True):
                jobs.finish(copy, result)

    def close(self) -> None:
        """End the connection."""
        self.connection.close()


def serial_workers(
    open_connection: Callable[[], DeliveryConnection], *, max_batch: int, connections: int
) -> Sequence[SerialWorker]:
    """Return a worker for each of some connections, none of which connects yet."""
    return [SerialWorker(open_connection(), max_batch) for _ in range(connections)]
