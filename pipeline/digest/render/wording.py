"""The newsletter's own words in the publication's language: headings, bylines, durations, buttons.

Every function returns a phrase, or an empty string if there is nothing to say. English messages are arguments of
``gettext`` or ``ngettext`` anywhere in ``digest``; ``make locale`` collects them into the catalogs.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.block import BlockKind
from pipeline.model.digest import Digest, SectionKind, Story
from pipeline.text.markdown import to_plain
from pipeline.text.plain_text import count_words

READING_WORDS_PER_MINUTE = 230
_MAX_LISTENING_MINUTES = 120
_NAME = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Where the name stands in a phrase of a byline."""


def section_heading(kind: SectionKind, translator: Translator) -> str:
    """Return the heading of a section whose feed does not name one."""
    return {
        "posts": translator.gettext("From the blog"),
        "episodes": translator.gettext("From the podcast"),
        "links": translator.gettext("Useful links"),
        "archive": translator.gettext("From the archive"),
    }[kind]


def edition_number(number: int | None, translator: Translator = ENGLISH) -> str:
    """Return the number of an edition that has one.

    >>> edition_number(7), edition_number(None)
    ('Issue 7', '')
    """
    return "" if number is None else translator.gettext("Issue {number}", number=number)


def introduction(digest: Digest, translator: Translator = ENGLISH) -> str:
    """Return the introduction as Markdown; that of a correction begins with its note, as a quotation.

    So every theme shows it before all stories, in HTML and in text.
    """
    if digest.correction is None:
        return digest.introduction_md
    label = translator.gettext("Correction")
    note = f"**{label}**\n\n{digest.correction.text_md.strip()}"
    quotation = "\n".join(f"> {line}".rstrip() for line in note.splitlines())
    return f"{quotation}\n\n{digest.introduction_md}".rstrip()


