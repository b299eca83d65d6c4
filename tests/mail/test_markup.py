"""The HTML is valid and made only of reviewed features."""

from __future__ import annotations

from functools import cache

import pytest

from tests.mail.editions import ALL_MAILS, COUNTED, mail
from tests.mail.external_validators import nu_errors
from tests.mail.validators import allowed_features, link_errors, markup_errors, used_features

every_mail = pytest.mark.parametrize(("theme", "edition"), ALL_MAILS)


@cache
def all_nu_errors() -> dict[str, list[str]]:
    """Run the checker once, as Java starts slowly."""
    return nu_errors({f"{theme} {edition}": mail(theme, edition).html for theme, edition in ALL_MAILS})


@every_mail
@pytest.mark.npm("vnu-jar")
@pytest.mark.requires("java")
@pytest.mark.xdist_group("nu")
def test_is_valid_html(theme: str, edition: str) -> None:
    """The Nu HTML Checker finds no error."""
    assert all_nu_errors()[f"{theme} {edition}"] == []


@every_mail
def test_has_only_reviewed_features(theme: str, edition: str) -> None:
    """Every element, attribute, property, at-rule and selector is in allowed.toml."""
    assert markup_errors(mail(theme, edition).html) == []


def test_every_reviewed_feature_is_used() -> None:
    """A feature that no theme uses any more is removed from allowed.toml."""
    everything = [used_features(mail(theme, edition).html) for theme, edition in ALL_MAILS]
    for kind, names in allowed_features().items():
        assert set(names) - set().union(*(each[kind] for each in everything)) == set(), kind


def test_every_reviewed_feature_has_a_reason() -> None:
    """It says what happens in a program that does not know the feature."""
    assert all(reason for names in allowed_features().values() for reason in names.values())


@pytest.mark.parametrize(("theme", "edition"), [each for each in ALL_MAILS if COUNTED not in each])
def test_every_link_is_in_the_text_part(theme: str, edition: str) -> None:
    """The plain text links to everything that the HTML links to; counted links have their real addresses there."""
    made = mail(theme, edition)
    assert link_errors(made.html, made.text) == []
