"""[publication]: who publishes."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import (
    COLOUR,
    LANGUAGE,
    MAILBOX,
    NON_EMPTY,
    OPTIONAL_MAILBOX,
    OPTIONAL_URL,
    URL,
    ZONE,
    choice,
    string,
)
from pipeline.digest.render.style import FONTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationSettings:
    """Who publishes; appears in every mail."""

    name: str = setting("The newsletter's name: the mail's sender and masthead.", NON_EMPTY)
    url: str = setting("The publication's home page.", URL)
    timezone: str = setting("Weeks close, and dates are written, in this time zone.", ZONE, "UTC")
    language: str = setting("Language of the mail, as a BCP 47 tag.", LANGUAGE, "en")
    sender: str = setting("From whom the mail comes.", MAILBOX)
    editor: str = setting("Who gets the proof; the sender when left out.", OPTIONAL_MAILBOX, "")
    postal_address: str = setting("Footer: the postal address that mail law asks for.", string(), "")
    tagline: str = setting("A line under the name in the masthead.", string(), "")
    logo_url: str = setting("A picture to show in the masthead instead of the bare name.", OPTIONAL_URL, "")
    accent: str = setting(
        "Colour of links and buttons, kept readable in light and dark; the theme's own when left out.",
        COLOUR,
        "",
    )
    fonts: str = setting("A family of fonts for everything; the theme's own when left out.", choice(*FONTS, ""), "")
    call_to_action: str = setting(
        "The one thing that readers are asked to do, above the footer; a link is written `[words](https://…)`.",
        string(),
        "",
    )
    reason: str = setting("Footer: why the reader gets this mail.", string(), "")
