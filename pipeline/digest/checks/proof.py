"""What preflight looks at: a digest, what became of it, and what is known besides.

In: those. Out: a Proof, taken apart once for all checks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.digest.checks.mail import Mail, read
from pipeline.model.check import Facts
from pipeline.model.digest import Digest, RenderedDigest, Story

_LINK_MD = re.compile(r"\]\(\s*<?([^\s)>]+)|<((?:https?|mailto):[^\s>]+)>")
SUBJECT, PREHEADER, HEADLINE, INTRODUCTION = "subject", "preheader", "headline", "introduction"
THEME = "theme"


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

    def owner(self, url: str) -> str:
        """Name the story or part that leads to an address; the theme, when none does."""
        for story in self.stories:
            if url in _addresses(story):
                return named(story)
        return INTRODUCTION if url in _links_of(self.digest.introduction_md) else THEME

    @property
    def passages(self) -> Iterator[tuple[str, str, bool]]:
        """Give all that people wrote: where it stands, the words, and whether they are the editor's own."""
        digest = self.digest
        yield from ((SUBJECT, digest.subject, True), (PREHEADER, digest.preheader, True))
        yield from ((HEADLINE, digest.headline, True), (INTRODUCTION, digest.introduction_md, True))
        for story in self.stories:
            yield named(story), story.note_md, True
            yield named(story), f"{story.title}\n{story.excerpt_md}", False


def proof(digest: Digest, rendered: RenderedDigest, eml: bytes, facts: Facts) -> Proof:
    """Lay a mail out for checking."""
    return Proof(digest=digest, rendered=rendered, eml=eml, facts=facts, mail=read(rendered.html))


def named(story: Story) -> str:
    """Name a story as the editor knows it."""
    return story.title or story.url


def _addresses(story: Story) -> set[str]:
    elsewhere = {url for _, url in story.listen} | {piece.url for piece in story.related}
    written = _links_of(f"{story.note_md}\n{story.excerpt_md}")
    return {story.url, story.listen_url, story.transcript_url} | elsewhere | written


def _links_of(md: str) -> set[str]:
    return {address for found in _LINK_MD.findall(md) for address in found if address}
