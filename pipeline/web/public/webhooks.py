"""Webhooks of mail services, at ``/webhooks/NAME``: what became of messages after they were accepted."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app.services import build_webhook
from pipeline.delivery.mail_api.sns import Certificates
from pipeline.delivery.mail_api.webhooks import WebhookReport, WebhookRequest
from pipeline.jobs.deliveries.events import EventRecorder
from pipeline.model.errors import WebhookRefusedError, WebhookUncheckedError
from pipeline.model.schedule import Clock
from pipeline.web.forms import with_limited_body
from pipeline.web.public.audience import Audience, LiveAudience
from pipeline.web.public.writer import Writer

MAX_BODY_BYTES = 512_000
"""A notification of Amazon SNS may have 256 KB, and its JSON is encoded twice."""
NONCE_LIFETIME = timedelta(days=2)
"""How long a nonce is remembered: longer than a request with it is accepted."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPages:
    """Handlers of webhooks."""

    live: LiveAudience
    clock: Clock
    writer: Writer
    certificates: Certificates

    def routes(self) -> list[BaseRoute]:
        """Return the route: other methods than POST do nothing."""
        return [Route("/webhooks/{name}", self._receive, methods=["POST"])]

    async def _receive(self, request: Request) -> Response:
        body = await with_limited_body(request, MAX_BODY_BYTES).body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        claimed = WebhookRequest(headers=headers, body=body)
        return await run_in_threadpool(self._handle, str(request.path_params["name"]), claimed)

    def _handle(self, name: str, request: WebhookRequest) -> Response:
        audience, now = self.live.current(), self.clock()
        webhook = build_webhook(audience.app, name, self.certificates)
        if webhook is None:
            raise HTTPException(404)
        try:
            report = webhook.read(request, now)
        except WebhookUncheckedError as error:
            log.warning("a webhook of %s could not be checked: %s", name, error)
            return PlainTextResponse("Try again later.", status_code=503, headers={"Retry-After": "120"})
        except WebhookRefusedError as error:
            log.warning("a webhook of %s was refused: %s", name, error)
            return PlainTextResponse("This request is not accepted.", status_code=403)
        if report.events or report.nonce:
            self.writer.run(audience.context.store, lambda: self._record(audience, name, report, now))
        return PlainTextResponse("Thank you.")

    def _record(self, audience: Audience, name: str, report: WebhookReport, now: datetime) -> None:
        """Record the events of a report, unless its nonce was used before."""
        if report.nonce:
            key = f"webhook {name} {sha256(report.nonce.encode()).hexdigest()[:32]}"
            if audience.context.store.signup_limits.count(key, within=NONCE_LIFETIME, now=now) > 1:
                log.info("a webhook of %s came again", name)
                return
        max_soft = audience.app.config.bounces.max_soft
        recorder = EventRecorder(subscriptions=audience.subscriptions, max_soft=max_soft)
        for event in report.events:
            recorder.record(event, now)
