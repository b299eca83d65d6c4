"""The one error tree. Each class knows its exit code and whether trying again later makes sense.

    PipelineError
    ├── UsageError          2   the command line asks for something that does not exist
    ├── ConfigError         2   config.toml cannot be used as it stands
    ├── StoreError          2   the database cannot be used as it stands
    │   ├── StoreTooNew     2   … because a newer program wrote it
    │   └── BrokenCopy      2   … or a backup or an export that is not whole, or not ours
    ├── Unwritable          2   a file cannot be written: its disk is full, or its rights are missing
    ├── TemplateError       2   a theme is missing or broken
    ├── EditorFileError     2   an editor's file says something that is not understood
    ├── Refused             4   understood, and not done, for a reason
    │   ├── Overtaken       4   … because another process was quicker
    │   ├── Stopped         4   … because the checks found errors that nobody has overridden
    │   ├── PassRefused     4   … because a signed link is forged, too old, or was used
    │   └── NothingToPublish 4  … because the week holds no entries
    │       └── ThinWeek    4   … because it holds too few, and waits
    ├── DeliveryProblem     3   a mail did not get out as it should; ``kind`` is a word for why
    │   ├── DeliveryFailed  3   … and nothing of it has left
    │   └── DeliveryUncertain 3 … or something may have left
    ├── FeedsFailed         3   some feeds of a run could not be read, or none could, which passes
    ├── NoResolver          3   no name server answers
    └── FeedProblem         3   one feed could not be read; a value in a report, never the end of a run
        ├── NotAFeed        3   … because the document is something else
        ├── SecretMissing   3   … because nobody gave the password or token it needs
        └── FetchProblem    3   … because it could not be fetched

    KeyboardInterrupt
    └── DeliveryInterrupted     told to stop when a mail was out, or may be

Messages are one sentence that says what to do. Nothing here prints or exits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.fetch import OutcomeKind


class PipelineError(Exception):
    """Anything the program reports in a sentence instead of a traceback."""

    exit_code = 1
    retry = False


class UsageError(PipelineError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class ConfigError(PipelineError):
    """config.toml is missing, unreadable or holds a value that is not allowed."""

    exit_code = 2


class StoreError(PipelineError):
    """The database cannot be opened or used as it stands."""

    exit_code = 2
    retry = True


class StoreTooNewError(StoreError):
    """The database was written by a newer version of the program."""

    retry = False


class CorruptBackupError(StoreError):
    """A backup or an export is damaged, cut short, or something else; nothing was done with it."""


class WriteError(PipelineError):
    """A file or folder of the publication cannot be written; what was there is as it was."""

    exit_code = 2
    retry = True


class TemplateError(PipelineError):
    """A theme is missing, or one of its templates does not compile or render."""

    exit_code = 2
    retry = True

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        """The template to look into; empty when no single one is to blame."""
        self.line = line


class EditorFileError(PipelineError):
    """An edition's Markdown file names something that does not exist, or is not written as it must be."""

    exit_code = 2
    retry = True

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        """The line to look into, counted from 1; 0 when no single one is to blame."""


class RefusedError(PipelineError):
    """The request was understood and is refused, with the reason."""

    exit_code = 4


class ConflictError(RefusedError):
    """Another process changed the same thing a moment ago; nothing was done, and a second look is worth it."""

    retry = True


class InvalidTokenError(RefusedError):
    """A signed link does not open anything. ``kind`` says why."""

    def __init__(self, message: str, *, kind: Literal["forged", "expired", "used"]) -> None:
        super().__init__(message)
        self.kind = kind


class ChecksFailedError(RefusedError):
    """The checks found errors, and nobody has said that the edition is to go out all the same."""


class NothingToPublishError(RefusedError):
    """The week holds no entries, so no digest is written."""


class ThinWeekError(NothingToPublishError):
    """The week holds fewer stories than the publisher wants in a mail; they roll on to the next."""


DeliveryKind = Literal[
    "failed", "later", "unreachable", "insecure", "login", "recipient", "sender", "message", "uncertain"
]
"""Why a mail is not out: something here; the server asks for patience, is not there, cannot prove its name, refuses the
login, the recipient, the sender or the mail itself; or nobody knows."""


class DeliveryError(PipelineError):
    """A mail did not get out as it should."""

    exit_code = 3

    def __init__(self, message: str, *, kind: DeliveryKind = "failed") -> None:
        super().__init__(message)
        self.kind: DeliveryKind = kind
        self.retry = kind in ("failed", "later", "unreachable")


class DeliveryFailedError(DeliveryError):
    """A mail could not be handed on, and nothing of it has left the house."""


class DeliveryUncertainError(DeliveryError):
    """A mail is out or is not. The outbox finds out when it is tried again; of SMTP nobody ever knows."""


class DeliveryInterrupted(KeyboardInterrupt):
    """Told to stop when a mail was out, or may be. It stops whatever a KeyboardInterrupt stops."""


class FeedsFailedError(PipelineError):
    """Feeds of a run could not be read. ``retry`` when none could: then it is most likely the way there."""

    exit_code = 3

    def __init__(self, message: str, *, retry: bool, feeds: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.retry = retry
        self.feeds = tuple(feeds)
        """Which ones, by id."""


class DNSUnavailableError(PipelineError):
    """No name server answers, so nothing is known of a domain's records."""

    exit_code = 3
    retry = True


class FeedError(PipelineError):
    """One feed could not be read. Raised inside ingest, reported as a value outside it."""

    exit_code = 3
    retry = True


class NotAFeedError(FeedError):
    """The document was read whole and is not a feed: a web page, an empty body, something else."""

    retry = False


class MissingSecretError(FeedError):
    """The environment does not give the password or token that config.toml names. Never says what it is."""


class FetchError(FeedError):
    """A document could not be fetched. ``kind`` is the word of ``model.fetch.OutcomeKind`` for why."""

    def __init__(self, kind: OutcomeKind, detail: str) -> None:
        super().__init__(detail)
        self.kind: OutcomeKind = kind
