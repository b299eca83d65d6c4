"""The editor's actions on a story, as changes to the overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType

from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.model.edition import EditorLink, Overrides, StoryEdit

StoryReferences = Sequence[Sequence[Sequence[str]]]
"""The current digest as references: sections of stories of entries."""
EditorAction = Callable[[Overrides, str, StoryReferences], Overrides]


def leave_out(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Leave an entry out of this edition; its position, level and texts are kept for when it is put back.

    >>> leave_out(Overrides(lead="blog 1", put_back=("blog 1",)), "blog 1", ()).leave_out
    ('blog 1',)
    """
    return replace(
        overrides,
        leave_out=tuple(dict.fromkeys((*overrides.leave_out, reference))),
        put_back=_without(overrides.put_back, reference),
    )


def put_back(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Include an entry again that the editor left out, or one that the program leaves out.

    >>> put_back(Overrides(leave_out=("blog 1",)), "blog 1", ()) == Overrides()
    True
    >>> put_back(Overrides(), "blog 2", ()).put_back
    ('blog 2',)
    """
    if reference in overrides.leave_out:
        return replace(overrides, leave_out=_without(overrides.leave_out, reference))
    return replace(overrides, put_back=tuple(dict.fromkeys((*overrides.put_back, reference))))


def make_lead(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Make an entry's story the lead."""
    return replace(overrides, lead=reference, brief=_without(overrides.brief, reference))


def show_as_brief(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Show an entry's story in one sentence.

    >>> show_as_brief(Overrides(lead="blog 1", full=("blog 1",)), "blog 1", ())
    ... # doctest: +ELLIPSIS
    Overrides(...lead='', brief=('blog 1',), full=(), ...)
    """
    return replace(
        overrides,
        brief=tuple(dict.fromkeys((*overrides.brief, reference))),
        full=_without(overrides.full, reference),
        lead="" if overrides.lead == reference else overrides.lead,
    )


def show_in_full(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Show an entry's story in full, not as a brief."""
    full = tuple(dict.fromkeys((*overrides.full, reference)))
    return replace(overrides, full=full, brief=_without(overrides.brief, reference))


def move_up(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Move an entry's story up in its section.

    >>> week = [[["blog 1"], ["blog 2", "podcast 2"]], [["links 1"]]]
    >>> move_up(Overrides(lead="blog 1"), "podcast 2", week).order
    ('blog 2', 'blog 1', 'links 1')
    """
    return _moved(overrides, reference, current, -1)


def move_down(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Move an entry's story down in its section."""
    return _moved(overrides, reference, current, 1)


def set_order(overrides: Overrides, references: Sequence[str]) -> Overrides:
    """Order the stories as the references do; a story that leads stays the lead.

    >>> set_order(Overrides(order=("blog 1",)), ["blog 2", "blog 1", "blog 2"]).order
    ('blog 2', 'blog 1')
    """
    return replace(overrides, order=tuple(dict.fromkeys(references)))


def set_links(overrides: Overrides, links: Sequence[EditorLink]) -> Overrides:
    """Replace the editor's own links; in the order of the stories they change positions among themselves.

    >>> own = (EditorLink(url="https://b.example/"), EditorLink(url="https://a.example/"))
    >>> set_links(Overrides(order=("editor https://a.example/", "links 1", "editor https://b.example/")), own).order
    ('editor https://b.example/', 'links 1', 'editor https://a.example/')
    """
    own = [f"{EDITOR_FEED_ID} {link.url}" for link in links]
    ordered = iter([reference for reference in own if reference in overrides.order])
    order = (next(ordered, "") if one.startswith(f"{EDITOR_FEED_ID} ") else one for one in overrides.order)
    return replace(overrides, links=tuple(links), order=tuple(filter(None, order)))


def split(overrides: Overrides, reference: str, current: StoryReferences) -> Overrides:
    """Make an entry a story of its own; if the editor joined it with others, that is undone instead.

    >>> split(Overrides(), "podcast 2", ()).split
    ('podcast 2',)
    >>> split(Overrides(join=(("blog 2", "podcast 2"),)), "podcast 2", ()).join
    ()
    """
    if any(reference in story for story in overrides.join):
        joined = (_without(story, reference) for story in overrides.join)
        return replace(overrides, join=tuple(story for story in joined if len(story) > 1))
    return replace(overrides, split=tuple(dict.fromkeys((*overrides.split, reference))))


def join(overrides: Overrides, reference: str, other: str) -> Overrides:
    """Make the stories of two entries one; they are no longer split.

    >>> join(Overrides(), "blog 2", "podcast 2").join, join(Overrides(split=("podcast 2",)), "blog 2", "podcast 2").join
    ((('blog 2', 'podcast 2'),), (('blog 2', 'podcast 2'),))
    """
    joined = tuple(dict.fromkeys((reference, other)))
    touched = [story for story in overrides.join if reference in story or other in story]
    joined = tuple(dict.fromkeys((*joined, *chain.from_iterable(touched))))
    others = tuple(story for story in overrides.join if story not in touched)
    return replace(overrides, join=(*others, joined), split=_without(_without(overrides.split, reference), other))


def edit_story(overrides: Overrides, reference: str, edit: StoryEdit) -> Overrides:
    """Set the editor's own text and picture of a story; an empty edit brings back what was published.

    >>> edited = edit_story(Overrides(), "blog 1", StoryEdit(title="Bread"))
    >>> edited.stories, edit_story(edited, "blog 1", StoryEdit()).stories
    ({'blog 1': StoryEdit(title='Bread', text_md=None, picture_url=None, alt='', button='')}, {})
    """
    stories = {**overrides.stories, reference: edit}
    return replace(overrides, stories={key: edit for key, edit in stories.items() if edit != StoryEdit()})


def set_note(overrides: Overrides, reference: str, note_md: str) -> Overrides:
    """Set the note on an entry's story; an empty one removes it.

    >>> set_note(Overrides(notes={"blog 1": "Bread."}), "blog 2", " Soup. ").notes
    {'blog 1': 'Bread.', 'blog 2': 'Soup.'}
    """
    notes = {**overrides.notes, reference: note_md.strip()}
    return replace(overrides, notes={key: note for key, note in notes.items() if note})


def add_to_note(overrides: Overrides, reference: str, text_md: str) -> Overrides:
    """Add a paragraph to the note on an entry's story, unless it is there.

    >>> add_to_note(Overrides(notes={"blog 1": "Bread."}), "blog 1", "> Salt.").notes
    {'blog 1': 'Bread.\\n\\n> Salt.'}
    """
    note = overrides.notes.get(reference, "")
    paragraphs = [part for part in note.split("\n\n") if part]
    return overrides if text_md in paragraphs else set_note(overrides, reference, "\n\n".join([*paragraphs, text_md]))


ACTIONS: Mapping[str, EditorAction] = MappingProxyType(
    {
        "leave_out": leave_out,
        "put_back": put_back,
        "lead": make_lead,
        "brief": show_as_brief,
        "full": show_in_full,
        "move_up": move_up,
        "move_down": move_down,
        "split": split,
    }
)


def _moved(overrides: Overrides, reference: str, current: StoryReferences, step: int) -> Overrides:
    sections = [list(section) for section in current]
    for section in sections:
        index = next((index for index, story in enumerate(section) if reference in story), None)
        if index is not None and 0 <= index + step < len(section):
            section[index], section[index + step] = section[index + step], section[index]
            break
    # The order is complete from here on; a lead before it would undo the move.
    order = (story[0] for story in chain.from_iterable(sections))
    return replace(overrides, lead="", order=tuple(order))


def _without(references: Sequence[str], reference: str) -> tuple[str, ...]:
    return tuple(other for other in references if other != reference)
