"""Each check by itself: its limits, and every text, link and image that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.digest.checks import freshness, images, leftovers, links, message, safety, text
from pipeline.digest.checks.html import parse_html
from pipeline.digest.checks.images import read_image_size
from pipeline.digest.checks.inputs import CheckInputs, prepare_inputs, story_location
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.block import Block
from pipeline.model.check import CheckResult, PossibleRepeat, PreflightContext, StaleFeed
from pipeline.model.digest import Digest, RelatedEntry, Section, Story
from pipeline.model.entry import TimedText
from pipeline.model.message import UNSUBSCRIBE
from pipeline.text.merge_tags import escape_in_text
from pipeline.text.similarity import normalised_words
from tests.factories import entry
from tests.golden.problems import GUEST, LOAF, TITLE, rendered, same_picture_twice, with_loaf
from tests.golden.sample import PUBLICATION, SAMPLE
from tests.golden.update import THEMES
from tests.golden.weeks import WEEKS

Check = Callable[[CheckInputs], Iterable[CheckResult]]


def found(
    check: Check, digest: Digest = SAMPLE, context: PreflightContext | None = None, **parts: Any
) -> list[CheckResult]:
    """Return what a check finds in a digest; ``parts`` are other rendered parts than the sample's, or a message."""
    eml = parts.pop("eml", b"")
    return list(check(prepare_inputs(digest, replace(rendered(SAMPLE), **parts), eml, context or PreflightContext())))


def messages(check: Check, *lines: str, **parts: Any) -> list[str]:
    """Return what a check says of the sample, with some lines at the end of its HTML and other parts changed."""
    html = rendered(SAMPLE).html.replace("</body>", "".join(lines) + "</body>")
    return [each.message for each in found(check, html=html, **parts)]


