"""Rendering: what is shown, what is left out, and that nothing is harmful."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.digest.render.image_view import image_view
from pipeline.digest.render.render import MAX_HTML_BYTES, render
from pipeline.digest.render.theme import Theme, load_theme
from pipeline.digest.render.wording import format_duration
from pipeline.model.digest import Digest, Section, Story, StoryLevel
from pipeline.model.entry import Picture
from pipeline.model.errors import TemplateError
from pipeline.model.message import PLACEHOLDERS, placeholder_url
from pipeline.text.merge_tags import WORD_JOINER
from tests.golden.sample import BARE, BOTH, EPISODE, LINKS, POST, PUBLICATION, RICH, SAMPLE, SITE, STRESS
from tests.golden.update import DIGESTS, THEME_NAMES, THEMES
from tests.golden.weeks import WEEKS
from tests.mail.validators import link_errors


@pytest.fixture(scope="module", params=THEME_NAMES)
def theme(request: pytest.FixtureRequest) -> Theme:
    return load_theme([THEMES], request.param)


class Markup(HTMLParser):
    """The links, images, tags and text of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.images: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "a":
            self.hrefs.append(values["href"])
        if tag == "img":
            self.images.append(values)

    def handle_data(self, data: str) -> None:
        self.text += data


def breakable(html: str) -> str:
    """Return HTML with blanks in place of no-break spaces."""
    return html.replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " ")


def gaps(html: str, text: str) -> list[str]:
    """Return empty elements and brackets, separators with nothing on one side, and values that are not words."""
    unlinked = re.sub(r"</?a\b[^>]*>", "", html)
    empty = [found[0] for found in re.finditer(r"<(p|h\d|div|a|ul|td)\b[^>]*>\s*</\1>", html)]
    return empty + re.findall(r"(?:^|>|\n) *·.*|.*· *(?:$|\n|<)|\(\)|\bNone\b|\n{4}", unlinked + text)


def with_story(story: Story) -> Digest:
    return replace(BARE, sections=(Section(kind="posts", heading="", stories=(story,)),))


