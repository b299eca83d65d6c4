"""Options of [[feeds]]: invalid values are refused, and secrets come from the environment only."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import feed_headers, parse_config
from pipeline.config.sections import FeedSettings
from pipeline.model.errors import ConfigError, MissingSecretError
from pipeline.model.feed import FilterRule

PUBLICATION = {"name": "N", "url": "https://example.org/", "sender": "N <n@example.org>"}
FEED = {"id": "blog", "url": "https://example.org/feed/", "kind": "blog"}


def feed(**options: Any) -> FeedSettings:
    return parse_config({"publication": PUBLICATION, "feeds": [FEED | options]}, Path("config.toml")).feeds[0]


def refusal(**options: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        feed(**options)
    return str(refused.value)


def test_empty_options_are_the_defaults():
    """Missing options, "" and {} mean the default interval, all entries and no extra headers."""
    plain = feed()
    assert (plain.interval, plain.include, plain.exclude, plain.full_text) == (None, FilterRule(), FilterRule(), False)
    assert plain == feed(interval="", language="", include={}, exclude={}, headers={}, username="", token_env="")
    assert feed_headers(plain, {}) == ()


def test_options_are_parsed():
    """An interval, rules and a language are converted."""
    settings = feed(interval="every 6 hours", exclude={"categories": ["Ads "], "pattern": "(?i)ad"}, language="de-CH")
    assert settings.interval == timedelta(hours=6)
    assert settings.exclude == FilterRule(categories=("Ads",), pattern="(?i)ad")
    assert settings.language == "de-CH"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"interval": "6h"},
            'interval = "6h" is not allowed: give an interval from 1 minute to 24 hours, such as "every 6 hours"',
        ),
        ({"interval": "mon 06:00"}, 'interval = "mon 06:00" is not allowed: give an interval'),
        ({"interval": "every 2 days"}, "from 1 minute to 24 hours"),
        ({"interval": 6}, "interval = 6 is not allowed"),
        ({"language": "English!"}, 'language = "English!" is not allowed: give a language tag such as "en-GB", or "".'),
        ({"full_text": "yes"}, 'full_text = "yes" is not allowed: give true or false.'),
        ({"exclude": {"pattern": "(ad"}}, "correct the pattern, missing ): (ad."),
        ({"include": {"pattern": "(?=ad)"}}, "correct the pattern, invalid perl operator: (?=."),
        ({"exclude": {"category": ["Ads"]}}, "category is not one of its keys, which are categories and pattern."),
        ({"exclude": {"categories": "Ads"}}, 'categories must be a list of strings such as ["Sponsored"].'),
        ({"exclude": {"categories": [""]}}, "categories must be a list of strings"),
        ({"exclude": {"pattern": 3}}, 'pattern must be a string such as "(?i)advert".'),
        ({"exclude": ["Ads"]}, "give categories, a pattern or both, such as { categories"),
        ({"exclude": "Ads"}, "give categories, a pattern or both, such as { categories"),
        ({"headers": {"Host": "h.example"}}, "remove Host, the program sets that header itself."),
        ({"headers": {"if-none-match": "x"}}, "remove if-none-match"),
        ({"headers": {"X Y": "z"}}, "headers is not allowed: give names and values such as"),
        ({"headers": {"X": "a\r\nY: b"}}, "headers is not allowed: remove the control character U+000D."),
        ({"headers": {"X": 1}}, "headers is not allowed: give names and values such as"),
        ({"headers": "X: y"}, "headers is not allowed: give names and values such as"),
        ({"username": "ada"}, 'id = "blog" has one of username and password_env: give both or neither.'),
        ({"password_env": "A"}, "has one of username and password_env"),
        ({"username": "ada", "password_env": "A", "token_env": "B"}, "has both username and token_env"),
        ({"username": "a:b", "password_env": "A"}, "username has a colon"),
        ({"exlude": {}}, "exlude is not a setting: did you mean exclude?"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], words: str):
    """The error begins with the file and the table, and says what to do."""
    message = refusal(**options)
    assert message.startswith("config.toml: [[feeds]] ")
    assert words in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "https://ada:hunter2@example.org/"}, "a feed has the settings username and password_env"),
        ({"url": "https://ada:hun/ter2@example.org/"}, "give a URL"),
        ({"url": "https://hunter2@example.org/"}, "remove the user name and password"),
        ({"listen": {"Apple": "https://ada:hunter2@example.org/"}}, "remove the user name and password"),
        ({"headers": {"Authorization": "Bearer hunter2"}}, "use token_env, or username and password_env"),
        ({"headers": {"Cookie": "session=hunter2"}}, 'Cookie may be a secret: write "$NAME"'),
        ({"headers": {"X-Api-Key": "HUNTER2"}}, 'X-Api-Key may be a secret: write "$NAME"'),
        ({"headers": {"X-Api-Key": "$hunter2"}}, 'X-Api-Key may be a secret: write "$NAME"'),
        ({"username": "ada", "password_env": "hunter2"}, "give the name of an environment variable, in capitals"),
        ({"token_env": "hunter2.eyJ"}, "give the name of an environment variable, in capitals"),
    ],
)
def test_secrets_in_the_file_are_refused(options: dict[str, Any], words: str):
    """The error does not contain the secret, and says where it belongs."""
    message = refusal(**options)
    assert words in message
    assert "hunter2" not in message.lower()
    assert "ter2" not in message


def test_headers_contain_secrets_of_the_environment():
    """Own headers come first, then credentials; user name and password may contain any character."""
    protected = feed(headers={"X-Reader": "ada", "X-Api-Key": "$KEY"}, username="ädä", password_env="PASSWORD")
    plain, key, (name, basic) = feed_headers(protected, {"KEY": "k", "PASSWORD": "p:ä\u00df "})
    assert (plain, key, name) == (("X-Reader", "ada"), ("X-Api-Key", "k"), "Authorization")
    assert b64decode(basic.removeprefix("Basic ")).decode() == "ädä:p:ä\u00df "
    assert feed_headers(feed(token_env="T"), {"T": "t"}) == (("Authorization", "Bearer t"),)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "the environment variable KEY is not set"),
        ({"KEY": ""}, "the environment variable KEY is not set"),
        ({"KEY_FILE": "no/such/file"}, "the file named by KEY_FILE cannot be read"),
        ({"KEY_FILE": "\0"}, "the file named by KEY_FILE cannot be read"),
        ({"KEY": "hunter2\r\nX: y"}, "the value of KEY cannot be sent in a header"),
        ({"KEY": "hunter2ü"}, "the value of KEY cannot be sent in a header"),
    ],
)
@pytest.mark.parametrize("options", [{"token_env": "KEY"}, {"headers": {"X-Api-Key": "$KEY"}}])
def test_missing_secrets_are_named(options: dict[str, Any], environment: dict[str, str], words: str):
    """The error has exit code 3 and names the variable, never its value."""
    with pytest.raises(MissingSecretError) as missing:
        feed_headers(feed(**options), environment)
    assert words in str(missing.value)
    assert "hunter2" not in str(missing.value)
    assert missing.value.exit_code == 3


def test_secrets_may_be_read_from_a_file(tmp_path: Path):
    """The variable itself has priority; an empty file is an error."""
    file = tmp_path / "secret"
    file.write_text("from file\r\n")
    named = {"KEY_FILE": str(file)}
    assert feed_headers(feed(token_env="KEY"), named) == (("Authorization", "Bearer from file"),)
    assert feed_headers(feed(token_env="KEY"), named | {"KEY": "own"}) == (("Authorization", "Bearer own"),)
    file.write_text("\n")
    with pytest.raises(MissingSecretError, match="the file named by KEY_FILE is empty"):
        feed_headers(feed(token_env="KEY"), named)
