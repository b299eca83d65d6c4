"""Which URLs of an edition are requested, and what the responses say; contract/test_check_links.py requests them."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from pipeline.digest.checks.inputs import Location
from pipeline.digest.checks.reachability import CheckedUrl, collect_urls, judge_outcomes
from pipeline.model.fetch import FetchOutcome, OutcomeKind
from pipeline.model.message import UNSUBSCRIBE, placeholder_url

PAGE, HOME = "https://hearth.example/loaf", "https://hearth.example/"
LOAF = Location("Bread", "story blog 7")
WARNING = ("dead-link", "warning")


def outcome(kind: OutcomeKind = "ok", **more: Any) -> FetchOutcome:
    """Return a response of the page."""
    return FetchOutcome(**({"key": "", "url": PAGE, "final_url": PAGE, "kind": kind, "detail": "did so"} | more))


def judged(response: FetchOutcome, *, is_image: bool = False) -> list[tuple[str, str, str]]:
    """Return the name, level and message of each result for one URL."""
    results = list(judge_outcomes([(CheckedUrl(url=PAGE, location=LOAF, is_image=is_image), response)]))
    assert {(each.where, each.fix_target) for each in results} <= {(LOAF.name, LOAF.fix_target)}
    return [(each.name, each.level, each.message) for each in results]


@pytest.mark.parametrize("kind", get_args(OutcomeKind))
def test_each_kind_of_response(kind: OutcomeKind) -> None:
    """What is gone is an error, what refuses programs may work for people, and of the rest nobody is sure."""
    gone, restricted = ("not_found", "gone", "unsafe_address", "invalid_url"), ("blocked", "rate_limited")
    for is_image, name in ((False, "dead-link"), (True, "broken-image")):
        found = judged(outcome(kind, content_type="image/png"), is_image=is_image)
        if kind in gone:
            assert found == [(name, "error", f"Fix or remove it: {PAGE} did so.")]
        elif kind in ("ok", "moved"):
            assert found == []
        elif kind == "too_large":
            size = ("image-size", "warning", f"Publish a smaller image file: {PAGE} has over 250 KB.")
            assert found == ([size] if is_image else [])
        else:
            level = "hint" if kind in restricted else "warning"
            assert found == [(name, level, f"Open it and see: {PAGE} did so.")]


@pytest.mark.parametrize(
    ("final_url", "moved_to", "level"),
    [
        ("https://hearth.example/rye", "https://hearth.example/rye", "warning"),
        ("https://hearth.example/rye", "", "hint"),
        ("http://www.hearth.example/loaf/", "", ""),
    ],
)
def test_pages_that_moved(final_url: str, moved_to: str, level: str) -> None:
    """For good or for now; the same page written otherwise did not move."""
    message = f"Link to {final_url} directly: {PAGE} redirects there."
    expected = [("moved-link", level, message)] if level else []
    assert judged(outcome("moved", final_url=final_url, moved_to=moved_to)) == expected


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("image/gif", b"GIF89a\xb0\x04\xc8\x00", []),
        (
            "image/gif",
            b"GIF89a\xb1\x04\xc8\x00",
            [("image-size", "warning", "Publish a smaller image: this one is 1201 pixels wide, 1200 are enough.")],
        ),
        ("image/png", b"", []),
        ("text/html", b"", [("broken-image", "error", f"Fix the image: {PAGE} is not an image but text/html.")]),
        (
            "",
            b"",
            [("broken-image", "error", f"Fix the image: {PAGE} is not an image but something without a content type.")],
        ),
    ],
)
def test_images_that_are_there(content_type: str, body: bytes, expected: list[tuple[str, str, str]]) -> None:
    """They are images, and no wider than 1,200 pixels as far as their first bytes tell."""
    assert judged(outcome(content_type=content_type, body=body), is_image=True) == expected


def test_no_connection_at_all() -> None:
    """If no URL answers, it is the connection; if one answers, or there is only one, it is the URL."""
    one, two = (CheckedUrl(url=f"{PAGE}/{number}", location=LOAF) for number in (1, 2))
    offline = [(one, outcome("unreachable")), (two, outcome("timeout"))]
    (found,) = judge_outcomes(offline, [one])
    assert (found.name, found.level, found.where, found.fix_target) == (*WARNING, "", "network")
    assert found.message == "Check the internet connection: none of 2 URLs could be reached."
    assert [(each.name, each.level) for each in judge_outcomes(offline[:1])] == [WARNING]
    mixed = [(one, outcome("unreachable")), (two, outcome("server_error"))]
    assert [(each.name, each.level) for each in judge_outcomes(mixed)] == [WARNING, WARNING]
    assert list(judge_outcomes([])) == []


@pytest.mark.parametrize(("count", "links"), [(1, "link"), (2, "2 links")])
def test_no_time_for_some(count: int, links: str) -> None:
    """One hint says how many were not checked."""
    (found,) = judge_outcomes([], [CheckedUrl(url=PAGE, location=LOAF)] * count)
    assert (found.name, found.level, found.where, found.fix_target) == ("dead-link", "hint", "", "network")
    assert found.message == f"Open the last {links} yourself, or check again: there was not enough time."


def link(url: str, content: str = "Bread") -> str:
    return f'<a href="{url}">{content}</a>'


def picture(url: str, alt: str = "A loaf") -> str:
    return f'<img src="{url}" alt="{alt}">'


def collected(*lines: str, manifest: object = None) -> list[tuple[str, str, str, bool]]:
    """Return each URL to check, its name, what to edit, and whether it is an image."""
    sealed = json.dumps(manifest).encode() if manifest else b""
    found = collect_urls(f"<body>{''.join(lines)}</body>", sealed)
    return [(each.url, each.location.name, each.location.fix_target, each.is_image) for each in found]


def test_which_urls_are_requested() -> None:
    """Pages and images on the web, each once and without fragment, images first."""
    left_out = map(link, ("mailto:a@hearth.example", "/rye", placeholder_url(HOME, UNSUBSCRIBE), "ftp://h.example/"))
    tracked = picture(placeholder_url("https://hearth.example/dot.png", UNSUBSCRIBE))
    shown = (picture("https://hearth.example/loaf.png"), picture("cid:1"), tracked)
    lines = (link(f"{PAGE}#more"), link("HTTP://HEARTH.example/rye"), link(PAGE, "Loaf"), *left_out, *shown)
    assert collected(*lines) == [
        ("https://hearth.example/loaf.png", "A loaf", "theme", True),
        (PAGE, "Loaf", "stories", False),
        ("HTTP://HEARTH.example/rye", "Bread", "stories", False),
    ]
    assert collected('<img src="https://hearth.example/loaf.png">')[0][1] == ""


def test_what_to_edit_for_a_url() -> None:
    """Its story, the useful links, a standing block, or what is above or between the stories."""
    story = {"url": PAGE, "entries": [{"feed_id": "blog", "guid": "7", "url": f"{PAGE}?p=7"}]}
    own = {"url": "https://tides.example/", "entries": [{"feed_id": "editor", "guid": "1", "url": ""}]}
    blocks = [{"text_md": "See [tins](https://tin.example/)."}]
    urls = ("https://a.example/", PAGE, f"{PAGE}?p=7", "https://tides.example/", "https://tin.example/")
    images = (link(PAGE, picture("https://hearth.example/1.png")), picture("https://hearth.example/2.png"))
    manifest = {"stories": [story, own], "blocks": blocks}
    found = collected(*map(link, urls), *images, link("https://b.example/"), manifest=manifest)
    assert [target for _, _, target, _ in found] == [
        *("story blog 7", "theme"),
        *("introduction", "story blog 7", "story blog 7", "links", "setting blocks.text", "stories"),
    ]
    masthead = (link(HOME, "Home"), link(placeholder_url(HOME, UNSUBSCRIBE)), link("https://a.example/"))
    assert [target for _, _, target, _ in collected(*masthead, manifest=manifest)] == ["theme", "introduction"]
    assert [target for _, _, target, _ in collected(*masthead)] == ["theme", "stories"]
    assert [target for _, _, target, _ in collected(link(PAGE))] == ["stories"]
