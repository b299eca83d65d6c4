"""Mail services with an API, one file each: a new service is a new file here (docs/services.md says what it contains).

A file is named as ``[delivery] backend`` names the service. Its ``SERVICE`` is a class that is built from an Account,
its ``WEBHOOK`` another that reads what the service reports.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.delivery.mail_api.service import Account, MailService
    from pipeline.delivery.mail_api.sns import Certificates
    from pipeline.delivery.mail_api.webhooks import Get, Webhook, WebhookAccount

SERVICES = tuple(sorted(module.name for module in iter_modules(__path__)))
"""The names of all services."""


def load_service(name: str, account: Account) -> MailService:
    """Return the service of a name. ConfigError if a setting that it needs is missing; ValueError for another name."""
    if name not in SERVICES:
        raise ValueError(f"there is no mail service {name!r}")
    service: MailService = import_module(f"{__name__}.{name}").SERVICE(account)
    return service


def load_webhook(name: str, account: WebhookAccount, get: Get, certificates: Certificates) -> Webhook:
    """Return the webhooks of a service. ConfigError and ValueError as above."""
    if name not in SERVICES:
        raise ValueError(f"there is no mail service {name!r}")
    webhook: Webhook = import_module(f"{__name__}.{name}").WEBHOOK(account, get, certificates)
    return webhook
