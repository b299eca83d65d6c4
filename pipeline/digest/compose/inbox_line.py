"""Subject and preheader: what an inbox shows before a message is opened, composed together.

Both are made of headlines, which are titles without numbers, dates and names of shows. Neither has a clause of the
other, and the preheader is not the first sentence of the introduction. Widths are in columns, of which a Chinese or
Japanese character takes two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.digest import Publication, Story
from pipeline.text import markdown
from pipeline.text.headlines import (
    MIN_WIDTH,
    clean_headline,
    cut_headline,
    display_width,
    later_clauses,
    shorten_headline,
)
from pipeline.text.sentences import split_sentences
from pipeline.text.similarity import normalised_words, shared_clause, title_key

SUBJECT_WIDTHS = (30, 60)
"""Of a subject whose titles allow it."""
MAX_SUBJECT_WIDTH = 78
PREHEADER_WIDTHS = (80, 130)
SUGGESTIONS = 3
_MAX_TEASER_WIDTH = 90
_MIN_SENTENCE_WIDTH = 25
_MAX_STORIES = 20
_MAX_SENTENCES = 5
_SAME_START_CHARS = 24
_SEPARATOR = " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLine:
    """A subject and a preheader, and what else the editor could take, the best first."""

    subject: str
    preheader: str
    subjects: tuple[str, ...] = ()
    preheaders: tuple[str, ...] = ()


def compose_inbox_line(
    stories: Sequence[Story],
    publication: Publication,
    translator: Translator = ENGLISH,
    *,
    subject: str = "",
    preheader: str = "",
    introduction_md: str = "",
) -> InboxLine:
    """Return the inbox line of a newsletter, whose lead is the first story. Subject and preheader are never empty.

    A ``subject`` or ``preheader`` of the editor's is kept, and the other does not repeat it.
    """
    main = [story for story in stories if story.kind != "link" and story.title]
    links = [story for story in stories if story.kind == "link" and story.title]
    headlines = [_Headline(story, publication, translator) for story in (main or links)[:_MAX_STORIES]]
    subjects = _varied(_subjects(headlines, publication, translator), (MIN_WIDTH, MAX_SUBJECT_WIDTH))
    chosen = subject or next((text for text in subjects if not shared_clause(text, preheader)), subjects[0])
    opening = next(iter(_sentences(introduction_md)), "")
    candidates = _preheaders(headlines, len(links) if main else 0, (chosen, opening), translator)
    allowed = [text for text in candidates if not shared_clause(text, chosen)]
    preheaders = _varied(allowed, PREHEADER_WIDTHS) or [_last_resort(publication, chosen, translator)]
    return InboxLine(
        subject=chosen,
        preheader=preheader or preheaders[0],
        subjects=tuple(subjects[:SUGGESTIONS]),
        preheaders=tuple(preheaders[:SUGGESTIONS]),
    )


class _Headline:
    """Headline of a story, and texts for an inbox line that are made of it."""

    def __init__(self, story: Story, publication: Publication, translator: Translator) -> None:
        is_episode = story.kind in ("episode", "read-or-listen")
        self.story = story
        self.text = clean_headline(story.title, (publication.name,), is_episode=is_episode)
        self._guest = story.guest if is_episode and self.text[-1:].isalnum() else ""
        self._translator = translator

    def with_guest(self, text: str) -> str:
        """Return a text about the story followed by its guest, if it has one that the text does not name."""
        if not self._guest or title_key(self._guest) in title_key(text):
            return text
        guest = self._translator.isolate(self._guest)
        return self._translator.gettext("{title}, with {guest}", title=text, guest=guest)

    def subject(self) -> str:
        """Return the headline as a subject: whole, or its first clauses, or its first words and "…"."""
        short = shorten_headline(self.text, SUBJECT_WIDTHS[1], SUBJECT_WIDTHS[0])
        short = short or shorten_headline(self.text, MAX_SUBJECT_WIDTH, MIN_WIDTH)
        return short or cut_headline(self.text, SUBJECT_WIDTHS[1])

    @cached_property
    def sentences(self) -> list[str]:
        """Return the first whole sentences of the story's excerpt, without lists and quotes."""
        return _sentences(self.story.excerpt_md)[:_MAX_SENTENCES]

    def teaser(self, subject: str) -> str:
        """Return the headline, or what is left of it without what the subject has; empty if nothing is."""
        for text in later_clauses(self.text):
            short = shorten_headline(text, _MAX_TEASER_WIDTH)
            if display_width(short) >= min(MIN_WIDTH, display_width(self.text)) and not shared_clause(short, subject):
                return self._translator.isolate(self.with_guest(short))
        return ""


def _subjects(headlines: Sequence[_Headline], publication: Publication, translator: Translator) -> Iterator[str]:
    """Yield subjects, the best first; at least one."""
    if not headlines:
        yield publication.name
        return
    lead, others = headlines[0], headlines[1:4]
    first = lead.subject()
    with_guest = lead.with_guest(first)
    short = with_guest if display_width(with_guest) <= SUBJECT_WIDTHS[1] else first
    pairs = [_joined((short, other.text), translator) for other in others]
    pairs = [text for text in pairs if display_width(text) <= SUBJECT_WIDTHS[1]]
    if display_width(first) < SUBJECT_WIDTHS[0]:
        yield from [short] if display_width(short) >= SUBJECT_WIDTHS[0] else pairs
    yield first
    yield from (other.subject() for other in others)
    yield short
    clauses = [shorten_headline(headline.text, SUBJECT_WIDTHS[0]) for headline in headlines]
    yield from (_joined(both, translator) for both in pairwise(filter(None, clauses)))
    for text in (*later_clauses(lead.text), *lead.sentences):
        if display_width(text) <= SUBJECT_WIDTHS[1]:
            yield text.removesuffix(".")
    named = f"{publication.name}{translator.gettext(': ')}{first}"
    if display_width(named) <= MAX_SUBJECT_WIDTH:
        yield named


