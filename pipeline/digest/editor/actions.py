"""What an editor chooses among a week's stories, as changes to what they have asked for so far.

In: Overrides, the reference of an entry, the stories as they are told. Out: Overrides. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType

from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.model.edition import Overrides

StoryReferences = Sequence[Sequence[Sequence[str]]]
"""The digest by references: sections of stories of entries, in the order they are told."""
EditorAction = Callable[[Overrides, str, StoryReferences], Overrides]


def leave_out(asked: Overrides, reference: str, told: StoryReferences) -> Overrides:
    """Keep an entry out of this edition.

    >>> leave_out(Overrides(lead="blog 1", put_back=("blog 1",)), "blog 1", ()).leave_out
    ('blog 1',)
    """
    return replace(
        asked,
        leave_out=tuple(dict.fromkeys((*asked.leave_out, reference))),
        put_back=_without(asked.put_back, reference),
        order=_without(asked.order, reference),
        lead="" if asked.lead == reference else asked.lead,
    )


def put_back(asked: Overrides, reference: str, told: StoryReferences) -> Overrides:
    """Take an entry in: again, when the editor had left it out, else although the program leaves it out.

    >>> put_back(Overrides(leave_out=("blog 1",)), "blog 1", ()) == Overrides()
    True
    >>> put_back(Overrides(), "blog 2", ()).put_back
    ('blog 2',)
    """
    if reference in asked.leave_out:
        return replace(asked, leave_out=_without(asked.leave_out, reference))
    return replace(asked, put_back=tuple(dict.fromkeys((*asked.put_back, reference))))


def make_lead(asked: Overrides, reference: str, told: StoryReferences) -> Overrides:
    """Tell an entry's story first."""
    return replace(asked, lead=reference)


def move_up(asked: Overrides, reference: str, told: StoryReferences) -> Overrides:
    """Tell an entry's story one place earlier in its section.

    >>> week = [[["blog 1"], ["blog 2", "podcast 2"]], [["links 1"]]]
    >>> earlier(Overrides(lead="blog 1"), "podcast 2", week).order
    ('blog 2', 'blog 1', 'links 1')
    """
    return _moved(asked, reference, told, -1)


def move_down(asked: Overrides, reference: str, told: StoryReferences) -> Overrides:
    """Tell an entry's story one place later in its section."""
    return _moved(asked, reference, told, 1)


def set_note(overrides: Overrides, reference: str, note_md: str) -> Overrides:
    """Put a few words under an entry's story; empty ones take them away.

    >>> noted(Overrides(notes={"blog 1": "Bread."}), "blog 2", " Soup. ").notes
    {'blog 1': 'Bread.', 'blog 2': 'Soup.'}
    """
    notes = {**overrides.notes, reference: note_md.strip()}
    return replace(overrides, notes={key: note for key, note in notes.items() if note})


ACTIONS: Mapping[str, EditorAction] = MappingProxyType(
    {"leave_out": leave_out, "put_back": put_back, "lead": make_lead, "earlier": move_up, "later": move_down}
)


def _moved(asked: Overrides, reference: str, told: StoryReferences, by: int) -> Overrides:
    sections = [list(section) for section in told]
    for section in sections:
        at = next((place for place, story in enumerate(section) if reference in story), None)
        if at is not None and 0 <= at + by < len(section):
            section[at], section[at + by] = section[at + by], section[at]
            break
    # The order says it all from here on: a lead that stood above it would undo it.
    told_first = (story[0] for story in chain.from_iterable(sections))
    return replace(
        asked, lead="", order=tuple(each for each in told_first if not each.startswith(f"{EDITOR_FEED_ID} "))
    )


def _without(references: Sequence[str], reference: str) -> tuple[str, ...]:
    return tuple(each for each in references if each != reference)
