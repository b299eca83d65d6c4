"""Preflight: everything that can be found out about a mail without asking the network.

In: a digest, what became of it, and the facts known besides. Out: Checks, the gravest first. Pure.

    preflight
    ├── wording    the inbox line, the introduction, leftovers, tokens
    ├── links      words, whole addresses, short ones, repeated ones
    ├── pictures   words in their place, pixels
    ├── parts      weight, text part, format, the way out, the address
    ├── contrast   colours in light and in dark (cascade)
    ├── safety     what no mail may hold
    ├── feeds      silent ones
    ├── since      what changed after approval
    └── reached    what the network answered; both are asked for by jobs/check.py

A check is a function from a ``proof.Proof`` to any number of ``model.check.Check``; a new one joins CHECKS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from pipeline.digest.checks import contrast, feeds, links, parts, pictures, safety, wording
from pipeline.digest.checks.proof import Proof, proof
from pipeline.model.check import LEVELS, Check, Facts
from pipeline.model.digest import Digest, RenderedDigest

CHECKS: tuple[Callable[[Proof], Iterable[Check]], ...] = (
    wording.subject,
    wording.preheader,
    wording.introduction,
    wording.leftover,
    wording.token,
    wording.shortcode,
    links.link_words,
    links.relative_url,
    links.short_url,
    links.repeated_link,
    links.few_links,
    pictures.picture_alt,
    pictures.picture_size,
    parts.weight,
    parts.shortened,
    parts.text_part,
    parts.way_out,
    parts.postal_address,
    parts.mail_format,
    contrast.contrast_ratio,
    safety.unsafe,
    feeds.quiet_feed,
)
_NOTHING_KNOWN = Facts()


def preflight(digest: Digest, rendered: RenderedDigest, eml: bytes, facts: Facts = _NOTHING_KNOWN) -> tuple[Check, ...]:
    """Check a mail; the same mail and facts give the same Checks in the same order."""
    laid_out = proof(digest, rendered, eml, facts)
    return ordered(found for check in CHECKS for found in check(laid_out))


def ordered(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Order Checks by gravity, each one once; otherwise as they came."""
    return tuple(sorted(dict.fromkeys(checks), key=lambda check: LEVELS.index(check.level)))


def recorded(manifest: bytes) -> tuple[Check, ...]:
    """Read the Checks that a manifest carries.

    >>> recorded(b'{"checks": [{"name": "weight", "level": "hint", "message": "Shorten it.", "where": "theme"}]}')
    (Check(name='weight', level='hint', message='Shorten it.', where='theme', mend=''),)
    """
    return tuple(Check(**each) for each in json.loads(manifest or b"{}").get("checks", ()))
