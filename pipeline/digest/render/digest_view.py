"""View of a digest: everything a template prints, worded and measured, for HTML and plain text alike.

Templates only lay it out, so all themes show the same texts and work in every language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from zoneinfo import ZoneInfo

from pipeline.digest.render import wording
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
from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.digest import Digest, Publication, SectionKind, Story
from pipeline.model.message import BROWSER_VIEW, PREFERENCES, UNSUBSCRIBE, placeholder_url
from pipeline.text import markdown

PREHEADER_FILL_LENGTH = 150
LOGO_WIDTH = 200
PREHEADER_FILLER = "\u034f\u200c\u00a0"
"""Invisible; keeps the first words of the newsletter out of the inbox line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBudget:
    """Limits that keep the HTML small."""

    max_excerpt_words: int | None = None
    """0 removes excerpts; None keeps them as they are."""
    max_full_stories: int | None = None
    """Stories beyond this number become briefs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section as templates print it."""

    kind: SectionKind
    heading: str
    stories: tuple[StoryView, ...]
    briefs: tuple[StoryView, ...] = ()
    """Stories of which only the title is printed, after the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A digest as templates print it; an empty field is left out."""

    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    forward_arrow: str
    """An arrow in the reading direction."""
    colon: str
    """Between a label and a URL, spaces included."""
    subject: str
    preheader: str
    preheader_filler: str
    """Hidden after the preheader, in the HTML only."""
    publication: str
    home_url: str
    logo: ImageView | None
    """Shown instead of the publication's name."""
    light: Palette
    dark: Palette
    title_font: str
    """A CSS font stack, like the next two."""
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
    """The one request at the end."""
    call_to_action_text: str
    reason: str
    postal_address: tuple[str, ...]
    """Its lines."""
    browser_link: LinkView
    unsubscribe_link: LinkView
    preferences_link: LinkView


def digest_view(
    digest: Digest,
    translator: Translator = ENGLISH,
    style: ThemeStyle = DEFAULT_STYLE,
    budget: LengthBudget | None = None,
) -> DigestView:
    """Return the view of a digest; raise ConfigError if the publication's accent is not of the form ``#rrggbb``."""
    publication = digest.publication
    closes_at = digest.closes_at.astimezone(ZoneInfo(publication.timezone))
    preheader = one_line(digest.preheader)
    style = with_branding(style, accent=publication.accent, fonts=publication.fonts)
    separator = wording.label_separator(translator)

    def placeholder_link(label: str, placeholder: str) -> LinkView:
        return LinkView(label=label, url=placeholder_url(publication.url, placeholder))

    return DigestView(
        language=publication.language,
        direction=translator.direction,
        forward_arrow="←" if translator.direction == "rtl" else "→",
        colon=separator,
        subject=one_line(digest.subject),
        preheader=preheader,
        preheader_filler=PREHEADER_FILLER * max(0, PREHEADER_FILL_LENGTH - len(preheader)),
        publication=publication.name,
        home_url=publication.url,
        logo=_logo(publication),
        light=style.light,
        dark=style.dark,
        title_font=style.title_font,
        text_font=style.text_font,
        label_font=style.label_font,
        tagline=publication.tagline,
        number=wording.edition_number(digest.number, translator),
        date=translator.format_date(closes_at),
        headline=one_line(digest.headline),
        introduction_html=markdown.to_html(digest.introduction_md),
        introduction_text=markdown.to_text(digest.introduction_md, colon=separator),
        sections=tuple(_sections(digest, translator, budget or LengthBudget())),
        call_to_action_html=markdown.to_html(publication.call_to_action_md),
        call_to_action_text=markdown.to_text(publication.call_to_action_md, colon=separator),
        reason=publication.reason or wording.subscription_reason(publication.name, translator),
        postal_address=tuple(line.strip() for line in publication.postal_address.splitlines() if line.strip()),
        browser_link=placeholder_link(translator.gettext("Read in your browser"), BROWSER_VIEW),
        unsubscribe_link=placeholder_link(translator.gettext("Unsubscribe"), UNSUBSCRIBE),
        preferences_link=placeholder_link(translator.gettext("Change what you get"), PREFERENCES),
    )


def _sections(digest: Digest, translator: Translator, budget: LengthBudget) -> Iterator[SectionView]:
    """Yield the views of the sections, the archive last; stories beyond ``budget.max_full_stories`` are briefs."""
    zone = ZoneInfo(digest.publication.timezone)
    remaining = budget.max_full_stories
    ordinals = count(1)
    for section in (*digest.sections, *digest.archive):
        if not section.stories:
            continue
        full = section.stories if remaining is None else section.stories[: max(0, remaining)]
        remaining = None if remaining is None else remaining - len(full)
        views = (story_view(story, translator, zone, max_excerpt_words=budget.max_excerpt_words) for story in full)
        if section.kind == "archive":
            views = (_dated(view, story, translator, zone) for view, story in zip(views, full, strict=True))
        elif section.kind != "links":
            views = (replace(view, ordinal=next(ordinals)) for view in views)
        yield SectionView(
            kind=section.kind,
            heading=one_line(section.heading) or wording.section_heading(section.kind, translator),
            stories=tuple(views),
            briefs=tuple(brief_view(story, translator) for story in section.stories[len(full) :]),
        )


def _dated(view: StoryView, story: Story, translator: Translator, zone: ZoneInfo) -> StoryView:
    """Return the view of an older story with the day it was published."""
    if story.published_at is None:
        return view
    day = translator.format_date(story.published_at.astimezone(zone))
    return replace(view, byline=" · ".join(filter(None, (day, view.byline))))


def _logo(publication: Publication) -> ImageView | None:
    if not safe_url(publication.logo_url):
        return None
    width, height = fit_image(publication.logo_width, publication.logo_height, LOGO_WIDTH)
    return ImageView(url=publication.logo_url, alt=publication.name, width=width, height=height)
