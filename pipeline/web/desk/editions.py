"""Pages of editions: the list of weeks, a week in every view, the HTML in its frame, the files, and the buttons."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.delivery.service_tags import html_for_service, service_tags, text_for_service
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.errors import (
    ChecksFailedError,
    EditorFileError,
    NothingToPublishError,
    PipelineError,
    RefusedError,
    UsageError,
)
from pipeline.model.variant import WHOLE
from pipeline.web.desk.access.gate import is_from_script
from pipeline.web.desk.access.roles import action_refusal
from pipeline.web.desk.cache import EditionCache, fingerprint
from pipeline.web.desk.message_frame import frame_html
from pipeline.web.desk.overview.week_lines import load_week_lines
from pipeline.web.desk.ports import ACTIONS, ActionOptions
from pipeline.web.desk.week import ViewOptions, WeekContext, parse_view_options, requested_week, with_known_variant
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.security import IMAGE_SOURCES, MESSAGE_CSP
from pipeline.web.templating import PageTemplates

FILE_TYPES = {"html": "text/html", "txt": "text/plain", "eml": "message/rfc822"}
"""Media type of each of an edition's files, by suffix."""
MAX_URL_LENGTH = 4096
_POLL_INTERVAL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class EditionPages:
    """Handlers that only read. A request for updates waits up to ``long_poll_seconds`` for a change."""

    cache: EditionCache
    templates: PageTemplates
    long_poll_seconds: float = 2.0

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        return [
            Route("/", self.weeks),
            Route("/week/{week}", self.week),
            Route("/week/{week}/mail", self.message),
            Route("/week/{week}/digest.{suffix}", self.file),
            Route("/week/{week}/for/{service}.{suffix}", self.file_for_service),
            Route("/image", self.image),
            Route("/updates", self.updates),
        ]

    def weeks(self, request: Request) -> Response:
        """Show the list of weeks, or the first steps while there is none."""
        with self.cache.lock:
            version, weeks = self.cache.page_version(), self.cache.desk.editions.weeks()
            unconfirmed = self.cache.desk.editions.unconfirmed()
            lines = load_week_lines(self.cache, weeks)
        feeds = self.cache.desk.feeds
        progress = feeds.fetch_progress()
        if weeks:
            return self.templates.render(
                "weeks",
                request,
                page_version=version,
                weeks=weeks,
                lines=lines,
                unconfirmed=unconfirmed,
                feeds=None,
                progress=progress,
            )
        return self.templates.render(
            "onboarding",
            request,
            page_version=version,
            feeds=list(feeds.rows()),
            removed=list(feeds.removed()),
            results=(),
            url="",
            error="",
            progress=progress,
        )

    def week(self, request: Request) -> Response:
        """Show a week in the view that the query names, or why there is no edition."""
        context = WeekContext(self.cache).build(requested_week(request), parse_view_options(request.query_params))
        return self.templates.render("week", request, **context)

    def message(self, request: Request) -> Response:
        """Show the HTML for its frame, as described in ``message_frame``."""
        options = parse_view_options(request.query_params)
        whole = self.cache.shown_edition(request.query_params.get("seen", "")) or self._edition(request)
        self.cache.record_review(fingerprint(whole))
        edition = whole.as_variant(options.variant)
        with self.cache.lock:
            local_image = self.cache.desk.editions.local_image
            html = frame_html(
                edition.html.decode(),
                scheme=options.scheme,
                is_local=lambda url: local_image(url) is not None,
                shows_images=options.images != "none",
            )
        policy = MESSAGE_CSP.format(images=IMAGE_SOURCES[options.images])
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    def file(self, request: Request) -> Response:
        """Return the unchanged bytes of one of an edition's files."""
        suffix, edition = request.path_params["suffix"], self._edition(request)
        variant = with_known_variant(parse_view_options(request.query_params), edition).variant
        edition = edition.as_variant(variant)
        if suffix not in FILE_TYPES:
            raise HTTPException(404, "An edition has digest.html, digest.txt and digest.eml.")
        content = {"html": edition.html, "txt": edition.text, "eml": edition.eml}[suffix]
        headers = {"Content-Security-Policy": MESSAGE_CSP.format(images=IMAGE_SOURCES["local"])}
        if suffix == "eml":
            name = edition.week if variant == WHOLE.name else f"{edition.week}-{variant}"
            headers["Content-Disposition"] = f'attachment; filename="{name}.eml"'
        return Response(content, media_type=FILE_TYPES[suffix], headers=headers)

    def file_for_service(self, request: Request) -> Response:
        """Return the HTML or the text of an edition with the tags of a mail service, as a download."""
        suffix, name, edition = request.path_params["suffix"], request.path_params["service"], self._edition(request)
        variant = with_known_variant(parse_view_options(request.query_params), edition).variant
        edition = edition.as_variant(variant)
        try:
            service = service_tags(name)
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        if suffix == "html":
            content = html_for_service(edition.html.decode(), service)
        elif suffix == "txt" and service.takes_text:
            content = text_for_service(edition.text.decode(), service)
        else:
            raise HTTPException(404, f"For {service.title} there is no .{suffix}.")
        file_name = edition.week if variant == WHOLE.name else f"{edition.week}-{variant}"
        headers = {
            "Content-Security-Policy": MESSAGE_CSP.format(images=IMAGE_SOURCES["local"]),
            "Content-Disposition": f'attachment; filename="{file_name}-{name}.{suffix}"',
        }
        return Response(content, media_type=FILE_TYPES[suffix], headers=headers)

    def image(self, request: Request) -> Response:
        """Return an image that needs no network. Nothing is fetched."""
        url = request.query_params.get("url", "")
        with self.cache.lock:
            image = self.cache.desk.editions.local_image(url) if 0 < len(url) <= MAX_URL_LENGTH else None
        if image is None or not image[0].startswith("image/"):
            raise HTTPException(404, "There is no such image here.")
        media_type, content = image
        return Response(
            content, media_type=media_type, headers={"Content-Security-Policy": "default-src 'none'; sandbox"}
        )

    async def updates(self, request: Request) -> Response:
        """Return the page version and what has changed, as soon as it differs or ``long_poll_seconds`` are over."""
        seen, deadline = request.query_params.get("seen", ""), monotonic() + self.long_poll_seconds
        while (version := await run_in_threadpool(self.cache.page_version)) == seen and monotonic() < deadline:
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
        changes = await run_in_threadpool(self.cache.changes_since, seen)
        return JSONResponse({"version": version, "changes": changes})

    def error(self, request: Request, error: Exception) -> Response:
        """Show an HTTPException or a PipelineError as a page."""
        status = 409 if isinstance(error, RefusedError | EditorFileError) else 500
        if isinstance(error, HTTPException):
            status = error.status_code
        message = error.detail if isinstance(error, HTTPException) else str(error)
        message = "There is no such page." if message == "Not Found" else message
        if is_from_script(request) and request.method != "GET":  # what a script gets it shows in place of the page
            return JSONResponse({"message": message}, status_code=status)
        return self.templates.render("error", request, status=status, page_version="", reason=message)

    def refuse(self, request: Request, reason: str) -> Response:
        """Show why an editor may not do something."""
        return self.error(request, HTTPException(403, reason))

    def _edition(self, request: Request) -> Edition:
        try:
            edition = self.cache.edition(requested_week(request))
        except (NothingToPublishError, UsageError) as error:
            raise HTTPException(404, str(error)) from error
        if isinstance(edition, BuildFailure):
            raise HTTPException(404, edition.message)
        return edition


