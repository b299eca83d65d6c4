"""The pages that change the stories of a week: their texts and pictures, their order, and which are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.digest.editor.actions import ACTIONS, edit_story, join, set_note, set_order
from pipeline.jobs.editor.pictures import MAX_UPLOAD_BYTES
from pipeline.jobs.editor.stories import EditableStory
from pipeline.model.digest import Edition
from pipeline.model.edition import Overrides, StoryEdit
from pipeline.model.errors import NothingToPublishError, PipelineError
from pipeline.text.picture_references import is_reference
from pipeline.text.urls import clean_url, with_scheme
from pipeline.web.desk.cache import EditionCache, fingerprint
from pipeline.web.desk.editor import save_typed
from pipeline.web.desk.fix_links import entry_anchor
from pipeline.web.desk.message_details import story_references
from pipeline.web.desk.pictures.remote import picture_response
from pipeline.web.desk.ports import OverridesChange
from pipeline.web.desk.week import WeekContext, parse_view_options, requested_week
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

STORIES_VIEW = {"view": "decisions"}
LABELS = {
    "leave_out": "Left out {title}.",
    "put_back": "Put {title} back.",
    "lead": "Made {title} the lead.",
    "brief": "Made {title} a brief.",
    "full": "Showed {title} in full.",
    "move_up": "Moved {title} up.",
    "move_down": "Moved {title} down.",
    "split": "Split {title} from its story.",
    "join": "Joined {title} with another story.",
    "order": "Changed the order.",
    "published": "Restored {title} as it was published.",
}
"""What each button has done; shown after it and, with a button “Undo”, until the next change."""
MAX_TITLE_CHARS = 60


@dataclass(frozen=True, slots=True)
class StoryPages:
    """Handlers of the Stories view. A form carries the version of the editor's file it was made from."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        token = self.templates.csrf_token
        edit = form_endpoint(self.edit, token, max_upload_bytes=MAX_UPLOAD_BYTES)
        return [
            Route("/week/{week}/story", form_endpoint(self.change, token), methods=["POST"]),
            Route("/week/{week}/story-text", edit, methods=["POST"]),
            Route("/week/{week}/picture", self.picture),
            Route("/week/{week}/undo", form_endpoint(self.undo, token), methods=["POST"]),
        ]

    def change(self, request: Request, form: Form) -> Response:
        """Leave a story out, put it back, move, split or join it, or order all stories."""
        week, command, references = requested_week(request), form["do"], form.get_all("entry")
        if command not in LABELS or not references or not all(" " in reference for reference in references):
            raise HTTPException(400, "Use the buttons on the page.")
        label = LABELS[command].format(title=f"“{shortened(form['title'])}”" if form["title"] else "a story")
        with self.cache.lock:
            change = self._change(week, command, references, form["other"])
            try:
                self.cache.desk.editor.save(week, change, form["version"], label)
            except PipelineError as error:
                return self._refused(request, week, str(error))
        return self.templates.redirect(f"/week/{week}?view=decisions", label, entry_anchor(references[0]))

    def edit(self, request: Request, form: Form) -> Response:
        """Preview or save the editor's own text of a story and the note on it, or restore what was published."""
        week, reference, command = requested_week(request), form["entry"], form["do"]
        if " " not in reference:
            raise HTTPException(400, "Use the form on the page.")
        with self.cache.lock:
            story = self._story(week, reference)
            if story is None:
                raise HTTPException(409, "This story is no longer in the edition. Go back, and copy your text.")
            try:
                picture_url = self.cache.desk.editor.add_picture(form.upload) if form.upload else None
                change = self._edit(form, story, picture_url, restores=command == "published")
                if command == "preview":
                    return self._preview(week, change)
                if command == "autosave":
                    return save_typed(self.cache, week, change, form["version"])
                title = f"“{shortened(form['title'] or story.published.title)}”"
                label = LABELS["published"].format(title=title) if command == "published" else f"Changed {title}."
                self.cache.desk.editor.save(week, change, form["version"], label)
            except PipelineError as error:
                return self._refused(request, week, str(error), typed={reference: form})
        return self.templates.redirect(f"/week/{week}?view=decisions", label, entry_anchor(reference))

    def undo(self, request: Request, form: Form) -> Response:
        """Undo the last change of the editor's file, if nothing has changed it since."""
        week = requested_week(request)
        with self.cache.lock:
            try:
                label = self.cache.desk.editor.undo(week, form["version"])
            except PipelineError as error:
                return self._refused(request, week, str(error))
        return self.templates.redirect(f"/week/{week}?view=decisions", f"Undone: {label}")

    def picture(self, request: Request) -> Response:
        """Return a picture of one of the week's stories."""
        week, url = requested_week(request), request.query_params.get("url", "")
        with self.cache.lock:
            stories = [story for section in self.cache.stories(week) for story in section.stories]
        known = {picture.url for story in stories for picture in story.pictures}
        return picture_response(self.cache.desk.editor.picture(url) if url in known else None)

    def _change(self, week: str, command: str, references: Sequence[str], other: str) -> OverridesChange:
        if command == "order":
            return lambda overrides: set_order(overrides, references)
        if command == "join":
            if " " not in other:
                raise HTTPException(400, "Choose the story to join.")
            return lambda overrides: join(overrides, references[0], other)
        action, current = ACTIONS[command], self._references(week)
        # A story is left out and put back as a whole, and moves by its first entry.
        named = references if command in ("leave_out", "put_back") else references[:1]

        def change(overrides: Overrides) -> Overrides:
            for reference in named:
                overrides = action(overrides, reference, current)
            return overrides

        return change

    def _edit(self, form: Form, story: EditableStory, picture_url: str | None, *, restores: bool) -> OverridesChange:
        reference, note = story.references[0], form["note"]
        edit = StoryEdit() if restores else edit_of(form, story)
        edit = replace(edit, picture_url=picture_url) if picture_url else edit

        def change(overrides: Overrides) -> Overrides:
            for other in story.references:  # it may have been edited under the name of another of its entries
                overrides = set_note(edit_story(overrides, other, StoryEdit()), other, "")
            return set_note(edit_story(overrides, reference, edit), reference, note)

        return change

    def _preview(self, week: str, change: OverridesChange) -> Response:
        """Return the address of the newsletter with a change, for the frame beside the stories."""
        try:
            edition = self.cache.preview(week, change)
        except NothingToPublishError:
            return JSONResponse({})
        if not isinstance(edition, Edition):
            return JSONResponse({"problem": edition.message})
        return JSONResponse({"src": f"/week/{week}/mail?width=375&seen={fingerprint(edition)}"})

    def _story(self, week: str, reference: str) -> EditableStory | None:
        stories = (story for section in self.cache.stories(week) for story in section.stories)
        return next((story for story in stories if reference in story.references), None)

    def _references(self, week: str) -> list[list[list[str]]]:
        """Return the references of the stories as they are shown, by section."""
        try:
            edition = self.cache.draft(week)
        except NothingToPublishError:
            return []
        return story_references(edition) if isinstance(edition, Edition) else []

    def _refused(self, request: Request, week: str, error: str, *, typed: dict[str, Form] | None = None) -> Response:
        """Show why nothing was changed; what was ``typed`` stays in its fields, beside what is saved."""
        context: dict[str, Any] = WeekContext(self.cache).build(week, parse_view_options(STORIES_VIEW), error=error)
        return self.templates.render("week", request, status=409, **context | {"typed": typed or {}})