@pytest.mark.parametrize(
    ("part", "length", "level"),
    [
        ("subject", 1, "warning"),
        ("subject", 9, "warning"),
        ("subject", 10, "hint"),
        ("subject", 29, "hint"),
        ("subject", 30, ""),
        ("subject", 60, ""),
        ("subject", 61, "hint"),
        ("subject", 78, "hint"),
        ("subject", 79, "warning"),
        ("preheader", 1, "hint"),
        ("preheader", 79, "hint"),
        ("preheader", 80, ""),
        ("preheader", 130, ""),
        ("preheader", 131, "hint"),
    ],
)
def test_lengths_of_the_inbox_line(part: str, length: int, level: str) -> None:
    """The limits themselves are fine; a wide character counts as two."""
    for words in ("x" * length, "湯" * (length // 2) + "x" * (length % 2)):
        checks = found(text.subject if part == "subject" else text.preheader, **{part: words})
        assert [(each.level, each.where) for each in checks] == ([(level, part)] if level else [])
        assert all(f" {length}." in each.message for each in checks)


@pytest.mark.parametrize(
    ("preheader", "introduction", "repeated"),
    [
        ("The quay is wet.", "The *quay* is wet. Boats stay in.", True),
        ("The quay is wet.", "The quay is dry. Boats stay in.", False),
        ("The quay is wet.", "Today the quay is wet.", False),
        ("Wet quay.", "Wet quay. Boats stay in.", False),
    ],
)
def test_a_preheader_that_opens_the_introduction(preheader: str, introduction: str, repeated: bool) -> None:
    """Three words or more at the beginning of both, whatever the punctuation and markup."""
    checks = found(text.preheader, replace(SAMPLE, introduction_md=introduction), preheader=preheader)
    assert [each.level for each in checks] == ["warning" if repeated else "hint"]
    assert any("the first sentence" in each.message for each in checks) is repeated


TAG, ODD = "*|TOWN|*", "Bread\\&nbsp;salt"
ODD_URL = "https://tides.example/?town=*|TOWN|*"
BY_FEEDS = ("title", "author", "guest", "excerpt_md", "transcript_opening")
ONE = TimedText(text="Flour")
RELATED = RelatedEntry(title="Rye", url="https://tides.example/", published_at=SAMPLE.opens_at)


@pytest.mark.parametrize(
    ("theme", "changes", "is_reported"),
    [
        ("classic", {}, False),
        ("letter", {}, True),
        ("letter", {"level": "brief"}, False),
        ("letter", {"note_md": "Look at the lamp."}, False),
        ("letter", {"chapters": (TimedText(text="The lamp", start_seconds=0),)}, False),
        ("classic", {"picture": None}, True),
    ],
)
def test_stories_that_are_only_a_title(theme: str, changes: dict[str, Any], is_reported: bool) -> None:
    """Posts that consist of an image are nothing in a theme that shows none; a brief may be its title alone."""
    stories = WEEKS["pictures-only"].stories
    digest = replace(SAMPLE, sections=(Section(kind="posts", heading="", stories=(replace(stories[1], **changes),)),))
    html = render(digest, load_theme([THEMES], theme)).html
    assert [check.name for check in found(text.no_text, digest, html=html)] == ["no-text"] * is_reported


@pytest.mark.parametrize(
    "changes",
    [
        *({field: TAG} for field in BY_FEEDS),
        *({field: ODD_URL} for field in ("url", "listen_url", "transcript_url")),
        {"listen_links": (("Radio", "https://radio.example/"), ("Radio", ODD_URL))},
        {"listen_links": ((TAG, "https://radio.example/"),)},
        {"related": (RELATED, replace(RELATED, url=ODD_URL))},
        {"related": (replace(RELATED, title=TAG),)},
        {"chapters": (ONE, replace(ONE, text=TAG))},
        {"picture": replace(LOAF.picture, url=ODD_URL)},
        {"picture": replace(LOAF.picture, alt=TAG)},
    ],
)
def test_every_part_of_a_story_is_searched_for_merge_tags(changes: dict[str, object]) -> None:
    """A tag that a feed wrote is a warning at its story, and never blamed on the theme."""
    story = replace(LOAF, **changes)
    checks = found(text.merge_tag, with_loaf(**changes))
    assert [(each.level, each.where) for each in checks] == [("warning", story.title)]
    assert checks[0].message.startswith(f"Rewrite or keep “{TAG}”:")


@pytest.mark.parametrize(
    ("field", "by_editor"),
    [*((field, False) for field in (*BY_FEEDS, "feed_title")), ("note_md", True)],
)
def test_every_part_of_a_story_is_searched_for_leftovers(field: str, by_editor: bool) -> None:
    """Markup and wrong encodings, and notes that the editor or an author wrote to themselves."""
    for check, words in ((leftovers.raw_markup, ODD), (text.wrong_encoding, "Voil\u00c3 , bread")):
        (result,) = found(check, with_loaf(**{field: words}))
        assert (result.level, result.fix_target) == ("warning", f"story blog {LOAF.entries[0].guid}")
    levels = {each.level for each in found(text.todo_note, with_loaf(**{field: "Bread TBC"}))}
    assert levels <= {"error" if by_editor else "warning"}
    assert bool(levels) is (field in ("title", "excerpt_md", "note_md"))


@pytest.mark.parametrize("field", ["name", "tagline", "reason", "postal_address", "signature", "call_to_action_md"])
def test_every_text_of_the_settings_is_searched(field: str) -> None:
    """A note or a merge tag there is an error at the key of config.toml."""
    changed = replace(SAMPLE, publication=replace(PUBLICATION, **{field: f"Bread TBC {TAG}"}))
    key = field.removesuffix("_md")
    for check in (text.todo_note, text.merge_tag):
        (result,) = found(check, changed)
        assert (result.level, result.where) == ("error", f"[publication] {key}")
        assert result.fix_target == f"setting publication.{key}"
    odd = ODD if field.endswith("_md") else "Bread &amp; salt"
    markup = found(leftovers.raw_markup, replace(SAMPLE, publication=replace(PUBLICATION, **{field: odd})))
    assert [each.where for each in markup] == ([f"[publication] {key}"] if key in ("tagline", "call_to_action") else [])


@pytest.mark.parametrize(
    ("label", "words", "where"),
    [
        ("Tin TBC&amp;", "Oats and a lemon.", "[[blocks]] “Tin TBC&amp;”"),
        ("", "Oats TBC \\&nbsp;and *two* lemons, and a kettle.", "[[blocks]] “Oats TBC &nbsp;and two lemons…”"),
        ("", "Oats TBC \\&nbsp;and a lemon.", "[[blocks]] “Oats TBC &nbsp;and a lemon…”"),
    ],
)
def test_standing_blocks_are_searched(label: str, words: str, where: str) -> None:
    """They are named by their label, or else by their first five words."""
    digest = replace(SAMPLE, blocks=(Block(kind="notice", label=label, text_md=words),))
    for check, level in ((text.todo_note, "error"), (leftovers.raw_markup, "warning")):
        (result,) = found(check, digest)
        assert (result.level, result.where, result.fix_target) == (level, where, "setting blocks.text")


SHORT = "https://bit.ly/3xYz"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"url": SHORT}, TITLE),
        ({"listen_url": SHORT, "kind": "read-or-listen", "entries": LOAF.entries * 2}, TITLE),
        ({"excerpt_md": f"See [tides]({SHORT})."}, TITLE),
        ({"excerpt_md": f"See [tides]( <{SHORT}>)."}, TITLE),
        ({"note_md": f"See <{SHORT}>."}, TITLE),
        ({"related": (replace(RELATED, url=SHORT),)}, TITLE),
    ],
)
def test_a_problem_of_a_link_is_at_its_story(changes: dict[str, object], where: str) -> None:
    """The one that links to the URL: by its title, its buttons, related stories, or in its text."""
    checks = found(links.short_url, with_loaf(**changes), html=f'<a href="{SHORT}">tides</a>')
    assert [(each.where, each.fix_target) for each in checks] == [
        (where, f"story {LOAF.entries[0].feed_id} {LOAF.entries[0].guid}")
    ]


