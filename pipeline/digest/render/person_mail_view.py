"""View of a mail to one person: its words in the person's language, in the frame of the newsletter's theme.

No text of a visitor is among them, not even a name: forms can be sent in other people's names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from pipeline.digest.render import wording
from pipeline.digest.render.digest_view import DigestView, SectionView, digest_view
from pipeline.digest.render.story_view import BylinePart, LinkView, StoryView
from pipeline.digest.render.style import ThemeStyle
from pipeline.digest.render.translator import Translator
from pipeline.model.digest import Digest, Publication
from pipeline.model.subscriber import MailKind
from pipeline.text.wrap import wrap

LISTED: frozenset[MailKind] = frozenset(("already", "guide", "best-of"))
"""The kinds of mails to subscribers, who may unsubscribe; the others ask somebody to confirm something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStory:
    """A story of a past edition."""

    title: str
    url: str
    text: str
    """Its first words."""
    is_episode: bool = False
    """Whether it is only to be heard."""
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMailContent:
    """The facts that a mail to one person states."""

    kind: MailKind
    publication: Publication
    """In the person's language."""
    now: datetime
    """When the mail is written; in the publication's time zone, like the next two."""
    requested_at: datetime
    """When somebody asked for it."""
    expires_at: datetime | None = None
    """When the link to confirm or to the guide ends; None if it does not."""
    confirm_url: str = ""
    code: str = ""
    """The six digits that stand for ``confirm_url``."""
    wording: str = ""
    """The text beside the tick box that the person agrees to."""
    guide_title: str = ""
    guide_url: str = ""
    """Empty if there is no guide, or it is only announced."""
    preferences_url: str = ""
    unsubscribe_url: str = ""
    stories: tuple[PastStory, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMailView:
    """A mail to one person as templates print it; an empty field is left out."""

    frame: DigestView
    """The publication, the colours and fonts; its lead is the heading, the text and the buttons."""
    paragraphs: tuple[str, ...]
    """The text of the lead, as plain text."""
    code_label: str
    code: str
    until: str
    """How long the link works."""
    wording: str
    """What the person agrees to."""


def person_mail_view(content: PersonMailContent, translator: Translator, style: ThemeStyle) -> PersonMailView:
    """Return the view of a mail to one person."""
    until = ""
    if content.expires_at:
        until = translator.gettext("The link works until {date}.", date=translator.format_date(content.expires_at))
    heading, paragraphs, buttons = _words(content, translator)
    lead = StoryView(
        kind="post",
        level="lead",
        title=heading,
        url="",
        excerpt_html="".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs),
        buttons=tuple(button for button in buttons if button.url),
    )
    agreement = translator.gettext("You agree to this: “{wording}”", wording=translator.isolate(content.wording))
    return PersonMailView(
        frame=_frame(content, lead, until, translator, style),
        paragraphs=paragraphs,
        code_label=translator.gettext("If you are asked for a code, enter this one:") if content.code else "",
        code=content.code,
        until=until,
        wording=agreement if content.wording else "",
    )


def _frame(
    content: PersonMailContent, lead: StoryView, until: str, translator: Translator, style: ThemeStyle
) -> DigestView:
    """Return the view of a digest that has only this lead and these sections, so that a theme shows it as its own."""
    digest = Digest(
        week="",
        opens_at=content.now,
        closes_at=content.now,
        publication=content.publication,
        subject=_subject(content, translator),
        preheader=_preheader(content, until, translator),
        sections=(),
        decisions=(),
    )
    view = digest_view(digest, translator, style)
    return replace(
        view,
        top_line="",
        lead=lead,
        sections=tuple(_sections(content, translator)),
        reason=_reason(content, translator),
        unsubscribe_link=replace(view.unsubscribe_link, url=content.unsubscribe_url),
        preferences_link=replace(view.preferences_link, url=content.preferences_url),
    )


