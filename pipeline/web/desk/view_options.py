"""How an edition is looked at: the state of the toolbar, which is the query of the address and nothing else.

In: query parameters. Out: a Look, and the query that leads back to it. Pure; nothing is remembered anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

VIEW_CHOICES: dict[str, dict[str, str]] = {
    "view": {
        "mail": "Mail",
        "inbox": "Inbox",
        "text": "Text",
        "headers": "Headers",
        "source": "Source",
        "why": "Stories",
        "changes": "Changes",
    },
    "width": {"fit": "This screen", "900": "Desktop", "375": "Phone", "320": "Small phone"},
    "scheme": {"light": "Light", "dark": "Dark", "forced": "Forced dark"},
    "pictures": {"near": "Pictures at hand", "on": "All pictures", "off": "No pictures"},
}
"""Every control of the toolbar: its values and what they are called. The first value is where it stands at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """One way to look at an edition; each field holds a key of its row in CHOICES."""

    view: str = "mail"
    width: str = "fit"
    scheme: str = "light"
    pictures: str = "near"

    @property
    def query(self) -> str:
        """The query that gives this look again.

        >>> Look(width="375", scheme="dark").query
        'view=mail&width=375&scheme=dark&pictures=near'
        """
        return urlencode({name: getattr(self, name) for name in VIEW_CHOICES})

    def query_for(self, view: str) -> str:
        """Give the query of the same look at another view.

        >>> Look(width="375").showing("why")
        'view=why&width=375&scheme=light&pictures=near'
        """
        return ViewOptions(view=view, width=self.width, scheme=self.scheme, pictures=self.pictures).query


def parse_view_options(query: Mapping[str, str]) -> ViewOptions:
    """Read a look from query parameters; what is missing or unknown stands as at first.

    >>> read_look({"width": "375", "scheme": "plaid"})
    Look(view='mail', width='375', scheme='light', pictures='near')
    """
    return ViewOptions(**{name: query[name] for name, values in VIEW_CHOICES.items() if query.get(name) in values})
