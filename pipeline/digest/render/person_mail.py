"""Render a mail to one person with the newsletter's theme, as a complete message.

``templates/mail/`` has two templates for each kind; a theme may replace them in a folder ``mail/`` of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pipeline.digest.render.mime import to_person_eml
from pipeline.digest.render.person_mail_view import LISTED, PersonMailContent, person_mail_view
from pipeline.digest.render.render import inline_styles, tidy_text
from pipeline.digest.render.theme import Theme, load_theme, render_template
from pipeline.digest.render.translations import translator_for
from pipeline.model.subscriber import MailKind

MAIL_KINDS: tuple[MailKind, ...] = get_args(MailKind)


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
