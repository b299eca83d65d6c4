"""A digest as words on a page: what is said, what is left out, what is harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.digest.render.render import MAX_HTML_BYTES, render
from pipeline.digest.render.theme import Theme, load_theme
from pipeline.model.digest import Digest, Section, Story
from pipeline.model.entry import Picture
from pipeline.model.errors import TemplateError
from pipeline.model.message import PLACEHOLDERS, placeholder_url
from tests.golden.sample import BARE, BOTH, EPISODE, LINKS, POST, PUBLICATION, RICH, SAMPLE, STRESS
from tests.golden.update import DIGESTS, THEME_NAMES, THEMES


@pytest.fixture(scope="module", params=THEME_NAMES)
def theme(request: pytest.FixtureRequest) -> Theme:
    return load_theme([THEMES], request.param)


class Reader(HTMLParser):
    """Collects what a mail links to, shows and says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "a":
            self.hrefs.append(found["href"])
        if tag == "img":
            self.pictures.append(found)

    def handle_data(self, data: str) -> None:
        self.words += data


def holes(html: str, text: str) -> list[str]:
    """Find empty elements, empty brackets, separators with nothing on one side, and values that are not words."""
    unlinked = re.sub(r"</?a\b[^>]*>", "", html)
    empty = [found[0] for found in re.finditer(r"<(p|h\d|div|a|ul|td)\b[^>]*>\s*</\1>", html)]
    return empty + re.findall(r"(?:^|>|\n) *·.*|.*· *(?:$|\n|<)|\(\)|\bNone\b|\n{4}", unlinked + text)


def with_story(story: Story) -> Digest:
    return replace(BARE, sections=(Section(kind="posts", heading="", stories=(story,)),))


