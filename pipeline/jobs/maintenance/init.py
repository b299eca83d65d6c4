"""Create the folder of a new publication."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.model.errors import RefusedError, UsageError

CONFIG_TEMPLATE = """\
# Your newsletter. Fill in the lines below, then:
#     pipeline feeds add https://your-site.example/      find a feed and write it into this file
#     pipeline fetch                                     read what there is
#     pipeline digest last                               write the newsletter of the last week
#     pipeline preview                                   look at it in the browser
# Every other setting, with its default, is in docs/config.md.

[publication]
name = "My Newsletter"
url = "https://example.org/"
timezone = "Europe/London"              # weeks close, and dates are written, in this time zone
language = "en-GB"
sender = "My Newsletter <newsletter@example.org>"
editor = "editor@example.org"           # who gets the proof
postal_address = ""                     # mail law asks for one in the footer

[digest]
week_closes = "mon 00:00"               # when a week closes; "fri 06:00" for a Friday mailing

[schedule]
fetch = "every 30 minutes"              # what `pipeline run` and `pipeline tick` do, and when
draft = "mon 06:00"

# What is read: one [[feeds]] table each, like these. Never change an id: entries are remembered under it.

# [[feeds]]
# id = "blog"
# url = "https://example.org/feed/"
# kind = "blog"                           # blog | podcast | links

# [[feeds]]
# id = "podcast"
# url = "https://example.org/podcast.xml"
# kind = "podcast"
# listen = { "Apple Podcasts" = "https://…", "Amazon Music" = "https://…" }
"""


def create_project(folder: Path, *, demo_from: Path | None = None) -> tuple[Path, ...]:
    """Write config.toml and an empty editions/ into ``folder``, and return the paths written.

    With ``demo_from``, the folder of the demo publication, its config.toml and fixtures/ are copied instead.
    RefusedError if there is a config.toml already; UsageError if the folder is not writable.
    """
    config, editions = folder / "config.toml", folder / "editions"
    if config.exists():
        raise RefusedError(f"{config} already exists: name another folder, as in `pipeline init DIR`.")
    try:
        editions.mkdir(parents=True, exist_ok=True)
        if demo_from is None:
            config.write_text(CONFIG_TEMPLATE, encoding="utf-8")
            return config, editions
        shutil.copytree(demo_from / "fixtures", folder / "fixtures", dirs_exist_ok=True)
        shutil.copyfile(demo_from / "config.toml", config)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}): name a folder of your own.") from error
    return config, folder / "fixtures", editions
