"""Measurements as Prometheus reads them: its text format, version 0.0.4.

In: families of samples. Out: text. Touches nothing. (prometheus_client keeps a registry of mutable counters; ours are
read from the store when asked for, so what is left to do is this page of formatting. Its parser checks it in tests.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value, under its labels."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One measurement: its name with the unit at its end, what it means, and its samples."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    r"""Write families of samples; one without samples is left out.

    >>> sample = Sample(value=3, labels={"outcome": "ok"})
    >>> print(exposition([Family(name="feeds", kind="gauge", help="By outcome.", samples=(sample,))]), end="")
    # HELP feeds By outcome.
    # TYPE feeds gauge
    feeds{outcome="ok"} 3
    """
    lines = []
    for family in families:
        if family.samples:
            lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
        lines += [f"{family.name}{_labels(each.labels)} {_number(each.value)}" for each in family.samples]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value, quote=True)}"' for name, value in labels.items())
    return f"{{{','.join(pairs)}}}" if labels else ""


def _escaped(words: str, *, quote: bool = False) -> str:
    words = words.replace("\\", "\\\\").replace("\n", "\\n")
    return words.replace('"', '\\"') if quote else words


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
