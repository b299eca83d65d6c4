"""Builders for everything that sends: backend, mailer, proof sender, and the notifier of [notify]."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from secrets import token_urlsafe
from ssl import create_default_context
from typing import TYPE_CHECKING

from pipeline.app.digests import build_digest_context, template_folders
from pipeline.app.services import build_service_backend
from pipeline.config import smtp_password
from pipeline.config.sections import MAIL_OFF
from pipeline.delivery.services import SERVICES
from pipeline.model.errors import ConfigError
from pipeline.text.message_headers import parse_mailbox

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.delivery.dkim import DkimKey
    from pipeline.delivery.outbox import Outbox
    from pipeline.delivery.smtp.client import Smtp
    from pipeline.jobs.editions.recovery import Recovery
    from pipeline.jobs.monitoring.notifier import AlertChannel, Notifier
    from pipeline.jobs.ports import Backend, DeliveryBackend, Mailer
    from pipeline.jobs.proof.send import ProofSender
    from pipeline.model.alert import Alert
    from pipeline.model.proof import SendPolicy
    from pipeline.model.schedule import Clock

STEP_TIMEOUT_SECONDS = 60.0
"""How long to wait for each reply of the server but the last."""
FINAL_REPLY_TIMEOUT_SECONDS = 60.0
"""How long to wait for the server's reply to one message. Other tasks wait meanwhile; a duplicate does little harm."""
EDITION_REPLY_TIMEOUT_SECONDS = 600.0
"""How long to wait for the reply to a subscriber's copy (RFC 5321, 4.5.3.2.6): giving up means not to know."""
_LOCAL_BUTTONS = "The buttons work on the computer that runs the program; set [web] url to make them work elsewhere."


def build_backend(app: App) -> Backend:
    """Return the backend that editions are sent through."""
    return build_outbox(app)


def build_recovery(app: App) -> Recovery:
    """Return what finds out which editions were sent, through the backend or not, without the store's knowledge."""
    from pipeline.jobs.editions.recovery import Recovery

    domain = parse_mailbox(app.publication.sender).domain
    return Recovery(
        backend=build_backend(app),
        editions_folder=app.editions_folder,
        calendar=app.calendar,
        domain=domain,
        leaves_receipts=app.config.delivery.backend == "outbox",
    )


def build_delivery_backend(app: App, clock: Clock) -> DeliveryBackend | None:
    """Return what delivers to subscribers; None for the outbox, which delivers to nobody."""
    from pipeline.delivery.maildir import MaildirBackend
    from pipeline.delivery.smtp.sender import SmtpBackend

    settings = app.config.delivery
    if settings.backend == "outbox":
        return None
    if settings.backend == "maildir":
        return MaildirBackend(app.folder / settings.maildir)
    if settings.backend != "smtp":
        return build_service_backend(app, settings.backend, clock)
    smtp = build_smtp(app)
    if smtp is None:
        raise ConfigError('[delivery] backend = "smtp" needs a mail server: set smtp_host.')
    patient = replace(
        smtp,
        final_timeout_seconds=EDITION_REPLY_TIMEOUT_SECONDS,
        create_ssl_context=cache(create_default_context),  # all connections share one: it reads 140 certificates
    )
    return SmtpBackend(patient, settings.messages_per_connection)


def build_signer(app: App) -> Callable[[bytes], bytes]:
    """Return what adds DKIM signatures to messages, or leaves them as they are if there is no key.

    ConfigError if a key cannot be read.
    """
    keys = [read_dkim_key(app, *names) for names in dkim_key_settings(app)]
    if not keys:
        return lambda message: message
    from pipeline.delivery.dkim import DkimSigner

    return DkimSigner(dkim_domain(app), keys).sign


def dkim_domain(app: App) -> str:
    """Return the domain of DKIM signatures."""
    return app.config.delivery.dkim_domain or parse_mailbox(app.publication.sender).domain


def bounce_domain(app: App) -> str:
    """Return the domain of the envelope sender, in lower case; empty if that is the service's own."""
    if app.config.delivery.backend in SERVICES:
        return ""
    return parse_mailbox(app.config.bounces.address or app.publication.sender).domain.lower()


def dkim_key_settings(app: App) -> Iterator[tuple[str, str, str]]:
    """Yield the setting, the selector and the file of each configured key, that of RSA first."""
    settings = app.config.delivery
    if settings.dkim_key:
        yield "dkim_key", settings.dkim_selector, settings.dkim_key
    if settings.dkim_ed25519_key:
        yield "dkim_ed25519_key", settings.dkim_ed25519_selector, settings.dkim_ed25519_key


