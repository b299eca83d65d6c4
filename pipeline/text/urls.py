"""Clean URLs for links, and build keys that compare them. Nothing is resolved or requested."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urljoin, urlsplit, urlunsplit

MAX_URL_CHARS = 4096
"""Longer URLs break mail clients and database indexes."""

_TRACKING = re.compile(
    r"(?:utm|pk|mtm|piwik|hsa|oly|vero|trk|bsft|ns|sfmc)_.*|_hs.*|[fg]clid|gclsrc|dclid|[gw]braid|msclkid|yclid|twclid"
    r"|ttclid|li_fat_id|igsh(?:id)?|mc_[ce]id|mkt_tok|_ga|_gl|_kx|__s|_openstat|epik|guccounter|guce_referrer(?:_sig)?"
    r"|fbclid|hsctatracking|ml_subscriber(?:_hash)?|rb_clickid|s_cid|wickedid|cmpid|ncid|xtor|ref_(?:src|url)|wt_z?mc"
    r"|postshare|at_(?:medium|campaign)|ck_subscriber_id|twsrc|twcamp|__twitter_impression|action_(?:object|type|ref)_map"
)
_FROM_FEED = re.compile(r"source=rss-.*|(?:ref|partner|emc|cmp)=(?:rss|feed)(?:[-_].*)?", re.IGNORECASE)
"""Parameters that only count as tracking with such a value."""
_TRACKING_FRAGMENT = re.compile(r"(utm_\w+|xtor|ref|rss|from)=[^/]*|rss|feed|at_medium=.*", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?|\[[0-9a-f:.]+\]")
# Fast path: nothing to quote, no port, no fragment, not too long; only the query is filtered.
_SIMPLE = re.compile(
    r"(https?://(?=[a-z0-9.-]{1,250}(?:[/?]|$))[a-z0-9]+(?:[.-][a-z0-9]+)*(?:/(?:[\w.~/-]|%[0-9A-Fa-f]{2}){0,500})?)"
    r"(?:\?((?:[\w.~/=&+-]|%[0-9A-Fa-f]{2}){0,500}))?",
    re.ASCII,
)
_SAFE = "%/:=&?~#+!$,;'@()*[]|"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Pages that only count a click; the address follows in a parameter.
_REDIRECT = re.compile(
    r"https?://(?:(?:www\.)?google\.[a-z.]{2,6}/url|lm?\.facebook\.com/l\.php|l\.instagram\.com/|t\.umblr\.com/redirect"
    r"|(?:www\.)?youtube\.com/redirect|getpocket\.com/redirect|slack-redir\.net/link|vk\.com/away\.php)\?(.*)",
    re.DOTALL,
)
_TARGET_PARAMETERS = ("url", "u", "q", "z", "to")
# Addresses that stand for a page of another site, as services write them into feeds.
_FEED_REDIRECT = re.compile(
    r"https?://(?:feedpress\.me/|feedproxy\.google\.com/|feeds\.feedblitz\.com/|[^/]+/~r/"
    r"|[^/]+/link/(?!(?:19|20)\d\d/(?:0[1-9]|1[0-2])/)\d+/\d+(?:[/?]|$))"
)
_FEED_SCHEME = re.compile(r"(?:feed|itpc|pcast|podcast|rss)s?:(?://)?(?=\S)", re.IGNORECASE)

# Services that count downloads of a media file; its real address follows in the path.
_TRACKER = re.compile(
    r"(?:[a-z0-9-]+\.)?(?:podtrac\.com|chtbl\.com|chrt\.fm|op3\.dev|pdst\.fm|podsights\.com|blubrry\.com|claritaspod\.com"
    r"|clrtpod\.com|arttrk\.com|mgln\.ai|podscribe\.com|pscrb\.fm|swap\.fm|gum\.fm|podkite\.com|podderapp\.com|pdcn\.co"
    r"|vpixl\.com|backtracks\.fm|adbarker\.com|anchor\.fm|feedpress\.(?:it|com))|prfx\.byspotify\.com|r\.zen\.ai"
)
_HOST_SEGMENT = re.compile(r"(?=[^/]*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
MEDIA_FILE = re.compile(r"\.(?:mp3|m4a|m4b|mp4|m4v|og[ga]|opus|wav|aac|flac|mov|webm)$", re.IGNORECASE)
"""How the path of a sound or video file ends."""


@lru_cache(maxsize=4_096)
def clean_url(url: str, base: str = "") -> str:
    """Return an absolute http(s) URL without tracking parameters, or "" if there is none.

    Scheme, ``www.``, path and meaningful fragments stay as published; credentials are removed. A relative URL needs a
    usable ``base``. The result is idempotent and valid by RFC 3986, with an IDNA host name.

    >>> clean_url(" https://www.example.org/a b/?utm_source=rss&id=7#notes ")
    'https://www.example.org/a%20b/?id=7#notes'
    >>> clean_url("../about", "https://example.org/blog/post/")
    'https://example.org/blog/about'
    >>> clean_url("javascript:alert(1)")
    ''
    """
    if "?" in url and (target := _redirect_target(url)):
        return clean_url(target)
    if simple := _SIMPLE.fullmatch(url):
        query = _without_tracking(simple[2]) if simple[2] else ""
        return f"{simple[1]}?{query}" if query else simple[1]
    parts = _split(_absolute(url, base))
    if parts is None:
        return ""
    host = _host(parts)
    if not host:
        return ""
    query = _quoted(_without_tracking(parts.query))
    fragment = "" if _TRACKING_FRAGMENT.fullmatch(parts.fragment) else _quoted(parts.fragment)
    cleaned = urlunsplit((parts.scheme, host, _quoted(parts.path), query, fragment))
    return cleaned if len(cleaned) <= MAX_URL_CHARS else ""


@lru_cache(maxsize=4_096)  # called about ten times an entry
def url_key(url: str) -> str:
    """Return the same key for all spellings of a URL, or "" if it is not a web address.

    Ignored: scheme, ``www.``, ports 80 and 443, case of the host, trailing slash, fragment, tracking parameters, order
    of the query and unnecessary percent-escapes.

    >>> url_key("http://WWW.Example.org:80/a/?b=2&a=1#c") == url_key("https://example.org/a?a=1&b=2&utm_medium=x")
    True
    """
    url = clean_url(url)
    if (simple := _SIMPLE.fullmatch(url)) and "%" not in url:
        page = simple[1].partition("//")[2].removeprefix("www.").rstrip("/")
        return f"{page}?{'&'.join(sorted(simple[2].split('&')))}" if simple[2] else page
    parts = _split(url)
    if parts is None:
        return ""
    host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    port = f":{parts.port}" if parts.port and parts.port not in _DEFAULT_PORTS.values() else ""
    path = _ESCAPE.sub(_unescape, parts.path).rstrip("/")
    query = "&".join(sorted(_ESCAPE.sub(_unescape, parts.query).split("&"))) if parts.query else ""
    return f"{host}{port}{path}" + (f"?{query}" if query else "")


def media_key(url: str) -> str:
    """Return the same key for all URLs of a media file: without query and download counters in front of it.

    >>> media_key("https://dts.podtrac.com/redirect.mp3/chtbl.com/track/AB12/cdn.example.org/ep/1.mp3?source=feed")
    'cdn.example.org/ep/1.mp3'
    """
    key = url_key(url).partition("?")[0]
    for _ in range(12):
        target = _strip_tracker(key)
        if not target:
            break
        key = target
    return key


def is_feed_redirect(url: str) -> bool:
    """Check whether a URL is that of a service that counts clicks in a feed and redirects to another site.

    >>> is_feed_redirect("https://tracking.example/link/7/1234"), is_feed_redirect("https://example.org/link/2026/02/salt")
    (True, False)
    """
    return _FEED_REDIRECT.match(url) is not None


def replace_feed_scheme(url: str) -> str:
    """Return a URL with http(s) instead of a scheme by which feed readers were called.

    >>> replace_feed_scheme("feed:https://example.org/f"), replace_feed_scheme("itpc://example.org/f")
    ('https://example.org/f', 'http://example.org/f')
    """
    match = _FEED_SCHEME.match(url)
    if not match:
        return url
    rest = url[match.end() :]
    return rest if rest.lower().startswith(("http://", "https://")) else f"http://{rest.lstrip('/')}"


def with_scheme(url: str) -> str:
    """Return an address that was typed without a scheme as https.

    >>> [with_scheme(url) for url in ("example.org/a ", "localhost:8000", "http://example.org/", "javascript:alert(1)")]
    ['https://example.org/a', 'https://localhost:8000', 'http://example.org/', 'javascript:alert(1)']
    """
    url = url.strip()
    return url if re.match(r"[A-Za-z][\w+.-]*:(?!\d)", url) else f"https://{url}"


def domain(url: str) -> str:
    """Return the host without ``www.``, or "" if ``url`` is not a web address.

    >>> domain("https://www.Example.org/some/page")
    'example.org'
    """
    parts = _split(clean_url(url))
    return (parts.hostname or "").removeprefix("www.") if parts else ""


def _absolute(url: str, base: str) -> str:
    # Treat backslashes and control characters as browsers do, so that both see the same host.
    text = _INVISIBLE.sub("", url[: 2 * MAX_URL_CHARS]).strip().replace("\\", "/")
    if not text or not base or re.match(r"https?://", text, re.IGNORECASE):
        return text
    try:
        return urljoin(clean_url(base), text)
    except ValueError:
        return ""


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != -1
    except ValueError:  # invalid IPv6 literal or port
        return None
    return parts if known else None


def _host(parts: SplitResult) -> str:
    name = unquote((parts.hostname or "").strip()).lower()
    if not name.isascii():
        import idna  # slow to import and rarely needed

        try:
            name = ".".join(_ascii_label(label) for label in idna.uts46_remap(name, std3_rules=False).split("."))
        except (idna.IDNAError, UnicodeError):
            return ""
    name = f"[{name}]" if ":" in name else name
    if not _HOST.fullmatch(name) or len(name) > 253:
        return ""
    default = parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]
    return name if default else f"{name}:{parts.port}"


def _ascii_label(label: str) -> str:
    """Return a part of a host name by IDNA 2008; what it forbids, such as emoji, as browsers encode it."""
    import idna

    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except idna.InvalidCodepoint:
        return f"xn--{label.encode('punycode').decode('ascii')}"


def _redirect_target(url: str) -> str:
    """Return the web address in a parameter of a redirecting page, or ""."""
    match = _REDIRECT.match(url[: 2 * MAX_URL_CHARS].strip())
    if not match:
        return ""
    try:
        parameters = dict(parse_qsl(match[1].replace("&amp;", "&"), max_num_fields=50))
    except ValueError:
        return ""
    targets = (parameters.get(name, "") for name in _TARGET_PARAMETERS)
    return next((target for target in targets if re.match(r"https?://", target, re.IGNORECASE)), "")


def _quoted(text: str) -> str:
    return quote(_BAD_PERCENT.sub("%25", text), safe=_SAFE)


def _without_tracking(query: str) -> str:
    pairs = (pair for pair in query.split("&") if pair and not _is_tracking(pair.partition("=")[0]))
    return "&".join(pair for pair in pairs if not _FROM_FEED.fullmatch(pair))


@lru_cache(maxsize=1_024)
def _is_tracking(parameter: str) -> bool:
    return _TRACKING.fullmatch(unquote(parameter).lower().removeprefix("amp;")) is not None


def _unescape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else f"%{match[1].upper()}"


def _strip_tracker(key: str) -> str:
    """Return the part of ``key`` after a leading download counter, or "" if there is none."""
    host, *segments = key.split("/")
    if not _TRACKER.fullmatch(host):
        return ""
    for index, segment in enumerate(segments):
        if "%3A%2F%2F" in segment:  # the whole target, percent-encoded in one segment
            return url_key(unquote("/".join(segments[index:]))).partition("?")[0]
        if _HOST_SEGMENT.fullmatch(segment) and segments[index + 1 :] and not MEDIA_FILE.search(segment):
            return "/".join([segment.lower().removeprefix("www."), *segments[index + 1 :]])
    return ""


def is_loopback(host: str) -> bool:
    """Check whether a host name can only mean this machine.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "smtp.example.org", "127.example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
