"""What preflight looks at: a digest, what became of it, and what is known besides.

In: those. Out: a Proof, taken apart once for all checks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.digest.checks.html import ParsedHtml, parse_html
from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.model.check import CheckLevel, CheckResult, PreflightContext
from pipeline.model.digest import Digest, Publication, RenderedDigest, Story

_LINK_MD = re.compile(r"\]\(\s*<?([^\s)>]+)|<((?:https?|mailto):[^\s>]+)>")


@dataclass(frozen=True, slots=True)
class Location:
    """A place where something can be wrong: its name for the editor, and where it is mended (``CheckResult.mend``)."""

    name: str
    fix_target: str

    def result(self, name: str, level: CheckLevel, message: str) -> CheckResult:
        """Say that something is wrong here."""
        return CheckResult(name=name, level=level, message=message, where=self.name, fix_target=self.fix_target)


SUBJECT, PREHEADER = Location("subject", "subject"), Location("preheader", "preheader")
HEADLINE, INTRODUCTION = Location("headline", "subject"), Location("introduction", "introduction")
LINKS, STORIES, THEME = (
    Location("useful links", "links"),
    Location("digest.html", "stories"),
    Location("theme", "theme"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInputs:
    """A mail on the desk of whoever checks it."""

    digest: Digest
    rendered: RenderedDigest
    eml: bytes
    context: PreflightContext
    parsed_html: ParsedHtml

    @property
    def stories(self) -> tuple[Story, ...]:
        """All stories that are told, the older ones included."""
        again = (story for section in self.digest.archive for story in section.stories)
        return (*self.digest.stories, *again)

    def location_of(self, url: str) -> Location:
        """Find the story or part that leads to an address; the theme, when none does."""
        for story in self.stories:
            if url in _addresses(story):
                return story_location(story)
        return INTRODUCTION if url in _links_of(self.digest.introduction_md) else THEME

    @property
    def texts(self) -> Iterator[tuple[Location, str, bool]]:
        """Give all that people wrote: where it stands, the words, and whether they are the editor's own."""
        digest = self.digest
        yield from ((SUBJECT, digest.subject, True), (PREHEADER, digest.preheader, True))
        yield from ((HEADLINE, digest.headline, True), (INTRODUCTION, digest.introduction_md, True))
        for story in self.stories:
            yield story_location(story), story.note_md, True
            yield story_location(story), f"{story.title}\n{story.excerpt_md}", False
        yield from ((setting_location(key), text, True) for key, text in _settings(digest.publication))


def prepare_inputs(digest: Digest, rendered: RenderedDigest, eml: bytes, facts: PreflightContext) -> CheckInputs:
    """Lay a mail out for checking."""
    return CheckInputs(digest=digest, rendered=rendered, eml=eml, context=facts, parsed_html=parse_html(rendered.html))


def _settings(publication: Publication) -> Iterator[tuple[str, str]]:
    """Give what config.toml has to say in every mail, by its keys."""
    yield from (("name", publication.name), ("tagline", publication.tagline), ("reason", publication.reason))
    yield from (("postal_address", publication.postal_address), ("call_to_action", publication.call_to_action_md))


def setting_location(key: str) -> Location:
    """Name a key of config.toml, where it is mended."""
    return Location(f"[publication] {key}", f"setting publication.{key}")


def story_location(story: Story) -> Location:
    """Name a story as the editor knows it, and as the program does."""
    first = next((f"story {each.feed_id} {each.guid}" for each in story.entries), "stories")
    return Location(story.title or story.url, "links" if first.startswith(f"story {EDITOR_FEED_ID} ") else first)


def _addresses(story: Story) -> set[str]:
    elsewhere = {url for _, url in story.listen_links} | {piece.url for piece in story.related}
    written = _links_of(f"{story.note_md}\n{story.excerpt_md}")
    return {story.url, story.listen_url, story.transcript_url} | elsewhere | written


def _links_of(md: str) -> set[str]:
    return {address for found in _LINK_MD.findall(md) for address in found if address}