def read_dkim_key(app: App, setting: str, selector: str, file: str) -> DkimKey:
    """Return a configured key; ConfigError if its file cannot be read, or has no key of its kind."""
    from pipeline.delivery.dkim import DkimKey

    where = f"[delivery] {setting}: {file}"
    try:
        key = DkimKey.read(selector, (app.folder / file).read_bytes())
    except OSError as error:
        fix = "make it with `pipeline doctor --make-dkim-key`, or correct the name"
        raise ConfigError(f"{where} cannot be read ({error.strerror}): {fix}.") from error
    except ConfigError as error:
        raise ConfigError(f"{where} cannot be used: {error}.") from error
    if key.kind != ("rsa" if setting == "dkim_key" else "ed25519"):
        raise ConfigError(f"{where} cannot be used: it contains a key of the other kind, {key.kind}.")
    return key


def build_mailer(app: App) -> Mailer:
    """Return what sends single mails: the mail server, or the outbox if none is configured."""
    return build_smtp(app) or build_outbox(app)


def build_smtp(app: App) -> Smtp | None:
    """Return the mail server; None if none is configured, ConfigError if the environment lacks its password."""
    from pipeline.delivery.smtp.client import DEFAULT_PORTS, Smtp

    settings = app.config.delivery
    if not settings.smtp_host:
        return None
    sender = parse_mailbox(app.publication.sender)
    return Smtp(
        host=settings.smtp_host,
        port=settings.smtp_port or DEFAULT_PORTS[settings.smtp_security],
        sender=sender.address,
        security=settings.smtp_security,  # type: ignore[arg-type]  # config checked that it is one of Security
        username=settings.smtp_username,
        password=smtp_password(settings, os.environ),
        timeout_seconds=min(STEP_TIMEOUT_SECONDS, settings.smtp_deadline_seconds),
        deadline_seconds=settings.smtp_deadline_seconds,
        final_timeout_seconds=FINAL_REPLY_TIMEOUT_SECONDS,
        helo=sender.domain,
    )


def web_url(app: App) -> str:
    """Return the URL of the daemon's pages without a trailing slash; empty if they are not served."""
    settings = app.config.web
    listen = settings.listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
    return (settings.url or (listen and f"http://{listen}")).rstrip("/")


def sends_unapproved(app: App) -> bool:
    """Check whether editions are sent without approval: only if a mail server can send the editor a proof first."""
    return app.config.digest.approval == "unless-held" and bool(app.config.delivery.smtp_host)


def send_policy(app: App) -> SendPolicy:
    """Return the rules for sending an edition automatically."""
    from pipeline.model.proof import SendPolicy

    settings = app.config.schedule
    return SendPolicy(
        calendar=app.calendar,
        schedule=settings.send,
        sends_unapproved=sends_unapproved(app),
        late_limit=settings.late_limit,
    )


def proof_signing_key(app: App) -> str:
    """Return the key that signs proof tokens, created at first use and kept in the store."""
    from pipeline.jobs.proof.tokens import PROOF_PURPOSE

    return app.store().proofs.signing_key(PROOF_PURPOSE, token_urlsafe(32))


def build_proof_sender(app: App) -> ProofSender:
    """Return what sends proofs to the editor."""
    from pipeline.digest.render.proof_banner import load_banner_templates
    from pipeline.jobs.proof.send import ProofSender

    url = web_url(app)
    return ProofSender(
        store=app.store(),
        context=build_digest_context(app),
        mailer=build_mailer(app),
        banner=load_banner_templates(template_folders(app)),
        send_policy=send_policy(app),
        signing_key=proof_signing_key(app),
        web_url=url,
        hint=_LOCAL_BUTTONS if url and not app.config.web.url else "",
        open_link_fetcher=app.link_fetcher,
    )


def build_notifier(app: App) -> Notifier:
    """Return the notifier, with the channels of [notify]."""
    from pipeline.jobs.monitoring.notifier import Notifier

    channels: dict[str, AlertChannel] = {}
    if command := app.config.notify.command:
        from pipeline.delivery.notify_command import CommandNotifier

        channels["command"] = CommandNotifier(command=command, folder=app.folder, environment=os.environ).send
    if recipient := alert_recipient(app):
        channels["mail"] = _mail_channel(app, recipient)
    return Notifier(alerts=app.store().alerts, channels=channels)


def alert_recipient(app: App) -> str:
    """Return who gets alerts by mail, by default the editor if there is a mail server; empty for nobody."""
    setting = app.config.notify.mail
    default = app.publication.editor if app.config.delivery.smtp_host else ""
    return "" if setting == MAIL_OFF else setting or default


def _mail_channel(app: App, recipient: str) -> AlertChannel:
    from pipeline.delivery.notify_mail import alert_message

    def send(alert: Alert) -> str:
        publication = app.publication
        message = alert_message(alert, sender=publication.sender, recipient=recipient, name=publication.name)
        address = parse_mailbox(recipient).address
        mailer = build_mailer(app)
        path = mailer.send(message, address)
        return f"{mailer.outcome}: {path}" if path else f"{mailer.outcome} to {address}"

    return send


def build_outbox(app: App) -> Outbox:
    """Return the folder of messages that are not sent by a server."""
    from pipeline.delivery.outbox import Outbox

    return Outbox(app.folder / app.config.delivery.outbox)
