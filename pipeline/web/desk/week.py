"""The values that a week's page shows, and the view options in its query string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pipeline.delivery.service_tags import SERVICES
from pipeline.jobs.editions.check_links import check_results
from pipeline.model.check import CheckResult, blocking_results
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import TRANSITIONS, refusal
from pipeline.model.errors import NothingToPublishError, UsageError
from pipeline.model.variant import WHOLE
from pipeline.model.week import Week
from pipeline.web.desk.cache import EditionCache, fingerprint
from pipeline.web.desk.diff import diff_editions
from pipeline.web.desk.message_details import (
    GMAIL_CLIP_KB,
    SIZE_LIMITS_KB,
    archive_titles,
    measure_html,
    read_message_details,
    story_levels,
    story_references,
)
from pipeline.web.desk.overview.outlook import Outlook, SendTerms
from pipeline.web.desk.ports import ACTIONS
from pipeline.web.desk.stories.context import stories_context

EDITABLE_STATES = TRANSITIONS["skip"]
"""States in which the editor's overrides can still take effect."""
VIEW_CHOICES: dict[str, dict[str, str]] = {
    "view": {
        "mail": "Newsletter",
        "decisions": "Stories",
        "inbox": "Inbox",
        "text": "Text",
        "headers": "Headers",
        "source": "Source",
        "changes": "Changes",
        "files": "Copy and download",
    },
    "width": {"fit": "Fit screen", "900": "Desktop", "375": "Phone", "320": "Small phone"},
    "scheme": {"light": "Light", "dark": "Dark", "forced": "Forced dark"},
    "images": {"local": "Local images", "all": "All images", "none": "No images"},
}
"""Each control of the toolbar with its values and their labels; the first value is the default."""
MAIN_VIEWS = ("mail", "decisions")
"""The views that a week opens on; the others are under one control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """How an edition is shown, and which variant of it; other fields hold a key of their row in ``VIEW_CHOICES``."""

    view: str = "mail"
    width: str = "fit"
    scheme: str = "light"
    images: str = "local"
    variant: str = WHOLE.name

    @property
    def query(self) -> str:
        """The query string of these options.

        >>> ViewOptions(width="375", scheme="dark").query
        'view=mail&width=375&scheme=dark&images=local'
        """
        variant = {} if self.variant == WHOLE.name else {"variant": self.variant}
        return urlencode({name: getattr(self, name) for name in VIEW_CHOICES} | variant)

    def query_for(self, view: str) -> str:
        """Return the query string of the same options for another view.

        >>> ViewOptions(width="375").query_for("decisions")
        'view=decisions&width=375&scheme=light&images=local'
        """
        return replace(self, view=view).query

    def query_for_variant(self, name: str) -> str:
        """Return the query string of the same options for another variant.

        >>> ViewOptions().query_for_variant("posts").rpartition("&")[2]
        'variant=posts'
        """
        return replace(self, variant=name).query


def parse_view_options(query: Mapping[str, str]) -> ViewOptions:
    """Return the view options in a query; the default for each that is missing or unknown.

    >>> parse_view_options({"width": "375", "scheme": "plaid"})
    ViewOptions(view='mail', width='375', scheme='light', images='local', variant='whole')
    """
    chosen = {name: query[name] for name, values in VIEW_CHOICES.items() if query.get(name) in values}
    return ViewOptions(**chosen, variant=query.get("variant", WHOLE.name))


@dataclass(frozen=True, slots=True)
class WeekContext:
    """Builds the template context of a week's page."""

    cache: EditionCache

    def build(self, week: str, options: ViewOptions, *, error: str = "", seen_fingerprint: str = "") -> dict[str, Any]:
        """Return the context of ``templates/web/week.html.j2``.

        ``error`` is why an action was refused. ``seen_fingerprint`` names the edition that was on the screen then; the
        page shows how the current one differs from it.
        """
        with self.cache.lock:
            context = self._first_values(week) | {"options": options, "refusal": error}
            try:
                edition = self.cache.edition(week)
            except NothingToPublishError as reason:
                return (
                    context | {"empty_reason": str(reason)} | self._left_out(week) | stories_context(self.cache, week)
                )
            except UsageError as usage_error:
                raise HTTPException(404, str(usage_error)) from usage_error
            if isinstance(edition, BuildFailure):
                return context | {"failure": edition}
            draft = self._edition_to_approve(week, edition)
            options = with_known_variant(options, edition)
            context |= sidebar(edition, options.variant) | self._edition_values(week, edition, draft)
            context |= {"options": options, "edition": edition.as_variant(options.variant)}
            context |= self._sending_values(week, edition, context["blocking"])
            context["reviewed"] = options.view == "mail" or self.cache.is_reviewed(context["draft_fingerprint"])
            if options.view == "decisions" and context["editable"]:
                context |= stories_context(self.cache, week)
            if options.view == "changes":
                approved = self.cache.desk.editions.approved_edition(week)
                context["diff"] = diff_editions(approved, draft) if approved else None
            if error and (seen := self.cache.shown_edition(seen_fingerprint)):
                context["diff"] = diff_editions(seen, draft)
        return context

    def navigation(self, week: str) -> dict[str, Any]:
        """Return the values of a week's heading: its summary, its neighbours and its state."""
        weeks, record = self.cache.weeks(), self.cache.desk.editions.record(week)
        actions = [action for action in ACTIONS if action != "test" and not refusal(action, record)]
        if record.state == "skipped" and not self.cache.desk.editions.may_resume(week):
            actions.remove("resume")
        return {
            "page_version": self.cache.page_version(),
            "week": week,
            "summary": next((summary for summary in weeks if summary.week == week), None),
            "previous_week": next((summary for summary in weeks if summary.week < week), None),
            "next_week": next((summary for summary in reversed(weeks) if summary.week > week), None),
            "record": record,
            "corrections": self.cache.desk.corrections.of_week(week) if record.state == "sent" else (),
            "unconfirmed": self.cache.desk.editions.unconfirmed(),
            "actions": actions,
            "editable": record.state in EDITABLE_STATES,
        }

    def _first_values(self, week: str) -> dict[str, Any]:
        """Return the values of a week without an edition."""
        context = self.navigation(week)
        return context | {
            "carry_over": self.cache.desk.editions.carry_over(week) if "skip" in context["actions"] else None,
            "choices": VIEW_CHOICES,
            "main_views": MAIN_VIEWS,
            "mail_services": SERVICES,
            "checks_failed": False,
            "diff": None,
            "blocking": {},
            "edition": None,
            "failure": None,
            "empty_reason": "",
            "delivery": None,
            "reviewed": False,
            "outlook": self._outlook(week, None, 0),
        }

    def _sending_values(self, week: str, edition: Edition, blocking: Mapping[str, list[CheckResult]]) -> dict[str, Any]:
        """Return to whom an edition goes, when, and what is missing; ``blocking`` are the errors by check."""
        delivery = self.cache.desk.deliveries.of_edition(week, edition)
        recipients = delivery.recipients.total if delivery and delivery.recipients else None
        return {"delivery": delivery, "outlook": self._outlook(week, recipients, sum(map(len, blocking.values())))}

    def _outlook(self, week: str, recipients: int | None, errors: int) -> Outlook:
        overview = self.cache.desk.overview
        summary = next((summary for summary in self.cache.weeks() if summary.week == week), None)
        terms = SendTerms(
            is_scheduled=overview.is_scheduled(),
            sends_unapproved=overview.sends_unapproved(),
            at=overview.send_time(week),
            recipients=recipients,
        )
        return terms.describe(self.cache.desk.editions.record(week), summary, errors)

    def _edition_values(self, week: str, edition: Edition, draft: Edition) -> dict[str, Any]:
        """Return decisions and checks. ``draft`` is what an approval would seal."""
        desk = self.cache.desk
        positions = _positions(story_references(edition))
        order = {reference: number for number, reference in enumerate(positions)}
        decisions = desk.editions.decisions(week)
        link_check = desk.link_checks.result(edition)
        return {
            "draft_fingerprint": fingerprint(draft),
            "blocking": _by_name(blocking_results(check_results(draft, desk.link_checks.result(draft)))),
            "decisions": sorted(
                decisions, key=lambda decision: order.get(f"{decision.feed_id} {decision.guid}", len(order))
            ),
            "story_titles": {f"{decision.feed_id} {decision.guid}": decision.title for decision in decisions},
            "file_version": desk.editor.version(week),
            "positions": positions,
            "levels": story_levels(edition),
            "archive": archive_titles(draft),
            "checks": check_results(edition, link_check),
            "link_check": link_check,
            "checking_links": desk.link_checks.is_running(week),
        }

    def _left_out(self, week: str) -> dict[str, Any]:
        """Return the decisions of a week with nothing to publish: the editor can put entries back."""
        return {
            "decisions": [entry for entry in self.cache.desk.editions.decisions(week) if not entry.included],
            "file_version": self.cache.desk.editor.version(week),
            "positions": {},
            "levels": {},
            "archive": {},
        }

    def _edition_to_approve(self, week: str, edition: Edition) -> Edition:
        """Return what an approval would seal; the sealed edition where no draft can be built."""
        try:
            draft = self.cache.draft(week) if edition.state == "approved" else edition
        except NothingToPublishError:
            return edition
        return edition if isinstance(draft, BuildFailure) else draft


