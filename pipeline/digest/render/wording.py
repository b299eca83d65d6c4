"""The newsletter's own words in the publication's language: headings, bylines, durations, buttons.

Every function returns a phrase, or an empty string if there is nothing to say. English messages are arguments of
``gettext`` or ``ngettext`` anywhere in ``digest``; ``make locale`` collects them into the catalogs.
"""

from __future__ import annotations

from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.digest import SectionKind, Story


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
    ('No. 7', '')
    """
    return "" if number is None else translator.gettext("No. {number}", number=number)


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


def byline(story: Story, translator: Translator = ENGLISH) -> tuple[str, ...]:
    """Return the parts of a story's byline: its author or guest, and how long it takes."""
    guest, author = translator.isolate(story.guest), translator.isolate(story.author)
    minutes = story.reading_minutes
    listening = format_duration(story.duration_seconds, translator)
    with_guest = translator.gettext("with {guest}", guest=guest) if guest else ""
    by = translator.gettext("By {author}", author=author) if author else ""
    reading = translator.ngettext("{n} min read", "{n} min read", minutes) if minutes > 1 else ""
    explicit = translator.gettext("Explicit language") if story.explicit else ""
    parts = {
        "post": (translator.gettext("Guest post by {guest}", guest=guest) if guest else by, reading),
        "episode": (_episode_number(story, translator), listening, with_guest, explicit),
        "read-or-listen": (_episode_number(story, translator), with_guest or by, explicit),
        "link": (story.link_domain,),
    }[story.kind]
    return tuple(part for part in parts if part)


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
    """Return the label of the button that opens an episode, to hear or to watch, with its duration."""
    is_film, duration = story.is_film, format_duration(story.duration_seconds, translator)
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


def subscription_reason(publication: str, translator: Translator = ENGLISH) -> str:
    """Return why the subscriber gets the newsletter, for a publication that does not say so itself."""
    return translator.gettext(
        "You are getting this because you asked for the newsletter of {name}.", name=translator.isolate(publication)
    )
