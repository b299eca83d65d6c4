"""Every setting there is: its section, kind, default and what it is for.

The one source of validation, of the reference in docs/ and of ``pipeline init``. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.config.kinds import (
    COLOUR,
    FLAG,
    HEADERS,
    INTERVAL,
    LANGUAGE,
    LISTEN,
    MAILBOX,
    NAME,
    OPTIONAL_LANGUAGE,
    OPTIONAL_MAILBOX,
    OPTIONAL_URL,
    RULE,
    SCHEDULE,
    STORE_URL,
    URL,
    VARIABLE,
    WEEK_CLOSES,
    ZONE,
    Kind,
    choice,
    number,
    text,
    whole,
)
from pipeline.digest.look import FONTS
from pipeline.model.feed import FEED_KINDS, Rule
from pipeline.model.schedule import Schedule


def setting(doc: str, kind: Kind, default: Any = MISSING) -> Any:
    """Declare a setting; ``default`` is what one would write in TOML, and without one it must be given."""
    value = default if default is MISSING else kind.read(default)
    return field(default=value, metadata={"doc": doc, "kind": kind, "default": default})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationSettings:
    """Who publishes; appears in every mail."""

    name: str = setting("The newsletter's name: the mail's sender and masthead.", NAME)
    url: str = setting("The publication's home page.", URL)
    timezone: str = setting("Weeks close, and dates are written, in this time zone.", ZONE, "UTC")
    language: str = setting("Language of the mail, as a BCP 47 tag.", LANGUAGE, "en")
    sender: str = setting("From whom the mail comes.", MAILBOX)
    editor: str = setting("Who gets the proof; the sender when left out.", OPTIONAL_MAILBOX, "")
    postal_address: str = setting("Footer: the postal address that mail law asks for.", text(), "")
    tagline: str = setting("A line under the name in the masthead.", text(), "")
    logo_url: str = setting("A picture to show in the masthead instead of the bare name.", OPTIONAL_URL, "")
    accent: str = setting(
        "Colour of links and buttons, kept readable in light and dark; the theme's own when left out.",
        COLOUR,
        "",
    )
    fonts: str = setting("A family of fonts for everything; the theme's own when left out.", choice(*FONTS, ""), "")
    closing_ask: str = setting(
        "The one thing that readers are asked to do, above the footer; a link is written `[words](https://…)`.",
        text(),
        "",
    )
    reason: str = setting("Footer: why the reader gets this mail.", text(), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """One feed to read; repeat the table for each."""

    id: str = setting(
        "A short name that never changes: entries are remembered under it.",
        text("letters, digits, - and _", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
    )
    url: str = setting("The feed's address (`pipeline feeds check URL` finds it from a home page).", URL)
    kind: str = setting("What it carries.", choice(*FEED_KINDS))
    section: str = setting("Heading in the digest; the theme's own word for the kind when left out.", text(), "")
    listen: tuple[tuple[str, str], ...] = setting(
        "Podcasts: where else the episodes can be heard, in the order to be shown.", LISTEN, {}
    )
    interval: timedelta | None = setting(
        "How often this feed is asked; as often as all of them (`[schedule] fetch`) when left out.", INTERVAL, ""
    )
    language: str = setting(
        "The language of its entries, as a BCP 47 tag; what the feed itself says when left out.", OPTIONAL_LANGUAGE, ""
    )
    include: Rule = setting(
        "Only entries in one of these categories, or whose title or address the pattern finds, get into a digest. "
        "All are kept, and are back when the line is gone.",
        RULE,
        {},
    )
    exclude: Rule = setting(
        "Such entries stay out of digests. They are kept, and are back when the line is gone.", RULE, {}
    )
    full_text: bool = setting(
        "Where an entry is an excerpt only, read the article from its page; for entries that are new or change.",
        FLAG,
        False,
    )
    headers: tuple[tuple[str, str], ...] = setting(
        "More HTTP headers for this feed's host, and no other. A secret one is written `$NAME`.", HEADERS, {}
    )
    username: str = setting("User name, where the feed asks for one (HTTP basic authentication).", text(), "")
    password_env: str = setting(
        "The environment variable that holds its password; or `NAME_FILE` holds the name of a file with it.",
        VARIABLE,
        "",
    )
    token_env: str = setting("The environment variable (or `NAME_FILE`, as above) that holds its token.", VARIABLE, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """How feeds are fetched."""

    fixtures: str = setting(
        "Answer every request from this folder instead of the network. Delete the line to go live.", text(), ""
    )
    concurrency: int = setting("How many requests at a time, one at a time for each host.", whole(1, 500), 50)
    timeout_seconds: float = setting("How long a feed's server may stay silent.", number(0.1, 600, "seconds"), 20.0)
    deadline_seconds: float = setting(
        "How long one feed may take altogether, redirects and all.", number(0.1, 3600, "seconds"), 60.0
    )
    host_gap_seconds: float = setting(
        "How long a host is left alone after each request.", number(0, 60, "seconds"), 1.0
    )
    max_bytes: int = setting("The largest feed to read, unpacked.", whole(1_000, 1_000_000_000, "bytes"), 16_000_000)
    allow_private_networks: bool = setting(
        "Allow addresses inside your own network. Only for tests and intranets.", FLAG, False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """How the week's digest is made."""

    week_closes: str = setting("When a week closes, in the publication's time zone.", WEEK_CLOSES, "mon 00:00")
    theme: str = setting(
        "The look of the mail: a folder in `templates/`, beside config.toml or of the program.",
        text("the name of a folder in templates/", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*"),
        "classic",
    )
    min_entries: int = setting("A week with fewer posts and episodes is thin.", whole(0, 50), 2)
    thin_week: str = setting(
        "What becomes of a thin week: filled up with pieces from the archive, or it waits for the next one.",
        choice("archive", "wait"),
        "archive",
    )
    links_min: int = setting("With fewer useful links, the checks say so.", whole(0, 40), 3)
    links_max: int = setting("The most useful links in one edition; the others roll on to the next.", whole(0, 40), 7)
    settle_minutes: int = setting(
        "How long news waits for its author's second thoughts, since it was first seen or last changed.",
        whole(0, 10_080, "minutes"),
        0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How editions leave the house."""

    outbox: str = setting(
        "Where `pipeline send` puts mails, as files and as a Maildir; it starts at config.toml's folder.",
        text("the name of a folder", empty=False),
        "outbox",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where entries are kept."""

    url: str = setting(
        "The database; a relative path starts at config.toml's folder.", STORE_URL, "sqlite:///pipeline.db"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """When `pipeline run` and `pipeline tick` do what, in the publication's time zone."""

    fetch: Schedule = setting("How often feeds are looked at.", SCHEDULE, "every 30 minutes")
    draft: Schedule = setting("When the digest of the newest closed week is made.", SCHEDULE, "mon 06:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One validated config.toml."""

    path: Path
    publication: PublicationSettings
    feeds: tuple[FeedSettings, ...]
    fetch: FetchSettings
    digest: DigestSettings
    delivery: DeliverySettings
    store: StoreSettings
    schedule: ScheduleSettings


SECTIONS: dict[str, type] = {
    "publication": PublicationSettings,
    "feeds": FeedSettings,
    "fetch": FetchSettings,
    "digest": DigestSettings,
    "delivery": DeliverySettings,
    "store": StoreSettings,
    "schedule": ScheduleSettings,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the config reference."""

    section: str
    key: str
    allowed: str
    default: str
    """As it would be written in TOML; ``required`` when it must be given."""
    doc: str


def settings_of(section: type) -> dict[str, Field[Any]]:
    """List a section's settings by key."""
    return {each.name: each for each in fields(section)}


def reference() -> Iterator[Setting]:
    """List every setting in the order of the sections."""
    for name, section in SECTIONS.items():
        for key, each in settings_of(section).items():
            yield Setting(
                section=name,
                key=key,
                allowed=each.metadata["kind"].words,
                default="required" if each.default is MISSING else toml_words(each.metadata["default"]),
                doc=each.metadata["doc"],
            )


def toml_words(value: Any) -> str:
    """Write a default as TOML.

    >>> toml_words(True), toml_words("mon 00:00"), toml_words(16_000_000), toml_words({})
    ('true', '"mon 00:00"', '16_000_000', '{}')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_.10g}" if isinstance(value, float) else f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else "{}"