def test_a_problem_of_a_link_elsewhere_is_at_its_part() -> None:
    """The introduction, a block or a setting that has it, as the editor wrote it; the theme if none has."""
    link = f"See [tides]({SHORT})."
    settings = replace(PUBLICATION, call_to_action_md=link)
    for changed, where in (
        (replace(SAMPLE, introduction_md=link), "introduction"),
        (replace(SAMPLE, publication=settings), "[publication] call_to_action"),
        (replace(SAMPLE, blocks=(Block(kind="notice", label="Tides", text_md=link),)), "[[blocks]] “Tides”"),
    ):
        checks = found(links.short_url, changed, html=f'<a href="{SHORT}">tides</a>')
        assert [each.where for each in checks] == [where]
    assert [each.where for each in found(links.short_url, html=f'<img src="{SHORT}">')] == ["theme"]


@pytest.mark.parametrize(
    ("story", "where", "target"),
    [
        (LOAF, TITLE, f"story blog {LOAF.entries[0].guid}"),
        (replace(LOAF, title=""), LOAF.url, f"story blog {LOAF.entries[0].guid}"),
        (replace(LOAF, entries=()), TITLE, "stories"),
        (replace(LOAF, entries=(entry(feed="editor", guid="1"),)), TITLE, "links"),
    ],
)
def test_how_a_story_is_named(story: Story, where: str, target: str) -> None:
    """By its title, or its page; a useful link of the editor is edited among the links."""
    location = story_location(story)
    assert (location.name, location.fix_target) == (where, target)


