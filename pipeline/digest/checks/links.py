"""Checks of links: their text, their URLs, and pages that were published before. ``reachability`` checks the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.digest.checks.inputs import LINKS, CheckInputs, story_location
from pipeline.model.check import CheckResult
from pipeline.text.picture_references import is_reference
from pipeline.text.urls import clean_url, domain, is_feed_redirect, url_key

_MEANINGLESS = {
    "here", "click here", "click", "this", "this link", "link", "more", "read more", "read on", "learn more",
    "find out more", "go", "page", "website", "url",
    "hier", "hier klicken", "klick hier", "mehr", "weiterlesen", "mehr lesen", "mehr erfahren",
    "ici", "cliquez ici", "lire la suite", "en savoir plus", "plus",
    "aquí", "haz clic aquí", "leer más", "qui", "clicca qui", "هنا", "اضغط هنا", "المزيد",
}  # fmt: skip
_SHORTENERS = {
    "bit.ly", "buff.ly", "cutt.ly", "dlvr.it", "fb.me", "goo.gl", "ift.tt", "is.gd", "lnkd.in", "ow.ly", "rb.gy",
    "rebrand.ly", "s.id", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "trib.al", "v.gd", "wp.me",
}  # fmt: skip
_CLICK_COUNTERS = re.compile(
    r"https?://(?:[^/?#]*\.)?(?:list-manage\.com/track/|sendgrid\.net/(?:ls|wf)/click|hubspotlinks\.com/|mlsend\.com/link/"
    r"|mailgun\.org/c/|substack\.com/redirect/|mandrillapp\.com/track/|convertkit-mail\d*\.com/|klclick\d*\.com/"
    r"|safelinks\.protection\.outlook\.com/|urldefense\.(?:com|proofpoint\.com)/|linksynergy\.com/|doubleclick\.net/"
    r"|googleadservices\.com/|(?:anrdoezrs|dpbolvw|jdoqocy|kqzyfj|tkqlhce)\.(?:net|com)/|awin1\.com/|pxf\.io/|sjv\.io/"
    r"|prf\.hn/|(?:redirectingat|skimresources|viglink)\.com/)",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(r"(?:https?://[^/]|mailto:)", re.IGNORECASE)


def link_text(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that every link's text says where it leads, also when a screen reader lists the links alone."""
    for link in inputs.html.links:
        text = re.sub(r"[^\w\s]+", "", link.text).strip().lower()
        if not text:
            message = f"Give the link to {link.url} a text: screen readers find nothing there."
            yield inputs.location_of(link.url).result("link-text", "warning", message)
        elif text in _MEANINGLESS:
            message = f"Say where the link “{link.text}” leads: {link.url}."
            yield inputs.location_of(link.url).result("link-text", "warning", message)


def relative_url(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that every URL is absolute: a message has no page that it could be relative to."""
    for url in _urls(inputs):
        if not _ABSOLUTE.match(url):
            message = f"Write the complete URL instead of “{url}”, beginning with https://."
            yield inputs.location_of(url).result("relative-url", "error", message)


def short_url(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no URL is one of a shortening service: people and spam filters distrust them."""
    for url in _urls(inputs):
        if domain(url) in _SHORTENERS:
            message = f"Replace {url} by the URL it leads to: spam filters distrust short ones."
            yield inputs.location_of(url).result("short-url", "warning", message)


def tracking_link(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no link to another site counts its clicks: by a service in between, or by parameters."""
    own = domain(inputs.digest.publication.url)
    for url in dict.fromkeys(link.url for link in inputs.html.links):
        if domain(url) in ("", own) or not url.lower().startswith("http"):
            continue
        if _CLICK_COUNTERS.match(url) or is_feed_redirect(url):
            message = "Replace it by the URL it leads to: a service in between counts the clicks."
        elif len(urlsplit(clean_url(url)).query) < len(urlsplit(url).query):
            message = "Remove the parameters that count clicks for somebody else."
        else:
            continue
        yield inputs.location_of(url).result("tracking-link", "warning", message, quote=url)


def repeated_link(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no story links to a page that an earlier edition linked to."""
    for story in inputs.digest.stories:
        if week := inputs.context.published_urls.get(url_key(story.url)):
            message = f"Leave it out or say what is new: {week} already linked to {story.url}."
            yield story_location(story).result("repeated-link", "warning", message)


def few_links(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that there are at least ``min_links`` useful links."""
    count = sum(story.kind == "link" for story in inputs.digest.stories)
    if count < inputs.context.min_links:
        links = "There is 1 useful link" if count == 1 else f"There are {count or 'no'} useful links"
        message = f"{links}, fewer than {inputs.context.min_links}: add some at the desk or in the editor's file."
        yield LINKS.result("few-links", "hint", message)


def _urls(inputs: CheckInputs) -> Iterator[str]:
    """Yield each URL of the HTML once, including those of images; uploaded pictures have none of their own."""
    images = (image.url for image in inputs.html.images if not is_reference(image.url.removeprefix("../")))
    urls = [*(link.url for link in inputs.html.links), *images]
    yield from dict.fromkeys(urls)
