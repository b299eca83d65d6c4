"""Preflight checks: everything that can be wrong with an edition, found without a network.

A check is a function from CheckInputs to any number of CheckResults. To add one, write it in the module of its subject
and list it in ``CHECKS``. ``jobs/editions/check_links.py`` requests URLs, ``reachability`` judges the responses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from pipeline.digest.checks import contrast, freshness, images, leftovers, links, message, safety, text
from pipeline.digest.checks.inputs import CheckInputs, prepare_inputs
from pipeline.model.check import LEVELS, CheckResult, PreflightContext
from pipeline.model.digest import Digest, RenderedDigest

CHECKS: tuple[Callable[[CheckInputs], Iterable[CheckResult]], ...] = (
    text.subject,
    text.preheader,
    text.introduction,
    text.no_text,
    text.todo_note,
    text.merge_tag,
    text.shortcode,
    text.wrong_encoding,
    leftovers.raw_markup,
    leftovers.dangling_mark,
    leftovers.half_sentence,
    leftovers.furniture,
    leftovers.mixed_languages,
    links.link_text,
    links.relative_url,
    links.short_url,
    links.tracking_link,
    links.repeated_link,
    links.few_links,
    images.image_alt,
    images.image_size,
    images.image_format,
    images.repeated_picture,
    message.html_size,
    message.shortened,
    message.text_part,
    message.unsubscribe_link,
    message.postal_address,
    message.language,
    message.message_format,
    contrast.contrast_ratio,
    safety.unsafe,
    freshness.stale_feed,
    freshness.possible_repeat,
)
_NO_CONTEXT = PreflightContext()


def preflight(
    digest: Digest, rendered: RenderedDigest, eml: bytes, context: PreflightContext = _NO_CONTEXT
) -> tuple[CheckResult, ...]:
    """Return the results of all checks, the most severe first; the same arguments give the same results."""
    inputs = prepare_inputs(digest, rendered, eml, context)
    return by_severity(result for check in CHECKS for result in check(inputs))


def by_severity(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Return results without duplicates, the most severe first, otherwise in their order."""
    return tuple(sorted(dict.fromkeys(results), key=lambda result: LEVELS.index(result.level)))


def manifest_results(manifest: bytes) -> tuple[CheckResult, ...]:
    """Return the check results that a manifest holds.

    >>> manifest_results(b'{"checks": [{"name": "html-size", "level": "hint", "message": "Shorten it."}]}')
    (CheckResult(name='html-size', level='hint', message='Shorten it.', where='', fix_target='', quote=''),)
    """
    return tuple(CheckResult(**result) for result in json.loads(manifest or b"{}").get("checks", ()))
