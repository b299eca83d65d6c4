"""What makes editions: the press, the editor's files, the themes.

In: a house that reads. Out: a Press.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.house import resources
from pipeline.app.reading import Reading

if TYPE_CHECKING:
    from pipeline.jobs.press import Press


class Making(Reading):
    """A house that can make editions of what it read."""

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Where themes are looked for: beside config.toml first, then among those that come with the program."""
        return tuple(dict.fromkeys((self.folder / "templates", resources() / "templates")))

    @property
    def press(self) -> Press:
        """What digests are made with; TemplateError when the theme is missing or broken."""
        from pipeline.digest.render import load_theme
        from pipeline.jobs.editor import EditorFiles
        from pipeline.jobs.learn import learn
        from pipeline.jobs.links import added_feed
        from pipeline.jobs.press import Press

        theme = load_theme(self.template_folders, self.config.digest.theme)
        settle = timedelta(minutes=self.config.digest.settle_minutes)
        said = self.config.digest
        feeds = (*self.feeds, added_feed(self.feeds))
        links = [feed.id for feed in feeds if feed.kind == "links"]
        editor = EditorFiles(folder=self.editions, store=self.store, link_feeds=links, clock=self.clock)
        return Press(
            publication=self.publication,
            feeds=feeds,
            clock=self.clock,
            theme=theme,
            settle=settle,
            asks=editor.asks,
            offers=editor.offer,
            learns=lambda groups, now: learn(self.store, groups, self.fetcher, self.publication.logo_url, now=now),
            links_most=said.links_max,
            links_fewest=said.links_min,
            stories_fewest=said.min_entries,
            thin_week_waits=said.thin_week == "wait",
        )