@pytest.mark.parametrize(
    ("words", "is_reported"),
    [
        ("Here!", True), ("READ  ON", True), ("Read on the quay", False), ("Read on →", True), ("→", True), ("", True),
        ("here it is", False), ("Hier", True), ("<b>h</b>ere", True), ("<!-- Bread -->", True),
        ('<img src="https://a.example/x.png" alt="">', True),
        ('<img src="https://a.example/x.png" alt="Bread">', False),
        ('here<img src="https://a.example/x.png" alt="is bread">', False),
    ],
)  # fmt: skip
def test_texts_of_links_that_say_nothing(words: str, is_reported: bool) -> None:
    """In any case, with any punctuation; the alt text of an image in the link counts."""
    assert bool(messages(links.link_text, f'<a href="https://a.example/1">{words}</a>')) is is_reported


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("HTTPS://A.EXAMPLE/", set()),
        ("mailto:ida@a.example", set()),
        ("http:///x", {"relative-url"}),
        ("//a.example/", {"relative-url"}),
        ("tel:1", {"relative-url", "unsafe"}),
        ("https://BIT.LY/1", {"short-url"}),
        ("https://a.example/bit.ly", set()),
        ("https://u1.ct.sendgrid.net/ls/click?x=1", {"tracking-link"}),
        ("https://a.example/?utm_medium=email", {"tracking-link"}),
        ("https://harbourandhearth.example/?utm_medium=email", set()),
        ("mailto:ida@a.example?utm_medium=email", set()),
        ("https://a.example/?page=2", set()),
        ("HTTPS://A.EXAMPLE/?UTM_SOURCE=x&utm_source=y", {"tracking-link"}),
        ("https://feedproxy.google.com/~r/tides/~3/1/", {"tracking-link"}),
    ],
)
def test_urls_of_links(url: str, names: set[str]) -> None:
    """A link leads to a page or a mailbox, by its whole URL, and not through a service that counts or shortens."""
    html = f'<a href="{url}">tide table</a><a href="{url}">tides</a>'
    every = (links.relative_url, links.short_url, links.tracking_link, safety.unsafe)
    assert {result.name for check in every for result in found(check, html=html)} == names


@pytest.mark.parametrize(("count", "found_at"), [(1, []), (2, [TITLE, GUEST.title])])
def test_a_picture_may_be_shown_once(count: int, found_at: list[str]) -> None:
    """Two stories with one picture are both named; an icon without a description is none."""
    digest = same_picture_twice() if count == 2 else SAMPLE
    html = f'<img src="{LOAF.picture.url}" alt="A loaf">' * count
    assert found(images.repeated_picture, digest, html=html.replace("A loaf", "")) == []
    assert [each.where for each in found(images.repeated_picture, digest, html=html)] == found_at


@pytest.mark.parametrize(("width", "is_reported"), [(None, False), (1200, False), (1201, True)])
def test_the_widest_picture(width: int | None, is_reported: bool) -> None:
    """1,200 pixels are fine."""
    checks = found(images.image_size, with_loaf(picture=replace(LOAF.picture, width=width, height=width)))
    assert bool(checks) is is_reported


@pytest.mark.parametrize(
    ("alt", "level"),
    [
        ("loaf.jpg", "warning"), (" DSC_0041 ", "warning"), ("img", "warning"), ("Screenshot 2026-02-09", "warning"),
        ("A loaf.jpg in the oven", ""), ("image of a loaf", ""), (" ", "hint"),
    ],
)  # fmt: skip
def test_alt_texts(alt: str, level: str) -> None:
    """One that names a file describes nothing."""
    shown = f'<img src="{LOAF.picture.url}" alt="{alt}">'
    checks = found(images.image_alt, with_loaf(picture=replace(LOAF.picture, alt=alt)), html=shown)
    assert [(each.level, each.where) for each in checks] == ([(level, TITLE)] if level else [])


