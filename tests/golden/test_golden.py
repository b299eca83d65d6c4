"""The mails as they are, byte for byte. ``make golden`` writes them anew when a change is wanted."""

from __future__ import annotations

import pytest

from tests.golden.update import DIGESTS, HERE, mail


@pytest.mark.parametrize("name", DIGESTS)
def test_mail_is_as_it_was(name: str) -> None:
    """HTML, text and mail file of each hand-written digest are the very bytes that were last looked at."""
    for ending, content in mail(DIGESTS[name]).items():
        expected = (HERE / f"{name}.{ending}").read_bytes()
        assert content.decode().split("\n") == expected.decode().split("\n"), (
            f"read the diff after make golden: {ending}"
        )
