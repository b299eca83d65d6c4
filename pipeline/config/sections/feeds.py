"""Settings of [[feeds]], one table for each feed."""

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
    LANGUAGE,
    LISTEN_LINKS,
    URL,
    choice,
    optional,
    string,
)
from pipeline.model.feed import FEED_KINDS, FilterRule
from pipeline.model.fetch import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """One feed; repeat the table for each."""

    id: str = setting(
        "A short name that never changes: entries are stored under it.",
        string("letters, digits, - and _", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
    )
    url: str = setting("URL of the feed (`pipeline feeds check URL` finds it from a home page).", URL)
    kind: str = setting("What the feed contains.", choice(*FEED_KINDS))
    section: str = setting(
        "Heading of its section in the newsletter; the usual one for its kind if empty.", string(), ""
    )
    listen: tuple[tuple[str, str], ...] = setting(
        "Podcasts: other services where episodes can be heard, in the order to show them.", LISTEN_LINKS, {}
    )
    interval: timedelta | None = setting("How often to fetch this feed; as `[schedule] fetch` if empty.", INTERVAL, "")
    language: str = setting(
        "Language of its entries, as a BCP 47 tag; as stated by the feed if empty.", optional(LANGUAGE), ""
    )
    include: FilterRule = setting(
        "Only entries in one of these categories, or whose title or URL matches the pattern (RE2 syntax), get into a "
        "digest. The others are stored, and eligible again once the rule is removed.",
        FILTER_RULE,
        {},
    )
    exclude: FilterRule = setting(
        "Matching entries stay out of digests. They are stored, and eligible again once the rule is removed.",
        FILTER_RULE,
        {},
    )
    full_text: bool = setting(
        "Fetch the page of new and changed entries that are only excerpts, and extract their text.", FLAG, False
    )
    headers: Headers = setting(
        "Additional HTTP headers, sent to the host of this feed only. Write a secret value as `$NAME`.", HEADERS, {}
    )
    username: str = setting("User name for HTTP basic authentication.", string(), "")
    password_env: str = setting(
        "Environment variable with the password; or `NAME_FILE` is the name of a file that contains it.", ENV_VAR, ""
    )
    token_env: str = setting("Environment variable (or `NAME_FILE`) with the bearer token.", ENV_VAR, "")