@pytest.mark.parametrize("name", DIGESTS)
def test_same_digest_same_bytes(name: str) -> None:
    """Rendering twice, with themes loaded twice, gives the same result."""
    first, second = (render(DIGESTS[name], load_theme([THEMES], "classic")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", DIGESTS)
def test_every_link_is_in_the_text_part(name: str, theme: Theme) -> None:
    """Every URL of the HTML is in the plain text as well, in the form that a text has it."""
    mail = render(DIGESTS[name], theme)
    assert Markup(mail.html).hrefs
    assert link_errors(mail.html, mail.text) == []


@pytest.mark.parametrize("name", DIGESTS)
def test_links_lead_to_pages_and_mailboxes_only(name: str, theme: Theme) -> None:
    """Links are http, https or mailto, images https, and there is no script."""
    html = render(DIGESTS[name], theme).html
    reader = Markup(html)
    assert {href.split(":")[0] for href in reader.hrefs} <= {"http", "https", "mailto"}
    assert {picture["src"].split(":")[0] for picture in reader.images} <= {"https"}
    assert not {"script", "iframe", "form", "object", "link", "base"} & set(reader.tags)
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_hostile_text_is_escaped(theme: Theme) -> None:
    """A title that resembles a script, a template, a comment or a header is shown as it was written."""
    mail = render(STRESS, theme)
    for text in ('<script>alert("1")</script>', "{{ page }}", "--> <!--"):
        assert text in Markup(mail.html).text
        assert text in mail.text.replace(WORD_JOINER, "")
    assert "\n" not in mail.subject + mail.preheader


@pytest.mark.parametrize("name", DIGESTS)
def test_one_h1_and_no_level_skipped(name: str, theme: Theme) -> None:
    """A screen reader finds one first heading and no gaps below it."""
    levels = [int(tag[1]) for tag in Markup(render(DIGESTS[name], theme).html).tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("name", DIGESTS)
def test_images_have_alt_texts_and_a_width(name: str, theme: Theme) -> None:
    """The width attribute, which Outlook needs, is at most that of the text; a portrait has its name beside it."""
    for picture in Markup(render(DIGESTS[name], theme).html).images:
        assert picture["alt"] or picture["src"] == DIGESTS[name].publication.portrait_url
        assert 0 < int(picture["width"]) <= 536


def test_a_skim_is_what_is_shown(theme: Theme) -> None:
    """Each story's title and first words are in the HTML in this order, the lead first; briefs keep their level."""
    shown = render(RICH, theme)
    html, position = unescape(re.sub(r"<[^>]+>", "", shown.html.partition("<body")[2])), 0
    html = " ".join(html.replace("\u00a0", " ").replace("\u2011", "-").replace("\u2060", "").split())
    assert [line.level for line in shown.skim][:2] == ["lead", "story"]
    assert len(shown.skim) == len(RICH.all_stories)
    for line in shown.skim:
        position = html.index(" ".join(line.title.split()), position)
        assert line.text.rstrip("…") in html
        assert len(line.text) <= 90


def test_small_images_are_not_enlarged(theme: Theme) -> None:
    """An image of 300 pixels is shown at 300 pixels, with its height."""
    small = Picture(url="https://example.org/small.jpg", alt="Small", width=300, height=200)
    images = Markup(render(with_story(replace(POST, level="lead", picture=small)), theme).html).images
    if theme.name == "letter":
        assert images == []
        return
    (picture,) = images
    assert (picture["width"], picture["height"]) == ("300", "200")
    assert "max-width: 300px" in picture["style"]


def test_images_without_a_text_are_not_said_to_be_read(theme: Theme) -> None:
    """Posts that consist of a picture have no kicker; the link to them remains."""
    markup = render(WEEKS["pictures-only"], theme).html
    assert 'class="kicker"' not in markup
    assert markup.count("Read&nbsp;the&nbsp;post") == 3


def test_numbered_stories_begin_with_one() -> None:
    """In the order of "In this edition", which does not name the lead either."""
    html = render(WEEKS["heavy"], load_theme([THEMES], "journal")).html
    assert re.findall(r'class="numeral"[^>]*>(\d+)', html) == ["1", "2", "3", "4", "5"]


def test_placeholders_begin_a_line(theme: Theme) -> None:
    """So quoted-printable never breaks them."""
    html = render(SAMPLE, theme).html
    for place in PLACEHOLDERS:
        assert f'\nhref="{placeholder_url(PUBLICATION.url, place)}"' in html


def test_preheader_fills_the_inbox_line(theme: Theme) -> None:
    """Invisible filler after the preheader keeps other words out of the inbox line, in the HTML only."""
    mail = render(SAMPLE, theme)
    hidden = re.search(r'<div class="preheader"[^>]*>(.*?)</div>', mail.html)
    assert hidden
    assert hidden[1].startswith(SAMPLE.preheader)
    assert hidden[1].count("\u034f\u200c&nbsp;") == 150 - len(SAMPLE.preheader)
    assert "\u034f" not in mail.text


def test_filler_without_a_preheader(theme: Theme) -> None:
    """The inbox line then shows only the subject."""
    assert render(BARE, theme).html.count("\u034f\u200c&nbsp;") == 150


def test_missing_details_leave_no_gap(theme: Theme) -> None:
    """An episode without cover, duration, number, guest or text has no empty element and no stray separator."""
    mail = render(BARE, theme)
    assert gaps(mail.html, mail.text) == []


@pytest.mark.parametrize(
    ("field", "nothing"),
    [
        ("url", ""),
        ("excerpt_md", ""),
        ("author", ""),
        ("guest", ""),
        ("picture", None),
        ("reading_minutes", 0),
        ("duration_seconds", None),
        ("episode", None),
        ("listen_url", ""),
        ("listen_links", ()),
        ("transcript_url", ""),
    ],
)
@pytest.mark.parametrize("story", [POST, BOTH, EPISODE, LINKS[0]], ids=lambda story: story.kind)
def test_any_field_may_be_missing(story: Story, field: str, nothing: object, theme: Theme) -> None:
    """Each field of each kind of story may be empty without leaving a gap."""
    mail = render(with_story(replace(story, **{field: nothing})), theme)
    assert gaps(mail.html, mail.text) == []


def test_episode_byline(theme: Theme) -> None:
    """The duration is above the title, number and guest are below it, and the button has the duration, too."""
    story = replace(EPISODE, episode=14, duration_seconds=2520, guest="Elowen Hart", explicit=True)
    words = Markup(render(with_story(story), theme).html).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Listen · 42 min" in words
    assert "Episode 14 · with Elowen Hart · Explicit language" in words
    assert "Listen to the episode (42 min)" in words


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1234, "20 min"), (3599, "59 min"), (7199, "1 h 59 min"), (119, "115 sec"), (3, "5 sec"), (0, "")],
)
def test_durations_are_full_minutes(seconds: int, expected: str) -> None:
    """They are rounded down, as in players: an episode never ends later than it says."""
    assert format_duration(seconds) == expected