@pytest.mark.parametrize(
    ("kilobytes", "level"),
    [(30.0, ""), (30.001, "hint"), (60.0, "hint"), (60.001, "warning"), (90.0, "warning"), (90.001, "error")],
)
def test_sizes_of_the_html(kilobytes: float, level: str) -> None:
    """In thousands of bytes of UTF-8; the limits themselves are fine."""
    size = round(kilobytes * 1000)
    html = rendered(SAMPLE).html
    html += "é" * ((size - len(html.encode())) // 2)
    html += "x" * (size - len(html.encode()))
    checks = found(message.html_size, html=html)
    assert [each.level for each in checks] == ([level] if level else [])
    assert all(f"{kilobytes:.0f} KB" in each.message for each in checks)


@pytest.mark.parametrize(
    ("title", "line", "is_missing"),
    [
        ("Bread", "Bread", False),
        ("Bread  and salt", "Bread\n  and salt", False),
        ("Bread and salt", "Bread or salt", True),
        ("{{ the town }}", "{{ the town }}", True),
        ("{{ the town }}", escape_in_text("{{ the town }}"), False),
    ],
)
def test_stories_of_the_text_part(title: str, line: str, is_missing: bool) -> None:
    """Their titles are there, wrapped or not, as they are written where mail services read placeholders."""
    digest = replace(SAMPLE, sections=(replace(SAMPLE.sections[0], stories=(replace(LOAF, title=title),)),))
    checks = found(message.text_part, digest, html="<p></p>", text=line)
    assert [(each.level, each.where, each.message) for each in checks] == (
        [("error", title, "Fix the text part: this story is missing.")] if is_missing else []
    )


def test_a_link_that_the_text_part_lacks_is_at_its_story() -> None:
    """The one that has it, as for every problem of a link."""
    digest = with_loaf(excerpt_md=f"See [tides]({SHORT}).")
    checks = found(message.text_part, digest, html=f'<a href="{SHORT}">tides</a>')
    assert [(each.where, each.message) for each in checks] == [
        (TITLE, f"Fix the text part: {SHORT} is in the HTML only.")
    ]


@pytest.mark.parametrize(
    ("url", "written", "is_missing"),
    [
        ("https://a.example/?b=1", "https://a.example/?b=1", False),
        ("https://a.example/?b=1", "https://a.example/", True),
        ("https://a.example/?b={{c}}", escape_in_text("https://a.example/?b={{c}}"), False),
    ],
)
def test_links_of_the_text_part(url: str, written: str, is_missing: bool) -> None:
    """Each of the HTML is in the text, escaped or not, and is missed once."""
    checks = found(message.text_part, replace(SAMPLE, sections=()), html=f'<a href="{url}"></a>' * 2, text=written)
    assert [(each.level, each.where, each.message) for each in checks] == (
        [("error", "theme", f"Fix the text part: {url} is in the HTML only.")] if is_missing else []
    )


def test_words_of_the_html_alone() -> None:
    """One word in ten may be missing from the text part: as alt texts are."""
    known = len(set(normalised_words(parse_html(rendered(SAMPLE).html).text)))
    most = known // 9

    def missing(count: int) -> list[str]:
        return messages(message.text_part, f"<p>{' '.join(f'word{number}' for number in range(count))}</p>")

    few = next(count for count in range(most, 0, -1) if not missing(count))
    assert most - 12 < few <= most
    assert "words of the HTML are missing" in missing(few + 1)[0]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"Subject: " + b"x" * 989, ""),
        (b"Subject: " + b"x" * 990, "a header is longer than 998 characters"),
        (b"X: 1\rY: 2", "it has line ends other than CRLF"),
        (b"List-Unsubscribe: =?utf-8?q?x?=", "an identifier is encoded"),
        (b"in-reply-to: =?utf-8?q?x?=", "an identifier is encoded"),
        (b"Subject: =?utf-8?q?x?=", ""),
        (b"Subject: List-Id: =?utf-8?q?x?=", ""),
    ],
)
def test_headers_of_the_message(line: bytes, fault: str) -> None:
    """Their length, their line ends, and identifiers, which no mail program decodes."""
    whole = to_eml(rendered(SAMPLE), SAMPLE)
    head, _, body = whole.partition(b"\r\n\r\n")
    checks = found(message.message_format, eml=b"\r\n".join([head, line, b"", body]))
    expected = [f"Do not send digest.eml, and report this bug: {fault}."] if fault else []
    assert [each.message for each in checks] == expected
    assert found(message.message_format, eml=b"\r\n".join([head, b"", b"x" * 76, body])) == []


