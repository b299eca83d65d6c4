"""Checks of links: words that say where they lead, addresses that lead there, no page told twice.

In: a Proof. Out: Checks. Pure: whether a page answers is ``checks.reached``'s question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.inputs import LINKS, CheckInputs, story_location
from pipeline.model.check import CheckResult
from pipeline.text.urls import domain, url_key

_SAYS_NOTHING = {
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
_WEB = re.compile(r"(?:https?://[^/]|mailto:)", re.IGNORECASE)


def link_text(proof: CheckInputs) -> Iterator[CheckResult]:
    """A link says where it leads: read aloud one after the other, "here" and "here" say nothing."""
    for link in proof.parsed_html.links:
        said = re.sub(r"[^\w\s]+", "", link.text).strip().lower()
        if not said:
            message = f"Give the link to {link.url} words: a reader who cannot see it finds nothing there."
            yield proof.location_of(link.url).result("link-words", "warning", message)
        elif said in _SAYS_NOTHING:
            message = f"Say where the link “{link.text}” leads: {link.url}."
            yield proof.location_of(link.url).result("link-words", "warning", message)


def relative_url(proof: CheckInputs) -> Iterator[CheckResult]:
    """Every address is whole: in a mail there is no page that it could be relative to."""
    for url in _addresses(proof):
        if not _WEB.match(url):
            message = f"Write the whole address instead of “{url}”, with https:// in front."
            yield proof.location_of(url).result("relative-url", "error", message)


def short_url(proof: CheckInputs) -> Iterator[CheckResult]:
    """No address hides where it leads: readers distrust it, and so do spam filters."""
    for url in _addresses(proof):
        if domain(url) in _SHORTENERS:
            message = f"Write the address that {url} leads to: spam filters distrust short ones."
            yield proof.location_of(url).result("short-url", "warning", message)


def repeated_link(proof: CheckInputs) -> Iterator[CheckResult]:
    """What an earlier edition told is not told again."""
    for story in proof.digest.stories:
        if week := proof.context.published_urls.get(url_key(story.url)):
            message = f"Leave it out or say what is new: {week} led to {story.url} already."
            yield story_location(story).result("repeated-link", "warning", message)


def few_links(proof: CheckInputs) -> Iterator[CheckResult]:
    """Useful links come in threes and more: one alone looks as if the others were forgotten, none as if all were."""
    told = sum(story.kind == "link" for story in proof.digest.stories)
    if told < proof.context.min_links:
        there = "There is 1 useful link" if told == 1 else f"There are {told or 'no'} useful links"
        message = f"{there}, fewer than {proof.context.min_links}: add some at the desk or in the editor's file."
        yield LINKS.result("few-links", "hint", message)


def _addresses(proof: CheckInputs) -> Iterator[str]:
    """Give each address of the mail once, pictures' included."""
    found = [link.url for link in proof.parsed_html.links] + [picture.url for picture in proof.parsed_html.images]
    yield from dict.fromkeys(found)
