"""Content cannot make personal links, and arrives as written whichever mail service sends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from pipeline.delivery.personalise import PersonalMessage
from pipeline.digest.checks import preflight
from pipeline.digest.checks.html import parse_html
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.entry import Picture
from pipeline.model.message import PLACEHOLDERS, UNSUBSCRIBE, ListIdentity, Recipient, placeholder_url
from pipeline.text.merge_tags import WORD_JOINER, escape_in_html, escape_in_text, find_merge_tags
from tests.golden.sample import PUBLICATION, SAMPLE

TEMPLATES = Path(__file__).parents[2] / "templates"
POSTS = SAMPLE.sections[0]
RECIPIENT = Recipient(
    address="ida@example.net",
    unsubscribe_url="https://harbourandhearth.example/own/leave",
    unsubscribe_mailto="mailto:leave@harbourandhearth.example",
    preferences_url="https://harbourandhearth.example/own/choose",
    browser_url="https://harbourandhearth.example/own/read",
)
OWN_URLS = (RECIPIENT.unsubscribe_url, RECIPIENT.preferences_url, RECIPIENT.browser_url)
PLANTED = [placeholder_url(PUBLICATION.url, place) for place in PLACEHOLDERS]
TAGS = [
    *("{{ first_name }}", "{{{CONTACT}}}", "{% if paid %}", "{# note #}", "{{ open", "{$unsubscribe}", "{webview_url}"),
    *("{!name_fix}", "*|LIST:ADDRESS|*", "[webversion]", "[nickname,fallback=you]", "[[town]]", "[% member:town %]"),
    *("$[ZIP]$", "<% = x %>", "<unsubscribe>", "%%town%%", "%%=Now()%%", "%recipient.town%", "%NICKNAME%"),
    *("::webviewUrl::", "#recipient:town"),
]  # fmt: skip


def with_story(**fields: Any) -> Digest:
    story = replace(POSTS.stories[0], **fields)
    return replace(SAMPLE, sections=(replace(POSTS, stories=(story, *POSTS.stories[1:])), *SAMPLE.sections[1:]))


def everywhere(words: str) -> Digest:
    """Return the sample with words in its subject, its preheader and every text of a story."""
    escaped = "".join(f"\\{character}" if character in r"\*_[]<>#$%{}|!" else character for character in words)
    digest = with_story(
        title=f"How {words} works",
        author=f"Bo {words}",
        excerpt_md=f"Write {escaped} there.",
        note_md=f"Not {escaped}!",
        picture=Picture(url="https://h.example/a.jpg", alt=f"Sign: {words}", width=536, height=300),
        transcript_opening=f"We say {words} here.",
        chapters=(),
    )
    return replace(digest, subject=f"About {words} and bread", preheader=f"What {words} means to bakers")


@cache
def rendered(digest: Digest) -> RenderedDigest:
    return render(digest, load_theme([TEMPLATES], "classic"))


def copies(digest: Digest) -> tuple[str, str]:
    """Return both parts of a recipient's copy."""
    identity = ListIdentity(home_url=PUBLICATION.url, id="weekly.example", feedback_id="w")
    personal = PersonalMessage.compile(to_eml(rendered(digest), digest), identity)
    message = message_from_bytes(personal.fill(RECIPIENT), policy=policy.default)
    text, html = (part.get_content() for part in message.iter_parts() if isinstance(part, EmailMessage))
    return text, html


@pytest.mark.parametrize("planted", PLANTED)
def test_content_cannot_make_a_personal_link(planted: str) -> None:
    """A feed's link to a placeholder leads where it says, in title, text and picture; the sample's own links work."""
    digest = with_story(
        url=planted,
        title=f"See {planted} now",
        excerpt_md=f"Read [this]({planted}) or <{planted}> or {planted.replace('zz', '&#122;z')}",
        picture=Picture(url=planted, alt=planted, width=536, height=300),
    )
    for before, after in zip(copies(SAMPLE), copies(digest), strict=True):
        assert [after.count(url) for url in OWN_URLS] == [before.count(url) for url in OWN_URLS] == [1, 1, 1]
    leads_to = [link.url for link in parse_html(copies(digest)[1]).links]
    assert leads_to.count(planted) >= 3, "the link is as its feed wrote it"


def test_a_planted_link_does_not_count_as_the_themes() -> None:
    """The check for an unsubscribe link is not satisfied by content, and another names the story."""
    digest = with_story(excerpt_md=f"Read [this]({PLANTED[0]}).")
    own = rendered(digest)
    broken = replace(own, html=own.html.replace(UNSUBSCRIBE, ""), text=own.text.replace(UNSUBSCRIBE, ""))
    results = preflight(digest, broken, to_eml(broken, digest))
    assert sum(result.name == "unsubscribe-link" for result in results) == 2
    assert ("merge-tag", "warning", POSTS.stories[0].title) in {(one.name, one.level, one.where) for one in results}