@dataclass(frozen=True, slots=True)
class ActionPages:
    """Handlers of the action buttons. They answer to POST alone."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the buttons."""
        token = self.templates.csrf_token
        return [
            Route("/week/{week}/actions", form_endpoint(self.perform, token), methods=["POST"]),
            Route("/week/{week}/link-check", form_endpoint(self.check_links, token), methods=["POST"]),
        ]

    def check_links(self, request: Request, form: Form) -> Response:
        """Start a check of links and images; the page shows its end."""
        week = requested_week(request)
        self.cache.desk.link_checks.start(week)
        return self.templates.redirect(f"/week/{week}#link-check")

    def perform(self, request: Request, form: Form) -> Response:
        """Run an action and redirect to the week; if it is refused, show why and what has changed since the page."""
        week, action = requested_week(request), next((action for action in ACTIONS if action == form["do"]), None)
        options = ActionOptions(
            content_hash=form["hash"], overridden=tuple(form.get_all("override")), test_address=form["address"]
        )
        if action is None or (action == "approve" and not options.content_hash):
            raise HTTPException(400, "Use the buttons on the page.")
        if reason := action_refusal(request, action):
            raise HTTPException(403, reason)
        desk = self.cache.desk
        try:
            if action == "approve":
                desk.link_checks.ensure_checked(week, options.overridden)  # slow, so without the lock
            with self.cache.lock:
                message = desk.editions.perform(week, action, options)
        except PipelineError as error:
            self.cache.clear()  # what subscribers want does not count in the page version
            context = WeekContext(self.cache).build(
                week, ViewOptions(), error=str(error), seen_fingerprint=form["hash"]
            )
            context["checks_failed"] = isinstance(error, ChecksFailedError)
            return self.templates.render("week", request, status=409, **context)
        return self.templates.redirect(f"/week/{week}", message)
