"""[[feeds]]: each option refused in words when it cannot be, secrets only from the environment and never repeated."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import feed_headers, parse_config
from pipeline.config.sections.feeds import FeedSettings
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


def test_every_option_has_a_value_that_changes_nothing():
    """Left out, a feed is asked like all others, with all its entries and no more headers; and so with "" and {}."""
    plain = feed()
    assert (plain.interval, plain.include, plain.exclude, plain.full_text) == (None, FilterRule(), FilterRule(), False)
    assert plain == feed(interval="", language="", include={}, exclude={}, headers={}, username="", token_env="")
    assert feed_headers(plain, {}) == ()


def test_what_is_given_is_read():
    """An interval in words, rules, a language."""
    found = feed(interval="every 6 hours", exclude={"categories": ["Ads "], "pattern": "(?i)ad"}, language="de-CH")
    assert found.interval == timedelta(hours=6)
    assert found.exclude == FilterRule(categories=("Ads",), pattern="(?i)ad")
    assert found.language == "de-CH"


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
        ({"headers": {"X": "a\r\nY: b"}}, "headers is not allowed: give names and values such as"),
        ({"headers": {"X": 1}}, "headers is not allowed: give names and values such as"),
        ({"headers": "X: y"}, "headers is not allowed: give names and values such as"),
        ({"username": "ada"}, 'id = "blog" has one of username and password_env: give both or neither.'),
        ({"password_env": "A"}, "has one of username and password_env"),
        ({"username": "ada", "password_env": "A", "token_env": "B"}, "has both username and token_env"),
        ({"username": "a:b", "password_env": "A"}, "username has a colon"),
        ({"exlude": {}}, "exlude is not a setting: did you mean exclude?"),
    ],
)
def test_what_cannot_be_is_refused_with_file_key_and_what_is_allowed(options: dict[str, Any], words: str):
    """The message begins with the file and the table, and says what to do."""
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
def test_a_secret_in_the_file_is_refused_and_not_repeated(options: dict[str, Any], words: str):
    """Wherever somebody may have put it; the message says where it belongs."""
    message = refusal(**options)
    assert words in message
    assert "hunter2" not in message.lower()
    assert "ter2" not in message


def test_headers_come_in_order_with_their_secrets():
    """Plain ones, those the environment fills in, then access; a user name and a password may hold any letters."""
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
def test_a_secret_that_is_not_there_is_named_and_not_shown(
    options: dict[str, Any], environment: dict[str, str], words: str
):
    """Exit code 3, for this feed alone; the variable's name, never its value."""
    with pytest.raises(MissingSecretError) as missing:
        feed_headers(feed(**options), environment)
    assert words in str(missing.value)
    assert "hunter2" not in str(missing.value)
    assert missing.value.exit_code == 3


def test_a_file_may_hold_the_secret(tmp_path: Path):
    """The variable itself goes first; an empty file is said to be one."""
    file = tmp_path / "secret"
    file.write_text("from file\r\n")
    named = {"KEY_FILE": str(file)}
    assert feed_headers(feed(token_env="KEY"), named) == (("Authorization", "Bearer from file"),)
    assert feed_headers(feed(token_env="KEY"), named | {"KEY": "own"}) == (("Authorization", "Bearer own"),)
    file.write_text("\n")
    with pytest.raises(MissingSecretError, match="the file named by KEY_FILE is empty"):
        feed_headers(feed(token_env="KEY"), named)
