"""The choice of the variants to seal, and of the one that a subscriber gets.

An edition has few variants, so that an editor can read them all. A subscriber who wants a rarer combination of topics
gets the smallest variant that has all of them, in the end the whole edition; one who wants only topics of which the
edition has no story gets nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pipeline.audience.subscription import make_preferences
from pipeline.model.subscriber import TOPICS, Frequency, Topic
from pipeline.model.variant import MONTHLY, WHOLE, VariantKey
from pipeline.text.format import pluralize

MAX_VARIANTS = 6
"""Of an edition, the whole included."""
Sealed = Mapping[VariantKey, Collection[Topic]]
"""The variants of an edition, the whole included, and the topics of which each has a story."""


def make_key(topics: Iterable[str], frequency: str) -> VariantKey:
    """Return the variant that a subscriber wants; unknown values are replaced as in ``make_preferences``."""
    preferences = make_preferences("", topics, frequency)
    return VariantKey(topics=preferences.topics, frequency=preferences.frequency)


def choose_variants(wanted: Mapping[VariantKey, int], *, with_monthly: bool) -> tuple[VariantKey, ...]:
    """Return the variants to seal besides the whole edition: those that most subscribers want.

    ``wanted`` counts the subscribers who want each; ``with_monthly`` is true for the last edition of a month.

    >>> posts, links = VariantKey(topics=("posts",)), VariantKey(topics=("links",))
    >>> [key.name for key in choose_variants({WHOLE: 9, posts: 1, links: 2, MONTHLY: 3}, with_monthly=False)]
    ['links', 'posts']
    """
    keys = [key for key in wanted if key != WHOLE and (with_monthly or key.frequency == "every")]
    ranked = sorted(keys, key=lambda key: (-wanted[key], key.name))
    chosen = ranked[: MAX_VARIANTS - 1]
    if all(any(own.covers(key) for own in (WHOLE, *chosen)) for key in ranked):
        return tuple(chosen)
    return (*ranked[: MAX_VARIANTS - 2], MONTHLY)  # nothing else has all topics of a month


def variant_for(topics: Collection[str], frequency: Frequency, sealed: Sealed) -> str | None:
    """Return the name of the variant that a subscriber gets; None if the edition has nothing for them.

    >>> variants = {WHOLE: ("posts", "links"), VariantKey(topics=("posts",)): ("posts",)}
    >>> [variant_for(topics, "every", variants) for topics in (["posts"], ["posts", "links"], ["episodes"])]
    ['posts', 'whole', None]
    >>> variant_for(["posts"], "monthly", variants) is None
    True
    """
    key = _smallest_for(make_key(topics, frequency), sealed)
    return key.name if key else None


def count_subscribers(wanted: Mapping[VariantKey, int], sealed: Sealed) -> dict[str, int]:
    """Return how many subscribers get each variant, by name."""
    counts: dict[str, int] = {}
    for key, number in wanted.items():
        if given := _smallest_for(key, sealed):
            counts[given.name] = counts.get(given.name, 0) + number
    return counts


def explain_variants(
    wanted: Mapping[VariantKey, int], chosen: Collection[VariantKey], sealed: Sealed, *, with_monthly: bool
) -> Iterator[str]:
    """Yield a sentence about subscribers who get nothing, or more topics than they want.

    A ``chosen`` variant that is not sealed had no story, or would have been the whole edition.

    >>> links = VariantKey(topics=("links",))
    >>> list(explain_variants({links: 2}, [links], {WHOLE: ("posts",)}, with_monthly=False))
    ['2 subscribers want only links and get nothing: there is no such story.']
    """
    for key in sorted(wanted, key=lambda key: key.name):
        if key.frequency == "monthly" and not with_monthly:
            continue
        given, is_one = _smallest_for(key, sealed), wanted[key] == 1
        frequency = "the best of a month" if key.frequency == "monthly" else ""
        topics = f"only {' and '.join(key.topics)}" if key.topics != TOPICS else ""
        who = f"{pluralize(wanted[key], 'subscriber')} {'wants' if is_one else 'want'}"
        what = ", ".join(filter(None, (frequency, topics))) or "everything"
        if given is None:
            yield f"{who} {what} and {'gets' if is_one else 'get'} nothing: there is no such story."
        elif key not in (WHOLE, *chosen) and set(sealed[given]) - set(key.topics):
            yield f"{who} {what} and {'gets' if is_one else 'get'} “{given.name}”: other variants are wanted more."


def _smallest_for(key: VariantKey, sealed: Sealed) -> VariantKey | None:
    """Return the smallest sealed variant with all topics of a key; None if it has no story of them."""
    covering = [own for own in sealed if own.covers(key)]
    smallest = min(covering, key=lambda own: (len(own.topics), own.name), default=None)
    return smallest if smallest and set(sealed[smallest]) & set(key.topics) else None
