"""Builders for mail services with an API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipeline.config import delivery_secret

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.delivery.mail_api.backend import ApiBackend
    from pipeline.model.schedule import Clock


def build_service_backend(app: App, name: str, clock: Clock) -> ApiBackend:
    """Return what delivers copies through a mail service.

    ConfigError if a setting or the key is missing; ValueError if ``delivery.services`` has no such service.
    """
    from pipeline.delivery.mail_api.backend import ApiBackend
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
    return ApiBackend(service=load_service(name, account), clock=clock)
