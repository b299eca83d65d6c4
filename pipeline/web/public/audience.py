"""Settings, jobs and templates of the pages for subscribers, reloaded when config.toml changes.

A sign-up must not parse config.toml or compile a template, so both are kept until the file changes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipeline.app import App
from pipeline.app.audience import build_audience_context, build_sign_up, public_style, public_url
from pipeline.app.digests import template_folders
from pipeline.app.reload import ReloadingApp
from pipeline.digest.render.translations import translator_for
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.sign_up import SignUp
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.digest import Publication
from pipeline.model.subscriber import Wording
from pipeline.text.message_headers import parse_mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """One state of config.toml: settings, jobs and templates for the pages."""

    app: App
    context: AudienceContext
    sign_up: SignUp
    subscriptions: Subscriptions
    templates: Environment
    stylesheet: str
    """CSS in the colours and fonts of the newsletter."""
    proxies: tuple[str, ...]
    embed_on: tuple[str, ...]
    min_seconds: float
    wordings: dict[tuple[str, str], Wording] = field(default_factory=dict)
    """The current wording by form and language, once it is known."""
    challenged: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    """Whether each form asks for a challenge, and when that was found out."""

    @property
    def publication(self) -> Publication:
        """The publication that people subscribe to."""
        return self.context.publication

    @property
    def public_url(self) -> str:
        """The URL of the pages, without a slash at its end."""
        return self.context.public_url

    @property
    def contact(self) -> str:
        """The address that people may write to."""
        return parse_mailbox(self.publication.sender).address

    @property
    def stylesheet_version(self) -> str:
        """A text that differs for each stylesheet, part of its URL."""
        return sha256(self.stylesheet.encode()).hexdigest()[:12]


class LiveAudience:
    """The audience of a config.toml, as it is now. A context manager: it closes the store."""

    def __init__(self, path: Path, *, unattended: bool = False) -> None:
        self._app = ReloadingApp(path, unattended=unattended)
        self._lock = threading.Lock()
        self._audience: Audience | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._app.close()

    @property
    def is_on(self) -> bool:
        """Whether config.toml names a URL of the pages."""
        return bool(public_url(self._app.app))

    def current(self) -> Audience:
        """Return the audience; safe in any thread."""
        with self._lock:
            app = self._app.current()
            if self._audience is None or self._audience.app is not app:
                self._audience = build_audience(app)
            return self._audience


def build_audience(app: App) -> Audience:
    """Return settings, jobs and templates of one state of config.toml."""
    context = build_audience_context(app)
    templates = load_page_templates(template_folders(app))
    style = templates.get_template("style.css.j2")
    return Audience(
        app=app,
        context=context,
        sign_up=build_sign_up(app, context),
        subscriptions=Subscriptions(context),
        templates=templates,
        stylesheet=style.render(style=public_style(app), direction=translator_for(app.publication.language).direction),
        proxies=app.config.public.proxies,
        embed_on=app.config.public.embed_on,
        min_seconds=app.config.signup.min_seconds,
    )


def load_page_templates(folders: tuple[Path, ...]) -> Environment:
    """Return the templates of the pages; those beside config.toml replace those of the program, one by one."""
    return Environment(
        loader=FileSystemLoader([folder / "public" for folder in folders]),
        autoescape=select_autoescape(disabled_extensions=("css.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
