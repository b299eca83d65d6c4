"""``pipeline desk-link``: print a link with which an editor logs in to the desk."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from pipeline.cli.arguments import Commands, load_app
from pipeline.text.format import format_datetime

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock


def add_commands(commands: Commands) -> None:
    """Add desk-link."""
    summary = "print a link with which an editor logs in to the desk of `pipeline run`, once"
    parser = commands.add("desk-link", desk_link, summary)
    text = "name or address in [[editors]] (default: the only editor)"
    parser.add_argument("editor", nargs="?", default="", metavar="EDITOR", help=text)


def desk_link(options: Namespace, clock: Clock) -> int:
    """Print the link, and how long it works."""
    from pipeline.app.access import create_log_in_url, editors
    from pipeline.jobs.access.log_in import LINK_TTL, find_editor
    from pipeline.model.errors import ConfigError

    now = clock()
    with load_app(options) as app:
        if not (named := editors(app)):
            raise ConfigError(f"{app.config.path}: names no editors: add an [[editors]] table with name and address.")
        editor = find_editor(named, options.editor)
        print(create_log_in_url(app, editor, now=now))
        if not options.quiet:
            until = format_datetime(now + LINK_TTL, app.calendar.zone)
            print(f"It logs in {editor.name} ({editor.address}), once, until {until}.")
    return 0
