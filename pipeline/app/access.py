"""Builders for the access to the desk: its editors, sessions, and links to log in."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pipeline.app.delivery import build_mailer, web_url
from pipeline.app.digests import template_folders
from pipeline.model.editor import Editor
from pipeline.model.errors import ConfigError
from pipeline.text.message_headers import parse_mailbox

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.app.app import App
    from pipeline.jobs.access.log_in import LogIn
    from pipeline.jobs.access.sessions import Sessions


def editors(app: App) -> tuple[Editor, ...]:
    """Return the editors that config.toml names."""
    return tuple(
        Editor(name=editor.name, address=editor.address, may_approve=editor.may_approve)
        for editor in app.config.editors
    )


def proof_editor(app: App) -> Editor:
    """Return who gets the proofs: one of ``editors`` if they are named there, else an editor named by the address."""
    address = parse_mailbox(app.publication.editor).address
    unnamed = Editor(name=address, address=address, may_approve=True)
    return next((editor for editor in editors(app) if editor.key == unnamed.key), unnamed)


def build_sessions(app: App) -> Sessions:
    """Return the sessions of the desk."""
    from pipeline.jobs.access.sessions import Sessions

    return Sessions(app.store(), editors(app), proof_editor(app))


def build_log_in(app: App) -> LogIn:
    """Return what makes and uses links to log in; the key that signs them is created at first use."""
    from pipeline.jobs.access.log_in import LogIn
    from pipeline.jobs.access.tokens import LOG_IN_PURPOSE

    return LogIn(
        store=app.store(),
        editors=editors(app),
        sessions=build_sessions(app),
        signing_key=app.store().proofs.signing_key(LOG_IN_PURPOSE, token_urlsafe(32)),
    )


def create_log_in_url(app: App, editor: Editor, *, now: datetime) -> str:
    """Return a new link with which an editor logs in once. Raise ConfigError if no desk is served."""
    if not app.config.web.listen:
        raise ConfigError(f"{app.config.path}: set [web] listen: while it is empty, `pipeline run` serves no desk.")
    return f"{web_url(app)}/log-in/{build_log_in(app).create_token(editor, now=now)}"


def desk_url(app: App) -> str:
    """Return the URL of the desk; that of all addresses of this machine is that of any other machine."""
    listen = app.config.web.listen
    return app.config.web.url or (listen and f"http://{listen}")


def sends_links(app: App) -> bool:
    """Check whether links to log in are sent: only a mail server does that, the outbox is just a folder."""
    return bool(app.config.delivery.smtp_host)


def send_log_in_link(app: App, editor: Editor, path: str, *, now: datetime) -> None:
    """Send an editor a new link, which leads to ``path`` of the desk. DeliveryError if it was not sent."""
    from pipeline.digest.render.person_mail import LogInMailContent, load_log_in_mail_templates
    from pipeline.jobs.access.log_in import LINK_TTL

    url = create_log_in_url(app, editor, now=now)
    content = LogInMailContent(
        publication=app.publication,
        name=editor.name,
        url=f"{url}?{urlencode({'next': path})}" if path != "/" else url,
        minutes=int(LINK_TTL.total_seconds()) // 60,
        now=now.astimezone(ZoneInfo(app.publication.timezone)).replace(microsecond=0),
    )
    templates = load_log_in_mail_templates(template_folders(app), app.config.digest.theme)
    message_id = f"{now:%Y%m%d%H%M%S}.{token_urlsafe(9)}.log-in"
    build_mailer(app).send(templates.message(content, editor.address, message_id=message_id), editor.address)
