"""Inputs of the checks: a rendered digest, parsed once, and the locations of its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.digest.checks.html import ParsedHtml, parse_html
from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.digest.render.story_view import shown_text
from pipeline.model.block import Block
from pipeline.model.check import CheckLevel, CheckName, CheckResult, PreflightContext
from pipeline.model.digest import Digest, RenderedDigest, Story
from pipeline.text.leftovers import without_code
from pipeline.text.markdown import to_plain
from pipeline.text.plain_text import end_with_ellipsis

_MARKDOWN_LINK = re.compile(r"\]\(\s*<?([^\s)>]+)|<((?:https?|mailto):[^\s<>]+)>")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a problem is: its name for the editor, and what to edit (``CheckResult.fix_target``)."""

    name: str
    fix_target: str

    def result(self, check: CheckName, level: CheckLevel, message: str, *, quote: str = "") -> CheckResult:
        """Return the result of a check at this location."""
        return CheckResult(
            name=check, level=level, message=message, where=self.name, fix_target=self.fix_target, quote=quote
        )


SUBJECT, PREHEADER = Location("subject", "subject"), Location("preheader", "preheader")
INTRODUCTION = Location("introduction", "introduction")
CORRECTION = Location("correction", "")
LINKS, STORIES = Location("useful links", "links"), Location("digest.html", "stories")
THEME = Location("theme", "theme")
BLOCK_TARGET = "setting blocks.text"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInputs:
    """The arguments of every check."""

    digest: Digest
    rendered: RenderedDigest
    eml: bytes
    context: PreflightContext
    html: ParsedHtml
    story_texts: Mapping[int, str]
    """By ``id`` of a story: its text as it is shown, without markup."""

    def shown_text(self, story: Story) -> str:
        """Return the text of a story as it is shown, as plain text on one line; empty if a note replaces it."""
        return self.story_texts[id(story)]

    def location_of(self, url: str) -> Location:
        """Return the story or part that links to a URL; the theme if none does."""
        for story in self.digest.all_stories:
            own = {story.url, story.listen_url, story.transcript_url, *(url for _, url in story.listen_links)}
            own |= {related.url for related in story.related}
            if url in own or url in urls_in(f"{story.note_md}\n{story.excerpt_md}"):
                return story_location(story)
        written = ((location, text) for location, text, by_editor in self.texts() if by_editor)
        return next((location for location, text in written if url in urls_in(text)), THEME)

    def texts(self) -> Iterator[tuple[Location, str, bool]]:
        """Yield every text that people wrote: its location, the text, and whether the editor wrote it."""
        digest, publication = self.digest, self.digest.publication
        yield from ((SUBJECT, digest.subject, True), (PREHEADER, digest.preheader, True))
        yield INTRODUCTION, digest.introduction_md, True
        if digest.correction:
            yield CORRECTION, digest.correction.text_md, True
        for story in digest.all_stories:
            yield story_location(story), story.note_md, True
            yield story_location(story), f"{story.title}\n{story.excerpt_md}", False
        settings = {
            "name": publication.name,
            "tagline": publication.tagline,
            "reason": publication.reason,
            "postal_address": publication.postal_address,
            "signature": publication.signature,
            "call_to_action": publication.call_to_action_md,
        }
        yield from ((setting_location(key), text, True) for key, text in settings.items())
        yield from ((block_location(block), f"{block.label}\n{block.text_md}", True) for block in digest.blocks)

    def shown_texts(self) -> Iterator[tuple[Location, str]]:
        """Yield every text that people wrote as it is shown, in plain text and without code, and its location."""
        digest, publication = self.digest, self.digest.publication
        yield from ((SUBJECT, digest.subject), (PREHEADER, digest.preheader))
        yield INTRODUCTION, to_plain(without_code(digest.introduction_md))
        if digest.correction:
            yield CORRECTION, to_plain(without_code(digest.correction.text_md))
        for story in digest.all_stories:
            texts = [story.title, story.author, story.guest, story.feed_title, story.transcript_opening]
            texts += [*(timed.text for timed in story.chapters), *(related.title for related in story.related)]
            texts += [to_plain(without_code(md)) for md in (story.excerpt_md, story.note_md)]
            yield from ((story_location(story), text) for text in texts)
        yield setting_location("tagline"), publication.tagline
        yield setting_location("call_to_action"), to_plain(without_code(publication.call_to_action_md))
        for block in digest.blocks:
            yield block_location(block), f"{block.label}\n{to_plain(without_code(block.text_md))}"


def prepare_inputs(digest: Digest, rendered: RenderedDigest, eml: bytes, context: PreflightContext) -> CheckInputs:
    """Return the inputs of the checks, with the HTML parsed."""
    return CheckInputs(
        digest=digest,
        rendered=rendered,
        eml=eml,
        context=context,
        html=parse_html(rendered.html),
        story_texts={id(story): shown_text(story) for story in digest.all_stories},
    )


def setting_location(key: str) -> Location:
    """Return the location of a key in the [publication] section of config.toml."""
    return Location(f"[publication] {key}", f"setting publication.{key}")


def block_location(block: Block) -> Location:
    """Return the location of a standing block in config.toml: its label, or else the beginning of its text."""
    name = block.label or end_with_ellipsis(" ".join(to_plain(block.text_md).split()[:5]))
    return Location(f"[[blocks]] “{name}”", BLOCK_TARGET)


def story_location(story: Story) -> Location:
    """Return the location of a story: its title for the editor, its first entry's reference as what to edit."""
    name = story.title or story.url
    if not story.entries:
        return Location(name, "stories")
    entry = story.entries[0]
    return Location(name, "links" if entry.feed_id == EDITOR_FEED_ID else f"story {entry.feed_id} {entry.guid}")


def urls_in(md: str) -> set[str]:
    """Return the URLs of the links in Markdown."""
    return {url for urls in _MARKDOWN_LINK.findall(md) for url in urls if url}
