"""Errors. Each class knows its exit code, and whether trying again later may succeed.

PipelineError
├── UsageError                2
│   └── FormError
├── ConfigError               2
├── StoreError                2
│   ├── StoreTooNewError
│   └── CorruptBackupError
├── WriteError                2
├── TemplateError             2
├── EditorFileError           2
├── RefusedError              4
│   ├── ConflictError
│   ├── ChecksFailedError
│   ├── InvalidTokenError
│   ├── TooManyRequestsError
│   ├── WebhookRefusedError
│   │   └── WebhookUncheckedError
│   └── NothingToPublishError
│       └── ThinWeekError
├── DeliveryError             3
│   ├── DeliveryFailedError
│   └── DeliveryUncertainError
├── FeedsFailedError          3
├── MailboxError              3
├── TaskTimeoutError          3
├── DNSUnavailableError       3
└── FeedError                 3
├── NotAFeedError
│   └── ExpensiveDocumentError
├── MissingSecretError
└── FetchError

DeliveryInterrupted is a KeyboardInterrupt. A message is one sentence that says what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.fetch import OutcomeKind


class PipelineError(Exception):
    """An error that is reported in one sentence instead of a traceback."""

    exit_code = 1
    retry = False


class UsageError(PipelineError):
    """The command line names something that does not exist."""

    exit_code = 2


FormFault = Literal["consent", "address", "disposable", "role", "domain"]
"""What is wrong with a sign-up form: the box is not ticked, or the address has a typing error, is thrown away after
use, belongs to several people, or to a domain without a mail server."""


class FormError(UsageError):
    """A sign-up form is not filled in correctly; ``fault`` says how."""

    def __init__(self, message: str, *, fault: FormFault) -> None:
        super().__init__(message)
        self.fault: FormFault = fault


class ConfigError(PipelineError):
    """config.toml is missing, unreadable or invalid."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        first = problems[0]
        more = "".join(f"\n{problem}" for problem in problems[1:])
        super().__init__(f"{first}{more}")
        self.problems = problems
        """A sentence on each mistake, with the file, the line if it is known, and the key."""


class StoreError(PipelineError):
    """The database cannot be opened or used."""

    exit_code = 2
    retry = True


class StoreTooNewError(StoreError):
    """The database was written by a newer version of the program."""

    retry = False


class CorruptBackupError(StoreError):
    """A backup or an export is damaged or truncated, or the file is something else; it was not used."""


class WriteError(PipelineError):
    """A file or folder of the publication cannot be written; its previous content is unchanged."""

    exit_code = 2
    retry = True


class TemplateError(PipelineError):
    """A theme is missing, or one of its templates does not compile or render."""

    exit_code = 2
    retry = True

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        """The template with the error; empty if it is not a single one."""
        self.line = line


class EditorFileError(PipelineError):
    """An edition's Markdown file is invalid, or names something that does not exist."""

    exit_code = 2
    retry = True

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        """The line of the error, counted from 1; 0 if it is not a single one."""


class RefusedError(PipelineError):
    """The request was understood and is refused; the message gives the reason."""

    exit_code = 4


class ConflictError(RefusedError):
    """Another process changed the same record first; nothing was changed, and the caller may reload and retry."""

    retry = True


class InvalidTokenError(RefusedError):
    """A signed link is not valid; ``kind`` says why."""

    def __init__(self, message: str, *, kind: Literal["forged", "expired", "used", "removed"]) -> None:
        super().__init__(message)
        self.kind = kind


class TooManyRequestsError(RefusedError):
    """Somebody asked for the same thing too often; they may try again later."""


class WebhookRefusedError(RefusedError):
    """A webhook does not come from the mail service, or not in this form."""


class WebhookUncheckedError(WebhookRefusedError):
    """The origin of a webhook could not be checked now."""

    retry = True


class ChecksFailedError(RefusedError):
    """The checks named ``names`` found errors that were not overridden."""

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)


class NothingToPublishError(RefusedError):
    """The week has no entries, so there is no digest."""


class ThinWeekError(NothingToPublishError):
    """The week has fewer stories than the minimum; they are carried over."""


DeliveryKind = Literal[
    "failed", "later", "unreachable", "insecure", "login", "recipient", "sender", "message", "uncertain"
]
"""Why a message was not sent: a local failure; the server asks to retry later, cannot be reached, cannot prove its
identity, refuses the login, recipient, sender or message; or the outcome is unknown.
"""


class DeliveryError(PipelineError):
    """A message was not delivered as intended."""

    exit_code = 3

    def __init__(self, message: str, *, kind: DeliveryKind = "failed", reply: str = "") -> None:
        super().__init__(message)
        self.kind: DeliveryKind = kind
        self.reply = reply
        """What the server replied, for example ``550 5.1.1 no such user``; empty if it did not."""
        self.retry = kind in ("failed", "later", "unreachable")


class DeliveryFailedError(DeliveryError):
    """A message could not be delivered, and nothing was sent."""


class AlreadyDeliveredError(DeliveryError):
    """Another message of the same Message-ID was delivered before; this one was not."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.retry = False


class DeliveryUncertainError(DeliveryError):
    """It is unknown whether a message was sent. A retry to the outbox finds out; after SMTP nobody can."""


class DeliveryInterrupted(KeyboardInterrupt):
    """The program was interrupted when a message was sent, or may have been."""


class FeedsFailedError(PipelineError):
    """Feeds could not be read. ``retry`` is set if none could, as that is probably a network failure."""

    exit_code = 3

    def __init__(self, message: str, *, retry: bool, feeds: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.retry = retry
        self.feeds = tuple(feeds)
        """Ids of the feeds."""


class MailboxError(PipelineError):
    """The mailbox for bounces cannot be read; nothing in it was lost."""

    exit_code = 3
    retry = True


class TaskTimeoutError(PipelineError):
    """A scheduled task took longer than it may and was ended."""

    exit_code = 3
    retry = True


class DNSUnavailableError(PipelineError):
    """No name server answers."""

    exit_code = 3
    retry = True


class FeedError(PipelineError):
    """One feed could not be read. Raised inside ingest, and reported as a value by jobs."""

    exit_code = 3
    retry = True


class NotAFeedError(FeedError):
    """A complete document that is not a feed: a web page, an empty body, something else.

    ``detail`` is what the address returns, ``advice`` what to do about it; both are parts of a sentence.
    """

    retry = False
    kind: OutcomeKind = "not_a_feed"

    def __init__(self, detail: str, advice: str = "enter the address of the feed itself") -> None:
        super().__init__(f"{detail}: {advice}.")
        self.detail, self.advice = detail, advice


class ExpensiveDocumentError(NotAFeedError):
    """A document that would take more than its CPU time to read; see ``pipeline.model.cpu_budget``."""

    kind: OutcomeKind = "too_expensive"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "tell the publisher of the feed, or remove it from config.toml")


class MissingSecretError(FeedError):
    """The environment lacks the password or token that config.toml refers to. Never contains a secret."""


class FetchError(FeedError):
    """A document could not be fetched; ``kind`` is an outcome of ``model.fetch.OutcomeKind``."""

    def __init__(self, kind: OutcomeKind, detail: str) -> None:
        super().__init__(detail)
        self.kind: OutcomeKind = kind
