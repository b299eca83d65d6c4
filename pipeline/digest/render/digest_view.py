"""View of a digest: everything a template prints, worded and measured, for HTML and plain text alike.

Templates only lay it out, so all themes show the same texts and work in every language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pipeline.digest.render import wording
from pipeline.digest.render.frame_view import (
    AT_THE_END,
    FeedbackView,
    SignatureView,
    blocks_by_ordinal,
    feedback_view,
    signature_view,
)
from pipeline.digest.render.image_view import ImageView, fit_image, one_line, safe_url
from pipeline.digest.render.palette import Palette
from pipeline.digest.render.story_view import (
    MAX_WORDS,
    BlockView,
    BylinePart,
    LinkView,
    StoryView,
    brief_view,
    story_view,
)
from pipeline.digest.render.style import DEFAULT_STYLE, ThemeStyle, with_branding
from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.digest import Digest, Publication, SectionKind, SkimLine, Story
from pipeline.model.message import BROWSER_VIEW, PREFERENCES, UNSUBSCRIBE, placeholder_url
from pipeline.text import markdown
from pipeline.text.headlines import clean_headline, cut_headline, shorten_headline
from pipeline.text.markdown_pictures import to_html_with_pictures

PREHEADER_FILL_LENGTH = 150
LOGO_WIDTH = 200
MIN_CONTENTS_LINES = 3
MAX_CONTENTS_LINES = 5
MAX_CONTENTS_WORDS = 8
MAX_CONTENTS_WIDTH = 50
MAX_SKIM_WIDTH = 90
"""Of the first words of a story: two lines on a phone."""
_UPRIGHT = {"ja", "ko", "yue", "zh"}
PREHEADER_FILLER = "\u034f\u200c\u00a0"
"""Invisible; keeps the first words of the newsletter out of the inbox line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBudget:
    """Limits that keep the HTML small."""

    max_full_stories: int | None = None
    """Stories beyond this number become briefs."""
    brief_words: int = MAX_WORDS["brief"]
    """The most words of a brief; with 0 it is only a title."""
    link_words: int = MAX_WORDS["brief"]
    """The same for useful links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section as templates print it."""

    kind: SectionKind
    heading: str
    stories: tuple[StoryView, ...]
    briefs: tuple[StoryView, ...] = ()
    """One sentence each, after the stories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A digest as templates print it; an empty field is left out."""

    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    has_italics: bool
    """False for scripts that are not slanted: Arabic, Hebrew, Chinese, Japanese, Korean."""
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
    top_line: str
    """Number and date of the edition, and how long it takes to read and to hear."""
    introduction_html: str
    introduction_text: str
    signature: SignatureView | None
    contents_heading: str
    contents: tuple[str, ...]
    """The other stories in a few words each; empty if there are few."""
    lead: StoryView | None
    """The story that opens the newsletter; None if it has only links."""
    sections: tuple[SectionView, ...]
    blocks: tuple[BlockView, ...]
    """The standing blocks after all stories."""
    call_to_action_html: str
    """The one request at the end."""
    call_to_action_text: str
    feedback: FeedbackView | None
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
    date = translator.format_date(closes_at)
    lead, sections = _lead(digest, translator), tuple(_sections(digest, translator, budget or LengthBudget()))
    introduction_md = wording.introduction(digest, translator)
    blocks = blocks_by_ordinal(digest.blocks, bool(lead) + sum(len(one.stories) for one in sections), translator)

    def placeholder_link(label: str, placeholder: str) -> LinkView:
        return LinkView(label=label, url=placeholder_url(publication.url, placeholder))

    return DigestView(
        language=publication.language,
        direction=translator.direction,
        has_italics=translator.direction == "ltr" and publication.language.split("-")[0].lower() not in _UPRIGHT,
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
        date=date,
        top_line=" · ".join(filter(None, wording.top_line(digest, closes_at, translator))),
        introduction_html=to_html_with_pictures(introduction_md),
        introduction_text=markdown.to_text(introduction_md, colon=separator),
        signature=signature_view(digest),
        contents_heading=translator.gettext("In this edition"),
        contents=_contents(digest, translator),
        lead=_with_blocks(lead, blocks) if lead else None,
        sections=tuple(
            replace(section, stories=tuple(_with_blocks(story, blocks) for story in section.stories))
            for section in sections
        ),
        blocks=blocks.get(AT_THE_END, ()),
        call_to_action_html=markdown.to_html(publication.call_to_action_md),
        call_to_action_text=markdown.to_text(publication.call_to_action_md, colon=separator),
        feedback=feedback_view(digest, date, translator),
        reason=publication.reason or wording.subscription_reason(publication.name, translator),
        postal_address=tuple(line.strip() for line in publication.postal_address.splitlines() if line.strip()),
        browser_link=placeholder_link(translator.gettext("Read in your browser"), BROWSER_VIEW),
        unsubscribe_link=placeholder_link(translator.gettext("Unsubscribe"), UNSUBSCRIBE),
        preferences_link=placeholder_link(translator.gettext("Change what you get"), PREFERENCES),
    )