def edit_of(form: Form, story: EditableStory) -> StoryEdit:
    """Return what a form changes of a story: a field as it was published is no change."""
    published, text = story.published, form["text"].strip()
    choice, address = form["picture"], form["picture_url"].strip()
    own = address if is_reference(address) else clean_url(with_scheme(address)) if address else ""
    url = own if choice == "own" else choice
    alt = form["alt"].strip()
    shown = story.shown.picture
    if shown and url != shown.url and alt == shown.alt:  # another picture has another text
        alt = next((picture.alt for picture in story.pictures if picture.url == url), "")
    published_url = published.picture.url if published.picture else ""
    published_alt = published.picture.alt if published.picture else ""
    return StoryEdit(
        title="" if form["title"].strip() == published.title else " ".join(form["title"].split()),
        text_md=None if text in (story.published_text_md.strip(), published.excerpt_md.strip()) else text,
        picture_url=None if url == published_url or (choice == "own" and not own) else url,
        alt="" if alt == published_alt and url == published_url else " ".join(alt.split()),
        button=" ".join(form["button"].split()),
    )


def shortened(title: str) -> str:
    """Return a title for a short sentence.

    >>> shortened("Bread  and salt"), len(shortened("long " * 30))
    ('Bread and salt', 60)
    """
    title = " ".join(title.split())
    return title if len(title) <= MAX_TITLE_CHARS else f"{title[: MAX_TITLE_CHARS - 1].rstrip()}…"
