"""Build an edition: compose, render, check and seal. Pure, except that templates are loaded when first used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.digest.checks import preflight
from pipeline.digest.compose.compose import DigestInputs, compose
from pipeline.digest.edition.seal import seal
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import Theme
from pipeline.digest.selection.select import Selection
from pipeline.model.digest import Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEdition:
    """An edition and what else came out of building it."""

    edition: Edition
    selection: Selection
    """The entries it was built from."""
    new_excerpts: Mapping[str, str]
    """Excerpts that had to be made, as Markdown by ``excerpt_key``; save them and the next build is faster."""


def build_edition(inputs: DigestInputs, theme: Theme) -> BuiltEdition:
    """Return the edition that follows from the inputs: the same inputs and theme always give the same bytes.

    Raise TemplateError if a template of the theme asks for something that does not exist.
    """
    digest, new_excerpts = compose(inputs)
    rendered = render(digest, theme)
    eml = to_eml(rendered, digest)
    selection = inputs.selection
    edition = seal(
        digest,
        rendered,
        eml,
        left_out=selection.left_out,
        checks=preflight(digest, rendered, eml, inputs.preflight),
        fingerprints={
            (stored.entry.feed_id, stored.entry.guid): stored.fingerprint
            for story in selection.stories
            for stored in story
        },
    )
    return BuiltEdition(edition=edition, selection=selection, new_excerpts=new_excerpts)
