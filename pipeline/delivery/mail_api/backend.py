"""Deliver copies through a mail service's API: the backend that every service shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.delivery.mail_api.client import Request, ServiceClient
from pipeline.delivery.mail_api.service import MAX_REPLY_CHARS, MailService, status_result, without_secrets
from pipeline.delivery.serial_worker import SerialWorker, serial_workers
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.schedule import Clock

REPEAT_PAUSES = (1.0, 5.0, 20.0)
"""Seconds before a request with a key is sent again whose answer was lost."""
CommitFinal = Callable[[Sequence[Copy]], Sequence[Copy]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiBackend:
    """A DeliveryBackend: each copy becomes a message of the service, several a request where it takes them."""

    service: MailService
    clock: Clock
    create_client: Callable[[], ServiceClient] = ServiceClient
    wait: Callable[[float], None] = time.sleep

    @property
    def name(self) -> str:
        """The name of the service."""
        return self.service.name

    @property
    def max_batch(self) -> int:
        """How many copies one call may send."""
        return self.service.max_batch

    def open_workers(self, connections: int) -> Sequence[SerialWorker]:
        """Return one for each connection."""
        return serial_workers(self.open, max_batch=self.max_batch, connections=connections)

    def open(self) -> ApiConnection:
        """Return a connection for one thread, which does not connect yet."""
        return ApiConnection(backend=self)


@dataclass(slots=True, kw_only=True)
class ApiConnection:
    """A DeliveryConnection to a mail service, for one thread."""

    backend: ApiBackend
    _client: ServiceClient | None = field(default=None, init=False)

    def send(self, copies: Sequence[Copy], commit: CommitFinal) -> Sequence[DeliveryResult]:
        """Send copies and return the result of each, in their order. Nothing leaves before ``commit``."""
        parts = {copy.delivery_id: self.backend.service.encode(copy) for copy in copies}
        results: dict[int, DeliveryResult] = {}
        for batch in self._batches(commit(copies), parts):
            if last := next((result for result in results.values() if result.outcome in ("later", "stop")), None):
                unsent = DeliveryResult(outcome="later", reply=last.reply, slow_down=last.slow_down)
                results |= {copy.delivery_id: unsent for copy in batch}
                continue
            request = self.backend.service.request([parts[copy.delivery_id] for copy in batch], self.backend.clock())
            outcomes = self._exchange(request, len(batch))
            results |= {copy.delivery_id: outcome for copy, outcome in zip(batch, outcomes, strict=True)}
        lost = DeliveryResult(outcome="lost")
        return [self._shown(results.get(copy.delivery_id, lost)) for copy in copies]

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _shown(self, result: DeliveryResult) -> DeliveryResult:
        """Return a result without secrets, which a service may repeat, and of the length that is stored."""
        secrets = self.backend.service.secrets
        reply, provider_id = (
            without_secrets(text, secrets)[:MAX_REPLY_CHARS].rstrip() for text in (result.reply, result.provider_id)
        )
        return replace(result, reply=reply, provider_id=provider_id)

    def _batches(self, copies: Sequence[Copy], parts: dict[int, bytes]) -> Iterator[list[Copy]]:
        """Yield the copies of each request, within the limits of the service."""
        batch: list[Copy] = []
        size = 0
        for copy in copies:
            length = len(parts[copy.delivery_id]) + 1
            too_large = size + length > self.backend.service.max_request_bytes
            if batch and (too_large or len(batch) == self.backend.max_batch):
                yield batch
                batch, size = [], 0
            batch.append(copy)
            size += length
        if batch:
            yield batch

    def _exchange(self, request: Request, count: int) -> Sequence[DeliveryResult]:
        """Send a request and return the results of its ``count`` copies.

        If the answer is lost, a service with request keys is sent the same request again, and says what became of the
        first. A refusal of the second says nothing about that: the service may have accepted the first.
        """
        first = self._send_once(request, count)
        if not self.backend.service.has_request_key or any(result.outcome != "uncertain" for result in first):
            return first
        for seconds in REPEAT_PAUSES:
            self.backend.wait(seconds)
            results = self._send_once(request, count)
            if any(result.outcome in ("sent", "failed") for result in results):
                return results
        return first

    def _send_once(self, request: Request, count: int) -> Sequence[DeliveryResult]:
        if self._client is None:
            self._client = self.backend.create_client()
        service, answer = self.backend.service, self._client.send(request)
        if 200 <= answer.status < 300:
            return service.results(answer, count) or [status_result(answer)] * count
        refusal = service.refusal(answer, count) if answer.status else None
        return [refusal or status_result(answer)] * count
