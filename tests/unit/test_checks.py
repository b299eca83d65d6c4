"""Preflight: a good newsletter passes every check, and each problem is reported."""

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
from pipeline.model.check import (
    FIX_TARGETS,
    CheckResult,
    PossibleRepeat,
    PreflightContext,
    StaleFeed,
    blocking_results,
    check_lines,
)
from pipeline.model.digest import Digest, RenderedDigest, Section
from pipeline.model.entry import TimedText
from pipeline.model.message import UNSUBSCRIBE
from tests.golden.sample import BARE, PUBLICATION, SAMPLE

ROOT = Path(__file__).parents[2]
THEMES = ROOT / "templates"
LEAD_SECTION = SAMPLE.sections[0]
(LOAF,) = LEAD_SECTION.stories
(GUEST,) = SAMPLE.sections[1].stories
assert LOAF.picture


def with_loaf(**changes: Any) -> Digest:
    """Return the sample with its first story changed."""
    lead_section = replace(LEAD_SECTION, stories=(replace(LOAF, **changes),))
    return replace(SAMPLE, sections=(lead_section, *SAMPLE.sections[1:]))


@cache
def rendered(digest: Digest) -> RenderedDigest:
    return render(digest, load_theme([THEMES], "classic"))


def found(digest: Digest = SAMPLE, context: PreflightContext | None = None, **broken: Any) -> tuple[CheckResult, ...]:
    """Check a digest; ``broken`` replaces parts of the rendered digest, or the message."""
    eml = broken.pop("eml", None) or to_eml(rendered(digest), digest)
    return preflight(digest, replace(rendered(digest), **broken), eml, context or PreflightContext())


def html(old: str, new: str) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with something replaced in its HTML."""

    def check() -> tuple[CheckResult, ...]:
        assert old in rendered(SAMPLE).html
        return found(html=rendered(SAMPLE).html.replace(old, new))

    return check


def eml(old: bytes, new: bytes) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with something replaced in its message."""

    def check() -> tuple[CheckResult, ...]:
        whole = to_eml(rendered(SAMPLE), SAMPLE)
        assert old in whole
        return found(eml=whole.replace(old, new))

    return check


def digest(changed: Digest, context: PreflightContext | None = None) -> Callable[[], tuple[CheckResult, ...]]:
    """Check another digest."""
    return lambda: found(changed, context)