def test_a_pair_has_two_buttons(theme: Theme) -> None:
    """One opens the post, one the page of the episode, each with its minutes."""
    html = breakable(render(with_story(BOTH), theme).html)
    assert re.search(rf'href="{BOTH.url}"[^>]*>Read the post \(5 min\)( →)?<', html)
    assert re.search(rf'href="{BOTH.listen_url}"[^>]*>Listen now \(42 min\)( →)?<', html)


def test_guest_post_names_its_guest(theme: Theme) -> None:
    """The byline has the guest, not the account that published the post."""
    mail = render(with_story(replace(POST, guest="Jory Tamblyn")), theme)
    assert "Read · 6 min · Guest post by Jory Tamblyn" in mail.text
    assert "Morwenna" not in mail.text


@pytest.mark.parametrize("kind", ["post", "read-or-listen"])
def test_a_reading_time_begins_at_two_minutes(kind: str, theme: Theme) -> None:
    """Below that it says nothing that the excerpt does not show."""
    story = {"post": POST, "read-or-listen": BOTH}[kind]
    one, two = (render(with_story(replace(story, reading_minutes=minutes)), theme).text for minutes in (1, 2))
    assert not re.search(r"\b1 min\b", one)
    assert ("Read · 2 min" if kind == "post" else "Read the post (2 min)") in two


def test_rtl_uses_only_dir(theme: Theme) -> None:
    """No style names left or right."""
    digest = replace(SAMPLE, publication=replace(PUBLICATION, language="ar"))
    html = render(digest, theme).html
    assert '<html lang="ar" dir="rtl"' in html
    assert not re.search(
        r"text-align:\s*(left|right)|align=\"(left|right)\"|(margin|padding)-(left|right):(?! 20px)", html
    )


def test_an_ordinary_week_is_small(theme: Theme) -> None:
    """The HTML is under 30 KB, and its style elements under 16 KB without a url()."""
    html = render(SAMPLE, theme).html
    styles = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert len(html.encode()) <= 30_000
    assert 0 < len(styles) <= 16_000
    assert "url(" not in styles


def long_week(posts: int) -> Digest:
    """Return a week of many long posts."""
    long = "Many handsomely lengthened sentences overburden. " * 12
    stories = tuple(replace(POST, title=f"Post {n}", excerpt_md=long) for n in range(posts))
    return replace(BARE, sections=(Section(kind="posts", heading="", stories=stories),))


def test_a_heavy_week_becomes_more_briefs(theme: Theme) -> None:
    """No excerpt is shortened for it, and briefs have no images."""
    posts = 80 if theme.name == "letter" else 40
    mail = render(long_week(posts), theme)
    assert len(mail.html.encode()) <= MAX_HTML_BYTES
    found = re.fullmatch(r"To keep the newsletter small, the last (\d+) stories are briefs\.", mail.shortening)
    assert found
    assert mail.html.count("<img") == (0 if theme.name == "letter" else posts - int(found[1]))
    assert mail.html.count("Many handsomely") > posts


