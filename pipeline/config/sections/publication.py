"""Settings of [publication]."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import COLOUR, LANGUAGE, MAILBOX, NON_EMPTY, URL, ZONE, choice, optional, string
from pipeline.digest.render.style import FONTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationSettings:
    """The publisher of the newsletter; part of every edition."""

    name: str = setting("Name of the newsletter: the sender of the mail and its masthead.", NON_EMPTY)
    url: str = setting("Home page of the publication.", URL)
    timezone: str = setting("Time zone in which weeks close and dates are written.", ZONE, "UTC")
    language: str = setting("Language of the newsletter, as a BCP 47 tag.", LANGUAGE, "en")
    sender: str = setting("Sender of the newsletter.", MAILBOX)
    editor: str = setting("Who gets the proof; the sender if empty.", optional(MAILBOX), "")
    postal_address: str = setting(
        "Postal address in the footer, which the law requires in many countries.", string(), ""
    )
    tagline: str = setting("A line below the name in the masthead.", string(), "")
    logo_url: str = setting("Image to show in the masthead instead of the name.", optional(URL), "")
    accent: str = setting(
        "Colour of links and buttons, adjusted to be readable in light and dark; the theme's own if empty.", COLOUR, ""
    )
    fonts: str = setting("Font family of the whole newsletter; the theme's own if empty.", choice(*FONTS, ""), "")
    call_to_action: str = setting(
        "A request to subscribers above the footer; a link is written `[text](https://…)`.", string(), ""
    )
    reason: str = setting("Footer: why the subscriber gets this newsletter.", string(), "")
