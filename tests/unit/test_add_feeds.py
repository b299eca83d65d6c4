"""Which ids new feeds get, and what an import takes."""

from __future__ import annotations

from pipeline.ingest.opml import Outline
from pipeline.jobs.feeds.add import FeedRegistry, plan_import
from pipeline.model.feed import Feed, FeedState

BLOG = Feed(id="blog", url="https://h.example/feed/", kind="blog")


def known(*feeds: Feed, **states: str) -> FeedRegistry:
    return FeedRegistry(
        feeds=feeds or (BLOG,), states={id_: FeedState(feed_id=id_, url=url) for id_, url in states.items()}
    )


def test_an_id_is_the_first_name_that_is_free():
    """Names in their order, then the host's, then numbers; upper case does not make another id."""
    assert known().available_id("https://salt.example/f", ("podcast", "Salt")) == "podcast"
    assert known().available_id("https://salt.example/f", ("Blog", "The Salt – Road!")) == "the-salt-road"
    assert known().available_id("https://salt.example/f", ("blog", "港")) == "salt"
    named = [Feed(id=id_, url="", kind="blog") for id_ in ("blog", "salt", "FEED", "blog-2")]
    assert known(*named).available_id("https://salt.example/f", ("blog",)) == "blog-3"


def test_an_id_of_a_removed_feed_waits_for_that_feed():
    """Stored entries are remembered under it: it is given back to the same address and to no other."""
    gone = known(links="https://l.example/feed")
    assert gone.available_id("http://www.l.example/feed/", ("blog",)) == "links"
    assert gone.available_id("https://other.example/feed", ("links",)) == "other"


def test_choosing_takes_each_address_once():
    """By any spelling; ids never clash within one import; the kind is blog where nothing says otherwise."""
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
    assert [each.reason for each in skipped] == ["is configured already, as Salt", "is configured already, as blog"]


def test_choosing_leaves_what_config_toml_would_refuse():
    """Whatever an OPML file gives for an address, what is chosen can be written."""
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
