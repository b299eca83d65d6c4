"""Build an edition: compose, render, check and seal. Pure, except that templates are loaded when first used.

First the whole edition and its variants are composed and rendered. Then, once it is known who gets which of them, they
are sealed together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from pipeline.digest.checks import by_severity, preflight
from pipeline.digest.compose.compose import DigestInputs, compose
from pipeline.digest.compose.correction import corrected
from pipeline.digest.compose.variants import variant_inputs
from pipeline.digest.edition.counted_links import with_counted_links
from pipeline.digest.edition.seal import seal
from pipeline.digest.edition.variants import topics_of
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import Theme
from pipeline.digest.selection.select import Selection
from pipeline.model.check import CheckResult
from pipeline.model.correction import CorrectionNote
from pipeline.model.counted_link import CountedLink
from pipeline.model.digest import Digest, Edition, RenderedDigest
from pipeline.model.subscriber import Topic
from pipeline.model.variant import WHOLE, Variant, VariantKey
from pipeline.text.picture_references import with_public_urls


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedEdition:
    """An edition that is rendered and checked, but not sealed."""

    digest: Digest
    rendered: RenderedDigest
    eml: bytes
    variants: tuple[tuple[Variant, Digest], ...]
    """Those that show less than the whole; one without any story is missing."""
    links: tuple[CountedLink, ...]
    """The counted links of its message and of those of its variants."""
    checks: tuple[CheckResult, ...]
    selection: Selection
    new_excerpts: Mapping[str, str]

    @property
    def shown_topics(self) -> dict[VariantKey, tuple[Topic, ...]]:
        """The variants, the whole included, and the topics of which each has a story."""
        shown = {WHOLE: topics_of(story.kind for story in self.digest.stories)}
        return shown | {variant.key: variant.shown for variant, _ in self.variants}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEdition:
    """An edition and what else came out of building it."""

    edition: Edition
    selection: Selection
    """The entries it was built from."""
    new_excerpts: Mapping[str, str]
    """Excerpts that had to be made, as Markdown by ``excerpt_key``; save them and the next build is faster."""


def compose_edition(
    inputs: DigestInputs,
    theme: Theme,
    keys: Sequence[VariantKey] = (),
    *,
    counting_url: str = "",
    public_url: str = "",
    correction: CorrectionNote | None = None,
) -> ComposedEdition:
    """Return the edition that follows from the inputs: the same arguments always give the same bytes.

    ``counting_url`` is that of the pages that count clicks on links; empty if nobody counts them. ``public_url`` is
    that of the public pages, which show uploaded pictures; without it these are embedded in the message. With
    ``correction`` it is a correction, and so is each variant.

    Raise TemplateError if a template of the theme asks for something that does not exist.
    """
    digest, excerpts = compose(inputs)
    digest = corrected(digest, correction, inputs.translator) if correction else digest
    message = _MessageSettings(counting_url=counting_url, public_url=public_url, pictures=inputs.pictures)
    rendered = message.render(digest, theme)
    eml, links = message.write(digest, rendered)
    checks = preflight(digest, rendered, eml, inputs.preflight)
    known = set(checks)
    variants: list[tuple[Variant, Digest]] = []
    for key in keys:
        wanted = variant_inputs(replace(inputs, excerpts={**inputs.excerpts, **excerpts}), digest, key)
        if wanted:
            digest_of_key, more = compose(wanted)
            digest_of_key = corrected(digest_of_key, correction, inputs.translator) if correction else digest_of_key
            excerpts = {**excerpts, **more}
            variant, of_variant, results = _render_variant(digest_of_key, theme, key, message)
            variants.append((variant, digest_of_key))
            links += of_variant
            checks += tuple(_of_variant(result, key) for result in results if result not in known)
            known.update(results)
    return ComposedEdition(
        digest=digest,
        rendered=rendered,
        eml=eml,
        variants=tuple(variants),
        links=tuple(dict.fromkeys(links)),
        checks=checks,
        selection=inputs.selection,
        new_excerpts=excerpts,
    )


def seal_edition(
    composed: ComposedEdition,
    *,
    subscribers: Mapping[str, int] = MappingProxyType({}),
    more_checks: Sequence[CheckResult] = (),
) -> BuiltEdition:
    """Return a composed edition as a draft. ``subscribers`` counts those who get each variant, by name."""
    selection = composed.selection
    edition = seal(
        composed.digest,
        composed.rendered,
        composed.eml,
        left_out=selection.left_out,
        checks=by_severity((*composed.checks, *more_checks)),
        fingerprints={
            (stored.entry.feed_id, stored.entry.guid): stored.fingerprint
            for story in selection.stories
            for stored in story
        },
        variants=[
            (replace(variant, subscribers=subscribers.get(variant.name, 0)), digest)
            for variant, digest in composed.variants
        ],
        links=composed.links,
    )
    return BuiltEdition(edition=edition, selection=selection, new_excerpts=composed.new_excerpts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _MessageSettings:
    """Settings of the messages of an edition and its variants."""

    counting_url: str
    public_url: str
    pictures: Mapping[str, bytes]

    def render(self, digest: Digest, theme: Theme) -> RenderedDigest:
        """Return a rendered digest; if there are public pages, these show its uploaded pictures."""
        rendered = render(digest, theme)
        return replace(rendered, html=with_public_urls(rendered.html, self.public_url)) if self.public_url else rendered

    def write(
        self, digest: Digest, rendered: RenderedDigest, variant: str = "edition"
    ) -> tuple[bytes, tuple[CountedLink, ...]]:
        """Return the message of an edition or a variant, and its counted links.

        Only the message has them: the HTML at the desk and in the archive keeps the real ones.
        """
        html = rendered.html
        links: tuple[CountedLink, ...] = ()
        if self.counting_url:
            html, links = with_counted_links(html, digest.week, self.counting_url, digest.publication.url)
        return to_eml(replace(rendered, html=html), digest, variant=variant, pictures=self.pictures), links


def _render_variant(
    digest: Digest, theme: Theme, key: VariantKey, message: _MessageSettings
) -> tuple[Variant, tuple[CountedLink, ...], tuple[CheckResult, ...]]:
    """Return a variant, its counted links, and the results of its checks, but those about the choice of entries."""
    rendered = message.render(digest, theme)
    eml, links = message.write(digest, rendered, key.name)
    variant = Variant(
        key=key,
        shown=topics_of(story.kind for story in digest.stories),
        subject=rendered.subject,
        preheader=rendered.preheader,
        html=rendered.html.encode(),
        text=rendered.text.encode(),
        eml=eml,
    )
    return variant, links, preflight(digest, rendered, eml)


def _of_variant(result: CheckResult, key: VariantKey) -> CheckResult:
    return replace(result, where=f"variant {key.name}: {result.where}".removesuffix(": "))
