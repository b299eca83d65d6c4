"""What makes editions: the press, the editor's files, the themes.

In: a house that reads. Out: a Press.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.app import resources_folder
from pipeline.app.feeds import Reading

if TYPE_CHECKING:
    from pipeline.jobs.digests.context import DigestContext


class Making(Reading):
    """A house that can make editions of what it read."""

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Where themes are looked for: beside config.toml first, then among those that come with the program."""
        return tuple(dict.fromkeys((self.folder / "templates", resources_folder() / "templates")))

    @property
    def digest_context(self) -> DigestContext:
        """What digests are made with; TemplateError when the theme is missing or broken."""
        from pipeline.digest.render.render import load_theme
        from pipeline.jobs.digests.context import DigestContext
        from pipeline.jobs.digests.enrich import enrich
        from pipeline.jobs.editor.files import EditorFiles
        from pipeline.jobs.editor.links import added_links_feed

        theme = load_theme(self.template_folders, self.config.digest.theme)
        settle = timedelta(minutes=self.config.digest.quiet_minutes)
        said = self.config.digest
        feeds = (*self.feeds, added_links_feed(self.feeds))
        links = [feed.id for feed in feeds if feed.kind == "links"]
        editor = EditorFiles(folder=self.editions_folder, store=self.store, link_feed_ids=links, calendar=self.calendar)
        return DigestContext(
            publication=self.publication,
            feeds=feeds,
            calendar=self.calendar,
            theme=theme,
            quiet_period=settle,
            read_overrides=editor.read_overrides,
            create_editor_file=editor.create,
            enrich=lambda groups, now: enrich(self.store, groups, self.fetcher, self.publication.logo_url, now=now),
            max_links=said.max_links,
            min_links=said.min_links,
            min_stories=said.min_entries,
            skip_thin_weeks=said.thin_week == "wait",
        )
