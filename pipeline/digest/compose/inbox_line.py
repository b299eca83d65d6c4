"""Subject and preheader: what an inbox shows before a message is opened, composed together.

Both are made of headlines, which are titles without numbers, dates and names of shows. Neither has a clause of the
other, and the preheader is not the first sentence of the introduction. Widths are in columns, of which a Chinese or
Japanese character takes two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from pipeline.digest.render import wording
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
from pipeline.text.similarity import shared_clause, title_key

SUBJECT_WIDTHS = (30, 60)
"""Of a subject whose titles allow it."""
MAX_SUBJECT_WIDTH = 78
PREHEADER_WIDTHS = (80, 130)
SUGGESTIONS = 3
_MAX_TEASER_WIDTH = 90
_MIN_SENTENCE_WIDTH = 25
_MIN_BEGINNING_WIDTH = 60
_PAUSE = re.compile(r"[,;:،؛、，；：](?=\s|[^\x00-\u2e7f])| [–—-] ")
_HANDICAP = 40
"""A text that is only the beginning of a sentence, or says nothing new, counts as this much too narrow."""
_MAX_STORIES = 20
_MAX_SENTENCES = 5
_SAME_START_CHARS = 24
_SEPARATOR = " · "
_BLANK_AFTER_CJK = re.compile(r"(?<=[。！？]) ")


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
    show_names: Collection[str] = (),
    subject: str = "",
    preheader: str = "",
    introduction_md: str = "",
) -> InboxLine:
    """Return the inbox line of a newsletter, whose lead is the first story. Subject and preheader are never empty.

    A ``subject`` or ``preheader`` of the editor's is kept, and the other does not repeat it. Names of shows and
    of the publication leave the titles.
    """
    main = [story for story in stories if story.kind != "link" and story.title]
    links = [story for story in stories if story.kind == "link" and story.title]
    names = (publication.name, *show_names)
    headlines = [_Headline(story, names, translator) for story in (main or links)[:_MAX_STORIES]]
    links_besides = len(links) if main else 0
    opening = next(iter(_sentences(introduction_md)), "")

    def preheaders_for(text: str) -> list[str]:
        taken = (text, opening)
        whole = list(_preheaders(headlines, links_besides, taken, translator))
        beginnings = _beginnings(headlines, taken, translator)
        worse = [*beginnings, *_contents(headlines, links_besides, publication, translator)]
        new = [candidate for candidate in (*whole, *worse) if not shared_clause(candidate, text)]
        return _varied(new, PREHEADER_WIDTHS, worse) or [_last_resort(publication, text, translator)]

    about_lead = _lead_subjects(headlines, publication, translator)
    subjects = [*about_lead, *_varied(_subjects(headlines, translator), (MIN_WIDTH, MAX_SUBJECT_WIDTH))]
    subjects = list(dict.fromkeys(subjects)) or [publication.name]
    free = [text for text in subjects if not shared_clause(text, preheader)] or subjects
    options = [subject] if subject else [text for text in free if text in about_lead] or free[:1]
    lines = {option: preheaders_for(option) for option in options}
    chosen = min(lines, key=lambda text: _excess(text, SUBJECT_WIDTHS) + _excess(lines[text][0], PREHEADER_WIDTHS))
    subjects.sort(key=chosen.__ne__)
    return InboxLine(
        subject=chosen,
        preheader=preheader or lines[chosen][0],
        subjects=tuple(subjects[:SUGGESTIONS]),
        preheaders=tuple(lines[chosen][:SUGGESTIONS]),
    )


class _Headline:
    """Headline of a story, and texts for an inbox line that are made of it."""

    def __init__(self, story: Story, names: Collection[str], translator: Translator) -> None:
        is_episode = story.kind in ("episode", "read-or-listen")
        self.story = story
        self.text = clean_headline(story.title, names, is_episode=is_episode)
        self._guest = story.guest if is_episode and self.text[-1:].isalnum() else ""
        self._translator = translator

    def with_guest(self, text: str) -> str:
        """Return a text about the story followed by its guest, if it has one that the text does not name."""
        if not self._guest or title_key(self._guest) in title_key(text):
            return text
        guest = self._translator.isolate(self._guest)
        return self._translator.gettext("{title}, with {guest}", title=text, guest=guest)

    def subject(self) -> str:
        """Return the headline as a subject, whole or its first clauses; empty if they are too long."""
        short = shorten_headline(self.text, SUBJECT_WIDTHS[1], SUBJECT_WIDTHS[0])
        return short or shorten_headline(self.text, MAX_SUBJECT_WIDTH, MIN_WIDTH)

    @cached_property
    def sentences(self) -> list[str]:
        """Return the first whole sentences of the story's excerpt, without lists and quotes."""
        return _sentences(self.story.excerpt_md)[:_MAX_SENTENCES]

    def teaser(self, earlier: str) -> str:
        """Return the headline, or what is left of it without what is in an earlier text; empty if nothing is."""
        for text in later_clauses(self.text):
            short = shorten_headline(text, _MAX_TEASER_WIDTH)
            is_known = f" {title_key(short)} " in f" {title_key(earlier)} " or shared_clause(short, earlier)
            if display_width(short) >= min(MIN_WIDTH, display_width(self.text)) and not is_known:
                return self._translator.isolate(self.with_guest(short))
        return ""


