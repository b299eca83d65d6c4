"""What the page of one week shows: the edition, what is known about it, and what can be done.

In: a week, a way to look at it. Out: the values of templates/web/week.html.j2. Asks the desk and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pipeline.digest.wishes import EDITOR
from pipeline.jobs.check import findings
from pipeline.model.check import Check, blocking
from pipeline.model.digest import Edition, Trouble
from pipeline.model.edition import ALLOWED, why_not
from pipeline.model.errors import NothingToPublish, UsageError
from pipeline.model.week import Week
from pipeline.web.changes import Changes, compare
from pipeline.web.desk import ACTIONS, Memory, fingerprint
from pipeline.web.letter import CLIPPED_AT_KB, LIMITS_KB, read_letter, shown_again, told, weigh
from pipeline.web.look import CHOICES, Look

EDITABLE = ALLOWED["skip"]
"""In these states what the editor asks for still counts."""


@dataclass(frozen=True, slots=True)
class WeekPage:
    """One week's page, around what was on the screens."""

    memory: Memory

    def values(self, week: str, look: Look, *, refusal: str = "", seen: str = "") -> dict[str, Any]:
        """Give what the page shows.

        ``refusal`` says why a move was not made; ``seen`` is the fingerprint of what was on the screen when it was
        asked for, to be compared with what would be there now.
        """
        with self.memory.alone:
            shown = self.around(week) | {"look": look, "choices": CHOICES, "refusal": refusal, "stopped": False}
            shown |= {"difference": None, "stoppers": {}}
            try:
                edition = self.memory.edition(week)
            except NothingToPublish as reason:
                return shown | self._without(week, str(reason))
            except UsageError as error:
                raise HTTPException(404, str(error)) from error
            if isinstance(edition, Trouble):
                return shown | {"edition": None, "trouble": edition, "empty": ""}
            shown |= beside(edition) | self._of(week, edition) | self._looked(week, edition)
            if look.view == "why" and shown["editable"]:
                shown["notes"] = self.memory.desk.script(week).asked.notes
            if look.view == "changes":
                shown["difference"] = self._since_approval(week)
            if refusal and (before := self.memory.seen(seen)):
                shown["difference"] = compare(before, shown["fresh"])
        return shown | {"edition": edition, "trouble": None, "empty": ""}

    def around(self, week: str) -> dict[str, Any]:
        """Find a week's summary and its neighbours in a list that is newest first."""
        weeks, standing = self.memory.weeks(), self.memory.desk.standing(week)
        return {
            "mark": self.memory.mark(),
            "week": week,
            "weeks": weeks,
            "summary": next((each for each in weeks if each.week == week), None),
            "earlier": next((each for each in weeks if each.week < week), None),
            "later": next((each for each in reversed(weeks) if each.week > week), None),
            "standing": standing,
            "actions": [action for action in ACTIONS if action != "test" and not why_not(action, standing)],
            "editable": standing.state in EDITABLE,
        }

    def _of(self, week: str, edition: Edition) -> dict[str, Any]:
        """Add what belongs to this edition alone: why its stories are in, and what would be approved now."""
        fresh, places = self._fresh(week, edition), _places(told(edition))
        order = {reference: at for at, reference in enumerate(places)}
        decisions = self.memory.desk.decisions(week)
        return {
            "fresh": fresh,
            "stoppers": _by_name(blocking(findings(fresh, self.memory.desk.look(fresh)))),
            "fresh_fingerprint": fingerprint(fresh),
            "approved": self.memory.desk.approved(week),
            "decisions": sorted(decisions, key=lambda each: order.get(f"{each.feed_id} {each.guid}", len(order))),
            "version": self.memory.desk.version(week),
            "places": places,
            "older": shown_again(fresh),
        }

    def _looked(self, week: str, edition: Edition) -> dict[str, Any]:
        """Add what was found, by the checks and by asking for links and pictures."""
        desk = self.memory.desk
        look = desk.look(edition)
        return {"checks": findings(edition, look), "looked": look, "looking": desk.looking(week)}

    def _without(self, week: str, reason: str) -> dict[str, Any]:
        """Show the ledger of a week that has nothing to publish: what the editor left out can be put back."""
        decisions = [each for each in self.memory.desk.decisions(week) if not each.included]
        return {
            "edition": None,
            "trouble": None,
            "empty": reason,
            "decisions": decisions,
            "version": self.memory.desk.version(week),
            "places": {},
            "older": {},
        }

    def _fresh(self, week: str, edition: Edition) -> Edition:
        """Give what an approval would seal; where no draft can be made, what is sealed."""
        try:
            fresh = self.memory.draft(week) if edition.state == "approved" else edition
        except NothingToPublish:
            return edition
        return edition if isinstance(fresh, Trouble) else fresh

    def _since_approval(self, week: str) -> Changes | None:
        approved, edition = self.memory.desk.approved(week), self.memory.edition(week)
        if approved is None or isinstance(edition, Trouble):
            return None
        return compare(approved, self._fresh(week, edition))


def beside(edition: Edition) -> dict[str, Any]:
    """Give what stands beside an edition, wherever it is shown."""
    return {
        "letter": read_letter(edition),
        "checks": findings(edition),
        "weight": weigh(edition.html),
        "limits": [limit for limit, _ in LIMITS_KB],
        "clipped_at": CLIPPED_AT_KB,
        "fingerprint": fingerprint(edition),
    }


def week_of(request: Request) -> str:
    """Read the week of an address; 404 when it is none."""
    try:
        return str(Week.parse(request.path_params["week"]))
    except ValueError as error:
        raise HTTPException(404, "A week is named like 2026-W07.") from error


def _by_name(checks: Iterable[Check]) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
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
        if not reference.startswith(f"{EDITOR} ")
    }
