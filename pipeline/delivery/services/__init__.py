"""Mail services with an API, one file each: a new service is a new file here (docs/services.md says what it contains).

A file is named as ``[delivery] backend`` names the service; its ``SERVICE`` is the class, built from an Account.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.delivery.mail_api.service import Account, MailService

SERVICES = tuple(sorted(module.name for module in iter_modules(__path__)))
"""The names of all services."""


def load_service(name: str, account: Account) -> MailService:
    """Return the service of a name. ConfigError if a setting that it needs is missing; ValueError for another name."""
    if name not in SERVICES:
        raise ValueError(f"there is no mail service {name!r}")
    service: MailService = import_module(f"{__name__}.{name}").SERVICE(account)
    return service