def _lead_subjects(headlines: Sequence[_Headline], publication: Publication, translator: Translator) -> list[str]:
    """Return subjects about the lead, the best first; none if its headline is too long for a subject.

    A short one is followed by its guest, by another headline, or preceded by the name of the publication.
    """
    first = headlines[0].subject() if headlines else ""
    if not first or display_width(first) >= SUBJECT_WIDTHS[0]:
        return [first] if first else []
    with_guest = headlines[0].with_guest(first)
    short = with_guest if display_width(with_guest) <= SUBJECT_WIDTHS[1] else first
    if display_width(short) >= SUBJECT_WIDTHS[0]:
        return [short, first]
    least = MIN_WIDTH if display_width(first) >= MIN_WIDTH else 1
    others = [other.text for other in headlines[1:4] if display_width(other.text) >= least]
    pairs = (_joined((short, other), translator) for other in others)
    fitting = [text for text in pairs if display_width(text) <= SUBJECT_WIDTHS[1]][:1]
    named = cut_headline(f"{publication.name}{translator.gettext(': ')}{first}", MAX_SUBJECT_WIDTH)
    if display_width(first) < MIN_WIDTH:
        return fitting or [named]
    return list(dict.fromkeys([*fitting, short, first]))


def _subjects(headlines: Sequence[_Headline], translator: Translator) -> Iterator[str]:
    """Yield subjects about any story, or two, the best first."""
    yield from (headline.subject() for headline in headlines[:4])
    clauses = [shorten_headline(headline.text, SUBJECT_WIDTHS[0]) for headline in headlines]
    yield from (_joined(both, translator) for both in pairwise(filter(None, clauses)))
    for headline in headlines[:1]:
        for text in (*later_clauses(headline.text), *headline.sentences):
            if display_width(text) <= SUBJECT_WIDTHS[1]:
                yield text.removesuffix(".")
        yield cut_headline(headline.text, SUBJECT_WIDTHS[1])


def _preheaders(
    headlines: Sequence[_Headline], links: int, taken: tuple[str, str], translator: Translator
) -> Iterator[str]:
    """Yield preheaders, the best first: other stories, sentences of the lead, or both.

    ``taken`` has the subject and the first sentence of the introduction.
    """
    teased: list[tuple[_Headline, str]] = []
    for headline in headlines:
        if text := headline.teaser(_SEPARATOR.join((taken[0], *(text for _, text in teased)))):
            teased.append((headline, text))
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


