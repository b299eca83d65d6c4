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

from pipeline.digest.choices import CHOICES, noted
from pipeline.model.digest import Edition, Trouble
from pipeline.model.edition import EditorLink, Overrides, why_not
from pipeline.model.errors import NothingToPublish, Overtaken, PipelineError, UsageError
from pipeline.text.urls import clean_url
from pipeline.web.desk import Memory
from pipeline.web.forms import Form, posted
from pipeline.web.letter import told
from pipeline.web.look import read_look
from pipeline.web.mending import anchor
from pipeline.web.sheets import Sheets
from pipeline.web.week import WeekPage, beside, week_of

LINK_STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the form holds."""

    subject: str = ""
    preheader: str = ""
    introduction: str = ""
    links: tuple[EditorLink, ...] = ()

    @classmethod
    def asked(cls, asked: Overrides) -> Words:
        """Take what the file says."""
        return cls(
            subject=asked.subject, preheader=asked.preheader, introduction=asked.introduction_md, links=asked.links
        )

    @classmethod
    def typed(cls, form: Form) -> Words:
        """Take what was typed."""
        rows = zip(form.all("link_url"), form.all("link_title"), form.all("link_note"), strict=False)
        return cls(
            subject=" ".join(form["subject"].split()),
            preheader=" ".join(form["preheader"].split()),
            introduction=form["introduction"].strip(),
            links=tuple(EditorLink(url=url, title=title, note_md=note) for url, title, note in rows if clean_url(url)),
        )

    def into(self, asked: Overrides) -> Overrides:
        """Ask for this; whatever else is asked for stays."""
        links = tuple(replace(each, note_md=" ".join(each.note_md.split())) for each in self.links)
        words = replace(asked, subject=self.subject, preheader=self.preheader, introduction_md=self.introduction)
        return replace(words, links=links)

    def rearranged(self, step: str) -> Words:
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
        if what in LINK_STEPS:
            links.insert(max(0, at + LINK_STEPS[what]), link)
        return replace(self, links=tuple(links))


@dataclass(frozen=True, slots=True)
class Writing:
    """The handlers of what an editor writes and chooses."""

    memory: Memory
    sheets: Sheets

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/week/{week}/edit", self.edit, methods=["GET"]),
            Route("/week/{week}/edit", posted(self.edited, self.sheets.token), methods=["POST"]),
            Route("/week/{week}/story", posted(self.chosen, self.sheets.token), methods=["POST"]),
            Route("/week/{week}/note", posted(self.noted, self.sheets.token), methods=["POST"]),
        ]

    def edit(self, request: Request) -> Response:
        """Show the table with what the file says."""
        week = week_of(request)
        with self.memory.alone:
            if reason := why_not("skip", self.memory.desk.standing(week)):
                return self.sheets.page("refused", request, status=409, mark="", message=reason)
            script = self.memory.desk.script(week)
            return self._page(request, week, Words.asked(script.asked), script.version)

    def edited(self, request: Request, form: Form) -> Response:
        """Do what the button says: try the words, save them, or change the links and save all."""
        week, words, do = week_of(request), Words.typed(form), form["do"]
        if do == "try":
            with self.memory.alone:
                return self._page(request, week, words, form["version"], adding=_adding(form))
        try:
            words = self._with_new_link(words, form) if do in ("add", "save") else words.rearranged(do)
            with self.memory.alone:
                self.memory.desk.save(week, words.into, form["version"])
        except Overtaken as trouble:
            return self._both(request, week, words, str(trouble))
        except PipelineError as trouble:
            with self.memory.alone:
                return self._page(
                    request, week, words, form["version"], status=409, error=str(trouble), adding=_adding(form)
                )
        return self.sheets.go(f"/week/{week}/edit", "Saved.")

    def chosen(self, request: Request, form: Form) -> Response:
        """Leave a story out, put one back, or move it."""
        week, choice, reference = week_of(request), CHOICES.get(form["do"]), form["entry"]
        look = read_look({"view": "why"})
        if choice is None or " " not in reference:
            raise HTTPException(400, "Use the buttons on the page itself.")
        with self.memory.alone:
            sections = self._told(week)
            try:
                self.memory.desk.save(week, lambda asked: choice(asked, reference, sections), form["version"])
            except PipelineError as trouble:
                shown = WeekPage(self.memory).values(week, look, refusal=str(trouble))
                return self.sheets.page("week", request, status=409, **shown)
        done = {"leave_out": "Left out.", "put_back": "Put back.", "lead": "Told first."}.get(form["do"], "Moved.")
        return self.sheets.go(f"/week/{week}?view=why", done, anchor(reference))

    def noted(self, request: Request, form: Form) -> Response:
        """Put the editor's words under a story; whoever comes second is shown both, theirs in the field."""
        week, reference, note = week_of(request), form["entry"], form["note"]
        if " " not in reference:
            raise HTTPException(400, "Use the form on the page itself.")
        with self.memory.alone:
            try:
                self.memory.desk.save(week, lambda asked: noted(asked, reference, note), form["version"])
            except PipelineError as trouble:
                shown = WeekPage(self.memory).values(week, read_look({"view": "why"}), refusal=str(trouble))
                return self.sheets.page("week", request, status=409, **shown | {"typed": {reference: note}})
        address = f"/week/{week}?view=why"
        return self.sheets.go(address, "Noted." if note.strip() else "The note is gone.", anchor(reference))

    def _with_new_link(self, words: Words, form: Form) -> Words:
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
            found = self.memory.desk.look_up(url)
        title, note = form["new_title"].strip() or found.title, form["new_note"].strip() or found.note_md
        return replace(words, links=(*words.links, EditorLink(url=found.url, title=title, note_md=note)))

    def _both(self, request: Request, week: str, words: Words, error: str) -> Response:
        """Show the words of both editors: the first one's are in the file, the second one's in the form."""
        with self.memory.alone:
            script = self.memory.desk.script(week)
            theirs = Words.asked(script.asked)
            return self._page(request, week, words, script.version, status=409, error=error, theirs=theirs)

    def _page(
        self,
        request: Request,
        week: str,
        words: Words,
        version: str,
        *,
        status: int = 200,
        error: str = "",
        theirs: Words | None = None,
        adding: EditorLink | None = None,
    ) -> Response:
        """Show the table: the words on one side, on the other the mail as they would make it."""
        page = WeekPage(self.memory)
        shown: dict[str, Any] = page.around(week) | {"words": words, "version": version, "error": error}
        shown |= {"theirs": theirs, "adding": adding or EditorLink(url=""), "look": read_look(request.query_params)}
        shown |= self._tried(week, words)
        shown["elsewhere"] = self.memory.desk.version(week) != version
        return self.sheets.page("edit", request, status=status, **shown)

    def _tried(self, week: str, words: Words) -> dict[str, Any]:
        try:
            edition = self.memory.tried(week, words.into)
        except NothingToPublish as reason:
            return {"edition": None, "trouble": None, "empty": str(reason)}
        if isinstance(edition, Trouble):
            return {"edition": None, "trouble": edition, "empty": ""}
        return beside(edition) | {"edition": edition, "trouble": None, "empty": ""}

    def _told(self, week: str) -> list[list[list[str]]]:
        try:
            edition = self.memory.draft(week)
        except NothingToPublish:
            return []
        return told(edition) if isinstance(edition, Edition) else []


def _adding(form: Form) -> EditorLink:
    return EditorLink(url=form["new_url"], title=form["new_title"], note_md=form["new_note"])
