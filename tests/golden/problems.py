"""Newsletters with one problem each, for every check: what the checks find in them is golden (``checks.txt``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.digest.checks import preflight
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.check import CheckResult, PossibleRepeat, PreflightContext, StaleFeed
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.entry import TimedText
from pipeline.model.message import UNSUBSCRIBE
from tests.golden.sample import PUBLICATION, SAMPLE

THEMES = Path(__file__).parents[2] / "templates"
LEAD_SECTION = SAMPLE.sections[0]
(LOAF,) = LEAD_SECTION.stories
(GUEST,) = SAMPLE.sections[1].stories
assert LOAF.picture


def with_loaf(**changes: Any) -> Digest:
    """Return the sample with its first story changed."""
    lead_section = replace(LEAD_SECTION, stories=(replace(LOAF, **changes),))
    return replace(SAMPLE, sections=(lead_section, *SAMPLE.sections[1:]))


Arguments = tuple[Digest, RenderedDigest, bytes, PreflightContext]
"""The arguments of ``preflight``."""
Case = Callable[[], Arguments]


@cache
def rendered(digest: Digest) -> RenderedDigest:
    return render(digest, load_theme([THEMES], "classic"))


def arguments(digest: Digest = SAMPLE, context: PreflightContext | None = None, **broken: Any) -> Arguments:
    """Return what is checked of a digest; ``broken`` replaces parts of the rendered digest, or the message."""
    eml = broken.pop("eml", None) or to_eml(rendered(digest), digest)
    return digest, replace(rendered(digest), **broken), eml, context or PreflightContext()


def found(digest: Digest = SAMPLE, context: PreflightContext | None = None) -> tuple[CheckResult, ...]:
    """Return what the checks find in a digest."""
    return preflight(*arguments(digest, context))


def html(old: str, new: str) -> Case:
    """Check the sample with something replaced in its HTML."""

    def check() -> Arguments:
        assert old in rendered(SAMPLE).html
        return arguments(html=rendered(SAMPLE).html.replace(old, new))

    return check


def eml(old: bytes, new: bytes) -> Case:
    """Check the sample with something replaced in its message."""

    def check() -> Arguments:
        whole = to_eml(rendered(SAMPLE), SAMPLE)
        assert old in whole
        return arguments(eml=whole.replace(old, new))

    return check


def digest(changed: Digest, context: PreflightContext | None = None) -> Case:
    """Check another digest."""
    return lambda: arguments(changed, context)


def picture(**changes: Any) -> Case:
    """Check the sample with another picture in its first story."""
    return digest(with_loaf(picture=replace(LOAF.picture, **changes)))


def with_title(title: str) -> Case:
    """Check the sample with another title of its first story."""
    return digest(with_loaf(title=title))


def same_picture_twice() -> Digest:
    """Return the sample with the picture of the first story in the second, too."""
    second = replace(SAMPLE.sections[1], stories=(replace(GUEST, picture=LOAF.picture),))
    return replace(SAMPLE, sections=(LEAD_SECTION, second, *SAMPLE.sections[2:]))


LINK = "https://tides.example.org/penhallow"
TITLE = LOAF.title
PROBLEMS: dict[str, tuple[Case, str, str, str]] = {
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
    "long introduction": (
        digest(replace(SAMPLE, introduction_md="The quay was wet. " * 16)), "introduction", "hint", "introduction"),
    "only a title": (digest(with_loaf(excerpt_md="", picture=None)), "no-text", "warning", TITLE),
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
        lambda: arguments(same_picture_twice()), "repeated-picture", "warning", TITLE),
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
        lambda: arguments(shortening="Excerpts have 12 words at most."), "shortened", "hint", "digest.html"),
    "link in the HTML alone": (html(LINK, "https://tides.example.org/other"), "text-part", "error", "theme"),
    "story in the HTML alone": (
        lambda: arguments(text=rendered(SAMPLE).text.replace(TITLE, "")), "text-part", "error", TITLE),
    "words in the HTML alone": (
        html("</body>", f"<p>{' '.join(f'word{n}' for n in range(99))}</p></body>"), "text-part", "warning", "theme"),
    "no unsubscribe link in the text": (
        lambda: arguments(text=rendered(SAMPLE).text.replace(UNSUBSCRIBE, "")), "unsubscribe-link", "error", "theme"),
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
    "two lines": (lambda: arguments(subject="Bread\r\nBcc: all@a.example"), "unsafe", "error", "subject"),
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


@cache
def results(case: str) -> tuple[CheckResult, ...]:
    """Return what the checks find in one of the newsletters."""
    return preflight(*PROBLEMS[case][0]())


def report(case: str) -> str:
    """Return the results of a newsletter for people to read."""
    return "\n".join([case, *map(line, results(case))])


def line(result: CheckResult) -> str:
    """Return a result in one line: level, name, location, message and quote."""
    quote = f" “{result.quote}”" if result.quote else ""
    return f"  {result.level} {result.name}, {result.where} → {result.fix_target}: {result.message}{quote}"