def top_line(digest: Digest, closed_at: date, translator: Translator = ENGLISH) -> tuple[str, ...]:
    """Return the parts of the first line: number and day of the edition, and how long it takes to read and to hear."""
    seconds = sum(story.duration_seconds or 0 for story in digest.stories)
    number = edition_number(digest.number, translator)
    return number, translator.format_day(closed_at), cost(_minutes_to_read(digest), seconds // 60, translator)


def _minutes_to_read(digest: Digest) -> int:
    """Return how many minutes the newsletter itself takes, at least one."""
    texts = [to_plain(digest.introduction_md)]
    for story in digest.all_stories:
        texts += [story.title, to_plain(story.excerpt_md), to_plain(story.note_md)]
    return max(1, round(count_words(" ".join(texts)) / READING_WORDS_PER_MINUTE))


def cost(reading: int, listening: int, translator: Translator) -> str:
    """Return how many minutes an edition takes; more than two hours of sound are in hours.

    >>> cost(3, 42, ENGLISH), cost(1, 0, ENGLISH), cost(3, 184, ENGLISH)
    ('3 minutes to read, 42 to hear', '1 minute to read', '3 minutes to read, 3 h 4 min to hear')
    """
    read = translator.ngettext("{n} minute to read", "{n} minutes to read", reading)
    if not listening:
        return read
    # Translators: follows "3 minutes to read"; n is a number of minutes.
    hear = translator.ngettext("{n} to hear", "{n} to hear", listening)
    if listening > _MAX_LISTENING_MINUTES:
        # Translators: follows "3 minutes to read"; the duration is, for example, "2 h 12 min".
        hear = translator.gettext("{duration} to hear", duration=format_duration(60 * listening, translator))
    return translator.gettext("{read}, {hear}", read=read, hear=hear)


def kicker(story: Story, translator: Translator = ENGLISH) -> str:
    """Return whether a story is to be read, heard or watched, and how long that takes.

    It is empty for a link, and for a post without a text, whose picture is all there is.

    >>> from pipeline.model.digest import Story
    >>> kicker(Story(kind="episode", title="", url="", entries=(), duration_seconds=2520))
    'Listen · 42 min'
    """
    reading = format_duration(60 * story.reading_minutes if story.reading_minutes > 1 else None, translator)
    listening = format_duration(story.duration_seconds, translator)
    read, listen = translator.gettext("Read"), translator.gettext("Listen")
    if story.is_film:
        read = listen = translator.gettext("Watch")
    if story.kind == "post":
        if not (story.is_film or reading or story.excerpt_md):
            return ""
        return " · ".join(filter(None, (read, reading)))
    if story.kind == "episode":
        return " · ".join(filter(None, (listen, listening)))
    if story.kind == "read-or-listen":
        read = translator.gettext("Read")
        return " · ".join(" ".join(filter(None, part)) for part in ((read, reading), (listen, listening)))
    return ""


def label_separator(translator: Translator = ENGLISH) -> str:
    """Return what separates a label from a URL, spaces included."""
    # Translators: between a label and a URL, spaces included.
    return translator.gettext(": ")


def format_duration(seconds: int | None, translator: Translator = ENGLISH) -> str:
    """Return a duration in full hours and minutes, as players show it, or in seconds below two minutes.

    It is empty if the duration is unknown.

    >>> format_duration(2520), format_duration(4379), format_duration(3600), format_duration(92), format_duration(None)
    ('42 min', '1 h 12 min', '1 h', '90 sec', '')
    """
    if not seconds or seconds < 0:
        return ""
    if seconds < 120:
        return translator.ngettext("{n} sec", "{n} sec", max(5, seconds // 5 * 5))
    hours, minutes = divmod(seconds // 60, 60)
    long = translator.ngettext("{n} h", "{n} h", hours) if hours else ""
    short = translator.ngettext("{n} min", "{n} min", minutes) if minutes else ""
    return translator.gettext("{hours} {minutes}", hours=long, minutes=short) if long and short else long or short


class BylinePhrase(NamedTuple):
    """A phrase of a byline: a name and the words around it."""

    name: str
    before: str = ""
    after: str = ""
    role: Literal["feed", "guest", "other"] = "other"


def byline(story: Story, translator: Translator = ENGLISH) -> tuple[BylinePhrase, ...]:
    """Return the phrases of a story's byline: its feed, its author or guest, the number of an episode."""

    def around(phrase: str, name: str, role: Literal["guest", "other"]) -> BylinePhrase:
        before, _, after = phrase.partition(_NAME)
        return BylinePhrase(translator.isolate(name), before, after, role) if name else BylinePhrase("")

    with_guest = around(translator.gettext("with {guest}", guest=_NAME), story.guest, "guest")
    post_by = around(translator.gettext("Guest post by {guest}", guest=_NAME), story.guest, "guest")
    by = around(translator.gettext("By {author}", author=_NAME), story.author, "other")
    number = BylinePhrase(_episode_number(story, translator))
    explicit = BylinePhrase(translator.gettext("Explicit language") if story.explicit else "")
    phrases = {
        "post": (post_by if story.guest else by,),
        "episode": (number, with_guest, explicit),
        "read-or-listen": (number, with_guest if story.guest else by, explicit),
        "link": (BylinePhrase(story.link_domain),),
    }[story.kind]
    named = story.guest or ("" if story.kind == "episode" else story.author)
    feed = BylinePhrase("" if story.feed_title == named else translator.isolate(story.feed_title), role="feed")
    return tuple(phrase for phrase in (feed, *phrases) if phrase.name)


def _episode_number(story: Story, translator: Translator) -> str:
    if story.episode is None:
        return ""
    if (story.season or 0) > 1:
        return translator.gettext("Season {season}, episode {episode}", season=story.season, episode=story.episode)
    return translator.gettext("Episode {episode}", episode=story.episode)


def read_button_label(story: Story, translator: Translator = ENGLISH) -> str:
    """Return the label of the button that opens a post; beside an episode it says how long reading takes."""
    if story.kind == "post" and story.is_film:
        return translator.gettext("Watch now")
    if story.kind == "read-or-listen" and story.reading_minutes > 1:
        minutes = format_duration(60 * story.reading_minutes, translator)
        return translator.gettext("Read the post ({duration})", duration=minutes)
    return translator.gettext("Read the post")


def listen_button_label(story: Story, translator: Translator = ENGLISH) -> str:
    """Return the label of the button that opens an episode: on which other site, else how long it is."""
    is_film, duration = story.is_film, format_duration(story.duration_seconds, translator)
    if story.listen_site:
        site = translator.isolate(story.listen_site)
        return (
            translator.gettext("Watch at {site}", site=site)
            if is_film
            else translator.gettext("Listen at {site}", site=site)
        )
    if story.kind == "read-or-listen":
        if not duration:
            return translator.gettext("Watch now") if is_film else translator.gettext("Listen now")
        if is_film:
            return translator.gettext("Watch now ({duration})", duration=duration)
        return translator.gettext("Listen now ({duration})", duration=duration)
    if not duration:
        return translator.gettext("Watch the episode") if is_film else translator.gettext("Listen to the episode")
    if is_film:
        return translator.gettext("Watch the episode ({duration})", duration=duration)
    return translator.gettext("Listen to the episode ({duration})", duration=duration)


def block_label(kind: BlockKind, label: str, translator: Translator = ENGLISH) -> str:
    """Return the words above a standing block; a sponsor is always called one.

    >>> block_label("sponsor", "Tin & Twine"), block_label("sponsor", ""), block_label("notice", "")
    ('Sponsor · Tin & Twine', 'Sponsor', '')
    """
    sponsor = translator.gettext("Sponsor") if kind == "sponsor" else ""
    return " · ".join(filter(None, (sponsor, translator.isolate(label))))


def subscription_reason(publication: str, translator: Translator = ENGLISH) -> str:
    """Return why the subscriber gets the newsletter, for a publication that does not say so itself."""
    return translator.gettext(
        "You are getting this because you asked for the newsletter of {name}.", name=translator.isolate(publication)
    )
