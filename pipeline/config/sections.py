"""The sections of config.toml, a frozen dataclass each, whose fields are declared with ``setting``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.config.types import (
    COLOUR,
    COMMAND,
    ENV_VAR,
    FILTER_RULE,
    FLAG,
    HEADERS,
    HOST_AND_PORT,
    INTERVAL,
    LANGUAGE,
    LATE_LIMIT,
    LISTEN_LINKS,
    MAILBOX,
    NON_EMPTY,
    OPTIONAL_SCHEDULE,
    PROXY_URL,
    RETENTION,
    SCHEDULE,
    SEND_TIME,
    STORE_URL,
    URL,
    WEEK_CLOSES,
    ZONE,
    SettingType,
    choice,
    integer,
    number,
    optional,
    setting,
    string,
)
from pipeline.digest.render.style import FONTS
from pipeline.model.feed import FEED_KINDS, FilterRule
from pipeline.model.fetch import Headers
from pipeline.model.schedule import At, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationSettings:
    """The publisher of the newsletter; part of every edition."""

    name: str = setting("Name of the newsletter: the sender of the mail and its masthead.", NON_EMPTY)
    url: str = setting("Home page of the publication.", URL)
    timezone: str = setting("Time zone in which weeks close and dates are written.", ZONE, "UTC")
    language: str = setting("Language of the newsletter, as a BCP 47 tag.", LANGUAGE, "en")
    sender: str = setting("Sender of the newsletter.", MAILBOX)
    editor: str = setting("Who gets the proof; the sender if empty.", optional(MAILBOX), "")
    postal_address: str = setting(
        "Postal address in the footer, which the law requires in many countries.", string(), ""
    )
    tagline: str = setting("A line below the name in the masthead.", string(), "")
    logo_url: str = setting("Image to show in the masthead instead of the name.", optional(URL), "")
    signature: str = setting("The editor's name, printed below the introduction.", string(), "")
    portrait_url: str = setting("Image to show beside the signature, 48 pixels wide.", optional(URL), "")
    accent: str = setting(
        "Colour of links and buttons, adjusted to be readable in light and dark; the theme's own if empty.", COLOUR, ""
    )
    fonts: str = setting("Font family of the whole newsletter; the theme's own if empty.", choice(*FONTS, ""), "")
    call_to_action: str = setting("A request above the footer; a link is written `[text](https://…)`.", string(), "")
    feedback_links: bool = setting(
        "Whether the end has links to reply, to rate the edition, to pass it on, and to the edition before.", FLAG, True
    )
    reason: str = setting("Footer: why the subscriber gets this newsletter.", string(), "")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """How feeds are fetched."""

    fixtures: str = setting(
        "Folder with answers to use instead of the network. Delete the line to go live.", string(), ""
    )
    concurrency: int = setting("Maximum number of requests at a time; one for each host.", integer(1, 500), 50)
    timeout_seconds: float = setting("How long a server may stay silent.", number(0.1, 600, "seconds"), 20.0)
    deadline_seconds: float = setting(
        "How long one feed may take in total, redirects included.", number(0.1, 3600, "seconds"), 60.0
    )
    host_gap_seconds: float = setting("Pause between two requests to the same host.", number(0, 60, "seconds"), 1.0)
    max_bytes: int = setting(
        "Maximum size of a feed, uncompressed.", integer(1_000, 1_000_000_000, "bytes"), 16_000_000
    )
    allow_private_networks: bool = setting(
        "Allow addresses in private networks. Only for tests and intranets.", FLAG, False
    )
    proxy: str = setting(
        "HTTP proxy for feeds, pages and links; the one in `HTTPS_PROXY` if empty, except for hosts in `NO_PROXY`. It "
        "resolves host names, so private networks have to be blocked there, too.",
        PROXY_URL,
        "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """How a week's digest is made."""

    week_closes: str = setting("When a week closes, in the publication's time zone.", WEEK_CLOSES, "mon 00:00")
    theme: str = setting(
        "Theme of the newsletter: a folder in `templates/` beside config.toml, or one that comes with the program.",
        string("the name of a folder in templates/", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*"),
        "classic",
    )
    min_entries: int = setting("A week with fewer posts and episodes is thin.", integer(0, 50), 2)
    thin_week: str = setting(
        "What to do in a thin week: add related entries of the archive, or skip it and carry its entries over.",
        choice("archive", "skip"),
        "archive",
    )
    story_week: str = setting(
        "The week of a story whose post and episode are dated in different ones: that of its post, or the first.",
        choice("post", "first"),
        "post",
    )
    min_links: int = setting("The checks warn of fewer useful links than this; 0: never.", integer(0, 40), 3)
    max_links: int = setting(
        "Maximum number of useful links in an edition; the others are carried over.", integer(0, 40), 7
    )
    quiet_minutes: int = setting(
        "How long an entry must be unchanged, since it was first seen or last changed, before it gets into a digest.",
        integer(0, 10_080, "minutes"),
        0,
    )
    approval: str = setting(
        "Whether `[schedule] send` sends an edition only after approval (`required`), or also without it unless it is "
        "held (`unless-held`): then its checks must find no errors, and the editor must have had the proof for an "
        "hour, which requires `[delivery] smtp_host`.",
        choice("required", "unless-held"),
        "required",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The pages that `pipeline run` serves: the buttons of a proof, health and metrics."""

    listen: str = setting(
        'Address the daemon listens on; with `""` it serves no pages, and proofs have no buttons.',
        HOST_AND_PORT,
        "127.0.0.1:8026",
    )
    url: str = setting(
        "URL under which editors reach these pages if it is not `listen`, such as that of an https proxy.",
        optional(URL),
        "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where entries are stored, and for how long."""

    url: str = setting("The database; a relative path is relative to config.toml.", STORE_URL, "sqlite:///pipeline.db")
    keep_bodies: timedelta | None = setting(
        "How long to keep the text of entries that no edition contains: the daemon and `pipeline prune` delete older "
        "text. For ever if empty. Entries stay known, and sealed editions are not changed.",
        RETENTION,
        "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """When `pipeline run` and `pipeline tick` run their tasks, in the publication's time zone."""

    fetch: Schedule = setting("How often to fetch feeds.", SCHEDULE, "every 30 minutes")
    draft: Schedule = setting("When to make the digest of the newest closed week.", SCHEDULE, "mon 06:00")
    late_feeds: Schedule | None = setting(
        "When to check for late feeds; a day before the draft if empty.", OPTIONAL_SCHEDULE, ""
    )
    send: At | None = setting(
        "When to send the edition of the newest closed week, if `[digest] approval` allows it. If empty, send it with "
        "`pipeline send`.",
        SEND_TIME,
        "",
    )
    late_limit: timedelta = setting(
        "How late an edition may still be sent automatically, after a late approval or downtime. After that the editor "
        "has to decide.",
        LATE_LIMIT,
        "12 hours",
    )


MAIL_OFF = "off"
NOTIFY_MAIL = SettingType(
    f'{MAILBOX.description}, "" or "{MAIL_OFF}"',
    lambda value: value if value in ("", MAIL_OFF) else MAILBOX.parse(value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Recipients of alerts. Alerts are always written to the log as well."""

    command: tuple[str, ...] = setting(
        "Program to run for each alert, without a shell, in the folder of config.toml: it gets the alert as JSON on "
        "standard input, and in `PIPELINE_ALERT_…` of its environment.",
        COMMAND,
        [],
    )
    mail: str = setting(
        f'Address for alerts. `""`: the editor, if `[delivery]` names a mail server. `"{MAIL_OFF}"`: nobody.',
        NOTIFY_MAIL,
        "",
    )
