"""Every function that reads text from outside takes time in proportion to it, whatever the text repeats."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

import pipeline
from pipeline.audience.addresses import normalise_address
from pipeline.audience.bounces import read_mail
from pipeline.audience.csv_rows import read_rows
from pipeline.audience.delivery_status import severity_of
from pipeline.audience.import_formats import read_person, recognise
from pipeline.audience.mail_parts import decode_text, read_address, read_fields
from pipeline.audience.subscription import make_preferences
from pipeline.delivery.mail_api.client import Answer
from pipeline.delivery.mail_api.service import Account
from pipeline.delivery.services import SERVICES, load_service
from pipeline.digest.checks.html import parse_html
from pipeline.digest.checks.reachability import collect_urls
from pipeline.digest.compose.related import key_terms
from pipeline.digest.edition.counted_links import with_counted_links
from pipeline.digest.editor import parse as editor
from pipeline.digest.pairing.pair import pair
from pipeline.ingest.body import clean_body, extract_body
from pipeline.ingest.dedupe import fingerprint
from pipeline.ingest.full_text import with_full_text
from pipeline.ingest.http.semantics import parse_retry_after
from pipeline.ingest.normalise import normalise
from pipeline.ingest.pagination import next_page_url
from pipeline.ingest.parse.parser import parse_feed
from pipeline.ingest.webpage import read_metadata
from pipeline.model.entry import Entry, ParsedFeed, RawEntry
from pipeline.model.errors import PipelineError
from pipeline.model.feed import Channel, Feed
from pipeline.model.message import without_personal_links
from pipeline.text.furniture import remove_from_text, remove_furniture
from pipeline.text.headlines import cut_headline, shorten_headline
from pipeline.text.html import sanitise
from pipeline.text.html_images import best_source
from pipeline.text.html_to_markdown import to_markdown
from pipeline.text.markdown import excerpt
from pipeline.text.opening import find_opening, is_beginning
from pipeline.text.plain_text import first_words
from pipeline.text.similarity import shared_clause
from pipeline.text.text_keys import text_keys, word_runs
from pipeline.text.titles import strip_episode_number
from pipeline.text.word_diff import diff_words
from pipeline.text.wrap import labelled
from tests.factories import MONDAY, entry
from tests.growth import SuperlinearError, assert_linear
from tests.webhooks import NOW, request_of, sign, webhook_of

URL = "https://h.example/feed"
LENGTH = 250
FLOOR = 0.03
PACKAGES = ("pipeline.text", "pipeline.ingest")
RSS = (
    "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><title>x</title>"
    "<item><guid>1</guid>{}</item></channel></rss>"
)

REPEATED = (
    # blanks, letters, numbers and marks
    *(" ", "\n", "\r\n", "a", "A ", "1", "1,", "é", "塩", "\u00a0", "\u200d", "…", ".", ". ", "a. ", "-", " - "),
    *(" –", ": ", " |", '"', "“", "“a” ", "(", "()", "[", "[]", "{", "=", "&", "&amp;", "&#65;", "&bogus;", "%41"),
    *("\x00", "Ã¤", "ﷺ"),
    # mail
    *("\n\n", "a: b\n", "=?utf-8?q?=41?= ", "--a\n", "--q\n\n", "550 5.1.1 ", "a@b.example, ", ";a=b", '";', "user "),
    *("Content-Type: multipart/mixed; boundary=a\n\n--a\n", "Content-Type: message/rfc822\n\n"),
    # markup, open and closed, nested and in a row
    *("<", ">", "</", "<a ", "<a>", "<b><i>", "<p>", "<p>x</p>", "<p>x", "<div>", "<br>", "<!--", "<![CDATA["),
    *("<ul><li>", "<ol><li>x</li></ol>", "<p>&nbsp;</p><ol><li>x</li></ol>", "<td>", "<sup>", "<s>", "<pre>"),
    *("<noscript>", "<script>", '<a href="', '<a href="https://h.example/x">x</a>', '<img src="'),
    *('<img src="https://h.example/x.jpg" alt="a">', '<span style="display:none">', "<dt>x</dt><dd>y</dd>"),
    *("<blockquote>", "<figure><figcaption>", "<svg>", "<link rel=x ", "<item>", "<item><guid>x</guid></item>"),
    *("<x:", "<?x ", "<!DOCTYPE x [", "<!ENTITY a 'b'>", "<outline xmlUrl='x'/>"),
    # Markdown, the editor's file, shortcodes
    *("[a](", "![", "![a](b) ", "](", "*", "**", "_a_ ", "`", "~~", "> ", "- a\n", "  - ", "# a\n"),
    *("|a|b|\n|-|-|\n", "\\", "order = [\n", '"a",', "[gallery]", '[vc_row a="', "[…] "),
    # addresses, dates, titles, transcripts
    *("?a=b&", "a/../", "//", "https://h.example/", "a@b.", "utm_x=1&", "1 Jan ", "1h ", "with ", "(with A B) "),
    *("Ep. 1 ", "00:01.000 --> 00:02.000\nx\n\n", "-->", "WEBVTT\n", "The post a appeared first on b. "),
    *("Continue reading\n", "5 comments ", "password=", "A1a.", '{"title":"a"},', "[1,"),
)  # fmt: skip
"""What is repeated: each piece once troubled some parser."""


def _feed(text: str) -> tuple[Entry, ...]:
    parsed = parse_feed(text.encode("utf-8", "surrogatepass"), url=URL)
    return normalise(parsed, Feed(id="blog", url=URL, kind="blog"), url=URL, now=MONDAY)


def _raw(field: str) -> Callable[[str], object]:
    def run(text: str) -> object:
        value: Any = text if RawEntry.__dataclass_fields__[field].type == "str" else (text,)
        parsed = ParsedFeed(version="rss", channel=Channel(), entries=(RawEntry(**{field: value}),))
        return normalise(parsed, Feed(id="blog", url=URL, kind="blog"), url=URL, now=MONDAY)

    return run


def _json_feed(text: str) -> object:
    items = [{"id": "1", "title": text, "content_html": text, "date_published": text, "tags": [text]}]
    return _feed(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}))


def _pair(field: str) -> Callable[[str], object]:
    def run(text: str) -> object:
        post, episode = (entry(feed=name, guid=name, **{field: text}) for name in ("blog", "podcast"))
        return pair([post, episode, entry("Other", MONDAY + timedelta(days=1))])

    return run


def _mail(mail: str) -> Callable[[str], object]:
    return lambda text: read_mail(mail.replace("…", text).encode("utf-8", "surrogatepass"), key="key", now=MONDAY)


def _service(name: str) -> Callable[[str], object]:
    """Return a function that reads answers and a webhook of a mail service that contain a text."""
    service = load_service(name, Account(key="id:secret", region="eu-west-1", domain="x.example"))
    webhook = webhook_of(name)

    def run(text: str) -> object:
        body = json.dumps(
            {"message": text, "name": text, "ErrorCode": 300, "id": text, "data": [{"id": text}]}
        ).encode()
        answers = [Answer(status=200, body=each) for each in (body, b"[" + body + b"]", text.encode())]
        for answer in answers:
            service.results(answer, 1)
        service.refusal(Answer(status=400, body=body, headers={"x-amzn-errortype": text}), 1)
        content = {
            "event": "failed",
            "RecordType": text,
            "type": text,
            "Email": text,
            "recipient": text,
            "reason": text,
        }
        return webhook.read(request_of(sign(name, content)), NOW)

    return run


CALLS: dict[str, Callable[[str], object]] = {
    "pipeline.ingest.body.extract_body": lambda text: extract_body(text, text, URL),
    "pipeline.ingest.body.clean_body": lambda text: clean_body(text, URL),
    "pipeline.ingest.full_text.with_full_text": lambda text: with_full_text(
        entry(), text.encode("utf-8", "ignore"), content_type="text/html", url=URL
    ),
    "pipeline.ingest.pagination.next_page_url": lambda text: next_page_url(text.encode(), "", URL),
    "pipeline.ingest.webpage.read_metadata": lambda text: read_metadata(text.encode(), "text/html", URL),
    "pipeline.text.headlines.cut_headline": lambda text: cut_headline(text, 60),
    "pipeline.text.headlines.shorten_headline": lambda text: shorten_headline(text, 60),
    "pipeline.text.furniture.remove_from_text": lambda text: remove_from_text(text, {"a"}),
    "pipeline.text.furniture.remove_furniture": lambda text: remove_furniture(sanitise(text, URL), {"a"}),
    "pipeline.text.opening.find_opening": lambda text: find_opening(
        sanitise(text, URL), title=text, author=text, summaries=(text,)
    ),
    "pipeline.text.opening.is_beginning": lambda text: is_beginning(text, text),
    "pipeline.text.html.sanitise": lambda text: sanitise(text, URL),
    "pipeline.text.html_images.best_source": lambda text: best_source(text, URL),
    "pipeline.text.html_to_markdown.to_markdown": lambda text: to_markdown(sanitise(text, URL)),
    "pipeline.text.markdown.excerpt": excerpt,
    "pipeline.text.wrap.labelled": lambda text: labelled(text, URL),
    "pipeline.text.plain_text.first_words": lambda text: first_words(text, 60),
    "pipeline.text.similarity.shared_clause": lambda text: shared_clause(text, f"a{text}"),
    "pipeline.text.text_keys.text_keys": lambda text: text_keys("blog", text, URL, text),
    "pipeline.text.text_keys.word_runs": lambda text: word_runs(text, 30_000),
    "pipeline.text.titles.strip_episode_number": lambda text: strip_episode_number(text, 1),
    "pipeline.text.word_diff.diff_words": lambda text: diff_words(text, text + "b"),
    "document": _feed,
    "document, in an item": lambda text: _feed(RSS.format(text)),
    "document, in a title": lambda text: _feed(RSS.format(f"<title>{text}</title>")),
    "document, escaped": lambda text: _feed(RSS.format(f"<x/><description>{text.replace('<', '&lt;')}</description>")),
    "document, as CDATA": lambda text: _feed(RSS.format(f"<description><![CDATA[{text}]]></description>")),
    "document, keywords": lambda text: _feed(RSS.format(f"<itunes:keywords><![CDATA[{text}]]></itunes:keywords>")),
    "document, cut": lambda text: _feed(RSS.format(f"<description>{text}").partition("</item>")[0]),
    "document, JSON": _json_feed,
    **{f"entry, {name}": _raw(name) for name in ("title", "content_html", "link", "author", "categories", "duration")},
    **{f"pairing, {name}": _pair(name) for name in ("title", "body_html", "guest")},
    "fingerprint": lambda text: fingerprint(entry(body_html=text)),
    "related": lambda text: key_terms([entry(body_html=text)]),
    "editor, introduction": lambda text: editor.parse(f"+++\n+++\n{text}", "w.md", []),
    "editor, links": lambda text: editor.parse(f"+++\n+++\n# Useful links\n{text}", "w.md", []),
    "editor, settings": lambda text: editor.parse(f"+++\norder = [{text}]\n+++\n", "w.md", []),
    "newsletter, HTML": lambda text: parse_html(f"<p>x</p>{text}"),
    "newsletter, links": lambda text: collect_urls(f"<p>x</p>{text}"),
    "address": normalise_address,
    "name of a person": lambda text: make_preferences(text, [text], text),
    "CSV, rows": lambda text: list(read_rows(text.splitlines(keepends=True))),
    "CSV, a person": lambda text: read_person(recognise(["email", "name", "status", "created"]), [text] * 4),
    "mail, headers": _mail("…"),
    "mail, a header": _mail("From: …\nSubject: …\nTo: …\nDate: …\nContent-Type: …\n\n"),
    "mail, a text": _mail("From: a@b.example\n\n…"),
    "mail, HTML": _mail("From: a@b.example\nContent-Type: text/html\n\n…"),
    "mail, a bounce in words": _mail("From: mailer-daemon@b.example\nSubject: failure notice\n\n…"),
    "mail, parts": _mail("Content-Type: multipart/mixed; boundary=a\n\n--a\n…"),
    "mail, a status": _mail("Content-Type: multipart/x; boundary=q\n\n--q\nContent-Type: message/delivery-status\n\n…"),
    "mail, a diagnostic": _mail(
        "Content-Type: multipart/x; boundary=q\n\n--q\nContent-Type: message/delivery-status\n\n"
        "Final-Recipient: …\nStatus: …\nDiagnostic-Code: …"
    ),
    "mail, a complaint": _mail(
        "Content-Type: multipart/x; boundary=q\n\n--q\nContent-Type: message/feedback-report\n\nOriginal-Rcpt-To: …"
    ),
    "mail, encoded": _mail("Content-Transfer-Encoding: quoted-printable\nContent-Type: message/rfc822\n\n…"),
    "mail, severity": lambda text: severity_of(text, text),
    "mail, fields": read_fields,
    "mail, words of a header": decode_text,
    "mail, an address": read_address,
    **{f"mail service, {name}": _service(name) for name in SERVICES},
    "an edition for everybody": without_personal_links,
    "counted links": lambda text: with_counted_links(text, "2026-W07", "https://n.example", URL),
    "Retry-After": lambda text: parse_retry_after(text, MONDAY),
}
"""Functions with more than a text for an argument, and chains of functions; the others are found by their signature."""

NOT_FROM_OUTSIDE = frozenset({
    *("absolute_url", "allow_all", "body_pictures", "count_in_words", "describe_content", "detect_format"),
    *("detect_parser", "entry_body", "fitness", "is_same_address", "join_ordered_lists", "mailbox_header"),
    *("message_headers", "numbered_page_url", "parse", "parse_incrementally", "parse_length", "parse_mailbox"),
    *("parse_retry_after", "parse_xml_strict", "pluralize", "render_safe", "resolve", "search_pattern"),
    *("subject_header", "within_one_edit", "wrap", "write_opml"),
})  # fmt: skip
"""Functions that read settings or what another function has read, or that are called by one of the above."""


@cache
def functions() -> dict[str, Callable[[str], object]]:
    """Return the calls above and those of all other public functions whose first parameter is a text."""
    found = dict(CALLS)
    for package in map(importlib.import_module, PACKAGES):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            for name, function in vars(module).items():
                if _is_public(name, function, info.name):
                    found.setdefault(f"{info.name}.{name}", _call(function))
    return found


def _is_public(name: str, function: object, module: str) -> bool:
    plain = inspect.unwrap(function) if callable(function) else function
    if not inspect.isfunction(plain) or plain.__module__ != module or name.startswith("_") or name in NOT_FROM_OUTSIDE:
        return False
    first = next(iter(inspect.signature(plain).parameters.values()), None)
    return first is not None and first.annotation in ("str", "bytes")


def _call(function: Any) -> Callable[[str], object]:
    plain = inspect.unwrap(function)
    parameters = list(inspect.signature(plain).parameters.values())
    rest = {parameter.name: URL for parameter in parameters[1:] if parameter.default is inspect.Parameter.empty}
    as_bytes = parameters[0].annotation == "bytes"
    return lambda text: plain(text.encode("utf-8", "surrogatepass") if as_bytes else text, **rest)


def call(function: Callable[[str], object], text: str) -> None:
    """Call a function to the end; that it refuses the text is a result, too."""
    with suppress(PipelineError, ValueError):
        result = function(text)
        if isinstance(result, Iterator):
            list(result)


def test_every_function_is_collected() -> None:
    """Functions are found by their signature, so a new one is tested without being listed here."""
    names = functions().keys()
    assert len(names) > 90
    assert {"pipeline.ingest.chapters.read_transcript", "pipeline.text.sentences.sentence_ends"} <= names
    assert {name for name in CALLS if name.startswith("pipeline.")} <= {*names}
    assert all(hasattr(pipeline, name.split(".")[1]) for name in names if name.startswith("pipeline."))


@pytest.mark.slow(minutes=2)
@pytest.mark.parametrize("name", sorted(functions()))
def test_functions_take_linear_time(name: str) -> None:
    """No function takes more than forty times as long for sixteen times the text."""
    function, slow = functions()[name], []
    call(function, "<p>Salt & smoke</p> é")  # imports and caches
    for piece in REPEATED:
        try:
            assert_linear(
                lambda length, piece=piece: call(function, piece * max(1, length // len(piece))), LENGTH, floor=FLOOR
            )
        except SuperlinearError as error:
            slow.append(f"{piece!r}: {error}")
    assert slow == []