def skim_lines(view: DigestView) -> Iterator[SkimLine]:
    """Yield the title and the first words of each story, in the order in which they are shown."""
    stories = [view.lead] if view.lead else []
    stories += [story for section in view.sections for story in (*section.stories, *section.briefs)]
    for story in stories:
        text = story.excerpt_text or story.note_text
        yield SkimLine(title=story.title, text=cut_headline(one_line(text), MAX_SKIM_WIDTH), level=story.level)


def _with_blocks(story: StoryView, blocks: Mapping[int, tuple[BlockView, ...]]) -> StoryView:
    return replace(story, blocks=blocks.get(story.ordinal, ()))


def _lead(digest: Digest, translator: Translator) -> StoryView | None:
    zone = ZoneInfo(digest.publication.timezone)
    lead = next((story for story in digest.stories if story.level == "lead"), None)
    return replace(story_view(lead, translator, zone), ordinal=1) if lead else None


def _contents(digest: Digest, translator: Translator) -> tuple[str, ...]:
    """Return a line for each of the first stories besides the lead, if there are enough of them."""
    others = [story for story in digest.stories if story.kind != "link" and story.level != "lead"]
    lines: list[str] = []
    for story in others:
        names = (digest.publication.name, story.feed_title)
        headline = clean_headline(story.title, names, is_episode=story.audio is not None)
        short = shorten_headline(headline, MAX_CONTENTS_WIDTH)
        is_series = any(other is not story and other.title.startswith(short) for other in digest.stories)
        line = cut_headline(headline if is_series else short or headline, MAX_CONTENTS_WIDTH, MAX_CONTENTS_WORDS)
        if headline and line not in lines:
            lines.append(line)
    return tuple(lines[:MAX_CONTENTS_LINES]) if len(lines) >= MIN_CONTENTS_LINES else ()


def _sections(digest: Digest, translator: Translator, budget: LengthBudget) -> Iterator[SectionView]:
    """Yield the views of the sections without the lead, the archive last; its stories are briefs with their dates."""
    zone = ZoneInfo(digest.publication.timezone)
    shown = 1 if any(story.level == "lead" for story in digest.stories) else 0
    for section in (*digest.sections, *digest.archive):
        stories, briefs = [], []
        for story in section.stories:
            if story.level == "lead":
                continue
            is_full = story.level == "story" and section.kind not in ("links", "archive")
            if is_full and (budget.max_full_stories is None or shown < budget.max_full_stories):
                shown += 1
                stories.append(replace(story_view(story, translator, zone), ordinal=shown))
            else:
                words = budget.link_words if section.kind == "links" else budget.brief_words
                view = brief_view(story, translator, max_words=words)
                briefs.append(_dated(view, story, translator, zone) if section.kind == "archive" else view)
        if stories or briefs:
            heading = one_line(section.heading) or wording.section_heading(section.kind, translator)
            yield SectionView(kind=section.kind, heading=heading, stories=tuple(stories), briefs=tuple(briefs))


def _dated(view: StoryView, story: Story, translator: Translator, zone: ZoneInfo) -> StoryView:
    """Return the view of an older story with the day it was published."""
    if story.published_at is None:
        return view
    day = translator.format_date(story.published_at.astimezone(zone))
    return replace(view, byline_parts=(BylinePart(name=day),))


def _logo(publication: Publication) -> ImageView | None:
    if not safe_url(publication.logo_url):
        return None
    width, height = fit_image(publication.logo_width, publication.logo_height, LOGO_WIDTH)
    return ImageView(url=publication.logo_url, alt=publication.name, width=width, height=height)
