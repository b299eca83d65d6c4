"""Cutting a feed's text at its items: found from beginning to end, or not at all."""

from __future__ import annotations

import pytest

from pipeline.ingest.parse.xml_document import MAX_ENTRIES
from pipeline.ingest.parse.xml_split import split_elements

FEED = "<rss><channel><title>x</title>{}<link>y</link></channel></rss>"


def test_a_cut_text_holds_all_that_was_written() -> None:
    """Items and gaps together are the text, blanks and attributes included."""
    text = FEED.format("<item>1</item>\n <item a='b'>2</item><item\n>3</item>")
    cut = split_elements(text)
    assert cut is not None
    assert cut.elements == ("<item>1</item>", "<item a='b'>2</item>", "<item\n>3</item>")
    assert cut.with_only({0, 1, 2}) == text
    assert cut.with_only(set()) == FEED.format("\n ")


def test_what_only_begins_like_an_item_is_none() -> None:
    """RSS 1.0 lists its items in ``items``."""
    cut = split_elements("<rdf><channel><items><li/></items></channel><item>1</item></rdf>")
    assert cut is not None
    assert cut.elements == ("<item>1</item>",)


def test_atom_has_entries() -> None:
    """Both kinds are cut alike."""
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
        "<item>1</item>" * (MAX_ENTRIES + 1),
    ],
    ids=["none", "empty", "one empty", "closed oddly", "nested", "turned round", "spoken of", "too many"],
)
def test_items_written_oddly_are_not_cut(items: str) -> None:
    """Then the whole document is for the parser to read."""
    assert split_elements(FEED.format(items)) is None
