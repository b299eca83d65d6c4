"""Preflight: a good mail passes, and each thing that can be wrong with one is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from pipeline.digest.checks import CHECKS, manifest_results, preflight
from pipeline.digest.checks.contrast import computed_colours
from pipeline.digest.checks.html import parse_html
from pipeline.digest.edition.seal import seal
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.check import FIX_TARGETS, CheckResult, PreflightContext, StaleFeed, blocking_results
from pipeline.model.digest import Digest, RenderedDigest, Section
from pipeline.model.message import UNSUBSCRIBE
from tests.golden.sample import BARE, PUBLICATION, SAMPLE

ROOT = Path(__file__).parents[2]
THEMES = ROOT / "templates"
POSTS = SAMPLE.sections[0]
LOAF, GUEST = POSTS.stories
assert LOAF.picture


def with_loaf(**changes: Any) -> Digest:
    """The sample, its first story changed."""
    posts = replace(POSTS, stories=(replace(LOAF, **changes), GUEST))
    return replace(SAMPLE, sections=(posts, *SAMPLE.sections[1:]))


@cache
def printed(digest: Digest) -> RenderedDigest:
    return render(digest, load_theme([THEMES], "classic"))


def found(digest: Digest = SAMPLE, facts: PreflightContext | None = None, **broken: Any) -> tuple[CheckResult, ...]:
    """Check a digest; ``broken`` replaces parts of what was rendered, or the mail's bytes."""
    eml = broken.pop("eml", None) or to_eml(printed(digest), digest)
    return preflight(digest, replace(printed(digest), **broken), eml, facts or PreflightContext())


def html(old: str, new: str) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with something replaced in its HTML."""

    def check() -> tuple[CheckResult, ...]:
        assert old in printed(SAMPLE).html
        return found(html=printed(SAMPLE).html.replace(old, new))

    return check


def eml(old: bytes, new: bytes) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with something replaced in its mail."""

    def check() -> tuple[CheckResult, ...]:
        whole = to_eml(printed(SAMPLE), SAMPLE)
        assert old in whole
        return found(eml=whole.replace(old, new))

    return check


def digest(changed: Digest, facts: PreflightContext | None = None) -> Callable[[], tuple[CheckResult, ...]]:
    """Check another digest."""
    return lambda: found(changed, facts)


