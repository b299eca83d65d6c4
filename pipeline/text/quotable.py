"""Sentences of a transcript that can stand alone: taken word for word, never composed."""

from __future__ import annotations

import re

from pipeline.text.html_to_markdown import escape_markdown
from pipeline.text.similarity import normalised_words

MIN_WORDS, MAX_WORDS = 8, 30
_MAX_SENTENCE_CHARS = 400
_DANGLING_LIST = """
he she it its they them him her his their this that these those here there then and but or so because which who also
well yeah yes no nope okay ok right exactly sure absolutely oh ah hmm um uh like now plus than too such either neither
otherwise anyway however therefore thats hes shes theyre theres heres whats
er sie es ihr ihm ihn das dies diese dieser dieses und aber oder denn also ja nein genau naja
il elle ils elles ca cela ce cette ces et mais ou donc oui non voila alors
el ella ello ellos ellas eso esto ese esa esos y pero o entonces si claro bueno
"""
_DANGLING = frozenset(_DANGLING_LIST.split())
"""Words at the beginning of a sentence that refer to the one before, in the languages of the catalogs."""
_HOUSEKEEPING_LIST = """
episode episodes podcast podcasts subscribe subscribed subscriber sponsor sponsors sponsored sponsoring patreon
newsletter website listeners listening listener review reviews download discount promo coupon welcome thanks thank hello
hi bye goodbye tune tuned advert adverts advertisement com www http https instagram facebook twitter youtube spotify
folge folgen abonnieren willkommen danke tschuss hallo horer werbung abonniert gutschein
abonnez bienvenue merci bonjour auditeurs episodio bienvenidos gracias hola oyentes suscribete
"""
_HOUSEKEEPING = frozenset(_HOUSEKEEPING_LIST.split())
"""Words of greetings, sponsors and requests to subscribe."""
_FILLERS = re.compile(r"\b(?:um+|uh+|erm?|you know|i mean|sort of|kind of|i guess|äh+m?|euh|ehm)\b", re.IGNORECASE)
_SPEAKER = re.compile(r"^[\W_]*+(?:[A-Z][\w.’'-]{0,20}\s?){1,3}:\s+(?=\S)")
_END = re.compile(r"[.!…][\"'”’»]?$")


def without_speaker(sentence: str) -> str:
    """Return a sentence without the name of its speaker before it.

    >>> without_speaker("ADA MARSH: Salt keeps."), without_speaker("Remember: salt keeps.")
    ('Salt keeps.', 'salt keeps.')
    """
    return _SPEAKER.sub("", sentence[:_MAX_SENTENCE_CHARS]) + sentence[_MAX_SENTENCE_CHARS:]


def is_quotable(sentence: str) -> bool:
    """Check whether a sentence is whole, needs no sentence before it, and is about something.

    >>> is_quotable("You don’t need a bigger table, you need to stop clearing it.")
    True
    >>> is_quotable("That is why nobody in the village ever asks who is coming.")
    False
    >>> is_quotable("Thanks to everybody who left us a review in the last few weeks.")
    False
    """
    if (
        len(sentence) > _MAX_SENTENCE_CHARS
        or not _END.search(sentence)
        or not sentence.lstrip("“\"'‘«¿¡")[:1].isupper()
    ):
        return False
    words = normalised_words(sentence)
    if not MIN_WORDS <= len(sentence.split()) <= MAX_WORDS or not words or words[0] in _DANGLING:
        return False
    return _HOUSEKEEPING.isdisjoint(words) and not _FILLERS.search(sentence)


def quotation(sentence: str) -> str:
    """Return a sentence as a quotation in Markdown.

    >>> quotation("Salt *keeps*.")
    '> Salt \\\\*keeps\\\\*.'
    """
    return f"> {escape_markdown(' '.join(sentence.split()))}"


def density(sentence: str) -> float:
    """Return the share of a sentence's words that are long and occur once in it, from 0 to 1.

    >>> density("Driftwood burns green") > density("It was what it was")
    True
    """
    words = normalised_words(sentence)
    return len({word for word in words if len(word) > 4}) / max(1, len(words))