@pytest.mark.parametrize("posts", [120, 150])
def test_no_story_of_a_long_week_is_dropped(posts: int, theme: Theme) -> None:
    """In the end briefs are only titles, in HTML and text; useful links keep their words longest."""
    digest = long_week(posts)
    digest = replace(digest, sections=(*digest.sections, Section(kind="links", heading="", stories=LINKS)))
    mail = render(digest, theme)
    assert len(mail.html.encode()) <= MAX_HTML_BYTES
    for part in (mail.html, mail.text):
        assert [n for n in range(posts) if not re.search(rf"\bPost {n}\b", part)] == []
        assert "Four words do most of the work." in part
    assert re.search(r"the last \d+ stories are briefs", mail.shortening)
    assert gaps(mail.html, mail.text) == []


def test_contents_name_each_story_of_a_series(theme: Theme) -> None:
    """A line is cut after its first clause, unless others begin so; it never ends with "of the" before its ellipsis."""
    titles = (
        "The lamps of our pier: a walk with the last keeper and his cats",
        "The lamps of our pier: how they were lit in the winter of the storm",
        "Ropes and oars: a walk with the last keeper and all of his cats",
        "Why nobody on this pier may speak of the year without a tide",
        "Why nobody on this pier may speak of the year without a tide",
    )
    levels = ("lead", "story", "story", "story", "brief")
    stories = tuple(replace(POST, title=title, level=level) for title, level in zip(titles, levels, strict=True))
    section = Section(kind="posts", heading="", stories=stories)
    text = render(replace(SAMPLE, sections=(section,)), theme).text
    assert text.partition("In this edition\n")[2].partition("\n\n")[0].splitlines() == [
        "- The lamps of our pier: how they…",
        "- Ropes and oars",
        "- Why nobody on this pier may speak…",
    ]


def test_a_brief_of_a_list_is_its_title(theme: Theme) -> None:
    """The lines of a list are no sentence when they follow each other."""
    brief = replace(POST, title="Ropes", level="brief", excerpt_md="- blue\n- red, and not a single green one.")
    section = Section(kind="posts", heading="", stories=(POST, brief))
    text = render(replace(SAMPLE, sections=(section,)), theme).text
    assert "\nRopes\n" in text
    assert "blue" not in text


def test_an_ordinary_week_is_not_shortened(theme: Theme) -> None:
    """Nothing is reported either."""
    assert render(RICH, theme).shortening == ""


def test_own_folder_wins_file_by_file(tmp_path: Path) -> None:
    """A publisher replaces one part of a theme and keeps the rest."""
    (tmp_path / "classic" / "parts").mkdir(parents=True)
    (tmp_path / "classic" / "parts" / "footer.html.j2").write_text("Fair winds, {{ digest.publication }}")
    html = render(SAMPLE, load_theme([tmp_path, THEMES], "classic")).html
    assert "Fair winds, Harbour &amp; Hearth" in html
    assert "A slow loaf" in html


def test_an_unknown_theme_is_refused() -> None:
    """The message lists the themes."""
    with pytest.raises(TemplateError, match='no theme "clasic"; choose one of: classic, journal'):
        load_theme([THEMES], "clasic")


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("<p>\n{% if %}", 2),
        ("<p>\n\n{{ digest.headlin }}", 3),
        ("{{ digest.number + 1 }}", 1),
        ('\n{% include "lost.html.j2" %}', 2),
    ],
)
def test_a_broken_template_is_reported_with_its_line(tmp_path: Path, template: str, line: int) -> None:
    """The same for a syntax error, an unknown name and a missing include."""
    theme = tmp_path / "broken"
    theme.mkdir()
    (theme / "digest.html.j2").write_text(template)
    (theme / "digest.txt.j2").write_text("")
    with pytest.raises(TemplateError) as caught:
        render(SAMPLE, load_theme([tmp_path], "broken"))
    assert Path(caught.value.file).name == "digest.html.j2"
    assert caught.value.line == line
    assert str(caught.value).startswith("Fix ")


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    """The message says which file to restore."""
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "digest.html.j2").write_text("x")
    with pytest.raises(TemplateError, match=r"digest\.txt\.j2"):
        load_theme([tmp_path], "half")