@pytest.mark.parametrize(
    ("eml", "faults"),
    [
        (b"Subject: x\r\n\r\ny\r\n", []),
        ("Subject: ö\r\n\r\ny\r\n".encode(), ["it has unencoded bytes beyond ASCII"]),
        ("Subject: x\r\n\r\nö\r\n".encode(), ["it has unencoded bytes beyond ASCII"]),
        (b"Subject: x\n\ny\n", ["it has line ends other than CRLF"]),
        (b"Subject: x\r\n\r\ny\r\n\r\n" + b"z " * 39, ["a line is longer than 76 characters"]),
        (b"Subject: " + b"x" * 90 + b"\r\n\r\n" + b"z" * 77 + b"\r\n\r\ny", ["a line is longer than 76 characters"]),
        (b"Subject: x\r\n\r\nMessage-ID: =?utf-8?q?x?=", []),
    ],
)
def test_formats_of_messages(eml: bytes, faults: list[str]) -> None:
    """Head and body are separated by the first empty line; each has limits of its own."""
    assert [each.message for each in found(message.message_format, eml=eml)] == [
        f"Do not send digest.eml, and report this bug: {fault}." for fault in faults
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        *((f"<{tag}></{tag}>", f"<{tag}>") for tag in ("iframe", "object", "form", "button", "svg", "video", "base")),
        ('<p onclick="x()">a</p>', "onclick=…"),
        ('<p once="x">a</p>', "once=…"),
        ('<p class="on">a</p>', ""),
        ('<meta http-equiv="Set-Cookie" content="a">', "<meta http-equiv>"),
        ('<meta http-equiv="Content-Type" content="text/html">', ""),
        ('<p background="cid:1">a</p>', "the URL “cid:1”"),
        ('<img alt="a" srcset="ftp://a.example/">', "the URL “ftp://a.example/”"),
        ('<img alt="a" src="HTTPS://a.example/x.png">', ""),
        (f'<p background="cid:{"x" * 99}">a</p>', f"the URL “cid:{'x' * 36}”"),
        ('<p style="width: EXPRESSION (1)">a</p>', "the style “width: EXPRESSION (1)”"),
        ('<p title="cid:1">a</p>', ""),
        ('<p background="A+b-c.1:2">a</p>', "the URL “A+b-c.1:2”"),
        ('<a href="JAVASCRIPT:1">a</a>', "the URL “JAVASCRIPT:1”"),
        ('<a href="&#9; java script:1">a</a>', "the URL “\t java script:1”"),
        ('<a href="1a:b">a</a>', ""),
        ("<!-- script: <script> -->", ""),
    ],
)
def test_what_runs_or_loads(line: str, fault: str) -> None:
    """Elements, handlers, addresses of other schemes, and styles that load something."""
    message = f"Remove {fault} from the theme or the story: mail programs block it, spam filters count it."
    assert messages(safety.unsafe, line) == ([message] if fault else [])


@pytest.mark.parametrize(
    ("css", "what"),
    [("@IMPORT 'x';", "@IMPORT"), ("p { src: URL (x) }", "URL ("), ("p { -moz-binding: x }", "-moz-binding")],
)
def test_style_sheets_that_load(css: str, what: str) -> None:
    """Only images may be loaded, in whatever letters."""
    assert messages(safety.unsafe, f"<style>{css}</style>") == [
        f"Remove “{what}” from the style sheet: only images may be loaded."
    ]


@pytest.mark.parametrize("part", ["subject", "preheader"])
@pytest.mark.parametrize("end", ["\r", "\n"])
def test_lines_of_headers(part: str, end: str) -> None:
    """The subject and the preheader have one line, whichever character would end it."""
    assert messages(safety.unsafe, **{part: f"Bread{end}Bcc: ida@a.example"}) == [
        "Write the subject and the preheader on one line each."
    ]


@pytest.mark.parametrize(
    ("changes", "quotes"),
    [
        ({"title": "Bread (with Ida", "excerpt_md": "“Open too."}, ["(with Ida"]),
        ({"title": "Bread –", "excerpt_md": "Fine."}, ["–"]),
        ({"excerpt_md": "Ida waits –"}, []),
        ({"excerpt_md": "–"}, ["–"]),
        ({"excerpt_md": "Ida “waits."}, ["“waits."]),
        ({"excerpt_md": "Ida waits."}, []),
    ],
)
def test_marks_that_are_left_over(changes: dict[str, str], quotes: list[str]) -> None:
    """In the title first; a text may end with a dash, but not be one."""
    assert [each.quote for each in found(leftovers.dangling_mark, with_loaf(**changes))] == quotes