def _subject(content: PersonMailContent, translator: Translator) -> str:
    name, guide = (translator.isolate(text) for text in (content.publication.name, content.guide_title))
    return {
        "confirmation": translator.gettext("Confirm your subscription to {name}", name=name),
        "already": translator.gettext("You are already subscribed to {name}", name=name),
        "guide": translator.gettext("Your guide: {guide}", guide=guide),
        "best-of": translator.gettext("The best of {name}", name=name),
        "address": translator.gettext("Confirm your new address for {name}", name=name),
    }[content.kind]


def _preheader(content: PersonMailContent, until: str, translator: Translator) -> str:
    if content.kind == "best-of":
        return " · ".join(story.title for story in content.stories[1:3])
    if content.kind == "already":
        return translator.gettext("Nothing has changed. You can choose what you get, and how often.")
    return until


Words = tuple[str, tuple[str, ...], tuple[LinkView, ...]]
"""A heading, paragraphs, and buttons."""


def _words(content: PersonMailContent, translator: Translator) -> Words:
    name, guide = (translator.isolate(text) for text in (content.publication.name, content.guide_title))
    gettext = translator.gettext
    get_guide = LinkView(label=gettext("Get the guide"), url=content.guide_url)
    if content.kind == "confirmation":
        text = [gettext("Once you confirm, you will get the newsletter of {name} at this address.", name=name)]
        if guide:
            text.append(gettext("Right after that we will send you “{guide}”.", guide=guide))
        button = LinkView(label=gettext("Confirm subscription"), url=content.confirm_url)
        return gettext("Please confirm your subscription"), tuple(text), (button,)
    if content.kind == "address":
        text = [gettext("Once you confirm, you will get the newsletter of {name} at this address.", name=name)]
        button = LinkView(label=gettext("Confirm address"), url=content.confirm_url)
        return gettext("Please confirm your new address"), tuple(text), (button,)
    if content.kind == "already":
        asked = gettext("Somebody, probably you, asked for this message on a page of {name}.", name=name)
        text = [asked, gettext("Your subscription goes on as before.")]
        if content.guide_url:
            text.append(gettext("Here is your copy of “{guide}”.", guide=guide))
        preferences = LinkView(label=gettext("Change what you get"), url=content.preferences_url)
        return gettext("You are already subscribed"), tuple(text), (get_guide, preferences)
    if content.kind == "guide":
        text = [gettext("Thank you for subscribing to {name}.", name=name)]
        text.append(gettext("Here is your copy of “{guide}”.", guide=guide))
        return gettext("Your guide is here"), tuple(text), (get_guide,)
    text = [gettext("You have only just subscribed to {name}. These stories opened past editions.", name=name)]
    return gettext("Stories you may have missed"), tuple(text), ()


def _sections(content: PersonMailContent, translator: Translator) -> Iterator[SectionView]:
    if content.stories:
        yield SectionView(
            kind="archive",
            heading=wording.section_heading("archive", translator),
            stories=tuple(_story(story, translator) for story in content.stories),
        )


def _story(story: PastStory, translator: Translator) -> StoryView:
    read, listen = translator.gettext("Read the post"), translator.gettext("Listen to the episode")
    label = listen if story.is_episode else read
    return StoryView(
        kind="post",
        level="story",
        title=story.title,
        url=story.url,
        byline_parts=(BylinePart(name=translator.format_date(story.published_at)),),
        excerpt_html=f"<p>{escape(story.text)}</p>" if story.text else "",
        excerpt_text=wrap(story.text),
        buttons=(LinkView(label=label, url=story.url),),
    )


def _reason(content: PersonMailContent, translator: Translator) -> str:
    """Return why somebody gets a mail, and what happens if they do nothing."""
    publication, day = content.publication, translator.format_date(content.requested_at)
    name = translator.isolate(publication.name)
    if content.kind in LISTED:
        return publication.reason or wording.subscription_reason(publication.name, translator)
    if content.kind == "confirmation":
        return translator.gettext(
            "Somebody, probably you, entered this address in a form of {name} on {date}. If it was not you, ignore "
            "this message: unless you confirm, you will get nothing else.",
            name=name,
            date=day,
        )
    return translator.gettext(
        "Somebody, probably you, asked on {date} to get the newsletter of {name} at this address. If it was not you, "
        "ignore this message: nothing will change.",
        name=name,
        date=day,
    )
