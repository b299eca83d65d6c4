"""What is said of feeds in trouble, in words for an editor: what is known, what to do, the very line to write.

In: FeedViews, a time zone, the moment. Out: Notices. Touches nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from pipeline.jobs.monitoring.feed_health import FeedHealth
from pipeline.model.alert import Alert, AlertLevel
from pipeline.model.feed import FeedState
from pipeline.text.format import count_in_words, datetime_in_words

UNREACHABLE_KEY = "feeds/unreachable"
MAX_TITLES = 3


def alert_key(view: FeedHealth, problem: str) -> str:
    """Name a notice about a feed."""
    return f"feed/{view.feed.id}/{problem}"


def unreadable(view: FeedHealth, zone: tzinfo, now: datetime) -> Alert:
    """It could not be read for long, or something else is there."""
    state = view.state
    since = datetime_in_words(state.failing_since or now, zone)
    what = "is no feed any more" if state.outcome == "not_a_feed" else "cannot be read"
    said = f"Since {since} it could not be read, though it was tried {count_in_words(max(state.failures, 1), 'time')}."
    if state.outcome == "no_secret":  # the detail says all there is to do
        return _notice(view, "unread", what, now, [f"{said} {last_attempt(view.state)}"])
    advice = [
        "See what is at its address, with a browser or with this command:",
        f"    pipeline feeds check {shlex.quote(state.url)}",
        *_new_address(view, "https://…"),
        "It is tried again and again; what it publishes meanwhile comes in when it is back.",
    ]
    return _notice(view, "unread", what, now, [f"{said} {last_attempt(view.state)}", *advice])


def gone(view: FeedHealth, zone: tzinfo, now: datetime) -> Alert:
    """Its server said more than once that it is gone for good."""
    since = datetime_in_words(view.state.gone_at or now, zone)
    text = [
        f"Its server has said more than once, the last time on {since}, that it is gone for good (410). It is not "
        "asked any more.",
        *_new_address(view, "https://…"),
        "If there is no other, take it out; what came from it stays:",
        f"    pipeline feeds remove {view.feed.id}",
        "If its server was wrong, ask it once more:",
        f"    pipeline fetch --force {view.feed.id}",
    ]
    return _notice(view, "gone", "is gone for good", now, text, "error")


def moved(view: FeedHealth, now: datetime) -> Alert:
    """It is read at another address than config.toml says."""
    text = [
        "Its old address leads to a new one, for good. It is read there already; but old addresses stop one day.",
        *_new_address(view, view.state.current_url, "Write the new one into config.toml"),
    ]
    return _notice(view, "moved", "has moved", now, text, "info")


def quarantined(view: FeedHealth, now: datetime) -> Alert:
    """Most of it turned new at once: another publication answers there, or the same one was imported anew."""
    newest = sorted(view.quarantined, key=lambda each: each.entry.published_at, reverse=True)[:MAX_TITLES]
    titles = ", ".join(f"“{each.entry.title}”" for each in newest)
    number = count_in_words(len(view.quarantined), "entry", "entries")
    more = " and others" if len(view.quarantined) > MAX_TITLES else ""
    text = [
        f"{_sentence(f'{number} turned new at once: {titles}{more}')} "
        "That happens when a site moves or is imported anew, and when another publication answers at its address. "
        "They are in no newsletter until somebody has looked.",
        f"Look at {view.state.channel.url or view.feed.url}. If all is well, take them in:",
        f"    pipeline feeds accept {view.feed.id}",
        *_new_address(view, "https://…", "If it is somebody else's, write the right address into config.toml"),
    ]
    return _notice(view, "held-back", f"holds {number} back", now, text)


def all_unreachable(failing: Sequence[FeedHealth], zone: tzinfo, now: datetime) -> Alert:
    """No feed at all can be reached."""
    since = min(each.state.failing_since or now for each in failing)
    text = (
        f"None of {count_in_words(len(failing), 'feed')} could be reached since {datetime_in_words(since, zone)}, so it is "
        "hardly the feeds. See whether this machine reaches the internet.\n\n"
        f"The feed {failing[0].feed.id}, for example, {_parted(failing[0].state)[0]}."
    )
    return Alert(key=UNREACHABLE_KEY, subject="No feed can be reached", text=text, raised_at=now, level="error")


def recovered(view: FeedHealth, zone: tzinfo, now: datetime) -> Alert:
    """It was read again."""
    text = [f"It was read on {datetime_in_words(view.state.read_at or now, zone)}. There is nothing to do."]
    return _notice(view, "well", "is well again", now, text, "info")


def network_recovered(views: Iterable[FeedHealth], now: datetime) -> Alert:
    """Feeds can be read again."""
    names = ", ".join(view.feed.id for view in views)
    text = f"These could be read: {names}. There is nothing to do."
    return Alert(key=UNREACHABLE_KEY, subject="Feeds can be reached again", text=text, raised_at=now, level="info")


def _notice(
    view: FeedHealth, trouble: str, what: str, now: datetime, text: Sequence[str], level: AlertLevel = "warning"
) -> Alert:
    subject = f"{view.display_name} {what}"
    return Alert(key=alert_key(view, trouble), subject=subject, text="\n\n".join(text), raised_at=now, level=level)


def last_attempt(state: FeedState) -> str:
    """Say how the feed answered the last time, and what helps where it goes on like that.

    >>> last_time(FeedState(feed_id="blog", detail="answered 503: nothing to do; if it lasts, tell whoever runs it"))
    'The last time it answered 503. Tell whoever runs it.'
    """
    if state.outcome == "not_a_feed":  # what it is instead: "Give the address of a feed: this one answers with …"
        return _sentence(state.detail.rpartition(": ")[2].replace("this one", "its address", 1))
    happened, advice = _parted(state)
    advice = advice.rpartition("if it lasts, ")[2]
    helps = "" if advice.startswith("nothing to do") else _sentence(advice)
    return f"The last time it {happened}. {helps}".rstrip()


def _parted(state: FeedState) -> tuple[str, str]:
    """Part what happened from what to do, as ``FetchOutcome.sentence`` joined them."""
    happened, colon, advice = state.detail.rstrip(".").rpartition(": ")
    return (happened, advice) if colon else (advice, "")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def _new_address(
    view: FeedHealth, url: str, ask: str = "If it has another address now, write it into config.toml"
) -> list[str]:
    return [f'{ask}, under id = "{view.feed.id}":', f'    url = "{url}"']
