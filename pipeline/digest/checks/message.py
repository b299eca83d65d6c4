"""Checks of the message as a whole: size, plain text part, format, unsubscribe link, postal address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.inputs import STORIES, THEME, CheckInputs, Location, setting_location, story_location
from pipeline.digest.render.translator import LANGUAGES, Translator
from pipeline.model.check import CheckLevel, CheckResult
from pipeline.model.message import UNSUBSCRIBE
from pipeline.text.mailto import readable_parts
from pipeline.text.merge_tags import escape_in_text
from pipeline.text.similarity import normalised_words

BYTES_PER_KB = 1000
HTML_SIZE_LIMITS_KB: tuple[tuple[int, CheckLevel], ...] = ((90, "error"), (60, "warning"), (30, "hint"))
"""Gmail cuts a message at 102 KB and hides the rest, the unsubscribe link included."""
MAX_MISSING_SHARE = 0.1
MAX_LINE_LENGTH = 76
"""Of a body in quoted-printable (RFC 2045, 6.7); a header line may have 998 characters (RFC 5322, 2.1.1)."""
MAX_HEADER_LENGTH = 998
_MESSAGE = Location("digest.eml", "program")
_ENCODED_IDENTIFIER = re.compile(rb"(?mi)^(?:List-[\w-]+|Message-ID|References|In-Reply-To):.*=\?")


def html_size(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the HTML part is small enough to arrive whole, also through slow connections."""
    kilobytes = len(inputs.rendered.html.encode()) / BYTES_PER_KB
    level: CheckLevel | None = next((level for limit, level in HTML_SIZE_LIMITS_KB if kilobytes > limit), None)
    if level:
        message = f"Shorten the edition: its HTML has {kilobytes:.0f} KB, and Gmail cuts a message at 102."
        yield STORIES.result("html-size", level, message)


def shortened(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Report what was shortened to keep the HTML small."""
    if inputs.rendered.shortening:
        message = f"Leave something out if you would rather have more of the rest. {inputs.rendered.shortening}"
        yield STORIES.result("shortened", "hint", message)


def text_part(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the plain text has every link and story of the HTML, and nearly all of its words."""
    text, one_line = inputs.rendered.text, " ".join(inputs.rendered.text.split())
    for url in dict.fromkeys(link.url for link in inputs.html.links):
        if any(part not in text and escape_in_text(part) not in text for part in readable_parts(url)):
            message = f"Fix the text part: {url} is in the HTML only."
            yield inputs.location_of(url).result("text-part", "error", message)
    for story in inputs.digest.all_stories:
        if " ".join(escape_in_text(story.title).split()) not in one_line:
            message = "Fix the text part: this story is missing."
            yield story_location(story).result("text-part", "error", message)
    words = set(normalised_words(inputs.html.text))
    missing = words - set(normalised_words(text))
    if len(missing) > MAX_MISSING_SHARE * len(words):
        message = f"Fix the text part: {len(missing)} of {len(words)} words of the HTML are missing."
        yield THEME.result("text-part", "warning", message)


def unsubscribe_link(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that both parts have an unsubscribe link, which the law and every mail service require."""
    for part, content in (("HTML", inputs.rendered.html), ("text", inputs.rendered.text)):
        if UNSUBSCRIBE not in content:
            message = f"Fix the theme: its {part} part has no unsubscribe link."
            yield THEME.result("unsubscribe-link", "error", message)


def postal_address(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the sender's postal address is printed, which CAN-SPAM and many other laws require."""
    if not inputs.digest.publication.postal_address.strip():
        message = "Set postal_address in config.toml: the law of many countries requires one in each newsletter."
        yield setting_location("postal_address").result("postal-address", "warning", message)


def language(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the newsletter's own words, such as those of its buttons, exist in its language."""
    if not Translator(language=inputs.digest.publication.language).is_translated:
        message = (
            f"Set language to one of {', '.join(LANGUAGES)}, or add a translation: the words of buttons, "
            f"headings and footer are in English, as there are none for “{inputs.digest.publication.language}”."
        )
        yield setting_location("language").result("language", "warning", message)


def message_format(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the message follows RFC 5322 and RFC 2045: mail servers may break one that does not."""
    head, _, body = inputs.eml.partition(b"\r\n\r\n")
    faults = (
        (re.search(rb"(?<!\r)\n|\r(?!\n)", inputs.eml), "it has line ends other than CRLF"),
        (_has_longer_line(head, MAX_HEADER_LENGTH), f"a header is longer than {MAX_HEADER_LENGTH} characters"),
        (_has_longer_line(body, MAX_LINE_LENGTH), f"a line is longer than {MAX_LINE_LENGTH} characters"),
        (not head.isascii() or not body.isascii(), "it has unencoded bytes beyond ASCII"),
        (_ENCODED_IDENTIFIER.search(head), "an identifier is encoded"),
    )
    for fault, description in faults:
        if fault:
            message = f"Do not send digest.eml, and report this bug: {description}."
            yield _MESSAGE.result("message-format", "error", message)


def _has_longer_line(lines: bytes, limit: int) -> bool:
    return any(len(line) > limit for line in lines.split(b"\r\n"))
