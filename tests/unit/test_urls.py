"""URLs are cleaned for links, and compared by keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.urls import clean_url, domain, media_key, url_key

SITE = "https://harbourandhearth.example"


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        (f"{SITE}/salt/", f"{SITE}/salt/"),
        ("HTTP://WWW.HarbourAndHearth.example/Salt", "http://www.harbourandhearth.example/Salt"),
        (f"  {SITE}/a\n b ", f"{SITE}/a%20b"),
        (f"{SITE}/?utm_source=x&id=1&fbclid=2&mc_cid=3", f"{SITE}/?id=1"),
        (f"{SITE}/?amp;utm_medium=x&b=a+b%20c", f"{SITE}/?b=a+b%20c"),
        (f"{SITE}/?q=100%", f"{SITE}/?q=100%25"),
        (f"{SITE}/#xtor=RSS-1", f"{SITE}/"),
        (f"{SITE}/#step-3", f"{SITE}/#step-3"),
        (f"{SITE}:443/", f"{SITE}/"),
        (f"{SITE}:8443/", f"{SITE}:8443/"),
        ("https://user:secret@harbourandhearth.example/feed", f"{SITE}/feed"),
        ("https://bücher.example/käse", "https://xn--bcher-kva.example/k%C3%A4se"),
        ("https://Straße.example/", "https://xn--strae-oqa.example/"),
        ("https://\u0301a.example/", ""),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        (f'{SITE}/"onmouseover="x', f"{SITE}/%22onmouseover=%22x"),
        (f"{SITE}/<b>", f"{SITE}/%3Cb%3E"),
    ],
)
def test_clean_url(written: str, cleaned: str) -> None:
    """Tracking, credentials, default ports and stray characters are removed; the rest stays as published."""
    assert clean_url(written) == cleaned


@pytest.mark.parametrize(
    "unsafe",
    [
        "",
        "   ",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/hostname",
        "ftp://harbourandhearth.example/x",
        "mailto:a@b.example",
        "tag:harbourandhearth.example,2026:1",
        "https://",
        "https:///path",
        "https://[::1/",
        "https://a b.example/",
        "https://harbourandhearth.example:99999/",
        "https://harbour<b>.example/",
        "/salt/",
        "https://h.example/" + "a" * 5000,
    ],
)
def test_unsafe_or_incomplete_urls_are_empty(unsafe: str) -> None:
    """Only absolute http(s) URLs with a valid host are accepted."""
    assert clean_url(unsafe) == ""


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        ("/salt/", f"{SITE}/salt/"),
        ("../ovens", f"{SITE}/ovens"),
        ("//cdn.example/x.jpg", "https://cdn.example/x.jpg"),
        ("?page=2", f"{SITE}/notes/?page=2"),
        ("#two", f"{SITE}/notes/#two"),
        ("javascript:alert(1)", ""),
        ("https://other.example/", "https://other.example/"),
    ],
)
def test_relative_urls_are_resolved(written: str, absolute: str) -> None:
    """RFC 3986 resolution; a base does not make another scheme safe."""
    assert clean_url(written, f"{SITE}/notes/") == absolute


def test_a_backslash_is_a_slash() -> None:
    """As in browsers: otherwise we would see one host, and the browser another."""
    assert domain("https://evil.example\\@harbourandhearth.example/") == "evil.example"


@pytest.mark.parametrize(
    "spelling",
    [
        "https://harbourandhearth.example/salt",
        "http://harbourandhearth.example/salt/",
        "http://www.harbourandhearth.example:80/salt/#comments",
        "https://HARBOURANDHEARTH.example/salt?utm_campaign=x",
        "https://harbourandhearth.example/%73alt/",
    ],
)
def test_one_page_has_one_key(spelling: str) -> None:
    """Scheme, www, port, slash, fragment, tracking and needless escapes do not change the key."""
    assert url_key(spelling) == "harbourandhearth.example/salt"


@pytest.mark.parametrize(("one", "other"), [("/a", "/A"), ("/a?p=1", "/a?p=2"), ("/a%2Fb", "/a/b"), ("/a", "/")])
def test_different_pages_have_different_keys(one: str, other: str) -> None:
    """Case of the path, the query and an escaped slash are significant."""
    assert url_key(SITE + one) != url_key(SITE + other)


@pytest.mark.parametrize(
    "prefix",
    [
        "https://dts.podtrac.com/redirect.mp3/",
        "https://www.podtrac.com/pts/redirect.mp3/",
        "https://chtbl.com/track/AB12CD/",
        "https://chrt.fm/track/AB12/",
        "https://op3.dev/e/",
        "https://op3.dev/e,pg=1a2b/https://",
        "https://pdst.fm/e/",
        "https://media.blubrry.com/harbour/",
        "https://pscrb.fm/rss/p/",
        "https://verifi.podscribe.com/rss/p/",
        "https://mgln.ai/e/12/",
        "https://prfx.byspotify.com/e/",
        "https://arttrk.com/p/AB12/",
        "https://claritaspod.com/measure/",
        "https://tracking.swap.fm/track/x1/",
        "https://anchor.fm/s/1/podcast/play/2/https%3A%2F%2F",
        "https://pdst.fm/e/chtbl.com/track/AB12/dts.podtrac.com/redirect.mp3/",
        "http://www.",
    ],
)
def test_download_counters_do_not_change_the_key(prefix: str) -> None:
    """One file behind any number of download counters has one key."""
    assert media_key(f"{prefix}media.example/ep/1.mp3?source=feed") == "media.example/ep/1.mp3"


def test_a_file_hosted_by_a_counter_keeps_its_key() -> None:
    """A file at the own URL of a counter has nothing behind it."""
    assert media_key("https://media.blubrry.com/harbour/1.mp3") == "media.blubrry.com/harbour/1.mp3"


@given(st.text(max_size=200), st.sampled_from(["", SITE, f"{SITE}/notes/", "nonsense"]))
def test_cleaning_is_idempotent_and_safe(text: str, base: str) -> None:
    """The result is "" or http(s) in ASCII that cleaning again does not change and that has a key."""
    cleaned = clean_url(text, base)
    assert cleaned == "" or cleaned.startswith(("http://", "https://"))
    assert cleaned.isascii()
    assert clean_url(cleaned) == cleaned
    assert bool(url_key(cleaned)) == bool(cleaned)


@given(st.from_regex(r"https?://(www\.)?[a-z]{1,9}\.example(:\d{1,5})?/[\x20-\x7e]{0,60}", fullmatch=True))
def test_cleaning_does_not_change_the_key(url: str) -> None:
    """A URL and its clean form have the same key."""
    assert url_key(clean_url(url)) == url_key(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/p?source=rss----0123abcd---4", "https://a.example/p"),
        ("https://a.example/p?source=rss", "https://a.example/p?source=rss"),
        ("https://a.example/p?ref=rss&x=1", "https://a.example/p?x=1"),
        ("https://a.example/p?ref=harbour", "https://a.example/p?ref=harbour"),
        ("https://a.example/p?partner=rss&emc=rss#ref=rss", "https://a.example/p"),
        ("https://a.example/p/?postshare=12", "https://a.example/p/"),
        ("https://www.google.com/url?rct=j&sa=t&url=https://a.example/p%3Fx%3D1&ct=ga", "https://a.example/p?x=1"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example%2Fp%3Ffbclid%3D1&h=2", "https://a.example/p"),
        ("https://www.youtube.com/redirect?q=javascript:x", "https://www.youtube.com/redirect?q=javascript:x"),
        ("https://straße.example/p", "https://xn--strae-oqa.example/p"),
        ("https://STRASSE.example/p", "https://strasse.example/p"),
        ("https://⚓.example/p", "https://xn--r7h.example/p"),
        ("https://n%C3%BC.example/p", "https://xn--n-eha.example/p"),
        ("https://my_n.ü.example/p", "https://my_n.xn--tda.example/p"),
    ],
)
def test_tracking_and_hosts(url: str, expected: str) -> None:
    """Tracking is cut, redirects that name their target are resolved, and hosts follow IDNA 2008."""
    assert clean_url(url) == expected
    assert clean_url(expected) == expected
