"""The tags by which mail services fill in a subscriber's own links, and an edition with them in place of ours. Pure.

One row of ``SERVICES`` is one service. The names are those of each service's manual.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.message import BROWSER_VIEW, PREFERENCES, UNSUBSCRIBE, without_personal_links
from pipeline.text.picture_references import BESIDE_EDITION


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTags:
    """The tags of one mail service. Each stands for a URL."""

    title: str
    unsubscribe: str = ""
    """Empty if the service documents none; then an edition cannot be prepared for it."""
    preferences: str = ""
    """Empty if there is none: the links lead to unsubscribing."""
    browser_view: str = ""
    """Empty if there is none: the links are left out."""
    takes_text: bool = True
    """Whether the plain text can be given as well; otherwise the service makes its own."""
    hint: str = ""
    """A sentence for the editor: where to paste it, or why it cannot be prepared."""


SERVICES: Mapping[str, ServiceTags] = MappingProxyType(
    {
        "mailchimp": ServiceTags(
            title="Mailchimp",
            unsubscribe="*|UNSUB|*",
            preferences="*|UPDATE_PROFILE|*",
            browser_view="*|ARCHIVE|*",
            hint="Code your own, Paste in code. Your postal address has to be in the edition.",
        ),
        "buttondown": ServiceTags(
            title="Buttondown",
            unsubscribe="{{ unsubscribe_url }}",
            preferences="{{ manage_subscription_url }}",
            browser_view="{{ email_url }}",
            takes_text=False,
            hint="Use the template Naked, which adds nothing of its own.",
        ),
        "brevo": ServiceTags(
            title="Brevo",
            unsubscribe="{{ unsubscribe }}",
            preferences="{{ update_profile }}",
            browser_view="{{ mirror }}",
            takes_text=False,
            hint="Code your own, Paste your code.",
        ),
        "kit": ServiceTags(
            title="Kit",
            unsubscribe="{{ unsubscribe_url }}",
            takes_text=False,
            hint="A broadcast in HTML. Preferences lead to unsubscribing.",
        ),
        "mailerlite": ServiceTags(
            title="MailerLite",
            unsubscribe="{$unsubscribe}",
            browser_view="{$url}",
            takes_text=False,
            hint="Custom HTML editor. Preferences lead to unsubscribing.",
        ),
        "listmonk": ServiceTags(
            title="listmonk",
            unsubscribe="{{ UnsubscribeURL }}",
            preferences="{{ ManageURL }}",
            browser_view="{{ MessageURL }}",
            hint="A campaign in raw HTML, without a template.",
        ),
        "ses": ServiceTags(
            title="Amazon SES",
            unsubscribe="{{amazonSESUnsubscribeUrl}}",
            hint="Sent with ListManagementOptions, which names your contact list. Preferences lead to unsubscribing.",
        ),
        "resend": ServiceTags(
            title="Resend",
            unsubscribe="{{{RESEND_UNSUBSCRIBE_URL}}}",
            hint="A broadcast. Preferences lead to unsubscribing.",
        ),
        "ghost": ServiceTags(title="Ghost", hint="It adds an unsubscribe link of its own and documents no tag for it."),
        "beehiiv": ServiceTags(
            title="beehiiv", hint="It adds an unsubscribe link of its own and documents no tag for it."
        ),
    }
)
"""By the name in addresses, in the order of the page."""
_URL = r"https?://[^\s\"'<>#]*#"


def service_tags(name: str) -> ServiceTags:
    """Return the tags of a service; UsageError for a name that is not in ``SERVICES``."""
    if name not in SERVICES:
        raise UsageError(f"There is no service {name!r}; known are {', '.join(SERVICES)}.")
    return SERVICES[name]


def html_for_service(html: str, service: ServiceTags) -> str:
    """Return an edition's HTML with the tags of a service in place of the placeholders.

    RefusedError if the service documents no tag for unsubscribing, or if the edition has no link for it.

    >>> page = '<p><a href="https://a.example/#zzUnsubscribezz">Leave</a> · <a href="https://a.example/#zzBrowserzz">x</a>'
    >>> html_for_service(page, SERVICES["kit"])
    '<p><a href="{{ unsubscribe_url }}">Leave</a>'
    """
    if not service.browser_view:
        html = without_personal_links(html, [BROWSER_VIEW])
    return _fill(html, service)


def text_for_service(text: str, service: ServiceTags) -> str:
    """Return an edition's plain text with the tags of a service, as ``html_for_service``."""
    if not service.browser_view:
        text = "".join(line for line in text.splitlines(keepends=True) if f"#{BROWSER_VIEW}" not in line)
    return _fill(text, service)


def _fill(content: str, service: ServiceTags) -> str:
    if f'src="{BESIDE_EDITION}' in content:
        raise RefusedError(
            f"{service.title} cannot show uploaded pictures: set [public] url in config.toml, so that the public pages "
            "show them, or use the addresses of pictures on your site."
        )
    if not service.unsubscribe:
        raise RefusedError(f"The edition cannot be prepared for {service.title}. {service.hint}")
    if f"#{UNSUBSCRIBE}" not in content:
        raise RefusedError(
            f"The edition has no unsubscribe link, which {service.title} requires: put unsubscribe_url into the theme."
        )
    tags = {
        UNSUBSCRIBE: service.unsubscribe,
        PREFERENCES: service.preferences or service.unsubscribe,
        BROWSER_VIEW: service.browser_view,
    }
    for placeholder, tag in tags.items():
        content = tag.join(re.split(_URL + placeholder, content))
    return content