@pytest.mark.parametrize(
    ("title", "excerpt", "quote"),
    [
        ("Subscribe to our newsletter", "We bake today. Subscribe to our newsletter.", "Subscribe to our newsletter"),
        (
            "Bread",
            "We bake. Subscribe to our newsletter for bread. Subscribe here.",
            "Subscribe to our newsletter for bread.",
        ),
        ("Bread", "Subscribe to our newsletter for more bread.", "Subscribe to our newsletter for more…"),
    ],
)
def test_invitations_of_a_site(title: str, excerpt: str, quote: str) -> None:
    """The first of a story, by its first six words."""
    assert [each.quote for each in found(leftovers.furniture, with_loaf(title=title, excerpt_md=excerpt))] == [quote]


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (leftovers.raw_markup, {"excerpt_md": ODD}),
        (leftovers.dangling_mark, {"excerpt_md": "“Open."}),
        (leftovers.half_sentence, {"excerpt_md": "Ida waits for a day and then the"}),
        (leftovers.furniture, {"excerpt_md": "Subscribe to our newsletter. Subscribe to our newsletter."}),
        (leftovers.mixed_languages, {"excerpt_md": "Хлеб печётся медленно, и никто никуда не торопится у моря."}),
        (links.short_url, {"excerpt_md": f"See [tides]({SHORT})."}),
        (images.image_format, {"picture": replace(LOAF.picture, url="https://h.example/loaf.svg")}),
        (images.image_size, {"picture": replace(LOAF.picture, width=1201)}),
        (images.image_alt, {"picture": replace(LOAF.picture, alt="")}),
        (text.merge_tag, {"excerpt_md": TAG}),
        (text.todo_note, {"excerpt_md": "Bread TBC"}),
        (text.shortcode, {"excerpt_md": "Bake it. \\[my\\_slider 3\\]"}),
        (text.wrong_encoding, {"excerpt_md": "Voil\u00c3 , bread"}),
    ],
)
def test_every_story_is_named(check: Check, changes: dict[str, Any]) -> None:
    """Each of two with the same problem, once; a link that both have belongs to the first."""
    two = (replace(LOAF, **changes), replace(GUEST, **changes))
    digest = replace(SAMPLE, sections=(replace(SAMPLE.sections[0], stories=two),))
    shown = f'<a href="{SHORT}">tides</a>' if check is links.short_url else "<p></p>"
    names = [TITLE] if check is links.short_url else [TITLE, GUEST.title]
    assert [each.where for each in found(check, digest, html=shown, text="")] == names


def test_languages_of_stories() -> None:
    """By the text, or by the title as well where the text is too short."""
    russian = "Хлеб печётся медленно, и никто никуда не торопится этим утром у моря"
    for changes, languages in (
        ({"title": russian, "excerpt_md": "1, 2, 3."}, ["Cyrillic"]),
        ({"title": russian, "excerpt_md": "Bread bakes slowly at the sea, says Ida, and so does Una."}, []),
        ({"excerpt_md": russian}, ["Cyrillic"]),
    ):
        assert [each.quote for each in found(leftovers.mixed_languages, with_loaf(**changes))] == languages


def test_facts_about_feeds() -> None:
    """A feed that never had an entry, and a story that may be a repeat and has no title."""
    context = PreflightContext(
        stale_feeds=(StaleFeed(feed_id="tides", newest_at=None),),
        possible_repeats=(PossibleRepeat(feed_id="blog", guid="7", title="", reason="may repeat “Fire”"),),
        min_links=len(SAMPLE.sections[-1].stories),
    )
    (stale,), (repeat,) = (found(check, context=context) for check in (freshness.stale_feed, freshness.possible_repeat))
    assert (stale.name, stale.fix_target) == ("stale-feed", "feed tides")
    assert stale.message.endswith("it had no new entry so far.")
    assert (repeat.where, repeat.fix_target) == ("(no title)", "story blog 7")
    assert found(links.few_links, context=context) == []
    alone = replace(SAMPLE, sections=(replace(SAMPLE.sections[-1], stories=SAMPLE.sections[-1].stories[:1]),))
    for digest, links_found in ((alone, "is 1 useful link"), (with_loaf(), "are 3 useful links")):
        (few,) = found(links.few_links, digest, PreflightContext(min_links=4))
        assert few.message.startswith(f"There {links_found}, fewer than 4:")


