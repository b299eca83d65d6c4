"""Ids of new feeds, and the feeds that an OPML import adds."""

from __future__ import annotations

from pipeline.ingest.opml import Outline
from pipeline.jobs.feeds.add import FeedRegistry, plan_import
from pipeline.model.feed import Feed, FeedState

BLOG = Feed(id="blog", url="https://h.example/feed/", kind="blog")


def known(*feeds: Feed, **states: str) -> FeedRegistry:
    return FeedRegistry(
        feeds=feeds or (BLOG,), states={id_: FeedState(feed_id=id_, url=url) for id_, url in states.items()}
    )


def test_the_id_is_the_first_unused_name():
    """The given names come first, then the host, then numbers; ids are compared without case."""
    assert known().available_id("https://salt.example/f", ("podcast", "Salt")) == "podcast"
    assert known().available_id("https://salt.example/f", ("Blog", "The Salt – Road!")) == "the-salt-road"
    assert known().available_id("https://salt.example/f", ("blog", "港")) == "salt"
    named = [Feed(id=id_, url="", kind="blog") for id_ in ("blog", "salt", "FEED", "blog-2")]
    assert known(*named).available_id("https://salt.example/f", ("blog",)) == "blog-3"


def test_a_removed_feed_gets_its_id_back():
    """Stored entries belong to an id: it is given to the same URL again, and to no other."""
    gone = known(links="https://l.example/feed")
    assert gone.available_id("http://www.l.example/feed/", ("blog",)) == "links"
    assert gone.available_id("https://other.example/feed", ("links",)) == "other"


def test_a_feed_is_known_by_every_spelling_of_its_address():
    """So is the address that it moved to, unless config.toml names another one since."""
    moved = FeedState(feed_id="blog", url=BLOG.url, current_url="https://new.example/feed")
    registry = FeedRegistry(feeds=(BLOG,), states={"blog": moved})
    spellings = ("http://WWW.h.example/feed", "https://h.example/feed/#top", "https://new.example/feed/")
    assert [registry.feed_at(url) for url in spellings] == ["blog"] * 3
    registry = FeedRegistry(feeds=(BLOG,), states={"blog": FeedState(feed_id="blog", current_url=moved.current_url)})
    assert registry.feed_at("https://new.example/feed/") == ""


def test_each_url_is_imported_once():
    """Spellings of a URL are equal, ids are unique within an import, and the default kind is blog."""
    outlines = [
        Outline(url="https://a.example/feed", name="Salt"),
        Outline(url="http://www.a.example/feed/#x", name="Salt again"),
        Outline(url="https://b.example/feed", name="Salt", kind="podcast", folder="To hear"),
        Outline(url="https://h.example/feed", name="Mine"),
    ]
    feeds, skipped = plan_import(outlines, known())
    assert feeds == [
        Feed(id="Salt", url="https://a.example/feed", kind="blog"),
        Feed(id="b", url="https://b.example/feed", kind="podcast", section="To hear"),
    ]
    assert [feed.reason for feed in skipped] == ["is configured already, as Salt", "is configured already, as blog"]


def test_urls_that_config_toml_refuses_are_skipped():
    """Every feed of an import can be written to config.toml, whatever the OPML file contains."""
    odd = ["", " ", "feed://a.example/", "javascript:alert(1)", "https://", "https://a b.example/", "//a.example/f"]
    odd += [
        "https://u@a.example/",
        "http:\\\\a.example",
        "https://[::1",
        "https://a.example:99999/",
        "ftp://a.example/",
    ]
    feeds, skipped = plan_import([Outline(url=url, name="X") for url in odd], known())
    assert feeds == []
    assert len(skipped) == len(odd)
