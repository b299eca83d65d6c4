"""From a Digest to a Page: everything a template prints, already worded and measured, for HTML and text alike.

In: a Digest, a Voice, a Look, how much is told. Out: a Page, where an empty string or tuple means: leave it out. Pure.
Templates only lay it out, so two themes never differ in what they say, and every theme speaks every language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from zoneinfo import ZoneInfo

from pipeline.digest.render import wording as words
from pipeline.digest.render.palette import Palette
from pipeline.digest.render.story_view import (
    ImageView,
    LinkView,
    StoryView,
    brief_view,
    fit_image,
    one_line,
    safe_url,
    story_view,
)
from pipeline.digest.render.style import DEFAULT_STYLE, ThemeStyle, with_branding
from pipeline.digest.render.wording import ENGLISH, Translator
from pipeline.model.digest import Digest, Publication, SectionKind, Story
from pipeline.model.message import BROWSER_VIEW, PREFERENCES, UNSUBSCRIBE, placeholder_url
from pipeline.text import markdown

PREHEADER_FILL_LENGTH = 150
LOGO_WIDTH = 200
PREHEADER_FILLER = "\u034f\u200c\u00a0"
"""Keeps the first words of the mail out of the inbox line; shown by no client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBudget:
    """How much is told, to save weight."""

    max_excerpt_words: int | None = None
    """Excerpts get shorter than they came; 0 leaves them out."""
    max_full_stories: int | None = None
    """Only so many stories are told; of the others, links first among them, the titles alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section as it is printed."""

    kind: SectionKind
    heading: str
    stories: tuple[StoryView, ...]
    lines: tuple[StoryView, ...] = ()
    """Stories told by their titles alone, after the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """The whole mail as it is printed."""

    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    forward_arrow: str
    """An arrow that points where reading goes."""
    colon: str
    """Between a label and what it labels."""
    subject: str
    preheader: str
    filler: str
    """Comes after the preheader, hidden with it, in the HTML alone."""
    name: str
    home: str
    logo: ImageView | None
    """A picture to stand for the name."""
    light: Palette
    dark: Palette
    title_font: str
    """A stack of fonts, as CSS takes it; so are the next two."""
    text_font: str
    label_font: str
    tagline: str
    number: str
    date: str
    """The day the week closed, in the publication's time zone."""
    headline: str
    introduction_html: str
    introduction_text: str
    sections: tuple[SectionView, ...]
    call_to_action_html: str
    """The one thing readers are asked to do, at the end."""
    call_to_action_text: str
    reason: str
    postal_address: tuple[str, ...]
    """Its lines."""
    browser: LinkView
    unsubscribe: LinkView
    preferences: LinkView


def digest_view(
    digest: Digest,
    translator: Translator = ENGLISH,
    style: ThemeStyle = DEFAULT_STYLE,
    budget: LengthBudget | None = None,
) -> DigestView:
    """Word a digest for printing.

    ConfigError: the publication's accent is not of the form ``#rrggbb``.
    """
    publication = digest.publication
    closes = digest.closes_at.astimezone(ZoneInfo(publication.timezone))
    preheader = one_line(digest.preheader)
    style = with_branding(style, accent=publication.accent, fonts=publication.fonts)
    return DigestView(
        language=publication.language,
        direction=translator.direction,
        forward_arrow="←" if translator.direction == "rtl" else "→",
        colon=words.label_separator(translator),
        subject=one_line(digest.subject),
        preheader=preheader,
        filler=PREHEADER_FILLER * max(0, PREHEADER_FILL_LENGTH - len(preheader)),
        name=publication.name,
        home=publication.url,
        logo=_logo(publication),
        light=style.light,
        dark=style.dark,
        title_font=style.title_font,
        text_font=style.text_font,
        label_font=style.label_font,
        tagline=publication.tagline,
        number=words.edition_number(digest.number, translator),
        date=words.format_date(closes, translator),
        headline=one_line(digest.headline),
        introduction_html=markdown.to_html(digest.introduction_md),
        introduction_text=markdown.to_text(digest.introduction_md, colon=words.label_separator(translator)),
        sections=tuple(_chapters(digest, translator, budget or LengthBudget())),
        call_to_action_html=markdown.to_html(publication.call_to_action_md),
        call_to_action_text=markdown.to_text(publication.call_to_action_md, colon=words.label_separator(translator)),
        reason=publication.reason or words.subscription_reason(publication.name, translator),
        postal_address=tuple(line.strip() for line in publication.postal_address.splitlines() if line.strip()),
        browser=LinkView(
            label=translator.gettext("Read in your browser"), url=placeholder_url(publication.url, BROWSER_VIEW)
        ),
        unsubscribe=LinkView(
            label=translator.gettext("Unsubscribe"), url=placeholder_url(publication.url, UNSUBSCRIBE)
        ),
        preferences=LinkView(
            label=translator.gettext("Change what you get"), url=placeholder_url(publication.url, PREFERENCES)
        ),
    )


def _chapters(digest: Digest, voice: Translator, thrift: LengthBudget) -> Iterator[SectionView]:
    """Tell the sections, the archive last; stories beyond ``thrift.whole_stories`` come as lines."""
    zone = ZoneInfo(digest.publication.timezone)
    left = thrift.max_full_stories
    ordinals = count(1)
    for section in (*digest.sections, *digest.archive):
        if not section.stories:
            continue
        whole = section.stories if left is None else section.stories[: max(0, left)]
        left = None if left is None else left - len(whole)
        pieces = (story_view(story, voice, zone, excerpt_words=thrift.max_excerpt_words) for story in whole)
        if section.kind == "archive":
            pieces = (_dated(told, story, voice, zone) for told, story in zip(pieces, whole, strict=True))
        elif section.kind != "links":
            pieces = (replace(told, ordinal=next(ordinals)) for told in pieces)
        yield SectionView(
            kind=section.kind,
            heading=one_line(section.heading) or words.section_heading(section.kind, voice),
            stories=tuple(pieces),
            lines=tuple(brief_view(story, voice) for story in section.stories[len(whole) :]),
        )


def _dated(told: StoryView, story: Story, voice: Translator, zone: ZoneInfo) -> StoryView:
    """Say of an older story when it was new."""
    if story.published_at is None:
        return told
    day = words.format_date(story.published_at.astimezone(zone), voice)
    return replace(told, byline=" · ".join(filter(None, (day, told.byline))))


def _logo(publication: Publication) -> ImageView | None:
    if not safe_url(publication.logo_url):
        return None
    width, height = fit_image(publication.logo_width, publication.logo_height, LOGO_WIDTH)
    return ImageView(url=publication.logo_url, alt=publication.name, width=width, height=height)
