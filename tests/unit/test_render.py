"""A digest as words on a page: what is said, what is left out, what is harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.digest.render import MAX_HTML_BYTES, Theme, load_theme, render
from pipeline.model.digest import Digest, Section, Story
from pipeline.model.entry import Picture
from pipeline.model.errors import TemplateError
from pipeline.model.mail import PLACES, place_url
from tests.golden.sample import BARE, BOTH, EPISODE, LINKS, POST, PUBLICATION, SAMPLE, STRESS

THEMES = Path(__file__).parent.parent.parent / "templates"
DIGESTS = {"sample": SAMPLE, "stress": STRESS, "bare": BARE}


@pytest.fixture(scope="module")
def classic() -> Theme:
    return load_theme([THEMES], "classic")


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
def test_every_link_is_in_the_text_part(name: str, classic: Theme) -> None:
    """Whatever the HTML links to can be opened from the text part, too."""
    mail = render(DIGESTS[name], classic)
    hrefs = {href.removeprefix("mailto:") for href in Reader(mail.html).hrefs}
    assert hrefs
    assert [href for href in hrefs if href not in mail.text] == []


@pytest.mark.parametrize("name", DIGESTS)
def test_links_lead_to_pages_and_mailboxes_only(name: str, classic: Theme) -> None:
    """Nothing in a mail runs: links are http, https or mailto, pictures https, and there is no script."""
    html = render(DIGESTS[name], classic).html
    reader = Reader(html)
    assert {href.split(":")[0] for href in reader.hrefs} <= {"http", "https", "mailto"}
    assert {picture["src"].split(":")[0] for picture in reader.pictures} <= {"https"}
    assert not {"script", "iframe", "form", "object", "link", "base"} & set(reader.tags)
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_hostile_words_stay_words(classic: Theme) -> None:
    """A title that looks like a script, a template, a comment or a header is shown as it was written."""
    mail = render(STRESS, classic)
    for said in ('<script>alert("1")</script>', "{{ page }}", "--> <!--"):
        assert said in Reader(mail.html).words
        assert said in mail.text
    assert "\n" not in mail.subject + mail.preheader


@pytest.mark.parametrize("name", DIGESTS)
def test_one_h1_and_no_level_skipped(name: str, classic: Theme) -> None:
    """A screen reader finds one first heading and can step through the rest."""
    levels = [int(tag[1]) for tag in Reader(render(DIGESTS[name], classic).html).tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@pytest.mark.parametrize("name", DIGESTS)
def test_pictures_have_words_and_a_width(name: str, classic: Theme) -> None:
    """Every picture has an alt text and a width attribute no wider than the text, which is all that Outlook obeys."""
    for picture in Reader(render(DIGESTS[name], classic).html).pictures:
        assert picture["alt"]
        assert 0 < int(picture["width"]) <= 536


def test_small_pictures_are_not_enlarged(classic: Theme) -> None:
    """A picture 300 px wide is shown 300 px wide, with its height."""
    small = Picture(url="https://example.org/small.jpg", alt="Small", width=300, height=200)
    (picture,) = Reader(render(with_story(replace(POST, picture=small)), classic).html).pictures
    assert (picture["width"], picture["height"]) == ("300", "200")
    assert "max-width: 300px" in picture["style"]


def test_places_stand_at_the_start_of_a_line(classic: Theme) -> None:
    """What delivery fills in for each reader begins a line, so quoted-printable never breaks it."""
    html = render(SAMPLE, classic).html
    for place in PLACES:
        assert f'\nhref="{place_url(PUBLICATION.url, place)}"' in html


def test_preheader_fills_the_inbox_line(classic: Theme) -> None:
    """The preheader is followed by enough invisible filler to keep the mail's first words out, in the HTML alone."""
    mail = render(SAMPLE, classic)
    hidden = re.search(r'<div class="preheader"[^>]*>(.*?)</div>', mail.html)
    assert hidden
    assert hidden[1].startswith(SAMPLE.preheader)
    assert hidden[1].count("\u034f\u200c&nbsp;") == 150 - len(SAMPLE.preheader)
    assert "\u034f" not in mail.text


def test_no_preheader_still_hides_the_first_words(classic: Theme) -> None:
    """Without a preheader the inbox line shows the subject alone, not the date and "Read in your browser"."""
    assert render(BARE, classic).html.count("\u034f\u200c&nbsp;") == 150


