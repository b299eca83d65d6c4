"""The sections ``[public]``, ``[signup]`` and ``[[forms]]`` of config.toml, and the types of their settings."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from pipeline.config.types import (
    FLAG,
    HOST_AND_PORT,
    NON_EMPTY,
    URL,
    SettingType,
    choice,
    integer,
    number,
    optional,
    setting,
    string,
)

_DURATION = re.compile(r"([1-9]\d{0,3}) (minute|hour|day|week)s?")
DEFAULT_FORM = "newsletter"
"""Id of the form that [signup] describes."""


def _duration(value: Any) -> timedelta:
    match = _DURATION.fullmatch(value.strip())
    if not match:
        raise ValueError
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _origins(value: Any) -> tuple[str, ...]:
    for origin in value:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}" or not parts.hostname:
            raise ValueError
    return tuple(value)


def _networks(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(network, str) for network in value):
        raise TypeError  # ip_network would read a number as an address
    return tuple(str(ipaddress.ip_network(network)) for network in value)


DURATION = SettingType('a duration such as "7 days", "12 hours" or "30 minutes"', _duration)
ORIGINS = SettingType('a list of origins such as ["https://www.example.org"]', _origins)
NETWORKS = SettingType('a list of addresses or networks such as ["127.0.0.1", "10.0.0.0/8"]', _networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSettings:
    """The pages for subscribers, which may face the internet: sign-up, preferences, unsubscribing."""

    listen: str = setting('Address these pages listen on; with `""` there are none.', HOST_AND_PORT, "127.0.0.1:8027")
    url: str = setting(
        "URL under which subscribers reach them, such as that of an https proxy. Without it there are no pages, since "
        "their links would lead nowhere.",
        optional(URL),
        "",
    )
    proxies: tuple[str, ...] = setting(
        "Reverse proxies whose `X-Forwarded-For` is believed.", NETWORKS, ["127.0.0.1", "::1"]
    )
    embed_on: tuple[str, ...] = setting(
        "Websites whose scripts may use the sign-up form (CORS). A plain form works on every website.", ORIGINS, []
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupSettings:
    """How people sign up. The texts and the guide are those of the form `newsletter`; `[[forms]]` adds more forms."""

    wording: str = setting(
        "Text beside the tick box, to which people consent. Every version that was shown is kept.",
        NON_EMPTY,
        "Send me the newsletter by email. I can unsubscribe at any time.",
    )
    title: str = setting("Heading of the sign-up page; a general one if empty.", string(), "")
    introduction: str = setting("A few sentences below the heading.", string(), "")
    guide: str = setting(
        "A file, relative to config.toml, or a URL that everybody gets who confirms; empty for none.", string(), ""
    )
    guide_title: str = setting("Name of the guide in mails and on pages.", string(), "")
    ask_name: bool = setting("Whether the form has a field for a name, which may stay empty.", FLAG, True)
    ask_topics: bool = setting("Whether the form lets people choose topics and frequency.", FLAG, True)
    keep_unconfirmed: timedelta = setting(
        "When a sign-up that was not confirmed is deleted; until then its link works.", DURATION, "7 days"
    )
    best_of_after: timedelta | None = setting(
        "How long after the confirmation a mail with the best stories of the past editions is sent; empty: never.",
        optional(DURATION, None),
        "",
    )
    max_per_network: int = setting(
        "Maximum number of sign-ups an hour from a network (IPv4 /24, IPv6 /64).", integer(1, 1_000_000), 20
    )
    max_per_form: int = setting(
        "Number of sign-ups an hour with a form above which somebody is alerted, and visitors solve a challenge.",
        integer(1, 1_000_000),
        200,
    )
    min_seconds: float = setting(
        "Minimum time in which a person fills in the form; faster ones are taken for programs.",
        number(0, 60, "seconds"),
        2.0,
    )
    challenge: str = setting(
        "When a browser has to solve a challenge (proof of work): when there are too many sign-ups (`auto`), `always` "
        "or `never`.",
        choice("auto", "always", "never"),
        "auto",
    )
    allow_disposable: bool = setting("Whether addresses of throw-away mailboxes may sign up.", FLAG, False)
    allow_role: bool = setting("Whether addresses such as info@ or sales@ may sign up.", FLAG, True)
    check_mx: bool = setting("Whether the domain of an address must have a mail server (DNS).", FLAG, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSettings:
    """One more sign-up form, with a wording and a guide of its own; repeat the table for each."""

    id: str = setting(
        "A short name, part of its address.",
        string("lower-case letters, digits and -", pattern=r"[a-z0-9][a-z0-9-]{0,63}"),
    )
    wording: str = setting("Text beside the tick box; that of `[signup]` if empty.", string(), "")
    title: str = setting("Heading of its page; that of `[signup]` if empty.", string(), "")
    introduction: str = setting("A few sentences below the heading.", string(), "")
    guide: str = setting("A file or a URL that everybody gets who confirms; empty for none.", string(), "")
    guide_title: str = setting("Name of the guide in mails and on pages.", string(), "")
    ask_name: bool = setting("Whether the form has a field for a name.", FLAG, True)
    ask_topics: bool = setting("Whether the form lets people choose topics and frequency.", FLAG, True)