def _runs(headline: _Headline, taken: tuple[str, str], translator: Translator) -> list[str]:
    """Return sentences of a story that follow each other, those from its beginning first."""
    sentences = [text for text in headline.sentences if not any(shared_clause(text, other) for other in taken)]
    runs = (
        _BLANK_AFTER_CJK.sub("", " ".join(sentences[start:end]))
        for start, end in combinations(range(len(sentences) + 1), 2)
    )
    return [translator.isolate(run) for run in runs if display_width(run) >= _MIN_SENTENCE_WIDTH]


def _beginnings(headlines: Sequence[_Headline], taken: tuple[str, str], translator: Translator) -> Iterator[str]:
    """Yield the first clauses of the lead's first sentence and "…", if it is a long one."""
    for sentence in (sentence for headline in headlines[:1] for sentence in headline.sentences[:1]):
        ends = [pause.start() for pause in _PAUSE.finditer(sentence)]
        beginnings = [f"{sentence[:end]}…" for end in ends if display_width(sentence[:end]) < PREHEADER_WIDTHS[1]]
        for text in beginnings[-1:]:
            if display_width(text) >= _MIN_BEGINNING_WIDTH and not any(shared_clause(text, other) for other in taken):
                yield translator.isolate(text)


def _also(teasers: Sequence[str], counted: Sequence[str], translator: Translator) -> str:
    """Return a list of other stories, as many as fit; empty if there are none."""
    things = list(counted)
    for teaser in teasers:
        longer = [*things[: len(things) - len(counted)], teaser, *counted]
        # Translators: before other stories of the edition, separated by middle dots.
        if display_width(translator.gettext("Also: {things}", things=_SEPARATOR.join(longer))) <= PREHEADER_WIDTHS[1]:
            things = longer
    return translator.gettext("Also: {things}", things=_SEPARATOR.join(things)) if things else ""


def _contents(
    headlines: Sequence[_Headline], links: int, publication: Publication, translator: Translator
) -> Iterator[str]:
    """Yield how many posts, episodes and links there are and how long they take, with the tagline and without."""
    stories = [headline.story for headline in headlines]
    kinds = [story.kind for story in stories]
    episodes = sum(kind in ("episode", "read-or-listen") for kind in kinds)
    posts, links = kinds.count("post"), links + kinds.count("link")
    reading = sum(story.reading_minutes for story in stories)
    listening = sum(story.duration_seconds or 0 for story in stories) // 60
    things = [
        translator.ngettext("a post", "{n} posts", posts) if posts else "",
        translator.ngettext("an episode", "{n} episodes", episodes) if episodes else "",
        translator.ngettext("a useful link", "{n} useful links", links) if links else "",
        wording.cost(reading, listening, translator)
        if reading
        else wording.format_duration(60 * listening, translator),
    ]
    if any(things):
        # Translators: before what the edition contains, separated by middle dots.
        contents = translator.gettext("This week: {things}", things=_SEPARATOR.join(filter(None, things)))
        tagline = " ".join(publication.tagline.split())
        yield f"{contents} – {translator.isolate(tagline)}" if tagline else contents
        yield contents


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


def _varied(texts: Iterable[str], widths: tuple[int, int], worse: Collection[str] = ()) -> list[str]:
    """Return texts once each, none too wide: wide enough ones first, and of those that begin alike all but one last."""
    distinct: dict[str, str] = {}
    for text in texts:
        distinct.setdefault(title_key(text), text)
    fitting = [text for text in distinct.values() if text.strip() and display_width(text) <= widths[1]]
    fitting.sort(key=lambda text: _excess(text, widths) + _HANDICAP * (text in worse))
    starts = [text[:_SAME_START_CHARS] for text in fitting]
    later = {text for index, text in enumerate(fitting) if starts.index(starts[index]) < index}
    return sorted(fitting, key=later.__contains__)


def _excess(text: str, widths: tuple[int, int]) -> int:
    """Return by how many columns a text is too narrow or too wide."""
    width = display_width(text)
    return max(0, widths[0] - width, width - widths[1])
