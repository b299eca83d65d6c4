"""The editor's page of a week: subject, preheader, introduction and links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.digest.editor.actions import add_to_note, set_links
from pipeline.jobs.editor.pictures import MAX_UPLOAD_BYTES
from pipeline.model.digest import BuildFailure
from pipeline.model.edition import EditorLink, Overrides, refusal
from pipeline.model.errors import ConflictError, NothingToPublishError, PipelineError, UsageError
from pipeline.text.markdown_faults import markdown_faults
from pipeline.text.urls import clean_url
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.message_details import suggestions
from pipeline.web.desk.pictures.pages import added_picture
from pipeline.web.desk.ports import OverridesChange
from pipeline.web.desk.week import WeekContext, parse_view_options, requested_week, sidebar
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

LINK_MOVES = {"up": -1, "down": 1}
NEW_LINK_FIELDS = ("new_url", "new_title", "new_note")


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorForm:
    """Values of the editor's form."""

    subject: str = ""
    preheader: str = ""
    introduction: str = ""
    links: tuple[EditorLink, ...] = ()
    quote: tuple[str, str] = ("", "")
    """The reference of a story and a quotation, as Markdown, to add to its note."""

    @classmethod
    def from_overrides(cls, overrides: Overrides) -> EditorForm:
        """Return the values in the editor's file."""
        return cls(
            subject=overrides.subject,
            preheader=overrides.preheader,
            introduction=overrides.introduction_md,
            links=overrides.links,
        )

    @classmethod
    def from_request(cls, form: Form) -> EditorForm:
        """Return the values that were typed or, by a button, taken; links without a valid address are dropped."""
        rows = zip(form.get_all("link_url"), form.get_all("link_title"), form.get_all("link_note"), strict=False)
        return cls(
            subject=" ".join((form["take_subject"] or form["subject"]).split()),
            preheader=" ".join((form["take_preheader"] or form["preheader"]).split()),
            introduction=form["introduction"].strip(),
            links=tuple(EditorLink(url=url, title=title, note_md=note) for url, title, note in rows if clean_url(url)),
            quote=(form["take_quote"].partition("\n")[0].strip(), form["take_quote"].partition("\n")[2].strip()),
        )

    def apply(self, overrides: Overrides) -> Overrides:
        """Return ``overrides`` with these values; all others stay."""
        reference, quotation = self.quote
        if reference and quotation:
            overrides = add_to_note(overrides, reference, quotation)
        links = [replace(link, note_md=" ".join(link.note_md.split())) for link in self.links]
        return replace(
            set_links(overrides, links),
            subject=self.subject,
            preheader=self.preheader,
            introduction_md=self.introduction,
        )

    def move_link(self, command: str) -> EditorForm:
        """Return the form with one link moved or removed, by the value of a button: ``up 2``, ``remove 0``.

        >>> form = EditorForm(links=(EditorLink(url="a"), EditorLink(url="b")))
        >>> [link.url for link in form.move_link("down 0").links], len(form.move_link("remove 1").links)
        (['b', 'a'], 1)
        """
        verb, _, digits = command.partition(" ")
        links = list(self.links)
        if not (digits.isdecimal() and len(digits) < 4 and int(digits) < len(links)):
            return self
        index = int(digits)
        link = links.pop(index)
        if verb in LINK_MOVES:
            links.insert(max(0, index + LINK_MOVES[verb]), link)
        return replace(self, links=tuple(links))

    def with_picture(self, markdown: str) -> EditorForm:
        """Return the form with a picture below the introduction."""
        return replace(self, introduction=f"{self.introduction}\n\n{markdown}".strip())

    def with_link(self, link: EditorLink) -> EditorForm:
        """Return the form with one more link."""
        return replace(self, links=(*self.links, link))


