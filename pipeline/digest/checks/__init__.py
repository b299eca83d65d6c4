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

from pipeline.digest.checks import (
    colours as contrast,
)
from pipeline.digest.checks import (
    freshness as feeds,
)
from pipeline.digest.checks import (
    images as pictures,
)
from pipeline.digest.checks import (
    links,
    safety,
)
from pipeline.digest.checks import (
    message as parts,
)
from pipeline.digest.checks import (
    text as wording,
)
from pipeline.digest.checks.inputs import CheckInputs, prepare_inputs
from pipeline.model.check import LEVELS, CheckResult, PreflightContext
from pipeline.model.digest import Digest, RenderedDigest

CHECKS: tuple[Callable[[CheckInputs], Iterable[CheckResult]], ...] = (
    wording.subject,
    wording.preheader,
    wording.introduction,
    wording.todo_note,
    wording.merge_tag,
    wording.shortcode,
    links.link_text,
    links.relative_url,
    links.short_url,
    links.repeated_link,
    links.few_links,
    pictures.image_alt,
    pictures.image_size,
    parts.html_size,
    parts.shortened,
    parts.text_part,
    parts.unsubscribe_link,
    parts.postal_address,
    parts.mail_format,
    contrast.contrast_ratio,
    safety.unsafe,
    feeds.stale_feed,
)
_NOTHING_KNOWN = PreflightContext()


def preflight(
    digest: Digest, rendered: RenderedDigest, eml: bytes, context: PreflightContext = _NOTHING_KNOWN
) -> tuple[CheckResult, ...]:
    """Check a mail; the same mail and facts give the same Checks in the same order."""
    laid_out = prepare_inputs(digest, rendered, eml, context)
    return by_severity(found for check in CHECKS for found in check(laid_out))


def by_severity(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Order Checks by gravity, each one once; otherwise as they came."""
    return tuple(sorted(dict.fromkeys(checks), key=lambda check: LEVELS.index(check.level)))


def manifest_results(manifest: bytes) -> tuple[CheckResult, ...]:
    """Read the Checks that a manifest carries.

    >>> recorded(b'{"checks": [{"name": "weight", "level": "hint", "message": "Shorten it.", "where": "theme"}]}')
    (Check(name='weight', level='hint', message='Shorten it.', where='theme', mend=''),)
    """
    return tuple(CheckResult(**each) for each in json.loads(manifest or b"{}").get("checks", ()))
