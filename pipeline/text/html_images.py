"""Images of HTML from feeds: their true sources and sizes, and those that are text or decoration."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape, unescape
from unicodedata import category

from pipeline.text.urls import clean_url

ATTRIBUTES = frozenset({"src", "alt", "title", "width", "height"})
"""Attributes of a sanitised ``<img>``."""
LAZY_SOURCES = ("data-src", "data-lazy-src", "data-original")
"""Where pages that load images by a script keep the source; ``src`` is then a placeholder."""
SOURCE_SETS = ("srcset", "data-srcset", "data-lazy-srcset")
RAW_ATTRIBUTES = ATTRIBUTES.union(LAZY_SOURCES, SOURCE_SETS, {"class", "style"})
"""Attributes that `replace_image` reads."""
MIN_PIXELS = 100
"""An image with a smaller side is an icon or a thumbnail."""
ENOUGH_PIXELS = 1200
"""Twice the width of the newsletter, for screens of high density; more pixels are not visible."""
_UNKNOWN_PIXELS, _TOO_LARGE_PIXELS = 500, 600
"""The width assumed for an image of unknown width, and the least for one wider than ``ENOUGH_PIXELS``."""
_IMAGE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|svg)$", re.IGNORECASE)
IMAGE = re.compile(r"<img((?:\s+[\w-]+=\"[^\"]*\")*)\s*/?>")
_ATTRIBUTE = re.compile(r"(?<![\w-])([\w-]++)=\"([^\"]*)\"")
_RAW_IMAGE = re.compile(r"<img\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_RAW_SOURCE = re.compile(r"\ssrc\s*=\s*[\"']?([^\s\"'<>]+)", re.IGNORECASE)
_NOSCRIPT = re.compile(r"(</?noscript\b[^<>]*>)", re.IGNORECASE)
_PICTURE = re.compile(r"(</?picture\b[^<>]*>)", re.IGNORECASE)
_SOURCE = re.compile(r"<source\b[^<>]*>", re.IGNORECASE)
_SOURCE_SET = re.compile(r"\s(?:data-)?srcset\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_NEW_TYPE = re.compile(r"image/(?:webp|avif)|\.(?:webp|avif)\b", re.IGNORECASE)
_TRACKING_PIXEL = re.compile(
    r"//(?:pixel\.wp\.com|stats\.wordpress\.com|[^/]*\.?feedburner\.com/~|rss\.feedsportal|[^/]*doubleclick\.net|"
    r"www\.google-analytics\.com|medium\.com/_/stat|[^/]*\.?scorecardresearch\.com|b\.gif|pixel\.|tracking\.|"
    r"feeds\.wordpress\.com/1\.0/)|(?<!/)/(?:pixel|spacer|blank|1x1|count(?:er)?)\.(?:gif|png)\b"
    r"|\.php\?(?:[^#]{0,400}&)?idsite=\d"  # Matomo
)
_TEXT_CLASS = re.compile(
    r"(?:^|\s)(?:wp-smiley|(?:tw)?emoji\S*|smiley|smil(?:ey|ie)s|latex|tex|math\S*|mwe-math\S*)(?:\s|$)"
)
_TEXT_URL = re.compile(
    r"//s\.w\.org/images/core/emoji/|/(?:emojis?|smilies|smileys|twemoji)/|/latex\.php\?|//latex\.codecogs\.com/"
    r"|/media/math/render/|/cgi-bin/mathtex|chart\?cht=tx"
)
_DECORATION_CLASS = re.compile(r"(?:^|\s)(?:avatar|icon|favicon|emoji|badge)(?:[\s_-]|$)")
_DECORATION_URL = re.compile(
    r"//(?:[^/]*\.)?gravatar\.com/|//avatars\d*\.githubusercontent\.com/|//github\.com/[^/]+\.png|//img\.shields\.io/"
    r"|/(?:user_)?avatars/|/(?:fav)?icons?/|/favicon|/wp-includes/images/"
    r"|/(?:placeholder|loading|spinner|transparent|lazy|dummy|gr[ae]y)[\w-]*\.(?:gif|png|svg)\b"
)
_SIZE_IN_URL = re.compile(
    r"-(\d{2,5})x(\d{2,5})\.\w{3,4}(?:\?|$)|/[swh](\d{2,5})(?:-[\w-]+)?/|[?&](?:w|width|s|sz|size)=(\d{2,5})(?:&|$)"
)
_SOURCE_SEPARATOR = re.compile(r",\s+|(?<=\d[wx]),")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
_SMALL_STYLE = re.compile(r"height\s*:\s*[\d.]+e[mx]\b")


def fitness(url: str, width: int | None) -> int:
    """Return how well an image suits a story: its width, less beyond `ENOUGH_PIXELS`; 0 for decoration and thumbnails.

    >>> fitness("https://h.example/loaf.jpg", 640), fitness("https://h.example/loaf.jpg", None)
    (640, 500)
    >>> fitness("https://h.example/loaf.jpg", 66), fitness("https://secure.gravatar.com/avatar/1", 500)
    (0, 0)
    """
    if (width is not None and width < MIN_PIXELS) or is_decoration(url):
        return 0
    return 1 if is_svg(url) else _width_fitness(width)


def _width_fitness(width: int | None) -> int:
    if width is None:
        return _UNKNOWN_PIXELS
    return width if width <= ENOUGH_PIXELS else max(_TOO_LARGE_PIXELS, ENOUGH_PIXELS**2 // width)


@lru_cache(maxsize=4_096)
def is_decoration(url: str) -> bool:
    """Check whether a URL is that of an avatar, an icon, an emoji, a formula, a placeholder or a tracking pixel."""
    return any(pattern.search(url) for pattern in (_TRACKING_PIXEL, _DECORATION_URL, _TEXT_URL))


def is_significant_class(names: str) -> bool:
    """Check whether the class of an image says that it is text or decoration."""
    return bool(_TEXT_CLASS.search(names) or _DECORATION_CLASS.search(names))


def is_image_file(url: str) -> bool:
    """Check whether a URL ends with the name of an image file."""
    return _IMAGE_FILE.search(url.partition("?")[0]) is not None


def is_svg(url: str) -> bool:
    """Check whether a URL is that of an SVG image, which mail programs do not show."""
    return url.partition("?")[0].lower().endswith((".svg", ".svgz"))


def size_in_url(url: str) -> tuple[int | None, int | None]:
    """Return the width and height in pixels that the URL of a scaled image names.

    >>> size_in_url("https://h.example/loaf-300x200.jpg"), size_in_url("https://h.example/s72-c/loaf.jpg")
    ((300, 200), (72, None))
    """
    match = _SIZE_IN_URL.search(url)
    width = match and (match[1] or match[3] or match[4])
    return (int(width) if width else None), (int(match[2]) if match and match[2] else None)


def pixels(text: str) -> int | None:
    """Return the number in a ``width`` or ``height``, or None: ``640``, ``640px``, but not ``100%`` or ``0``."""
    number = text.strip().removesuffix("px") if text else ""
    return int(number[:6]) or None if number.isdecimal() else None


def best_source(source_set: str, base_url: str) -> str:
    """Return the fittest source of a ``srcset`` as ``URL``, or as ``URL 800w`` if its width is known.

    >>> best_source("a-400.jpg 400w, a-1200.jpg 1200w, a-4000.jpg 4000w", "https://h.example/")
    'https://h.example/a-1200.jpg 1200w'
    """
    best, best_width, best_score = "", None, 0.0
    for candidate in _SOURCE_SEPARATOR.split(source_set)[:50]:
        source, _, descriptor = candidate.strip(" ,\t\r\n").partition(" ")
        width = pixels(descriptor.removesuffix("w"))
        score = _width_fitness(width) + (0.5 if descriptor.strip() == "2x" else 0)
        if source and score > best_score:
            best, best_width, best_score = source, width, score
    url = clean_url(best, base_url)
    return f"{url} {best_width}w" if url and best_width else url


def replace_image(match: re.Match[str]) -> str:
    """Return an image of cleaned HTML with its true source and size; its alt text if it is text; "" if decoration."""
    attributes = image_attributes(match)
    if _is_text(attributes):
        return escape(attributes.get("alt", "").strip(), quote=False)
    if attributes.keys() <= ATTRIBUTES:
        src = attributes.get("src", "")
        return "" if not src or is_decoration(src) or _is_hidden(attributes) else match[0]
    width, height = (pixels(attributes.get(side, "")) for side in ("width", "height"))
    lazy = next((attributes[name] for name in LAZY_SOURCES if attributes.get(name)), "")
    src = lazy or attributes.get("src", "")
    best = max((attributes.get(name, "") for name in SOURCE_SETS), key=_source_fitness)
    if best and (not src or _source_fitness(best) > fitness(src, width or size_in_url(src)[0])):
        src, _, descriptor = best.partition(" ")
        best_width = pixels(descriptor.removesuffix("w"))
        height = round(height * best_width / width) if height and width and best_width else None
        width = best_width
    if not src or is_decoration(src) or _is_hidden(attributes):
        return ""
    sizes = {"width": str(width or ""), "height": str(height or "")}
    kept = {"src": src, "alt": attributes.get("alt", ""), "title": attributes.get("title", "")} | sizes
    return (
        "<img" + "".join(f' {name}="{escape(value)}"' for name, value in kept.items() if value or name == "alt") + ">"
    )


def image_attributes(match: re.Match[str]) -> dict[str, str]:
    """Return the attributes of an image of cleaned HTML."""
    values = _ATTRIBUTE.findall(match[1])
    return dict(values) if "&" not in match[1] else {name: unescape(value) for name, value in values}


def image_text(match: re.Match[str]) -> str:
    """Return the alt text of an image of cleaned HTML if it is text, such as an emoji, else ""."""
    attributes = image_attributes(match)
    return escape(attributes.get("alt", "").strip(), quote=False) if _is_text(attributes) else ""


def show_noscript_images(html: str) -> str:
    """Return HTML whose ``<noscript>`` elements are replaced by their images, unless the image is right before them."""
    if "<noscript" not in html and "<NOSCRIPT" not in html:
        return html
    shown: list[str] = []
    inside = False
    for part in _NOSCRIPT.split(html):
        if part[:1] == "<" and _NOSCRIPT.fullmatch(part):
            inside = part[1] != "/"
        elif not inside:
            shown.append(part)
        else:
            before = shown[-1][-2_000:] if shown else ""
            shown += (image for image in _RAW_IMAGE.findall(part) if not _is_shown(image, before))
    return "".join(shown)


def use_picture_sources(html: str) -> str:
    """Return HTML whose images in ``<picture>`` have the sources of that element as their ``srcset``.

    WebP and AVIF, which not all mail programs show, count only for an image that has nothing else.

    >>> use_picture_sources('<picture><source srcset="a.jpg 900w"><img src="b.jpg"></picture>')
    '<picture><source srcset="a.jpg 900w"><img srcset="a.jpg 900w" src="b.jpg"></picture>'
    """
    if "<picture" not in html and "<PICTURE" not in html:
        return html
    parts, inside = _PICTURE.split(html), False
    for index, part in enumerate(parts):
        if part[:1] == "<" and _PICTURE.fullmatch(part):
            inside = part[1] != "/"
        elif inside:
            parts[index] = _RAW_IMAGE.sub(_with_sources(_SOURCE.findall(part)), part)
    return "".join(parts)


def _with_sources(sources: Sequence[str]) -> Callable[[re.Match[str]], str]:
    sets = [
        (match[1] or match[2], bool(_NEW_TYPE.search(one))) for one in sources if (match := _SOURCE_SET.search(one))
    ]

    def replace(image: re.Match[str]) -> str:
        tag = image[0]
        has_source = _RAW_SOURCE.search(tag) is not None
        usable = ", ".join(escape(unescape(urls)) for urls, is_new in sets if not (is_new and has_source))
        return f'{tag[:4]} srcset="{usable}"{tag[4:]}' if usable and "srcset" not in tag else tag

    return replace


def _is_shown(image: str, before: str) -> bool:
    source = _RAW_SOURCE.search(image)
    return source is None or source[1] in before


def _is_text(attributes: dict[str, str]) -> bool:
    """Check whether an image stands for characters: an emoji or a formula."""
    width, alt = pixels(attributes.get("width", "")), attributes.get("alt", "").strip()
    if width is not None and width > 4 * MIN_PIXELS:
        return False
    return bool(
        _TEXT_CLASS.search(attributes.get("class", ""))
        or _TEXT_URL.search(attributes.get("src", ""))
        or (alt and _SMALL_STYLE.search(attributes.get("style", "")))
        or ((width is None or width < MIN_PIXELS) and _is_emoji(alt))
    )


def _is_emoji(text: str) -> bool:
    categories = {category(character) for character in text[:20]}
    return 0 < len(text) < 20 and "So" in categories and not any(kind[0] in "LNZ" for kind in categories)


def _is_hidden(attributes: dict[str, str]) -> bool:
    sides = (attributes[side] for side in ("width", "height") if side in attributes)
    tiny = any(side.isdecimal() and int(side[:6]) <= 2 for side in sides)
    hidden = _HIDDEN.search(attributes.get("style", "")) or _DECORATION_CLASS.search(attributes.get("class", ""))
    return tiny or hidden is not None


def _source_fitness(source: str) -> int:
    url, _, descriptor = source.partition(" ")
    return fitness(url, pixels(descriptor.removesuffix("w"))) if url else -1
