"""Quirks of real feeds: each fixtures/quirks/<case>.xml gives the entries of its expected.json."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.feed import Feed
from pipeline.text.html import reading_minutes

QUIRKS = Path(__file__).parents[2] / "fixtures" / "quirks"
URL = "https://harbourandhearth.example/feed/"
NOW = datetime(2026, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize("case", sorted(path.stem for path in QUIRKS.glob("*.xml")))
def test_quirk(case: str) -> None:
    """Each document gives the expected entries, compared by the listed fields."""
    expected = json.loads((QUIRKS / f"{case}.expected.json").read_text("utf-8"))
    parsed = parse_feed((QUIRKS / f"{case}.xml").read_bytes(), url=URL)
    entries = normalise(parsed, Feed(id="blog", url=URL, kind="blog"), url=URL, now=NOW)
    assert len(entries) == len(expected["entries"]), expected["why"]
    for entry, wanted in zip(entries, expected["entries"], strict=True):
        read_in = {"reading_minutes": reading_minutes(entry.body_html)}
        compare(asdict(entry) | read_in, wanted)
    compare(asdict(parsed.channel), expected.get("channel", {}))
    assert len(parsed.warnings) == expected.get("oddities", 0), parsed.warnings


def test_every_expectation_has_its_document() -> None:
    """Every expected.json has a document, and every document has one."""
    assert {path.name.removesuffix(".expected.json") for path in QUIRKS.glob("*.json")} == {
        path.stem for path in QUIRKS.glob("*.xml")
    }


def compare(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Compare the listed fields, nested ones likewise; ``name~`` is a pattern."""
    plain = json.loads(json.dumps(found, default=lambda value: value.isoformat()))
    for name, value in wanted.items():
        if name.endswith("~"):
            assert re.search(value, plain[name[:-1]]), (name, plain[name[:-1]])
        elif isinstance(value, dict):
            assert plain[name] is not None, name
            compare(plain[name], value)
        else:
            assert plain[name] == value, name