def picture(**changes: Any) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with another picture in its first story."""
    return digest(with_loaf(picture=replace(LOAF.picture, **changes)))


LINK = "https://tides.example.org/penhallow"
TITLE = LOAF.title
WRONG: dict[str, tuple[Callable[[], tuple[CheckResult, ...]], str, str, str]] = {
    "no subject": (digest(replace(SAMPLE, subject=" ")), "subject", "error", "subject"),
    "tiny subject": (digest(replace(SAMPLE, subject="Bread")), "subject-length", "warning", "subject"),
    "endless subject": (digest(replace(SAMPLE, subject="Bread " * 14)), "subject-length", "warning", "subject"),
    "longish subject": (digest(replace(SAMPLE, subject="Bread, and " * 6)), "subject-length", "hint", "subject"),
    "no preheader": (digest(replace(SAMPLE, preheader="")), "preheader", "warning", "preheader"),
    "preheader is the subject": (
        digest(replace(SAMPLE, preheader=SAMPLE.subject)), "preheader", "warning", "preheader"),
    "preheader is the first sentence": (
        digest(replace(SAMPLE, preheader="Good morning from a wet quay.")), "preheader", "warning", "preheader"),
    "short preheader": (digest(replace(SAMPLE, preheader="Soup and more.")), "preheader", "hint", "preheader"),
    "no introduction": (digest(replace(SAMPLE, introduction_md=" \n")), "introduction", "warning", "introduction"),
    "TK in the introduction": (
        digest(replace(SAMPLE, introduction_md="Hello TK, welcome.")), "todo-note", "error", "introduction"),
    "TODO in a note": (digest(with_loaf(note_md="TODO ask her")), "todo-note", "error", TITLE),
    "TODO in a post": (digest(with_loaf(excerpt_md="Bake it. TODO: how hot?")), "todo-note", "warning", TITLE),
    "lorem ipsum": (digest(replace(SAMPLE, headline="Lorem ipsum dolor")), "todo-note", "error", "headline"),
    "token in the subject": (
        digest(replace(SAMPLE, subject="Dear {{ name }}, some bread")), "merge-tag", "error", "subject"),
    "token in a post": (digest(with_loaf(excerpt_md="Write *|FNAME|* there.")), "merge-tag", "warning", TITLE),
    "token in config.toml": (
        digest(replace(SAMPLE, publication=replace(PUBLICATION, tagline="Bread, {{ town }}"))),
        "merge-tag", "error", "[publication] tagline"),
    "token of the theme": (html("Penhallow Quay", "[[town]]"), "merge-tag", "error", "theme"),
    "shortcode": (digest(with_loaf(excerpt_md="Bake it. \\[my\\_slider 3\\]")), "shortcode", "warning", TITLE),
    "link says nothing": (
        digest(with_loaf(excerpt_md=f"See it [here]({LINK}).")), "link-text", "warning", TITLE),
    "link without words": (html("tide table</a>", "</a>"), "link-text", "warning", TITLE),
    "relative link": (html(f'href="{LINK}"', 'href="/penhallow"'), "relative-url", "error", "theme"),
    "relative picture": (html(f'src="{LOAF.picture.url}"', 'src="loaf.jpg"'), "relative-url", "error", "theme"),
    "short link": (
        digest(with_loaf(excerpt_md="See [the tide table](https://bit.ly/3xYz).")), "short-url", "warning", TITLE),
    "told before": (
        digest(SAMPLE, PreflightContext(published_urls={"harbourandhearth.example/a-slow-loaf-for-the-shortest-month": "2026-W05"})),
        "repeated-link", "warning", TITLE),
    "undescribed picture": (picture(alt=""), "image-alt", "hint", TITLE),
    "picture described by its file": (picture(alt="IMG_2041"), "image-alt", "warning", TITLE),
    "picture described by its file's name": (picture(alt="loaf-final.jpg"), "image-alt", "warning", TITLE),
    "picture without alt": (html(f'alt="{LOAF.picture.alt}"', ""), "image-alt", "error", "theme"),
    "huge picture": (picture(width=4000, height=3000), "image-size", "warning", TITLE),
    "over 30 KB": (html("</body>", f"<p>{'bread ' * 3_000}</p></body>"), "html-size", "hint", "digest.html"),
    "over 60 KB": (html("</body>", f"<p>{'bread ' * 8_000}</p></body>"), "html-size", "warning", "digest.html"),
    "over 90 KB": (html("</body>", f"<p>{'bread ' * 14_000}</p></body>"), "html-size", "error", "digest.html"),
    "told in fewer words": (
        lambda: found(shortening="Excerpts have 12 words at most."), "shortened", "hint", "digest.html"),
    "link in the HTML alone": (html(LINK, "https://tides.example.org/other"), "text-part", "error", "theme"),
    "story in the HTML alone": (
        lambda: found(text=printed(SAMPLE).text.replace(TITLE, "")), "text-part", "error", TITLE),
    "words in the HTML alone": (
        html("</body>", f"<p>{' '.join(f'word{n}' for n in range(99))}</p></body>"), "text-part", "warning", "theme"),
    "no way out of the text": (
        lambda: found(text=printed(SAMPLE).text.replace(UNSUBSCRIBE, "")), "unsubscribe-link", "error", "theme"),
    "no way out of the HTML": (html(UNSUBSCRIBE, ""), "unsubscribe-link", "error", "theme"),
    "bare line feed": (eml(b"\r\nSubject", b"\nSubject"), "message-format", "error", "digest.eml"),
    "long line": (eml(b"\r\n\r\n", b"\r\n\r\n" + b"x" * 77 + b"\r\n"), "message-format", "error", "digest.eml"),
    "raw bytes": (eml(b"From: ", "From: ö".encode()), "message-format", "error", "digest.eml"),
    "encoded identifier": (eml(b"Message-ID: <", b"Message-ID: =?utf-8?q?<"), "message-format", "error", "digest.eml"),
    "pale words": (html("color: #5f594e", "color: #9f998e"), "contrast", "error", "theme"),
    "pale words in the dark": (
        html("color: #b3aca0 !important", "color: #53504a !important"), "contrast", "error", "theme"),
    "script": (html("</body>", "<script>1</script></body>"), "unsafe", "error", "theme"),
    "handler": (html("<body", '<body onload="x()"'), "unsafe", "error", "theme"),
    "script in a link": (html(f'href="{LINK}"', 'href="java&#9;script:alert(1)"'), "unsafe", "error", "theme"),
    "picture inside": (html(f'src="{LOAF.picture.url}"', 'src="data:image/png;base64,A"'), "unsafe", "error", "theme"),
    "style that loads": (html("</style>", "p { background: url(x) } </style>"), "unsafe", "error", "theme"),
    "style attribute that loads": (html("margin: 0;", "background: url(x);"), "unsafe", "error", "theme"),
    "refresh": (html("<title>", '<meta http-equiv="refresh" content="0;url=x"><title>'), "unsafe", "error", "theme"),
    "two lines": (lambda: found(subject="Bread\r\nBcc: all@a.example"), "unsafe", "error", "subject"),
    "no postal address": (
        digest(replace(SAMPLE, publication=replace(PUBLICATION, postal_address=" "))),
        "postal-address", "warning", "[publication] postal_address"),
    "no useful links": (
        digest(replace(SAMPLE, sections=SAMPLE.sections[:1]), PreflightContext(min_links=1)),
        "few-links", "hint", "useful links"),
    "few useful links": (
        digest(SAMPLE, PreflightContext(min_links=4)),
        "few-links",
        "hint",
        "useful links",
    ),
    "silent feed": (
        digest(SAMPLE, PreflightContext(stale_feeds=(StaleFeed(feed_id="podcast", newest_at=datetime(2025, 12, 1, tzinfo=UTC)),))),
        "stale-feed", "warning", "podcast"),
}  # fmt: skip


def test_a_good_mail_passes() -> None:
    """Nothing at all is said about the ordinary week."""
    assert found() == ()


@pytest.mark.parametrize("theme", ["classic", "journal"])
def test_a_logo_can_be_read_while_pictures_are_off(theme: str) -> None:
    """Its words stand on the plate it lies on in the dark: in the colour around them nobody could see them."""
    logo = replace(SAMPLE, publication=replace(PUBLICATION, logo_url="https://harbourandhearth.example/logo.png"))
    shown = render(logo, load_theme([THEMES], theme))

    def judged(html: str) -> set[str]:
        checks = preflight(logo, replace(shown, html=html), to_eml(shown, logo))
        return {check.message for check in checks if check.name == "contrast"}

    assert judged(shown.html) == set()
    assert any(
        PUBLICATION.name in each
        for each in judged(re.sub(r"(\.logo \{[^}]*) color: #\w+ !important;", r"\1", shown.html))
    )


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """Each fault gives a Check of its name and level, at the place the editor knows, in a sentence that ends."""
    check, name, level, where = WRONG[case]
    matching = [each for each in check() if each.name == name and each.level == level]
    assert [each for each in matching if each.where == where] != []
    assert all(each.message.endswith(".") for each in matching)


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_says_where_it_is_mended(case: str) -> None:
    """Each Check names a place there is; of a story, which one."""
    for each in WRONG[case][0]():
        place, _, which = each.fix_target.partition(" ")
        assert place in FIX_TARGETS
        assert bool(which) == (place in ("story", "feed", "setting"))
    mended = {each.fix_target for each in WRONG[case][0]() if each.where == TITLE}
    assert mended <= {f"story {LOAF.entries[0].feed_id} {LOAF.entries[0].guid}"}


def test_every_check_is_tried() -> None:
    """No name that a check of the mail can give is without a case here."""
    sources = [getsource(check) for check in CHECKS]
    names = {name for source in sources for name in re.findall(r'\.result\("([\w-]+)"', source)}
    assert names == {name for _, name, _, _ in WRONG.values()}


def test_every_check_is_documented() -> None:
    """docs/checks.md has a row for each name there is, and for no other."""
    sources = "".join(path.read_text() for path in (ROOT / "pipeline/digest/checks").glob("*.py"))
    names = set(re.findall(r'(?:\.result|_unreached)\("([\w-]+)"', sources))
    rows = re.findall(r"(?m)^\| (`[^|]*`) \|", (ROOT / "docs/checks.md").read_text())
    assert names == {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}


def test_what_is_fine_is_not_named() -> None:
    """Words that only look wrong are let be: Spanish "todo", a tokenless brace, a guest who is called Tk."""
    spanish = replace(SAMPLE, publication=replace(PUBLICATION, language="es"), introduction_md="TODO el pan del mundo.")
    assert "todo-note" not in {check.name for check in found(spanish)}
    assert found(with_loaf(excerpt_md="A {brace} costs 100%, says Tk; a list, [1], of *todos*.")) == ()


def test_gravest_first_and_each_once() -> None:
    """Errors come before warnings, warnings before hints, and nothing is said twice."""
    checks = found(replace(BARE, subject="TK"))
    assert [check.level for check in checks] == sorted((each.level for each in checks), key=["error", "warning"].index)
    assert len(checks) == len(set(checks))


def test_checks_do_not_depend_on_anything_else() -> None:
    """The same mail gives the same Checks in the same order."""
    awkward = replace(SAMPLE, subject="TK {{ a }}", preheader="", introduction_md="[here](https://bit.ly/1)")
    assert found(awkward) == found(awkward)


def test_manifest_carries_the_checks() -> None:
    """What is sealed with an edition is read back as it was found."""
    checks = found(BARE)
    edition = seal(BARE, printed(BARE), b"", left_out=(), checks=checks)
    assert manifest_results(edition.manifest) == checks != ()


def test_only_an_error_that_nobody_overrode_blocks() -> None:
    """Warnings never stop approval; an error does until its name is given."""
    checks = found(replace(SAMPLE, subject="TK", preheader=""))
    assert {check.name for check in blocking_results(checks)} == {"todo-note"}
    assert blocking_results(checks, ["todo-note"]) == ()


def test_older_stories_are_looked_at_too() -> None:
    """A story told again is checked like a new one."""
    again = replace(GUEST, excerpt_md="TODO: shorten")
    archive = (Section(kind="archive", heading="From the archive", stories=(again,)),)
    assert "todo-note" in {check.name for check in found(replace(SAMPLE, archive=archive))}


COLOURS = """<style>.a { color: #111111 } p.a { color: #222222 } div .a { color: #333333 }
@media (prefers-color-scheme: dark) { .a { color: #eeeeee !important } body { background: #000000 } }
@media (max-width: 480px) { .a { color: #ff0000 !important } } .a:hover, div > .a { color: #00ff00 }</style>"""


@pytest.mark.parametrize(
    ("body", "light", "dark"),
    [
        ("<b>x</b>", ("#000000", "#ffffff"), ("#ffffff", "#000000")),
        ('<b class="a">x</b>', ("#111111", "#ffffff"), ("#eeeeee", "#000000")),
        ('<p class="a">x</p>', ("#222222", "#ffffff"), ("#eeeeee", "#000000")),
        ('<div><p class="a">x</p></div>', ("#333333", "#ffffff"), ("#eeeeee", "#000000")),
        ('<p class="a" style="color: #444">x</p>', ("#444444", "#ffffff"), ("#eeeeee", "#000000")),
        ('<p style="color: #444444 !important" class="a">x</p>', ("#444444", "#ffffff"), ("#444444", "#000000")),
        ('<td bgcolor="#555555">x</td>', ("#000000", "#555555"), ("#ffffff", "#555555")),
        ('<b><img class="a" alt="x" style="background: #555555"></b>', ("#111111", "#555555"), ("#eeeeee", "#555555")),
        ('<a href="https://a.example/">x</a>', ("#0000ee", "#ffffff"), ("#9e9eff", "#000000")),
        ('<b style="background-color: rgb(1, 2, 3)">x</b>', ("#000000", "#010203"), ("#ffffff", "#010203")),
    ],
)
def test_colours_cascade(body: str, light: tuple[str, str], dark: tuple[str, str]) -> None:
    """Importance, the element's own style, specificity and order decide, as in a mail program."""
    mail = parse_html(f"<html><head>{COLOURS}</head><body><table><tr><td>{body}</td></tr></table></body></html>")
    for scheme, expected in (("light", light), ("dark", dark)):
        assert list(computed_colours(mail, scheme)) == [("x", *expected)]  # type: ignore[arg-type]


def test_what_is_hidden_has_no_colour() -> None:
    """The inbox line is read by nobody once the mail is open."""
    assert list(computed_colours(parse_html('<body><p style="display: none">x</p></body>'), "light")) == []
