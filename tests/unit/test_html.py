"""HTML from feeds is sanitised, repaired and converted to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.html import add_paragraphs, join_broken_lists, plain_text, reading_minutes, sanitise
from pipeline.text.plain_text import clean_title, count_words, excerpt_text, strip_boilerplate

BASE = "https://harbourandhearth.example/salt/"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<script>x()</script><p>Salt</p>", "<p>Salt</p>"),
        ("<p style='color:red' onclick='x()' class='y'>Salt</p>", "<p>Salt</p>"),
        ("<div><span>Salt</span></div>", "Salt"),
        ("<a href='../ovens/?utm_source=x'>o</a>", '<a href="https://harbourandhearth.example/ovens/">o</a>'),
        ("<a href='javascript:x()'>o</a>", "<a>o</a>"),
        ("<a href='mailto:crew@h.example'>o</a>", '<a href="mailto:crew@h.example">o</a>'),
        ("<form><input name=q></form><iframe src='/x'></iframe>", ""),
        ("<p>&nbsp;</p><p></p><p>Salt<br></p>", "<p>Salt<br></p>"),
        ("<blockquote cite='/q'>Q <cite>Ada</cite></blockquote>", None),
        ('<table><tbody><tr><td colspan="2">1</td></tr></tbody></table>', None),
        ('<figure><img src="https://h.example/a.jpg" alt="A"><figcaption>B</figcaption></figure>', None),
        ("<pre><code>a &lt; b</code></pre>", None),
        (
            "<img src='/a.jpg' alt='A' width=' 80px ' height='60'>",
            f'<img src="{BASE[:-6]}/a.jpg" alt="A" width="80" height="60">',
        ),
        ("<img src='/a.jpg' alt='A' width='80%' height='auto'>", f'<img src="{BASE[:-6]}/a.jpg" alt="A">'),
        ("<a href=' MAILTO:crew@h.example '>o</a>", '<a href="MAILTO:crew@h.example">o</a>'),
        ("<a href='https://h.example/?utm_source=x'>o</a>", '<a href="https://h.example/">o</a>'),
    ],
)
def test_sanitise(written: str, kept: str | None) -> None:
    """Structure, links and images stay; scripts, styles, forms and players are removed."""
    if kept is None:
        assert sanitise(written, BASE).replace(BASE.removesuffix("/salt/") + "/q", "/q") == written.replace("'", '"')
    else:
        assert sanitise(written, BASE) == kept


@pytest.mark.parametrize(
    "pixel",
    [
        '<img src="https://x.example/p.gif" width="1" height="1">',
        '<img src="https://x.example/p.gif" height="0">',
        '<img src="https://pixel.wp.com/b.gif?v=1">',
        '<img src="https://stats.harbour.example/m.php?rec=1&amp;idsite=3&amp;url=https%3A%2F%2Fharbour.example%2F1">',
        '<img src="https://feeds.feedburner.com/~r/harbour/~4/x">',
        "<img alt='nothing to load'>",
        "<img src='data:image/gif;base64,R0lGOD'>",
    ],
)
def test_tracking_pixels_are_removed(pixel: str) -> None:
    """Images that only count openings are removed."""
    assert sanitise(f"<p>Salt</p>{pixel}", BASE) == "<p>Salt</p>"


def test_images_stay() -> None:
    """An image of normal size is kept with its description."""
    image = '<img src="https://h.example/loaf.jpg" alt="A loaf" width="640" height="480">'
    assert sanitise(image, BASE) == image


def test_deep_nesting_becomes_text() -> None:
    """Thousands of nested tags are reduced to their text, quickly."""
    assert sanitise("<div>" * 5000 + "Salt & fat", BASE).strip("<p> /") == "Salt &amp; fat"


@given(st.text(alphabet="<>/ab=\"' &;!-pimgscrt:javonclik()\x00\u202e", max_size=120))
def test_sanitising_is_idempotent(text: str) -> None:
    """The result has no scripts and no handlers, and sanitising it again changes nothing."""
    clean = sanitise(text, BASE)
    assert "<script" not in clean
    assert sanitise(clean, BASE) == clean


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("<ol><li>a</li></ol><ol><li>b</li></ol>", "<ol><li>a</li><li>b</li></ol>"),
        ("<ol><li>a</li></ol>\n<p>&nbsp;</p>\n<ol><li>b</li></ol>", "<ol><li>a</li><li>b</li></ol>"),
        ('<ol><li>a</li></ol><ol start="2"><li>b</li></ol>', "<ol><li>a</li><li>b</li></ol>"),
        (
            "<ol><li>a</li></ol><p>so</p><ol><li>b</li></ol><ul><li>x</li></ul><ol><li>c</li></ol>",
            "<ol><li>a<p>so</p></li><li>b<ul><li>x</li></ul></li><li>c</li></ol>",
        ),
        (
            '<ol><li>a</li><li>b</li></ol><p>so</p><ol start="3"><li>c</li></ol>',
            "<ol><li>a</li><li>b<p>so</p></li><li>c</li></ol>",
        ),
        (
            "<blockquote><ol><li>a</li></ol><ol><li>b</li></ol></blockquote>",
            "<blockquote><ol><li>a</li><li>b</li></ol></blockquote>",
        ),
    ],
)
def test_broken_lists_are_joined(broken: str, mended: str) -> None:
    """Lists with one item each, or that continue a count, are joined; blocks between them move into the item before."""
    assert join_broken_lists(broken) == mended


@pytest.mark.parametrize(
    "whole",
    [
        "<ol><li>a</li><li>b</li></ol><p>so</p><ol><li>c</li><li>d</li></ol>",
        "<ol><li>a</li></ol><h2>Next</h2><ol><li>b</li></ol>",
        "<ol><li>a</li><li>b</li></ol><ol><li>c</li><li>d</li></ol>",
        '<ol><li>a</li></ol><p>so</p><ol start="7"><li>b</li></ol>',
        "<ol><li>a</li></ol>and text<ol><li>b</li></ol>",
        "<ol><li>a</li></ol><p>1</p><p>2</p><p>3</p><p>4</p><ol><li>b</li></ol>",
        "<ul><li>a</li></ul><ul><li>b</li></ul>",
    ],
)
def test_separate_lists_stay_separate(whole: str) -> None:
    """A heading, loose text, much text or another number between two lists separates them."""
    assert join_broken_lists(whole) == whole


def test_blocks_become_paragraphs() -> None:
    """Blocks are separated by a blank line; entities, odd spaces and invisible characters are resolved."""
    html = "<ul><li>One&nbsp; &amp; only</li><li>Two\u200b</li></ul><script>x</script><p>3 &lt; 4</p>"
    assert plain_text(html) == "One & only\n\nTwo\n\n3 < 4"


def test_plain_text_of_plain_text() -> None:
    """Text without tags keeps its paragraphs, and entities are resolved once only."""
    assert plain_text("One\nline\n\nTwo &amp;amp; three") == "One line\n\nTwo &amp; three"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Fish &amp;amp; chips", "Fish & chips"),
        ("Fish\u00a0 &nbsp;\n\tchips", "Fish chips"),
        ("Bread &#8211; <i>slowly</i>", "Bread – slowly"),
        ("so\u00adgood\u200b\ufeff", "sogood"),
        ("Invoice \u202egpj.exe", "Invoice gpj.exe"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("<script>alert(1)</script>Salt", "Salt"),
        ("family 👩\u200d🍳 at the stove", "family 👩\u200d🍳 at the stove"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("<![CDATA[Salt]]>", "Salt"),
    ],
)
def test_clean_title(raw: str, clean: str) -> None:
    """A title is one line without markup."""
    assert clean_title(raw) == clean


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Salt. The post Salt & fat appeared first on Harbour & Hearth.", "Salt."),
        ("<p>Salt.</p>\n<p>The post <a href='x'>S</a> appeared first on <a href='y'>H</a>.</p>", "<p>Salt.</p>"),
        ("Salz. Der Beitrag Salz erschien zuerst auf Hafen.", "Salz."),
        ("Salt and […]", "Salt and…"),
        ("<p>Salt and [&#8230;]</p>", "<p>Salt and…</p>"),
        ("Salt. Continue reading Salt and fat →", "Salt."),
        ("Salt. Read more", "Salt."),
        ("<p>Salt.</p><p><a href='x'>Read more</a></p>", "<p>Salt.</p>"),
        ("She wanted to read more", "She wanted to read more"),
        ("The post arrived late. The first letter was hers.", "The post arrived late. The first letter was hers."),
    ],
)
def test_strip_boilerplate(text: str, rest: str) -> None:
    """Additions of blog software are removed; the same words within a sentence stay."""
    assert strip_boilerplate(text) == rest


@pytest.mark.parametrize(
    ("text", "words", "excerpt"),
    [
        ("One two. Three four. Five", 4, "One two. Three four."),
        ("Ask Dr. Marsh about it. Then go home now", 6, "Ask Dr. Marsh about it."),
        ("It costs 3.50 today. Or e.g. more tomorrow", 7, "It costs 3.50 today."),
        ("“Is it done?” she asked them all again", 5, "“Is it done?”"),
        ("Never ending words go on", 3, "Never ending words…"),
        ("Short enough", 60, "Short enough"),
        ("", 60, ""),
    ],
)
def test_excerpt_ends_at_a_sentence(text: str, words: int, excerpt: str) -> None:
    """Abbreviations, decimal points and closing quotes do not end a sentence."""
    assert excerpt_text(text, words) == excerpt


@given(st.text(max_size=300), st.integers(1, 20))
def test_an_excerpt_is_never_too_long(text: str, most: int) -> None:
    """It has at most the requested number of words, whatever the text."""
    assert len(excerpt_text(text, most).split()) <= most


def test_count_words() -> None:
    """Apostrophes and hyphens are part of a word; Japanese is counted by characters."""
    assert (count_words("Don't over-knead it – 3.5 minutes"), count_words("塩と油と酸")) == (5, 2)


def test_paragraphs() -> None:
    """Blank lines make paragraphs if there are no blocks; a newline in HTML is no line break."""
    assert add_paragraphs("A\nb\n\nC") == "<p>A<br>b</p><p>C</p>"
    assert add_paragraphs("A\n<b>b</b>\n\nC") == "<p>A <b>b</b></p><p>C</p>"
    assert add_paragraphs("<p>A\n\nb</p>") == "<p>A\n\nb</p>"


@pytest.mark.parametrize(("words", "minutes"), [(0, 0), (1, 1), (238, 1), (357, 2), (2380, 10)])
def test_reading_minutes(words: int, minutes: int) -> None:
    """238 words a minute, and at least one minute for any text."""
    assert reading_minutes("<p>" + "salt " * words + "</p>") == minutes
