"""Builders for mail services with an API."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from pipeline.config import delivery_secret, fetch_proxy

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.delivery.mail_api.backend import ApiBackend
    from pipeline.delivery.mail_api.sns import Certificates
    from pipeline.delivery.mail_api.webhooks import Webhook
    from pipeline.model.schedule import Clock

SNS_SECONDS = 20.0
"""Maximum time for the answer of Amazon SNS: meanwhile it waits for ours."""


def build_service_backend(app: App, name: str, clock: Clock) -> ApiBackend:
    """Return what delivers copies through a mail service.

    ConfigError if a setting or the key is missing; ValueError if ``delivery.services`` has no such service.
    """
    from pipeline.delivery.mail_api.backend import ApiBackend
    from pipeline.delivery.mail_api.client import ServiceClient
    from pipeline.delivery.mail_api.service import Account
    from pipeline.delivery.services import load_service

    settings = app.config.delivery
    account = Account(
        key=delivery_secret(settings, "api_key_env", os.environ),
        url=settings.api_url,
        region=settings.api_region,
        domain=settings.api_domain,
        stream=settings.api_stream,
    )
    client = partial(ServiceClient, proxy=fetch_proxy(app.config.fetch, os.environ))
    return ApiBackend(service=load_service(name, account), clock=clock, create_client=client)


def build_certificates(app: App) -> Certificates:
    """Return the certificates of Amazon SNS, to be kept as long as the process runs."""
    from pipeline.delivery.mail_api.client import get_once
    from pipeline.delivery.mail_api.sns import Certificates

    proxy = fetch_proxy(app.config.fetch, os.environ)
    return Certificates(get=lambda request: get_once(request, total_seconds=SNS_SECONDS, proxy=proxy))


def build_webhook(app: App, name: str, certificates: Certificates) -> Webhook | None:
    """Return what reads a service's webhooks; None if there is no such service, or nothing that proves their origin.

    ConfigError if the environment lacks the secret, or if it is not one of this service.
    """
    from pipeline.delivery.mail_api.webhooks import WebhookAccount
    from pipeline.delivery.services import SERVICES, load_webhook

    settings = app.config.delivery
    if name not in SERVICES or not (settings.webhook_secret_env or settings.sns_topic):
        return None
    secret = delivery_secret(settings, "webhook_secret_env", os.environ)
    return load_webhook(name, WebhookAccount(secret=secret, topic=settings.sns_topic), certificates.get, certificates)
