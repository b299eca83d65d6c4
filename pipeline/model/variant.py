"""Variants of an edition, for subscribers who want only some topics, or only the best of each month."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model.subscriber import TOPICS, Frequency, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantKey:
    """The topics and the frequency that a variant is made for; without arguments those of the whole edition."""

    topics: tuple[Topic, ...] = TOPICS
    """In the order of ``TOPICS``."""
    frequency: Frequency = "every"

    @property
    def name(self) -> str:
        """The name of the variant, in files and in manifests.

        >>> VariantKey().name, VariantKey(topics=("posts", "links")).name, VariantKey(frequency="monthly").name
        ('whole', 'posts-links', 'monthly')
        """
        frequency = () if self.frequency == "every" else (self.frequency,)
        topics = () if self.topics == TOPICS else self.topics
        return "-".join((*frequency, *topics)) or "whole"

    def covers(self, other: VariantKey) -> bool:
        """Check whether the variant has everything that another one has."""
        return self.frequency == other.frequency and set(other.topics) <= set(self.topics)


WHOLE = VariantKey()
MONTHLY = VariantKey(frequency="monthly")
"""The best of a month, with all topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant of an edition, frozen into bytes with it."""

    key: VariantKey
    shown: tuple[Topic, ...]
    """The topics of its stories."""
    subject: str
    preheader: str
    html: bytes
    text: bytes
    eml: bytes
    subscribers: int = 0
    """How many were going to get it when it was sealed."""

    @property
    def name(self) -> str:
        """The name of its key."""
        return self.key.name
