"""Mails to one person, written by hand: each kind, one from right to left, and one in which everything is awkward."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from pipeline.digest.render.person_mail import (
    MAIL_KINDS,
    LogInMailContent,
    LogInMailTemplates,
    PersonMailTemplates,
    RenderedMail,
    load_log_in_mail_templates,
    load_person_mail_templates,
)
from pipeline.digest.render.person_mail_view import LISTED, PastStory, PersonMailContent
from pipeline.model.subscriber import MailKind
from tests.golden.sample import HOSTILE, LONG, LONG_URL, PUBLICATION, SITE
from tests.golden.update import HERE, THEMES

NOW = datetime(2026, 2, 16, 9, 30, tzinfo=ZoneInfo("Europe/London"))
PAGES = "https://news.harbourandhearth.example"
TOKEN = "00000a2mtwQx7vRk3ZpL9sYcE4uHbN6d"
MAILS = HERE / "mails"
STORIES = (
    PastStory(
        title="What the tide table does not say",
        url=f"{SITE}/tide-table/",
        text="Nobody on the quay reads the printed one, and this is why.",
        published_at=NOW - timedelta(weeks=1),
    ),
    PastStory(
        title="A kettle for the whole street, with Ines Moreau",
        url="https://podcasts.harbourtable.example/41/",
        text="It began with a power cut.",
        is_episode=True,
        published_at=NOW - timedelta(weeks=2),
    ),
    PastStory(title="Rye, slowly", url=f"{SITE}/rye/", text="", published_at=NOW - timedelta(weeks=3)),
)


def content(kind: MailKind) -> PersonMailContent:
    """Return an ordinary mail of a kind."""
    plain = PersonMailContent(kind=kind, publication=PUBLICATION, now=NOW, requested_at=NOW - timedelta(minutes=2))
    if kind in LISTED:
        plain = replace(
            plain, preferences_url=f"{PAGES}/preferences/{TOKEN}", unsubscribe_url=f"{PAGES}/unsubscribe/{TOKEN}"
        )
    more: dict[MailKind, PersonMailContent] = {
        "confirmation": replace(
            plain,
            confirm_url=f"{PAGES}/confirm/{TOKEN}",
            code="482913",
            wording="Send me the newsletter by email. I can unsubscribe at any time.",
            guide_title="Bread for beginners",
            expires_at=NOW + timedelta(days=7),
        ),
        "already": replace(plain, guide_title="Bread for beginners", guide_url="https://loaf.example/guide/"),
        "guide": replace(
            plain,
            guide_title="Bread for beginners",
            guide_url=f"{PAGES}/guide/{TOKEN}?form=newsletter",
            expires_at=NOW + timedelta(days=30),
        ),
        "best-of": replace(plain, stories=STORIES),
        "address": replace(plain, confirm_url=f"{PAGES}/address/{TOKEN}", expires_at=NOW + timedelta(days=7)),
    }
    return more[kind]


AWKWARD = replace(PUBLICATION, name=LONG, tagline=HOSTILE, reason=HOSTILE, postal_address=f"{LONG}\n{HOSTILE}")
CONTENTS: dict[str, PersonMailContent] = {kind: content(kind) for kind in MAIL_KINDS} | {
    "arabic": replace(content("confirmation"), publication=replace(PUBLICATION, language="ar")),
    "awkward-guide": replace(content("already"), publication=AWKWARD, guide_title=HOSTILE, guide_url=LONG_URL),
    "awkward-stories": replace(
        content("best-of"),
        publication=AWKWARD,
        stories=tuple(PastStory(title=text, url=LONG_URL, text=text, published_at=NOW) for text in (LONG, HOSTILE)),
    ),
    "awkward-wording": replace(content("confirmation"), publication=AWKWARD, wording=HOSTILE, guide_title=LONG),
}


@cache
def templates(theme: str) -> PersonMailTemplates:
    """Return the compiled templates of a theme."""
    return load_person_mail_templates([THEMES], theme)


@cache
def person_mail(theme: str, name: str) -> RenderedMail:
    """Return a mail in a theme."""
    return templates(theme).render(CONTENTS[name])


def message(theme: str, name: str) -> bytes:
    """Return a mail as a message."""
    return templates(theme).message(CONTENTS[name], "ada@quay.example", message_id="20260216093000.7.mail")


LOG_IN = "log-in"
LOG_IN_CONTENT = LogInMailContent(
    publication=PUBLICATION,
    name="Ann O’Hara & Sons",
    url="https://desk.harbourandhearth.example/log-in/388be82823f944ab.Zx3-nQ.1771234200.sGn4tUr3?next=%2Fweek%2F2026-W07",
    minutes=15,
    now=NOW,
)


@cache
def log_in_templates(theme: str) -> LogInMailTemplates:
    """Return the compiled templates of the mail to log in, in a theme."""
    return load_log_in_mail_templates([THEMES], theme)


def log_in_mail(theme: str) -> RenderedMail:
    """Return the mail with a link to log in, in a theme."""
    return log_in_templates(theme).render(LOG_IN_CONTENT)


def log_in_message(theme: str) -> bytes:
    """Return it as a message."""
    return log_in_templates(theme).message(LOG_IN_CONTENT, "ann@quay.example", message_id="20260216093000.7.log-in")


def golden_mails() -> dict[str, bytes]:
    """Return the content of each golden file by its name: the text of each kind, and its HTML in one theme."""
    texts = {f"{kind}.txt": person_mail("classic", kind).text.encode() for kind in (*MAIL_KINDS, "arabic")}
    log_in = log_in_mail("classic")
    texts |= {f"{LOG_IN}.txt": log_in.text.encode(), f"{LOG_IN}.html": log_in.html.encode()}
    return texts | {f"{kind}.html": person_mail("classic", kind).html.encode() for kind in MAIL_KINDS}


def main() -> None:
    """Write every golden file."""
    for name, file_content in golden_mails().items():
        (MAILS / name).write_bytes(file_content)


if __name__ == "__main__":
    main()
