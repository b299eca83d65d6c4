"""Texts of the alerts about feeds, for an editor: what is known, what to do, and the exact command to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from pipeline.jobs.monitoring.feed_health import FeedHealth
from pipeline.model.alert import Alert, AlertLevel
from pipeline.model.feed import FeedState
from pipeline.model.fetch import LASTING_ADVICE
from pipeline.text.format import count_in_words, datetime_in_words

UNREACHABLE_KEY = "feeds/unreachable"
MAX_TITLES = 3


def alert_key(feed: FeedHealth, problem: str) -> str:
    """Return the key of an alert about a feed."""
    return f"feed/{feed.feed.id}/{problem}"


def unreadable(feed: FeedHealth, zone: tzinfo, now: datetime) -> Alert:
    """Return the alert for a feed that has failed for long."""
    state = feed.state
    since = datetime_in_words(state.failing_since or now, zone)
    what = "is no longer a feed" if state.outcome == "not_a_feed" else "cannot be read"
    attempts = count_in_words(max(state.failures, 1), "attempt")
    history = f"Since {since} it could not be read ({attempts}). {last_attempt(state)}"
    if state.outcome == "no_secret":  # its advice says all there is to do
        return _alert(feed, "unread", what, now, [history])
    advice = [
        "Check what its address returns, with a browser or with this command:",
        f"    pipeline feeds check {shlex.quote(state.url)}",
        *_new_address(feed, "https://…"),
        "It is fetched again automatically; entries published in the meantime are stored once it is back.",
    ]
    return _alert(feed, "unread", what, now, [history, *advice])


def gone(feed: FeedHealth, zone: tzinfo, now: datetime) -> Alert:
    """Return the alert for a feed whose server answered 410 Gone more than once."""
    since = datetime_in_words(feed.state.gone_at or now, zone)
    text = [
        f"Its server has answered more than once, last on {since}, that it is gone for good (410). It is no longer "
        "fetched.",
        *_new_address(feed, "https://…"),
        "If there is no other address, remove the feed; its entries stay:",
        f"    pipeline feeds remove {feed.feed.id}",
        "If the server was wrong, fetch it once more:",
        f"    pipeline fetch --force {feed.feed.id}",
    ]
    return _alert(feed, "gone", "is gone for good", now, text, "error")


def moved(feed: FeedHealth, now: datetime) -> Alert:
    """Return the alert for a feed that is fetched from another URL than the one in config.toml."""
    text = [
        "Its address redirects permanently to a new one, which is already used. Old addresses stop working one day.",
        *_new_address(feed, feed.state.current_url, "Write the new address into config.toml"),
    ]
    return _alert(feed, "moved", "has moved", now, text, "info")


def quarantined(feed: FeedHealth, now: datetime) -> Alert:
    """Return the alert for a feed whose new entries are in quarantine."""
    newest = sorted(feed.quarantined, key=lambda stored: stored.entry.published_at, reverse=True)[:MAX_TITLES]
    titles = ", ".join(f"“{stored.entry.title}”" for stored in newest)
    count = count_in_words(len(feed.quarantined), "entry", "entries")
    more = " and others" if len(feed.quarantined) > MAX_TITLES else ""
    text = [
        f"{_sentence(f'{count} turned new at once: {titles}{more}')} "
        "That happens when a site moves or is imported again, or when another publication uses its address. "
        "They are in no newsletter until you have accepted them.",
        f"Check {feed.state.channel.url or feed.feed.url}. If all is well, accept them:",
        f"    pipeline feeds accept {feed.feed.id}",
        *_new_address(feed, "https://…", "If it is somebody else's site, write the right address into config.toml"),
    ]
    return _alert(feed, "quarantine", f"has {count} in quarantine", now, text)


def all_unreachable(feeds: Sequence[FeedHealth], zone: tzinfo, now: datetime) -> Alert:
    """Return the alert that replaces those of single feeds when none can be reached."""
    since = min(feed.state.failing_since or now for feed in feeds)
    text = (
        f"None of {count_in_words(len(feeds), 'feed')} could be reached since {datetime_in_words(since, zone)}, so "
        "the cause is probably not the feeds. Check that this machine has an internet connection.\n\n"
        f"The feed {feeds[0].feed.id}, for example, {feeds[0].state.detail}."
    )
    return Alert(key=UNREACHABLE_KEY, subject="No feed can be reached", text=text, raised_at=now, level="error")


def recovered(feed: FeedHealth, zone: tzinfo, now: datetime) -> Alert:
    """Return the resolution for a feed that can be read again."""
    text = [f"It was read on {datetime_in_words(feed.state.read_at or now, zone)}. There is nothing to do."]
    return _alert(feed, "recovered", "has recovered", now, text, "info")


def network_recovered(feeds: Iterable[FeedHealth], now: datetime) -> Alert:
    """Return the resolution for feeds that can be reached again."""
    names = ", ".join(feed.feed.id for feed in feeds)
    text = f"These feeds could be read: {names}. There is nothing to do."
    return Alert(key=UNREACHABLE_KEY, subject="Feeds can be reached again", text=text, raised_at=now, level="info")


def last_attempt(state: FeedState) -> str:
    """Return how the last fetch ended and what to do if that lasts, as sentences.

    >>> advice = "nothing to do, it is fetched again later"
    >>> last_attempt(FeedState(feed_id="blog", outcome="server_error", detail="answered 503", advice=advice))
    'The last time it answered 503. Tell the publisher of the feed.'
    """
    if state.outcome == "rate_limited":
        return f"The last time it {state.detail}."
    advice = LASTING_ADVICE.get(state.outcome, state.advice)
    return f"The last time it {state.detail}. {_sentence(advice)}".rstrip()


def _alert(
    feed: FeedHealth, problem: str, what: str, now: datetime, text: Sequence[str], level: AlertLevel = "warning"
) -> Alert:
    return Alert(
        key=alert_key(feed, problem),
        subject=f"{feed.display_name} {what}",
        text="\n\n".join(text),
        raised_at=now,
        level=level,
    )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def _new_address(
    feed: FeedHealth, url: str, request: str = "If it has another address now, write it into config.toml"
) -> list[str]:
    return [f'{request}, under id = "{feed.feed.id}":', f'    url = "{url}"']