def picture(**changes: Any) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with another picture in its first story."""
    return digest(with_loaf(picture=replace(LOAF.picture, **changes)))


def with_title(title: str) -> Callable[[], tuple[CheckResult, ...]]:
    """Check the sample with another title of its first story."""
    return digest(with_loaf(title=title))


def same_picture_twice() -> Digest:
    """Return the sample with the picture of the first story in the second, too."""
    second = replace(SAMPLE.sections[1], stories=(replace(GUEST, picture=LOAF.picture),))
    return replace(SAMPLE, sections=(LEAD_SECTION, second, *SAMPLE.sections[2:]))


LINK = "https://tides.example.org/penhallow"
TITLE = LOAF.title
PROBLEMS: dict[str, tuple[Callable[[], tuple[CheckResult, ...]], str, str, str]] = {
    "no subject": (digest(replace(SAMPLE, subject=" ")), "subject", "error", "subject"),
    "tiny subject": (digest(replace(SAMPLE, subject="Bread")), "subject-length", "warning", "subject"),
    "endless subject": (digest(replace(SAMPLE, subject="Bread " * 14)), "subject-length", "warning", "subject"),
    "longish subject": (digest(replace(SAMPLE, subject="Bread, and " * 6)), "subject-length", "hint", "subject"),
    "no preheader": (digest(replace(SAMPLE, preheader="")), "preheader", "warning", "preheader"),
    "preheader is the subject": (
        digest(replace(SAMPLE, preheader=SAMPLE.subject)), "preheader", "warning", "preheader"),
    "preheader repeats a clause": (
        digest(replace(SAMPLE, preheader=f"Also: five good links · {SAMPLE.subject.lower()} · and something to hear")),
        "preheader", "warning", "preheader"),
    "preheader is the first sentence": (
        digest(replace(SAMPLE, preheader="Good morning from a wet quay.")), "preheader", "warning", "preheader"),
    "short preheader": (digest(replace(SAMPLE, preheader="Soup and more.")), "preheader", "hint", "preheader"),
    "a language without a catalog": (
        digest(replace(SAMPLE, publication=replace(PUBLICATION, language="tlh"))),
        "language", "warning", "[publication] language"),
    "no introduction": (digest(replace(SAMPLE, introduction_md=" \n")), "introduction", "warning", "introduction"),
    "TK in the introduction": (
        digest(replace(SAMPLE, introduction_md="Hello TK, welcome.")), "todo-note", "error", "introduction"),
    "TODO in a note": (digest(with_loaf(note_md="TODO ask her")), "todo-note", "error", TITLE),
    "TODO in a post": (digest(with_loaf(excerpt_md="Bake it. TODO: how hot?")), "todo-note", "warning", TITLE),
    "lorem ipsum": (
        digest(replace(SAMPLE, introduction_md="Lorem ipsum dolor")), "todo-note", "error", "introduction"),
    "merge tag in the subject": (
        digest(replace(SAMPLE, subject="Dear {{ name }}, some bread")), "merge-tag", "error", "subject"),
    "merge tag in a post": (digest(with_loaf(excerpt_md="Write *|FNAME|* there.")), "merge-tag", "warning", TITLE),
    "merge tag in config.toml": (
        digest(replace(SAMPLE, publication=replace(PUBLICATION, tagline="Bread, {{ town }}"))),
        "merge-tag", "error", "[publication] tagline"),
    "merge tag of the theme": (html("Penhallow Quay", "[[town]]"), "merge-tag", "error", "theme"),
    "wrong-encoding": (digest(with_loaf(excerpt_md="Voil\u00c3 , bread.")), "wrong-encoding", "warning", TITLE),
    "shortcode": (digest(with_loaf(excerpt_md="Bake it. \\[my\\_slider 3\\]")), "shortcode", "warning", TITLE),
    "wrong encoding of a name": (digest(with_loaf(author="Ren\u00c3\u00a9e")), "wrong-encoding", "warning", TITLE),
    "tag in a post": (digest(with_loaf(excerpt_md="Bake it \\<b>slowly\\</b>.")), "raw-markup", "warning", TITLE),
    "tag in the introduction": (
        digest(replace(SAMPLE, introduction_md="Good <i>morning</i>.")), "raw-markup", "warning", "introduction"),
    "reference in a title": (with_title("Bread&nbsp;and salt"), "raw-markup", "warning", "Bread&nbsp;and salt"),
    "BBCode in a post": (digest(with_loaf(excerpt_md="Bake it \\[b]slowly\\[/b].")), "raw-markup", "warning", TITLE),
    "break in a chapter": (
        digest(with_loaf(chapters=(TimedText(text="Flour<br>Water"),))), "raw-markup", "warning", TITLE),
    "title ends with a dash": (with_title("Bread, slowly –"), "dangling-mark", "warning", "Bread, slowly –"),
    "title in an open bracket": (with_title("Bread (with Ida"), "dangling-mark", "warning", "Bread (with Ida"),
    "open quotation": (
        digest(with_loaf(excerpt_md="She said: “Bake it slowly. Then wait.")), "dangling-mark", "warning", TITLE),
    "only an ellipsis": (digest(with_loaf(excerpt_md="…")), "dangling-mark", "warning", TITLE),
    "begins amid a sentence": (
        digest(with_loaf(excerpt_md="and waits for a day. Then Ida bakes it.")), "half-sentence", "warning", TITLE),
    "begins with a comma": (
        digest(with_loaf(excerpt_md=", Ida waits. Then she bakes.")), "half-sentence", "warning", TITLE),
    "ends amid a sentence": (
        digest(with_loaf(excerpt_md="Ida waits for a day and then the")), "half-sentence", "warning", TITLE),
    "invitation to subscribe": (
        digest(with_loaf(excerpt_md="We bake today. Subscribe to our newsletter.")), "furniture", "warning", TITLE),
    "button instead of text": (digest(with_loaf(excerpt_md="View fullsize")), "furniture", "warning", TITLE),
    "credit of the blog": (
        digest(with_loaf(excerpt_md="Bread by Ida appeared first on Hearth.")), "furniture", "warning", TITLE),
    "another script": (
        digest(with_loaf(excerpt_md="Хлеб печётся медленно, и никто никуда не торопится этим утром у моря.")),
        "mixed-languages", "warning", TITLE),
    "another language": (digest(with_loaf(excerpt_md=(
        "Das Brot braucht einen Tag, und wer es nicht eilig hat, der wartet auf den Duft aus dem Ofen. "
        "Wir sind mit der ersten Fähre gekommen und haben es für die Kinder gebacken."))),
        "mixed-languages", "warning", TITLE),
    "counted clicks": (
        digest(with_loaf(excerpt_md="See [the tide table](https://quay.us1.list-manage.com/track/click?u=1).")),
        "tracking-link", "warning", TITLE),
    "campaign parameters": (
        digest(replace(SAMPLE, introduction_md="See [the tides](https://tides.example/?a=1&utm_source=x).")),
        "tracking-link", "warning", "introduction"),
    "one picture twice": (
        lambda: found(same_picture_twice()), "repeated-picture", "warning", TITLE),
    "link says nothing": (
        digest(with_loaf(excerpt_md=f"See it [here]({LINK}).")), "link-text", "warning", TITLE),
    "link without words": (html("tide table</a>", "</a>"), "link-text", "warning", TITLE),
    "relative link": (html(f'href="{LINK}"', 'href="/penhallow"'), "relative-url", "error", "theme"),
    "relative picture": (html(f'src="{LOAF.picture.url}"', 'src="loaf.jpg"'), "relative-url", "error", "theme"),
    "short link": (
        digest(with_loaf(excerpt_md="See [the tide table](https://bit.ly/3xYz).")), "short-url", "warning", TITLE),
    "published before": (
        digest(SAMPLE, PreflightContext(
            published_urls={"harbourandhearth.example/a-slow-loaf-for-the-shortest-month": "2026-W05"})),
        "repeated-link", "warning", TITLE),
    "undescribed picture": (picture(alt=""), "image-alt", "hint", TITLE),
    "picture described by its file": (picture(alt="IMG_2041"), "image-alt", "warning", TITLE),
    "picture described by its file's name": (picture(alt="loaf-final.jpg"), "image-alt", "warning", TITLE),
    "picture without alt": (html(f'alt="{LOAF.picture.alt}"', ""), "image-alt", "error", "theme"),
    "vector picture": (picture(url="https://h.example/loaf.svg?v=1"), "image-format", "warning", TITLE),
    "huge picture": (picture(width=4000, height=3000), "image-size", "warning", TITLE),
    "over 30 KB": (html("</body>", f"<p>{'bread ' * 3_000}</p></body>"), "html-size", "hint", "digest.html"),
    "over 60 KB": (html("</body>", f"<p>{'bread ' * 8_000}</p></body>"), "html-size", "warning", "digest.html"),
    "over 90 KB": (html("</body>", f"<p>{'bread ' * 14_000}</p></body>"), "html-size", "error", "digest.html"),
    "shortened": (
        lambda: found(shortening="Excerpts have 12 words at most."), "shortened", "hint", "digest.html"),
    "link in the HTML alone": (html(LINK, "https://tides.example.org/other"), "text-part", "error", "theme"),
    "story in the HTML alone": (
        lambda: found(text=rendered(SAMPLE).text.replace(TITLE, "")), "text-part", "error", TITLE),
    "words in the HTML alone": (
        html("</body>", f"<p>{' '.join(f'word{n}' for n in range(99))}</p></body>"), "text-part", "warning", "theme"),
    "no unsubscribe link in the text": (
        lambda: found(text=rendered(SAMPLE).text.replace(UNSUBSCRIBE, "")), "unsubscribe-link", "error", "theme"),
    "no unsubscribe link in the HTML": (html(UNSUBSCRIBE, ""), "unsubscribe-link", "error", "theme"),
    "bare line feed": (eml(b"\r\nSubject", b"\nSubject"), "message-format", "error", "digest.eml"),
    "long line": (eml(b"\r\n\r\n", b"\r\n\r\n" + b"x" * 77 + b"\r\n"), "message-format", "error", "digest.eml"),
    "raw bytes": (eml(b"From: ", "From: ö".encode()), "message-format", "error", "digest.eml"),
    "encoded identifier": (eml(b"Message-ID: <", b"Message-ID: =?utf-8?q?<"), "message-format", "error", "digest.eml"),
    "low contrast": (html("color: #5f594e", "color: #9f998e"), "contrast", "error", "theme"),
    "low contrast in the dark": (
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
    "stale feed": (
        digest(SAMPLE, PreflightContext(
            stale_feeds=(StaleFeed(feed_id="podcast", newest_at=datetime(2025, 12, 1, tzinfo=UTC)),))),
        "stale-feed", "warning", "podcast"),
    "possible repeat": (
        digest(SAMPLE, PreflightContext(possible_repeats=(
            PossibleRepeat(feed_id="blog", guid="7", title="Embers", reason="may repeat “Fire” of Tue 3 Feb 2026"),))),
        "possible-repeat", "warning", "Embers"),
}  # fmt: skip


def test_a_good_newsletter_passes() -> None:
    """The sample has no problem at all."""
    assert found() == ()


@pytest.mark.parametrize("theme", ["classic", "journal"])
def test_a_logo_is_readable_without_images(theme: str) -> None:
    """In the dark its alt text has the colours of its own background."""
    logo = replace(SAMPLE, publication=replace(PUBLICATION, logo_url="https://harbourandhearth.example/logo.png"))
    shown = render(logo, load_theme([THEMES], theme))

    def contrast_messages(html: str) -> set[str]:
        checks = preflight(logo, replace(shown, html=html), to_eml(shown, logo))
        return {check.message for check in checks if check.name == "contrast"}

    assert contrast_messages(shown.html) == set()
    assert any(
        PUBLICATION.name in message
        for message in contrast_messages(re.sub(r"(\.logo \{[^}]*) color: #\w+ !important;", r"\1", shown.html))
    )


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_problem_is_reported(case: str) -> None:
    """With the name and level of its check, at its location, in a complete sentence."""
    check, name, level, where = PROBLEMS[case]
    matching = [result for result in check() if result.name == name and result.level == level]
    assert where in {result.where for result in matching}
    assert all(result.message.endswith(".") for result in matching)


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_problem_names_what_to_edit(case: str) -> None:
    """One of FIX_TARGETS and, for stories, feeds and settings, which one."""
    results = PROBLEMS[case][0]()
    for result in results:
        target, _, which = result.fix_target.partition(" ")
        assert target in FIX_TARGETS
        assert bool(which) == (target in ("story", "feed", "setting"))
    targets = {result.fix_target for result in results if result.where == TITLE}
    assert targets <= {f"story {LOAF.entries[0].feed_id} {LOAF.entries[0].guid}"}


def test_every_check_is_tested() -> None:
    """Each name that a check may report has a case here."""
    sources = [getsource(check) for check in CHECKS]
    names = {name for source in sources for name in re.findall(r'\.result\("([\w-]+)"', source)}
    assert names == {name for _, name, _, _ in PROBLEMS.values()}


def test_every_check_is_documented() -> None:
    """docs/checks.md has a row for each name, and no other."""
    sources = "".join(path.read_text() for path in (ROOT / "pipeline/digest/checks").glob("*.py"))
    names = set(re.findall(r'(?:\.result|_unreached)\("([\w-]+)"', sources))
    rows = re.findall(r"(?m)^\| (`[^|]*`) \|", (ROOT / "docs/checks.md").read_text())
    assert names == {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}


def test_harmless_text_is_not_reported() -> None:
    """Spanish "todo", a single brace and a guest named Tk are fine."""
    spanish = replace(SAMPLE, publication=replace(PUBLICATION, language="es"), introduction_md="TODO el pan del mundo.")
    assert "todo-note" not in {check.name for check in found(spanish)}
    assert found(with_loaf(excerpt_md="A {brace} costs 100%, says Tk; a list, [1], of *todos*.")) == ()


@pytest.mark.parametrize(
    "harmless",
    [
        {"title": "Using the <b> element, and &nbsp; too"},
        {"title": "C++ — and more…"},
        {"title": '“Salt”: „Brot“ «pain» 6" :('},
        {"title": "1) Flour"},
        {"excerpt_md": "Use `<b>bold</b>` and `&nbsp;` in templates."},
        {"excerpt_md": "iPads in the bakery. Ida has two."},
        {"excerpt_md": "no capitals here. ida never uses them."},
        {"excerpt_md": "“One paragraph.\n\n“And another.”"},
        {"excerpt_md": "- flour\n- water\n- and"},
        {"excerpt_md": "Ida shares this loaf with everybody. She clicks here and there."},
        {"excerpt_md": "Ida says «хлеб» and ψωμί where we say bread, and so do her guests."},
        {"excerpt_md": "See [ours](https://harbourandhearth.example/?utm_source=letter)."},
    ],
)
def test_harmless_leftovers_are_not_reported(harmless: dict[str, str]) -> None:
    """A text may speak of tags, be in lower case, quote other languages and link to the own site with parameters."""
    names = {"raw-markup", "dangling-mark", "half-sentence", "furniture", "mixed-languages", "tracking-link"}
    assert not names & {check.name for check in found(with_loaf(**harmless))}


def test_briefs_show_no_picture() -> None:
    """So one that two stories share is not repeated if one of them is a brief."""
    once = same_picture_twice()
    brief = replace(once.sections[1], stories=(replace(once.sections[1].stories[0], level="brief"),))
    shown = replace(once, sections=(once.sections[0], brief, *once.sections[2:]))
    assert "repeated-picture" not in {check.name for check in found(shown)}


def test_like_results_are_one_line() -> None:
    """Results with the same check, level and message, whatever they quote, in the order of the first."""
    tag, other = (
        CheckResult(name="raw-markup", level="warning", message="Correct it.", where=where, quote=quote)
        for where, quote in (("Bread", "</b>"), ("Salt", "&nbsp;"))
    )
    between = replace(tag, name="furniture", where="", quote="")
    lines = check_lines([tag, between, other])
    assert [line.results for line in lines] == [(tag, other), (between,)]
    assert [line.locations for line in lines] == [("Bread (“</b>”)", "Salt (“&nbsp;”)"), ()]


def test_results_are_ordered_and_unique() -> None:
    """Errors come before warnings, warnings before hints, without duplicates."""
    checks = found(replace(BARE, subject="TK"))
    assert [check.level for check in checks] == sorted(
        (check.level for check in checks), key=["error", "warning"].index
    )
    assert len(checks) == len(set(checks))


def test_checks_are_deterministic() -> None:
    """The same digest gives the same results in the same order."""
    awkward = replace(SAMPLE, subject="TK {{ a }}", preheader="", introduction_md="[here](https://bit.ly/1)")
    assert found(awkward) == found(awkward)


def test_a_manifest_holds_the_results() -> None:
    """They are read back as they were sealed."""
    checks = found(BARE)
    edition = seal(BARE, rendered(BARE), b"", left_out=(), checks=checks)
    assert manifest_results(edition.manifest) == checks != ()


def test_only_errors_that_are_not_overridden_block() -> None:
    """Warnings never stop approval; an error does until its name is given."""
    checks = found(replace(SAMPLE, subject="TK", preheader=""))
    assert {check.name for check in blocking_results(checks)} == {"todo-note"}
    assert blocking_results(checks, ["todo-note"]) == ()


def test_older_stories_are_checked_too() -> None:
    """A story shown again is checked like a new one."""
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


def test_hidden_text_has_no_colour() -> None:
    """The preheader is not displayed in the message itself."""
    assert list(computed_colours(parse_html('<body><p style="display: none">x</p></body>'), "light")) == []
