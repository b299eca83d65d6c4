"""Render a mail to one person with the newsletter's theme, as a complete message: to a subscriber or an editor.

``templates/mail/`` has two templates for each kind; a theme may replace them in a folder ``mail/`` of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import get_args

from pipeline.digest.render.digest_view import DigestView, digest_view
from pipeline.digest.render.mime import to_person_eml
from pipeline.digest.render.person_mail_view import LISTED, PersonMailContent, PersonMailView, person_mail_view
from pipeline.digest.render.render import inline_styles, tidy_text
from pipeline.digest.render.story_view import LinkView, StoryView
from pipeline.digest.render.style import ThemeStyle
from pipeline.digest.render.theme import Theme, load_theme, render_template
from pipeline.digest.render.translations import translator_for
from pipeline.model.digest import Digest, Publication
from pipeline.model.subscriber import MailKind

MAIL_KINDS: tuple[MailKind, ...] = get_args(MailKind)
LOG_IN_LANGUAGE = "en"
"""That of the mail to log in, as of the desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMail:
    """A mail to one person as HTML and plain text."""

    subject: str
    preheader: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class PersonMailTemplates:
    """The compiled templates of each kind."""

    themes: Mapping[MailKind, Theme]

    def render(self, content: PersonMailContent) -> RenderedMail:
        """Return a mail; raise TemplateError, with file and line, if a template uses an unknown name."""
        theme = self.themes[content.kind]
        view = person_mail_view(content, translator_for(content.publication.language), theme.style)
        return RenderedMail(
            subject=view.frame.subject,
            preheader=view.frame.preheader,
            html=inline_styles(render_template(theme.html, digest=view.frame, mail=view)),
            text=tidy_text(render_template(theme.text, digest=view.frame, mail=view)),
        )

    def message(self, content: PersonMailContent, address: str, *, message_id: str) -> bytes:
        """Return a mail as a message (RFC 5322); ``message_id`` is the part before the "@"."""
        rendered = self.render(content)
        return to_person_eml(
            content.publication,
            address,
            rendered.subject,
            rendered.text,
            rendered.html,
            message_id=message_id,
            unsubscribe_url=content.unsubscribe_url if content.kind in LISTED else "",
            now=content.now,
        )


def load_person_mail_templates(folders: Sequence[Path], theme: str) -> PersonMailTemplates:
    """Return the compiled templates of all kinds in a theme; raise as ``load_theme``."""
    return PersonMailTemplates({kind: load_theme(folders, theme, f"mail/{kind}") for kind in MAIL_KINDS})


def resolve_language(language: str, default: str) -> str:
    """Return a person's language if mails can be written in it, else that of the publication.

    >>> resolve_language("de-AT", "en-GB"), resolve_language("../etc", "en-GB"), resolve_language("", "fr")
    ('de-AT', 'en-GB', 'fr')
    """
    is_tag = language.isascii() and language.replace("-", "").isalnum()
    return language if is_tag and translator_for(language).is_translated else default


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInMailContent:
    """The facts that the mail states."""

    publication: Publication
    name: str
    """The editor's name."""
    url: str
    """The link."""
    minutes: int
    """How long it works."""
    now: datetime
    """When it is written; in the publication's time zone."""


@dataclass(frozen=True, slots=True)
class LogInMailTemplates:
    """The compiled templates of the mail."""

    theme: Theme

    def render(self, content: LogInMailContent) -> RenderedMail:
        """Return the mail; raise TemplateError, with file and line, if a template uses an unknown name."""
        view = log_in_mail_view(content, self.theme.style)
        return RenderedMail(
            subject=view.frame.subject,
            preheader=view.frame.preheader,
            html=inline_styles(render_template(self.theme.html, digest=view.frame, mail=view)),
            text=tidy_text(render_template(self.theme.text, digest=view.frame, mail=view)),
        )

    def message(self, content: LogInMailContent, address: str, *, message_id: str) -> bytes:
        """Return the mail as a message (RFC 5322); ``message_id`` is the part before the "@"."""
        rendered = self.render(content)
        return to_person_eml(
            content.publication,
            address,
            rendered.subject,
            rendered.text,
            rendered.html,
            message_id=message_id,
            unsubscribe_url="",
            now=content.now,
        )


def load_log_in_mail_templates(folders: Sequence[Path], theme: str) -> LogInMailTemplates:
    """Return the compiled templates in a theme; raise as ``load_theme``."""
    return LogInMailTemplates(load_theme(folders, theme, "mail/log-in"))


def log_in_mail_view(content: LogInMailContent, style: ThemeStyle) -> PersonMailView:
    """Return the view of the mail."""
    paragraphs = (
        f"Hello {content.name}, press the button to log in to the desk of {content.publication.name}. Then press "
        "“Log in” on the page that opens.",
    )
    until = f"The link works once, for {content.minutes} minutes. Do not forward this message."
    lead = StoryView(
        kind="post",
        level="lead",
        title="Log in to the desk",
        url="",
        excerpt_html="".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs),
        buttons=(LinkView(label="Log in", url=content.url),),
    )
    return PersonMailView(
        frame=_log_in_frame(content, lead, until, style),
        paragraphs=paragraphs,
        code_label="",
        code="",
        until=until,
        wording="",
    )


def _log_in_frame(content: LogInMailContent, lead: StoryView, until: str, style: ThemeStyle) -> DigestView:
    digest = Digest(
        week="",
        opens_at=content.now,
        closes_at=content.now,
        publication=replace(content.publication, language=LOG_IN_LANGUAGE),
        subject=f"Log in to the desk of {content.publication.name}",
        preheader=until,
        sections=(),
        decisions=(),
    )
    view = digest_view(digest, translator_for(LOG_IN_LANGUAGE), style)
    reason = (
        "You get this message because somebody, probably you, asked for a link to log in, and this address is named "
        "among the editors. If it was not you, ignore it: without the link nobody can log in."
    )
    return replace(
        view,
        top_line="",
        lead=lead,
        sections=(),
        reason=reason,
        unsubscribe_link=replace(view.unsubscribe_link, url=""),
        preferences_link=replace(view.preferences_link, url=""),
    )