def test_nothing_known_leaves_no_hole(classic: Theme) -> None:
    """An episode without cover, duration, number, guest or words has no empty element and no stray separator."""
    mail = render(BARE, classic)
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
        ("listen", ()),
        ("transcript_url", ""),
    ],
)
@pytest.mark.parametrize("story", [POST, BOTH, EPISODE, LINKS[0]], ids=lambda story: story.kind)
def test_any_field_may_be_missing(story: Story, field: str, nothing: object, classic: Theme) -> None:
    """Each field of each kind of story can be absent without an empty element or a stray separator."""
    mail = render(with_story(replace(story, **{field: nothing})), classic)
    assert holes(mail.html, mail.text) == []


def test_episode_says_what_it_is(classic: Theme) -> None:
    """Number, length and guest stand in one line, and the button says how long it takes."""
    story = replace(EPISODE, episode=14, duration_seconds=2520, guest="Elowen Hart", explicit=True)
    words = Reader(render(with_story(story), classic).html).words
    assert "Episode 14 · 42 min · with Elowen Hart · Explicit language" in words
    assert "Listen to the episode (42 min)" in words


def test_read_or_listen_offers_both(classic: Theme) -> None:
    """A story that is both leads to the post and to the episode's page, with the minutes of each."""
    html = render(with_story(BOTH), classic).html
    assert re.search(rf'href="{BOTH.url}"[^>]*>Read the post \(5 min\)<', html)
    assert re.search(rf'href="{BOTH.listen_url}"[^>]*>Listen now \(42 min\)<', html)


def test_guest_post_names_its_guest(classic: Theme) -> None:
    """The guest wrote it: not "By" the account that published it."""
    mail = render(with_story(replace(POST, guest="Jory Tamblyn")), classic)
    assert "Guest post by Jory Tamblyn · 6 min read" in mail.text
    assert "Morwenna" not in mail.text


def test_rtl_by_dir_alone(classic: Theme) -> None:
    """An Arabic publication turns the page round: dir says so, and no style insists on left or right."""
    digest = replace(SAMPLE, publication=replace(PUBLICATION, language="ar"))
    html = render(digest, classic).html
    assert '<html lang="ar" dir="rtl"' in html
    assert not re.search(
        r"text-align:\s*(left|right)|align=\"(left|right)\"|(margin|padding)-(left|right):(?! 20px)", html
    )


def test_ordinary_week_is_light(classic: Theme) -> None:
    """The sample's HTML stays under 30 KB and its kept styles under 16 KB, without a url() in them."""
    html = render(SAMPLE, classic).html
    styles = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert len(html.encode()) <= 30_000
    assert 0 < len(styles) <= 16_000
    assert "url(" not in styles


def test_excerpts_shorten_until_the_mail_is_light(classic: Theme) -> None:
    """A week with far too many long posts still makes a mail that Gmail does not cut; no story is dropped."""
    stories = tuple(
        replace(POST, title=f"Post {n}", excerpt_md="Many handsomely lengthened sentences overburden. " * 12)
        for n in range(20)
    )
    html = render(replace(BARE, sections=(Section(kind="posts", heading="", stories=stories),)), classic).html
    assert len(html.encode()) <= MAX_HTML_BYTES
    assert all(f">Post {n}<" in html for n in range(20))
    assert html.count("Many handsomely") < 20 * 12


def test_own_folder_wins_file_by_file(tmp_path: Path) -> None:
    """A publisher replaces one part of a theme and keeps the rest."""
    (tmp_path / "classic" / "parts").mkdir(parents=True)
    (tmp_path / "classic" / "parts" / "footer.html.j2").write_text("Fair winds, {{ page.name }}")
    html = render(SAMPLE, load_theme([tmp_path, THEMES], "classic")).html
    assert "Fair winds, Harbour &amp; Hearth" in html
    assert "A slow loaf" in html


def test_unknown_theme_names_the_known() -> None:
    """A misspelt theme is answered with the themes there are."""
    with pytest.raises(TemplateError, match='no theme "clasic"; choose one of: classic'):
        load_theme([THEMES], "clasic")


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("<p>\n{% if %}", 2),
        ("<p>\n\n{{ page.headlin }}", 3),
        ("{{ page.number + 1 }}", 1),
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
    assert str(caught.value).startswith("Mend ")


def test_missing_template_is_named(tmp_path: Path) -> None:
    """A theme without its text template says which file to restore."""
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "digest.html.j2").write_text("x")
    with pytest.raises(TemplateError, match=r"digest\.txt\.j2"):
        load_theme([tmp_path], "half")