@pytest.mark.parametrize("name", DIGESTS)
def test_same_digest_same_bytes(name: str) -> None:
    """Rendering twice, with themes loaded twice, gives the same mail."""
    first, second = (render(DIGESTS[name], load_theme([THEMES], "classic")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", DIGESTS)
def test_every_link_is_in_the_text_part(name: str, theme: Theme) -> None:
    """Whatever the HTML links to can be opened from the text part, too."""
    mail = render(DIGESTS[name], theme)
    hrefs = {href.removeprefix("mailto:") for href in Reader(mail.html).hrefs}
    assert hrefs
    assert [href for href in hrefs if href not in mail.text] == []


@pytest.mark.parametrize("name", DIGESTS)
def test_links_lead_to_pages_and_mailboxes_only(name: str, theme: Theme) -> None:
    """Nothing in a mail runs: links are http, https or mailto, pictures https, and there is no script."""
    html = render(DIGESTS[name], theme).html
    reader = Reader(html)
    assert {href.split(":")[0] for href in reader.hrefs} <= {"http", "https", "mailto"}
    assert {picture["src"].split(":")[0] for picture in reader.pictures} <= {"https"}
    assert not {"script", "iframe", "form", "object", "link", "base"} & set(reader.tags)
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_hostile_words_stay_words(theme: Theme) -> None:
    """A title that looks like a script, a template, a comment or a header is shown as it was written."""
    mail = render(STRESS, theme)
    for said in ('<script>alert("1")</script>', "{{ page }}", "--> <!--"):
        assert said in Reader(mail.html).words
        assert said in mail.text
    assert "\n" not in mail.subject + mail.preheader


@pytest.mark.parametrize("name", DIGESTS)
def test_one_h1_and_no_level_skipped(name: str, theme: Theme) -> None:
    """A screen reader finds one first heading and can step through the rest."""
    levels = [int(tag[1]) for tag in Reader(render(DIGESTS[name], theme).html).tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("name", DIGESTS)
def test_pictures_have_words_and_a_width(name: str, theme: Theme) -> None:
    """Every picture has an alt text and a width attribute no wider than the text, which is all that Outlook obeys."""
    for picture in Reader(render(DIGESTS[name], theme).html).pictures:
        assert picture["alt"]
        assert 0 < int(picture["width"]) <= 536


def test_small_pictures_are_not_enlarged(theme: Theme) -> None:
    """A picture 300 px wide is shown 300 px wide, with its height."""
    small = Picture(url="https://example.org/small.jpg", alt="Small", width=300, height=200)
    (picture,) = Reader(render(with_story(replace(POST, picture=small)), theme).html).pictures
    assert (picture["width"], picture["height"]) == ("300", "200")
    assert "max-width: 300px" in picture["style"]


def test_places_stand_at_the_start_of_a_line(theme: Theme) -> None:
    """What delivery fills in for each reader begins a line, so quoted-printable never breaks it."""
    html = render(SAMPLE, theme).html
    for place in PLACEHOLDERS:
        assert f'\nhref="{placeholder_url(PUBLICATION.url, place)}"' in html


def test_preheader_fills_the_inbox_line(theme: Theme) -> None:
    """The preheader is followed by enough invisible filler to keep the mail's first words out, in the HTML alone."""
    mail = render(SAMPLE, theme)
    hidden = re.search(r'<div class="preheader"[^>]*>(.*?)</div>', mail.html)
    assert hidden
    assert hidden[1].startswith(SAMPLE.preheader)
    assert hidden[1].count("\u034f\u200c&nbsp;") == 150 - len(SAMPLE.preheader)
    assert "\u034f" not in mail.text


def test_no_preheader_still_hides_the_first_words(theme: Theme) -> None:
    """Without a preheader the inbox line shows the subject alone, not the date and "Read in your browser"."""
    assert render(BARE, theme).html.count("\u034f\u200c&nbsp;") == 150


def test_nothing_known_leaves_no_hole(theme: Theme) -> None:
    """An episode without cover, duration, number, guest or words has no empty element and no stray separator."""
    mail = render(BARE, theme)
    assert holes(mail.html, mail.text) == []


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
    """Each field of each kind of story can be absent without an empty element or a stray separator."""
    mail = render(with_story(replace(story, **{field: nothing})), theme)
    assert holes(mail.html, mail.text) == []


def test_episode_says_what_it_is(theme: Theme) -> None:
    """Number, length and guest stand in one line, and the button says how long it takes."""
    story = replace(EPISODE, episode=14, duration_seconds=2520, guest="Elowen Hart", explicit=True)
    words = Reader(render(with_story(story), theme).html).words
    assert "Episode 14 · 42 min · with Elowen Hart · Explicit language" in words
    assert "Listen to the episode (42 min)" in words


def test_read_or_listen_offers_both(theme: Theme) -> None:
    """A story that is both leads to the post and to the episode's page, with the minutes of each."""
    html = render(with_story(BOTH), theme).html
    assert re.search(rf'href="{BOTH.url}"[^>]*>Read the post \(5 min\)(&nbsp;→)?<', html)
    assert re.search(rf'href="{BOTH.listen_url}"[^>]*>Listen now \(42 min\)(&nbsp;→)?<', html)


def test_guest_post_names_its_guest(theme: Theme) -> None:
    """The guest wrote it: not "By" the account that published it."""
    mail = render(with_story(replace(POST, guest="Jory Tamblyn")), theme)
    assert "Guest post by Jory Tamblyn · 6 min read" in mail.text
    assert "Morwenna" not in mail.text


def test_rtl_by_dir_alone(theme: Theme) -> None:
    """An Arabic publication turns the page round: dir says so, and no style insists on left or right."""
    digest = replace(SAMPLE, publication=replace(PUBLICATION, language="ar"))
    html = render(digest, theme).html
    assert '<html lang="ar" dir="rtl"' in html
    assert not re.search(
        r"text-align:\s*(left|right)|align=\"(left|right)\"|(margin|padding)-(left|right):(?! 20px)", html
    )


def test_ordinary_week_is_light(theme: Theme) -> None:
    """The sample's HTML stays under 30 KB and its kept styles under 16 KB, without a url() in them."""
    html = render(SAMPLE, theme).html
    styles = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert len(html.encode()) <= 30_000
    assert 0 < len(styles) <= 16_000
    assert "url(" not in styles


def heavy(posts: int) -> Digest:
    """Make a week of many long posts."""
    long = "Many handsomely lengthened sentences overburden. " * 12
    stories = tuple(replace(POST, title=f"Post {n}", excerpt_md=long) for n in range(posts))
    return replace(BARE, sections=(Section(kind="posts", heading="", stories=stories),))


def test_excerpts_shorten_until_the_mail_is_light(theme: Theme) -> None:
    """A heavy week still makes a mail that Gmail does not cut; each story keeps its picture and its buttons."""
    mail = render(heavy(19), theme)
    assert len(mail.html.encode()) <= MAX_HTML_BYTES
    assert mail.html.count("<img") == 19
    assert mail.html.count("Many handsomely") < 19 * 12
    assert re.fullmatch(r"To keep the newsletter small, excerpts have at most \d+ words\.", mail.shortening)


@pytest.mark.parametrize("posts", [30, 120])
def test_the_last_stories_of_a_heavy_week_are_told_by_their_titles(posts: int, theme: Theme) -> None:
    """When short excerpts do not help, no story is dropped: the last become lines, in HTML and text."""
    mail = render(heavy(posts), theme)
    assert 0.8 * MAX_HTML_BYTES < len(mail.html.encode()) <= MAX_HTML_BYTES
    for part in (mail.html, mail.text):
        assert [n for n in range(posts) if not re.search(rf"\bPost {n}\b", part)] == []
    said = re.search(r"at most 12 words and the last (\d+) stories are only titles", mail.shortening)
    assert said
    assert mail.html.count("<img") == posts - int(said[1])
    assert holes(mail.html, mail.text) == []


def test_an_ordinary_week_is_told_in_full(theme: Theme) -> None:
    """Nothing is shortened, and nothing said about it, where there is room."""
    assert render(RICH, theme).shortening == ""


def test_own_folder_wins_file_by_file(tmp_path: Path) -> None:
    """A publisher replaces one part of a theme and keeps the rest."""
    (tmp_path / "classic" / "parts").mkdir(parents=True)
    (tmp_path / "classic" / "parts" / "footer.html.j2").write_text("Fair winds, {{ digest.publication }}")
    html = render(SAMPLE, load_theme([tmp_path, THEMES], "classic")).html
    assert "Fair winds, Harbour &amp; Hearth" in html
    assert "A slow loaf" in html


def test_unknown_theme_names_the_known() -> None:
    """A misspelt theme is answered with the themes there are."""
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
def test_broken_template_says_where(tmp_path: Path, template: str, line: int) -> None:
    """A template that does not compile or asks for what is not there is named with its file and line."""
    theme = tmp_path / "broken"
    theme.mkdir()
    (theme / "digest.html.j2").write_text(template)
    (theme / "digest.txt.j2").write_text("")
    with pytest.raises(TemplateError) as caught:
        render(SAMPLE, load_theme([tmp_path], "broken"))
    assert Path(caught.value.file).name == "digest.html.j2"
    assert caught.value.line == line
    assert str(caught.value).startswith("Fix ")


def test_missing_template_is_named(tmp_path: Path) -> None:
    """A theme without its text template says which file to restore."""
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "digest.html.j2").write_text("x")
    with pytest.raises(TemplateError, match=r"digest\.txt\.j2"):
        load_theme([tmp_path], "half")
