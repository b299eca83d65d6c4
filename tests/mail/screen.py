"""Messages on screens: emulated devices, light and dark, images answered, all other requests recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Scheme = Literal["light", "dark"]
DESKTOP, PHONE, SMALL_PHONE = 900, 375, 320
FRAME = 600
"""The width of a message on a wide screen."""

# Larger than any place a mail has for one, so that a picture nobody holds back shows.
_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="2000"><rect width="2000" height="2000"/></svg>'

# Words, also those in place of a picture, whose contrast with what is behind them is under 4.5 : 1 (WCAG 2.2, 1.4.3).
_LOW_CONTRAST = """() => {
  const channels = colour => colour.match(/[0-9.]+/g).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const behind = el => {
    for (; el; el = el.parentElement) {
      const found = channels(getComputedStyle(el).backgroundColor);
      if (found[3] !== 0) return found }
    return [255, 255, 255] };
  const poor = [], check = (el, words) => {
    if (!words || !el.checkVisibility()) return;
    const [a, b] = [light(channels(getComputedStyle(el).color)), light(behind(el))].sort((a, b) => b - a);
    if ((a + .05) / (b + .05) < 4.5) poor.push(words) };
  for (const el of document.images) check(el, el.alt.trim());
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) check(node.parentElement, node.data.trim());
  return poor }"""
_OUTSIDE = """([left, right]) => [...document.querySelectorAll('h1, h2, h3, p, li, img, a')]
  .filter(el => el.checkVisibility())
  .map(el => [el, el.getBoundingClientRect()])
  .filter(([el, box]) => box.width && (box.left < left - 1 || box.right > right + 1))
  .map(([el, box]) => `${el.tagName} from ${box.left} to ${box.right}`)"""
_MISSIZED = """() => [...document.images]
  .filter(el => Math.abs(el.getBoundingClientRect().width - Number(el.getAttribute('width'))) > 1)
  .map(el => `${el.src}: ${el.getBoundingClientRect().width} for ${el.getAttribute('width')}`)"""
_LINKS = "() => [...document.querySelectorAll('a[href], v\\\\:roundrect')].map(el => el.getAttribute('href'))"


@dataclass(slots=True)
class Screen:
    """An open message."""

    page: Page
    width: int
    requested_urls: list[str] = field(default_factory=list)
    """The URLs it requested other than images."""

    @property
    def overflow_pixels(self) -> int:
        """How many pixels the message is wider than its screen."""
        return max(0, int(self.page.evaluate("document.documentElement.scrollWidth")) - self.width)

    @property
    def low_contrast(self) -> list[str]:
        """Texts with too little contrast."""
        return list(self.page.evaluate(_LOW_CONTRAST))

    @property
    def elements_outside(self) -> list[str]:
        """Elements outside the middle 600 pixels."""
        left = (self.width - FRAME) / 2
        return list(self.page.evaluate(_OUTSIDE, [left, left + FRAME]))

    @property
    def missized_pictures(self) -> list[str]:
        """Images whose width differs from their attribute, which is all that Word obeys."""
        return list(self.page.evaluate(_MISSIZED))

    @property
    def links(self) -> set[str]:
        """The URLs of all links."""
        return set(self.page.evaluate(_LINKS))


@cache
def page_of(browser: Browser, width: int, scheme: Scheme) -> Page:
    """Return the page shared by all messages on such a screen: opening a page costs much more than a message."""
    phone = width < 500
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, is_mobile=phone, has_touch=phone
    )
    return context.new_page()


@contextmanager
def open_screen(
    browser: Browser, html: str, width: int = DESKTOP, scheme: Scheme = "light", *, pictures: bool = True
) -> Iterator[Screen]:
    """Open a message on a screen of a width; below 500 pixels it is a phone."""
    screen = Screen(page_of(browser, width, scheme), width)

    def answer(route: Route) -> None:
        if route.request.resource_type != "image":
            screen.requested_urls.append(route.request.url)
        if route.request.resource_type == "image" and pictures:
            route.fulfill(content_type="image/svg+xml", body=_PICTURE)
        else:
            route.abort()

    screen.page.goto("about:blank")
    screen.page.route("**/*", answer)
    screen.page.set_content(html, wait_until="load")
    try:
        yield screen
    finally:
        screen.page.unroute_all()


def axe(screen: Screen, source: str) -> list[str]:
    """Return the rule and element of each violation that axe-core finds.

    ``region`` and ``landmark-one-main`` are about web pages: a mail is one article.
    """
    screen.page.evaluate(source)
    options: dict[str, Any] = {"rules": {name: {"enabled": False} for name in ("region", "landmark-one-main")}}
    found = screen.page.evaluate("options => axe.run(document, options)", options)
    return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]
