"""Views of what surrounds the stories: the signature, standing blocks, and links for those who read to the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.digest.render import wording
from pipeline.digest.render.image_view import ImageView, fit_image, one_line, safe_url
from pipeline.digest.render.story_view import BlockView, LinkView
from pipeline.digest.render.translator import Translator
from pipeline.model.block import Block, BlockPosition
from pipeline.model.digest import Digest
from pipeline.text import markdown
from pipeline.text.mailto import mailto_url
from pipeline.text.message_headers import parse_mailbox

PORTRAIT_WIDTH = 48
AT_THE_END = 0
_ORDINALS: Mapping[BlockPosition, int] = {"after-lead": 1, "after-fourth-story": 4, "end": AT_THE_END}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureView:
    """The editor's name below the introduction."""

    name: str
    portrait: ImageView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackView:
    """Links that open a message in the subscriber's mail program, and one to the edition before; none is tracked."""

    question: str
    answers: tuple[LinkView, ...]
    """Messages that answer the question in their subjects."""
    instruction: str
    """The question in plain text, and how to answer it."""
    reply: LinkView
    """A message to the sender; ``detail`` is the address."""
    forward: LinkView
    """A message to somebody else with the publication's URL, which is also ``detail``: never a personal link."""
    previous: LinkView | None
    """The page of the edition before, whose URL is also ``detail``."""


def signature_view(digest: Digest) -> SignatureView | None:
    """Return the signature of the introduction; None if there is none."""
    publication, name = digest.publication, one_line(digest.publication.signature)
    if not name or not digest.introduction_md.strip():
        return None
    portrait = None
    if url := safe_url(publication.portrait_url):
        width, height = fit_image(publication.portrait_width, publication.portrait_height, PORTRAIT_WIDTH)
        portrait = ImageView(url=url, alt="", width=width, height=height)  # the name stands beside it
    return SignatureView(name=name, portrait=portrait)


def feedback_view(digest: Digest, date: str, translator: Translator) -> FeedbackView | None:
    """Return the links to answer an edition, named by its number or its date; None if they are turned off."""
    publication, subject = digest.publication, one_line(digest.subject)
    if not publication.feedback_links:
        return None
    address = parse_mailbox(publication.sender).address
    edition = f"{publication.name}, {wording.edition_number(digest.number, translator) or date}"
    answers = (translator.gettext("Yes"), translator.gettext("No"))
    return FeedbackView(
        question=translator.gettext("Was this useful?"),
        answers=tuple(
            LinkView(label=answer, url=mailto_url(address, subject=f"{answer}: {edition}")) for answer in answers
        ),
        instruction=translator.gettext("Was this useful? Reply with “Yes” or “No”."),
        reply=LinkView(
            label=translator.gettext("Reply"), url=mailto_url(address, subject=f"Re: {subject}"), detail=address
        ),
        forward=LinkView(
            label=translator.gettext("Pass it on"),
            url=mailto_url(subject=subject, body=publication.url),
            detail=publication.url,
        ),
        previous=LinkView(label=translator.gettext("Previous edition"), url=previous_url, detail=previous_url)
        if (previous_url := safe_url(digest.previous_url))
        else None,
    )


def blocks_by_ordinal(
    blocks: Iterable[Block], stories: int, translator: Translator
) -> dict[int, tuple[BlockView, ...]]:
    """Return the views of standing blocks by the ordinal of the story they follow; ``AT_THE_END`` follows all.

    ``stories`` is the number of full stories: with fewer than four, the block after the fourth is after the last.
    """
    following: dict[int, tuple[BlockView, ...]] = {}
    for block in blocks:
        ordinal = min(_ORDINALS[block.position], stories)
        following[ordinal] = (*following.get(ordinal, ()), _block_view(block, translator))
    return following


def _block_view(block: Block, translator: Translator) -> BlockView:
    return BlockView(
        kind=block.kind,
        label=wording.block_label(block.kind, one_line(block.label), translator),
        content_html=markdown.to_html(block.text_md),
        content_text=markdown.to_text(block.text_md, colon=wording.label_separator(translator)),
    )