ICON = f"{SITE}/icon.png"


@pytest.mark.parametrize(
    ("icon", "is_shown"),
    [
        (None, False),
        (Picture(url=ICON), True),
        (Picture(url=ICON, width=64, height=60, length_bytes=9000), True),
        (Picture(url=ICON, width=600, height=100), False),
        (Picture(url=ICON, width=3000, height=3000, length_bytes=900_000), False),
        (Picture(url="javascript:alert(1)"), False),
        (Picture(url=f"{SITE}/icon.svg"), False),
    ],
    ids=["none", "not measured", "square", "a banner", "a large file", "not a URL", "svg"],
)
@pytest.mark.parametrize("level", ["lead", "story", "brief"])
def test_the_icon_of_a_feed_is_beside_its_name(
    theme: Theme, level: StoryLevel, icon: Picture | None, is_shown: bool
) -> None:
    """Small, square and without an alt text, at every level; the letter has no images. Without it the name remains."""
    story = replace(POST, level=level, feed_title="The Net Loft", feed_icon=icon, picture=None)
    html = render(replace(SAMPLE, sections=(Section(kind="posts", heading="", stories=(story,)),)), theme).html
    html = breakable(html)
    icons = re.findall(r"(<img [^>]*>)\s*The Net Loft", html)
    assert len(icons) == (is_shown and theme.name != "letter")
    assert all(attribute in image for image in icons for attribute in ('alt=""', 'width="18"', 'height="18"'))
    assert "The Net Loft" in html
    assert "javascript:" not in html


def test_a_guest_is_linked_in_the_byline(theme: Theme) -> None:
    """Where the guest is named, in HTML; in plain text on the next line. Not once more among the links."""
    story = replace(BOTH, guest="with", guest_url="https://with.example/", author="")
    mail = render(with_story(story), theme)
    assert re.search(r'with <a [^>]*href="https://with.example/"[^>]*>with</a>', breakable(mail.html))
    assert mail.html.count("https://with.example/") == 1
    assert re.search(r"Episode 14 · with with\nwith: https://with.example/\n", mail.text)


def test_a_feed_named_after_its_author_is_named_once(theme: Theme) -> None:
    """A person's blog in a section of several feeds."""
    feeds = ("The Net Loft", POST.author)
    named = {feed: render(with_story(replace(POST, feed_title=feed)), theme).text for feed in feeds}
    assert f"The Net Loft · By {POST.author}" in named["The Net Loft"]
    assert f"· By {POST.author}" in named[POST.author]
    assert f"{POST.author} · By" not in named[POST.author]


def test_an_episode_names_its_show_even_if_its_author_is_named_so(theme: Theme) -> None:
    """The author of an episode is not shown."""
    one = replace(EPISODE, feed_title="The Net Loft", author="The Net Loft", guest="")
    assert "The Net Loft" in render(with_story(one), theme).text


@pytest.mark.parametrize(
    ("width", "height", "is_shown"),
    [
        (1179, 2556, True),
        (600, 1320, True),
        (600, 1321, False),
        (600, 2400, False),
        (600, 100, True),
        (601, 100, False),
        (None, 2400, True),
        (600, None, True),
    ],
)
def test_a_strip_is_no_picture(width: int | None, height: int | None, is_shown: bool) -> None:
    """An infographic or a banner would be a line of a few pixels, and its alt text a column of letters."""
    picture = Picture(url="https://h.example/strip.jpg", alt="A tide table", width=width, height=height)
    for level in ("lead", "story"):
        assert (image_view(replace(POST, picture=picture, level=level), "Tides") is not None) is is_shown
