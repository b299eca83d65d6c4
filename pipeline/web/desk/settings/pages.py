"""The page of settings: show, check, save and undo them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.jobs.editor.pictures import MAX_UPLOAD_BYTES
from pipeline.model.errors import PipelineError
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.settings.fields import FIELDS, SettingField, split_time, time_in_words
from pipeline.web.desk.settings.ports import SettingsState
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

LOGO = "publication.logo_url"
DEFAULT_COLOUR = "#135e4b"
"""What the colour field shows while the theme's own colour is used."""

_CHANGED_MEANWHILE = (
    "config.toml was changed meanwhile, so nothing was overwritten. What you changed is still here: compare it with "
    "what is in the file, and save again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """A field of the page with its value."""

    field: SettingField
    value: str
    """The value that was typed."""
    saved: str
    """The value in config.toml."""
    error: str = ""
    conflict: bool = False
    """Whether it was changed both here and in config.toml."""

    @property
    def day(self) -> str:
        """The day of a time; the whole of a schedule that is not on one day."""
        return split_time(self.value)[0]

    @property
    def time(self) -> str:
        """The time of day of a time."""
        return split_time(self.value)[1]

    @property
    def colour(self) -> str:
        """The colour that the field for it shows."""
        return self.value.lower() if is_colour(self.value) else DEFAULT_COLOUR


@dataclass(frozen=True, slots=True)
class SettingsPages:
    """Handlers of the settings."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        submit = form_endpoint(self.submit, self.templates.csrf_token, max_upload_bytes=MAX_UPLOAD_BYTES)
        return [Route("/settings", self.show, methods=["GET"]), Route("/settings", submit, methods=["POST"])]

    def show(self, request: Request) -> Response:
        """Show all settings."""
        return self._page(request)

    def submit(self, request: Request, form: Form) -> Response:
        """Save what was changed, or undo the last change."""
        if form["do"] == "undo":
            return self._undo(request, form["change"])
        with self.cache.lock:
            return self._save(request, form)

    def _undo(self, request: Request, change_id: str) -> Response:
        try:
            with self.cache.lock:
                message = self.cache.desk.settings.undo(change_id)
        except PipelineError as error:
            return self._page(request, error=str(error), status=409)
        return self.templates.redirect("/settings", message)

    def _save(self, request: Request, form: Form) -> Response:
        settings = self.cache.desk.settings
        state, typed = settings.state(), typed_values(form)
        logo, refusal = self._uploaded_logo(form, state) if form["do"] == "upload" else ("", "")
        typed |= {LOGO: logo} if logo else {}
        opened = {name: form[f"was.{name}"] for name in typed}
        changed = {name: value for name, value in typed.items() if value != opened[name].strip()}
        conflicts = {name for name in changed if state.values[name] not in (opened[name], changed[name])}
        if form["version"] != state.version and (conflicts or opened != {name: state.values[name] for name in typed}):
            return self._page(request, typed=changed, conflicts=conflicts, error=_CHANGED_MEANWHILE, status=409)
        changed = {name: value for name, value in changed.items() if value != state.values[name]}
        if errors := {**settings.mistakes(changed), **({LOGO: refusal} if refusal else {})}:
            error = "Nothing was saved: correct what is marked below."
            return self._page(request, typed=changed, errors=errors, error=error, status=409)
        if not changed:
            return self.templates.redirect("/settings", "Nothing was changed.")
        try:
            message = settings.save(changed, state.version)
        except PipelineError as error_:
            return self._page(request, typed=changed, error=str(error_), lines=settings.lines(changed), status=409)
        return self.templates.redirect("/settings", message)

    def _uploaded_logo(self, form: Form, state: SettingsState) -> tuple[str, str]:
        """Return the address of the logo that was uploaded, and why there is none."""
        if not state.public_url:
            return "", (
                "Mail programs load the logo from the web: set [public] url, so that your public pages show an "
                "uploaded one, or enter the address of a picture."
            )
        if form.upload is None:
            return "", "No picture was chosen: choose a file, then press Upload."
        try:
            return f"{state.public_url}/{self.cache.desk.editor.add_picture(form.upload)}", ""
        except PipelineError as error:
            return "", str(error)

    def _page(
        self,
        request: Request,
        *,
        typed: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        conflicts: frozenset[str] | set[str] = frozenset(),
        error: str = "",
        lines: str = "",
        status: int = 200,
    ) -> Response:
        with self.cache.lock:
            state, version = self.cache.desk.settings.state(), self.cache.page_version()
        values = {**state.values, **(typed or {})}
        rows = {
            name: SettingRow(
                field=field,
                value=values[name],
                saved=state.values[name],
                error=(errors or {}).get(name, ""),
                conflict=name in conflicts,
            )
            for name, field in FIELDS.items()
        }
        return self.templates.render(
            "settings",
            request,
            status=status,
            page_version=version,
            rows=rows,
            state=state,
            themes=[(theme, theme.capitalize()) for theme in state.themes],
            summary=summarize_schedule(state),
            error=error,
            lines=lines,
        )


def typed_values(form: Form) -> dict[str, str]:
    """Return the values of a form by name, of the fields that it has."""
    values = {}
    for name, field in FIELDS.items():
        if field.kind == "time" and f"{name}.day" in form.fields:
            values[name] = _typed_time(form[f"{name}.day"], form[f"{name}.time"].strip(), form[f"was.{name}"])
        elif name in form.fields:
            values[name] = form[name].strip()
        if field.kind == "colour" and values.get(name) == form[f"was.{name}"]:
            picked, shown = form[f"{name}.picked"].lower(), form[f"{name}.shown"].lower()
            values[name] = picked if picked != shown and is_colour(picked) else values.get(name, "")
    return values


def _typed_time(day: str, time: str, was: str) -> str:
    """Return a schedule; as it was written if it means the same."""
    if not day or " " in day:
        return day
    return was if split_time(was) == (day, time) else f"{day} {time}".strip()


def is_colour(value: str) -> bool:
    """Return whether a value is a colour such as ``#135e4b``.

    >>> is_colour("#135E4b"), is_colour("green"), is_colour("")
    (True, False, False)
    """
    return len(value) == 7 and value[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in value[1:])


def summarize_schedule(state: SettingsState) -> str:
    """Return when the newsletter goes out, in a sentence."""
    closes, draft, send = (state.values[name] for name in ("digest.week_closes", "schedule.draft", "schedule.send"))
    begin = f"The week closes {time_in_words(closes)}, the draft is made {time_in_words(draft)}"
    if not send:
        return f"{begin}, and the newsletter goes out when you send it ({state.zone})."
    approval = "once you have approved it" if state.values["digest.approval"] == "required" else "unless you hold it"
    return f"{begin}, and the newsletter goes out {time_in_words(send)} ({state.zone}), {approval}."