@pytest.mark.parametrize("tag", TAGS)
def test_merge_tags_arrive_as_written(tag: str) -> None:
    """No mail service recognises a tag in any part; a browser and a person read it unchanged."""
    digest = everywhere(tag)
    mail = rendered(digest)
    for part in (mail.html, mail.text, mail.subject, mail.preheader):
        found = set(find_merge_tags(part)) - set(PLACEHOLDERS)
        assert not found
        assert tag not in part
    shown = " ".join(parse_html(mail.html).text.split())
    assert f"How {tag} works" in shown
    assert f"Write {tag} there." in shown
    assert f"Write {tag} there." in " ".join(mail.text.replace(WORD_JOINER, "").split())
    assert mail.subject.replace(WORD_JOINER, "") == digest.subject


@pytest.mark.parametrize("tag", TAGS)
def test_a_feeds_merge_tag_does_not_block_approval(tag: str) -> None:
    """The check names the story that has it, not the theme; only the editor's own text is an error."""
    digest = with_story(title=f"How {tag} works", author=f"Bo {tag}", excerpt_md="Bake it.")
    results = preflight(digest, rendered(digest), to_eml(rendered(digest), digest))
    assert [one for one in results if one.level == "error"] == []
    assert {one.where for one in results if one.name == "merge-tag"} == {f"How {tag} works"}
    everything = everywhere(tag)
    errors = [one for one in preflight(everything, rendered(everything), b"") if one.name == "merge-tag"]
    assert {one.where for one in errors if one.level == "error"} >= {"subject", "preheader"}
    assert "theme" not in {one.where for one in errors}


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://a.example/%CABBAGE%20soup",
            "https://a.example/?q=%BEEF%20%DEED%BABA%FEEDBAC%21",
            "http://a.example/%",
        ),
        *(
            "https://a.example/%FADED%FADED%FADED%FADED%20",
            "https://a.example/a::tide::b::road::c",
            "https://a.example::",
        ),
        *("https://a.example/x#trigger:tide", "https://a.example/@TrackLink", "https://a.example/x#recipient:ä"),
        *("https://a.example/::é::", "https://a.example/{{%20%CABBAGE%20}}", "HTTPS://A.example/%NICKNAME%"),
        *("https://a.example/%%town%%", "https://a.example/%25CABBAGE%25", "https://a.example/%%AD%%=AD%%"),
        *(f"https://a.example/{tag.replace(' ', '')}/b" for tag in TAGS),
    ],
)
def test_no_merge_tag_is_left_in_a_url(url: str) -> None:
    """In either part; the parsed link has the same parts, each with the same characters once decoded."""
    escaped = escape_in_text(f"See <{url} now.").removeprefix("See <").removesuffix(" now.")
    linked = parse_html(escape_in_html(f'<a href="{escape(url)}">x</a>')).links[0].url
    assert find_merge_tags(escaped) == find_merge_tags(escape_in_html(escape(url))) == []
    assert list(map(unquote, urlsplit(escaped))) == list(map(unquote, urlsplit(url)))
    assert linked == url
    assert escape_in_text(escaped) == escaped


def test_links_with_merge_tags_lead_to_the_same_page() -> None:
    """In plain text they are percent-encoded; links of Markdown are no tags, nor are style sheets."""
    url = "https://a.example/?q={{x}}&r=*|y|*"
    assert escape_in_text(f"See {url}.") == "See https://a.example/?q=%7B%7Bx%7D%7D&r=%2A%7Cy%7C%2A."
    assert parse_html(escape_in_html(f'<a href="{url}">x</a>')).links[0].url == url
    assert escape_in_text("https://a.example/%C3%AD%20b%") == "https://a.example/%C3%AD%20b%"
    style = "<style>@media print{#top{color:red}}{{x}}</style>"
    assert escape_in_html(f"{style}<p>{{{{x}}}}</p>{style}") == f"{style}<p>&#123;&#123;x&#125;&#125;</p>{style}"
    digest = with_story(excerpt_md="Read [unsubscribe](https://a.example/leaving) by Ann.")
    assert not [one for one in preflight(digest, rendered(digest), b"") if one.name == "merge-tag"]


def test_a_header_in_the_text_part_is_text() -> None:
    """A line of content that looks like a part's header does not change how links are filled in."""
    digest = with_story(excerpt_md="A header:\n\nContent-Type: text/html")
    recipient = replace(RECIPIENT, preferences_url="https://harbourandhearth.example/own?a=1&b=2")
    identity = ListIdentity(home_url=PUBLICATION.url, id="weekly.example", feedback_id="w")
    personal = PersonalMessage.compile(to_eml(rendered(digest), digest), identity)
    message = message_from_bytes(personal.fill(recipient), policy=policy.default)
    text = next(part for part in message.iter_parts() if isinstance(part, EmailMessage)).get_content()
    assert recipient.preferences_url in text


@pytest.mark.parametrize("escape_tags", [escape_in_html, escape_in_text])
@pytest.mark.parametrize("words", ["", " ", "https://h.example/#"])
def test_no_placeholder_is_left_by_one_that_overlaps_it(escape_tags: Callable[[str], str], words: str) -> None:
    """The end of one may be the beginning of the next."""
    escaped = escape_tags(f"{words}zzRopezz{UNSUBSCRIBE.removeprefix('zz')}")
    assert find_merge_tags(escaped) == []
    assert not any(placeholder in escaped for placeholder in PLACEHOLDERS)
