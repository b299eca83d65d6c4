"""Splitting a feed's text at its entry elements."""

from __future__ import annotations

import pytest

from pipeline.ingest.parse.xml_split import split_elements

FEED = "<rss><channel><title>x</title>{}<link>y</link></channel></rss>"


def test_parts_are_the_whole_text() -> None:
    """Elements and gaps together are the text, whitespace and attributes included."""
    text = FEED.format("<item>1</item>\n <item a='b'>2</item><item\n>3</item>")
    cut = split_elements(text)
    assert cut is not None
    assert cut.elements == ("<item>1</item>", "<item a='b'>2</item>", "<item\n>3</item>")
    assert cut.with_only({0, 1, 2}) == text
    assert cut.with_only(set()) == FEED.format("\n ")


def test_similar_tags_are_not_entries() -> None:
    """RSS 1.0 lists its entries in ``items``."""
    cut = split_elements("<rdf><channel><items><li/></items></channel><item>1</item></rdf>")
    assert cut is not None
    assert cut.elements == ("<item>1</item>",)


def test_atom_has_entries() -> None:
    """Atom entries are split the same way."""
    cut = split_elements("<feed><entry>1</entry><entry>2</entry></feed>")
    assert cut is not None
    assert cut.with_empty_elements() == "<feed><entry/><entry/></feed>"


@pytest.mark.parametrize(
    "items",
    [
        "",
        "<item/>",
        "<item>1</item><item/>",
        "<item>1</item ><item>2</item>",
        "<item>1<item>2</item></item>",
        "</item><item>",
        "<item>say &lt;item> or <![CDATA[<item>]]></item>",
    ],
    ids=["none", "empty", "one empty", "closed oddly", "nested", "turned round", "spoken of"],
)
def test_unusual_markup_is_not_split(items: str) -> None:
    """The document is then parsed whole."""
    assert split_elements(FEED.format(items)) is None