def _preheaders(
    headlines: Sequence[_Headline], links: int, taken: tuple[str, str], translator: Translator
) -> Iterator[str]:
    """Yield preheaders, the best first: other stories, sentences of the lead, both, or what the edition contains.

    ``taken`` has the subject and the first sentence of the introduction.
    """
    teased = [(headline, text) for headline in headlines if (text := headline.teaser(taken[0]))]
    teasers = [text for _, text in teased]
    counted = [translator.ngettext("a useful link", "{n} useful links", links)] if links else []
    also = _also(teasers, counted, translator)
    runs = _runs(headlines[0], taken, translator) if headlines else []
    yield also
    for shorter in (also, _also(teasers[:1], counted, translator), _also((), counted, translator)):
        yield from (f"{run} {shorter}" for run in runs if shorter)
    for headline, text in teased[:2]:
        yield from (f"{_also([text], (), translator)} – {run}" for run in _runs(headline, taken, translator))
    yield from runs
    yield from (_also([*teasers[start:], *teasers[:start]], counted, translator) for start in range(1, len(teasers)))
    yield _contents(headlines, links, translator)


def _runs(headline: _Headline, taken: tuple[str, str], translator: Translator) -> list[str]:
    """Return sentences of a story that follow each other, those from its beginning first."""
    sentences = [text for text in headline.sentences if not any(shared_clause(text, other) for other in taken)]
    runs = (" ".join(sentences[start:end]) for start, end in combinations(range(len(sentences) + 1), 2))
    return [translator.isolate(run) for run in runs if display_width(run) >= _MIN_SENTENCE_WIDTH]


def _also(teasers: Sequence[str], counted: Sequence[str], translator: Translator) -> str:
    """Return a list of other stories, as many as fit; empty if there are none."""
    things = list(counted)
    for teaser in teasers:
        longer = [*things[: len(things) - len(counted)], teaser, *counted]
        # Translators: before other stories of the edition, separated by middle dots.
        if display_width(translator.gettext("Also: {things}", things=_SEPARATOR.join(longer))) <= PREHEADER_WIDTHS[1]:
            things = longer
    return translator.gettext("Also: {things}", things=_SEPARATOR.join(things)) if things else ""


def _contents(headlines: Sequence[_Headline], links: int, translator: Translator) -> str:
    """Return how many posts, episodes and links there are."""
    kinds = [headline.story.kind for headline in headlines]
    episodes = sum(kind in ("episode", "read-or-listen") for kind in kinds)
    posts, links = kinds.count("post"), links + kinds.count("link")
    things = [
        translator.ngettext("a post", "{n} posts", posts) if posts else "",
        translator.ngettext("an episode", "{n} episodes", episodes) if episodes else "",
        translator.ngettext("a useful link", "{n} useful links", links) if links else "",
    ]
    # Translators: before what the edition contains, separated by middle dots.
    return (
        translator.gettext("This week: {things}", things=_SEPARATOR.join(filter(None, things))) if any(things) else ""
    )


def _last_resort(publication: Publication, subject: str, translator: Translator) -> str:
    """Return a preheader for a subject that says all there is."""
    texts = (publication.tagline, publication.name, translator.gettext("Read in your browser"))
    return next((text for text in texts if text.strip() and not shared_clause(text, subject)), publication.name)


def _sentences(md: str) -> list[str]:
    paragraphs = (block for block in md.split("\n\n") if not re.match(r"[-*+] |[>#|]|\d+[.)] ", block))
    sentences = (sentence for block in paragraphs for sentence in split_sentences(markdown.to_plain(block)))
    return [text for text in sentences if _is_whole(text)]


def _is_whole(sentence: str) -> bool:
    """Check whether a text is a sentence of its own: with a beginning and an end, and no address in it."""
    end = sentence.rstrip("\"'”’»」』）)")
    return (
        not sentence[:1].islower()
        and end[-1:] in tuple(".!?؟۔।。！？")
        and not end.endswith("..")
        and "://" not in sentence
    )


def _joined(texts: Iterable[str], translator: Translator) -> str:
    return _SEPARATOR.join(map(translator.isolate, texts))


def _varied(texts: Iterable[str], widths: tuple[int, int]) -> list[str]:
    """Return texts once each: those of a right width first, and of those that begin alike all but one last."""
    distinct: dict[str, str] = {}
    for text in texts:
        distinct.setdefault(title_key(text), text)
    best = sorted(filter(normalised_words, distinct.values()), key=lambda text: _excess(text, widths))
    starts = [text[:_SAME_START_CHARS] for text in best]
    later = {text for index, text in enumerate(best) if starts.index(starts[index]) < index}
    return sorted(best, key=later.__contains__)


def _excess(text: str, widths: tuple[int, int]) -> int:
    """Return by how many columns a text is too narrow or too wide."""
    width = display_width(text)
    return max(0, widths[0] - width, width - widths[1])