@dataclass(frozen=True, slots=True)
class EditorPages:
    """Handlers of the editor's forms. A form carries the version of the file it was made from."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        token = self.templates.csrf_token
        submit = form_endpoint(self.submit, token, max_upload_bytes=MAX_UPLOAD_BYTES)
        return [
            Route("/week/{week}/edit", self.show, methods=["GET"]),
            Route("/week/{week}/edit", submit, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the form with the values in the editor's file."""
        week = requested_week(request)
        with self.cache.lock:
            if reason := refusal("skip", self.cache.desk.editions.record(week)):
                return self.templates.render("error", request, status=409, page_version="", reason=reason)
            state = self.cache.desk.editor.state(week)
            return self._page(request, week, EditorForm.from_overrides(state.overrides), state.version)

    def submit(self, request: Request, form: Form) -> Response:
        """Preview or save the form, or take a suggestion or change its links and save it.

        If somebody else has saved meanwhile, nothing is written and both versions are shown.
        """
        week, values, command = requested_week(request), EditorForm.from_request(form), form["do"]
        new_link = EditorLink(url=form["new_url"], title=form["new_title"], note_md=form["new_note"])
        if command == "autosave":
            return save_typed(self.cache, week, values.apply, form["version"], unsaved=NEW_LINK_FIELDS)
        if command == "preview":
            with self.cache.lock:
                return self._page(request, week, values, form["version"], new_link=new_link)
        try:
            if command == "picture":
                values = values.with_picture(added_picture(self.cache.desk.editor, form))
            elif command not in ("add", "save"):
                values = values.move_link(command)
            elif new_link.url.strip():
                values = values.with_link(self._complete_link(new_link, values))
            with self.cache.lock:
                self.cache.desk.editor.save(week, values.apply, form["version"])
        except ConflictError as conflict:
            with self.cache.lock:
                state = self.cache.desk.editor.state(week)
                saved = EditorForm.from_overrides(state.overrides)
                return self._page(request, week, values, state.version, status=409, error=str(conflict), saved=saved)
        except PipelineError as error:
            with self.cache.lock:
                return self._page(
                    request, week, values, form["version"], status=409, error=str(error), new_link=new_link
                )
        if command not in ("add", "save") and new_link != EditorLink(url=""):
            with self.cache.lock:  # a link that is being typed is not lost by another button
                return self._page(request, week, values, self.cache.desk.editor.version(week), new_link=new_link)
        return self.templates.redirect(f"/week/{week}/edit", "Saved.")

    def _complete_link(self, link: EditorLink, values: EditorForm) -> EditorLink:
        """Return a new link with a clean address; without a title, take title and note from its page."""
        url, title, note = link.url.strip(), link.title.strip(), link.note_md.strip()
        if any(clean_url(other.url) == clean_url(url) for other in values.links):
            raise UsageError(f"{url} is already in the list.")
        if not title:
            page = self.cache.desk.editor.preview_link(url)
            return replace(page, note_md=note or page.note_md)
        address = clean_url(url if "://" in url else f"https://{url}")
        if not address:
            raise UsageError(f"{url!r} is not the address of a web page; enter one that begins with https://.")
        return EditorLink(url=address, title=title, note_md=note)

    def _page(
        self,
        request: Request,
        week: str,
        values: EditorForm,
        version: str,
        *,
        status: int = 200,
        error: str = "",
        saved: EditorForm | None = None,
        new_link: EditorLink | None = None,
    ) -> Response:
        """Show the form beside the edition it would produce. ``saved`` holds the values of another editor."""
        context: dict[str, Any] = WeekContext(self.cache).navigation(week) | {
            "options": parse_view_options(request.query_params),
            "values": values,
            "introduction_faults": list(markdown_faults(values.introduction)),
            "saved": saved,
            "new_link": new_link or EditorLink(url=""),
            "error": error,
            "file_version": version,
            "file_changed": self.cache.desk.editor.version(week) != version,
            "edition": None,
            "suggestions": {},
            "failure": None,
            "empty_reason": "",
        }
        try:
            edition = self.cache.preview(week, values.apply)
        except NothingToPublishError as reason:
            context["empty_reason"] = str(reason)
        else:
            if isinstance(edition, BuildFailure):
                context["failure"] = edition
            else:
                context |= sidebar(edition) | {"edition": edition, "suggestions": suggestions(edition)}
        return self.templates.render("editor", request, status=status, **context)


def save_typed(
    cache: EditionCache, week: str, change: OverridesChange, version: str, *, unsaved: tuple[str, ...] = ()
) -> JSONResponse:
    """Save what is being typed; return the new version of the file, or 409 and why it was not saved.

    ``unsaved`` are fields that a button adds, and nothing else.
    """
    with cache.lock:
        try:
            cache.desk.editor.save(week, change, version)
        except ConflictError:
            message = "somebody else has changed this edition. Press Save to see both versions."
            return JSONResponse({"message": message}, status_code=409)
        except PipelineError as error:
            return JSONResponse({"message": str(error)}, status_code=409)
        return JSONResponse({"version": cache.desk.editor.version(week), "unsaved": unsaved})
