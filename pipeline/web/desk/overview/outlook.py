"""Sentences about when an edition goes out, to how many, and what is missing until then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.model.digest import WeekSummary
from pipeline.model.edition import EditionRecord
from pipeline.text.format import datetime_in_words, pluralize


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Whether, when and to whom an edition goes out, and the steps until then."""

    sentence: str
    """Whether, when and to whom it goes out; empty if that is over."""
    missing: tuple[str, ...] = ()
    """Phrases for what has to happen before that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTerms:
    """The terms on which an edition is sent."""

    is_scheduled: bool = False
    """Whether editions are sent automatically."""
    sends_unapproved: bool = False
    """Whether that happens without approval too."""
    at: datetime | None = None
    """When this one is sent automatically, in the publication's time zone; None if never."""
    recipients: int | None = None
    """How many subscribers get it; None if it is not delivered to subscribers."""

    @property
    def _to(self) -> str:
        return "" if self.recipients is None else f", to {pluralize(self.recipients, 'subscriber')}"

    def describe(self, record: EditionRecord, summary: WeekSummary | None, errors: int) -> Outlook:
        """Return the outlook of an edition with a number of errors that block its approval.

        >>> from datetime import UTC
        >>> friday = datetime(2026, 2, 13, 7, tzinfo=UTC)
        >>> terms = SendTerms(is_scheduled=True, at=friday, recipients=1204)
        >>> terms.describe(EditionRecord(week="2026-W07"), None, 1)
        Outlook(sentence='Goes out Friday 13 February, 07:00, to 1,204 subscribers, once it is approved.', \
missing=('approval', '1 error'))
        >>> SendTerms().describe(EditionRecord(week="2026-W07", state="approved"), None, 0)
        Outlook(sentence='You send it yourself.', missing=())
        """
        if record.state == "held":
            return Outlook(sentence="Does not go out until you resume it.")
        if record.state == "skipped":
            return Outlook(sentence="No newsletter goes out for this week.")
        if record.state in ("sending", "sent"):
            return Outlook(sentence="")
        is_draft = record.state == "draft"
        alone = self.sends_unapproved and self.at is not None
        missing = [
            *(["the end of the week"] if summary and summary.is_open else []),
            *(["approval"] if is_draft and not alone else []),
            *([pluralize(errors, "error")] if is_draft and errors else []),
        ]
        condition = ""
        if is_draft:
            condition = ", unless you hold it" if alone else ", once it is approved"
        return Outlook(sentence=f"{self._when()}{condition}.", missing=tuple(missing))

    def _when(self) -> str:
        if self.at is not None:
            return f"Goes out {datetime_in_words(self.at, self.at.tzinfo or UTC)}{self._to}"
        late = "Its time to go out has passed, so you send it yourself" if self.is_scheduled else "You send it yourself"
        return f"{late}{self._to}"