def sidebar(edition: Edition, variant: str = WHOLE.name) -> dict[str, Any]:
    """Return the values shown beside an edition, or a variant of it, on every page."""
    return {
        "details": read_message_details(edition, variant),
        "checks": check_results(edition),
        "html_size": measure_html(edition.as_variant(variant).html),
        "size_limits_kb": [limit for limit, _ in SIZE_LIMITS_KB],
        "gmail_clip_kb": GMAIL_CLIP_KB,
        "fingerprint": fingerprint(edition),
    }


def requested_week(request: Request) -> str:
    """Return the week in the path of a request. Raise HTTPException 404 if it is not one."""
    try:
        return str(Week.parse(request.path_params["week"]))
    except ValueError as error:
        raise HTTPException(404, "A week is written like 2026-W07.") from error


def with_known_variant(options: ViewOptions, edition: Edition) -> ViewOptions:
    """Return the options for a variant that an edition has: the one they name, else the whole."""
    names = [variant.name for variant in edition.variants]
    return options if options.variant in names else replace(options, variant=WHOLE.name)


def _by_name(results: Iterable[CheckResult]) -> dict[str, list[CheckResult]]:
    by_name: dict[str, list[CheckResult]] = {}
    for result in results:
        by_name.setdefault(result.name, []).append(result)
    return by_name


def _positions(sections: Sequence[Sequence[Sequence[str]]]) -> dict[str, tuple[bool, bool]]:
    """Return for each entry whether its story can move up and down within its section."""
    return {
        reference: (number > 0, number + 1 < len(section))
        for section in sections
        for number, story in enumerate(section)
        for reference in story
    }
