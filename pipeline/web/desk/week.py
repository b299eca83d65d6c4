"""What the page of one week shows: the edition, what is known about it, and what can be done.

In: a week, a way to look at it. Out: the values of templates/web/week.html.j2. Asks the desk and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.jobs.editions.check_links import check_results
from pipeline.model.check import CheckResult, blocking_results
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import TRANSITIONS, refusal
from pipeline.model.errors import NothingToPublishError, UsageError
from pipeline.model.week import Week
from pipeline.web.desk.diff import EditionDiff, diff_editions
from pipeline.web.desk.mail_details import (
    GMAIL_CLIP_KB,
    SIZE_LIMITS_KB,
    archive_titles,
    measure_html,
    read_mail_details,
    story_references,
)
from pipeline.web.desk.ports import ACTIONS, EditionCache, fingerprint
from pipeline.web.desk.view_options import VIEW_CHOICES, ViewOptions

EDITABLE_STATES = TRANSITIONS["skip"]
"""In these states what the editor asks for still counts."""


@dataclass(frozen=True, slots=True)
class WeekContext:
    """One week's page, around what was on the screens."""

    cache: EditionCache

    def build(
        self, week: str, options: ViewOptions, *, refusal: str = "", seen_fingerprint: str = ""
    ) -> dict[str, Any]:
        """Give what the page shows.

        ``refusal`` says why a move was not made; ``seen`` is the fingerprint of what was on the screen when it was
        asked for, to be compared with what would be there now.
        """
        with self.cache.lock:
            shown = self.navigation(week) | {
                "look": options,
                "choices": VIEW_CHOICES,
                "refusal": refusal,
                "stopped": False,
            }
            shown |= {"difference": None, "stoppers": {}}
            try:
                edition = self.cache.edition(week)
            except NothingToPublishError as reason:
                return shown | self._without(week, str(reason))
            except UsageError as error:
                raise HTTPException(404, str(error)) from error
            if isinstance(edition, BuildFailure):
                return shown | {"edition": None, "trouble": edition, "empty": ""}
            shown |= sidebar(edition) | self._of(week, edition) | self._looked(week, edition)
            if options.view == "why" and shown["editable"]:
                shown["notes"] = self.cache.desk.editor_state(week).overrides.notes
            if options.view == "changes":
                shown["difference"] = self._since_approval(week)
            if refusal and (before := self.cache.shown_edition(seen_fingerprint)):
                shown["difference"] = diff_editions(before, shown["fresh"])
        return shown | {"edition": edition, "trouble": None, "empty": ""}

    def navigation(self, week: str) -> dict[str, Any]:
        """Find a week's summary and its neighbours in a list that is newest first."""
        weeks, standing = self.cache.weeks(), self.cache.desk.edition_record(week)
        return {
            "mark": self.cache.page_version(),
            "week": week,
            "weeks": weeks,
            "summary": next((each for each in weeks if each.week == week), None),
            "earlier": next((each for each in weeks if each.week < week), None),
            "later": next((each for each in reversed(weeks) if each.week > week), None),
            "standing": standing,
            "actions": [action for action in ACTIONS if action != "test" and not refusal(action, standing)],
            "editable": standing.state in EDITABLE_STATES,
        }

    def _of(self, week: str, edition: Edition) -> dict[str, Any]:
        """Add what belongs to this edition alone: why its stories are in, and what would be approved now."""
        fresh, places = self._fresh(week, edition), _places(story_references(edition))
        order = {reference: at for at, reference in enumerate(places)}
        decisions = self.cache.desk.decisions(week)
        return {
            "fresh": fresh,
            "stoppers": _by_name(blocking_results(check_results(fresh, self.cache.desk.link_check(fresh)))),
            "fresh_fingerprint": fingerprint(fresh),
            "approved": self.cache.desk.approved_edition(week),
            "decisions": sorted(decisions, key=lambda each: order.get(f"{each.feed_id} {each.guid}", len(order))),
            "version": self.cache.desk.version(week),
            "places": places,
            "older": archive_titles(fresh),
        }

    def _looked(self, week: str, edition: Edition) -> dict[str, Any]:
        """Add what was found, by the checks and by asking for links and pictures."""
        desk = self.cache.desk
        look = desk.link_check(edition)
        return {"checks": check_results(edition, look), "looked": look, "looking": desk.is_checking_links(week)}

    def _without(self, week: str, reason: str) -> dict[str, Any]:
        """Show the ledger of a week that has nothing to publish: what the editor left out can be put back."""
        decisions = [each for each in self.cache.desk.decisions(week) if not each.included]
        return {
            "edition": None,
            "trouble": None,
            "empty": reason,
            "decisions": decisions,
            "version": self.cache.desk.version(week),
            "places": {},
            "older": {},
        }

    def _fresh(self, week: str, edition: Edition) -> Edition:
        """Give what an approval would seal; where no draft can be made, what is sealed."""
        try:
            fresh = self.cache.draft(week) if edition.state == "approved" else edition
        except NothingToPublishError:
            return edition
        return edition if isinstance(fresh, BuildFailure) else fresh

    def _since_approval(self, week: str) -> EditionDiff | None:
        approved, edition = self.cache.desk.approved_edition(week), self.cache.edition(week)
        if approved is None or isinstance(edition, BuildFailure):
            return None
        return diff_editions(approved, self._fresh(week, edition))


def sidebar(edition: Edition) -> dict[str, Any]:
    """Give what stands beside an edition, wherever it is shown."""
    return {
        "letter": read_mail_details(edition),
        "checks": check_results(edition),
        "weight": measure_html(edition.html),
        "limits": [limit for limit, _ in SIZE_LIMITS_KB],
        "clipped_at": GMAIL_CLIP_KB,
        "fingerprint": fingerprint(edition),
    }


def requested_week(request: Request) -> str:
    """Read the week of an address; 404 when it is none."""
    try:
        return str(Week.parse(request.path_params["week"]))
    except ValueError as error:
        raise HTTPException(404, "A week is named like 2026-W07.") from error


def _by_name(checks: Iterable[CheckResult]) -> dict[str, list[CheckResult]]:
    found: dict[str, list[CheckResult]] = {}
    for each in checks:
        found.setdefault(each.name, []).append(each)
    return found


def _places(sections: Sequence[Sequence[Sequence[str]]]) -> dict[str, tuple[bool, bool]]:
    """Tell of each entry whether its story has one before and one after it in its section."""
    return {
        reference: (at > 0, at + 1 < len(section))
        for section in sections
        for at, story in enumerate(section)
        for reference in story
        if not reference.startswith(f"{EDITOR_FEED_ID} ")
    }
