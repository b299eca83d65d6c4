"""Settings of [web]."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import HOST_AND_PORT, URL, optional


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The pages that `pipeline run` serves: the buttons of a proof, health and metrics."""

    listen: str = setting(
        'Address the daemon listens on; with `""` it serves no pages, and proofs have no buttons.',
        HOST_AND_PORT,
        "127.0.0.1:8026",
    )
    url: str = setting(
        "URL under which editors reach these pages if it is not `listen`, such as that of an https proxy.",
        optional(URL),
        "",
    )
