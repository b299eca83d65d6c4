"""The editor's table: subject, preheader, introduction, useful links; and which stories are told, in which order.

In: forms. Out: a change of the editor's file, or the page again, with everything that was typed still in it. Two
editors at once: a form names the version of the file it was made from, and whoever comes second is shown both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.digest.editor.actions import ACTIONS, set_note
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import EditorLink, Overrides, refusal
from pipeline.model.errors import ConflictError, NothingToPublishError, PipelineError, UsageError
from pipeline.text.urls import clean_url
from pipeline.web.desk.fix_links import entry_anchor
from pipeline.web.desk.mail_details import story_references
from pipeline.web.desk.ports import EditionCache
from pipeline.web.desk.view_options import parse_view_options
from pipeline.web.desk.week import WeekContext, requested_week, sidebar
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

LINK_MOVES = {"up": -1, "down": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorForm:
    """What the form holds."""

    subject: str = ""
    preheader: str = ""
    introduction: str = ""
    links: tuple[EditorLink, ...] = ()

    @classmethod
    def from_overrides(cls, overrides: Overrides) -> EditorForm:
        """Take what the file says."""
        return cls(
            subject=overrides.subject,
            preheader=overrides.preheader,
            introduction=overrides.introduction_md,
            links=overrides.links,
        )

    @classmethod
    def from_request(cls, form: Form) -> EditorForm:
        """Take what was typed."""
        rows = zip(form.get_all("link_url"), form.get_all("link_title"), form.get_all("link_note"), strict=False)
        return cls(
            subject=" ".join(form["subject"].split()),
            preheader=" ".join(form["preheader"].split()),
            introduction=form["introduction"].strip(),
            links=tuple(EditorLink(url=url, title=title, note_md=note) for url, title, note in rows if clean_url(url)),
        )

    def apply(self, overrides: Overrides) -> Overrides:
        """Ask for this; whatever else is asked for stays."""
        links = tuple(replace(each, note_md=" ".join(each.note_md.split())) for each in self.links)
        words = replace(overrides, subject=self.subject, preheader=self.preheader, introduction_md=self.introduction)
        return replace(words, links=links)

    def move_link(self, step: str) -> EditorForm:
        """Move or remove one of the links, as a button says: ``up 2``, ``remove 0``.

        >>> two = Words(links=(EditorLink(url="a"), EditorLink(url="b")))
        >>> [link.url for link in two.rearranged("down 0").links], len(two.rearranged("remove 1").links)
        (['b', 'a'], 1)
        """
        what, _, place = step.partition(" ")
        links = list(self.links)
        if not (place.isdecimal() and len(place) < 4 and int(place) < len(links)):
            return self
        at = int(place)
        link = links.pop(at)
        if what in LINK_MOVES:
            links.insert(max(0, at + LINK_MOVES[what]), link)
        return replace(self, links=tuple(links))


@dataclass(frozen=True, slots=True)
class EditorPages:
    """The handlers of what an editor writes and chooses."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/week/{week}/edit", self.show, methods=["GET"]),
            Route("/week/{week}/edit", form_endpoint(self.submit, self.templates.csrf_token), methods=["POST"]),
            Route("/week/{week}/story", form_endpoint(self.change_story, self.templates.csrf_token), methods=["POST"]),
            Route("/week/{week}/note", form_endpoint(self.save_note, self.templates.csrf_token), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the table with what the file says."""
        week = requested_week(request)
        with self.cache.lock:
            if reason := refusal("skip", self.cache.desk.edition_record(week)):
                return self.templates.render("refused", request, status=409, mark="", message=reason)
            script = self.cache.desk.editor_state(week)
            return self._page(request, week, EditorForm.from_overrides(script.overrides), script.version)

    def submit(self, request: Request, form: Form) -> Response:
        """Do what the button says: try the words, save them, or change the links and save all."""
        week, words, do = requested_week(request), EditorForm.from_request(form), form["do"]
        if do == "try":
            with self.cache.lock:
                return self._page(request, week, words, form["version"], adding=_adding(form))
        try:
            words = self._with_new_link(words, form) if do in ("add", "save") else words.move_link(do)
            with self.cache.lock:
                self.cache.desk.save(week, words.apply, form["version"])
        except ConflictError as trouble:
            return self._both(request, week, words, str(trouble))
        except PipelineError as trouble:
            with self.cache.lock:
                return self._page(
                    request, week, words, form["version"], status=409, error=str(trouble), adding=_adding(form)
                )
        return self.templates.redirect(f"/week/{week}/edit", "Saved.")

    def change_story(self, request: Request, form: Form) -> Response:
        """Leave a story out, put one back, or move it."""
        week, choice, reference = requested_week(request), ACTIONS.get(form["do"]), form["entry"]
        look = parse_view_options({"view": "why"})
        if choice is None or " " not in reference:
            raise HTTPException(400, "Use the buttons on the page itself.")
        with self.cache.lock:
            sections = self._told(week)
            try:
                self.cache.desk.save(week, lambda asked: choice(asked, reference, sections), form["version"])
            except PipelineError as trouble:
                shown = WeekContext(self.cache).build(week, look, refusal=str(trouble))
                return self.templates.render("week", request, status=409, **shown)
        done = {"leave_out": "Left out.", "put_back": "Put back.", "lead": "Told first."}.get(form["do"], "Moved.")
        return self.templates.redirect(f"/week/{week}?view=why", done, entry_anchor(reference))

    def save_note(self, request: Request, form: Form) -> Response:
        """Put the editor's words under a story; whoever comes second is shown both, theirs in the field."""
        week, reference, note = requested_week(request), form["entry"], form["note"]
        if " " not in reference:
            raise HTTPException(400, "Use the form on the page itself.")
        with self.cache.lock:
            try:
                self.cache.desk.save(week, lambda asked: set_note(asked, reference, note), form["version"])
            except PipelineError as trouble:
                shown = WeekContext(self.cache).build(week, parse_view_options({"view": "why"}), refusal=str(trouble))
                return self.templates.render("week", request, status=409, **shown | {"typed": {reference: note}})
        address = f"/week/{week}?view=why"
        return self.templates.redirect(
            address, "Noted." if note.strip() else "The note is gone.", entry_anchor(reference)
        )

    def _with_new_link(self, words: EditorForm, form: Form) -> EditorForm:
        """Add the link that was typed into the empty row, in its page's own words where there are none."""
        url = form["new_url"].strip()
        if not url:
            return words
        if any(clean_url(each.url) == clean_url(url) for each in words.links):
            raise UsageError(f"{url} is in the list already.")
        if form["new_title"].strip():
            address = clean_url(url if "://" in url else f"https://{url}")
            if not address:
                raise UsageError(f"{url!r} is no address of a web page: give one that begins with https://.")
            found = EditorLink(url=address)
        else:
            found = self.cache.desk.preview_link(url)
        title, note = form["new_title"].strip() or found.title, form["new_note"].strip() or found.note_md
        return replace(words, links=(*words.links, EditorLink(url=found.url, title=title, note_md=note)))

    def _both(self, request: Request, week: str, words: EditorForm, error: str) -> Response:
        """Show the words of both editors: the first one's are in the file, the second one's in the form."""
        with self.cache.lock:
            script = self.cache.desk.editor_state(week)
            theirs = EditorForm.from_overrides(script.overrides)
            return self._page(request, week, words, script.version, status=409, error=error, theirs=theirs)

    def _page(
        self,
        request: Request,
        week: str,
        words: EditorForm,
        version: str,
        *,
        status: int = 200,
        error: str = "",
        theirs: EditorForm | None = None,
        adding: EditorLink | None = None,
    ) -> Response:
        """Show the table: the words on one side, on the other the mail as they would make it."""
        page = WeekContext(self.cache)
        shown: dict[str, Any] = page.navigation(week) | {"words": words, "version": version, "error": error}
        shown |= {
            "theirs": theirs,
            "adding": adding or EditorLink(url=""),
            "look": parse_view_options(request.query_params),
        }
        shown |= self._tried(week, words)
        shown["elsewhere"] = self.cache.desk.version(week) != version
        return self.templates.render("edit", request, status=status, **shown)

    def _tried(self, week: str, words: EditorForm) -> dict[str, Any]:
        try:
            edition = self.cache.preview(week, words.apply)
        except NothingToPublishError as reason:
            return {"edition": None, "trouble": None, "empty": str(reason)}
        if isinstance(edition, BuildFailure):
            return {"edition": None, "trouble": edition, "empty": ""}
        return sidebar(edition) | {"edition": edition, "trouble": None, "empty": ""}

    def _told(self, week: str) -> list[list[list[str]]]:
        try:
            edition = self.cache.draft(week)
        except NothingToPublishError:
            return []
        return story_references(edition) if isinstance(edition, Edition) else []


def _adding(form: Form) -> EditorLink:
    return EditorLink(url=form["new_url"], title=form["new_title"], note_md=form["new_note"])
