"""[[feeds]] and [fetch]: what is read, and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.config.declare import setting
from pipeline.config.types import (
    ENV_VAR,
    FILTER_RULE,
    FLAG,
    HEADERS,
    INTERVAL,
    LISTEN_LINKS,
    OPTIONAL_LANGUAGE,
    URL,
    choice,
    integer,
    number,
    string,
)
from pipeline.model.feed import FEED_KINDS, FilterRule


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """One feed to read; repeat the table for each."""

    id: str = setting(
        "A short name that never changes: entries are remembered under it.",
        string("letters, digits, - and _", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
    )
    url: str = setting("The feed's address (`pipeline feeds check URL` finds it from a home page).", URL)
    kind: str = setting("What it carries.", choice(*FEED_KINDS))
    section: str = setting("Heading in the digest; the theme's own word for the kind when left out.", string(), "")
    listen: tuple[tuple[str, str], ...] = setting(
        "Podcasts: where else the episodes can be heard, in the order to be shown.", LISTEN_LINKS, {}
    )
    interval: timedelta | None = setting(
        "How often this feed is asked; as often as all of them (`[schedule] fetch`) when left out.", INTERVAL, ""
    )
    language: str = setting(
        "The language of its entries, as a BCP 47 tag; what the feed itself says when left out.", OPTIONAL_LANGUAGE, ""
    )
    include: FilterRule = setting(
        "Only entries in one of these categories, or whose title or address the pattern finds, get into a digest. "
        "All are kept, and are back when the line is gone.",
        FILTER_RULE,
        {},
    )
    exclude: FilterRule = setting(
        "Such entries stay out of digests. They are kept, and are back when the line is gone.", FILTER_RULE, {}
    )
    full_text: bool = setting(
        "Where an entry is an excerpt only, read the article from its page; for entries that are new or change.",
        FLAG,
        False,
    )
    headers: tuple[tuple[str, str], ...] = setting(
        "More HTTP headers for this feed's host, and no other. A secret one is written `$NAME`.", HEADERS, {}
    )
    username: str = setting("User name, where the feed asks for one (HTTP basic authentication).", string(), "")
    password_env: str = setting(
        "The environment variable that holds its password; or `NAME_FILE` holds the name of a file with it.",
        ENV_VAR,
        "",
    )
    token_env: str = setting("The environment variable (or `NAME_FILE`, as above) that holds its token.", ENV_VAR, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """How feeds are fetched."""

    fixtures: str = setting(
        "Answer every request from this folder instead of the network. Delete the line to go live.", string(), ""
    )
    concurrency: int = setting("How many requests at a time, one at a time for each host.", integer(1, 500), 50)
    timeout_seconds: float = setting("How long a feed's server may stay silent.", number(0.1, 600, "seconds"), 20.0)
    deadline_seconds: float = setting(
        "How long one feed may take altogether, redirects and all.", number(0.1, 3600, "seconds"), 60.0
    )
    host_gap_seconds: float = setting(
        "How long a host is left alone after each request.", number(0, 60, "seconds"), 1.0
    )
    max_bytes: int = setting("The largest feed to read, unpacked.", integer(1_000, 1_000_000_000, "bytes"), 16_000_000)
    allow_private_networks: bool = setting(
        "Allow addresses inside your own network. Only for tests and intranets.", FLAG, False
    )
