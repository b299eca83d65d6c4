"""The content of mails to one person: links of their own, guides, and stories of past editions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from pipeline.audience.person_mails import expires_at
from pipeline.audience.tokens import Purpose, confirmation_code
from pipeline.digest.render.person_mail import PersonMailTemplates, RenderedMail, resolve_language
from pipeline.digest.render.person_mail_view import LISTED, PastStory, PersonMailContent
from pipeline.jobs.audience.context import ADDRESS_TTL, GUIDE_TTL, AudienceContext, Guide
from pipeline.model.errors import RefusedError
from pipeline.model.subscriber import MailKind, PersonMail, Subscriber, Topic
from pipeline.store import Store

MAX_PAST_STORIES = 6
_CONFIRMING: dict[MailKind, Purpose] = {"confirmation": "confirm", "address": "address"}


@dataclass(frozen=True, slots=True)
class PersonMailWriter:
    """Writes mails to one person."""

    context: AudienceContext
    templates: PersonMailTemplates

    def guide(self, mail: PersonMail) -> Guide | None:
        """Return the guide that a mail gives, if it gives one; ConfigError if its file cannot be read."""
        return self.context.guide(mail.form) if mail.kind in ("guide", "already") else None

    def expires_at(self, mail: PersonMail) -> datetime | None:
        """Return when the link to confirm, in a mail that has one, ends."""
        lifetimes: dict[MailKind, timedelta] = {
            "confirmation": self.context.rules.keep_unconfirmed,
            "address": ADDRESS_TTL,
        }
        return expires_at(mail, lifetimes)

    def message(self, mail: PersonMail, address: str, now: datetime) -> bytes:
        """Return a mail as a message, of the same Message-ID each time it is written.

        RefusedError if there is nothing to write: no guide, no past story. ConfigError if the guide cannot be read;
        TemplateError if a template cannot be rendered.
        """
        message_id = f"{mail.created_at:%Y%m%d%H%M%S}.{mail.id}.{mail.kind}"
        return self.templates.message(self.content(mail, now), address, message_id=message_id)

    def preview(self, kind: MailKind, form_id: str, language: str, now: datetime) -> RenderedMail:
        """Return a mail as it would be written to somebody who signed up with a form now, with links to nobody.

        RefusedError if there is nothing to write.
        """
        subscriber = Subscriber(
            id=0,
            address="you@example.org",
            state="unconfirmed" if kind == "confirmation" else "active",
            language=language,
            form=form_id,
            created_at=now,
            changed_at=now,
            new_address="you@example.org",
        )
        mail = PersonMail(id=0, kind=kind, subscriber=subscriber, form=form_id, attempts=1, created_at=now)
        return self.templates.render(self.content(mail, now))

    def content(self, mail: PersonMail, now: datetime) -> PersonMailContent:
        """Return the content of a mail; raise as ``message``."""
        context, subscriber = self.context, mail.subscriber
        zone = ZoneInfo(context.publication.timezone)
        language = resolve_language(subscriber.language, context.publication.language)
        content = PersonMailContent(
            kind=mail.kind,
            publication=replace(context.publication, language=language),
            now=now.astimezone(zone),
            requested_at=mail.created_at.astimezone(zone),
        )
        if mail.kind in LISTED:
            content = replace(
                content,
                preferences_url=context.link("preferences", subscriber, now),
                unsubscribe_url=context.link("unsubscribe", subscriber, now),
            )
        if mail.kind in _CONFIRMING:
            return self._confirming(mail, content, zone)
        if mail.kind == "best-of":
            stories = tuple(islice(past_stories(context.store, subscriber.preferences.topics, zone), MAX_PAST_STORIES))
            if not stories:
                raise RefusedError("no edition was sent yet")
            return replace(content, stories=stories)
        return self._giving(mail, content, zone)

    def _confirming(self, mail: PersonMail, content: PersonMailContent, zone: ZoneInfo) -> PersonMailContent:
        context, purpose = self.context, _CONFIRMING[mail.kind]
        token, ends_at = context.token(purpose, mail.subscriber, mail.created_at), self.expires_at(mail)
        content = replace(
            content,
            confirm_url=f"{context.public_url}/{purpose}/{token}",
            expires_at=ends_at and ends_at.astimezone(zone),
        )
        if mail.kind == "address":
            return content
        form, guide = context.forms.get(mail.form), context.guide_if_readable(mail.form)
        return replace(
            content,
            code=confirmation_code(token, context.keys[purpose]),
            wording=form.wording if form else "",
            guide_title=guide.title if guide else "",
        )

    def _giving(self, mail: PersonMail, content: PersonMailContent, zone: ZoneInfo) -> PersonMailContent:
        guide = self.guide(mail)
        if guide is None:
            if mail.kind == "guide":
                raise RefusedError("the form has no guide any more")
            return content
        link = f"{self.context.link('guide', mail.subscriber, mail.created_at)}?form={guide.form}"
        ends_at = (mail.created_at + GUIDE_TTL).astimezone(zone)
        return replace(
            content,
            guide_title=guide.title,
            guide_url=guide.url or link,
            expires_at=ends_at if mail.kind == "guide" and not guide.url else None,
        )


def past_stories(store: Store, topics: tuple[Topic, ...], zone: ZoneInfo) -> Iterator[PastStory]:
    """Yield the stories that opened the editions which were sent, the newest first, of some topics and each once."""
    urls = set()
    sent = (record for record in store.editions.all().values() if record.state == "sent")
    for record in sorted(sent, key=lambda record: record.week, reverse=True):
        sealed = store.corrections.newest_sent(record.week) or store.editions.sealed(record.week)
        manifest = json.loads(sealed.edition.manifest) if sealed else {}
        lead = next((story for story in manifest.get("stories", ()) if story.get("level") == "lead"), None)
        if lead and lead["section"] in topics and lead["url"] and lead["url"] not in urls:
            urls.add(lead["url"])
            lines = manifest.get("skim", ())
            text = next((line["text"] for line in lines if line["level"] == "lead"), "")
            closed_at = datetime.fromisoformat(manifest["closes_at"]).astimezone(zone)
            yield PastStory(
                title=lead["title"],
                url=lead["url"],
                text=text,
                is_episode=lead["kind"] == "episode",
                published_at=closed_at,
            )
