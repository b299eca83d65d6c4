"""Checks of the mail as a whole: its weight, its text part, its format, the way out of it.

In: a Proof. Out: Checks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.inputs import STORIES, THEME, CheckInputs, Location, setting_location, story_location
from pipeline.model.check import CheckLevel, CheckResult
from pipeline.model.message import UNSUBSCRIBE
from pipeline.text.similarity import normalised_words

KILOBYTE = 1000
HTML_SIZE_LIMITS_KB: tuple[tuple[int, CheckLevel], ...] = ((90, "error"), (60, "warning"), (30, "hint"))
"""In KB of the HTML part; Gmail cuts a mail off at 102, the way out of it included."""
MAX_MISSING_SHARE = 0.1
MAX_LINE_LENGTH = 76
"""Of a body in quoted-printable (RFC 2045, 6.7); a header may have 998 (RFC 5322, 2.1.1)."""
MAX_HEADER_LENGTH = 998
_MAIL = Location("digest.eml", "program")
_ENCODED_IDENTIFIER = re.compile(rb"(?mi)^(?:List-[\w-]+|Message-ID|References|In-Reply-To):.*=\?")


def html_size(proof: CheckInputs) -> Iterator[CheckResult]:
    """The HTML part stays light enough to arrive whole, also through slow lines."""
    kilobytes = len(proof.rendered.html.encode()) / KILOBYTE
    level: CheckLevel | None = next((level for limit, level in HTML_SIZE_LIMITS_KB if kilobytes > limit), None)
    if level:
        message = f"Shorten the edition: its HTML weighs {kilobytes:.0f} KB, and Gmail cuts a mail off at 102."
        yield STORIES.result("weight", level, message)


def shortened(proof: CheckInputs) -> Iterator[CheckResult]:
    """The editor knows when stories are told in fewer words than they have."""
    if proof.rendered.shortening:
        message = f"Leave something out if you would rather have more of the rest. {proof.rendered.shortening}"
        yield STORIES.result("shortened", "hint", message)


def text_part(proof: CheckInputs) -> Iterator[CheckResult]:
    """Who reads the plain text misses neither a link nor a story."""
    text, flat = proof.rendered.text, " ".join(proof.rendered.text.split())
    for url in dict.fromkeys(link.url for link in proof.parsed_html.links):
        if url.removeprefix("mailto:") not in text:
            message = f"Mend the text part: {url} is in the HTML alone."
            yield proof.location_of(url).result("text-part", "error", message)
    for story in proof.stories:
        if " ".join(story.title.split()) not in flat:
            message = "Mend the text part: it does not tell this story."
            yield story_location(story).result("text-part", "error", message)
    said, told = set(normalised_words(proof.parsed_html.text)), set(normalised_words(text))
    if len(said - told) > MAX_MISSING_SHARE * len(said):
        message = f"Mend the text part: {len(said - told)} of {len(said)} words of the HTML are not in it."
        yield THEME.result("text-part", "warning", message)


def unsubscribe_link(proof: CheckInputs) -> Iterator[CheckResult]:
    """Both parts offer to unsubscribe: law and every mail service ask for it."""
    for part, content in (("HTML", proof.rendered.html), ("text", proof.rendered.text)):
        if UNSUBSCRIBE not in content:
            message = f"Mend the theme: its {part} part has no link to unsubscribe."
            yield THEME.result("way-out", "error", message)


def postal_address(proof: CheckInputs) -> Iterator[CheckResult]:
    """A newsletter says where its sender can be reached by post: CAN-SPAM and many other laws ask for it."""
    if not proof.digest.publication.postal_address.strip():
        message = "Write a postal_address into config.toml: the law asks for one in each newsletter in many countries."
        yield setting_location("postal_address").result("postal-address", "warning", message)


def mail_format(proof: CheckInputs) -> Iterator[CheckResult]:
    """The mail is written as RFC 5322 and RFC 2045 ask: whatever passes it on may break what is not."""
    head, _, body = proof.eml.partition(b"\r\n\r\n")
    faults = (
        (re.search(rb"(?<!\r)\n|\r(?!\n)", proof.eml), "it has line ends other than CRLF"),
        (_longer(head, MAX_HEADER_LENGTH), f"a header is longer than {MAX_HEADER_LENGTH} characters"),
        (_longer(body, MAX_LINE_LENGTH), f"a line is longer than {MAX_LINE_LENGTH} characters"),
        (not head.isascii() or not body.isascii(), "it has bytes beyond ASCII that nothing encodes"),
        (_ENCODED_IDENTIFIER.search(head), "an identifier is encoded"),
    )
    for fault, what in faults:
        if fault:
            message = f"Do not send digest.eml, and report it: {what}."
            yield _MAIL.result("mail-format", "error", message)


def _longer(lines: bytes, limit: int) -> bool:
    return any(len(line) > limit for line in lines.split(b"\r\n"))
