"""What WordPress and its plugins leave in a text when it leaves the site: shortcodes, buttons to share.

In: text, or HTML that ``sanitise`` made. Out: the same without them. Touches nothing. What a person puts into brackets
stays: "[sic]", "[1]", "[video]".
"""

from __future__ import annotations

import re

from pipeline.text.html import remove_empty_elements

_QUOTED = r"(?:\"[^\"\[\]<>]{0,300}\"|'[^'\[\]<>]{0,300}'|[“”″„][^“”″\[\]<>]{0,300}[“”″])"
_INSIDE = r"[^\[\]<>]{0,600}"
_NEVER_A_WORD = (  # of WordPress itself, of Jetpack, of players, of forms and page builders
    r"gallery|wp_caption|wpvideo|embedyt|googlemaps|contact-(?:form|field)(?:-7)?|jetpack[\w-]*|powerpress|ssp_[\w-]+|"
    r"podcast_[\w-]+|smart_[\w-]+|spp-[\w-]+|buzzsprout|tablepress|ez-toc|gravityforms?|wpforms|ninja_forms?|formidable|"
    r"mc4wp_form|mailpoet_form|newsletter_[\w-]+|sibwp_form|convertkit[\w-]*|rev_slider|metaslider|instagram-feed|"
    r"(?:vc|et_pb|su|fusion|av|fl|tcb|cs|wc|woocommerce|the_ad|product|recent)_[\w-]+"
)
_PLAYER = r"embed|audio|video|playlist|youtube|vimeo|soundcloud|spotify"
_WITH_ADDRESS = rf"(?:{_PLAYER})\s+(?:[\w-]+=|https?://){_INSIDE}"
_SHORTCODE = (
    rf"(?<!\[)\[(?P<player>{_PLAYER})(?:\s{_INSIDE})?\][^\[\]<>]{{0,600}}\[/(?P=player)\]"
    rf"|(?<!\[)\[(?:/?(?:{_NEVER_A_WORD})(?:\s{_INSIDE})?/?|{_WITH_ADDRESS}|/(?:{_PLAYER}|caption)"
    rf"|[a-z][a-z0-9_-]{{1,40}}(?:\s+[\w-]{{1,40}}={_QUOTED})+\s*/?)\](?!\])"
)
_KNOWN = re.compile(_SHORTCODE)
_CODE_OR_SHORTCODE = re.compile(rf"<(?P<end>/?)(?P<code>pre|code)\b|{_SHORTCODE}")
"""No shortcode reaches over a bracket, so that each place of a text is looked at once or twice."""

_SERVICES = (
    r"facebook|twitter|x|linkedin|pinterest|pocket|reddit|tumblr|telegram|(?:jetpack-)?whatsapp|email|print|skype|"
    r"mastodon|bluesky|threads|nextdoor|press-this|google-plus-1|custom-\d+"
)
_SHARE_LINK = re.compile(
    rf"<a href=\"[^\"]*[?&;](?:share=(?:{_SERVICES})|nb=1)(?:&[^\"]*)?\"[^>]*>(?:(?!</a>).){{0,500}}</a>", re.DOTALL
)
_SHARE_HEADING = re.compile(
    r"<(?P<tag>h[1-6]|p)>(?:<(?:strong|b)>)?\s*(?:share this|like this|teilen mit|partager|compartir|condividi)\s*:?\s*"
    r"(?:</(?:strong|b)>)?\s*:?</(?P=tag)>\s*(?P<list><ul>(?:(?!</?ul>).){0,8000}</ul>)?",
    re.IGNORECASE | re.DOTALL,
)
_EMPTY_LIST = re.compile(r"<(?P<tag>[uo]l)>\s*</(?P=tag)>")
_REMAINS = re.compile(r"\[/?[a-z]\w*(?:_\w|\s+[\w-]+=)[^\[\]]{0,600}\]|\[/[a-z][\w-]*\]")


def strip_plugin_markup(html: str) -> str:
    """Take shortcodes and what asks to share out of HTML that ``sanitise`` made.

    >>> without_leavings('<p>Salt.</p><p>[gallery ids="1,2"]</p>')
    '<p>Salt.</p>'
    >>> without_leavings('<p>Salt.</p><h3>Share this:</h3><ul><li><a href="https://h.example/?share=x">X</a></li></ul>')
    '<p>Salt.</p>'
    """
    clean = strip_shortcodes(html)
    if _SHARE_LINK.search(clean):
        clean = remove_empty_elements(_SHARE_LINK.sub("", _SHARE_HEADING.sub("", clean)))
        return _EMPTY_LIST.sub("", clean).strip()
    return html if clean == html else remove_empty_elements(clean).strip()


def strip_shortcodes(text: str) -> str:
    """Take shortcodes out of text or well-formed HTML; what stands between two of a pair stays, code is quoted.

    >>> without_shortcodes('Salt [sic]. [vc_row]Fat[/vc_row] [1] [embed]https://v.example/1[/embed]')
    'Salt [sic]. Fat [1] '
    """
    if "[" not in text:
        return text
    depth = 0

    def judged(found: re.Match[str]) -> str:
        nonlocal depth
        if found["code"]:
            depth += -1 if found["end"] else 1
        return found[0] if found["code"] or depth > 0 else ""

    return _CODE_OR_SHORTCODE.sub(judged, text)


def find_shortcode(text: str) -> str:
    """Find what looks like a shortcode in plain text, known or not; "" when there is none.

    >>> shortcode_in("Salt [sic] [my_slider 3]"), shortcode_in("As [they] said [1].")
    ('[my_slider 3]', '')
    """
    found = _KNOWN.search(text) or _REMAINS.search(text)
    return found[0] if found else ""
