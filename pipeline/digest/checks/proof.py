"""What preflight looks at: a digest, what became of it, and what is known besides.

In: those. Out: a Proof, taken apart once for all checks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.digest.checks.mail import Mail, read
from pipeline.digest.wishes import EDITOR
from pipeline.model.check import Check, CheckLevel, Facts
from pipeline.model.digest import Digest, Publication, RenderedDigest, Story

_LINK_MD = re.compile(r"\]\(\s*<?([^\s)>]+)|<((?:https?|mailto):[^\s>]+)>")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where something can be wrong: its name for the editor, and where it is mended (``Check.mend``)."""

    name: str
    mend: str

    def check(self, name: str, level: CheckLevel, message: str) -> Check:
        """Say that something is wrong here."""
        return Check(name=name, level=level, message=message, where=self.name, mend=self.mend)


SUBJECT, PREHEADER = Spot("subject", "subject"), Spot("preheader", "preheader")
HEADLINE, INTRODUCTION = Spot("headline", "subject"), Spot("introduction", "introduction")
LINKS, STORIES, THEME = Spot("useful links", "links"), Spot("digest.html", "stories"), Spot("theme", "theme")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A mail on the desk of whoever checks it."""

    digest: Digest
    rendered: RenderedDigest
    eml: bytes
    facts: Facts
    mail: Mail

    @property
    def stories(self) -> tuple[Story, ...]:
        """All stories that are told, the older ones included."""
        again = (story for section in self.digest.archive for story in section.stories)
        return (*self.digest.stories, *again)

    def owner(self, url: str) -> Spot:
        """Find the story or part that leads to an address; the theme, when none does."""
        for story in self.stories:
            if url in _addresses(story):
                return spot(story)
        return INTRODUCTION if url in _links_of(self.digest.introduction_md) else THEME

    @property
    def passages(self) -> Iterator[tuple[Spot, str, bool]]:
        """Give all that people wrote: where it stands, the words, and whether they are the editor's own."""
        digest = self.digest
        yield from ((SUBJECT, digest.subject, True), (PREHEADER, digest.preheader, True))
        yield from ((HEADLINE, digest.headline, True), (INTRODUCTION, digest.introduction_md, True))
        for story in self.stories:
            yield spot(story), story.note_md, True
            yield spot(story), f"{story.title}\n{story.excerpt_md}", False
        yield from ((setting(key), text, True) for key, text in _settings(digest.publication))


def proof(digest: Digest, rendered: RenderedDigest, eml: bytes, facts: Facts) -> Proof:
    """Lay a mail out for checking."""
    return Proof(digest=digest, rendered=rendered, eml=eml, facts=facts, mail=read(rendered.html))


def _settings(publication: Publication) -> Iterator[tuple[str, str]]:
    """Give what config.toml has to say in every mail, by its keys."""
    yield from (("name", publication.name), ("tagline", publication.tagline), ("reason", publication.reason))
    yield from (("postal_address", publication.postal_address), ("closing_ask", publication.closing_ask_md))


def setting(key: str) -> Spot:
    """Name a key of config.toml, where it is mended."""
    return Spot(f"[publication] {key}", f"setting publication.{key}")


def spot(story: Story) -> Spot:
    """Name a story as the editor knows it, and as the program does."""
    first = next((f"story {each.feed_id} {each.guid}" for each in story.entries), "stories")
    return Spot(story.title or story.url, "links" if first.startswith(f"story {EDITOR} ") else first)


def _addresses(story: Story) -> set[str]:
    elsewhere = {url for _, url in story.listen} | {piece.url for piece in story.related}
    written = _links_of(f"{story.note_md}\n{story.excerpt_md}")
    return {story.url, story.listen_url, story.transcript_url} | elsewhere | written


def _links_of(md: str) -> set[str]:
    return {address for found in _LINK_MD.findall(md) for address in found if address}
