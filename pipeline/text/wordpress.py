"""Remove what WordPress and its plugins leave in exported text: shortcodes and share buttons."""

from __future__ import annotations

import re

from pipeline.text.html import remove_empty_elements

_QUOTED = r"(?:\"[^\"\[\]<>]{0,300}\"|'[^'\[\]<>]{0,300}'|[“”″„][^“”″\[\]<>]{0,300}[“”″])"
_INSIDE = r"[^\[\]<>]{0,600}"
_SHORTCODE_NAMES = (  # of WordPress, Jetpack, players, forms and page builders
    r"gallery|wp_caption|wpvideo|embedyt|googlemaps|contact-(?:form|field)(?:-7)?|jetpack[\w-]*|powerpress|ssp_[\w-]+|"
    r"podcast_[\w-]+|smart_[\w-]+|spp-[\w-]+|buzzsprout|tablepress|ez-toc|gravityforms?|wpforms|ninja_forms?|formidable|"
    r"mc4wp_form|mailpoet_form|newsletter_[\w-]+|sibwp_form|convertkit[\w-]*|rev_slider|metaslider|instagram-feed|"
    r"(?:vc|et_pb|su|fusion|av|fl|tcb|cs|wc|woocommerce|the_ad|product|recent)_[\w-]+"
)
_PLAYER = r"embed|audio|video|playlist|youtube|vimeo|soundcloud|spotify"
_WITH_ADDRESS = rf"(?:{_PLAYER})\s+(?:[\w-]+=|https?://){_INSIDE}"
_SHORTCODE = (
    rf"(?<!\[)\[(?P<player>{_PLAYER})(?:\s{_INSIDE})?\][^\[\]<>]{{0,600}}\[/(?P=player)\]"
    rf"|(?<!\[)\[(?:/?(?:{_SHORTCODE_NAMES})(?:\s{_INSIDE})?/?|{_WITH_ADDRESS}|/(?:{_PLAYER}|caption)"
    rf"|[a-z][a-z0-9_-]{{1,40}}(?:\s+[\w-]{{1,40}}={_QUOTED})+\s*/?)\](?!\])"
)
_KNOWN_SHORTCODE = re.compile(_SHORTCODE)
_CODE_OR_SHORTCODE = re.compile(rf"<(?P<end>/?)(?P<code>pre|code)\b|{_SHORTCODE}")
"""A shortcode never extends over a bracket, so each position is examined at most twice."""

_SERVICES = (
    r"facebook|twitter|x|linkedin|pinterest|pocket|reddit|tumblr|telegram|(?:jetpack-)?whatsapp|email|print|skype|"
    r"mastodon|bluesky|threads|nextdoor|press-this|google-plus-1|custom-\d+"
)
_SHARE_LINK = re.compile(
    rf"<a href=\"(?>[^\"]*?[?&;](?:share=(?:{_SERVICES})|nb=1)(?=[&\"]))[^\"]*+\"[^<>]*+>(?:(?!</a>).){{0,500}}+</a>",
    re.DOTALL,
)
_SHARE_HEADING = re.compile(
    r"<(?P<tag>h[1-6]|p)>(?:<(?:strong|b)>)?\s*+"
    r"(?:share this|like this|teilen mit|partager|compartir|condividi)\s*+:?\s*+"
    r"(?:</(?:strong|b)>)?\s*+:?</(?P=tag)>\s*+(?P<list><ul>(?:(?!</?ul>).){0,8000}</ul>)?",
    re.IGNORECASE | re.DOTALL,
)
_EMPTY_LIST = re.compile(r"<(?P<tag>[uo]l)>\s*+</(?P=tag)>")
_LIKELY_SHORTCODE = re.compile(r"\[/?[a-z](?=\w*(?:_\w|\s++[\w-]++=))[^\[\]]{0,600}\]|\[/[a-z][\w-]*+\]")


def strip_plugin_markup(html: str) -> str:
    """Return sanitised HTML without shortcodes and share links.

    >>> strip_plugin_markup('<p>Salt.</p><p>[gallery ids="1,2"]</p>')
    '<p>Salt.</p>'
    >>> strip_plugin_markup('<p>Salt.</p><h3>Share this:</h3><ul><li><a href="https://h.example/?share=x">X</a></li></ul>')
    '<p>Salt.</p>'
    """
    clean = strip_shortcodes(html)
    if _SHARE_LINK.search(clean):
        clean = remove_empty_elements(_SHARE_LINK.sub("", _SHARE_HEADING.sub("", clean)))
        return _EMPTY_LIST.sub("", clean).strip()
    return html if clean == html else remove_empty_elements(clean).strip()


def strip_shortcodes(text: str) -> str:
    """Return text or well-formed HTML without shortcodes; text between an opening and a closing one stays.

    Brackets written by a person stay ("[sic]", "[1]", "[video]"), and so does everything inside ``<pre>`` and
    ``<code>``.

    >>> strip_shortcodes('Salt [sic]. [vc_row]Fat[/vc_row] [1] [embed]https://v.example/1[/embed]')
    'Salt [sic]. Fat [1] '
    """
    if "[" not in text:
        return text
    depth = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal depth
        if match["code"]:
            depth += -1 if match["end"] else 1
        return match[0] if match["code"] or depth > 0 else ""

    return _CODE_OR_SHORTCODE.sub(replace, text)


def find_shortcode(text: str) -> str:
    """Return the first known or likely shortcode in plain text, or "" if there is none.

    >>> find_shortcode("Salt [sic] [my_slider 3]"), find_shortcode("As [they] said [1].")
    ('[my_slider 3]', '')
    """
    match = _KNOWN_SHORTCODE.search(text) or _LIKELY_SHORTCODE.search(text)
    return match[0] if match else ""
