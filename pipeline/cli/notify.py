"""Try out how notices reach people.

In: parsed arguments and a clock. Out: an exit code. Jobs are imported inside the command, as everywhere in this room.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.app.notifications import build_notifier
from pipeline.model.alert import Alert
from pipeline.model.errors import UsageError

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock

SOME_FAILED = 3


def notify(options: Namespace, clock: Clock) -> int:
    """Tell a notice that means nothing, in every way of [notify], and say what came of it."""
    notice = Alert(
        key="trial",
        subject="This is only a trial",
        text="Somebody ran `pipeline notify` to see whether notices arrive. This one did; there is nothing to do.",
        raised_at=clock(),
        level="info",
    )
    with App.load(options.config) as app:
        results = build_notifier(app).send_test(notice)
    if not results:
        raise UsageError(
            f"nobody would be told: give a command or a mail address under [notify] in {options.config}, "
            "or a mail server under [delivery]."
        )
    for way, answer, trouble in results:
        if trouble:
            print(f"{way}: {trouble}", file=sys.stderr)
        elif not options.quiet:
            print(f"{way}: told{answer and ': ' + answer}")
    return SOME_FAILED if any(trouble for _, _, trouble in results) else 0
