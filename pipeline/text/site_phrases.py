"""Phrases with which the pages of sites, players and mail services are furnished: buttons, invitations, credits.

They are certain enough to be reported wherever a sentence of a newsletter begins with one.
"""

from __future__ import annotations

import re

_BUTTON = (
    r"share (?:this|on|via)\b|view ?full ?size\b|view (?:in browser|online)\b|play in new window\b|podcast: ?play"
    r"|download(?: (?:mp3|audio|episode|this episode|file|pdf))?\W{0,3}$|advertisement\W{0,3}$"
    r"|(?:continue|keep) reading\b|read more\W{0,3}$|filed under\b|posted (?:in|by) (?-i:[A-Z])|\d+ comments?\W{0,3}$"
    r"|submitted by\b|table of contents\b|full transcript\b|(?:show ?notes|permalink)\W{0,3}$"
    r"|see \S{1,60} for privacy\b|learn more about your ad\b|(?:this [a-z]{1,20} is )?sponsored by\b"
    r"|(?:this|the) post (?:contains|may contain) affiliate\b"
    r"|teilen (?:auf|mit|via)\b|anzeige\W{0,3}$|weiterlesen\b|partager (?:sur|cet)\b|lire la suite\b|compartir en\b"
    r"|leer más\W{0,3}$|condividi su\b|leggi tutto\b|deel dit\b|lees verder\b"
)
_INVITATION = (
    r"(?:please )?(?:like and )?subscribe (?:to (?:our|my|the|this)|now|here|on|via|for|today)\b|subscribe\W{0,3}$"
    r"|click (?:here|below|on|the)\b|follow (?:us|me) on\b|leave a (?:comment|reply)\b"
    r"|sign up (?:for|to) (?:our|my|the)\b"
    r"|hier klicken\b|klicken sie hier\b|cliquez ici\b|haz clic aquí\b|clicca qui\b|klik hier\b"
)
_APPEARED_ON = (
    r"appeared first on|erschien zuerst auf|est apparu en premier sur|apareció primero en|apareceu primeiro em"
    r"|proviene da|verscheen eerst op"
)
SITE_BUTTON = re.compile(rf"\W{{0,3}}(?:{_BUTTON})", re.IGNORECASE)
"""Begins a button, a label or a credit, which is never about what the page says."""
SITE_INVITATION = re.compile(rf"\W{{0,3}}(?:{_INVITATION})", re.IGNORECASE)
"""Begins a request to do something on the site."""
APPEARED_ON = re.compile(rf"\b(?:{_APPEARED_ON})\b")


def has_site_phrase(sentence: str) -> bool:
    """Check whether a sentence is a button, an invitation or a credit of a site.

    >>> [has_site_phrase(text) for text in ("Download mp3", "Leave a reply!", "Downloads fell by half.")]
    [True, True, False]
    """
    return bool(SITE_BUTTON.match(sentence) or SITE_INVITATION.match(sentence) or APPEARED_ON.search(sentence))