@pytest.mark.parametrize("file", ["loaf.jpg", "rye.png"])
def test_pictures_of_no_story(file: str) -> None:
    """One that the theme shows is its fault; one that two stories have is the first one's."""
    for digest, where in ((SAMPLE, "theme"), (same_picture_twice(), TITLE)):
        url = "https://harbourandhearth.example/logo.png" if where == "theme" else LOAF.picture.url
        (result,) = found(images.image_alt, digest, html=f'<img src="{url}" alt="{file}">')
        assert (result.level, result.where) == ("warning", where)
        assert result.message.endswith(f"its alt text is a file name, “{file}”.")


def test_the_sample_without_a_picture() -> None:
    """Nothing is said of a picture that is not there."""
    bare = with_loaf(picture=None)
    for check in (images.image_alt, images.image_size, images.image_format, images.repeated_picture, text.merge_tag):
        assert found(check, bare) == []


def test_a_change_after_the_approval() -> None:
    """A warning at the list of changes."""
    assert list(freshness.changed_since(["“Bread” would be left out"])) == [
        CheckResult(
            name="changed-since",
            level="warning",
            message="Approve it again, or keep it as it is: built now, “Bread” would be left out.",
            fix_target="changes",
        )
    ]


def test_a_note_is_found_where_todo_is_a_word() -> None:
    """In Mexican Spanish "TODO" says nothing, but "TBD" does."""
    mexican = replace(SAMPLE, publication=replace(PUBLICATION, language="es-MX"))
    for words, reported in (
        ("TODO el pan", []),
        ("El pan TBD", ["Replace “TBD” by what it stands for, or remove it."]),
    ):
        checks = found(text.todo_note, replace(mexican, introduction_md=words))
        assert [each.message for each in checks] == reported


def test_tags_of_the_theme_are_found_where_lines_break() -> None:
    """In the HTML, the text and the links to mailboxes; a tag that is part of the content is not the theme's fault."""
    for changes in ({"text": rendered(SAMPLE).text + "\n{{ the\n  town }}"}, {}):
        lines = [] if changes else ["<p>{{ the\n<b>town</b> }}</p>"]
        assert messages(text.merge_tag, *lines, **changes) == ["Fix the theme: it does not fill in “{{ the town }}”."]
    mailbox = '<a href="mailto:ida@a.example?body=%7B%7B%20the%20town%20%7D%7D">write</a>'
    assert messages(text.merge_tag, mailbox) == ["Fix the theme: it does not fill in “{{ the town }}”."]
    assert messages(text.merge_tag, f'<a href="https://a.example/#{UNSUBSCRIBE}">leave</a>') == []


def test_what_a_mail_program_reads() -> None:
    """Texts of blocks are apart, inline ones are not; comments, styles, scripts and titles are no text."""
    html = parse_html(
        "<html><head><title>t</title><style>a</style></head><body>one<p>two</p>three f<i>our</i>s <!-- five -->six"
        "<script>seven</script><style>b</style><div><title>eight</title>nine</div><br>ten"
        '<a>no link</a><a href="">nor this</a><a href="https://a.example/">a<b>b</b><img alt="c"><img>d</a>'
        '<a href="https://b.example/"><span><img src="x.png"></span></a><img alt=""></body></html>'
    )
    assert html.text == "one two three fours six nine tenno linknor thisab d"
    assert html.css == "a\nb"
    assert [(link.url[8], link.text) for link in html.links] == [("a", "ab d c"), ("b", "")]
    assert [(image.url, image.alt, image.link_url) for image in html.images] == [
        *(("", "c", "https://a.example/"), ("", None, "https://a.example/")),
        *(("x.png", None, "https://b.example/"), ("", "", "")),
    ]


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (b"GIF89a\x01\x00\x01\x00", (1, 1)),
        (b"GIF89a\x00\x00\x01\x00", None),
        (b"GIF89a\x01\x00\x00\x00", None),
        (b"GIF89a\x01", None),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="3" height="4"></svg>', None),
        (b'\n <svg xmlns="http://www.w3.org/2000/svg" width="3" height="4"></svg>', None),
        (b"", None),
    ],
)
def test_sizes_of_image_files(start: bytes, size: tuple[int, int] | None) -> None:
    """Raster images of one pixel or more have a size; vector images have none."""
    assert read_image_size(start) == size
