"""Markdown from feeds and editors is converted for mails."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.html_to_markdown import MAX_DEPTH, escape_markdown
from pipeline.text.markdown import excerpt, to_html, to_markdown, to_plain, to_text
from pipeline.text.markdown_ends import without_cut_end
from pipeline.text.plain_text import count_words
from pipeline.text.wrap import wrap_parts

ORDERED = "".join(f"<li>Thing {n}, which takes six words</li>" for n in range(1, 9))


def words(md: str) -> int:
    return count_words(to_plain(md))


def test_lists_and_quotes_are_preserved() -> None:
    """A numbered list stays numbered and a quote stays a quote, from HTML to Markdown and back."""
    html = '<ol start="3"><li>Salt</li><li>Time</li></ol>\n<blockquote>\n<p>Wait.</p>\n</blockquote>'
    again = to_html(to_markdown(html))
    assert '<ol start="3">' in again
    assert re.sub(r"\s", "", again) == re.sub(r"\s", "", html)


def test_the_result_has_no_raw_html() -> None:
    """Text that looks like a tag stays text."""
    md = to_markdown("<p>&lt;script&gt;alert(1)&lt;/script&gt; and &lt;b&gt;</p>")
    assert "<script" not in to_html(md)
    assert to_plain(md) == "<script>alert(1)</script> and <b>"


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_escaped_text_is_not_markup(text: str) -> None:
    """No character of an escaped title or excerpt becomes markup."""
    assert to_plain("x " + escape_markdown(text) + " x").split() == ["x", *text.split(), "x"]


@given(st.text(st.sampled_from("abZé塩3 .,;:?'\"“”()…–—-_*#>+`\n\xa0\u2028"), max_size=40))
def test_plain_text_is_the_text_of_the_html(text: str) -> None:
    """Text without markup, which is not parsed, gives the same as text that is."""
    html = re.sub("</?(?:em|strong|code)>", "", to_html(text))
    assert to_plain(text).split() == unescape(re.sub("<[^>]*>", " ", html)).split()


def test_urls_may_contain_brackets() -> None:
    """A URL with brackets, spaces and quotes is still one link."""
    md = to_markdown('<a href="https://example.org/a_(b) &quot;c&quot;)">here</a>')
    assert to_html(md) == '<p><a href="https://example.org/a_%28b%29%20%22c%22%29">here</a></p>'


def test_footnote_numbers_stay_superscript() -> None:
    """The number of a reference does not join the word before it."""
    md = to_markdown('<p>quay<sup><a href="https://example.org/#n1">1</a></sup> and 10<sup>3</sup></p>')
    assert to_plain(md) == "quay¹ and 10³"
    assert "https://example.org/#n1" in md


def test_code_may_contain_backticks() -> None:
    """A code block that contains a fence stays one block."""
    assert to_html(to_markdown("<pre>a\n```\nb</pre>")) == "<pre><code>a\n```\nb\n</code></pre>"


def test_deep_html_becomes_text() -> None:
    """HTML nested too deeply is converted as plain text instead of failing."""
    deep = "<div>" * (MAX_DEPTH + 1) + "words &amp; *more*" + "</div>" * (MAX_DEPTH + 1)
    assert to_plain(to_markdown(deep)) == "words & *more*"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "#note", "/relative"])
def test_unsafe_and_relative_links_are_removed(url: str) -> None:
    """Only http, https and mailto links stay; the text of others is kept."""
    html = to_html(f"[words]({url})")
    assert "<a" not in html
    assert "words" in html


def test_headings_and_images_become_text() -> None:
    """An introduction has no headings (the mail has its own) and no images of unknown size."""
    assert to_html("# Big\n\n![a boat](https://example.org/b.jpg)") == "<p><strong>Big</strong></p>\n<p>a boat</p>"


def test_urls_are_not_wrapped() -> None:
    """Each URL of the text part is on one line, however narrow the text."""
    url = "https://example.org/" + "long/" * 40
    lines = to_text(f"Read [this page]({url}) and write to [us](mailto:us@example.org).", width=20).split("\n")
    assert url in lines
    assert "us: us@example.org" in lines


def test_a_url_as_its_own_label_is_not_repeated() -> None:
    """A link whose text is its URL is written once."""
    assert to_text("<https://example.org/a>") == "https://example.org/a"
    assert to_text("Ask [www.Pier.example](https://pier.example/).") == "Ask www.Pier.example."
    assert to_text("[pier.example](https://pier.example/tar)").endswith("pier.example: https://pier.example/tar")


def test_text_indents_lists_quotes_and_code() -> None:
    """Lists have hanging indents, quotes a marker, and code is indented."""
    md = "1. one that is so long it wraps\n2. two\n\n> said\n\n```\nx = 1\n```\n\n---"
    assert to_text(md, width=20) == ("1. one that is so\n   long it wraps\n2. two\n\n> said\n\n    x = 1\n\n* * *")


def test_text_is_wrapped() -> None:
    """Prose has at most 72 columns, in quotes and nested lists too."""
    prose = "the boats came home before the bread was done and nobody minded at all " * 3
    text = to_text(f"{prose}\n\n> {prose}\n\n- {prose}\n  - {prose}")
    assert max(map(len, text.split("\n"))) <= 72


def test_excerpt_ends_at_a_sentence() -> None:
    """An excerpt has as many whole sentences as fit; abbreviations and initials do not end one."""
    md = "Dr. J. Pryce came at 5 p.m. She brought bread. Then she told us a very long story about eels."
    assert excerpt(md, max_words=12) == "Dr. J. Pryce came at 5 p.m. She brought bread."


def test_excerpt_does_not_cut_emphasis_or_links() -> None:
    """An excerpt does not end inside emphasis or a link."""
    md = "One **two. Three four** five. [Six. Seven](https://example.org/) eight nine."
    assert excerpt(md, max_words=6) == "One **two. Three four** five."


def test_excerpt_has_only_prose() -> None:
    """Headings, images, tables, rules and code are left out."""
    md = "# Title\n\n![alt](https://example.org/a.jpg)\n\n| a |\n| - |\n| b |\n\n---\n\n```\ncode\n```\n\nProse."
    assert excerpt(md) == "Prose."


def test_captions_are_image_titles() -> None:
    """An excerpt without images has no captions either."""
    figure = '<figure><img src="https://example.org/a.jpg" alt=""><figcaption>Our (only) "boat"</figcaption></figure>'
    assert excerpt(to_markdown(f"{figure}<p>Prose.</p>")) == "Prose."


def test_excerpt_keeps_whole_list_items() -> None:
    """A list that does not fit keeps its numbers and whole items, and ends in an ellipsis."""
    short = excerpt(to_markdown(f"<p>Eight things:</p><ol>{ORDERED}</ol>"), max_words=19)
    assert short == "Eight things:\n\n1. Thing 1, which takes six words\n2. Thing 2, which takes six words\n3. …"


def test_a_list_is_only_begun_if_it_was_announced() -> None:
    """After whole sentences, a line or two of a list say nothing."""
    assert excerpt("We mend ropes.\n\n- blue ones\n- red ones of every length", max_words=6) == "We mend ropes."
    assert (
        excerpt("We mend ropes.\n\n- blue ones\n- red ones", max_words=9) == "We mend ropes.\n\n- blue ones\n- red ones"
    )


@pytest.mark.parametrize(
    ("md", "whole"),
    [
        ("Tar came first. And then, one day in spr...", "Tar came first."),
        ("Tar came first. ...", "Tar came first."),
        ("Tar came first.\n\nAnd then [a *ro...*](https://a.example/)", "Tar came first."),
        ("One day in spring they fo...", "One day in spring they…"),
        ("One day in spring …", "One day in spring…"),
        ("Tar came first.", "Tar came first."),
        ("Tar…", "Tar…"),
        ("- tar\n- rope…", "- tar\n- rope…"),
        ("", ""),
    ],
)
def test_a_text_that_was_cut_ends_with_a_whole_sentence(md: str, whole: str) -> None:
    """The half sentence or word before the ellipsis is left out."""
    assert without_cut_end(md) == whole


def test_no_break_spaces_stay_where_they_are_meant() -> None:
    """They are blanks between words and beside other blanks; numbers and French punctuation keep theirs."""
    html = "<p>Tar&nbsp;and&nbsp;&nbsp;rope &nbsp;— 5&nbsp;km, vraiment&nbsp;?</p>"
    assert to_markdown(html) == "Tar and rope — 5\xa0km, vraiment\xa0?"


def test_excerpt_keeps_quote_markers() -> None:
    """A shortened quote is still a quote."""
    assert excerpt("> Wait for it. Then wait for a good while longer.", max_words=5) == "> Wait for it."


def test_a_trailing_colon_becomes_an_ellipsis() -> None:
    """If the list after a colon does not fit, the colon is replaced."""
    assert excerpt("Eight things:\n\n- one is far too long to fit in", max_words=3) == "Eight things…"
    assert excerpt("Run this:\n\n```\ncode\n```\n\nDone.") == "Run this…\n\nDone."


def test_excerpt_cuts_a_long_sentence() -> None:
    """If not even one sentence fits, it ends at a word."""
    assert excerpt("# Title\n\n" + "word " * 100, max_words=3) == "word word word…"


@given(st.text(max_size=300), st.integers(min_value=1, max_value=60))
def test_excerpt_is_never_too_long(md: str, limit: int) -> None:
    """The result has at most the requested number of words, and an ellipsis."""
    assert words(excerpt(md, limit)) <= limit + 1


@given(st.text(max_size=300))
def test_any_markdown_renders_safely(md: str) -> None:
    """No Markdown fails, and no script or event handler is in the result."""
    to_text(md)
    assert not re.search(r"<(?!/?(?:p|br|hr|ul|ol|li|blockquote|a|strong|em|s|code|pre|t\w+)\b)", to_html(md))


def test_several_line_breaks_are_a_paragraph() -> None:
    """One ``<br>`` breaks a line, several end a paragraph, and those at the edges of a block are dropped."""
    md = to_markdown("<p>Zero</p><br><p><br>One<br>two<br> <br><br>three<br></p>")
    assert to_html(md) == "<p>Zero</p>\n<p>One<br>\ntwo</p>\n<p>three</p>"


def test_excerpt_of_chinese_and_japanese() -> None:
    """They are shortened as well, at their own full stop if there is one."""
    assert excerpt("海は静かです。" + "パンは二日かかります。" * 20, max_words=5) == "海は静かです。"
    assert len(excerpt("海" * 500, max_words=10)) == 21


def test_long_texts_are_fast() -> None:
    """A very long text is not parsed to its end, nor is a list of thousands of items."""
    assert excerpt("A word. " * 50_000, max_words=4) == "A word. A word."
    assert excerpt(to_markdown("<ol>" + "<li>A word.</li>" * 20_000 + "</ol>"), max_words=3) == "A word."
    assert to_markdown("<p>A" + " " * 50_000 + "word.</p>") == "A word."


def test_a_line_of_parts_breaks_between_them() -> None:
    """No separator is left at the end or the beginning of a line, and only a part that is too long is broken."""
    line = "12 February 2025 · Season 2, episode 0 · 1 h 12 min · with Omar Said · Explicit language"
    assert wrap_parts(line) == (
        "12 February 2025 · Season 2, episode 0 · 1 h 12 min · with Omar Said\nExplicit language"
    )
    assert wrap_parts("Salt · " + "word " * 20, 40).split("\n")[0] == "Salt"
