"""The settings of an editor's file: which there are, and what each must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pipeline.model.edition import StoryEdit
from pipeline.model.entry import Entry
from pipeline.text.message_headers import find_control_character
from pipeline.text.picture_references import is_reference
from pipeline.text.urls import clean_url

LIST = 'a list such as ["blog 7"]'
_LINE = "text in quotation marks, on one line"
_LISTS = 'a list of lists such as [["blog 7", "podcast 3"]]'
TABLES: Mapping[str, str] = {name: f"a table: [{name}]" for name in ("notes", "stories", "related")}
SETTINGS: Mapping[str, str] = {
    **dict.fromkeys(("subject", "preheader", "lead"), _LINE),
    **dict.fromkeys(("leave_out", "put_back", "order", "brief", "full", "split"), LIST),
    "join": _LISTS,
    **TABLES,
}
"""The settings, and what each must be."""
STORY_FIELDS: Mapping[str, str] = {
    "title": "title",
    "text": "text_md",
    "picture": "picture_url",
    "alt": "alt",
    "button": "button",
}
"""The keys of a story in [stories], and the fields of StoryEdit that they set."""


def setting_problem(key: str, value: object) -> str:
    """Return what is wrong with a setting, as a sentence without its full stop; empty if nothing is.

    >>> setting_problem("leed", "blog 7"), setting_problem("order", "blog 7")
    ('leed is not a setting of an edition: did you mean lead?', 'order must be a list such as ["blog 7"]')
    """
    if key not in SETTINGS:
        return f"{key} is not a setting of an edition: {_hint(key, SETTINGS)}"
    if name := find_control_character(value):
        return f"the control character {name} cannot be published: delete it"
    allowed = SETTINGS[key]
    if allowed == _LINE:
        fits = isinstance(value, str) and "\n" not in value
    elif allowed == LIST:
        fits = is_list_of_text(value)
    elif allowed == _LISTS:
        fits = isinstance(value, list) and all(map(is_list_of_text, value))
    else:
        fits = isinstance(value, dict)
    return "" if fits else f"{key} must be {allowed}"


def story_problem(key: str, values: object) -> str:
    """Return what is wrong with the editor's own text of a story, as ``setting_problem`` does.

    >>> story_problem("blog 7", {"titel": "Bread"})
    'titel is nothing that can be set for a story: did you mean title?'
    """
    if not isinstance(values, dict):
        return f'a story has its fields after a dot, such as "{key}".title = "Bread"{misplaced_hint(key)}'
    for name, value in values.items():
        if name not in STORY_FIELDS:
            return f"{name} is nothing that can be set for a story: {_hint(name, STORY_FIELDS)}"
        if not isinstance(value, str):
            return f"the {name} of a story must be text in quotation marks"
        if name != "text" and "\n" in value:
            return f"the {name} of a story must be on one line"
        if name == "picture" and value and not (clean_url(value) or is_reference(value)):
            return f'"{value}" is not the address of a picture: write one that begins with https://, or "" for none'
    return ""


def read_story(values: Mapping[str, str]) -> StoryEdit:
    """Return the editor's own text of a story from its valid keys; a blank title, alt or button is as published.

    >>> read_story({"title": "Bread ", "picture": ""})
    StoryEdit(title='Bread', text_md=None, picture_url='', alt='', button='')
    """
    fields: dict[str, Any] = {STORY_FIELDS[name]: value.strip() for name, value in values.items()}
    return StoryEdit(**fields)


def is_list_of_text(value: object) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def misplaced_hint(key: str) -> str:
    """Return where to write a setting that was written below the header of a table."""
    *tables, last = (f"[{name}]" for name in TABLES)
    return f"; {key} belongs above {', '.join(tables)} and {last}" if key in SETTINGS else ""


def closest_reference(words: str, entries: Sequence[Entry]) -> str:
    """Return a hint naming the closest reference, by its spelling or by the entry's title."""
    names = {f"{entry.feed_id} {entry.guid}": entry for entry in entries}
    titles = {entry.title.casefold(): name for name, entry in reversed(names.items())}
    close = get_close_matches(words.replace("/", " ", 1), names, n=1, cutoff=0.5)
    close = close or [titles[title] for title in get_close_matches(words.casefold(), titles, n=1, cutoff=0.6)]
    if close:
        return f'did you mean "{close[0]}" ({names[close[0]].title})?'
    return "name it by its feed's id and its guid or URL, as listed in a new editor's file and by --explain."


def _hint(name: str, allowed: Mapping[str, str]) -> str:
    close = get_close_matches(name, allowed, n=1, cutoff=0.5)
    return (
        f"did you mean {close[0]}?"
        if close
        else f"the {'settings' if allowed is SETTINGS else 'keys'} are {', '.join(allowed)}."
    )
