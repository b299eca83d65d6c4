"""Builder for the context that digests are built with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.app import resources_folder
from pipeline.model.block import Block
from pipeline.text.picture_references import is_reference

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.jobs.digests.context import DigestContext
    from pipeline.jobs.editor.files import EditorFiles


def template_folders(app: App) -> tuple[Path, ...]:
    """Return the folders searched for themes: the one beside config.toml, then the one shipped with the program."""
    return tuple(dict.fromkeys((app.folder / "templates", resources_folder() / "templates")))


def build_editor_files(app: App) -> EditorFiles:
    """Return the editor's files of the publication."""
    from pipeline.jobs.editor.files import EditorFiles
    from pipeline.jobs.editor.links import ADDED_LINKS_FEED_ID

    link_feed_ids = [feed.id for feed in app.feeds if feed.kind == "links"] + [ADDED_LINKS_FEED_ID]
    return EditorFiles(
        folder=app.editions_folder, store=app.store(), link_feed_ids=link_feed_ids, calendar=app.calendar
    )


def build_digest_context(app: App) -> DigestContext:
    """Return settings and collaborators for building digests; TemplateError if the theme is missing or broken."""
    from pipeline.app.audience import public_url
    from pipeline.digest.render.theme import load_theme
    from pipeline.jobs.digests.context import DigestContext
    from pipeline.jobs.digests.enrich import enrich
    from pipeline.jobs.editor.links import added_links_feed
    from pipeline.jobs.editor.pictures import PictureFolder

    settings, editor = app.config.digest, build_editor_files(app)
    return DigestContext(
        publication=app.publication,
        feeds=(*app.feeds, added_links_feed(app.feeds)),
        calendar=app.calendar,
        blocks=_blocks(app),
        counting_url=app.config.public.url.rstrip("/") if app.config.delivery.count_links else "",
        theme=load_theme(template_folders(app), settings.theme),
        quiet_period=timedelta(minutes=settings.quiet_minutes),
        public_url=public_url(app),
        post_decides_week=settings.story_week == "post",
        read_overrides=editor.read_overrides,
        read_pictures=PictureFolder(folder=app.editions_folder).read_all,
        create_editor_file=editor.create,
        enrich=lambda selection, now: enrich(
            app.store(),
            selection.stories,
            app.fetcher,
            [*app.publication.image_urls, *(url for url in selection.overrides.picture_urls if not is_reference(url))],
            now=now,
        ),
        max_links=settings.max_links,
        min_links=settings.min_links,
        min_stories=settings.min_entries,
        skip_thin_weeks=settings.thin_week == "skip",
    )


def _blocks(app: App) -> tuple[Block, ...]:
    return tuple(
        Block(
            kind=block.kind,  # type: ignore[arg-type]  # config checked it, as it did the position
            text_md=block.text,
            label=block.label,
            position=block.position,  # type: ignore[arg-type]
            first_day=block.first_day,
            last_day=block.last_day,
        )
        for block in app.config.blocks
    )
